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

/* ns; false: there is no such CPU. As the governors of cpufreq measure it. */
static bool cpu_times(s32 cpu, u64 *busy, u64 *idle)
{
	u64 idle_us, wall_us = 0;

	*busy = *idle = 0;
	if (cpu < 0 || cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return false;
	idle_us = get_cpu_idle_time(cpu, &wall_us, 0);
	*idle = idle_us * NSEC_PER_USEC;
	*busy = (wall_us > idle_us ? wall_us - idle_us : 0) * NSEC_PER_USEC;
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

__bpf_kfunc u64 bpf_cpus_busy_time(void)
{
	u64 busy, idle, sum = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		cpu_times(cpu, &busy, &idle);
		sum += busy;
	}
	return sum;
}

__bpf_kfunc u64 bpf_cpus_idle_time(void)
{
	u64 busy, idle, sum = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		cpu_times(cpu, &busy, &idle);
		sum += idle;
	}
	return sum;
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
