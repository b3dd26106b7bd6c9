/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spin locks in virtual time: an owner, FIFO waiters and a real unlock time,
 * so that contention on one queue costs what it costs on a machine.
 *
 * Acquiring pays the debt (the state under the lock is read at global now) and
 * charges the move of the lock's cache line from its last owner. Releasing
 * does not wait: the lock becomes free at the owner's local clock, and whoever
 * comes earlier in global time waits until then. Locks nest; a CPU waits with
 * interrupts off.
 *
 * An acquisition costs costs.lock when this CPU had the lock last and need not
 * wait, otherwise costs.cacheline[] by the distance from the last owner; one
 * that had to wait costs costs.lock_handover on top. All of it is debt when the
 * function returns. The uncontended path neither yields (unless the debt does)
 * nor allocates.
 */
#ifndef VRT_SIM_LOCK_H
#define VRT_SIM_LOCK_H

#include "cpu.h"

struct sim_lock {
	struct cpu *owner; /* NULL: free, from free_at on */
	struct cpu *last; /* who has its cache line; NULL: nobody yet */
	u64 free_at; /* local clock of the last owner when it released */
	struct list_head waiters; /* first come, first served */
	u64 contended; /* acquisitions that had to wait */
};

void sim_lock_init(struct sim_lock *lock);
void sim_lock(struct sim_lock *lock);
void sim_unlock(struct sim_lock *lock);
/* Takes the lock only if that needs no waiting. Failing costs the look at its cache line. */
bool sim_trylock(struct sim_lock *lock);

static inline bool sim_lock_held(const struct sim_lock *lock)
{
	return this_cpu && lock->owner == this_cpu;
}

#endif
