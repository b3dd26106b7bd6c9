/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to the kernel heap: which spans of its range are free.
 */
#ifndef VRT_BASE_KHEAP_RUNS_H
#define VRT_BASE_KHEAP_RUNS_H

#include "util.h"

#define RUN_NONE (~0U)

/*
 * The first of @nr adjacent free spans, or RUN_NONE: the lowest free ones that
 * suffice, else new ones. *used tells whether they have been in use before, and
 * so may not be zero.
 */
u32 kheap_run_alloc(u32 nr, bool *used);
/* Gives back any part of what was allocated. */
void kheap_run_free(u32 first, u32 nr);

#endif
