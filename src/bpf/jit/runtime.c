// SPDX-License-Identifier: GPL-2.0-only
/*
 * What compiled code calls. Everything here does what the interpreter does in
 * its place, without asking what has been proved.
 */
#include <string.h>

#include "../helpers/helpers.h"
#include "../kfunc/kfunc.h"
#include "../maps/arena.h"
#include "jit.h"

/* --- calls ---------------------------------------------------------------------- */

static u32 depth_of(const struct bpf_exec *x, u64 fp)
{
	return BPF_MAX_FRAMES - (u32)((fp - (u64)x->stack) / BPF_STACK_SIZE);
}

static u64 call_helper(struct bpf_exec *x, u32 id, const u64 args[5])
{
	const struct bpf_func_proto *proto = bpf_helper_proto(x->prog, id);
	const struct bpf_map *map = NULL;
	u32 arg;

	if (!proto || !proto->fn) {
		bpf_helper_absent(x);
		return 0;
	}
	for (arg = 0; arg < 5; arg++)
		if ((proto->args[arg] & ARG_TYPE_MASK) == ARG_CONST_MAP_PTR)
			map = (const struct bpf_map *)args[arg];
	bpf_exec_charge_call(x, bpf_helper_ns(map), proto->timeless);
	bpf_exec_current = x;
	return proto->fn(args[0], args[1], args[2], args[3], args[4]);
}

static u64 call_kfunc(struct bpf_exec *x, const struct bpf_kfunc_desc *desc, const u64 args[5])
{
	u64 passed[5] = { 0 };
	u32 arg;

	for (arg = 0; arg < desc->nr_args; arg++)
		passed[arg] = bpf_kfunc_pass(&desc->args[arg], args[arg]);
	return bpf_kfunc_extend(desc, bpf_kfunc_execute(x, desc, passed));
}

/*
 * Objects that may not be there, in @doubts, are looked at as what a program has read
 * somewhere, which is what they are. False when stopped.
 */
static bool check_doubts(struct bpf_exec *x, const struct bpf_insn *insn, const u64 args[5],
			 u8 doubts)
{
	bool kfunc = insn->src_reg == BPF_PSEUDO_KFUNC_CALL, ok = true;
	struct bpf_reg r[6] = { 0 };
	u32 arg;

	for (arg = 0; arg < 5; arg++)
		r[arg + 1] = (struct bpf_reg){
			.v = args[arg], .base = args[arg],
			.region = doubts >> arg & 1 ? &bpf_region_walked : NULL,
		};
	for (arg = 0; arg < 5 && ok; arg++) {
		if (!(doubts >> arg & 1))
			continue;
		if (kfunc)
			ok = bpf_kfunc_check_arg(x, x->prog->exec->kfuncs[insn->imm], arg, r);
		else
			ok = bpf_helper_check_arg(x, (u32)insn->imm, arg, r);
	}
	return ok;
}

u64 bpf_jit_call_slow(struct bpf_exec *x, const u64 args[5], u64 fp, u32 insn)
{
	const struct bpf_insn *call = &x->prog->insns[insn];
	u8 doubts = bpf_jit_doubts(x->prog, insn);

	x->insn = insn;
	x->depth = depth_of(x, fp);
	if (unlikely(doubts) && !check_doubts(x, call, args, doubts))
		return 0;
	if (call->src_reg == BPF_PSEUDO_KFUNC_CALL)
		return call_kfunc(x, x->prog->exec->kfuncs[call->imm], args);
	return call_helper(x, (u32)call->imm, args);
}

const void *bpf_jit_tail_call(struct bpf_exec *x, u64 map, u64 index, u64 fp)
{
	const struct bpf_prog *next = bpf_exec_tail_callee(x, (struct bpf_map *)map, (u32)index);

	return next ? next->jit->main : NULL;
}

/* --- memory --------------------------------------------------------------------- */

u64 bpf_jit_probe_load(u64 addr, u32 size)
{
	u64 v = 0;

	bpf_probe_read(&v, addr, size);
	return v;
}

static void *arena_address(const struct bpf_exec *x, u64 addr, u32 size)
{
	return bpf_arena_address(x->prog->exec->arena->map, addr, size);
}

u64 bpf_jit_arena_load(struct bpf_exec *x, u64 addr, u32 size)
{
	const void *p = arena_address(x, addr, size);
	u64 v = 0;

	if (p)
		memcpy(&v, p, size);
	return v;
}

void bpf_jit_arena_store(struct bpf_exec *x, u64 addr, u64 value, u32 size)
{
	void *p = arena_address(x, addr, size);

	if (p)
		memcpy(p, &value, size);
}

void *bpf_jit_arena_atomic(struct bpf_exec *x, u64 addr, u32 size)
{
	struct bpf_reg reg = { .v = addr, .region = x->prog->exec->arena };

	return bpf_exec_atomic(x, &reg, 0, size);
}

bool bpf_jit_load_packet(struct bpf_exec *x, s64 pos, u32 size, u64 *value)
{
	return bpf_exec_load_packet(x, pos, size, value);
}

/* --- stopping --------------------------------------------------------------------- */

void bpf_jit_too_deep(struct bpf_exec *x, u32 insn)
{
	x->insn = insn;
	bpf_exec_too_deep(x);
}

void bpf_jit_trap(struct bpf_exec *x, u32 insn)
{
	x->insn = insn;
	bpf_exec_missing(x, x->prog->insns[insn].imm);
}

bool bpf_jit_refill(struct bpf_exec *x, u32 insn)
{
	x->insn = insn;
	return bpf_exec_refill(x);
}
