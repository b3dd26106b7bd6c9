// SPDX-License-Identifier: GPL-2.0-only
/*
 * ghOSt as a scheduler: tasks run as its programs say and only then, and every
 * message is told with its payload and barrier.
 */
#include "test_sched_ghost.h"

static void test_runs_tasks(void **state)
{
	struct task *a, *b;

	boot_ghost("2", (struct ghost_config){ 0 });
	PROBE(u32, kick_cpus) = 2;
	a = hog(0);
	b = start((struct task_params){ 0 }, MS, MS);
	run_for(20 * MS);
	assert_ptr_equal(class_of(&a->ts), &ghost_sched_class);
	assert_true(task_runtime(a) > 18 * MS);
	assert_true(job_of(b)->rounds >= 9);
	assert_true(job_of(b)->late_max < 200 * NSEC_PER_USEC);
	assert_true(stats_now().latched > 9);
	shut_down_ghost();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_tasks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
