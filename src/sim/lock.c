// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks in virtual time.
 *
 * A waiter is on the stack of the fiber that waits. The owner's release passes
 * the lock to the first waiter right away and lets it resume at the release's
 * local time: nobody can overtake it, and while it has not resumed it is the
 * owner already. A lock that is free only from a later time on is taken at
 * once too, by waiting until then as its owner.
 */
#include "internal.h"
#include "lock.h"

struct waiter {
	struct list_head node;
	struct cpu *cpu;
};

void sim_lock_init(struct sim_lock *lock)
{
	*lock = (struct sim_lock){};
	INIT_LIST_HEAD(&lock->waiters);
}

static inline void charge_line(const struct sim_lock *lock)
{
	const struct cpu *last = lock->last;

	if (likely(!last || last == this_cpu))
		cpu_charge(costs.lock);
	else
		cpu_charge(costs.cacheline[cpu_distance(last->topo, this_cpu->topo)]);
}

static void wait_for_lock(struct sim_lock *lock)
{
	struct waiter self = { .cpu = this_cpu };

	if (lock->owner) {
		list_add_tail(&self.node, &lock->waiters);
	} else {
		lock->owner = this_cpu;
		event_add(&this_cpu->resume, lock->free_at);
	}
	cpu_block();
	lock->contended++;
	cpu_charge(costs.lock_handover);
}

void sim_lock(struct sim_lock *lock)
{
	cpu_sync();
	VRT_ASSERT(lock->owner != this_cpu);
	if (unlikely(lock->owner || lock->free_at > sim_now()))
		wait_for_lock(lock);
	else
		lock->owner = this_cpu;
	charge_line(lock);
	lock->last = this_cpu;
}

bool sim_trylock(struct sim_lock *lock)
{
	bool free;

	cpu_sync();
	free = !lock->owner && lock->free_at <= sim_now();
	charge_line(lock);
	if (free)
		lock->owner = lock->last = this_cpu;
	return free;
}

void sim_unlock(struct sim_lock *lock)
{
	struct waiter *first;

	VRT_ASSERT(sim_lock_held(lock));
	lock->free_at = cpu_clock();
	if (likely(list_empty(&lock->waiters))) {
		lock->owner = NULL;
		return;
	}
	first = list_first_entry(&lock->waiters, struct waiter, node);
	list_del_init(&first->node);
	lock->owner = first->cpu;
	event_add(&first->cpu->resume, lock->free_at);
}
