// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays of other objects: programs (for tail calls), maps, and perf events,
 * of which there are none. User space writes descriptors and reads ids.
 */
#include <stdlib.h>
#include <string.h>

#include "../prog.h"
#include "map_impl.h"

struct fd_array {
	struct bpf_map map;
	void **objects; /* NULL: empty slot */
	struct {
		enum bpf_prog_type type;
		enum bpf_attach_type attach_type;
		u32 attach_btf_id;
		bool sleepable;
		bool known;
	} kind; /* of programs, decided by the first */
};

static struct fd_array *to_array(struct bpf_map *map)
{
	return container_of(map, struct fd_array, map);
}

static int fd_array_check(const union bpf_attr *attr)
{
	if (!attr->max_entries || attr->key_size != sizeof(u32) ||
	    attr->value_size != sizeof(u32) ||
	    attr->map_flags & ~(BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY |
				(attr->map_type == BPF_MAP_TYPE_PERF_EVENT_ARRAY ?
					 BPF_F_PRESERVE_ELEMS :
					 0U)))
		return -EINVAL;
	return 0;
}

static struct bpf_map *fd_array_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(bpf_map_ops_of(attr->map_type), attr,
					  sizeof(struct fd_array));

	*err = -ENOMEM;
	if (!map)
		return NULL;
	to_array(map)->objects = calloc(map->max_entries, sizeof(void *));
	if (!to_array(map)->objects) {
		bpf_map_put(map);
		return NULL;
	}
	*err = 0;
	return map;
}

static void **slot_of(struct bpf_map *map, const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	return index < map->max_entries ? &to_array(map)->objects[index] : NULL;
}

static int fd_array_sys_delete(struct bpf_map *map, const void *key, void (*retire)(void *obj))
{
	void **slot = slot_of(map, key), *old;

	if (!slot)
		return -E2BIG;
	old = *slot;
	*slot = NULL;
	if (!old)
		return -ENOENT;
	retire(old);
	return 0;
}

static void clear(struct bpf_map *map, void (*retire)(void *obj))
{
	struct fd_array *a = to_array(map);
	u32 i;

	for (i = 0; a->objects && i < map->max_entries; i++) {
		void *old = a->objects[i];

		a->objects[i] = NULL;
		if (old)
			retire(old);
	}
}

/* --- maps ------------------------------------------------------------------ */

static void retire_map(void *map)
{
	bpf_map_retire_inner(map);
}

static struct bpf_map *array_of_maps_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *meta = bpf_map_meta_alloc((int)attr->inner_map_fd, err), *map;

	if (!meta)
		return NULL;
	map = fd_array_alloc(attr, err);
	if (map)
		map->inner_meta = meta;
	else
		bpf_map_meta_free(meta);
	return map;
}

static void array_of_maps_free(struct bpf_map *map)
{
	clear(map, retire_map);
	free(to_array(map)->objects);
}

static void *array_of_maps_lookup(struct bpf_map *map, const void *key)
{
	void **slot = slot_of(map, key);

	return slot ? *slot : NULL;
}

static int array_of_maps_sys_lookup(struct bpf_map *map, const void *key, void *value, u64 flags)
{
	struct bpf_map *inner = array_of_maps_lookup(map, key);

	if (!inner)
		return -ENOENT;
	memcpy(value, &inner->obj.id, sizeof(u32));
	return 0;
}

static int array_of_maps_sys_update(struct bpf_map *map, const void *key, const void *value,
				    u64 flags)
{
	void **slot = slot_of(map, key);
	struct bpf_map *inner;
	int fd, err;

	if (flags != BPF_ANY)
		return -EINVAL;
	if (!slot)
		return -E2BIG;
	memcpy(&fd, value, sizeof(fd));
	inner = bpf_map_inner_from_fd(map, fd, &err);
	if (!inner)
		return err;
	if (*slot)
		retire_map(*slot);
	*slot = inner;
	return 0;
}

static int array_of_maps_sys_delete(struct bpf_map *map, const void *key)
{
	return fd_array_sys_delete(map, key, retire_map);
}

const struct bpf_map_ops array_of_maps_ops = {
	.check = fd_array_check,
	.alloc = array_of_maps_alloc,
	.free = array_of_maps_free,
	.lookup = array_of_maps_lookup,
	.next_key = bpf_array_next_key,
	.sys_lookup = array_of_maps_sys_lookup,
	.sys_update = array_of_maps_sys_update,
	.sys_delete = array_of_maps_sys_delete,
};

/* --- programs ------------------------------------------------------------- */

static void put_prog(void *prog)
{
	bpf_prog_put(prog);
}

static void retire_prog(void *prog)
{
	bpf_rcu_defer(put_prog, prog);
}

/*
 * A program in the array may refer to the array. The circle is broken when
 * user space has no descriptor any more to put anything in, as in Linux.
 */
static void prog_array_unused(struct bpf_obj *obj)
{
	clear(container_of(obj, struct bpf_map, obj), retire_prog);
}

static struct bpf_map *prog_array_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = fd_array_alloc(attr, err);

	if (map)
		map->obj.unused = prog_array_unused;
	return map;
}

static void prog_array_free(struct bpf_map *map)
{
	clear(map, retire_prog);
	free(to_array(map)->objects);
}

bool bpf_prog_array_compatible(struct bpf_map *map, const struct bpf_prog *prog)
{
	struct fd_array *a = to_array(map);
	bool attached = prog->type == BPF_PROG_TYPE_STRUCT_OPS ||
			prog->type == BPF_PROG_TYPE_TRACING || prog->type == BPF_PROG_TYPE_LSM;

	if (!a->kind.known) {
		a->kind.known = true;
		a->kind.type = prog->type;
		a->kind.attach_type = prog->expected_attach_type;
		a->kind.attach_btf_id = prog->attach_btf_id;
		a->kind.sleepable = prog->sleepable;
		return true;
	}
	if (a->kind.type != prog->type || a->kind.sleepable != prog->sleepable)
		return false;
	return !attached || (a->kind.attach_type == prog->expected_attach_type &&
			     a->kind.attach_btf_id == prog->attach_btf_id);
}

struct bpf_prog *bpf_prog_array_at(struct bpf_map *map, u32 index)
{
	return index < map->max_entries ? to_array(map)->objects[index] : NULL;
}

struct bpf_prog *const *bpf_prog_array_slots(const struct bpf_map *map)
{
	return (struct bpf_prog *const *)to_array((struct bpf_map *)map)->objects;
}

static int prog_array_sys_lookup(struct bpf_map *map, const void *key, void *value, u64 flags)
{
	void **slot = slot_of(map, key);

	if (!slot || !*slot)
		return -ENOENT;
	memcpy(value, &((struct bpf_prog *)*slot)->obj.id, sizeof(u32));
	return 0;
}

static int prog_array_sys_update(struct bpf_map *map, const void *key, const void *value,
				 u64 flags)
{
	void **slot = slot_of(map, key);
	struct bpf_prog *prog;
	int fd;

	if (flags != BPF_ANY)
		return -EINVAL;
	if (!slot)
		return -E2BIG;
	memcpy(&fd, value, sizeof(fd));
	prog = bpf_prog_from_fd(fd);
	if (!prog)
		return bpf_fd_error(fd);
	if (!bpf_prog_array_compatible(map, prog)) {
		bpf_prog_put(prog);
		return -EINVAL;
	}
	if (*slot)
		retire_prog(*slot);
	*slot = prog;
	return 0;
}

static int prog_array_sys_delete(struct bpf_map *map, const void *key)
{
	return fd_array_sys_delete(map, key, retire_prog);
}

const struct bpf_map_ops prog_array_map_ops = {
	.check = fd_array_check,
	.alloc = prog_array_alloc,
	.free = prog_array_free,
	.next_key = bpf_array_next_key,
	.sys_lookup = prog_array_sys_lookup,
	.sys_update = prog_array_sys_update,
	.sys_delete = prog_array_sys_delete,
	.check_btf = bpf_array_check_btf,
};

/* --- perf events ----------------------------------------------------------- */

static void perf_event_array_free(struct bpf_map *map)
{
	free(to_array(map)->objects);
}

static int perf_event_array_sys_update(struct bpf_map *map, const void *key, const void *value,
				       u64 flags)
{
	int fd;

	if (flags != BPF_ANY)
		return -EINVAL;
	if (!slot_of(map, key))
		return -E2BIG;
	memcpy(&fd, value, sizeof(fd));
	return bpf_fd_error(fd); /* no descriptor is a perf event */
}

static int perf_event_array_sys_delete(struct bpf_map *map, const void *key)
{
	return slot_of(map, key) ? -ENOENT : -E2BIG;
}

const struct bpf_map_ops perf_event_array_map_ops = {
	.check = fd_array_check,
	.alloc = fd_array_alloc,
	.free = perf_event_array_free,
	.next_key = bpf_array_next_key,
	.sys_update = perf_event_array_sys_update,
	.sys_delete = perf_event_array_sys_delete,
};
