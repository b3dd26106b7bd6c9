/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hash table under all maps that hash: elements by key, in an order that
 * depends only on the keys and on the order in which they came.
 *
 * A bucket is a cache line: some bits of the hash of each of its elements, and
 * references to them. So what is not there is not found with one line, what is
 * there with that and its own. What finds no slot in its bucket is in a list,
 * and stays there: elements never move, so a walk meets each at most once.
 */
#ifndef VRT_BPF_MAPS_HASH_H
#define VRT_BPF_MAPS_HASH_H

#include "pool.h"

#define HASH_SLOTS 12

struct hash_bucket {
	u8 tags[HASH_SLOTS]; /* 0: a free slot */
	u32 overflow; /* the first element without a slot */
	u32 elems[HASH_SLOTS]; /* references; 0: a free slot */
} __attribute__((aligned(64)));

/* Followed by the key and, at hash_map.value_off, the value or one per CPU. */
struct hash_elem {
	u32 lru_next, lru_prev; /* LRU maps. Removed elements: the pool's */
	u32 next; /* in the overflow list; still leads on after the element was removed */
	u32 hash : 31;
	u32 referenced : 1; /* LRU maps: looked up since it was last considered */
	char key[] __attribute__((aligned(8)));
};

struct hash_map {
	struct bpf_map map;
	struct hash_bucket *buckets;
	u32 bucket_mask;
	u32 count;
	u32 value_off; /* of the value from the element */
	struct bpf_pool *pool;
	struct hash_elem *lru; /* LRU maps: head of the list, the newest first. Has no key */
};

/* Where an element is, or would be if it were there. */
struct hash_pos {
	u64 hash;
	u32 *ref; /* what refers to it */
};

/* A walk over all elements, during which any may be removed. From { 0 }. */
struct hash_walk {
	u32 bucket, slot;
	u32 chain; /* the next in an overflow list */
};

static inline struct hash_map *to_hash(struct bpf_map *map)
{
	return container_of(map, struct hash_map, map);
}

static inline void *bpf_hash_value(const struct hash_map *h, struct hash_elem *e)
{
	return (char *)e + h->value_off;
}

int bpf_hash_check(const union bpf_attr *attr);
/* @value_size bytes of value in every element; @zeroed: they are zero in a new one. */
struct bpf_map *bpf_hash_alloc(const struct bpf_map_ops *ops, const union bpf_attr *attr,
			       u64 value_size, bool zeroed, int *err);
/* The table itself; it must be empty. */
void bpf_hash_free_table(struct hash_map *h);

struct hash_elem *bpf_hash_find(struct hash_map *h, const void *key);
struct hash_elem *bpf_hash_find_pos(struct hash_map *h, const void *key, struct hash_pos *pos);
/* A new element, in the table, for a key that is not there. NULL: no memory. */
struct hash_elem *bpf_hash_insert(struct hash_map *h, const void *key, const struct hash_pos *pos);
/* A new element in the place of @old, which is then removed. */
struct hash_elem *bpf_hash_replace(struct hash_map *h, struct hash_elem *old,
				   const struct hash_pos *pos);
/* Takes the element out; its memory stays until no program runs. */
void bpf_hash_remove(struct hash_map *h, struct hash_elem *e);
struct hash_elem *bpf_hash_next(struct hash_map *h, struct hash_walk *walk);
int bpf_hash_next_key(struct bpf_map *map, const void *key, void *next);

/*
 * Places in the order of iteration, for walks in pieces: one of a slot, or one of
 * all that is in a bucket's list. The elements there, and how many there are places.
 */
u32 bpf_hash_places(const struct hash_map *h);
struct hash_elem *bpf_hash_at(const struct hash_map *h, u32 place);

#endif
