// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is not known of checkpoints in loops until the loop is done.
 *
 * A path may end at a checkpoint whose own future has not been followed to its
 * end: at an iterator's next, at may_goto and where callbacks are called, a loop
 * ends when a state comes that an earlier pass covers. What that future will
 * find to have mattered must then reach this path, too, and what this path finds
 * may matter to that future, in a circle:
 *
 *	.-> A --.	B ends at A before C has been looked at: the marks that A
 *	|   v   v	has then are not all. C marks numbers at A afterwards,
 *	'-- B   C	which B's numbers become, and those A's in turn.
 *
 * So such an end is kept as a back edge, with a copy of the state. When the
 * checkpoint through which the path entered the loop has no open paths left, all
 * of the loop has been followed, and marks are propagated over its back edges
 * until nothing changes. Before that, whatever checkpoint of the loop covers a
 * path must do so with all numbers (RANGE_WITHIN), since any may come to matter,
 * and becomes the target of a back edge itself.
 *
 * A loop is a strongly connected component, of the outermost frame that is in
 * one; with the calls that led to that frame it is a visit of the loop. All
 * checkpoints between the entry of a visit and a back edge belong to it, so none
 * that back edges are propagated through is freed before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "prune.h"

#define MAX_BACKEDGE_ROUNDS 64

struct backedge {
	struct list_head node;
	struct bpf_verifier_state state;
	const struct checkpoint *target;
};

struct loop_visit {
	struct loop_visit *next; /* of the same loop */
	u32 callsites[BPF_MAX_FRAMES], nr_callsites;
	u32 async_entry_cnt; /* of an asynchronous callback: which call of it */
	const struct checkpoint *entry; /* NULL: no path is in it */
	struct list_head backedges;
};

/* --- visits ----------------------------------------------------------------------- */

static struct loop_visit *find_visit(struct bpf_prune *p, u32 scc, u32 async_entry_cnt,
				     const u32 *callsites, u32 nr)
{
	struct loop_visit *v;

	for (v = p->visits[scc]; v; v = v->next)
		if (v->nr_callsites == nr && v->async_entry_cnt == async_entry_cnt &&
		    !memcmp(v->callsites, callsites, nr * sizeof(*callsites)))
			return v;
	v = xcalloc(1, sizeof(*v));
	memcpy(v->callsites, callsites, nr * sizeof(*callsites));
	v->nr_callsites = nr;
	v->async_entry_cnt = async_entry_cnt;
	INIT_LIST_HEAD(&v->backedges);
	v->next = p->visits[scc];
	p->visits[scc] = v;
	return v;
}

void loop_enter(struct bpf_verifier_env *env, struct checkpoint *cp)
{
	u32 callsites[BPF_MAX_FRAMES], f, insn, scc;

	for (f = 0; f <= cp->state.curframe; f++) {
		insn = frame_insn_idx(&cp->state, f);
		scc = env->aux[insn].scc;
		if (scc) {
			cp->visit = find_visit(env->prune, scc,
					       cp->state.frame[0]->async_entry_cnt, callsites, f);
			if (!cp->visit->entry)
				cp->visit->entry = cp;
			return;
		}
		callsites[f] = insn;
	}
}

bool loop_is_open(const struct checkpoint *cp)
{
	return cp->visit && !list_empty(&cp->visit->backedges);
}

/* --- back edges ------------------------------------------------------------------- */

static void free_backedges(struct bpf_prune *p, struct loop_visit *visit)
{
	while (!list_empty(&visit->backedges)) {
		struct backedge *edge = container_of(visit->backedges.next, struct backedge, node);

		list_del_init(&edge->node);
		state_free_content(&edge->state);
		free(edge);
		p->nr_backedges--;
	}
}

int loop_add_backedge(struct bpf_verifier_env *env, struct checkpoint *cp)
{
	struct backedge *edge;

	if (!cp->visit) {
		verbose(env, "BUG add backedge: no SCC in verification path, insn_idx %u\n",
			cp->state.insn_idx);
		return -EFAULT;
	}
	edge = xcalloc(1, sizeof(*edge));
	state_copy(&edge->state, env->cur);
	state_copy_history(&edge->state, env->cur);
	edge->state.parent = env->cur->parent;
	edge->target = cp;
	list_add(&edge->node, &cp->visit->backedges);
	env->prune->nr_backedges++;
	return 0;
}

/* Once over all back edges of @visit. 1: something has changed. */
static int propagate_round(struct bpf_verifier_env *env, struct loop_visit *visit)
{
	bool changed = false;
	struct list_head *pos;
	int err;

	for (pos = visit->backedges.next; pos != &visit->backedges; pos = pos->next) {
		struct backedge *edge = container_of(pos, struct backedge, node);

		err = propagate_precision(env, &edge->target->state, &edge->state, &changed);
		if (err)
			return err;
	}
	return changed;
}

static int propagate_backedges(struct bpf_verifier_env *env, struct loop_visit *visit)
{
	struct list_head *pos;
	u32 rounds = 0;
	int ret;

	do {
		ret = propagate_round(env, visit);
	} while (ret > 0 && ++rounds < MAX_BACKEDGE_ROUNDS);
	if (ret < 0)
		return ret;
	/* it may take long: say that everything matters */
	for (pos = visit->backedges.next; ret && pos != &visit->backedges; pos = pos->next)
		mark_all_scalars_precise(env, &container_of(pos, struct backedge, node)->state);
	free_backedges(env->prune, visit);
	return 0;
}

int loop_leave(struct bpf_verifier_env *env, struct checkpoint *cp)
{
	if (!cp->visit || cp->visit->entry != cp)
		return 0;
	cp->visit->entry = NULL;
	return propagate_backedges(env, cp->visit);
}

void loops_forget(struct bpf_verifier_env *env)
{
	struct bpf_prune *p = env->prune;
	struct loop_visit *v;

	for (u32 i = 0; i <= p->nr_scc; i++) {
		while ((v = p->visits[i])) {
			p->visits[i] = v->next;
			free_backedges(p, v);
			free(v);
		}
	}
}
