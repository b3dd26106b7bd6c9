// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a CPU's turn will touch of runqueues and tasks, asked for ahead of time
 * (sim/ahead.c). A wrong guess costs a cache line and nothing else, but a pointer
 * is followed only if what it points at exists: it is the queue's that it is in.
 */
#include "sched.h"

static inline void fetch(const void *from, u32 bytes)
{
	for (u32 i = 0; i < bytes; i += 64)
		prefetch((const char *)from + i);
}

/* The lines of a task that every switch touches. */
static void fetch_task(const struct task *t, u32 cpu)
{
	fetch(&t->ts, 320);
	fetch(&t->ts.se.exec_start, 1);
	fetch(&t->ts.cpus_mask.bits[cpu / 64], 1);
	fetch(&t->call, 256);
	fetch(&t->ghost, 1);
}

/* By number. Most timers are a task's; of others this asks for something in vain. */
static void fetch_cpu(const struct cpu_rq *crq, u32 cpu, const struct hrtimer *timer)
{
	fetch(&crq->rq, 256);
	fetch(&crq->lock, 384);
	fetch(&crq->scx, 1);
	fetch_task(task_of(kernel.currs[cpu]), cpu);
	if (timer && timer != &crq->tick)
		fetch_task(container_of(timer, struct task, timer), cpu);
}

/* The tasks that will come and go, and those at the ends of the queue. */
static void fetch_queue(const struct rq *rq)
{
	const struct list_head *local = &rq->scx.local_dsq.list;
	const struct list_head *runnable = &rq->scx.runnable_list;

	fetch(task_of(rq->curr)->data, 128);
	fetch(runnable->next, 1);
	fetch(runnable->prev, 1);
	if (list_empty(local))
		return;
	fetch(local->prev, 1);
	fetch_task(task_of(list_first_entry(local, struct task_struct, scx.dsq_list.node)),
		   cpu_of(rq));
}

/* What the next task does, and the neighbours in the queues, which learn that it goes. */
static void fetch_next(const struct rq *rq)
{
	const struct list_head *local = &rq->scx.local_dsq.list;
	const struct task_struct *p;

	if (list_empty(local))
		return;
	p = list_first_entry(local, struct task_struct, scx.dsq_list.node);
	fetch(task_of(p)->data, 128);
	fetch(p->scx.dsq_list.node.next, 1);
	fetch(p->scx.runnable_node.next, 1);
}

void cpu_coming(u32 cpu, const struct hrtimer *timer, u32 step)
{
	const struct cpu_rq *crq = kernel.rqs[cpu];

	switch (step) {
	case 0:
		fetch_cpu(crq, cpu, timer);
		return;
	case 1:
		fetch_queue(&crq->rq);
		return;
	case 2:
		fetch_next(&crq->rq);
		return;
	}
}
