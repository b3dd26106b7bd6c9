/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of bpf(2), as far as they live in files of their own. @attr is
 * a copy padded with zeroes, whose unused fields have been checked to be zero;
 * what a command changes in it goes back to the caller.
 *
 * Pointers in attributes are trusted to point at what they should: caller and
 * subsystem are one process. NULL where there must be something is -EFAULT.
 */
#ifndef VRT_BPF_SYSCALL_H
#define VRT_BPF_SYSCALL_H

#include "../map.h"

static inline void *bpf_user_ptr(u64 ptr)
{
	return (void *)(unsigned long)ptr;
}

/* syscall/map.c */
int sys_map_lookup_elem(const union bpf_attr *attr);
int sys_map_update_elem(const union bpf_attr *attr);
int sys_map_delete_elem(const union bpf_attr *attr);
int sys_map_get_next_key(const union bpf_attr *attr);
int sys_map_lookup_and_delete_elem(const union bpf_attr *attr);
int sys_map_freeze(const union bpf_attr *attr);

/* One element with the buffers that user space has; @value is as large as it lays it out. */
u32 bpf_map_sys_value_size(const struct bpf_map *map);
int bpf_map_sys_lookup(struct bpf_map *map, const void *key, void *value, u64 flags);
int bpf_map_sys_update(struct bpf_map *map, const void *key, const void *value, u64 flags);
int bpf_map_sys_delete(struct bpf_map *map, const void *key);
/* What user space may do with the map as it is now: -EPERM if not. */
int bpf_map_may(const struct bpf_map *map, bool read, bool write);

/* syscall/batch.c */
int sys_map_batch(enum bpf_cmd cmd, union bpf_attr *attr);

/* syscall/info.c */
int sys_obj_get_info_by_fd(union bpf_attr *attr);

#endif
