// SPDX-License-Identifier: GPL-2.0-only
/*
 * From which operations the kfuncs of sched_ext may be called: the rules that
 * Linux up to 7.0 checks at run time (SCX_KF_* masks in kernel/sched/ext.c), as a
 * table for the load of programs. A kfunc that is not listed may be called from
 * everywhere; those that a generation does not have are left out.
 *
 * scx_bpf_dispatch(), later scx_bpf_dsq_insert(), is two functions of one name. In ops.select_cpu() and
 * ops.enqueue() the kernel waits for the verdict on one task and may not let go
 * of its rq lock: the verdict is recorded. ops.dispatch() gives many verdicts on
 * tasks that may be anywhere: they are collected, and executed by somebody who
 * may take the locks of other CPUs.
 *
 * What only the run can tell is checked there: which task, how often, nesting.
 */
#include "ext.h"

/* Operations that are called with no rq locked: SCX_KF_UNLOCKED. */
#define UNLOCKED                                                                                   \
	"init exit init_task cpu_online cpu_offline dump cgroup_init cgroup_exit "                 \
	"cgroup_prep_move cgroup_move cgroup_cancel_move cgroup_set_weight"

/* Operations on one task, which is the one at hand. */
#define ON_TASK                                                                                    \
	"select_cpu enqueue dequeue tick runnable running stopping quiescent yield "               \
	"core_sched_before set_weight set_cpumask enable disable exit_task"

#define FROM(kfunc_, members_) { .kfunc = kfunc_, .members = members_ }
/* A call gets one function or the other. */
#define RECORDED(kfunc_, impl_)                                                                    \
	{ .kfunc = kfunc_, .members = "select_cpu enqueue", .impl = impl_ "_direct" },             \
	{ .kfunc = kfunc_, .members = "dispatch", .impl = impl_ "_buffered" }

/* Up to 6.12. */
static const struct bpf_kfunc_rule select_cpu_only =
	FROM("scx_bpf_select_cpu_dfl", "select_cpu");
/* Also from ops.enqueue(), and where no rq is locked. */
static const struct bpf_kfunc_rule select_cpu_anywhere =
	FROM("scx_bpf_select_cpu_dfl", "select_cpu enqueue async " UNLOCKED);

static struct bpf_kfunc_rule rules[] = {
	{}, /* one of the two above */
	FROM("scx_bpf_select_cpu_and", "select_cpu enqueue async " UNLOCKED),
	FROM("__scx_bpf_select_cpu_and", "select_cpu enqueue async " UNLOCKED),

	RECORDED("scx_bpf_dispatch", "scx_bpf_dispatch"),
	RECORDED("scx_bpf_dispatch_vtime", "scx_bpf_dispatch_vtime"),
	RECORDED("scx_bpf_dsq_insert", "scx_bpf_dispatch"),
	RECORDED("scx_bpf_dsq_insert___v2", "scx_bpf_dispatch"),
	RECORDED("scx_bpf_dsq_insert_vtime", "scx_bpf_dispatch_vtime"),
	RECORDED("__scx_bpf_dsq_insert_vtime", "__scx_bpf_dispatch_vtime"),

	FROM("scx_bpf_dispatch_nr_slots", "dispatch"),
	FROM("scx_bpf_dispatch_cancel", "dispatch"),
	FROM("scx_bpf_consume", "dispatch"),
	FROM("scx_bpf_dsq_move_to_local", "dispatch"),

	FROM("scx_bpf_dispatch_from_dsq_set_slice", "dispatch async " UNLOCKED),
	FROM("scx_bpf_dispatch_from_dsq_set_vtime", "dispatch async " UNLOCKED),
	FROM("scx_bpf_dispatch_from_dsq", "dispatch async " UNLOCKED),
	FROM("scx_bpf_dispatch_vtime_from_dsq", "dispatch async " UNLOCKED),
	FROM("scx_bpf_dsq_move_set_slice", "dispatch async " UNLOCKED),
	FROM("scx_bpf_dsq_move_set_vtime", "dispatch async " UNLOCKED),
	FROM("scx_bpf_dsq_move", "dispatch async " UNLOCKED),
	FROM("scx_bpf_dsq_move_vtime", "dispatch async " UNLOCKED),

	FROM("scx_bpf_reenqueue_local", "cpu_release"),

	/* it sleeps, which keeps it out of timers */
	FROM("scx_bpf_create_dsq", "async " UNLOCKED),

	FROM("scx_bpf_task_cgroup", ON_TASK),

	FROM("scx_bpf_dump_bstr", "dump dump_cpu dump_task"),
	{}
};

const struct bpf_kfunc_rule *scx_kfunc_rules(void)
{
	rules[0] = scx_generation()->select_cpu_anywhere ? select_cpu_anywhere : select_cpu_only;
	return rules;
}
