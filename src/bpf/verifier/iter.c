// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open-coded iterators: bpf_iter_<type>_new(), _next() and _destroy() on some
 * slots of the stack, the first of which owns a reference.
 *
 * next() is a fork: on one path it returns NULL, and the iterator is drained;
 * on the other it goes on. A loop over an iterator has been seen whole when a
 * state comes to next() again that an earlier one covers; numbers that change
 * from turn to turn are forgotten on the way, so that this happens.
 */
#include <errno.h>
#include <string.h>

#include "call_internal.h"

#define ITER_PREFIX "bpf_iter_"

static s32 iter_get_spi(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, u32 nr_slots)
{
	return stack_slot_obj_get_spi(env, reg, "iter", nr_slots);
}

/* Slots spi, spi - 1... */
static u64 slots_of(s32 spi, u32 nr_slots)
{
	return ((1ULL << nr_slots) - 1) << (spi + 1 - (s32)nr_slots);
}

static struct bpf_reg_state *iter_of(struct bpf_verifier_state *st, s32 spi, u32 frameno)
{
	return &st->frame[frameno]->stack[spi].spilled_ptr;
}

const struct bpf_reg_state *iter_state_of(const struct bpf_verifier_state *st, s32 spi,
					  u32 frameno)
{
	return &st->frame[frameno]->stack[spi].spilled_ptr;
}

/* --- slots ---------------------------------------------------------------------- */

static int mark_slots(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, u32 insn_idx,
		      const struct bpf_kfunc_desc *desc, u32 nr_slots)
{
	struct bpf_func_state *func = reg_func(env, reg);
	s32 spi = iter_get_spi(env, reg, nr_slots);
	u32 id, type = PTR_TO_STACK; /* there is no type of its own */

	if (spi < 0)
		return spi;
	id = acquire_reference(env, insn_idx);
	if (desc->kfunc->flags & KF_RCU_PROTECTED)
		type |= in_rcu_cs(env) ? MEM_RCU : PTR_UNTRUSTED;
	for (u32 i = 0; i < nr_slots; i++) {
		struct bpf_stack_state *slot = &func->stack[spi - (s32)i];
		struct bpf_reg_state *st = &slot->spilled_ptr;

		st->type = type;
		reg_mark_known_zero(st);
		st->ref_obj_id = i ? 0 : id;
		st->iter.btf = bpf_kernel_btf();
		st->iter.btf_id = desc->args[0].btf_id;
		st->iter.state = BPF_ITER_STATE_ACTIVE;
		memset(slot->slot_type, STACK_ITER, BPF_REG_SIZE);
		mark_stack_slot_scratched(env, (u32)spi - i);
	}
	mark_stack_slots_written(env, reg->frameno, slots_of(spi, nr_slots));
	return 0;
}

static int unmark_slots(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, s32 spi,
			u32 nr_slots)
{
	struct bpf_func_state *func = reg_func(env, reg);
	int err = release_reference(env, func->stack[spi].spilled_ptr.ref_obj_id);

	if (err)
		return err;
	for (u32 i = 0; i < nr_slots; i++) {
		struct bpf_stack_state *slot = &func->stack[spi - (s32)i];

		reg_mark_not_init(&slot->spilled_ptr);
		memset(slot->slot_type, STACK_INVALID, BPF_REG_SIZE);
		mark_stack_slot_scratched(env, (u32)spi - i);
	}
	mark_stack_slots_written(env, reg->frameno, slots_of(spi, nr_slots));
	return 0;
}

static bool is_valid_uninit(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			    u32 nr_slots)
{
	const struct bpf_func_state *func = reg_func(env, reg);
	s32 spi = iter_get_spi(env, reg, nr_slots);

	/* -ERANGE: the stack is not that deep yet; the stores that follow grow it */
	if (spi < 0)
		return spi == -ERANGE;
	for (u32 i = 0; i < nr_slots; i++)
		if (memchr(func->stack[spi - (s32)i].slot_type, STACK_ITER, BPF_REG_SIZE))
			return false;
	return true;
}

static int check_slot(const struct bpf_stack_state *slot, u32 btf_id, bool first)
{
	const struct bpf_reg_state *st = &slot->spilled_ptr;

	if (slot->slot_type[0] != STACK_ITER)
		return -EINVAL;
	if (st->type & PTR_UNTRUSTED)
		return -EPROTO;
	/* the first slot has the reference: two iterators are not mixed */
	if (first != !!st->ref_obj_id || st->iter.btf != bpf_kernel_btf() ||
	    st->iter.btf_id != btf_id)
		return -EINVAL;
	return 0;
}

/* 0; -EINVAL: there is none; -EPROTO: the RCU section that it needs has ended. */
static int check_init(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, u32 btf_id,
		      u32 nr_slots)
{
	const struct bpf_func_state *func = reg_func(env, reg);
	s32 spi = iter_get_spi(env, reg, nr_slots);
	int err = 0;

	if (spi < 0)
		return -EINVAL;
	for (u32 i = 0; i < nr_slots && !err; i++)
		err = check_slot(&func->stack[spi - (s32)i], btf_id, !i);
	return err;
}

void invalidate_rcu_iters(struct bpf_verifier_env *env)
{
	struct bpf_verifier_state *st = env->cur;

	for (u32 f = 0; f <= st->curframe; f++) {
		struct bpf_func_state *func = st->frame[f];

		for (u32 i = 0; i < func->allocated_stack / BPF_REG_SIZE; i++) {
			struct bpf_reg_state *reg = &func->stack[i].spilled_ptr;

			if (func->stack[i].slot_type[0] != STACK_ITER || !(reg->type & MEM_RCU))
				continue;
			reg->type &= ~MEM_RCU;
			reg->type |= PTR_UNTRUSTED;
		}
	}
}

/* --- arguments ------------------------------------------------------------------ */

static int process_new(struct bpf_verifier_env *env, u32 regno, u32 insn_idx,
		       const struct bpf_kfunc_desc *desc, u32 nr_slots)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	u32 btf_id = desc->args[regno - 1].btf_id;
	int err = 0;

	if (!is_valid_uninit(env, reg, nr_slots)) {
		verbose(env, "expected uninitialized iter_%s as arg #%u\n",
			iter_type_str(bpf_kernel_btf(), btf_id), regno - 1);
		return -EINVAL;
	}
	for (u32 i = 0; i < nr_slots && !err; i++)
		err = check_mem_access(env, insn_idx, regno, (s32)i * BPF_REG_SIZE, BPF_DW,
				       BPF_WRITE, -1, false, false);
	return err ?: mark_slots(env, reg, insn_idx, desc, nr_slots);
}

static int process_init(struct bpf_verifier_env *env, u32 regno,
			const struct bpf_kfunc_desc *desc, u32 nr_slots, s32 *spi, u32 *frameno)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	u32 btf_id = desc->args[regno - 1].btf_id;
	int err = check_init(env, reg, btf_id, nr_slots);

	if (err == -EPROTO) {
		verbose(env, "expected an RCU CS when using %s\n", desc->kfunc->name);
		return err;
	}
	if (err) {
		verbose(env, "expected an initialized iter_%s as arg #%u\n",
			iter_type_str(bpf_kernel_btf(), btf_id), regno - 1);
		return err;
	}
	*spi = iter_get_spi(env, reg, nr_slots);
	*frameno = reg->frameno;
	mark_stack_slots_read(env, reg->frameno, slots_of(*spi, nr_slots));
	if (desc->kfunc->flags & KF_ITER_DESTROY)
		return unmark_slots(env, reg, *spi, nr_slots);
	return 0;
}

int process_iter_arg(struct bpf_verifier_env *env, u32 regno, u32 insn_idx,
		     const struct bpf_kfunc_desc *desc, s32 *spi, u32 *frameno)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	const struct bpf_kfunc_arg *arg = &desc->args[regno - 1];
	u32 nr_slots = arg->size / BPF_REG_SIZE;

	if (reg->type != PTR_TO_STACK) {
		verbose(env, "arg#%u expected pointer to an iterator on stack\n", regno - 1);
		return -EINVAL;
	}
	if (!nr_slots || strncmp(type_name(bpf_kernel_btf(), arg->btf_id), ITER_PREFIX,
				 strlen(ITER_PREFIX))) {
		verbose(env, "expected valid iter pointer as arg #%u\n", regno - 1);
		return -EINVAL;
	}
	if (desc->kfunc->flags & KF_ITER_NEW)
		return process_new(env, regno, insn_idx, desc, nr_slots);
	return process_init(env, regno, desc, nr_slots, spi, frameno);
}

/* --- next() --------------------------------------------------------------------- */

/* The path on which there is another element. */
static int push_active(struct bpf_verifier_env *env, u32 insn_idx, s32 spi, u32 frameno)
{
	struct bpf_verifier_state *st = env->cur, *prev, *queued;

	if (!st->parent || st->parent->insn_idx != insn_idx) {
		verbose(env, "bug: bad parent state for iter next call");
		return -EFAULT;
	}
	/* not the checkpoint that was made just now, here */
	prev = find_prev_entry(env, st->parent, insn_idx);
	queued = push_stack(env, insn_idx + 1, insn_idx);
	if (!queued)
		return -E2BIG;
	iter_of(queued, spi, frameno)->iter.depth++;
	if (prev)
		widen_imprecise_scalars(env, prev, queued);
	cur_func_of(queued)->regs[BPF_REG_0].type &= ~PTR_MAYBE_NULL;
	return 0;
}

int process_iter_next_call(struct bpf_verifier_env *env, u32 insn_idx, s32 spi, u32 frameno)
{
	struct bpf_reg_state *iter = iter_of(env->cur, spi, frameno);
	int err = 0;

	VRT_ASSERT(iter->iter.state != BPF_ITER_STATE_INVALID);
	if (iter->iter.state == BPF_ITER_STATE_ACTIVE)
		err = push_active(env, insn_idx, spi, frameno);
	if (err)
		return err;
	iter->iter.state = BPF_ITER_STATE_DRAINED;
	reg_mark_known(&cur_regs(env)[BPF_REG_0], 0);
	return 0;
}
