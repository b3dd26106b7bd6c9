// SPDX-License-Identifier: GPL-2.0-only
/*
 * All 256 opcodes with fields that RFC 9669 leaves no meaning: whoever loads such a
 * program must be told what is wrong with it. Each opcode begins as an instruction
 * that makes sense where there is one (and then must load), and has one or two of its
 * fields changed.
 *
 * What makes sense is in the table below, by opcode as in the RFC's appendix A;
 * where Linux gives meaning to more (may_goto, addr_space_cast), it has that, too.
 */
#include <errno.h>
#include <string.h>

#include "isa.h"

/* What a field may be. */
enum rule {
	ZERO,
	ANY, /* an immediate or a distance */
	REG, /* r0 to r10 */
	COUNT32, COUNT64, /* of a shift */
	NOT_ZERO, /* a divisor */
	SIGNED, /* 0 or 1: division with sign */
	EXTEND32, EXTEND64, /* 0, or bits to extend from */
	WIDTH, /* 16, 32, 64 */
	KIND, /* of a call: 0 to 2 */
	CONSTANT, /* of a 64-bit immediate: a kind, 0 to 6 */
	ATOMIC,
};

/* Codes are @code + 0x10 * i, i = 0 to more; shown with what all of them have. */
static const struct row {
	u8 code, more;
	enum rule dst, src, off, imm;
} rows[] = {
	/* 4.1: add, sub; mul; div; or, and; lsh, rsh; neg; mod; xor; mov; arsh */
	{ 0x04, 2, REG, ZERO, ZERO, ANY }, { 0x0c, 2, REG, REG, ZERO, ZERO },
	{ 0x07, 2, REG, ZERO, ZERO, ANY }, { 0x0f, 2, REG, REG, ZERO, ZERO },
	{ 0x34, 0, REG, ZERO, SIGNED, NOT_ZERO }, { 0x3c, 0, REG, REG, SIGNED, ZERO },
	{ 0x37, 0, REG, ZERO, SIGNED, NOT_ZERO }, { 0x3f, 0, REG, REG, SIGNED, ZERO },
	{ 0x44, 1, REG, ZERO, ZERO, ANY }, { 0x4c, 1, REG, REG, ZERO, ZERO },
	{ 0x47, 1, REG, ZERO, ZERO, ANY }, { 0x4f, 1, REG, REG, ZERO, ZERO },
	{ 0x64, 1, REG, ZERO, ZERO, COUNT32 }, { 0x6c, 1, REG, REG, ZERO, ZERO },
	{ 0x67, 1, REG, ZERO, ZERO, COUNT64 }, { 0x6f, 1, REG, REG, ZERO, ZERO },
	{ 0x84, 0, REG, ZERO, ZERO, ZERO }, { 0x87, 0, REG, ZERO, ZERO, ZERO },
	{ 0x94, 0, REG, ZERO, SIGNED, NOT_ZERO }, { 0x9c, 0, REG, REG, SIGNED, ZERO },
	{ 0x97, 0, REG, ZERO, SIGNED, NOT_ZERO }, { 0x9f, 0, REG, REG, SIGNED, ZERO },
	{ 0xa4, 1, REG, ZERO, ZERO, ANY }, { 0xac, 0, REG, REG, ZERO, ZERO },
	{ 0xa7, 1, REG, ZERO, ZERO, ANY }, { 0xaf, 0, REG, REG, ZERO, ZERO },
	{ 0xbc, 0, REG, REG, EXTEND32, ZERO }, { 0xbf, 0, REG, REG, EXTEND64, ZERO },
	{ 0xc4, 0, REG, ZERO, ZERO, COUNT32 }, { 0xcc, 0, REG, REG, ZERO, ZERO },
	{ 0xc7, 0, REG, ZERO, ZERO, COUNT64 }, { 0xcf, 0, REG, REG, ZERO, ZERO },
	/* 4.2: le, be, bswap */
	{ 0xd4, 0, REG, ZERO, ZERO, WIDTH }, { 0xdc, 0, REG, ZERO, ZERO, WIDTH },
	{ 0xd7, 0, REG, ZERO, ZERO, WIDTH },
	/* 4.3: ja, gotol; jeq to jsge; call; exit; jlt to jsle; may_goto */
	{ 0x05, 0, ZERO, ZERO, ANY, ZERO }, { 0x06, 0, ZERO, ZERO, ZERO, ANY },
	{ 0x15, 6, REG, ZERO, ANY, ANY }, { 0x1d, 6, REG, REG, ANY, ZERO },
	{ 0x16, 6, REG, ZERO, ANY, ANY }, { 0x1e, 6, REG, REG, ANY, ZERO },
	{ 0x85, 0, ZERO, KIND, ZERO, ANY }, { 0x95, 0, ZERO, ZERO, ANY, ZERO },
	{ 0xa5, 3, REG, ZERO, ANY, ANY }, { 0xad, 3, REG, REG, ANY, ZERO },
	{ 0xa6, 3, REG, ZERO, ANY, ANY }, { 0xae, 3, REG, REG, ANY, ZERO },
	{ 0xe5, 0, ZERO, ZERO, ANY, ZERO },
	/* 5.1: ldx w, h, b, dw; st; stx */
	{ 0x61, 1, REG, REG, ANY, ZERO }, { 0x71, 0, REG, REG, ANY, ZERO },
	{ 0x69, 1, REG, REG, ANY, ZERO },
	{ 0x62, 1, REG, ZERO, ANY, ANY }, { 0x6a, 1, REG, ZERO, ANY, ANY },
	{ 0x63, 1, REG, REG, ANY, ZERO }, { 0x6b, 1, REG, REG, ANY, ZERO },
	/* 5.2: ldxs w, b, h */
	{ 0x81, 1, REG, REG, ANY, ZERO }, { 0x89, 0, REG, REG, ANY, ZERO },
	/* 5.3 */
	{ 0xc3, 0, REG, REG, ANY, ATOMIC }, { 0xdb, 0, REG, REG, ANY, ATOMIC },
	/* 5.4: lddw; 5.5: ldabs w, b, h; ldind w, b, h */
	{ 0x18, 0, REG, CONSTANT, ZERO, ANY },
	{ 0x20, 1, ZERO, ZERO, ZERO, ANY }, { 0x28, 0, ZERO, ZERO, ZERO, ANY },
	{ 0x40, 1, ZERO, REG, ZERO, ANY }, { 0x48, 0, ZERO, REG, ZERO, ANY },
};

static const struct row *row_of(u8 code)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (code >= rows[i].code && !((code - rows[i].code) & 15) &&
		    (code - rows[i].code) >> 4 <= rows[i].more)
			return &rows[i];
	return NULL;
}

static bool is_atomic(s32 imm)
{
	static const s32 known[] = { 0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1 };

	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		if (imm == known[i])
			return true;
	return false;
}

static bool allows(enum rule rule, s32 v)
{
	switch (rule) {
	case ZERO:
		return !v;
	case ANY:
		return true;
	case REG:
		return v >= 0 && v <= 10;
	case COUNT32:
		return v >= 0 && v < 32;
	case COUNT64:
		return v >= 0 && v < 64;
	case NOT_ZERO:
		return v != 0;
	case SIGNED:
		return v == 0 || v == 1;
	case EXTEND32:
		return v == 0 || v == 8 || v == 16;
	case EXTEND64:
		return v == 0 || v == 8 || v == 16 || v == 32;
	case WIDTH:
		return v == 16 || v == 32 || v == 64;
	case KIND:
		return v >= 0 && v <= 2;
	case CONSTANT:
		return v >= 0 && v <= 6;
	default:
		return is_atomic(v);
	}
}

static bool is_defined(const struct bpf_insn *insn)
{
	const struct row *row = row_of(insn->code);

	/* addr_space_cast, for programs with an arena */
	if (insn->code == 0xbf && insn->off == 1)
		return true;
	return row && allows(row->dst, insn->dst_reg) && allows(row->src, insn->src_reg) &&
	       allows(row->off, insn->off) && allows(row->imm, insn->imm);
}

/* --- programs -------------------------------------------------------------------------------- */

#define MAX_PROG 16

/* r6 is the context, fp-8 a number, all other registers are numbers. */
static u32 around(struct bpf_insn insn, struct bpf_insn *prog)
{
	u32 n = 0;

	prog[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
	prog[n++] = INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, 0);
	for (u32 i = 0; i < ISA_REGS; i++)
		if (i != 6)
			prog[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, i, 0, 0, 1);
	prog[n++] = insn;
	if (insn.code == (BPF_LD | BPF_IMM | BPF_DW))
		prog[n++] = INSN(0, 0, 0, 0, 0);
	if (insn.code == (BPF_JMP | BPF_EXIT))
		return n;
	prog[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	prog[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return n;
}

/* An instruction of that opcode that loads, or something if there is none. */
static struct bpf_insn sane(u8 code)
{
	const struct row *row = row_of(code);
	struct bpf_insn insn = INSN(code, 2, 3, 0, 0);
	u8 class = BPF_CLASS(code);

	if (!row)
		return insn;
	insn.dst_reg = row->dst == REG ? 2 : 0;
	insn.src_reg = row->src == REG ? 3 : 0;
	if (row->imm == NOT_ZERO || row->imm == COUNT32 || row->imm == COUNT64)
		insn.imm = 1;
	if (row->imm == WIDTH)
		insn.imm = 16;
	if (class == BPF_LDX || class == BPF_ST || class == BPF_STX)
		insn.off = -8;
	if (class == BPF_LDX)
		insn.src_reg = 10;
	if (class == BPF_ST || class == BPF_STX)
		insn.dst_reg = 10;
	if (code == (BPF_JMP | BPF_CALL))
		insn.imm = BPF_FUNC_get_prandom_u32;
	return insn;
}

/* --- verdicts -------------------------------------------------------------------------------- */

/* What we say to people. */
static bool is_clear(const char *log)
{
	static const char *const reasons[] = { "unknown opcode", "reserved fields", "is invalid",
					       "invalid", "read only", "div by zero",
					       "jump out of range", "unreachable insn",
					       "unrecognized", "is not a function" };

	for (u32 i = 0; i < ARRAY_SIZE(reasons); i++)
		if (strstr(log, reasons[i]))
			return true;
	return false;
}

static void verdict(struct isa_engine *e, const struct bpf_insn *insn, bool must_load)
{
	struct bpf_insn prog[MAX_PROG];
	int fd = isa_load(e, BPF_PROG_TYPE_SOCKET_FILTER, prog, around(*insn, prog));
	const char *what = NULL;

	isa_count(e, 1);
	if (fd >= 0) {
		if (!is_defined(insn))
			what = "is accepted";
		e->close(fd);
	} else if (must_load) {
		what = "is rejected";
	} else if (e != &isa_engines[ISA_HOST] && !is_defined(insn) &&
		   (fd != -EINVAL && fd != -EACCES)) {
		what = "is rejected with the wrong error";
	} else if (e != &isa_engines[ISA_HOST] && !is_defined(insn) && !is_clear(isa_log)) {
		what = "is rejected, and nobody knows why";
	}
	if (what)
		isa_wrong(e, "%02x dst %u src %u off %d imm 0x%x %s%s%s", insn->code, insn->dst_reg,
			  insn->src_reg, insn->off, (u32)insn->imm, what, fd < 0 ? ": " : "",
			  fd < 0 ? isa_log : "");
}

static void ask(const struct bpf_insn *insn, bool must_load)
{
	if (is_defined(insn) && !must_load)
		return;
	for (u32 i = 0; i < ISA_ENGINES; i++)
		if (!isa_engines[i].why_not)
			verdict(&isa_engines[i], insn, must_load);
}

static void vary_registers(const struct bpf_insn *base)
{
	for (u32 i = 0; i < 16; i++) {
		struct bpf_insn insn = *base;

		insn.dst_reg = i & 15;
		ask(&insn, false);
		insn.src_reg = i & 15;
		ask(&insn, false);
		insn.dst_reg = base->dst_reg;
		ask(&insn, false);
	}
}

/* Each alone, and a few of all pairs. */
static void vary_numbers(const struct bpf_insn *base)
{
	static const s16 offs[] = { 0, 1, 2, 7, 8, 16, 32, 64, -1, 0x7fff, -0x8000 };
	static const s32 imms[] = { 0, 1, 2, 8, 15, 16, 24, 31, 32, 33, 63, 64, 65, 128, 0x10,
				    0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe0, 0xe1, 0xf0, 0xf1,
				    0xd1, 0x10000, -1, (s32)0x80000000, 0x7fffffff };

	for (u32 i = 0; i < ARRAY_SIZE(imms); i++) {
		struct bpf_insn insn = *base;

		insn.imm = imms[i];
		ask(&insn, false);
		insn.off = offs[i % ARRAY_SIZE(offs)];
		ask(&insn, false);
		insn.imm = base->imm;
		ask(&insn, false);
	}
}

static void vary(u8 code)
{
	struct bpf_insn base = sane(code);

	if (is_defined(&base))
		ask(&base, true);
	vary_registers(&base);
	vary_numbers(&base);
}

void undefined(void)
{
	for (u32 code = 0; code < 256; code++)
		vary((u8)code);
}
