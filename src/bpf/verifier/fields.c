// SPDX-License-Identifier: GPL-2.0-only
/*
 * Special fields of map values and allocated objects that calls work on: locks,
 * timers, work queues and referenced kptrs. A pointer to one must point exactly
 * at it, by a constant offset.
 */
#include <errno.h>

#include "call_internal.h"

bool record_has(const struct btf_record *record, u32 fields)
{
	return record && record->field_mask & fields;
}

/* Of the one field of that type. */
static u32 field_offset(const struct btf_record *record, u32 type)
{
	u32 i = 0;

	while (!(record->fields[i].type & type))
		i++;
	return record->fields[i].offset;
}

/* Where @reg points, whose variable part is constant. */
static s64 const_offset(const struct bpf_reg_state *reg)
{
	return (s64)reg->s.var_off.value + reg->off;
}

/* Does @reg point at the one field of @type in @record, which has it? */
static int check_at_field(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			  const struct btf_record *record, u32 type, const char *name)
{
	u32 at = field_offset(record, type);

	if (const_offset(reg) == (s64)at)
		return 0;
	verbose(env, "off %lld doesn't point to 'struct %s' that is at %u\n",
		(long long)const_offset(reg), name, at);
	return -EINVAL;
}

static int check_map_btf(struct bpf_verifier_env *env, const struct bpf_map *map, const char *who)
{
	if (map->btf)
		return 0;
	verbose(env, "map '%s' has to have BTF in order to use %s\n", map->name, who);
	return -EINVAL;
}

/* --- locks ---------------------------------------------------------------------- */

static int check_lock_field(struct bpf_verifier_env *env, u32 regno, const struct bpf_map *map)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	const struct btf_record *record;
	int err;

	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env,
			"R%u doesn't have constant offset. bpf_spin_lock has to be at the constant offset\n",
			regno);
		return -EINVAL;
	}
	err = map ? check_map_btf(env, map, "bpf_spin_lock") : 0;
	if (err)
		return err;
	record = reg_btf_record(reg);
	if (!record_has(record, BPF_SPIN_LOCK)) {
		verbose(env, "%s '%s' has no valid bpf_spin_lock\n", map ? "map" : "local",
			map ? map->name : "kptr");
		return -EINVAL;
	}
	return check_at_field(env, reg, record, BPF_SPIN_LOCK, "bpf_spin_lock");
}

static int unlock(struct bpf_verifier_env *env, u32 id, const void *ptr)
{
	if (!env->cur->active_locks) {
		verbose(env, "bpf_spin_unlock without taking a lock\n");
		return -EINVAL;
	}
	if (release_lock(env, id, ptr)) {
		verbose(env, "bpf_spin_unlock of different lock\n");
		return -EINVAL;
	}
	invalidate_non_owning_refs(env);
	return 0;
}

int process_spin_lock(struct bpf_verifier_env *env, u32 regno, bool is_lock)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	const struct bpf_map *map = reg->type == PTR_TO_MAP_VALUE ? reg->map_ptr : NULL;
	const void *ptr = map ? (const void *)map : (const void *)reg->btf;
	int err = check_lock_field(env, regno, map);

	if (err)
		return err;
	if (!is_lock)
		return unlock(env, reg->id, ptr);
	if (env->cur->active_locks) {
		verbose(env, "Locking two bpf_spin_locks are not allowed\n");
		return -EINVAL;
	}
	return acquire_lock(env, env->insn_idx, reg->id, ptr);
}

/* --- timers and work queues ------------------------------------------------------- */

int process_timer_func(struct bpf_verifier_env *env, u32 regno, struct bpf_call_arg_meta *meta)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	struct bpf_map *map = reg->map_ptr;
	int err;

	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env,
			"R%u doesn't have constant offset. bpf_timer has to be at the constant offset\n",
			regno);
		return -EINVAL;
	}
	err = check_map_btf(env, map, "bpf_timer");
	if (err)
		return err;
	if (!record_has(map->record, BPF_TIMER)) {
		verbose(env, "map '%s' has no valid bpf_timer\n", map->name);
		return -EINVAL;
	}
	err = check_at_field(env, reg, map->record, BPF_TIMER, "bpf_timer");
	if (err)
		return err;
	VRT_ASSERT(!meta->map_ptr);
	meta->map_uid = reg->map_uid;
	meta->map_ptr = map;
	return 0;
}

int process_wq_func(struct bpf_verifier_env *env, u32 regno, struct kfunc_call *call)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	struct bpf_map *map = reg->map_ptr;
	int err;

	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env,
			"R%u doesn't have constant offset. bpf_wq has to be at the constant offset\n",
			regno);
		return -EINVAL;
	}
	err = check_map_btf(env, map, "bpf_wq");
	if (err)
		return err;
	if (!record_has(map->record, BPF_WORKQUEUE)) {
		verbose(env, "map '%s' has no valid bpf_wq\n", map->name);
		return -EINVAL;
	}
	err = check_at_field(env, reg, map->record, BPF_WORKQUEUE, "bpf_wq");
	if (err)
		return err;
	call->map_uid = reg->map_uid;
	call->map = map;
	return 0;
}

/* --- kptrs ------------------------------------------------------------------------- */

int process_kptr_func(struct bpf_verifier_env *env, u32 regno, struct bpf_call_arg_meta *meta)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	const u32 kptrs = BPF_KPTR_UNREF | BPF_KPTR_REF | BPF_KPTR_PERCPU;
	const struct btf_field *field;
	int err;

	if (reg->type == PTR_TO_MAP_VALUE) {
		err = check_map_btf(env, reg->map_ptr, "bpf_kptr_xchg");
		if (err)
			return err;
		meta->map_ptr = reg->map_ptr;
	}
	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env,
			"R%u doesn't have constant offset. kptr has to be at the constant offset\n",
			regno);
		return -EINVAL;
	}
	if (!record_has(reg_btf_record(reg), kptrs)) {
		verbose(env, "R%u has no valid kptr\n", regno);
		return -EINVAL;
	}
	field = reg_find_field_offset(reg, (s32)const_offset(reg), kptrs);
	if (!field) {
		verbose(env, "off=%d doesn't point to kptr\n", (s32)const_offset(reg));
		return -EACCES;
	}
	if (field->type == BPF_KPTR_UNREF) {
		verbose(env, "off=%d kptr isn't referenced kptr\n", (s32)const_offset(reg));
		return -EACCES;
	}
	meta->kptr_field = field;
	return 0;
}
