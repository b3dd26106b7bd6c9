/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory for the files of a bundle, which is gone when vrt is. */
#ifndef VRT_CLI_SCRATCH_H
#define VRT_CLI_SCRATCH_H

#include "../base/util.h"

struct strbuf;

/*
 * Makes it, in $TMPDIR or /tmp, and makes it the current directory. It is removed
 * by scratch_remove(), and when a signal ends vrt. 0 or -errno with a message. One
 * at a time.
 */
int scratch_make(char *err, size_t err_size);
/* A file in it: "name" or "directory/name". 0 or -errno with a message. */
int scratch_add(const char *name, const struct strbuf *content, char *err, size_t err_size);
/* With all that was added. The current directory is then the one of before. */
void scratch_remove(void);

#endif
