/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a ghOSt policy needs: the helpers, which bpf_helpers.h does not know, and
 * the error numbers that it meets. Types and flags come from vmlinux.h.
 *
 * A policy is two programs. SEC("ghost_msg/msg_send") hears everything that
 * happens to tasks and CPUs; SEC("ghost_sched/pnt") is asked at the start of
 * every pick of a CPU what shall run there.
 */
#ifndef VRT_GHOST_BPF_H
#define VRT_GHOST_BPF_H

#include <vmlinux.h>

#include <bpf/bpf_helpers.h>

/* Lets the agent task of @cpu run. */
static long (*const bpf_ghost_wake_agent)(__u32 cpu) = (void *)3000;
/*
 * Latches a task: it runs next on this CPU, unless a class above ghOSt comes. Only
 * from ghost_sched/pnt. @task_barrier is the number of the last message about the
 * task: if there has been another one since, the call fails with ESTALE.
 */
static long (*const bpf_ghost_run_gtid)(__s64 gtid, __u32 task_barrier,
					__s32 run_flags) = (void *)3001;
/*
 * Makes @cpu pick again if it runs a ghOSt task or idles. What runs there must go
 * if nothing has happened on the CPU since the message with @cpu_seqnum.
 */
static long (*const bpf_ghost_resched_cpu)(__u32 cpu, __u64 cpu_seqnum) = (void *)3002;
/* The same by enum ghost_resched_flags. EPERM: something else runs there. */
static long (*const bpf_ghost_resched_cpu2)(__u32 cpu, __u32 flags) = (void *)3003;

#define EPERM 1
#define ENOENT 2
#define E2BIG 7
#define EBUSY 16
#define EEXIST 17
#define EXDEV 18
#define ENODEV 19
#define EINVAL 22
#define ENOSPC 28
#define ERANGE 34
#define ESTALE 116

#endif
