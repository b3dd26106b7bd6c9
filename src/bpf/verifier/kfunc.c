// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of kfuncs: may this program call it, here; sections that it begins or
 * ends; references that it takes; and what other files ask of a call.
 */
#include <errno.h>
#include <string.h>

#include "call_internal.h"

/* Before fix-ups; NULL: not a call of a kfunc that is registered. */
static const struct bpf_kfunc_desc *desc_of(const struct bpf_insn *insn)
{
	return bpf_is_call(insn, BPF_PSEUDO_KFUNC_CALL) ? bpf_kfunc_find((u32)insn->imm) : NULL;
}

static enum bpf_special_kfunc special_of(const struct bpf_insn *insn)
{
	const struct bpf_kfunc_desc *desc = desc_of(insn);

	return desc ? desc->special : KFUNC_ORDINARY;
}

/* --- what others must know ---------------------------------------------------------------- */

bool is_iter_next_kfunc_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	const struct bpf_kfunc_desc *desc = desc_of(insn);

	return desc && desc->kfunc->flags & KF_ITER_NEXT;
}

bool is_bpf_throw_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	return special_of(insn) == KFUNC_THROW;
}

bool is_sleepable_callback_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	return special_of(insn) == KFUNC_WQ_SET_CALLBACK;
}

bool is_sync_callback_calling_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	if (!bpf_is_call(insn, 0))
		return special_of(insn) == KFUNC_RBTREE_ADD;
	return insn->imm == BPF_FUNC_for_each_map_elem || insn->imm == BPF_FUNC_find_vma ||
	       insn->imm == BPF_FUNC_loop || insn->imm == BPF_FUNC_user_ringbuf_drain;
}

bool is_callback_calling_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	return is_sync_callback_calling_insn(env, insn) || is_sleepable_callback_insn(env, insn) ||
	       (bpf_is_call(insn, 0) && insn->imm == BPF_FUNC_timer_set_callback);
}

bool is_bpf_graph_api_kfunc_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	const struct bpf_kfunc_desc *desc = desc_of(insn);

	return desc && (is_list_kfunc(desc->special) || is_rbtree_kfunc(desc->special) ||
			desc->special == KFUNC_REFCOUNT_ACQUIRE ||
			!strncmp(desc->kfunc->name, "bpf_iter_num_", 13));
}

bool is_may_goto_insn(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_JCOND) && insn->src_reg == BPF_MAY_GOTO;
}

bool helper_changes_pkt_data(s32 func_id)
{
	const struct bpf_func_proto *proto = bpf_helper_proto(NULL, (u32)func_id);

	return proto && proto->changes_packet;
}

u32 call_arity(const struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	const struct bpf_kfunc_desc *desc = desc_of(insn);
	const struct bpf_func_proto *proto;
	u32 nr = 0;

	if (desc)
		return desc->nr_args;
	proto = bpf_is_call(insn, 0) ? bpf_helper_proto(env->prog, (u32)insn->imm) : NULL;
	if (!proto)
		return 5;
	while (nr < ARRAY_SIZE(proto->args) && proto->args[nr])
		nr++;
	return nr;
}

/* --- may it be called ------------------------------------------------------------------------ */

static int check_permission(struct bpf_verifier_env *env, struct kfunc_call *call)
{
	const struct bpf_kfunc_desc *desc = call->desc;
	int err;

	if (!desc || bpf_kfunc_allowed(env->prog, desc)) {
		verbose(env, "calling kernel function %s is not allowed\n", call->name);
		return -EACCES;
	}
	/* first: where it may not be called at all, sleeping is not the point */
	err = bind_kfunc_call(env, call->insn_idx, desc);
	if (err)
		return err;
	if (desc->kfunc->flags & KF_SLEEPABLE && !in_sleepable(env)) {
		verbose(env, "program must be sleepable to call sleepable kfunc %s\n", call->name);
		return -EACCES;
	}
	/* iterators remember whether they began in a section */
	if (desc->kfunc->flags & KF_RCU_PROTECTED && !(desc->kfunc->flags & KF_ITER_NEW) &&
	    !in_rcu_cs(env)) {
		verbose(env, "kernel func %s requires RCU critical section protection\n",
			call->name);
		return -EACCES;
	}
	return 0;
}

/* --- callbacks --------------------------------------------------------------------------------- */

static int push_callback(struct bpf_verifier_env *env, const struct bpf_insn *insn,
			 struct kfunc_call *call)
{
	int err;

	switch (call->desc->special) {
	case KFUNC_RBTREE_ADD:
		err = push_callback_call(env, insn, call->insn_idx, call->subprogno,
					 set_rbtree_add_callback_state);
		break;
	case KFUNC_WQ_SET_CALLBACK:
		err = push_callback_call(env, insn, call->insn_idx, call->subprogno,
					 set_timer_callback_state);
		break;
	default:
		return 0;
	}
	if (err)
		verbose(env, "kfunc %s#%u failed callback verification\n", call->name,
			call->desc->btf_id);
	return err;
}

/* --- sections ---------------------------------------------------------------------------------- */

static int rcu_section(struct bpf_verifier_env *env, const struct kfunc_call *call)
{
	bool lock = call->desc->special == KFUNC_RCU_READ_LOCK;
	bool unlock = call->desc->special == KFUNC_RCU_READ_UNLOCK;

	if (!env->cur->active_rcu_lock) {
		env->cur->active_rcu_lock = lock;
		if (!unlock)
			return 0;
		verbose(env, "unmatched rcu read unlock (kernel function %s)\n", call->name);
		return -EINVAL;
	}
	if (in_rbtree_lock_required_cb(env) && (lock || unlock)) {
		verbose(env,
			"Calling bpf_rcu_read_{lock,unlock} in unnecessary rbtree callback\n");
		return -EACCES;
	}
	if (lock) {
		verbose(env, "nested rcu read lock (kernel function %s)\n", call->name);
		return -EINVAL;
	}
	if (unlock) {
		invalidate_rcu_protected(env);
		invalidate_rcu_iters(env);
		env->cur->active_rcu_lock = false;
	} else if (call->flags & KF_SLEEPABLE) {
		verbose(env, "kernel func %s is sleepable within rcu_read_lock region\n",
			call->name);
		return -EACCES;
	}
	return 0;
}

static int preempt_section(struct bpf_verifier_env *env, const struct kfunc_call *call)
{
	switch (call->desc->special) {
	case KFUNC_PREEMPT_DISABLE:
		env->cur->active_preempt_locks++;
		return 0;
	case KFUNC_PREEMPT_ENABLE:
		if (!env->cur->active_preempt_locks) {
			verbose(env,
				"unmatched attempt to enable preemption (kernel function %s)\n",
				call->name);
			return -EINVAL;
		}
		env->cur->active_preempt_locks--;
		return 0;
	default:
		if (!env->cur->active_preempt_locks || !(call->flags & KF_SLEEPABLE))
			return 0;
		verbose(env, "kernel func %s is sleepable within non-preemptible region\n",
			call->name);
		return -EACCES;
	}
}

/* --- references ---------------------------------------------------------------------------------- */

static int not_acquired(struct bpf_verifier_env *env, const struct kfunc_call *call, int err)
{
	if (err)
		verbose(env, "kfunc %s#%u reference has not been acquired before\n", call->name,
			call->desc->btf_id);
	return err;
}

static bool adds_node(const struct kfunc_call *call)
{
	return call->desc->special == KFUNC_LIST_PUSH_FRONT ||
	       call->desc->special == KFUNC_LIST_PUSH_BACK ||
	       call->desc->special == KFUNC_RBTREE_ADD;
}

static int release(struct bpf_verifier_env *env, const struct kfunc_call *call)
{
	u32 ref;
	int err;

	if (call->release_regno) {
		ref = reg_state(env, (int)call->release_regno)->ref_obj_id;
		err = not_acquired(env, call, release_reference(env, ref));
		if (err)
			return err;
	}
	if (!adds_node(call))
		return 0;
	ref = reg_state(env, BPF_REG_2)->ref_obj_id;
	err = ref_convert_owning_non_owning(env, ref);
	if (err) {
		verbose(env, "kfunc %s#%u conversion of owning ref to non-owning failed\n",
			call->name, call->desc->btf_id);
		return err;
	}
	return not_acquired(env, call, release_reference(env, ref));
}

/* The program ends here; without a callback of its own it returns what was thrown. */
static int throw(struct bpf_verifier_env *env, const struct kfunc_call *call)
{
	if (call->desc->special != KFUNC_THROW)
		return 0;
	env->seen_exception = true;
	return env->exception_callback_subprog ? 0 : check_return_code(env, BPF_REG_1, "R1");
}

/* --- the call --------------------------------------------------------------------------------------- */

int check_kfunc_call(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 *insn_idx)
{
	struct kfunc_call call = { .desc = desc_of(insn), .insn_idx = *insn_idx,
				   .name = type_name(bpf_kernel_btf(), (u32)insn->imm),
				   .iter.spi = -1 };
	int err = check_permission(env, &call);

	if (err)
		return err;
	call.flags = call.desc->kfunc->flags;
	if (call.desc->special == KFUNC_SESSION_COOKIE)
		call.r0_size = sizeof(u64);
	env->aux[call.insn_idx].is_iter_next = call.flags & KF_ITER_NEXT;
	facts_of_kfunc(env, call.insn_idx, call.desc);
	err = check_kfunc_args(env, &call);
	err = err ?: push_callback(env, insn, &call);
	err = err ?: rcu_section(env, &call);
	err = err ?: preempt_section(env, &call);
	err = err ?: release(env, &call);
	err = err ?: throw(env, &call);
	if (err)
		return err;
	clear_caller_saved_regs(env, cur_regs(env));
	err = set_kfunc_result(env, &call);
	if (!err && call.flags & KF_ITER_NEXT)
		err = process_iter_next_call(env, call.insn_idx, call.iter.spi, call.iter.frameno);
	return err;
}
