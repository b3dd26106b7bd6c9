// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of periodic programs: what is refused and in which words, init() and
 * exit(), update, detach and shutdown in the middle of a run, programs that do
 * what they must not, and those of type PERIODIC.
 */
#include "test_sched_periodic.h"

#include <bpf/bpf.h>

#include "../../src/base/kheap.h"

#define TWO_TABLES(first, second)                                                                  \
	PREAMBLE RUN                                                                               \
	"u64 inits, exits;\n"                                                                      \
	"const volatile s32 init_ret;\n"                                                           \
	"SEC(\"?struct_ops/init\") int BPF_PROG(first)\n"                                            \
	"{\n"                                                                                      \
	"	inits++;\n"                                                                        \
	"	return init_ret;\n"                                                                \
	"}\n"                                                                                      \
	"SEC(\"?struct_ops.s/exit\") void BPF_PROG(last)\n"                                         \
	"{\n"                                                                                      \
	"	exits++;\n"                                                                        \
	"}\n"                                                                                      \
	TABLE("p", first)                                                                          \
	"u64 others;\n"                                                                            \
	"SEC(\"struct_ops/other\") int BPF_PROG(other, struct bpf_periodic_ctx *c)\n"              \
	"{\n"                                                                                      \
	"	others++;\n"                                                                       \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops next = {\n"                             \
	"	.run = (void *)other, .period_ns = 1000000, .name = \"p\", " second "\n"           \
	"};\n"

#define INIT ".init = (void *)first,"
#define EXIT ".exit = (void *)last,"

/* --- what is refused ---------------------------------------------------------------- */

static void assert_refused(const char *text, const char *set, const char *words)
{
	struct loader *l = load(text, set);

	assert_int_equal(loader_attach(l, &error), LOADER_ERR_ATTACH);
	if (!strstr(error.message, words))
		fail_msg("'%s' does not say '%s'", error.message, words);
	loader_close(l);
	assert_null(kernel_periodic_stats(0));
	run_for(10 * MS);
	assert_null(find_task("bpf/p"));
}

static void test_refused(void **state)
{
	boot_slow("1");
	assert_refused(SIMPLE, "p.period_ns=0", "period_ns is 0: expected 10000 (10 us) to 86400000000000 (24 h)");
	assert_refused(SIMPLE, "p.period_ns=9999", "period_ns is 9999");
	assert_refused(SIMPLE, "p.period_ns=86400000000001", "period_ns is 86400000000001");
	assert_refused(SIMPLE, "p.nice=99", "nice is 99: expected -20 to 19");
	assert_refused(SIMPLE, "p.nice=-21", "nice is -21");
	assert_refused(SIMPLE, "p.mode=3", "mode is 3: expected BPF_PERIODIC_FRAMEWORK (0) or BPF_PERIODIC_PROGRAM (1)");
	assert_refused(SIMPLE, "p.mode=BPF_PERIODIC_PROGRAM p.worker=both",
		       "worker is \"both\": a program that manages its periods itself needs a thread of its own");
	assert_refused(SIMPLE, "p.worker=a/b", "worker is \"a/b\": expected letters");
	assert_refused(SIMPLE, "p.cpu_quota_us=1000", "cpu_quota_us is 1000 and cpu_period_us is 0: expected both");
	assert_refused(SIMPLE, "p.cpu_period_us=1000", "cpu_quota_us is 0 and cpu_period_us is 1000");
	assert_refused(SIMPLE, "p.cpu_quota_us=999 p.cpu_period_us=100000", "cpu_quota_us is 999: expected 1000 (1 ms)");
	assert_refused(SIMPLE, "p.cpu_quota_us=1000 p.cpu_period_us=1000001", "cpu_period_us is 1000001: expected 1000 (1 ms) to 1000000 (1 s)");
	assert_refused(PREAMBLE RUN TABLE("p", ".cgroup = \"/no/such\""), NULL, "cgroup is \"/no/such\": there is none of that name");
	assert_refused(PREAMBLE RUN TABLE("p", ".cgroup = \"system\""), NULL, "cgroup is \"system\": expected a path");
	assert_refused(PREAMBLE RUN "SEC(\".struct_ops.link\") struct bpf_periodic_ops p = {\n"
		       ".run = (void *)run, .period_ns = 1000000 };\n", NULL, "name is empty");
	assert_refused(PREAMBLE RUN "SEC(\".struct_ops.link\") struct bpf_periodic_ops p = {\n"
		       ".run = (void *)run, .period_ns = 1000000, .name = \"a/b\" };\n", NULL,
		       "name is \"a/b\": expected letters");
	assert_refused(PREAMBLE RUN "SEC(\".struct_ops.link\") struct bpf_periodic_ops p = {\n"
		       ".run = (void *)run, .period_ns = 1000000, .name = \"0123456789abcdef\" };\n",
		       NULL, "name has more than 15 characters");
	assert_refused(PREAMBLE "SEC(\".struct_ops.link\") struct bpf_periodic_ops p = {\n"
		       ".period_ns = 1000000, .name = \"p\" };\n", NULL, "run is missing");
	shut_down();
}

/* A name is one program's; and that of its cgroup, if it has a quota. */
static void test_same_name(void **state)
{
	struct cgroup *cgroup;
	struct loader *l;
	int err;

	boot_slow("1");
	l = load(TWO_TABLES("", ""), NULL);
	assert_int_equal(loader_attach(l, &error), LOADER_ERR_ATTACH);
	assert_non_null(strstr(error.message, "name is \"p\": there is a program of that name"));
	loader_close(l);
	cgroup = cgroup_make_path("/p", &err);
	assert_non_null(cgroup);
	l = load(SIMPLE, "p.cpu_quota_us=1000 p.cpu_period_us=100000");
	assert_int_equal(loader_attach(l, &error), LOADER_ERR_ATTACH);
	assert_non_null(strstr(error.message, "the cgroup \"/p\" for its quota cannot be made: it exists"));
	loader_close(l);
	assert_ptr_equal(cgroup_find("/p"), cgroup);
	shut_down();
}

/* --- init() and exit() ----------------------------------------------------------------- */

struct linked {
	struct loader *l;
	struct bpf_link *link;
	struct bpf_map *next;
};

static struct linked attach_first(const char *text, const char *set)
{
	struct linked a = { .l = load(text, set) };

	a.next = bpf_object__find_map_by_name(a.l->obj, "next");
	a.link = bpf_map__attach_struct_ops(bpf_object__find_map_by_name(a.l->obj, "p"));
	assert_non_null(a.link);
	return a;
}

static void close_linked(struct linked *a)
{
	assert_int_equal(bpf_link__destroy(a->link), 0);
	loader_close(a->l);
}

static void test_init_and_exit(void **state)
{
	struct linked a;

	boot_slow("1");
	a = attach_first(TWO_TABLES(INIT EXIT, ""), NULL);
	assert_int_equal(value(a.l, "inits"), 1);
	run_for(10 * MS);
	assert_int_equal(value(a.l, "exits"), 0);
	assert_int_equal(bpf_link__destroy(a.link), 0);
	assert_int_equal(value(a.l, "exits"), 1);
	assert_false(stats_of(0)->attached);
	assert_near(stats_of(0)->runs, 10, 1);
	run_for(10 * MS);
	assert_int_equal(value(a.l, "begun"), stats_of(0)->runs);
	assert_null(find_task("bpf/p"));
	loader_close(a.l);
	shut_down();
}

static void test_init_fails(void **state)
{
	boot_slow("1");
	assert_refused(TWO_TABLES(INIT, ""), "init_ret=-17",
		       "init() of \"p\" failed (-17, File exists)");
	assert_refused(TWO_TABLES(INIT, ""), "init_ret=1", "init() of \"p\" failed (-71");
	shut_down();
}

/* --- update ------------------------------------------------------------------------------- */

static void test_update(void **state)
{
	struct linked a;
	u64 due;

	boot_slow("1");
	a = attach_first(TWO_TABLES(INIT EXIT, INIT), "next.nice=5");
	run_for(10 * MS + 300 * US);
	due = value(a.l, "last_due");
	assert_int_equal(bpf_link__update_map(a.link, a.next), 0);
	assert_int_equal(value(a.l, "inits"), 2);
	assert_int_equal(value(a.l, "exits"), 1);
	run_for(10 * MS);
	assert_near(value(a.l, "begun"), 10, 1);
	assert_near(value(a.l, "others"), 10, 1);
	assert_int_equal(stats_of(0)->nice, 5);
	/* one program, one thread, in its old phase */
	assert_null(kernel_periodic_stats(1));
	assert_near(stats_of(0)->runs, 20, 1);
	assert_int_equal(stats_of(0)->missed, 0);
	assert_true(value(a.l, "last_due") == (s64)due);
	close_linked(&a);
	shut_down();
}

/* What the user has set stays, unless the table asks for something else than before. */
static void test_update_keeps_nice(void **state)
{
	struct linked a;

	boot_slow("1");
	a = attach_first(TWO_TABLES("", ""), "p.nice=2 next.nice=2");
	set_nice(thread_of(0), 7);
	assert_int_equal(bpf_link__update_map(a.link, a.next), 0);
	run_for(10 * MS);
	assert_int_equal(stats_of(0)->nice, 7);
	close_linked(&a);
	shut_down();
}

/* In the middle of a run: when that is over. Another period begins then. */
static void test_update_in_run(void **state)
{
	struct linked a;

	boot_slow("1");
	a = attach_first(TWO_TABLES("", ""), loops_for(30 * MS, "next.period_ns=2000000"));
	run_for(10 * MS);
	assert_int_equal(value(a.l, "ended"), 0);
	assert_int_equal(bpf_link__update_map(a.link, a.next), 0);
	assert_int_equal(value(a.l, "ended"), 1);
	assert_int_equal(stats_of(0)->period, 2 * MS);
	run_for(20 * MS + 500 * US);
	assert_int_equal(value(a.l, "others"), 10);
	close_linked(&a);
	shut_down();
}

static void assert_not_updated(const char *text, const char *set, int err)
{
	struct linked a = attach_first(text, set);

	assert_int_equal(bpf_link__update_map(a.link, a.next), err);
	run_for(5 * MS);
	assert_int_equal(value(a.l, "others"), 0);
	assert_true(value(a.l, "begun") >= 4);
	close_linked(&a);
}

/* Its exit() is stopped, or its run() was, and then exit() is not called: either way it goes. */
static void assert_bad_one_replaced(const char *set, u32 exits)
{
	struct linked a;

	boot_slow("1");
	a = attach_first(PREAMBLE "u64 others, exits, bad_exit, bad_run;\n"
			 "static int bad(u64 is)\n"
			 "{\n"
			 "	if (is)\n"
			 "		*(volatile u64 *)(&sink + 1000) = 0;\n"
			 "	return 0;\n"
			 "}\n"
			 "SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
			 "{\n"
			 "	begun++;\n"
			 "	return bad(bad_run);\n"
			 "}\n"
			 "SEC(\"struct_ops/exit\") int BPF_PROG(bye, struct bpf_periodic_ctx *c)\n"
			 "{\n"
			 "	exits++;\n"
			 "	return bad(bad_exit);\n"
			 "}\n"
			 "SEC(\"struct_ops/other\") int BPF_PROG(other, struct bpf_periodic_ctx *c)\n"
			 "{\n"
			 "	others++;\n"
			 "	return 0;\n"
			 "}\n" TABLE("p", ".exit = (void *)bye")
			 "SEC(\".struct_ops.link\") struct bpf_periodic_ops next = {\n"
			 "	.run = (void *)other, .period_ns = 1000000, .name = \"p\"\n"
			 "};\n", set);
	run_for(5 * MS);
	assert_int_equal(bpf_link__update_map(a.link, a.next), 0);
	assert_int_equal(value(a.l, "exits"), exits);
	assert_false(stats_of(0)->failed);
	run_for(10 * MS);
	assert_near(value(a.l, "others"), 10, 1);
	close_linked(&a);
	shut_down();
}

static void test_update_bad(void **state)
{
	assert_bad_one_replaced("bad_exit=1", 1);
	assert_bad_one_replaced("bad_run=1", 0);
}

static void test_update_refused(void **state)
{
	boot_slow("1");
	assert_not_updated(TWO_TABLES("", INIT), "init_ret=-5", -EIO);
	assert_not_updated(TWO_TABLES("", ".cgroup = \"/\""), NULL, -EINVAL);
	assert_not_updated(TWO_TABLES("", ""), "next.cpu_quota_us=1000 next.cpu_period_us=10000",
			   -EINVAL);
	assert_not_updated(TWO_TABLES("", ""), "next.period_ns=1", -ERANGE);
	assert_not_updated(TWO_TABLES("", ""), "next.worker=x", -EINVAL);
	assert_not_updated(TWO_TABLES("", ""), "next.mode=BPF_PERIODIC_PROGRAM", -EINVAL);
	shut_down();
}

/* --- detach ---------------------------------------------------------------------------------- */

static void test_detach_in_run(void **state)
{
	struct loader *l;
	u64 before;

	boot_slow("2");
	hog(0);
	hog(0);
	l = attach(SIMPLE, loops_for(30 * MS, ""));
	run_for(10 * MS);
	assert_int_equal(value(l, "begun"), 1);
	assert_int_equal(value(l, "ended"), 0);
	before = kernel_now();
	loader_detach(l);
	/* it was waited for, beside a hog */
	assert_int_equal(value(l, "ended"), 1);
	assert_int_equal(stats_of(0)->runs, 1);
	assert_near(kernel_now() - before, 40 * MS, 20 * MS);
	run_for(10 * MS);
	assert_int_equal(value(l, "begun"), 1);
	assert_null(find_task("bpf/p"));
	loader_close(l);
	shut_down();
}

/* The machine stops in the middle: preempted here, running there; links that nobody has closed. */
static void test_shutdown_in_run(void **state)
{
	struct loader *l;

	boot_slow("2");
	hog_on("0");
	l = attach(PREAMBLE RUN TABLE("p", "") TABLE("q", ""), loops_for(300 * MS, ""));
	run_for(20 * MS);
	assert_int_equal(stats_of(0)->runs, 0);
	assert_true(stats_of(0)->runtime > MS && stats_of(1)->runtime > MS);
	shut_down();
	/* what is left of it is descriptors of nothing */
	loader_close(l);
}

/* --- cgroups ----------------------------------------------------------------------------------- */

static void make_system(void *arg)
{
	int err;

	assert_non_null(cgroup_make_path("/system", &err));
}

static void test_own_cgroup(void **state)
{
	struct cgroup_cpu_stat stat;
	struct loader *l;

	boot_slow("1");
	kernel_run_inside(make_system, NULL);
	l = attach(PREAMBLE RUN TABLE("p", ".cgroup = \"/system\""),
		   loops_for(50 * US, "p.cpu_quota_us=20000 p.cpu_period_us=100000"));
	run_for(100 * MS);
	assert_string_equal(stats_of(0)->cgroup, "/system/p");
	assert_ptr_equal(task_cgroup(thread_of(0)), cgroup_find("/system/p"));
	cgroup_cpu_stat(cgroup_find("/system/p"), &stat);
	assert_near(stat.usage, 5 * MS, MS);
	loader_close(l);
	assert_null(cgroup_find("/system/p"));
	assert_string_equal(stats_of(0)->cgroup, "/system/p");
	shut_down();
}

static void move_to_root(void *arg)
{
	assert_int_equal(cgroup_attach_task(cgroup_find("/"), arg), 0);
}

static void test_moved(void **state)
{
	struct loader *l;

	boot_slow("1");
	kernel_run_inside(make_system, NULL);
	l = attach(PREAMBLE RUN TABLE("p", ".cgroup = \"/system\""), NULL);
	run_for(10 * MS);
	assert_string_equal(stats_of(0)->cgroup, "/system");
	kernel_run_inside(move_to_root, thread_of(0));
	run_for(10 * MS);
	assert_string_equal(stats_of(0)->cgroup, "/");
	assert_near(stats_of(0)->runs, 20, 1);
	loader_close(l);
	assert_non_null(cgroup_find("/system"));
	shut_down();
}

/* --- programs that do what they must not ---------------------------------------------------------- */

static void test_fault(void **state)
{
	struct loader *l;
	u64 alone;

	boot_slow("1");
	l = attach(PREAMBLE RUN
		   "SEC(\"struct_ops/bad\") int BPF_PROG(bad, struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	*(volatile u64 *)(&sink + (begun > 3 ? 1000 : 0)) = 0;\n"
		   "	return 0;\n"
		   "}\n" TABLE("p", "")
		   "SEC(\".struct_ops.link\") struct bpf_periodic_ops q = {\n"
		   "	.run = (void *)bad, .period_ns = 1000000, .name = \"q\"\n"
		   "};\n", NULL);
	run_for(20 * MS);
	assert_true(stats_of(1)->failed);
	assert_true(stats_of(1)->runs < 6);
	assert_true(stats_of(1)->attached);
	alone = stats_of(0)->runs;
	assert_false(stats_of(0)->failed);
	run_for(10 * MS);
	assert_near(stats_of(0)->runs, alone + 10, 1);
	loader_close(l);
	shut_down();
}

/* It is stopped after 64 Mi instructions, and until then everybody has his share. */
static void test_endless(void **state)
{
	struct task *other;
	struct loader *l;

	boot("1");
	other = hog(0);
	l = attach(PREAMBLE
		   "SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	for (u64 i = 0; i < 1ULL << 60; i++)\n"
		   "		*(volatile u64 *)&sink = i;\n"
		   "	return 0;\n"
		   "}\n" TABLE("p", ""), NULL);
	run_for(100 * MS);
	assert_true(stats_of(0)->failed);
	assert_near(stats_of(0)->runtime, (64ULL << 20) * cost_defaults.bpf_insn_ps / 1000, MS);
	assert_near(task_runtime(other), 80 * MS, 5 * MS);
	loader_close(l);
	shut_down();
}

/* What is deleted while a program walks it, and is preempted, stays there for it. */
static void test_memory_stays(void **state)
{
	struct kheap_stats middle, after;
	struct loader *l;
	s64 others;
	int fd;

	boot_slow("1");
	hog(0);
	l = load(PREAMBLE
		 "struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64);\n"
		 "	__type(key, u32); __type(value, u64); } map SEC(\".maps\");\n"
		 "u64 walked, sum;\n"
		 "static long each(struct bpf_map *map, u32 *key, u64 *v, void *arg)\n"
		 "{\n"
		 "	compute();\n"
		 "	walked++;\n"
		 "	sum += *v;\n"
		 "	return 0;\n"
		 "}\n"
		 "SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		 "{\n"
		 "	if (!begun++)\n"
		 "		bpf_for_each_map_elem(&map, each, 0, 0);\n"
		 "	ended++;\n"
		 "	return 0;\n"
		 "}\n" TABLE("p", "")
		 "u64 others;\n"
		 "SEC(\"struct_ops/other\") int BPF_PROG(other, struct bpf_periodic_ctx *c)\n"
		 "{\n"
		 "	others++;\n"
		 "	return 0;\n"
		 "}\n"
		 "SEC(\".struct_ops.link\") struct bpf_periodic_ops q = {\n"
		 "	.run = (void *)other, .period_ns = 1000000, .name = \"q\"\n"
		 "};\n", loops_for(100 * MS, ""));
	fd = bpf_map__fd(bpf_object__find_map_by_name(l->obj, "map"));
	for (u32 i = 0; i < 64; i++) {
		u64 one = 1;

		assert_int_equal(bpf_map_update_elem(fd, &i, &one, 0), 0);
	}
	assert_int_equal(loader_attach(l, &error), LOADER_OK);
	run_for(50 * MS);
	assert_int_equal(value(l, "ended"), 0);
	assert_int_equal(value(l, "walked"), 0);
	/* others come and go in their place */
	for (u32 key = 0; key < 192; key++) {
		u32 later = key + 64;
		u64 other = 1000;

		assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
		if (key < 128)
			assert_int_equal(bpf_map_update_elem(fd, &later, &other, 0), 0);
	}
	kheap_stats(&middle);
	/* runs that begin and end meanwhile do not matter */
	others = value(l, "others");
	run_for(20 * MS);
	assert_true(value(l, "others") > others + 10);
	assert_int_equal(value(l, "ended"), 0);
	run_for(NSEC_PER_SEC);
	assert_true(value(l, "ended") > 0);
	assert_false(stats_of(0)->failed);
	assert_in_range(value(l, "walked"), 1, 60);
	assert_int_equal(value(l, "sum"), value(l, "walked"));
	/* now all of it is used again */
	for (u32 i = 0; i < 64; i++)
		assert_int_equal(bpf_map_update_elem(fd, &i, &(u64){ 1 }, 0), 0);
	kheap_stats(&after);
	assert_int_equal(after.live, middle.live);
	loader_detach(l);
	loader_close(l);
	shut_down();
}

/* A timer of a program is an interrupt as ever: while others run, and on an idle CPU. */
static void test_timer(void **state)
{
	struct loader *l;
	struct task *rt;

	boot_slow("1");
	l = attach(PREAMBLE
		   "struct value { struct bpf_timer timer; };\n"
		   "struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1);\n"
		   "	__type(key, u32); __type(value, struct value); } timers SEC(\".maps\");\n"
		   "u64 fired;\n"
		   "static int expire(void *map, u32 *key, struct value *v)\n"
		   "{\n"
		   "	compute();\n"
		   "	fired++;\n"
		   "	return 0;\n"
		   "}\n"
		   "SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	u32 zero = 0;\n"
		   "	struct value *v = bpf_map_lookup_elem(&timers, &zero);\n"
		   "	if (!v)\n"
		   "		return 0;\n"
		   "	if (!begun++)\n"
		   "		bpf_timer_init(&v->timer, &timers, 1);\n"
		   "	bpf_timer_set_callback(&v->timer, expire);\n"
		   "	bpf_timer_start(&v->timer, 300000, 0);\n"
		   "	return 0;\n"
		   "}\n" TABLE("p", ""), loops_for(100 * US, "p.period_ns=2000000"));
	rt = start((struct task_params){ .policy = SCHED_FIFO, .rt_priority = 1 }, 20 * US, 70 * US);
	run_for(100 * MS);
	assert_near(value(l, "fired"), 49, 1);
	assert_true(job_of(rt)->late_max > 50 * US);
	assert_true(stats_of(0)->run_time.max < 20 * US);
	loader_close(l);
	shut_down();
}

/* --- beside a sched_ext scheduler -------------------------------------------------------------------- */

/* Threads of programs are tasks like others: a scheduler for all of them gets them. */
static void test_beside_ext(void **state)
{
	struct loader *l, *scx;

	boot_slow("2");
	hog(0);
	hog(0);
	l = attach(SIMPLE, loops_for(200 * US, ""));
	scx = attach("#include <vmlinux.h>\n"
		     "#include <bpf/bpf_helpers.h>\n"
		     "#include <bpf/bpf_tracing.h>\n"
		     "char _license[] SEC(\"license\") = \"GPL\";\n"
		     "u64 seen;\n"
		     "SEC(\"struct_ops/tick\") void BPF_PROG(tick, struct task_struct *p)\n"
		     "{\n"
		     "	seen++;\n"
		     "}\n"
		     "SEC(\".struct_ops.link\") struct sched_ext_ops minimal = {\n"
		     "	.tick = (void *)tick, .name = \"minimal\"\n"
		     "};\n", NULL);
	run_for(200 * MS);
	assert_true(thread_of(0)->ts.sched_class == &ext_sched_class.id);
	assert_true(kernel_scx_exit()->attached);
	assert_true(stats_of(0)->runs > 5);
	loader_close(scx);
	run_for(10 * MS);
	assert_true(thread_of(0)->ts.sched_class == &fair_sched_class.id);
	loader_close(l);
	shut_down();
}

/* A queue that a program walks goes with its scheduler while the program is preempted. */
static void test_queue_goes(void **state)
{
	struct loader *l, *scx;

	boot_slow("1");
	for (u32 i = 0; i < 6; i++)
		hog(0);
	scx = attach("#include <vrt/scx.bpf.h>\n"
		     "char _license[] SEC(\"license\") = \"GPL\";\n"
		     "void SCX_OP(q_enqueue, struct task_struct *p, u64 flags)\n"
		     "{\n"
		     "	dsq_insert(p, 7, 1000000, flags);\n"
		     "}\n"
		     "void SCX_OP(q_dispatch, s32 cpu, struct task_struct *prev)\n"
		     "{\n"
		     "	dsq_move_to_local(7);\n"
		     "}\n"
		     "s32 SCX_OP_SLEEPABLE(q_init)\n"
		     "{\n"
		     "	return scx_bpf_create_dsq(7, -1);\n"
		     "}\n"
		     "SEC(\".struct_ops.link\") struct sched_ext_ops q = {\n"
		     "	.enqueue = (void *)q_enqueue, .dispatch = (void *)q_dispatch,\n"
		     "	.init = (void *)q_init, .name = \"q\"\n"
		     "};\n", NULL);
	l = attach(PREAMBLE
		   "extern int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id,\n"
		   "				 u64 flags) __ksym;\n"
		   "extern struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym;\n"
		   "extern void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym;\n"
		   "u64 walked;\n"
		   "SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	struct bpf_iter_scx_dsq it;\n"
		   "	begun++;\n"
		   "	bpf_iter_scx_dsq_new(&it, 7, 0);\n"
		   "	while (bpf_iter_scx_dsq_next(&it)) {\n"
		   "		walked++;\n"
		   "		compute();\n"
		   "	}\n"
		   "	bpf_iter_scx_dsq_destroy(&it);\n"
		   "	ended++;\n"
		   "	return 0;\n"
		   "}\n" TABLE("p", ""), loops_for(20 * MS, ""));
	run_for(100 * MS);
	assert_int_equal(value(l, "begun"), 1);
	assert_int_equal(value(l, "ended"), 0);
	assert_in_range(value(l, "walked"), 1, 2);
	assert_true(kernel_scx_exit()->attached);
	loader_close(scx);
	run_for(NSEC_PER_SEC);
	assert_true(value(l, "ended") > 0);
	assert_in_range(value(l, "walked"), 1, 2);
	assert_false(stats_of(0)->failed);
	loader_close(l);
	shut_down();
}

/* --- SEC("periodic/...") -------------------------------------------------------------------------------- */

#define PERIODIC                                                                                   \
	PREAMBLE                                                                                   \
	"SEC(\"periodic/2ms\") int tick(struct bpf_periodic_ctx *c)\n"                             \
	"{\n"                                                                                      \
	"	note(c);\n"                                                                        \
	"	compute();\n"                                                                      \
	"	c->missed = ~0ULL; /* its own copy */\n"                                           \
	"	ended++;\n"                                                                        \
	"	return 0;\n"                                                                       \
	"}\n"

static void test_type(void **state)
{
	struct loader *l;
	struct task *t;

	boot_slow("1");
	l = load(PERIODIC, NULL);
	run_for(10 * MS);
	t = find_task("bpf/tick");
	assert_non_null(t);
	assert_ptr_equal(task_cgroup(t), cgroup_find("/bpf"));
	assert_int_equal(value(l, "begun"), 0);
	assert_null(kernel_periodic_stats(0));
	assert_int_equal(loader_attach(l, &error), LOADER_OK);
	run_for(20 * MS + 500 * US);
	assert_int_equal(value(l, "begun"), 10);
	assert_int_equal(value(l, "off_phase"), 0);
	assert_string_equal(stats_of(0)->name, "tick");
	assert_string_equal(stats_of(0)->cgroup, "/bpf");
	assert_int_equal(stats_of(0)->period, 2 * MS);
	assert_int_equal(stats_of(0)->missed, 0);
	loader_detach(l);
	assert_false(stats_of(0)->attached);
	run_for(10 * MS);
	assert_int_equal(value(l, "begun"), 10);
	assert_ptr_equal(find_task("bpf/tick"), t);
	/* and again */
	assert_int_equal(loader_attach(l, &error), LOADER_OK);
	run_for(10 * MS + 500 * US);
	assert_int_equal(value(l, "begun"), 15);
	assert_null(kernel_periodic_stats(1));
	loader_close(l);
	run_for(10 * MS);
	assert_null(find_task("bpf/tick"));
	assert_non_null(cgroup_find("/bpf"));
	shut_down();
}

/* What was stopped is run again when it is attached again. */
static void test_type_again(void **state)
{
	struct loader *l;

	boot_slow("1");
	l = attach(PREAMBLE
		   "SEC(\"periodic/1ms\") int tick(struct bpf_periodic_ctx *c)\n"
		   "{\n"
		   "	*(volatile u64 *)(&sink + (++begun == 3 ? 1000 : 0)) = 0;\n"
		   "	return 0;\n"
		   "}\n", NULL);
	run_for(10 * MS);
	assert_true(stats_of(0)->failed);
	assert_int_equal(value(l, "begun"), 3);
	loader_detach(l);
	assert_int_equal(loader_attach(l, &error), LOADER_OK);
	run_for(10 * MS + 500 * US);
	assert_false(stats_of(0)->failed);
	assert_int_equal(value(l, "begun"), 13);
	loader_close(l);
	shut_down();
}

/* Loaded or attached when the machine goes, and in a run. */
static void test_type_shutdown(void **state)
{
	struct loader *loaded, *attached;

	boot_slow("1");
	loaded = load(PERIODIC, NULL);
	attached = attach(PERIODIC, loops_for(30 * MS, ""));
	run_for(10 * MS);
	assert_int_equal(stats_of(0)->runs, 0);
	shut_down();
	loader_close(loaded);
	loader_close(attached);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_same_name),
		cmocka_unit_test(test_init_and_exit),
		cmocka_unit_test(test_init_fails),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_update_keeps_nice),
		cmocka_unit_test(test_update_in_run),
		cmocka_unit_test(test_update_bad),
		cmocka_unit_test(test_update_refused),
		cmocka_unit_test(test_detach_in_run),
		cmocka_unit_test(test_shutdown_in_run),
		cmocka_unit_test(test_own_cgroup),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_memory_stays),
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_beside_ext),
		cmocka_unit_test(test_queue_goes),
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_type_again),
		cmocka_unit_test(test_type_shutdown),
	};

	return cmocka_run_group_tests(tests, periodic_setup, periodic_teardown);
}
