// SPDX-License-Identifier: GPL-2.0-only
/*
 * Program types of other rooms: their registry, the links of their programs,
 * and the descriptors of what those are attached to.
 *
 * What a room's callbacks do to the machine they do inside of it
 * (bpf_env->run_inside), as those of struct_ops types. A link is attached
 * exactly as long as its state has not been given to detach(); it holds its
 * program, but not its target, which may end first.
 */
#include "prog_type.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "exec/exec.h"
#include "helpers/helpers.h"
#include "link.h"
#include "prog_type_internal.h"

#define MAX_TYPES 16
#define FIRST_HELPER 1000 /* Linux's are below */

static struct bpf_own_type types[MAX_TYPES];
static u32 nr_types;

/* --- registry -------------------------------------------------------------- */

static int resolve_helper(const struct bpf_type_helper *h, struct bpf_own_helper *own)
{
	s32 btf_id = 0;

	if (h->id < FIRST_HELPER)
		return -EINVAL;
	if (h->proto->btf)
		btf_id = btf_find_by_name_kind(bpf_kernel_btf(), h->proto->btf, BTF_KIND_STRUCT);
	if (btf_id < 0)
		return -ENOENT;
	own->id = h->id;
	own->btf_id = (u32)btf_id;
	own->proto = h->proto;
	snprintf(own->name, sizeof(own->name), "bpf_%s", h->proto->name);
	return 0;
}

int bpf_register_prog_type(const struct bpf_prog_type_ops *ops)
{
	s32 ctx = btf_find_by_name_kind(bpf_kernel_btf(), ops->ctx, BTF_KIND_STRUCT);
	struct bpf_own_type *type = &types[nr_types];
	int err = 0;

	if (ops->type < __MAX_BPF_PROG_TYPE || bpf_own_type_find(ops->type))
		return -EEXIST;
	if (nr_types == MAX_TYPES)
		return -E2BIG;
	if (ctx < 0)
		return -ENOENT;
	type->ops = ops;
	type->ctx_size = btf_type_size(bpf_kernel_btf(), (u32)ctx);
	type->helpers = xcalloc(max(ops->nr_helpers, 1U), sizeof(*type->helpers));
	type->nr_helpers = ops->nr_helpers;
	for (u32 i = 0; i < ops->nr_helpers && !err; i++)
		err = resolve_helper(&ops->helpers[i], &type->helpers[i]);
	if (err)
		free(type->helpers);
	else
		nr_types++;
	return err;
}

void bpf_own_types_exit(void)
{
	while (nr_types)
		free(types[--nr_types].helpers);
}

const struct bpf_own_type *bpf_own_type_find(u32 type)
{
	for (u32 i = 0; i < nr_types; i++)
		if (types[i].ops->type == type)
			return &types[i];
	return NULL;
}

const struct bpf_own_helper *bpf_own_helper_find(const struct bpf_own_type *type, u32 id)
{
	for (u32 i = 0; i < type->nr_helpers; i++)
		if (type->helpers[i].id == id)
			return &type->helpers[i];
	return NULL;
}

/* --- inside the machine ------------------------------------------------------ */

struct attachment {
	struct bpf_link link;
	void *state;
	bool attached;
};

struct call {
	struct bpf_prog *prog;
	struct attachment *attachment;
	const struct bpf_target_type *target_type;
	void *target;
	u32 attach_type;
	int ret;
};

static void inside(void (*fn)(void *arg), struct call *call)
{
	if (bpf_env->run_inside)
		bpf_env->run_inside(fn, call);
	else
		fn(call);
}

static void do_load(void *arg)
{
	struct call *c = arg;

	c->ret = c->prog->own_type->ops->loaded(c->prog);
}

int bpf_own_type_load(struct bpf_prog *prog)
{
	struct call c = { .prog = prog };

	if (prog->own_type->ops->loaded)
		inside(do_load, &c);
	prog->in_world = !c.ret;
	return c.ret;
}

static void do_unload(void *arg)
{
	struct call *c = arg;

	c->prog->own_type->ops->unloaded(c->prog);
}

void bpf_own_type_unload(struct bpf_prog *prog)
{
	struct call c = { .prog = prog };

	if (prog->in_world && prog->own_type->ops->unloaded)
		inside(do_unload, &c);
	prog->in_world = false;
}

u64 bpf_prog_run_ctx(struct bpf_prog *prog, void *ctx)
{
	VRT_ASSERT(prog->own_type);
	return bpf_interp_run(prog, ctx, prog->own_type->ctx_size);
}

/* --- targets ------------------------------------------------------------------ */

struct target {
	struct bpf_obj obj;
	const struct bpf_target_type *type;
	void *target;
};

static void do_release_target(void *arg)
{
	struct call *c = arg;

	c->target_type->release(c->target);
}

static void target_release(struct bpf_obj *obj)
{
	struct target *t = container_of(obj, struct target, obj);
	struct call c = { .target_type = t->type, .target = t->target };

	free(t);
	if (c.target_type && c.target_type->release)
		inside(do_release_target, &c);
}

/* The object that stands for @target already, with a reference taken. */
static struct target *target_find(const struct bpf_target_type *type, const void *target)
{
	u32 id = 0;

	while ((id = bpf_obj_next_id(id, BPF_OBJ_TARGET))) {
		struct bpf_obj *obj = bpf_obj_from_id(id, BPF_OBJ_TARGET);
		struct target *t = container_of(obj, struct target, obj);

		if (t->type == type && t->target == target)
			return t;
		bpf_obj_put(obj);
	}
	return NULL;
}

int bpf_target_fd(const struct bpf_target_type *type, void *target)
{
	struct target *t = target_find(type, target);
	int fd;

	if (t) {
		fd = bpf_obj_new_fd(&t->obj);
		if (fd < 0)
			bpf_obj_put(&t->obj);
		return fd;
	}
	t = xcalloc(1, sizeof(*t));
	t->type = type;
	t->target = target;
	bpf_obj_init(&t->obj, BPF_OBJ_TARGET, target_release);
	fd = bpf_obj_new_fd(&t->obj);
	if (fd < 0) { /* there never was a descriptor to be closed */
		t->type = NULL;
		bpf_obj_put(&t->obj);
	}
	return fd;
}

/* --- links ---------------------------------------------------------------------- */

static void do_attach(void *arg)
{
	struct call *c = arg;

	c->ret = c->prog->own_type->ops->attach(c->prog, c->target, c->attach_type,
						&c->attachment->state);
}

static void do_detach(void *arg)
{
	struct call *c = arg;

	c->prog->own_type->ops->detach(c->prog, c->attachment->state);
}

static int link_detach(struct bpf_link *link)
{
	struct attachment *a = container_of(link, struct attachment, link);
	struct call c = { .prog = link->prog, .attachment = a };

	if (!a->attached)
		return 0;
	a->attached = false;
	inside(do_detach, &c);
	return 0;
}

static void link_release(struct bpf_link *link)
{
	link_detach(link);
	free(container_of(link, struct attachment, link));
}

static const struct bpf_link_ops link_ops = {
	.release = link_release,
	.detach = link_detach,
};

/* What target_fd stands for, with a reference taken in *@obj; NULL when it is 0. */
static int get_target(const struct bpf_prog_type_ops *ops, int fd, struct bpf_obj **obj)
{
	*obj = NULL;
	if (!fd)
		return 0;
	*obj = bpf_obj_from_fd(fd, BPF_OBJ_TARGET);
	if (!*obj)
		return bpf_fd_error(fd);
	if (container_of(*obj, struct target, obj)->type == ops->target)
		return 0;
	bpf_obj_put(*obj);
	*obj = NULL;
	return -EINVAL;
}

static int create_link(struct bpf_prog *prog, void *target, u32 attach_type)
{
	struct attachment *a = xcalloc(1, sizeof(*a));
	struct call c = { .prog = prog, .attachment = a, .target = target,
			  .attach_type = attach_type };
	int fd;

	bpf_prog_get(prog);
	bpf_link_init(&a->link, BPF_LINK_TYPE_UNSPEC, &link_ops, prog);
	inside(do_attach, &c);
	a->attached = !c.ret;
	fd = c.ret ? c.ret : bpf_obj_new_fd(&a->link.obj);
	if (fd < 0)
		bpf_link_put(&a->link);
	else
		bpf_prog_put(prog);
	return fd;
}

int bpf_own_type_link_create(struct bpf_prog *prog, const union bpf_attr *attr)
{
	const struct bpf_prog_type_ops *ops = prog->own_type->ops;
	struct bpf_obj *obj;
	int ret;

	if (!ops->attach || attr->link_create.flags)
		return -EINVAL;
	ret = get_target(ops, (int)attr->link_create.target_fd, &obj);
	if (ret)
		return ret;
	ret = create_link(prog, obj ? container_of(obj, struct target, obj)->target : NULL,
			  attr->link_create.attach_type);
	if (obj)
		bpf_obj_put(obj);
	return ret;
}
