// SPDX-License-Identifier: GPL-2.0-only
/* What goes between the machines that do the job, and when its runs are due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "../../src/base/alloc.h"
#include "../../src/control/job.h"

static void same_setup(void **state)
{
	const struct control_setup setup = {
		.variant = CONTROL_SHARED, .warmup = 1, .window = 1ULL << 40, .period = 3,
		.rest = 4, .quota = 5, .quota_period = 6, .work = 7, .elements = 8,
		.nice = -20, .hogs = 9, .probes = 10, .hog_nice = 19,
	};
	struct json_object *json = control_setup_json(&setup);
	struct control_setup back;

	memset(&back, 0xff, sizeof(back));
	control_setup_parse(json, &back);
	json_object_put(json);
	assert_int_equal(back.variant, setup.variant);
	/* of 64 bits, one after the other; between the others may be holes */
	assert_memory_equal(&back.warmup, &setup.warmup,
			    offsetof(struct control_setup, elements) -
				    offsetof(struct control_setup, warmup));
	assert_int_equal(back.elements, 8);
	assert_int_equal(back.nice, -20);
	assert_int_equal(back.hogs, 9);
	assert_int_equal(back.probes, 10);
	assert_int_equal(back.hog_nice, 19);
}

static void same_figures(void **state)
{
	struct control_figures f = {
		.window = 1, .runs = 2, .job_cpu = 3, .body = 4, .others_cpu = 5, .others_work = 6,
		.switches = 7, .verified_insns = 8,
	}, back;
	struct json_object *json;

	for (u64 i = 0; i < 1000; i++)
		hist_record(&f.delay, i * i);
	json = control_figures_json(&f);
	control_figures_parse(json, &back);
	json_object_put(json);
	assert_memory_equal(&f, &back, offsetof(struct control_figures, late));
	assert_int_equal(back.late.count, 0);
	assert_int_equal(back.delay.count, 1000);
	assert_int_equal(back.delay.max, 999 * 999);
	assert_int_equal(hist_mean(&back.delay), hist_mean(&f.delay));
	for (u32 percent = 0; percent <= 100; percent += 5)
		assert_int_equal(hist_quantile(&back.delay, percent, HIST_PERCENT),
				 hist_quantile(&f.delay, percent, HIST_PERCENT));
	control_figures_free(&f);
	control_figures_free(&back);
}

static void differences(void **state)
{
	const struct control_sums from = { 10, 1, 100, 1000, 500, 7 };
	const struct control_sums to = { 30, 6, 130, 1900, 1100, 8 };
	struct control_figures f = {};

	control_difference(&from, &to, &f);
	assert_int_equal(f.window, 20);
	assert_int_equal(f.runs, 5);
	assert_int_equal(f.job_cpu, 30);
	assert_int_equal(f.others_cpu, 900);
	assert_int_equal(f.others_work, 600);
	assert_int_equal(f.switches, 1);
}

static void names(void **state)
{
	for (u32 v = 0; v < NR_CONTROL_VARIANTS; v++)
		assert_int_equal(control_variant_of(control_variant_name(v)), v);
	assert_int_equal(control_variant_of("cron"), CONTROL_NONE);
}

static void due_times(void **state)
{
	/* in time; at the very next; one left out; long after */
	assert_int_equal(job_next(100, 10, 101), 110);
	assert_int_equal(job_next(100, 10, 110), 110);
	assert_int_equal(job_next(100, 10, 111), 120);
	assert_int_equal(job_next(100, 10, 1009), 1010);
	/* a timer may fire early */
	assert_int_equal(job_next(100, 10, 99), 110);
}

static void notes(void **state)
{
	struct job_state *s = xcalloc(1, sizeof(*s));
	struct control_figures f = {};

	job_note(s, 100, 90, 100); /* early is not late */
	for (u64 i = 0; i < JOB_SAMPLES + 5; i++)
		job_note(s, 1000, 1000 + i, 1007 + i);
	assert_int_equal(s->runs, JOB_SAMPLES + 6);
	assert_int_equal(s->took, 10 + 7ULL * (JOB_SAMPLES + 5));
	/* only the newest are there */
	job_figures(s, 0, &f);
	assert_int_equal(f.late.count, JOB_SAMPLES);
	assert_int_equal(f.late.min, 5);
	assert_int_equal(f.late.max, JOB_SAMPLES + 4);
	assert_int_equal(f.body, 7);
	control_figures_free(&f);
	job_figures(s, s->runs - 2, &f);
	assert_int_equal(f.late.min, JOB_SAMPLES + 3);
	control_figures_free(&f);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_setup),
		cmocka_unit_test(same_figures),
		cmocka_unit_test(differences),
		cmocka_unit_test(names),
		cmocka_unit_test(due_times),
		cmocka_unit_test(notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
