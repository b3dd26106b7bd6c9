/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the tables of ctx_net.c and ctx_cgroup.c are written.
 */
#ifndef VRT_BPF_VERIFIER_CTX_TABLE_H
#define VRT_BPF_VERIFIER_CTX_TABLE_H

#include "mem_internal.h"

/* @field of @type, and the range of members from @first to @last. */
#define RANGE(type, first, last)                                                                   \
	.start = offsetof(type, first),                                                            \
	.end = offsetof(type, last) + sizeof(((type *)0)->last)
#define AT(type, field) RANGE(type, field, field)
/* Widths: exactly so many bytes, or any that is not wider. */
#define READ(n) .read_min = (n), .read_max = (n)
#define READ_UPTO(n) .read_min = 1, .read_max = (n)
#define WRITE(n) .write_min = (n), .write_max = (n)
#define WRITE_UPTO(n) .write_min = 1, .write_max = (n)
#define TABLE(array, type, key)                                                                    \
	{ .fields = (array), .nr = ARRAY_SIZE(array), .size = sizeof(type), .by = (key) }

#endif
