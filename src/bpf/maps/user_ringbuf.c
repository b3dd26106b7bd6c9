// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ring buffers from user space to programs. User space writes positions and
 * records; both are checked before they are used.
 */
#include "ringbuf.h"
#include "ringbuf_impl.h"

/* What fits in a dynptr. */
#define MAX_SAMPLE ((1U << 24) - 1)

int bpf_user_ringbuf_start(struct bpf_map *map)
{
	if (to_ring(map)->busy)
		return -EBUSY;
	to_ring(map)->busy = true;
	return 0;
}

void bpf_user_ringbuf_end(struct bpf_map *map)
{
	to_ring(map)->busy = false;
}

int bpf_user_ringbuf_peek(struct bpf_map *map, void **sample, u32 *size)
{
	struct ringbuf_map *rb = to_ring(map);
	u64 producer = ring_load(rb->producer_pos), consumer = ring_load(rb->consumer_pos);
	const struct ring_header *hdr;
	u64 total;
	u32 len;

	if (producer % 8 || consumer % 8)
		return -EINVAL;
	if (consumer >= producer)
		return -ENODATA;
	hdr = (const void *)(rb->data + (consumer & rb->mask));
	len = __atomic_load_n(&hdr->len, __ATOMIC_ACQUIRE);
	*size = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	total = ALIGN_UP(*size + RING_HEADER_SIZE, 8UL);
	if (total > producer - consumer)
		return -EINVAL;
	if (total > rb->mask + 1 || *size > MAX_SAMPLE)
		return -E2BIG;
	if (len & BPF_RINGBUF_DISCARD_BIT) {
		ring_store(rb->consumer_pos, consumer + total);
		return -EAGAIN;
	}
	if (len & BPF_RINGBUF_BUSY_BIT)
		return -ENODATA;
	*sample = rb->data + ((consumer + RING_HEADER_SIZE) & rb->mask);
	return 0;
}

void bpf_user_ringbuf_release(struct bpf_map *map, u32 size)
{
	struct ringbuf_map *rb = to_ring(map);

	ring_store(rb->consumer_pos,
		   ring_load(rb->consumer_pos) + ALIGN_UP(size + RING_HEADER_SIZE, 8UL));
}

/* User space reads how far programs have come, and writes the rest. */
static int user_ringbuf_mmap_check(struct bpf_map *map, u64 offset, u64 length, bool write)
{
	return write && !offset ? -EPERM : 0;
}

const struct bpf_map_ops user_ringbuf_map_ops = {
	.check = bpf_ring_check,
	.alloc = bpf_ring_alloc,
	.free = bpf_ring_free,
	.mmap_range = bpf_ring_mmap_range,
	.mmap_check = user_ringbuf_mmap_check,
};
