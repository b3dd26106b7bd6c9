/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What generators print as their tools do. Integers only.
 */
#ifndef VRT_WORKLOAD_FIGURES_H
#define VRT_WORKLOAD_FIGURES_H

#include "../base/hist.h"

/* Lines of figure_latencies(). */
#define FIGURE_LATENCY_LINES 6

/*
 * Line @i of schbench's table: a heading that names @what, four quantiles in
 * us, minimum and maximum. @runtime in ns.
 */
void figure_latencies(const struct hist *h, const char *what, u64 runtime, u32 i, char *buf,
		      size_t size);
/* @num / @den with @digits decimals, rounded down; "0" for a @den of 0. Returns @buf. */
char *figure_ratio(u64 num, u64 den, u32 digits, char *buf, size_t size);

#endif
