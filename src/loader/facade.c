// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls and descriptors of libbpf (see facade.h).
 *
 * Invariant: the objects of src/bpf hear of every duplicate after it was made,
 * and of every end of a descriptor before it happens.
 */
#include "facade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../bpf/bpf.h"
#include "../bpf/map.h"

/* --- whose kernel --------------------------------------------------------- */

static bool host;

void facade_host(void)
{
	VRT_ASSERT(!bpf_env);
	host = true;
}

bool facade_is_host(void)
{
	return host;
}

/* --- descriptors ---------------------------------------------------------- */

static void closing(int fd)
{
	if (host)
		return;
	facade_poll_closing(fd);
	bpf_fd_closing(fd);
}

int facade_close(int fd)
{
	closing(fd);
	return close(fd);
}

/* Would dup3() succeed? What @new was is given up before the call. */
static bool dup3_is_valid(int old, int new, int flags)
{
	return old != new && new >= 0 && !(flags & ~O_CLOEXEC) && fcntl(old, F_GETFD) >= 0;
}

static int facade_dup3(int old, int new, int flags)
{
	int fd;

	if (dup3_is_valid(old, new, flags))
		closing(new);
	fd = dup3(old, new, flags);
	if (fd >= 0 && !host)
		bpf_fd_duplicated(fd);
	return fd;
}

int facade_fcntl(int fd, int cmd, ...)
{
	va_list args;
	long arg;
	int ret;

	va_start(args, cmd);
	arg = va_arg(args, long);
	va_end(args);
	ret = fcntl(fd, cmd, arg);
	if (ret >= 0 && !host && (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC))
		bpf_fd_duplicated(ret);
	return ret;
}

/* --- memory --------------------------------------------------------------- */

void *facade_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	if (!host && !(flags & MAP_ANONYMOUS) && bpf_fd_is_ours(fd))
		return bpf_map_mmap(fd, addr, length, prot, flags, offset);
	if (!host && flags & MAP_FIXED)
		bpf_map_munmap_notice(addr, length);
	return mmap(addr, length, prot, flags, fd, offset);
}

int facade_munmap(void *addr, size_t length)
{
	if (!host)
		bpf_map_munmap_notice(addr, length);
	return munmap(addr, length);
}

/* --- syscall() ------------------------------------------------------------ */

long host_syscall_bpf(enum bpf_cmd cmd, union bpf_attr *attr, u32 size)
{
	return syscall(__NR_bpf, cmd, attr, size);
}

static long sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr, u32 size)
{
	long ret;

	if (host)
		return host_bpf(cmd, attr, size);
	ret = bpf_env ? vrt_bpf(cmd, attr, size) : -ENOSYS;
	if (ret >= 0)
		return ret;
	errno = (int)-ret;
	return -1;
}

/* The calls that libbpf makes; how many arguments were passed follows from the number alone. */
long facade_syscall(long number, ...)
{
	long arg[5] = {};
	va_list args;
	u32 nr = 0;

	if (number == __NR_bpf || number == __NR_dup3)
		nr = 3;
	else if (number == __NR_memfd_create)
		nr = 2;
	else if (number == __NR_perf_event_open)
		nr = 5;
	va_start(args, number);
	for (u32 i = 0; i < nr; i++)
		arg[i] = va_arg(args, long);
	va_end(args);

	switch (number) {
	case __NR_bpf:
		return sys_bpf((enum bpf_cmd)arg[0], (union bpf_attr *)arg[1], (u32)arg[2]);
	case __NR_dup3:
		return facade_dup3((int)arg[0], (int)arg[1], (int)arg[2]);
	case __NR_memfd_create:
		return memfd_create((const char *)arg[0], (unsigned int)arg[1]);
	case __NR_perf_event_open:
		if (host)
			return syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4]);
		break; /* a kernel without performance events */
	}
	errno = ENOSYS;
	return -1;
}
