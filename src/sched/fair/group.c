// SPDX-License-Identifier: GPL-2.0-only
/*
 * The levels in which fair tasks are spread over the machine (Linux's
 * scheduling domains), and the load of the groups that a level consists of.
 *
 *	level	 spans		 groups
 *	SMT	 a core		 CPUs
 *	LLC	 a cache	 cores
 *	NODE	 a memory node	 caches
 *	MACHINE	 everything	 nodes
 *
 * A level that is no larger than the one below does not exist on that CPU. The
 * spans are the topology's, whatever is offline: users intersect them with the
 * active CPUs.
 *
 * Locking: none. The figures of other CPUs are read as they are, as in Linux.
 */
#include "fair.h"

static const struct {
	u32 imbalance_pct; /* how much busier is busier */
	u32 nice_tries; /* failures before cache-hot tasks are moved */
} level_traits[NR_LEVELS] = {
	[LEVEL_SMT] = { 110, 0 },
	[LEVEL_LLC] = { 117, 1 },
	[LEVEL_NODE] = { 117, 1 },
	[LEVEL_MACHINE] = { 117, 2 },
};

u32 level_imbalance_pct(enum fair_level level)
{
	return level_traits[level].imbalance_pct;
}

u32 level_nice_tries(enum fair_level level)
{
	return level_traits[level].nice_tries;
}

bool level_is_numa(enum fair_level level)
{
	return level == LEVEL_MACHINE;
}

const struct cpumask *level_span(enum fair_level level, u32 cpu)
{
	switch (level) {
	case LEVEL_SMT:
		return topo_of(cpu)->smt_mask;
	case LEVEL_LLC:
		return topo_of(cpu)->llc_mask;
	case LEVEL_NODE:
		return topo_of(cpu)->node_mask;
	default:
		return kernel.possible;
	}
}

void group_span(struct cpumask *mask, enum fair_level level, u32 cpu)
{
	if (level != LEVEL_SMT) {
		cpumask_copy(mask, level_span(level - 1, cpu));
		return;
	}
	cpumask_clear(mask);
	cpumask_set_cpu(cpu, mask);
}

static bool span_asymmetric(const struct cpumask *span)
{
	u32 cpu, capacity = cpu_capacity(cpumask_first(span));

	for_each_cpu(cpu, span) {
		if (cpu_capacity(cpu) != capacity)
			return true;
	}
	return false;
}

void fair_levels_init(struct rq *rq)
{
	struct fair_rq *fair = fair_of(rq);
	u32 below = 1;

	fair->llc_leader = cpumask_first(topo_of(rq->cpu)->llc_mask);
	for (enum fair_level level = 0; level < NR_LEVELS; level++) {
		struct fair_domain *d = &fair->domain[level];
		const struct cpumask *span = level_span(level, rq->cpu);

		d->weight = cpumask_weight(span);
		d->exists = d->weight > below;
		d->asymmetric = d->exists && kernel.config.topology->asymmetric &&
				span_asymmetric(span);
		d->interval_ms = d->weight;
		d->last_balance = kernel_now();
		/* half of the tries have helped: let the first ones tell */
		d->newidle_tries = 512;
		d->newidle_successes = 256;
		d->newidle_ratio = 512;
		below = d->weight;
	}
	fair->llc.nr_idle_scan = fair->domain[LEVEL_LLC].weight;
	fair->llc.has_idle_cores = true;
}

/* What a group failed to do inside is kept by the first CPU of its span. */
static struct fair_domain *inner_domain(enum fair_level level, u32 cpu)
{
	u32 first;

	if (level == LEVEL_SMT)
		return NULL;
	first = cpumask_first(level_span(level - 1, cpu));
	return &kernel.rqs[first]->fair.domain[level - 1];
}

bool group_imbalanced(enum fair_level level, u32 cpu)
{
	const struct fair_domain *d = inner_domain(level, cpu);

	return d && d->imbalanced;
}

void group_set_imbalanced(enum fair_level level, u32 cpu, bool imbalanced)
{
	struct fair_domain *d = inner_domain(level, cpu);

	if (d)
		d->imbalanced = imbalanced;
}

/* Does @p take part on @cpu, so that "without it" makes a difference? */
static bool runs_on(const struct task_struct *p, u32 cpu)
{
	return p && (u32)p->cpu == cpu && p->on_rq == 1 && task_of(p)->fair.attached;
}

void group_add_cpu(struct group_stats *gs, u32 cpu, const struct task_struct *without)
{
	const struct rq *rq = cpu_rq(cpu);
	struct load load = cpu_load_without(cpu, without);
	u32 itself = runs_on(without, cpu);
	u64 capacity = capacity_of(cpu);

	charge_overhead(TRACE_OVH_BALANCE,
			costs.cacheline[cpu_distance(topo_of(this_cpu->id), topo_of(cpu))]);
	if (!gs->weight) {
		gs->leader = cpu;
		gs->min_capacity = capacity;
	}
	gs->weight++;
	gs->cores += cpumask_first(topo_of(cpu)->smt_mask) == cpu;
	gs->load += load.load;
	gs->runnable += load.runnable;
	gs->util += load.util;
	gs->capacity += capacity;
	gs->min_capacity = min(gs->min_capacity, capacity);
	gs->max_capacity = max(gs->max_capacity, capacity);
	gs->nr_fair += rq->cfs.h_nr_running - itself;
	gs->nr_running += rq->nr_running - itself;
	gs->overloaded |= rq->nr_running > 1;
	if (rq->nr_running == itself && (is_idle_task(rq->curr) || rq->curr == without) &&
	    list_empty(&kernel.rqs[cpu]->wake_list))
		gs->idle_cpus++;
}

static bool is_overloaded(const struct group_stats *gs, u32 pct)
{
	return gs->nr_running > gs->weight &&
	       (gs->capacity * 100 < gs->util * pct || gs->capacity * pct < gs->runnable * 100);
}

static bool has_capacity(const struct group_stats *gs, u32 pct)
{
	if (gs->nr_running < gs->weight)
		return true;
	if (gs->capacity * pct < gs->runnable * 100)
		return false;
	return gs->capacity * 100 > gs->util * pct;
}

static enum group_type type_of(const struct group_stats *gs, enum fair_level level)
{
	u32 pct = level_imbalance_pct(level);

	if (is_overloaded(gs, pct))
		return GROUP_OVERLOADED;
	if (group_imbalanced(level, gs->leader))
		return GROUP_IMBALANCED;
	if (gs->smt_balance)
		return GROUP_SMT_BALANCE;
	if (gs->misfit_load)
		return GROUP_MISFIT_TASK;
	return has_capacity(gs, pct) ? GROUP_HAS_SPARE : GROUP_FULLY_BUSY;
}

void group_classify(struct group_stats *gs, enum fair_level level)
{
	gs->smt = level == LEVEL_LLC && gs->weight > 1;
	gs->many = level != LEVEL_SMT && gs->weight > 1 &&
		   !kernel.rqs[gs->leader]->fair.domain[level].asymmetric;
	gs->type = type_of(gs, level);
	gs->avg_load = gs->load * SCHED_CAPACITY_SCALE / max(gs->capacity, (u64)1);
}

u32 numa_allowed_imbalance(u32 cpu)
{
	const struct fair_domain *domain = kernel.rqs[cpu]->fair.domain;
	u32 llcs = domain[LEVEL_NODE].weight / domain[LEVEL_LLC].weight;

	return max(llcs == 1 ? domain[LEVEL_NODE].weight >> 3 : llcs, 1u);
}
