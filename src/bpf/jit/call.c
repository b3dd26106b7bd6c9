// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a call of a helper or kfunc is for the compiler: which function, how it
 * is charged, and whether C must stand in between.
 */
#include <stddef.h>

#include "../helpers/helpers.h"
#include "../kfunc/kfunc.h"
#include "jit.h"

u8 bpf_jit_doubts(const struct bpf_prog *prog, u32 insn)
{
	const struct bpf_prog_exec *exec = prog->exec;
	u32 lo = 0, hi = exec->nr_doubts;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (exec->doubts[mid].insn < insn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < exec->nr_doubts && exec->doubts[lo].insn == insn ? exec->doubts[lo].args : 0;
}

/* --- helpers ---------------------------------------------------------------------- */

/* Which argument of a helper is its map, from 0; 5: none. */
static u32 map_argument(const struct bpf_func_proto *proto)
{
	u32 arg = 0;

	while (arg < 5 && (proto->args[arg] & ARG_TYPE_MASK) != ARG_CONST_MAP_PTR)
		arg++;
	return arg;
}

/* The function of a map that a helper does no more than call; NULL: it does more. */
static void *map_function(const struct bpf_map *map, u32 helper)
{
	switch (helper) {
	case BPF_FUNC_map_lookup_elem:
		return (void *)map->ops->lookup;
	case BPF_FUNC_map_update_elem:
		return (void *)map->ops->update;
	case BPF_FUNC_map_delete_elem:
		return (void *)map->ops->delete;
	case BPF_FUNC_map_push_elem:
		return (void *)map->ops->push;
	case BPF_FUNC_map_pop_elem:
		return (void *)map->ops->pop;
	case BPF_FUNC_map_peek_elem:
		return (void *)map->ops->peek;
	default:
		return NULL;
	}
}

static void describe_helper(const struct bpf_prog *prog, u32 insn, struct bpf_jit_call *call)
{
	u32 id = (u32)prog->insns[insn].imm;
	const struct bpf_func_proto *proto = bpf_helper_proto(prog, id);
	const struct bpf_insn_facts *facts = prog->facts ? &prog->facts[insn] : NULL;
	u32 map;

	call->helper = id;
	call->kind = JIT_CALL_SLOW;
	call->ret_size = 8;
	if (id == BPF_FUNC_tail_call) {
		call->kind = JIT_CALL_TAIL;
		call->ns = bpf_helper_ns(NULL);
		call->map = facts && facts->same_map ? prog->maps[facts->map] : NULL;
		return;
	}
	if (!proto || !proto->fn)
		return;
	call->fn = (void *)proto->fn;
	call->settle = !proto->timeless;
	map = map_argument(proto);
	if (!map && facts && facts->same_map)
		call->map = prog->maps[facts->map];
	/* what it takes depends on the map */
	if (proto->calls_back || (map < 5 && !call->map) || bpf_jit_doubts(prog, insn))
		return;
	call->kind = JIT_CALL_DIRECT;
	call->ns = bpf_helper_ns(call->map);
	if (call->map && map_function(call->map, id))
		call->fn = map_function(call->map, id);
}

/* --- kfuncs ----------------------------------------------------------------------- */

/* Sections are counted, and that is all. */
static bool describe_section(const struct bpf_kfunc_desc *desc, struct bpf_jit_call *call)
{
	switch (desc->special) {
	case KFUNC_RCU_READ_LOCK:
	case KFUNC_RCU_READ_UNLOCK:
		call->counter = offsetof(struct bpf_exec, rcu_depth);
		call->delta = desc->special == KFUNC_RCU_READ_LOCK ? 1 : -1;
		return true;
	case KFUNC_PREEMPT_DISABLE:
	case KFUNC_PREEMPT_ENABLE:
		call->counter = offsetof(struct bpf_exec, preempt_depth);
		call->delta = desc->special == KFUNC_PREEMPT_DISABLE ? 1 : -1;
		return true;
	default:
		return false;
	}
}

static void describe_kfunc(const struct bpf_prog *prog, u32 insn, struct bpf_jit_call *call)
{
	const struct bpf_kfunc_desc *desc = prog->exec->kfuncs[prog->insns[insn].imm];
	u32 flags = desc->kfunc->flags, i;

	call->fn = desc->kfunc->fn;
	for (i = 0; i < desc->nr_args; i++)
		call->bool_args |= (u8)(desc->args[i].boolean << i);
	call->ret_size = desc->ret == KRET_VOID ? 0 : desc->ret == KRET_SCALAR ? (u8)desc->ret_size : 8;
	if (desc->ret == KRET_SCALAR) {
		call->ret_signed = desc->ret_signed;
		call->ret_bool = desc->ret_bool;
	}
	call->settle = !(flags & KF_TIMELESS);
	call->kind = JIT_CALL_SLOW;
	if (flags & (KF_CALLS_BACK | KF_ACQUIRE | KF_RELEASE) || bpf_jit_doubts(prog, insn))
		return;
	call->ns = bpf_env->kfunc_ns;
	call->kind = !call->settle && describe_section(desc, call) ? JIT_CALL_COUNT :
								     JIT_CALL_DIRECT;
}

void bpf_jit_describe_call(const struct bpf_prog *prog, u32 insn, struct bpf_jit_call *call)
{
	*call = (struct bpf_jit_call){ 0 };
	if (prog->insns[insn].src_reg == BPF_PSEUDO_KFUNC_CALL)
		describe_kfunc(prog, insn, call);
	else
		describe_helper(prog, insn, call);
}
