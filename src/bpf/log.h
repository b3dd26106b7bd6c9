/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of a load, in the caller's log_buf with the kernel's rules: level 1
 * and 2 keep the end of the text and always terminate it; without BPF_LOG_FIXED
 * the end is kept and the beginning dropped; log_true_size tells what size all of
 * it would have needed.
 */
#ifndef VRT_BPF_LOG_H
#define VRT_BPF_LOG_H

#include <stdarg.h>

#include "../base/util.h"

/* Bits of log_level, as Linux has them (they are in no UAPI header). */
#define BPF_LOG_LEVEL1 1
#define BPF_LOG_LEVEL2 2
#define BPF_LOG_STATS 4
#define BPF_LOG_FIXED 8

struct bpf_log {
	u32 level;
	char *ubuf;
	u32 size;
	u64 total; /* where the text ends */
	u64 start; /* of what has not been overwritten */
	u64 most; /* what total was at most */
};

/* -EINVAL for a level, buffer and size that do not go together. */
int bpf_log_init(struct bpf_log *log, u32 level, void *ubuf, u32 size);
/* @log NULL or of level 0: nothing happens. */
__printf(2, 3) void bpf_log(struct bpf_log *log, const char *fmt, ...);
void bpf_vlog(struct bpf_log *log, const char *fmt, va_list args);
/* The text ends at @pos, which it had reached before, again. */
void bpf_log_reset(struct bpf_log *log, u64 pos);
/* Puts the text in place. -ENOSPC if it was cut; *true_size gets its full size. */
int bpf_log_finish(struct bpf_log *log, u32 *true_size);

#endif
