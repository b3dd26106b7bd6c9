// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all maps share: their struct, copying of values around special fields,
 * and freeing of what is still in use.
 */
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../btf/btf.h"
#include "map_impl.h"

const struct kheap_type bpf_value_type = { .name = "[map value]", .writable = true };
const struct kheap_type bpf_key_type = { .name = "[map key]" };
/* Programs have pointers to maps but nothing to read there: one byte is the least. */
static const struct kheap_type map_type = { .name = "[map]", .visible = 1 };

static const struct bpf_field_ops *field_ops;

void bpf_set_field_ops(const struct bpf_field_ops *ops)
{
	field_ops = ops;
}

/* --- life ---------------------------------------------------------------- */

void bpf_map_get(struct bpf_map *map)
{
	bpf_obj_hold(&map->obj);
}

void bpf_map_put(struct bpf_map *map)
{
	if (map)
		bpf_obj_put(&map->obj);
}

static void map_release(struct bpf_obj *obj)
{
	struct bpf_map *map = container_of(obj, struct bpf_map, obj);

	map->ops->free(map);
	bpf_map_meta_free(map->inner_meta);
	btf_record_free(map->record);
	btf_put(map->btf);
	kheap_free(map);
}

struct bpf_map *bpf_map_new(const struct bpf_map_ops *ops, const union bpf_attr *attr, size_t size)
{
	struct bpf_map *map = kheap_alloc(&map_type, size);

	if (!map)
		return NULL;
	bpf_obj_init(&map->obj, BPF_OBJ_MAP, map_release);
	map->ops = ops;
	map->type = attr->map_type;
	map->key_size = attr->key_size;
	map->value_size = attr->value_size;
	map->max_entries = attr->max_entries;
	map->flags = attr->map_flags;
	map->extra = attr->map_extra;
	map->rdonly_prog = attr->map_flags & BPF_F_RDONLY_PROG;
	map->wronly_prog = attr->map_flags & BPF_F_WRONLY_PROG;
	return map;
}

/* --- values -------------------------------------------------------------- */

/* Copies what lies between special fields; these are zeroed if @zero, else left alone. */
static void copy_around(const struct bpf_map *map, void *dst, const void *src, bool zero)
{
	const struct btf_record *rec = map->record;
	u32 pos = 0, i;

	for (i = 0; rec && i < rec->nr; i++) {
		const struct btf_field *f = &rec->fields[i];

		memcpy((char *)dst + pos, (const char *)src + pos, f->offset - pos);
		if (zero)
			memset((char *)dst + f->offset, 0, f->size);
		pos = f->offset + f->size;
	}
	memcpy((char *)dst + pos, (const char *)src + pos, map->value_size - pos);
}

void bpf_map_copy_value(const struct bpf_map *map, void *dst, const void *src)
{
	copy_around(map, dst, src, false);
}

void bpf_map_copy_out(const struct bpf_map *map, void *dst, const void *src)
{
	copy_around(map, dst, src, true);
}

static const struct btf_field *lock_field(const struct bpf_map *map)
{
	const struct btf_record *rec = map->record;
	u32 i;

	for (i = 0; rec && i < rec->nr; i++)
		if (rec->fields[i].type == BPF_SPIN_LOCK)
			return &rec->fields[i];
	return NULL;
}

bool bpf_map_has_lock(const struct bpf_map *map)
{
	return lock_field(map) != NULL;
}

int bpf_map_copy_locked(const struct bpf_map *map, void *dst, const void *src)
{
	const struct btf_field *f = lock_field(map);
	u32 *lock;

	if (!f)
		return -EINVAL;
	lock = (u32 *)((char *)dst + f->offset);
	bpf_env->spin_lock(lock);
	bpf_map_copy_value(map, dst, src);
	bpf_env->spin_unlock(lock);
	return 0;
}

int bpf_map_check_update(const struct bpf_map *map, bool exists, u64 flags)
{
	if ((flags & ~(u64)BPF_F_LOCK) > BPF_EXIST)
		return -EINVAL;
	if (flags & BPF_F_LOCK && !bpf_map_has_lock(map))
		return -EINVAL;
	if (exists && (flags & ~(u64)BPF_F_LOCK) == BPF_NOEXIST)
		return -EEXIST;
	if (!exists && (flags & ~(u64)BPF_F_LOCK) == BPF_EXIST)
		return -ENOENT;
	return 0;
}

static void drop_kptr(const struct btf_field *f, void *obj)
{
	if (f->dtor)
		f->dtor(obj);
	else if (field_ops)
		field_ops->obj_drop(f, obj);
}

static void free_field(const struct btf_field *f, void *field)
{
	void *obj;

	switch (f->type) {
	case BPF_TIMER:
	case BPF_WORKQUEUE:
		if (field_ops)
			field_ops->timer_free(field);
		break;
	case BPF_KPTR_REF:
	case BPF_KPTR_PERCPU:
		memcpy(&obj, field, sizeof(obj));
		memset(field, 0, sizeof(obj));
		if (obj)
			drop_kptr(f, obj);
		break;
	case BPF_LIST_HEAD:
	case BPF_RB_ROOT:
		if (field_ops)
			field_ops->graph_free(f, field);
		break;
	default: /* locks, nodes and counts hold nothing */
		break;
	}
}

void bpf_map_free_fields(const struct bpf_map *map, void *value)
{
	const struct btf_record *rec = map->record;
	u32 i;

	for (i = 0; rec && i < rec->nr; i++) {
		const struct btf_field *f = &rec->fields[i];
		char *field = (char *)value + f->offset;

		if (f->type == BPF_SPIN_LOCK) /* whoever holds it gives it back */
			continue;
		free_field(f, field);
		memset(field, 0, f->size);
	}
}

void bpf_map_retire_value(const struct bpf_map *map, void *value)
{
	bpf_map_free_fields(map, value);
	bpf_rcu_free(value);
}

void bpf_map_retire_percpu(const struct bpf_map *map, void *values)
{
	u32 cpu;

	for (cpu = 0; map->record && cpu < bpf_env->nr_cpus; cpu++)
		bpf_map_free_fields(map, (char *)values + (size_t)cpu * bpf_round_value(map->value_size));
	bpf_rcu_free(values);
}

/* --- deferred freeing ----------------------------------------------------- */

struct deferred {
	void (*fn)(void *arg);
	void *arg;
};

#define KEPT_ROOM (64U << 10)

/* A ring of a power of two of them. */
static struct deferred *deferred;
static u32 deferred_room;
struct bpf_rcu bpf_rcu;

static void make_room(void)
{
	u32 room = max(2 * deferred_room, 64U);
	struct deferred *ring = xcalloc(room, sizeof(*ring));

	for (u64 i = bpf_rcu.first; i < bpf_rcu.epoch; i++)
		ring[i & (room - 1)] = deferred[i & (deferred_room - 1)];
	free(deferred);
	deferred = ring;
	deferred_room = room;
}

void bpf_rcu_defer(void (*fn)(void *arg), void *arg)
{
	if (unlikely(bpf_rcu.epoch - bpf_rcu.first == deferred_room))
		make_room();
	deferred[bpf_rcu.epoch++ & (deferred_room - 1)] = (struct deferred){ fn, arg };
}

void bpf_rcu_free(void *obj)
{
	bpf_rcu_defer(kheap_free, obj);
}

/* What is called may defer more, and may call here: in order, until nothing is left. */
void __bpf_rcu_reclaim(u64 until)
{
	static bool busy;

	if (busy)
		return;
	busy = true;
	while (bpf_rcu.first < bpf_rcu.epoch && bpf_rcu.first < until) {
		struct deferred d = deferred[bpf_rcu.first++ & (deferred_room - 1)];

		d.fn(d.arg);
	}
	busy = false;
	/* after the end of a large map; no program defers as much in every run */
	if (bpf_rcu.first == bpf_rcu.epoch && deferred_room > KEPT_ROOM) {
		free(deferred);
		deferred = NULL;
		deferred_room = 0;
	}
}
