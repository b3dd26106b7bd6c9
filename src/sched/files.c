// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that simulated tasks open: which there are, and which a process has
 * open. As much as tracing needs: names, sizes, descriptors and errors; no
 * directories, no rights, no content.
 *
 * A new process begins without descriptors, as if it had executed a program
 * whose parent opens everything O_CLOEXEC. No lock: every call begins at global
 * now and is atomic from there.
 */
#include <fcntl.h>
#include <limits.h>

#include "../base/alloc.h"
#include "../base/hash.h"
#include "syscall.h"

#define FIRST_FD 3 /* after standard input, output and error */
#define NR_OPEN_MAX 1024 /* RLIMIT_NOFILE */
#define FILE_BUCKETS 16384

struct file {
	char *path;
	u64 size;
	struct file *next;
};

struct open_file {
	const struct file *file; /* NULL: the descriptor is free */
	u64 pos;
	bool readable;
};

/* Of a process. */
struct files {
	u32 users; /* threads */
	u32 nr; /* of @open; grows */
	struct open_file *open; /* from FIRST_FD on */
};

static struct file *files[FILE_BUCKETS];

/* --- what there is ------------------------------------------------------------------ */

static struct file **find_file(const char *path)
{
	struct file **f = &files[hash64(path, strlen(path), 0) % FILE_BUCKETS];

	while (*f && strcmp((*f)->path, path))
		f = &(*f)->next;
	return f;
}

int kernel_make_file(const char *path, u64 size)
{
	struct file **f = find_file(path);

	if (*f)
		return -EEXIST;
	*f = xcalloc(1, sizeof(**f));
	(*f)->path = xstrdup(path);
	(*f)->size = size;
	return 0;
}

void files_forget(void)
{
	for (u32 i = 0; i < FILE_BUCKETS; i++) {
		while (files[i]) {
			struct file *next = files[i]->next;

			free(files[i]->path);
			free(files[i]);
			files[i] = next;
		}
	}
}

/* --- of processes --------------------------------------------------------------------- */

void files_fork(struct task *t, const struct task *leader)
{
	t->files = leader ? leader->files : xcalloc(1, sizeof(*t->files));
	if (t->files)
		t->files->users++;
}

void files_exit(struct task *t)
{
	struct files *f = t->files;

	t->files = NULL;
	if (!f || --f->users)
		return;
	free(f->open);
	free(f);
}

/* The lowest free descriptor, or -EMFILE. */
static int unused_fd(struct files *f)
{
	u32 i = 0;

	while (i < f->nr && f->open[i].file)
		i++;
	if (i + FIRST_FD >= NR_OPEN_MAX)
		return -EMFILE;
	if (i == f->nr) {
		f->nr = max(f->nr * 2, 16u);
		f->open = xreallocarray(f->open, f->nr, sizeof(*f->open));
		memset(&f->open[i], 0, (f->nr - i) * sizeof(*f->open));
	}
	return i + FIRST_FD;
}

static struct open_file *open_file(s32 fd)
{
	struct files *f = current_task()->files;

	if (!f || fd < FIRST_FD || (u32)fd - FIRST_FD >= f->nr || !f->open[fd - FIRST_FD].file)
		return NULL;
	return &f->open[fd - FIRST_FD];
}

/* --- calls -------------------------------------------------------------------------------- */

static int find_or_create(const char *path, u64 flags, struct file **file)
{
	*file = *find_file(path);
	if (*file)
		return flags & O_CREAT && flags & O_EXCL ? -EEXIST :
		       flags & O_DIRECTORY ? -ENOTDIR : 0;
	if (!(flags & O_CREAT))
		return -ENOENT;
	kernel_make_file(path, 0);
	*file = *find_file(path);
	return 0;
}

/* The order in which errors are found is Linux's. */
static int do_open(const char *path, u64 flags)
{
	struct files *f = current_task()->files;
	int fd, err;
	struct file *file;

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = f ? unused_fd(f) : -EMFILE;
	if (fd < 0)
		return fd;
	err = find_or_create(path, flags, &file);
	if (err)
		return err;
	if (flags & O_TRUNC && (flags & O_ACCMODE) != O_RDONLY)
		file->size = 0;
	f->open[fd - FIRST_FD] = (struct open_file){
		.file = file,
		.readable = (flags & O_ACCMODE) != O_WRONLY && !(flags & O_PATH),
	};
	return fd;
}

int sys_openat2(const char *path, u64 flags)
{
	const struct open_how how = { .flags = flags };
	int ret;

	syscall_openat2(path, &how);
	charge_overhead(TRACE_OVH_SYSCALL, costs.syscall + costs.open);
	cpu_sync();
	ret = do_open(path, flags);
	syscall_return(ret);
	return ret;
}

int sys_close(int fd)
{
	struct open_file *f;

	syscall_enter(SYSCALL_CLOSE, fd, 0);
	task_charge_syscall();
	cpu_sync();
	f = open_file(fd);
	if (f)
		f->file = NULL;
	syscall_return(f ? 0 : -EBADF);
	return f ? 0 : -EBADF;
}

s64 sys_read(int fd, u64 count)
{
	struct open_file *f;
	s64 ret = -EBADF;

	syscall_enter(SYSCALL_READ, fd, count);
	charge_overhead(TRACE_OVH_SYSCALL, costs.syscall + costs.read);
	cpu_sync();
	f = open_file(fd);
	if (f && f->readable) {
		ret = min(count, f->file->size - min(f->pos, f->file->size));
		f->pos += ret;
	}
	syscall_return(ret);
	return ret;
}
