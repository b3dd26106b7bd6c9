/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vrt and its agent in a virtual machine say to each other: messages over
 * a byte stream (a virtio console port, or a socket), each a header and a body.
 *
 *	vrt			agent
 *				READY	once, when it has come up
 *	FILE, FILE, ...			the object, the workload
 *	RUN
 *				LOG, RECORDS, ...
 *				END, or ERROR
 *
 * After END or ERROR the agent is as it was after READY. Little-endian, both
 * sides are the same build.
 */
#ifndef VRT_VM_CHANNEL_H
#define VRT_VM_CHANNEL_H

#include "../base/util.h"

struct strbuf;

#define CHANNEL_PORT "vrt" /* name of the virtio port */
#define CHANNEL_MAGIC 0x76727401u /* "vrt", version */
#define CHANNEL_MAX_BODY (64u << 20)

enum channel_type {
	CHANNEL_READY = 1, /* JSON: {"release": "7.0.13", "cpus": 4} */
	CHANNEL_FILE, /* a name, NUL, the content */
	CHANNEL_RUN, /* JSON, see run.h */
	CHANNEL_RECORDS, /* struct trace_record[], in no order */
	CHANNEL_LOG, /* a line of the agent's or the guest's kernel */
	CHANNEL_END, /* JSON: how the run ended */
	CHANNEL_ERROR, /* text: why it could not be done */
};

struct channel_header {
	u32 magic;
	u32 type; /* enum channel_type */
	u32 len; /* of the body */
};

/* Whole messages, blocking. 0 or -errno; -EPIPE: the other side is gone. */
int channel_send(int fd, enum channel_type type, const void *body, size_t len);
int channel_send_text(int fd, enum channel_type type, const char *text);
/*
 * The next message, its body in @body (reset before). -ETIMEDOUT after @timeout_ms
 * without one (< 0: waits for ever); -EPROTO for what is no message.
 */
int channel_receive(int fd, int timeout_ms, enum channel_type *type, struct strbuf *body);

#endif
