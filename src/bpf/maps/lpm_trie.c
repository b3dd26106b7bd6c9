// SPDX-License-Identifier: GPL-2.0-only
/*
 * Longest prefix match. Prefixes are kept in one tree, in the order in which
 * Linux's trie is walked: by bits, and a prefix after everything it covers. A
 * lookup tries the lengths that occur, longest first.
 */
#include <string.h>

#include "../../base/rbtree.h"
#include "../btf.h"
#include "map_impl.h"

#define DATA_MAX 256U
#define LPM_FLAGS (BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_ACCESS_MASK)

/* What user space and programs pass as the key. */
struct lpm_key {
	u32 prefixlen;
	u8 data[];
};

struct lpm_node {
	struct rb_node rb;
	void *value;
	u32 prefixlen;
	u8 data[DATA_MAX]; /* bits beyond the prefix are kept, as they came */
};

struct lpm_trie {
	struct bpf_map map;
	struct rb_root root;
	u32 count, data_size;
	u32 of_length[DATA_MAX * 8 + 1];
};

static const struct kheap_type node_type = { .name = "[lpm trie node]" };

static struct lpm_trie *to_trie(struct bpf_map *map)
{
	return container_of(map, struct lpm_trie, map);
}

static int lpm_check(const union bpf_attr *attr)
{
	if (!attr->max_entries || !(attr->map_flags & BPF_F_NO_PREALLOC) ||
	    attr->map_flags & ~LPM_FLAGS || !bpf_map_access_ok(attr->map_flags) ||
	    attr->key_size < sizeof(struct lpm_key) + 1 ||
	    attr->key_size > sizeof(struct lpm_key) + DATA_MAX || !attr->value_size)
		return -EINVAL;
	return attr->value_size > KMALLOC_MAX_SIZE - 512 ? -EINVAL : 0;
}

static struct bpf_map *lpm_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(&lpm_trie_map_ops, attr, sizeof(struct lpm_trie));

	*err = map ? 0 : -ENOMEM;
	if (map)
		to_trie(map)->data_size = map->key_size - (u32)sizeof(struct lpm_key);
	return map;
}

/* Of the first @bits bits, how many are equal? */
static u32 common_bits(const u8 *a, const u8 *b, u32 bits)
{
	u32 i;

	for (i = 0; i < bits / 8 && a[i] == b[i]; i++)
		;
	for (i *= 8; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
			break;
	return i;
}

/* <0, 0, >0: the order of the walk. */
static int compare(const u8 *a, u32 a_len, const u8 *b, u32 b_len)
{
	u32 shorter = min(a_len, b_len), same = common_bits(a, b, shorter);

	if (same < shorter) /* a bit differs */
		return a[same / 8] >> (7 - same % 8) & 1 ? 1 : -1;
	return a_len == b_len ? 0 : (a_len > b_len ? -1 : 1);
}

static bool node_less(const struct rb_node *x, const struct rb_node *y)
{
	const struct lpm_node *a = rb_entry(x, struct lpm_node, rb);
	const struct lpm_node *b = rb_entry(y, struct lpm_node, rb);

	return compare(a->data, a->prefixlen, b->data, b->prefixlen) < 0;
}

static struct lpm_node *find(struct lpm_trie *trie, const u8 *data, u32 prefixlen)
{
	struct rb_node *rb = trie->root.rb_node;

	while (rb) {
		struct lpm_node *n = rb_entry(rb, struct lpm_node, rb);
		int order = compare(data, prefixlen, n->data, n->prefixlen);

		if (!order)
			return n;
		rb = order < 0 ? rb->rb_left : rb->rb_right;
	}
	return NULL;
}

/* Keys may be unaligned. -EINVAL for a prefix longer than the data. */
static int read_key(const struct lpm_trie *trie, const void *key, u32 *prefixlen, const u8 **data)
{
	memcpy(prefixlen, key, sizeof(*prefixlen));
	*data = (const u8 *)key + sizeof(struct lpm_key);
	return *prefixlen > trie->data_size * 8 ? -EINVAL : 0;
}

static void *lpm_lookup(struct bpf_map *map, const void *key)
{
	struct lpm_trie *trie = to_trie(map);
	u32 prefixlen;
	const u8 *data;

	if (read_key(trie, key, &prefixlen, &data))
		return NULL;
	for (;; prefixlen--) {
		struct lpm_node *n = NULL;

		if (trie->of_length[prefixlen])
			n = find(trie, data, prefixlen);
		if (n)
			return n->value;
		if (!prefixlen)
			return NULL;
	}
}

static void set_value(struct bpf_map *map, struct lpm_node *n, void *value)
{
	if (n->value)
		bpf_map_retire_value(map, n->value);
	n->value = value;
}

static struct lpm_node *add_node(struct lpm_trie *trie, const u8 *data, u32 prefixlen)
{
	struct lpm_node *n = kheap_alloc(&node_type, sizeof(*n));

	if (!n)
		return NULL;
	n->prefixlen = prefixlen;
	memcpy(n->data, data, trie->data_size);
	rb_insert(&trie->root, &n->rb, node_less, NULL);
	trie->of_length[prefixlen]++;
	trie->count++;
	return n;
}

static long lpm_update(struct bpf_map *map, const void *key, const void *src, u64 flags)
{
	struct lpm_trie *trie = to_trie(map);
	struct lpm_node *n;
	u32 prefixlen;
	const u8 *data;
	void *value;
	int err;

	if (flags > BPF_EXIST || read_key(trie, key, &prefixlen, &data))
		return -EINVAL;
	n = find(trie, data, prefixlen);
	err = bpf_map_check_update(map, n, flags);
	if (!err && !n && trie->count == map->max_entries)
		err = -ENOSPC;
	if (err)
		return err;
	value = kheap_alloc(&bpf_value_type, map->value_size);
	if (!n && value)
		n = add_node(trie, data, prefixlen);
	if (!n || !value) {
		kheap_free(value);
		return -ENOMEM;
	}
	bpf_map_copy_value(map, value, src);
	memcpy(n->data, data, trie->data_size);
	set_value(map, n, value);
	return 0;
}

static void remove_node(struct lpm_trie *trie, struct lpm_node *n)
{
	rb_remove(&trie->root, &n->rb, NULL);
	trie->of_length[n->prefixlen]--;
	trie->count--;
	bpf_map_retire_value(&trie->map, n->value);
	kheap_free(n);
}

static long lpm_delete(struct bpf_map *map, const void *key)
{
	struct lpm_trie *trie = to_trie(map);
	struct lpm_node *n;
	u32 prefixlen;
	const u8 *data;

	if (read_key(trie, key, &prefixlen, &data))
		return -EINVAL;
	n = find(trie, data, prefixlen);
	if (!n)
		return -ENOENT;
	remove_node(trie, n);
	return 0;
}

static void lpm_free(struct bpf_map *map)
{
	struct lpm_trie *trie = to_trie(map);

	while (trie->root.rb_node)
		remove_node(trie, rb_entry(trie->root.rb_node, struct lpm_node, rb));
}

/* A key that is not there starts over. */
static int lpm_next_key(struct bpf_map *map, const void *key, void *next)
{
	struct lpm_trie *trie = to_trie(map);
	struct lpm_node *n = NULL;
	struct rb_node *rb;
	u32 prefixlen;
	const u8 *data;

	if (key && !read_key(trie, key, &prefixlen, &data))
		n = find(trie, data, prefixlen);
	rb = n ? rb_next(&n->rb) : rb_first(&trie->root);
	if (!rb)
		return -ENOENT;
	n = rb_entry(rb, struct lpm_node, rb);
	memcpy(next, &n->prefixlen, sizeof(n->prefixlen));
	memcpy((char *)next + sizeof(struct lpm_key), n->data, trie->data_size);
	return 0;
}

static int lpm_check_btf(const struct bpf_map *map, const struct btf *btf, u32 key_id,
			 u32 value_id)
{
	const struct btf_type *key = btf_type_skip_modifiers(btf, key_id, NULL);

	/* a structure that starts with the length */
	return BTF_INFO_KIND(key->info) == BTF_KIND_STRUCT ? 0 : -EINVAL;
}

const struct bpf_map_ops lpm_trie_map_ops = {
	.check = lpm_check,
	.alloc = lpm_alloc,
	.free = lpm_free,
	.lookup = lpm_lookup,
	.update = lpm_update,
	.delete = lpm_delete,
	.next_key = lpm_next_key,
	.check_btf = lpm_check_btf,
};
