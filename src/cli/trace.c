// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt trace: what tracing programs print, as it comes: a run under eevdf with
 * the objects beside it.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "json.h"
#include "run.h"

#define TRACE_DURATION (5 * NSEC_PER_SEC)
#define MAX_TIME (1000000 * NSEC_PER_SEC)

/* A workload that opens files: what tracing programs most often look at. */
#define TRACE_WORKLOAD "files"

#define FIELD(member) .offset = offsetof(struct run_options, member)

static const struct cmd_option options[] = {
	{ "for", 't', CMD_TIME, FIELD(duration), "TIME",
	  "how long, in simulated time; default 5s", .min = 1,
	  .max = MAX_TIME },
	{ "machine", 'm', CMD_TEXT, FIELD(machine), "SPEC",
	  "the simulated machine, as of 'vrt run'; default 4x2" },
	{ "workload", 'w', CMD_TEXT, FIELD(workload), "SPEC",
	  "what its tasks do, as of 'vrt run'; default '" TRACE_WORKLOAD "', which opens files" },
	{ "seed", 's', CMD_NUMBER, FIELD(seed), "N", "of everything random; default 1" },
	{ "watch", 0, CMD_LIST, FIELD(watch), "MAP[=INTERVAL]",
	  "print this map every INTERVAL; default 1s; may be repeated" },
	{ "include", 'I', CMD_LIST, FIELD(include_dirs), "DIR",
	  "search for headers of a .bpf.c here, too; may be repeated" },
	{ "verbose", 'v', CMD_FLAG, FIELD(verbose), NULL,
	  "show all lines of the kernel's and libbpf's logs" },
	{ "quiet", 'q', CMD_FLAG, FIELD(quiet), NULL, "show no warnings" },
	{ "help", 'h', CMD_HELP, FIELD(help), NULL, "show this help" },
};

static const struct cmd_table table = {
	.command = "vrt trace",
	.usage = "OBJ[,VAR=VALUE...]... [options]",
	.summary = "Loads objects of tracing or periodic programs and prints the lines of their "
		   "bpf_printk(), as trace_pipe does. Meanwhile a workload runs.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.notes = "example:\n"
		 "  vrt trace hello.bpf.c -t 1s\n",
};

/* What the run's "end" says: there is no report here to say it. */
static void tell_failure(struct json_object *run)
{
	const char *message = json_string_at(run, "end.message");
	const char *log = json_string_at(run, "end.log");

	cli_error("trace: %s", *message ? message : json_string_at(run, "end.reason"));
	if (!strstr(message, log))
		fputs(log, stderr);
}

static int trace_simulated(struct run_plan *plan, char *err, size_t err_size)
{
	static const char *const scheduler = "eevdf";
	struct json_object *run;
	int status;
	u64 value;

	plan->schedulers = (struct text_list){ .items = { scheduler }, .nr = 1 };
	plan->pipe = true;
	if (!plan->options.workload)
		plan->options.workload = TRACE_WORKLOAD;
	status = plan_make(plan, err, err_size);
	if (status != STATUS_OK)
		return status;
	run = run_in_child(plan, scheduler);
	run_judge(plan, run);
	json_u64_at(run, "status", &value);
	if (value)
		tell_failure(run);
	json_object_put(run);
	return (int)value;
}

int cmd_trace(int argc, char **argv)
{
	struct run_plan *plan = xcalloc(1, sizeof(*plan));
	struct run_options *o = &plan->options;
	struct text_list objects = {};
	char err[2048] = "";
	int status = STATUS_USAGE;

	o->seed = 1;
	o->noise = NOISE_LIGHT;
	o->duration = TRACE_DURATION;
	if (cmdline_parse(&table, argc, argv, o, &objects, err, sizeof(err))) {
		cli_error("trace: %s", err);
	} else if (o->help) {
		cmdline_help(&table, stdout);
		status = STATUS_OK;
	} else if (!objects.nr) {
		cli_error("trace: no object given: expected a .bpf.o or a .bpf.c with tracing or "
			  "periodic programs");
	} else {
		plan->options.with = objects;
		status = trace_simulated(plan, err, sizeof(err));
		if (status != STATUS_OK && *err)
			cli_error("trace: %s", err);
	}
	plan_free(plan);
	free(plan);
	return status;
}
