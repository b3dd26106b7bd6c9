// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shape of a program: where its functions are, where jumps go, what can be
 * reached, how deep calls nest, and how much stack each function uses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "check.h"

#define FAIL(env, err, ...) (bpf_log((env)->log, __VA_ARGS__), (err))

/* --- functions ----------------------------------------------------------- */

struct bpf_subprog *bpf_subprog_of(const struct bpf_prog *prog, u32 insn)
{
	u32 lo = 0, hi = prog->nr_subprogs - 1;

	while (lo < hi) {
		u32 mid = lo + (hi - lo + 1) / 2;

		if (prog->subprogs[mid].start <= insn)
			lo = mid;
		else
			hi = mid - 1;
	}
	return &prog->subprogs[lo];
}

struct bpf_subprog *bpf_subprog_at(const struct bpf_prog *prog, u32 start)
{
	struct bpf_subprog *s = bpf_subprog_of(prog, start);

	return s->start == start ? s : NULL;
}

/* Keeps them sorted; the same one twice is fine. */
static int add_subprog(struct bpf_check_env *env, s64 start)
{
	struct bpf_prog *prog = env->prog;
	u32 i;

	if (start < 0 || start >= prog->len)
		return FAIL(env, -EINVAL, "call to invalid destination\n");
	for (i = 0; i < prog->nr_subprogs && prog->subprogs[i].start < start; i++)
		;
	if (i < prog->nr_subprogs && prog->subprogs[i].start == start)
		return 0;
	if (prog->nr_subprogs == BPF_MAX_SUBPROGS)
		return FAIL(env, -E2BIG, "too many subprograms\n");
	memmove(&prog->subprogs[i + 1], &prog->subprogs[i],
		(prog->nr_subprogs - i) * sizeof(*prog->subprogs));
	prog->subprogs[i] = (struct bpf_subprog){ .start = (u32)start };
	prog->nr_subprogs++;
	return 0;
}

int bpf_check_add_subprogs(struct bpf_check_env *env)
{
	struct bpf_prog *prog = env->prog;
	int err;
	u32 i;

	prog->subprogs = xcalloc(BPF_MAX_SUBPROGS, sizeof(*prog->subprogs));
	err = add_subprog(env, 0);
	for (i = 0; i < prog->len && !err; i++) {
		const struct bpf_insn *insn = &prog->insns[i];

		if (bpf_is_call(insn, BPF_PSEUDO_CALL) || bpf_is_func_ref(insn))
			err = add_subprog(env, (s64)i + 1 + insn->imm);
		if (bpf_is_ldimm64(insn))
			i++;
	}
	if (!err && prog->exception_cb)
		err = add_subprog(env, prog->exception_cb);
	if (err)
		return err;
	for (i = 0; i < prog->nr_subprogs; i++)
		prog->subprogs[i].end = i + 1 < prog->nr_subprogs ? prog->subprogs[i + 1].start :
								    prog->len;
	return 0;
}

/* --- jumps --------------------------------------------------------------- */

static bool is_unconditional(const struct bpf_insn *insn)
{
	return bpf_is_jump(insn) && BPF_OP(insn->code) == BPF_JA;
}

static bool is_exit(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_EXIT);
}

int bpf_check_subprogs(struct bpf_check_env *env)
{
	struct bpf_prog *prog = env->prog;
	u32 s, i;

	for (s = 0; s < prog->nr_subprogs; s++) {
		const struct bpf_subprog *sub = &prog->subprogs[s];

		for (i = sub->start; i < sub->end; i++) {
			const struct bpf_insn *insn = &prog->insns[i];
			s64 target = bpf_jump_target(insn, i);

			if (bpf_is_jump(insn) && (target < sub->start || target >= sub->end))
				return FAIL(env, -EINVAL,
					    "jump out of range from insn %d to %d\n", i,
					    (int)target);
		}
		if (!is_exit(&prog->insns[sub->end - 1]) &&
		    !is_unconditional(&prog->insns[sub->end - 1]))
			return FAIL(env, -EINVAL, "last insn is not an exit or jmp\n");
	}
	return 0;
}

/* --- what can be reached ------------------------------------------------- */

struct walk {
	u8 *seen; /* 1: instruction, 2: second slot of a 64-bit load */
	u32 *todo;
	u32 nr_todo;
};

static void push(struct walk *w, u32 i)
{
	if (!w->seen[i]) {
		w->seen[i] = 1;
		w->todo[w->nr_todo++] = i;
	}
}

u32 bpf_insn_successors(const struct bpf_prog *prog, u32 i, u32 succ[2])
{
	const struct bpf_insn *insn = &prog->insns[i];
	u32 nr = 0;

	if (is_exit(insn))
		return 0;
	if (!is_unconditional(insn))
		succ[nr++] = i + 1 + bpf_is_ldimm64(insn);
	if (bpf_is_jump(insn))
		succ[nr++] = (u32)bpf_jump_target(insn, i);
	return nr;
}

static void visit(const struct bpf_prog *prog, struct walk *w, u32 i)
{
	const struct bpf_insn *insn = &prog->insns[i];
	u32 succ[2], nr = bpf_insn_successors(prog, i, succ);

	if (bpf_is_call(insn, BPF_PSEUDO_CALL) || bpf_is_func_ref(insn))
		push(w, i + 1 + (u32)insn->imm);
	while (nr)
		push(w, succ[--nr]);
}

static int check_reached(struct bpf_check_env *env, const u8 *seen)
{
	const struct bpf_prog *prog = env->prog;
	u32 i;

	for (i = 0; i < prog->len; i++) {
		if (!seen[i])
			return FAIL(env, -EINVAL, "unreachable insn %d\n", i);
		if (!bpf_is_ldimm64(&prog->insns[i]))
			continue;
		i++;
		if (seen[i])
			return FAIL(env, -EINVAL, "jump into the middle of ldimm64 insn %d\n", i - 1);
	}
	return 0;
}

/* --- depth of calls ------------------------------------------------------ */

enum { DEPTH_UNKNOWN, DEPTH_IN_PROGRESS = 0xff };

/*
 * The most frames from function @s on, itself included; more than
 * BPF_MAX_FRAMES: too many, as with recursion.
 */
static u32 frames_from(const struct bpf_prog *prog, u32 s, u8 *depth)
{
	const struct bpf_subprog *sub = &prog->subprogs[s];
	u32 most = 0, i;

	if (depth[s] == DEPTH_IN_PROGRESS)
		return BPF_MAX_FRAMES + 1;
	if (depth[s] != DEPTH_UNKNOWN)
		return depth[s];
	depth[s] = DEPTH_IN_PROGRESS;
	for (i = sub->start; i < sub->end && most <= BPF_MAX_FRAMES; i++) {
		const struct bpf_insn *insn = &prog->insns[i];
		u32 callee;

		if (!bpf_is_call(insn, BPF_PSEUDO_CALL))
			continue;
		callee = (u32)(bpf_subprog_at(prog, i + 1 + (u32)insn->imm) - prog->subprogs);
		most = max(most, frames_from(prog, callee, depth));
	}
	depth[s] = (u8)min(most + 1, BPF_MAX_FRAMES + 1U);
	return depth[s];
}

static int check_depth(struct bpf_check_env *env)
{
	u8 depth[BPF_MAX_SUBPROGS] = { 0 };
	u32 s;

	for (s = 0; s < env->prog->nr_subprogs; s++)
		if (frames_from(env->prog, s, depth) > BPF_MAX_FRAMES)
			return FAIL(env, -E2BIG, "the call stack of %d frames is too deep !\n",
				    BPF_MAX_FRAMES);
	return 0;
}

/* --- stack --------------------------------------------------------------- */

/*
 * How deep a function's own frame is used, as far as it shows: accesses by r10,
 * and registers made of it by a move and additions. What it misses is found
 * when it is accessed; this much is zeroed when the function is entered.
 */
static u32 stack_depth(const struct bpf_prog *prog, const struct bpf_subprog *sub)
{
	s32 off[16], lowest = 0; /* registers have not been checked yet */
	bool known[16] = { false };
	u32 i;

	known[BPF_REG_10] = true;
	off[BPF_REG_10] = 0;
	for (i = sub->start; i < sub->end; i++) {
		const struct bpf_insn *insn = &prog->insns[i];
		u8 class = BPF_CLASS(insn->code), dst = insn->dst_reg, src = insn->src_reg;

		if (class == BPF_LDX && src == BPF_REG_10)
			lowest = min(lowest, (s32)insn->off);
		if ((class == BPF_ST || class == BPF_STX) && dst == BPF_REG_10)
			lowest = min(lowest, (s32)insn->off);
		if (insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && !insn->off) {
			known[dst] = known[src];
			off[dst] = known[src] ? off[src] : 0;
		} else if (insn->code == (BPF_ALU64 | BPF_ADD | BPF_K) && known[dst] &&
			   dst != BPF_REG_10 && insn->imm >= -BPF_STACK_SIZE && insn->imm <= 0) {
			off[dst] += insn->imm;
			lowest = min(lowest, off[dst]);
		} else if ((class == BPF_ALU || class == BPF_ALU64 || class == BPF_LDX ||
			    class == BPF_LD) && dst != BPF_REG_10) {
			known[dst] = false;
		}
		if (lowest <= -BPF_STACK_SIZE)
			return BPF_STACK_SIZE;
		i += bpf_is_ldimm64(insn);
	}
	return ALIGN_UP((u32)-lowest, 8U);
}

int bpf_check_cfg(struct bpf_check_env *env)
{
	struct bpf_prog *prog = env->prog;
	struct walk w = { .seen = xcalloc(prog->len, 1), .todo = xcalloc(prog->len, sizeof(u32)) };
	u32 s;
	int err;

	push(&w, 0);
	push(&w, prog->exception_cb);
	while (w.nr_todo)
		visit(prog, &w, w.todo[--w.nr_todo]);
	err = check_reached(env, w.seen) ?: check_depth(env);
	free(w.seen);
	free(w.todo);
	for (s = 0; s < prog->nr_subprogs && !err; s++)
		prog->subprogs[s].stack = stack_depth(prog, &prog->subprogs[s]);
	return err;
}
