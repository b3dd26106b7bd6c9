// SPDX-License-Identifier: GPL-2.0-only
/*
 * What verification tells the compiler: which loads may meet anything, which
 * calls always have one map, and which functions read stack that nobody wrote.
 */
#include "../../src/bpf/btf.h"
#include "../../src/bpf/exec.h"
#include "../../src/bpf/jit/jit.h"
#include "bpf_exec_fixture.h"

#define RET0 MOV64_IMM(R0, 0), EXIT

static int array, hash;

static int setup(void **state)
{
	int err = exec_setup(state);

	exec_env.unverified = false;
	array = map_new(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	hash = map_new(BPF_MAP_TYPE_HASH, 4, 8, 1, 0);
	return err;
}

static int teardown(void **state)
{
	bpf_close(array);
	bpf_close(hash);
	return exec_teardown(state);
}

static struct bpf_prog *loaded;
static int loaded_fd;

static void load(enum bpf_prog_type type, const struct bpf_insn *insns, u32 nr)
{
	loaded_fd = load_type(type, insns, nr);
	if (loaded_fd < 0)
		print_error("%s\n", load_log);
	assert_true(loaded_fd >= 0);
	loaded = prog_of(loaded_fd);
	assert_non_null(loaded->facts);
	assert_true(!loaded->jit == !bpf_jit_available());
}

#define FACTS(type, ...)                                                                           \
	do {                                                                                       \
		struct bpf_insn insns_[] = { __VA_ARGS__ };                                        \
		load(type, insns_, ARRAY_SIZE(insns_));                                            \
	} while (0)
#define DONE bpf_close(loaded_fd)

static void test_access(void **state)
{
	/* a task that the kernel gave */
	FACTS(BPF_PROG_TYPE_RAW_TRACEPOINT, CALL(BPF_FUNC_get_current_task_btf),
	      LDX(BPF_W, R1, R0, 0), RET0);
	assert_int_equal(loaded->facts[1].access, ACCESS_PLAIN);
	DONE;
	FACTS(BPF_PROG_TYPE_XDP, LDX(BPF_W, R2, R1, 0), LDX(BPF_W, R3, R1, 4), MOV64_REG(R0, R2),
	      ALU64_IMM(BPF_ADD, R0, 1), JMP_REG(BPF_JGT, R0, R3, 1), LDX(BPF_B, R0, R2, 0), RET0);
	assert_int_equal(loaded->facts[0].access, ACCESS_PACKET);
	assert_int_equal(loaded->facts[1].access, ACCESS_PACKET_END);
	assert_int_equal(loaded->facts[5].access, ACCESS_PLAIN);
	DONE;
}

static s32 kernel_id(const char *name, u32 kind)
{
	s32 id = btf_find_by_name_kind(bpf_kernel_btf(), name, kind);

	assert_true(id > 0);
	return id;
}

/* A pointer of which the program only says what it is. */
static void test_probes(void **state)
{
	FACTS(BPF_PROG_TYPE_SYSCALL, MOV64_IMM(R1, 0),
	      MOV64_IMM(R2, kernel_id("task_struct", BTF_KIND_STRUCT)),
	      INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0,
		   kernel_id("bpf_rdonly_cast", BTF_KIND_FUNC)),
	      LDX(BPF_W, R0, R0, 0), RET0);
	assert_int_equal(loaded->facts[3].access, ACCESS_PROBE);
	DONE;
}

#define KEY0 ST(BPF_W, R10, -4, 0), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -4)

static void test_maps(void **state)
{
	FACTS(BPF_PROG_TYPE_XDP, KEY0, LD_MAP(R1, hash), CALL(BPF_FUNC_map_lookup_elem), RET0);
	assert_true(loaded->facts[5].same_map);
	assert_ptr_equal(loaded->maps[loaded->facts[5].map]->ops->lookup,
			 loaded->maps[0]->ops->lookup);
	assert_int_equal(loaded->maps[loaded->facts[5].map]->type, BPF_MAP_TYPE_HASH);
	DONE;
	/* one of two, by chance */
	FACTS(BPF_PROG_TYPE_XDP, CALL(BPF_FUNC_get_prandom_u32), KEY0, LD_MAP(R1, hash),
	      JMP_IMM(BPF_JEQ, R0, 0, 2), LD_MAP(R1, array), CALL(BPF_FUNC_map_lookup_elem), RET0);
	assert_false(loaded->facts[9].same_map);
	DONE;
}

static void test_stack(void **state)
{
	FACTS(BPF_PROG_TYPE_XDP, ST(BPF_DW, R10, -16, 1), LDX(BPF_DW, R0, R10, -16), RET0);
	assert_false(loaded->subprogs[0].reads_uninit);
	assert_true(loaded->subprogs[0].stack >= 16);
	DONE;
	FACTS(BPF_PROG_TYPE_XDP, ST(BPF_W, R10, -8, 1), LDX(BPF_DW, R0, R10, -8), RET0);
	assert_true(loaded->subprogs[0].reads_uninit);
	DONE;
	/* the memory is the caller's, whoever reads it */
	FACTS(BPF_PROG_TYPE_XDP, MOV64_REG(R1, R10), CALL_REL(2), RET0, LDX(BPF_DW, R0, R1, -24),
	      EXIT);
	assert_true(loaded->subprogs[0].reads_uninit);
	assert_int_equal(loaded->subprogs[0].stack, 24);
	assert_false(loaded->subprogs[1].reads_uninit);
	DONE;
	/* what a path that is not followed again has not written */
	FACTS(BPF_PROG_TYPE_XDP, CALL(BPF_FUNC_get_prandom_u32), JMP_IMM(BPF_JNE, R0, 0, 1),
	      ST(BPF_DW, R10, -8, 5), JMP_IMM(BPF_JEQ, R0, 7, 1), MOV64_IMM(R1, 0),
	      LDX(BPF_DW, R0, R10, -8), RET0);
	assert_true(loaded->subprogs[0].reads_uninit);
	DONE;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_access, setup, teardown),
		cmocka_unit_test_setup_teardown(test_probes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_maps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stack, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
