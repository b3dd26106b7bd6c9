// SPDX-License-Identifier: GPL-2.0-only
/*
 * The built-in choice of an idle CPU as it is in Linux 7.0: near the previous CPU
 * first, as far as that makes a difference on the machine. The order: a core that
 * is wholly idle (the previous CPU's, in its LLC, in its node, anywhere), the
 * previous CPU, and any CPU in its LLC, in its node, anywhere.
 */
#include "ext.h"

/* What the previous CPU's LLC and node are good for, as Linux finds at enable and hotplug. */
void scx_update_select_topology(void)
{
	u32 nr_online = cpumask_weight(kernel.online), cpu = cpumask_first(kernel.online);
	u32 in_llc = cpumask_weight(topo_of(cpu)->llc_mask);
	u32 in_node = cpumask_weight(topo_of(cpu)->node_mask);
	const struct topology *topo = kernel.config.topology;
	bool same = true;

	for_each_cpu(cpu, kernel.online)
		same &= cpumask_equal(topo_of(cpu)->llc_mask, topo_of(cpu)->node_mask);
	/* a cache that nobody shares is no domain */
	scx.select_llc = in_llc > 1 && in_llc < nr_online;
	scx.select_node = topo->nr_nodes > 1 && in_node < nr_online && !same &&
			  !scx.idle_per_node;
}

struct choice {
	struct task_struct *p;
	s32 prev, node; /* where to begin; NUMA_NO_NODE: one mask for all */
	bool prev_allowed;
	u64 flags;
	struct scx_cpu_set allowed;
};

/* False: there is no CPU that it may be. */
static bool choice_init(struct choice *c, const struct cpumask *allowed)
{
	const struct cpumask *own = c->p->cpus_ptr;

	c->allowed = (struct scx_cpu_set){ .a = allowed, .b = own != allowed ? own : NULL };
	c->prev_allowed = cpumask_test_cpu(c->prev, allowed);
	c->node = scx.idle_per_node ? (s32)topo_of(c->prev)->node : NUMA_NO_NODE;
	return own == allowed || cpumask_intersects(own, allowed);
}

static s32 waker_node(void)
{
	return scx.idle_per_node ? (s32)topo_of(this_cpu->id)->node : NUMA_NO_NODE;
}

/* The waker is about to sleep: the previous CPU if it is idle and near, or the waker's. */
static s32 choose_for_sync(const struct choice *c)
{
	const struct scx_idle_mask *idle = &scx.idle.cpus;
	u32 this = this_cpu->id;

	if (c->prev_allowed && topo_of(this)->llc == topo_of(c->prev)->llc &&
	    test_and_clear_cpu_idle(c->prev))
		return c->prev;
	if (scx.idle_per_node)
		idle = &scx.node_idle[waker_node()].cpus;
	if (!(curr_task()->flags & PF_EXITING) && !cpu_rq(this)->scx.local_dsq.nr &&
	    (!(c->flags & SCX_PICK_IDLE_IN_NODE) || waker_node() == c->node) &&
	    idle->words && cpumask_test_cpu(this, c->allowed.a) &&
	    cpumask_test_cpu(this, c->p->cpus_ptr))
		return (s32)this;
	return -EBUSY;
}

/* Outwards from the previous CPU. */
static s32 choose_near(const struct choice *c, u64 core)
{
	struct scx_cpu_set near = c->allowed;
	s32 cpu = -EBUSY;

	if (scx.select_llc) {
		near.c = topo_of(c->prev)->llc_mask;
		cpu = scx_pick_idle_cpu_in(c->node, &near, core);
	}
	if (cpu < 0 && scx.select_node) {
		near.c = topo_of(c->prev)->node_mask;
		cpu = scx_pick_idle_cpu_in(c->node, &near, core);
	}
	return cpu < 0 ? scx_pick_idle_cpu(c->node, &c->allowed, c->flags | core) : cpu;
}

static s32 choose_core(const struct choice *c)
{
	const struct cpumask *smt =
		scx.idle_per_node ? scx.node_idle[c->node].smt.mask : scx.idle.smt.mask;

	if (c->prev_allowed && cpumask_test_cpu(c->prev, smt) && test_and_clear_cpu_idle(c->prev))
		return c->prev;
	return choose_near(c, SCX_PICK_IDLE_CORE);
}

/*
 * A machine that is full has nothing to find, however long one looks: once outwards
 * for a core, and once for a CPU, where each look begins with a core again.
 */
static s32 look_in_vain(u64 flags)
{
	bool smt = kernel.config.topology->smt;
	u32 looks = 1 + scx.select_llc + scx.select_node;

	scx_charge_picks(smt ? (flags & SCX_PICK_IDLE_CORE ? 1 : 3) * looks : looks);
	return -EBUSY;
}

static inline bool machine_is_full(void)
{
	return !scx.idle.cpus.words && !scx.idle.smt.words && !scx.idle_per_node;
}

s32 scx_select_cpu_near(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			const struct cpumask *allowed, u64 flags)
{
	struct choice c = { .p = p, .prev = prev_cpu, .flags = flags };
	s32 cpu = -EBUSY;

	if (!choice_init(&c, allowed))
		return -EBUSY;
	if (machine_is_full())
		return look_in_vain(flags);
	if (wake_flags & SCX_WAKE_SYNC)
		cpu = choose_for_sync(&c);
	if (cpu < 0 && kernel.config.topology->smt) {
		cpu = choose_core(&c);
		if (cpu < 0 && (flags & SCX_PICK_IDLE_CORE))
			return -EBUSY;
	}
	if (cpu < 0 && c.prev_allowed && test_and_clear_cpu_idle(prev_cpu))
		cpu = prev_cpu;
	return cpu < 0 ? choose_near(&c, 0) : cpu;
}
