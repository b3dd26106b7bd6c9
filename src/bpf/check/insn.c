// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions one by one: opcodes of RFC 9669 (cpu v4 included), fields that
 * must be zero, registers that exist, constants that make no sense.
 */
#include <errno.h>

#include "check.h"

#define FAIL(env, err, ...) (bpf_log((env)->log, __VA_ARGS__), (err))

/* --- opcodes ------------------------------------------------------------- */

static bool alu_known(u8 code)
{
	return BPF_OP(code) <= BPF_END && (BPF_OP(code) != BPF_NEG || BPF_SRC(code) == BPF_K);
}

static bool jmp_known(u8 code)
{
	bool wide = BPF_CLASS(code) == BPF_JMP;

	switch (BPF_OP(code)) {
	case BPF_JA:
		return BPF_SRC(code) == BPF_K;
	case BPF_CALL:
	case BPF_EXIT:
	case BPF_JCOND:
		return wide && BPF_SRC(code) == BPF_K;
	case 0xf0:
		return false;
	default:
		return true;
	}
}

static bool opcode_known(u8 code)
{
	switch (BPF_CLASS(code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return alu_known(code);
	case BPF_JMP:
	case BPF_JMP32:
		return jmp_known(code);
	case BPF_LD:
		if (BPF_MODE(code) == BPF_IMM)
			return BPF_SIZE(code) == BPF_DW;
		return (BPF_MODE(code) == BPF_ABS || BPF_MODE(code) == BPF_IND) &&
		       BPF_SIZE(code) != BPF_DW;
	case BPF_LDX:
		return BPF_MODE(code) == BPF_MEM ||
		       (BPF_MODE(code) == BPF_MEMSX && BPF_SIZE(code) != BPF_DW);
	case BPF_ST:
		return BPF_MODE(code) == BPF_MEM;
	default: /* STX */
		return BPF_MODE(code) == BPF_MEM ||
		       (BPF_MODE(code) == BPF_ATOMIC &&
			(BPF_SIZE(code) == BPF_W || BPF_SIZE(code) == BPF_DW));
	}
}

/* --- arithmetic ---------------------------------------------------------- */

static int check_mov(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64;

	if (BPF_SRC(insn->code) == BPF_K)
		return insn->src_reg || insn->off ?
		       FAIL(env, -EINVAL, "BPF_MOV uses reserved fields\n") : 0;
	if (bpf_is_cast(insn)) {
		if (insn->imm != BPF_CAST_KERN && insn->imm != BPF_CAST_USER)
			return FAIL(env, -EINVAL,
				    "addr_space_cast insn can only convert between address space 1 and 0\n");
		if (!env->prog->exec->arena)
			return FAIL(env, -EINVAL,
				    "addr_space_cast insn can only be used in a program that has an associated arena\n");
		return 0;
	}
	if (insn->imm || (insn->off && insn->off != 8 && insn->off != 16 &&
			  !(wide && insn->off == 32)))
		return FAIL(env, -EINVAL, "BPF_MOV uses reserved fields\n");
	return 0;
}

static int check_end(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64;

	if (insn->src_reg || insn->off ||
	    (insn->imm != 16 && insn->imm != 32 && insn->imm != 64) ||
	    (wide && BPF_SRC(insn->code) != BPF_TO_LE))
		return FAIL(env, -EINVAL, "BPF_END uses reserved fields\n");
	return 0;
}

static int check_alu(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	u8 op = BPF_OP(insn->code);
	bool reg = BPF_SRC(insn->code) == BPF_X, division = op == BPF_DIV || op == BPF_MOD;
	s32 bits = BPF_CLASS(insn->code) == BPF_ALU64 ? 64 : 32;

	if (op == BPF_END)
		return check_end(env, insn);
	if (op == BPF_MOV)
		return check_mov(env, insn);
	if (op == BPF_NEG)
		return insn->src_reg || insn->off || insn->imm ?
		       FAIL(env, -EINVAL, "BPF_NEG uses reserved fields\n") : 0;
	if ((reg ? insn->imm != 0 : insn->src_reg != 0) || insn->off < 0 || insn->off > 1 ||
	    (insn->off && !division))
		return FAIL(env, -EINVAL, "BPF_ALU uses reserved fields\n");
	if (division && !reg && !insn->imm)
		return FAIL(env, -EINVAL, "div by zero\n");
	if ((op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH) && !reg &&
	    (insn->imm < 0 || insn->imm >= bits))
		return FAIL(env, -EINVAL, "invalid shift %d\n", insn->imm);
	return 0;
}

/* --- jumps --------------------------------------------------------------- */

static int check_jmp(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	bool wide = BPF_CLASS(insn->code) == BPF_JMP;

	switch (BPF_OP(insn->code)) {
	case BPF_CALL:
		if ((insn->src_reg != BPF_PSEUDO_KFUNC_CALL && insn->off) ||
		    insn->src_reg > BPF_PSEUDO_KFUNC_CALL || insn->dst_reg)
			return FAIL(env, -EINVAL, "BPF_CALL uses reserved fields\n");
		return 0;
	case BPF_EXIT:
		if (insn->imm || insn->src_reg || insn->dst_reg)
			return FAIL(env, -EINVAL, "BPF_EXIT uses reserved fields\n");
		return 0;
	case BPF_JA:
		if (insn->src_reg || insn->dst_reg || (wide ? insn->imm : insn->off))
			return FAIL(env, -EINVAL, "BPF_JA uses reserved fields\n");
		return 0;
	case BPF_JCOND:
		if (insn->src_reg != BPF_MAY_GOTO || insn->dst_reg || insn->imm)
			return FAIL(env, -EINVAL, "invalid may_goto imm %d\n", insn->imm);
		return 0;
	default:
		if (BPF_SRC(insn->code) == BPF_X ? insn->imm : insn->src_reg)
			return FAIL(env, -EINVAL, "BPF_JMP/JMP32 uses reserved fields\n");
		return 0;
	}
}

/* --- memory -------------------------------------------------------------- */

static u32 access_size(u8 code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

static int check_stack(struct bpf_check_env *env, const struct bpf_insn *insn, bool write)
{
	s32 size = (s32)access_size(insn->code);

	if (insn->off >= -BPF_STACK_SIZE && insn->off + size <= 0)
		return 0;
	return FAIL(env, -EACCES, "invalid %s stack R10 off=%d size=%d\n",
		    write ? "write to" : "read from", insn->off, size);
}

static int check_atomic(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	switch (insn->imm) {
	case BPF_ADD:
	case BPF_ADD | BPF_FETCH:
	case BPF_AND:
	case BPF_AND | BPF_FETCH:
	case BPF_OR:
	case BPF_OR | BPF_FETCH:
	case BPF_XOR:
	case BPF_XOR | BPF_FETCH:
	case BPF_XCHG:
	case BPF_CMPXCHG:
		return 0;
	default:
		return FAIL(env, -EINVAL, "BPF_ATOMIC uses invalid atomic opcode %02x\n", insn->imm);
	}
}

static int check_store(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	int err = 0;

	if (BPF_CLASS(insn->code) == BPF_ST)
		err = insn->src_reg ? FAIL(env, -EINVAL, "BPF_ST uses reserved fields\n") : 0;
	else if (BPF_MODE(insn->code) == BPF_ATOMIC)
		err = check_atomic(env, insn);
	else if (insn->imm)
		err = FAIL(env, -EINVAL, "BPF_STX uses reserved fields\n");
	if (!err && insn->dst_reg == BPF_REG_10)
		err = check_stack(env, insn, true);
	return err;
}

static int check_load(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	if (insn->imm)
		return FAIL(env, -EINVAL, "BPF_LDX uses reserved fields\n");
	return insn->src_reg == BPF_REG_10 ? check_stack(env, insn, false) : 0;
}

static bool may_access_skb(enum bpf_prog_type type)
{
	return type == BPF_PROG_TYPE_SOCKET_FILTER || type == BPF_PROG_TYPE_SCHED_CLS ||
	       type == BPF_PROG_TYPE_SCHED_ACT;
}

static int check_ld(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	if (bpf_is_ldimm64(insn)) /* the rest of it was checked when it was resolved */
		return insn->off ? FAIL(env, -EINVAL, "invalid BPF_LD_IMM insn\n") : 0;
	if (!may_access_skb(env->prog->type))
		return FAIL(env, -EINVAL,
			    "BPF_LD_[ABS|IND] instructions not allowed for this program type\n");
	if (insn->dst_reg || insn->off || (BPF_MODE(insn->code) == BPF_ABS && insn->src_reg))
		return FAIL(env, -EINVAL, "BPF_LD_[ABS|IND] uses reserved fields\n");
	return 0;
}

/* --- all of them --------------------------------------------------------- */

/* Does it change its destination register? */
static bool writes_dst(const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
	case BPF_LDX:
		return true;
	case BPF_LD:
		return BPF_MODE(insn->code) == BPF_IMM;
	default:
		return false;
	}
}

/* Fetching atomics change their source register. */
static bool writes_src(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC &&
	       insn->imm & BPF_FETCH && insn->imm != BPF_CMPXCHG;
}

/* For calls and 64-bit loads the source says what kind, not which register. */
static bool src_is_reg(const struct bpf_insn *insn)
{
	return !bpf_is_ldimm64(insn) && insn->code != (BPF_JMP | BPF_CALL);
}

static int check_regs(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	if (insn->dst_reg > BPF_REG_10)
		return FAIL(env, -EINVAL, "R%d is invalid\n", insn->dst_reg);
	if (src_is_reg(insn) && insn->src_reg > BPF_REG_10)
		return FAIL(env, -EINVAL, "R%d is invalid\n", insn->src_reg);
	if ((writes_dst(insn) && insn->dst_reg == BPF_REG_10) ||
	    (writes_src(insn) && insn->src_reg == BPF_REG_10))
		return FAIL(env, -EACCES, "frame pointer is read only\n");
	return 0;
}

static int check_class(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return check_alu(env, insn);
	case BPF_JMP:
	case BPF_JMP32:
		return check_jmp(env, insn);
	case BPF_LD:
		return check_ld(env, insn);
	case BPF_LDX:
		return check_load(env, insn);
	default:
		return check_store(env, insn);
	}
}

int bpf_check_insn(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	return check_class(env, insn) ?: check_regs(env, insn);
}

static int check_one(struct bpf_check_env *env, const struct bpf_insn *insn)
{
	if (!opcode_known(insn->code))
		return FAIL(env, -EINVAL, "unknown opcode %02x\n", insn->code);
	/* the verifier looks at the rest of those that it meets */
	return env->verify ? 0 : bpf_check_insn(env, insn);
}

/*
 * The message comes after the instruction, as when the verifier met it. (The
 * check is silent first, so that fine programs have no log.)
 */
int bpf_check_insns(struct bpf_check_env *env)
{
	struct bpf_check_env silent = *env;
	u32 i;

	silent.log = NULL;
	for (i = 0; i < env->prog->len; i++) {
		const struct bpf_insn *insn = &env->prog->insns[i];

		if (check_one(&silent, insn)) {
			bpf_check_log_insn(env, i);
			return check_one(env, insn);
		}
		if (bpf_is_ldimm64(insn))
			i++;
	}
	return 0;
}
