// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of tasks: accesses, merging, running out of it, and the kfuncs, which are
 * called here as a program would.
 */
#include "test_sched_fair.h"

#include "../../kernel/kfuncs.h"
#include "../../src/sched/mm/internal.h"

/* A process that does what it is told: accesses pages, then sleeps, waits or computes. */
struct proc {
	u64 pages;
	u64 first, nr; /* to be accessed, from its next turn on */
	bool write;
	u64 content; /* 0: its own */
	enum task_action_kind then; /* ACT_SLEEP: looks for something to do every ms */
	int err; /* of the last access */
	u32 turns;
	struct wait_queue never;
};

static void access_pages(struct proc *p)
{
	for (; p->nr; p->nr--, p->first++) {
		p->err = p->write ? mm_write(p->first, p->content ?: mm_content_own()) :
				    mm_read(p->first);
		if (p->err)
			return;
	}
}

static void proc_next(struct task *task, struct task_action *action)
{
	struct proc *p = task_data(task);
	u64 ns;

	if (!p->turns++ && p->pages)
		assert_int_equal(mm_map(task, p->pages), 0);
	if (p->pages && !mm_killed())
		access_pages(p);
	action->kind = p->then;
	action->ns = p->then == ACT_COMPUTE ? NSEC_PER_SEC : MS;
	if (p->pages && mm_killed())
		action->kind = ACT_EXIT;
	if (action->kind == ACT_EXIT) {
		ns = mm_unmap(16);
		if (ns)
			*action = (struct task_action){ ACT_COMPUTE, ns };
	}
	if (action->kind == ACT_BLOCK)
		wait_queue_add(&p->never, 0);
}

static void proc_release(struct task *task)
{
	free(task_data(task));
}

static const struct task_behaviour proc_behaviour = { .next = proc_next, .release = proc_release };

static struct task *process_of(struct task_params params, u64 pages)
{
	struct proc *p = calloc(1, sizeof(*p));
	struct task *task;
	int err;

	p->pages = pages;
	p->then = ACT_SLEEP;
	wait_queue_init(&p->never);
	params.comm = "proc";
	task = task_create(&params, &proc_behaviour, p, &err);
	assert_non_null(task);
	task_start(task);
	run_for(5 * MS);
	return task;
}

static struct task *process(u64 pages)
{
	return process_of((struct task_params){ .new_process = true }, pages);
}

static void do_access(struct task *task, u64 first, u64 nr, bool write, u64 content)
{
	struct proc *p = task_data(task);

	p->first = first;
	p->nr = nr;
	p->write = write;
	p->content = content;
	run_for(50 * MS);
	assert_int_equal(p->nr, 0);
	assert_int_equal(p->err, 0);
}

/* --- what a program calls, in the machine --------------------------------------------- */

static struct call {
	struct mm_struct *mm, *other;
	u64 index, other_index;
	u32 arg;
	s64 ret;
	struct mm_info info;
	u64 took;
} call;

static s64 inside(void (*fn)(void *arg))
{
	kernel_run_inside(fn, NULL);
	return call.ret;
}

#define CALL(name, body)                                                                           \
	static void name(void *unused)                                                             \
	{                                                                                          \
		u64 before = cpu_clock();                                                          \
                                                                                                   \
		body;                                                                              \
		call.took = cpu_clock() - before;                                                  \
	}

CALL(do_flags, call.ret = bpf_mm_page_flags(call.mm, call.index))
CALL(do_clear, call.ret = bpf_mm_clear_flags(call.mm, call.index, call.arg))
CALL(do_sum, call.ret = bpf_mm_page_checksum(call.mm, call.index))
CALL(do_merge, call.ret = bpf_mm_merge_page(call.mm, call.index, call.other, call.other_index))
CALL(do_reap, call.ret = bpf_mm_reap(call.mm, call.arg))
CALL(do_info, bpf_mm_info(&call.info))
CALL(do_drop, bpf_mm_drop(call.mm))

static s64 flags(const struct task *t, u64 index)
{
	call = (struct call){ .mm = t->ts.mm, .index = index };
	return inside(do_flags);
}

static s64 clear(const struct task *t, u64 index, u32 arg)
{
	call = (struct call){ .mm = t->ts.mm, .index = index, .arg = arg };
	return inside(do_clear);
}

static s64 sum(const struct task *t, u64 index)
{
	call = (struct call){ .mm = t->ts.mm, .index = index };
	return inside(do_sum);
}

static s64 merge(const struct task *t, u64 index, const struct task *o, u64 other_index)
{
	call = (struct call){ .mm = t->ts.mm, .index = index, .other = o->ts.mm,
			      .other_index = other_index };
	return inside(do_merge);
}

static s64 reap(const struct task *t, u32 nr)
{
	call = (struct call){ .mm = t->ts.mm, .arg = nr };
	return inside(do_reap);
}

static const struct mm_info *info(void)
{
	inside(do_info);
	return &call.info;
}

static u64 used(void)
{
	return info()->totalram - call.info.freeram;
}

/* --- accesses -------------------------------------------------------------------------- */

static void test_first_access(void **state)
{
	struct mm_stats stats;
	struct task *t;

	boot("1");
	t = process(100);
	assert_int_equal(t->ts.mm->total_vm, 100);
	assert_int_equal(t->ts.mm->owner_pid, task_pid(t));
	assert_int_equal(flags(t, 7), 0);
	assert_int_equal(used(), 0);
	do_access(t, 7, 1, false, 0);
	assert_int_equal(flags(t, 7), MM_PAGE_PRESENT | MM_PAGE_YOUNG);
	assert_int_equal(call.took, cost_defaults.page_walk);
	assert_int_equal(used(), 1);
	do_access(t, 6, 3, true, 0);
	for (u32 i = 6; i < 9; i++)
		assert_int_equal(flags(t, i), MM_PAGE_PRESENT | MM_PAGE_YOUNG | MM_PAGE_DIRTY);
	assert_int_equal(used(), 3);
	assert_int_equal(t->ts.mm->rss_stat[MM_ANONPAGES].count, 3);
	mm_stats(&stats);
	assert_int_equal(stats.faults, 3);
	assert_int_equal(stats.peak, 3);
	assert_int_equal(flags(t, 99), 0);
	assert_int_equal(flags(t, 100), -ERANGE);
	assert_int_equal(flags(t, ~0ULL), -ERANGE);
	shut_down();
}

static void test_clear(void **state)
{
	struct task *t;

	boot("1");
	t = process(10);
	assert_int_equal(clear(t, 0, MM_PAGE_YOUNG | MM_PAGE_DIRTY), 0);
	do_access(t, 0, 1, true, 0);
	assert_int_equal(clear(t, 0, MM_PAGE_YOUNG), MM_PAGE_YOUNG);
	assert_int_equal(flags(t, 0), MM_PAGE_PRESENT | MM_PAGE_DIRTY);
	assert_int_equal(clear(t, 0, MM_PAGE_YOUNG | MM_PAGE_DIRTY), MM_PAGE_DIRTY);
	/* what is no bit of a page table entry stays */
	assert_int_equal(clear(t, 0, ~0u), 0);
	assert_int_equal(flags(t, 0), MM_PAGE_PRESENT);
	do_access(t, 0, 1, false, 0);
	assert_int_equal(flags(t, 0), MM_PAGE_PRESENT | MM_PAGE_YOUNG);
	assert_int_equal(clear(t, 10, MM_PAGE_YOUNG), -ERANGE);
	shut_down();
}

static void test_faults_take_time(void **state)
{
	/* nothing else does */
	static const struct cost_table only = { .page_fault = 1000, .page_copy = 300,
						.smt_share = SCHED_CAPACITY_SCALE };
	struct kernel_config config = { .topology = &topo, .costs = &only, .seed = 1 };
	struct cpu_times before, after;
	char err[256] = "";
	struct task *t;

	assert_int_equal(topology_parse(&topo, "1", err, sizeof(err)), 0);
	assert_int_equal(kernel_boot(&config), 0);
	t = process(100);
	do_access(t, 0, 100, true, 1);
	kernel_cpu_times(0, &before);
	assert_int_equal(before.overhead, 100 * 1000);
	do_access(t, 0, 100, false, 0);
	do_access(t, 0, 100, true, 1);
	kernel_cpu_times(0, &after);
	assert_int_equal(after.overhead, before.overhead);
	assert_int_equal(merge(t, 0, t, 1), 0);
	assert_int_equal(call.took, 300);
	do_access(t, 0, 1, true, 2);
	before = after;
	kernel_cpu_times(0, &after);
	assert_int_equal(after.overhead - before.overhead, 300 + 1000 + 300);
	shut_down();
}

/* --- content --------------------------------------------------------------------------- */

static void test_checksum(void **state)
{
	struct task *a, *b;

	boot("1");
	a = process(10);
	b = process(10);
	assert_int_equal(sum(a, 0), -ENOENT);
	assert_int_equal(sum(a, 10), -ERANGE);
	do_access(a, 0, 2, true, mm_content(5, 1));
	do_access(b, 3, 1, true, mm_content(5, 1));
	do_access(b, 4, 1, true, mm_content(5, 2));
	do_access(b, 5, 2, true, 0);
	assert_true(sum(a, 0) >= 0);
	assert_int_equal(call.took, cost_defaults.page_walk + cost_defaults.page_copy);
	assert_int_equal(sum(a, 0), sum(a, 1));
	assert_int_equal(sum(a, 0), sum(b, 3));
	assert_int_not_equal(sum(a, 0), sum(b, 4));
	assert_int_not_equal(sum(b, 5), sum(b, 6));
	/* read before written: zeroes */
	do_access(a, 9, 1, false, 0);
	do_access(b, 9, 1, false, 0);
	assert_int_equal(sum(a, 9), sum(b, 9));
	shut_down();
}

static void test_merge(void **state)
{
	struct task *a, *b;

	boot("1");
	a = process(10);
	b = process(10);
	do_access(a, 0, 3, true, mm_content(1, 1));
	do_access(b, 0, 1, true, mm_content(1, 1));
	do_access(b, 1, 1, true, 0);
	assert_int_equal(merge(a, 0, b, 5), -ENOENT);
	assert_int_equal(merge(b, 5, a, 0), -ENOENT);
	assert_int_equal(merge(a, 10, b, 0), -ERANGE);
	assert_int_equal(merge(a, 0, b, 10), -ERANGE);
	assert_int_equal(merge(a, 0, b, 1), -EAGAIN);
	assert_int_equal(merge(a, 0, a, 0), -EEXIST);
	assert_int_equal(used(), 5);
	assert_int_equal(call.info.ksm_pages_sharing, 0);

	assert_int_equal(merge(a, 0, b, 0), 0);
	assert_int_equal(merge(a, 0, b, 0), -EEXIST);
	assert_int_equal(merge(a, 1, b, 0), 0);
	assert_int_equal(merge(a, 2, a, 0), 0);
	assert_int_equal(used(), 2);
	assert_int_equal(call.info.ksm_pages_shared, 1);
	assert_int_equal(call.info.ksm_pages_sharing, 3);
	assert_int_equal(a->ts.mm->ksm_merging_pages, 3);
	assert_int_equal(b->ts.mm->ksm_merging_pages, 1);
	assert_int_equal(a->ts.mm->rss_stat[MM_ANONPAGES].count, 3);
	assert_true(flags(a, 1) & MM_PAGE_KSM);
	assert_true(flags(b, 0) & MM_PAGE_KSM);
	shut_down();
}

static void test_write_after_merge(void **state)
{
	struct mm_stats stats;
	struct task *a, *b;
	s64 before;

	boot("1");
	a = process(10);
	b = process(10);
	do_access(a, 0, 1, true, mm_content(1, 1));
	do_access(b, 0, 1, true, mm_content(1, 1));
	assert_int_equal(merge(a, 0, b, 0), 0);
	before = sum(b, 0);
	do_access(a, 0, 1, false, 0);
	assert_int_equal(used(), 1);
	do_access(a, 0, 1, true, mm_content(1, 2));
	assert_int_equal(used(), 2);
	assert_false(flags(a, 0) & MM_PAGE_KSM);
	assert_int_equal(sum(b, 0), before);
	assert_int_not_equal(sum(a, 0), before);
	/* the last one that has it gets a copy as well, as Linux has it */
	do_access(b, 0, 1, true, mm_content(1, 3));
	mm_stats(&stats);
	assert_int_equal(stats.copies, 2);
	assert_int_equal(used(), 2);
	assert_int_equal(call.info.ksm_pages_shared, 0);
	assert_int_equal(call.info.ksm_pages_sharing, 0);
	assert_int_equal(a->ts.mm->ksm_merging_pages + b->ts.mm->ksm_merging_pages, 0);
	shut_down();
}

/* --- life -------------------------------------------------------------------------------- */

static void test_exit_gives_back(void **state)
{
	struct task *a, *b;

	boot("2");
	a = process(100);
	b = process(100);
	do_access(a, 0, 100, true, mm_content(1, 1));
	do_access(b, 0, 50, true, mm_content(1, 1));
	for (u32 i = 0; i < 50; i++)
		assert_int_equal(merge(a, i, b, i), 0);
	assert_int_equal(used(), 100);
	((struct proc *)task_data(a))->then = ACT_EXIT;
	run_for(50 * MS);
	assert_int_equal(used(), 50);
	assert_int_equal(call.info.ksm_pages_sharing, 0);
	assert_int_equal(call.info.ksm_pages_shared, 50);
	((struct proc *)task_data(b))->then = ACT_EXIT;
	run_for(50 * MS);
	assert_int_equal(used(), 0);
	assert_int_equal(call.info.ksm_pages_shared, 0);
	shut_down();
}

static void test_threads_share(void **state)
{
	struct task *leader, *thread;

	boot("2");
	leader = process(10);
	thread = process_of((struct task_params){ .parent = leader }, 0);
	assert_ptr_equal(leader->ts.mm, thread->ts.mm);
	assert_int_equal(leader->ts.mm->mm_users.counter, 2);
	do_access(leader, 0, 5, true, 0);
	((struct proc *)task_data(leader))->then = ACT_EXIT;
	run_for(50 * MS);
	assert_int_equal(used(), 5);
	assert_int_equal(thread->ts.mm->mm_users.counter, 1);
	assert_int_equal(thread->ts.mm->total_vm, 10);
	((struct proc *)task_data(thread))->then = ACT_EXIT;
	run_for(50 * MS);
	assert_int_equal(used(), 0);
	shut_down();
}

/* What a program holds stays, without its pages; it cannot drop what is not its own. */
static void test_grab(void **state)
{
	struct mm_struct *mm;
	struct task *t;

	boot("1");
	t = process(10);
	do_access(t, 0, 5, true, 0);
	mm = t->ts.mm;
	call.mm = mm;
	inside(do_drop);
	assert_int_equal(flags(t, 0), MM_PAGE_PRESENT | MM_PAGE_YOUNG | MM_PAGE_DIRTY);
	assert_ptr_equal(bpf_task_mm_grab(&t->ts), mm);
	((struct proc *)task_data(t))->then = ACT_EXIT;
	run_for(50 * MS);
	assert_int_equal(mm->mm_users.counter, 0);
	call = (struct call){ .mm = mm, .index = 0 };
	assert_int_equal(inside(do_flags), 0);
	assert_int_equal(used(), 0);
	call.mm = mm;
	inside(do_drop);
	assert_null(bpf_task_mm_grab(kernel.entry_task));
	shut_down();
}

/* --- out of memory -------------------------------------------------------------------------- */

static struct proc *ask(struct task *task, u64 first, u64 nr)
{
	struct proc *p = task_data(task);

	p->first = first;
	p->nr = nr;
	p->write = true;
	return p;
}

/* Whatever it does, the largest hears of it soon; the other one gets its memory. */
static void check_kill(enum task_action_kind victim_does)
{
	struct task *large, *small;
	struct proc *p;

	boot("2");
	mm_set_totalram(100);
	large = process(80);
	small = process(80);
	do_access(large, 0, 60, true, 0);
	do_access(small, 0, 30, true, 0);
	task_get(large);
	((struct proc *)task_data(large))->then = victim_does;
	run_for(10 * MS);
	p = ask(small, 30, 20);
	run_for(20 * MS);
	assert_int_equal(p->nr, 0);
	assert_true(large->ts.flags & PF_EXITING);
	assert_int_equal(used(), 50);
	assert_int_equal(call.info.oom_kills, 1);
	task_put(large);
	shut_down();
}

static void test_kill_asleep(void **state)
{
	check_kill(ACT_SLEEP);
}

static void test_kill_blocked(void **state)
{
	check_kill(ACT_BLOCK);
}

static void test_kill_computing(void **state)
{
	check_kill(ACT_COMPUTE);
}

/* The one that asks may be the largest itself. */
static void test_kill_oneself(void **state)
{
	struct task *t;

	boot("1");
	mm_set_totalram(10);
	t = process(20);
	task_get(t);
	ask(t, 0, 20);
	run_for(20 * MS);
	assert_true(t->ts.flags & PF_EXITING);
	assert_int_equal(used(), 0);
	task_put(t);
	shut_down();
}

/* A victim that gets no CPU: nobody else is killed, until it has nothing left. */
static void test_reap(void **state)
{
	struct task *large, *small;
	struct proc *p;

	boot("1");
	mm_set_totalram(200);
	large = process(150);
	small = process(100);
	do_access(large, 0, 150, true, 0);
	do_access(small, 0, 50, true, 0);
	assert_int_equal(reap(large, 10), -EINVAL);
	assert_int_equal(used(), 200);
	rt_hog(SCHED_FIFO, 50); /* neither of them runs any more */
	set_policy(small, SCHED_FIFO, 60);
	p = ask(small, 50, 20);
	run_for(100 * MS);
	assert_int_equal(p->nr, 20);
	assert_int_equal(p->err, -EAGAIN);
	assert_int_equal(info()->oom_kills, 1);
	assert_int_equal(reap(small, 1), -EINVAL);
	assert_int_equal(reap(large, 1000), MM_REAP_MAX);
	assert_int_equal(call.took, cost_defaults.page_walk + MM_REAP_MAX * cost_defaults.page_free);
	assert_false(large->ts.mm->flags & 1UL << MMF_OOM_SKIP);
	run_for(10 * MS);
	assert_int_equal(p->nr, 0);
	assert_int_equal(reap(large, 64), 64);
	assert_int_equal(reap(large, 64), 22);
	assert_true(large->ts.mm->flags & 1UL << MMF_OOM_SKIP);
	assert_int_equal(reap(large, 64), 0);
	assert_int_equal(used(), 70);
	assert_int_equal(call.info.nr_reaped, 150);
	assert_int_equal(info()->oom_kills, 1);
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_access),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_faults_take_time),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_write_after_merge),
		cmocka_unit_test(test_exit_gives_back),
		cmocka_unit_test(test_threads_share),
		cmocka_unit_test(test_grab),
		cmocka_unit_test(test_kill_asleep),
		cmocka_unit_test(test_kill_blocked),
		cmocka_unit_test(test_kill_computing),
		cmocka_unit_test(test_kill_oneself),
		cmocka_unit_test(test_reap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
