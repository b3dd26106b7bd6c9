// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic for x86-64. What RFC 9669 defines and the machine does not is spelled
 * out: division by zero, and of the smallest number by -1.
 */
#include "x86.h"

static bool wide(const struct x86_jit *j)
{
	return BPF_CLASS(j->insn->code) == BPF_ALU64;
}

static bool by_reg(const struct x86_jit *j)
{
	return BPF_SRC(j->insn->code) == BPF_X;
}

static void simple(struct x86_jit *j, enum x86_alu op)
{
	if (by_reg(j))
		x86_alu_rr(j->b, wide(j), op, DST, SRC);
	else
		x86_alu_ri(j->b, wide(j), op, DST, j->insn->imm);
}

static void multiply(struct x86_jit *j)
{
	if (by_reg(j))
		x86_imul_rr(j->b, wide(j), DST, SRC);
	else
		x86_imul_rri(j->b, wide(j), DST, DST, j->insn->imm);
}

/* --- division ------------------------------------------------------------------ */

/* The divisor is in T1 and neither 0 nor, with signs, -1. */
static void divide_plain(struct x86_jit *j, bool sign, bool mod)
{
	struct jit_buffer *b = j->b;
	u32 dst = DST, result = mod ? RDX : RAX;

	if (dst != RAX) {
		x86_mov_rr(b, true, X86_T0, RAX);
		x86_mov_rr(b, wide(j), RAX, dst);
	}
	if (dst != RDX)
		x86_push(b, RDX);
	if (sign)
		x86_sign_rdx(b, wide(j));
	else
		x86_alu_rr(b, false, ALU_XOR, RDX, RDX);
	x86_unary(b, wide(j), sign ? UNARY_IDIV : UNARY_DIV, X86_T1);
	if (dst != result)
		x86_mov_rr(b, wide(j), dst, result);
	if (dst != RDX)
		x86_pop(b, RDX);
	if (dst != RAX)
		x86_mov_rr(b, true, RAX, X86_T0);
}

/* By 0: 0, or the dividend. */
static void divide_by_zero(struct x86_jit *j, bool mod)
{
	if (!mod)
		x86_alu_rr(j->b, false, ALU_XOR, DST, DST);
	else if (!wide(j))
		x86_mov_rr(j->b, false, DST, DST);
}

static void divide_by_minus_1(struct x86_jit *j, bool mod)
{
	if (mod)
		x86_alu_rr(j->b, false, ALU_XOR, DST, DST);
	else
		x86_unary(j->b, wide(j), UNARY_NEG, DST);
}

static void divide_by_imm(struct x86_jit *j, bool sign, bool mod)
{
	s32 imm = j->insn->imm;

	if (!imm) {
		divide_by_zero(j, mod);
	} else if (sign && imm == -1) {
		divide_by_minus_1(j, mod);
	} else {
		x86_mov_ri(j->b, X86_T1, imm);
		divide_plain(j, sign, mod);
	}
}

static void divide(struct x86_jit *j, bool mod)
{
	struct jit_buffer *b = j->b;
	bool sign = j->insn->off;
	u32 zero, minus_1 = 0, done[2] = { 0, 0 };

	if (!by_reg(j)) {
		divide_by_imm(j, sign, mod);
		return;
	}
	x86_mov_rr(b, wide(j), X86_T1, SRC);
	x86_test_rr(b, wide(j), X86_T1, X86_T1);
	zero = x86_jcc8_forward(b, CC_E);
	if (sign) {
		x86_alu_ri(b, wide(j), ALU_CMP, X86_T1, -1);
		minus_1 = x86_jcc8_forward(b, CC_E);
	}
	divide_plain(j, sign, mod);
	done[0] = x86_jmp8_forward(b);
	if (sign) {
		x86_land8(b, minus_1);
		divide_by_minus_1(j, mod);
		done[1] = x86_jmp8_forward(b);
	}
	x86_land8(b, zero);
	divide_by_zero(j, mod);
	x86_land8(b, done[0]);
	if (sign)
		x86_land8(b, done[1]);
}

/* --- shifts ----------------------------------------------------------------------- */

static void shift_by_cl(struct x86_jit *j, enum x86_shift op)
{
	struct jit_buffer *b = j->b;
	u32 dst = DST;

	if (SRC == RCX) {
		x86_shift_cl(b, wide(j), op, dst);
		return;
	}
	x86_mov_rr(b, true, X86_T1, RCX);
	x86_mov_rr(b, false, RCX, SRC);
	x86_shift_cl(b, wide(j), op, dst == RCX ? (u32)X86_T1 : dst);
	x86_mov_rr(b, true, RCX, X86_T1);
}

static void shift(struct x86_jit *j, enum x86_shift op)
{
	u8 mask = wide(j) ? 63 : 31;

	if (!by_reg(j))
		x86_shift_ri(j->b, wide(j), op, DST, (u8)j->insn->imm & mask);
	else if (j->bmi2)
		x86_shift_bmi2(j->b, wide(j), op, DST, DST, SRC);
	else
		shift_by_cl(j, op);
}

/* --- moves -------------------------------------------------------------------------- */

static void cast(struct x86_jit *j)
{
	struct jit_buffer *b = j->b;
	u32 null;

	x86_mov_rr(b, false, DST, SRC);
	if (j->insn->imm == BPF_CAST_KERN)
		return;
	x86_test_rr(b, false, DST, DST);
	null = x86_jcc8_forward(b, CC_E);
	x86_mov_ri64(b, X86_T0, bpf_arena_user_address(j->prog, 1) & ~0xffffffffULL);
	x86_alu_rr(b, true, ALU_OR, DST, X86_T0);
	x86_land8(b, null);
}

static void move(struct x86_jit *j)
{
	if (!by_reg(j)) {
		if (wide(j))
			x86_mov_ri(j->b, DST, j->insn->imm);
		else
			x86_mov_ri64(j->b, DST, (u32)j->insn->imm);
	} else if (bpf_is_cast(j->insn)) {
		cast(j);
	} else if (j->insn->off) {
		x86_movsx(j->b, wide(j), DST, SRC, (u32)j->insn->off / 8);
	} else {
		x86_mov_rr(j->b, wide(j), DST, SRC);
	}
}

/* The machine is little-endian. */
static void byte_order(struct x86_jit *j)
{
	struct jit_buffer *b = j->b;
	bool swap = wide(j) || BPF_SRC(j->insn->code) == BPF_TO_BE;
	u32 bytes = (u32)j->insn->imm / 8;

	if (swap && bytes == 2)
		x86_ror16_8(b, DST);
	else if (swap)
		x86_bswap(b, bytes == 8, DST);
	if (bytes == 2 || (bytes == 4 && !swap))
		x86_movzx(b, DST, DST, bytes);
}

void x86_alu(struct x86_jit *j)
{
	switch (BPF_OP(j->insn->code)) {
	case BPF_ADD:
		simple(j, ALU_ADD);
		break;
	case BPF_SUB:
		simple(j, ALU_SUB);
		break;
	case BPF_AND:
		simple(j, ALU_AND);
		break;
	case BPF_OR:
		simple(j, ALU_OR);
		break;
	case BPF_XOR:
		simple(j, ALU_XOR);
		break;
	case BPF_MUL:
		multiply(j);
		break;
	case BPF_DIV:
		divide(j, false);
		break;
	case BPF_MOD:
		divide(j, true);
		break;
	case BPF_LSH:
		shift(j, SHIFT_SHL);
		break;
	case BPF_RSH:
		shift(j, SHIFT_SHR);
		break;
	case BPF_ARSH:
		shift(j, SHIFT_SAR);
		break;
	case BPF_NEG:
		x86_unary(j->b, wide(j), UNARY_NEG, DST);
		break;
	case BPF_MOV:
		move(j);
		break;
	case BPF_END:
		byte_order(j);
		break;
	default:
		VRT_ASSERT(!"an arithmetic operation");
	}
}
