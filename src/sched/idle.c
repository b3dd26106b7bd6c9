// SPDX-License-Identifier: GPL-2.0-only
/*
 * The idle class, and what a CPU does that has nothing to do.
 *
 * An idle CPU first polls for costs.idle_poll_time: a reschedule request then
 * reaches it without an interrupt (crq->polling: the waker pokes it). After that
 * it goes to sleep, in a shallow state or in a deep one, and the way out of it
 * is paid when something comes. As Linux's menu governor, the choice follows
 * the typical length of the last idle times. Where there is no typical one menu
 * asks for the next timer, which an event queue common to all CPUs does not
 * tell: we expect what most of the last idle times were, as its sister teo does.
 *
 * The tick stops at once and starts again with the next task, at its old phase.
 * Linux keeps it when it expects less than a tick of idle time: the difference
 * is one interrupt in a short idle time.
 *
 * Locking: the class under the rq lock; the idle loop takes none.
 */
#include "fair/fair.h"

/* --- prediction ------------------------------------------------------------------ */

static u64 square_root(u64 x)
{
	u64 root = 0;

	for (u64 bit = 1ULL << 31; bit; bit >>= 1) {
		if ((root + bit) * (root + bit) <= x)
			root += bit;
	}
	return root;
}

/*
 * The typical one of the last idle times, or SIM_NEVER: their average if they
 * scatter little; otherwise the same without the longest, down to three
 * quarters of them.
 */
static u64 typical_interval(const struct idle_history *h)
{
	u64 limit = SIM_NEVER;

	for (;;) {
		u64 sum = 0, squares = 0, longest = 0, mean, deviation;
		u32 nr = 0;

		for (u32 i = 0; i < IDLE_HISTORY; i++) {
			u64 us = h->recent[i] / NSEC_PER_USEC;

			if (!h->recent[i] || us >= limit)
				continue;
			nr++;
			sum += us;
			longest = max(longest, us);
		}
		if (!nr)
			return SIM_NEVER;
		mean = sum / nr;
		for (u32 i = 0; i < IDLE_HISTORY; i++) {
			u64 us = h->recent[i] / NSEC_PER_USEC;

			if (h->recent[i] && us < limit)
				squares += (us - mean) * (us - mean);
		}
		deviation = square_root(squares / nr);
		if ((mean > 6 * deviation && nr * 4 >= IDLE_HISTORY * 3) || deviation <= 20)
			return mean * NSEC_PER_USEC;
		if (nr * 4 <= IDLE_HISTORY * 3)
			return SIM_NEVER;
		limit = longest;
	}
}

/* Will the next idle time be long enough for the deep state? */
static bool expects_long(const struct idle_history *h)
{
	u64 typical = typical_interval(h);
	u32 known = 0, longer = 0;

	if (typical != SIM_NEVER)
		return typical >= costs.idle_deep_after;
	for (u32 i = 0; i < IDLE_HISTORY; i++) {
		known += h->recent[i] != 0;
		longer += h->recent[i] && h->recent[i] >= costs.idle_deep_after;
	}
	return longer * 2 >= known;
}

/* Longer than this says as much as a year. */
#define HISTORY_MAX_NS NSEC_PER_SEC

static void note_idle_time(struct idle_history *h, u64 ns)
{
	h->recent[h->next] = max(min(ns, HISTORY_MAX_NS), (u64)1);
	h->next = (h->next + 1) % IDLE_HISTORY;
}

/* --- the loop ------------------------------------------------------------------------ */

/* True when there is something else to do. */
static bool disturbed(const struct cpu_rq *crq)
{
	return this_cpu->pending || crq->need_resched;
}

/* The end of idling, and what it costs to come back. */
static void idle_exit(struct cpu_rq *crq, u64 cost)
{
	book_time(crq, BOOK_OVERHEAD);
	note_idle_time(&crq->idle_history, cpu_clock() - crq->waits_since);
	charge_overhead(TRACE_OVH_WAKEUP, cost);
}

static void idle_slept(void *arg)
{
	struct cpu_rq *crq = arg;

	idle_exit(crq, crq->idle_history.deep ? costs.idle_exit_deep : costs.idle_exit_shallow);
}

/* Has polled: somebody may have come. */
static void idle_polled(void *arg)
{
	struct cpu_rq *crq = arg;
	struct idle_history *h = &crq->idle_history;

	crq->polling = false;
	if (disturbed(crq)) {
		idle_exit(crq, costs.idle_exit_poll);
		return;
	}
	h->deep = expects_long(h);
	cpu_wait_then(SIM_NEVER, idle_slept, crq);
}

/*
 * A ghOSt program wants this CPU to look for work again, and not to sleep. Real
 * CPUs look at once; here there is a pause between two looks, in which nothing
 * else could have happened on a CPU that costs nothing.
 */
#define LOOK_AGAIN_NS NSEC_PER_USEC

static void idle_looks_again(void *arg)
{
	struct cpu_rq *crq = arg;

	crq->polling = false;
	book_time(crq, BOOK_OVERHEAD);
	crq->need_resched = true;
}

void idle_loop(struct cpu_rq *crq)
{
	fair_nohz_balance(&crq->rq);
	cpu_sync();
	if (disturbed(crq))
		return;
	if (tick_running(crq))
		tick_stop(crq);
	crq->waits_since = cpu_clock();
	crq->polling = true;
	book_time(crq, BOOK_IDLE);
	if (unlikely(ghost_dont_idle(&crq->rq)))
		cpu_wait_then(cpu_clock() + LOOK_AGAIN_NS, idle_looks_again, crq);
	else
		cpu_wait_then(cpu_clock() + costs.idle_poll_time, idle_polled, crq);
}

/* --- the class -------------------------------------------------------------------------- */

static void enqueue_task_idle(struct rq *rq, struct task_struct *p, u64 flags)
{
	vrt_bug(__FILE__, __LINE__, "the idle task of CPU %u is queued", cpu_of(rq));
}

static bool dequeue_task_idle(struct rq *rq, struct task_struct *p, u64 flags)
{
	vrt_bug(__FILE__, __LINE__, "the idle task of CPU %u goes to sleep", cpu_of(rq));
}

static struct task_struct *pick_task_idle(struct rq *rq)
{
	scx_update_idle(rq, true, false);
	return rq->idle;
}

static void set_next_task_idle(struct rq *rq, struct task_struct *p, bool first)
{
	p->se.exec_start = rq->clock_task;
	fair_idle_enter(rq);
	scx_update_idle(rq, true, true);
}

static void put_prev_task_idle(struct rq *rq, struct task_struct *p, struct task_struct *next)
{
	fair_idle_exit(rq);
	scx_update_idle(rq, false, true);
	tick_start(crq_of(rq));
}

static s32 select_task_rq_idle(struct task_struct *p, s32 prev_cpu, u32 wake_flags)
{
	return p->cpu;
}

static void update_curr_idle(struct rq *rq)
{
}

const struct sched_class_ops idle_sched_class = {
	.rank = RANK_IDLE,
	.name = "idle_sched_class",
	.enqueue_task = enqueue_task_idle,
	.dequeue_task = dequeue_task_idle,
	.pick_task = pick_task_idle,
	.put_prev_task = put_prev_task_idle,
	.set_next_task = set_next_task_idle,
	.select_task_rq = select_task_rq_idle,
	.update_curr = update_curr_idle,
};
