// SPDX-License-Identifier: GPL-2.0-only
/*
 * RFC 9669 section 5.3: each atomic operation in both widths with every pair of
 * registers (r0, which cmpxchg compares with, on either side), displacements, and on
 * the stack. What is left in memory is loaded into a register, and the map compared.
 */
#include "isa.h"

static const struct op {
	const char *name;
	s32 imm;
} ops[] = {
	{ "add", BPF_ADD }, { "or", BPF_OR }, { "and", BPF_AND }, { "xor", BPF_XOR },
	{ "fetch_add", BPF_ADD | BPF_FETCH }, { "fetch_or", BPF_OR | BPF_FETCH },
	{ "fetch_and", BPF_AND | BPF_FETCH }, { "fetch_xor", BPF_XOR | BPF_FETCH },
	{ "xchg", BPF_XCHG }, { "cmpxchg", BPF_CMPXCHG },
};

static const s32 displacements[] = { 0, 8, -8, 120, 128, -120, -128, -136 };

static const char *width(u8 size)
{
	return size == BPF_W ? "32" : "64";
}

/* The old value is the operand in register @old, and so is what is compared with. */
static void on_map(u8 size, const struct op *op, u32 base, u32 src, s32 off)
{
	u32 old = (base + 1) % ISA_REGS == src ? (base + 2) % ISA_REGS : (base + 1) % ISA_REGS;

	isa_step(old, src, "%s%s [r%u%+d], r%u", op->name, width(size), base, off, src);
	isa_map_pointer(base, 0);
	isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, base, old, off, 0));
	isa_emit(INSN(BPF_STX | BPF_ATOMIC | size, base, src, off, op->imm));
	isa_emit(INSN(BPF_ALU64 | BPF_MOV | BPF_K, base, 0, 0, 0));
	isa_end();
}

static void on_stack(u8 size, const struct op *op, u32 src, s32 off)
{
	u32 old = (src + 1) % ISA_REGS;

	isa_step(old, src, "%s%s [r10%+d], r%u", op->name, width(size), off, src);
	isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, 10, old, off & ~7, 0));
	isa_emit(INSN(BPF_STX | BPF_ATOMIC | size, 10, src, off, op->imm));
	isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, old ? old : 5, 10, off & ~7, 0));
	isa_end();
}

/* cmpxchg where it succeeds: r0 is what is there. */
static void exchanged(u8 size, u32 base, u32 src)
{
	isa_step(0, src, "cmpxchg%s [r%u], r%u of what is there", width(size), base, src);
	isa_map_pointer(base, 0);
	isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, base, 0, 16, 0));
	isa_emit(INSN(BPF_STX | BPF_ATOMIC | size, base, src, 16, BPF_CMPXCHG));
	isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, base, base, 16, 0));
	isa_end();
}

static void all(u8 size)
{
	for (u32 i = 0; i < ARRAY_SIZE(ops); i++) {
		/* (no verifier admits a cmpxchg through r0) */
		for (u32 base = ops[i].imm == BPF_CMPXCHG; base < ISA_REGS; base++) {
			for (u32 src = 0; src < ISA_REGS; src++)
				if (src != base)
					on_map(size, &ops[i], base, src, 8 * ((src & 3) - 1));
			for (u32 d = 0; d < ARRAY_SIZE(displacements); d++)
				on_map(size, &ops[i], base, (base + 1 + d) % ISA_REGS,
				       displacements[d]);
		}
		for (u32 src = 0; src < ISA_REGS; src++)
			on_stack(size, &ops[i], src, -64 - 4 * (s32)(size == BPF_W ? src : 2 * src));
	}
	for (u32 base = 1; base < ISA_REGS; base++)
		for (u32 src = 0; src < ISA_REGS; src++)
			if (src != base)
				exchanged(size, base, src);
}

void atomic32(void)
{
	all(BPF_W);
}

void atomic64(void)
{
	all(BPF_DW);
}
