// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links, and the attach points that other rooms have registered. The links of
 * struct_ops maps are in struct_ops.c.
 */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "maps/map_impl.h"
#include "prog.h"
#include "prog_type_internal.h"
#include "struct_ops.h"
#include "syscall/syscall.h"

#define MAX_ATTACH_OPS 16
#define TP_NAME_LEN 128

static const struct bpf_attach_ops *attach_ops[MAX_ATTACH_OPS];
static u32 nr_attach_ops;

void bpf_register_attach(const struct bpf_attach_ops *ops)
{
	VRT_ASSERT(nr_attach_ops < MAX_ATTACH_OPS);
	attach_ops[nr_attach_ops++] = ops;
}

void bpf_link_exit(void)
{
	nr_attach_ops = 0;
}

/* --- life ----------------------------------------------------------------- */

static void link_release(struct bpf_obj *obj)
{
	struct bpf_link *link = container_of(obj, struct bpf_link, obj);
	struct bpf_prog *prog = link->prog;

	link->ops->release(link);
	if (prog)
		bpf_prog_put(prog);
}

void bpf_link_init(struct bpf_link *link, enum bpf_link_type type, const struct bpf_link_ops *ops,
		   struct bpf_prog *prog)
{
	bpf_obj_init(&link->obj, BPF_OBJ_LINK, link_release);
	link->type = type;
	link->ops = ops;
	link->prog = prog;
}

struct bpf_link *bpf_link_from_fd(int fd)
{
	struct bpf_obj *obj = bpf_obj_from_fd(fd, BPF_OBJ_LINK);

	return obj ? container_of(obj, struct bpf_link, obj) : NULL;
}

void bpf_link_put(struct bpf_link *link)
{
	bpf_obj_put(&link->obj);
}

/* --- registered attach points --------------------------------------------- */

struct attach_link {
	struct bpf_link link;
	const struct bpf_attach_ops *ops; /* NULL: not attached */
	void *state;
};

static void attach_link_release(struct bpf_link *link)
{
	struct attach_link *al = container_of(link, struct attach_link, link);

	if (al->ops)
		al->ops->detach(link->prog, al->state);
	free(al);
}

static void attach_link_fill_info(const struct bpf_link *link, struct bpf_link_info *info)
{
	if (link->type != BPF_LINK_TYPE_TRACING)
		return;
	info->tracing.attach_type = link->prog->expected_attach_type;
	info->tracing.target_obj_id = link->prog->attach_btf ? link->prog->attach_btf->obj.id : 0;
	info->tracing.target_btf_id = link->prog->attach_btf_id;
}

static const struct bpf_link_ops attach_link_ops = {
	.release = attach_link_release,
	.fill_info = attach_link_fill_info,
};

/* A descriptor. @prog's reference is consumed on success; @nobody: when no room has the place. */
static int attach(struct bpf_prog *prog, enum bpf_link_type type, const char *name, u64 cookie,
		  int nobody)
{
	struct attach_link *al = xcalloc(1, sizeof(*al));
	int err = -ENOENT, fd;
	u32 i;

	bpf_link_init(&al->link, type, &attach_link_ops, prog);
	bpf_prog_get(prog);
	for (i = 0; i < nr_attach_ops && err == -ENOENT; i++) {
		err = attach_ops[i]->attach(prog, name, cookie, &al->state);
		if (!err)
			al->ops = attach_ops[i];
	}
	fd = err ? (err == -ENOENT ? nobody : err) : bpf_obj_new_fd(&al->link.obj);
	if (fd < 0)
		bpf_link_put(&al->link);
	else
		bpf_prog_put(prog);
	return fd;
}

static int attach_tracing(struct bpf_prog *prog, u64 cookie)
{
	if (prog->type == BPF_PROG_TYPE_TRACING && prog->expected_attach_type == BPF_TRACE_RAW_TP)
		return attach(prog, BPF_LINK_TYPE_RAW_TRACEPOINT, NULL, cookie, -ENOENT);
	switch (prog->expected_attach_type) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
	case BPF_LSM_MAC:
		return attach(prog, BPF_LINK_TYPE_TRACING, NULL, cookie, -ENOTSUPP);
	default:
		return -EINVAL;
	}
}

/* There are no perf events: no descriptor is one. */
static int attach_perf_event(const union bpf_attr *attr)
{
	if (attr->link_create.flags)
		return -EINVAL;
	return bpf_fd_error((int)attr->link_create.target_fd);
}

static int create_for_prog(struct bpf_prog *prog, const union bpf_attr *attr)
{
	u32 type = attr->link_create.attach_type;

	if (prog->own_type)
		return bpf_own_type_link_create(prog, attr);
	switch (prog->type) {
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM:
		if (type != prog->expected_attach_type || attr->link_create.target_fd)
			return -EINVAL;
		return attach_tracing(prog, attr->link_create.tracing.cookie);
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_KPROBE:
		if (type == BPF_PERF_EVENT)
			return attach_perf_event(attr);
		return prog->type == BPF_PROG_TYPE_KPROBE ? -EOPNOTSUPP : -EINVAL;
	default:
		return -EINVAL;
	}
}

int sys_link_create(const union bpf_attr *attr)
{
	struct bpf_prog *prog;
	int fd;

	if (attr->link_create.attach_type == BPF_STRUCT_OPS)
		return bpf_struct_ops_link_create(attr);
	prog = bpf_prog_from_fd((int)attr->link_create.prog_fd);
	if (!prog)
		return bpf_fd_error((int)attr->link_create.prog_fd);
	fd = create_for_prog(prog, attr);
	if (fd < 0)
		bpf_prog_put(prog);
	return fd;
}

int sys_raw_tracepoint_open(const union bpf_attr *attr)
{
	const char *user_name = bpf_user_ptr(attr->raw_tracepoint.name);
	struct bpf_prog *prog = bpf_prog_from_fd((int)attr->raw_tracepoint.prog_fd);
	char name[TP_NAME_LEN];
	int fd = -EINVAL;

	if (!prog)
		return bpf_fd_error((int)attr->raw_tracepoint.prog_fd);
	switch (prog->type) {
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM:
		/* the program was loaded for one place and no other */
		if (!user_name)
			fd = attach_tracing(prog, attr->raw_tracepoint.cookie);
		break;
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
		fd = -EFAULT;
		if (!user_name)
			break;
		fd = -EINVAL;
		if (prog->max_tp_access) /* no tracepoint has a buffer to write to */
			break;
		strncpy(name, user_name, sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		fd = attach(prog, BPF_LINK_TYPE_RAW_TRACEPOINT, name, attr->raw_tracepoint.cookie,
			    -ENOENT);
		break;
	default:
		break;
	}
	if (fd < 0)
		bpf_prog_put(prog);
	return fd;
}

/* --- update and detach ---------------------------------------------------- */

static int update_map(struct bpf_link *link, const union bpf_attr *attr)
{
	bool replace = attr->link_update.flags & BPF_F_REPLACE;
	struct bpf_map *map, *old = NULL;
	int err;

	map = bpf_map_from_fd((int)attr->link_update.new_map_fd);
	if (!map)
		return bpf_fd_error((int)attr->link_update.new_map_fd);
	if (replace)
		old = bpf_map_from_fd((int)attr->link_update.old_map_fd);
	if (replace && !old)
		err = bpf_fd_error((int)attr->link_update.old_map_fd);
	else if (!replace && attr->link_update.old_map_fd)
		err = -EINVAL;
	else
		err = link->ops->update_map(link, map, old);
	bpf_map_put(old);
	bpf_map_put(map);
	return err;
}

int sys_link_update(const union bpf_attr *attr)
{
	struct bpf_link *link;
	int err;

	if (attr->link_update.flags & ~BPF_F_REPLACE)
		return -EINVAL;
	link = bpf_link_from_fd((int)attr->link_update.link_fd);
	if (!link)
		return bpf_fd_error((int)attr->link_update.link_fd);
	err = link->ops->update_map ? update_map(link, attr) : -EINVAL;
	bpf_link_put(link);
	return err;
}

int sys_link_detach(const union bpf_attr *attr)
{
	struct bpf_link *link = bpf_link_from_fd((int)attr->link_detach.link_fd);
	int err;

	if (!link)
		return bpf_fd_error((int)attr->link_detach.link_fd);
	err = link->ops->detach ? link->ops->detach(link) : -EOPNOTSUPP;
	bpf_link_put(link);
	return err;
}
