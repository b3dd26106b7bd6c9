// SPDX-License-Identifier: GPL-2.0-only
/*
 * From where calls of kfuncs are reached, which decides whether they may be
 * made and which function they get (../kfunc/reloc.c): by the program itself,
 * or in a callback of a timer or work queue.
 *
 * Each path began in one of these. A global function is verified once, for
 * whoever calls it: when it is called from somewhere new, it is verified again.
 */
#include "../kfunc/reloc.h"
#include "call_internal.h"

static u8 current_contexts(const struct bpf_verifier_env *env)
{
	const struct bpf_func_state *func = env->cur->frame[0];
	const struct bpf_subprog_info *sub = &env->subprogs[func->subprogno];

	if (func->in_async_callback_fn)
		return env->cur->in_sleepable ? BPF_CONTEXT_WQ : BPF_CONTEXT_TIMER;
	return !func->subprogno || sub->is_exception_cb ? BPF_CONTEXT_MAIN : sub->contexts;
}

void note_global_call(struct bpf_verifier_env *env, u32 subprog)
{
	struct bpf_subprog_info *sub = &env->subprogs[subprog];
	u8 more = current_contexts(env) & (u8)~sub->contexts;

	if (!more)
		return;
	sub->contexts |= more;
	sub->verified = false;
}

int bind_kfunc_call(struct bpf_verifier_env *env, u32 insn_idx, const struct bpf_kfunc_desc *desc)
{
	struct bpf_insn_aux *aux = &env->aux[insn_idx];
	u8 more = current_contexts(env) & (u8)~aux->contexts;
	struct captured_log captured;
	int err;

	if (!more)
		return 0;
	aux->contexts |= more;
	capture_log(env, &captured);
	err = bpf_kfunc_bind(env->check, insn_idx, aux->contexts, more, desc);
	verbose_captured(env, &captured);
	return err;
}
