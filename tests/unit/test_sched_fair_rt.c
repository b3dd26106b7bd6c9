// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is above and below the fair class: rt tasks, idle CPUs, and the kernel's noise.
 */
#include "test_sched_fair.h"

/* --- rt --------------------------------------------------------------------------------------- */

static void test_rt_preempts_fair(void **state)
{
	struct task_params rt = { .policy = SCHED_FIFO, .rt_priority = 10 };
	struct task *periodic, *normal;

	boot("1");
	normal = hog(-20);
	periodic = start(rt, MS, 10 * MS);
	run_for(5 * NSEC_PER_SEC);
	assert_true(job_of(periodic)->rounds > 440);
	assert_true(job_of(periodic)->late_max < 20 * NSEC_PER_USEC);
	assert_true(task_runtime(normal) > 4 * NSEC_PER_SEC);
	shut_down();
}

static void test_rt_priorities(void **state)
{
	struct task *high, *low;

	boot("1");
	low = rt_hog(SCHED_FIFO, 1);
	high = rt_hog(SCHED_FIFO, 2);
	run_for(2 * NSEC_PER_SEC);
	assert_true(task_runtime(high) > 1900 * MS);
	assert_true(task_runtime(low) < 10 * MS);
	set_policy(low, SCHED_FIFO, 3);
	run_for(2 * NSEC_PER_SEC);
	assert_true(task_runtime(low) > 1900 * MS);
	shut_down();
}

static void test_rt_round_robin(void **state)
{
	struct task *a, *b;

	boot("1");
	a = rt_hog(SCHED_RR, 5);
	b = rt_hog(SCHED_RR, 5);
	run_for(10 * NSEC_PER_SEC);
	assert_near(task_runtime(a), task_runtime(b), 120 * MS);
	assert_true(kernel_context_switches() < 200);
	shut_down();
}

static void test_rt_leaves_fair_some(void **state)
{
	struct task *rt, *normal;

	boot("1");
	normal = hog(0);
	rt = rt_hog(SCHED_FIFO, 50);
	run_for(20 * NSEC_PER_SEC);
	assert_near(task_runtime(normal), NSEC_PER_SEC, 150 * MS);
	assert_true(task_runtime(rt) > 18 * NSEC_PER_SEC);
	shut_down();
}

/* What rt takes of a CPU is missing there: fair tasks share what is left elsewhere. */
static void test_fair_avoids_rt(void **state)
{
	struct task *rt, *tasks[6];
	struct cpumask mask = { 0 };
	u64 sum = 0;

	boot("4");
	cpumask_set_cpu(0, &mask);
	rt = start((struct task_params){ .policy = SCHED_FIFO, .rt_priority = 1,
					 .allowed = &mask }, 0, 0);
	for (u32 i = 0; i < 6; i++)
		tasks[i] = hog(0);
	run_for(10 * NSEC_PER_SEC);
	assert_true(task_runtime(rt) > 9500 * MS);
	for (u32 i = 0; i < 6; i++) {
		assert_near(task_runtime(tasks[i]), 5 * NSEC_PER_SEC, 800 * MS);
		sum += task_runtime(tasks[i]);
	}
	assert_true(sum > 29500 * MS);
	shut_down();
}

static void test_rt_spreads(void **state)
{
	struct task *tasks[5], *last;

	boot("4");
	for (u32 i = 0; i < 4; i++)
		tasks[i] = rt_hog(SCHED_FIFO, 10 + i);
	run_for(2 * NSEC_PER_SEC);
	for (u32 i = 0; i < 4; i++)
		assert_true(task_runtime(tasks[i]) > 1900 * MS);
	/* the least important one gives way to a fifth, wherever it was */
	last = rt_hog(SCHED_FIFO, 20);
	run_for(2 * NSEC_PER_SEC);
	assert_true(task_runtime(last) > 1900 * MS);
	assert_true(task_runtime(tasks[0]) < 2100 * MS);
	shut_down();
}

static void test_rt_push_and_pull(void **state)
{
	struct task_params rt = { .policy = SCHED_FIFO, .rt_priority = 10 };
	struct task *tasks[6];

	boot("4");
	for (u32 i = 0; i < 6; i++)
		tasks[i] = start(rt, 3 * MS, 3 * MS);
	run_for(4 * NSEC_PER_SEC);
	/* 6 tasks that want half a CPU each share 4 CPUs: nobody waits for long */
	for (u32 i = 0; i < 6; i++) {
		assert_true(job_of(tasks[i])->rounds > 500);
		assert_true(job_of(tasks[i])->late_max < 4 * MS);
	}
	shut_down();
}

/* --- idle and noise ------------------------------------------------------------ */

static void test_noise(void **state)
{
	u64 events[3];

	for (u32 level = 0; level < 3; level++) {
		boot_seeded("8", level, 1);
		events[level] = sim_clock.fired;
		run_for(10 * NSEC_PER_SEC);
		events[level] = sim_clock.fired - events[level];
		shut_down();
	}
	assert_true(events[NOISE_NONE] < 100);
	/* about 2 and 20 per second and CPU, each a few events */
	assert_true(events[NOISE_LIGHT] > 160 && events[NOISE_LIGHT] < 1600);
	assert_true(events[NOISE_HEAVY] > 1600 && events[NOISE_HEAVY] < 16000);
}

static void test_idle_machine_sleeps(void **state)
{
	struct cpu_times times;

	boot("4");
	run_for(NSEC_PER_SEC);
	for (u32 cpu = 0; cpu < 4; cpu++) {
		kernel_cpu_times(cpu, &times);
		assert_true(times.idle > 995 * MS);
	}
	shut_down();
}

/* Long idle times end in the deep state, short ones in the shallow one. */
static void test_idle_states(void **state)
{
	static const struct {
		u64 sleep, late_min, late_max;
	} cases[] = {
		{ 20 * MS, 133000, 137000 },
		{ 200 * NSEC_PER_USEC, 1000, 5000 },
		{ 1000, 0, 1500 }, /* still polling */
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct task *task;
		const struct job *job;
		u64 mean;

		boot("1");
		task = start((struct task_params){ 0 }, 20 * NSEC_PER_USEC, cases[i].sleep);
		run_for(4 * NSEC_PER_SEC);
		job = job_of(task);
		mean = job->late_sum / job->rounds;
		if (mean < cases[i].late_min || mean > cases[i].late_max)
			fail_msg("sleeps of %llu ns end %llu ns late", cases[i].sleep, mean);
		shut_down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rt_preempts_fair),
		cmocka_unit_test(test_rt_priorities),
		cmocka_unit_test(test_rt_round_robin),
		cmocka_unit_test(test_rt_leaves_fair_some),
		cmocka_unit_test(test_fair_avoids_rt),
		cmocka_unit_test(test_rt_spreads),
		cmocka_unit_test(test_rt_push_and_pull),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_idle_machine_sleeps),
		cmocka_unit_test(test_idle_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
