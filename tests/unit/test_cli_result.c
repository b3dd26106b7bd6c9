// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole runs under the kernel's own scheduler: the same bytes every time, the
 * fields that docs/json.md describes and no others, verdicts, failures.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/base/strbuf.h"
#include "../../src/cli/expect.h"
#include "../../src/cli/json.h"
#include "../../src/cli/run.h"

static struct run_plan *new_plan(const char *scheduler, const char *expect)
{
	struct run_plan *plan = calloc(1, sizeof(*plan));
	char err[1024];

	plan->options = (struct run_options){
		.machine = "2x2x2",
		.workload = "schbench -m 1 -t 6",
		.duration = 100 * NSEC_PER_MSEC,
		.seed = 1,
		.noise = NOISE_LIGHT,
		.quiet = true,
		.json = true,
		.host_stats = true,
	};
	plan->schedulers = (struct text_list){ .items = { scheduler }, .nr = 1 };
	if (expect)
		plan->options.expect = (struct text_list){ .items = { expect }, .nr = 1 };
	if (plan_make(plan, err, sizeof(err)) != STATUS_OK)
		fail_msg("%s", err);
	return plan;
}

static void free_plan(struct run_plan *plan)
{
	plan_free(plan);
	free(plan);
}

static struct json_object *run(struct run_plan *plan)
{
	struct json_object *result = run_in_child(plan, plan->schedulers.items[0]);

	run_judge(plan, result);
	free_plan(plan);
	return result;
}

static u64 number(struct json_object *obj, const char *path)
{
	u64 value;

	if (!json_u64_at(obj, path, &value))
		fail_msg("%s is missing", path);
	return value;
}

static void same_input_same_bytes(void **state)
{
	struct json_object *runs[2];

	for (u32 i = 0; i < 2; i++) {
		runs[i] = run(new_plan("eevdf", NULL));
		json_object_object_del(runs[i], "host");
	}
	assert_string_equal(json_object_to_json_string(runs[0]),
			    json_object_to_json_string(runs[1]));
	assert_int_equal(number(runs[0], "status"), STATUS_OK);
	assert_string_equal(json_string_at(runs[0], "end.kind"), "done");
	assert_int_equal(number(runs[0], "metrics.window_ns"), 100 * NSEC_PER_MSEC);
	assert_int_equal(number(runs[0], "metrics.cpu_time_ns"), 8 * 100 * NSEC_PER_MSEC);
	assert_true(number(runs[0], "metrics.context_switches.total") > 0);
	assert_int_equal(json_object_array_length(json_at(runs[0], "groups")), 3);
	json_object_put(runs[0]);
	json_object_put(runs[1]);
}

static void verdicts(void **state)
{
	struct json_object *r = run(new_plan("eevdf", "workers.delay.max<1ns"));

	assert_int_equal(number(r, "status"), STATUS_EXPECTATION);
	json_object_put(r);
	r = run(new_plan("eevdf", "workers.tasks==6"));
	assert_int_equal(number(r, "status"), STATUS_OK);
	assert_int_equal(json_object_array_length(json_at(r, "expectations")), 1);
	json_object_put(r);
}

static void no_such_scheduler(void **state)
{
	struct json_object *r = run(new_plan("/nonexistent/x.bpf.o", "workers.tasks==6"));

	assert_int_equal(number(r, "status"), STATUS_LOAD);
	assert_string_equal(json_string_at(r, "end.kind"), "not_loaded");
	assert_non_null(strstr(json_string_at(r, "end.message"), "/nonexistent/x.bpf.o"));
	assert_null(json_at(r, "metrics"));
	json_object_put(r);
}

static void thrown_out_by_the_document(void **state)
{
	static const struct {
		const char *run;
		enum cli_status status;
	} cases[] = {
		{ "{ \"end\": { \"kind\": \"done\" }, \"books\": [] }", STATUS_OK },
		{ "{ \"end\": { \"kind\": \"unreg_bpf\" }, \"books\": [] }", STATUS_OK },
		{ "{ \"end\": { \"kind\": \"error_stall\" }, \"books\": [] }", STATUS_THROWN_OUT },
		{ "{ \"end\": { \"kind\": \"error\" }, \"books\": [ \"x\" ] }", STATUS_BOOKS },
		{ "{ \"end\": { \"kind\": \"crashed\" } }", STATUS_BOOKS },
		{ "{ \"end\": { \"kind\": \"done\" }, \"timeline\": [ { \"error\": null } ] }",
		  STATUS_OK },
		{ "{ \"end\": { \"kind\": \"done\" }, \"timeline\": [ { \"error\": \"x\" } ] }",
		  STATUS_LOAD },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_object *r = json_tokener_parse(cases[i].run);
		struct run_plan plan = {};

		assert_non_null(r);
		run_judge(&plan, r);
		assert_int_equal(number(r, "status"), cases[i].status);
		json_object_put(r);
	}
}

static void text_that_json_cannot_hold(void **state)
{
	struct json_object *text = json_text("tab\t line\n \x01 \xff ok");

	assert_string_equal(json_object_get_string(text), "tab\t line\n ? ? ok");
	json_object_put(text);
	assert_null(json_text(NULL));
}

/* --- the manual ---------------------------------------------------------------- */

static char *read_manual(void)
{
	const char *source = getenv("VRT_SOURCE"), *slash = strrchr(__FILE__, '/');
	struct strbuf path = {}, text = {};
	char buf[4096];
	size_t n;
	FILE *f;

	if (source)
		strbuf_printf(&path, "%s/docs/json.md", source);
	else
		strbuf_printf(&path, "%.*s/../../docs/json.md", (int)(slash - __FILE__), __FILE__);
	f = fopen(strbuf_str(&path), "r");
	if (!f)
		fail_msg("%s: not there; run this from the build directory, or set VRT_SOURCE",
			 strbuf_str(&path));
	while ((n = fread(buf, 1, sizeof(buf), f)))
		strbuf_add(&text, buf, n);
	fclose(f);
	strbuf_free(&path);
	return strbuf_detach(&text);
}

static void check_fields(struct json_object *obj, const char *manual)
{
	if (json_object_is_type(obj, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(obj); i++)
			check_fields(json_object_array_get_idx(obj, i), manual);
	}
	if (!json_object_is_type(obj, json_type_object))
		return;
	json_object_object_foreach(obj, name, value)
	{
		char quoted[80];

		snprintf(quoted, sizeof(quoted), "`%s`", name);
		if (!strstr(manual, quoted))
			fail_msg("docs/json.md lacks %s", quoted);
		check_fields(value, manual);
	}
}

static void every_field_is_in_the_manual(void **state)
{
	struct json_object *good = run(new_plan("eevdf", "workers.tasks==6"));
	struct json_object *bad = run(new_plan("/nonexistent/x.bpf.o", NULL));
	char *manual = read_manual();

	check_fields(good, manual);
	check_fields(bad, manual);
	free(manual);
	json_object_put(good);
	json_object_put(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_input_same_bytes),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(no_such_scheduler),
		cmocka_unit_test(thrown_out_by_the_document),
		cmocka_unit_test(text_that_json_cannot_hold),
		cmocka_unit_test(every_field_is_in_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
