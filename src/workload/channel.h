/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounded channels of messages of one size: pipes and Unix stream sockets, as
 * far as their buffers and wakeups go. A reader waits while there is nothing,
 * a writer while there is no room; both wake with the SYNC hint.
 *
 * A channel is a queue of buffers, each of which takes some messages:
 * - pipe: 16 buffers of a page; a message is appended to the last page if it
 *   fits. A writer is woken when a buffer of a full pipe becomes empty.
 * - socket: every message is a buffer, accounted against the send buffer with
 *   the overhead of an skb; writers are woken, all of them, when a quarter of
 *   the send buffer or less is in use.
 *
 * Waiting is a retry, as in sync.h. A system call is charged per call that
 * goes through, not per retry.
 *
 * For those who trace the calls a channel has two descriptors, the same in all
 * processes that use it, as those have that inherit them.
 */
#ifndef VRT_WORKLOAD_CHANNEL_H
#define VRT_WORKLOAD_CHANNEL_H

#include "../sched/kernel.h"

struct channel {
	u32 buffers; /* limit */
	u32 per_buffer; /* messages that a buffer takes */
	u32 wake_at; /* writers are woken when this many or fewer are used */
	u32 wake_nr; /* how many of them */

	u32 used; /* buffers */
	u32 written; /* messages ever put into the last buffer */
	u32 read; /* messages taken from the first buffer */
	u64 passed; /* messages written so far */
	u32 size; /* of a message */
	u32 fd; /* to read from; the next one is to write to */
	struct wait_queue readers, writers;
};

/* The largest message: what a pipe writes atomically. */
#define CHANNEL_MAX_MESSAGE 4096

/* @size: bytes of a message, 1..CHANNEL_MAX_MESSAGE; @fd: the lower descriptor */
void channel_init_pipe(struct channel *c, u32 size, u32 fd);
void channel_init_socket(struct channel *c, u32 size, u32 fd);
bool channel_write(struct channel *c, struct task_action *action);
bool channel_read(struct channel *c, struct task_action *action);
/* Messages in it. */
u32 channel_count(const struct channel *c);

#endif
