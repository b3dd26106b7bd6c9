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
	PROGEN_STATE, /* an array of one struct state: progen_btf() */
	PROGEN_ARENA,
	PROGEN_ALL_MAPS,
};
#define PROGEN_ARRAY_VALUE 64
#define PROGEN_ARRAY_ENTRIES 4
#define PROGEN_HASH_VALUE 24
#define PROGEN_RINGBUF_SIZE (1 << 24) /* bytes: nobody reads it, all runs write to it */
#define PROGEN_PERCPU_VALUE 16
#define PROGEN_PROG_SLOTS 4
#define PROGEN_PACKET 64 /* bytes, to run on */
#define PROGEN_ARENA_PAGES 4
#define PROGEN_ARENA_START 0x300000000000UL /* where it is asked to be */
/* What struct state has: numbers first. */
enum {
	PROGEN_STATE_NUMBERS = 32, /* bytes */
	PROGEN_STATE_TIMER = 32, PROGEN_STATE_WQ = 48, PROGEN_STATE_LOCK = 64,
	PROGEN_STATE_MASK = 72, PROGEN_STATE_ROOT = 80, PROGEN_STATE_HEAD = 96,
	PROGEN_STATE_SIZE = 112,
};

/* What kfuncs; the imm of a call of one is its index here. */
enum progen_kfunc {
	PROGEN_ITER_NEW, PROGEN_ITER_NEXT, PROGEN_ITER_DESTROY, PROGEN_RCU_LOCK, PROGEN_RCU_UNLOCK,
	PROGEN_PREEMPT_DISABLE, PROGEN_PREEMPT_ENABLE, PROGEN_THROW, PROGEN_NEW, PROGEN_DROP,
	PROGEN_PUSH_FRONT, PROGEN_PUSH_BACK, PROGEN_POP_FRONT, PROGEN_POP_BACK, PROGEN_ADD,
	PROGEN_FIRST, PROGEN_REMOVE, PROGEN_CAST, PROGEN_ARENA_ALLOC, PROGEN_ARENA_FREE,
	PROGEN_WQ_INIT, PROGEN_WQ_CALLBACK, PROGEN_WQ_START, PROGEN_MASK_NEW, PROGEN_MASK_RELEASE,
	PROGEN_MASK_SET, PROGEN_MASK_TEST, PROGEN_MASK_FIRST, PROGEN_TASK_CPU, PROGEN_REFERENCE,
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
		enum { PROGEN_STATIC, PROGEN_GLOBAL, PROGEN_EXCEPTION } is; /* ... its callback */
	} funcs[PROGEN_FUNCS];
	u32 nr_funcs;
};

enum progen_flags {
	PROGEN_MORE = 1, /* all kinds of calls; shorter programs, and fewer wrong ones */
	PROGEN_PLAIN = 2, /* the context is plain bytes: no packets, and no tail calls */
	PROGEN_SLEEPABLE = 4,
};
/* The id of struct task_struct in the kernel's BTF: to be set before PROGEN_MORE is asked for. */
extern s32 progen_task_struct;

void progen(struct progen *p, u64 seed, u32 flags);
/* Puts descriptors in place of indices. */
void progen_set_maps(struct progen *p, const int *fds);
/* Puts BTF ids in place of indices. */
void progen_set_kfuncs(struct progen *p, const s32 ids[PROGEN_KFUNCS]);
/*
 * Programs with PROGEN_MORE are loaded with BTF, which is the same for all: the size of
 * what *@raw is then, to be free()d; and with func_info, of PROGEN_FUNCS records at
 * most: their number. The BTF is made first.
 */
u32 progen_btf(void **raw);
/* In it: the key and value of PROGEN_STATE. */
void progen_state_types(u32 *key, u32 *value);
u32 progen_func_info(const struct progen *p, struct bpf_func_info *info);
/* To stderr: what one would write in C with the kernel's macros. */
void progen_print(const struct progen *p);

#endif
