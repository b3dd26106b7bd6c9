// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared workers, and programs that manage their periods themselves. Programs are
 * verified; each test is of compiled and of interpreted ones.
 */
#include "test_sched_periodic.h"

#include <bpf/bpf.h>

/* --- shared workers ----------------------------------------------------------------- */

/* They note in which order they run. */
#define ORDERED                                                                                    \
	VERIFIED                                                                                   \
	"const volatile u32 loops, slow_loops;\n"                                                  \
	"u64 order, at, nr_a, nr_b, nr_c, late;\n"                                                 \
	"static void note(struct bpf_periodic_ctx *c, u64 who)\n"                                  \
	"{\n"                                                                                      \
	"	order = order << 4 | who;\n"                                                       \
	"	late += c->due > bpf_ktime_get_ns();\n"                                            \
	"	at = c->due;\n"                                                                    \
	"}\n"                                                                                      \
	"SEC(\"struct_ops/a\") int BPF_PROG(run_a, struct bpf_periodic_ctx *c)\n"                  \
	"{\n"                                                                                      \
	"	note(c, 10);\n"                                                                    \
	"	nr_a++;\n"                                                                         \
	"	burn(slow_loops);\n"                                                               \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\"struct_ops/b\") int BPF_PROG(run_b, struct bpf_periodic_ctx *c)\n"                  \
	"{\n"                                                                                      \
	"	note(c, 11);\n"                                                                    \
	"	nr_b++;\n"                                                                         \
	"	burn(loops);\n"                                                                    \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\"?struct_ops/c\") int BPF_PROG(run_c, struct bpf_periodic_ctx *c)\n"                  \
	"{\n"                                                                                      \
	"	note(c, 12);\n"                                                                    \
	"	nr_c++;\n"                                                                         \
	"	burn(loops);\n"                                                                    \
	"	return 0;\n"                                                                       \
	"}\n"

#define THREE                                                                                      \
	ORDERED                                                                                    \
	ATTACHED("a", .run = (void *)run_a, .period_ns = 4000000, .worker = "three")               \
	ATTACHED("b", .run = (void *)run_b, .period_ns = 2000000, .worker = "three")               \
	ATTACHED("c", .run = (void *)run_c, .period_ns = 3000000, .worker = "three")

static void shared(bool interpreted)
{
	struct loader *l;

	boot_verified_slow("2", interpreted);
	l = attach(THREE, "loops=100 slow_loops=100");
	run_for(120 * MS + 500 * US);
	assert_near(value(l, "nr_a"), 30, 1);
	assert_near(value(l, "nr_b"), 60, 1);
	assert_near(value(l, "nr_c"), 40, 1);
	assert_int_equal(value(l, "late"), 0);
	/* one thread, whose time each has the part of that its runs took */
	assert_int_equal(stats_of(0)->pid, stats_of(1)->pid);
	assert_int_equal(stats_of(0)->pid, stats_of(2)->pid);
	assert_string_equal(stats_of(1)->worker, "three");
	assert_string_equal(task_comm(thread_of(0)), "bpf/three");
	assert_int_equal(stats_of(1)->runtime, stats_of(1)->run_time.sum);
	assert_true(stats_of(0)->runtime + stats_of(1)->runtime + stats_of(2)->runtime <
		    task_runtime(thread_of(0)));
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(stats_of(i)->missed, 0);
		assert_true(stats_of(i)->wakeup.max < 200 * US);
	}
	assert_null(find_task("bpf/a"));
	loader_close(l);
	run_for(MS);
	assert_null(find_task("bpf/three"));
	shut_down();
}

/* While a runs for long the others are left out, but for once. */
static void left_out(bool interpreted)
{
	struct loader *l;

	boot_verified_slow("1", interpreted);
	l = attach(THREE, "loops=10 slow_loops=60000 a.period_ns=50000000");
	run_for(49 * MS);
	assert_int_equal(value(l, "nr_a"), 0);
	run_for(20 * MS);
	assert_int_equal(value(l, "nr_a"), 1);
	assert_true(stats_of(0)->run_time.max > 10 * MS);
	assert_near(stats_of(1)->missed, stats_of(0)->run_time.max / (2 * MS), 1);
	assert_near(stats_of(2)->missed, stats_of(0)->run_time.max / (3 * MS), 1);
	loader_close(l);
	shut_down();
}

/* They come in the order in which they were due: a at 51.5 ms, b at 52, c at 54. */
static void late_ones_in_order(bool interpreted)
{
	struct loader *l;

	boot_verified_slow("1", interpreted);
	l = attach(THREE, "loops=10 slow_loops=60000 a.period_ns=51500000");
	while (value(l, "nr_a") == 0 || (value(l, "order") & 15) == 10)
		kernel_run_until(kernel_now() + 50 * US);
	kernel_run_until(kernel_now() + 50 * US);
	assert_int_equal(value(l, "order") & 0xfff, 0xabc);
	loader_close(l);
	shut_down();
}

static void assert_refused(const char *set, const char *words)
{
	struct loader *l = load(THREE, set);

	assert_int_equal(loader_attach(l, &error), LOADER_ERR_ATTACH);
	if (!strstr(error.message, words))
		fail_msg("'%s' does not say '%s'", error.message, words);
	loader_close(l);
	run_for(10 * MS);
	assert_null(find_task("bpf/three"));
}

static void test_disagree(void **state)
{
	struct loader *l;

	boot_verified_slow("1", false);
	assert_refused("b.nice=3", "nice is 3: the other programs of worker \"three\" have 0");
	assert_refused("c.cpu_quota_us=1000 c.cpu_period_us=10000",
		       "cpu_quota_us is 1000: the other programs of worker \"three\" have 0");
	assert_refused("a.cpu_quota_us=1000 a.cpu_period_us=10000 "
		       "b.cpu_quota_us=1000 b.cpu_period_us=20000",
		       "cpu_period_us is 20000: the other programs of worker \"three\" have 10000");
	l = load(ORDERED
		 ATTACHED("a", .run = (void *)run_a, .period_ns = 4000000, .worker = "three")
		 ATTACHED("b", .run = (void *)run_b, .period_ns = 4000000, .worker = "three",
			  .cgroup = "/system"), NULL);
	assert_int_equal(loader_attach(l, &error), LOADER_ERR_ATTACH);
	assert_non_null(strstr(error.message,
			       "cgroup is \"/system\": the other programs of worker \"three\" have \"/\""));
	loader_close(l);
	shut_down();
}

static struct bpf_link *attach_map(struct loader *l, const char *name)
{
	struct bpf_link *link =
		bpf_map__attach_struct_ops(bpf_object__find_map_by_name(l->obj, name));

	assert_non_null(link);
	return link;
}

/* It stays for as long as somebody uses it, with its cgroup; alone it may be changed. */
static void test_users(void **state)
{
	const char *quota = "a.cpu_quota_us=2000 a.cpu_period_us=10000 b.cpu_quota_us=2000 "
			    "b.cpu_period_us=10000 c.cpu_quota_us=5000 c.cpu_period_us=10000";
	struct bpf_link *a, *b;
	struct cgroup *cgroup;
	struct loader *l;
	s32 pid;

	boot_verified_slow("1", false);
	l = load(ORDERED
		 ATTACHED("a", .run = (void *)run_a, .period_ns = 1000000, .worker = "w")
		 ATTACHED("b", .run = (void *)run_b, .period_ns = 1000000, .worker = "w")
		 "SEC(\".struct_ops.link\") struct bpf_periodic_ops c = {\n"
		 "	.run = (void *)run_c, .period_ns = 1000000, .worker = \"w\", .nice = 4,\n"
		 "	.name = \"b\" };\n", quota);
	a = attach_map(l, "a");
	pid = stats_of(0)->pid;
	cgroup = cgroup_find("/w");
	assert_non_null(cgroup);
	b = attach_map(l, "b");
	assert_ptr_equal(cgroup_find("/w"), cgroup);
	assert_ptr_equal(task_cgroup(thread_of(1)), cgroup);
	/* another nice level and quota, while a is there, too */
	assert_int_equal(bpf_link__update_map(b, bpf_object__find_map_by_name(l->obj, "c")),
			 -EINVAL);
	run_for(5 * MS);
	assert_int_equal(value(l, "nr_c"), 0);
	assert_near(value(l, "nr_a"), 5, 1);
	assert_int_equal(bpf_link__destroy(a), 0);
	assert_int_equal(task_from_pid(pid)->ts.pid, pid);
	assert_int_equal(bpf_link__update_map(b, bpf_object__find_map_by_name(l->obj, "c")), 0);
	run_for(5 * MS);
	assert_near(value(l, "nr_a"), 5, 1);
	assert_near(value(l, "nr_c"), 5, 1);
	assert_int_equal(stats_of(1)->nice, 4);
	assert_int_equal(bpf_link__destroy(b), 0);
	assert_null(cgroup_find("/w"));
	run_for(MS);
	assert_null(find_task("bpf/w"));
	loader_close(l);
	shut_down();
}

/* One quota for all of a worker's programs, and its nice level beside others. */
static void quota_of_all(bool interpreted)
{
	u64 sum = 0, before[3];
	struct loader *l;

	boot_verified_slow("1", interpreted);
	l = attach(THREE, "loops=30000 slow_loops=30000 "
		   "a.cpu_quota_us=3000 a.cpu_period_us=10000 b.cpu_quota_us=3000 "
		   "b.cpu_period_us=10000 c.cpu_quota_us=3000 c.cpu_period_us=10000");
	run_for(100 * MS);
	for (u32 i = 0; i < 3; i++)
		before[i] = stats_of(i)->runtime;
	run_for(NSEC_PER_SEC);
	for (u32 i = 0; i < 3; i++) {
		sum += stats_of(i)->runtime - before[i];
		assert_near(stats_of(i)->runtime - before[i], 100 * MS, 10 * MS);
		assert_true(stats_of(i)->throttled > 100 * MS);
	}
	assert_near(sum, 300 * MS, 3 * MS);
	loader_close(l);
	shut_down();
}

BOTH(shared)
BOTH(left_out)
BOTH(late_ones_in_order)
BOTH(quota_of_all)

/* --- programs that manage their periods ---------------------------------------------------- */

#define MANAGED                                                                                    \
	VERIFIED                                                                                   \
	"const volatile u32 loops, choose, leave;\n"                                               \
	"u64 calls, ticks, last_due, off_phase, first_due, cpu_changed, again, refused;\n"         \
	"s64 twice, before_loop, too_early, chosen = 1;\n"                                         \
	"s32 cpu;\n"                                                                               \
	"SEC(\"struct_ops.s/manage\")\n"                                                           \
	"int BPF_PROG(manage, struct bpf_periodic_ctx *first)\n"                                   \
	"{\n"                                                                                      \
	"	struct bpf_iter_periodic other;\n"                                                 \
	"	struct bpf_periodic_ctx *tick;\n"                                                  \
	"	cpu = bpf_get_smp_processor_id();\n"                                               \
	"	calls++;\n"                                                                        \
	"	before_loop = bpf_periodic_set_due(first, ~0ULL);\n"                               \
	"	bpf_for_each(periodic, tick, first) {\n"                                           \
	"		if (!first_due)\n"                                                         \
	"			first_due = tick->due;\n"                                          \
	"		off_phase += (tick->due - first_due) % tick->period_ns != 0;\n"            \
	"		off_phase += tick->seq != ticks || tick->due > bpf_ktime_get_ns();\n"      \
	"		last_due = tick->due;\n"                                                   \
	"		ticks++;\n"                                                                \
	"		burn(loops);\n"                                                            \
	"		cpu_changed += cpu != bpf_get_smp_processor_id();\n"                       \
	"		if (choose) {\n"                                                           \
	"			too_early = bpf_periodic_set_due(tick, tick->due + 9999);\n"       \
	"			chosen = bpf_periodic_set_due(tick, tick->due + choose);\n"        \
	"		}\n"                                                                       \
	"		if (leave && ticks % leave == 0)\n"                                        \
	"			break;\n"                                                          \
	"	}\n"                                                                               \
	"	twice = bpf_iter_periodic_new(&other, first);\n"                                   \
	"	bpf_iter_periodic_destroy(&other);\n"                                              \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	ATTACHED("p", .run = (void *)manage, .period_ns = 5000000, .mode = BPF_PERIODIC_PROGRAM)

/* Runs as it would in the other mode; and a call ends within a second. */
static void managed(bool interpreted)
{
	const struct periodic_stats *s;
	struct loader *l;

	boot_verified_slow("2", interpreted);
	l = attach(MANAGED, "loops=100");
	run_for(5 * NSEC_PER_SEC + MS);
	s = stats_of(0);
	assert_int_equal(s->runs, 1000);
	assert_int_equal(s->missed, 0);
	assert_int_equal(value(l, "ticks"), 1000);
	assert_int_equal(value(l, "off_phase"), 0);
	/* the first call 5 ms after it was attached; each for a second, and never for more */
	assert_int_equal(value(l, "calls"), 5);
	assert_true(s->wakeup.max < 200 * US);
	assert_near(s->run_time.max, 100 * BURN_NS, 10 * US);
	assert_int_equal(value(l, "before_loop"), -EINVAL);
	assert_int_equal(value(l, "twice"), 0); /* one after the other */
	assert_int_equal(s->mode, BPF_PERIODIC_PROGRAM);
	loader_close(l);
	shut_down();
}

static void chooses(bool interpreted)
{
	struct loader *l;

	boot_verified_slow("1", interpreted);
	l = attach(MANAGED, "loops=100 choose=3000000");
	run_for(300 * MS);
	/* every 3 ms instead of 5 */
	assert_near(value(l, "ticks"), 100, 2);
	assert_int_equal(value(l, "too_early"), -ERANGE);
	assert_int_equal(value(l, "chosen"), 0);
	assert_int_equal(stats_of(0)->missed, 0);
	loader_close(l);
	shut_down();
}

/* A period longer than a call may last: it is called for each run. */
static void long_period(bool interpreted)
{
	struct loader *l;

	boot_verified_slow("1", interpreted);
	l = attach(MANAGED, "loops=100 p.period_ns=1500000000");
	run_for(6 * NSEC_PER_SEC + MS);
	assert_int_equal(value(l, "ticks"), 4);
	assert_int_equal(value(l, "calls"), 4);
	assert_true(stats_of(0)->wakeup.max < 200 * US);
	loader_close(l);
	shut_down();
}

/* Runs of two and a half periods; and leaving the loop in the middle, which ends a run, too. */
static void overruns(bool interpreted)
{
	const struct periodic_stats *s;
	struct loader *l;

	boot_verified_slow("1", interpreted);
	l = attach(MANAGED, "loops=130 p.period_ns=10000 leave=10");
	run_for(100 * MS);
	s = stats_of(0);
	assert_true(s->run_time.min > 11 * US);
	assert_true(s->missed > s->runs / 2);
	assert_int_equal(value(l, "ticks"), s->runs + (value(l, "ticks") > (s64)s->runs));
	assert_near(value(l, "calls"), s->runs / 10, 1);
	assert_int_equal(value(l, "off_phase"), 0);
	assert_near(s->runs + s->missed, 10000, 10);
	loader_close(l);
	shut_down();
}

/* Who wants the thread gets it at once, though the program waits for its next run. */
static void wanted(bool interpreted)
{
	struct bpf_link *link;
	struct loader *l;
	u64 before;

	boot_verified_slow("1", interpreted);
	l = load(MANAGED
		 "u64 others;\n"
		 "SEC(\"struct_ops.s/other\") int BPF_PROG(other, struct bpf_periodic_ctx *first)\n"
		 "{\n"
		 "	others++; /* a call that does not iterate is a run */\n"
		 "	return 0;\n"
		 "}\n"
		 "SEC(\".struct_ops.link\") struct bpf_periodic_ops next = {\n"
		 "	.run = (void *)other, .period_ns = 800000000, .name = \"p\",\n"
		 "	.mode = BPF_PERIODIC_PROGRAM };\n", "p.period_ns=400000000");
	link = attach_map(l, "p");
	run_for(500 * MS);
	assert_int_equal(value(l, "ticks"), 1);
	before = kernel_now();
	assert_int_equal(bpf_link__update_map(link, bpf_object__find_map_by_name(l->obj, "next")), 0);
	assert_true(kernel_now() - before < MS);
	run_for(1700 * MS);
	assert_int_equal(value(l, "ticks"), 1);
	assert_int_equal(value(l, "calls"), 1);
	assert_int_equal(value(l, "others"), 2);
	assert_int_equal(stats_of(0)->runs, 3);
	assert_int_equal(stats_of(0)->missed, 0);
	before = kernel_now();
	assert_int_equal(bpf_link__destroy(link), 0);
	assert_true(kernel_now() - before < MS);
	loader_close(l);
	shut_down();
}

/* A run that was due when somebody wanted the thread comes after that, and is not lost. */
static void not_lost(bool interpreted)
{
	struct bpf_link *link;
	struct loader *l;

	boot_verified_slow("1", interpreted);
	l = load(MANAGED
		 "SEC(\".struct_ops.link\") struct bpf_periodic_ops same = {\n"
		 "	.run = (void *)manage, .period_ns = 1000000, .name = \"p\",\n"
		 "	.mode = BPF_PERIODIC_PROGRAM };\n", "loops=8000 p.period_ns=1000000");
	link = attach_map(l, "p");
	for (u32 i = 0; i < 20; i++) {
		run_for(10 * MS + 100 * US);
		assert_int_equal(bpf_link__update_map(link, bpf_object__find_map_by_name(
							   l->obj, i % 2 ? "p" : "same")), 0);
	}
	assert_near(stats_of(0)->runs, value(l, "ticks"), 1);
	assert_int_equal(value(l, "off_phase"), 0);
	assert_int_equal(bpf_link__destroy(link), 0);
	loader_close(l);
	shut_down();
}

/* It does not migrate within a call; then it follows a change of affinity. */
static void affinity(bool interpreted)
{
	struct loader *l;
	u32 cpu;

	boot_verified_slow("2", interpreted);
	l = attach(MANAGED, "loops=100");
	run_for(100 * MS);
	cpu = thread_of(0)->ts.cpu;
	pin(thread_of(0), !cpu);
	run_for(100 * MS);
	assert_int_equal(thread_of(0)->ts.cpu, cpu);
	run_for(NSEC_PER_SEC);
	assert_int_equal(thread_of(0)->ts.cpu, !cpu);
	assert_int_equal(value(l, "cpu"), !cpu);
	assert_int_equal(value(l, "cpu_changed"), 0);
	assert_int_equal(stats_of(0)->missed, 0);
	loader_close(l);
	shut_down();
}

/* The machine stops while the program sleeps in the middle of its loop. */
static void shutdown_asleep(bool interpreted)
{
	struct loader *l;

	boot_verified_slow("2", interpreted);
	l = attach(MANAGED, "p.period_ns=300000000");
	run_for(400 * MS);
	assert_int_equal(value(l, "ticks"), 1);
	shut_down();
	loader_close(l);
}

/* A CPU that goes offline takes the thread that sleeps there along. */
static void offline_asleep(bool interpreted)
{
	struct loader *l;

	boot_verified_slow("2", interpreted);
	l = attach(MANAGED, "loops=100");
	pin(thread_of(0), 1);
	run_for(1100 * MS);
	assert_int_equal(value(l, "cpu"), 1);
	assert_int_equal(kernel_cpu_set_online(1, false), 0);
	run_for(100 * MS);
	assert_int_equal(thread_of(0)->ts.cpu, 0);
	assert_near(value(l, "ticks"), 240, 1);
	loader_close(l);
	shut_down();
}

BOTH(managed)
BOTH(chooses)
BOTH(long_period)
BOTH(overruns)
BOTH(wanted)
BOTH(not_lost)
BOTH(affinity)
BOTH(shutdown_asleep)
BOTH(offline_asleep)

/* What only the other mode's table could do: there is nothing to wait for. */
static void test_framework_iterates(void **state)
{
	struct loader *l;

	boot_verified_slow("1", false);
	l = attach(VERIFIED
		   "s64 ret = 1, due = 1;\n"
		   "u64 ticks;\n"
		   "SEC(\"struct_ops.s/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	struct bpf_iter_periodic it;\n"
		   "	ret = bpf_iter_periodic_new(&it, c);\n"
		   "	while (bpf_iter_periodic_next(&it))\n"
		   "		ticks++;\n"
		   "	bpf_iter_periodic_destroy(&it);\n"
		   "	due = bpf_periodic_set_due(c, c->due + 20000);\n"
		   "	return 0;\n"
		   "}\n" TABLE("p", ""), NULL);
	run_for(10 * MS);
	assert_int_equal(value(l, "ret"), -EINVAL);
	assert_int_equal(value(l, "due"), -EINVAL);
	assert_int_equal(value(l, "ticks"), 0);
	assert_near(stats_of(0)->runs, 10, 1);
	loader_close(l);
	shut_down();
}

static void assert_not_loaded(const char *text, const char *words)
{
	struct loader_options opts = { .topology = &topo };
	struct loader *l;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/t.bpf.c", test_dir);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	loader_error_free(&error);
	l = loader_open(path, &opts, ignore_warning, NULL, &error);
	assert_non_null(l);
	assert_int_not_equal(loader_load(l, &error), LOADER_OK);
	if (!strstr(error.message, words))
		fail_msg("'%s' does not say '%s'", error.message, words);
	loader_close(l);
}

/* Sleeping is for programs that say so, and not for sections that must not. */
static void test_next_sleeps(void **state)
{
	boot_verified_slow("1", false);
	assert_not_loaded(VERIFIED
		"SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		"{\n"
		"	struct bpf_periodic_ctx *tick;\n"
		"	bpf_for_each(periodic, tick, c)\n"
		"		sink++;\n"
		"	return 0;\n"
		"}\n" TABLE("p", ".mode = BPF_PERIODIC_PROGRAM"),
		"program must be sleepable to call sleepable kfunc bpf_iter_periodic_next");
	assert_not_loaded(VERIFIED
		"SEC(\"struct_ops.s/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		"{\n"
		"	struct bpf_iter_periodic it;\n"
		"	bpf_iter_periodic_new(&it, c);\n"
		"	bpf_preempt_disable();\n"
		"	bpf_iter_periodic_next(&it);\n"
		"	bpf_preempt_enable();\n"
		"	bpf_iter_periodic_destroy(&it);\n"
		"	return 0;\n"
		"}\n" TABLE("p", ".mode = BPF_PERIODIC_PROGRAM"),
		"non-preemptible region");
	shut_down();
}

/* Nobody has verified it, and it sleeps where it must not: it is stopped. */
static void test_sleeps_unverified(void **state)
{
	struct loader *l;

	boot_slow("1");
	l = attach(VERIFIED
		   "u64 begun;\n"
		   "SEC(\"struct_ops.s/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	struct bpf_iter_periodic it;\n"
		   "	begun++;\n"
		   "	bpf_iter_periodic_new(&it, c);\n"
		   "	bpf_preempt_disable();\n"
		   "	bpf_iter_periodic_next(&it);\n"
		   "	bpf_preempt_enable();\n"
		   "	bpf_iter_periodic_destroy(&it);\n"
		   "	return 0;\n"
		   "}\n" TABLE("p", ".mode = BPF_PERIODIC_PROGRAM"), NULL);
	run_for(10 * MS);
	assert_true(stats_of(0)->failed);
	assert_int_equal(value(l, "begun"), 1);
	loader_close(l);
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_late_ones_in_order),
		cmocka_unit_test(test_quota_of_all),
		cmocka_unit_test(test_disagree),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_managed),
		cmocka_unit_test(test_chooses),
		cmocka_unit_test(test_long_period),
		cmocka_unit_test(test_overruns),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_not_lost),
		cmocka_unit_test(test_affinity),
		cmocka_unit_test(test_shutdown_asleep),
		cmocka_unit_test(test_offline_asleep),
		cmocka_unit_test(test_framework_iterates),
		cmocka_unit_test(test_next_sleeps),
		cmocka_unit_test(test_sleeps_unverified),
	};

	return cmocka_run_group_tests(tests, periodic_setup, periodic_teardown);
}
