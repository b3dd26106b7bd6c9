// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands that list what there is: vrt workloads, vrt machines.
 */
#include <stdio.h>
#include <string.h>

#include "../base/suggest.h"
#include "../sim/topology.h"
#include "../workload/workload.h"
#include "cli.h"
#include "cmdline.h"

struct list_options {
	bool help;
};

static const struct cmd_option options[] = {
	{ "help", 'h', CMD_HELP, .offset = offsetof(struct list_options, help), NULL,
	  "show this help" },
};

static const struct cmd_table workloads_table = {
	.command = "vrt workloads",
	.usage = "[GENERATOR...]",
	.summary = "Lists the generators of workloads, or shows the options of those named. Files "
		   "of rt-app JSON are workloads, too.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
};

static const struct cmd_table machines_table = {
	.command = "vrt machines",
	.usage = "[SPEC...]",
	.summary = "Shows how --machine reads the specifications; without any, examples and the "
		   "presets.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
};

/* True when the command is over; *status is then what it returns. */
static bool parse(const struct cmd_table *table, int argc, char **argv, struct text_list *args,
		  int *status)
{
	struct list_options o = {};
	char err[512];

	*status = STATUS_OK;
	if (cmdline_parse(table, argc, argv, &o, args, err, sizeof(err))) {
		cli_error("%s: %s", argv[0], err);
		*status = STATUS_USAGE;
		return true;
	}
	if (o.help)
		cmdline_help(table, stdout);
	return o.help;
}

static int show_generator(const char *name)
{
	struct suggest near = { .word = name };
	const char *known, *summary;

	for (u32 i = 0; workload_generator(i, &known, &summary); i++) {
		if (!strcmp(known, name)) {
			fputs(workload_generator_help(name), stdout);
			return STATUS_OK;
		}
		suggest_try(&near, known);
	}
	if (near.best)
		cli_error("workloads: there is no generator '%s'; did you mean %s?", name,
			  near.best);
	else
		cli_error("workloads: there is no generator '%s'; 'vrt workloads' lists them",
			  name);
	return STATUS_USAGE;
}

int cmd_workloads(int argc, char **argv)
{
	struct text_list args = {};
	const char *name, *summary;
	int status;

	if (parse(&workloads_table, argc, argv, &args, &status))
		return status;
	for (u32 i = 0; i < args.nr && status == STATUS_OK; i++) {
		if (i)
			putchar('\n');
		status = show_generator(args.items[i]);
	}
	for (u32 i = 0; !args.nr && workload_generator(i, &name, &summary); i++) {
		printf("%-12s", name);
		print_wrapped(stdout, summary, 12, 12, 80);
	}
	return status;
}

static int show_machine(const char *spec, const char *summary)
{
	struct topology topo = {};
	char text[512];

	if (topology_parse(&topo, spec, text, sizeof(text))) {
		cli_error("machines: %s", text);
		return STATUS_USAGE;
	}
	topology_describe(&topo, text, sizeof(text));
	printf("%-12s%s%s", spec, summary ? summary : "", summary ? ": " : "");
	print_wrapped(stdout, text, 12 + (summary ? strlen(summary) + 2 : 0), 12, 80);
	topology_free(&topo);
	return STATUS_OK;
}

int cmd_machines(int argc, char **argv)
{
	static const char *const examples[] = { "4",	  "4x2",     "8x2",	 "2x8x2",
						"2x32x2", "2x4x8x2", "2x8x16x2", "host" };
	struct text_list args = {};
	const char *name, *summary;
	int status;

	if (parse(&machines_table, argc, argv, &args, &status))
		return status;
	for (u32 i = 0; i < args.nr && status == STATUS_OK; i++)
		status = show_machine(args.items[i], NULL);
	for (u32 i = 0; !args.nr && i < ARRAY_SIZE(examples); i++)
		status = show_machine(examples[i], NULL);
	for (u32 i = 0; !args.nr && topology_preset(i, &name, &summary); i++)
		status = show_machine(name, summary);
	return status;
}
