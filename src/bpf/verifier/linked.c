// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers that are equal, or differ by a constant, because one was made from the
 * other (alu.c gives them ids). What a comparison teaches of one holds for all.
 */
#include "branch.h"

static u32 base_id(u32 id)
{
	return id & ~BPF_ADD_CONST;
}

static void collect_one(struct linked_regs *linked, struct bpf_reg_state *reg, u32 id,
			struct linked_reg where)
{
	if (reg->type != SCALAR_VALUE || base_id(reg->id) != id)
		return;
	if (linked->cnt < LINKED_REGS_MAX) {
		linked->entries[linked->cnt++] = where;
		return;
	}
	/* not told of in the history, so backtracking could not follow it */
	reg->id = 0;
	reg->off = 0;
}

void collect_linked_regs(struct bpf_verifier_state *st, u32 id, struct linked_regs *linked)
{
	for (u32 f = st->curframe + 1; f-- > 0;) {
		struct bpf_func_state *func = st->frame[f];

		for (u32 i = 0; i < BPF_REG_FP; i++)
			collect_one(linked, &func->regs[i], base_id(id),
				    (struct linked_reg){ (u8)f, (u8)i, true });
		for (u32 i = 0; i < func->allocated_stack / BPF_REG_SIZE; i++)
			if (is_spilled_reg(&func->stack[i]))
				collect_one(linked, &func->stack[i].spilled_ptr, base_id(id),
					    (struct linked_reg){ (u8)f, (u8)i, false });
	}
}

/* @reg, of the same id, from what is known now of @known. */
static void sync_one(struct bpf_reg_state *reg, const struct bpf_reg_state *known)
{
	bool sums = (reg->id | known->id) & BPF_ADD_CONST;
	struct bpf_reg_state old = *reg;
	struct bpf_scalar delta;

	*reg = *known;
	if (!sums || old.off == known->off)
		return;
	reg->id = old.id;
	reg->off = old.off;
	scalar_set_const(&delta, (u64)((s64)old.off - known->off));
	scalar_alu(&reg->s, &delta, BPF_ADD, true);
}

void sync_linked_regs(struct bpf_verifier_state *st, struct bpf_reg_state *known,
		      const struct linked_regs *linked)
{
	for (u32 i = 0; i < linked->cnt; i++) {
		const struct linked_reg *where = &linked->entries[i];
		struct bpf_func_state *func = st->frame[where->frameno];
		struct bpf_reg_state *reg = where->is_reg ? &func->regs[where->regno] :
							    &func->stack[where->regno].spilled_ptr;

		if (reg != known && reg->type == SCALAR_VALUE &&
		    base_id(reg->id) == base_id(known->id))
			sync_one(reg, known);
	}
}
