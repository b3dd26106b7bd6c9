/* SPDX-License-Identifier: GPL-2.0-only */
/* The micro-benchmarks: small programs, each run on every engine that can. */
#ifndef VRT_CLI_BENCH_MICRO_H
#define VRT_CLI_BENCH_MICRO_H

#include "assemble.h"

struct micro {
	const char *name, *what;
	/* Returns how many of what is counted one run of the program does. */
	u32 (*write)(struct program *p);
	/*
	 * Straight code without maps, helpers and functions: also for engines that
	 * know of nothing else.
	 */
	bool plain;
	u32 max_repeat; /* at once, because something fills up; 0: no limit */
};

struct micro_group {
	const char *name, *what;
	const struct micro *micros;
	u32 nr;
};

extern const struct micro_group isa_group, call_group, map_group, program_group;

#endif
