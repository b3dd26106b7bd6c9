// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs for people: the machine in words, one table that puts the schedulers
 * side by side, and how each run ended. Everything is read from the JSON
 * objects, so that the two outputs cannot disagree.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../workload/workload.h"
#include "expect.h"
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

/* --- before the runs ------------------------------------------------------------ */

void report_head(const struct run_plan *plan)
{
	char words[256], duration[32], warmup[32];
	u32 groups = workload_nr_groups(plan->workload), tasks = workload_nr_tasks(plan->workload);
	static const char *const noise[] = { "none", "light", "heavy" };

	topology_describe(&plan->topology, words, sizeof(words));
	printf("machine   %s\n", words);
	printf("workload  %s: %u task%s in %u group%s\n", plan->options.workload, tasks,
	       tasks == 1 ? "" : "s", groups, groups == 1 ? "" : "s");
	printf("time      %s", human_ns(plan->duration, duration, sizeof(duration)));
	if (plan->options.warmup)
		printf(" after %s of warm-up",
		       human_ns(plan->options.warmup, warmup, sizeof(warmup)));
	printf(", seed %llu, noise %s, kernel %s\n\n", plan->options.seed,
	       noise[plan->options.noise], RUN_KERNEL);
	fflush(stdout);
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

static void print_table(struct columns *c, u32 nr_groups)
{
	c->table = table_new(c->nr);
	for (u32 i = 0; i < c->nr; i++)
		table_heading(c->table, i, json_string_at(c->runs[i], "scheduler"));
	for (u32 i = 0; i < nr_groups; i++)
		group_rows(c, i);
	machine_rows(c);
	table_print(c->table, stdout);
	table_free(c->table);
}

/* --- how the runs ended ------------------------------------------------------------- */

static void print_lines(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		printf("%s%.*s\n", len ? "    " : "", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static const char *kind_in_words(const char *kind)
{
	static const struct {
		const char *kind, *words;
	} all[] = {
		{ "done", "ran to the end" },
		{ "not_loaded", "did not run" },
		{ "crashed", "crashed" },
		{ "swapped", "was swapped out" },
		{ "unreg", "was taken out by user space" },
		{ "unreg_bpf", "left by itself" },
		{ "unreg_kern", "was asked to leave by the kernel" },
		{ "sysrq", "was taken out by sysrq-S" },
		{ "error", "was thrown out" },
		{ "error_bpf", "gave up" },
		{ "error_stall", "was thrown out" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		if (!strcmp(all[i].kind, kind))
			return all[i].words;
	}
	return kind;
}

static void print_end(struct json_object *run)
{
	const char *kind = json_string_at(run, "end.kind");
	const char *message = json_string_at(run, "end.message");
	char time[32];
	u64 at;

	printf("%s %s", json_string_at(run, "scheduler"), kind_in_words(kind));
	if (json_u64_at(run, "end.time_ns", &at) && at && strcmp(kind, "done"))
		printf(" after %s", human_ns(at, time, sizeof(time)));
	if (strcmp(kind, "done"))
		printf(": %s", json_string_at(run, "end.reason"));
	putchar('\n');
	if (*message) {
		fputs("    ", stdout);
		print_wrapped(stdout, message, 4, 4, TABLE_WIDTH);
	}
	/* often the message has all that the log has */
	if (!strstr(message, json_string_at(run, "end.log")))
		print_lines(json_string_at(run, "end.log"));
	if (!strncmp(kind, "error", 5))
		puts("    its tasks went on under the kernel's own scheduler (eevdf)");
	print_lines(json_string_at(run, "end.dump"));
}

static size_t array_length(struct json_object *run, const char *name)
{
	struct json_object *array = json_at(run, name);

	return array ? json_object_array_length(array) : 0;
}

static void print_timeline(struct json_object *run)
{
	for (size_t i = 0; i < array_length(run, "timeline"); i++) {
		struct json_object *entry = json_object_array_get_idx(json_at(run, "timeline"), i);
		const char *error = json_string_at(entry, "error");
		char time[32];
		u64 at;

		json_u64_at(entry, "time_ns", &at);
		printf("    after %s: %s%s%s\n", human_ns(at, time, sizeof(time)),
		       json_string_at(entry, "action"), *error ? " failed: " : "", error);
	}
}

static void print_list(struct json_object *run, const char *name, const char *heading)
{
	size_t nr = array_length(run, name);

	if (nr && heading)
		printf("%s\n", heading);
	for (size_t i = 0; i < nr; i++)
		print_lines(
			json_object_get_string(json_object_array_get_idx(json_at(run, name), i)));
}

/* Did one of the first @nr runs say the same? */
static bool said_before(struct json_object *runs, size_t nr, const char *sentence)
{
	for (size_t i = 0; i < nr; i++) {
		struct json_object *list = json_at(json_object_array_get_idx(runs, i), "unmodelled");

		for (size_t k = 0; k < json_object_array_length(list); k++) {
			if (!strcmp(json_object_get_string(json_object_array_get_idx(list, k)),
				    sentence))
				return true;
		}
	}
	return false;
}

/* Of all runs, each sentence once: the workload's are the same everywhere. */
static void print_unmodelled(struct json_object *runs)
{
	bool first = true;

	for (size_t i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *list = json_at(json_object_array_get_idx(runs, i), "unmodelled");

		for (size_t k = 0; k < json_object_array_length(list); k++) {
			const char *sentence =
				json_object_get_string(json_object_array_get_idx(list, k));

			if (said_before(runs, i, sentence))
				continue;
			if (first)
				puts("not modelled:");
			first = false;
			print_lines(sentence);
		}
	}
}

static void print_expectations(const struct run_plan *plan, struct json_object *run)
{
	for (size_t i = 0; i < array_length(run, "expectations"); i++) {
		struct json_object *result =
			json_object_array_get_idx(json_at(run, "expectations"), i);
		char text[32] = "nothing was measured";
		u64 value;

		if (json_u64_at(result, "value", &value))
			expect_human(&plan->expectations[i], value, text, sizeof(text));
		printf("    %s %s: %s\n",
		       json_object_get_boolean(json_at(result, "holds")) ? "met:    " : "NOT MET:",
		       json_string_at(result, "expect"), text);
	}
}

static void print_speed(struct json_object *run)
{
	const char *speed = json_string_at(run, "host.sim_seconds_per_wall_second");

	if (*speed)
		printf("    %s simulated seconds per second, %s context switches per second\n",
		       speed, json_string_at(run, "host.context_switches_per_wall_second"));
}

void report_runs(const struct run_plan *plan, struct json_object *runs)
{
	struct columns c = {};

	for (size_t i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		if (json_at(run, "metrics"))
			c.runs[c.nr++] = run;
	}
	if (c.nr) {
		print_table(&c, workload_nr_groups(plan->workload));
		putchar('\n');
	}
	for (size_t i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		print_end(run);
		print_timeline(run);
		print_list(run, "figures", NULL);
		print_expectations(plan, run);
		print_list(run, "books", "    the books do not balance: this is a bug of vruntime");
		print_speed(run);
	}
	print_unmodelled(runs);
}
