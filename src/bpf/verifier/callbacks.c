// SPDX-License-Identifier: GPL-2.0-only
/*
 * What callbacks of helpers and kfuncs get in their registers.
 */
#include <errno.h>

#include "call_internal.h"

static void finish(struct bpf_func_state *callee, u32 nr_args)
{
	for (u32 i = BPF_REG_1 + nr_args; i <= BPF_REG_5; i++)
		reg_mark_not_init(&callee->regs[i]);
	callee->callback_ret_range = (struct bpf_retval_range){ 0, 1 };
}

static void set_map_reg(struct bpf_reg_state *reg, u32 type, const struct bpf_reg_state *origin)
{
	struct bpf_map *map = origin->map_ptr;
	u32 uid = origin->map_uid;

	reg->type = type;
	reg_mark_known_zero(reg);
	reg->map_ptr = map;
	reg->map_uid = uid;
}

/* callback_fn(map, key, value, callback_ctx) */
int set_map_elem_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
				struct bpf_func_state *callee, u32 insn_idx)
{
	const struct bpf_reg_state *map = &caller->regs[BPF_REG_1];

	if (!map->map_ptr->ops->for_each) {
		verbose(env, "callback function not allowed for map\n");
		return -ENOTSUPP;
	}
	callee->regs[BPF_REG_1] = *map;
	set_map_reg(&callee->regs[BPF_REG_2], PTR_TO_MAP_KEY, map);
	set_map_reg(&callee->regs[BPF_REG_3], PTR_TO_MAP_VALUE, map);
	callee->regs[BPF_REG_4] = caller->regs[BPF_REG_3];
	callee->in_callback_fn = true;
	finish(callee, 4);
	return 0;
}

/* callback_fn(index, callback_ctx) */
int set_loop_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
			    struct bpf_func_state *callee, u32 insn_idx)
{
	reg_mark_unknown(&callee->regs[BPF_REG_1]);
	callee->regs[BPF_REG_2] = caller->regs[BPF_REG_3];
	callee->in_callback_fn = true;
	finish(callee, 2);
	return 0;
}

/* callback_fn(map, key, value), later: of the map that the timer or work queue is in */
int set_timer_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
			     struct bpf_func_state *callee, u32 insn_idx)
{
	const struct bpf_reg_state *timer = &caller->regs[BPF_REG_1];

	set_map_reg(&callee->regs[BPF_REG_1], CONST_PTR_TO_MAP, timer);
	set_map_reg(&callee->regs[BPF_REG_2], PTR_TO_MAP_KEY, timer);
	set_map_reg(&callee->regs[BPF_REG_3], PTR_TO_MAP_VALUE, timer);
	callee->in_async_callback_fn = true;
	finish(callee, 3);
	return 0;
}

/* callback_fn(task, vma, callback_ctx) */
int set_find_vma_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
				struct bpf_func_state *callee, u32 insn_idx)
{
	s32 vma = btf_find_by_name_kind(bpf_kernel_btf(), "vm_area_struct", BTF_KIND_STRUCT);
	struct bpf_reg_state *reg = &callee->regs[BPF_REG_2];

	callee->regs[BPF_REG_1] = caller->regs[BPF_REG_1];
	if (vma > 0) {
		reg->type = PTR_TO_BTF_ID;
		reg_mark_known_zero(reg);
		reg->btf = bpf_kernel_btf();
		reg->btf_id = (u32)vma;
	} else { /* a type of which nothing is known here */
		reg_mark_unknown(reg);
	}
	callee->regs[BPF_REG_3] = caller->regs[BPF_REG_4];
	callee->in_callback_fn = true;
	finish(callee, 3);
	return 0;
}

/* callback_fn(dynptr, callback_ctx) */
int set_user_ringbuf_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
				    struct bpf_func_state *callee, u32 insn_idx)
{
	reg_mark_not_init(&callee->regs[BPF_REG_0]);
	mark_dynptr_reg(&callee->regs[BPF_REG_1], BPF_DYNPTR_LOCAL, true, ++env->id_gen);
	callee->regs[BPF_REG_2] = caller->regs[BPF_REG_3];
	callee->in_callback_fn = true;
	finish(callee, 2);
	return 0;
}

/* less(a, b): two nodes of the tree, whose lock is held */
int set_rbtree_add_callback_state(struct bpf_verifier_env *env, struct bpf_func_state *caller,
				  struct bpf_func_state *callee, u32 insn_idx)
{
	const struct bpf_reg_state *root = &caller->regs[BPF_REG_1];
	const struct btf_field *field = reg_find_field_offset(
		root, root->off + (s32)root->s.var_off.value, BPF_RB_ROOT);
	int err;

	if (!field || !field->kptr_btf_id)
		return -EFAULT;
	mark_reg_graph_node(&callee->regs[BPF_REG_1], field);
	mark_reg_graph_node(&callee->regs[BPF_REG_2], field);
	err = ref_set_non_owning(env, &callee->regs[BPF_REG_1]);
	err = err ?: ref_set_non_owning(env, &callee->regs[BPF_REG_2]);
	callee->in_callback_fn = true;
	finish(callee, 2);
	return err;
}
