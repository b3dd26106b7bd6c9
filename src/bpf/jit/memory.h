/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for code. It is near the runtime's own code where that can be had, so
 * that calls and variables are within 2 GiB; and it is either writable or
 * executable, never both.
 */
#ifndef VRT_BPF_JIT_MEMORY_H
#define VRT_BPF_JIT_MEMORY_H

#include "../../base/util.h"

/* Writable memory of @size bytes in whole pages of its own, or NULL. */
void *jit_memory_alloc(u32 size);
/* Fills the rest of the last page with traps and makes it executable. 0 or -errno. */
int jit_memory_seal(void *code, u32 size);
void jit_memory_free(void *code, u32 size);
/* Is it within the reach of a 32-bit displacement, from everywhere in that memory? */
bool jit_memory_is_near(const void *p);

#endif
