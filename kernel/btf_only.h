/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is published to BPF programs without being used by the runtime: types
 * that libbpf's headers and programs name, the prototypes of tracepoints, and
 * typedefs that every vmlinux.h has. Only anchor.bpf.c includes this.
 */
#ifndef VRT_KERNEL_BTF_ONLY_H
#define VRT_KERNEL_BTF_ONLY_H

#include "sched.h"
#include "syscalls.h"
#include "types.h"

/* Linux has these as an enum, so every vmlinux.h does. */
#undef false
#undef true
enum {
	false = 0,
	true = 1,
};

typedef unsigned int uint;
typedef unsigned long ulong;
typedef unsigned short ushort;
typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
typedef __s8 int8_t;
typedef __s16 int16_t;
typedef __s32 int32_t;
typedef __s64 int64_t;
typedef unsigned long uintptr_t;
typedef int pid_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef unsigned int gfp_t;
typedef long long loff_t;

/* What programs that are given a map as an object (iterators) look at. */
struct bpf_map {
	const struct bpf_map_ops *ops;
	struct bpf_map *inner_map_meta;
	u32 key_size, value_size, max_entries, id;
};

/* Tracepoints: SEC("tp_btf/<name>") takes its arguments from btf_trace_<name>. */
typedef void (*btf_trace_sched_switch)(void *, bool preempt, struct task_struct *prev,
				       struct task_struct *next, unsigned int prev_state);
typedef void (*btf_trace_sched_waking)(void *, struct task_struct *p);
typedef void (*btf_trace_sched_wakeup)(void *, struct task_struct *p);
typedef void (*btf_trace_sched_wakeup_new)(void *, struct task_struct *p);
typedef void (*btf_trace_sched_migrate_task)(void *, struct task_struct *p, int dest_cpu);
typedef void (*btf_trace_sched_process_fork)(void *, struct task_struct *parent,
					     struct task_struct *child);
typedef void (*btf_trace_sched_process_exit)(void *, struct task_struct *p);
typedef void (*btf_trace_bpf_trace_printk)(void *, const char *bpf_string);
typedef void (*btf_trace_sys_enter)(void *, struct pt_regs *regs, long id);
typedef void (*btf_trace_sys_exit)(void *, struct pt_regs *regs, long ret);

#endif
