// SPDX-License-Identifier: GPL-2.0-only
/*
 * From steps to programs. The base of the registers' memory is kept on the stack
 * at fp-8; the context of programs on packets at fp-24:
 *
 *	r1 = *(fp - 8); r0..r9 = in[]		once per step
 *	the step
 *	*(fp - 16) = r1; r1 = *(fp - 8); out[] = r0..r9
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa.h"

struct isa_prog isa_prog;

static bool in_func;

static void no_room(const char *what)
{
	fprintf(stderr, "isa: no room for more %s\n", what);
	abort();
}

void isa_emit(struct bpf_insn insn)
{
	struct isa_prog *p = &isa_prog;

	if ((in_func ? p->funcs_len : p->len) == ISA_MAX_INSNS)
		no_room("instructions");
	if (in_func)
		p->funcs[p->funcs_len++] = insn;
	else
		p->insns[p->len++] = insn;
}

static void begin_program(void)
{
	struct isa_prog *p = &isa_prog;

	if (p->type == ISA_SOCKET) {
		isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 1, -24, 0));
		isa_emit(INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_VALUE, 0, ISA_MAP_MARK));
		isa_emit(INSN(0, 0, 0, 0, 0));
	}
	isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 1, -8, 0));
}

static s32 in_offset(u32 step, u32 reg)
{
	return (s32)(step * sizeof(struct isa_regs) + reg * 8);
}

static s32 out_offset(u32 step, u32 reg)
{
	return in_offset(step, reg) + (s32)offsetof(struct isa_regs, out);
}

void isa_step(u32 dst, u32 src, const char *fmt, ...)
{
	struct isa_prog *p = &isa_prog;
	struct isa_step *step = &p->steps[p->nr_steps];
	va_list args;

	if (!p->len)
		begin_program();
	step->start = p->len;
	step->dst = (u8)dst;
	step->src = (u8)src;
	va_start(args, fmt);
	vsnprintf(step->what, sizeof(step->what), fmt, args);
	va_end(args);
	isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, 1, 10, -8, 0));
	for (u32 i = 0; i < ISA_REGS; i++)
		if (i != 1)
			isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, i, 1,
				      in_offset(p->nr_steps, i), 0));
	isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, 1, 1, in_offset(p->nr_steps, 1), 0));
}

void isa_end(void)
{
	struct isa_prog *p = &isa_prog;

	isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 1, -16, 0));
	isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, 1, 10, -8, 0));
	for (u32 i = 0; i < ISA_REGS; i++)
		if (i != 1)
			isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, 1, i,
				      out_offset(p->nr_steps, i), 0));
	isa_emit(INSN(BPF_LDX | BPF_MEM | BPF_DW, 0, 10, -16, 0));
	isa_emit(INSN(BPF_STX | BPF_MEM | BPF_DW, 1, 0, out_offset(p->nr_steps, 1), 0));
	p->steps[p->nr_steps++].end = p->len;
	if (p->nr_steps == ISA_STEPS || p->type == ISA_SOCKET || p->lone)
		isa_flush();
}

void isa_alone(void)
{
	isa_flush();
	isa_prog.lone = true;
}

void isa_map_pointer(u32 reg, s32 off)
{
	isa_emit(INSN(BPF_LD | BPF_IMM | BPF_DW, reg, BPF_PSEUDO_MAP_VALUE, 0, ISA_MAP_MARK));
	isa_emit(INSN(0, 0, 0, 0, (s32)isa_prog.map_size / 2 + off));
}

u32 isa_func(void)
{
	struct isa_prog *p = &isa_prog;

	if (p->nr_funcs == ISA_FUNCTIONS)
		no_room("functions");
	in_func = true;
	p->func_starts[p->nr_funcs] = p->funcs_len;
	return p->nr_funcs++;
}

void isa_func_end(void)
{
	in_func = false;
}

/* In functions and in the main program; the target is put in by link_calls(). */
void isa_call(u32 func)
{
	isa_emit(INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, func));
}

static void link_calls(void)
{
	struct isa_prog *p = &isa_prog;
	u32 base = p->len;

	if (p->len + p->funcs_len > ISA_MAX_INSNS)
		no_room("functions");
	memcpy(&p->insns[base], p->funcs, p->funcs_len * sizeof(*p->funcs));
	p->len += p->funcs_len;
	for (u32 i = 0; i < p->len; i++) {
		struct bpf_insn *insn = &p->insns[i];

		if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL)
			insn->imm = (s32)(base + p->func_starts[insn->imm] - i - 1);
	}
}

void isa_flush(void)
{
	struct isa_prog *p = &isa_prog;

	if (p->nr_steps) {
		isa_emit(INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1));
		isa_emit(INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
		link_calls();
		isa_run_all();
	}
	p->len = p->nr_steps = p->funcs_len = p->nr_funcs = 0;
	p->lone = false;
}

void isa_set(enum isa_type type, u32 map_size)
{
	isa_flush();
	isa_prog.type = type;
	isa_prog.map_size = map_size;
}
