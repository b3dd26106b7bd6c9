// SPDX-License-Identifier: GPL-2.0-only
/*
 * runnable_timeout: an enclave in which a task could run but is not run for that
 * long has failed, whoever's fault it is, and ends. A timer looks four times per
 * timeout, so a task waits for at most a quarter longer than it may.
 *
 * Locking: reads each task without its rq locked; between two payments nothing
 * changes, and the walk makes none.
 */
#include "internal.h"

#define MIN_PERIOD_NS (10 * NSEC_PER_USEC)

static void arm(struct ghost_enclave *e)
{
	hrtimer_start(&e->watchdog,
		      cpu_clock() + max(e->config.runnable_timeout / 4, (u64)MIN_PERIOD_NS));
}

static void expired(struct hrtimer *timer)
{
	struct ghost_enclave *e = container_of(timer, struct ghost_enclave, watchdog);

	if (!list_empty(&e->watchdog_work.node))
		return;
	ghost_get(e);
	kthread_queue_work(ghost.worker, &e->watchdog_work);
}

/* The task that waits longest, of those that wait too long. */
static const struct task *find_stalled(const struct ghost_enclave *e)
{
	const struct task *t, *longest = NULL;

	list_for_each_entry(t, &e->tasks, ghost.node) {
		u64 since = t->ghost.runnable_since;

		if (since && (s64)(cpu_clock() - since) > (s64)e->config.runnable_timeout &&
		    (!longest || since < longest->ghost.runnable_since))
			longest = t;
	}
	return longest;
}

static void check(struct ghost_enclave *e)
{
	const struct task *t = find_stalled(e);
	u64 waited;

	if (!t) {
		arm(e);
		return;
	}
	waited = cpu_clock() - t->ghost.runnable_since;
	ghost_end(e, GHOST_EXIT_STALL, "runnable task stall",
		  "%s[%d] was runnable for %llu.%03llus and was not run", t->ts.comm, t->ts.pid,
		  waited / NSEC_PER_SEC, waited / NSEC_PER_MSEC % 1000);
}

static void watchdog_workfn(struct kthread_work *work)
{
	struct ghost_enclave *e = container_of(work, struct ghost_enclave, watchdog_work);

	cpu_sync();
	if (ghost_active(e))
		check(e);
	ghost_put(e);
}

void ghost_watchdog_init(struct ghost_enclave *e)
{
	hrtimer_init(&e->watchdog, expired);
	kthread_init_work(&e->watchdog_work, watchdog_workfn);
}

void ghost_watchdog_start(struct ghost_enclave *e)
{
	if (e->config.runnable_timeout)
		arm(e);
}

void ghost_watchdog_stop(struct ghost_enclave *e)
{
	hrtimer_cancel(&e->watchdog);
}
