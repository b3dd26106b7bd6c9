// SPDX-License-Identifier: GPL-2.0-only
/*
 * ghOSt as a scheduler: tasks run as its programs say and only then, and every
 * message about a task is told with its payload and barrier.
 */
#include "test_sched_ghost.h"

static const struct ghost_config quiet;

/* --- scheduling --------------------------------------------------------------- */

static void test_runs_tasks(void **state)
{
	struct task *a, *b;

	boot_ghost("2", quiet);
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

/* Nobody is run that no program has latched. */
static void test_has_no_policy(void **state)
{
	struct task *t;

	boot_ghost("1", quiet);
	PROBE(u8, hold) = 1;
	t = hog(0);
	run_for(20 * MS);
	assert_int_equal(task_runtime(t), 0);
	assert_true(PROBE(u64, picks) > 0);
	shut_down_ghost();
}

static void test_fair_goes_first(void **state)
{
	struct task *t, *fair;

	boot_ghost("1", quiet);
	t = hog(0);
	fair = fair_job(MS, MS);
	run_for(40 * MS);
	/* it had the CPU whenever it wanted it */
	assert_true(job_of(fair)->rounds >= 19);
	assert_true(job_of(fair)->late_max < 20 * NSEC_PER_USEC);
	assert_near(task_runtime(t), 20 * MS, 2 * MS);
	shut_down_ghost();
}

static void test_dont_idle(void **state)
{
	u64 picks;

	boot_ghost("1", quiet);
	run_for(MS);
	picks = PROBE(u64, picks);
	run_for(MS);
	assert_int_equal(PROBE(u64, picks), picks);
	PROBE(u8, dont_idle) = 1;
	/* somebody must make it look the first time */
	scripted((struct task_params){ 0 }, SCRIPT({ ACT_COMPUTE, 1000 }));
	run_for(MS);
	assert_true(PROBE(u64, picks) > picks + 400);
	shut_down_ghost();
}

static void test_must_resched(void **state)
{
	struct task *t;

	boot_ghost("1", quiet);
	t = hog(0);
	run_for(2 * MS);
	forget_msgs();
	assert_ptr_equal(cpu_rq(0)->curr, &t->ts);
	PROBE(u8, hold) = 1;
	PROBE(u8, must_resched) = 1;
	/* a pick for another reason */
	fair_job(1000, 1000);
	run_for(2 * MS);
	expect_msg_of(MSG_TASK_PREEMPT, t);
	assert_true(t->ts.on_rq && !t->ts.on_cpu);
	shut_down_ghost();
}

static void test_context_of_pnt(void **state)
{
	struct bpf_ghost_sched *ctx;
	struct task *t;

	boot_ghost("1", quiet);
	ctx = probe_var("ctx_seen");
	t = hog(0);
	run_for(2 * MS);
	assert_int_equal(ctx->agent_on_rq, 0);
	assert_int_equal(ctx->agent_runnable, 0);
	fair_job(MS, MS);
	run_for(MS + MS / 2);
	/* it has woken up, and this pick was for it */
	assert_int_equal(ctx->might_yield, 1);
	assert_int_equal(ctx->next_gtid, gtid_of(t));
	shut_down_ghost();
}

/* --- messages of tasks ----------------------------------------------------------- */

static void test_msg_new(void **state)
{
	struct task *here, *asleep, *child, *parent;

	boot("1");
	make_enclave((struct ghost_config){ .take_all = true });
	here = start((struct task_params){ .nice = 5 }, 0, 0);
	asleep = start((struct task_params){ 0 }, MS, 100 * MS);
	run_for(2 * MS);
	start_enclave();
	run_for(MS);
	expect_msg_of(MSG_TASK_NEW, here);
	assert_int_equal(msg.newt.nice, 5);
	assert_int_equal(msg.newt.runnable, 1);
	assert_true(msg.newt.runtime > MS);
	assert_int_equal(msg.newt.agent_data, 0);
	assert_int_equal(msg.seqnum, 1);
	assert_int_equal(msg.pref_cpu, -1);
	expect_msg_of(MSG_TASK_NEW, asleep);
	assert_int_equal(msg.newt.runnable, 0);

	parent = asleep;
	child = start((struct task_params){ .parent = parent, .nice = -3 }, 0, 0);
	run_for(MS);
	expect_msg_of(MSG_TASK_NEW, child);
	assert_int_equal(msg.newt.parent_gtid, gtid_of(parent));
	assert_int_equal(msg.newt.runnable, 1);
	assert_int_equal(msg.newt.nice, -3);
	assert_int_equal(msg.newt.runtime, 0);
	assert_int_equal(msg.newt.sw_info.id, 0);
	assert_int_equal(msg.newt.sw_info.index, child->ghost.sw_index);
	/* one message each */
	assert_int_equal(count_msgs(MSG_TASK_NEW), 0);
	shut_down_ghost();
}

static void test_msg_wakeup_and_blocked(void **state)
{
	struct task *t;
	u32 barrier;
	u64 runtime;

	boot_ghost("1", quiet);
	t = start((struct task_params){ 0 }, MS, MS);
	run_for(MS / 2);
	expect_msg_of(MSG_TASK_BLOCKED, t);
	barrier = msg.seqnum;
	assert_int_equal(barrier, 2);
	assert_int_equal(msg.blocked.cpu, 0);
	assert_int_equal(msg.blocked.from_switchto, 0);
	runtime = msg.blocked.runtime;
	assert_near(runtime, t->ts.se.sum_exec_runtime, NSEC_PER_USEC);
	run_for(MS);
	expect_msg_of(MSG_TASK_WAKEUP, t);
	assert_int_equal(msg.seqnum, barrier + 1);
	assert_int_equal(msg.wakeup.last_ran_cpu, 0);
	assert_int_equal(msg.wakeup.wake_up_cpu, 0);
	assert_int_equal(msg.wakeup.waker_cpu, 0);
	assert_int_equal(msg.wakeup.deferrable, 0);
	run_for(MS);
	expect_msg_of(MSG_TASK_BLOCKED, t);
	assert_near(msg.blocked.runtime, runtime + MS, 100 * NSEC_PER_USEC);
	assert_true(msg.blocked.cpu_seqnum > 0);
	shut_down_ghost();
}

static struct wait_queue pipe_queue;

static void wait_next(struct task *task, struct task_action *action)
{
	wait_queue_add(&pipe_queue, 0);
	action->kind = ACT_BLOCK;
}

static void wake_next(struct task *task, struct task_action *action)
{
	wait_queue_wake(&pipe_queue, 1, false);
	*action = (struct task_action){ ACT_SLEEP, MS };
}

static struct task *start_on(u32 cpu, const struct task_behaviour *behaviour)
{
	struct cpumask mask = { 0 };
	struct task_params params = { .comm = "pipe", .allowed = &mask };
	struct task *task;
	int err;

	cpumask_set_cpu(cpu, &mask);
	task = task_create(&params, behaviour, NULL, &err);
	assert_non_null(task);
	task_start(task);
	return task;
}

/* Who wakes whom where: with wake_on_waker_cpu, and without. */
static void check_wakeup_cpus(bool on_waker_cpu)
{
	static const struct task_behaviour waiter = { .next = wait_next }, waker = { .next = wake_next };
	struct cpumask both = { .bits = { 3 } };
	struct task *t;

	boot_ghost("2", (struct ghost_config){ .wake_on_waker_cpu = on_waker_cpu });
	PROBE(u32, kick_cpus) = 2;
	wait_queue_init(&pipe_queue);
	t = start_on(1, &waiter);
	run_for(MS);
	set_affinity(t, &both);
	forget_msgs();
	start_on(0, &waker);
	run_for(MS / 2);
	expect_msg_of(MSG_TASK_WAKEUP, t);
	assert_int_equal(msg.wakeup.last_ran_cpu, 1);
	assert_int_equal(msg.wakeup.waker_cpu, 0);
	assert_int_equal(msg.wakeup.wake_up_cpu, on_waker_cpu ? 0 : 1);
	shut_down_ghost();
}

static void test_msg_wakeup_cpus(void **state)
{
	check_wakeup_cpus(false);
	check_wakeup_cpus(true);
}

/* A program chooses the runqueue of tasks that wake up, and who does the work. */
static void test_select_rq(void **state)
{
	static const struct task_behaviour waiter = { .next = wait_next }, waker = { .next = wake_next };
	struct cpumask both = { .bits = { 3 } };
	struct bpf_ghost_select_rq *seen;
	struct task *t;

	boot("2");
	make_enclave_with(quiet, "probe_select_rq");
	start_enclave();
	seen = probe_var("select_seen");
	PROBE(u32, kick_cpus) = 2;
	PROBE(s32, select_cpu) = 1;
	PROBE(u8, skip_ttwu_queue) = 1;
	wait_queue_init(&pipe_queue);
	t = start_on(0, &waiter);
	set_policy(t, SCHED_GHOST, 0);
	run_for(MS);
	/* for one that may run on one CPU only nobody is asked */
	assert_int_equal(seen->gtid, 0);
	set_affinity(t, &both);
	forget_msgs();
	start_on(0, &waker);
	run_for(MS / 2);
	assert_int_equal(seen->gtid, gtid_of(t));
	assert_int_equal(seen->task_cpu, 0);
	assert_int_equal(seen->waker_cpu, 0);
	assert_int_equal(seen->sd_flag, 8);
	assert_int_equal(seen->wake_flags, 0);
	expect_msg_of(MSG_TASK_WAKEUP, t);
	assert_int_equal(msg.wakeup.wake_up_cpu, 1);
	assert_int_equal(msg.wakeup.waker_cpu, 0);
	/* no opinion, and one that makes no sense */
	for (s32 cpu = -1; cpu < 100; cpu += 100) {
		PROBE(s32, select_cpu) = cpu;
		forget_msgs();
		run_for(MS);
		expect_msg_of(MSG_TASK_WAKEUP, t);
	}
	PROBE(u32, fault_in) = 3;
	run_for(NSEC_PER_SEC); /* the program computes for a while before it is stopped */
	assert_int_equal(ghost_exit(enclave)->kind, GHOST_EXIT_FAULT);
	assert_ptr_equal(class_of(&t->ts), &fair_sched_class);
	shut_down_ghost();
}

static void test_msg_preempt(void **state)
{
	struct task *t;

	boot_ghost("1", quiet);
	t = hog(0);
	run_for(2 * MS);
	fair_job(MS, MS);
	forget_msgs();
	run_for(3 * MS / 2);
	expect_msg_of(MSG_TASK_PREEMPT, t);
	assert_int_equal(msg.preempt.cpu, 0);
	assert_int_equal(msg.preempt.was_latched, 0);
	assert_int_equal(msg.preempt.from_switchto, 0);
	assert_near(msg.preempt.runtime, 3 * MS, MS);
	assert_int_equal(msg.preempt.runtime, t->ts.se.sum_exec_runtime);
	/* it went by itself to where it was, and was told of once */
	assert_int_equal(count_msgs(MSG_TASK_PREEMPT), 0);
	shut_down_ghost();
}

/* A task that is latched while a fair one is there never gets to the CPU. */
static void test_msg_preempt_of_latched(void **state)
{
	struct task *t;

	boot_ghost("1", quiet);
	PROBE(u8, latch_anyway) = 1;
	PROBE(u32, run_flags) = SEND_TASK_ON_CPU;
	start((struct task_params){ .policy = SCHED_IDLE }, 0, 0);
	run_for(MS);
	t = hog(0);
	run_for(40 * MS);
	expect_msg_of(MSG_TASK_NEW, t);
	/* first it got there, then it left: as the agent expects it */
	expect_msg_of(MSG_TASK_ON_CPU, t);
	expect_msg_of(MSG_TASK_PREEMPT, t);
	assert_int_equal(msg.preempt.was_latched, 1);
	assert_int_equal(msg.preempt.runtime, 0);
	assert_int_equal(task_runtime(t), 0);
	shut_down_ghost();
}

static void test_msg_yield(void **state)
{
	struct task *t;

	boot_ghost("1", quiet);
	t = scripted((struct task_params){ 0 },
		     SCRIPT({ ACT_COMPUTE, MS }, { ACT_YIELD, 0 }, { ACT_COMPUTE, MS },
			    { ACT_SLEEP, MS }));
	run_for(3 * MS);
	expect_msg_of(MSG_TASK_NEW, t);
	expect_msg_of(MSG_TASK_YIELD, t);
	assert_int_equal(msg.seqnum, 2);
	assert_int_equal(msg.yield.cpu, 0);
	assert_int_equal(msg.yield.from_switchto, 0);
	assert_near(msg.yield.runtime, MS, 50 * NSEC_PER_USEC);
	/* told while it was on the CPU still: EBUSY, and the program tried again */
	assert_int_equal(PROBE(s64, last_error), -EBUSY);
	expect_msg_of(MSG_TASK_BLOCKED, t);
	assert_near(msg.blocked.runtime, 2 * MS, 50 * NSEC_PER_USEC);
	shut_down_ghost();
}

static void test_msg_dead(void **state)
{
	u32 index, available;
	struct task *t;
	u64 gtid;

	boot_ghost("1", quiet);
	run_for(MS);
	available = enclave->region->available;
	t = make_scripted((struct task_params){ 0 }, SCRIPT({ ACT_COMPUTE, MS }));
	index = t->ghost.sw_index;
	gtid = gtid_of(t);
	assert_int_equal(stats_now().nr_tasks, 1);
	assert_int_equal(enclave->region->available, available - 1);
	task_start(t);
	run_for(2 * MS);
	expect_msg(MSG_TASK_BLOCKED);
	assert_int_equal(msg.seqnum, 2);
	expect_msg(MSG_TASK_DEAD);
	assert_int_equal(msg.seqnum, 3);
	assert_int_equal(msg.dead.cpu, 0);
	assert_int_equal(msg.dead.gtid, gtid);
	assert_int_equal(stats_now().nr_tasks, 0);
	assert_int_equal(enclave->region->available, available);
	assert_int_equal(ghost_sw(enclave, index)->flags, 0);
	shut_down_ghost();
}

static void test_msg_departed(void **state)
{
	struct task *running, *waiting;

	boot_ghost("1", quiet);
	running = hog(0);
	run_for(2 * MS);
	waiting = hog(0);
	run_for(MS);
	forget_msgs();
	set_policy(waiting, SCHED_BATCH, 0);
	expect_msg_of(MSG_TASK_DEPARTED, waiting);
	assert_int_equal(msg.departed.cpu, 0);
	assert_int_equal(msg.departed.was_current, 0);
	assert_ptr_equal(class_of(&waiting->ts), &fair_sched_class);
	assert_null(waiting->ghost.sw);
	run_for(10 * MS);
	assert_true(task_runtime(waiting) > 0);
	assert_int_equal(stats_now().nr_tasks, 1);

	/* and in again */
	forget_msgs();
	set_policy(waiting, SCHED_GHOST, 0);
	expect_msg_of(MSG_TASK_NEW, waiting);
	assert_int_equal(msg.seqnum, 1);
	assert_ptr_equal(class_of(&waiting->ts), &ghost_sched_class);
	run_for(MS);
	assert_int_equal(stats_now().nr_tasks, 2);
	assert_ptr_equal(class_of(&running->ts), &ghost_sched_class);
	shut_down_ghost();
}

/* In, out and in again by itself, on its CPU: told when it leaves it. */
static void policy_next(struct task *task, struct task_action *action)
{
	u32 *round = task_data(task);

	switch ((*round)++) {
	case 0:
		*action = (struct task_action){ ACT_COMPUTE, MS };
		return;
	case 1:
		assert_int_equal(task_set_policy(task, SCHED_GHOST, 0), 0);
		*action = (struct task_action){ ACT_COMPUTE, MS };
		return;
	case 2:
		assert_int_equal(task_set_policy(task, SCHED_NORMAL, 0), 0);
		*action = (struct task_action){ ACT_COMPUTE, MS };
		return;
	}
	*action = (struct task_action){ ACT_SLEEP, MS };
}

static void test_changes_of_policy_by_itself(void **state)
{
	static const struct task_behaviour behaviour = { .next = policy_next };
	struct task_params params = { .comm = "changes", .policy = SCHED_IDLE };
	u32 round = 0;
	struct task *t;
	int err;

	boot_ghost("1", quiet);
	t = task_create(&params, &behaviour, &round, &err);
	task_start(t);
	run_for(MS + MS / 2);
	expect_msg_of(MSG_TASK_NEW, t);
	assert_int_equal(msg.newt.runnable, 1);
	assert_near(msg.newt.runtime, MS, 100 * NSEC_PER_USEC);
	run_for(2 * MS);
	expect_msg_of(MSG_TASK_DEPARTED, t);
	assert_int_equal(msg.departed.was_current, 1);
	assert_ptr_equal(class_of(&t->ts), &fair_sched_class);
	assert_int_equal(round, 4);
	shut_down_ghost();
}

static void test_msg_on_cpu(void **state)
{
	struct task *t;
	u64 seqnum;

	boot_ghost("1", quiet);
	t = hog(0);
	run_for(MS);
	assert_false(find_msg(MSG_TASK_ON_CPU));
	PROBE(u32, run_flags) = SEND_TASK_ON_CPU;
	set_nice(t, 1);
	run_for(MS);
	expect_msg_of(MSG_TASK_ON_CPU, t);
	assert_int_equal(msg.on_cpu.cpu, 0);
	assert_true(msg.on_cpu.commit_time > kernel_now() - MS);
	seqnum = msg.on_cpu.cpu_seqnum;
	set_nice(t, 2);
	run_for(MS);
	expect_msg_of(MSG_TASK_ON_CPU, t);
	/* PREEMPT, latched, ON_CPU */
	assert_int_equal(msg.on_cpu.cpu_seqnum, seqnum + 3);
	assert_int_equal(count_msgs(MSG_TASK_ON_CPU), 0);
	shut_down_ghost();
}

static void test_msg_affinity(void **state)
{
	struct cpumask other = { 0 };
	struct task *t;
	u32 cpu;

	boot_ghost("2", quiet);
	PROBE(u32, kick_cpus) = 2;
	t = hog(0);
	run_for(MS);
	forget_msgs();
	cpu = !t->ts.cpu;
	cpumask_set_cpu(cpu, &other);
	set_affinity(t, &other);
	run_for(MS);
	expect_msg_of(MSG_TASK_AFFINITY_CHANGED, t);
	expect_msg_of(MSG_TASK_PREEMPT, t);
	run_for(MS);
	assert_ptr_equal(cpu_rq(cpu)->curr, &t->ts);
	shut_down_ghost();
}

/* Latched for a CPU on which it may not run any more: it goes, and this is told. */
static void test_affinity_of_a_task_that_may_not_run_here(void **state)
{
	struct cpumask second = { .bits = { 2 } };
	struct task *t;

	boot_ghost("2", quiet);
	PROBE(u32, hold_cpu) = 2;
	t = start((struct task_params){ .allowed = &second }, 0, 0);
	run_for(MS);
	/* CPU 0 tries, and must not */
	PROBE(u8, dont_idle) = 1;
	fair_job(1000, 1000);
	run_for(MS);
	assert_int_equal(PROBE(s64, last_error), -EINVAL);
	assert_int_equal(task_runtime(t), 0);
	shut_down_ghost();
}

static void test_msg_priority(void **state)
{
	struct task *t;

	boot_ghost("1", quiet);
	t = hog(0);
	run_for(MS);
	set_nice(t, 7);
	expect_msg_of(MSG_TASK_PRIORITY_CHANGED, t);
	assert_int_equal(msg.priority.nice, 7);
	assert_int_equal(msg.seqnum, t->ghost.sw->barrier);
	run_for(5 * MS);
	assert_true(task_runtime(t) > MS);
	shut_down_ghost();
}

static void test_msg_latch_failure(void **state)
{
	struct task *t;

	boot_ghost("1", quiet);
	t = scripted((struct task_params){ 0 },
		     SCRIPT({ ACT_COMPUTE, MS }, { ACT_YIELD, 0 }, { ACT_COMPUTE, 10 * MS }));
	run_for(2 * MS);
	expect_msg_of(MSG_TASK_YIELD, t);
	expect_msg_of(MSG_TASK_LATCH_FAILURE, t);
	assert_int_equal(msg.latch_failure.error, EBUSY);
	/* the barrier has not moved: what the program holds is good */
	assert_int_equal(msg.seqnum, 2);
	assert_int_equal(t->ghost.sw->barrier, 2);
	assert_ptr_equal(cpu_rq(0)->curr, &t->ts);
	shut_down_ghost();
}

/* Another task is latched in place of one that runs: that one is told of, or not. */
static void check_replacement(u32 run_flags)
{
	struct task *a, *b;

	boot_ghost("1", (struct ghost_config){ .deliver_ticks = true });
	a = hog(0);
	b = hog(0);
	run_for(MS);
	assert_ptr_equal(cpu_rq(0)->curr, &a->ts);
	forget_msgs();
	PROBE(u8, latch_anyway) = 1;
	PROBE(u32, run_flags) = run_flags;
	ask(CALL_RESCHED_CPU2, 0, MSG_CPU_TICK, 0, RESCHED_GHOST_CLASS, 0);
	run_for(4 * MS);
	assert_int_equal(PROBE(s64, result), 0);
	assert_int_equal(PROBE(u32, calls), 1);
	assert_ptr_equal(cpu_rq(0)->curr, &b->ts);
	assert_true(a->ts.on_rq == 1 && !a->ts.on_cpu);
	assert_int_equal(count_msgs(MSG_TASK_PREEMPT), !run_flags);
	shut_down_ghost();
}

static void test_elide_preempt(void **state)
{
	check_replacement(0);
	check_replacement(ELIDE_PREEMPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_tasks),
		cmocka_unit_test(test_has_no_policy),
		cmocka_unit_test(test_fair_goes_first),
		cmocka_unit_test(test_dont_idle),
		cmocka_unit_test(test_must_resched),
		cmocka_unit_test(test_context_of_pnt),
		cmocka_unit_test(test_msg_new),
		cmocka_unit_test(test_msg_wakeup_and_blocked),
		cmocka_unit_test(test_msg_wakeup_cpus),
		cmocka_unit_test(test_select_rq),
		cmocka_unit_test(test_msg_preempt),
		cmocka_unit_test(test_msg_preempt_of_latched),
		cmocka_unit_test(test_msg_yield),
		cmocka_unit_test(test_msg_dead),
		cmocka_unit_test(test_msg_departed),
		cmocka_unit_test(test_changes_of_policy_by_itself),
		cmocka_unit_test(test_msg_on_cpu),
		cmocka_unit_test(test_msg_affinity),
		cmocka_unit_test(test_affinity_of_a_task_that_may_not_run_here),
		cmocka_unit_test(test_msg_priority),
		cmocka_unit_test(test_msg_latch_failure),
		cmocka_unit_test(test_elide_preempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
