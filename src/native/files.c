// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of native tasks are real ones, in a directory of their own that is made
 * with the first and removed in the end: "/etc/x" is "/tmp/vrt-.../etc/x". The
 * calls are real system calls; call sites are what the binary has.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#define ROOT_TEMPLATE "/tmp/vrt-XXXXXX"
#define READ_SIZE 65536 /* at once, and no more than that */

static char root[] = ROOT_TEMPLATE;
static bool root_made;

static int make_root(void)
{
	if (root_made)
		return 0;
	strcpy(root, ROOT_TEMPLATE);
	mkdir("/tmp", 01777); /* a guest may have none */
	root_made = mkdtemp(root);
	return root_made ? 0 : -errno;
}

/* Relative paths stay what they are. */
static void below_root(char real[PATH_MAX], const char *path)
{
	snprintf(real, PATH_MAX, "%s%s", *path == '/' ? root : "", path);
}

static int make_parents(char *real)
{
	for (char *slash = real + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(real, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

int kernel_make_file(const char *path, u64 size)
{
	char real[PATH_MAX];
	int err = make_root(), fd;

	if (err)
		return err;
	below_root(real, path);
	err = make_parents(real);
	if (err)
		return err;
	fd = open(real, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	err = ftruncate(fd, size) ? -errno : 0;
	close(fd);
	return err;
}

int sys_openat2(const char *path, u64 flags)
{
	const struct open_how how = { .flags = flags | O_CLOEXEC };
	char real[PATH_MAX];
	long fd;

	below_root(real, path);
	fd = syscall(SYS_openat2, AT_FDCWD, real, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int sys_close(int fd)
{
	return close(fd) ? -errno : 0;
}

s64 sys_read(int fd, u64 count)
{
	static char buf[READ_SIZE]; /* native_lock() is held */
	ssize_t n = read(fd, buf, min(count, (u64)sizeof(buf)));

	return n < 0 ? -errno : n;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	remove(path);
	return 0;
}

void native_files_exit(void)
{
	if (root_made)
		nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	root_made = false;
}
