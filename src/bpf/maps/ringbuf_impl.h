/* SPDX-License-Identifier: GPL-2.0-only */
/* Ring buffers of both directions: one layout, one allocator (ringbuf.c). */
#ifndef VRT_BPF_MAPS_RINGBUF_IMPL_H
#define VRT_BPF_MAPS_RINGBUF_IMPL_H

#include "map_impl.h"

#define RING_DATA_OFFSET (2 * MAP_PAGE_SIZE)
#define RING_HEADER_SIZE 8UL

struct ring_header {
	u32 len; /* with the BUSY and DISCARD bits of the UAPI */
	u32 pg_off; /* pages from the start of the file */
};

struct ringbuf_map {
	struct bpf_map map;
	char *pages, *data;
	u64 *consumer_pos, *producer_pos; /* in pages; shared with user space */
	u64 pending_pos; /* everything before it is committed */
	u64 mask;
	bool busy; /* user ring buffers: being drained */
};

static inline struct ringbuf_map *to_ring(struct bpf_map *map)
{
	return container_of(map, struct ringbuf_map, map);
}

static inline u64 ring_load(const u64 *pos)
{
	return __atomic_load_n(pos, __ATOMIC_ACQUIRE);
}

static inline void ring_store(u64 *pos, u64 value)
{
	__atomic_store_n(pos, value, __ATOMIC_RELEASE);
}

int bpf_ring_check(const union bpf_attr *attr);
struct bpf_map *bpf_ring_alloc(const union bpf_attr *attr, int *err);
void bpf_ring_free(struct bpf_map *map);
void *bpf_ring_mmap_range(struct bpf_map *map, u64 *size);

#endif
