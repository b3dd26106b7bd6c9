// SPDX-License-Identifier: GPL-2.0-only
/*
 * ghOSt's programs and what they may call: how they are loaded and attached, and
 * what every helper does and refuses.
 */
#include "test_sched_ghost.h"

static const struct ghost_config quiet;

#define NO_SUCH_GTID ((99LL << GHOST_TID_SEQNUM_BITS) | 1)

static struct cpumask first_two = { .bits = { 3 } };

/* Of four CPUs two are in the enclave. */
static void boot_half(void)
{
	boot_ghost("4", (struct ghost_config){ .cpus = &first_two });
	run_for(MS);
}

/* --- load and attach --------------------------------------------------------------- */

static const struct bpf_insn return_0[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static char load_log[1024];

static int load_insns(u32 type, u32 attach_type, const struct bpf_insn *insns, u32 nr)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)attach_type,
		    .log_level = 1, .log_buf = load_log, .log_size = sizeof(load_log));

	load_log[0] = '\0';
	return bpf_prog_load((enum bpf_prog_type)type, "test", "GPL", insns, nr, &opts);
}

static int load(u32 type, u32 attach_type)
{
	return load_insns(type, attach_type, return_0, 2);
}

static void test_load(void **state)
{
	int fd;

	boot("1");
	fd = load(BPF_PROG_TYPE_GHOST_SCHED, GHOST_ATTACH(BPF_GHOST_SCHED_PNT));
	assert_true(fd >= 0);
	facade_close(fd);
	assert_int_equal(load(BPF_PROG_TYPE_GHOST_SCHED, BPF_GHOST_SCHED_PNT), -EBADF);
	assert_non_null(strstr(load_log, "ghOSt ABI 0 is not supported"));
	assert_int_equal(load(BPF_PROG_TYPE_GHOST_SCHED, 90 << 16 | BPF_GHOST_SCHED_PNT), -EBADF);
	assert_int_equal(load(BPF_PROG_TYPE_GHOST_SCHED, GHOST_ATTACH(BPF_GHOST_MSG_SEND)),
			 -EINVAL);
	assert_non_null(strstr(load_log, "expected 2000 (SEC(\"ghost_sched/pnt\"))"));
	assert_int_equal(load(BPF_PROG_TYPE_GHOST_MSG, GHOST_ATTACH(BPF_GHOST_SCHED_PNT)), -EINVAL);
	assert_non_null(strstr(load_log, "expected 2001 (SEC(\"ghost_msg/msg_send\"))"));
	shut_down();
}

/* MSG runs with an rq locked, and run_gtid() takes two. */
static void test_run_gtid_is_for_pnt(void **state)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ghost_run_gtid },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd;

	boot("1");
	assert_true(load_insns(BPF_PROG_TYPE_GHOST_MSG, GHOST_ATTACH(BPF_GHOST_MSG_SEND), insns,
			       5) < 0);
	assert_non_null(strstr(load_log, "3001"));
	fd = load_insns(BPF_PROG_TYPE_GHOST_SCHED, GHOST_ATTACH(BPF_GHOST_SCHED_PNT), insns, 5);
	assert_true(fd >= 0);
	facade_close(fd);
	shut_down();
}

static void test_attach(void **state)
{
	u32 pnt = GHOST_ATTACH(BPF_GHOST_SCHED_PNT);
	int fd, ctl;

	boot_ghost("1", quiet);
	ctl = ghost_enclave_fd(enclave);
	assert_true(ctl >= 0);
	fd = load(BPF_PROG_TYPE_GHOST_SCHED, pnt);
	assert_int_equal(bpf_link_create(fd, ctl, (enum bpf_attach_type)pnt, NULL), -EBUSY);
	assert_int_equal(bpf_link_create(fd, ctl, BPF_CGROUP_DEVICE, NULL), -EINVAL);
	/* no descriptor, and one of something else */
	assert_int_equal(bpf_link_create(fd, 0, (enum bpf_attach_type)pnt, NULL), -EBADF);
	assert_true(bpf_link_create(fd, map_fd("fifo"), (enum bpf_attach_type)pnt, NULL) < 0);
	ghost_destroy(enclave);
	assert_int_equal(bpf_link_create(fd, ctl, (enum bpf_attach_type)pnt, NULL), -ENODEV);
	facade_close(fd);
	facade_close(ctl);
	shut_down_ghost();
}

static void test_start_needs_programs(void **state)
{
	struct ghost_config config = { .take_all = true };
	char err[256] = "";
	int ctl, link;

	boot("1");
	enclave = ghost_enclave_create(&config, err, sizeof(err));
	assert_non_null(enclave);
	assert_int_equal(ghost_start(enclave, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "ghost_sched/pnt"));
	probe = load_object(probe_path());
	map_globals();
	ctl = ghost_enclave_fd(enclave);
	link = attach_program("probe_pnt", ctl);
	assert_true(link >= 0);
	assert_int_equal(ghost_start(enclave, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "ghost_msg/msg_send"));
	assert_false(ghost_exit(enclave)->active);
	facade_close(link);
	facade_close(ctl);
	shut_down_ghost();
}

/* An enclave that is closed without its descriptors and links, and the other way round. */
static void test_lifetimes(void **state)
{
	int ctl;

	boot_ghost("1", quiet);
	hog(0);
	run_for(MS);
	ctl = ghost_enclave_fd(enclave);
	loader_close(probe);
	assert_int_equal(ghost_exit(enclave)->kind, GHOST_EXIT_AGENT);
	assert_string_equal(ghost_exit(enclave)->reason, "program detached");
	ghost_enclave_close(enclave);
	run_for(MS);
	facade_close(ctl);
	facade_munmap(globals, globals_size);
	shut_down();

	/* everything is left to the end of the machine */
	boot_ghost("1", quiet);
	hog(0);
	run_for(MS);
	facade_munmap(globals, globals_size);
	shut_down();
	loader_close(probe);
}

/* --- wake_agent() ---------------------------------------------------------------------- */

static void test_wake_agent(void **state)
{
	boot_half();
	assert_int_equal(call_now(CALL_WAKE_AGENT, 0, 1, 0, 0), 0);
	assert_int_equal(call_now(CALL_WAKE_AGENT, 0, ~0U, 0, 0), -EINVAL);
	assert_int_equal(call_now(CALL_WAKE_AGENT, 0, 4, 0, 0), -ERANGE);
	assert_int_equal(call_now(CALL_WAKE_AGENT, 0, 2, 0, 0), -EXDEV);
	assert_int_equal(kernel_cpu_set_online(1, false), 0);
	assert_int_equal(call_now(CALL_WAKE_AGENT, 0, 1, 0, 0), -ERANGE);
	shut_down_ghost();
}

/* --- resched_cpu() ------------------------------------------------------------------------ */

static void test_resched_cpu_errors(void **state)
{
	boot_half();
	assert_int_equal(call_now(CALL_RESCHED_CPU, 0, 1, 0, 0), 0);
	assert_int_equal(call_now(CALL_RESCHED_CPU, 0, ~0U, 0, 0), -EINVAL);
	assert_int_equal(call_now(CALL_RESCHED_CPU, 0, 4, 0, 0), -ERANGE);
	assert_int_equal(call_now(CALL_RESCHED_CPU, 0, 3, 0, 0), -EXDEV);
	start((struct task_params){ .policy = SCHED_FIFO, .rt_priority = 1,
				    .allowed = &(struct cpumask){ .bits = { 2 } } }, 0, 0);
	run_for(MS);
	assert_int_equal(call_now(CALL_RESCHED_CPU, 0, 1, 0, 0), -EPERM);
	shut_down_ghost();
}

/* What runs there must go, but only if the program knows what that is. */
static void test_resched_cpu_seqnum(void **state)
{
	struct task *t;

	boot_ghost("2", quiet);
	t = start((struct task_params){ .allowed = &(struct cpumask){ .bits = { 2 } } }, 0, 0);
	run_for(2 * MS);
	assert_ptr_equal(cpu_rq(1)->curr, &t->ts);
	forget_msgs();
	assert_int_equal(call_now(CALL_RESCHED_CPU, 0, 1, ghost_of(cpu_rq(1))->cpu_seqnum - 1, 0), 0);
	assert_int_equal(count_msgs(MSG_TASK_PREEMPT), 0);
	assert_int_equal(call_now(CALL_RESCHED_CPU, 0, 1, ghost_of(cpu_rq(1))->cpu_seqnum, 0), 0);
	expect_msg_of(MSG_TASK_PREEMPT, t);
	assert_int_equal(msg.preempt.cpu, 1);
	shut_down_ghost();
}

/* --- resched_cpu2() ------------------------------------------------------------------------- */

static void test_resched_cpu2_errors(void **state)
{
	boot_half();
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 1, RESCHED_ANY_CLASS, 0), 0);
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 1, 0x40 | RESCHED_ANY_CLASS, 0), -EINVAL);
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 1, SET_MUST_RESCHED, 0), -EINVAL);
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, ~0U, RESCHED_ANY_CLASS, 0), -EINVAL);
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 4, RESCHED_ANY_CLASS, 0), -ERANGE);
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 2, RESCHED_ANY_CLASS, 0), -EXDEV);
	shut_down_ghost();
}

static void check_classes(u64 ghost, u64 idle, u64 other)
{
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 1, RESCHED_GHOST_CLASS, 0), ghost);
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 1, RESCHED_IDLE_CLASS, 0), idle);
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 1, RESCHED_OTHER_CLASS, 0), other);
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 1, RESCHED_ANY_CLASS, 0), 0);
}

static void test_resched_cpu2_classes(void **state)
{
	static struct cpumask second = { .bits = { 2 } };

	boot_ghost("2", quiet);
	run_for(MS);
	check_classes(-EPERM, 0, -EPERM);
	start((struct task_params){ .allowed = &second }, 0, 0);
	run_for(MS);
	check_classes(0, -EPERM, -EPERM);
	start((struct task_params){ .allowed = &second, .policy = SCHED_IDLE }, 0, 0);
	run_for(MS);
	check_classes(-EPERM, -EPERM, 0);
	shut_down_ghost();
}

static void test_resched_cpu2_flags(void **state)
{
	static struct cpumask second = { .bits = { 2 } };
	struct task *t;

	boot_ghost("2", (struct ghost_config){ .deliver_agent_runnability = true });
	t = start((struct task_params){ .allowed = &second }, 0, 0);
	run_for(2 * MS);
	forget_msgs();
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 1, RESCHED_GHOST_CLASS, 0), 0);
	assert_int_equal(count_msgs(MSG_TASK_PREEMPT), 0);
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 1,
				  RESCHED_GHOST_CLASS | SET_MUST_RESCHED, 0), 0);
	expect_msg_of(MSG_TASK_PREEMPT, t);
	forget_msgs();
	assert_int_equal(call_now(CALL_RESCHED_CPU2, 0, 1, RESCHED_ANY_CLASS | WAKE_AGENT, 0), 0);
	expect_msg_of_cpu(MSG_CPU_AGENT_WAKEUP, 1);
	shut_down_ghost();
}

/* --- run_gtid() ---------------------------------------------------------------------------- */

static s64 run_gtid(u64 gtid, u32 barrier, u32 flags)
{
	return call_now(CALL_RUN_GTID, 0, gtid, barrier, flags);
}

static s64 run_task(struct task *t, u32 flags)
{
	return run_gtid(gtid_of(t), t->ghost.sw->barrier, flags);
}

/* A machine whose CPU 0 latches nothing by itself, and a task that could run. */
static struct task *boot_held(const char *spec)
{
	struct task *t;

	boot_ghost(spec, quiet);
	PROBE(u8, hold) = 1;
	t = hog(0);
	run_for(MS);
	return t;
}

static void test_run_gtid(void **state)
{
	struct task *t = boot_held("1");

	assert_int_equal(run_task(t, 0), 0);
	run_for(4 * MS);
	assert_true(task_runtime(t) > MS);
	assert_int_equal(stats_now().latched, 1);
	shut_down_ghost();
}

/* The task_struct goes to the CPU, and does not run before the CPU picks. */
static void test_run_gtid_migrates(void **state)
{
	struct task *t = boot_held("2");

	if (!t->ts.cpu) {
		struct cpumask second = { .bits = { 2 } }, both = { .bits = { 3 } };

		set_affinity(t, &second);
		set_affinity(t, &both);
	}
	assert_int_equal(t->ts.cpu, 1);
	assert_int_equal(run_task(t, 0), 0);
	assert_int_equal(t->ts.cpu, 0);
	assert_ptr_equal(cpu_rq(0)->curr, &t->ts);
	shut_down_ghost();
}

static void test_run_gtid_enoent(void **state)
{
	struct task *t = boot_held("1");
	s64 agent = ghost_task_of(ghost_of(cpu_rq(0))->agent)->gtid;

	assert_int_equal(run_gtid(NO_SUCH_GTID, 1, 0), -ENOENT);
	assert_int_equal(run_gtid((u64)gtid_of(t) + 1, 1, 0), -ENOENT);
	assert_int_equal(run_gtid(GHOST_NULL_GTID, 1, 0), -ENOENT);
	assert_int_equal(run_gtid((u64)GHOST_AGENT_GTID, 1, 0), -ENOENT);
	assert_int_equal(run_gtid((u64)GHOST_IDLE_GTID, 1, 0), -ENOENT);
	assert_int_equal(run_gtid((u64)agent, 1, 0), -ENOENT);
	assert_int_equal(stats_now().latch_errors, 6);
	/* nobody is told of who is not there */
	assert_int_equal(count_msgs(MSG_TASK_LATCH_FAILURE), 0);
	shut_down_ghost();
}

static void test_run_gtid_estale(void **state)
{
	struct task *t = boot_held("1");

	assert_int_equal(run_gtid(gtid_of(t), t->ghost.sw->barrier - 1, 0), -ESTALE);
	assert_int_equal(run_gtid(gtid_of(t), t->ghost.sw->barrier + 1, 0), -ESTALE);
	expect_msg_of(MSG_TASK_LATCH_FAILURE, t);
	assert_int_equal(msg.latch_failure.error, ESTALE);
	assert_int_equal(task_runtime(t), 0);
	shut_down_ghost();
}

/* Not in place of a task that runs, or that is latched. */
static void test_run_gtid_do_not_preempt(void **state)
{
	static struct cpumask second = { .bits = { 2 } };
	struct task *runs, *waits;

	boot_ghost("2", quiet);
	runs = start((struct task_params){ .allowed = &second }, 0, 0);
	run_for(MS);
	PROBE(u8, hold) = 1;
	waits = start((struct task_params){ .allowed = &second }, 0, 0);
	run_for(MS);
	assert_ptr_equal(cpu_rq(1)->curr, &runs->ts);
	assert_int_equal(call_now(CALL_RUN_GTID, 1, gtid_of(waits), waits->ghost.sw->barrier,
				  DO_NOT_PREEMPT), -ESTALE);
	assert_ptr_equal(cpu_rq(1)->curr, &runs->ts);
	assert_int_equal(call_now(CALL_RUN_GTID, 1, gtid_of(waits), waits->ghost.sw->barrier, 0), 0);
	assert_ptr_equal(cpu_rq(1)->curr, &waits->ts);
	shut_down_ghost();
}

static void test_run_gtid_ebusy(void **state)
{
	struct task *t;

	boot_ghost("2", quiet);
	PROBE(u32, hold_cpu) = 1;
	t = start((struct task_params){ .allowed = &(struct cpumask){ .bits = { 3 } } }, 0, 0);
	PROBE(u32, kick_cpus) = 2;
	set_nice(t, 1);
	run_for(4 * MS);
	PROBE(u8, dont_idle) = 1;
	call_now(CALL_RESCHED_CPU2, 0, 1, RESCHED_ANY_CLASS, 0);
	assert_ptr_equal(cpu_rq(1)->curr, &t->ts);
	assert_int_equal(run_task(t, 0), -EBUSY);
	assert_ptr_equal(cpu_rq(1)->curr, &t->ts);
	shut_down_ghost();
}

/* An enclave of its own for CPU 1; the task of one is nothing that the other may run. */
static void test_run_gtid_exdev(void **state)
{
	static struct cpumask first = { .bits = { 1 } }, second = { .bits = { 2 } };
	struct ghost_enclave *other;
	struct loader *other_probe;
	struct task *t;
	char *other_globals;

	boot("2");
	make_enclave((struct ghost_config){ .cpus = &second });
	other = enclave, other_probe = probe, other_globals = globals;
	PROBE(u8, hold) = 1;
	start_enclave();
	make_enclave((struct ghost_config){ .cpus = &first });
	start_enclave();
	t = start((struct task_params){ .policy = SCHED_IDLE, .allowed = &second }, 0, 0);
	run_for(MS);
	set_policy(t, SCHED_GHOST, 0);
	run_for(MS);
	assert_ptr_equal(t->ghost.enclave, other);
	assert_int_equal(run_task(t, 0), -EXDEV);
	/* nor are the other's CPUs for this one */
	assert_int_equal(call_now(CALL_WAKE_AGENT, 0, 1, 0, 0), -EXDEV);
	ghost_enclave_close(other);
	facade_munmap(other_globals, globals_size);
	loader_close(other_probe);
	assert_ptr_equal(class_of(&t->ts), &fair_sched_class);
	shut_down_ghost();
}

static void test_run_gtid_einval(void **state)
{
	struct task *t = boot_held("1"), *asleep, *gone;
	s64 gtid;

	assert_int_equal(run_task(t, RTLA_ON_IDLE), -EINVAL);
	assert_int_equal(run_task(t, NEED_CPU_NOT_IDLE), -EINVAL);
	assert_int_equal(run_task(t, DEFER_LATCHED_PREEMPTION_BY_AGENT), -EINVAL);
	assert_int_equal(run_task(t, 1 << 13), -EINVAL);
	/* not runnable */
	PROBE(u8, hold) = 0;
	asleep = start((struct task_params){ 0 }, MS, 1000 * MS);
	fair_job(1000, 1000);
	run_for(4 * MS);
	PROBE(u8, hold) = 1;
	if (asleep->ts.on_rq)
		skip();
	assert_int_equal(run_task(asleep, 0), -EINVAL);
	/* departed */
	gone = hog(0);
	gtid = gtid_of(gone);
	set_policy(gone, SCHED_IDLE, 0);
	assert_int_equal(run_gtid(gtid, 2, 0), -EINVAL);
	shut_down_ghost();
}

/* The flags that a BPF program may use are taken. */
static void test_run_gtid_flags(void **state)
{
	struct task *t = boot_held("1");

	assert_int_equal(run_task(t, RTLA_ON_PREEMPT | RTLA_ON_BLOCKED | RTLA_ON_YIELD |
				     NEED_L1D_FLUSH | ELIDE_PREEMPT | SEND_TASK_ON_CPU |
				     DO_NOT_PREEMPT), 0);
	expect_msg_of(MSG_TASK_ON_CPU, t);
	shut_down_ghost();
}

/* Between inactive and offline the CPU still picks; nothing is latched there. */
static void test_run_gtid_erange(void **state)
{
	struct task *t = boot_held("2");

	cpumask_clear_cpu(0, kernel.active);
	assert_int_equal(run_task(t, 0), -ERANGE);
	cpumask_set_cpu(0, kernel.active);
	assert_int_equal(run_task(t, 0), 0);
	shut_down_ghost();
}

/* In src/bpf/prog.h, whose bpf_prog_load() is not libbpf's. */
struct bpf_prog *bpf_prog_from_fd(int fd);
void bpf_prog_put(struct bpf_prog *prog);

static void run_by_hand(void *arg)
{
	struct bpf_prog *prog = bpf_prog_from_fd(*(int *)arg);
	struct bpf_ghost_sched *ctx = this_ghost()->sched;

	memset(ctx, 0, sizeof(*ctx));
	bpf_prog_run_ctx(prog, ctx);
	bpf_prog_put(prog);
}

/* Run by hand there is no enclave. */
static void test_enodev(void **state)
{
	struct bpf_program *prog;
	int fd;

	boot_ghost("1", quiet);
	PROBE(u8, hold) = 1;
	prog = bpf_object__find_program_by_name(probe->obj, "probe_pnt");
	fd = bpf_program__fd(prog);
	ghost_destroy(enclave);
	for (u32 helper = CALL_WAKE_AGENT; helper <= CALL_RESCHED_CPU2; helper++) {
		ask(helper, 0, 0, 0, RESCHED_ANY_CLASS, 0);
		kernel_run_inside(run_by_hand, &fd);
		assert_int_equal(PROBE(s64, result), -ENODEV);
		assert_int_equal(PROBE(u32, calls), helper);
	}
	shut_down_ghost();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_run_gtid_is_for_pnt),
		cmocka_unit_test(test_attach),
		cmocka_unit_test(test_start_needs_programs),
		cmocka_unit_test(test_lifetimes),
		cmocka_unit_test(test_wake_agent),
		cmocka_unit_test(test_resched_cpu_errors),
		cmocka_unit_test(test_resched_cpu_seqnum),
		cmocka_unit_test(test_resched_cpu2_errors),
		cmocka_unit_test(test_resched_cpu2_classes),
		cmocka_unit_test(test_resched_cpu2_flags),
		cmocka_unit_test(test_run_gtid),
		cmocka_unit_test(test_run_gtid_migrates),
		cmocka_unit_test(test_run_gtid_enoent),
		cmocka_unit_test(test_run_gtid_estale),
		cmocka_unit_test(test_run_gtid_do_not_preempt),
		cmocka_unit_test(test_run_gtid_ebusy),
		cmocka_unit_test(test_run_gtid_exdev),
		cmocka_unit_test(test_run_gtid_einval),
		cmocka_unit_test(test_run_gtid_flags),
		cmocka_unit_test(test_run_gtid_erange),
		cmocka_unit_test(test_enodev),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
