// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists and trees of allocated objects. A list or tree, its bpf_spin_lock and
 * nothing else are in one value or object, and it is changed only while that
 * lock is held.
 *
 * Who adds an object gives its reference away and keeps a non-owning one
 * (NON_OWN_REF), which ends with the lock: until then nobody can take the
 * object out and free it.
 */
#include <errno.h>

#include "call_internal.h"

bool is_list_kfunc(enum bpf_special_kfunc special)
{
	return special == KFUNC_LIST_PUSH_FRONT || special == KFUNC_LIST_PUSH_BACK ||
	       special == KFUNC_LIST_POP_FRONT || special == KFUNC_LIST_POP_BACK;
}

bool is_rbtree_kfunc(enum bpf_special_kfunc special)
{
	return special == KFUNC_RBTREE_ADD || special == KFUNC_RBTREE_REMOVE ||
	       special == KFUNC_RBTREE_FIRST;
}

bool in_rbtree_lock_required_cb(const struct bpf_verifier_env *env)
{
	const struct bpf_verifier_state *st = env->cur;

	for (u32 f = st->curframe; f; f--) {
		const struct bpf_func_state *func = st->frame[f];
		const struct bpf_kfunc_desc *desc;

		if (!func->in_callback_fn ||
		    !bpf_is_call(&env->insns[func->callsite], BPF_PSEUDO_KFUNC_CALL))
			continue;
		desc = bpf_kfunc_find((u32)env->insns[func->callsite].imm);
		if (desc && is_rbtree_kfunc(desc->special))
			return true;
	}
	return false;
}

/* --- arguments ------------------------------------------------------------------ */

static int check_const_offset(struct bpf_verifier_env *env, u32 regno, const char *what)
{
	if (tnum_is_const(reg_state(env, (int)regno)->s.var_off))
		return 0;
	verbose(env, "R%u doesn't have constant offset. %s has to be at the constant offset\n",
		regno, what);
	return -EINVAL;
}

/* Is the lock held that is in the same value or object? */
static int check_locked(struct bpf_verifier_env *env, const struct bpf_reg_state *reg)
{
	const void *ptr = reg->type == PTR_TO_MAP_VALUE ? (const void *)reg->map_ptr :
							  (const void *)reg->btf;

	if (!env->cur->active_locks)
		return -EINVAL;
	if (find_lock(env->cur, reg->id, ptr))
		return 0;
	verbose(env, "held lock and object are not in the same allocation\n");
	return -EINVAL;
}

static s32 lock_offset(const struct btf_record *record)
{
	for (u32 i = 0; i < record->nr; i++)
		if (record->fields[i].type == BPF_SPIN_LOCK)
			return (s32)record->fields[i].offset;
	return -EINVAL;
}

static int find_root(struct bpf_verifier_env *env, u32 regno, enum btf_field_type type,
		     struct kfunc_call *call)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	s32 off = reg->off + (s32)reg->s.var_off.value;
	int err = check_const_offset(env, regno, btf_field_type_name(type));

	if (err)
		return err;
	call->root = reg_find_field_offset(reg, off, type);
	if (!call->root) {
		verbose(env, "%s not found at offset=%u\n", btf_field_type_name(type), (u32)off);
		return -EINVAL;
	}
	if (!check_locked(env, reg))
		return 0;
	verbose(env, "bpf_spin_lock at off=%d must be held for %s\n",
		lock_offset(reg_btf_record(reg)), btf_field_type_name(type));
	return -EINVAL;
}

int process_graph_root(struct bpf_verifier_env *env, u32 regno, struct kfunc_call *call)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);

	if (reg->type != PTR_TO_MAP_VALUE && reg->type != (PTR_TO_BTF_ID | MEM_ALLOC)) {
		verbose(env, "arg#%u expected pointer to map value or allocated object\n",
			regno - 1);
		return -EINVAL;
	}
	if (reg->type != PTR_TO_MAP_VALUE && !reg->ref_obj_id) {
		verbose(env, "allocated object must be referenced\n");
		return -EINVAL;
	}
	return find_root(env, regno, call->desc->args[regno - 1].field, call);
}

/* The object must be what the list or tree holds, and the node the one that it holds it by. */
static int check_node(struct bpf_verifier_env *env, u32 regno, enum btf_field_type type,
		      struct kfunc_call *call)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	const struct btf_field *root = call->root;
	s32 off = reg->off + (s32)reg->s.var_off.value;
	int err = check_const_offset(env, regno, btf_field_type_name(type));

	if (err)
		return err;
	if (!reg_find_field_offset(reg, off, type)) {
		verbose(env, "%s not found at offset=%u\n", btf_field_type_name(type), (u32)off);
		return -EINVAL;
	}
	VRT_ASSERT(root);
	if (!btf_struct_ids_match(env, reg->btf, reg->btf_id, 0, root->kptr_btf,
				  root->kptr_btf_id, true)) {
		verbose(env,
			"operation on %s expects arg#1 %s at offset=%u in struct %s, but arg is at offset=%d in struct %s\n",
			btf_field_type_name(root->type), btf_field_type_name(type),
			root->node_offset,
			type_name(root->kptr_btf, root->kptr_btf_id), off,
			type_name(reg->btf, reg->btf_id));
		return -EINVAL;
	}
	call->arg_btf = reg->btf;
	call->arg_btf_id = reg->btf_id;
	if (off == (s32)root->node_offset)
		return 0;
	verbose(env, "arg#1 offset=%d, but expected %s at offset=%u in struct %s\n", off,
		btf_field_type_name(type), root->node_offset,
		type_name(root->kptr_btf, root->kptr_btf_id));
	return -EINVAL;
}

/* A node that is taken out is only looked at before: others see it, too. */
static int check_removed(struct bpf_verifier_env *env, const struct bpf_reg_state *reg)
{
	if (!type_is_ptr_alloc_obj(reg->type) || !(reg->type & NON_OWN_REF) || reg->ref_obj_id) {
		verbose(env, "rbtree_remove node input must be non-owning ref\n");
		return -EINVAL;
	}
	if (!in_rbtree_lock_required_cb(env))
		return 0;
	verbose(env, "rbtree_remove not allowed in rbtree cb\n");
	return -EINVAL;
}

static int check_added(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, u32 regno)
{
	if (reg->type != (PTR_TO_BTF_ID | MEM_ALLOC)) {
		verbose(env, "arg#%u expected pointer to allocated object\n", regno - 1);
		return -EINVAL;
	}
	if (reg->ref_obj_id)
		return 0;
	verbose(env, "allocated object must be referenced\n");
	return -EINVAL;
}

int process_graph_node(struct bpf_verifier_env *env, u32 regno, struct kfunc_call *call)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	int err;

	if (call->desc->special == KFUNC_RBTREE_REMOVE)
		err = check_removed(env, reg);
	else
		err = check_added(env, reg, regno);
	return err ?: check_node(env, regno, call->desc->args[regno - 1].field, call);
}

/* --- references ------------------------------------------------------------------- */

void mark_reg_graph_node(struct bpf_reg_state *reg, const struct btf_field *root)
{
	reg->type = PTR_TO_BTF_ID | MEM_ALLOC;
	reg_mark_known_zero(reg);
	reg->btf = root->kptr_btf;
	reg->btf_id = root->kptr_btf_id;
	reg->off = (s32)root->node_offset;
}

int ref_set_non_owning(struct bpf_verifier_env *env, struct bpf_reg_state *reg)
{
	if (!env->cur->active_locks || reg->type & NON_OWN_REF) {
		verbose(env, "verifier internal error: ref_set_non_owning w/o active lock\n");
		return -EFAULT;
	}
	reg->type |= NON_OWN_REF;
	/* somebody else may hold the last reference and drop it: after an RCU period */
	if (record_has(reg_btf_record(reg), BPF_REFCOUNT))
		reg->type |= MEM_RCU;
	return 0;
}

int ref_convert_owning_non_owning(struct bpf_verifier_env *env, u32 ref_obj_id)
{
	struct bpf_func_state *func;
	struct bpf_reg_state *reg;
	int err = 0;

	if (!ref_obj_id || !find_reference(env->cur, ref_obj_id))
		return -EFAULT;
	/* without the id they survive that the reference is released */
	bpf_for_each_reg_in_vstate(env->cur, func, reg, {
		if (reg->ref_obj_id == ref_obj_id) {
			reg->ref_obj_id = 0;
			err = err ?: ref_set_non_owning(env, reg);
		}
	});
	return err;
}
