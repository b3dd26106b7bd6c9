// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a CPU's turn will touch of runqueues and tasks, asked for ahead of time
 * (sim/ahead.c). A wrong guess costs a cache line and nothing else, but a pointer
 * is followed only if what it points at exists: it is the queue's that it is in.
 */
#include "sched.h"

/*
 * From so many CPUs and tasks on: each has up to a dozen cache lines that its turns
 * touch, which makes two MiB, as much as a host's second-level cache holds, or more.
 */
#define MANY 2800

void ahead_update(void)
{
	cpus_look_ahead = kernel.config.topology->nr_cpus + kernel.nr_tasks >= MANY;
}

static inline void fetch(const void *from, u32 bytes)
{
#pragma GCC unroll 8
	for (u32 i = 0; i < bytes; i += 64)
		prefetch((const char *)from + i);
}

/* What goes with a task that comes to a queue, leaves it or is picked from it. */
static void fetch_queued(const struct task *t)
{
	fetch(&t->ts, 192);
	fetch(&t->action, 1);
}

/* And with one that is switched to or from. */
static void fetch_switched(const struct task *t)
{
	fetch_queued(t);
	fetch(&t->ts.nvcsw, 1);
}

/* With one that goes to sleep or wakes up. */
static void fetch_sleep(const struct task *t)
{
	fetch(&t->timer, 128);
}

/* What a turn is for. */
enum turn { TURN_RUN, TURN_TICK, TURN_TIMER };

static inline enum turn turn_of(const struct cpu_rq *crq, const struct hrtimer *timer)
{
	return !timer ? TURN_RUN : timer == &crq->tick ? TURN_TICK : TURN_TIMER;
}

/* By number. Most timers are a task's; of others this asks for something in vain. */
void coming_cpu(u32 cpu, const struct hrtimer *timer)
{
	const struct cpu_rq *crq = kernel.rqs[cpu];
	const struct task *curr = task_of(kernel.currs[cpu]), *t;

	fetch(&crq->rq, 192);
	fetch(&crq->lock, 256);
	switch (turn_of(crq, timer)) {
	case TURN_RUN: /* the task has done what it had to do */
		fetch_switched(curr);
		fetch_sleep(curr);
		return;
	case TURN_TICK:
		fetch_switched(curr);
		return;
	case TURN_TIMER:
		t = container_of(timer, struct task, timer);
		fetch_queued(t);
		fetch_sleep(t);
		fetch(&t->ts.cpus_mask.bits[cpu / 64], 1);
		fetch(&curr->ts.scx.kf_mask, 1);
		fetch(&curr->action, 1);
		return;
	}
}

/* The task that is likely to be next, and those at the ends of the queues. */
void coming_queue(u32 cpu, const struct hrtimer *timer)
{
	enum turn turn = turn_of(kernel.rqs[cpu], timer);
	const struct rq *rq = &kernel.rqs[cpu]->rq;
	const struct list_head *local = &rq->scx.local_dsq.list;

	fetch(rq->scx.runnable_list.prev, 1);
	fetch(local->prev, 1);
	if (turn == TURN_TIMER)
		return;
	if (turn == TURN_RUN)
		fetch(task_of(rq->curr)->data, 128);
	if (!list_empty(local))
		fetch_switched(task_of(list_first_entry(local, struct task_struct, scx.dsq_list.node)));
}
