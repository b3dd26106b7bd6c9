// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers on maps and their special fields, and those that call back.
 *
 * Arguments have been checked (helpers/call.c); what is left is whether this
 * map can do what is asked.
 */
#include <errno.h>
#include <string.h>

#include "helpers.h"
#include "../kfunc/kfunc.h"
#include "../maps/local_storage.h"

#define MAP ((struct bpf_map *)a1)

/* Linux's verifier refuses what a type of map cannot do; here it shows when called. */
static u64 unsupported(const struct bpf_map *map)
{
	bpf_exec_fault(bpf_exec_current, "map '%s' of type %s cannot do that", map->name,
		       bpf_map_type_name(map->type));
	return 0;
}

BPF_HELPER(map_lookup_elem)
{
	if (!MAP->ops->lookup)
		return unsupported(MAP);
	return (u64)MAP->ops->lookup(MAP, (const void *)a2);
}

BPF_HELPER(map_update_elem)
{
	if (!MAP->ops->update)
		return unsupported(MAP);
	return (u64)MAP->ops->update(MAP, (const void *)a2, (const void *)a3, a4);
}

BPF_HELPER(map_delete_elem)
{
	if (!MAP->ops->delete)
		return unsupported(MAP);
	return (u64)MAP->ops->delete(MAP, (const void *)a2);
}

BPF_HELPER(map_push_elem)
{
	if (!MAP->ops->push)
		return unsupported(MAP);
	return (u64)MAP->ops->push(MAP, (const void *)a2, a3);
}

BPF_HELPER(map_pop_elem)
{
	if (!MAP->ops->pop)
		return unsupported(MAP);
	return (u64)MAP->ops->pop(MAP, (void *)a2);
}

BPF_HELPER(map_peek_elem)
{
	if (!MAP->ops->peek)
		return unsupported(MAP);
	return (u64)MAP->ops->peek(MAP, (void *)a2);
}

BPF_HELPER(map_lookup_percpu_elem)
{
	if (!MAP->ops->lookup_percpu)
		return unsupported(MAP);
	return (u32)a3 < bpf_env->nr_cpus ?
	       (u64)MAP->ops->lookup_percpu(MAP, (const void *)a2, (u32)a3) : 0;
}

/* --- callbacks ----------------------------------------------------------------------- */

struct each {
	struct bpf_exec *x;
	u64 func;
	struct bpf_reg map, ctx;
	u32 key_size;
};

static const struct bpf_region key_region = { .kind = REGION_MEM, .name = "map key",
					      .readable = true };

static int call_for_element(void *key, void *value, void *arg)
{
	struct each *e = arg;
	struct bpf_reg args[4] = { e->map, { .v = (u64)key }, { .v = (u64)value }, e->ctx };
	u64 ret;

	if (e->x->checked) {
		bpf_reg_mem(&args[1], &key_region, key, e->key_size);
		bpf_reg_map_value(&args[2], e->map.region->values, value);
	}
	ret = bpf_exec_callback(e->x, e->func, args, 4);
	return ret || e->x->stopped;
}

BPF_HELPER(for_each_map_elem)
{
	struct bpf_exec *x = bpf_exec_current;
	struct each e = { .x = x, .func = a2, .map = bpf_exec_arg(x, 1, a1),
			  .ctx = bpf_exec_arg(x, 3, a3), .key_size = MAP->key_size };

	if (a4)
		return (u64)-EINVAL;
	if (!MAP->ops->for_each)
		return unsupported(MAP);
	return (u64)MAP->ops->for_each(MAP, call_for_element, &e);
}

BPF_HELPER(loop)
{
	struct bpf_exec *x = bpf_exec_current;
	u32 nr = (u32)a1, i;
	struct bpf_reg args[2] = { { 0 }, bpf_exec_arg(x, 3, a3) };

	if (a4)
		return (u64)-EINVAL;
	if (nr > BPF_MAX_LOOP_ITERATIONS)
		return (u64)-E2BIG;
	for (i = 0; i < nr; i++) {
		bpf_reg_number(&args[0], i);
		if (bpf_exec_callback(x, a2, args, 2))
			return i + 1;
		if (x->stopped)
			return 0;
	}
	return nr;
}

/* --- local storage ---------------------------------------------------------------------- */

static u64 storage_get(struct bpf_map *map, enum bpf_map_type type, void **anchor, u64 init,
		       u64 flags)
{
	if (map->type != type)
		return unsupported(map);
	if (!anchor || flags & ~(u64)BPF_LOCAL_STORAGE_GET_F_CREATE)
		return 0;
	return (u64)bpf_local_storage_get(map, anchor, (const void *)init, flags);
}

static u64 storage_delete(struct bpf_map *map, enum bpf_map_type type, void **anchor)
{
	if (map->type != type)
		return unsupported(map);
	return anchor ? (u64)bpf_local_storage_delete(map, anchor) : (u64)-EINVAL;
}

static void **task_anchor(u64 task)
{
	return task && bpf_env->task_storage_anchor ? bpf_env->task_storage_anchor((void *)task) :
						      NULL;
}

static void **cgroup_anchor(u64 cgroup)
{
	return cgroup && bpf_env->cgroup_storage_anchor ?
	       bpf_env->cgroup_storage_anchor((void *)cgroup) : NULL;
}

BPF_HELPER(task_storage_get)
{
	return storage_get(MAP, BPF_MAP_TYPE_TASK_STORAGE, task_anchor(a2), a3, a4);
}

BPF_HELPER(task_storage_delete)
{
	return storage_delete(MAP, BPF_MAP_TYPE_TASK_STORAGE, task_anchor(a2));
}

BPF_HELPER(cgrp_storage_get)
{
	return storage_get(MAP, BPF_MAP_TYPE_CGRP_STORAGE, cgroup_anchor(a2), a3, a4);
}

BPF_HELPER(cgrp_storage_delete)
{
	return storage_delete(MAP, BPF_MAP_TYPE_CGRP_STORAGE, cgroup_anchor(a2));
}

/* --- locks and kptrs ----------------------------------------------------------------------- */

BPF_HELPER(spin_lock)
{
	struct bpf_exec *x = bpf_exec_current;

	if (x->lock) {
		bpf_exec_fault(x, "a lock is held already, and a program may hold one");
		return 0;
	}
	bpf_env->spin_lock((u32 *)a1);
	x->lock = (u32 *)a1;
	return 0;
}

BPF_HELPER(spin_unlock)
{
	struct bpf_exec *x = bpf_exec_current;

	if (x->lock != (u32 *)a1) {
		bpf_exec_fault(x, "that lock is not held");
		return 0;
	}
	x->lock = NULL;
	bpf_env->spin_unlock((u32 *)a1);
	return 0;
}

/* Is @reg an object that the field may hold? */
static bool kptr_fits(const struct bpf_reg *reg, const struct btf_field *f)
{
	const struct bpf_alloc_header *h;
	struct kheap_object obj;

	if (!reg->v)
		return true;
	if (!reg->region)
		return false;
	if (f->kptr_btf && !f->kptr_btf->kernel) {
		h = bpf_alloc_find((const void *)reg->v);
		return h && reg->v == (u64)(h + 1) && h->btf_obj_id == f->kptr_btf->obj.id &&
		       h->type_id == f->kptr_btf_id;
	}
	return kheap_find((const void *)reg->v, &obj) &&
	       btf_struct_has_type_at(bpf_kernel_btf(), obj.type->btf_id,
				      (u32)(reg->v - (u64)obj.base), f->kptr_btf_id);
}

/* The field in argument 1 when argument 2 may go there; NULL when stopped. */
static const struct btf_field *check_kptr(struct bpf_exec *x)
{
	const struct btf_field *f = bpf_exec_field(x, &x->regs[1], BPF_KPTR_REF | BPF_KPTR_PERCPU);

	if (!f || kptr_fits(&x->regs[2], f))
		return f;
	x->callee_arg = 2;
	bpf_exec_refuse(x, &x->regs[2], "an object of the kptr's type");
	return NULL;
}

BPF_HELPER(kptr_xchg)
{
	struct bpf_exec *x = bpf_exec_current;
	const struct btf_field *f = x->checked ? check_kptr(x) : NULL;
	u64 old, *field = (u64 *)a1;

	if (x->checked && !f)
		return 0;
	memcpy(&old, field, sizeof(old));
	memcpy(field, &a2, sizeof(a2));
	bpf_ref_del(x, (const void *)a2);
	bpf_ref_add(x, (void *)old);
	if (x->checked)
		bpf_reg_kptr(&x->regs[0], f, old);
	return old;
}

/* --- per-CPU variables ------------------------------------------------------------------------ */

/* The variable that a pointer of the program is of; NULL: it is an object of its own. */
static const struct bpf_kernel_var *percpu_var(const struct bpf_exec *x, u64 address)
{
	const struct bpf_var_region *r;

	if (x->checked)
		return x->regs[1].region->var;
	for (r = x->prog->exec->var_regions; r; r = r->next)
		if ((u64)r->region.var->address(0) == address)
			return r->region.var;
	return NULL;
}

static u64 percpu_address(const struct bpf_exec *x, u64 address, u32 cpu)
{
	const struct bpf_kernel_var *var;
	const struct bpf_alloc_header *h;

	if (cpu >= bpf_env->nr_cpus)
		return 0;
	var = percpu_var(x, address);
	if (var)
		return (u64)var->address(cpu);
	h = bpf_alloc_find((const void *)address);
	return h ? address + (u64)cpu * ALIGN_UP(h->size, 8U) : 0;
}

BPF_HELPER(per_cpu_ptr)
{
	return percpu_address(bpf_exec_current, a1, (u32)a2);
}

BPF_HELPER(this_cpu_ptr)
{
	return percpu_address(bpf_exec_current, a1, bpf_env->cpu());
}
