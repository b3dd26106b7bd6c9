/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Simulated CPUs, each of which runs kernel code in natural style:
 *
 *	take pending interrupts -> reschedule if needed -> run until the next
 *	event or interrupt, or idle
 *
 * What may give up control in the middle is on a fiber, whose stack waits with it.
 * The last step has nothing on its stack that it must come back to: it names the
 * function that goes on (cpu_wait_then()), and has no stack meanwhile. So do steps
 * that begin with a payment (cpu_pay_then()).
 *
 * Local clocks and causality
 * --------------------------
 * cpu_charge() makes the current CPU's local clock run ahead of global now by
 * accruing debt. Shared state is touched only at global now: cpu_sync() pays
 * the debt, by advancing the clock when nothing else is due earlier (one
 * compare) and by yielding to the event loop otherwise. Lock acquisitions,
 * waits and IPIs pay by themselves. Code between two payments is atomic to
 * everyone else.
 *
 * Interrupts are taken only in the loop, which is also what waits: all kernel code
 * in between runs as if with interrupts off.
 *
 * Not thread-safe: one machine is one thread.
 */
#ifndef VRT_SIM_CPU_H
#define VRT_SIM_CPU_H

#include "../base/list.h"
#include "cost.h"
#include "event.h"
#include "topology.h"

struct fiber;
struct hrtimer;

enum cpu_irq {
	IRQ_RESCHED, /* somebody set need_resched on us */
	IRQ_TIMER, /* hrtimers have expired (handled by sim itself) */
	IRQ_CALL, /* function calls queued by other CPUs */
	IRQ_WORK, /* work queued by this CPU for when interrupts are on again */
	NR_IRQS,
};

struct cpu {
	u32 id;
	u32 pending; /* bit per enum cpu_irq */
	u64 debt; /* ns that the local clock is ahead of global now */
	u64 busy_until; /* the local clock when it began to wait */
	bool waiting; /* interrupts and pokes end it */
	bool poked;
	bool spinning; /* in cpu_spin_until() */
	bool paying; /* @then is for when the debt is paid, not for the end of a wait */
	struct fiber *fiber; /* where it gave up control and is resumed; NULL: in the loop */
	void (*then)(void *arg); /* what it does next; NULL: it goes round the loop */
	void *arg;
	const struct cpu_topology *topo;

	/* two cache lines are what a turn touches; here begins the second */
	struct event resume;
	struct list_head expired; /* hrtimers whose handler is due */

	struct list_head handling; /* those of the timer interrupt in progress, but for the first */
	struct event ipi[NR_IRQS]; /* in flight towards this CPU, coalesced */
} __attribute__((aligned(64)));

/* All CPUs of the machine by id, and the one whose fiber runs (NULL: none). */
extern struct cpu *cpus;
extern struct cpu *this_cpu;

#define NR_COMING 2

/* What the scheduler plugs into the loop; every call is on the CPU's fiber. */
struct cpu_ops {
	void (*boot)(void); /* once, first thing */
	void (*interrupt)(enum cpu_irq irq); /* lowest pending first; never IRQ_TIMER */
	void (*reschedule)(void); /* after interrupts and after each run() */
	void (*run)(void); /* run the current task, or idle; ends with cpu_wait_then() */
	void (*interrupted)(void); /* run() and what followed are over because of an interrupt */
	/*
	 * While another CPU goes on, if cpus_look_ahead: this one is likely to be soon, for
	 * @timer or (NULL) for itself. Asks the host for what will be touched then, and does
	 * nothing else. It comes in steps, one function for each, with some turns of other CPUs
	 * in between: each may read what the one before has asked for, and nothing else that
	 * is not read all the time. Of the timer only the address counts: it may be gone.
	 */
	void (*coming[NR_COMING])(u32 cpu, const struct hrtimer *timer);
};

/* CPUs and tasks are more than the host's caches hold. For the scheduler to set, after cpus_init(). */
extern bool cpus_look_ahead;

/*
 * Creates the CPUs of @topo, after sim_init(); their fibers start when
 * sim_run() begins. Sets nr_cpu_ids and copies @costs to the global table;
 * @topo and @ops must live until cpus_exit(), which is called outside of a run.
 */
void cpus_init(const struct topology *topo, const struct cost_table *costs,
	       const struct cpu_ops *ops);
void cpus_exit(void);

static inline u64 cpu_clock(void)
{
	return sim_clock.now + this_cpu->debt;
}

static inline void cpu_charge(u64 ns)
{
	this_cpu->debt += ns;
}

void __cpu_sync(void);

/* Pays the debt if that is no more than to advance the clock. */
static inline bool cpu_try_sync(void)
{
	u64 debt = this_cpu->debt;

	if (!debt)
		return true;
	if (unlikely(sim_clock.now + debt >= sim_clock.next))
		return false;
	sim_clock.now += debt;
	this_cpu->debt = 0;
	return true;
}

/* Pays the debt: afterwards this CPU's clock is global now. */
static inline void cpu_sync(void)
{
	if (unlikely(!cpu_try_sync()))
		__cpu_sync();
}

/*
 * The last that ops->run(), or such a @then, does: when it has returned to the loop
 * this CPU waits until @until (SIM_NEVER: for ever), an interrupt or a poke, but at
 * least until the debt is paid; then @then is called. At once, with the debt, when
 * an interrupt is pending or a poke has come since the last wait: a poke in time
 * is never lost, one too many is possible.
 */
void cpu_wait_then(u64 until, void (*then)(void *arg), void *arg);

void __cpu_pay_then(void (*then)(void *arg), void *arg);

/*
 * The last that a timer's handler, ops->reschedule(), or such a @then, does: cpu_sync()
 * and then @then. But nothing is kept on a stack in between: if others come first,
 * @then is called when it has returned to the loop, and they have.
 */
static inline void cpu_pay_then(void (*then)(void *arg), void *arg)
{
	if (likely(cpu_try_sync()))
		then(arg);
	else
		__cpu_pay_then(then, arg);
}

/*
 * Spin-waits, as a CPU does with interrupts off: only time and
 * cpu_spin_wake() end it. Pays the debt first; so that no wake is lost in
 * between, look at what is waited for when synced.
 */
void cpu_spin_until(u64 until);

/*
 * The next three are for events and synced CPUs. From a CPU with a debt they
 * take effect at its local clock: a waiting CPU does not resume before that.
 */
void cpu_raise(struct cpu *cpu, enum cpu_irq irq);
/* Ends @cpu's wait without an interrupt: something it computed with changed. */
void cpu_poke(struct cpu *cpu);
/* Ends @cpu's spinning. Nothing when it does not spin. */
void cpu_spin_wake(struct cpu *cpu);

/*
 * From this CPU's fiber: pays the debt, charges the sending, delivers after the
 * IPI latency counted from the local clock. To itself it is just pending.
 *
 * IPIs of a kind are coalesced: one that is in flight and arrives no later, or
 * has arrived and is not yet taken, serves both senders.
 */
void cpu_send_ipi(struct cpu *target, enum cpu_irq irq);

/*
 * Timers fire in interrupt context on the CPU that armed them. Re-arming moves
 * the timer to this CPU. The handler may re-arm its own timer, or free it. A
 * time in the past is now. Nothing is charged: costs.timer_program is for the
 * caller to book.
 */
struct hrtimer {
	struct event event;
	struct cpu *cpu; /* with the event, in one cache line */
	void (*fn)(struct hrtimer *timer);
};

_Static_assert(sizeof(struct hrtimer) == 64, "a cache line");

void hrtimer_init(struct hrtimer *timer, void (*fn)(struct hrtimer *timer));
void hrtimer_start(struct hrtimer *timer, u64 when);
/* The same on another CPU, before the machine runs or for that CPU's boot. */
void hrtimer_start_on(struct hrtimer *timer, struct cpu *cpu, u64 when);
/* True when it was armed or its handler was still due. */
bool hrtimer_cancel(struct hrtimer *timer);

/* Its handler is due: it is on its CPU's list, by event.node. */
static inline bool hrtimer_expired(const struct hrtimer *timer)
{
	return !event_queued(&timer->event) && timer->event.node.next;
}

static inline bool hrtimer_active(const struct hrtimer *timer)
{
	return event_queued(&timer->event) || hrtimer_expired(timer);
}

#endif
