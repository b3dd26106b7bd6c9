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

static struct scx_idle_masks *masks_of(s32 node)
{
	return node == NUMA_NO_NODE ? &scx.idle : &scx.node_idle[node];
}

/* --- the masks --------------------------------------------------------------- */

_Static_assert(VRT_NR_CPUS <= 64 * 64, "a bit per word of a mask");

static void set_in(struct scx_idle_mask *m, u32 cpu)
{
	cpumask_set_cpu(cpu, m->mask);
	m->words |= 1UL << cpu / 64;
}

static void clear_in(struct scx_idle_mask *m, u32 cpu)
{
	cpumask_clear_cpu(cpu, m->mask);
	if (!m->mask->bits[cpu / 64])
		m->words &= ~(1UL << cpu / 64);
}

/* @src and @limit, which may be the same. */
static void copy_idle(struct scx_idle_mask *m, const struct cpumask *src,
		      const struct cpumask *limit)
{
	cpumask_and(m->mask, src, limit);
	m->words = 0;
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		m->words |= (u64)(m->mask->bits[i] != 0) << i;
}

static void clear_core(struct scx_idle_masks *masks, u32 cpu)
{
	u32 thread = cpu;

	do {
		clear_in(&masks->smt, thread);
		thread = kernel.rqs[thread]->next_thread;
	} while (thread != cpu);
}

/* If all of the core is idle. */
static void set_core(struct scx_idle_masks *masks, u32 cpu)
{
	u32 thread = cpu;

	do {
		if (!cpumask_test_cpu(thread, masks->cpus.mask))
			return;
		thread = kernel.rqs[thread]->next_thread;
	} while (thread != cpu);
	do {
		set_in(&masks->smt, thread);
		thread = kernel.rqs[thread]->next_thread;
	} while (thread != cpu);
}

static void set_idle_in(struct scx_idle_masks *masks, u32 cpu, bool idle)
{
	if (idle)
		set_in(&masks->cpus, cpu);
	else
		clear_in(&masks->cpus, cpu);
	if (!smt_active())
		return;
	if (idle)
		set_core(masks, cpu);
	else
		clear_core(masks, cpu);
}

static void set_idle(u32 cpu, bool idle)
{
	set_idle_in(&scx.idle, cpu, idle);
	if (scx.idle_per_node)
		set_idle_in(masks_of((s32)topo_of(cpu)->node), cpu, idle);
}

static const struct cpumask *node_cpus(s32 node)
{
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		if ((s32)topo_of(cpu)->node == node)
			return topo_of(cpu)->node_mask;
	return kernel.none;
}

void alloc_idle_masks(struct scx_idle_masks *masks)
{
	masks->cpus.mask = cpumask_alloc();
	masks->smt.mask = cpumask_alloc();
}

void free_idle_masks(struct scx_idle_masks *masks)
{
	kheap_free(masks->cpus.mask);
	kheap_free(masks->smt.mask);
}

static void reset_masks(struct scx_idle_masks *masks, const struct cpumask *limit)
{
	/* all of them: the truth comes in quickly */
	copy_idle(&masks->cpus, kernel.online, limit);
	copy_idle(&masks->smt, kernel.online, limit);
}

static void reset_node_masks(void)
{
	u32 nr = kernel.config.topology->nr_nodes;

	if (!scx.node_idle) {
		scx.node_idle = xcalloc(nr, sizeof(*scx.node_idle));
		for (u32 node = 0; node < nr; node++)
			alloc_idle_masks(&scx.node_idle[node]);
	}
	for (u32 node = 0; node < nr; node++)
		reset_masks(&scx.node_idle[node], node_cpus((s32)node));
}

void reset_idle_masks(void)
{
	reset_masks(&scx.idle, kernel.online);
	if (scx.idle_per_node)
		reset_node_masks();
}

void free_node_masks(void)
{
	for (u32 node = 0; scx.node_idle && node < kernel.config.topology->nr_nodes; node++)
		free_idle_masks(&scx.node_idle[node]);
	free(scx.node_idle);
	scx.node_idle = NULL;
}

bool test_and_clear_cpu_idle(u32 cpu)
{
	bool was = cpumask_test_cpu(cpu, scx.idle.cpus.mask);

	/* whether or not we get the CPU, its core is not wholly idle */
	set_idle(cpu, false);
	return was;
}

/* --- picking -------------------------------------------------------------------- */

static u64 set_word(const struct scx_cpu_set *set, u32 i)
{
	u64 word = set->a->bits[i];

	if (set->b)
		word &= set->b->bits[i];
	return set->c ? word & set->c->bits[i] : word;
}

/* The first one at or after @from, or nr_cpu_ids. */
static u32 idle_next(const struct scx_idle_mask *idle, const struct scx_cpu_set *set, u32 from)
{
	u64 start = ~0UL << from % 64;

	for (u64 words = idle->words & ~0UL << from / 64; words; words &= words - 1) {
		u32 i = __builtin_ctzl(words);
		u64 word = idle->mask->bits[i] & set_word(set, i);

		if (i == from / 64)
			word &= start;
		if (word)
			return i * 64 + __builtin_ctzl(word);
	}
	return nr_cpu_ids;
}

void scx_charge_picks(u32 nr)
{
	charge_overhead(TRACE_OVH_BPF, (u64)nr * NR_MASK_WORDS * costs.pick_idle_word);
}

/* Linux's any_and_distribute(): looks from the one after the last that was given out. */
static u32 distribute_from(void)
{
	scx_charge_picks(1);
	return scx.any_distribute + 1 < nr_cpu_ids ? scx.any_distribute + 1 : 0;
}

static u32 note_distributed(u32 cpu)
{
	if (cpu < nr_cpu_ids)
		scx.any_distribute = cpu;
	return cpu;
}

static u32 any_idle(const struct scx_idle_mask *idle, const struct scx_cpu_set *set)
{
	u32 from = distribute_from(), cpu;

	if (!idle->words)
		return nr_cpu_ids;
	cpu = idle_next(idle, set, from);
	return note_distributed(cpu < nr_cpu_ids ? cpu : idle_next(idle, set, 0));
}

s32 scx_pick_idle_cpu_in(s32 node, const struct scx_cpu_set *allowed, u64 flags)
{
	const struct scx_idle_masks *idle = masks_of(node);

	for (;;) {
		u32 cpu = nr_cpu_ids;

		if (smt_active()) {
			cpu = any_idle(&idle->smt, allowed);
			if (cpu >= nr_cpu_ids && (flags & SCX_PICK_IDLE_CORE))
				return -EBUSY;
		}
		if (cpu >= nr_cpu_ids)
			cpu = any_idle(&idle->cpus, allowed);
		if (cpu >= nr_cpu_ids)
			return -EBUSY;
		if (test_and_clear_cpu_idle(cpu))
			return cpu;
	}
}

/* All other nodes are equally far. */
s32 scx_pick_idle_cpu(s32 node, const struct scx_cpu_set *allowed, u64 flags)
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
		cpu = scx_pick_idle_cpu(node, &(struct scx_cpu_set){ .a = allowed }, flags);
		if (cpu >= 0)
			return cpu;
	}
	if (node != NUMA_NO_NODE && (flags & SCX_PICK_IDLE_IN_NODE))
		within = node_cpus(node);
	cpu = note_distributed(cpumask_next_and_wrap(distribute_from(), allowed, within));
	return (u32)cpu < nr_cpu_ids ? cpu : -EBUSY;
}

/* As in 6.12: a whole core, the previous CPU, anything. -EBUSY: none is idle. */
static s32 select_cpu_plain(struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	const struct scx_cpu_set allowed = { .a = p->cpus_ptr };
	u32 this = this_cpu->id;
	s32 cpu;

	/* the waker is about to sleep, nobody queues here, and the machine is not full */
	if ((wake_flags & SCX_WAKE_SYNC) && scx.idle.cpus.words &&
	    !(curr_task()->flags & PF_EXITING) && !cpu_rq(this)->scx.local_dsq.nr &&
	    cpumask_test_cpu(this, p->cpus_ptr))
		return this;
	/* a whole core beats the previous CPU with a busy sibling */
	if (smt_active()) {
		if (cpumask_test_cpu(prev_cpu, scx.idle.smt.mask) && test_and_clear_cpu_idle(prev_cpu))
			return prev_cpu;
		cpu = scx_pick_idle_cpu(NUMA_NO_NODE, &allowed, SCX_PICK_IDLE_CORE);
		if (cpu >= 0)
			return cpu;
	}
	if (test_and_clear_cpu_idle(prev_cpu))
		return prev_cpu;
	return scx_pick_idle_cpu(NUMA_NO_NODE, &allowed, 0);
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

void scx_idle_forget(u32 cpu)
{
	set_idle(cpu, false);
}

void scx_update_idle(struct rq *rq, bool idle, bool do_notify)
{
	if (!scx_on)
		return;
	if (SCX_HAS_OP(update_idle) && do_notify && !rq_bypassing(rq))
		SCX_CALL(SCX_KF_REST, update_idle, rq->cpu, idle);
	/* a switch from a task is told once, by set_next_task() */
	if (scx.builtin_idle && (do_notify || is_idle_task(rq->curr)))
		set_idle(rq->cpu, idle && cpu_online(rq->cpu));
}
