// SPDX-License-Identifier: GPL-2.0-only
/*
 * What verification has found out for the compiler: collected while paths are
 * followed, and written down when all of them are good.
 *
 * A compiled program checks nothing that has been proved. What is left is what the
 * verifier lets pass without proof, as Linux does: loads through pointers that may
 * lead nowhere, objects behind such pointers as arguments of calls, and reads of
 * stack that nobody has written.
 */
#include <stdlib.h>

#include "../../base/alloc.h"
#include "call_internal.h"

/* --- loads and stores ------------------------------------------------------------ */

/* May a load through it meet memory that is not there, or not its own? */
static bool is_doubtful(const struct bpf_reg_state *reg)
{
	if (reg->type & (PTR_UNTRUSTED | MEM_USER | MEM_PERCPU))
		return true;
	switch (base_type(reg->type)) {
	case PTR_TO_BTF_ID:
		if (type_is_alloc(reg->type) || is_trusted_reg(reg))
			return false;
		return !is_rcu_reg(reg) || type_may_be_null(reg->type);
	case CONST_PTR_TO_MAP: /* programs may look into the struct, which is ours */
	case PTR_TO_SOCKET: /* there are none */
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_XDP_SOCK:
	case PTR_TO_FLOW_KEYS:
	case PTR_TO_BUF:
	case PTR_TO_TP_BUFFER:
		return true;
	default:
		return false;
	}
}

void facts_of_load(struct bpf_verifier_env *env, u32 regno)
{
	env->aux[env->insn_idx].probe |= is_doubtful(reg_state(env, (int)regno));
}

void facts_of_beyond(struct bpf_verifier_env *env)
{
	env->aux[env->insn_idx].probe = true;
}

void facts_of_ctx_load(struct bpf_verifier_env *env, u32 insn_idx, u32 reg_type)
{
	switch (base_type(reg_type)) {
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
		env->aux[insn_idx].packet = ACCESS_PACKET;
		break;
	case PTR_TO_PACKET_END:
		env->aux[insn_idx].packet = ACCESS_PACKET_END;
		break;
	default:
		break;
	}
}

static u8 access_of(const struct bpf_insn_aux *aux)
{
	if (aux->packet)
		return aux->packet;
	if (base_type(aux->ptr_type) == PTR_TO_ARENA)
		return ACCESS_ARENA;
	return aux->probe ? ACCESS_PROBE : ACCESS_PLAIN;
}

/* --- calls ----------------------------------------------------------------------- */

/* Of a call, by instruction. MAP_NONE: not seen yet. From MAP_FIRST on: the index in prog->maps. */
enum { MAP_NONE, MAP_MANY, MAP_FIRST };

static u16 constant_map(const struct bpf_verifier_env *env, const struct bpf_reg_state *reg)
{
	if (reg->type != CONST_PTR_TO_MAP)
		return MAP_MANY;
	for (u32 i = 0; i < env->prog->nr_maps; i++)
		if (env->prog->maps[i] == reg->map_ptr)
			return (u16)(MAP_FIRST + i);
	return MAP_MANY; /* what a map of maps held */
}

static void note_doubt(struct bpf_verifier_env *env, u32 insn_idx, u32 arg)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)(BPF_REG_1 + arg));

	if (base_type(reg->type) == PTR_TO_BTF_ID && is_doubtful(reg))
		env->aux[insn_idx].doubts |= (u8)(1u << arg);
}

void facts_of_helper(struct bpf_verifier_env *env, u32 insn_idx,
		     const struct bpf_func_proto *proto)
{
	bool tail_call = env->insns[insn_idx].imm == BPF_FUNC_tail_call;
	u16 map = constant_map(env, reg_state(env, tail_call ? BPF_REG_2 : BPF_REG_1));
	u16 *seen = &env->aux[insn_idx].map;

	*seen = *seen == MAP_NONE || *seen == map ? map : MAP_MANY;
	for (u32 arg = 0; arg < 5 && proto; arg++)
		if ((proto->args[arg] & ARG_TYPE_MASK) == ARG_PTR_TO_BTF_ID && proto->btf)
			note_doubt(env, insn_idx, arg);
}

void facts_of_kfunc(struct bpf_verifier_env *env, u32 insn_idx, const struct bpf_kfunc_desc *desc)
{
	for (u32 arg = 0; arg < desc->nr_args; arg++) {
		switch (desc->args[arg].kind) {
		case KARG_OBJECT:
		case KARG_MEM:
		case KARG_MEM_SIZE:
		case KARG_STR:
			note_doubt(env, insn_idx, arg);
			break;
		default:
			break;
		}
	}
}

/* --- the stack ------------------------------------------------------------------- */

void facts_of_unwritten(struct bpf_verifier_env *env, const struct bpf_func_state *func)
{
	env->subprogs[func->subprogno].reads_uninit = true;
}

static bool less_written(const struct bpf_func_state *old, const struct bpf_func_state *cur)
{
	u32 slots = cur->allocated_stack / BPF_REG_SIZE;

	for (u32 i = 0; i < old->allocated_stack / BPF_REG_SIZE; i++)
		for (u32 j = 0; j < BPF_REG_SIZE; j++)
			if (old->stack[i].slot_type[j] != STACK_INVALID &&
			    (i >= slots || cur->stack[i].slot_type[j] == STACK_INVALID))
				return true;
	return false;
}

void facts_of_pruned(struct bpf_verifier_env *env, const struct bpf_verifier_state *old,
		     const struct bpf_verifier_state *cur)
{
	for (u32 i = 0; i <= old->curframe; i++)
		if (less_written(old->frame[i], cur->frame[i]))
			facts_of_unwritten(env, cur->frame[i]);
}

/* --- arithmetic with addresses in arenas ---------------------------------------------- */

/*
 * As in Linux it is of 32 bits; but not where the same instruction works on numbers, too,
 * of which all 64 bits are known to the verifier. Of addresses the upper half never matters.
 */
static void narrow(struct bpf_insn *insn, const struct bpf_insn_aux *aux)
{
	if (aux->arena_op && !aux->number_op && BPF_CLASS(insn->code) == BPF_ALU64)
		insn->code = (u8)(BPF_ALU | (insn->code & ~7));
}

/* --- the end --------------------------------------------------------------------- */

static void write_insn(struct bpf_prog *prog, u32 i, const struct bpf_insn_aux *aux)
{
	struct bpf_prog_exec *exec = prog->exec;

	prog->facts[i] = (struct bpf_insn_facts){
		.access = access_of(aux),
		.same_map = aux->map >= MAP_FIRST,
		.map = aux->map >= MAP_FIRST ? (u8)(aux->map - MAP_FIRST) : 0,
	};
	narrow(&prog->insns[i], aux);
	if (!aux->doubts)
		return;
	exec->doubts = xreallocarray(exec->doubts, exec->nr_doubts + 1, sizeof(*exec->doubts));
	exec->doubts[exec->nr_doubts++] = (struct bpf_call_doubts){ .insn = i,
								    .args = aux->doubts };
}

void facts_write(const struct bpf_verifier_env *env)
{
	struct bpf_prog *prog = env->prog;

	VRT_ASSERT(prog->nr_maps <= 256);
	prog->facts = xcalloc(prog->len, sizeof(*prog->facts));
	for (u32 i = 0; i < prog->len; i++)
		write_insn(prog, i, &env->aux[i]);
	for (u32 i = 0; i < prog->nr_subprogs; i++) {
		struct bpf_subprog *sub = &prog->subprogs[i];

		sub->stack = max(sub->stack, ALIGN_UP(env->subprogs[i].stack_depth, 8U));
		sub->reads_uninit = env->subprogs[i].reads_uninit;
	}
}
