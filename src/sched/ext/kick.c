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

/* Until each of them has been through its pick; with interrupts off, as in Linux. */
static void wait_for_picks(struct scx_rq *this, const u64 *pseqs)
{
	u32 cpu;

	for_each_cpu(cpu, this->cpus_to_wait) {
		cpumask_clear_cpu(cpu, this->cpus_to_wait);
		if (cpu == this_cpu->id)
			continue;
		while (cpu_rq(cpu)->scx.pnt_seq == pseqs[cpu] && scx.state == SCX_OPS_ENABLED)
			cpu_spin_until(cpu_clock() + 100);
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
	wait_for_picks(this, pseqs);
}

void scx_kick_init(struct scx_cpu *sc)
{
	irq_work_init(&sc->kick_work, kick_workfn);
}
