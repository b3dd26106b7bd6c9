// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comparisons teach of pointers: that they are NULL or are not, and how many
 * bytes of a packet are there behind them.
 *
 * Nothing is learned from the low half of an address: that of a good pointer may
 * well be zero.
 */
#include "../map.h"
#include "branch.h"

#define MAX_PACKET_OFF 0xffff

/* --- NULL --------------------------------------------------------------------------- */

static bool never_null_type(const struct bpf_reg_state *reg)
{
	switch (base_type(reg->type)) {
	case PTR_TO_SOCKET:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_XDP_SOCK:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_BUF:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MAP_KEY:
	case CONST_PTR_TO_MAP:
		return true;
	case PTR_TO_MEM:
		return !(reg->type & PTR_UNTRUSTED);
	case PTR_TO_BTF_ID:
		return is_trusted_reg(reg);
	default:
		return false;
	}
}

/* What they point to is never at NULL, but far enough from it they might be. */
static bool reg_not_null(const struct bpf_reg_state *reg)
{
	return !type_may_be_null(reg->type) && reg->s.smin_value > -BPF_MAX_VAR_OFF &&
	       reg->s.smax_value < BPF_MAX_VAR_OFF && never_null_type(reg);
}

static bool has_async_field(const struct bpf_map *map)
{
	return map->record && map->record->field_mask & (BPF_TIMER | BPF_WORKQUEUE);
}

/* Lookups in some maps give something else than the map's values. */
static void mark_map_value_not_null(struct bpf_reg_state *reg)
{
	struct bpf_map *map = reg->map_ptr;

	if (map->inner_meta) {
		reg->type = CONST_PTR_TO_MAP;
		reg->map_ptr = map->inner_meta;
		/* timers remember their map: each lookup may have found another one */
		if (has_async_field(map->inner_meta))
			reg->map_uid = reg->id;
	} else if (map->type == BPF_MAP_TYPE_XSKMAP) {
		reg->type = PTR_TO_XDP_SOCK;
	} else if (map->type == BPF_MAP_TYPE_SOCKMAP || map->type == BPF_MAP_TYPE_SOCKHASH) {
		reg->type = PTR_TO_SOCKET;
	} else {
		reg->type = PTR_TO_MAP_VALUE;
	}
}

static void mark_ptr_not_null(struct bpf_reg_state *reg)
{
	if (base_type(reg->type) == PTR_TO_MAP_VALUE)
		mark_map_value_not_null(reg);
	else
		reg->type &= ~PTR_MAYBE_NULL;
}

static bool may_point_to_spin_lock(const struct bpf_reg_state *reg)
{
	const struct btf_record *record = reg_btf_record(reg);

	return record && record->field_mask & BPF_SPIN_LOCK;
}

/* Objects of lists and trees are found by their node, so they may have an offset before. */
static bool may_be_null_with_offset(u32 type)
{
	return base_type(type) == PTR_TO_BTF_ID && type & MEM_ALLOC;
}

static void mark_ptr_or_null(struct bpf_reg_state *reg, u32 id, bool is_null)
{
	if (!type_may_be_null(reg->type) || reg->id != id || (!id && !is_rcu_reg(reg)))
		return;
	/* arithmetic is not allowed before the check */
	if (!tnum_equals_const(reg->s.var_off, 0) ||
	    (reg->off && !may_be_null_with_offset(reg->type)))
		return;
	if (is_null) {
		reg_mark_known(reg, 0);
		return;
	}
	mark_ptr_not_null(reg);
	/* the id has done its work, but tells one lock from another */
	if (!may_point_to_spin_lock(reg))
		reg->id = 0;
}

/* All pointers from the same place as @regno are (not) NULL. */
static void mark_ptr_or_null_regs(struct bpf_verifier_state *st, u32 regno, bool is_null)
{
	struct bpf_reg_state *reg = branch_reg(st, regno);
	u32 ref_obj_id = reg->ref_obj_id, id = reg->id;
	struct bpf_func_state *func;

	/* there was no object, so there is nothing to give back */
	if (ref_obj_id && ref_obj_id == id && is_null)
		release_reference_nomark(st, id);
	bpf_for_each_reg_in_vstate(st, func, reg, mark_ptr_or_null(reg, id, is_null));
}

/* A pointer that equals one that is not NULL is not NULL. */
static void learn_from_equal(struct bpf_verifier_state *st, const struct bpf_insn *insn)
{
	struct bpf_reg_state *dst = branch_reg(st, insn->dst_reg);
	struct bpf_reg_state *src = branch_reg(st, insn->src_reg);
	bool dst_good = reg_not_null(dst), src_good = reg_not_null(src);

	/* those may be NULL although their type does not say so */
	if (base_type(dst->type) == PTR_TO_BTF_ID || base_type(src->type) == PTR_TO_BTF_ID)
		return;
	if (dst_good && type_may_be_null(src->type))
		mark_ptr_not_null(src);
	if (src_good && type_may_be_null(dst->type))
		mark_ptr_not_null(dst);
}

/* --- packets -------------------------------------------------------------------------- */

static bool is_pkt_pointer_any(const struct bpf_reg_state *reg)
{
	return type_is_pkt_pointer(reg->type) || reg->type == PTR_TO_PACKET_END;
}

/* The start of the packet, which is the end of its meta data. */
static bool is_pkt_start(const struct bpf_reg_state *reg)
{
	return reg->type == PTR_TO_PACKET && !reg->id && !reg->off &&
	       tnum_equals_const(reg->s.var_off, 0);
}

static bool is_end_of(const struct bpf_reg_state *end, const struct bpf_reg_state *pkt)
{
	return (pkt->type == PTR_TO_PACKET && end->type == PTR_TO_PACKET_END) ||
	       (pkt->type == PTR_TO_PACKET_META && is_pkt_start(end));
}

static void find_good_pkt_pointers(struct bpf_verifier_state *st, u32 regno, bool open)
{
	const struct bpf_reg_state pkt = *branch_reg(st, regno);
	s32 range = pkt.off + (open ? 1 : 0);
	struct bpf_func_state *func;
	struct bpf_reg_state *reg;

	if (pkt.off < 0 || (!pkt.off && open))
		return;
	/* so far behind the start that the address may have wrapped */
	if (pkt.s.umax_value > MAX_PACKET_OFF ||
	    pkt.s.umax_value + (u64)pkt.off > MAX_PACKET_OFF)
		return;
	bpf_for_each_reg_in_vstate(st, func, reg, {
		if (reg->type == pkt.type && reg->id == pkt.id)
			reg->range = max(reg->range, range);
	});
}

static void mark_pkt_end(struct bpf_verifier_state *st, u32 regno, s32 range)
{
	struct bpf_reg_state *reg = branch_reg(st, regno);

	if (reg->type == PTR_TO_PACKET)
		reg->range = range;
}

/* "pkt op end": one way the bytes before @regno are there, the other way they end at it. */
static void learn_pkt(const struct branch *br, u32 regno, u8 op)
{
	switch (op) {
	case BPF_JGT:
		find_good_pkt_pointers(br->fall, regno, false);
		mark_pkt_end(br->jump, regno, BEYOND_PKT_END);
		break;
	case BPF_JGE:
		find_good_pkt_pointers(br->fall, regno, true);
		mark_pkt_end(br->jump, regno, AT_PKT_END);
		break;
	case BPF_JLT:
		find_good_pkt_pointers(br->jump, regno, true);
		mark_pkt_end(br->fall, regno, AT_PKT_END);
		break;
	case BPF_JLE:
		find_good_pkt_pointers(br->jump, regno, false);
		mark_pkt_end(br->fall, regno, BEYOND_PKT_END);
		break;
	}
}

static int pkt_is_branch_taken(const struct bpf_reg_state *a, const struct bpf_reg_state *b,
			       u8 op)
{
	const struct bpf_reg_state *pkt = b->type == PTR_TO_PACKET_END ? a : b;
	bool beyond = pkt->range == BEYOND_PKT_END;

	if ((a->type == PTR_TO_PACKET_END) == (b->type == PTR_TO_PACKET_END) || pkt->range >= 0)
		return -1;
	switch (pkt == a ? op : flip_opcode(op)) {
	case BPF_JGE:
		return 1;
	case BPF_JLT:
		return 0;
	case BPF_JGT:
		return beyond ? 1 : -1;
	case BPF_JLE:
		return beyond ? 0 : -1;
	default:
		return -1;
	}
}

/* --- the whole -------------------------------------------------------------------------- */

int ptr_is_branch_taken(const struct bpf_reg_state *a, const struct bpf_reg_state *b, u8 op,
			bool is_jmp32)
{
	const struct bpf_reg_state *ptr = a->type == SCALAR_VALUE ? b : a;
	const struct bpf_reg_state *other = ptr == a ? b : a;

	if (is_jmp32)
		return -1;
	if (is_pkt_pointer_any(a) && is_pkt_pointer_any(b))
		return pkt_is_branch_taken(a, b, op);
	if ((op != BPF_JEQ && op != BPF_JNE) || !register_is_null(other) || !reg_not_null(ptr))
		return -1;
	return op == BPF_JNE;
}

static void learn_from_two(const struct branch *br)
{
	const struct bpf_insn *insn = br->insn;
	const struct bpf_reg_state *dst = branch_reg(br->fall, insn->dst_reg);
	const struct bpf_reg_state *src = branch_reg(br->fall, insn->src_reg);
	u8 op = BPF_OP(insn->code);

	if (dst->type == SCALAR_VALUE || src->type == SCALAR_VALUE)
		return;
	if (op == BPF_JEQ)
		learn_from_equal(br->jump, insn);
	else if (op == BPF_JNE)
		learn_from_equal(br->fall, insn);
	else if (is_end_of(src, dst))
		learn_pkt(br, insn->dst_reg, op);
	else if (is_end_of(dst, src))
		learn_pkt(br, insn->src_reg, flip_opcode(op));
}

void branch_learn_ptrs(struct bpf_verifier_env *env, const struct branch *br)
{
	const struct bpf_insn *insn = br->insn;
	u8 op = BPF_OP(insn->code);

	if (BPF_CLASS(insn->code) == BPF_JMP32)
		return;
	if (BPF_SRC(insn->code) == BPF_X) {
		learn_from_two(br);
		return;
	}
	if (insn->imm || (op != BPF_JEQ && op != BPF_JNE) ||
	    !type_may_be_null(branch_reg(br->fall, insn->dst_reg)->type))
		return;
	mark_ptr_or_null_regs(br->fall, insn->dst_reg, op == BPF_JNE);
	mark_ptr_or_null_regs(br->jump, insn->dst_reg, op == BPF_JEQ);
}
