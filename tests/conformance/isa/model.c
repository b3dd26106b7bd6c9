// SPDX-License-Identifier: GPL-2.0-only
/*
 * What RFC 9669 says, in C that has no corner cases: arithmetic is done on 128
 * bits and cut to the width, memory is bytes in little-endian order. Slow, and
 * unlike src/bpf/interp/interp.c on purpose.
 *
 * Addresses are numbers of its own; the map, the registers' memory and the
 * stack are where they say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa.h"

#define FRAMES 8
#define FRAME_SIZE 512
#define MAP_BASE 0x100000000ULL
#define CTX_BASE 0x200000000ULL
#define STACK_BASE 0x300000000ULL /* of the deepest frame */
#define SKB_BASE 0x400000000ULL
#define MAX_STEPS 10000000

typedef unsigned __int128 u128;
typedef __int128 s128;

struct machine {
	const struct isa_prog *prog;
	struct isa_io *io;
	const u8 *packet;
	u64 r[11];
	u32 pc, depth;
	struct {
		u32 ret;
		u64 saved[4];
	} calls[FRAMES];
	u8 stack[FRAMES * FRAME_SIZE];
};

__attribute__((noreturn)) static void broken(const struct machine *m, const char *what)
{
	const struct bpf_insn *insn = &m->prog->insns[m->pc];

	fprintf(stderr, "isa: the vector is wrong at instruction %u (%02x %u %u %d %d): %s\n", m->pc,
		insn->code, insn->dst_reg, insn->src_reg, insn->off, insn->imm, what);
	abort();
}

/* --- section 4.1, 4.2: arithmetic and byte swaps ---------------------------------------- */

/* The low @bits of @v as a number with a sign. */
static s128 as_signed(u64 v, u32 bits)
{
	u128 half = (u128)1 << (bits - 1), all = half * 2;
	u128 low = v & (all - 1);

	return low >= half ? (s128)low - (s128)all : (s128)low;
}

static u64 cut(u128 v, u32 bits)
{
	return (u64)(v & (((u128)1 << bits) - 1));
}

static u64 reverse(u64 v, u32 bits)
{
	u64 out = 0;

	for (u32 i = 0; i < bits; i += 8)
		out |= (v >> i & 0xff) << (bits - 8 - i);
	return out;
}

/* Towards minus infinity: what arithmetic shifts are. */
static s128 floor_div(s128 a, s128 b)
{
	s128 q = a / b;

	return a % b && (a < 0) != (b < 0) ? q - 1 : q;
}

static u64 divide(u64 a, u64 b, u32 bits, bool is_signed)
{
	if (!cut(b, bits))
		return 0;
	if (is_signed)
		return cut((u128)(as_signed(a, bits) / as_signed(b, bits)), bits);
	return cut(a, bits) / cut(b, bits);
}

static u64 modulo(u64 a, u64 b, u32 bits, bool is_signed)
{
	if (!cut(b, bits))
		return cut(a, bits);
	if (is_signed)
		return cut((u128)(as_signed(a, bits) % as_signed(b, bits)), bits);
	return cut(a, bits) % cut(b, bits);
}

static u64 byte_swap(const struct bpf_insn *insn, u64 v)
{
	u32 bits = (u32)insn->imm;

	/* ALU64: unconditionally; ALU: "to big endian", and we are little */
	if (BPF_CLASS(insn->code) == BPF_ALU64 || insn->code & BPF_TO_BE)
		return reverse(v, bits);
	return cut(v, bits);
}

u64 isa_model_alu(const struct bpf_insn *insn, u64 a, u64 src)
{
	u32 bits = BPF_CLASS(insn->code) == BPF_ALU64 ? 64 : 32;
	/* an immediate is sign-extended to the width of the operation */
	u64 b = BPF_SRC(insn->code) == BPF_X ? src : (u64)(s64)insn->imm;
	u128 two_to_count = (u128)1 << (b % bits);

	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		return cut((u128)a + b, bits);
	case BPF_SUB:
		return cut((u128)a - b, bits);
	case BPF_MUL:
		return cut((u128)a * b, bits);
	case BPF_DIV:
		return divide(a, b, bits, insn->off == 1);
	case BPF_MOD:
		return modulo(a, b, bits, insn->off == 1);
	case BPF_OR:
		return cut(~(~(u128)a & ~(u128)b), bits);
	case BPF_AND:
		return cut(~(~(u128)a | ~(u128)b), bits);
	case BPF_XOR:
		return cut(((u128)a | b) - ((u128)a & b), bits);
	case BPF_LSH:
		return cut(a * two_to_count, bits);
	case BPF_RSH:
		return (u64)(cut(a, bits) / two_to_count);
	case BPF_ARSH:
		return cut((u128)floor_div(as_signed(a, bits), (s128)two_to_count), bits);
	case BPF_NEG:
		return cut(0 - (u128)a, bits);
	case BPF_MOV:
		return cut(insn->off ? (u128)as_signed(b, (u32)insn->off) : (u128)b, bits);
	default: /* BPF_END */
		return byte_swap(insn, a);
	}
}

/* --- section 4.3: jumps -------------------------------------------------------------------- */

bool isa_model_jump(const struct bpf_insn *insn, u64 dst, u64 src)
{
	u32 bits = BPF_CLASS(insn->code) == BPF_JMP ? 64 : 32;
	u64 other = BPF_SRC(insn->code) == BPF_X ? src : (u64)(s64)insn->imm;
	u64 a = cut(dst, bits), b = cut(other, bits);
	s128 sa = as_signed(a, bits), sb = as_signed(b, bits);

	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JSET:
		return (a & b) != 0;
	case BPF_JNE:
		return a != b;
	case BPF_JSGT:
		return sa > sb;
	case BPF_JSGE:
		return sa >= sb;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSLT:
		return sa < sb;
	default: /* BPF_JSLE */
		return sa <= sb;
	}
}

/* --- section 5: memory ----------------------------------------------------------------------- */

static u8 *at(struct machine *m, u64 addr, u32 size)
{
	const struct {
		u64 base, size;
		u8 *mem;
	} areas[] = {
		{ MAP_BASE, m->prog->map_size, m->io->map },
		{ CTX_BASE, sizeof(m->io->regs), (u8 *)m->io->regs },
		{ STACK_BASE, sizeof(m->stack), m->stack },
	};

	for (u32 i = 0; i < ARRAY_SIZE(areas); i++)
		if (addr - areas[i].base < areas[i].size &&
		    addr - areas[i].base + size <= areas[i].size)
			return areas[i].mem + (addr - areas[i].base);
	broken(m, "nothing is there");
}

static u64 load(struct machine *m, u64 addr, u32 size)
{
	const u8 *p = at(m, addr, size);
	u64 v = 0;

	for (u32 i = 0; i < size; i++)
		v |= (u64)p[i] << (8 * i);
	return v;
}

static void store(struct machine *m, u64 addr, u32 size, u64 v)
{
	u8 *p = at(m, addr, size);

	for (u32 i = 0; i < size; i++)
		p[i] = (u8)(v >> (8 * i));
}

static u32 access_size(u8 code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

static void atomic(struct machine *m, const struct bpf_insn *insn)
{
	u32 size = access_size(insn->code);
	u64 addr = m->r[insn->dst_reg] + (u64)(s64)insn->off, old = load(m, addr, size);
	u64 src = m->r[insn->src_reg];

	switch (insn->imm) {
	case BPF_CMPXCHG:
		if (old == cut(m->r[0], size * 8))
			store(m, addr, size, src);
		m->r[0] = old;
		return;
	case BPF_XCHG:
		store(m, addr, size, src);
		break;
	default:
		switch (insn->imm & ~BPF_FETCH) {
		case BPF_ADD:
			store(m, addr, size, (u64)((u128)old + src));
			break;
		case BPF_OR:
			store(m, addr, size, old | src);
			break;
		case BPF_AND:
			store(m, addr, size, old & src);
			break;
		case BPF_XOR:
			store(m, addr, size, old ^ src);
			break;
		default:
			broken(m, "no atomic operation");
		}
	}
	if (insn->imm & BPF_FETCH)
		m->r[insn->src_reg] = old;
}

/* Section 5.5: false beyond the packet. (What is in r1 to r5 then is nobody's business.) */
static bool load_packet(struct machine *m, const struct bpf_insn *insn)
{
	u32 size = access_size(insn->code);
	s64 pos = insn->imm;

	if (BPF_MODE(insn->code) == BPF_IND)
		pos += (s32)m->r[insn->src_reg];
	if (pos < 0 || pos + size > ISA_PACKET)
		return false;
	m->r[0] = 0;
	for (u32 i = 0; i < size; i++)
		m->r[0] = m->r[0] << 8 | m->packet[pos + i];
	return true;
}

/* --- running --------------------------------------------------------------------------------- */

static void load_imm(struct machine *m, const struct bpf_insn *insn)
{
	u64 v = (u64)(u32)insn->imm | (u64)(u32)insn[1].imm << 32;

	if (insn->src_reg == BPF_PSEUDO_MAP_VALUE)
		v = MAP_BASE + (u32)insn[1].imm;
	else if (insn->src_reg)
		broken(m, "no number");
	m->r[insn->dst_reg] = v;
	m->pc++;
}

static void call(struct machine *m, const struct bpf_insn *insn)
{
	if (insn->src_reg != BPF_PSEUDO_CALL || m->depth + 1 == FRAMES)
		broken(m, "no call");
	m->calls[m->depth].ret = m->pc;
	memcpy(m->calls[m->depth].saved, &m->r[6], sizeof(m->calls[0].saved));
	m->depth++;
	m->r[10] -= FRAME_SIZE;
	m->pc += (u32)insn->imm;
}

/* False: of the program. */
static bool leave(struct machine *m)
{
	if (!m->depth)
		return false;
	m->depth--;
	memcpy(&m->r[6], m->calls[m->depth].saved, sizeof(m->calls[0].saved));
	m->r[10] += FRAME_SIZE;
	m->pc = m->calls[m->depth].ret;
	return true;
}

/* False: the program ends. */
static bool jump(struct machine *m, const struct bpf_insn *insn)
{
	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		m->pc += (u32)(BPF_CLASS(insn->code) == BPF_JMP ? insn->off : insn->imm);
		return true;
	case BPF_CALL:
		call(m, insn);
		return true;
	case BPF_EXIT:
		return leave(m);
	case BPF_JCOND: /* may_goto: vectors do not wait for it */
		return true;
	default:
		if (isa_model_jump(insn, m->r[insn->dst_reg], m->r[insn->src_reg]))
			m->pc += (u32)(s32)insn->off;
		return true;
	}
}

/* False: the program ends. */
static bool step(struct machine *m)
{
	const struct bpf_insn *insn = &m->prog->insns[m->pc];
	u64 *dst = &m->r[insn->dst_reg], src = m->r[insn->src_reg], off = (u64)(s64)insn->off;
	u32 size = access_size(insn->code);

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		*dst = isa_model_alu(insn, *dst, src);
		return true;
	case BPF_JMP:
	case BPF_JMP32:
		return jump(m, insn);
	case BPF_LDX:
		*dst = load(m, src + off, size);
		if (BPF_MODE(insn->code) == BPF_MEMSX)
			*dst = (u64)as_signed(*dst, size * 8);
		return true;
	case BPF_ST:
		store(m, *dst + off, size, (u64)(s64)insn->imm);
		return true;
	case BPF_STX:
		if (BPF_MODE(insn->code) == BPF_ATOMIC)
			atomic(m, insn);
		else
			store(m, *dst + off, size, src);
		return true;
	default: /* BPF_LD */
		if (BPF_MODE(insn->code) != BPF_IMM)
			return load_packet(m, insn) || (m->r[0] = 0);
		load_imm(m, insn);
		return true;
	}
}

void isa_model(const struct isa_prog *prog, struct isa_io *io, const u8 packet[ISA_PACKET])
{
	struct machine m = { .prog = prog, .io = io, .packet = packet };

	m.r[1] = prog->type == ISA_SYSCALL ? CTX_BASE : SKB_BASE;
	m.r[10] = STACK_BASE + sizeof(m.stack);
	for (u32 i = 0; i < MAX_STEPS; i++, m.pc++) {
		if (!step(&m)) {
			io->ret = (u32)m.r[0];
			return;
		}
	}
	broken(&m, "it does not end");
}
