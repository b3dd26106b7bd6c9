// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program for x86-64: function by function, instruction by instruction, each
 * function followed by its detours.
 */
#include <stdlib.h>

#include "../../../base/alloc.h"
#include "x86.h"

const char arch_name[] = "x86-64";

const u8 x86_reg_of[11] = { RAX, RDI, RSI, RDX, RCX, R8, RBX, R13, R14, R15, RBP };

/* --- detours ---------------------------------------------------------------------- */

void x86_detour(struct x86_jit *j, u32 from, enum x86_stub stub, u32 insn, u32 resume)
{
	if (j->nr_detours == j->max_detours) {
		j->max_detours = max(2 * j->max_detours, 16U);
		j->detours = xreallocarray(j->detours, j->max_detours, sizeof(*j->detours));
	}
	j->detours[j->nr_detours++] = (struct x86_detour){
		.from = from, .stub = stub, .insn = insn, .resume = resume, .owed = j->lag.ns
	};
}

static void flush_detours(struct x86_jit *j)
{
	for (u32 i = 0; i < j->nr_detours; i++) {
		const struct x86_detour *d = &j->detours[i];

		x86_land32(j->b, d->from);
		x86_mov_ri32(j->b, X86_T1, d->insn);
		if (d->stub == STUB_REFILL) {
			/* which pays; what comes behind will add it once more */
			if (d->owed)
				x86_alu_mi(j->b, true, ALU_ADD, X86_RUN, RUN(owed), (s32)d->owed);
			x86_call_stub(j->b, d->stub);
			if (d->owed)
				x86_alu_mi(j->b, true, ALU_ADD, X86_RUN, RUN(owed), -(s32)d->owed);
			x86_jmp(j->b, d->resume);
		} else {
			x86_jmp_stub(j->b, d->stub);
		}
	}
	j->nr_detours = 0;
}

/* --- functions ---------------------------------------------------------------------- */

/* A program that is tail-called saves nothing itself. */
static bool saves(const struct x86_jit *j, u32 reg)
{
	return !j->main && (j->round->layout->tail_calls || j->func->regs >> reg & 1);
}

/* Below the return address and what is saved: one word for may_goto, and for alignment. */
static u32 frame_bytes(const struct x86_jit *j)
{
	u32 words = 1 + (j->func->may_goto ? 1 : 0);

	for (u32 reg = BPF_REG_6; reg <= BPF_REG_9; reg++)
		words += saves(j, reg);
	return 8 * ((words & 1) + (j->func->may_goto ? 1 : 0));
}

static void clear_frame(struct x86_jit *j)
{
	if (!j->func->zeroed)
		return;
	x86_alu_rr(j->b, false, ALU_XOR, X86_T0, X86_T0);
	for (u32 off = 8; off <= j->func->zeroed; off += 8)
		x86_store(j->b, 8, X86_T0, RBP, -(s32)off);
}

static void prologue(struct x86_jit *j)
{
	for (u32 reg = BPF_REG_6; reg <= BPF_REG_9; reg++)
		if (saves(j, reg))
			x86_push(j->b, x86_reg_of[reg]);
	j->frame = frame_bytes(j);
	if (j->frame)
		x86_alu_ri(j->b, true, ALU_SUB, RSP, (s32)j->frame);
	if (j->func->may_goto)
		x86_store_imm(j->b, 4, BPF_MAX_LOOP_ITERATIONS, RSP, 0);
	clear_frame(j);
}

void x86_epilogue(struct x86_jit *j)
{
	if (j->frame)
		x86_alu_ri(j->b, true, ALU_ADD, RSP, (s32)j->frame);
	for (u32 reg = BPF_REG_9; reg >= BPF_REG_6; reg--)
		if (saves(j, reg))
			x86_pop(j->b, x86_reg_of[reg]);
}

/* --- instructions --------------------------------------------------------------------- */

static void load_imm64(struct x86_jit *j)
{
	const struct bpf_insn *insn = j->insn;
	u64 value = (u64)(u32)insn->imm | (u64)(u32)insn[1].imm << 32;

	if (insn->src_reg)
		value = j->prog->exec->consts[insn->imm].v;
	j->lag.insns++;
	x86_mov_ri64(j->b, DST, value);
}

static void jump(struct x86_jit *j)
{
	switch (BPF_OP(j->insn->code)) {
	case BPF_CALL:
		x86_call_insn(j);
		break;
	case BPF_EXIT:
		x86_exit(j);
		break;
	case BPF_JA:
		x86_ja(j);
		break;
	case BPF_JCOND:
		x86_may_goto(j);
		break;
	default:
		x86_branch(j);
	}
}

static void instruction(struct x86_jit *j)
{
	j->lag.insns++;
	switch (BPF_CLASS(j->insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		x86_alu(j);
		break;
	case BPF_LD:
		if (bpf_is_ldimm64(j->insn))
			load_imm64(j);
		else
			x86_load_packet(j);
		break;
	case BPF_LDX:
		x86_ldx(j);
		break;
	case BPF_ST:
		x86_st(j);
		break;
	case BPF_STX:
		x86_stx(j);
		break;
	default:
		jump(j);
	}
}

static void function(struct x86_jit *j)
{
	const struct jit_layout *layout = j->round->layout;

	j->main = !j->func->start;
	j->lag = (struct x86_lag){};
	j->unreachable = false;
	j->round->entries[j->func - layout->funcs] = j->b->used;
	prologue(j);
	for (j->i = j->func->start; j->i < j->func->end; j->i++) {
		j->insn = &j->prog->insns[j->i];
		if (layout->leader[j->i] != NO_LEADER)
			x86_arrive(j);
		j->round->offsets[j->i] = j->b->used;
		instruction(j);
		if (bpf_is_ldimm64(j->insn))
			j->round->offsets[++j->i] = j->b->used;
	}
	flush_detours(j);
}

void arch_compile(struct jit_round *round)
{
	struct x86_jit j = {
		.b = round->buf,
		.round = round,
		.prog = round->prog,
		.lags = xcalloc(round->prog->len + 1, sizeof(struct x86_lag)),
		.bmi2 = __builtin_cpu_supports("bmi2"),
	};

	for (u32 i = 0; i < round->layout->nr_funcs; i++) {
		j.func = &round->layout->funcs[i];
		function(&j);
	}
	round->offsets[round->prog->len] = j.b->used;
	free(j.detours);
	free(j.lags);
}
