// SPDX-License-Identifier: GPL-2.0-only
/*
 * Code that all programs share: the way into compiled code and out of it, and
 * calls of C that keep registers which C would not keep. Made once per process.
 *
 * When a stub is called, rsp is 8 more than a multiple of 16 (the return
 * address); C wants a multiple of 16 at its calls.
 */
#include "../memory.h"
#include "x86.h"

static u32 offsets[NR_X86_STUBS];
static u64 base; /* where they run */

/* --- calls of stubs and of C -------------------------------------------------------- */

/* The displacement from the end of an instruction that ends @bytes from here. */
static u32 relative(const struct jit_buffer *b, u64 target, u32 bytes)
{
	return (u32)(target - (b->address + b->used + bytes));
}

void x86_call_stub(struct jit_buffer *b, enum x86_stub stub)
{
	u32 disp = relative(b, base + offsets[stub], 5);

	put8(b, 0xe8);
	put32(b, disp);
}

void x86_jmp_stub(struct jit_buffer *b, enum x86_stub stub)
{
	u32 disp = relative(b, base + offsets[stub], 5);

	put8(b, 0xe9);
	put32(b, disp);
}

void x86_call_c(struct jit_buffer *b, const void *fn)
{
	if (jit_memory_is_near(fn)) {
		u32 disp = relative(b, (u64)fn, 5);

		put8(b, 0xe8);
		put32(b, disp);
	} else {
		x86_mov_ri64(b, RAX, (u64)fn);
		x86_call_reg(b, RAX);
	}
}

/* op reg, [rip + displacement] */
static void near_var(struct jit_buffer *b, u8 op, u32 reg, const void *variable)
{
	u32 disp;

	put_rex(b, true, reg, 0, false);
	put8(b, op);
	put8(b, (u8)((reg & 7) << 3 | RBP));
	disp = relative(b, (u64)variable, 4);
	put32(b, disp);
}

void x86_load_var(struct jit_buffer *b, u32 reg, const void *variable)
{
	if (jit_memory_is_near(variable)) {
		near_var(b, 0x8b, reg, variable);
	} else {
		x86_mov_ri64(b, reg, (u64)variable);
		x86_load(b, 8, false, reg, reg, 0);
	}
}

void x86_store_var(struct jit_buffer *b, const void *variable, u32 reg)
{
	if (jit_memory_is_near(variable)) {
		near_var(b, 0x89, reg, variable);
	} else {
		x86_mov_ri64(b, X86_T0, (u64)variable);
		x86_store(b, 8, reg, X86_T0, 0);
	}
}

/* --- in and out ------------------------------------------------------------------------ */

static const u8 c_saved[] = { RBP, RBX, R12, R13, R14, R15 };

/* R1 to R5 are there. r9: the run; on the stack: the return address, code, R10 */
static void stub_enter(struct jit_buffer *b)
{
	const s32 pushed = 8 * (ARRAY_SIZE(c_saved) + 1);

	for (u32 i = 0; i < ARRAY_SIZE(c_saved); i++)
		x86_push(b, c_saved[i]);
	x86_push_mem(b, R9, RUN(jit_sp));
	x86_store(b, 8, RSP, R9, RUN(jit_sp));
	x86_mov_rr(b, true, X86_RUN, R9);
	x86_load(b, 8, false, X86_T1, RSP, pushed + 8);
	x86_load(b, 8, false, RBP, RSP, pushed + 16);
	x86_load(b, 8, false, X86_COUNT, X86_RUN, RUN(left));
	x86_call_reg(b, X86_T1);
	x86_store(b, 8, X86_COUNT, X86_RUN, RUN(left));
}

/* What follows is the way out, also for those who only leave. */
static void stub_leave(struct jit_buffer *b)
{
	u32 i;

	x86_pop_mem(b, X86_RUN, RUN(jit_sp));
	for (i = ARRAY_SIZE(c_saved); i--;)
		x86_pop(b, c_saved[i]);
	x86_ret(b);
}

static void enter_and_leave(struct jit_buffer *b)
{
	u32 leave;

	offsets[STUB_ENTER] = b->used;
	stub_enter(b);
	leave = b->used;
	stub_leave(b);
	offsets[STUB_STOP] = b->used;
	x86_load(b, 8, false, RSP, X86_RUN, RUN(jit_sp));
	x86_alu_rr(b, false, ALU_XOR, RAX, RAX);
	x86_jmp(b, leave);
}

/* --- calls that keep registers -------------------------------------------------------- */

/* All that C may change and BPF would miss, but for the counter. */
static const u8 caller_saved[] = { RAX, RDI, RSI, RDX, RCX, R8 };

static void keep(struct jit_buffer *b, const u8 *regs, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		x86_push(b, regs[i]);
}

static void give_back(struct jit_buffer *b, const u8 *regs, u32 nr)
{
	while (nr--)
		x86_pop(b, regs[nr]);
}

static void stub_refill(struct jit_buffer *b)
{
	u32 go_on;

	x86_store(b, 8, X86_COUNT, X86_RUN, RUN(left));
	keep(b, caller_saved, ARRAY_SIZE(caller_saved));
	x86_alu_ri(b, true, ALU_SUB, RSP, 8);
	x86_mov_rr(b, true, RDI, X86_RUN);
	x86_mov_rr(b, false, RSI, X86_T1);
	x86_call_c(b, bpf_jit_refill);
	x86_movzx(b, RAX, RAX, 1);
	x86_test_rr(b, false, RAX, RAX);
	go_on = x86_jcc8_forward(b, CC_E);
	x86_jmp_stub(b, STUB_STOP);
	x86_land8(b, go_on);
	x86_alu_ri(b, true, ALU_ADD, RSP, 8);
	give_back(b, caller_saved, ARRAY_SIZE(caller_saved));
	x86_load(b, 8, false, X86_COUNT, X86_RUN, RUN(left));
	x86_ret(b);
}

static void stub_settle(struct jit_buffer *b)
{
	keep(b, &caller_saved[1], 5);
	x86_mov_rr(b, true, RDI, X86_RUN);
	x86_call_c(b, bpf_exec_settle);
	give_back(b, &caller_saved[1], 5);
	x86_ret(b);
}

/* The arguments become an array on the stack. */
static void stub_slow(struct jit_buffer *b)
{
	static const u8 args[] = { R8, RCX, RDX, RSI, RDI };

	keep(b, args, ARRAY_SIZE(args));
	x86_mov_rr(b, true, RDI, X86_RUN);
	x86_mov_rr(b, true, RSI, RSP);
	x86_mov_rr(b, true, RDX, RBP);
	x86_mov_rr(b, false, RCX, X86_T1);
	x86_call_c(b, bpf_jit_call_slow);
	x86_alu_ri(b, true, ALU_ADD, RSP, 8 * ARRAY_SIZE(args));
	x86_ret(b);
}

/* rsi and rdx, the map and the index, are where C wants them. */
static void stub_tail(struct jit_buffer *b)
{
	x86_push(b, RDI);
	x86_mov_rr(b, true, RDI, X86_RUN);
	x86_mov_rr(b, true, RCX, RBP);
	x86_call_c(b, bpf_jit_tail_call);
	x86_pop(b, RDI);
	x86_ret(b);
}

static void stub_packet(struct jit_buffer *b)
{
	x86_alu_ri(b, true, ALU_SUB, RSP, 8);
	x86_mov_rr(b, true, RDI, X86_RUN);
	x86_mov_rr(b, true, RCX, RSP);
	x86_call_c(b, bpf_jit_load_packet);
	x86_pop(b, X86_T0);
	x86_movzx(b, RAX, RAX, 1);
	x86_test_rr(b, false, RAX, RAX);
	x86_mov_rr(b, true, RAX, X86_T0);
	x86_ret(b);
}

/* Jumped to from a program: rsp is aligned. */
static void stub_give_up(struct jit_buffer *b, const void *fn)
{
	x86_store(b, 8, X86_COUNT, X86_RUN, RUN(left));
	x86_mov_rr(b, true, RDI, X86_RUN);
	x86_mov_rr(b, false, RSI, X86_T1);
	x86_call_c(b, fn);
	x86_jmp_stub(b, STUB_STOP);
}

/*
 * T0, and T1 for stores, are arguments of @fn, and T0 its result. @run: the run
 * is its first argument.
 */
static void stub_memory(struct jit_buffer *b, const void *fn, bool run, bool value, u32 bytes)
{
	static const u8 args[] = { RDI, RSI, RDX, RCX };
	u32 arg = 0;

	x86_push(b, X86_COUNT);
	keep(b, caller_saved, ARRAY_SIZE(caller_saved));
	if (run)
		x86_mov_rr(b, true, args[arg++], X86_RUN);
	x86_mov_rr(b, true, args[arg++], X86_T0);
	if (value)
		x86_mov_rr(b, true, args[arg++], X86_T1);
	x86_mov_ri32(b, args[arg], bytes);
	x86_call_c(b, fn);
	x86_mov_rr(b, true, X86_T0, RAX);
	give_back(b, caller_saved, ARRAY_SIZE(caller_saved));
	x86_pop(b, X86_COUNT);
	x86_ret(b);
}

static void memory_stubs(struct jit_buffer *b)
{
	for (u32 i = 0; i < 4; i++) {
		offsets[STUB_PROBE1 + i] = b->used;
		stub_memory(b, bpf_jit_probe_load, false, false, 1u << i);
		offsets[STUB_ARENA_LOAD1 + i] = b->used;
		stub_memory(b, bpf_jit_arena_load, true, false, 1u << i);
		offsets[STUB_ARENA_STORE1 + i] = b->used;
		stub_memory(b, bpf_jit_arena_store, true, true, 1u << i);
	}
	for (u32 i = 0; i < 2; i++) {
		offsets[STUB_ARENA_ATOMIC4 + i] = b->used;
		stub_memory(b, bpf_jit_arena_atomic, true, false, 4u << i);
	}
}

void arch_stubs(struct jit_buffer *b)
{
	base = b->address;
	enter_and_leave(b);
	bpf_jit_enter = (void *)(base + offsets[STUB_ENTER]);
	offsets[STUB_REFILL] = b->used;
	stub_refill(b);
	offsets[STUB_SETTLE] = b->used;
	stub_settle(b);
	offsets[STUB_SLOW] = b->used;
	stub_slow(b);
	offsets[STUB_TAIL] = b->used;
	stub_tail(b);
	offsets[STUB_PACKET] = b->used;
	stub_packet(b);
	offsets[STUB_TOO_DEEP] = b->used;
	stub_give_up(b, bpf_jit_too_deep);
	offsets[STUB_TRAP] = b->used;
	stub_give_up(b, bpf_jit_trap);
	memory_stubs(b);
}
