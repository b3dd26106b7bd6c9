// SPDX-License-Identifier: GPL-2.0-only
/*
 * User mappings of maps: which are allowed, and an account of those that exist.
 * Every mapping holds its map; a writable one is counted in it.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../../base/alloc.h"
#include "map_impl.h"

struct mapping {
	struct list_head node;
	struct bpf_map *map;
	u64 start, end;
	bool writable;
};

static struct list_head mappings = LIST_HEAD_INIT(mappings);

static void account(struct bpf_map *map, u64 start, u64 end, bool writable)
{
	struct mapping *m = xcalloc(1, sizeof(*m));

	*m = (struct mapping){ .map = map, .start = start, .end = end, .writable = writable };
	bpf_map_get(map);
	map->writable_mappings += writable;
	list_add_tail(&m->node, &mappings);
}

static void drop(struct mapping *m)
{
	list_del_init(&m->node);
	m->map->writable_mappings -= m->writable;
	bpf_map_put(m->map);
	free(m);
}

void bpf_map_munmap_notice(void *addr, size_t length)
{
	u64 start = (u64)addr, end = start + ALIGN_UP((u64)length, MAP_PAGE_SIZE);
	struct mapping *m, *n;

	list_for_each_entry_safe(m, n, &mappings, node) {
		if (m->end <= start || m->start >= end)
			continue;
		/* what is left on either side goes on as a mapping of its own */
		if (m->start < start)
			account(m->map, m->start, start, m->writable);
		if (m->end > end)
			account(m->map, end, m->end, m->writable);
		drop(m);
	}
}

static int check_mapping(struct bpf_map *map, u64 length, int prot, int flags, u64 offset,
			 u64 *size)
{
	bool write = prot & PROT_WRITE;

	if (!map->ops->mmap_range || map->record)
		return ENOTSUPP;
	if (!(flags & MAP_SHARED))
		return EINVAL;
	if (write && map->frozen)
		return EPERM;
	if (write && map->flags & BPF_F_RDONLY_PROG)
		return EACCES;
	if (offset % MAP_PAGE_SIZE || !map->ops->mmap_range(map, size))
		return EINVAL;
	*size = ALIGN_UP(*size, MAP_PAGE_SIZE);
	if (!length || offset > *size || length > *size - offset)
		return EINVAL;
	return map->ops->mmap_check ? -map->ops->mmap_check(map, offset, length, write) : 0;
}

static u64 file_size(const struct bpf_map *map, u64 range)
{
	struct stat st;

	return fstat(map->obj.memfd, &st) ? range : min((u64)st.st_size, range);
}

/*
 * A ring buffer's range is longer than its file: what lies beyond the end is
 * the data once more, which is the file's last part.
 */
static void *map_file(int memfd, u64 file_size, u64 range, void *addr, u64 length, int prot,
		      int flags, u64 offset)
{
	u64 first = offset < file_size ? min(length, file_size - offset) : 0;
	u64 wrap = range - file_size;
	char *base;

	if (first == length)
		return mmap(addr, length, prot, flags, memfd, (off_t)offset);
	base = mmap(addr, length, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)), -1, 0);
	if (base == MAP_FAILED)
		return MAP_FAILED;
	flags = (flags & ~MAP_FIXED_NOREPLACE) | MAP_FIXED;
	if ((first && mmap(base, first, prot, flags, memfd, (off_t)offset) == MAP_FAILED) ||
	    mmap(base + first, length - first, prot, flags, memfd, (off_t)(offset + first - wrap)) ==
		    MAP_FAILED) {
		int err = errno;

		munmap(base, length);
		errno = err;
		return MAP_FAILED;
	}
	return base;
}

void *bpf_map_mmap(int fd, void *addr, size_t length, int prot, int flags, off_t offset)
{
	struct bpf_map *map = bpf_map_from_fd(fd);
	u64 range = 0, len = ALIGN_UP((u64)length, MAP_PAGE_SIZE);
	void *res = MAP_FAILED;
	int err;

	if (!map) {
		errno = ENODEV;
		return MAP_FAILED;
	}
	err = offset < 0 ? EINVAL : check_mapping(map, len, prot, flags, (u64)offset, &range);
	if (err) {
		errno = err;
		goto out;
	}
	if (map->ops->mmap_address) {
		void *only = (void *)map->ops->mmap_address(map);

		if (addr && addr != only) {
			errno = EBUSY;
			goto out;
		}
		addr = only;
		if (!(flags & MAP_FIXED))
			flags |= MAP_FIXED_NOREPLACE;
	}
	if (flags & MAP_FIXED)
		bpf_map_munmap_notice(addr, length);
	res = map_file(map->obj.memfd, file_size(map, range), range, addr, len, prot, flags, (u64)offset);
	if (res != MAP_FAILED)
		account(map, (u64)res, (u64)res + len, prot & PROT_WRITE);
out:
	bpf_map_put(map);
	return res;
}

void bpf_map_mappings_exit(void)
{
	struct mapping *m, *n;

	list_for_each_entry_safe(m, n, &mappings, node)
		drop(m);
}

bool bpf_map_readable(int fd)
{
	struct bpf_map *map = bpf_map_from_fd(fd);
	bool readable = map && map->ops->readable && map->ops->readable(map);

	bpf_map_put(map);
	return readable;
}
