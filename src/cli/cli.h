/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands of vrt have in common: exit status and how errors look.
 */
#ifndef VRT_CLI_CLI_H
#define VRT_CLI_CLI_H

#include "../base/util.h"

extern const char vrt_version[];

/* Of the process; of several runs the worst (highest) counts. */
enum cli_status {
	STATUS_OK,
	STATUS_USAGE, /* the command line, the machine or the workload make no sense */
	STATUS_LOAD, /* could not load or verify */
	STATUS_THROWN_OUT, /* the scheduler was thrown out, or a periodic program stopped */
	STATUS_EXPECTATION, /* an --expect was not met */
	STATUS_BOOKS, /* the books do not balance, or we crashed: our bug */
};

struct command {
	const char *name;
	const char *summary;
	/* @argv[0] is the command's name; returns enum cli_status */
	int (*main)(int argc, char **argv);
};

int cmd_run(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_vm(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_prog(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_calibrate(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_workloads(int argc, char **argv);
int cmd_machines(int argc, char **argv);

/* "vrt: ..." on stderr, as one line or more. */
__printf(1, 2) void cli_error(const char *fmt, ...);

#endif
