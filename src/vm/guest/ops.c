// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records the calls of a scheduler's operations: for each program that it has in
 * its table, the two of ops.bpf.c are loaded for that program and attached to its
 * beginning and its end. From loader_load(), before which there are no programs,
 * to loader_attach(), with which the calls begin.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../../loader/loader.h"
#include "../../sched/tracepoint.h"
#include "../../trace/scx_ops.h"
#include "guest.h"
#include "records.h"

_Static_assert((int)REC_OP == (int)TRACE_OP, "types");

extern const char vrt_ops_start[], vrt_ops_end[];

struct ops_tracer {
	struct bpf_object *objs[NR_SCX_OPS];
	u32 nr;
	struct bpf_object *exit; /* the one for ops.exit(); NULL: the scheduler has none */
};

/* Those that the kernel calls where it can sleep. */
static bool op_sleeps(const char *name)
{
	static const char *const names[] = {
		"init", "exit", "init_task", "cgroup_init", "cgroup_exit", "cgroup_prep_move",
		"cpu_online", "cpu_offline",
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}


/* --- an operation -------------------------------------------------------------------- */

static int share(struct bpf_object *obj, const char *map, int fd)
{
	return bpf_map__reuse_fd(bpf_object__find_map_by_name(obj, map), fd);
}

static int aim(struct bpf_object *obj, const char *name, const struct loader_program *target)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);

	bpf_program__set_autoload(prog, true);
	return bpf_program__set_attach_target(prog, target->fd, target->name);
}

static int attach_all(struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		if (bpf_program__autoload(prog) && !bpf_program__attach(prog))
			return -errno;
	}
	return 0;
}

static int load(struct bpf_object *obj, const struct tracer *tracer, u32 index,
		const struct loader_program *op)
{
	size_t size;
	struct ops_config *config =
		bpf_map__initial_value(bpf_object__find_map_by_name(obj, ".rodata"), &size);
	bool is_exit = !strcmp(op->member, "exit");
	int err;

	VRT_ASSERT(size == sizeof(*config));
	*config = (struct ops_config){ .op = index, .sleeps = op_sleeps(op->member) };
	err = share(obj, "records", tracer_records_fd(tracer));
	if (!err)
		err = share(obj, "lost", tracer_lost_fd(tracer));
	if (!err)
		err = aim(obj, "on_begin", op);
	if (!err)
		err = aim(obj, "on_end", op);
	if (!err && is_exit)
		err = aim(obj, "on_exit_info", op);
	if (!err)
		err = bpf_object__load(obj);
	return err ? err : attach_all(obj);
}

static int trace_op(struct ops_tracer *t, const struct tracer *tracer, u32 index,
		    const struct loader_program *op)
{
	struct bpf_object *obj =
		bpf_object__open_mem(vrt_ops_start, (size_t)(vrt_ops_end - vrt_ops_start), NULL);
	int err = obj ? load(obj, tracer, index, op) : -errno;

	if (err) {
		bpf_object__close(obj);
		return err;
	}
	t->objs[t->nr++] = obj;
	if (!strcmp(op->member, "exit"))
		t->exit = obj;
	return 0;
}

/* --- all of them ---------------------------------------------------------------------- */

struct ops_tracer *ops_tracer_start(const struct loader *l, const struct tracer *tracer,
				    void (*warn)(const char *line, void *arg))
{
	struct ops_tracer *t = xcalloc(1, sizeof(*t));
	struct loader_program prog;

	for (u32 i = 0; loader_program(l, i, &prog); i++) {
		char line[256];
		int index, err;

		if (!prog.member || prog.fd < 0)
			continue;
		index = scx_op_index(prog.member);
		err = index < 0 ? index : trace_op(t, tracer, (u32)index, &prog);
		if (index < 0)
			snprintf(line, sizeof(line),
				 "calls of ops.%s() are not recorded: traces have no number for it",
				 prog.member);
		else if (err)
			snprintf(line, sizeof(line),
				 "calls of ops.%s() are not recorded: this kernel does not let '%s' "
				 "be traced: %s",
				 prog.member, prog.name, strerror(-err));
		if (err)
			warn(line, NULL);
	}
	return t;
}

bool ops_tracer_exit(const struct ops_tracer *t, struct ops_exit *info)
{
	u32 zero = 0;

	*info = (struct ops_exit){};
	return t->exit && !bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(t->exit, ".bss"),
					       &zero, info) &&
	       info->seen;
}

void ops_tracer_stop(struct ops_tracer *t)
{
	if (!t)
		return;
	while (t->nr)
		bpf_object__close(t->objs[--t->nr]); /* and its links */
	free(t);
}
