/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes up BPF programs that mostly make sense: numbers that are bounded by
 * masks and comparisons (now and then one off), offsets into map values, packets
 * and the stack, spills and fills, branches, loops (may_goto too), functions,
 * atomics, helpers, records of a ring buffer, dynptrs.
 * About half of them should verify; what they do to memory hangs on whether the
 * verifier gets its numbers right.
 *
 * The same seed and flags give the same program. Of type SCHED_CLS: the context is a
 * struct __sk_buff.
 */
#ifndef VRT_TESTS_PROGEN_H
#define VRT_TESTS_PROGEN_H

#include <linux/bpf.h>

#include "../../src/base/rng.h"

#define PROGEN_MAX_INSNS 1024

/* What maps the programs use; the imm of a load of one is its index here. */
enum progen_map {
	PROGEN_ARRAY, PROGEN_HASH, PROGEN_RINGBUF,
	PROGEN_MAPS,
	/* these and the following only with PROGEN_MORE */
	PROGEN_GLOBALS = PROGEN_MAPS, /* an array of one */
	PROGEN_PERCPU, /* an array */
	PROGEN_PROGS, /* a prog array, of which the last slot is empty */
	PROGEN_ALL_MAPS,
};
#define PROGEN_ARRAY_VALUE 64
#define PROGEN_ARRAY_ENTRIES 4
#define PROGEN_HASH_VALUE 24
#define PROGEN_RINGBUF_SIZE (1 << 24) /* bytes: nobody reads it, all runs write to it */
#define PROGEN_PERCPU_VALUE 16
#define PROGEN_PROG_SLOTS 4
#define PROGEN_PACKET 64 /* bytes, to run on */

/* What kfuncs; the imm of a call of one is its index here. */
enum progen_kfunc {
	PROGEN_ITER_NEW, PROGEN_ITER_NEXT, PROGEN_ITER_DESTROY, PROGEN_RCU_LOCK, PROGEN_RCU_UNLOCK,
	PROGEN_PREEMPT_DISABLE, PROGEN_PREEMPT_ENABLE, PROGEN_THROW,
	PROGEN_KFUNCS,
};
extern const char *const progen_kfuncs[PROGEN_KFUNCS];

#define PROGEN_FUNCS 16 /* at most, with the main program */

struct progen {
	struct bpf_insn insns[PROGEN_MAX_INSNS];
	u32 len;
	/* the main program and, with PROGEN_MORE, its functions: for progen_func_info() */
	struct progen_func {
		u32 start;
		bool global;
	} funcs[PROGEN_FUNCS];
	u32 nr_funcs;
};

enum progen_flags {
	PROGEN_MORE = 1, /* all kinds of calls; shorter programs, and fewer wrong ones */
	PROGEN_PLAIN = 2, /* the context is plain bytes: no packets, and no tail calls */
};

void progen(struct progen *p, u64 seed, u32 flags);
/* Puts descriptors in place of indices. */
void progen_set_maps(struct progen *p, const int *fds);
/* Puts BTF ids in place of indices. */
void progen_set_kfuncs(struct progen *p, const s32 ids[PROGEN_KFUNCS]);
/*
 * Programs with PROGEN_MORE are loaded with BTF, which is the same for all: its size;
 * and with func_info, of PROGEN_FUNCS records at most: their number.
 */
#define PROGEN_BTF_SIZE 1024
u32 progen_btf(void *buf);
u32 progen_func_info(const struct progen *p, struct bpf_func_info *info);
/* To stderr: what one would write in C with the kernel's macros. */
void progen_print(const struct progen *p);

#endif
