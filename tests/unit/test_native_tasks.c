// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workloads on real threads. Times are real here, so what is checked is order
 * and counts, and times only from the side that cannot be too early.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/base/alloc.h"
#include "../../src/native/native.h"
#include "../../src/sched/kernel.h"
#include "../../src/workload/workload.h"

static u64 counts[NR_TRACE_TYPES];
static u64 ops;
static u64 last_time;

static void on_record(const struct trace_record *rec)
{
	counts[rec->type]++;
	if (rec->type == TRACE_OPS)
		ops += rec->a;
	assert_true(rec->time >= last_time);
	last_time = rec->time;
	assert_true(rec->pid > 0);
}

static int setup(void **state)
{
	struct native_config config = {
		.nr_cpus = (u32)sysconf(_SC_NPROCESSORS_CONF), .seed = 1, .record = on_record,
	};

	memset(counts, 0, sizeof(counts));
	ops = last_time = 0;
	native_init(&config);
	return 0;
}

/* --- a behaviour of our own --------------------------------------------------------- */

#define SLEEP_NS (20 * NSEC_PER_MSEC)

struct script {
	u32 step;
	u64 before, after, computed;
	struct wait_queue *wq;
	bool timed_out;
	bool released;
};

static void sleeper_next(struct task *task, struct task_action *action)
{
	struct script *s = task_data(task);

	assert_ptr_equal(task, current_task());
	assert_true(current_cpu() < (u32)sysconf(_SC_NPROCESSORS_CONF));
	switch (s->step++) {
	case 0:
		assert_int_equal(task_pid(task), syscall(SYS_gettid));
		s->before = task_clock();
		*action = (struct task_action){ ACT_SLEEP, SLEEP_NS };
		return;
	case 1:
		s->after = task_clock();
		*action = (struct task_action){ ACT_SPIN, SLEEP_NS };
		return;
	case 2:
		s->computed = task_runtime(task);
		wait_queue_add(s->wq, SLEEP_NS);
		*action = (struct task_action){ .kind = ACT_BLOCK };
		return;
	default:
		s->timed_out = wait_timed_out();
		task_report_ops(7);
		*action = (struct task_action){ .kind = ACT_EXIT };
	}
}

static void sleeper_release(struct task *task)
{
	struct script *s = task_data(task);

	__atomic_store_n(&s->released, true, __ATOMIC_RELEASE);
}

static const struct task_behaviour sleeper = { .next = sleeper_next, .release = sleeper_release };

struct creation {
	struct task_params params;
	const struct task_behaviour *behaviour;
	void *data;
	struct task *task;
	int err;
};

static void create_inside(void *arg)
{
	struct creation *c = arg;

	c->task = task_create(&c->params, c->behaviour, c->data, &c->err);
}

static struct task *make(const char *comm, const struct task_behaviour *behaviour, void *data)
{
	struct creation c = {
		.params = { .comm = comm, .policy = SCHED_NORMAL }, .behaviour = behaviour, .data = data,
	};

	kernel_run_inside(create_inside, &c);
	assert_non_null(c.task);
	assert_int_equal(c.err, 0);
	return c.task;
}

struct start {
	struct task *tasks[2];
	u32 nr;
};

static void start_tasks(void *arg)
{
	struct start *start = arg;

	for (u32 i = 0; i < start->nr; i++)
		task_start(start->tasks[i]);
}

static void test_actions(void **state)
{
	struct wait_queue wq;
	struct script s = { .wq = &wq };
	struct start start = { .nr = 1 };

	wait_queue_init(&wq);
	start.tasks[0] = make("sleeper", &sleeper, &s);
	/* made, but not started */
	native_run_until(kernel_now() + 5 * NSEC_PER_MSEC);
	assert_int_equal(s.step, 0);
	assert_int_equal(counts[TRACE_TASK_NEW], 0);
	kernel_run_inside(start_tasks, &start);
	assert_int_equal(counts[TRACE_TASK_NEW], 1);
	assert_int_equal(counts[TRACE_TASK_NAME], 1);
	for (u32 i = 0; i < 1000 && !__atomic_load_n(&s.released, __ATOMIC_ACQUIRE); i++)
		native_run_until(kernel_now() + 5 * NSEC_PER_MSEC);
	native_exit();
	assert_true(s.released);
	assert_true(s.after - s.before >= SLEEP_NS);
	assert_true(s.computed >= SLEEP_NS);
	assert_true(s.timed_out);
	assert_int_equal(ops, 7);
}

/* --- waking --------------------------------------------------------------------------- */

#define ROUNDS 2000

/* Two tasks that hand a turn to and fro: a lost wakeup would be the end of it. */
struct ping {
	struct wait_queue wq[2];
	u32 turn, rounds;
	u32 done;
};

static struct ping ping;

static void player(struct task_action *action, u32 me)
{
	if (ping.rounds == ROUNDS) {
		__atomic_add_fetch(&ping.done, 1, __ATOMIC_RELEASE);
		wait_queue_wake(&ping.wq[!me], 1, false);
		action->kind = ACT_EXIT;
		return;
	}
	if (ping.turn == me) {
		ping.rounds++;
		ping.turn = !me;
		wait_queue_wake(&ping.wq[!me], 1, true);
	}
	wait_queue_add(&ping.wq[me], 0);
	*action = (struct task_action){ .kind = ACT_BLOCK };
}

static void player0(struct task *task, struct task_action *action)
{
	player(action, 0);
}

static void player1(struct task *task, struct task_action *action)
{
	player(action, 1);
}

static void test_wakeups(void **state)
{
	static const struct task_behaviour players[] = { { .next = player0 }, { .next = player1 } };
	struct start start = { .nr = 2 };

	memset(&ping, 0, sizeof(ping));
	for (u32 i = 0; i < 2; i++) {
		wait_queue_init(&ping.wq[i]);
		start.tasks[i] = make("player", &players[i], NULL);
	}
	kernel_run_inside(start_tasks, &start);
	for (u32 i = 0; i < 4000 && __atomic_load_n(&ping.done, __ATOMIC_ACQUIRE) < 2; i++)
		native_run_until(kernel_now() + 5 * NSEC_PER_MSEC);
	native_exit();
	assert_int_equal(ping.rounds, ROUNDS);
	assert_int_equal(ping.done, 2);
}

/* --- workloads ---------------------------------------------------------------------------- */

static void run_workload(const char *spec, u64 ns)
{
	char err[512];
	struct workload *w = workload_open(spec, err, sizeof(err));

	if (!w)
		fail_msg("%s", err);
	assert_int_equal(workload_start(w, 0), 0);
	native_run_until(kernel_now() + ns);
	native_exit();
	assert_true(counts[TRACE_TASK_NEW] >= workload_nr_tasks(w));
	workload_close(w);
}

static void test_hackbench(void **state)
{
	run_workload("hackbench -g 1 -l 50", 300 * NSEC_PER_MSEC);
	assert_true(counts[TRACE_TASK_NEW] >= 40);
}

/* Tasks that never end, sleep and wait on a timer are stopped. */
static void test_rpc(void **state)
{
	run_workload("rpc -r 2000", 200 * NSEC_PER_MSEC);
	assert_true(counts[TRACE_REQUEST] > 50);
}

/* Files are real ones, of our own, and gone in the end. */
static void open_files(void *arg)
{
	int *fds = arg;

	assert_int_equal(kernel_make_file("/etc/vrt-test/deep/x", 100), 0);
	assert_int_equal(kernel_make_file("/etc/vrt-test/deep/x", 100), -EEXIST);
	fds[0] = sys_openat2("/etc/vrt-test/deep/x", O_RDONLY);
	assert_true(fds[0] >= 0);
	assert_int_equal(sys_read(fds[0], 80), 80);
	assert_int_equal(sys_read(fds[0], 80), 20);
	assert_int_equal(sys_close(fds[0]), 0);
	assert_int_equal(sys_close(fds[0]), -EBADF);
	assert_int_equal(sys_openat2("/etc/vrt-test/y", O_RDONLY), -ENOENT);
	/* nothing of the host's is reached */
	assert_int_equal(sys_openat2("/etc/passwd", O_RDONLY), -ENOENT);
	assert_int_not_equal(access("/etc/vrt-test", F_OK), 0);
	fds[1] = sys_openat2("/etc/vrt-test/deep/x", O_PATH);
}

static void test_files(void **state)
{
	char path[PATH_MAX], link[64];
	int fds[2];
	ssize_t len;

	kernel_run_inside(open_files, fds);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fds[1]);
	len = readlink(link, path, sizeof(path) - 1);
	assert_true(len > 0);
	path[len] = '\0';
	assert_int_equal(access(path, F_OK), 0);
	close(fds[1]);
	native_exit();
	assert_int_not_equal(access(path, F_OK), 0);
	*strstr(path, "/etc/") = '\0';
	assert_int_not_equal(access(path, F_OK), 0);
}

static void test_bad_attributes(void **state)
{
	struct script s = { 0 };
	struct creation c = {
		.params = { .comm = "bad", .policy = SCHED_FIFO, .rt_priority = 200 },
		.behaviour = &sleeper, .data = &s,
	};

	kernel_run_inside(create_inside, &c);
	assert_null(c.task);
	assert_int_equal(c.err, -EINVAL);
	native_exit();
	assert_false(s.released);
	assert_int_equal(counts[TRACE_TASK_NEW], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_actions, setup),
		cmocka_unit_test_setup(test_wakeups, setup),
		cmocka_unit_test_setup(test_hackbench, setup),
		cmocka_unit_test_setup(test_rpc, setup),
		cmocka_unit_test_setup(test_files, setup),
		cmocka_unit_test_setup(test_bad_attributes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
