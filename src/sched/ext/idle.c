// SPDX-License-Identifier: GPL-2.0-only
/*
 * Built-in idle tracking: which CPUs are idle, and which of them with their
 * whole core. A CPU that is picked is claimed by clearing its bit, so that two
 * wakeups do not go to the same one.
 *
 * The masks are touched at one instant each, without a lock, as in Linux; the
 * core mask may lag and corrects itself.
 */
#include "ext.h"

static bool smt_active(void)
{
	return kernel.config.topology->smt;
}

void reset_idle_masks(void)
{
	/* all of them: the truth comes in quickly */
	cpumask_copy(scx.idle_cpus, kernel.online);
	cpumask_copy(scx.idle_smt, kernel.online);
}

bool test_and_clear_cpu_idle(u32 cpu)
{
	/* whether or not we get the CPU, its core is not wholly idle */
	if (smt_active())
		cpumask_andnot(scx.idle_smt, scx.idle_smt, topo_of(cpu)->smt_mask);
	return cpumask_test_and_clear_cpu(cpu, scx.idle_cpus);
}

/* Linux's any_and_distribute(): the next one after the last that was given out. */
static u32 any_and_distribute(const struct cpumask *a, const struct cpumask *b)
{
	u32 cpu = cpumask_next_and_wrap((scx.any_distribute + 1) % nr_cpu_ids, a, b);

	charge_overhead(TRACE_OVH_BPF, NR_MASK_WORDS * costs.pick_idle_word);
	if (cpu < nr_cpu_ids)
		scx.any_distribute = cpu;
	return cpu;
}

s32 scx_pick_idle_cpu(const struct cpumask *allowed, u64 flags)
{
	for (;;) {
		u32 cpu = nr_cpu_ids;

		if (smt_active()) {
			cpu = any_and_distribute(scx.idle_smt, allowed);
			if (cpu >= nr_cpu_ids && (flags & SCX_PICK_IDLE_CORE))
				return -EBUSY;
		}
		if (cpu >= nr_cpu_ids)
			cpu = any_and_distribute(scx.idle_cpus, allowed);
		if (cpu >= nr_cpu_ids)
			return -EBUSY;
		if (test_and_clear_cpu_idle(cpu))
			return cpu;
	}
}

s32 scx_pick_any_cpu(const struct cpumask *allowed, u64 flags)
{
	s32 cpu;

	if (scx.builtin_idle) {
		cpu = scx_pick_idle_cpu(allowed, flags);
		if (cpu >= 0)
			return cpu;
	}
	cpu = any_and_distribute(allowed, kernel.possible);
	return (u32)cpu < nr_cpu_ids ? cpu : -EBUSY;
}

s32 scx_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *found)
{
	u32 this = this_cpu->id;
	s32 cpu;

	cpu_sync();
	*found = true;
	/* the waker is about to sleep, nobody queues here, and the machine is not full */
	if ((wake_flags & SCX_WAKE_SYNC) && !cpumask_empty(scx.idle_cpus) &&
	    !(curr_task()->flags & PF_EXITING) && !cpu_rq(this)->scx.local_dsq.nr &&
	    cpumask_test_cpu(this, p->cpus_ptr))
		return this;
	/* a whole core beats the previous CPU with a busy sibling */
	if (smt_active()) {
		if (cpumask_test_cpu(prev_cpu, scx.idle_smt) && test_and_clear_cpu_idle(prev_cpu))
			return prev_cpu;
		cpu = scx_pick_idle_cpu(p->cpus_ptr, SCX_PICK_IDLE_CORE);
		if (cpu >= 0)
			return cpu;
	}
	if (test_and_clear_cpu_idle(prev_cpu))
		return prev_cpu;
	cpu = scx_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0)
		return cpu;
	*found = false;
	return prev_cpu;
}

static void update_builtin_idle(u32 cpu, bool idle)
{
	const struct cpumask *smt = topo_of(cpu)->smt_mask;

	if (!idle || !cpu_online(cpu)) {
		cpumask_clear_cpu(cpu, scx.idle_cpus);
		if (smt_active())
			cpumask_andnot(scx.idle_smt, scx.idle_smt, smt);
		return;
	}
	cpumask_set_cpu(cpu, scx.idle_cpus);
	if (smt_active() && cpumask_subset(smt, scx.idle_cpus))
		cpumask_or(scx.idle_smt, scx.idle_smt, smt);
}

void scx_idle_forget(u32 cpu)
{
	update_builtin_idle(cpu, false);
}

void scx_update_idle(struct rq *rq, bool idle, bool do_notify)
{
	if (!scx.enabled)
		return;
	if (SCX_HAS_OP(update_idle) && do_notify && !rq_bypassing(rq))
		SCX_CALL(SCX_KF_REST, update_idle, rq->cpu, idle);
	/* a switch from a task is told once, by set_next_task() */
	if (scx.builtin_idle && (do_notify || is_idle_task(rq->curr)))
		update_builtin_idle(rq->cpu, idle);
}
