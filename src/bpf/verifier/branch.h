/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of conditional jumps tell each other: branch.c has the
 * instruction, branch_ptr.c what pointers have to do with it, and linked.c the
 * numbers that are known to depend on each other.
 */
#ifndef VRT_BPF_VERIFIER_BRANCH_H
#define VRT_BPF_VERIFIER_BRANCH_H

#include "verifier.h"

/* A conditional jump that may go both ways: @fall, the current state, falls through. */
struct branch {
	const struct bpf_insn *insn;
	struct bpf_verifier_state *fall, *jump;
};

static inline struct bpf_reg_state *branch_reg(const struct bpf_verifier_state *st, u32 regno)
{
	return &cur_func_of(st)->regs[regno];
}

/* --- branch_ptr.c ------------------------------------------------------------------ */

/* "a op b", one of which is a pointer: 1 always, 0 never, -1 who knows. */
int ptr_is_branch_taken(const struct bpf_reg_state *a, const struct bpf_reg_state *b, u8 op,
			bool is_jmp32);
/* Both ways learn whether pointers are NULL, and how far packets go. */
void branch_learn_ptrs(struct bpf_verifier_env *env, const struct branch *br);

/* --- linked.c ------------------------------------------------------------------------ */

/* Adds registers and slots with the number that @id stands for; too many lose their id. */
void collect_linked_regs(struct bpf_verifier_state *st, u32 id, struct linked_regs *linked);

#endif
