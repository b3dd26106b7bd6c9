// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watchdog: throws a scheduler out that lets a runnable task wait for longer
 * than its timeout. It runs in an ordinary kernel thread; if the scheduler starves
 * that one too, the tick notices.
 *
 * Locking: looks at each rq with its lock held.
 */
#include "ext.h"

static bool check_rq_for_timeouts(struct rq *rq)
{
	struct task_struct *p;
	bool timed_out = false;

	rq_lock(rq);
	list_for_each_entry(p, &rq->scx.runnable_list, scx.runnable_node) {
		u64 waited = jiffies() - p->scx.runnable_at;
		u32 ms = jiffies_to_msecs(waited);

		if ((s64)waited <= (s64)scx.watchdog_timeout)
			continue;
		scx_exit(SCX_EXIT_ERROR_STALL, 0, "%s[%d] failed to run for %u.%03us", p->comm,
			 p->pid, ms / 1000, ms % 1000);
		timed_out = true;
		break;
	}
	rq_unlock(rq);
	return timed_out;
}

static void watchdog_arm(void)
{
	hrtimer_start(&scx.watchdog_timer,
		      cpu_clock() + max(scx.watchdog_timeout / 2, (u64)1) * kernel.tick_ns);
}

/* In an ordinary kernel thread: if the scheduler starves that too, scx_tick() sees it. */
static void watchdog_workfn(struct kthread_work *work)
{
	u32 cpu;

	if (scx.state != SCX_OPS_ENABLING && scx.state != SCX_OPS_ENABLED)
		return;
	scx.watchdog_stamp = jiffies();
	for_each_cpu(cpu, kernel.online) {
		if (check_rq_for_timeouts(cpu_rq(cpu)))
			break;
	}
	watchdog_arm();
}

static void watchdog_timer(struct hrtimer *timer)
{
	kthread_queue_work(scx.watchdog_worker, &scx.watchdog_work);
}

void scx_tick(struct rq *rq)
{
	u64 since = jiffies() - scx.watchdog_stamp;

	if (!scx_on || (s64)since <= (s64)scx.watchdog_timeout)
		return;
	u32 ms = jiffies_to_msecs(since);

	scx_exit(SCX_EXIT_ERROR_STALL, 0, "watchdog failed to check in for %u.%03us", ms / 1000,
		 ms % 1000);
}

void scx_watchdog_start(void)
{
	u32 ms = scx.ops.timeout_ms ? scx.ops.timeout_ms : SCX_TIMEOUT_MAX_MS;

	scx.watchdog_timeout = msecs_to_jiffies(ms);
	scx.watchdog_stamp = jiffies();
	watchdog_arm();
}

void scx_watchdog_stop(void)
{
	hrtimer_cancel(&scx.watchdog_timer);
}

void scx_watchdog_init(void)
{
	hrtimer_init(&scx.watchdog_timer, watchdog_timer);
	kthread_init_work(&scx.watchdog_work, watchdog_workfn);
}
