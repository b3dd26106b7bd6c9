// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where loops are, when a state covers another, and what backtracking marks.
 */
#include "../../src/bpf/verifier/prune.h"
#include "verifier_fixture.h"

/* --- loops ------------------------------------------------------------------------ */

static void check_sccs(const struct bpf_insn *insns, u32 len, const u32 *want)
{
	struct bpf_prog prog = { .insns = (struct bpf_insn *)insns, .len = len };
	u32 *scc = xcalloc(len, sizeof(*scc)), most = 0;

	find_sccs(&prog, scc);
	for (u32 i = 0; i < len; i++)
		most = max(most, want[i]);
	assert_int_equal(find_sccs(&prog, scc), most);
	/* the same partition, whatever the numbers */
	for (u32 i = 0; i < len; i++)
		for (u32 j = 0; j <= i; j++) {
			assert_int_equal(scc[i] == scc[j], want[i] == want[j]);
			assert_int_equal(!scc[i], !want[i]);
		}
	free(scc);
}

static void test_sccs(void **state)
{
	const struct bpf_insn none[] = {
		JMP_IMM(BPF_JEQ, R1, 0, 1), MOV64_IMM(R0, 1), LD64(R0, 1), EXIT,
	};
	const struct bpf_insn self[] = { MOV64_IMM(R0, 0), JMP_IMM(BPF_JNE, R1, 0, -1), EXIT };
	const struct bpf_insn nested[] = {
		MOV64_IMM(R0, 0), ALU64_IMM(BPF_ADD, R0, 1), /* 0, 1: the outer one begins */
		ALU64_IMM(BPF_ADD, R1, 1), JMP_IMM(BPF_JLT, R1, 9, -2), /* 2, 3: the inner one */
		JMP_IMM(BPF_JLT, R0, 9, -4), /* 4 */
		MOV64_IMM(R2, 0), JMP_IMM(BPF_JLT, R2, 9, -2), EXIT, /* 5, 6: another */
	};
	/* two entries into one loop */
	const struct bpf_insn irreducible[] = {
		JMP_IMM(BPF_JEQ, R1, 0, 1), ALU64_IMM(BPF_ADD, R2, 1), ALU64_IMM(BPF_ADD, R2, 2),
		JMP_IMM(BPF_JLT, R2, 9, -3), EXIT,
	};

	check_sccs(none, ARRAY_SIZE(none), (const u32[]){ 0, 0, 0, 0, 0 });
	check_sccs(self, ARRAY_SIZE(self), (const u32[]){ 0, 1, 0 });
	check_sccs(nested, ARRAY_SIZE(nested), (const u32[]){ 0, 1, 1, 1, 1, 2, 2, 0 });
	check_sccs(irreducible, ARRAY_SIZE(irreducible), (const u32[]){ 0, 1, 1, 1, 0 });
}

/* --- comparison ------------------------------------------------------------------- */

struct pair {
	struct fixture f;
	struct bpf_verifier_state *old;
};

static void pair_init(struct pair *p)
{
	static const struct bpf_insn insns[] = {
		MOV64_REG(R0, R1), ALU64_REG(BPF_ADD, R0, R2), EXIT,
	};

	fixture_init(&p->f, insns, ARRAY_SIZE(insns), (const u32[]){ 0 }, 1);
	assert_int_equal(compute_live_registers(&p->f.env), 0);
	assert_int_equal(prune_init(&p->f.env), 0);
	p->old = state_new();
	state_copy(p->old, p->f.env.cur);
}

static void pair_free(struct pair *p)
{
	state_free(p->old);
	fixture_free(&p->f);
}

static bool covers(struct pair *p, enum exact_level level)
{
	return states_equal(&p->f.env, p->old, p->f.env.cur, level);
}

static void set_range(struct bpf_reg_state *reg, u64 most)
{
	reg_mark_unknown(reg);
	reg->s.var_off = tnum_range(0, most);
	reg->s.umax_value = most;
	scalar_sync(&reg->s);
}

static void test_numbers(void **state)
{
	struct bpf_reg_state *old, *cur;
	struct pair p;

	pair_init(&p);
	old = p.old->frame[0]->regs;
	cur = p.f.env.cur->frame[0]->regs;
	set_range(&old[R1], 10);
	set_range(&old[R2], 10);
	set_range(&cur[R1], 5);
	set_range(&cur[R2], 5);
	assert_true(covers(&p, NOT_EXACT));
	assert_true(covers(&p, RANGE_WITHIN));
	assert_false(covers(&p, EXACT));
	/* wider than before: matters only when it did */
	set_range(&cur[R1], 11);
	assert_true(covers(&p, NOT_EXACT));
	assert_false(covers(&p, RANGE_WITHIN));
	old[R1].precise = true;
	assert_false(covers(&p, NOT_EXACT));
	set_range(&cur[R1], 10);
	assert_true(covers(&p, NOT_EXACT));
	/* a dead register is nobody's concern */
	set_range(&old[R7], 1);
	old[R7].precise = true;
	cur[R7].type = PTR_TO_CTX;
	assert_true(covers(&p, RANGE_WITHIN));
	/* numbers are no pointers */
	cur[R2].type = PTR_TO_CTX;
	assert_false(covers(&p, NOT_EXACT));
	pair_free(&p);
}

static void test_ids(void **state)
{
	struct bpf_reg_state *old, *cur;
	struct pair p;

	pair_init(&p);
	old = p.old->frame[0]->regs;
	cur = p.f.env.cur->frame[0]->regs;
	set_range(&old[R1], 10);
	set_range(&old[R2], 10);
	old[R1].precise = old[R2].precise = true;
	cur[R1] = old[R1];
	cur[R2] = old[R2];
	old[R1].id = old[R2].id = 5;
	assert_false(covers(&p, NOT_EXACT)); /* they were equal, now they are not */
	cur[R1].id = cur[R2].id = 9;
	assert_true(covers(&p, NOT_EXACT));
	cur[R2].id = 8;
	assert_false(covers(&p, NOT_EXACT));
	old[R1].id = old[R2].id = 0;
	cur[R2].id = 9;
	assert_true(covers(&p, NOT_EXACT)); /* only more is known */
	/* equal but for a constant, of the same number */
	old[R1].id = 5;
	old[R2].id = 5 | BPF_ADD_CONST;
	old[R2].off = 3;
	cur[R1].id = 7;
	cur[R2].id = 7 | BPF_ADD_CONST;
	cur[R2].off = 3;
	assert_true(covers(&p, NOT_EXACT));
	cur[R2].off = 4;
	assert_false(covers(&p, NOT_EXACT));
	cur[R2].off = 3;
	cur[R2].id = 6 | BPF_ADD_CONST;
	assert_false(covers(&p, NOT_EXACT));
	pair_free(&p);
}

static void test_slots(void **state)
{
	struct bpf_func_state *old, *cur;
	struct pair p;

	pair_init(&p);
	old = p.old->frame[0];
	cur = p.f.env.cur->frame[0];
	func_state_grow(old, 8);
	memset(old->stack[0].slot_type, STACK_MISC, 8);
	assert_true(covers(&p, NOT_EXACT)); /* never written is as good as anything */
	assert_false(covers(&p, EXACT));
	memset(old->stack[0].slot_type, STACK_ZERO, 8);
	assert_false(covers(&p, NOT_EXACT));
	func_state_grow(cur, 16);
	memset(cur->stack[0].slot_type, STACK_ZERO, 8);
	assert_true(covers(&p, NOT_EXACT));
	memset(cur->stack[0].slot_type, STACK_MISC, 8);
	assert_false(covers(&p, NOT_EXACT));
	/* a spilled number that did not matter, and bytes: both are some number */
	memset(old->stack[0].slot_type, STACK_SPILL, 8);
	set_range(&old->stack[0].spilled_ptr, 10);
	assert_true(covers(&p, NOT_EXACT));
	assert_false(covers(&p, RANGE_WITHIN));
	old->stack[0].spilled_ptr.precise = true;
	assert_false(covers(&p, NOT_EXACT));
	memset(cur->stack[0].slot_type, STACK_SPILL, 8);
	cur->stack[0].spilled_ptr = old->stack[0].spilled_ptr;
	assert_true(covers(&p, RANGE_WITHIN));
	pair_free(&p);
}

static void test_references(void **state)
{
	struct bpf_verifier_state *old, *cur;
	struct pair p;

	pair_init(&p);
	old = p.old;
	cur = p.f.env.cur;
	*state_add_ref(old) = (struct bpf_reference_state){ REF_TYPE_PTR, .id = 3 };
	assert_false(covers(&p, NOT_EXACT)); /* who releases it if not the one, does not */
	*state_add_ref(cur) = (struct bpf_reference_state){ REF_TYPE_PTR, .id = 4 };
	assert_true(covers(&p, NOT_EXACT));
	old->frame[0]->regs[R1] = (struct bpf_reg_state){ .type = PTR_TO_MEM, .ref_obj_id = 3 };
	cur->frame[0]->regs[R1] = (struct bpf_reg_state){ .type = PTR_TO_MEM, .ref_obj_id = 4 };
	assert_true(covers(&p, NOT_EXACT));
	cur->frame[0]->regs[R1].ref_obj_id = 5;
	assert_false(covers(&p, NOT_EXACT));
	cur->frame[0]->regs[R1].ref_obj_id = 4;
	cur->active_rcu_lock = true;
	assert_false(covers(&p, NOT_EXACT));
	pair_free(&p);
}

/* --- precision -------------------------------------------------------------------- */

/* As verify.c does before each instruction of a path that never jumps. */
static void path_at(struct fixture *f, u32 i)
{
	f->env.insn_processed++;
	f->env.prev_insn_idx = i - 1;
	f->env.insn_idx = i;
	f->env.cur->last_insn_idx = i - 1;
	f->env.cur->insn_idx = i;
}

/* r3 = r2 + *(fp-8), with a checkpoint before each instruction but the last two. */
static void test_backtrack(void **state)
{
	static const struct bpf_insn insns[] = {
		MOV64_IMM(R1, 7), STX(BPF_DW, R10, R1, -8), MOV64_IMM(R1, 0), /* 0-2 */
		LDX(BPF_DW, R3, R10, -8), ALU64_REG(BPF_ADD, R3, R2), /* 3, 4 */
		MOV64_REG(R0, R3), EXIT,
	};
	struct bpf_verifier_state *first;
	struct fixture f;
	struct bpf_reg_state *regs;

	fixture_init(&f, insns, ARRAY_SIZE(insns), (const u32[]){ 0 }, 1);
	assert_int_equal(compute_live_registers(&f.env), 0);
	assert_int_equal(prune_init(&f.env), 0);
	f.env.test_state_freq = true;
	f.env.cur->first_insn_idx = 0;
	f.env.cur->frame[0]->subprogno = 1; /* a function on its own: r2 is an argument */
	regs = f.env.cur->frame[0]->regs;
	reg_mark_unknown(&regs[R2]);
	path_at(&f, 0);
	assert_int_equal(is_state_visited(&f.env, 0), 0);
	first = f.env.cur->parent;
	reg_mark_known(&regs[R1], 7);
	path_at(&f, 1);
	func_state_grow(f.env.cur->frame[0], 8);
	memset(f.env.cur->frame[0]->stack[0].slot_type, STACK_SPILL, 8);
	f.env.cur->frame[0]->stack[0].spilled_ptr = regs[R1];
	assert_int_equal(push_jmp_history(&f.env, INSN_F_STACK_ACCESS, NULL), 0);
	path_at(&f, 2);
	assert_int_equal(is_state_visited(&f.env, 2), 0);
	assert_ptr_equal(f.env.cur->parent->parent, first);
	reg_mark_known(&regs[R1], 0);
	path_at(&f, 3);
	regs[R3] = f.env.cur->frame[0]->stack[0].spilled_ptr;
	assert_int_equal(push_jmp_history(&f.env, INSN_F_STACK_ACCESS, NULL), 0);
	path_at(&f, 4);
	reg_mark_unknown(&regs[R3]);
	path_at(&f, 5);
	fixture_log(&f);
	assert_int_equal(mark_chain_precision(&f.env, R3), 0);
	assert_string_equal(
		fixture_log(&f),
		"mark_precise: frame0: last_idx 5 first_idx 2 subseq_idx -1 \n"
		"mark_precise: frame0: regs=r3 stack= before 4: (0f) r3 += r2\n"
		"mark_precise: frame0: regs=r2,r3 stack= before 3: (79) r3 = *(u64 *)(r10 -8)\n"
		"mark_precise: frame0: regs=r2 stack=-8 before 2: (b7) r1 = 0\n"
		"mark_precise: frame0: parent state regs=r2 stack=-8:  R1=7 R2=Pscalar() R10=fp0 fp-8=P7\n"
		"mark_precise: frame0: last_idx 1 first_idx 0 subseq_idx 2 \n"
		"mark_precise: frame0: regs=r2 stack=-8 before 1: (7b) *(u64 *)(r10 -8) = r1\n"
		"mark_precise: frame0: regs=r1,r2 stack= before 0: (b7) r1 = 7\n"
		"mark_precise: frame0: parent state regs=r2 stack=:  R2=Pscalar() R10=fp0\n"
		"mark_precise: frame0: last_idx -1 first_idx 0 subseq_idx 0 \n");
	assert_true(first->frame[0]->regs[R2].precise);
	assert_false(first->frame[0]->regs[R1].precise);
	/* known already: nothing to look for */
	assert_int_equal(mark_chain_precision(&f.env, R3), 0);
	assert_null(strstr(fixture_log(&f), "first_idx 0"));
	fixture_free(&f);
}

/* What mattered to another state, but not what is dead there. */
static void test_propagate(void **state)
{
	struct bpf_reg_state *old;
	bool changed = false;
	struct pair p;

	pair_init(&p);
	old = p.old->frame[0]->regs;
	set_range(&old[R2], 10);
	set_range(&old[R7], 10);
	old[R2].precise = old[R7].precise = true;
	fixture_log(&p.f);
	assert_int_equal(propagate_precision(&p.f.env, p.old, p.f.env.cur, &changed), 0);
	assert_non_null(strstr(fixture_log(&p.f), "frame 0: propagating r2\n"));
	pair_free(&p);
}

/* Of a slot that bytes without a number cover, nothing can be looked for. */
static void test_propagate_slots(void **state)
{
	struct bpf_func_state *old, *cur;
	bool changed = false;
	struct pair p;

	pair_init(&p);
	old = p.old->frame[0];
	cur = p.f.env.cur->frame[0];
	func_state_grow(old, 8);
	memset(old->stack[0].slot_type, STACK_SPILL, 8);
	reg_mark_unknown(&old->stack[0].spilled_ptr);
	old->stack[0].spilled_ptr.precise = true;
	fixture_log(&p.f);
	assert_int_equal(propagate_precision(&p.f.env, p.old, p.f.env.cur, &changed), 0);
	assert_null(strstr(fixture_log(&p.f), "fp-8"));
	func_state_grow(cur, 8);
	memset(cur->stack[0].slot_type, STACK_MISC, 8);
	assert_true(covers(&p, NOT_EXACT));
	assert_int_equal(propagate_precision(&p.f.env, p.old, p.f.env.cur, &changed), 0);
	assert_null(strstr(fixture_log(&p.f), "fp-8"));
	cur->stack[0] = old->stack[0];
	assert_int_equal(propagate_precision(&p.f.env, p.old, p.f.env.cur, &changed), 0);
	assert_non_null(strstr(fixture_log(&p.f), "frame 0: propagating fp-8\n"));
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sccs),  cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ids),   cmocka_unit_test(test_slots),
		cmocka_unit_test(test_references), cmocka_unit_test(test_backtrack),
		cmocka_unit_test(test_propagate), cmocka_unit_test(test_propagate_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
