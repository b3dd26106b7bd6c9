// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the compiler must know of a program before it begins: where control
 * comes together, and what each function uses.
 */
#include <stdlib.h>

#include "../../base/alloc.h"
#include "../check/check.h"
#include "arch.h"

static void mark_target(struct jit_layout *layout, const struct bpf_prog *prog, u32 i)
{
	const struct bpf_insn *insn = &prog->insns[i];

	s32 target = bpf_is_jump(insn) ? bpf_jump_target(insn, i) : 0;

	if (bpf_is_jump(insn) && layout->leader[target] != LOOP_LEADER)
		layout->leader[target] = target > (s32)i ? LEADER : LOOP_LEADER;
}

static void scan_insn(struct jit_layout *layout, struct jit_func *func, const struct bpf_prog *prog,
		      u32 i)
{
	const struct bpf_insn *insn = &prog->insns[i];

	func->regs |= (u16)(1u << insn->dst_reg | 1u << insn->src_reg);
	func->may_goto |= insn->code == (BPF_JMP | BPF_JCOND);
	layout->tail_calls |= bpf_is_call(insn, 0) && insn->imm == BPF_FUNC_tail_call;
	mark_target(layout, prog, i);
}

void jit_layout_make(struct jit_layout *layout, const struct bpf_prog *prog)
{
	layout->leader = xcalloc(prog->len + 1, sizeof(*layout->leader));
	layout->funcs = xcalloc(prog->nr_subprogs, sizeof(*layout->funcs));
	layout->nr_funcs = prog->nr_subprogs;
	layout->tail_calls = false;
	for (u32 f = 0; f < prog->nr_subprogs; f++) {
		const struct bpf_subprog *sub = &prog->subprogs[f];
		struct jit_func *func = &layout->funcs[f];

		func->start = sub->start;
		func->end = sub->end;
		func->zeroed = sub->reads_uninit ? sub->stack : 0;
		for (u32 i = sub->start; i < sub->end; i++) {
			scan_insn(layout, func, prog, i);
			i += bpf_is_ldimm64(&prog->insns[i]);
		}
	}
}

void jit_layout_free(struct jit_layout *layout)
{
	free(layout->leader);
	free(layout->funcs);
}
