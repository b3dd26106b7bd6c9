// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpu.max: bandwidth control of the fair class as of Linux 6.12
 * (Documentation/scheduler/sched-bwc.rst).
 *
 * A group with a quota has a pool of runtime, filled to the quota at the end of
 * every period. Its queues take slices of 5 ms from it as their tasks run. A queue
 * that has used its slice and gets no other is throttled at the next reschedule:
 * its entity leaves the parent's queue, and with it all tasks below. What it has
 * run too much is a debt (runtime_remaining is negative) that the next periods pay
 * first. A queue that becomes empty gives back what it has but for a millisecond;
 * if others are throttled then, a timer hands that out a little later.
 *
 * throttle_count of a queue counts the throttled queues above it and itself: tasks
 * of such a queue do not run, are not balanced, and their averages stand still.
 *
 * A task that is put into a throttled group while it runs goes at once. Quotas do
 * not concern tasks of other classes.
 *
 * Not modelled: bursts; doubling of periods that are too short for the machine.
 *
 * Locking: the group's lock guards the pool and the list of throttled queues,
 * inside of the rq locks; the queue itself is its rq's.
 */
#include "../../base/alloc.h"
#include "../cgroup/internal.h"
#include "fair.h"

#define SLICE_NS (5 * NSEC_PER_MSEC) /* sysctl_sched_cfs_bandwidth_slice */
#define KEPT_NS NSEC_PER_MSEC /* not given back */
#define SLACK_NS (5 * NSEC_PER_MSEC) /* how long slack gathers */
#define EXPIRES_SOON_NS (2 * NSEC_PER_MSEC) /* not worth distributing any more */

static u32 nr_with_quota;

bool bandwidth_used(void)
{
	return nr_with_quota;
}

static inline bool has_quota(const struct group *g)
{
	return g->tg.cfs_bandwidth.quota != CGROUP_NO_QUOTA;
}

static void lock_pool(struct group *g)
{
	u64 before = cpu_clock();

	sim_lock(&g->lock);
	note_lock_time(before);
}

static void unlock_pool(struct group *g)
{
	sim_unlock(&g->lock);
}

/* --- the pool ------------------------------------------------------------------- */

static void arm(struct hrtimer *timer, u64 when)
{
	charge_overhead(TRACE_OVH_SWITCH, costs.timer_program);
	hrtimer_start(timer, when);
}

static void refill(struct group *g)
{
	struct cfs_bandwidth *cfs_b = &g->tg.cfs_bandwidth;

	/* what is left does not add up: that would be bursts */
	if (has_quota(g))
		cfs_b->runtime = cfs_b->quota;
}

/* The end of the period that @now is in; *over: how many have ended since period_end. */
static u64 forward(const struct group *g, u64 now, u64 *over)
{
	u64 period = g->tg.cfs_bandwidth.period;

	*over = g->period_end <= now ? (now - g->period_end) / period + 1 : 0;
	return g->period_end + *over * period;
}

static void start_period(struct group *g)
{
	u64 over;

	if (g->period_active)
		return;
	g->period_active = true;
	g->period_end = forward(g, cpu_clock(), &over);
	arm(&g->period_timer, g->period_end);
}

/* Runtime for a queue that has none left, so that it has @target. With the pool locked. */
static bool take_runtime(struct group *g, struct cfs_rq *cfs_rq, u64 target)
{
	struct cfs_bandwidth *cfs_b = &g->tg.cfs_bandwidth;
	u64 amount = target - cfs_rq->runtime_remaining;

	if (has_quota(g)) {
		start_period(g);
		amount = min(amount, cfs_b->runtime);
		cfs_b->runtime -= amount;
		if (amount)
			g->idle = false;
	}
	cfs_rq->runtime_remaining += (s64)amount;
	return cfs_rq->runtime_remaining > 0;
}

void __account_cfs_rq_runtime(struct cfs_rq *cfs_rq, u64 delta)
{
	struct group *g = group_of(cfs_rq->tg);
	bool got;

	cfs_rq->runtime_remaining -= (s64)delta;
	if (cfs_rq->runtime_remaining > 0 || cfs_rq->throttled)
		return;
	lock_pool(g);
	got = take_runtime(g, cfs_rq, SLICE_NS);
	unlock_pool(g);
	/* it will be throttled when it is left, which is now */
	if (!got && cfs_rq->curr)
		resched_curr(cfs_rq->rq);
}

/* --- throttling ------------------------------------------------------------------- */

static void throttle_down(struct cfs_rq *cfs_rq)
{
	struct task_group *tg;

	for (tg = tg_next(NULL, cfs_rq->tg); tg; tg = tg_next(tg, cfs_rq->tg)) {
		struct cfs_rq *below = tg->cfs_rq[cfs_rq->rq->cpu];

		if (!below->throttle_count++)
			pelt_freeze(below);
	}
}

static void unthrottle_up(struct cfs_rq *cfs_rq)
{
	struct task_group *tg;

	for (tg = tg_next(NULL, cfs_rq->tg); tg; tg = tg_next(tg, cfs_rq->tg)) {
		struct cfs_rq *below = tg->cfs_rq[cfs_rq->rq->cpu];

		if (!--below->throttle_count)
			pelt_thaw(below);
	}
}

/* The queue's entity leaves those above it, as far as there is one. */
static void throttle_entity(struct cfs_rq *cfs_rq)
{
	struct sched_entity *se = queue_entity(cfs_rq);
	struct h_count n = queue_count(cfs_rq);

	for (; se && se->on_rq; se = se->parent) {
		u64 flags = DEQUEUE_SLEEP | DEQUEUE_SPECIAL;

		charge_overhead(TRACE_OVH_SWITCH, costs.dequeue);
		dequeue_entity(se, flags | (se->sched_delayed ? DEQUEUE_DELAYED : 0));
		sub_count(se->cfs_rq, &n);
		if (se->cfs_rq->nr_running || !se->parent) {
			se = se->parent;
			break;
		}
	}
	for (; se && se->on_rq; se = se->parent) {
		pelt_update(se);
		sub_count(se->cfs_rq, &n);
	}
	/* a level that is not queued is throttled itself: the rest is not counted above it */
	if (!se)
		cfs_rq->rq->nr_running -= n.nr;
}

/* False: runtime has become available. */
static bool throttle(struct cfs_rq *cfs_rq)
{
	struct group *g = group_of(cfs_rq->tg);
	bool got;

	lock_pool(g);
	/* this also sees to it that the timer runs */
	got = take_runtime(g, cfs_rq, 1);
	if (!got)
		list_add_tail(&queue_of(cfs_rq)->throttled_node, &g->throttled);
	unlock_pool(g);
	if (got)
		return false;
	throttle_down(cfs_rq);
	throttle_entity(cfs_rq);
	cfs_rq->throttled = 1;
	if (cfs_rq->nr_running)
		cfs_rq->throttled_clock = cfs_rq->rq->clock;
	return true;
}

bool __check_cfs_rq_runtime(struct cfs_rq *cfs_rq)
{
	return cfs_rq->throttled || throttle(cfs_rq);
}

void bandwidth_first_enqueue(struct cfs_rq *cfs_rq)
{
	/* one that runs is throttled by what it runs */
	if (cfs_rq->runtime_enabled && !cfs_rq->curr && !cfs_rq->throttled) {
		account_cfs_rq_runtime(cfs_rq, 0);
		if (cfs_rq->runtime_remaining <= 0)
			throttle(cfs_rq);
	}
	if (cfs_rq->throttled && !cfs_rq->throttled_clock)
		cfs_rq->throttled_clock = cfs_rq->rq->clock;
}

/* The queue's entity comes back to those above it, up to one that is throttled itself. */
static void unthrottle_entity(struct cfs_rq *cfs_rq)
{
	struct sched_entity *se = queue_entity(cfs_rq);
	struct h_count n = queue_count(cfs_rq);
	struct rq *rq = cfs_rq->rq;

	for (; se; se = se->parent) {
		/* it was not through with leaving */
		if (se->sched_delayed)
			dequeue_entity(se, DEQUEUE_SLEEP | DEQUEUE_DELAYED);
		else if (se->on_rq)
			break;
		charge_overhead(TRACE_OVH_SWITCH, costs.enqueue);
		enqueue_entity(se, ENQUEUE_WAKEUP);
		add_count(se->cfs_rq, &n);
		if (se->cfs_rq->throttled)
			return;
	}
	for (; se; se = se->parent) {
		pelt_update(se);
		add_count(se->cfs_rq, &n);
		if (se->cfs_rq->throttled)
			return;
	}
	rq->nr_running += n.nr;
	if (rq->nr_running >= 2)
		set_machine_overloaded(true);
	if (class_of(rq->curr) == &rt_sched_class)
		fair_server_start(rq);
}

/* With the rq locked and its clock up to date. */
static void unthrottle(struct cfs_rq *cfs_rq)
{
	struct group *g = group_of(cfs_rq->tg);
	struct rq *rq = cfs_rq->rq;

	cfs_rq->throttled = 0;
	lock_pool(g);
	if (cfs_rq->throttled_clock) {
		g->tg.cfs_bandwidth.throttled_time += rq->clock - cfs_rq->throttled_clock;
		cfs_rq->throttled_clock = 0;
	}
	list_del_init(&queue_of(cfs_rq)->throttled_node);
	unlock_pool(g);
	list_del_init(&queue_of(cfs_rq)->unthrottle_node);
	unthrottle_up(cfs_rq);
	if (cfs_rq->nr_running)
		unthrottle_entity(cfs_rq);
	/* Linux asks only whether it idles; a lower class would keep the CPU, too */
	if (rq->cfs.nr_running && class_above(&fair_sched_class, class_of(rq->curr)))
		resched_curr(rq);
}

/* --- distribution ------------------------------------------------------------------ */

/* Other CPUs have given runtime to queues of this one. In interrupt context. */
void fair_unthrottle_pending(struct rq *rq)
{
	struct list_head *list = &fair_of(rq)->unthrottle;

	if (list_empty(list))
		return;
	rq_lock(rq);
	update_rq_clock(rq);
	while (!list_empty(list)) {
		struct fair_queue *q = list_first_entry(list, struct fair_queue, unthrottle_node);
		struct cfs_rq *cfs_rq = &container_of(q, struct group_queue, queue)->cfs;

		list_del_init(&q->unthrottle_node);
		if (cfs_rq->throttled)
			unthrottle(cfs_rq);
	}
	rq_unlock(rq);
}

/* The queue has runtime again: its CPU does the rest. With its rq locked. */
static void unthrottle_on(struct cfs_rq *cfs_rq)
{
	struct cpu_rq *crq = crq_of(cfs_rq->rq);
	bool first = list_empty(&crq->fair.unthrottle);

	if (crq->cpu == this_cpu) {
		unthrottle(cfs_rq);
		return;
	}
	list_add_tail(&queue_of(cfs_rq)->unthrottle_node, &crq->fair.unthrottle);
	if (!first)
		return;
	if (crq->polling)
		cpu_raise(crq->cpu, IRQ_CALL);
	else
		cpu_send_ipi(crq->cpu, IRQ_CALL);
}

/* Pays the debt of a throttled queue from the pool. False: it does not suffice. */
static bool pay_debt(struct group *g, struct cfs_rq *cfs_rq)
{
	struct cfs_bandwidth *cfs_b = &g->tg.cfs_bandwidth;
	u64 amount;

	lock_pool(g);
	amount = min((u64)(1 - cfs_rq->runtime_remaining), cfs_b->runtime);
	cfs_b->runtime -= amount;
	unlock_pool(g);
	cfs_rq->runtime_remaining += (s64)amount;
	return cfs_rq->runtime_remaining > 0;
}

/*
 * Hands out what is in the pool, in the order of throttling: just enough for each
 * to ask for a slice itself. What other CPUs do to the list meanwhile does not
 * matter: every queue is looked at with its rq locked.
 */
static void distribute(struct group *g)
{
	struct cfs_rq **queues = xcalloc(nr_cpu_ids, sizeof(*queues));
	struct fair_queue *q;
	u32 nr = 0;

	list_for_each_entry(q, &g->throttled, throttled_node)
		queues[nr++] = &container_of(q, struct group_queue, queue)->cfs;
	for (u32 i = 0; i < nr && g->tg.cfs_bandwidth.runtime; i++) {
		struct rq *rq = queues[i]->rq;

		rq_lock(rq);
		update_rq_clock(rq);
		/* it may have been handed something and wait for its CPU to notice */
		if (queues[i]->throttled && list_empty(&queue_of(queues[i])->unthrottle_node) &&
		    pay_debt(g, queues[i]))
			unthrottle_on(queues[i]);
		rq_unlock(rq);
	}
	free(queues);
}

/* The end of a period. True: another one follows. */
static bool end_period(struct group *g, u64 over)
{
	struct cfs_bandwidth *cfs_b = &g->tg.cfs_bandwidth;
	bool throttled = !list_empty(&g->throttled);

	if (!has_quota(g) || g->dead)
		return false;
	cfs_b->nr_periods += over;
	refill(g);
	if (g->idle && !throttled)
		return false;
	g->idle = !throttled;
	if (throttled)
		cfs_b->nr_throttled += over;
	return true;
}

static void period_timer(struct hrtimer *timer)
{
	struct group *g = container_of(timer, struct group, period_timer);
	u64 over;

	lock_pool(g);
	g->period_end = forward(g, cpu_clock(), &over);
	g->period_active = end_period(g, over);
	if (g->period_active)
		arm(&g->period_timer, g->period_end);
	unlock_pool(g);
	if (!list_empty(&g->throttled))
		distribute(g);
}

/* --- slack ---------------------------------------------------------------------------- */

static bool refill_within(const struct group *g, u64 ns)
{
	return g->period_end <= cpu_clock() + ns;
}

void return_cfs_rq_runtime(struct cfs_rq *cfs_rq)
{
	s64 slack = cfs_rq->runtime_remaining - (s64)KEPT_NS;
	struct group *g = group_of(cfs_rq->tg);
	struct cfs_bandwidth *cfs_b = &g->tg.cfs_bandwidth;

	if (slack <= 0)
		return;
	lock_pool(g);
	if (has_quota(g)) {
		cfs_b->runtime += slack;
		/* other queues cannot be unthrottled with our rq locked */
		if (cfs_b->runtime > SLICE_NS && !list_empty(&g->throttled) &&
		    !g->slack_started && !refill_within(g, SLACK_NS + EXPIRES_SOON_NS)) {
			g->slack_started = true;
			arm(&g->slack_timer, cpu_clock() + SLACK_NS);
		}
	}
	unlock_pool(g);
	cfs_rq->runtime_remaining -= slack;
}

static void slack_timer(struct hrtimer *timer)
{
	struct group *g = container_of(timer, struct group, slack_timer);
	bool enough;

	lock_pool(g);
	g->slack_started = false;
	enough = !refill_within(g, EXPIRES_SOON_NS) && has_quota(g) &&
		 g->tg.cfs_bandwidth.runtime > SLICE_NS;
	unlock_pool(g);
	if (enough)
		distribute(g);
}

/* --- settings --------------------------------------------------------------------------- */

static void set_on_rq(struct task_group *tg, struct rq *rq, bool enabled)
{
	struct cfs_rq *cfs_rq = tg->cfs_rq[rq->cpu];

	rq_lock(rq);
	update_rq_clock(rq);
	cfs_rq->runtime_enabled = enabled;
	cfs_rq->runtime_remaining = 0;
	if (cfs_rq->throttled)
		unthrottle(cfs_rq);
	rq_unlock(rq);
}

void fair_set_bandwidth(struct group *g, u64 quota, u64 period)
{
	struct cfs_bandwidth *cfs_b = &g->tg.cfs_bandwidth;
	bool had = has_quota(g);
	u32 cpu;

	nr_with_quota -= had;
	nr_with_quota += quota != CGROUP_NO_QUOTA;
	lock_pool(g);
	cfs_b->period = period;
	cfs_b->quota = quota;
	refill(g);
	if (has_quota(g))
		start_period(g);
	unlock_pool(g);
	for_each_cpu(cpu, kernel.online)
		set_on_rq(&g->tg, cpu_rq(cpu), has_quota(g));
}

/* --- groups and CPUs come and go ------------------------------------------------------------ */

void bandwidth_init(struct group *g)
{
	struct cfs_bandwidth *cfs_b = &g->tg.cfs_bandwidth;

	cfs_b->quota = CGROUP_NO_QUOTA;
	cfs_b->period = CGROUP_PERIOD_DFL;
	sim_lock_init(&g->lock);
	hrtimer_init(&g->period_timer, period_timer);
	hrtimer_init(&g->slack_timer, slack_timer);
	INIT_LIST_HEAD(&g->throttled);
	if (!g->tg.parent)
		nr_with_quota = 0;
	else /* so that not all groups are refilled at once */
		g->period_end = rng_below(&sim_rng, cfs_b->period);
}

void bandwidth_sync(struct task_group *tg, struct rq *rq)
{
	struct cfs_rq *cfs_rq = tg->cfs_rq[rq->cpu];
	int count = tg->parent->cfs_rq[rq->cpu]->throttle_count;

	if (count && !cfs_rq->throttle_count)
		pelt_freeze(cfs_rq);
	if (!count && cfs_rq->throttle_count)
		pelt_thaw(cfs_rq);
	cfs_rq->throttle_count = count;
}

void bandwidth_stop(struct group *g)
{
	nr_with_quota -= has_quota(g);
	hrtimer_cancel(&g->period_timer);
	hrtimer_cancel(&g->slack_timer);
}

void bandwidth_leave(struct cfs_rq *cfs_rq)
{
	cfs_rq->runtime_enabled = 0;
	if (cfs_rq->throttled)
		unthrottle(cfs_rq);
}

void bandwidth_rq_online(struct rq *rq)
{
	struct task_group *tg;

	list_for_each_entry(tg, &fair_groups, list)
		tg->cfs_rq[rq->cpu]->runtime_enabled = has_quota(group_of(tg));
}

/* What is left here, bound to the CPU, runs without limit; the rest is about to go. */
void bandwidth_rq_offline(struct rq *rq)
{
	struct task_group *tg;

	update_rq_clock(rq);
	list_for_each_entry(tg, &fair_groups, list) {
		struct cfs_rq *cfs_rq = tg->cfs_rq[rq->cpu];

		if (!cfs_rq->runtime_enabled)
			continue;
		cfs_rq->runtime_remaining = 1;
		cfs_rq->runtime_enabled = 0;
		if (cfs_rq->throttled)
			unthrottle(cfs_rq);
	}
}
