// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a call is given: may all of it be read, or written?
 */
#include <errno.h>

#include "mem_internal.h"

int check_ptr_off_reg(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, u32 regno,
		      bool fixed_off_ok)
{
	char type[128], var[TNUM_STR_SIZE];

	if (reg->off < 0) {
		verbose(env, "negative offset %s ptr R%u off=%d disallowed\n",
			reg_type_str(env, reg->type, type), regno, reg->off);
		return -EACCES;
	}
	if (reg->off && !fixed_off_ok) {
		verbose(env, "dereference of modified %s ptr R%u off=%d disallowed\n",
			reg_type_str(env, reg->type, type), regno, reg->off);
		return -EACCES;
	}
	if (!tnum_equals_const(reg->s.var_off, 0)) {
		verbose(env, "variable %s access var_off=%s disallowed\n",
			reg_type_str(env, reg->type, type), tnum_str(reg->s.var_off, var));
		return -EACCES;
	}
	return 0;
}

/* Buffers whose size is known when the program is attached: nothing before them, no variables. */
int check_buffer_access(struct bpf_verifier_env *env, const char *what, u32 regno, s32 off,
			s32 size)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	char var[TNUM_STR_SIZE];

	if (off < 0) {
		verbose(env, "R%u invalid %s buffer access: off=%d, size=%d\n", regno, what, off,
			size);
		return -EACCES;
	}
	if (!tnum_equals_const(reg->s.var_off, 0)) {
		verbose(env, "R%u invalid variable buffer offset: off=%d, var_off=%s\n", regno,
			off, tnum_str(reg->s.var_off, var));
		return -EACCES;
	}
	return 0;
}

/* What is left: numbers and pointers that are no memory. */
static int refuse(struct bpf_verifier_env *env, u32 regno, s32 size, bool zero_size_allowed)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	char buf[128];

	if (!size && zero_size_allowed && register_is_null(reg))
		return 0;
	verbose(env, "R%u type=%s ", regno, reg_type_str(env, reg->type, buf));
	verbose(env, "expected=%s\n", reg_type_str(env, PTR_TO_STACK, buf));
	return -EACCES;
}

/* Contexts that are there as programs see them: the last byte speaks for all. */
static int check_ctx_mem(struct bpf_verifier_env *env, u32 regno, s32 size, enum bpf_access_type t,
			 bool zero_size_allowed)
{
	if (ctx_is_converted(env->prog))
		return refuse(env, regno, size, zero_size_allowed);
	if (!size)
		return zero_size_allowed ? 0 : -EACCES;
	return check_mem_access(env, env->insn_idx, regno, size - 1, BPF_B, t, -1, false, false);
}

int check_helper_mem_access(struct bpf_verifier_env *env, u32 regno, s32 access_size,
			    enum bpf_access_type t, bool zero_size_allowed,
			    struct bpf_call_arg_meta *meta)
{
	struct bpf_reg_state *reg = reg_state(env, (int)regno);
	u32 kind = base_type(reg->type);
	bool rdonly = reg->type & MEM_RDONLY;

	if (t == BPF_WRITE &&
	    (kind == PTR_TO_MAP_KEY || (rdonly && (kind == PTR_TO_MEM || kind == PTR_TO_BUF))))
		return cannot_write(env, regno);
	switch (kind) {
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
		return check_packet_access(env, regno, reg->off, access_size, zero_size_allowed);
	case PTR_TO_MAP_KEY:
		return check_mem_region_access(env, regno, reg->off, access_size,
					       reg->map_ptr->key_size, false);
	case PTR_TO_MAP_VALUE:
		return check_map_access(env, regno, reg->off, access_size, zero_size_allowed, t);
	case PTR_TO_MEM:
		if (reg->type & (MEM_USER | MEM_PERCPU))
			break;
		return check_mem_region_access(env, regno, reg->off, access_size, reg->mem_size,
					       zero_size_allowed);
	case PTR_TO_BUF:
		return check_buffer_access(env, rdonly ? "rdonly" : "rdwr", regno, reg->off,
					   access_size);
	case PTR_TO_STACK:
		return check_stack_range_initialized(env, regno, reg->off, access_size,
						     zero_size_allowed, t, meta);
	case PTR_TO_BTF_ID:
		return check_ptr_to_btf_access(env, cur_regs(env), regno, reg->off, access_size, t,
					       -1);
	case PTR_TO_CTX:
		return check_ctx_mem(env, regno, access_size, t, zero_size_allowed);
	default:
		break;
	}
	return refuse(env, regno, access_size, zero_size_allowed);
}

int check_mem_size_reg(struct bpf_verifier_env *env, struct bpf_reg_state *reg, u32 regno,
		       enum bpf_access_type t, bool zero_size_allowed,
		       struct bpf_call_arg_meta *meta)
{
	const struct bpf_scalar *size = &reg->s;

	if (meta)
		meta->msize_max_value = size->umax_value;
	if (size->smin_value < 0) {
		verbose(env,
			"R%u min value is negative, either use unsigned or 'var &= const'\n",
			regno);
		return -EACCES;
	}
	if (!size->umin_value && !zero_size_allowed) {
		verbose(env, "R%u invalid zero-sized read: u64=[%lld,%lld]\n", regno,
			(long long)size->umin_value, (long long)size->umax_value);
		return -EACCES;
	}
	if (size->umax_value >= BPF_MAX_VAR_SIZ) {
		verbose(env,
			"R%u unbounded memory access, use 'var &= const' or 'if (var < const)'\n",
			regno);
		return -EACCES;
	}
	/* of a size that is not known, nothing is known to be written */
	return check_helper_mem_access(env, regno - 1, (s32)size->umax_value, t,
				       zero_size_allowed,
				       tnum_is_const(size->var_off) ? meta : NULL) ?:
	       mark_chain_precision(env, regno);
}

int check_mem_reg(struct bpf_verifier_env *env, struct bpf_reg_state *reg, u32 regno, u32 mem_size)
{
	u32 may_be_null = reg->type & PTR_MAYBE_NULL;
	int err;

	if (register_is_null(reg))
		return 0;
	/* a map in a map is no memory of ours; only lookups that succeeded turn it into a map */
	if (reg->type == (PTR_TO_MAP_VALUE | PTR_MAYBE_NULL) && reg->map_ptr->inner_meta)
		return refuse(env, regno, (s32)mem_size, false);
	reg->type &= ~may_be_null;
	err = check_helper_mem_access(env, regno, (s32)mem_size, BPF_READ, true, NULL) ?:
	      check_helper_mem_access(env, regno, (s32)mem_size, BPF_WRITE, true, NULL);
	reg->type |= may_be_null;
	return err;
}
