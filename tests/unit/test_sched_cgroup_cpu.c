// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cpu controller in the fair class: shares of groups on one CPU and on many,
 * quotas, and what happens to tasks that are throttled.
 */
#include "test_sched_fair.h"

#include "../../src/sched/cgroup/cgroup.h"

static struct cgroup *make(const char *path, u32 weight)
{
	struct cgroup *cgrp;
	int err;

	cgrp = cgroup_make_path(path, &err);
	if (!cgrp)
		fail_msg("%s: %s", path, strerror(-err));
	if (weight)
		assert_int_equal(cgroup_set_weight(cgrp, weight), 0);
	return cgrp;
}

static struct task *into(struct cgroup *cgrp, struct task *task)
{
	assert_int_equal(cgroup_attach_task(cgrp, task), 0);
	return task;
}

static void set_max(struct cgroup *cgrp, u64 quota_ms, u64 period_ms)
{
	assert_int_equal(cgroup_set_max(cgrp, quota_ms ? quota_ms * MS : CGROUP_NO_QUOTA,
					period_ms * MS), 0);
}

static u64 usage(struct cgroup *cgrp)
{
	struct cgroup_cpu_stat stat;

	cgroup_cpu_stat(cgrp, &stat);
	return stat.usage;
}

/* What the groups use within @ns from now on. */
static void measure(struct cgroup **groups, u64 *used, u32 nr, u64 ns)
{
	for (u32 i = 0; i < nr; i++)
		used[i] = usage(groups[i]);
	run_for(ns);
	for (u32 i = 0; i < nr; i++)
		used[i] = usage(groups[i]) - used[i];
}

/* --- shares ----------------------------------------------------------------------- */

static void test_one_to_three(void **state)
{
	struct cgroup *groups[2];
	u64 used[2];

	boot("1");
	groups[0] = make("/light", 100);
	groups[1] = make("/heavy", 300);
	/* the number of tasks does not matter */
	for (u32 i = 0; i < 3; i++)
		into(groups[0], hog(0));
	into(groups[1], hog(0));
	run_for(NSEC_PER_SEC);
	measure(groups, used, 2, 10 * NSEC_PER_SEC);
	print_message("100:300 on one CPU: %llu.%03llu : %llu.%03llu s\n", used[0] / NSEC_PER_SEC,
		      used[0] / MS % 1000, used[1] / NSEC_PER_SEC, used[1] / MS % 1000);
	assert_near(used[1], 3 * used[0], used[1] / 100);
	shut_down();
}

/* Tasks in the root compete with groups as equals of their own weight. */
static void test_beside_root_tasks(void **state)
{
	struct cgroup *a;
	struct task *outside;
	u64 before, used;

	boot("1");
	a = make("/a", 200);
	into(a, hog(0));
	into(a, hog(0));
	outside = hog(0);
	run_for(NSEC_PER_SEC);
	before = task_runtime(outside);
	measure(&a, &used, 1, 6 * NSEC_PER_SEC);
	assert_near(used, 2 * (task_runtime(outside) - before), used / 100);
	shut_down();
}

static void test_nested(void **state)
{
	struct cgroup *groups[4];
	u64 used[4];

	boot("1");
	groups[0] = make("/a", 100);
	groups[1] = make("/b", 100);
	groups[2] = make("/a/x", 100);
	groups[3] = make("/a/y/z", 0);
	assert_int_equal(cgroup_set_weight(cgroup_find("/a/y"), 400), 0);
	into(groups[1], hog(0));
	into(groups[2], hog(0));
	into(groups[3], hog(0));
	into(groups[3], hog(5));
	run_for(NSEC_PER_SEC);
	measure(groups, used, 4, 10 * NSEC_PER_SEC);
	assert_near(used[0], used[1], used[1] / 100);
	assert_near(used[3], 4 * used[2], used[3] / 100);
	shut_down();
}

static void test_weight_changes(void **state)
{
	struct cgroup *groups[2];
	u64 used[2];

	boot("1");
	groups[0] = make("/a", 100);
	groups[1] = make("/b", 100);
	into(groups[0], hog(0));
	into(groups[1], hog(0));
	measure(groups, used, 2, 5 * NSEC_PER_SEC);
	assert_near(used[0], used[1], used[0] / 100 + 5 * MS);
	assert_int_equal(cgroup_set_weight(groups[1], 1000), 0);
	measure(groups, used, 2, 11 * NSEC_PER_SEC);
	assert_near(used[1], 10 * used[0], used[1] / 100);
	assert_int_equal(cgroup_set_weight(groups[1], 1), 0);
	measure(groups, used, 2, 20 * NSEC_PER_SEC);
	/* 1024 : 10 */
	assert_near(used[1], used[0] / 102, used[0] / 1000);
	shut_down();
}

/* Four tasks each on four CPUs: the share holds over all of them. */
static void test_four_cpus(void **state)
{
	struct cgroup *groups[2];
	u64 used[2];

	boot("4");
	groups[0] = make("/light", 100);
	groups[1] = make("/heavy", 300);
	for (u32 i = 0; i < 4; i++) {
		into(groups[0], hog(0));
		into(groups[1], hog(0));
	}
	run_for(2 * NSEC_PER_SEC);
	measure(groups, used, 2, 10 * NSEC_PER_SEC);
	print_message("100:300 on four CPUs: %llu.%03llu : %llu.%03llu s\n",
		      used[0] / NSEC_PER_SEC, used[0] / MS % 1000, used[1] / NSEC_PER_SEC,
		      used[1] / MS % 1000);
	assert_near(used[0] + used[1], 40 * NSEC_PER_SEC, 400 * MS);
	assert_near(used[1], 3 * used[0], used[1] / 20);
	shut_down();
}

/* One task against many: of one CPU it gets nearly all its group's share. */
static void test_uneven_cpus(void **state)
{
	struct cgroup *groups[2];
	struct task *single;
	u64 used[2], before;

	boot("2");
	groups[0] = make("/single", 100);
	groups[1] = make("/many", 100);
	single = into(groups[0], hog(0));
	for (u32 i = 0; i < 8; i++)
		into(groups[1], hog(0));
	run_for(2 * NSEC_PER_SEC);
	before = task_runtime(single);
	measure(groups, used, 2, 10 * NSEC_PER_SEC);
	print_message("one task against eight on two CPUs: %llu%% of a CPU\n",
		      (task_runtime(single) - before) * 100 / (10 * NSEC_PER_SEC));
	/* as much as a task can have, or near: half of the machine is one CPU */
	assert_true(used[0] > 6 * NSEC_PER_SEC);
	shut_down();
}

static void test_sleeper_in_group(void **state)
{
	struct cgroup *a, *b;
	struct task *sleeper;

	boot("1");
	a = make("/a", 100);
	b = make("/b/c", 100);
	into(a, hog(0));
	into(a, hog(0));
	sleeper = into(b, start((struct task_params){ .slice = MS / 10 }, 20 * NSEC_PER_USEC,
				10 * MS));
	run_for(10 * NSEC_PER_SEC);
	/* its short slice is its groups': it preempts across the hierarchy */
	assert_true(job_of(sleeper)->rounds > 900);
	assert_true(job_of(sleeper)->late_sum / job_of(sleeper)->rounds < 150 * NSEC_PER_USEC);
	shut_down();
}

static void test_moving(void **state)
{
	struct cgroup *groups[2];
	struct task *running, *queued, *sleeping;
	u64 used[2];

	boot("1");
	groups[0] = make("/a", 100);
	groups[1] = make("/b/c", 100);
	running = hog(0);
	queued = hog(0);
	sleeping = start((struct task_params){ 0 }, 100 * NSEC_PER_USEC, 20 * MS);
	for (u32 round = 0; round < 50; round++) {
		into(groups[round % 2], running);
		into(groups[round / 2 % 2], queued);
		into(round % 3 ? groups[round % 2] : cgroup_find("/"), sleeping);
		run_for(7 * MS);
	}
	into(groups[0], running);
	into(groups[1], queued);
	measure(groups, used, 2, 5 * NSEC_PER_SEC);
	assert_near(used[0], used[1], used[0] / 50);
	assert_true(job_of(sleeping)->rounds > 200);
	shut_down();
}

/* --- quotas --------------------------------------------------------------------------- */

/* Percent of a CPU, in thousandths, that @tasks spinning tasks get with that quota. */
static u64 quota_share(const char *machine, u32 tasks, u64 quota_ms, u64 period_ms, u64 seconds)
{
	struct cgroup_cpu_stat stat;
	struct cgroup *a;
	u64 used, share;

	boot(machine);
	a = make("/a", 0);
	set_max(a, quota_ms, period_ms);
	for (u32 i = 0; i < tasks; i++)
		into(a, hog(0));
	run_for(NSEC_PER_SEC);
	measure(&a, &used, 1, seconds * NSEC_PER_SEC);
	cgroup_cpu_stat(a, &stat);
	share = used * 100000 / (seconds * NSEC_PER_SEC);
	print_message("%llu ms per %llu ms, %u tasks on %s: %llu.%03llu%% over %llu s, "
		      "%llu of %llu periods throttled for %llu ms\n", quota_ms, period_ms, tasks,
		      machine, share / 1000, share % 1000, seconds, stat.nr_throttled,
		      stat.nr_periods, stat.throttled / MS);
	assert_near(stat.nr_periods, (seconds + 1) * 1000 / period_ms, 1);
	/*
	 * The end of a quota is noticed at a tick: one of two ticks may be noticed at the
	 * third, and what was too much is missing in the next period.
	 */
	assert_true(stat.nr_throttled * 2 + 1 >= stat.nr_periods);
	shut_down();
	return share;
}

static void test_quota(void **state)
{
	/* within one percent of a CPU over a second, and of the quota over ten */
	assert_near(quota_share("1", 1, 10, 100, 1), 10000, 1000);
	assert_near(quota_share("1", 1, 10, 100, 10), 10000, 100);
	assert_near(quota_share("1", 3, 10, 100, 10), 10000, 100);
	assert_near(quota_share("1", 1, 1, 100, 1), 1000, 1000);
	assert_near(quota_share("1", 1, 1, 100, 20), 1000, 25);
	assert_near(quota_share("1", 2, 500, 1000, 10), 50000, 500);
	assert_near(quota_share("1", 1, 2, 4, 10), 50000, 500);
}

static void test_shared_pool(void **state)
{
	assert_near(quota_share("4", 4, 50, 100, 1), 50000, 2000);
	assert_near(quota_share("4", 4, 50, 100, 10), 50000, 500);
	assert_near(quota_share("4", 8, 200, 100, 10), 200000, 2000);
}

static void test_nested_quotas(void **state)
{
	struct cgroup *groups[3];
	u64 used[3];

	boot("2");
	groups[0] = make("/a", 0);
	groups[1] = make("/a/b", 0);
	groups[2] = make("/a/c", 0);
	set_max(groups[0], 40, 100);
	set_max(groups[1], 10, 50);
	into(groups[1], hog(0));
	into(groups[1], hog(0));
	into(groups[2], hog(0));
	run_for(NSEC_PER_SEC);
	measure(groups, used, 3, 10 * NSEC_PER_SEC);
	assert_near(used[0], 4 * NSEC_PER_SEC, 40 * MS);
	assert_true(used[1] < 2 * NSEC_PER_SEC + 20 * MS);
	assert_near(used[1] + used[2], used[0], 1);
	/* the inner limit off: half of the outer one for each */
	set_max(groups[1], 0, 100);
	run_for(NSEC_PER_SEC);
	measure(groups, used, 3, 10 * NSEC_PER_SEC);
	assert_near(used[0], 4 * NSEC_PER_SEC, 40 * MS);
	shut_down();
}

/* A quota that is never used up costs nothing, and its timer stops. */
static void test_enough(void **state)
{
	struct cgroup_cpu_stat stat, later;
	struct task *sleeper;
	struct cgroup *a;

	boot("2");
	a = make("/a", 0);
	set_max(a, 50, 100);
	sleeper = into(a, start((struct task_params){ 0 }, MS, 10 * MS));
	run_for(2 * NSEC_PER_SEC);
	cgroup_cpu_stat(a, &stat);
	assert_true(stat.nr_periods >= 19);
	assert_int_equal(stat.nr_throttled, 0);
	assert_int_equal(stat.throttled, 0);
	assert_true(job_of(sleeper)->rounds > 170);
	into(cgroup_find("/"), sleeper);
	run_for(NSEC_PER_SEC);
	cgroup_cpu_stat(a, &stat);
	run_for(NSEC_PER_SEC);
	cgroup_cpu_stat(a, &later);
	assert_int_equal(later.nr_periods, stat.nr_periods);
	shut_down();
}

/* The rest of the machine is not held up by who is throttled. */
static void test_others_run(void **state)
{
	struct cgroup *a;
	struct task *other;
	u64 before, used;

	boot("1");
	a = make("/a", 10000);
	set_max(a, 20, 100);
	into(a, hog(0));
	other = hog(19);
	run_for(NSEC_PER_SEC);
	before = task_runtime(other);
	measure(&a, &used, 1, 10 * NSEC_PER_SEC);
	assert_near(used, 2 * NSEC_PER_SEC, 20 * MS);
	assert_near(task_runtime(other) - before, 8 * NSEC_PER_SEC, 100 * MS);
	shut_down();
}

/* --- throttled tasks -------------------------------------------------------------------- */

/* A group that is throttled for the next 90 ms or more. */
static struct cgroup *boot_throttled(const char *machine, struct task **task)
{
	struct cgroup *a;

	boot(machine);
	a = make("/a", 0);
	set_max(a, 1, 1000);
	*task = into(a, hog_on("0"));
	run_for(300 * MS);
	assert_true(fair_task_throttled(&(*task)->ts));
	assert_int_equal(cpu_rq((*task)->ts.cpu)->nr_running, 0);
	return a;
}

static void test_unthrottled_by_setting(void **state)
{
	struct cgroup_cpu_stat stat;
	struct task *task;
	struct cgroup *a = boot_throttled("2", &task);
	u64 before = task_runtime(task);

	set_max(a, 0, 100);
	run_for(100 * MS);
	assert_near(task_runtime(task) - before, 100 * MS, TICK_NSEC);
	cgroup_cpu_stat(a, &stat);
	assert_true(stat.throttled > 250 * MS);
	shut_down();
}

static void test_move_out_throttled(void **state)
{
	struct task *task;
	struct cgroup *a = boot_throttled("2", &task);
	u64 before = task_runtime(task);

	into(cgroup_find("/"), task);
	run_for(100 * MS);
	assert_near(task_runtime(task) - before, 100 * MS, TICK_NSEC);
	/* and back in, while it runs: it has to go at once */
	into(a, task);
	before = task_runtime(task);
	run_for(100 * MS);
	assert_true(task_runtime(task) - before < MS);
	into(cgroup_find("/"), task);
	assert_int_equal(cgroup_remove(a), 0);
	run_for(2 * NSEC_PER_SEC);
	shut_down();
}

static void test_attributes_while_throttled(void **state)
{
	struct cpumask mask = { 0 };
	struct task *task;
	struct cgroup *a = boot_throttled("2", &task);
	u64 before;

	set_nice(task, 5);
	check_books();
	cpumask_set_cpu(1, &mask);
	set_affinity(task, &mask);
	check_books();
	/* quotas are the fair class's: as an rt task it runs */
	before = task_runtime(task);
	set_policy(task, SCHED_FIFO, 1);
	run_for(100 * MS);
	assert_true(task_runtime(task) - before > 95 * MS);
	set_policy(task, SCHED_NORMAL, 0);
	run_for(10 * MS);
	before = usage(a);
	run_for(4 * NSEC_PER_SEC);
	assert_near(usage(a) - before, 4 * MS, TICK_NSEC);
	shut_down();
}

struct exit_after {
	u64 work;
};

static void work_and_exit(struct task *task, struct task_action *action)
{
	struct exit_after *left = task_data(task);

	*action = left->work ? (struct task_action){ ACT_COMPUTE, left->work } :
			       (struct task_action){ .kind = ACT_EXIT };
	left->work = 0;
}

static void exit_release(struct task *task)
{
	free(task_data(task));
}

static const struct task_behaviour mortal = { .next = work_and_exit, .release = exit_release };

/* Tasks that reach their end about when the runtime does. */
static void test_exit_throttled(void **state)
{
	struct task_params params = { .comm = "mortal" };
	struct cgroup *a;
	int err;

	boot("2");
	a = make("/a/b", 0);
	set_max(cgroup_find("/a"), 5, 20);
	for (u32 i = 0; i < 40; i++) {
		struct exit_after *data = calloc(1, sizeof(*data));
		struct task *task;

		data->work = 4 * MS + i * 50 * NSEC_PER_USEC;
		task = task_create(&params, &mortal, data, &err);
		assert_int_equal(cgroup_attach_task(a, task), 0);
		task_start(task);
	}
	for (u32 i = 0; i < 150; i++)
		run_for(10 * MS);
	assert_near(usage(a), 40 * 5 * MS, 10 * MS);
	assert_int_equal(a->nr_populated_csets, 0);
	assert_int_equal(cgroup_remove(a), 0);
	run_for(100 * MS);
	shut_down();
}

static void test_hotplug(void **state)
{
	struct cgroup_cpu_stat stat;
	struct task *tasks[4];
	struct cgroup *a;
	u64 used, before;

	boot("4");
	a = make("/a/b", 0);
	set_max(cgroup_find("/a"), 40, 400);
	for (u32 i = 0; i < 4; i++)
		tasks[i] = into(a, hog(0));
	run_for(1350 * MS);
	for (u32 i = 0; i < 4; i++)
		assert_true(fair_task_throttled(&tasks[i]->ts));
	assert_int_equal(kernel_cpu_set_online(2, false), 0);
	check_books();
	for (u32 i = 0; i < 4; i++)
		assert_int_not_equal(tasks[i]->ts.cpu, 2);
	run_for(NSEC_PER_SEC);
	before = usage(a);
	run_for(4 * NSEC_PER_SEC);
	used = usage(a) - before;
	assert_near(used, 400 * MS, 20 * MS);
	assert_int_equal(kernel_cpu_set_online(2, true), 0);
	run_for(NSEC_PER_SEC);
	measure(&a, &used, 1, 4 * NSEC_PER_SEC);
	assert_near(used, 400 * MS, 20 * MS);
	cgroup_cpu_stat(cgroup_find("/a"), &stat);
	assert_true(stat.nr_throttled > 20);
	shut_down();
}

/* --- everything at once ------------------------------------------------------------------ */

static u64 churn(u64 seed)
{
	static const char *const paths[] = { "/", "/a", "/a/b", "/c", "/a/d", "/c/e/f" };
	struct cgroup *groups[ARRAY_SIZE(paths)];
	struct task *tasks[24];
	struct rng rng;
	int err;

	boot_seeded("2x4x2", NOISE_HEAVY, seed);
	workload_rng(&rng, "churn", seed);
	for (u32 i = 0; i < ARRAY_SIZE(paths); i++)
		groups[i] = cgroup_make_path(paths[i], &err);
	for (u32 i = 0; i < ARRAY_SIZE(tasks); i++) {
		u64 work = (1 + rng_below(&rng, 3000)) * NSEC_PER_USEC;

		tasks[i] = start((struct task_params){ .nice = (s32)rng_below(&rng, 10) - 5 },
				 i % 3 ? work : 0, work);
	}
	for (u32 step = 0; step < 400; step++) {
		struct cgroup *group = groups[rng_below(&rng, ARRAY_SIZE(groups))];
		struct task *task = tasks[rng_below(&rng, ARRAY_SIZE(tasks))];
		u64 quota = (1 + rng_below(&rng, 30)) * MS;

		switch (rng_below(&rng, 8)) {
		case 0:
			if (group->level)
				cgroup_set_weight(group, 1 + rng_below(&rng, 1000));
			break;
		case 1:
			if (group->level)
				cgroup_set_max(group, quota, (10 + rng_below(&rng, 90)) * MS);
			break;
		case 2:
			if (group->level)
				cgroup_set_max(group, CGROUP_NO_QUOTA, 100 * MS);
			break;
		case 3:
			set_nice(task, (s32)rng_below(&rng, 10) - 5);
			break;
		case 4:
			set_policy(task, rng_below(&rng, 4) ? SCHED_NORMAL : SCHED_IDLE, 0);
			break;
		case 5:
			kernel_cpu_set_online(1 + rng_below(&rng, 15), rng_below(&rng, 2));
			break;
		default:
			into(group, task);
		}
		run_for(rng_below(&rng, 8) * MS);
	}
	shut_down();
	return trace_hash;
}

static void test_churn(void **state)
{
	for (u64 seed = 1; seed <= 5; seed++)
		churn(seed);
}

static void test_deterministic(void **state)
{
	u64 hash = churn(7);

	assert_true(churn(7) == hash);
	assert_true(churn(8) != hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_to_three),
		cmocka_unit_test(test_beside_root_tasks),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_weight_changes),
		cmocka_unit_test(test_four_cpus),
		cmocka_unit_test(test_uneven_cpus),
		cmocka_unit_test(test_sleeper_in_group),
		cmocka_unit_test(test_moving),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_shared_pool),
		cmocka_unit_test(test_nested_quotas),
		cmocka_unit_test(test_enough),
		cmocka_unit_test(test_others_run),
		cmocka_unit_test(test_unthrottled_by_setting),
		cmocka_unit_test(test_move_out_throttled),
		cmocka_unit_test(test_attributes_while_throttled),
		cmocka_unit_test(test_exit_throttled),
		cmocka_unit_test(test_hotplug),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_deterministic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
