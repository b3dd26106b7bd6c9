/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps: one file per type in maps/, behind struct bpf_map_ops. Values live in
 * the kernel heap at stable addresses.
 *
 * Locking: hash buckets, queues and ring buffers are touched at one instant of
 * virtual time; costs are charged by the helpers that call in.
 */
#ifndef VRT_BPF_MAP_H
#define VRT_BPF_MAP_H

#include <sys/types.h>

#include "object.h"

/* Fields of a value that programs may not touch as plain bytes. */
enum btf_field_type {
	BPF_SPIN_LOCK = 1 << 0,
	BPF_TIMER = 1 << 1,
	BPF_KPTR_UNREF = 1 << 2,
	BPF_KPTR_REF = 1 << 3,
	BPF_KPTR_PERCPU = 1 << 4,
	BPF_LIST_HEAD = 1 << 5,
	BPF_LIST_NODE = 1 << 6,
	BPF_RB_ROOT = 1 << 7,
	BPF_RB_NODE = 1 << 8,
	BPF_REFCOUNT = 1 << 9,
	BPF_WORKQUEUE = 1 << 10,
};

const char *btf_field_type_name(enum btf_field_type type);

struct btf_field {
	u32 offset, size;
	enum btf_field_type type;
	u32 kptr_btf_id; /* pointed-to type; list heads and trees: the type of what they hold */
	struct btf *kptr_btf; /* the kernel's, or the program's for local types */
	u32 node_offset; /* list heads and trees: of the node in what they hold */
	void (*dtor)(void *obj); /* referenced kptrs to kernel types: gives the object back */
};

/* The special fields of a value type, sorted by offset; NULL for none. */
struct btf_record {
	u32 nr;
	u32 field_mask;
	struct btf_field fields[];
};

/*
 * Where an array's elements are: element @index of CPU @cpu at base +
 * cpu * percpu_stride + index * elem_size, in the kernel heap.
 */
struct bpf_array_layout {
	char *base;
	u32 elem_size, max_entries;
	u64 percpu_stride; /* 0: one array for all CPUs */
};

struct bpf_map_ops {
	/* -errno for attributes that the kernel refuses */
	int (*check)(const union bpf_attr *attr);
	/* the map with its storage; ERR in *err (-errno) and NULL on failure */
	struct bpf_map *(*alloc)(const union bpf_attr *attr, int *err);
	void (*free)(struct bpf_map *map);

	/* From programs. Pointers are into the kernel heap; absent: not supported. */
	void *(*lookup)(struct bpf_map *map, const void *key);
	long (*update)(struct bpf_map *map, const void *key, const void *value, u64 flags);
	long (*delete)(struct bpf_map *map, const void *key);
	void *(*lookup_percpu)(struct bpf_map *map, const void *key, u32 cpu);
	long (*push)(struct bpf_map *map, const void *value, u64 flags);
	long (*pop)(struct bpf_map *map, void *value);
	long (*peek)(struct bpf_map *map, void *value);
	/*
	 * Calls @fn(key, value, arg) for every element until it returns non-zero.
	 * Returns the number of elements visited. @fn may delete the element.
	 */
	long (*for_each)(struct bpf_map *map, int (*fn)(void *key, void *value, void *arg),
			 void *arg);

	/* From bpf(2); absent: made of the above. Values as user space lays them out. */
	int (*next_key)(struct bpf_map *map, const void *key, void *next);
	int (*sys_lookup)(struct bpf_map *map, const void *key, void *value, u64 flags);
	int (*sys_update)(struct bpf_map *map, const void *key, const void *value, u64 flags);
	int (*sys_delete)(struct bpf_map *map, const void *key);
	/* absent: pop(), or not supported */
	int (*sys_lookup_delete)(struct bpf_map *map, const void *key, void *value, u64 flags);
	/*
	 * Up to *@count elements from bucket *@cursor on, whole buckets only;
	 * both are updated. -ENOENT at the end, -ENOSPC when a bucket has more.
	 */
	int (*sys_batch)(struct bpf_map *map, u32 *cursor, void *keys, void *values, u32 *count,
			 u64 flags, bool delete);
	u32 (*sys_value_size)(const struct bpf_map *map);
	/* Do the BTF types of key (0: void) and value suit? -errno if not. Absent: any but void. */
	int (*check_btf)(const struct bpf_map *map, const struct btf *btf, u32 key_id,
			 u32 value_id);
	/* Is there something to read for poll()? */
	bool (*readable)(struct bpf_map *map);

	/* Hashes: the key of the element whose value is at @value; NULL: it was removed. */
	const void *(*key_of)(struct bpf_map *map, const void *value);
	/* Arrays, also per CPU: bpf_map_array_layout(). */
	void (*array_layout)(const struct bpf_map *map, struct bpf_array_layout *layout);

	/* The range that mmap() of the descriptor shows, and its place in the heap. */
	void *(*mmap_range)(struct bpf_map *map, u64 *size);
	/* May this part be mapped, and writable? Absent: all of it. */
	int (*mmap_check)(struct bpf_map *map, u64 offset, u64 length, bool write);
	/* The only address it may be mapped at. Absent: any. */
	u64 (*mmap_address)(const struct bpf_map *map);
};

struct bpf_map {
	struct bpf_obj obj;
	const struct bpf_map_ops *ops;
	enum bpf_map_type type;
	u32 key_size, value_size, max_entries, flags;
	u64 extra;
	char name[BPF_OBJ_NAME_LEN];
	struct btf *btf;
	u32 btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id;
	struct btf_record *record;
	struct bpf_map *inner_meta; /* map-in-map: what inner maps must look like */
	bool frozen;
	bool rdonly_prog, wronly_prog;
	u32 writable_mappings;
};

/* The ops of @type, or NULL when the type is not supported. */
const struct bpf_map_ops *bpf_map_ops_of(enum bpf_map_type type);
const char *bpf_map_type_name(enum bpf_map_type type);

/*
 * False if @map is no array of values. The layout is the same as long as the map
 * lives, so it may be compiled into code that holds the map. Not for the
 * template of inner maps (inner_meta), which has no elements.
 */
static inline bool bpf_map_array_layout(const struct bpf_map *map, struct bpf_array_layout *layout)
{
	if (!map->ops->array_layout)
		return false;
	map->ops->array_layout(map, layout);
	return true;
}

/* Is @map as the template @meta (inner_meta of another) wants it? */
bool bpf_map_fits(const struct bpf_map *meta, const struct bpf_map *map);

static inline struct bpf_map *bpf_map_from_fd(int fd)
{
	struct bpf_obj *obj = bpf_obj_from_fd(fd, BPF_OBJ_MAP);

	return obj ? container_of(obj, struct bpf_map, obj) : NULL;
}

void bpf_map_get(struct bpf_map *map);
void bpf_map_put(struct bpf_map *map);

/*
 * mmap(2) and munmap(2) of a map's descriptor, for the facade, with the
 * kernel's checks: MAP_FAILED and errno. A mapping keeps the map alive, and a
 * writable one keeps it from being frozen, until munmap_notice(), which is to
 * be called before a munmap() and before a MAP_FIXED mapping covers the range.
 */
void *bpf_map_mmap(int fd, void *addr, size_t length, int prot, int flags, off_t offset);
void bpf_map_munmap_notice(void *addr, size_t length);
/* Forgets all mappings, for bpf_exit(): the memory stays mapped. */
void bpf_map_mappings_exit(void);
/* For poll(), epoll: is there something to read? False for what is no map of ours. */
bool bpf_map_readable(int fd);

/* bpf_tail_call(): the program in slot @index of a prog array, or NULL. */
struct bpf_prog *bpf_prog_array_at(struct bpf_map *map, u32 index);
/* All of them, as long as the map lives: max_entries pointers, NULL where there is none. */
struct bpf_prog *const *bpf_prog_array_slots(const struct bpf_map *map);
/* The first program that is loaded with a prog array, or put in it, decides what fits. */
bool bpf_prog_array_compatible(struct bpf_map *map, const struct bpf_prog *prog);

/*
 * What the helpers know and maps do not: how to end what a special field holds.
 * Set once at start. @field points at the field in the value.
 */
struct bpf_field_ops {
	void (*timer_free)(void *field); /* also bpf_wq */
	/* @obj left a map: an allocated object of a local type (kernel types: field->dtor) */
	void (*obj_drop)(const struct btf_field *field, void *obj);
	void (*graph_free)(const struct btf_field *field, void *head); /* lists and trees */
};
void bpf_set_field_ops(const struct bpf_field_ops *ops);

/*
 * Read-copy-update, as far as one thread needs it: memory that a running
 * program may still point at is freed when all runs have ended that were in
 * progress when it was let go of. A run notes the epoch when it begins; whoever
 * ends the oldest one says how far the oldest of the others lets us go.
 */
void bpf_rcu_defer(void (*fn)(void *arg), void *arg);
/* The epoch is how many there ever were; those from the first on wait. */
extern struct bpf_rcu {
	u64 epoch, first;
} bpf_rcu;

static inline u64 bpf_rcu_epoch(void)
{
	return bpf_rcu.epoch;
}

/* Calls what was deferred before @epoch; BPF_RCU_ALL: everything, also what that defers. */
void __bpf_rcu_reclaim(u64 epoch);
#define BPF_RCU_ALL (~0ULL)

static inline bool bpf_rcu_waiting(void)
{
	return bpf_rcu.first != bpf_rcu.epoch;
}

static inline void bpf_rcu_reclaim(u64 epoch)
{
	if (unlikely(bpf_rcu_waiting()))
		__bpf_rcu_reclaim(epoch);
}

/* Copies a value but for its special fields, which keep their state in @dst. */
void bpf_map_copy_value(const struct bpf_map *map, void *dst, const void *src);
/* Releases what special fields hold (kptrs, timers, list nodes) and zeroes them. */
void bpf_map_free_fields(const struct bpf_map *map, void *value);

/* Local storage dies with its owner: to be called when a task's memory is freed. */
void bpf_task_storage_free(void **anchor);
void bpf_cgroup_storage_free(void **anchor);

#endif
