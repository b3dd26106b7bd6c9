// SPDX-License-Identifier: GPL-2.0-only
/*
 * The progress line, of simulated time or of steps. It goes by the wall clock, and
 * so never into a result: only to stderr, and only when that is a terminal.
 */
#include <stdio.h>
#include <unistd.h>

#include "run.h"

#define REDRAW_NS (100 * NSEC_PER_MSEC)
#define STEP_COLUMNS 79

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

/* Is it time to draw? */
static bool is_due(void)
{
	u64 now = progress.enabled ? wall_clock() : 0;

	if (!progress.enabled || now < progress.next)
		return false;
	progress.next = now + REDRAW_NS;
	progress.drawn = true;
	return true;
}

void progress_update(u64 done, u64 total)
{
	if (!is_due())
		return;
	fprintf(stderr, "\r%s: %llu%% of %llu.%03llu s simulated\033[K", progress.label,
		done * 100 / max(total, 1ULL), total / NSEC_PER_SEC,
		total % NSEC_PER_SEC / NSEC_PER_MSEC);
	fflush(stderr);
}

void progress_step(u32 done, u32 total, const char *step)
{
	char line[STEP_COLUMNS + 1];

	if (!is_due())
		return;
	/* a line that wraps could not be drawn over */
	snprintf(line, sizeof(line), "%s: %u of about %u, %s", progress.label, done, total, step);
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
}

void progress_clear(void)
{
	if (progress.drawn)
		fputs("\r\033[K", stderr);
	progress.drawn = false;
}
