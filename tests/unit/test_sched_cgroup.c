// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cgroup hierarchy: names, limits, lifetime, and which tasks are where.
 */
#include "test_sched_fair.h"

#include "../../kernel/kfuncs.h"
#include "../../src/sched/cgroup/cgroup.h"

static struct cgroup *make(const char *path)
{
	struct cgroup *cgrp;
	int err;

	cgrp = cgroup_make_path(path, &err);
	if (!cgrp)
		fail_msg("%s: %s", path, strerror(-err));
	return cgrp;
}

static int create_error(struct cgroup *parent, const char *name)
{
	int err = 0;

	assert_null(cgroup_create(parent, name, &err));
	return err;
}

/* --- names and paths --------------------------------------------------------------- */

static void test_paths(void **state)
{
	struct cgroup *root, *a, *b;
	char path[64];

	boot("1");
	root = cgroup_find("/");
	assert_non_null(root);
	assert_int_equal(root->kn->id, 1);
	assert_int_equal(root->level, 0);
	assert_null(cgroup_find("/a"));
	assert_null(cgroup_find("a"));
	b = make("/a/b");
	a = cgroup_find("/a");
	assert_ptr_equal(cgroup_find("/a/b"), b);
	assert_ptr_equal(cgroup_find("//a/b/"), b);
	assert_ptr_equal(make("/a/b"), b);
	assert_int_equal(b->level, 2);
	assert_ptr_equal(b->ancestors[0], root);
	assert_ptr_equal(b->ancestors[1], a);
	assert_ptr_equal(b->ancestors[2], b);
	assert_ptr_equal(b->self.parent, &a->self);
	assert_string_equal(b->kn->name, "b");
	assert_true(b->kn->id > a->kn->id);
	assert_int_equal(root->nr_descendants, 2);
	assert_int_equal(a->nr_descendants, 1);
	cgroup_path(root, path, sizeof(path));
	assert_string_equal(path, "/");
	cgroup_path(b, path, sizeof(path));
	assert_string_equal(path, "/a/b");
	shut_down();
}

static void test_create_errors(void **state)
{
	char long_name[CGROUP_NAME_MAX + 2] = "";
	struct cgroup *cgrp;
	int err;

	boot("1");
	cgrp = cgroup_find("/");
	memset(long_name, 'x', CGROUP_NAME_MAX + 1);
	assert_int_equal(create_error(cgrp, ""), -EINVAL);
	assert_int_equal(create_error(cgrp, "a/b"), -EINVAL);
	assert_int_equal(create_error(cgrp, ".."), -EINVAL);
	assert_int_equal(create_error(cgrp, long_name), -EINVAL);
	long_name[CGROUP_NAME_MAX] = 0;
	assert_non_null(cgroup_create(cgrp, long_name, &err));
	assert_int_equal(create_error(cgrp, long_name), -EEXIST);
	assert_null(cgroup_make_path("no-slash", &err));
	assert_int_equal(err, -EINVAL);
	for (u32 depth = 0; depth < CGROUP_MAX_DEPTH; depth++)
		cgrp = cgroup_create(cgrp, "deeper", &err);
	assert_int_equal(cgrp->level, CGROUP_MAX_DEPTH);
	assert_int_equal(create_error(cgrp, "deeper"), -EAGAIN);
	shut_down();
}

static void test_setting_errors(void **state)
{
	struct cgroup *root, *a;

	boot("1");
	root = cgroup_find("/");
	a = make("/a");
	assert_int_equal(cgroup_set_weight(root, 100), -EINVAL);
	assert_int_equal(cgroup_set_weight(a, 0), -ERANGE);
	assert_int_equal(cgroup_set_weight(a, 10001), -ERANGE);
	assert_int_equal(cgroup_set_weight(a, 300), 0);
	assert_int_equal(cgroup_set_max(root, 10 * MS, 100 * MS), -EINVAL);
	assert_int_equal(cgroup_set_max(a, MS - 1, 100 * MS), -EINVAL);
	assert_int_equal(cgroup_set_max(a, 10 * MS, MS - 1), -EINVAL);
	assert_int_equal(cgroup_set_max(a, 10 * MS, 1001 * MS), -EINVAL);
	assert_int_equal(cgroup_set_max(a, CGROUP_QUOTA_MAX + 1, 100 * MS), -EINVAL);
	assert_int_equal(cgroup_set_max(a, 10 * MS, 100 * MS), 0);
	assert_int_equal(cgroup_set_max(a, CGROUP_NO_QUOTA, 100 * MS), 0);
	shut_down();
}

/* --- removal and lifetime -------------------------------------------------------------- */

static void test_remove(void **state)
{
	struct cgroup *root, *a, *b;
	struct task *task;
	u64 id;

	boot("1");
	root = cgroup_find("/");
	b = make("/a/b");
	a = cgroup_find("/a");
	assert_int_equal(cgroup_remove(root), -EINVAL);
	assert_int_equal(cgroup_remove(a), -EBUSY);
	task = hog(0);
	assert_int_equal(cgroup_attach_task(b, task), 0);
	assert_int_equal(cgroup_remove(b), -EBUSY);
	assert_int_equal(cgroup_attach_task(root, task), 0);
	id = b->kn->id;
	/* as a program that keeps it */
	assert_ptr_equal(bpf_cgroup_acquire(b), b);
	assert_int_equal(cgroup_remove(b), 0);
	assert_null(cgroup_find("/a/b"));
	assert_int_equal(root->nr_descendants, 1);
	run_for(10 * MS);
	/* still to be read, but not to be found or used */
	assert_int_equal(b->kn->id, id);
	assert_string_equal(b->kn->name, "b");
	assert_int_equal(cgroup_remove(b), -ENODEV);
	assert_int_equal(cgroup_attach_task(b, task), -ENODEV);
	assert_int_equal(create_error(b, "c"), -ENODEV);
	assert_int_equal(cgroup_remove(a), 0);
	bpf_cgroup_release(b);
	/* a second b is another one */
	assert_true(make("/a/b")->kn->id > id);
	shut_down();
}

/* As many groups come and go as the memory must not be made of. */
static void test_memory_is_reused(void **state)
{
	struct kheap_stats before, after;

	boot("2");
	for (u32 i = 0; i < 200; i++) {
		if (i == 100)
			kheap_stats(&before);
		assert_int_equal(cgroup_remove(make("/again")), 0);
		run_for(5 * MS);
	}
	kheap_stats(&after);
	assert_int_equal(after.live, before.live);
	shut_down();
}

/* --- tasks ------------------------------------------------------------------------------- */

struct exit_after {
	u32 rounds;
};

static void one_round(struct task *task, struct task_action *action)
{
	struct exit_after *left = task_data(task);

	if (left->rounds--)
		*action = (struct task_action){ ACT_COMPUTE, MS };
	else
		*action = (struct task_action){ .kind = ACT_EXIT };
}

static void exit_release(struct task *task)
{
	free(task_data(task));
}

static const struct task_behaviour mortal = { .next = one_round, .release = exit_release };

static struct task *start_mortal(struct task *parent, u32 rounds)
{
	struct task_params params = { .comm = "mortal", .parent = parent };
	struct exit_after *data = calloc(1, sizeof(*data));
	struct task *task;
	int err;

	data->rounds = rounds;
	task = task_create(&params, &mortal, data, &err);
	assert_non_null(task);
	task_start(task);
	return task;
}

static void test_membership(void **state)
{
	struct cgroup *root, *a, *b;
	struct task *leader, *thread, *other;

	boot("2");
	root = cgroup_find("/");
	a = make("/a");
	b = make("/b");
	leader = hog(0);
	other = hog(0);
	assert_ptr_equal(task_cgroup(leader), root);
	assert_int_equal(cgroup_attach_task(a, leader), 0);
	assert_ptr_equal(task_cgroup(leader), a);
	assert_ptr_equal(leader->ts.sched_task_group->css.cgroup, a);
	assert_int_equal(a->nr_populated_csets, 1);
	/* a forked task is in its parent's; this one is a thread besides */
	thread = start_mortal(leader, 50);
	assert_ptr_equal(task_cgroup(thread), a);
	assert_int_equal(thread->ts.tgid, leader->ts.tgid);
	assert_ptr_equal(task_cgroup(other), root);
	assert_true(bpf_task_under_cgroup(&leader->ts, a));
	assert_true(bpf_task_under_cgroup(&leader->ts, root));
	assert_false(bpf_task_under_cgroup(&leader->ts, b));
	assert_false(bpf_task_under_cgroup(&other->ts, a));
	/* one thread, and all of them */
	assert_int_equal(cgroup_attach_task(b, thread), 0);
	assert_ptr_equal(task_cgroup(leader), a);
	assert_int_equal(cgroup_attach_process(b, leader), 0);
	assert_ptr_equal(task_cgroup(leader), b);
	assert_ptr_equal(task_cgroup(thread), b);
	assert_int_equal(cgroup_remove(a), 0);
	run_for(10 * MS);
	shut_down();
}

/* Dead tasks do not populate their group, but keep its memory. */
static void test_exit(void **state)
{
	struct cgroup *a;
	struct task *task;

	boot("1");
	a = make("/a");
	task = start_mortal(NULL, 20);
	task_get(task);
	assert_int_equal(cgroup_attach_task(a, task), 0);
	assert_int_equal(cgroup_remove(a), -EBUSY);
	run_for(50 * MS);
	assert_true(task->dead);
	assert_int_equal(a->nr_populated_csets, 0);
	assert_int_equal(cgroup_attach_task(cgroup_find("/"), task), -ESRCH);
	assert_int_equal(cgroup_remove(a), 0);
	make("/b");
	run_for(50 * MS);
	make("/c");
	assert_string_equal(task->ts.cgroups->dfl_cgrp->kn->name, "a");
	/* a child that comes too late is not born in it */
	assert_ptr_equal(task_cgroup(start_mortal(task, 1)), cgroup_find("/"));
	task_put(task);
	shut_down();
}

static void test_bound_threads_stay(void **state)
{
	struct cgroup *a;
	struct task *t;
	u32 bound = 0, moved = 0;

	boot_seeded("2", NOISE_LIGHT, 1);
	a = make("/a");
	list_for_each_entry(t, &kernel.tasks, all) {
		if (t->ts.flags & PF_NO_SETAFFINITY) {
			assert_int_equal(cgroup_attach_task(a, t), -EINVAL);
			bound++;
		} else if (t->ts.flags & PF_KTHREAD && strcmp(task_comm(t), "vrt")) {
			assert_int_equal(cgroup_attach_task(a, t), 0);
			moved++;
		}
	}
	assert_true(bound >= 2 && moved >= 2);
	run_for(100 * MS);
	shut_down();
}

/* CPU time of the group's tasks, with those below, the dead ones and removed groups. */
static void test_usage(void **state)
{
	struct cgroup_cpu_stat stat;
	struct cgroup *a, *b;
	struct task *task;

	boot("2");
	b = make("/a/b");
	a = cgroup_find("/a");
	task = start_mortal(NULL, 30);
	assert_int_equal(cgroup_attach_task(b, task), 0);
	run_for(10 * MS);
	cgroup_cpu_stat(a, &stat);
	assert_true(stat.usage > MS && stat.usage < 12 * MS);
	run_for(100 * MS);
	cgroup_cpu_stat(b, &stat);
	assert_near(stat.usage, 30 * MS, MS);
	assert_int_equal(cgroup_remove(b), 0);
	cgroup_cpu_stat(a, &stat);
	assert_near(stat.usage, 30 * MS, MS);
	cgroup_cpu_stat(cgroup_find("/"), &stat);
	assert_true(stat.usage > 30 * MS);
	shut_down();
}

/* --- walks, as programs make them -------------------------------------------------------- */

static void assert_walk(struct cgroup *start, u32 how, const char *expected)
{
	struct cgroup_subsys_state *css;
	struct bpf_iter_css it;
	char names[128] = "";

	assert_int_equal(bpf_iter_css_new(&it, start->subsys[cpu_cgrp_id], how), 0);
	while ((css = bpf_iter_css_next(&it))) {
		assert_ptr_equal(css, css->cgroup->subsys[cpu_cgrp_id]);
		strcat(names, css->cgroup->level ? css->cgroup->kn->name : "/");
	}
	assert_null(bpf_iter_css_next(&it));
	bpf_iter_css_destroy(&it);
	assert_string_equal(names, expected);
}

static void test_iterators(void **state)
{
	struct cgroup_subsys_state *css;
	struct bpf_iter_css_task tasks;
	struct task *first, *second;
	struct cgroup *root, *a;
	struct bpf_iter_css it;

	boot("1");
	root = cgroup_find("/");
	make("/a/b/c");
	make("/a/d");
	make("/e");
	a = cgroup_find("/a");
	assert_walk(root, BPF_CGROUP_ITER_DESCENDANTS_PRE, "/abcde");
	assert_walk(root, BPF_CGROUP_ITER_DESCENDANTS_POST, "cbdae/");
	assert_walk(a, BPF_CGROUP_ITER_DESCENDANTS_PRE, "abcd");
	assert_walk(a, BPF_CGROUP_ITER_DESCENDANTS_POST, "cbda");
	assert_walk(cgroup_find("/a/b/c"), BPF_CGROUP_ITER_ANCESTORS_UP, "cba/");
	assert_int_equal(bpf_iter_css_new(&it, &a->self, BPF_CGROUP_ITER_SELF_ONLY), -EINVAL);
	assert_null(bpf_iter_css_next(&it));
	/* a group that is removed under the walk does not end it */
	assert_int_equal(bpf_iter_css_new(&it, &a->self, BPF_CGROUP_ITER_DESCENDANTS_POST), 0);
	css = bpf_iter_css_next(&it);
	assert_ptr_equal(css, &cgroup_find("/a/b/c")->self);
	assert_int_equal(cgroup_remove(cgroup_find("/a/b/c")), 0);
	assert_ptr_equal(bpf_iter_css_next(&it), &cgroup_find("/a/b")->self);
	assert_ptr_equal(bpf_iter_css_next(&it), &cgroup_find("/a/d")->self);
	/* nor does a word that a program wrote lead out of the subtree */
	it.__opaque[0] = cgroup_find("/e")->kn->id;
	assert_null(bpf_iter_css_next(&it));
	it.__opaque[0] = it.__opaque[1] = ~0ULL;
	assert_null(bpf_iter_css_next(&it));

	first = hog(0);
	second = start_mortal(first, 50);
	assert_int_equal(cgroup_attach_process(a, first), 0);
	assert_int_equal(bpf_iter_css_task_new(&tasks, &a->self, 0), 0);
	assert_ptr_equal(bpf_iter_css_task_next(&tasks), &first->ts);
	assert_ptr_equal(bpf_iter_css_task_next(&tasks), &second->ts);
	assert_null(bpf_iter_css_task_next(&tasks));
	assert_int_equal(bpf_iter_css_task_new(&tasks, &a->self, CSS_TASK_ITER_PROCS), 0);
	assert_ptr_equal(bpf_iter_css_task_next(&tasks), &first->ts);
	assert_null(bpf_iter_css_task_next(&tasks));
	assert_int_equal(bpf_iter_css_task_new(&tasks, &a->self, CSS_TASK_ITER_THREADED), -EINVAL);
	assert_null(bpf_iter_css_task_next(&tasks));
	shut_down();
}

static void test_kfuncs(void **state)
{
	struct cgroup *root, *b;
	u64 id;

	boot("1");
	root = cgroup_find("/");
	b = make("/a/b");
	id = b->kn->id;
	assert_ptr_equal(bpf_cgroup_from_id(1), root);
	assert_ptr_equal(bpf_cgroup_from_id(id), b);
	assert_null(bpf_cgroup_from_id(0));
	assert_null(bpf_cgroup_from_id(id + 1));
	assert_null(bpf_cgroup_from_id(~0ULL));
	assert_ptr_equal(bpf_cgroup_ancestor(b, 0), root);
	assert_ptr_equal(bpf_cgroup_ancestor(b, 2), b);
	assert_null(bpf_cgroup_ancestor(b, 3));
	assert_null(bpf_cgroup_ancestor(b, -1));
	bpf_cgroup_release(b);
	bpf_cgroup_release(b);
	assert_int_equal(cgroup_remove(b), 0);
	assert_null(bpf_cgroup_from_id(id));
	/* on its way out: nobody gets hold of it any more */
	assert_null(bpf_cgroup_acquire(b));
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_create_errors),
		cmocka_unit_test(test_setting_errors),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_memory_is_reused),
		cmocka_unit_test(test_membership),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_bound_threads_stay),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_iterators),
		cmocka_unit_test(test_kfuncs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
