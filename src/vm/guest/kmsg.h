/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's log of the machine that the agent runs on. */
#ifndef VRT_VM_KMSG_H
#define VRT_VM_KMSG_H

#include "../../../kernel/ext.h"
#include "../../base/strbuf.h"
#include "../../base/util.h"

/* How the last sched_ext scheduler ended, in the kernel's words. */
struct kmsg_exit {
	bool seen;
	u64 time; /* when it was told, ns since boot by the log's clock */
	char name[128], reason[64], message[1024];
};

/* Of what the log holds from now on; -errno. */
int kmsg_open(void);
/* Reads what is new: all lines into @lines, and into @exit if one tells of an end. */
void kmsg_read(int fd, struct kmsg_exit *exit, struct strbuf *lines);
/* The name of that kind of end as docs/json.md has it. */
const char *kmsg_exit_kind(const char *reason);
/* As the kernel numbers it. */
enum scx_exit_kind kmsg_exit_number(const char *reason);

#endif
