// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens, as a number. One at a time: a process runs one program.
 */
#include "events.h"

#include <string.h>

static u64 digest;
static struct event_log *kept;

void events_begin(struct event_log *log)
{
	digest = 0;
	kept = log;
}

u64 events_digest(void)
{
	return digest;
}

bool events_kept(void)
{
	return kept;
}

void happens(const char *what, u64 a, u64 b)
{
	digest = digest_mix(digest_mix(digest, a), b + (u64)what[0]);
	if (kept && kept->nr < MAX_EVENTS)
		kept->events[kept->nr++] = (struct event){ what, a, b };
}

u64 digest_of(const void *mem, u64 size)
{
	const u8 *p = mem;
	u64 h = size, v = 0;

	for (; size >= 8; size -= 8, p += 8) {
		memcpy(&v, p, 8);
		h = digest_mix(h, v);
	}
	v = 0;
	memcpy(&v, p, size);
	return digest_mix(h, v);
}
