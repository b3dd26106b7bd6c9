/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arenas: memory that programs and user space share, with pointers that are
 * the same in both. Programs hold user-space addresses; of these only the
 * lower 32 bits count.
 */
#ifndef VRT_BPF_MAPS_ARENA_H
#define VRT_BPF_MAPS_ARENA_H

#include "../map.h"

/* Where user space has, or will have, the arena mapped. It does not cross a 4 GiB boundary. */
u64 bpf_arena_user_start(const struct bpf_map *map);

/*
 * The kernel-heap address of @size bytes at user address @addr. NULL when one
 * of them lies outside or on a page that nobody has allocated: there loads
 * give 0 and stores have no effect.
 */
void *bpf_arena_address(struct bpf_map *map, u64 addr, u32 size);

/* bpf_arena_alloc_pages(): @addr 0: anywhere. The user address, 0 when there is no room. */
u64 bpf_arena_alloc(struct bpf_map *map, u64 addr, u32 nr_pages);
/* bpf_arena_free_pages(): the pages read as zero from then on. */
void bpf_arena_free(struct bpf_map *map, u64 addr, u32 nr_pages);

#endif
