// SPDX-License-Identifier: GPL-2.0-only
/*
 * The progress line. It goes by the wall clock, and so never into a result:
 * only to stderr, and only when that is a terminal.
 */
#include <stdio.h>
#include <unistd.h>

#include "run.h"

#define REDRAW_NS (100 * NSEC_PER_MSEC)

static struct {
	bool enabled, drawn;
	const char *label;
	u64 next; /* wall clock of the next drawing */
} progress;

void progress_start(const char *label, bool enabled)
{
	progress.enabled = enabled && isatty(STDERR_FILENO);
	progress.label = label;
	/* short runs need none */
	progress.next = progress.enabled ? wall_clock() + 5 * REDRAW_NS : 0;
}

void progress_update(u64 done, u64 total)
{
	u64 now;

	if (!progress.enabled)
		return;
	now = wall_clock();
	if (now < progress.next)
		return;
	progress.next = now + REDRAW_NS;
	progress.drawn = true;
	fprintf(stderr, "\r%s: %llu%% of %llu.%03llu s simulated\033[K", progress.label,
		done * 100 / max(total, 1ULL), total / NSEC_PER_SEC,
		total % NSEC_PER_SEC / NSEC_PER_MSEC);
	fflush(stderr);
}

void progress_clear(void)
{
	if (progress.drawn)
		fputs("\r\033[K", stderr);
	progress.drawn = false;
}
