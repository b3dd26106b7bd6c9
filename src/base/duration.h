/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Durations as people write and read them, and the decimal numbers they are
 * made of. Integer arithmetic throughout: the same text is the same number of
 * nanoseconds on every host.
 */
#ifndef VRT_BASE_DURATION_H
#define VRT_BASE_DURATION_H

#include "util.h"

/* "10s", "500ms", "1.5us", "2m"; the unit is required. 0 or -EINVAL. */
int parse_duration(const char *text, u64 *ns);
/*
 * "1.5ms" in ns. A plain number is of @unit ns; 0: the unit is required.
 * Returns the bytes understood, 0 for none; the value saturates.
 */
size_t parse_time(const char *s, u64 unit, u64 *ns);
/*
 * A decimal number times 10^@digits, "99.5" with 4 digits is 995000. Further
 * digits are not understood. Returns the bytes understood, 0 for none; saturates.
 */
size_t parse_decimal(const char *s, u32 digits, u64 *value);
/* ns as people write it: "1.5ms". Returns @buf. */
char *format_time(u64 ns, char *buf, size_t size);

#endif
