// SPDX-License-Identifier: GPL-2.0-only
/*
 * The micro-benchmarks as a table of 80 columns: ns of every engine, ratios of
 * the best one of ours to the others, and the spread of the samples.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "../json.h"
#include "bench.h"
#include "engine.h"
#include "stats.h"

#define LABEL 15
#define CELL 8

/* Which engines have columns: those that are there, ours first. */
struct columns {
	const char *names[NR_ENGINES];
	u32 nr;
	const char *base; /* whose ratios are shown */
};

static struct columns find_columns(struct json_object *micro)
{
	struct json_object *all = json_at(micro, "engines");
	struct columns c = {};

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *engine = json_object_array_get_idx(all, i);

		if (!json_object_get_boolean(json_at(engine, "available")))
			continue;
		c.names[c.nr++] = json_string_at(engine, "name");
		if (c.nr == 1 || !strcmp(c.names[c.nr - 1], engines[ENGINE_JIT].name))
			c.base = c.names[c.nr - 1];
	}
	return c;
}

static void print_figure(struct json_object *object, const char *path, const char *suffix)
{
	char text[32], cell[40];

	figure_text(json_object_get_double(json_at(object, path)), text, sizeof(text));
	snprintf(cell, sizeof(cell), "%s%s", text, strcmp(text, "-") ? suffix : "");
	printf("%*s", CELL, cell);
}

/* The largest distance between an engine's samples. */
static double worst_spread(const struct columns *c, struct json_object *object)
{
	double worst = 0;

	for (u32 i = 0; i < c->nr; i++) {
		double figures[3];
		static const char *const parts[3] = { "median", "min", "max" };
		char path[64];

		for (u32 p = 0; p < 3; p++) {
			snprintf(path, sizeof(path), "ns_per_operation.%s.%s", c->names[i],
				 parts[p]);
			figures[p] = json_object_get_double(json_at(object, path));
		}
		if (figures[0] > 0)
			worst = max(worst, (figures[2] - figures[1]) / figures[0]);
	}
	return worst;
}

static void print_ratios(const struct columns *c, struct json_object *object, const char *before,
			 const char *after)
{
	char path[80];

	for (u32 i = 0; i < c->nr; i++) {
		if (!strcmp(c->names[i], c->base))
			continue;
		snprintf(path, sizeof(path), "%s%s/%s%s", before, c->base, c->names[i], after);
		print_figure(object, path, "x");
	}
}

static void print_heading(const struct columns *c)
{
	char title[64];

	snprintf(title, sizeof(title), "%s as a multiple of", c->base);
	printf("%*s", LABEL + (int)c->nr * CELL, "ns per operation");
	/* the wider of the columns and the words */
	if (c->nr > 1)
		printf("%*s", max((int)(c->nr - 1) * CELL, (int)strlen(title) + 1), title);
	printf("\n%*s", LABEL, "");
	for (u32 i = 0; i < c->nr; i++)
		printf("%*s", CELL, c->names[i]);
	for (u32 i = 0; i < c->nr; i++)
		if (strcmp(c->names[i], c->base))
			printf("%*s", CELL, c->names[i]);
	printf("%*s\n", CELL, "spread");
}

static void print_means(const struct columns *c, struct json_object *means, const char *label)
{
	printf("%-*s%*s", LABEL, label, (int)c->nr * CELL, "");
	print_ratios(c, means, "", "");
	printf("\n");
}

static void print_benchmark(const struct columns *c, struct json_object *benchmark)
{
	char path[64];

	printf("  %-*s", LABEL - 2, json_string_at(benchmark, "name"));
	for (u32 i = 0; i < c->nr; i++) {
		snprintf(path, sizeof(path), "ns_per_operation.%s.median", c->names[i]);
		print_figure(benchmark, path, "");
	}
	print_ratios(c, benchmark, "ratios.", ".median");
	printf("%*.0f%%\n", CELL - 1, worst_spread(c, benchmark) * 100);
}

static void print_engines(struct json_object *micro)
{
	struct json_object *all = json_at(micro, "engines");

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *engine = json_object_array_get_idx(all, i);
		const char *reason = json_string_at(engine, "reason");

		printf("%-8s%s%s%s\n", json_string_at(engine, "name"),
		       json_string_at(engine, "what"), *reason ? ": none: " : "", reason);
	}
	printf("\n");
}

void micro_print(struct json_object *micro)
{
	struct json_object *benchmarks = json_at(micro, "benchmarks");
	struct columns c = find_columns(micro);
	const char *group = "";

	print_engines(micro);
	if (!c.nr)
		return;
	print_heading(&c);
	for (size_t i = 0; i < json_object_array_length(benchmarks); i++) {
		struct json_object *benchmark = json_object_array_get_idx(benchmarks, i);
		const char *its = json_string_at(benchmark, "group");
		char path[64];

		if (strcmp(its, group)) {
			snprintf(path, sizeof(path), "geometric_means.%s", its);
			print_means(&c, json_at(micro, path), its);
			group = its;
		}
		print_benchmark(&c, benchmark);
	}
	if (c.nr > 1)
		print_means(&c, json_at(micro, "geometric_means.all"), "all");
}
