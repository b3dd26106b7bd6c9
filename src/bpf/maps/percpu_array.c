// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-CPU arrays: one object in the kernel heap, in which every possible CPU has
 * an array that begins on a cache line of its own.
 */
#include <limits.h>
#include <string.h>

#include "map_impl.h"

#define CACHE_LINE 64UL

struct percpu_array {
	struct bpf_map map;
	u32 elem_size, nr_cpus;
	u64 stride; /* from CPU to CPU */
	char *data;
};

static struct percpu_array *to_array(struct bpf_map *map)
{
	return container_of(map, struct percpu_array, map);
}

static int percpu_array_check(const union bpf_attr *attr)
{
	if (!attr->max_entries || attr->key_size != sizeof(u32) || !attr->value_size ||
	    attr->map_flags & ~(BPF_F_NUMA_NODE | BPF_F_ACCESS_MASK) ||
	    !bpf_map_access_ok(attr->map_flags) || bpf_attr_has_numa_node(attr))
		return -EINVAL;
	if (attr->value_size > INT_MAX || bpf_round_value(attr->value_size) > PERCPU_MAX_SIZE)
		return -E2BIG;
	return 0;
}

static char *element(const struct percpu_array *a, u32 cpu, u32 index)
{
	return a->data + cpu * a->stride + (u64)index * a->elem_size;
}

static void percpu_array_free(struct bpf_map *map)
{
	struct percpu_array *a = to_array(map);
	u32 cpu, i;

	for (cpu = 0; a->data && map->record && cpu < a->nr_cpus; cpu++)
		for (i = 0; i < map->max_entries; i++)
			bpf_map_free_fields(map, element(a, cpu, i));
	kheap_free(a->data);
}

static struct bpf_map *percpu_array_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(&percpu_array_map_ops, attr, sizeof(struct percpu_array));
	struct percpu_array *a;

	*err = -ENOMEM;
	if (!map)
		return NULL;
	a = to_array(map);
	a->elem_size = bpf_round_value(map->value_size);
	a->nr_cpus = bpf_env->nr_cpus;
	a->stride = ALIGN_UP((u64)a->elem_size * map->max_entries, CACHE_LINE);
	if (a->stride <= MAP_MAX_BYTES / a->nr_cpus)
		a->data = kheap_alloc(&bpf_value_type, a->stride * a->nr_cpus);
	if (!a->data) {
		bpf_map_put(map);
		return NULL;
	}
	*err = 0;
	return map;
}

static void *percpu_array_lookup_cpu(struct bpf_map *map, const void *key, u32 cpu)
{
	struct percpu_array *a = to_array(map);
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (index >= map->max_entries || cpu >= a->nr_cpus)
		return NULL;
	return element(a, cpu, index);
}

static void *percpu_array_lookup(struct bpf_map *map, const void *key)
{
	return percpu_array_lookup_cpu(map, key, bpf_env->cpu());
}

static long check_update(struct bpf_map *map, const void *key, u64 flags)
{
	if (flags > BPF_EXIST)
		return -EINVAL;
	if (!percpu_array_lookup_cpu(map, key, 0))
		return -E2BIG;
	return flags == BPF_NOEXIST ? -EEXIST : 0;
}

static long percpu_array_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	long err = check_update(map, key, flags);
	void *dst;

	if (err)
		return err;
	dst = percpu_array_lookup(map, key);
	bpf_map_copy_value(map, dst, value);
	bpf_map_free_fields(map, dst);
	return 0;
}

static int percpu_array_sys_update(struct bpf_map *map, const void *key, const void *value,
				   u64 flags)
{
	struct percpu_array *a = to_array(map);
	long err = check_update(map, key, flags);
	u32 cpu;

	for (cpu = 0; !err && cpu < a->nr_cpus; cpu++) {
		void *dst = percpu_array_lookup_cpu(map, key, cpu);

		bpf_map_copy_value(map, dst, (const char *)value + (u64)cpu * a->elem_size);
		bpf_map_free_fields(map, dst);
	}
	return (int)err;
}

static int percpu_array_sys_lookup(struct bpf_map *map, const void *key, void *value, u64 flags)
{
	struct percpu_array *a = to_array(map);
	u32 cpu;

	for (cpu = 0; cpu < a->nr_cpus; cpu++) {
		void *src = percpu_array_lookup_cpu(map, key, cpu);

		if (!src)
			return -ENOENT;
		bpf_map_copy_out(map, (char *)value + (u64)cpu * a->elem_size, src);
	}
	return 0;
}

static u32 percpu_array_value_size(const struct bpf_map *map)
{
	return bpf_round_value(map->value_size) * bpf_env->nr_cpus;
}

static long percpu_array_delete(struct bpf_map *map, const void *key)
{
	return -EINVAL;
}

static void percpu_array_layout(const struct bpf_map *map, struct bpf_array_layout *layout)
{
	const struct percpu_array *a = container_of(map, struct percpu_array, map);

	*layout = (struct bpf_array_layout){ .base = a->data,
					     .elem_size = a->elem_size,
					     .max_entries = map->max_entries,
					     .percpu_stride = a->stride };
}

const struct bpf_map_ops percpu_array_map_ops = {
	.check = percpu_array_check,
	.alloc = percpu_array_alloc,
	.free = percpu_array_free,
	.lookup = percpu_array_lookup,
	.update = percpu_array_update,
	.delete = percpu_array_delete,
	.lookup_percpu = percpu_array_lookup_cpu,
	.for_each = bpf_array_for_each,
	.next_key = bpf_array_next_key,
	.sys_lookup = percpu_array_sys_lookup,
	.sys_update = percpu_array_sys_update,
	.sys_value_size = percpu_array_value_size,
	.check_btf = bpf_array_check_btf,
	.array_layout = percpu_array_layout,
};
