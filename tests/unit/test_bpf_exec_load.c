// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF_PROG_LOAD: what is refused and how, what libbpf's probes get; and
 * BPF_PROG_TEST_RUN.
 */
#include <linux/filter.h>

#include <stdio.h>

#include "../../src/bpf/exec/exec.h"
#include "bpf_exec_fixture.h"
#include "btf_builder.h"

#define ENOTSUPP 524
#define FILTER BPF_PROG_TYPE_SOCKET_FILTER
#define REFUSED(err, text, ...) CHECK_REFUSED(FILTER, err, text, __VA_ARGS__)
#define RET0 MOV64_IMM(R0, 0), EXIT

static void test_opcodes(void **state)
{
	static const u8 unknown[] = {
		0x01, /* LD IMM W */ 0x19, /* LDX IMM */ 0x99, /* LDX MEMSX DW */
		0xd3, /* STX ATOMIC B */ 0x8c, /* NEG with X */ 0xe7, /* ALU64 0xe */
		0xf5, /* JMP 0xf */ 0x8e, /* CALL in JMP32 */ 0x9d, /* EXIT with X */
		0x82, /* ST with mode 4 */
	};
	char text[40];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		snprintf(text, sizeof(text), "unknown opcode %02x", unknown[i]);
		REFUSED(-EINVAL, text, INSN(unknown[i], R1, 0, 0, 0), RET0);
	}
}

static void test_reserved_fields(void **state)
{
	REFUSED(-EINVAL, "0: (87) r0 = -r0\nBPF_NEG uses reserved fields",
		INSN(BPF_ALU64 | BPF_NEG, R0, 0, 0, 1), RET0);
	REFUSED(-EINVAL, "BPF_ALU uses reserved fields", INSN(0x0f, R0, R1, 0, 1), RET0);
	REFUSED(-EINVAL, "BPF_ALU uses reserved fields", INSN(0x07, R0, R1, 0, 1), RET0);
	REFUSED(-EINVAL, "BPF_ALU uses reserved fields", INSN(0x07, R0, 0, 1, 1), RET0);
	REFUSED(-EINVAL, "BPF_ALU uses reserved fields", INSN(0x37, R0, 0, 2, 1), RET0);
	REFUSED(-EINVAL, "BPF_MOV uses reserved fields", INSN(0xbf, R0, R1, 7, 0), RET0);
	REFUSED(-EINVAL, "BPF_MOV uses reserved fields", INSN(0xbc, R0, R1, 32, 0), RET0);
	REFUSED(-EINVAL, "addr_space_cast insn can only be used in", INSN(0xbf, R0, R1, 1, 1), RET0);
	REFUSED(-EINVAL, "BPF_END uses reserved fields", INSN(0xd4, R0, 0, 0, 8), RET0);
	REFUSED(-EINVAL, "BPF_END uses reserved fields", INSN(0xdf, R0, 0, 0, 16), RET0);
	REFUSED(-EINVAL, "BPF_LDX uses reserved fields", INSN(0x61, R0, R10, -8, 1), RET0);
	REFUSED(-EINVAL, "BPF_ST uses reserved fields", INSN(0x62, R10, R1, -8, 1), RET0);
	REFUSED(-EINVAL, "BPF_STX uses reserved fields", INSN(0x63, R10, R1, -8, 1), RET0);
	REFUSED(-EINVAL, "BPF_ATOMIC uses invalid atomic opcode 10", INSN(0xdb, R10, R1, -8, 0x10),
		RET0);
	REFUSED(-EINVAL, "BPF_JA uses reserved fields", INSN(0x05, 0, R1, 0, 0), RET0);
	REFUSED(-EINVAL, "BPF_JA uses reserved fields", INSN(0x06, 0, 0, 1, 0), RET0);
	REFUSED(-EINVAL, "BPF_JMP/JMP32 uses reserved fields", INSN(0x15, R0, R1, 0, 0), RET0);
	REFUSED(-EINVAL, "BPF_JMP/JMP32 uses reserved fields", INSN(0x1d, R0, R1, 0, 1), RET0);
	REFUSED(-EINVAL, "BPF_CALL uses reserved fields", INSN(0x85, R1, 0, 0, 5), RET0);
	REFUSED(-EINVAL, "BPF_CALL uses reserved fields", INSN(0x85, 0, 5, 0, 5), RET0);
	REFUSED(-EINVAL, "BPF_EXIT uses reserved fields", MOV64_IMM(R0, 0), INSN(0x95, 0, 0, 0, 1));
	REFUSED(-EINVAL, "invalid may_goto imm 1", INSN(0xe5, 0, 0, 0, 1), RET0);
	REFUSED(-EINVAL, "div by zero", ALU64_IMM(BPF_DIV, R0, 0), RET0);
	REFUSED(-EINVAL, "invalid shift 64", ALU64_IMM(BPF_LSH, R0, 64), RET0);
	REFUSED(-EINVAL, "invalid shift 32", ALU32_IMM(BPF_RSH, R0, 32), RET0);
	REFUSED(-EINVAL, "R11 is invalid", MOV64_IMM(11, 0), RET0);
	REFUSED(-EINVAL, "R15 is invalid", MOV64_REG(R0, 15), RET0);
	REFUSED(-EACCES, "frame pointer is read only", MOV64_IMM(R10, 0), RET0);
	REFUSED(-EACCES, "frame pointer is read only",
		ATOMIC(BPF_DW, BPF_ADD | BPF_FETCH, R10, R10, -8), RET0);
	REFUSED(-EACCES, "invalid write to stack R10 off=-520 size=8", ST(BPF_DW, R10, -520, 0), RET0);
	REFUSED(-EACCES, "invalid read from stack R10 off=-4 size=8", LDX(BPF_DW, R0, R10, -4), RET0);
	REFUSED(-EINVAL, "invalid bpf_ld_imm64 insn", MOV64_IMM(R0, 0), INSN(0x18, R0, 0, 0, 0), EXIT);
	REFUSED(-EINVAL, "unrecognized bpf_ld_imm64 insn", LD64_SRC(R0, 7, 0, 0), RET0);
	/* BPF_LD_ABS is for packets */
	CHECK_REFUSED(BPF_PROG_TYPE_TRACEPOINT, -EINVAL, "BPF_LD_[ABS|IND] instructions not allowed",
		      INSN(0x20, 0, 0, 0, 0), EXIT);
}

static void test_control_flow(void **state)
{
	REFUSED(-EINVAL, "last insn is not an exit or jmp", MOV64_IMM(R0, 0));
	REFUSED(-EINVAL, "jump out of range from insn 0 to 5", JA(4), RET0);
	REFUSED(-EINVAL, "jump out of range from insn 1 to -1", MOV64_IMM(R0, 0),
		JMP_IMM(BPF_JEQ, R0, 0, -3), EXIT);
	REFUSED(-EINVAL, "jump out of range from insn 0 to 1000001", GOTOL(1000000), RET0);
	/* from one function into another */
	REFUSED(-EINVAL, "jump out of range", CALL_REL(2), JA(1), EXIT, MOV64_IMM(R0, 0), EXIT);
	REFUSED(-EINVAL, "unreachable insn 1", JA(1), MOV64_IMM(R0, 1), RET0);
	REFUSED(-EINVAL, "unreachable insn 2", RET0, RET0);
	REFUSED(-EINVAL, "jump into the middle of ldimm64 insn 1", JMP_IMM(BPF_JEQ, R1, 0, 1),
		LD64(R0, 0), EXIT);
	REFUSED(-EINVAL, "call to invalid destination", CALL_REL(5), RET0);
	REFUSED(-E2BIG, "the call stack of 8 frames is too deep", CALL_REL(1), EXIT, CALL_REL(-1),
		EXIT);
}

static void test_calls(void **state)
{
	REFUSED(-EINVAL, "0: (85) call unknown#12345\ninvalid func unknown#12345", CALL(12345), EXIT);
	REFUSED(-EINVAL, "invalid func unknown#0", CALL(0), EXIT);
	REFUSED(-EINVAL, "program of this type cannot use helper bpf_get_current_comm#16",
		MOV64_REG(R1, R10), MOV64_IMM(R2, 8), CALL(BPF_FUNC_get_current_comm), EXIT);
	REFUSED(-EINVAL, "cannot use helper bpf_skb_store_bytes#9", CALL(BPF_FUNC_skb_store_bytes),
		EXIT);
	CHECK_REFUSED(BPF_PROG_TYPE_TRACEPOINT, -EINVAL,
		      "helper call might sleep in a non-sleepable prog",
		      CALL(BPF_FUNC_copy_from_user), EXIT);
	REFUSED(-EINVAL, "kernel btf_id 1 is not a function",
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, 1), EXIT);
	/* the kernel has it, but nobody has registered it */
	REFUSED(-EACCES, "calling kernel function scx_bpf_nr_cpu_ids is not allowed",
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0,
		     btf_find_by_name_kind(bpf_kernel_btf(), "scx_bpf_nr_cpu_ids", BTF_KIND_FUNC)),
		EXIT);
	/* what libbpf puts where something is missing may be there, if it is not reached */
	bpf_close(LOAD(MOV64_IMM(R0, 0), JMP_IMM(BPF_JEQ, R0, 0, 1), CALL(195896080), EXIT));
}

static void test_maps(void **state)
{
	int array = map_new(BPF_MAP_TYPE_ARRAY, 4, 8, 2, 0);
	int one = map_new(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	struct bpf_insn insns[] = { LD_MAP(R1, array), LD_VALUE(R2, one, 4), LD_MAP(R3, array),
				    RET0 };
	int fd;

	REFUSED(-EBADF, "fd 999 is not pointing to valid bpf_map", LD_MAP(R1, 999), RET0);
	REFUSED(-EINVAL, "unrecognized bpf_ld_imm64 insn", LD64_SRC(R1, BPF_PSEUDO_MAP_FD, array, 1),
		RET0);
	REFUSED(-EINVAL, "no direct value access support for this map type", LD_VALUE(R1, array, 0),
		RET0);
	REFUSED(-EINVAL, "invalid access to map value pointer, value_size=8 off=8",
		LD_VALUE(R1, one, 8), RET0);
	REFUSED(-EPROTO, "fd_idx without fd_array is invalid", LD64_SRC(R1, BPF_PSEUDO_MAP_IDX, 0, 0),
		RET0);
	fd = load_prog(insns, ARRAY_SIZE(insns));
	assert_int_equal(prog_of(fd)->nr_maps, 2); /* each once */
	/* the program holds the maps */
	bpf_close(array);
	bpf_close(one);
	assert_int_equal(run_fd(fd, 0, 0), 0);
	bpf_close(fd);
}

static void test_fd_array(void **state)
{
	int map = map_new(BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0), fds[2] = { -1, map }, fd;
	struct bpf_insn insns[] = { LD64_SRC(R1, BPF_PSEUDO_MAP_IDX_VALUE, 1, 0),
				    ST(BPF_DW, R1, 0, 3), RET0 };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT, .fd_array = (u64)fds };

	fd = load_attr(&attr, insns, ARRAY_SIZE(insns));
	assert_true(fd >= 0);
	run_fd(fd, 0, 0);
	assert_int_equal(map_u64(map, 0), 3);
	bpf_close(fd);
	bpf_close(map);
}

/* --- attributes ---------------------------------------------------------- */

static int load_with(union bpf_attr attr)
{
	static const struct bpf_insn ret0[] = { RET0 };
	int fd = load_attr(&attr, ret0, 2);

	if (fd >= 0)
		bpf_close(fd);
	return fd;
}

static void test_attributes(void **state)
{
	static const struct bpf_insn ret0[] = { RET0 };
	union bpf_attr attr = { .prog_type = FILTER, .insns = (u64)ret0, .insn_cnt = 2 };

	assert_true(load_with((union bpf_attr){ .prog_type = FILTER, .prog_name = "a_name.1" }) >= 0);
	assert_int_equal(load_with((union bpf_attr){ .prog_type = FILTER, .prog_name = "a-b" }),
			 -EINVAL);
	assert_int_equal(load_with((union bpf_attr){ .prog_type = 9999 }), -EINVAL);
	assert_int_equal(load_with((union bpf_attr){ .prog_type = BPF_PROG_TYPE_UNSPEC }), -EINVAL);
	assert_int_equal(load_with((union bpf_attr){ .prog_type = FILTER, .prog_flags = 1u << 31 }),
			 -EINVAL);
	assert_int_equal(load_with((union bpf_attr){ .prog_type = FILTER, .attach_btf_id = 1 }),
			 -EINVAL);
	assert_int_equal(load_with((union bpf_attr){ .prog_type = FILTER, .attach_prog_fd = 1 }),
			 -EINVAL);
	assert_int_equal(load_with((union bpf_attr){ .prog_type = BPF_PROG_TYPE_CGROUP_SOCK,
						     .expected_attach_type = 99 }), -EINVAL);
	assert_true(load_with((union bpf_attr){ .prog_type = BPF_PROG_TYPE_CGROUP_SOCK,
						.expected_attach_type =
							BPF_CGROUP_INET_SOCK_CREATE }) >= 0);
	assert_int_equal(load_with((union bpf_attr){ .prog_type = BPF_PROG_TYPE_SYSCALL }), -EINVAL);
	assert_non_null(strstr(load_log, "Syscall programs can only be sleepable"));
	assert_int_equal(load_with((union bpf_attr){ .prog_type = FILTER,
						     .prog_flags = BPF_F_SLEEPABLE }), -EINVAL);
	assert_int_equal(load_with((union bpf_attr){ .prog_type = BPF_PROG_TYPE_STRUCT_OPS,
						     .attach_btf_id = 1 }), -ENOTSUPP);
	assert_non_null(strstr(load_log, "attach_btf_id 1 is not a supported kernel struct"));
	assert_int_equal(load_with((union bpf_attr){ .prog_type = BPF_PROG_TYPE_TRACING,
						     .expected_attach_type = BPF_TRACE_FENTRY }),
			 -EINVAL);
	/* no program, no license */
	assert_int_equal(vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)), -EFAULT);
	attr.license = (u64) "GPL";
	attr.insn_cnt = 0;
	assert_int_equal(vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)), -E2BIG);
	attr.insn_cnt = BPF_MAX_INSNS + 1;
	assert_int_equal(vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)), -E2BIG);
	/* a log without a level */
	attr.insn_cnt = 2;
	attr.log_buf = (u64)load_log;
	attr.log_size = sizeof(load_log);
	assert_int_equal(vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)), -EINVAL);
}

static void test_license(void **state)
{
	struct bpf_insn printk[] = { MOV64_REG(R1, R10), ALU64_IMM(BPF_ADD, R1, -8),
				     MOV64_IMM(R2, 8), CALL(BPF_FUNC_trace_printk), EXIT };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_TRACEPOINT,
				.insns = (u64)printk,
				.insn_cnt = ARRAY_SIZE(printk),
				.license = (u64) "Proprietary",
				.log_buf = (u64)load_log,
				.log_size = sizeof(load_log),
				.log_level = 1 };
	int fd;

	assert_int_equal(vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)), -EINVAL);
	assert_non_null(strstr(load_log, "cannot call GPL-restricted function"));
	attr.license = (u64) "Dual BSD/GPL";
	fd = (int)vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	assert_true(fd >= 0);
	assert_true(prog_of(fd)->gpl_compatible);
	bpf_close(fd);
	/* a log that does not fit */
	attr.license = (u64) "Proprietary";
	attr.log_size = 10;
	assert_int_equal(vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr)), -EINVAL);
	assert_true(attr.log_true_size > 10);
}

/* --- BTF of functions and lines ------------------------------------------ */

static u32 file_off, line1_off, line2_off, main_id, sub_id;

static int program_btf(void)
{
	struct btf_builder *b = calloc(1, sizeof(*b));
	union bpf_attr attr = { 0 };
	u32 int_id, proto, size;
	void *raw;
	int fd;

	btf_start(b);
	int_id = btf_add_int(b, "int", 4);
	proto = btf_add(b, "", BTF_KIND_FUNC_PROTO, 0, int_id);
	main_id = btf_add(b, "main_prog", BTF_KIND_FUNC, BTF_FUNC_GLOBAL, proto);
	sub_id = btf_add(b, "sub", BTF_KIND_FUNC, BTF_FUNC_STATIC, proto);
	file_off = btf_str(b, "/home/me/scx_foo.bpf.c");
	line1_off = btf_str(b, "\treturn sub();");
	line2_off = btf_str(b, "\tx = p->nothing;");
	raw = btf_finish(b, &size);
	attr.btf = (u64)raw;
	attr.btf_size = size;
	fd = (int)vrt_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
	assert_true(fd >= 0);
	free(raw);
	free(b);
	return fd;
}

static void test_btf_info(void **state)
{
	struct bpf_insn insns[] = { CALL_REL(1), EXIT, MOV64_IMM(R1, 0), LDX(BPF_DW, R0, R1, 0),
				    EXIT };
	int btf = program_btf(), fd;
	struct bpf_func_info funcs[] = { { 0, main_id }, { 2, sub_id } };
	struct bpf_line_info lines[] = { { 0, file_off, line1_off, 10 << 10 },
					 { 2, file_off, line2_off, 41 << 10 },
					 { 3, file_off, line2_off, 42 << 10 } };
	union bpf_attr good = { .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
				.prog_btf_fd = (u32)btf,
				.func_info = (u64)funcs,
				.func_info_rec_size = sizeof(funcs[0]),
				.func_info_cnt = 2,
				.line_info = (u64)lines,
				.line_info_rec_size = sizeof(lines[0]),
				.line_info_cnt = 3 }, attr = good;

	fd = load_attr(&attr, insns, ARRAY_SIZE(insns));
	assert_true(fd >= 0);
	/* faults name the line */
	run_fd(fd, 0, 0);
	assert_string_equal(machine.fault,
			    "scx_foo.bpf.c:42: read of 8 bytes through 0x0, which is a number and no pointer");
	bpf_close(fd);

#define BAD(err, text, change)                                                                     \
	do {                                                                                       \
		attr = good;                                                                       \
		change;                                                                            \
		assert_int_equal(load_attr(&attr, insns, ARRAY_SIZE(insns)), err);                 \
		assert_non_null(strstr(load_log, text));                                           \
	} while (0)
	BAD(-EINVAL, "number of funcs in func_info doesn't match number of subprogs",
	    attr.func_info_cnt = 1);
	BAD(-EINVAL, "invalid func info rec size 4", attr.func_info_rec_size = 4);
	BAD(-EBADF, "", attr.prog_btf_fd = 999);
	funcs[1].insn_off = 3;
	BAD(-EINVAL, "func_info BTF section doesn't match subprog layout", (void)0);
	funcs[1].insn_off = 2;
	funcs[0].type_id = 1;
	BAD(-EINVAL, "invalid type id 1 in func info", (void)0);
	funcs[0].type_id = main_id;
	lines[1].insn_off = 1;
	BAD(-EINVAL, "missing bpf_line_info for func#1", (void)0);
	lines[1].insn_off = 3;
	BAD(-EINVAL, "Invalid line_info[2].insn_off:3 (prev_offset:3 prog->len:5)", (void)0);
	lines[1].insn_off = 2;
	lines[0].file_name_off = 100000;
	BAD(-EINVAL, "Invalid line_info[0].line_off or .file_name_off", (void)0);
	lines[0].file_name_off = file_off;

	/* what is missing is named by its source line */
	insns[2] = CALL(2002000000);
	attr = good;
	fd = load_attr(&attr, insns, ARRAY_SIZE(insns));
	assert_true(fd >= 0);
	run_fd(fd, 0, 0);
	assert_non_null(strstr(machine.fault, "scx_foo.bpf.c:41: 'x = p->nothing;' calls a kernel function"));
	bpf_close(fd);
	bpf_close(btf);
}

/* --- struct_ops ---------------------------------------------------------- */

static struct kheap_type task_type = { .name = "task_struct" };
static struct bpf_struct_ops ops = { .name = "sched_ext_ops" };

static bool may_write(const char *name, u32 off, u32 size)
{
	return !strcmp(name, "task_struct") && off == 16 && size == 8;
}

static u32 member(const char *name)
{
	const struct btf_member *m = btf_members(ops.type);
	u32 i;

	for (i = 0; strcmp(btf_name(bpf_kernel_btf(), m[i].name_off), name); i++)
		;
	return i;
}

static int load_op(const char *name, const struct bpf_insn *insns, u32 nr)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_STRUCT_OPS,
				.attach_btf_id = ops.type_id,
				.expected_attach_type = member(name) };

	return load_attr(&attr, insns, nr);
}

static void test_struct_ops(void **state)
{
	struct bpf_insn read_args[] = {
		/* select_cpu(p, prev_cpu, wake_flags) */
		LDX(BPF_DW, R6, R1, 0), LDX(BPF_DW, R0, R1, 8), LDX(BPF_DW, R2, R1, 16),
		ALU64_REG(BPF_ADD, R0, R2), LDX(BPF_DW, R2, R6, 8), ALU64_REG(BPF_ADD, R0, R2), EXIT,
	};
	struct bpf_insn walk[] = {
		/* a pointer in the object: what it points to, or 0 */
		LDX(BPF_DW, R6, R1, 0), LDX(BPF_DW, R2, R6, 24), LDX(BPF_W, R0, R2, 0), EXIT,
	};
	struct bpf_insn index[] = {
		LDX(BPF_DW, R6, R1, 0), LDX(BPF_DW, R2, R6, 8), ALU64_REG(BPF_ADD, R6, R2),
		LDX(BPF_DW, R0, R6, 8), EXIT,
	};
	struct bpf_insn beyond[] = { LDX(BPF_DW, R6, R1, 0), LDX(BPF_DW, R0, R6, 32767), EXIT };
	struct bpf_insn store[] = { LDX(BPF_DW, R6, R1, 0), ST(BPF_DW, R6, 16, 7), RET0 };
	struct bpf_insn bad_store[] = { LDX(BPF_DW, R6, R1, 0), ST(BPF_W, R6, 16, 7), RET0 };
	struct bpf_insn null[] = { LDX(BPF_DW, R6, R1, 8), LDX(BPF_DW, R0, R6, 8), EXIT };
	u64 *task, *other, args[3];
	struct bpf_prog *prog;
	int fd;

	ops.may_write = may_write;
	assert_int_equal(bpf_register_struct_ops(&ops), 0);
	assert_int_equal(bpf_register_object_type(&task_type), 0);
	task = kheap_alloc(&task_type, btf_type_size(bpf_kernel_btf(), task_type.btf_id));
	other = kheap_alloc(&task_type, btf_type_size(bpf_kernel_btf(), task_type.btf_id));
	task[1] = 1000;
	args[0] = (u64)task;
	args[1] = 20;
	args[2] = 3;

	fd = load_op("select_cpu", read_args, ARRAY_SIZE(read_args));
	prog = prog_of(fd);
	assert_int_equal(prog->nr_ctx_args, 3);
	assert_true(prog->ctx_args[0].is_ptr && !prog->ctx_args[0].maybe_null);
	assert_int_equal(prog->ctx_args[0].btf_id, task_type.btf_id);
	assert_false(prog->ctx_args[1].is_ptr);
	assert_int_equal(prog->ctx_args[1].size, 4);
	assert_int_equal(bpf_prog_call(prog, args, 3), 1023);
	bpf_close(fd);

	fd = load_op("select_cpu", walk, ARRAY_SIZE(walk));
	assert_int_equal(bpf_prog_call(prog_of(fd), args, 3), 0); /* NULL */
	task[3] = (u64)other;
	other[0] = 55;
	assert_int_equal(bpf_prog_call(prog_of(fd), args, 3), 55);
	/* what was read may be a number, too, and be added to a pointer */
	bpf_close(fd);
	fd = load_op("select_cpu", index, ARRAY_SIZE(index));
	task[1] = 16;
	task[3] = 33;
	assert_int_equal(bpf_prog_call(prog_of(fd), args, 3), 33);
	task[1] = 1000;
	assert_int_equal(machine.faults, 0);
	bpf_close(fd);
	fd = load_op("select_cpu", walk, ARRAY_SIZE(walk));
	task[3] = 0x123456789abcULL; /* nowhere */
	assert_int_equal(bpf_prog_call(prog_of(fd), args, 3), 0);
	assert_int_equal(machine.faults, 0);
	bpf_close(fd);

	fd = load_op("select_cpu", beyond, ARRAY_SIZE(beyond));
	bpf_prog_call(prog_of(fd), args, 3);
	assert_non_null(strstr(machine.fault, "offset 32767 of struct task_struct of"));
	bpf_close(fd);

	fd = load_op("select_cpu", store, ARRAY_SIZE(store));
	machine.faults = 0;
	bpf_prog_call(prog_of(fd), args, 3);
	assert_int_equal(machine.faults, 0);
	assert_int_equal(task[2], 7);
	bpf_close(fd);
	fd = load_op("select_cpu", bad_store, ARRAY_SIZE(bad_store));
	bpf_prog_call(prog_of(fd), args, 3);
	assert_non_null(strstr(machine.fault, "write of 4 bytes at offset 16 of struct task_struct, which programs may not"));
	bpf_close(fd);

	/* dispatch(cpu, prev): prev may be NULL, says the stub */
	fd = load_op("dispatch", null, ARRAY_SIZE(null));
	assert_true(prog_of(fd)->ctx_args[1].maybe_null);
	args[1] = 0;
	bpf_prog_call(prog_of(fd), args, 2);
	assert_non_null(strstr(machine.fault, "through a NULL pointer (struct task_struct was expected"));
	bpf_close(fd);

	/* not a function */
	assert_int_equal(load_op("flags", null, ARRAY_SIZE(null)), -EINVAL);
	assert_non_null(strstr(load_log, "attach to invalid member flags"));
	kheap_free(task);
	kheap_free(other);
}

/* --- BPF_PROG_TEST_RUN --------------------------------------------------- */

static int test_run(union bpf_attr *attr)
{
	return (int)vrt_bpf(BPF_PROG_TEST_RUN, attr, sizeof(*attr));
}

static void test_run_syscall(void **state)
{
	struct bpf_insn insns[] = { LDX(BPF_W, R0, R1, 0), ST(BPF_W, R1, 4, 9), EXIT };
	u32 ctx[2] = { 42, 0 };
	union bpf_attr attr = { 0 };
	int fd = load_type(BPF_PROG_TYPE_SYSCALL, insns, ARRAY_SIZE(insns));

	assert_true(fd >= 0);
	attr.test.prog_fd = (u32)fd;
	attr.test.ctx_in = (u64)ctx;
	attr.test.ctx_size_in = sizeof(ctx);
	assert_int_equal(test_run(&attr), 0);
	assert_int_equal(attr.test.retval, 42);
	assert_int_equal(ctx[1], 9);
	attr.test.repeat = 2;
	assert_int_equal(test_run(&attr), -EINVAL);
	attr.test.repeat = 0;
	attr.test.prog_fd = 999;
	assert_int_equal(test_run(&attr), -EBADF);
	bpf_close(fd);
}

/* Returns the byte at offset 20 of the packet if there is one, and sets it to 5. */
static void check_packet(enum bpf_prog_type type, u32 data_off, u32 end_off)
{
	struct bpf_insn insns[] = {
		MOV64_IMM(R0, 0), LDX(BPF_W, R2, R1, (s16)data_off), LDX(BPF_W, R3, R1, (s16)end_off),
		MOV64_REG(R4, R2), ALU64_IMM(BPF_ADD, R4, 21), JMP_REG(BPF_JGT, R4, R3, 2),
		LDX(BPF_B, R0, R2, 20), ST(BPF_B, R2, 20, 5), EXIT,
	};
	struct bpf_insn unchecked[] = { LDX(BPF_W, R2, R1, (s16)data_off), LDX(BPF_B, R0, R2, 64),
					EXIT };
	u8 in[64] = { 0 }, out[64];
	union bpf_attr attr = { 0 };
	int fd = load_type(type, insns, ARRAY_SIZE(insns));

	assert_true(fd >= 0);
	in[20] = 77;
	attr.test.prog_fd = (u32)fd;
	attr.test.data_in = (u64)in;
	attr.test.data_size_in = sizeof(in);
	attr.test.data_out = (u64)out;
	attr.test.data_size_out = sizeof(out);
	assert_int_equal(test_run(&attr), 0);
	assert_int_equal(attr.test.retval, 77);
	assert_int_equal(attr.test.data_size_out, 64);
	assert_int_equal(out[20], 5);
	assert_int_equal(machine.faults, 0);
	/* short packets; what does not fit */
	attr.test.data_size_in = 16;
	attr.test.data_size_out = sizeof(out);
	assert_int_equal(test_run(&attr), 0);
	assert_int_equal(attr.test.retval, 0);
	attr.test.data_size_in = sizeof(in);
	attr.test.data_size_out = 10;
	assert_int_equal(test_run(&attr), -ENOSPC);
	assert_int_equal(attr.test.data_size_out, 64);
	attr.test.data_size_in = 13;
	assert_int_equal(test_run(&attr), -EINVAL);
	bpf_close(fd);

	fd = load_type(type, unchecked, ARRAY_SIZE(unchecked));
	attr.test.prog_fd = (u32)fd;
	attr.test.data_size_in = attr.test.data_size_out = sizeof(in);
	assert_int_equal(test_run(&attr), 0);
	assert_non_null(strstr(machine.fault, "read of 1 byte at offset 64 of the packet of 64 bytes"));
	machine.faults = 0;
	bpf_close(fd);
}

/* What LD_ABS of two bytes at @off gives to a program of @type. */
static u32 load_abs(enum bpf_prog_type type, s32 off)
{
	struct bpf_insn abs[] = { MOV64_REG(R6, R1), INSN(BPF_LD | BPF_ABS | BPF_H, 0, 0, 0, off),
				  EXIT };
	u8 in[64] = { [12] = 0x08, [13] = 0x06, [26] = 0x12, [27] = 0x34 };
	union bpf_attr attr = { 0 };
	int fd = load_type(type, abs, ARRAY_SIZE(abs));

	assert_true(fd >= 0);
	attr.test.prog_fd = (u32)fd;
	attr.test.data_in = (u64)in;
	attr.test.data_size_in = sizeof(in);
	assert_int_equal(test_run(&attr), 0);
	bpf_close(fd);
	return attr.test.retval;
}

static void test_run_packets(void **state)
{
	check_packet(BPF_PROG_TYPE_SCHED_CLS, offsetof(struct __sk_buff, data),
		     offsetof(struct __sk_buff, data_end));
	check_packet(BPF_PROG_TYPE_XDP, offsetof(struct xdp_md, data),
		     offsetof(struct xdp_md, data_end));
	/* the old way: network byte order; filters do not see the Ethernet header */
	assert_int_equal(load_abs(BPF_PROG_TYPE_SCHED_CLS, 12), 0x0806);
	assert_int_equal(load_abs(BPF_PROG_TYPE_SOCKET_FILTER, 12), 0x1234);
	assert_int_equal(load_abs(BPF_PROG_TYPE_SOCKET_FILTER, 49), 0);
	/* ... but reach it, as classic BPF does */
	assert_int_equal(load_abs(BPF_PROG_TYPE_SOCKET_FILTER, SKF_LL_OFF + 12), 0x0806);
	assert_int_equal(load_abs(BPF_PROG_TYPE_SCHED_CLS, SKF_NET_OFF + 12), 0x1234);
	assert_int_equal(load_abs(BPF_PROG_TYPE_SCHED_CLS, SKF_LL_OFF + 63), 0);
	assert_int_equal(load_abs(BPF_PROG_TYPE_SCHED_CLS, SKF_LL_OFF - 1), 0);
}

/* --- arenas -------------------------------------------------------------- */

static void test_arena(void **state)
{
	union bpf_attr create = { .map_type = BPF_MAP_TYPE_ARENA,
				  .max_entries = 4,
				  .map_flags = BPF_F_MMAPABLE,
				  .map_name = "arena" };
	int map = (int)vrt_bpf(BPF_MAP_CREATE, &create, sizeof(create)), fd;
	struct bpf_insn alloc = INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0,
				     btf_find_by_name_kind(bpf_kernel_btf(),
							   "bpf_arena_alloc_pages", BTF_KIND_FUNC));
	struct bpf_insn insns[] = {
		LD_MAP(R1, map), MOV64_IMM(R2, 0), MOV64_IMM(R3, 1), MOV64_IMM(R4, -1),
		MOV64_IMM(R5, 0), alloc, MOV64_REG(R6, R0),
		/* to the kernel's address space, and back */
		INSN(0xbf, R7, R6, 1, 1), ST(BPF_DW, R7, 16, 44), LDX(BPF_DW, R0, R7, 16),
		INSN(0xbf, R8, R7, 1, 1 << 16), ALU64_REG(BPF_SUB, R8, R6),
		ALU64_REG(BPF_ADD, R0, R8),
		/* a page that is not there: stores are lost, loads give 0 */
		ST(BPF_DW, R7, 8192, 1), LDX(BPF_DW, R1, R7, 8192), ALU64_REG(BPF_ADD, R0, R1), EXIT,
	};
	union bpf_attr attr = { 0 };

	assert_true(map >= 0);
	fd = load_type(BPF_PROG_TYPE_SYSCALL, insns, ARRAY_SIZE(insns));
	if (fd < 0)
		print_error("%s", load_log);
	assert_true(fd >= 0);
	attr.test.prog_fd = (u32)fd;
	assert_int_equal(test_run(&attr), 0);
	if (machine.faults)
		print_error("%s", machine.fault);
	assert_int_equal(machine.faults, 0);
	assert_int_equal(attr.test.retval, 44);
	bpf_close(fd);
	bpf_close(map);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, exec_setup, exec_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_opcodes),
		TEST(test_reserved_fields),
		TEST(test_control_flow),
		TEST(test_calls),
		TEST(test_maps),
		TEST(test_fd_array),
		TEST(test_attributes),
		TEST(test_license),
		TEST(test_btf_info),
		TEST(test_struct_ops),
		TEST(test_run_syscall),
		TEST(test_run_packets),
		TEST(test_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
