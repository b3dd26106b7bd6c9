// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf_timer and bpf_wq: a callback of a program at a later time. What the field
 * in a map value stands for is a struct timer in the kernel heap, whose address
 * is in the field's first word; the environment drives it.
 *
 * A timer with a callback holds the program, which holds the map. The circle is
 * broken when the map's last descriptor is closed, as in Linux.
 *
 * Callbacks run at one instant in interrupt context, those of bpf_wq too: they
 * do not sleep.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "helpers/helpers.h"
#include "timer.h"

#define MAX_CLOCKS 16

struct timer {
	struct bpf_timer_node node;
	struct list_head list; /* all there are */
	struct bpf_map *map;
	void *value;
	void *key; /* in the kernel heap; NULL: an array, whose key is index */
	u32 index;
	struct bpf_prog *prog; /* a reference; NULL: no callback */
	u64 func;
	bool running, dead; /* dead: freed by its own callback */
};

static const struct kheap_type timer_type = { .name = "[timer]", .visible = 1 };
static const struct kheap_type key_type = { .name = "[timer key]" };
static const struct bpf_region key_region = { .kind = REGION_MEM, .name = "map key",
					      .readable = true };
static struct list_head timers = LIST_HEAD_INIT(timers);

/* --- life ---------------------------------------------------------------------------- */

static struct timer *timer_of(u64 field)
{
	struct kheap_object obj;
	u64 address;

	memcpy(&address, (const void *)field, sizeof(address));
	if (!address || !kheap_find((const void *)address, &obj) || obj.type != &timer_type)
		return NULL;
	return obj.base;
}

static void set_prog(struct timer *t, struct bpf_prog *prog, u64 func)
{
	struct bpf_prog *old = t->prog;

	if (prog)
		bpf_prog_get(prog);
	t->prog = prog;
	t->func = func;
	if (old)
		bpf_prog_put(old);
}

static void timer_destroy(struct timer *t)
{
	list_del_init(&t->list);
	kheap_free(t->key);
	kheap_free(t);
}

static void timer_end(struct timer *t)
{
	if (bpf_env->timer_free)
		bpf_env->timer_free(&t->node);
	set_prog(t, NULL, 0);
	t->dead = true;
	if (!t->running)
		timer_destroy(t);
}

void bpf_timer_field_free(void *field)
{
	struct timer *t = timer_of((u64)field);

	if (t)
		timer_end(t);
	memset(field, 0, sizeof(u64));
}

/* No descriptor of the map is left: nobody but its programs can use its timers. */
static void map_unused(struct bpf_obj *obj)
{
	struct bpf_map *map = container_of(obj, struct bpf_map, obj);
	struct timer *t, *next;

	list_for_each_entry_safe(t, next, &timers, list)
		if (t->map == map && !t->dead) {
			const struct btf_record *rec = map->record;
			u32 i;

			for (i = 0; rec && i < rec->nr; i++)
				if (rec->fields[i].type & (BPF_TIMER | BPF_WORKQUEUE) &&
				    timer_of((u64)t->value + rec->fields[i].offset) == t)
					memset((char *)t->value + rec->fields[i].offset, 0, 8);
			timer_end(t);
		}
}

/* --- callbacks --------------------------------------------------------------------------- */

static void callback_args(struct timer *t, const struct bpf_prog *prog, struct bpf_reg args[3])
{
	const struct bpf_region *map = bpf_region_of_map(prog, t->map);

	bpf_reg_opaque(&args[0], map, (u64)t->map);
	bpf_reg_mem(&args[1], &key_region, t->key ? t->key : &t->index,
		    t->key ? t->map->key_size : sizeof(t->index));
	bpf_reg_map_value(&args[2], map->values, t->value);
}

static void expire(struct bpf_timer_node *node)
{
	struct timer *t = container_of(node, struct timer, node);
	struct bpf_prog *prog = t->prog;
	struct bpf_reg args[3];
	struct bpf_exec *x;

	if (!prog || t->running)
		return;
	bpf_prog_get(prog); /* the callback may replace itself */
	x = bpf_exec_begin(prog, false);
	if (x) {
		t->running = true;
		callback_args(t, prog, args);
		bpf_exec_end(x, bpf_exec_call(x, bpf_func_insn(t->func), args, 3));
		t->running = false;
		if (t->dead)
			timer_destroy(t);
	}
	bpf_prog_put(prog);
}

/* The key of the element of @map whose value is at @value, in *@index of arrays; NULL: there is none. */
static const void *key_of(struct bpf_map *map, const void *value, u32 *index)
{
	struct bpf_array_layout l;
	u64 pos;

	if (!bpf_map_array_layout(map, &l))
		return map->ops->key_of ? map->ops->key_of(map, value) : NULL;
	pos = (u64)((const char *)value - l.base);
	*index = (u32)(pos / l.elem_size);
	return pos % l.elem_size || pos / l.elem_size >= l.max_entries ? NULL : index;
}

static bool find_key(struct timer *t)
{
	const void *key = key_of(t->map, t->value, &t->index);

	if (key == &t->index)
		return true;
	if (key)
		t->key = kheap_alloc(&key_type, t->map->key_size);
	if (t->key)
		memcpy(t->key, key, t->map->key_size);
	return t->key;
}

/* --- what helpers and kfuncs do -------------------------------------------------------------- */

static int timer_new(u64 field, struct bpf_map *map, void *value)
{
	struct timer *t;
	u64 address;

	if (timer_of(field))
		return -EBUSY;
	if (!map->obj.fd_count) /* nobody would ever end it */
		return -EPERM;
	t = kheap_alloc(&timer_type, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->node.expire = expire;
	t->map = map;
	t->value = value;
	if (!find_key(t)) {
		kheap_free(t);
		return -ENOMEM;
	}
	if (!map->obj.unused)
		map->obj.unused = map_unused;
	list_add_tail(&t->list, &timers);
	address = (u64)t;
	memcpy((void *)field, &address, sizeof(address));
	return 0;
}

/* Where the one such field of a map's values is. */
static const struct btf_field *field_of(const struct bpf_map *map, enum btf_field_type type)
{
	u32 i;

	for (i = 0; map->record && i < map->record->nr; i++)
		if (map->record->fields[i].type == type)
			return &map->record->fields[i];
	return NULL;
}

/* Values of inner maps are known by their template only: is that one of @map's? */
static bool holds(struct bpf_map *map, const struct bpf_map *meta, const void *value)
{
	u32 index;

	return bpf_map_fits(meta, map) && key_of(map, value, &index);
}

int bpf_timer_field_init(struct bpf_exec *x, u64 field, struct bpf_map *map,
			 enum btf_field_type type)
{
	const struct btf_field *f = field_of(map, type);
	const struct bpf_region *region = x->checked ? x->regs[1].region : NULL;

	if (region && region->map != map &&
	    !(f && holds(map, region->map, (void *)(field - f->offset)))) {
		bpf_exec_fault(x, "the timer is in map '%s', not in the map that is given",
			       region->name);
		return 0;
	}
	return f ? timer_new(field, map, (void *)(field - f->offset)) : -EINVAL;
}

int bpf_timer_field_callback(struct bpf_exec *x, u64 field, u64 func)
{
	struct timer *t = timer_of(field);

	if (!t)
		return -EINVAL;
	if (!t->map->obj.fd_count)
		return -EPERM;
	set_prog(t, x->prog, func);
	return 0;
}

int bpf_timer_field_start(u64 field, u64 when, bool pinned)
{
	struct timer *t = timer_of(field);

	if (!t || !t->prog)
		return -EINVAL;
	return bpf_env->timer_arm ? bpf_env->timer_arm(&t->node, when, pinned) : -EOPNOTSUPP;
}

BPF_HELPER(timer_init)
{
	struct bpf_exec *x = bpf_exec_current;
	u64 clock = a3 & (MAX_CLOCKS - 1);

	if (a3 >= MAX_CLOCKS ||
	    (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME))
		return (u64)-EINVAL;
	return (u64)(s64)bpf_timer_field_init(x, a1, (struct bpf_map *)a2, BPF_TIMER);
}

BPF_HELPER(timer_set_callback)
{
	return (u64)(s64)bpf_timer_field_callback(bpf_exec_current, a1, a2);
}

BPF_HELPER(timer_start)
{
	u64 when = a3 & BPF_F_TIMER_ABS ? a2 : bpf_env->ktime() + a2;

	if (a3 & ~(u64)(BPF_F_TIMER_ABS | BPF_F_TIMER_CPU_PIN))
		return (u64)-EINVAL;
	return (u64)(s64)bpf_timer_field_start(a1, when, a3 & BPF_F_TIMER_CPU_PIN);
}

BPF_HELPER(timer_cancel)
{
	struct timer *t = timer_of(a1);
	int ret;

	if (!t)
		return (u64)-EINVAL;
	if (t->running)
		return (u64)-EDEADLK;
	ret = bpf_env->timer_cancel ? bpf_env->timer_cancel(&t->node) : 0;
	set_prog(t, NULL, 0);
	return (u64)(s64)ret;
}
