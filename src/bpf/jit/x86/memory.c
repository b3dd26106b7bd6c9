// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads, stores and atomic operations for x86-64. One simulated kernel is one
 * thread: nothing has to be atomic to anybody else.
 */
#include "x86.h"

static enum bpf_insn_access access_of(const struct x86_jit *j)
{
	return j->prog->facts ? j->prog->facts[j->i].access : ACCESS_PLAIN;
}

/* r10 = reg + off, the value through a stub */
static void load_far(struct x86_jit *j, enum x86_stub stub, u32 bytes, bool sign)
{
	x86_lea(j->b, X86_T0, SRC, j->insn->off);
	x86_call_stub(j->b, stub + x86_size_index(bytes));
	if (sign)
		x86_movsx(j->b, true, DST, X86_T0, bytes);
	else
		x86_mov_rr(j->b, true, DST, X86_T0);
}

void x86_ldx(struct x86_jit *j)
{
	bool sign = BPF_MODE(j->insn->code) == BPF_MEMSX;
	u32 bytes = x86_size(j->insn);

	switch (access_of(j)) {
	case ACCESS_PLAIN:
		x86_load(j->b, bytes, sign, DST, SRC, j->insn->off);
		break;
	case ACCESS_PROBE:
		load_far(j, STUB_PROBE1, bytes, sign);
		break;
	case ACCESS_ARENA:
		load_far(j, STUB_ARENA_LOAD1, bytes, sign);
		break;
	case ACCESS_PACKET:
		x86_load(j->b, 8, false, DST, X86_RUN, RUN(packet));
		break;
	case ACCESS_PACKET_END:
		x86_load(j->b, 8, false, DST, X86_RUN, RUN(packet_end));
		break;
	}
}

void x86_st(struct x86_jit *j)
{
	u32 bytes = x86_size(j->insn);

	if (access_of(j) != ACCESS_ARENA) {
		x86_store_imm(j->b, bytes, j->insn->imm, DST, j->insn->off);
		return;
	}
	x86_lea(j->b, X86_T0, DST, j->insn->off);
	x86_mov_ri(j->b, X86_T1, j->insn->imm);
	x86_call_stub(j->b, STUB_ARENA_STORE1 + x86_size_index(bytes));
}

/* --- atomic operations -------------------------------------------------------------- */

static void operate(struct x86_jit *j, u32 base, s32 off)
{
	bool wide = x86_size(j->insn) == 8;

	switch (j->insn->imm & ~BPF_FETCH) {
	case BPF_ADD:
		x86_alu_mr(j->b, wide, ALU_ADD, base, off, SRC);
		break;
	case BPF_OR:
		x86_alu_mr(j->b, wide, ALU_OR, base, off, SRC);
		break;
	case BPF_AND:
		x86_alu_mr(j->b, wide, ALU_AND, base, off, SRC);
		break;
	case BPF_XOR:
		x86_alu_mr(j->b, wide, ALU_XOR, base, off, SRC);
		break;
	default: /* XCHG */
		x86_store(j->b, x86_size(j->insn), SRC, base, off);
	}
}

/* The old value is in T1. */
static void compare_exchange(struct x86_jit *j, u32 base, s32 off)
{
	u32 bytes = x86_size(j->insn), differs;

	x86_alu_rr(j->b, bytes == 8, ALU_CMP, X86_T1, RAX);
	differs = x86_jcc8_forward(j->b, CC_NE);
	x86_store(j->b, bytes, SRC, base, off);
	x86_land8(j->b, differs);
	x86_mov_rr(j->b, bytes == 8, RAX, X86_T1);
}

static void atomic_at(struct x86_jit *j, u32 base, s32 off)
{
	u32 bytes = x86_size(j->insn);

	if (j->insn->imm & BPF_FETCH)
		x86_load(j->b, bytes, false, X86_T1, base, off);
	if (j->insn->imm == BPF_CMPXCHG) {
		compare_exchange(j, base, off);
		return;
	}
	operate(j, base, off);
	if (j->insn->imm & BPF_FETCH)
		x86_mov_rr(j->b, bytes == 8, SRC, X86_T1);
}

/* It may stop the run: everything must be in memory. */
static void atomic_in_arena(struct x86_jit *j)
{
	u32 there;

	x86_before_call(j);
	x86_lea(j->b, X86_T0, DST, j->insn->off);
	x86_call_stub(j->b, STUB_ARENA_ATOMIC4 + (x86_size(j->insn) == 8));
	x86_test_rr(j->b, true, X86_T0, X86_T0);
	there = x86_jcc8_forward(j->b, CC_NE);
	x86_jmp_stub(j->b, STUB_STOP);
	x86_land8(j->b, there);
	atomic_at(j, X86_T0, 0);
}

void x86_stx(struct x86_jit *j)
{
	bool arena = access_of(j) == ACCESS_ARENA;
	u32 bytes = x86_size(j->insn);

	if (BPF_MODE(j->insn->code) == BPF_ATOMIC) {
		if (arena)
			atomic_in_arena(j);
		else
			atomic_at(j, DST, j->insn->off);
	} else if (arena) {
		x86_lea(j->b, X86_T0, DST, j->insn->off);
		x86_mov_rr(j->b, true, X86_T1, SRC);
		x86_call_stub(j->b, STUB_ARENA_STORE1 + x86_size_index(bytes));
	} else {
		x86_store(j->b, bytes, SRC, DST, j->insn->off);
	}
}
