/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the map types share among themselves.
 *
 * A map's struct starts with its struct bpf_map and lives in the kernel heap,
 * so that the pointer to it, which programs hold, is the same in every run.
 */
#ifndef VRT_BPF_MAPS_MAP_IMPL_H
#define VRT_BPF_MAPS_MAP_IMPL_H

#include <errno.h>

#include "../map.h"

#ifndef ENOTSUPP
#define ENOTSUPP 524 /* Linux's own, which user space sees too */
#endif

#define MAP_PAGE_SIZE 4096UL
/* Linux's limits: of one allocation, and of one per-CPU allocation. */
#define KMALLOC_MAX_SIZE (4UL << 20)
#define PERCPU_MAX_SIZE (32UL << 10)
/* Ours: all storage of one map. */
#define MAP_MAX_BYTES (16UL << 30)

#define BPF_F_ACCESS_MASK (BPF_F_RDONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY | BPF_F_WRONLY_PROG)

/* Types in the kernel heap: values that programs may write, and what they may only read. */
extern const struct kheap_type bpf_value_type;
extern const struct kheap_type bpf_key_type;

/*
 * A zeroed map struct of @size bytes with the common part filled in, an object
 * with one reference. If alloc() fails later, bpf_map_put() undoes it, calling
 * ops->free(), which must cope with what is not there yet. ops->free() frees
 * what the map has, not its struct.
 */
struct bpf_map *bpf_map_new(const struct bpf_map_ops *ops, const union bpf_attr *attr,
			    size_t size);

/* Not both read-only and write-only for programs. */
static inline bool bpf_map_access_ok(u32 flags)
{
	return (flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)) !=
	       (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG);
}

static inline bool bpf_attr_has_numa_node(const union bpf_attr *attr)
{
	return attr->map_flags & BPF_F_NUMA_NODE && attr->numa_node != (u32)-1;
}

static inline u32 bpf_round_value(u32 size)
{
	return ALIGN_UP(size, 8U);
}

/* To user space: everything but special fields, which read as zero. */
void bpf_map_copy_out(const struct bpf_map *map, void *dst, const void *src);
/* As bpf_map_copy_value() under the value's bpf_spin_lock. -EINVAL when it has none. */
int bpf_map_copy_locked(const struct bpf_map *map, void *dst, const void *src);
bool bpf_map_has_lock(const struct bpf_map *map);

/*
 * Checks the flags of an update against whether the element is there:
 * -EINVAL, -EEXIST, -ENOENT, -EINVAL for BPF_F_LOCK without lock.
 */
int bpf_map_check_update(const struct bpf_map *map, bool exists, u64 flags);

/* Frees what the value's special fields hold now, its memory when no program runs. */
void bpf_map_retire_value(const struct bpf_map *map, void *value);
/* The same for values of all CPUs, bpf_round_value(value_size) apart, in one piece. */
void bpf_map_retire_percpu(const struct bpf_map *map, void *values);

/* For maps whose keys are the integers below max_entries (array.c). */
int bpf_array_next_key(struct bpf_map *map, const void *key, void *next);
long bpf_array_for_each(struct bpf_map *map, int (*fn)(void *key, void *value, void *arg),
			void *arg);
int bpf_array_check_btf(const struct bpf_map *map, const struct btf *btf, u32 key_id,
			u32 value_id);

/* kheap_free() when no program runs. */
void bpf_rcu_free(void *obj);

/* Maps of maps: what inner maps must look like. *err on NULL. */
struct bpf_map *bpf_map_meta_alloc(int inner_fd, int *err);
void bpf_map_meta_free(struct bpf_map *meta);
/* The map behind @fd if it fits, with a reference; NULL with *err (-EBADF, -EINVAL). */
struct bpf_map *bpf_map_inner_from_fd(const struct bpf_map *outer, int fd, int *err);
/* Drops an inner map when no program runs. */
void bpf_map_retire_inner(struct bpf_map *inner);

extern const struct bpf_map_ops array_map_ops, percpu_array_map_ops;
extern const struct bpf_map_ops hash_map_ops, percpu_hash_map_ops;
extern const struct bpf_map_ops lru_hash_map_ops, lru_percpu_hash_map_ops;
extern const struct bpf_map_ops queue_map_ops, stack_map_ops, bloom_filter_map_ops;
extern const struct bpf_map_ops ringbuf_map_ops, user_ringbuf_map_ops;
extern const struct bpf_map_ops local_storage_map_ops;
extern const struct bpf_map_ops array_of_maps_ops, hash_of_maps_ops;
extern const struct bpf_map_ops prog_array_map_ops, perf_event_array_map_ops;
extern const struct bpf_map_ops lpm_trie_map_ops, arena_map_ops;
extern const struct bpf_map_ops struct_ops_map_ops;
extern const struct bpf_map_ops sock_map_ops, sk_storage_map_ops, cgroup_storage_map_ops;

/* BPF_MAP_CREATE: a descriptor or -errno. In create.c. */
int sys_map_create(const union bpf_attr *attr);

#endif
