// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arenas. All of the memfd is mapped, in the kernel heap and where user space
 * maps it; which pages exist is a matter of accounting. A page is in use when
 * a program has allocated it, or when user space has touched it, which the
 * memfd knows: a page that nobody touched is a hole.
 */
#include "arena.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../base/alloc.h"
#include "map_impl.h"

#define ARENA_MAX_SIZE (1UL << 32)
#define ARENA_FLAGS (BPF_F_SEGV_ON_FAULT | BPF_F_MMAPABLE | BPF_F_NO_USER_CONV)

/* Places in user space for arenas that ask for none, the same in every run. */
#define USER_BASE 0x300000000000UL
#define NR_USER_PLACES 256U
static bool place_taken[NR_USER_PLACES];

struct arena_map {
	struct bpf_map map;
	char *base; /* in the kernel heap */
	u64 user_start, size;
	u32 place; /* index + 1; 0: user space chose */
	u64 *in_use; /* a bit per page */
};

static const struct kheap_type arena_type = { .name = "[arena]", .writable = true };

static struct arena_map *to_arena(const struct bpf_map *map)
{
	return container_of((struct bpf_map *)map, struct arena_map, map);
}

/* --- the map -------------------------------------------------------------- */

static int arena_check(const union bpf_attr *attr)
{
	u64 size = (u64)attr->max_entries * MAP_PAGE_SIZE;

	if (attr->key_size || attr->value_size || !size || !(attr->map_flags & BPF_F_MMAPABLE) ||
	    attr->map_flags & ~ARENA_FLAGS || attr->map_extra % MAP_PAGE_SIZE)
		return -EINVAL;
	if (size > ARENA_MAX_SIZE)
		return -E2BIG;
	return attr->map_extra >> 32 == (attr->map_extra + size - 1) >> 32 ? 0 : -ERANGE;
}

static int choose_place(struct arena_map *a)
{
	u32 i;

	for (i = 0; i < NR_USER_PLACES; i++) {
		if (place_taken[i])
			continue;
		place_taken[i] = true;
		a->place = i + 1;
		a->user_start = USER_BASE + i * ARENA_MAX_SIZE;
		return 0;
	}
	return -ENOMEM;
}

static int map_arena(struct arena_map *a)
{
	int err = a->user_start ? 0 : choose_place(a);

	err = err ?: bpf_obj_make_memfd(&a->map.obj, a->size);
	if (err)
		return err;
	a->base = kheap_reserve(&arena_type, a->size);
	if (!a->base || mmap(a->base, a->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			     a->map.obj.memfd, 0) == MAP_FAILED)
		return -ENOMEM;
	return 0;
}

static struct bpf_map *arena_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(&arena_map_ops, attr, sizeof(struct arena_map));
	struct arena_map *a;

	*err = -ENOMEM;
	if (!map)
		return NULL;
	a = to_arena(map);
	a->size = (u64)map->max_entries * MAP_PAGE_SIZE;
	a->user_start = map->extra;
	a->in_use = xcalloc(DIV_ROUND_UP(map->max_entries, 64), sizeof(u64));
	*err = map_arena(a);
	if (!*err)
		return map;
	bpf_map_put(map);
	return NULL;
}

static void arena_free(struct bpf_map *map)
{
	struct arena_map *a = to_arena(map);

	if (a->base)
		kheap_release(a->base);
	if (a->place)
		place_taken[a->place - 1] = false;
	free(a->in_use);
}

u64 bpf_arena_user_start(const struct bpf_map *map)
{
	return to_arena(map)->user_start;
}

/* --- pages ---------------------------------------------------------------- */

static bool is_marked(const struct arena_map *a, u32 page)
{
	return a->in_use[page / 64] >> page % 64 & 1;
}

static void mark(struct arena_map *a, u32 page)
{
	a->in_use[page / 64] |= 1UL << page % 64;
}

/* The first page from @page on that user space has touched. */
static u64 next_touched(const struct arena_map *a, u32 page)
{
	off_t data = lseek(a->map.obj.memfd, (off_t)(page * MAP_PAGE_SIZE), SEEK_DATA);

	return data < 0 ? a->map.max_entries : (u64)data / MAP_PAGE_SIZE;
}

static bool page_in_use(struct arena_map *a, u32 page)
{
	if (!is_marked(a, page) && next_touched(a, page) == page)
		mark(a, page);
	return is_marked(a, page);
}

/* How many of the @nr pages from @page on are free, up to the first that is not. */
static u32 free_run(struct arena_map *a, u32 page, u32 nr)
{
	u64 touched = next_touched(a, page);
	u32 i;

	for (i = 0; i < nr && !is_marked(a, page + i) && page + i != touched; i++)
		;
	return i;
}

/* Does [@addr, + @size) lie inside? Its offset. */
static bool offset_of(const struct arena_map *a, u64 addr, u64 size, u64 *offset)
{
	*offset = (u32)addr - (u64)(u32)a->user_start;
	return *offset < a->size && size <= a->size - *offset;
}

void *bpf_arena_address(struct bpf_map *map, u64 addr, u32 size)
{
	struct arena_map *a = to_arena(map);
	u64 offset, page;

	if (!size || !offset_of(a, addr, size, &offset))
		return NULL;
	for (page = offset / MAP_PAGE_SIZE; page <= (offset + size - 1) / MAP_PAGE_SIZE; page++)
		if (!page_in_use(a, (u32)page))
			return NULL;
	return a->base + offset;
}

u64 bpf_arena_alloc(struct bpf_map *map, u64 addr, u32 nr_pages)
{
	struct arena_map *a = to_arena(map);
	u64 offset = 0;
	u32 page, run, i;

	if (!nr_pages || nr_pages > map->max_entries || addr % MAP_PAGE_SIZE ||
	    (addr && !offset_of(a, addr, nr_pages * MAP_PAGE_SIZE, &offset)))
		return 0;
	page = (u32)(offset / MAP_PAGE_SIZE);
	while ((run = free_run(a, page, nr_pages)) < nr_pages) {
		page += run + 1;
		if (addr || page > map->max_entries - nr_pages)
			return 0;
	}
	for (i = 0; i < nr_pages; i++)
		mark(a, page + i);
	return a->user_start + page * MAP_PAGE_SIZE;
}

void bpf_arena_free(struct bpf_map *map, u64 addr, u32 nr_pages)
{
	struct arena_map *a = to_arena(map);
	u64 offset, end, page;

	addr -= addr % MAP_PAGE_SIZE;
	if (!nr_pages || !offset_of(a, addr, 1, &offset))
		return;
	end = min(offset + nr_pages * MAP_PAGE_SIZE, a->size);
	for (page = offset / MAP_PAGE_SIZE; page < end / MAP_PAGE_SIZE; page++)
		a->in_use[page / 64] &= ~(1UL << page % 64);
	/* it cannot fail on a memfd of ours: the range is inside */
	if (fallocate(map->obj.memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)(end - offset)))
		VRT_ASSERT(errno == EINTR);
}

/* --- from user space ------------------------------------------------------- */

static int arena_next_key(struct bpf_map *map, const void *key, void *next)
{
	return -EOPNOTSUPP;
}

static int arena_sys_lookup(struct bpf_map *map, const void *key, void *value, u64 flags)
{
	return -EINVAL;
}

static int arena_sys_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	return -EOPNOTSUPP;
}

static int arena_sys_delete(struct bpf_map *map, const void *key)
{
	return -EOPNOTSUPP;
}

static void *arena_mmap_range(struct bpf_map *map, u64 *size)
{
	*size = to_arena(map)->size;
	return to_arena(map)->base;
}

/* All of it, at its one place. */
static int arena_mmap_check(struct bpf_map *map, u64 offset, u64 length, bool write)
{
	if (offset)
		return -EINVAL;
	return length == to_arena(map)->size ? 0 : -EBUSY;
}

const struct bpf_map_ops arena_map_ops = {
	.check = arena_check,
	.alloc = arena_alloc,
	.free = arena_free,
	.next_key = arena_next_key,
	.sys_lookup = arena_sys_lookup,
	.sys_update = arena_sys_update,
	.sys_delete = arena_sys_delete,
	.mmap_range = arena_mmap_range,
	.mmap_check = arena_mmap_check,
	.mmap_address = bpf_arena_user_start,
};
