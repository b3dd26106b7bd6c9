// SPDX-License-Identifier: GPL-2.0-only
/* See stats.h. */
#include "stats.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../json.h"

void sample_add(struct samples *s, double value)
{
	VRT_ASSERT(s->nr < MAX_SAMPLES);
	s->values[s->nr++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct samples sorted(const struct samples *s)
{
	struct samples copy = *s;

	qsort(copy.values, copy.nr, sizeof(copy.values[0]), compare);
	return copy;
}

double sample_median(const struct samples *s)
{
	struct samples copy = sorted(s);

	if (!copy.nr)
		return 0;
	return (copy.values[(copy.nr - 1) / 2] + copy.values[copy.nr / 2]) / 2;
}

double sample_min(const struct samples *s)
{
	return s->nr ? sorted(s).values[0] : 0;
}

double sample_max(const struct samples *s)
{
	return s->nr ? sorted(s).values[s->nr - 1] : 0;
}

double sample_spread(const struct samples *s)
{
	double median = sample_median(s);

	return median > 0 ? (sample_max(s) - sample_min(s)) / median : 0;
}

struct samples sample_ratio(const struct samples *a, const struct samples *b)
{
	struct samples ratio = {};

	for (u32 i = 0; i < min(a->nr, b->nr); i++)
		if (b->values[i] > 0)
			sample_add(&ratio, a->values[i] / b->values[i]);
	return ratio;
}

void geomean_add(struct geomean *g, double value)
{
	if (value <= 0)
		return;
	g->sum_of_logs += log(value);
	g->nr++;
}

double geomean_value(const struct geomean *g)
{
	return g->nr ? exp(g->sum_of_logs / g->nr) : 0;
}

/* What is behind the fourth digit is noise. */
struct json_object *figure_json(double value)
{
	char text[64];

	snprintf(text, sizeof(text), "%.4g", value);
	/* not 1.234e+06 */
	if (value >= 10000)
		snprintf(text, sizeof(text), "%.0f", value);
	return json_object_new_double_s(value, text);
}

struct json_object *samples_json(const struct samples *s)
{
	struct json_object *object;

	if (!s->nr)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "median", figure_json(sample_median(s)));
	json_object_object_add(object, "min", figure_json(sample_min(s)));
	json_object_object_add(object, "max", figure_json(sample_max(s)));
	json_add_u64(object, "samples", s->nr);
	return object;
}

char *figure_text(double value, char *buf, size_t size)
{
	if (value <= 0)
		snprintf(buf, size, "-");
	else if (value < 1)
		snprintf(buf, size, "%.3f", value);
	else
		snprintf(buf, size, "%.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
	return buf;
}
