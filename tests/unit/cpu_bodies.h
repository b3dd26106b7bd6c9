/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs for tests of the simulator: a test gives each a body, which is its "task" and
 * runs once, on a stack of its own, so that it can wait in the middle; then the CPU
 * idles.
 */
#ifndef VRT_TESTS_CPU_BODIES_H
#define VRT_TESTS_CPU_BODIES_H

#include <string.h>

#include "../../src/sim/cpu.h"
#include "../../src/sim/fiber.h"

#define MAX_CPUS 64

static void (*bodies[MAX_CPUS])(void); /* that have not begun */
static struct {
	struct fiber *fiber, *loop;
	void (*fn)(void);
	u64 until; /* it waits; 0: it has returned */
} running[MAX_CPUS];

static void body_main(void *arg)
{
	u32 id = this_cpu->id;

	running[id].fn();
	running[id].until = 0;
	fiber_switch(running[id].loop);
}

/* From a body: waits as cpu_wait_then() does, and goes on here. */
static void wait_until(u64 until)
{
	u32 id = this_cpu->id;

	running[id].until = until;
	fiber_switch(running[id].loop);
}

static void idle(void *unused)
{
}

static void go_on(void *unused)
{
	u32 id = this_cpu->id;

	running[id].loop = fiber_current();
	fiber_switch(running[id].fiber);
	if (running[id].until) {
		cpu_wait_then(running[id].until, go_on, NULL);
		return;
	}
	fiber_free(running[id].fiber);
	running[id].fiber = NULL;
}

static void run_body(void)
{
	u32 id = this_cpu->id;

	running[id].fn = bodies[id];
	bodies[id] = NULL;
	if (!running[id].fn) {
		cpu_wait_then(SIM_NEVER, idle, NULL);
		return;
	}
	running[id].fiber = fiber_new(body_main, NULL);
	go_on(NULL);
}

/* After cpus_exit(): those that were in the middle of something end there. */
static void bodies_off(void)
{
	for (u32 i = 0; i < MAX_CPUS; i++) {
		if (running[i].fiber)
			fiber_free(running[i].fiber);
	}
	memset(bodies, 0, sizeof(bodies));
	memset(running, 0, sizeof(running));
	fiber_trim();
}

#endif
