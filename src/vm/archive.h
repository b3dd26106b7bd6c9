/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debian's archive, read by an ordinary user: apt works in a directory of ours,
 * with the mirror that this machine uses and the suites of the release in which
 * Debian publishes recent kernels, or of this machine's. Nothing is installed.
 */
#ifndef VRT_VM_ARCHIVE_H
#define VRT_VM_ARCHIVE_H

#include "../base/util.h"

enum archive_suites {
	ARCHIVE_STABLE = 1,
	ARCHIVE_SECURITY = 2, /* left out if this machine uses no such mirror */
	ARCHIVE_BACKPORTS = 4,
	/* of this machine's own release instead: what its compiler can build for */
	ARCHIVE_OWN_RELEASE = 8,
};

struct archive {
	char *dir; /* ours: downloads come here, all of it goes with archive_close() */
	const char *instead; /* what users without apt can do: "give ..." */
	void (*say)(const char *line);
	char *err; /* messages of all that fails */
	size_t err_size;
};

/* @a: all but dir is set. Reads the lists of packages. 0, or -errno with a message. */
int archive_open(struct archive *a, unsigned int suites);
void archive_close(struct archive *a);

/*
 * Runs @program with the arguments that follow, the last NULL, in the archive's
 * directory; apt's programs see its packages. Its output, to be freed; NULL with
 * a message.
 */
char *archive_run(const struct archive *a, const char *program, ...);
/* The same of which only the success counts. */
bool archive_run_quietly(const struct archive *a, const char *program, const char *arg1,
			 const char *arg2, const char *arg3);

__printf(2, 3) void archive_say(const struct archive *a, const char *fmt, ...);

#endif
