/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The facade: libbpf's view of the kernel. The copy of libbpf that we link has
 * its calls into libc renamed (libbpf.syms), so that they end here and nobody
 * else's do. bpf(2) goes to vrt_bpf(), files that tell about the kernel and its
 * CPUs show the simulated machine, and descriptors of BPF objects are followed
 * through their life. Everything else is passed on to libc.
 *
 * Signatures and errors are libc's. Who else holds descriptors of BPF objects
 * must close, duplicate and map them with these functions too: a close that the
 * facade does not see releases nothing.
 *
 * libbpf never reaches the host's kernel: without a bpf_init() before it, bpf(2)
 * is ENOSYS, and a file below /sys/kernel, /boot and the like that is not shown
 * here does not exist. Unless facade_host() was called: then there is no
 * simulated machine in this process, and all of this is libc's own.
 */
#ifndef VRT_LOADER_FACADE_H
#define VRT_LOADER_FACADE_H

#include <stdio.h>
#include <sys/types.h>

#include "../base/util.h"
#include "../bpf/generation.h"

struct epoll_event;
struct utsname;

/*
 * For good, as libbpf remembers what it has found out about its kernel. Neither
 * before nor after bpf_init(), but instead of it.
 */
void facade_host(void);
bool facade_is_host(void);

/* What uname(2) tells of Linux's version, and CONFIG_HZ of its configuration. */
void facade_set_generation(enum kernel_generation generation);
void facade_set_hz(u32 hz);

/* facade.c: system calls (those that libbpf makes; others: ENOSYS) and descriptors */
long facade_syscall(long number, ...);
int facade_close(int fd);
int facade_fcntl(int fd, int cmd, ...);
void *facade_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
int facade_munmap(void *addr, size_t length);

/*
 * host_periodic.c: bpf(2) of the host, with SEC("periodic/...") as tables of its
 * module schedbpf. And the system call itself.
 */
enum bpf_cmd;
union bpf_attr;
long host_bpf(enum bpf_cmd cmd, union bpf_attr *attr, u32 size);
long host_syscall_bpf(enum bpf_cmd cmd, union bpf_attr *attr, u32 size);

/* facade_files.c: paths */
int facade_open(const char *path, int flags, ...);
FILE *facade_fopen(const char *path, const char *mode);
/* zlib's gzFile */
void *facade_gzopen(const char *path, const char *mode);
int facade_access(const char *path, int mode);
int facade_faccessat(int dir, const char *path, int mode, int flags);
int facade_uname(struct utsname *name);

/*
 * facade_poll.c: ring buffers under epoll. Nothing happens in the machine while
 * its user waits, so a wait on a set that has BPF objects never sleeps.
 */
int facade_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int facade_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout);
/* @fd is about to be closed: forgets it as a set and as a member. */
void facade_poll_closing(int fd);

#endif
