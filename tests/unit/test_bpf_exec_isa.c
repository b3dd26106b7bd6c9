// SPDX-License-Identifier: GPL-2.0-only
/*
 * What instructions compute: every class of RFC 9669, cpu v4 included. Expected
 * values are written out, not computed by the same expressions.
 */
#include "bpf_exec_fixture.h"

/* r0 = a <op> b in both widths, with register and immediate. */
#define CHECK_OP64(op, a, b, want)                                                                 \
	do {                                                                                       \
		CHECK_RUN(want, LD64(R0, a), LD64(R1, b), ALU64_REG(op, R0, R1), EXIT);            \
		if ((s64)(b) == (s32)(b) && !((op == BPF_DIV || op == BPF_MOD) && !(b)))           \
			CHECK_RUN(want, LD64(R0, a), ALU64_IMM(op, R0, (s32)(b)), EXIT);           \
	} while (0)
#define CHECK_OP32(op, a, b, want)                                                                 \
	do {                                                                                       \
		CHECK_RUN(want, LD64(R0, a), LD64(R1, b), ALU32_REG(op, R0, R1), EXIT);            \
		if (!((op == BPF_DIV || op == BPF_MOD) && !(b)))                                   \
			CHECK_RUN(want, LD64(R0, a), ALU32_IMM(op, R0, (s32)(b)), EXIT);           \
	} while (0)

static void test_arithmetic_64(void **state)
{
	CHECK_OP64(BPF_ADD, 0xffffffffffffffffULL, 2, 1);
	CHECK_OP64(BPF_ADD, 5, -7, 0xfffffffffffffffeULL);
	CHECK_OP64(BPF_SUB, 3, 5, 0xfffffffffffffffeULL);
	CHECK_OP64(BPF_MUL, 0x100000001ULL, 0x100000001ULL, 0x200000001ULL);
	CHECK_OP64(BPF_MUL, 7, -3, 0xffffffffffffffebULL);
	CHECK_OP64(BPF_DIV, 0xffffffffffffffffULL, 16, 0x0fffffffffffffffULL);
	CHECK_OP64(BPF_DIV, 100, 7, 14);
	CHECK_OP64(BPF_DIV, 100, 0, 0);
	CHECK_OP64(BPF_MOD, 100, 7, 2);
	CHECK_OP64(BPF_MOD, 0x1234567890ULL, 0, 0x1234567890ULL);
	CHECK_OP64(BPF_OR, 0xf0f0ULL, 0x0f0fULL, 0xffffULL);
	CHECK_OP64(BPF_OR, 1, -256, 0xffffffffffffff01ULL);
	CHECK_OP64(BPF_AND, 0xff00ff00ff00ff00ULL, -65536, 0xff00ff00ff000000ULL);
	CHECK_OP64(BPF_XOR, 0xffffffff00000000ULL, -1, 0x00000000ffffffffULL);
	CHECK_OP64(BPF_LSH, 1, 63, 0x8000000000000000ULL);
	CHECK_OP64(BPF_RSH, 0x8000000000000000ULL, 63, 1);
	CHECK_OP64(BPF_ARSH, 0x8000000000000000ULL, 63, 0xffffffffffffffffULL);
	CHECK_OP64(BPF_MOV, 1, -5, 0xfffffffffffffffbULL);
	/* counts beyond the width wrap around */
	CHECK_RUN(2, MOV64_IMM(R0, 1), MOV64_IMM(R1, 65), ALU64_REG(BPF_LSH, R0, R1), EXIT);
	CHECK_RUN(-42, MOV64_IMM(R0, 42), ALU64_IMM(BPF_NEG, R0, 0), EXIT);
}

static void test_arithmetic_32(void **state)
{
	CHECK_OP32(BPF_ADD, 0xffffffffffffffffULL, 2, 1);
	CHECK_OP32(BPF_SUB, 3, 5, 0xfffffffeULL);
	CHECK_OP32(BPF_MUL, 0x80000001ULL, 2, 2);
	CHECK_OP32(BPF_DIV, 0xffffffff80000000ULL, 2, 0x40000000ULL);
	CHECK_OP32(BPF_DIV, 100, 0, 0);
	CHECK_OP32(BPF_MOD, 0x1200000064ULL, 7, 2);
	CHECK_OP32(BPF_MOD, 0x1200000064ULL, 0, 0x64);
	CHECK_OP32(BPF_OR, 0xffffffff00000001ULL, 2, 3);
	CHECK_OP32(BPF_AND, 0xffffffffffffffffULL, 0xff, 0xff);
	CHECK_OP32(BPF_XOR, 0xffffffffffffffffULL, -1, 0);
	CHECK_OP32(BPF_LSH, 3, 31, 0x80000000ULL);
	CHECK_OP32(BPF_RSH, 0xffffffff80000000ULL, 31, 1);
	CHECK_OP32(BPF_ARSH, 0x80000000ULL, 4, 0xf8000000ULL);
	CHECK_OP32(BPF_MOV, 1, -5, 0xfffffffbULL);
	CHECK_RUN(0xffffffd6ULL, MOV64_IMM(R0, 42), ALU32_IMM(BPF_NEG, R0, 0), EXIT);
	CHECK_RUN(4, MOV64_IMM(R0, 2), MOV64_IMM(R1, 33), ALU32_REG(BPF_LSH, R0, R1), EXIT);
}

/* Signed division and remainder: off is 1. */
#define SIGNED64(op, a, b, want)                                                                   \
	CHECK_RUN(want, LD64(R0, a), LD64(R1, b), INSN(BPF_ALU64 | op | BPF_X, R0, R1, 1, 0), EXIT)
#define SIGNED32(op, a, b, want)                                                                   \
	CHECK_RUN(want, LD64(R0, a), LD64(R1, b), INSN(BPF_ALU | op | BPF_X, R0, R1, 1, 0), EXIT)

static void test_signed_division(void **state)
{
	SIGNED64(BPF_DIV, -13, 3, -4);
	SIGNED64(BPF_DIV, 13, -3, -4);
	SIGNED64(BPF_DIV, 5, 0, 0);
	SIGNED64(BPF_DIV, 0x8000000000000000ULL, -1, 0x8000000000000000ULL);
	SIGNED64(BPF_MOD, -13, 3, -1);
	SIGNED64(BPF_MOD, 13, -3, 1);
	SIGNED64(BPF_MOD, -13, 0, -13);
	SIGNED64(BPF_MOD, 0x8000000000000000ULL, -1, 0);
	SIGNED32(BPF_DIV, 0xfffffff3, 3, 0xfffffffcULL);
	SIGNED32(BPF_DIV, 0x80000000, 0xffffffff, 0x80000000ULL);
	SIGNED32(BPF_DIV, 9, 0, 0);
	SIGNED32(BPF_MOD, 0xfffffff3, 3, 0xffffffffULL);
	SIGNED32(BPF_MOD, 0x80000000, 0xffffffff, 0);
	SIGNED32(BPF_MOD, 0x1fffffff3ULL, 0, 0xfffffff3ULL);
	CHECK_RUN(-4, MOV64_IMM(R0, -13), INSN(BPF_ALU64 | BPF_DIV | BPF_K, R0, 0, 1, 3), EXIT);
	CHECK_RUN(-1, MOV64_IMM(R0, -13), INSN(BPF_ALU64 | BPF_MOD | BPF_K, R0, 0, 1, 3), EXIT);
}

#define MOVSX(class, bits, v, want)                                                                \
	CHECK_RUN(want, LD64(R1, v), INSN((class) | BPF_MOV | BPF_X, R0, R1, bits, 0), EXIT)

static void test_sign_extension(void **state)
{
	MOVSX(BPF_ALU64, 8, 0x180, 0xffffffffffffff80ULL);
	MOVSX(BPF_ALU64, 8, 0x17f, 0x7f);
	MOVSX(BPF_ALU64, 16, 0x18000, 0xffffffffffff8000ULL);
	MOVSX(BPF_ALU64, 32, 0x180000000ULL, 0xffffffff80000000ULL);
	MOVSX(BPF_ALU, 8, 0x180, 0xffffff80ULL);
	MOVSX(BPF_ALU, 16, 0x18000, 0xffff8000ULL);
}

#define BYTES(code, bits, want)                                                                    \
	CHECK_RUN(want, LD64(R0, 0x0102030405060708ULL), INSN(code, R0, 0, 0, bits), EXIT)

static void test_byte_order(void **state)
{
	BYTES(BPF_ALU | BPF_END | BPF_TO_BE, 16, 0x0807);
	BYTES(BPF_ALU | BPF_END | BPF_TO_BE, 32, 0x08070605);
	BYTES(BPF_ALU | BPF_END | BPF_TO_BE, 64, 0x0807060504030201ULL);
	BYTES(BPF_ALU | BPF_END | BPF_TO_LE, 16, 0x0708);
	BYTES(BPF_ALU | BPF_END | BPF_TO_LE, 32, 0x05060708);
	BYTES(BPF_ALU | BPF_END | BPF_TO_LE, 64, 0x0102030405060708ULL);
	BYTES(BPF_ALU64 | BPF_END, 16, 0x0807);
	BYTES(BPF_ALU64 | BPF_END, 32, 0x08070605);
	BYTES(BPF_ALU64 | BPF_END, 64, 0x0807060504030201ULL);
}

/* 1 if the jump is taken with a and b. */
static void check_jump(u8 class, u8 op, u64 a, u64 b, bool taken)
{
	CHECK_RUN(taken, LD64(R1, a), LD64(R2, b), MOV64_IMM(R0, 1),
		  INSN(class | op | BPF_X, R1, R2, 1, 0), MOV64_IMM(R0, 0), EXIT);
	if ((s64)b == (s32)b)
		CHECK_RUN(taken, LD64(R1, a), MOV64_IMM(R0, 1),
			  INSN(class | op | BPF_K, R1, 0, 1, (s32)b), MOV64_IMM(R0, 0), EXIT);
}

static void test_jumps(void **state)
{
	static const struct {
		u8 op;
		u64 a, b;
		bool wide, narrow; /* taken by JMP, by JMP32 */
	} cases[] = {
		{ BPF_JEQ, 0x100000001ULL, 1, false, true },
		{ BPF_JEQ, 7, 7, true, true },
		{ BPF_JNE, 0x100000001ULL, 1, true, false },
		{ BPF_JSET, 0x100000000ULL, -1, true, false },
		{ BPF_JSET, 6, 1, false, false },
		{ BPF_JGT, -1, 1, true, true },
		{ BPF_JGT, 0x100000000ULL, 1, true, false },
		{ BPF_JGT, 5, 5, false, false },
		{ BPF_JGE, 5, 5, true, true },
		{ BPF_JGE, 0x100000000ULL, 1, true, false },
		{ BPF_JLT, 1, -1, true, true },
		{ BPF_JLT, 0x100000000ULL, 1, false, true },
		{ BPF_JLE, 5, 5, true, true },
		{ BPF_JLE, 6, 5, false, false },
		{ BPF_JSGT, 1, -1, true, true },
		{ BPF_JSGT, 0xffffffff, 0, true, false },
		{ BPF_JSGE, -1, -1, true, true },
		{ BPF_JSGE, 0x80000000, 0, true, false },
		{ BPF_JSLT, -1, 1, true, true },
		{ BPF_JSLT, 0xffffffff, 0, false, true },
		{ BPF_JSLE, -1, -1, true, true },
		{ BPF_JSLE, 1, -1, false, false },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		check_jump(BPF_JMP, cases[i].op, cases[i].a, cases[i].b, cases[i].wide);
		check_jump(BPF_JMP32, cases[i].op, cases[i].a, cases[i].b, cases[i].narrow);
	}
	CHECK_RUN(1, MOV64_IMM(R0, 1), JA(1), MOV64_IMM(R0, 2), JMP_IMM(BPF_JEQ, R0, 2, -2), EXIT);
	CHECK_RUN(3, MOV64_IMM(R0, 3), JMP_IMM(BPF_JEQ, R0, 0, 1), GOTOL(1), MOV64_IMM(R0, 2),
		  EXIT);
	/* backwards */
	CHECK_RUN(55, MOV64_IMM(R0, 0), MOV64_IMM(R1, 10), ALU64_REG(BPF_ADD, R0, R1),
		  ALU64_IMM(BPF_SUB, R1, 1), JMP_IMM(BPF_JNE, R1, 0, -3), EXIT);
}

static void test_may_goto(void **state)
{
	/* leaves an endless loop after BPF_MAX_LOOPS iterations */
	exec_env.insn_budget = 0;
	CHECK_RUN(8 << 20, MOV64_IMM(R0, 0), MAY_GOTO(2), ALU64_IMM(BPF_ADD, R0, 1), JA(-3), EXIT);
	exec_env.insn_budget = 1000000;
}

static void test_memory(void **state)
{
	/* every width on the stack, through r10 and through a copy of it */
	CHECK_RUN(0x1122334455667788ULL, LD64(R1, 0x1122334455667788ULL), STX(BPF_DW, R10, R1, -8),
		  LDX(BPF_DW, R0, R10, -8), EXIT);
	CHECK_RUN(0x55667788, LD64(R1, 0x1122334455667788ULL), STX(BPF_DW, R10, R1, -8),
		  LDX(BPF_W, R0, R10, -8), EXIT);
	CHECK_RUN(0x1122, LD64(R1, 0x1122334455667788ULL), STX(BPF_DW, R10, R1, -8),
		  LDX(BPF_H, R0, R10, -2), EXIT);
	CHECK_RUN(0x66, LD64(R1, 0x1122334455667788ULL), MOV64_REG(R2, R10),
		  STX(BPF_DW, R2, R1, -16), LDX(BPF_B, R0, R2, -14), EXIT);
	CHECK_RUN(0x44556677, LD64(R1, 0x1122334455667788ULL), STX(BPF_DW, R10, R1, -8),
		  LDX(BPF_W, R0, R10, -7), EXIT);
	CHECK_RUN(0x1100aabbccddULL, LD64(R1, 0xaabbccddULL), STX(BPF_W, R10, R1, -8),
		  ST(BPF_W, R10, -4, 0x1100), LDX(BPF_DW, R0, R10, -8), EXIT);
	CHECK_RUN(0xfffffffffffffffeULL, ST(BPF_DW, R10, -8, -2), LDX(BPF_DW, R0, R10, -8), EXIT);
	CHECK_RUN(0xfffe, ST(BPF_DW, R10, -8, 0), ST(BPF_H, R10, -8, -2), LDX(BPF_DW, R0, R10, -8),
		  EXIT);
	CHECK_RUN(0xfe, ST(BPF_B, R10, -8, -2), LDX(BPF_DW, R0, R10, -8), EXIT);
	/* sign-extending loads */
	CHECK_RUN(-128, ST(BPF_DW, R10, -8, 0x8080), LDSX(BPF_B, R0, R10, -8), EXIT);
	CHECK_RUN(-32640, ST(BPF_DW, R10, -8, 0x8080), LDSX(BPF_H, R0, R10, -8), EXIT);
	CHECK_RUN(-2, ST(BPF_W, R10, -8, -2), LDSX(BPF_W, R0, R10, -8), EXIT);
	/* what was never written is 0 */
	CHECK_RUN(0, LDX(BPF_DW, R0, R10, -512), EXIT);
	CHECK_RUN(0, MOV64_REG(R2, R10), MOV64_IMM(R3, 400), ALU64_REG(BPF_SUB, R2, R3),
		  LDX(BPF_DW, R0, R2, 0), EXIT);
}

/* The value in memory after the operation, and what the source register has. */
static void check_atomic(u32 size, s32 op, u64 mem, u64 src, u64 want_mem, u64 want_src)
{
	CHECK_RUN(want_mem, LD64(R1, mem), STX(BPF_DW, R10, R1, -8), LD64(R2, src),
		  MOV64_IMM(R0, 0), ATOMIC(size, op, R10, R2, -8), LDX(BPF_DW, R0, R10, -8), EXIT);
	CHECK_RUN(want_src, LD64(R1, mem), STX(BPF_DW, R10, R1, -8), LD64(R2, src),
		  MOV64_IMM(R0, 0), ATOMIC(size, op, R10, R2, -8), MOV64_REG(R0, R2), EXIT);
}

static void test_atomics(void **state)
{
	check_atomic(BPF_DW, BPF_ADD, 10, 5, 15, 5);
	check_atomic(BPF_DW, BPF_ADD | BPF_FETCH, 10, 5, 15, 10);
	check_atomic(BPF_DW, BPF_OR, 0xf0, 0x0f, 0xff, 0x0f);
	check_atomic(BPF_DW, BPF_OR | BPF_FETCH, 0xf0, 0x0f, 0xff, 0xf0);
	check_atomic(BPF_DW, BPF_AND, 0xff, 0x0f, 0x0f, 0x0f);
	check_atomic(BPF_DW, BPF_AND | BPF_FETCH, 0xff, 0x0f, 0x0f, 0xff);
	check_atomic(BPF_DW, BPF_XOR, 0xff, 0x0f, 0xf0, 0x0f);
	check_atomic(BPF_DW, BPF_XOR | BPF_FETCH, 0xff, 0x0f, 0xf0, 0xff);
	check_atomic(BPF_DW, BPF_XCHG, 1, 2, 2, 1);
	/* the upper half is left alone, the result zero-extended */
	check_atomic(BPF_W, BPF_ADD, 0x1ffffffffULL, 1, 0x100000000ULL, 1);
	check_atomic(BPF_W, BPF_ADD | BPF_FETCH, 0x1ffffffffULL, 1, 0x100000000ULL, 0xffffffff);
	check_atomic(BPF_W, BPF_XCHG, 0x700000001ULL, 2, 0x700000002ULL, 1);
	/* compare and exchange: r0 is compared and gets the old value */
	CHECK_RUN(11, ST(BPF_DW, R10, -8, 7), MOV64_IMM(R0, 7), MOV64_IMM(R1, 4),
		  ATOMIC(BPF_DW, BPF_CMPXCHG, R10, R1, -8), LDX(BPF_DW, R1, R10, -8),
		  ALU64_REG(BPF_ADD, R0, R1), EXIT);
	CHECK_RUN(14, ST(BPF_DW, R10, -8, 7), MOV64_IMM(R0, 8), MOV64_IMM(R1, 4),
		  ATOMIC(BPF_DW, BPF_CMPXCHG, R10, R1, -8), LDX(BPF_DW, R1, R10, -8),
		  ALU64_REG(BPF_ADD, R0, R1), EXIT);
}

static void test_calls(void **state)
{
	/* callee-saved registers survive, arguments arrive, frames are their own */
	CHECK_RUN(1 + 20 + 300, MOV64_IMM(R6, 1), MOV64_IMM(R1, 20), ST(BPF_DW, R10, -8, 300),
		  CALL_REL(4), LDX(BPF_DW, R1, R10, -8), ALU64_REG(BPF_ADD, R0, R1),
		  ALU64_REG(BPF_ADD, R0, R6), EXIT,
		  /* the function */
		  MOV64_IMM(R6, 1000), ST(BPF_DW, R10, -8, 5000), MOV64_REG(R0, R1), EXIT);
	/* seven deep is fine: 8 frames */
	CHECK_RUN(7, MOV64_IMM(R0, 0), CALL_REL(1), EXIT, ALU64_IMM(BPF_ADD, R0, 1), CALL_REL(1),
		  EXIT, ALU64_IMM(BPF_ADD, R0, 1), CALL_REL(1), EXIT, ALU64_IMM(BPF_ADD, R0, 1),
		  CALL_REL(1), EXIT, ALU64_IMM(BPF_ADD, R0, 1), CALL_REL(1), EXIT,
		  ALU64_IMM(BPF_ADD, R0, 1), CALL_REL(1), EXIT, ALU64_IMM(BPF_ADD, R0, 1),
		  CALL_REL(1), EXIT, ALU64_IMM(BPF_ADD, R0, 1), EXIT);
	/* a frame is fresh, whatever was there before */
	CHECK_RUN(0, CALL_REL(2), CALL_REL(3), EXIT,
		  /* writes */
		  ST(BPF_DW, R10, -8, 77), EXIT,
		  /* reads */
		  LDX(BPF_DW, R0, R10, -8), EXIT);
	/* a pointer to the caller's stack */
	CHECK_RUN(9, MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -16), CALL_REL(2),
		  LDX(BPF_DW, R0, R10, -16), EXIT, ST(BPF_DW, R1, 0, 9), EXIT);
}

static void test_context(void **state)
{
	assert_int_equal(RUN2(40, 2, LDX(BPF_DW, R0, R1, 0), LDX(BPF_DW, R2, R1, 8),
			      ALU64_REG(BPF_ADD, R0, R2), EXIT), 42);
}

/* What is executed is charged, slot by slot. */
static void test_counting(void **state)
{
	u64 before;

	machine.insns = 0;
	CHECK_RUN(5, LD64(R0, 5), EXIT);
	assert_int_equal(machine.insns, 3);
	machine.insns = 0;
	CHECK_RUN(0, MOV64_IMM(R0, 10), ALU64_IMM(BPF_SUB, R0, 1), JMP_IMM(BPF_JNE, R0, 0, -2), EXIT);
	assert_int_equal(machine.insns, 1 + 10 * 2 + 1);
	machine.insns = 0;
	CHECK_RUN(1, CALL_REL(1), EXIT, MOV64_IMM(R0, 1), EXIT);
	assert_int_equal(machine.insns, 4);
	/* the clock includes what has been executed */
	machine.now = 0;
	exec_env.helper_ns = 100;
	CHECK_RUN(4 + 100, MOV64_IMM(R6, 1), MOV64_IMM(R6, 1), MOV64_IMM(R6, 1),
		  CALL(BPF_FUNC_ktime_get_ns), EXIT);
	exec_env.helper_ns = 0;
	before = bpf_insns_executed();
	CHECK_RUN(5, LD64(R0, 5), EXIT);
	assert_int_equal(bpf_insns_executed() - before, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_arithmetic_64, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_arithmetic_32, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_signed_division, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_sign_extension, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_byte_order, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_jumps, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_may_goto, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_memory, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_atomics, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_calls, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_context, exec_setup, exec_teardown),
		cmocka_unit_test_setup_teardown(test_counting, exec_setup, exec_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
