// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counting and control flow for x86-64.
 *
 * Slots are counted in pieces, at the latest where control can come from
 * elsewhere or go elsewhere. Jumps forwards count and do not look; jumps
 * backwards do both in one instruction.
 */
#include "x86.h"

void x86_count(struct x86_jit *j)
{
	if (j->uncounted)
		x86_lea(j->b, X86_COUNT, X86_COUNT, -(s32)j->uncounted);
	j->uncounted = 0;
}

void x86_before_call(struct x86_jit *j)
{
	x86_count(j);
	x86_store(j->b, 8, X86_COUNT, X86_RUN, RUN(left));
	x86_store_imm(j->b, 4, (s32)j->i, X86_RUN, RUN(insn));
}

void x86_after_call(struct x86_jit *j)
{
	u32 from;

	x86_load(j->b, 8, false, X86_COUNT, X86_RUN, RUN(left));
	x86_test_rr(j->b, true, X86_COUNT, X86_COUNT);
	from = x86_jcc32_forward(j->b, CC_S);
	x86_detour(j, from, STUB_REFILL, j->i + 1, j->b->used);
}

/* Counts, and goes back to @target unless the counter wants to be looked at first. */
static void jump_back(struct x86_jit *j, u32 target)
{
	u32 to = j->round->offsets[target];

	x86_alu_ri(j->b, true, ALU_SUB, X86_COUNT, (s32)j->uncounted);
	x86_jcc(j->b, CC_NS, to);
	x86_detour(j, x86_jmp32_forward(j->b), STUB_REFILL, target, to);
}

void x86_ja(struct x86_jit *j)
{
	u32 target = (u32)bpf_jump_target(j->insn, j->i);

	if (target <= j->i) {
		jump_back(j, target);
		j->uncounted = 0;
		return;
	}
	x86_count(j);
	if (target != j->i + 1)
		x86_jmp(j->b, j->round->offsets[target]);
}

/* Taken if @cc; what is not counted yet stays so on the way that does not jump. */
static void jump_if(struct x86_jit *j, enum x86_cc cc, u32 target)
{
	u32 skip;

	if (target > j->i) {
		VRT_ASSERT(!j->uncounted);
		x86_jcc(j->b, cc, j->round->offsets[target]);
		return;
	}
	skip = x86_jcc8_forward(j->b, cc ^ 1);
	jump_back(j, target);
	x86_land8(j->b, skip);
}

static enum x86_cc condition(u8 op)
{
	switch (op) {
	case BPF_JEQ:
		return CC_E;
	case BPF_JNE:
	case BPF_JSET:
		return CC_NE;
	case BPF_JGT:
		return CC_A;
	case BPF_JGE:
		return CC_AE;
	case BPF_JLT:
		return CC_B;
	case BPF_JLE:
		return CC_BE;
	case BPF_JSGT:
		return CC_G;
	case BPF_JSGE:
		return CC_GE;
	case BPF_JSLT:
		return CC_L;
	case BPF_JSLE:
		return CC_LE;
	}
	VRT_ASSERT(!"a comparison");
	return CC_E;
}

static void compare(struct x86_jit *j)
{
	bool wide = BPF_CLASS(j->insn->code) == BPF_JMP;
	bool bits = BPF_OP(j->insn->code) == BPF_JSET;
	s32 imm = j->insn->imm;

	if (BPF_SRC(j->insn->code) == BPF_X) {
		if (bits)
			x86_test_rr(j->b, wide, DST, SRC);
		else
			x86_alu_rr(j->b, wide, ALU_CMP, DST, SRC);
	} else if (bits) {
		x86_test_ri(j->b, wide, DST, imm);
	} else if (!imm) {
		/* the same flags as a comparison with 0: no carry, no overflow */
		x86_test_rr(j->b, wide, DST, DST);
	} else {
		x86_alu_ri(j->b, wide, ALU_CMP, DST, imm);
	}
}

void x86_branch(struct x86_jit *j)
{
	u32 target = (u32)bpf_jump_target(j->insn, j->i);

	if (target > j->i)
		x86_count(j);
	compare(j);
	jump_if(j, condition(BPF_OP(j->insn->code)), target);
}

/* The iterations that are left are at the top of the machine's frame. */
void x86_may_goto(struct x86_jit *j)
{
	u32 target = (u32)bpf_jump_target(j->insn, j->i);

	if (target > j->i)
		x86_count(j);
	x86_alu_mi(j->b, false, ALU_CMP, RSP, 0, 0);
	jump_if(j, CC_E, target);
	x86_alu_mi(j->b, false, ALU_SUB, RSP, 0, 1);
}

void x86_exit(struct x86_jit *j)
{
	x86_count(j);
	x86_epilogue(j);
	x86_ret(j->b);
}
