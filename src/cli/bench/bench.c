// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command: what is wanted, and what is said in the end. See bench.h.
 */
#include "bench.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../../base/strbuf.h"
#include "../../base/suggest.h"
#include "../json.h"
#include "../run.h"

#define DEFAULT_WORK (100 * NSEC_PER_USEC)

#define OPTION(member) .offset = offsetof(struct bench_options, member)

static const struct cmd_option options[] = {
	{ "quick", 0, CMD_FLAG, OPTION(quick), NULL,
	  "fewer and shorter samples, and no large machines: to see that all works" },
	{ "on", 0, CMD_TEXT, OPTION(on), "PLACE[,PLACE]",
	  "where control takes place: sim, vm:schedbpf (a guest with the module: vrt vm module); "
	  "default sim" },
	{ "work", 0, CMD_TIME, OPTION(work), "TIME",
	  "how long a run of control's job takes; default 100us", 5 * NSEC_PER_USEC,
	  NSEC_PER_MSEC / 2 },
	{ "plot", 0, CMD_TEXT, OPTION(plot), "FILE",
	  "draw how control's jobs delay other tasks, as SVG, PNG or PDF, with gnuplot" },
	{ "json", 'j', CMD_FLAG, OPTION(json), NULL, "print the figures as JSON" },
	{ "help", 'h', CMD_HELP, OPTION(help), NULL, "show this help" },
};

static const struct cmd_table table = {
	.command = "vrt bench",
	.usage = "[GROUP[/NAME]...] [options]",
	.summary = "Measures on this host how fast BPF programs are, on our engines and on "
		   "others that are here; how fast machines are simulated; how long a run "
		   "takes to start; and how much memory it takes. And what ways there are of "
		   "doing something periodically.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.notes = "groups, all without any:\n"
		 "  isa      instructions\n"
		 "  call     calls of functions, helpers, callbacks and programs\n"
		 "  map      operations on maps\n"
		 "  program  small programs\n"
		 "  sched    context switches per second, by scheduler and size\n"
		 "  start    from the command to its first decision\n"
		 "  memory   per CPU and per task\n"
		 "  control  one job as a kernel thread, a daemon, a BPF timer and a periodic\n"
		 "           program: what limits hold, what it costs, whom it delays\n"
		 "\n"
		 "example:\n"
		 "  vrt bench isa map/hash-lookup sched/fifo\n"
		 "  vrt bench control --on sim,vm:schedbpf\n",
};

/* --- what is wanted --------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *(*names)(u32 i);
	struct json_object *(*measure)(const struct bench *b);
	void (*print)(struct json_object *found);
} parts[] = {
	{ "micro", NULL, micro_measure, micro_print }, /* of several groups */
	{ "sched", sched_name, sched_measure, sched_print },
	{ "start", start_name, start_measure, start_print },
	{ "memory", memory_name, memory_measure, memory_print },
	{ "control", control_name, control_measure, control_print },
};

struct naming {
	const char *group;
	const char *(*name)(u32 i, u32 arg);
	u32 arg;
};

static const char *name_of_micro(u32 i, u32 group)
{
	return micro_name(group, i);
}

static const char *name_of_part(u32 i, u32 part)
{
	return parts[part].names(i);
}

/* All groups, in the order in which they run. False: there are no more. */
static bool naming_at(u32 i, struct naming *n)
{
	u32 part = 1; /* those of micro have their own names */

	for (u32 g = 0; micro_group_name(g); g++, i--) {
		if (!i) {
			*n = (struct naming){ micro_group_name(g), name_of_micro, g };
			return true;
		}
	}
	part += i;
	if (part >= ARRAY_SIZE(parts))
		return false;
	*n = (struct naming){ parts[part].name, name_of_part, part };
	return true;
}

/* "isa/alu": what is there instead. */
static void tell_names(const char *word, const struct naming *n)
{
	struct strbuf sb = {};
	const char *name;

	for (u32 i = 0; (name = n->name(i, n->arg)); i++)
		strbuf_printf(&sb, "%s%s", i ? ", " : "", name);
	cli_error("bench: '%s' is no benchmark; there are in %s: %s", word, n->group,
		  strbuf_str(&sb));
	strbuf_free(&sb);
}

/* A group, or group/name. */
static bool check_word(const char *word)
{
	struct suggest near = { .word = word };
	struct naming n;
	const char *name;

	for (u32 i = 0; naming_at(i, &n); i++) {
		size_t len = strlen(n.group);

		if (!strcmp(word, n.group))
			return true;
		suggest_try(&near, n.group);
		if (strncmp(word, n.group, len) || word[len] != '/')
			continue;
		for (u32 k = 0; (name = n.name(k, n.arg)); k++)
			if (!strcmp(word + len + 1, name))
				return true;
		tell_names(word, &n);
		return false;
	}
	if (near.best)
		cli_error("bench: '%s' is no benchmark; did you mean '%s'?", word, near.best);
	else
		cli_error("bench: '%s' is no benchmark; 'vrt bench --help' lists the groups", word);
	return false;
}

/* --- the end -------------------------------------------------------------------------------- */

/* "isa/alu64", "sched/fifo" */
static void tell_error(const char *part, struct json_object *found)
{
	static const char *const names[] = { "name", "scheduler" };
	const char *group = json_string_at(found, "group"), *name = "";

	for (u32 i = 0; i < ARRAY_SIZE(names) && !*name; i++)
		name = json_string_at(found, names[i]);
	cli_error("bench: %s/%s: %s", *group ? group : part, name, json_string_at(found, "error"));
}

/* Says what could not be measured; returns the status of the command. */
static int tell_errors(struct json_object *document)
{
	int status = STATUS_OK;

	for (u32 p = 0; p < ARRAY_SIZE(parts); p++) {
		struct json_object *found = json_at(document, parts[p].name), *inner;

		inner = json_object_is_type(found, json_type_object) ?
				json_at(found, "benchmarks") : found;
		for (size_t i = 0; inner && i < json_object_array_length(inner); i++) {
			struct json_object *one = json_object_array_get_idx(inner, i);

			if (!*json_string_at(one, "error"))
				continue;
			tell_error(parts[p].name, one);
			status = STATUS_LOAD;
		}
	}
	return status;
}

static void print_all(struct json_object *document)
{
	bool first = true;

	for (u32 p = 0; p < ARRAY_SIZE(parts); p++) {
		struct json_object *found = json_at(document, parts[p].name);

		if (!found)
			continue;
		if (!first)
			printf("\n");
		parts[p].print(found);
		first = false;
	}
}

static int run_benchmarks(const struct bench *b)
{
	struct json_object *document = document_new(BENCH_SCHEMA);
	char err[2048];
	int status;

	json_object_object_add(document, "quick", json_object_new_boolean(b->options.quick));
	for (u32 p = 0; p < ARRAY_SIZE(parts); p++) {
		struct json_object *found = parts[p].measure(b);

		if (found)
			json_object_object_add(document, parts[p].name, found);
	}
	bench_progress_end();
	status = tell_errors(document);
	if (b->options.plot && control_draw(b, document, err, sizeof(err))) {
		cli_error("bench: %s", err);
		status = STATUS_LOAD;
	}
	if (b->options.json)
		document_print(document);
	else
		print_all(document);
	json_object_put(document);
	return status;
}

int cmd_bench(int argc, char **argv)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	int status = STATUS_OK;
	char err[2048];

	b->options.work = DEFAULT_WORK;
	if (cmdline_parse(&table, argc, argv, &b->options, &b->only, err, sizeof(err))) {
		cli_error("bench: %s", err);
		status = STATUS_USAGE;
	}
	for (u32 i = 0; i < b->only.nr && !status && !b->options.help; i++)
		status = check_word(b->only.items[i]) ? STATUS_OK : STATUS_USAGE;
	if (!status && !b->options.help && control_check(b, err, sizeof(err))) {
		cli_error("bench: %s", err);
		status = STATUS_USAGE;
	}
	if (!status && b->options.help)
		cmdline_help(&table, stdout);
	else if (!status)
		status = run_benchmarks(b);
	free(b);
	return status;
}
