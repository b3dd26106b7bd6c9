// SPDX-License-Identifier: GPL-2.0-only
/*
 * This host's clock. Nothing that it says may get into a result, but for
 * "host", which --host-stats and vrt bench ask for.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "json.h"
#include "run.h"

static u64 read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

u64 wall_clock(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

u64 processor_clock(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

u64 peak_memory(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (u64)usage.ru_maxrss << 10;
}

void add_rate(struct json_object *host, const char *name, u64 part, u64 unit, u64 wall_ns)
{
	/* thousandths, so that the text has the same form everywhere */
	u64 milli =
		(u64)((unsigned __int128)part * NSEC_PER_SEC * 1000 / unit / max(wall_ns, 1ULL));
	char text[32];

	snprintf(text, sizeof(text), "%llu.%03llu", milli / 1000, milli % 1000);
	json_object_object_add(host, name, json_object_new_double_s(milli / 1000.0, text));
}
