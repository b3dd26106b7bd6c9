// SPDX-License-Identifier: GPL-2.0-only
/*
 * What maps, and the kernel heap under them, cost: user-space time, cycles and
 * instructions per operation, called as compiled programs call them
 * (map->ops->lookup). Not a test: compare the output of two builds.
 *
 *	bench_maps [the beginning of cases' names]
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "../../src/base/alloc.h"
#include "../../src/base/rng.h"
#include "../../src/bpf/maps/local_storage.h"
#include "../../src/bpf/maps/ringbuf.h"
#include "../unit/bpf_fixture.h"

#define VALUE_SIZE 16
#define MIN_OPS 500000u
#define ROUNDS 3

/* --- counters --------------------------------------------------------------------- */

struct sample {
	u64 ns, cycles, instructions;
};

static int counter_fd = -1, instructions_fd = -1;

static int open_counter(u64 config, int group)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
					.size = sizeof(attr),
					.config = config,
					.read_format = PERF_FORMAT_GROUP,
					.exclude_kernel = 1,
					.exclude_hv = 1 };

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, group, 0);
}

static void open_counters(void)
{
	counter_fd = open_counter(PERF_COUNT_HW_CPU_CYCLES, -1);
	if (counter_fd >= 0)
		instructions_fd = open_counter(PERF_COUNT_HW_INSTRUCTIONS, counter_fd);
	if (instructions_fd < 0)
		puts("no performance counters on this host: time only");
}

static struct sample now(void)
{
	struct { u64 nr, values[2]; } counts = { 0 };
	struct timespec ts;

	if (instructions_fd >= 0 && read(counter_fd, &counts, sizeof(counts)) < 0)
		perror("read");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (struct sample){ (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec, counts.values[0],
				counts.values[1] };
}

/* --- cases ---------------------------------------------------------------------------- */

struct bench {
	char name[64];
	struct bpf_map *map;
	u32 nr, key_size;
	const char *hits, *misses; /* nr keys each, in random order */
	void **anchors;
	u64 sink;
};

static const char *filter = "";

/* Best of some rounds of at least MIN_OPS operations: @op(b, i) for i below b->nr. */
static void measure(struct bench *b, const char *what, void (*op)(struct bench *b, u32 i))
{
	u32 loops = b->nr < MIN_OPS ? DIV_ROUND_UP(MIN_OPS, b->nr) : 1;
	double ops = (double)loops * b->nr;
	struct sample best = { .ns = ~0ULL };
	char name[128];

	snprintf(name, sizeof(name), "%s %s", b->name, what);
	if (strncmp(name, filter, strlen(filter)))
		return;
	for (u32 round = 0; round < ROUNDS; round++) {
		struct sample from = now(), to;

		for (u32 loop = 0; loop < loops; loop++)
			for (u32 i = 0; i < b->nr; i++)
				op(b, i);
		to = now();
		if (to.ns - from.ns < best.ns)
			best = (struct sample){ to.ns - from.ns, to.cycles - from.cycles,
						to.instructions - from.instructions };
	}
	printf("%-44s %8.1f ns %8.1f cycles %8.1f insns\n", name, (double)best.ns / ops,
	       (double)best.cycles / ops, (double)best.instructions / ops);
}

static const void *hit(const struct bench *b, u32 i)
{
	return b->hits + (size_t)i * b->key_size;
}

static const void *miss(const struct bench *b, u32 i)
{
	return b->misses + (size_t)i * b->key_size;
}

static u64 value[VALUE_SIZE / 8 * NR_CPUS] = { 1, 2 };

static void op_hit(struct bench *b, u32 i)
{
	b->sink += *(u64 *)b->map->ops->lookup(b->map, hit(b, i));
}

static void op_miss(struct bench *b, u32 i)
{
	b->sink += b->map->ops->lookup(b->map, miss(b, i)) != NULL;
}

/* As at the end of a program's run. */
static void reclaim(void)
{
	bpf_rcu_reclaim(BPF_RCU_ALL);
}

static void op_update(struct bench *b, u32 i)
{
	b->sink += (u64)b->map->ops->update(b->map, hit(b, i), value, BPF_ANY);
	reclaim();
}

static void op_insert_delete(struct bench *b, u32 i)
{
	b->sink += (u64)b->map->ops->update(b->map, miss(b, i), value, BPF_NOEXIST);
	b->sink += (u64)b->map->ops->delete(b->map, miss(b, i));
	reclaim();
}

static void op_evict(struct bench *b, u32 i)
{
	b->sink += (u64)b->map->ops->update(b->map, b->hits + (size_t)i * b->key_size, value,
					    BPF_ANY);
	reclaim();
}

static void op_ringbuf(struct bench *b, u32 i)
{
	u64 *sample = bpf_ringbuf_reserve(b->map, 32);

	*sample = i;
	bpf_ringbuf_commit(sample, 0, false);
	if (i % 64 == 63) /* what user space does */
		*(u64 *)b->anchors = bpf_ringbuf_query(b->map, BPF_RB_PROD_POS);
}

static void op_queue(struct bench *b, u32 i)
{
	u64 got[VALUE_SIZE / 8];

	b->sink += (u64)b->map->ops->push(b->map, value, BPF_ANY);
	b->sink += (u64)b->map->ops->pop(b->map, got);
}

static void op_bloom(struct bench *b, u32 i)
{
	u64 v[VALUE_SIZE / 8] = { i };

	b->sink += (u64)b->map->ops->peek(b->map, v);
}

static void op_storage(struct bench *b, u32 i)
{
	b->sink += *(u64 *)bpf_local_storage_get(b->map, &b->anchors[i], NULL, 0);
}

/* --- keys ----------------------------------------------------------------------------- */

static char *make_keys(u32 nr, u32 key_size, u32 first)
{
	char *keys = xcalloc(nr, key_size);
	struct rng rng;
	u32 *order = xcalloc(nr, sizeof(*order)), i;

	rng_init(&rng, 1);
	for (i = 0; i < nr; i++) {
		u32 at = (u32)rng_below(&rng, i + 1);

		order[i] = order[at];
		order[at] = i;
	}
	for (i = 0; i < nr; i++) {
		u32 key[16] = { first + order[i] };

		for (u32 j = 1; j < ARRAY_SIZE(key); j++)
			key[j] = key[0] * 7 + j;
		memcpy(keys + (size_t)i * key_size, key, key_size);
	}
	free(order);
	return keys;
}

static const char *scaled(u32 nr)
{
	static char text[16];

	if (nr >= 1u << 20)
		snprintf(text, sizeof(text), "%uM", nr >> 20);
	else if (nr >= 1000)
		snprintf(text, sizeof(text), "%uk", nr / 1000);
	else
		snprintf(text, sizeof(text), "%u", nr);
	return text;
}

/* A map with room for one more than it has. */
static int start(struct bench *b, const char *name, enum bpf_map_type type, u32 flags, u32 nr,
		 u32 key_size)
{
	bool keyed = type != BPF_MAP_TYPE_QUEUE && type != BPF_MAP_TYPE_BLOOM_FILTER;
	bool lru = type == BPF_MAP_TYPE_LRU_HASH;
	int fd = map_create_flags(type, keyed ? key_size : 0, VALUE_SIZE, nr + !lru, flags);

	if (fd < 0) {
		fprintf(stderr, "%s: cannot create: %s\n", name, strerror(-fd));
		exit(1);
	}
	*b = (struct bench){ .map = map_of(fd), .nr = nr, .key_size = key_size };
	snprintf(b->name, sizeof(b->name), "%s/%s/%uB", name, scaled(nr), key_size);
	b->hits = make_keys(nr, key_size, 0);
	b->misses = make_keys(nr, key_size, nr);
	for (u32 i = 0; keyed && i < nr; i++)
		if (map_update(fd, hit(b, i), value, BPF_ANY))
			fprintf(stderr, "%s: cannot add element %u\n", b->name, i);
	return fd;
}

static void end(struct bench *b, int fd)
{
	bpf_close(fd);
	reclaim();
	free((void *)b->hits);
	free((void *)b->misses);
}

static const u32 sizes[] = { 16, 1000, 100000, 1 << 20 };

static bool wanted(const char *name)
{
	return !strncmp(name, filter, min(strlen(name), strlen(filter)));
}

static void hashes(const char *name, enum bpf_map_type type, u32 flags)
{
	static const u32 key_sizes[] = { 4, 8, 16, 64 };
	struct bench b;
	int fd;

	if (!wanted(name))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (u32 j = 0; j < ARRAY_SIZE(key_sizes); j++) {
			/* the rest would take long and tell little */
			if ((type != BPF_MAP_TYPE_HASH || flags || sizes[i] > 1000) &&
			    key_sizes[j] != 8)
				continue;
			fd = start(&b, name, type, flags, sizes[i], key_sizes[j]);
			measure(&b, "hit", op_hit);
			measure(&b, "miss", op_miss);
			measure(&b, "update", op_update);
			if (type == BPF_MAP_TYPE_LRU_HASH) { /* every key evicts one of the others */
				b.hits = memcpy(xcalloc(2ul * b.nr, b.key_size), b.hits,
						(size_t)b.nr * b.key_size);
				memcpy((char *)b.hits + (size_t)b.nr * b.key_size, b.misses,
				       (size_t)b.nr * b.key_size);
				b.nr *= 2;
				measure(&b, "evict", op_evict);
			} else {
				measure(&b, "insert+delete", op_insert_delete);
			}
			end(&b, fd);
		}
	}
}

/* Prefixes of 16 to 32 bits of pseudo-random addresses. */
static void lpm(void)
{
	struct bench b;
	int fd;

	for (u32 i = 0; wanted("lpm") && i < 3; i++) {
		fd = map_create_flags(BPF_MAP_TYPE_LPM_TRIE, 8, VALUE_SIZE, sizes[i] + 1,
				      BPF_F_NO_PREALLOC);
		b = (struct bench){ .map = map_of(fd), .nr = sizes[i], .key_size = 8 };
		snprintf(b.name, sizeof(b.name), "lpm/%s/8B", scaled(b.nr));
		u32 *keys = xcalloc(b.nr, 8), *others = xcalloc(b.nr, 8);
		struct rng rng;

		rng_init(&rng, 7);
		for (u32 j = 0; j < b.nr; j++) {
			others[2 * j] = 32;
			others[2 * j + 1] = (u32)rng_next(&rng);
			keys[2 * j] = 16 + (u32)rng_below(&rng, 17);
			keys[2 * j + 1] = (u32)rng_next(&rng);
			map_update(fd, &keys[2 * j], value, BPF_ANY);
		}
		b.hits = (char *)keys;
		b.misses = (char *)others;
		measure(&b, "exact", op_hit);
		measure(&b, "any address", op_miss);
		measure(&b, "update", op_update);
		end(&b, fd);
	}
}

static void arrays(void)
{
	struct bench b;
	int fd;

	for (u32 i = 0; wanted("array") && i < ARRAY_SIZE(sizes); i++) {
		fd = start(&b, "array", BPF_MAP_TYPE_ARRAY, 0, sizes[i], 4);
		measure(&b, "hit", op_hit);
		measure(&b, "update", op_update);
		end(&b, fd);
		fd = start(&b, "percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, 0, sizes[i], 4);
		measure(&b, "hit", op_hit);
		measure(&b, "update", op_update);
		end(&b, fd);
	}
}

static void ringbufs(void)
{
	int first = map_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 1 << 20), others[15];
	struct bench b = { .map = map_of(first), .nr = 1 << 10 };
	u64 *consumer = bpf_map_mmap(first, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		others[i] = map_create(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	strcpy(b.name, "ringbuf of 16");
	b.anchors = (void **)consumer;
	measure(&b, "reserve+submit", op_ringbuf);
	bpf_map_munmap_notice(consumer, 4096);
	munmap(consumer, 4096);
	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		bpf_close(others[i]);
	bpf_close(first);
}

static void queues(void)
{
	struct bench b;
	int fd = start(&b, "queue", BPF_MAP_TYPE_QUEUE, 0, 1000, 4);

	measure(&b, "push+pop", op_queue);
	end(&b, fd);
	fd = start(&b, "bloom", BPF_MAP_TYPE_BLOOM_FILTER, 0, 100000, 4);
	for (u32 i = 0; i < b.nr; i++) {
		u64 v[VALUE_SIZE / 8] = { i };

		b.map->ops->push(b.map, v, BPF_ANY);
	}
	measure(&b, "peek hit", op_bloom);
	end(&b, fd);
}

/* Tasks that have a value in each of 1 or 8 maps; the first map's is asked for. */
static void storages(u32 nr_maps)
{
	struct btf_builder *builder = malloc(sizeof(*builder));
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_TASK_STORAGE,
				.key_size = 4,
				.value_size = 8,
				.map_flags = BPF_F_NO_PREALLOC,
				.btf_key_type_id = 1,
				.btf_value_type_id = 2 };
	struct bench b = { .nr = 10000 };
	int fds[8];

	btf_start(builder);
	btf_add_int(builder, "int", 4);
	btf_add_int(builder, "long", 8);
	attr.btf_fd = (u32)btf_load_built(builder);
	free(builder);
	snprintf(b.name, sizeof(b.name), "task_storage/10k/%u maps", nr_maps);
	b.anchors = xcalloc(b.nr, sizeof(*b.anchors));
	for (u32 i = 0; i < nr_maps; i++) {
		fds[i] = (int)vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
		for (u32 j = 0; j < b.nr; j++)
			bpf_local_storage_get(map_of(fds[i]), &b.anchors[j], NULL,
					      BPF_LOCAL_STORAGE_GET_F_CREATE);
	}
	b.map = map_of(fds[0]);
	measure(&b, "get", op_storage);
	for (u32 i = 0; i < nr_maps; i++)
		bpf_close(fds[i]);
	bpf_close((int)attr.btf_fd);
	free(b.anchors);
}

/* --- the heap --------------------------------------------------------------------------- */

static const struct kheap_type bench_type = { .name = "[bench]" };
static const struct kheap_type other_type = { .name = "[other]" };

static void op_find(struct bench *b, u32 i)
{
	struct kheap_object obj = { 0 };

	b->sink += kheap_find((char *)b->anchors[i] + 8, &obj) + obj.size;
}

static void op_alloc_free(struct bench *b, u32 i)
{
	kheap_free(kheap_alloc(&bench_type, 100));
}

static void heap(void)
{
	struct bench b = { .nr = 1 };
	void *other = kheap_alloc(&other_type, 100);

	strcpy(b.name, "kheap one");
	measure(&b, "alloc+free", op_alloc_free);
	for (u32 i = 0; i < ARRAY_SIZE(sizes) - 1; i++) {
		b.nr = sizes[i];
		b.anchors = xcalloc(b.nr, sizeof(*b.anchors));
		for (u32 j = 0; j < b.nr; j++)
			b.anchors[j] = kheap_alloc(&bench_type, 100);
		for (u32 j = b.nr; j > 1; j--) {
			u32 at = (j * 2654435761u) % j;
			void *p = b.anchors[at];

			b.anchors[at] = b.anchors[j - 1];
			b.anchors[j - 1] = p;
		}
		snprintf(b.name, sizeof(b.name), "kheap/%s", scaled(b.nr));
		measure(&b, "find", op_find);
		measure(&b, "alloc+free", op_alloc_free);
		for (u32 j = 0; j < b.nr; j++)
			kheap_free(b.anchors[j]);
		free(b.anchors);
	}
	kheap_free(other);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		filter = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_counters();
	if (bpf_setup(NULL))
		return 1;
	heap();
	arrays();
	hashes("hash", BPF_MAP_TYPE_HASH, 0);
	hashes("no_prealloc", BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC);
	hashes("percpu_hash", BPF_MAP_TYPE_PERCPU_HASH, 0);
	hashes("lru_hash", BPF_MAP_TYPE_LRU_HASH, 0);
	lpm();
	ringbufs();
	queues();
	storages(1);
	storages(8);
	return bpf_teardown(NULL);
}
