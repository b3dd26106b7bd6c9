/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hash table under all maps that hash: elements by key, in an order that
 * depends only on the keys and on the order in which they came.
 */
#ifndef VRT_BPF_MAPS_HASH_H
#define VRT_BPF_MAPS_HASH_H

#include "map_impl.h"

/* In the kernel heap: callbacks of programs get a pointer to the key. */
struct hash_elem {
	struct hash_elem *next; /* still leads on after the element was removed */
	struct list_head lru; /* LRU maps: hash_map.lru, the oldest last */
	void *value; /* one value, or one per CPU; maps of maps: the inner map */
	u32 hash;
	bool referenced; /* LRU maps: looked up since it was last considered */
	char key[] __attribute__((aligned(8)));
};

struct hash_map {
	struct bpf_map map;
	struct hash_elem **buckets;
	u32 nr_buckets; /* a power of two */
	u32 count;
	struct list_head lru;
};

static inline struct hash_map *to_hash(struct bpf_map *map)
{
	return container_of(map, struct hash_map, map);
}

int bpf_hash_check(const union bpf_attr *attr);
struct bpf_map *bpf_hash_alloc(const struct bpf_map_ops *ops, const union bpf_attr *attr,
			       int *err);
/* The table itself; it must be empty. */
void bpf_hash_free_table(struct hash_map *h);

u32 bpf_hash_key(const struct hash_map *h, const void *key);
struct hash_elem *bpf_hash_find(struct hash_map *h, const void *key);
/* A new element without a value, in the table. NULL: no memory. */
struct hash_elem *bpf_hash_insert(struct hash_map *h, const void *key);
/* Takes the element out; its memory stays until no program runs. The value is the caller's. */
void bpf_hash_remove(struct hash_map *h, struct hash_elem *e);
/* The first element in the order of iteration, and the next; NULL at the end. */
struct hash_elem *bpf_hash_first(struct hash_map *h, u32 bucket);
struct hash_elem *bpf_hash_next(struct hash_map *h, struct hash_elem *e);
int bpf_hash_next_key(struct bpf_map *map, const void *key, void *next);

#endif
