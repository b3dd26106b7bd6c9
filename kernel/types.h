/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scalar types and the list, tree and mask nodes that are embedded in
 * kernel objects. They are part of the ABI that BPF programs see, so their
 * layout is Linux's. Every other header, in kernel/ and in src/, stands on
 * this one; it stands on nothing.
 *
 * Compiled twice: into the runtime, and by clang --target=bpf into the BTF.
 */
#ifndef VRT_KERNEL_TYPES_H
#define VRT_KERNEL_TYPES_H

#if defined(__bpf__)
typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef unsigned long size_t;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)
#else
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#endif

typedef __u8 u8;
typedef __s8 s8;
typedef __u16 u16;
typedef __s16 s16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct llist_node {
	struct llist_node *next;
};

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
} __attribute__((aligned(sizeof(long))));

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
	struct rb_node *rb_leftmost;
};

typedef struct {
	s32 counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic_long_t;

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct {
	s32 refs;
} refcount_t;

/* Locks are the runtime's own (src/sim/lock.h); BPF sees only their size. */
typedef struct raw_spinlock {
	u32 __opaque;
} raw_spinlock_t;

/*
 * NR_CPUS of the simulated kernel: every cpumask has this many bits. A machine
 * larger than this is refused by the topology parser.
 */
#define VRT_NR_CPUS 4096
#define VRT_BITS_PER_LONG 64

typedef struct cpumask {
	unsigned long bits[VRT_NR_CPUS / VRT_BITS_PER_LONG];
} cpumask_t;

#endif
