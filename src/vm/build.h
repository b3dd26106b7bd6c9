/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernels of our own for guests, built from a Debian package of kernel sources
 * and kept in the cache of kernels.h.
 *
 * Each build has a directory builds/PACKAGE_VERSION_KEY below the cache: the
 * package until it is unpacked, then the tree, and make's log. It stays when a
 * build ends early, and the next one goes on with it. One build at a time.
 */
#ifndef VRT_VM_BUILD_H
#define VRT_VM_BUILD_H

#include "../base/util.h"

#define BUILD_DEFAULT_VERSION "6.12"

struct build_options {
	/* Debian's linux-source-VERSION, or path of such a package; NULL: the default */
	const char *wanted;
	const char *recipe; /* directory, see recipe.h */
	u32 jobs; /* 0: as many as CPUs */
	bool keep; /* the tree */
	void (*say)(const char *line); /* about each step */
	void (*progress)(u32 done, u32 total, const char *step); /* as in make.h; may be NULL */
};

/*
 * Builds the kernel, unless the cache has just that one. Its release in @release;
 * 0, or -errno with a message. -EINTR: a signal came, make_signal() tells which;
 * those are for make.h from the beginning of this call to its end.
 */
int kernel_build(const struct build_options *o, char *release, size_t release_size, char *err,
		 size_t err_size);

/* Directories of builds that did not end, or were kept; each to be freed, and the array. */
char **kernel_builds(u32 *nr);

#endif
