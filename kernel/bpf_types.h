/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types of the BPF subsystem that are not in its UAPI header, <linux/bpf.h>:
 * open-coded iterators, reference-counted masks, and what wraps a struct_ops
 * table. Sizes and alignment are Linux's, since programs put them on their
 * stacks and into their maps.
 */
#ifndef VRT_KERNEL_BPF_TYPES_H
#define VRT_KERNEL_BPF_TYPES_H

#include <linux/bpf.h>

#include "ext.h"
#include "types.h"

struct bpf_iter_task {
	__u64 __opaque[3];
} __attribute__((aligned(8)));

struct bpf_iter_css {
	__u64 __opaque[3];
} __attribute__((aligned(8)));

struct bpf_iter_css_task {
	__u64 __opaque[1];
} __attribute__((aligned(8)));

struct bpf_iter_bits {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

/* Flags of bpf_iter_task_new(). Linux's enum has no name. */
enum bpf_task_iter_kind {
	BPF_TASK_ITER_ALL_PROCS,
	BPF_TASK_ITER_ALL_THREADS,
	BPF_TASK_ITER_PROC_THREADS,
};

/* The most iterations of one bpf_loop(). */
enum {
	BPF_MAX_LOOPS = 8 * 1024 * 1024,
};

/* Flags of bpf_iter_css_task_new(). Macros in Linux, so that programs define them too. */
#define CSS_TASK_ITER_PROCS (1U << 0)
#define CSS_TASK_ITER_THREADED (1U << 1)

/* A mask that a program owns. It may be passed wherever a struct cpumask may. */
struct bpf_cpumask {
	cpumask_t cpumask;
	refcount_t usage;
};

struct key;

struct bpf_key {
	struct key *key;
	bool has_ref;
};

enum bpf_struct_ops_state {
	BPF_STRUCT_OPS_STATE_INIT,
	BPF_STRUCT_OPS_STATE_INUSE,
	BPF_STRUCT_OPS_STATE_TOBEFREE,
	BPF_STRUCT_OPS_STATE_READY,
};

struct bpf_struct_ops_common_value {
	refcount_t refcnt;
	enum bpf_struct_ops_state state;
};

/*
 * The value of a struct_ops map. libbpf and the subsystem find it by name:
 * bpf_struct_ops_<type>, with the table in its member "data".
 */
struct bpf_struct_ops_sched_ext_ops {
	struct bpf_struct_ops_common_value common;
	struct sched_ext_ops data __attribute__((aligned(64)));
};

#endif
