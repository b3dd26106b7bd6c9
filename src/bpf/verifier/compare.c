// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does an old state cover the current one: was everything that may happen from
 * the current one on followed from the old one on? Then the old one knew no more
 * of any register or slot that is used later.
 *
 * Old ids stand for whatever was of one origin; which numbers they are does not
 * matter, but what was the same must be the same, and what was different,
 * different.
 */
#include <stdint.h>
#include <string.h>

#include "prune.h"

/* --- ids -------------------------------------------------------------------------- */

static bool check_ids(struct idmap *idmap, u32 old, u32 cur)
{
	u32 i;

	if (!old || !cur)
		return !old && !cur;
	for (i = 0; i < idmap->cnt; i++) {
		if (idmap->map[i].old == old)
			return idmap->map[i].cur == cur;
		if (idmap->map[i].cur == cur)
			return false;
	}
	if (idmap->cnt == IDMAP_SIZE)
		return false;
	idmap->map[idmap->cnt].old = old;
	idmap->map[idmap->cnt++].cur = cur;
	return true;
}

/*
 * Numbers that had nothing to do with each other may be tied together now: that
 * is only more knowledge. Those that were tied must be: a number without an id is
 * tied to nothing, which a fresh id says.
 */
static bool check_scalar_ids(struct idmap *idmap, u32 old, u32 cur)
{
	if (!old)
		return true;
	if (!cur)
		cur = ++idmap->tmp_id;
	if (!check_ids(idmap, old, cur))
		return false;
	/* equal but for a constant: to the same number */
	return !(old & BPF_ADD_CONST) ||
	       check_ids(idmap, old & ~BPF_ADD_CONST, cur & ~BPF_ADD_CONST);
}

/* --- registers -------------------------------------------------------------------- */

static bool range_within(const struct bpf_scalar *old, const struct bpf_scalar *cur)
{
	return old->umin_value <= cur->umin_value && old->umax_value >= cur->umax_value &&
	       old->smin_value <= cur->smin_value && old->smax_value >= cur->smax_value &&
	       old->u32_min_value <= cur->u32_min_value &&
	       old->u32_max_value >= cur->u32_max_value &&
	       old->s32_min_value <= cur->s32_min_value &&
	       old->s32_max_value >= cur->s32_max_value &&
	       tnum_in(old->var_off, cur->var_off);
}

static bool scalars_equal(const struct bpf_scalar *a, const struct bpf_scalar *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* All but the variable part and ids. */
static bool same_kind(const struct bpf_reg_state *old, const struct bpf_reg_state *cur)
{
	return old->type == cur->type && old->off == cur->off && old->raw[0] == cur->raw[0] &&
	       old->raw[1] == cur->raw[1];
}

static bool same_ids(struct idmap *idmap, const struct bpf_reg_state *old,
		     const struct bpf_reg_state *cur)
{
	return check_ids(idmap, old->id, cur->id) &&
	       check_ids(idmap, old->ref_obj_id, cur->ref_obj_id);
}

static bool regs_exact(struct idmap *idmap, const struct bpf_reg_state *old,
		       const struct bpf_reg_state *cur)
{
	return same_kind(old, cur) && scalars_equal(&old->s, &cur->s) &&
	       same_ids(idmap, old, cur);
}

bool regs_same(const struct bpf_reg_state *a, const struct bpf_reg_state *b)
{
	return same_kind(a, b) && scalars_equal(&a->s, &b->s) && a->id == b->id &&
	       a->ref_obj_id == b->ref_obj_id;
}

static bool scalar_safe(struct idmap *idmap, const struct bpf_reg_state *old,
			const struct bpf_reg_state *cur, enum exact_level level)
{
	if (level == NOT_EXACT && !old->precise)
		return true;
	if (old->id && (old->id & BPF_ADD_CONST) != (cur->id & BPF_ADD_CONST))
		return false;
	if (old->id & BPF_ADD_CONST && old->off != cur->off)
		return false;
	return check_scalar_ids(idmap, old->id, cur->id) && range_within(&old->s, &cur->s);
}

static bool packet_safe(struct idmap *idmap, const struct bpf_reg_state *old,
			const struct bpf_reg_state *cur)
{
	/* at least as many bytes are known to be there; AT_PKT_END and so on are no sizes */
	if (old->range < 0 || cur->range < 0 ? old->range != cur->range : old->range > cur->range)
		return false;
	return old->off == cur->off && check_ids(idmap, old->id, cur->id) &&
	       range_within(&old->s, &cur->s);
}

static bool reg_safe(struct idmap *idmap, const struct bpf_reg_state *old,
		     const struct bpf_reg_state *cur, enum exact_level level)
{
	if (level == EXACT)
		return regs_exact(idmap, old, cur);
	if (old->type == NOT_INIT) /* it cannot have been read */
		return true;
	if (old->type != cur->type)
		return false;
	switch (base_type(old->type)) {
	case SCALAR_VALUE:
		return scalar_safe(idmap, old, cur, level);
	case PTR_TO_MAP_KEY:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MEM:
	case PTR_TO_BUF:
	case PTR_TO_TP_BUFFER:
		return same_kind(old, cur) && range_within(&old->s, &cur->s) &&
		       same_ids(idmap, old, cur);
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
		return packet_safe(idmap, old, cur);
	case PTR_TO_STACK:
		return old->frameno == cur->frameno && regs_exact(idmap, old, cur);
	case PTR_TO_ARENA:
		return true;
	default:
		return regs_exact(idmap, old, cur);
	}
}

/* --- slots ------------------------------------------------------------------------ */

/* What a load of bytes gives of which nothing is known. */
static const struct bpf_reg_state unknown_reg = {
	.type = SCALAR_VALUE,
	.s = {
		.var_off = { 0, UINT64_MAX },
		.smin_value = INT64_MIN,
		.smax_value = INT64_MAX,
		.umax_value = UINT64_MAX,
		.s32_min_value = INT32_MIN,
		.s32_max_value = INT32_MAX,
		.u32_max_value = UINT32_MAX,
	},
};

/* Anything may be there: programs may read what nobody has written. */
static bool is_anything(u8 slot_type)
{
	return slot_type == STACK_INVALID || slot_type == STACK_MISC;
}

static bool is_all_anything(const struct bpf_stack_state *slot)
{
	for (u32 j = 0; j < BPF_REG_SIZE; j++)
		if (!is_anything(slot->slot_type[j]))
			return false;
	return true;
}

/* The number that a load of all 8 bytes gives; NULL: it is not just one. */
static const struct bpf_reg_state *scalar_of_slot(const struct bpf_stack_state *slot)
{
	if (is_spilled_scalar_reg64(slot))
		return &slot->spilled_ptr;
	return is_all_anything(slot) ? &unknown_reg : NULL;
}

/* Slots that hold the same kind of thing. */
static bool content_safe(struct idmap *idmap, u8 slot_type, const struct bpf_reg_state *old,
			 const struct bpf_reg_state *cur, enum exact_level level)
{
	switch (slot_type) {
	case STACK_SPILL:
		return reg_safe(idmap, old, cur, level);
	case STACK_DYNPTR:
		return old->dynptr.type == cur->dynptr.type &&
		       old->dynptr.first_slot == cur->dynptr.first_slot &&
		       check_ids(idmap, old->ref_obj_id, cur->ref_obj_id);
	case STACK_ITER:
		/* how often next was called tells paths apart, not futures */
		return old->type == cur->type && old->iter.btf == cur->iter.btf &&
		       old->iter.btf_id == cur->iter.btf_id && old->iter.state == cur->iter.state &&
		       check_ids(idmap, old->ref_obj_id, cur->ref_obj_id);
	default:
		return true;
	}
}

/* @cur NULL: the slot was never used. */
static bool slot_safe(struct idmap *idmap, const struct bpf_stack_state *old,
		      const struct bpf_stack_state *cur, enum exact_level level)
{
	const struct bpf_reg_state *old_scalar, *cur_scalar;

	if (level == EXACT && (!cur || memcmp(old->slot_type, cur->slot_type, BPF_REG_SIZE)))
		return false;
	if (is_all_anything(old))
		return true;
	if (!cur)
		return false;
	old_scalar = scalar_of_slot(old);
	cur_scalar = scalar_of_slot(cur);
	if (old_scalar && cur_scalar)
		return reg_safe(idmap, old_scalar, cur_scalar, level);
	for (u32 j = 0; j < BPF_REG_SIZE; j++)
		if (!is_anything(old->slot_type[j]) && old->slot_type[j] != cur->slot_type[j])
			return false;
	return content_safe(idmap, old->slot_type[BPF_REG_SIZE - 1], &old->spilled_ptr,
			    &cur->spilled_ptr, level);
}

/* --- states ----------------------------------------------------------------------- */

static bool funcs_equal(struct idmap *idmap, const struct bpf_func_state *old,
			const struct bpf_func_state *cur, u16 live_regs, enum exact_level level)
{
	u32 slots = cur->allocated_stack / BPF_REG_SIZE, i;

	/* a callback that has been entered more often is closer to its last time */
	if (old->callback_depth > cur->callback_depth)
		return false;
	for (i = 0; i < MAX_BPF_REG_NR; i++)
		if (live_regs >> i & 1 && !reg_safe(idmap, &old->regs[i], &cur->regs[i], level))
			return false;
	for (i = 0; i < old->allocated_stack / BPF_REG_SIZE; i++)
		if (!slot_safe(idmap, &old->stack[i], i < slots ? &cur->stack[i] : NULL, level))
			return false;
	return true;
}

static bool refs_equal(struct idmap *idmap, const struct bpf_verifier_state *old,
		       const struct bpf_verifier_state *cur)
{
	if (old->nr_refs != cur->nr_refs || old->active_locks != cur->active_locks ||
	    old->active_preempt_locks != cur->active_preempt_locks ||
	    old->active_rcu_lock != cur->active_rcu_lock ||
	    old->active_lock_ptr != cur->active_lock_ptr ||
	    !check_ids(idmap, old->active_lock_id, cur->active_lock_id))
		return false;
	for (u32 i = 0; i < old->nr_refs; i++)
		if (old->refs[i].type != cur->refs[i].type ||
		    old->refs[i].ptr != cur->refs[i].ptr ||
		    !check_ids(idmap, old->refs[i].id, cur->refs[i].id))
			return false;
	return true;
}

bool same_callsites(const struct bpf_verifier_state *a, const struct bpf_verifier_state *b)
{
	if (a->curframe != b->curframe)
		return false;
	for (u32 f = 0; f <= a->curframe; f++)
		if (a->frame[f]->callsite != b->frame[f]->callsite)
			return false;
	return true;
}

bool states_equal(struct bpf_verifier_env *env, const struct bpf_verifier_state *old,
		  const struct bpf_verifier_state *cur, enum exact_level level)
{
	struct idmap *idmap = &env->prune->idmap;

	idmap->cnt = 0;
	idmap->tmp_id = env->id_gen;
	if (!same_callsites(old, cur) || old->in_sleepable != cur->in_sleepable ||
	    !refs_equal(idmap, old, cur))
		return false;
	for (u32 f = 0; f <= old->curframe; f++)
		if (!funcs_equal(idmap, old->frame[f], cur->frame[f],
				 env->aux[frame_insn_idx(old, f)].live_regs, level))
			return false;
	return true;
}

/* --- convergence ------------------------------------------------------------------ */

static void widen(const struct bpf_reg_state *old, struct bpf_reg_state *cur)
{
	if (old->type == SCALAR_VALUE && cur->type == SCALAR_VALUE && !old->precise &&
	    !cur->precise && !scalars_equal(&old->s, &cur->s))
		reg_mark_unknown(cur);
}

int widen_imprecise_scalars(struct bpf_verifier_env *env, struct bpf_verifier_state *old,
			    struct bpf_verifier_state *cur)
{
	u32 i;

	(void)env;
	for (u32 f = 0; f <= old->curframe; f++) {
		struct bpf_func_state *a = old->frame[f], *b = cur->frame[f];

		for (i = 0; i < MAX_BPF_REG_NR; i++)
			widen(&a->regs[i], &b->regs[i]);
		for (i = 0; i < min(a->allocated_stack, b->allocated_stack) / BPF_REG_SIZE; i++)
			if (is_spilled_reg(&a->stack[i]) && is_spilled_reg(&b->stack[i]))
				widen(&a->stack[i].spilled_ptr, &b->stack[i].spilled_ptr);
	}
	return 0;
}
