// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps in maps: the template that all inner maps of an outer map follow, and
 * hash tables of maps. Arrays of maps are in fd_array.c.
 */
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../btf/btf.h"
#include "hash.h"

struct bpf_map *bpf_map_meta_alloc(int inner_fd, int *err)
{
	struct bpf_map *inner = bpf_map_from_fd(inner_fd), *meta;

	if (!inner) {
		*err = bpf_fd_error(inner_fd);
		return NULL;
	}
	*err = 0;
	if (inner->inner_meta)
		*err = -EINVAL; /* one level only */
	else if (inner->type == BPF_MAP_TYPE_PROG_ARRAY || inner->type == BPF_MAP_TYPE_STRUCT_OPS)
		*err = -ENOTSUPP;
	if (*err) {
		bpf_map_put(inner);
		return NULL;
	}
	meta = xcalloc(1, sizeof(*meta));
	meta->ops = inner->ops;
	meta->type = inner->type;
	meta->key_size = inner->key_size;
	meta->value_size = inner->value_size;
	meta->max_entries = inner->max_entries;
	meta->flags = inner->flags;
	meta->rdonly_prog = inner->rdonly_prog;
	meta->wronly_prog = inner->wronly_prog;
	meta->btf = inner->btf;
	if (meta->btf)
		btf_get(meta->btf);
	meta->record = btf_record_copy(inner->record);
	bpf_map_put(inner);
	return meta;
}

void bpf_map_meta_free(struct bpf_map *meta)
{
	if (!meta)
		return;
	btf_record_free(meta->record);
	btf_put(meta->btf);
	free(meta);
}

bool bpf_map_fits(const struct bpf_map *meta, const struct bpf_map *inner)
{
	if (meta->type != inner->type || meta->key_size != inner->key_size ||
	    meta->value_size != inner->value_size || meta->flags != inner->flags ||
	    !btf_record_equal(meta->record, inner->record))
		return false;
	/* programs index arrays with bounds known from the template */
	if (meta->type == BPF_MAP_TYPE_ARRAY && !(meta->flags & BPF_F_INNER_MAP))
		return meta->max_entries == inner->max_entries;
	return true;
}

struct bpf_map *bpf_map_inner_from_fd(const struct bpf_map *outer, int fd, int *err)
{
	struct bpf_map *inner = bpf_map_from_fd(fd);

	*err = 0;
	if (!inner)
		*err = bpf_fd_error(fd);
	else if (!bpf_map_fits(outer->inner_meta, inner))
		*err = -EINVAL;
	if (!*err)
		return inner;
	bpf_map_put(inner);
	return NULL;
}

static void put_map(void *map)
{
	bpf_map_put(map);
}

void bpf_map_retire_inner(struct bpf_map *inner)
{
	bpf_rcu_defer(put_map, inner);
}

/* --- hash of maps ---------------------------------------------------------- */

static int hash_of_maps_check(const union bpf_attr *attr)
{
	return attr->value_size == sizeof(u32) ? bpf_hash_check(attr) : -EINVAL;
}

static struct bpf_map *hash_of_maps_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *meta = bpf_map_meta_alloc((int)attr->inner_map_fd, err), *map;

	if (!meta)
		return NULL;
	map = bpf_hash_alloc(&hash_of_maps_ops, attr, sizeof(struct bpf_map *), false, err);
	if (map)
		map->inner_meta = meta;
	else
		bpf_map_meta_free(meta);
	return map;
}

/* An element's value is the pointer to the inner map. */
static struct bpf_map **inner_of(struct hash_map *h, struct hash_elem *e)
{
	return bpf_hash_value(h, e);
}

static void delete_elem(struct hash_map *h, struct hash_elem *e)
{
	bpf_map_retire_inner(*inner_of(h, e));
	bpf_hash_remove(h, e);
}

static void hash_of_maps_free(struct bpf_map *map)
{
	struct hash_map *h = to_hash(map);
	struct hash_walk walk = { 0 };
	struct hash_elem *e;

	while ((e = bpf_hash_next(h, &walk)))
		delete_elem(h, e);
	bpf_hash_free_table(h);
}

static void *hash_of_maps_lookup(struct bpf_map *map, const void *key)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *e = bpf_hash_find(h, key);

	return e ? *inner_of(h, e) : NULL;
}

static int hash_of_maps_sys_lookup(struct bpf_map *map, const void *key, void *value, u64 flags)
{
	struct bpf_map *inner = hash_of_maps_lookup(map, key);

	if (!inner)
		return -ENOENT;
	memcpy(value, &inner->obj.id, sizeof(u32));
	return 0;
}

static int hash_of_maps_sys_update(struct bpf_map *map, const void *key, const void *value,
				   u64 flags)
{
	struct hash_map *h = to_hash(map);
	struct hash_pos pos;
	struct hash_elem *e = bpf_hash_find_pos(h, key, &pos);
	struct bpf_map *inner, *old = e ? *inner_of(h, e) : NULL;
	int fd, err;

	memcpy(&fd, value, sizeof(fd));
	inner = bpf_map_inner_from_fd(map, fd, &err);
	if (!inner)
		return err;
	err = bpf_map_check_update(map, e, flags);
	if (!err && !e) {
		if (h->count >= map->max_entries)
			err = -E2BIG;
		else if (!(e = bpf_hash_insert(h, key, &pos)))
			err = -ENOMEM;
	}
	if (err) {
		bpf_map_put(inner);
		return err;
	}
	if (old)
		bpf_map_retire_inner(old);
	*inner_of(h, e) = inner;
	return 0;
}

static int hash_of_maps_sys_delete(struct bpf_map *map, const void *key)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *e = bpf_hash_find(h, key);

	if (!e)
		return -ENOENT;
	delete_elem(h, e);
	return 0;
}

const struct bpf_map_ops hash_of_maps_ops = {
	.check = hash_of_maps_check,
	.alloc = hash_of_maps_alloc,
	.free = hash_of_maps_free,
	.lookup = hash_of_maps_lookup,
	.next_key = bpf_hash_next_key,
	.sys_lookup = hash_of_maps_sys_lookup,
	.sys_update = hash_of_maps_sys_update,
	.sys_delete = hash_of_maps_sys_delete,
};
