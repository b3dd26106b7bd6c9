// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF_MAP_CREATE: the table of map types, the checks that all of them share,
 * and what BTF says about key and value.
 */
#include "../btf/btf.h"
#include "map_impl.h"

#define MAX_NUMA_NODES 1024

static const struct map_kind {
	const char *name;
	const struct bpf_map_ops *ops;
} kinds[] = {
	[BPF_MAP_TYPE_HASH] = { "hash", &hash_map_ops },
	[BPF_MAP_TYPE_ARRAY] = { "array", &array_map_ops },
	[BPF_MAP_TYPE_PROG_ARRAY] = { "prog_array", &prog_array_map_ops },
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = { "perf_event_array", &perf_event_array_map_ops },
	[BPF_MAP_TYPE_PERCPU_HASH] = { "percpu_hash", &percpu_hash_map_ops },
	[BPF_MAP_TYPE_PERCPU_ARRAY] = { "percpu_array", &percpu_array_map_ops },
	[BPF_MAP_TYPE_STACK_TRACE] = { "stack_trace", NULL },
	[BPF_MAP_TYPE_CGROUP_ARRAY] = { "cgroup_array", NULL },
	[BPF_MAP_TYPE_LRU_HASH] = { "lru_hash", &lru_hash_map_ops },
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = { "lru_percpu_hash", &lru_percpu_hash_map_ops },
	[BPF_MAP_TYPE_LPM_TRIE] = { "lpm_trie", &lpm_trie_map_ops },
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = { "array_of_maps", &array_of_maps_ops },
	[BPF_MAP_TYPE_HASH_OF_MAPS] = { "hash_of_maps", &hash_of_maps_ops },
	[BPF_MAP_TYPE_DEVMAP] = { "devmap", NULL },
	[BPF_MAP_TYPE_SOCKMAP] = { "sockmap", &sock_map_ops },
	[BPF_MAP_TYPE_CPUMAP] = { "cpumap", NULL },
	[BPF_MAP_TYPE_XSKMAP] = { "xskmap", &sock_map_ops },
	[BPF_MAP_TYPE_SOCKHASH] = { "sockhash", &sock_map_ops },
	[BPF_MAP_TYPE_CGROUP_STORAGE] = { "cgroup_storage", &cgroup_storage_map_ops },
	[BPF_MAP_TYPE_REUSEPORT_SOCKARRAY] = { "reuseport_sockarray", &sock_map_ops },
	[BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE] = { "percpu_cgroup_storage", &cgroup_storage_map_ops },
	[BPF_MAP_TYPE_QUEUE] = { "queue", &queue_map_ops },
	[BPF_MAP_TYPE_STACK] = { "stack", &stack_map_ops },
	[BPF_MAP_TYPE_SK_STORAGE] = { "sk_storage", &sk_storage_map_ops },
	[BPF_MAP_TYPE_DEVMAP_HASH] = { "devmap_hash", NULL },
	[BPF_MAP_TYPE_STRUCT_OPS] = { "struct_ops", &struct_ops_map_ops },
	[BPF_MAP_TYPE_RINGBUF] = { "ringbuf", &ringbuf_map_ops },
	[BPF_MAP_TYPE_INODE_STORAGE] = { "inode_storage", NULL },
	[BPF_MAP_TYPE_TASK_STORAGE] = { "task_storage", &local_storage_map_ops },
	[BPF_MAP_TYPE_BLOOM_FILTER] = { "bloom_filter", &bloom_filter_map_ops },
	[BPF_MAP_TYPE_USER_RINGBUF] = { "user_ringbuf", &user_ringbuf_map_ops },
	[BPF_MAP_TYPE_CGRP_STORAGE] = { "cgrp_storage", &local_storage_map_ops },
	[BPF_MAP_TYPE_ARENA] = { "arena", &arena_map_ops },
};

const struct bpf_map_ops *bpf_map_ops_of(enum bpf_map_type type)
{
	return type < ARRAY_SIZE(kinds) ? kinds[type].ops : NULL;
}

const char *bpf_map_type_name(enum bpf_map_type type)
{
	return type < ARRAY_SIZE(kinds) && kinds[type].name ? kinds[type].name : "unknown";
}

/* --- special fields ------------------------------------------------------- */

#define TYPE(t) (1ULL << BPF_MAP_TYPE_##t)
#define STORAGES (TYPE(TASK_STORAGE) | TYPE(CGRP_STORAGE) | TYPE(SK_STORAGE))
#define IN_PLACE (TYPE(HASH) | TYPE(LRU_HASH) | TYPE(ARRAY))
#define PERCPUS (TYPE(PERCPU_HASH) | TYPE(LRU_PERCPU_HASH) | TYPE(PERCPU_ARRAY))

/* Which map types may have which fields in their values. */
static const struct {
	u32 fields;
	u64 map_types;
} allowed[] = {
	{ BPF_SPIN_LOCK, TYPE(HASH) | TYPE(ARRAY) | STORAGES },
	{ BPF_TIMER | BPF_WORKQUEUE, IN_PLACE },
	{ BPF_KPTR_UNREF | BPF_KPTR_REF | BPF_KPTR_PERCPU | BPF_REFCOUNT,
	  IN_PLACE | PERCPUS | STORAGES },
	{ BPF_LIST_HEAD | BPF_RB_ROOT, IN_PLACE },
};

static int check_fields(const struct bpf_map *map)
{
	u32 i;

	if (!map->record)
		return 0;
	if (map->flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG))
		return -EACCES;
	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		if (map->record->field_mask & allowed[i].fields &&
		    !(allowed[i].map_types & 1ULL << map->type))
			return -EOPNOTSUPP;
	return 0;
}

static int check_btf(struct bpf_map *map, struct btf *btf, u32 key_id, u32 value_id)
{
	u32 mask = 0, i;
	int err;

	if (key_id ? btf_type_size(btf, key_id) != map->key_size || !map->key_size :
		     !map->ops->check_btf)
		return -EINVAL;
	if (btf_type_size(btf, value_id) != map->value_size || !map->value_size)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		mask |= allowed[i].fields;
	map->record = btf_parse_record_mask(btf, value_id, mask, &err);
	err = err ?: check_fields(map);
	if (!err && map->ops->check_btf)
		err = map->ops->check_btf(map, btf, key_id, value_id);
	return err;
}

static int attach_btf(struct bpf_map *map, const union bpf_attr *attr)
{
	struct bpf_obj *obj;

	if (!attr->btf_key_type_id && !attr->btf_value_type_id && !attr->btf_vmlinux_value_type_id)
		return 0;
	obj = bpf_obj_from_fd((int)attr->btf_fd, BPF_OBJ_BTF);
	if (!obj)
		return bpf_fd_error((int)attr->btf_fd);
	map->btf = container_of(obj, struct btf, obj);
	if (map->btf->kernel)
		return -EACCES;
	map->btf_key_type_id = attr->btf_key_type_id;
	map->btf_value_type_id = attr->btf_value_type_id;
	map->btf_vmlinux_value_type_id = attr->btf_vmlinux_value_type_id;
	if (!attr->btf_value_type_id)
		return 0;
	return check_btf(map, map->btf, attr->btf_key_type_id, attr->btf_value_type_id);
}

/* --- creation ------------------------------------------------------------- */

static int check_attr(const union bpf_attr *attr)
{
	if (attr->btf_vmlinux_value_type_id) {
		if (attr->map_type != BPF_MAP_TYPE_STRUCT_OPS || attr->btf_key_type_id ||
		    attr->btf_value_type_id)
			return -EINVAL;
	} else if (attr->btf_key_type_id && !attr->btf_value_type_id) {
		return -EINVAL;
	}
	if (attr->map_type != BPF_MAP_TYPE_BLOOM_FILTER && attr->map_type != BPF_MAP_TYPE_ARENA &&
	    attr->map_extra)
		return -EINVAL;
	if (attr->map_flags & BPF_F_RDONLY && attr->map_flags & BPF_F_WRONLY)
		return -EINVAL;
	if (bpf_attr_has_numa_node(attr) && attr->numa_node >= MAX_NUMA_NODES)
		return -EINVAL;
	if (attr->map_flags & BPF_F_TOKEN_FD) /* there are no tokens here */
		return -EBADF;
	return attr->map_ifindex ? -EINVAL : 0; /* nor devices to offload to */
}

static bool is_percpu(enum bpf_map_type type)
{
	return type < 64 && PERCPUS & 1ULL << type;
}

int sys_map_create(const union bpf_attr *attr)
{
	const struct bpf_map_ops *ops = bpf_map_ops_of(attr->map_type);
	struct bpf_map *map;
	int err = check_attr(attr), fd;

	if (!err && !ops)
		err = -EINVAL;
	if (!err)
		err = ops->check(attr);
	if (err)
		return err;
	map = ops->alloc(attr, &err);
	if (!map) {
		/* what it may hold is there from the beginning */
		if (err == -ENOMEM)
			bpf_refuse("its entries%s take more than the %lu GiB that a map may have, or than "
				   "is left; make max_entries smaller",
				   is_percpu(attr->map_type) ? ", for every CPU," : "",
				   MAP_MAX_BYTES >> 30);
		return err;
	}
	err = bpf_obj_name_copy(map->name, attr->map_name) ?: attach_btf(map, attr);
	if (err) {
		bpf_map_put(map);
		return err;
	}
	fd = bpf_obj_new_fd(&map->obj);
	if (fd < 0)
		bpf_map_put(map);
	return fd;
}
