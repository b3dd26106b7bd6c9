// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a BPF scheduler is told of control groups: cgroup_probe.bpf.c checks that it
 * fits together, here it is checked that it is all.
 */
#include "test_sched_fair.h"

#include "../../src/loader/internal.h"
#include "../../src/sched/cgroup/cgroup.h"

static struct loader *probe;

static s64 value(const char *name)
{
	s64 v;

	assert_int_equal(loader_read_var(probe, name, &v), 0);
	return v;
}

static void set_value(const char *name, s64 v)
{
	assert_int_equal(loader_set_var(probe, name, v), 0);
}

static void attach(void)
{
	struct loader_error error = { 0 };
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 32);

	assert_true(len > 0);
	path[len] = '\0';
	strcpy(strrchr(path, '/') + 1, "cgroup_probe.bpf.o");
	probe = loader_open(path, NULL, NULL, NULL, &error);
	if (!probe || loader_load(probe, &error) || loader_attach(probe, &error))
		fail_msg("%s\n%s", error.message, error.log ? error.log : "");
	assert_true(kernel_scx_exit()->attached);
}

static void assert_no_contradiction(void)
{
	assert_int_equal(value("bad_order"), 0);
	assert_int_equal(value("bad_group"), 0);
	assert_int_equal(value("bad_task"), 0);
	assert_int_equal(value("bad_move"), 0);
	assert_true(kernel_scx_exit()->attached);
}

static void detach(void)
{
	assert_no_contradiction();
	loader_detach(probe);
	assert_int_equal(value("groups"), 0);
	assert_int_equal(value("tasks"), 0);
	assert_int_equal(value("bad_order"), 0);
	loader_close(probe);
}

static struct cgroup *make(const char *path)
{
	struct cgroup *cgrp;
	int err;

	cgrp = cgroup_make_path(path, &err);
	assert_non_null(cgrp);
	return cgrp;
}

/* Groups and tasks from before the scheduler came, and some that come and go later. */
static void test_groups(void **state)
{
	struct task *task;
	struct cgroup *d;

	boot("2");
	make("/a/b/c");
	d = make("/d");
	assert_int_equal(cgroup_set_weight(d, 700), 0);
	task = hog_on("0");
	hog_on("0");
	assert_int_equal(cgroup_attach_task(make("/a/b"), task), 0);
	attach();
	assert_int_equal(value("groups"), 5);
	run_for(100 * MS);
	assert_true(value("entered") > 0);
	make("/d/e/f");
	assert_int_equal(value("groups"), 7);
	assert_int_equal(cgroup_remove(make("/d/e/f")), 0);
	assert_int_equal(value("groups"), 6);
	run_for(100 * MS);
	detach();
	run_for(100 * MS);
	assert_near(task_runtime(task), 150 * MS, 25 * MS);
	shut_down();
}

static void test_refused_group(void **state)
{
	int err;

	boot("2");
	attach();
	set_value("refuse_weight", CGROUP_WEIGHT_DFL);
	assert_null(cgroup_make_path("/a", &err));
	assert_int_equal(err, -ENOMEM);
	assert_null(cgroup_find("/a"));
	assert_int_equal(value("groups"), 1);
	set_value("refuse_weight", 0);
	make("/a");
	run_for(10 * MS);
	detach();
	shut_down();
}

/* One that refuses a group that is there already does not come into charge. */
static void test_refused_at_enable(void **state)
{
	struct loader_error error = { 0 };

	boot("2");
	assert_int_equal(cgroup_set_weight(make("/a"), 5), 0);
	attach();
	loader_detach(probe);
	set_value("refuse_weight", 5);
	assert_int_equal(loader_attach(probe, &error), 0);
	run_for(10 * MS);
	assert_false(kernel_scx_exit()->attached);
	assert_int_equal(kernel_scx_exit()->kind, SCX_EXIT_ERROR);
	assert_string_equal(kernel_scx_exit()->message, "ops.cgroup_init() failed (-12)");
	assert_int_equal(value("groups"), 0);
	loader_close(probe);
	loader_error_free(&error);
	shut_down();
}

static void test_weights(void **state)
{
	struct cgroup *a;

	boot("2");
	a = make("/a");
	attach();
	assert_int_equal(cgroup_set_weight(a, 250), 0);
	assert_int_equal(value("last_weight"), 250);
	assert_int_equal(cgroup_set_weight(a, 250), 0);
	assert_int_equal(value("weights"), 1);
	detach();
	assert_int_equal(cgroup_set_weight(a, 30), 0);
	assert_int_equal(a->level, 1);
	shut_down();
}

static void test_moves(void **state)
{
	struct task *leader, *thread, *sleeper;
	struct cgroup *a, *b;

	boot("2");
	a = make("/a");
	b = make("/b");
	leader = hog(0);
	thread = start((struct task_params){ .parent = leader }, 0, 0);
	sleeper = start((struct task_params){ 0 }, MS, 10 * MS);
	attach();
	for (u32 i = 0; i < 10; i++) {
		assert_int_equal(cgroup_attach_task(i % 2 ? a : b, leader), 0);
		assert_int_equal(cgroup_attach_task(i % 2 ? b : a, sleeper), 0);
		run_for(7 * MS);
	}
	assert_int_equal(value("moves"), 20);
	/* where it is already: nothing to tell */
	assert_int_equal(cgroup_attach_task(a, leader), 0);
	assert_int_equal(value("preps"), 20);
	assert_int_equal(cgroup_attach_process(b, leader), 0);
	assert_int_equal(value("moves"), 22);
	/* one thread is refused: those that were prepared are told, and none moves */
	set_value("refuse_pid", task_pid(thread));
	assert_int_equal(cgroup_attach_process(a, leader), -EBUSY);
	assert_ptr_equal(task_cgroup(leader), b);
	assert_ptr_equal(task_cgroup(thread), b);
	assert_int_equal(value("cancels"), 1);
	assert_int_equal(value("moves"), 22);
	assert_int_equal(value("preps"), 23);
	/* forks are born where their parent is */
	set_value("refuse_pid", 0);
	thread = start((struct task_params){ .parent = leader }, 0, 0);
	assert_ptr_equal(task_cgroup(thread), b);
	run_for(100 * MS);
	detach();
	run_for(10 * MS);
	shut_down();
}

/* Quotas are the fair class's matter. */
static void test_no_quota(void **state)
{
	struct task *task;
	struct cgroup *a;
	u64 before;

	boot("1");
	a = make("/a");
	assert_int_equal(cgroup_set_max(a, 10 * MS, 100 * MS), 0);
	task = hog(0);
	assert_int_equal(cgroup_attach_task(a, task), 0);
	run_for(50 * MS);
	assert_true(fair_task_throttled(&task->ts));
	attach();
	before = task_runtime(task);
	run_for(500 * MS);
	assert_true(task_runtime(task) - before > 480 * MS);
	detach();
	before = task_runtime(task);
	run_for(NSEC_PER_SEC);
	assert_near(task_runtime(task) - before, 100 * MS, 15 * MS);
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_refused_group),
		cmocka_unit_test(test_refused_at_enable),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_no_quota),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
