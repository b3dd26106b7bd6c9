/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls of the simulated kernel as tracing programs see them: registers,
 * arguments in memory, and the functions that fentry and fexit programs can be
 * attached to (x86-64; arch/x86/entry/syscalls/syscall_64.tbl of Linux).
 */
#ifndef VRT_KERNEL_SYSCALLS_H
#define VRT_KERNEL_SYSCALLS_H

#include "types.h"

/* What bpf_tracing.h's PT_REGS_*() read. At a system call: orig_ax, di, si, dx, r10, ip. */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};
typedef struct pt_regs bpf_user_pt_regs_t;

/* The last argument of openat2(2). */
struct open_how {
	__u64 flags;
	__u64 mode;
	__u64 resolve;
};

#ifdef KFUNC
KFUNC(long, do_sys_openat2, int dfd, const char *filename, struct open_how *how);
#endif

#endif
