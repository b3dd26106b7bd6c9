// SPDX-License-Identifier: GPL-2.0-only
/*
 * Log-linear histograms. Bucket numbers: values below 2^8 are their own
 * number. A value whose highest bit is b >= 8 keeps its upper 8 bits (128 to
 * 255) and is in group b - 7, each group being 128 buckets after the first 128.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "hist.h"

#define SUB_BITS 7
#define SUB_BUCKETS (1U << SUB_BITS)

static u32 bucket_of(u64 value)
{
	u32 group;

	if (value < 2 * SUB_BUCKETS)
		return value;
	group = 63 - SUB_BITS - __builtin_clzll(value);
	return group * SUB_BUCKETS + (u32)(value >> group);
}

static u64 bucket_low(u32 bucket)
{
	u32 group;

	if (bucket < 2 * SUB_BUCKETS)
		return bucket;
	group = bucket / SUB_BUCKETS - 1;
	return (u64)(bucket - group * SUB_BUCKETS) << group;
}

static u64 bucket_high(u32 bucket)
{
	u32 group = bucket < 2 * SUB_BUCKETS ? 0 : bucket / SUB_BUCKETS - 1;

	return bucket_low(bucket) + ((1ULL << group) - 1);
}

/* Rare, and not to be inlined: who only counts needs no registers saved. */
static __attribute__((noinline)) void grow(struct hist *h, u32 bucket)
{
	u32 nr = ALIGN_UP(bucket + 1, 2 * SUB_BUCKETS);

	h->buckets = xreallocarray(h->buckets, nr, sizeof(*h->buckets));
	memset(h->buckets + h->nr_buckets, 0, (nr - h->nr_buckets) * sizeof(*h->buckets));
	h->nr_buckets = nr;
}

static u64 add_saturating(u64 a, u64 b)
{
	u64 sum;

	return __builtin_add_overflow(a, b, &sum) ? ~0ULL : sum;
}

static inline void record(struct hist *h, u64 value, u64 n, u64 total)
{
	u32 bucket = bucket_of(value);

	if (unlikely(bucket >= h->nr_buckets))
		grow(h, bucket);
	h->buckets[bucket] += n;
	if (unlikely(value < h->min || !h->count))
		h->min = value;
	if (unlikely(value > h->max))
		h->max = value;
	h->count += n;
	h->sum = add_saturating(h->sum, total);
}

void hist_record_n(struct hist *h, u64 value, u64 n)
{
	u64 total;

	if (!n)
		return;
	if (unlikely(__builtin_mul_overflow(value, n, &total)))
		total = ~0ULL;
	record(h, value, n, total);
}

void hist_record(struct hist *h, u64 value)
{
	record(h, value, 1, value);
}

void hist_merge(struct hist *dst, const struct hist *src)
{
	if (!src->count)
		return;
	if (src->nr_buckets > dst->nr_buckets)
		grow(dst, src->nr_buckets - 1);
	for (u32 i = 0; i < src->nr_buckets; i++)
		dst->buckets[i] += src->buckets[i];
	dst->min = dst->count ? min(dst->min, src->min) : src->min;
	dst->max = max(dst->max, src->max);
	dst->count += src->count;
	dst->sum = add_saturating(dst->sum, src->sum);
}

void hist_reset(struct hist *h)
{
	struct hist empty = { .buckets = h->buckets, .nr_buckets = h->nr_buckets };

	if (h->buckets)
		memset(h->buckets, 0, h->nr_buckets * sizeof(*h->buckets));
	*h = empty;
}

void hist_free(struct hist *h)
{
	free(h->buckets);
	*h = (struct hist){};
}

u64 hist_quantile(const struct hist *h, u64 num, u64 den)
{
	unsigned __int128 product;
	u64 rank, seen = 0;

	VRT_ASSERT(den);
	if (!h->count)
		return 0;
	product = (unsigned __int128)h->count * min(num, den);
	rank = (u64)((product + den - 1) / den);
	rank = max(rank, (u64)1);
	for (u32 i = 0; i < h->nr_buckets; i++) {
		seen += h->buckets[i];
		if (seen >= rank)
			return min(bucket_high(i), h->max);
	}
	vrt_bug(__FILE__, __LINE__, "%llu values counted, but %llu are in buckets", h->count, seen);
}

u64 hist_mean(const struct hist *h)
{
	return h->count ? h->sum / h->count : 0;
}

bool hist_next(const struct hist *h, u32 *pos, u64 *low, u64 *high, u64 *count)
{
	for (; *pos < h->nr_buckets; ++*pos) {
		if (!h->buckets[*pos])
			continue;
		*low = bucket_low(*pos);
		*high = bucket_high(*pos);
		*count = h->buckets[*pos];
		++*pos;
		return true;
	}
	return false;
}
