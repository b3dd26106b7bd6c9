// SPDX-License-Identifier: GPL-2.0-only
/*
 * This host's clock. Nothing that it says may get into a result, but for
 * "host", which --host-stats and vrt bench ask for.
 */
#include <stdio.h>
#include <time.h>

#include "json.h"
#include "run.h"

u64 wall_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
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
