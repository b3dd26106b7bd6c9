/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an architecture gives to the compiler. All code goes through a
 * buffer: jit.c calls arch_compile() again until no offset changes.
 */
#ifndef VRT_BPF_JIT_ARCH_H
#define VRT_BPF_JIT_ARCH_H

#include "jit.h"

struct jit_buffer {
	u8 *code; /* what does not fit into @capacity bytes is only counted */
	u32 capacity, used;
	u64 address; /* of code[0] when it runs; 0: only the size is wanted */
	bool far; /* jumps are of the long form, whatever the distance */
};

struct jit_round {
	const struct bpf_prog *prog;
	struct jit_buffer *buf;
	const struct jit_layout *layout;
	/* in: of the round before; out: of this one */
	u32 *offsets; /* nr + 1: where the code of each instruction begins */
	u32 *entries; /* ... and of each function */
};

/* What is known of the program's control flow: layout.c. */
struct jit_layout {
	/* by instruction: control may come from elsewhere than the one before */
	enum jit_leader { NO_LEADER, LEADER, LOOP_LEADER /* also from behind it */ } *leader;
	struct jit_func {
		u32 start, end;
		bool may_goto;
		u16 regs; /* bit per BPF register that it names */
		u32 zeroed; /* bytes of the frame to clear at entry */
	} *funcs; /* as prog->subprogs */
	u32 nr_funcs;
	bool tail_calls; /* somewhere in the program */
};

void jit_layout_make(struct jit_layout *layout, const struct bpf_prog *prog);
void jit_layout_free(struct jit_layout *layout);

/* "x86-64", for messages; "": nothing can be compiled (none.c), and nothing else is asked for. */
extern const char arch_name[];

/* All of the program, from round->buf->used = 0. */
void arch_compile(struct jit_round *round);

/* Code that all programs share: calls out, and bpf_jit_enter(), which it sets. */
void arch_stubs(struct jit_buffer *buf);

#endif
