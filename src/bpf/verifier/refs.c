// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must be given back: references and locks; and the sections that must
 * end, of RCU and disabled preemption.
 *
 * The books are the state's, not a frame's: a callee may release what its
 * caller acquired. A callback that keeps one, or releases one of its caller,
 * shows when the path on which it is not called ends.
 */
#include <errno.h>

#include "verifier.h"

/* --- references -------------------------------------------------------------- */

u32 acquire_reference(struct bpf_verifier_env *env, u32 insn_idx)
{
	struct bpf_reference_state *ref = state_add_ref(env->cur);

	ref->type = REF_TYPE_PTR;
	ref->id = ++env->id_gen;
	ref->insn_idx = insn_idx;
	return ref->id;
}

static s32 ref_index(const struct bpf_verifier_state *st, u32 ref_obj_id)
{
	for (u32 i = 0; i < st->nr_refs; i++)
		if (st->refs[i].type == REF_TYPE_PTR && st->refs[i].id == ref_obj_id)
			return (s32)i;
	return -1;
}

bool find_reference(const struct bpf_verifier_state *st, u32 ref_obj_id)
{
	return ref_index(st, ref_obj_id) >= 0;
}

int release_reference_nomark(struct bpf_verifier_state *st, u32 ref_obj_id)
{
	s32 i = ref_index(st, ref_obj_id);

	if (i < 0)
		return -EINVAL;
	state_del_ref(st, (u32)i);
	return 0;
}

int release_reference(struct bpf_verifier_env *env, u32 ref_obj_id)
{
	struct bpf_func_state *func;
	struct bpf_reg_state *reg;
	int err = release_reference_nomark(env->cur, ref_obj_id);

	if (err)
		return err;
	/* whoever is allowed to print pointers may go on with the number */
	bpf_for_each_reg_in_vstate(env->cur, func, reg, {
		if (reg->ref_obj_id == ref_obj_id)
			reg_mark_unknown(reg);
	});
	return 0;
}

int check_reference_leak(struct bpf_verifier_env *env, bool exception_exit)
{
	const struct bpf_verifier_state *st = env->cur;
	bool leak = false;

	if (!exception_exit && st->curframe)
		return 0;
	for (u32 i = 0; i < st->nr_refs; i++) {
		if (st->refs[i].type != REF_TYPE_PTR)
			continue;
		verbose(env, "Unreleased reference id=%u alloc_insn=%u\n", st->refs[i].id,
			st->refs[i].insn_idx);
		leak = true;
	}
	return leak ? -EINVAL : 0;
}

/* --- locks ------------------------------------------------------------------- */

int acquire_lock(struct bpf_verifier_env *env, u32 insn_idx, u32 id, const void *ptr)
{
	struct bpf_verifier_state *st = env->cur;
	struct bpf_reference_state *ref = state_add_ref(st);

	*ref = (struct bpf_reference_state){ .type = REF_TYPE_LOCK, .id = id,
					     .insn_idx = insn_idx, .ptr = ptr };
	st->active_locks++;
	st->active_lock_id = id;
	st->active_lock_ptr = ptr;
	return 0;
}

static s32 lock_index(const struct bpf_verifier_state *st, u32 id, const void *ptr)
{
	for (u32 i = 0; i < st->nr_refs; i++)
		if (st->refs[i].type == REF_TYPE_LOCK && st->refs[i].id == id &&
		    st->refs[i].ptr == ptr)
			return (s32)i;
	return -1;
}

bool find_lock(const struct bpf_verifier_state *st, u32 id, const void *ptr)
{
	return lock_index(st, id, ptr) >= 0;
}

/* The lock that was taken last of those that are held. */
static void find_active_lock(struct bpf_verifier_state *st)
{
	st->active_lock_id = 0;
	st->active_lock_ptr = NULL;
	for (u32 i = 0; i < st->nr_refs; i++) {
		if (st->refs[i].type != REF_TYPE_LOCK)
			continue;
		st->active_lock_id = st->refs[i].id;
		st->active_lock_ptr = st->refs[i].ptr;
	}
}

int release_lock(struct bpf_verifier_env *env, u32 id, const void *ptr)
{
	struct bpf_verifier_state *st = env->cur;
	s32 i = lock_index(st, id, ptr);

	if (i < 0)
		return -EINVAL;
	state_del_ref(st, (u32)i);
	VRT_ASSERT(st->active_locks);
	st->active_locks--;
	find_active_lock(st);
	return 0;
}

void invalidate_non_owning_refs(struct bpf_verifier_env *env)
{
	struct bpf_func_state *func;
	struct bpf_reg_state *reg;

	bpf_for_each_reg_in_vstate(env->cur, func, reg, {
		if (reg->type & NON_OWN_REF)
			reg_mark_unknown(reg);
	});
}

/* --- sections ---------------------------------------------------------------- */

bool in_rcu_cs(const struct bpf_verifier_env *env)
{
	return env->cur->active_rcu_lock || env->cur->active_locks || !in_sleepable(env);
}

void invalidate_rcu_protected(struct bpf_verifier_env *env)
{
	struct bpf_func_state *func;
	struct bpf_reg_state *reg;

	bpf_for_each_reg_in_vstate(env->cur, func, reg, {
		if (reg->type & MEM_RCU) {
			reg->type &= ~(MEM_RCU | PTR_MAYBE_NULL);
			reg->type |= PTR_UNTRUSTED;
		}
	});
}

/* At the end, or where a tail call or bpf_throw() leaves. */
static int section_open(struct bpf_verifier_env *env, const char *prefix, const char *region,
			const char *at_exit)
{
	if (prefix)
		verbose(env, "%s cannot be used inside %s-ed region\n", prefix, region);
	else
		verbose(env, "%s is missing\n", at_exit);
	return -EINVAL;
}

int check_resource_leak(struct bpf_verifier_env *env, bool exception_exit, bool check_lock,
			const char *prefix)
{
	const struct bpf_verifier_state *st = env->cur;
	int err;

	if (check_lock && st->active_locks)
		return section_open(env, prefix, "bpf_spin_lock", "bpf_spin_unlock");
	if (check_lock && st->active_rcu_lock)
		return section_open(env, prefix, "bpf_rcu_read_lock", "bpf_rcu_read_unlock");
	if (check_lock && st->active_preempt_locks && !prefix) {
		verbose(env, "%u bpf_preempt_enable%s missing\n", st->active_preempt_locks,
			st->active_preempt_locks == 1 ? " is" : "(s) are");
		return -EINVAL;
	}
	if (check_lock && st->active_preempt_locks)
		return section_open(env, prefix, "bpf_preempt_disable", "");
	err = check_reference_leak(env, exception_exit);
	if (err && prefix && !exception_exit)
		verbose(env, "%s would lead to reference leak\n", prefix);
	return err;
}
