// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPUs: their loop, waiting, interrupts and timers.
 *
 * A CPU that is not running is resumed by its one resume event. It is queued
 * exactly when it is known when that will be; everything that ends a wait moves
 * the event to an earlier time, never to a later one. A CPU that gives up
 * control continues the next CPU directly when that is what the queue asks
 * for, and otherwise the event loop.
 */
#include <stdlib.h>

#include "../base/alloc.h"
#include "fiber.h"
#include "internal.h"

struct cpu *cpus;
struct cpu *this_cpu;
struct cost_table costs;

static u32 nr_cpus;
static const struct cpu_ops *ops;
static struct fiber *event_loop; /* on whose stack sim_run() is */

static inline u64 caller_clock(void)
{
	return this_cpu ? cpu_clock() : sim_clock.now;
}

/* --- events ------------------------------------------------------------- */

static void resume_fire(struct event *ev)
{
	this_cpu = container_of(ev, struct cpu, resume);
	event_loop = fiber_current();
	fiber_switch(this_cpu->fiber);
}

/*
 * Lets a CPU that waits resume at @time, unless it will earlier anyway; not before
 * it has done what it had to do when it began to wait.
 */
static void wake_at(struct cpu *cpu, u64 time)
{
	time = max(time, cpu->busy_until);
	if (!event_queued(&cpu->resume) || cpu->resume.time > time)
		event_add(&cpu->resume, time);
}

static inline void wake(struct cpu *cpu)
{
	wake_at(cpu, caller_clock());
}

/* The interrupt of @ev, whose time has come, is pending on the CPU that is returned. */
static struct cpu *expire(struct event *ev)
{
	struct hrtimer *timer = container_of(ev, struct hrtimer, event);

	list_add_tail(&timer->node, &timer->cpu->expired);
	timer->cpu->pending |= 1U << IRQ_TIMER;
	return timer->cpu;
}

static struct cpu *arrive(struct event *ev)
{
	struct cpu *cpu = &cpus[((char *)ev - (char *)cpus) / sizeof(*cpus)];

	cpu->pending |= 1U << (ev - cpu->ipi);
	return cpu;
}

static void hrtimer_fire(struct event *ev)
{
	struct cpu *cpu = expire(ev);

	if (cpu->waiting)
		wake(cpu);
}

static void ipi_fire(struct event *ev)
{
	struct cpu *cpu = arrive(ev);

	if (cpu->waiting)
		wake(cpu);
}

/* --- giving up control -------------------------------------------------- */

/*
 * The CPU that the earliest event lets go on, which has happened then; NULL: the
 * loop must have a look. An interrupt that a waiting CPU takes at once does not go
 * by its resume event.
 */
static struct cpu *next_cpu(void)
{
	const struct event *ev;

	while ((ev = event_first())) {
		struct cpu *cpu;

		if (ev->fire == resume_fire)
			return container_of(event_take_first(), struct cpu, resume);
		if (ev->fire == hrtimer_fire)
			cpu = expire(event_take_first());
		else if (ev->fire == ipi_fire)
			cpu = arrive(event_take_first());
		else
			return NULL;
		if (cpu->waiting && cpu->busy_until <= sim_clock.now) {
			event_del(&cpu->resume);
			return cpu;
		}
		if (cpu->waiting)
			wake_at(cpu, sim_clock.now);
	}
	return NULL;
}

/*
 * A large machine is larger than the host's caches, and each CPU's turn is about
 * another part of it. So what a turn will touch is fetched from memory some turns
 * ahead. Of a small machine all is there anyway.
 */
#define LARGE_MACHINE 128
#define AHEAD_NS 131072 /* for one CPU: with more of them, there are more turns in a time */
#define AHEAD_STACK 768 /* from the last frame on */

static const char **stacks; /* where those of the CPUs end, closer together than there */

static void fetch_for(const struct event *ev)
{
	const struct hrtimer *timer = NULL;
	u32 id;

	if (ev->fire == resume_fire) {
		id = (u32)(container_of(ev, struct cpu, resume) - cpus);
	} else if (ev->fire == hrtimer_fire) {
		timer = container_of(ev, struct hrtimer, event);
		id = (u32)(timer->cpu - cpus);
	} else {
		return;
	}
	__builtin_prefetch(&cpus[id]);
	__builtin_prefetch(&cpus[id].expired);
	for (u32 i = 0; i < AHEAD_STACK; i += 64)
		__builtin_prefetch(stacks[id] + i);
	if (ops->coming)
		ops->coming(id, timer);
}

void cpu_block(void)
{
	struct cpu *cpu = this_cpu;

	VRT_ASSERT(cpu && fiber_current() != event_loop);
	cpu->fiber = fiber_current();
	this_cpu = next_cpu();
	if (nr_cpus >= LARGE_MACHINE) {
		stacks[cpu->id] = __builtin_frame_address(0);
		event_scout(AHEAD_NS / nr_cpus, fetch_for);
	}
	if (this_cpu != cpu)
		fiber_switch(this_cpu ? this_cpu->fiber : event_loop);
	cpu->debt = 0;
}

void __cpu_sync(void)
{
	event_add(&this_cpu->resume, cpu_clock());
	cpu_block();
}

/* Global now is @until already, or nothing can happen before: no need to give up control. */
static inline bool reached(u64 until)
{
	if (until > sim_clock.now) {
		if (until >= sim_clock.next)
			return false;
		sim_clock.now = until;
	}
	this_cpu->debt = 0;
	return true;
}

/* The debt is the first part of the wait, which nothing can cut short. */
static void block_until(struct cpu *cpu, u64 until)
{
	cpu->busy_until = cpu_clock();
	if (until != SIM_NEVER)
		event_add(&cpu->resume, max(until, cpu->busy_until));
	cpu_block();
}

void cpu_wait(u64 until)
{
	struct cpu *cpu = this_cpu;

	if (!cpu->pending && !cpu->poked && !reached(max(until, cpu_clock()))) {
		cpu->waiting = true;
		block_until(cpu, until);
		cpu->waiting = false;
	}
	cpu->poked = false;
}

void cpu_spin_until(u64 until)
{
	struct cpu *cpu = this_cpu;

	cpu_sync();
	if (reached(until))
		return;
	cpu->spinning = true;
	block_until(cpu, until);
	cpu->spinning = false;
}

void cpu_raise(struct cpu *cpu, enum cpu_irq irq)
{
	cpu->pending |= 1U << irq;
	if (cpu->waiting)
		wake(cpu);
}

void cpu_poke(struct cpu *cpu)
{
	cpu->poked = true;
	if (cpu->waiting)
		wake(cpu);
}

void cpu_spin_wake(struct cpu *cpu)
{
	if (cpu->spinning)
		wake(cpu);
}

/* --- interrupts --------------------------------------------------------- */

void cpu_send_ipi(struct cpu *target, enum cpu_irq irq)
{
	struct event *ev = &target->ipi[irq];
	u64 time;

	if (target == this_cpu) {
		target->pending |= 1U << irq;
		return;
	}
	cpu_sync();
	cpu_charge(costs.ipi_send);
	time = cpu_clock() + costs.ipi_latency;
	if (target->pending & (1U << irq) || (event_queued(ev) && ev->time <= time))
		return;
	event_add(ev, time);
}

/* The earliest of @list, off it; NULL when there is none. */
static struct hrtimer *take_timer(struct list_head *list)
{
	struct hrtimer *timer = list_first_entry_or_null(list, struct hrtimer, node);

	if (timer)
		list_del_init(&timer->node);
	return timer;
}

static void run_timers(struct cpu *cpu)
{
	struct hrtimer *timer;

	/* Those that expire while handlers run are another interrupt. */
	list_add(&cpu->handling, &cpu->expired);
	list_del_init(&cpu->expired);
	while ((timer = take_timer(&cpu->handling)))
		timer->fn(timer);
}

/* Takes all pending interrupts: one entry into the kernel for the batch. */
static void take_interrupts(struct cpu *cpu)
{
	u32 batch = cpu->pending;

	cpu->pending = 0;
	cpu_charge(costs.interrupt);
	for (; batch; batch &= batch - 1) {
		enum cpu_irq irq = __builtin_ctz(batch);

		if (irq == IRQ_TIMER)
			run_timers(cpu);
		else
			ops->interrupt(irq);
	}
}

/* --- hrtimers ----------------------------------------------------------- */

void hrtimer_init(struct hrtimer *timer, void (*fn)(struct hrtimer *timer))
{
	*timer = (struct hrtimer){ .event.fire = hrtimer_fire, .fn = fn };
	INIT_LIST_HEAD(&timer->node);
}

void hrtimer_start_on(struct hrtimer *timer, struct cpu *cpu, u64 when)
{
	list_del_init(&timer->node);
	timer->cpu = cpu;
	event_add(&timer->event, max(when, sim_clock.now));
}

void hrtimer_start(struct hrtimer *timer, u64 when)
{
	hrtimer_start_on(timer, this_cpu, when);
}

bool hrtimer_cancel(struct hrtimer *timer)
{
	bool was = hrtimer_active(timer);

	event_del(&timer->event);
	list_del_init(&timer->node);
	return was;
}

/* --- life --------------------------------------------------------------- */

static void cpu_loop(void *arg)
{
	struct cpu *cpu = arg;

	ops->boot();
	for (;;) {
		while (cpu->pending)
			take_interrupts(cpu);
		ops->reschedule();
		if (!cpu->pending)
			ops->run();
	}
}

static void cpu_init(struct cpu *cpu, u32 id, const struct cpu_topology *topo)
{
	cpu->id = id;
	cpu->topo = topo;
	INIT_LIST_HEAD(&cpu->expired);
	INIT_LIST_HEAD(&cpu->handling);
	cpu->resume.fire = resume_fire;
	for (u32 i = 0; i < NR_IRQS; i++)
		cpu->ipi[i].fire = ipi_fire;
	cpu->loop = fiber_new(cpu_loop, cpu);
	if (!cpu->loop)
		vrt_bug(__FILE__, __LINE__, "the host has no room for the stack of CPU %u", id);
	cpu->fiber = cpu->loop;
	event_add(&cpu->resume, sim_clock.now);
}

void cpus_init(const struct topology *topo, const struct cost_table *table,
	       const struct cpu_ops *cpu_ops)
{
	VRT_ASSERT(!cpus && topo->nr_cpus >= 1 && topo->nr_cpus <= VRT_NR_CPUS);
	costs = *table;
	ops = cpu_ops;
	nr_cpus = nr_cpu_ids = topo->nr_cpus;
	cpus = xcalloc(nr_cpus, sizeof(*cpus));
	stacks = xcalloc(nr_cpus, sizeof(*stacks));
	for (u32 i = 0; i < nr_cpus; i++)
		cpu_init(&cpus[i], i, &topo->cpu[i]);
}

static void cpu_exit(struct cpu *cpu)
{
	event_del(&cpu->resume);
	for (u32 irq = 0; irq < NR_IRQS; irq++)
		event_del(&cpu->ipi[irq]);
	while (take_timer(&cpu->expired) || take_timer(&cpu->handling))
		;
	fiber_free(cpu->loop);
}

void cpus_exit(void)
{
	VRT_ASSERT(!this_cpu);
	for (u32 i = 0; i < nr_cpus; i++)
		cpu_exit(&cpus[i]);
	fiber_trim();
	free(cpus);
	free(stacks);
	cpus = NULL;
	stacks = NULL;
	nr_cpus = 0;
}
