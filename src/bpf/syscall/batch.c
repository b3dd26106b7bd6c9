// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches of elements. Hash maps are read by whole buckets, with the number of
 * a bucket as the position (4 bytes, whatever the key's size); other maps key
 * by key.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../maps/map_impl.h"
#include "syscall.h"

#define TYPE(t) (1ULL << BPF_MAP_TYPE_##t)
#define HASHES (TYPE(HASH) | TYPE(PERCPU_HASH) | TYPE(LRU_HASH) | TYPE(LRU_PERCPU_HASH))
#define ARRAYS (TYPE(ARRAY) | TYPE(PERCPU_ARRAY) | TYPE(ARRAY_OF_MAPS))

/* Which map types know which batch. */
static bool supported(enum bpf_cmd cmd, enum bpf_map_type type)
{
	u64 types = HASHES;

	if (cmd != BPF_MAP_LOOKUP_AND_DELETE_BATCH)
		types |= TYPE(LPM_TRIE);
	if (cmd == BPF_MAP_UPDATE_BATCH || cmd == BPF_MAP_DELETE_BATCH)
		types |= TYPE(HASH_OF_MAPS);
	if (cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_UPDATE_BATCH)
		types |= ARRAYS;
	return types & 1ULL << type;
}

/* A whole number of buckets from *in_batch on. */
static int read_buckets(struct bpf_map *map, union bpf_attr *attr, bool delete)
{
	u32 cursor = 0, *out = bpf_user_ptr(attr->batch.out_batch), count = attr->batch.count;
	int err;

	if (attr->batch.in_batch)
		memcpy(&cursor, bpf_user_ptr(attr->batch.in_batch), sizeof(cursor));
	attr->batch.count = 0;
	err = map->ops->sys_batch(map, &cursor, bpf_user_ptr(attr->batch.keys),
				  bpf_user_ptr(attr->batch.values), &count, attr->batch.elem_flags,
				  delete);
	attr->batch.count = count;
	memcpy(out, &cursor, sizeof(cursor));
	return err;
}

static int read_keys(struct bpf_map *map, union bpf_attr *attr)
{
	char *keys = bpf_user_ptr(attr->batch.keys), *values = bpf_user_ptr(attr->batch.values);
	u32 value_size = bpf_map_sys_value_size(map), max = attr->batch.count, n = 0;
	void *prev = NULL, *key = malloc(2 * (size_t)map->key_size), *value = malloc(value_size);
	int err = key && value ? 0 : -ENOMEM;

	attr->batch.count = 0;
	if (!err && attr->batch.in_batch) {
		prev = (char *)key + map->key_size;
		memcpy(prev, bpf_user_ptr(attr->batch.in_batch), map->key_size);
	}
	while (!err && n < max) {
		err = map->ops->next_key(map, prev, key);
		if (err)
			break;
		memset(value, 0, value_size);
		err = bpf_map_sys_lookup(map, key, value, attr->batch.elem_flags);
		if (!err) {
			memcpy(keys + (size_t)n * map->key_size, key, map->key_size);
			memcpy(values + (size_t)n * value_size, value, value_size);
			n++;
		} else if (err == -ENOENT) {
			err = 0; /* nothing behind this key: go on */
		}
		prev = (char *)key + map->key_size;
		memcpy(prev, key, map->key_size);
	}
	if (n)
		memcpy(bpf_user_ptr(attr->batch.out_batch), prev, map->key_size);
	attr->batch.count = n;
	free(value);
	free(key);
	return err;
}

static int write_keys(struct bpf_map *map, union bpf_attr *attr, bool delete)
{
	const char *keys = bpf_user_ptr(attr->batch.keys);
	const char *values = bpf_user_ptr(attr->batch.values);
	u32 value_size = bpf_map_sys_value_size(map), max = attr->batch.count, n;
	int err = 0;

	for (n = 0; n < max; n++) {
		const char *key = keys + (size_t)n * map->key_size;

		err = delete ? bpf_map_sys_delete(map, key) :
			       bpf_map_sys_update(map, key, values + (size_t)n * value_size,
						  attr->batch.elem_flags);
		if (err)
			break;
	}
	attr->batch.count = n;
	return err;
}

static int run_batch(enum bpf_cmd cmd, struct bpf_map *map, union bpf_attr *attr)
{
	bool read = cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH;
	int err = bpf_map_may(map, read, cmd != BPF_MAP_LOOKUP_BATCH);

	if (err)
		return err;
	if (!supported(cmd, map->type))
		return -ENOTSUPP;
	if (attr->batch.elem_flags & ~(u64)BPF_F_LOCK || attr->batch.flags)
		return -EINVAL;
	if (attr->batch.elem_flags && !bpf_map_has_lock(map))
		return -EINVAL;
	if (!attr->batch.count)
		return 0;
	if (!attr->batch.keys || (cmd != BPF_MAP_DELETE_BATCH && !attr->batch.values) ||
	    (read && !attr->batch.out_batch))
		return -EFAULT;
	if (!read)
		return write_keys(map, attr, cmd == BPF_MAP_DELETE_BATCH);
	if (map->ops->sys_batch)
		return read_buckets(map, attr, cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH);
	return read_keys(map, attr);
}

int sys_map_batch(enum bpf_cmd cmd, union bpf_attr *attr)
{
	struct bpf_map *map = bpf_map_from_fd((int)attr->batch.map_fd);
	int err;

	if (!map)
		return bpf_fd_error((int)attr->batch.map_fd);
	err = run_batch(cmd, map, attr);
	bpf_map_put(map);
	return err;
}
