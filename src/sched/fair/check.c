// SPDX-License-Identifier: GPL-2.0-only
/*
 * The books of the fair class: is every queue of a CPU what fair.c and
 * fair/queue.c say that it is, and do the groups fit together?
 */
#include "fair.h"

struct tree_sums {
	u32 nr;
	struct h_count count;
	u64 weight, load;
	s64 vruntime;
};

static void add_entity(struct tree_sums *sums, const struct sched_entity *se)
{
	struct h_count n;

	sums->nr++;
	sums->weight += se->load.weight;
	n = se->my_q ? queue_count(se->my_q) :
		       (struct h_count){ 1, task_of(task_of_se(se))->fair.counted_idle,
					 se->sched_delayed };
	sums->count.nr += n.nr;
	sums->count.idle += n.idle;
	sums->count.delayed += n.delayed;
}

/* An entity and the group that it stands for. */
static const char *check_group(const struct sched_entity *se)
{
	const struct cfs_rq *cfs_rq = se->my_q;

	if (!cfs_rq)
		return NULL;
	if (queue_entity(cfs_rq) != se)
		return "a group in the fair tree is another CPU's";
	if (cfs_rq->throttled)
		return "a throttled group is in the fair tree";
	if ((cfs_rq->nr_running == 0) != se->sched_delayed)
		return "a group in the fair tree is empty, or leaves with tasks in it";
	return NULL;
}

static const char *check_node(const struct cfs_rq *cfs_rq, const struct rb_node *node,
			      struct tree_sums *sums)
{
	const struct sched_entity *se = node_se(node);
	const struct rb_node *next = rb_next(node);

	if (!se->on_rq || se->cfs_rq != cfs_rq)
		return "an entity in the fair tree is not queued here";
	if (next && fair_node_before(next, node))
		return "the fair tree is not in order of deadlines";
	if (se->min_vruntime != fair_subtree_min_vruntime(node))
		return "the fair tree's smallest vruntimes are wrong";
	if (!is_root_queue(cfs_rq) && se->min_slice != fair_subtree_min_slice(node))
		return "the fair tree's smallest slices are wrong";
	if (!se->my_q && list_empty(&se->group_node))
		return "an entity in the fair tree is not on the list of tasks";
	add_entity(sums, se);
	sums->load += se_weight(se);
	sums->vruntime += entity_key(cfs_rq, se) * (s64)se_weight(se);
	return check_group(se);
}

static bool same_count(struct h_count a, struct h_count b)
{
	return a.nr == b.nr && a.idle == b.idle && a.delayed == b.delayed;
}

static const char *check_queue(const struct cfs_rq *cfs_rq)
{
	const struct rb_node *node = rb_first(&cfs_rq->tasks_timeline.rb_root);
	const struct sched_entity *curr = queued_curr(cfs_rq);
	struct tree_sums sums = { 0 };
	const char *wrong;

	if (node != cfs_rq->tasks_timeline.rb_leftmost)
		return "the fair tree's first node is not the cached one";
	for (; node; node = rb_next(node)) {
		wrong = check_node(cfs_rq, node, &sums);
		if (wrong)
			return wrong;
	}
	if (sums.load != cfs_rq->avg_load || sums.vruntime != cfs_rq->avg_vruntime)
		return "the fair queue's virtual time is not that of its tree";
	if (curr) {
		add_entity(&sums, curr);
		wrong = check_group(curr);
		if (wrong)
			return wrong;
	}
	if (sums.nr != cfs_rq->nr_running)
		return "the fair queue's count of entities is not that of its tree";
	if (!same_count(sums.count, queue_count(cfs_rq)))
		return "the fair queue's count of tasks is not that of its tree";
	if (sums.weight != cfs_rq->load.weight)
		return "the fair queue's weight is not that of its tasks";
	return NULL;
}

/* What holds for a group beyond its queue. */
static const char *check_throttling(const struct task_group *tg, u32 cpu)
{
	const struct cfs_rq *cfs_rq = tg->cfs_rq[cpu], *above = tg->parent->cfs_rq[cpu];
	const struct sched_entity *se = tg->se[cpu];

	if (cfs_rq->throttle_count != above->throttle_count + !!cfs_rq->throttled)
		return "a group's throttle count is not that of the groups above it";
	if (!!cfs_rq->throttled == list_empty(&queue_of(cfs_rq)->throttled_node))
		return "a group is throttled, but will not be unthrottled";
	if (cfs_rq->nr_running && !se->on_rq && !cfs_rq->throttled)
		return "a group with tasks is neither queued nor throttled";
	if ((cfs_rq->curr != NULL) != (above->curr == se))
		return "a group runs a task, but does not run itself";
	return NULL;
}

const char *fair_check(struct rq *rq)
{
	const char *wrong = check_queue(&rq->cfs);
	struct task_group *tg;

	if (!wrong && rq->cfs.nr_running && !kernel.nr_delayed && rq->nr_running == rq->scx.nr_running)
		wrong = "a fair entity is queued that is neither runnable nor delayed";
	list_for_each_entry(tg, &fair_groups, list) {
		if (!wrong)
			wrong = check_queue(tg->cfs_rq[rq->cpu]);
		if (!wrong)
			wrong = check_throttling(tg, rq->cpu);
	}
	return wrong;
}

bool fair_task_throttled(const struct task_struct *p)
{
	return p->se.on_rq && throttled_hierarchy(p->se.cfs_rq);
}
