// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hash table under hash maps, LRU maps and maps of maps. A preallocated map
 * has memory for all elements and some to spare: what was replaced or deleted
 * cannot be reused before the programs that run now have ended.
 */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "hash.h"

#define MAX_BUCKETS (1U << 24)
#define LOAD 6U /* elements per bucket, at most */
#define SPARE 32U
#define CHAIN_PLACE HASH_SLOTS /* in a bucket, behind its slots */
#define PLACES (HASH_SLOTS + 1)

static const struct kheap_type table_type = { .name = "[hash table]", .visible = 1 };

#define HASH_FLAGS                                                                                 \
	(BPF_F_NO_PREALLOC | BPF_F_NO_COMMON_LRU | BPF_F_NUMA_NODE | BPF_F_ACCESS_MASK |           \
	 BPF_F_ZERO_SEED)

int bpf_hash_check(const union bpf_attr *attr)
{
	bool percpu = attr->map_type == BPF_MAP_TYPE_PERCPU_HASH ||
		      attr->map_type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	bool lru = attr->map_type == BPF_MAP_TYPE_LRU_HASH ||
		   attr->map_type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	bool percpu_lru = attr->map_flags & BPF_F_NO_COMMON_LRU;

	if (attr->map_flags & ~HASH_FLAGS || !bpf_map_access_ok(attr->map_flags))
		return -EINVAL;
	if (!lru && percpu_lru)
		return -EINVAL;
	if (lru && attr->map_flags & BPF_F_NO_PREALLOC)
		return -ENOTSUPP;
	if (bpf_attr_has_numa_node(attr) && (percpu || percpu_lru))
		return -EINVAL;
	if (!attr->max_entries || !attr->key_size || !attr->value_size)
		return -EINVAL;
	if ((u64)attr->key_size + attr->value_size >= KMALLOC_MAX_SIZE - 48)
		return -E2BIG;
	if (percpu && bpf_round_value(attr->value_size) > PERCPU_MAX_SIZE)
		return -E2BIG;
	return attr->max_entries > 1U << 31 ? -E2BIG : 0;
}

/* --- hashes of keys ---------------------------------------------------------- */

#define SEED1 0x9e3779b97f4a7c15ULL
#define SEED2 0xd6e8feb86659fd93ULL
#define SEED3 0xa0761d6478bd642fULL

static inline u64 mix(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

static inline u64 load64(const char *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u32 load32(const char *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static u64 hash_long(const char *key, u32 size)
{
	u64 hash = SEED1 ^ size;

	for (; size > 16; key += 16, size -= 16)
		hash = mix(load64(key) ^ SEED2, load64(key + 8) ^ hash);
	/* the last 16 bytes, some of them perhaps once more */
	return mix(mix(load64(key + (s32)size - 16) ^ SEED3, load64(key + (s32)size - 8) ^ hash),
		   SEED2);
}

static u64 hash_short(const char *key, u32 size)
{
	u64 a, b = 0;

	if (size >= 8) {
		a = load64(key);
		b = load64(key + size - 8);
	} else if (size >= 4) {
		a = (u64)load32(key) << 32 | load32(key + size - 4);
	} else {
		a = (u64)(u8)key[0] << 16 | (u64)(u8)key[size / 2] << 8 | (u8)key[size - 1];
	}
	return mix(mix(a ^ SEED3, b ^ SEED1 ^ size), SEED2);
}

static inline u64 hash_key(const void *key, u32 size)
{
	if (size == 4)
		return mix(load32(key) ^ SEED1, SEED2);
	if (size == 8)
		return mix(load64(key) ^ SEED1, SEED2);
	return size < 16 ? hash_short(key, size) : hash_long(key, size);
}

static inline bool key_equal(const char *a, const char *b, u32 size)
{
	if (size == 4)
		return load32(a) == load32(b);
	if (size == 8)
		return load64(a) == load64(b);
	return !memcmp(a, b, size);
}

/* --- buckets ------------------------------------------------------------------- */

static inline struct hash_elem *elem_of(u32 ref)
{
	return bpf_pool_elem(ref);
}

static inline struct hash_bucket *bucket_of(const struct hash_map *h, u64 hash)
{
	return &h->buckets[hash & h->bucket_mask];
}

/* Bits of the hash that do not choose the bucket, and not 0. */
static inline u8 tag_of(u64 hash)
{
	u8 tag = hash >> 56;

	return tag ? tag : 1;
}

/* A bit per slot that has @tag. */
static inline u32 match(const struct hash_bucket *b, u8 tag)
{
	u32 mask = 0;

#ifdef __SSE2__
	__m128i tags = _mm_load_si128((const __m128i *)b); /* and what is behind them */

	mask = (u32)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag)));
#else
	for (u32 i = 0; i < HASH_SLOTS; i++)
		mask |= (u32)(b->tags[i] == tag) << i;
#endif
	return mask & ((1U << HASH_SLOTS) - 1);
}

static inline struct hash_elem *find(const struct hash_map *h, const void *key, u32 size,
				     struct hash_pos *pos)
{
	u64 hash = hash_key(key, size);
	struct hash_bucket *b = bucket_of(h, hash);
	struct hash_elem *e;
	u32 mask;

	pos->hash = hash;
	for (mask = match(b, tag_of(hash)); mask; mask &= mask - 1) {
		pos->ref = &b->elems[__builtin_ctz(mask)];
		e = elem_of(*pos->ref);
		if (likely(key_equal(e->key, key, size)))
			return e;
	}
	for (pos->ref = &b->overflow; unlikely(*pos->ref); pos->ref = &e->next) {
		e = elem_of(*pos->ref);
		if (key_equal(e->key, key, size))
			return e;
	}
	return NULL;
}

struct hash_elem *bpf_hash_find_pos(struct hash_map *h, const void *key, struct hash_pos *pos)
{
	/* sizes that the compiler knows */
	switch (h->map.key_size) {
	case 4:
		return find(h, key, 4, pos);
	case 8:
		return find(h, key, 8, pos);
	default:
		return find(h, key, h->map.key_size, pos);
	}
}

struct hash_elem *bpf_hash_find(struct hash_map *h, const void *key)
{
	struct hash_pos pos;

	return bpf_hash_find_pos(h, key, &pos);
}

struct hash_elem *bpf_hash_insert(struct hash_map *h, const void *key, const struct hash_pos *pos)
{
	struct hash_bucket *b = bucket_of(h, pos->hash);
	struct hash_elem *e = bpf_pool_alloc(h->pool);
	u32 mask = match(b, 0);

	if (!e)
		return NULL;
	memcpy(e->key, key, h->map.key_size);
	e->hash = pos->hash & 0x7fffffff;
	e->referenced = false;
	e->next = 0;
	if (likely(mask)) {
		u32 slot = (u32)__builtin_ctz(mask);

		b->tags[slot] = tag_of(pos->hash);
		b->elems[slot] = bpf_pool_ref(e);
	} else {
		e->next = b->overflow;
		b->overflow = bpf_pool_ref(e);
	}
	h->count++;
	return e;
}

static void lru_del(struct hash_elem *e)
{
	elem_of(e->lru_next)->lru_prev = e->lru_prev;
	elem_of(e->lru_prev)->lru_next = e->lru_next;
}

struct hash_elem *bpf_hash_replace(struct hash_map *h, struct hash_elem *old,
				   const struct hash_pos *pos)
{
	struct hash_elem *e = bpf_pool_alloc(h->pool);

	if (!e)
		return NULL;
	memcpy(e, old, offsetof(struct hash_elem, key) + h->map.key_size);
	*pos->ref = bpf_pool_ref(e);
	if (h->lru) {
		elem_of(e->lru_next)->lru_prev = bpf_pool_ref(e);
		elem_of(e->lru_prev)->lru_next = bpf_pool_ref(e);
	}
	bpf_pool_retire(h->pool, old);
	return e;
}

/* A bit per slot that refers to @ref; without branches that nobody could predict. */
static inline u32 match_ref(const struct hash_bucket *b, u32 ref)
{
	u32 mask = 0;

	for (u32 i = 0; i < HASH_SLOTS; i++)
		mask |= (u32)(b->elems[i] == ref) << i;
	return mask;
}

void bpf_hash_remove(struct hash_map *h, struct hash_elem *e)
{
	struct hash_bucket *b = bucket_of(h, e->hash);
	u32 ref = bpf_pool_ref(e), mask = match_ref(b, ref), *pos;

	if (likely(mask)) {
		b->tags[__builtin_ctz(mask)] = 0;
		b->elems[__builtin_ctz(mask)] = 0;
	} else {
		for (pos = &b->overflow; *pos != ref; pos = &elem_of(*pos)->next)
			VRT_ASSERT(*pos);
		*pos = e->next;
	}
	if (h->lru)
		lru_del(e);
	h->count--;
	bpf_pool_retire(h->pool, e);
}

/* --- life ------------------------------------------------------------------------ */

static u32 nr_buckets(u32 max_entries)
{
	u32 nr = 1;

	while (nr < MAX_BUCKETS && (u64)nr * LOAD < max_entries)
		nr *= 2;
	return nr;
}

static bool make_table(struct hash_map *h, u64 value_size, bool zeroed)
{
	const struct bpf_map *map = &h->map;
	u64 key_end = ALIGN_UP(sizeof(struct hash_elem) + map->key_size, 8UL);
	u64 nr = map->flags & BPF_F_NO_PREALLOC ? 0 : (u64)map->max_entries + SPARE;
	bool lru = map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;

	h->value_off = (u32)key_end;
	h->bucket_mask = nr_buckets(map->max_entries) - 1;
	h->pool = bpf_pool_new(key_end + value_size, h->value_off, zeroed ? (u32)value_size : 0, nr);
	h->buckets = kheap_alloc(&table_type, (h->bucket_mask + 1UL) * sizeof(*h->buckets));
	if (!h->pool || !h->buckets)
		return false;
	if (!lru)
		return true;
	h->lru = bpf_pool_alloc(h->pool);
	if (h->lru)
		h->lru->lru_next = h->lru->lru_prev = bpf_pool_ref(h->lru);
	return h->lru;
}

struct bpf_map *bpf_hash_alloc(const struct bpf_map_ops *ops, const union bpf_attr *attr,
			       u64 value_size, bool zeroed, int *err)
{
	struct bpf_map *map = bpf_map_new(ops, attr, sizeof(struct hash_map));

	*err = -ENOMEM;
	if (!map)
		return NULL;
	if (make_table(to_hash(map), value_size, zeroed)) {
		*err = 0;
		return map;
	}
	bpf_map_put(map);
	return NULL;
}

void bpf_hash_free_table(struct hash_map *h)
{
	VRT_ASSERT(h->count == 0);
	bpf_pool_retire_all(h->pool);
	kheap_free(h->buckets);
}

/* --- in order ---------------------------------------------------------------------- */

struct hash_elem *bpf_hash_next(struct hash_map *h, struct hash_walk *walk)
{
	struct hash_elem *e;

	while (!walk->chain) {
		const struct hash_bucket *b;

		if (walk->bucket > h->bucket_mask || !h->count)
			return NULL;
		b = &h->buckets[walk->bucket];
		while (walk->slot < HASH_SLOTS)
			if (b->elems[walk->slot++])
				return elem_of(b->elems[walk->slot - 1]);
		walk->chain = b->overflow;
		walk->bucket++;
		walk->slot = 0;
	}
	e = elem_of(walk->chain);
	walk->chain = e->next;
	return e;
}

/* Behind an element that is there. */
static void walk_from(const struct hash_map *h, const struct hash_elem *e,
		      const struct hash_pos *pos, struct hash_walk *walk)
{
	const struct hash_bucket *b = bucket_of(h, pos->hash);

	walk->bucket = (u32)(b - h->buckets);
	if (pos->ref >= b->elems && pos->ref < b->elems + HASH_SLOTS) {
		walk->slot = (u32)(pos->ref - b->elems) + 1;
	} else {
		walk->bucket++;
		walk->chain = e->next;
	}
}

/* A key that is not there (any more) starts over. */
int bpf_hash_next_key(struct bpf_map *map, const void *key, void *next)
{
	struct hash_map *h = to_hash(map);
	struct hash_walk walk = { 0 };
	struct hash_pos pos;
	struct hash_elem *e = key ? bpf_hash_find_pos(h, key, &pos) : NULL;

	if (e)
		walk_from(h, e, &pos, &walk);
	e = bpf_hash_next(h, &walk);
	if (!e)
		return -ENOENT;
	memcpy(next, e->key, map->key_size);
	return 0;
}

u32 bpf_hash_places(const struct hash_map *h)
{
	return (h->bucket_mask + 1) * PLACES;
}

struct hash_elem *bpf_hash_at(const struct hash_map *h, u32 place)
{
	const struct hash_bucket *b = &h->buckets[place / PLACES];
	u32 ref = place % PLACES == CHAIN_PLACE ? b->overflow : b->elems[place % PLACES];

	return ref ? elem_of(ref) : NULL;
}
