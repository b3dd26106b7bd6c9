// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of kfuncs from the interpreter: arguments against the prototype and
 * their regions, the call, and the region of the result.
 */
#include <stdio.h>
#include <string.h>

#include "../helpers/helpers.h"
#include "kfunc.h"

typedef u64 (*kfunc_fn)(u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);

static const struct bpf_region iter_region = { .kind = REGION_SLOT, .name = "an iterator" };
static const struct bpf_mem_regions result_mem = BPF_MEM_REGIONS("result of a kfunc");

struct call {
	struct bpf_exec *x;
	const struct bpf_kfunc_desc *desc;
	const struct bpf_kfunc_arg *arg;
	const struct bpf_reg *reg;
	const struct bpf_reg *r;
	u32 index;
};

static bool refuse(struct call *c, const char *expected)
{
	return bpf_exec_refuse(c->x, c->reg, expected);
}

static bool is_kind(const struct call *c, enum bpf_region_kind kind)
{
	return c->reg->region && c->reg->region->kind == kind;
}

/* --- kinds of argument --------------------------------------------------------------- */

static bool check_mem(struct call *c, u64 size)
{
	enum bpf_access access = c->arg->writable ? ACCESS_RDWR : ACCESS_READ;

	if (!c->reg->v && (c->arg->nullable || !size))
		return true;
	return bpf_exec_mem(c->x, c->reg, 0, size, access) != NULL;
}

static bool check_mem_size(struct call *c)
{
	u64 size = (u32)c->r[c->index + 2].v;

	if (size >= 1u << 29)
		return bpf_exec_fault(c->x, "a size of %llu bytes", size);
	return check_mem(c, size);
}

static bool refuse_object(struct call *c)
{
	const struct btf_type *t = btf_type_by_id(bpf_kernel_btf(), c->arg->btf_id);
	char expected[80];

	snprintf(expected, sizeof(expected), "a live struct %s",
		 t ? btf_name(bpf_kernel_btf(), t->name_off) : "?");
	return refuse(c, expected);
}

static bool check_object(struct call *c)
{
	const struct bpf_reg *reg = c->reg;
	struct kheap_object obj;

	if (!reg->v)
		return c->arg->nullable ? true : refuse_object(c);
	if (!reg->region)
		return refuse_object(c);
	switch (reg->region->kind) {
	case REGION_OBJECT:
	case REGION_WALKED:
		if (kheap_find((const void *)reg->v, &obj) &&
		    btf_struct_has_type_at(bpf_kernel_btf(), obj.type->btf_id,
					   (u32)(reg->v - (u64)obj.base), c->arg->btf_id))
			return true;
		/* not in the kernel heap, but given to the program as what is wanted */
		if (reg->region->btf_id == c->arg->btf_id && reg->v == reg->base && reg->rsize &&
		    !kheap_contains(reg->v, 1))
			return true;
		return refuse_object(c);
	case REGION_STACK:
	case REGION_MAP_VALUE:
	case REGION_MEM:
		return c->arg->size ? check_mem(c, c->arg->size) : refuse_object(c);
	default:
		return refuse_object(c);
	}
}

/* Iterators are on the stack; the shadow of their slots says whether they are initialised. */
static bool check_iter(struct call *c)
{
	u32 nr = c->arg->size / 8, i;
	struct bpf_reg *slots;
	u64 fat;

	slots = bpf_exec_slots(c->x, c->reg, nr, &fat);
	if (!slots)
		return false;
	if (c->desc->kfunc->flags & KF_ITER_NEW)
		return true;
	for (i = 0; i < nr; i++)
		if (!(fat >> i & 1) || slots[i].region != &iter_region ||
		    slots[i].base != c->arg->btf_id)
			return refuse(c, "an initialised iterator");
	return true;
}

static void mark_iter(const struct call *c, const struct bpf_reg *reg)
{
	u32 nr = c->desc->args[0].size / 8, flags = c->desc->kfunc->flags, i;
	struct bpf_reg *slots;
	u64 fat;

	if (!(flags & (KF_ITER_NEW | KF_ITER_DESTROY)))
		return;
	slots = bpf_exec_slots(c->x, reg, nr, &fat);
	for (i = 0; i < nr && flags & KF_ITER_NEW; i++)
		slots[i] = (struct bpf_reg){ .base = c->desc->args[0].btf_id,
					     .region = &iter_region };
	bpf_exec_mark_slots(c->x, reg, nr, flags & KF_ITER_NEW);
}

static bool check_node(struct call *c)
{
	if (!is_kind(c, REGION_ALLOC))
		return refuse(c, "a node in an object that the program allocated");
	if (!bpf_alloc_find((const void *)c->reg->v))
		return bpf_exec_fault(c->x, "the object has been freed");
	return bpf_exec_field(c->x, c->reg, c->arg->field) != NULL;
}

static bool check_alloc(struct call *c)
{
	const struct bpf_alloc_header *h;

	if (is_kind(c, REGION_ALLOC) || c->reg->region == &bpf_region_percpu_alloc) {
		h = bpf_alloc_find((const void *)c->reg->v);
		if (h && c->reg->v == (u64)(h + 1))
			return true;
	}
	return refuse(c, "an object that the program allocated, from its beginning");
}

static bool check_str(struct call *c)
{
	if (!c->reg->v && c->arg->nullable)
		return true;
	if (!bpf_exec_mem(c->x, c->reg, 0, 1, ACCESS_READ))
		return false;
	return bpf_probe_strlen(c->reg->v) >= 0 ? true :
						  refuse(c, "a string with its terminating NUL");
}

static bool check_arg(struct call *c)
{
	switch (c->arg->kind) {
	case KARG_SCALAR:
	case KARG_CONST:
	case KARG_IGNORE:
	case KARG_DYNPTR: /* by the kfunc */
		return true;
	case KARG_MAP:
		return bpf_reg_is(c->reg, REGION_MAP_PTR) ? true : refuse(c, "a map");
	case KARG_ITER:
		return check_iter(c);
	case KARG_CALLBACK:
		return bpf_reg_is(c->reg, REGION_FUNC) ? true : refuse(c, "a function");
	case KARG_OBJECT:
		return check_object(c);
	case KARG_MEM:
		return check_mem(c, c->arg->size);
	case KARG_MEM_SIZE:
		return check_mem_size(c);
	case KARG_STR:
		return check_str(c);
	case KARG_FIELD:
		return bpf_exec_field(c->x, c->reg, c->arg->field) != NULL;
	case KARG_NODE:
		return check_node(c);
	case KARG_ALLOC:
		return check_alloc(c);
	}
	return false;
}

/* --- results ------------------------------------------------------------------------------- */

u64 bpf_kfunc_extend(const struct bpf_kfunc_desc *d, u64 v)
{
	if (d->ret == KRET_VOID)
		return 0;
	if (d->ret != KRET_SCALAR)
		return v;
	if (d->ret_bool)
		return (u8)v != 0;
	switch (d->ret_size) {
	case 1:
		return d->ret_signed ? (u64)(s64)(s8)v : (u8)v;
	case 2:
		return d->ret_signed ? (u64)(s64)(s16)v : (u16)v;
	case 4:
		return d->ret_signed ? (u64)(s64)(s32)v : (u32)v;
	default:
		return v;
	}
}

static void set_result(const struct bpf_kfunc_desc *d, struct bpf_reg *r0, u64 ret)
{
	switch (d->ret) {
	case KRET_VOID:
		bpf_reg_number(r0, 0);
		break;
	case KRET_SCALAR:
		bpf_reg_number(r0, bpf_kfunc_extend(d, ret));
		break;
	case KRET_OBJECT:
		bpf_reg_object(r0, d->ret_btf_id, (const void *)ret);
		break;
	case KRET_NODE:
		bpf_reg_alloc(r0, (const void *)ret);
		break;
	case KRET_MEM:
		bpf_reg_mem(r0, &result_mem.rdonly, (const void *)ret, d->ret_size);
		break;
	case KRET_CUSTOM:
		break;
	}
}

/* The object that was acquired: nodes are inside of theirs. */
static void *acquired(const struct bpf_kfunc_desc *d, u64 ret)
{
	struct bpf_alloc_header *h = NULL;

	if (d->ret == KRET_NODE && ret)
		h = bpf_alloc_find((void *)ret);
	return h ? h + 1 : (void *)ret;
}

u64 bpf_kfunc_execute(struct bpf_exec *x, const struct bpf_kfunc_desc *desc, const u64 args[5])
{
	kfunc_fn fn = (kfunc_fn)desc->kfunc->fn;
	u32 flags = desc->kfunc->flags;
	u64 ret;

	bpf_exec_charge_call(x, bpf_env->kfunc_ns, flags & KF_TIMELESS);
	bpf_exec_current = x;
	ret = fn(args[0], args[1], args[2], args[3], args[4]);
	if (flags & KF_RELEASE)
		bpf_ref_del(x, (const void *)args[0]);
	if (flags & KF_ACQUIRE)
		bpf_ref_add(x, acquired(desc, ret));
	return ret;
}

bool bpf_kfunc_check_arg(struct bpf_exec *x, const struct bpf_kfunc_desc *desc, u32 arg,
			 const struct bpf_reg *r)
{
	struct call c = { .x = x, .desc = desc, .r = r, .index = arg, .arg = &desc->args[arg],
			  .reg = &r[arg + 1] };

	x->callee_arg = arg + 1;
	if (!check_arg(&c))
		return false;
	x->callee_arg = 0;
	return true;
}

void bpf_kfunc_call(struct bpf_exec *x, const struct bpf_kfunc_desc *desc, struct bpf_reg *r)
{
	struct call c = { .x = x, .desc = desc, .r = r };
	struct bpf_reg first = r[1];
	u64 args[5], ret;

	x->callee = desc->kfunc->name;
	for (c.index = 0; c.index < desc->nr_args; c.index++) {
		x->callee_arg = c.index + 1;
		c.arg = &desc->args[c.index];
		c.reg = &r[c.index + 1];
		if (!check_arg(&c))
			return;
		args[c.index] = bpf_kfunc_pass(c.arg, c.reg->v);
	}
	x->callee_arg = 0;
	for (; c.index < 5; c.index++)
		args[c.index] = 0;
	ret = bpf_kfunc_execute(x, desc, args);
	if (x->stopped)
		return;
	x->callee = NULL;
	set_result(desc, &r[0], ret);
	mark_iter(&c, &first);
}
