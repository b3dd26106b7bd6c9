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
 * throughout. A queue's average is the sum of those of its tasks, those that
 * last ran here and sleep included, kept without visiting them: it follows the
 * same recurrence.
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

static struct load task_signal(const struct task_struct *p)
{
	const struct sched_entity *se = &p->se;

	if (!se->on_rq)
		return (struct load){ 0 };
	return (struct load){
		.load = se_weight(se),
		.runnable = se->sched_delayed ? 0 : SCHED_CAPACITY_SCALE,
		.util = se->cfs_rq->curr == se ? cpu_capacity(p->cpu) : 0,
	};
}

static struct load queue_signal(const struct rq *rq)
{
	const struct sched_entity *curr = rq->cfs.curr;

	return (struct load){
		.load = rq->cfs.load.weight >> LOAD_SHIFT,
		.runnable = (u64)fair_nr_runnable(rq) * SCHED_CAPACITY_SCALE,
		.util = curr && curr->on_rq ? cpu_capacity(rq->cpu) : 0,
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

void pelt_update(struct rq *rq, struct task_struct *p)
{
	struct pelt *queue = &fair_of(rq)->avg, *avg = &task_of(p)->fair.avg;

	advance(queue, rq->clock, queue_signal(rq));
	publish(&rq->cfs.avg, queue);
	advance(avg, rq->clock, task_signal(p));
	publish(&p->se.avg, avg);
}

/* --- which queue a task counts for ---------------------------------------------- */

void pelt_attach(struct rq *rq, struct task_struct *p)
{
	struct pelt *queue = &fair_of(rq)->avg, *avg = &task_of(p)->fair.avg;

	VRT_ASSERT(!task_of(p)->fair.attached);
	task_of(p)->fair.attached = true;
	pelt_update(rq, p);
	queue->load += avg->load;
	queue->runnable += avg->runnable;
	queue->util += avg->util;
	publish(&rq->cfs.avg, queue);
}

static void take(u64 *from, u64 what)
{
	*from -= min(*from, what);
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
	queue = &fair_of(cfs_rq->rq)->avg;
	advance(&ft->avg, queue->stamp, task_signal(p));
	take(&queue->load, ft->avg.load);
	take(&queue->runnable, ft->avg.runnable);
	take(&queue->util, ft->avg.util);
	publish(&cfs_rq->avg, queue);
	ft->attached = false;
}

void pelt_init_task(struct task_struct *p)
{
	struct pelt *avg = &task_of(p)->fair.avg;

	*avg = (struct pelt){ .stamp = kernel_now() };
	avg->load = se_weight(&p->se) << PELT_SHIFT;
	publish(&p->se.avg, avg);
}

void pelt_init_util(struct rq *rq, struct task_struct *p)
{
	struct pelt *avg = &task_of(p)->fair.avg;
	struct load queue = cpu_load(rq->cpu);
	u64 capacity = cpu_capacity(rq->cpu), cap, util;

	avg->stamp = rq->clock;
	if (queue.util >= capacity)
		return;
	cap = (capacity - queue.util) / 2;
	util = queue.util ? queue.util * se_weight(&p->se) / (queue.load + 1) : cap;
	avg->util = avg->runnable = min(util, cap) << PELT_SHIFT;
	publish(&p->se.avg, avg);
}

void pelt_reweight(struct rq *rq, struct task_struct *p, u64 old_weight)
{
	struct fair_task *ft = &task_of(p)->fair;
	u64 load = ft->avg.load;

	ft->avg.load = (u64)((unsigned __int128)load * se_weight(&p->se) / old_weight);
	if (!ft->attached)
		return;
	take(&fair_of(rq)->avg.load, load);
	fair_of(rq)->avg.load += ft->avg.load;
}

/* --- reading ----------------------------------------------------------------------- */

struct load cpu_load(u32 cpu)
{
	const struct rq *rq = cpu_rq(cpu);
	struct pelt avg = fair_of(rq)->avg;
	struct load now;

	/* most CPUs of a large machine */
	if (!rq->cfs.nr_running && !(avg.load | avg.runnable | avg.util))
		return (struct load){ 0 };
	advance(&avg, kernel_now(), queue_signal(rq));
	now = whole(&avg);
	now.util = min(now.util, (u64)cpu_capacity(cpu));
	return now;
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

struct load task_load(const struct task_struct *p)
{
	struct pelt avg = task_of(p)->fair.avg;

	advance(&avg, kernel_now(), task_signal(p));
	return whole(&avg);
}

struct load cpu_load_without(u32 cpu, const struct task_struct *p)
{
	struct load all = cpu_load(cpu), own;

	if (!p || !task_of(p)->fair.attached || p->se.cfs_rq != &cpu_rq(cpu)->cfs)
		return all;
	own = task_load(p);
	take(&all.load, own.load);
	take(&all.runnable, own.runnable);
	take(&all.util, own.util);
	return all;
}
