// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fair class on many CPUs: placement, balancing, affinity, different capacities,
 * hotplug, and everything at once.
 */
#include "test_sched_fair.h"

/* --- placement --------------------------------------------------------------------------- */

static void test_wakes_on_idle_sibling(void **state)
{
	struct task *sleeper;

	boot("4");
	for (u32 i = 0; i < 3; i++)
		hog(0);
	sleeper = start((struct task_params){ 0 }, 500 * NSEC_PER_USEC, 5 * MS);
	run_for(5 * NSEC_PER_SEC);
	assert_true(job_of(sleeper)->rounds > 850);
	assert_true(job_of(sleeper)->late_max < 300 * NSEC_PER_USEC);
	shut_down();
}

static void test_hogs_spread(void **state)
{
	struct task *tasks[8];

	boot("4");
	for (u32 i = 0; i < 8; i++)
		tasks[i] = hog(0);
	run_for(10 * NSEC_PER_SEC);
	for (u32 i = 0; i < 8; i++)
		assert_near(task_runtime(tasks[i]), 5 * NSEC_PER_SEC, 300 * MS);
	shut_down();
}

/* 16 hogs on as many CPUs of any shape: one on each, and there they stay. */
static void assert_one_each(const char *spec)
{
	struct task *tasks[16];
	u64 moved = 0;

	boot(spec);
	for (u32 i = 0; i < 16; i++)
		tasks[i] = hog(0);
	run_for(2 * NSEC_PER_SEC);
	for (u32 i = 0; i < 16; i++) {
		assert_true(task_runtime(tasks[i]) > 1900 * MS);
		moved += tasks[i]->ts.se.nr_migrations;
	}
	assert_true(moved < 16);
	shut_down();
}

static void test_one_each(void **state)
{
	assert_one_each("16");
	assert_one_each("2x4x2");
	assert_one_each("2x2x2x2");
}

static void test_cores_before_threads(void **state)
{
	struct task *tasks[4];
	u32 cores = 0;

	boot("1x4x2");
	for (u32 i = 0; i < 4; i++)
		tasks[i] = hog(0);
	run_for(NSEC_PER_SEC);
	for (u32 i = 0; i < 4; i++)
		cores |= 1u << topo_of(tasks[i]->ts.cpu)->core;
	assert_int_equal(cores, 0xf);
	shut_down();
}

static void test_balances_over_nodes(void **state)
{
	struct cpumask mask = { 0 };
	struct task *tasks[8];
	u32 cpus = 0;

	boot("2x2x2x1");
	cpumask_parse_list("0", &mask);
	for (u32 i = 0; i < 8; i++)
		tasks[i] = hog_on("0");
	run_for(100 * MS);
	cpumask_setall(&mask);
	for (u32 i = 0; i < 8; i++)
		set_affinity(tasks[i], &mask);
	run_for(2 * NSEC_PER_SEC);
	for (u32 i = 0; i < 8; i++)
		cpus |= 1u << tasks[i]->ts.cpu;
	assert_int_equal(cpus, 0xff);
	shut_down();
}

static void test_pinned_stay(void **state)
{
	struct task *pinned, *others[6];

	boot("4");
	pinned = hog_on("2");
	for (u32 i = 0; i < 6; i++)
		others[i] = hog_on("2-3");
	run_for(5 * NSEC_PER_SEC);
	assert_int_equal(pinned->ts.cpu, 2);
	assert_int_equal(pinned->ts.se.nr_migrations, 0);
	for (u32 i = 0; i < 6; i++)
		assert_true(others[i]->ts.cpu == 2 || others[i]->ts.cpu == 3);
	shut_down();
}

/* 1 hog that may only run on CPU 0, 3 that may run on 0 and 1: all of both CPUs is used. */
static void test_pinned_imbalance(void **state)
{
	struct task *tasks[4];
	u64 sum = 0;

	boot("2x4");
	tasks[0] = hog_on("0");
	for (u32 i = 1; i < 4; i++)
		tasks[i] = hog_on("0,4");
	run_for(5 * NSEC_PER_SEC);
	for (u32 i = 0; i < 4; i++)
		sum += task_runtime(tasks[i]);
	assert_true(sum > 9900 * MS);
	assert_true(task_runtime(tasks[0]) > NSEC_PER_SEC);
	shut_down();
}

/* A machine that only a file can describe. */
static void boot_json(const char *json)
{
	char path[] = "/tmp/vrt-machine-XXXXXX.json";
	int fd = mkstemps(path, strlen(".json"));

	assert_true(fd >= 0);
	assert_int_equal(write(fd, json, strlen(json)), strlen(json));
	close(fd);
	boot(path);
	unlink(path);
}

static void test_misfit(void **state)
{
	static const char json[] =
		"{ \"nodes\": [ { \"llcs\": [ { \"cores\": ["
		"{ \"count\": 2, \"capacity\": 400 }, { \"count\": 2, \"capacity\": 1024 }"
		"] } ] } ] }";
	struct task *tasks[2];
	struct cpumask mask;

	boot_json(json);
	for (u32 i = 0; i < 2; i++)
		tasks[i] = hog_on(i ? "1" : "0");
	run_for(500 * MS);
	cpumask_setall(&mask);
	for (u32 i = 0; i < 2; i++)
		set_affinity(tasks[i], &mask);
	run_for(NSEC_PER_SEC);
	for (u32 i = 0; i < 2; i++)
		assert_true(topo_of(tasks[i]->ts.cpu)->capacity == 1024);
	shut_down();
}

static void test_misfit_wakeup(void **state)
{
	static const char json[] =
		"{ \"nodes\": [ { \"llcs\": [ { \"cores\": ["
		"{ \"count\": 4, \"capacity\": 300 }, { \"count\": 2, \"capacity\": 1024 }"
		"] } ] } ] }";
	struct task *task;
	u64 before;

	boot_json(json);
	/* 60% of a large CPU: twice what a small one can do */
	task = start((struct task_params){ 0 }, 6 * MS, 4 * MS);
	run_for(NSEC_PER_SEC);
	assert_int_equal(topo_of(task->ts.cpu)->capacity, 1024);
	before = task->ts.se.nr_migrations;
	run_for(NSEC_PER_SEC);
	assert_true(task->ts.se.nr_migrations - before < 5);
	assert_near(task->ts.se.avg.util_avg, 615, 120);
	shut_down();
}

/* Two hogs on the threads of one core: one of them is moved although it runs. */
static void test_leaves_shared_core(void **state)
{
	struct task *a, *b;
	struct cpumask mask;

	boot("1x2x2");
	a = hog_on("0");
	b = hog_on("2");
	run_for(100 * MS);
	assert_int_equal(topo_of(a->ts.cpu)->core, topo_of(b->ts.cpu)->core);
	cpumask_setall(&mask);
	set_affinity(a, &mask);
	set_affinity(b, &mask);
	run_for(2 * NSEC_PER_SEC);
	assert_int_not_equal(topo_of(a->ts.cpu)->core, topo_of(b->ts.cpu)->core);
	assert_true(a->ts.se.nr_migrations + b->ts.se.nr_migrations <= 2);
	shut_down();
}

static void exit_next(struct task *task, struct task_action *action)
{
	struct job *job = task_data(task);

	*action = job->rounds++ ? (struct task_action){ .kind = ACT_EXIT } :
				  (struct task_action){ ACT_COMPUTE, job->work };
}

static const struct task_behaviour exiter = { .next = exit_next, .release = job_release };

static void test_exits(void **state)
{
	u32 before;
	int err;

	boot("2x4");
	before = kernel.nr_tasks;
	for (u32 i = 0; i < 500; i++) {
		struct task_params params = { .comm = "brief" };
		struct job *job = calloc(1, sizeof(*job));

		job->work = 1 + i * 1000;
		task_start(task_create(&params, &exiter, job, &err));
	}
	run_for(NSEC_PER_SEC);
	assert_int_equal(kernel.nr_tasks, before);
	/* nothing of them is left in the averages either */
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		assert_int_equal(cpu_rq(cpu)->nr_running, 0);
		assert_int_equal(cpu_load(cpu).load, 0);
	}
	shut_down();
}

/* --- everything at once ------------------------------------------------------------- */

static void churn(struct task **tasks, u32 nr, u32 rounds)
{
	static const s32 policies[] = { SCHED_NORMAL, SCHED_BATCH, SCHED_IDLE, SCHED_NORMAL };
	struct rng rng;

	rng_init(&rng, 7);
	for (u32 i = 0; i < rounds; i++) {
		struct task *task = tasks[rng_below(&rng, nr)];
		struct cpumask mask = { 0 };

		switch (rng_below(&rng, 4)) {
		case 0:
			set_nice(task, (s32)rng_below(&rng, 40) - 20);
			break;
		case 1:
			cpumask_set_cpu(rng_below(&rng, nr_cpu_ids), &mask);
			cpumask_set_cpu(rng_below(&rng, nr_cpu_ids), &mask);
			set_affinity(task, &mask);
			break;
		case 2:
			cpumask_setall(&mask);
			set_affinity(task, &mask);
			break;
		case 3:
			if (rng_below(&rng, 8))
				set_policy(task, policies[rng_below(&rng, 4)], 0);
			else
				set_policy(task, SCHED_FIFO, 1 + rng_below(&rng, 99));
			break;
		}
		run_for(rng_below(&rng, 5 * MS));
	}
}

static u64 churn_hash(u64 seed)
{
	struct task *tasks[40];
	u64 hash;

	boot_seeded("2x2x2x2", NOISE_HEAVY, seed);
	for (u32 i = 0; i < 40; i++)
		tasks[i] = start((struct task_params){ .nice = (s32)(i % 5) - 2 },
				 i % 4 ? (1 + i) * 50 * NSEC_PER_USEC : 0, (i % 7) * MS / 2);
	churn(tasks, 40, 400);
	hash = trace_hash;
	shut_down();
	return hash;
}

static void test_churn(void **state)
{
	u64 hash = churn_hash(3);

	assert_true(hash == churn_hash(3));
	assert_true(hash != churn_hash(4));
}

static void test_hotplug(void **state)
{
	struct task *tasks[12];
	u64 before[12];

	boot_seeded("2x2x2", NOISE_HEAVY, 1);
	for (u32 i = 0; i < 12; i++)
		tasks[i] = start((struct task_params){ .policy = i == 11 ? SCHED_RR : SCHED_NORMAL,
						       .rt_priority = i == 11 },
				 i % 3 ? 0 : MS, MS);
	run_for(200 * MS);
	for (u32 cpu = 1; cpu < 6; cpu++) {
		assert_int_equal(kernel_cpu_set_online(cpu, false), 0);
		run_for(50 * MS);
	}
	for (u32 i = 0; i < 12; i++) {
		assert_true(cpu_online(tasks[i]->ts.cpu));
		before[i] = task_runtime(tasks[i]);
	}
	run_for(2 * NSEC_PER_SEC);
	/*
	 * Beside the rt task there are 100 ms for fair ones, which two or three may share;
	 * one that sleeps in between ends its turn and waits for the next.
	 */
	for (u32 i = 0; i < 12; i++)
		assert_true(task_runtime(tasks[i]) > before[i] + (i % 3 ? 25 : 10) * MS);
	for (u32 cpu = 1; cpu < 6; cpu++)
		assert_int_equal(kernel_cpu_set_online(cpu, true), 0);
	run_for(2 * NSEC_PER_SEC);
	/* all of them are used again */
	for (u32 cpu = 0; cpu < 8; cpu++)
		assert_true(cpu_load(cpu).util > 200 || kernel.rqs[cpu]->rt_state.running);
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wakes_on_idle_sibling),
		cmocka_unit_test(test_hogs_spread),
		cmocka_unit_test(test_one_each),
		cmocka_unit_test(test_cores_before_threads),
		cmocka_unit_test(test_balances_over_nodes),
		cmocka_unit_test(test_pinned_stay),
		cmocka_unit_test(test_pinned_imbalance),
		cmocka_unit_test(test_misfit),
		cmocka_unit_test(test_misfit_wakeup),
		cmocka_unit_test(test_leaves_shared_core),
		cmocka_unit_test(test_exits),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_hotplug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
