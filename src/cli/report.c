// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs for people: the machine in words, one table that puts the schedulers
 * side by side (report_table.c), and how each run ended. Everything is read from
 * the JSON objects, so that the two outputs cannot disagree.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/strbuf.h"
#include "../workload/workload.h"
#include "expect.h"
#include "json.h"
#include "run.h"
#include "table.h"
#include "units.h"

/* --- before the runs ------------------------------------------------------------ */

static const char *kernel_name(const struct run_kernel *kernel)
{
	return kernel->error.status == LOADER_OK ? generation_name(kernel->generation) : "none";
}

/* One for all runs, or which is whose. */
static void print_kernels(const struct run_plan *plan)
{
	struct strbuf sb = {};
	bool same = true;
	char label[64];

	for (u32 i = 1; i < plan->schedulers.nr; i++)
		same &= kernel_name(&plan->kernels[i]) == kernel_name(&plan->kernels[0]);
	for (u32 i = 0; i < (same ? 1 : plan->schedulers.nr); i++) {
		strbuf_printf(&sb, "%s%s", i ? ", " : "", kernel_name(&plan->kernels[i]));
		if (!same)
			strbuf_printf(&sb, " for %s", scheduler_label(plan->schedulers.items[i],
								      label, sizeof(label)));
	}
	printf("kernel    ");
	print_wrapped(stdout, strbuf_str(&sb), 10, 10, TABLE_WIDTH);
	strbuf_free(&sb);
}

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
	printf(", seed %llu, noise %s\n", plan->options.seed, noise[plan->options.noise]);
	print_kernels(plan);
	putchar('\n');
	fflush(stdout);
}

/* --- how the runs ended ------------------------------------------------------------- */

static void print_indented(const char *text, int indent)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		printf("%*s%.*s\n", len ? indent : 0, "", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void print_lines(const char *text)
{
	print_indented(text, 4);
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
		{ "destroyed", "was ended" },
		{ "agent_gone", "lost its agent" },
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
	const char *on = json_string_at(run, "on");
	bool simulated = !strcmp(on, "sim");
	bool lost = !strcmp(json_string_at(run, "end.reason"), GUEST_LOST);
	char time[32];
	u64 at;

	printf("%s%s%s %s", json_string_at(run, "scheduler"), simulated ? "" : " on ",
	       simulated ? "" : on, lost ? "had no end" : kind_in_words(kind));
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
	if (!strncmp(kind, "error", 5) && !lost)
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
		const char *action = json_string_at(entry, "action");
		const char *error = json_string_at(entry, "error");
		/* of "2s:print=counts", the time stands before it already */
		const char *colon = *action >= '0' && *action <= '9' ? strchr(action, ':') : NULL;
		char time[32];
		u64 at;

		json_u64_at(entry, "time_ns", &at);
		printf("    after %s: %s%s%s\n", human_ns(at, time, sizeof(time)),
		       colon ? colon + 1 : action, *error ? " failed: " : "", error);
		print_indented(json_string_at(entry, "text"), 8);
	}
}

/* Periodic programs that were stopped, and why, in the kernel's words. */
static void print_stopped(struct json_object *run)
{
	struct json_object *programs = run_periodic(run);
	bool any = false;

	for (size_t i = 0; i < json_object_array_length(programs); i++) {
		struct json_object *program = json_object_array_get_idx(programs, i);

		if (!json_object_get_boolean(json_at(program, "failed")))
			continue;
		any = true;
		printf("    periodic program %s was stopped for what it did:\n",
		       json_string_at(program, "name"));
	}
	json_object_put(programs);
	for (size_t i = 0; any && i < array_length(run, "log"); i++) {
		struct json_object *entry = json_object_array_get_idx(json_at(run, "log"), i);

		if (strncmp(json_string_at(entry, "line"), "BPF program ", 12))
			continue;
		printf("%8s", "");
		print_wrapped(stdout, json_string_at(entry, "line"), 8, 8, TABLE_WIDTH);
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
	report_table(runs, workload_nr_groups(plan->workload));
	for (size_t i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		print_end(run);
		print_timeline(run);
		print_stopped(run);
		print_list(run, "figures", NULL);
		print_expectations(plan, run);
		print_list(run, "books", "    the books do not balance: this is a bug of vruntime");
		print_speed(run);
	}
	report_orders(runs);
	print_unmodelled(runs);
}
