// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bloom filters: push adds a value, peek asks whether it may have been added.
 */
#include <stdlib.h>

#include "../../base/hash.h"
#include "map_impl.h"

#define DEFAULT_HASHES 5
#define MAX_BITS (1ULL << 31)

struct bloom_map {
	struct bpf_map map;
	u32 nr_hashes;
	u64 mask;
	u64 *bits;
};

static struct bloom_map *to_bloom(struct bpf_map *map)
{
	return container_of(map, struct bloom_map, map);
}

static int bloom_check(const union bpf_attr *attr)
{
	if (attr->key_size || !attr->value_size || !attr->max_entries ||
	    attr->map_flags & ~(BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | BPF_F_ACCESS_MASK) ||
	    !bpf_map_access_ok(attr->map_flags) || attr->map_extra & ~0xFULL)
		return -EINVAL;
	return attr->value_size > KMALLOC_MAX_SIZE ? -E2BIG : 0;
}

static struct bpf_map *bloom_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(&bloom_filter_map_ops, attr, sizeof(struct bloom_map));
	struct bloom_map *b;
	u64 want, bits = 64;

	*err = -ENOMEM;
	if (!map)
		return NULL;
	b = to_bloom(map);
	b->nr_hashes = attr->map_extra & 0xF ?: DEFAULT_HASHES;
	/* bits = entries * hashes / ln 2 */
	want = (u64)map->max_entries * b->nr_hashes * 7 / 5;
	while (bits < want && bits < MAX_BITS)
		bits *= 2;
	b->mask = bits - 1;
	b->bits = calloc(bits / 64, sizeof(u64));
	if (!b->bits) {
		bpf_map_put(map);
		return NULL;
	}
	*err = 0;
	return map;
}

static void bloom_free(struct bpf_map *map)
{
	free(to_bloom(map)->bits);
}

/*
 * The bits of a value, from one hash of it: of two halves that are independent,
 * one is added to the other again and again.
 */
struct bits {
	u64 next, step, mask;
};

static struct bits bits_of(const struct bloom_map *b, const void *value)
{
	u64 hash = hash64(value, b->map.value_size, 0);

	return (struct bits){ hash, hash >> 32 | 1, b->mask };
}

static u64 next_bit(struct bits *bits)
{
	u64 bit = bits->next & bits->mask;

	bits->next += bits->step;
	return bit;
}

static long bloom_push(struct bpf_map *map, const void *value, u64 flags)
{
	struct bloom_map *b = to_bloom(map);
	struct bits bits = bits_of(b, value);
	u32 i;

	if (flags != BPF_ANY)
		return -EINVAL;
	for (i = 0; i < b->nr_hashes; i++) {
		u64 bit = next_bit(&bits);

		b->bits[bit / 64] |= 1ULL << bit % 64;
	}
	return 0;
}

static long bloom_peek(struct bpf_map *map, void *value)
{
	struct bloom_map *b = to_bloom(map);
	struct bits bits = bits_of(b, value);
	u32 i;

	for (i = 0; i < b->nr_hashes; i++) {
		u64 bit = next_bit(&bits);

		if (!(b->bits[bit / 64] & 1ULL << bit % 64))
			return -ENOENT;
	}
	return 0;
}

static int bloom_next_key(struct bpf_map *map, const void *key, void *next)
{
	return -EOPNOTSUPP;
}

static int bloom_sys_delete(struct bpf_map *map, const void *key)
{
	return -EOPNOTSUPP;
}

const struct bpf_map_ops bloom_filter_map_ops = {
	.check = bloom_check,
	.alloc = bloom_alloc,
	.free = bloom_free,
	.push = bloom_push,
	.peek = bloom_peek,
	.next_key = bloom_next_key,
	.sys_delete = bloom_sys_delete,
};
