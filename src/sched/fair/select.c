// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a fair task goes when it wakes up or starts.
 *
 * Wakeups: the waker's CPU or the one it ran on before (wake_affine()), and
 * from there an idle CPU that shares the cache. New tasks: level by level the
 * idlest group of CPUs, and the idlest CPU in it.
 *
 * No lock is held. What is read of other CPUs may be outdated when the task
 * arrives there, as on a real machine. Every CPU that is looked at costs the
 * transfer of a cache line; the search for an idle one is limited by how busy
 * the cache's CPUs have been (fair_llc.nr_idle_scan).
 *
 * Not modelled: energy-aware placement, core scheduling, clusters below the LLC.
 */
#include "fair.h"

#define NONE (-1)

/* --- accounting ------------------------------------------------------------- */

/* The price of looking at another CPU's runqueue. */
static void look_at(u32 cpu)
{
	charge_overhead(TRACE_OVH_WAKEUP,
			costs.cacheline[cpu_distance(topo_of(this_cpu->id), topo_of(cpu))]);
}

static void charge_mask(void)
{
	charge_overhead(TRACE_OVH_WAKEUP, costs.pick_idle_word * NR_MASK_WORDS);
}

static bool available(u32 cpu)
{
	return idle_cpu(cpu) || sched_idle_cpu(cpu);
}

static bool share_cache(u32 a, u32 b)
{
	return topo_of(a)->llc == topo_of(b)->llc;
}

/* --- wakers of many ----------------------------------------------------------- */

static void record_wakee(struct task *waker, const struct task_struct *p)
{
	struct fair_task *ft = &waker->fair;
	u64 now = cpu_clock();

	if (now > ft->wakee_decay + NSEC_PER_SEC) {
		ft->wakee_flips >>= 1;
		ft->wakee_decay = now;
	}
	if (ft->last_wakee != p->pid) {
		ft->last_wakee = p->pid;
		ft->wakee_flips++;
	}
}

/* A waker of more tasks than share a cache: spread rather than pull them here. */
static bool wake_wide(const struct task *waker, const struct task_struct *p)
{
	u32 a = waker->fair.wakee_flips, b = task_of(p)->fair.wakee_flips;
	u32 master = max(a, b), slave = min(a, b);
	u32 factor = fair_of(this_rq())->domain[LEVEL_LLC].weight;

	return slave >= factor && master >= slave * factor;
}

/* --- this CPU or the previous one ------------------------------------------------ */

static s32 wake_affine_idle(u32 cpu, u32 prev, bool sync)
{
	if (idle_cpu(cpu) && share_cache(cpu, prev))
		return idle_cpu(prev) ? prev : cpu;
	if (sync && this_rq()->nr_running - this_rq()->cfs.h_nr_delayed == 1)
		return cpu;
	return idle_cpu(prev) ? (s32)prev : NONE;
}

static enum fair_level common_level(u32 a, u32 b)
{
	enum fair_level level = LEVEL_SMT;

	while (level < LEVEL_MACHINE && !cpumask_test_cpu(b, level_span(level, a)))
		level++;
	return level;
}

static s32 wake_affine_weight(const struct task_struct *p, u32 cpu, u32 prev, bool sync)
{
	u64 here = cpu_load(cpu).load, there = cpu_load(prev).load, own = task_h_load(p);

	if (sync) {
		u64 waker = task_h_load(curr_task());

		if (waker > here)
			return cpu;
		here -= waker;
	}
	here = (here + own) * 100 * capacity_of(prev);
	there -= min(there, own);
	there *= 100 + (level_imbalance_pct(common_level(cpu, prev)) - 100) / 2;
	there *= capacity_of(cpu);
	/* when equal, a sync wakee may stack on its waker */
	return here < there + sync ? (s32)cpu : NONE;
}

static u32 wake_affine(const struct task_struct *p, u32 cpu, u32 prev, bool sync)
{
	s32 target;

	look_at(prev);
	target = wake_affine_idle(cpu, prev, sync);
	if (target == NONE)
		target = wake_affine_weight(p, cpu, prev, sync);
	return target == (s32)cpu ? cpu : prev;
}

/* --- an idle CPU near by ----------------------------------------------------------- */

/* The core of @core if all of it is idle. Otherwise it leaves @cpus; *idle: an idle thread. */
static s32 select_idle_core(u32 core, struct cpumask *cpus, s32 *idle)
{
	const struct cpumask *threads = topo_of(core)->smt_mask;
	bool all_idle = true;
	u32 cpu;

	for_each_cpu(cpu, threads) {
		look_at(cpu);
		if (!idle_cpu(cpu))
			all_idle = false;
		if (*idle == NONE && available(cpu) && cpumask_test_cpu(cpu, cpus))
			*idle = cpu;
		if (!all_idle && *idle != NONE)
			break;
	}
	if (all_idle)
		return core;
	cpumask_andnot(cpus, cpus, threads);
	return NONE;
}

static s32 select_idle_smt(const struct task_struct *p, u32 target)
{
	u32 cpu;

	for_each_cpu(cpu, topo_of(target)->smt_mask) {
		if (cpu == target || !is_cpu_allowed(p, cpu))
			continue;
		look_at(cpu);
		if (available(cpu))
			return cpu;
	}
	return NONE;
}

/* The CPUs of @span that @p may use; false when there is none. */
static bool allowed_in(struct cpumask *mask, const struct cpumask *span,
		       const struct task_struct *p)
{
	charge_mask();
	return cpumask_and(mask, span, p->cpus_ptr) && cpumask_and(mask, mask, kernel.active);
}

/* An idle CPU of @target's cache, from @target on; a whole idle core if there may be one. */
static s32 select_idle_cpu(const struct task_struct *p, bool idle_cores, u32 target)
{
	u32 cpu = target, budget = llc_of(target)->nr_idle_scan, left;
	struct cpumask cpus;
	s32 core, idle = NONE;

	if (!budget || !allowed_in(&cpus, topo_of(target)->llc_mask, p))
		return NONE;
	for (left = cpumask_weight(&cpus); left; left--) {
		cpu = cpumask_next_and_wrap(cpu + 1, &cpus, &cpus);
		if (cpu >= nr_cpu_ids)
			break;
		if (idle_cores) {
			core = select_idle_core(cpu, &cpus, &idle);
			if (core != NONE)
				return core;
			continue;
		}
		if (!budget--)
			return NONE;
		look_at(cpu);
		if (available(cpu))
			return cpu;
	}
	if (idle_cores)
		llc_of(target)->has_idle_cores = false;
	return idle;
}

/* Of different CPUs: the first idle one that @p fits on, otherwise the largest idle one. */
static s32 select_idle_capacity(const struct task_struct *p, const struct cpumask *span, u32 target)
{
	u64 util = task_load(p).util, best_capacity = 0;
	u32 cpu = target - 1, left;
	struct cpumask cpus;
	s32 best = NONE;

	if (!allowed_in(&cpus, span, p))
		return NONE;
	for (left = cpumask_weight(&cpus); left; left--) {
		cpu = cpumask_next_and_wrap(cpu + 1, &cpus, &cpus);
		look_at(cpu);
		if (!available(cpu))
			continue;
		if (fits_capacity(util, capacity_of(cpu)))
			return cpu;
		if (capacity_of(cpu) > best_capacity) {
			best_capacity = capacity_of(cpu);
			best = cpu;
		}
	}
	return best;
}

static const struct cpumask *asymmetric_span(u32 cpu)
{
	for (enum fair_level level = 0; level < NR_LEVELS; level++) {
		if (kernel.rqs[cpu]->fair.domain[level].asymmetric)
			return level_span(level, cpu);
	}
	return NULL;
}

static bool good(const struct task_struct *p, u32 cpu)
{
	look_at(cpu);
	return available(cpu) && is_cpu_allowed(p, cpu) && task_fits_cpu(p, cpu);
}

/* A per-CPU kthread wakes who waited for its work: as good as a sync wakeup. */
static bool stacks_on_kthread(u32 prev)
{
	const struct task_struct *curr = curr_task();

	return (curr->flags & PF_KTHREAD) && curr->nr_cpus_allowed == 1 && !is_idle_task(curr) &&
	       !kernel.rqs[this_cpu->id]->irq_stamp && prev == this_cpu->id &&
	       this_rq()->nr_running <= 1;
}

static u32 select_idle_sibling(struct task_struct *p, u32 prev, u32 target)
{
	const struct cpumask *span;
	bool idle_cores = false;
	u32 recent;
	s32 cpu;

	if (good(p, target))
		return target;
	if (prev != target && share_cache(prev, target) && good(p, prev))
		return prev;
	if (stacks_on_kthread(prev) && task_fits_cpu(p, prev))
		return prev;
	recent = p->recent_used_cpu;
	p->recent_used_cpu = prev;
	if (recent != prev && recent != target && share_cache(recent, target) &&
	    good(p, recent))
		return recent;
	span = asymmetric_span(target);
	if (span) {
		cpu = select_idle_capacity(p, span, target);
		return cpu == NONE ? target : (u32)cpu;
	}
	if (kernel.config.topology->smt) {
		idle_cores = llc_of(target)->has_idle_cores;
		if (!idle_cores && share_cache(prev, target)) {
			cpu = select_idle_smt(p, prev);
			if (cpu != NONE)
				return cpu;
		}
	}
	cpu = select_idle_cpu(p, idle_cores, target);
	return cpu == NONE ? target : (u32)cpu;
}

/* --- new tasks: the idlest group --------------------------------------------------------- */

static void wakeup_stats(struct group_stats *gs, enum fair_level level, const struct cpumask *group,
			 const struct task_struct *p)
{
	bool asymmetric = kernel.rqs[cpumask_first(group)]->fair.domain[level].asymmetric;
	u32 cpu;

	*gs = (struct group_stats){ .misfit_load = asymmetric };
	for_each_cpu(cpu, group) {
		group_add_cpu(gs, cpu, p);
		if (gs->misfit_load && task_fits_cpu(p, cpu))
			gs->misfit_load = 0;
	}
	group_classify(gs, level);
}

static bool idler(const struct group_stats *a, const struct group_stats *b)
{
	if (a->type != b->type)
		return a->type < b->type;
	switch (a->type) {
	case GROUP_OVERLOADED:
	case GROUP_FULLY_BUSY:
		return a->avg_load < b->avg_load;
	case GROUP_MISFIT_TASK:
		return a->max_capacity > b->max_capacity;
	case GROUP_HAS_SPARE:
		return a->idle_cpus != b->idle_cpus ? a->idle_cpus > b->idle_cpus :
						      a->util < b->util;
	default:
		return false;
	}
}

/* Is the idlest of the other groups so much idler that the task should leave its own? */
static bool worth_leaving(const struct group_stats *local, const struct group_stats *idlest,
			  enum fair_level level, u32 cpu)
{
	u64 margin = 1024 * (level_imbalance_pct(level) - 100) / 100;
	u32 idle_gap;

	if (local->type != idlest->type)
		return local->type > idlest->type;
	switch (local->type) {
	case GROUP_OVERLOADED:
	case GROUP_FULLY_BUSY:
		if (level_is_numa(level) && idlest->avg_load + margin >= local->avg_load)
			return false;
		return idlest->avg_load < local->avg_load + margin &&
		       100 * local->avg_load > level_imbalance_pct(level) * idlest->avg_load;
	case GROUP_MISFIT_TASK:
		return local->max_capacity < idlest->max_capacity;
	case GROUP_HAS_SPARE:
		idle_gap = max(local->idle_cpus, idlest->idle_cpus) -
			   min(local->idle_cpus, idlest->idle_cpus);
		if (level_is_numa(level) &&
		    !adjust_numa_imbalance(idle_gap, local->nr_running + 1,
					   min(numa_allowed_imbalance(cpu), local->weight)))
			return false;
		return local->idle_cpus < idlest->idle_cpus;
	default:
		return false;
	}
}

/* The group of @level that is idler than @cpu's: into @idlest; false: stay. */
static bool find_idlest_group(struct cpumask *idlest, enum fair_level level,
			      const struct task_struct *p, u32 cpu)
{
	struct group_stats local = { 0 }, best = { 0 }, gs;
	bool have_local = false, have_best = false;
	struct cpumask rest, group;

	if (!allowed_in(&rest, level_span(level, cpu), p))
		return false;
	while (!cpumask_empty(&rest)) {
		u32 first = cpumask_first(&rest);
		bool is_local;

		group_span(&group, level, first);
		is_local = cpumask_test_cpu(cpu, &group);
		cpumask_and(&group, &group, &rest);
		cpumask_andnot(&rest, &rest, &group);
		wakeup_stats(is_local ? &local : &gs, level, &group, p);
		if (is_local) {
			have_local = true;
		} else if (!have_best || idler(&gs, &best)) {
			have_best = true;
			best = gs;
			cpumask_copy(idlest, &group);
		}
	}
	return have_best && (!have_local || worth_leaving(&local, &best, level, cpu));
}

/* How soon an idle CPU can begin: 0 is soonest. */
static u32 idle_depth(u32 cpu)
{
	const struct cpu_rq *crq = kernel.rqs[cpu];

	return crq->polling ? 0 : 1 + crq->idle_history.deep;
}

static u32 find_idlest_cpu(const struct cpumask *group, u32 cpu_here)
{
	u32 cpu, depth, best_depth = ~0u, least_loaded = cpu_here;
	u64 load, min_load = ~0ULL, latest = 0;
	s32 idle = NONE;

	for_each_cpu(cpu, group) {
		const struct rq *rq = cpu_rq(cpu);

		if (sched_idle_cpu(cpu))
			return cpu;
		if (idle_cpu(cpu)) {
			depth = idle_depth(cpu);
			/* of those equally deep the one whose cache is warmest */
			if (depth < best_depth ||
			    (depth == best_depth && rq->idle_stamp > latest)) {
				best_depth = depth;
				latest = rq->idle_stamp;
				idle = cpu;
			}
		} else if (idle == NONE) {
			load = cpu_load(cpu).load;
			if (load < min_load) {
				min_load = load;
				least_loaded = cpu;
			}
		}
	}
	return idle == NONE ? least_loaded : (u32)idle;
}

static u32 find_idlest(const struct task_struct *p, u32 cpu, u32 prev)
{
	struct cpumask group;
	u32 best = cpu;

	if (!cpumask_intersects(p->cpus_ptr, kernel.active))
		return prev;
	for (s32 level = LEVEL_MACHINE; level >= LEVEL_SMT; level--) {
		if (!kernel.rqs[cpu]->fair.domain[level].exists)
			continue;
		if (find_idlest_group(&group, level, p, cpu))
			cpu = best = find_idlest_cpu(&group, cpu);
	}
	return best;
}

s32 fair_select_task_rq(struct task_struct *p, s32 prev_cpu, u32 wake_flags)
{
	bool sync = (wake_flags & WF_SYNC) && !(curr_task()->flags & PF_EXITING);
	u32 cpu = this_cpu->id, target = prev_cpu;
	struct task *waker = task_of(curr_task());

	if (!(wake_flags & WF_TTWU))
		return find_idlest(p, cpu, prev_cpu);
	record_wakee(waker, p);
	if (!wake_wide(waker, p) && cpumask_test_cpu(cpu, p->cpus_ptr) && cpu != target)
		target = wake_affine(p, cpu, prev_cpu, sync);
	return select_idle_sibling(p, prev_cpu, target);
}
