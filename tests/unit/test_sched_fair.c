// SPDX-License-Identifier: GPL-2.0-only
/*
 * The classes fair, rt, idle and stop on a booted machine: who gets how much of
 * which CPU, how soon, and whether the books balance afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/sched/sched.h"

#define MS NSEC_PER_MSEC
#define MAX_TASKS 256

static struct topology topo;
static u64 trace_hash;

static void hash_trace(const struct trace_record *rec)
{
	const u64 *words = (const u64 *)rec;

	for (u32 i = 0; i < sizeof(*rec) / sizeof(u64); i++)
		trace_hash = (trace_hash ^ words[i]) * 0x100000001b3ULL;
}

static void boot_seeded(const char *spec, enum noise_level noise, u64 seed)
{
	struct kernel_config config = {
		.topology = &topo, .costs = &cost_defaults, .seed = seed, .noise = noise,
	};
	char err[256] = "";

	if (topology_parse(&topo, spec, err, sizeof(err)))
		fail_msg("%s: %s", spec, err);
	trace_hash = 0xcbf29ce484222325ULL;
	sched_trace = hash_trace;
	assert_int_equal(kernel_boot(&config), 0);
}

static void boot(const char *spec)
{
	boot_seeded(spec, NOISE_NONE, 1);
}

static void check_books(void)
{
	char text[4096];

	if (kernel_check_books(text, sizeof(text)))
		fail_msg("%s", text);
}

static void run_for(u64 ns)
{
	kernel_run_until(kernel_now() + ns);
	check_books();
}

static void shut_down(void)
{
	check_books();
	kernel_shutdown();
	topology_free(&topo);
}

/* --- tasks --------------------------------------------------------------------- */

/* Sleeps, works, and measures how late it gets a CPU. */
struct job {
	u64 work, sleep; /* ns; work of 0: for ever */
	u64 due;
	u64 late_max, late_sum;
	u32 rounds;
};

static void job_next(struct task *task, struct task_action *action)
{
	struct job *job = task_data(task);
	u64 late;

	if (!job->work) {
		*action = (struct task_action){ ACT_COMPUTE, 10 * NSEC_PER_SEC };
		return;
	}
	if (!job->due) {
		job->due = task_clock() + job->sleep;
		*action = (struct task_action){ ACT_SLEEP_UNTIL, job->due };
		return;
	}
	late = task_clock() - job->due;
	job->late_max = max(job->late_max, late);
	job->late_sum += late;
	job->rounds++;
	job->due = 0;
	*action = (struct task_action){ ACT_COMPUTE, job->work };
}

static void job_release(struct task *task)
{
	free(task_data(task));
}

static const struct task_behaviour job_behaviour = { job_next, job_release };

static struct task *start(struct task_params params, u64 work, u64 sleep)
{
	struct job *job = calloc(1, sizeof(*job));
	struct task *task;
	int err;

	job->work = work;
	job->sleep = sleep;
	if (!params.comm)
		params.comm = work ? "job" : "hog";
	task = task_create(&params, &job_behaviour, job, &err);
	assert_non_null(task);
	task_start(task);
	return task;
}

static struct task *hog(s32 nice)
{
	return start((struct task_params){ .nice = nice }, 0, 0);
}

static struct task *hog_on(const char *cpus)
{
	struct cpumask mask = { 0 };

	assert_int_equal(cpumask_parse_list(cpus, &mask), 0);
	return start((struct task_params){ .allowed = &mask }, 0, 0);
}

static struct task *rt_hog(s32 policy, u32 prio)
{
	return start((struct task_params){ .policy = policy, .rt_priority = prio }, 0, 0);
}

/* System calls are made inside the machine. */
struct syscall_args {
	struct task *task;
	const struct cpumask *mask;
	s32 value;
	u32 rt_priority;
	int err;
};

static void do_set_nice(void *arg)
{
	struct syscall_args *a = arg;

	a->err = task_set_nice(a->task, a->value);
}

static void do_set_policy(void *arg)
{
	struct syscall_args *a = arg;

	a->err = task_set_policy(a->task, a->value, a->rt_priority);
}

static void do_set_affinity(void *arg)
{
	struct syscall_args *a = arg;

	a->err = task_set_affinity(a->task, a->mask);
}

static void set_nice(struct task *task, s32 nice)
{
	struct syscall_args args = { .task = task, .value = nice };

	kernel_run_inside(do_set_nice, &args);
	assert_int_equal(args.err, 0);
}

static void set_policy(struct task *task, s32 policy, u32 rt_priority)
{
	struct syscall_args args = { .task = task, .value = policy, .rt_priority = rt_priority };

	kernel_run_inside(do_set_policy, &args);
	assert_int_equal(args.err, 0);
}

static void set_affinity(struct task *task, const struct cpumask *mask)
{
	struct syscall_args args = { .task = task, .mask = mask };

	kernel_run_inside(do_set_affinity, &args);
	assert_int_equal(args.err, 0);
}

static const struct job *job_of(struct task *task)
{
	return task_data(task);
}

static void assert_near(u64 value, u64 expected, u64 tolerance)
{
	if (value + tolerance < expected || value > expected + tolerance)
		fail_msg("%llu is not %llu +- %llu", value, expected, tolerance);
}

/* --- shares on one CPU ------------------------------------------------------------ */

static void test_weights(void **state)
{
	struct task *heavy, *light;

	boot("1");
	heavy = hog(0);
	light = hog(5);
	run_for(20 * NSEC_PER_SEC);
	/* 1024 : 335 */
	assert_near(task_runtime(heavy) * 335 / 1024, task_runtime(light),
		    task_runtime(light) / 100);
	assert_near(task_runtime(heavy) + task_runtime(light), 20 * NSEC_PER_SEC, 200 * MS);
	shut_down();
}

static void test_many_weights(void **state)
{
	static const s32 nices[] = { -10, -3, 0, 4, 19 };
	struct task *tasks[ARRAY_SIZE(nices)];
	u64 total = 0, weights = 0;

	boot("1");
	for (u32 i = 0; i < ARRAY_SIZE(nices); i++) {
		tasks[i] = hog(nices[i]);
		weights += sched_prio_to_weight[nices[i] + 20];
	}
	run_for(60 * NSEC_PER_SEC);
	for (u32 i = 0; i < ARRAY_SIZE(nices); i++)
		total += task_runtime(tasks[i]);
	for (u32 i = 0; i < ARRAY_SIZE(nices); i++) {
		u64 fair = total * sched_prio_to_weight[nices[i] + 20] / weights;

		assert_near(task_runtime(tasks[i]), fair, fair / 50 + 10 * MS);
	}
	shut_down();
}

static void test_renice(void **state)
{
	struct task *a, *b;
	u64 a_before, b_before;

	boot("1");
	a = hog(0);
	b = hog(0);
	run_for(5 * NSEC_PER_SEC);
	assert_near(task_runtime(a), task_runtime(b), 20 * MS);
	set_nice(b, 5);
	a_before = task_runtime(a);
	b_before = task_runtime(b);
	run_for(10 * NSEC_PER_SEC);
	assert_near((task_runtime(a) - a_before) * 335 / 1024, task_runtime(b) - b_before,
		    30 * MS);
	shut_down();
}

static void test_idle_policy(void **state)
{
	struct task *normal, *idle;

	boot("1");
	normal = hog(0);
	idle = start((struct task_params){ .policy = SCHED_IDLE }, 0, 0);
	run_for(20 * NSEC_PER_SEC);
	/* 1024 : 3 */
	assert_near(task_runtime(idle), 20 * NSEC_PER_SEC * 3 / 1027, 15 * MS);
	assert_true(task_runtime(normal) > 19 * NSEC_PER_SEC);
	/* the weight follows the policy */
	set_policy(idle, SCHED_NORMAL, 0);
	set_policy(normal, SCHED_IDLE, 0);
	run_for(20 * NSEC_PER_SEC);
	assert_true(task_runtime(idle) > 19 * NSEC_PER_SEC);
	shut_down();
}

static void test_custom_slice(void **state)
{
	struct task *a, *b;
	u64 switches;

	boot("1");
	a = start((struct task_params){ .slice = 40 * MS }, 0, 0);
	b = start((struct task_params){ .slice = 40 * MS }, 0, 0);
	run_for(10 * NSEC_PER_SEC);
	switches = kernel_context_switches();
	assert_near(task_runtime(a), task_runtime(b), 60 * MS);
	/* one per 40 ms, and not one per tick */
	assert_true(switches > 200 && switches < 350);
	shut_down();
}

/* --- latency ------------------------------------------------------------------------- */

static void test_sleeper(void **state)
{
	struct task *sleeper;

	boot("1");
	hog(0);
	hog(0);
	sleeper = start((struct task_params){ 0 }, 100 * NSEC_PER_USEC, 10 * MS);
	run_for(10 * NSEC_PER_SEC);
	assert_true(job_of(sleeper)->rounds > 600);
	/* a running task keeps its slice, and the tick ends it */
	assert_true(job_of(sleeper)->late_max < 10 * MS);
	assert_true(job_of(sleeper)->late_sum / job_of(sleeper)->rounds < 4 * MS);
	shut_down();
}

static void test_short_slice(void **state)
{
	struct task *sleeper;

	boot("1");
	hog(0);
	hog(0);
	sleeper = start((struct task_params){ .slice = MS / 10 }, 20 * NSEC_PER_USEC, 10 * MS);
	run_for(10 * NSEC_PER_SEC);
	/* it preempts: PREEMPT_SHORT */
	assert_true(job_of(sleeper)->rounds > 900);
	assert_true(job_of(sleeper)->late_sum / job_of(sleeper)->rounds < 100 * NSEC_PER_USEC);
	shut_down();
}

static void test_sleeper_beats_idle_policy(void **state)
{
	struct task *sleeper;

	boot("1");
	start((struct task_params){ .policy = SCHED_IDLE }, 0, 0);
	sleeper = start((struct task_params){ 0 }, 100 * NSEC_PER_USEC, 10 * MS);
	run_for(5 * NSEC_PER_SEC);
	assert_true(job_of(sleeper)->late_max < 50 * NSEC_PER_USEC);
	shut_down();
}

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

static void test_misfit(void **state)
{
	static const char json[] =
		"{ \"nodes\": [ { \"llcs\": [ { \"cores\": ["
		"{ \"count\": 2, \"capacity\": 400 }, { \"count\": 2, \"capacity\": 1024 }"
		"] } ] } ] }";
	char path[] = "/tmp/vrt-biglittle-XXXXXX.json";
	int fd = mkstemps(path, 5);
	struct task *tasks[2];
	struct cpumask mask;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, json, sizeof(json) - 1), sizeof(json) - 1);
	close(fd);
	boot(path);
	unlink(path);
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

/* --- rt --------------------------------------------------------------------------------------- */

static void test_rt_preempts_fair(void **state)
{
	struct task_params rt = { .policy = SCHED_FIFO, .rt_priority = 10 };
	struct task *periodic, *normal;

	boot("1");
	normal = hog(-20);
	periodic = start(rt, MS, 10 * MS);
	run_for(5 * NSEC_PER_SEC);
	assert_true(job_of(periodic)->rounds > 440);
	assert_true(job_of(periodic)->late_max < 20 * NSEC_PER_USEC);
	assert_true(task_runtime(normal) > 4 * NSEC_PER_SEC);
	shut_down();
}

static void test_rt_priorities(void **state)
{
	struct task *high, *low;

	boot("1");
	low = rt_hog(SCHED_FIFO, 1);
	high = rt_hog(SCHED_FIFO, 2);
	run_for(2 * NSEC_PER_SEC);
	assert_true(task_runtime(high) > 1900 * MS);
	assert_true(task_runtime(low) < 10 * MS);
	set_policy(low, SCHED_FIFO, 3);
	run_for(2 * NSEC_PER_SEC);
	assert_true(task_runtime(low) > 1900 * MS);
	shut_down();
}

static void test_rt_round_robin(void **state)
{
	struct task *a, *b;

	boot("1");
	a = rt_hog(SCHED_RR, 5);
	b = rt_hog(SCHED_RR, 5);
	run_for(10 * NSEC_PER_SEC);
	assert_near(task_runtime(a), task_runtime(b), 120 * MS);
	assert_true(kernel_context_switches() < 200);
	shut_down();
}

static void test_rt_leaves_fair_some(void **state)
{
	struct task *rt, *normal;

	boot("1");
	normal = hog(0);
	rt = rt_hog(SCHED_FIFO, 50);
	run_for(20 * NSEC_PER_SEC);
	assert_near(task_runtime(normal), NSEC_PER_SEC, 150 * MS);
	assert_true(task_runtime(rt) > 18 * NSEC_PER_SEC);
	shut_down();
}

static void test_rt_spreads(void **state)
{
	struct task *tasks[5], *last;

	boot("4");
	for (u32 i = 0; i < 4; i++)
		tasks[i] = rt_hog(SCHED_FIFO, 10 + i);
	run_for(2 * NSEC_PER_SEC);
	for (u32 i = 0; i < 4; i++)
		assert_true(task_runtime(tasks[i]) > 1900 * MS);
	/* the least important one gives way to a fifth, wherever it was */
	last = rt_hog(SCHED_FIFO, 20);
	run_for(2 * NSEC_PER_SEC);
	assert_true(task_runtime(last) > 1900 * MS);
	assert_true(task_runtime(tasks[0]) < 2100 * MS);
	shut_down();
}

static void test_rt_push_and_pull(void **state)
{
	struct task_params rt = { .policy = SCHED_FIFO, .rt_priority = 10 };
	struct task *tasks[6];

	boot("4");
	for (u32 i = 0; i < 6; i++)
		tasks[i] = start(rt, 3 * MS, 3 * MS);
	run_for(4 * NSEC_PER_SEC);
	/* 6 tasks that want half a CPU each share 4 CPUs: nobody waits for long */
	for (u32 i = 0; i < 6; i++) {
		assert_true(job_of(tasks[i])->rounds > 500);
		assert_true(job_of(tasks[i])->late_max < 4 * MS);
	}
	shut_down();
}

/* --- everything at once ------------------------------------------------------------------------- */

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

static void test_noise(void **state)
{
	u64 events[3];

	for (u32 level = 0; level < 3; level++) {
		boot_seeded("8", level, 1);
		events[level] = sim_clock.fired;
		run_for(10 * NSEC_PER_SEC);
		events[level] = sim_clock.fired - events[level];
		shut_down();
	}
	assert_true(events[NOISE_NONE] < 100);
	/* about 2 and 20 per second and CPU, each a few events */
	assert_true(events[NOISE_LIGHT] > 300 && events[NOISE_LIGHT] < 2500);
	assert_true(events[NOISE_HEAVY] > 3000 && events[NOISE_HEAVY] < 25000);
}

static void test_idle_machine_sleeps_deep(void **state)
{
	struct cpu_times times;

	boot("4");
	run_for(NSEC_PER_SEC);
	for (u32 cpu = 0; cpu < 4; cpu++) {
		kernel_cpu_times(cpu, &times);
		assert_true(times.idle > 995 * MS);
	}
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_many_weights),
		cmocka_unit_test(test_renice),
		cmocka_unit_test(test_idle_policy),
		cmocka_unit_test(test_custom_slice),
		cmocka_unit_test(test_sleeper),
		cmocka_unit_test(test_short_slice),
		cmocka_unit_test(test_sleeper_beats_idle_policy),
		cmocka_unit_test(test_wakes_on_idle_sibling),
		cmocka_unit_test(test_hogs_spread),
		cmocka_unit_test(test_one_each),
		cmocka_unit_test(test_cores_before_threads),
		cmocka_unit_test(test_balances_over_nodes),
		cmocka_unit_test(test_pinned_stay),
		cmocka_unit_test(test_pinned_imbalance),
		cmocka_unit_test(test_misfit),
		cmocka_unit_test(test_rt_preempts_fair),
		cmocka_unit_test(test_rt_priorities),
		cmocka_unit_test(test_rt_round_robin),
		cmocka_unit_test(test_rt_leaves_fair_some),
		cmocka_unit_test(test_rt_spreads),
		cmocka_unit_test(test_rt_push_and_pull),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_idle_machine_sleeps_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
