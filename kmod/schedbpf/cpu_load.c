// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kfuncs that tell what CPUs do, as far as a module can know: busy and idle
 * time, and the current task. How many tasks are on a runqueue it cannot; programs
 * see the runqueues themselves (bpf_per_cpu_ptr(&runqueues, cpu)).
 *
 * A CPU that is looked at is not stopped and takes no lock: what is read is of some
 * moment, and is on cache lines that this CPU writes.
 */
#include <linux/btf.h>
#include <linux/cpufreq.h>
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "schedbpf.h"

static DEFINE_PER_CPU(u64, last_busy);
static DEFINE_PER_CPU(u64, last_idle);

/* Linux's idle time of a CPU that goes to sleep just now may step back; ours stands still then. */
static u64 never_back(u64 *last, u64 now)
{
	u64 old = READ_ONCE(*last);

	while (old < now) {
		u64 seen = cmpxchg64(last, old, now);

		if (seen == old)
			return now;
		old = seen;
	}
	return old;
}

/* ns; false: there is no such CPU. As the governors of cpufreq measure it. */
static bool cpu_times(s32 cpu, u64 *busy, u64 *idle)
{
	u64 idle_us, wall_us = 0;

	*busy = *idle = 0;
	if (cpu < 0 || cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return false;
	idle_us = get_cpu_idle_time(cpu, &wall_us, 0);
	*idle = never_back(per_cpu_ptr(&last_idle, cpu), idle_us * NSEC_PER_USEC);
	*busy = never_back(per_cpu_ptr(&last_busy, cpu),
			   (wall_us > idle_us ? wall_us - idle_us : 0) * NSEC_PER_USEC);
	return true;
}

__bpf_kfunc_start_defs();

__bpf_kfunc u64 bpf_cpu_busy_time(s32 cpu)
{
	u64 busy, idle;

	cpu_times(cpu, &busy, &idle);
	return busy;
}

__bpf_kfunc u64 bpf_cpu_idle_time(s32 cpu)
{
	u64 busy, idle;

	cpu_times(cpu, &busy, &idle);
	return idle;
}

/* Of all CPUs that are online. */
static void sum_times(u64 *busy, u64 *idle)
{
	u64 its_busy, its_idle;
	int cpu;

	*busy = *idle = 0;
	for_each_online_cpu(cpu) {
		cpu_times(cpu, &its_busy, &its_idle);
		*busy += its_busy;
		*idle += its_idle;
	}
}

__bpf_kfunc u64 bpf_cpus_busy_time(void)
{
	u64 busy, idle;

	sum_times(&busy, &idle);
	return busy;
}

__bpf_kfunc u64 bpf_cpus_idle_time(void)
{
	u64 busy, idle;

	sum_times(&busy, &idle);
	return idle;
}

#ifdef SB_HAVE_CPU_CURR
/* To be given back by bpf_task_release(). NULL: the CPU is idle, or the task has just ended. */
__bpf_kfunc struct task_struct *bpf_cpu_curr(s32 cpu)
{
	struct task_struct *p;

	if (cpu < 0 || cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return NULL;
	rcu_read_lock();
	p = READ_ONCE(per_cpu(pcpu_hot.current_task, cpu));
	/* idle tasks are not counted, and so cannot be given away */
	if (p && (is_idle_task(p) || !refcount_inc_not_zero(&p->rcu_users)))
		p = NULL;
	rcu_read_unlock();
	return p;
}
#endif

__bpf_kfunc_end_defs();
