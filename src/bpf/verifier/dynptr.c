// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dynptrs: two slots of the stack that stand for memory whose bounds are known
 * when the program runs. Both slots are STACK_DYNPTR in all their bytes or in
 * none; the one at the higher index (the lower address) is the first. Slices
 * of a dynptr (bpf_dynptr_data() and so on) carry its id, and end with it.
 *
 * Dynptrs of ring buffers own a reference; clones share it.
 */
#include <errno.h>
#include <string.h>

#include "call_internal.h"

#define BPF_DYNPTR_NR_SLOTS 2

/* --- types ---------------------------------------------------------------------- */

static enum bpf_dynptr_type arg_to_dynptr_type(u32 arg_type)
{
	switch (arg_type & DYNPTR_TYPE_MASK) {
	case DYNPTR_TYPE_LOCAL:
		return BPF_DYNPTR_LOCAL;
	case DYNPTR_TYPE_RINGBUF:
		return BPF_DYNPTR_RINGBUF;
	case DYNPTR_TYPE_SKB:
		return BPF_DYNPTR_SKB;
	case DYNPTR_TYPE_XDP:
		return BPF_DYNPTR_XDP;
	default:
		return BPF_DYNPTR_INVALID;
	}
}

u32 dynptr_type_flag(enum bpf_dynptr_type type)
{
	switch (type) {
	case BPF_DYNPTR_LOCAL:
		return DYNPTR_TYPE_LOCAL;
	case BPF_DYNPTR_RINGBUF:
		return DYNPTR_TYPE_RINGBUF;
	case BPF_DYNPTR_SKB:
		return DYNPTR_TYPE_SKB;
	case BPF_DYNPTR_XDP:
		return DYNPTR_TYPE_XDP;
	default:
		return 0;
	}
}

static bool is_refcounted(enum bpf_dynptr_type type)
{
	return type == BPF_DYNPTR_RINGBUF;
}

/* --- slots ---------------------------------------------------------------------- */

static s32 dynptr_get_spi(struct bpf_verifier_env *env, const struct bpf_reg_state *reg)
{
	return stack_slot_obj_get_spi(env, reg, "dynptr", BPF_DYNPTR_NR_SLOTS);
}

static u64 slots_of(s32 spi)
{
	return 3ULL << (spi - 1);
}

void mark_dynptr_reg(struct bpf_reg_state *reg, enum bpf_dynptr_type type, bool first_slot,
		     u32 dynptr_id)
{
	reg->type = CONST_PTR_TO_DYNPTR;
	reg_mark_known_zero(reg);
	reg->id = dynptr_id;
	reg->dynptr.type = type;
	reg->dynptr.first_slot = first_slot;
}

static void set_slots(struct bpf_func_state *func, s32 spi, u8 type)
{
	memset(func->stack[spi].slot_type, type, BPF_REG_SIZE);
	memset(func->stack[spi - 1].slot_type, type, BPF_REG_SIZE);
}

static void forget_slots(struct bpf_verifier_env *env, struct bpf_func_state *func, s32 spi)
{
	set_slots(func, spi, STACK_INVALID);
	reg_mark_not_init(&func->stack[spi].spilled_ptr);
	reg_mark_not_init(&func->stack[spi - 1].spilled_ptr);
	mark_stack_slot_scratched(env, (u32)spi);
	mark_stack_slot_scratched(env, (u32)spi - 1);
	mark_stack_slots_written(env, func->frameno, slots_of(spi));
}

/* Slices of a dynptr that is not there any more are plain numbers. */
static void invalidate_slices(struct bpf_verifier_env *env, u32 dynptr_id)
{
	struct bpf_func_state *func;
	struct bpf_reg_state *reg;

	bpf_for_each_reg_in_vstate(env->cur, func, reg, {
		if (base_type(reg->type) == PTR_TO_MEM && reg->dynptr_id == dynptr_id)
			reg_mark_unknown(reg);
	});
}

int destroy_if_dynptr_stack_slot(struct bpf_verifier_env *env, struct bpf_func_state *func,
				 s32 spi)
{
	u32 id;

	if (func->stack[spi].slot_type[0] != STACK_DYNPTR)
		return 0;
	if (!func->stack[spi].spilled_ptr.dynptr.first_slot)
		spi++;
	if (is_refcounted(func->stack[spi].spilled_ptr.dynptr.type)) {
		verbose(env, "cannot overwrite referenced dynptr\n");
		return -EINVAL;
	}
	id = func->stack[spi].spilled_ptr.id;
	forget_slots(env, func, spi);
	invalidate_slices(env, id);
	return 0;
}

int mark_stack_slots_dynptr(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			    enum bpf_dynptr_type type, u32 insn_idx, u32 clone_ref_obj_id)
{
	struct bpf_func_state *func = reg_func(env, reg);
	s32 spi = dynptr_get_spi(env, reg);
	u32 id, ref = 0;
	int err;

	if (spi < 0)
		return spi;
	/* the slots may be halves of two others */
	err = destroy_if_dynptr_stack_slot(env, func, spi);
	err = err ?: destroy_if_dynptr_stack_slot(env, func, spi - 1);
	if (err)
		return err;
	if (type == BPF_DYNPTR_INVALID)
		return -EINVAL;
	id = ++env->id_gen;
	set_slots(func, spi, STACK_DYNPTR);
	mark_dynptr_reg(&func->stack[spi].spilled_ptr, type, true, id);
	mark_dynptr_reg(&func->stack[spi - 1].spilled_ptr, type, false, id);
	if (is_refcounted(type))
		ref = clone_ref_obj_id ? clone_ref_obj_id : acquire_reference(env, insn_idx);
	func->stack[spi].spilled_ptr.ref_obj_id = ref;
	func->stack[spi - 1].spilled_ptr.ref_obj_id = ref;
	mark_stack_slot_scratched(env, (u32)spi);
	mark_stack_slot_scratched(env, (u32)spi - 1);
	mark_stack_slots_written(env, reg->frameno, slots_of(spi));
	return 0;
}

/* In any frame: clones may be anywhere. */
static void forget_clones(struct bpf_verifier_env *env, u32 ref_obj_id)
{
	struct bpf_verifier_state *st = env->cur;

	for (u32 f = 0; f <= st->curframe; f++) {
		struct bpf_func_state *func = st->frame[f];

		for (s32 i = 1; i < (s32)(func->allocated_stack / BPF_REG_SIZE); i++) {
			const struct bpf_stack_state *slot = &func->stack[i];

			if (slot->slot_type[0] == STACK_DYNPTR &&
			    slot->spilled_ptr.ref_obj_id == ref_obj_id &&
			    slot->spilled_ptr.dynptr.first_slot)
				forget_slots(env, func, i);
		}
	}
}

int unmark_stack_slots_dynptr(struct bpf_verifier_env *env, const struct bpf_reg_state *reg)
{
	struct bpf_func_state *func = reg_func(env, reg);
	s32 spi = dynptr_get_spi(env, reg);
	u32 ref, id;
	int err;

	if (spi < 0)
		return spi;
	ref = func->stack[spi].spilled_ptr.ref_obj_id;
	id = func->stack[spi].spilled_ptr.id;
	if (!is_refcounted(func->stack[spi].spilled_ptr.dynptr.type)) {
		forget_slots(env, func, spi);
		invalidate_slices(env, id);
		return 0;
	}
	/* with the reference go the slices of all that share it */
	err = release_reference(env, ref);
	if (!err)
		forget_clones(env, ref);
	return err;
}

/* --- arguments ------------------------------------------------------------------ */

static bool is_valid_uninit(struct bpf_verifier_env *env, const struct bpf_reg_state *reg)
{
	s32 spi;

	if (reg->type == CONST_PTR_TO_DYNPTR)
		return false;
	spi = dynptr_get_spi(env, reg);
	/* -ERANGE: the stack is not that deep yet; the stores that follow grow it */
	return spi >= 0 || spi == -ERANGE;
}

static bool is_valid_init(struct bpf_verifier_env *env, const struct bpf_reg_state *reg)
{
	const struct bpf_func_state *func;
	s32 spi;

	if (reg->type == CONST_PTR_TO_DYNPTR)
		return true;
	spi = dynptr_get_spi(env, reg);
	if (spi < 0)
		return false;
	func = reg_func(env, reg);
	return func->stack[spi].slot_type[0] == STACK_DYNPTR &&
	       func->stack[spi - 1].slot_type[0] == STACK_DYNPTR &&
	       func->stack[spi].spilled_ptr.dynptr.first_slot;
}

const struct bpf_reg_state *dynptr_of(struct bpf_verifier_env *env,
				      const struct bpf_reg_state *reg)
{
	if (reg->type == CONST_PTR_TO_DYNPTR)
		return reg;
	return &reg_func(env, reg)->stack[dynptr_get_spi(env, reg)].spilled_ptr;
}

static int process_uninit(struct bpf_verifier_env *env, u32 regno, u32 insn_idx, u32 arg_type,
			  u32 clone_ref_obj_id)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	int err = 0;

	if (!is_valid_uninit(env, reg)) {
		verbose(env, "Dynptr has to be an uninitialized dynptr\n");
		return -EINVAL;
	}
	for (s32 i = 0; i < BPF_DYNPTR_NR_SLOTS * BPF_REG_SIZE && !err; i += BPF_REG_SIZE)
		err = check_mem_access(env, insn_idx, regno, i, BPF_DW, BPF_WRITE, -1, false,
				       false);
	return err ?: mark_stack_slots_dynptr(env, reg, arg_to_dynptr_type(arg_type), insn_idx,
					      clone_ref_obj_id);
}

static int process_init(struct bpf_verifier_env *env, u32 regno, u32 arg_type)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	enum bpf_dynptr_type expected = arg_to_dynptr_type(arg_type);

	if (reg->type == CONST_PTR_TO_DYNPTR && !(arg_type & MEM_RDONLY)) {
		verbose(env, "cannot pass pointer to const bpf_dynptr, the helper mutates it\n");
		return -EINVAL;
	}
	if (!is_valid_init(env, reg)) {
		verbose(env, "Expected an initialized dynptr as arg #%u\n", regno - 1);
		return -EINVAL;
	}
	if (expected != BPF_DYNPTR_INVALID && dynptr_of(env, reg)->dynptr.type != expected) {
		verbose(env, "Expected a dynptr of type %s as arg #%u\n",
			dynptr_type_str(expected), regno - 1);
		return -EINVAL;
	}
	if (reg->type != CONST_PTR_TO_DYNPTR)
		mark_stack_slots_read(env, reg->frameno, slots_of(dynptr_get_spi(env, reg)));
	return 0;
}

int process_dynptr_func(struct bpf_verifier_env *env, u32 regno, u32 insn_idx, u32 arg_type,
			u32 clone_ref_obj_id)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);

	if (reg->type != PTR_TO_STACK && reg->type != CONST_PTR_TO_DYNPTR) {
		verbose(env, "arg#%u expected pointer to stack or const struct bpf_dynptr\n",
			regno - 1);
		return -EINVAL;
	}
	VRT_ASSERT((arg_type & (MEM_UNINIT | MEM_RDONLY)) != (MEM_UNINIT | MEM_RDONLY));
	if (arg_type & MEM_UNINIT)
		return process_uninit(env, regno, insn_idx, arg_type, clone_ref_obj_id);
	return process_init(env, regno, arg_type);
}
