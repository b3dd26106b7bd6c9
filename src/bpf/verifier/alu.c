// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic instructions: copies, arithmetic on numbers, and on pointers, which
 * keep their kind only if what is added stays within bounds that no later
 * computation of an address can overflow.
 *
 * Numbers that were copied share an id, so that what a comparison teaches of one
 * holds for the others; every other change of a number gives up its id.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "verifier.h"

static void clear_scalar_id(struct bpf_reg_state *reg)
{
	reg->id = 0;
	reg->off = 0;
}

static bool is_alu64(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_ALU64;
}

static bool has_src_reg(const struct bpf_insn *insn)
{
	return BPF_SRC(insn->code) == BPF_X;
}

static const char *alu_sign(const struct bpf_insn *insn)
{
	static const char *const signs[16] = {
		"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=", "s>>=",
		"endian",
	};

	return signs[BPF_OP(insn->code) >> 4];
}

/* A number that nobody can have is a fault of ours, or of a path that cannot be. */
static int check_sane(struct bpf_verifier_env *env, struct bpf_reg_state *reg)
{
	const struct bpf_scalar *s = &reg->s;

	if (scalar_is_sane(s))
		return 0;
	verbose(env, "REG INVARIANTS VIOLATION (alu): range bounds violation u64=[0x%llx, 0x%llx] "
		"s64=[0x%llx, 0x%llx] u32=[%#x, %#x] s32=[%#x, %#x] var_off=(0x%llx, 0x%llx)\n",
		s->umin_value, s->umax_value, (u64)s->smin_value, (u64)s->smax_value,
		s->u32_min_value, s->u32_max_value, (u32)s->s32_min_value, (u32)s->s32_max_value,
		s->var_off.value, s->var_off.mask);
	if (env->test_reg_invariants)
		return -EFAULT;
	scalar_set_unknown(&reg->s);
	return 0;
}

/* --- copies ------------------------------------------------------------------------ */

void assign_scalar_id_before_mov(struct bpf_verifier_env *env, struct bpf_reg_state *reg)
{
	if (reg->type != SCALAR_VALUE)
		return;
	/* a copy of a sum would be a sum of the same, with an offset of its own: not kept */
	if (reg->id & BPF_ADD_CONST)
		clear_scalar_id(reg);
	if (!reg->id && !tnum_is_const(reg->s.var_off))
		reg->id = ++env->id_gen;
}

/* @dst is @src cut to the low bytes; @same: that changes no number that @src can be. */
static void copy_scalar(struct bpf_verifier_env *env, struct bpf_reg_state *dst,
			struct bpf_reg_state *src, bool same)
{
	if (same)
		assign_scalar_id_before_mov(env, src);
	*dst = *src;
	if (!same)
		clear_scalar_id(dst);
}

static void mov_part(struct bpf_verifier_env *env, const struct bpf_insn *insn,
		     struct bpf_reg_state *dst, struct bpf_reg_state *src)
{
	u32 bits = insn->off ? (u32)insn->off : 32;

	if (src->type != SCALAR_VALUE) { /* part of an address, which is just a number */
		reg_mark_unknown(dst);
	} else if (insn->off) {
		copy_scalar(env, dst, src, src->s.umax_value < 1ULL << (bits - 1));
		scalar_sign_extend(&dst->s, bits / 8);
	} else {
		copy_scalar(env, dst, src, src->s.umax_value <= UINT32_MAX);
	}
	if (!is_alu64(insn))
		scalar_zext_32(&dst->s);
}

static void mov_cast(const struct bpf_insn *insn, struct bpf_reg_state *dst)
{
	reg_mark_unknown(dst);
	if (insn->imm == BPF_CAST_KERN)
		dst->type = PTR_TO_ARENA;
}

static int check_mov(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	struct bpf_reg_state *dst = reg_state(env, insn->dst_reg);
	struct bpf_reg_state *src = reg_state(env, insn->src_reg);
	int err = has_src_reg(insn) ? check_reg_arg(env, insn->src_reg, SRC_OP) : 0;

	err = err ?: check_reg_arg(env, insn->dst_reg, DST_OP_NO_MARK);
	if (err)
		return err;
	if (!has_src_reg(insn))
		reg_mark_known(dst, is_alu64(insn) ? (u64)insn->imm : (u32)insn->imm);
	else if (bpf_is_cast(insn))
		mov_cast(insn, dst);
	else if (is_alu64(insn) && !insn->off)
		copy_scalar(env, dst, src, true);
	else
		mov_part(env, insn, dst, src);
	return 0;
}

/* --- pointers ------------------------------------------------------------------------ */

/* Offsets stay so small that no sum of those that are checked later overflows. */
static int check_reg_sane_offset(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
				 u32 type)
{
	s64 value = (s64)reg->s.var_off.value, smin = reg->s.smin_value;
	bool known = tnum_is_const(reg->s.var_off);
	char buf[128];

	reg_type_str(env, type, buf);
	if (known && (value >= BPF_MAX_VAR_OFF || value <= -BPF_MAX_VAR_OFF))
		verbose(env, "math between %s pointer and %lld is not allowed\n", buf, value);
	else if (reg->off >= BPF_MAX_VAR_OFF || reg->off <= -BPF_MAX_VAR_OFF)
		verbose(env, "%s pointer offset %d is not allowed\n", buf, reg->off);
	else if (smin == INT64_MIN)
		verbose(env, "math between %s pointer and register with unbounded min value is not allowed\n",
			buf);
	else if (smin >= BPF_MAX_VAR_OFF || smin <= -BPF_MAX_VAR_OFF)
		verbose(env, "value %lld makes %s pointer be out of bounds\n", smin, buf);
	else
		return 0;
	return -EINVAL;
}

static int bad_arithmetic(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 type,
			  const char *why)
{
	char buf[128];

	verbose(env, "R%d pointer arithmetic on %s prohibited%s\n", insn->dst_reg,
		reg_type_str(env, type, buf), why);
	return -EACCES;
}

/* Kinds of pointers that may be moved by @off. */
static bool may_be_moved(const struct bpf_insn *insn, u32 type, const struct bpf_reg_state *off)
{
	switch (base_type(type)) {
	case PTR_TO_CTX:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MAP_KEY:
	case PTR_TO_STACK:
	case PTR_TO_PACKET_META:
	case PTR_TO_PACKET:
	case PTR_TO_TP_BUFFER:
	case PTR_TO_BTF_ID:
	case PTR_TO_MEM:
	case PTR_TO_BUF:
	case PTR_TO_FUNC:
	case CONST_PTR_TO_DYNPTR:
		return true;
	case PTR_TO_FLOW_KEYS:
		return tnum_is_const(off->s.var_off);
	case CONST_PTR_TO_MAP:
		return BPF_OP(insn->code) == BPF_ADD && register_is_null(off);
	default:
		return false;
	}
}

/* Only sums and differences of 64 bits are pointers again. */
static int check_ptr_op(struct bpf_verifier_env *env, const struct bpf_insn *insn,
			const struct bpf_reg_state *ptr, bool ptr_is_dst)
{
	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		return 0;
	case BPF_SUB:
		if (!ptr_is_dst) {
			verbose(env, "R%d tried to subtract pointer from scalar\n", insn->dst_reg);
			return -EACCES;
		}
		if (ptr->type == PTR_TO_STACK) {
			verbose(env, "R%d subtraction from stack pointer prohibited\n",
				insn->dst_reg);
			return -EACCES;
		}
		return 0;
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR:
		verbose(env, "R%d bitwise operator %s on pointer prohibited\n", insn->dst_reg,
			alu_sign(insn));
		return -EACCES;
	default:
		verbose(env, "R%d pointer arithmetic with %s operator prohibited\n", insn->dst_reg,
			alu_sign(insn));
		return -EACCES;
	}
}

/*
 * A constant goes into the fixed offset, anything else into the variable one. What
 * was known to be in the packet behind a pointer is not known behind one that has
 * moved forward by we do not know how much.
 */
static void move_ptr(struct bpf_verifier_env *env, struct bpf_reg_state *ptr, u8 op,
		     const struct bpf_reg_state *off)
{
	s64 sign = op == BPF_ADD ? 1 : -1, fixed;

	if (tnum_is_const(off->s.var_off)) {
		fixed = ptr->off + sign * (s64)off->s.var_off.value;
		if (fixed == (s32)fixed) {
			ptr->off = (s32)fixed;
			return;
		}
	}
	scalar_alu(&ptr->s, &off->s, op, true);
	if (!type_is_pkt_pointer(ptr->type))
		return;
	ptr->id = ++env->id_gen;
	if (op == BPF_ADD || off->s.smin_value < 0)
		memset(ptr->raw, 0, sizeof(ptr->raw));
}

/* @dst = @ptr moved by @off; one of the two is what @dst was. */
static int adjust_ptr(struct bpf_verifier_env *env, const struct bpf_insn *insn,
		      const struct bpf_reg_state *ptr, const struct bpf_reg_state *off)
{
	struct bpf_reg_state *dst = reg_state(env, insn->dst_reg), moved = *ptr;
	u8 op = BPF_OP(insn->code);
	int err;

	if (!is_alu64(insn)) {
		if (op == BPF_SUB) { /* the low half of an address, which is just a number */
			reg_mark_unknown(dst);
			return 0;
		}
		verbose(env, "R%d 32-bit pointer arithmetic prohibited\n", insn->dst_reg);
		return -EACCES;
	}
	if (type_may_be_null(ptr->type))
		return bad_arithmetic(env, insn, ptr->type, ", null-check it first");
	if (!may_be_moved(insn, ptr->type, off))
		return bad_arithmetic(env, insn, ptr->type, "");
	err = check_reg_sane_offset(env, off, ptr->type);
	err = err ?: check_reg_sane_offset(env, ptr, ptr->type);
	err = err ?: check_ptr_op(env, insn, ptr, ptr == dst);
	if (err)
		return err;
	move_ptr(env, &moved, op, off);
	*dst = moved;
	return check_reg_sane_offset(env, dst, dst->type);
}

static int adjust_two_ptrs(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	if (BPF_OP(insn->code) == BPF_SUB) { /* a distance */
		mark_reg_unknown(env, cur_regs(env), insn->dst_reg);
		return 0;
	}
	verbose(env, "R%d pointer %s pointer prohibited\n", insn->dst_reg, alu_sign(insn));
	return -EACCES;
}

/*
 * Addresses in an arena are 32 bits wide, and checked when used: any arithmetic will
 * do, and is of 32 bits, whatever the instruction says (facts.c). Unlike in Linux, no
 * other pointer becomes an address in an arena by it.
 */
static int adjust_arena(struct bpf_verifier_env *env, const struct bpf_insn *insn,
			struct bpf_reg_state *dst, const struct bpf_reg_state *src)
{
	if (dst->type != PTR_TO_ARENA && dst->type != SCALAR_VALUE)
		return adjust_two_ptrs(env, insn);
	env->aux[env->insn_idx].arena_op = true;
	if (dst->type != PTR_TO_ARENA)
		*dst = *src;
	return 0;
}

/* --- numbers --------------------------------------------------------------------------- */

/*
 * A mask that compilers make of a condition, all ones or all zeros: it is followed
 * as two paths, each with a constant, so that what is selected with it is exact.
 */
static int fork_on_mask(struct bpf_verifier_env *env, const struct bpf_insn *insn,
			struct bpf_reg_state *dst)
{
	bool all = dst->s.smin_value == -1 && dst->s.smax_value == 0;
	bool low = dst->s.s32_min_value == -1 && dst->s.s32_max_value == 0;
	struct bpf_verifier_state *other;
	struct bpf_scalar *s;

	if (!all && !low)
		return 0;
	other = push_stack(env, env->insn_idx, env->insn_idx);
	if (!other)
		return -E2BIG;
	s = &cur_func_of(other)->regs[insn->dst_reg].s;
	if (all) {
		scalar_set_const(s, 0);
		scalar_set_const(&dst->s, ~0ULL);
	} else {
		s->var_off = tnum_const_subreg(s->var_off, 0);
		scalar_sync(s);
		dst->s.var_off = tnum_const_subreg(dst->s.var_off, ~0U);
		scalar_sync(&dst->s);
	}
	return 0;
}

/*
 * Copies of a number that a constant was added to stay tied to it: after "r1 = r2;
 * r1 += 8", what is learned of one is true of the other, plus or minus 8.
 */
static void tie_or_untie(const struct bpf_insn *insn, struct bpf_reg_state *dst,
			 const struct bpf_reg_state *src)
{
	s64 added = (s64)src->s.var_off.value;

	if (BPF_OP(insn->code) == BPF_ADD && is_alu64(insn) && dst->id &&
	    !(dst->id & BPF_ADD_CONST) && src->type == SCALAR_VALUE &&
	    tnum_is_const(src->s.var_off) && added == (s32)added &&
	    !(has_src_reg(insn) && insn->src_reg == insn->dst_reg)) {
		dst->id |= BPF_ADD_CONST;
		dst->off = (s32)added;
		return;
	}
	clear_scalar_id(dst);
}

static int adjust_scalar(struct bpf_verifier_env *env, const struct bpf_insn *insn,
			 struct bpf_reg_state *dst, const struct bpf_reg_state *src)
{
	struct bpf_reg_state by = *src; /* may be dst itself */
	u8 op = BPF_OP(insn->code);
	int err = 0;

	if ((op == BPF_AND || op == BPF_OR) && tnum_is_const(by.s.var_off))
		err = fork_on_mask(env, insn, dst);
	if (err)
		return err;
	scalar_alu(&dst->s, &by.s, op, is_alu64(insn));
	tie_or_untie(insn, dst, &by);
	return 0;
}

static int adjust_reg(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	struct bpf_reg_state *dst = reg_state(env, insn->dst_reg), *src, imm;
	struct bpf_reg_state off;
	int err;

	reg_mark_known(&imm, (u64)insn->imm);
	src = has_src_reg(insn) ? reg_state(env, insn->src_reg) : &imm;
	if (dst->type == PTR_TO_ARENA || src->type == PTR_TO_ARENA)
		return adjust_arena(env, insn, dst, src);
	env->aux[env->insn_idx].number_op = true;
	if (src->type != SCALAR_VALUE && dst->type != SCALAR_VALUE)
		return adjust_two_ptrs(env, insn);
	if (src->type != SCALAR_VALUE) {
		err = mark_chain_precision(env, insn->dst_reg);
		off = *dst;
		return err ?: adjust_ptr(env, insn, src, &off);
	}
	/* where a pointer points depends on the number; so does one that mattered before */
	if (has_src_reg(insn) && (dst->type != SCALAR_VALUE || dst->precise)) {
		err = mark_chain_precision(env, insn->src_reg);
		if (err)
			return err;
	}
	if (dst->type != SCALAR_VALUE)
		return adjust_ptr(env, insn, dst, src);
	return adjust_scalar(env, insn, dst, src);
}

/* --- instructions ------------------------------------------------------------------------ */

/* BPF_NEG and BPF_END */
static int check_unary(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	struct bpf_reg_state *dst = reg_state(env, insn->dst_reg);
	int err = check_reg_arg(env, insn->dst_reg, SRC_OP);

	err = err ?: check_reg_arg(env, insn->dst_reg, DST_OP_NO_MARK);
	if (err)
		return err;
	if (dst->type != SCALAR_VALUE) { /* an address, which is just a number */
		reg_mark_unknown(dst);
		return 0;
	}
	if (BPF_OP(insn->code) == BPF_NEG)
		scalar_neg(&dst->s, is_alu64(insn));
	else
		scalar_bswap(&dst->s, insn);
	clear_scalar_id(dst);
	return 0;
}

static int check_binary(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	int err = has_src_reg(insn) ? check_reg_arg(env, insn->src_reg, SRC_OP) : 0;

	err = err ?: check_reg_arg(env, insn->dst_reg, SRC_OP);
	err = err ?: check_reg_arg(env, insn->dst_reg, DST_OP_NO_MARK);
	return err ?: adjust_reg(env, insn);
}

int check_alu_op(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	int err;

	switch (BPF_OP(insn->code)) {
	case BPF_NEG:
	case BPF_END:
		err = check_unary(env, insn);
		break;
	case BPF_MOV:
		err = check_mov(env, insn);
		break;
	default:
		err = check_binary(env, insn);
	}
	return err ?: check_sane(env, reg_state(env, insn->dst_reg));
}
