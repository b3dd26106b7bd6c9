// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of the sched_ext ops, by their place in struct sched_ext_ops.
 */
#include <errno.h>
#include <string.h>

#include "../../kernel/ext.h"
#include "scx_ops.h"

#define OP(member) [offsetof(struct sched_ext_ops, member) / sizeof(void *)] = #member

static const char *const names[NR_SCX_OPS] = {
	OP(select_cpu),
	OP(enqueue),
	OP(dequeue),
	OP(dispatch),
	OP(tick),
	OP(runnable),
	OP(running),
	OP(stopping),
	OP(quiescent),
	OP(yield),
	OP(core_sched_before),
	OP(set_weight),
	OP(set_cpumask),
	OP(update_idle),
	OP(cpu_acquire),
	OP(cpu_release),
	OP(init_task),
	OP(exit_task),
	OP(enable),
	OP(disable),
	OP(dump),
	OP(dump_cpu),
	OP(dump_task),
	OP(cgroup_init),
	OP(cgroup_exit),
	OP(cgroup_prep_move),
	OP(cgroup_move),
	OP(cgroup_cancel_move),
	OP(cgroup_set_weight),
	OP(cpu_online),
	OP(cpu_offline),
	OP(init),
	OP(exit),
};

const char *scx_op_name(u64 index)
{
	return index < NR_SCX_OPS ? names[index] : NULL;
}

int scx_op_index(const char *name)
{
	for (u32 i = 0; i < NR_SCX_OPS; i++) {
		if (names[i] && !strcmp(names[i], name))
			return (int)i;
	}
	return -ENOENT;
}
