// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads and stores: the instructions, and who is asked about which kind of
 * pointer. What may be touched is decided by the bounds of what is pointed to;
 * where those are not known here, by the file for that kind.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "mem_internal.h"

const char *tnum_str(struct tnum a, char *buf)
{
	unsigned long long value = a.value, mask = a.mask;

	if (mask)
		snprintf(buf, TNUM_STR_SIZE, "(0x%llx; 0x%llx)", value, mask);
	else
		snprintf(buf, TNUM_STR_SIZE, value <= 0xffff ? "%llu" : "0x%llx", value);
	return buf;
}

void mark_loaded_scalar(struct bpf_verifier_env *env, const struct mem_access *a)
{
	if (a->t == BPF_READ && a->value_regno >= 0)
		mark_reg_unknown(env, cur_regs(env), (u32)a->value_regno);
}

int cannot_write(struct bpf_verifier_env *env, u32 regno)
{
	char buf[128];

	verbose(env, "R%u cannot write into %s\n", regno,
		reg_type_str(env, reg_state(env, (int)regno)->type, buf));
	return -EACCES;
}

int complain_negative(struct bpf_verifier_env *env, u32 regno)
{
	verbose(env,
		"R%u min value is negative, either use unsigned index or do a if (index >=0) check.\n",
		regno);
	return -EACCES;
}

/* --- bounds ---------- */

int check_mem_bounds(struct bpf_verifier_env *env, u32 regno, s32 off, s32 size, u32 mem_size,
		     bool zero_size_allowed)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);

	if (off >= 0 && (size > 0 || (!size && zero_size_allowed)) && (s64)off + size <= mem_size)
		return 0;
	switch (reg->type) {
	case PTR_TO_MAP_KEY:
		verbose(env, "invalid access to map key, key_size=%u off=%d size=%d\n", mem_size,
			off, size);
		break;
	case PTR_TO_MAP_VALUE:
		verbose(env, "invalid access to map value, value_size=%u off=%d size=%d\n",
			mem_size, off, size);
		break;
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
	case PTR_TO_PACKET_END:
		verbose(env, "invalid access to packet, off=%d size=%d, R%u(id=%u,off=%d,r=%u)\n",
			off, size, regno, reg->id, off, mem_size);
		break;
	default:
		verbose(env, "invalid access to memory, mem_size=%u off=%d size=%d\n", mem_size,
			off, size);
		break;
	}
	return -EACCES;
}

int check_mem_region_access(struct bpf_verifier_env *env, u32 regno, s32 off, s32 size,
			    u32 mem_size, bool zero_size_allowed)
{
	const struct bpf_scalar *var = &reg_state(env, (int)regno)->s;
	int err;

	/*
	 * The lowest place, then the highest: all between are inside, too. One that
	 * is too high for 32 bits is caught as unbounded.
	 */
	if (var->smin_value < 0 && (var->smin_value < INT_MIN || var->smin_value + off < 0))
		return complain_negative(env, regno);
	err = check_mem_bounds(env, regno, (s32)((u64)var->smin_value + (u64)(s64)off), size,
			       mem_size, zero_size_allowed);
	if (err) {
		verbose(env, "R%u min value is outside of the allowed memory range\n", regno);
		return err;
	}
	if (var->umax_value >= BPF_MAX_VAR_OFF) {
		verbose(env,
			"R%u unbounded memory access, make sure to bounds check any such access\n",
			regno);
		return -EACCES;
	}
	err = check_mem_bounds(env, regno, (s32)var->umax_value + off, size, mem_size,
			       zero_size_allowed);
	if (err)
		verbose(env, "R%u max value is outside of the allowed memory range\n", regno);
	return err;
}

/* --- kinds of pointers that need little ---------- */

static int access_mem(struct bpf_verifier_env *env, const struct mem_access *a)
{
	int err;

	if (a->t == BPF_WRITE && a->reg->type & MEM_RDONLY)
		return cannot_write(env, a->regno);
	err = check_mem_region_access(env, a->regno, a->off, a->size, a->reg->mem_size, false);
	if (!err)
		mark_loaded_scalar(env, a);
	return err;
}

static int access_stack(struct bpf_verifier_env *env, const struct mem_access *a)
{
	int err = check_stack_access_within_bounds(env, a->regno, a->off, a->size, a->t);

	if (err)
		return err;
	if (a->t == BPF_READ)
		return check_stack_read(env, a->regno, a->off, a->size, a->value_regno);
	return check_stack_write(env, a->regno, a->off, a->size, a->value_regno, a->insn_idx);
}

static int access_buf(struct bpf_verifier_env *env, const struct mem_access *a)
{
	bool rdonly = a->reg->type & MEM_RDONLY;
	int err;

	if (a->t == BPF_WRITE && rdonly)
		return cannot_write(env, a->regno);
	err = check_buffer_access(env, rdonly ? "rdonly" : "rdwr", a->regno, a->off, a->size);
	if (!err)
		mark_loaded_scalar(env, a);
	return err;
}

static int access_tp_buffer(struct bpf_verifier_env *env, const struct mem_access *a)
{
	struct bpf_prog *prog = env->prog;
	int err = check_buffer_access(env, "tracepoint", a->regno, a->off, a->size);

	if (err)
		return err;
	prog->max_tp_access = max(prog->max_tp_access, (u32)(a->off + a->size));
	mark_loaded_scalar(env, a);
	return 0;
}

/* Whatever the address: a page of the arena, or a fault that the program survives. */
static int access_arena(struct bpf_verifier_env *env, const struct mem_access *a)
{
	mark_loaded_scalar(env, a);
	return 0;
}

/* --- which kind ---------- */

/* @flags: of the pointer's type, that may be there. */
static const struct kind {
	int (*access)(struct bpf_verifier_env *env, const struct mem_access *a);
	u32 flags;
} kinds[__BPF_REG_TYPE_MAX] = {
	[PTR_TO_CTX] = { access_ctx, 0 },
	[CONST_PTR_TO_MAP] = { access_map_struct, 0 },
	[PTR_TO_MAP_VALUE] = { access_map_value, 0 },
	[PTR_TO_MAP_KEY] = { access_map_key, 0 },
	[PTR_TO_STACK] = { access_stack, 0 },
	[PTR_TO_PACKET_META] = { access_packet, 0 },
	[PTR_TO_PACKET] = { access_packet, 0 },
	[PTR_TO_FLOW_KEYS] = { access_flow_keys, 0 },
	[PTR_TO_SOCKET] = { access_sock, 0 },
	[PTR_TO_SOCK_COMMON] = { access_sock, 0 },
	[PTR_TO_TCP_SOCK] = { access_sock, 0 },
	[PTR_TO_XDP_SOCK] = { access_sock, 0 },
	[PTR_TO_TP_BUFFER] = { access_tp_buffer, 0 },
	[PTR_TO_BTF_ID] = { access_btf_object, ~(u32)PTR_MAYBE_NULL },
	[PTR_TO_MEM] = { access_mem, ~(u32)(PTR_MAYBE_NULL | MEM_USER | MEM_PERCPU) },
	[PTR_TO_ARENA] = { access_arena, 0 },
	[PTR_TO_BUF] = { access_buf, ~(u32)PTR_MAYBE_NULL },
};

static int access_kind(struct bpf_verifier_env *env, const struct mem_access *a)
{
	const struct kind *kind = &kinds[base_type(a->reg->type)];
	char buf[128];

	if (kind->access && !(type_flag(a->reg->type) & ~kind->flags))
		return kind->access(env, a);
	verbose(env, "R%u invalid mem access '%s'\n", a->regno,
		reg_type_str(env, a->reg->type, buf));
	return -EACCES;
}

static s32 bytes_of(u32 bpf_size)
{
	switch (bpf_size) {
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

int check_mem_access(struct bpf_verifier_env *env, u32 insn_idx, u32 regno, s32 off, u32 bpf_size,
		     enum bpf_access_type t, s32 value_regno, bool strict_once, bool is_ldsx)
{
	struct bpf_reg_state *regs = cur_regs(env);
	struct mem_access a = {
		.insn_idx = insn_idx,
		.regno = regno,
		.reg = &regs[regno],
		.size = bytes_of(bpf_size),
		.t = t,
		.value_regno = value_regno,
		.is_ldsx = is_ldsx,
	};
	int err = check_ptr_alignment(env, a.reg, off, a.size, strict_once);

	if (err)
		return err;
	a.off = off + a.reg->off;
	err = access_kind(env, &a);
	if (err || t != BPF_READ || value_regno < 0 || a.size == BPF_REG_SIZE ||
	    regs[value_regno].type != SCALAR_VALUE)
		return err;
	if (is_ldsx)
		scalar_sign_extend(&regs[value_regno].s, (u32)a.size);
	else
		scalar_truncate(&regs[value_regno].s, (u32)a.size);
	return 0;
}

/* --- one instruction, one kind of pointer ---------- */

/* Kinds that are accessed in a way of their own when the program runs. */
static bool kind_is_special(u32 type)
{
	switch (base_type(type)) {
	case PTR_TO_CTX:
	case PTR_TO_SOCKET:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_XDP_SOCK:
	case PTR_TO_BTF_ID:
	case PTR_TO_ARENA:
		return true;
	default:
		return false;
	}
}

/*
 * The code for a load or store depends on the kind of its pointer, so an instruction
 * must not meet two. Only loads through good and through bad pointers to objects go
 * together (@mixed_trust): both are then made as if the pointer was bad.
 */
static int save_aux_ptr_type(struct bpf_verifier_env *env, u32 type, bool mixed_trust)
{
	u32 *prev = &env->aux[env->insn_idx].ptr_type;

	if (*prev == NOT_INIT) {
		*prev = type;
		return 0;
	}
	if (type == *prev || (!kind_is_special(type) && !kind_is_special(*prev)))
		return 0;
	if (mixed_trust && base_type(type) == PTR_TO_BTF_ID && base_type(*prev) == PTR_TO_BTF_ID) {
		*prev = PTR_TO_BTF_ID | PTR_UNTRUSTED;
		return 0;
	}
	verbose(env, "same insn cannot be used with different pointers\n");
	return -EINVAL;
}

/* --- instructions ---------- */

int check_load(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	u32 type;
	int err = check_reg_arg(env, insn->src_reg, SRC_OP) ?:
		  check_reg_arg(env, insn->dst_reg, DST_OP_NO_MARK);

	if (err)
		return err;
	type = reg_state(env, insn->src_reg)->type;
	facts_of_load(env, insn->src_reg);
	return check_mem_access(env, env->insn_idx, insn->src_reg, insn->off, BPF_SIZE(insn->code),
				BPF_READ, insn->dst_reg, false,
				BPF_MODE(insn->code) == BPF_MEMSX) ?:
	       save_aux_ptr_type(env, type, true);
}

int check_store(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	bool from_reg = BPF_CLASS(insn->code) == BPF_STX;
	u32 type;
	int err = from_reg ? check_reg_arg(env, insn->src_reg, SRC_OP) : 0;

	err = err ?: check_reg_arg(env, insn->dst_reg, SRC_OP);
	if (err)
		return err;
	type = reg_state(env, insn->dst_reg)->type;
	return check_mem_access(env, env->insn_idx, insn->dst_reg, insn->off, BPF_SIZE(insn->code),
				BPF_WRITE, from_reg ? insn->src_reg : -1, false, false) ?:
	       save_aux_ptr_type(env, type, false);
}

static bool atomic_ptr_ok(u32 type)
{
	switch (base_type(type)) {
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
		return false;
	case PTR_TO_CTX:
	case PTR_TO_FLOW_KEYS:
	case PTR_TO_SOCKET:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_XDP_SOCK:
		return type_flag(type); /* those cannot be accessed anyway, which is said better */
	default:
		return true;
	}
}

static int check_atomic_operands(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	char buf[128];
	u32 type;
	int err = check_reg_arg(env, insn->src_reg, SRC_OP) ?:
		  check_reg_arg(env, insn->dst_reg, SRC_OP);

	if (!err && insn->imm == BPF_CMPXCHG)
		err = check_reg_arg(env, BPF_REG_0, SRC_OP);
	if (err)
		return err;
	type = reg_state(env, insn->dst_reg)->type;
	if (atomic_ptr_ok(type))
		return 0;
	verbose(env, "BPF_ATOMIC stores into R%u %s is not allowed\n", insn->dst_reg,
		reg_type_str(env, type, buf));
	return -EACCES;
}

static bool atomic_op_known(s32 imm)
{
	switch (imm) {
	case BPF_XCHG:
	case BPF_CMPXCHG:
		return true;
	default:
		imm &= ~BPF_FETCH;
		return imm == BPF_ADD || imm == BPF_AND || imm == BPF_OR || imm == BPF_XOR;
	}
}

/* The register that gets the old value, or -1. */
static s32 atomic_result(const struct bpf_insn *insn)
{
	if (!(insn->imm & BPF_FETCH))
		return -1;
	return insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg;
}

int check_atomic(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	s32 result = atomic_result(insn);
	u32 size = BPF_SIZE(insn->code);
	int err;

	if (!atomic_op_known(insn->imm)) {
		verbose(env, "BPF_ATOMIC uses invalid atomic opcode %02x\n", (u32)insn->imm);
		return -EINVAL;
	}
	if (size != BPF_W && size != BPF_DW) {
		verbose(env, "invalid atomic operand size\n");
		return -EINVAL;
	}
	err = check_atomic_operands(env, insn);
	if (!err && result >= 0)
		err = check_reg_arg(env, (u32)result, DST_OP);
	/* twice: what is there must be readable, whoever wants it */
	err = err ?: check_mem_access(env, env->insn_idx, insn->dst_reg, insn->off, size, BPF_READ,
				      -1, true, false);
	if (!err && result >= 0)
		err = check_mem_access(env, env->insn_idx, insn->dst_reg, insn->off, size,
				       BPF_READ, result, true, false);
	err = err ?: save_aux_ptr_type(env, reg_state(env, insn->dst_reg)->type, false);
	return err ?: check_mem_access(env, env->insn_idx, insn->dst_reg, insn->off, size,
				       BPF_WRITE, -1, true, false);
}
