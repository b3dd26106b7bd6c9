/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files about calls of helpers and kfuncs tell each other: helper.c,
 * helper_args.c, helper_map.c, callbacks.c, fields.c, kfunc.c, kfunc_args.c,
 * kfunc_ret.c, graph.c, dynptr.c and iter.c.
 */
#ifndef VRT_BPF_VERIFIER_CALL_INTERNAL_H
#define VRT_BPF_VERIFIER_CALL_INTERNAL_H

#include "../btf/internal.h"
#include "verifier.h"

#define ENOTSUPP 524 /* as the kernel's bpf(2) returns it */
#define MAX_ERRNO 4095

/* Flags that say that a pointer is good; any other makes it suspicious. */
#define TRUSTED_FLAGS (MEM_ALLOC | PTR_TRUSTED | NON_OWN_REF)

static inline bool has_unsafe_flags(u32 type)
{
	return type_flag(type) & ~TRUSTED_FLAGS;
}

static inline bool type_is_ptr_alloc_obj(u32 type)
{
	return base_type(type) == PTR_TO_BTF_ID && type & MEM_ALLOC;
}

static inline const char *type_name(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_by_id(btf, id);

	return t ? btf_name(btf, t->name_off) : "";
}

/* "struct", "enum"...: kinds of BTF as the kernel's messages call them. */
const char *btf_kind_text(const struct btf_type *t);

/* A call of a kfunc that is being checked. */
struct kfunc_call {
	const struct bpf_kfunc_desc *desc;
	const char *name;
	u32 flags; /* KF_* */
	u32 insn_idx;
	u32 ref_obj_id; /* of an argument */
	u32 release_regno; /* the argument that is released; 0: none */
	u32 subprogno; /* callback */
	bool owning_ref; /* __refcounted_kptr: the program owns the reference */
	bool const_found;
	u64 const_value; /* of the __k or __szk argument */
	u64 r0_size; /* of memory that is returned; 0: as its type */
	bool r0_rdonly;
	struct btf *arg_btf; /* the object's type */
	u32 arg_btf_id;
	const struct btf_field *root; /* list head or tree */
	struct { /* the initialised one among the arguments */
		u32 id, ref_obj_id;
		enum bpf_dynptr_type type;
	} dynptr;
	struct {
		s32 spi; /* < 0: none */
		u32 frameno;
	} iter;
	struct bpf_map *map;
	u32 map_uid;
	u32 ret_btf_id; /* bpf_cast_to_kern_ctx() */
};

/* --- helper_args.c ---------------------------------------------------------------- */

int check_func_arg(struct bpf_verifier_env *env, u32 arg, struct bpf_call_arg_meta *meta,
		   const struct bpf_func_proto *proto, u32 insn_idx);
/* Is the register a string in a map that never changes? */
int check_reg_const_str(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, u32 regno);
/* That string. */
const char *reg_const_str(const struct bpf_reg_state *reg);

/* --- helper_map.c ------------------------------------------------------------------ */

/* Do map and helper suit each other? @map may be NULL. */
int check_map_func_compatibility(struct bpf_verifier_env *env, const struct bpf_map *map,
				 u32 func_id);

/* --- callbacks.c: registers that callbacks get ---------------------------------------- */

int set_map_elem_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
				struct bpf_func_state *callee, u32 insn_idx);
int set_loop_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
			    struct bpf_func_state *callee, u32 insn_idx);
int set_timer_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
			     struct bpf_func_state *callee, u32 insn_idx);
int set_find_vma_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
				struct bpf_func_state *callee, u32 insn_idx);
int set_user_ringbuf_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
				    struct bpf_func_state *callee, u32 insn_idx);
int set_rbtree_add_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
				  struct bpf_func_state *callee, u32 insn_idx);

/* --- fields.c: special fields as arguments ----------------------------------------------- */

int process_spin_lock(struct bpf_verifier_env *env, u32 regno, bool is_lock);
int process_timer_func(struct bpf_verifier_env *env, u32 regno, struct bpf_call_arg_meta *meta);
int process_kptr_func(struct bpf_verifier_env *env, u32 regno, struct bpf_call_arg_meta *meta);
int process_wq_func(struct bpf_verifier_env *env, u32 regno, struct kfunc_call *call);
bool record_has(const struct btf_record *record, u32 fields);

/* --- graph.c: lists and trees ---------------------------------------------------------------- */

bool is_list_kfunc(enum bpf_special_kfunc special);
bool is_rbtree_kfunc(enum bpf_special_kfunc special);
/* In the callback that compares nodes of a tree, or what it calls. */
bool in_rbtree_lock_required_cb(const struct bpf_verifier_env *env);
int process_graph_root(struct bpf_verifier_env *env, u32 regno, struct kfunc_call *call);
int process_graph_node(struct bpf_verifier_env *env, u32 regno, struct kfunc_call *call);
/* The node that @root holds: PTR_TO_BTF_ID | MEM_ALLOC, pointing at the node in its object. */
void mark_reg_graph_node(struct bpf_reg_state *reg, const struct btf_field *root);
int ref_set_non_owning(struct bpf_verifier_env *env, struct bpf_reg_state *reg);
/* The object went to a list or tree: pointers to it stay valid as long as the lock is held. */
int ref_convert_owning_non_owning(struct bpf_verifier_env *env, u32 ref_obj_id);

/* --- kfunc_args.c, kfunc_ret.c ------------------------------------------------------------------ */

int check_kfunc_args(struct bpf_verifier_env *env, struct kfunc_call *call);
/* Only numbers, also in nested structs. */
bool is_scalar_struct(struct bpf_verifier_env *env, const struct btf *btf,
		      const struct btf_type *t);
/* r0 */
int set_kfunc_result(struct bpf_verifier_env *env, struct kfunc_call *call);

/* --- kfunc_context.c -------------------------------------------------------------------------------- */

/* The path at hand comes to this call: may it be made from where the path began? */
int bind_kfunc_call(struct bpf_verifier_env *env, u32 insn_idx, const struct bpf_kfunc_desc *desc);

/* --- dynptr.c, iter.c --------------------------------------------------------------------------- */

/* What is known of the initialised dynptr that @reg points to. */
const struct bpf_reg_state *dynptr_of(struct bpf_verifier_env *env,
				      const struct bpf_reg_state *reg);
u32 dynptr_type_flag(enum bpf_dynptr_type type);
/* The end of an RCU section: iterators that need it cannot be used any more. */
void invalidate_rcu_iters(struct bpf_verifier_env *env);
const struct bpf_reg_state *iter_state_of(const struct bpf_verifier_state *st, s32 spi,
					  u32 frameno);

#endif
