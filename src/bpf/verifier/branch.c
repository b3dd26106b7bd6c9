// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conditional jumps: the ways that they can go, and what is known on each.
 *
 * A way on which what would be known contradicts itself cannot be taken. Then, as
 * when the comparison is decided, only the other one is followed; the numbers that
 * decided it mattered.
 */
#include <errno.h>
#include <string.h>

#include "branch.h"

/* What both sides of a comparison are when it is true, or false. */
struct sides {
	struct bpf_scalar dst, src;
};

static bool is_jmp32(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_JMP32;
}

static bool has_src_reg(const struct bpf_insn *insn)
{
	return BPF_SRC(insn->code) == BPF_X;
}

/* --- may_goto ------------------------------------------------------------------------ */

/*
 * It jumps after many rounds at the latest, so the jump is followed first; the
 * rounds are followed until numbers that do not matter are all that changes.
 */
static int check_may_goto(struct bpf_verifier_env *env, const struct bpf_insn *insn,
			  u32 *insn_idx)
{
	/* the parent is the checkpoint of this very round */
	struct bpf_verifier_state *prev = find_prev_entry(env, env->cur->parent, *insn_idx);
	struct bpf_verifier_state *round = push_stack(env, *insn_idx + 1, *insn_idx);

	if (!round)
		return -E2BIG;
	round->may_goto_depth++;
	if (prev)
		widen_imprecise_scalars(env, prev, round);
	*insn_idx += (u32)insn->off;
	return 0;
}

/* --- which ways? ----------------------------------------------------------------------- */

static bool is_possible(const struct sides *sides)
{
	return scalar_is_sane(&sides->dst) && scalar_is_sane(&sides->src);
}

static bool refine_sides(struct sides *sides, u8 op, bool jmp32)
{
	scalar_refine(&sides->dst, &sides->src, op, jmp32);
	return is_possible(sides);
}

/*
 * 1: it jumps; 0: it does not; -1: both may be. @ways (0: it does not, 1: it does) say
 * what is known where it goes on.
 */
static int predict_scalars(const struct bpf_insn *insn, const struct bpf_reg_state *dst,
			   const struct bpf_reg_state *src, struct sides ways[2])
{
	bool jmp32 = is_jmp32(insn);
	u8 op = BPF_OP(insn->code);
	int pred;

	ways[0] = ways[1] = (struct sides){ dst->s, src->s };
	if (dst == src)
		return scalar_is_self_taken(&dst->s, op, jmp32);
	pred = scalar_is_branch_taken(&dst->s, &src->s, op, jmp32);
	if (pred >= 0)
		return pred;
	if (!refine_sides(&ways[0], rev_opcode(op), jmp32))
		pred = 1;
	if (!refine_sides(&ways[1], op, jmp32))
		pred = 0;
	/* nothing gets here: the path is followed, but what contradicts itself is not kept */
	if (pred >= 0 && !is_possible(&ways[pred]))
		ways[pred] = (struct sides){ dst->s, src->s };
	return pred;
}

static bool are_scalars(const struct bpf_reg_state *dst, const struct bpf_reg_state *src)
{
	return dst->type == SCALAR_VALUE && src->type == SCALAR_VALUE;
}

static int predict(const struct bpf_insn *insn, const struct bpf_reg_state *dst,
		   const struct bpf_reg_state *src, struct sides ways[2])
{
	if (!are_scalars(dst, src))
		return ptr_is_branch_taken(dst, src, BPF_OP(insn->code), is_jmp32(insn));
	return predict_scalars(insn, dst, src, ways);
}

/* The jump was decided by these. */
static int mark_decisive(struct bpf_verifier_env *env, const struct bpf_insn *insn,
			 const struct bpf_reg_state *dst, const struct bpf_reg_state *src)
{
	int err = 0;

	if (dst->type == SCALAR_VALUE)
		err = mark_chain_precision(env, insn->dst_reg);
	if (!err && has_src_reg(insn) && src->type == SCALAR_VALUE)
		err = mark_chain_precision(env, insn->src_reg);
	return err;
}

/* --- both ways ---------------------------------------------------------------------------- */

/* Backtracking must know of numbers that get to know something without being named. */
static int link_regs(struct bpf_verifier_env *env, const struct bpf_reg_state *dst,
		     const struct bpf_reg_state *src, struct linked_regs *linked)
{
	u32 src_id = src->type == SCALAR_VALUE ? src->id & ~BPF_ADD_CONST : 0;
	u32 dst_id = dst->type == SCALAR_VALUE ? dst->id & ~BPF_ADD_CONST : 0;

	if (src_id)
		collect_linked_regs(env->cur, src_id, linked);
	if (dst_id && dst_id != src_id)
		collect_linked_regs(env->cur, dst_id, linked);
	return linked->cnt > 1 ? push_jmp_history(env, 0, linked) : 0;
}

static void learn_scalars(struct bpf_verifier_state *st, const struct bpf_insn *insn,
			  const struct sides *sides, const struct linked_regs *linked)
{
	struct bpf_reg_state *dst = branch_reg(st, insn->dst_reg);
	struct bpf_reg_state *src = branch_reg(st, insn->src_reg);

	dst->s = sides->dst;
	if (has_src_reg(insn)) {
		src->s = sides->src;
		if (src->id)
			sync_linked_regs(st, src, linked);
	}
	if (dst->id)
		sync_linked_regs(st, dst, linked);
}

static int follow_both(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 insn_idx,
		       const struct bpf_reg_state *src, const struct sides ways[2])
{
	const struct bpf_reg_state *dst = reg_state(env, insn->dst_reg);
	struct branch br = { .insn = insn, .fall = env->cur };
	struct linked_regs linked = {};
	int err = link_regs(env, dst, src, &linked);

	if (err)
		return err;
	br.jump = push_stack(env, insn_idx + 1 + (u32)insn->off, insn_idx);
	if (!br.jump)
		return -E2BIG;
	if (are_scalars(dst, src)) {
		learn_scalars(br.fall, insn, &ways[0], &linked);
		learn_scalars(br.jump, insn, &ways[1], &linked);
	} else {
		branch_learn_ptrs(env, &br);
	}
	return 0;
}

/* Only one way is left, but what was found out on the other one teaches something. */
static int follow_one(struct bpf_verifier_env *env, const struct bpf_insn *insn,
		      const struct bpf_reg_state *src, const struct sides *way)
{
	const struct bpf_reg_state *dst = reg_state(env, insn->dst_reg);
	const struct sides now = { dst->s, src->s };
	struct linked_regs linked = {};
	int err = mark_decisive(env, insn, dst, src);

	if (err || !are_scalars(dst, src) || !memcmp(&now, way, sizeof(now)))
		return err;
	err = link_regs(env, dst, src, &linked);
	if (!err)
		learn_scalars(env->cur, insn, way, &linked);
	return err;
}

/* --- the instruction ------------------------------------------------------------------------ */

static int read_operands(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	u32 flags = 0;
	int err = check_reg_arg(env, insn->dst_reg, SRC_OP);

	if (!err && has_src_reg(insn))
		err = check_reg_arg(env, insn->src_reg, SRC_OP);
	if (err)
		return err;
	if (reg_state(env, insn->dst_reg)->type == PTR_TO_STACK)
		flags |= INSN_F_DST_REG_STACK;
	if (has_src_reg(insn) && reg_state(env, insn->src_reg)->type == PTR_TO_STACK)
		flags |= INSN_F_SRC_REG_STACK;
	return flags ? push_jmp_history(env, flags, NULL) : 0;
}

static int check_compare(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 *insn_idx)
{
	const struct bpf_reg_state *dst = reg_state(env, insn->dst_reg), *src = &env->fake_reg;
	struct sides ways[2];
	int pred, err = read_operands(env, insn);

	if (err)
		return err;
	if (has_src_reg(insn))
		src = reg_state(env, insn->src_reg);
	else
		reg_mark_known(&env->fake_reg, (u64)insn->imm);
	pred = predict(insn, dst, src, ways);
	if (pred < 0)
		return follow_both(env, insn, *insn_idx, src, ways);
	err = follow_one(env, insn, src, &ways[pred]);
	if (pred)
		*insn_idx += (u32)insn->off;
	return err;
}

int check_cond_jmp_op(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 *insn_idx)
{
	int err;

	if (BPF_OP(insn->code) == BPF_JCOND)
		return check_may_goto(env, insn, insn_idx);
	err = check_compare(env, insn, insn_idx);
	if (!err && env->log->level & (BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2))
		print_insn_state(env, env->cur, env->cur->curframe);
	return err;
}
