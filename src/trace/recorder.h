/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps the event stream in a file. The suffix chooses the format:
 *
 *	.bin	a header of TRACE_FILE_HEADER bytes, then the records as they are
 *	.txt	ftrace's text, which trace-cmd, LISA and ui.perfetto.dev read
 */
#ifndef VRT_TRACE_RECORDER_H
#define VRT_TRACE_RECORDER_H

#include "../sched/tracepoint.h"

struct recorder;

#define TRACE_FILE_MAGIC "VRTRACE"
#define TRACE_FILE_VERSION 1
#define TRACE_FILE_HEADER 32

/* Little-endian. */
struct trace_file_header {
	char magic[8];
	u32 version;
	u32 header_size, record_size;
	u32 nr_cpus;
	u64 reserved; /* 0 */
};

/* Is the suffix of @path one that is known? Says which are. 0 or -errno. */
int recorder_check_path(const char *path, char *err, size_t err_size);
/* NULL with a message: an unknown suffix, or a file that cannot be made. */
struct recorder *recorder_open(const char *path, u32 nr_cpus, char *err, size_t err_size);
void recorder_feed(struct recorder *r, const struct trace_record *rec);
/*
 * Ends the file and frees. 0, or -errno with a message when something could
 * not be written: the file is then incomplete.
 */
int recorder_close(struct recorder *r, char *err, size_t err_size);

#endif
