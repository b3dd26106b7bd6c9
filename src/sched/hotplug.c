// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU hotplug. A CPU that goes offline is first made inactive, so that nothing
 * new is sent there; then its stopper thread, which nothing can preempt, moves
 * every task away that may run elsewhere.
 *
 * Kernel threads that are bound to the CPU keep it: where Linux parks them, here
 * the CPU still runs them, and nothing else. CPU 0 stays: it is where the machine
 * is entered.
 */
#include "sched.h"

struct hotplug {
	u32 cpu;
	bool done;
};

/* The rq is locked on entry and return, but dropped in between. */
static void move_away(struct rq *rq, struct task_struct *p)
{
	if ((p->flags & PF_KTHREAD) && (p->flags & PF_NO_SETAFFINITY))
		return;
	update_rq_clock(rq);
	move_queued_task(rq, p, select_fallback_rq(rq->cpu, p));
	rq_lock(rq);
}

static void push_tasks(struct rq *rq)
{
	for (u32 pid = 1; pid < kernel.nr_pids; pid++) {
		struct task *t = task_from_pid(pid);

		if (t && t->ts.cpu == rq->cpu && t->ts.on_rq == 1 && !task_current(rq, &t->ts))
			move_away(rq, &t->ts);
	}
}

/* On the CPU's stopper. */
static void take_offline(void *arg)
{
	struct hotplug *h = arg;
	struct rq *rq = cpu_rq(h->cpu);

	rq_lock(rq);
	rq->online = 0;
	cpumask_clear_cpu(h->cpu, kernel.online);
	for (u32 i = 0; i < NR_RANKS; i++) {
		if (sched_classes[i]->rq_offline)
			sched_classes[i]->rq_offline(rq);
	}
	push_tasks(rq);
	rq_unlock(rq);
	trace_emit(TRACE_CPU_ONLINE, 0, 0, h->cpu);
	h->done = true;
}

static void cpu_down(void *arg)
{
	struct hotplug *h = arg;

	scx_cpu_hotplug(cpu_rq(h->cpu), false);
	cpumask_clear_cpu(h->cpu, kernel.active);
	stop_one_cpu_nowait(h->cpu, take_offline, h);
	while (!h->done)
		spin_quiescent();
}

static void cpu_up(void *arg)
{
	struct hotplug *h = arg;
	struct rq *rq = cpu_rq(h->cpu);

	rq_lock(rq);
	rq->online = 1;
	cpumask_set_cpu(h->cpu, kernel.online);
	cpumask_set_cpu(h->cpu, kernel.active);
	for (u32 i = 0; i < NR_RANKS; i++) {
		if (sched_classes[i]->rq_online)
			sched_classes[i]->rq_online(rq);
	}
	resched_curr(rq);
	rq_unlock(rq);
	trace_emit(TRACE_CPU_ONLINE, 0, 1, h->cpu);
	scx_cpu_hotplug(rq, true);
}

int kernel_cpu_set_online(u32 cpu, bool online)
{
	struct hotplug h = { .cpu = cpu };

	if (this_cpu && this_cpu->id == cpu)
		return -EBUSY;
	if (!cpu || cpu >= nr_cpu_ids || cpu_online(cpu) == online)
		return -EINVAL;
	kernel_run_inside(online ? cpu_up : cpu_down, &h);
	return 0;
}
