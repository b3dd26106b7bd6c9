// SPDX-License-Identifier: GPL-2.0-only
/*
 * scx_bpf_kick_cpu(): makes another CPU reschedule. Kicks are gathered in the
 * calling CPU's masks and carried out by an irq_work, when no lock is held.
 */
#include "ext.h"

/* Will the CPU go through a full scheduling cycle before it idles anyway? */
static bool can_skip_idle_kick(const struct rq *rq)
{
	return !is_idle_task(rq->curr) && !(rq->scx.flags & SCX_RQ_IN_BALANCE);
}

void scx_kick_cpu(s32 cpu, u64 flags)
{
	struct rq *rq = this_rq();
	struct scx_rq *this = &rq->scx;

	if (!ops_cpu_valid(cpu, NULL) || rq_bypassing(rq))
		return;
	if (flags & SCX_KICK_IDLE) {
		if (flags & (SCX_KICK_PREEMPT | SCX_KICK_WAIT))
			scx_error("PREEMPT/WAIT cannot be used with SCX_KICK_IDLE");
		cpu_sync();
		if (can_skip_idle_kick(cpu_rq(cpu)))
			return;
		cpumask_set_cpu(cpu, this->cpus_to_kick_if_idle);
	} else {
		cpumask_set_cpu(cpu, this->cpus_to_kick);
		if (flags & SCX_KICK_PREEMPT)
			cpumask_set_cpu(cpu, this->cpus_to_preempt);
		if (flags & SCX_KICK_WAIT)
			cpumask_set_cpu(cpu, this->cpus_to_wait);
	}
	irq_work_queue(&this_scx()->kick_work);
}

static void kick_one_cpu(u32 cpu, struct scx_rq *this, u64 *pseqs)
{
	struct rq *rq = cpu_rq(cpu);

	rq_lock(rq);
	if (cpu_online(cpu) || cpu == this_cpu->id) {
		if (cpumask_test_cpu(cpu, this->cpus_to_preempt) &&
		    class_of(rq->curr) == &ext_sched_class)
			rq->curr->scx.slice = 0;
		pseqs[cpu] = rq->scx.pnt_seq;
		resched_curr(rq);
	} else {
		cpumask_clear_cpu(cpu, this->cpus_to_wait);
	}
	cpumask_clear_cpu(cpu, this->cpus_to_preempt);
	rq_unlock(rq);
}

static void kick_one_cpu_if_idle(u32 cpu)
{
	struct rq *rq = cpu_rq(cpu);

	rq_lock(rq);
	if (!can_skip_idle_kick(rq) && (cpu_online(cpu) || cpu == this_cpu->id))
		resched_curr(rq);
	rq_unlock(rq);
}

/* The CPU that @cpu spins for; nr_cpu_ids when it need not wait (any more). */
static u32 waits_for(u32 cpu)
{
	const struct scx_cpu *sc = kernel.rqs[cpu]->scx;
	u32 target = sc->kick_waits - 1;

	if (!sc->kick_waits || cpu_rq(target)->scx.pnt_seq != sc->kick_pseqs[target])
		return nr_cpu_ids;
	return target;
}

/* CPUs that wait for each other with interrupts off would do so for ever. */
static bool kick_deadlock(void)
{
	u32 cpu = waits_for(this_cpu->id);

	for (u32 n = 0; n < nr_cpu_ids && cpu < nr_cpu_ids; n++) {
		if (cpu == this_cpu->id)
			return true;
		cpu = waits_for(cpu);
	}
	return false;
}

/* Until each of them has been through its pick; with interrupts off, as in Linux. */
static void wait_for_picks(struct scx_rq *this)
{
	struct scx_cpu *sc = this_scx();
	u32 cpu;

	for_each_cpu(cpu, this->cpus_to_wait) {
		cpumask_clear_cpu(cpu, this->cpus_to_wait);
		if (cpu == this_cpu->id)
			continue;
		sc->kick_waits = cpu + 1;
		if (kick_deadlock())
			scx_error("SCX_KICK_WAIT: CPU %u and CPU %u wait for each other",
				  this_cpu->id, cpu);
		while (waits_for(this_cpu->id) == cpu && scx.exit_kind == SCX_EXIT_NONE)
			cpu_spin_until(cpu_clock() + 100);
		sc->kick_waits = 0;
	}
}

static void kick_workfn(struct irq_work *work)
{
	struct scx_rq *this = &this_rq()->scx;
	u64 *pseqs = this_scx()->kick_pseqs;
	u32 cpu;

	for_each_cpu(cpu, this->cpus_to_kick) {
		cpumask_clear_cpu(cpu, this->cpus_to_kick);
		cpumask_clear_cpu(cpu, this->cpus_to_kick_if_idle);
		kick_one_cpu(cpu, this, pseqs);
	}
	for_each_cpu(cpu, this->cpus_to_kick_if_idle) {
		cpumask_clear_cpu(cpu, this->cpus_to_kick_if_idle);
		kick_one_cpu_if_idle(cpu);
	}
	wait_for_picks(this);
}

void scx_kick_init(struct scx_cpu *sc)
{
	irq_work_init(&sc->kick_work, kick_workfn);
}
