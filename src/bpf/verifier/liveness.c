// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which registers are read later, before they are written: the textbook's
 * backward data flow over each function,
 *
 *	live before i = (live after i without what i writes) and what i reads
 *	live after i  = live before any successor of i
 *
 * solved once, before the program is followed. It knows no values, so that it
 * holds on every path: two states that differ in dead registers only are the
 * same. A call reads the arguments that its prototype has, and destroys r0-r5;
 * a function of the program may read all five. Of a frame that is waiting for a
 * callee, what is live before the call is what counts (prune.c): the callee
 * gets copies of arguments, and a callback's caller executes its call again.
 */
#include "liveness.h"

#include <stdlib.h>

#include "../../base/alloc.h"

#define BIT(n) ((u16)(1U << (n)))
#define CALLER_SAVED ((u16)0x3f) /* r0-r5 */

struct reg_sets {
	u16 reads, writes;
};

static struct reg_sets atomic_sets(const struct bpf_insn *insn)
{
	u16 dst = BIT(insn->dst_reg), src = BIT(insn->src_reg);

	if (insn->imm == BPF_CMPXCHG)
		return (struct reg_sets){ dst | src | BIT(BPF_REG_0), BIT(BPF_REG_0) };
	return (struct reg_sets){ dst | src, insn->imm & BPF_FETCH ? src : 0 };
}

static struct reg_sets jump_sets(const struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	u16 args;

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
	case BPF_JCOND:
		return (struct reg_sets){ 0, 0 };
	case BPF_EXIT:
		return (struct reg_sets){ BIT(BPF_REG_0), 0 };
	case BPF_CALL:
		args = bpf_is_call(insn, BPF_PSEUDO_CALL) ? 5 : (u16)call_arity(env, insn);
		return (struct reg_sets){ (u16)(BIT(args + 1) - BIT(1)), CALLER_SAVED };
	default:
		return (struct reg_sets){
			BIT(insn->dst_reg) |
				(BPF_SRC(insn->code) == BPF_X ? BIT(insn->src_reg) : 0),
			0,
		};
	}
}

static struct reg_sets alu_sets(const struct bpf_insn *insn)
{
	u16 dst = BIT(insn->dst_reg);
	u16 src = BPF_SRC(insn->code) == BPF_X ? BIT(insn->src_reg) : 0;

	switch (BPF_OP(insn->code)) {
	case BPF_END: /* BPF_X tells the byte order */
	case BPF_NEG:
		return (struct reg_sets){ dst, dst };
	case BPF_MOV:
		return (struct reg_sets){ src, dst };
	default:
		return (struct reg_sets){ dst | src, dst };
	}
}

static struct reg_sets insn_sets(const struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	u16 dst = BIT(insn->dst_reg), src = BIT(insn->src_reg);

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return alu_sets(insn);
	case BPF_JMP:
	case BPF_JMP32:
		return jump_sets(env, insn);
	case BPF_LDX:
		return (struct reg_sets){ src, dst };
	case BPF_ST:
		return (struct reg_sets){ dst, 0 };
	case BPF_STX:
		if (BPF_MODE(insn->code) == BPF_ATOMIC)
			return atomic_sets(insn);
		return (struct reg_sets){ dst | src, 0 };
	default: /* BPF_LD */
		if (bpf_is_ldimm64(insn))
			return (struct reg_sets){ 0, dst };
		if (BPF_MODE(insn->code) != BPF_IND)
			src = 0;
		return (struct reg_sets){ BIT(BPF_REG_6) | src, CALLER_SAVED };
	}
}

/* --- predecessors ----------------------------------------------------------------- */

static void find_predecessors(const struct bpf_verifier_env *env, struct bpf_liveness *lv)
{
	u32 *start = xcalloc(env->len + 2, sizeof(*start)), succ[2], i, nr;

	/* counted one place too far: start[i + 1] is where i's begin, and moves on as they come */
	for (i = 0; i < env->len; i += 1 + bpf_is_ldimm64(&env->insns[i]))
		for (nr = bpf_insn_successors(env->prog, i, succ); nr; nr--)
			start[succ[nr - 1] + 2]++;
	for (i = 2; i < env->len + 2; i++)
		start[i] += start[i - 1];
	lv->preds = xcalloc(max(start[env->len + 1], 1U), sizeof(*lv->preds));
	for (i = 0; i < env->len; i += 1 + bpf_is_ldimm64(&env->insns[i]))
		for (nr = bpf_insn_successors(env->prog, i, succ); nr; nr--)
			lv->preds[start[succ[nr - 1] + 1]++] = i;
	lv->pred_start = start;
}

/* --- registers -------------------------------------------------------------------- */

struct reg_flow {
	struct bpf_verifier_env *env;
	struct reg_sets *sets;
	u32 *todo, nr_todo;
	bool *queued;
};

static void queue(struct reg_flow *flow, u32 i)
{
	if (!flow->queued[i]) {
		flow->queued[i] = true;
		flow->todo[flow->nr_todo++] = i;
	}
}

static void update(struct reg_flow *flow, u32 i)
{
	const struct bpf_liveness *lv = flow->env->liveness;
	struct bpf_insn_aux *aux = flow->env->aux;
	u32 succ[2], p, nr = bpf_insn_successors(flow->env->prog, i, succ);
	u16 live = 0;

	flow->queued[i] = false;
	while (nr)
		live |= aux[succ[--nr]].live_regs;
	live = (u16)(live & ~flow->sets[i].writes) | flow->sets[i].reads;
	if (live == aux[i].live_regs)
		return;
	aux[i].live_regs = live;
	for (p = lv->pred_start[i]; p < lv->pred_start[i + 1]; p++)
		queue(flow, lv->preds[p]);
}

int compute_live_registers(struct bpf_verifier_env *env)
{
	struct reg_flow flow = {
		.env = env,
		.sets = xcalloc(env->len, sizeof(*flow.sets)),
		.todo = xcalloc(env->len, sizeof(*flow.todo)),
		.queued = xcalloc(env->len, sizeof(*flow.queued)),
	};
	u32 i;

	env->liveness = xcalloc(1, sizeof(*env->liveness));
	find_predecessors(env, env->liveness);
	env->liveness->stack = live_stack_new(env);
	for (i = 0; i < env->len; i += 1 + bpf_is_ldimm64(&env->insns[i])) {
		flow.sets[i] = insn_sets(env, &env->insns[i]);
		env->aux[i].live_regs = 0;
		queue(&flow, i);
	}
	while (flow.nr_todo)
		update(&flow, flow.todo[--flow.nr_todo]);
	free(flow.sets);
	free(flow.todo);
	free(flow.queued);
	return 0;
}

void liveness_free(struct bpf_verifier_env *env)
{
	struct bpf_liveness *lv = env->liveness;

	if (!lv)
		return;
	live_stack_free(lv->stack);
	free(lv->pred_start);
	free(lv->preds);
	free(lv);
	env->liveness = NULL;
}
