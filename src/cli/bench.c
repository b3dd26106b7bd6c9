// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt bench: how fast the simulator is on this host. All figures are by the
 * wall clock; compare those of one invocation with each other.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "json.h"
#include "run.h"
#include "table.h"
#include "units.h"

#define BENCH_SCHEMA "vruntime-bench-1"
#define QUICK_DIVISOR 10
#define INTERPRETER_RUNS 20u

struct bench_options {
	bool quick, json, help;
};

static const struct cmd_option options[] = {
	{ "quick", 0, CMD_FLAG, .offset = offsetof(struct bench_options, quick), NULL,
	  "a tenth of the simulated time" },
	{ "json", 'j', CMD_FLAG, .offset = offsetof(struct bench_options, json), NULL,
	  "print the figures as JSON" },
	{ "help", 'h', CMD_HELP, .offset = offsetof(struct bench_options, help), NULL,
	  "show this help" },
};

static const struct cmd_table table = {
	.command = "vrt bench",
	.usage = "[options]",
	.summary = "Measures how fast the simulator is on this host: simulated seconds, context "
		   "switches and BPF instructions per second of wall-clock time.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
};

/*
 * Tasks that run for a moment and sleep for a moment: hardly anything but
 * switching. Four per CPU of 64 are a little more than it can do.
 */
#define SHORT_TASKS                                                                                \
	"{ \"tasks\": { \"short\": { \"instance\": 256, \"loop\": -1, \"run\": 20, \"sleep\": 50 } } }"

static const struct bench_case {
	const char *name, *scheduler, *machine;
	const char *tasks; /* rt-app JSON; NULL: @workload */
	const char *workload;
	u64 duration;
} cases[] = {
	{ "fifo-64", "fifo", "2x16x2", SHORT_TASKS, "256 tasks: run 20 us, sleep 50 us",
	  2 * NSEC_PER_SEC },
	{ "eevdf-64", "eevdf", "2x16x2", SHORT_TASKS, "256 tasks: run 20 us, sleep 50 us",
	  2 * NSEC_PER_SEC },
	{ "fifo-512", "fifo", "2x8x16x2", NULL, "schbench -m 8 -t 128", 500 * NSEC_PER_MSEC },
};

/* A file of the text, and its name in @path. */
static int text_file(const char *text, char *path, size_t size)
{
	int fd = memfd_create("vrt-bench", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0) {
		close(fd);
		fd = -1;
	}
	snprintf(path, size, "/proc/self/fd/%d", fd);
	return fd;
}

static struct json_object *run_case(const struct bench_case *bench, bool quick)
{
	struct run_plan *plan = xcalloc(1, sizeof(*plan));
	struct json_object *run, *result = json_object_new_object();
	char err[2048], path[32];
	int fd = bench->tasks ? text_file(bench->tasks, path, sizeof(path)) : -1;

	plan->options = (struct run_options){
		.machine = bench->machine,
		.workload = bench->tasks ? path : bench->workload,
		.duration = quick ? bench->duration / QUICK_DIVISOR : bench->duration,
		.seed = 1,
		.noise = NOISE_NONE,
		.host_stats = true,
		.quiet = true,
	};
	plan->schedulers = (struct text_list){ .items = { bench->scheduler }, .nr = 1 };
	json_add_string(result, "name", bench->name);
	json_add_string(result, "scheduler", bench->scheduler);
	json_add_string(result, "machine", bench->machine);
	json_add_string(result, "workload", bench->workload);
	json_add_u64(result, "duration_ns", plan->options.duration);
	if (plan_make(plan, err, sizeof(err)) != STATUS_OK) {
		json_add_string(result, "error", err);
	} else {
		run = run_in_child(plan, bench->scheduler);
		run_judge(plan, run);
		json_object_object_add(result, "error",
				       json_object_get(json_at(run, "end.message")));
		json_object_object_add(result, "status", json_object_get(json_at(run, "status")));
		json_object_object_add(result, "host", json_object_get(json_at(run, "host")));
		json_object_put(run);
	}
	plan_free(plan);
	free(plan);
	if (fd >= 0)
		close(fd);
	return result;
}

/* Instructions alone, without a scheduler around them. */
static struct json_object *run_interpreter(bool quick)
{
	u32 runs = quick ? INTERPRETER_RUNS / QUICK_DIVISOR : INTERPRETER_RUNS;
	struct json_object *result;
	char why[256];

	result = in_child(bench_interpreter, &runs, why, sizeof(why));
	if (!result) {
		result = json_object_new_object();
		json_add_string(result, "error", why);
		json_add_u64(result, "status", STATUS_BOOKS);
	}
	json_add_string(result, "name", "interpreter");
	return result;
}

static struct json_object *all_results(bool quick)
{
	struct json_object *results = json_object_new_array();

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		json_object_array_add(results, run_case(&cases[i], quick));
	json_object_array_add(results, run_interpreter(quick));
	return results;
}

/* Says what went wrong; returns the worst status. */
static int check_results(struct json_object *results)
{
	u64 worst = STATUS_OK;

	for (size_t i = 0; i < json_object_array_length(results); i++) {
		struct json_object *result = json_object_array_get_idx(results, i);
		u64 status;

		if (!json_u64_at(result, "status", &status))
			status = STATUS_USAGE;
		if (status)
			cli_error("bench: %s: %s", json_string_at(result, "name"),
				  json_string_at(result, "error"));
		worst = max(worst, status);
	}
	return (int)worst;
}

/* Figures are doubles in the documents, for people three digits are enough. */
static void rate_cell(struct table *t, u32 column, struct json_object *result, const char *path)
{
	struct json_object *rate = json_at(result, path);
	char text[32];

	if (!rate)
		return;
	table_cell(t, column,
		   human_milli((u64)(json_object_get_double(rate) * 1000), text, sizeof(text)));
}

static void print_results(struct json_object *results)
{
	static const struct {
		const char *path, *label;
	} rows[] = {
		{ "host.sim_seconds_per_wall_second", "simulated s per s" },
		{ "host.context_switches_per_wall_second", "context switches per s" },
		{ "host.bpf_insns_per_wall_second", "BPF instructions per s" },
		{ "host.wall_seconds", "seconds it took" },
	};
	u32 nr = json_object_array_length(results);
	struct table *t = table_new(nr);

	for (u32 i = 0; i < nr; i++)
		table_heading(t, i, json_string_at(json_object_array_get_idx(results, i), "name"));
	for (u32 row = 0; row < ARRAY_SIZE(rows); row++) {
		table_row(t, "%s", rows[row].label);
		for (u32 i = 0; i < nr; i++)
			rate_cell(t, i, json_object_array_get_idx(results, i), rows[row].path);
	}
	table_print(t, stdout);
	table_free(t);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		printf("%-10s %s on %s: %s\n", cases[i].name, cases[i].scheduler, cases[i].machine,
		       cases[i].workload);
}

int cmd_bench(int argc, char **argv)
{
	struct json_object *document, *results;
	struct bench_options o = {};
	struct text_list args = {};
	char err[512];
	int worst;

	if (cmdline_parse(&table, argc, argv, &o, &args, err, sizeof(err))) {
		cli_error("bench: %s", err);
		return STATUS_USAGE;
	}
	if (o.help) {
		cmdline_help(&table, stdout);
		return STATUS_OK;
	}
	if (args.nr) {
		cli_error("bench: '%s' is not expected: only options are", args.items[0]);
		return STATUS_USAGE;
	}
	results = all_results(o.quick);
	worst = check_results(results);
	if (!o.json) {
		print_results(results);
		json_object_put(results);
		return worst;
	}
	document = document_new(BENCH_SCHEMA);
	json_object_object_add(document, "benchmarks", results);
	document_print(document);
	json_object_put(document);
	return worst;
}
