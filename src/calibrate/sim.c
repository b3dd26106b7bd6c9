// SPDX-License-Identifier: GPL-2.0-only
/*
 * The experiments on the simulated machine: each of their threads is a task with
 * a stack of its own, which its CPU switches to when it asks the task what comes
 * next, and which comes back with an action.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "../base/alloc.h"
#include "../base/cpumask.h"
#include "../sim/cpu.h"
#include "../sim/fiber.h"
#include "../sim/lock.h"
#include "probes.h"

#define RELAX_NS 50
#define STEP_NS (100 * NSEC_PER_MSEC)
#define PATIENCE_NS (60 * NSEC_PER_SEC) /* of simulated time */
#define FILE_NAME "/calibrate"
#define FILE_SIZE 256

struct sim_thread {
	void (*fn)(void *arg);
	void *arg;
	struct fiber *fiber; /* its own */
	struct fiber *loop; /* of the CPU that it runs on */
	struct task_action action; /* that it comes back with */
	struct probe_word done;
};

static struct hrtimer timer;
static struct sim_lock own_lock, line_lock;
static struct probe_word reaped;

/* --- tasks with a stack --------------------------------------------------------------- */

static void thread_next(struct task *task, struct task_action *action)
{
	struct sim_thread *t = task_data(task);

	t->loop = fiber_current();
	fiber_switch(t->fiber);
	*action = t->action;
}

static const struct task_behaviour thread_behaviour = {
	.next = thread_next,
	.name = "calibrate",
};

static void act(enum task_action_kind kind, u64 ns)
{
	struct sim_thread *t = task_data(current_task());

	t->action = (struct task_action){ kind, ns };
	fiber_switch(t->loop);
}

static struct wait_queue *queue_of(struct probe_word *word)
{
	if (!word->waiters.waiters.next)
		wait_queue_init(&word->waiters);
	return &word->waiters;
}

static void sim_wait(struct probe_word *word, u32 old)
{
	while (word->value == old) {
		task_charge_syscall();
		wait_queue_add(queue_of(word), 0);
		act(ACT_BLOCK, 0);
	}
}

static u32 sim_wake(struct probe_word *word)
{
	word->value++;
	task_charge_syscall();
	return wait_queue_wake(queue_of(word), 1, false);
}

static void thread_main(void *arg)
{
	struct sim_thread *t = arg;

	t->fn(t->arg);
	sim_wake(&t->done);
	act(ACT_EXIT, 0);
}

static bool sim_start(struct probe_thread *thread)
{
	struct task_params params = { .comm = "calibrate", .policy = thread->policy };
	struct sim_thread *t = xcalloc(1, sizeof(*t));
	struct cpumask allowed = { 0 };
	struct task *task;
	int err;

	t->fn = thread->fn;
	t->arg = thread->arg;
	t->fiber = fiber_new(thread_main, t);
	cpumask_set_cpu(thread->cpu, &allowed);
	params.allowed = &allowed;
	task = task_create(&params, &thread_behaviour, t, &err);
	VRT_ASSERT(task); /* no scheduler refuses it */
	thread->machine = t;
	task_start(task);
	return true;
}

/* Its last action has been taken over by its CPU. */
static void thread_free(struct sim_thread *t)
{
	fiber_free(t->fiber);
	free(t);
}

static void sim_join(struct probe_thread *thread)
{
	struct sim_thread *t = thread->machine;

	sim_wait(&t->done, 0);
	/* it has woken us, and may not have named its last action yet */
	while (t->action.kind != ACT_EXIT)
		act(ACT_SLEEP, NSEC_PER_USEC);
	thread_free(t);
}

/* --- a task that ends at once ---------------------------------------------------------- */

static void child_next(struct task *task, struct task_action *action)
{
	sim_wake(&reaped);
	*action = (struct task_action){ .kind = ACT_EXIT };
}

static bool sim_fork(void)
{
	static const struct task_behaviour behaviour = { .next = child_next, .name = "child" };
	struct task_params params = { .comm = "child", .parent = current_task() };
	struct cpumask allowed = { 0 };
	struct task *task;
	int err;

	cpumask_set_cpu(current_cpu(), &allowed);
	params.allowed = &allowed;
	task = task_create(&params, &behaviour, NULL, &err);
	VRT_ASSERT(task);
	task_start(task);
	return true;
}

static void sim_reap(void)
{
	static u32 seen;

	sim_wait(&reaped, seen);
	seen = reaped.value;
}

/* --- the other calls --------------------------------------------------------------------- */

static void sim_relax(void)
{
	act(ACT_SPIN, RELAX_NS);
}

static void sim_compute(u64 ns)
{
	act(ACT_SPIN, ns);
}

static void sim_locked(void)
{
	sim_lock(&own_lock);
	sim_unlock(&own_lock);
}

static void sim_yield(void)
{
	act(ACT_YIELD, 0);
}

static u64 sim_switches(void)
{
	const struct task_struct *p = (const struct task_struct *)current_task();

	return p->nvcsw + p->nivcsw;
}

static void timer_over(struct hrtimer *t)
{
}

/* A sleep until what is past already: it arms its timer, and does not sleep. */
static void sim_arm(u64 when)
{
	act(ACT_SLEEP_UNTIL, 0);
	hrtimer_start(&timer, when);
}

static int sim_open(void)
{
	return sys_openat2(FILE_NAME, 0);
}

static void sim_close(int fd)
{
	sys_close(fd);
}

static void sim_read(int fd)
{
	sys_read(fd, FILE_SIZE);
}

static bool sim_may_use(u32 cpu)
{
	return true;
}

static void take_line(void *arg)
{
	sim_lock(&line_lock);
	sim_unlock(&line_lock);
}

/* The line has been there last: the lock's next taker fetches it. */
static s64 sim_line(u32 a, u32 b)
{
	struct probe_thread thread = { .fn = take_line, .cpu = b, .policy = SCHED_NORMAL };
	u64 start;

	sim_start(&thread);
	sim_join(&thread);
	start = task_clock();
	take_line(NULL);
	return (s64)(task_clock() - start) * 1000;
}

/* --- the machine ---------------------------------------------------------------------------- */

struct main_thread {
	const struct probe_ops *ops;
	struct probe_figures *figures;
	bool done;
};

static void run_probes(void *arg)
{
	struct main_thread *m = arg;

	probes_run(m->ops, m->figures);
	m->done = true;
}

static struct probe_ops sim_ops = {
	.clock = task_clock, .relax = sim_relax, .compute = sim_compute, .locked = sim_locked,
	.null_call = task_charge_syscall, .yield = sim_yield, .switches = sim_switches,
	.wait = sim_wait, .wake = sim_wake, .arm = sim_arm, .open = sim_open, .close = sim_close,
	.read = sim_read, .start = sim_start, .join = sim_join, .fork = sim_fork,
	.reap = sim_reap, .line = sim_line, .may_use = sim_may_use,
};

int calibrate_sim(const struct topology *topology, const struct cost_table *costs,
		  struct probe_figures *figures)
{
	struct kernel_config config = {
		.topology = topology, .costs = costs, .seed = 1, .noise = NOISE_NONE,
	};
	struct main_thread m = { .ops = &sim_ops, .figures = figures };
	struct probe_thread thread = { .fn = run_probes, .arg = &m, .policy = SCHED_NORMAL };
	int err = kernel_boot(&config);

	if (err)
		return err;
	sim_ops.topology = topology;
	thread.cpu = (u32)probe_cpu(&sim_ops);
	hrtimer_init(&timer, timer_over);
	sim_lock_init(&own_lock);
	sim_lock_init(&line_lock);
	err = kernel_make_file(FILE_NAME, FILE_SIZE);
	if (!err)
		sim_start(&thread);
	for (u64 start = kernel_now(); !err && !m.done;) {
		kernel_run_until(kernel_now() + STEP_NS);
		if (kernel_now() - start > PATIENCE_NS)
			err = -ETIMEDOUT;
	}
	kernel_shutdown();
	if (thread.machine)
		thread_free(thread.machine);
	return err;
}
