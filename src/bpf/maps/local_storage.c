// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local storage of tasks and cgroups. Every storage map has a small number, under
 * which an owner finds its value of that map. A value is on its map's list, too,
 * and dies with whichever goes first.
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
	u32 id; /* index into maps[] */
};

struct elem {
	struct list_head of_map;
	void **anchor; /* of its owner */
	struct storage_map *sm;
	void *value; /* in the kernel heap */
};

/* What an anchor points at while its owner has any storage. */
struct owner {
	u32 nr, nr_live; /* slots, and those that are in use */
	struct {
		void *value;
		struct elem *elem;
	} slots[]; /* by storage_map.id */
};

static struct storage_map **maps; /* NULL: the id is free */
static u32 nr_maps;

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

/* The lowest id that is free. */
static void take_id(struct storage_map *sm)
{
	while (sm->id < nr_maps && maps[sm->id])
		sm->id++;
	if (sm->id == nr_maps)
		maps = xreallocarray(maps, ++nr_maps, sizeof(struct storage_map *));
	maps[sm->id] = sm;
}

static struct bpf_map *storage_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(&local_storage_map_ops, attr, sizeof(struct storage_map));

	*err = map ? 0 : -ENOMEM;
	if (map) {
		INIT_LIST_HEAD(&to_storage(map)->elems);
		take_id(to_storage(map));
	}
	return map;
}

static inline void *find(struct bpf_map *map, void **anchor)
{
	const struct owner *owner = *anchor;
	u32 id = to_storage(map)->id;

	return owner && id < owner->nr ? owner->slots[id].value : NULL;
}

static void delete_elem(struct elem *e)
{
	struct owner *owner = *e->anchor;

	owner->slots[e->sm->id].value = NULL;
	owner->slots[e->sm->id].elem = NULL;
	if (!--owner->nr_live) {
		*e->anchor = NULL;
		free(owner);
	}
	list_del_init(&e->of_map);
	/* last: what the value holds may be what keeps the owner alive */
	bpf_map_retire_value(&e->sm->map, e->value);
	free(e);
}

static void storage_free(struct bpf_map *map)
{
	struct storage_map *sm = to_storage(map);

	while (!list_empty(&sm->elems))
		delete_elem(list_first_entry(&sm->elems, struct elem, of_map));
	maps[sm->id] = NULL;
}

/* The owner with a slot for @id. */
static struct owner *owner_with(void **anchor, u32 id)
{
	struct owner *owner = *anchor;
	u32 nr = owner ? owner->nr : 0;

	if (id < nr)
		return owner;
	owner = xreallocarray(owner, 1, sizeof(*owner) + (id + 1) * sizeof(owner->slots[0]));
	memset(&owner->slots[nr], 0, (id + 1 - nr) * sizeof(owner->slots[0]));
	if (!nr)
		owner->nr_live = 0;
	owner->nr = id + 1;
	*anchor = owner;
	return owner;
}

void *bpf_local_storage_get(struct bpf_map *map, void **anchor, const void *init, u64 flags)
{
	struct storage_map *sm = to_storage(map);
	struct owner *owner;
	struct elem *e;
	void *value;

	if (flags & ~(u64)BPF_LOCAL_STORAGE_GET_F_CREATE)
		return NULL;
	value = find(map, anchor);
	if (value || !(flags & BPF_LOCAL_STORAGE_GET_F_CREATE))
		return value;
	value = kheap_alloc(&bpf_value_type, map->value_size);
	if (!value)
		return NULL;
	if (init)
		bpf_map_copy_value(map, value, init);
	e = xcalloc(1, sizeof(*e));
	*e = (struct elem){ .anchor = anchor, .sm = sm, .value = value };
	owner = owner_with(anchor, sm->id);
	owner->slots[sm->id].value = value;
	owner->slots[sm->id].elem = e;
	owner->nr_live++;
	list_add_tail(&e->of_map, &sm->elems);
	return value;
}

long bpf_local_storage_delete(struct bpf_map *map, void **anchor)
{
	struct owner *owner = *anchor;

	if (!find(map, anchor))
		return -ENOENT;
	delete_elem(owner->slots[to_storage(map)->id].elem);
	return 0;
}

/* What goes may add more, or take some along. */
void bpf_local_storage_free_owner(void **anchor)
{
	struct owner *owner;

	while ((owner = *anchor)) {
		u32 id = 0;

		while (!owner->slots[id].elem)
			id++;
		delete_elem(owner->slots[id].elem);
	}
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
