/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of execution share: instructions by hand, a machine that
 * records what programs ask of it, and loading with the log at hand.
 *
 * The kernel BTF is the real one.
 */
#ifndef VRT_TESTS_BPF_EXEC_FIXTURE_H
#define VRT_TESTS_BPF_EXEC_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/base/cpumask.h"
#include "../../src/bpf/btf/kernel_btf.h"
#include "../../src/bpf/prog.h"

/* --- instructions, named as in Linux's tests ------------------------------------- */

#define INSN(c, d, s, o, i)                                                                        \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })

enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 };

#define ALU64_REG(op, d, s) INSN(BPF_ALU64 | (op) | BPF_X, d, s, 0, 0)
#define ALU64_IMM(op, d, i) INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define ALU32_REG(op, d, s) INSN(BPF_ALU | (op) | BPF_X, d, s, 0, 0)
#define ALU32_IMM(op, d, i) INSN(BPF_ALU | (op) | BPF_K, d, 0, 0, i)
#define MOV64_REG(d, s) ALU64_REG(BPF_MOV, d, s)
#define MOV64_IMM(d, i) ALU64_IMM(BPF_MOV, d, i)
#define MOV32_IMM(d, i) ALU32_IMM(BPF_MOV, d, i)
#define LDX(size, d, s, o) INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define LDSX(size, d, s, o) INSN(BPF_LDX | BPF_MEMSX | (size), d, s, o, 0)
#define STX(size, d, s, o) INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define ST(size, d, o, i) INSN(BPF_ST | BPF_MEM | (size), d, 0, o, i)
#define ATOMIC(size, op, d, s, o) INSN(BPF_STX | BPF_ATOMIC | (size), d, s, o, op)
#define JMP_IMM(op, d, i, o) INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define JMP_REG(op, d, s, o) INSN(BPF_JMP | (op) | BPF_X, d, s, o, 0)
#define JMP32_IMM(op, d, i, o) INSN(BPF_JMP32 | (op) | BPF_K, d, 0, o, i)
#define JMP32_REG(op, d, s, o) INSN(BPF_JMP32 | (op) | BPF_X, d, s, o, 0)
#define JA(o) INSN(BPF_JMP | BPF_JA, 0, 0, o, 0)
#define GOTOL(i) INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, i)
#define MAY_GOTO(o) INSN(BPF_JMP | BPF_JCOND, 0, 0, o, 0)
#define CALL(id) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, id)
#define CALL_REL(off) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, off)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LD64_SRC(d, s, lo, hi)                                                                     \
	INSN(BPF_LD | BPF_IMM | BPF_DW, d, s, 0, (s32)(lo)), INSN(0, 0, 0, 0, (s32)(hi))
#define LD64(d, v) LD64_SRC(d, 0, (u64)(v), (u64)(v) >> 32)
#define LD_MAP(d, fd) LD64_SRC(d, BPF_PSEUDO_MAP_FD, fd, 0)
#define LD_VALUE(d, fd, off) LD64_SRC(d, BPF_PSEUDO_MAP_VALUE, fd, off)
#define LD_FUNC(d, off) LD64_SRC(d, BPF_PSEUDO_FUNC, off, 0)

/* --- the machine ------------------------------------------------------------------- */

#define NR_CPUS 4

static struct {
	u32 cpu;
	u64 now, insns, ns;
	u32 faults;
	char fault[512];
	char printed[512];
	u32 locks, unlocks;
	struct bpf_timer_node *timer;
	u64 timer_when;
} machine;

static u32 env_cpu(void)
{
	return machine.cpu;
}

static u64 env_ktime(void)
{
	return machine.now;
}

static void *env_task(void)
{
	return NULL;
}

static u64 env_pid_tgid(void)
{
	return 0x200000001ULL;
}

static u32 env_prandom(void)
{
	return 4; /* chosen by fair dice roll */
}

static void env_charge(u64 insns, u64 ns)
{
	machine.insns += insns;
	machine.ns += ns;
	machine.now += insns + ns;
}

static void env_printk(const char *line)
{
	strncpy(machine.printed, line, sizeof(machine.printed) - 1);
}

static void env_fault(const struct bpf_fault *fault)
{
	machine.faults++;
	strcpy(machine.fault, fault->message);
}

static void env_lock(u32 *lock)
{
	machine.locks++;
	*lock = 1;
}

static void env_unlock(u32 *lock)
{
	machine.unlocks++;
	*lock = 0;
}

static int env_timer_arm(struct bpf_timer_node *node, u64 when, bool pinned)
{
	machine.timer = node;
	machine.timer_when = when;
	return 0;
}

static int env_timer_cancel(struct bpf_timer_node *node)
{
	bool armed = machine.timer == node;

	machine.timer = NULL;
	return armed;
}

static void env_timer_free(struct bpf_timer_node *node)
{
	if (machine.timer == node)
		machine.timer = NULL;
}

static u32 *const env_cpu_id = &machine.cpu;

static struct bpf_env exec_env = {
	.cpu_id = &env_cpu_id,
	.nr_cpus = NR_CPUS,
	.cpu = env_cpu,
	.ktime = env_ktime,
	.current_task = env_task,
	.current_pid_tgid = env_pid_tgid,
	.prandom = env_prandom,
	.charge = env_charge,
	.printk = env_printk,
	.fault = env_fault,
	.spin_lock = env_lock,
	.spin_unlock = env_unlock,
	.timer_arm = env_timer_arm,
	.timer_cancel = env_timer_cancel,
	.timer_free = env_timer_free,
};

/* Which engine the test is of; meson runs some with both. */
static inline bool engine_is_jit(void)
{
	const char *engine = getenv("VRT_TEST_ENGINE");

	return engine && !strcmp(engine, "jit");
}

static inline int exec_setup(void **state)
{
	memset(&machine, 0, sizeof(machine));
	nr_cpu_ids = NR_CPUS;
	/* what is stopped while it runs is what is tested */
	exec_env.unverified = !engine_is_jit();
	exec_env.insn_budget = 1000000;
	exec_env.sleepable_insn_budget = 1000000;
	exec_env.entry_ns = exec_env.helper_ns = exec_env.kfunc_ns = exec_env.map_hash_ns = 0;
	assert_int_equal(kheap_init(), 0);
	return bpf_init(&exec_env, vrt_kernel_btf, vrt_kernel_btf_size());
}

/* Nothing may be left in the kernel heap. */
static inline int exec_teardown(void **state)
{
	struct kheap_stats stats;

	bpf_exit();
	kheap_stats(&stats);
	assert_int_equal(stats.live, 0);
	return 0;
}

/* --- bpf(2) -------------------------------------------------------------------------- */

static char load_log[65536];
static u32 load_log_level = 1; /* of 1, nothing is left of a load that succeeds */

static inline void bpf_close(int fd)
{
	bpf_fd_closing(fd);
	close(fd);
}

static inline int load_attr(union bpf_attr *attr, const struct bpf_insn *insns, u32 nr)
{
	attr->insns = (u64)insns;
	attr->insn_cnt = nr;
	attr->license = (u64) "GPL";
	attr->log_buf = (u64)load_log;
	attr->log_size = sizeof(load_log);
	attr->log_level = load_log_level;
	load_log[0] = '\0';
	return (int)vrt_bpf(BPF_PROG_LOAD, attr, sizeof(*attr));
}

static inline int load_type(enum bpf_prog_type type, const struct bpf_insn *insns, u32 nr)
{
	union bpf_attr attr = { .prog_type = type };

	if (type == BPF_PROG_TYPE_SYSCALL)
		attr.prog_flags = BPF_F_SLEEPABLE;
	return load_attr(&attr, insns, nr);
}

/* What is meant to go wrong while it runs is not verified, and so not compiled. */
static inline int load_or_check(union bpf_attr *attr, const struct bpf_insn *insns, u32 nr)
{
	int fd = load_attr(attr, insns, nr);

	if (fd < 0 && !exec_env.unverified) {
		exec_env.unverified = true;
		fd = load_attr(attr, insns, nr);
		exec_env.unverified = false;
	}
	return fd;
}

/*
 * A program that takes up to 12 numbers. Verified ones may look at the first of a raw
 * tracepoint, but not of others, which may call more kfuncs.
 */
static inline int load_prog(const struct bpf_insn *insns, u32 nr)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_TRACEPOINT };
	int fd = exec_env.unverified ? -1 : load_type(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, nr);

	if (fd < 0)
		fd = load_or_check(&attr, insns, nr);
	if (fd < 0)
		print_error("load failed (%d):\n%s", fd, load_log);
	assert_true(fd >= 0);
	return fd;
}

static inline struct bpf_prog *prog_of(int fd)
{
	struct bpf_prog *prog = bpf_prog_from_fd(fd);

	assert_non_null(prog);
	bpf_prog_put(prog);
	return prog;
}

static inline u64 run_fd(int fd, u64 a, u64 b)
{
	u64 args[2] = { a, b };

	machine.faults = 0;
	machine.fault[0] = '\0';
	return bpf_prog_call(prog_of(fd), args, 2);
}

static inline u64 run_insns(const struct bpf_insn *insns, u32 nr, u64 a, u64 b)
{
	int fd = load_prog(insns, nr);
	u64 ret = run_fd(fd, a, b);

	bpf_close(fd);
	return ret;
}

/* Loads and runs; the arguments are in the context. */
#define RUN2(a, b, ...)                                                                            \
	({                                                                                         \
		struct bpf_insn insns_[] = { __VA_ARGS__ };                                        \
		run_insns(insns_, ARRAY_SIZE(insns_), a, b);                                       \
	})
#define RUN(...) RUN2(0, 0, __VA_ARGS__)
#define LOAD(...)                                                                                  \
	({                                                                                         \
		struct bpf_insn insns_[] = { __VA_ARGS__ };                                        \
		load_prog(insns_, ARRAY_SIZE(insns_));                                             \
	})
/* The program returns @want and does nothing wrong. */
#define CHECK_RUN(want, ...)                                                                       \
	do {                                                                                       \
		u64 got_ = RUN(__VA_ARGS__);                                                       \
		if (machine.faults)                                                                \
			print_error("stopped: %s\n", machine.fault);                               \
		assert_int_equal(machine.faults, 0);                                               \
		assert_int_equal(got_, (u64)(want));                                               \
	} while (0)
/* The program is stopped, with a message that has @text in it. */
#define CHECK_FAULT(text, ...)                                                                     \
	do {                                                                                       \
		u64 got_ = RUN(__VA_ARGS__);                                                       \
		assert_int_equal(machine.faults, 1);                                               \
		if (!strstr(machine.fault, text))                                                  \
			print_error("message: %s\n", machine.fault);                               \
		assert_non_null(strstr(machine.fault, text));                                      \
		assert_int_equal(got_, 0);                                                         \
	} while (0)
/* Loading fails with @err and @text in the log. */
#define CHECK_REFUSED(type, err, text, ...)                                                        \
	do {                                                                                       \
		struct bpf_insn insns_[] = { __VA_ARGS__ };                                        \
		int fd_ = load_type(type, insns_, ARRAY_SIZE(insns_));                             \
		if (!strstr(load_log, text))                                                       \
			print_error("%d, log: %s\n", fd_, load_log);                               \
		assert_int_equal(fd_, err);                                                        \
		assert_non_null(strstr(load_log, text));                                           \
	} while (0)

static inline int map_new(enum bpf_map_type type, u32 key_size, u32 value_size, u32 max_entries,
			  u32 flags)
{
	union bpf_attr attr = { .map_type = type,
				.key_size = key_size,
				.value_size = value_size,
				.max_entries = max_entries,
				.map_flags = flags,
				.map_name = "counts" };
	int fd = (int)vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));

	assert_true(fd >= 0);
	return fd;
}

static inline int map_elem(enum bpf_cmd cmd, int fd, const void *key, const void *value)
{
	union bpf_attr attr = { .map_fd = (u32)fd, .key = (u64)key, .value = (u64)value };

	return (int)vrt_bpf(cmd, &attr, sizeof(attr));
}

static inline u64 map_u64(int fd, u32 key)
{
	u64 value[8] = { 0 };

	assert_int_equal(map_elem(BPF_MAP_LOOKUP_ELEM, fd, &key, value), 0);
	return value[0];
}

#endif
