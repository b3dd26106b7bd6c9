/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls as tracing programs see them: the registers at entry and exit, the
 * functions of the kernel that carry them out, and their tracepoints. x86-64.
 *
 * A function that is listed here has a FUNC in the kernel BTF, so that fentry
 * and fexit programs find it, and is a place to attach to in
 * src/sched/trace_events.h. Only functions are listed whose arguments the
 * simulated kernel has. Pointers that Linux marks __user point into the memory
 * of the task: bpf_probe_read_user() reads them.
 */
#ifndef VRT_KERNEL_SYSCALLS_H
#define VRT_KERNEL_SYSCALLS_H

#include "types.h"

/*
 * Of user space when it made the call: orig_ax is the number; di, si, dx, r10, r8
 * and r9 are the arguments, those that are known; ip is where the call was made. ax
 * is -ENOSYS until the call returns, then the result.
 */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};
typedef struct pt_regs bpf_user_pt_regs_t;

/* Of openat2(2). */
struct open_how {
	u64 flags, mode, resolve;
};

/* _(number, name, NAME): system calls that simulated tasks make. */
#define KERNEL_SYSCALLS(_)                                                                         \
	_(0, read, READ)                                                                           \
	_(1, write, WRITE)                                                                         \
	_(3, close, CLOSE)                                                                         \
	_(24, sched_yield, SCHED_YIELD)                                                            \
	_(44, sendto, SENDTO)                                                                      \
	_(45, recvfrom, RECVFROM)                                                                  \
	_(60, exit, EXIT)                                                                          \
	_(144, sched_setscheduler, SETSCHEDULER)                                                   \
	_(202, futex, FUTEX)                                                                       \
	_(203, sched_setaffinity, SETAFFINITY)                                                     \
	_(230, clock_nanosleep, CLOCK_NANOSLEEP)                                                   \
	_(435, clone3, CLONE3)                                                                     \
	_(437, openat2, OPENAT2)

/*
 * _(result, name, number of parameters, (parameters)): functions below the entry
 * points __x64_sys_<name>(const struct pt_regs *regs), of which each call has one.
 * Not more than five parameters: clang cannot describe such functions for BPF.
 */
#define KERNEL_FUNCTIONS(_)                                                                        \
	_(long, do_sys_openat2, 3, (int dfd, const char *filename, struct open_how *how))          \
	_(ssize_t, ksys_read, 3, (unsigned int fd, char *buf, size_t count))                       \
	_(ssize_t, ksys_write, 3, (unsigned int fd, const char *buf, size_t count))                \
	_(int, futex_wait, 5,                                                                      \
	  (u32 *uaddr, unsigned int flags, u32 val, ktime_t *abs_time, u32 bitset))                \
	_(int, futex_wake, 4, (u32 *uaddr, unsigned int flags, int nr_wake, u32 bitset))           \
	_(long, hrtimer_nanosleep, 3,                                                              \
	  (ktime_t rqtp, const enum hrtimer_mode mode, const clockid_t clockid))                   \
	_(void, do_sched_yield, 0, (void))                                                         \
	_(void, do_exit, 1, (long code))

/* Of hrtimer_nanosleep(). */
enum hrtimer_mode {
	HRTIMER_MODE_ABS = 0,
	HRTIMER_MODE_REL = 1,
};

#ifdef __bpf__
typedef long ssize_t;
typedef s64 ktime_t;
typedef int clockid_t;

#define KERNEL_FUNCTION(ret, name, nr, params)                                                     \
	ret name params                                                                            \
	{                                                                                          \
		return (ret)0;                                                                     \
	}
#define KERNEL_ENTRY_POINT(nr, name, NAME)                                                         \
	KERNEL_FUNCTION(long, __x64_sys_##name, 1, (const struct pt_regs *regs))
KERNEL_FUNCTIONS(KERNEL_FUNCTION)
KERNEL_SYSCALLS(KERNEL_ENTRY_POINT)
#undef KERNEL_FUNCTION
#undef KERNEL_ENTRY_POINT
#endif

#endif
