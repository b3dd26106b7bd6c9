// SPDX-License-Identifier: GPL-2.0-only
/* The cost table: every entry named and sourced, overriding, and the errors of a file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/sim/cost.h"

static char path[40], err[300];

static int load(struct cost_table *table, const char *text)
{
	int fd, ret;

	strcpy(path, "/tmp/vrt-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	err[0] = '\0';
	ret = cost_load(table, path, err, sizeof(err));
	unlink(path);
	return ret;
}

static void test_entries(void **state)
{
	const char *names[100], *source;
	u64 value, sum = 0, expected = 0;
	u32 n;

	for (n = 0; cost_entry(&cost_defaults, n, &names[n], &value, &source); n++) {
		assert_true(strlen(source) > 3);
		for (u32 i = 0; i < n; i++)
			assert_string_not_equal(names[i], names[n]);
		sum += value;
	}
	assert_int_equal(n, sizeof(struct cost_table) / sizeof(u64));
	/* each field is listed exactly once */
	for (u32 i = 0; i < n; i++)
		expected += ((const u64 *)&cost_defaults)[i];
	assert_int_equal(sum, expected);
	assert_int_equal(cost_defaults.context_switch + cost_defaults.pick +
				 cost_defaults.enqueue + cost_defaults.dequeue,
			 599);
	assert_int_equal(cost_defaults.interrupt + 599, 1064);
	for (u32 d = 1; d < NR_DISTANCES; d++) {
		assert_true(cost_defaults.cacheline[d] >= cost_defaults.cacheline[d - 1]);
		assert_true(cost_defaults.migration[d] >= cost_defaults.migration[d - 1]);
	}
}

static void test_override(void **state)
{
	struct cost_table table = cost_defaults;

	assert_int_equal(load(&table, "{ \"context_switch\": 0, \"cacheline_remote\": 999,"
				      "  \"smt_share\": 1024 }"), 0);
	assert_int_equal(table.context_switch, 0);
	assert_int_equal(table.cacheline[DIST_REMOTE], 999);
	assert_int_equal(table.smt_share, 1024);
	assert_int_equal(table.syscall, cost_defaults.syscall);
}

static void check_error(const char *text, const char *message)
{
	struct cost_table table = cost_defaults;

	assert_int_equal(load(&table, text), -EINVAL);
	assert_memory_equal(&table, &cost_defaults, sizeof(table)); /* nothing half done */
	assert_memory_equal(err, path, strlen(path));
	if (!strstr(err, message))
		fail_msg("\"%s\" does not say \"%s\"", err, message);
}

static void test_errors(void **state)
{
	struct cost_table table = cost_defaults;

	check_error("{ \"syscall\": 5, \"contextswitch\": 5 }", "did you mean 'context_switch'?");
	check_error("{ \"memory\": 5 }", "unknown cost 'memory'");
	check_error("{ \"syscall\": -1 }", "'syscall' is -1; expected an integer from 0 to");
	check_error("{ \"syscall\": 1.5 }", "'syscall' is 1.5");
	check_error("{ \"syscall\": \"72\" }", "'syscall' is \"72\"");
	check_error("{ \"syscall\": 1000000001 }", "expected");
	check_error("{ \"smt_share\": 0 }", "from 1 to 1024");
	check_error("{ \"smt_share\": 1025 }", "from 1 to 1024");
	check_error("[ 1 ]", "expected an object");
	check_error("{ \"syscall\": 72", ":1:16: not valid JSON");
	assert_int_equal(cost_load(&table, "/does/not/exist", err, sizeof(err)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
