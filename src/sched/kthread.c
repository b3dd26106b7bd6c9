// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel threads that run queued functions, and the way into the machine for
 * code outside of it (kernel_run_inside()).
 *
 * A work function runs in task context on the thread's CPU, to its end. It may
 * take locks and wake tasks; it does not sleep.
 */
#include "sched.h"

struct kthread_worker {
	struct task *task;
	struct list_head works;
	struct wait_queue idle;
};

static void worker_next(struct task *task, struct task_action *action)
{
	struct kthread_worker *worker = task_data(task);

	if (list_empty(&worker->works)) {
		wait_queue_add(&worker->idle, 0);
		action->kind = ACT_BLOCK;
		return;
	}
	struct kthread_work *work = list_first_entry(&worker->works, struct kthread_work, node);

	list_del_init(&work->node);
	work->fn(work);
	/* back to the loop: interrupts and rescheduling between two works */
	*action = (struct task_action){ ACT_COMPUTE, 0 };
}

static void worker_release(struct task *task)
{
	free(task_data(task));
}

static const struct task_behaviour worker_behaviour = {
	.next = worker_next,
	.release = worker_release,
};

struct kthread_worker *kthread_worker_create(const char *name, s32 cpu, bool rt)
{
	struct kthread_worker *worker = calloc(1, sizeof(*worker));
	struct cpumask mask = { 0 };
	struct task_params params = {
		.comm = name,
		.policy = rt ? SCHED_FIFO : SCHED_NORMAL,
		.rt_priority = rt ? 99 : 0,
		.group = TASK_GROUP_SYSTEM,
	};
	int err;

	if (!worker)
		return NULL;
	INIT_LIST_HEAD(&worker->works);
	wait_queue_init(&worker->idle);
	if (cpu >= 0) {
		cpumask_set_cpu(cpu, &mask);
		params.allowed = &mask;
	}
	worker->task = task_create_flags(&params, &worker_behaviour, worker, PF_KTHREAD, &err);
	if (!worker->task) {
		free(worker);
		return NULL;
	}
	task_start(worker->task);
	return worker;
}

void kthread_queue_work(struct kthread_worker *worker, struct kthread_work *work)
{
	if (!list_empty(&work->node))
		return;
	list_add_tail(&work->node, &worker->works);
	wait_queue_wake(&worker->idle, 1, false);
}

/* --- from outside ------------------------------------------------------------- */

struct inside_call {
	struct kthread_work work;
	void (*fn)(void *arg);
	void *arg;
	bool done;
};

static struct kthread_worker *entry_worker;
/* The call that waits to be queued by the entry interrupt. */
static struct inside_call *entry_call;
static struct hrtimer entry_timer;

static void inside_work(struct kthread_work *work)
{
	struct inside_call *call = container_of(work, struct inside_call, work);

	call->fn(call->arg);
	call->done = true;
	sim_stop();
}

static void entry_interrupt(struct hrtimer *timer)
{
	kthread_queue_work(entry_worker, &entry_call->work);
}

void kernel_entry_init(void)
{
	hrtimer_init(&entry_timer, entry_interrupt);
	entry_worker = kthread_worker_create("vrt", 0, true);
	VRT_ASSERT(entry_worker);
}

void kernel_run_inside(void (*fn)(void *arg), void *arg)
{
	struct inside_call call = { .fn = fn, .arg = arg };

	if (this_cpu) {
		fn(arg);
		return;
	}
	VRT_ASSERT(!entry_call && entry_worker);
	kthread_init_work(&call.work, inside_work);
	entry_call = &call;
	hrtimer_start_on(&entry_timer, &cpus[0], sim_now());
	while (!call.done)
		sim_run(SIM_NEVER);
	entry_call = NULL;
}
