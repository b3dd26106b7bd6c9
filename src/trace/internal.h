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

struct metrics_task {
	s32 pid;
	u32 group; /* index into metrics.groups */
	u32 weight;
	enum trace_class class;
	enum task_phase phase;
	bool woken; /* PHASE_WAITING: since a wakeup, not a preemption or a fork */
	bool seen; /* took part: was runnable inside the window */
	u64 since; /* when the phase began */
	u64 runtime; /* inside the window */
	u64 ran, ran_from; /* since it joined the lag clock; and open from then */
	struct lag_task lag;
};

/* The distributions that exist for a group and for the whole workload. */
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

struct metrics_cpu {
	s32 pid; /* 0: idle */
	u64 since; /* when it was switched in */
	u64 busy; /* tasks on it, inside the window */
	bool offline;
	u64 offline_since, offline_time;
};

struct scx_op_stats {
	u64 calls, ns;
};

struct metrics {
	struct metrics_config config;
	u64 end;
	bool finished;

	struct metrics_task **tasks; /* by pid */
	u32 nr_slots;
	struct metrics_cpu *cpus;
	struct metrics_group *groups; /* the last one is "system" */
	u32 nr_groups; /* system included */
	struct metrics_group total; /* latencies: the workload's; counters: all tasks' */
	struct lag_clock lag;

	u64 overhead[NR_TRACE_OVH];
	struct scx_op_stats ops[NR_SCX_OPS];
	u64 attached_since, attached_time;
	bool attached;
	u64 events; /* inside the window */
	u64 text_left; /* see stream.h */
	struct hash64 hash;
};

#endif
