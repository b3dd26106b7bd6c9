// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt run: one machine, one workload, any number of schedulers.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "bundle.h"
#include "json.h"
#include "run.h"

#define FIELD(member) .offset = offsetof(struct run_options, member)
/* As the longest of sched_ext's watchdog. */
#define RUNNABLE_TIMEOUT (30 * NSEC_PER_SEC)
#define MAX_SIM_TIME (1000000 * NSEC_PER_SEC)

static const struct cmd_option options[] = {
	{ "machine", 'm', CMD_TEXT, FIELD(machine), "SPEC",
	  "nodes x LLCs x cores x threads (2x4x8x2), nodes x cores x threads (2x32x2), cores x "
	  "threads (8x2), cores, \"host\", a preset, or a JSON file; default 4x2" },
	{ "workload", 'w', CMD_TEXT, FIELD(workload), "SPEC",
	  "what the tasks do: a file of rt-app JSON, or a generator with its options, such as "
	  "'schbench -m 2 -t 16'" },
	{ "for", 't', CMD_TIME, FIELD(duration), "TIME",
	  "simulated time that is measured; default: what the workload says, or 10s", .min = 1,
	  .max = MAX_SIM_TIME },
	{ "warmup", 0, CMD_TIME, FIELD(warmup), "TIME",
	  "let this much simulated time pass before measuring; default 0s", .max = MAX_SIM_TIME },
	{ "seed", 's', CMD_NUMBER, FIELD(seed), "N",
	  "of everything random; the same seed gives the same run; default 1" },
	{ "set", 0, CMD_LIST, FIELD(set), "VAR=VALUE",
	  "set a global variable of every scheduler before it is loaded, also a field "
	  "(cfg.batch=3) or an element (arr[2]=1); may be repeated" },
	{ "ops", 0, CMD_TEXT, FIELD(ops), "TABLE",
	  "attach this table of operations, where an object has several" },
	{ "init-prog", 0, CMD_LIST, FIELD(init_progs), "NAME",
	  "run this SEC(\"syscall\") program between load and attach; may be repeated" },
	{ "include", 'I', CMD_LIST, FIELD(include_dirs), "DIR",
	  "search for headers of a .bpf.c here, too; may be repeated", .here = true },
	{ "at", 0, CMD_LIST, FIELD(at), "TIME:ACTION",
	  "do something this long after the start: swap=SCHED, offline=CPU, online=CPU, "
	  "kill-agent, destroy-enclave, print=MAP, run=PROG, nice=TASK:N, cpus=TASK:LIST or "
	  "cgroup=TASK:PATH; may be repeated" },
	{ "with", 0, CMD_LIST, FIELD(with), "OBJ[,VAR=VALUE...]",
	  "run an object of periodic or tracing programs beside the scheduler; may be repeated" },
	{ "watch", 0, CMD_LIST, FIELD(watch), "MAP[=INTERVAL]",
	  "print this map of the scheduler's or of a --with object's every INTERVAL of simulated "
	  "time; default 1s; may be repeated" },
	{ "print", 0, CMD_LIST, FIELD(print), "MAP",
	  "print this map of the scheduler's or of a --with object's when the scheduler has been "
	  "taken out, wherever it ran; may be repeated" },
	{ "cgroup", 0, CMD_LIST, FIELD(cgroups), "PATH[,weight=N][,max=QUOTA/PERIOD]",
	  "make a control group, such as /gc,max=10ms/100ms, before anything is attached; may be "
	  "repeated" },
	{ "enclave", 0, CMD_TEXT, FIELD(enclave), "CPUS",
	  "CPUs of a ghOSt scheduler, such as 0-7; default: all" },
	{ "runnable-timeout", 0, CMD_TIME, FIELD(runnable_timeout), "TIME",
	  "end a ghOSt enclave that lets a runnable task wait for this long; 0s: never; default "
	  "30s", .max = MAX_SIM_TIME },
	{ "noise", 0, CMD_CHOICE, FIELD(noise), "none|light|heavy",
	  "kernel threads and interrupts beside the workload; default light" },
	{ "costs", 0, CMD_TEXT, FIELD(costs), "FILE",
	  "JSON file of what things cost on the machine, in ns" },
	{ "on", 0, CMD_TEXT, FIELD(on), "PLACE[,PLACE...]",
	  "where: sim, vm for a real kernel in a virtual machine, vm:6.19 for one of that version "
	  "('vrt vm fetch' gets them), or host for this one, as root; default sim", .here = true },
	{ "kernel", 0, CMD_CHOICE, FIELD(kernel), RUN_KERNELS,
	  "generation of Linux to be, in what BPF programs see of it; default auto, the newest in "
	  "which there is all that the scheduler needs; any: all names there are" },
	{ "contexts", 0, CMD_CHOICE, FIELD(contexts), "load|run",
	  "when to refuse calls of kfuncs from where they do not belong: load, the default, "
	  "refuses the program; run throws the scheduler out when it happens, as Linux up to 7.0" },
	{ "interp", 0, CMD_FLAG, FIELD(interp), NULL,
	  "interpret BPF programs instead of compiling them: slower, with the same result; every "
	  "access to memory is checked while they run" },
	{ "checked", 0, CMD_FLAG, FIELD(interp), NULL, "another word for --interp" },
	{ "expect", 0, CMD_LIST, FIELD(expect), "METRIC<VALUE",
	  "exit with 4 unless this holds in every run, such as 'web.wakeup.p99<2ms'; may be "
	  "repeated" },
	{ "bundle", 0, CMD_TEXT, FIELD(bundle), "FILE",
	  "write all that the run is made of to FILE, for 'vrt replay' and for reports of bugs; "
	  "without it that is done for runs that fail, here as SCHED-HASH.vrt-repro; none: never",
	  .here = true },
	{ "trace", 0, CMD_TEXT, FIELD(trace), "FILE",
	  "write every scheduling event: .txt as ftrace text, .bin as binary records; with several "
	  "schedulers, their names are added to the file's", .here = true },
	{ "json", 'j', CMD_FLAG, FIELD(json), NULL,
	  "print the result as JSON, byte for byte the same for the same input", .here = true },
	{ "host-stats", 0, CMD_FLAG, FIELD(host_stats), NULL,
	  "add how fast the simulation was, by this host's clock", .here = true },
	{ "verbose", 'v', CMD_FLAG, FIELD(verbose), NULL,
	  "show all lines of the kernel's and libbpf's logs", .here = true },
	{ "quiet", 'q', CMD_FLAG, FIELD(quiet), NULL,
	  "show the result only: no warnings, no bpf_printk() lines, no progress", .here = true },
	{ "help", 'h', CMD_HELP, FIELD(help), NULL, "show this help" },
};

const struct cmd_table run_table = {
	.command = "vrt run",
	.usage = "SCHED[,VAR=VALUE...]... --workload SPEC [options]",
	.summary = "Runs a workload on a simulated machine, once under each scheduler, and "
		   "compares. SCHED is a BPF scheduler, sched_ext's or ghOSt's (a .bpf.o, or a "
		   ".bpf.c, which is compiled), the name of a policy that ships (fifo), or "
		   "eevdf, Linux's own. What follows a comma is set for this one, as --set does "
		   "for all.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.notes = "exit status (of several runs the highest):\n"
		 "  0  fine\n"
		 "  1  the command line, the machine or the workload make no sense\n"
		 "  2  a scheduler or another object could not be loaded or verified, or\n"
		 "     something that --at asks for was not possible; or what is printed or\n"
		 "     traced could not be written\n"
		 "  3  a scheduler was thrown out, and its tasks went on under eevdf; or a\n"
		 "     periodic program was stopped\n"
		 "  4  an --expect was not met\n"
		 "  5  the books do not balance: a bug of vruntime\n"
		 "A run with a status from 2 on leaves a repro bundle: see --bundle.\n"
		 "\n"
		 "example:\n"
		 "  vrt run eevdf fifo my.bpf.c -m 2x8x2 -w workloads/mixed.json -t 2s\n",
};

static struct json_object *all_runs(const struct run_plan *plan, u64 *worst)
{
	struct json_object *runs = json_object_new_array();

	for (u32 i = 0; i < plan->schedulers.nr * plan->nr_targets; i++) {
		const char *scheduler = plan->schedulers.items[i / plan->nr_targets];
		struct run_target *target = &plan->targets[i % plan->nr_targets];
		struct json_object *run = run_on_target(plan, scheduler, target);
		u64 status;

		run_judge(plan, run);
		json_u64_at(run, "status", &status);
		*worst = max(*worst, status);
		if (!bundle_keep(plan, scheduler, run))
			*worst = max(*worst, (u64)STATUS_LOAD);
		json_object_array_add(runs, run);
	}
	return runs;
}

/* The first of the run's entries at @list whose @field says that something was not possible. */
static struct json_object *first_failure(struct json_object *run, const char *list,
					 const char *field)
{
	struct json_object *entries = json_at(run, list);

	for (size_t i = 0; entries && i < json_object_array_length(entries); i++) {
		struct json_object *entry = json_object_array_get_idx(entries, i);
		struct json_object *holds = json_at(entry, "holds");

		if (*json_string_at(entry, field) && !json_object_get_boolean(holds))
			return entry;
	}
	return NULL;
}

/* What is planned begins with its time, and is told by its option; others by themselves. */
static const char *action_name(struct json_object *entry)
{
	const char *action = json_string_at(entry, "action");

	return *action >= '0' && *action <= '9' ? "--at" : action;
}

void tell_failure(struct json_object *run, u64 status, const char *label)
{
	const char *message = json_string_at(run, "end.message");
	struct json_object *action = first_failure(run, "timeline", "error");

	if (status == STATUS_EXPECTATION)
		cli_error("%s: not met: %s", label,
			  json_string_at(first_failure(run, "expectations", "expect"), "expect"));
	else if (status == STATUS_BOOKS && json_at(run, "books"))
		cli_error("%s: the books do not balance: this is a bug of vruntime", label);
	else if (status == STATUS_LOAD && action)
		cli_error("%s: %s: %s", label, action_name(action),
			  json_string_at(action, "error"));
	else if (!strcmp(json_string_at(run, "end.kind"), "done"))
		cli_error("%s: a periodic program was stopped for what it did", label);
	else
		cli_error("%s: %s", label, *message ? message : json_string_at(run, "end.reason"));
}

/* With --json, too, what went wrong is told to people, on stderr. */
static void tell_failures(struct json_object *runs)
{
	for (size_t i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);
		u64 status;

		if (json_u64_at(run, "status", &status) && status)
			tell_failure(run, status, json_string_at(run, "scheduler"));
	}
}

static int run_plan(const struct run_plan *plan)
{
	struct json_object *runs, *document;
	u64 worst = STATUS_OK;

	if (!plan->options.json)
		report_head(plan);
	runs = all_runs(plan, &worst);
	if (!plan->options.json)
		report_runs(plan, runs);
	else if (!plan->options.quiet)
		tell_failures(runs);
	if (!plan->options.quiet)
		bundle_tell(runs);
	if (!plan->options.json) {
		json_object_put(runs);
		return (int)worst;
	}
	document = document_new(RUN_SCHEMA);
	json_object_object_add(document, "runs", runs);
	document_print(document);
	json_object_put(document);
	return (int)worst;
}

void run_options_init(struct run_options *o)
{
	o->seed = 1;
	o->noise = NOISE_LIGHT;
	o->runnable_timeout = RUNNABLE_TIMEOUT;
}

int cmd_run(int argc, char **argv)
{
	struct run_plan *plan = xcalloc(1, sizeof(*plan));
	struct run_options *o = &plan->options;
	char err[2048];
	int status;

	run_options_init(o);
	if (cmdline_parse(&run_table, argc, argv, o, &plan->schedulers, err, sizeof(err))) {
		cli_error("run: %s", err);
		free(plan);
		return STATUS_USAGE;
	}
	if (o->help) {
		cmdline_help(&run_table, stdout);
		free(plan);
		return STATUS_OK;
	}
	/* people always hear how fast it was; documents only when they ask */
	o->host_stats |= !o->json && isatty(STDOUT_FILENO);
	status = plan_make(plan, err, sizeof(err));
	if (status != STATUS_OK)
		cli_error("run: %s", err);
	else
		status = run_plan(plan);
	plan_free(plan);
	free(plan);
	return status;
}
