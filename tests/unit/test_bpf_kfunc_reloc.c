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
#include "../../src/bpf/btf/btf.h"
#include "../../src/bpf/exec/exec.h"
#include "bpf_exec_fixture.h"

#define RET0 MOV64_IMM(R0, 0), EXIT
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
/* with their arguments */
#define KICK MOV64_IMM(R1, 0), MOV64_IMM(R2, 0), KFUNC("scx_bpf_kick_cpu")
#define CREATE MOV64_IMM(R1, 0), MOV64_IMM(R2, -1), KFUNC("scx_bpf_create_dsq")

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
	CHECK_BOUND(RUNNING, "scx_bpf_kick_cpu", KICK, RET0);
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
	CHECK_BOUND(DISPATCH, "scx_bpf_kick_cpu", KICK, RET0);
	CHECK_NO(ENQUEUE, "may be called from ops.dispatch\n", KICK, RET0);
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
	char text[256];

	assert_int_equal(LOAD_AS(RUNNING, MOV64_IMM(R0, 0), SLOTS, EXIT), -EACCES);
	snprintf(text, sizeof(text),
		 "1: (85) call scx_bpf_dispatch_nr_slots#%d\n"
		 "kfunc scx_bpf_dispatch_nr_slots cannot be called from ops.running: it may be "
		 "called from ops.select_cpu, ops.enqueue and ops.dispatch\nprocessed 2 insns",
		 func_id("scx_bpf_dispatch_nr_slots"));
	assert_non_null(strstr(load_log, text));
	CHECK_NO(ENQUEUE, "kfunc scx_bpf_create_dsq cannot be called from ops.enqueue: it may be "
			  "called from ops.init and callbacks of timers and work queues\n",
		 CREATE, EXIT);
	/* in a function, too */
	CHECK_NO(RUNNING, "2: (85)", CALL_REL(1), EXIT, SLOTS, EXIT);
	/* kfuncs without rules may be called from everywhere */
	CHECK_BOUND(RUNNING, "scx_bpf_kick_cpu", KICK, RET0);
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
		 CREATE, EXIT);
	assert_true(LOAD_FLAGS(INIT, BPF_F_SLEEPABLE, CREATE, EXIT) >= 0);
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
	load_log_level = 2;
	/* everybody gets the kfunc itself, and the log says what is wrong with it */
	assert_int_equal(run_as(ENQUEUE, insns, 2), 1);
	assert_null(strstr(load_log, "cannot be called"));
	assert_int_equal(run_as(RUNNING, insns, 2), 1);
	assert_non_null(strstr(load_log, "cannot be called from ops.running"));
	assert_non_null(strstr(load_log, "\naccepted nevertheless: contexts are checked while "
					 "running\n"));
	CHECK_NO(ENQUEUE, "cannot be called by this name", KFUNC("scx_bpf_nr_cpu_ids"), EXIT);
	load_log_level = 1;
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
	/* division is not followed, as by Linux */
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
	bpf_close(fd);
}

/* --- listing --------------------------------------------------------------------- */

static void test_sites(void **state)
{
	struct bpf_kfunc_site site;
	int fd = LOAD_AS(DISPATCH, KICK, SLOTS, JA(1), SLOTS, RET0);

	/* unreachable code is refused, as by Linux */
	assert_int_equal(fd, -EINVAL);
	fd = LOAD_AS(DISPATCH, KICK, SLOTS, MOV64_IMM(R1, 0), JMP_IMM(BPF_JEQ, R1, 0, 1), SLOTS,
		     RET0);
	assert_true(fd >= 0);
	assert_true(bpf_prog_kfunc_site(prog_of(fd), 0, &site));
	assert_int_equal(site.insn, 2);
	assert_string_equal(site.kfunc, "scx_bpf_kick_cpu");
	assert_string_equal(site.impl, "scx_bpf_kick_cpu");
	assert_string_equal(site.from, "dispatch");
	assert_string_equal(site.where, "insn 2");
	assert_true(bpf_prog_kfunc_site(prog_of(fd), 1, &site));
	assert_int_equal(site.insn, 3);
	assert_string_equal(site.impl, "scx_bpf_reenqueue_local");
	assert_true(bpf_prog_kfunc_site(prog_of(fd), 2, &site));
	assert_int_equal(site.insn, 6);
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
		TEST(test_sites),
		TEST(test_prog_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
