/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are read or written whole. */
#ifndef VRT_BASE_FILE_H
#define VRT_BASE_FILE_H

#include "util.h"

struct strbuf;

/* Is @path a file of bytes, rather than a directory, a device or nothing? */
bool file_is_regular(const char *path);
/*
 * Appends the bytes of @path to @sb. 0 or -errno; -EFBIG: there are more than
 * @max, some of which are in @sb.
 */
int file_read(const char *path, size_t max, struct strbuf *sb);
/* Makes or replaces @path. 0 or -errno: a file that was begun is then removed again. */
int file_write(const char *path, const void *data, size_t len);

#endif
