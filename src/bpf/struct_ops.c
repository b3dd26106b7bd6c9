// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct_ops: the types that other rooms register, the maps that hold a value
 * of such a type, and the links that put it to use.
 *
 * A map's value is written once. User space writes program descriptors where
 * the type has functions; the kernel's side of the value (kdata) gets the
 * programs themselves, user space's reads back as their ids.
 *
 * reg(), unreg() and update() run inside the machine (bpf_env->run_inside).
 */
#include "struct_ops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "btf/btf.h"
#include "kfunc/reloc.h"
#include "link.h"
#include "maps/map_impl.h"
#include "prog.h"

#define VALUE_PREFIX "bpf_struct_ops_"
#define MAX_TYPES 64
#define MAX_MEMBERS 64

/* Linux's enum bpf_struct_ops_state; user space reads it. */
enum state { STATE_INIT, STATE_INUSE, STATE_TOBEFREE, STATE_READY };

/* What every value starts with: Linux's struct bpf_struct_ops_common_value. */
struct common_value {
	u32 refcnt;
	u32 state;
};

struct st_type {
	struct bpf_struct_ops *ops;
	u32 value_size, data_off;
};

struct st_map {
	struct bpf_map map;
	const struct st_type *type;
	enum state state;
	char *uvalue, *kdata;
	struct bpf_prog **progs; /* by member */
	struct list_head in_use; /* registered without a link: on the list of those */
};

static struct st_type types[MAX_TYPES];
static u32 nr_types;
static struct list_head in_use = LIST_HEAD_INIT(in_use);

/* --- types ---------------------------------------------------------------- */

static u32 nr_members(const struct btf_type *t)
{
	return BTF_INFO_VLEN(t->info);
}

/* Where the value struct has the operations: after the common part. -EINVAL if it has not. */
static int find_data(const struct btf *btf, const struct btf_type *vt, u32 type_id)
{
	const struct btf_member *m = btf_members(vt);
	u32 i, id;

	for (i = 0; i < nr_members(vt); i++, m++) {
		btf_type_skip_modifiers(btf, m->type, &id);
		if (id == type_id && !strcmp(btf_name(btf, m->name_off), "data") &&
		    btf_member_bit_offset(vt, m) / 8 >= sizeof(struct common_value))
			return (int)(btf_member_bit_offset(vt, m) / 8);
	}
	return -EINVAL;
}

int bpf_register_struct_ops(struct bpf_struct_ops *ops)
{
	struct btf *btf = bpf_kernel_btf();
	char value_name[128];
	s32 type_id, value_id;
	struct st_type *st;
	int off, err;

	if (nr_types == MAX_TYPES)
		return -E2BIG;
	if ((size_t)snprintf(value_name, sizeof(value_name), VALUE_PREFIX "%s", ops->name) >=
	    sizeof(value_name))
		return -EINVAL;
	type_id = btf_find_by_name_kind(btf, ops->name, BTF_KIND_STRUCT);
	value_id = btf_find_by_name_kind(btf, value_name, BTF_KIND_STRUCT);
	if (type_id < 0 || value_id < 0)
		return -ENOENT;
	ops->type_id = (u32)type_id;
	ops->value_id = (u32)value_id;
	ops->type = btf_type_by_id(btf, ops->type_id);
	if (nr_members(ops->type) > MAX_MEMBERS)
		return -EINVAL;
	off = find_data(btf, btf_type_by_id(btf, ops->value_id), ops->type_id);
	if (off < 0)
		return off;
	if (ops->init && ops->init(btf))
		return -EINVAL;
	err = bpf_kfunc_table_register(ops);
	if (err)
		return err;
	st = &types[nr_types++];
	st->ops = ops;
	st->data_off = (u32)off;
	st->value_size = btf_type_size(btf, ops->value_id);
	return 0;
}

const struct bpf_struct_ops *bpf_struct_ops_find(u32 type_id)
{
	u32 i;

	for (i = 0; i < nr_types; i++)
		if (types[i].ops->type_id == type_id)
			return types[i].ops;
	return NULL;
}

static const struct st_type *find_value(u32 value_id)
{
	u32 i;

	for (i = 0; i < nr_types; i++)
		if (types[i].ops->value_id == value_id)
			return &types[i];
	return NULL;
}

const struct bpf_struct_ops *bpf_struct_ops_find_value(u32 value_id)
{
	const struct st_type *st = find_value(value_id);

	return st ? st->ops : NULL;
}

void bpf_struct_ops_exit(void)
{
	nr_types = 0;
	bpf_kfunc_tables_exit();
}

/* --- calls into the machine ----------------------------------------------- */

struct call {
	const struct bpf_struct_ops *ops;
	void *kdata, *old_kdata;
	struct bpf_link *link;
	enum { CALL_REG, CALL_UNREG, CALL_UPDATE } what;
	int ret;
};

static void do_call(void *arg)
{
	struct call *c = arg;

	switch (c->what) {
	case CALL_REG:
		c->ret = c->ops->reg(c->kdata, c->link);
		break;
	case CALL_UNREG:
		c->ops->unreg(c->kdata, c->link);
		break;
	case CALL_UPDATE:
		c->ret = c->ops->update(c->kdata, c->old_kdata, c->link);
		break;
	}
}

static int reg(struct st_map *sm, struct bpf_link *link)
{
	struct call c = { .ops = sm->type->ops, .kdata = sm->kdata, .link = link, .what = CALL_REG };

	bpf_env->run_inside(do_call, &c);
	return c.ret;
}

static void unreg(struct st_map *sm, struct bpf_link *link)
{
	struct call c = { .ops = sm->type->ops, .kdata = sm->kdata, .link = link,
			  .what = CALL_UNREG };

	bpf_env->run_inside(do_call, &c);
}

/* --- maps ----------------------------------------------------------------- */

static struct st_map *to_st_map(struct bpf_map *map)
{
	return container_of(map, struct st_map, map);
}

static int st_check(const union bpf_attr *attr)
{
	if (attr->key_size != sizeof(u32) || attr->max_entries != 1 ||
	    attr->map_flags & ~(BPF_F_LINK | BPF_F_VTYPE_BTF_OBJ_FD) ||
	    !attr->btf_vmlinux_value_type_id)
		return -EINVAL;
	return 0;
}

static struct bpf_map *st_alloc(const union bpf_attr *attr, int *err)
{
	const struct st_type *type = find_value(attr->btf_vmlinux_value_type_id);
	struct bpf_map *map = NULL;
	struct st_map *sm;

	if (attr->map_flags & BPF_F_VTYPE_BTF_OBJ_FD)
		*err = -EINVAL; /* for types of modules, of which there are none */
	else if (!type)
		*err = -ENOTSUPP;
	else if (attr->value_size != type->value_size)
		*err = -EINVAL;
	else if (!(map = bpf_map_new(&struct_ops_map_ops, attr, sizeof(struct st_map))))
		*err = -ENOMEM;
	if (!map)
		return NULL;
	sm = to_st_map(map);
	sm->type = type;
	sm->uvalue = xcalloc(1, type->value_size);
	sm->kdata = xcalloc(1, type->value_size - type->data_off);
	sm->progs = xcalloc(MAX_MEMBERS, sizeof(*sm->progs));
	INIT_LIST_HEAD(&sm->in_use);
	return map;
}

static void put_progs(struct st_map *sm)
{
	u32 i;

	for (i = 0; i < MAX_MEMBERS; i++) {
		if (sm->progs[i])
			bpf_prog_put(sm->progs[i]);
		sm->progs[i] = NULL;
	}
}

static void st_free(struct bpf_map *map)
{
	struct st_map *sm = to_st_map(map);

	put_progs(sm);
	free(sm->progs);
	free(sm->kdata);
	free(sm->uvalue);
}

static bool all_zero(const char *p, u32 size)
{
	while (size && !*p) {
		p++;
		size--;
	}
	return !size;
}

/* The bytes between the members of @t must be zero. */
static int check_holes(const struct btf *btf, const struct btf_type *t, const char *data)
{
	const struct btf_member *m = btf_members(t);
	u32 i, end = 0;

	for (i = 0; i < nr_members(t); i++, m++) {
		u32 off = btf_member_bit_offset(t, m) / 8;

		if (off > end && !all_zero(data + end, off - end))
			return -EINVAL;
		end = off + btf_type_size(btf, m->type);
	}
	return t->size > end && !all_zero(data + end, t->size - end) ? -EINVAL : 0;
}

static bool is_func_ptr(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_skip_modifiers(btf, id, NULL);

	if (!btf_type_is_ptr(t))
		return false;
	t = btf_type_skip_modifiers(btf, t->type, NULL);
	return t && BTF_INFO_KIND(t->info) == BTF_KIND_FUNC_PROTO;
}

/* A function: the program behind the descriptor, if it was loaded for this member. */
static int set_func(struct st_map *sm, u32 index, char *udata, u32 off)
{
	struct bpf_prog *prog;
	u64 value;

	memcpy(&value, udata + off, sizeof(value));
	if (!(int)value)
		return 0;
	prog = bpf_prog_from_fd((int)value);
	if (!prog)
		return bpf_fd_error((int)value);
	if (prog->type != BPF_PROG_TYPE_STRUCT_OPS ||
	    prog->attach_btf_id != sm->type->ops->type_id ||
	    (u32)prog->expected_attach_type != index) {
		bpf_prog_put(prog);
		return -EINVAL;
	}
	sm->progs[index] = prog;
	memcpy(sm->kdata + off, &prog, sizeof(prog));
	value = prog->obj.id;
	memcpy(udata + off, &value, sizeof(value));
	return 0;
}

static int set_member(struct st_map *sm, u32 index, char *udata)
{
	const struct bpf_struct_ops *ops = sm->type->ops;
	const struct btf_member *m = btf_members(ops->type) + index;
	const struct btf *btf = bpf_kernel_btf();
	u32 off = btf_member_bit_offset(ops->type, m) / 8;
	int ret = ops->init_member ? ops->init_member(ops->type, m, sm->kdata, udata) : 0;

	if (ret)
		return min(ret, 0); /* 1: done, else an error */
	if (is_func_ptr(btf, m->type))
		return set_func(sm, index, udata, off);
	return all_zero(udata + off, btf_type_size(btf, m->type)) ? 0 : -EINVAL;
}

static int set_value(struct st_map *sm, const char *value)
{
	const struct bpf_struct_ops *ops = sm->type->ops;
	u32 i;
	int err = 0;

	memcpy(sm->uvalue, value, sm->map.value_size);
	for (i = 0; i < nr_members(ops->type) && !err; i++)
		err = set_member(sm, i, sm->uvalue + sm->type->data_off);
	if (!err && ops->validate)
		err = ops->validate(sm->kdata);
	if (!err && !(sm->map.flags & BPF_F_LINK))
		err = reg(sm, NULL);
	return err;
}

static int st_update(struct bpf_map *map, const void *key, const void *value, u64 flags)
{
	struct st_map *sm = to_st_map(map);
	const struct st_type *type = sm->type;
	const struct btf *btf = bpf_kernel_btf();
	u32 index;
	int err;

	memcpy(&index, key, sizeof(index));
	if (flags)
		return -EINVAL;
	if (index)
		return -E2BIG;
	err = check_holes(btf, btf_type_by_id(btf, type->ops->value_id), value) ?:
	      check_holes(btf, type->ops->type, (const char *)value + type->data_off);
	if (err)
		return err;
	if (!all_zero(value, sizeof(struct common_value)))
		return -EINVAL;
	if (sm->state != STATE_INIT)
		return -EBUSY;
	err = set_value(sm, value);
	if (err) {
		put_progs(sm);
		memset(sm->uvalue, 0, type->value_size);
		memset(sm->kdata, 0, type->value_size - type->data_off);
		return err;
	}
	if (map->flags & BPF_F_LINK) {
		sm->state = STATE_READY;
		return 0;
	}
	/* registered: the map stays until it is unregistered */
	sm->state = STATE_INUSE;
	bpf_map_get(map);
	list_add_tail(&sm->in_use, &in_use);
	return 0;
}

static int st_delete(struct bpf_map *map, const void *key)
{
	struct st_map *sm = to_st_map(map);

	if (map->flags & BPF_F_LINK)
		return -EOPNOTSUPP;
	switch (sm->state) {
	case STATE_INUSE:
		sm->state = STATE_TOBEFREE;
		list_del_init(&sm->in_use);
		unreg(sm, NULL);
		bpf_map_put(map);
		return 0;
	case STATE_TOBEFREE:
		return -EINPROGRESS;
	default:
		return -ENOENT;
	}
}

void bpf_struct_ops_unreg_all(void)
{
	while (!list_empty(&in_use))
		st_delete(&list_first_entry(&in_use, struct st_map, in_use)->map, NULL);
}

static int st_lookup(struct bpf_map *map, const void *key, void *value, u64 flags)
{
	struct st_map *sm = to_st_map(map);
	struct common_value common;
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (index)
		return -ENOENT;
	memset(value, 0, map->value_size);
	if (sm->state == STATE_INIT)
		return 0;
	memcpy(value, sm->uvalue, map->value_size);
	/* how many hold it beside user space's descriptors and who asks */
	common.refcnt = map->obj.refs - (map->obj.fd_count > 0) - 1;
	common.state = sm->state;
	memcpy(value, &common, sizeof(common));
	return 0;
}

static int st_next_key(struct bpf_map *map, const void *key, void *next)
{
	u32 index = 1;

	if (key)
		memcpy(&index, key, sizeof(index));
	if (!index)
		return -ENOENT;
	memset(next, 0, sizeof(index));
	return 0;
}

const struct bpf_map_ops struct_ops_map_ops = {
	.check = st_check,
	.alloc = st_alloc,
	.free = st_free,
	.next_key = st_next_key,
	.sys_lookup = st_lookup,
	.sys_update = st_update,
	.sys_delete = st_delete,
};

/* --- links ---------------------------------------------------------------- */

struct st_link {
	struct bpf_link link;
	struct st_map *sm; /* NULL once detached */
};

static int st_link_detach(struct bpf_link *link)
{
	struct st_link *sl = container_of(link, struct st_link, link);
	struct st_map *sm = sl->sm;

	if (!sm)
		return 0;
	sl->sm = NULL;
	unreg(sm, link);
	bpf_map_put(&sm->map);
	return 0;
}

static void st_link_release(struct bpf_link *link)
{
	st_link_detach(link);
	free(container_of(link, struct st_link, link));
}

static bool can_register(const struct bpf_map *map)
{
	return map->type == BPF_MAP_TYPE_STRUCT_OPS && map->flags & BPF_F_LINK &&
	       container_of(map, struct st_map, map)->state == STATE_READY;
}

static int st_link_update(struct bpf_link *link, struct bpf_map *map, struct bpf_map *expected)
{
	struct st_link *sl = container_of(link, struct st_link, link);
	struct st_map *sm = to_st_map(map), *old = sl->sm;
	struct call c = { .link = link, .what = CALL_UPDATE };

	if (!can_register(map))
		return -EINVAL;
	if (!sm->type->ops->update)
		return -EOPNOTSUPP;
	if (!old)
		return -ENOLINK;
	if (expected && expected != &old->map)
		return -EPERM;
	if (sm->type != old->type)
		return -EINVAL;
	c.ops = sm->type->ops;
	c.kdata = sm->kdata;
	c.old_kdata = old->kdata;
	bpf_env->run_inside(do_call, &c);
	if (c.ret)
		return c.ret;
	bpf_map_get(map);
	sl->sm = sm;
	bpf_map_put(&old->map);
	return 0;
}

static void st_link_fill_info(const struct bpf_link *link, struct bpf_link_info *info)
{
	const struct st_link *sl = container_of(link, struct st_link, link);

	info->struct_ops.map_id = sl->sm ? sl->sm->map.obj.id : 0;
}

static const struct bpf_link_ops st_link_ops = {
	.release = st_link_release,
	.detach = st_link_detach,
	.update_map = st_link_update,
	.fill_info = st_link_fill_info,
};

int bpf_struct_ops_link_create(const union bpf_attr *attr)
{
	struct bpf_map *map = bpf_map_from_fd((int)attr->link_create.map_fd);
	struct st_link *sl;
	int ret;

	if (!map)
		return bpf_fd_error((int)attr->link_create.map_fd);
	if (!can_register(map)) {
		bpf_map_put(map);
		return -EINVAL;
	}
	sl = xcalloc(1, sizeof(*sl));
	bpf_link_init(&sl->link, BPF_LINK_TYPE_STRUCT_OPS, &st_link_ops, NULL);
	ret = reg(to_st_map(map), &sl->link);
	if (ret) {
		bpf_map_put(map);
		bpf_link_put(&sl->link);
		return ret;
	}
	sl->sm = to_st_map(map);
	ret = bpf_obj_new_fd(&sl->link.obj);
	if (ret < 0)
		bpf_link_put(&sl->link);
	return ret;
}
