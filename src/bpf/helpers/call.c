// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of helpers from the interpreter: arguments are checked against the
 * prototype and their regions, and the result gets its region.
 */
#include "helpers.h"
#include "../prog_type_internal.h"

static const struct bpf_mem_regions ringbuf_mem = BPF_MEM_REGIONS("ring buffer sample");
static const struct bpf_mem_regions dynptr_mem = BPF_MEM_REGIONS("dynptr data");
static const struct bpf_mem_regions percpu_mem = BPF_MEM_REGIONS("per-CPU memory");

/* Kernel types of the Linux helpers that are executed, by number. */
static u32 proto_btf_ids[__BPF_FUNC_MAX_ID];

void bpf_helpers_init(void)
{
	u32 id;

	for (id = 0; id < __BPF_FUNC_MAX_ID; id++) {
		const struct bpf_func_proto *proto = bpf_helper_proto(NULL, id);
		s32 btf_id = 0;

		if (proto && proto->btf)
			btf_id = btf_find_by_name_kind(bpf_kernel_btf(), proto->btf,
						       BTF_KIND_STRUCT);
		proto_btf_ids[id] = (u32)max(btf_id, 0);
	}
}

struct call {
	struct bpf_exec *x;
	const struct bpf_func_proto *proto;
	u32 id;
	struct bpf_reg *r;
	struct bpf_map *map; /* argument of type CONST_MAP_PTR */
	const struct bpf_region *map_region;
	u32 arg; /* the one at hand, from 0 */
};

static bool refuse(struct call *c, const char *expected)
{
	return bpf_exec_refuse(c->x, &c->r[c->arg + 1], expected);
}

/* --- memory ------------------------------------------------------------------------- */

static bool check_mem(struct call *c, u32 flags, u64 size)
{
	const struct bpf_reg *reg = &c->r[c->arg + 1];
	enum bpf_access access = flags & MEM_WRITE ? ACCESS_WRITE : ACCESS_READ;
	u64 pos = reg->v - reg->base;

	/* the common case without a call */
	if (access == ACCESS_READ && pos < reg->rsize && size <= reg->rsize - pos)
		return true;
	if (flags & PTR_MAYBE_NULL && !reg->v)
		return true;
	/* BPF_PROBE_MEM: the size may be 0 with any pointer */
	if (!size && reg->region)
		return true;
	return bpf_exec_mem(c->x, reg, 0, size, access) != NULL;
}

static bool check_mem_size(struct call *c, u32 flags)
{
	u32 next = c->arg + 1;
	u64 size;

	if (flags & MEM_FIXED_SIZE)
		return check_mem(c, flags, c->proto->arg_size[c->arg]);
	size = c->r[next + 1].v;
	if (size >= 1u << 29)
		return bpf_exec_fault(c->x, "a size of %lld bytes", (s64)size);
	return check_mem(c, flags, size);
}

static bool check_const_str(struct call *c)
{
	const struct bpf_reg *reg = &c->r[c->arg + 1];

	if (!check_mem(c, 0, 1))
		return false;
	if (bpf_probe_strlen(reg->v) < 0)
		return refuse(c, "a string with its terminating NUL");
	return true;
}

/* --- kernel objects ------------------------------------------------------------------- */

static u32 kernel_type(const struct call *c)
{
	if (likely(c->id < ARRAY_SIZE(proto_btf_ids)))
		return proto_btf_ids[c->id];
	return bpf_own_helper_find(c->x->prog->own_type, c->id)->btf_id;
}

static bool check_object(struct call *c, u32 flags)
{
	const struct bpf_reg *reg = &c->r[c->arg + 1];
	u32 want = kernel_type(c);
	struct kheap_object obj;

	if (!reg->v)
		return flags & PTR_MAYBE_NULL ? true : refuse(c, "an object");
	if (reg->region && kheap_find((const void *)reg->v, &obj) &&
	    btf_struct_has_type_at(bpf_kernel_btf(), obj.type->btf_id,
				   (u32)(reg->v - (u64)obj.base), want))
		return true;
	return refuse(c, c->proto->btf);
}

/* --- one argument ------------------------------------------------------------------------ */

static bool check_map(struct call *c)
{
	const struct bpf_reg *reg = &c->r[c->arg + 1];

	if (!bpf_reg_is(reg, REGION_MAP_PTR))
		return refuse(c, "a map");
	c->map = (struct bpf_map *)reg->v;
	c->map_region = reg->region;
	return true;
}

static bool check_map_mem(struct call *c, u32 flags, bool key)
{
	return check_mem(c, flags, key ? c->map->key_size : c->map->value_size);
}

static bool check_arg(struct call *c)
{
	u32 arg = c->proto->args[c->arg];
	const struct bpf_reg *reg = &c->r[c->arg + 1];

	switch (arg & ARG_TYPE_MASK) {
	case ARG_CONST_MAP_PTR:
		return check_map(c);
	case ARG_PTR_TO_MAP_KEY:
		return check_map_mem(c, arg, true);
	case ARG_PTR_TO_MAP_VALUE:
		return check_map_mem(c, arg, false);
	case ARG_PTR_TO_MEM:
		return check_mem_size(c, arg);
	case ARG_PTR_TO_CTX:
		return bpf_reg_is(reg, REGION_CTX) ? true : refuse(c, "the context");
	case ARG_PTR_TO_SPIN_LOCK:
		return bpf_exec_field(c->x, reg, BPF_SPIN_LOCK) != NULL;
	case ARG_PTR_TO_TIMER:
		return bpf_exec_field(c->x, reg, BPF_TIMER) != NULL;
	case ARG_KPTR_XCHG_DEST:
		return bpf_exec_field(c->x, reg, BPF_KPTR_REF | BPF_KPTR_PERCPU) != NULL;
	case ARG_PTR_TO_BTF_ID: /* without a type (bpf_kptr_xchg): the helper looks at it */
		return !c->proto->btf || check_object(c, arg);
	case ARG_PTR_TO_RINGBUF_MEM:
		return reg->region == &ringbuf_mem.rdwr && reg->v == reg->base ?
		       true : refuse(c, "a reserved sample");
	case ARG_PTR_TO_PERCPU_BTF_ID:
		return bpf_reg_is(reg, REGION_PERCPU) ? true : refuse(c, "a per-CPU variable");
	case ARG_PTR_TO_FUNC:
		return bpf_reg_is(reg, REGION_FUNC) ? true : refuse(c, "a function");
	case ARG_PTR_TO_CONST_STR:
		return check_const_str(c);
	default: /* sizes are checked with their memory, dynptrs by who uses them */
		return true;
	}
}

/* --- results ---------------------------------------------------------------------------------- */

static void set_percpu(struct call *c, struct bpf_reg *r0, const struct bpf_region *origin, u64 ret)
{
	if (origin->var)
		bpf_reg_object(r0, origin->btf_id, (const void *)ret);
	else
		bpf_reg_mem(r0, &percpu_mem.rdwr, (const void *)ret,
			    ret ? bpf_alloc_find((const void *)ret)->size : 0);
}

static void set_result(struct call *c, u64 ret, u64 size, const struct bpf_region *origin)
{
	struct bpf_reg *r0 = &c->r[0];

	switch (c->proto->ret) {
	case RET_INTEGER:
	case RET_VOID:
		bpf_reg_number(r0, ret);
		break;
	case RET_PTR_TO_MAP_VALUE:
		bpf_reg_map_value(r0, c->map_region->values, (const void *)ret);
		break;
	case RET_PTR_TO_RINGBUF_MEM:
		bpf_reg_mem(r0, &ringbuf_mem.rdwr, (const void *)ret, (u32)size);
		break;
	case RET_PTR_TO_DYNPTR_MEM:
		bpf_reg_mem(r0, &dynptr_mem.rdwr, (const void *)ret, (u32)size);
		break;
	case RET_PTR_TO_BTF_ID:
		bpf_reg_object(r0, kernel_type(c), (const void *)ret);
		break;
	case RET_PTR_TO_MEM_OR_BTF_ID:
		set_percpu(c, r0, origin, ret);
		break;
	case RET_PTR_TO_KPTR: /* the helper has set it */
	case RET_PTR_TO_SOCKET: /* of helpers that are not executed */
	case RET_PTR_TO_SOCK_COMMON:
	case RET_PTR_TO_TCP_SOCK:
		break;
	}
}

static u64 size_argument(const struct call *c)
{
	if (c->proto->ret == RET_PTR_TO_RINGBUF_MEM)
		return c->r[2].v;
	return c->proto->ret == RET_PTR_TO_DYNPTR_MEM ? c->r[3].v : 0;
}

static bool is_hash(const struct bpf_map *map)
{
	switch (map->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_LPM_TRIE:
		return true;
	default:
		return false;
	}
}

u64 bpf_helper_ns(const struct bpf_map *map)
{
	return bpf_env->helper_ns + (map && is_hash(map) ? bpf_env->map_hash_ns : 0);
}

bool bpf_helper_check_arg(struct bpf_exec *x, u32 id, u32 arg, struct bpf_reg *r)
{
	struct call c = { .x = x, .proto = bpf_helper_proto(x->prog, id), .id = id, .r = r,
			  .arg = arg };

	x->callee_arg = arg + 1;
	if (!check_arg(&c))
		return false;
	x->callee_arg = 0;
	return true;
}

void bpf_helper_absent(struct bpf_exec *x)
{
	bpf_exec_fault(x, "this helper does nothing here: it needs a real kernel");
}

void bpf_helper_call(struct bpf_exec *x, u32 id, struct bpf_reg *r)
{
	struct call c = { .x = x, .proto = bpf_helper_proto(x->prog, id), .id = id, .r = r };
	const struct bpf_region *origin = r[1].region;
	u64 size, ret;

	x->callee = bpf_helper_name(x->prog, id);
	if (unlikely(!c.proto || !c.proto->fn)) {
		bpf_helper_absent(x);
		return;
	}
	for (c.arg = 0; c.arg < 5 && c.proto->args[c.arg]; c.arg++) {
		x->callee_arg = c.arg + 1;
		if (!check_arg(&c))
			return;
	}
	x->callee_arg = 0;
	size = size_argument(&c);
	bpf_exec_charge_call(x, bpf_helper_ns(c.map), c.proto->timeless);
	bpf_exec_current = x;
	ret = c.proto->fn(r[1].v, r[2].v, r[3].v, r[4].v, r[5].v);
	if (x->stopped)
		return;
	x->callee = NULL;
	set_result(&c, ret, size, origin);
}
