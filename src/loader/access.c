// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking into maps that are loaded: mappings of their descriptors, and global
 * variables while the object is at work.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "facade.h"
#include "internal.h"

/* --- mappings ------------------------------------------------------------------- */

static size_t mapped_size(const struct map_view *view)
{
	return ALIGN_UP(view->size, (size_t)sysconf(_SC_PAGESIZE));
}

int map_view_open(struct map_view *view, const struct bpf_map *map, bool write)
{
	void *data;

	if (bpf_map__type(map) != BPF_MAP_TYPE_ARRAY ||
	    !(bpf_map__map_flags(map) & BPF_F_MMAPABLE))
		return -EOPNOTSUPP;
	view->stride = ALIGN_UP((size_t)bpf_map__value_size(map), (size_t)8);
	view->size = view->stride * bpf_map__max_entries(map);
	data = facade_mmap(NULL, mapped_size(view), write ? PROT_READ | PROT_WRITE : PROT_READ,
			   MAP_SHARED, bpf_map__fd(map), 0);
	if (data == MAP_FAILED)
		return -errno;
	view->data = data;
	return 0;
}

void map_view_close(struct map_view *view)
{
	facade_munmap(view->data, mapped_size(view));
}

/* --- variables ------------------------------------------------------------------ */

/* An integer among the global variables, within its map's value. */
static bool find_integer(const struct loader *l, const char *name, struct variable *var)
{
	size_t size;

	if (!find_path(l, name, var, NULL, 0) || !is_integer(l->btf, var) ||
	    !bpf_map__is_internal(var->map))
		return false;
	size = bpf_map__value_size(var->map);
	return var->offset <= size && var->size <= size - var->offset;
}

bool loader_has_var(const struct loader *l, const char *name)
{
	struct variable var;

	return find_integer(l, name, &var);
}

int loader_read_var(struct loader *l, const char *name, s64 *value)
{
	struct variable var;
	size_t size;
	u32 key = 0;
	char *buf;
	int err;

	if (!find_integer(l, name, &var))
		return -ENOENT;
	size = bpf_map__value_size(var.map);
	buf = xcalloc(1, size);
	err = bpf_map__lookup_elem(var.map, &key, sizeof(key), buf, size, 0);
	if (!err)
		*value = get_integer(l->btf, &var, buf + var.offset);
	free(buf);
	return err ? -ENOENT : 0;
}

int loader_set_var(struct loader *l, const char *name, s64 value)
{
	struct variable var;
	struct map_view view;
	u64 check = 0;
	int err;

	if (!find_integer(l, name, &var))
		return -ENOENT;
	if (var.rodata)
		return -EPERM;
	put_integer(&var, &check, value);
	if (get_integer(l->btf, &var, &check) != value)
		return -ERANGE;
	err = map_view_open(&view, var.map, true);
	if (err)
		return err;
	put_integer(&var, view.data + var.offset, value);
	map_view_close(&view);
	return 0;
}
