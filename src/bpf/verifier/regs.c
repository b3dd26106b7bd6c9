// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers: may they be read or written, and what they hold afterwards.
 *
 * Results of 32-bit instructions are zero-extended by everything that executes
 * programs here, so nothing is kept of who needs that.
 */
#include <errno.h>
#include <string.h>

#include "verifier.h"

int check_reg_arg(struct bpf_verifier_env *env, u32 regno, enum reg_arg_type t)
{
	struct bpf_reg_state *regs = cur_regs(env);

	if (regno >= MAX_BPF_REG_NR) {
		verbose(env, "R%u is invalid\n", regno);
		return -EINVAL;
	}
	mark_reg_scratched(env, regno);
	if (t == SRC_OP) {
		log_reg_read(env, regno);
		if (regs[regno].type != NOT_INIT)
			return 0;
		verbose(env, "R%u !read_ok\n", regno);
		return -EACCES;
	}
	if (regno == BPF_REG_FP) {
		verbose(env, "frame pointer is read only\n");
		return -EACCES;
	}
	log_reg_written(env, regno);
	if (t == DST_OP)
		mark_reg_unknown(env, regs, regno);
	return 0;
}

void reg_mark_unknown(struct bpf_reg_state *reg)
{
	memset(reg, 0, sizeof(*reg));
	reg->type = SCALAR_VALUE;
	scalar_set_unknown(&reg->s);
}

void reg_mark_not_init(struct bpf_reg_state *reg)
{
	reg_mark_unknown(reg);
	reg->type = NOT_INIT;
}

void reg_mark_known(struct bpf_reg_state *reg, u64 imm)
{
	memset(reg, 0, sizeof(*reg));
	reg->type = SCALAR_VALUE;
	scalar_set_const(&reg->s, imm);
}

void reg_mark_known_zero(struct bpf_reg_state *reg)
{
	u32 type = reg->type;

	reg_mark_known(reg, 0);
	reg->type = type;
}

void mark_reg_not_init(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno)
{
	VRT_ASSERT(regno < MAX_BPF_REG_NR);
	reg_mark_not_init(&regs[regno]);
}

void mark_reg_unknown(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno)
{
	VRT_ASSERT(regno < MAX_BPF_REG_NR);
	reg_mark_unknown(&regs[regno]);
}

void mark_reg_known_zero(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno)
{
	VRT_ASSERT(regno < MAX_BPF_REG_NR);
	reg_mark_known_zero(&regs[regno]);
}

void mark_btf_ld_reg(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno,
		     u32 reg_type, struct btf *btf, u32 btf_id, u32 flag)
{
	struct bpf_reg_state *reg = &regs[regno];

	if (reg_type == SCALAR_VALUE) {
		mark_reg_unknown(env, regs, regno);
		return;
	}
	mark_reg_known_zero(env, regs, regno);
	reg->type = PTR_TO_BTF_ID | flag;
	reg->btf = btf;
	reg->btf_id = btf_id;
	if (type_may_be_null(flag))
		reg->id = ++env->id_gen;
}

void clear_caller_saved_regs(struct bpf_verifier_env *env, struct bpf_reg_state *regs)
{
	container_of(regs, struct bpf_func_state, regs[0])->written_regs |= 0x3f;
	for (u32 i = BPF_REG_0; i <= BPF_REG_5; i++)
		mark_reg_not_init(env, regs, i);
}

/* --- frames ------------------------------------------------------------------ */

struct bpf_func_state *new_frame(u32 callsite, u32 frameno, u32 subprog)
{
	struct bpf_func_state *func = func_state_new();

	func->callsite = callsite;
	func->frameno = frameno;
	func->subprogno = subprog;
	for (u32 i = 0; i < MAX_BPF_REG_NR; i++)
		reg_mark_not_init(&func->regs[i]);
	func->regs[BPF_REG_FP].type = PTR_TO_STACK;
	reg_mark_known_zero(&func->regs[BPF_REG_FP]);
	func->regs[BPF_REG_FP].frameno = frameno;
	return func;
}

struct bpf_func_state *push_frame(struct bpf_verifier_state *st, u32 callsite, u32 subprog)
{
	u32 frameno = st->curframe + 1;

	VRT_ASSERT(frameno < BPF_MAX_FRAMES && !st->frame[frameno]);
	st->frame[frameno] = new_frame(callsite, frameno, subprog);
	return st->frame[frameno];
}
