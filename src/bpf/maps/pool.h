/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for the elements of a map, all of one size. It comes from the kernel heap
 * in chunks, of which a preallocated map has one from the beginning; what an
 * element leaves is reused, last in first out, and stays with the map.
 *
 * Elements refer to each other by 32 bits: see bpf_pool_ref().
 */
#ifndef VRT_BPF_MAPS_POOL_H
#define VRT_BPF_MAPS_POOL_H

#include "map_impl.h"

#define POOL_ALIGN 32UL

_Static_assert(KHEAP_SIZE / POOL_ALIGN == 1UL << 32, "a reference has 32 bits");

struct bpf_pool {
	void *free; /* leads on by its first word */
	char *fresh, *fresh_end; /* never used, zero */
	struct bpf_pool_chunk *chunks;
	u32 elem_size;
	u32 zero_from, zero_size; /* bytes of a free element that are zero */
	u64 nr; /* elements in all chunks */
};

/* What is stored of a pointer to an element, and 0 for none: no element is at the heap's start. */
static inline u32 bpf_pool_ref(const void *elem)
{
	return (u32)(((u64)elem - KHEAP_BASE) / POOL_ALIGN);
}

static inline void *bpf_pool_elem(u32 ref)
{
	return (void *)(KHEAP_BASE + ref * POOL_ALIGN);
}

/*
 * Elements of @size bytes, of which @zero_size from @zero_from on are zero when they
 * are allocated. Memory for @nr of them at once. NULL: no memory.
 */
struct bpf_pool *bpf_pool_new(u64 size, u32 zero_from, u32 zero_size, u64 nr);
/* With everything in it, when no program runs. @pool may be NULL. */
void bpf_pool_retire_all(struct bpf_pool *pool);

void *bpf_pool_grow(struct bpf_pool *pool);

/* NULL: no memory. What is not known to be zero is what the last user left. */
static inline void *bpf_pool_alloc(struct bpf_pool *pool)
{
	void *elem = pool->free;

	if (likely(elem)) {
		pool->free = *(void **)elem;
		return elem;
	}
	if (pool->fresh == pool->fresh_end)
		return bpf_pool_grow(pool);
	elem = pool->fresh;
	pool->fresh += pool->elem_size;
	return elem;
}

/*
 * Gives @elem back when no program runs that may have a pointer to it. Until then
 * it stays as it is but for its first eight bytes, which are the pool's.
 */
void bpf_pool_retire(struct bpf_pool *pool, void *elem);

#endif
