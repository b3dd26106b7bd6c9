// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cache of compiled objects stays small: what was not used for the longest time
 * goes when there is too much. The time of a file's last use is its mtime.
 *
 * Others may use the cache, and trim it, at the same time: a file that is not there is
 * as good as one that was never made. Only files that are named as ours are looked at;
 * what another process left half written is among them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "internal.h"

struct kept {
	char *name;
	u64 size;
	struct timespec used;
};

struct kept_list {
	struct kept *items;
	u32 nr, room;
	u64 size;
};

/* SHA256.deps, SHA256.bpf.o, and the same with a process's number while it is written. */
static bool is_ours(const char *name)
{
	size_t hash = strspn(name, "0123456789abcdef");
	const char *rest = name + hash;

	if (hash != SHA256_HEX_SIZE - 1)
		return false;
	if (!strncmp(rest, ".deps", 5))
		rest += 5;
	else if (!strncmp(rest, ".bpf.o", 6))
		rest += 6;
	else
		return false;
	return !*rest || (*rest == '.' && rest[1] && !rest[1 + strspn(rest + 1, "0123456789")]);
}

static void add(struct kept_list *list, const char *name, const struct stat *st)
{
	if (list->nr == list->room) {
		list->room = max(2 * list->room, 64U);
		list->items = xreallocarray(list->items, list->room, sizeof(*list->items));
	}
	/* what a file takes on the disk, which is more than its size when it is small */
	list->items[list->nr++] = (struct kept){ .name = xstrdup(name),
						 .size = (u64)st->st_blocks * 512,
						 .used = st->st_mtim };
	list->size += (u64)st->st_blocks * 512;
}

static void list_files(DIR *dir, struct kept_list *list)
{
	struct dirent *entry;
	struct stat st;

	while ((entry = readdir(dir)))
		if (is_ours(entry->d_name) &&
		    !fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			add(list, entry->d_name, &st);
}

/* The one that was used last first; by name, if both were at the same time. */
static int by_use(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec > y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec > y->used.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

void object_cache_trim(const char *path, u64 limit)
{
	DIR *dir = opendir(path);
	struct kept_list list = {};

	if (!dir)
		return;
	list_files(dir, &list);
	if (list.size > limit) {
		qsort(list.items, list.nr, sizeof(*list.items), by_use);
		/* some more than must, so that not every object that is kept costs a look at all */
		for (u32 i = list.nr; i-- && list.size > limit - limit / 4;) {
			unlinkat(dirfd(dir), list.items[i].name, 0);
			list.size -= list.items[i].size;
		}
	}
	for (u32 i = 0; i < list.nr; i++)
		free(list.items[i].name);
	free(list.items);
	closedir(dir);
}

void object_cache_used(const char *path)
{
	utimensat(AT_FDCWD, path, NULL, 0);
}
