// SPDX-License-Identifier: GPL-2.0-only
/*
 * Built-in idle tracking: which CPUs are idle, and which of them with their
 * whole core. A CPU that is picked is claimed by clearing its bit, so that two
 * wakeups do not go to the same one.
 *
 * The masks are touched at one instant each, without a lock, as in Linux; the
 * core mask may lag and corrects itself. Those of the nodes, which a scheduler
 * may ask for (SCX_OPS_BUILTIN_IDLE_PER_NODE), are parts of the machine's.
 */
#include "../../base/alloc.h"
#include "ext.h"

static bool smt_active(void)
{
	return kernel.config.topology->smt;
}

static struct scx_idle_masks masks_of(s32 node)
{
	if (node == NUMA_NO_NODE)
		return (struct scx_idle_masks){ scx.idle_cpus, scx.idle_smt };
	return scx.node_idle[node];
}

static void copy_to_node(u32 node, const struct cpumask *node_mask)
{
	cpumask_and(scx.node_idle[node].cpus, scx.idle_cpus, node_mask);
	cpumask_and(scx.node_idle[node].smt, scx.idle_smt, node_mask);
}

/* The state of @cpu or its core has changed. */
static void note_change(u32 cpu)
{
	if (scx.idle_per_node)
		copy_to_node(topo_of(cpu)->node, topo_of(cpu)->node_mask);
}

static const struct cpumask *node_cpus(s32 node)
{
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		if ((s32)topo_of(cpu)->node == node)
			return topo_of(cpu)->node_mask;
	return kernel.none;
}

static void reset_node_masks(void)
{
	u32 nr = kernel.config.topology->nr_nodes;

	if (!scx.node_idle) {
		scx.node_idle = xcalloc(nr, sizeof(*scx.node_idle));
		for (u32 node = 0; node < nr; node++)
			scx.node_idle[node] =
				(struct scx_idle_masks){ cpumask_alloc(), cpumask_alloc() };
	}
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		note_change(cpu);
}

void reset_idle_masks(void)
{
	/* all of them: the truth comes in quickly */
	cpumask_copy(scx.idle_cpus, kernel.online);
	cpumask_copy(scx.idle_smt, kernel.online);
	if (scx.idle_per_node)
		reset_node_masks();
}

void free_node_masks(void)
{
	for (u32 node = 0; scx.node_idle && node < kernel.config.topology->nr_nodes; node++) {
		kheap_free(scx.node_idle[node].cpus);
		kheap_free(scx.node_idle[node].smt);
	}
	free(scx.node_idle);
	scx.node_idle = NULL;
}

bool test_and_clear_cpu_idle(u32 cpu)
{
	bool was;

	/* whether or not we get the CPU, its core is not wholly idle */
	if (smt_active())
		cpumask_andnot(scx.idle_smt, scx.idle_smt, topo_of(cpu)->smt_mask);
	was = cpumask_test_and_clear_cpu(cpu, scx.idle_cpus);
	note_change(cpu);
	return was;
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

s32 scx_pick_idle_cpu_in(s32 node, const struct cpumask *allowed, u64 flags)
{
	struct scx_idle_masks idle = masks_of(node);

	for (;;) {
		u32 cpu = nr_cpu_ids;

		if (smt_active()) {
			cpu = any_and_distribute(idle.smt, allowed);
			if (cpu >= nr_cpu_ids && (flags & SCX_PICK_IDLE_CORE))
				return -EBUSY;
		}
		if (cpu >= nr_cpu_ids)
			cpu = any_and_distribute(idle.cpus, allowed);
		if (cpu >= nr_cpu_ids)
			return -EBUSY;
		if (test_and_clear_cpu_idle(cpu))
			return cpu;
	}
}

/* All other nodes are equally far. */
s32 scx_pick_idle_cpu(s32 node, const struct cpumask *allowed, u64 flags)
{
	s32 cpu = scx_pick_idle_cpu_in(node, allowed, flags);
	u32 nr = kernel.config.topology->nr_nodes;

	if (node == NUMA_NO_NODE || (flags & SCX_PICK_IDLE_IN_NODE))
		return cpu;
	for (u32 other = 0; other < nr && cpu < 0; other++)
		if ((s32)other != node)
			cpu = scx_pick_idle_cpu_in((s32)other, allowed, flags);
	return cpu;
}

s32 scx_pick_any_cpu(s32 node, const struct cpumask *allowed, u64 flags)
{
	const struct cpumask *within = kernel.possible;
	s32 cpu;

	if (scx.builtin_idle) {
		cpu = scx_pick_idle_cpu(node, allowed, flags);
		if (cpu >= 0)
			return cpu;
	}
	if (node != NUMA_NO_NODE && (flags & SCX_PICK_IDLE_IN_NODE))
		within = node_cpus(node);
	cpu = any_and_distribute(allowed, within);
	return (u32)cpu < nr_cpu_ids ? cpu : -EBUSY;
}

/* As in 6.12: a whole core, the previous CPU, anything. -EBUSY: none is idle. */
static s32 select_cpu_plain(struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	u32 this = this_cpu->id;
	s32 cpu;

	/* the waker is about to sleep, nobody queues here, and the machine is not full */
	if ((wake_flags & SCX_WAKE_SYNC) && !cpumask_empty(scx.idle_cpus) &&
	    !(curr_task()->flags & PF_EXITING) && !cpu_rq(this)->scx.local_dsq.nr &&
	    cpumask_test_cpu(this, p->cpus_ptr))
		return this;
	/* a whole core beats the previous CPU with a busy sibling */
	if (smt_active()) {
		if (cpumask_test_cpu(prev_cpu, scx.idle_smt) && test_and_clear_cpu_idle(prev_cpu))
			return prev_cpu;
		cpu = scx_pick_idle_cpu(NUMA_NO_NODE, p->cpus_ptr, SCX_PICK_IDLE_CORE);
		if (cpu >= 0)
			return cpu;
	}
	if (test_and_clear_cpu_idle(prev_cpu))
		return prev_cpu;
	return scx_pick_idle_cpu(NUMA_NO_NODE, p->cpus_ptr, 0);
}

s32 scx_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *found)
{
	s32 cpu;

	cpu_sync();
	if (scx_generation()->select_cpu_near)
		cpu = scx_select_cpu_near(p, prev_cpu, wake_flags, p->cpus_ptr, 0);
	else
		cpu = select_cpu_plain(p, prev_cpu, wake_flags);
	*found = cpu >= 0;
	return *found ? cpu : prev_cpu;
}

static void update_builtin_idle(u32 cpu, bool idle)
{
	const struct cpumask *smt = topo_of(cpu)->smt_mask;

	if (!idle || !cpu_online(cpu)) {
		cpumask_clear_cpu(cpu, scx.idle_cpus);
		if (smt_active())
			cpumask_andnot(scx.idle_smt, scx.idle_smt, smt);
	} else {
		cpumask_set_cpu(cpu, scx.idle_cpus);
		if (smt_active() && cpumask_subset(smt, scx.idle_cpus))
			cpumask_or(scx.idle_smt, scx.idle_smt, smt);
	}
	note_change(cpu);
}

void scx_idle_forget(u32 cpu)
{
	update_builtin_idle(cpu, false);
}

void scx_update_idle(struct rq *rq, bool idle, bool do_notify)
{
	if (!scx_on)
		return;
	if (SCX_HAS_OP(update_idle) && do_notify && !rq_bypassing(rq))
		SCX_CALL(SCX_KF_REST, update_idle, rq->cpu, idle);
	/* a switch from a task is told once, by set_next_task() */
	if (scx.builtin_idle && (do_notify || is_idle_task(rq->curr)))
		update_builtin_idle(rq->cpu, idle);
}
