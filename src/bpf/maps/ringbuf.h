/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ring buffers, kernel to user and back, as the helpers use them. The layout
 * that user space maps is Linux's: a consumer page, a producer page, and the
 * data twice in a row.
 */
#ifndef VRT_BPF_MAPS_RINGBUF_H
#define VRT_BPF_MAPS_RINGBUF_H

#include "../map.h"

/* The sample's payload of @size bytes, or NULL when it does not fit. */
void *bpf_ringbuf_reserve(struct bpf_map *map, u64 size);
/* @sample as reserve() returned it; anything else is ignored. */
void bpf_ringbuf_commit(void *sample, u64 flags, bool discard);
/* The payload size of a reserved sample; 0 if @sample is none. */
u32 bpf_ringbuf_sample_size(const void *sample);
/* bpf_ringbuf_output(): 0, -EINVAL, or -EAGAIN when full. */
long bpf_ringbuf_output(struct bpf_map *map, const void *data, u64 size, u64 flags);
/* bpf_ringbuf_query(). */
u64 bpf_ringbuf_query(struct bpf_map *map, u64 flags);

/*
 * bpf_user_ringbuf_drain(): take the next sample (-ENODATA when there is none,
 * -EAGAIN when it was discarded: go on), look at it, then release it. -EBUSY
 * while another drain of the same map runs.
 */
int bpf_user_ringbuf_start(struct bpf_map *map);
int bpf_user_ringbuf_peek(struct bpf_map *map, void **sample, u32 *size);
void bpf_user_ringbuf_release(struct bpf_map *map, u32 size);
void bpf_user_ringbuf_end(struct bpf_map *map);

#endif
