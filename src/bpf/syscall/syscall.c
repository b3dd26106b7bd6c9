// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf(2): attributes in and out, and the small commands. Elements of maps,
 * batches and infos have files of their own.
 */
#include "syscall.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../link.h"
#include "../maps/map_impl.h"
#include "../prog.h"

#define ATTR_MAX_SIZE 4096

/*
 * Bytes of the attributes that each command knows, by its last field; 0: a
 * command that does not exist.
 */
#define LAST(field) (offsetof(union bpf_attr, field) + sizeof(((union bpf_attr *)0)->field))
static const u32 attr_end[__MAX_BPF_CMD] = {
	[BPF_MAP_CREATE] = LAST(map_token_fd),
	[BPF_MAP_LOOKUP_ELEM] = LAST(flags),
	[BPF_MAP_UPDATE_ELEM] = LAST(flags),
	[BPF_MAP_DELETE_ELEM] = LAST(key),
	[BPF_MAP_GET_NEXT_KEY] = LAST(next_key),
	[BPF_PROG_LOAD] = LAST(prog_token_fd),
	[BPF_OBJ_PIN] = LAST(path_fd),
	[BPF_OBJ_GET] = LAST(path_fd),
	[BPF_PROG_ATTACH] = LAST(expected_revision),
	[BPF_PROG_DETACH] = LAST(expected_revision),
	[BPF_PROG_TEST_RUN] = LAST(test.batch_size),
	[BPF_PROG_GET_NEXT_ID] = LAST(next_id),
	[BPF_MAP_GET_NEXT_ID] = LAST(next_id),
	[BPF_PROG_GET_FD_BY_ID] = LAST(prog_id),
	[BPF_MAP_GET_FD_BY_ID] = LAST(open_flags),
	[BPF_OBJ_GET_INFO_BY_FD] = LAST(info.info),
	[BPF_PROG_QUERY] = LAST(query.revision),
	[BPF_RAW_TRACEPOINT_OPEN] = LAST(raw_tracepoint.cookie),
	[BPF_BTF_LOAD] = LAST(btf_token_fd),
	[BPF_BTF_GET_FD_BY_ID] = LAST(btf_id),
	[BPF_TASK_FD_QUERY] = LAST(task_fd_query.probe_addr),
	[BPF_MAP_LOOKUP_AND_DELETE_ELEM] = LAST(flags),
	[BPF_MAP_FREEZE] = LAST(map_fd),
	[BPF_BTF_GET_NEXT_ID] = LAST(next_id),
	[BPF_MAP_LOOKUP_BATCH] = LAST(batch.flags),
	[BPF_MAP_LOOKUP_AND_DELETE_BATCH] = LAST(batch.flags),
	[BPF_MAP_UPDATE_BATCH] = LAST(batch.flags),
	[BPF_MAP_DELETE_BATCH] = LAST(batch.flags),
	[BPF_LINK_CREATE] = LAST(link_create.uprobe_multi.pid),
	[BPF_LINK_UPDATE] = LAST(link_update.old_prog_fd),
	[BPF_LINK_GET_FD_BY_ID] = LAST(link_id),
	[BPF_LINK_GET_NEXT_ID] = LAST(next_id),
	[BPF_ENABLE_STATS] = LAST(enable_stats.type),
	[BPF_ITER_CREATE] = LAST(iter_create.flags),
	[BPF_LINK_DETACH] = LAST(link_detach.link_fd),
	[BPF_PROG_BIND_MAP] = LAST(prog_bind_map.flags),
	[BPF_TOKEN_CREATE] = LAST(token_create.bpffs_fd),
};

static bool all_zero(const void *mem, size_t size)
{
	const char *p = mem;

	while (size && !*p) {
		p++;
		size--;
	}
	return !size;
}

/* --- ids ------------------------------------------------------------------ */

static int get_next_id(union bpf_attr *attr, enum bpf_obj_kind kind)
{
	u32 id;

	if (attr->start_id >= INT_MAX)
		return -EINVAL;
	id = bpf_obj_next_id(attr->start_id, kind);
	if (!id)
		return -ENOENT;
	attr->next_id = id;
	return 0;
}

static int get_fd_by_id(const union bpf_attr *attr, enum bpf_obj_kind kind)
{
	struct bpf_obj *obj;
	int fd;

	if (kind == BPF_OBJ_MAP && (attr->open_flags & ~(BPF_F_RDONLY | BPF_F_WRONLY) ||
				    attr->open_flags == (BPF_F_RDONLY | BPF_F_WRONLY)))
		return -EINVAL;
	obj = bpf_obj_from_id(attr->map_id, kind);
	if (!obj)
		return -ENOENT;
	fd = bpf_obj_new_fd(obj);
	if (fd < 0)
		bpf_obj_put(obj);
	return fd;
}

/* --- BTF, programs -------------------------------------------------------- */

static int btf_load(union bpf_attr *attr)
{
	struct bpf_log log;
	struct btf *btf;
	int err, log_err, fd;

	if (attr->btf_flags & ~BPF_F_TOKEN_FD)
		return -EINVAL;
	if (attr->btf_flags) /* there are no tokens here */
		return -EBADF;
	if (!attr->btf)
		return -EFAULT;
	err = bpf_log_init(&log, attr->btf_log_level, bpf_user_ptr(attr->btf_log_buf),
			   attr->btf_log_size);
	if (err)
		return err;
	btf = btf_parse(bpf_user_ptr(attr->btf), attr->btf_size, false, &log, &err);
	log_err = bpf_log_finish(&log, &attr->btf_log_true_size);
	if (log_err) {
		btf_put(btf);
		return log_err;
	}
	if (!btf)
		return err;
	fd = bpf_obj_new_fd(&btf->obj);
	if (fd < 0)
		btf_put(btf);
	return fd;
}

static int prog_bind_map(const union bpf_attr *attr)
{
	struct bpf_prog *prog;
	struct bpf_map *map;
	u32 i;

	if (attr->prog_bind_map.flags)
		return -EINVAL;
	prog = bpf_prog_from_fd((int)attr->prog_bind_map.prog_fd);
	if (!prog)
		return bpf_fd_error((int)attr->prog_bind_map.prog_fd);
	map = bpf_map_from_fd((int)attr->prog_bind_map.map_fd);
	if (!map) {
		bpf_prog_put(prog);
		return bpf_fd_error((int)attr->prog_bind_map.map_fd);
	}
	for (i = 0; i < prog->nr_maps && prog->maps[i] != map; i++)
		;
	if (i < prog->nr_maps) {
		bpf_map_put(map);
	} else {
		prog->maps = xreallocarray(prog->maps, prog->nr_maps + 1, sizeof(*prog->maps));
		prog->maps[prog->nr_maps++] = map;
	}
	bpf_prog_put(prog);
	return 0;
}

/* Delegation is for user namespaces, and we are in the first one. */
static int token_create(const union bpf_attr *attr)
{
	return attr->token_create.flags ? -EINVAL : -EOPNOTSUPP;
}

/* --- the call ------------------------------------------------------------- */

static long dispatch(enum bpf_cmd cmd, union bpf_attr *attr, u32 size)
{
	switch (cmd) {
	case BPF_MAP_CREATE:
		return sys_map_create(attr);
	case BPF_MAP_LOOKUP_ELEM:
		return sys_map_lookup_elem(attr);
	case BPF_MAP_UPDATE_ELEM:
		return sys_map_update_elem(attr);
	case BPF_MAP_DELETE_ELEM:
		return sys_map_delete_elem(attr);
	case BPF_MAP_GET_NEXT_KEY:
		return sys_map_get_next_key(attr);
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
		return sys_map_lookup_and_delete_elem(attr);
	case BPF_MAP_FREEZE:
		return sys_map_freeze(attr);
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_DELETE_BATCH:
		return sys_map_batch(cmd, attr);
	case BPF_PROG_LOAD:
		return bpf_prog_load(attr, size);
	case BPF_PROG_TEST_RUN:
		return bpf_prog_test_run(attr, size);
	case BPF_PROG_BIND_MAP:
		return prog_bind_map(attr);
	case BPF_BTF_LOAD:
		return btf_load(attr);
	case BPF_OBJ_GET_INFO_BY_FD:
		return sys_obj_get_info_by_fd(attr);
	case BPF_MAP_GET_NEXT_ID:
		return get_next_id(attr, BPF_OBJ_MAP);
	case BPF_PROG_GET_NEXT_ID:
		return get_next_id(attr, BPF_OBJ_PROG);
	case BPF_LINK_GET_NEXT_ID:
		return get_next_id(attr, BPF_OBJ_LINK);
	case BPF_BTF_GET_NEXT_ID:
		/* who asks looks for BTF of kernel modules */
		return -ENOENT;
	case BPF_MAP_GET_FD_BY_ID:
		return get_fd_by_id(attr, BPF_OBJ_MAP);
	case BPF_PROG_GET_FD_BY_ID:
		return get_fd_by_id(attr, BPF_OBJ_PROG);
	case BPF_LINK_GET_FD_BY_ID:
		return get_fd_by_id(attr, BPF_OBJ_LINK);
	case BPF_BTF_GET_FD_BY_ID:
		return get_fd_by_id(attr, BPF_OBJ_BTF);
	case BPF_LINK_CREATE:
		return sys_link_create(attr);
	case BPF_LINK_UPDATE:
		return sys_link_update(attr);
	case BPF_LINK_DETACH:
		return sys_link_detach(attr);
	case BPF_RAW_TRACEPOINT_OPEN:
		return sys_raw_tracepoint_open(attr);
	case BPF_TOKEN_CREATE:
		return token_create(attr);
	case BPF_OBJ_PIN: /* what a path outside of a BPF file system gets */
		return attr->pathname ? -EPERM : -EFAULT;
	case BPF_OBJ_GET:
		return attr->pathname ? -ENOENT : -EFAULT;
	case BPF_TASK_FD_QUERY:
		return -EOPNOTSUPP;
	default: /* known, but nothing here has what it asks for */
		return -EINVAL;
	}
}

static char refusal[512];

void bpf_refuse(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(refusal, sizeof(refusal), fmt, args);
	va_end(args);
}

const char *bpf_refusal(void)
{
	return refusal;
}

long vrt_bpf(enum bpf_cmd cmd, union bpf_attr *uattr, u32 size)
{
	union bpf_attr attr, before;
	u32 known = min(size, (u32)sizeof(attr));
	long ret;

	if (size > ATTR_MAX_SIZE)
		return -E2BIG;
	if (!uattr)
		return -EFAULT;
	if (!all_zero((const char *)uattr + known, size - known))
		return -E2BIG;
	memset(&attr, 0, sizeof(attr));
	memcpy(&attr, uattr, known);
	if ((u32)cmd >= __MAX_BPF_CMD || !attr_end[cmd])
		return -EINVAL;
	if (!all_zero((const char *)&attr + attr_end[cmd], sizeof(attr) - attr_end[cmd]))
		return -EINVAL;
	before = attr;
	refusal[0] = '\0';
	ret = dispatch(cmd, &attr, known);
	if (memcmp(&before, &attr, known))
		memcpy(uattr, &attr, known);
	return ret;
}
