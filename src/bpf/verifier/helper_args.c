// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of helpers: what a register may hold for each type of argument,
 * with which offset, and what else an argument asks for.
 */
#include <errno.h>
#include <string.h>

#include "../maps/map_impl.h"
#include "call_internal.h"

/* --- types of registers ----------------------------------------------------------- */

#define MAX_TYPES 10

/* Ends with NOT_INIT. In the order of the message. */
static const u32 sock_types[] = { PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK,
				  PTR_TO_XDP_SOCK, NOT_INIT };
static const u32 btf_id_sock_types[] = { PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK,
					 PTR_TO_XDP_SOCK, PTR_TO_BTF_ID,
					 PTR_TO_BTF_ID | PTR_TRUSTED, NOT_INIT };
static const u32 mem_types[] = { PTR_TO_STACK, PTR_TO_PACKET, PTR_TO_PACKET_META, PTR_TO_MAP_KEY,
				 PTR_TO_MAP_VALUE, PTR_TO_MEM, PTR_TO_MEM | MEM_RINGBUF, PTR_TO_BUF,
				 PTR_TO_BTF_ID | PTR_TRUSTED, NOT_INIT };
static const u32 btf_types[] = { PTR_TO_BTF_ID, PTR_TO_BTF_ID | PTR_TRUSTED,
				 PTR_TO_BTF_ID | MEM_RCU, NOT_INIT };
static const u32 percpu_types[] = { PTR_TO_BTF_ID | MEM_PERCPU,
				    PTR_TO_BTF_ID | MEM_PERCPU | MEM_RCU,
				    PTR_TO_BTF_ID | MEM_PERCPU | PTR_TRUSTED, NOT_INIT };
static const u32 field_types[] = { PTR_TO_MAP_VALUE, PTR_TO_BTF_ID | MEM_ALLOC, NOT_INIT };
static const u32 dynptr_types[] = { PTR_TO_STACK, CONST_PTR_TO_DYNPTR, NOT_INIT };
static const u32 scalar_types[] = { SCALAR_VALUE, NOT_INIT };
static const u32 map_types[] = { CONST_PTR_TO_MAP, NOT_INIT };
static const u32 ctx_types[] = { PTR_TO_CTX, NOT_INIT };
static const u32 socket_types[] = { PTR_TO_SOCKET, NOT_INIT };
static const u32 ringbuf_types[] = { PTR_TO_MEM | MEM_RINGBUF, NOT_INIT };
static const u32 func_types[] = { PTR_TO_FUNC, NOT_INIT };
static const u32 stack_types[] = { PTR_TO_STACK, NOT_INIT };
static const u32 value_types[] = { PTR_TO_MAP_VALUE, NOT_INIT };

static const u32 *const compatible_types[__ARG_TYPE_MAX] = {
	[ARG_CONST_MAP_PTR] = map_types,
	[ARG_PTR_TO_MAP_KEY] = mem_types,
	[ARG_PTR_TO_MAP_VALUE] = mem_types,
	[ARG_PTR_TO_MEM] = mem_types,
	[ARG_CONST_SIZE] = scalar_types,
	[ARG_CONST_SIZE_OR_ZERO] = scalar_types,
	[ARG_PTR_TO_CTX] = ctx_types,
	[ARG_PTR_TO_SPIN_LOCK] = field_types,
	[ARG_PTR_TO_BTF_ID] = btf_types,
	[ARG_PTR_TO_RINGBUF_MEM] = ringbuf_types,
	[ARG_CONST_ALLOC_SIZE_OR_ZERO] = scalar_types,
	[ARG_PTR_TO_PERCPU_BTF_ID] = percpu_types,
	[ARG_PTR_TO_FUNC] = func_types,
	[ARG_PTR_TO_STACK] = stack_types,
	[ARG_PTR_TO_CONST_STR] = value_types,
	[ARG_PTR_TO_TIMER] = value_types,
	[ARG_KPTR_XCHG_DEST] = field_types,
	[ARG_PTR_TO_DYNPTR] = dynptr_types,
	[ARG_SCALAR] = scalar_types,
	[ARG_PTR_TO_SOCK_COMMON] = sock_types,
	[ARG_PTR_TO_SOCKET] = socket_types,
	[ARG_PTR_TO_BTF_ID_SOCK_COMMON] = btf_id_sock_types,
};

static bool is_kptr_source(const struct bpf_call_arg_meta *meta, u32 regno)
{
	return meta->func_id == BPF_FUNC_kptr_xchg && regno == BPF_REG_2;
}

/* Flags that an argument with these does not mind. */
static u32 fold_flags(u32 type, u32 arg_type, const struct bpf_call_arg_meta *meta, u32 regno)
{
	if (arg_type & MEM_RDONLY)
		type &= ~(u32)MEM_RDONLY;
	if (arg_type & PTR_MAYBE_NULL)
		type &= ~(u32)PTR_MAYBE_NULL;
	if (base_type(arg_type) == ARG_PTR_TO_MEM)
		type &= ~(u32)DYNPTR_TYPE_MASK;
	if (is_kptr_source(meta, regno) && type_is_alloc(type))
		type &= ~(u32)(MEM_ALLOC | MEM_PERCPU);
	return type;
}

static int complain_type(struct bpf_verifier_env *env, u32 regno, u32 type, const u32 *types)
{
	char buf[128];

	verbose(env, "R%u type=%s expected=", regno, reg_type_str(env, type, buf));
	for (u32 i = 0; types[i] != NOT_INIT; i++)
		verbose(env, "%s%s", i ? ", " : "", reg_type_str(env, types[i], buf));
	verbose(env, "\n");
	return -EACCES;
}

static u32 kernel_struct(const char *name)
{
	s32 id = btf_find_by_name_kind(bpf_kernel_btf(), name, BTF_KIND_STRUCT);

	return id > 0 ? (u32)id : 0;
}

/* An object of the kernel: of the type that is asked for? */
static int check_kernel_object(struct bpf_verifier_env *env, u32 regno, u32 arg_type,
			       const u32 *arg_btf_id, struct bpf_call_arg_meta *meta)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	bool release = arg_type & OBJ_RELEASE;
	/* sockets are released by what they have in common */
	bool strict = release && meta->func_id != BPF_FUNC_sk_release;
	struct btf *btf = bpf_kernel_btf();
	u32 want;

	if (type_may_be_null(reg->type) && (!type_may_be_null(arg_type) || release)) {
		verbose(env, "Possibly NULL pointer passed to helper arg%u\n", regno);
		return -EACCES;
	}
	if (meta->func_id == BPF_FUNC_kptr_xchg)
		return map_kptr_match_type(env, meta->kptr_field, reg, regno) ? -EACCES : 0;
	want = arg_btf_id ? *arg_btf_id : kernel_struct("sock_common");
	if (want && btf_struct_ids_match(env, reg->btf, reg->btf_id, reg->off, btf, want, strict))
		return 0;
	verbose(env, "R%u is of type %s but %s is expected\n", regno,
		type_name(reg->btf, reg->btf_id), want ? type_name(btf, want) : "another");
	return -EACCES;
}

/* What is behind PTR_TO_BTF_ID, when the type alone does not say. */
static int check_object(struct bpf_verifier_env *env, u32 regno, u32 arg_type,
			const u32 *arg_btf_id, struct bpf_call_arg_meta *meta)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);

	if (reg->type & MEM_PERCPU && !(reg->type & MEM_ALLOC))
		return 0; /* by the helper */
	if (!(reg->type & MEM_ALLOC))
		return check_kernel_object(env, regno, arg_type, arg_btf_id, meta);
	if (!is_kptr_source(meta, regno))
		return 0; /* a lock or kptr in an object: fields.c looks at it */
	if (type_may_be_null(reg->type)) {
		verbose(env, "Possibly NULL pointer passed to helper arg%u\n", regno);
		return -EACCES;
	}
	return map_kptr_match_type(env, meta->kptr_field, reg, regno) ? -EACCES : 0;
}

int check_reg_type(struct bpf_verifier_env *env, u32 regno, u32 arg_type, const u32 *arg_btf_id,
		   struct bpf_call_arg_meta *meta)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	const u32 *types = compatible_types[base_type(arg_type)];
	u32 type = fold_flags(reg->type, arg_type, meta, regno), i;
	char buf[128];

	VRT_ASSERT(types);
	for (i = 0; types[i] != NOT_INIT && types[i] != type; i++)
		;
	if (types[i] == NOT_INIT)
		return complain_type(env, regno, reg->type, types);
	if (base_type(reg->type) != PTR_TO_BTF_ID)
		return 0;
	if (types != mem_types)
		return check_object(env, regno, arg_type, arg_btf_id, meta);
	if (arg_type & MEM_RDONLY)
		return 0;
	verbose(env, "%s() may write into memory pointed by R%u type=%s\n",
		bpf_helper_name(env->prog, meta->func_id), regno,
		reg_type_str(env, reg->type, buf));
	return -EACCES;
}

/* --- offsets ------------------------------------------------------------------------- */

/* Their bounds are checked with the access. */
static bool may_have_any_offset(u32 type)
{
	switch (type) {
	case PTR_TO_STACK:
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
	case PTR_TO_MAP_KEY:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MEM:
	case PTR_TO_MEM | MEM_RDONLY:
	case PTR_TO_MEM | MEM_RINGBUF:
	case PTR_TO_BUF:
	case PTR_TO_BUF | MEM_RDONLY:
	case PTR_TO_ARENA:
	case SCALAR_VALUE:
		return true;
	default:
		return false;
	}
}

static bool may_have_fixed_offset(u32 type)
{
	switch (type) {
	case PTR_TO_BTF_ID:
	case PTR_TO_BTF_ID | MEM_ALLOC:
	case PTR_TO_BTF_ID | PTR_TRUSTED:
	case PTR_TO_BTF_ID | MEM_RCU:
	case PTR_TO_BTF_ID | MEM_ALLOC | NON_OWN_REF:
	case PTR_TO_BTF_ID | MEM_ALLOC | NON_OWN_REF | MEM_RCU:
		return true;
	default:
		return false;
	}
}

int check_func_arg_reg_off(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			   u32 regno, u32 arg_type)
{
	if (arg_type & OBJ_RELEASE) {
		/* points at the dynptr, not at what is released */
		if (base_type(arg_type) == ARG_PTR_TO_DYNPTR && reg->type == PTR_TO_STACK)
			return 0;
		if (reg->off) {
			verbose(env,
				"R%u must have zero offset when passed to release func or trusted arg to kfunc\n",
				regno);
			return -EINVAL;
		}
		return check_ptr_off_reg(env, reg, regno, false);
	}
	if (may_have_any_offset(reg->type))
		return 0;
	return check_ptr_off_reg(env, reg, regno, may_have_fixed_offset(reg->type));
}

/* --- strings ---------------------------------------------------------------------------- */

static bool is_rdonly_map(const struct bpf_map *map)
{
	return map->flags & BPF_F_RDONLY_PROG && map->frozen && !map->writable_mappings;
}

const char *reg_const_str(const struct bpf_reg_state *reg)
{
	struct bpf_map *map = reg->map_ptr;
	u32 zero = 0;

	return (const char *)map->ops->lookup(map, &zero) + reg->off + (s64)reg->s.var_off.value;
}

int check_reg_const_str(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, u32 regno)
{
	const struct bpf_map *map = reg->map_ptr;
	s32 off;
	int err;

	if (reg->type != PTR_TO_MAP_VALUE)
		return -EINVAL;
	if (!is_rdonly_map(map)) {
		verbose(env, "R%u does not point to a readonly map'\n", regno);
		return -EACCES;
	}
	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env, "R%u is not a constant address'\n", regno);
		return -EACCES;
	}
	if (map->type != BPF_MAP_TYPE_ARRAY) {
		verbose(env, "no direct value access support for this map type\n");
		return -EACCES;
	}
	if (map->max_entries != 1) {
		verbose(env, "direct value access on string failed\n");
		return -ENOTSUPP;
	}
	err = check_map_access(env, regno, reg->off, (s32)map->value_size - reg->off, false,
			       BPF_READ);
	if (err)
		return err;
	off = reg->off + (s32)reg->s.var_off.value;
	if (memchr(reg_const_str(reg), 0, map->value_size - (u32)off))
		return 0;
	verbose(env, "string is not zero-terminated\n");
	return -EINVAL;
}

/* --- one argument ------------------------------------------------------------------------- */

struct arg {
	const struct bpf_func_proto *proto;
	u32 index, regno, type, insn_idx;
	struct bpf_reg_state *reg;
	struct bpf_call_arg_meta *meta;
};

static int arg_map(struct bpf_verifier_env *env, const struct arg *a)
{
	struct bpf_call_arg_meta *meta = a->meta;

	/* inner maps of one template look the same: a timer belongs to its own */
	if (meta->map_ptr &&
	    (meta->map_ptr != a->reg->map_ptr || meta->map_uid != a->reg->map_uid)) {
		verbose(env,
			"timer pointer in R1 map_uid=%u doesn't match map pointer in R2 map_uid=%u\n",
			meta->map_uid, a->reg->map_uid);
		return -EINVAL;
	}
	meta->map_ptr = a->reg->map_ptr;
	meta->map_uid = a->reg->map_uid;
	return 0;
}

static enum bpf_access_type access_of(u32 arg_type)
{
	return arg_type & MEM_WRITE ? BPF_WRITE : BPF_READ;
}

/* As many elements as @map says. Inner maps may have fewer than the template that stands for them. */
static bool is_array(const struct bpf_map *map)
{
	bool is_template = !map->obj.refs;

	if (map->type == BPF_MAP_TYPE_ARRAY)
		return !is_template || !(map->flags & BPF_F_INNER_MAP);
	return map->type == BPF_MAP_TYPE_PERCPU_ARRAY && !is_template;
}

static bool has_key(const struct bpf_map *map, u64 key)
{
	return (u32)key < map->max_entries;
}

/*
 * Arrays have all elements. Where the key is a known number of the stack, the program
 * need not ask whether its own was there; then the number matters.
 */
static int find_const_key(struct bpf_verifier_env *env, const struct arg *a)
{
	struct bpf_func_state *func;
	u32 byte, spi, size = a->meta->map_ptr->key_size;
	u32 zeroes = 0, spilled = 0;
	const struct bpf_stack_state *slot;
	s64 off;

	if (!bpf_env->const_keys_found || a->meta->func_id != BPF_FUNC_map_lookup_elem ||
	    !is_array(a->meta->map_ptr) || a->reg->type != PTR_TO_STACK ||
	    !tnum_is_const(a->reg->s.var_off))
		return 0;
	func = reg_func(env, a->reg);
	off = a->reg->off + (s64)a->reg->s.var_off.value;
	byte = (u32)(-off - 1) % BPF_REG_SIZE;
	spi = (u32)(-off - 1) / BPF_REG_SIZE;
	if (off >= 0 || spi >= func->allocated_stack / BPF_REG_SIZE)
		return 0;
	slot = &func->stack[spi];
	while (zeroes <= byte && slot->slot_type[byte - zeroes] == STACK_ZERO)
		zeroes++;
	while (spilled <= byte && slot->slot_type[byte - spilled] == STACK_SPILL)
		spilled++;
	if (zeroes >= size) {
		a->meta->key_found = has_key(a->meta->map_ptr, 0);
		return 0;
	}
	if (spilled != size || !is_spilled_scalar_reg(slot) ||
	    !tnum_is_const(slot->spilled_ptr.s.var_off) ||
	    !has_key(a->meta->map_ptr, slot->spilled_ptr.s.var_off.value))
		return 0;
	a->meta->key_found = true;
	return mark_chain_precision_stack(env, a->reg->frameno, spi);
}

static int arg_map_key(struct bpf_verifier_env *env, const struct arg *a)
{
	int err;

	VRT_ASSERT(a->meta->map_ptr);
	err = check_helper_mem_access(env, a->regno, (s32)a->meta->map_ptr->key_size, BPF_READ,
				      false, NULL);
	return err ? err : find_const_key(env, a);
}

static int arg_map_value(struct bpf_verifier_env *env, const struct arg *a)
{
	if (type_may_be_null(a->type) && register_is_null(a->reg))
		return 0;
	VRT_ASSERT(a->meta->map_ptr);
	a->meta->raw_mode = a->type & MEM_UNINIT;
	return check_helper_mem_access(env, a->regno, (s32)a->meta->map_ptr->value_size,
				       access_of(a->type), false, a->meta);
}

static int arg_mem(struct bpf_verifier_env *env, const struct arg *a)
{
	u32 size = a->proto->arg_size[a->index];
	int err;

	a->meta->raw_mode = a->type & MEM_UNINIT;
	if (!(a->type & MEM_FIXED_SIZE)) /* with the size, which is next */
		return 0;
	err = check_helper_mem_access(env, a->regno, (s32)size, access_of(a->type), false,
				      a->meta);
	if (!err && a->type & MEM_ALIGNED)
		err = check_ptr_alignment(env, a->reg, 0, (s32)size, true);
	return err;
}

static int arg_size(struct bpf_verifier_env *env, const struct arg *a)
{
	return check_mem_size_reg(env, a->reg, a->regno,
				  access_of(a->proto->args[a->index - 1]),
				  base_type(a->type) == ARG_CONST_SIZE_OR_ZERO, a->meta);
}

static int arg_alloc_size(struct bpf_verifier_env *env, const struct arg *a)
{
	if (!tnum_is_const(a->reg->s.var_off)) {
		verbose(env, "R%u is not a known constant'\n", a->regno);
		return -EACCES;
	}
	a->meta->mem_size = (u32)a->reg->s.var_off.value;
	return mark_chain_precision(env, a->regno);
}

static int arg_percpu(struct bpf_verifier_env *env, const struct arg *a)
{
	if (!a->reg->btf_id) {
		verbose(env, "Helper has invalid btf_id in R%u\n", a->regno);
		return -EACCES;
	}
	a->meta->ret_btf = a->reg->btf;
	a->meta->ret_btf_id = a->reg->btf_id;
	return 0;
}

static int arg_spin_lock(struct bpf_verifier_env *env, const struct arg *a)
{
	if (in_rbtree_lock_required_cb(env)) {
		verbose(env, "can't spin_{lock,unlock} in rbtree cb\n");
		return -EACCES;
	}
	return process_spin_lock(env, a->regno, a->meta->func_id == BPF_FUNC_spin_lock);
}

/* What the type of the register does not say. */
static int check_content(struct bpf_verifier_env *env, const struct arg *a)
{
	switch (base_type(a->type)) {
	case ARG_CONST_MAP_PTR:
		return arg_map(env, a);
	case ARG_PTR_TO_MAP_KEY:
		return arg_map_key(env, a);
	case ARG_PTR_TO_MAP_VALUE:
		return arg_map_value(env, a);
	case ARG_PTR_TO_PERCPU_BTF_ID:
		return arg_percpu(env, a);
	case ARG_PTR_TO_SPIN_LOCK:
		return arg_spin_lock(env, a);
	case ARG_PTR_TO_TIMER:
		return process_timer_func(env, a->regno, a->meta);
	case ARG_PTR_TO_FUNC:
		a->meta->subprogno = a->reg->subprogno;
		return 0;
	case ARG_PTR_TO_MEM:
		return arg_mem(env, a);
	case ARG_CONST_SIZE:
	case ARG_CONST_SIZE_OR_ZERO:
		return arg_size(env, a);
	case ARG_PTR_TO_DYNPTR:
		return process_dynptr_func(env, a->regno, a->insn_idx, a->type, 0);
	case ARG_CONST_ALLOC_SIZE_OR_ZERO:
		return arg_alloc_size(env, a);
	case ARG_PTR_TO_CONST_STR:
		return check_reg_const_str(env, a->reg, a->regno);
	case ARG_KPTR_XCHG_DEST:
		return process_kptr_func(env, a->regno, a->meta);
	default:
		return 0;
	}
}

/* Is there a reference behind what is to be released? */
static int check_release(struct bpf_verifier_env *env, const struct arg *a)
{
	const struct bpf_reg_state *reg = a->reg;
	s32 spi;

	if (base_type(a->type) == ARG_PTR_TO_DYNPTR) {
		if (reg->type != PTR_TO_STACK) {
			verbose(env, "cannot release unowned const bpf_dynptr\n");
			return -EINVAL;
		}
		spi = stack_slot_obj_get_spi(env, reg, "dynptr", 2);
		if (spi < 0 || !reg_func(env, reg)->stack[spi].spilled_ptr.ref_obj_id) {
			verbose(env, "arg %u is an unacquired reference\n", a->regno);
			return -EINVAL;
		}
	} else if (!reg->ref_obj_id && !register_is_null(reg)) {
		verbose(env, "R%u must be referenced when passed to release function\n",
			a->regno);
		return -EINVAL;
	}
	VRT_ASSERT(!a->meta->release_regno);
	a->meta->release_regno = (u8)a->regno;
	return 0;
}

static int note_reference(struct bpf_verifier_env *env, const struct arg *a)
{
	if (!a->reg->ref_obj_id || base_type(a->type) == ARG_KPTR_XCHG_DEST)
		return 0;
	if (a->meta->ref_obj_id) {
		verbose(env, "more than one arg with ref_obj_id R%u %u %u\n", a->regno,
			a->reg->ref_obj_id, a->meta->ref_obj_id);
		return -EACCES;
	}
	a->meta->ref_obj_id = a->reg->ref_obj_id;
	return 0;
}

/* Maps of sockets take sockets. */
static int resolve_map_value(struct bpf_verifier_env *env, struct arg *a)
{
	VRT_ASSERT(a->meta->map_ptr);
	switch (a->meta->map_ptr->type) {
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_SOCKHASH:
		if (a->type != ARG_PTR_TO_MAP_VALUE) {
			verbose(env, "invalid arg_type for sockmap/sockhash\n");
			return -EINVAL;
		}
		a->type = ARG_PTR_TO_BTF_ID_SOCK_COMMON;
		return 0;
	case BPF_MAP_TYPE_BLOOM_FILTER: /* "peek" asks whether the value is in it */
		if (a->meta->func_id == BPF_FUNC_map_peek_elem)
			a->type = ARG_PTR_TO_MAP_VALUE;
		return 0;
	default:
		return 0;
	}
}

static int check_type(struct bpf_verifier_env *env, const struct arg *a)
{
	const u32 *btf_id = NULL;
	u32 id;
	int err;

	if (register_is_null(a->reg) && type_may_be_null(a->type))
		return mark_chain_precision(env, a->regno);
	if (base_type(a->type) == ARG_PTR_TO_BTF_ID) {
		id = a->proto->btf ? kernel_struct(a->proto->btf) : 0;
		btf_id = &id;
	}
	err = check_reg_type(env, a->regno, a->type, btf_id, a->meta);
	return err ?: check_func_arg_reg_off(env, a->reg, a->regno, a->type);
}

int check_func_arg(struct bpf_verifier_env *env, u32 index, struct bpf_call_arg_meta *meta,
		   const struct bpf_func_proto *proto, u32 insn_idx)
{
	struct arg a = { .proto = proto, .index = index, .regno = index + BPF_REG_1,
			 .type = proto->args[index], .insn_idx = insn_idx,
			 .reg = reg_state(env, (int)index + BPF_REG_1), .meta = meta };
	int err;

	if (a.type == ARG_DONTCARE)
		return 0;
	err = check_reg_arg(env, a.regno, SRC_OP);
	if (err || a.type == ARG_ANYTHING)
		return err;
	if (type_is_pkt_pointer(a.reg->type) && !may_access_direct_pkt_data(env, meta, BPF_READ)) {
		verbose(env, "helper access to the packet is not allowed\n");
		return -EACCES;
	}
	if (base_type(a.type) == ARG_PTR_TO_MAP_VALUE)
		err = resolve_map_value(env, &a);
	err = err ?: check_type(env, &a);
	if (!err && a.type & OBJ_RELEASE)
		err = check_release(env, &a);
	return err ?: note_reference(env, &a) ?: check_content(env, &a);
}
