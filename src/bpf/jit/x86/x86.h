/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compiling for x86-64: what the files of this folder share.
 *
 *	emit.h		machine instructions
 *	compile.c	functions, and which instruction is whose business
 *	alu.c		arithmetic
 *	memory.c	loads, stores, atomic operations
 *	flow.c		counting, jumps, returns
 *	call.c		calls of all kinds
 *	inline.c	... that are spared
 *	stubs.c		code that all programs share: in, out, and calls of C
 *
 * Registers. BPF's are where System V wants arguments and what survives calls:
 *
 *	R0 rax, R1-R5 rdi rsi rdx rcx r8, R6-R9 rbx r13 r14 r15, R10 rbp
 *
 * r12 is the run (struct bpf_exec), r9 the counter x->left; r10 and r11 are
 * free for one instruction's use. Between BPF instructions rsp is a multiple of
 * 16, flags mean nothing, and what is below rsp nobody needs.
 *
 * A function other than the main program saves those of R6 to R9 that it uses.
 * The main program does not: it is entered by the stub, which saves all, or by
 * a tail call, which has saved them.
 */
#ifndef VRT_BPF_JIT_X86_H
#define VRT_BPF_JIT_X86_H

#include <linux/bpf.h>

#include "../../check/check.h"
#include "emit.h"

enum { X86_RUN = R12, X86_COUNT = R9, X86_T0 = R10, X86_T1 = R11 };

/* Offset of a field of the run. */
#define RUN(field) ((s32)offsetof(struct bpf_exec, field))

enum x86_stub {
	STUB_ENTER, /* bpf_jit_enter() */
	STUB_STOP, /* jumped to: leaves all frames; x->left is in memory */
	/* called, with all registers kept; r11d: the instruction to go on with */
	STUB_REFILL,
	STUB_SETTLE, /* called, with arguments kept: bpf_exec_settle() */
	STUB_SLOW, /* called; r11d: the instruction. rax: result */
	STUB_TAIL, /* the same, rdi kept. rax: where to go, or NULL */
	STUB_PACKET, /* rsi: position, edx: bytes. rax: value; ZF: there was none */
	STUB_TOO_DEEP, STUB_TRAP, /* jumped to; r11d: the instruction */
	/* called, with all registers kept but r10, r11; r10: address, then the value */
	STUB_PROBE1, STUB_PROBE2, STUB_PROBE4, STUB_PROBE8,
	STUB_ARENA_LOAD1, STUB_ARENA_LOAD2, STUB_ARENA_LOAD4, STUB_ARENA_LOAD8,
	/* r10: address, r11: value */
	STUB_ARENA_STORE1, STUB_ARENA_STORE2, STUB_ARENA_STORE4, STUB_ARENA_STORE8,
	/* r10: address, then a pointer, or NULL when the run was stopped */
	STUB_ARENA_ATOMIC4, STUB_ARENA_ATOMIC8,
	NR_X86_STUBS
};

/*
 * What a run has executed and owes that neither x->left nor x->owed have lost or gained
 * yet: the code so far is the same for all ways on which control comes here. See flow.c.
 */
struct x86_lag {
	u32 insns; /* slots, up to and with the instruction at hand */
	u32 ns;
	bool known; /* of a place that control may come to */
};

/* A path that is seldom taken: its code is behind the function. */
struct x86_detour {
	u32 from; /* the jump to it, for x86_land32() */
	enum x86_stub stub;
	u32 insn; /* r11d */
	u32 resume; /* offset to go on at; not for stubs that are jumped to */
	u32 owed; /* the ns of the lag there */
};

struct x86_jit {
	struct jit_buffer *b;
	struct jit_round *round;
	const struct bpf_prog *prog;
	const struct jit_func *func;
	const struct bpf_insn *insn;
	u32 i; /* its index */
	struct x86_lag lag; /* here */
	struct x86_lag *lags; /* before instructions that are jumped to */
	bool unreachable; /* from the instruction before */
	bool main;
	u32 frame; /* bytes of the machine's stack below the saved registers */
	bool bmi2;
	struct x86_detour *detours;
	u32 nr_detours, max_detours;
};

extern const u8 x86_reg_of[11];

#define DST (x86_reg_of[j->insn->dst_reg])
#define SRC (x86_reg_of[j->insn->src_reg])

/* 1, 2, 4, 8 of a load or store. */
static inline u32 x86_size(const struct bpf_insn *insn)
{
	static const u8 sizes[] = { 4, 2, 1, 8 };

	return sizes[BPF_SIZE(insn->code) >> 3];
}

/* 0 to 3, for stubs of a size. */
static inline u32 x86_size_index(u32 bytes)
{
	return (u32)__builtin_ctz(bytes);
}

/* --- compile.c ------------------------------------------------------------------- */

/* @from jumps to a detour by way of @stub, which has the number @insn in r11d. */
void x86_detour(struct x86_jit *j, u32 from, enum x86_stub stub, u32 insn, u32 resume);
/* Gives registers and stack back, but for the return address. */
void x86_epilogue(struct x86_jit *j);

/* --- alu.c, memory.c -------------------------------------------------------------- */

void x86_alu(struct x86_jit *j);
void x86_ldx(struct x86_jit *j);
void x86_st(struct x86_jit *j);
void x86_stx(struct x86_jit *j);

/* --- flow.c ------------------------------------------------------------------------ */

/* The lag is none from here on. */
void x86_catch_up(struct x86_jit *j);
/* Control comes to the leader j->i, from the instruction before or from elsewhere. */
void x86_arrive(struct x86_jit *j);
/* j->lag grows. */
void x86_owe(struct x86_jit *j, u64 ns);
void x86_branch(struct x86_jit *j);
void x86_ja(struct x86_jit *j);
void x86_may_goto(struct x86_jit *j);
void x86_exit(struct x86_jit *j);
/* Behind a call out: the counter, and a look at it. */
void x86_after_call(struct x86_jit *j);
/* Before one: the counter and the place to memory. */
void x86_before_call(struct x86_jit *j);

/* --- call.c ------------------------------------------------------------------------- */

void x86_call_insn(struct x86_jit *j);
void x86_load_packet(struct x86_jit *j);

/* --- inline.c ---------------------------------------------------------------------------- */

/* False if it is to be called. */
bool x86_inline_call(struct x86_jit *j, const struct bpf_jit_call *call);

/* --- stubs.c -------------------------------------------------------------------------- */

void x86_call_stub(struct jit_buffer *b, enum x86_stub stub);
void x86_jmp_stub(struct jit_buffer *b, enum x86_stub stub);
/* Calls a function of C; rax is not among its arguments. */
void x86_call_c(struct jit_buffer *b, const void *fn);
/* [variable] = reg, by way of r10 */
void x86_store_var(struct jit_buffer *b, const void *variable, u32 reg);
/* reg = [variable] */
void x86_load_var(struct jit_buffer *b, u32 reg, const void *variable);

#endif
