// SPDX-License-Identifier: GPL-2.0-only
/* The table of the group "control": a column per variant, 80 columns wide. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "../json.h"
#include "control.h"

#define LABEL 24
#define CELL 8
#define US 1000.0

/* What a row shows of each variant's object. */
static const struct line {
	const char *label, *path;
	double unit;
	u32 digits;
	bool sign;
} lines[] = {
	{ "cpu.max 10%: used", "quota.used_percent", 1, 2, false },
	{ "  error, %", "quota.error_percent", 1, 1, true },
	{ "nice 5, of 24.65%: used", "nice.used_percent", 1, 2, false },
	{ "  error, %", "nice.error_percent", 1, 1, true },
	{ "instructions verified", "plain.verified_insns", 1, 0, false },
	{ "the job, us", "plain.job_ns", US, 1, false },
	{ "overhead, us per period", "plain.overhead_ns", US, 2, false },
	{ "switches per period", "plain.switches", 1, 2, false },
	{ "delay of others, us", "plain.inflicted_mean_ns", US, 1, true },
	{ "  p99", "plain.inflicted_p99_ns", US, 1, true },
	{ "  p99 at nice 10", "polite.inflicted_p99_ns", US, 1, true },
	{ "late p50, us", "plain.late.p50_ns", US, 1, false },
	{ "  p99", "plain.late.p99_ns", US, 1, false },
	{ "  p99 at nice 10", "polite.late.p99_ns", US, 1, false },
};

static bool is_of(struct json_object *row, const char *on)
{
	return !strcmp(json_string_at(row, "on"), on);
}

static bool is_alone(struct json_object *row)
{
	return !strcmp(json_string_at(row, "name"), control_variant_name(CONTROL_NONE));
}

static void print_cell(struct json_object *row, const struct line *line)
{
	struct json_object *value = json_at(row, line->path);
	char text[32] = "-";

	if (value)
		snprintf(text, sizeof(text), line->sign ? "%+.*f" : "%.*f", (int)line->digits,
			 json_object_get_double(value) / line->unit);
	printf("%*s", CELL, text);
}

static void print_line(struct json_object *rows, const char *on, const struct line *line)
{
	printf("%-*s", LABEL, line->label);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (is_of(row, on) && !is_alone(row))
			print_cell(row, line);
	}
	printf("\n");
}

/* How wide the columns of SchedBPF are, or those before them. */
static u32 width_of(struct json_object *rows, const char *on, bool schedbpf)
{
	u32 width = 0;

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		enum control_variant variant = control_variant_of(json_string_at(row, "name"));

		if (is_of(row, on) && !is_alone(row) && (variant >= CONTROL_OWN) == schedbpf)
			width += CELL;
	}
	return width;
}

static void print_heading(struct json_object *rows, const char *on)
{
	static const char name[] = " SchedBPF ", line[] = "------------------------------";
	int before = LABEL + (int)width_of(rows, on, false);
	int dashes = (int)width_of(rows, on, true) - (int)strlen(name) - 1;

	if (dashes > 0)
		printf("%*s %.*s%s%.*s\n", before, "", dashes / 2, line, name,
		       dashes - dashes / 2, line);
	else if (dashes > -(int)strlen(name) - 1)
		printf("%*s%*.*s\n", before, "", CELL, (int)strlen(name) - 2, name + 1);
	printf("%-*s", LABEL, "");
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (is_of(row, on) && !is_alone(row))
			printf("%*s", CELL, json_string_at(row, "name"));
	}
	printf("\n");
}

static void print_place(struct json_object *control, struct json_object *place)
{
	struct json_object *rows = json_at(control, "benchmarks");
	const char *on = json_string_at(place, "on"), *kernel = json_string_at(place, "kernel");
	u64 elements;

	json_u64_at(place, "elements", &elements);
	if (*kernel)
		printf("on Linux %s%s: ", kernel,
		       json_object_get_boolean(json_at(place, "emulated")) ? ", emulated" : "");
	else
		printf("on the simulated machine: ");
	printf("one CPU, kept busy\nevery 1.01 ms %llu elements of a map\n", elements);
	if (!json_object_get_boolean(json_at(place, "quiet")))
		printf("(others are busy there, too: figures are uncertain)\n");
	print_heading(rows, on);
	for (u32 i = 0; i < ARRAY_SIZE(lines); i++)
		print_line(rows, on, &lines[i]);
}

void control_print(struct json_object *control)
{
	struct json_object *places = json_at(control, "places");

	for (size_t i = 0; places && i < json_object_array_length(places); i++) {
		if (i)
			printf("\n");
		print_place(control, json_object_array_get_idx(places, i));
	}
}
