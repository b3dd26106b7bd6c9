// SPDX-License-Identifier: GPL-2.0-only
/*
 * RFC 9669 section 4.3: all conditions in both widths with every pair of registers,
 * and with every register and immediates around the limits; jumps over distances
 * around what fits into 8 bits of machine code, forwards and backwards; jumps of 16
 * and (gotol) 32 bits.
 */
#include "isa.h"

static const struct condition {
	const char *name;
	u8 code;
} conditions[] = {
	{ "jeq", BPF_JEQ }, { "jgt", BPF_JGT }, { "jge", BPF_JGE }, { "jset", BPF_JSET },
	{ "jne", BPF_JNE }, { "jsgt", BPF_JSGT }, { "jsge", BPF_JSGE }, { "jlt", BPF_JLT },
	{ "jle", BPF_JLE }, { "jslt", BPF_JSLT }, { "jsle", BPF_JSLE },
};

/* Which way it went is seen in r@mark. */
static void observe(struct bpf_insn jump, u32 mark)
{
	jump.off = 2;
	isa_emit(jump);
	isa_emit(INSN(BPF_ALU64 | BPF_MOV | BPF_K, mark, 0, 0, 0x5a5a));
	isa_emit(INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0));
	isa_emit(INSN(BPF_ALU64 | BPF_MOV | BPF_K, mark, 0, 0, 0x3c3c));
}

static u32 other_than(u32 a, u32 b)
{
	u32 reg = (a + 1) % ISA_REGS;

	return reg == b ? (a + 2) % ISA_REGS : reg;
}

static void condition(u8 class, const struct condition *c)
{
	const char *width = class == BPF_JMP ? "" : "32";

	for (u32 dst = 0; dst < ISA_REGS; dst++) {
		for (u32 src = 0; src < ISA_REGS; src++) {
			isa_step(dst, src, "%s%s r%u, r%u", c->name, width, dst, src);
			observe(INSN(class | c->code | BPF_X, dst, src, 0, 0), other_than(dst, src));
			isa_end();
		}
		for (u32 i = 0; i < isa_nr_imms; i++) {
			isa_step(dst, NO_OPERAND, "%s%s r%u, %d", c->name, width, dst, isa_imms[i]);
			observe(INSN(class | c->code | BPF_K, dst, 0, 0, isa_imms[i]),
				other_than(dst, dst));
			isa_end();
		}
	}
}

/* Instructions whose machine code is short or long, and that leave traces. */
static void fill(u32 nr, u32 kind)
{
	static const struct bpf_insn kinds[] = {
		{ .code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = 0, .src_reg = 1 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = 7, .src_reg = 8 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = 0x12345 },
	};

	for (u32 i = 0; i < nr; i++)
		isa_emit(kinds[kind]);
}

#define FILLS 3

static void forwards(u32 nr, u32 kind, struct bpf_insn jump)
{
	isa_step(9, NO_OPERAND, "%02x over %u instructions", jump.code, nr);
	jump.off = (s16)nr;
	isa_emit(jump);
	fill(nr, kind);
	isa_end();
}

/* Three times round. */
static void backwards(u32 nr, u32 kind)
{
	isa_step(9, NO_OPERAND, "back over %u instructions", nr);
	isa_emit(INSN(BPF_ALU64 | BPF_MOV | BPF_K, 6, 0, 0, 0));
	fill(nr, kind);
	isa_emit(INSN(BPF_ALU64 | BPF_ADD | BPF_K, 6, 0, 0, 1));
	isa_emit(INSN(BPF_JMP | BPF_JLT | BPF_K, 6, 0, -(s32)nr - 2, 3));
	isa_end();
}

/* The same with an unconditional jump backwards: to A, which jumps on to the end. */
static void backwards_always(u32 nr, u32 kind, u8 class)
{
	s32 back = -(s32)nr - 2;

	isa_step(9, NO_OPERAND, "ja back over %u instructions", nr);
	isa_emit(INSN(BPF_JMP | BPF_JA, 0, 0, 1, 0));
	isa_emit(INSN(BPF_JMP | BPF_JA, 0, 0, nr + 1, 0)); /* A */
	fill(nr, kind);
	isa_emit(class == BPF_JMP ? INSN(BPF_JMP | BPF_JA, 0, 0, back, 0) :
				    INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, back));
	isa_end();
}

static void distances(void)
{
	for (u32 kind = 0; kind < FILLS; kind++) {
		for (u32 nr = 0; nr < 70; nr++) {
			forwards(nr, kind, INSN(BPF_JMP32 | BPF_JSET | BPF_K, 9, 0, 0, 1));
			backwards(nr, kind);
			backwards_always(nr, kind, nr & 1 ? BPF_JMP : BPF_JMP32);
		}
	}
}

/* One where the offset has 16 bits, and one where 32 are needed. */
static void far(void)
{
	static const u32 sizes[] = { 1000, 32766, 32767, 32768, 40000 };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 nr = sizes[i];

		isa_alone();
		if (nr <= 32767) {
			forwards(nr, 0, INSN(BPF_JMP32 | BPF_JSET | BPF_K, 9, 0, 0, 1));
			isa_alone();
		}
		isa_step(9, NO_OPERAND, "gotol over %u instructions, and back", nr);
		isa_emit(INSN(BPF_JMP32 | BPF_JSET | BPF_K, 9, 0, 1, 2));
		isa_emit(INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, nr + 1));
		fill(nr, 1);
		isa_emit(INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 1));
		isa_emit(INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, -(s32)nr - 2));
		isa_end();
	}
}

static void all(u8 class)
{
	for (u32 i = 0; i < ARRAY_SIZE(conditions); i++)
		condition(class, &conditions[i]);
}

void jump_base32(void)
{
	all(BPF_JMP32);
	distances();
	far();
}

void jump_base64(void)
{
	all(BPF_JMP);
}
