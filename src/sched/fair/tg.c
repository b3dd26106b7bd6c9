// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task groups in the fair class: a queue and an entity per group and CPU, and how
 * much the entity weighs there.
 *
 * A group's weight (tg->shares) is divided over the CPUs by what each has of the
 * group's load, as in Linux: by the average load, which moves slowly, but on this
 * CPU by what is queued right now if that is more. So the weight is all there at
 * once where the group has only one CPU.
 *
 * Locking: the shape is cgroup_lock()'s; what is of a CPU, its rq lock's.
 */
#include "fair.h"

/* A floor, so that no entity is without weight. In Linux it is 2 of a million. */
#define MIN_SHARES ((u64)2 << LOAD_SHIFT)

struct list_head fair_groups;

/* --- which queue --------------------------------------------------------------- */

void fair_set_task_queue(struct rq *rq, struct task_struct *p)
{
	const struct task_group *tg = p->sched_task_group;
	struct sched_entity *se = &p->se;

	se->cfs_rq = tg->cfs_rq[rq->cpu];
	se->parent = tg->se[rq->cpu];
	se->depth = se->parent ? se->parent->depth + 1 : 0;
}

void fair_change_group(struct task_struct *p)
{
	struct cfs_rq *old = p->se.cfs_rq;

	VRT_ASSERT(!p->se.on_rq);
	pelt_detach(p);
	/* where it was last, in its new group: it is not cold because of that */
	if (old)
		fair_set_task_queue(old->rq, p);
}

struct task_group *tg_next(struct task_group *pos, struct task_group *root)
{
	if (!pos)
		return root;
	if (!list_empty(&pos->children))
		return list_first_entry(&pos->children, struct task_group, siblings);
	while (pos != root) {
		if (pos->siblings.next != &pos->parent->children)
			return list_next_entry(pos, siblings);
		pos = pos->parent;
	}
	return NULL;
}

/* --- weight --------------------------------------------------------------------- */

static u64 group_shares(const struct cfs_rq *cfs_rq)
{
	const struct task_group *tg = cfs_rq->tg;
	u64 load = max(cfs_rq->load.weight >> LOAD_SHIFT, cfs_rq->avg.load_avg);
	s64 total = tg->load_avg.counter - (s64)cfs_rq->tg_load_avg_contrib + (s64)load;
	u64 shares = tg->shares * load;

	if (total > 0)
		shares /= (u64)total;
	return max(min(shares, tg->shares), MIN_SHARES);
}

void __update_group_weight(struct sched_entity *se)
{
	const struct cfs_rq *cfs_rq = se->my_q;
	u64 shares;

	/* an empty one keeps its weight: it may leave with a delay */
	if (!cfs_rq->load.weight || throttled_hierarchy(cfs_rq))
		return;
	shares = group_shares(cfs_rq);
	if (se->load.weight != shares)
		reweight_entity(se, shares);
}

void fair_set_shares(struct task_group *tg, u64 shares)
{
	u32 cpu;

	tg->shares = shares;
	for_each_cpu(cpu, kernel.possible) {
		struct rq *rq = cpu_rq(cpu);
		struct sched_entity *se;

		rq_lock(rq);
		update_rq_clock(rq);
		for (se = tg->se[cpu]; se; se = se->parent) {
			pelt_update(se);
			update_group_weight(se);
		}
		rq_unlock(rq);
	}
}

/* --- making and removing ----------------------------------------------------------- */

static void init_queue(struct task_group *tg, u32 cpu)
{
	struct group_queue *gq = sched_alloc(OBJ_CFS_RQ, sizeof(*gq));
	struct group_entity *ge = sched_alloc(OBJ_SCHED_ENTITY, sizeof(*ge));
	struct cfs_rq *cfs_rq = &gq->cfs;
	struct sched_entity *se = &ge->se;

	tg->cfs_rq[cpu] = cfs_rq;
	tg->se[cpu] = se;
	cfs_rq->tasks_timeline = RB_ROOT_CACHED;
	cfs_rq->min_vruntime = (u64)(-(1LL << 20)); /* wraps soon: that must work */
	cfs_rq->rq = cpu_rq(cpu);
	cfs_rq->tg = tg;
	INIT_LIST_HEAD(&gq->queue.leaf);
	INIT_LIST_HEAD(&gq->queue.throttled_node);
	INIT_LIST_HEAD(&gq->queue.unthrottle_node);
	load_set(&se->load, (u64)1024 << LOAD_SHIFT);
	entity_init_slice(se);
	INIT_LIST_HEAD(&se->group_node);
	RB_CLEAR_NODE(&se->run_node);
	se->my_q = cfs_rq;
	se->parent = tg->parent->se[cpu];
	se->depth = se->parent ? se->parent->depth + 1 : 0;
	se->cfs_rq = tg->parent->cfs_rq[cpu];
	pelt_init_group(cfs_rq);
}

void fair_init_group(struct group *g)
{
	struct task_group *tg = &g->tg;

	tg->se = sched_alloc(OBJ_POINTERS, nr_cpu_ids * sizeof(*tg->se));
	tg->cfs_rq = sched_alloc(OBJ_POINTERS, nr_cpu_ids * sizeof(*tg->cfs_rq));
	bandwidth_init(g);
	if (!tg->parent) {
		INIT_LIST_HEAD(&fair_groups);
		return;
	}
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		init_queue(tg, cpu);
}

void fair_online_group(struct group *g)
{
	struct task_group *tg = &g->tg;
	u32 cpu;

	list_add_tail(&tg->siblings, &tg->parent->children);
	list_add_tail(&tg->list, &fair_groups);
	for_each_cpu(cpu, kernel.possible) {
		struct rq *rq = cpu_rq(cpu);

		rq_lock(rq);
		update_rq_clock(rq);
		bandwidth_sync(tg, rq);
		rq_unlock(rq);
	}
}

static void leave_rq(struct task_group *tg, struct rq *rq)
{
	struct cfs_rq *cfs_rq = tg->cfs_rq[rq->cpu];
	struct sched_entity *se = tg->se[rq->cpu];

	update_rq_clock(rq);
	bandwidth_leave(cfs_rq);
	if (se->sched_delayed)
		finish_delayed(rq, se);
	VRT_ASSERT(!se->on_rq && !cfs_rq->nr_running && !cfs_rq->curr);
	pelt_exit_group(cfs_rq);
}

void fair_offline_group(struct group *g)
{
	struct task_group *tg = &g->tg;
	u32 cpu;

	bandwidth_stop(g);
	for_each_cpu(cpu, kernel.possible) {
		struct rq *rq = cpu_rq(cpu);

		rq_lock(rq);
		leave_rq(tg, rq);
		rq_unlock(rq);
	}
	list_del_init(&tg->list);
	list_del_init(&tg->siblings);
}

void fair_free_group(struct group *g)
{
	struct task_group *tg = &g->tg;

	/* the root's are part of the runqueues */
	for (u32 cpu = 0; tg->parent && cpu < nr_cpu_ids; cpu++) {
		kheap_free(tg->cfs_rq[cpu]);
		kheap_free(tg->se[cpu]);
	}
	kheap_free(tg->se);
	kheap_free(tg->cfs_rq);
}
