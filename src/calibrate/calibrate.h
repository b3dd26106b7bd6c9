/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measures what things cost (src/sim/cost.h) where it runs: on the simulated
 * machine or on a real kernel, with the same code.
 *
 *	probes.c	small experiments, each gives one figure; they know the machine
 *			by struct probe_ops alone
 *	sim.c, real.c	those calls on the simulated machine, and on this kernel
 *	solve.c		from figures to entries of the table
 */
#ifndef VRT_CALIBRATE_CALIBRATE_H
#define VRT_CALIBRATE_CALIBRATE_H

#include "../sim/cost.h"

struct json_object;

/* What is measured, in picoseconds of one. On one CPU unless it says otherwise. */
enum probe {
	PROBE_LOCK, /* a locked instruction on a line that is here */
	PROBE_SYSCALL, /* that does nothing */
	PROBE_YIELD, /* sched_yield() when nobody else wants the CPU */
	PROBE_SWITCH, /* what it takes longer when somebody does */
	PROBE_WAKE_NONE, /* futex wake with no waiter */
	PROBE_WAKE, /* with one, who does not preempt */
	PROBE_HANDOFF, /* futex wake, futex wait, and the other task runs */
	PROBE_ARM, /* a system call that arms a timer */
	PROBE_TIMER, /* what a timer takes from a task that runs */
	PROBE_TICK, /* what a tick does */
	PROBE_FORK, /* making a thread */
	PROBE_LIFE, /* making one that ends at once, and waiting for its end */
	PROBE_OPEN, PROBE_READ, /* of a small file that is cached */
	/* between CPUs that share a last-level cache, but no core */
	PROBE_WAKE_REMOTE, /* futex wake of a task of the other CPU, which preempts another */
	PROBE_REMOTE, /* from the call until that task runs */
	/* one cache line, one way: of each enum cpu_distance */
	PROBE_LINE,
	NR_PROBES = PROBE_LINE + NR_DISTANCES,
};

#define PROBE_NONE (-1) /* this machine has no such place, or nothing could be seen */

struct probe_figures {
	s64 ps[NR_PROBES];
};

/*
 * Figures of a simulated machine with these costs. Boots the kernel: once per process.
 * 0 or -errno.
 */
int calibrate_sim(const struct topology *topology, const struct cost_table *costs,
		  struct probe_figures *figures);
/*
 * Of the kernel that runs here, on the CPUs that this process may use. Needs no
 * rights. Changes the affinity and policy of the calling thread. 0, or -errno with a sentence.
 */
int calibrate_real(struct probe_figures *figures, char *err, size_t err_size);

/*
 * The entries that follow from @figures: names and ns, as a cost file has them. Those
 * that would be less than nothing are left out; @lost (may be NULL): an array of their
 * names is made.
 */
struct json_object *calibrate_solve(const struct probe_figures *figures,
				    struct json_object **lost);

#endif
