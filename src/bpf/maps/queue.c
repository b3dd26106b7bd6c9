// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues and stacks: a ring of max_entries + 1 slots, filled at the head. A
 * queue is emptied at the tail, a stack at the head.
 */
#include <string.h>

#include "map_impl.h"

struct queue_map {
	struct bpf_map map;
	u64 slots, head, tail;
	char *data;
};

static struct queue_map *to_queue(struct bpf_map *map)
{
	return container_of(map, struct queue_map, map);
}

static int queue_check(const union bpf_attr *attr)
{
	if (!attr->max_entries || attr->key_size || !attr->value_size ||
	    attr->map_flags & ~(BPF_F_NUMA_NODE | BPF_F_ACCESS_MASK) ||
	    !bpf_map_access_ok(attr->map_flags))
		return -EINVAL;
	return attr->value_size > KMALLOC_MAX_SIZE ? -E2BIG : 0;
}

static struct bpf_map *queue_alloc(const union bpf_attr *attr, int *err)
{
	struct bpf_map *map = bpf_map_new(bpf_map_ops_of(attr->map_type), attr,
					  sizeof(struct queue_map));
	struct queue_map *q;

	*err = -ENOMEM;
	if (!map)
		return NULL;
	q = to_queue(map);
	q->slots = (u64)map->max_entries + 1;
	if (q->slots <= MAP_MAX_BYTES / map->value_size)
		q->data = kheap_alloc(&bpf_value_type, q->slots * map->value_size);
	if (!q->data) {
		bpf_map_put(map);
		return NULL;
	}
	*err = 0;
	return map;
}

static void queue_free(struct bpf_map *map)
{
	kheap_free(to_queue(map)->data);
}

static char *slot(struct queue_map *q, u64 index)
{
	return q->data + index * q->map.value_size;
}

static u64 after(const struct queue_map *q, u64 index)
{
	return index + 1 == q->slots ? 0 : index + 1;
}

static u64 before(const struct queue_map *q, u64 index)
{
	return index ? index - 1 : q->slots - 1;
}

static long queue_push(struct bpf_map *map, const void *value, u64 flags)
{
	struct queue_map *q = to_queue(map);

	if (flags & BPF_NOEXIST || flags > BPF_EXIST)
		return -EINVAL;
	if (after(q, q->head) == q->tail) {
		if (!(flags & BPF_EXIST))
			return -E2BIG;
		q->tail = after(q, q->tail); /* the oldest makes room */
	}
	memcpy(slot(q, q->head), value, map->value_size);
	q->head = after(q, q->head);
	return 0;
}

static long take(struct bpf_map *map, void *value, bool delete)
{
	struct queue_map *q = to_queue(map);
	bool stack = map->type == BPF_MAP_TYPE_STACK;

	if (q->head == q->tail) {
		memset(value, 0, map->value_size);
		return -ENOENT;
	}
	memcpy(value, slot(q, stack ? before(q, q->head) : q->tail), map->value_size);
	if (delete && stack)
		q->head = before(q, q->head);
	else if (delete)
		q->tail = after(q, q->tail);
	return 0;
}

static long queue_pop(struct bpf_map *map, void *value)
{
	return take(map, value, true);
}

static long queue_peek(struct bpf_map *map, void *value)
{
	return take(map, value, false);
}

static int queue_next_key(struct bpf_map *map, const void *key, void *next)
{
	return -EINVAL;
}

static int queue_sys_delete(struct bpf_map *map, const void *key)
{
	return -EINVAL;
}

#define QUEUE_OPS                                                                                  \
	{                                                                                          \
		.check = queue_check, .alloc = queue_alloc, .free = queue_free,                    \
		.push = queue_push, .pop = queue_pop, .peek = queue_peek,                          \
		.next_key = queue_next_key, .sys_delete = queue_sys_delete,                        \
	}

const struct bpf_map_ops queue_map_ops = QUEUE_OPS;
const struct bpf_map_ops stack_map_ops = QUEUE_OPS;
