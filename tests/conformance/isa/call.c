// SPDX-License-Identifier: GPL-2.0-only
/*
 * RFC 9669 section 4.3.2: program-local functions. Arguments and results, r6 to r9
 * and the stack of the caller, calls in calls down to the last frame, calls from
 * within loops.
 */
#include "isa.h"

static void alu(u8 op, u32 dst, u32 src)
{
	isa_emit(INSN(BPF_ALU64 | op | BPF_X, dst, src, 0, 0));
}

static void alu_imm(u8 op, u32 dst, s32 imm)
{
	isa_emit(INSN(BPF_ALU64 | op | BPF_K, dst, 0, 0, imm));
}

static void ret(void)
{
	isa_emit(INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
	isa_func_end();
}

/* r1 to r5 are gone after a call. */
static void forget_arguments(void)
{
	for (u32 i = 1; i <= 5; i++)
		alu_imm(BPF_MOV, i, (s32)i);
}

/* Each argument arrives, and which register it came from does not matter. */
static void arguments(void)
{
	for (u32 arg = 1; arg <= 5; arg++) {
		for (u32 from = 0; from < ISA_REGS; from++) {
			u32 func;

			isa_step(from, arg, "argument %u from r%u", arg, from);
			alu(BPF_MOV, arg, from);
			func = isa_func();
			alu(BPF_MOV, 0, arg);
			alu_imm(BPF_MUL, 0, 3);
			ret();
			isa_call(func);
			forget_arguments();
			isa_end();
		}
	}
}

/* The callee spoils all that it may, and its own frame. */
static void callee_saved(void)
{
	for (u32 reg = 6; reg <= 9; reg++) {
		u32 func;

		isa_step(reg, 1, "r%u over a call", reg);
		isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, 10, reg, -64, 0));
		func = isa_func();
		for (u32 r = 6; r <= 9; r++)
			alu_imm(BPF_MOV, r, -(s32)r);
		isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, 10, reg, -64, 0));
		isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, -64, 0));
		alu(BPF_ADD, 0, 1);
		ret();
		isa_call(func);
		isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, 1, 10, -64, 0));
		alu_imm(BPF_MOV, 2, 2);
		alu_imm(BPF_MOV, 3, 3);
		alu_imm(BPF_MOV, 4, 4);
		alu_imm(BPF_MOV, 5, 5);
		isa_end();
	}
}

/* Frames 1 to 7, each with values of its own on both sides of its call. */
static void nested(void)
{
	for (u32 depth = 1; depth <= 7; depth++) {
		u32 func = 0;

		isa_alone();
		isa_step(1, 6, "calls %u deep", depth);
		for (u32 i = 0; i < depth; i++) {
			u32 inner = func;

			func = isa_func();
			alu(BPF_MOV, 6 + i % 4, 1);
			isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 1, -8, 0));
			alu_imm(BPF_ADD, 1, 1 + (s32)i);
			if (i)
				isa_call(inner);
			else
				alu(BPF_MOV, 0, 1);
			alu_imm(BPF_MUL, 0, 5);
			alu(BPF_ADD, 0, 6 + i % 4);
			isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, 1, 10, -8, 0));
			alu(BPF_XOR, 0, 1);
			ret();
		}
		isa_call(func);
		forget_arguments();
		isa_end();
	}
}

/* What the caller's frame holds can be written by the callee through a pointer. */
static void pointer_to_frame(void)
{
	for (s32 off = -96; off <= -32; off += 16) {
		u32 func;

		isa_step(6, 2, "the caller's stack at %d", off);
		isa_emit(INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, off, 77));
		alu(BPF_MOV, 1, 10);
		alu_imm(BPF_ADD, 1, off);
		func = isa_func();
		isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 1, 0, 0));
		isa_emit(INSN(BPF_STX | BPF_MEM | BPF_W, 1, 2, 4, 0));
		isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 2, off, 0));
		ret();
		isa_call(func);
		isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, 7, 10, off, 0));
		forget_arguments();
		isa_end();
	}
}

static void in_a_loop(void)
{
	u32 func;

	isa_step(7, 8, "calls in a loop");
	func = isa_func();
	alu(BPF_MOV, 0, 1);
	alu(BPF_SUB, 0, 2);
	alu_imm(BPF_MOV, 6, -1);
	ret();
	alu_imm(BPF_MOV, 6, 0);
	alu(BPF_MOV, 1, 7); /* the loop */
	alu(BPF_MOV, 2, 8);
	isa_call(func);
	alu(BPF_XOR, 7, 0);
	alu_imm(BPF_ADD, 6, 1);
	isa_emit(INSN(BPF_JMP | BPF_JLT | BPF_K, 6, 0, -6, 9));
	forget_arguments();
	isa_end();
}

void call_base32(void)
{
	arguments();
	callee_saved();
	pointer_to_frame();
	in_a_loop();
	nested();
}
