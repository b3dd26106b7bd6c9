// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of the program: going into static ones, over global ones, into
 * callbacks, and back. A static function is verified anew at each call, with
 * what is known there; a global one once, for all arguments of its prototype.
 *
 * A callback is a branch of the path: the call itself goes on as if the
 * callback had been called often enough, and the branch returns to the call,
 * which pushes it again until a checkpoint there covers it.
 */
#include <errno.h>
#include <stdio.h>

#include "verifier.h"

int find_subprog(const struct bpf_verifier_env *env, u32 start)
{
	const struct bpf_subprog *sub = bpf_subprog_at(env->prog, start);

	return sub ? (int)(sub - env->prog->subprogs) : -1;
}

u32 subprog_of(const struct bpf_verifier_env *env, u32 insn_idx)
{
	return (u32)(bpf_subprog_of(env->prog, insn_idx) - env->prog->subprogs);
}

bool in_sleepable(const struct bpf_verifier_env *env)
{
	return env->cur->in_sleepable;
}

bool in_sleepable_context(const struct bpf_verifier_env *env)
{
	return !env->cur->active_rcu_lock && !env->cur->active_preempt_locks &&
	       !env->cur->active_locks && in_sleepable(env);
}

static int enter(struct bpf_verifier_env *env, struct bpf_verifier_state *st, u32 subprog,
		 u32 callsite, set_callee_state_fn set_callee_state)
{
	struct bpf_func_state *caller = cur_func_of(st), *callee;
	int err;

	if (st->curframe + 1 >= BPF_MAX_FRAMES) {
		verbose(env, "the call stack of %u frames is too deep\n", st->curframe + 2);
		return -E2BIG;
	}
	callee = push_frame(st, callsite, subprog);
	err = set_callee_state(env, caller, callee, callsite);
	if (err) {
		func_state_free(callee);
		st->frame[st->curframe + 1] = NULL;
		return err;
	}
	st->curframe++;
	return 0;
}

/* --- calls -------------------------------------------------------------------- */

static int pass_registers(struct bpf_verifier_env *env, struct bpf_func_state *caller,
			  struct bpf_func_state *callee, u32 insn_idx)
{
	for (u32 i = BPF_REG_1; i <= BPF_REG_5; i++)
		callee->regs[i] = caller->regs[i];
	return 0;
}

static int check_section(struct bpf_verifier_env *env)
{
	if (env->cur->active_locks) {
		verbose(env, "global function calls are not allowed while holding a lock,\nuse static function instead\n");
		return -EINVAL;
	}
	if (env->cur->active_preempt_locks) {
		verbose(env, "global function calls are not allowed with preemption disabled,\nuse static function instead\n");
		return -EINVAL;
	}
	if (env->cur->active_rcu_lock && env->prog->sleepable) {
		verbose(env, "global function calls are not allowed in RCU read-side critical sections of sleepable programs,\nuse static function instead\n");
		return -EINVAL;
	}
	return 0;
}

/* It is verified on its own: whatever it does within its prototype is all that is known. */
static int call_global(struct bpf_verifier_env *env, u32 subprog, int args_err)
{
	struct bpf_subprog_info *sub = &env->subprogs[subprog];
	struct bpf_reg_state *regs = cur_regs(env);
	int err = check_section(env);

	if (err)
		return err;
	if (args_err) {
		verbose(env, "Caller passes invalid args into func#%u ('%s')\n", subprog,
			sub->name);
		return args_err;
	}
	verbose(env, "Func#%u ('%s') is global and assumed valid.\n", subprog, sub->name);
	if (sub->changes_pkt_data)
		clear_all_pkt_pointers(env);
	sub->called = true;
	note_global_call(env, subprog);
	clear_caller_saved_regs(env, regs);
	mark_reg_unknown(env, regs, BPF_REG_0);
	return 0;
}

static void log_frames(struct bpf_verifier_env *env, const char *first, u32 first_frame)
{
	if (!(env->log->level & (BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2)))
		return;
	env->printing = true;
	verbose(env, "%s:\n", first);
	print_verifier_state(env, env->cur, first_frame, true);
	env->printing = false;
}

int check_func_call(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 *insn_idx)
{
	struct bpf_func_state *caller = cur_func(env);
	int subprog = find_subprog(env, *insn_idx + 1 + (u32)insn->imm);
	int err;

	VRT_ASSERT(subprog >= 0);
	err = btf_check_subprog_call(env, (u32)subprog, caller->regs);
	if (err == -EFAULT)
		return err;
	if (env->subprogs[subprog].is_global)
		return call_global(env, (u32)subprog, err);
	err = enter(env, env->cur, (u32)subprog, *insn_idx, pass_registers);
	if (err)
		return err;
	clear_caller_saved_regs(env, caller->regs);
	*insn_idx = env->subprogs[subprog].start - 1;
	log_frames(env, "caller", env->cur->curframe - 1);
	log_frames(env, "callee", env->cur->curframe);
	return 0;
}

/* --- callbacks ------------------------------------------------------------------ */

static int push_async(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 insn_idx,
		      u32 subprog, set_callee_state_fn set_callee_state)
{
	struct bpf_func_state *caller = cur_func(env), *callee;
	struct bpf_verifier_state *st;

	env->subprogs[subprog].is_async_cb = true;
	st = push_async_cb(env, env->subprogs[subprog].start, insn_idx, subprog,
			   is_sleepable_callback_insn(env, insn));
	if (!st)
		return -E2BIG;
	callee = st->frame[0];
	callee->async_entry_cnt = env->cur->frame[0]->async_entry_cnt + 1;
	return set_callee_state(env, caller, callee, insn_idx);
}

int push_callback_call(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 insn_idx,
		       u32 subprog, set_callee_state_fn set_callee_state)
{
	struct bpf_func_state *caller = cur_func(env);
	struct bpf_verifier_state *st;
	int err;

	err = btf_check_subprog_call(env, subprog, caller->regs);
	if (err == -EFAULT)
		return err;
	env->subprogs[subprog].is_cb = true;
	if (!is_sync_callback_calling_insn(env, insn))
		return push_async(env, insn, insn_idx, subprog, set_callee_state);
	st = push_stack(env, env->subprogs[subprog].start, insn_idx);
	if (!st)
		return -E2BIG;
	err = enter(env, st, subprog, insn_idx, set_callee_state);
	if (err)
		return err;
	st->callback_unroll_depth++;
	st->frame[st->curframe - 1]->callback_depth++;
	caller->callback_depth = 0;
	return 0;
}

static int check_callback_return(struct bpf_verifier_env *env, struct bpf_func_state *callee)
{
	struct bpf_reg_state *r0 = &callee->regs[BPF_REG_0];
	int err;

	if (r0->type != SCALAR_VALUE) {
		verbose(env, "R0 not a scalar value\n");
		return -EACCES;
	}
	err = mark_chain_precision(env, BPF_REG_0);
	if (err)
		return err;
	if (retval_range_within(callee->callback_ret_range, r0, false))
		return 0;
	verbose_invalid_scalar(env, r0, callee->callback_ret_range, "At callback return", "R0");
	return -EINVAL;
}

int prepare_func_exit(struct bpf_verifier_env *env, u32 *insn_idx)
{
	struct bpf_verifier_state *st = env->cur, *prev;
	struct bpf_func_state *callee = cur_func_of(st), *caller = st->frame[st->curframe - 1];
	bool callback = callee->in_callback_fn;
	char to[32];
	int err = 0;

	if (base_type(callee->regs[BPF_REG_0].type) == PTR_TO_STACK) {
		verbose(env, "cannot return stack pointer to the caller\n");
		return -EINVAL;
	}
	if (callback)
		err = check_callback_return(env, callee);
	else
		caller->regs[BPF_REG_0] = callee->regs[BPF_REG_0];
	if (err)
		return err;
	*insn_idx = callback ? callee->callsite : callee->callsite + 1;
	log_frames(env, "returning from callee", st->curframe);
	snprintf(to, sizeof(to), "to caller at %u", *insn_idx);
	log_frames(env, to, st->curframe - 1);
	func_state_free(callee);
	st->frame[st->curframe--] = NULL;
	/* numbers that change from call to call would never converge */
	prev = callback ? find_prev_entry(env, st, *insn_idx) : NULL;
	return prev ? widen_imprecise_scalars(env, prev, st) : 0;
}
