// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt: finds the command. Commands report errors themselves and return the
 * exit status (enum cli_status).
 */
#include <stdio.h>
#include <string.h>

#include "../base/suggest.h"
#include "cli.h"

static const struct command commands[] = {
	{ "run", "run a workload under BPF schedulers on a simulated machine", cmd_run },
	{ "replay", "run again what a repro bundle holds, and compare", cmd_replay },
	{ "trace", "print what tracing programs print", cmd_trace },
	{ "vm", "fetch, list and boot real kernels to run on", cmd_vm },
	{ "verify", "say whether BPF programs are accepted, or why not", cmd_verify },
	{ "prog", "show programs as they are executed", cmd_prog },
	{ "map", "show what maps hold after a run", cmd_map },
	{ "calibrate", "measure what things cost, for the simulator", cmd_calibrate },
	{ "bench", "measure how fast programs and machines are on this host", cmd_bench },
	{ "workloads", "list the generators of workloads and their options", cmd_workloads },
	{ "machines", "show how specifications of machines are read", cmd_machines },
};

static void help(FILE *out)
{
	fputs("usage: vrt COMMAND [arguments]\n\n"
	      "Runs compiled Linux BPF schedulers on a simulated machine of any size, in\n"
	      "deterministic virtual time.\n\ncommands:\n",
	      out);
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-11s%s\n", commands[i].name, commands[i].summary);
	fputs("\noptions:\n  --help      show this help; 'vrt COMMAND --help' shows a command's\n"
	      "  --version   show the version\n",
	      out);
}

static int unknown_command(const char *name)
{
	struct suggest near = { .word = name };

	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		suggest_try(&near, commands[i].name);
	if (near.best)
		cli_error("there is no command '%s'; did you mean %s?", name, near.best);
	else
		cli_error("there is no command '%s'; 'vrt --help' lists them", name);
	return STATUS_USAGE;
}

/* A result that nobody can read is none: not every write has been looked at. */
static int finish(int status)
{
	bool failed = ferror(stdout);

	if (!fflush(stdout) && !failed)
		return status;
	cli_error("what is printed could not be written to the end: is the disk full?");
	return max(status, (int)STATUS_LOAD);
}

static int run_command(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return STATUS_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("vrt %s\n", vrt_version);
		return STATUS_OK;
	}
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	}
	return unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
	return finish(run_command(argc, argv));
}
