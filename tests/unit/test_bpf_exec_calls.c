// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers and kfuncs as programs call them: arguments, results, callbacks.
 */
#include "../../kernel/kfuncs.h"
#include "../../src/bpf/jit/jit.h"
#include "bpf_exec_fixture.h"
#include "btf_builder.h"

#define LOOKUP(fd, key)                                                                            \
	ST(BPF_W, R10, -4, key), LD_MAP(R1, fd), MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -4),   \
		CALL(BPF_FUNC_map_lookup_elem)
/* dst = r10 + off */
#define STACK_PTR(dst, off) MOV64_REG(dst, R10), ALU64_IMM(BPF_ADD, dst, off)

static struct bpf_insn kfunc(const char *name)
{
	s32 id = btf_find_by_name_kind(bpf_kernel_btf(), name, BTF_KIND_FUNC);

	assert_true(id > 0);
	return INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, id);
}

/* --- maps ---------------------------------------------------------------- */

static void test_maps(void **state)
{
	int hash = map_new(BPF_MAP_TYPE_HASH, 4, 8, 4, 0);
	int queue = map_new(BPF_MAP_TYPE_QUEUE, 0, 8, 4, 0);
	int percpu = map_new(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 4, 0);

	/* update, then look up, then delete */
	CHECK_RUN(0, ST(BPF_W, R10, -4, 7), ST(BPF_DW, R10, -16, 70), LD_MAP(R1, hash),
		  STACK_PTR(R2, -4), STACK_PTR(R3, -16), MOV64_IMM(R4, BPF_ANY),
		  CALL(BPF_FUNC_map_update_elem), EXIT);
	assert_int_equal(map_u64(hash, 7), 70);
	CHECK_RUN(70, LOOKUP(hash, 7), JMP_IMM(BPF_JEQ, R0, 0, 1), LDX(BPF_DW, R0, R0, 0), EXIT);
	CHECK_RUN(-EEXIST, ST(BPF_W, R10, -4, 7), ST(BPF_DW, R10, -16, 71), LD_MAP(R1, hash),
		  STACK_PTR(R2, -4), STACK_PTR(R3, -16), MOV64_IMM(R4, BPF_NOEXIST),
		  CALL(BPF_FUNC_map_update_elem), EXIT);
	CHECK_RUN(0, ST(BPF_W, R10, -4, 7), LD_MAP(R1, hash), STACK_PTR(R2, -4),
		  CALL(BPF_FUNC_map_delete_elem), EXIT);
	CHECK_RUN(0, LOOKUP(hash, 7), EXIT);
	/* the hash costs extra */
	exec_env.map_hash_ns = 30;
	machine.ns = 0;
	CHECK_RUN(0, LOOKUP(hash, 7), EXIT);
	assert_int_equal(machine.ns, 30);
	exec_env.map_hash_ns = 0;

	/* queues give what was put in first */
	CHECK_RUN(5, ST(BPF_DW, R10, -8, 5), LD_MAP(R1, queue), STACK_PTR(R2, -8), MOV64_IMM(R3, 0),
		  CALL(BPF_FUNC_map_push_elem), ST(BPF_DW, R10, -8, 6), LD_MAP(R1, queue),
		  STACK_PTR(R2, -8), MOV64_IMM(R3, 0), CALL(BPF_FUNC_map_push_elem),
		  LD_MAP(R1, queue), STACK_PTR(R2, -8), CALL(BPF_FUNC_map_pop_elem),
		  LDX(BPF_DW, R0, R10, -8), EXIT);
	CHECK_RUN(6, LD_MAP(R1, queue), STACK_PTR(R2, -8), CALL(BPF_FUNC_map_peek_elem),
		  LDX(BPF_DW, R0, R10, -8), EXIT);
	/* a pointer to a map is used as it is */
	CHECK_FAULT("bpf_map_lookup_elem: argument 1: expected a map", ST(BPF_W, R10, -4, 0),
		    LD_MAP(R1, hash), ALU64_IMM(BPF_ADD, R1, 8), STACK_PTR(R2, -4),
		    CALL(BPF_FUNC_map_lookup_elem), EXIT);
	CHECK_FAULT("bpf_map_push_elem: map 'counts' of type hash cannot do that",
		    LD_MAP(R1, hash), STACK_PTR(R2, -8), MOV64_IMM(R3, 0),
		    CALL(BPF_FUNC_map_push_elem), EXIT);

	/* this CPU's value, and another's */
	machine.cpu = 2;
	CHECK_RUN(9, LOOKUP(percpu, 1), ST(BPF_DW, R0, 0, 9), ST(BPF_W, R10, -4, 1),
		  LD_MAP(R1, percpu), STACK_PTR(R2, -4), MOV64_IMM(R3, 2),
		  CALL(BPF_FUNC_map_lookup_percpu_elem), LDX(BPF_DW, R0, R0, 0), EXIT);
	CHECK_RUN(0, ST(BPF_W, R10, -4, 1), LD_MAP(R1, percpu), STACK_PTR(R2, -4), MOV64_IMM(R3, 1),
		  CALL(BPF_FUNC_map_lookup_percpu_elem), LDX(BPF_DW, R0, R0, 0), EXIT);
	CHECK_RUN(0, ST(BPF_W, R10, -4, 1), LD_MAP(R1, percpu), STACK_PTR(R2, -4), MOV64_IMM(R3, 4),
		  CALL(BPF_FUNC_map_lookup_percpu_elem), EXIT);
	bpf_close(hash);
	bpf_close(queue);
	bpf_close(percpu);
}

/* --- callbacks ----------------------------------------------------------- */

static void test_loop(void **state)
{
	/* the callback adds its index to what the context points at */
#define ADDER LDX(BPF_DW, R3, R2, 0), ALU64_REG(BPF_ADD, R3, R1), STX(BPF_DW, R2, R3, 0)
	CHECK_RUN(45, ST(BPF_DW, R10, -8, 0), MOV64_IMM(R1, 10), LD_FUNC(R2, 7), STACK_PTR(R3, -8),
		  MOV64_IMM(R4, 0), CALL(BPF_FUNC_loop), LDX(BPF_DW, R0, R10, -8), EXIT,
		  ADDER, MOV64_IMM(R0, 0), EXIT);
	/* 1 stops it; the number of iterations is returned */
	CHECK_RUN(4, ST(BPF_DW, R10, -8, 0), MOV64_IMM(R1, 10), LD_FUNC(R2, 6), STACK_PTR(R3, -8),
		  MOV64_IMM(R4, 0), CALL(BPF_FUNC_loop), EXIT,
		  MOV64_IMM(R0, 0), JMP_IMM(BPF_JNE, R1, 3, 1), MOV64_IMM(R0, 1), EXIT);
	CHECK_RUN(-EINVAL, MOV64_IMM(R1, 10), LD_FUNC(R2, 5), MOV64_IMM(R3, 0), MOV64_IMM(R4, 1),
		  CALL(BPF_FUNC_loop), EXIT, MOV64_IMM(R0, 0), EXIT);
	CHECK_RUN(-E2BIG, MOV64_IMM(R1, (8 << 20) + 1), LD_FUNC(R2, 5), MOV64_IMM(R3, 0),
		  MOV64_IMM(R4, 0), CALL(BPF_FUNC_loop), EXIT, MOV64_IMM(R0, 0), EXIT);
	CHECK_FAULT("bpf_loop: argument 2: expected a function, got a number", MOV64_IMM(R1, 10),
		    MOV64_IMM(R2, 1), MOV64_IMM(R3, 0), MOV64_IMM(R4, 0), CALL(BPF_FUNC_loop), EXIT);
	CHECK_FAULT("bpf_loop: argument 2: expected a function", MOV64_IMM(R1, 1), LD_FUNC(R2, 6),
		    ALU64_IMM(BPF_ADD, R2, 8), MOV64_IMM(R3, 0), MOV64_IMM(R4, 0),
		    CALL(BPF_FUNC_loop), EXIT, MOV64_IMM(R0, 0), EXIT);
	/* a fault in the callback stops everything */
	CHECK_FAULT("insn 7: read of 8 bytes through 0x0", MOV64_IMM(R1, 10), LD_FUNC(R2, 5),
		    MOV64_IMM(R3, 0), MOV64_IMM(R4, 0), CALL(BPF_FUNC_loop), EXIT,
		    LDX(BPF_DW, R0, R2, 0), EXIT);
	/* the budget counts through callbacks */
	exec_env.insn_budget = 10000;
	CHECK_FAULT("ran 1000", MOV64_IMM(R1, 100000), LD_FUNC(R2, 5), MOV64_IMM(R3, 0),
		    MOV64_IMM(R4, 0), CALL(BPF_FUNC_loop), EXIT, MOV64_IMM(R0, 0), EXIT);
	exec_env.insn_budget = 1000000;
	/* callbacks that nest without end are stopped by their depth */
	CHECK_FAULT("calls nest more than 8 deep", MOV64_IMM(R1, 1), LD_FUNC(R2, 5), MOV64_IMM(R3, 0),
		    MOV64_IMM(R4, 0), CALL(BPF_FUNC_loop), EXIT,
		    MOV64_IMM(R1, 1), LD_FUNC(R2, -2), MOV64_IMM(R3, 0), MOV64_IMM(R4, 0),
		    CALL(BPF_FUNC_loop), MOV64_IMM(R0, 0), EXIT);
}

static void test_for_each(void **state)
{
	int fd = map_new(BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	u64 value = 5;
	u32 key = 2;

	assert_int_equal(map_elem(BPF_MAP_UPDATE_ELEM, fd, &key, &value), 0);
	/* sum of key * value, over 4 elements */
	CHECK_RUN(10 + 4, ST(BPF_DW, R10, -8, 0), LD_MAP(R1, fd), LD_FUNC(R2, 8), STACK_PTR(R3, -8),
		  MOV64_IMM(R4, 0), CALL(BPF_FUNC_for_each_map_elem), LDX(BPF_DW, R1, R10, -8),
		  ALU64_REG(BPF_ADD, R0, R1), EXIT,
		  /* (map, key, value, ctx) */
		  LDX(BPF_W, R1, R2, 0), LDX(BPF_DW, R2, R3, 0), ALU64_REG(BPF_MUL, R1, R2),
		  LDX(BPF_DW, R5, R4, 0), ALU64_REG(BPF_ADD, R5, R1), STX(BPF_DW, R4, R5, 0),
		  MOV64_IMM(R0, 0), EXIT);
	/* keys are read-only, values have their bounds */
	CHECK_FAULT("write to map key of 4 bytes, which is read-only", LD_MAP(R1, fd), LD_FUNC(R2, 5),
		    MOV64_IMM(R3, 0), MOV64_IMM(R4, 0), CALL(BPF_FUNC_for_each_map_elem), EXIT,
		    ST(BPF_W, R2, 0, 1), MOV64_IMM(R0, 0), EXIT);
	CHECK_FAULT("offset 8 of map 'counts' value of 8 bytes", LD_MAP(R1, fd), LD_FUNC(R2, 5),
		    MOV64_IMM(R3, 0), MOV64_IMM(R4, 0), CALL(BPF_FUNC_for_each_map_elem), EXIT,
		    LDX(BPF_DW, R0, R3, 8), EXIT);
	bpf_close(fd);
}

static void test_tail_calls(void **state)
{
	int progs = map_new(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0);
	int target = LOAD(LDX(BPF_DW, R0, R1, 0), ALU64_IMM(BPF_ADD, R0, 100), EXIT), self;
	u32 key = 1;
	struct bpf_insn loop[] = {
		MOV64_REG(R6, R1), LDX(BPF_DW, R7, R1, 0), LD_MAP(R2, progs), MOV64_IMM(R3, 2),
		CALL(BPF_FUNC_tail_call), MOV64_IMM(R0, 5), EXIT,
	};

	assert_int_equal(map_elem(BPF_MAP_UPDATE_ELEM, progs, &key, &target), 0);
	assert_int_equal(RUN2(42, 0, LD_MAP(R2, progs), MOV64_IMM(R3, 1), CALL(BPF_FUNC_tail_call),
			      MOV64_IMM(R0, 1), EXIT), 142);
	/* nobody there, or beyond the array: goes on */
	CHECK_RUN(1, LD_MAP(R2, progs), MOV64_IMM(R3, 0), CALL(BPF_FUNC_tail_call), MOV64_IMM(R0, 1),
		  EXIT);
	CHECK_RUN(1, LD_MAP(R2, progs), MOV64_IMM(R3, 4), CALL(BPF_FUNC_tail_call), MOV64_IMM(R0, 1),
		  EXIT);
	/* 33 of them at most */
	self = load_prog(loop, ARRAY_SIZE(loop));
	key = 2;
	assert_int_equal(map_elem(BPF_MAP_UPDATE_ELEM, progs, &key, &self), 0);
	machine.insns = 0;
	assert_int_equal(run_fd(self, 0, 0), 5);
	assert_int_equal(machine.insns, 34 * 6 + 2);
	CHECK_FAULT("bpf_tail_call: argument 2: expected a map", MOV64_IMM(R2, 0), MOV64_IMM(R3, 0),
		    CALL(BPF_FUNC_tail_call), MOV64_IMM(R0, 1), EXIT);
	bpf_close(self);
	bpf_close(target);
	bpf_close(progs);
}

/* --- small helpers ------------------------------------------------------- */

static void test_machine(void **state)
{
	machine.cpu = 3;
	machine.now = 1000;
	CHECK_RUN(3, CALL(BPF_FUNC_get_smp_processor_id), EXIT);
	CHECK_RUN(4, CALL(BPF_FUNC_get_prandom_u32), EXIT);
	CHECK_RUN(0x200000001ULL, CALL(BPF_FUNC_get_current_pid_tgid), EXIT);
	CHECK_RUN(0, CALL(BPF_FUNC_get_numa_node_id), EXIT);
	machine.now = 8000000;
	CHECK_RUN(2, CALL(BPF_FUNC_jiffies64), EXIT);
}

#define TEXT8(a, b, c, d, e, f, g, h)                                                              \
	((u64)(u8)a | (u64)(u8)b << 8 | (u64)(u8)c << 16 | (u64)(u8)d << 24 | (u64)(u8)e << 32 |   \
	 (u64)(u8)f << 40 | (u64)(u8)g << 48 | (u64)(u8)h << 56)

static void test_text(void **state)
{
	/* strtol(" -12", ...) */
	CHECK_RUN(4, LD64(R1, TEXT8(' ', '-', '1', '2', 'x', 0, 0, 0)), STX(BPF_DW, R10, R1, -8),
		  STACK_PTR(R1, -8), MOV64_IMM(R2, 8), MOV64_IMM(R3, 10), STACK_PTR(R4, -16),
		  CALL(BPF_FUNC_strtol), EXIT);
	CHECK_RUN(-12, LD64(R1, TEXT8(' ', '-', '1', '2', 'x', 0, 0, 0)), STX(BPF_DW, R10, R1, -8),
		  STACK_PTR(R1, -8), MOV64_IMM(R2, 8), MOV64_IMM(R3, 10), STACK_PTR(R4, -16),
		  CALL(BPF_FUNC_strtol), LDX(BPF_DW, R0, R10, -16), EXIT);
	CHECK_RUN(0x1f, LD64(R1, TEXT8('0', 'x', '1', 'F', 0, 0, 0, 0)), STX(BPF_DW, R10, R1, -8),
		  STACK_PTR(R1, -8), MOV64_IMM(R2, 8), MOV64_IMM(R3, 0), STACK_PTR(R4, -16),
		  CALL(BPF_FUNC_strtoul), LDX(BPF_DW, R0, R10, -16), EXIT);
	CHECK_RUN(-EINVAL, LD64(R1, TEXT8('x', 0, 0, 0, 0, 0, 0, 0)), STX(BPF_DW, R10, R1, -8),
		  STACK_PTR(R1, -8), MOV64_IMM(R2, 8), MOV64_IMM(R3, 0), STACK_PTR(R4, -16),
		  CALL(BPF_FUNC_strtoul), EXIT);
	/* the string to compare with must end within its object */
	CHECK_RUN(-1, LD64(R1, TEXT8('a', 'b', 0, 0, 0, 0, 0, 0)), STX(BPF_DW, R10, R1, -8),
		  LD64(R1, TEXT8('a', 'c', 0, 0, 0, 0, 0, 0)), STX(BPF_DW, R10, R1, -16),
		  STACK_PTR(R1, -8), MOV64_IMM(R2, 8), STACK_PTR(R3, -16), CALL(BPF_FUNC_strncmp),
		  EXIT);
}

static u32 data_map(const void *data, u32 size)
{
	u32 key = 0;
	char value[256] = { 0 };
	int fd = map_new(BPF_MAP_TYPE_ARRAY, 4, sizeof(value), 1, 0);

	memcpy(value, data, size);
	assert_int_equal(map_elem(BPF_MAP_UPDATE_ELEM, fd, &key, value), 0);
	return (u32)fd;
}

/* bpf_trace_printk() of @fmt with three arguments: what is printed and returned. */
static void check_printk(const char *fmt, u64 a, u64 b, u64 c, const char *want, s64 ret)
{
	int fd = (int)data_map(fmt, (u32)strlen(fmt) + 1);

	strcpy(machine.printed, "-");
	CHECK_RUN(ret, LD_VALUE(R1, fd, 0), MOV64_IMM(R2, (s32)strlen(fmt) + 1), LD64(R3, a),
		  LD64(R4, b), LD64(R5, c), CALL(BPF_FUNC_trace_printk), EXIT);
	assert_string_equal(machine.printed, want);
	bpf_close(fd);
}

static void test_printk(void **state)
{
	check_printk("plain", 0, 0, 0, "plain", 5);
	check_printk("%d|%u|%x", -1, -1, 0xabc, "-1|4294967295|abc", 17);
	check_printk("%ld %lld %lu", -2, -3, 7, "-2 -3 7", 7);
	check_printk("%llx%%%i", 0xffffffffffULL, 5, 0, "ffffffffff%5", 12);
	check_printk("[%5d|%-5d|%05d]", 42, 42, -42, "[   42|42   |-0042]", 19);
	check_printk("%c%c %+d", 'o', 'k', 3, "ok +3", 5);
	check_printk("%px", 0x1234, 0, 0, "0000000000001234", 16);
	check_printk("line\n", 0, 0, 0, "line", 5);
	check_printk("%s", 0, 0, 0, "", 0); /* nothing to read there */
	check_printk("%d %d %d %d", 1, 2, 3, "-", -EINVAL);
	check_printk("%f", 1, 2, 3, "-", -EINVAL);
	check_printk("%llld", 1, 2, 3, "-", -EINVAL);
	check_printk("\x01", 1, 2, 3, "-", -EINVAL);
}

static void test_bstr(void **state)
{
	char out[64];
	u64 args[3] = { 5, 0 }, n;
	static const struct kheap_type type = { .name = "[test]" };
	char *fmt = kheap_alloc(&type, 32), *str = kheap_alloc(&type, 8);
	u64 *data = kheap_alloc(&type, 16);

	strcpy(fmt, "n=%d s=%s");
	strcpy(str, "hi");
	data[0] = 5;
	data[1] = (u64)str;
	n = (u64)bpf_bstr_format(out, sizeof(out), fmt, data, 16);
	assert_int_equal(n, 8);
	assert_string_equal(out, "n=5 s=hi");
	/* cut, with the length it would have had */
	assert_int_equal(bpf_bstr_format(out, 4, fmt, data, 16), 8);
	assert_string_equal(out, "n=5");
	assert_int_equal(bpf_bstr_format(out, sizeof(out), fmt, data, 8), -EINVAL);
	assert_int_equal(bpf_bstr_format(out, sizeof(out), fmt, data, 12), -EINVAL);
	assert_int_equal(bpf_bstr_format(out, sizeof(out), fmt, data, 24), -EFAULT);
	assert_int_equal(bpf_bstr_format(out, sizeof(out), fmt, args, 16), -EFAULT);
	assert_int_equal(bpf_bstr_format(out, sizeof(out), "host", data, 16), -EFAULT);
	memset(fmt, 'x', 32); /* no end within the object */
	assert_int_equal(bpf_bstr_format(out, sizeof(out), fmt, data, 16), -EFAULT);
	kheap_free(fmt);
	kheap_free(str);
	kheap_free(data);
}

static void test_probe_read(void **state)
{
	int fd = (int)data_map("hello", 6);

	CHECK_RUN(TEXT8('h', 'e', 'l', 'l', 'o', 0, 0, 0), STACK_PTR(R1, -8), MOV64_IMM(R2, 8),
		  LD_VALUE(R3, fd, 0), CALL(BPF_FUNC_probe_read_kernel), LDX(BPF_DW, R0, R10, -8),
		  EXIT);
	CHECK_RUN(6, STACK_PTR(R1, -8), MOV64_IMM(R2, 8), LD_VALUE(R3, fd, 0),
		  CALL(BPF_FUNC_probe_read_kernel_str), EXIT);
	CHECK_RUN(TEXT8('h', 'e', 0, 0, 0, 0, 0, 0), ST(BPF_DW, R10, -8, 0), STACK_PTR(R1, -8),
		  MOV64_IMM(R2, 3), LD_VALUE(R3, fd, 0), CALL(BPF_FUNC_probe_read_kernel_str),
		  LDX(BPF_DW, R0, R10, -8), EXIT);
	/* nothing there: -EFAULT, and zeroes */
	CHECK_RUN(0, ST(BPF_DW, R10, -8, 77), STACK_PTR(R1, -8), MOV64_IMM(R2, 8),
		  LD64(R3, 0x123456789aULL), CALL(BPF_FUNC_probe_read_kernel),
		  LDX(BPF_DW, R0, R10, -8), EXIT);
	CHECK_RUN(-EFAULT, STACK_PTR(R1, -8), MOV64_IMM(R2, 8), LD_VALUE(R3, fd, 0),
		  CALL(BPF_FUNC_probe_read_user), EXIT);
	bpf_close(fd);
}

/* --- ring buffers and dynptrs -------------------------------------------- */

static void test_ringbuf(void **state)
{
	int fd = map_new(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);

	CHECK_RUN(0, LD_MAP(R1, fd), MOV64_IMM(R2, 16), MOV64_IMM(R3, 0),
		  CALL(BPF_FUNC_ringbuf_reserve), MOV64_REG(R1, R0), ST(BPF_DW, R1, 8, 5),
		  MOV64_IMM(R2, 0), CALL(BPF_FUNC_ringbuf_submit), MOV64_IMM(R0, 0), EXIT);
	CHECK_RUN(24, LD_MAP(R1, fd), MOV64_IMM(R2, BPF_RB_AVAIL_DATA), CALL(BPF_FUNC_ringbuf_query),
		  EXIT);
	CHECK_FAULT("write of 8 bytes at offset 16 of ring buffer sample of 16 bytes",
		    LD_MAP(R1, fd), MOV64_IMM(R2, 16), MOV64_IMM(R3, 0),
		    CALL(BPF_FUNC_ringbuf_reserve), ST(BPF_DW, R0, 16, 5), MOV64_IMM(R0, 0), EXIT);
	CHECK_FAULT("bpf_ringbuf_submit: argument 1: expected a reserved sample",
		    STACK_PTR(R1, -8), MOV64_IMM(R2, 0), CALL(BPF_FUNC_ringbuf_submit),
		    MOV64_IMM(R0, 0), EXIT);
	/* the sample of a program that was stopped does not block those after it */
	CHECK_RUN(48, LD_MAP(R1, fd), MOV64_IMM(R2, BPF_RB_AVAIL_DATA), CALL(BPF_FUNC_ringbuf_query),
		  EXIT);
	/* larger than the buffer */
	CHECK_RUN(0, LD_MAP(R1, fd), MOV64_IMM(R2, 8192), MOV64_IMM(R3, 0),
		  CALL(BPF_FUNC_ringbuf_reserve), EXIT);
	bpf_close(fd);
}

static void test_dynptrs(void **state)
{
	int ring = map_new(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	int data = (int)data_map("abcdefgh", 8);
	struct bpf_insn size = kfunc("bpf_dynptr_size"), adjust = kfunc("bpf_dynptr_adjust"),
			slice = kfunc("bpf_dynptr_slice");

	/* from memory: read at an offset */
#define FROM_MEM(bytes)                                                                            \
	LD_VALUE(R1, data, 0), MOV64_IMM(R2, bytes), MOV64_IMM(R3, 0), STACK_PTR(R4, -16),         \
		CALL(BPF_FUNC_dynptr_from_mem)
	CHECK_RUN(TEXT8('c', 'd', 0, 0, 0, 0, 0, 0), ST(BPF_DW, R10, -24, 0), FROM_MEM(8),
		  STACK_PTR(R1, -24), MOV64_IMM(R2, 2), STACK_PTR(R3, -16), MOV64_IMM(R4, 2),
		  MOV64_IMM(R5, 0), CALL(BPF_FUNC_dynptr_read), LDX(BPF_DW, R0, R10, -24), EXIT);
	CHECK_RUN(-E2BIG, FROM_MEM(8), STACK_PTR(R1, -24), MOV64_IMM(R2, 2), STACK_PTR(R3, -16),
		  MOV64_IMM(R4, 7), MOV64_IMM(R5, 0), CALL(BPF_FUNC_dynptr_read), EXIT);
	CHECK_RUN(8, FROM_MEM(8), STACK_PTR(R1, -16), size, EXIT);
	CHECK_RUN(3, FROM_MEM(8), STACK_PTR(R1, -16), MOV64_IMM(R2, 2), MOV64_IMM(R3, 5), adjust,
		  STACK_PTR(R1, -16), size, EXIT);
	CHECK_RUN('e', FROM_MEM(8), STACK_PTR(R1, -16), MOV64_IMM(R2, 4), MOV64_IMM(R3, 0),
		  MOV64_IMM(R4, 2), slice, LDX(BPF_B, R0, R0, 0), EXIT);
	CHECK_FAULT("read of 1 byte at offset 2 of dynptr slice of 2 bytes", FROM_MEM(8),
		    STACK_PTR(R1, -16), MOV64_IMM(R2, 4), MOV64_IMM(R3, 0), MOV64_IMM(R4, 2), slice,
		    LDX(BPF_B, R0, R0, 2), EXIT);
	CHECK_RUN(0, FROM_MEM(8), STACK_PTR(R1, -16), MOV64_IMM(R2, 4), MOV64_IMM(R3, 5),
		  CALL(BPF_FUNC_dynptr_data), EXIT);
	CHECK_RUN('h', FROM_MEM(8), STACK_PTR(R1, -16), MOV64_IMM(R2, 4), MOV64_IMM(R3, 4),
		  CALL(BPF_FUNC_dynptr_data), LDX(BPF_B, R0, R0, 3), EXIT);
	/* what a program writes there itself is no dynptr */
	CHECK_FAULT("argument 1: there is no initialised dynptr", ST(BPF_DW, R10, -16, 0),
		    ST(BPF_DW, R10, -8, 64), STACK_PTR(R1, -16), size, EXIT);
	CHECK_FAULT("there is no initialised dynptr", FROM_MEM(8), ST(BPF_DW, R10, -8, 4096),
		    STACK_PTR(R1, -16), size, EXIT);
	CHECK_FAULT("a dynptr", FROM_MEM(8), LDX(BPF_DW, R1, R10, -16), LDX(BPF_DW, R0, R1, 0), EXIT);

	/* of a ring buffer */
	CHECK_RUN(0, LD_MAP(R1, ring), MOV64_IMM(R2, 8), MOV64_IMM(R3, 0), STACK_PTR(R4, -16),
		  CALL(BPF_FUNC_ringbuf_reserve_dynptr), STACK_PTR(R1, -16), MOV64_IMM(R2, 0),
		  CALL(BPF_FUNC_ringbuf_submit_dynptr), MOV64_IMM(R0, 0), EXIT);
	CHECK_RUN(16, LD_MAP(R1, ring), MOV64_IMM(R2, BPF_RB_AVAIL_DATA),
		  CALL(BPF_FUNC_ringbuf_query), EXIT);
	/* the part that is looked at does not matter */
	CHECK_RUN(0, LD_MAP(R1, ring), MOV64_IMM(R2, 8), MOV64_IMM(R3, 0), STACK_PTR(R4, -16),
		  CALL(BPF_FUNC_ringbuf_reserve_dynptr), STACK_PTR(R1, -16), MOV64_IMM(R2, 2),
		  MOV64_IMM(R3, 5), adjust, STACK_PTR(R1, -16), MOV64_IMM(R2, 0),
		  CALL(BPF_FUNC_ringbuf_discard_dynptr), MOV64_IMM(R0, 0), EXIT);
	CHECK_FAULT("the dynptr is not of a ring buffer", FROM_MEM(8), STACK_PTR(R1, -16),
		    MOV64_IMM(R2, 0), CALL(BPF_FUNC_ringbuf_submit_dynptr), MOV64_IMM(R0, 0), EXIT);
	bpf_close(ring);
	bpf_close(data);
}

/* --- kfuncs: iterators, masks -------------------------------------------- */

/* kfuncs are for programs of the types below; raw tracepoints may call the common ones. */
static void test_iterators(void **state)
{
	struct bpf_insn new = kfunc("bpf_iter_num_new"), next = kfunc("bpf_iter_num_next"),
			destroy = kfunc("bpf_iter_num_destroy");
	struct bpf_insn bits_new = kfunc("bpf_iter_bits_new"), bits_next = kfunc("bpf_iter_bits_next"),
			bits_destroy = kfunc("bpf_iter_bits_destroy");
	u64 words[2] = { 1ULL << 3 | 1ULL << 40, 1 };
	int fd = (int)data_map(words, sizeof(words));

	/* 3 + 4 + 5 */
	CHECK_RUN(12, MOV64_IMM(R6, 0), STACK_PTR(R1, -8), MOV64_IMM(R2, 3), MOV64_IMM(R3, 6), new,
		  STACK_PTR(R1, -8), next, JMP_IMM(BPF_JEQ, R0, 0, 3), LDX(BPF_W, R1, R0, 0),
		  ALU64_REG(BPF_ADD, R6, R1), JA(-7), STACK_PTR(R1, -8), destroy, MOV64_REG(R0, R6),
		  EXIT);
	/* results are signed */
	CHECK_RUN(-EINVAL, STACK_PTR(R1, -8), MOV64_IMM(R2, 6), MOV64_IMM(R3, 3), new,
		  MOV64_REG(R6, R0), STACK_PTR(R1, -8), destroy, MOV64_REG(R0, R6), EXIT);
	CHECK_FAULT("bpf_iter_num_next: argument 1: expected an initialised iterator",
		    ST(BPF_DW, R10, -8, 0), STACK_PTR(R1, -8), next, EXIT);
	CHECK_FAULT("expected an initialised iterator", STACK_PTR(R1, -8), MOV64_IMM(R2, 0),
		    MOV64_IMM(R3, 6), new, ST(BPF_W, R10, -8, 0), STACK_PTR(R1, -8), next, EXIT);
	CHECK_FAULT("expected an initialised iterator", STACK_PTR(R1, -8), MOV64_IMM(R2, 0),
		    MOV64_IMM(R3, 6), new, STACK_PTR(R1, -8), destroy, STACK_PTR(R1, -8), next,
		    EXIT);
	/* an iterator of another kind */
	CHECK_FAULT("expected an initialised iterator", STACK_PTR(R1, -8), MOV64_IMM(R2, 0),
		    MOV64_IMM(R3, 6), new, STACK_PTR(R1, -16), bits_next, EXIT);
	CHECK_FAULT("write to result of a kfunc of 4 bytes, which is read-only", STACK_PTR(R1, -8),
		    MOV64_IMM(R2, 0), MOV64_IMM(R3, 6), new, STACK_PTR(R1, -8), next,
		    ST(BPF_W, R0, 0, 5), MOV64_IMM(R0, 0), EXIT);
	/* bits 3, 40 and 64 */
	CHECK_RUN(3 + 40 + 64, MOV64_IMM(R6, 0), STACK_PTR(R1, -16), LD_VALUE(R2, fd, 0),
		  MOV64_IMM(R3, 2), bits_new, STACK_PTR(R1, -16), bits_next,
		  JMP_IMM(BPF_JEQ, R0, 0, 3), LDX(BPF_W, R1, R0, 0), ALU64_REG(BPF_ADD, R6, R1),
		  JA(-7), STACK_PTR(R1, -16), bits_destroy, MOV64_REG(R0, R6), EXIT);
	CHECK_RUN(-EFAULT, STACK_PTR(R1, -16), MOV64_IMM(R2, 77), MOV64_IMM(R3, 1), bits_new,
		  MOV64_REG(R6, R0), STACK_PTR(R1, -16), bits_destroy, MOV64_REG(R0, R6), EXIT);
	bpf_close(fd);
}

static u64 clock_before, clock_settled;

static u32 timeless(void)
{
	clock_before = machine.now;
	bpf_kfunc_settle();
	clock_settled = machine.now;
	return 7;
}

/* It is charged after the call, or when it asks for that: the instructions before it, too. */
static void test_timeless(void **state)
{
	const struct bpf_kfunc func = { "scx_bpf_nr_cpu_ids", timeless, KF_TIMELESS };
	const struct bpf_kfunc_set set = { .funcs = &func, .nr = 1 };

	assert_int_equal(bpf_register_kfuncs(&set), 0);
	machine.now = 0;
	exec_env.kfunc_ns = 100;
	CHECK_RUN(7, MOV64_IMM(R6, 1), MOV64_IMM(R6, 2), kfunc("scx_bpf_nr_cpu_ids"), EXIT);
	assert_int_equal(clock_before, 0);
	assert_int_equal(clock_settled, 3 + 100);
	assert_int_equal(machine.now, 4 + 100);
}

static void test_cpumasks(void **state)
{
	struct bpf_insn create = kfunc("bpf_cpumask_create"), release = kfunc("bpf_cpumask_release"),
			set = kfunc("bpf_cpumask_set_cpu"), test = kfunc("bpf_cpumask_test_cpu"),
			first_zero = kfunc("bpf_cpumask_first_zero"),
			first = kfunc("bpf_cpumask_first"), weight = kfunc("bpf_cpumask_weight"),
			any = kfunc("bpf_cpumask_any_distribute");

	/* a mask in r6, with CPUs 1 and 3; the result in r7 */
#define MASK(...)                                                                                  \
	create, JMP_IMM(BPF_JNE, R0, 0, 1), EXIT, MOV64_REG(R6, R0), MOV64_IMM(R1, 1),             \
		MOV64_REG(R2, R6), set, MOV64_IMM(R1, 3), MOV64_REG(R2, R6), set, __VA_ARGS__,     \
		MOV64_REG(R7, R0), MOV64_REG(R1, R6), release, MOV64_REG(R0, R7), EXIT
	CHECK_RUN(1, MASK(MOV64_IMM(R1, 3), MOV64_REG(R2, R6), test));
	CHECK_RUN(0, MASK(MOV64_IMM(R1, 2), MOV64_REG(R2, R6), test));
	CHECK_RUN(0, MASK(MOV64_IMM(R1, 5000), MOV64_REG(R2, R6), test));
	CHECK_RUN(1, MASK(MOV64_REG(R1, R6), first));
	CHECK_RUN(0, MASK(MOV64_REG(R1, R6), first_zero));
	CHECK_RUN(2, MASK(MOV64_REG(R1, R6), weight));
	/* each answer follows the one before, per CPU */
	CHECK_RUN(1, MASK(MOV64_REG(R1, R6), any));
	CHECK_RUN(3, MASK(MOV64_REG(R1, R6), any));
	CHECK_RUN(1, MASK(MOV64_REG(R1, R6), any));
	machine.cpu = 1;
	CHECK_RUN(1, MASK(MOV64_REG(R1, R6), any));
	machine.cpu = 0;
	/* what a stopped program holds is given back: see teardown */
	CHECK_FAULT("is a number", create, MOV64_IMM(R1, 0), LDX(BPF_DW, R0, R1, 0), EXIT);
	CHECK_FAULT("returned without giving back 1 object that it has acquired", create,
		    MOV64_IMM(R0, 0), EXIT);
	CHECK_FAULT("bpf_cpumask_first: argument 1: expected a live struct cpumask, got a number",
		    MOV64_IMM(R1, 0), first, EXIT);
	/* a mask on the stack would have to be as large as one */
	CHECK_FAULT("offset -8 of the stack frame", STACK_PTR(R1, -8), first, EXIT);
}

static void test_throw(void **state)
{
	CHECK_RUN(99, CALL_REL(1), EXIT, MOV64_IMM(R1, 99), kfunc("bpf_throw"), MOV64_IMM(R0, 1),
		  EXIT);
}

/* --- special fields ------------------------------------------------------ */

/*
 * A map value {bpf_timer t; bpf_spin_lock lock; bpf_cpumask kptr *mask; u64 n;
 * bpf_rb_root of node_data; bpf_list_head of link_data}, and these two local
 * types: {u64 key; bpf_rb_node node}, {u64 key; bpf_list_node link}.
 */
enum { OFF_TIMER = 0, OFF_LOCK = 16, OFF_MASK = 24, OFF_N = 32, OFF_ROOT = 40, OFF_HEAD = 56,
       VALUE_SIZE = 72 };
enum { NODE_KEY = 0, NODE_RB = 8, NODE_SIZE = 40, NODE_LIST = 8, LINK_SIZE = 32 };

static struct {
	int btf, map, prog;
	u32 node_id, link_id, func_id;
} graph;

static void build_graph(void)
{
	struct btf_builder *b = calloc(1, sizeof(*b));
	u32 u64_id, u32_id, timer, lock, mask, mask_tag, mask_ptr, root, head, rb, list, node, link,
		proto;
	union bpf_attr attr = { 0 };
	u32 size, value, i;
	void *raw;

	btf_start(b);
	u64_id = btf_add_int(b, "unsigned long", 8);
	u32_id = btf_add_int(b, "unsigned int", 4);
#define OPAQUE(var, name, size)                                                                    \
	var = btf_add(b, name, BTF_KIND_STRUCT, (size) / 8, size);                                 \
	for (i = 0; i < (size) / 8; i++)                                                           \
		btf_add_member(b, "o", u64_id, i * 8)
	OPAQUE(timer, "bpf_timer", 16);
	OPAQUE(root, "bpf_rb_root", 16);
	OPAQUE(head, "bpf_list_head", 16);
	OPAQUE(rb, "bpf_rb_node", 32);
	OPAQUE(list, "bpf_list_node", 24);
	lock = btf_add(b, "bpf_spin_lock", BTF_KIND_STRUCT, 1, 4);
	btf_add_member(b, "val", u32_id, 0);
	OPAQUE(mask, "bpf_cpumask", 8);
	mask_tag = btf_add(b, "kptr", BTF_KIND_TYPE_TAG, 0, mask);
	mask_ptr = btf_add(b, "", BTF_KIND_PTR, 0, mask_tag);
	node = btf_add(b, "node_data", BTF_KIND_STRUCT, 2, NODE_SIZE);
	btf_add_member(b, "key", u64_id, NODE_KEY);
	btf_add_member(b, "node", rb, NODE_RB);
	link = btf_add(b, "link_data", BTF_KIND_STRUCT, 2, LINK_SIZE);
	btf_add_member(b, "key", u64_id, NODE_KEY);
	btf_add_member(b, "link", list, NODE_LIST);
	value = btf_add(b, "value", BTF_KIND_STRUCT, 6, VALUE_SIZE);
	btf_add_member(b, "timer", timer, OFF_TIMER);
	btf_add_member(b, "lock", lock, OFF_LOCK);
	btf_add_member(b, "mask", mask_ptr, OFF_MASK);
	btf_add_member(b, "n", u64_id, OFF_N);
	btf_add_member(b, "root", root, OFF_ROOT);
	btf_add_member(b, "head", head, OFF_HEAD);
	btf_add(b, "contains:node_data:node", BTF_KIND_DECL_TAG, 0, value);
	btf_word(b, 4);
	btf_add(b, "contains:link_data:link", BTF_KIND_DECL_TAG, 0, value);
	btf_word(b, 5);
	proto = btf_add(b, "", BTF_KIND_FUNC_PROTO, 0, u64_id);
	graph.func_id = btf_add(b, "func", BTF_KIND_FUNC, 0, proto);
	graph.node_id = node;
	graph.link_id = link;
	raw = btf_finish(b, &size);
	attr.btf = (u64)raw;
	attr.btf_size = size;
	attr.btf_log_buf = (u64)load_log;
	attr.btf_log_size = sizeof(load_log);
	attr.btf_log_level = 1;
	graph.btf = (int)vrt_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
	if (graph.btf < 0)
		print_error("%d %s", graph.btf, load_log);
	assert_true(graph.btf >= 0);
	free(raw);
	free(b);
	attr = (union bpf_attr){ .map_type = BPF_MAP_TYPE_ARRAY,
				 .key_size = 4,
				 .value_size = VALUE_SIZE,
				 .max_entries = 1,
				 .map_name = "state",
				 .btf_fd = (u32)graph.btf,
				 .btf_key_type_id = u32_id,
				 .btf_value_type_id = value };
	graph.map = (int)vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	assert_true(graph.map >= 0);
}

static int graph_setup(void **state)
{
	int err = exec_setup(state);

	build_graph();
	return err;
}

static int graph_teardown(void **state)
{
	bpf_close(graph.map);
	bpf_close(graph.btf);
	return exec_teardown(state);
}

/* Loads with the BTF; every function is "func". */
static int load_graph(const struct bpf_insn *insns, u32 nr)
{
	struct bpf_func_info info[8] = { { .type_id = graph.func_id } };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_TRACEPOINT,
				.prog_btf_fd = (u32)graph.btf,
				.func_info = (u64)info,
				.func_info_rec_size = sizeof(info[0]),
				.func_info_cnt = 1 };
	int fd;
	u32 i;

	/* one more where a function is referred to */
	for (i = 0; i < nr; i++)
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) &&
		    insns[i].src_reg == BPF_PSEUDO_FUNC) {
			info[attr.func_info_cnt].insn_off = i + 1 + (u32)insns[i].imm;
			info[attr.func_info_cnt++].type_id = graph.func_id;
		}
	fd = load_or_check(&attr, insns, nr);
	if (fd < 0)
		print_error("load failed (%d): %s", fd, load_log);
	assert_true(fd >= 0);
	return fd;
}

#define GRAPH_RUN(...)                                                                             \
	({                                                                                         \
		struct bpf_insn insns_[] = { __VA_ARGS__ };                                        \
		int fd_ = load_graph(insns_, ARRAY_SIZE(insns_));                                  \
		u64 ret_ = run_fd(fd_, 0, 0);                                                      \
		bpf_close(fd_);                                                                    \
		ret_;                                                                              \
	})
#define GRAPH_CHECK(want, ...)                                                                     \
	do {                                                                                       \
		u64 got_ = GRAPH_RUN(__VA_ARGS__);                                                 \
		if (machine.faults)                                                                \
			print_error("stopped: %s\n", machine.fault);                               \
		assert_int_equal(machine.faults, 0);                                               \
		assert_int_equal(got_, (u64)(want));                                               \
	} while (0)
#define GRAPH_FAULT(text, ...)                                                                     \
	do {                                                                                       \
		GRAPH_RUN(__VA_ARGS__);                                                            \
		if (!strstr(machine.fault, text))                                                  \
			print_error("message: %s\n", machine.fault);                               \
		assert_non_null(strstr(machine.fault, text));                                      \
	} while (0)
#define VALUE(reg, off) LD_VALUE(reg, graph.map, off)
#define LOCK VALUE(R1, OFF_LOCK), CALL(BPF_FUNC_spin_lock)
#define UNLOCK VALUE(R1, OFF_LOCK), CALL(BPF_FUNC_spin_unlock)

static void test_special_fields(void **state)
{
	/* what is beside them is plain memory */
	GRAPH_CHECK(4, VALUE(R1, OFF_N), ST(BPF_DW, R1, 0, 4), LDX(BPF_DW, R0, R1, 0), EXIT);
	GRAPH_FAULT("read of 8 bytes at offset 0 of map 'state' value touches the bpf_timer at offset 0",
		    VALUE(R1, 0), LDX(BPF_DW, R0, R1, 0), EXIT);
	GRAPH_FAULT("write of 4 bytes at offset 16 of map 'state' value touches the bpf_spin_lock",
		    VALUE(R1, 0), ST(BPF_W, R1, OFF_LOCK, 1), MOV64_IMM(R0, 0), EXIT);
	GRAPH_FAULT("touches the kptr", VALUE(R1, 0), ST(BPF_DW, R1, OFF_MASK, 0), MOV64_IMM(R0, 0),
		    EXIT);
	GRAPH_FAULT("touches the bpf_rb_root", VALUE(R1, OFF_N), LDX(BPF_B, R0, R1, 8), EXIT);
	/* nor may a helper */
	GRAPH_FAULT("bpf_probe_read_kernel: argument 1: write of 40 bytes", VALUE(R1, 0),
		    MOV64_IMM(R2, 40), MOV64_IMM(R3, 0), CALL(BPF_FUNC_probe_read_kernel), EXIT);
}

static void test_spin_lock(void **state)
{
	machine.locks = machine.unlocks = 0;
	GRAPH_CHECK(0, LOCK, UNLOCK, MOV64_IMM(R0, 0), EXIT);
	assert_int_equal(machine.locks, 1);
	assert_int_equal(machine.unlocks, 1);
	GRAPH_FAULT("bpf_spin_lock: a lock is held already", LOCK, LOCK, MOV64_IMM(R0, 0), EXIT);
	GRAPH_FAULT("returned with a bpf_spin_lock held", LOCK, MOV64_IMM(R0, 0), EXIT);
	GRAPH_FAULT("bpf_spin_unlock: that lock is not held", UNLOCK, MOV64_IMM(R0, 0), EXIT);
	GRAPH_FAULT("bpf_spin_lock: argument 1: there is no such field at offset 32", VALUE(R1, OFF_N),
		    CALL(BPF_FUNC_spin_lock), MOV64_IMM(R0, 0), EXIT);
	/* whoever is stopped gives the lock back */
	GRAPH_FAULT("is a number", LOCK, MOV64_IMM(R1, 0), LDX(BPF_DW, R0, R1, 0), EXIT);
	assert_int_equal(machine.locks, machine.unlocks);
}

static void test_kptr(void **state)
{
	struct bpf_insn create = kfunc("bpf_cpumask_create"), release = kfunc("bpf_cpumask_release"),
			set = kfunc("bpf_cpumask_set_cpu"), first = kfunc("bpf_cpumask_first");

	/* into the map, which holds it from then on */
	GRAPH_CHECK(0, create, MOV64_REG(R6, R0), MOV64_IMM(R1, 2), MOV64_REG(R2, R6), set,
		    VALUE(R1, OFF_MASK), MOV64_REG(R2, R6), CALL(BPF_FUNC_kptr_xchg), EXIT);
	/* loaded from there it is a mask */
	GRAPH_CHECK(2, VALUE(R1, OFF_MASK), LDX(BPF_DW, R1, R1, 0), first, EXIT);
	GRAPH_FAULT("write of 8 bytes at offset 0 of struct bpf_cpumask, which programs may not",
		    VALUE(R1, OFF_MASK), LDX(BPF_DW, R1, R1, 0), ST(BPF_DW, R1, 0, 1),
		    MOV64_IMM(R0, 0), EXIT);
	/* and back out */
	GRAPH_CHECK(2, VALUE(R1, OFF_MASK), MOV64_IMM(R2, 0), CALL(BPF_FUNC_kptr_xchg),
		    MOV64_REG(R6, R0), MOV64_REG(R1, R0), first, MOV64_REG(R7, R0),
		    MOV64_REG(R1, R6), release, MOV64_REG(R0, R7), EXIT);
	GRAPH_FAULT("read of 8 bytes through a NULL pointer (struct bpf_cpumask was expected",
		    VALUE(R1, OFF_MASK), LDX(BPF_DW, R1, R1, 0), LDX(BPF_DW, R0, R1, 0), EXIT);
	GRAPH_FAULT("bpf_kptr_xchg: argument 2: expected an object of the kptr's type",
		    VALUE(R1, OFF_MASK), MOV64_REG(R2, R10), CALL(BPF_FUNC_kptr_xchg), EXIT);
	/* what is left in the map is released with it: see teardown */
	GRAPH_CHECK(0, create, VALUE(R1, OFF_MASK), MOV64_REG(R2, R0), CALL(BPF_FUNC_kptr_xchg), EXIT);
}

#define NEW_OF(id) MOV64_IMM(R1, (s32)(id)), MOV64_IMM(R2, 0), kfunc("bpf_obj_new_impl")
#define NEW NEW_OF(graph.node_id)
#define DROP MOV64_IMM(R2, 0), kfunc("bpf_obj_drop_impl")

static void test_objects(void **state)
{
	GRAPH_CHECK(8, NEW, JMP_IMM(BPF_JNE, R0, 0, 1), EXIT, MOV64_REG(R6, R0),
		    ST(BPF_DW, R6, NODE_KEY, 8), LDX(BPF_DW, R7, R6, NODE_KEY), MOV64_REG(R1, R6),
		    DROP, MOV64_REG(R0, R7), EXIT);
	/* one after the other in one run: the type stays until its end */
	GRAPH_CHECK(3, NEW, JMP_IMM(BPF_JNE, R0, 0, 1), EXIT, MOV64_REG(R1, R0), DROP, NEW,
		    JMP_IMM(BPF_JNE, R0, 0, 1), EXIT, MOV64_REG(R1, R0), DROP, MOV64_IMM(R0, 3),
		    EXIT);
	GRAPH_FAULT("offset 40 of allocated struct node_data of 40 bytes", NEW,
		    LDX(BPF_DW, R0, R0, NODE_SIZE), EXIT);
	GRAPH_FAULT("touches the bpf_rb_node at offset 8", NEW, ST(BPF_DW, R0, NODE_RB, 0),
		    MOV64_IMM(R0, 0), EXIT);
	GRAPH_FAULT("write to a node_data that has been freed", NEW, MOV64_REG(R6, R0),
		    MOV64_REG(R1, R0), DROP, ST(BPF_DW, R6, 0, 1), MOV64_IMM(R0, 0), EXIT);
	GRAPH_FAULT("bpf_obj_drop_impl: argument 1: expected an object that the program allocated",
		    NEW, MOV64_REG(R6, R0), MOV64_REG(R1, R0), DROP, MOV64_REG(R1, R6), DROP,
		    MOV64_IMM(R0, 0), EXIT);
}

static void test_percpu_objects(void **state)
{
	struct bpf_insn new = kfunc("bpf_percpu_obj_new_impl"),
			drop = kfunc("bpf_percpu_obj_drop_impl");

	/* each CPU has its own */
	GRAPH_CHECK(5, MOV64_IMM(R1, (s32)graph.link_id), MOV64_IMM(R2, 0), new, MOV64_REG(R6, R0),
		    MOV64_REG(R1, R6), MOV64_IMM(R2, 2), CALL(BPF_FUNC_per_cpu_ptr),
		    ST(BPF_DW, R0, 0, 5), MOV64_REG(R1, R6), MOV64_IMM(R2, 2),
		    CALL(BPF_FUNC_per_cpu_ptr), LDX(BPF_DW, R7, R0, 0), MOV64_REG(R1, R6),
		    CALL(BPF_FUNC_this_cpu_ptr), LDX(BPF_DW, R8, R0, 0),
		    ALU64_REG(BPF_ADD, R7, R8), MOV64_REG(R1, R6), MOV64_IMM(R2, 0), drop,
		    MOV64_REG(R0, R7), EXIT);
	GRAPH_FAULT("read of 8 bytes through a NULL pointer", MOV64_IMM(R1, (s32)graph.link_id),
		    MOV64_IMM(R2, 0), new, MOV64_REG(R1, R0), MOV64_IMM(R2, NR_CPUS),
		    CALL(BPF_FUNC_per_cpu_ptr), LDX(BPF_DW, R0, R0, 0), EXIT);
	GRAPH_FAULT("bpf_per_cpu_ptr: argument 1: expected a per-CPU variable",
		    MOV64_IMM(R1, (s32)graph.link_id), MOV64_IMM(R2, 0), new, MOV64_REG(R1, R0),
		    ALU64_IMM(BPF_ADD, R1, 8), MOV64_IMM(R2, 1), CALL(BPF_FUNC_per_cpu_ptr), EXIT);
	GRAPH_FAULT("per-CPU variable", MOV64_IMM(R1, (s32)graph.link_id), MOV64_IMM(R2, 0), new,
		    LDX(BPF_DW, R0, R0, 0), EXIT);
}

/* Adds a node with key r6 (set before) to the tree. The comparison is at the end. */
static void test_rbtree(void **state)
{
	struct bpf_insn add = kfunc("bpf_rbtree_add_impl"), first = kfunc("bpf_rbtree_first"),
			remove = kfunc("bpf_rbtree_remove");
	static const s32 keys[] = { 5, 2, 9 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		GRAPH_CHECK(0, NEW, MOV64_REG(R6, R0), ST(BPF_DW, R6, NODE_KEY, keys[i]), LOCK,
			    VALUE(R1, OFF_ROOT), MOV64_REG(R2, R6), ALU64_IMM(BPF_ADD, R2, NODE_RB),
			    LD_FUNC(R3, 9), MOV64_IMM(R4, 0), MOV64_IMM(R5, NODE_RB), add, UNLOCK,
			    MOV64_IMM(R0, 0), EXIT,
			    /* less: the nodes are inside the objects */
			    LDX(BPF_DW, R1, R1, NODE_KEY - NODE_RB),
			    LDX(BPF_DW, R2, R2, NODE_KEY - NODE_RB), MOV64_IMM(R0, 1),
			    JMP_REG(BPF_JLT, R1, R2, 1), MOV64_IMM(R0, 0), EXIT);
	/* the smallest first */
	GRAPH_CHECK(2, LOCK, VALUE(R1, OFF_ROOT), first, LDX(BPF_DW, R6, R0, NODE_KEY - NODE_RB),
		    UNLOCK, MOV64_REG(R0, R6), EXIT);
	/* taken out, it is the program's again */
	GRAPH_CHECK(2 * 100 + 5, LOCK, VALUE(R1, OFF_ROOT), first, VALUE(R1, OFF_ROOT),
		    MOV64_REG(R2, R0), remove, MOV64_REG(R6, R0), ALU64_IMM(BPF_ADD, R6, -NODE_RB),
		    VALUE(R1, OFF_ROOT), first, LDX(BPF_DW, R7, R0, NODE_KEY - NODE_RB), UNLOCK,
		    LDX(BPF_DW, R0, R6, NODE_KEY), ALU64_IMM(BPF_MUL, R0, 100),
		    ALU64_REG(BPF_ADD, R7, R0), MOV64_REG(R1, R6), DROP, MOV64_REG(R0, R7), EXIT);
	GRAPH_FAULT("bpf_rbtree_first: the bpf_spin_lock must be held", VALUE(R1, OFF_ROOT), first,
		    EXIT);
	/* two are left in the tree: they go with the map */
}

static void test_list(void **state)
{
	struct bpf_insn push = kfunc("bpf_list_push_back_impl"), pop = kfunc("bpf_list_pop_front");
	u32 i;

	for (i = 1; i <= 3; i++)
		GRAPH_CHECK(0, NEW_OF(graph.link_id), MOV64_REG(R6, R0), ST(BPF_DW, R6, NODE_KEY, (s32)i), LOCK,
			    VALUE(R1, OFF_HEAD), MOV64_REG(R2, R6), ALU64_IMM(BPF_ADD, R2, NODE_LIST),
			    MOV64_IMM(R3, 0), MOV64_IMM(R4, NODE_LIST), push, UNLOCK,
			    MOV64_IMM(R0, 0), EXIT);
	for (i = 1; i <= 2; i++)
		GRAPH_CHECK(i, LOCK, VALUE(R1, OFF_HEAD), pop, MOV64_REG(R6, R0), UNLOCK,
			    LDX(BPF_DW, R7, R6, NODE_KEY - NODE_LIST), MOV64_REG(R1, R6),
			    ALU64_IMM(BPF_ADD, R1, -NODE_LIST), DROP, MOV64_REG(R0, R7), EXIT);
}

static void test_timers(void **state)
{
	struct bpf_insn insns[] = {
		VALUE(R1, OFF_TIMER), LD_MAP(R2, graph.map), MOV64_IMM(R3, 1 /* CLOCK_MONOTONIC */),
		CALL(BPF_FUNC_timer_init), MOV64_REG(R6, R0),
		VALUE(R1, OFF_TIMER), LD_FUNC(R2, 9), CALL(BPF_FUNC_timer_set_callback),
		VALUE(R1, OFF_TIMER), MOV64_IMM(R2, 5000), MOV64_IMM(R3, 0),
		CALL(BPF_FUNC_timer_start), MOV64_REG(R0, R6), EXIT,
		/* (map, key, value): n = key + 7 */
		LDX(BPF_W, R1, R2, 0), ALU64_IMM(BPF_ADD, R1, 7), STX(BPF_DW, R3, R1, OFF_N),
		MOV64_IMM(R0, 0), EXIT,
	};
	int fd = load_graph(insns, ARRAY_SIZE(insns));

	machine.now = 1000;
	assert_int_equal(run_fd(fd, 0, 0), 0);
	assert_int_equal(machine.faults, 0);
	assert_non_null(machine.timer);
	assert_in_range(machine.timer_when, 6000, 6100);
	machine.timer->expire(machine.timer);
	assert_int_equal(machine.faults, 0);
	GRAPH_CHECK(7, VALUE(R1, OFF_N), LDX(BPF_DW, R0, R1, 0), EXIT);
	/* a second init */
	assert_int_equal(run_fd(fd, 0, 0), (u64)-EBUSY);
	/* it was armed */
	GRAPH_CHECK(1, VALUE(R1, OFF_TIMER), CALL(BPF_FUNC_timer_cancel), EXIT);
	GRAPH_CHECK(0, VALUE(R1, OFF_TIMER), CALL(BPF_FUNC_timer_cancel), EXIT);
	/* without a callback it cannot be started */
	GRAPH_CHECK(-EINVAL, VALUE(R1, OFF_TIMER), MOV64_IMM(R2, 5000), MOV64_IMM(R3, 0),
		    CALL(BPF_FUNC_timer_start), EXIT);
	/* absolute time, with a callback that is gone with the map: see teardown */
	assert_int_equal(run_fd(fd, 0, 0), (u64)-EBUSY);
	bpf_close(fd);
}

/* r6 = the map at @key of @outer, r7 = its value at 0; R0 = 1 where there is none */
#define INNER(outer, key)                                                                          \
	ST(BPF_W, R10, -4, key), LD_MAP(R1, outer), MOV64_REG(R2, R10),                            \
		ALU64_IMM(BPF_ADD, R2, -4), CALL(BPF_FUNC_map_lookup_elem), JMP_IMM(BPF_JNE, R0, 0, 2), \
		MOV64_IMM(R0, 1), EXIT, MOV64_REG(R6, R0), ST(BPF_W, R10, -4, 0), MOV64_REG(R1, R6), \
		MOV64_REG(R2, R10), ALU64_IMM(BPF_ADD, R2, -4), CALL(BPF_FUNC_map_lookup_elem),    \
		JMP_IMM(BPF_JNE, R0, 0, 2), MOV64_IMM(R0, 1), EXIT, MOV64_REG(R7, R0)

/* Of which the program knows the template only. */
static void test_inner_timers(void **state)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS, .key_size = 4,
				.value_size = 4, .max_entries = 2,
				.inner_map_fd = (u32)graph.map };
	int outer = (int)vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)), fd;
	struct bpf_insn insns[] = {
		INNER(outer, 1), MOV64_REG(R1, R7), MOV64_REG(R2, R6), MOV64_IMM(R3, 1),
		CALL(BPF_FUNC_timer_init), MOV64_REG(R8, R0),
		MOV64_REG(R1, R7), LD_FUNC(R2, 8), CALL(BPF_FUNC_timer_set_callback),
		MOV64_REG(R1, R7), MOV64_IMM(R2, 5000), MOV64_IMM(R3, 0),
		CALL(BPF_FUNC_timer_start), MOV64_REG(R0, R8), EXIT,
		LDX(BPF_W, R1, R2, 0), ALU64_IMM(BPF_ADD, R1, 9), STX(BPF_DW, R3, R1, OFF_N),
		MOV64_IMM(R0, 0), EXIT,
	};
	u32 key = 1;

	assert_true(outer >= 0);
	attr = (union bpf_attr){ .map_fd = (u32)outer, .key = (u64)&key, .value = (u64)&graph.map };
	assert_int_equal(vrt_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)), 0);
	fd = load_graph(insns, ARRAY_SIZE(insns));
	assert_true(!prog_of(fd)->jit == !(engine_is_jit() && bpf_jit_available()));
	assert_int_equal(run_fd(fd, 0, 0), 0);
	assert_string_equal(machine.fault, "");
	assert_non_null(machine.timer);
	machine.timer->expire(machine.timer);
	assert_int_equal(machine.faults, 0);
	GRAPH_CHECK(9, VALUE(R1, OFF_N), LDX(BPF_DW, R0, R1, 0), EXIT);
	/* a map that it is not in: no program that verifies does that */
	GRAPH_FAULT("the timer is in map", INNER(outer, 1), MOV64_REG(R1, R7), LD_MAP(R2, outer),
		    MOV64_IMM(R3, 1), CALL(BPF_FUNC_timer_init), EXIT);
	bpf_close(fd);
	bpf_close(outer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, exec_setup, exec_teardown)
#define GRAPH_TEST(name) cmocka_unit_test_setup_teardown(name, graph_setup, graph_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_maps),
		TEST(test_loop),
		TEST(test_for_each),
		TEST(test_tail_calls),
		TEST(test_machine),
		TEST(test_text),
		TEST(test_printk),
		TEST(test_bstr),
		TEST(test_probe_read),
		TEST(test_ringbuf),
		TEST(test_dynptrs),
		TEST(test_iterators),
		TEST(test_timeless),
		TEST(test_cpumasks),
		TEST(test_throw),
		GRAPH_TEST(test_special_fields),
		GRAPH_TEST(test_spin_lock),
		GRAPH_TEST(test_kptr),
		GRAPH_TEST(test_objects),
		GRAPH_TEST(test_percpu_objects),
		GRAPH_TEST(test_rbtree),
		GRAPH_TEST(test_list),
		GRAPH_TEST(test_timers),
		GRAPH_TEST(test_inner_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
