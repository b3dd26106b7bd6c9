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

void bpf_log(struct bpf_log *log, const char *fmt, ...)
{
	char line[LINE_MAX_SIZE];
	va_list args;
	int n, i;

	if (!log || !log->level)
		return;
	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
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
}

static void reverse(char *buf, u32 start, u32 end)
{
	for (; start + 1 < end; start++) {
		char c = buf[start];

		buf[start] = buf[--end];
		buf[end] = c;
	}
}

int bpf_log_finish(struct bpf_log *log, u32 *true_size)
{
	u64 size;
	u32 first;

	*true_size = 0;
	if (!log->level || !log->total)
		return 0;
	size = log->total + 1;
	*true_size = min(size, (u64)UINT_MAX);
	if (!log->ubuf)
		return 0;
	if (log->level & BPF_LOG_FIXED) {
		log->ubuf[min(log->total, (u64)log->size - 1)] = '\0';
	} else {
		log->ubuf[log->total % log->size] = '\0';
		if (size > log->size) {
			/* the oldest byte that is left comes first */
			first = log->size - size % log->size;
			reverse(log->ubuf, 0, log->size);
			reverse(log->ubuf, 0, first);
			reverse(log->ubuf, first, log->size);
		}
	}
	return size > log->size ? -ENOSPC : 0;
}
