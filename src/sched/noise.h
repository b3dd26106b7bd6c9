/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel threads that exist from boot on, and how they are made.
 */
#ifndef VRT_SCHED_NOISE_H
#define VRT_SCHED_NOISE_H

#include "sched.h"

/*
 * A fair kernel thread bound to @cpu, "@name/@cpu", that waits on @idle as if it
 * had run before. Never NULL: a machine that has no room for its kernel threads
 * cannot boot.
 */
struct task *kthread_create_on(u32 cpu, const char *name, u32 flags,
			       const struct task_behaviour *behaviour, void *data,
			       struct wait_queue *idle);
/* Makes migration/@cpu. (stop.c) */
void stop_init_cpu(u32 cpu);

#endif
