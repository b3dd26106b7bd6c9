// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace files: which format, and the writing. Write errors are remembered by
 * the stream and reported once, when the file is closed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "ftrace.h"
#include "recorder.h"

_Static_assert(sizeof(struct trace_file_header) == TRACE_FILE_HEADER, "the file format");

struct recorder {
	FILE *out;
	char *path;
	struct ftrace *ftrace; /* NULL: records as they are */
};

static bool has_suffix(const char *path, const char *suffix)
{
	size_t len = strlen(path), n = strlen(suffix);

	return len > n && !strcmp(path + len - n, suffix);
}

int recorder_check_path(const char *path, char *err, size_t err_size)
{
	if (has_suffix(path, ".bin") || has_suffix(path, ".txt"))
		return 0;
	return vrt_error(err, err_size, -EINVAL,
			 "%s: the suffix chooses the format of a trace: expected a name that ends "
			 "in .txt (ftrace text) or .bin (binary records)",
			 path);
}

static void write_header(const struct recorder *r, u32 nr_cpus)
{
	struct trace_file_header header = {
		.magic = TRACE_FILE_MAGIC,
		.version = TRACE_FILE_VERSION,
		.header_size = sizeof(header),
		.record_size = sizeof(struct trace_record),
		.nr_cpus = nr_cpus,
	};

	fwrite(&header, sizeof(header), 1, r->out);
}

struct recorder *recorder_open(const char *path, u32 nr_cpus, char *err, size_t err_size)
{
	struct recorder *r;
	FILE *out;

	if (recorder_check_path(path, err, err_size))
		return NULL;
	out = fopen(path, "we");
	if (!out) {
		vrt_error(err, err_size, -errno, "%s: cannot write the trace here: %s", path,
			  strerror(errno));
		return NULL;
	}
	r = xcalloc(1, sizeof(*r));
	r->out = out;
	r->path = xstrdup(path);
	if (has_suffix(path, ".txt")) {
		r->ftrace = ftrace_new(nr_cpus, false);
		ftrace_header(r->ftrace, out);
	} else {
		write_header(r, nr_cpus);
	}
	return r;
}

void recorder_feed(struct recorder *r, const struct trace_record *rec)
{
	if (r->ftrace)
		ftrace_feed(r->ftrace, rec, r->out);
	else
		fwrite(rec, sizeof(*rec), 1, r->out);
}

int recorder_close(struct recorder *r, char *err, size_t err_size)
{
	int ret = 0;
	bool bad;

	if (!r)
		return 0;
	bad = ferror(r->out);
	bad |= fclose(r->out) != 0;
	if (bad)
		ret = vrt_error(err, err_size, -EIO,
				"%s: the trace is incomplete: it could not be written to the end "
				"(is the disk full?)",
				r->path);
	if (r->ftrace)
		ftrace_free(r->ftrace);
	free(r->path);
	free(r);
	return ret;
}
