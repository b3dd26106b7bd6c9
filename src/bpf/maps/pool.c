// SPDX-License-Identifier: GPL-2.0-only
/* Memory for the elements of maps: see pool.h. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"

#define FIRST_CHUNK 8UL /* elements, when none are preallocated */
#define CHUNK_BYTES (256UL << 10) /* what a chunk grows to */

/* In front of the first element, so that it is on a cache line's start, too. */
struct bpf_pool_chunk {
	struct bpf_pool_chunk *next;
} __attribute__((aligned(64)));

static bool add_chunk(struct bpf_pool *pool, u64 nr)
{
	struct bpf_pool_chunk *chunk;

	if (nr > (MAP_MAX_BYTES - sizeof(*chunk)) / pool->elem_size)
		return false;
	chunk = kheap_alloc(&bpf_value_type, sizeof(*chunk) + nr * pool->elem_size);
	if (!chunk)
		return false;
	chunk->next = pool->chunks;
	pool->chunks = chunk;
	pool->fresh = (char *)(chunk + 1);
	pool->fresh_end = pool->fresh + nr * pool->elem_size;
	pool->nr += nr;
	return true;
}

static void pool_free(void *arg)
{
	struct bpf_pool *pool = arg;
	struct bpf_pool_chunk *chunk;

	while ((chunk = pool->chunks)) {
		pool->chunks = chunk->next;
		kheap_free(chunk);
	}
	free(pool);
}

struct bpf_pool *bpf_pool_new(u64 size, u32 zero_from, u32 zero_size, u64 nr)
{
	struct bpf_pool *pool;

	if (size > MAP_MAX_BYTES / 2)
		return NULL;
	pool = xcalloc(1, sizeof(*pool));
	pool->elem_size = (u32)ALIGN_UP(size, POOL_ALIGN);
	pool->zero_from = zero_from;
	pool->zero_size = zero_size;
	if (!nr || add_chunk(pool, nr))
		return pool;
	pool_free(pool);
	return NULL;
}

void bpf_pool_retire_all(struct bpf_pool *pool)
{
	/* in order: behind the elements that were retired before */
	if (pool)
		bpf_rcu_defer(pool_free, pool);
}

/* Twice as many as there are, up to a size that is no burden. */
void *bpf_pool_grow(struct bpf_pool *pool)
{
	u64 most = max(CHUNK_BYTES / pool->elem_size, 1UL);

	if (!add_chunk(pool, min(max(pool->nr, FIRST_CHUNK), most)))
		return NULL;
	return bpf_pool_alloc(pool);
}

static void elem_free(void *elem)
{
	struct bpf_pool *pool = *(struct bpf_pool **)elem;

	if (pool->zero_size)
		memset((char *)elem + pool->zero_from, 0, pool->zero_size);
	*(void **)elem = pool->free;
	pool->free = elem;
}

void bpf_pool_retire(struct bpf_pool *pool, void *elem)
{
	*(struct bpf_pool **)elem = pool;
	bpf_rcu_defer(elem_free, elem);
}
