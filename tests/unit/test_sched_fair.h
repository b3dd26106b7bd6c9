/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A booted machine for tests of the scheduling classes: tasks that compute for
 * ever or sleep and work, the system calls, and the books, which are checked
 * after every stretch of time.
 */
#ifndef VRT_TEST_SCHED_FAIR_H
#define VRT_TEST_SCHED_FAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/sched/fair/fair.h"

#define MS NSEC_PER_MSEC

static struct topology topo;
static u64 trace_hash;

static inline void hash_trace(const struct trace_record *recs, u32 nr)
{
	const u64 *words = (const u64 *)recs;

	for (u32 i = 0; i < nr * sizeof(*recs) / sizeof(u64); i++)
		trace_hash = (trace_hash ^ words[i]) * 0x100000001b3ULL;
}

static inline void boot_seeded(const char *spec, enum noise_level noise, u64 seed)
{
	struct kernel_config config = {
		.topology = &topo, .costs = &cost_defaults, .seed = seed, .noise = noise,
		.unverified = true, /* some tests are of programs that go wrong */
	};
	char err[256] = "";

	if (topology_parse(&topo, spec, err, sizeof(err)))
		fail_msg("%s: %s", spec, err);
	trace_hash = 0xcbf29ce484222325ULL;
	sched_trace = hash_trace;
	assert_int_equal(kernel_boot(&config), 0);
}

static inline void boot(const char *spec)
{
	boot_seeded(spec, NOISE_NONE, 1);
}

static inline void check_books(void)
{
	char text[4096];

	if (kernel_check_books(text, sizeof(text)))
		fail_msg("%s", text);
}

static inline void run_for(u64 ns)
{
	kernel_run_until(kernel_now() + ns);
	check_books();
}

static inline void shut_down(void)
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

static inline void job_next(struct task *task, struct task_action *action)
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

static inline void job_release(struct task *task)
{
	free(task_data(task));
}

static const struct task_behaviour job_behaviour = { .next = job_next, .release = job_release };

static inline struct task *start(struct task_params params, u64 work, u64 sleep)
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

static inline struct task *hog(s32 nice)
{
	return start((struct task_params){ .nice = nice }, 0, 0);
}

static inline struct task *hog_on(const char *cpus)
{
	struct cpumask mask = { 0 };

	assert_int_equal(cpumask_parse_list(cpus, &mask), 0);
	return start((struct task_params){ .allowed = &mask }, 0, 0);
}

static inline struct task *rt_hog(s32 policy, u32 prio)
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

static inline void do_set_nice(void *arg)
{
	struct syscall_args *a = arg;

	a->err = task_set_nice(a->task, a->value);
}

static inline void do_set_policy(void *arg)
{
	struct syscall_args *a = arg;

	a->err = task_set_policy(a->task, a->value, a->rt_priority);
}

static inline void do_set_affinity(void *arg)
{
	struct syscall_args *a = arg;

	a->err = task_set_affinity(a->task, a->mask);
}

static inline void set_nice(struct task *task, s32 nice)
{
	struct syscall_args args = { .task = task, .value = nice };

	kernel_run_inside(do_set_nice, &args);
	assert_int_equal(args.err, 0);
}

static inline void set_policy(struct task *task, s32 policy, u32 rt_priority)
{
	struct syscall_args args = { .task = task, .value = policy, .rt_priority = rt_priority };

	kernel_run_inside(do_set_policy, &args);
	assert_int_equal(args.err, 0);
}

static inline void set_affinity(struct task *task, const struct cpumask *mask)
{
	struct syscall_args args = { .task = task, .mask = mask };

	kernel_run_inside(do_set_affinity, &args);
	assert_int_equal(args.err, 0);
}

static inline const struct job *job_of(struct task *task)
{
	return task_data(task);
}

static inline void assert_near(u64 value, u64 expected, u64 tolerance)
{
	if (value + tolerance < expected || value > expected + tolerance)
		fail_msg("%llu is not %llu +- %llu", value, expected, tolerance);
}

#endif
