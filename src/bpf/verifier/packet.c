// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets: bytes behind pointers whose distance to the end was tested, keys of
 * flows, and the old loads from packets (LD_ABS, LD_IND).
 */
#include <errno.h>

#include "mem_internal.h"

bool may_access_direct_pkt_data(struct bpf_verifier_env *env, const struct bpf_call_arg_meta *meta,
				enum bpf_access_type t)
{
	switch (env->prog->type) {
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
	case BPF_PROG_TYPE_SK_REUSEPORT:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_CGROUP_SKB:
		return t == BPF_READ && (!meta || meta->pkt_access);
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_XDP:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
		return !meta || meta->pkt_access;
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return true;
	default:
		return false;
	}
}

int check_packet_access(struct bpf_verifier_env *env, u32 regno, s32 off, s32 size,
			bool zero_size_allowed)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	int err;

	/* the range was tested with the variable part added: only the fixed one is left */
	if (reg->s.smin_value < 0)
		return complain_negative(env, regno);
	err = reg->range < 0 ? -EINVAL :
			       check_mem_bounds(env, regno, off, size, (u32)reg->range,
						zero_size_allowed);
	if (err)
		verbose(env, "R%u offset is outside of the packet\n", regno);
	return err;
}

int access_packet(struct bpf_verifier_env *env, const struct mem_access *a)
{
	int err;

	if (a->t == BPF_WRITE && !may_access_direct_pkt_data(env, NULL, a->t)) {
		verbose(env, "cannot write into packet\n");
		return -EACCES;
	}
	err = check_packet_access(env, a->regno, a->off, a->size, false);
	if (!err)
		mark_loaded_scalar(env, a);
	return err;
}

int access_flow_keys(struct bpf_verifier_env *env, const struct mem_access *a)
{
	if (!tnum_equals_const(a->reg->s.var_off, 0) || a->off < 0 ||
	    (u32)a->off + (u32)a->size > sizeof(struct bpf_flow_keys)) {
		verbose(env, "invalid access to flow keys off=%d size=%d\n", a->off, a->size);
		return -EACCES;
	}
	mark_loaded_scalar(env, a);
	return 0;
}

static bool points_into_packet(const struct bpf_reg_state *reg)
{
	switch (base_type(reg->type)) {
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
	case PTR_TO_PACKET_END:
		return true;
	case PTR_TO_MEM:
		return reg->type & (DYNPTR_TYPE_SKB | DYNPTR_TYPE_XDP);
	default:
		return false;
	}
}

void clear_all_pkt_pointers(struct bpf_verifier_env *env)
{
	struct bpf_func_state *func;
	struct bpf_reg_state *reg;

	bpf_for_each_reg_in_vstate(env->cur, func, reg, ({
		if (points_into_packet(reg))
			reg_mark_unknown(reg);
	}));
}

/* --- LD_ABS and LD_IND ---------- */

/*
 * They end the program when the packet is too short, so nothing may be held that
 * somebody would have to give back.
 */
static int check_ld_abs_held(struct bpf_verifier_env *env)
{
	const struct bpf_verifier_state *st = env->cur;
	const char *what = NULL;
	int err;

	for (u32 i = st->curframe; i; i--) {
		if (st->frame[i]->in_callback_fn) {
			verbose(env, "cannot use BPF_LD_[ABS|IND] within callback\n");
			return -EINVAL;
		}
	}
	err = check_reg_arg(env, BPF_REG_6, SRC_OP);
	if (err)
		return err;
	err = check_reference_leak(env, false);
	if (err) {
		verbose(env, "BPF_LD_[ABS|IND] cannot be mixed with socket references\n");
		return err;
	}
	if (st->active_locks)
		what = "bpf_spin_lock-ed";
	else if (st->active_rcu_lock)
		what = "bpf_rcu_read_lock-ed";
	else if (st->active_preempt_locks)
		what = "bpf_preempt_disable-ed";
	if (!what)
		return 0;
	verbose(env, "BPF_LD_[ABS|IND] cannot be used inside %s region\n", what);
	return -EINVAL;
}

static int check_ld_abs_regs(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	const struct bpf_reg_state *ctx = reg_state(env, BPF_REG_6);
	int err = 0;

	if (ctx->type != PTR_TO_CTX) {
		verbose(env, "at the time of BPF_LD_ABS|IND R6 != pointer to skb\n");
		return -EINVAL;
	}
	if (BPF_MODE(insn->code) == BPF_IND)
		err = check_reg_arg(env, insn->src_reg, SRC_OP);
	return err ?: check_ptr_off_reg(env, ctx, BPF_REG_6, false);
}

/* The packet was too short: in a function of the program, that is a return of 0. */
static int follow_short_packet(struct bpf_verifier_env *env)
{
	int err;

	mark_reg_scratched(env, BPF_REG_0);
	if (!push_stack(env, env->insn_idx + 1, env->insn_idx))
		return -E2BIG;
	reg_mark_known(reg_state(env, BPF_REG_0), 0);
	err = prepare_func_exit(env, &env->insn_idx);
	env->insn_idx--; /* whoever called us goes on to the next one */
	return err;
}

int check_ld_abs(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	int err;

	switch (env->prog->type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
		break;
	default:
		verbose(env, "BPF_LD_[ABS|IND] instructions not allowed for this program type\n");
		return -EINVAL;
	}
	err = check_ld_abs_held(env) ?: check_ld_abs_regs(env, insn);
	if (err)
		return err;
	clear_caller_saved_regs(env, cur_regs(env));
	mark_reg_unknown(env, cur_regs(env), BPF_REG_0);
	return env->cur->curframe ? follow_short_packet(env) : 0;
}
