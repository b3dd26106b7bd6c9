// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads and stores on the stack, of the program and of what it calls. A spilled
 * register comes back as it was; anything else that is stored is bytes of which
 * it is known at most that they are zero.
 *
 * Whoever may read kernel memory anyway may read what nobody wrote: bytes that
 * are STACK_INVALID read as anything. Pointers are never made of bytes: a slot
 * that is written in part, or at an unknown place, forgets what was spilled.
 */
#include <errno.h>
#include <stdio.h>

#include "verifier.h"

static u32 spi_of(s32 off)
{
	return (u32)(-off - 1) / BPF_REG_SIZE;
}

/* Of the byte at fp + @off. */
static u8 *slot_byte(const struct bpf_func_state *func, s32 off)
{
	u32 slot = (u32)(-off - 1);

	VRT_ASSERT(slot < func->allocated_stack);
	return &func->stack[slot / BPF_REG_SIZE].slot_type[slot % BPF_REG_SIZE];
}

/* Bytes from fp + @min_off on may be used as they are. */
static void note_use(struct bpf_verifier_env *env, const struct bpf_func_state *func, s32 min_off,
		     s32 max_off)
{
	for (s32 i = min_off; i < max_off; i++)
		if (*slot_byte(func, i) == STACK_INVALID)
			facts_of_unwritten(env, func);
}

static u64 slots_mask(s32 min_off, s32 max_off)
{
	u64 mask = 0;

	if (max_off <= min_off)
		return 0;
	for (u32 spi = spi_of(max_off - 1); spi <= spi_of(min_off); spi++)
		mask |= 1ULL << spi;
	return mask;
}

struct bpf_func_state *reg_func(struct bpf_verifier_env *env, const struct bpf_reg_state *reg)
{
	VRT_ASSERT(reg->frameno <= env->cur->curframe);
	return env->cur->frame[reg->frameno];
}

bool is_spi_bounds_valid(const struct bpf_func_state *func, s32 spi, u32 nr_slots)
{
	s32 allocated = (s32)(func->allocated_stack / BPF_REG_SIZE);

	/* slots go down: spi is the highest of them */
	return spi - (s32)nr_slots + 1 >= 0 && spi < allocated;
}

int stack_slot_obj_get_spi(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			   const char *obj_kind, u32 nr_slots)
{
	s32 off, spi;

	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env, "%s has to be at a constant offset\n", obj_kind);
		return -EINVAL;
	}
	off = reg->off + (s32)reg->s.var_off.value;
	if (off % BPF_REG_SIZE || off >= 0 || off < -BPF_STACK_SIZE) {
		verbose(env, "cannot pass in %s at an offset=%d\n", obj_kind, off);
		return -EINVAL;
	}
	spi = (s32)spi_of(off);
	if (spi + 1 < (s32)nr_slots) {
		verbose(env, "cannot pass in %s at an offset=%d\n", obj_kind, off);
		return -EINVAL;
	}
	return is_spi_bounds_valid(reg_func(env, reg), spi, nr_slots) ? spi : -ERANGE;
}

/* --- bounds -------------------------------------------------------------------- */

static void var_off_str(const struct bpf_reg_state *reg, char *buf, size_t size)
{
	snprintf(buf, size, "(0x%llx; 0x%llx)", (unsigned long long)reg->s.var_off.value,
		 (unsigned long long)reg->s.var_off.mask);
}

/* The bytes that an access can touch, relative to the frame's top. */
static int access_range(struct bpf_verifier_env *env, u32 regno, s32 off, const char *what,
			s64 *min_off, s64 *max_off)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);

	if (tnum_is_const(reg->s.var_off)) {
		*min_off = *max_off = (s64)reg->s.var_off.value + off;
		return 0;
	}
	if (reg->s.smax_value >= BPF_MAX_VAR_OFF || reg->s.smin_value <= -BPF_MAX_VAR_OFF) {
		verbose(env, "invalid unbounded variable-offset%s stack R%u\n", what, regno);
		return -EACCES;
	}
	*min_off = reg->s.smin_value + off;
	*max_off = reg->s.smax_value + off;
	return 0;
}

static int within_bounds(struct bpf_verifier_env *env, u32 regno, s32 off, s32 access_size,
			 const char *what)
{
	struct bpf_reg_state *reg = reg_state(env, (int)regno);
	struct bpf_func_state *func = reg_func(env, reg);
	struct bpf_subprog_info *sub = &env->subprogs[func->subprogno];
	s64 min_off, max_off;
	char var_off[48];
	int err;

	err = access_range(env, regno, off, what, &min_off, &max_off);
	if (err)
		return err;
	if (min_off < -BPF_STACK_SIZE || min_off > -1)
		err = -EACCES;
	else if (access_size < 0)
		err = -EFAULT;
	else if (max_off + access_size > 0)
		err = -EINVAL;
	if (!err) {
		func_state_grow(func, (u32)-min_off);
		sub->stack_depth = max(sub->stack_depth, func->allocated_stack);
		return 0;
	}
	if (tnum_is_const(reg->s.var_off)) {
		verbose(env, "invalid%s stack R%u off=%d size=%d\n", what, regno, off, access_size);
	} else {
		var_off_str(reg, var_off, sizeof(var_off));
		verbose(env, "invalid variable-offset%s stack R%u var_off=%s off=%d size=%d\n",
			what, regno, var_off, off, access_size);
	}
	return err;
}

int check_stack_access_within_bounds(struct bpf_verifier_env *env, u32 regno, s32 off,
				     s32 access_size, enum bpf_access_type t)
{
	return within_bounds(env, regno, off, access_size,
			     t == BPF_READ ? " read from" : " write to");
}

/* --- stores -------------------------------------------------------------------- */

static void mark_byte_misc(u8 *stype)
{
	if (*stype != STACK_ZERO && *stype != STACK_INVALID)
		*stype = STACK_MISC;
}

/* Bytes go over a register, dynptr or iterator: it is not there any more. */
static void scrub_special_slot(struct bpf_stack_state *slot)
{
	slot->spilled_ptr.type = NOT_INIT;
	if (!is_stack_slot_special(slot))
		return;
	for (u32 i = 0; i < BPF_REG_SIZE; i++)
		if (slot->slot_type[i] != STACK_INVALID)
			slot->slot_type[i] = STACK_MISC;
}

static void spill(struct bpf_stack_state *slot, const struct bpf_reg_state *reg, s32 size)
{
	s32 i;

	slot->spilled_ptr = *reg;
	for (i = BPF_REG_SIZE; i > BPF_REG_SIZE - size; i--)
		slot->slot_type[i - 1] = STACK_SPILL;
	for (; i > 0; i--)
		mark_byte_misc(&slot->slot_type[i - 1]);
}

static bool fits(const struct bpf_reg_state *reg, s32 size)
{
	return size == 8 || reg->s.umax_value >> (8 * size) == 0;
}

static u32 stack_flags(const struct bpf_func_state *func, u32 spi)
{
	return func->frameno | spi << INSN_F_SPI_SHIFT | INSN_F_STACK_ACCESS;
}

/* What is stored: a register's content, a constant, or (atomics) something. */
struct stored {
	struct bpf_reg_state *reg; /* NULL: not a register's */
	s32 regno;
	bool is_const;
	s32 imm;
};

static bool stores_zero(const struct stored *v)
{
	return v->reg ? register_is_null(v->reg) : v->is_const && !v->imm;
}

static struct stored what_is_stored(struct bpf_verifier_env *env, s32 value_regno, u32 insn_idx)
{
	const struct bpf_insn *insn = &env->insns[insn_idx];
	struct stored v = { .regno = value_regno };

	if (value_regno >= 0)
		v.reg = reg_state(env, value_regno);
	else if (insn->code == (BPF_ST | BPF_MEM | BPF_SIZE(insn->code)))
		v.is_const = true, v.imm = insn->imm;
	return v;
}

static int write_bytes(struct bpf_verifier_env *env, struct bpf_func_state *func, s32 off,
		       s32 size, const struct stored *v)
{
	u8 type = STACK_MISC;

	scrub_special_slot(&func->stack[spi_of(off)]);
	if (stores_zero(v)) {
		/* where the zero came from is not followed through STACK_ZERO */
		int err = v->reg ? mark_chain_precision(env, (u32)v->regno) : 0;

		if (err)
			return err;
		type = STACK_ZERO;
	}
	for (s32 i = 0; i < size; i++)
		*slot_byte(func, off + i) = type;
	return 0;
}

static int write_pointer(struct bpf_verifier_env *env, struct bpf_func_state *func, u32 spi,
			 const struct bpf_reg_state *reg, s32 size)
{
	if (size != BPF_REG_SIZE) {
		verbose_linfo(env, env->insn_idx);
		verbose(env, "invalid size of register spill\n");
		return -EACCES;
	}
	/* its frame ends before the caller's does */
	if (func != cur_func(env) && base_type(reg->type) == PTR_TO_STACK) {
		verbose(env, "cannot spill pointers to stack into stack frame of the caller\n");
		return -EINVAL;
	}
	spill(&func->stack[spi], reg, size);
	return push_jmp_history(env, stack_flags(func, spi), NULL);
}

static int write_scalar(struct bpf_verifier_env *env, struct bpf_func_state *func, u32 spi,
			struct bpf_reg_state *reg, s32 size)
{
	bool whole = fits(reg, size);

	/* what was spilled and what stays in the register are the same number */
	if (whole)
		assign_scalar_id_before_mov(env, reg);
	spill(&func->stack[spi], reg, size);
	if (!whole)
		func->stack[spi].spilled_ptr.id = 0;
	return push_jmp_history(env, stack_flags(func, spi), NULL);
}

static bool is_spillable(u32 type)
{
	return type != NOT_INIT && type != SCALAR_VALUE;
}

static int write_fixed(struct bpf_verifier_env *env, struct bpf_func_state *func, s32 off,
		       s32 size, const struct stored *v)
{
	u32 spi = spi_of(off);
	int err = destroy_if_dynptr_stack_slot(env, func, (s32)spi);

	if (err)
		return err;
	mark_stack_slot_scratched(env, spi);
	if (size == BPF_REG_SIZE)
		mark_stack_slots_written(env, func->frameno, 1ULL << spi);
	if (v->reg && v->reg->type == SCALAR_VALUE && !(off % BPF_REG_SIZE))
		return write_scalar(env, func, spi, v->reg, size);
	if (v->is_const && !(off % BPF_REG_SIZE)) {
		struct bpf_reg_state *constant = &env->fake_reg;

		reg_mark_known(constant, (u64)(s64)v->imm);
		spill(&func->stack[spi], constant, size);
		return push_jmp_history(env, stack_flags(func, spi), NULL);
	}
	if (v->reg && is_spillable(v->reg->type))
		return write_pointer(env, func, spi, v->reg, size);
	return write_bytes(env, func, off, size, v);
}

/* One byte that may or may not be written. True: that it becomes (or stays) zero was used. */
static bool write_byte_maybe(struct bpf_func_state *func, s32 off, bool zero)
{
	struct bpf_stack_state *slot = &func->stack[spi_of(off)];
	u8 *stype = slot_byte(func, off);

	if (zero && *stype == STACK_SPILL && is_spilled_scalar_reg(slot) &&
	    register_is_null(&slot->spilled_ptr))
		return true;
	scrub_special_slot(slot);
	if (zero && *stype == STACK_ZERO)
		return true;
	*stype = STACK_MISC;
	return false;
}

static int write_variable(struct bpf_verifier_env *env, struct bpf_func_state *func,
			  const struct bpf_reg_state *ptr, s32 off, s32 size,
			  const struct stored *v)
{
	s32 min_off = (s32)ptr->s.smin_value + off, max_off = (s32)ptr->s.smax_value + off + size;
	bool zero_used = false;
	int err;

	for (s32 i = min_off; i < max_off; i++) {
		err = destroy_if_dynptr_stack_slot(env, func, (s32)spi_of(i));
		if (err)
			return err;
	}
	note_use(env, func, min_off, max_off); /* what is not written stays */
	for (s32 i = min_off; i < max_off; i++) {
		mark_stack_slot_scratched(env, spi_of(i));
		zero_used |= write_byte_maybe(func, i, stores_zero(v));
	}
	return zero_used && v->reg ? mark_chain_precision(env, (u32)v->regno) : 0;
}

int check_stack_write(struct bpf_verifier_env *env, u32 ptr_regno, s32 off, s32 size,
		      s32 value_regno, u32 insn_idx)
{
	struct bpf_reg_state *reg = reg_state(env, (int)ptr_regno);
	struct bpf_func_state *func = reg_func(env, reg);
	struct stored v = what_is_stored(env, value_regno, insn_idx);

	if (tnum_is_const(reg->s.var_off))
		return write_fixed(env, func, off + (s32)reg->s.var_off.value, size, &v);
	return write_variable(env, func, reg, off, size, &v);
}

/* --- loads --------------------------------------------------------------------- */

/* Nothing is known of the bytes but, perhaps, that all are zero. */
static void load_bytes(struct bpf_verifier_env *env, struct bpf_func_state *func, s32 min_off,
		       s32 max_off, s32 dst_regno)
{
	bool zero = true;

	for (s32 i = min_off; i < max_off && zero; i++)
		zero = *slot_byte(func, i) == STACK_ZERO;
	if (zero) {
		/* nobody follows STACK_ZERO back: pruning compares such bytes exactly */
		reg_mark_known(reg_state(env, dst_regno), 0);
	} else {
		mark_reg_unknown(env, cur_regs(env), (u32)dst_regno);
	}
}

static u32 spilled_bytes(const struct bpf_stack_state *slot)
{
	u32 n = 1;

	while (n < BPF_REG_SIZE && slot->slot_type[BPF_REG_SIZE - 1 - n] == STACK_SPILL)
		n++;
	return n;
}

/* Bytes of which some are of a spilled number. 1: they came back as that number. */
static int load_mixed(struct bpf_verifier_env *env, struct bpf_func_state *func, s32 off,
		      s32 size, s32 dst_regno)
{
	const struct bpf_reg_state *spilled = &func->stack[spi_of(off)].spilled_ptr;
	s32 nr_spilled = 0, nr_zero = 0;

	for (s32 i = 0; i < size; i++) {
		nr_spilled += *slot_byte(func, off + i) == STACK_SPILL;
		nr_zero += *slot_byte(func, off + i) == STACK_ZERO;
	}
	if (nr_spilled == size && register_is_null(spilled)) {
		reg_mark_known(reg_state(env, dst_regno), 0);
		return 1;
	}
	if (nr_zero == size)
		reg_mark_known(reg_state(env, dst_regno), 0);
	else
		mark_reg_unknown(env, cur_regs(env), (u32)dst_regno);
	return 0;
}

/* From a slot with a register in it. 1: what came back is that register. */
static int fill(struct bpf_verifier_env *env, struct bpf_func_state *func, s32 off, s32 size,
		s32 dst_regno)
{
	struct bpf_stack_state *slot = &func->stack[spi_of(off)];
	const struct bpf_reg_state *spilled = &slot->spilled_ptr;
	u32 nr = spilled_bytes(slot);
	struct bpf_reg_state *dst;

	if (size == BPF_REG_SIZE && nr == BPF_REG_SIZE) {
		if (dst_regno >= 0)
			*reg_state(env, dst_regno) = *spilled;
		return 1;
	}
	if (spilled->type != SCALAR_VALUE) {
		verbose_linfo(env, env->insn_idx);
		verbose(env, "invalid size of register fill\n");
		return -EACCES;
	}
	if (dst_regno < 0)
		return 0;
	if (size > (s32)nr || off % BPF_REG_SIZE)
		return load_mixed(env, func, off, size, dst_regno);
	/* the caller cuts it to size; then it is not the same number any more */
	dst = reg_state(env, dst_regno);
	*dst = *spilled;
	if (!fits(dst, size))
		dst->id = 0, dst->off = 0;
	return 1;
}

static int read_fixed(struct bpf_verifier_env *env, struct bpf_func_state *func, s32 off,
		      s32 size, s32 dst_regno)
{
	u32 spi = spi_of(off);
	int ret;

	mark_stack_slot_scratched(env, spi);
	mark_stack_slots_read(env, func->frameno, 1ULL << spi);
	note_use(env, func, off, off + size);
	if (is_spilled_reg(&func->stack[spi])) {
		ret = fill(env, func, off, size, dst_regno);
		return ret > 0 ? push_jmp_history(env, stack_flags(func, spi), NULL) : ret;
	}
	for (s32 i = 0; i < size; i++) {
		u8 type = *slot_byte(func, off + i);

		if (type == STACK_MISC || type == STACK_ZERO || type == STACK_INVALID)
			continue;
		verbose(env, "invalid read from stack off %d+%d size %d\n", off, i, size);
		return -EACCES;
	}
	if (dst_regno >= 0)
		load_bytes(env, func, off, off + size, dst_regno);
	return 0;
}

static int range_initialized(struct bpf_verifier_env *env, u32 regno, s32 off, s32 access_size,
			     bool clobber, const char *what);

static int read_variable(struct bpf_verifier_env *env, u32 ptr_regno, s32 off, s32 size,
			 s32 dst_regno)
{
	struct bpf_reg_state *reg = reg_state(env, (int)ptr_regno);
	struct bpf_func_state *func = reg_func(env, reg);
	s32 min_off = (s32)reg->s.smin_value + off, max_off = (s32)reg->s.smax_value + off + size;
	int err = range_initialized(env, ptr_regno, off, size, false, "");

	if (err)
		return err;
	load_bytes(env, func, min_off, max_off, dst_regno);
	return 0;
}

int check_stack_read(struct bpf_verifier_env *env, u32 ptr_regno, s32 off, s32 size,
		     s32 dst_regno)
{
	struct bpf_reg_state *reg = reg_state(env, (int)ptr_regno);
	char var_off[48];

	if (tnum_is_const(reg->s.var_off))
		return read_fixed(env, reg_func(env, reg), off + (s32)reg->s.var_off.value, size,
				  dst_regno);
	if (dst_regno < 0) {
		var_off_str(reg, var_off, sizeof(var_off));
		verbose(env, "variable offset stack pointer cannot be passed into helper function; var_off=%s off=%d size=%d\n",
			var_off, off, size);
		return -EACCES;
	}
	return read_variable(env, ptr_regno, off, size, dst_regno);
}

/* --- what calls read and write -------------------------------------------------- */

static int not_initialized(struct bpf_verifier_env *env, u32 regno, s32 min_off, s32 i,
			   s32 access_size, const char *what)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	char var_off[48];

	if (tnum_is_const(reg->s.var_off)) {
		verbose(env, "invalid%s read from stack R%u off %d+%d size %d\n", what, regno,
			min_off, i - min_off, access_size);
	} else {
		var_off_str(reg, var_off, sizeof(var_off));
		verbose(env, "invalid%s read from stack R%u var_off %s+%d size %d\n", what, regno,
			var_off, i - min_off, access_size);
	}
	return -EACCES;
}

/* May a call have this byte? @clobber: it may write it, too. */
static bool use_byte(struct bpf_func_state *func, s32 off, bool clobber)
{
	struct bpf_stack_state *slot = &func->stack[spi_of(off)];
	u8 *stype = slot_byte(func, off);

	if (is_spilled_reg(slot)) {
		if (!clobber)
			return true;
		reg_mark_unknown(&slot->spilled_ptr);
		for (u32 i = 0; i < BPF_REG_SIZE; i++)
			if (slot->slot_type[i] != STACK_INVALID)
				slot->slot_type[i] = STACK_MISC;
		return true;
	}
	if (*stype != STACK_MISC && *stype != STACK_ZERO && *stype != STACK_INVALID)
		return false;
	if (clobber)
		*stype = STACK_MISC;
	return true;
}

static int range_initialized(struct bpf_verifier_env *env, u32 regno, s32 off, s32 access_size,
			     bool clobber, const char *what)
{
	struct bpf_reg_state *reg = reg_state(env, (int)regno);
	struct bpf_func_state *func = reg_func(env, reg);
	bool fixed = tnum_is_const(reg->s.var_off);
	s32 min_off = (fixed ? (s32)reg->s.var_off.value : (s32)reg->s.smin_value) + off;
	s32 max_off = (fixed ? (s32)reg->s.var_off.value : (s32)reg->s.smax_value) + off;

	mark_stack_slots_read(env, func->frameno, slots_mask(min_off, max_off + access_size));
	note_use(env, func, min_off, max_off + access_size);
	for (s32 i = min_off; i < max_off + access_size; i++)
		if (!use_byte(func, i, clobber))
			return not_initialized(env, regno, min_off, i, access_size, what);
	return 0;
}

/* The call only writes: what was there does not matter, unless it is a dynptr. */
static int range_to_write(struct bpf_verifier_env *env, u32 regno, s32 off, s32 access_size,
			  struct bpf_call_arg_meta *meta)
{
	struct bpf_reg_state *reg = reg_state(env, (int)regno);
	struct bpf_func_state *func = reg_func(env, reg);
	s32 min_off = (s32)reg->s.var_off.value + off;

	note_use(env, func, min_off, min_off + access_size); /* a call that fails may write nothing */
	for (s32 i = min_off; i < min_off + access_size; i++) {
		if (*slot_byte(func, i) != STACK_DYNPTR)
			continue;
		verbose(env, "potential write to dynptr at off=%d disallowed\n", i);
		return -EACCES;
	}
	meta->access_size = access_size;
	meta->regno = (s32)regno;
	return 0;
}

int check_stack_range_initialized(struct bpf_verifier_env *env, u32 regno, s32 off,
				  s32 access_size, bool zero_size_allowed, enum bpf_access_type t,
				  struct bpf_call_arg_meta *meta)
{
	int err;

	if (!access_size && !zero_size_allowed) {
		verbose(env, "invalid zero-sized read\n");
		return -EACCES;
	}
	err = within_bounds(env, regno, off, access_size, " indirect access to");
	if (err)
		return err;
	/* at an unknown place, some of it stays as it was */
	if (meta && meta->raw_mode && tnum_is_const(reg_state(env, (int)regno)->s.var_off))
		return range_to_write(env, regno, off, access_size, meta);
	return range_initialized(env, regno, off, access_size, t == BPF_WRITE, " indirect");
}
