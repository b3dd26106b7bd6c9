/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that have an engine, and run the micro-benchmarks they are told, as
 * often as they are told.
 */
#ifndef VRT_CLI_BENCH_WORKER_H
#define VRT_CLI_BENCH_WORKER_H

#include <sys/types.h>

#include "engine.h"
#include "micro.h"

#define WORKER_WHY_SIZE 256

struct worker {
	const struct engine *engine;
	pid_t pid;
	int fd; /* -1: there is none */
	char why[WORKER_WHY_SIZE]; /* there is none, or it cannot run something */
};

/* How a run went. */
struct worker_run {
	u32 result; /* of the program, the last time */
	u32 operations; /* of one run of it */
	u64 ns; /* of the processor, all runs together */
};

/* False, and why in @w->why: this engine cannot be had here. */
bool worker_start(struct worker *w, const struct engine *engine);
/* False, and why in @w->why. */
bool worker_run(struct worker *w, const struct micro *micro, u32 repeat, struct worker_run *run);
void worker_stop(struct worker *w);

#endif
