// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do no harm: however an enclave ends, all of its tasks go on under fair at once,
 * the reason is recorded, and the machine is as if it had never been there. And
 * who may be in an enclave: CPUs, tasks, and how many.
 */
#include "test_sched_ghost.h"

static const struct ghost_config quiet;

static void assert_all_fair(void)
{
	struct task *t;

	list_for_each_entry(t, &kernel.tasks, all) {
		/* the agents are on their way out */
		if (is_ghost(&t->ts) || (t->ghost.enclave && !is_agent(&t->ts)))
			fail_msg("%s is in ghOSt still", t->ts.comm);
	}
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		assert_null(ghost_of(cpu_rq(cpu))->enclave);
		assert_null(ghost_of(cpu_rq(cpu))->agent);
		assert_int_equal(ghost_of(cpu_rq(cpu))->nr_running, 0);
	}
}

static void assert_ended(enum ghost_exit_kind kind, const char *reason)
{
	const struct ghost_exit_record *r = ghost_exit(enclave);

	assert_false(r->active);
	assert_int_equal(r->kind, kind);
	assert_string_equal(r->reason, reason);
	assert_all_fair();
	assert_int_equal(stats_now().nr_tasks, 0);
}

/* --- told to end ------------------------------------------------------------------- */

static struct task *hogs[4];

/* Two that run, two that wait, one that sleeps. */
static struct task *boot_busy(struct ghost_config config)
{
	struct task *sleeper;

	boot_ghost("2", config);
	PROBE(u32, kick_cpus) = 2;
	for (u32 i = 0; i < 4; i++)
		hogs[i] = start((struct task_params){ .policy = i % 2 ? SCHED_BATCH : SCHED_NORMAL },
				0, 0);
	sleeper = start((struct task_params){ 0 }, MS, 5 * MS);
	run_for(10 * MS);
	assert_true(ghost_exit(enclave)->active);
	assert_int_equal(ghost_exit(enclave)->kind, GHOST_EXIT_NONE);
	assert_int_equal(stats_now().nr_tasks, 5);
	return sleeper;
}

static void assert_tasks_go_on(struct task *sleeper)
{
	u64 before[4];
	u32 rounds = job_of(sleeper)->rounds;

	for (u32 i = 0; i < 4; i++) {
		before[i] = task_runtime(hogs[i]);
		assert_int_equal(hogs[i]->ts.policy, i % 2 ? SCHED_BATCH : SCHED_NORMAL);
	}
	run_for(40 * MS);
	for (u32 i = 0; i < 4; i++)
		assert_true(task_runtime(hogs[i]) - before[i] > 5 * MS);
	assert_true(job_of(sleeper)->rounds > rounds + 2);
}

static void test_kill_agent(void **state)
{
	struct task *sleeper = boot_busy(quiet);
	u64 picks;

	ghost_kill_agent(enclave);
	/* at once: not a moment later */
	assert_ended(GHOST_EXIT_AGENT, "the agent is gone");
	assert_near(ghost_exit(enclave)->time, kernel_now(), 200 * NSEC_PER_USEC);
	assert_null(enclave->pnt);
	assert_null(enclave->msg);
	picks = PROBE(u64, picks);
	assert_tasks_go_on(sleeper);
	assert_int_equal(PROBE(u64, picks), picks);
	/* the first reason stays */
	ghost_destroy(enclave);
	assert_ended(GHOST_EXIT_AGENT, "the agent is gone");
	/* links go later, and that harms nobody */
	loader_detach(probe);
	run_for(MS);
	shut_down_ghost();
}

static void test_destroy(void **state)
{
	struct task *sleeper = boot_busy(quiet);

	ghost_destroy(enclave);
	ghost_destroy(enclave);
	assert_ended(GHOST_EXIT_DESTROYED, "destroyed");
	assert_tasks_go_on(sleeper);
	shut_down_ghost();
}

static void test_close(void **state)
{
	struct task *sleeper = boot_busy(quiet);

	ghost_enclave_close(enclave);
	assert_all_fair();
	assert_tasks_go_on(sleeper);
	facade_munmap(globals, globals_size);
	loader_close(probe);
	shut_down();
}

static void test_detach(void **state)
{
	struct task *sleeper = boot_busy(quiet);

	loader_detach(probe);
	assert_ended(GHOST_EXIT_AGENT, "program detached");
	assert_tasks_go_on(sleeper);
	shut_down_ghost();
}

/* The agents exit with their enclave, and its CPUs are free for another one. */
static void test_next_enclave(void **state)
{
	char err[256];
	struct ghost_config config = quiet;
	struct ghost_enclave *old;
	struct loader *old_probe;
	u32 tasks;

	boot_busy(quiet);
	tasks = kernel.nr_tasks;
	assert_null(ghost_enclave_create(&config, err, sizeof(err)));
	assert_string_equal(err, "CPU 0 is in enclave 0 already");
	ghost_destroy(enclave);
	run_for(MS);
	assert_int_equal(kernel.nr_tasks, tasks - 2);
	facade_munmap(globals, globals_size);
	old = enclave, old_probe = probe;
	make_enclave((struct ghost_config){ .take_all = true });
	PROBE(u32, kick_cpus) = 2;
	start_enclave();
	run_for(10 * MS);
	assert_int_equal(stats_now().nr_tasks, 5);
	assert_true(stats_now().latched >= 2);
	loader_close(old_probe);
	ghost_enclave_close(old);
	run_for(MS);
	assert_true(ghost_exit(enclave)->active);
	shut_down_ghost();
}

/* At many moments, whatever the machine is in the middle of. */
static void test_ends_at_any_moment(void **state)
{
	for (u32 round = 0; round < 60; round++) {
		boot_ghost("2x2", (struct ghost_config){ .deliver_ticks = true });
		PROBE(u32, kick_cpus) = 4;
		PROBE(u8, dont_idle) = round % 2;
		for (u32 i = 0; i < 6; i++)
			start((struct task_params){ 0 }, (10 + i) * NSEC_PER_USEC,
			      (7 + i) * NSEC_PER_USEC);
		hog(0);
		fair_job(20 * NSEC_PER_USEC, 30 * NSEC_PER_USEC);
		kernel_run_until(kernel_now() + 200 * NSEC_PER_USEC + round * 137);
		ghost_destroy(enclave);
		assert_ended(GHOST_EXIT_DESTROYED, "destroyed");
		run_for(5 * MS);
		shut_down_ghost();
	}
}

/* --- tasks that nobody runs ---------------------------------------------------------- */

static void test_lost_tasks(void **state)
{
	struct task *t;
	u64 since;

	boot_ghost("1", (struct ghost_config){ .runnable_timeout = 20 * MS });
	run_for(MS);
	PROBE(u8, forget) = 1;
	since = kernel_now();
	t = hog(0);
	run_for(40 * MS);
	assert_ended(GHOST_EXIT_STALL, "runnable task stall");
	assert_non_null(strstr(ghost_exit(enclave)->message, "hog["));
	assert_non_null(strstr(ghost_exit(enclave)->message, " was runnable for 0.02"));
	assert_near(ghost_exit(enclave)->time - since, 22 * MS, 4 * MS);
	assert_true(task_runtime(t) > 10 * MS);
	shut_down_ghost();
}

/* Being moved or changed, or latched and unlatched, is not being run. */
static void test_stall_counts_from_the_wakeup(void **state)
{
	struct task *t;

	boot_ghost("2", (struct ghost_config){ .runnable_timeout = 20 * MS });
	run_for(MS);
	PROBE(u8, forget) = 1;
	t = hog(0);
	for (u32 i = 0; i < 12; i++) {
		struct cpumask mask = { .bits = { i % 2 ? 1 : 2 } };

		run_for(2 * MS);
		set_nice(t, (s32)i);
		set_affinity(t, &mask);
	}
	run_for(5 * MS);
	assert_ended(GHOST_EXIT_STALL, "runnable task stall");
	shut_down_ghost();
}

static void test_no_stall(void **state)
{
	boot_ghost("1", (struct ghost_config){ .runnable_timeout = 10 * MS });
	start((struct task_params){ 0 }, MS, 50 * MS);
	hog(0);
	run_for(5 * MS);
	/* whoever runs does not wait, however long */
	run_for(40 * MS);
	assert_true(ghost_exit(enclave)->active);
	shut_down_ghost();

	boot_ghost("1", quiet);
	PROBE(u8, forget) = 1;
	hog(0);
	run_for(200 * MS);
	assert_true(ghost_exit(enclave)->active);
	shut_down_ghost();
}

/* --- programs that are stopped ----------------------------------------------------------- */

static void check_fault(u32 fault, const char *program)
{
	struct task *sleeper = boot_busy(quiet);

	PROBE(u32, fault_in) = fault;
	/* somebody must make a CPU pick */
	fair_job(MS, MS);
	run_for(10 * MS);
	assert_ended(GHOST_EXIT_FAULT, "program fault");
	if (!strstr(ghost_exit(enclave)->message, program))
		fail_msg("\"%s\" does not name %s", ghost_exit(enclave)->message, program);
	assert_tasks_go_on(sleeper);
	shut_down_ghost();
}

static void test_faults(void **state)
{
	check_fault(1, "program probe_pnt: ");
	check_fault(2, "program probe_msg: ");
}

/* A fault is a matter of the enclave that the program is attached to. */
static void test_fault_ends_one_enclave(void **state)
{
	static struct cpumask first = { .bits = { 1 } }, second = { .bits = { 2 } };
	struct ghost_enclave *other;
	struct loader *other_probe;
	char *other_globals;

	boot("2");
	make_enclave((struct ghost_config){ .cpus = &second });
	start_enclave();
	other = enclave, other_probe = probe, other_globals = globals;
	make_enclave((struct ghost_config){ .cpus = &first });
	start_enclave();
	run_for(MS);
	PROBE(u32, fault_in) = 1;
	hog_on("0");
	hog_on("1");
	run_for(10 * MS);
	assert_int_equal(ghost_exit(enclave)->kind, GHOST_EXIT_FAULT);
	assert_true(ghost_exit(other)->active);
	ghost_enclave_close(other);
	facade_munmap(other_globals, globals_size);
	loader_close(other_probe);
	shut_down_ghost();
}

/* --- CPUs --------------------------------------------------------------------------------- */

static void test_hotplug(void **state)
{
	struct task *t, *other;

	boot_ghost("2", (struct ghost_config){ .deliver_cpu_availability = true });
	run_for(MS);
	PROBE(u32, kick_cpus) = 2;
	t = hog(0);
	other = hog(0);
	run_for(10 * MS);
	assert_true(t->ts.on_cpu && other->ts.on_cpu);
	forget_msgs();
	assert_int_equal(kernel_cpu_set_online(1, false), 0);
	run_for(2 * MS);
	expect_msg_of_cpu(MSG_CPU_BUSY, 1);
	assert_false(find_msg(MSG_CPU_AVAILABLE) && msg.cpu_available.cpu == 1);
	assert_int_equal(t->ts.cpu, 0);
	assert_int_equal(other->ts.cpu, 0);
	assert_true(ghost_exit(enclave)->active);
	forget_msgs();
	assert_int_equal(kernel_cpu_set_online(1, true), 0);
	run_for(10 * MS);
	expect_msg_of_cpu(MSG_CPU_AVAILABLE, 1);
	assert_true(t->ts.on_cpu && other->ts.on_cpu);
	shut_down_ghost();
}

static void test_hotplug_and_end(void **state)
{
	struct task *sleeper = boot_busy(quiet);

	assert_int_equal(kernel_cpu_set_online(1, false), 0);
	run_for(MS);
	ghost_destroy(enclave);
	assert_ended(GHOST_EXIT_DESTROYED, "destroyed");
	assert_int_equal(kernel_cpu_set_online(1, true), 0);
	assert_tasks_go_on(sleeper);
	shut_down_ghost();
}

static void test_cpus_of_an_enclave(void **state)
{
	struct cpumask none = { 0 }, beyond = { .bits = { 0x21 } };
	struct ghost_config config = { .cpus = &none };
	char err[256];

	boot("4");
	assert_null(ghost_enclave_create(&config, err, sizeof(err)));
	assert_string_equal(err, "an enclave needs at least one CPU of this machine (0-3)");
	config.cpus = &beyond;
	assert_null(ghost_enclave_create(&config, err, sizeof(err)));
	assert_string_equal(err, "there is no CPU 5 on this machine (0-3)");
	assert_int_equal(kernel_cpu_set_online(2, false), 0);
	config.cpus = NULL;
	assert_null(ghost_enclave_create(&config, err, sizeof(err)));
	assert_string_equal(err, "CPU 2 is offline");
	shut_down();
}

/* --- tasks -------------------------------------------------------------------------------- */

static int set_policy_of(struct task *t, s32 policy, u32 rt_priority)
{
	struct syscall_args args = { .task = t, .value = policy, .rt_priority = rt_priority };

	kernel_run_inside(do_set_policy, &args);
	return args.err;
}

static void test_who_may_enter(void **state)
{
	struct task *t;

	boot("1");
	t = hog(0);
	assert_int_equal(set_policy_of(t, SCHED_GHOST, 0), -EBADF);
	make_enclave(quiet);
	assert_int_equal(set_policy_of(t, SCHED_GHOST, 0), -EBADF);
	start_enclave();
	assert_int_equal(set_policy_of(t, SCHED_GHOST, 1), -EINVAL);
	assert_int_equal(set_policy_of(t, SCHED_GHOST, 0), 0);
	/* again is nothing new */
	assert_int_equal(set_policy_of(t, SCHED_GHOST, 0), 0);
	assert_int_equal(stats_now().nr_tasks, 1);
	assert_int_equal(set_policy_of(task_of(cpu_rq(0)->stop), SCHED_GHOST, 0), -EPERM);
	assert_int_equal(set_policy_of(task_of(ghost_of(cpu_rq(0))->agent), SCHED_NORMAL, 0),
			 -EPERM);
	/* out by becoming a real-time task, and in again from there */
	assert_int_equal(set_policy_of(t, SCHED_FIFO, 5), 0);
	assert_int_equal(stats_now().nr_tasks, 0);
	assert_int_equal(set_policy_of(t, SCHED_GHOST, 0), 0);
	run_for(MS);
	ghost_destroy(enclave);
	assert_int_equal(t->ts.policy, SCHED_NORMAL);
	assert_int_equal(set_policy_of(t, SCHED_GHOST, 0), -EBADF);
	shut_down_ghost();
}

static void test_forks(void **state)
{
	struct task *parent, *child;

	boot("1");
	make_enclave(quiet);
	start_enclave();
	parent = hog(0);
	child = start((struct task_params){ .parent = parent }, 0, 0);
	assert_null(child->ghost.enclave);
	assert_int_equal(set_policy_of(parent, SCHED_GHOST, 0), 0);
	child = start((struct task_params){ .parent = parent }, 0, 0);
	assert_ptr_equal(child->ghost.enclave, enclave);
	/* only what a fork would inherit */
	child = start((struct task_params){ .parent = parent, .policy = SCHED_FIFO,
					    .rt_priority = 1 }, MS, MS);
	assert_null(child->ghost.enclave);
	ghost_destroy(enclave);
	child = start((struct task_params){ .parent = parent }, 0, 0);
	assert_ptr_equal(class_of(&child->ts), &fair_sched_class);
	run_for(5 * MS);
	shut_down_ghost();
}

static void test_out_of_status_words(void **state)
{
	struct task *in[2], *out;

	boot_ghost("1", (struct ghost_config){ .status_words = 3 });
	in[0] = hog(0);
	in[1] = hog(0);
	out = hog(0);
	assert_ptr_equal(class_of(&in[1]->ts), &ghost_sched_class);
	assert_ptr_equal(class_of(&out->ts), &fair_sched_class);
	run_for(10 * MS);
	assert_true(task_runtime(out) > 5 * MS);
	assert_int_equal(stats_now().nr_refused, 1);
	assert_int_equal(set_policy_of(out, SCHED_GHOST, 0), -ENOSPC);
	assert_int_equal(stats_now().nr_refused, 2);
	assert_int_equal(set_policy_of(in[0], SCHED_NORMAL, 0), 0);
	assert_int_equal(set_policy_of(out, SCHED_GHOST, 0), 0);
	shut_down_ghost();

	boot("2");
	{
		struct ghost_config config = { .status_words = 1 };
		char err[256];

		assert_null(ghost_enclave_create(&config, err, sizeof(err)));
		assert_non_null(strstr(err, "fewer status words than CPUs"));
		run_for(MS);
		config.status_words = 65537;
		assert_null(ghost_enclave_create(&config, err, sizeof(err)));
		assert_string_equal(err, "an enclave has at most 65536 status words, not 65537");
	}
	shut_down();
}

/* --- the rest of the machine ------------------------------------------------------------------ */

/* A program that does its worst, and a fair task that notices nothing. */
static void test_nobody_else_is_held_up(void **state)
{
	struct task *fair;

	boot_ghost("1", (struct ghost_config){ .deliver_ticks = true });
	PROBE(u8, dont_idle) = 1;
	PROBE(u8, must_resched) = 1;
	PROBE(u8, latch_anyway) = 1;
	PROBE(u32, kick_cpus) = 1;
	hog(0);
	hog(0);
	fair = fair_job(MS, MS);
	run_for(100 * MS);
	assert_true(job_of(fair)->late_max < 50 * NSEC_PER_USEC);
	assert_true(job_of(fair)->rounds >= 48);
	shut_down_ghost();
}

static u64 hash_of_a_run(u64 seed)
{
	boot_seeded("2x2", NOISE_LIGHT, seed);
	make_enclave((struct ghost_config){ .take_all = true, .deliver_ticks = true });
	PROBE(u32, kick_cpus) = 4;
	start_enclave();
	for (u32 i = 0; i < 10; i++)
		start((struct task_params){ 0 }, (i + 1) * 50 * NSEC_PER_USEC,
		      (10 - i) * 30 * NSEC_PER_USEC);
	run_for(30 * MS);
	ghost_kill_agent(enclave);
	run_for(5 * MS);
	shut_down_ghost();
	return trace_hash;
}

static void test_deterministic(void **state)
{
	u64 hash = hash_of_a_run(7);

	assert_true(hash == hash_of_a_run(7));
	assert_true(hash != hash_of_a_run(8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill_agent),
		cmocka_unit_test(test_destroy),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_detach),
		cmocka_unit_test(test_next_enclave),
		cmocka_unit_test(test_ends_at_any_moment),
		cmocka_unit_test(test_lost_tasks),
		cmocka_unit_test(test_stall_counts_from_the_wakeup),
		cmocka_unit_test(test_no_stall),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_fault_ends_one_enclave),
		cmocka_unit_test(test_hotplug),
		cmocka_unit_test(test_hotplug_and_end),
		cmocka_unit_test(test_cpus_of_an_enclave),
		cmocka_unit_test(test_who_may_enter),
		cmocka_unit_test(test_forks),
		cmocka_unit_test(test_out_of_status_words),
		cmocka_unit_test(test_nobody_else_is_held_up),
		cmocka_unit_test(test_deterministic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
