/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiler to machine code: verified programs only. What it makes of a
 * program does, counts and charges exactly what the interpreter does with it.
 *
 *	jit.c		compiling a program: rounds until offsets are settled
 *	layout.c	where control goes, which registers functions use
 *	memory.c	memory for code, never writable and executable at once
 *	call.c		what a call in a program is: which function, how it is charged
 *	runtime.c	what compiled code calls, and how it is entered
 *	x86/		instructions of x86-64; none.c: of machines that have no compiler
 *
 * Another architecture is another folder that has what arch.h asks for.
 *
 * Registers hold numbers and nothing else: what a pointer may reach has been
 * proved. Memory is the interpreter's: the frame of depth d begins at
 * bpf_exec_frame_top(x, d), and R10 points there, whatever the machine's own
 * stack holds. So programs see the same addresses under both.
 *
 * Counting. The counter x->left (exec.h) is in a machine register inside of
 * compiled code, and in memory whenever C runs. It goes down by the slots of
 * the program (as loaded, both of a 64-bit load) that were executed, and is
 * looked at where the interpreter does: after a taken jump backwards, at calls
 * of functions of the program (after the frame is made, before the first
 * instruction), and after calls out. Below zero, bpf_exec_refill() decides.
 *
 * Stopping. Whoever stops a run (bpf_exec_stop()) leaves the counter below zero,
 * so that the look after the call finds it: compiled code then leaves at once,
 * through all of its own frames, to whoever entered it.
 */
#ifndef VRT_BPF_JIT_H
#define VRT_BPF_JIT_H

#include "../exec/exec.h"

/* What was made of a program. Code addresses are nobody's business but ours. */
struct bpf_jit_image {
	u8 *code;
	const u8 *main; /* of it: where the main program begins */
	u32 size; /* bytes */
	u32 nr, nr_funcs; /* instructions and functions of the program */
	u32 *offsets; /* nr + 1: where the code of each instruction begins */
	u32 *entries; /* ... and of each function, as prog->subprogs */
};

/* Can this machine's programs be compiled (x86-64)? */
bool bpf_jit_available(void);
/* "x86-64", for messages; "" */
const char *bpf_jit_arch(void);

/*
 * prog->jit, of a program that has been verified and linked. 0, or -ENOMEM with
 * a word in bpf_refuse().
 */
int bpf_jit_compile(struct bpf_prog *prog);
void bpf_jit_free(struct bpf_prog *prog);

/*
 * Runs the function number @func of x->prog in the frame x->depth. Returns
 * r0; if x->stopped, nothing that means anything. x->left goes in and out.
 */
u64 bpf_jit_run(struct bpf_exec *x, u32 func, const u64 args[5]);

/* Into @code with the frame's top @fp. Made with the first program that is compiled. */
extern u64 (*bpf_jit_enter)(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, struct bpf_exec *x,
			    const void *code, u64 fp);

/* The same of the main program, whose only argument is the context. */
static inline u64 bpf_jit_main(struct bpf_exec *x, u64 ctx)
{
	return bpf_jit_enter(ctx, 0, 0, 0, 0, x, x->prog->jit->main,
			     (u64)bpf_exec_frame_top(x, 0));
}

/* --- what calls are: call.c -------------------------------------------------------- */

enum bpf_jit_call_kind {
	/*
	 * fn(a1, a2, a3, a4, a5): nothing of the caller's registers but the arguments
	 * is looked at.
	 */
	JIT_CALL_DIRECT,
	/*
	 * Through bpf_jit_call_slow(): the callee calls back, which takes x->depth; gives or
	 * takes a reference, which is remembered; its map is not known; or an argument
	 * is an object that may be gone (bpf_jit_doubts()).
	 */
	JIT_CALL_SLOW,
	JIT_CALL_TAIL,
	/* rcu_depth or preempt_depth up or down by one, and nothing else */
	JIT_CALL_COUNT,
};

struct bpf_jit_call {
	enum bpf_jit_call_kind kind;
	void *fn;
	/*
	 * Before it: ns is added to x->owed; with settle, bpf_exec_settle() after that, as
	 * the callee looks at the clock or at what others may change.
	 */
	u64 ns;
	bool settle;
	u8 bool_args; /* bit per argument that is a bool: (u8)v != 0 is passed */
	/* its result: bytes of it, extended; 8: as it is; 0: none (R0 is 0 then) */
	u8 ret_size;
	bool ret_signed, ret_bool;
	/* map helpers and tail calls with one map that is known, else NULL: fn is the map's own */
	struct bpf_map *map;
	u32 helper; /* BPF_FUNC_*; 0: a kfunc */
	u32 counter; /* JIT_CALL_COUNT: offset in struct bpf_exec of a u32 */
	s32 delta;
};

/* Arguments of the call at @insn, a bit for each, that must be checked: exec.h. */
u8 bpf_jit_doubts(const struct bpf_prog *prog, u32 insn);
/* The call at @insn: a helper's or a kfunc's. */
void bpf_jit_describe_call(const struct bpf_prog *prog, u32 insn, struct bpf_jit_call *call);

/* --- called by compiled code: runtime.c --------------------------------------------------- */

/*
 * The call at @insn (also x->insn) with arguments @args, the frame's top in @fp:
 * r0. x->left is in memory, not yet charged.
 */
u64 bpf_jit_call_slow(struct bpf_exec *x, const u64 args[5], u64 fp, u32 insn);
/*
 * bpf_tail_call(): where to go on, with everything ready there; NULL: behind
 * the call (r0 is -2 then, or the run is stopped).
 */
const void *bpf_jit_tail_call(struct bpf_exec *x, u64 map, u64 index, u64 fp);
/* A load that may go anywhere; what is not there reads as 0. Zero-extended. */
u64 bpf_jit_probe_load(u64 addr, u32 size);
/* Arenas: what is not there reads as 0 and swallows what is written. */
u64 bpf_jit_arena_load(struct bpf_exec *x, u64 addr, u32 size);
void bpf_jit_arena_store(struct bpf_exec *x, u64 addr, u64 value, u32 size);
/* For atomic operations: NULL when stopped. */
void *bpf_jit_arena_atomic(struct bpf_exec *x, u64 addr, u32 size);
/* LD_ABS, LD_IND: false beyond the packet, and then the function returns 0. */
bool bpf_jit_load_packet(struct bpf_exec *x, s64 pos, u32 size, u64 *value);
/* Calls that nest too deep, instructions that cannot be reached: stop the run. */
void bpf_jit_too_deep(struct bpf_exec *x, u32 insn);
void bpf_jit_trap(struct bpf_exec *x, u32 insn);
/* The counter is below zero: as bpf_exec_refill(). True: leave. */
bool bpf_jit_refill(struct bpf_exec *x, u32 insn);

#endif
