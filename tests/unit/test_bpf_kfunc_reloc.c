// SPDX-License-Identifier: GPL-2.0-only
/*
 * Polymorphic kfuncs: tables of rules, what a call is bound to, what is refused
 * and in which words, and which calls are asked about at all.
 *
 * The type is sched_ext_ops, with rules of our own for kfuncs without arguments
 * (what they return says which one was called), and periodic_ops as another.
 */
#include <stdio.h>

#include "../../src/base/rng.h"
#include "../../src/bpf/btf.h"
#include "../../src/bpf/exec.h"
#include "bpf_exec_fixture.h"

#define RET0 MOV64_IMM(R0, 0), EXIT
#define STATISTICS "processed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0 "       \
		   "peak_states 0 mark_read 0\n"

/* Of struct sched_ext_ops. */
enum { SELECT_CPU = 0, ENQUEUE = 1, DISPATCH = 3, RUNNING = 6, INIT = 31 };

/* All return u32 and take nothing. */
static u64 slots(void)
{
	return 1;
}

static u64 direct(void)
{
	return 2;
}

static u64 buffered(void)
{
	return 3;
}

static const struct bpf_kfunc kfuncs[] = {
	{ "scx_bpf_dispatch_nr_slots", slots, 0 },
	{ "scx_bpf_nr_cpu_ids", direct, 0 },
	{ "scx_bpf_reenqueue_local", buffered, 0 },
	{ "scx_bpf_create_dsq", slots, KF_SLEEPABLE },
	{ "scx_bpf_kick_cpu", slots, 0 },
};

static const struct bpf_kfunc_set set = { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs),
					  .prog_type = BPF_PROG_TYPE_STRUCT_OPS };
static const struct bpf_kfunc_set set_syscall = { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs),
						  .prog_type = BPF_PROG_TYPE_SYSCALL };

static const struct bpf_kfunc_rule rules[] = {
	{ "scx_bpf_dispatch_nr_slots", "select_cpu enqueue", "scx_bpf_nr_cpu_ids" },
	{ "scx_bpf_dispatch_nr_slots", "dispatch", "scx_bpf_reenqueue_local" },
	{ "scx_bpf_create_dsq", "init async", NULL },
	{ NULL, NULL, NULL },
};

static struct bpf_struct_ops ops, periodic;

static int setup_with(const struct bpf_kfunc_rule *r, bool at_run)
{
	int err = exec_setup(NULL);

	exec_env.unverified = false;
	ops = (struct bpf_struct_ops){ .name = "sched_ext_ops", .kfunc_rules = r,
				       .contexts_at_run = at_run };
	periodic = (struct bpf_struct_ops){ .name = "bpf_periodic_ops" };
	err = err ?: bpf_register_kfuncs(&set) ?: bpf_register_kfuncs(&set_syscall);
	return err ?: bpf_register_struct_ops(&ops) ?: bpf_register_struct_ops(&periodic);
}

static int setup(void **state)
{
	return setup_with(rules, false);
}

static s32 func_id(const char *name)
{
	s32 id = btf_find_by_name_kind(bpf_kernel_btf(), name, BTF_KIND_FUNC);

	assert_true(id > 0);
	return id;
}

#define KFUNC(name) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, func_id(name))
#define SLOTS KFUNC("scx_bpf_dispatch_nr_slots")

static int load_flags(const struct bpf_struct_ops *type, u32 member, u32 flags,
		      const struct bpf_insn *insns, u32 nr)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_STRUCT_OPS,
				.attach_btf_id = type->type_id,
				.expected_attach_type = member,
				.prog_flags = flags };

	return load_attr(&attr, insns, nr);
}

#define LOAD_FLAGS(member, flags, ...)                                                             \
	({                                                                                         \
		struct bpf_insn insns_[] = { __VA_ARGS__ };                                        \
		load_flags(&ops, member, flags, insns_, ARRAY_SIZE(insns_));                       \
	})
#define LOAD_AS(member, ...) LOAD_FLAGS(member, 0, __VA_ARGS__)
/* Loads, and the program's first kfunc call is bound to @impl_. */
#define CHECK_BOUND(member, impl_, ...)                                                            \
	do {                                                                                       \
		int bound_fd_ = LOAD_AS(member, __VA_ARGS__);                                      \
		struct bpf_kfunc_site site_;                                                       \
		if (bound_fd_ < 0)                                                                 \
			print_error("%d: %s\n", bound_fd_, load_log);                              \
		assert_true(bound_fd_ >= 0);                                                       \
		assert_true(bpf_prog_kfunc_site(prog_of(bound_fd_), 0, &site_));                   \
		assert_string_equal(site_.impl ? site_.impl : "(none)", impl_);                    \
		bpf_close(bound_fd_);                                                              \
	} while (0)
#define CHECK_NO(member, text, ...)                                                                \
	do {                                                                                       \
		int no_fd_ = LOAD_AS(member, __VA_ARGS__);                                         \
		if (!strstr(load_log, text))                                                       \
			print_error("%d, log: %s\n", no_fd_, load_log);                            \
		assert_int_equal(no_fd_, -EACCES);                                                 \
		assert_non_null(strstr(load_log, text));                                           \
	} while (0)

static u64 run_as(u32 member, const struct bpf_insn *insns, u32 nr)
{
	int fd = load_flags(&ops, member, 0, insns, nr);
	u64 ret;

	assert_true(fd >= 0);
	ret = run_fd(fd, 0, 0);
	assert_int_equal(machine.faults, 0);
	bpf_close(fd);
	return ret;
}

/* --- tables ------------------------------------------------------------------------ */

static int register_rules(const char *kfunc, const char *members, const char *impl, bool partial)
{
	const struct bpf_kfunc_rule one[] = {
		{ "scx_bpf_create_dsq", "init", NULL },
		{ kfunc, members, impl },
		{ NULL, NULL, NULL },
	};
	struct bpf_struct_ops bad = { .name = "sched_ext_ops", .kfunc_rules = one,
				      .partial_rules = partial };

	machine.printed[0] = '\0';
	return bpf_register_struct_ops(&bad);
}

static void test_bad_tables(void **state)
{
	assert_int_equal(register_rules("scx_bpf_fly", "init", NULL, false), -ENOENT);
	assert_string_equal(machine.printed, "sched_ext_ops: the rule of kfunc scx_bpf_fly names a "
					     "function that the kernel BTF lacks: 'scx_bpf_fly'");
	assert_int_equal(register_rules("scx_bpf_kick_cpu", "init", "scx_bpf_fly", true), -ENOENT);
	assert_non_null(strstr(machine.printed, "lacks: 'scx_bpf_fly'"));
	assert_int_equal(register_rules("scx_bpf_kick_cpu", "init fly", NULL, true), -ENOENT);
	assert_string_equal(machine.printed, "sched_ext_ops: the rule of kfunc scx_bpf_kick_cpu "
					     "names a member that the type lacks: 'fly'");
	assert_int_equal(register_rules("scx_bpf_kick_cpu", "init", "scx_bpf_consume", false),
			 -EINVAL);
	assert_non_null(strstr(machine.printed, "a function of another type: 'scx_bpf_consume'"));
	assert_int_equal(register_rules("scx_bpf_create_dsq", "exit init", NULL, false), -EEXIST);
	assert_non_null(strstr(machine.printed, "repeats a place of an earlier one: 'exit init'"));
	/* nothing of them is left */
	CHECK_BOUND(RUNNING, "scx_bpf_kick_cpu", KFUNC("scx_bpf_kick_cpu"), EXIT);
}

/* What another generation has needs no rule in this one. */
static void test_partial_table(void **state)
{
	const struct bpf_kfunc_rule one[] = {
		{ "scx_bpf_fly", "init", "scx_bpf_land" },
		{ "scx_bpf_kick_cpu", "dispatch", NULL },
		{ NULL, NULL, NULL },
	};

	bpf_exit();
	assert_int_equal(exec_setup(NULL), 0);
	exec_env.unverified = false;
	ops = (struct bpf_struct_ops){ .name = "sched_ext_ops", .kfunc_rules = one,
				       .partial_rules = true };
	assert_int_equal(bpf_register_kfuncs(&set), 0);
	assert_int_equal(bpf_register_struct_ops(&ops), 0);
	CHECK_BOUND(DISPATCH, "scx_bpf_kick_cpu", KFUNC("scx_bpf_kick_cpu"), EXIT);
	CHECK_NO(ENQUEUE, "may be called from ops.dispatch\n", KFUNC("scx_bpf_kick_cpu"), EXIT);
}

/* A result that nobody expects is no difference; a missing one is. */
static void test_results(void **state)
{
	assert_int_equal(register_rules("scx_bpf_dispatch", "enqueue", "scx_bpf_dispatch_direct",
					false), 0);
	assert_int_equal(register_rules("scx_bpf_dispatch_direct", "enqueue", "scx_bpf_dispatch",
					false), -EINVAL);
}

/* --- binding --------------------------------------------------------------------- */

static void test_bound_by_member(void **state)
{
	const struct bpf_insn insns[] = { SLOTS, EXIT };
	/* a function of the program's: the same source gets another in each */
	const struct bpf_insn shared[] = { CALL_REL(1), EXIT, SLOTS, EXIT };

	assert_int_equal(run_as(SELECT_CPU, insns, 2), 2);
	assert_int_equal(run_as(ENQUEUE, insns, 2), 2);
	assert_int_equal(run_as(DISPATCH, insns, 2), 3);
	assert_int_equal(run_as(ENQUEUE, shared, 4), 2);
	assert_int_equal(run_as(DISPATCH, shared, 4), 3);
}

static void test_refused(void **state)
{
	char text[512];

	assert_int_equal(LOAD_AS(RUNNING, MOV64_IMM(R0, 0), SLOTS, EXIT), -EACCES);
	snprintf(text, sizeof(text),
		 "1: (85) call scx_bpf_dispatch_nr_slots#%d\n"
		 "kfunc scx_bpf_dispatch_nr_slots cannot be called from ops.running: it may be "
		 "called from ops.select_cpu, ops.enqueue and ops.dispatch\n" STATISTICS,
		 func_id("scx_bpf_dispatch_nr_slots"));
	assert_string_equal(load_log, text);
	CHECK_NO(ENQUEUE, "kfunc scx_bpf_create_dsq cannot be called from ops.enqueue: it may be "
			  "called from ops.init and callbacks of timers and work queues\n",
		 KFUNC("scx_bpf_create_dsq"), EXIT);
	/* in a function, too */
	CHECK_NO(RUNNING, "2: (85)", CALL_REL(1), EXIT, SLOTS, EXIT);
	/* kfuncs without rules may be called from everywhere */
	CHECK_BOUND(RUNNING, "scx_bpf_kick_cpu", KFUNC("scx_bpf_kick_cpu"), EXIT);
}

static void test_by_its_own_name(void **state)
{
	const struct bpf_insn syscall[] = { KFUNC("scx_bpf_nr_cpu_ids"), EXIT };

	CHECK_NO(ENQUEUE, "kfunc scx_bpf_nr_cpu_ids cannot be called by this name: call "
			  "scx_bpf_dispatch_nr_slots, for which it is chosen where it fits\n",
		 KFUNC("scx_bpf_nr_cpu_ids"), EXIT);
	assert_int_equal(load_type(BPF_PROG_TYPE_SYSCALL, syscall, 2), -EACCES);
	assert_non_null(strstr(load_log, "cannot be called by this name"));
}

static void test_sleepable(void **state)
{
	CHECK_NO(INIT, "program must be sleepable to call sleepable kfunc scx_bpf_create_dsq",
		 KFUNC("scx_bpf_create_dsq"), EXIT);
	assert_true(LOAD_FLAGS(INIT, BPF_F_SLEEPABLE, KFUNC("scx_bpf_create_dsq"), EXIT) >= 0);
}

static void test_other_types(void **state)
{
	const struct bpf_insn insns[] = { SLOTS, EXIT };

	assert_int_equal(load_flags(&periodic, 0, 0, insns, 2), -EACCES);
	assert_non_null(strstr(load_log, "cannot be called from ops."));
	assert_non_null(strstr(load_log, " of bpf_periodic_ops: it may be called from "
					 "ops.select_cpu, ops.enqueue and ops.dispatch of "
					 "sched_ext_ops\n"));
	/* programs that are no struct_ops are not asked */
	assert_true(load_type(BPF_PROG_TYPE_SYSCALL, insns, 2) >= 0);
	assert_int_equal(load_type(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, 2), -EACCES);
	assert_non_null(strstr(load_log, "is not allowed"));
}

static void test_contexts_at_run(void **state)
{
	const struct bpf_insn insns[] = { SLOTS, EXIT };

	bpf_exit();
	assert_int_equal(setup_with(rules, true), 0);
	/* everybody gets the kfunc itself, and the log says what is wrong with it */
	assert_int_equal(run_as(ENQUEUE, insns, 2), 1);
	assert_null(strstr(load_log, "cannot be called"));
	assert_int_equal(run_as(RUNNING, insns, 2), 1);
	assert_non_null(strstr(load_log, "cannot be called from ops.running"));
	assert_non_null(strstr(load_log, "\naccepted nevertheless: contexts are checked while "
					 "running\n"));
	CHECK_NO(ENQUEUE, "cannot be called by this name", KFUNC("scx_bpf_nr_cpu_ids"), EXIT);
}

/* --- a callback of the type's own ------------------------------------------------ */

static struct {
	u32 calls;
	bool async;
	s32 answer;
} asked;

static s32 answer(const struct btf_type *t, const struct btf_member *member, struct bpf_prog *prog,
		  u32 kfunc_id)
{
	assert_ptr_equal(t, ops.type);
	assert_int_equal(kfunc_id, func_id("scx_bpf_dispatch_nr_slots"));
	if (member)
		assert_int_equal(member - btf_members(t), prog->expected_attach_type);
	asked.calls++;
	asked.async |= !member;
	return asked.answer;
}

static void test_callback(void **state)
{
	const struct bpf_insn insns[] = { SLOTS, EXIT };

	bpf_exit();
	assert_int_equal(exec_setup(NULL), 0);
	exec_env.unverified = false;
	ops = (struct bpf_struct_ops){ .name = "sched_ext_ops", .kfunc_validate_reloc = answer };
	assert_int_equal(bpf_register_kfuncs(&set), 0);
	assert_int_equal(bpf_register_struct_ops(&ops), 0);
	memset(&asked, 0, sizeof(asked));
	assert_int_equal(run_as(RUNNING, insns, 2), 1);
	assert_int_equal(asked.calls, 1);
	asked.answer = func_id("scx_bpf_reenqueue_local");
	assert_int_equal(run_as(RUNNING, insns, 2), 3);
	asked.answer = -EPERM;
	assert_int_equal(LOAD_AS(RUNNING, SLOTS, EXIT), -EPERM);
	assert_non_null(strstr(load_log, "kfunc scx_bpf_dispatch_nr_slots cannot be called from "
					 "ops.running\n"));
	assert_false(asked.async);
	/* an answer that cannot be */
	asked.answer = func_id("scx_bpf_kick_cpu");
	assert_int_equal(LOAD_AS(RUNNING, SLOTS, EXIT), -EFAULT);
	assert_non_null(strstr(load_log, "no implementation that can take its place"));
	asked.answer = func_id("scx_bpf_consume");
	assert_int_equal(LOAD_AS(RUNNING, SLOTS, EXIT), -EFAULT);
}

/* --- what can be reached --------------------------------------------------------- */

#define KSYM(reg, name) LD64_SRC(reg, BPF_PSEUDO_BTF_ID, func_id(name), 0)

static void test_guards(void **state)
{
	/* if (!bpf_ksym_exists(kick_cpu)) slots(): it exists */
	CHECK_BOUND(RUNNING, "(none)", KSYM(R1, "scx_bpf_kick_cpu"), JMP_IMM(BPF_JNE, R1, 0, 1),
		    SLOTS, RET0);
	/* what libbpf makes of one that does not: 0, and a poisoned call */
	CHECK_BOUND(RUNNING, "(none)", LD64(R1, 0), JMP_IMM(BPF_JEQ, R1, 0, 2), CALL(2002000003),
		    SLOTS, RET0);
	/* through another register, and a test of 32 bits */
	CHECK_BOUND(RUNNING, "(none)", KSYM(R7, "scx_bpf_kick_cpu"), MOV64_REG(R1, R7),
		    MOV64_IMM(R2, 0), JMP_REG(BPF_JEQ, R1, R2, 1), JA(1), SLOTS, RET0);
	/* it is asked about what can be reached */
	CHECK_NO(RUNNING, "cannot be called", KSYM(R1, "scx_bpf_kick_cpu"),
		 JMP_IMM(BPF_JEQ, R1, 0, 1), SLOTS, RET0);
	/* a constant that is one on one way only is none */
	CHECK_NO(RUNNING, "cannot be called", MOV64_IMM(R6, 0), CALL(BPF_FUNC_get_prandom_u32),
		 JMP_IMM(BPF_JEQ, R0, 0, 1), MOV64_IMM(R6, 1), JMP_IMM(BPF_JEQ, R6, 0, 1), SLOTS,
		 RET0);
	/* nor one that a loop changes */
	CHECK_NO(RUNNING, "cannot be called", MOV64_IMM(R6, 0), ALU64_IMM(BPF_ADD, R6, 1),
		 JMP_IMM(BPF_JNE, R6, 3, 1), SLOTS, JMP_IMM(BPF_JLT, R6, 5, -4), RET0);
	/* calls forget what they may change, and keep the rest */
	CHECK_NO(RUNNING, "cannot be called", MOV64_IMM(R1, 0), CALL(BPF_FUNC_get_prandom_u32),
		 JMP_IMM(BPF_JEQ, R0, 0, 1), SLOTS, RET0);
	CHECK_BOUND(RUNNING, "(none)", MOV64_IMM(R6, 0), CALL(BPF_FUNC_get_prandom_u32),
		    JMP_IMM(BPF_JEQ, R6, 0, 1), SLOTS, RET0);
}

/* A dead call of what is not even registered is no reason to refuse a program. */
static void test_dead_and_unknown(void **state)
{
	CHECK_BOUND(RUNNING, "(none)", MOV64_IMM(R1, 1), JMP_IMM(BPF_JNE, R1, 0, 1),
		    KFUNC("scx_bpf_destroy_dsq"), RET0);
	CHECK_NO(RUNNING, "is not allowed", KFUNC("scx_bpf_destroy_dsq"), RET0);
}

static void test_arithmetic(void **state)
{
	static const struct {
		u8 op;
		u32 a;
		s32 b;
		u32 result;
	} cases[] = {
		{ BPF_ADD, 3, -1, 2 },	 { BPF_SUB, 3, 5, (u32)-2 }, { BPF_AND, 12, 10, 8 },
		{ BPF_OR, 12, 10, 14 },	 { BPF_XOR, 12, 10, 6 },     { BPF_LSH, 3, 4, 48 },
		{ BPF_RSH, 48, 4, 3 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		s32 result = (s32)cases[i].result;

		CHECK_BOUND(RUNNING, "(none)", MOV64_IMM(R1, (s32)cases[i].a),
			    ALU64_IMM(cases[i].op, R1, cases[i].b), JMP_IMM(BPF_JEQ, R1, result, 1),
			    SLOTS, RET0);
		CHECK_BOUND(RUNNING, "(none)", MOV32_IMM(R1, (s32)cases[i].a),
			    ALU32_IMM(cases[i].op, R1, cases[i].b),
			    JMP32_IMM(BPF_JEQ, R1, result, 1), SLOTS, RET0);
		CHECK_NO(RUNNING, "cannot be called", MOV64_IMM(R1, (s32)cases[i].a),
			 ALU64_IMM(cases[i].op, R1, cases[i].b), JMP_IMM(BPF_JNE, R1, result, 1),
			 SLOTS, RET0);
	}
	/* of 32 bits: what is above them is gone */
	CHECK_BOUND(RUNNING, "(none)", MOV64_IMM(R1, -1), ALU32_IMM(BPF_ADD, R1, 1),
		    JMP_IMM(BPF_JEQ, R1, 0, 1), SLOTS, RET0);
	CHECK_BOUND(RUNNING, "(none)", MOV32_IMM(R1, -1), JMP_IMM(BPF_JSGT, R1, 0, 1), SLOTS, RET0);
	/* division is not followed */
	CHECK_NO(RUNNING, "cannot be called", MOV64_IMM(R1, 4), ALU64_IMM(BPF_DIV, R1, 2),
		 JMP_IMM(BPF_JEQ, R1, 2, 1), SLOTS, RET0);
}

static void test_comparisons(void **state)
{
	static const struct {
		u8 op;
		s32 a, b;
		bool taken;
	} cases[] = {
		{ BPF_JEQ, 1, 1, true },   { BPF_JNE, 1, 1, false },  { BPF_JSET, 6, 2, true },
		{ BPF_JSET, 4, 2, false }, { BPF_JGT, -1, 1, true },  { BPF_JSGT, -1, 1, false },
		{ BPF_JGE, 1, 1, true },   { BPF_JSGE, 0, 1, false }, { BPF_JLT, 1, -1, true },
		{ BPF_JSLT, 1, -1, false }, { BPF_JLE, 2, 1, false }, { BPF_JSLE, -5, 1, true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = LOAD_AS(RUNNING, MOV64_IMM(R1, cases[i].a),
				 JMP_IMM(cases[i].op, R1, cases[i].b, 1), SLOTS, RET0);

		assert_int_equal(fd >= 0, cases[i].taken);
		fd = LOAD_AS(RUNNING, MOV32_IMM(R1, cases[i].a), MOV32_IMM(R2, cases[i].b),
			     JMP32_REG(cases[i].op, R1, R2, 1), SLOTS, RET0);
		assert_int_equal(fd >= 0, cases[i].taken);
	}
}

/* const volatile: known once the map is frozen, and only then. */
static void test_rodata(void **state)
{
	u8 data[16] = { [4] = 1, [8] = 0xff, [9] = 0xff };
	u32 zero = 0;
	int fd = map_new(BPF_MAP_TYPE_ARRAY, 4, sizeof(data), 1, BPF_F_RDONLY_PROG);
	union bpf_attr attr = { .map_fd = (u32)fd };

	assert_int_equal(map_elem(BPF_MAP_UPDATE_ELEM, fd, &zero, data), 0);
	CHECK_NO(RUNNING, "cannot be called", LD_VALUE(R1, fd, 4), LDX(BPF_B, R1, R1, 0),
		 JMP_IMM(BPF_JEQ, R1, 1, 1), SLOTS, RET0);
	assert_int_equal(vrt_bpf(BPF_MAP_FREEZE, &attr, sizeof(attr)), 0);
	CHECK_BOUND(RUNNING, "(none)", LD_VALUE(R1, fd, 4), LDX(BPF_B, R1, R1, 0),
		    JMP_IMM(BPF_JEQ, R1, 1, 1), SLOTS, RET0);
	CHECK_NO(RUNNING, "cannot be called", LD_VALUE(R1, fd, 0), LDX(BPF_W, R1, R1, 0),
		 JMP_IMM(BPF_JNE, R1, 0, 1), SLOTS, RET0);
	CHECK_BOUND(RUNNING, "(none)", LD_VALUE(R1, fd, 0), ALU64_IMM(BPF_ADD, R1, 8),
		    LDX(BPF_H, R1, R1, 0), JMP_IMM(BPF_JEQ, R1, 0xffff, 1), SLOTS, RET0);
	/* beyond its end, and past the sign: not known */
	CHECK_NO(RUNNING, "cannot be called", LD_VALUE(R1, fd, 15), LDX(BPF_H, R1, R1, 0),
		 JMP_IMM(BPF_JEQ, R1, 0, 1), SLOTS, RET0);
	CHECK_NO(RUNNING, "cannot be called", LD_VALUE(R1, fd, 8), LDSX(BPF_H, R1, R1, 0),
		 JMP_IMM(BPF_JEQ, R1, -1, 1), SLOTS, RET0);
	bpf_close(fd);
}

/* --- what is called dead is dead: random programs, which are run ----------------- */

#define RANDOM_PROGRAMS 20000
#define RANDOM_INSNS 24

static bool called[RANDOM_INSNS + 1];

/* A kfunc that remembers from where it was called. */
static u64 witness(void)
{
	called[bpf_exec_current->insn] = true;
	return 7;
}

static struct bpf_insn random_insn(struct rng *rng, u32 i)
{
	static const u8 alu[] = { BPF_ADD, BPF_SUB, BPF_AND, BPF_OR,  BPF_XOR, BPF_LSH,
				  BPF_RSH, BPF_MUL, BPF_MOV, BPF_ARSH, BPF_MOV, BPF_MOV };
	static const u8 jmp[] = { BPF_JEQ, BPF_JNE, BPF_JSET, BPF_JGT, BPF_JGE, BPF_JLT,
				  BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE };
	u8 dst = rng_below(rng, 10), src = rng_below(rng, 10), by_reg = rng_below(rng, 2);
	s32 imm = (s32)rng_below(rng, 9) - 4;
	s16 off;
	u8 op;

	switch (rng_below(rng, 8)) {
	case 0:
	case 1:
	case 2:
		op = alu[rng_below(rng, ARRAY_SIZE(alu))];
		if (!by_reg && (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH))
			imm &= 7;
		return INSN((rng_below(rng, 2) ? BPF_ALU64 : BPF_ALU) | op | (by_reg ? BPF_X : 0), dst,
			    by_reg ? src : 0, 0, by_reg ? 0 : imm);
	case 3:
		return MOV64_IMM(dst, imm);
	case 4:
		return SLOTS;
	case 5:
		return CALL(BPF_FUNC_get_prandom_u32);
	default:
		op = jmp[rng_below(rng, ARRAY_SIZE(jmp))];
		/* back, sometimes; else on, at most to the end */
		off = rng_below(rng, 4) ? (s16)rng_below(rng, RANDOM_INSNS - i) :
					  -(s16)rng_below(rng, i + 1);
		return INSN((rng_below(rng, 2) ? BPF_JMP : BPF_JMP32) | op | (by_reg ? BPF_X : 0), dst,
			    by_reg ? src : 0, off, by_reg ? 0 : imm);
	}
}

static void test_random(void **state)
{
	static const struct bpf_kfunc one[] = { { "scx_bpf_dispatch_nr_slots", witness, 0 } };
	static const struct bpf_kfunc_set witnesses = { .funcs = one, .nr = 1,
							.prog_type = BPF_PROG_TYPE_STRUCT_OPS };
	struct bpf_insn insns[RANDOM_INSNS + 1];
	u32 n, i, dead = 0, live = 0;
	struct rng rng;

	bpf_exit();
	assert_int_equal(exec_setup(NULL), 0);
	exec_env.unverified = false;
	exec_env.insn_budget = 500;
	ops = (struct bpf_struct_ops){ .name = "sched_ext_ops" };
	assert_int_equal(bpf_register_kfuncs(&witnesses), 0);
	assert_int_equal(bpf_register_struct_ops(&ops), 0);
	rng_init(&rng, 1);
	for (n = 0; n < RANDOM_PROGRAMS; n++) {
		struct bpf_kfunc_site site;
		int fd;

		for (i = 0; i < RANDOM_INSNS; i++)
			insns[i] = random_insn(&rng, i);
		insns[i] = EXIT;
		fd = load_flags(&ops, RUNNING, 0, insns, ARRAY_SIZE(insns));
		if (fd < 0)
			print_error("%d: %s\n", fd, load_log);
		assert_true(fd >= 0);
		memset(called, 0, sizeof(called));
		run_fd(fd, 0, 0);
		for (i = 0; bpf_prog_kfunc_site(prog_of(fd), i, &site); i++) {
			dead += !site.impl;
			live += site.impl && called[site.insn];
			assert_false(!site.impl && called[site.insn]);
		}
		bpf_close(fd);
	}
	/* it did find something */
	assert_true(dead > RANDOM_PROGRAMS / 20 && live > RANDOM_PROGRAMS / 2);
}

/* --- callbacks ------------------------------------------------------------------- */

#define SET_CALLBACK(off) LD_FUNC(R2, off), CALL(BPF_FUNC_timer_set_callback)

static void test_timer(void **state)
{
	/* the callback starts at 5 */
	CHECK_NO(ENQUEUE, "5: (85)", SET_CALLBACK(4), RET0, SLOTS, RET0);
	assert_non_null(strstr(load_log, "kfunc scx_bpf_dispatch_nr_slots cannot be called from a "
					 "callback of a timer: it may be called from"));
	/* what the callback calls is as far outside as itself */
	CHECK_NO(ENQUEUE, "from a callback of a timer", SET_CALLBACK(4), RET0, CALL_REL(1), EXIT,
		 SLOTS, RET0);
	CHECK_BOUND(ENQUEUE, "scx_bpf_kick_cpu", SET_CALLBACK(4), RET0, KFUNC("scx_bpf_kick_cpu"),
		    RET0);
	/* bpf_loop() calls at once */
	CHECK_BOUND(ENQUEUE, "scx_bpf_nr_cpu_ids", LD_FUNC(R2, 4), CALL(BPF_FUNC_loop), RET0,
		    SLOTS, RET0);
	/* but not if it is a timer that does */
	CHECK_NO(ENQUEUE, "from a callback of a timer", SET_CALLBACK(4), RET0, LD_FUNC(R2, 4),
		 CALL(BPF_FUNC_loop), RET0, SLOTS, RET0);
}

static void test_timers_do_not_sleep(void **state)
{
	struct bpf_insn set_wq = KFUNC("bpf_wq_set_callback_impl"), create =
						KFUNC("scx_bpf_create_dsq");

	CHECK_NO(INIT, "must be sleepable", SET_CALLBACK(4), RET0, create, RET0);
	assert_int_equal(LOAD_FLAGS(INIT, BPF_F_SLEEPABLE, SET_CALLBACK(4), RET0, create, RET0),
			 -EACCES);
	assert_non_null(strstr(load_log, "must be sleepable"));
	/* work queues do */
	assert_true(LOAD_AS(INIT, LD_FUNC(R2, 4), set_wq, RET0, create, RET0) >= 0);
	CHECK_NO(ENQUEUE, "from a callback of a work queue", LD_FUNC(R2, 4), set_wq, RET0, SLOTS,
		 RET0);
}

/* One function, called from the member and from a timer. */
static void test_shared(void **state)
{
	const struct bpf_kfunc_rule both[] = {
		{ "scx_bpf_dispatch_nr_slots", "enqueue", "scx_bpf_nr_cpu_ids" },
		{ "scx_bpf_dispatch_nr_slots", "dispatch async", "scx_bpf_reenqueue_local" },
		{ NULL, NULL, NULL },
	};
	struct bpf_kfunc_site site;
	int fd;

	bpf_exit();
	assert_int_equal(setup_with(both, false), 0);
	/* 0: set the callback 6; 3: call it, too */
	CHECK_NO(ENQUEUE, "kfunc scx_bpf_dispatch_nr_slots is scx_bpf_nr_cpu_ids where the program "
			  "runs and scx_bpf_reenqueue_local in callbacks of timers and work queues: "
			  "this call can be reached from both\n",
		 SET_CALLBACK(5), CALL_REL(2), RET0, SLOTS, RET0);
	fd = LOAD_AS(DISPATCH, SET_CALLBACK(5), CALL_REL(2), RET0, SLOTS, RET0);
	assert_true(fd >= 0);
	assert_true(bpf_prog_kfunc_site(prog_of(fd), 0, &site));
	assert_string_equal(site.from, "dispatch,async");
	assert_string_equal(site.impl, "scx_bpf_reenqueue_local");
	/* two functions of one program get what fits each */
	fd = LOAD_AS(ENQUEUE, SET_CALLBACK(5), SLOTS, RET0, SLOTS, RET0);
	assert_true(fd >= 0);
	assert_true(bpf_prog_kfunc_site(prog_of(fd), 0, &site));
	assert_string_equal(site.impl, "scx_bpf_nr_cpu_ids");
	assert_true(bpf_prog_kfunc_site(prog_of(fd), 1, &site));
	assert_string_equal(site.impl, "scx_bpf_reenqueue_local");
	assert_int_equal(run_fd(fd, 0, 0), 0);
	assert_int_equal(machine.faults, 1); /* there is no timer at r1; the load was what matters */
}

/* Which function the timer gets is not known: it may be any. */
static void test_unknown_callback(void **state)
{
	CHECK_NO(ENQUEUE, "from a callback of a timer", CALL(BPF_FUNC_get_prandom_u32),
		 LD_FUNC(R2, 7), JMP_IMM(BPF_JEQ, R0, 0, 2), LD_FUNC(R2, 6),
		 CALL(BPF_FUNC_timer_set_callback), RET0, RET0, SLOTS, RET0);
	/* a function that is never called harms nobody */
	CHECK_BOUND(ENQUEUE, "(none)", LD_FUNC(R2, 3), RET0, SLOTS, RET0);
}

/* --- listing --------------------------------------------------------------------- */

static void test_sites(void **state)
{
	struct bpf_kfunc_site site;
	int fd = LOAD_AS(DISPATCH, KFUNC("scx_bpf_kick_cpu"), SLOTS, JA(1), SLOTS, RET0);

	/* unreachable code is refused, as by Linux */
	assert_int_equal(fd, -EINVAL);
	fd = LOAD_AS(DISPATCH, KFUNC("scx_bpf_kick_cpu"), SLOTS, MOV64_IMM(R1, 0),
		     JMP_IMM(BPF_JEQ, R1, 0, 1), SLOTS, RET0);
	assert_true(fd >= 0);
	assert_true(bpf_prog_kfunc_site(prog_of(fd), 0, &site));
	assert_int_equal(site.insn, 0);
	assert_string_equal(site.kfunc, "scx_bpf_kick_cpu");
	assert_string_equal(site.impl, "scx_bpf_kick_cpu");
	assert_string_equal(site.from, "dispatch");
	assert_string_equal(site.where, "insn 0");
	assert_true(bpf_prog_kfunc_site(prog_of(fd), 1, &site));
	assert_int_equal(site.insn, 1);
	assert_string_equal(site.impl, "scx_bpf_reenqueue_local");
	assert_true(bpf_prog_kfunc_site(prog_of(fd), 2, &site));
	assert_int_equal(site.insn, 4);
	assert_null(site.impl);
	assert_string_equal(site.from, "");
	assert_false(bpf_prog_kfunc_site(prog_of(fd), 3, &site));
}

/* --- tail calls: whoever is called was bound for the same member ----------------- */

static void test_prog_array(void **state)
{
	int progs = map_new(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2, 0);
	int caller = LOAD_AS(ENQUEUE, LD_MAP(R2, progs), MOV64_IMM(R3, 0),
			     CALL(BPF_FUNC_tail_call), RET0);
	int same = LOAD_AS(ENQUEUE, SLOTS, EXIT), other = LOAD_AS(DISPATCH, SLOTS, EXIT);
	u32 key = 0;

	assert_true(caller >= 0 && same >= 0 && other >= 0);
	assert_int_equal(map_elem(BPF_MAP_UPDATE_ELEM, progs, &key, &other), -EINVAL);
	assert_int_equal(map_elem(BPF_MAP_UPDATE_ELEM, progs, &key, &same), 0);
	assert_int_equal(run_fd(caller, 0, 0), 2);
	/* a program of another member cannot even have the map */
	assert_int_equal(LOAD_AS(DISPATCH, LD_MAP(R2, progs), MOV64_IMM(R3, 0),
				 CALL(BPF_FUNC_tail_call), RET0), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, exec_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bad_tables),
		TEST(test_partial_table),
		TEST(test_results),
		TEST(test_bound_by_member),
		TEST(test_refused),
		TEST(test_by_its_own_name),
		TEST(test_sleepable),
		TEST(test_other_types),
		TEST(test_contexts_at_run),
		TEST(test_callback),
		TEST(test_guards),
		TEST(test_dead_and_unknown),
		TEST(test_arithmetic),
		TEST(test_comparisons),
		TEST(test_rodata),
		TEST(test_random),
		TEST(test_timer),
		TEST(test_timers_do_not_sleep),
		TEST(test_shared),
		TEST(test_unknown_callback),
		TEST(test_sites),
		TEST(test_prog_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
