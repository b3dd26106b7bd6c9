// SPDX-License-Identifier: GPL-2.0-only
/* What every group asks of the command: whether it is wanted, and to show what it does. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

bool bench_wants(const struct bench *b, const char *group, const char *name)
{
	size_t len = strlen(group);

	for (u32 i = 0; i < b->only.nr; i++) {
		const char *word = b->only.items[i];

		if (strncmp(word, group, len) || (word[len] && word[len] != '/'))
			continue;
		if (!name || !word[len] || !strcmp(word + len + 1, name))
			return true;
	}
	return !b->only.nr;
}

static bool drawn;

void bench_progress(const char *fmt, ...)
{
	va_list args;

	if (!isatty(STDERR_FILENO))
		return;
	drawn = true;
	fputs("\rbench: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("\033[K", stderr);
	fflush(stderr);
}

void bench_progress_end(void)
{
	if (drawn)
		fputs("\r\033[K", stderr);
	drawn = false;
}
