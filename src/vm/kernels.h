/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernels for guests: where they are kept, how one is chosen, how to get one.
 *
 * Each has a directory kernels/RELEASE below the cache with the image "vmlinuz";
 * one that was looked at and is of no use has a file "refused" that says why, and
 * one that was built here a file "key" with what it was built from (build.h). One
 * for which the module schedbpf was built has that, too (module.h).
 */
#ifndef VRT_VM_KERNELS_H
#define VRT_VM_KERNELS_H

#include "../base/util.h"

struct kernel_entry {
	char *release; /* "7.0.13+deb13-cloud-amd64" */
	char *path; /* of the image; NULL: refused */
	char *refused; /* why, or NULL */
	char *key; /* of one that was built here, or NULL */
	char *module_key; /* of the module that is there for it, or NULL */
};

/* What kernel_find() takes for the newest kernel that has the module. */
#define KERNEL_WITH_MODULE "schedbpf"

struct kernel_list {
	struct kernel_entry *entries; /* the newest first */
	u32 nr;
};

/* What the cache has. -errno with a message when there is no cache. */
int kernels_list(struct kernel_list *list, char *err, size_t err_size);
void kernels_free(struct kernel_list *list);

/*
 * The image for @wanted, to be freed: a path; a release or the beginning of one
 * ("6.19"); KERNEL_WITH_MODULE; NULL: the newest in the cache. NULL with a message that says what
 * there is and how to get more.
 */
char *kernel_find(const char *wanted, char *err, size_t err_size);

/* < 0, 0, > 0 as @a is older than, as old as, newer than @b: numbers count as such. */
int release_compare(const char *a, const char *b);
/* Is @wanted the release, or its beginning up to a dot, '+' or '-'? */
bool release_matches(const char *release, const char *wanted);

/*
 * Fetches the newest kernel of the archive's package suites that is of use
 * (kernel_offers_sched_ext()), or the newest that matches @wanted (may be NULL).
 * Needs apt and dpkg-deb, but no root: apt is given directories of its own and
 * the archive that this machine's configuration names. @say: a line about each
 * step. The release in @release on success; 0, or -errno with a message.
 */
int kernel_fetch(const char *wanted, void (*say)(const char *line), char *release,
		 size_t release_size, char *err, size_t err_size);

/*
 * The module beside the image @path, to be freed: what kernel_find() has given is
 * such an image. NULL: it has none.
 */
char *kernel_module_of(const char *path);
/* Of the module that was built with it, to be measured beside it. */
char *kernel_bench_module_of(const char *path);
/* A path in the directory of @release, which is made; to be freed. NULL with a message. */
char *kernel_place(const char *release, const char *name, char *err, size_t err_size);
/* Keeps the module in file @from, and the one in @bench. */
int kernel_store_module(const char *release, const char *from, const char *bench, const char *key,
			char *err, size_t err_size);

/* Keeps the image in file @from as @release (@key: NULL or as above), or why it is refused. */
int kernel_store(const char *release, const char *from, const char *key, char *err,
		 size_t err_size);
int kernel_store_refusal(const char *release, const char *why, char *err, size_t err_size);

#endif
