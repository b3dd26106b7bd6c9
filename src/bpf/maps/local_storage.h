/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Local storage: values of task and cgroup storage maps, kept on their owner.
 * The owner has one anchor, a void * that is NULL at first and is ours since.
 */
#ifndef VRT_BPF_MAPS_LOCAL_STORAGE_H
#define VRT_BPF_MAPS_LOCAL_STORAGE_H

#include "../map.h"

/*
 * The value that @map keeps for the owner of @anchor, at a stable address.
 * With BPF_LOCAL_STORAGE_GET_F_CREATE it is made when it does not exist, as a
 * copy of @init (may be NULL: zeroes). NULL: there is none, bad flags, or no memory.
 */
void *bpf_local_storage_get(struct bpf_map *map, void **anchor, const void *init, u64 flags);
/* 0 or -ENOENT. */
long bpf_local_storage_delete(struct bpf_map *map, void **anchor);
/* Frees all that hangs on @anchor, of all maps: the owner's memory is about to go. */
void bpf_local_storage_free_owner(void **anchor);

#endif
