// SPDX-License-Identifier: GPL-2.0-only
/*
 * What follows from who calls whom: how deep the stack gets over all chains of
 * calls, and which functions may move packet data.
 */
#include <errno.h>

#include "verifier.h"

#define TAIL_CALL_CALLER_STACK 256 /* 33 tail calls of that must fit in 8 KiB */

/* --- packet data ------------------------------------------------------------------ */

/* Of static functions the verifier sees it; of global ones it must be known before. */
int scan_packet_changes(struct bpf_verifier_env *env)
{
	bool changed = true;

	for (u32 i = 0; i < env->len; i++) {
		const struct bpf_insn *insn = &env->insns[i];

		if (bpf_is_ldimm64(insn))
			i++;
		else if (bpf_is_call(insn, 0) && helper_changes_pkt_data(insn->imm))
			env->subprogs[subprog_of(env, i)].changes_pkt_data = true;
	}
	while (changed) {
		changed = false;
		for (u32 i = 0; i < env->len; i++) {
			const struct bpf_insn *insn = &env->insns[i];
			struct bpf_subprog_info *caller;
			int callee;

			if (!bpf_is_call(insn, BPF_PSEUDO_CALL) && !bpf_is_func_ref(insn))
				continue;
			caller = &env->subprogs[subprog_of(env, i)];
			callee = find_subprog(env, i + 1 + (u32)insn->imm);
			if (caller->changes_pkt_data || !env->subprogs[callee].changes_pkt_data)
				continue;
			caller->changes_pkt_data = changed = true;
		}
	}
	return 0;
}

/* --- depth of the stack -------------------------------------------------------------- */

struct chain {
	struct bpf_verifier_env *env;
	u32 subprogs[BPF_MAX_FRAMES]; /* the functions that are active */
	u32 nr;
	u32 depth; /* bytes */
	bool tail_call; /* one below makes tail calls */
};

static u32 depth_of(const struct bpf_subprog_info *sub)
{
	/* as Linux's JIT aligns frames */
	return DIV_ROUND_UP(sub->stack_depth, 16U) * 16;
}

static bool in_callback(const struct chain *c)
{
	for (u32 i = 0; i < c->nr; i++)
		if (c->env->subprogs[c->subprogs[i]].is_cb)
			return true;
	return false;
}

static int check_function(struct chain *c, u32 subprog)
{
	struct bpf_verifier_env *env = c->env;
	struct bpf_subprog_info *sub = &env->subprogs[subprog];

	if (c->nr == BPF_MAX_FRAMES) {
		verbose(env, "the call stack of %u frames is too deep !\n", c->nr);
		return -E2BIG;
	}
	c->subprogs[c->nr++] = subprog;
	if (sub->has_ld_abs && in_callback(c)) {
		verbose(env, "cannot use BPF_LD_[ABS|IND] within callback\n");
		return -EINVAL;
	}
	if (subprog && sub->has_tail_call && c->depth >= TAIL_CALL_CALLER_STACK) {
		verbose(env, "tail_calls are not allowed when call stack of previous frames is %u bytes. Too large\n",
			c->depth);
		return -EACCES;
	}
	c->depth += depth_of(sub);
	if (c->depth > BPF_STACK_SIZE) {
		verbose(env, "combined stack size of %u calls is %u. Too large\n", c->nr, c->depth);
		return -EACCES;
	}
	return 0;
}

static int check_throw(struct chain *c, u32 insn_idx)
{
	if (!in_callback(c))
		return 0;
	verbose(c->env, "bpf_throw kfunc (insn %u) cannot be called from callback subprog %u\n",
		insn_idx, c->subprogs[c->nr - 1]);
	return -EINVAL;
}

static int walk(struct chain *c, u32 subprog);

/* A call, or a reference to a callback. */
static int walk_callee(struct chain *c, u32 insn_idx)
{
	struct bpf_verifier_env *env = c->env;
	const struct bpf_insn *insn = &env->insns[insn_idx];
	u32 callee = (u32)find_subprog(env, insn_idx + 1 + (u32)insn->imm);
	const struct bpf_subprog_info *sub = &env->subprogs[callee];

	if (sub->is_async_cb && !bpf_is_call(insn, BPF_PSEUDO_CALL))
		return 0; /* runs on a stack of its own */
	if (sub->is_exception_cb && bpf_is_call(insn, BPF_PSEUDO_CALL)) {
		verbose(env, "insn %u cannot call exception cb directly\n", insn_idx);
		return -EINVAL;
	}
	return walk(c, callee);
}

/* All chains that begin with the current one and go on into @subprog: at most BPF_MAX_FRAMES deep. */
static int walk(struct chain *c, u32 subprog)
{
	struct bpf_verifier_env *env = c->env;
	struct bpf_subprog_info *sub = &env->subprogs[subprog];
	u32 depth = c->depth;
	int err = check_function(c, subprog);

	for (u32 i = sub->start; i < sub->end && !err; i++) {
		const struct bpf_insn *insn = &env->insns[i];

		if (bpf_is_call(insn, BPF_PSEUDO_KFUNC_CALL) && is_bpf_throw_insn(env, insn))
			err = check_throw(c, i);
		else if (bpf_is_call(insn, BPF_PSEUDO_CALL) || bpf_is_func_ref(insn))
			err = walk_callee(c, i);
		if (bpf_is_ldimm64(insn))
			i++;
	}
	if (err)
		return err;
	c->tail_call |= sub->has_tail_call;
	sub->tail_call_reachable |= c->tail_call;
	if (c->tail_call && sub->is_exception_cb) {
		verbose(env, "cannot tail call within exception cb\n");
		return -EINVAL;
	}
	c->nr--;
	c->depth = depth;
	return 0;
}

int check_max_stack_depth(struct bpf_verifier_env *env)
{
	for (u32 i = 0; i < env->nr_subprogs; i++) {
		struct chain c = { .env = env };
		int err;

		if (i && !env->subprogs[i].is_async_cb)
			continue;
		err = walk(&c, i);
		if (err)
			return err;
	}
	return 0;
}
