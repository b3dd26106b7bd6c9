// SPDX-License-Identifier: GPL-2.0-only
/* Formatting of error messages into the caller's buffer. */
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

int vrt_error(char *err, size_t size, int code, const char *fmt, ...)
{
	va_list args;

	if (err && size) {
		va_start(args, fmt);
		vsnprintf(err, size, fmt, args);
		va_end(args);
	}
	return code;
}
