/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the fair class: what its files share.
 *
 *	fair.c		the class: EEVDF on one queue
 *	fair_pelt.c	how busy tasks and CPUs have been lately
 *	fair_group.c	levels of the machine, and the load of groups of CPUs
 *	fair_select.c	where a task wakes up or starts
 *	fair_balance.c	moving queued tasks: periodic, newly idle, on behalf of idle CPUs
 *	fair_move.c	one balancing pass: find the busiest queue, pull from it
 */
#ifndef VRT_SCHED_FAIR_H
#define VRT_SCHED_FAIR_H

#include "sched.h"

#define MIGRATION_COST_NS 500000 /* a task that ran this recently is cache-hot */

static inline struct fair_rq *fair_of(const struct rq *rq)
{
	return &crq_of(rq)->fair;
}

/* Weights are kept scaled, as 64-bit Linux has them. */
#define LOAD_SHIFT 10
static inline u64 se_weight(const struct sched_entity *se)
{
	return se->load.weight >> LOAD_SHIFT;
}

/* Of the CPU itself. */
static inline u32 cpu_capacity(u32 cpu)
{
	return topo_of(cpu)->capacity;
}

/* --- who is idle ------------------------------------------------------------- */

/* Runs its idle task and nothing is queued or about to be. */
static inline bool idle_cpu(u32 cpu)
{
	const struct cpu_rq *crq = kernel.rqs[cpu];

	/* ghOSt's tasks that wait there wait for a program, not for the CPU */
	return is_idle_task(crq->rq.curr) && crq->rq.nr_running == crq->ghost.nr_running &&
	       list_empty(&crq->wake_list);
}

/* Has nothing but SCHED_IDLE tasks. */
static inline bool sched_idle_cpu(u32 cpu)
{
	const struct rq *rq = cpu_rq(cpu);

	return rq->nr_running && rq->nr_running == fair_of(rq)->nr_idle_policy;
}

static inline bool core_idle_but(u32 cpu)
{
	u32 sibling;

	for_each_cpu(sibling, topo_of(cpu)->smt_mask) {
		if (sibling != cpu && !idle_cpu(sibling))
			return false;
	}
	return true;
}

static inline u32 fair_nr_runnable(const struct rq *rq)
{
	return rq->cfs.h_nr_running - fair_of(rq)->nr_delayed;
}

/* --- averages (fair_pelt.c) ---------------------------------------------------- */

/* Brings @se and its queue up to rq->clock; before anything that they depend on changes. */
void pelt_update(struct rq *rq, struct task_struct *p);
/* @p becomes, or stops being, part of the average of @rq, which stays behind it. */
void pelt_attach(struct rq *rq, struct task_struct *p);
void pelt_detach(struct task_struct *p);
void pelt_init_task(struct task_struct *p);
/* First wakeup: a guess that lets the task prove how busy it is. */
void pelt_init_util(struct rq *rq, struct task_struct *p);
/* The weight has changed. */
void pelt_reweight(struct rq *rq, struct task_struct *p, u64 old_weight);

/* As of now (this CPU's clock), in whole units; any CPU, no lock. */
struct load {
	u64 load, runnable, util;
};
struct load cpu_load(u32 cpu);
struct load task_load(const struct task_struct *p);
/* cpu_load() as if @p, which may be part of it, were not. */
struct load cpu_load_without(u32 cpu, const struct task_struct *p);

/* What rt tasks take of the rq's CPU; to be brought up to date before rt_state.running changes. */
void pelt_update_rt(struct rq *rq);
/* What is left of a CPU for fair tasks; at least 1. Any CPU, no lock. */
u64 capacity_of(u32 cpu);
/* Is that noticeably less than all of it? */
bool capacity_reduced(u32 cpu, u32 imbalance_pct);

/* Does a utilization leave a CPU of that capacity some room (20%)? */
static inline bool fits_capacity(u64 util, u64 capacity)
{
	return util * 1280 < capacity * 1024;
}

/* Is @cap noticeably greater (5%)? */
static inline bool capacity_greater(u64 cap, u64 other)
{
	return cap * 1024 > other * 1078;
}

static inline bool task_fits_cpu(const struct task_struct *p, u32 cpu)
{
	return !kernel.config.topology->asymmetric ||
	       fits_capacity(task_load(p).util, capacity_of(cpu));
}

/* --- levels and groups (fair_group.c) -------------------------------------------- */

enum group_type {
	GROUP_HAS_SPARE,
	GROUP_FULLY_BUSY,
	GROUP_MISFIT_TASK,
	GROUP_SMT_BALANCE,
	GROUP_IMBALANCED,
	GROUP_OVERLOADED,
};

struct group_stats {
	u32 leader; /* its first CPU in the scan */
	bool smt; /* its CPUs share a core */
	bool many; /* it has levels inside: tasks should spread over such groups */
	u32 weight, cores, nr_running, nr_fair, idle_cpus;
	u64 load, runnable, util, capacity, min_capacity, max_capacity;
	u64 avg_load; /* load per capacity */
	u64 misfit_load;
	bool smt_balance, overloaded;
	enum group_type type;
};

void fair_levels_init(struct rq *rq);
const struct cpumask *level_span(enum fair_level level, u32 cpu);
/* The group of CPUs within @level that @cpu is in; a copy. */
void group_span(struct cpumask *mask, enum fair_level level, u32 cpu);
u32 level_imbalance_pct(enum fair_level level);
u32 level_nice_tries(enum fair_level level);
bool level_is_numa(enum fair_level level);
/* Affinities have kept the group of @cpu from being balanced inside. */
bool group_imbalanced(enum fair_level level, u32 cpu);
void group_set_imbalanced(enum fair_level level, u32 cpu, bool imbalanced);
/* Adds @cpu to @gs, as if @without (may be NULL) were not there; charges the look at it. */
void group_add_cpu(struct group_stats *gs, u32 cpu, const struct task_struct *without);
void group_classify(struct group_stats *gs, enum fair_level level);
/* The imbalance between nodes that is not worth leaving a node for. */
u32 numa_allowed_imbalance(u32 cpu);
static inline u32 adjust_numa_imbalance(u32 imbalance, u32 dst_running, u32 allowed)
{
	if (dst_running > allowed)
		return imbalance;
	return imbalance <= 2 ? 0 : imbalance;
}

static inline struct fair_llc *llc_of(u32 cpu)
{
	return &kernel.rqs[kernel.rqs[cpu]->fair.llc_leader]->fair.llc;
}

/* --- moving tasks ---------------------------------------------------------------------- */

enum balance_idle { BALANCE_BUSY, BALANCE_IDLE, BALANCE_NEWIDLE };

/*
 * One pass for @dst_cpu at @level, no lock held: how many tasks were moved.
 * *go_on is cleared when another CPU balances this level. (fair_move.c)
 */
u32 balance_level(u32 dst_cpu, enum fair_level level, enum balance_idle idle, bool *go_on);
bool machine_overloaded(void);
void set_machine_overloaded(bool overloaded);

void fair_balance_init(struct rq *rq);
/* The CPU begins or ends to be idle, with the rq locked. (idle.c) */
void fair_idle_enter(struct rq *rq);
void fair_idle_exit(struct rq *rq);
/* Idle CPU, no lock: balances for all idle CPUs if it was asked to. */
void fair_nohz_balance(struct rq *rq);
void fair_update_misfit(struct rq *rq, const struct task_struct *p);

/* --- the fair server (rt.c) ------------------------------------------------------------- */

/* A fair task has run for @delta ns. With the rq locked. */
void fair_server_consume(struct rq *rq, s64 delta);
/* Fair tasks wait while rt runs: their time will come. */
void fair_server_start(struct rq *rq);

#endif
