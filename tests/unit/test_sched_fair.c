// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fair class on one queue: who gets how much, how soon, and how busy that makes it.
 */
#include "test_sched_fair.h"

/* --- shares on one CPU ------------------------------------------------------------ */

static void test_weights(void **state)
{
	struct task *heavy, *light;

	boot("1");
	heavy = hog(0);
	light = hog(5);
	run_for(20 * NSEC_PER_SEC);
	/* 1024 : 335 */
	assert_near(task_runtime(heavy) * 335 / 1024, task_runtime(light),
		    task_runtime(light) / 100);
	assert_near(task_runtime(heavy) + task_runtime(light), 20 * NSEC_PER_SEC, 200 * MS);
	shut_down();
}

static void test_many_weights(void **state)
{
	static const s32 nices[] = { -10, -3, 0, 4, 19 };
	struct task *tasks[ARRAY_SIZE(nices)];
	u64 total = 0, weights = 0;

	boot("1");
	for (u32 i = 0; i < ARRAY_SIZE(nices); i++) {
		tasks[i] = hog(nices[i]);
		weights += sched_prio_to_weight[nices[i] + 20];
	}
	run_for(60 * NSEC_PER_SEC);
	for (u32 i = 0; i < ARRAY_SIZE(nices); i++)
		total += task_runtime(tasks[i]);
	for (u32 i = 0; i < ARRAY_SIZE(nices); i++) {
		u64 fair = total * sched_prio_to_weight[nices[i] + 20] / weights;

		assert_near(task_runtime(tasks[i]), fair, fair / 50 + 10 * MS);
	}
	shut_down();
}

static void test_renice(void **state)
{
	struct task *a, *b;
	u64 a_before, b_before;

	boot("1");
	a = hog(0);
	b = hog(0);
	run_for(5 * NSEC_PER_SEC);
	assert_near(task_runtime(a), task_runtime(b), 20 * MS);
	set_nice(b, 5);
	a_before = task_runtime(a);
	b_before = task_runtime(b);
	run_for(10 * NSEC_PER_SEC);
	assert_near((task_runtime(a) - a_before) * 335 / 1024, task_runtime(b) - b_before,
		    30 * MS);
	shut_down();
}

static void test_idle_policy(void **state)
{
	struct task *normal, *idle;

	boot("1");
	normal = hog(0);
	idle = start((struct task_params){ .policy = SCHED_IDLE }, 0, 0);
	run_for(20 * NSEC_PER_SEC);
	/* 1024 : 3 */
	assert_near(task_runtime(idle), 20 * NSEC_PER_SEC * 3 / 1027, 15 * MS);
	assert_true(task_runtime(normal) > 19 * NSEC_PER_SEC);
	/* the weight follows the policy */
	set_policy(idle, SCHED_NORMAL, 0);
	set_policy(normal, SCHED_IDLE, 0);
	run_for(20 * NSEC_PER_SEC);
	assert_true(task_runtime(idle) > 19 * NSEC_PER_SEC);
	shut_down();
}

static void test_custom_slice(void **state)
{
	struct task *a, *b;
	u64 switches;

	boot("1");
	a = start((struct task_params){ .slice = 40 * MS }, 0, 0);
	b = start((struct task_params){ .slice = 40 * MS }, 0, 0);
	run_for(10 * NSEC_PER_SEC);
	switches = kernel_context_switches();
	assert_near(task_runtime(a), task_runtime(b), 60 * MS);
	/* one per 40 ms, and not one per tick */
	assert_true(switches > 200 && switches < 350);
	shut_down();
}

static void yield_next(struct task *task, struct task_action *action)
{
	struct job *job = task_data(task);

	*action = ++job->rounds % 2 ? (struct task_action){ ACT_COMPUTE, 100 * NSEC_PER_USEC } :
				      (struct task_action){ .kind = ACT_YIELD };
}

static const struct task_behaviour yielder = { .next = yield_next, .release = job_release };

static void test_yield(void **state)
{
	struct task_params params = { .comm = "yielder" };
	struct task *polite, *other;
	int err;

	boot("1");
	other = hog(0);
	polite = task_create(&params, &yielder, calloc(1, sizeof(struct job)), &err);
	task_start(polite);
	run_for(2 * NSEC_PER_SEC);
	/* it gives away the rest of every slice, but is never starved */
	assert_true(task_runtime(polite) < 500 * MS);
	assert_true(task_runtime(polite) > 20 * MS);
	assert_true(task_runtime(other) > 1400 * MS);
	shut_down();
}

/* --- latency ------------------------------------------------------------------------- */

static void test_sleeper(void **state)
{
	struct task *sleeper;

	boot("1");
	hog(0);
	hog(0);
	sleeper = start((struct task_params){ 0 }, 100 * NSEC_PER_USEC, 10 * MS);
	run_for(10 * NSEC_PER_SEC);
	assert_true(job_of(sleeper)->rounds > 600);
	/* a running task keeps its slice, and the tick ends it */
	assert_true(job_of(sleeper)->late_max < 10 * MS);
	assert_true(job_of(sleeper)->late_sum / job_of(sleeper)->rounds < 4 * MS);
	shut_down();
}

static void test_short_slice(void **state)
{
	struct task *sleeper;

	boot("1");
	hog(0);
	hog(0);
	sleeper = start((struct task_params){ .slice = MS / 10 }, 20 * NSEC_PER_USEC, 10 * MS);
	run_for(10 * NSEC_PER_SEC);
	/* it preempts: PREEMPT_SHORT */
	assert_true(job_of(sleeper)->rounds > 900);
	assert_true(job_of(sleeper)->late_sum / job_of(sleeper)->rounds < 100 * NSEC_PER_USEC);
	shut_down();
}

static void test_sleeper_beats_idle_policy(void **state)
{
	struct task *sleeper;

	boot("1");
	start((struct task_params){ .policy = SCHED_IDLE }, 0, 0);
	sleeper = start((struct task_params){ 0 }, 100 * NSEC_PER_USEC, 10 * MS);
	run_for(5 * NSEC_PER_SEC);
	assert_true(job_of(sleeper)->late_max < 50 * NSEC_PER_USEC);
	shut_down();
}

/* --- averages ------------------------------------------------------------------------------ */

static void test_util(void **state)
{
	struct task *full, *half;

	boot("2");
	full = hog_on("0");
	half = start((struct task_params){ 0 }, 5 * MS, 5 * MS);
	run_for(NSEC_PER_SEC);
	assert_near(full->ts.se.avg.util_avg, 1024, 10);
	assert_near(full->ts.se.avg.load_avg, 1024, 10);
	assert_near(half->ts.se.avg.util_avg, 512, 90);
	assert_near(cpu_rq(full->ts.cpu)->cfs.avg.util_avg, 1024, 10);
	shut_down();
}

static void test_util_rises(void **state)
{
	struct task *task;

	boot("1");
	run_for(NSEC_PER_SEC); /* until what ran at boot is forgotten */
	/* begins with a half of what the CPU has left, and halves the gap every half-life */
	task = hog(0);
	assert_near(task->ts.se.avg.util_avg, 512, 5);
	run_for(32 * (1ULL << 20));
	assert_near(task->ts.se.avg.util_avg, 768, 35);
	run_for(32 * (1ULL << 20));
	assert_near(task->ts.se.avg.util_avg, 896, 20);
	shut_down();
}

/* The audit of the queue sees what it is there to see. */
static void test_check(void **state)
{
	struct cfs_rq *cfs_rq;
	struct rb_node *node;
	struct rq *rq;

	boot("1");
	for (s32 nice = -2; nice <= 2; nice++)
		hog(nice);
	run_for(100 * MS);
	rq = cpu_rq(0);
	cfs_rq = &rq->cfs;
	assert_null(fair_check(rq));
	cfs_rq->avg_vruntime++;
	assert_non_null(fair_check(rq));
	cfs_rq->avg_vruntime--;
	cfs_rq->nr_running++;
	assert_non_null(fair_check(rq));
	cfs_rq->nr_running--;
	node = rb_last(&cfs_rq->tasks_timeline.rb_root);
	rb_entry(node, struct sched_entity, run_node)->min_vruntime++;
	assert_non_null(fair_check(rq));
	rb_entry(node, struct sched_entity, run_node)->min_vruntime--;
	rb_entry(node, struct sched_entity, run_node)->deadline -= NSEC_PER_SEC;
	assert_non_null(fair_check(rq));
	rb_entry(node, struct sched_entity, run_node)->deadline += NSEC_PER_SEC;
	cfs_rq->h_nr_delayed++;
	assert_non_null(fair_check(rq));
	cfs_rq->h_nr_delayed--;
	assert_null(fair_check(rq));
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_many_weights),
		cmocka_unit_test(test_renice),
		cmocka_unit_test(test_idle_policy),
		cmocka_unit_test(test_custom_slice),
		cmocka_unit_test(test_yield),
		cmocka_unit_test(test_sleeper),
		cmocka_unit_test(test_short_slice),
		cmocka_unit_test(test_sleeper_beats_idle_policy),
		cmocka_unit_test(test_util),
		cmocka_unit_test(test_util_rises),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
