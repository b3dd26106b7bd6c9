// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hash maps: plain, per CPU, and both with eviction of the least recently used.
 *
 * An update puts a new element in the place of an existing one, as in Linux: who
 * holds the old one's value keeps seeing it, and its special fields are freed.
 * Only BPF_F_LOCK, and maps with values per CPU, write in place.
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

static u32 hash_value_size(const struct bpf_map *map)
{
	return is_percpu(map) ? bpf_round_value(map->value_size) * bpf_env->nr_cpus :
				map->value_size;
}

static void *cpu_value(const struct bpf_map *map, void *values, u32 cpu)
{
	return (char *)values + (size_t)cpu * bpf_round_value(map->value_size);
}

/* What the special fields of an element hold goes before the element does. */
static void free_fields(struct hash_map *h, struct hash_elem *e)
{
	const struct bpf_map *map = &h->map;
	u32 cpu;

	if (!map->record)
		return;
	if (!is_percpu(map))
		bpf_map_free_fields(map, bpf_hash_value(h, e));
	for (cpu = 0; is_percpu(map) && cpu < bpf_env->nr_cpus; cpu++)
		bpf_map_free_fields(map, cpu_value(map, bpf_hash_value(h, e), cpu));
}

static void delete_elem(struct hash_map *h, struct hash_elem *e)
{
	free_fields(h, e);
	bpf_hash_remove(h, e);
}

static struct bpf_map *hash_alloc(const union bpf_attr *attr, int *err)
{
	bool percpu = attr->map_type == BPF_MAP_TYPE_PERCPU_HASH ||
		      attr->map_type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	u64 size = bpf_round_value(attr->value_size);

	return bpf_hash_alloc(bpf_map_ops_of(attr->map_type), attr,
			      percpu ? size * bpf_env->nr_cpus : size, percpu, err);
}

static void hash_free(struct bpf_map *map)
{
	struct hash_map *h = to_hash(map);
	struct hash_walk walk = { 0 };
	struct hash_elem *e;

	while ((e = bpf_hash_next(h, &walk)))
		delete_elem(h, e);
	bpf_hash_free_table(h);
}

/* --- LRU ------------------------------------------------------------------ */

static void lru_add(struct hash_map *h, struct hash_elem *e)
{
	struct hash_elem *head = h->lru, *first = bpf_pool_elem(head->lru_next);

	e->lru_prev = bpf_pool_ref(head);
	e->lru_next = head->lru_next;
	first->lru_prev = head->lru_next = bpf_pool_ref(e);
}

static void lru_to_front(struct hash_map *h, struct hash_elem *e)
{
	struct hash_elem *prev = bpf_pool_elem(e->lru_prev), *next = bpf_pool_elem(e->lru_next);

	prev->lru_next = e->lru_next;
	next->lru_prev = e->lru_prev;
	lru_add(h, e);
}

/* Ends, and is short in the long run: every round clears a flag that a lookup has set. */
static void evict_one(struct hash_map *h)
{
	struct hash_elem *e;

	for (;;) {
		e = bpf_pool_elem(h->lru->lru_prev);
		if (!e->referenced)
			break;
		e->referenced = false;
		lru_to_front(h, e);
	}
	delete_elem(h, e);
}

/* Written only if it changes: a lookup that only reads leaves the cache line clean. */
static void lru_use(struct hash_map *h, struct hash_elem *e)
{
	if (h->lru && !e->referenced)
		e->referenced = true;
}

/* --- elements ------------------------------------------------------------- */

/* An element for a key that is not there; its value is the caller's to fill in. NULL with *err. */
static struct hash_elem *new_elem(struct hash_map *h, const void *key, const struct hash_pos *pos,
				  int *err)
{
	struct hash_elem *e;

	if (h->count >= h->map.max_entries) {
		*err = -E2BIG;
		if (!h->lru)
			return NULL;
		evict_one(h);
	}
	e = bpf_hash_insert(h, key, pos);
	*err = e ? 0 : -ENOMEM;
	if (e && h->lru)
		lru_add(h, e);
	return e;
}

/* In place of the old one, whose value stays as it is for those who hold it. */
static struct hash_elem *replace_elem(struct hash_map *h, struct hash_elem *old,
				      const struct hash_pos *pos, int *err)
{
	struct hash_elem *e = bpf_hash_replace(h, old, pos);

	*err = e ? 0 : -ENOMEM;
	if (!e)
		return NULL;
	free_fields(h, old);
	e->referenced = h->lru != NULL;
	return e;
}

static int update(struct bpf_map *map, const void *key, const void *src, u64 flags, bool lock)
{
	struct hash_map *h = to_hash(map);
	struct hash_pos pos;
	struct hash_elem *e = bpf_hash_find_pos(h, key, &pos);
	int err = flags ? bpf_map_check_update(map, e, flags) : 0;

	if (err)
		return err;
	if (e && flags & BPF_F_LOCK) {
		if (lock)
			return bpf_map_copy_locked(map, bpf_hash_value(h, e), src);
		bpf_map_copy_value(map, bpf_hash_value(h, e), src);
		return 0;
	}
	e = e ? replace_elem(h, e, &pos, &err) : new_elem(h, key, &pos, &err);
	if (!e)
		return err;
	if (map->record) /* special fields are not copied, but start as zero */
		memset(bpf_hash_value(h, e), 0, map->value_size);
	bpf_map_copy_value(map, bpf_hash_value(h, e), src);
	return 0;
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
	struct hash_pos pos;
	struct hash_elem *e = bpf_hash_find_pos(h, key, &pos);
	int err;

	if (flags > BPF_EXIST)
		return -EINVAL;
	err = bpf_map_check_update(map, e, flags);
	if (err)
		return err;
	if (e)
		lru_use(h, e);
	else
		e = new_elem(h, key, &pos, &err);
	*values = e ? bpf_hash_value(h, e) : NULL;
	return err;
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
	struct hash_map *h = to_hash(map);
	struct hash_elem *e = bpf_hash_find(h, key);

	return e ? bpf_hash_value(h, e) : NULL;
}

static void *lru_lookup(struct bpf_map *map, const void *key)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *e = bpf_hash_find(h, key);

	if (!e)
		return NULL;
	lru_use(h, e);
	return bpf_hash_value(h, e);
}

static void *percpu_hash_lookup_cpu(struct bpf_map *map, const void *key, u32 cpu)
{
	void *values;

	if (cpu >= bpf_env->nr_cpus)
		return NULL;
	values = lru_lookup(map, key);
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
	struct hash_walk walk = { 0 };
	struct hash_elem *e;
	long nr = 0;

	while ((e = bpf_hash_next(h, &walk))) {
		void *value = bpf_hash_value(h, e);

		if (is_percpu(map))
			value = cpu_value(map, value, bpf_env->cpu());
		nr++;
		if (fn(e->key, value, arg))
			break;
	}
	return nr;
}

static const void *hash_key_of(struct bpf_map *map, const void *value)
{
	struct hash_map *h = to_hash(map);
	const struct hash_elem *e = (const void *)((const char *)value - h->value_off);

	return bpf_hash_find(h, e->key) == e ? e->key : NULL;
}

/* --- from user space -------------------------------------------------------- */

static void copy_elem_out(struct bpf_map *map, struct hash_elem *e, void *value)
{
	void *src = bpf_hash_value(to_hash(map), e);
	u32 cpu;

	if (!is_percpu(map)) {
		bpf_map_copy_out(map, value, src);
		return;
	}
	for (cpu = 0; cpu < bpf_env->nr_cpus; cpu++)
		bpf_map_copy_out(map, cpu_value(map, value, cpu), cpu_value(map, src, cpu));
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

static struct hash_elem *after(const struct hash_elem *e)
{
	return e->next ? bpf_pool_elem(e->next) : NULL;
}

static u32 elements_at(const struct hash_map *h, u32 place)
{
	const struct hash_elem *e;
	u32 nr = 0;

	for (e = bpf_hash_at(h, place); e; e = after(e))
		nr++;
	return nr;
}

static int hash_sys_batch(struct bpf_map *map, u32 *cursor, void *keys, void *values, u32 *count,
			  u64 flags, bool delete)
{
	struct hash_map *h = to_hash(map);
	u32 room = *count, done = 0, value_size = hash_value_size(map), places = bpf_hash_places(h);
	struct hash_elem *e, *next;

	*count = 0;
	for (; *cursor < places; ++*cursor) {
		if (elements_at(h, *cursor) > room - done)
			return done ? 0 : -ENOSPC;
		for (e = bpf_hash_at(h, *cursor); e; e = next, done++) {
			next = after(e);
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
	.key_of = hash_key_of,
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
	.lookup = lru_lookup,
	.update = hash_update,
	.key_of = hash_key_of,
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
