// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole way, on the simulated kernel: objects are compiled, loaded, attached
 * and schedule. The kernel's own schedulers are used unmodified where
 * scripts/fetch.sh has fetched them.
 */
#include "loader_fixture.h"

#include <sys/stat.h>

#include "../../src/loader/loader.h"
#include "../../src/sched/kernel.h"

static struct topology topo;
static struct loader_error error;
static char warnings[4096];

static void warn(const char *line, void *arg)
{
	strncat(warnings, line, sizeof(warnings) - strlen(warnings) - 1);
	strncat(warnings, "\n", sizeof(warnings) - strlen(warnings) - 1);
}

static void kernel_log(u64 time, bool bpf, const char *line)
{
	print_message("[%10.6f] %s\n", (double)time / NSEC_PER_SEC, line);
}

static u64 live(void)
{
	struct kheap_stats stats;

	kheap_stats(&stats);
	return stats.live;
}

/* --- the machine -------------------------------------------------------------- */

static void next(struct task *task, struct task_action *action)
{
	static u32 turn;

	/* by turns on and off the CPU, and longer than a slice now and then */
	action->kind = turn % 3 ? ACT_COMPUTE : ACT_SLEEP;
	action->ns = (turn++ % 7 + 1) * 5 * NSEC_PER_MSEC;
}

static void release(struct task *task)
{
}

static const struct task_behaviour behaviour = { .next = next, .release = release };

static int boot(void **state)
{
	static struct kernel_config config = { .topology = &topo, .seed = 1, .log = kernel_log };
	struct task_params params = { .comm = "worker", .new_process = true };
	char err[256], include[4200];
	struct task *task;
	int ret;

	config.costs = &cost_defaults;
	loader_error_free(&error);
	warnings[0] = '\0';
	strcpy(test_dir, "/tmp/test-loader-XXXXXX");
	assert_non_null(mkdtemp(test_dir));
	setenv("XDG_CACHE_HOME", test_dir, 1);
	snprintf(include, sizeof(include), "%s/include", build_root());
	setenv("VRT_INCLUDE", include, 1);
	assert_int_equal(topology_parse(&topo, "2x2x2", err, sizeof(err)), 0);
	assert_int_equal(kernel_boot(&config), 0);
	for (u32 i = 0; i < 20; i++) {
		task = task_create(&params, &behaviour, NULL, &ret);
		assert_non_null(task);
		task_start(task);
	}
	kernel_run_until(kernel_now() + 10 * NSEC_PER_MSEC);
	return 0;
}

static int halt(void **state)
{
	char command[256], books[4096];

	if (kernel_check_books(books, sizeof(books)))
		fail_msg("%s", books);
	kernel_shutdown();
	assert_int_equal(live(), 0);
	topology_free(&topo);
	loader_error_free(&error);
	snprintf(command, sizeof(command), "rm -rf %s", test_dir);
	return system(command);
}

static void run_for(u64 ms)
{
	kernel_run_until(kernel_now() + ms * NSEC_PER_MSEC);
}

static struct loader *open_source(const char *path, const struct loader_options *opts)
{
	struct loader *l = loader_open(path, opts, warn, NULL, &error);

	if (!l)
		fail_msg("%s", error.message);
	return l;
}

static void load_and_attach(struct loader *l)
{
	if (loader_load(l, &error) != LOADER_OK)
		fail_msg("load: %s\n%s", error.message, error.log ? error.log : "");
	if (loader_attach(l, &error) != LOADER_OK)
		fail_msg("attach: %s\n%s", error.message, error.log ? error.log : "");
}

/* --- the kernel's own ----------------------------------------------------------- */

/* The source tree, from this file's name as the compiler was told it. */
static const char *tools_dir(void)
{
	static char path[4200];
	const char *file = __FILE__;

	snprintf(path, sizeof(path), "%s%s%s", *file == '/' ? "" : build_root(), *file == '/' ? "" : "/",
		 file);
	strcpy(strstr(path, "tests/unit/"), "third_party/linux/tools/sched_ext");
	return path;
}

static struct loader *open_linux(const char *name, const char *const *set, u32 nr_set)
{
	char path[4300], include[2][4300];
	const char *const dirs[] = { include[0], include[1] };
	struct loader_options opts = {
		.include_dirs = dirs, .nr_include_dirs = 2, .topology = &topo, .set = set,
		.nr_set = nr_set,
	};

	snprintf(path, sizeof(path), "%s/%s.bpf.c", tools_dir(), name);
	if (access(path, R_OK))
		skip();
	snprintf(include[0], sizeof(include[0]), "%s/include", tools_dir());
	snprintf(include[1], sizeof(include[1]), "%s/include/bpf-compat", tools_dir());
	return open_source(path, &opts);
}

static s64 read_var(struct loader *l, const char *name)
{
	s64 value = -1;

	assert_int_equal(loader_read_var(l, name, &value), 0);
	return value;
}

static void run_once(const char *name, const char *const *set, u32 nr_set, const char *counter)
{
	struct loader *l = open_linux(name, set, nr_set);

	load_and_attach(l);
	run_for(500);
	if (!kernel_scx_exit()->attached)
		fail_msg("thrown out: %s: %s", kernel_scx_exit()->reason, kernel_scx_exit()->message);
	if (counter)
		assert_true(read_var(l, counter) > 50);
	loader_detach(l);
	assert_false(kernel_scx_exit()->attached);
	run_for(100);
	/* the scheduler was told that it was ended from outside */
	assert_int_equal(read_var(l, "uei.kind"), SCX_EXIT_UNREG);
	loader_close(l);
	run_for(10);
}

/* What stays after the first time (stacks for programs, for instance) does not grow. */
static void run_linux(const char *name, const char *const *set, u32 nr_set, const char *counter)
{
	u64 before;

	run_once(name, set, nr_set, counter);
	before = live();
	run_once(name, set, nr_set, counter);
	assert_int_equal(live(), before);
}

static void test_simple(void **state)
{
	run_linux("scx_simple", NULL, 0, NULL);
}

static void test_simple_fifo(void **state)
{
	static const char *const set[] = { "fifo_sched=true" };

	run_linux("scx_simple", set, 1, NULL);
}

static void test_qmap(void **state)
{
	run_linux("scx_qmap", NULL, 0, "nr_enqueued");
}

static void test_central(void **state)
{
	run_linux("scx_central", NULL, 0, "nr_total");
}

static void test_flatcg(void **state)
{
	run_linux("scx_flatcg", NULL, 0, NULL);
}

/* --- what loading can say ---------------------------------------------------------- */

#define PREAMBLE                                                                                   \
	"#include \"vmlinux.h\"\n"                                                                  \
	"#include <bpf/bpf_helpers.h>\n"                                                            \
	"#include <bpf/bpf_tracing.h>\n"                                                            \
	"char _license[] SEC(\"license\") = \"GPL\";\n"
#define OPS(member, fn)                                                                            \
	"SEC(\".struct_ops.link\") struct sched_ext_ops t_ops = { ." member " = (void *)" fn            \
	", .name = \"t\" };\n"

static struct loader *open_text(const char *text, const struct loader_options *opts)
{
	return open_source(write_file("t.bpf.c", text, strlen(text)), opts);
}

static void assert_not_loaded(const char *text, const char *words)
{
	struct loader *l = open_text(text, NULL);
	u64 before = live();

	assert_int_equal(loader_load(l, &error), LOADER_ERR_LOAD);
	if (!strstr(error.message, words))
		fail_msg("'%s' does not say '%s'; log:\n%s", error.message, words,
			 error.log ? error.log : "");
	loader_close(l);
	assert_int_equal(live(), before);
	loader_error_free(&error);
}

static void test_unknown_kfunc(void **state)
{
	assert_not_loaded(PREAMBLE
		"void scx_bpf_kick_cpuu(s32 cpu, u64 flags) __ksym;\n"
		"SEC(\"struct_ops/f\") s32 BPF_PROG(f) { scx_bpf_kick_cpuu(0, 0); return 0; }\n"
		OPS("init", "f"), "kfunc 'scx_bpf_kick_cpuu' is not known to this kernel (near: 'scx_bpf_kick_cpu')");
}

static void test_unknown_map(void **state)
{
	assert_not_loaded(PREAMBLE
		"struct { __uint(type, 9999); __uint(max_entries, 1); __type(key, u32); __type(value, u64); } odd SEC(\".maps\");\n"
		"SEC(\"struct_ops/f\") s32 BPF_PROG(f) { u32 k = 0; return !bpf_map_lookup_elem(&odd, &k); }\n"
		OPS("init", "f"), "map 'odd' (type number 9999,");
}

static void test_unused_program(void **state)
{
	assert_not_loaded(PREAMBLE
		"SEC(\"struct_ops/f\") s32 BPF_PROG(f) { return 0; }\n"
		"SEC(\"struct_ops/g\") s32 BPF_PROG(g) { return 0; }\n"
		OPS("init", "f"), "struct_ops program 'g' is in no operations table");
}

static void test_unknown_config(void **state)
{
	assert_not_loaded(PREAMBLE
		"extern int CONFIG_NOBODY_KNOWS __kconfig;\n"
		"SEC(\"struct_ops/f\") s32 BPF_PROG(f) { return CONFIG_NOBODY_KNOWS; }\n"
		OPS("init", "f"), "'CONFIG_NOBODY_KNOWS' is not known to this kernel");
}

static void test_refused_program(void **state)
{
	assert_not_loaded(PREAMBLE
		"static long (*no_helper)(void) = (void *)9999;\n"
		"SEC(\"struct_ops/bad_init\") s32 BPF_PROG(bad_init) { return no_helper(); }\n"
		OPS("init", "bad_init"), "program 'bad_init' was refused:\n");
	assert_not_loaded(PREAMBLE
		"static long (*no_helper)(void) = (void *)9999;\n"
		"SEC(\"struct_ops/bad_init\") s32 BPF_PROG(bad_init) { return no_helper(); }\n"
		OPS("init", "bad_init"), "invalid func unknown#9999");
}

/* A function whose argument has lost its name. */
static void test_refused_btf(void **state)
{
	assert_not_loaded(PREAMBLE
		"SEC(\"struct_ops/f\") __attribute__((naked)) s32 f(void *ctx) { asm volatile (\"r0 = 0; exit\"); }\n"
		OPS("init", "f"), "its BTF was refused: ");
}

static void test_second_scheduler(void **state)
{
	static const char text[] = PREAMBLE
		"SEC(\"struct_ops/f\") s32 BPF_PROG(f) { return 0; }\n" OPS("init", "f");
	struct loader *a = open_text(text, NULL), *b = open_text(text, NULL);

	load_and_attach(a);
	assert_int_equal(loader_load(b, &error), LOADER_OK);
	assert_int_equal(loader_attach(b, &error), LOADER_ERR_ATTACH);
	assert_non_null(strstr(error.message, "another scheduler is in charge"));
	loader_detach(a);
	/* a swap: detach, a moment under fair, attach */
	loader_error_free(&error);
	if (loader_attach(b, &error) != LOADER_OK)
		fail_msg("%s", error.message);
	loader_close(b);
	loader_close(a);
}

/* One of two tables, or a table in which everything is left to the kernel. */
static void test_tables(void **state)
{
	static const char two[] = PREAMBLE
		"SEC(\"struct_ops/f\") s32 BPF_PROG(f) { return 0; }\n" OPS("init", "f")
		"SEC(\".struct_ops.link\") struct sched_ext_ops other = { .name = \"other\" };\n";
	static const char bare[] = PREAMBLE
		"SEC(\".struct_ops.link\") struct sched_ext_ops bare = { .name = \"bare\" };\n";
	struct loader_options opts = { .ops = "other" };
	struct loader *l = open_text(two, NULL);

	assert_string_equal(loader_name(l), "t_ops");
	assert_non_null(strstr(warnings, "several struct_ops tables (t_ops, other)"));
	load_and_attach(l);
	assert_string_equal(kernel_scx_exit()->name, "t");
	loader_close(l);
	l = open_text(two, &opts);
	load_and_attach(l);
	assert_string_equal(loader_name(l), "other");
	assert_string_equal(kernel_scx_exit()->name, "other");
	loader_close(l);
	l = open_text(bare, NULL);
	load_and_attach(l);
	run_for(50);
	assert_true(kernel_scx_exit()->attached);
	loader_close(l);
	opts.ops = "third";
	assert_null(loader_open(write_file("t.bpf.c", two, strlen(two)), &opts, warn, NULL, &error));
	assert_int_equal(error.status, LOADER_ERR_USAGE);
	assert_non_null(strstr(error.message, "no struct_ops table 'third'; it has: t_ops, other"));
}

/* A program for a place that the machine does not have does not keep the scheduler out. */
static void test_unattachable_program(void **state)
{
	static const char text[] = PREAMBLE
		"SEC(\"struct_ops/f\") s32 BPF_PROG(f) { return 0; }\n" OPS("init", "f")
		"SEC(\"kprobe/schedule\") int probe(void *ctx) { return 0; }\n";
	struct loader *l = open_text(text, NULL);

	load_and_attach(l);
	assert_non_null(strstr(warnings, "program 'probe' (SEC(\"kprobe/schedule\")) will not run"));
	assert_true(kernel_scx_exit()->attached);
	loader_close(l);
}

static void test_init_programs(void **state)
{
	static const char text[] = PREAMBLE
		"u32 ran; extern unsigned CONFIG_HZ __kconfig; u32 hz;\n"
		"SEC(\"?syscall\") int setup(void *ctx) { ran++; hz = CONFIG_HZ; return 0; }\n"
		"SEC(\"syscall\") int broken(void *ctx) { return 7; }\n"
		"SEC(\"struct_ops/f\") s32 BPF_PROG(f) { return 0; }\n" OPS("init", "f");
	static const char *const good[] = { "setup", "setup" }, *const bad[] = { "broken" };
	struct loader_options opts = { .init_progs = good, .nr_init_progs = 2, .hz = 1000 };
	struct loader *l = open_text(text, &opts);

	if (loader_load(l, &error) != LOADER_OK)
		fail_msg("%s\n%s", error.message, error.log ? error.log : "");
	assert_int_equal(read_var(l, "ran"), 2);
	assert_int_equal(read_var(l, "hz"), 1000);
	loader_close(l);

	opts.init_progs = bad;
	opts.nr_init_progs = 1;
	l = open_text(text, &opts);
	assert_int_equal(loader_load(l, &error), LOADER_ERR_LOAD);
	assert_non_null(strstr(error.message, "init program 'broken' returned 7; expected 0"));
	loader_close(l);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, boot, halt)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_simple),
		TEST(test_simple_fifo),
		TEST(test_qmap),
		TEST(test_central),
		TEST(test_flatcg),
		TEST(test_unknown_kfunc),
		TEST(test_unknown_map),
		TEST(test_unused_program),
		TEST(test_unknown_config),
		TEST(test_refused_program),
		TEST(test_refused_btf),
		TEST(test_second_scheduler),
		TEST(test_tables),
		TEST(test_unattachable_program),
		TEST(test_init_programs),
	};

	return cmocka_run_group_tests_name("linux", tests, NULL, NULL);
}
