// SPDX-License-Identifier: GPL-2.0-only
/* Allocation that cannot fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

static void *checked(void *mem, size_t n, size_t size)
{
	if (unlikely(!mem)) {
		fprintf(stderr, "out of memory: the host gave no room for %zu x %zu bytes\n", n,
			size);
		abort();
	}
	return mem;
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1), n, size);
}

void *xcalloc_aligned(size_t n, size_t size)
{
	size_t bytes = 0;
	void *mem = NULL;

	if (!__builtin_mul_overflow(n, size, &bytes))
		mem = aligned_alloc(64, ALIGN_UP(bytes ? bytes : 1, 64));
	return memset(checked(mem, n, size), 0, bytes);
}

void *xreallocarray(void *old, size_t n, size_t size)
{
	return checked(reallocarray(old, n ? n : 1, size ? size : 1), n, size);
}

char *xstrdup(const char *s)
{
	return checked(strdup(s), 1, strlen(s) + 1);
}
