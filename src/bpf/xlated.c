// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions of a loaded program as text. Where the load has changed nothing they
 * are what was loaded (disasm.c); what it has bound to something is shown here.
 */
#include "xlated.h"

#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "kfunc/kfunc.h"

static const char *func_name(const struct bpf_prog *prog, const struct bpf_subprog *sub)
{
	const struct btf_type *t = prog->btf ? btf_type_by_id(prog->btf, sub->func_type_id) : NULL;

	return t && sub->func_type_id ? btf_name(prog->btf, t->name_off) : "";
}

static const struct bpf_subprog *func_at(const struct bpf_prog *prog, u32 insn)
{
	for (u32 i = 0; i < prog->nr_subprogs; i++)
		if (prog->subprogs[i].start == insn)
			return &prog->subprogs[i];
	return NULL;
}

/* 64-bit loads of addresses: nobody wants to know the address. */
static void address_text(const struct bpf_prog *prog, u32 i, char *buf, size_t size)
{
	const struct bpf_insn *insn = &prog->insns[i];
	const struct bpf_reg *value = &prog->exec->consts[insn->imm];
	const struct btf_type *t;

	switch (insn->src_reg) {
	case BPF_PSEUDO_MAP_FD:
	case BPF_PSEUDO_MAP_IDX:
		snprintf(buf, size, "r%d = map[%s]", insn->dst_reg, value->region->name);
		break;
	case BPF_PSEUDO_MAP_VALUE:
	case BPF_PSEUDO_MAP_IDX_VALUE:
		snprintf(buf, size, "r%d = map[%s][0]+%u", insn->dst_reg, value->region->name,
			 (u32)insn[1].imm);
		break;
	case BPF_PSEUDO_BTF_ID:
		t = btf_type_by_id(bpf_kernel_btf(), (u32)prog->orig_insns[i].imm);
		snprintf(buf, size, "r%d = %s", insn->dst_reg,
			 btf_name(bpf_kernel_btf(), t->name_off));
		break;
	default:
		snprintf(buf, size, "r%d = subprog[%+d]", insn->dst_reg, insn[1].imm);
	}
}

static void kfunc_text(const struct bpf_prog *prog, u32 i, char *buf, size_t size)
{
	const struct bpf_kfunc_desc *desc = prog->exec->kfuncs[prog->insns[i].imm];

	snprintf(buf, size, "call %s#%u", desc->kfunc->name, desc->btf_id);
}

static void call_text(const struct bpf_prog *prog, u32 i, char *buf, size_t size)
{
	const struct bpf_insn *insn = &prog->insns[i];
	const struct bpf_subprog *sub = func_at(prog, i + 1 + (u32)insn->imm);

	snprintf(buf, size, "call pc%+d#%s", insn->imm, sub ? func_name(prog, sub) : "");
}

static void text_of(const struct bpf_prog *prog, u32 i, char *buf, size_t size)
{
	const struct bpf_insn *insn = &prog->insns[i];

	if (bpf_is_call(insn, 0) && insn->imm == BPF_POISON_UNREACHED) {
		char was[200];

		bpf_disasm(prog, i, was, sizeof(was));
		snprintf(buf, size, "trap (never reached: %s)", was);
	} else if (bpf_is_ldimm64(insn) && insn->src_reg) {
		address_text(prog, i, buf, size);
	} else if (bpf_is_call(insn, BPF_PSEUDO_KFUNC_CALL)) {
		kfunc_text(prog, i, buf, size);
	} else if (bpf_is_call(insn, BPF_PSEUDO_CALL)) {
		call_text(prog, i, buf, size);
	} else {
		bpf_disasm(prog, i, buf, size);
	}
}

bool bpf_xlated(const struct bpf_prog *prog, u32 insn, struct bpf_xlated *x)
{
	const struct bpf_subprog *sub;
	const struct bpf_line_info *line;

	if (insn >= prog->len)
		return false;
	sub = func_at(prog, insn);
	line = bpf_prog_line(prog, insn);
	*x = (struct bpf_xlated){
		.insns = &prog->orig_insns[insn],
		.slots = bpf_is_ldimm64(&prog->orig_insns[insn]) ? 2 : 1,
		.func = sub ? func_name(prog, sub) : NULL,
	};
	snprintf(x->text, sizeof(x->text), "(%02x) ", prog->insns[insn].code);
	text_of(prog, insn, x->text + strlen(x->text), sizeof(x->text) - strlen(x->text));
	if (line && line->insn_off == insn) {
		x->source = bpf_prog_source_line(prog, insn);
		bpf_prog_where(prog, insn, x->where, sizeof(x->where));
	}
	return true;
}
