/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the classes fair, rt and idle keep per task and per CPU beyond the
 * parts that BPF programs see (kernel/sched.h). Embedded in struct task and
 * struct cpu_rq; guarded by the rq lock unless noted.
 */
#ifndef VRT_SCHED_CLASS_TYPES_H
#define VRT_SCHED_CLASS_TYPES_H

#include "../../kernel/cgroup.h"
#include "../base/list.h"
#include "../sim/lock.h"

/*
 * Running averages that halve every 32 periods of 2^20 ns, as Linux's PELT.
 * Values are shifted left by PELT_SHIFT. See fair/pelt.c.
 */
#define PELT_SHIFT 20
struct pelt {
	u64 stamp; /* ns of rq->clock up to which the values hold */
	u64 load; /* weight while queued */
	u64 runnable; /* 1024 while runnable */
	u64 util; /* the CPU's capacity while running */
};

struct fair_task {
	struct pelt avg;
	bool attached; /* avg is part of the average of the cfs_rq it was last on */
	bool counted_idle; /* in idle_h_nr_running */
	/* how often it wakes another task than the last time; not guarded */
	u32 wakee_flips;
	s32 last_wakee;
	u64 wakee_decay;
};

struct rt_task {
	u32 queue; /* the list that it is on: p->prio may change meanwhile */
};

/* The nested sets of CPUs that tasks are balanced in, smallest first. */
enum fair_level { LEVEL_SMT, LEVEL_LLC, LEVEL_NODE, LEVEL_MACHINE, NR_LEVELS };

/* One CPU's view of a level; written by the CPU that balances for it. */
struct fair_domain {
	u32 weight; /* CPUs in it */
	bool exists; /* larger than the level below */
	bool asymmetric; /* its CPUs' capacities differ */
	bool imbalanced; /* affinities kept it from being balanced (of its first CPU) */
	u32 interval_ms;
	u32 nr_failed;
	u64 last_balance;
	/* newidle balancing: tries, successes, successes of the last 1024, worst cost */
	u32 newidle_tries, newidle_successes, newidle_ratio;
	u64 newidle_cost, newidle_cost_stamp;
};

/* What the CPUs that share a cache know of each other; kept by the first of them. */
struct fair_llc {
	bool has_idle_cores;
	u32 nr_idle_scan; /* CPUs that a search for an idle one looks at */
};

/* What is private of a cfs_rq. */
struct fair_queue {
	struct pelt avg; /* of all that is in it, by its own clock: */
	u64 frozen_since; /* which stands still while it is throttled */
	u64 frozen_time;
	/* the rest: of groups only */
	struct list_head leaf; /* fair_rq.leaves: its averages have not faded yet */
	u64 tg_update; /* when its part of the group's load was told last */
	struct list_head throttled_node; /* group.throttled, in the order of throttling */
	struct list_head unthrottle_node; /* fair_rq.unthrottle */
};

/* A group's queue and entity on one CPU; programs see the first parts. */
struct group_queue {
	struct cfs_rq cfs;
	struct fair_queue queue;
};

struct group_entity {
	struct sched_entity se;
	struct pelt avg;
};

struct fair_rq {
	struct list_head tasks; /* by se.group_node, the last to run first */
	struct fair_queue queue; /* of rq->cfs */
	struct list_head leaves; /* queues of groups to keep up to date */
	struct list_head unthrottle; /* queues that other CPUs have given runtime to */

	u64 misfit_load; /* of a current task that this CPU is too small for */
	bool active_balance; /* a push of the current task to push_cpu is under way */
	u32 push_cpu;
	bool nohz_kick; /* asked to balance for all idle CPUs */
	u64 next_balance;
	u64 max_newidle_cost;
	u32 llc_leader;
	struct fair_llc llc; /* valid on the leader */
	struct fair_domain domain[NR_LEVELS];
};

/* The 50 ms per second that rt tasks leave to fair ones (rt.c). */
struct fair_server {
	bool active; /* a period is running */
	bool boosted; /* fair goes before rt now */
	s64 left; /* ns of this period's budget */
	struct hrtimer timer;
};

struct rt_state {
	u64 queued[2]; /* a bit per non-empty list */
	bool running; /* the current task is an rt task */
	struct pelt avg; /* its util is what rt tasks take of the CPU */
	struct fair_server server;
};

/*
 * A task group with all that is private of it, its cgroup and its css_set. In the
 * kernel heap; programs see the task group only. Guarded by cgroup_lock() unless
 * noted.
 */
struct group {
	struct task_group tg; /* first */
	struct css_set *css_set;
	struct list_head all; /* in order of creation, or in the graveyard */
	bool dead; /* removed; then: */
	u64 dead_since; /* when the last reference was put */
	void *storage; /* anchor of BPF storage */
	/* ns of CPU time; written with the rq locked that the task runs on */
	u64 usage; /* of its own tasks */
	u64 dead_usage; /* of groups below it that are gone */

	/* cpu.max (fair/bandwidth.c); its lock goes after the rq locks */
	struct sim_lock lock; /* guards tg.cfs_bandwidth and what follows */
	struct hrtimer period_timer, slack_timer;
	u64 period_end; /* when period_timer is due, or was */
	bool period_active, slack_started;
	bool idle; /* nobody has asked for runtime in this period */
	struct list_head throttled; /* queues, by fair_queue.throttled_node */
};

/*
 * What sched_ext has in hand on a CPU, in the middle of a wakeup or a pick; the rest
 * of what it keeps per CPU is struct scx_cpu (ext/ext.h).
 */
struct scx_dsp_ent;
struct scx_hand {
	struct task_struct *ddsp_task; /* being enqueued, may be dispatched directly */
	struct scx_dsp_ent *dsp_buf; /* scx.max_batch entries */
	u32 dsp_cursor;
	u32 dsp_nr_tasks;
	bool reenqueue; /* deferred: hand the local DSQ back to the scheduler */
};

#define IDLE_HISTORY 8
struct idle_history {
	u64 recent[IDLE_HISTORY]; /* ns; 0: not yet known */
	u32 next;
	bool deep; /* the state it is in, or was in last */
};

#endif
