/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the event stream: text lies between the records (TRACE_PRINTK), and
 * every reader has to step over it.
 */
#ifndef VRT_TRACE_STREAM_H
#define VRT_TRACE_STREAM_H

#include "../sched/tracepoint.h"

/*
 * How many bytes of text @rec holds; 0: it is an ordinary record. *left, which
 * starts at 0, is what is still to come of a text.
 */
static inline u32 trace_text(u64 *left, const struct trace_record *rec)
{
	u32 len;

	if (likely(!*left && rec->type != TRACE_PRINTK))
		return 0;
	len = (u32)min(*left, (u64)sizeof(*rec));
	*left -= len;
	if (!len && rec->type == TRACE_PRINTK)
		*left = rec->a;
	return len;
}

#endif
