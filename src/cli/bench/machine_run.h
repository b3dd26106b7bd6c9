/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs of simulated machines that hardly do anything but switch tasks. */
#ifndef VRT_CLI_BENCH_MACHINE_RUN_H
#define VRT_CLI_BENCH_MACHINE_RUN_H

#include "../../base/util.h"

/* What tasks do. */
enum machine_tasks {
	TASKS_SLEEP, /* a switch is the end of a short run, and soon there is a wakeup */
	TASKS_COMPUTE, /* a switch is the end of a slice, which a tick notices */
	NR_MACHINE_TASKS,
};

/* In words. */
extern const char *const machine_tasks_text[NR_MACHINE_TASKS];

struct machine_run {
	const char *scheduler; /* as on the command line */
	const char *machine;
	u32 tasks;
	enum machine_tasks what;
	u64 duration; /* simulated ns */
};

struct json_object;

/*
 * The "run" object of docs/json.md, with "host", of a process of its own. What
 * went wrong is at "error" then, in words.
 */
struct json_object *machine_run(const struct machine_run *r);

#endif
