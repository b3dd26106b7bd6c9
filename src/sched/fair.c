// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fair class: EEVDF as of Linux 6.12.
 *
 * Every entity has a virtual runtime that advances by run time over weight.
 * The queue's virtual time V is the weighted average of all of them. Who is
 * not ahead of V is eligible; of the eligible the one with the earliest virtual
 * deadline (vruntime at the time of the request + slice / weight) runs.
 *
 * Invariants (fair_check())
 * -------------------------
 * Queued entities, but for the running one (cfs_rq->curr), are in a tree by
 * deadline; every node knows the smallest vruntime below it, so that the
 * earliest eligible deadline is found in O(log n). Over the tree,
 * avg_load = sum(w) and avg_vruntime = sum(w * (v - v0)), where the reference
 * v0 is cfs_rq->min_vruntime: V at the time somebody last asked for it (later
 * 6.12 releases call it zero_vruntime).
 *
 * A task that goes to sleep while not eligible stays queued (se.sched_delayed)
 * until it has become so, and competes for nothing but that: dequeue_task()
 * returns false, and the pick that meets it takes it off. It counts in
 * rq->nr_running, as in Linux.
 *
 * Not modelled: groups (one cfs_rq per rq; the pointers are there), core
 * scheduling, NUMA balancing, buddies (NEXT_BUDDY is off in Linux, and there is
 * no yield_to()), HRTICK (off).
 *
 * Locking: the rq lock.
 */
#include "fair.h"

#define BASE_SLICE_NS 700000
#define CUSTOM_SLICE_MIN_NS (NSEC_PER_MSEC / 10)
#define CUSTOM_SLICE_MAX_NS (100 * NSEC_PER_MSEC)

/* sysctl_sched_base_slice: follows the number of online CPUs. */
static u64 base_slice = BASE_SLICE_NS;

static void update_base_slice(void)
{
	u32 cpus = min(cpumask_weight(kernel.online), 8u);

	base_slice = (u64)BASE_SLICE_NS * (1 + (31 - __builtin_clz(max(cpus, 1u))));
}

static inline struct task_struct *task_of_se(const struct sched_entity *se)
{
	return container_of(se, struct task_struct, se);
}

static inline struct rq *rq_of(const struct cfs_rq *cfs_rq)
{
	return cfs_rq->rq;
}

/* @delta at the rate of the entity's virtual time */
static inline u64 calc_delta_fair(u64 delta, const struct sched_entity *se)
{
	u64 weight = se_weight(se);

	return weight == 1024 ? delta : delta * 1024 / weight;
}

static void load_set(struct load_weight *lw, u64 weight)
{
	lw->weight = weight << LOAD_SHIFT;
	lw->inv_weight = (1ULL << 32) / weight;
}

/* --- virtual time ----------------------------------------------------------- */

static inline s64 entity_key(const struct cfs_rq *cfs_rq, const struct sched_entity *se)
{
	return (s64)(se->vruntime - cfs_rq->min_vruntime);
}

static void avg_vruntime_add(struct cfs_rq *cfs_rq, const struct sched_entity *se)
{
	cfs_rq->avg_vruntime += entity_key(cfs_rq, se) * (s64)se_weight(se);
	cfs_rq->avg_load += se_weight(se);
}

static void avg_vruntime_sub(struct cfs_rq *cfs_rq, const struct sched_entity *se)
{
	cfs_rq->avg_vruntime -= entity_key(cfs_rq, se) * (s64)se_weight(se);
	cfs_rq->avg_load -= se_weight(se);
}

/* The running entity, if it still takes part. */
static inline struct sched_entity *queued_curr(const struct cfs_rq *cfs_rq)
{
	return cfs_rq->curr && cfs_rq->curr->on_rq ? cfs_rq->curr : NULL;
}

static u64 queued_load(const struct cfs_rq *cfs_rq)
{
	struct sched_entity *curr = queued_curr(cfs_rq);

	return cfs_rq->avg_load + (curr ? se_weight(curr) : 0);
}

/* sum(w * (v - v0)), the running entity included */
static __int128 queued_sum(const struct cfs_rq *cfs_rq)
{
	struct sched_entity *curr = queued_curr(cfs_rq);
	__int128 sum = cfs_rq->avg_vruntime;

	if (curr)
		sum += (__int128)entity_key(cfs_rq, curr) * se_weight(curr);
	return sum;
}

/*
 * V, rounded down so that an entity at V is eligible. Moves the reference
 * there: this keeps all keys small.
 */
static u64 avg_vruntime(struct cfs_rq *cfs_rq)
{
	s64 load = (s64)queued_load(cfs_rq), delta;
	__int128 sum = queued_sum(cfs_rq);

	if (!load)
		return cfs_rq->min_vruntime;
	delta = (s64)((sum < 0 ? sum - (load - 1) : sum) / load);
	cfs_rq->avg_vruntime -= (s64)cfs_rq->avg_load * delta;
	cfs_rq->min_vruntime += delta;
	return cfs_rq->min_vruntime;
}

/* vruntime <= V, without the division */
static bool vruntime_eligible(const struct cfs_rq *cfs_rq, u64 vruntime)
{
	s64 key = (s64)(vruntime - cfs_rq->min_vruntime);

	return queued_sum(cfs_rq) >= (__int128)key * (s64)queued_load(cfs_rq);
}

static bool entity_eligible(const struct cfs_rq *cfs_rq, const struct sched_entity *se)
{
	return vruntime_eligible(cfs_rq, se->vruntime);
}

/* How far behind (or ahead of) V, limited to what the granularity can cause. */
static s64 entity_lag(u64 vtime, const struct sched_entity *se)
{
	s64 lag = (s64)(vtime - se->vruntime);
	s64 limit = (s64)calc_delta_fair(max(2 * se->slice, TICK_NSEC), se);

	return lag > limit ? limit : lag < -limit ? -limit : lag;
}

/* --- the tree ------------------------------------------------------------------ */

static inline struct sched_entity *node_se(const struct rb_node *node)
{
	return rb_entry(node, struct sched_entity, run_node);
}

static inline bool entity_before(const struct sched_entity *a, const struct sched_entity *b)
{
	return time_before64(a->deadline, b->deadline);
}

static bool node_before(const struct rb_node *a, const struct rb_node *b)
{
	return entity_before(node_se(a), node_se(b));
}

static inline void take_min(u64 *min_vruntime, const struct rb_node *child)
{
	if (child && time_before64(node_se(child)->min_vruntime, *min_vruntime))
		*min_vruntime = node_se(child)->min_vruntime;
}

static u64 subtree_min(const struct rb_node *node)
{
	u64 vruntime = node_se(node)->vruntime;

	take_min(&vruntime, node->rb_left);
	take_min(&vruntime, node->rb_right);
	return vruntime;
}

static void update_min_vruntime(struct rb_node *node)
{
	node_se(node)->min_vruntime = subtree_min(node);
}

static void tree_insert(struct cfs_rq *cfs_rq, struct sched_entity *se)
{
	avg_vruntime_add(cfs_rq, se);
	rb_insert_cached(&cfs_rq->tasks_timeline, &se->run_node, node_before, update_min_vruntime);
}

static void tree_remove(struct cfs_rq *cfs_rq, struct sched_entity *se)
{
	rb_remove_cached(&cfs_rq->tasks_timeline, &se->run_node, update_min_vruntime);
	avg_vruntime_sub(cfs_rq, se);
}

/* --- the pick ------------------------------------------------------------------- */

/*
 * The running entity keeps the CPU until its slice is used up or it is ahead
 * of V (RUN_TO_PARITY). Its deadline at the time of the pick is stashed in
 * vlag, which means nothing else while it runs.
 */
static inline void protect_slice(struct sched_entity *se)
{
	se->vlag = (s64)se->deadline;
}

static inline bool slice_protected(const struct sched_entity *se)
{
	return (u64)se->vlag == se->deadline;
}

static inline void unprotect_slice(struct sched_entity *se)
{
	if (slice_protected(se))
		se->vlag = (s64)(se->deadline + 1);
}

/* Of the eligible entities in the tree the one with the earliest deadline. */
static struct sched_entity *first_eligible(const struct cfs_rq *cfs_rq)
{
	struct rb_node *node = cfs_rq->tasks_timeline.rb_leftmost;

	if (node && entity_eligible(cfs_rq, node_se(node)))
		return node_se(node);
	node = cfs_rq->tasks_timeline.rb_root.rb_node;
	while (node) {
		struct rb_node *left = node->rb_left;

		if (left && vruntime_eligible(cfs_rq, node_se(left)->min_vruntime))
			node = left;
		else if (entity_eligible(cfs_rq, node_se(node)))
			return node_se(node);
		else
			node = node->rb_right;
	}
	return NULL;
}

static struct sched_entity *pick_eevdf(const struct cfs_rq *cfs_rq)
{
	struct sched_entity *curr = queued_curr(cfs_rq), *best;

	if (cfs_rq->nr_running == 1)
		return curr ? curr : node_se(cfs_rq->tasks_timeline.rb_leftmost);
	if (curr && !entity_eligible(cfs_rq, curr))
		curr = NULL;
	if (curr && slice_protected(curr))
		return curr;
	best = first_eligible(cfs_rq);
	return !best || (curr && entity_before(curr, best)) ? curr : best;
}

/* --- time passes ------------------------------------------------------------------ */

/* Grants a new slice when the old one is used up. */
static bool update_deadline(struct cfs_rq *cfs_rq, struct sched_entity *se)
{
	if (time_before64(se->vruntime, se->deadline))
		return false;
	if (!se->custom_slice)
		se->slice = base_slice;
	se->deadline = se->vruntime + calc_delta_fair(se->slice, se);
	avg_vruntime(cfs_rq);
	return true;
}

static void update_curr(struct cfs_rq *cfs_rq)
{
	struct sched_entity *curr = cfs_rq->curr;
	struct rq *rq = rq_of(cfs_rq);
	bool slice_over;
	s64 delta;

	if (!curr)
		return;
	VRT_ASSERT(curr == &rq->curr->se);
	delta = update_curr_common(rq);
	if (delta <= 0)
		return;
	curr->vruntime += calc_delta_fair(delta, curr);
	slice_over = update_deadline(cfs_rq, curr);
	fair_server_consume(rq, delta);
	if (cfs_rq->nr_running == 1)
		return;
	/* a shorter slice has taken the protection of this one away, and parity is reached */
	if (slice_over || (!slice_protected(curr) && !entity_eligible(cfs_rq, curr)))
		resched_curr(rq);
}

static void update_curr_fair(struct rq *rq)
{
	update_curr(&rq->cfs);
}

/* --- joining and leaving the competition -------------------------------------------- */

/*
 * Where an entity joins: with the lag that it left with. Joining moves V, which
 * would shrink the lag by w / (W + w): it is inflated by as much before.
 */
static void place_entity(struct cfs_rq *cfs_rq, struct sched_entity *se, u64 flags)
{
	u64 vtime = avg_vruntime(cfs_rq), vslice;
	u64 load = queued_load(cfs_rq);
	s64 lag = 0;

	if (!se->custom_slice)
		se->slice = base_slice;
	vslice = calc_delta_fair(se->slice, se);
	if (load)
		lag = (s64)((__int128)se->vlag * (s64)(load + se_weight(se)) / (s64)load);
	se->vruntime = vtime - lag;
	if (se->rel_deadline) {
		se->deadline += se->vruntime;
		se->rel_deadline = 0;
		return;
	}
	/* the others are halfway through their slices, on average */
	if (flags & ENQUEUE_INITIAL)
		vslice /= 2;
	se->deadline = se->vruntime + vslice;
}

static void account_enqueue(struct cfs_rq *cfs_rq, struct sched_entity *se)
{
	cfs_rq->load.weight += se->load.weight;
	cfs_rq->nr_running++;
	list_add(&se->group_node, &fair_of(rq_of(cfs_rq))->tasks);
}

static void account_dequeue(struct cfs_rq *cfs_rq, struct sched_entity *se)
{
	cfs_rq->load.weight -= se->load.weight;
	cfs_rq->nr_running--;
	list_del_init(&se->group_node);
}

static void set_delayed(struct rq *rq, struct sched_entity *se)
{
	se->sched_delayed = 1;
	fair_of(rq)->nr_delayed++;
}

static void clear_delayed(struct rq *rq, struct sched_entity *se)
{
	se->sched_delayed = 0;
	fair_of(rq)->nr_delayed--;
}

/* A sleeper that is still queued wakes up: from here on it competes again. */
static void requeue_delayed(struct rq *rq, struct sched_entity *se)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;
	bool curr = cfs_rq->curr == se;

	update_curr(cfs_rq);
	se->vlag = entity_lag(avg_vruntime(cfs_rq), se);
	if (se->vlag > 0) {
		/* it has waited for longer than it owed: that is no credit */
		if (!curr)
			tree_remove(cfs_rq, se);
		se->on_rq = 0;
		se->vlag = 0;
		place_entity(cfs_rq, se, 0);
		se->on_rq = 1;
		if (!curr)
			tree_insert(cfs_rq, se);
	}
	pelt_update(rq, task_of_se(se));
	clear_delayed(rq, se);
}

/* Outside of the queue; nothing but the lag depends on the weight then. */
static void set_weight(struct rq *rq, struct task_struct *p, u64 weight)
{
	struct sched_entity *se = &p->se;
	u64 old = se_weight(se);

	se->vlag = (s64)((__int128)se->vlag * (s64)old / (s64)weight);
	load_set(&se->load, weight);
	pelt_reweight(rq, p, old);
}

/* Moves @p to this queue's books, if it was last on another's. */
static void join_queue(struct rq *rq, struct task_struct *p)
{
	if (p->se.cfs_rq == &rq->cfs)
		return;
	pelt_detach(p);
	p->se.cfs_rq = &rq->cfs;
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

static void count_task(struct rq *rq, struct task_struct *p)
{
	struct fair_task *ft = &task_of(p)->fair;

	rq->cfs.h_nr_running++;
	rq->nr_running++;
	ft->counted_idle = p->policy == SCHED_IDLE;
	fair_of(rq)->nr_idle_policy += ft->counted_idle;
	fair_of(rq)->nr_delayed += p->se.sched_delayed;
	if (rq->nr_running >= 2)
		set_machine_overloaded(true);
}

static void uncount_task(struct rq *rq, struct task_struct *p)
{
	rq->cfs.h_nr_running--;
	rq->nr_running--;
	fair_of(rq)->nr_idle_policy -= task_of(p)->fair.counted_idle;
	fair_of(rq)->nr_delayed -= p->se.sched_delayed;
}

static void enqueue_task_fair(struct rq *rq, struct task_struct *p, u64 flags)
{
	struct sched_entity *se = &p->se;
	struct cfs_rq *cfs_rq = &rq->cfs;

	if (flags & ENQUEUE_WAKEUP)
		update_avg_idle(rq);
	if (se->on_rq) {
		VRT_ASSERT(se->sched_delayed && se->cfs_rq == cfs_rq);
		requeue_delayed(rq, se);
		return;
	}
	VRT_ASSERT(cfs_rq->curr != se);
	join_queue(rq, p);
	if (se_weight(se) != task_weight(p))
		set_weight(rq, p, task_weight(p));
	if (flags & ENQUEUE_INITIAL)
		pelt_init_util(rq, p);
	update_curr(cfs_rq);
	if (task_of(p)->fair.attached)
		pelt_update(rq, p);
	else
		pelt_attach(rq, p);
	place_entity(cfs_rq, se, flags);
	account_enqueue(cfs_rq, se);
	tree_insert(cfs_rq, se);
	se->on_rq = 1;
	count_task(rq, p);
	if (class_of(rq->curr) == &rt_sched_class)
		fair_server_start(rq);
}

/* @flags without DEQUEUE_SLEEP: it will be back, with its deadline as far away as now. */
static void dequeue_entity(struct rq *rq, struct task_struct *p, u64 flags)
{
	struct sched_entity *se = &p->se;
	struct cfs_rq *cfs_rq = se->cfs_rq;

	pelt_update(rq, p);
	se->vlag = entity_lag(avg_vruntime(cfs_rq), se);
	if (!(flags & DEQUEUE_SLEEP)) {
		se->deadline -= se->vruntime;
		se->rel_deadline = 1;
	}
	if (se != cfs_rq->curr)
		tree_remove(cfs_rq, se);
	se->on_rq = 0;
	account_dequeue(cfs_rq, se);
	uncount_task(rq, p);
}

static bool dequeue_task_fair(struct rq *rq, struct task_struct *p, u64 flags)
{
	bool was_sched_idle = sched_idle_cpu(rq->cpu);
	struct sched_entity *se = &p->se;
	bool dead = p->__state == TASK_DEAD;

	update_curr(&rq->cfs);
	if ((flags & DEQUEUE_SLEEP) && !dead && !entity_eligible(se->cfs_rq, se)) {
		pelt_update(rq, p);
		set_delayed(rq, se);
		return false;
	}
	dequeue_entity(rq, p, flags);
	if (dead)
		pelt_detach(p);
	if (!was_sched_idle && sched_idle_cpu(rq->cpu))
		fair_of(rq)->next_balance = rq->clock;
	return true;
}

/* The sleeper has become eligible: nothing is left to compete for. */
static void finish_delayed(struct rq *rq, struct task_struct *p)
{
	struct sched_entity *se = &p->se;

	VRT_ASSERT(se->sched_delayed && se->on_rq);
	update_curr(&rq->cfs);
	charge_overhead(TRACE_OVH_SWITCH, costs.dequeue);
	dequeue_entity(rq, p, DEQUEUE_SLEEP);
	/* uncounted as delayed already */
	se->sched_delayed = 0;
	se->vlag = min(se->vlag, (s64)0);
	p->on_rq = 0;
}

/* --- the class ------------------------------------------------------------------------ */

static struct task_struct *pick_task_fair(struct rq *rq)
{
	struct cfs_rq *cfs_rq = &rq->cfs;

	while (cfs_rq->nr_running) {
		struct sched_entity *se;

		if (queued_curr(cfs_rq))
			update_curr(cfs_rq);
		se = pick_eevdf(cfs_rq);
		VRT_ASSERT(se);
		if (!se->sched_delayed)
			return task_of_se(se);
		finish_delayed(rq, task_of_se(se));
	}
	return NULL;
}

static bool balance_fair(struct rq *rq, struct task_struct *prev)
{
	if (fair_nr_runnable(rq) || pick_task_fair(rq))
		return true;
	return fair_newidle_balance(rq);
}

static void set_next_task_fair(struct rq *rq, struct task_struct *p, bool first)
{
	struct sched_entity *se = &p->se;
	struct cfs_rq *cfs_rq = &rq->cfs;

	if (se->on_rq) {
		tree_remove(cfs_rq, se);
		pelt_update(rq, p);
		protect_slice(se);
		list_move(&se->group_node, &fair_of(rq)->tasks);
	}
	se->exec_start = rq->clock_task;
	se->prev_sum_exec_runtime = se->sum_exec_runtime;
	VRT_ASSERT(!cfs_rq->curr);
	cfs_rq->curr = se;
	if (first)
		fair_update_misfit(rq, p);
}

static void put_prev_task_fair(struct rq *rq, struct task_struct *p, struct task_struct *next)
{
	struct sched_entity *se = &p->se;
	struct cfs_rq *cfs_rq = &rq->cfs;

	VRT_ASSERT(cfs_rq->curr == se);
	if (se->on_rq) {
		update_curr(cfs_rq);
		pelt_update(rq, p);
		tree_insert(cfs_rq, se);
	}
	cfs_rq->curr = NULL;
}

static void yield_task_fair(struct rq *rq)
{
	struct cfs_rq *cfs_rq = &rq->cfs;
	struct sched_entity *se = &rq->curr->se;

	if (rq->nr_running == 1)
		return;
	update_curr(cfs_rq);
	/* gives up the rest of its slice, but never more than it is owed */
	if (entity_eligible(cfs_rq, se)) {
		se->vruntime = se->deadline;
		update_deadline(cfs_rq, se);
	}
}

static void wakeup_preempt_fair(struct rq *rq, struct task_struct *p, u32 wake_flags)
{
	struct sched_entity *se = &rq->curr->se, *pse = &p->se;
	struct cfs_rq *cfs_rq = &rq->cfs;
	bool curr_idle = rq->curr->policy == SCHED_IDLE, p_idle = p->policy == SCHED_IDLE;

	if (se == pse || crq_of(rq)->need_resched)
		return;
	if (curr_idle && !p_idle) {
		unprotect_slice(se);
		resched_curr(rq);
		return;
	}
	if (curr_idle != p_idle || p->policy != SCHED_NORMAL)
		return;
	update_curr(cfs_rq);
	/* who asks for short slices asks for short latencies (PREEMPT_SHORT) */
	if (pse->slice < se->slice && entity_eligible(cfs_rq, pse) &&
	    (entity_before(pse, se) || !entity_eligible(cfs_rq, se)))
		unprotect_slice(se);
	if (pick_eevdf(cfs_rq) == pse)
		resched_curr(rq);
}

static void task_tick_fair(struct rq *rq, struct task_struct *curr)
{
	update_curr(&rq->cfs);
	pelt_update(rq, curr);
	fair_update_misfit(rq, curr);
}

static void reweight_task_fair(struct rq *rq, struct task_struct *p, u32 weight)
{
	/* the core has taken it off its queue */
	VRT_ASSERT(!p->se.on_rq);
	set_weight(p->se.cfs_rq ? rq_of(p->se.cfs_rq) : rq, p, weight);
}

static void switching_from_fair(struct rq *rq, struct task_struct *p)
{
	/* it sleeps, and is queued here only: its new class must not see it runnable */
	if (p->se.sched_delayed)
		finish_delayed(rq, p);
}

static void switched_from_fair(struct rq *rq, struct task_struct *p)
{
	VRT_ASSERT(!p->se.on_rq && !p->se.sched_delayed);
	pelt_detach(p);
}

static void rq_change_fair(struct rq *rq)
{
	update_base_slice();
}

const struct sched_class_ops fair_sched_class = {
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
	.rq_online = rq_change_fair,
	.rq_offline = rq_change_fair,
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
	INIT_LIST_HEAD(&fair_of(rq)->tasks);
	fair_of(rq)->avg.stamp = kernel_now();
	update_base_slice();
	fair_levels_init(rq);
	fair_balance_init(rq);
}

void fair_task_init(struct task_struct *p, const struct task_struct *parent)
{
	struct sched_entity *se = &p->se;

	load_set(&se->load, task_weight(p));
	if (se->custom_slice)
		se->slice = min(max(se->slice, (u64)CUSTOM_SLICE_MIN_NS), CUSTOM_SLICE_MAX_NS);
	else
		se->slice = base_slice;
	pelt_init_task(p);
}

/* --- the books -------------------------------------------------------------------------- */

struct tree_sums {
	u32 nr, delayed;
	u64 weight, load;
	s64 vruntime;
};

static const char *check_node(const struct cfs_rq *cfs_rq, const struct rb_node *node,
			      struct tree_sums *sums)
{
	const struct sched_entity *se = node_se(node);
	const struct rb_node *next = rb_next(node);

	if (!se->on_rq || se->cfs_rq != cfs_rq)
		return "an entity in the fair tree is not queued here";
	if (next && node_before(next, node))
		return "the fair tree is not in order of deadlines";
	if (se->min_vruntime != subtree_min(node))
		return "the fair tree's smallest vruntimes are wrong";
	if (list_empty(&se->group_node))
		return "an entity in the fair tree is not on the list of tasks";
	sums->nr++;
	sums->delayed += se->sched_delayed;
	sums->weight += se->load.weight;
	sums->load += se_weight(se);
	sums->vruntime += entity_key(cfs_rq, se) * (s64)se_weight(se);
	return NULL;
}

const char *fair_check(struct rq *rq)
{
	const struct cfs_rq *cfs_rq = &rq->cfs;
	const struct rb_node *node = rb_first(&cfs_rq->tasks_timeline.rb_root);
	const struct sched_entity *curr = queued_curr(cfs_rq);
	struct tree_sums sums = { 0 };
	const char *wrong;

	if (node != cfs_rq->tasks_timeline.rb_leftmost)
		return "the fair tree's first node is not the cached one";
	for (; node; node = rb_next(node)) {
		wrong = check_node(cfs_rq, node, &sums);
		if (wrong)
			return wrong;
	}
	if (sums.load != cfs_rq->avg_load || sums.vruntime != cfs_rq->avg_vruntime)
		return "the fair queue's virtual time is not that of its tree";
	if (curr) {
		sums.nr++;
		sums.delayed += curr->sched_delayed;
		sums.weight += curr->load.weight;
	}
	if (sums.nr != cfs_rq->nr_running || sums.nr != cfs_rq->h_nr_running)
		return "the fair queue's count of tasks is not that of its tree";
	if (sums.delayed != fair_of(rq)->nr_delayed)
		return "the fair queue's count of delayed tasks is not that of its tree";
	if (sums.weight != cfs_rq->load.weight)
		return "the fair queue's weight is not that of its tasks";
	return NULL;
}
