// SPDX-License-Identifier: GPL-2.0-only
/* switchto: tasks hand a CPU on among themselves, and the program hears of chains only. */
#include "test_sched_ghost.h"

/*
 * A ring of players: who has the ball computes, and hands its CPU to the next one.
 * The last one of a round keeps it and sleeps, or blocks.
 */
#define PLAYERS 3

struct player {
	struct task *task;
	struct wait_queue wq;
	u32 turns;
	bool waiting;
	int err;
};

static struct player players[PLAYERS];
static u32 rounds_left;
static u64 work_ns;

static void player_next(struct task *task, struct task_action *action)
{
	struct player *self = task_data(task), *next = self + 1;

	if (next == players + PLAYERS)
		next = players;
	self->waiting = !self->waiting;
	if (!self->waiting) {
		self->turns++;
		*action = (struct task_action){ ACT_COMPUTE, work_ns };
		return;
	}
	wait_queue_add(&self->wq, 0);
	action->kind = ACT_BLOCK;
	if (!rounds_left)
		return;
	/* each waits first for its first turn, but the first one */
	if (!self->turns && self != players)
		return;
	rounds_left--;
	self->err = task_switchto(next->task);
}

static const struct task_behaviour player_behaviour = { .next = player_next };

static void start_players(u32 switches)
{
	rounds_left = switches;
	memset(players, 0, sizeof(players));
	for (u32 i = PLAYERS; i-- > 0;) {
		struct task_params params = { .comm = "player" };
		int err;

		wait_queue_init(&players[i].wq);
		players[i].task = task_create(&params, &player_behaviour, &players[i], &err);
		assert_non_null(players[i].task);
	}
	/* the first one begins when all others wait */
	for (u32 i = PLAYERS; i-- > 1;)
		task_start(players[i].task);
	run_for(MS);
	players[0].waiting = true;
	task_start(players[0].task);
}

static void boot_players(u64 work)
{
	work_ns = work;
	boot_ghost("1", (struct ghost_config){ 0 });
}

static void test_chain(void **state)
{
	struct ghost_stats before, after;

	boot_players(100 * NSEC_PER_USEC);
	start_players(8);
	forget_msgs();
	before = stats_now();
	run_for(5 * MS);
	after = stats_now();
	assert_int_equal(players[0].turns, 3);
	assert_int_equal(players[1].turns, 3);
	assert_int_equal(players[2].turns, 3);
	for (u32 i = 0; i < PLAYERS; i++)
		assert_int_equal(players[i].err, 0);
	/* told of its beginning, by whom, and of its end */
	assert_int_equal(after.messages[7].produced, before.messages[7].produced + 1);
	assert_string_equal(after.messages[7].name, "TASK_SWITCHTO");
	expect_msg_of(MSG_TASK_SWITCHTO, players[0].task);
	assert_int_equal(msg.switchto.cpu, 0);
	assert_near(msg.switchto.runtime, 100 * NSEC_PER_USEC, 5 * NSEC_PER_USEC);
	expect_msg_of(MSG_TASK_BLOCKED, players[2].task);
	assert_int_equal(msg.blocked.from_switchto, 1);
	assert_near(msg.blocked.runtime, 300 * NSEC_PER_USEC, 15 * NSEC_PER_USEC);
	/* one pick to begin, one at the end, and those of the thread that lets time pass */
	assert_true(after.picks - before.picks <= 3);
	assert_int_equal(after.messages[2].produced, before.messages[2].produced);
	shut_down_ghost();
}

/* A class above breaks the chain. */
static void test_chain_is_preempted(void **state)
{
	boot_players(MS);
	start_players(100);
	run_for(2 * MS + MS / 2);
	fair_job(NSEC_PER_USEC, MS);
	forget_msgs();
	run_for(4 * MS);
	expect_msg(MSG_TASK_PREEMPT);
	assert_int_equal(msg.preempt.from_switchto, 1);
	assert_int_equal(msg.preempt.was_latched, 0);
	/* it goes on with a new chain, as it is the policy's again */
	expect_msg(MSG_TASK_SWITCHTO);
	assert_true(players[0].turns + players[1].turns + players[2].turns > 4);
	shut_down_ghost();
}

static void test_chain_ends_with_the_enclave(void **state)
{
	boot_players(50 * NSEC_PER_USEC);
	start_players(1000);
	run_for(2 * MS);
	ghost_destroy(enclave);
	run_for(5 * MS);
	/* all of them are fair tasks now, and switchto is ghOSt's */
	assert_true(players[0].err == -EINVAL || players[1].err == -EINVAL ||
		    players[2].err == -EINVAL);
	shut_down_ghost();
}

static void test_who_cannot_be_switched_to(void **state)
{
	boot_players(MS);
	start_players(100);
	/* the second one does not wait: it has left ghOSt and computes */
	set_policy(players[1].task, SCHED_NORMAL, 0);
	run_for(3 * MS);
	assert_int_equal(players[0].err, -EINVAL);
	assert_int_equal(players[0].turns, 1);
	shut_down_ghost();
}

/* One that runs, or could, does not wait. */
static void again_next(struct task *task, struct task_action *action)
{
	struct player *self = task_data(task);

	if (!self->turns++) {
		*action = (struct task_action){ ACT_COMPUTE, MS };
		return;
	}
	wait_queue_add(&self->wq, 0);
	action->kind = ACT_BLOCK;
	self->err = task_switchto(players[1].task);
}

static void test_target_that_does_not_wait(void **state)
{
	static const struct task_behaviour again = { .next = again_next };
	struct task_params params = { .comm = "again" };
	int err;

	boot_players(MS);
	memset(players, 0, sizeof(players));
	wait_queue_init(&players[0].wq);
	players[0].task = task_create(&params, &again, &players[0], &err);
	task_start(players[0].task);
	players[1].task = hog(0);
	run_for(4 * MS);
	assert_int_equal(players[0].err, -EAGAIN);
	/* it just waits, as it would have */
	assert_false(players[0].task->ts.on_rq);
	assert_ptr_equal(cpu_rq(0)->curr, &players[1].task->ts);
	shut_down_ghost();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_chain_is_preempted),
		cmocka_unit_test(test_chain_ends_with_the_enclave),
		cmocka_unit_test(test_who_cannot_be_switched_to),
		cmocka_unit_test(test_target_that_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
