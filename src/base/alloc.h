/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Host memory for the runtime's own bookkeeping. None of these returns NULL:
 * a host without memory ends the process with a message. Sizes that come from
 * input must have been limited before. Free with free().
 *
 * What BPF programs may see a pointer to lives in the kernel heap (kheap.h).
 */
#ifndef VRT_BASE_ALLOC_H
#define VRT_BASE_ALLOC_H

#include "util.h"

/* Zeroed. */
void *xcalloc(size_t n, size_t size);
/* The same, from the beginning of a cache line on. */
void *xcalloc_aligned(size_t n, size_t size);
/* The added part is not initialized. */
void *xreallocarray(void *old, size_t n, size_t size);
char *xstrdup(const char *s);

#endif
