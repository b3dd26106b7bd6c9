// SPDX-License-Identifier: GPL-2.0-only
/*
 * How busy tasks and queues have been lately: exponential averages that halve
 * every 32 * 2^20 ns (Linux's PELT), of three signals:
 *
 *	load		weight while queued
 *	runnable	1024 while runnable
 *	util		the CPU's capacity while running
 *
 * Linux accumulates sums over segments of 1024 us; we decay the averages
 * themselves over the exact time, which is the same curve. Integer arithmetic
 * throughout. A queue's average is the sum of those of its entities, those that
 * were here last and sleep included, kept without visiting them: it follows the
 * same recurrence.
 *
 * Groups: an entity's util and runnable are its queue's, as both are when the
 * entity is. When a task joins or leaves, they are copied upwards on every level;
 * the entity's load, which depends on its own weight, is estimated as Linux does:
 * the part of the time that it was queued grows by the task's, or shrinks to what
 * its queue's load says. A queue's load is its part of the load of the group, whose
 * sum over CPUs is kept roughly (tg->load_avg), and for CPUs that are idle brought
 * up to date by balancing. The clock of a throttled queue stands still.
 *
 * The time that rt tasks take is averaged alike: it is missing in the capacity
 * that a CPU has for fair ones. Not modelled: util_est, and the same for
 * interrupts.
 *
 * Locking: the rq lock for all that writes. A reader of another CPU's average
 * computes what it is now from the last stored value.
 */
#include "fair.h"

#define PERIOD_SHIFT 20 /* ns */
#define PERIODS_HALF_SHIFT 5

/* 2^32 * 2^(-n/32) */
static const u32 decay_table[33] = {
	0xffffffff, 0xfa83b2da, 0xf5257d14, 0xefe4b99a, 0xeac0c6e6, 0xe5b906e6, 0xe0ccdeeb,
	0xdbfbb796, 0xd744fcc9, 0xd2a81d91, 0xce248c14, 0xc9b9bd85, 0xc5672a10, 0xc12c4cc9,
	0xbd08a39e, 0xb8fbaf46, 0xb504f333, 0xb123f581, 0xad583ee9, 0xa9a15ab4, 0xa5fed6a9,
	0xa2704302, 0x9ef5325f, 0x9b8d39b9, 0x9837f050, 0x94f4efa8, 0x91c3d373, 0x8ea4398a,
	0x8b95c1e3, 0x88980e80, 0x85aac367, 0x82cd8698, 0x80000000,
};

struct decay {
	u32 factor; /* of 2^32 */
	u32 halvings;
};

static struct decay decay_over(u64 ns)
{
	u64 n = (ns >> PERIOD_SHIFT) & ((1 << PERIODS_HALF_SHIFT) - 1);
	u64 part = ns & ((1ULL << PERIOD_SHIFT) - 1);
	u64 drop = decay_table[n] - decay_table[n + 1];

	return (struct decay){
		.factor = decay_table[n] - (u32)(drop * part >> PERIOD_SHIFT),
		.halvings = min(ns >> (PERIOD_SHIFT + PERIODS_HALF_SHIFT), (u64)63),
	};
}

static u64 decayed(u64 value, struct decay d)
{
	return (u64)((unsigned __int128)value * d.factor >> 32) >> d.halvings;
}

static void approach(u64 *value, u64 target, struct decay d)
{
	target <<= PELT_SHIFT;
	if (*value > target)
		*value = target + decayed(*value - target, d);
	else
		*value = target - decayed(target - *value, d);
}

/* The signals were constant since the last time. */
static void advance(struct pelt *avg, u64 now, struct load signal)
{
	struct decay d;

	if ((s64)(now - avg->stamp) <= 0)
		return;
	d = decay_over(now - avg->stamp);
	avg->stamp = now;
	approach(&avg->load, signal.load, d);
	approach(&avg->runnable, signal.runnable, d);
	approach(&avg->util, signal.util, d);
}

static struct load whole(const struct pelt *avg)
{
	return (struct load){ avg->load >> PELT_SHIFT, avg->runnable >> PELT_SHIFT,
			      avg->util >> PELT_SHIFT };
}

/* --- signals ------------------------------------------------------------------ */

static inline struct pelt *pelt_of(const struct sched_entity *se)
{
	return se->my_q ? &container_of(se, struct group_entity, se)->avg :
			  &task_of(task_of_se(se))->fair.avg;
}

/* @now by the clock of the queue's averages */
static inline u64 queue_clock(const struct cfs_rq *cfs_rq, u64 now)
{
	const struct fair_queue *q;

	if (is_root_queue(cfs_rq))
		return now;
	q = queue_of(cfs_rq);
	return (q->frozen_since ? q->frozen_since : now) - q->frozen_time;
}

static u64 nr_runnable(const struct cfs_rq *cfs_rq)
{
	return cfs_rq->h_nr_running - cfs_rq->h_nr_delayed;
}

static struct load entity_signal(const struct sched_entity *se)
{
	u64 runnable = se->my_q ? nr_runnable(se->my_q) : !se->sched_delayed;

	if (!se->on_rq)
		return (struct load){ 0 };
	return (struct load){
		.load = se_weight(se),
		.runnable = runnable * SCHED_CAPACITY_SCALE,
		.util = se->cfs_rq->curr == se ? cpu_capacity(se->cfs_rq->rq->cpu) : 0,
	};
}

static struct load queue_signal(const struct cfs_rq *cfs_rq)
{
	return (struct load){
		.load = cfs_rq->load.weight >> LOAD_SHIFT,
		.runnable = nr_runnable(cfs_rq) * SCHED_CAPACITY_SCALE,
		.util = queued_curr(cfs_rq) ? cpu_capacity(cfs_rq->rq->cpu) : 0,
	};
}

/* What BPF programs see. */
static void publish(struct sched_avg *out, const struct pelt *avg)
{
	out->last_update_time = avg->stamp;
	out->load_avg = avg->load >> PELT_SHIFT;
	out->runnable_avg = avg->runnable >> PELT_SHIFT;
	out->util_avg = avg->util >> PELT_SHIFT;
}

/* Tells the group what of its load is here, when that has changed by enough to matter. */
static void update_tg_load(struct cfs_rq *cfs_rq)
{
	struct fair_queue *q = queue_of(cfs_rq);
	u64 now = cfs_rq->rq->clock;
	s64 delta = (s64)(cfs_rq->avg.load_avg - cfs_rq->tg_load_avg_contrib);

	if (now - q->tg_update < NSEC_PER_MSEC ||
	    !cpumask_test_cpu(cfs_rq->rq->cpu, kernel.active))
		return;
	if ((delta < 0 ? -delta : delta) <= (s64)cfs_rq->tg_load_avg_contrib / 64)
		return;
	cfs_rq->tg->load_avg.counter += delta;
	cfs_rq->tg_load_avg_contrib = cfs_rq->avg.load_avg;
	q->tg_update = now;
}

void pelt_forget(struct cfs_rq *cfs_rq)
{
	cfs_rq->tg->load_avg.counter -= cfs_rq->tg_load_avg_contrib;
	cfs_rq->tg_load_avg_contrib = 0;
	queue_of(cfs_rq)->tg_update = cfs_rq->rq->clock;
}

static void update_queue(struct cfs_rq *cfs_rq)
{
	struct pelt *avg = &queue_of(cfs_rq)->avg;

	advance(avg, queue_clock(cfs_rq, cfs_rq->rq->clock), queue_signal(cfs_rq));
	publish(&cfs_rq->avg, avg);
	if (!is_root_queue(cfs_rq))
		update_tg_load(cfs_rq);
}

void pelt_update(struct sched_entity *se)
{
	struct cfs_rq *cfs_rq = se->cfs_rq;
	struct pelt *avg = pelt_of(se);

	update_queue(cfs_rq);
	advance(avg, queue_clock(cfs_rq, cfs_rq->rq->clock), entity_signal(se));
	publish(&se->avg, avg);
}

void pelt_freeze(struct cfs_rq *cfs_rq)
{
	queue_of(cfs_rq)->frozen_since = cfs_rq->rq->clock;
}

void pelt_thaw(struct cfs_rq *cfs_rq)
{
	struct fair_queue *q = queue_of(cfs_rq);

	q->frozen_time += cfs_rq->rq->clock - q->frozen_since;
	q->frozen_since = 0;
}

/* --- groups ---------------------------------------------------------------------- */

static void take(u64 *from, u64 what)
{
	*from -= min(*from, what);
}

/* *entity becomes @value, and what it is part of changes by as much. */
static void copy_up(u64 *entity, u64 *queue, u64 value)
{
	take(queue, *entity);
	*queue += value;
	*entity = value;
}

/* The part of the time (of 1 << PELT_SHIFT) that the group has been queued, after a change. */
static u64 queued_part(const struct sched_entity *se, s64 joined)
{
	const struct pelt *e = pelt_of(se), *q = &queue_of(se->my_q)->avg;
	u64 part = e->load / se_weight(se), weight = se->my_q->load.weight >> LOAD_SHIFT;

	if (joined >= 0)
		part += joined;
	else
		part = min(part, weight ? q->load / weight : 0);
	part = max(part, e->util / SCHED_CAPACITY_SCALE);
	return min(part, (u64)1 << PELT_SHIFT);
}

/*
 * A task has joined @cfs_rq, having been queued for that part of the time before,
 * or has left it (@joined < 0): on to the root.
 */
static void propagate(struct cfs_rq *cfs_rq, s64 joined)
{
	struct sched_entity *se;

	for (se = queue_entity(cfs_rq); se; se = se->parent) {
		const struct pelt *inner = &queue_of(se->my_q)->avg;
		struct pelt *outer = &queue_of(se->cfs_rq)->avg, *avg = pelt_of(se);

		pelt_update(se);
		copy_up(&avg->util, &outer->util, inner->util);
		copy_up(&avg->runnable, &outer->runnable, inner->runnable);
		copy_up(&avg->load, &outer->load, queued_part(se, joined) * se_weight(se));
		publish(&se->avg, avg);
		publish(&se->cfs_rq->avg, outer);
	}
}

/* The queue and those above will have to be looked at until they have faded. */
static void watch(struct cfs_rq *cfs_rq)
{
	struct sched_entity *se;

	for (; (se = queue_entity(cfs_rq)); cfs_rq = se->cfs_rq) {
		struct fair_queue *q = queue_of(cfs_rq);

		if (!list_empty(&q->leaf))
			return;
		list_add_tail(&q->leaf, &fair_of(cfs_rq->rq)->leaves);
	}
}

static bool faded(const struct cfs_rq *cfs_rq)
{
	const struct sched_avg *avg = &cfs_rq->avg;

	return !cfs_rq->nr_running &&
	       !(avg->load_avg | avg->runnable_avg | avg->util_avg | cfs_rq->tg_load_avg_contrib);
}

void pelt_update_blocked(struct rq *rq)
{
	struct fair_queue *q, *n;

	if (list_empty(&fair_of(rq)->leaves))
		return;
	rq_lock(rq);
	update_rq_clock(rq);
	list_for_each_entry_safe(q, n, &fair_of(rq)->leaves, leaf) {
		struct cfs_rq *cfs_rq = &container_of(q, struct group_queue, queue)->cfs;

		update_queue(cfs_rq);
		pelt_update(queue_entity(cfs_rq));
		if (faded(cfs_rq))
			list_del_init(&q->leaf);
	}
	rq_unlock(rq);
}

void pelt_init_group(struct cfs_rq *cfs_rq)
{
	struct sched_entity *se = queue_entity(cfs_rq);

	queue_of(cfs_rq)->avg.stamp = kernel_now();
	pelt_of(se)->stamp = queue_clock(se->cfs_rq, kernel_now());
}

void pelt_exit_group(struct cfs_rq *cfs_rq)
{
	struct sched_entity *se = queue_entity(cfs_rq);
	struct pelt *avg = pelt_of(se), *outer = &queue_of(se->cfs_rq)->avg;

	pelt_forget(cfs_rq);
	list_del_init(&queue_of(cfs_rq)->leaf);
	pelt_update(se);
	copy_up(&avg->util, &outer->util, 0);
	copy_up(&avg->runnable, &outer->runnable, 0);
	copy_up(&avg->load, &outer->load, 0);
	publish(&se->cfs_rq->avg, outer);
	propagate(se->cfs_rq, -1);
}

/* --- which queue a task counts for ---------------------------------------------- */

static void attach(struct task_struct *p)
{
	struct cfs_rq *cfs_rq = p->se.cfs_rq;
	struct pelt *queue = &queue_of(cfs_rq)->avg, *avg = &task_of(p)->fair.avg;

	task_of(p)->fair.attached = true;
	if (!is_root_queue(cfs_rq)) {
		advance(avg, cfs_rq->rq->clock, entity_signal(&p->se));
		avg->stamp = queue_clock(cfs_rq, cfs_rq->rq->clock);
	}
	pelt_update(&p->se);
	queue->load += avg->load;
	queue->runnable += avg->runnable;
	queue->util += avg->util;
	publish(&cfs_rq->avg, queue);
	if (is_root_queue(cfs_rq))
		return;
	watch(cfs_rq);
	propagate(cfs_rq, (s64)(avg->load / se_weight(&p->se)));
}

void pelt_enqueue(struct sched_entity *se)
{
	if (se->my_q || task_of(task_of_se(se))->fair.attached)
		pelt_update(se);
	else
		attach(task_of_se(se));
}

/*
 * A sleeper that wakes elsewhere leaves the average of a queue whose lock is
 * not held. Linux puts it on a list of removed load that the queue's CPU
 * applies later; the difference is invisible.
 */
void pelt_detach(struct task_struct *p)
{
	struct fair_task *ft = &task_of(p)->fair;
	struct cfs_rq *cfs_rq = p->se.cfs_rq;
	struct pelt *queue;

	if (!ft->attached)
		return;
	if (!is_root_queue(cfs_rq))
		update_queue(cfs_rq);
	queue = &queue_of(cfs_rq)->avg;
	advance(&ft->avg, queue->stamp, entity_signal(&p->se));
	take(&queue->load, ft->avg.load);
	take(&queue->runnable, ft->avg.runnable);
	take(&queue->util, ft->avg.util);
	publish(&cfs_rq->avg, queue);
	ft->attached = false;
	if (is_root_queue(cfs_rq))
		return;
	ft->avg.stamp += queue_of(cfs_rq)->frozen_time;
	propagate(cfs_rq, -1);
}

void pelt_init_task(struct task_struct *p)
{
	struct pelt *avg = &task_of(p)->fair.avg;

	*avg = (struct pelt){ .stamp = kernel_now() };
	avg->load = se_weight(&p->se) << PELT_SHIFT;
	publish(&p->se.avg, avg);
}

/* As of now, in whole units. */
static struct load queue_load(const struct cfs_rq *cfs_rq)
{
	struct pelt avg = queue_of(cfs_rq)->avg;
	u32 cpu = cfs_rq->rq->cpu;
	struct load now;

	/* most CPUs of a large machine */
	if (!cfs_rq->nr_running && !(avg.load | avg.runnable | avg.util))
		return (struct load){ 0 };
	advance(&avg, queue_clock(cfs_rq, kernel_now()), queue_signal(cfs_rq));
	now = whole(&avg);
	now.util = min(now.util, (u64)cpu_capacity(cpu));
	return now;
}

void pelt_init_util(struct rq *rq, struct task_struct *p)
{
	struct pelt *avg = &task_of(p)->fair.avg;
	struct load queue = queue_load(p->se.cfs_rq);
	u64 capacity = cpu_capacity(rq->cpu), cap, util;

	avg->stamp = rq->clock;
	if (queue.util >= capacity)
		return;
	cap = (capacity - queue.util) / 2;
	util = queue.util ? queue.util * se_weight(&p->se) / (queue.load + 1) : cap;
	avg->util = avg->runnable = min(util, cap) << PELT_SHIFT;
	publish(&p->se.avg, avg);
}

void pelt_reweight(struct sched_entity *se, u64 old_weight)
{
	struct pelt *avg = pelt_of(se), *queue;
	u64 load = avg->load;

	avg->load = (u64)((unsigned __int128)load * se_weight(se) / old_weight);
	if (!se->my_q && !task_of(task_of_se(se))->fair.attached)
		return;
	queue = &queue_of(se->cfs_rq)->avg;
	take(&queue->load, load);
	queue->load += avg->load;
}

/* --- reading ----------------------------------------------------------------------- */

struct load cpu_load(u32 cpu)
{
	return queue_load(&cpu_rq(cpu)->cfs);
}

void pelt_update_rt(struct rq *rq)
{
	struct rt_state *rt = &crq_of(rq)->rt_state;

	advance(&rt->avg, rq->clock,
		(struct load){ .util = rt->running ? cpu_capacity(rq->cpu) : 0 });
	rq->cpu_capacity = capacity_of(rq->cpu);
}

u64 capacity_of(u32 cpu)
{
	const struct rt_state *rt = &kernel.rqs[cpu]->rt_state;
	u64 capacity = cpu_capacity(cpu), used;
	struct pelt avg = rt->avg;

	if (!rt->running && !avg.util)
		return capacity;
	advance(&avg, kernel_now(), (struct load){ .util = rt->running ? capacity : 0 });
	used = whole(&avg).util;
	return used < capacity ? capacity - used : 1;
}

bool capacity_reduced(u32 cpu, u32 imbalance_pct)
{
	return capacity_of(cpu) * imbalance_pct < (u64)cpu_capacity(cpu) * 100;
}

static struct load entity_load(const struct sched_entity *se)
{
	struct pelt avg = *pelt_of(se);
	u64 now = kernel_now();

	/* a task that is part of no average keeps the machine's time */
	if (se->my_q || task_of(task_of_se(se))->fair.attached)
		now = queue_clock(se->cfs_rq, now);
	advance(&avg, now, entity_signal(se));
	return whole(&avg);
}

struct load task_load(const struct task_struct *p)
{
	return entity_load(&p->se);
}

/* What a queue weighs in its CPU's load, its own entity's share on every level. */
static u64 queue_h_load(const struct cfs_rq *cfs_rq)
{
	const struct sched_entity *se = queue_entity(cfs_rq);

	if (!se)
		return queue_load(cfs_rq).load;
	return queue_h_load(se->cfs_rq) * entity_load(se).load /
	       (queue_load(se->cfs_rq).load + 1);
}

u64 task_h_load(const struct task_struct *p)
{
	u64 load = task_load(p).load;

	if (!p->se.parent)
		return load;
	return load * queue_h_load(p->se.cfs_rq) / (queue_load(p->se.cfs_rq).load + 1);
}

struct load cpu_load_without(u32 cpu, const struct task_struct *p)
{
	struct load all = cpu_load(cpu), own;

	if (!p || !task_of(p)->fair.attached || p->se.cfs_rq->rq != cpu_rq(cpu))
		return all;
	own = task_load(p);
	take(&all.load, task_h_load(p));
	take(&all.runnable, own.runnable);
	take(&all.util, own.util);
	return all;
}
