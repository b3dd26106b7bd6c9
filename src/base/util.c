// SPDX-License-Identifier: GPL-2.0-only
/* The last words of a broken invariant. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util.h"

void vrt_bug(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s:%d: bug in vruntime: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	fflush(stderr);
	abort();
}
