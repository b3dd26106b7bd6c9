// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to memory that the interpreter's fast path did not allow by itself:
 * the stack, contexts, values with special fields, kernel objects; and
 * whatever is forbidden, with a message that says what would have been fine.
 */
#include <errno.h>
#include <string.h>

#include "../exec/exec.h"
#include "../maps/arena.h"

/* The bytes at @addr, zero-extended. */
static u64 read_bytes(u64 addr, u32 size)
{
	u64 v = 0;

	memcpy(&v, (const void *)addr, size); /* little-endian hosts only, as all of the ABI */
	return v;
}

/* --- messages ----------------------------------------------------------------- */

static const char *access_name(enum bpf_access access)
{
	return access == ACCESS_READ ? "read" : "write";
}

static bool fault_outside(struct bpf_exec *x, const struct bpf_reg *reg, s64 pos, u64 size,
			  enum bpf_access access)
{
	char where[160];

	bpf_reg_describe(x, reg, where, sizeof(where));
	if (access != ACCESS_READ && pos >= 0 && (u64)pos + size <= reg->rsize)
		return bpf_exec_fault(x, "write to %s, which is read-only", where);
	return bpf_exec_fault(x, "%s of %llu byte%s at offset %lld of %s", access_name(access), size, size == 1 ? "" : "s",
			      pos, where);
}

static bool fault_number(struct bpf_exec *x, const struct bpf_reg *reg, u64 size,
			 enum bpf_access access)
{
	return bpf_exec_fault(x, "%s of %llu byte%s through 0x%llx, which is a number and no pointer",
			      access_name(access), size,
			      size == 1 ? "" : "s", reg->v);
}

static bool fault_null(struct bpf_exec *x, const struct bpf_reg *reg, u64 size,
		       enum bpf_access access)
{
	const struct bpf_region *origin = (const struct bpf_region *)reg->base;
	char where[160] = "";

	if (origin)
		bpf_region_describe(origin, where, sizeof(where));
	return bpf_exec_fault(x, "%s of %llu byte%s through a NULL pointer%s%s%s", access_name(access), size, size == 1 ? "" : "s",
			      origin ? " (" : "", where,
			      origin ? " was expected; check for NULL first)" : "");
}

/* --- special fields -------------------------------------------------------------- */

/* The first field that [pos, pos + size) touches. */
static const struct btf_field *field_in(const struct btf_record *rec, u64 pos, u64 size)
{
	u32 i;

	for (i = 0; rec && i < rec->nr; i++) {
		const struct btf_field *f = &rec->fields[i];

		if (pos < f->offset + f->size && f->offset < pos + size)
			return f;
	}
	return NULL;
}

static bool fault_field(struct bpf_exec *x, const struct bpf_reg *reg, const struct btf_field *f,
			u64 pos, u64 size, enum bpf_access access)
{
	char where[160];

	bpf_region_describe(reg->region, where, sizeof(where));
	return bpf_exec_fault(x, "%s of %llu byte%s at offset %llu of %s touches the %s at offset %u, which has its own functions",
			      access_name(access), size,
			      size == 1 ? "" : "s", pos, where, btf_field_type_name(f->type), f->offset);
}

/* Where the value or object begins that @reg points into. */
static u64 whole_start(const struct bpf_reg *reg)
{
	return reg->base - reg->region->window;
}

static bool is_kptr(const struct btf_field *f)
{
	return f->type & (BPF_KPTR_UNREF | BPF_KPTR_REF | BPF_KPTR_PERCPU);
}

/* Map values and allocated objects: *pos is the place in it. False: stopped. */
static bool whole_check(struct bpf_exec *x, const struct bpf_reg *reg, s64 off, u64 size,
			enum bpf_access access, u64 *pos)
{
	const struct bpf_region *region = reg->region;

	*pos = reg->v + (u64)off - whole_start(reg);
	if (*pos > region->size || size > region->size - *pos)
		return fault_outside(x, reg, (s64)*pos, size, access);
	if (access != ACCESS_WRITE && !region->readable)
		return bpf_exec_fault(x, "read of map '%s', which is write-only for programs",
				      region->name);
	if (access != ACCESS_READ && !region->writable)
		return bpf_exec_fault(x, "write to map '%s', which is read-only for programs",
				      region->name);
	/* what is freed may be somebody else's by now */
	if (region->kind == REGION_ALLOC && access != ACCESS_READ &&
	    !bpf_alloc_find((const void *)whole_start(reg)))
		return bpf_exec_fault(x, "write to a %s that has been freed", region->name);
	return true;
}

/* --- the stack ---------------------------------------------------------------------- */

/*
 * The frame that [reg + off, + size) lies in, with its number in *@depth. NULL:
 * outside of the frame it was given, or the frame is gone; stopped.
 */
static struct bpf_frame *stack_frame(struct bpf_exec *x, const struct bpf_reg *reg, s64 off,
				     u64 size, enum bpf_access access, u32 *depth)
{
	u64 pos = reg->v + (u64)off - reg->base;
	struct bpf_frame *f;
	u64 needed;

	*depth = BPF_MAX_FRAMES - 1 - (u32)((reg->base - (u64)x->stack) / BPF_STACK_SIZE);
	if (pos > BPF_STACK_SIZE || size > BPF_STACK_SIZE - pos) {
		fault_outside(x, reg, (s64)(pos - BPF_STACK_SIZE), size, access);
		return NULL;
	}
	if (*depth > x->depth) {
		bpf_exec_fault(x, "%s of the stack of a function that has returned",
			       access_name(access));
		return NULL;
	}
	f = &x->frames[*depth];
	needed = BPF_STACK_SIZE - (pos & ~7ULL);
	if (needed > f->zeroed) {
		memset((void *)(reg->base + BPF_STACK_SIZE - needed), 0, needed - f->zeroed);
		f->zeroed = (u32)needed;
	}
	return f;
}

/* Slots that [pos, pos + size) touches, as bits. */
static u64 slots_of(u64 pos, u64 size)
{
	u64 first = pos / 8, last = (pos + size - 1) / 8;

	if (!size)
		return 0;
	return (~0ULL >> (63 - (last - first))) << first;
}

static bool stack_load(struct bpf_exec *x, struct bpf_reg *dst, const struct bpf_reg *base, s32 off,
		       u32 size)
{
	u64 addr = base->v + (u64)(s64)off, pos = addr - base->base;
	u32 depth;
	struct bpf_frame *f = stack_frame(x, base, off, size, ACCESS_READ, &depth);

	if (!f)
		return false;
	if (size == 8 && pos % 8 == 0 && f->fat >> pos / 8 & 1)
		*dst = x->shadow[depth * BPF_SLOTS + pos / 8];
	else
		bpf_reg_number(dst, read_bytes(addr, size));
	return true;
}

static bool stack_store(struct bpf_exec *x, const struct bpf_reg *base, s32 off, u32 size,
			const struct bpf_reg *value)
{
	u64 addr = base->v + (u64)(s64)off, pos = addr - base->base;
	u32 depth;
	struct bpf_frame *f = stack_frame(x, base, off, size, ACCESS_WRITE, &depth);

	if (!f)
		return false;
	memcpy((void *)addr, &value->v, size);
	f->fat &= ~slots_of(pos, size);
	if (size == 8 && pos % 8 == 0 && value->region) {
		f->fat |= 1ULL << pos / 8;
		x->shadow[depth * BPF_SLOTS + pos / 8] = *value;
	}
	return true;
}

struct bpf_reg *bpf_exec_slots(struct bpf_exec *x, const struct bpf_reg *reg, u32 nr, u64 *fat)
{
	u64 pos = reg->v - reg->base;
	struct bpf_frame *f;
	u32 depth;

	if (!reg->region || reg->region->kind != REGION_STACK || pos % 8) {
		bpf_exec_refuse(x, reg, "an aligned place on the stack");
		return NULL;
	}
	f = stack_frame(x, reg, 0, nr * 8, ACCESS_WRITE, &depth);
	if (!f)
		return NULL;
	*fat = f->fat >> pos / 8 & ((1ULL << nr) - 1);
	return &x->shadow[depth * BPF_SLOTS + pos / 8];
}

void bpf_exec_mark_slots(struct bpf_exec *x, const struct bpf_reg *reg, u32 nr, bool fat)
{
	u32 depth = BPF_MAX_FRAMES - 1 - (u32)((reg->base - (u64)x->stack) / BPF_STACK_SIZE);
	u64 bits = slots_of(reg->v - reg->base, nr * 8);

	if (fat)
		x->frames[depth].fat |= bits;
	else
		x->frames[depth].fat &= ~bits;
}

/* --- contexts -------------------------------------------------------------------------- */

/* Fields of struct __sk_buff and xdp_md that stand for pointers to the packet. */
static bool packet_pointer(const struct bpf_exec *x, struct bpf_reg *dst, u64 pos, u32 size)
{
	bool xdp = x->prog->type == BPF_PROG_TYPE_XDP;
	u64 data = xdp ? offsetof(struct xdp_md, data) : offsetof(struct __sk_buff, data);
	u64 end = xdp ? offsetof(struct xdp_md, data_end) : offsetof(struct __sk_buff, data_end);
	u64 meta = xdp ? offsetof(struct xdp_md, data_meta) : offsetof(struct __sk_buff, data_meta);
	u32 len = (u32)((const char *)x->packet_end - (const char *)x->packet);
	bool writable = xdp || x->prog->type == BPF_PROG_TYPE_SCHED_CLS ||
			x->prog->type == BPF_PROG_TYPE_SCHED_ACT ||
			x->prog->type == BPF_PROG_TYPE_LWT_XMIT;

	if (!x->packet || size != 4)
		return false;
	if (pos == data || pos == meta) /* there is no metadata */
		*dst = (struct bpf_reg){ .v = (u64)x->packet,
					 .base = (u64)x->packet,
					 .rsize = len,
					 .wsize = writable ? len : 0,
					 .region = &bpf_region_packet };
	else if (pos == end)
		*dst = (struct bpf_reg){ .v = (u64)x->packet_end,
					 .base = (u64)x->packet,
					 .region = &bpf_region_packet_end };
	else
		return false;
	return true;
}

static bool ctx_load(struct bpf_exec *x, struct bpf_reg *dst, const struct bpf_reg *base, s32 off,
		     u32 size)
{
	const struct bpf_prog *prog = x->prog;
	u64 addr = base->v + (u64)(s64)off, pos = addr - base->base;
	const struct bpf_ctx_arg *arg;

	if (pos > x->ctx_size || size > x->ctx_size - pos)
		return fault_outside(x, base, (s64)pos, size, ACCESS_READ);
	if (packet_pointer(x, dst, pos, size))
		return true;
	if (!prog->nr_ctx_args || pos / 8 >= prog->nr_ctx_args) {
		bpf_reg_number(dst, read_bytes(addr, size));
		return true;
	}
	arg = &prog->ctx_args[pos / 8];
	if (arg->is_ptr && arg->btf_id && size == 8 && pos % 8 == 0)
		bpf_reg_object(dst, arg->btf_id, (const void *)read_bytes(addr, 8));
	else
		bpf_reg_number(dst, read_bytes(addr, size));
	return true;
}

/* Fields of struct __sk_buff that programs may set. */
static bool skb_writable(u64 pos, u32 size)
{
	static const struct { u32 start, end; } parts[] = {
#define PART(field) { offsetof(struct __sk_buff, field),                                           \
		      offsetof(struct __sk_buff, field) + sizeof(((struct __sk_buff *)0)->field) }
		PART(mark), PART(queue_mapping), PART(priority), PART(tc_index),
		PART(cb), PART(tc_classid), PART(tstamp),
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (pos >= parts[i].start && pos + size <= parts[i].end)
			return true;
	return false;
}

/* Plain bytes, all of which may be written. */
static bool ctx_is_plain(const struct bpf_prog *prog)
{
	return prog->own_type || prog->type == BPF_PROG_TYPE_SYSCALL;
}

static bool ctx_writable(const struct bpf_prog *prog, u64 pos, u32 size)
{
	switch (prog->type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
		return skb_writable(pos, size);
	default:
		return ctx_is_plain(prog);
	}
}

static bool ctx_store(struct bpf_exec *x, const struct bpf_reg *base, s32 off, u32 size, u64 value)
{
	u64 addr = base->v + (u64)(s64)off, pos = addr - base->base;

	if (pos > x->ctx_size || size > x->ctx_size - pos)
		return fault_outside(x, base, (s64)pos, size, ACCESS_WRITE);
	if (!ctx_writable(x->prog, pos, size))
		return bpf_exec_fault(x, "write of %u bytes at offset %llu of the context, which is read-only there",
				      size, pos);
	memcpy((void *)addr, &value, size);
	return true;
}

/* --- kernel objects ------------------------------------------------------------------------ */

static u64 probe_size(u64 addr, bool user)
{
	struct kheap_object obj;
	u64 size, pos;

	if (!kheap_find((const void *)addr, &obj) || obj.type->user != user)
		return 0;
	size = obj.type->visible ? min((u64)obj.type->visible, obj.size) : obj.size;
	pos = addr - (u64)obj.base;
	return pos < size ? size - pos : 0;
}

u64 bpf_probe_size(u64 addr)
{
	return probe_size(addr, false);
}

u64 bpf_probe_user_size(u64 addr)
{
	return probe_size(addr, true);
}

static int probe_read(void *dst, u64 addr, u64 size, bool user)
{
	if (!size)
		return 0;
	if (probe_size(addr, user) < size) {
		memset(dst, 0, size);
		return -EFAULT;
	}
	memcpy(dst, (const void *)addr, size);
	return 0;
}

int bpf_probe_read(void *dst, u64 addr, u64 size)
{
	return probe_read(dst, addr, size, false);
}

int bpf_probe_read_user(void *dst, u64 addr, u64 size)
{
	return probe_read(dst, addr, size, true);
}

/* As a load in a kernel with exception tables: what is not there is 0. */
static void walked_load(struct bpf_reg *dst, u64 addr, u32 size)
{
	u64 v = 0;

	bpf_probe_read(&v, addr, size);
	bpf_reg_number(dst, v);
	if (size == 8)
		dst->region = &bpf_region_walked;
}

/* The verifier allows elements of arrays at an object's end, however many of them there are. */
static bool may_be_beyond(const struct bpf_exec *x)
{
	return x->prog->facts && x->prog->facts[x->insn].access == ACCESS_PROBE;
}

static bool object_store(struct bpf_exec *x, const struct bpf_reg *base, s32 off, u32 size,
			 const struct bpf_reg *value)
{
	u64 addr = base->v + (u64)(s64)off;
	const struct bpf_struct_ops *ops = x->prog->st_ops;
	struct kheap_object obj;
	char where[160];

	if (kheap_find((const void *)addr, &obj)) {
		u64 pos = addr - (u64)obj.base;

		if (ops && ops->may_write && bpf_probe_size(addr) >= size &&
		    ops->may_write(obj.type->name, (u32)pos, size)) {
			memcpy((void *)addr, &value->v, size);
			return true;
		}
		return bpf_exec_fault(x, "write of %u byte%s at offset %llu of struct %s, which programs may not change there",
				      size, size == 1 ? "" : "s", pos, obj.type->name);
	}
	bpf_reg_describe(x, base, where, sizeof(where));
	return bpf_exec_fault(x, "write of %u byte%s to %s, which programs may not change", size,
			      size == 1 ? "" : "s", where);
}

/* --- arenas: pages that are not there read as 0 and swallow what is written -------------- */

static void arena_load(struct bpf_map *map, struct bpf_reg *dst, u64 addr, u32 size)
{
	const void *p = bpf_arena_address(map, addr, size);

	bpf_reg_number(dst, p ? read_bytes((u64)p, size) : 0);
}

static void arena_store(struct bpf_map *map, u64 addr, u32 size, u64 value)
{
	void *p = bpf_arena_address(map, addr, size);

	if (p)
		memcpy(p, &value, size);
}

/*
 * Is it an access to the program's arena? Arithmetic leaves a number, of which the
 * verifier knows what it is.
 */
static bool in_arena(const struct bpf_exec *x, const struct bpf_reg *base)
{
	if (base->region && base->region->kind == REGION_ARENA)
		return true;
	return x->prog->facts && x->prog->facts[x->insn].access == ACCESS_ARENA;
}

/* --- loads and stores ---------------------------------------------------------------------- */

static bool value_load(struct bpf_exec *x, struct bpf_reg *dst, const struct bpf_reg *base, s32 off,
		       u32 size)
{
	const struct btf_field *f;
	u64 pos, v;

	if (!whole_check(x, base, off, size, ACCESS_READ, &pos))
		return false;
	v = read_bytes(base->v + (u64)(s64)off, size);
	f = field_in(base->region->record, pos, size);
	if (!f) {
		bpf_reg_number(dst, v);
		return true;
	}
	if (!is_kptr(f) || pos != f->offset || size != 8)
		return fault_field(x, base, f, pos, size, ACCESS_READ);
	bpf_reg_kptr(dst, f, v);
	return true;
}

static bool value_store(struct bpf_exec *x, const struct bpf_reg *base, s32 off, u32 size,
			const struct bpf_reg *value)
{
	const struct btf_field *f;
	u64 pos;

	if (!whole_check(x, base, off, size, ACCESS_WRITE, &pos))
		return false;
	f = field_in(base->region->record, pos, size);
	if (f && (f->type != BPF_KPTR_UNREF || pos != f->offset || size != 8))
		return fault_field(x, base, f, pos, size, ACCESS_WRITE);
	if (f && value->v && !value->region)
		return bpf_exec_fault(x, "write of the number 0x%llx to a kptr of map '%s'",
				      value->v, base->region->name);
	memcpy((void *)(base->v + (u64)(s64)off), &value->v, size);
	return true;
}

bool bpf_exec_load(struct bpf_exec *x, struct bpf_reg *dst, const struct bpf_reg *base, s32 off,
		   u32 size)
{
	u64 addr = base->v + (u64)(s64)off;

	if (unlikely(in_arena(x, base))) {
		arena_load(x->prog->exec->arena->map, dst, addr, size);
		return true;
	}
	if (!base->region)
		return fault_number(x, base, size, ACCESS_READ);
	switch (base->region->kind) {
	case REGION_STACK:
		return stack_load(x, dst, base, off, size);
	case REGION_CTX:
		return ctx_load(x, dst, base, off, size);
	case REGION_MAP_VALUE:
	case REGION_ALLOC:
		return value_load(x, dst, base, off, size);
	case REGION_WALKED:
		walked_load(dst, addr, size);
		return true;
	case REGION_NULL:
		return fault_null(x, base, size, ACCESS_READ);
	case REGION_OBJECT:
		if (!may_be_beyond(x))
			return fault_outside(x, base, (s64)(addr - base->base), size, ACCESS_READ);
		walked_load(dst, addr, size);
		return true;
	default:
		return fault_outside(x, base, (s64)(addr - base->base), size, ACCESS_READ);
	}
}

bool bpf_exec_store(struct bpf_exec *x, const struct bpf_reg *base, s32 off, u32 size,
		    const struct bpf_reg *value)
{
	if (unlikely(in_arena(x, base))) {
		arena_store(x->prog->exec->arena->map, base->v + (u64)(s64)off, size, value->v);
		return true;
	}
	if (!base->region)
		return fault_number(x, base, size, ACCESS_WRITE);
	switch (base->region->kind) {
	case REGION_STACK:
		return stack_store(x, base, off, size, value);
	case REGION_CTX:
		return ctx_store(x, base, off, size, value->v);
	case REGION_MAP_VALUE:
	case REGION_ALLOC:
		return value_store(x, base, off, size, value);
	case REGION_OBJECT:
	case REGION_WALKED:
		return object_store(x, base, off, size, value);
	case REGION_NULL:
		return fault_null(x, base, size, ACCESS_WRITE);
	default:
		return fault_outside(x, base, (s64)(base->v + (u64)(s64)off - base->base), size,
				     ACCESS_WRITE);
	}
}

/* --- memory for helpers ---------------------------------------------------------------------- */

static bool mem_in_window(const struct bpf_reg *reg, s64 off, u64 size, enum bpf_access access)
{
	u64 pos = reg->v + (u64)off - reg->base;
	u64 limit = access == ACCESS_READ ? reg->rsize : access == ACCESS_WRITE ? reg->wsize :
		    min(reg->rsize, reg->wsize);

	return pos <= limit && size <= limit - pos;
}

static bool mem_check(struct bpf_exec *x, const struct bpf_reg *reg, s64 off, u64 size,
		      enum bpf_access access)
{
	const struct btf_field *f;
	struct bpf_frame *frame;
	u32 depth;
	u64 pos = reg->v + (u64)off - reg->base;

	switch (reg->region->kind) {
	case REGION_STACK:
		frame = stack_frame(x, reg, off, size, access, &depth);
		if (frame && access != ACCESS_READ)
			frame->fat &= ~slots_of(pos, size);
		return frame != NULL;
	case REGION_CTX:
		if (access != ACCESS_READ && !ctx_is_plain(x->prog))
			return bpf_exec_fault(x, "write to the context, which is read-only");
		if (pos <= x->ctx_size && size <= x->ctx_size - pos)
			return true;
		return fault_outside(x, reg, (s64)pos, size, access);
	case REGION_MAP_VALUE:
	case REGION_ALLOC:
		if (!whole_check(x, reg, off, size, access, &pos))
			return false;
		f = field_in(reg->region->record, pos, size);
		return f ? fault_field(x, reg, f, pos, size, access) : true;
	case REGION_WALKED:
		if (access == ACCESS_READ && bpf_probe_size(reg->v + (u64)off) >= size)
			return true;
		return bpf_exec_fault(x, "%s of %llu bytes at 0x%llx, where no kernel object is",
				      access_name(access), size, reg->v + (u64)off);
	case REGION_NULL:
		return fault_null(x, reg, size, access);
	default:
		return fault_outside(x, reg, (s64)pos, size, access);
	}
}

void *bpf_exec_mem(struct bpf_exec *x, const struct bpf_reg *reg, s64 off, u64 size,
		   enum bpf_access access)
{
	if (!reg->region) {
		fault_number(x, reg, size, access);
		return NULL;
	}
	if ((!mem_in_window(reg, off, size, access) || !reg->rsize) &&
	    !mem_check(x, reg, off, size, access))
		return NULL;
	return (void *)(reg->v + (u64)off);
}

void *bpf_exec_atomic(struct bpf_exec *x, const struct bpf_reg *reg, s32 off, u32 size)
{
	void *addr;

	if (in_arena(x, reg)) {
		addr = bpf_arena_address(x->prog->exec->arena->map, reg->v + (u64)(s64)off, size);
		if (!addr)
			bpf_exec_fault(x, "atomic operation on a page of arena '%s' that was not allocated",
				       x->prog->exec->arena->name);
	} else {
		addr = bpf_exec_mem(x, reg, off, size, ACCESS_RDWR);
	}
	if (addr && (u64)addr % size) {
		bpf_exec_fault(x, "atomic operation on %u bytes at 0x%llx, which is not aligned", size,
			       (u64)addr);
		return NULL;
	}
	return addr;
}

const struct btf_field *bpf_exec_field(struct bpf_exec *x, const struct bpf_reg *reg, u32 mask)
{
	const struct bpf_region *region = reg->region;
	const struct btf_field *f = NULL;
	char where[160];
	u64 pos = 0;

	if (region && (region->kind == REGION_MAP_VALUE || region->kind == REGION_ALLOC)) {
		if (!whole_check(x, reg, 0, 0, ACCESS_READ, &pos))
			return NULL;
		f = field_in(region->record, pos, 1);
		if (f && f->offset == pos && f->type & mask)
			return f;
	}
	bpf_reg_describe(x, reg, where, sizeof(where));
	if (!region)
		bpf_exec_refuse(x, reg, "the address of a special field");
	else
		bpf_exec_fault(x, "there is no such field at offset %llu of %s", pos, where);
	return NULL;
}
