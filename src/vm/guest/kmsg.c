// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a sched_ext scheduler ended, from the kernel's log, which is the one place
 * where every kernel says it whatever the scheduler is:
 *
 *	sched_ext: BPF scheduler "simple" disabled (runtime error)
 *	sched_ext: simple: kfunc with mask 0x1 called from an operation only allowing 0x0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"

#define PREFIX "sched_ext: "
#define DISABLED "\" disabled ("

int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END); /* what comes from here on */
	return fd;
}

static const struct {
	const char *reason, *kind;
} reasons[] = {
	{ "unregistered from user space", "unreg" },
	{ "unregistered from BPF", "unreg_bpf" },
	{ "unregistered from the main kernel", "unreg_kern" },
	{ "disabled by sysrq-S", "sysrq" },
	{ "runtime error", "error" },
	{ "scx_bpf_error", "error_bpf" },
	{ "runnable task stall", "error_stall" },
};

const char *kmsg_exit_kind(const char *reason)
{
	for (u32 i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!strcmp(reason, reasons[i].reason))
			return reasons[i].kind;
	return "error";
}

static void read_line(const char *text, struct kmsg_exit *exit)
{
	const char *disabled = strstr(text, DISABLED), *name;
	size_t len = strlen(exit->name);

	if (disabled && !strncmp(text, "BPF scheduler \"", 15)) {
		name = text + 15;
		snprintf(exit->name, sizeof(exit->name), "%.*s", (int)(disabled - name), name);
		snprintf(exit->reason, sizeof(exit->reason), "%s", disabled + strlen(DISABLED));
		exit->reason[strcspn(exit->reason, ")")] = '\0';
		exit->message[0] = '\0';
		exit->seen = true;
	} else if (exit->seen && len && !strncmp(text, exit->name, len) && text[len] == ':') {
		snprintf(exit->message, sizeof(exit->message), "%s", text + len + 2);
	}
}

/* A record is "level,seq,time,flags;text\n" and lines of detail that begin with a space. */
void kmsg_read(int fd, struct kmsg_exit *exit, struct strbuf *lines)
{
	char buf[8192];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf) - 1)) > 0 || errno == EPIPE) {
		char *text;

		if (n <= 0)
			continue; /* the kernel's buffer went round: the next is the oldest there is */
		buf[n] = '\0';
		text = strchr(buf, ';');
		if (!text)
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		strbuf_printf(lines, "%s\n", text);
		if (!strncmp(text, PREFIX, strlen(PREFIX)))
			read_line(text + strlen(PREFIX), exit);
	}
}
