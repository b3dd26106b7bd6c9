/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the fair class: what its files share.
 *
 *	fair.c		the class: tasks in a hierarchy of queues
 *	fair/queue.c	one queue: EEVDF
 *	fair/tg.c	task groups: their queues, entities and weights
 *	fair/bandwidth.c	cpu.max
 *	fair/pelt.c	how busy tasks, groups and CPUs have been lately
 *	fair/check.c	the books
 *	fair/group.c	levels of the machine, and the load of groups of CPUs
 *	fair/select.c	where a task wakes up or starts
 *	fair/balance.c	moving queued tasks: periodic, newly idle, on behalf of idle CPUs
 *	fair/move.c	one balancing pass: find the busiest queue, pull from it
 */
#ifndef VRT_SCHED_FAIR_H
#define VRT_SCHED_FAIR_H

#include "../sched.h"

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

/* Within the fair class, besides those of sched.h */
#define DEQUEUE_SPECIAL 0x1000 /* never delayed */
#define DEQUEUE_DELAYED 0x2000 /* the end of a delay */

static inline struct task_struct *task_of_se(const struct sched_entity *se)
{
	return container_of(se, struct task_struct, se);
}

static inline struct sched_entity *node_se(const struct rb_node *node)
{
	return rb_entry(node, struct sched_entity, run_node);
}

static inline bool is_root_queue(const struct cfs_rq *cfs_rq)
{
	return cfs_rq == &cfs_rq->rq->cfs;
}

static inline struct fair_queue *queue_of(const struct cfs_rq *cfs_rq)
{
	return is_root_queue(cfs_rq) ? &fair_of(cfs_rq->rq)->queue :
				       &container_of(cfs_rq, struct group_queue, cfs)->queue;
}

/* The group's entity whose queue this is; NULL for the root's. */
static inline struct sched_entity *queue_entity(const struct cfs_rq *cfs_rq)
{
	return cfs_rq->tg->se[cfs_rq->rq->cpu];
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

	return rq->nr_running && rq->nr_running == rq->cfs.idle_h_nr_running;
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
	return rq->cfs.h_nr_running - rq->cfs.h_nr_delayed;
}

/* --- one queue (fair/queue.c) ---------------------------------------------------- */

/* The running entity, if it still takes part. */
static inline struct sched_entity *queued_curr(const struct cfs_rq *cfs_rq)
{
	return cfs_rq->curr && cfs_rq->curr->on_rq ? cfs_rq->curr : NULL;
}

static inline s64 entity_key(const struct cfs_rq *cfs_rq, const struct sched_entity *se)
{
	return (s64)(se->vruntime - cfs_rq->min_vruntime);
}

static inline bool entity_before(const struct sched_entity *a, const struct sched_entity *b)
{
	return time_before64(a->deadline, b->deadline);
}

void fair_update_base_slice(void);
void load_set(struct load_weight *lw, u64 weight);
void entity_init_slice(struct sched_entity *se);
bool entity_eligible(const struct cfs_rq *cfs_rq, const struct sched_entity *se);
/* Accounts what the running entity has run to it, and its bandwidth. */
void update_curr(struct cfs_rq *cfs_rq);
struct sched_entity *pick_eevdf(const struct cfs_rq *cfs_rq);

/*
 * In and out of the entity's own queue. Counts of tasks are the caller's matter.
 * dequeue_entity() is false when the entity stays queued, delayed.
 */
void enqueue_entity(struct sched_entity *se, u64 flags);
void requeue_delayed_entity(struct sched_entity *se);
bool dequeue_entity(struct sched_entity *se, u64 flags);
void set_next_entity(struct sched_entity *se);
void put_prev_entity(struct sched_entity *se);

void yield_entity(struct sched_entity *se);
/* The running entity may be preempted although its slice is not used up. */
void cancel_slice(struct sched_entity *se);
/* Shall @se, queued beside @curr, which runs, do so now? */
bool entity_preempts(struct sched_entity *se, struct sched_entity *curr);
/* @weight is scaled, as load.weight. */
void reweight_entity(struct sched_entity *se, u64 weight);
/* The smallest slice of a group's queue that is not empty; what its entity asks for. */
u64 queue_min_slice(const struct cfs_rq *cfs_rq);
void entity_set_slice(struct sched_entity *se, u64 slice);

/* What a node of the tree must know of those below it. */
bool fair_node_before(const struct rb_node *a, const struct rb_node *b);
u64 fair_subtree_min_vruntime(const struct rb_node *node);
u64 fair_subtree_min_slice(const struct rb_node *node);

/* --- the hierarchy (fair.c) --------------------------------------------------------- */

/* Tasks of an entity, as its queue and those above count them. */
struct h_count {
	s32 nr, idle, delayed;
};

static inline struct h_count queue_count(const struct cfs_rq *cfs_rq)
{
	return (struct h_count){ cfs_rq->h_nr_running, cfs_rq->idle_h_nr_running,
				 cfs_rq->h_nr_delayed };
}

static inline void add_count(struct cfs_rq *cfs_rq, const struct h_count *n)
{
	cfs_rq->h_nr_running += n->nr;
	cfs_rq->idle_h_nr_running += n->idle;
	cfs_rq->h_nr_delayed += n->delayed;
}

static inline void sub_count(struct cfs_rq *cfs_rq, const struct h_count *n)
{
	cfs_rq->h_nr_running -= n->nr;
	cfs_rq->idle_h_nr_running -= n->idle;
	cfs_rq->h_nr_delayed -= n->delayed;
}

/* A delayed entity's time is over: it leaves, with the groups that are empty then. */
void finish_delayed(struct rq *rq, struct sched_entity *se);

/* --- task groups (fair/tg.c) ---------------------------------------------------------- */

/* The group after @pos (NULL: @root itself) in the subtree of @root, parents first. */
struct task_group *tg_next(struct task_group *pos, struct task_group *root);
/* All groups but the root's, oldest first. */
extern struct list_head fair_groups;
/* The queue and the parent that @p has on @rq's CPU. */
void fair_set_task_queue(struct rq *rq, struct task_struct *p);

void __update_group_weight(struct sched_entity *se);
/* A group's entity weighs what its queue's part of the group's load is. */
static inline void update_group_weight(struct sched_entity *se)
{
	if (se->my_q)
		__update_group_weight(se);
}

/* --- bandwidth (fair/bandwidth.c) -------------------------------------------------------- */

void __account_cfs_rq_runtime(struct cfs_rq *cfs_rq, u64 delta);
static inline void account_cfs_rq_runtime(struct cfs_rq *cfs_rq, u64 delta)
{
	if (unlikely(cfs_rq->runtime_enabled))
		__account_cfs_rq_runtime(cfs_rq, delta);
}

bool __check_cfs_rq_runtime(struct cfs_rq *cfs_rq);
/* Throttles a queue that has run out. True: it is throttled, nothing of it may run. */
static inline bool check_cfs_rq_runtime(struct cfs_rq *cfs_rq)
{
	return unlikely(cfs_rq->runtime_enabled && cfs_rq->runtime_remaining <= 0) &&
	       __check_cfs_rq_runtime(cfs_rq);
}

/* A group's queue is not empty any more: may it run? */
void bandwidth_first_enqueue(struct cfs_rq *cfs_rq);
/* It is empty now: the group's other CPUs may have what is left. */
void return_cfs_rq_runtime(struct cfs_rq *cfs_rq);
void bandwidth_init(struct group *g);
/* A new group, on one CPU, with the rq locked. */
void bandwidth_sync(struct task_group *tg, struct rq *rq);
/* The group goes, empty: timers stop, and on each CPU, with the rq locked, throttling. */
void bandwidth_stop(struct group *g);
void bandwidth_leave(struct cfs_rq *cfs_rq);
void bandwidth_rq_online(struct rq *rq);
void bandwidth_rq_offline(struct rq *rq);
/* Does any group have a quota? */
bool bandwidth_used(void);

/* Is the queue, or a group that it is in, throttled? */
static inline bool throttled_hierarchy(const struct cfs_rq *cfs_rq)
{
	return cfs_rq->throttle_count;
}

/* --- averages (fair/pelt.c) ---------------------------------------------------- */

/* Brings @se and its queue up to rq->clock; before anything that they depend on changes. */
void pelt_update(struct sched_entity *se);
/* The same before it joins its queue; a task becomes part of its average, if it is not. */
void pelt_enqueue(struct sched_entity *se);
/* @p stops being part of the average of the queue it was in last, and of those above. */
void pelt_detach(struct task_struct *p);
/* A group's queue and entity on a CPU begin, or go, empty. */
void pelt_init_group(struct cfs_rq *cfs_rq);
void pelt_exit_group(struct cfs_rq *cfs_rq);
/* The queue's clock stands still from now on, or goes on. */
void pelt_freeze(struct cfs_rq *cfs_rq);
void pelt_thaw(struct cfs_rq *cfs_rq);
/* What fades on queues that nobody looks at; takes the rq lock if there is anything. */
void pelt_update_blocked(struct rq *rq);
/* The queue leaves the averages of its group, as of a CPU that goes. */
void pelt_forget(struct cfs_rq *cfs_rq);
void pelt_init_task(struct task_struct *p);
/* First wakeup: a guess that lets the task prove how busy it is. */
void pelt_init_util(struct rq *rq, struct task_struct *p);
/* The weight has changed. */
void pelt_reweight(struct sched_entity *se, u64 old_weight);

/* As of now (this CPU's clock), in whole units; any CPU, no lock. */
struct load {
	u64 load, runnable, util;
};
struct load cpu_load(u32 cpu);
struct load task_load(const struct task_struct *p);
/* The part of its CPU's load that is this task's: its group's, shared. */
u64 task_h_load(const struct task_struct *p);
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

/* --- levels and groups (fair/group.c) -------------------------------------------- */

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
 * *go_on is cleared when another CPU balances this level. (fair/move.c)
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
