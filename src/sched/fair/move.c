// SPDX-License-Identifier: GPL-2.0-only
/*
 * One balancing pass: compare the groups of a level, find the busiest queue of
 * the busiest group, pull tasks from it to one CPU; when nothing queued can be
 * moved for a while, have the source's stopper push its running task.
 *
 * The rules are those of Linux's sched_balance_rq(). Tasks are moved with both
 * queues locked (in CPU order), so that no task is ever in between. Looking at
 * a CPU costs the transfer of a cache line, whoever it is for.
 *
 * Not modelled: ASYM_PACKING, NUMA balancing's preferences.
 */
#include "fair.h"

#define NR_MIGRATE 32 /* tasks looked at per pass (sysctl_sched_nr_migrate) */
#define PINNED_INTERVAL_MAX_MS 512

enum migration { MIGRATE_LOAD, MIGRATE_UTIL, MIGRATE_TASK, MIGRATE_MISFIT };

struct pass {
	enum fair_level level;
	enum balance_idle idle;
	struct fair_domain *domain; /* of the CPU that the pass is for */
	u32 dst, src;
	struct cpumask cpus; /* CPUs that take part */
	struct cpumask group; /* those on dst's side */
	enum migration migration;
	s64 imbalance; /* in the unit that the migration says */
	u32 looked, look_max;
	/* what affinity did */
	bool all_pinned, some_pinned;
	s32 other_dst; /* a CPU of our group where a task that may not come to dst may go */
	bool active; /* the running task is what shall be moved */
};

struct level_stats {
	struct group_stats local, busiest;
	struct cpumask busiest_cpus;
	bool have_busiest;
	u64 load, capacity, util;
	bool overloaded;
};

/* --- who balances ------------------------------------------------------------- */

/* Of the CPUs of dst's group one does it: the first idle one, on an idle core if possible. */
static bool should_we_balance(const struct pass *pass)
{
	struct cpumask left;
	s32 idle_smt = -1;
	u32 cpu;

	if (!cpumask_test_cpu(pass->dst, &pass->cpus))
		return false;
	if (pass->idle == BALANCE_NEWIDLE)
		return !cpu_rq(pass->dst)->nr_running &&
		       list_empty(&kernel.rqs[pass->dst]->wake_list);
	charge_overhead(TRACE_OVH_BALANCE, costs.pick_idle_word * NR_MASK_WORDS);
	if (!cpumask_and(&left, &pass->group, &pass->cpus))
		return false;
	for_each_cpu(cpu, &left) {
		if (!idle_cpu(cpu))
			continue;
		if (pass->level == LEVEL_SMT || core_idle_but(cpu))
			return cpu == pass->dst;
		if (idle_smt < 0)
			idle_smt = cpu;
		cpumask_andnot(&left, &left, topo_of(cpu)->smt_mask);
	}
	if (idle_smt >= 0)
		return (u32)idle_smt == pass->dst;
	return cpumask_first(&pass->group) == pass->dst;
}

/* --- the busiest group ----------------------------------------------------------- */

/* Of a task that is alone on a CPU that cannot give it what it needs. */
static u64 misfit_load(const struct pass *pass, u32 cpu)
{
	const struct rq *rq = cpu_rq(cpu);

	if (pass->domain->asymmetric)
		return fair_of(rq)->misfit_load;
	if (pass->idle == BALANCE_BUSY || rq->cfs.h_nr_running != 1 ||
	    !capacity_reduced(cpu, level_imbalance_pct(pass->level)))
		return 0;
	return cpu_load(cpu).load;
}

static void balance_stats(const struct pass *pass, struct group_stats *gs,
			  const struct cpumask *group, bool local)
{
	u32 cpu;

	*gs = (struct group_stats){ 0 };
	for_each_cpu(cpu, group) {
		group_add_cpu(gs, cpu, NULL);
		if (!local && !idle_cpu(cpu))
			gs->misfit_load = max(gs->misfit_load, misfit_load(pass, cpu));
	}
	gs->overloaded |= pass->domain->asymmetric && gs->misfit_load;
	gs->smt_balance = !local && pass->idle != BALANCE_BUSY && pass->level == LEVEL_LLC &&
			  gs->weight > 1 && gs->nr_fair > 1;
	group_classify(gs, pass->level);
}

/* With fewer idle CPUs and more tasks. */
static bool less_spare(const struct group_stats *gs, const struct group_stats *busiest)
{
	if (gs->idle_cpus != busiest->idle_cpus)
		return gs->idle_cpus < busiest->idle_cpus;
	return gs->nr_running > busiest->nr_running;
}

static bool can_help(const struct pass *pass, const struct group_stats *gs,
		     const struct group_stats *local)
{
	u64 capacity = capacity_of(pass->dst);

	if (!gs->nr_fair)
		return false;
	if (!pass->domain->asymmetric)
		return true;
	if (gs->type == GROUP_MISFIT_TASK)
		return core_idle_but(pass->dst) && capacity_greater(capacity, gs->max_capacity) &&
		       local->type == GROUP_HAS_SPARE;
	/* a task per CPU, and on larger CPUs than this one: leave them there */
	return gs->type > GROUP_FULLY_BUSY || !capacity_greater(gs->min_capacity, capacity);
}

static bool is_busier(const struct group_stats *gs, const struct level_stats *ls)
{
	const struct group_stats *busiest = &ls->busiest;

	if (!ls->have_busiest)
		return true;
	if (gs->type != busiest->type)
		return gs->type > busiest->type;
	switch (gs->type) {
	case GROUP_OVERLOADED:
		return gs->avg_load > busiest->avg_load;
	case GROUP_IMBALANCED:
		return false;
	case GROUP_MISFIT_TASK:
		return gs->misfit_load > busiest->misfit_load;
	case GROUP_SMT_BALANCE:
		if (gs->idle_cpus || busiest->idle_cpus)
			return less_spare(gs, busiest);
		return !busiest->smt;
	case GROUP_FULLY_BUSY:
		/* threads that share a core are helped first */
		return !busiest->smt;
	case GROUP_HAS_SPARE:
		if (gs->smt != busiest->smt)
			return busiest->smt || gs->nr_fair > 1;
		return less_spare(gs, busiest);
	}
	return false;
}

/* How many CPUs of a cache are worth searching for an idle one (SIS_UTIL). */
static void update_idle_scan(const struct pass *pass, u64 util)
{
	u64 weight = pass->domain->weight, pct = level_imbalance_pct(pass->level), x, used;

	if (pass->idle == BALANCE_NEWIDLE ||
	    weight != kernel.rqs[pass->dst]->fair.domain[LEVEL_LLC].weight)
		return;
	x = util / weight;
	used = min(x * x * pct * pct / (10000 * SCHED_CAPACITY_SCALE), (u64)SCHED_CAPACITY_SCALE);
	llc_of(pass->dst)->nr_idle_scan =
		(SCHED_CAPACITY_SCALE - used) * weight / SCHED_CAPACITY_SCALE;
}

static bool is_top_level(const struct pass *pass)
{
	return pass->domain->weight == nr_cpu_ids;
}

static void collect_level(const struct pass *pass, struct level_stats *ls)
{
	struct cpumask rest, group;
	struct group_stats gs;

	cpumask_copy(&rest, &pass->cpus);
	/* our own group first: what is worth pulling depends on it */
	for (bool local = true; !cpumask_empty(&rest); local = false) {
		u32 first = local ? pass->dst : cpumask_first(&rest);

		group_span(&group, pass->level, first);
		cpumask_and(&group, &group, &rest);
		cpumask_andnot(&rest, &rest, &group);
		balance_stats(pass, &gs, &group, local);
		ls->load += gs.load;
		ls->capacity += gs.capacity;
		ls->util += gs.util;
		ls->overloaded |= gs.overloaded;
		if (local) {
			ls->local = gs;
		} else if (can_help(pass, &gs, &ls->local) && is_busier(&gs, ls)) {
			ls->have_busiest = true;
			ls->busiest = gs;
			cpumask_copy(&ls->busiest_cpus, &group);
		}
	}
	if (is_top_level(pass))
		set_machine_overloaded(ls->overloaded);
	update_idle_scan(pass, ls->util);
}

/* --- how much to move -------------------------------------------------------------- */

/* How many more tasks per core the busiest group has, as a number of tasks. */
static s64 sibling_imbalance(const struct pass *pass, const struct level_stats *ls)
{
	const struct group_stats *busiest = &ls->busiest, *local = &ls->local;
	s64 cores = (s64)local->cores + busiest->cores, gap;

	if (pass->idle == BALANCE_BUSY || !busiest->nr_running)
		return 0;
	if (busiest->cores == local->cores)
		return max((s64)busiest->nr_running - (s64)local->nr_running, (s64)0);
	gap = (s64)local->cores * busiest->nr_running - (s64)busiest->cores * local->nr_running;
	gap = (2 * max(gap, (s64)0) + cores) / max(cores, (s64)1);
	if (gap <= 1 && !local->nr_running && busiest->nr_running > 1)
		return 2;
	return gap;
}

static bool prefer_sibling(const struct level_stats *ls)
{
	return ls->busiest.many;
}

static u64 level_avg_load(const struct level_stats *ls)
{
	return ls->load * SCHED_CAPACITY_SCALE / max(ls->capacity, (u64)1);
}

/* Our group has room. */
static void fill_spare(struct pass *pass, const struct level_stats *ls)
{
	const struct group_stats *local = &ls->local, *busiest = &ls->busiest;

	if (busiest->type > GROUP_FULLY_BUSY && pass->level > LEVEL_LLC) {
		pass->migration = MIGRATE_UTIL;
		pass->imbalance = (s64)(max(local->capacity, local->util) - local->util);
		if (pass->idle != BALANCE_BUSY && !pass->imbalance) {
			pass->migration = MIGRATE_TASK;
			pass->imbalance = 1;
		}
		return;
	}
	pass->migration = MIGRATE_TASK;
	if (busiest->weight == 1 || prefer_sibling(ls))
		pass->imbalance = sibling_imbalance(pass, ls);
	else
		pass->imbalance =
			max((s64)local->idle_cpus - (s64)busiest->idle_cpus, (s64)0);
	if (level_is_numa(pass->level))
		pass->imbalance = adjust_numa_imbalance(pass->imbalance, local->nr_running + 1,
							numa_allowed_imbalance(pass->dst));
	pass->imbalance >>= 1;
}

static void set_imbalance(struct pass *pass, const struct level_stats *ls)
{
	const struct group_stats *local = &ls->local, *busiest = &ls->busiest;
	u64 avg = level_avg_load(ls);

	pass->imbalance = 1;
	pass->migration = MIGRATE_TASK;
	if (busiest->type == GROUP_MISFIT_TASK) {
		if (pass->domain->asymmetric) {
			pass->migration = MIGRATE_MISFIT;
		} else {
			pass->migration = MIGRATE_LOAD;
			pass->imbalance = (s64)busiest->misfit_load;
		}
		return;
	}
	if (busiest->type == GROUP_SMT_BALANCE || busiest->type == GROUP_IMBALANCED)
		return;
	if (local->type == GROUP_HAS_SPARE) {
		fill_spare(pass, ls);
		return;
	}
	/* all are busy: towards equal load per capacity */
	pass->migration = MIGRATE_LOAD;
	pass->imbalance = 0;
	if (local->avg_load >= busiest->avg_load || local->avg_load >= avg ||
	    busiest->avg_load <= avg)
		return;
	pass->imbalance = (s64)(min((busiest->avg_load - avg) * busiest->capacity,
				    (avg - local->avg_load) * local->capacity) /
				SCHED_CAPACITY_SCALE);
}

/* Is there an imbalance at all? */
static bool unbalanced(const struct pass *pass, const struct level_stats *ls)
{
	const struct group_stats *local = &ls->local, *busiest = &ls->busiest;
	u32 pct = level_imbalance_pct(pass->level);

	if (busiest->type == GROUP_MISFIT_TASK || busiest->type == GROUP_IMBALANCED)
		return true;
	if (local->type > busiest->type)
		return false;
	if (local->type == GROUP_OVERLOADED &&
	    (local->avg_load >= busiest->avg_load || local->avg_load >= level_avg_load(ls) ||
	     100 * busiest->avg_load <= pct * local->avg_load))
		return false;
	if (prefer_sibling(ls) && local->type == GROUP_HAS_SPARE &&
	    sibling_imbalance(pass, ls) > 1)
		return true;
	if (busiest->type == GROUP_OVERLOADED)
		return true;
	if (pass->idle == BALANCE_BUSY)
		return false;
	if (busiest->type == GROUP_SMT_BALANCE && local->smt != busiest->smt)
		return true;
	if (busiest->weight > 1 && local->idle_cpus <= busiest->idle_cpus + 1)
		return false;
	return busiest->nr_fair != 1;
}

/* The group to pull from, into @cpus; false when the level is balanced. */
static bool find_busiest_group(struct pass *pass, struct cpumask *cpus)
{
	struct level_stats ls = { 0 };

	collect_level(pass, &ls);
	pass->imbalance = 0;
	if (!ls.have_busiest || !unbalanced(pass, &ls))
		return false;
	set_imbalance(pass, &ls);
	cpumask_copy(cpus, &ls.busiest_cpus);
	return pass->imbalance > 0;
}

/* --- the busiest queue ------------------------------------------------------------------ */

/* How much @cpu has of what the pass moves, per capacity; 0: nothing to take. */
static u64 burden(const struct pass *pass, u32 cpu)
{
	const struct rq *rq = cpu_rq(cpu);
	u64 capacity = capacity_of(cpu);
	u32 nr = rq->cfs.h_nr_running;
	struct load load;

	if (!nr)
		return 0;
	if (pass->domain->asymmetric && nr == 1 &&
	    !capacity_greater(capacity_of(pass->dst), capacity))
		return 0;
	switch (pass->migration) {
	case MIGRATE_LOAD:
		load = cpu_load(cpu);
		if (nr == 1 && load.load > (u64)pass->imbalance &&
		    !capacity_reduced(cpu, level_imbalance_pct(pass->level)))
			return 0;
		return load.load * SCHED_CAPACITY_SCALE / capacity;
	case MIGRATE_UTIL:
		load = cpu_load(cpu);
		return nr == 1 ? 0 : 1 + max(load.util, load.runnable);
	case MIGRATE_TASK:
		return nr;
	case MIGRATE_MISFIT:
		return fair_of(rq)->misfit_load;
	}
	return 0;
}

static bool find_busiest_queue(struct pass *pass, const struct cpumask *cpus)
{
	u64 most = 0, here;
	u32 cpu;

	for_each_cpu(cpu, cpus) {
		here = burden(pass, cpu);
		if (here > most) {
			most = here;
			pass->src = cpu;
		}
	}
	return most > 0;
}

/* --- moving ---------------------------------------------------------------------------------- */

static void lock_both(u32 a, u32 b)
{
	rq_lock(cpu_rq(min(a, b)));
	rq_lock(cpu_rq(max(a, b)));
	update_rq_clock(cpu_rq(a));
	update_rq_clock(cpu_rq(b));
}

static void unlock_both(u32 a, u32 b)
{
	rq_unlock(cpu_rq(max(a, b)));
	rq_unlock(cpu_rq(min(a, b)));
}

static void move_task(const struct pass *pass, struct task_struct *p)
{
	struct rq *src = cpu_rq(pass->src), *dst = cpu_rq(pass->dst);

	deactivate_task(src, p, DEQUEUE_MIGRATING);
	set_task_cpu(p, pass->dst);
	activate_task(dst, p, ENQUEUE_MIGRATING);
	wakeup_preempt(dst, p, 0);
}

static bool cache_hot(const struct pass *pass, const struct task_struct *p)
{
	if (p->policy == SCHED_IDLE || pass->level == LEVEL_SMT)
		return false;
	return (s64)(cpu_rq(pass->src)->clock_task - p->se.exec_start) < MIGRATION_COST_NS;
}

/* @p may not run on dst: can another CPU of our group help? */
static void note_pinned(struct pass *pass, const struct task_struct *p)
{
	struct cpumask others;

	pass->some_pinned = true;
	if (pass->idle == BALANCE_NEWIDLE || pass->active || pass->other_dst >= 0)
		return;
	if (cpumask_and(&others, &pass->group, &pass->cpus) &&
	    cpumask_and(&others, &others, p->cpus_ptr))
		pass->other_dst = cpumask_first(&others);
}

/* It would only join, or leave, those that wait for runtime. */
static bool throttled_at_either(const struct pass *pass, const struct task_struct *p)
{
	return throttled_hierarchy(p->sched_task_group->cfs_rq[pass->src]) ||
	       throttled_hierarchy(p->sched_task_group->cfs_rq[pass->dst]);
}

static bool can_migrate(struct pass *pass, const struct task_struct *p)
{
	if (throttled_at_either(pass, p))
		return false;
	if (((p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1) || p->migration_disabled)
		return false;
	if (!cpumask_test_cpu(pass->dst, p->cpus_ptr)) {
		note_pinned(pass, p);
		return false;
	}
	pass->all_pinned = false;
	if (p->on_cpu)
		return false;
	return pass->active || !cache_hot(pass, p) ||
	       pass->domain->nr_failed > level_nice_tries(pass->level);
}

/* Whether moving @p takes us nearer to balance; then what is left is reduced. */
static bool within_imbalance(struct pass *pass, const struct task_struct *p)
{
	u32 relax = min(pass->domain->nr_failed, 63u);
	u64 amount;

	switch (pass->migration) {
	case MIGRATE_LOAD:
		amount = max(task_h_load(p), (u64)1);
		break;
	case MIGRATE_UTIL:
		amount = task_load(p).util;
		break;
	case MIGRATE_TASK:
		pass->imbalance--;
		return true;
	case MIGRATE_MISFIT:
	default:
		if (task_fits_cpu(p, pass->src))
			return false;
		pass->imbalance = 0;
		return true;
	}
	if ((s64)(amount >> relax) > pass->imbalance)
		return false;
	pass->imbalance -= (s64)amount;
	return true;
}

/* Both queues locked. The task that has not run for the longest time goes first. */
static u32 move_tasks(struct pass *pass)
{
	struct rq *src = cpu_rq(pass->src);
	struct list_head *tasks = &fair_of(src)->tasks;
	u32 moved = 0;

	while (!list_empty(tasks) && pass->imbalance > 0 && pass->looked < pass->look_max) {
		struct task_struct *p = list_last_entry(tasks, struct task_struct, se.group_node);

		if (pass->idle != BALANCE_BUSY && src->nr_running <= 1)
			break;
		pass->looked++;
		if (!can_migrate(pass, p) || !within_imbalance(pass, p)) {
			list_move(&p->se.group_node, tasks);
			continue;
		}
		move_task(pass, p);
		moved++;
		if (pass->idle == BALANCE_NEWIDLE)
			break; /* it has something to run: do not keep it waiting */
	}
	return moved;
}

static u32 pull(struct pass *pass)
{
	u32 moved = 0;

	pass->all_pinned = cpu_rq(pass->src)->nr_running > 1;
	pass->look_max = min(cpu_rq(pass->src)->nr_running, (u32)NR_MIGRATE);
	while (cpu_rq(pass->src)->nr_running > 1) {
		pass->looked = 0;
		pass->other_dst = -1;
		lock_both(pass->src, pass->dst);
		moved += move_tasks(pass);
		unlock_both(pass->src, pass->dst);
		if (pass->other_dst < 0 || pass->imbalance <= 0)
			break;
		/* the rest may go to a neighbour of ours */
		cpumask_clear_cpu(pass->dst, &pass->cpus);
		pass->dst = pass->other_dst;
	}
	return moved;
}

/* --- moving what runs ------------------------------------------------------------------------ */

/* On the source's stopper, which runs now instead of the task to be moved. */
static void push_current(void *arg)
{
	struct rq *src = arg;
	u32 cpu = src->cpu, dst = fair_of(src)->push_cpu;
	struct list_head *tasks = &fair_of(src)->tasks;
	struct pass pass = { .src = cpu, .dst = dst, .active = true, .idle = BALANCE_IDLE };
	u32 left;

	while (pass.level < LEVEL_MACHINE &&
	       !cpumask_test_cpu(cpu, level_span(pass.level, dst)))
		pass.level++;
	pass.domain = &kernel.rqs[dst]->fair.domain[pass.level];
	lock_both(cpu, dst);
	left = src->cfs.h_nr_running;
	while (left-- && !list_empty(tasks) && cpumask_test_cpu(dst, kernel.active)) {
		struct task_struct *p = list_last_entry(tasks, struct task_struct, se.group_node);

		if (can_migrate(&pass, p)) {
			move_task(&pass, p);
			pass.domain->nr_failed = 0;
			break;
		}
		list_move(&p->se.group_node, tasks);
	}
	fair_of(src)->active_balance = false;
	unlock_both(cpu, dst);
}

static bool need_active_balance(const struct pass *pass)
{
	u32 pct = level_imbalance_pct(pass->level);

	if (pass->migration == MIGRATE_MISFIT)
		return true;
	/* the source has little left for its only task */
	if (pass->idle != BALANCE_BUSY && cpu_rq(pass->src)->cfs.h_nr_running == 1 &&
	    capacity_reduced(pass->src, pct) &&
	    capacity_of(pass->src) * pct < capacity_of(pass->dst) * 100)
		return true;
	return pass->migration == MIGRATE_TASK &&
	       pass->domain->nr_failed > level_nice_tries(pass->level) + 2;
}

enum push { PUSH_NONE, PUSH_STARTED, PUSH_PINNED };

static enum push start_push(struct pass *pass, u32 dst)
{
	struct rq *src = cpu_rq(pass->src);
	enum push result = PUSH_NONE;

	rq_lock(src);
	if (!cpumask_test_cpu(dst, src->curr->cpus_ptr)) {
		result = PUSH_PINNED;
	} else {
		pass->all_pinned = false;
		if (!fair_of(src)->active_balance) {
			fair_of(src)->active_balance = true;
			fair_of(src)->push_cpu = dst;
			result = PUSH_STARTED;
		}
	}
	rq_unlock(src);
	if (result == PUSH_STARTED)
		stop_one_cpu_nowait(pass->src, push_current, src);
	return result;
}

/* --- the pass -------------------------------------------------------------------------------- */

/* Tells the level above that affinities keep this one from being balanced, or no longer. */
static void tell_parent(const struct pass *pass, u32 dst, bool imbalanced)
{
	for (u32 level = pass->level + 1; level < NR_LEVELS; level++) {
		group_set_imbalanced(level, dst, imbalanced);
		if (kernel.rqs[dst]->fair.domain[level].exists)
			return;
	}
}

/* Nothing to do: look again later than last time. */
static void back_off(struct pass *pass)
{
	struct fair_domain *d = pass->domain;

	if (pass->idle == BALANCE_NEWIDLE || pass->migration == MIGRATE_MISFIT)
		return;
	if ((pass->all_pinned && d->interval_ms < PINNED_INTERVAL_MAX_MS) ||
	    d->interval_ms < 2 * d->weight)
		d->interval_ms *= 2;
}

static void pass_failed(struct pass *pass, u32 dst)
{
	struct fair_domain *d = pass->domain;
	enum push push = PUSH_NONE;

	if (pass->idle != BALANCE_NEWIDLE && pass->migration != MIGRATE_MISFIT)
		d->nr_failed++;
	if (need_active_balance(pass))
		push = start_push(pass, dst);
	if (push == PUSH_PINNED)
		back_off(pass);
	else
		d->interval_ms = d->weight;
}

u32 balance_level(u32 dst, enum fair_level level, enum balance_idle idle, bool *go_on)
{
	struct pass pass = {
		.level = level, .idle = idle, .dst = dst, .other_dst = -1,
		.domain = &kernel.rqs[dst]->fair.domain[level],
	};
	struct cpumask busiest;
	u32 moved;

	cpumask_and(&pass.cpus, level_span(level, dst), kernel.active);
	group_span(&pass.group, level, dst);
	for (;;) {
		if (!should_we_balance(&pass)) {
			*go_on = false;
			break;
		}
		if (!find_busiest_group(&pass, &busiest) || !find_busiest_queue(&pass, &busiest))
			break;
		/* what was read is old by now; the locks see to what matters */
		cpu_sync();
		moved = pull(&pass);
		if (pass.some_pinned && pass.imbalance > 0)
			tell_parent(&pass, dst, true);
		if (moved) {
			pass.domain->nr_failed = 0;
			pass.domain->interval_ms = pass.domain->weight;
			return moved;
		}
		if (!pass.all_pinned) {
			pass_failed(&pass, dst);
			return 0;
		}
		/* try the next busiest queue */
		cpumask_clear_cpu(pass.src, &pass.cpus);
		if (cpumask_subset(&pass.cpus, &pass.group)) {
			pass.domain->nr_failed = 0;
			back_off(&pass);
			return 0;
		}
	}
	if (!pass.all_pinned)
		tell_parent(&pass, dst, false);
	pass.domain->nr_failed = 0;
	back_off(&pass);
	return 0;
}
