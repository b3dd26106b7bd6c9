// SPDX-License-Identifier: GPL-2.0-only
/*
 * Periodic programs as tasks: when they run, what they get of the CPU, who runs
 * in the middle of them, and how they end.
 */
#include "test_sched_periodic.h"

/* --- time ------------------------------------------------------------------------- */

static void test_period(void **state)
{
	const struct periodic_stats *s;
	struct loader *l;

	boot_slow("2");
	l = attach(SIMPLE, "loops=100");
	run_for(NSEC_PER_SEC);
	s = stats_of(0);
	assert_string_equal(s->name, "p");
	assert_string_equal(s->cgroup, "/");
	assert_true(s->attached);
	assert_near(s->runs, 1000, 1);
	assert_int_equal(s->missed, 0);
	assert_int_equal(s->wakeup.count, s->runs);
	/* out of a deep idle state at worst */
	assert_true(s->wakeup.max < 150 * US);
	assert_int_equal(value(l, "begun"), s->runs);
	assert_int_equal(value(l, "off_phase"), 0);
	assert_int_equal(value(l, "last_due") - value(l, "first_due"), (s->runs - 1) * MS);
	assert_string_equal(task_comm(thread_of(0)), "bpf/p");
	assert_true(thread_of(0)->ts.sched_class == &fair_sched_class.id);
	loader_close(l);
	shut_down();
}

/* Runs of two and a half periods: two in three are left out, and the phase stays. */
static void test_missed(void **state)
{
	const char *set = loops_for(250 * US, "p.period_ns=100000");
	const struct periodic_stats *s;
	struct loader *l;

	boot_slow("1");
	l = attach(SIMPLE, set);
	run_for(300 * MS);
	s = stats_of(0);
	assert_near(s->runs, 1000, 2);
	assert_near(s->missed, 2000, 4);
	assert_near(value(l, "seen_missed"), s->missed, 2);
	assert_int_equal(value(l, "off_phase"), 0);
	assert_near(s->run_time.min, 250 * US, 5 * US);
	loader_close(l);
	shut_down();
}

/* --- the CPU ----------------------------------------------------------------------- */

/* It computes for ever beside a hog: 110 to 1024. */
static void test_nice(void **state)
{
	const char *set = loops_for(20 * MS, "p.period_ns=10000 p.nice=10");
	struct task *other;
	struct loader *l;
	u64 mine;

	boot_slow("1");
	other = hog(0);
	l = attach(SIMPLE, set);
	mine = task_runtime(other);
	run_for(20 * NSEC_PER_SEC);
	mine = task_runtime(other) - mine;
	assert_int_equal(stats_of(0)->nice, 10);
	assert_near(stats_of(0)->runtime, mine * 110 / 1024, mine * 110 / 1024 / 20);
	/* and after renice by the user: 15 to 1024 */
	set_nice(thread_of(0), 19);
	mine = stats_of(0)->runtime;
	run_for(20 * NSEC_PER_SEC);
	assert_near(stats_of(0)->runtime - mine, 20 * NSEC_PER_SEC * 15 / 1039, 50 * MS);
	assert_int_equal(stats_of(0)->nice, 19);
	loader_close(l);
	shut_down();
}

/* What the program computes is its thread's time, not overhead of the scheduler. */
static void test_time_is_the_threads(void **state)
{
	const char *set = loops_for(2 * MS, "p.period_ns=4000000");
	struct cpu_times before, after;
	struct loader *l;

	boot_slow("1");
	l = attach(SIMPLE, set);
	kernel_cpu_times(0, &before);
	run_for(400 * MS);
	kernel_cpu_times(0, &after);
	assert_near(after.busy - before.busy, 200 * MS, 3 * MS);
	assert_near(stats_of(0)->runtime, 200 * MS, 5 * MS);
	/* ways out of idle states, wakeups and switches */
	assert_true(after.overhead - before.overhead <
		    100 * (cost_defaults.idle_exit_deep + 5 * US));
	loader_close(l);
	shut_down();
}

/* It wants all of the CPU and gets a tenth, beside a hog and on a CPU that has nothing else. */
static void check_quota(bool beside)
{
	const char *set = loops_for(30 * MS, "p.cpu_quota_us=10000 p.cpu_period_us=100000");
	u64 runtime, throttled;
	struct loader *l;

	boot_slow("1");
	if (beside)
		hog(0);
	l = attach(SIMPLE, set);
	run_for(NSEC_PER_SEC);
	runtime = stats_of(0)->runtime;
	throttled = stats_of(0)->throttled;
	run_for(5 * NSEC_PER_SEC);
	assert_near(stats_of(0)->runtime - runtime, 500 * MS, 5 * MS);
	/* of the runs that have ended: the last one takes up to three periods */
	assert_true(stats_of(0)->throttled - throttled > (beside ? 3 : 4) * NSEC_PER_SEC);
	assert_true(stats_of(0)->throttled - throttled < 5 * NSEC_PER_SEC);
	loader_close(l);
	shut_down();
}

static void test_quota(void **state)
{
	check_quota(false);
	check_quota(true);
}

/* Half of its quota is enough: nothing is held up. */
static void test_quota_suffices(void **state)
{
	const char *set = loops_for(500 * US, "p.period_ns=10000000 p.cpu_quota_us=10000 p.cpu_period_us=100000");
	struct loader *l;

	boot_slow("1");
	l = attach(SIMPLE, set);
	run_for(NSEC_PER_SEC);
	assert_near(stats_of(0)->runs, 100, 1);
	assert_int_equal(stats_of(0)->throttled, 0);
	assert_true(stats_of(0)->wakeup.max < 200 * US);
	loader_close(l);
	shut_down();
}

static struct task *periodic_job(s32 policy, u64 work, u64 sleep)
{
	struct task_params params = {
		.policy = policy, .rt_priority = policy == SCHED_FIFO ? 50 : 0,
	};

	return start(params, work, sleep);
}

/* In the middle of a run of 50 ms others run many times. */
static void test_preempted(void **state)
{
	const char *set = loops_for(50 * MS, "p.period_ns=100000000");
	struct task *fair, *rt;
	struct loader *l;

	boot_slow("1");
	l = attach(SIMPLE, set);
	rt = periodic_job(SCHED_FIFO, 20 * US, MS);
	fair = periodic_job(SCHED_NORMAL, 200 * US, 5 * MS);
	run_for(NSEC_PER_SEC);
	assert_near(stats_of(0)->runs, 10, 1);
	/* time on the CPU, without that of the others */
	assert_near(stats_of(0)->run_time.min, 50 * MS, MS);
	assert_near(stats_of(0)->run_time.max, 50 * MS, MS);
	assert_true(job_of(rt)->rounds > 900);
	assert_true(job_of(rt)->late_max < 150 * US); /* idle at times */
	assert_true(job_of(fair)->rounds > 150);
	/* the end of a slice at the next tick */
	assert_true(job_of(fair)->late_max < 9 * MS);
	loader_close(l);
	shut_down();
}

/* While it runs, the CPU looks at its interrupts every microsecond or so. */
static void test_interrupt_latency(void **state)
{
	const char *set = loops_for(500 * MS, "p.period_ns=1000000000");
	struct loader *l;
	struct task *rt;

	boot_slow("1");
	l = attach(SIMPLE, set);
	run_for(NSEC_PER_SEC + 10 * MS);
	rt = periodic_job(SCHED_FIFO, 20 * US, MS);
	run_for(400 * MS);
	assert_int_equal(value(l, "begun"), 1);
	assert_int_equal(value(l, "ended"), 0);
	assert_true(job_of(rt)->rounds > 380);
	/* a quantum, the interrupt, the wakeup and the switch */
	assert_true(job_of(rt)->late_max < 5 * US);
	loader_close(l);
	shut_down();
}

/* bpf_preempt_disable() means it. */
static void test_preempt_disable(void **state)
{
	const char *set = loops_for(3 * MS, "p.period_ns=10000000");
	struct loader *l;
	struct task *rt;

	boot_slow("1");
	l = attach(PREAMBLE
		   "SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	bpf_preempt_disable();\n"
		   "	compute();\n"
		   "	bpf_preempt_enable();\n"
		   "	return 0;\n"
		   "}\n" TABLE("p", ""), set);
	rt = periodic_job(SCHED_FIFO, 20 * US, 500 * US);
	run_for(NSEC_PER_SEC);
	assert_true(job_of(rt)->late_max > 2 * MS && job_of(rt)->late_max < 4 * MS);
	loader_close(l);
	shut_down();
}

/* With a lock held, too; and the lock works when somebody is preempted beside it. */
static void test_spin_lock(void **state)
{
	const char *set = loops_for(3 * MS, "p.period_ns=10000000");
	struct loader *l;
	struct task *rt;

	boot_slow("1");
	l = attach(PREAMBLE
		   "struct value { struct bpf_spin_lock lock; u64 n; };\n"
		   "struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1);\n"
		   "	__type(key, u32); __type(value, struct value); } locked SEC(\".maps\");\n"
		   "SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	u32 zero = 0;\n"
		   "	struct value *v = bpf_map_lookup_elem(&locked, &zero);\n"
		   "	if (!v)\n"
		   "		return 0;\n"
		   "	bpf_spin_lock(&v->lock);\n"
		   "	compute();\n"
		   "	v->n++;\n"
		   "	bpf_spin_unlock(&v->lock);\n"
		   "	compute();\n"
		   "	return 0;\n"
		   "}\n" TABLE("p", "") TABLE("q", ""), set);
	rt = periodic_job(SCHED_FIFO, 20 * US, 500 * US);
	run_for(NSEC_PER_SEC);
	assert_true(job_of(rt)->late_max > 2 * MS && job_of(rt)->late_max < 4 * MS);
	assert_true(stats_of(0)->runs > 50 && stats_of(1)->runs > 50);
	loader_close(l);
	shut_down();
}

/* A run stays on its CPU; the next one follows a change of affinity. */
static void test_affinity(void **state)
{
	const char *set = loops_for(50 * MS, "p.period_ns=100000000");
	struct cpumask mask = { 0 };
	struct loader *l;

	boot_slow("2");
	l = attach(PREAMBLE
		   "u64 moved, cpu;\n"
		   "SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	cpu = bpf_get_smp_processor_id();\n"
		   "	note(c);\n"
		   "	compute();\n"
		   "	moved += cpu != bpf_get_smp_processor_id();\n"
		   "	ended++;\n"
		   "	return 0;\n"
		   "}\n" TABLE("p", ""), set);
	run_for(110 * MS);
	assert_int_equal(value(l, "begun"), 1);
	cpumask_set_cpu(!value(l, "cpu"), &mask);
	set_affinity(thread_of(0), &mask);
	run_for(10 * MS);
	assert_int_equal(value(l, "ended"), 0);
	assert_int_equal(thread_of(0)->ts.cpu, value(l, "cpu"));
	run_for(90 * MS);
	assert_int_equal(value(l, "begun"), 2);
	assert_true(cpumask_test_cpu(value(l, "cpu"), &mask));
	/* preempted, while the other CPU has nothing to do: it is not taken away */
	cpumask_setall(&mask);
	set_affinity(thread_of(0), &mask);
	cpumask_clear(&mask);
	cpumask_set_cpu(value(l, "cpu"), &mask);
	start((struct task_params){ .allowed = &mask }, 0, 0);
	run_for(NSEC_PER_SEC);
	assert_true(value(l, "ended") > 5);
	assert_int_equal(value(l, "moved"), 0);
	loader_close(l);
	shut_down();
}

/* Only when its CPU goes offline does a run go on elsewhere. */
static void test_offline(void **state)
{
	const char *set = loops_for(50 * MS, "p.period_ns=100000000");
	struct loader *l;

	boot_slow("2");
	hog_on("0");
	l = attach(SIMPLE, set);
	run_for(120 * MS);
	assert_int_equal(value(l, "begun"), 1);
	assert_int_equal(thread_of(0)->ts.cpu, 1);
	assert_int_equal(kernel_cpu_set_online(1, false), 0);
	run_for(MS);
	assert_int_equal(thread_of(0)->ts.cpu, 0);
	run_for(75 * MS);
	assert_int_equal(value(l, "ended"), 1);
	assert_near(stats_of(0)->run_time.max, 50 * MS, MS);
	assert_int_equal(kernel_cpu_set_online(1, true), 0);
	run_for(500 * MS);
	assert_true(value(l, "ended") > 4);
	loader_close(l);
	shut_down();
}

/* Two programs share a CPU with a third task: three times a third. */
static void test_two_programs(void **state)
{
	const char *set = loops_for(30 * MS, "p.period_ns=1000000 q.period_ns=1500000");
	struct loader *l;

	boot_slow("1");
	hog(0);
	l = attach(PREAMBLE RUN TABLE("p", "") TABLE("q", ""), set);
	run_for(10 * NSEC_PER_SEC);
	assert_string_equal(stats_of(0)->name, "p");
	assert_string_equal(stats_of(1)->name, "q");
	assert_null(kernel_periodic_stats(2));
	assert_near(stats_of(0)->runtime, 10 * NSEC_PER_SEC / 3, 150 * MS);
	assert_near(stats_of(1)->runtime, 10 * NSEC_PER_SEC / 3, 150 * MS);
	loader_close(l);
	shut_down();
}

/* A small CPU takes longer for it, as for any task. */
static void test_capacity(void **state)
{
	const char *set = loops_for(2 * MS, "p.period_ns=10000000");
	struct loader *l;
	u64 alone;

	boot_slow("1x2"); /* two threads of a core */
	l = attach(SIMPLE, set);
	run_for(100 * MS);
	alone = stats_of(0)->run_time.max;
	assert_near(alone, 2 * MS, 20 * US);
	loader_close(l);
	hog(0);
	l = attach(SIMPLE, set);
	run_for(100 * MS);
	assert_near(stats_of(1)->run_time.min, alone * 1024 / cost_defaults.smt_share, 100 * US);
	loader_close(l);
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_period),
		cmocka_unit_test(test_missed),
		cmocka_unit_test(test_nice),
		cmocka_unit_test(test_time_is_the_threads),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_quota_suffices),
		cmocka_unit_test(test_preempted),
		cmocka_unit_test(test_interrupt_latency),
		cmocka_unit_test(test_preempt_disable),
		cmocka_unit_test(test_spin_lock),
		cmocka_unit_test(test_affinity),
		cmocka_unit_test(test_offline),
		cmocka_unit_test(test_two_programs),
		cmocka_unit_test(test_capacity),
	};

	return cmocka_run_group_tests(tests, periodic_setup, periodic_teardown);
}
