// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of a load. The text lives in the caller's buffer from the start:
 * with BPF_LOG_FIXED its beginning, otherwise its end, written round and round
 * and turned the right way by bpf_log_finish().
 */
#include "log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_SIZE 1024

int bpf_log_init(struct bpf_log *log, u32 level, void *ubuf, u32 size)
{
	*log = (struct bpf_log){ .level = level, .ubuf = ubuf, .size = size };
	if (!ubuf != !size || (ubuf && !level) || size > UINT_MAX >> 2)
		return -EINVAL;
	if (level & ~(BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2 | BPF_LOG_STATS | BPF_LOG_FIXED))
		return -EINVAL;
	return 0;
}

void bpf_vlog(struct bpf_log *log, const char *fmt, va_list args)
{
	char line[LINE_MAX_SIZE];
	int n, i;

	if (!log || !log->level)
		return;
	n = vsnprintf(line, sizeof(line), fmt, args);
	if (n < 0)
		return;
	n = min(n, LINE_MAX_SIZE - 1);
	for (i = 0; log->ubuf && i < n; i++) {
		u64 pos = log->total + i;

		if (!(log->level & BPF_LOG_FIXED))
			log->ubuf[pos % log->size] = line[i];
		else if (pos < log->size)
			log->ubuf[pos] = line[i];
	}
	log->total += n;
	log->most = max(log->most, log->total);
	if (log->total > log->start + log->size)
		log->start = log->total - log->size;
}

void bpf_log(struct bpf_log *log, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bpf_vlog(log, fmt, args);
	va_end(args);
}

void bpf_log_reset(struct bpf_log *log, u64 pos)
{
	if (!log || !log->level)
		return;
	VRT_ASSERT(pos <= log->total);
	log->total = pos;
	log->start = min(log->start, pos);
}

static void reverse(char *buf, u32 start, u32 end)
{
	for (; start + 1 < end; start++) {
		char c = buf[start];

		buf[start] = buf[--end];
		buf[end] = c;
	}
}

/* The text from log->start on, wherever that is in the buffer, to its beginning. */
static void straighten(struct bpf_log *log)
{
	u32 first;

	/* room for the terminator: one byte less */
	if (log->total - log->start == log->size)
		log->start++;
	first = log->start % log->size;
	log->ubuf[log->total % log->size] = '\0';
	if (!first)
		return;
	reverse(log->ubuf, 0, log->size);
	reverse(log->ubuf, 0, log->size - first);
	reverse(log->ubuf, log->size - first, log->size);
}

int bpf_log_finish(struct bpf_log *log, u32 *true_size)
{
	*true_size = 0;
	if (!log->level || !log->most)
		return 0;
	*true_size = min(log->most + 1, (u64)UINT_MAX);
	if (!log->ubuf)
		return 0;
	if (log->level & BPF_LOG_FIXED)
		log->ubuf[min(log->total, (u64)log->size - 1)] = '\0';
	else
		straighten(log);
	return log->most + 1 > log->size ? -ENOSPC : 0;
}
