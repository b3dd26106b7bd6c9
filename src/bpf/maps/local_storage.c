// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local storage of tasks and cgroups. Every value is on two lists, its owner's
 * and its map's, and dies with whichever goes first.
 *
 * User space names owners by descriptors (pidfd, cgroup), of which the
 * simulated machine has none: it gets -EBADF.
 */
#include "local_storage.h"

#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "map_impl.h"

/* Linux's: what fits in a u16 beside its own header. */
#define MAX_VALUE_SIZE (65535U - 64U)

struct storage_map {
	struct bpf_map map;
	struct list_head elems;
};

/* What an anchor points at while its owner has any storage. */
struct owner {
	void **anchor;
	struct list_head elems;
};

struct elem {
	struct list_head of_owner, of_map;
	struct owner *owner;
	struct storage_map *sm;
	void *value; /* in the kernel heap */
};

static struct storage_map *to_storage(struct bpf_map *map)
{
	return container_of(map, struct storage_map, map);
}

static int storage_check(const union bpf_attr *attr)
{
	if (attr->map_flags & ~(BPF_F_NO_PREALLOC | BPF_F_CLONE) ||
	    !(attr->map_flags & BPF_F_NO_PREALLOC) || attr->max_entries ||
	    attr->key_size != sizeof(int) || !attr->value_size || !attr->btf_key_type_id ||
	    !attr->btf_value_type_id)
		return -EINVAL;
	return attr->value_size > MAX_VALUE_SIZE ? -E2BIG : 0;
}

static struct bpf_map *storage_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(&local_storage_map_ops, attr, sizeof(struct storage_map));

	*err = map ? 0 : -ENOMEM;
	if (map)
		INIT_LIST_HEAD(&to_storage(map)->elems);
	return map;
}

static struct elem *find(struct bpf_map *map, void **anchor)
{
	struct owner *owner = *anchor;
	struct elem *e;

	if (!owner)
		return NULL;
	list_for_each_entry(e, &owner->elems, of_owner)
		if (e->sm == to_storage(map))
			return e;
	return NULL;
}

static void delete_elem(struct elem *e)
{
	struct owner *owner = e->owner;

	list_del_init(&e->of_owner);
	list_del_init(&e->of_map);
	if (list_empty(&owner->elems)) {
		*owner->anchor = NULL;
		free(owner);
	}
	/* last: what the value holds may be what keeps the owner alive */
	bpf_map_retire_value(&e->sm->map, e->value);
	free(e);
}

static void storage_free(struct bpf_map *map)
{
	struct storage_map *sm = to_storage(map);

	while (!list_empty(&sm->elems))
		delete_elem(list_first_entry(&sm->elems, struct elem, of_map));
}

static struct owner *owner_of(void **anchor)
{
	struct owner *owner = *anchor;

	if (!owner) {
		owner = xcalloc(1, sizeof(*owner));
		owner->anchor = anchor;
		INIT_LIST_HEAD(&owner->elems);
		*anchor = owner;
	}
	return owner;
}

void *bpf_local_storage_get(struct bpf_map *map, void **anchor, const void *init, u64 flags)
{
	struct elem *e;
	void *value;

	if (flags & ~(u64)BPF_LOCAL_STORAGE_GET_F_CREATE)
		return NULL;
	e = find(map, anchor);
	if (e)
		return e->value;
	if (!(flags & BPF_LOCAL_STORAGE_GET_F_CREATE))
		return NULL;
	value = kheap_alloc(&bpf_value_type, map->value_size);
	if (!value)
		return NULL;
	if (init)
		bpf_map_copy_value(map, value, init);
	e = xcalloc(1, sizeof(*e));
	e->owner = owner_of(anchor);
	e->sm = to_storage(map);
	e->value = value;
	list_add(&e->of_owner, &e->owner->elems);
	list_add_tail(&e->of_map, &e->sm->elems);
	return value;
}

long bpf_local_storage_delete(struct bpf_map *map, void **anchor)
{
	struct elem *e = find(map, anchor);

	if (!e)
		return -ENOENT;
	delete_elem(e);
	return 0;
}

void bpf_local_storage_free_owner(void **anchor)
{
	struct owner *owner;

	while ((owner = *anchor))
		delete_elem(list_first_entry(&owner->elems, struct elem, of_owner));
}

void bpf_task_storage_free(void **anchor)
{
	bpf_local_storage_free_owner(anchor);
}

void bpf_cgroup_storage_free(void **anchor)
{
	bpf_local_storage_free_owner(anchor);
}

static int storage_sys_lookup(struct bpf_map *map, const void *key, void *value, u64 flags)
{
	return -EBADF;
}

static int storage_sys_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	return flags > BPF_EXIST ? -EINVAL : -EBADF;
}

static int storage_sys_delete(struct bpf_map *map, const void *key)
{
	return -EBADF;
}

static int storage_check_btf(const struct bpf_map *map, const struct btf *btf, u32 key_id,
			     u32 value_id)
{
	return key_id ? bpf_array_check_btf(map, btf, key_id, value_id) : -EINVAL;
}

const struct bpf_map_ops local_storage_map_ops = {
	.check = storage_check,
	.alloc = storage_alloc,
	.free = storage_free,
	.sys_lookup = storage_sys_lookup,
	.sys_update = storage_sys_update,
	.sys_delete = storage_sys_delete,
	.check_btf = storage_check_btf,
};
