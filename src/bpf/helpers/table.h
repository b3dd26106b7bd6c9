/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files with prototypes of helpers (helpers.c, helpers/net.c) share:
 * sets of programs that may call a helper (helpers/allowed.c), and short words
 * for rows.
 */
#ifndef VRT_BPF_FOR_TABLE_H
#define VRT_BPF_FOR_TABLE_H

#include "helpers.h"

/* Sets of helpers; which of them programs of a type may call is in helpers/allowed.c. */
#define FOR_BASE (1U << 0) /* nearly everybody; what 0 means, too */
#define FOR_LIRC (1U << 1)
#define FOR_TRACING (1U << 2) /* of all kinds, and SYSCALL */
#define FOR_KPROBE (1U << 3)
#define FOR_PERF (1U << 4)
#define FOR_TRACING_PROG (1U << 5) /* BPF_PROG_TYPE_TRACING, LSM, SYSCALL */
#define FOR_LSM (1U << 6)
#define FOR_SYSCALL (1U << 7)
#define FOR_STRUCT_OPS (1U << 8)
#define FOR_TCP_CA (1U << 9) /* struct_ops of TCP, of which there are none */
#define FOR_SK_BASE (1U << 10) /* most programs of networks */
#define FOR_SK_FILTER (1U << 11)
#define FOR_CG_SKB (1U << 12)
#define FOR_TC (1U << 13)
#define FOR_XDP (1U << 14)
#define FOR_LWT (1U << 15)
#define FOR_LWT_IN (1U << 16)
#define FOR_LWT_XMIT (1U << 17)
#define FOR_LWT_SEG6 (1U << 18)
#define FOR_SOCK (1U << 19)
#define FOR_SOCK_ADDR (1U << 20)
#define FOR_SOCK_OPS (1U << 21)
#define FOR_SK_SKB (1U << 22)
#define FOR_SK_MSG (1U << 23)
#define FOR_FLOW (1U << 24)
#define FOR_REUSEPORT (1U << 25)
#define FOR_SK_LOOKUP (1U << 26)
#define FOR_CGROUP (1U << 27) /* what is attached to cgroups */
#define FOR_CG_CURRENT (1U << 28) /* ... and runs in the task that causes it */
#define FOR_SYSCTL (1U << 29)
#define FOR_SOCKOPT (1U << 30)
#define FOR_CG_DEV (1U << 31)

#define OUT_MEM (ARG_PTR_TO_MEM | MEM_UNINIT | MEM_WRITE)
#define IN_MEM (ARG_PTR_TO_MEM | MEM_RDONLY)
#define OUT_VALUE (ARG_PTR_TO_MAP_VALUE | MEM_UNINIT | MEM_WRITE)
#define OUT_FIXED (OUT_MEM | MEM_FIXED_SIZE | MEM_ALIGNED)
#define RINGBUF_DYNPTR (ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_RINGBUF)

/* The name of a helper that nothing here executes. */
#define NAME(name_) .name = #name_
/* The name of the helper and the function that is it. */
#define FN(name_) .name = #name_, .fn = helper_##name_
#define AS(name_, fn_) .name = #name_, .fn = helper_##fn_
/* Rows that begin with it: what the helper takes may be charged later (KF_TIMELESS). */
#define TIMELESS .timeless = true
#define CALLS_BACK .calls_back = true
#define ARGS(...) .args = { __VA_ARGS__ }
/* Up to nine sets: WHO(TC, XDP) */
#define WHO(...) .who = WHO_OF(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

/* Programs of networks, cgroups and sockets: helpers/net.c. */
extern const struct bpf_func_proto bpf_net_protos[__BPF_FUNC_MAX_ID];
/* Another prototype than that of the tables, for programs of some types; NULL: that one. */
const struct bpf_func_proto *bpf_helper_variant(const struct bpf_prog *prog, u32 id);

#endif
