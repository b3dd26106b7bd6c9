// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs may touch, and what stops them: every kind of pointer, and
 * every way to lose one.
 */
#include "bpf_exec_fixture.h"

/* r0 = bpf_map_lookup_elem(map, &key); the key is at -4. */
#define LOOKUP(fd, key)                                                                            \
	ST(BPF_W, R10, -4, key), LD_MAP(R1, fd), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -4),   \
		CALL(BPF_FUNC_map_lookup_elem)
#define LEAVE MOV64_IMM(R0, 0), EXIT

static int array;

static int setup(void **state)
{
	int err = exec_setup(state);

	array = map_new(BPF_MAP_TYPE_ARRAY, 4, 16, 4, 0);
	return err;
}

static int teardown(void **state)
{
	bpf_close(array);
	return exec_teardown(state);
}

static void test_numbers(void **state)
{
	CHECK_FAULT("insn 1: read of 8 bytes through 0x5, which is a number", MOV64_IMM(R1, 5),
		    LDX(BPF_DW, R0, R1, 0), EXIT);
	CHECK_FAULT("write of 1 byte through 0x5", MOV64_IMM(R1, 5), ST(BPF_B, R1, 0, 1), LEAVE);
	CHECK_FAULT("write of 4 bytes through 0x0", MOV64_IMM(R1, 0), STX(BPF_W, R1, R1, 0), LEAVE);
	CHECK_FAULT("write of 8 bytes through", MOV64_IMM(R1, 16), MOV64_IMM(R2, 1),
		    ATOMIC(BPF_DW, BPF_ADD, R1, R2, 0), LEAVE);
	/* arithmetic makes numbers of pointers */
	CHECK_FAULT("is a number", MOV64_REG(R1, R10), ALU64_IMM(BPF_AND, R1, -8),
		    LDX(BPF_DW, R0, R1, -8), EXIT);
	CHECK_FAULT("is a number", MOV64_REG(R1, R10), ALU32_IMM(BPF_ADD, R1, -8),
		    LDX(BPF_DW, R0, R1, 0), EXIT);
	CHECK_FAULT("is a number", MOV64_REG(R1, R10), MOV64_REG(R2, R10),
		    ALU64_REG(BPF_ADD, R1, R2), LDX(BPF_DW, R0, R1, 0), EXIT);
	CHECK_FAULT("is a number", MOV64_REG(R1, R10), MOV64_REG(R2, R10),
		    ALU64_REG(BPF_SUB, R1, R2), LDX(BPF_DW, R0, R1, 0), EXIT);
	/* a pointer's value that was stored somewhere is a number */
	CHECK_FAULT("is a number", LOOKUP(array, 0), MOV64_REG(R1, R10), STX(BPF_DW, R0, R1, 0),
		    LDX(BPF_DW, R1, R0, 0), LDX(BPF_DW, R0, R1, -8), EXIT);
	/* arguments in a context of numbers, too */
	CHECK_FAULT("through 0x0, which is a number", LDX(BPF_DW, R2, R1, 0),
		    LDX(BPF_DW, R0, R2, 0), EXIT);
}

static void test_stack(void **state)
{
	CHECK_FAULT("write of 8 bytes at offset -520 of the stack frame of 512 bytes",
		    MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -520), ST(BPF_DW, R1, 0, 1), LEAVE);
	CHECK_FAULT("read of 8 bytes at offset -4 of the stack frame", MOV64_REG(R1, R10),
		    LDX(BPF_DW, R0, R1, -4), EXIT);
	CHECK_FAULT("read of 1 byte at offset 0 of the stack frame", MOV64_REG(R1, R10),
		    LDX(BPF_B, R0, R1, 0), EXIT);
	/* a frame that is gone: in the caller, and in another callee */
	CHECK_FAULT("the stack of a function that has returned", CALL_REL(2),
		    LDX(BPF_DW, R0, R0, -8), EXIT, MOV64_REG(R0, R10), EXIT);
	/* the callee's own frame does not reach into the caller's */
	CHECK_FAULT("offset 8 of the stack frame", CALL_REL(1), EXIT, MOV64_REG(R1, R10),
		    LDX(BPF_DW, R0, R1, 8), EXIT);
}

static void test_spills(void **state)
{
	/* a pointer comes back from the stack as one */
	CHECK_RUN(7, MOV64_REG(R1, R10), STX(BPF_DW, R10, R1, -8), ST(BPF_DW, R10, -16, 7),
		  LDX(BPF_DW, R2, R10, -8), LDX(BPF_DW, R0, R2, -16), EXIT);
	/* through a copy of r10 */
	CHECK_RUN(7, MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -8), STX(BPF_DW, R1, R10, 0),
		  ST(BPF_DW, R10, -16, 7), LDX(BPF_DW, R2, R1, 0), LDX(BPF_DW, R0, R2, -16), EXIT);
	/* a byte written over it and it is a number */
	CHECK_FAULT("is a number", STX(BPF_DW, R10, R10, -8), LDX(BPF_B, R1, R10, -8),
		    STX(BPF_B, R10, R1, -8), LDX(BPF_DW, R2, R10, -8), LDX(BPF_DW, R0, R2, -8),
		    EXIT);
	CHECK_FAULT("is a number", STX(BPF_DW, R10, R10, -16), MOV64_REG(R3, R10),
		    ST(BPF_H, R3, -10, 1), LDX(BPF_DW, R2, R10, -16), LDX(BPF_DW, R0, R2, -8),
		    EXIT);
	/* half a pointer is none */
	CHECK_FAULT("is a number", STX(BPF_DW, R10, R10, -8), LDX(BPF_W, R2, R10, -8),
		    LDX(BPF_DW, R0, R2, -8), EXIT);
	/* saved registers keep theirs across a call */
	CHECK_RUN(3, MOV64_REG(R6, R10), ST(BPF_DW, R10, -8, 3), CALL_REL(2),
		  LDX(BPF_DW, R0, R6, -8), EXIT, MOV64_IMM(R6, 0), EXIT);
}

static void test_map_values(void **state)
{
	CHECK_RUN(9, LOOKUP(array, 1), JMP_IMM(BPF_JEQ, R0, 0, 2), ST(BPF_DW, R0, 8, 9),
		  LDX(BPF_DW, R0, R0, 8), EXIT);
	assert_int_equal(map_u64(array, 1), 0);
	CHECK_FAULT("read of 8 bytes at offset 16 of map 'counts' value of 16 bytes",
		    LOOKUP(array, 1), LDX(BPF_DW, R0, R0, 16), EXIT);
	CHECK_FAULT("write of 4 bytes at offset 13 of map 'counts' value", LOOKUP(array, 1),
		    ST(BPF_W, R0, 13, 1), LEAVE);
	CHECK_FAULT("read of 8 bytes at offset -8 of map 'counts' value", LOOKUP(array, 1),
		    LDX(BPF_DW, R0, R0, -8), EXIT);
	/* an index that was not checked */
	CHECK_FAULT("offset 4096 of map 'counts'", LOOKUP(array, 1), MOV64_IMM(R1, 4096),
		    ALU64_REG(BPF_ADD, R0, R1), LDX(BPF_B, R0, R0, 0), EXIT);
	/* no such element */
	CHECK_FAULT("through a NULL pointer (map 'counts' value was expected; check for NULL",
		    LOOKUP(array, 9), LDX(BPF_DW, R0, R0, 0), EXIT);
	CHECK_FAULT("write of 8 bytes through a NULL pointer", LOOKUP(array, 9),
		    ST(BPF_DW, R0, 8, 0), LEAVE);
	/* atomics on values; misaligned ones stop */
	CHECK_RUN(5, LOOKUP(array, 2), MOV64_IMM(R1, 5), ATOMIC(BPF_DW, BPF_ADD, R0, R1, 0),
		  LDX(BPF_DW, R0, R0, 0), EXIT);
	CHECK_FAULT("not aligned", LOOKUP(array, 2), MOV64_IMM(R1, 5),
		    ATOMIC(BPF_DW, BPF_ADD, R0, R1, 4), LEAVE);
	CHECK_FAULT("write of 8 bytes at offset 16", LOOKUP(array, 2), MOV64_IMM(R1, 5),
		    ATOMIC(BPF_DW, BPF_ADD, R0, R1, 16), LEAVE);
	/* the map itself is no memory */
	CHECK_FAULT("map 'counts' itself", LD_MAP(R1, array), LDX(BPF_DW, R0, R1, 0), EXIT);
}

static void test_direct_values(void **state)
{
	int data = map_new(BPF_MAP_TYPE_ARRAY, 4, 32, 1, 0);
	int rodata = map_new(BPF_MAP_TYPE_ARRAY, 4, 32, 1, BPF_F_RDONLY_PROG);

	CHECK_RUN(6, LD_VALUE(R1, data, 24), ST(BPF_DW, R1, 0, 6), LDX(BPF_DW, R0, R1, 0), EXIT);
	/* the whole value can be reached from anywhere in it */
	CHECK_RUN(6, LD_VALUE(R1, data, 8), LDX(BPF_DW, R0, R1, 16), EXIT);
	CHECK_FAULT("offset 32 of map 'counts' value of 32 bytes", LD_VALUE(R1, data, 24),
		    LDX(BPF_DW, R0, R1, 8), EXIT);
	CHECK_RUN(0, LD_VALUE(R1, rodata, 0), LDX(BPF_DW, R0, R1, 0), EXIT);
	CHECK_FAULT("write to map 'counts', which is read-only for programs",
		    LD_VALUE(R1, rodata, 0), ST(BPF_DW, R1, 0, 6), LEAVE);
	bpf_close(data);
	bpf_close(rodata);
}

static void test_write_only(void **state)
{
	int fd = map_new(BPF_MAP_TYPE_ARRAY, 4, 16, 2, BPF_F_WRONLY_PROG);

	CHECK_RUN(0, LOOKUP(fd, 1), ST(BPF_DW, R0, 0, 7), LEAVE);
	assert_int_equal(map_u64(fd, 1), 7);
	CHECK_FAULT("write-only for programs", LOOKUP(fd, 1), LDX(BPF_DW, R0, R0, 0), EXIT);
	bpf_close(fd);
}

static void test_contexts(void **state)
{
	CHECK_FAULT("read of 8 bytes at offset 16 of the context of 16 bytes",
		    LDX(BPF_DW, R0, R1, 16), EXIT);
	CHECK_FAULT("write of 8 bytes at offset 0 of the context, which is read-only",
		    ST(BPF_DW, R1, 0, 1), LEAVE);
	CHECK_FAULT("offset -8 of the context", LDX(BPF_DW, R0, R1, -8), EXIT);
}

static void test_helper_arguments(void **state)
{
	CHECK_FAULT("bpf_map_lookup_elem: argument 1: expected a map, got a number",
		    MOV64_IMM(R1, 0), MOV64_REG(R2, R10), CALL(BPF_FUNC_map_lookup_elem), EXIT);
	CHECK_FAULT("bpf_map_lookup_elem: argument 2: read of 4 bytes through 0x7",
		    LD_MAP(R1, array), MOV64_IMM(R2, 7), CALL(BPF_FUNC_map_lookup_elem), EXIT);
	CHECK_FAULT("argument 2: read of 4 bytes at offset -2 of the stack frame",
		    LD_MAP(R1, array), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -2),
		    CALL(BPF_FUNC_map_lookup_elem), EXIT);
	/* a value that does not cover value_size */
	CHECK_FAULT("bpf_map_update_elem: argument 3: read of 16 bytes at offset -8",
		    ST(BPF_W, R10, -4, 0), LD_MAP(R1, array), MOV64_REG(R2, R10),
		    ALU64_IMM(BPF_ADD, R2, -4), MOV64_REG(R3, R10), ALU64_IMM(BPF_ADD, R3, -8),
		    MOV64_IMM(R4, 0), CALL(BPF_FUNC_map_update_elem), EXIT);
	/* memory and its size */
	CHECK_FAULT("bpf_probe_read_kernel: argument 1: write of 9 bytes at offset -8",
		    MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -8), MOV64_IMM(R2, 9),
		    MOV64_IMM(R3, 0), CALL(BPF_FUNC_probe_read_kernel), EXIT);
	CHECK_FAULT("a size of -1 bytes", MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -8),
		    MOV64_IMM(R2, -1), MOV64_IMM(R3, 0), CALL(BPF_FUNC_probe_read_kernel), EXIT);
	/* the whole frame is fine */
	CHECK_RUN(-EFAULT, MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -512), MOV64_IMM(R2, 512),
		  MOV64_IMM(R3, 0), CALL(BPF_FUNC_probe_read_kernel), EXIT);
	/* what a helper writes over a spilled pointer makes it a number */
	CHECK_FAULT("is a number", STX(BPF_DW, R10, R10, -8), MOV64_REG(R1, R10),
		    ALU64_IMM(BPF_ADD, R1, -8), MOV64_IMM(R2, 8), MOV64_IMM(R3, 0),
		    CALL(BPF_FUNC_probe_read_kernel), LDX(BPF_DW, R1, R10, -8),
		    LDX(BPF_DW, R0, R1, -8), EXIT);
}

static void test_budget(void **state)
{
	CHECK_FAULT("ran 1000", MOV64_IMM(R0, 0), JMP_IMM(BPF_JEQ, R0, 0, -1), EXIT);
	exec_env.insn_budget = 5000;
	CHECK_FAULT("ran 500", MOV64_IMM(R0, 0), ALU64_IMM(BPF_ADD, R0, 1),
		    JMP_IMM(BPF_JNE, R0, 0, -2), EXIT);
	/* exactly what it needs is enough */
	CHECK_RUN(0, MOV64_IMM(R0, 2400), ALU64_IMM(BPF_SUB, R0, 1), JMP_IMM(BPF_JNE, R0, 0, -2),
		  EXIT);
	/* what runs long is charged in between */
	exec_env.insn_budget = 0;
	machine.insns = 0;
	CHECK_RUN(0, MOV64_IMM(R0, 1000000), ALU64_IMM(BPF_SUB, R0, 1),
		  JMP_IMM(BPF_JNE, R0, 0, -2), EXIT);
	assert_int_equal(machine.insns, 2000002);
	/* recursion by a callback that calls itself is found by its depth, not here */
}

/* What libbpf puts where something was missing: an error when it is executed. */
static void test_missing(void **state)
{
	CHECK_RUN(1, MOV64_IMM(R0, 1), JMP_IMM(BPF_JEQ, R0, 1, 1), CALL(195896080), EXIT);
	CHECK_FAULT("does not have (guard it with bpf_core_field_exists()", CALL(195896080), EXIT);
	CHECK_FAULT("a kernel function that this kernel does not have", CALL(2002000003), EXIT);
	CHECK_FAULT("a map that was not created", CALL(2001000001), EXIT);
}

/* Only the first fault of a run is told, and everything stops at once. */
static void test_stop_in_callee(void **state)
{
	CHECK_FAULT("is a number", MOV64_IMM(R1, 1), CALL_REL(3), LD64(R1, 0), EXIT,
		    LDX(BPF_DW, R0, R1, 0), EXIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_numbers),
		TEST(test_stack),
		TEST(test_spills),
		TEST(test_map_values),
		TEST(test_direct_values),
		TEST(test_write_only),
		TEST(test_contexts),
		TEST(test_helper_arguments),
		TEST(test_budget),
		TEST(test_missing),
		TEST(test_stop_in_callee),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
