// SPDX-License-Identifier: GPL-2.0-only
/* What an object brings: names of sections, kinds, and what does not go together. */
#include "loader_fixture.h"

#include "../../src/loader/internal.h"

static struct loader_error error;
static char warnings[4096];

static void warn(const char *line, void *arg)
{
	strncat(warnings, line, sizeof(warnings) - strlen(warnings) - 1);
}

static int forget(void **state)
{
	loader_error_free(&error);
	warnings[0] = '\0';
	return 0;
}

#define PREAMBLE                                                                                   \
	"#include \"vmlinux.h\"\n"                                                                  \
	"#include <bpf/bpf_helpers.h>\n"                                                            \
	"char _license[] SEC(\"license\") = \"GPL\";\n"
#define PROG(section, name) "SEC(\"" section "\") int " name "(void *ctx) { return 0; }\n"
#define PNT PROG("ghost_sched/pnt", "pnt")
#define MSG PROG("ghost_msg/msg_send", "msg")
#define SCX(name)                                                                                  \
	PROG("struct_ops/" name, name "_init")                                                      \
	"SEC(\".struct_ops.link\") struct sched_ext_ops " name                                       \
	" = { .init = (void *)" name "_init, .name = \"" name "\" };\n"
/* The kernel's type, but of the object's own making: a flavour. */
#define GC_TYPE                                                                                    \
	"struct bpf_periodic_ops___mine { int (*run)(void *ctx); u64 period_ns; };\n"
#define GC(name)                                                                                   \
	PROG("struct_ops/" name, name "_run")                                                       \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops___mine " name                             \
	" = { .run = (void *)" name "_run, .period_ns = 1000000 };\n"

static struct loader *open_text(const char *text, const struct loader_options *opts)
{
	loader_error_free(&error);
	return loader_open(write_file("t.bpf.c", text, strlen(text)), opts, warn, NULL, &error);
}

static void assert_refused(const char *text, const char *words)
{
	assert_null(open_text(text, NULL));
	assert_int_equal(error.status, LOADER_ERR_OBJECT);
	if (!strstr(error.message, words))
		fail_msg("'%s' does not say '%s'", error.message, words);
	assert_non_null(strstr(error.message, "t.bpf.c: "));
}

static u32 kinds_of(const char *text)
{
	struct loader *l = open_text(text, NULL);
	u32 kinds;

	if (!l)
		fail_msg("%s", error.message);
	kinds = loader_kinds(l);
	loader_close(l);
	return kinds;
}

/* --- sections ------------------------------------------------------------------- */

static void assert_type(const struct loader *l, const char *name, u32 type, u32 attach_type)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(l->obj, name);

	assert_int_equal(bpf_program__type(prog), type);
	assert_int_equal(bpf_program__expected_attach_type(prog), attach_type);
}

static void test_sections(void **state)
{
	static const char text[] = PREAMBLE PNT MSG
		PROG("ghost_select_rq/select_rq", "select_rq")
		PROG("periodic/10ms", "p10ms") PROG("periodic/10us", "p10us")
		PROG("periodic/1.5s", "p15s") PROG("periodic/42949672.95ms", "longest")
		PROG("?periodic/2m", "p2m");
	struct loader *l = open_text(text, NULL);

	if (!l)
		fail_msg("%s", error.message);
	assert_type(l, "pnt", 1000, 91 << 16 | 2000);
	assert_type(l, "msg", 1001, 91 << 16 | 2001);
	assert_type(l, "select_rq", 1002, 91 << 16 | 2002);
	/* of a kernel without a place for it, as the one here */
	assert_non_null(strstr(warnings, "program 'select_rq' (SEC(\"ghost_select_rq/select_rq\")) is left out"));
	assert_false(bpf_program__autoload(bpf_object__find_program_by_name(l->obj, "select_rq")));
	assert_type(l, "p10ms", 1100, 1000);
	assert_type(l, "p10us", 1100, 1);
	assert_type(l, "p15s", 1100, 150000);
	assert_type(l, "longest", 1100, 4294967295);
	assert_type(l, "p2m", 1100, 12000000);
	loader_close(l);
}

static void test_bad_periods(void **state)
{
	assert_refused(PREAMBLE PROG("periodic/", "p"), "program 'p' in SEC(\"periodic/\"): the period is missing; expected a multiple of 10us from 10us to 42949s, for instance SEC(\"periodic/10ms\")");
	assert_refused(PREAMBLE PROG("periodic", "p"), "the period is missing");
	assert_refused(PREAMBLE PROG("periodic/0", "p"), "no time with a unit");
	assert_refused(PREAMBLE PROG("periodic/0ms", "p"), "a period of 0 never ends");
	assert_refused(PREAMBLE PROG("periodic/-1ms", "p"), "no time with a unit");
	assert_refused(PREAMBLE PROG("periodic/10", "p"), "no time with a unit");
	assert_refused(PREAMBLE PROG("periodic/10ms/x", "p"), "no time with a unit");
	assert_refused(PREAMBLE PROG("periodic/15us", "p"), "not a multiple of 10us");
	assert_refused(PREAMBLE PROG("periodic/9us", "p"), "out of range");
	assert_refused(PREAMBLE PROG("periodic/42949672.96ms", "p"), "out of range");
	assert_refused(PREAMBLE PROG("periodic/99999999999999999999s", "p"), "out of range");
	/* also one that would not be loaded */
	assert_refused(PREAMBLE PROG("?periodic/0s", "p"), "a period of 0 never ends");
}

static void test_unknown_sections(void **state)
{
	assert_refused(PREAMBLE PROG("strange/g", "g"), "program 'g': SEC(\"strange/g\") names no type of program that is known here; known are struct_ops/");
	assert_refused(PREAMBLE PROG("ghost_sched/pmt", "g"), "did you mean \"ghost_sched/pnt\"?");
	assert_refused(PREAMBLE PROG("ghost_msg/msg", "g"), "did you mean \"ghost_msg/msg_send\"?");
	assert_refused(PREAMBLE PROG("fenrty/do_exit", "g"), "did you mean \"fentry/\"?");
	assert_refused(PREAMBLE PROG("perodic/10ms", "g"), "did you mean \"periodic/\"?");
	assert_refused(PREAMBLE PROG("sycall", "g"), "did you mean \"syscall\"?");
	/* one that would not be loaded does no harm */
	assert_int_equal(kinds_of(PREAMBLE SCX("a") PROG("?strange/g", "g")), LOADER_SCX);
}

/* --- kinds ---------------------------------------------------------------------- */

static void test_kinds(void **state)
{
	static const struct loader_options any = { .any_object = true };
	struct loader *l;

	assert_int_equal(kinds_of(PREAMBLE SCX("a")), LOADER_SCX);
	assert_int_equal(kinds_of(PREAMBLE PNT MSG), LOADER_GHOST);
	assert_int_equal(kinds_of(PREAMBLE PROG("periodic/1s", "p")), LOADER_PERIODIC);
	assert_int_equal(kinds_of(PREAMBLE GC_TYPE GC("gc")), LOADER_PERIODIC);
	assert_int_equal(kinds_of(PREAMBLE PROG("tp_btf/sched_switch", "p")), LOADER_TRACING);
	assert_int_equal(kinds_of(PREAMBLE PROG("fentry/do_exit", "p")), LOADER_TRACING);
	assert_int_equal(kinds_of(PREAMBLE SCX("a") GC_TYPE GC("gc") PROG("kprobe/f", "p")),
			 LOADER_SCX | LOADER_PERIODIC | LOADER_TRACING);
	/* what is not loaded is not there */
	assert_int_equal(kinds_of(PREAMBLE SCX("a") PROG("?periodic/1s", "p")), LOADER_SCX);
	assert_refused(PREAMBLE PROG("?fentry/do_exit", "p"), "nothing that would run");
	assert_refused(PREAMBLE PROG("xdp", "p"), "nothing that would run");
	l = open_text(PREAMBLE PROG("xdp", "p"), &any);
	assert_non_null(l);
	assert_int_equal(loader_kinds(l), 0);
	loader_close(l);
}

static void test_not_together(void **state)
{
	static const struct loader_options any = { .any_object = true };
	struct loader *l;

	assert_refused(PREAMBLE PNT MSG PROG("ghost_sched/pnt", "pnt2"),
		       "programs 'pnt' and 'pnt2' are both SEC(\"ghost_sched/pnt\")");
	assert_refused(PREAMBLE PNT, "none in SEC(\"ghost_msg/msg_send\"), which hears of tasks that can run");
	assert_refused(PREAMBLE MSG, "none in SEC(\"ghost_sched/pnt\"), which picks the next task");
	assert_refused(PREAMBLE SCX("a") PNT MSG, "both a table sched_ext_ops and ghOSt programs");
	assert_int_equal(kinds_of(PREAMBLE PNT MSG PROG("?ghost_sched/pnt", "pnt2")), LOADER_GHOST);
	/* for a verdict of the verifier nothing need be complete, but unambiguous */
	l = open_text(PREAMBLE MSG, &any);
	assert_non_null(l);
	loader_close(l);
	assert_null(open_text(PREAMBLE MSG PROG("ghost_msg/msg_send", "msg2"), &any));
	assert_int_equal(error.status, LOADER_ERR_OBJECT);
}

/* Of schedulers one is chosen, of periodic tables all. */
static void test_tables(void **state)
{
	static const char text[] = PREAMBLE GC_TYPE GC("gc1") SCX("a") GC("gc2") SCX("b");
	struct loader_options opts = { .ops = "b" };
	struct loader *l = open_text(text, NULL);
	struct bpf_map *map;

	assert_non_null(l);
	assert_string_equal(loader_name(l), "a");
	assert_non_null(strstr(warnings, "(gc1, a, gc2, b), the first will be attached: gc1, a, gc2"));
	map = next_chosen(l, NULL);
	assert_string_equal(bpf_map__name(map), "gc1");
	map = next_chosen(l, map);
	assert_string_equal(bpf_map__name(map), "a");
	map = next_chosen(l, map);
	assert_string_equal(bpf_map__name(map), "gc2");
	assert_null(next_chosen(l, map));
	loader_close(l);

	l = open_text(text, &opts);
	assert_string_equal(loader_name(l), "b");
	assert_string_equal(bpf_map__name(next_chosen(l, NULL)), "gc1");
	loader_close(l);
	opts.ops = "gc2";
	l = open_text(text, &opts);
	assert_string_equal(loader_name(l), "a");
	map = next_chosen(l, next_chosen(l, NULL));
	assert_string_equal(bpf_map__name(map), "gc2");
	loader_close(l);
	opts.ops = "third";
	assert_null(open_text(text, &opts));
	assert_non_null(strstr(error.message, "no struct_ops table 'third'; it has: gc1, a, gc2, b"));
	warnings[0] = '\0';
	loader_close(open_text(PREAMBLE GC_TYPE GC("gc1") GC("gc2"), NULL));
	assert_string_equal(warnings, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, forget, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sections),	TEST(test_bad_periods), TEST(test_unknown_sections),
		TEST(test_kinds),	TEST(test_not_together), TEST(test_tables),
	};

	return cmocka_run_group_tests_name("contents", tests, machine_setup, machine_teardown);
}
