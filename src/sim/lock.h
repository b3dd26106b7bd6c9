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
 */
#ifndef VRT_SIM_LOCK_H
#define VRT_SIM_LOCK_H

#include "cpu.h"

struct sim_lock {
	struct cpu *owner;
	struct cpu *last;
	u64 free_at;
	struct list_head waiters;
	u64 contended; /* acquisitions that had to wait */
	u64 wait_ns;
};

void sim_lock_init(struct sim_lock *lock);
void sim_lock(struct sim_lock *lock);
void sim_unlock(struct sim_lock *lock);
/* Takes the lock only if that needs no waiting. */
bool sim_trylock(struct sim_lock *lock);

static inline bool sim_lock_held(const struct sim_lock *lock)
{
	return this_cpu && lock->owner == this_cpu;
}

#endif
