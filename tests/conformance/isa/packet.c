// SPDX-License-Identifier: GPL-2.0-only
/*
 * RFC 9669 section 5.5: the loads of classic BPF, in network byte order, at constant
 * offsets and ones in each register; beyond the packet they end the program with 0.
 */
#include "isa.h"

static const struct size {
	const char *name;
	u8 code;
	s32 bytes;
} sizes[] = { { "b", BPF_B, 1 }, { "h", BPF_H, 2 }, { "w", BPF_W, 4 } };

/* r6 must be the context; r1 to r5 are gone afterwards. */
static void around(struct bpf_insn insn)
{
	isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, 6, 10, -24, 0));
	isa_emit(insn);
	for (u32 i = 1; i <= 6; i++)
		isa_emit(INSN(BPF_ALU64 | BPF_MOV | BPF_K, i, 0, 0, i));
	isa_end();
}

static void absolute(const struct size *size, s32 off)
{
	isa_step(NO_OPERAND, NO_OPERAND, "ldabs%s %d", size->name, off);
	around(INSN(BPF_LD | BPF_ABS | size->code, 0, 0, 0, off));
}

/* The operand in the register goes from inside to far outside. */
static void indirect(const struct size *size, u32 reg, s32 off)
{
	isa_step(NO_OPERAND, reg, "ldind%s r%u%+d", size->name, reg, off);
	around(INSN(BPF_LD | BPF_IND | size->code, 0, reg, 0, off));
}

void packet(void)
{
	isa_set(ISA_SOCKET, ISA_SMALL);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct size *size = &sizes[i];

		for (s32 off = 0; off < 8; off++)
			absolute(size, off);
		for (s32 off = ISA_PACKET - 8; off < ISA_PACKET + 2; off++)
			absolute(size, off);
		absolute(size, 0x7fffffff);
		absolute(size, -1);
		for (u32 reg = 0; reg < ISA_REGS; reg++) {
			if (reg == 6) /* the context */
				continue;
			indirect(size, reg, 0);
			indirect(size, reg, 1);
			indirect(size, reg, -1);
			indirect(size, reg, ISA_PACKET - size->bytes);
			indirect(size, reg, ISA_PACKET - 128 - size->bytes);
		}
	}
}
