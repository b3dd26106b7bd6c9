// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel threads with a stack of their own, threads that run queued functions,
 * and the way into the machine for code outside of it (kernel_run_inside()).
 *
 * A thread's function runs on a fiber, which the thread's CPU switches to when
 * it asks the task what comes next: it comes back with the next action. So the
 * thread sleeps by naming ACT_BLOCK, and lets the CPU look at its interrupts by
 * naming no work at all; when it goes on it may be on another CPU. In between
 * nobody interrupts it.
 *
 * Threads may run BPF programs that are preempted in the middle
 * (kthread_begin_program()). Until such a run ends it may hold pointers to
 * tasks: the list of runs, the oldest first, holds up their grace periods.
 */
#include "../sim/fiber.h"
#include "sched.h"

struct kthread {
	struct task *task;
	const struct kthread_ops *ops;
	void *data;
	struct fiber *fiber; /* its own */
	struct fiber *loop; /* of the CPU that it runs on */
	struct task_action action; /* that it comes back with */
	struct list_head run; /* on program_runs while a program runs */
	u64 run_since;
	bool aborted; /* the machine stops: the program shall end where it is */
};

static struct list_head program_runs = LIST_HEAD_INIT(program_runs);

/* --- switching ------------------------------------------------------------------ */

static void kthread_next(struct task *task, struct task_action *action)
{
	struct kthread *k = task_data(task);

	k->loop = fiber_current();
	fiber_switch(k->fiber);
	*action = k->action;
	if (action->kind == ACT_EXIT) {
		fiber_free(k->fiber);
		k->fiber = NULL;
	}
}

static void kthread_release(struct task *task)
{
	struct kthread *k = task_data(task);

	list_del_init(&k->run);
	if (k->fiber)
		fiber_free(k->fiber);
	if (k->ops->release)
		k->ops->release(k->data);
	free(k);
}

static const struct task_behaviour kthread_behaviour = {
	.next = kthread_next,
	.release = kthread_release,
};

/* The thread on whose stack the caller is; NULL: it is on no thread's. */
static struct kthread *kthread_self(void)
{
	struct task *t = current_task();
	struct kthread *k = t && t->behaviour == &kthread_behaviour ? task_data(t) : NULL;

	return k && fiber_current() == k->fiber ? k : NULL;
}

void *kthread_data(const struct kthread_ops *ops)
{
	struct kthread *k = kthread_self();

	return k && k->ops == ops ? k->data : NULL;
}

static void switch_out(struct kthread *k, enum task_action_kind kind)
{
	k->action = (struct task_action){ .kind = kind };
	fiber_switch(k->loop);
}

void kthread_wait(struct wait_queue *wq)
{
	struct kthread *k = kthread_self();

	VRT_ASSERT(k);
	wait_queue_add(wq, 0);
	switch_out(k, ACT_BLOCK);
}

void kthread_preempt(void)
{
	struct kthread *k = kthread_self();

	VRT_ASSERT(k);
	switch_out(k, ACT_COMPUTE);
}

/* --- life ----------------------------------------------------------------------- */

static void kthread_main(void *arg)
{
	struct kthread *k = arg;

	k->ops->run(k->data);
	switch_out(k, ACT_EXIT);
}

struct task *kthread_create(const struct task_params *params, const struct kthread_ops *ops,
			    void *data, int *err)
{
	struct kthread *k = calloc(1, sizeof(*k));

	*err = -ENOMEM;
	if (!k)
		return NULL;
	k->ops = ops;
	k->data = data;
	INIT_LIST_HEAD(&k->run);
	k->fiber = fiber_new(kthread_main, k);
	if (k->fiber)
		k->task = task_create_flags(params, &kthread_behaviour, k,
					    ops->user ? 0 : PF_KTHREAD, err);
	if (k->task)
		return k->task;
	if (k->fiber)
		fiber_free(k->fiber);
	free(k);
	return NULL;
}

/* --- programs that may be preempted ------------------------------------------------ */

struct kthread *kthread_begin_program(void)
{
	struct kthread *k = kthread_self();

	VRT_ASSERT(k && list_empty(&k->run));
	cpu_sync();
	k->run_since = cpu_clock();
	list_add_tail(&k->run, &program_runs);
	migrate_disable();
	return k;
}

void kthread_end_program(struct kthread *k)
{
	/* the thread would go on as if the machine did */
	while (k->aborted)
		fiber_switch(k->loop);
	migrate_enable();
	list_del_init(&k->run);
}

bool kthread_preempt_program(void)
{
	struct kthread *k = kthread_self();

	VRT_ASSERT(k && !list_empty(&k->run) && !rq_locked(this_rq()));
	cpu_sync();
	while (!k->aborted && (this_cpu->pending || need_resched() || kernel.stopping))
		switch_out(k, ACT_COMPUTE);
	return k->aborted;
}

bool kthread_in_program(void)
{
	const struct kthread *k = kthread_self();

	return k && !list_empty(&k->run);
}

bool kthread_wait_program(struct wait_queue *wq)
{
	struct kthread *k = kthread_self();

	VRT_ASSERT(k && !list_empty(&k->run));
	wait_queue_add(wq, 0);
	switch_out(k, ACT_BLOCK);
	return k->aborted;
}

u64 kthread_oldest_program(void)
{
	if (list_empty(&program_runs))
		return SIM_NEVER;
	return list_first_entry(&program_runs, struct kthread, run)->run_since;
}

void kthread_abort_programs(void)
{
	VRT_ASSERT(kernel.stopping);
	while (!list_empty(&program_runs)) {
		struct kthread *k = list_first_entry(&program_runs, struct kthread, run);

		list_del_init(&k->run);
		k->aborted = true;
		k->loop = fiber_current();
		fiber_switch(k->fiber);
	}
}

/* --- queued functions ---------------------------------------------------------------- */

struct kthread_worker {
	struct task *task;
	struct list_head works;
	struct wait_queue idle;
};

static void worker_run(void *data)
{
	struct kthread_worker *worker = data;

	for (;;) {
		struct kthread_work *work;

		while (list_empty(&worker->works))
			kthread_wait(&worker->idle);
		work = list_first_entry(&worker->works, struct kthread_work, node);
		list_del_init(&work->node);
		work->fn(work);
		/* interrupts and rescheduling between two works */
		kthread_preempt();
	}
}

static const struct kthread_ops worker_ops = { .run = worker_run, .release = free };

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
	worker->task = kthread_create(&params, &worker_ops, worker, &err);
	if (!worker->task) {
		free(worker);
		return NULL;
	}
	if (cpu >= 0) /* it belongs to that CPU */
		worker->task->ts.flags |= PF_NO_SETAFFINITY;
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
	kernel.entry_task = &entry_worker->task->ts;
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
	trace_flush();
}
