// SPDX-License-Identifier: GPL-2.0-only
/*
 * What else ghOSt tells: messages of CPUs, barriers, status words, figures.
 */
#include "test_sched_ghost.h"

static const struct ghost_config quiet;

/* --- messages of CPUs ----------------------------------------------------------------- */

static void test_msg_tick(void **state)
{
	u32 barrier;

	boot_ghost("1", (struct ghost_config){ .deliver_ticks = true });
	run_for(10 * MS);
	/* the tick sleeps with the CPU, and is told of only for ghOSt's tasks */
	fair_job(9 * MS, MS);
	run_for(9 * MS);
	assert_false(find_msg(MSG_CPU_TICK));
	shut_down_ghost();

	boot_ghost("1", (struct ghost_config){ .deliver_ticks = true });
	hog(0);
	run_for(10 * MS);
	expect_msg(MSG_CPU_TICK);
	assert_int_equal(msg.cpu_tick.cpu, 0);
	assert_int_equal(msg.cpu_tick.is_agent, 0);
	barrier = msg.seqnum;
	expect_msg(MSG_CPU_TICK);
	assert_int_equal(msg.seqnum, barrier + 1);
	assert_int_equal(ghost_of(cpu_rq(0))->agent_barrier, barrier + 1);
	shut_down_ghost();

	boot_ghost("1", quiet);
	hog(0);
	run_for(10 * MS);
	assert_false(find_msg(MSG_CPU_TICK));
	shut_down_ghost();
}

static void test_msg_availability(void **state)
{
	struct task *fair;
	u32 available;

	boot_ghost("2", (struct ghost_config){ .deliver_cpu_availability = true });
	run_for(MS);
	/* each has looked once */
	available = count_msgs(MSG_CPU_AVAILABLE);
	assert_true(available >= 2);
	fair = fair_job(MS, MS);
	run_for(MS / 2);
	forget_msgs();
	run_for(MS);
	expect_msg_of_cpu(MSG_CPU_BUSY, (u32)fair->ts.cpu);
	assert_false(ghost_of(task_rq(&fair->ts))->available);
	run_for(MS);
	expect_msg_of_cpu(MSG_CPU_AVAILABLE, (u32)fair->ts.cpu);
	assert_true(ghost_of(task_rq(&fair->ts))->available);
	shut_down_ghost();

	boot_ghost("1", quiet);
	fair_job(MS, MS);
	run_for(10 * MS);
	assert_false(find_msg(MSG_CPU_BUSY));
	shut_down_ghost();
}

static void test_msg_agent(void **state)
{
	struct ghost_config config = { .deliver_agent_runnability = true, .deliver_ticks = true };
	struct task *t;

	boot_ghost("1", config);
	t = hog(0);
	run_for(MS);
	assert_ptr_equal(cpu_rq(0)->curr, &t->ts);
	assert_false(find_msg(MSG_CPU_AGENT_WAKEUP));
	ask(CALL_WAKE_AGENT, 0, MSG_CPU_TICK, 0, 0, 0);
	run_for(4 * MS);
	assert_int_equal(PROBE(s64, result), 0);
	expect_msg(MSG_CPU_AGENT_WAKEUP);
	assert_int_equal(msg.agent_wakeup.cpu, 0);
	/* the agent goes before the task, which is told to be preempted */
	expect_msg_of(MSG_TASK_PREEMPT, t);
	expect_msg(MSG_CPU_AGENT_BLOCKED);
	assert_int_equal(msg.agent_blocked.cpu, 0);
	assert_ptr_equal(cpu_rq(0)->curr, &t->ts);
	shut_down_ghost();

	config.deliver_agent_runnability = false;
	boot_ghost("1", config);
	hog(0);
	ask(CALL_WAKE_AGENT, 0, MSG_CPU_TICK, 0, 0, 0);
	run_for(8 * MS);
	assert_int_equal(PROBE(u32, calls), 1);
	assert_false(find_msg(MSG_CPU_AGENT_WAKEUP));
	shut_down_ghost();
}

/* --- programs and messages ---------------------------------------------------------------- */

static void test_kept_messages(void **state)
{
	struct ghost_stats stats;
	u32 i;

	boot_ghost("1", quiet);
	start((struct task_params){ 0 }, MS, MS);
	run_for(10 * MS);
	PROBE(u8, kept) = 1;
	run_for(10 * MS);
	stats = stats_now();
	assert_int_equal(stats.nr_tasks, 1);
	for (i = 0; strcmp(stats.messages[i].name, "TASK_WAKEUP"); i++)
		;
	assert_near(stats.messages[i].produced, 10, 1);
	assert_near(stats.messages[i].kept, 5, 1);
	assert_int_equal(stats.messages[i].produced, count_msgs(MSG_TASK_WAKEUP));
	for (i = 0; stats.messages[i].name; i++)
		;
	assert_int_equal(i, NR_GHOST_MSGS);
	shut_down_ghost();
}

/* What a program leaves in its context harms nobody. */
static void test_scribbled_payload(void **state)
{
	struct task *t;

	boot_ghost("1", quiet);
	PROBE(u8, scribble) = 1;
	t = start((struct task_params){ 0 }, MS, MS);
	run_for(10 * MS);
	assert_true(job_of(t)->rounds >= 4);
	shut_down_ghost();
}

/* The barrier rises with every message, and a stale one is refused. */
static void test_barriers(void **state)
{
	u32 barrier, last = 0;
	struct task *t;

	boot_ghost("1", quiet);
	t = scripted((struct task_params){ 0 },
		     SCRIPT({ ACT_COMPUTE, MS }, { ACT_SLEEP, MS }, { ACT_YIELD, 0 },
			    { ACT_COMPUTE, MS }, { ACT_SLEEP, MS }, { ACT_COMPUTE, 100 * MS }));
	run_for(2 * MS + MS / 2);
	set_nice(t, 3);
	run_for(4 * MS);
	barrier = t->ghost.sw->barrier;
	while (!bpf_map_lookup_and_delete_elem(map_fd("messages"), NULL, &msg)) {
		if (msg.type == MSG_TASK_LATCH_FAILURE)
			continue;
		assert_int_equal(msg.seqnum, ++last);
	}
	assert_int_equal(last, barrier);
	shut_down_ghost();
}

static void test_status_word(void **state)
{
	const struct ghost_status_word *sw;
	struct task *t;
	u64 before;

	boot_ghost("1", quiet);
	assert_int_equal(enclave->region->version, 0);
	assert_int_equal(enclave->region->capacity, 65536);
	assert_int_equal(enclave->region->start, 64);
	/* the agent's */
	sw = ghost_sw(enclave, 0);
	assert_true(sw->flags & GHOST_SW_TASK_IS_AGENT);
	before = kernel_now();
	t = start((struct task_params){ 0 }, MS, MS);
	sw = ghost_sw(enclave, 1);
	run_for(MS / 2);
	assert_int_equal(sw->gtid, gtid_of(t));
	assert_int_equal(sw->flags, GHOST_SW_F_INUSE | GHOST_SW_F_ALLOCATED);
	assert_int_equal(sw->barrier, 2);
	run_for(MS);
	assert_int_equal(sw->flags, GHOST_SW_F_INUSE | GHOST_SW_F_ALLOCATED |
					    GHOST_SW_TASK_ONCPU | GHOST_SW_TASK_RUNNABLE);
	assert_true((u64)sw->switch_time > before + MS);
	run_for(MS);
	assert_int_equal(sw->flags, GHOST_SW_F_INUSE | GHOST_SW_F_ALLOCATED);
	assert_int_equal(sw->runtime, t->ts.se.sum_exec_runtime);
	shut_down_ghost();
}

/* Numbers of status words are dense and used again; gtids never are. */
static void test_indices_and_gtids(void **state)
{
	u32 index;
	s64 gtid;
	struct task *t, *other;

	boot_ghost("1", quiet);
	t = make_scripted((struct task_params){ 0 }, SCRIPT({ ACT_COMPUTE, 1000 }));
	other = hog(0);
	index = t->ghost.sw_index;
	gtid = gtid_of(t);
	assert_int_equal(other->ghost.sw_index, index + 1);
	assert_int_equal(gtid >> GHOST_TID_SEQNUM_BITS, task_pid(t));
	task_start(t);
	PROBE(u8, must_resched) = 1;
	fair_job(1000, 1000);
	run_for(10 * MS);
	t = hog(0);
	assert_int_equal(t->ghost.sw_index, index);
	assert_int_not_equal(gtid_of(t), gtid);
	assert_true((gtid_of(t) & ((1LL << GHOST_TID_SEQNUM_BITS) - 1)) >
		    (gtid_of(other) & ((1LL << GHOST_TID_SEQNUM_BITS) - 1)));
	shut_down_ghost();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_msg_tick),
		cmocka_unit_test(test_msg_availability),
		cmocka_unit_test(test_msg_agent),
		cmocka_unit_test(test_kept_messages),
		cmocka_unit_test(test_scribbled_payload),
		cmocka_unit_test(test_barriers),
		cmocka_unit_test(test_status_word),
		cmocka_unit_test(test_indices_and_gtids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
