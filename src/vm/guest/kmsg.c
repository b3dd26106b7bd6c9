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

static const struct exit_reason {
	const char *reason, *kind;
	enum scx_exit_kind number;
} reasons[] = {
	{ "unregistered from user space", "unreg", SCX_EXIT_UNREG },
	{ "unregistered from BPF", "unreg_bpf", SCX_EXIT_UNREG_BPF },
	{ "unregistered from the main kernel", "unreg_kern", SCX_EXIT_UNREG_KERN },
	{ "disabled by sysrq-S", "sysrq", SCX_EXIT_SYSRQ },
	{ "runtime error", "error", SCX_EXIT_ERROR },
	{ "scx_bpf_error", "error_bpf", SCX_EXIT_ERROR_BPF },
	{ "runnable task stall", "error_stall", SCX_EXIT_ERROR_STALL },
};

static const struct exit_reason *find_reason(const char *reason)
{
	static const struct exit_reason other = { "", "error", SCX_EXIT_ERROR };

	for (u32 i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!strcmp(reason, reasons[i].reason))
			return &reasons[i];
	return &other;
}

const char *kmsg_exit_kind(const char *reason)
{
	return find_reason(reason)->kind;
}

enum scx_exit_kind kmsg_exit_number(const char *reason)
{
	return find_reason(reason)->number;
}

static void read_line(const char *text, u64 time, struct kmsg_exit *exit)
{
	const char *disabled = strstr(text, DISABLED), *name;
	size_t len = strlen(exit->name);

	if (disabled && !strncmp(text, "BPF scheduler \"", 15)) {
		name = text + 15;
		snprintf(exit->name, sizeof(exit->name), "%.*s", (int)(disabled - name), name);
		snprintf(exit->reason, sizeof(exit->reason), "%s", disabled + strlen(DISABLED));
		exit->reason[strcspn(exit->reason, ")")] = '\0';
		exit->message[0] = '\0';
		exit->time = time;
		exit->seen = true;
	} else if (exit->seen && len && !strncmp(text, exit->name, len) && text[len] == ':') {
		snprintf(exit->message, sizeof(exit->message), "%s", text + len + 2);
	}
}

/* A record is "level,seq,microseconds,flags;text\n" and lines of detail that begin with a space. */
void kmsg_read(int fd, struct kmsg_exit *exit, struct strbuf *lines)
{
	char buf[8192];
	u64 time_us;
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
		if (strncmp(text, PREFIX, strlen(PREFIX)))
			continue;
		if (sscanf(buf, "%*u,%*u,%llu", &time_us) != 1)
			time_us = 0;
		read_line(text + strlen(PREFIX), time_us * NSEC_PER_USEC, exit);
	}
}
