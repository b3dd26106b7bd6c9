/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checkpoints, inside of what decides that a path need not be followed further:
 *
 *	prune.c		is_state_visited(): looks for a checkpoint that covers the path,
 *			and makes new ones
 *	compare.c	does a state cover another
 *	loops.c		what is not known of checkpoints in loops until the loop is done
 *	prune_points.c	where checkpoints are looked for
 *	scc.c		where loops are
 */
#ifndef VRT_BPF_VERIFIER_PRUNE_H
#define VRT_BPF_VERIFIER_PRUNE_H

#include "../../base/list.h"
#include "verifier.h"

struct loop_visit; /* loops.c */

struct checkpoint {
	struct list_head node; /* of its list in bpf_prune.heads, or of evicted ones */
	struct bpf_verifier_state state;
	struct loop_visit *visit; /* the loop that it is in; NULL: none */
	u32 hits, misses;
	bool evicted; /* not looked at any more: was of little use */
	bool cleaned; /* dead slots are gone */
};

/* Ids of an old state, and what they are in the current one. */
#define IDMAP_SIZE ((MAX_BPF_REG_NR + BPF_SLOTS) * BPF_MAX_FRAMES)
struct idmap {
	u32 cnt, tmp_id;
	struct {
		u32 old, cur;
	} map[IDMAP_SIZE];
};

struct bpf_prune {
	struct list_head *heads; /* checkpoints by instruction and call site; nr_heads lists */
	u32 nr_heads;
	struct list_head evicted;
	u32 nr_checkpoints, nr_backedges;
	struct loop_visit **visits; /* by component, from 1 */
	u32 nr_scc;
	struct idmap idmap;
};

static inline struct checkpoint *checkpoint_of(struct bpf_verifier_state *st)
{
	return container_of(st, struct checkpoint, state);
}

/* The instruction that frame @f of @st is at: of callers, the call. */
static inline u32 frame_insn_idx(const struct bpf_verifier_state *st, u32 f)
{
	return f == st->curframe ? st->insn_idx : st->frame[f + 1]->callsite;
}

/* --- compare.c -------------------------------------------------------------------- */

enum exact_level {
	NOT_EXACT, /* numbers that did not matter may be anything */
	RANGE_WITHIN, /* all numbers must be within the old ones: it is not known what matters */
	EXACT,
};

/* Is whatever may happen from @cur on something that was followed from @old on? */
bool states_equal(struct bpf_verifier_env *env, const struct bpf_verifier_state *old,
		  const struct bpf_verifier_state *cur, enum exact_level level);
/* Exactly so, ids included. */
bool regs_same(const struct bpf_reg_state *a, const struct bpf_reg_state *b);
bool same_callsites(const struct bpf_verifier_state *a, const struct bpf_verifier_state *b);

/* --- loops.c ---------------------------------------------------------------------- */

/* @cp was made: is it in a loop, or the first in one? */
void loop_enter(struct bpf_verifier_env *env, struct checkpoint *cp);
/* No path goes on from @cp any more. 0 or -errno. */
int loop_leave(struct bpf_verifier_env *env, struct checkpoint *cp);
/* Is there something that is not known of @cp until its loop is done? */
bool loop_is_open(const struct checkpoint *cp);
/* The current path ends at @cp: precision of @cp's future is to be propagated when it is known. */
int loop_add_backedge(struct bpf_verifier_env *env, struct checkpoint *cp);
void loops_forget(struct bpf_verifier_env *env);

/* --- prune_points.c, scc.c -------------------------------------------------------- */

/* aux[]: prune, jump and force points, callbacks, iterators. */
void mark_prune_points(struct bpf_verifier_env *env);
/* By instruction, the number of its loop from 1 on, or 0; returns how many there are. */
u32 find_sccs(const struct bpf_prog *prog, u32 *scc);

#endif
