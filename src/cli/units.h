/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures as people write and read them. Integer arithmetic throughout: the
 * text of a figure is the same on every host.
 */
#ifndef VRT_CLI_UNITS_H
#define VRT_CLI_UNITS_H

#include "../base/duration.h"

/* "50%" or "0.5", in parts per million. 0 or -EINVAL. */
int parse_ratio(const char *text, u64 *ppm);
/* "12.5", "3k", "1.2M", times 1000. 0 or -EINVAL. */
int parse_milli(const char *text, u64 *milli);

/* Each writes into @buf, which 32 bytes suffice for, and returns it. */
char *human_ns(u64 ns, char *buf, size_t size); /* "812 ns", "12.3 us", "1.20 ms" */
char *human_milli(u64 milli, char *buf, size_t size); /* "0.25", "12.3k", "1.20M" */
char *human_ppm(u64 ppm, char *buf, size_t size); /* "99.98%" */

#endif
