// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf_iter_scx_dsq: walking a DSQ while others insert and remove. A cursor
 * marks the place in the list; only tasks that were queued before the iteration
 * began are seen, which bounds it.
 *
 * The cursor is kept in a table of the CPU, and the iterator on the BPF stack
 * holds a handle to it: whatever a program writes there, the list stays whole.
 */
#include "ext.h"

/* handle: CPU and slot, and a constant that a zeroed or foreign value lacks */
#define ITER_MAGIC 0x5c8d0000ULL

static struct scx_iter *iter_of(const struct bpf_iter_scx_dsq *it)
{
	u64 handle = it->__opaque[0], cpu = handle >> 32 & 0xffff, slot = handle & 0xffff;

	if ((handle & 0xffff0000) != ITER_MAGIC || cpu >= nr_cpu_ids || slot >= SCX_MAX_ITERS)
		return NULL;
	struct scx_iter *iter = &kernel.rqs[cpu]->scx->iters[slot];

	return iter->dsq ? iter : NULL;
}

int scx_iter_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags)
{
	struct scx_cpu *sc = this_scx();
	struct scx_dsq *dsq;
	u32 slot = 0;

	it->__opaque[0] = 0;
	if (flags & ~(u64)__SCX_DSQ_ITER_USER_FLAGS)
		return -EINVAL;
	dsq = find_user_dsq(dsq_id);
	if (!dsq)
		return -ENOENT;
	while (slot < SCX_MAX_ITERS && sc->iters[slot].dsq)
		slot++;
	if (slot == SCX_MAX_ITERS)
		return -ENOSPC;
	sc->iters[slot] = (struct scx_iter){ .dsq = dsq };
	INIT_LIST_HEAD(&sc->iters[slot].cursor.node);
	sc->iters[slot].cursor.flags = SCX_DSQ_LNODE_ITER_CURSOR | (u32)flags;
	sc->iters[slot].cursor.priv = dsq->q.seq;
	it->__opaque[0] = (u64)this_cpu->id << 32 | ITER_MAGIC | slot;
	return 0;
}

static bool queued_later(const struct scx_iter *iter, const struct task_struct *p)
{
	return (s32)(iter->cursor.priv - p->scx.dsq_seq) < 0;
}

struct task_struct *scx_iter_next(struct bpf_iter_scx_dsq *it)
{
	struct scx_iter *iter = iter_of(it);
	struct list_head *pos = NULL;
	struct task_struct *p;
	bool reverse;

	if (!iter)
		return NULL;
	reverse = iter->cursor.flags & SCX_DSQ_ITER_REV;
	dsq_lock(&iter->dsq->q);
	if (!list_empty(&iter->cursor.node))
		pos = &iter->cursor.node;
	do {
		p = dsq_next_task(&iter->dsq->q, pos, reverse);
		pos = p ? &p->scx.dsq_list.node : NULL;
	} while (p && queued_later(iter, p));
	if (!p)
		list_del_init(&iter->cursor.node);
	else if (reverse)
		list_move_tail(&iter->cursor.node, &p->scx.dsq_list.node);
	else
		list_move(&iter->cursor.node, &p->scx.dsq_list.node);
	dsq_unlock(&iter->dsq->q);
	return p;
}

static void iter_close(struct scx_iter *iter)
{
	list_del_init(&iter->cursor.node);
	iter->dsq = NULL;
}

void scx_iter_destroy(struct bpf_iter_scx_dsq *it)
{
	struct scx_iter *iter = iter_of(it);

	it->__opaque[0] = 0;
	if (!iter)
		return;
	dsq_lock(&iter->dsq->q);
	struct scx_dsq *dsq = iter->dsq;

	iter_close(iter);
	dsq_unlock(&dsq->q);
}

void scx_iters_abort(void)
{
	struct scx_cpu *sc = this_scx();

	for (u32 slot = 0; slot < SCX_MAX_ITERS; slot++) {
		if (sc->iters[slot].dsq)
			iter_close(&sc->iters[slot]);
	}
}

void scx_iters_end(void)
{
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct scx_cpu *sc = kernel.rqs[cpu]->scx;

		for (u32 slot = 0; slot < SCX_MAX_ITERS; slot++) {
			if (sc->iters[slot].dsq)
				iter_close(&sc->iters[slot]);
		}
	}
}

void scx_iter_set_slice(struct bpf_iter_scx_dsq *it, u64 slice)
{
	struct scx_iter *iter = iter_of(it);

	if (!iter)
		return;
	iter->slice = slice;
	iter->cursor.flags |= __SCX_DSQ_ITER_HAS_SLICE;
}

void scx_iter_set_vtime(struct bpf_iter_scx_dsq *it, u64 vtime)
{
	struct scx_iter *iter = iter_of(it);

	if (!iter)
		return;
	iter->vtime = vtime;
	iter->cursor.flags |= __SCX_DSQ_ITER_HAS_VTIME;
}

/* With the DSQ and the task's rq locked; both are taken care of. Returns the locked rq. */
static struct rq *iter_move_locked(struct scx_iter *iter, struct rq *this_rq,
				   struct task_struct *p, u64 dsq_id, u64 enq_flags)
{
	struct scx_dispatch_q *dst = find_dsq_for_dispatch(this_rq, dsq_id, p);

	if (iter->cursor.flags & __SCX_DSQ_ITER_HAS_VTIME)
		p->scx.dsq_vtime = iter->vtime;
	if (iter->cursor.flags & __SCX_DSQ_ITER_HAS_SLICE)
		p->scx.slice = iter->slice;
	return move_task_between_dsqs(p, enq_flags, &iter->dsq->q, dst);
}

bool scx_iter_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 dsq_id,
		   u64 enq_flags)
{
	struct rq *rq = this_rq(), *src = task_rq(p), *locked = src;
	struct scx_iter *iter = iter_of(it);
	bool in_balance = rq->scx.flags & SCX_RQ_IN_BALANCE, moved = false;

	if (!iter)
		return false;
	if (curr_task()->scx.kf_mask && !scx_kf_allowed(SCX_KF_DISPATCH))
		return false;
	/* from ops.dispatch() our rq is locked, from elsewhere none is */
	if (!in_balance) {
		rq_lock(src);
	} else if (rq != src) {
		rq_unlock(rq);
		rq_lock(src);
	}
	dsq_lock(&iter->dsq->q);
	if (p->scx.dsq == &iter->dsq->q && !queued_later(iter, p) && p->scx.holding_cpu < 0 &&
	    task_rq(p) == src) {
		locked = iter_move_locked(iter, rq, p, dsq_id, enq_flags);
		moved = true;
	} else {
		dsq_unlock(&iter->dsq->q);
	}
	if (!in_balance) {
		rq_unlock(locked);
	} else if (locked != rq) {
		rq_unlock(locked);
		rq_lock(rq);
	}
	iter->cursor.flags &= ~(__SCX_DSQ_ITER_HAS_SLICE | __SCX_DSQ_ITER_HAS_VTIME);
	return moved;
}
