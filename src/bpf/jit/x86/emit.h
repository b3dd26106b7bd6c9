/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86-64 instructions, as far as the compiler uses them: one function per form
 * (Intel SDM, volume 2). Operands are in the order destination, source.
 */
#ifndef VRT_BPF_JIT_X86_EMIT_H
#define VRT_BPF_JIT_X86_EMIT_H

#include <string.h>

#include "../arch.h"

enum x86_reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/* Condition codes, as in Jcc; the lowest bit negates. */
enum x86_cc {
	CC_B = 2, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS,
	CC_L = 12, CC_GE, CC_LE, CC_G,
};

/* Opcodes of the form "op r/m, r", and their number in the group 81 and 83. */
enum x86_alu { ALU_ADD, ALU_OR, ALU_AND = 4, ALU_SUB, ALU_XOR, ALU_CMP };
/* Their number in the groups C1 and D3. */
enum x86_shift { SHIFT_ROR = 1, SHIFT_SHL = 4, SHIFT_SHR, SHIFT_SAR = 7 };
/* Their number in the group F7. */
enum x86_unary { UNARY_NEG = 3, UNARY_DIV = 6, UNARY_IDIV };

static inline void put8(struct jit_buffer *b, u8 v)
{
	if (b->used < b->capacity)
		b->code[b->used] = v;
	b->used++;
}

static inline void put32(struct jit_buffer *b, u32 v)
{
	for (u32 i = 0; i < 4; i++)
		put8(b, (u8)(v >> 8 * i));
}

static inline void put64(struct jit_buffer *b, u64 v)
{
	put32(b, (u32)v);
	put32(b, (u32)(v >> 32));
}

static inline bool is_imm8(s64 v)
{
	return v == (s8)v;
}

static inline bool is_imm32(s64 v)
{
	return v == (s32)v;
}

/* REX, when it is needed: @wide for 64 bits, @force for the low bytes of RSP to RDI. */
static inline void put_rex(struct jit_buffer *b, bool wide, u32 reg, u32 rm, bool force)
{
	u8 rex = (u8)(0x40 | (wide ? 8 : 0) | (reg >> 3) << 2 | rm >> 3);

	if (rex != 0x40 || force)
		put8(b, rex);
}

static inline void put_modrm_reg(struct jit_buffer *b, u32 reg, u32 rm)
{
	put8(b, (u8)(0xc0 | (reg & 7) << 3 | (rm & 7)));
}

/* [base + disp] */
static inline void put_modrm_mem(struct jit_buffer *b, u32 reg, u32 base, s32 disp)
{
	u8 mod = !disp && (base & 7) != RBP ? 0 : is_imm8(disp) ? 1 : 2;

	put8(b, (u8)(mod << 6 | (reg & 7) << 3 | (base & 7)));
	if ((base & 7) == RSP)
		put8(b, 0x24);
	if (mod == 1)
		put8(b, (u8)disp);
	else if (mod == 2)
		put32(b, (u32)disp);
}

/* --- registers ------------------------------------------------------------------ */

static inline void x86_rr(struct jit_buffer *b, bool wide, u8 op, u32 reg, u32 rm)
{
	put_rex(b, wide, reg, rm, false);
	put8(b, op);
	put_modrm_reg(b, reg, rm);
}

/* Two-byte opcodes 0F op: the destination is @reg. */
static inline void x86_rr_0f(struct jit_buffer *b, bool wide, u8 op, u32 reg, u32 rm, bool bytes)
{
	put_rex(b, wide, reg, rm, bytes);
	put8(b, 0x0f);
	put8(b, op);
	put_modrm_reg(b, reg, rm);
}

static inline void x86_alu_rr(struct jit_buffer *b, bool wide, enum x86_alu op, u32 dst, u32 src)
{
	x86_rr(b, wide, (u8)(op << 3 | 1), src, dst);
}

static inline void x86_alu_ri(struct jit_buffer *b, bool wide, enum x86_alu op, u32 dst, s32 imm)
{
	put_rex(b, wide, 0, dst, false);
	put8(b, is_imm8(imm) ? 0x83 : 0x81);
	put_modrm_reg(b, op, dst);
	if (is_imm8(imm))
		put8(b, (u8)imm);
	else
		put32(b, (u32)imm);
}

static inline void x86_mov_rr(struct jit_buffer *b, bool wide, u32 dst, u32 src)
{
	x86_rr(b, wide, 0x89, src, dst);
}

/* Sign-extended. */
static inline void x86_mov_ri(struct jit_buffer *b, u32 dst, s32 imm)
{
	if (!imm) {
		x86_alu_rr(b, false, ALU_XOR, dst, dst);
	} else if (imm > 0) {
		put_rex(b, false, 0, dst, false);
		put8(b, (u8)(0xb8 | (dst & 7)));
		put32(b, (u32)imm);
	} else {
		put_rex(b, true, 0, dst, false);
		put8(b, 0xc7);
		put_modrm_reg(b, 0, dst);
		put32(b, (u32)imm);
	}
}

static inline void x86_mov_ri32(struct jit_buffer *b, u32 dst, u32 imm)
{
	put_rex(b, false, 0, dst, false);
	put8(b, (u8)(0xb8 | (dst & 7)));
	put32(b, imm);
}

static inline void x86_mov_ri64(struct jit_buffer *b, u32 dst, u64 imm)
{
	if (is_imm32((s64)imm)) {
		x86_mov_ri(b, dst, (s32)imm);
	} else if (imm == (u32)imm) {
		x86_mov_ri32(b, dst, (u32)imm);
	} else {
		put_rex(b, true, 0, dst, false);
		put8(b, (u8)(0xb8 | (dst & 7)));
		put64(b, imm);
	}
}

static inline void x86_test_rr(struct jit_buffer *b, bool wide, u32 a, u32 c)
{
	x86_rr(b, wide, 0x85, c, a);
}

static inline void x86_test_ri(struct jit_buffer *b, bool wide, u32 reg, s32 imm)
{
	put_rex(b, wide, 0, reg, false);
	put8(b, 0xf7);
	put_modrm_reg(b, 0, reg);
	put32(b, (u32)imm);
}

static inline void x86_imul_rr(struct jit_buffer *b, bool wide, u32 dst, u32 src)
{
	x86_rr_0f(b, wide, 0xaf, dst, src, false);
}

static inline void x86_imul_rri(struct jit_buffer *b, bool wide, u32 dst, u32 src, s32 imm)
{
	x86_rr(b, wide, is_imm8(imm) ? 0x6b : 0x69, dst, src);
	if (is_imm8(imm))
		put8(b, (u8)imm);
	else
		put32(b, (u32)imm);
}

static inline void x86_unary(struct jit_buffer *b, bool wide, enum x86_unary op, u32 reg)
{
	put_rex(b, wide, 0, reg, false);
	put8(b, 0xf7);
	put_modrm_reg(b, op, reg);
}

static inline void x86_shift_ri(struct jit_buffer *b, bool wide, enum x86_shift op, u32 reg, u8 n)
{
	put_rex(b, wide, 0, reg, false);
	put8(b, 0xc1);
	put_modrm_reg(b, op, reg);
	put8(b, n);
}

/* By CL. */
static inline void x86_shift_cl(struct jit_buffer *b, bool wide, enum x86_shift op, u32 reg)
{
	put_rex(b, wide, 0, reg, false);
	put8(b, 0xd3);
	put_modrm_reg(b, op, reg);
}

/* SHLX, SHRX, SARX of BMI2: @dst = @src shifted by @by, without flags or CL. */
static inline void x86_shift_bmi2(struct jit_buffer *b, bool wide, enum x86_shift op, u32 dst,
				  u32 src, u32 by)
{
	u8 pp = op == SHIFT_SHL ? 1 : op == SHIFT_SHR ? 3 : 2;

	put8(b, 0xc4);
	put8(b, (u8)((dst & 8 ? 0 : 0x80) | 0x40 | (src & 8 ? 0 : 0x20) | 2));
	put8(b, (u8)((wide ? 0x80 : 0) | (~by & 15) << 3 | pp));
	put8(b, 0xf7);
	put_modrm_reg(b, dst, src);
}

static inline void x86_bswap(struct jit_buffer *b, bool wide, u32 reg)
{
	put_rex(b, wide, 0, reg, false);
	put8(b, 0x0f);
	put8(b, (u8)(0xc8 | (reg & 7)));
}

static inline void x86_ror16_8(struct jit_buffer *b, u32 reg)
{
	put8(b, 0x66);
	x86_shift_ri(b, false, SHIFT_ROR, reg, 8);
}

static inline void x86_movzx(struct jit_buffer *b, u32 dst, u32 src, u32 bytes)
{
	if (bytes == 4)
		x86_mov_rr(b, false, dst, src);
	else
		x86_rr_0f(b, false, bytes == 1 ? 0xb6 : 0xb7, dst, src, bytes == 1 && src >= RSP);
}

/* To 64 bits, or to 32 with the rest zero. */
static inline void x86_movsx(struct jit_buffer *b, bool wide, u32 dst, u32 src, u32 bytes)
{
	if (bytes == 4)
		x86_rr(b, wide, 0x63, dst, src);
	else
		x86_rr_0f(b, wide, bytes == 1 ? 0xbe : 0xbf, dst, src, bytes == 1 && src >= RSP);
}

/* CQO, CDQ: the sign of RAX into RDX. */
static inline void x86_sign_rdx(struct jit_buffer *b, bool wide)
{
	put_rex(b, wide, 0, 0, false);
	put8(b, 0x99);
}

static inline void x86_push(struct jit_buffer *b, u32 reg)
{
	put_rex(b, false, 0, reg, false);
	put8(b, (u8)(0x50 | (reg & 7)));
}

static inline void x86_pop(struct jit_buffer *b, u32 reg)
{
	put_rex(b, false, 0, reg, false);
	put8(b, (u8)(0x58 | (reg & 7)));
}

/* The low byte of @reg: 1 if @cc, else 0. */
static inline void x86_setcc(struct jit_buffer *b, enum x86_cc cc, u32 reg)
{
	put_rex(b, false, 0, reg, reg >= RSP);
	put8(b, 0x0f);
	put8(b, (u8)(0x90 | cc));
	put_modrm_reg(b, 0, reg);
}

static inline void x86_ret(struct jit_buffer *b)
{
	put8(b, 0xc3);
}

/* --- memory ------------------------------------------------------------------------- */

static inline void x86_rm(struct jit_buffer *b, bool wide, u8 op, u32 reg, u32 base, s32 disp)
{
	put_rex(b, wide, reg, base, false);
	put8(b, op);
	put_modrm_mem(b, reg, base, disp);
}

static inline void x86_lea(struct jit_buffer *b, u32 dst, u32 base, s32 disp)
{
	x86_rm(b, true, 0x8d, dst, base, disp);
}

/* Zero-extended, or sign-extended to 64 bits. */
static inline void x86_load(struct jit_buffer *b, u32 bytes, bool sign, u32 dst, u32 base, s32 disp)
{
	if (bytes == 8 || (bytes == 4 && !sign)) {
		x86_rm(b, bytes == 8, 0x8b, dst, base, disp);
	} else if (bytes == 4) {
		x86_rm(b, true, 0x63, dst, base, disp);
	} else {
		put_rex(b, sign, dst, base, false);
		put8(b, 0x0f);
		put8(b, (u8)((sign ? 0xbe : 0xb6) | (bytes == 2)));
		put_modrm_mem(b, dst, base, disp);
	}
}

static inline void x86_store(struct jit_buffer *b, u32 bytes, u32 src, u32 base, s32 disp)
{
	if (bytes == 2)
		put8(b, 0x66);
	put_rex(b, bytes == 8, src, base, bytes == 1 && src >= RSP);
	put8(b, bytes == 1 ? 0x88 : 0x89);
	put_modrm_mem(b, src, base, disp);
}

static inline void x86_store_imm(struct jit_buffer *b, u32 bytes, s32 imm, u32 base, s32 disp)
{
	if (bytes == 2)
		put8(b, 0x66);
	put_rex(b, bytes == 8, 0, base, false);
	put8(b, bytes == 1 ? 0xc6 : 0xc7);
	put_modrm_mem(b, 0, base, disp);
	if (bytes >= 4) {
		put32(b, (u32)imm);
		return;
	}
	put8(b, (u8)imm);
	if (bytes == 2)
		put8(b, (u8)(imm >> 8));
}

/* op [base + disp], reg */
static inline void x86_alu_mr(struct jit_buffer *b, bool wide, enum x86_alu op, u32 base, s32 disp,
			      u32 reg)
{
	x86_rm(b, wide, (u8)(op << 3 | 1), reg, base, disp);
}

/* op reg, [base + disp] */
static inline void x86_alu_rm(struct jit_buffer *b, bool wide, enum x86_alu op, u32 reg, u32 base,
			      s32 disp)
{
	x86_rm(b, wide, (u8)(op << 3 | 3), reg, base, disp);
}

/* op [base + disp], imm */
static inline void x86_alu_mi(struct jit_buffer *b, bool wide, enum x86_alu op, u32 base, s32 disp,
			      s32 imm)
{
	x86_rm(b, wide, is_imm8(imm) ? 0x83 : 0x81, op, base, disp);
	if (is_imm8(imm))
		put8(b, (u8)imm);
	else
		put32(b, (u32)imm);
}

static inline void x86_push_mem(struct jit_buffer *b, u32 base, s32 disp)
{
	x86_rm(b, false, 0xff, 6, base, disp);
}

static inline void x86_pop_mem(struct jit_buffer *b, u32 base, s32 disp)
{
	x86_rm(b, false, 0x8f, 0, base, disp);
}

/* --- jumps ---------------------------------------------------------------------------- */

/* The place of a displacement that is not known yet. */
static inline u32 x86_jcc8_forward(struct jit_buffer *b, enum x86_cc cc)
{
	put8(b, (u8)(0x70 | cc));
	put8(b, 0);
	return b->used;
}

static inline u32 x86_jmp8_forward(struct jit_buffer *b)
{
	put8(b, 0xeb);
	put8(b, 0);
	return b->used;
}

/* ... which is here. */
static inline void x86_land8(struct jit_buffer *b, u32 from)
{
	VRT_ASSERT(b->used - from <= 127);
	if (from <= b->capacity)
		b->code[from - 1] = (u8)(b->used - from);
}

static inline u32 x86_jcc32_forward(struct jit_buffer *b, enum x86_cc cc)
{
	put8(b, 0x0f);
	put8(b, (u8)(0x80 | cc));
	put32(b, 0);
	return b->used;
}

static inline u32 x86_jmp32_forward(struct jit_buffer *b)
{
	put8(b, 0xe9);
	put32(b, 0);
	return b->used;
}

static inline void x86_land32(struct jit_buffer *b, u32 from)
{
	u32 disp = b->used - from;

	if (from <= b->capacity)
		memcpy(&b->code[from - 4], &disp, sizeof(disp));
}

/* To the offset @target of the buffer; short if it is near. */
static inline void x86_jcc(struct jit_buffer *b, enum x86_cc cc, u32 target)
{
	s64 disp = (s64)target - (b->used + 2);

	if (is_imm8(disp) && !b->far) {
		put8(b, (u8)(0x70 | cc));
		put8(b, (u8)disp);
	} else {
		put8(b, 0x0f);
		put8(b, (u8)(0x80 | cc));
		put32(b, (u32)(disp - 4));
	}
}

static inline void x86_jmp(struct jit_buffer *b, u32 target)
{
	s64 disp = (s64)target - (b->used + 2);

	if (is_imm8(disp) && !b->far) {
		put8(b, 0xeb);
		put8(b, (u8)disp);
	} else {
		put8(b, 0xe9);
		put32(b, (u32)(disp - 3));
	}
}

static inline void x86_call(struct jit_buffer *b, u32 target)
{
	s64 disp = (s64)target - (b->used + 5);

	put8(b, 0xe8);
	put32(b, (u32)disp);
}

static inline void x86_jmp_reg(struct jit_buffer *b, u32 reg)
{
	put_rex(b, false, 0, reg, false);
	put8(b, 0xff);
	put_modrm_reg(b, 4, reg);
}

static inline void x86_call_reg(struct jit_buffer *b, u32 reg)
{
	put_rex(b, false, 0, reg, false);
	put8(b, 0xff);
	put_modrm_reg(b, 2, reg);
}

#endif
