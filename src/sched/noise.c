// SPDX-License-Identifier: GPL-2.0-only
/*
 * What disturbs tasks on a real machine: kernel threads that wake up now and
 * then, and device interrupts.
 *
 * Per CPU: kworker/N:0 and ksoftirqd/N; for the machine rcu_preempt and two
 * unbound kworkers. Every CPU has one timer with exponentially distributed
 * intervals. Each time it is an interrupt that takes 1 to 10 us, and every other
 * time it also wakes one of the threads, which then works for 5 to 50 us:
 *
 *	none	the threads exist but never run
 *	light	2 events per second and CPU
 *	heavy	20
 *
 * All draws are from streams of their own, so that the same noise meets every
 * scheduler that runs with the same seed.
 */
#include "noise.h"
#include "../base/alloc.h"

#define LIGHT_INTERVAL_NS (500 * NSEC_PER_MSEC)
#define HEAVY_INTERVAL_NS (50 * NSEC_PER_MSEC)
#define IRQ_MIN_NS 1000
#define IRQ_MAX_NS 10000
#define WORK_MIN_NS 5000
#define WORK_MAX_NS 50000
#define NR_SHARED 3

struct noise_thread {
	struct wait_queue idle;
	u32 pending; /* wakeups to work for */
	struct rng rng;
};

struct noise_cpu {
	struct hrtimer timer;
	struct rng rng;
	struct noise_thread *kworker, *ksoftirqd;
};

static struct {
	u64 interval;
	u32 nr_cpus;
	struct noise_cpu *cpus;
	struct noise_thread *shared[NR_SHARED]; /* on any CPU */
} noise;

static u64 draw(struct rng *rng, u64 from, u64 to)
{
	return from + rng_below(rng, to - from + 1);
}

/* --- the threads --------------------------------------------------------------- */

static void thread_next(struct task *task, struct task_action *action)
{
	struct noise_thread *thread = task_data(task);

	if (!thread->pending) {
		wait_queue_add(&thread->idle, 0);
		action->kind = ACT_BLOCK;
		return;
	}
	thread->pending--;
	*action = (struct task_action){ ACT_COMPUTE,
					draw(&thread->rng, WORK_MIN_NS, WORK_MAX_NS) };
}

static void thread_release(struct task *task)
{
	free(task_data(task));
}

static const struct task_behaviour thread_behaviour = {
	.next = thread_next,
	.release = thread_release,
};

static struct task *create(const char *comm, const struct cpumask *allowed, u32 flags,
			   const struct task_behaviour *behaviour, void *data,
			   struct wait_queue *idle)
{
	struct task_params params = {
		.comm = comm, .group = TASK_GROUP_SYSTEM, .allowed = allowed,
	};
	struct task *t;
	int err;

	t = task_create_flags(&params, behaviour, data, PF_KTHREAD | flags, &err);
	if (!t)
		vrt_bug(__FILE__, __LINE__, "cannot make the kernel thread %s: %s", comm,
			strerror(-err));
	t->started = true;
	t->ts.__state = TASK_INTERRUPTIBLE;
	t->wait_queue = idle;
	list_add_tail(&t->wait_node, &idle->waiters);
	return t;
}

struct task *kthread_create_on(u32 cpu, const char *name, u32 flags,
			       const struct task_behaviour *behaviour, void *data,
			       struct wait_queue *idle)
{
	struct cpumask mask = { 0 };
	char comm[TASK_COMM_LEN];

	snprintf(comm, sizeof(comm), "%s/%u", name, cpu);
	cpumask_set_cpu(cpu, &mask);
	return create(comm, &mask, flags, behaviour, data, idle);
}

static struct noise_thread *thread_alloc(const char *name, u64 index)
{
	struct noise_thread *thread = xcalloc(1, sizeof(*thread));

	wait_queue_init(&thread->idle);
	rng_fork(&thread->rng, kernel.config.seed, name, index);
	return thread;
}

static struct noise_thread *make_bound(const char *name, u32 cpu, u32 flags)
{
	struct noise_thread *thread = thread_alloc(name, cpu);

	kthread_create_on(cpu, name, flags, &thread_behaviour, thread, &thread->idle);
	return thread;
}

static void make_kworker(struct noise_cpu *nc, u32 cpu)
{
	struct cpumask mask = { 0 };
	char comm[TASK_COMM_LEN];

	nc->kworker = thread_alloc("kworker", cpu);
	snprintf(comm, sizeof(comm), "kworker/%u:0", cpu);
	cpumask_set_cpu(cpu, &mask);
	create(comm, &mask, PF_WQ_WORKER | PF_NO_SETAFFINITY, &thread_behaviour, nc->kworker,
	       &nc->kworker->idle);
}

static void make_shared(void)
{
	static const char *const names[NR_SHARED] = { "rcu_preempt", "kworker/u:0",
						      "kworker/u:1" };

	for (u32 i = 0; i < NR_SHARED; i++) {
		noise.shared[i] = thread_alloc(names[i], 0);
		create(names[i], NULL, i ? PF_WQ_WORKER : 0, &thread_behaviour, noise.shared[i],
		       &noise.shared[i]->idle);
	}
}

/* --- the interrupts ------------------------------------------------------------------ */

static void wake_thread(struct noise_cpu *nc)
{
	struct noise_thread *choice[] = { nc->kworker, nc->ksoftirqd, noise.shared[0],
					  noise.shared[1 + rng_below(&nc->rng, NR_SHARED - 1)] };
	struct noise_thread *thread = choice[rng_below(&nc->rng, ARRAY_SIZE(choice))];

	thread->pending++;
	wait_queue_wake(&thread->idle, 1, false);
}

static void noise_timer(struct hrtimer *timer)
{
	struct noise_cpu *nc = container_of(timer, struct noise_cpu, timer);
	bool wake = rng_below(&nc->rng, 2);

	charge_overhead(TRACE_OVH_IRQ, draw(&nc->rng, IRQ_MIN_NS, IRQ_MAX_NS));
	hrtimer_start(timer, cpu_clock() + rng_exponential(&nc->rng, noise.interval));
	if (wake && cpu_online(this_cpu->id))
		wake_thread(nc);
}

/* --- life ----------------------------------------------------------------------------- */

static u64 interval_of(enum noise_level level)
{
	switch (level) {
	case NOISE_NONE:
		return 0;
	case NOISE_LIGHT:
		return LIGHT_INTERVAL_NS;
	case NOISE_HEAVY:
		return HEAVY_INTERVAL_NS;
	}
	return 0;
}

void noise_init(enum noise_level level)
{
	noise.interval = interval_of(level);
	noise.nr_cpus = nr_cpu_ids;
	noise.cpus = xcalloc(nr_cpu_ids, sizeof(*noise.cpus));
	make_shared();
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct noise_cpu *nc = &noise.cpus[cpu];

		stop_init_cpu(cpu);
		nc->ksoftirqd = make_bound("ksoftirqd", cpu, PF_NO_SETAFFINITY);
		make_kworker(nc, cpu);
		hrtimer_init(&nc->timer, noise_timer);
		rng_fork(&nc->rng, kernel.config.seed, "noise", cpu);
		if (noise.interval)
			hrtimer_start_on(&nc->timer, &cpus[cpu],
					 sim_now() + rng_exponential(&nc->rng, noise.interval));
	}
}

void noise_exit(void)
{
	for (u32 cpu = 0; cpu < noise.nr_cpus; cpu++)
		hrtimer_cancel(&noise.cpus[cpu].timer);
	free(noise.cpus);
	memset(&noise, 0, sizeof(noise));
}
