// SPDX-License-Identifier: GPL-2.0-only
/* How errors of the command look. */
#include <stdarg.h>
#include <stdio.h>

#include "cli.h"

void cli_error(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("vrt: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}
