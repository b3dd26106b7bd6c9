// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic and jumps, as programs meet them: which pointers may be moved how,
 * and what comparisons teach of numbers, pointers and packets.
 */
#include "bpf_exec_fixture.h"

#define XDP BPF_PROG_TYPE_XDP
#define RET0 MOV64_IMM(R0, 0), EXIT
#define REFUSED(err, text, ...) CHECK_REFUSED(XDP, err, text, __VA_ARGS__)
#define ACCEPTED(...)                                                                        \
	do {                                                                                 \
		struct bpf_insn insns_[] = { __VA_ARGS__ };                                  \
		int fd_ = load_type(XDP, insns_, ARRAY_SIZE(insns_));                        \
		if (fd_ < 0)                                                                 \
			print_error("%s\n", load_log);                                       \
		assert_true(fd_ >= 0);                                                       \
		bpf_close(fd_);                                                              \
	} while (0)

#define VALUE_SIZE 64
/* r0: the value of key 0 of map @fd, or NULL; keys that are not constant may be missing */
#define LOOKUP(fd)                                                                           \
	CALL(BPF_FUNC_get_prandom_u32), STX(BPF_W, R10, R0, -4), MOV64_REG(R2, R10),         \
		ALU64_IMM(BPF_ADD, R2, -4), LD_MAP(R1, fd), CALL(BPF_FUNC_map_lookup_elem)
#define LOOKUP_GOOD(fd) LOOKUP(fd), JMP_IMM(BPF_JNE, R0, 0, 1), EXIT
#define ANY_NUMBER(reg) LDX(BPF_DW, reg, R0, 0)

static int map;

static int setup(void **state)
{
	assert_int_equal(exec_setup(state), 0);
	exec_env.unverified = false;
	map = map_new(BPF_MAP_TYPE_ARRAY, 4, VALUE_SIZE, 1, 0);
	return 0;
}

static int teardown(void **state)
{
	bpf_close(map);
	return exec_teardown(state);
}

/* --- pointers ---------------------------------------------------------------------- */

static void test_pointers_moved(void **state)
{
	REFUSED(-EACCES, "R1 bitwise operator &= on pointer prohibited", MOV64_REG(R1, R10),
		ALU64_IMM(BPF_AND, R1, -8), RET0);
	REFUSED(-EACCES, "R1 pointer arithmetic with <<= operator prohibited",
		MOV64_REG(R1, R10), ALU64_IMM(BPF_LSH, R1, 3), RET0);
	REFUSED(-EACCES, "R1 subtraction from stack pointer prohibited", MOV64_REG(R1, R10),
		ALU64_IMM(BPF_SUB, R1, 8), RET0);
	REFUSED(-EACCES, "R0 tried to subtract pointer from scalar", MOV64_IMM(R0, 8),
		ALU64_REG(BPF_SUB, R0, R10), EXIT);
	REFUSED(-EACCES, "R1 32-bit pointer arithmetic prohibited", ALU32_IMM(BPF_ADD, R1, 4),
		RET0);
	REFUSED(-EACCES, "R1 pointer += pointer prohibited", ALU64_REG(BPF_ADD, R1, R10), RET0);
	REFUSED(-EINVAL, "math between fp pointer and 536870912 is not allowed",
		MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, 1 << 29), RET0);
	REFUSED(-EINVAL, "fp pointer offset 536870912 is not allowed", MOV64_REG(R1, R10),
		ALU64_IMM(BPF_ADD, R1, 1 << 28), ALU64_IMM(BPF_ADD, R1, 1 << 28), RET0);
	REFUSED(-EACCES, "R1 pointer arithmetic on map_ptr prohibited", LD_MAP(R1, map),
		ALU64_IMM(BPF_ADD, R1, 8), RET0);
	REFUSED(-EACCES, "R0 pointer arithmetic on map_value_or_null prohibited, null-check it first",
		LOOKUP(map), ALU64_IMM(BPF_ADD, R0, 8), EXIT);
	REFUSED(-EINVAL, "math between map_value pointer and register with unbounded min value",
		LOOKUP_GOOD(map), ANY_NUMBER(R1), ALU64_REG(BPF_ADD, R0, R1), RET0);
	/* distances and parts of addresses are numbers */
	ACCEPTED(MOV64_REG(R1, R10), MOV64_REG(R2, R10), ALU64_REG(BPF_SUB, R1, R2),
		 ALU64_IMM(BPF_LSH, R1, 3), RET0);
	ACCEPTED(INSN(BPF_ALU | BPF_MOV | BPF_X, R1, R10, 0, 0), ALU64_IMM(BPF_AND, R1, 7), RET0);
	ACCEPTED(LD_MAP(R1, map), ALU64_IMM(BPF_ADD, R1, 0), RET0);
	ACCEPTED(MOV64_IMM(R1, -8), ALU64_REG(BPF_ADD, R1, R10), ST(BPF_DW, R1, 0, 1), RET0);
}

static void test_null(void **state)
{
	REFUSED(-EACCES, "R0 invalid mem access 'map_value_or_null'", LOOKUP(map),
		LDX(BPF_B, R0, R0, 0), EXIT);
	ACCEPTED(LOOKUP(map), JMP_IMM(BPF_JEQ, R0, 0, 1), LDX(BPF_B, R0, R0, 0), RET0);
	/* copies, also on the stack, learn with it */
	ACCEPTED(LOOKUP(map), MOV64_REG(R6, R0), STX(BPF_DW, R10, R0, -16),
		 JMP_IMM(BPF_JEQ, R0, 0, 3), LDX(BPF_B, R1, R6, 0), LDX(BPF_DW, R1, R10, -16),
		 LDX(BPF_B, R1, R1, 63), RET0);
	/* half of an address says nothing */
	REFUSED(-EACCES, "R0 invalid mem access 'map_value_or_null'", LOOKUP(map),
		JMP32_IMM(BPF_JEQ, R0, 0, 1), LDX(BPF_B, R0, R0, 0), RET0);
	/* what equals a pointer that is not NULL */
	ACCEPTED(LOOKUP_GOOD(map), MOV64_REG(R6, R0), LOOKUP(map), JMP_REG(BPF_JNE, R0, R6, 1),
		 LDX(BPF_B, R0, R0, 0), RET0);
	REFUSED(-EACCES, "R0 invalid mem access 'map_value_or_null'", LOOKUP_GOOD(map),
		MOV64_REG(R6, R0), LOOKUP(map), JMP_REG(BPF_JEQ, R0, R6, 1),
		LDX(BPF_B, R0, R0, 0), RET0);
}

/* --- numbers -------------------------------------------------------------------------- */

/* r1 may be used as an index of the value in r0 after it. */
#define NOT_FOLLOWED LDX(BPF_B, R0, R5, 0) /* r5 holds nothing */
#define USE_INDEX(size) ALU64_REG(BPF_ADD, R0, R1), LDX(size, R0, R0, 0), RET0

static void test_numbers(void **state)
{
	ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R1), JMP_IMM(BPF_JLT, R1, VALUE_SIZE, 2), RET0,
		 USE_INDEX(BPF_B));
	REFUSED(-EACCES, "invalid access to map value, value_size=64 off=64 size=1",
		LOOKUP_GOOD(map), ANY_NUMBER(R1), JMP_IMM(BPF_JLE, R1, VALUE_SIZE, 2), RET0,
		USE_INDEX(BPF_B));
	REFUSED(-EACCES, "R0 min value is negative", LOOKUP_GOOD(map), LDX(BPF_B, R1, R0, 0),
		ALU64_IMM(BPF_SUB, R1, 1), JMP_IMM(BPF_JSLT, R1, VALUE_SIZE, 2), RET0,
		USE_INDEX(BPF_B));
	/* what cannot be is not followed */
	ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R1), ALU64_IMM(BPF_AND, R1, 8),
		 JMP_IMM(BPF_JLT, R1, 1, 3), JMP_IMM(BPF_JGE, R1, 8, 2), NOT_FOLLOWED, EXIT,
		 USE_INDEX(BPF_B));
	/* masks that are made of a sign select one of two */
	ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R1), ALU64_IMM(BPF_ARSH, R1, 63),
		 ALU64_IMM(BPF_AND, R1, VALUE_SIZE - 1), JMP_IMM(BPF_JEQ, R1, 0, 3),
		 ALU64_IMM(BPF_SUB, R1, VALUE_SIZE - 1), JMP_IMM(BPF_JEQ, R1, 0, 1), NOT_FOLLOWED,
		 RET0);
}

/* A number is what it is, whatever that may be. */
static void test_same_register(void **state)
{
	static const u8 always[] = { BPF_JEQ, BPF_JGE, BPF_JLE, BPF_JSGE, BPF_JSLE };
	static const u8 never[] = { BPF_JNE, BPF_JGT, BPF_JLT, BPF_JSGT, BPF_JSLT };

	for (u32 i = 0; i < ARRAY_SIZE(always); i++) {
		ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R1), JMP_REG(always[i], R1, R1, 1),
			 NOT_FOLLOWED, RET0);
		ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R1), JMP32_REG(never[i], R1, R1, 1), JA(1),
			 NOT_FOLLOWED, RET0);
	}
	/* bits in common with itself: if there are any */
	ACCEPTED(LOOKUP_GOOD(map), LDX(BPF_B, R1, R0, 0), ALU64_IMM(BPF_ADD, R1, 1),
		 JMP_REG(BPF_JSET, R1, R1, 1), NOT_FOLLOWED, RET0);
	ACCEPTED(MOV64_IMM(R1, 0), JMP_REG(BPF_JSET, R1, R1, 1), JA(1), NOT_FOLLOWED, RET0);
	REFUSED(-EACCES, "R5 !read_ok", LOOKUP_GOOD(map), LDX(BPF_B, R1, R0, 0),
		JMP_REG(BPF_JSET, R1, R1, 1), NOT_FOLLOWED, RET0);
	/* only in the high half, which is not looked at */
	ACCEPTED(LOOKUP_GOOD(map), LDX(BPF_B, R1, R0, 0),
		ALU64_IMM(BPF_ADD, R1, 1), ALU64_IMM(BPF_LSH, R1, 32),
		JMP32_REG(BPF_JSET, R1, R1, 1), JA(1), NOT_FOLLOWED, RET0);
}

/* Bits and range together may leave one number, or none. */
static void test_single_number(void **state)
{
	/* 31 or 63, and at most 60; then the other way round */
	ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R1), ALU64_IMM(BPF_AND, R1, 32),
		 ALU64_IMM(BPF_OR, R1, 31), JMP_IMM(BPF_JGT, R1, 60, 2),
		 JMP_IMM(BPF_JEQ, R1, 31, 1), NOT_FOLLOWED, RET0);
	ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R1), ALU64_IMM(BPF_AND, R1, 32),
		 ALU64_IMM(BPF_OR, R1, 31), JMP_IMM(BPF_JLT, R1, 35, 2),
		 JMP_IMM(BPF_JEQ, R1, 63, 1), NOT_FOLLOWED, RET0);
	/* both are left */
	REFUSED(-EACCES, "R5 !read_ok", LOOKUP_GOOD(map), ANY_NUMBER(R1), ALU64_IMM(BPF_AND, R1, 32),
		ALU64_IMM(BPF_OR, R1, 31), JMP_IMM(BPF_JGT, R1, 63, 2),
		JMP_IMM(BPF_JEQ, R1, 31, 1), NOT_FOLLOWED, RET0);
	/* neither is */
	ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R1), ALU64_IMM(BPF_AND, R1, 32),
		 ALU64_IMM(BPF_OR, R1, 31), JMP_IMM(BPF_JLT, R1, 35, 2),
		 JMP_IMM(BPF_JGT, R1, 60, 1), NOT_FOLLOWED, RET0);
}

#define KEY(size, n) ST(size, R10, -8, n), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -8)
#define FOUND(fd) LD_MAP(R1, fd), CALL(BPF_FUNC_map_lookup_elem), LDX(BPF_B, R0, R0, 0), EXIT
#define MISSING "R0 invalid mem access 'map_value_or_null'"

/* What an array has at a constant key need not be asked for, where the kernel is new enough. */
static void test_constant_keys(void **state)
{
	int array = map_new(BPF_MAP_TYPE_ARRAY, 4, 8, 3, 0);
	int percpu = map_new(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 3, 0);
	int hash = map_new(BPF_MAP_TYPE_HASH, 4, 8, 3, 0);

	REFUSED(-EACCES, MISSING, KEY(BPF_W, 2), FOUND(array));
	exec_env.const_keys_found = true;
	ACCEPTED(KEY(BPF_W, 2), FOUND(array));
	ACCEPTED(KEY(BPF_W, 2), FOUND(percpu));
	ACCEPTED(ST(BPF_W, R10, -4, 0), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -4), FOUND(array));
	ACCEPTED(MOV64_IMM(R3, 2), STX(BPF_W, R10, R3, -8), MOV64_REG(R2, R10),
		 ALU64_IMM(BPF_ADD, R2, -8), FOUND(array));
	REFUSED(-EACCES, MISSING, KEY(BPF_W, 3), FOUND(array));
	REFUSED(-EACCES, MISSING, KEY(BPF_W, -1), FOUND(array));
	REFUSED(-EACCES, MISSING, KEY(BPF_W, 2), FOUND(hash));
	/* not what was stored, or not all of it; in the middle of a slot only zeroes are known */
	REFUSED(-EACCES, MISSING, ST(BPF_W, R10, -4, 1), MOV64_REG(R2, R10),
		ALU64_IMM(BPF_ADD, R2, -4), FOUND(array));
	REFUSED(-EACCES, MISSING, KEY(BPF_DW, 2), FOUND(array));
	REFUSED(-EACCES, MISSING, KEY(BPF_W, 2), ST(BPF_B, R10, -7, 1), FOUND(array));
	/* it matters which one it is: the other path is not covered by the first */
	REFUSED(-EACCES, MISSING, CALL(BPF_FUNC_get_prandom_u32), MOV64_IMM(R3, 2),
		JMP_IMM(BPF_JEQ, R0, 7, 1), MOV64_IMM(R3, 3), STX(BPF_W, R10, R3, -8),
		MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -8), FOUND(array));
	REFUSED(-EACCES, MISSING, CALL(BPF_FUNC_get_prandom_u32), MOV64_IMM(R3, 3),
		JMP_IMM(BPF_JEQ, R0, 7, 1), MOV64_IMM(R3, 2), STX(BPF_W, R10, R3, -8),
		MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -8), FOUND(array));
	exec_env.const_keys_found = false;
	bpf_close(array);
	bpf_close(percpu);
	bpf_close(hash);
}

static void test_linked_numbers(void **state)
{
	/* r1 = r2 + 8 */
	ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R2), MOV64_REG(R1, R2), ALU64_IMM(BPF_ADD, R1, 8),
		 JMP_IMM(BPF_JLT, R2, VALUE_SIZE - 8, 2), RET0, USE_INDEX(BPF_B));
	REFUSED(-EACCES, "invalid access to map value, value_size=64 off=64 size=1",
		LOOKUP_GOOD(map), ANY_NUMBER(R2), MOV64_REG(R1, R2), ALU64_IMM(BPF_ADD, R1, 8),
		JMP_IMM(BPF_JLT, R2, VALUE_SIZE - 7, 2), RET0, USE_INDEX(BPF_B));
	/* the other way round, and from the stack */
	ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R2), MOV64_REG(R1, R2), ALU64_IMM(BPF_ADD, R2, 8),
		 STX(BPF_DW, R10, R1, -16), JMP_IMM(BPF_JLT, R2, 8, 1),
		 JMP_IMM(BPF_JLE, R2, VALUE_SIZE, 2), RET0, LDX(BPF_DW, R1, R10, -16),
		 USE_INDEX(BPF_DW));
	/* twice */
	ACCEPTED(LOOKUP_GOOD(map), ANY_NUMBER(R2), MOV64_REG(R1, R2), ALU64_IMM(BPF_ADD, R1, 8),
		 JMP_IMM(BPF_JLT, R2, 50, 2), RET0, JMP_IMM(BPF_JGE, R2, 4, 2), RET0,
		 ALU64_IMM(BPF_SUB, R1, 12), USE_INDEX(BPF_B));
	/* any other change unties */
	REFUSED(-EINVAL, "unbounded min value", LOOKUP_GOOD(map), ANY_NUMBER(R2),
		MOV64_REG(R1, R2), ALU64_IMM(BPF_XOR, R1, 8),
		JMP_IMM(BPF_JLT, R2, VALUE_SIZE - 8, 2), RET0, USE_INDEX(BPF_B));
	REFUSED(-EINVAL, "unbounded min value", LOOKUP_GOOD(map), ANY_NUMBER(R2),
		MOV64_REG(R1, R2), ALU64_IMM(BPF_ADD, R1, 4), ALU64_IMM(BPF_ADD, R1, 4),
		JMP_IMM(BPF_JLT, R2, VALUE_SIZE - 8, 2), RET0, USE_INDEX(BPF_B));
	/* so does cutting a number that does not fit */
	REFUSED(-EINVAL, "unbounded min value", LOOKUP_GOOD(map), ANY_NUMBER(R1),
		INSN(BPF_ALU | BPF_MOV | BPF_X, R2, R1, 0, 0),
		JMP_IMM(BPF_JLT, R2, VALUE_SIZE, 2), RET0, USE_INDEX(BPF_B));
	ACCEPTED(LOOKUP_GOOD(map), LDX(BPF_W, R1, R0, 0),
		 INSN(BPF_ALU | BPF_MOV | BPF_X, R2, R1, 0, 0),
		 JMP_IMM(BPF_JLT, R2, VALUE_SIZE, 2), RET0, USE_INDEX(BPF_B));
}

/* Loops that nothing but may_goto ends. */
static void test_may_goto(void **state)
{
	ACCEPTED(MOV64_IMM(R1, 0), MAY_GOTO(2), ALU64_IMM(BPF_ADD, R1, 1), JA(-3), RET0);
	REFUSED(-EACCES, "value_size=64 off=64 size=1", LOOKUP_GOOD(map), MOV64_IMM(R1, 0),
		MAY_GOTO(2), ALU32_IMM(BPF_ADD, R1, 1), JA(-3), USE_INDEX(BPF_B));
}

/* --- packets ------------------------------------------------------------------------------- */

/*
 * r2: the packet, r4: 8 bytes further, r3: its end. Compared in all ways; @pkt_dst:
 * "r4 op r3", and otherwise "r3 op r4". Behind the jump, or (@jumps) where it goes,
 * @good bytes are there, and one more is not.
 */
static const struct {
	u8 op;
	bool pkt_dst, jumps;
	s16 good;
} compares[] = {
	{ BPF_JGT, true, false, 8 }, { BPF_JGE, true, false, 9 },
	{ BPF_JLT, true, true, 9 },  { BPF_JLE, true, true, 8 },
	{ BPF_JLT, false, false, 8 }, { BPF_JLE, false, false, 9 },
	{ BPF_JGT, false, true, 9 }, { BPF_JGE, false, true, 8 },
};

static int load_packet(u32 i, s16 byte, bool other_way)
{
	u8 dst = compares[i].pkt_dst ? R4 : R3, src = compares[i].pkt_dst ? R3 : R4;
	bool jumps = compares[i].jumps != other_way;
	const struct bpf_insn insns[] = {
		LDX(BPF_W, R2, R1, 0),
		LDX(BPF_W, R3, R1, 4),
		MOV64_REG(R4, R2),
		ALU64_IMM(BPF_ADD, R4, 8),
		JMP_REG(compares[i].op, dst, src, 1),
		JA(jumps ? 1 : 0),
		jumps ? JA(0) : JA(1),
		LDX(BPF_B, R0, R2, byte),
		RET0,
	};
	struct bpf_insn copy[ARRAY_SIZE(insns)];

	memcpy(copy, insns, sizeof(copy));
	if (!jumps) /* the jump goes over the load, what falls through meets it */
		copy[4].off = 3, copy[6] = JA(0);
	else
		copy[5] = JA(2);
	return load_type(XDP, copy, ARRAY_SIZE(copy));
}

static void test_packets(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(compares); i++) {
		int fd = load_packet(i, (s16)(compares[i].good - 1), false);

		if (fd < 0)
			print_error("%u: %s\n", i, load_log);
		assert_true(fd >= 0);
		bpf_close(fd);
		assert_int_equal(load_packet(i, compares[i].good, false), -EACCES);
		assert_non_null(strstr(load_log, "invalid access to packet"));
		assert_int_equal(load_packet(i, 0, true), -EACCES);
		assert_non_null(strstr(load_log, "invalid access to packet"));
	}
}

/* A pointer beyond the end is beyond it the next time. */
static void test_packet_end_remembered(void **state)
{
	ACCEPTED(LDX(BPF_W, R2, R1, 0), LDX(BPF_W, R3, R1, 4), MOV64_REG(R4, R2),
		 ALU64_IMM(BPF_ADD, R4, 8), JMP_REG(BPF_JGT, R4, R3, 1), JA(2),
		 JMP_REG(BPF_JGT, R4, R3, 1), LDX(BPF_B, R0, R5, 0), RET0);
	REFUSED(-EACCES, "R5 !read_ok", LDX(BPF_W, R2, R1, 0), LDX(BPF_W, R3, R1, 4),
		MOV64_REG(R4, R2), ALU64_IMM(BPF_ADD, R4, 8), JMP_REG(BPF_JGE, R4, R3, 1), JA(2),
		JMP_REG(BPF_JGT, R4, R3, 1), LDX(BPF_B, R0, R5, 0), RET0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointers_moved),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_same_register),
		cmocka_unit_test(test_single_number),
		cmocka_unit_test(test_constant_keys),
		cmocka_unit_test(test_linked_numbers),
		cmocka_unit_test(test_may_goto),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_packet_end_remembered),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
