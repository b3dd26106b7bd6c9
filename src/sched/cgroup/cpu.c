// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cpu controller: cpu.weight, cpu.max and cpu.stat of a group. What weight and
 * bandwidth mean is the fair class's matter; BPF schedulers are told the weight.
 *
 * Locking: cgroup_lock(), but for reading.
 */
#include "internal.h"

/* cpu.weight in scaled load weight, as Linux rounds: 100 is 1024 << 10 */
static u64 weight_to_shares(u32 weight)
{
	return ((u64)weight * 1024 + CGROUP_WEIGHT_DFL / 2) / CGROUP_WEIGHT_DFL << 10;
}

/* --- making and removing ------------------------------------------------------- */

void group_init_cpu(struct group *g, struct task_group *parent)
{
	struct task_group *tg = &g->tg;

	INIT_LIST_HEAD(&tg->list);
	INIT_LIST_HEAD(&tg->siblings);
	INIT_LIST_HEAD(&tg->children);
	tg->parent = parent;
	tg->scx_weight = CGROUP_WEIGHT_DFL;
	tg->shares = weight_to_shares(CGROUP_WEIGHT_DFL);
	fair_init_group(g);
}

void group_offline_cpu(struct group *g)
{
	fair_offline_group(g);
	group_of(g->tg.parent)->dead_usage += g->usage + g->dead_usage;
}

/* --- settings -------------------------------------------------------------------- */

struct setting {
	struct cgroup *cgrp;
	u32 weight;
	u64 quota, period;
	int err;
};

static void set_weight_inside(void *arg)
{
	struct setting *s = arg;
	struct group *g = cgroup_group(s->cgrp);

	cgroup_lock();
	s->err = g->dead ? -ENODEV : 0;
	if (!s->err) {
		fair_set_shares(&g->tg, weight_to_shares(s->weight));
		scx_group_set_weight(&g->tg, s->weight);
	}
	cgroup_unlock();
}

int cgroup_set_weight(struct cgroup *cgrp, u32 weight)
{
	struct setting setting = { .cgrp = cgrp, .weight = weight };

	if (!cgrp->level)
		return -EINVAL;
	if (weight < CGROUP_WEIGHT_MIN || weight > CGROUP_WEIGHT_MAX)
		return -ERANGE;
	kernel_run_inside(set_weight_inside, &setting);
	return setting.err;
}

static void set_max_inside(void *arg)
{
	struct setting *s = arg;
	struct group *g = cgroup_group(s->cgrp);

	cgroup_lock();
	s->err = g->dead ? -ENODEV : 0;
	if (!s->err)
		fair_set_bandwidth(g, s->quota, s->period);
	cgroup_unlock();
}

int cgroup_set_max(struct cgroup *cgrp, u64 quota, u64 period)
{
	struct setting setting = { .cgrp = cgrp, .quota = quota, .period = period };

	if (!cgrp->level || period < CGROUP_PERIOD_MIN || period > CGROUP_PERIOD_MAX)
		return -EINVAL;
	if (quota != CGROUP_NO_QUOTA && (quota < CGROUP_QUOTA_MIN || quota > CGROUP_QUOTA_MAX))
		return -EINVAL;
	kernel_run_inside(set_max_inside, &setting);
	return setting.err;
}

/* --- statistics ------------------------------------------------------------------- */

void cgroup_cpu_stat(struct cgroup *cgrp, struct cgroup_cpu_stat *stat)
{
	const struct cfs_bandwidth *cfs_b = &cgroup_group(cgrp)->tg.cfs_bandwidth;
	struct cgroup *pos;

	*stat = (struct cgroup_cpu_stat){
		.nr_periods = cfs_b->nr_periods,
		.nr_throttled = cfs_b->nr_throttled,
		.throttled = cfs_b->throttled_time,
	};
	for (pos = cgroup_next_pre(NULL, cgrp); pos; pos = cgroup_next_pre(pos, cgrp))
		stat->usage += cgroup_group(pos)->usage + cgroup_group(pos)->dead_usage;
}
