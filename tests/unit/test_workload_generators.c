// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generators: nothing is lost or made up (messages, requests, tasks), figures
 * are what the definitions say, options are strict. On a kernel without a
 * scheduler, where every task has a CPU to itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_kernel.c"

#include "../../src/workload/channel.h"
#include "../../src/workload/options.h"
#include "../../src/workload/service.h"
#include "../../src/workload/sync.h"
#include "../../src/workload/workload.h"

#define MS NSEC_PER_MSEC
#define US NSEC_PER_USEC

static char err[4096];

static struct workload *start(u32 nr_cpus, const char *spec)
{
	struct workload *w;

	fake_boot(nr_cpus);
	w = workload_open(spec, err, sizeof(err));
	if (!w)
		fail_msg("%s", err);
	assert_int_equal(workload_start(w, 0), 0);
	assert_int_equal(fake.nr_tasks, workload_nr_tasks(w));
	return w;
}

static void stop(struct workload *w)
{
	fake_shutdown();
	workload_close(w);
}

static void expect_error(const char *spec, const char *message)
{
	if (workload_open(spec, err, sizeof(err)))
		fail_msg("accepted: %s", spec);
	assert_string_equal(err, message);
}

/* The figure that contains @part; NULL if there is none. */
static const char *figure(struct workload *w, const char *part)
{
	const char *line;
	u32 i;

	for (i = 0; (line = workload_figure(w, i)); i++)
		if (strstr(line, part))
			return line;
	return NULL;
}

/* --- synchronization ------------------------------------------------------------------ */

/* A task that calls @step until it says that it is finished. */
struct script {
	bool (*step)(struct script *s, struct task_action *action);
	u32 at, n;
};

static void script_next(struct task *self, struct task_action *action)
{
	struct script *s = task_data(self);

	if (s->step(s, action)) {
		action->kind = ACT_EXIT;
		action->ns = 0;
	}
}

static void run_script(struct script *s)
{
	static const struct task_behaviour behaviour = { .next = script_next };
	struct task_params params = { .comm = "script" };
	int error;

	task_start(task_create(&params, &behaviour, s, &error));
}

static struct channel channel;
static u32 high_water;

static bool write_100(struct script *s, struct task_action *action)
{
	for (; s->n < 1000; s->n++) {
		if (!channel_write(&channel, action))
			return false;
		high_water = max(high_water, channel_count(&channel));
	}
	return true;
}

/* Reads one message a microsecond. */
static bool read_slowly(struct script *s, struct task_action *action)
{
	if (s->n == s->at)
		return true;
	if (!channel_read(&channel, action))
		return false;
	s->n++;
	action->kind = ACT_COMPUTE;
	action->ns = US;
	return false;
}

static void run_channel(u32 writers, u32 expected_high_water)
{
	struct script w[8] = { 0 }, r = { read_slowly, writers * 1000, 0 };
	u32 i;

	high_water = 0;
	run_script(&r);
	for (i = 0; i < writers; i++) {
		w[i].step = write_100;
		run_script(&w[i]);
	}
	fake_run_for(NSEC_PER_SEC);
	assert_int_equal(r.n, writers * 1000);
	assert_int_equal(fake.group[0].exited, writers + 1);
	assert_int_equal(channel.passed, writers * 1000);
	assert_int_equal(channel_count(&channel), 0);
	assert_int_equal(high_water, expected_high_water);
	assert_true(fake.syncs > 0);
	fake_shutdown();
}

static void test_pipe_buffers(void **state)
{
	u32 size;

	for (size = 1; size <= CHANNEL_MAX_MESSAGE; size = size * 3 + 1) {
		fake_boot(8);
		channel_init_pipe(&channel, size, 3);
		/* 16 pages, which 5 writers of 1000 never fill with tiny messages */
		run_channel(5, min(16 * (4096 / size), 5000U));
	}
}

static void test_socket_buffers(void **state)
{
	fake_boot(8);
	channel_init_socket(&channel, 100, 3);
	run_channel(5, 212992 / (576 + 128));
}

static struct sync_mutex mutex;
static struct sync_sem sem;
static u32 inside, most_inside;

static bool hold_mutex(struct script *s, struct task_action *action)
{
	for (; s->n < 10; s->n++) {
		if (s->at == 0) {
			if (!sync_mutex_lock(&mutex, action))
				return false;
			most_inside = max(most_inside, ++inside);
			s->at = 1;
			action->kind = ACT_COMPUTE;
			action->ns = US;
			return false;
		}
		inside--;
		s->at = 0;
		sync_mutex_unlock(&mutex);
	}
	return true;
}

static void test_mutex_excludes(void **state)
{
	struct script s[7] = { 0 };
	u32 i;

	fake_boot(8);
	sync_mutex_init(&mutex);
	for (i = 0; i < 7; i++) {
		s[i].step = hold_mutex;
		run_script(&s[i]);
	}
	fake_run_for(70 * US);
	fake_run_for(70 * US);
	assert_int_equal(most_inside, 1);
	assert_int_equal(fake.group[0].exited, 7);
	assert_null(mutex.owner);
	fake_shutdown();
}

static bool produce(struct script *s, struct task_action *action)
{
	if (s->n++ == 20)
		return true;
	sync_sem_up(&sem);
	action->kind = ACT_COMPUTE;
	action->ns = US;
	return false;
}

static bool consume(struct script *s, struct task_action *action)
{
	for (; s->n < s->at; s->n++)
		if (!sync_sem_down(&sem, action))
			return false;
	return true;
}

static void test_semaphore_counts(void **state)
{
	struct script p = { produce, 0, 0 },
		      c[3] = { { consume, 10, 0 }, { consume, 8, 0 }, { consume, 5, 0 } };

	fake_boot(4);
	sync_sem_init(&sem, 2);
	run_script(&c[0]);
	run_script(&c[1]);
	run_script(&c[2]);
	run_script(&p);
	fake_run_for(MS);
	/* 22 units for 23 wishes */
	assert_int_equal(c[0].n + c[1].n + c[2].n, 22);
	assert_int_equal(sem.count, 0);
	assert_int_equal(fake.group[0].exited, 3);
	fake_shutdown();
}

/* --- hackbench -------------------------------------------------------------------------- */

static void hackbench(const char *spec, u64 groups, u64 fds, u64 loops)
{
	struct workload *w = start(16, spec);

	assert_int_equal(workload_nr_tasks(w), groups * fds * 2);
	assert_string_equal(workload_group_name(w, 0), "senders");
	assert_string_equal(workload_group_name(w, 1), "receivers");
	assert_non_null(figure(w, "not finished; 0 of"));
	fake_run_for(1000 * NSEC_PER_SEC);
	assert_int_equal(fake.group[1].ops, groups * fds * fds * loops);
	assert_int_equal(fake.group[0].exited, groups * fds);
	assert_int_equal(fake.group[1].exited, groups * fds);
	assert_null(figure(w, "not finished"));
	assert_memory_equal(figure(w, "Time:"), "Time: 0.0", 9);
	assert_true(fake.syncs > 0);
	stop(w);
}

static void test_hackbench_delivers_all(void **state)
{
	hackbench("hackbench -g 2 -l 3", 2, 20, 3);
	hackbench("hackbench --groups=1 --pipe --loops=50 -s4096", 1, 20, 50);
	hackbench("hackbench -g 3 -f 5 -l 40 --sockets --datasize 4096 -T", 3, 5, 40);
	hackbench("hackbench -g1 -f1 -l1", 1, 1, 1);
}

static void test_hackbench_processes(void **state)
{
	struct workload *w = start(4, "hackbench -g 1 -f 2");

	assert_int_not_equal(fake.tasks[1]->ts.tgid, fake.tasks[0]->ts.tgid);
	stop(w);
	w = start(4, "hackbench -g 1 -f 2 --threads");
	assert_int_equal(fake.tasks[3]->ts.tgid, fake.tasks[0]->ts.tgid);
	stop(w);
}

/* --- pipe ---------------------------------------------------------------------------------- */

static void test_pipe_round_trips(void **state)
{
	struct workload *w = start(4, "pipe -l 1000");

	fake_run_for(NSEC_PER_SEC);
	assert_int_equal(fake.group[0].ops, 1000);
	assert_int_equal(fake.group[0].requests, 1000);
	assert_int_equal(fake.group[0].exited, 2);
	/* two calls and the other's wakeup each way */
	assert_in_range(fake.group[0].request_max, 400, 2000);
	assert_string_equal(figure(w, "Executed"),
			    "Executed 1000 pipe operations between two processes");
	assert_non_null(figure(w, "usecs/op"));
	assert_non_null(figure(w, "ops/sec"));
	stop(w);
}

static void test_pipe_places(void **state)
{
	static const struct {
		const char *spec;
		u64 mask[2];
	} places[] = {
		{ "pipe --place any", { 0xff, 0xff } }, { "pipe --place same", { 1, 1 } },
		{ "pipe -P sibling", { 1, 2 } },	{ "pipe -Pllc", { 1, 4 } },
		{ "pipe --place=node", { 1, 0x10 } },
	};
	struct workload *w;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		w = start(8, places[i].spec);
		assert_int_equal(fake.tasks[0]->ts.cpus_mask.bits[0], places[i].mask[0]);
		assert_int_equal(fake.tasks[1]->ts.cpus_mask.bits[0], places[i].mask[1]);
		stop(w);
	}
	fake_boot(8);
	w = workload_open("pipe --place remote", err, sizeof(err));
	assert_int_equal(workload_start(w, 0), -EINVAL);
	assert_string_equal(workload_error(w),
			    "pipe: this machine has no two CPUs that are in different nodes; "
			    "choose another --place or machine");
	stop(w);
}

/* --- schbench ------------------------------------------------------------------------------- */

static void test_schbench_loop(void **state)
{
	/* every request: wakeup, 100 us of sleep, 1 ms of work on a CPU of its own */
	struct workload *w = start(16, "schbench -m 2 -t 4 -s 100 -c 1000 -r 3");

	assert_int_equal(workload_duration(w), 3 * NSEC_PER_SEC);
	assert_int_equal(workload_nr_tasks(w), 10);
	fake_run_for(110 * MS);
	assert_int_equal(fake.group[0].ops, 0);
	assert_in_range(fake.group[1].ops, 8 * 98, 8 * 100);
	assert_int_equal(fake.group[1].requests, fake.group[1].ops);
	/* each worker has waited once more than it has finished */
	assert_in_range(fake.group[1].wakeups, fake.group[1].ops, fake.group[1].ops + 8);
	assert_in_range(fake.group[1].request_max, 1100 * US, 1102 * US);
	assert_in_range(fake.group[1].wakeup_max, 1, 5 * US);
	assert_non_null(figure(w, "Wakeup Latencies percentiles (usec) runtime 0.1 (s)"));
	assert_non_null(figure(w, "* 99.0th: 110"));
	assert_non_null(figure(w, "average rps: 72"));
	stop(w);
}

static void test_schbench_lock(void **state)
{
	/* eight workers on one CPU's lock: one works, the others spin */
	struct workload *w = start(1, "schbench -t 8 -s 0 -c 1000");

	fake_run_for(100 * MS);
	assert_in_range(fake.group[1].ops, 90, 100);
	assert_true(fake.group[1].spin_ns > 600 * MS);
	stop(w);
	w = start(1, "schbench -t 8 -s 0 -c 1000 --no-locking");
	fake_run_for(100 * MS);
	assert_in_range(fake.group[1].ops, 8 * 95, 8 * 100);
	assert_int_equal(fake.group[1].spin_ns, 0);
	stop(w);
}

static void test_schbench_work(void **state)
{
	/* README's calibration: -F 256 -n 5 is 16.9 ms */
	struct workload *w = start(16, "schbench -L -s 0");

	assert_int_equal(workload_nr_tasks(w), 17);
	fake_run_for(100 * MS);
	assert_int_equal(fake.group[1].compute_ns / (5 * 104 * 104 * 104 * 3), 6 * 16);
	stop(w);
}

/* --- rpc ------------------------------------------------------------------------------------- */

static void test_rpc_rate_and_latency(void **state)
{
	struct workload *w = start(8, "rpc --rate 10000 --workers 64 --service 10us -d 10");

	assert_int_equal(workload_duration(w), 10 * NSEC_PER_SEC);
	fake_run_for(10 * NSEC_PER_SEC);
	/* Poisson: 100,000 +- 4 sigma */
	assert_in_range(fake.group[0].ops, 98700, 101300);
	assert_int_equal(fake.group[0].requests, fake.group[0].ops);
	assert_int_equal(fake.group[0].compute_ns / fake.group[0].ops, 10 * US);
	assert_in_range(fake.group[0].request_sum / fake.group[0].ops, 10 * US, 11 * US);
	assert_non_null(figure(w, "offered 10000 requests/s, finished "));
	assert_non_null(figure(w, " 0 dropped"));
	stop(w);
}

static void test_rpc_arrivals_do_not_wait(void **state)
{
	/* one worker at 2x its capacity: half is served, and latency grows with the queue */
	struct workload *w = start(4, "rpc -r 2000 -w 1 -s 1ms");

	fake_run_for(2 * NSEC_PER_SEC);
	assert_in_range(fake.group[0].ops, 1990, 2000);
	/* whoever is served last came in at about half time */
	assert_in_range(fake.group[0].request_max, 900 * MS, 1100 * MS);
	stop(w);
}

static void test_rpc_is_reproducible(void **state)
{
	u64 sums[3];
	u32 i;

	/* the arrivals do not depend on the pool, nor on the machine */
	for (i = 0; i < 3; i++) {
		struct workload *w = start(i == 2 ? 2 : 4, i == 1 ? "rpc -w 1000" : "rpc -w 900");

		fake_run_for(100 * MS);
		sums[i] = fake.group[0].request_sum;
		stop(w);
	}
	assert_int_equal(sums[0], sums[1]);
	assert_int_equal(sums[0], sums[2]);
}

static void test_rpc_queues_and_batch(void **state)
{
	struct workload *w = start(8, "rpc -r 80000 -q 4 -b 3 -w 10 -s exp:5us");

	assert_int_equal(workload_nr_groups(w), 2);
	assert_int_equal(workload_nr_tasks(w), 13);
	fake_run_for(NSEC_PER_SEC);
	assert_in_range(fake.group[0].ops, 78800, 81200);
	assert_in_range(fake.group[0].compute_ns / fake.group[0].ops, 4900, 5100);
	assert_in_range(fake.group[1].ops, 2990, 3000);
	stop(w);

	fake_boot(2);
	w = workload_open("rpc -q 4", err, sizeof(err));
	assert_int_equal(workload_start(w, 0), -EINVAL);
	assert_string_equal(workload_error(w),
			    "rpc: 4 receive queues need as many CPUs, the machine has 2");
	stop(w);
}

static void test_service_times(void **state)
{
	struct service s;
	struct rng rng;
	u64 n = 0, sum = 0, ns;
	u32 i;

	rng_init(&rng, 7);
	assert_int_equal(service_parse(&s, "99.5:4us,0.5:10ms", err, sizeof(err)), 0);
	assert_int_equal(service_mean(&s), 53980);
	for (i = 0; i < 100000; i++) {
		ns = service_draw(&s, &rng);
		assert_true(ns == 4 * US || ns == 10 * MS);
		n += ns == 10 * MS;
	}
	assert_in_range(n, 420, 580);

	assert_int_equal(service_parse(&s, "50:exp:1ms,50:3ms", err, sizeof(err)), 0);
	assert_int_equal(service_mean(&s), 2 * MS);
	for (i = 0; i < 100000; i++)
		sum += service_draw(&s, &rng);
	assert_in_range(sum / 100000, 1980 * US, 2020 * US);

	assert_int_equal(service_parse(&s, "1.5us", err, sizeof(err)), 0);
	assert_int_equal(service_draw(&s, &rng), 1500);
}

/* --- stress ----------------------------------------------------------------------------------- */

static void test_stress_kinds(void **state)
{
	struct workload *w = start(4, "stress --fork 2 --affinity 3 --yield 1 --sleep 1 -w 10");

	assert_int_equal(workload_nr_tasks(w), 7);
	fake_run_for(100 * MS);
	/* group 0: 2 forkers and their children, of whom each has one at a time */
	assert_in_range(fake.group[0].tasks - 2 - fake.group[0].exited, 0, 2);
	assert_in_range(fake.group[0].exited - fake.group[0].ops, 0, 2);
	assert_in_range(fake.group[0].ops, 2 * 4500, 2 * 5000);
	assert_in_range(fake.group[1].ops, 3 * 9500, 3 * 10000);
	assert_int_equal(fake.group[1].ops, fake.tasks[2]->affinities + fake.tasks[3]->affinities +
						    fake.tasks[4]->affinities);
	assert_in_range(fake.tasks[5]->yields, 9900, 10000);
	assert_in_range(fake.tasks[6]->sleeps, 9900, 10000);
	stop(w);
}

static void test_stress_choice(void **state)
{
	struct workload *w = start(4, "stress --yield 5");

	assert_int_equal(workload_nr_groups(w), 1);
	assert_string_equal(workload_group_name(w, 0), "yield");
	assert_int_equal(workload_nr_tasks(w), 5);
	stop(w);
	w = start(4, "stress");
	assert_int_equal(workload_nr_groups(w), 4);
	assert_int_equal(workload_nr_tasks(w), 16);
	stop(w);
}

static void test_stress_survives_refused_forks(void **state)
{
	struct workload *w = start(1, "stress -f 1");

	fake.refuse = -EAGAIN;
	fake_run_for(10 * MS);
	assert_int_equal(fake.group[0].ops, 0);
	assert_non_null(workload_unmodelled(w, 0));
	assert_null(workload_unmodelled(w, 1));
	fake.refuse = 0;
	fake_run_for(10 * MS);
	assert_true(fake.group[0].ops > 300);
	stop(w);
}

/* --- options ------------------------------------------------------------------------------------
 */

static void test_option_errors(void **state)
{
	expect_error("schbench -m 0",
		     "schbench: -m (--message-threads): expected a whole number from 1 to 10000, "
		     "got \"0\"");
	expect_error("schbench -t x",
		     "schbench: -t (--threads): expected a whole number from 1 to 100000, got "
		     "\"x\"");
	expect_error("schbench -t 1.5",
		     "schbench: -t (--threads): expected a whole number from 1 to 100000, got "
		     "\"1.5\"");
	expect_error("schbench -t 99999999999999999999999",
		     "schbench: -t (--threads): expected a whole number from 1 to 100000, got "
		     "\"99999999999999999999999\"");
	expect_error("schbench -t", "schbench: -t (--threads) needs a value (N)");
	expect_error("schbench -s 5m",
		     "schbench: -s (--sleep_usec): expected a time from 0ns to 3600s, such as "
		     "20us or 1.5ms (a plain number counts microseconds), got \"5m\"");
	expect_error("schbench -m 10000 -t 100000",
		     "schbench: 10000 message threads with 100000 workers each are more than "
		     "1000000 tasks");
	expect_error("schbench -n 1000000 -F 1048576",
		     "schbench: a request of 897449558 s of work is too long; make -n or -F "
		     "smaller");
	expect_error("schbench --no-locking=1", "schbench: -L (--no-locking) takes no value");
	expect_error("schbench --thread 4",
		     "schbench: there is no option --thread; did you mean --threads? The options "
		     "are --message-threads --threads --sleep_usec --cputime --operations "
		     "--cache_footprint --no-locking --runtime");
	expect_error("pipe -x",
		     "pipe: there is no option -x; the options are --loop --threaded --place");
	expect_error("pipe fast",
		     "pipe: \"fast\" is not an option; the options are --loop --threaded --place");
	expect_error("pipe --place moon",
		     "pipe: -P (--place): expected one of any|same|sibling|llc|node|remote, got "
		     "\"moon\"");
	expect_error("pipe --place 'same", "pipe: a word begins with ', which is never closed");
	expect_error("hackbench --pipe --sockets", "hackbench: choose one of --pipe and --sockets");
	expect_error("rpc -s '99:4us'",
		     "rpc: -s (--service): the percentages in \"99:4us\" add up to 99.0000 "
		     "instead of 100");
	expect_error("rpc -s 4",
		     "rpc: -s (--service): expected a time such as 10us or exp:10us, or "
		     "percentages with times such as 99.5:4us,0.5:10ms; cannot read \"4\"");
	expect_error("rpc -s '60:1us,50:2us'",
		     "rpc: -s (--service): the percentages in \"60:1us,50:2us\" add up to "
		     "110.0000 instead of 100");
	expect_error("rpc -s '60:1us,40:2us,'",
		     "rpc: -s (--service): expected a time such as 10us or exp:10us, or "
		     "percentages with times such as 99.5:4us,0.5:10ms; cannot read \"\"");
}

static void test_words(void **state)
{
	struct workload *w = start(2, "  hackbench\t-g 1\n-f '2'  -l\"3\" ");

	assert_int_equal(workload_nr_tasks(w), 4);
	stop(w);
}

static void test_help(void **state)
{
	const char *name, *summary, *help;
	u32 i;

	for (i = 0; workload_generator(i, &name, &summary); i++) {
		help = workload_generator_help(name);
		assert_non_null(help);
		assert_memory_equal(help, name, strlen(name));
		assert_non_null(strstr(help, summary));
		assert_non_null(strstr(help, "options of"));
	}
	assert_int_equal(i, 6);
	assert_null(workload_generator_help("moon"));
	assert_non_null(strstr(workload_generator_help("rpc"), "(default 99.5:4us,0.5:10ms)"));
	/* asking within a specification gives the same text as an error */
	assert_null(workload_open("schbench --help", err, sizeof(err)));
	assert_non_null(strstr(err, "--message-threads N"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe_buffers),
		cmocka_unit_test(test_socket_buffers),
		cmocka_unit_test(test_mutex_excludes),
		cmocka_unit_test(test_semaphore_counts),
		cmocka_unit_test(test_hackbench_delivers_all),
		cmocka_unit_test(test_hackbench_processes),
		cmocka_unit_test(test_pipe_round_trips),
		cmocka_unit_test(test_pipe_places),
		cmocka_unit_test(test_schbench_loop),
		cmocka_unit_test(test_schbench_lock),
		cmocka_unit_test(test_schbench_work),
		cmocka_unit_test(test_rpc_rate_and_latency),
		cmocka_unit_test(test_rpc_arrivals_do_not_wait),
		cmocka_unit_test(test_rpc_is_reproducible),
		cmocka_unit_test(test_rpc_queues_and_batch),
		cmocka_unit_test(test_service_times),
		cmocka_unit_test(test_stress_kinds),
		cmocka_unit_test(test_stress_choice),
		cmocka_unit_test(test_stress_survives_refused_forks),
		cmocka_unit_test(test_option_errors),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
