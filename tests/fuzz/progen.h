/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes up BPF programs that mostly make sense: numbers that are bounded by
 * masks and comparisons (now and then one off), offsets into map values, packets
 * and the stack, spills and fills, branches, loops (may_goto too), functions,
 * atomics, helpers, records of a ring buffer, dynptrs.
 * About half of them should verify; what they do to memory hangs on whether the
 * verifier gets its numbers right.
 *
 * The same seed gives the same program. Of type SCHED_CLS: the context is a
 * struct __sk_buff.
 */
#ifndef VRT_TESTS_PROGEN_H
#define VRT_TESTS_PROGEN_H

#include <linux/bpf.h>

#include "../../src/base/rng.h"

#define PROGEN_MAX_INSNS 1024

/* What maps the programs use; the imm of a load of one is its index here. */
enum progen_map { PROGEN_ARRAY, PROGEN_HASH, PROGEN_RINGBUF, PROGEN_MAPS };
#define PROGEN_ARRAY_VALUE 64
#define PROGEN_ARRAY_ENTRIES 4
#define PROGEN_HASH_VALUE 24
#define PROGEN_RINGBUF_SIZE (1 << 24) /* bytes: nobody reads it, all runs write to it */
#define PROGEN_PACKET 64 /* bytes, to run on */

struct progen {
	struct bpf_insn insns[PROGEN_MAX_INSNS];
	u32 len;
};

void progen(struct progen *p, u64 seed);
/* Puts descriptors in place of indices. */
void progen_set_maps(struct progen *p, const int fds[PROGEN_MAPS]);
/* To stderr: what one would write in C with the kernel's macros. */
void progen_print(const struct progen *p);

#endif
