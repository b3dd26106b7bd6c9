/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's log of the machine that the agent runs on. */
#ifndef VRT_VM_KMSG_H
#define VRT_VM_KMSG_H

#include "../../base/strbuf.h"
#include "../../base/util.h"

/* How the last sched_ext scheduler ended, in the kernel's words. */
struct kmsg_exit {
	bool seen;
	char name[128], reason[64], message[1024];
};

/* Of what the log holds from now on; -errno. */
int kmsg_open(void);
/* Reads what is new: all lines into @lines, and into @exit if one tells of an end. */
void kmsg_read(int fd, struct kmsg_exit *exit, struct strbuf *lines);
/* The name of that kind of end as docs/json.md has it. */
const char *kmsg_exit_kind(const char *reason);

#endif
