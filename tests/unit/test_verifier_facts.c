// SPDX-License-Identifier: GPL-2.0-only
/*
 * What verification tells the compiler: which loads may meet anything, which
 * calls always have one map, and which functions read stack that nobody wrote.
 */
#include "../../src/bpf/btf/internal.h"
#include "../../src/bpf/exec/exec.h"
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
	assert_true(!loaded->jit == (exec_env.interpreted || !bpf_jit_available()));
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

/* --- an array without a size at the end of a struct ------------------------------------ */

static struct kheap_type task_type = { .name = "task_struct" };
static void *task;

static void *current_task(void)
{
	return task;
}

/* The last member of task_struct becomes bytes, of which any number may follow. */
static u32 open_task_struct(void)
{
	const struct btf *btf = bpf_kernel_btf();
	const struct btf_type *key = btf_type_by_id(btf, (u32)kernel_id("bpf_lpm_trie_key_u8",
									 BTF_KIND_STRUCT));
	const struct btf_type *t = btf_type_by_id(btf, (u32)kernel_id("task_struct",
								       BTF_KIND_STRUCT));
	struct btf_member *last = (struct btf_member *)&btf_members(t)[btf_vlen(t) - 1];

	last->type = btf_members(key)[btf_vlen(key) - 1].type;
	return t->size;
}

static u64 run_loaded(void)
{
	u64 ret = bpf_prog_call(loaded, (u64[]){ 0 }, 1);

	assert_int_equal(machine.faults, 0);
	return ret;
}

/* Elements that are there are read, the others are 0: nobody reads what lies behind. */
static void test_beyond(void **state)
{
	u32 end = open_task_struct();
	s16 first = (s16)end, outside = (s16)(end + 16);

	assert_true(end + 16 < 0x8000);
	exec_env.current_task = current_task;
	assert_int_equal(bpf_register_object_type(&task_type), 0);
	task = kheap_alloc(&task_type, end + 8);
	memset((char *)task + end, 0x5a, 8);
	for (u32 engine = 0; engine < 2; engine++) {
		exec_env.interpreted = engine;
		FACTS(BPF_PROG_TYPE_RAW_TRACEPOINT, CALL(BPF_FUNC_get_current_task_btf),
		      LDX(BPF_B, R6, R0, first + 7), LDX(BPF_W, R7, R0, outside),
		      LDX(BPF_W, R8, R0, first + 6), MOV64_REG(R0, R6),
		      ALU64_REG(BPF_ADD, R0, R7), ALU64_REG(BPF_ADD, R0, R8), EXIT);
		assert_int_equal(loaded->facts[1].access, ACCESS_PROBE);
		assert_int_equal(loaded->facts[2].access, ACCESS_PROBE);
		assert_int_equal(run_loaded(), 0x5a);
		DONE;
	}
	exec_env.interpreted = false;
	exec_env.current_task = env_task;
	kheap_free(task);
}

/* --- arguments that may not be there ---------------------------------------------------- */

static const void *passed;

static s32 task_cpu(const void *p)
{
	passed = p;
	return 7;
}

static const struct bpf_kfunc doubtful[] = { { "scx_bpf_task_cpu", (void *)task_cpu, 0 } };
static const struct bpf_kfunc_set doubtful_set = {
	.funcs = doubtful, .nr = 1, .prog_type = BPF_PROG_TYPE_SYSCALL,
};

#define KFUNC(name)                                                                                \
	INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, kernel_id(name, BTF_KIND_FUNC))

static u32 offset_in_task(const char *member)
{
	const struct btf *btf = bpf_kernel_btf();
	const struct btf_type *t = btf_type_by_id(btf, (u32)kernel_id("task_struct",
								       BTF_KIND_STRUCT));
	const struct btf_member *m = btf_members(t);

	while (strcmp(btf_name(btf, m->name_off), member))
		m++;
	return btf_member_bit_offset(t, m) / 8;
}

/* r0 = scx_bpf_task_cpu(current->parent): of whom nobody holds a reference */
static void load_doubtful(void)
{
	FACTS(BPF_PROG_TYPE_SYSCALL, KFUNC("bpf_rcu_read_lock"),
	      CALL(BPF_FUNC_get_current_task_btf), LDX(BPF_DW, R1, R0, (s16)offset_in_task("parent")),
	      KFUNC("scx_bpf_task_cpu"), MOV64_REG(R6, R0), KFUNC("bpf_rcu_read_unlock"),
	      MOV64_REG(R0, R6), EXIT);
}

/* Compiled code looks at them, too. */
static void test_doubts(void **state)
{
	u32 parent = offset_in_task("parent");
	u64 value;

	exec_env.current_task = current_task;
	assert_int_equal(bpf_register_object_type(&task_type), 0);
	assert_int_equal(bpf_register_kfuncs(&doubtful_set), 0);
	task = kheap_alloc(&task_type, parent + 8);
	for (u32 engine = 0; engine < 2; engine++) {
		exec_env.interpreted = engine;
		load_doubtful();
		assert_int_equal(loaded->exec->nr_doubts, 1);
		assert_int_equal(bpf_jit_doubts(loaded, 3), 1);
		assert_int_equal(bpf_jit_doubts(loaded, 1), 0);

		value = (u64)task; /* it is there */
		memcpy((char *)task + parent, &value, sizeof(value));
		passed = NULL;
		assert_int_equal(run_loaded(), 7);
		assert_ptr_equal(passed, task);

		value = (u64)task + 8192; /* it is not */
		memcpy((char *)task + parent, &value, sizeof(value));
		passed = NULL;
		assert_int_equal(bpf_prog_call(loaded, (u64[]){ 0 }, 1), 0);
		assert_null(passed);
		assert_int_equal(machine.faults, 1);
		assert_non_null(strstr(machine.fault, "a live struct task_struct"));
		machine.faults = 0;
		DONE;
	}
	exec_env.interpreted = false;
	exec_env.current_task = env_task;
	kheap_free(task);
}

/* --- arenas ----------------------------------------------------------------------------- */

#define TO_ARENA(reg) INSN(BPF_ALU64 | BPF_MOV | BPF_X, reg, reg, 1, 1)

/* Addresses have 32 bits after any arithmetic, numbers that share it have all of theirs. */
static void test_arena(void **state)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARENA, .max_entries = 1,
				.map_flags = BPF_F_MMAPABLE };
	int arena = (int)vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));

	assert_true(arena >= 0);
	for (u32 engine = 0; engine < 2; engine++) {
		exec_env.interpreted = engine;
		FACTS(BPF_PROG_TYPE_RAW_TRACEPOINT, LD_MAP(R1, arena), MOV64_IMM(R2, 8), TO_ARENA(R2),
		      ALU64_IMM(BPF_SUB, R2, 16), ALU64_IMM(BPF_MUL, R2, 1), LDX(BPF_DW, R3, R2, 16),
		      STX(BPF_DW, R10, R2, -8), LDX(BPF_DW, R0, R10, -8),
		      JMP_IMM(BPF_JEQ, R3, 0, 1), MOV64_IMM(R0, 0), EXIT);
		assert_int_equal(loaded->insns[4].code, BPF_ALU | BPF_SUB | BPF_K);
		assert_int_equal(loaded->facts[6].access, ACCESS_ARENA);
		assert_int_equal(run_loaded(), 0xfffffff8);
		DONE;
		/* an address, or a number */
		FACTS(BPF_PROG_TYPE_RAW_TRACEPOINT, LD_MAP(R1, arena), CALL(BPF_FUNC_get_prandom_u32),
		      MOV64_IMM(R2, 8), JMP_IMM(BPF_JEQ, R0, 4, 1), TO_ARENA(R2),
		      ALU64_IMM(BPF_SUB, R2, 16), MOV64_REG(R0, R2), EXIT);
		assert_int_equal(loaded->insns[6].code, BPF_ALU64 | BPF_SUB | BPF_K);
		assert_int_equal(run_loaded(), (u64)-8);
		DONE;
	}
	exec_env.interpreted = false;
	bpf_close(arena);
}

/* --- maps ------------------------------------------------------------------------------- */

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

/* --- limits --------------------------------------------------------------------------------- */

/* Of a program that is small enough: instructions looked at, and memory. */
static void test_limits(void **state)
{
	struct bpf_insn insns[] = {
		CALL(BPF_FUNC_get_prandom_u32), JMP_IMM(BPF_JEQ, R0, 1, 0), JMP_IMM(BPF_JEQ, R0, 2, 0),
		JMP_IMM(BPF_JEQ, R0, 3, 0), RET0,
	};
	int fd = load_type(BPF_PROG_TYPE_XDP, insns, ARRAY_SIZE(insns));

	assert_true(fd >= 0);
	bpf_close(fd);
	exec_env.verifier_insns = 3;
	assert_int_equal(load_type(BPF_PROG_TYPE_XDP, insns, ARRAY_SIZE(insns)), -E2BIG);
	assert_non_null(strstr(load_log, "BPF program is too large. Processed 4 insn"));
	exec_env.verifier_insns = 0;
	exec_env.verifier_bytes = 4096;
	assert_int_equal(load_type(BPF_PROG_TYPE_XDP, insns, ARRAY_SIZE(insns)), -E2BIG);
	assert_non_null(strstr(load_log, "What is kept of its paths takes more than 4 KiB after"));
	exec_env.verifier_bytes = 0;
}

/* --- what is told of the code -------------------------------------------------------------- */

/* How long it is, also if nobody compiled it. */
static void test_info(void **state)
{
	for (u32 engine = 0; engine < 2; engine++) {
		u32 lens[3] = { 7, 7, 7 };
		struct bpf_prog_info info = { .nr_jited_func_lens = 3, .jited_func_lens = (u64)lens };
		union bpf_attr attr = { .info = { .info_len = sizeof(info), .info = (u64)&info } };

		exec_env.interpreted = engine || !bpf_jit_available();
		FACTS(BPF_PROG_TYPE_XDP, CALL_REL(1), EXIT, MOV64_IMM(R0, 2), EXIT);
		attr.info.bpf_fd = (u32)loaded_fd;
		assert_int_equal(vrt_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)), 0);
		assert_int_equal(info.nr_jited_func_lens, exec_env.interpreted ? 0 : 2);
		assert_int_equal(!info.jited_prog_len, exec_env.interpreted);
		assert_int_equal(info.jited_prog_insns, 0);
		if (!exec_env.interpreted) {
			assert_true(lens[0] && lens[1]);
			assert_int_equal(lens[0] + lens[1], info.jited_prog_len);
		}
		assert_int_equal(lens[2], 7);
		DONE;
	}
	exec_env.interpreted = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_access, setup, teardown),
		cmocka_unit_test_setup_teardown(test_probes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_beyond, setup, teardown),
		cmocka_unit_test_setup_teardown(test_doubts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arena, setup, teardown),
		cmocka_unit_test_setup_teardown(test_maps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stack, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_info, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
