/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histograms of u64 values (nanoseconds), log-linear as HDR histograms are:
 * values below 256 are exact, above that every power of two is cut into 128
 * buckets, so that a bucket is narrower than 1/128 of its values.
 *
 * A zeroed struct hist is an empty histogram. All arithmetic is exact and in
 * integers: merging and quantiles give the same result on every host, in any
 * order of recording.
 */
#ifndef VRT_BASE_HIST_H
#define VRT_BASE_HIST_H

#include "util.h"

struct hist {
	u64 count;
	u64 sum; /* stays at ~0 when it would overflow */
	u64 min, max; /* exact; 0 while empty */
	u64 *buckets; /* up to the highest one in use so far */
	u32 nr_buckets;
};

/* Denominators for hist_quantile(). */
#define HIST_PERCENT 100
#define HIST_PERMILLE 1000
#define HIST_PER_100K 100000

void hist_record(struct hist *h, u64 value);
void hist_record_n(struct hist *h, u64 value, u64 n);
/* Adds all of @src to @dst. */
void hist_merge(struct hist *dst, const struct hist *src);
/* Empty, but keeps its memory. */
void hist_reset(struct hist *h);
void hist_free(struct hist *h);

/*
 * The smallest bucket so that at least @num/@den of all values (rounded up, at
 * least one) are in it or below; its highest value, or the maximum if that is
 * less: never below the true quantile, and above it by less than 1/128.
 * 0 when empty. @num > @den counts as @den.
 */
u64 hist_quantile(const struct hist *h, u64 num, u64 den);
/* Rounded down; 0 when empty. */
u64 hist_mean(const struct hist *h);

/*
 * The next non-empty bucket at or after @*pos, for drawing: its lowest and
 * highest value and its count. Start with *pos = 0. False at the end.
 */
bool hist_next(const struct hist *h, u32 *pos, u64 *low, u64 *high, u64 *count);

#endif
