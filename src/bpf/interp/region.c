// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions: what pointers of each origin may reach. Those of a program's maps
 * and functions are made when it is loaded; those of kernel types and of the
 * program's own types when they are met first, and then kept.
 */
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../exec/exec.h"
#include "../maps/arena.h"

const struct bpf_region bpf_region_ctx = { .kind = REGION_CTX };
const struct bpf_region bpf_region_stack = { .kind = REGION_STACK };
const struct bpf_region bpf_region_walked = { .kind = REGION_WALKED, .loads = &bpf_region_walked };
const struct bpf_region bpf_region_null = { .kind = REGION_NULL };
const struct bpf_region bpf_region_func = { .kind = REGION_FUNC };
const struct bpf_region bpf_region_percpu_alloc = { .kind = REGION_PERCPU,
						    .name = "of bpf_percpu_obj_new()" };
const struct bpf_region bpf_region_packet = { .kind = REGION_PACKET, .name = "the packet" };
const struct bpf_region bpf_region_packet_end = { .kind = REGION_PACKET,
						  .name = "the end of the packet" };

/* --- maps ------------------------------------------------------------------------- */

/* Per map of a program: itself, its values; the maps that are its values, and theirs. */
enum { MAP_SELF, MAP_VALUES, MAP_INNER, MAP_INNER_VALUES, NR_MAP_REGIONS };

void bpf_region_find_window(struct bpf_region *r)
{
	u32 start = 0, i;

	r->window = r->window_size = 0;
	for (i = 0; r->record && i <= r->record->nr; i++) {
		const struct btf_field *f = &r->record->fields[i];
		u32 end = i < r->record->nr ? f->offset : r->size;

		if (end > start && end - start > r->window_size) {
			r->window = start;
			r->window_size = end - start;
		}
		if (i < r->record->nr)
			start = f->offset + f->size;
	}
	if (!r->record)
		r->window_size = r->size;
}

static void map_region(struct bpf_region *self, struct bpf_region *values, struct bpf_map *map,
		       const char *name)
{
	*self = (struct bpf_region){
		.kind = REGION_MAP_PTR, .name = name, .map = map, .values = values
	};
	*values = (struct bpf_region){
		.kind = REGION_MAP_VALUE,
		.name = name,
		.size = map->value_size,
		.readable = !map->wronly_prog,
		.writable = !map->rdonly_prog,
		.map = map,
		.record = map->record,
	};
	bpf_region_find_window(values);
	if (map->type == BPF_MAP_TYPE_ARENA)
		*values = (struct bpf_region){ .kind = REGION_ARENA, .name = name, .map = map };
}

static void map_regions(struct bpf_region *r, struct bpf_map *map)
{
	map_region(&r[MAP_SELF], &r[MAP_VALUES], map, map->name);
	if (!map->inner_meta)
		return;
	map_region(&r[MAP_INNER], &r[MAP_INNER_VALUES], map->inner_meta, map->name);
	r[MAP_SELF].values = &r[MAP_INNER];
}

void bpf_regions_init(struct bpf_prog *prog)
{
	u32 i;

	prog->exec->nr_map_regions = prog->nr_maps;
	prog->exec->map_regions = xcalloc((size_t)prog->nr_maps * NR_MAP_REGIONS,
					  sizeof(struct bpf_region));
	for (i = 0; i < prog->nr_maps; i++) {
		struct bpf_region *r = &prog->exec->map_regions[(size_t)i * NR_MAP_REGIONS];

		map_regions(r, prog->maps[i]);
		if (prog->maps[i]->type == BPF_MAP_TYPE_ARENA)
			prog->exec->arena = &r[MAP_VALUES];
	}
}

const struct bpf_region *bpf_region_map_ptr(const struct bpf_prog *prog, u32 index)
{
	return &prog->exec->map_regions[(size_t)index * NR_MAP_REGIONS];
}

const struct bpf_region *bpf_region_of_map(const struct bpf_prog *prog, const struct bpf_map *map)
{
	const struct bpf_region *inner = NULL;
	u32 i;

	for (i = 0; i < prog->exec->nr_map_regions; i++) {
		const struct bpf_region *r = bpf_region_map_ptr(prog, i);

		if (prog->maps[i] == map)
			return r;
		if (prog->maps[i]->inner_meta && bpf_map_fits(prog->maps[i]->inner_meta, map))
			inner = &r[MAP_INNER];
	}
	return inner;
}

static void reg_window(struct bpf_reg *reg, const struct bpf_region *region, u64 start, u64 v)
{
	*reg = (struct bpf_reg){
		.v = v,
		.base = start + region->window,
		.rsize = region->readable ? region->window_size : 0,
		.wsize = region->writable ? region->window_size : 0,
		.region = region,
	};
	/* whether an object still lives is asked at every write */
	if (region->kind == REGION_ALLOC)
		reg->wsize = 0;
}

void bpf_reg_null(struct bpf_reg *reg, const struct bpf_region *origin)
{
	*reg = (struct bpf_reg){ .base = (u64)origin, .region = &bpf_region_null };
}

void bpf_reg_map_value(struct bpf_reg *reg, const struct bpf_region *values, const void *value)
{
	if (!value)
		bpf_reg_null(reg, values);
	else if (values->kind == REGION_MAP_PTR)
		bpf_reg_opaque(reg, values, (u64)value);
	else
		reg_window(reg, values, (u64)value, (u64)value);
}

void bpf_reg_mem(struct bpf_reg *reg, const struct bpf_region *mem, const void *ptr, u32 size)
{
	if (!ptr)
		bpf_reg_null(reg, mem);
	else
		*reg = (struct bpf_reg){
			.v = (u64)ptr,
			.base = (u64)ptr,
			.rsize = size,
			.wsize = mem->writable ? size : 0,
			.region = mem,
		};
}

u64 bpf_arena_user_address(const struct bpf_prog *prog, u64 ptr)
{
	u64 start = bpf_arena_user_start(prog->exec->arena->map);

	return (u32)ptr ? (start & ~0xffffffffULL) | (u32)ptr : 0; /* NULL stays NULL */
}

/* --- kernel objects -------------------------------------------------------------------- */

/* By type id of the kernel BTF. */
static struct bpf_region **kernel_regions;

const struct bpf_region *bpf_region_kernel(u32 btf_id)
{
	struct btf *btf = bpf_kernel_btf();
	const struct btf_type *t;
	struct bpf_region *r;

	if (!kernel_regions)
		kernel_regions = xcalloc(btf->nr_types, sizeof(*kernel_regions));
	if (btf_id >= btf->nr_types)
		btf_id = 0;
	if (kernel_regions[btf_id])
		return kernel_regions[btf_id];
	r = xcalloc(1, sizeof(*r));
	t = btf_type_by_id(btf, btf_id);
	r->kind = REGION_OBJECT;
	r->name = btf_id && t ? btf_name(btf, t->name_off) : "[kernel object]";
	r->size = btf_type_size(btf, btf_id);
	r->readable = true;
	r->loads = &bpf_region_walked;
	r->btf = btf;
	r->btf_id = btf_id;
	kernel_regions[btf_id] = r;
	return r;
}

void bpf_kernel_regions_exit(void)
{
	u32 i;

	for (i = 0; kernel_regions && i < bpf_kernel_btf()->nr_types; i++)
		free(kernel_regions[i]);
	free(kernel_regions);
	kernel_regions = NULL;
}

/*
 * Bounds: the type's size. An object of exactly that type may have more (a
 * flexible array at its end): all that is visible of it.
 */
void bpf_reg_object(struct bpf_reg *reg, u32 btf_id, const void *ptr)
{
	const struct bpf_region *region = bpf_region_kernel(btf_id);
	struct kheap_object obj;
	u64 size = region->size;

	if (!ptr) {
		bpf_reg_null(reg, region);
		return;
	}
	if (kheap_find(ptr, &obj) && obj.base == ptr && obj.type->btf_id == btf_id)
		size = max(size, bpf_probe_size((u64)ptr));
	if (size)
		*reg = (struct bpf_reg){ .v = (u64)ptr, .base = (u64)ptr, .rsize = (u32)size,
					 .region = region };
	else /* of a type that is only declared */
		*reg = (struct bpf_reg){ .v = (u64)ptr, .region = &bpf_region_walked };
}

/* --- allocated objects ----------------------------------------------------------------- */

void bpf_reg_alloc(struct bpf_reg *reg, const void *ptr)
{
	struct bpf_alloc_header *h = ptr ? bpf_alloc_find(ptr) : NULL;
	const struct bpf_region *region = h ? bpf_alloc_region(h) : NULL;

	if (region)
		reg_window(reg, region, (u64)(h + 1), (u64)ptr);
	else
		bpf_reg_null(reg, NULL);
}

void bpf_reg_kptr(struct bpf_reg *reg, const struct btf_field *f, u64 value)
{
	if (f->type == BPF_KPTR_UNREF) /* may be stale: loads through it never fault */
		*reg = (struct bpf_reg){ .v = value, .region = &bpf_region_walked };
	else if (f->type == BPF_KPTR_PERCPU && value)
		bpf_reg_opaque(reg, &bpf_region_percpu_alloc, value);
	else if (f->type == BPF_KPTR_PERCPU)
		bpf_reg_null(reg, NULL);
	else if (f->kptr_btf && !f->kptr_btf->kernel)
		bpf_reg_alloc(reg, (const void *)value);
	else
		bpf_reg_object(reg, f->kptr_btf_id, (const void *)value);
}

void bpf_regions_free(struct bpf_prog *prog)
{
	struct bpf_var_region *r;

	while ((r = prog->exec->var_regions)) {
		prog->exec->var_regions = r->next;
		free(r);
	}
	free(prog->exec->map_regions);
}
