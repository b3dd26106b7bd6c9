// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPUs: their loop, waiting, interrupts and timers.
 *
 * A CPU that is not running is resumed by its one resume event. It is queued
 * exactly when it is known when that will be; everything that ends a wait moves
 * the event to an earlier time, never to a later one. A CPU that gives up
 * control continues the next CPU directly when that is what the queue asks
 * for, and otherwise the event loop.
 *
 * Stacks
 * ------
 * A CPU that gives up control in the middle of something keeps the stack that it
 * is on (cpu->fiber). One that waits has nothing on its stack that it must come
 * back to: how it goes on is a function (cpu->then). So it leaves its stack to the
 * CPU that is next, or to whoever needs one: there are but as many stacks as CPUs
 * have been in the middle of something at the same time, those used last are used
 * next, and the host's caches hold them all, however large the machine is. (Mach
 * calls such functions continuations: Draves et al., SOSP '91.)
 *
 * Invariants: cpu->fiber is set exactly while the CPU is in the middle of something
 * and not running; a stack is in @free_stacks, some CPU's, or runs.
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

/* What the loop of CPUs runs on: all such stacks, and those that nobody uses, the last used last. */
static struct fiber **stacks, **free_stacks;
static u32 nr_stacks, nr_free_stacks;

static u64 wait_until; /* from cpu_wait_then() to where the wait begins, in the loop */

static inline u64 caller_clock(void)
{
	return this_cpu ? cpu_clock() : sim_clock.now;
}

/* --- stacks ------------------------------------------------------------- */

static void cpu_loop(void *unused);

static struct fiber *take_stack(void)
{
	struct fiber *stack;

	if (likely(nr_free_stacks))
		return free_stacks[--nr_free_stacks];
	VRT_ASSERT(nr_stacks < nr_cpus);
	stack = fiber_new(cpu_loop, NULL);
	if (!stack)
		vrt_bug(__FILE__, __LINE__, "the host has no room for a stack beside %u others",
			nr_stacks);
	stacks[nr_stacks++] = stack;
	return stack;
}

/* The stack that @cpu goes on with. */
static inline struct fiber *stack_for(struct cpu *cpu)
{
	struct fiber *fiber = cpu->fiber;

	cpu->fiber = NULL;
	return fiber ? fiber : take_stack();
}

/* --- events ------------------------------------------------------------- */

static void resume_fire(struct event *ev)
{
	this_cpu = container_of(ev, struct cpu, resume);
	event_loop = fiber_current();
	fiber_switch(stack_for(this_cpu));
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

	list_add_tail(&timer->event.node, &timer->cpu->expired);
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

struct cpu *event_cpu(const struct event *ev, const struct hrtimer **timer)
{
	*timer = NULL;
	if (ev->fire == resume_fire)
		return container_of(ev, struct cpu, resume);
	if (ev->fire != hrtimer_fire)
		return NULL;
	*timer = container_of(ev, struct hrtimer, event);
	return (*timer)->cpu;
}

void cpu_block(void)
{
	struct cpu *cpu = this_cpu, *next;

	VRT_ASSERT(cpu && !cpu->fiber && fiber_current() != event_loop);
	cpu->fiber = fiber_current();
	this_cpu = next = next_cpu();
	if (next == cpu)
		cpu->fiber = NULL;
	else
		fiber_switch(next ? stack_for(next) : event_loop);
	VRT_ASSERT(this_cpu == cpu && !cpu->fiber);
	cpu->debt = 0;
}

/* The loop's: some CPU that begins its turn with the loop goes on with this stack. */
static void leave_stack(void)
{
	struct cpu *next = next_cpu();

	this_cpu = next;
	if (next && !next->fiber)
		return;
	free_stacks[nr_free_stacks++] = fiber_current();
	fiber_switch(next ? stack_for(next) : event_loop);
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
static void resume_at(struct cpu *cpu, u64 until)
{
	cpu->busy_until = cpu_clock();
	if (until != SIM_NEVER)
		event_add(&cpu->resume, max(until, cpu->busy_until));
}

static inline void set_then(void (*then)(void *arg), void *arg)
{
	VRT_ASSERT(!this_cpu->then);
	this_cpu->then = then;
	this_cpu->arg = arg;
}

void cpu_wait_then(u64 until, void (*then)(void *arg), void *arg)
{
	set_then(then, arg);
	wait_until = until;
}

void __cpu_pay_then(void (*then)(void *arg), void *arg)
{
	set_then(then, arg);
	this_cpu->paying = true;
}

void cpu_spin_until(u64 until)
{
	struct cpu *cpu = this_cpu;

	cpu_sync();
	if (reached(until))
		return;
	cpu->spinning = true;
	resume_at(cpu, until);
	cpu_block();
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

/* Off the list of those whose handler is due. */
static inline void not_expired(struct hrtimer *timer)
{
	list_del_init(&timer->event.node);
	timer->event.node = (struct list_head){};
}

/* The earliest of @list, off it; NULL when there is none. */
static struct hrtimer *take_timer(struct list_head *list)
{
	struct hrtimer *timer = list_first_entry_or_null(list, struct hrtimer, event.node);

	if (timer)
		not_expired(timer);
	return timer;
}

static inline void go_on(struct cpu *cpu)
{
	void (*then)(void *arg) = cpu->then;

	cpu->then = NULL;
	then(cpu->arg);
}

/* For a handler that has asked for it, but is not the last thing to do. */
static void pay_here(struct cpu *cpu)
{
	while (cpu->then) {
		VRT_ASSERT(cpu->paying);
		cpu->paying = false;
		cpu_sync();
		go_on(cpu);
	}
}

/* @last: there is no other interrupt in the batch. */
static void run_timers(struct cpu *cpu, bool last)
{
	struct hrtimer *timer = take_timer(&cpu->expired);

	if (likely(timer && list_empty(&cpu->expired))) {
		timer->fn(timer);
		if (!last)
			pay_here(cpu);
		return;
	}
	/* those that expire while handlers run are another interrupt */
	list_add(&cpu->handling, &cpu->expired);
	list_del_init(&cpu->expired);
	for (; timer; timer = take_timer(&cpu->handling)) {
		timer->fn(timer);
		pay_here(cpu);
	}
}

/* Takes all pending interrupts: one entry into the kernel for the batch. */
static void take_interrupts(struct cpu *cpu)
{
	u32 batch = cpu->pending;

	cpu->pending = 0;
	cpu_charge(costs.interrupt);
	while (batch) {
		enum cpu_irq irq = __builtin_ctz(batch);

		batch &= batch - 1;
		if (irq == IRQ_TIMER)
			run_timers(cpu, !batch);
		else
			ops->interrupt(irq);
	}
}

/* --- hrtimers ----------------------------------------------------------- */

void hrtimer_init(struct hrtimer *timer, void (*fn)(struct hrtimer *timer))
{
	*timer = (struct hrtimer){ .event.fire = hrtimer_fire, .fn = fn };
}

void hrtimer_start_on(struct hrtimer *timer, struct cpu *cpu, u64 when)
{
	if (hrtimer_expired(timer))
		not_expired(timer);
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

	if (hrtimer_expired(timer))
		not_expired(timer);
	event_del(&timer->event);
	return was;
}

/* --- life --------------------------------------------------------------- */

/* Waits as cpu_wait_then() was asked to, unless there is no reason to. */
static void begin_wait(struct cpu *cpu)
{
	u64 until = wait_until;

	if (cpu->pending || cpu->poked || reached(max(until, cpu_clock())))
		return;
	cpu->waiting = true;
	resume_at(cpu, until);
	cpu->debt = 0;
	if (cpus_look_ahead)
		ahead_look(ops);
	leave_stack();
}

static void end_wait(struct cpu *cpu)
{
	cpu->waiting = false;
	cpu->poked = false;
	go_on(cpu);
	if (cpu->pending && !cpu->then)
		ops->interrupted();
}

static void begin_payment(struct cpu *cpu)
{
	event_add(&cpu->resume, cpu_clock());
	cpu->debt = 0;
	leave_stack();
}

static void end_payment(struct cpu *cpu)
{
	cpu->paying = false;
	go_on(cpu);
}

/* What @cpu does until it waits, or pays. */
static void take_turn(struct cpu *cpu)
{
	while (cpu->pending) {
		take_interrupts(cpu);
		if (cpu->then)
			return;
	}
	ops->reschedule();
	if (cpu->pending || cpu->then)
		return;
	ops->run();
	if (cpu->pending && !cpu->then)
		ops->interrupted();
}

static void cpu_loop(void *unused)
{
	for (;;) {
		if (!this_cpu->then)
			take_turn(this_cpu);
		else if (this_cpu->paying)
			end_payment(this_cpu);
		else
			end_wait(this_cpu);
		if (!this_cpu->then)
			continue;
		if (this_cpu->paying)
			begin_payment(this_cpu);
		else
			begin_wait(this_cpu);
	}
}

static void boot(void *unused)
{
	ops->boot();
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
	cpu->then = boot;
	event_add(&cpu->resume, sim_clock.now);
}

void cpus_init(const struct topology *topo, const struct cost_table *table,
	       const struct cpu_ops *cpu_ops)
{
	VRT_ASSERT(!cpus && topo->nr_cpus >= 1 && topo->nr_cpus <= VRT_NR_CPUS);
	costs = *table;
	ops = cpu_ops;
	ahead_init();
	nr_cpus = nr_cpu_ids = topo->nr_cpus;
	cpus = xcalloc_aligned(nr_cpus, sizeof(*cpus));
	stacks = xcalloc(nr_cpus, sizeof(*stacks));
	free_stacks = xcalloc(nr_cpus, sizeof(*free_stacks));
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
}

void cpus_exit(void)
{
	VRT_ASSERT(!this_cpu);
	for (u32 i = 0; i < nr_cpus; i++)
		cpu_exit(&cpus[i]);
	while (nr_stacks)
		fiber_free(stacks[--nr_stacks]);
	nr_free_stacks = 0;
	fiber_trim();
	free(stacks);
	free(free_stacks);
	free(cpus);
	stacks = free_stacks = NULL;
	cpus = NULL;
	nr_cpus = 0;
}
