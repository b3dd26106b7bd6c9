// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel heap. Bookkeeping is in host memory, outside of the range: a
 * program that could write out of bounds could not corrupt the allocator.
 *
 * A small object is a slot of a slab: one span of objects of one type and one
 * size class. The slabs of a type and class form a pool, which lists those with
 * a free slot, the most recently freed into first. Of the slabs in which nothing
 * is live a pool keeps one, so that what comes and goes alone costs no span each
 * time. With the last object of the heap they all go: an empty heap is like a
 * new one, and gives out the same addresses.
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
	struct kheap_slab *empty; /* one of them, in which nothing is live */
};

struct kheap_slab {
	struct list_head node; /* on pool->partial; on nothing when full */
	struct list_head empty; /* on empty_slabs if it is pool->empty */
	struct pool *pool;
	u32 span;
	u32 nr_slots, nr_live;
	u32 nr_used; /* slots from here on were never used */
	u16 first_free; /* slot + 1 of the one freed last; 0: none */
	u16 slots[]; /* live: KHEAP_SLOT_LIVE | bytes not asked for; free: next free slot + 1 */
};

struct kheap_span *kheap_spans; /* NR_SPANS */
static struct pool *pools[NR_POOL_BUCKETS];
static struct list_head empty_slabs = LIST_HEAD_INIT(empty_slabs);
static struct kheap_stats totals;

static inline void *span_address(u32 span)
{
	return (void *)(KHEAP_BASE + span * KHEAP_SPAN);
}

static inline struct kheap_span *span_of(const void *addr)
{
	return &kheap_spans[((u64)addr - KHEAP_BASE) / KHEAP_SPAN];
}

int kheap_init(void)
{
	void *range, *table;
	int err;

	if (kheap_spans)
		return 0;
	table = mmap(NULL, NR_SPANS * sizeof(struct kheap_span), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (table == MAP_FAILED)
		return -errno;
	range = mmap((void *)KHEAP_BASE, KHEAP_SIZE, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (range == (void *)KHEAP_BASE) {
		kheap_spans = table;
		return 0;
	}
	/* kernels before 4.17 take the address for a hint */
	err = range == MAP_FAILED ? -errno : -EEXIST;
	if (range != MAP_FAILED)
		munmap(range, KHEAP_SIZE);
	munmap(table, NR_SPANS * sizeof(struct kheap_span));
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

static struct kheap_slab *slab_new(struct pool *pool)
{
	u32 nr = KHEAP_SPAN / pool->slot_size;
	struct kheap_slab *slab;
	bool used;
	u32 span = kheap_run_alloc(1, &used);

	_Static_assert(KHEAP_SPAN / 16 < KHEAP_SLOT_LIVE, "a free slot looks live");
	if (span == RUN_NONE)
		return NULL;
	/* what is behind the last slot is asked for, too: it never lives */
	slab = xcalloc(1, sizeof(*slab) + (nr + 1) * sizeof(slab->slots[0]));
	slab->pool = pool;
	slab->span = span;
	slab->nr_slots = nr;
	INIT_LIST_HEAD(&slab->empty);
	list_add(&slab->node, &pool->partial);
	kheap_spans[span] = (struct kheap_span){
		.type = pool->type,
		.slot_size = pool->slot_size,
		.reciprocal = (u32)DIV_ROUND_UP(1ULL << 32, pool->slot_size),
		.slab = slab,
		.slots = slab->slots,
	};
	totals.spans += KHEAP_SPAN;
	return slab;
}

static void slab_free(struct kheap_slab *slab)
{
	list_del_init(&slab->node);
	kheap_spans[slab->span].type = NULL;
	kheap_run_free(slab->span, 1);
	totals.spans -= KHEAP_SPAN;
	free(slab);
}

/* It is used again, or goes. */
static void slab_not_kept(struct kheap_slab *slab)
{
	slab->pool->empty = NULL;
	list_del_init(&slab->empty);
}

static void slab_is_empty(struct kheap_slab *slab)
{
	struct pool *pool = slab->pool;

	if (pool->empty) {
		slab_free(slab);
	} else {
		pool->empty = slab;
		list_add(&slab->empty, &empty_slabs);
	}
}

static void free_empty_slabs(void)
{
	while (!list_empty(&empty_slabs)) {
		struct kheap_slab *slab = list_first_entry(&empty_slabs, struct kheap_slab, empty);

		slab_not_kept(slab);
		slab_free(slab);
	}
}

static void *small_alloc(const struct kheap_type *type, u64 size)
{
	struct pool *pool = pool_of(type, slot_size_of(size));
	struct kheap_slab *slab = list_first_entry_or_null(&pool->partial, struct kheap_slab, node);
	void *obj;
	u32 slot;

	if (!slab)
		slab = slab_new(pool);
	if (!slab)
		return NULL;
	if (slab == pool->empty)
		slab_not_kept(slab);
	if (slab->first_free) {
		slot = slab->first_free - 1u;
		slab->first_free = slab->slots[slot];
	} else {
		slot = slab->nr_used++;
	}
	slab->slots[slot] = (u16)(KHEAP_SLOT_LIVE | (pool->slot_size - size));
	if (++slab->nr_live == slab->nr_slots)
		list_del_init(&slab->node);
	obj = (char *)span_address(slab->span) + slot * pool->slot_size;
	memset(obj, 0, pool->slot_size);
	totals.live += size;
	totals.objects++;
	return obj;
}

static void small_free(const struct kheap_span *span, void *obj)
{
	u64 offset = (u64)obj % KHEAP_SPAN;
	u32 slot = kheap_slot_of(span, offset), slot_size = span->slot_size;
	struct kheap_slab *slab = span->slab;

	VRT_ASSERT(slab->slots[slot] & KHEAP_SLOT_LIVE);
	VRT_ASSERT(offset == slot * slot_size);
	totals.live -= slot_size - (slab->slots[slot] & ~KHEAP_SLOT_LIVE);
	memset(obj, KHEAP_POISON, slot_size);
	slab->slots[slot] = slab->first_free;
	slab->first_free = (u16)(slot + 1);
	list_move(&slab->node, &slab->pool->partial);
	if (!--slab->nr_live)
		slab_is_empty(slab);
}

/* Spans for one large object; what they contain is left to the caller. */
static void *large_new(const struct kheap_type *type, u64 size, bool *used, bool reserved)
{
	u64 nr = size ? DIV_ROUND_UP(size, KHEAP_SPAN) : 1;
	void *base;
	u32 span;

	if (size > KHEAP_SIZE)
		return NULL;
	span = kheap_run_alloc((u32)nr, used);
	if (span == RUN_NONE)
		return NULL;
	base = span_address(span);
	for (u32 i = span; i < span + nr; i++)
		kheap_spans[i] = (struct kheap_span){
			.type = type, .base = base, .size = size, .reciprocal = reserved };
	totals.live += size;
	totals.spans += nr * KHEAP_SPAN;
	totals.objects++;
	return base;
}

/* Large objects have no use for a reciprocal. */
static bool span_is_reserved(const struct kheap_span *span)
{
	return !span->slot_size && span->reciprocal;
}

static u32 large_spans(const struct kheap_span *span)
{
	return span->size ? (u32)DIV_ROUND_UP(span->size, KHEAP_SPAN) : 1;
}

static void large_free(struct kheap_span *span)
{
	u32 nr = large_spans(span);

	totals.live -= span->size;
	totals.spans -= nr * KHEAP_SPAN;
	for (u32 i = 0; i < nr; i++)
		span[i].type = NULL;
	kheap_run_free((u32)(span - kheap_spans), nr);
}

/* An empty heap gives out the addresses that a new one does. */
static void object_gone(void)
{
	if (!--totals.objects)
		free_empty_slabs();
}

/* Private anonymous memory: the host takes it back, and the next read gives zeros. */
static void zero_spans(void *range, u32 nr)
{
	int err = madvise(range, nr * KHEAP_SPAN, MADV_DONTNEED);

	VRT_ASSERT(!err);
}

static void *large_alloc(const struct kheap_type *type, u64 size)
{
	bool used;
	void *obj = large_new(type, size, &used, false);

	if (obj && used)
		zero_spans(obj, large_spans(span_of(obj)));
	return obj;
}

void *kheap_alloc(const struct kheap_type *type, u64 size)
{
	VRT_ASSERT(kheap_spans);
	return size <= SMALL_MAX ? small_alloc(type, size) : large_alloc(type, size);
}

void kheap_free(void *obj)
{
	struct kheap_span *span;

	if (!obj)
		return;
	VRT_ASSERT(kheap_contains((u64)obj, 1));
	span = span_of(obj);
	VRT_ASSERT(span->type);
	if (span->slot_size) {
		small_free(span, obj);
	} else {
		VRT_ASSERT(!span_is_reserved(span) && obj == span->base);
		zero_spans(obj, large_spans(span));
		large_free(span);
	}
	object_gone();
}

void *kheap_reserve(const struct kheap_type *type, u64 size)
{
	struct kheap_span *span;
	void *range;
	bool used;

	VRT_ASSERT(kheap_spans);
	range = large_new(type, size, &used, true);
	if (!range)
		return NULL;
	span = span_of(range);
	if (mmap(range, large_spans(span) * KHEAP_SPAN, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != range) {
		large_free(span);
		object_gone();
		return NULL;
	}
	return range;
}

void kheap_release(void *range)
{
	struct kheap_span *span;
	void *mapped;

	VRT_ASSERT(kheap_contains((u64)range, 1));
	span = span_of(range);
	VRT_ASSERT(span->type && span_is_reserved(span) && range == span->base);
	mapped = mmap(range, large_spans(span) * KHEAP_SPAN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	VRT_ASSERT(mapped == range);
	large_free(span);
	object_gone();
}

void kheap_stats(struct kheap_stats *stats)
{
	*stats = totals;
}
