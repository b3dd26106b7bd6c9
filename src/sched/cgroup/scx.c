// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a BPF scheduler is told of groups: each with its weight before any task in
 * it and parents before children, from when the scheduler is enabled until it is
 * disabled; and every move of a task and change of a weight in between.
 *
 * Locking: cgroup_lock(); the operations may take time, but do not sleep.
 */
#include "internal.h"
#include "../ext/ext.h"

/* The scheduler knows the groups there are. */
static bool enabled;

static s32 call_init(struct task_group *tg)
{
	struct scx_cgroup_init_args *args = sched_alloc(OBJ_SCX_CGROUP_INIT_ARGS, sizeof(*args));
	s32 ret;

	args->weight = tg->scx_weight;
	ret = SCX_CALL(SCX_KF_UNLOCKED, cgroup_init, SCX_ARG(tg->css.cgroup), SCX_ARG(args));
	kheap_free(args);
	return ret;
}

int scx_init_cgroups(void)
{
	struct cgroup *pos;

	for (pos = cgroup_next_pre(NULL, root_cgroup()); pos;
	     pos = cgroup_next_pre(pos, root_cgroup())) {
		struct task_group *tg = &cgroup_group(pos)->tg;
		s32 ret = SCX_HAS_OP(cgroup_init) ? call_init(tg) : 0;

		if (ret) {
			ret = ops_sanitize_err("cgroup_init", ret);
			scx_error("ops.cgroup_init() failed (%d)", ret);
			return ret;
		}
		tg->scx_flags |= SCX_TG_INITED;
	}
	enabled = true;
	return 0;
}

void scx_exit_cgroups(void)
{
	struct cgroup *pos;

	enabled = false;
	for (pos = cgroup_next_post(NULL, root_cgroup()); pos;
	     pos = cgroup_next_post(pos, root_cgroup())) {
		struct task_group *tg = &cgroup_group(pos)->tg;

		if (!(tg->scx_flags & SCX_TG_INITED))
			continue;
		tg->scx_flags &= ~SCX_TG_INITED;
		if (SCX_HAS_OP(cgroup_exit))
			SCX_CALL(SCX_KF_UNLOCKED, cgroup_exit, SCX_ARG(pos));
	}
}

int scx_group_online(struct task_group *tg)
{
	s32 ret = 0;

	if (enabled && SCX_HAS_OP(cgroup_init))
		ret = call_init(tg);
	if (ret)
		return ops_sanitize_err("cgroup_init", ret);
	tg->scx_flags |= SCX_TG_ONLINE;
	if (enabled)
		tg->scx_flags |= SCX_TG_INITED;
	return 0;
}

void scx_group_offline(struct task_group *tg)
{
	if (SCX_HAS_OP(cgroup_exit) && (tg->scx_flags & SCX_TG_INITED))
		SCX_CALL(SCX_KF_UNLOCKED, cgroup_exit, SCX_ARG(tg->css.cgroup));
	tg->scx_flags &= ~(SCX_TG_ONLINE | SCX_TG_INITED);
}

void scx_group_set_weight(struct task_group *tg, u32 weight)
{
	if (enabled && SCX_HAS_OP(cgroup_set_weight) && tg->scx_weight != weight)
		SCX_CALL(SCX_KF_UNLOCKED, cgroup_set_weight, SCX_ARG(tg->css.cgroup), weight);
	tg->scx_weight = weight;
}

/* --- moves ---------------------------------------------------------------------- */

int scx_group_prep_move(struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	s32 ret = 0;

	if (enabled && SCX_HAS_OP(cgroup_prep_move))
		ret = SCX_CALL_TASK(SCX_KF_UNLOCKED, cgroup_prep_move, p, SCX_ARG(from),
				    SCX_ARG(to));
	return ret ? ops_sanitize_err("cgroup_prep_move", ret) : 0;
}

void scx_group_move(struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	if (enabled && SCX_HAS_OP(cgroup_move))
		SCX_CALL_TASK(SCX_KF_UNLOCKED, cgroup_move, p, SCX_ARG(from), SCX_ARG(to));
}

void scx_group_cancel_move(struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	if (enabled && SCX_HAS_OP(cgroup_cancel_move))
		SCX_CALL_TASK(SCX_KF_UNLOCKED, cgroup_cancel_move, p, SCX_ARG(from), SCX_ARG(to));
}
