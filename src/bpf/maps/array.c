// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays. With BPF_F_MMAPABLE the storage is the descriptor's memfd, mapped at
 * a reserved place of the kernel heap: user space that maps the descriptor and
 * programs see the same memory.
 */
#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include "../btf/btf.h"
#include "map_impl.h"

struct array_map {
	struct bpf_map map;
	u32 elem_size;
	u64 size; /* of the storage; whole pages when mapped */
	char *data;
};

#define ARRAY_FLAGS (BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_ACCESS_MASK | BPF_F_INNER_MAP)

static struct array_map *to_array(struct bpf_map *map)
{
	return container_of(map, struct array_map, map);
}

static int array_check(const union bpf_attr *attr)
{
	if (!attr->max_entries || attr->key_size != sizeof(u32) || !attr->value_size ||
	    attr->map_flags & ~ARRAY_FLAGS || !bpf_map_access_ok(attr->map_flags))
		return -EINVAL;
	return attr->value_size > INT_MAX ? -E2BIG : 0;
}

static int map_storage(struct array_map *a)
{
	int err;

	a->size = ALIGN_UP(a->size, MAP_PAGE_SIZE);
	err = bpf_obj_make_memfd(&a->map.obj, a->size);
	if (err)
		return err;
	a->data = kheap_reserve(&bpf_value_type, a->size);
	if (!a->data)
		return -ENOMEM;
	if (mmap(a->data, a->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 a->map.obj.memfd, 0) == MAP_FAILED)
		return -ENOMEM;
	return 0;
}

static struct bpf_map *array_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(&array_map_ops, attr, sizeof(struct array_map));
	struct array_map *a;

	*err = -ENOMEM;
	if (!map)
		return NULL;
	a = to_array(map);
	a->elem_size = bpf_round_value(map->value_size);
	a->size = (u64)a->elem_size * map->max_entries;
	if (a->size <= MAP_MAX_BYTES) {
		if (map->flags & BPF_F_MMAPABLE)
			*err = map_storage(a);
		else if ((a->data = kheap_alloc(&bpf_value_type, a->size)))
			*err = 0;
	}
	if (*err) {
		bpf_map_put(map);
		return NULL;
	}
	return map;
}

static void array_free(struct bpf_map *map)
{
	struct array_map *a = to_array(map);
	u32 i;

	for (i = 0; a->data && map->record && i < map->max_entries; i++)
		bpf_map_free_fields(map, a->data + (u64)i * a->elem_size);
	if (a->data && map->flags & BPF_F_MMAPABLE)
		kheap_release(a->data);
	else
		kheap_free(a->data);
}

static void *array_lookup(struct bpf_map *map, const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (index >= map->max_entries)
		return NULL;
	return to_array(map)->data + (u64)index * to_array(map)->elem_size;
}

static long update(struct bpf_map *map, const void *key, const void *value, u64 flags, bool lock)
{
	void *dst = array_lookup(map, key);
	int err;

	if ((flags & ~(u64)BPF_F_LOCK) > BPF_EXIST)
		return -EINVAL;
	if (!dst)
		return -E2BIG;
	err = bpf_map_check_update(map, true, flags);
	if (err)
		return err;
	if (flags & BPF_F_LOCK && lock)
		bpf_map_copy_locked(map, dst, value);
	else
		bpf_map_copy_value(map, dst, value);
	bpf_map_free_fields(map, dst);
	return 0;
}

static long array_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	return update(map, key, value, flags, true);
}

/* User space acts between two moments of the machine: there is nobody to lock out. */
static int array_sys_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	return (int)update(map, key, value, flags, false);
}

static long array_delete(struct bpf_map *map, const void *key)
{
	return -EINVAL;
}

/* Shared by all maps whose keys are 0 .. max_entries - 1. */
int bpf_array_next_key(struct bpf_map *map, const void *key, void *next)
{
	u32 index = UINT_MAX;

	if (key)
		memcpy(&index, key, sizeof(index));
	if (index < map->max_entries && index == map->max_entries - 1)
		return -ENOENT;
	index = index < map->max_entries ? index + 1 : 0;
	memcpy(next, &index, sizeof(index));
	return 0;
}

long bpf_array_for_each(struct bpf_map *map, int (*fn)(void *key, void *value, void *arg),
			void *arg)
{
	u32 *key = kheap_alloc(&bpf_key_type, sizeof(*key));
	u32 i, nr = 0;

	if (!key)
		return -ENOMEM;
	for (i = 0; i < map->max_entries; i++) {
		void *value;

		*key = i;
		value = map->ops->lookup(map, key);
		nr++;
		if (fn(key, value, arg))
			break;
	}
	kheap_free(key);
	return nr;
}

/* Keys are unsigned ints; a data section has none and is a single element. */
int bpf_array_check_btf(const struct bpf_map *map, const struct btf *btf, u32 key_id, u32 value_id)
{
	const struct btf_type *key = btf_type_skip_modifiers(btf, key_id, NULL);
	const struct btf_type *value = btf_type_skip_modifiers(btf, value_id, NULL);
	u32 data;

	if (!key_id)
		return map->type == BPF_MAP_TYPE_ARRAY && map->max_entries == 1 &&
				       BTF_INFO_KIND(value->info) == BTF_KIND_DATASEC ?
			       0 :
			       -EINVAL;
	if (BTF_INFO_KIND(key->info) != BTF_KIND_INT)
		return -EINVAL;
	data = *(const u32 *)(key + 1);
	return BTF_INT_BITS(data) == 32 && !BTF_INT_OFFSET(data) ? 0 : -EINVAL;
}

static void *array_mmap_range(struct bpf_map *map, u64 *size)
{
	if (!(map->flags & BPF_F_MMAPABLE))
		return NULL;
	*size = to_array(map)->size;
	return to_array(map)->data;
}

static void array_layout(const struct bpf_map *map, struct bpf_array_layout *layout)
{
	const struct array_map *a = container_of(map, struct array_map, map);

	*layout = (struct bpf_array_layout){ .base = a->data,
					     .elem_size = a->elem_size,
					     .max_entries = map->max_entries };
}

const struct bpf_map_ops array_map_ops = {
	.check = array_check,
	.alloc = array_alloc,
	.free = array_free,
	.lookup = array_lookup,
	.update = array_update,
	.delete = array_delete,
	.for_each = bpf_array_for_each,
	.next_key = bpf_array_next_key,
	.sys_update = array_sys_update,
	.check_btf = bpf_array_check_btf,
	.array_layout = array_layout,
	.mmap_range = array_mmap_range,
};
