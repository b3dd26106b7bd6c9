// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs are told of CPUs and of each other, what it costs them, and what it
 * costs the CPUs that are looked at. By verified programs, compiled and interpreted.
 */
#include "test_sched_periodic.h"


/* --- values ----------------------------------------------------------------------- */

#define LOOKER                                                                                     \
	VERIFIED                                                                                    \
	"u64 nr0, nr1, nr2, nr9, nr_minus, nr_all, busy1, idle1, busy_all, idle_all, at, same;\n"  \
	"u64 nobody;\n"                                                                            \
	"s32 curr1 = -1, curr2 = -1;\n"                                                            \
	"static s32 pid_on(s32 cpu)\n"                                                             \
	"{\n"                                                                                      \
	"	struct task_struct *p = bpf_cpu_curr(cpu);\n"                                      \
	"	s32 pid = -1;\n"                                                                   \
	"	if (p) {\n"                                                                        \
	"		pid = p->pid;\n"                                                           \
	"		bpf_task_release(p);\n"                                                    \
	"	} else {\n"                                                                        \
	"		nobody++;\n"                                                               \
	"	}\n"                                                                               \
	"	return pid;\n"                                                                     \
	"}\n"                                                                                      \
	"SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"                  \
	"{\n"                                                                                      \
	"	u64 before = busy1, idle_before = idle1;\n"                                        \
	"	nr0 = bpf_cpu_nr_running(0);\n"                                                    \
	"	nr1 = bpf_cpu_nr_running(1);\n"                                                    \
	"	nr2 = periodic_cpu_nr_running(2);\n"                                               \
	"	nr9 = bpf_cpu_nr_running(9);\n"                                                    \
	"	nr_minus = bpf_cpu_nr_running(-1) + bpf_cpu_busy_time(4) + bpf_cpu_idle_time(-5);\n" \
	"	nr_all = bpf_cpus_nr_running();\n"                                                 \
	"	curr1 = pid_on(1);\n"                                                              \
	"	curr2 = pid_on(2);\n"                                                              \
	"	pid_on(77);\n"                                                                     \
	"	busy_all = bpf_cpus_busy_time();\n"                                                \
	"	idle_all = bpf_cpus_idle_time();\n"                                                \
	"	busy1 = bpf_cpu_busy_time(1);\n"                                                   \
	"	idle1 = bpf_cpu_idle_time(1);\n"                                                   \
	"	at = bpf_ktime_get_ns();\n"                                                        \
	"	same += busy1 < before || idle1 < idle_before;\n"                                  \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops p = {\n"                                \
	"	.run = (void *)run, .period_ns = 1000000, .name = \"p\"\n"                         \
	"};\n"

static void check_values(bool interpreted)
{
	struct task *first, *second;
	struct loader *l;

	boot_verified("4", interpreted);
	first = hog_on("1");
	second = hog_on("1");
	l = attach(LOOKER, NULL);
	pin(thread_of(0), 0);
	run_for(500 * MS + 100 * US);
	assert_int_equal(value(l, "nr0"), 1); /* itself */
	assert_int_equal(value(l, "nr1"), 2);
	assert_int_equal(value(l, "nr2"), 0);
	assert_int_equal(value(l, "nr_all"), 3);
	assert_int_equal(value(l, "nr9"), 0);
	assert_int_equal(value(l, "nr_minus"), 0);
	assert_true(value(l, "curr1") == task_pid(first) || value(l, "curr1") == task_pid(second));
	/* one that is idle, and one that there is not */
	assert_int_equal(value(l, "curr2"), -1);
	assert_int_equal(value(l, "nobody"), 2 * stats_of(0)->runs);
	/* what it is told of a CPU is all of its time, to the nanosecond */
	assert_true(value(l, "busy1") > 490 * (s64)MS);
	assert_near(value(l, "busy1") + value(l, "idle1"), value(l, "at") - kernel.boot_time, US);
	assert_near(value(l, "busy_all") + value(l, "idle_all"),
		    4 * (value(l, "at") - kernel.boot_time), 4 * US);
	/* the reader wakes up out of idle states */
	assert_in_range(value(l, "busy_all"), value(l, "busy1"), value(l, "busy1") + 100 * MS);
	assert_int_equal(value(l, "same"), 0); /* never backwards */
	/* references are given back */
	assert_int_equal(first->ts.usage.refs, 1);
	/* of CPUs that are online */
	assert_int_equal(kernel_cpu_set_online(3, false), 0);
	run_for(10 * MS);
	assert_near(value(l, "busy_all") + value(l, "idle_all"),
		    3 * (value(l, "at") - kernel.boot_time), 4 * US);
	loader_close(l);
	shut_down();
}

static void test_values(void **state)
{
	check_values(false);
	check_values(true);
}

/* --- costs ------------------------------------------------------------------------ */

#define POLLER                                                                                     \
	VERIFIED                                                                                    \
	"const volatile u32 looks;\n"                                                              \
	"u64 took, sum;\n"                                                                         \
	"SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"                  \
	"{\n"                                                                                      \
	"	u64 before = bpf_ktime_get_ns();\n"                                                \
	"	u32 i;\n"                                                                          \
	"	bpf_for(i, 0, looks)\n"                                                            \
	"		sum += bpf_cpu_nr_running(1);\n"                                           \
	"	took = bpf_ktime_get_ns() - before;\n"                                             \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops p = {\n"                                \
	"	.run = (void *)run, .period_ns = 10000, .name = \"p\"\n"                           \
	"};\n"

/* ns that a run takes; *@overhead: what CPU 1, which switches all the time, does beside work. */
static u64 poll_cpu1(const char *spec, const char *set, u64 *overhead, bool interpreted)
{
	struct cpu_times before, after;
	struct cpumask mask = { 0 };
	struct loader *l;
	u64 took;

	boot_verified(spec, interpreted);
	cpumask_set_cpu(1, &mask);
	start((struct task_params){ .allowed = &mask }, 20 * US, 20 * US);
	l = attach(POLLER, set);
	pin(thread_of(0), 0);
	run_for(10 * MS);
	kernel_cpu_times(1, &before);
	run_for(100 * MS);
	kernel_cpu_times(1, &after);
	*overhead = after.overhead - before.overhead;
	took = stats_of(0)->run_time.sum / stats_of(0)->run_time.count;
	loader_close(l);
	shut_down();
	return took;
}

static void check_costs(bool interpreted)
{
	u64 none, once, twice, far, quiet, looked_at, again, remote;

	none = poll_cpu1("4", "looks=0", &quiet, interpreted);
	once = poll_cpu1("4", "looks=1", &looked_at, interpreted);
	twice = poll_cpu1("4", "looks=2", &again, interpreted);
	far = poll_cpu1("2x1x1", "looks=1", &remote, interpreted);
	/* most looks find a line that was written since the last */
	assert_true(once > none + cost_defaults.cacheline[DIST_LLC] / 2);
	/* the second look of a run does not */
	assert_near(twice - once, cost_defaults.bpf_kfunc, cost_defaults.cacheline[DIST_LLC] / 2);
	assert_true(far > once + 20);
	/* more than a thousand wakeups and as many sleeps: the line has to come back for most */
	assert_true(looked_at - quiet > 2300 * cost_defaults.cacheline[DIST_LLC]);
	assert_true(remote - quiet > 2300 * cost_defaults.cacheline[DIST_REMOTE]);
	assert_near(again, looked_at, looked_at / 10);
}

static void test_costs(void **state)
{
	check_costs(false);
	check_costs(true);
}

/* --- figures of programs ------------------------------------------------------------ */

#define TELLER                                                                                     \
	VERIFIED                                                                                    \
	"const volatile u32 turns;\n"                                                              \
	"struct bpf_periodic_stats stats;\n"                                                       \
	"s64 ret, other, runs, missed, runtime, runtime_max, latency, latency_max, delay;\n"       \
	"s64 throttled;\n"                                                                         \
	"u64 sink;\n"                                                                              \
	"SEC(\"struct_ops/busy\") int BPF_PROG(busy, struct bpf_periodic_ctx *c)\n"                \
	"{\n"                                                                                      \
	"	u32 i;\n"                                                                          \
	"	bpf_for(i, 0, turns)\n"                                                            \
	"		sink += i;\n"                                                              \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\"struct_ops/tell\") int BPF_PROG(tell, struct bpf_periodic_ctx *c)\n"                \
	"{\n"                                                                                      \
	"	other = bpf_periodic_get_stats(\"nobody\", &stats);\n"                             \
	"	ret = bpf_periodic_get_stats(\"busy\", &stats);\n"                                 \
	"	runs = stats.runs;\n"                                                              \
	"	missed = stats.missed;\n"                                                          \
	"	runtime = stats.runtime_ns;\n"                                                     \
	"	runtime_max = stats.runtime_max_ns;\n"                                             \
	"	latency = stats.latency_ns;\n"                                                     \
	"	latency_max = stats.latency_max_ns;\n"                                             \
	"	delay = stats.delay_ns;\n"                                                         \
	"	throttled = stats.throttled_ns;\n"                                                 \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops b = {\n"                                \
	"	.run = (void *)busy, .period_ns = 3000000, .name = \"busy\",\n"                    \
	"	.cpu_quota_us = 30000, .cpu_period_us = 100000\n"                                  \
	"};\n"                                                                                     \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops t = {\n"                                \
	"	.run = (void *)tell, .period_ns = 10000000, .name = \"tell\"\n"                    \
	"};\n"

static void check_figures(bool interpreted)
{
	const struct periodic_stats *s;
	struct loader *l;

	boot_verified("2", interpreted);
	hog(0);
	hog(0);
	l = attach(TELLER, "turns=1000000");
	run_for(2 * NSEC_PER_SEC);
	/* nothing has changed since it was told: it is at rest */
	kernel_run_until(kernel_now() + 1);
	s = stats_of(0);
	assert_string_equal(s->name, "busy");
	assert_int_equal(value(l, "other"), -ENOENT);
	assert_int_equal(value(l, "ret"), 0);
	assert_in_range(value(l, "runs"), s->runs - 1, s->runs);
	assert_true(s->runs > 20 && s->missed > 200);
	assert_near(value(l, "missed"), s->missed, 40);
	assert_near(value(l, "runtime"), s->run_time.sum, s->run_time.max);
	assert_int_equal(value(l, "runtime_max"), s->run_time.max);
	assert_near(value(l, "latency"), s->wakeup.sum, s->wakeup.max);
	assert_int_equal(value(l, "latency_max"), s->wakeup.max);
	/* of two seconds it has run for 0.6 at most, and was kept waiting for the rest */
	assert_near(value(l, "runtime"), 600 * MS, 40 * MS);
	assert_in_range(value(l, "runtime") + value(l, "delay") + value(l, "latency"),
			1600 * MS, 2000 * MS);
	assert_near(value(l, "delay"), s->delay, 200 * MS);
	assert_true(value(l, "throttled") > 400 * (s64)MS);
	assert_true(value(l, "delay") + value(l, "latency") >= value(l, "throttled"));
	loader_close(l);
	shut_down();
}

static void test_figures(void **state)
{
	check_figures(false);
	check_figures(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_costs),
		cmocka_unit_test(test_figures),
	};

	return cmocka_run_group_tests(tests, periodic_setup, periodic_teardown);
}
