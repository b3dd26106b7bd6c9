// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scheduler core: the way of a task from wakeup to running and back.
 *
 *	try_to_wake_up() -> select_task_rq() -> activate_task() -> resched_curr()
 *	schedule() -> pick_next_task() -> context switch
 *
 * Everything class-specific is behind struct sched_class_ops; attributes of tasks
 * are in attr.c.
 *
 * Locking: as sched.h says. Functions that take a locked rq say so there.
 */
#include "sched.h"
#include "trace_events.h"

#define TASK_WAKING 0x0200
/* How often somebody looks who waits for a task to leave its old CPU or queue. */
#define ON_CPU_SPIN_NS 100

const u32 sched_prio_to_weight[NICE_WIDTH] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548,  7620,  6100,  4904,  3906,  3121,  2501,	 1991,	1586,  1277,
	1024,  820,   655,   526,   423,   335,	  272,	 215,	172,   137,
	110,   87,    70,    56,    45,	   36,	  29,	 23,	18,    15,
};

const struct sched_class_ops *const sched_classes[NR_RANKS] = {
	[RANK_STOP] = &stop_sched_class, [RANK_AGENT] = &ghost_agent_sched_class,
	[RANK_RT] = &rt_sched_class,	 [RANK_FAIR] = &fair_sched_class,
	[RANK_EXT] = &ext_sched_class,	 [RANK_GHOST] = &ghost_sched_class,
	[RANK_IDLE] = &idle_sched_class,
};

/* --- clocks and books ------------------------------------------------------ */

void book_time(struct cpu_rq *crq, enum cpu_book what)
{
	u64 now = cpu_clock();

	crq->book[crq->book_open] += now - crq->book_stamp;
	crq->book_stamp = now;
	crq->book_open = what;
}

s64 update_curr_common(struct rq *rq)
{
	struct task_struct *curr = rq->curr;
	s64 delta = (s64)(rq->clock_task - curr->se.exec_start);

	if (delta <= 0)
		return 0;
	curr->se.exec_start = rq->clock_task;
	curr->se.sum_exec_runtime += delta;
	cgroup_account(curr, delta);
	return delta;
}

/* --- locks ------------------------------------------------------------------ */

void double_rq_lock_balance(struct rq *this, struct rq *other)
{
	VRT_ASSERT(rq_locked(this));
	if (other == this)
		return;
	if (other->cpu > this->cpu) {
		rq_lock(other);
		return;
	}
	if (rq_trylock(other))
		return;
	rq_unlock(this);
	rq_lock(other);
	rq_lock(this);
}

void task_pin(struct task_struct *p)
{
	cpu_sync();
	while (task_of(p)->pinned)
		cpu_spin_until(sim_now() + ON_CPU_SPIN_NS);
	task_of(p)->pinned = true;
}

void task_unpin(struct task_struct *p)
{
	task_of(p)->pinned = false;
}

struct rq *task_rq_lock(struct task_struct *p)
{
	for (;;) {
		struct rq *rq = task_rq(p);

		rq_lock(rq);
		if (likely(rq == task_rq(p) && p->on_rq != 2))
			return rq;
		rq_unlock(rq);
		/* between two queues: whoever moves it holds no lock for a moment */
		if (p->on_rq == 2)
			cpu_spin_until(cpu_clock() + ON_CPU_SPIN_NS);
	}
}

/* --- rescheduling ------------------------------------------------------------ */

void set_need_resched(u32 cpu)
{
	struct cpu_rq *crq = kernel.rqs[cpu];

	if (crq->need_resched)
		return;
	crq->need_resched = true;
	if (&cpus[cpu] == this_cpu)
		return;
	if (crq->polling)
		cpu_poke(crq->cpu);
	else
		cpu_send_ipi(crq->cpu, IRQ_RESCHED);
}

void resched_curr(struct rq *rq)
{
	VRT_ASSERT(rq_locked(rq));
	set_need_resched(cpu_of(rq));
}

void wakeup_preempt(struct rq *rq, struct task_struct *p, u32 wake_flags)
{
	const struct sched_class_ops *curr = class_of(rq->curr), *class = class_of(p);

	if (class == curr) {
		if (class->wakeup_preempt)
			class->wakeup_preempt(rq, p, wake_flags);
	} else if (class_above(class, curr)) {
		resched_curr(rq);
	}
}

/* --- on and off a queue ------------------------------------------------------- */

void enqueue_task(struct rq *rq, struct task_struct *p, u64 flags)
{
	VRT_ASSERT(rq_locked(rq) && p->cpu == rq->cpu);
	class_of(p)->enqueue_task(rq, p, flags);
	charge_overhead(flags & ENQUEUE_WAKEUP ? TRACE_OVH_WAKEUP : TRACE_OVH_SWITCH,
			costs.enqueue);
}

bool dequeue_task(struct rq *rq, struct task_struct *p, u64 flags)
{
	VRT_ASSERT(rq_locked(rq) && p->cpu == rq->cpu);
	bool off = class_of(p)->dequeue_task(rq, p, flags);

	charge_overhead(TRACE_OVH_SWITCH, costs.dequeue);
	return off;
}

void activate_task(struct rq *rq, struct task_struct *p, u64 flags)
{
	enqueue_task(rq, p, flags);
	p->on_rq = 1;
}

void deactivate_task(struct rq *rq, struct task_struct *p, u64 flags)
{
	p->on_rq = 2; /* migrating: nobody but us may touch its queue */
	dequeue_task(rq, p, flags);
}

void set_task_cpu(struct task_struct *p, u32 cpu)
{
	struct task *t = task_of(p);
	u32 from = p->cpu;

	VRT_ASSERT(cpu < nr_cpu_ids);
	if (from == cpu)
		return;
	trace_sched_migrate_task(p, cpu);
	trace_emit(TRACE_MIGRATE, p->pid, from, cpu);
	p->se.nr_migrations++;
	t->penalty += costs.migration[cpu_distance(topo_of(from), topo_of(cpu))] << 10;
	p->cpu = cpu;
	p->wake_cpu = cpu;
}

bool is_cpu_allowed(const struct task_struct *p, s32 cpu)
{
	/* where it must stay it may, whatever its affinity has become; see migrate_enable() */
	if (p->migration_disabled && cpu == p->cpu)
		return cpumask_test_cpu((u32)cpu, kernel.active);
	if (cpu < 0 || !cpumask_test_cpu(cpu, p->cpus_ptr))
		return false;
	/* threads that belong to a CPU keep it, offline or not; not those that a user has put there */
	if ((p->flags & PF_KTHREAD) && (p->flags & PF_NO_SETAFFINITY))
		return true;
	return cpumask_test_cpu(cpu, kernel.active);
}

u32 select_fallback_rq(u32 cpu, struct task_struct *p)
{
	u32 c = cpumask_next_and_wrap(cpu, p->cpus_ptr, kernel.active);

	if (c < nr_cpu_ids)
		return c;
	/* none of its CPUs is left: Linux widens the mask rather than lose the task */
	cpumask_copy(&p->cpus_mask, kernel.possible);
	p->nr_cpus_allowed = cpumask_weight(&p->cpus_mask);
	return cpumask_first(kernel.active);
}

static u32 select_task_rq(struct task_struct *p, u32 *wake_flags)
{
	s32 cpu;

	if (p->migration_disabled) {
		cpu = p->cpu;
	} else if (p->nr_cpus_allowed > 1) {
		cpu = class_of(p)->select_task_rq(p, p->wake_cpu, *wake_flags);
		*wake_flags |= WF_RQ_SELECTED;
	} else {
		cpu = cpumask_first(p->cpus_ptr);
	}
	return is_cpu_allowed(p, cpu) ? (u32)cpu : select_fallback_rq(p->cpu, p);
}

/* --- waking up ------------------------------------------------------------------ */

static void finish_wakeup(struct rq *rq, struct task_struct *p)
{
	p->__state = TASK_RUNNING;
	trace_emit(TRACE_WAKEUP, p->pid, cpu_of(rq), curr_task()->pid);
	trace_sched_wakeup(p);
}

static void ttwu_do_activate(struct rq *rq, struct task_struct *p, u32 wake_flags)
{
	u64 flags = ENQUEUE_WAKEUP | ENQUEUE_NOCLOCK;

	if (wake_flags & WF_RQ_SELECTED)
		flags |= ENQUEUE_RQ_SELECTED;
	update_rq_clock(rq);
	activate_task(rq, p, flags);
	wakeup_preempt(rq, p, wake_flags);
	finish_wakeup(rq, p);
	if (class_of(p)->task_woken)
		class_of(p)->task_woken(rq, p);
}

/*
 * Whether the target CPU shall do the activation itself: when it shares no
 * cache with us, or has nothing else to do. For ext only if the scheduler says
 * that it does not rely on being asked in the waker's context.
 */
static bool ttwu_remote(const struct task_struct *p, u32 cpu)
{
	const struct sched_class_ops *class = class_of(p);

	if (class == &stop_sched_class || cpu == this_cpu->id)
		return false;
	if (class == &ext_sched_class && !scx_allow_queued_wakeup())
		return false;
	if (task_of(p)->ghost.skip_ttwu_queue)
		return false;
	if (topo_of(this_cpu->id)->llc != topo_of(cpu)->llc)
		return true;
	return !cpu_rq(cpu)->nr_running;
}

static void ttwu_queue(struct task_struct *p, u32 cpu, u32 wake_flags)
{
	struct cpu_rq *target = kernel.rqs[cpu];
	struct rq *rq = &target->rq;

	if (unlikely(ghost_on))
		task_of(p)->ghost.waker_cpu = (s32)this_cpu->id;
	if (ttwu_remote(p, cpu)) {
		task_of(p)->wake_flags = wake_flags;
		list_add_tail(&task_of(p)->wake_node, &target->wake_list);
		if (target->polling)
			cpu_raise(target->cpu, IRQ_CALL);
		else
			cpu_send_ipi(target->cpu, IRQ_CALL);
		return;
	}
	rq_lock(rq);
	ttwu_do_activate(rq, p, wake_flags);
	rq_unlock(rq);
}

/* The activations that others have left for this CPU. */
static void ttwu_pending(struct cpu_rq *crq)
{
	struct rq *rq = &crq->rq;
	struct list_head moved;

	INIT_LIST_HEAD(&moved);
	if (list_empty(&crq->wake_list))
		return;
	rq_lock(rq);
	while (!list_empty(&crq->wake_list)) {
		struct task *t = list_first_entry(&crq->wake_list, struct task, wake_node);

		list_del_init(&t->wake_node);
		if (likely(is_cpu_allowed(&t->ts, cpu_of(rq))))
			ttwu_do_activate(rq, &t->ts, t->wake_flags);
		else
			list_add_tail(&t->wake_node, &moved);
	}
	rq_unlock(rq);
	/* the affinity has changed, or this CPU went offline, since it was chosen */
	while (!list_empty(&moved)) {
		struct task *t = list_first_entry(&moved, struct task, wake_node);

		list_del_init(&t->wake_node);
		set_task_cpu(&t->ts, select_fallback_rq(cpu_of(rq), &t->ts));
		ttwu_queue(&t->ts, t->ts.cpu, t->wake_flags);
	}
}

static bool asleep(const struct task_struct *p)
{
	return p->__state & (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE);
}

/*
 * A task that is still on its queue needs only its state back. False: it is not,
 * or somebody else woke it while we waited for the lock.
 */
static bool ttwu_runnable(struct task_struct *p, u32 wake_flags)
{
	struct rq *rq = task_rq_lock(p);
	bool queued = asleep(p) && p->on_rq == 1;

	if (queued) {
		update_rq_clock(rq);
		if (p->se.sched_delayed)
			enqueue_task(rq, p, ENQUEUE_WAKEUP);
		if (!p->on_cpu)
			wakeup_preempt(rq, p, wake_flags);
		finish_wakeup(rq, p);
	}
	rq_unlock(rq);
	return queued;
}

/* The task pinned. */
static int wake_up_pinned(struct task_struct *p, u32 wake_flags)
{
	u32 cpu;

	if (!asleep(p))
		return 0;
	wake_flags |= WF_TTWU;
	trace_sched_waking(p);
	if (p == curr_task()) {
		/* it was about to block; it has not gone to schedule() yet */
		p->__state = TASK_RUNNING;
		trace_sched_wakeup(p);
		return 1;
	}
	if (p->on_rq && ttwu_runnable(p, wake_flags))
		return 1;
	if (!asleep(p))
		return 0;
	p->__state = TASK_WAKING;
	while (p->on_cpu)
		cpu_spin_until(sim_now() + ON_CPU_SPIN_NS);
	cpu = select_task_rq(p, &wake_flags);
	if ((u32)p->cpu != cpu) {
		wake_flags |= WF_MIGRATED;
		set_task_cpu(p, cpu);
	}
	ttwu_queue(p, cpu, wake_flags);
	return 1;
}

/* When the time it takes is paid. */
static int __try_to_wake_up(struct task *t, u32 wake_flags)
{
	int woken;

	if (!asleep(&t->ts))
		return 0;
	task_pin(&t->ts);
	woken = wake_up_pinned(&t->ts, wake_flags);
	task_unpin(&t->ts);
	return woken;
}

int try_to_wake_up(struct task *t, u32 wake_flags)
{
	charge_overhead(TRACE_OVH_WAKEUP, costs.wakeup);
	cpu_sync();
	return __try_to_wake_up(t, wake_flags);
}

static void wake_up_paid(void *arg)
{
	__try_to_wake_up(arg, 0);
}

void wake_up_by_timer(struct task *t)
{
	charge_overhead(TRACE_OVH_WAKEUP, costs.wakeup);
	cpu_pay_then(wake_up_paid, t);
}

void wake_up_new_task(struct task *t)
{
	struct task_struct *p = &t->ts;
	u32 flags = WF_FORK;
	struct rq *rq;

	task_pin(p);
	p->__state = TASK_WAKING; /* until it is on a queue */
	p->recent_used_cpu = p->cpu;
	p->cpu = p->wake_cpu = select_task_rq(p, &flags);
	rq = task_rq_lock(p);
	update_rq_clock(rq);
	activate_task(rq, p, ENQUEUE_NOCLOCK | ENQUEUE_INITIAL);
	p->__state = TASK_RUNNING;
	trace_emit(TRACE_WAKEUP_NEW, p->pid, cpu_of(rq), curr_task()->pid);
	trace_sched_wakeup_new(p);
	wakeup_preempt(rq, p, flags);
	if (class_of(p)->task_woken)
		class_of(p)->task_woken(rq, p);
	rq_unlock(rq);
	task_unpin(p);
}

/* --- picking and switching -------------------------------------------------------- */

static void balance_classes(struct rq *rq, struct task_struct *prev)
{
	u32 i = class_of(prev)->rank;

	if (scx_on) {
		rq->scx.flags |= SCX_RQ_BAL_PENDING;
		i = min(i, (u32)RANK_EXT);
	}
	for (; i < NR_RANKS; i++) {
		if (i == RANK_EXT && !scx_on)
			continue;
		if (sched_classes[i]->balance && sched_classes[i]->balance(rq, prev))
			return;
	}
}

/*
 * The highest class that may have something to run, from the counts alone: a look
 * at each class costs a cache line or two. A fair task that sleeps, but whose
 * dequeue is delayed, needs a pick of its class to go.
 */
static u32 first_rank(const struct rq *rq)
{
	if (unlikely(ghost_on))
		return RANK_STOP;
	if (rq->nr_running == rq->scx.nr_running && !(kernel.nr_delayed && rq->cfs.nr_running))
		return RANK_EXT;
	return rq->nr_running == rq->cfs.h_nr_running ? RANK_FAIR : RANK_STOP;
}

static struct task_struct *pick_next_task(struct rq *rq, struct task_struct *prev)
{
	balance_classes(rq, prev);
	for (u32 i = first_rank(rq); i < NR_RANKS; i++) {
		const struct sched_class_ops *class = sched_classes[i];
		struct task_struct *p;

		if (i == RANK_EXT && !scx_on)
			continue;
		p = class->pick_task(rq);
		if (!p)
			continue;
		if (p != prev) {
			class_of(prev)->put_prev_task(rq, prev, p);
			class->set_next_task(rq, p, true);
		}
		return p;
	}
	vrt_bug(__FILE__, __LINE__, "CPU %u has no idle task to pick", cpu_of(rq));
}

/* SMT siblings compute at another speed when this CPU goes or stops being idle. */
static void poke_siblings(struct cpu_rq *crq)
{
	u32 others = crq->core->nr_busy - !is_idle_task(crq->rq.curr);

	for (u32 cpu = crq->core->first; others; cpu = kernel.rqs[cpu]->next_thread) {
		if (cpu == cpu_of(&crq->rq) || is_idle_task(cpu_rq(cpu)->curr))
			continue;
		cpu_poke(kernel.rqs[cpu]->cpu);
		others--;
	}
}

static enum trace_prev_state prev_trace_state(struct task_struct *prev)
{
	struct task *t = task_of(prev);

	if (is_idle_task(prev))
		return TRACE_PREV_IDLE;
	if (prev->__state == TASK_DEAD)
		return TRACE_PREV_EXITED;
	if (prev->on_rq != 1 || prev->se.sched_delayed)
		return TRACE_PREV_SLEEPING;
	return t->yielded ? TRACE_PREV_YIELDED : TRACE_PREV_PREEMPTED;
}

/* @prev_state: as it was when schedule() began. */
static void context_switch(struct rq *rq, struct task_struct *prev, struct task_struct *next,
			   bool preempt, u32 prev_state)
{
	enum trace_prev_state state = prev_trace_state(prev);

	if (unlikely(ghost_on))
		ghost_prepare_switch(rq, prev, next);
	if (state == TRACE_PREV_PREEMPTED)
		prev->nivcsw++;
	else
		prev->nvcsw++;
	rq->nr_switches++;
	rq->curr = next;
	kernel.currs[cpu_of(rq)] = next;
	crq_of(rq)->core->nr_busy += is_idle_task(prev) - is_idle_task(next);
	next->on_cpu = 1;
	charge_overhead(TRACE_OVH_SWITCH, costs.context_switch);
	trace_sched_switch(preempt, prev, next, prev_state);
	trace_emit(TRACE_SWITCH, prev->pid, next->pid, state);
	if (is_idle_task(prev) != is_idle_task(next))
		poke_siblings(crq_of(rq));
	/* from here on another CPU may run prev */
	prev->on_cpu = 0;
}

/*
 * When the time of the pick is paid. @state: what prev's becomes once its queue is
 * locked; TASK_RUNNING: as it is.
 */
static void __schedule(struct cpu_rq *crq, bool preempt, u32 state)
{
	struct rq *rq = &crq->rq;
	struct task_struct *prev = rq->curr, *next;
	u64 dequeue_cost = 0;
	u32 prev_state;
	bool dead;

	rq_lock(rq);
	update_rq_clock(rq);
	if (state != TASK_RUNNING)
		prev->__state = state;
	prev_state = prev->__state;
	if (!preempt && prev_state != TASK_RUNNING) {
		if (class_of(prev)->dequeue_task(rq, prev, DEQUEUE_SLEEP | DEQUEUE_NOCLOCK))
			prev->on_rq = 0;
		dequeue_cost = costs.dequeue;
	}
	next = unlikely(ghost_on) ? ghost_switchto(rq, prev) : NULL;
	if (likely(!next)) {
		if (unlikely(ghost_on))
			ghost_pick_prologue(rq, prev);
		next = pick_next_task(rq, prev);
		crq->need_resched = crq->resched_next;
		crq->resched_next = false;
	}
	charge_overhead(TRACE_OVH_SWITCH, dequeue_cost);
	/* once switched away from, prev may run, and die, on another CPU */
	dead = next != prev && prev->__state == TASK_DEAD;
	if (next != prev)
		context_switch(rq, prev, next, preempt, prev_state);
	if (!tick_running(crq) && !is_idle_task(next) && !scx_can_stop_tick(rq))
		tick_start(crq);
	task_of(prev)->yielded = false;
	scx_run_deferred(rq);
	if (crq->balance_callback) {
		void (*callback)(struct rq *) = crq->balance_callback;

		crq->balance_callback = NULL;
		callback(rq);
	}
	rq_unlock(rq);
	if (dead)
		task_finish_dead(task_of(prev));
}

/* @state: as __schedule()'s. */
static inline void give_up_cpu(struct cpu_rq *crq, u32 state)
{
	struct task_struct *prev = crq->rq.curr;
	bool dead = prev->__state == TASK_DEAD;

	__schedule(crq, false, state);
	VRT_ASSERT(!dead || crq->rq.curr != prev);
	if (this_cpu->pending)
		cpu_interrupted();
}

static void schedule_paid(void *crq)
{
	give_up_cpu(crq, TASK_RUNNING);
}

static void sleep_paid(void *crq)
{
	give_up_cpu(crq, TASK_INTERRUPTIBLE);
}

void schedule(void)
{
	charge_overhead(TRACE_OVH_SWITCH, costs.pick);
	cpu_pay_then(schedule_paid, kernel.rqs[this_cpu->id]);
}

void schedule_to_sleep(void)
{
	charge_overhead(TRACE_OVH_SWITCH, costs.pick);
	cpu_pay_then(sleep_paid, kernel.rqs[this_cpu->id]);
}

void do_yield(void)
{
	struct rq *rq = this_rq();

	task_of(rq->curr)->yielded = true;
	rq_lock(rq);
	update_rq_clock(rq);
	class_of(rq->curr)->yield_task(rq);
	rq_unlock(rq);
	schedule();
}

/* --- the tick ------------------------------------------------------------------------ */

static void tick(void *arg)
{
	struct cpu_rq *crq = arg;
	struct rq *rq = &crq->rq;

	rq_lock(rq);
	update_rq_clock(rq);
	if (class_of(rq->curr)->task_tick)
		class_of(rq->curr)->task_tick(rq, rq->curr);
	scx_tick(rq);
	rq_unlock(rq);
	if (!scx_switched_all())
		fair_periodic_balance(rq);
	trace_flush_overhead(crq);
	if (scx_can_stop_tick(rq))
		tick_stop(crq);
	else if (tick_running(crq))
		tick_start(crq);
}

static void tick_handler(struct hrtimer *timer)
{
	struct cpu_rq *crq = container_of(timer, struct cpu_rq, tick);

	if (!tick_running(crq))
		return;
	charge_overhead(TRACE_OVH_TICK, costs.tick);
	cpu_pay_then(tick, crq);
}

void tick_start(struct cpu_rq *crq)
{
	u64 now = cpu_clock(), period = kernel.tick_ns;
	u64 next = crq->tick_due + period;

	/* mostly it is the next after the last; else the next in the same phase */
	if (next <= now || next > now + period)
		next = now - (now - crq->tick_phase) % period + period;
	if (!crq->tick.fn)
		hrtimer_init(&crq->tick, tick_handler);
	crq->tick_due = next;
	hrtimer_start(&crq->tick, next);
}

void tick_stop(struct cpu_rq *crq)
{
	crq->tick_due = SIM_NEVER;
	hrtimer_cancel(&crq->tick);
	trace_flush_overhead(crq);
}

/* --- the CPU loop's plugs -------------------------------------------------------------- */

void cpu_interrupt(enum cpu_irq irq)
{
	struct cpu_rq *crq = kernel.rqs[this_cpu->id];

	switch (irq) {
	case IRQ_RESCHED: /* need_resched is set already */
		return;
	case IRQ_CALL:
		ttwu_pending(crq);
		fair_unthrottle_pending(&crq->rq);
		return;
	case IRQ_WORK:
		while (!list_empty(&crq->work)) {
			struct irq_work *work = list_first_entry(&crq->work, struct irq_work, node);

			list_del_init(&work->node);
			work->fn(work);
		}
		return;
	case IRQ_TIMER:
	case NR_IRQS:
		break;
	}
	vrt_bug(__FILE__, __LINE__, "interrupt %d is not the scheduler's", irq);
}

void irq_work_init(struct irq_work *work, void (*fn)(struct irq_work *work))
{
	INIT_LIST_HEAD(&work->node);
	work->fn = fn;
}

void irq_work_queue(struct irq_work *work)
{
	if (!list_empty(&work->node))
		return;
	list_add_tail(&work->node, &kernel.rqs[this_cpu->id]->work);
	cpu_raise(this_cpu, IRQ_WORK);
}

static void reschedule_paid(void *arg)
{
	struct cpu_rq *crq = arg;

	__schedule(crq, !is_idle_task(crq->rq.curr), TASK_RUNNING);
}

void cpu_reschedule(void)
{
	struct cpu_rq *crq = kernel.rqs[this_cpu->id];

	if (crq->irq_stamp) {
		crq->irq_time += cpu_clock() - crq->irq_stamp;
		crq->irq_stamp = 0;
	}
	crq->last_quiescent = cpu_clock();
	if (!crq->need_resched)
		return;
	charge_overhead(TRACE_OVH_SWITCH, costs.pick);
	cpu_pay_then(reschedule_paid, crq);
}

static void look_around(void *unused)
{
}

/* Runs the current task, or idles, until something wants the CPU's attention. */
void cpu_run(void)
{
	struct cpu_rq *crq = kernel.rqs[this_cpu->id];

	if (unlikely(!task_may_act(crq->rq.curr)))
		cpu_wait_then(SIM_NEVER, look_around, NULL);
	else if (is_idle_task(crq->rq.curr))
		idle_loop(crq);
	else
		task_execute(task_of(crq->rq.curr));
}

void cpu_interrupted(void)
{
	kernel.rqs[this_cpu->id]->irq_stamp = cpu_clock();
}
