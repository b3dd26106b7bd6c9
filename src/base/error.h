/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors for people: what went wrong, where, what was expected, what to do.
 * Functions that can fail because of input take (char *err, size_t err_size)
 * and return -errno.
 */
#ifndef VRT_BASE_ERROR_H
#define VRT_BASE_ERROR_H

#include "util.h"

/* Writes the message, cut to @size (0 or a NULL @err: dropped), and returns @code. */
__printf(4, 5) int vrt_error(char *err, size_t size, int code, const char *fmt, ...);

#endif
