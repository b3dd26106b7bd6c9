// SPDX-License-Identifier: GPL-2.0-only
/* Every map type, from programs and from user space, with the errors that Linux gives. */
#include "bpf_fixture.h"

#include "../../src/base/rng.h"
#include "../../src/bpf/maps/arena.h"
#include "../../src/bpf/maps/hash.h"
#include "../../src/bpf/maps/local_storage.h"
#include "../../src/bpf/maps/ringbuf.h"

#include <fcntl.h>
#include <sys/mman.h>

/* --- arrays ---------------------------------------------------------------- */

static void test_array(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_ARRAY, 4, 12, 3);
	struct bpf_map *map = map_of(fd);
	u32 key = 2, next, value[3] = { 1, 2, 3 }, got[3];
	struct kheap_object obj = { 0 };

	assert_int_equal(map_update(fd, &key, value, BPF_ANY), 0);
	assert_int_equal(map_lookup(fd, &key, got), 0);
	assert_memory_equal(value, got, sizeof(value));
	assert_int_equal(map_update(fd, &key, value, BPF_NOEXIST), -EEXIST);
	assert_int_equal(map_update(fd, &key, value, BPF_EXIST), 0);
	assert_int_equal(map_update(fd, &key, value, BPF_EXIST + 1), -EINVAL);
	assert_int_equal(map_update(fd, &key, value, BPF_F_LOCK), -EINVAL);
	assert_int_equal(map_delete(fd, &key), -EINVAL);
	key = 3;
	assert_int_equal(map_update(fd, &key, value, BPF_ANY), -E2BIG);
	assert_int_equal(map_lookup(fd, &key, got), -ENOENT);
	assert_null(map->ops->lookup(map, &key));

	/* elements are 16 bytes apart and writable by programs */
	key = 1;
	assert_true(kheap_find(map->ops->lookup(map, &key), &obj));
	assert_true(obj.type->writable);
	assert_int_equal(obj.size, 3 * 16);
	assert_ptr_equal(map->ops->lookup(map, &key), (char *)obj.base + 16);

	assert_int_equal(map_next(fd, NULL, &next), 0);
	assert_int_equal(next, 0);
	key = 1;
	assert_int_equal(map_next(fd, &key, &next), 0);
	assert_int_equal(next, 2);
	assert_int_equal(map_next(fd, &next, &next), -ENOENT);
	key = 77;
	assert_int_equal(map_next(fd, &key, &next), 0);
	assert_int_equal(next, 0);
	bpf_close(fd);

	assert_int_equal(map_create(BPF_MAP_TYPE_ARRAY, 8, 4, 1), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_ARRAY, 4, 0, 1), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 0), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_ARRAY, 4, 1u << 31, 1), -E2BIG);
	assert_int_equal(map_create(BPF_MAP_TYPE_ARRAY, 4, 1u << 30, 1u << 30), -ENOMEM);
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_NO_PREALLOC),
			 -EINVAL);
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_ARRAY, 4, 4, 1,
					  BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG), -EINVAL);
}

static int count_elems(void *key, void *value, void *arg)
{
	u32 *seen = arg;

	seen[*(u32 *)key] += 1 + *(u32 *)value;
	return seen[*(u32 *)key] > 100;
}

static void test_array_for_each(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 4);
	struct bpf_map *map = map_of(fd);
	u32 key = 1, value = 10, seen[4] = { 0 };

	assert_int_equal(map_update(fd, &key, &value, BPF_ANY), 0);
	assert_int_equal(map->ops->for_each(map, count_elems, seen), 4);
	assert_int_equal(seen[0], 1);
	assert_int_equal(seen[1], 11);
	value = 200; /* stops there */
	assert_int_equal(map_update(fd, &key, &value, BPF_ANY), 0);
	assert_int_equal(map->ops->for_each(map, count_elems, seen), 2);
	bpf_close(fd);
}

static void test_array_mmap(void **state)
{
	int fd = map_create_flags(BPF_MAP_TYPE_ARRAY, 4, 4, 1500, BPF_F_MMAPABLE);
	struct bpf_map *map = map_of(fd);
	u32 key = 1499, value = 7, *elem = map->ops->lookup(map, &key);
	u64 *user, *part;

	user = bpf_map_mmap(fd, NULL, 12000, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	assert_ptr_not_equal(user, MAP_FAILED);
	assert_int_equal(map->writable_mappings, 1);
	user[1499] = 42; /* user space's is programs' */
	assert_int_equal(*elem, 42);
	*elem = 43;
	assert_int_equal((u32)user[1499], 43);
	assert_int_equal(map_update(fd, &key, &value, BPF_ANY), 0);
	assert_int_equal((u32)user[1499], 7);

	assert_int_equal(map_elem(BPF_MAP_FREEZE, fd, NULL, NULL, 0), -EBUSY);
	/* punch a hole: the rest is still writable */
	bpf_map_munmap_notice((char *)user + 4096, 4096);
	munmap((char *)user + 4096, 4096);
	assert_int_equal(map->writable_mappings, 2);
	bpf_map_munmap_notice(user, 12288);
	munmap(user, 12288);
	assert_int_equal(map->writable_mappings, 0);
	assert_int_equal(map_elem(BPF_MAP_FREEZE, fd, NULL, NULL, 0), 0);
	assert_ptr_equal(bpf_map_mmap(fd, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0),
			 MAP_FAILED);
	assert_int_equal(errno, EPERM);
	part = bpf_map_mmap(fd, NULL, 4096, PROT_READ, MAP_SHARED, 8192);
	assert_ptr_not_equal(part, MAP_FAILED);
	assert_int_equal((u32)part[1499 - 1024], 7);
	assert_ptr_equal(bpf_map_mmap(fd, NULL, 4097, PROT_READ, MAP_SHARED, 8192), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(bpf_map_mmap(fd, NULL, 4096, PROT_READ, MAP_PRIVATE, 0), MAP_FAILED);
	assert_int_equal(errno, EINVAL);

	/* the mapping outlives the descriptor, and the map with it */
	bpf_close(fd);
	assert_int_equal(*elem, 7);
	bpf_map_munmap_notice(part, 4096);
	munmap(part, 4096);

	fd = map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	assert_ptr_equal(bpf_map_mmap(fd, NULL, 4096, PROT_READ, MAP_SHARED, 0), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	bpf_close(fd);
	fd = map_create_flags(BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	assert_ptr_equal(bpf_map_mmap(fd, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0),
			 MAP_FAILED);
	assert_int_equal(errno, EACCES);
	bpf_close(fd);
}

/* Two runs of the same requests give the same addresses. */
static void test_addresses(void **state)
{
	static void *first[2];
	u32 key = 0;
	int fd = map_create_flags(BPF_MAP_TYPE_ARRAY, 4, 4, 10, BPF_F_MMAPABLE);
	void *map = map_of(fd), *elem = map_of(fd)->ops->lookup(map, &key);

	assert_true((u64)map >= KHEAP_BASE && (u64)elem >= KHEAP_BASE);
	assert_int_equal((u64)elem % 4096, 0);
	if (first[0]) {
		assert_ptr_equal(first[0], map);
		assert_ptr_equal(first[1], elem);
	}
	first[0] = map;
	first[1] = elem;
	bpf_close(fd);
}

static void test_percpu_array(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 2);
	struct bpf_map *map = map_of(fd);
	u64 values[NR_CPUS] = { 10, 11, 12, 13 };
	u32 key = 1, value = 99;

	assert_int_equal(map_update(fd, &key, values, BPF_ANY), 0);
	test_cpu = 2;
	assert_int_equal(*(u32 *)map->ops->lookup(map, &key), 12);
	assert_int_equal(map->ops->update(map, &key, &value, BPF_ANY), 0);
	assert_int_equal(*(u32 *)map->ops->lookup_percpu(map, &key, 2), 99);
	assert_int_equal(*(u32 *)map->ops->lookup_percpu(map, &key, 3), 13);
	assert_null(map->ops->lookup_percpu(map, &key, NR_CPUS));
	memset(values, 0xff, sizeof(values));
	assert_int_equal(map_lookup(fd, &key, values), 0);
	assert_int_equal(values[0], 10); /* padding is zero */
	assert_int_equal(values[2], 99);
	assert_int_equal(map_update(fd, &key, values, BPF_NOEXIST), -EEXIST);
	key = 2;
	assert_int_equal(map_update(fd, &key, values, BPF_ANY), -E2BIG);
	assert_int_equal(map_lookup(fd, &key, values), -ENOENT);
	bpf_close(fd);
	assert_int_equal(map_create(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 32769, 1), -E2BIG);
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 1, BPF_F_MMAPABLE),
			 -EINVAL);
}

/* Addresses computed from the layout are those that lookups give. */
static void check_layout(enum bpf_map_type type, u32 flags, u32 elem_size, u64 stride)
{
	int fd = map_create_flags(type, 4, 12, 5, flags);
	struct bpf_map *map = map_of(fd);
	struct bpf_array_layout l = { 0 };
	u32 i, cpu;

	assert_true(bpf_map_array_layout(map, &l));
	assert_int_equal(l.elem_size, elem_size);
	assert_int_equal(l.max_entries, 5);
	assert_int_equal(l.percpu_stride, stride);
	for (i = 0; i < 5; i++) {
		for (cpu = 0; cpu < NR_CPUS; cpu++) {
			test_cpu = cpu;
			assert_ptr_equal(map->ops->lookup(map, &i),
					 l.base + cpu * l.percpu_stride + i * l.elem_size);
		}
	}
	test_cpu = 0;
	bpf_close(fd);
}

static void test_array_layout(void **state)
{
	struct bpf_array_layout l;
	int fd = map_create(BPF_MAP_TYPE_HASH, 4, 4, 1);

	check_layout(BPF_MAP_TYPE_ARRAY, 0, 16, 0);
	check_layout(BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, 16, 0);
	check_layout(BPF_MAP_TYPE_PERCPU_ARRAY, 0, 16, 128);
	assert_false(bpf_map_array_layout(map_of(fd), &l));
	bpf_close(fd);
}

/* --- hashes ---------------------------------------------------------------- */

static void test_hash(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_HASH, 6, 8, 2);
	struct bpf_map *map = map_of(fd);
	u64 value = 1, got, *elem;
	char key[6] = "one", next[6];

	assert_int_equal(map_lookup(fd, key, &got), -ENOENT);
	assert_int_equal(map_delete(fd, key), -ENOENT);
	assert_int_equal(map_next(fd, NULL, next), -ENOENT);
	assert_int_equal(map_update(fd, key, &value, BPF_EXIST), -ENOENT);
	assert_int_equal(map_update(fd, key, &value, BPF_NOEXIST), 0);
	assert_int_equal(map_update(fd, key, &value, BPF_NOEXIST), -EEXIST);
	assert_int_equal(map_update(fd, key, &value, 3), -EINVAL);
	assert_int_equal(map_update(fd, "two\0\0", &value, BPF_ANY), 0);
	assert_int_equal(map_update(fd, "three", &value, BPF_ANY), -E2BIG);
	value = 5;
	assert_int_equal(map_update(fd, key, &value, BPF_ANY), 0); /* full is no matter */
	assert_int_equal(map_lookup(fd, key, &got), 0);
	assert_int_equal(got, 5);

	/* what a program holds stays as it is until no program runs */
	elem = map->ops->lookup(map, key);
	assert_string_equal(map->ops->key_of(map, elem), key);
	assert_int_equal(map->ops->delete(map, key), 0);
	assert_null(map->ops->key_of(map, elem));
	value = 6;
	assert_int_equal(map->ops->update(map, "three", &value, BPF_ANY), 0);
	assert_ptr_not_equal(map->ops->lookup(map, "three"), elem);
	assert_int_equal(*elem, 5);
	bpf_rcu_reclaim(BPF_RCU_ALL);

	assert_int_equal(map_pop(fd, "three", &got), 0);
	assert_int_equal(got, 6);
	assert_int_equal(map_pop(fd, "three", &got), -ENOENT);
	bpf_close(fd);

	assert_int_equal(map_create(BPF_MAP_TYPE_HASH, 0, 4, 1), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_HASH, 4, 0, 1), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_HASH, 4, 4, 0), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_HASH, 4, 4 << 20, 1), -E2BIG);
	assert_int_equal(map_create(BPF_MAP_TYPE_HASH, 5 << 20, 4, 1), -E2BIG);
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_HASH, 4, 4, 1, BPF_F_NO_COMMON_LRU),
			 -EINVAL);
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_HASH, 4, 4, 1, BPF_F_MMAPABLE), -EINVAL);
}

/* Iteration sees every key once, in an order that only depends on the keys. */
static void test_hash_iteration(void **state)
{
	int fd = map_create_flags(BPF_MAP_TYPE_HASH, 4, 4, 1000, BPF_F_NO_PREALLOC);
	int fd2 = map_create(BPF_MAP_TYPE_HASH, 4, 4, 1000);
	u32 i, key, next, next2, seen[1000] = { 0 }, nr = 0;
	void *prev = NULL;

	for (i = 0; i < 1000; i++) {
		assert_int_equal(map_update(fd, &i, &i, BPF_ANY), 0);
		assert_int_equal(map_update(fd2, &i, &i, BPF_ANY), 0);
	}
	while (map_next(fd, prev, &next) == 0) {
		assert_int_equal(map_next(fd2, prev, &next2), 0);
		assert_int_equal(next, next2);
		assert_in_range(next, 0, 999);
		seen[next]++;
		key = next;
		prev = &key;
		nr++;
	}
	assert_int_equal(nr, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(seen[i], 1);
	bpf_close(fd2);
	bpf_close(fd);
}

struct walk {
	struct bpf_map *map;
	u32 visited;
};

static int delete_elem(void *key, void *value, void *arg)
{
	struct walk *w = arg;

	assert_int_equal(*(u32 *)key * 3, *(u32 *)value);
	w->visited++;
	assert_int_equal(w->map->ops->delete(w->map, key), 0);
	return 0;
}

static void test_hash_delete_in_walk(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_HASH, 4, 4, 64);
	struct walk w = { .map = map_of(fd) };
	u32 i, value;

	for (i = 0; i < 64; i++) {
		value = i * 3;
		map_update(fd, &i, &value, BPF_ANY);
	}
	assert_int_equal(w.map->ops->for_each(w.map, delete_elem, &w), 64);
	assert_int_equal(w.visited, 64);
	assert_int_equal(map_next(fd, NULL, &i), -ENOENT);
	bpf_close(fd);
}

enum { MODEL_KEYS = 6000, MODEL_ENTRIES = 3000 };

static void model_key(u8 *key, u32 key_size, u32 i)
{
	for (u32 j = 0; j < key_size; j++)
		key[j] = (u8)(i >> (j % 2 ? 8 : 0)) + (u8)(j / 2);
}

static u32 overflowing_buckets(const struct hash_map *h)
{
	u32 nr = 0;

	for (u32 i = 0; i <= h->bucket_mask; i++)
		nr += h->buckets[i].overflow != 0;
	return nr;
}

/* Random requests against a table that cannot be wrong; what is iterated is what is there. */
static void check_hash_model(u32 flags, u32 key_size)
{
	static u64 model[MODEL_KEYS]; /* 0: not there */
	int fd = map_create_flags(BPF_MAP_TYPE_HASH, key_size, 8, MODEL_ENTRIES, flags);
	struct bpf_map *map = map_of(fd);
	u32 count = 0, step, i, seen = 0;
	u8 key[64], next[64];
	bool overflowed = false;
	struct rng rng;

	rng_init(&rng, key_size);
	memset(model, 0, sizeof(model));
	for (step = 1; step < 60000; step++) {
		u64 value = step, flag = rng_below(&rng, 3), *found;

		i = (u32)rng_below(&rng, MODEL_KEYS);
		model_key(key, key_size, i);
		found = map->ops->lookup(map, key);
		assert_int_equal(found ? *found : 0, model[i]);
		if (rng_below(&rng, 3) == 0) {
			assert_int_equal(map->ops->delete(map, key), model[i] ? 0 : -ENOENT);
			count -= model[i] != 0;
			model[i] = 0;
		} else {
			long err = map->ops->update(map, key, &value, flag);

			if (flag == BPF_NOEXIST && model[i])
				assert_int_equal(err, -EEXIST);
			else if (flag == BPF_EXIST && !model[i])
				assert_int_equal(err, -ENOENT);
			else if (!model[i] && count == MODEL_ENTRIES)
				assert_int_equal(err, -E2BIG);
			else
				assert_int_equal(err, 0);
			count += !err && !model[i];
			if (!err)
				model[i] = value;
		}
		if (found) /* of a program that still runs */
			assert_in_range(*found, 1, step);
		if (step % 7 == 0)
			bpf_rcu_reclaim(BPF_RCU_ALL);
		overflowed |= step % 1000 == 0 && overflowing_buckets(to_hash(map));
	}
	assert_true(overflowed);
	assert_int_equal(to_hash(map)->count, count);
	for (void *prev = NULL; map_next(fd, prev, next) == 0; prev = key) {
		u64 *found = map->ops->lookup(map, next);

		assert_non_null(found);
		memcpy(key, next, key_size);
		seen++;
	}
	assert_int_equal(seen, count);
	bpf_close(fd);
}

static void test_hash_model(void **state)
{
	static const u32 key_sizes[] = { 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 40, 64 };

	for (u32 i = 0; i < ARRAY_SIZE(key_sizes); i++)
		check_hash_model(i & 1 ? BPF_F_NO_PREALLOC : 0, key_sizes[i]);
}

static u32 scrambled(u32 i)
{
	i = (i ^ i >> 16) * 0x45d9f3b;
	i = (i ^ i >> 16) * 0x45d9f3b;
	return i ^ i >> 16;
}

/* Every element once, whichever of them are deleted meanwhile. */
static int delete_half(void *key, void *value, void *arg)
{
	struct walk *w = arg;
	u32 i = *(u32 *)value;

	assert_int_equal(*(u32 *)key, scrambled(i));
	w->visited++;
	if (i % 2)
		assert_int_equal(w->map->ops->delete(w->map, key), 0);
	return 0;
}

static void test_hash_delete_in_long_walk(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_HASH, 4, 4, 6000);
	struct walk w = { .map = map_of(fd) };
	u32 i, key;

	for (i = 0; i < 6000; i++) {
		key = scrambled(i);
		assert_int_equal(map_update(fd, &key, &i, BPF_ANY), 0);
	}
	assert_true(overflowing_buckets(to_hash(w.map)));
	assert_int_equal(w.map->ops->for_each(w.map, delete_half, &w), 6000);
	assert_int_equal(w.map->ops->for_each(w.map, delete_half, &w), 3000);
	assert_int_equal(w.visited, 9000);
	bpf_close(fd);
}

/* Once it is there, a map takes nothing more from the heap, whatever is done with it. */
static void check_no_allocation(enum bpf_map_type type, u32 flags)
{
	int fd = map_create_flags(type, 4, 4, 100, flags);
	struct bpf_map *map = map_of(fd);
	struct kheap_stats before, after;
	u32 i, value = 1;

	for (i = 0; flags & BPF_F_NO_PREALLOC && i < 10; i++) /* has what it needs after this */
		assert_int_equal(map->ops->update(map, &i, &value, BPF_ANY), 0);
	bpf_rcu_reclaim(BPF_RCU_ALL);
	kheap_stats(&before);
	for (i = 0; i < 10000; i++) {
		u32 key = i % 100;

		assert_int_equal(map->ops->update(map, &key, &value, BPF_ANY), 0);
		assert_int_equal(map->ops->update(map, &key, &value, BPF_EXIST), 0);
		if (i % 3 && flags == 0)
			continue;
		assert_int_equal(map->ops->delete(map, &key), 0);
		bpf_rcu_reclaim(BPF_RCU_ALL);
	}
	kheap_stats(&after);
	assert_int_equal(before.objects, after.objects);
	assert_int_equal(before.live, after.live);
	bpf_close(fd);
}

static void test_hash_no_allocation(void **state)
{
	check_no_allocation(BPF_MAP_TYPE_HASH, 0);
	check_no_allocation(BPF_MAP_TYPE_PERCPU_HASH, 0);
	check_no_allocation(BPF_MAP_TYPE_LRU_HASH, 0);
	check_no_allocation(BPF_MAP_TYPE_LRU_PERCPU_HASH, 0);
	check_no_allocation(BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC);
}

/* More is replaced in one run than is preallocated: every old value stays as it was. */
static void test_hash_many_replaced(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_HASH, 4, 8, 1);
	struct bpf_map *map = map_of(fd);
	u64 *held[1000], value;
	u32 key = 3;

	for (value = 0; value < ARRAY_SIZE(held); value++) {
		assert_int_equal(map->ops->update(map, &key, &value, BPF_ANY), 0);
		held[value] = map->ops->lookup(map, &key);
	}
	for (value = 0; value < ARRAY_SIZE(held); value++)
		assert_int_equal(*held[value], value);
	bpf_rcu_reclaim(BPF_RCU_ALL);
	assert_int_equal(*held[999], 999);
	assert_ptr_equal(map->ops->lookup(map, &key), held[999]);
	bpf_close(fd);
	/* more than any map may have */
	assert_int_equal(map_create(BPF_MAP_TYPE_HASH, 4, 1 << 20, 1 << 20), -ENOMEM);
	assert_non_null(strstr(bpf_refusal(), "16 GiB"));
}

/* A new element is zero for all CPUs but the one that made it, also one that is reused. */
static void test_percpu_hash_zeroed(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 1);
	struct bpf_map *map = map_of(fd);
	u64 value = 7;

	for (u32 key = 0; key < 100; key++) {
		test_cpu = key % NR_CPUS;
		assert_int_equal(map->ops->update(map, &key, &value, BPF_NOEXIST), 0);
		for (u32 cpu = 0; cpu < NR_CPUS; cpu++)
			assert_int_equal(*(u64 *)map->ops->lookup_percpu(map, &key, cpu),
					 cpu == test_cpu ? 7 : 0);
		assert_int_equal(map->ops->delete(map, &key), 0);
		bpf_rcu_reclaim(BPF_RCU_ALL);
	}
	test_cpu = 0;
	bpf_close(fd);
}

static void test_percpu_hash(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_PERCPU_HASH, 4, 4, 2);
	struct bpf_map *map = map_of(fd);
	u64 values[NR_CPUS];
	u32 key = 5, value = 50, cpu;

	test_cpu = 1;
	assert_int_equal(map->ops->update(map, &key, &value, BPF_ANY), 0);
	assert_int_equal(*(u32 *)map->ops->lookup(map, &key), 50);
	memset(values, 0xff, sizeof(values));
	assert_int_equal(map_lookup(fd, &key, values), 0);
	for (cpu = 0; cpu < NR_CPUS; cpu++) {
		assert_int_equal(values[cpu], cpu == 1 ? 50 : 0);
		values[cpu] = cpu;
	}
	assert_int_equal(map_update(fd, &key, values, BPF_EXIST), 0);
	assert_int_equal(*(u32 *)map->ops->lookup_percpu(map, &key, 3), 3);
	assert_null(map->ops->lookup_percpu(map, &key, NR_CPUS));
	assert_int_equal(map_pop(fd, &key, values), 0);
	assert_int_equal(map_lookup(fd, &key, values), -ENOENT);
	bpf_close(fd);
	assert_int_equal(map_create(BPF_MAP_TYPE_PERCPU_HASH, 4, 40000, 1), -E2BIG);
}

static void test_lru_hash(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_LRU_HASH, 4, 4, 3);
	struct bpf_map *map = map_of(fd);
	u32 i, value;

	for (i = 0; i < 3; i++)
		assert_int_equal(map_update(fd, &i, &i, BPF_ANY), 0);
	i = 0;
	assert_non_null(map->ops->lookup(map, &i)); /* a program wants it */
	i = 1;
	assert_int_equal(map_lookup(fd, &i, &value), 0); /* user space does not count */
	i = 3;
	assert_int_equal(map_update(fd, &i, &i, BPF_ANY), 0);
	i = 1;
	assert_int_equal(map_lookup(fd, &i, &value), -ENOENT);
	i = 0;
	assert_int_equal(map_lookup(fd, &i, &value), 0);
	for (i = 100; i < 200; i++)
		assert_int_equal(map_update(fd, &i, &i, BPF_NOEXIST), 0);
	for (i = 197; i < 200; i++)
		assert_int_equal(map_lookup(fd, &i, &value), 0);
	bpf_close(fd);
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_LRU_HASH, 4, 4, 1, BPF_F_NO_PREALLOC),
			 -ENOTSUPP);
	fd = map_create_flags(BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 4, 8, BPF_F_NO_COMMON_LRU);
	map = map_of(fd);
	assert_int_equal(map->ops->update(map, &i, &value, BPF_ANY), 0);
	assert_int_equal(*(u32 *)map->ops->lookup(map, &i), value);
	bpf_close(fd);
}

/* --- queues, filters, tries ------------------------------------------------ */

/* Against a list that is kept by hand. */
static void test_lru_order(void **state)
{
	enum { NR = 200 };
	int fd = map_create(BPF_MAP_TYPE_LRU_HASH, 4, 4, NR);
	struct bpf_map *map = map_of(fd);
	u32 list[NR], nr = 0, i; /* the newest last */
	bool referenced[10 * NR] = { false };
	struct rng rng;

	rng_init(&rng, 9);
	for (u32 step = 0; step < 20000; step++) {
		u32 key = (u32)rng_below(&rng, ARRAY_SIZE(referenced)), at = 0;

		for (at = 0; at < nr && list[at] != key; at++)
			;
		if (rng_below(&rng, 2)) {
			assert_int_equal(map->ops->lookup(map, &key) != NULL, at < nr);
			referenced[key] |= at < nr;
			continue;
		}
		assert_int_equal(map->ops->update(map, &key, &key, BPF_ANY), 0);
		if (at < nr) {
			referenced[key] = true;
			continue;
		}
		while (nr == NR) { /* one must go: the oldest that nobody wanted */
			u32 oldest = list[0];

			memmove(list, list + 1, (nr - 1) * sizeof(*list));
			if (referenced[oldest])
				list[nr - 1] = oldest;
			else
				nr--;
			referenced[oldest] = false;
		}
		list[nr++] = key;
		if (step % 16 == 0)
			bpf_rcu_reclaim(BPF_RCU_ALL);
	}
	for (i = 0; i < nr; i++)
		assert_int_equal(map_lookup(fd, &list[i], &(u32){ 0 }), 0);
	assert_int_equal(nr, to_hash(map)->count);
	bpf_close(fd);
}

static void test_queue(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_QUEUE, 0, 4, 2);
	struct bpf_map *map = map_of(fd);
	u32 value, got = 7, key = 0;

	assert_int_equal(map_pop(fd, NULL, &got), -ENOENT);
	for (value = 1; value <= 2; value++)
		assert_int_equal(map_update(fd, NULL, &value, BPF_ANY), 0);
	assert_int_equal(map_update(fd, NULL, &value, BPF_ANY), -E2BIG);
	assert_int_equal(map_update(fd, NULL, &value, BPF_NOEXIST), -EINVAL);
	assert_int_equal(map_update(fd, NULL, &value, BPF_EXIST), 0); /* 1 makes room for 3 */
	assert_int_equal(map_lookup(fd, NULL, &got), 0);
	assert_int_equal(got, 2);
	assert_int_equal(map->ops->pop(map, &got), 0);
	assert_int_equal(got, 2);
	assert_int_equal(map_pop(fd, NULL, &got), 0);
	assert_int_equal(got, 3);
	assert_int_equal(map->ops->peek(map, &got), -ENOENT);
	assert_int_equal(got, 0);
	assert_int_equal(map_lookup(fd, &key, &got), -EINVAL);
	bpf_close(fd);
	assert_int_equal(map_create(BPF_MAP_TYPE_QUEUE, 4, 4, 2), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_QUEUE, 0, 0, 2), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_QUEUE, 0, 5 << 20, 2), -E2BIG);
}

static void test_stack(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_STACK, 0, 4, 3);
	u32 value, got;

	for (value = 1; value <= 3; value++)
		assert_int_equal(map_update(fd, NULL, &value, BPF_ANY), 0);
	for (value = 3; value >= 1; value--) {
		assert_int_equal(map_lookup(fd, NULL, &got), 0);
		assert_int_equal(got, value);
		assert_int_equal(map_pop(fd, NULL, &got), 0);
		assert_int_equal(got, value);
	}
	assert_int_equal(map_pop(fd, NULL, &got), -ENOENT);
	bpf_close(fd);
}

static void test_bloom_filter(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_BLOOM_FILTER, 0, 4, 100);
	u32 value, wrong = 0;

	for (value = 0; value < 100; value++)
		assert_int_equal(map_update(fd, NULL, &value, BPF_ANY), 0);
	for (value = 0; value < 100; value++)
		assert_int_equal(map_lookup(fd, NULL, &value), 0);
	for (value = 1000; value < 2000; value++)
		wrong += map_lookup(fd, NULL, &value) == 0;
	assert_true(wrong < 25); /* 9 in theory */
	assert_int_equal(map_update(fd, NULL, &value, BPF_EXIST), -EINVAL);
	assert_int_equal(map_delete(fd, NULL), -EOPNOTSUPP);
	bpf_close(fd);
}

struct lpm_key {
	u32 prefixlen;
	u8 addr[4];
};

static void test_lpm_trie(void **state)
{
	static const struct lpm_key keys[] = { { 8, { 10 } }, { 16, { 10, 1 } }, { 0, { 0 } },
					       { 32, { 10, 1, 2, 3 } }, { 9, { 10, 128 } } };
	/* most specific first, by bits */
	static const u32 order[] = { 3, 1, 4, 0, 2 };
	int fd = map_create_flags(BPF_MAP_TYPE_LPM_TRIE, 8, 4, 5, BPF_F_NO_PREALLOC);
	struct lpm_key key = { 33, { 0 } }, next;
	u32 i, got;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		assert_int_equal(map_update(fd, &keys[i], &i, BPF_NOEXIST), 0);
	assert_int_equal(map_update(fd, &key, &i, BPF_ANY), -EINVAL);
	assert_int_equal(map_update(fd, &keys[0], &i, BPF_NOEXIST), -EEXIST);
	key = (struct lpm_key){ 24, { 1, 2, 3 } };
	assert_int_equal(map_update(fd, &key, &i, BPF_ANY), -ENOSPC);

#define LOOKUP(a, b, c, d, len, expect)                                                            \
	do {                                                                                       \
		key = (struct lpm_key){ len, { a, b, c, d } };                                     \
		assert_int_equal(map_lookup(fd, &key, &got), 0);                                   \
		assert_int_equal(got, expect);                                                     \
	} while (0)
	LOOKUP(10, 1, 2, 3, 32, 3);
	LOOKUP(10, 1, 2, 4, 32, 1);
	LOOKUP(10, 2, 2, 4, 32, 0);
	LOOKUP(10, 200, 0, 0, 32, 4);
	LOOKUP(11, 1, 2, 3, 32, 2);
	LOOKUP(10, 1, 2, 3, 12, 0); /* nothing longer than what is asked for */
	assert_int_equal(map_next(fd, NULL, &next), 0);
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(next.prefixlen, keys[order[i]].prefixlen);
		assert_int_equal(map_next(fd, &next, &next), i == 4 ? -ENOENT : 0);
	}
	assert_int_equal(map_delete(fd, &keys[2]), 0);
	assert_int_equal(map_delete(fd, &keys[2]), -ENOENT);
	key = (struct lpm_key){ 32, { 11 } };
	assert_int_equal(map_lookup(fd, &key, &got), -ENOENT);
	bpf_close(fd);
	assert_int_equal(map_create(BPF_MAP_TYPE_LPM_TRIE, 8, 4, 5), -EINVAL);
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_LPM_TRIE, 4, 4, 5, BPF_F_NO_PREALLOC),
			 -EINVAL);
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_LPM_TRIE, 261, 4, 5, BPF_F_NO_PREALLOC),
			 -EINVAL);
}

/* Against all prefixes one by one: what is found, what can be added, and the order. */
static void check_lpm_model(u32 data_size, u32 max_len)
{
	enum { NR = 300, MAX = 200 };
	static struct {
		u32 len;
		u8 data[32];
		u64 value; /* 0: not there */
	} all[NR];
	struct { u32 len; u8 data[32]; } key, next;
	int fd = map_create_flags(BPF_MAP_TYPE_LPM_TRIE, 4 + data_size, 8, MAX, BPF_F_NO_PREALLOC);
	struct bpf_map *map = map_of(fd);
	u32 i, j, count = 0, seen = 0;
	struct rng rng;

	rng_init(&rng, data_size);
	memset(all, 0, sizeof(all));
	for (i = 0; i < NR; i++) { /* all different; few bytes, so that they cover each other */
	again:
		all[i].len = (u32)rng_below(&rng, max_len + 1);
		memset(all[i].data, 0, sizeof(all[i].data));
		for (j = 0; j < all[i].len; j++)
			if (j % 5 == 0 || j > 20)
				all[i].data[j / 8] |= rng_below(&rng, 2) << (7 - j % 8);
		for (j = 0; j < i; j++)
			if (all[j].len == all[i].len && !memcmp(all[j].data, all[i].data, 32))
				goto again;
	}
	for (u32 step = 1; step < 20000; step++) {
		u64 value = step, *found, want = 0;
		u32 best = 0;
		long err;

		i = (u32)rng_below(&rng, NR);
		key.len = all[i].len;
		memcpy(key.data, all[i].data, sizeof(key.data));
		if (rng_below(&rng, 3)) {
			err = map->ops->update(map, &key, &value, BPF_ANY);
			assert_int_equal(err, !all[i].value && count == MAX ? -ENOSPC : 0);
			count += !err && !all[i].value;
			if (!err)
				all[i].value = value;
		} else {
			assert_int_equal(map->ops->delete(map, &key), all[i].value ? 0 : -ENOENT);
			count -= all[i].value != 0;
			all[i].value = 0;
		}
		i = (u32)rng_below(&rng, NR);
		memcpy(key.data, all[i].data, sizeof(key.data));
		key.len = all[i].len + (u32)rng_below(&rng, max_len - all[i].len + 1);
		for (j = 0; j < NR; j++) {
			u32 same = 0;

			while (same < all[j].len &&
			       !((all[j].data[same / 8] ^ key.data[same / 8]) >> (7 - same % 8) & 1))
				same++;
			if (all[j].value && same == all[j].len && same <= key.len && same >= best) {
				best = same;
				want = all[j].value;
			}
		}
		found = map->ops->lookup(map, &key);
		assert_int_equal(found ? *found : 0, want);
		if (step % 5 == 0)
			bpf_rcu_reclaim(BPF_RCU_ALL);
	}
	assert_int_equal(map_next(fd, NULL, &next), 0);
	do {
		seen++;
		key = next;
		assert_non_null(map->ops->lookup(map, &key));
		i = map_next(fd, &key, &next) == 0;
		if (!i)
			break;
		/* by bits, and what covers after what it covers */
		for (j = 0; j < key.len && j < next.len; j++)
			if ((key.data[j / 8] ^ next.data[j / 8]) >> (7 - j % 8) & 1)
				break;
		if (j < key.len && j < next.len)
			assert_true(next.data[j / 8] >> (7 - j % 8) & 1);
		else
			assert_true(next.len < key.len);
	} while (i);
	assert_int_equal(seen, count);
	bpf_close(fd);
}

static void test_lpm_model(void **state)
{
	check_lpm_model(4, 32);
	check_lpm_model(8, 60);
	check_lpm_model(3, 24);
	check_lpm_model(16, 128);
	check_lpm_model(19, 150);
}

/* --- ring buffers ---------------------------------------------------------- */

static void test_ringbuf(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	struct bpf_map *map = map_of(fd);
	u64 *cons, *a, *b, key = 0;
	const u64 *prod;
	const u32 *data;
	u32 i;

	cons = bpf_map_mmap(fd, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	assert_ptr_not_equal(cons, MAP_FAILED);
	prod = bpf_map_mmap(fd, NULL, 4096 + 2 * 4096, PROT_READ, MAP_SHARED, 4096);
	assert_ptr_not_equal(prod, MAP_FAILED);
	data = (const u32 *)prod + 1024;
	assert_ptr_equal(bpf_map_mmap(fd, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 4096),
			 MAP_FAILED);
	assert_int_equal(errno, EPERM);

	a = bpf_ringbuf_reserve(map, 16);
	b = bpf_ringbuf_reserve(map, 5);
	assert_non_null(a);
	assert_ptr_equal((char *)b, (char *)a + 24);
	assert_int_equal(bpf_ringbuf_sample_size(b), 5);
	assert_int_equal(*prod, 24 + 16);
	assert_int_equal(data[0], 16 | BPF_RINGBUF_BUSY_BIT);
	a[0] = 0x1122334455667788;
	bpf_ringbuf_commit(a, 0, false);
	assert_int_equal(data[0], 16);
	assert_int_equal(data[2], 0x55667788);
	bpf_ringbuf_commit(b, 0, true);
	assert_int_equal(data[6], 5 | BPF_RINGBUF_DISCARD_BIT);
	bpf_ringbuf_commit(b, 0, false); /* not reserved any more */
	assert_int_equal(data[6], 5 | BPF_RINGBUF_DISCARD_BIT);
	bpf_ringbuf_commit(&key, 0, false); /* nor ever */
	assert_true(bpf_map_readable(fd));

	/* full until the consumer moves on; then a record that wraps around */
	assert_int_equal(bpf_ringbuf_output(map, data, 4000, 0), 0);
	assert_int_equal(bpf_ringbuf_output(map, data, 100, 0), -EAGAIN);
	assert_int_equal(bpf_ringbuf_output(map, data, 8, 4), -EINVAL);
	*cons = *prod;
	assert_false(bpf_map_readable(fd));
	assert_int_equal(bpf_ringbuf_query(map, BPF_RB_AVAIL_DATA), 0);
	assert_int_equal(bpf_ringbuf_query(map, BPF_RB_RING_SIZE), 4096);
	assert_int_equal(bpf_ringbuf_query(map, BPF_RB_CONS_POS), 4048);
	a = bpf_ringbuf_reserve(map, 400);
	assert_non_null(a);
	for (i = 0; i < 100; i++)
		((u32 *)a)[i] = i;
	for (i = 0; i < 100; i++) /* user space sees it in one piece, too */
		assert_int_equal(data[(4048 + 8) / 4 + i], i);
	assert_int_equal(data[(4048 + 8 - 4096) / 4 + 1024 + 10], 10);
	bpf_ringbuf_commit(a, 0, false);
	assert_null(bpf_ringbuf_reserve(map, 4090));
	assert_null(bpf_ringbuf_reserve(map, ~0ULL));

	/* a consumer position that makes no sense stops the producer, no more */
	*cons = 1ULL << 60;
	assert_null(bpf_ringbuf_reserve(map, 8));
	assert_int_equal(map_lookup(fd, NULL, &key), -ENOTSUPP);
	bpf_map_munmap_notice((void *)cons, 4096);
	bpf_map_munmap_notice((void *)prod, 3 * 4096);
	munmap((void *)cons, 4096);
	munmap((void *)prod, 3 * 4096);
	bpf_close(fd);
	assert_int_equal(map_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 4097), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 3 * 4096), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 0), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_RINGBUF, 4, 4, 4096), -EINVAL);
}

/* A record whose header a program has overwritten does no harm to the next reservation. */
/* Samples are told apart by where they are; what is none is ignored. */
static void test_ringbuf_samples(void **state)
{
	int a = map_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	int b = map_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 8192);
	int array = map_create(BPF_MAP_TYPE_ARRAY, 4, 64, 1);
	u64 *first = bpf_ringbuf_reserve(map_of(a), 16), *second = bpf_ringbuf_reserve(map_of(b), 24);
	u64 *element = map_of(array)->ops->lookup(map_of(array), &(u32){ 0 }), local[2] = { ~0ULL };

	assert_int_equal(bpf_ringbuf_sample_size(first), 16);
	assert_int_equal(bpf_ringbuf_sample_size(second), 24);
	assert_int_equal(bpf_ringbuf_sample_size((char *)first + 4), 0);
	assert_int_equal(bpf_ringbuf_sample_size(first - 1), 0);
	element[0] = ~0ULL; /* as a header would be */
	bpf_ringbuf_commit(element + 1, 0, false);
	bpf_ringbuf_commit(local + 1, 0, false);
	assert_int_equal(element[0], ~0ULL);
	assert_int_equal(local[0], ~0ULL);
	bpf_ringbuf_commit(first, 0, false);
	bpf_ringbuf_commit(second, 0, true);
	assert_int_equal(bpf_ringbuf_sample_size(first), 0);
	assert_int_equal(bpf_ringbuf_sample_size(second), 0);
	bpf_close(array);
	bpf_close(b);
	bpf_close(a);
}

static void test_ringbuf_overwritten(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	struct bpf_map *map = map_of(fd);
	u32 *a = bpf_ringbuf_reserve(map, 8);

	a[-2] = 0x3fffffff;
	assert_non_null(bpf_ringbuf_reserve(map, 8));
	assert_non_null(bpf_ringbuf_reserve(map, 8));
	bpf_close(fd);
}

static void test_user_ringbuf(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096);
	struct bpf_map *map = map_of(fd);
	u64 *prod;
	u32 *data, size;
	void *sample;

	assert_ptr_equal(bpf_map_mmap(fd, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0),
			 MAP_FAILED);
	prod = bpf_map_mmap(fd, NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 4096);
	assert_ptr_not_equal(prod, MAP_FAILED);
	data = (u32 *)prod + 1024;
	assert_int_equal(bpf_user_ringbuf_start(map), 0);
	assert_int_equal(bpf_user_ringbuf_start(map), -EBUSY);
	assert_int_equal(bpf_user_ringbuf_peek(map, &sample, &size), -ENODATA);
	data[0] = 4 | BPF_RINGBUF_BUSY_BIT;
	*prod = 16;
	assert_int_equal(bpf_user_ringbuf_peek(map, &sample, &size), -ENODATA);
	data[0] = 4;
	data[2] = 77;
	assert_int_equal(bpf_user_ringbuf_peek(map, &sample, &size), 0);
	assert_int_equal(size, 4);
	assert_int_equal(*(u32 *)sample, 77);
	bpf_user_ringbuf_release(map, size);
	data[4] = 8 | BPF_RINGBUF_DISCARD_BIT;
	*prod = 32;
	assert_int_equal(bpf_user_ringbuf_peek(map, &sample, &size), -EAGAIN);
	assert_int_equal(bpf_user_ringbuf_peek(map, &sample, &size), -ENODATA);
	*prod = 33;
	assert_int_equal(bpf_user_ringbuf_peek(map, &sample, &size), -EINVAL);
	data[8] = 100;
	*prod = 48;
	assert_int_equal(bpf_user_ringbuf_peek(map, &sample, &size), -EINVAL);
	*prod = 1ULL << 40;
	data[8] = 5000;
	assert_int_equal(bpf_user_ringbuf_peek(map, &sample, &size), -E2BIG);
	bpf_user_ringbuf_end(map);
	bpf_map_munmap_notice(prod, 3 * 4096);
	munmap(prod, 3 * 4096);
	bpf_close(fd);
}

/* --- local storage --------------------------------------------------------- */

static int create_storage(int btf_fd, u32 value_size)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_TASK_STORAGE,
				.key_size = 4,
				.value_size = value_size,
				.map_flags = BPF_F_NO_PREALLOC,
				.btf_fd = (u32)btf_fd,
				.btf_key_type_id = 1,
				.btf_value_type_id = 2 };

	return (int)vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static void test_local_storage(void **state)
{
	struct btf_builder *b = malloc(sizeof(*b));
	void *task1 = NULL, *task2 = NULL;
	u64 init = 5, *value, pidfd = 3;
	struct bpf_map *map, *other;
	int btf_fd, fd, fd2;

	btf_start(b);
	btf_add_int(b, "int", 4);
	btf_add_int(b, "long", 8);
	btf_fd = btf_load_built(b);
	free(b);
	fd = create_storage(btf_fd, 8);
	fd2 = create_storage(btf_fd, 8);
	map = map_of(fd);
	other = map_of(fd2);

	assert_null(bpf_local_storage_get(map, &task1, NULL, 0));
	assert_null(bpf_local_storage_get(map, &task1, NULL, 2));
	value = bpf_local_storage_get(map, &task1, &init, BPF_LOCAL_STORAGE_GET_F_CREATE);
	assert_non_null(value);
	assert_int_equal(*value, 5);
	*value = 6;
	assert_ptr_equal(bpf_local_storage_get(map, &task1, &init,
					       BPF_LOCAL_STORAGE_GET_F_CREATE), value);
	assert_null(bpf_local_storage_get(map, &task2, NULL, 0));
	assert_null(bpf_local_storage_get(other, &task1, NULL, 0));
	assert_non_null(bpf_local_storage_get(other, &task1, NULL, 1));
	assert_non_null(bpf_local_storage_get(map, &task2, NULL, 1));

	assert_int_equal(bpf_local_storage_delete(map, &task1), 0);
	assert_int_equal(bpf_local_storage_delete(map, &task1), -ENOENT);
	assert_int_equal(*value, 6); /* until no program runs */
	bpf_task_storage_free(&task1);
	assert_null(task1);
	assert_null(bpf_local_storage_get(other, &task1, NULL, 0));

	assert_int_equal(map_lookup(fd, &pidfd, &init), -EBADF);
	assert_int_equal(map_next(fd, NULL, &pidfd), -ENOTSUPP);
	bpf_close(fd); /* task2's goes with the map */
	assert_null(task2);
	bpf_task_storage_free(&task2);
	bpf_close(fd2);
	assert_int_equal(create_storage(btf_fd, 70000), -E2BIG);
	assert_int_equal(create_storage(btf_fd, 12), -EINVAL); /* not what BTF says */
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_TASK_STORAGE, 4, 8, 0, BPF_F_NO_PREALLOC),
			 -EINVAL);
	bpf_close(btf_fd);
}

/* Many maps, of which some go and others come: none sees the values of another. */
static void test_local_storage_many(void **state)
{
	enum { NR_MAPS = 20, NR_OWNERS = 3 };
	struct btf_builder *b = malloc(sizeof(*b));
	void *owners[NR_OWNERS] = { NULL };
	int fds[NR_MAPS], btf_fd;
	u32 i, j;

	btf_start(b);
	btf_add_int(b, "int", 4);
	btf_add_int(b, "long", 8);
	btf_fd = btf_load_built(b);
	free(b);
	for (i = 0; i < NR_MAPS; i++) {
		fds[i] = create_storage(btf_fd, 8);
		for (j = 0; j < NR_OWNERS; j++) {
			u64 value = 100 * i + j;

			if ((i + j) % 2)
				assert_non_null(bpf_local_storage_get(map_of(fds[i]), &owners[j],
								      &value, 1));
		}
	}
	for (i = 0; i < NR_MAPS; i += 3) { /* a new one in the place of the old */
		bpf_close(fds[i]);
		fds[i] = create_storage(btf_fd, 8);
	}
	for (i = 0; i < NR_MAPS; i++) {
		for (j = 0; j < NR_OWNERS; j++) {
			u64 *value = bpf_local_storage_get(map_of(fds[i]), &owners[j], NULL, 0);

			if ((i + j) % 2 && i % 3)
				assert_int_equal(*value, 100 * i + j);
			else
				assert_null(value);
		}
	}
	for (j = 0; j < NR_OWNERS; j += 2) {
		bpf_local_storage_free_owner(&owners[j]);
		assert_null(owners[j]);
	}
	for (i = 0; i < NR_MAPS; i++)
		bpf_close(fds[i]);
	assert_null(owners[1]);
	bpf_close(btf_fd);
}

/* --- maps of maps ---------------------------------------------------------- */

static int create_outer(enum bpf_map_type type, int inner)
{
	union bpf_attr attr = { .map_type = type, .key_size = 4, .value_size = 4,
				.max_entries = 2, .inner_map_fd = (u32)inner };

	return (int)vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static void check_map_of_maps(enum bpf_map_type type)
{
	int inner = map_create(BPF_MAP_TYPE_HASH, 4, 8, 16);
	int same = map_create(BPF_MAP_TYPE_HASH, 4, 8, 32);
	int different = map_create(BPF_MAP_TYPE_HASH, 4, 16, 16);
	int outer = create_outer(type, inner);
	struct bpf_map *map = map_of(outer), *held;
	u32 key = 1, id, refs;

	held = map_of(same);
	refs = held->obj.refs;
	assert_int_equal(map->inner_meta->type, BPF_MAP_TYPE_HASH);
	assert_int_equal(map->inner_meta->value_size, 8);
	assert_null(map->ops->lookup(map, &key));
	assert_int_equal(map_lookup(outer, &key, &id), -ENOENT);
	assert_int_equal(map_update(outer, &key, &different, BPF_ANY), -EINVAL);
	assert_int_equal(map_update(outer, &key, &outer, BPF_ANY), -EINVAL);
	assert_int_equal(map_update(outer, &key, &(int){ 999 }, BPF_ANY), -EBADF);
	assert_int_equal(map_update(outer, &key, &inner, BPF_ANY), 0);
	assert_int_equal(map_update(outer, &key, &same, BPF_ANY), 0);
	assert_ptr_equal(map->ops->lookup(map, &key), held);
	assert_int_equal(held->obj.refs, refs + 1);
	assert_int_equal(map_lookup(outer, &key, &id), 0);
	assert_int_equal(id, held->obj.id);
	bpf_close(same); /* the outer map holds it */
	assert_ptr_equal(map->ops->lookup(map, &key), held);
	assert_int_equal(held->max_entries, 32);
	assert_int_equal(map_delete(outer, &key), 0);
	assert_int_equal(map_delete(outer, &key), -ENOENT);
	assert_int_equal(held->max_entries, 32); /* until no program runs */
	bpf_rcu_reclaim(BPF_RCU_ALL);
	assert_null(bpf_obj_from_id(id, BPF_OBJ_MAP));
	assert_int_equal(create_outer(type, outer), -EINVAL); /* one level */
	assert_int_equal(create_outer(type, 999), -EBADF);
	assert_int_equal(map_update(outer, &key, &inner, BPF_ANY), 0);
	bpf_close(outer);
	bpf_close(inner);
	bpf_close(different);
}

static void test_array_of_maps(void **state)
{
	u32 key = 2;
	int a = map_create(BPF_MAP_TYPE_ARRAY, 4, 8, 16), b = map_create(BPF_MAP_TYPE_ARRAY, 4, 8, 8);
	int outer = create_outer(BPF_MAP_TYPE_ARRAY_OF_MAPS, a);

	check_map_of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS);
	assert_int_equal(map_update(outer, &key, &a, BPF_ANY), -E2BIG);
	key = 0;
	assert_int_equal(map_update(outer, &key, &b, BPF_ANY), -EINVAL); /* another length */
	assert_int_equal(map_update(outer, &key, &a, BPF_NOEXIST), -EINVAL);
	bpf_close(a);
	bpf_close(b);
	bpf_close(outer);
}

static void test_hash_of_maps(void **state)
{
	int inner = map_create(BPF_MAP_TYPE_ARRAY, 4, 8, 16);
	int outer = create_outer(BPF_MAP_TYPE_HASH_OF_MAPS, inner);
	u32 key;

	check_map_of_maps(BPF_MAP_TYPE_HASH_OF_MAPS);
	for (key = 0; key < 2; key++)
		assert_int_equal(map_update(outer, &key, &inner, BPF_NOEXIST), 0);
	assert_int_equal(map_update(outer, &key, &inner, BPF_ANY), -E2BIG);
	assert_int_equal(map_update(outer, &key, &inner, BPF_EXIST), -ENOENT);
	bpf_close(outer);
	bpf_close(inner);
}

/* --- arenas ----------------------------------------------------------------- */

static void test_arena(void **state)
{
	int fd = map_create_flags(BPF_MAP_TYPE_ARENA, 0, 0, 8, BPF_F_MMAPABLE);
	struct bpf_map *map = map_of(fd);
	u64 start = bpf_arena_user_start(map), page;
	u32 *user, *kernel;

	assert_int_equal(start, 0x300000000000);
	assert_ptr_equal(bpf_map_mmap(fd, NULL, 4096, PROT_READ, MAP_SHARED, 0), MAP_FAILED);
	assert_int_equal(errno, EBUSY); /* not all of it */
	user = bpf_map_mmap(fd, NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	assert_ptr_equal(user, (void *)start);

	/* user space touches page 1: it exists from then on */
	assert_null(bpf_arena_address(map, start + 4096, 4));
	user[1024] = 7;
	kernel = bpf_arena_address(map, start + 4096, 4);
	assert_non_null(kernel);
	assert_int_equal(*kernel, 7);
	assert_ptr_equal(bpf_arena_address(map, (u32)start + 4096, 4), kernel); /* 32 bits count */
	assert_null(bpf_arena_address(map, start + 8190, 4));
	assert_null(bpf_arena_address(map, start + 8 * 4096, 1));

	/* pages for programs go around it */
	assert_int_equal(bpf_arena_alloc(map, 0, 2), start + 2 * 4096);
	assert_int_equal(bpf_arena_alloc(map, 0, 1), start);
	assert_int_equal(bpf_arena_alloc(map, start + 4096, 1), 0);
	assert_int_equal(bpf_arena_alloc(map, 0, 5), 0);
	page = bpf_arena_alloc(map, 0, 4);
	assert_int_equal(page, start + 4 * 4096);
	assert_int_equal(bpf_arena_alloc(map, 0, 1), 0);
	kernel = bpf_arena_address(map, page, 4 * 4096);
	kernel[1] = 5;
	assert_int_equal(user[4 * 1024 + 1], 5);
	bpf_arena_free(map, page, 0); /* none */
	assert_non_null(bpf_arena_address(map, page, 1));
	bpf_arena_free(map, page, 100);
	assert_null(bpf_arena_address(map, page, 1));
	assert_int_equal(bpf_arena_alloc(map, 0, 4), page);
	assert_int_equal(kernel[1], 0);
	assert_int_equal(map_lookup(fd, NULL, user), -EINVAL);

	bpf_map_munmap_notice(user, 8 * 4096);
	munmap(user, 8 * 4096);
	bpf_close(fd);
	assert_int_equal(map_create(BPF_MAP_TYPE_ARENA, 0, 0, 8), -EINVAL);
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_ARENA, 0, 0, (1 << 20) + 1, BPF_F_MMAPABLE),
			 -E2BIG);
}

/* --- batches ---------------------------------------------------------------- */

static int batch(enum bpf_cmd cmd, int fd, void *in, void *out, void *keys, void *values,
		 u32 *count)
{
	union bpf_attr attr = { .batch = { .map_fd = (u32)fd, .in_batch = ptr(in),
					   .out_batch = ptr(out), .keys = ptr(keys),
					   .values = ptr(values), .count = *count } };
	int err = (int)vrt_bpf(cmd, &attr, sizeof(attr));

	*count = attr.batch.count;
	return err;
}

static void test_batch(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_HASH, 4, 4, 100);
	u32 keys[100], values[100], count = 100, total = 0, i, pos, *in = NULL, seen = 0;
	int err;

	for (i = 0; i < 100; i++) {
		keys[i] = i;
		values[i] = i + 1000;
	}
	assert_int_equal(batch(BPF_MAP_UPDATE_BATCH, fd, NULL, NULL, keys, values, &count), 0);
	assert_int_equal(count, 100);
	do {
		count = 30;
		err = batch(BPF_MAP_LOOKUP_BATCH, fd, in, &pos, keys, values, &count);
		assert_true(err == 0 || err == -ENOENT);
		for (i = 0; i < count; i++) {
			assert_int_equal(values[i], keys[i] + 1000);
			seen += keys[i];
		}
		total += count;
		in = &pos;
	} while (!err);
	assert_int_equal(total, 100);
	assert_int_equal(seen, 99 * 100 / 2);
	count = 100;
	assert_int_equal(batch(BPF_MAP_LOOKUP_AND_DELETE_BATCH, fd, NULL, &pos, keys, values,
			       &count), -ENOENT);
	assert_int_equal(count, 100);
	assert_int_equal(map_next(fd, NULL, &pos), -ENOENT);
	count = 3;
	assert_int_equal(batch(BPF_MAP_UPDATE_BATCH, fd, NULL, NULL, keys, values, &count), 0);
	keys[1] = 12345;
	assert_int_equal(batch(BPF_MAP_DELETE_BATCH, fd, NULL, NULL, keys, NULL, &count), -ENOENT);
	assert_int_equal(count, 1);
	bpf_close(fd);

	fd = map_create(BPF_MAP_TYPE_ARRAY, 4, 4, 5);
	count = 3;
	assert_int_equal(batch(BPF_MAP_LOOKUP_BATCH, fd, NULL, &pos, keys, values, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(pos, 2);
	assert_int_equal(batch(BPF_MAP_LOOKUP_BATCH, fd, &pos, &pos, keys, values, &count),
			 -ENOENT);
	assert_int_equal(count, 2);
	assert_int_equal(keys[1], 4);
	assert_int_equal(batch(BPF_MAP_DELETE_BATCH, fd, NULL, NULL, keys, NULL, &count),
			 -ENOTSUPP);
	bpf_close(fd);
}

/* Maps of what is not there: they can be made, and stay empty. */
static void test_network(void **state)
{
	int fd = map_create(BPF_MAP_TYPE_SOCKMAP, 4, 4, 1);
	u32 key = 0, next;

	assert_true(fd >= 0);
	assert_int_equal(map_lookup(fd, &key, &next), -ENOENT);
	assert_int_equal(map_update(fd, &key, &fd, BPF_ANY), -EBADF);
	assert_int_equal(map_delete(fd, &key), -ENOENT);
	assert_int_equal(map_next(fd, NULL, &next), -ENOENT);
	bpf_close(fd);
	assert_int_equal(map_create(BPF_MAP_TYPE_SOCKMAP, 8, 4, 1), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_SOCKMAP, 4, 2, 1), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_SOCKHASH, 513, 8, 1), -E2BIG);
	assert_int_equal(map_create(BPF_MAP_TYPE_XSKMAP, 4, 8, 1), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 8, 0), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_CGROUP_STORAGE, 4, 8, 0), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_CGROUP_STORAGE, 16, 8, 1), -EINVAL);
	/* without BTF */
	assert_int_equal(map_create_flags(BPF_MAP_TYPE_SK_STORAGE, 4, 8, 0, BPF_F_NO_PREALLOC),
			 -EINVAL);
}

static void test_unsupported(void **state)
{
	u32 key = 0, value = 3;
	int fd;

	assert_int_equal(map_create(BPF_MAP_TYPE_UNSPEC, 4, 4, 1), -EINVAL);
	assert_int_equal(map_create(BPF_MAP_TYPE_CPUMAP, 4, 4, 1), -EINVAL);
	assert_int_equal(map_create(1000, 4, 4, 1), -EINVAL);
	fd = map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, NR_CPUS);
	assert_true(fd >= 0);
	assert_int_equal(map_update(fd, &key, &value, BPF_ANY), fcntl(3, F_GETFD) < 0 ? -EBADF : -EINVAL);
	assert_int_equal(map_delete(fd, &key), -ENOENT);
	bpf_close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bpf_setup, bpf_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_array),
		TEST(test_array_for_each),
		TEST(test_array_mmap),
		TEST(test_addresses),
		TEST(test_addresses),
		TEST(test_percpu_array),
		TEST(test_array_layout),
		TEST(test_hash),
		TEST(test_hash_iteration),
		TEST(test_hash_delete_in_walk),
		TEST(test_hash_model),
		TEST(test_hash_delete_in_long_walk),
		TEST(test_hash_no_allocation),
		TEST(test_hash_many_replaced),
		TEST(test_percpu_hash_zeroed),
		TEST(test_percpu_hash),
		TEST(test_lru_hash),
		TEST(test_lru_order),
		TEST(test_queue),
		TEST(test_stack),
		TEST(test_bloom_filter),
		TEST(test_lpm_trie),
		TEST(test_lpm_model),
		TEST(test_ringbuf),
		TEST(test_ringbuf_samples),
		TEST(test_ringbuf_overwritten),
		TEST(test_user_ringbuf),
		TEST(test_local_storage),
		TEST(test_local_storage_many),
		TEST(test_array_of_maps),
		TEST(test_hash_of_maps),
		TEST(test_arena),
		TEST(test_batch),
		TEST(test_network),
		TEST(test_unsupported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
