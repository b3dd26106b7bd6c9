// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fair class: tasks in a hierarchy of queues, as of Linux 6.12.
 *
 * A CPU has the root's queue and one per task group. A group whose queue is not
 * empty is an entity in its parent's queue, so that on every level EEVDF
 * (fair/queue.c) decides among entities of one kind; the pick descends from the
 * root. Without groups there is one level, and every loop below has one round.
 *
 * Invariants (fair_check())
 * -------------------------
 * A group's entity is queued if and only if its queue is not empty or it leaves
 * with a delay, unless the queue is throttled. h_nr_running and its like count the
 * tasks in the queue and those below that are not throttled themselves; of the
 * root's queue that is what the class contributes to rq->nr_running. cfs_rq->curr
 * is set on every level above the running task, and nowhere else.
 *
 * A task that leaves with a delay stays queued although it sleeps, until it is
 * eligible: dequeue_task() returns false. It counts in rq->nr_running, as in Linux.
 *
 * Not modelled: cpu.idle, autogroups, core scheduling, NUMA balancing, buddies
 * (NEXT_BUDDY is off in Linux, and there is no yield_to()), HRTICK (off).
 *
 * Locking: the rq lock.
 */
#include "fair.h"

static void update_curr_fair(struct rq *rq)
{
	update_curr(rq->curr->se.cfs_rq);
}

/* --- joining and leaving ------------------------------------------------------------- */

/* Moves @p to this CPU's books, if it was last on another's. */
static void join_queue(struct rq *rq, struct task_struct *p)
{
	struct cfs_rq *old = p->se.cfs_rq;

	if (old == p->sched_task_group->cfs_rq[rq->cpu])
		return;
	pelt_detach(p);
	fair_set_task_queue(rq, p);
	p->se.exec_start = 0; /* cold here */
}

static void update_avg_idle(struct rq *rq)
{
	s64 delta;

	if (!rq->idle_stamp)
		return;
	delta = (s64)(rq->clock - rq->idle_stamp);
	rq->avg_idle += (delta - (s64)rq->avg_idle) / 8;
	rq->avg_idle = min(rq->avg_idle, 2 * fair_of(rq)->max_newidle_cost);
	rq->idle_stamp = 0;
}

static struct h_count task_count(const struct task_struct *p)
{
	return (struct h_count){ 1, task_of(p)->fair.counted_idle, p->se.sched_delayed };
}

/* A task begins or ends to be delayed. */
static void count_delayed(struct sched_entity *se, s32 nr)
{
	const struct h_count n = { .delayed = nr };

	for (; se; se = se->parent) {
		add_count(se->cfs_rq, &n);
		if (se->cfs_rq->throttled)
			return;
	}
}

/*
 * Queues the groups that @se's queue has made non-empty, and counts @n on every
 * level. False when a throttled one is in the way: above it nothing has changed.
 */
static bool enqueue_hierarchy(struct sched_entity *se, const struct h_count *n, u64 flags)
{
	u64 slice = 0;

	for (; se; se = se->parent) {
		if (se->on_rq) {
			if (se->sched_delayed)
				requeue_delayed_entity(se);
			break;
		}
		if (slice) {
			se->slice = slice;
			se->custom_slice = 1;
			charge_overhead(TRACE_OVH_SWITCH, costs.enqueue);
		}
		enqueue_entity(se, flags);
		add_count(se->cfs_rq, n);
		if (se->cfs_rq->throttled)
			return false;
		if (!se->parent)
			return true;
		slice = queue_min_slice(se->cfs_rq);
		flags = ENQUEUE_WAKEUP;
	}
	for (; se; se = se->parent) {
		pelt_update(se);
		update_group_weight(se);
		entity_set_slice(se, slice);
		add_count(se->cfs_rq, n);
		if (se->cfs_rq->throttled)
			return false;
		if (se->parent)
			slice = queue_min_slice(se->cfs_rq);
	}
	return true;
}

static void enqueue_task_fair(struct rq *rq, struct task_struct *p, u64 flags)
{
	struct sched_entity *se = &p->se;
	struct h_count n;

	if (flags & ENQUEUE_WAKEUP)
		update_avg_idle(rq);
	if (se->on_rq) {
		VRT_ASSERT(se->sched_delayed && se->cfs_rq->rq == rq);
		requeue_delayed_entity(se);
		count_delayed(se, -1);
		return;
	}
	join_queue(rq, p);
	VRT_ASSERT(se->cfs_rq->curr != se);
	if (se_weight(se) != task_weight(p))
		reweight_entity(se, (u64)task_weight(p) << LOAD_SHIFT);
	if (flags & ENQUEUE_INITIAL)
		pelt_init_util(rq, p);
	task_of(p)->fair.counted_idle = p->policy == SCHED_IDLE;
	n = task_count(p);
	if (!enqueue_hierarchy(se, &n, flags))
		return;
	rq->nr_running++;
	if (rq->nr_running >= 2)
		set_machine_overloaded(true);
	if (class_of(rq->curr) == &rt_sched_class)
		fair_server_start(rq);
}

enum dequeued { DEQUEUE_LATER, DEQUEUE_THROTTLED, DEQUEUE_DONE };

/*
 * Takes @se off its queue, and the groups that this empties off theirs.
 * DEQUEUE_LATER: a task that stays, delayed. A group that stays so is as good as
 * gone.
 */
static enum dequeued dequeue_hierarchy(struct sched_entity *se, const struct h_count *n, u64 flags)
{
	u64 slice;

	for (;; se = se->parent) {
		if (se->my_q)
			charge_overhead(TRACE_OVH_SWITCH, costs.dequeue);
		if (!dequeue_entity(se, flags) && !se->my_q)
			return DEQUEUE_LATER;
		sub_count(se->cfs_rq, n);
		if (se->cfs_rq->throttled)
			return DEQUEUE_THROTTLED;
		if (!se->parent)
			return DEQUEUE_DONE;
		if (se->cfs_rq->nr_running)
			break;
		flags |= DEQUEUE_SLEEP;
		flags &= ~(u64)(DEQUEUE_DELAYED | DEQUEUE_SPECIAL);
	}
	slice = queue_min_slice(se->cfs_rq);
	while ((se = se->parent)) {
		pelt_update(se);
		update_group_weight(se);
		entity_set_slice(se, slice);
		sub_count(se->cfs_rq, n);
		if (se->cfs_rq->throttled)
			return DEQUEUE_THROTTLED;
		if (se->parent)
			slice = queue_min_slice(se->cfs_rq);
	}
	return DEQUEUE_DONE;
}

static bool dequeue_task_fair(struct rq *rq, struct task_struct *p, u64 flags)
{
	bool was_sched_idle = sched_idle_cpu(rq->cpu);
	bool dead = p->__state == TASK_DEAD;
	struct h_count n = task_count(p);

	switch (dequeue_hierarchy(&p->se, &n, flags | (dead ? DEQUEUE_SPECIAL : 0))) {
	case DEQUEUE_LATER:
		count_delayed(&p->se, 1);
		return false;
	case DEQUEUE_DONE:
		rq->nr_running--;
		break;
	case DEQUEUE_THROTTLED:
		break;
	}
	if (dead)
		pelt_detach(p);
	if (!was_sched_idle && sched_idle_cpu(rq->cpu))
		fair_of(rq)->next_balance = rq->clock;
	return true;
}

void finish_delayed(struct rq *rq, struct sched_entity *se)
{
	struct task_struct *p = se->my_q ? NULL : task_of_se(se);
	struct h_count n = { 0 };

	VRT_ASSERT(se->sched_delayed && se->on_rq);
	if (p) {
		charge_overhead(TRACE_OVH_SWITCH, costs.dequeue);
		n = task_count(p);
	}
	if (dequeue_hierarchy(se, &n, DEQUEUE_SLEEP | DEQUEUE_DELAYED) == DEQUEUE_DONE)
		rq->nr_running -= n.nr;
	if (p)
		p->on_rq = 0;
}

/* --- the class ------------------------------------------------------------------------ */

/* The entity to run next in a queue; NULL: what was there has left, start again. */
static struct sched_entity *pick_entity(struct rq *rq, struct cfs_rq *cfs_rq)
{
	struct sched_entity *se;

	if (queued_curr(cfs_rq))
		update_curr(cfs_rq);
	if (check_cfs_rq_runtime(cfs_rq))
		return NULL;
	se = pick_eevdf(cfs_rq);
	VRT_ASSERT(se);
	if (!se->sched_delayed)
		return se;
	finish_delayed(rq, se);
	return NULL;
}

static struct task_struct *pick_task_fair(struct rq *rq)
{
	struct cfs_rq *cfs_rq = &rq->cfs;

	while (cfs_rq->nr_running) {
		struct sched_entity *se = pick_entity(rq, cfs_rq);

		if (se && !se->my_q)
			return task_of_se(se);
		if (se)
			charge_overhead(TRACE_OVH_SWITCH, costs.pick);
		cfs_rq = se ? se->my_q : &rq->cfs;
	}
	VRT_ASSERT(cfs_rq == &rq->cfs);
	return NULL;
}

static bool balance_fair(struct rq *rq, struct task_struct *prev)
{
	/* with quotas, what is runnable may turn out to be throttled */
	if ((fair_nr_runnable(rq) && !bandwidth_used()) || pick_task_fair(rq))
		return true;
	return fair_newidle_balance(rq);
}

static void set_next_task_fair(struct rq *rq, struct task_struct *p, bool first)
{
	struct sched_entity *se = &p->se;

	if (se->on_rq)
		list_move(&se->group_node, &fair_of(rq)->tasks);
	else /* about to leave, and has come to this class on the way: it was never queued here */
		join_queue(rq, p);
	/* as far as the group that the previous task was in, too */
	for (; se && se->cfs_rq->curr != se; se = se->parent) {
		set_next_entity(se);
		account_cfs_rq_runtime(se->cfs_rq, 0);
	}
	/* put there while it runs: it has to go */
	if (throttled_hierarchy(p->se.cfs_rq))
		resched_curr(rq);
	if (first)
		fair_update_misfit(rq, p);
}

/* Is @se a group that @p is in, at whatever depth? */
static bool contains(const struct sched_entity *se, const struct task_struct *p)
{
	const struct sched_entity *inner = &p->se;

	while (inner && inner->depth > se->depth)
		inner = inner->parent;
	return inner == se;
}

static void put_prev_task_fair(struct rq *rq, struct task_struct *p, struct task_struct *next)
{
	struct sched_entity *se = &p->se;

	if (next && class_of(next) != &fair_sched_class)
		next = NULL;
	put_prev_entity(se);
	while ((se = se->parent) && !(next && contains(se, next)))
		put_prev_entity(se);
}

static void yield_task_fair(struct rq *rq)
{
	if (rq->nr_running > 1)
		yield_entity(&rq->curr->se);
}

/* From the same queue up: the two entities that decide between two tasks. */
static void find_matching(struct sched_entity **a, struct sched_entity **b)
{
	while ((*a)->depth > (*b)->depth)
		*a = (*a)->parent;
	while ((*b)->depth > (*a)->depth)
		*b = (*b)->parent;
	while ((*a)->cfs_rq != (*b)->cfs_rq) {
		*a = (*a)->parent;
		*b = (*b)->parent;
	}
}

static bool is_idle_entity(const struct sched_entity *se)
{
	return !se->my_q && container_of(se, struct task_struct, se)->policy == SCHED_IDLE;
}

static void wakeup_preempt_fair(struct rq *rq, struct task_struct *p, u32 wake_flags)
{
	struct sched_entity *se = &rq->curr->se, *pse = &p->se;

	if (se == pse || throttled_hierarchy(pse->cfs_rq) || crq_of(rq)->need_resched)
		return;
	find_matching(&se, &pse);
	if (is_idle_entity(se) && !is_idle_entity(pse)) {
		cancel_slice(se);
		resched_curr(rq);
		return;
	}
	if (is_idle_entity(se) != is_idle_entity(pse) || p->policy != SCHED_NORMAL)
		return;
	if (entity_preempts(pse, se))
		resched_curr(rq);
}

static void task_tick_fair(struct rq *rq, struct task_struct *curr)
{
	struct sched_entity *se;

	for (se = &curr->se; se; se = se->parent) {
		update_curr(se->cfs_rq);
		pelt_update(se);
		update_group_weight(se);
	}
	fair_update_misfit(rq, curr);
}

static void reweight_task_fair(struct rq *rq, struct task_struct *p, u32 weight)
{
	/* the core has taken it off its queue */
	VRT_ASSERT(!p->se.on_rq);
	reweight_entity(&p->se, (u64)weight << LOAD_SHIFT);
}

static void switching_from_fair(struct rq *rq, struct task_struct *p)
{
	/* it sleeps, and is queued here only: its new class must not see it runnable */
	if (p->se.sched_delayed)
		finish_delayed(rq, &p->se);
}

static void switched_from_fair(struct rq *rq, struct task_struct *p)
{
	VRT_ASSERT(!p->se.on_rq && !p->se.sched_delayed);
	pelt_detach(p);
}

static void rq_online_fair(struct rq *rq)
{
	fair_update_base_slice();
	bandwidth_rq_online(rq);
}

static void rq_offline_fair(struct rq *rq)
{
	struct task_group *tg;

	fair_update_base_slice();
	bandwidth_rq_offline(rq);
	list_for_each_entry(tg, &fair_groups, list)
		pelt_forget(tg->cfs_rq[rq->cpu]);
}

const struct sched_class_ops fair_sched_class = {
	.rank = RANK_FAIR,
	.name = "fair_sched_class",
	.trace = TRACE_CLASS_FAIR,
	.enqueue_task = enqueue_task_fair,
	.dequeue_task = dequeue_task_fair,
	.yield_task = yield_task_fair,
	.wakeup_preempt = wakeup_preempt_fair,
	.balance = balance_fair,
	.pick_task = pick_task_fair,
	.put_prev_task = put_prev_task_fair,
	.set_next_task = set_next_task_fair,
	.select_task_rq = fair_select_task_rq,
	.rq_online = rq_online_fair,
	.rq_offline = rq_offline_fair,
	.task_tick = task_tick_fair,
	.switching_from = switching_from_fair,
	.switched_from = switched_from_fair,
	.reweight_task = reweight_task_fair,
	.update_curr = update_curr_fair,
};

/* --- birth ---------------------------------------------------------------------------- */

void init_cfs_rq(struct rq *rq)
{
	struct cfs_rq *cfs_rq = &rq->cfs;

	cfs_rq->tasks_timeline = RB_ROOT_CACHED;
	cfs_rq->min_vruntime = (u64)(-(1LL << 20)); /* wraps soon: that must work */
	cfs_rq->rq = rq;
	cfs_rq->tg = root_task_group();
	cfs_rq->tg->cfs_rq[rq->cpu] = cfs_rq;
	INIT_LIST_HEAD(&fair_of(rq)->tasks);
	INIT_LIST_HEAD(&fair_of(rq)->leaves);
	INIT_LIST_HEAD(&fair_of(rq)->unthrottle);
	fair_of(rq)->queue.avg.stamp = kernel_now();
	fair_update_base_slice();
	fair_levels_init(rq);
	fair_balance_init(rq);
}

void fair_task_init(struct task_struct *p, const struct task_struct *parent)
{
	struct sched_entity *se = &p->se;

	load_set(&se->load, (u64)task_weight(p) << LOAD_SHIFT);
	entity_init_slice(se);
	pelt_init_task(p);
}
