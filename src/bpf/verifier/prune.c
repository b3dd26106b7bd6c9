// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checkpoints: states that paths went through. A path need not be followed
 * further when it comes to a state that a checkpoint covers all of whose paths
 * were followed to their end (branches == 0): everything that can happen has
 * been looked at there, and what mattered to it matters to this path.
 *
 * A checkpoint that has open paths is an earlier moment of the same path. That
 * the same state comes again then means an endless loop, unless what ends the
 * loop is not in the state: an iterator's next, may_goto and the number of calls
 * of a callback. There it means that the loop has converged (loops.c).
 *
 * Memory: a checkpoint is the parent of the states behind it and lives until
 * none of them has an open path; those of little use are then freed, the others
 * with the pass.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "prune.h"

#define MAX_HISTORY 40 /* entries, before a checkpoint is made wherever one can be */

/* What looking at a checkpoint has told. */
enum match { MISS, HIT, HIT_LOOP };

struct search {
	u32 insn_idx;
	bool force; /* there must be a new checkpoint */
	bool add; /* there should be */
	u32 seen;
};

/* --- made and freed --------------------------------------------------------------- */

int prune_init(struct bpf_verifier_env *env)
{
	struct bpf_prune *p = xcalloc(1, sizeof(*p));
	u32 *scc = xcalloc(env->len, sizeof(*scc)), i;

	env->prune = p;
	p->nr_heads = env->len;
	p->heads = xcalloc(p->nr_heads, sizeof(*p->heads));
	for (i = 0; i < p->nr_heads; i++)
		INIT_LIST_HEAD(&p->heads[i]);
	INIT_LIST_HEAD(&p->evicted);
	mark_prune_points(env);
	p->nr_scc = find_sccs(env->prog, scc);
	for (i = 0; i < env->len; i++) {
		/* what calls a callback goes on with itself after each call */
		if (!scc[i] && env->aux[i].calls_callback)
			scc[i] = ++p->nr_scc;
		env->aux[i].scc = scc[i];
	}
	p->visits = xcalloc(p->nr_scc + 1, sizeof(*p->visits));
	free(scc);
	return 0;
}

static void free_checkpoint(struct bpf_prune *p, struct checkpoint *cp)
{
	list_del_init(&cp->node);
	state_free_content(&cp->state);
	free(cp);
	p->nr_checkpoints--;
}

static void free_list(struct bpf_prune *p, struct list_head *head)
{
	while (!list_empty(head))
		free_checkpoint(p, container_of(head->next, struct checkpoint, node));
}

void prune_forget(struct bpf_verifier_env *env)
{
	struct bpf_prune *p = env->prune;

	loops_forget(env);
	for (u32 i = 0; i < p->nr_heads; i++)
		free_list(p, &p->heads[i]);
	free_list(p, &p->evicted);
}

void prune_free(struct bpf_verifier_env *env)
{
	struct bpf_prune *p = env->prune;

	if (!p)
		return;
	prune_forget(env);
	free(p->heads);
	free(p->visits);
	free(p);
	env->prune = NULL;
}

static void count_peak(struct bpf_verifier_env *env)
{
	env->peak_states = max(env->peak_states,
			       env->prune->nr_checkpoints + env->prune->nr_backedges);
}

/* An evicted checkpoint that nobody goes back to any more. */
static void maybe_free(struct bpf_verifier_env *env, struct checkpoint *cp)
{
	if (cp->evicted && !cp->state.branches && !loop_is_open(cp))
		free_checkpoint(env->prune, cp);
}

int update_branch_counts(struct bpf_verifier_env *env, struct bpf_verifier_state *st)
{
	struct bpf_verifier_state *parent, *next;
	int err;

	for (parent = st->parent; parent; parent = next) {
		struct checkpoint *cp = checkpoint_of(parent);

		VRT_ASSERT(parent->branches);
		if (--parent->branches)
			return 0;
		err = loop_leave(env, cp);
		if (err)
			return err;
		next = parent->parent;
		maybe_free(env, cp);
	}
	return 0;
}

/* --- lists ------------------------------------------------------------------------ */

static struct list_head *list_of(const struct bpf_prune *p, const struct bpf_verifier_state *st,
				 u32 insn_idx)
{
	return &p->heads[(insn_idx ^ cur_func_of(st)->callsite) % p->nr_heads];
}

struct bpf_verifier_state *find_prev_entry(struct bpf_verifier_env *env,
					   struct bpf_verifier_state *cur, u32 insn_idx)
{
	struct list_head *head, *pos;

	if (!cur)
		return NULL;
	head = list_of(env->prune, cur, insn_idx);
	for (pos = head->next; pos != head; pos = pos->next) { /* the most recent first */
		struct bpf_verifier_state *st = &container_of(pos, struct checkpoint, node)->state;

		if (st->insn_idx == insn_idx && st->branches && st->dfs_depth < cur->dfs_depth &&
		    same_callsites(st, cur))
			return st;
	}
	return NULL;
}

static void evict(struct bpf_verifier_env *env, struct checkpoint *cp)
{
	cp->evicted = true;
	list_move(&cp->node, &env->prune->evicted);
	maybe_free(env, cp);
}

/* --- dead slots ------------------------------------------------------------------- */

static void clean_func(struct bpf_func_state *func, u64 live)
{
	for (u32 i = 0; i < func->allocated_stack / BPF_REG_SIZE; i++) {
		if (live >> i & 1)
			continue;
		reg_mark_not_init(&func->stack[i].spilled_ptr);
		memset(func->stack[i].slot_type, STACK_INVALID, BPF_REG_SIZE);
	}
}

/* Of a checkpoint whose future is known: what nobody reads need not be compared. */
static void clean(struct bpf_verifier_env *env, struct checkpoint *cp)
{
	u64 live[BPF_MAX_FRAMES];

	if (cp->cleaned || cp->state.branches || loop_is_open(cp))
		return;
	live_stack_slots(env, &cp->state, live);
	for (u32 f = 0; f <= cp->state.curframe; f++)
		clean_func(cp->state.frame[f], live[f]);
	cp->cleaned = true;
}

/* --- checkpoints with open paths -------------------------------------------------- */

/* Is the iterator that the next at hand is called with, by r1, one that goes on? */
static bool iter_is_active(const struct bpf_verifier_state *st)
{
	const struct bpf_reg_state *r1 = &cur_func_of(st)->regs[BPF_REG_1];
	const struct bpf_func_state *func;
	s64 spi;

	if (r1->type != PTR_TO_STACK || !tnum_is_const(r1->s.var_off) ||
	    r1->frameno > st->curframe)
		return false;
	func = st->frame[r1->frameno];
	spi = (-(r1->off + (s64)r1->s.var_off.value) - 1) / BPF_REG_SIZE;
	return spi >= 0 && spi < func->allocated_stack / BPF_REG_SIZE &&
	       func->stack[spi].slot_type[BPF_REG_SIZE - 1] == STACK_ITER &&
	       func->stack[spi].spilled_ptr.iter.state == BPF_ITER_STATE_ACTIVE;
}

static bool iter_depths_differ(const struct bpf_verifier_state *old,
			       const struct bpf_verifier_state *cur)
{
	for (u32 f = 0; f <= old->curframe; f++) {
		const struct bpf_func_state *a = old->frame[f], *b = cur->frame[f];

		for (u32 i = 0; i < a->allocated_stack / BPF_REG_SIZE; i++)
			if (a->stack[i].slot_type[0] == STACK_ITER &&
			    a->stack[i].spilled_ptr.iter.state == BPF_ITER_STATE_ACTIVE &&
			    a->stack[i].spilled_ptr.iter.depth !=
				    b->stack[i].spilled_ptr.iter.depth)
				return true;
	}
	return false;
}

/* Mostly they differ in a register, dead or not, which is soon seen. */
static bool may_be_endless(const struct bpf_verifier_state *old,
			   const struct bpf_verifier_state *cur)
{
	if (old->curframe != cur->curframe)
		return false;
	for (u32 i = 0; i < MAX_BPF_REG_NR; i++)
		if (!regs_same(&cur_func_of(old)->regs[i], &cur_func_of(cur)->regs[i]))
			return false;
	return true;
}

/* The same state as on an earlier pass, and nothing outside of it that makes a difference. */
static bool is_endless(struct bpf_verifier_env *env, const struct bpf_verifier_state *old,
		       const struct bpf_verifier_state *cur)
{
	return old->may_goto_depth == cur->may_goto_depth &&
	       old->callback_unroll_depth == cur->callback_unroll_depth &&
	       may_be_endless(old, cur) && states_equal(env, old, cur, EXACT) &&
	       !iter_depths_differ(old, cur);
}

static int report_endless(struct bpf_verifier_env *env, const struct bpf_verifier_state *old)
{
	verbose_linfo(env, env->insn_idx);
	verbose(env, "infinite loop detected at insn %u\n", env->insn_idx);
	verbose(env, "cur state:");
	print_verifier_state(env, env->cur, env->cur->curframe, true);
	verbose(env, "old state:");
	print_verifier_state(env, old, old->curframe, true);
	return -EINVAL;
}

/*
 * Asynchronous callbacks are followed while the path that registered them waits,
 * of which they are no part: another call of one is no loop, and its ends are not
 * those of a loop of another call.
 */
static bool same_async_call(const struct bpf_verifier_state *old,
			    const struct bpf_verifier_state *cur)
{
	return old->frame[0]->async_entry_cnt == cur->frame[0]->async_entry_cnt;
}

/* @old has open paths. enum match, or -errno. */
static int match_open(struct bpf_verifier_env *env, const struct bpf_verifier_state *old,
		      u32 insn_idx)
{
	const struct bpf_verifier_state *cur = env->cur;
	const struct bpf_insn_aux *aux = &env->aux[insn_idx];

	if (!same_async_call(old, cur))
		return MISS;
	if (aux->is_iter_next)
		return states_equal(env, old, cur, RANGE_WITHIN) && iter_is_active(cur) ? HIT_LOOP :
											  MISS;
	if (is_may_goto_insn(&env->insns[insn_idx]) && old->may_goto_depth != cur->may_goto_depth &&
	    states_equal(env, old, cur, RANGE_WITHIN))
		return HIT_LOOP;
	if (aux->calls_callback)
		return states_equal(env, old, cur, RANGE_WITHIN) ? HIT_LOOP : MISS;
	return is_endless(env, old, cur) ? report_endless(env, old) : MISS;
}

/* --- looking for a checkpoint ----------------------------------------------------- */

static int match(struct bpf_verifier_env *env, struct search *s, struct checkpoint *cp)
{
	bool open;
	int ret;

	if (cp->state.branches) {
		ret = match_open(env, &cp->state, s->insn_idx);
		/* passes of a loop differ: states at its end help, not all of those on the way */
		if (ret == MISS && !s->force &&
		    env->jmps_processed - env->prev_jmps_processed < 20 &&
		    env->insn_processed - env->prev_insn_processed < 100)
			s->add = false;
		return ret;
	}
	clean(env, cp);
	open = loop_is_open(cp);
	if (!open && bpf_env->unpruned)
		return MISS;
	if (open && !same_async_call(&cp->state, env->cur))
		return MISS;
	if (!states_equal(env, &cp->state, env->cur, open ? RANGE_WITHIN : NOT_EXACT))
		return MISS;
	return open ? HIT_LOOP : HIT;
}

/* The path ends here: @cp covers it. */
static int take_hit(struct bpf_verifier_env *env, struct checkpoint *cp, bool loop)
{
	bool changed = false;
	int err = 0;

	cp->hits++;
	facts_of_pruned(env, &cp->state, env->cur);
	if (env->aux[env->insn_idx].jmp_point)
		err = push_jmp_history(env, 0, NULL);
	err = err ?: propagate_precision(env, &cp->state, env->cur, &changed);
	if (loop)
		err = err ?: loop_add_backedge(env, cp);
	count_peak(env);
	return err ?: 1;
}

static void take_miss(struct bpf_verifier_env *env, const struct search *s, struct checkpoint *cp)
{
	u32 patience = env->aux[s->insn_idx].force_checkpoint && cp->state.branches ? 64 : 3;

	if (s->add)
		cp->misses++;
	if (cp->misses > cp->hits * patience + patience)
		evict(env, cp);
}

/* 1: the path is covered; 0: it is not; or -errno. */
static int search(struct bpf_verifier_env *env, struct search *s)
{
	struct list_head *head = list_of(env->prune, env->cur, s->insn_idx), *pos, *next;
	int ret;

	for (pos = head->next; pos != head; pos = next) {
		struct checkpoint *cp = container_of(pos, struct checkpoint, node);

		next = pos->next;
		if (cp->state.insn_idx != s->insn_idx)
			continue;
		s->seen++;
		ret = match(env, s, cp);
		if (ret < 0)
			return ret;
		if (ret != MISS)
			return take_hit(env, cp, ret == HIT_LOOP);
		take_miss(env, s, cp);
	}
	return 0;
}

/* --- making one ------------------------------------------------------------------- */

static void forget_accesses(struct bpf_verifier_state *st)
{
	for (u32 f = 0; f <= st->curframe; f++) {
		st->frame[f]->written_regs = st->frame[f]->read_regs = 0;
		st->frame[f]->written_slots = st->frame[f]->read_slots = 0;
	}
}

static void add_checkpoint(struct bpf_verifier_env *env, u32 insn_idx)
{
	struct bpf_verifier_state *cur = env->cur;
	struct checkpoint *cp = xcalloc(1, sizeof(*cp));

	mark_all_scalars_imprecise(env, cur);
	state_copy(&cp->state, cur);
	cp->state.parent = cur->parent;
	cp->state.jmp_history = cur->jmp_history;
	cp->state.jmp_history_cnt = cur->jmp_history_cnt;
	cp->state.insn_idx = insn_idx;
	cp->state.branches = 1;
	loop_enter(env, cp);
	list_add(&cp->node, list_of(env->prune, cur, insn_idx));
	env->prune->nr_checkpoints++;
	env->total_states++;
	count_peak(env);
	env->prev_jmps_processed = env->jmps_processed;
	env->prev_insn_processed = env->insn_processed;

	/* the current path begins anew behind it */
	cur->parent = &cp->state;
	cur->first_insn_idx = insn_idx;
	cur->dfs_depth = cp->state.dfs_depth + 1;
	cur->jmp_history = NULL;
	cur->jmp_history_cnt = 0;
	forget_accesses(cur);
}

int is_state_visited(struct bpf_verifier_env *env, u32 insn_idx)
{
	struct search s = { .insn_idx = insn_idx };
	int ret;

	s.force = env->test_state_freq || env->aux[insn_idx].force_checkpoint ||
		  env->cur->jmp_history_cnt > MAX_HISTORY;
	/* most prune points are too near to each other to be worth a checkpoint */
	s.add = s.force || (env->jmps_processed - env->prev_jmps_processed >= 2 &&
			    env->insn_processed - env->prev_insn_processed >= 8);
	ret = search(env, &s);
	env->max_states_per_insn = max(env->max_states_per_insn, s.seen);
	if (!ret && s.add)
		add_checkpoint(env, insn_idx);
	return ret;
}
