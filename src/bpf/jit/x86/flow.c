// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counting and control flow for x86-64.
 *
 * Slots and what calls cost are counted late, and at once for many: at the latest
 * where C may look at them, and at jumps backwards, which count and look in one
 * instruction. Where control comes together it must not matter on which way it
 * came: the first way that is compiled decides how late the counter is there, all
 * others count as much more or less, and mostly one of two does. Loops begin, and
 * functions begin and end, with all counted.
 */
#include "x86.h"

/* --- lag -------------------------------------------------------------------------- */

static void add_owed(struct jit_buffer *b, u32 ns)
{
	if (ns)
		x86_alu_mi(b, true, ALU_ADD, X86_RUN, RUN(owed), (s32)ns);
}

/* Flags are lost. */
static void make_lag(struct x86_jit *j, u32 insns, u32 ns)
{
	add_owed(j->b, j->lag.ns - ns);
	if (j->lag.insns != insns)
		x86_lea(j->b, X86_COUNT, X86_COUNT, (s32)(insns - j->lag.insns));
	j->lag = (struct x86_lag){ .insns = insns, .ns = ns };
}

void x86_catch_up(struct x86_jit *j)
{
	make_lag(j, 0, 0);
}

void x86_owe(struct x86_jit *j, u64 ns)
{
	if (!is_imm32((s64)ns)) {
		x86_mov_ri64(j->b, X86_T0, ns);
		x86_alu_mr(j->b, true, ALU_ADD, X86_RUN, RUN(owed), X86_T0);
		return;
	}
	if (!is_imm32((s64)(j->lag.ns + ns)))
		make_lag(j, j->lag.insns, 0);
	j->lag.ns += (u32)ns;
}

/* Before a jump forwards to @target, or on the way there. */
static void meet(struct x86_jit *j, u32 target)
{
	struct x86_lag *there = &j->lags[target];

	if (there->known || j->round->layout->leader[target] == LOOP_LEADER)
		make_lag(j, there->insns, there->ns);
	*there = j->lag;
	there->known = true;
}

void x86_arrive(struct x86_jit *j)
{
	if (j->unreachable)
		j->lag = j->lags[j->i];
	else
		meet(j, j->i);
	j->unreachable = false;
}

/* --- calls ------------------------------------------------------------------------ */

void x86_before_call(struct x86_jit *j)
{
	x86_catch_up(j);
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

/* --- jumps ------------------------------------------------------------------------ */

/* Counts, and goes back to @target unless the counter wants to be looked at first. */
static void jump_back(struct x86_jit *j, u32 target)
{
	u32 to = j->round->offsets[target];

	x86_alu_ri(j->b, true, ALU_SUB, X86_COUNT, (s32)j->lag.insns);
	x86_jcc(j->b, CC_NS, to);
	x86_detour(j, x86_jmp32_forward(j->b), STUB_REFILL, target, to);
}

/* Before the flags are made on which it depends whether control goes to @target. */
static void before_jump(struct x86_jit *j, u32 target)
{
	if (target > j->i)
		meet(j, target);
	else
		make_lag(j, j->lag.insns, 0);
}

void x86_ja(struct x86_jit *j)
{
	u32 target = (u32)bpf_jump_target(j->insn, j->i);

	before_jump(j, target);
	j->unreachable = true;
	if (target <= j->i)
		jump_back(j, target);
	else if (target != j->i + 1)
		x86_jmp(j->b, j->round->offsets[target]);
}

/* Taken if @cc; what is not counted yet stays so on the way that does not jump. */
static void jump_if(struct x86_jit *j, enum x86_cc cc, u32 target)
{
	u32 skip;

	if (target > j->i) {
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

	before_jump(j, target);
	compare(j);
	jump_if(j, condition(BPF_OP(j->insn->code)), target);
}

/* The iterations that are left are at the top of the machine's frame. */
void x86_may_goto(struct x86_jit *j)
{
	u32 target = (u32)bpf_jump_target(j->insn, j->i);

	before_jump(j, target);
	x86_alu_mi(j->b, false, ALU_CMP, RSP, 0, 0);
	jump_if(j, CC_E, target);
	x86_alu_mi(j->b, false, ALU_SUB, RSP, 0, 1);
}

void x86_exit(struct x86_jit *j)
{
	x86_catch_up(j);
	x86_epilogue(j);
	x86_ret(j->b);
	j->unreachable = true;
}
