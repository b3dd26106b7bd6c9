// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which stack slots are read later, before they are overwritten. Pointers to
 * the stack are values, so that, unlike registers, this cannot be told from the
 * instructions alone: it is collected while the program is followed, and asked
 * of checkpoints that have no open paths any more (prune.c).
 *
 * A function that is called from two places reads different slots of its
 * callers: all is kept per instance of a function, which is a chain of calls.
 * Of every instruction of an instance, and every frame of its chain, there are
 *
 *	may_read	what any visit has read
 *	must_write	what all visits have overwritten as a whole
 *	live		what is read from here on until the function returns, before it
 *			is overwritten
 *	written		what is overwritten on all ways from here to the return
 *
 * The first two are collected, the others follow over the control flow between
 * instructions that have been visited, and from callees to their call sites: a
 * call reads what is live where the callee begins and overwrites what is written
 * there. A callback may not be called at all, and overwrites nothing.
 *
 * Invariants:
 * - may_read and live only grow, must_write and written only shrink; an
 *   instruction that was not visited has nothing live, and everything written.
 *   So the work lists end, and whatever the order of visits, more is never
 *   claimed dead than the visited ways allow.
 * - The answer is right for a state all of whose ways have been followed to
 *   their end, or to a state for which this holds: each such way consists of
 *   visited instructions of the instances at hand. Of other states too little
 *   is known.
 * - A callee that has not returned yet says nothing of what it overwrites.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "liveness.h"

#define ALL_SLOTS (~0ULL)
#define MAX_BYTES (512UL << 20)

struct masks {
	u64 may_read, must_write, live, written;
};

struct instance;

struct visit {
	bool visited, queued;
	bool enters; /* a call that goes into its callee: must_write is the callee's */
	struct instance *callees; /* linked by sibling: callbacks may be different ones */
};

struct instance {
	struct instance *caller; /* NULL: frame 0 */
	struct instance *sibling;
	struct instance *next; /* of all */
	struct instance *dirty_callees, *next_dirty;
	bool dirty; /* this one or a callee has work to do */
	bool returned; /* some visit has */
	u32 callsite, subprogno, frameno;
	u32 start, len;
	struct visit *visits; /* by instruction of the function */
	struct masks *frames[BPF_MAX_FRAMES]; /* by instruction; NULL: no marks yet */
	u32 *todo, nr_todo; /* instructions to look at again */
};

struct live_stack {
	const struct bpf_verifier_env *env;
	struct instance **roots; /* by function, of those that are frame 0 */
	struct instance *all;
	struct instance *chain[BPF_MAX_FRAMES]; /* of the instruction at hand */
	u32 frameno, insn_idx;
	u64 written[BPF_MAX_FRAMES]; /* by it, so far */
	size_t bytes;
};

struct live_stack *live_stack_new(const struct bpf_verifier_env *env)
{
	struct live_stack *ls = xcalloc(1, sizeof(*ls));

	ls->env = env;
	ls->roots = xcalloc(max(env->nr_subprogs, 1U), sizeof(struct instance *));
	return ls;
}

void live_stack_free(struct live_stack *ls)
{
	struct instance *inst;

	while ((inst = ls->all)) {
		ls->all = inst->next;
		for (u32 f = 0; f < BPF_MAX_FRAMES; f++)
			free(inst->frames[f]);
		free(inst->visits);
		free(inst->todo);
		free(inst);
	}
	free(ls->roots);
	free(ls);
}

/* --- instances -------------------------------------------------------------------- */

static struct instance *instance_new(struct live_stack *ls, struct instance *caller,
				     const struct bpf_func_state *func)
{
	const struct bpf_subprog_info *sub = &ls->env->subprogs[func->subprogno];
	struct instance *inst = xcalloc(1, sizeof(*inst));

	inst->caller = caller;
	inst->callsite = func->callsite;
	inst->subprogno = func->subprogno;
	inst->frameno = caller ? caller->frameno + 1 : 0;
	inst->start = sub->start;
	inst->len = sub->end - sub->start;
	inst->visits = xcalloc(inst->len, sizeof(*inst->visits));
	inst->todo = xcalloc(inst->len, sizeof(*inst->todo));
	inst->next = ls->all;
	ls->all = inst;
	ls->bytes += sizeof(*inst) + inst->len * (sizeof(*inst->visits) + sizeof(*inst->todo));
	return inst;
}

/* The instance of the frame in @func that @caller calls; @make: there is one from now on. */
static struct instance *instance_of(struct live_stack *ls, struct instance *caller,
				    const struct bpf_func_state *func, bool make)
{
	struct instance **head = caller ? &caller->visits[func->callsite - caller->start].callees :
					  &ls->roots[func->subprogno];
	struct instance *inst;

	for (inst = *head; inst; inst = inst->sibling)
		if (inst->subprogno == func->subprogno)
			return inst;
	if (!make)
		return NULL;
	inst = instance_new(ls, caller, func);
	inst->sibling = *head;
	*head = inst;
	return inst;
}

static bool is_instance_of(const struct instance *inst, const struct instance *caller,
			   const struct bpf_func_state *func)
{
	return inst && inst->caller == caller && inst->subprogno == func->subprogno &&
	       (!caller || inst->callsite == func->callsite);
}

/* --- work ------------------------------------------------------------------------- */

static void set_dirty(struct instance *inst)
{
	for (; !inst->dirty; inst = inst->caller) {
		inst->dirty = true;
		if (!inst->caller)
			return;
		inst->next_dirty = inst->caller->dirty_callees;
		inst->caller->dirty_callees = inst;
	}
}

static void queue(struct instance *inst, u32 i)
{
	struct visit *v = &inst->visits[i - inst->start];

	if (v->queued || !v->visited)
		return;
	v->queued = true;
	inst->todo[inst->nr_todo++] = i;
}

/* Marks of frame @f; the instructions visited so far had none. */
static struct masks *frame_masks(struct live_stack *ls, struct instance *inst, u32 f)
{
	struct masks *masks = inst->frames[f];
	struct instance *callee;
	u32 i;

	if (masks)
		return masks;
	masks = xcalloc(inst->len, sizeof(*masks));
	ls->bytes += inst->len * sizeof(*masks);
	inst->frames[f] = masks;
	for (i = 0; i < inst->len; i++) {
		masks[i].written = ALL_SLOTS;
		masks[i].must_write = inst->visits[i].enters ? ALL_SLOTS : 0;
		for (callee = inst->visits[i].callees; callee; callee = callee->sibling)
			if (callee->returned && !callee->frames[f])
				masks[i].must_write = 0;
		queue(inst, inst->start + i);
	}
	return masks;
}

/* May the function end here, and only to go on after its call? */
static bool may_return(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_EXIT) ||
	       (BPF_CLASS(insn->code) == BPF_LD && !bpf_is_ldimm64(insn)) ||
	       (bpf_is_call(insn, 0) && insn->imm == BPF_FUNC_tail_call);
}

static bool update_masks(struct live_stack *ls, const struct instance *inst, struct masks *masks,
			 u32 i)
{
	u32 succ[2], nr = bpf_insn_successors(ls->env->prog, i, succ);
	u64 live = 0, written = may_return(&ls->env->insns[i]) ? 0 : ALL_SLOTS;
	struct masks *m = &masks[i - inst->start];

	while (nr) {
		u32 s = succ[--nr] - inst->start;

		if (inst->visits[s].visited) {
			live |= masks[s].live;
			written &= masks[s].written;
		}
	}
	live = m->live | m->may_read | (live & ~m->must_write);
	written = m->written & (written | m->must_write);
	if (live == m->live && written == m->written)
		return false;
	m->live = live;
	m->written = written;
	return true;
}

static void update_insn(struct live_stack *ls, struct instance *inst, u32 i)
{
	const struct bpf_liveness *lv = ls->env->liveness;
	bool changed = false;
	u32 f, p;

	inst->visits[i - inst->start].queued = false;
	for (f = 0; f <= inst->frameno; f++)
		if (inst->frames[f])
			changed |= update_masks(ls, inst, inst->frames[f], i);
	for (p = lv->pred_start[i]; changed && p < lv->pred_start[i + 1]; p++)
		queue(inst, lv->preds[p]);
}

/* What @callee does to the frames of its callers is what its call does. */
static void update_call(struct live_stack *ls, struct instance *inst,
			const struct instance *callee)
{
	u32 site = callee->callsite - inst->start, f;

	for (f = 0; f <= inst->frameno; f++) {
		const struct masks *entry = callee->frames[f];
		struct masks *m;

		if (!entry && !inst->frames[f])
			continue;
		m = &frame_masks(ls, inst, f)[site];
		m->may_read |= entry ? entry->live : 0;
		if (inst->visits[site].enters && callee->returned)
			m->must_write &= entry ? entry->written : 0;
	}
	queue(inst, callee->callsite);
}

/* Recursion is as deep as calls can be: BPF_MAX_FRAMES. */
static void settle(struct live_stack *ls, struct instance *inst)
{
	struct instance *callee;

	while ((callee = inst->dirty_callees)) {
		inst->dirty_callees = callee->next_dirty;
		settle(ls, callee);
		update_call(ls, inst, callee);
	}
	while (inst->nr_todo)
		update_insn(ls, inst, inst->todo[--inst->nr_todo]);
	inst->dirty = false;
}

/* --- marks ------------------------------------------------------------------------ */

int liveness_begin_insn(struct bpf_verifier_env *env, u32 insn_idx)
{
	struct live_stack *ls = env->liveness->stack;
	const struct bpf_verifier_state *st = env->cur;
	struct instance *caller = NULL;
	u32 f;

	for (f = 0; f <= st->curframe; f++) {
		if (!is_instance_of(ls->chain[f], caller, st->frame[f]))
			ls->chain[f] = instance_of(ls, caller, st->frame[f], true);
		caller = ls->chain[f];
	}
	ls->frameno = st->curframe;
	ls->insn_idx = insn_idx;
	memset(ls->written, 0, sizeof(ls->written));
	if (ls->bytes <= MAX_BYTES)
		return 0;
	verbose(env,
		"functions are called in too many ways: what they do to the stack takes more than %lu MiB; make some of them global\n",
		MAX_BYTES >> 20);
	return -E2BIG;
}

void mark_stack_slots_read(struct bpf_verifier_env *env, u32 frameno, u64 slots)
{
	struct live_stack *ls = env->liveness->stack;
	struct instance *inst = ls->chain[ls->frameno];
	struct masks *m;

	VRT_ASSERT(frameno <= ls->frameno);
	log_slots_read(env, frameno, slots);
	m = &frame_masks(ls, inst, frameno)[ls->insn_idx - inst->start];
	if (!(slots & ~m->may_read))
		return;
	m->may_read |= slots;
	/* liveness_end_insn() queues it if this is the first visit */
	queue(inst, ls->insn_idx);
	set_dirty(inst);
}

void mark_stack_slots_written(struct bpf_verifier_env *env, u32 frameno, u64 slots)
{
	struct live_stack *ls = env->liveness->stack;

	VRT_ASSERT(frameno <= ls->frameno);
	log_slots_written(env, frameno, slots);
	ls->written[frameno] |= slots;
}

/* The first visit of an instruction: what it overwrites is what it must. */
static void end_first_visit(struct live_stack *ls, struct instance *inst, struct visit *v)
{
	u32 i = ls->insn_idx - inst->start, f;

	for (f = 0; f <= ls->frameno; f++)
		if (ls->written[f] || inst->frames[f])
			frame_masks(ls, inst, f)[i].must_write = v->enters ? ALL_SLOTS :
									      ls->written[f];
	v->visited = true;
	queue(inst, ls->insn_idx);
	set_dirty(inst);
}

int liveness_end_insn(struct bpf_verifier_env *env)
{
	struct live_stack *ls = env->liveness->stack;
	struct instance *inst = ls->chain[ls->frameno];
	const struct bpf_insn *insn = &env->insns[ls->insn_idx];
	struct visit *v = &inst->visits[ls->insn_idx - inst->start];
	u32 i = ls->insn_idx - inst->start, f;

	if (may_return(insn) && !inst->returned) {
		inst->returned = true;
		set_dirty(inst);
	}
	if (bpf_is_call(insn, BPF_PSEUDO_CALL) && env->cur->curframe > ls->frameno)
		v->enters = true;
	if (!v->visited) {
		end_first_visit(ls, inst, v);
		return 0;
	}
	for (f = 0; f <= ls->frameno && !v->enters; f++) {
		struct masks *masks = inst->frames[f];

		if (!masks || !(masks[i].must_write & ~ls->written[f]))
			continue;
		masks[i].must_write &= ls->written[f];
		queue(inst, ls->insn_idx);
		set_dirty(inst);
	}
	return 0;
}

/* --- answers ---------------------------------------------------------------------- */

static u64 live_before(const struct instance *inst, u32 i, u32 f)
{
	return inst->frames[f] ? inst->frames[f][i - inst->start].live : 0;
}

/* Frame @f, behind the call at which @inst waits. */
static u64 live_behind_call(const struct bpf_verifier_env *env, const struct instance *inst,
			    u32 callsite, u32 f)
{
	return live_before(inst, env->aux[callsite].calls_callback ? callsite : callsite + 1, f);
}

void live_stack_slots(struct bpf_verifier_env *env, const struct bpf_verifier_state *st,
		      u64 slots[BPF_MAX_FRAMES])
{
	struct live_stack *ls = env->liveness->stack;
	struct instance *chain[BPF_MAX_FRAMES], *caller = NULL;
	u32 f, i;

	for (f = 0; f <= st->curframe; f++) {
		slots[f] = ALL_SLOTS;
		caller = chain[f] = f && !caller ? NULL :
						   instance_of(ls, caller, st->frame[f], false);
	}
	if (!caller)
		return;
	if (chain[0]->dirty)
		settle(ls, chain[0]);
	for (f = 0; f <= st->curframe; f++) {
		slots[f] = live_before(caller, st->insn_idx, f);
		for (i = f; i < st->curframe; i++)
			slots[f] |= live_behind_call(env, chain[i], chain[i + 1]->callsite, f);
	}
}
