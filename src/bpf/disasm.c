// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions as text, as Linux's verifier and bpftool write them. Works on
 * what was loaded, which need not be valid.
 */
#include <stdio.h>

#include "check/check.h"
#include "helpers/helpers.h"

struct text {
	const struct bpf_prog *prog;
	const struct bpf_insn *insn;
	char *buf;
	size_t size;
};

#define OUT(t, ...) snprintf((t)->buf, (t)->size, __VA_ARGS__)

static const char *alu_sign(const struct bpf_insn *insn)
{
	static const char *const signs[16] = {
		"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=", "s>>=",
	};

	if (insn->off == 1 && BPF_OP(insn->code) == BPF_DIV)
		return "s/=";
	if (insn->off == 1 && BPF_OP(insn->code) == BPF_MOD)
		return "s%=";
	return signs[BPF_OP(insn->code) >> 4] ? signs[BPF_OP(insn->code) >> 4] : "?";
}

static const char *jump_sign(u8 code)
{
	static const char *const signs[16] = {
		"goto", "==", ">", ">=", "&", "!=", "s>", "s>=", "call", "exit", "<", "<=", "s<",
		"s<=",
	};

	return signs[BPF_OP(code) >> 4] ? signs[BPF_OP(code) >> 4] : "?";
}

static const char *size_name(u8 code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return "u8";
	case BPF_H:
		return "u16";
	case BPF_W:
		return "u32";
	default:
		return "u64";
	}
}

static void alu(struct text *t)
{
	const struct bpf_insn *i = t->insn;
	bool wide = BPF_CLASS(i->code) == BPF_ALU64, reg = BPF_SRC(i->code) == BPF_X;
	char c = wide ? 'r' : 'w';

	if (BPF_OP(i->code) == BPF_END)
		OUT(t, "r%d = %s%d r%d", i->dst_reg, wide ? "bswap" : reg ? "be" : "le", i->imm,
		    i->dst_reg);
	else if (BPF_OP(i->code) == BPF_NEG)
		OUT(t, "%c%d = -%c%d", c, i->dst_reg, c, i->dst_reg);
	else if (bpf_is_cast(i))
		OUT(t, "r%d = addr_space_cast(r%d, %d, %d)", i->dst_reg, i->src_reg,
		    (u32)i->imm >> 16, (u16)i->imm);
	else if (reg && BPF_OP(i->code) == BPF_MOV && i->off)
		OUT(t, "%c%d = (s%d)%c%d", c, i->dst_reg, i->off, c, i->src_reg);
	else if (reg)
		OUT(t, "%c%d %s %c%d", c, i->dst_reg, alu_sign(i), c, i->src_reg);
	else
		OUT(t, "%c%d %s %d", c, i->dst_reg, alu_sign(i), i->imm);
}

static void atomic(struct text *t)
{
	const struct bpf_insn *i = t->insn;
	const char *type = size_name(i->code), *prefix = BPF_SIZE(i->code) == BPF_DW ? "64" : "";
	static const char *const names[16] = { "add", NULL, NULL, NULL, "or", "and", NULL, NULL,
					       NULL,  NULL, "xor" };
	const char *name = names[BPF_OP(i->imm) >> 4] ? names[BPF_OP(i->imm) >> 4] : "?";

	if (i->imm == BPF_CMPXCHG)
		OUT(t, "r0 = atomic%s_cmpxchg((%s *)(r%d %+d), r0, r%d)", prefix, type, i->dst_reg,
		    i->off, i->src_reg);
	else if (i->imm == BPF_XCHG)
		OUT(t, "r%d = atomic%s_xchg((%s *)(r%d %+d), r%d)", i->src_reg, prefix, type,
		    i->dst_reg, i->off, i->src_reg);
	else if (i->imm & BPF_FETCH)
		OUT(t, "r%d = atomic%s_fetch_%s((%s *)(r%d %+d), r%d)", i->src_reg, prefix, name,
		    type, i->dst_reg, i->off, i->src_reg);
	else
		OUT(t, "lock *(%s *)(r%d %+d) %s r%d", type, i->dst_reg, i->off,
		    name[0] == 'a' && name[1] == 'd' ? "+=" : name[0] == 'o' ? "|=" :
		    name[0] == 'x' ? "^=" : "&=", i->src_reg);
}

static void memory(struct text *t)
{
	const struct bpf_insn *i = t->insn;
	const char *type = size_name(i->code);

	switch (BPF_CLASS(i->code)) {
	case BPF_LDX:
		OUT(t, "r%d = *(%s%s *)(r%d %+d)", i->dst_reg,
		    BPF_MODE(i->code) == BPF_MEMSX ? "s" : "u", type + 1, i->src_reg, i->off);
		break;
	case BPF_ST:
		OUT(t, "*(%s *)(r%d %+d) = %d", type, i->dst_reg, i->off, i->imm);
		break;
	default:
		if (BPF_MODE(i->code) == BPF_ATOMIC)
			atomic(t);
		else
			OUT(t, "*(%s *)(r%d %+d) = r%d", type, i->dst_reg, i->off, i->src_reg);
	}
}

static void load_imm(struct text *t)
{
	const struct bpf_insn *i = t->insn;

	if (BPF_MODE(i->code) == BPF_ABS)
		OUT(t, "r0 = *(%s *)skb[%d]", size_name(i->code), i->imm);
	else if (BPF_MODE(i->code) == BPF_IND)
		OUT(t, "r0 = *(%s *)skb[r%d + %d]", size_name(i->code), i->src_reg, i->imm);
	else if (!bpf_is_ldimm64(i) || i + 1 == t->prog->orig_insns + t->prog->len)
		OUT(t, "BUG_ld_%02x", i->code);
	else if (i->src_reg == BPF_PSEUDO_MAP_FD || i->src_reg == BPF_PSEUDO_MAP_VALUE)
		OUT(t, "r%d = 0x0", i->dst_reg); /* an address */
	else
		OUT(t, "r%d = 0x%llx", i->dst_reg, (u64)(u32)i->imm | (u64)(u32)i[1].imm << 32);
}

static void call(struct text *t)
{
	const struct bpf_insn *i = t->insn;
	const struct btf_type *func;

	switch (i->src_reg) {
	case BPF_PSEUDO_CALL:
		OUT(t, "call pc%+d", i->imm);
		break;
	case BPF_PSEUDO_KFUNC_CALL:
		func = btf_type_by_id(bpf_kernel_btf(), (u32)i->imm);
		OUT(t, "call %s#%d", func ? btf_name(bpf_kernel_btf(), func->name_off) :
					    "kernel-function", i->imm);
		break;
	default:
		OUT(t, "call %s#%d", bpf_helper_name(t->prog, (u32)i->imm), i->imm);
	}
}

static void jump(struct text *t)
{
	const struct bpf_insn *i = t->insn;
	bool wide = BPF_CLASS(i->code) == BPF_JMP;
	char c = wide ? 'r' : 'w';

	switch (BPF_OP(i->code)) {
	case BPF_CALL:
		call(t);
		break;
	case BPF_EXIT:
		OUT(t, "exit");
		break;
	case BPF_JA:
		if (wide)
			OUT(t, "goto pc%+d", i->off);
		else
			OUT(t, "gotol pc%+d", i->imm);
		break;
	case BPF_JCOND:
		OUT(t, "may_goto pc%+d", i->off);
		break;
	default:
		if (BPF_SRC(i->code) == BPF_X)
			OUT(t, "if %c%d %s %c%d goto pc%+d", c, i->dst_reg, jump_sign(i->code), c,
			    i->src_reg, i->off);
		else
			OUT(t, "if %c%d %s 0x%x goto pc%+d", c, i->dst_reg, jump_sign(i->code),
			    (u32)i->imm, i->off);
	}
}

void bpf_disasm(const struct bpf_prog *prog, u32 i, char *buf, size_t size)
{
	struct text t = { .prog = prog, .insn = &prog->orig_insns[i], .buf = buf, .size = size };

	switch (BPF_CLASS(t.insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		alu(&t);
		break;
	case BPF_LD:
		load_imm(&t);
		break;
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		memory(&t);
		break;
	default:
		jump(&t);
	}
}
