// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rt class: SCHED_FIFO and SCHED_RR, 99 priorities, one queue per CPU and
 * priority. The running task stays on its list.
 *
 * A task wakes where it ran before, unless an rt task runs there that it cannot
 * or should not preempt: then on the CPU that runs the least important. A task
 * that has to wait is pushed to a CPU where it can run; a CPU whose priority
 * drops pulls from those that have rt tasks waiting (machine.overloaded).
 *
 * The fair server
 * ---------------
 * rt tasks cannot starve fair ones: as Linux 6.12's deferred dl_server, with
 * 50 ms per second. When fair tasks are runnable and rt runs, a period of one
 * second begins. If fair has not had its 50 ms when only so much is left of the
 * period, it goes before rt until it has. We keep this in the rt class, which
 * then has nothing to pick; what deadline tasks would add is not modelled, nor
 * are RT groups and their throttling. Once boosted, Linux's server goes on at
 * the beginning of the next period; here the next one is deferred again, which
 * also gives 50 ms in every second.
 *
 * Locking: the rq lock. machine.overloaded is a hint that needs none.
 */
#include "sched.h"
#include "fair/fair.h"

#define RR_SLICE_MS 100
#define SERVER_PERIOD_NS NSEC_PER_SEC
#define SERVER_RUNTIME_NS (50 * NSEC_PER_MSEC)
#define PUSH_TRIES 3
#define NO_PRIO MAX_PRIO

static struct {
	struct cpumask overloaded; /* CPUs where an rt task waits */
	u32 nr_overloaded;
} machine;

static inline struct rt_state *state_of(const struct rq *rq)
{
	return &crq_of(rq)->rt_state;
}

static inline bool is_rt(const struct task_struct *p)
{
	return class_of(p) == &rt_sched_class;
}

/* --- the queue ------------------------------------------------------------------ */

static void set_bit(struct rt_state *state, u32 prio)
{
	state->queued[prio / 64] |= 1ULL << (prio % 64);
}

static void clear_bit(struct rt_state *state, u32 prio)
{
	state->queued[prio / 64] &= ~(1ULL << (prio % 64));
}

/* The first priority from @from on (0 is the highest) with a task, or MAX_RT_PRIO. */
static u32 next_prio(const struct rq *rq, u32 from)
{
	const struct rt_state *state = state_of(rq);

	for (; from < MAX_RT_PRIO; from = (from / 64 + 1) * 64) {
		u64 bits = state->queued[from / 64] >> (from % 64);

		if (bits)
			return from + __builtin_ctzll(bits);
	}
	return MAX_RT_PRIO;
}

static void update_overloaded(struct rq *rq)
{
	bool overloaded = rq->rt.rt_nr_running > 1;

	if (overloaded == cpumask_test_cpu(rq->cpu, &machine.overloaded))
		return;
	if (overloaded)
		cpumask_set_cpu(rq->cpu, &machine.overloaded);
	else
		cpumask_clear_cpu(rq->cpu, &machine.overloaded);
	machine.nr_overloaded += overloaded ? 1 : -1;
}

static void queue_add(struct rq *rq, struct task_struct *p, bool head)
{
	struct list_head *list = &rq->rt.queue[p->prio];

	if (head)
		list_add(&p->rt.run_list, list);
	else
		list_add_tail(&p->rt.run_list, list);
	task_of(p)->rt.queue = p->prio;
	set_bit(state_of(rq), p->prio);
	p->rt.on_rq = 1;
}

static void queue_del(struct rq *rq, struct task_struct *p)
{
	u32 prio = task_of(p)->rt.queue;

	list_del_init(&p->rt.run_list);
	if (list_empty(&rq->rt.queue[prio]))
		clear_bit(state_of(rq), prio);
	p->rt.on_rq = 0;
}

static void update_curr_rt(struct rq *rq)
{
	if (is_rt(rq->curr))
		update_curr_common(rq);
}

static void enqueue_task_rt(struct rq *rq, struct task_struct *p, u64 flags)
{
	if (!p->rt.time_slice)
		p->rt.time_slice = max(RR_SLICE_MS * kernel.hz / 1000, 1u);
	queue_add(rq, p, flags & ENQUEUE_HEAD);
	rq->rt.rt_nr_running++;
	rq->nr_running++;
	update_overloaded(rq);
}

static bool dequeue_task_rt(struct rq *rq, struct task_struct *p, u64 flags)
{
	update_curr_rt(rq);
	queue_del(rq, p);
	rq->rt.rt_nr_running--;
	rq->nr_running--;
	update_overloaded(rq);
	return true;
}

static void requeue_tail(struct rq *rq, struct task_struct *p)
{
	list_move_tail(&p->rt.run_list, &rq->rt.queue[task_of(p)->rt.queue]);
}

static void yield_task_rt(struct rq *rq)
{
	requeue_tail(rq, rq->curr);
}

/* --- finding another CPU ------------------------------------------------------------ */

/* How important is what @cpu is busy with? The smaller the more. */
static s32 cpu_prio(u32 cpu)
{
	const struct rq *rq = cpu_rq(cpu);
	s32 queued = next_prio(rq, 0);

	if (class_of(rq->curr) == &stop_sched_class)
		return -1;
	if (queued < MAX_RT_PRIO)
		return queued;
	return is_idle_task(rq->curr) && !rq->nr_running ? NO_PRIO : MAX_RT_PRIO;
}

/*
 * The CPU with the least important work where @p may run and would run; of
 * equals the one that is nearest to its own. -1: none. The scan is Linux's
 * cpupri: one mask per priority, so it costs by the mask.
 */
static s32 find_lowest_cpu(const struct task_struct *p)
{
	const struct cpu_topology *home = topo_of(p->cpu);
	enum cpu_distance distance, best_distance = NR_DISTANCES;
	s32 prio, best_prio = p->prio, best = -1;
	u32 cpu;

	charge_overhead(TRACE_OVH_WAKEUP, costs.pick_idle_word * NR_MASK_WORDS);
	for_each_cpu(cpu, p->cpus_ptr) {
		if (!cpumask_test_cpu(cpu, kernel.active))
			continue;
		prio = cpu_prio(cpu);
		distance = cpu_distance(home, topo_of(cpu));
		if (prio < best_prio || (prio == best_prio && distance >= best_distance))
			continue;
		if (prio == p->prio)
			continue;
		best = cpu;
		best_prio = prio;
		best_distance = distance;
	}
	return best;
}

static s32 select_task_rq_rt(struct task_struct *p, s32 prev_cpu, u32 wake_flags)
{
	const struct task_struct *curr = cpu_rq(prev_cpu)->curr;
	s32 cpu;

	if (!(wake_flags & (WF_TTWU | WF_FORK)))
		return prev_cpu;
	if (!is_rt(curr) || (curr->nr_cpus_allowed > 1 && curr->prio > p->prio))
		return prev_cpu;
	cpu = find_lowest_cpu(p);
	return cpu < 0 ? prev_cpu : cpu;
}

/* --- push and pull ---------------------------------------------------------------------- */

/* The most important task that waits on @rq and may run elsewhere (on @cpu if >= 0). */
static struct task_struct *pushable(struct rq *rq, s32 cpu)
{
	for (u32 prio = next_prio(rq, 0); prio < MAX_RT_PRIO; prio = next_prio(rq, prio + 1)) {
		struct task_struct *p;

		list_for_each_entry(p, &rq->rt.queue[prio], rt.run_list) {
			if (p->on_cpu || task_current(rq, p) || p->nr_cpus_allowed < 2 ||
			    p->migration_disabled)
				continue;
			if (cpu < 0 || cpumask_test_cpu(cpu, p->cpus_ptr))
				return p;
		}
	}
	return NULL;
}

static void move_task(struct rq *from, struct rq *to, struct task_struct *p)
{
	update_rq_clock(to);
	deactivate_task(from, p, DEQUEUE_MIGRATING);
	set_task_cpu(p, to->cpu);
	activate_task(to, p, ENQUEUE_MIGRATING);
	resched_curr(to);
}

/* Sends a waiting task where it can run. May drop the lock for a moment. */
static bool push_task(struct rq *rq)
{
	struct task_struct *p;
	struct rq *to;
	bool moved = false;

	for (u32 tries = 0; tries < PUSH_TRIES && !moved; tries++) {
		s32 cpu;

		p = pushable(rq, -1);
		cpu = p ? find_lowest_cpu(p) : -1;
		if (cpu < 0 || cpu == rq->cpu)
			return false;
		to = cpu_rq(cpu);
		double_rq_lock_balance(rq, to);
		update_rq_clock(rq);
		/* the lock was dropped: is it all still so? */
		p = pushable(rq, cpu);
		if (p && cpu_prio(cpu) > p->prio) {
			move_task(rq, to, p);
			moved = true;
		}
		rq_unlock(to);
	}
	return moved;
}

static void push_tasks(struct rq *rq)
{
	while (rq->rt.rt_nr_running > 1 && push_task(rq))
		;
}

/* From one overloaded CPU: what is more important than all that is here. */
static void pull_from(struct rq *rq, struct rq *from)
{
	struct task_struct *p;

	double_rq_lock_balance(rq, from);
	p = pushable(from, rq->cpu);
	/* what is about to preempt there stays there */
	if (p && p->prio < (s32)next_prio(rq, 0) && p->prio >= from->curr->prio) {
		update_rq_clock(from);
		move_task(from, rq, p);
	}
	rq_unlock(from);
}

static void pull_tasks(struct rq *rq)
{
	u32 cpu;

	charge_overhead(TRACE_OVH_BALANCE, costs.pick_idle_word * NR_MASK_WORDS);
	for_each_cpu(cpu, &machine.overloaded) {
		if (cpu != (u32)rq->cpu)
			pull_from(rq, cpu_rq(cpu));
	}
}

static bool balance_rt(struct rq *rq, struct task_struct *prev)
{
	/* prev leaves, and with it this CPU's priority drops */
	if (is_rt(prev) && !prev->rt.on_rq && machine.nr_overloaded &&
	    cpumask_test_cpu(rq->cpu, kernel.active) && (s32)next_prio(rq, 0) > prev->prio) {
		pull_tasks(rq);
		update_rq_clock(rq);
	}
	return rq->rt.rt_nr_running || (rq->stop && rq->stop->on_rq == 1);
}

static void task_woken_rt(struct rq *rq, struct task_struct *p)
{
	const struct task_struct *curr = rq->curr;

	if (p->on_cpu || crq_of(rq)->need_resched || p->nr_cpus_allowed < 2)
		return;
	if (is_rt(curr) && (curr->nr_cpus_allowed < 2 || curr->prio <= p->prio))
		push_tasks(rq);
}

/* --- the fair server ------------------------------------------------------------------------ */

static void server_stop(struct fair_server *server)
{
	server->active = server->boosted = false;
	hrtimer_cancel(&server->timer);
}

void fair_server_start(struct rq *rq)
{
	struct fair_server *server = &state_of(rq)->server;

	if (server->active || !fair_nr_runnable(rq))
		return;
	server->active = true;
	server->left = SERVER_RUNTIME_NS;
	hrtimer_start(&server->timer, cpu_clock() + SERVER_PERIOD_NS - SERVER_RUNTIME_NS);
}

void fair_server_consume(struct rq *rq, s64 delta)
{
	struct fair_server *server = &state_of(rq)->server;

	if (!server->active)
		return;
	server->left -= delta;
	if (server->left > 0)
		return;
	if (server->boosted)
		resched_curr(rq);
	server_stop(server);
}

/* On any CPU: only so much of the period is left as fair has coming. */
static void server_timer(struct hrtimer *timer)
{
	struct rt_state *state = container_of(timer, struct rt_state, server.timer);
	struct cpu_rq *crq = container_of(state, struct cpu_rq, rt_state);
	struct rq *rq = &crq->rq;

	rq_lock(rq);
	if (state->server.active) {
		if (is_rt(rq->curr) && fair_nr_runnable(rq)) {
			state->server.boosted = true;
			resched_curr(rq);
		} else {
			server_stop(&state->server);
		}
	}
	rq_unlock(rq);
}

/* --- the class ----------------------------------------------------------------------------- */

static struct task_struct *pick_task_rt(struct rq *rq)
{
	struct fair_server *server = &state_of(rq)->server;
	u32 prio = next_prio(rq, 0);

	if (prio == MAX_RT_PRIO)
		return NULL;
	if (server->boosted) {
		if (fair_nr_runnable(rq))
			return NULL;
		server_stop(server);
	}
	return list_first_entry(&rq->rt.queue[prio], struct task_struct, rt.run_list);
}

static void set_next_task_rt(struct rq *rq, struct task_struct *p, bool first)
{
	p->se.exec_start = rq->clock_task;
	pelt_update_rt(rq);
	state_of(rq)->running = true;
	fair_server_start(rq);
	if (first && rq->rt.rt_nr_running > 1)
		crq_of(rq)->balance_callback = push_tasks;
}

static void put_prev_task_rt(struct rq *rq, struct task_struct *p, struct task_struct *next)
{
	update_curr_rt(rq);
	pelt_update_rt(rq);
	state_of(rq)->running = false;
}

static void wakeup_preempt_rt(struct rq *rq, struct task_struct *p, u32 wake_flags)
{
	const struct task_struct *curr = rq->curr;

	if (p->prio < curr->prio) {
		resched_curr(rq);
		return;
	}
	/* equal, but it cannot go elsewhere and the running one can: let it in, push the other */
	if (p->prio == curr->prio && !crq_of(rq)->need_resched && p->nr_cpus_allowed < 2 &&
	    curr->nr_cpus_allowed > 1 && find_lowest_cpu(curr) >= 0) {
		list_move(&p->rt.run_list, &rq->rt.queue[task_of(p)->rt.queue]);
		resched_curr(rq);
	}
}

static void task_tick_rt(struct rq *rq, struct task_struct *p)
{
	const struct list_head *list = &rq->rt.queue[task_of(p)->rt.queue];

	update_curr_rt(rq);
	pelt_update_rt(rq);
	if (p->policy != SCHED_RR || --p->rt.time_slice)
		return;
	p->rt.time_slice = max(RR_SLICE_MS * kernel.hz / 1000, 1u);
	if (list->next != list->prev) {
		requeue_tail(rq, p);
		resched_curr(rq);
	}
}

static void reweight_task_rt(struct rq *rq, struct task_struct *p, u32 weight)
{
}

static void rq_offline_rt(struct rq *rq)
{
	server_stop(&state_of(rq)->server);
}

const struct sched_class_ops rt_sched_class = {
	.rank = RANK_RT,
	.name = "rt_sched_class",
	.trace = TRACE_CLASS_RT,
	.enqueue_task = enqueue_task_rt,
	.dequeue_task = dequeue_task_rt,
	.yield_task = yield_task_rt,
	.wakeup_preempt = wakeup_preempt_rt,
	.balance = balance_rt,
	.pick_task = pick_task_rt,
	.put_prev_task = put_prev_task_rt,
	.set_next_task = set_next_task_rt,
	.select_task_rq = select_task_rq_rt,
	.task_woken = task_woken_rt,
	.rq_offline = rq_offline_rt,
	.task_tick = task_tick_rt,
	.reweight_task = reweight_task_rt,
	.update_curr = update_curr_rt,
};

void init_rt_rq(struct rq *rq)
{
	if (!rq->cpu)
		memset(&machine, 0, sizeof(machine));
	for (u32 prio = 0; prio < MAX_RT_PRIO; prio++)
		INIT_LIST_HEAD(&rq->rt.queue[prio]);
	hrtimer_init(&state_of(rq)->server.timer, server_timer);
}
