/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics and the trace hash, computed from the event stream alone. Every
 * metric is defined once, in docs/metrics.md.
 */
#ifndef VRT_TRACE_METRICS_H
#define VRT_TRACE_METRICS_H

#include "../sched/tracepoint.h"

struct metrics;
struct json_object;

/* Pids at and above this are not followed (Linux's PID_MAX_LIMIT). */
#define METRICS_MAX_PID (4U << 20)

struct metrics_config {
	u32 nr_cpus;
	u32 nr_groups; /* ids 0..nr_groups-1 are the workload's; others are "system" */
	const char *const *group_names; /* must live as long as the metrics */
	u64 start; /* figures cover [start, end); ~0: metrics_window() will tell */
	/* distance class of two CPUs, 0..4 as enum cpu_distance; for migrations */
	u32 (*distance)(u32 a, u32 b);
};

struct metrics *metrics_new(const struct metrics_config *config);
void metrics_free(struct metrics *m);
void metrics_feed(struct metrics *m, const struct trace_record *recs, u32 nr);
/* Sets what the figures cover; before the first record at or after @start. */
void metrics_window(struct metrics *m, u64 start, u64 end);
/* Closes open intervals at @end; later records are ignored, by the hash too. Before any JSON. */
void metrics_finish(struct metrics *m, u64 end);

/* 64-bit hash (XXH64, seed 0) over all records fed so far, host-independent. */
u64 metrics_trace_hash(const struct metrics *m);

/*
 * The documents "metrics" (machine) and "groups" (array) of docs/json.md. The
 * caller owns the result. Integers and fixed-point only: no float depends on
 * the host.
 */
struct json_object *metrics_machine_json(const struct metrics *m);
struct json_object *metrics_groups_json(const struct metrics *m);

/* A "distribution" of docs/json.md; NULL when there was nothing to measure. */
struct hist;
struct json_object *metrics_hist_json(const struct hist *h);

#endif
