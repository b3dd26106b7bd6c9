// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuncs of control and casts, work queues, and maps as objects.
 *
 * One CPU runs one program at an instant and nothing is freed while any
 * program runs: RCU and preemption sections need no more than to be counted.
 */
#include <errno.h>

#include "../../../kernel/kfuncs.h"
#include "kfunc.h"
#include "../maps/arena.h"
#include "../timer.h"

void bpf_rcu_read_lock(void)
{
	bpf_exec_current->rcu_depth++;
}

void bpf_rcu_read_unlock(void)
{
	bpf_exec_current->rcu_depth--;
}

void bpf_preempt_disable(void)
{
	bpf_exec_current->preempt_depth++;
}

void bpf_preempt_enable(void)
{
	bpf_exec_current->preempt_depth--;
}

/*
 * Ends the whole run; its result is the cookie, or what the program's exception
 * callback makes of it. That has all frames: those who called have been left.
 */
void bpf_throw(u64 cookie)
{
	struct bpf_exec *x = bpf_exec_current;
	u32 callback = x->prog->exception_cb;
	struct bpf_reg arg;

	if (callback) {
		bpf_reg_number(&arg, cookie);
		x->depth = 0;
		cookie = bpf_exec_callback(x, bpf_func_address(callback), &arg, 1);
		if (x->stopped)
			return;
	}
	bpf_exec_stop(x, cookie);
}

static void *walked(const void *ptr)
{
	struct bpf_exec *x = bpf_exec_current;

	if (x->checked)
		x->regs[0] = (struct bpf_reg){ .v = (u64)ptr, .region = &bpf_region_walked };
	return (void *)ptr;
}

void *bpf_cast_to_kern_ctx(void *obj)
{
	return walked(obj);
}

void *bpf_rdonly_cast(const void *obj, u32 btf_id)
{
	return walked(obj);
}

/* --- work queues: timers that expire at once ------------------------------------------ */

int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags)
{
	struct bpf_exec *x = bpf_exec_current;

	return flags ? -EINVAL : bpf_timer_field_init(x, (u64)wq, map, BPF_WORKQUEUE);
}

int bpf_wq_set_callback_impl(struct bpf_wq *wq, int(callback_fn)(void *map, int *key, void *value),
			     unsigned int flags, void *aux)
{
	if (flags)
		return -EINVAL;
	return bpf_timer_field_callback(bpf_exec_current, (u64)wq, (u64)callback_fn);
}

bool bpf_kfunc_is_async(const struct bpf_kfunc_desc *desc)
{
	return desc->kfunc->fn == (void *)bpf_wq_set_callback_impl;
}

int bpf_wq_start(struct bpf_wq *wq, unsigned int flags)
{
	return flags ? -EINVAL : bpf_timer_field_start((u64)wq, bpf_env->ktime(), false);
}

/* --- maps ------------------------------------------------------------------------------- */

static int count_one(void *key, void *value, void *arg)
{
	return 0;
}

/* Only hash tables count; other maps have always answered 0. */
s64 bpf_map_sum_elem_count(const struct bpf_map *map)
{
	struct bpf_map *m = (struct bpf_map *)map;

	switch (m->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return m->ops->for_each ? m->ops->for_each(m, count_one, NULL) : 0;
	default:
		return 0;
	}
}

/* --- arenas ------------------------------------------------------------------------------ */

static bool is_arena(const struct bpf_map *map)
{
	return map->type == BPF_MAP_TYPE_ARENA ? true :
	       bpf_exec_fault(bpf_exec_current, "map '%s' is no arena", map->name);
}

void *bpf_arena_alloc_pages(void *p__map, void *addr, u32 page_cnt, int node_id, u64 flags)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_map *map = p__map;
	u64 user = 0;

	if (is_arena(map) && !flags && node_id >= -1)
		user = bpf_arena_alloc(map, (u64)addr, page_cnt);
	if (x->checked)
		x->regs[0] = (struct bpf_reg){ .v = user, .region = x->prog->exec->arena };
	return (void *)user;
}

void bpf_arena_free_pages(void *p__map, void *ptr, u32 page_cnt)
{
	struct bpf_map *map = p__map;

	if (is_arena(map))
		bpf_arena_free(map, (u64)ptr, page_cnt);
}

static const struct bpf_kfunc kfuncs[] = {
	BPF_KFUNC_ENTRY(bpf_arena_alloc_pages, KF_TRUSTED_ARGS | KF_SLEEPABLE),
	BPF_KFUNC_ENTRY(bpf_arena_free_pages, KF_TRUSTED_ARGS | KF_SLEEPABLE),
	BPF_KFUNC_ENTRY(bpf_rcu_read_lock, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_rcu_read_unlock, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_preempt_disable, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_preempt_enable, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_throw, KF_CALLS_BACK),
	BPF_KFUNC_ENTRY(bpf_cast_to_kern_ctx, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_rdonly_cast, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_wq_init, 0),
	BPF_KFUNC_ENTRY(bpf_wq_set_callback_impl, 0),
	BPF_KFUNC_ENTRY(bpf_wq_start, 0),
	BPF_KFUNC_ENTRY(bpf_map_sum_elem_count, KF_TRUSTED_ARGS | KF_TIMELESS),
};

const struct bpf_kfunc_set bpf_misc_kfuncs = { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs) };
