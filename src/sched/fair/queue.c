// SPDX-License-Identifier: GPL-2.0-only
/*
 * One queue of the fair class: EEVDF as of Linux 6.12, on the entities of one
 * level. Entities are tasks, and groups that have a queue of their own.
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
 * 6.12 releases call it zero_vruntime). In the queues of groups nodes also know
 * the smallest slice, which is the slice that the group asks for.
 *
 * An entity that leaves while not eligible stays queued (se.sched_delayed) until
 * it has become so, and competes for nothing but that: dequeue_entity() returns
 * false, and the pick that meets it takes it off.
 *
 * Locking: the rq lock.
 */
#include "fair.h"

#define BASE_SLICE_NS 700000
#define CUSTOM_SLICE_MIN_NS (NSEC_PER_MSEC / 10)
#define CUSTOM_SLICE_MAX_NS (100 * NSEC_PER_MSEC)

/* sysctl_sched_base_slice: follows the number of online CPUs. */
static u64 base_slice = BASE_SLICE_NS;

void fair_update_base_slice(void)
{
	u32 cpus = min(cpumask_weight(kernel.online), 8u);

	base_slice = (u64)BASE_SLICE_NS * (1 + (31 - __builtin_clz(max(cpus, 1u))));
}

/* @delta at the rate of the entity's virtual time */
static inline u64 calc_delta_fair(u64 delta, const struct sched_entity *se)
{
	u64 weight = se_weight(se);

	return weight == 1024 ? delta : delta * 1024 / weight;
}

void load_set(struct load_weight *lw, u64 weight)
{
	lw->weight = weight;
	lw->inv_weight = (1ULL << 32) / (weight >> LOAD_SHIFT);
}

void entity_init_slice(struct sched_entity *se)
{
	if (se->custom_slice)
		se->slice = min(max(se->slice, (u64)CUSTOM_SLICE_MIN_NS), CUSTOM_SLICE_MAX_NS);
	else
		se->slice = base_slice;
}

/* --- virtual time ----------------------------------------------------------- */

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

bool entity_eligible(const struct cfs_rq *cfs_rq, const struct sched_entity *se)
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

bool fair_node_before(const struct rb_node *a, const struct rb_node *b)
{
	return entity_before(node_se(a), node_se(b));
}

static inline void take_min(u64 *min_vruntime, const struct rb_node *child)
{
	if (child && time_before64(node_se(child)->min_vruntime, *min_vruntime))
		*min_vruntime = node_se(child)->min_vruntime;
}

u64 fair_subtree_min_vruntime(const struct rb_node *node)
{
	u64 vruntime = node_se(node)->vruntime;

	take_min(&vruntime, node->rb_left);
	take_min(&vruntime, node->rb_right);
	return vruntime;
}

static void update_min_vruntime(struct rb_node *node)
{
	node_se(node)->min_vruntime = fair_subtree_min_vruntime(node);
}

u64 fair_subtree_min_slice(const struct rb_node *node)
{
	u64 slice = node_se(node)->slice;

	if (node->rb_left)
		slice = min(slice, node_se(node->rb_left)->min_slice);
	if (node->rb_right)
		slice = min(slice, node_se(node->rb_right)->min_slice);
	return slice;
}

static void update_min_both(struct rb_node *node)
{
	update_min_vruntime(node);
	node_se(node)->min_slice = fair_subtree_min_slice(node);
}

static inline rb_update_fn update_min_of(const struct cfs_rq *cfs_rq)
{
	return is_root_queue(cfs_rq) ? update_min_vruntime : update_min_both;
}

static void tree_insert(struct cfs_rq *cfs_rq, struct sched_entity *se)
{
	avg_vruntime_add(cfs_rq, se);
	rb_insert_cached(&cfs_rq->tasks_timeline, &se->run_node, fair_node_before,
			 update_min_of(cfs_rq));
}

static void tree_remove(struct cfs_rq *cfs_rq, struct sched_entity *se)
{
	rb_remove_cached(&cfs_rq->tasks_timeline, &se->run_node, update_min_of(cfs_rq));
	avg_vruntime_sub(cfs_rq, se);
}

u64 queue_min_slice(const struct cfs_rq *cfs_rq)
{
	const struct rb_node *top = cfs_rq->tasks_timeline.rb_root.rb_node;
	const struct sched_entity *curr = queued_curr(cfs_rq);
	u64 slice = top ? node_se(top)->min_slice : ~0ULL;

	return curr ? min(slice, curr->slice) : slice;
}

void entity_set_slice(struct sched_entity *se, u64 slice)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;

	if (se->slice == slice)
		return;
	se->slice = slice;
	if (se->on_rq && se != cfs_rq->curr)
		rb_propagate(&se->run_node, update_min_of(cfs_rq));
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

struct sched_entity *pick_eevdf(const struct cfs_rq *cfs_rq)
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

/* What a group has run for: its tasks account for themselves. */
static s64 update_curr_group(struct rq *rq, struct sched_entity *se)
{
	s64 delta = (s64)(rq->clock_task - se->exec_start);

	if (delta <= 0)
		return 0;
	se->exec_start = rq->clock_task;
	se->sum_exec_runtime += delta;
	return delta;
}

void update_curr(struct cfs_rq *cfs_rq)
{
	struct sched_entity *curr = cfs_rq->curr;
	struct rq *rq = cfs_rq->rq;
	bool slice_over;
	s64 delta;

	if (!curr)
		return;
	VRT_ASSERT(curr->my_q || curr == &rq->curr->se);
	delta = curr->my_q ? update_curr_group(rq, curr) : update_curr_common(rq);
	if (delta <= 0)
		return;
	curr->vruntime += calc_delta_fair(delta, curr);
	slice_over = update_deadline(cfs_rq, curr);
	if (!curr->my_q)
		fair_server_consume(rq, delta);
	account_cfs_rq_runtime(cfs_rq, delta);
	if (cfs_rq->nr_running == 1)
		return;
	/* a shorter slice has taken the protection of this one away, and parity is reached */
	if (slice_over || (!slice_protected(curr) && !entity_eligible(cfs_rq, curr)))
		resched_curr(rq);
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
	if (!se->my_q)
		list_add(&se->group_node, &fair_of(cfs_rq->rq)->tasks);
}

static void account_dequeue(struct cfs_rq *cfs_rq, struct sched_entity *se)
{
	cfs_rq->load.weight -= se->load.weight;
	cfs_rq->nr_running--;
	if (!se->my_q)
		list_del_init(&se->group_node);
}

void enqueue_entity(struct sched_entity *se, u64 flags)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;
	bool curr = cfs_rq->curr == se;

	/* a group whose last task has left, but which has not been switched away from */
	if (curr)
		place_entity(cfs_rq, se, flags);
	update_curr(cfs_rq);
	pelt_enqueue(se);
	update_group_weight(se);
	if (!curr)
		place_entity(cfs_rq, se, flags);
	account_enqueue(cfs_rq, se);
	if (!curr)
		tree_insert(cfs_rq, se);
	se->on_rq = 1;
	if (cfs_rq->nr_running == 1 && !is_root_queue(cfs_rq))
		bandwidth_first_enqueue(cfs_rq);
}

static void set_delayed(struct sched_entity *se, bool delayed)
{
	VRT_ASSERT(se->sched_delayed != delayed);
	se->sched_delayed = delayed;
	kernel.nr_delayed += delayed ? 1 : -1u;
}

/* A sleeper that is still queued wakes up: from here on it competes again. */
void requeue_delayed_entity(struct sched_entity *se)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;
	bool curr = cfs_rq->curr == se;

	VRT_ASSERT(se->sched_delayed && se->on_rq);
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
	pelt_update(se);
	set_delayed(se, false);
}

bool dequeue_entity(struct sched_entity *se, u64 flags)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;

	update_curr(cfs_rq);
	if ((flags & DEQUEUE_SLEEP) && !(flags & (DEQUEUE_SPECIAL | DEQUEUE_DELAYED)) &&
	    !entity_eligible(cfs_rq, se)) {
		pelt_update(se);
		set_delayed(se, true);
		return false;
	}
	pelt_update(se);
	se->vlag = entity_lag(avg_vruntime(cfs_rq), se);
	/* it will be back, with its deadline as far away as now */
	if (!(flags & DEQUEUE_SLEEP)) {
		se->deadline -= se->vruntime;
		se->rel_deadline = 1;
	}
	if (se != cfs_rq->curr)
		tree_remove(cfs_rq, se);
	se->on_rq = 0;
	account_dequeue(cfs_rq, se);
	if (!cfs_rq->nr_running && cfs_rq->runtime_enabled)
		return_cfs_rq_runtime(cfs_rq);
	update_group_weight(se);
	if (flags & DEQUEUE_DELAYED) {
		set_delayed(se, false);
		se->vlag = min(se->vlag, (s64)0);
	}
	return true;
}

void set_next_entity(struct sched_entity *se)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;

	if (se->on_rq) {
		tree_remove(cfs_rq, se);
		pelt_update(se);
		protect_slice(se);
	}
	se->exec_start = cfs_rq->rq->clock_task;
	se->prev_sum_exec_runtime = se->sum_exec_runtime;
	VRT_ASSERT(!cfs_rq->curr);
	cfs_rq->curr = se;
}

void put_prev_entity(struct sched_entity *se)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;

	VRT_ASSERT(cfs_rq->curr == se);
	if (se->on_rq)
		update_curr(cfs_rq);
	check_cfs_rq_runtime(cfs_rq);
	if (se->on_rq) {
		pelt_update(se);
		tree_insert(cfs_rq, se);
	}
	cfs_rq->curr = NULL;
}

/* --- changes while in the competition -------------------------------------------------- */

/* Gives up the rest of the slice, but never more than it is owed. */
void yield_entity(struct sched_entity *se)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;

	update_curr(cfs_rq);
	if (!entity_eligible(cfs_rq, se))
		return;
	se->vruntime = se->deadline;
	update_deadline(cfs_rq, se);
}

void cancel_slice(struct sched_entity *se)
{
	if (slice_protected(se))
		se->vlag = (s64)(se->deadline + 1);
}

bool entity_preempts(struct sched_entity *se, struct sched_entity *curr)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;

	update_curr(cfs_rq);
	/* who asks for short slices asks for short latencies (PREEMPT_SHORT) */
	if (se->slice < curr->slice && entity_eligible(cfs_rq, se) &&
	    (entity_before(se, curr) || !entity_eligible(cfs_rq, curr)))
		cancel_slice(curr);
	return pick_eevdf(cfs_rq) == se;
}

static s64 scale(s64 value, u64 by, u64 over)
{
	return (s64)((__int128)value * (s64)by / (s64)over);
}

/*
 * The lag w * (V - v) and the share of the slice that is left stay what they are,
 * and so V does.
 */
static void reweight_queued(struct sched_entity *se, u64 vtime, u64 weight)
{
	u64 old = se->load.weight;

	if (vtime != se->vruntime)
		se->vruntime = vtime - scale(entity_lag(vtime, se), old, weight);
	se->deadline = vtime + scale((s64)(se->deadline - vtime), old, weight);
}

void reweight_entity(struct sched_entity *se, u64 weight)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;
	u64 old = se_weight(se), vtime;
	bool in_tree;

	if (!se->on_rq) {
		/* nothing but the lag depends on the weight then */
		se->vlag = scale(se->vlag, se->load.weight, weight);
		load_set(&se->load, weight);
		pelt_reweight(se, old);
		return;
	}
	update_curr(cfs_rq);
	vtime = avg_vruntime(cfs_rq);
	in_tree = cfs_rq->curr != se;
	if (in_tree)
		tree_remove(cfs_rq, se);
	cfs_rq->load.weight -= se->load.weight;
	reweight_queued(se, vtime, weight);
	load_set(&se->load, weight);
	pelt_reweight(se, old);
	cfs_rq->load.weight += weight;
	if (in_tree)
		tree_insert(cfs_rq, se);
}
