// SPDX-License-Identifier: GPL-2.0-only
/*
 * The context of a program, and sockets: which bytes may be read or written, how
 * wide, and what a load gives. Network and cgroup programs see the structs of the
 * UAPI headers, described field by field in tables (ctx_net.c, ctx_cgroup.c); what
 * others see is said in ctx_tracing.c.
 */
#include <errno.h>

#include "../prog_type_internal.h"
#include "mem_internal.h"

/* --- which table ---------- */

static const struct ctx_table *table_of(const struct bpf_prog *prog)
{
	if (prog->own_type)
		return NULL;
	return ctx_net_table(prog->type) ?: ctx_cgroup_table(prog->type);
}

static u32 key_of(const struct bpf_prog *prog, const struct ctx_table *table)
{
	return table->by == CTX_BY_PROG_TYPE ? prog->type : prog->expected_attach_type;
}

bool ctx_is_converted(const struct bpf_prog *prog)
{
	return (table_of(prog) && prog->type != BPF_PROG_TYPE_CGROUP_DEVICE) ||
	       prog->type == BPF_PROG_TYPE_PERF_EVENT;
}

u32 ctx_size_of(const struct bpf_prog *prog)
{
	const struct ctx_table *table = table_of(prog);

	if (prog->own_type)
		return prog->own_type->ctx_size;
	return table ? table->size : prog->nr_ctx_args * 8;
}

/* --- access ---------- */

/* Contexts of our own types are plain bytes. */
static int own_type_access(const struct bpf_prog *prog, s32 off, s32 size)
{
	return off >= 0 && (u32)off + (u32)size <= prog->own_type->ctx_size ? 0 : -EACCES;
}

static int table_access(const struct bpf_prog *prog, const struct ctx_table *table, s32 off,
			s32 size, enum bpf_access_type t, struct bpf_insn_access_aux *info)
{
	const struct ctx_field *f =
		ctx_field_at(table, key_of(prog, table), off, size, t, info->is_ldsx);

	if (!f)
		return -EACCES;
	if (f->type)
		info->reg_type = f->type;
	else if (t == BPF_READ)
		info->ctx_field_size = f->read_max;
	return 0;
}

int check_ctx_access(struct bpf_verifier_env *env, u32 insn_idx, s32 off, s32 size,
		     enum bpf_access_type t, struct bpf_insn_access_aux *info)
{
	struct bpf_prog *prog = env->prog;
	const struct ctx_table *table = table_of(prog);
	int err;

	info->reg_type = SCALAR_VALUE;
	if (prog->own_type)
		err = own_type_access(prog, off, size);
	else if (table)
		err = table_access(prog, table, off, size, t, info);
	else
		err = ctx_tracing_access(env, off, size, t, info);
	if (err) {
		verbose(env, "invalid bpf_context access off=%d size=%d\n", off, size);
		return -EACCES;
	}
	prog->max_ctx_offset = max(prog->max_ctx_offset, (u32)(off + size));
	return 0;
}

static void mark_loaded_ptr(struct bpf_verifier_env *env, u32 regno,
			    const struct bpf_insn_access_aux *info)
{
	struct bpf_reg_state *reg = reg_state(env, (int)regno);

	reg_mark_known_zero(reg);
	reg->type = info->reg_type;
	if (type_may_be_null(info->reg_type))
		reg->id = ++env->id_gen;
	if (base_type(info->reg_type) == PTR_TO_BTF_ID) {
		reg->btf = info->btf;
		reg->btf_id = info->btf_id;
	} else if (base_type(info->reg_type) == PTR_TO_MEM) {
		reg->mem_size = info->mem_size;
	}
}

int access_ctx(struct bpf_verifier_env *env, const struct mem_access *a)
{
	struct bpf_insn_access_aux info = { .is_ldsx = a->is_ldsx };
	struct bpf_retval_range range;
	struct bpf_reg_state *reg;
	/* types of other rooms have contexts that are plain memory: compilers may point into them */
	int err = check_ptr_off_reg(env, a->reg, a->regno, env->prog->own_type);

	if (err)
		return err;
	err = check_ctx_access(env, a->insn_idx, a->off, a->size, a->t, &info);
	if (err) {
		verbose_linfo(env, a->insn_idx);
		return err;
	}
	if (a->t == BPF_WRITE || a->value_regno < 0)
		return 0;
	if (info.reg_type != SCALAR_VALUE) {
		mark_loaded_ptr(env, (u32)a->value_regno, &info);
		facts_of_ctx_load(env, a->insn_idx, info.reg_type);
		return 0;
	}
	mark_loaded_scalar(env, a);
	if (info.is_retval && lsm_retval_range(env->prog, &range)) {
		reg = reg_state(env, a->value_regno);
		reg->s.smin_value = reg->s.s32_min_value = range.minval;
		reg->s.smax_value = reg->s.s32_max_value = range.maxval;
		scalar_sync(&reg->s);
	}
	return 0;
}

int access_sock(struct bpf_verifier_env *env, const struct mem_access *a)
{
	char buf[128];

	if (a->t == BPF_WRITE)
		return cannot_write(env, a->regno);
	if (a->reg->s.smin_value < 0)
		return complain_negative(env, a->regno);
	if (!tnum_equals_const(a->reg->s.var_off, 0) ||
	    !ctx_field_at(sock_table(a->reg->type), a->reg->type, a->off, a->size, a->t, false)) {
		verbose(env, "R%u invalid %s access off=%d size=%d\n", a->regno,
			reg_type_str(env, a->reg->type, buf), a->off, a->size);
		return -EACCES;
	}
	mark_loaded_scalar(env, a);
	return 0;
}
