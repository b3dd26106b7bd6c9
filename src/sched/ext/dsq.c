// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dispatch queues: FIFO or ordered by vtime, local, global (one per node) or
 * made by the scheduler.
 *
 * Locking: a local DSQ is under its rq's lock, every other one under its own,
 * which nests inside an rq lock. p->scx.dsq changes only with the task's rq
 * locked, and with the DSQ locked too.
 *
 * Invariant: q->nr tasks are on q->list, cursors of iterators not counted, and
 * a vtime queue's list is in the order of its tree.
 */
#include "../../base/alloc.h"
#include "ext.h"

#define DSQ_HASH_MIN_BITS 8

static struct list_head *dsq_bucket(u64 id)
{
	return &scx.hash[(id * 0x9e3779b97f4a7c15ULL) >> (64 - scx.hash_bits)];
}

/* Twice as many buckets, when there are as many DSQs as buckets. */
static void grow_hash(void)
{
	struct scx_dsq *dsq;
	u32 nr;

	scx.hash_bits = scx.hash ? scx.hash_bits + 1 : DSQ_HASH_MIN_BITS;
	nr = 1u << scx.hash_bits;
	scx.hash = xreallocarray(scx.hash, nr, sizeof(*scx.hash));
	for (u32 i = 0; i < nr; i++)
		INIT_LIST_HEAD(&scx.hash[i]);
	list_for_each_entry(dsq, &scx.dsqs, all) {
		INIT_LIST_HEAD(&dsq->hash);
		if (!dsq->destroyed)
			list_add_tail(&dsq->hash, dsq_bucket(dsq->q.id));
	}
}

void init_dsq(struct scx_dispatch_q *q, u64 id)
{
	memset(q, 0, sizeof(*q));
	INIT_LIST_HEAD(&q->list);
	q->id = id;
}

struct scx_dsq *find_user_dsq(u64 id)
{
	struct scx_dsq *dsq = scx.found;

	if (dsq && dsq->q.id == id)
		return dsq;
	if (!scx.hash)
		return NULL;
	list_for_each_entry(dsq, dsq_bucket(id), hash) {
		if (dsq->q.id == id)
			return scx.found = dsq;
	}
	return NULL;
}

struct scx_dsq *alloc_dsq(u64 id)
{
	struct scx_dsq *dsq = sched_alloc(OBJ_DSQ, sizeof(*dsq));

	init_dsq(&dsq->q, id);
	sim_lock_init(&dsq->lock);
	INIT_LIST_HEAD(&dsq->hash);
	INIT_LIST_HEAD(&dsq->all);
	return dsq;
}

int create_dsq(u64 id)
{
	struct scx_dsq *dsq;

	if (id & SCX_DSQ_FLAG_BUILTIN)
		return -EINVAL;
	cpu_sync();
	if (find_user_dsq(id))
		return -EEXIST;
	if (!scx.hash || scx.nr_dsqs >> scx.hash_bits)
		grow_hash();
	scx.nr_dsqs++;
	dsq = alloc_dsq(id);
	list_add_tail(&dsq->hash, dsq_bucket(id));
	list_add_tail(&dsq->all, &scx.dsqs);
	return 0;
}

/*
 * A destroyed DSQ keeps its memory until the scheduler is gone: a dispatch that
 * found it just before sees the invalid id and goes elsewhere.
 */
void destroy_dsq(u64 id)
{
	struct scx_dsq *dsq = find_user_dsq(id);

	if (!dsq)
		return;
	dsq_lock(&dsq->q);
	if (dsq->q.nr) {
		scx_error("attempting to destroy in-use dsq 0x%016llx (nr=%u)", dsq->q.id,
			  dsq->q.nr);
	} else if (!dsq->destroyed) {
		dsq->destroyed = true;
		if (scx.found == dsq)
			scx.found = NULL;
		list_del_init(&dsq->hash);
		dsq->q.id = SCX_DSQ_INVALID;
	}
	dsq_unlock(&dsq->q);
}

void destroy_all_dsqs(void)
{
	struct scx_dsq *dsq, *next;

	scx_iters_end();
	list_for_each_entry_safe(dsq, next, &scx.dsqs, all) {
		VRT_ASSERT(kernel.stopping || (!dsq->q.nr && list_empty(&dsq->q.list)));
		list_del_init(&dsq->hash);
		list_del_init(&dsq->all);
		kheap_free(dsq);
	}
	scx.found = NULL;
	scx.nr_dsqs = 0;
}

struct scx_dispatch_q *find_global_dsq(const struct task_struct *p)
{
	return &scx.global[topo_of(p->cpu)->node]->q;
}

struct scx_dispatch_q *find_dsq_for_dispatch(struct rq *rq, u64 id, struct task_struct *p)
{
	struct scx_dsq *dsq;

	if (id == SCX_DSQ_LOCAL)
		return &rq->scx.local_dsq;
	if ((id & SCX_DSQ_LOCAL_ON) == SCX_DSQ_LOCAL_ON) {
		s32 cpu = id & SCX_DSQ_LOCAL_CPU_MASK;

		if (!ops_cpu_valid(cpu, "in SCX_DSQ_LOCAL_ON dispatch verdict"))
			return find_global_dsq(p);
		return &cpu_rq(cpu)->scx.local_dsq;
	}
	if (id == SCX_DSQ_GLOBAL)
		return find_global_dsq(p);
	dsq = find_user_dsq(id);
	if (dsq)
		return &dsq->q;
	scx_error("non-existent DSQ 0x%llx for %s[%d]", id, p->comm, p->pid);
	return find_global_dsq(p);
}

void dsq_lock(struct scx_dispatch_q *q)
{
	u64 before = cpu_clock();

	sim_lock(&dsq_of(q)->lock);
	note_lock_time(before);
}

void dsq_unlock(struct scx_dispatch_q *q)
{
	sim_unlock(&dsq_of(q)->lock);
}

static bool is_cursor(const struct scx_dsq_list_node *node)
{
	return node->flags & SCX_DSQ_LNODE_ITER_CURSOR;
}

struct task_struct *dsq_next_task(struct scx_dispatch_q *q, struct list_head *pos, bool reverse)
{
	if (!pos)
		pos = &q->list;
	for (;;) {
		struct scx_dsq_list_node *node;

		pos = reverse ? pos->prev : pos->next;
		if (pos == &q->list)
			return NULL;
		node = list_entry(pos, struct scx_dsq_list_node, node);
		if (!is_cursor(node))
			return container_of(node, struct task_struct, scx.dsq_list);
	}
}

static bool vtime_less(const struct rb_node *a, const struct rb_node *b)
{
	return time_before64(rb_entry(a, struct task_struct, scx.dsq_priq)->scx.dsq_vtime,
			     rb_entry(b, struct task_struct, scx.dsq_priq)->scx.dsq_vtime);
}

/* Into the tree, and into the list behind its predecessor there. */
static void insert_by_vtime(struct scx_dispatch_q *q, struct task_struct *p)
{
	struct rb_node *prev;
	u32 levels = q->nr ? 32 - __builtin_clz(q->nr) : 0;

	/* a FIFO cannot turn into a vtime queue; visible on the first insertion only */
	if (RB_EMPTY_ROOT(&q->priq) && dsq_next_task(q, NULL, false))
		scx_error("DSQ ID 0x%016llx already had FIFO-enqueued tasks", q->id);
	charge_overhead(TRACE_OVH_BPF, levels * costs.dsq_insert_log);
	p->scx.dsq_flags |= SCX_TASK_DSQ_ON_PRIQ;
	rb_insert(&q->priq, &p->scx.dsq_priq, vtime_less, NULL);
	prev = rb_prev(&p->scx.dsq_priq);
	if (prev)
		list_add(&p->scx.dsq_list.node,
			 &rb_entry(prev, struct task_struct, scx.dsq_priq)->scx.dsq_list.node);
	else
		list_add(&p->scx.dsq_list.node, &q->list);
}

static void insert_fifo(struct scx_dispatch_q *q, struct task_struct *p, u64 enq_flags)
{
	if (!RB_EMPTY_ROOT(&q->priq))
		scx_error("DSQ ID 0x%016llx already had PRIQ-enqueued tasks", q->id);
	if (enq_flags & (SCX_ENQ_HEAD | SCX_ENQ_PREEMPT))
		list_add(&p->scx.dsq_list.node, &q->list);
	else
		list_add_tail(&p->scx.dsq_list.node, &q->list);
}

/* A task has come to a local DSQ: does the CPU have to look? */
static void local_dsq_post_enq(struct scx_dispatch_q *q, struct task_struct *p, u64 enq_flags)
{
	struct rq *rq = local_dsq_rq(q);
	bool preempt = false;

	/* it is looking already */
	if (rq->scx.flags & SCX_RQ_IN_BALANCE)
		return;
	if ((enq_flags & SCX_ENQ_PREEMPT) && p != rq->curr &&
	    class_of(rq->curr) == &ext_sched_class) {
		rq->curr->scx.slice = 0;
		preempt = true;
	}
	if (preempt || class_above(&ext_sched_class, class_of(rq->curr)))
		resched_curr(rq);
}

/* The insertion itself, with the queue locked. */
static void dsq_insert(struct scx_dispatch_q *q, struct task_struct *p, u64 enq_flags)
{
	VRT_ASSERT(!p->scx.dsq && list_empty(&p->scx.dsq_list.node));
	VRT_ASSERT(!(p->scx.dsq_flags & SCX_TASK_DSQ_ON_PRIQ));
	charge_overhead(TRACE_OVH_BPF, costs.dsq_insert);
	if ((q->id & SCX_DSQ_FLAG_BUILTIN) && (enq_flags & SCX_ENQ_DSQ_PRIQ)) {
		scx_error("cannot use vtime ordering for built-in DSQs");
		enq_flags &= ~SCX_ENQ_DSQ_PRIQ;
	}
	if (enq_flags & SCX_ENQ_DSQ_PRIQ)
		insert_by_vtime(q, p);
	else
		insert_fifo(q, p, enq_flags);
	p->scx.dsq_seq = ++q->seq;
	q->nr++;
	p->scx.dsq = q;
}

void dispatch_enqueue(struct scx_dispatch_q *q, struct task_struct *p, u64 enq_flags)
{
	if (dsq_is_local(q)) {
		dsq_insert(q, p, enq_flags);
		if (enq_flags & SCX_ENQ_CLEAR_OPSS)
			set_opss(p, SCX_OPSS_NONE);
		local_dsq_post_enq(q, p, enq_flags);
		return;
	}
	dsq_lock(q);
	if (q->id == SCX_DSQ_INVALID) {
		scx_error("attempting to dispatch to a destroyed dsq");
		dsq_unlock(q);
		q = find_global_dsq(p);
		dsq_lock(q);
	}
	dsq_insert(q, p, enq_flags);
	if (enq_flags & SCX_ENQ_CLEAR_OPSS)
		set_opss(p, SCX_OPSS_NONE);
	dsq_unlock(q);
}

void task_unlink_from_dsq(struct task_struct *p, struct scx_dispatch_q *q)
{
	VRT_ASSERT(p->scx.dsq == q && !list_empty(&p->scx.dsq_list.node) && q->nr);
	if (p->scx.dsq_flags & SCX_TASK_DSQ_ON_PRIQ) {
		rb_remove(&q->priq, &p->scx.dsq_priq, NULL);
		RB_CLEAR_NODE(&p->scx.dsq_priq);
		p->scx.dsq_flags &= ~SCX_TASK_DSQ_ON_PRIQ;
	}
	list_del_init(&p->scx.dsq_list.node);
	q->nr--;
}

void dispatch_dequeue(struct rq *rq, struct task_struct *p)
{
	struct scx_dispatch_q *q = p->scx.dsq;
	bool local = q == &rq->scx.local_dsq;

	if (!q) {
		/* on no DSQ, but perhaps on the list of deferred local dispatches */
		list_del_init(&p->scx.dsq_list.node);
		/* whoever is moving it finds that it has lost */
		p->scx.holding_cpu = -1;
		return;
	}
	if (!local)
		dsq_lock(q);
	if (p->scx.holding_cpu < 0) {
		task_unlink_from_dsq(p, q);
	} else {
		VRT_ASSERT(list_empty(&p->scx.dsq_list.node));
		p->scx.holding_cpu = -1;
	}
	p->scx.dsq = NULL;
	if (!local)
		dsq_unlock(q);
}
