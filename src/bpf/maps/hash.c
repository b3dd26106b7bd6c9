// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hash maps: plain, per CPU, and both with eviction of the least recently used.
 *
 * An update of an existing element gives it a new value at a new address, as
 * in Linux: who holds the old one keeps seeing the old one, and its special
 * fields are freed. Only BPF_F_LOCK writes in place.
 *
 * LRU is Linux's idea in its exact form: one list, and an element that was
 * looked up by a program since it was last considered gets a second chance.
 */
#include <string.h>

#include "hash.h"

static bool is_percpu(const struct bpf_map *map)
{
	return map->type == BPF_MAP_TYPE_PERCPU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool is_lru(const struct bpf_map *map)
{
	return map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static u32 hash_value_size(const struct bpf_map *map)
{
	return is_percpu(map) ? bpf_round_value(map->value_size) * bpf_env->nr_cpus :
				map->value_size;
}

static void *cpu_value(const struct bpf_map *map, void *values, u32 cpu)
{
	return (char *)values + (size_t)cpu * bpf_round_value(map->value_size);
}

static void retire_value(struct bpf_map *map, void *value)
{
	if (is_percpu(map))
		bpf_map_retire_percpu(map, value);
	else
		bpf_map_retire_value(map, value);
}

static void delete_elem(struct hash_map *h, struct hash_elem *e)
{
	void *value = e->value;

	bpf_hash_remove(h, e);
	retire_value(&h->map, value);
}

static struct bpf_map *hash_alloc(const union bpf_attr *attr, int *err)
{
	return bpf_hash_alloc(bpf_map_ops_of(attr->map_type), attr, err);
}

static void hash_free(struct bpf_map *map)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *e;

	while ((e = bpf_hash_first(h, 0)))
		delete_elem(h, e);
	bpf_hash_free_table(h);
}

/* --- LRU ------------------------------------------------------------------ */

static void evict_one(struct hash_map *h)
{
	struct hash_elem *e;

	/* ends: every round clears a flag */
	for (;;) {
		e = list_last_entry(&h->lru, struct hash_elem, lru);
		if (!e->referenced)
			break;
		e->referenced = false;
		list_move(&e->lru, &h->lru);
	}
	delete_elem(h, e);
}

/* --- elements ------------------------------------------------------------- */

/* A new element with zeroed value(s); NULL with *err. */
static struct hash_elem *new_elem(struct hash_map *h, const void *key, void *value, int *err)
{
	struct hash_elem *e;

	if (h->count >= h->map.max_entries) {
		*err = -E2BIG;
		if (!is_lru(&h->map))
			return NULL;
		evict_one(h);
	}
	*err = -ENOMEM;
	e = bpf_hash_insert(h, key);
	if (!e)
		return NULL;
	e->value = value;
	if (is_lru(&h->map))
		list_add(&e->lru, &h->lru);
	*err = 0;
	return e;
}

/*
 * The element for @key gets @value, fresh from the heap: a new element, or the
 * old one, whose value goes.
 */
static int set_value(struct hash_map *h, struct hash_elem *e, const void *key, void *value)
{
	int err = 0;

	if (e) {
		retire_value(&h->map, e->value);
		e->value = value;
		e->referenced = is_lru(&h->map);
	} else if (!new_elem(h, key, value, &err)) {
		kheap_free(value);
	}
	return err;
}

static int update(struct bpf_map *map, const void *key, const void *src, u64 flags, bool lock)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *e = bpf_hash_find(h, key);
	int err = bpf_map_check_update(map, e, flags);
	void *value;

	if (err)
		return err;
	if (e && flags & BPF_F_LOCK) {
		if (lock)
			return bpf_map_copy_locked(map, e->value, src);
		bpf_map_copy_value(map, e->value, src);
		return 0;
	}
	value = kheap_alloc(&bpf_value_type, map->value_size);
	if (!value)
		return -ENOMEM;
	bpf_map_copy_value(map, value, src);
	return set_value(h, e, key, value);
}

static long hash_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	return update(map, key, value, flags, true);
}

/* User space acts between two moments of the machine: there is nobody to lock out. */
static int hash_sys_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	return update(map, key, value, flags, false);
}

/* A value for every CPU, zeroed; an existing element is written in place. */
static int percpu_slot(struct bpf_map *map, const void *key, u64 flags, void **values)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *e = bpf_hash_find(h, key);
	int err;

	if (flags > BPF_EXIST)
		return -EINVAL;
	err = bpf_map_check_update(map, e, flags);
	if (err)
		return err;
	if (e) {
		e->referenced = is_lru(map);
		*values = e->value;
		return 0;
	}
	*values = kheap_alloc(&bpf_value_type, hash_value_size(map));
	return *values ? set_value(h, NULL, key, *values) : -ENOMEM;
}

static long percpu_hash_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	void *values, *dst;
	int err = percpu_slot(map, key, flags, &values);

	if (err)
		return err;
	dst = cpu_value(map, values, bpf_env->cpu());
	bpf_map_copy_value(map, dst, value);
	bpf_map_free_fields(map, dst);
	return 0;
}

static int percpu_hash_sys_update(struct bpf_map *map, const void *key, const void *value,
				  u64 flags)
{
	void *values;
	int err = percpu_slot(map, key, flags, &values);
	u32 cpu;

	for (cpu = 0; !err && cpu < bpf_env->nr_cpus; cpu++) {
		void *dst = cpu_value(map, values, cpu);

		bpf_map_copy_value(map, dst, cpu_value(map, (void *)value, cpu));
		bpf_map_free_fields(map, dst);
	}
	return err;
}

static long hash_delete(struct bpf_map *map, const void *key)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *e = bpf_hash_find(h, key);

	if (!e)
		return -ENOENT;
	delete_elem(h, e);
	return 0;
}

static void *hash_lookup(struct bpf_map *map, const void *key)
{
	struct hash_elem *e = bpf_hash_find(to_hash(map), key);

	if (!e)
		return NULL;
	e->referenced = is_lru(map);
	return e->value;
}

static void *percpu_hash_lookup_cpu(struct bpf_map *map, const void *key, u32 cpu)
{
	void *values;

	if (cpu >= bpf_env->nr_cpus)
		return NULL;
	values = hash_lookup(map, key);
	return values ? cpu_value(map, values, cpu) : NULL;
}

static void *percpu_hash_lookup(struct bpf_map *map, const void *key)
{
	return percpu_hash_lookup_cpu(map, key, bpf_env->cpu());
}

static long hash_for_each(struct bpf_map *map, int (*fn)(void *key, void *value, void *arg),
			  void *arg)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *e, *next;
	u32 bucket;
	long nr = 0;

	/*
	 * Bucket by bucket: an element that @fn deletes leads on to its
	 * successors, but not to the bucket after.
	 */
	for (bucket = 0; bucket < h->nr_buckets; bucket++) {
		for (e = h->buckets[bucket]; e; e = next) {
			void *value = is_percpu(map) ? cpu_value(map, e->value, bpf_env->cpu()) :
						       e->value;

			next = e->next;
			nr++;
			if (fn(e->key, value, arg))
				return nr;
		}
	}
	return nr;
}

/* --- from user space -------------------------------------------------------- */

static void copy_elem_out(struct bpf_map *map, const struct hash_elem *e, void *value)
{
	u32 cpu;

	if (!is_percpu(map)) {
		bpf_map_copy_out(map, value, e->value);
		return;
	}
	for (cpu = 0; cpu < bpf_env->nr_cpus; cpu++)
		bpf_map_copy_out(map, cpu_value(map, value, cpu), cpu_value(map, e->value, cpu));
}

static int hash_sys_lookup(struct bpf_map *map, const void *key, void *value, u64 flags)
{
	struct hash_elem *e = bpf_hash_find(to_hash(map), key);

	if (!e)
		return -ENOENT;
	copy_elem_out(map, e, value);
	return 0;
}

static int hash_sys_lookup_delete(struct bpf_map *map, const void *key, void *value, u64 flags)
{
	int err = hash_sys_lookup(map, key, value, flags);

	return err ?: (int)hash_delete(map, key);
}

static u32 bucket_length(const struct hash_map *h, u32 bucket)
{
	const struct hash_elem *e;
	u32 nr = 0;

	for (e = h->buckets[bucket]; e; e = e->next)
		nr++;
	return nr;
}

static int hash_sys_batch(struct bpf_map *map, u32 *cursor, void *keys, void *values, u32 *count,
			  u64 flags, bool delete)
{
	struct hash_map *h = to_hash(map);
	u32 room = *count, done = 0, value_size = hash_value_size(map);
	struct hash_elem *e, *next;

	*count = 0;
	if (*cursor >= h->nr_buckets)
		return -ENOENT;
	for (; *cursor < h->nr_buckets; ++*cursor) {
		if (bucket_length(h, *cursor) > room - done)
			return done ? 0 : -ENOSPC;
		for (e = h->buckets[*cursor]; e; e = next, done++) {
			next = e->next;
			memcpy((char *)keys + (size_t)done * map->key_size, e->key, map->key_size);
			copy_elem_out(map, e, (char *)values + (size_t)done * value_size);
			if (delete)
				delete_elem(h, e);
		}
		*count = done;
	}
	return -ENOENT;
}

#define HASH_OPS_COMMON                                                                            \
	.check = bpf_hash_check, .alloc = hash_alloc, .free = hash_free, .delete = hash_delete,    \
	.for_each = hash_for_each, .next_key = bpf_hash_next_key, .sys_lookup = hash_sys_lookup,   \
	.sys_lookup_delete = hash_sys_lookup_delete, .sys_batch = hash_sys_batch

const struct bpf_map_ops hash_map_ops = {
	HASH_OPS_COMMON,
	.lookup = hash_lookup,
	.update = hash_update,
	.sys_update = hash_sys_update,
};

const struct bpf_map_ops percpu_hash_map_ops = {
	HASH_OPS_COMMON,
	.lookup = percpu_hash_lookup,
	.lookup_percpu = percpu_hash_lookup_cpu,
	.update = percpu_hash_update,
	.sys_update = percpu_hash_sys_update,
	.sys_value_size = hash_value_size,
};

const struct bpf_map_ops lru_hash_map_ops = {
	HASH_OPS_COMMON,
	.lookup = hash_lookup,
	.update = hash_update,
	.sys_update = hash_sys_update,
};

const struct bpf_map_ops lru_percpu_hash_map_ops = {
	HASH_OPS_COMMON,
	.lookup = percpu_hash_lookup,
	.lookup_percpu = percpu_hash_lookup_cpu,
	.update = percpu_hash_update,
	.sys_update = percpu_hash_sys_update,
	.sys_value_size = hash_value_size,
};
