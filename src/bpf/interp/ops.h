/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations that the decoder (interp/decode.c) makes of instructions and
 * the interpreter (interp.c) executes: one per combination of operation, width
 * and kind of operand.
 */
#ifndef VRT_BPF_INTERP_OPS_H
#define VRT_BPF_INTERP_OPS_H

/* Arithmetic in both widths, with an immediate (K) or a register (X). */
#define BPF_ARITH(X)                                                                               \
	X(ADD) X(SUB) X(MUL) X(DIV) X(SDIV) X(MOD) X(SMOD) X(OR) X(AND) X(XOR) X(LSH) X(RSH)       \
	X(ARSH) X(MOV)
/* Without second operand. */
#define BPF_UNARY(X)                                                                               \
	X(NEG64) X(NEG32) X(LE16) X(LE32) X(LE64) X(BE16) X(BE32) X(BE64) X(SWAP16) X(SWAP32)      \
	X(SWAP64)
/* Sign-extending moves. */
#define BPF_MOVSX(X) X(MOVSX64_8) X(MOVSX64_16) X(MOVSX64_32) X(MOVSX32_8) X(MOVSX32_16)
/* Comparisons in both widths, with K or X. */
#define BPF_COMPARE(X)                                                                             \
	X(JEQ) X(JNE) X(JSET) X(JGT) X(JGE) X(JLT) X(JLE) X(JSGT) X(JSGE) X(JSLT) X(JSLE)
#define BPF_MEMORY(X)                                                                              \
	X(LDX_B) X(LDX_H) X(LDX_W) X(LDX_DW) X(LDSX_B) X(LDSX_H) X(LDSX_W)                         \
	X(STX_B) X(STX_H) X(STX_W) X(STX_DW) X(ST_B) X(ST_H) X(ST_W) X(ST_DW)                      \
	/* the own frame at a known offset */                                                      \
	X(STACK_LDX_B) X(STACK_LDX_H) X(STACK_LDX_W) X(STACK_LDX_DW)                               \
	X(STACK_STX_B) X(STACK_STX_H) X(STACK_STX_W) X(STACK_STX_DW)                               \
	X(ATOMIC_W) X(ATOMIC_DW)
#define BPF_OTHER(X)                                                                               \
	X(CAST_KERN) X(CAST_USER) X(LD64) X(LD_CONST) X(LD_ABS) X(LD_IND) X(JA) X(MAY_GOTO)        \
	X(CALL_LOCAL) X(CALL_HELPER) X(CALL_KFUNC) X(TAIL_CALL) X(EXIT) X(MISSING)

#define BPF_OP_WIDTHS(name) OP_##name##64_K, OP_##name##64_X, OP_##name##32_K, OP_##name##32_X,
#define BPF_OP_ONE(name) OP_##name,

enum bpf_op {
	/* four each, in this order: the decoder counts on it */
	BPF_ARITH(BPF_OP_WIDTHS) BPF_COMPARE(BPF_OP_WIDTHS)
	BPF_UNARY(BPF_OP_ONE) BPF_MOVSX(BPF_OP_ONE) BPF_MEMORY(BPF_OP_ONE) BPF_OTHER(BPF_OP_ONE)
	NR_BPF_OPS
};

#endif
