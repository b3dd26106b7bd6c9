// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ring buffers from programs to user space. The file behind the descriptor is
 * a consumer page, a producer page and the data; in the kernel heap the pages
 * are one object and the data, mapped twice in a row, another.
 *
 * The positions and, in user ring buffers, the records are written by user
 * space: nothing read from there is trusted beyond the size of the ring.
 */
#include "ringbuf.h"

#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include "ringbuf_impl.h"

#define RING_FLAGS BPF_F_NUMA_NODE
#define MAX_RECORD_SIZE (UINT_MAX / 4)
#define MAX_DATA_SIZE (1U << 30)

static const struct kheap_type pages_type = { .name = "[ringbuf positions]" };
static const struct kheap_type data_type = { .name = "[ringbuf data]", .writable = true };

int bpf_ring_check(const union bpf_attr *attr)
{
	u32 size = attr->max_entries;

	if (attr->map_flags & ~RING_FLAGS || attr->key_size || attr->value_size || !size ||
	    size & (size - 1) || size % MAP_PAGE_SIZE)
		return -EINVAL;
	return size > MAX_DATA_SIZE ? -E2BIG : 0;
}

static bool map_at(void *addr, u64 size, int memfd, u64 offset)
{
	return mmap(addr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memfd,
		    (off_t)offset) != MAP_FAILED;
}

static int map_ring(struct ringbuf_map *rb)
{
	u64 size = rb->map.max_entries;
	int fd, err = bpf_obj_make_memfd(&rb->map.obj, RING_DATA_OFFSET + size);

	if (err)
		return err;
	fd = rb->map.obj.memfd;
	rb->pages = kheap_reserve(&pages_type, RING_DATA_OFFSET);
	rb->data = kheap_reserve(&data_type, 2 * size);
	if (!rb->pages || !rb->data || !map_at(rb->pages, RING_DATA_OFFSET, fd, 0) ||
	    !map_at(rb->data, size, fd, RING_DATA_OFFSET) ||
	    !map_at(rb->data + size, size, fd, RING_DATA_OFFSET))
		return -ENOMEM;
	rb->consumer_pos = (u64 *)rb->pages;
	rb->producer_pos = (u64 *)(rb->pages + MAP_PAGE_SIZE);
	rb->mask = size - 1;
	return 0;
}

struct bpf_map *bpf_ring_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(bpf_map_ops_of(attr->map_type), attr,
					  sizeof(struct ringbuf_map));

	*err = -ENOMEM;
	if (!map)
		return NULL;
	*err = map_ring(to_ring(map));
	if (!*err)
		return map;
	bpf_map_put(map);
	return NULL;
}

void bpf_ring_free(struct bpf_map *map)
{
	struct ringbuf_map *rb = to_ring(map);

	if (rb->pages)
		kheap_release(rb->pages);
	if (rb->data)
		kheap_release(rb->data);
}

void *bpf_ring_mmap_range(struct bpf_map *map, u64 *size)
{
	*size = RING_DATA_OFFSET + 2 * (u64)map->max_entries;
	return to_ring(map)->pages;
}

/* --- programs write ------------------------------------------------------- */

static u64 record_size(u64 size)
{
	return ALIGN_UP(size + RING_HEADER_SIZE, 8UL);
}

/* The oldest record that is not committed yet is where the pending position stops. */
static void advance_pending(struct ringbuf_map *rb, u64 producer)
{
	while (rb->pending_pos != producer) {
		struct ring_header *hdr = (void *)(rb->data + (rb->pending_pos & rb->mask));
		u64 size;

		if (hdr->len & BPF_RINGBUF_BUSY_BIT)
			return;
		size = record_size(hdr->len & ~BPF_RINGBUF_DISCARD_BIT);
		rb->pending_pos += min(size, producer - rb->pending_pos);
	}
}

void *bpf_ringbuf_reserve(struct bpf_map *map, u64 size)
{
	struct ringbuf_map *rb = to_ring(map);
	u64 consumer, producer, end;
	struct ring_header *hdr;

	if (size > MAX_RECORD_SIZE || record_size(size) > map->max_entries)
		return NULL;
	consumer = ring_load(rb->consumer_pos);
	producer = ring_load(rb->producer_pos);
	end = producer + record_size(size);
	advance_pending(rb, producer);
	if (end - consumer > rb->mask || end - rb->pending_pos > rb->mask)
		return NULL;
	hdr = (void *)(rb->data + (producer & rb->mask));
	hdr->len = (u32)size | BPF_RINGBUF_BUSY_BIT;
	hdr->pg_off = (u32)((RING_DATA_OFFSET + (producer & rb->mask)) / MAP_PAGE_SIZE);
	ring_store(rb->producer_pos, end);
	return hdr + 1;
}

/* The header of a reserved record, found without trusting anything in the ring. */
static struct ring_header *header_of(const void *sample)
{
	struct ring_header *hdr = (struct ring_header *)sample - 1;
	struct kheap_object ring;
	u64 offset;

	if (!kheap_find(sample, &ring) || ring.type != &data_type)
		return NULL;
	offset = (u64)sample - (u64)ring.base;
	if (offset < RING_HEADER_SIZE || offset % 8)
		return NULL;
	return hdr->len & BPF_RINGBUF_BUSY_BIT ? hdr : NULL;
}

void bpf_ringbuf_commit(void *sample, u64 flags, bool discard)
{
	struct ring_header *hdr = header_of(sample);

	if (hdr)
		__atomic_store_n(&hdr->len,
				 (hdr->len & ~BPF_RINGBUF_BUSY_BIT) |
					 (discard ? BPF_RINGBUF_DISCARD_BIT : 0),
				 __ATOMIC_RELEASE);
}

u32 bpf_ringbuf_sample_size(const void *sample)
{
	struct ring_header *hdr = header_of(sample);

	return hdr ? hdr->len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT) : 0;
}

long bpf_ringbuf_output(struct bpf_map *map, const void *data, u64 size, u64 flags)
{
	void *sample;

	if (flags & ~(u64)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	sample = bpf_ringbuf_reserve(map, size);
	if (!sample)
		return -EAGAIN;
	memcpy(sample, data, size);
	bpf_ringbuf_commit(sample, flags, false);
	return 0;
}

u64 bpf_ringbuf_query(struct bpf_map *map, u64 flags)
{
	struct ringbuf_map *rb = to_ring(map);

	switch (flags) {
	case BPF_RB_AVAIL_DATA:
		return ring_load(rb->producer_pos) - ring_load(rb->consumer_pos);
	case BPF_RB_RING_SIZE:
		return map->max_entries;
	case BPF_RB_CONS_POS:
		return ring_load(rb->consumer_pos);
	case BPF_RB_PROD_POS:
		return ring_load(rb->producer_pos);
	default:
		return 0;
	}
}

static bool ringbuf_readable(struct bpf_map *map)
{
	return bpf_ringbuf_query(map, BPF_RB_AVAIL_DATA) != 0;
}

/* User space may write where it has read up to, nothing else. */
static int ringbuf_mmap_check(struct bpf_map *map, u64 offset, u64 length, bool write)
{
	return write && (offset || length != MAP_PAGE_SIZE) ? -EPERM : 0;
}

const struct bpf_map_ops ringbuf_map_ops = {
	.check = bpf_ring_check,
	.alloc = bpf_ring_alloc,
	.free = bpf_ring_free,
	.readable = ringbuf_readable,
	.mmap_range = bpf_ring_mmap_range,
	.mmap_check = ringbuf_mmap_check,
};
