// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of report.c: a column per run, a section per group of tasks, then
 * the machine, ghOSt enclaves, control groups and periodic programs, as far as
 * there are any.
 */
#include <stdio.h>
#include <string.h>

#include "../trace/scx_ops.h"
#include "cmdline.h"
#include "json.h"
#include "run.h"
#include "table.h"
#include "units.h"

typedef char *(*human_fn)(u64 value, char *buf, size_t size);

/* The runs that have figures, as columns. */
struct columns {
	struct json_object *runs[CMDLINE_MAX_LIST];
	u32 nr;
	struct table *table;
};

static char *human_count(u64 value, char *buf, size_t size)
{
	return human_milli(value * 1000, buf, size);
}

/* --- the table -------------------------------------------------------------------- */

/* One row: the value at @path of each column's object; no row if nobody has one. */
static void value_row(const struct columns *c, struct json_object *const *objs, const char *path,
		      human_fn human, const char *label)
{
	char text[32];
	u64 value;

	table_row(c->table, "%s", label);
	for (u32 i = 0; i < c->nr; i++) {
		if (json_u64_at(objs[i], path, &value))
			table_cell(c->table, i, human(value, text, sizeof(text)));
	}
	table_drop_empty_row(c->table);
}

static void latency_rows(const struct columns *c, struct json_object *const *objs, const char *name,
			 const char *label)
{
	static const struct {
		const char *field, *label;
	} parts[] = { { "p50_ns", "p50" },
		      { "p99_ns", "p99" },
		      { "p99_9_ns", "p99.9" },
		      { "max_ns", "max" } };

	for (u32 i = 0; i < ARRAY_SIZE(parts); i++) {
		char path[64], text[64];

		snprintf(path, sizeof(path), "%s.%s", name, parts[i].field);
		snprintf(text, sizeof(text), "  %-17s %s", i ? "" : label, parts[i].label);
		value_row(c, objs, path, human_ns, text);
	}
}

static bool any_above_zero(const struct columns *c, struct json_object *const *objs,
			   const char *path)
{
	u64 value;

	for (u32 i = 0; i < c->nr; i++) {
		if (json_u64_at(objs[i], path, &value) && value)
			return true;
	}
	return false;
}

static void group_rows(const struct columns *c, u32 index)
{
	struct json_object *objs[CMDLINE_MAX_LIST];

	for (u32 i = 0; i < c->nr; i++)
		objs[i] = json_object_array_get_idx(json_at(c->runs[i], "groups"), index);
	table_section(c->table, "%s", json_string_at(objs[0], "name"));
	value_row(c, objs, "tasks", human_count, "  tasks");
	latency_rows(c, objs, "wakeup_latency", "wakeup latency");
	latency_rows(c, objs, "run_delay", "run delay");
	latency_rows(c, objs, "request_latency", "request latency");
	latency_rows(c, objs, "benchmark_wakeup", "benchmark wakeup");
	if (any_above_zero(c, objs, "ops"))
		value_row(c, objs, "ops_per_second_milli", human_milli, "  operations per s");
	value_row(c, objs, "share_ppm", human_ppm, "  share of CPU time");
	value_row(c, objs, "jain_ppm", human_ppm, "  fairness (Jain)");
}

static void machine_rows(const struct columns *c)
{
	static const struct {
		const char *path, *label;
		human_fn human;
		bool hide_zero;
	} rows[] = {
		{ "utilization_ppm", "  utilization", human_ppm, false },
		{ "overhead_ppm", "  overhead", human_ppm, false },
		{ "overhead.switch_ns", "    switching", human_ns, true },
		{ "overhead.wakeup_ns", "    waking", human_ns, true },
		{ "overhead.tick_ns", "    ticks", human_ns, true },
		{ "overhead.irq_ns", "    interrupts", human_ns, true },
		{ "overhead.balance_ns", "    balancing", human_ns, true },
		{ "overhead.bpf_ns", "    BPF", human_ns, true },
		{ "overhead.lock_ns", "    waiting for locks", human_ns, true },
		{ "overhead.syscall_ns", "    system calls", human_ns, true },
		{ "context_switches.total", "  context switches", human_count, false },
		{ "context_switches.voluntary", "    voluntary", human_count, true },
		{ "context_switches.preempted", "    preempted", human_count, true },
		{ "context_switches.yielded", "    yielded", human_count, true },
		{ "context_switches.idle", "    from idle", human_count, true },
		{ "migrations.total", "  migrations", human_count, false },
		{ "migrations.smt", "    same core", human_count, true },
		{ "migrations.llc", "    same LLC", human_count, true },
		{ "migrations.node", "    same node", human_count, true },
		{ "migrations.remote", "    other node", human_count, true },
	};
	struct json_object *objs[CMDLINE_MAX_LIST];

	for (u32 i = 0; i < c->nr; i++)
		objs[i] = json_at(c->runs[i], "metrics");
	table_section(c->table, "machine");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].hide_zero || any_above_zero(c, objs, rows[i].path))
			value_row(c, objs, rows[i].path, rows[i].human, rows[i].label);
	}
	latency_rows(c, objs, "lag", "lag");
}

static bool all_simulated(const struct columns *c)
{
	for (u32 i = 0; i < c->nr; i++) {
		if (strcmp(json_string_at(c->runs[i], "on"), "sim"))
			return false;
	}
	return true;
}

/* How often each operation was called: what can be compared wherever a run was. */
static void op_rows(const struct columns *c)
{
	struct json_object *ops[CMDLINE_MAX_LIST];

	if (all_simulated(c))
		return;
	for (u32 i = 0; i < c->nr; i++)
		ops[i] = json_at(c->runs[i], "metrics.scheduler_ops");
	table_section(c->table, "calls of operations");
	for (u32 op = 0; op < NR_SCX_OPS; op++) {
		char path[64], label[64];

		if (!scx_op_name(op))
			continue;
		snprintf(path, sizeof(path), "%s.calls", scx_op_name(op));
		snprintf(label, sizeof(label), "  %s", scx_op_name(op));
		value_row(c, ops, path, human_count, label);
	}
}

/* --- what is not in every run ------------------------------------------------------- */

/* Of the enclave that came first. */
static struct json_object *ghost_of(struct json_object *run)
{
	struct json_object *attachments = json_at(run, "attachments");

	for (size_t i = 0; i < json_object_array_length(attachments); i++) {
		struct json_object *ghost =
			json_at(json_object_array_get_idx(attachments, i), "ghost");

		if (ghost)
			return ghost;
	}
	return NULL;
}

static void ghost_rows(const struct columns *c)
{
	struct json_object *objs[CMDLINE_MAX_LIST];
	bool any = false;

	for (u32 i = 0; i < c->nr; i++) {
		objs[i] = ghost_of(c->runs[i]);
		any |= objs[i] != NULL;
	}
	if (!any)
		return;
	table_section(c->table, "ghOSt");
	value_row(c, objs, "messages_produced", human_count, "  messages");
	value_row(c, objs, "picks", human_count, "  picks");
	value_row(c, objs, "latched", human_count, "  tasks latched");
	if (any_above_zero(c, objs, "latch_errors"))
		value_row(c, objs, "latch_errors", human_count, "  refused to latch");
}

static void cgroup_rows(const struct columns *c)
{
	static const struct {
		const char *path, *label;
		human_fn human;
	} rows[] = {
		{ "usage_ns", "  CPU time", human_ns },
		{ "nr_periods", "  periods", human_count },
		{ "nr_throttled", "    throttled", human_count },
		{ "throttled_ns", "  throttled for", human_ns },
	};
	size_t nr = json_object_array_length(json_at(c->runs[0], "cgroups"));

	for (size_t g = 0; g < nr; g++) {
		struct json_object *objs[CMDLINE_MAX_LIST];

		for (u32 i = 0; i < c->nr; i++)
			objs[i] = json_object_array_get_idx(json_at(c->runs[i], "cgroups"), g);
		table_section(c->table, "cgroup %s", json_string_at(objs[0], "path"));
		for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
			value_row(c, objs, rows[i].path, rows[i].human, rows[i].label);
	}
}

/* The first of the run's programs with this name. */
static struct json_object *program_named(struct json_object *programs, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(programs); i++) {
		struct json_object *program = json_object_array_get_idx(programs, i);

		if (!strcmp(json_string_at(program, "name"), name))
			return program;
	}
	return NULL;
}

static void program_rows(const struct columns *c, struct json_object *const *programs,
			 const char *name)
{
	static const struct {
		const char *path, *label;
		human_fn human;
	} rows[] = {
		{ "runs", "  runs", human_count },
		{ "missed", "  missed", human_count },
		{ "cpu_ppm", "  share of a CPU", human_ppm },
		{ "run_time.p50_ns", "  run time          p50", human_ns },
		{ "run_time.p99_ns", "                    p99", human_ns },
		{ "wakeup_latency.p50_ns", "  wakeup latency    p50", human_ns },
		{ "wakeup_latency.p99_ns", "                    p99", human_ns },
	};
	struct json_object *objs[CMDLINE_MAX_LIST];

	for (u32 i = 0; i < c->nr; i++)
		objs[i] = program_named(programs[i], name);
	table_section(c->table, "periodic %s", name);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		value_row(c, objs, rows[i].path, rows[i].human, rows[i].label);
	if (any_above_zero(c, objs, "delay_ns"))
		value_row(c, objs, "delay_ns", human_ns, "  waited in its runs");
	if (any_above_zero(c, objs, "throttled_ns"))
		value_row(c, objs, "throttled_ns", human_ns, "  throttled for");
}

/* Each name once, wherever it comes first. */
static void periodic_rows(const struct columns *c)
{
	struct json_object *programs[CMDLINE_MAX_LIST];

	for (u32 i = 0; i < c->nr; i++)
		programs[i] = run_periodic(c->runs[i]);
	for (u32 i = 0; i < c->nr; i++) {
		for (size_t k = 0; k < json_object_array_length(programs[i]); k++) {
			struct json_object *program = json_object_array_get_idx(programs[i], k);
			const char *name = json_string_at(program, "name");
			bool shown = program_named(programs[i], name) != program;

			for (u32 before = 0; before < i; before++)
				shown |= program_named(programs[before], name) != NULL;
			if (!shown)
				program_rows(c, programs, name);
		}
	}
	for (u32 i = 0; i < c->nr; i++)
		json_object_put(programs[i]);
}

/* The scheduler, and where it ran if that was not the simulated machine. */
static void set_heading(const struct columns *c, u32 column)
{
	const char *on = json_string_at(c->runs[column], "on");
	char text[96];

	snprintf(text, sizeof(text), "%s%s%s", json_string_at(c->runs[column], "scheduler"),
		 strcmp(on, "sim") ? " " : "", strcmp(on, "sim") ? on : "");
	table_heading(c->table, column, text);
}

void report_table(struct json_object *runs, u32 nr_groups)
{
	struct columns c = {};

	for (size_t i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		if (json_at(run, "metrics"))
			c.runs[c.nr++] = run;
	}
	if (!c.nr)
		return;
	c.table = table_new(c.nr);
	for (u32 i = 0; i < c.nr; i++)
		set_heading(&c, i);
	for (u32 i = 0; i < nr_groups; i++)
		group_rows(&c, i);
	machine_rows(&c);
	op_rows(&c);
	ghost_rows(&c);
	cgroup_rows(&c);
	periodic_rows(&c);
	table_print(c.table, stdout);
	table_free(c.table);
	putchar('\n');
}
