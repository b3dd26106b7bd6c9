/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debian's packages of kernel sources, linux-source-VERSION: which one, where it
 * is, what is in it.
 */
#ifndef VRT_VM_SOURCE_H
#define VRT_VM_SOURCE_H

#include "archive.h"

struct source {
	char *package, *version; /* "linux-source-6.12", "6.12.95-1" */
	char *given; /* the file, if a user has it */
	struct archive archive; /* dir is NULL unless open */
};

/*
 * Finds the newest package for a kernel "6.12" in the archive, or looks at the
 * one whose path (with a '/') is given. 0, or -errno with a message. To be closed
 * in both cases.
 */
int source_find(struct source *s, const char *wanted, void (*say)(const char *line), char *err,
		size_t err_size);
void source_close(struct source *s);

/* Makes sure that the package is there, as @file unless the user gave it. */
int source_download(const struct source *s, const char *file);
/* Unpacks the kernel's tree into the directory @tree, which is empty. */
int source_unpack(const struct source *s, const char *file, const char *tree);

#endif
