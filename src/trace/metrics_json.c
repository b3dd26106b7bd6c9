// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metrics as JSON; docs/json.md describes the documents. Integers only:
 * nanoseconds, counts, and ratios in parts per million.
 */
#include <json-c/json.h>

#include "internal.h"

#define PPM 1000000ULL

static void add_u64(struct json_object *obj, const char *name, u64 value)
{
	json_object_object_add(obj, name, json_object_new_uint64(value));
}

/* @part of @whole; 0 of nothing. */
static u64 ppm(u64 part, u64 whole)
{
	return whole ? (u64)((unsigned __int128)part * PPM / whole) : 0;
}

struct json_object *metrics_hist_json(const struct hist *h)
{
	struct json_object *obj;

	if (!h->count)
		return NULL;
	obj = json_object_new_object();
	add_u64(obj, "count", h->count);
	add_u64(obj, "p50_ns", hist_quantile(h, 50, HIST_PERCENT));
	add_u64(obj, "p90_ns", hist_quantile(h, 90, HIST_PERCENT));
	add_u64(obj, "p99_ns", hist_quantile(h, 99, HIST_PERCENT));
	add_u64(obj, "p99_9_ns", hist_quantile(h, 999, HIST_PERMILLE));
	add_u64(obj, "max_ns", h->max);
	add_u64(obj, "mean_ns", hist_mean(h));
	return obj;
}

static void add_latencies(struct json_object *obj, const struct metrics_group *g)
{
	static const char *const names[NR_LATENCIES] = {
		[LATENCY_WAKEUP] = "wakeup_latency",
		[LATENCY_RUN_DELAY] = "run_delay",
		[LATENCY_REQUEST] = "request_latency",
		[LATENCY_BENCH_WAKEUP] = "benchmark_wakeup",
		[LATENCY_LAG] = "lag",
	};

	for (u32 i = 0; i < NR_LATENCIES; i++)
		json_object_object_add(obj, names[i], metrics_hist_json(&g->latency[i]));
}

static struct json_object *switches_json(const struct metrics_group *g, bool with_idle)
{
	struct json_object *obj = json_object_new_object();
	u64 total = 0;

	for (u32 i = 0; i < NR_SWITCH_KINDS; i++)
		total += with_idle || i != SWITCH_IDLE ? g->switches[i] : 0;
	add_u64(obj, "total", total);
	add_u64(obj, "voluntary", g->switches[SWITCH_VOLUNTARY]);
	add_u64(obj, "preempted", g->switches[SWITCH_PREEMPTED]);
	add_u64(obj, "yielded", g->switches[SWITCH_YIELDED]);
	if (with_idle)
		add_u64(obj, "idle", g->switches[SWITCH_IDLE]);
	return obj;
}

static struct json_object *migrations_json(const struct metrics_group *g)
{
	struct json_object *obj = json_object_new_object();
	u64 total = 0;

	for (u32 i = 0; i < NR_DISTANCES; i++)
		total += g->migrations[i];
	add_u64(obj, "total", total);
	add_u64(obj, "smt", g->migrations[DIST_SMT]);
	add_u64(obj, "llc", g->migrations[DIST_LLC]);
	add_u64(obj, "node", g->migrations[DIST_NODE]);
	add_u64(obj, "remote", g->migrations[DIST_REMOTE]);
	return obj;
}

static u64 window_ns(const struct metrics *m)
{
	return m->end > m->config.start ? m->end - m->config.start : 0;
}

static void add_throughput(struct json_object *obj, const struct metrics *m, u64 ops)
{
	u64 window = window_ns(m);
	unsigned __int128 rate = (unsigned __int128)ops * NSEC_PER_SEC * 1000;

	add_u64(obj, "ops", ops);
	add_u64(obj, "ops_per_second_milli", window ? (u64)(rate / window) : 0);
}

/* Jain's index, (sum x)^2 / (n * sum x^2), in ppm; null without any runtime. */
static struct json_object *jain_json(const struct metrics_group *g)
{
	unsigned __int128 sum = g->sum, squares = g->sum_squares;

	if (!squares)
		return NULL;
	while (sum >> 50) {
		sum >>= 1;
		squares >>= 2;
	}
	if (!squares)
		squares = 1;
	return json_object_new_uint64(
		(u64)min(sum * sum * PPM / (squares * g->nr_tasks), (unsigned __int128)PPM));
}

static struct json_object *overhead_json(const struct metrics *m)
{
	static const char *const names[NR_TRACE_OVH] = {
		[TRACE_OVH_SWITCH] = "switch_ns",   [TRACE_OVH_WAKEUP] = "wakeup_ns",
		[TRACE_OVH_TICK] = "tick_ns",	    [TRACE_OVH_IRQ] = "irq_ns",
		[TRACE_OVH_BALANCE] = "balance_ns", [TRACE_OVH_BPF] = "bpf_ns",
		[TRACE_OVH_LOCK] = "lock_ns",	    [TRACE_OVH_SYSCALL] = "syscall_ns",
	};
	struct json_object *obj = json_object_new_object();

	for (u32 i = 0; i < NR_TRACE_OVH; i++)
		add_u64(obj, names[i], m->overhead[i]);
	return obj;
}

static struct json_object *ops_json(const struct metrics *m)
{
	struct json_object *obj = json_object_new_object();

	for (u32 i = 0; i < NR_SCX_OPS; i++) {
		struct json_object *op;

		if (!m->ops[i].calls || !scx_op_name(i))
			continue;
		op = json_object_new_object();
		add_u64(op, "calls", m->ops[i].calls);
		add_u64(op, "time_ns", m->ops[i].ns);
		json_object_object_add(obj, scx_op_name(i), op);
	}
	return obj;
}

static void add_cpu_time(struct json_object *obj, const struct metrics *m)
{
	u64 window = window_ns(m), available = 0, overhead = 0;

	for (u32 i = 0; i < m->config.nr_cpus; i++)
		available += window - min(window, m->cpus[i].offline_time);
	for (u32 i = 0; i < NR_TRACE_OVH; i++)
		overhead += m->overhead[i];
	add_u64(obj, "cpu_time_ns", available);
	add_u64(obj, "busy_ns", m->busy);
	add_u64(obj, "idle_ns", available - min(available, m->busy));
	add_u64(obj, "overhead_ns", overhead);
	add_u64(obj, "utilization_ppm", ppm(m->busy, available));
	add_u64(obj, "overhead_ppm", ppm(overhead, available));
	json_object_object_add(obj, "overhead", overhead_json(m));
}

struct json_object *metrics_machine_json(const struct metrics *m)
{
	struct json_object *obj = json_object_new_object();

	add_u64(obj, "window_ns", window_ns(m));
	add_latencies(obj, &m->total);
	add_throughput(obj, m, m->total.ops);
	json_object_object_add(obj, "context_switches", switches_json(&m->total, true));
	json_object_object_add(obj, "migrations", migrations_json(&m->total));
	add_cpu_time(obj, m);
	add_u64(obj, "attached_ns", m->attached_time);
	json_object_object_add(obj, "scheduler_ops", ops_json(m));
	add_u64(obj, "events", m->events);
	return obj;
}

static struct json_object *group_json(const struct metrics *m, u32 i)
{
	const struct metrics_group *g = &m->groups[i];
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "name", json_object_new_string(g->name));
	json_object_object_add(obj, "system", json_object_new_boolean(i == m->config.nr_groups));
	add_u64(obj, "tasks", g->nr_tasks);
	add_latencies(obj, g);
	add_throughput(obj, m, g->ops);
	add_u64(obj, "runtime_ns", g->runtime);
	add_u64(obj, "share_ppm", ppm(g->runtime, m->total.runtime));
	json_object_object_add(obj, "jain_ppm", jain_json(g));
	json_object_object_add(obj, "context_switches", switches_json(g, false));
	json_object_object_add(obj, "migrations", migrations_json(g));
	return obj;
}

struct json_object *metrics_groups_json(const struct metrics *m)
{
	struct json_object *groups = json_object_new_array();

	for (u32 i = 0; i < m->nr_groups; i++)
		json_object_array_add(groups, group_json(m, i));
	return groups;
}
