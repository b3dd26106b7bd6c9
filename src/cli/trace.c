// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt trace: what tracing and periodic programs print, as it comes. On the
 * simulated machine it is a run under eevdf with the objects beside it
 * (simulate.c); on this host, trace_host.c.
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

enum trace_place { ON_SIM, ON_HOST };

struct trace_options {
	struct run_options run;
	u32 on; /* enum trace_place */
};

#define RUN(member) .offset = offsetof(struct trace_options, run.member)

static const struct cmd_option options[] = {
	{ "on", 0, CMD_CHOICE, .offset = offsetof(struct trace_options, on), "sim|host",
	  "where: on the simulated machine, or on the kernel of this host (as root); default sim" },
	{ "for", 't', CMD_TIME, RUN(duration), "TIME",
	  "how long, in simulated time or, on the host, in real time; default 5s", .min = 1,
	  .max = MAX_TIME },
	{ "machine", 'm', CMD_TEXT, RUN(machine), "SPEC",
	  "the simulated machine, as of 'vrt run'; default 4x2" },
	{ "workload", 'w', CMD_TEXT, RUN(workload), "SPEC",
	  "what its tasks do, as of 'vrt run'; default '" TRACE_WORKLOAD "', which opens files" },
	{ "seed", 's', CMD_NUMBER, RUN(seed), "N", "of everything random; default 1" },
	{ "watch", 0, CMD_LIST, RUN(watch), "MAP[=INTERVAL]",
	  "print this map every INTERVAL; default 1s; may be repeated" },
	{ "cgroup", 0, CMD_LIST, RUN(cgroups), "PATH[,weight=N][,max=QUOTA/PERIOD]",
	  "make a control group first, as of 'vrt run'; may be repeated" },
	{ "include", 'I', CMD_LIST, RUN(include_dirs), "DIR",
	  "search for headers of a .bpf.c here, too; may be repeated" },
	{ "verbose", 'v', CMD_FLAG, RUN(verbose), NULL,
	  "show all lines of the kernel's and libbpf's logs" },
	{ "quiet", 'q', CMD_FLAG, RUN(quiet), NULL, "show no warnings" },
	{ "help", 'h', CMD_HELP, RUN(help), NULL, "show this help" },
};

static const struct cmd_table table = {
	.command = "vrt trace",
	.usage = "OBJ[,VAR=VALUE...]... [options]",
	.summary = "Loads objects of tracing or periodic programs and prints the lines of their "
		   "bpf_printk(), as trace_pipe does. Meanwhile a workload runs, or the host does "
		   "what it does.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.notes = "example:\n"
		 "  vrt trace hello.bpf.c -t 1s\n",
};

/* Nobody but the simulated machine knows what these mean. */
static const char *not_on_host(const struct run_options *o)
{
	return o->machine    ? "--machine" :
	       o->workload   ? "--workload" :
	       o->cgroups.nr ? "--cgroup" :
			       NULL;
}

static int trace_simulated(struct run_plan *plan, char *err, size_t err_size)
{
	static const char *const scheduler = "eevdf";
	struct json_object *run;
	int status;
	u64 value;

	plan->schedulers = (struct text_list){ .items = { scheduler }, .nr = 1 };
	if (!plan->options.workload)
		plan->options.workload = TRACE_WORKLOAD;
	status = plan_make(plan, err, err_size);
	if (status != STATUS_OK)
		return status;
	run = run_in_child(plan, scheduler);
	run_judge(plan, run);
	json_u64_at(run, "status", &value);
	if (value)
		tell_failure(run, value, "trace");
	/* often the message has all that the log has */
	if (!strstr(json_string_at(run, "end.message"), json_string_at(run, "end.log")))
		fputs(json_string_at(run, "end.log"), stderr);
	json_object_put(run);
	return (int)value;
}

static int trace_host(struct run_plan *plan, char *err, size_t err_size)
{
	const char *option = not_on_host(&plan->options);

	if (option) {
		snprintf(err, err_size, "%s: there is no choice on the host; --on sim has it",
			 option);
		return STATUS_USAGE;
	}
	return trace_on_host(plan, err, err_size);
}

int cmd_trace(int argc, char **argv)
{
	struct run_plan *plan = xcalloc(1, sizeof(*plan));
	struct trace_options o = {};
	struct text_list objects = {};
	char err[2048] = "";
	int status = STATUS_USAGE;

	o.run.seed = 1;
	o.run.noise = NOISE_LIGHT;
	o.run.duration = TRACE_DURATION;
	if (cmdline_parse(&table, argc, argv, &o, &objects, err, sizeof(err))) {
		cli_error("trace: %s", err);
	} else if (o.run.help) {
		cmdline_help(&table, stdout);
		status = STATUS_OK;
	} else if (!objects.nr) {
		cli_error("trace: no object given: expected a .bpf.o or a .bpf.c with tracing or "
			  "periodic programs");
	} else {
		plan->options = o.run;
		plan->pipe = true;
		plan->options.with = objects;
		status = (o.on == ON_HOST ? trace_host : trace_simulated)(plan, err, sizeof(err));
		if (status != STATUS_OK && *err)
			cli_error("trace: %s", err);
	}
	plan_free(plan);
	free(plan);
	return status;
}
