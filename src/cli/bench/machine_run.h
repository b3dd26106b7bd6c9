/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs of simulated machines full of tasks that hardly do anything but switch. */
#ifndef VRT_CLI_BENCH_MACHINE_RUN_H
#define VRT_CLI_BENCH_MACHINE_RUN_H

#include "../../base/util.h"

/* What a task does, in words. */
#define SHORT_TASK "run 20 us, sleep 50 us"

struct machine_run {
	const char *scheduler; /* as on the command line */
	const char *machine;
	u32 tasks;
	u64 duration; /* simulated ns */
};

struct json_object;

/*
 * The "run" object of docs/json.md, with "host", of a process of its own. What
 * went wrong is at "error" then, in words.
 */
struct json_object *machine_run(const struct machine_run *r);

#endif
