// SPDX-License-Identifier: GPL-2.0-only
/*
 * Program types of other rooms: a made-up one, whose context is 16 bytes (a
 * struct list_head of the kernel BTF), with three helpers and an attach point.
 */
#include <fcntl.h>

#include "../../src/bpf/helpers/helpers.h"
#include "../../src/bpf/link.h"
#include "../../src/bpf/object.h"
#include "../../src/bpf/prog_type.h"
#include "bpf_exec_fixture.h"

#define TYPE ((enum bpf_prog_type)1000)
#define OTHER ((enum bpf_prog_type)1001)
#define TWICE 3000
#define SUM 3001
#define PID 3002
#define RET0 MOV64_IMM(R0, 0), EXIT

static struct {
	u32 loaded, unloaded, attached, detached, released;
	int refuse_load, refuse_attach;
	const struct bpf_prog *prog;
	void *target;
	u32 attach_type;
} seen;

static u64 twice(u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return 2 * a;
}

static u64 sum(u64 mem, u64 size, u64 c, u64 d, u64 e)
{
	const u8 *p = (const u8 *)mem;
	u64 total = 0;

	for (u64 i = 0; i < size; i++)
		total += p[i];
	return total;
}

static u64 pid_of(u64 task, u64 b, u64 c, u64 d, u64 e)
{
	return task ? 1 : 0;
}

static const struct bpf_func_proto twice_proto = { .name = "made_up_twice", .fn = twice,
						   .args = { ARG_ANYTHING } };
static const struct bpf_func_proto sum_proto = {
	.name = "made_up_sum",
	.fn = sum,
	.args = { ARG_PTR_TO_MEM | MEM_RDONLY, ARG_CONST_SIZE },
};
static const struct bpf_func_proto pid_proto = {
	.name = "made_up_pid",
	.fn = pid_of,
	.args = { ARG_PTR_TO_BTF_ID },
	.btf = "task_struct",
	.gpl_only = true,
};

static const struct bpf_type_helper helpers[] = {
	{ TWICE, &twice_proto },
	{ SUM, &sum_proto },
	{ PID, &pid_proto },
};

static void target_gone(void *target)
{
	assert_ptr_equal(target, &seen);
	seen.released++;
}

static const struct bpf_target_type enclave = { "enclave", target_gone };
static const struct bpf_target_type other_target = { "other", NULL };

static int check(const struct bpf_prog *prog, struct bpf_log *log)
{
	if (prog->expected_attach_type == 0xfffffff0)
		return 0;
	bpf_log(log, "attach type %u of a made-up program\n", prog->expected_attach_type);
	return -EINVAL;
}

static int loaded(struct bpf_prog *prog)
{
	seen.loaded++;
	return seen.refuse_load;
}

static void unloaded(struct bpf_prog *prog)
{
	seen.unloaded++;
}

static int attach(struct bpf_prog *prog, void *target, u32 attach_type, void **state)
{
	if (seen.refuse_attach)
		return seen.refuse_attach;
	seen.attached++;
	seen.prog = prog;
	seen.target = target;
	seen.attach_type = attach_type;
	*state = &seen.attached;
	return 0;
}

static void detach(struct bpf_prog *prog, void *state)
{
	assert_ptr_equal(prog, seen.prog);
	assert_ptr_equal(state, &seen.attached);
	seen.detached++;
}

static const struct bpf_prog_type_ops made_up = {
	.type = TYPE,
	.name = "made_up",
	.ctx = "list_head",
	.helpers = helpers,
	.nr_helpers = ARRAY_SIZE(helpers),
	.check = check,
	.loaded = loaded,
	.unloaded = unloaded,
	.target = &enclave,
	.attach = attach,
	.detach = detach,
};

/* Nothing of what is optional; may sleep. */
static const struct bpf_prog_type_ops bare = { .type = OTHER, .name = "bare", .ctx = "list_head",
					       .may_sleep = true };

static int setup(void **state)
{
	int err = exec_setup(state);

	memset(&seen, 0, sizeof(seen));
	return err ?: bpf_register_prog_type(&made_up) ?: bpf_register_prog_type(&bare);
}

static int load_made_up(const struct bpf_insn *insns, u32 nr)
{
	union bpf_attr attr = { .prog_type = TYPE,
				.expected_attach_type = (enum bpf_attach_type)0xfffffff0 };

	return load_attr(&attr, insns, nr);
}

#define LOAD_MADE_UP(...)                                                                          \
	({                                                                                         \
		struct bpf_insn insns_[] = { __VA_ARGS__ };                                        \
		load_made_up(insns_, ARRAY_SIZE(insns_));                                          \
	})

/* Runs on a context of @a, @b, which are what it left there afterwards. */
static u64 run_ctx(int fd, u64 *a, u64 *b)
{
	static const struct kheap_type ctx_type = { .name = "[made up]", .writable = true };
	u64 *ctx = kheap_alloc(&ctx_type, 16), ret;

	ctx[0] = *a;
	ctx[1] = *b;
	machine.faults = 0;
	ret = bpf_prog_run_ctx(prog_of(fd), ctx);
	*a = ctx[0];
	*b = ctx[1];
	kheap_free(ctx);
	return ret;
}

/* --- registration -------------------------------------------------------------- */

static void test_register(void **state)
{
	static const struct bpf_type_helper low[] = { { 999, &twice_proto } };
	static const struct bpf_func_proto lost_proto = { .name = "lost", .fn = twice,
							  .args = { ARG_PTR_TO_BTF_ID },
							  .btf = "no_such_struct" };
	static const struct bpf_type_helper lost[] = { { 1000, &lost_proto } };
	struct bpf_prog_type_ops ops = { .type = 1002, .name = "x", .ctx = "list_head" };

	assert_int_equal(bpf_register_prog_type(&made_up), -EEXIST);
	ops.type = BPF_PROG_TYPE_SYSCALL;
	assert_int_equal(bpf_register_prog_type(&ops), -EEXIST);
	ops.type = 1002;
	ops.ctx = "no_such_struct";
	assert_int_equal(bpf_register_prog_type(&ops), -ENOENT);
	ops.ctx = "list_head";
	ops.helpers = low;
	ops.nr_helpers = 1;
	assert_int_equal(bpf_register_prog_type(&ops), -EINVAL);
	ops.helpers = lost;
	assert_int_equal(bpf_register_prog_type(&ops), -ENOENT);
	CHECK_REFUSED(1002, -EINVAL, "", RET0);
	ops.nr_helpers = 0;
	assert_int_equal(bpf_register_prog_type(&ops), 0);
	CHECK_REFUSED(1003, -EINVAL, "", RET0);
}

static void test_forgotten_at_exit(void **state)
{
	assert_int_equal(LOAD_MADE_UP(RET0) >= 0, 1);
	bpf_exit();
	assert_int_equal(seen.unloaded, 1);
	assert_int_equal(bpf_init(&exec_env, vrt_kernel_btf, vrt_kernel_btf_size()), 0);
	assert_int_equal(LOAD_MADE_UP(RET0), -EINVAL);
	assert_int_equal(bpf_register_prog_type(&made_up), 0);
	assert_int_equal(LOAD_MADE_UP(RET0) >= 0, 1);
}

/* --- loading ---------------------------------------------------------------------- */

static void test_load(void **state)
{
	union bpf_attr attr = { .prog_type = OTHER, .prog_flags = BPF_F_SLEEPABLE };
	const struct bpf_insn ret0[] = { RET0 };
	int fd = LOAD_MADE_UP(RET0);

	assert_true(fd >= 0);
	assert_int_equal(seen.loaded, 1);
	assert_int_equal(seen.unloaded, 0);
	bpf_close(fd);
	assert_int_equal(seen.unloaded, 1);

	CHECK_REFUSED(TYPE, -EINVAL, "attach type 0 of a made-up program\n", RET0);
	assert_int_equal(seen.loaded, 1);
	seen.refuse_load = -EBUSY;
	assert_int_equal(LOAD_MADE_UP(RET0), -EBUSY);
	assert_int_equal(seen.loaded, 2);
	assert_int_equal(seen.unloaded, 1); /* it never was in the world */

	fd = load_attr(&attr, ret0, 2);
	assert_true(fd >= 0);
	bpf_close(fd);
	attr.prog_type = TYPE;
	assert_int_equal(load_attr(&attr, ret0, 2), -EINVAL);
}

/* --- the context -------------------------------------------------------------------- */

static void test_context(void **state)
{
	u64 a = 0x1122334455667788, b = 0;
	int fd = LOAD_MADE_UP(LDX(BPF_B, R0, R1, 3), /* 0x55 */
			      LDX(BPF_H, R2, R1, 1), /* unaligned: 0x6677 */
			      ALU64_REG(BPF_ADD, R0, R2),
			      STX(BPF_W, R1, R0, 9), /* across nothing: bytes 9..12 */
			      ST(BPF_B, R1, 15, 0x7f),
			      MOV64_IMM(R3, 1),
			      ATOMIC(BPF_DW, BPF_ADD, R1, R3, 0),
			      EXIT);

	assert_true(fd >= 0);
	assert_int_equal(run_ctx(fd, &a, &b), 0x55 + 0x6677);
	assert_int_equal(machine.faults, 0);
	assert_true(a == 0x1122334455667789);
	assert_true(b == (0x7fULL << 56 | (0x55 + 0x6677ULL) << 8));
	bpf_close(fd);
}

static void test_context_bounds(void **state)
{
	u64 a = 1, b = 2;
	int fd = LOAD_MADE_UP(LDX(BPF_W, R0, R1, 14), EXIT);

	assert_int_equal(run_ctx(fd, &a, &b), 0);
	assert_int_equal(machine.faults, 1);
	assert_non_null(strstr(machine.fault, "read of 4 bytes at offset 14"));
	bpf_close(fd);
	fd = LOAD_MADE_UP(ST(BPF_DW, R1, 16, 0), RET0);
	run_ctx(fd, &a, &b);
	assert_int_equal(machine.faults, 1);
	assert_non_null(strstr(machine.fault, "write of 8 bytes at offset 16"));
	bpf_close(fd);
	/* what is in it are numbers, whatever their type says */
	fd = LOAD_MADE_UP(LDX(BPF_DW, R1, R1, 0), LDX(BPF_DW, R0, R1, 0), EXIT);
	a = 0x200000000000;
	run_ctx(fd, &a, &b);
	assert_int_equal(machine.faults, 1);
	assert_non_null(strstr(machine.fault, "which is a number and no pointer"));
	bpf_close(fd);
}

/* --- helpers -------------------------------------------------------------------------- */

static void test_helpers(void **state)
{
	u64 a = 0x0102, b = 0;
	int fd = LOAD_MADE_UP(MOV64_REG(R6, R1), MOV64_REG(R1, R6), MOV64_IMM(R2, 16), CALL(SUM),
			      MOV64_REG(R1, R0), CALL(TWICE), EXIT);

	assert_true(fd >= 0);
	assert_int_equal(run_ctx(fd, &a, &b), 6);
	assert_int_equal(machine.faults, 0);
	bpf_close(fd);

	/* arguments are checked, and faults carry the helper's name */
	fd = LOAD_MADE_UP(MOV64_IMM(R2, 17), CALL(SUM), EXIT);
	run_ctx(fd, &a, &b);
	assert_int_equal(machine.faults, 1);
	assert_non_null(strstr(machine.fault, "bpf_made_up_sum: argument 1: read of 17 bytes"));
	bpf_close(fd);
	fd = LOAD_MADE_UP(CALL(PID), EXIT);
	run_ctx(fd, &a, &b);
	assert_int_equal(machine.faults, 1);
	assert_non_null(strstr(machine.fault, "bpf_made_up_pid: argument 1: expected"));
	assert_non_null(strstr(machine.fault, "task_struct"));
	bpf_close(fd);
	/* Linux's are there, too */
	fd = LOAD_MADE_UP(CALL(BPF_FUNC_get_prandom_u32), EXIT);
	assert_int_equal(run_ctx(fd, &a, &b), 4);
	bpf_close(fd);
}

static void test_helpers_of_nobody(void **state)
{
	const struct bpf_insn gpl_only[] = { LD64(R1, 0), CALL(PID), EXIT };
	union bpf_attr attr = { .prog_type = TYPE,
				.expected_attach_type = (enum bpf_attach_type)0xfffffff0,
				.insns = (u64)gpl_only, .insn_cnt = ARRAY_SIZE(gpl_only),
				.license = (u64) "BSD" };

	assert_int_equal(LOAD_MADE_UP(CALL(3003), EXIT), -EINVAL);
	assert_string_equal(load_log, "0: (85) call unknown#3003\ninvalid func unknown#3003\n"
				      "processed 0 insns (limit 1000000) max_states_per_insn 0 "
				      "total_states 0 peak_states 0 mark_read 0\n");
	CHECK_REFUSED(OTHER, -EINVAL, "invalid func unknown#3000", CALL(TWICE), EXIT);
	CHECK_REFUSED(BPF_PROG_TYPE_SOCKET_FILTER, -EINVAL, "invalid func unknown#3000",
		      CALL(TWICE), EXIT);
	assert_int_equal(vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)), -EINVAL);
	attr.license = (u64) "GPL";
	assert_true(vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)) >= 0);
}

/* --- links ---------------------------------------------------------------------------- */

static int link_create(int prog_fd, int target_fd, u32 attach_type)
{
	union bpf_attr attr = { .link_create = { .prog_fd = (u32)prog_fd,
						 .target_fd = (u32)target_fd,
						 .attach_type = attach_type } };

	return (int)vrt_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

static int link_detach(int fd)
{
	union bpf_attr attr = { .link_detach = { .link_fd = (u32)fd } };

	return (int)vrt_bpf(BPF_LINK_DETACH, &attr, sizeof(attr));
}

static void test_link(void **state)
{
	int prog = LOAD_MADE_UP(RET0), target = bpf_target_fd(&enclave, &seen), link;
	struct bpf_link_info info = { 0 };
	union bpf_attr attr = { .info = { .info_len = sizeof(info), .info = (u64)&info } };

	assert_true(target >= 0);
	link = link_create(prog, target, 50);
	assert_true(link >= 0);
	assert_int_equal(seen.attached, 1);
	assert_ptr_equal(seen.prog, prog_of(prog));
	assert_ptr_equal(seen.target, &seen);
	assert_int_equal(seen.attach_type, 50);
	attr.info.bpf_fd = (u32)link;
	assert_int_equal(vrt_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)), 0);
	assert_int_equal(info.type, BPF_LINK_TYPE_UNSPEC);
	assert_int_equal(info.prog_id, prog_of(prog)->obj.id);

	/* the link keeps the program; the target may end first */
	bpf_close(prog);
	bpf_close(target);
	assert_int_equal(seen.released, 1);
	assert_int_equal(seen.unloaded, 0);
	assert_int_equal(seen.detached, 0);
	bpf_close(link);
	assert_int_equal(seen.detached, 1);
	assert_int_equal(seen.unloaded, 1);
}

static void test_detach(void **state)
{
	int prog = LOAD_MADE_UP(RET0), link = link_create(prog, 0, 0);

	assert_true(link >= 0);
	assert_null(seen.target);
	assert_int_equal(link_detach(link), 0);
	assert_int_equal(seen.detached, 1);
	assert_int_equal(link_detach(link), 0);
	bpf_close(link);
	assert_int_equal(seen.detached, 1);
	/* a link that is still there at the end */
	assert_true(link_create(prog, 0, 0) >= 0);
	bpf_exit();
	assert_int_equal(seen.attached, 2);
	assert_int_equal(seen.detached, 2);
	assert_int_equal(bpf_init(&exec_env, vrt_kernel_btf, vrt_kernel_btf_size()), 0);
}

static void test_link_errors(void **state)
{
	int prog = LOAD_MADE_UP(RET0), other = load_type(OTHER, (struct bpf_insn[]){ RET0 }, 2);
	int map = map_new(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
	int target = bpf_target_fd(&enclave, &seen), wrong = bpf_target_fd(&other_target, &seen);
	int plain = open("/dev/null", O_RDONLY);
	union bpf_attr flags = { .link_create = { .prog_fd = (u32)prog, .flags = 1 } };

	assert_int_equal(link_create(prog, 9999, 0), -EBADF);
	assert_int_equal(link_create(prog, plain, 0), -EINVAL);
	assert_int_equal(link_create(prog, map, 0), -EINVAL);
	assert_int_equal(link_create(prog, wrong, 0), -EINVAL);
	assert_int_equal(link_create(other, target, 0), -EINVAL); /* cannot be attached */
	assert_int_equal(link_create(target, target, 0), -EINVAL);
	assert_int_equal(vrt_bpf(BPF_LINK_CREATE, &flags, sizeof(flags)), -EINVAL);
	seen.refuse_attach = -EBUSY;
	assert_int_equal(link_create(prog, target, 0), -EBUSY);
	assert_int_equal(seen.detached, 0);
	/* neither program nor target is held by what failed */
	bpf_close(prog);
	assert_int_equal(seen.unloaded, 1);
	bpf_close(target);
	assert_int_equal(seen.released, 1);
	close(plain);
}

static void test_target_twice(void **state)
{
	int a = bpf_target_fd(&enclave, &seen), b = bpf_target_fd(&enclave, &seen);

	assert_true(a >= 0 && b >= 0 && a != b);
	assert_true(bpf_fd_is_ours(a));
	bpf_close(a);
	assert_int_equal(seen.released, 0);
	bpf_close(b);
	assert_int_equal(seen.released, 1);
	/* what is open at the end is closed then */
	bpf_target_fd(&enclave, &seen);
	bpf_exit();
	assert_int_equal(seen.released, 2);
	assert_int_equal(bpf_init(&exec_env, vrt_kernel_btf, vrt_kernel_btf_size()), 0);
}

/* --- tail calls ------------------------------------------------------------------------- */

static void test_tail_calls(void **state)
{
	int progs = map_new(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1, 0);
	int callee = LOAD_MADE_UP(ST(BPF_DW, R1, 8, 7), MOV64_IMM(R1, 21), CALL(TWICE), EXIT);
	int caller = LOAD_MADE_UP(LD_MAP(R2, progs), MOV64_IMM(R3, 0),
				  CALL(BPF_FUNC_tail_call), RET0);
	int other = load_type(OTHER, (struct bpf_insn[]){ RET0 }, 2);
	u64 a = 0, b = 0;
	u32 key = 0;

	assert_true(caller >= 0);
	assert_int_equal(map_elem(BPF_MAP_UPDATE_ELEM, progs, &key, &other), -EINVAL);
	assert_int_equal(map_elem(BPF_MAP_UPDATE_ELEM, progs, &key, &callee), 0);
	assert_int_equal(run_ctx(caller, &a, &b), 42);
	assert_int_equal(b, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, exec_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_register),
		TEST(test_forgotten_at_exit),
		TEST(test_load),
		TEST(test_context),
		TEST(test_context_bounds),
		TEST(test_helpers),
		TEST(test_helpers_of_nobody),
		TEST(test_link),
		TEST(test_detach),
		TEST(test_link_errors),
		TEST(test_target_twice),
		TEST(test_tail_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
