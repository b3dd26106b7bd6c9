// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where checkpoints are looked for: where paths meet or part, at calls, and
 * behind them. Where a loop is closed that ends for reasons that values do not
 * tell (an iterator's next, may_goto, callbacks), one must be made each time, or
 * the loop would not be seen to converge.
 *
 * Jump points are those that may be reached otherwise than from the instruction
 * before: the history of a path has them all (precision.c).
 */
#include "prune.h"

static void mark_target(struct bpf_verifier_env *env, u32 i)
{
	env->aux[i].prune_point = true;
	env->aux[i].jmp_point = true;
}

static void mark_call(struct bpf_verifier_env *env, u32 i)
{
	const struct bpf_insn *insn = &env->insns[i];
	struct bpf_insn_aux *aux = &env->aux[i];

	mark_target(env, i + 1);
	if (bpf_is_call(insn, BPF_PSEUDO_CALL)) {
		aux->prune_point = true;
		mark_target(env, i + 1 + (u32)insn->imm);
		return;
	}
	if (is_callback_calling_insn(env, insn))
		aux->prune_point = true; /* an asynchronous one is not pushed twice for nothing */
	if (is_sync_callback_calling_insn(env, insn)) {
		/* it returns to the call itself */
		aux->calls_callback = aux->force_checkpoint = true;
		mark_target(env, i);
	}
	if (is_iter_next_kfunc_insn(env, insn)) {
		aux->is_iter_next = true;
		aux->prune_point = aux->force_checkpoint = true;
	}
}

static void mark_jump(struct bpf_verifier_env *env, u32 i)
{
	const struct bpf_insn *insn = &env->insns[i];

	mark_target(env, (u32)bpf_jump_target(insn, i));
	if (BPF_OP(insn->code) == BPF_JA)
		return;
	env->aux[i].prune_point = true;
	if (is_may_goto_insn(insn))
		env->aux[i].force_checkpoint = true;
}

void mark_prune_points(struct bpf_verifier_env *env)
{
	for (u32 i = 0; i < env->len; i++) {
		const struct bpf_insn *insn = &env->insns[i];

		if (insn->code == (BPF_JMP | BPF_CALL)) {
			mark_call(env, i);
		} else if (bpf_is_jump(insn)) {
			mark_jump(env, i);
		} else if (bpf_is_func_ref(insn)) {
			env->aux[i].prune_point = true;
			mark_target(env, i + 2);
			mark_target(env, i + 1 + (u32)insn->imm);
		}
		i += bpf_is_ldimm64(insn);
	}
}
