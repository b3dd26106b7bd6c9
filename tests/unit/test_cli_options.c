// SPDX-License-Identifier: GPL-2.0-only
/* Command lines, figures as people write and read them, and tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "../../src/cli/cmdline.h"
#include "../../src/cli/expect.h"
#include "../../src/cli/run.h"
#include "../../src/cli/table.h"
#include "../../src/cli/units.h"

/* --- command lines ------------------------------------------------------------- */

struct config {
	const char *machine;
	u64 time, seed;
	u32 noise;
	bool verbose, quiet, help;
	struct text_list set, include;
};

#define FIELD(member) .offset = offsetof(struct config, member)

static const struct cmd_option options[] = {
	{ "machine", 'm', CMD_TEXT, FIELD(machine), "SPEC", "the machine" },
	{ "for", 0, CMD_TIME, FIELD(time), "TIME", "how long", .min = 1000, .max = 10000000000 },
	{ "seed", 's', CMD_NUMBER, FIELD(seed), "N", "the seed", .max = 100 },
	{ "noise", 0, CMD_CHOICE, FIELD(noise), "none|light|heavy", "how noisy" },
	{ "set", 0, CMD_LIST, FIELD(set), "VAR=VALUE", "set it" },
	{ "include", 'I', CMD_LIST, FIELD(include), "DIR", "look there" },
	{ "verbose", 'v', CMD_FLAG, FIELD(verbose), NULL, "say more" },
	{ "quiet", 'q', CMD_FLAG, FIELD(quiet), NULL, "say less" },
	{ "help", 'h', CMD_HELP, FIELD(help), NULL, "this" },
};

static const struct cmd_table table = {
	.command = "vrt test",
	.usage = "[options]",
	.summary = "Tests.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
};

static struct config config;
static struct text_list arguments;
static char err[512];

/* Splits at blanks. */
static int parse(const char *line)
{
	static char copy[512];
	char *argv[32] = { (char *)"test" }, *rest = copy, *word;
	int argc = 1;

	memset(&config, 0, sizeof(config));
	memset(&arguments, 0, sizeof(arguments));
	err[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " "))) {
		if (*word)
			argv[argc++] = word;
	}
	return cmdline_parse(&table, argc, argv, &config, &arguments, err, sizeof(err));
}

static void good_lines(void **state)
{
	assert_int_equal(parse("a.bpf.c --machine 4x2 --for=1.5ms b --seed 7 --noise heavy -vq"),
			 0);
	assert_string_equal(config.machine, "4x2");
	assert_int_equal(config.time, 1500000);
	assert_int_equal(config.seed, 7);
	assert_int_equal(config.noise, 2);
	assert_true(config.verbose && config.quiet && !config.help);
	assert_int_equal(arguments.nr, 2);
	assert_string_equal(arguments.items[0], "a.bpf.c");
	assert_string_equal(arguments.items[1], "b");

	assert_int_equal(parse("--set a=1 -Ione -I two --set b=--x -m --"), 0);
	assert_int_equal(config.set.nr, 2);
	assert_string_equal(config.set.items[0], "a=1");
	assert_string_equal(config.set.items[1], "b=--x");
	assert_string_equal(config.include.items[0], "one");
	assert_string_equal(config.include.items[1], "two");
	/* a short option takes whatever follows */
	assert_string_equal(config.machine, "--");
}

static void end_of_options(void **state)
{
	assert_int_equal(parse("-v -- --quiet -q"), 0);
	assert_true(config.verbose && !config.quiet);
	assert_int_equal(arguments.nr, 2);
	assert_string_equal(arguments.items[0], "--quiet");
}

/* What a message must name. */
static void bad_line(const char *line, const char *first, const char *second)
{
	assert_int_not_equal(parse(line), 0);
	if (!strstr(err, first) || !strstr(err, second))
		fail_msg("'%s': '%s' and '%s' are not in: %s", line, first, second, err);
}

static void bad_lines(void **state)
{
	bad_line("--sed 3", "--sed", "--seed");
	bad_line("--xyzzy", "--xyzzy", "--help");
	bad_line("-x", "-x", "--help");
	bad_line("--seed", "--seed", "N");
	bad_line("--seed --quiet", "--seed", "missing");
	bad_line("--seed 3x", "3x", "number");
	bad_line("--seed -3", "-3", "number");
	bad_line("--seed 101", "101", "100");
	bad_line("--seed 99999999999999999999999", "--seed", "number");
	bad_line("--seed 1 --seed 2", "--seed", "twice");
	bad_line("--for 10", "10", "unit");
	bad_line("--for 3parsecs", "3parsecs", "unit");
	bad_line("--for 1ns", "1ns", "10.0 s");
	bad_line("--for 1m", "1m", "10.0 s");
	bad_line("--noise loud", "loud", "none|light|heavy");
	bad_line("--noise non", "non", "none|light|heavy");
	bad_line("--quiet=yes", "--quiet", "no value");
}

/* --- figures --------------------------------------------------------------------- */

static void ratios_and_numbers(void **state)
{
	u64 v;

	assert_int_equal(parse_ratio("99.5%", &v), 0);
	assert_int_equal(v, 995000);
	assert_int_equal(parse_ratio("0.25", &v), 0);
	assert_int_equal(v, 250000);
	assert_int_not_equal(parse_ratio("half", &v), 0);
	assert_int_equal(parse_milli("1.5k", &v), 0);
	assert_int_equal(v, 1500000);
	assert_int_equal(parse_milli("3M", &v), 0);
	assert_int_equal(v, 3000000000);
	assert_int_not_equal(parse_milli("3x", &v), 0);
}

static void human_figures(void **state)
{
	char buf[32];

	assert_string_equal(human_ns(0, buf, 32), "0 ns");
	assert_string_equal(human_ns(999, buf, 32), "999 ns");
	assert_string_equal(human_ns(1000, buf, 32), "1.00 us");
	assert_string_equal(human_ns(12345, buf, 32), "12.3 us");
	assert_string_equal(human_ns(1203000, buf, 32), "1.20 ms");
	assert_string_equal(human_ns(999999999, buf, 32), "999 ms");
	assert_string_equal(human_ns(123456789012, buf, 32), "123 s");
	assert_string_equal(human_milli(0, buf, 32), "0");
	assert_string_equal(human_milli(250, buf, 32), "0.25");
	assert_string_equal(human_milli(12345, buf, 32), "12.3");
	assert_string_equal(human_milli(1234000, buf, 32), "1234");
	assert_string_equal(human_milli(12345000, buf, 32), "12.3k");
	assert_string_equal(human_milli(1200000000, buf, 32), "1.20M");
	assert_string_equal(human_ppm(999876, buf, 32), "99.9%");
	assert_string_equal(human_ppm(1234, buf, 32), "0.12%");
	assert_string_equal(human_ppm(1000000, buf, 32), "100.0%");
}

static void labels(void **state)
{
	char buf[64], small[4];

	assert_string_equal(scheduler_label("schedulers/fifo.bpf.c", buf, 64), "fifo");
	assert_string_equal(scheduler_label("/x/y/scx_simple.bpf.o", buf, 64), "scx_simple");
	assert_string_equal(scheduler_label("eevdf", buf, 64), "eevdf");
	assert_string_equal(scheduler_label(".bpf.c", buf, 64), ".bpf");
	assert_string_equal(scheduler_label("abcdefgh.o", small, 4), "abc");
	assert_string_equal(scheduler_label("a/fifo.bpf.c,slice=1,path=/b.o", buf, 64),
			    "fifo,slice=1,path=/b.o");
}

/* --- expectations ------------------------------------------------------------------- */

static void expectation(const char *text, const char *group, const char *path, u64 value)
{
	struct expectation e;

	assert_int_equal(expect_parse(text, &e, err, sizeof(err)), 0);
	assert_string_equal(e.group, group);
	assert_string_equal(e.path, path);
	assert_int_equal(e.value, value);
}

static void expectations(void **state)
{
	struct expectation e;

	expectation("web.wakeup.p99<2ms", "web", "wakeup_latency.p99_ns", 2000000);
	expectation("web.wakeup.p99.9 <= 2ms", "web", "wakeup_latency.p99_9_ns", 2000000);
	expectation("a.b.request.max>1us", "a.b", "request_latency.max_ns", 1000);
	expectation("delay.p50<10us", "machine", "run_delay.p50_ns", 10000);
	expectation("machine.utilization>=95%", "machine", "utilization_ppm", 950000);
	expectation("web.throughput>1.5k", "web", "ops_per_second_milli", 1500000);
	expectation("web.share==50%", "web", "share_ppm", 500000);
	expectation("switches<1M", "machine", "context_switches.total", 1000000);
	expectation("migrations.remote==0", "machine", "migrations.remote", 0);
	expectation("wakeup.wakeup.count>0", "wakeup", "wakeup_latency.count", 0);

	assert_int_not_equal(expect_parse("web.wakeup<2ms", &e, err, sizeof(err)), 0);
	assert_int_not_equal(expect_parse("web.wakeup.p98<2ms", &e, err, sizeof(err)), 0);
	assert_int_not_equal(expect_parse("wakeup.p99", &e, err, sizeof(err)), 0);
	assert_int_not_equal(expect_parse("<2ms", &e, err, sizeof(err)), 0);
	assert_int_not_equal(expect_parse("web.wakeup.p99<2", &e, err, sizeof(err)), 0);
	assert_int_not_equal(expect_parse("web.wakeup.p99=2ms", &e, err, sizeof(err)), 0);
	assert_int_not_equal(expect_parse("web.utilization>1%", &e, err, sizeof(err)), 0);
	assert_int_not_equal(expect_parse("machine.share>1%", &e, err, sizeof(err)), 0);
}

static void expectations_of_a_run(void **state)
{
	struct json_object *run = json_tokener_parse(
		"{ \"metrics\": { \"utilization_ppm\": 900000 }, \"groups\": ["
		"{ \"name\": \"web\", \"wakeup_latency\": { \"p99_ns\": 2000000 } },"
		"{ \"name\": \"idle\", \"wakeup_latency\": null } ] }");
	static const struct {
		const char *text;
		bool holds, found;
	} cases[] = {
		{ "web.wakeup.p99<2ms", false, true },	 { "web.wakeup.p99<=2ms", true, true },
		{ "web.wakeup.p99>=2ms", true, true },	 { "web.wakeup.p99>2ms", false, true },
		{ "web.wakeup.p99==2ms", true, true },	 { "web.wakeup.p99!=2ms", false, true },
		{ "idle.wakeup.p99<2ms", false, false }, { "nobody.wakeup.p99<2ms", false, false },
		{ "utilization>89%", true, true },
	};

	assert_non_null(run);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct expectation e;
		bool found;
		u64 value;

		assert_int_equal(expect_parse(cases[i].text, &e, err, sizeof(err)), 0);
		assert_int_equal(expect_holds(&e, run, &found, &value), cases[i].holds);
		assert_int_equal(found, cases[i].found);
	}
	json_object_put(run);
}

/* --- tables ---------------------------------------------------------------------------- */

static char *print_table(const struct table *t)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	table_print(t, f);
	fclose(f);
	return text;
}

static void small_table(void **state)
{
	struct table *t = table_new(2);
	char *text;

	table_heading(t, 0, "fifo");
	table_heading(t, 1, "scx_with_a_long_name");
	table_section(t, "web");
	table_row(t, "  wakeup %s", "p50");
	table_cell(t, 0, "12.3 us");
	table_cell(t, 1, "1.20 ms");
	table_row(t, "  nothing");
	table_drop_empty_row(t);
	table_row(t, "  half");
	table_cell(t, 1, "7");
	table_drop_empty_row(t);
	text = print_table(t);
	assert_string_equal(text, "                    fifo  ~h_a_long_name\n"
				  "web\n"
				  "  wakeup p50     12.3 us         1.20 ms\n"
				  "  half                                 7\n");
	free(text);
	table_free(t);
}

/* Seven columns need two tables; no line is wider than the terminal. */
static void wide_table(void **state)
{
	struct table *t = table_new(7);
	char *text, *line, *rest;
	u32 headings = 0;

	for (u32 i = 0; i < 7; i++)
		table_heading(t, i, "scheduler");
	table_row(t, "a label of some length");
	for (u32 i = 0; i < 7; i++)
		table_cell(t, i, "123.45 ms");
	text = rest = print_table(t);
	while ((line = strsep(&rest, "\n"))) {
		assert_true(strlen(line) <= TABLE_WIDTH);
		headings += strstr(line, "scheduler") != NULL;
	}
	assert_int_equal(headings, 2);
	free(text);
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines),
		cmocka_unit_test(end_of_options),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(ratios_and_numbers),
		cmocka_unit_test(human_figures),
		cmocka_unit_test(labels),
		cmocka_unit_test(expectations),
		cmocka_unit_test(expectations_of_a_run),
		cmocka_unit_test(small_table),
		cmocka_unit_test(wide_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
