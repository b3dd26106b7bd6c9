// SPDX-License-Identifier: GPL-2.0-only
/*
 * RFC 9669 sections 4.1 (arithmetic), 4.2 (byte swaps) and 5.4 (64-bit immediates):
 * every operation in both widths with every pair of registers, and with every
 * register and immediates around the limits; shifts by all counts.
 */
#include "isa.h"

struct op {
	const char *name;
	u8 code;
	s16 off;
};

/* 4.1, Table 4 */
static const struct op simple[] = {
	{ "add", BPF_ADD, 0 }, { "sub", BPF_SUB, 0 }, { "or", BPF_OR, 0 },
	{ "and", BPF_AND, 0 }, { "xor", BPF_XOR, 0 }, { "lsh", BPF_LSH, 0 },
	{ "rsh", BPF_RSH, 0 }, { "arsh", BPF_ARSH, 0 }, { "mov", BPF_MOV, 0 },
};
static const struct op divmul[] = {
	{ "mul", BPF_MUL, 0 }, { "div", BPF_DIV, 0 }, { "sdiv", BPF_DIV, 1 },
	{ "mod", BPF_MOD, 0 }, { "smod", BPF_MOD, 1 },
};

static u32 width(u8 class)
{
	return class == BPF_ALU64 ? 64 : 32;
}

static void with_registers(u8 class, const struct op *op)
{
	for (u32 dst = 0; dst < ISA_REGS; dst++) {
		for (u32 src = 0; src < ISA_REGS; src++) {
			isa_step(dst, src, "%s%u r%u, r%u", op->name, width(class), dst, src);
			isa_emit(INSN(class | op->code | BPF_X, dst, src, op->off, 0));
			isa_end();
		}
	}
}

/* r10 can be read: the difference from itself is known. */
static void with_frame_pointer(void)
{
	for (u32 dst = 0; dst < ISA_REGS; dst++) {
		isa_step(NO_OPERAND, NO_OPERAND, "mov64 r%u, r10", dst);
		isa_emit(INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, 10, 0, 0));
		isa_emit(INSN(BPF_ALU64 | BPF_SUB | BPF_X, dst, 10, 0, 0));
		isa_end();
	}
}

static void with_immediate(u8 class, const struct op *op, u32 dst, s32 imm)
{
	isa_step(dst, NO_OPERAND, "%s%u r%u, %d", op->name, width(class), dst, imm);
	isa_emit(INSN(class | op->code | BPF_K, dst, 0, op->off, imm));
	isa_end();
}

static void with_immediates(u8 class, const struct op *op)
{
	bool shift = op->code == BPF_LSH || op->code == BPF_RSH || op->code == BPF_ARSH;
	bool division = op->code == BPF_DIV || op->code == BPF_MOD;

	for (u32 dst = 0; dst < ISA_REGS; dst++) {
		if (shift) {
			for (u32 i = 0; i < width(class); i++)
				with_immediate(class, op, dst, (s32)i);
			continue;
		}
		for (u32 i = 0; i < isa_nr_imms; i++)
			if (!division || isa_imms[i])
				with_immediate(class, op, dst, isa_imms[i]);
	}
}

static void neg(u8 class)
{
	for (u32 dst = 0; dst < ISA_REGS; dst++) {
		isa_step(dst, NO_OPERAND, "neg%u r%u", width(class), dst);
		isa_emit(INSN(class | BPF_NEG, dst, 0, 0, 0));
		isa_end();
	}
}

static void swap(u8 code, const char *name, u32 bits)
{
	for (u32 dst = 0; dst < ISA_REGS; dst++) {
		isa_step(dst, NO_OPERAND, "%s%u r%u", name, bits, dst);
		isa_emit(INSN(code | BPF_END, dst, 0, 0, bits));
		isa_end();
	}
}

static void swaps(u32 bits)
{
	swap(BPF_ALU | BPF_TO_LE, "le", bits);
	swap(BPF_ALU | BPF_TO_BE, "be", bits);
	swap(BPF_ALU64, "bswap", bits);
}

static void movsx(u8 class, s16 bits)
{
	struct op op = { "movsx", BPF_MOV, bits };

	with_registers(class, &op);
}

static void all(u8 class, const struct op *ops, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		with_registers(class, &ops[i]);
		with_immediates(class, &ops[i]);
	}
}

/* 5.4: constants around what shorter instructions could load */
static void wide_immediates(void)
{
	static const u64 around[] = { 0, 1ULL << 7, 1ULL << 8, 1ULL << 31, 1ULL << 32,
				      0xffffffff80000000, 0xffffffff00000000, 1ULL << 63,
				      0x0123456789abcdef, 0xfedcba9876543210 };

	for (u32 dst = 0; dst < ISA_REGS; dst++) {
		for (u32 i = 0; i < 3 * ARRAY_SIZE(around); i++) {
			u64 v = around[i / 3] + i % 3 - 1;

			isa_step(NO_OPERAND, NO_OPERAND, "lddw r%u, 0x%llx", dst, v);
			isa_emit(INSN(BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, (u32)v));
			isa_emit(INSN(0, 0, 0, 0, (u32)(v >> 32)));
			isa_end();
		}
	}
}

void alu_base32(void)
{
	all(BPF_ALU, simple, ARRAY_SIZE(simple));
	neg(BPF_ALU);
	movsx(BPF_ALU, 8);
	movsx(BPF_ALU, 16);
	swaps(16);
	swaps(32);
}

void alu_base64(void)
{
	all(BPF_ALU64, simple, ARRAY_SIZE(simple));
	neg(BPF_ALU64);
	movsx(BPF_ALU64, 8);
	movsx(BPF_ALU64, 16);
	movsx(BPF_ALU64, 32);
	swaps(64);
	with_frame_pointer();
	wide_immediates();
}

void alu_divmul32(void)
{
	all(BPF_ALU, divmul, ARRAY_SIZE(divmul));
}

void alu_divmul64(void)
{
	all(BPF_ALU64, divmul, ARRAY_SIZE(divmul));
}
