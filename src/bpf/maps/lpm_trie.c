// SPDX-License-Identifier: GPL-2.0-only
/*
 * Longest prefix match: a binary tree in which a node stands for its prefix, and has
 * below it, by their next bit, those that begin with that. Where two prefixes part
 * and none ends there is a node that is not real, and it has two children: so there are
 * fewer of these than of the others, and a lookup looks at no more nodes than the key has bits.
 *
 * The order of a walk is Linux's: by bits, and a prefix after everything it covers.
 */
#include <string.h>

#include "../btf/btf.h"
#include "pool.h"

#define DATA_MAX 256U
#define LPM_FLAGS (BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_ACCESS_MASK)

/* What user space and programs pass as the key. */
struct lpm_key {
	u32 prefixlen;
	u8 data[];
};

#define MAX_WORDS (DATA_MAX / 8)

/* A prefix's data as numbers, the first bit in front; the value follows them. */
struct lpm_node {
	u32 child[2]; /* references, 0: none. Removed nodes: the pool's */
	u32 parent;
	u32 prefixlen : 31;
	u32 real : 1;
	u64 words[]; /* bits beyond the prefix are kept, as they came */
};

struct lpm_trie {
	struct bpf_map map;
	struct bpf_pool *pool;
	u32 root;
	u32 count, data_size, nr_words;
};

/* A key as it is compared with nodes. */
struct prefix {
	u32 len;
	u64 words[MAX_WORDS];
};

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
	struct lpm_trie *trie;

	*err = -ENOMEM;
	if (!map)
		return NULL;
	trie = to_trie(map);
	trie->data_size = map->key_size - (u32)sizeof(struct lpm_key);
	trie->nr_words = DIV_ROUND_UP(trie->data_size, 8U);
	trie->pool = bpf_pool_new(sizeof(struct lpm_node) + trie->nr_words * sizeof(u64) +
				  map->value_size, 0, 0, 0);
	if (!trie->pool) {
		bpf_map_put(map);
		return NULL;
	}
	*err = 0;
	return map;
}

/* --- bits ----------------------------------------------------------------------- */

/* Keys may be unaligned. -EINVAL for a prefix longer than the data. */
static int read_key(const struct lpm_trie *trie, const void *key, struct prefix *p)
{
	const u8 *data = (const u8 *)key + sizeof(struct lpm_key);
	u32 i, last = trie->nr_words - 1;

	memcpy(&p->len, key, sizeof(p->len));
	if (p->len > trie->data_size * 8)
		return -EINVAL;
	p->words[last] = 0;
	if (trie->data_size == sizeof(u32)) { /* an address */
		u32 address;

		memcpy(&address, data, sizeof(address));
		p->words[0] = (u64)__builtin_bswap32(address) << 32;
		return 0;
	}
	memcpy(p->words, data, trie->data_size);
	for (i = 0; i <= last; i++)
		p->words[i] = __builtin_bswap64(p->words[i]);
	return 0;
}

static inline u32 bit(const u64 *words, u32 i)
{
	return words[i / 64] >> (63 - i % 64) & 1;
}

/* Of the first @bits bits, how many are equal before the first that is not? */
static inline u32 common_bits(const u64 *a, const u64 *b, u32 bits)
{
	u32 i;

	for (i = 0; i * 64 < bits; i++)
		if (a[i] != b[i])
			return min(i * 64 + (u32)__builtin_clzll(a[i] ^ b[i]), bits);
	return bits;
}

static inline struct lpm_node *node_of(u32 ref)
{
	return ref ? bpf_pool_elem(ref) : NULL;
}

static void *value_of(const struct lpm_trie *trie, struct lpm_node *n)
{
	return n->words + trie->nr_words;
}

/* --- the tree -------------------------------------------------------------------- */

/* Does all that begins with @p begin with @n's prefix? */
static inline bool covers(const struct lpm_node *n, const struct prefix *p)
{
	u32 len = n->prefixlen;

	if (len > p->len)
		return false;
	if (len && len <= 64) /* addresses: without a loop */
		return !((n->words[0] ^ p->words[0]) >> (64 - len));
	return common_bits(n->words, p->words, len) == len;
}

static void *lpm_lookup(struct bpf_map *map, const void *key)
{
	struct lpm_trie *trie = to_trie(map);
	struct lpm_node *n, *found = NULL;
	struct prefix p;

	if (read_key(trie, key, &p))
		return NULL;
	n = node_of(trie->root);
	while (n && covers(n, &p)) {
		found = n->real ? n : found; /* nobody could predict it */
		if (n->prefixlen == p.len)
			break;
		n = node_of(n->child[bit(p.words, n->prefixlen)]);
	}
	return found ? value_of(trie, found) : NULL;
}

/* Where the node of a prefix is, or would be. */
struct place {
	u32 *ref;
	struct lpm_node *parent; /* who has that; NULL: the trie */
};

static struct place find_place(struct lpm_trie *trie, const struct prefix *p)
{
	struct place at = { .ref = &trie->root };
	struct lpm_node *n;

	while ((n = node_of(*at.ref)) && n->prefixlen < p->len && covers(n, p)) {
		at.parent = n;
		at.ref = &n->child[bit(p->words, n->prefixlen)];
	}
	return at;
}

/* The prefix itself, if it is there. */
static struct lpm_node *node_at(const struct place *at, const struct prefix *p)
{
	struct lpm_node *n = node_of(*at->ref);

	return n && n->real && n->prefixlen == p->len && covers(n, p) ? n : NULL;
}

static struct lpm_node *find(struct lpm_trie *trie, const struct prefix *p)
{
	struct place at = find_place(trie, p);

	return node_at(&at, p);
}

static void set_child(struct lpm_node *n, u32 which, struct lpm_node *child)
{
	n->child[which] = child ? bpf_pool_ref(child) : 0;
	if (child)
		child->parent = bpf_pool_ref(n);
}

/* @n, which may be NULL, is where @old was; what @old has below it is not its concern. */
static void take_place(struct lpm_trie *trie, struct lpm_node *old, struct lpm_node *n)
{
	struct lpm_node *parent = node_of(old->parent);

	if (parent) {
		set_child(parent, parent->child[1] == bpf_pool_ref(old), n);
	} else {
		trie->root = n ? bpf_pool_ref(n) : 0;
		if (n)
			n->parent = 0;
	}
}

static struct lpm_node *new_node(struct lpm_trie *trie, const struct prefix *p, u32 len, bool real)
{
	struct lpm_node *n = bpf_pool_alloc(trie->pool);

	if (!n)
		return NULL;
	n->child[0] = n->child[1] = n->parent = 0;
	n->prefixlen = len & 0x7fffffff;
	n->real = real;
	memcpy(n->words, p->words, trie->nr_words * sizeof(u64));
	return n;
}

/* Where @old and the new @n part, at the bit @len: a node that has both. */
static bool fork_at(struct lpm_trie *trie, struct lpm_node *old, struct lpm_node *n,
		    const struct prefix *p, u32 len)
{
	struct lpm_node *fork = new_node(trie, p, len, false);

	if (!fork)
		return false;
	take_place(trie, old, fork);
	set_child(fork, bit(p->words, len), n);
	set_child(fork, !bit(p->words, len), old);
	return true;
}

/* @n is new, with its prefix @p, whose place is @at. False: no memory. */
static bool insert(struct lpm_trie *trie, struct lpm_node *n, const struct prefix *p,
		   const struct place *at)
{
	struct lpm_node *old = node_of(*at->ref);
	u32 same;

	if (!old) {
		*at->ref = bpf_pool_ref(n);
		n->parent = at->parent ? bpf_pool_ref(at->parent) : 0;
		return true;
	}
	same = common_bits(old->words, p->words, min((u32)old->prefixlen, p->len));
	if (same < old->prefixlen && same < p->len)
		return fork_at(trie, old, n, p, same);
	take_place(trie, old, n);
	if (same < old->prefixlen) { /* it covers the old one */
		set_child(n, bit(old->words, same), old);
		return true;
	}
	/* the same prefix: a fork, or the value is replaced */
	set_child(n, 0, node_of(old->child[0]));
	set_child(n, 1, node_of(old->child[1]));
	bpf_pool_retire(trie->pool, old);
	return true;
}

static long lpm_update(struct bpf_map *map, const void *key, const void *src, u64 flags)
{
	struct lpm_trie *trie = to_trie(map);
	struct lpm_node *old, *n;
	struct place at;
	struct prefix p;
	int err;

	if (flags > BPF_EXIST || read_key(trie, key, &p))
		return -EINVAL;
	at = find_place(trie, &p);
	old = node_at(&at, &p);
	err = bpf_map_check_update(map, old, flags);
	if (!err && !old && trie->count == map->max_entries)
		err = -ENOSPC;
	if (err)
		return err;
	n = new_node(trie, &p, p.len, true);
	if (!n)
		return -ENOMEM;
	bpf_map_copy_value(map, value_of(trie, n), src);
	if (!insert(trie, n, &p, &at)) {
		bpf_pool_retire(trie->pool, n);
		return -ENOMEM;
	}
	trie->count += !old;
	return 0;
}

/* A fork with one child left is none. */
static void drop_fork(struct lpm_trie *trie, struct lpm_node *n)
{
	if (!n || n->real || (n->child[0] && n->child[1]))
		return;
	take_place(trie, n, node_of(n->child[0] ? n->child[0] : n->child[1]));
	bpf_pool_retire(trie->pool, n);
}

static long lpm_delete(struct bpf_map *map, const void *key)
{
	struct lpm_trie *trie = to_trie(map);
	struct lpm_node *n, *parent;
	struct prefix p;

	if (read_key(trie, key, &p))
		return -EINVAL;
	n = find(trie, &p);
	if (!n)
		return -ENOENT;
	trie->count--;
	n->real = false;
	if (n->child[0] && n->child[1])
		return 0; /* a fork from now on; its value stays as it is */
	parent = node_of(n->parent);
	drop_fork(trie, n);
	drop_fork(trie, parent);
	return 0;
}

static void lpm_free(struct bpf_map *map)
{
	bpf_pool_retire_all(to_trie(map)->pool);
}

/* --- in order ---------------------------------------------------------------------- */

static struct lpm_node *first_below(struct lpm_node *n)
{
	while (n && (n->child[0] || n->child[1]))
		n = node_of(n->child[0] ? n->child[0] : n->child[1]);
	return n;
}

static struct lpm_node *next_node(struct lpm_node *n)
{
	struct lpm_node *parent = node_of(n->parent);

	if (parent && parent->child[1] && parent->child[1] != bpf_pool_ref(n))
		return first_below(node_of(parent->child[1]));
	return parent;
}

/* A key that is not there starts over. */
static int lpm_next_key(struct bpf_map *map, const void *key, void *next)
{
	struct lpm_trie *trie = to_trie(map);
	struct lpm_node *n = NULL;
	u64 words[MAX_WORDS];
	struct prefix p;
	u32 len, i;

	if (key && !read_key(trie, key, &p))
		n = find(trie, &p);
	n = n ? next_node(n) : first_below(node_of(trie->root));
	while (n && !n->real)
		n = next_node(n);
	if (!n)
		return -ENOENT;
	len = n->prefixlen;
	memcpy(next, &len, sizeof(len));
	for (i = 0; i < trie->nr_words; i++)
		words[i] = __builtin_bswap64(n->words[i]);
	memcpy((char *)next + sizeof(struct lpm_key), words, trie->data_size);
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
