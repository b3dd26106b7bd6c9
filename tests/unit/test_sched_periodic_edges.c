// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preemption in the middle of programs, where it may not be, and what holds when a
 * program is interrupted at a bad moment: the rules of docs/periodic.md. Programs are
 * verified; each test is of compiled and of interpreted ones.
 */
#include "test_sched_periodic.h"

/* --- preemption ------------------------------------------------------------------------ */

static struct task *rt_job(u64 work, u64 sleep)
{
	return start((struct task_params){ .policy = SCHED_FIFO, .rt_priority = 50 }, work, sleep);
}

#define BURNS                                                                                      \
	VERIFIED                                                                                   \
	"const volatile u32 loops, closed;\n"                                                      \
	"u64 begun, ended;\n"                                                                      \
	"SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"                  \
	"{\n"                                                                                      \
	"	begun++;\n"                                                                        \
	"	if (closed)\n"                                                                     \
	"		bpf_preempt_disable();\n"                                                  \
	"	burn(loops);\n"                                                                    \
	"	if (closed)\n"                                                                     \
	"		bpf_preempt_enable();\n"                                                   \
	"	ended++;\n"                                                                        \
	"	return 0;\n"                                                                       \
	"}\n"

static const char *burn_for(u64 ns, const char *more)
{
	static char text[160];

	snprintf(text, sizeof(text), "loops=%llu %s", ns / BURN_NS, more);
	return text;
}

/* In the middle of a run others run many times, and interrupts wait for a microsecond. */
static void preempted(bool interpreted)
{
	struct task *rt, *fair;
	struct loader *l;

	boot_verified_slow("1", interpreted);
	l = attach(BURNS TABLE("p", ""), burn_for(50 * MS, "p.period_ns=100000000"));
	run_for(130 * MS);
	rt = rt_job(20 * US, 500 * US);
	fair = start((struct task_params){ 0 }, 200 * US, 5 * MS);
	/* it runs all the while */
	run_for(10 * MS);
	assert_int_equal(value(l, "begun"), 1);
	assert_int_equal(value(l, "ended"), 0);
	assert_true(job_of(rt)->rounds >= 18);
	assert_true(job_of(rt)->late_max < 6 * US);
	run_for(2 * NSEC_PER_SEC);
	/* time on the CPU, without that of the others, which was not the program's */
	assert_near(stats_of(0)->run_time.min, 50 * MS, 100 * US);
	assert_near(stats_of(0)->run_time.max, 50 * MS, 100 * US);
	assert_true(stats_of(0)->delay > stats_of(0)->runs * 2 * MS);
	assert_true(job_of(fair)->rounds > 300);
	assert_true(job_of(fair)->late_max < 9 * MS);
	loader_close(l);
	shut_down();
}

/* Not between bpf_preempt_disable() and bpf_preempt_enable(). */
static void closed_section(bool interpreted)
{
	struct loader *l;
	struct task *rt;

	boot_verified_slow("1", interpreted);
	l = attach(BURNS TABLE("p", ""), burn_for(3 * MS, "closed=1 p.period_ns=10000000"));
	rt = rt_job(20 * US, 500 * US);
	run_for(NSEC_PER_SEC);
	assert_in_range(job_of(rt)->late_max, 2 * MS, 3 * MS + 300 * US);
	assert_near(stats_of(0)->run_time.max, 3 * MS, 100 * US);
	assert_int_equal(stats_of(0)->delay / stats_of(0)->runs / (10 * US), 0);
	loader_close(l);
	shut_down();
}

/* Such a section is bounded, as a run is, by 64 Mi instructions; then others go on. */
static void test_closed_for_ever(void **state)
{
	struct loader *l;
	struct task *rt;

	boot_verified("1", false);
	l = attach(BURNS
		   "SEC(\"struct_ops/ever\") int BPF_PROG(ever, struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	int i;\n"
		   "	bpf_preempt_disable();\n"
		   "	bpf_for(i, 0, 1000000)\n"
		   "		burn(8000000);\n"
		   "	bpf_preempt_enable();\n"
		   "	return 0;\n"
		   "}\n"
		   "SEC(\".struct_ops.link\") struct bpf_periodic_ops q = {\n"
		   "	.run = (void *)ever, .period_ns = 1000000, .name = \"q\" };\n"
		   TABLE("p", ""), NULL);
	rt = rt_job(20 * US, 500 * US);
	run_for(200 * MS);
	assert_true(stats_of(0)->failed);
	assert_false(stats_of(1)->failed);
	assert_near(job_of(rt)->late_max, (64ULL << 20) * cost_defaults.bpf_insn_ps / 1000, 2 * MS);
	assert_near(stats_of(1)->runs + stats_of(1)->missed, 200, 2);
	loader_close(l);
	shut_down();
}

BOTH(preempted)
BOTH(closed_section)

/* --- in a section of RCU ------------------------------------------------------------------ */

#define RCU                                                                                        \
	VERIFIED                                                                                   \
	"struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4);\n"                      \
	"	__type(key, u32); __type(value, u64); } map SEC(\".maps\");\n"                     \
	"const volatile u32 loops;\n"                                                              \
	"u64 begun, ended, changed, number, renewed;\n"                                            \
	"SEC(\"struct_ops.s/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"                \
	"{\n"                                                                                      \
	"	u32 key = 1;\n"                                                                    \
	"	u64 *v, before;\n"                                                                 \
	"	begun++;\n"                                                                        \
	"	bpf_rcu_read_lock();\n"                                                            \
	"	v = bpf_map_lookup_elem(&map, &key);\n"                                            \
	"	if (v) {\n"                                                                        \
	"		before = *v;\n"                                                            \
	"		burn(loops);\n"                                                            \
	"		changed += *v != before;\n"                                                \
	"	}\n"                                                                               \
	"	bpf_rcu_read_unlock();\n"                                                          \
	"	ended++;\n"                                                                        \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\"struct_ops/renew\") int BPF_PROG(renew, struct bpf_periodic_ctx *c)\n"              \
	"{\n"                                                                                      \
	"	u32 key = 1;\n"                                                                    \
	"	u64 n = ++number;\n"                                                               \
	"	bpf_map_delete_elem(&map, &key);\n"                                                \
	"	renewed += !bpf_map_update_elem(&map, &key, &n, 0);\n"                             \
	"	return 0;\n"                                                                       \
	"}\n" TABLE("p", "")                                                                       \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops q = {\n"                                \
	"	.run = (void *)renew, .period_ns = 1000000, .name = \"q\" };\n"

/* It is preempted; who deletes and adds elements meanwhile gets others. */
static void in_rcu_section(bool interpreted)
{
	struct loader *l;
	struct task *rt;

	boot_verified_slow("1", interpreted);
	l = attach(RCU, burn_for(20 * MS, "p.period_ns=50000000 p.nice=10"));
	rt = rt_job(20 * US, 500 * US);
	run_for(NSEC_PER_SEC);
	assert_true(value(l, "ended") > 10);
	assert_int_equal(value(l, "changed"), 0);
	assert_true(job_of(rt)->late_max < 150 * US); /* out of idle states */
	assert_true(stats_of(1)->runs > 500);
	assert_int_equal(value(l, "renewed"), stats_of(1)->runs);
	assert_false(stats_of(0)->failed);
	loader_close(l);
	shut_down();
}

BOTH(in_rcu_section)

/* --- with a bpf_spin_lock held -------------------------------------------------------------- */

#define LOCKS                                                                                      \
	VERIFIED                                                                                   \
	"struct value { struct bpf_spin_lock lock; u64 n; };\n"                                    \
	"struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1);\n"                     \
	"	__type(key, u32); __type(value, struct value); } map SEC(\".maps\");\n"            \
	"u64 waited, held, nr;\n"                                                                  \
	"static inline void use(u32 loops, u64 *longest)\n"                                        \
	"{\n"                                                                                      \
	"	u32 zero = 0;\n"                                                                   \
	"	struct value *v = bpf_map_lookup_elem(&map, &zero);\n"                             \
	"	u64 begin = bpf_ktime_get_ns(), took;\n"                                           \
	"	if (!v)\n"                                                                         \
	"		return;\n"                                                                 \
	"	bpf_spin_lock(&v->lock);\n"                                                        \
	"	for (u32 i = 0; i < loops; i++)\n"                                                 \
	"		__sync_fetch_and_add(&v->n, 1);\n"                                         \
	"	bpf_spin_unlock(&v->lock);\n"                                                      \
	"	took = bpf_ktime_get_ns() - begin;\n"                                              \
	"	if (took > *longest)\n"                                                            \
	"		*longest = took;\n"                                                        \
	"}\n"                                                                                      \
	"SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"                  \
	"{\n"                                                                                      \
	"	int i;\n"                                                                          \
	"	bpf_for(i, 0, 1000)\n"                                                             \
	"		use(1000, &held);\n"                                                       \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\"struct_ops/want\") int BPF_PROG(want, struct bpf_periodic_ctx *c)\n"                \
	"{\n"                                                                                      \
	"	nr++;\n"                                                                           \
	"	use(1, &waited);\n"                                                                \
	"	return 0;\n"                                                                       \
	"}\n" TABLE("p", "")                                                                       \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops q = {\n"                                \
	"	.run = (void *)want, .period_ns = 1000000, .name = \"q\" };\n"

/*
 * Who holds it is a nice 19 program that is throttled most of the time, beside hogs: but
 * never while it holds the lock. Who wants it, elsewhere, waits for the section at most.
 */
static void with_lock_held(bool interpreted)
{
	struct loader *l;

	boot_verified_slow("2", interpreted);
	hog_on("0");
	l = attach(LOCKS, "p.nice=19 p.cpu_quota_us=1000 p.cpu_period_us=20000");
	pin(thread_of(0), 0);
	pin(thread_of(1), 1);
	run_for(2 * NSEC_PER_SEC);
	assert_true(stats_of(0)->runtime > 20 * MS);
	assert_true(value(l, "nr") > 1900);
	/* a thousand times the four instructions of its loop */
	assert_in_range(value(l, "waited"), 100 * US, 150 * US);
	/* with what came before it took the lock and after */
	assert_true(value(l, "held") > 10 * (s64)MS);
	assert_near(stats_of(1)->run_time.max, value(l, "waited"), 20 * US);
	assert_false(stats_of(0)->failed || stats_of(1)->failed);
	loader_close(l);
	shut_down();
}

BOTH(with_lock_held)

/* --- with a pointer into a per-CPU map --------------------------------------------------------- */

#define PERCPU                                                                                     \
	VERIFIED                                                                                   \
	"struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1);\n"              \
	"	__type(key, u32); __type(value, u64); } map SEC(\".maps\");\n"                     \
	"const volatile u32 loops, closed;\n"                                                      \
	"u64 done, seen, moved;\n"                                                                 \
	"static inline void count(u32 loops)\n"                                                    \
	"{\n"                                                                                      \
	"	u32 zero = 0, cpu = bpf_get_smp_processor_id();\n"                                 \
	"	u64 *v = bpf_map_lookup_elem(&map, &zero), old;\n"                                 \
	"	if (!v)\n"                                                                         \
	"		return;\n"                                                                 \
	"	if (closed)\n"                                                                     \
	"		bpf_preempt_disable();\n"                                                  \
	"	old = *v;\n"                                                                       \
	"	burn(loops);\n"                                                                    \
	"	*v = old + 1;\n"                                                                   \
	"	seen = *v;\n"                                                                      \
	"	done++;\n"                                                                         \
	"	if (closed)\n"                                                                     \
	"		bpf_preempt_enable();\n"                                                   \
	"	moved += cpu != bpf_get_smp_processor_id();\n"                                     \
	"}\n"                                                                                      \
	"SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"                  \
	"{\n"                                                                                      \
	"	count(loops);\n"                                                                   \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\"struct_ops/tick\") int BPF_PROG(tick, struct bpf_periodic_ctx *c)\n"                \
	"{\n"                                                                                      \
	"	count(0);\n"                                                                       \
	"	return 0;\n"                                                                       \
	"}\n" TABLE("p", "")                                                                       \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops q = {\n"                                \
	"	.run = (void *)tick, .period_ns = 1000000, .name = \"q\" };\n"

/* How many of the counts of two programs on one CPU were lost. */
static s64 lost_counts(bool closed, bool interpreted)
{
	struct loader *l;
	s64 lost;

	boot_verified_slow("2", interpreted);
	l = attach(PERCPU, burn_for(10 * MS, closed ? "closed=1 p.period_ns=30000000" :
						      "p.period_ns=30000000"));
	pin(thread_of(0), 1);
	pin(thread_of(1), 1);
	hog_on("0");
	run_for(100 * MS);
	lost = value(l, "done") - value(l, "seen");
	run_for(900 * MS);
	lost = value(l, "done") - value(l, "seen") - lost;
	/* it stays on its CPU, and the pointer is that CPU's */
	assert_int_equal(value(l, "moved"), 0);
	assert_true(stats_of(0)->runs > 20 && stats_of(1)->runs > 400);
	loader_close(l);
	shut_down();
	return lost;
}

/* The CPU stays; that nobody else comes meanwhile is another matter. */
static void percpu_pointer(bool interpreted)
{
	assert_true(lost_counts(false, interpreted) > 50);
	assert_int_equal(lost_counts(true, interpreted), 0);
}

BOTH(percpu_pointer)

/* --- where it may run ----------------------------------------------------------------------- */

/* The affinity changes in a run, and again; the next one follows. All of its CPUs go. */
static void affinity(bool interpreted)
{
	struct loader *l;
	struct task *other;

	boot_verified_slow("4", interpreted);
	l = attach(BURNS TABLE("p", ""), burn_for(5 * MS, "p.period_ns=20000000"));
	pin(thread_of(0), 2);
	run_for(42 * MS);
	/* in a run */
	assert_int_equal(thread_of(0)->ts.cpu, 2);
	assert_int_equal(value(l, "begun"), value(l, "ended") + 1);
	pin(thread_of(0), 3);
	run_for(MS);
	assert_int_equal(thread_of(0)->ts.cpu, 2);
	run_for(20 * MS);
	assert_int_equal(thread_of(0)->ts.cpu, 3);
	/* with its only CPU its affinity goes, as in Linux: it is not lost */
	other = hog_on("3");
	assert_int_equal(kernel_cpu_set_online(3, false), 0);
	run_for(100 * MS);
	assert_int_not_equal(other->ts.cpu, 3);
	assert_int_not_equal(thread_of(0)->ts.cpu, 3);
	assert_int_equal(stats_of(0)->missed, 0);
	assert_near(stats_of(0)->runs, 8, 1);
	assert_int_equal(cpumask_weight(thread_of(0)->ts.cpus_ptr), 4);
	loader_close(l);
	shut_down();
}

BOTH(affinity)

/* --- starving ------------------------------------------------------------------------------- */

/*
 * SCHED_IDLE beside a hog: 3 to 1024. Its runs are late, and left out, and never made up
 * for; what it has found stays, which is memory; nobody else waits, but who detaches it.
 */
static void starves(bool interpreted)
{
	u64 missed, runs, renewed, before;
	struct loader *l;
	struct task *other;

	boot_verified_slow("1", interpreted);
	other = hog(0);
	l = attach(RCU, burn_for(2 * MS, "p.period_ns=5000000"));
	set_policy(thread_of(0), SCHED_IDLE, 0);
	run_for(10 * NSEC_PER_SEC);
	runs = stats_of(0)->runs;
	missed = stats_of(0)->missed;
	assert_in_range(stats_of(0)->runtime, 20 * MS, 50 * MS);
	assert_in_range(runs, 8, 30);
	assert_near(runs + missed, 2000, 2000 / runs * 2);
	assert_true(stats_of(0)->wakeup.max > 100 * MS);
	assert_true(stats_of(0)->delay > NSEC_PER_SEC);
	assert_int_equal(value(l, "changed"), 0);
	/* the others of the machine */
	renewed = stats_of(1)->runs + stats_of(1)->missed;
	assert_near(renewed, 10000, 20);
	assert_true(task_runtime(other) > 98 * NSEC_PER_SEC / 10);
	/* it gets the CPU again: a run per period, no more */
	set_policy(thread_of(0), SCHED_NORMAL, 0);
	run_for(NSEC_PER_SEC);
	assert_near(stats_of(0)->runs + stats_of(0)->missed, runs + missed + 200, 2000 / runs * 2);
	assert_in_range(stats_of(0)->runs - runs, 100, 201);
	/* detaching waits for the run in progress, with what the program gets of the CPU */
	set_policy(thread_of(0), SCHED_IDLE, 0);
	run_for(100 * MS);
	before = kernel_now();
	loader_detach(l);
	assert_true(kernel_now() - before < 2 * NSEC_PER_SEC);
	assert_int_equal(value(l, "begun"), value(l, "ended"));
	loader_close(l);
	shut_down();
}

BOTH(starves)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preempted),
		cmocka_unit_test(test_closed_section),
		cmocka_unit_test(test_closed_for_ever),
		cmocka_unit_test(test_in_rcu_section),
		cmocka_unit_test(test_with_lock_held),
		cmocka_unit_test(test_percpu_pointer),
		cmocka_unit_test(test_affinity),
		cmocka_unit_test(test_starves),
	};

	return cmocka_run_group_tests(tests, periodic_setup, periodic_teardown);
}
