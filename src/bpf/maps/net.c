// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps of sockets and of what belongs to them. There is no network: nothing can be
 * put into them, and nothing is found. Programs that use them can be verified.
 */
#include "map_impl.h"

#define MAX_KEY_SIZE 512 /* Linux's MAX_BPF_STACK */
#define NET_FLAGS (BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY)

/* Of descriptors, or what user space sees of sockets: ids and cookies. */
static bool is_handle(u32 size)
{
	return size == sizeof(u32) || size == sizeof(u64);
}

static int sock_check(const union bpf_attr *attr)
{
	bool hash = attr->map_type == BPF_MAP_TYPE_SOCKHASH;
	bool cookies = attr->map_type != BPF_MAP_TYPE_XSKMAP;

	if (!attr->max_entries || attr->map_flags & ~NET_FLAGS ||
	    (hash ? !attr->key_size : attr->key_size != sizeof(u32)) ||
	    (cookies ? !is_handle(attr->value_size) : attr->value_size != sizeof(u32)))
		return -EINVAL;
	return attr->key_size > MAX_KEY_SIZE ? -E2BIG : 0;
}

/* What programs attach to sockets: the storage has a BTF, and no entries of its own. */
static int sk_storage_check(const union bpf_attr *attr)
{
	if (attr->map_flags & ~(BPF_F_NO_PREALLOC | BPF_F_CLONE) ||
	    !(attr->map_flags & BPF_F_NO_PREALLOC) || attr->max_entries ||
	    attr->key_size != sizeof(u32) || !attr->value_size || !attr->btf_key_type_id ||
	    !attr->btf_value_type_id)
		return -EINVAL;
	return attr->value_size > KMALLOC_MAX_SIZE ? -E2BIG : 0;
}

/* One value per cgroup and program, which nobody attaches. */
static int cgroup_storage_check(const union bpf_attr *attr)
{
	if ((attr->key_size != sizeof(struct bpf_cgroup_storage_key) &&
	     attr->key_size != sizeof(u64)) ||
	    !attr->value_size || attr->max_entries ||
	    attr->map_flags & ~(BPF_F_NUMA_NODE | BPF_F_ACCESS_MASK) ||
	    !bpf_map_access_ok(attr->map_flags))
		return -EINVAL;
	return attr->value_size > MAP_PAGE_SIZE ? -E2BIG : 0;
}

static struct bpf_map *net_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map =
		bpf_map_new(bpf_map_ops_of(attr->map_type), attr, sizeof(struct bpf_map));

	*err = map ? 0 : -ENOMEM;
	return map;
}

static void net_free(struct bpf_map *map)
{
}

static void *find_nothing(struct bpf_map *map, const void *key)
{
	return NULL;
}

static int no_next_key(struct bpf_map *map, const void *key, void *next)
{
	return -ENOENT;
}

static long delete_nothing(struct bpf_map *map, const void *key)
{
	return -ENOENT;
}

/* No descriptor is one of a socket. */
static int sys_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	return -EBADF;
}

/* From a program: it has no socket to give. */
static long update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	return -EOPNOTSUPP;
}

#define NET_OPS(check_fn)                                                                          \
	{                                                                                          \
		.check = (check_fn), .alloc = net_alloc, .free = net_free, .lookup = find_nothing, \
		.update = update, .delete = delete_nothing, .next_key = no_next_key,               \
		.sys_update = sys_update                                                           \
	}

const struct bpf_map_ops sock_map_ops = NET_OPS(sock_check);
const struct bpf_map_ops sk_storage_map_ops = NET_OPS(sk_storage_check);
const struct bpf_map_ops cgroup_storage_map_ops = NET_OPS(cgroup_storage_check);
