// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ghOSt's programs may call. All of it is about the enclave whose program
 * runs; a program that runs without one (BPF_PROG_TEST_RUN) gets ENODEV.
 *
 * Locking: MSG programs run with an rq locked, so these take no lock, but for
 * run_gtid(), which only PNT programs have. What needs locks, waking an agent, is
 * left for when this CPU holds none (irq_work).
 */
#include "../../bpf/helpers/helpers.h"
#include "internal.h"

/* Whose program runs here; from here on the state of others is that of now. */
static struct ghost_enclave *target(void)
{
	if (!this_cpu || !this_ghost())
		return NULL;
	cpu_sync();
	return this_ghost()->target;
}

/* May that program do something to @cpu? */
static int check_cpu(u32 cpu)
{
	const struct ghost_enclave *e = target();

	if ((s32)cpu < 0)
		return -EINVAL;
	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -ERANGE;
	if (!e || e->ending)
		return -ENODEV;
	return kernel.rqs[cpu]->ghost.enclave == e ? 0 : -EXDEV;
}

/* --- agents ------------------------------------------------------------------------ */

void ghost_wake_agents(struct irq_work *work)
{
	struct ghost_cpu *gc = container_of(work, struct ghost_cpu, wake_work);
	u32 cpu;

	for_each_cpu(cpu, &gc->wake_agents) {
		struct task_struct *agent = kernel.rqs[cpu]->ghost.agent;

		cpumask_clear_cpu(cpu, &gc->wake_agents);
		if (agent)
			ghost_agent_wake(agent);
	}
}

static void wake_agent(u32 cpu)
{
	struct ghost_cpu *gc = this_ghost();

	cpumask_set_cpu(cpu, &gc->wake_agents);
	irq_work_queue(&gc->wake_work);
}

static u64 helper_wake_agent(u64 cpu, u64 a2, u64 a3, u64 a4, u64 a5)
{
	int err = check_cpu((u32)cpu);

	if (!err)
		wake_agent((u32)cpu);
	return (u64)err;
}

/* --- rescheduling ------------------------------------------------------------------- */

static void resched(u32 cpu)
{
	/* in the middle of a pick it has looked, and will clear the flag: it may not sleep on it */
	ghost_of(cpu_rq(cpu))->dont_idle = true;
	set_need_resched(cpu);
}

static u64 helper_resched_cpu(u64 cpu, u64 cpu_seqnum, u64 a3, u64 a4, u64 a5)
{
	int err = check_cpu((u32)cpu);
	struct rq *rq;

	if (err)
		return (u64)err;
	rq = cpu_rq((u32)cpu);
	if (!is_ghost(rq->curr) && !is_idle_task(rq->curr))
		return (u64)-EPERM;
	ghost_of(rq)->resched_seqnum = cpu_seqnum;
	resched((u32)cpu);
	return 0;
}

#define RESCHED_CLASSES                                                                            \
	(RESCHED_ANY_CLASS | RESCHED_GHOST_CLASS | RESCHED_IDLE_CLASS | RESCHED_OTHER_CLASS)
#define RESCHED_FLAGS (RESCHED_CLASSES | SET_MUST_RESCHED | WAKE_AGENT)

static bool runs_wanted_class(const struct rq *rq, u32 flags)
{
	if (is_ghost(rq->curr))
		return flags & (RESCHED_ANY_CLASS | RESCHED_GHOST_CLASS);
	if (is_idle_task(rq->curr))
		return flags & (RESCHED_ANY_CLASS | RESCHED_IDLE_CLASS);
	return flags & (RESCHED_ANY_CLASS | RESCHED_OTHER_CLASS);
}

static u64 helper_resched_cpu2(u64 cpu, u64 flags, u64 a3, u64 a4, u64 a5)
{
	struct rq *rq;
	int err;

	if ((u32)flags & ~RESCHED_FLAGS || !(flags & RESCHED_CLASSES))
		return (u64)-EINVAL;
	err = check_cpu((u32)cpu);
	if (err)
		return (u64)err;
	rq = cpu_rq((u32)cpu);
	if (!runs_wanted_class(rq, (u32)flags))
		return (u64)-EPERM;
	if (flags & SET_MUST_RESCHED)
		ghost_of(rq)->must_resched = true;
	if (flags & WAKE_AGENT)
		wake_agent((u32)cpu);
	resched((u32)cpu);
	return 0;
}

/* --- latching --------------------------------------------------------------------------- */

static u64 helper_run_gtid(u64 gtid, u64 barrier, u64 run_flags, u64 a4, u64 a5)
{
	struct ghost_enclave *e = target();
	int err;

	if (!e)
		return (u64)-ENODEV;
	err = ghost_run_gtid(e, (s64)gtid, (u32)barrier, (s32)run_flags);
	if (err)
		e->latch_errors++;
	else
		e->latched++;
	return (u64)err;
}

#define PROTO(helper, ...)                                                                         \
	static const struct bpf_func_proto proto_##helper = {                                      \
		.name = "ghost_" #helper,                                                          \
		.fn = helper_##helper,                                                             \
		.gpl_only = true,                                                                  \
		.args = { __VA_ARGS__ },                                                           \
	}

PROTO(wake_agent, ARG_ANYTHING);
PROTO(run_gtid, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING);
PROTO(resched_cpu, ARG_ANYTHING, ARG_ANYTHING);
PROTO(resched_cpu2, ARG_ANYTHING, ARG_ANYTHING);

const struct bpf_type_helper ghost_sched_helpers[NR_GHOST_SCHED_HELPERS] = {
	{ BPF_FUNC_ghost_wake_agent, &proto_wake_agent },
	{ BPF_FUNC_ghost_run_gtid, &proto_run_gtid },
	{ BPF_FUNC_ghost_resched_cpu, &proto_resched_cpu },
	{ BPF_FUNC_ghost_resched_cpu2, &proto_resched_cpu2 },
};

const struct bpf_type_helper ghost_msg_helpers[NR_GHOST_MSG_HELPERS] = {
	{ BPF_FUNC_ghost_wake_agent, &proto_wake_agent },
	{ BPF_FUNC_ghost_resched_cpu, &proto_resched_cpu },
	{ BPF_FUNC_ghost_resched_cpu2, &proto_resched_cpu2 },
};
