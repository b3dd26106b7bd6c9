/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What metrics.c gathers and metrics_json.c writes down.
 */
#ifndef VRT_TRACE_INTERNAL_H
#define VRT_TRACE_INTERNAL_H

#include "../base/hash.h"
#include "../base/hist.h"
#include "../sim/topology.h"
#include "lag.h"
#include "metrics.h"
#include "scx_ops.h"

enum switch_kind {
	SWITCH_VOLUNTARY, /* slept, blocked or exited */
	SWITCH_PREEMPTED,
	SWITCH_YIELDED,
	SWITCH_IDLE, /* from the idle task */
	NR_SWITCH_KINDS,
};

enum task_phase { PHASE_OFF, PHASE_WAITING, PHASE_RUNNING };

/*
 * The distributions that exist for a group and for the whole workload. Until the
 * end nothing is recorded twice: a wakeup is no run delay, and the whole is empty.
 */
enum metrics_latency {
	LATENCY_WAKEUP,
	LATENCY_RUN_DELAY,
	LATENCY_REQUEST,
	LATENCY_BENCH_WAKEUP,
	LATENCY_LAG,
	NR_LATENCIES,
};

struct metrics_group {
	const char *name;
	struct hist latency[NR_LATENCIES];
	u64 ops, runtime;
	u64 switches[NR_SWITCH_KINDS];
	u64 migrations[NR_DISTANCES];
	/* over its tasks: runtime relative to weight, for Jain's index */
	u64 nr_tasks;
	unsigned __int128 sum, sum_squares;
};

/* A cache line: with many tasks, each switch finds two of them in memory. */
struct metrics_task {
	u64 since; /* when the phase began */
	u64 runtime; /* inside the window */
	u64 ran; /* since it joined the lag clock; of what it runs now, less what was before */
	struct lag_task lag;
	struct metrics_group *group;
	u32 weight; /* 0: there is no such task */
	u8 class; /* enum trace_class */
	u8 phase; /* enum task_phase */
	bool woken; /* PHASE_WAITING: since a wakeup, not a preemption or a fork */
	bool seen; /* took part: was runnable inside the window */
} __cache_aligned;

_Static_assert(sizeof(struct metrics_task) == 64, "a task is a cache line");

#define METRICS_BLOCK 64

/* Tasks whose pids follow each other. */
struct metrics_block {
	struct metrics_task tasks[METRICS_BLOCK];
	u32 nr; /* that there are */
};

struct metrics_cpu {
	bool offline;
	u64 offline_since, offline_time;
};

/* Instead of the time when a CPU became busy: later than any. */
#define CPU_IDLE (~0ULL)

struct scx_op_stats {
	u64 calls, ns;
};

struct metrics {
	struct metrics_config config;
	u64 end, span; /* of the window; from its start to its end */
	bool finished;

	struct metrics_block **blocks; /* by pid; NULL: no task is in it; 0, idle, is none */
	u32 nr_blocks;
	u64 *busy_since; /* by CPU; apart from it: so little stays in the host's cache */
	u64 busy; /* closed stretches of all CPUs, inside the window */
	struct metrics_cpu *cpus;
	struct metrics_group *groups; /* the last one is "system" */
	u32 nr_groups; /* system included */
	/* latencies: the workload's; counters: all tasks'; until the end only what is no task's */
	struct metrics_group total;
	struct lag_clock lag;

	u64 overhead[NR_TRACE_OVH];
	struct scx_op_stats ops[NR_SCX_OPS];
	u64 attached_since, attached_time;
	bool attached;
	u64 events; /* inside the window */
	bool inside; /* the record at hand is in the window */
	u64 text_left; /* see stream.h */
	struct hash64 hash;
};

#endif
