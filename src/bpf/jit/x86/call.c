// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls for x86-64: of functions of the program, of helpers and kfuncs, of other
 * programs. Arguments are where System V wants them already.
 */
#include "x86.h"

/* --- functions of the program --------------------------------------------------- */

static void restore_prog(struct x86_jit *j)
{
	/* a tail call in there has made it another one's run */
	x86_mov_ri64(j->b, X86_T0, (u64)j->prog);
	x86_store(j->b, 8, X86_T0, X86_RUN, RUN(prog));
}

static void call_local(struct x86_jit *j)
{
	struct jit_buffer *b = j->b;
	u32 target = (u32)((s32)j->i + 1 + j->insn->imm), from;

	x86_catch_up(j);
	x86_alu_rm(b, true, ALU_CMP, RBP, X86_RUN, RUN(deepest));
	from = x86_jcc32_forward(b, CC_BE);
	x86_detour(j, from, STUB_TOO_DEEP, j->i, 0);
	x86_alu_ri(b, true, ALU_SUB, RBP, BPF_STACK_SIZE);
	x86_test_rr(b, true, X86_COUNT, X86_COUNT);
	from = x86_jcc32_forward(b, CC_S);
	x86_detour(j, from, STUB_REFILL, target, b->used);
	x86_call(b, j->round->entries[bpf_subprog_at(j->prog, target) - j->prog->subprogs]);
	/* -BPF_STACK_SIZE is no longer than one byte more */
	x86_alu_ri(b, true, ALU_SUB, RBP, -BPF_STACK_SIZE);
	if (j->round->layout->tail_calls)
		restore_prog(j);
}

/* --- helpers and kfuncs ------------------------------------------------------------- */

static void normalise_bools(struct x86_jit *j, u32 args)
{
	for (u32 arg = 0; arg < 5; arg++) {
		u32 reg = x86_reg_of[1 + arg];

		if (!(args >> arg & 1))
			continue;
		x86_movzx(j->b, reg, reg, 1);
		x86_test_rr(j->b, false, reg, reg);
		x86_setcc(j->b, CC_NE, reg);
	}
}

static void extend_result(struct x86_jit *j, const struct bpf_jit_call *call)
{
	if (!call->ret_size) {
		x86_alu_rr(j->b, false, ALU_XOR, RAX, RAX);
	} else if (call->ret_bool) {
		x86_movzx(j->b, RAX, RAX, 1);
		x86_test_rr(j->b, false, RAX, RAX);
		x86_setcc(j->b, CC_NE, RAX);
	} else if (call->ret_size < 8) {
		if (call->ret_signed)
			x86_movsx(j->b, true, RAX, RAX, call->ret_size);
		else
			x86_movzx(j->b, RAX, RAX, call->ret_size);
	}
}

static void call_direct(struct x86_jit *j, const struct bpf_jit_call *call)
{
	struct jit_buffer *b = j->b;

	x86_owe(j, call->ns);
	x86_before_call(j);
	x86_store_var(b, &bpf_exec_current, X86_RUN);
	if (call->settle)
		x86_call_stub(b, STUB_SETTLE);
	normalise_bools(j, call->bool_args);
	x86_call_c(b, call->fn);
	extend_result(j, call);
	x86_after_call(j);
}

static void call_slow(struct x86_jit *j)
{
	x86_before_call(j);
	x86_mov_ri32(j->b, X86_T1, j->i);
	x86_call_stub(j->b, STUB_SLOW);
	x86_after_call(j);
}

/*
 * The next program, at @code, takes over this frame. In a function other than the main
 * program it is called, so that the function can give back what it has saved.
 */
static void go_to(struct x86_jit *j, u32 code)
{
	if (j->main) {
		x86_epilogue(j);
		x86_jmp_reg(j->b, code);
	} else {
		x86_call_reg(j->b, code);
		x86_epilogue(j);
		x86_ret(j->b);
	}
}

static void tail_call_any(struct x86_jit *j)
{
	struct jit_buffer *b = j->b;
	u32 failed;

	x86_before_call(j);
	x86_mov_ri32(b, X86_T1, j->i);
	x86_call_stub(b, STUB_TAIL);
	x86_load(b, 8, false, X86_COUNT, X86_RUN, RUN(left));
	x86_test_rr(b, true, RAX, RAX);
	failed = x86_jcc8_forward(b, CC_E);
	go_to(j, RAX);
	x86_land8(b, failed);
	x86_mov_ri(b, RAX, -2);
	x86_after_call(j);
}

/* As bpf_exec_tail_callee(), from a known array; rdx is the index. */
static void tail_call(struct x86_jit *j, const struct bpf_jit_call *call)
{
	struct jit_buffer *b = j->b;
	u32 outside, none, many, from;

	x86_owe(j, call->ns);
	x86_catch_up(j);
	x86_alu_ri(b, false, ALU_CMP, RDX, (s32)call->map->max_entries);
	outside = x86_jcc8_forward(b, CC_AE);
	x86_mov_rr(b, false, X86_T1, RDX);
	x86_shift_ri(b, true, SHIFT_SHL, X86_T1, 3);
	x86_mov_ri64(b, X86_T0, (u64)bpf_prog_array_slots(call->map));
	x86_alu_rr(b, true, ALU_ADD, X86_T1, X86_T0);
	x86_load(b, 8, false, X86_T1, X86_T1, 0);
	x86_test_rr(b, true, X86_T1, X86_T1);
	none = x86_jcc8_forward(b, CC_E);
	x86_alu_mi(b, false, ALU_CMP, X86_RUN, RUN(tail_calls), BPF_MAX_TAIL_CALLS);
	many = x86_jcc8_forward(b, CC_AE);
	x86_alu_mi(b, false, ALU_ADD, X86_RUN, RUN(tail_calls), 1);
	x86_store(b, 8, X86_T1, X86_RUN, RUN(prog));
	x86_load(b, 8, false, X86_T1, X86_T1, offsetof(struct bpf_prog, jit));
	x86_load(b, 8, false, X86_T1, X86_T1, offsetof(struct bpf_jit_image, main));
	go_to(j, X86_T1);
	x86_land8(b, outside);
	x86_land8(b, none);
	x86_land8(b, many);
	x86_mov_ri(b, RAX, -2);
	x86_test_rr(b, true, X86_COUNT, X86_COUNT);
	from = x86_jcc32_forward(b, CC_S);
	x86_detour(j, from, STUB_REFILL, j->i + 1, b->used);
}

static void trap(struct x86_jit *j)
{
	j->unreachable = true;
	x86_before_call(j);
	x86_mov_ri32(j->b, X86_T1, j->i);
	x86_jmp_stub(j->b, STUB_TRAP);
}

void x86_call_insn(struct x86_jit *j)
{
	struct bpf_jit_call call;

	if (j->insn->src_reg == BPF_PSEUDO_CALL) {
		call_local(j);
		return;
	}
	if (bpf_call_is_missing(j->insn)) {
		trap(j);
		return;
	}
	bpf_jit_describe_call(j->prog, j->i, &call);
	if (x86_inline_call(j, &call))
		return;
	switch (call.kind) {
	case JIT_CALL_DIRECT:
		call_direct(j, &call);
		break;
	case JIT_CALL_SLOW:
		call_slow(j);
		break;
	case JIT_CALL_TAIL:
		if (call.map)
			tail_call(j, &call);
		else
			tail_call_any(j);
		break;
	case JIT_CALL_COUNT: /* always inline */
		break;
	}
}

/* --- packets ------------------------------------------------------------------------- */

/* BPF_LD | BPF_ABS and IND: beyond the packet, the function returns 0. */
void x86_load_packet(struct x86_jit *j)
{
	struct jit_buffer *b = j->b;
	u32 there;

	x86_before_call(j);
	if (BPF_MODE(j->insn->code) == BPF_ABS) {
		x86_mov_ri(b, RSI, j->insn->imm);
	} else {
		x86_movsx(b, true, RSI, SRC, 4);
		x86_alu_ri(b, true, ALU_ADD, RSI, j->insn->imm);
	}
	x86_mov_ri32(b, RDX, x86_size(j->insn));
	x86_call_stub(b, STUB_PACKET);
	x86_load(b, 8, false, X86_COUNT, X86_RUN, RUN(left));
	there = x86_jcc8_forward(b, CC_NE);
	x86_alu_rr(b, false, ALU_XOR, RAX, RAX);
	x86_epilogue(j);
	x86_ret(b);
	x86_land8(b, there);
}
