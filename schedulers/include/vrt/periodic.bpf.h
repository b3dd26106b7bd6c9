/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a periodic program needs that manages its periods itself (mode
 * BPF_PERIODIC_PROGRAM): the iterator, and the function that chooses the next
 * time. On real Linux, with the module schedbpf; the simulated machine refuses
 * the mode so far.
 *
 *	SEC("struct_ops.s/run")
 *	int BPF_PROG(run, struct bpf_periodic_ctx *first)
 *	{
 *		struct bpf_periodic_ctx *tick;
 *
 *		bpf_for_each(periodic, tick, first)
 *			work(tick->seq);
 *		return 0;
 *	}
 *
 * The loop ends when the program is detached or replaced, and also when the wait
 * would be long: then run() is called again for the next period. What must
 * outlive the loop is in maps or global variables.
 */
#ifndef VRT_PERIODIC_BPF_H
#define VRT_PERIODIC_BPF_H

#include <vmlinux.h>

#include <bpf/bpf_helpers.h>

struct bpf_iter_periodic {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

extern int bpf_iter_periodic_new(struct bpf_iter_periodic *it,
				 struct bpf_periodic_ctx *ctx) __ksym __weak;
extern struct bpf_periodic_ctx *
bpf_iter_periodic_next(struct bpf_iter_periodic *it) __ksym __weak;
extern void bpf_iter_periodic_destroy(struct bpf_iter_periodic *it) __ksym __weak;

/*
 * During a run: the next one is due at @due (CLOCK_MONOTONIC, ns), those after it
 * a period after each other from there on. ERANGE: less than 10 us after this one
 * was due, or more than 24 h ahead.
 */
extern int bpf_periodic_set_due(struct bpf_periodic_ctx *ctx, __u64 due) __ksym __weak;

#endif
