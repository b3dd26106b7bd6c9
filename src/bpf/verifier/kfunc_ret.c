// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kfuncs return: by the prototype in the kernel BTF, or, for those that
 * hand out objects of the program's own types, by their arguments.
 */
#include <errno.h>

#include "call_internal.h"

#define BPF_GLOBAL_PERCPU_MA_MAX_SIZE 512

static void return_object(struct bpf_reg_state *r0, u32 type, struct btf *btf, u32 btf_id)
{
	r0->type = type;
	reg_mark_known_zero(r0);
	r0->btf = btf;
	r0->btf_id = btf_id;
}

/* --- objects of the program ------------------------------------------------------------ */

/* Per-CPU objects have no fields of which each copy would have to be taken care. */
static int check_percpu_type(struct bpf_verifier_env *env, struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_by_id(btf, id);
	struct bpf_reg_state obj = { .type = PTR_TO_BTF_ID | MEM_ALLOC, .btf = btf, .btf_id = id };

	if (t->size > BPF_GLOBAL_PERCPU_MA_MAX_SIZE) {
		verbose(env, "bpf_percpu_obj_new type size (%u) is greater than %d\n", t->size,
			BPF_GLOBAL_PERCPU_MA_MAX_SIZE);
		return -EINVAL;
	}
	if (!is_scalar_struct(env, btf, t)) {
		verbose(env,
			"bpf_percpu_obj_new type ID argument must be of a struct of scalars\n");
		return -EINVAL;
	}
	if (reg_btf_record(&obj)) {
		verbose(env,
			"bpf_percpu_obj_new type ID argument must not contain special fields\n");
		return -EINVAL;
	}
	return 0;
}

static int return_new_object(struct bpf_verifier_env *env, const struct kfunc_call *call,
			     struct bpf_reg_state *r0)
{
	bool percpu = call->desc->special == KFUNC_PERCPU_OBJ_NEW;
	struct btf *btf = env->prog->btf;
	const struct btf_type *t;
	u32 id = (u32)call->const_value;
	int err = 0;

	if (id != call->const_value) {
		verbose(env, "local type ID argument must be in range [0, U32_MAX]\n");
		return -EINVAL;
	}
	if (!btf) {
		verbose(env, "bpf_obj_new/bpf_percpu_obj_new requires prog BTF\n");
		return -EINVAL;
	}
	t = btf_type_by_id(btf, id);
	if (!t || btf_kind(t) != BTF_KIND_STRUCT) {
		verbose(env,
			"bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct\n");
		return -EINVAL;
	}
	if (percpu)
		err = check_percpu_type(env, btf, id);
	return_object(r0, PTR_TO_BTF_ID | MEM_ALLOC | (percpu ? MEM_PERCPU : 0), btf, id);
	return err;
}

/* --- others by their arguments ----------------------------------------------------------- */

static int return_cast(struct bpf_verifier_env *env, const struct kfunc_call *call,
		       struct bpf_reg_state *r0)
{
	struct btf *btf = bpf_kernel_btf();
	const struct btf_type *t = NULL;

	if (call->const_value <= (u32)-1)
		t = btf_type_by_id(btf, (u32)call->const_value);
	if (!btf_is_struct(t)) {
		verbose(env, "kfunc bpf_rdonly_cast type ID argument must be of a struct\n");
		return -EINVAL;
	}
	return_object(r0, PTR_TO_BTF_ID | PTR_UNTRUSTED, btf, (u32)call->const_value);
	return 0;
}

static int return_slice(struct bpf_verifier_env *env, const struct kfunc_call *call,
			struct bpf_reg_state *r0)
{
	enum bpf_dynptr_type type = call->dynptr.type;
	bool rdwr = call->desc->special == KFUNC_DYNPTR_SLICE_RDWR;

	VRT_ASSERT(call->const_found && call->dynptr.id);
	if (call->const_value >= BPF_MAX_VAR_SIZ) {
		verbose(env, "slice of %llu bytes is too large\n",
			(unsigned long long)call->const_value);
		return -E2BIG;
	}
	if (rdwr && !may_access_direct_pkt_data(env, NULL, BPF_WRITE)) {
		verbose(env, "the prog does not allow writes to packet data\n");
		return -EINVAL;
	}
	r0->type = PTR_TO_MEM | dynptr_type_flag(type) | (rdwr ? 0 : MEM_RDONLY);
	reg_mark_known_zero(r0);
	r0->mem_size = (u32)call->const_value;
	r0->dynptr_id = call->dynptr.id;
	/* memory of a ring buffer goes with its reference, without which it is another's */
	r0->ref_obj_id = call->dynptr.ref_obj_id;
	return 0;
}

/* -ENOENT: an ordinary one. */
static int return_special(struct bpf_verifier_env *env, const struct kfunc_call *call,
			  struct bpf_reg_state *r0)
{
	switch (call->desc->special) {
	case KFUNC_OBJ_NEW:
	case KFUNC_PERCPU_OBJ_NEW:
		return return_new_object(env, call, r0);
	case KFUNC_REFCOUNT_ACQUIRE:
		return_object(r0, PTR_TO_BTF_ID | MEM_ALLOC, call->arg_btf, call->arg_btf_id);
		return 0;
	case KFUNC_LIST_POP_FRONT:
	case KFUNC_LIST_POP_BACK:
	case KFUNC_RBTREE_REMOVE:
	case KFUNC_RBTREE_FIRST:
		mark_reg_graph_node(r0, call->root);
		return 0;
	case KFUNC_CAST_TO_KERN_CTX:
		return_object(r0, PTR_TO_BTF_ID | PTR_TRUSTED, bpf_kernel_btf(),
			      call->ret_btf_id);
		return 0;
	case KFUNC_RDONLY_CAST:
		return return_cast(env, call, r0);
	case KFUNC_DYNPTR_SLICE:
	case KFUNC_DYNPTR_SLICE_RDWR:
		return return_slice(env, call, r0);
	default:
		return -ENOENT;
	}
}

/* --- by prototype -------------------------------------------------------------------------- */

static int return_mem(struct bpf_verifier_env *env, const struct kfunc_call *call,
		      struct bpf_reg_state *r0)
{
	u32 size = call->r0_size ? (u32)call->r0_size : call->desc->ret_size;
	bool rdonly = call->r0_size ? call->r0_rdonly : true;

	if (!size) {
		verbose(env, "kernel function %s returns pointer type %s %s is not supported\n",
			call->name,
			btf_kind_text(btf_type_by_id(bpf_kernel_btf(), call->desc->ret_btf_id)),
			type_name(bpf_kernel_btf(), call->desc->ret_btf_id));
		return -EINVAL;
	}
	r0->type = PTR_TO_MEM | (rdonly ? MEM_RDONLY : 0);
	reg_mark_known_zero(r0);
	r0->mem_size = size;
	/* it may be part of what the argument refers to */
	r0->ref_obj_id = call->ref_obj_id;
	return 0;
}

static void return_kernel_object(struct bpf_verifier_env *env, const struct kfunc_call *call,
				 struct bpf_reg_state *r0)
{
	u32 flags = 0;

	if (call->flags & KF_ITER_NEXT) {
		const struct bpf_reg_state *iter =
			iter_state_of(env->cur, call->iter.spi, call->iter.frameno);

		flags = iter->type & MEM_RCU ? MEM_RCU : PTR_TRUSTED;
	} else if (call->flags & KF_RCU_PROTECTED) {
		flags = MEM_RCU;
	}
	return_object(r0, PTR_TO_BTF_ID | flags, bpf_kernel_btf(), call->desc->ret_btf_id);
}

static int return_pointer(struct bpf_verifier_env *env, const struct kfunc_call *call,
			  struct bpf_reg_state *r0)
{
	int err = return_special(env, call, r0);

	if (err != -ENOENT)
		return err;
	if (call->desc->ret == KRET_MEM)
		return return_mem(env, call, r0);
	if (call->desc->ret == KRET_CUSTOM) /* void *: as good as a number */
		reg_mark_unknown(r0);
	else
		return_kernel_object(env, call, r0);
	return 0;
}

/* An object that the program holds already cannot have gone meanwhile. */
static bool may_return_null(const struct kfunc_call *call)
{
	return call->flags & KF_RET_NULL &&
	       !(call->desc->special == KFUNC_REFCOUNT_ACQUIRE && call->owning_ref);
}

int set_kfunc_result(struct bpf_verifier_env *env, struct kfunc_call *call)
{
	struct bpf_reg_state *r0 = reg_state(env, BPF_REG_0);
	int err;

	if (call->desc->ret == KRET_VOID)
		return 0;
	if (call->desc->ret == KRET_SCALAR) {
		reg_mark_unknown(r0);
		return 0;
	}
	err = return_pointer(env, call, r0);
	if (err)
		return err;
	if (may_return_null(call) && r0->type != SCALAR_VALUE) {
		r0->type |= PTR_MAYBE_NULL;
		r0->id = ++env->id_gen;
	}
	if (call->flags & KF_ACQUIRE) {
		r0->ref_obj_id = acquire_reference(env, call->insn_idx);
		if (may_return_null(call))
			r0->id = r0->ref_obj_id;
	} else if (call->desc->special == KFUNC_RBTREE_FIRST) {
		err = ref_set_non_owning(env, r0);
	}
	if (!r0->id && record_has(reg_btf_record(r0), BPF_SPIN_LOCK))
		r0->id = ++env->id_gen;
	return err;
}
