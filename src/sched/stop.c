// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stop class: one kernel thread per CPU, "migration/N", that runs before
 * everything else, and what others ask to be run on it.
 *
 * Locking: the class under the rq lock. The list of calls needs none: it is
 * touched between two payments only.
 */
#include "../base/alloc.h"
#include "noise.h"

struct stop_call {
	struct list_head node;
	void (*fn)(void *arg);
	void *arg;
};

struct stopper {
	struct list_head calls;
	struct wait_queue idle;
};

/* --- the class -------------------------------------------------------------- */

static void update_curr_stop(struct rq *rq)
{
	if (rq->curr == rq->stop)
		update_curr_common(rq);
}

static void enqueue_task_stop(struct rq *rq, struct task_struct *p, u64 flags)
{
	rq->nr_running++;
}

static bool dequeue_task_stop(struct rq *rq, struct task_struct *p, u64 flags)
{
	update_curr_stop(rq);
	rq->nr_running--;
	return true;
}

/* It has nobody to yield to. */
static void yield_task_stop(struct rq *rq)
{
}

static struct task_struct *pick_task_stop(struct rq *rq)
{
	return rq->stop && rq->stop->on_rq == 1 ? rq->stop : NULL;
}

static bool balance_stop(struct rq *rq, struct task_struct *prev)
{
	return pick_task_stop(rq);
}

static void set_next_task_stop(struct rq *rq, struct task_struct *p, bool first)
{
	p->se.exec_start = rq->clock_task;
}

static void put_prev_task_stop(struct rq *rq, struct task_struct *p, struct task_struct *next)
{
	update_curr_stop(rq);
}

static s32 select_task_rq_stop(struct task_struct *p, s32 prev_cpu, u32 wake_flags)
{
	return p->cpu;
}

static void task_tick_stop(struct rq *rq, struct task_struct *curr)
{
	update_curr_stop(rq);
}

static void reweight_task_stop(struct rq *rq, struct task_struct *p, u32 weight)
{
}

const struct sched_class_ops stop_sched_class = {
	.rank = RANK_STOP,
	.name = "stop_sched_class",
	.trace = TRACE_CLASS_STOP,
	.enqueue_task = enqueue_task_stop,
	.dequeue_task = dequeue_task_stop,
	.yield_task = yield_task_stop,
	.balance = balance_stop,
	.pick_task = pick_task_stop,
	.put_prev_task = put_prev_task_stop,
	.set_next_task = set_next_task_stop,
	.select_task_rq = select_task_rq_stop,
	.task_tick = task_tick_stop,
	.reweight_task = reweight_task_stop,
	.update_curr = update_curr_stop,
};

/* --- the threads --------------------------------------------------------------- */

static void stopper_next(struct task *task, struct task_action *action)
{
	struct stopper *stopper = task_data(task);
	struct stop_call *call;

	if (list_empty(&stopper->calls)) {
		wait_queue_add(&stopper->idle, 0);
		action->kind = ACT_BLOCK;
		return;
	}
	call = list_first_entry(&stopper->calls, struct stop_call, node);
	list_del_init(&call->node);
	call->fn(call->arg);
	free(call);
	/* back to the loop: interrupts between two calls */
	*action = (struct task_action){ ACT_COMPUTE, 0 };
}

static void stopper_release(struct task *task)
{
	struct stopper *stopper = task_data(task);

	while (!list_empty(&stopper->calls)) {
		struct stop_call *call =
			list_first_entry(&stopper->calls, struct stop_call, node);

		list_del_init(&call->node);
		free(call);
	}
	free(stopper);
}

static const struct task_behaviour stopper_behaviour = {
	.next = stopper_next,
	.release = stopper_release,
};

void stop_init_cpu(u32 cpu)
{
	struct stopper *stopper = xcalloc(1, sizeof(*stopper));
	struct task *t;

	INIT_LIST_HEAD(&stopper->calls);
	wait_queue_init(&stopper->idle);
	t = kthread_create_on(cpu, "migration", PF_NO_SETAFFINITY, &stopper_behaviour, stopper,
			      &stopper->idle);
	task_apply_policy(&t->ts, SCHED_FIFO, MAX_RT_PRIO - 1);
	t->ts.sched_class = &stop_sched_class.id;
	cpu_rq(cpu)->stop = &t->ts;
	trace_emit(TRACE_CLASS, t->ts.pid, TRACE_CLASS_STOP, 0);
}

void stop_one_cpu_nowait(u32 cpu, void (*fn)(void *arg), void *arg)
{
	struct stopper *stopper = task_data(task_of(cpu_rq(cpu)->stop));
	struct stop_call *call = xcalloc(1, sizeof(*call));

	call->fn = fn;
	call->arg = arg;
	list_add_tail(&call->node, &stopper->calls);
	wait_queue_wake(&stopper->idle, 1, false);
}
