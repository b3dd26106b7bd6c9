// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hash table under hash maps, LRU maps and maps of maps. Elements are made
 * as they are needed, whether or not the map is preallocated: that it can hold
 * max_entries is all that programs may rely on.
 */
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../../base/hash.h"
#include "hash.h"

#define MAX_BUCKETS (1U << 20)

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

struct bpf_map *bpf_hash_alloc(const struct bpf_map_ops *ops, const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(ops, attr, sizeof(struct hash_map));
	struct hash_map *h;
	u32 nr = 1;

	*err = -ENOMEM;
	if (!map)
		return NULL;
	h = to_hash(map);
	while (nr < map->max_entries && nr < MAX_BUCKETS)
		nr *= 2;
	h->nr_buckets = nr;
	h->buckets = xcalloc(nr, sizeof(*h->buckets));
	INIT_LIST_HEAD(&h->lru);
	*err = 0;
	return map;
}

void bpf_hash_free_table(struct hash_map *h)
{
	VRT_ASSERT(h->count == 0);
	free(h->buckets);
}

u32 bpf_hash_key(const struct hash_map *h, const void *key)
{
	return (u32)hash64(key, h->map.key_size, 0);
}

struct hash_elem *bpf_hash_find(struct hash_map *h, const void *key)
{
	u32 hash = bpf_hash_key(h, key);
	struct hash_elem *e;

	for (e = h->buckets[hash & (h->nr_buckets - 1)]; e; e = e->next)
		if (e->hash == hash && !memcmp(e->key, key, h->map.key_size))
			return e;
	return NULL;
}

struct hash_elem *bpf_hash_insert(struct hash_map *h, const void *key)
{
	struct hash_elem *e, **bucket;

	e = kheap_alloc(&bpf_key_type, sizeof(*e) + h->map.key_size);
	if (!e)
		return NULL;
	e->hash = bpf_hash_key(h, key);
	memcpy(e->key, key, h->map.key_size);
	INIT_LIST_HEAD(&e->lru);
	bucket = &h->buckets[e->hash & (h->nr_buckets - 1)];
	e->next = *bucket;
	*bucket = e;
	h->count++;
	return e;
}

void bpf_hash_remove(struct hash_map *h, struct hash_elem *e)
{
	struct hash_elem **pos = &h->buckets[e->hash & (h->nr_buckets - 1)];

	while (*pos != e)
		pos = &(*pos)->next;
	*pos = e->next;
	list_del_init(&e->lru);
	h->count--;
	bpf_rcu_free(e);
}

struct hash_elem *bpf_hash_first(struct hash_map *h, u32 bucket)
{
	if (!h->count)
		return NULL;
	for (; bucket < h->nr_buckets; bucket++)
		if (h->buckets[bucket])
			return h->buckets[bucket];
	return NULL;
}

struct hash_elem *bpf_hash_next(struct hash_map *h, struct hash_elem *e)
{
	return e->next ?: bpf_hash_first(h, (e->hash & (h->nr_buckets - 1)) + 1);
}

/* A key that is not there (any more) starts over. */
int bpf_hash_next_key(struct bpf_map *map, const void *key, void *next)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *e = key ? bpf_hash_find(h, key) : NULL;

	e = e ? bpf_hash_next(h, e) : bpf_hash_first(h, 0);
	if (!e)
		return -ENOENT;
	memcpy(next, e->key, map->key_size);
	return 0;
}
