// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which instructions can be reached when constants are what they are, and from
 * where each function is called: by the program itself, or later by a timer or
 * work queue that was given it as a callback.
 *
 * This is constant propagation over registers (as in SCCP: optimistic, so that
 * a branch is dead until a value says otherwise), function by function. It knows
 * what clang makes of bpf_ksym_exists() and of constants in frozen read-only
 * maps. Ranges and spilled constants it does not know: what it calls dead is
 * dead, what it calls live may be dead nevertheless.
 *
 * A callback whose function cannot be told is taken to be any that the program
 * has the address of.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "check.h"
#include "helpers.h"
#include "kfunc.h"

#define NR_VALUES BPF_REG_10 /* r10 never changes and is no constant */
#define NO_STATE (~0u)

/* How a function calls another. */
enum {
	CALLED = 1 << 0, /* now, as a callback or not */
	CALLED_BY_TIMER = 1 << 1,
	CALLED_BY_WQ = 1 << 2,
};

struct value {
	enum { UNKNOWN, NUMBER, RODATA, FUNC } kind;
	u32 index; /* RODATA: of prog->maps; FUNC: of prog->subprogs */
	u64 v; /* FUNC: 0 */
};

struct state {
	struct value r[NR_VALUES];
};

struct flow {
	struct bpf_check_env *env;
	const struct bpf_prog *prog;
	u32 *slot; /* by instruction: its state, NO_STATE if it is not the target of a jump */
	struct state *states;
	u32 *todo; /* instructions with a state to go on from */
	bool *queued;
	u32 nr_todo;
	u8 *edges; /* [caller][callee] */
	u8 wild[BPF_MAX_SUBPROGS]; /* how each calls functions that cannot be told */
	bool grown; /* more of those, or more that they may be */
};

/* --- states --------------------------------------------------------------------- */

static u8 *edge(struct flow *f, u32 caller, u32 callee)
{
	return &f->edges[caller * f->prog->nr_subprogs + callee];
}

static u32 subprog_index(const struct flow *f, u32 insn)
{
	return (u32)(bpf_subprog_of(f->prog, insn) - f->prog->subprogs);
}

static bool same(const struct value *a, const struct value *b)
{
	return a->kind == b->kind && a->index == b->index && a->v == b->v;
}

/* Control comes to @i with the registers of @s (NULL: nothing is known). */
static void arrive(struct flow *f, u32 i, const struct state *s)
{
	static const struct state unknown;
	struct state *at = &f->states[f->slot[i]];
	bool changed = !f->env->live[i];
	u32 r;

	if (!s)
		s = &unknown;
	if (changed)
		*at = *s;
	for (r = 0; r < NR_VALUES; r++)
		if (at->r[r].kind != UNKNOWN && !same(&at->r[r], &s->r[r])) {
			at->r[r] = (struct value){ .kind = UNKNOWN };
			changed = true;
		}
	f->env->live[i] = 1;
	if (changed && !f->queued[f->slot[i]]) {
		f->queued[f->slot[i]] = true;
		f->todo[f->nr_todo++] = i;
	}
}

static void call_function(struct flow *f, u32 from, u32 callee, u8 how)
{
	*edge(f, subprog_index(f, from), callee) |= how;
	arrive(f, f->prog->subprogs[callee].start, NULL);
}

static struct value number(u64 v)
{
	return (struct value){ .kind = NUMBER, .v = v };
}

static struct value reg(const struct state *s, u32 r)
{
	return r < NR_VALUES ? s->r[r] : (struct value){ .kind = UNKNOWN };
}

static void set_reg(struct state *s, u32 r, struct value v)
{
	if (r < NR_VALUES)
		s->r[r] = v;
}

static void forget(struct state *s, u32 r)
{
	set_reg(s, r, (struct value){ .kind = UNKNOWN });
}

/* --- values ----------------------------------------------------------------------- */

static struct value alu_value(const struct bpf_insn *insn, struct value dst, struct value src)
{
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64;
	u32 bits = wide ? 63 : 31;
	u64 a = dst.v, b = src.v;

	if (!wide) {
		a = (u32)a;
		b = (u32)b;
	}
	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		a += b;
		break;
	case BPF_SUB:
		a -= b;
		break;
	case BPF_AND:
		a &= b;
		break;
	case BPF_OR:
		a |= b;
		break;
	case BPF_XOR:
		a ^= b;
		break;
	case BPF_LSH:
		a <<= b & bits;
		break;
	case BPF_RSH:
		a >>= b & bits;
		break;
	default:
		return (struct value){ .kind = UNKNOWN };
	}
	dst.v = wide ? a : (u32)a;
	return dst;
}

static void alu(struct state *s, const struct bpf_insn *insn)
{
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64, by_reg = BPF_SRC(insn->code) == BPF_X;
	struct value dst = reg(s, insn->dst_reg), src = number((u64)(s64)insn->imm);
	u8 op = BPF_OP(insn->code);

	if (by_reg && op != BPF_END)
		src = reg(s, insn->src_reg);
	if (op == BPF_MOV && !insn->off && (wide || src.kind == NUMBER)) {
		if (!wide)
			src.v = (u32)src.v;
		set_reg(s, insn->dst_reg, src);
		return;
	}
	/* a pointer to constants stays one when a number is added to it */
	if (src.kind != NUMBER || op == BPF_MOV || op == BPF_END || insn->off ||
	    !(dst.kind == NUMBER || (dst.kind == RODATA && wide && op == BPF_ADD)))
		forget(s, insn->dst_reg);
	else
		set_reg(s, insn->dst_reg, alu_value(insn, dst, src));
}

/* May the value of @map never change again? */
static bool is_constant(const struct bpf_map *map)
{
	return map->flags & BPF_F_RDONLY_PROG && map->frozen;
}

static void load_const(struct flow *f, struct state *s, u32 i)
{
	const struct bpf_insn *insn = &f->prog->insns[i];
	const struct bpf_reg *c;
	struct value v = number((u32)insn->imm | (u64)(u32)insn[1].imm << 32);

	if (bpf_is_func_ref(insn)) {
		v = (struct value){ .kind = FUNC,
				    .index = subprog_index(f, i + 1 + (u32)insn->imm) };
		f->grown |= !(f->env->contexts[v.index] & BPF_ADDRESS_TAKEN);
		f->env->contexts[v.index] |= BPF_ADDRESS_TAKEN;
	} else if (insn->src_reg) {
		c = &f->prog->exec->consts[insn->imm];
		v = number(c->v);
		if (c->region && c->region->kind == REGION_MAP_VALUE && is_constant(c->region->map)) {
			v.kind = RODATA;
			for (v.index = 0; f->prog->maps[v.index] != c->region->map; v.index++)
				;
		}
	}
	set_reg(s, insn->dst_reg, v);
}

static u32 access_size(u8 code)
{
	return BPF_SIZE(code) == BPF_B ? 1 : BPF_SIZE(code) == BPF_H ? 2 :
	       BPF_SIZE(code) == BPF_W ? 4 : 8;
}

static void load(struct flow *f, struct state *s, const struct bpf_insn *insn)
{
	struct value p = reg(s, insn->src_reg);
	u32 size = access_size(insn->code), zero = 0;
	struct bpf_map *map;
	u64 v = 0, pos;

	forget(s, insn->dst_reg);
	if (p.kind != RODATA || BPF_MODE(insn->code) != BPF_MEM)
		return;
	map = f->prog->maps[p.index];
	pos = p.v + (u64)(s64)insn->off - (u64)map->ops->lookup(map, &zero);
	if (pos > map->value_size || size > map->value_size - pos)
		return;
	memcpy(&v, (const char *)map->ops->lookup(map, &zero) + pos, size);
	set_reg(s, insn->dst_reg, number(v));
}

/* 1: taken, 0: not, -1: who knows. */
static int decide(const struct state *s, const struct bpf_insn *insn)
{
	struct value l = reg(s, insn->dst_reg), r = number((u64)(s64)insn->imm);
	bool wide = BPF_CLASS(insn->code) == BPF_JMP;
	u64 a, b;
	s64 sa, sb;

	if (BPF_SRC(insn->code) == BPF_X)
		r = reg(s, insn->src_reg);
	/* addresses of functions are no constants, but none of them is 0 */
	if (l.kind == UNKNOWN || l.kind == FUNC || r.kind == UNKNOWN || r.kind == FUNC)
		return -1;
	a = wide ? l.v : (u32)l.v;
	b = wide ? r.v : (u32)r.v;
	sa = wide ? (s64)a : (s32)a;
	sb = wide ? (s64)b : (s32)b;
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return (a & b) != 0;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSGT:
		return sa > sb;
	case BPF_JSGE:
		return sa >= sb;
	case BPF_JSLT:
		return sa < sb;
	case BPF_JSLE:
		return sa <= sb;
	default:
		return -1;
	}
}

/* --- calls --------------------------------------------------------------------------- */

static void pass_callback(struct flow *f, const struct state *s, u32 i, u32 arg, u8 how)
{
	struct value v = reg(s, BPF_REG_1 + arg);
	u8 *wild = &f->wild[subprog_index(f, i)];

	if (v.kind == FUNC) {
		call_function(f, i, v.index, how);
		return;
	}
	f->grown |= (how & ~*wild) != 0;
	*wild |= how;
}

static void call_helper(struct flow *f, const struct state *s, u32 i)
{
	u32 id = (u32)f->prog->insns[i].imm, arg;
	const struct bpf_func_proto *proto = bpf_helper_proto(f->prog, id);

	for (arg = 0; proto && arg < ARRAY_SIZE(proto->args); arg++)
		if ((proto->args[arg] & ARG_TYPE_MASK) == ARG_PTR_TO_FUNC)
			pass_callback(f, s, i, arg, id == BPF_FUNC_timer_set_callback ?
						    CALLED_BY_TIMER : CALLED);
}

static void call_kfunc(struct flow *f, const struct state *s, u32 i)
{
	const struct bpf_kfunc_desc *desc = bpf_kfunc_find((u32)f->prog->insns[i].imm);
	u32 arg;

	for (arg = 0; desc && arg < desc->nr_args; arg++)
		if (desc->args[arg].kind == KARG_CALLBACK)
			pass_callback(f, s, i, arg, bpf_kfunc_is_async(desc) ? CALLED_BY_WQ :
									       CALLED);
}

static void call(struct flow *f, struct state *s, u32 i)
{
	const struct bpf_insn *insn = &f->prog->insns[i];
	u32 r;

	if (insn->src_reg == BPF_PSEUDO_CALL)
		call_function(f, i, subprog_index(f, i + 1 + (u32)insn->imm), CALLED);
	else if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		call_kfunc(f, s, i);
	else
		call_helper(f, s, i);
	for (r = BPF_REG_0; r <= BPF_REG_5; r++)
		forget(s, r);
}

/* --- one instruction after the other ------------------------------------------------- */

static void other(struct flow *f, struct state *s, u32 i)
{
	const struct bpf_insn *insn = &f->prog->insns[i];
	u32 r;

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		alu(s, insn);
		break;
	case BPF_LDX:
		load(f, s, insn);
		break;
	case BPF_STX:
		if (BPF_MODE(insn->code) != BPF_ATOMIC)
			break;
		forget(s, insn->imm == BPF_CMPXCHG ? (u32)BPF_REG_0 : insn->src_reg);
		break;
	case BPF_LD:
		if (bpf_is_ldimm64(insn)) {
			load_const(f, s, i);
			break;
		}
		for (r = BPF_REG_0; r <= BPF_REG_5; r++)
			forget(s, r);
		break;
	default: /* ST */
		break;
	}
}

/* Goes on from @i until control does not simply come to the next instruction. */
static void walk(struct flow *f, u32 i)
{
	const struct bpf_prog *prog = f->prog;
	struct state s = f->states[f->slot[i]];

	for (;;) {
		const struct bpf_insn *insn = &prog->insns[i];
		int taken = 0;

		f->env->live[i] = 1;
		if (insn->code == (BPF_JMP | BPF_EXIT))
			return;
		if (insn->code == (BPF_JMP | BPF_CALL))
			call(f, &s, i);
		else if (bpf_is_jump(insn))
			taken = BPF_OP(insn->code) == BPF_JA ? 1 : decide(&s, insn);
		else
			other(f, &s, i);
		if (taken)
			arrive(f, (u32)bpf_jump_target(insn, i), &s);
		if (taken > 0)
			return;
		i += 1 + bpf_is_ldimm64(insn);
		if (f->slot[i] != NO_STATE) {
			arrive(f, i, &s);
			return;
		}
	}
}

/* Every target of a jump and every function gets a state. */
static void make_states(struct flow *f)
{
	const struct bpf_prog *prog = f->prog;
	u32 i, nr = 0;

	for (i = 0; i < prog->len; i++)
		f->slot[i] = NO_STATE;
	for (i = 0; i < prog->nr_subprogs; i++)
		f->slot[prog->subprogs[i].start] = 0;
	for (i = 0; i < prog->len; i++) {
		if (bpf_is_jump(&prog->insns[i]))
			f->slot[bpf_jump_target(&prog->insns[i], i)] = 0;
		i += bpf_is_ldimm64(&prog->insns[i]);
	}
	for (i = 0; i < prog->len; i++)
		if (f->slot[i] != NO_STATE)
			f->slot[i] = nr++;
	f->states = xcalloc(nr, sizeof(*f->states));
	f->todo = xcalloc(nr, sizeof(*f->todo));
	f->queued = xcalloc(nr, sizeof(*f->queued));
}

static void drain(struct flow *f)
{
	while (f->nr_todo) {
		u32 i = f->todo[--f->nr_todo];

		f->queued[f->slot[i]] = false;
		walk(f, i);
	}
}

/* Any function that the program has the address of. */
static void call_wildly(struct flow *f)
{
	u32 s, callee;

	for (s = 0; s < f->prog->nr_subprogs; s++)
		for (callee = 0; f->wild[s] && callee < f->prog->nr_subprogs; callee++)
			if (f->env->contexts[callee] & BPF_ADDRESS_TAKEN)
				call_function(f, f->prog->subprogs[s].start, callee, f->wild[s]);
}

/* --- from where functions are called ----------------------------------------------------- */

/* What a call of kind @how by a function with @contexts makes of the callee's. */
static u8 passed_on(u8 contexts, u8 how)
{
	u8 in = contexts & BPF_CONTEXTS;

	if (!in)
		return 0;
	return (how & CALLED ? in : 0) |
	       (how & CALLED_BY_TIMER ? BPF_CONTEXT_TIMER : 0) |
	       (how & CALLED_BY_WQ ? BPF_CONTEXT_WQ : 0);
}

static void find_contexts(struct flow *f)
{
	u8 *contexts = f->env->contexts;
	u32 nr = f->prog->nr_subprogs, caller, callee;
	bool changed;

	contexts[0] |= BPF_CONTEXT_MAIN;
	do {
		changed = false;
		for (caller = 0; caller < nr; caller++)
			for (callee = 0; callee < nr; callee++) {
				u8 more = passed_on(contexts[caller], *edge(f, caller, callee));

				changed |= (more & ~contexts[callee]) != 0;
				contexts[callee] |= more;
			}
	} while (changed);
}

/* Nobody asks about the flow of others. */
static bool calls_kfuncs(const struct bpf_prog *prog)
{
	u32 i;

	for (i = 0; i < prog->len; i++)
		if (bpf_is_call(&prog->insns[i], BPF_PSEUDO_KFUNC_CALL))
			return true;
	return false;
}

int bpf_check_flow(struct bpf_check_env *env)
{
	const struct bpf_prog *prog = env->prog;
	struct flow f = { .env = env, .prog = prog };

	if (!calls_kfuncs(prog))
		return 0;
	env->live = xcalloc(prog->len, 1);
	f.slot = xcalloc(prog->len, sizeof(*f.slot));
	f.edges = xcalloc(prog->nr_subprogs, prog->nr_subprogs);
	make_states(&f);
	arrive(&f, 0, NULL);
	drain(&f);
	while (f.grown) {
		f.grown = false;
		call_wildly(&f);
		drain(&f);
	}
	find_contexts(&f);
	free(f.slot);
	free(f.states);
	free(f.todo);
	free(f.queued);
	free(f.edges);
	return 0;
}
