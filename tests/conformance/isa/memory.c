// SPDX-License-Identifier: GPL-2.0-only
/*
 * RFC 9669 sections 5.1 (loads and stores) and 5.2 (sign-extending loads): each size
 * with every pair of registers, also the same one twice; displacements around what
 * fits into 8 bits, and to the ends of 16; addresses that are not aligned; the stack.
 */
#include "isa.h"

static const struct size {
	const char *name;
	u8 code;
	u32 bytes;
} sizes[] = {
	{ "b", BPF_B, 1 }, { "h", BPF_H, 2 }, { "w", BPF_W, 4 }, { "dw", BPF_DW, 8 },
};

static const s32 displacements[] = { 0, 1, -1, 8, -8, 126, 127, 128, 129, -127, -128, -129, -130,
				     255, -256 };
static const s32 far[] = { -32768, -32767, -32760, 32760, 32766, 32767, 4096, -4096 };

/* A pointer must not be among the results: its number differs. */
static void forget(u32 reg)
{
	isa_emit(INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, 0));
}

static void load(u8 mode, const struct size *size, u32 dst, u32 base, s32 off)
{
	isa_step(NO_OPERAND, NO_OPERAND, "ldx%s%s r%u, [r%u%+d]", mode == BPF_MEMSX ? "s" : "",
		 size->name, dst, base, off);
	isa_map_pointer(base, 0);
	isa_emit(INSN(BPF_LDX | mode | size->code, dst, base, off, 0));
	if (dst != base)
		forget(base);
	isa_end();
}

/* What is on the other side of the access stays as it was: the map is compared, too. */
static void store(const struct size *size, u32 base, u32 src, s32 off)
{
	isa_step(NO_OPERAND, src, "stx%s [r%u%+d], r%u", size->name, base, off, src);
	isa_map_pointer(base, 0);
	isa_emit(INSN(BPF_STX | BPF_MEM | size->code, base, src, off, 0));
	forget(base);
	isa_end();
}

/* A pointer stored through itself is what is stored when it is stored whole. */
static void store_itself(const struct size *size, u32 reg)
{
	u32 a = (reg + 1) % ISA_REGS, b = (reg + 2) % ISA_REGS;

	isa_step(NO_OPERAND, NO_OPERAND, "stx%s [r%u], r%u", size->name, reg, reg);
	isa_map_pointer(reg, 0);
	isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, reg, reg, 8, 0));
	isa_emit(INSN(BPF_STX | BPF_MEM | size->code, reg, reg, 0, 0));
	isa_emit(INSN(BPF_LDX | BPF_MEM | size->code, a, reg, 8, 0));
	isa_emit(INSN(BPF_LDX | BPF_MEM | size->code, b, reg, 0, 0));
	isa_emit(INSN(BPF_ALU64 | BPF_XOR | BPF_X, a, b, 0, 0));
	isa_emit(INSN(BPF_ST | BPF_MEM | BPF_DW, reg, 0, 0, 0));
	isa_emit(INSN(BPF_ST | BPF_MEM | BPF_DW, reg, 0, 8, 0));
	forget(reg);
	forget(b);
	isa_end();
}

static void store_imm(const struct size *size, u32 base, s32 off, s32 imm)
{
	isa_step(NO_OPERAND, NO_OPERAND, "st%s [r%u%+d], %d", size->name, base, off, imm);
	isa_map_pointer(base, 0);
	isa_emit(INSN(BPF_ST | BPF_MEM | size->code, base, 0, off, imm));
	forget(base);
	isa_end();
}

/* Each slot of the stack, whole and in parts. */
static void stack(const struct size *size)
{
	for (s32 off = -512; off <= -32; off += off < -400 || off > -160 ? 8 : 40) {
		u32 reg = (u32)(-off / 8) % ISA_REGS, to = (reg + 3) % ISA_REGS;
		s32 part = off + (s32)(((u32)off / 8 * size->bytes) % 8);

		isa_step(reg, NO_OPERAND, "stx%s [r10%+d], r%u", size->name, part, reg);
		isa_emit(INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, off, 0x13579bdf));
		isa_emit(INSN(BPF_STX | BPF_MEM | size->code, 10, reg, part, 0));
		isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, to, 10, off, 0));
		isa_emit(INSN(BPF_LDX | BPF_MEM | size->code, reg, 10, part, 0));
		isa_end();
		isa_step(NO_OPERAND, NO_OPERAND, "st%s [r10%+d]", size->name, part);
		isa_emit(INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, off, -2));
		isa_emit(INSN(BPF_ST | BPF_MEM | size->code, 10, 0, part, 0x80818283));
		isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, to, 10, off, 0));
		isa_end();
	}
}

static void loads(u8 mode, const struct size *size)
{
	for (u32 base = 0; base < ISA_REGS; base++) {
		for (u32 dst = 0; dst < ISA_REGS; dst++)
			for (u32 i = 0; i < 3; i++)
				load(mode, size, dst, base, i * 131);
		for (u32 i = 0; i < ARRAY_SIZE(displacements); i++)
			load(mode, size, (base + i) % ISA_REGS, base, displacements[i]);
	}
}

static void stores(const struct size *size)
{
	for (u32 base = 0; base < ISA_REGS; base++) {
		for (u32 src = 0; src < ISA_REGS; src++) {
			if (src == base)
				store_itself(size, base);
			else
				store(size, base, src, 0);
		}
		for (u32 i = 0; i < ARRAY_SIZE(displacements); i++)
			store(size, base, (base + 1 + i % 9) % ISA_REGS, displacements[i]);
		for (u32 i = 0; i < isa_nr_imms; i++)
			store_imm(size, base, displacements[i % ARRAY_SIZE(displacements)],
				  isa_imms[i]);
	}
}

/* In a map that is large enough for all of 16 bits. */
static void far_away(const struct size *size, bool sign)
{
	isa_set(ISA_SYSCALL, ISA_BIG);
	for (u32 base = 0; base < ISA_REGS; base++) {
		for (u32 i = 0; i < ARRAY_SIZE(far); i++) {
			load(BPF_MEM, size, (base + i) % ISA_REGS, base, far[i]);
			if (sign)
				load(BPF_MEMSX, size, (base + i) % ISA_REGS, base, far[i]);
			store_imm(size, base, far[i], (s32)i - 4);
			isa_step(NO_OPERAND, NO_OPERAND, "stx%s [r%u%+d]", size->name, base, far[i]);
			isa_map_pointer(base, 0);
			isa_emit(INSN(BPF_STX | BPF_MEM | size->code, base, (base + 1) % ISA_REGS,
				      far[i], 0));
			forget(base);
			isa_end();
		}
	}
	isa_set(ISA_SYSCALL, ISA_SMALL);
}

static void all(const struct size *size)
{
	loads(BPF_MEM, size);
	stores(size);
	stack(size);
	far_away(size, size->bytes < 8);
}

void memory_base32(void)
{
	for (u32 i = 0; i < 3; i++)
		all(&sizes[i]);
}

/* Sign-extending loads fill 64 bits. */
void memory_base64(void)
{
	all(&sizes[3]);
	for (u32 i = 0; i < 3; i++)
		loads(BPF_MEMSX, &sizes[i]);
}
