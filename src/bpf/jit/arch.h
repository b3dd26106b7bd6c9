/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an architecture gives to the compiler. All code goes through a
 * buffer: jit.c calls arch_compile() again until no offset changes.
 */
#ifndef VRT_BPF_JIT_ARCH_H
#define VRT_BPF_JIT_ARCH_H

#include "jit.h"

struct jit_buffer {
	u8 *code; /* NULL: only count */
	u32 capacity, used; /* bytes; what does not fit is only counted */
	u64 address; /* of code[0] when it runs; 0: not known yet, and far away */
};

struct jit_round {
	const struct bpf_prog *prog;
	struct jit_buffer *buf;
	/*
	 * nr + 1 offsets of instructions: in, those of the round before (never too
	 * small); out, those of this one
	 */
	u32 *offsets;
	const struct jit_layout *layout;
};

/* What is known of the program's control flow: layout.c. */
struct jit_layout {
	u8 *leader; /* by instruction: control comes from elsewhere than the one before */
	struct jit_func {
		u32 start, end;
		bool calls; /* anything: the machine's stack must be aligned */
		bool may_goto;
		u16 regs; /* bit per BPF register that it writes or reads */
		u32 zeroed; /* bytes of the frame to clear at entry */
	} *funcs; /* as prog->subprogs */
	u32 nr_funcs;
	bool tail_calls; /* somewhere in the program */
};

/* All of the program, from round->buf->used = 0. */
void arch_compile(struct jit_round *round);

/* Code that all programs share: how they are entered and left, and calls out. */
void arch_stubs(struct jit_buffer *buf);
/* Enters the code at @entry: see bpf_jit_run(). From the stubs' code. */
u64 arch_enter(struct bpf_exec *x, const void *entry, const u64 args[5], u64 fp);

#endif
