/* SPDX-License-Identifier: GPL-2.0-only */
/* Figures that were measured several times. */
#ifndef VRT_CLI_BENCH_STATS_H
#define VRT_CLI_BENCH_STATS_H

#include "../../base/util.h"

#define MAX_SAMPLES 32

struct samples {
	double values[MAX_SAMPLES];
	u32 nr; /* in the order of measuring; 0: not measured */
};

struct json_object;

void sample_add(struct samples *s, double value);
double sample_median(const struct samples *s);
double sample_min(const struct samples *s);
double sample_max(const struct samples *s);
/* From the least to the largest, as a part of the median. */
double sample_spread(const struct samples *s);
/*
 * @a as a multiple of @b, each sample with the one that was measured beside it:
 * what slowed both down drops out. Both have as many.
 */
struct samples sample_ratio(const struct samples *a, const struct samples *b);

/* Collects factors. */
struct geomean {
	double sum_of_logs;
	u32 nr;
};
void geomean_add(struct geomean *g, double value);
double geomean_value(const struct geomean *g);

/* {"median": , "min": , "max": , "samples": }; NULL when it was not measured. */
struct json_object *samples_json(const struct samples *s);
/* A number with as many digits as mean something. */
struct json_object *figure_json(double value);
/* Three digits: "0.123", "12.3", "1234"; "-" for nothing that is measured. Returns @buf. */
char *figure_text(double value, char *buf, size_t size);

#endif
