// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of bpf(2) that read and write elements of maps. User space acts
 * between two moments of the machine, so there is nobody to lock out.
 */
#include "syscall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../maps/map_impl.h"

int bpf_map_may(const struct bpf_map *map, bool read, bool write)
{
	if (read && map->flags & BPF_F_WRONLY)
		return -EPERM;
	if (write && (map->flags & BPF_F_RDONLY || map->frozen))
		return -EPERM;
	return 0;
}

u32 bpf_map_sys_value_size(const struct bpf_map *map)
{
	return map->ops->sys_value_size ? map->ops->sys_value_size(map) : map->value_size;
}

int bpf_map_sys_lookup(struct bpf_map *map, const void *key, void *value, u64 flags)
{
	const void *src;

	if (map->ops->sys_lookup)
		return map->ops->sys_lookup(map, key, value, flags);
	if (map->ops->peek)
		return (int)map->ops->peek(map, value);
	if (!map->ops->lookup)
		return -ENOTSUPP;
	src = map->ops->lookup(map, key);
	if (!src)
		return -ENOENT;
	bpf_map_copy_out(map, value, src);
	return 0;
}

int bpf_map_sys_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	if (map->ops->sys_update)
		return map->ops->sys_update(map, key, value, flags);
	if (map->ops->push)
		return (int)map->ops->push(map, value, flags);
	return map->ops->update ? (int)map->ops->update(map, key, value, flags) : -ENOTSUPP;
}

int bpf_map_sys_delete(struct bpf_map *map, const void *key)
{
	if (map->ops->sys_delete)
		return map->ops->sys_delete(map, key);
	return map->ops->delete ? (int)map->ops->delete(map, key) : -ENOTSUPP;
}

/*
 * The map behind the descriptor, with a reference, if the command may be done
 * and the key is there if and only if the map has keys. NULL with *err.
 */
static struct bpf_map *map_for(const union bpf_attr *attr, bool read, bool write, int *err)
{
	struct bpf_map *map = bpf_map_from_fd((int)attr->map_fd);

	if (!map) {
		*err = bpf_fd_error((int)attr->map_fd);
		return NULL;
	}
	*err = bpf_map_may(map, read, write);
	if (!*err && !map->key_size && attr->key)
		*err = -EINVAL;
	if (!*err && map->key_size && !attr->key)
		*err = -EFAULT;
	if (!*err)
		return map;
	bpf_map_put(map);
	return NULL;
}

/* BPF_F_LOCK is for values that have a lock. */
static int check_lock_flag(const struct bpf_map *map, u64 flags)
{
	return flags & BPF_F_LOCK && !bpf_map_has_lock(map) ? -EINVAL : 0;
}

static int lookup_to_user(struct bpf_map *map, const union bpf_attr *attr, bool delete)
{
	const void *key = bpf_user_ptr(attr->key);
	void *uvalue = bpf_user_ptr(attr->value), *value;
	u32 size = bpf_map_sys_value_size(map);
	int err;

	if (!uvalue && size)
		return -EFAULT;
	if (map->type == BPF_MAP_TYPE_BLOOM_FILTER && !delete)
		return bpf_map_sys_lookup(map, key, uvalue, attr->flags);
	value = calloc(1, size ?: 1);
	if (!value)
		return -ENOMEM;
	if (!delete)
		err = bpf_map_sys_lookup(map, key, value, attr->flags);
	else if (map->ops->pop)
		err = (int)map->ops->pop(map, value);
	else if (map->ops->sys_lookup_delete)
		err = map->ops->sys_lookup_delete(map, key, value, attr->flags);
	else
		err = -ENOTSUPP;
	if (!err)
		memcpy(uvalue, value, size);
	free(value);
	return err;
}

int sys_map_lookup_elem(const union bpf_attr *attr)
{
	struct bpf_map *map;
	int err;

	if (attr->flags & ~(u64)BPF_F_LOCK)
		return -EINVAL;
	map = map_for(attr, true, false, &err);
	if (!map)
		return err;
	err = check_lock_flag(map, attr->flags) ?: lookup_to_user(map, attr, false);
	bpf_map_put(map);
	return err;
}

int sys_map_lookup_and_delete_elem(const union bpf_attr *attr)
{
	struct bpf_map *map;
	int err;

	if (attr->flags & ~(u64)BPF_F_LOCK)
		return -EINVAL;
	map = map_for(attr, true, true, &err);
	if (!map)
		return err;
	if (attr->flags && map->ops->pop)
		err = -EINVAL;
	else
		err = check_lock_flag(map, attr->flags) ?: lookup_to_user(map, attr, true);
	bpf_map_put(map);
	return err;
}

int sys_map_update_elem(const union bpf_attr *attr)
{
	struct bpf_map *map;
	int err;

	map = map_for(attr, false, true, &err);
	if (!map)
		return err;
	if (!attr->value && bpf_map_sys_value_size(map))
		err = -EFAULT;
	else
		err = check_lock_flag(map, attr->flags) ?:
			      bpf_map_sys_update(map, bpf_user_ptr(attr->key),
						 bpf_user_ptr(attr->value), attr->flags);
	bpf_map_put(map);
	return err;
}

int sys_map_delete_elem(const union bpf_attr *attr)
{
	struct bpf_map *map;
	int err;

	map = map_for(attr, false, true, &err);
	if (!map)
		return err;
	err = bpf_map_sys_delete(map, bpf_user_ptr(attr->key));
	bpf_map_put(map);
	return err;
}

int sys_map_get_next_key(const union bpf_attr *attr)
{
	struct bpf_map *map = bpf_map_from_fd((int)attr->map_fd);
	int err;

	if (!map)
		return bpf_fd_error((int)attr->map_fd);
	err = bpf_map_may(map, true, false);
	if (!err && attr->key && !map->key_size)
		err = -EINVAL;
	if (!err && !map->ops->next_key)
		err = -ENOTSUPP;
	if (!err && !attr->next_key)
		err = -EFAULT;
	if (!err)
		err = map->ops->next_key(map, bpf_user_ptr(attr->key),
					 bpf_user_ptr(attr->next_key));
	bpf_map_put(map);
	return err;
}

int sys_map_freeze(const union bpf_attr *attr)
{
	struct bpf_map *map = bpf_map_from_fd((int)attr->map_fd);
	int err = 0;

	if (!map)
		return bpf_fd_error((int)attr->map_fd);
	if (map->type == BPF_MAP_TYPE_STRUCT_OPS || map->record)
		err = -ENOTSUPP;
	else if (map->flags & BPF_F_RDONLY)
		err = -EPERM;
	else if (map->frozen)
		err = -EPERM; /* as the kernel: a frozen map lacks the right to write, too */
	else if (map->writable_mappings)
		err = -EBUSY;
	else
		map->frozen = true;
	bpf_map_put(map);
	return err;
}
