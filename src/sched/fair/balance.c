// SPDX-License-Identifier: GPL-2.0-only
/*
 * When fair tasks are balanced between CPUs:
 *
 *	newly idle	a CPU that runs out of work pulls, nearest level first,
 *			if past success at that level and the time that it is
 *			usually idle make that worthwhile
 *	periodically	from the tick, every level at an interval that doubles while
 *			all is well, and is 16 times as long on a busy CPU
 *	nohz		idle CPUs have no tick: a busy CPU's tick interrupts one of them,
 *			which then balances for all idle CPUs
 *
 * Linux balances from a softirq after the tick; here it is part of the tick,
 * or of the idle loop.
 *
 * Locking: no rq lock is held while balancing, except that newly idle balancing
 * drops its own and takes it again. State shared by all CPUs (struct machine)
 * is read and written between two payments, as everything unlocked.
 */
#include "fair.h"

#define BUSY_FACTOR 16
#define COST_DECAY_NS NSEC_PER_SEC
#define INTERVAL_MAX_PER_CPU_NS (100 * NSEC_PER_MSEC)

static struct {
	bool overloaded; /* somewhere more than one task is queued, or one is misplaced */
	bool serialized; /* a pass over the whole machine is in progress */
	struct cpumask idle; /* CPUs in their idle task */
	u32 nr_idle;
	u64 nohz_next; /* before that, no kick */
} machine;

bool machine_overloaded(void)
{
	return machine.overloaded;
}

void set_machine_overloaded(bool overloaded)
{
	machine.overloaded = overloaded;
}

void fair_balance_init(struct rq *rq)
{
	struct fair_rq *fair = fair_of(rq);

	if (!rq->cpu)
		memset(&machine, 0, sizeof(machine));
	cpumask_set_cpu(rq->cpu, &machine.idle);
	machine.nr_idle++;
	rq->avg_idle = 2 * MIGRATION_COST_NS;
	fair->max_newidle_cost = MIGRATION_COST_NS;
	fair->next_balance = kernel_now();
}

static bool top_has_one_cpu(const struct rq *rq)
{
	return fair_of(rq)->domain[LEVEL_MACHINE].weight == 1;
}

/* --- intervals -------------------------------------------------------------------- */

static u64 interval_ns(const struct fair_domain *d, bool busy)
{
	u64 ns = d->interval_ms * NSEC_PER_MSEC;

	/* so that the periods of levels are no multiples of each other */
	if (busy)
		ns = ns * BUSY_FACTOR - TICK_NSEC;
	return min(max(ns, TICK_NSEC), INTERVAL_MAX_PER_CPU_NS * nr_cpu_ids);
}

static void update_newidle_ratio(struct fair_domain *d, u32 success)
{
	d->newidle_tries++;
	d->newidle_successes += success;
	if (d->newidle_tries >= 1024) {
		d->newidle_ratio = d->newidle_successes;
		d->newidle_tries /= 2;
		d->newidle_successes /= 2;
	}
}

static void note_newidle_cost(struct fair_domain *d, u64 cost)
{
	if (cost > d->newidle_cost) {
		d->newidle_cost = cost;
		d->newidle_cost_stamp = cpu_clock();
	}
}

/* The worst cost fades by 1% per second. True if it did. */
static bool decay_newidle_cost(struct fair_domain *d)
{
	if (cpu_clock() < d->newidle_cost_stamp + COST_DECAY_NS)
		return false;
	d->newidle_cost = d->newidle_cost * 253 / 256;
	d->newidle_cost_stamp = cpu_clock();
	return true;
}

/* --- periodic ------------------------------------------------------------------------ */

/* Balances a level if it is time; passes over the whole machine one at a time. */
static void balance_domain(u32 cpu, enum fair_level level, enum balance_idle *idle, bool *go_on)
{
	struct fair_domain *d = &kernel.rqs[cpu]->fair.domain[level];
	bool serialize = level_is_numa(level);

	if (cpu_clock() < d->last_balance + interval_ns(d, *idle == BALANCE_BUSY))
		return;
	if (serialize && machine.serialized)
		return;
	machine.serialized |= serialize;
	if (balance_level(cpu, level, *idle, go_on))
		*idle = idle_cpu(cpu) || sched_idle_cpu(cpu) ? BALANCE_IDLE : BALANCE_BUSY;
	d->last_balance = cpu_clock();
	if (serialize)
		machine.serialized = false;
}

static void balance_domains(u32 cpu, enum balance_idle idle)
{
	struct fair_rq *fair = &kernel.rqs[cpu]->fair;
	u64 next = cpu_clock() + 60 * NSEC_PER_SEC, cost = 0;
	bool go_on = true, decayed = false;

	pelt_update_blocked(cpu_rq(cpu));
	if (sched_idle_cpu(cpu))
		idle = BALANCE_IDLE;
	for (u32 level = 0; level < NR_LEVELS; level++) {
		struct fair_domain *d = &fair->domain[level];

		if (!d->exists)
			continue;
		decayed |= decay_newidle_cost(d);
		cost += d->newidle_cost;
		if (!go_on)
			continue;
		balance_domain(cpu, level, &idle, &go_on);
		next = min(next, d->last_balance + interval_ns(d, idle == BALANCE_BUSY));
	}
	if (decayed)
		fair->max_newidle_cost = max((u64)MIGRATION_COST_NS, cost);
	fair->next_balance = next;
}

/* --- balancing for idle CPUs ------------------------------------------------------------ */

void fair_idle_enter(struct rq *rq)
{
	struct fair_llc *llc = llc_of(rq->cpu);

	if (!cpumask_test_cpu(rq->cpu, &machine.idle)) {
		cpumask_set_cpu(rq->cpu, &machine.idle);
		machine.nr_idle++;
	}
	if (!rq->idle_stamp)
		rq->idle_stamp = rq->clock;
	if (kernel.config.topology->smt && !llc->has_idle_cores && core_idle_but(rq->cpu))
		llc->has_idle_cores = true;
}

void fair_idle_exit(struct rq *rq)
{
	if (cpumask_test_and_clear_cpu(rq->cpu, &machine.idle))
		machine.nr_idle--;
}

/* Is anything here that an idle CPU could do better? */
static bool kick_wanted(const struct rq *rq)
{
	const struct cpumask *llc = topo_of(rq->cpu)->llc_mask;
	u32 cpu, busy = 0;

	if (rq->nr_running >= 2)
		return true;
	if (rq->cfs.h_nr_running && capacity_reduced(rq->cpu, level_imbalance_pct(LEVEL_LLC)))
		return true;
	if (kernel.config.topology->asymmetric)
		return fair_of(rq)->misfit_load != 0;
	for_each_cpu(cpu, llc) {
		busy += !cpumask_test_cpu(cpu, &machine.idle);
		if (busy > 1)
			return true;
	}
	return false;
}

/* From a busy CPU's tick. */
static void nohz_kick(struct rq *rq)
{
	u64 now = cpu_clock();
	u32 cpu;

	if (!machine.nr_idle || now < machine.nohz_next || !kick_wanted(rq))
		return;
	machine.nohz_next = now + TICK_NSEC;
	charge_overhead(TRACE_OVH_BALANCE, costs.pick_idle_word * NR_MASK_WORDS);
	cpu = cpumask_next_and_wrap(rq->cpu + 1, &machine.idle, kernel.active);
	if (cpu >= nr_cpu_ids || !idle_cpu(cpu) || fair_of(cpu_rq(cpu))->nohz_kick)
		return;
	fair_of(cpu_rq(cpu))->nohz_kick = true;
	/* nothing to run there: the interrupt just brings it back to its idle loop */
	cpu_send_ipi(kernel.rqs[cpu]->cpu, IRQ_RESCHED);
}

void fair_nohz_balance(struct rq *rq)
{
	u64 next = cpu_clock() + 60 * NSEC_PER_SEC;
	u32 cpu = rq->cpu, left;

	if (!fair_of(rq)->nohz_kick)
		return;
	fair_of(rq)->nohz_kick = false;
	/* this CPU last: the others may take what there is */
	for (left = machine.nr_idle; left; left--) {
		cpu = cpumask_next_and_wrap(cpu + 1, &machine.idle, kernel.active);
		if (cpu >= nr_cpu_ids)
			break;
		if (!idle_cpu(cpu))
			continue;
		if (cpu_clock() >= fair_of(cpu_rq(cpu))->next_balance)
			balance_domains(cpu, BALANCE_IDLE);
		next = min(next, fair_of(cpu_rq(cpu))->next_balance);
		cpu_sync();
		if (need_resched() || this_cpu->pending)
			return; /* wanted here: somebody else will be kicked */
	}
	machine.nohz_next = max(machine.nohz_next, next);
}

void fair_periodic_balance(struct rq *rq)
{
	if (top_has_one_cpu(rq) || !cpumask_test_cpu(rq->cpu, kernel.active))
		return;
	if (cpu_clock() >= fair_of(rq)->next_balance)
		balance_domains(rq->cpu, idle_cpu(rq->cpu) ? BALANCE_IDLE : BALANCE_BUSY);
	if (!is_idle_task(rq->curr))
		nohz_kick(rq);
}

/* --- newly idle ---------------------------------------------------------------------------- */

static bool newidle_level(struct rq *rq, enum fair_level level, u64 *spent)
{
	struct fair_domain *d = &fair_of(rq)->domain[level];
	u64 start = cpu_clock(), cost;
	u32 weight = 1 + d->newidle_ratio;
	bool go_on = true;
	u32 pulled;

	/* levels that seldom help are tried as seldom; a success then counts as many */
	if (rng_below(&sim_rng, 1024) > weight) {
		update_newidle_ratio(d, 0);
		return false;
	}
	weight = (1024 + weight / 2) / weight;
	pulled = balance_level(rq->cpu, level, BALANCE_NEWIDLE, &go_on);
	cost = cpu_clock() - start;
	*spent += cost;
	note_newidle_cost(d, cost);
	update_newidle_ratio(d, pulled ? weight : 0);
	return pulled;
}

/* Anything of this class or above to run? */
static bool something_to_run(const struct rq *rq)
{
	return fair_nr_runnable(rq) || rq->rt.rt_nr_running || (rq->stop && rq->stop->on_rq == 1);
}

bool fair_newidle_balance(struct rq *rq)
{
	struct fair_rq *fair = fair_of(rq);
	bool pulled = false;
	u64 spent = 0;

	fair->misfit_load = 0;
	if (!list_empty(&crq_of(rq)->wake_list))
		return false;
	rq->idle_stamp = rq->clock;
	if (top_has_one_cpu(rq) || !cpumask_test_cpu(rq->cpu, kernel.active) ||
	    !machine_overloaded())
		return false;
	rq_unlock(rq);
	pelt_update_blocked(rq);
	for (u32 level = 0; level < NR_LEVELS && !pulled; level++) {
		struct fair_domain *d = &fair->domain[level];

		if (!d->exists)
			continue;
		fair->next_balance =
			min(fair->next_balance, d->last_balance + interval_ns(d, false));
		if (rq->avg_idle < spent + d->newidle_cost)
			break;
		pulled = newidle_level(rq, level, &spent);
		cpu_sync();
		if (rq->nr_running || !list_empty(&crq_of(rq)->wake_list))
			break;
	}
	fair->max_newidle_cost = max(fair->max_newidle_cost, spent);
	rq_lock(rq);
	update_rq_clock(rq);
	if (!something_to_run(rq))
		return false;
	rq->idle_stamp = 0;
	return true;
}

/* --- tasks on CPUs that are too small ------------------------------------------------------ */

void fair_update_misfit(struct rq *rq, const struct task_struct *p)
{
	struct fair_rq *fair = fair_of(rq);

	fair->misfit_load = 0;
	if (!kernel.config.topology->asymmetric || p->nr_cpus_allowed == 1 ||
	    task_fits_cpu(p, rq->cpu))
		return;
	/* on the largest CPU that there is, nothing would be gained */
	if (cpu_capacity(rq->cpu) >= SCHED_CAPACITY_SCALE)
		return;
	fair->misfit_load = max(task_h_load(p), (u64)1);
}
