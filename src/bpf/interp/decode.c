// SPDX-License-Identifier: GPL-2.0-only
/*
 * From checked instructions to what the interpreter executes. Everything here
 * relies on what check_*.c has made sure of; an instruction that is not
 * expected is our bug.
 */
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../check/check.h"
#include "../exec/exec.h"
#include "ops.h"

struct decoder {
	const struct bpf_prog *prog;
	const void *const *labels;
	struct bpf_ins *out;
};

static enum bpf_op arith_base(const struct bpf_insn *insn)
{
	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		return OP_ADD64_K;
	case BPF_SUB:
		return OP_SUB64_K;
	case BPF_MUL:
		return OP_MUL64_K;
	case BPF_DIV:
		return insn->off ? OP_SDIV64_K : OP_DIV64_K;
	case BPF_MOD:
		return insn->off ? OP_SMOD64_K : OP_MOD64_K;
	case BPF_OR:
		return OP_OR64_K;
	case BPF_AND:
		return OP_AND64_K;
	case BPF_XOR:
		return OP_XOR64_K;
	case BPF_LSH:
		return OP_LSH64_K;
	case BPF_RSH:
		return OP_RSH64_K;
	case BPF_ARSH:
		return OP_ARSH64_K;
	case BPF_MOV:
		return OP_MOV64_K;
	}
	VRT_ASSERT(!"an arithmetic operation");
	return NR_BPF_OPS;
}

static enum bpf_op endian(const struct bpf_insn *insn)
{
	u32 index = insn->imm == 16 ? 0 : insn->imm == 32 ? 1 : 2;

	if (BPF_CLASS(insn->code) == BPF_ALU64)
		return (enum bpf_op)(OP_SWAP16 + index);
	return (enum bpf_op)((BPF_SRC(insn->code) == BPF_TO_BE ? OP_BE16 : OP_LE16) + index);
}

static enum bpf_op movsx(const struct bpf_insn *insn)
{
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64;

	switch (insn->off) {
	case 8:
		return wide ? OP_MOVSX64_8 : OP_MOVSX32_8;
	case 16:
		return wide ? OP_MOVSX64_16 : OP_MOVSX32_16;
	default:
		return OP_MOVSX64_32;
	}
}

/* Of the four variants: 64_K, 64_X, 32_K, 32_X. */
static enum bpf_op variant(enum bpf_op base, bool wide, const struct bpf_insn *insn)
{
	return (enum bpf_op)(base + (wide ? 0 : 2) + (BPF_SRC(insn->code) == BPF_X));
}

static enum bpf_op alu(const struct bpf_insn *insn)
{
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64;

	switch (BPF_OP(insn->code)) {
	case BPF_NEG:
		return wide ? OP_NEG64 : OP_NEG32;
	case BPF_END:
		return endian(insn);
	case BPF_MOV:
		if (bpf_is_cast(insn))
			return insn->imm == BPF_CAST_KERN ? OP_CAST_KERN : OP_CAST_USER;
		if (insn->off)
			return movsx(insn);
	}
	return variant(arith_base(insn), wide, insn);
}

static enum bpf_op compare(const struct bpf_insn *insn)
{
	static const u8 order[] = {
		[BPF_JEQ >> 4] = 0, [BPF_JNE >> 4] = 1, [BPF_JSET >> 4] = 2, [BPF_JGT >> 4] = 3,
		[BPF_JGE >> 4] = 4, [BPF_JLT >> 4] = 5, [BPF_JLE >> 4] = 6, [BPF_JSGT >> 4] = 7,
		[BPF_JSGE >> 4] = 8, [BPF_JSLT >> 4] = 9, [BPF_JSLE >> 4] = 10,
	};
	enum bpf_op base = (enum bpf_op)(OP_JEQ64_K + 4 * order[BPF_OP(insn->code) >> 4]);

	return variant(base, BPF_CLASS(insn->code) == BPF_JMP, insn);
}

/* BPF_B, H, W, DW in the order of the operations. */
static u32 size_index(u8 code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 0;
	case BPF_H:
		return 1;
	case BPF_W:
		return 2;
	default:
		return 3;
	}
}

/* Can the stack's fast operations do it? Words of 8 bytes must be whole slots. */
static bool simple_stack(const struct bpf_insn *insn)
{
	u32 size = 1u << size_index(insn->code);

	return !(insn->off % (s16)size);
}

static void load(const struct bpf_insn *insn, struct bpf_ins *out, enum bpf_op *op)
{
	u32 index = size_index(insn->code);

	if (BPF_MODE(insn->code) == BPF_MEMSX) {
		*op = (enum bpf_op)(OP_LDSX_B + index);
	} else if (insn->src_reg == BPF_REG_10 && simple_stack(insn)) {
		*op = (enum bpf_op)(OP_STACK_LDX_B + index);
		out->imm = (BPF_STACK_SIZE + insn->off) / 8;
	} else {
		*op = (enum bpf_op)(OP_LDX_B + index);
	}
}

static void store(const struct bpf_insn *insn, struct bpf_ins *out, enum bpf_op *op)
{
	u32 index = size_index(insn->code);

	if (BPF_MODE(insn->code) == BPF_ATOMIC) {
		*op = index == 3 ? OP_ATOMIC_DW : OP_ATOMIC_W;
	} else if (insn->dst_reg == BPF_REG_10 && simple_stack(insn)) {
		*op = (enum bpf_op)(OP_STACK_STX_B + index);
		out->imm = (BPF_STACK_SIZE + insn->off) / 8;
	} else {
		*op = (enum bpf_op)(OP_STX_B + index);
	}
}

static void call(struct decoder *d, u32 i, struct bpf_ins *out, enum bpf_op *op)
{
	const struct bpf_insn *insn = &d->prog->insns[i];

	switch (insn->src_reg) {
	case BPF_PSEUDO_CALL:
		*op = OP_CALL_LOCAL;
		out->off = (s16)bpf_subprog_at(d->prog, i + 1 + (u32)insn->imm)->stack;
		break;
	case BPF_PSEUDO_KFUNC_CALL:
		*op = OP_CALL_KFUNC;
		break;
	default:
		if (bpf_call_is_missing(insn))
			*op = OP_MISSING;
		else
			*op = insn->imm == BPF_FUNC_tail_call ? OP_TAIL_CALL : OP_CALL_HELPER;
	}
}

static void jump(struct decoder *d, u32 i, struct bpf_ins *out, enum bpf_op *op)
{
	const struct bpf_insn *insn = &d->prog->insns[i];

	switch (BPF_OP(insn->code)) {
	case BPF_CALL:
		call(d, i, out, op);
		break;
	case BPF_EXIT:
		*op = OP_EXIT;
		break;
	case BPF_JA:
		*op = OP_JA;
		if (BPF_CLASS(insn->code) == BPF_JMP)
			out->imm = insn->off;
		break;
	case BPF_JCOND:
		*op = OP_MAY_GOTO;
		break;
	default:
		*op = compare(insn);
	}
}

static void load_imm(struct decoder *d, u32 i, struct bpf_ins *out, enum bpf_op *op)
{
	const struct bpf_insn *insn = &d->prog->insns[i];

	if (BPF_MODE(insn->code) != BPF_IMM) { /* ABS, IND */
		*op = BPF_MODE(insn->code) == BPF_ABS ? OP_LD_ABS : OP_LD_IND;
		out->off = (s16)(1 << size_index(insn->code));
		if (*op == OP_LD_ABS)
			out->src = 0xff;
		return;
	}
	*op = insn->src_reg ? OP_LD_CONST : OP_LD64;
	out[1].op = (const void *)((u64)(u32)insn->imm | (u64)(u32)insn[1].imm << 32);
}

static void decode(struct decoder *d, u32 i)
{
	const struct bpf_insn *insn = &d->prog->insns[i];
	struct bpf_ins *out = &d->out[i];
	enum bpf_op op = NR_BPF_OPS;

	out->dst = insn->dst_reg;
	out->src = insn->src_reg;
	out->off = insn->off;
	out->imm = insn->imm;
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		op = alu(insn);
		break;
	case BPF_LD:
		load_imm(d, i, out, &op);
		break;
	case BPF_LDX:
		load(insn, out, &op);
		break;
	case BPF_STX:
		store(insn, out, &op);
		break;
	case BPF_ST:
		op = (enum bpf_op)(OP_ST_B + size_index(insn->code));
		break;
	default:
		jump(d, i, out, &op);
	}
	VRT_ASSERT(op < NR_BPF_OPS);
	out->op = d->labels[op];
}

void bpf_interp_decode(struct bpf_prog *prog)
{
	struct decoder d = { .prog = prog, .labels = bpf_interp_labels() };
	u32 i;

	d.out = xcalloc(prog->len, sizeof(*d.out));
	prog->exec->code = d.out;
	for (i = 0; i < prog->len; i++) {
		decode(&d, i);
		if (bpf_is_ldimm64(&prog->insns[i]))
			i++;
	}
}
