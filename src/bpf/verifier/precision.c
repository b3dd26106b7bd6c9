// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which numbers mattered. Checkpoints hold numbers exactly, but most of what
 * they know is of no consequence: unless a number is marked precise, any other
 * number is as good when states are compared. It is marked when something that
 * was allowed depended on its range: an offset, a size, the way a branch went.
 * Then so did what it was computed from, back through the instructions of this
 * path and the checkpoints that it went through; numbers at those checkpoints
 * are what gets the mark.
 *
 * The current state's own marks are of no use: what happened before it is in
 * its parents, and what comes behind it will mark it when it is a checkpoint
 * itself. So a new checkpoint starts without any.
 *
 * The way back is found with the history of jumps: each state has that of the
 * piece of path that led to it, from the checkpoint before. Where it says
 * nothing the instruction before was executed before.
 *
 * When it cannot be told where a number came from, all numbers of all
 * checkpoints of the path become precise.
 */
#include "precision.h"
#include "prune.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"

#define ARG_REGS 0x3eU
#define NO_INSN (~0U)

struct bpf_precision {
	struct backtrack bt;
	/* the visit of an instruction that the last entry of the history is of */
	u32 pushed;
};

static struct bpf_precision *precision_of(struct bpf_verifier_env *env)
{
	if (!env->precision)
		env->precision = xcalloc(1, sizeof(*env->precision));
	return env->precision;
}

void precision_free(struct bpf_verifier_env *env)
{
	free(env->precision);
	env->precision = NULL;
}

static bool logs_precision(const struct bpf_verifier_env *env)
{
	return env->log->level & BPF_LOG_LEVEL2;
}

/* --- history of jumps ------------------------------------------------------------- */

static void set_linked(struct bpf_jmp_history_entry *entry, const struct linked_regs *linked)
{
	if (!linked || !linked->cnt)
		return;
	if (!entry->linked)
		entry->linked = xcalloc(1, sizeof(*entry->linked));
	*entry->linked = *linked;
}

int push_jmp_history(struct bpf_verifier_env *env, u32 insn_flags,
		     const struct linked_regs *linked)
{
	struct bpf_precision *p = precision_of(env);
	struct bpf_verifier_state *cur = env->cur;
	struct bpf_jmp_history_entry *last = cur->jmp_history_cnt ?
		&cur->jmp_history[cur->jmp_history_cnt - 1] : NULL;

	if (last && p->pushed == env->insn_processed && last->idx == env->insn_idx) {
		last->flags |= insn_flags;
		set_linked(last, linked);
		return 0;
	}
	cur->jmp_history = xreallocarray(cur->jmp_history, cur->jmp_history_cnt + 1,
					 sizeof(*cur->jmp_history));
	last = &cur->jmp_history[cur->jmp_history_cnt++];
	*last = (struct bpf_jmp_history_entry){
		.idx = env->insn_idx,
		.prev_idx = env->prev_insn_idx,
		.flags = insn_flags,
	};
	set_linked(last, linked);
	p->pushed = env->insn_processed;
	return 0;
}

/* --- all numbers of a state ------------------------------------------------------- */

static bool force_precise(struct bpf_verifier_env *env, struct bpf_func_state *func)
{
	bool changed = false;

	for (u32 i = 0; i < BPF_REG_FP; i++) {
		if (func->regs[i].type != SCALAR_VALUE || func->regs[i].precise)
			continue;
		func->regs[i].precise = changed = true;
		if (logs_precision(env))
			verbose(env, "force_precise: frame%u: forcing r%u to be precise\n",
				func->frameno, i);
	}
	for (u32 i = 0; i < func->allocated_stack / BPF_REG_SIZE; i++) {
		struct bpf_reg_state *reg = &func->stack[i].spilled_ptr;

		if (!is_spilled_scalar_reg(&func->stack[i]) || reg->precise)
			continue;
		reg->precise = changed = true;
		if (logs_precision(env))
			verbose(env, "force_precise: frame%u: forcing fp%d to be precise\n",
				func->frameno, -(int)(i + 1) * BPF_REG_SIZE);
	}
	return changed;
}

bool mark_all_scalars_precise(struct bpf_verifier_env *env, struct bpf_verifier_state *st)
{
	bool changed = false;

	if (logs_precision(env))
		verbose(env, "mark_precise: frame%u: falling back to forcing all scalars precise\n",
			st->curframe);
	while ((st = st->parent))
		for (u32 f = 0; f <= st->curframe; f++)
			changed |= force_precise(env, st->frame[f]);
	return changed;
}

void mark_all_scalars_imprecise(struct bpf_verifier_env *env, struct bpf_verifier_state *st)
{
	struct bpf_func_state *func;
	struct bpf_reg_state *reg;

	(void)env;
	bpf_for_each_reg_in_vstate(st, func, reg, reg->precise = false);
}

/* --- one state -------------------------------------------------------------------- */

/* Marks @reg. True if the search ends here: it was marked before, or is no number. */
static bool mark_found(struct bpf_reg_state *reg, bool *changed)
{
	if (reg->type != SCALAR_VALUE || reg->precise)
		return true;
	reg->precise = true;
	*changed = true;
	return false;
}

static int mark_frame(struct bpf_verifier_env *env, struct backtrack *bt,
		      struct bpf_func_state *func, bool *changed)
{
	u16 *regs = &bt->regs[func->frameno];
	u64 *slots = &bt->slots[func->frameno];
	u32 nr_slots = func->allocated_stack / BPF_REG_SIZE;

	for (u32 i = 0; i < MAX_BPF_REG_NR; i++)
		if (*regs >> i & 1 && mark_found(&func->regs[i], changed))
			*regs &= (u16)~(1U << i);
	for (u32 i = 0; i < 64; i++) {
		if (!(*slots >> i & 1))
			continue;
		if (i >= nr_slots) {
			verbose(env, "BUG backtracking (stack slot %u, total slots %u)\n", i,
				nr_slots);
			return -EFAULT;
		}
		if (!is_spilled_scalar_reg(&func->stack[i]) ||
		    mark_found(&func->stack[i].spilled_ptr, changed))
			*slots &= ~(1ULL << i);
	}
	return 0;
}

/* What is looked for, in checkpoint @st. */
static int mark_state(struct bpf_verifier_env *env, struct backtrack *bt,
		      struct bpf_verifier_state *st, bool *changed)
{
	char regs[REG_MASK_STR_SIZE], slots[SLOT_MASK_STR_SIZE];
	int err;

	if (bt->frame > st->curframe) {
		verbose(env, "BUG backtracking frame %u of %u\n", bt->frame, st->curframe);
		return -EFAULT;
	}
	for (u32 f = bt->frame + 1; f--;) {
		err = mark_frame(env, bt, st->frame[f], changed);
		if (err)
			return err;
		if (!logs_precision(env))
			continue;
		verbose(env, "mark_precise: frame%u: parent state regs=%s stack=%s: ", f,
			reg_mask_str(bt->regs[f], regs), slot_mask_str(bt->slots[f], slots));
		print_verifier_state(env, st, f, true);
	}
	return 0;
}

/* The entry of a function that is verified on its own: only its arguments come from outside. */
static int mark_entry(struct bpf_verifier_env *env, struct backtrack *bt,
		      struct bpf_verifier_state *st, bool *changed)
{
	if (st->curframe == 0 && st->frame[0]->subprogno && !bt->slots[0] &&
	    !(bt->regs[0] & ~ARG_REGS))
		return mark_frame(env, bt, st->frame[0], changed);
	verbose(env, "BUG backtracking func entry subprog %u reg_mask %x stack_mask %llx\n",
		st->frame[0]->subprogno, bt->regs[bt->frame], bt->slots[bt->frame]);
	return -EFAULT;
}

/* --- the way back ----------------------------------------------------------------- */

static bool bt_empty(const struct backtrack *bt)
{
	u64 any = 0;

	for (u32 f = 0; f <= bt->frame; f++)
		any |= bt->regs[f] | bt->slots[f];
	return !any;
}

/*
 * What was executed before @idx in the piece of path that led to @st, of whose
 * history @cnt entries are left; NO_INSN: the piece began with it.
 */
static u32 prev_insn(const struct bpf_verifier_state *st, u32 idx, u32 *cnt)
{
	const struct bpf_jmp_history_entry *last = *cnt ? &st->jmp_history[*cnt - 1] : NULL;

	/* a loop may have come by its first instruction several times */
	if (idx == st->first_insn_idx && (!last || (*cnt == 1 && last->idx == idx)))
		return NO_INSN;
	if (!last || last->idx != idx)
		return idx - 1;
	--*cnt;
	return last->prev_idx;
}

/* Back through the instructions of one piece, from *@idx; @skip: that one was not executed. */
static int backtrack_piece(struct bpf_verifier_env *env, struct backtrack *bt,
			   const struct bpf_verifier_state *st, u32 idx, u32 *subseq, bool skip)
{
	u32 cnt = st->jmp_history_cnt;
	int err;

	for (;;) {
		const struct bpf_jmp_history_entry *last = cnt ? &st->jmp_history[cnt - 1] : NULL;

		if (!skip) {
			err = backtrack_insn(env, bt, idx, *subseq,
					     last && last->idx == idx ? last : NULL);
			if (err)
				return err;
		}
		skip = false;
		if (bt_empty(bt))
			return 0;
		*subseq = idx;
		idx = prev_insn(st, idx, &cnt);
		if (idx == NO_INSN)
			return 0;
		if (idx >= env->len) {
			verbose(env, "BUG backtracking idx %d\n", (int)idx);
			return -EFAULT;
		}
	}
}

/* All that is in @bt mattered where @start is: behind instruction @start->insn_idx or at it. */
static int mark_chain(struct bpf_verifier_env *env, struct backtrack *bt,
		      struct bpf_verifier_state *start, u32 last, bool *changed)
{
	struct bpf_verifier_state *st = start;
	u32 subseq = NO_INSN;
	int err;

	while (!bt_empty(bt)) {
		if (logs_precision(env))
			verbose(env,
				"mark_precise: frame%u: last_idx %d first_idx %d subseq_idx %d \n",
				bt->frame, (int)last, (int)st->first_insn_idx, (int)subseq);
		if ((int)last < 0)
			return mark_entry(env, bt, st, changed);
		err = backtrack_piece(env, bt, st, last, &subseq, st == start);
		if (err < 0)
			return err;
		if (bt_empty(bt))
			return 0;
		subseq = st->first_insn_idx;
		st = st->parent;
		if (err == BACKTRACK_UNKNOWN || !st) {
			*changed |= mark_all_scalars_precise(env, start);
			return 0;
		}
		err = mark_state(env, bt, st, changed);
		if (err)
			return err;
		last = st->last_insn_idx;
	}
	return 0;
}

int mark_chain_precision(struct bpf_verifier_env *env, u32 regno)
{
	struct backtrack *bt = &precision_of(env)->bt;
	bool changed = false;

	if (cur_regs(env)[regno].type != SCALAR_VALUE) {
		verbose(env, "BUG backtracking of R%u, which is no number\n", regno);
		return -EFAULT;
	}
	memset(bt, 0, sizeof(*bt));
	bt->frame = env->cur->curframe;
	bt_set_reg(bt, regno);
	return mark_chain(env, bt, env->cur, env->insn_idx, &changed);
}

int mark_chain_precision_stack(struct bpf_verifier_env *env, u32 frameno, u32 spi)
{
	struct backtrack *bt = &precision_of(env)->bt;
	bool changed = false;

	memset(bt, 0, sizeof(*bt));
	bt->frame = env->cur->curframe;
	bt->slots[frameno] = 1ULL << spi;
	return mark_chain(env, bt, env->cur, env->insn_idx, &changed);
}

/* --- what another state's future needs -------------------------------------------- */

/*
 * The precise numbers of @func, into @bt; "frame 0: propagating r1,fp-8" into the log.
 * A dead register may be precise, too, as one that was linked to another: the state
 * that is covered need not have it.
 */
static void want_frame(struct bpf_verifier_env *env, struct backtrack *bt,
		       const struct bpf_func_state *func, const struct bpf_func_state *covered,
		       u16 live_regs)
{
	u32 f = func->frameno, i;
	bool first = true;

	for (i = 0; i < BPF_REG_FP; i++) {
		if (!(live_regs >> i & 1) || func->regs[i].type != SCALAR_VALUE ||
		    !func->regs[i].precise)
			continue;
		if (logs_precision(env) && first)
			verbose(env, "frame %u: propagating r%u", f, i);
		else if (logs_precision(env))
			verbose(env, ",r%u", i);
		bt->regs[f] |= (u16)(1U << i);
		first = false;
	}
	for (i = 0; i < func->allocated_stack / BPF_REG_SIZE; i++) {
		int off = -(int)(i + 1) * BPF_REG_SIZE;

		if (!is_spilled_scalar_reg(&func->stack[i]) || !func->stack[i].spilled_ptr.precise)
			continue;
		/* bytes of which nothing is known are as good, and cannot be made precise */
		if (i >= covered->allocated_stack / BPF_REG_SIZE ||
		    !is_spilled_scalar_reg(&covered->stack[i]))
			continue;
		if (logs_precision(env) && first)
			verbose(env, "frame %u: propagating fp%d", f, off);
		else if (logs_precision(env))
			verbose(env, ",fp%d", off);
		bt->slots[f] |= 1ULL << i;
		first = false;
	}
	if (logs_precision(env) && !first)
		verbose(env, "\n");
}

int propagate_precision(struct bpf_verifier_env *env, const struct bpf_verifier_state *old,
			struct bpf_verifier_state *st, bool *changed)
{
	struct backtrack *bt = &precision_of(env)->bt;

	memset(bt, 0, sizeof(*bt));
	for (u32 f = old->curframe + 1; f--;)
		want_frame(env, bt, old->frame[f], st->frame[f],
			   env->aux[frame_insn_idx(old, f)].live_regs);
	bt->frame = st->curframe;
	return mark_chain(env, bt, st, st->insn_idx, changed);
}
