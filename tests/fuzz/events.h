/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program does that somebody could notice, in the order in which it does it: all
 * of it in one number, and, when asked for, one by one.
 */
#ifndef VRT_FUZZ_EVENTS_H
#define VRT_FUZZ_EVENTS_H

#include "../../src/base/util.h"

struct event {
	const char *what; /* a string literal: the same in all processes */
	u64 a, b;
};

#define MAX_EVENTS 20000 /* that are kept */

struct event_log {
	u32 nr;
	struct event events[MAX_EVENTS];
};

/* From nothing on; into @log, too, if it is not NULL. */
void events_begin(struct event_log *log);
/* Of all since then. */
u64 events_digest(void);
/* Are they kept one by one? */
bool events_kept(void);
void happens(const char *what, u64 a, u64 b);
u64 digest_of(const void *mem, u64 size);

static inline u64 digest_mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

#endif
