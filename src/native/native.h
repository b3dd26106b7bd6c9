/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The task calls of src/sched/kernel.h on real threads of the host: the same
 * workloads, on a kernel that is not simulated. Used inside the guest of a
 * virtual machine, or on this host.
 *
 * A task is a thread that asks its behaviour what to do, and does it: computes
 * in a calibrated loop, sleeps, blocks on a futex. Behaviours are written for a
 * machine on which what they do is atomic, so they run under one lock; whoever
 * they wake is woken when the lock has been dropped, and does not run into it.
 *
 * Times are of CLOCK_MONOTONIC, ns.
 *
 * What kernel.h allows from outside of the machine is to be done by
 * kernel_run_inside() here. Other than on the simulated machine: all tasks are threads of one process,
 * costs are what they are, and nothing is repeatable.
 */
#ifndef VRT_NATIVE_NATIVE_H
#define VRT_NATIVE_NATIVE_H

#include "../sched/tracepoint.h"

struct native_config {
	u32 nr_cpus; /* possible CPUs */
	u64 seed;
	/*
	 * Called for what only the tasks themselves can tell: TRACE_TASK_NEW, _NAME,
	 * _PRIO, _REQUEST, _OPS. One call at a time. TASK_NEW of a task comes before
	 * it does anything but wait for its start.
	 */
	void (*record)(const struct trace_record *rec);
};

/* Finds out how fast this machine computes: takes about 100 ms. After this tasks can be made. */
void native_init(const struct native_config *config);
/* Rounds of the compute loop in a millisecond. */
u64 native_rounds_per_ms(void);
/* Sleeps until then. */
void native_run_until(u64 when);
/* Ends all tasks and waits for them, then frees everything. */
void native_exit(void);

#endif
