// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is read later: registers, told from the text of programs, and stack
 * slots, told from visits.
 */
#include "verifier_fixture.h"

#define REG(n) (1U << (n))
#define SLOT(n) (1ULL << ((n) - 1)) /* 1: fp-8 */

/* --- registers -------------------------------------------------------------------- */

static void test_straight(void **state)
{
	struct fixture f;
	FIXTURE(&f, MOV64_IMM(R0, 1), /* 0 */
		MOV64_REG(R2, R1), ALU64_REG(BPF_ADD, R2, R0), STX(BPF_DW, R10, R2, -8),
		LDX(BPF_DW, R0, R10, -8), EXIT);

	assert_int_equal(compute_live_registers(&f.env), 0);
	assert_int_equal(f.env.aux[0].live_regs, REG(1) | REG(10));
	assert_int_equal(f.env.aux[1].live_regs, REG(0) | REG(1) | REG(10));
	assert_int_equal(f.env.aux[2].live_regs, REG(0) | REG(2) | REG(10));
	assert_int_equal(f.env.aux[3].live_regs, REG(2) | REG(10));
	assert_int_equal(f.env.aux[4].live_regs, REG(10));
	assert_int_equal(f.env.aux[5].live_regs, REG(0));
	fixture_free(&f);
}

/* r6 is live around the loop although only the way out reads it; r7 in neither. */
static void test_loop(void **state)
{
	struct fixture f;
	FIXTURE(&f, MOV64_IMM(R6, 1), MOV64_IMM(R7, 2), MOV64_IMM(R1, 10), /* 0-2 */
		ALU64_IMM(BPF_SUB, R1, 1), JMP_IMM(BPF_JNE, R1, 0, -2), /* 3, 4 */
		MOV64_REG(R0, R6), EXIT);

	assert_int_equal(compute_live_registers(&f.env), 0);
	assert_int_equal(f.env.aux[3].live_regs, REG(1) | REG(6));
	assert_int_equal(f.env.aux[4].live_regs, REG(1) | REG(6));
	assert_int_equal(f.env.aux[1].live_regs, REG(6));
	assert_int_equal(f.env.aux[0].live_regs, 0);
	fixture_free(&f);
}

static void test_atomics(void **state)
{
	struct fixture f;
	FIXTURE(&f, ATOMIC(BPF_DW, BPF_CMPXCHG, R1, R2, 0), /* r0 = what was there */
		ATOMIC(BPF_DW, BPF_ADD | BPF_FETCH, R1, R3, 0), ATOMIC(BPF_DW, BPF_ADD, R1, R4, 0),
		MOV64_REG(R0, R3), EXIT);

	assert_int_equal(compute_live_registers(&f.env), 0);
	assert_int_equal(f.env.aux[0].live_regs, REG(0) | REG(1) | REG(2) | REG(3) | REG(4));
	assert_int_equal(f.env.aux[1].live_regs, REG(1) | REG(3) | REG(4));
	assert_int_equal(f.env.aux[2].live_regs, REG(1) | REG(3) | REG(4));
	fixture_free(&f);
}

/* A helper reads what its prototype has, a function of the program any argument. */
static void test_calls(void **state)
{
	struct fixture f;
	const struct bpf_insn insns[] = {
		CALL(BPF_FUNC_map_lookup_elem), CALL_REL(2), /* 0, 1 */
		ALU64_REG(BPF_ADD, R0, R6), EXIT,
		MOV64_IMM(R0, 0), EXIT, /* 4 */
	};

	fixture_init(&f, insns, ARRAY_SIZE(insns), (const u32[]){ 0, 4 }, 2);
	assert_int_equal(compute_live_registers(&f.env), 0);
	assert_int_equal(f.env.aux[0].live_regs, REG(1) | REG(2) | REG(6));
	assert_int_equal(f.env.aux[1].live_regs,
			 REG(1) | REG(2) | REG(3) | REG(4) | REG(5) | REG(6));
	assert_int_equal(f.env.aux[2].live_regs, REG(0) | REG(6));
	assert_int_equal(f.env.aux[4].live_regs, 0);
	fixture_free(&f);
}

/* 64-bit loads have two slots; the other branch is not between them. */
static void test_wide(void **state)
{
	struct fixture f;
	FIXTURE(&f, JMP_IMM(BPF_JEQ, R1, 0, 2), LD64(R0, 1), /* 0, 1-2 */
		JMP32_REG(BPF_JGT, R2, R3, -4), EXIT); /* 3, 4 */

	assert_int_equal(compute_live_registers(&f.env), 0);
	assert_int_equal(f.env.aux[0].live_regs, REG(0) | REG(1) | REG(2) | REG(3));
	assert_int_equal(f.env.aux[1].live_regs, REG(1) | REG(2) | REG(3));
	assert_int_equal(f.env.aux[3].live_regs, REG(0) | REG(1) | REG(2) | REG(3));
	fixture_free(&f);
}

/* --- stack slots ------------------------------------------------------------------ */

/* The current path executes @i, which reads and overwrites slots of frame @frameno. */
static void visit(struct fixture *f, u32 i, u32 frameno, u64 reads, u64 writes)
{
	assert_int_equal(liveness_begin_insn(&f->env, i), 0);
	if (reads)
		mark_stack_slots_read(&f->env, frameno, reads);
	if (writes)
		mark_stack_slots_written(&f->env, frameno, writes);
	assert_int_equal(liveness_end_insn(&f->env), 0);
}

static void enter(struct fixture *f, u32 callsite, u32 subprog)
{
	struct bpf_verifier_state *st = f->env.cur;

	assert_int_equal(liveness_begin_insn(&f->env, callsite), 0);
	push_frame(st, callsite, subprog);
	st->curframe++;
	assert_int_equal(liveness_end_insn(&f->env), 0);
}

static void leave(struct fixture *f, u32 exit)
{
	struct bpf_verifier_state *st = f->env.cur;

	assert_int_equal(liveness_begin_insn(&f->env, exit), 0);
	func_state_free(st->frame[st->curframe]);
	st->frame[st->curframe--] = NULL;
	assert_int_equal(liveness_end_insn(&f->env), 0);
}

static u64 live(struct fixture *f, u32 i, u32 frameno)
{
	u64 slots[BPF_MAX_FRAMES];

	f->env.cur->insn_idx = i;
	live_stack_slots(&f->env, f->env.cur, slots);
	return slots[frameno];
}

/* Two branches: one overwrites fp-8, the other does not before it is read. */
static void test_branches(void **state)
{
	struct fixture f;
	FIXTURE(&f, JMP_IMM(BPF_JEQ, R1, 0, 1), ST(BPF_DW, R10, -8, 0), /* 0, 1 */
		LDX(BPF_DW, R0, R10, -8), EXIT);

	assert_int_equal(compute_live_registers(&f.env), 0);
	visit(&f, 0, 0, 0, 0);
	visit(&f, 1, 0, 0, SLOT(1));
	visit(&f, 2, 0, SLOT(1), 0);
	visit(&f, 3, 0, 0, 0);
	assert_int_equal(live(&f, 2, 0), SLOT(1));
	assert_int_equal(live(&f, 1, 0), 0);
	/* the other branch of instruction 0 leads to 2 by itself */
	assert_int_equal(live(&f, 0, 0), SLOT(1));
	fixture_free(&f);
}

/* What one visit overwrites and another does not is live. */
static void test_visits(void **state)
{
	struct fixture f;
	FIXTURE(&f, STX(BPF_DW, R1, R2, 0), LDX(BPF_DW, R0, R10, -8), LDX(BPF_DW, R0, R10, -16),
		EXIT);

	assert_int_equal(compute_live_registers(&f.env), 0);
	visit(&f, 0, 0, 0, SLOT(1));
	visit(&f, 1, 0, SLOT(1), 0);
	visit(&f, 2, 0, SLOT(2), 0);
	visit(&f, 3, 0, 0, 0);
	assert_int_equal(live(&f, 0, 0), SLOT(2));
	visit(&f, 0, 0, 0, SLOT(2)); /* r1 points elsewhere */
	assert_int_equal(live(&f, 0, 0), SLOT(1) | SLOT(2));
	assert_int_equal(live(&f, 2, 0), SLOT(2));
	fixture_free(&f);
}

/* Slots are live all around a loop that reads them at its end. */
static void test_slot_loop(void **state)
{
	struct fixture f;
	FIXTURE(&f, MOV64_IMM(R1, 4), ALU64_IMM(BPF_SUB, R1, 1), /* 0, 1 */
		ST(BPF_DW, R10, -16, 1), LDX(BPF_DW, R0, R10, -8), /* 2, 3 */
		JMP_IMM(BPF_JNE, R1, 0, -4), EXIT);
	u32 i;

	assert_int_equal(compute_live_registers(&f.env), 0);
	for (i = 0; i < 6; i++)
		visit(&f, i, 0, i == 3 ? SLOT(1) | SLOT(2) : 0, i == 2 ? SLOT(2) : 0);
	assert_int_equal(live(&f, 4, 0), SLOT(1));
	assert_int_equal(live(&f, 3, 0), SLOT(1) | SLOT(2));
	assert_int_equal(live(&f, 0, 0), SLOT(1));
	assert_int_equal(live(&f, 5, 0), 0);
	fixture_free(&f);
}

static const struct bpf_insn call_twice[] = {
	CALL_REL(3), CALL_REL(2), LDX(BPF_DW, R0, R10, -8), EXIT, /* 0-3 */
	STX(BPF_DW, R1, R2, 0), EXIT, /* 4, 5 */
};

/* A callee that overwrites a slot of its caller from one call site only. */
static void test_callee_writes(void **state)
{
	struct fixture f;

	fixture_init(&f, call_twice, ARRAY_SIZE(call_twice), (const u32[]){ 0, 4 }, 2);
	assert_int_equal(compute_live_registers(&f.env), 0);
	enter(&f, 0, 1);
	visit(&f, 4, 0, 0, 0);
	leave(&f, 5);
	enter(&f, 1, 1);
	visit(&f, 4, 0, 0, SLOT(1));
	/* not returned yet: nothing is known of what follows */
	leave(&f, 5);
	visit(&f, 2, 0, SLOT(1), 0);
	visit(&f, 3, 0, 0, 0);
	assert_int_equal(live(&f, 2, 0), SLOT(1));
	assert_int_equal(live(&f, 1, 0), 0);
	assert_int_equal(live(&f, 0, 0), 0);
	/* from the second call site it may also not */
	enter(&f, 1, 1);
	visit(&f, 4, 0, 0, SLOT(2));
	leave(&f, 5);
	assert_int_equal(live(&f, 1, 0), SLOT(1));
	assert_int_equal(live(&f, 0, 0), SLOT(1));
	fixture_free(&f);
}

/* Inside of a callee, slots of the caller are live that are read behind the call. */
static void test_inside_callee(void **state)
{
	struct fixture f;

	fixture_init(&f, call_twice, ARRAY_SIZE(call_twice), (const u32[]){ 0, 4 }, 2);
	assert_int_equal(compute_live_registers(&f.env), 0);
	enter(&f, 0, 1);
	visit(&f, 4, 0, SLOT(3), SLOT(2));
	leave(&f, 5);
	enter(&f, 1, 1);
	visit(&f, 4, 1, SLOT(4), 0);
	leave(&f, 5);
	visit(&f, 2, 0, SLOT(1) | SLOT(2), 0);
	visit(&f, 3, 0, 0, 0);
	assert_int_equal(live(&f, 0, 0), SLOT(1) | SLOT(3));
	assert_int_equal(live(&f, 1, 0), SLOT(1) | SLOT(2));
	enter(&f, 0, 1);
	assert_int_equal(live(&f, 4, 0), SLOT(1) | SLOT(2) | SLOT(3));
	assert_int_equal(live(&f, 5, 0), SLOT(1) | SLOT(2));
	assert_int_equal(live(&f, 4, 1), 0);
	leave(&f, 5);
	enter(&f, 1, 1);
	assert_int_equal(live(&f, 4, 0), SLOT(1) | SLOT(2));
	assert_int_equal(live(&f, 4, 1), SLOT(4));
	fixture_free(&f);
}

/* A callback may not be called at all; its reads count, its writes do not. */
static void test_callback(void **state)
{
	struct fixture f;
	const struct bpf_insn insns[] = {
		CALL(BPF_FUNC_loop), LDX(BPF_DW, R0, R10, -8), EXIT, /* 0-2 */
		LDX(BPF_DW, R0, R2, 0), STX(BPF_DW, R2, R0, 8), EXIT, /* 3-5 */
	};

	fixture_init(&f, insns, ARRAY_SIZE(insns), (const u32[]){ 0, 3 }, 2);
	assert_int_equal(compute_live_registers(&f.env), 0);
	f.env.aux[0].calls_callback = true;
	visit(&f, 0, 0, 0, 0);
	visit(&f, 1, 0, SLOT(1), 0);
	visit(&f, 2, 0, 0, 0);
	push_frame(f.env.cur, 0, 1);
	f.env.cur->curframe = 1;
	visit(&f, 3, 0, SLOT(2), 0);
	visit(&f, 4, 0, 0, SLOT(1));
	/* the call is executed again after the callback: it may call it again */
	assert_int_equal(live(&f, 4, 0), SLOT(1) | SLOT(2));
	leave(&f, 5);
	assert_int_equal(live(&f, 0, 0), SLOT(1) | SLOT(2));
	assert_int_equal(live(&f, 1, 0), SLOT(1));
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_straight),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_atomics),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_visits),
		cmocka_unit_test(test_slot_loop),
		cmocka_unit_test(test_callee_writes),
		cmocka_unit_test(test_inside_callee),
		cmocka_unit_test(test_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
