// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel heap. Bookkeeping is in host memory, outside of the range: a
 * program that could write out of bounds could not corrupt the allocator.
 *
 * A small object is a slot of a slab: one span of objects of one type and one
 * size class. The slabs of a type and class form a pool, which lists those with
 * a free slot, the most recently freed into first. A slab whose last object is
 * freed is given back, so that a type without live objects is referenced by
 * nothing here and may go away.
 *
 * Lookup: the span table by address, then the slot by a multiplication.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "alloc.h"
#include "kheap.h"
#include "kheap_runs.h"
#include "list.h"

#define NR_SPANS (KHEAP_SIZE / KHEAP_SPAN)
#define SMALL_MAX (KHEAP_SPAN / 2)
#define NR_POOL_BUCKETS 1024

struct pool {
	struct pool *next; /* in its hash bucket */
	const struct kheap_type *type;
	u32 slot_size;
	struct list_head partial; /* slabs with a free slot */
};

struct slab {
	struct list_head node; /* on pool->partial; on nothing when full */
	struct pool *pool;
	u32 span;
	u32 nr_slots, nr_live;
	u32 nr_used; /* slots from here on were never used */
	u32 reciprocal; /* 2^32 / slot size, rounded up */
	u16 first_free; /* slot + 1 of the one freed last; 0: none */
	u64 *live; /* a bit per slot */
	u16 slots[]; /* live: bytes not asked for; free: next free slot + 1 */
};

struct large {
	u32 span, nr_spans;
	u64 size;
	const struct kheap_type *type;
	bool reserved;
};

enum span_kind { SPAN_FREE, SPAN_SLAB, SPAN_LARGE };

struct span {
	enum span_kind kind;
	union {
		struct slab *slab;
		struct large *large;
	};
};

static struct span *spans; /* NR_SPANS; NULL before kheap_init() */
static struct pool *pools[NR_POOL_BUCKETS];
static struct kheap_stats totals;

static inline void *span_address(u32 span)
{
	return (void *)(KHEAP_BASE + span * KHEAP_SPAN);
}

static inline struct span *span_of(const void *addr)
{
	return &spans[((u64)addr - KHEAP_BASE) / KHEAP_SPAN];
}

int kheap_init(void)
{
	void *range, *table;
	int err;

	if (spans)
		return 0;
	table = mmap(NULL, NR_SPANS * sizeof(struct span), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (table == MAP_FAILED)
		return -errno;
	range = mmap((void *)KHEAP_BASE, KHEAP_SIZE, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (range == (void *)KHEAP_BASE) {
		spans = table;
		return 0;
	}
	/* kernels before 4.17 take the address for a hint */
	err = range == MAP_FAILED ? -errno : -EEXIST;
	if (range != MAP_FAILED)
		munmap(range, KHEAP_SIZE);
	munmap(table, NR_SPANS * sizeof(struct span));
	return err;
}

/*
 * Classes are multiples of 16 up to 64, of 64 up to 256, then four to every
 * power of two: all a multiple of 64 from 64 on, which gives the alignment.
 */
static u32 slot_size_of(u64 size)
{
	if (size <= 16)
		return 16;
	if (size <= 64)
		return ALIGN_UP(size, 16);
	if (size <= 256)
		return ALIGN_UP(size, 64);
	return ALIGN_UP(size, (1UL << (63 - __builtin_clzl(size - 1))) / 4);
}

static struct pool *pool_of(const struct kheap_type *type, u32 slot_size)
{
	u64 hash = ((u64)type ^ slot_size) * 0x9e3779b97f4a7c15;
	struct pool **bucket = &pools[hash >> 54], *pool;

	_Static_assert(NR_POOL_BUCKETS == 1 << (64 - 54), "bucket index");
	for (pool = *bucket; pool; pool = pool->next)
		if (pool->type == type && pool->slot_size == slot_size)
			return pool;
	pool = xcalloc(1, sizeof(*pool));
	pool->type = type;
	pool->slot_size = slot_size;
	INIT_LIST_HEAD(&pool->partial);
	pool->next = *bucket;
	*bucket = pool;
	return pool;
}

static struct slab *slab_new(struct pool *pool)
{
	u32 nr = KHEAP_SPAN / pool->slot_size, words = DIV_ROUND_UP(nr, 64);
	struct slab *slab;
	bool used;
	u32 span = kheap_run_alloc(1, &used);

	if (span == RUN_NONE)
		return NULL;
	slab = xcalloc(1, sizeof(*slab) + nr * sizeof(slab->slots[0]));
	slab->live = xcalloc(words, sizeof(u64));
	slab->pool = pool;
	slab->span = span;
	slab->nr_slots = nr;
	slab->reciprocal = DIV_ROUND_UP(1ULL << 32, pool->slot_size);
	list_add(&slab->node, &pool->partial);
	spans[span] = (struct span){ .kind = SPAN_SLAB, .slab = slab };
	totals.spans += KHEAP_SPAN;
	return slab;
}

static void slab_free(struct slab *slab)
{
	list_del_init(&slab->node);
	spans[slab->span].kind = SPAN_FREE;
	kheap_run_free(slab->span, 1);
	totals.spans -= KHEAP_SPAN;
	free(slab->live);
	free(slab);
}

static inline bool slot_is_live(const struct slab *slab, u32 slot)
{
	return slot < slab->nr_slots && (slab->live[slot / 64] >> (slot % 64) & 1);
}

/* Exact for every offset in a span: the error of the reciprocal stays below 1 / slot size. */
static inline u32 slot_of(const struct slab *slab, u64 offset)
{
	return (offset * slab->reciprocal) >> 32;
}

static void *small_alloc(const struct kheap_type *type, u64 size)
{
	struct pool *pool = pool_of(type, slot_size_of(size));
	struct slab *slab = list_first_entry_or_null(&pool->partial, struct slab, node);
	void *obj;
	u32 slot;

	if (!slab)
		slab = slab_new(pool);
	if (!slab)
		return NULL;
	if (slab->first_free) {
		slot = slab->first_free - 1;
		slab->first_free = slab->slots[slot];
	} else {
		slot = slab->nr_used++;
	}
	slab->live[slot / 64] |= 1UL << (slot % 64);
	slab->slots[slot] = pool->slot_size - size;
	if (++slab->nr_live == slab->nr_slots)
		list_del_init(&slab->node);
	obj = (char *)span_address(slab->span) + slot * pool->slot_size;
	memset(obj, 0, pool->slot_size);
	totals.live += size;
	return obj;
}

static void small_free(struct slab *slab, void *obj)
{
	u64 offset = (u64)obj % KHEAP_SPAN;
	u32 slot = slot_of(slab, offset), slot_size = slab->pool->slot_size;

	VRT_ASSERT(slot_is_live(slab, slot));
	VRT_ASSERT(offset == slot * slot_size);
	totals.live -= slot_size - slab->slots[slot];
	memset(obj, KHEAP_POISON, slot_size);
	slab->live[slot / 64] &= ~(1UL << (slot % 64));
	slab->slots[slot] = slab->first_free;
	slab->first_free = slot + 1;
	if (--slab->nr_live)
		list_move(&slab->node, &slab->pool->partial);
	else
		slab_free(slab);
}

/* Spans for one large object; what they contain is left to the caller. */
static struct large *large_new(const struct kheap_type *type, u64 size, bool *used)
{
	u64 nr = size ? DIV_ROUND_UP(size, KHEAP_SPAN) : 1;
	struct large *large;
	u32 span;

	if (size > KHEAP_SIZE)
		return NULL;
	span = kheap_run_alloc(nr, used);
	if (span == RUN_NONE)
		return NULL;
	large = xcalloc(1, sizeof(*large));
	*large = (struct large){ .span = span, .nr_spans = nr, .size = size, .type = type };
	for (u32 i = span; i < span + nr; i++)
		spans[i] = (struct span){ .kind = SPAN_LARGE, .large = large };
	totals.live += size;
	totals.spans += nr * KHEAP_SPAN;
	return large;
}

static void large_free(struct large *large)
{
	for (u32 i = large->span; i < large->span + large->nr_spans; i++)
		spans[i].kind = SPAN_FREE;
	kheap_run_free(large->span, large->nr_spans);
	totals.live -= large->size;
	totals.spans -= large->nr_spans * KHEAP_SPAN;
	free(large);
}

/* Private anonymous memory: the host takes it back, and the next read gives zeros. */
static void zero_spans(u32 span, u32 nr)
{
	int err = madvise(span_address(span), nr * KHEAP_SPAN, MADV_DONTNEED);

	VRT_ASSERT(!err);
}

static void *large_alloc(const struct kheap_type *type, u64 size)
{
	struct large *large;
	bool used;

	large = large_new(type, size, &used);
	if (!large)
		return NULL;
	if (used)
		zero_spans(large->span, large->nr_spans);
	return span_address(large->span);
}

void *kheap_alloc(const struct kheap_type *type, u64 size)
{
	VRT_ASSERT(spans);
	return size <= SMALL_MAX ? small_alloc(type, size) : large_alloc(type, size);
}

void kheap_free(void *obj)
{
	struct span *span;

	if (!obj)
		return;
	VRT_ASSERT(kheap_contains((u64)obj, 1));
	span = span_of(obj);
	if (span->kind == SPAN_SLAB) {
		small_free(span->slab, obj);
		return;
	}
	VRT_ASSERT(span->kind == SPAN_LARGE);
	VRT_ASSERT(!span->large->reserved && obj == span_address(span->large->span));
	zero_spans(span->large->span, span->large->nr_spans);
	large_free(span->large);
}

void *kheap_reserve(const struct kheap_type *type, u64 size)
{
	struct large *large;
	void *range;
	bool used;

	VRT_ASSERT(spans);
	large = large_new(type, size, &used);
	if (!large)
		return NULL;
	range = span_address(large->span);
	if (mmap(range, large->nr_spans * KHEAP_SPAN, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != range) {
		large_free(large);
		return NULL;
	}
	large->reserved = true;
	return range;
}

void kheap_release(void *range)
{
	struct large *large;
	void *mapped;

	VRT_ASSERT(kheap_contains((u64)range, 1) && span_of(range)->kind == SPAN_LARGE);
	large = span_of(range)->large;
	VRT_ASSERT(large->reserved && range == span_address(large->span));
	mapped = mmap(range, large->nr_spans * KHEAP_SPAN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	VRT_ASSERT(mapped == range);
	large_free(large);
}

static bool slab_find(const struct slab *slab, u64 offset, struct kheap_object *obj)
{
	u32 slot = slot_of(slab, offset), slot_size = slab->pool->slot_size;

	if (!slot_is_live(slab, slot))
		return false;
	obj->base = (char *)span_address(slab->span) + slot * slot_size;
	obj->size = slot_size - slab->slots[slot];
	obj->type = slab->pool->type;
	return offset - slot * slot_size < obj->size;
}

bool kheap_find(const void *addr, struct kheap_object *obj)
{
	const struct span *span;

	if (!kheap_contains((u64)addr, 1) || !spans)
		return false;
	span = span_of(addr);
	switch (span->kind) {
	case SPAN_SLAB:
		return slab_find(span->slab, (u64)addr % KHEAP_SPAN, obj);
	case SPAN_LARGE:
		obj->base = span_address(span->large->span);
		obj->size = span->large->size;
		obj->type = span->large->type;
		return (u64)addr - (u64)obj->base < obj->size;
	case SPAN_FREE:
		return false;
	}
	return false;
}

void kheap_stats(struct kheap_stats *stats)
{
	*stats = totals;
}
