/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fibers: stacks to run on, switched by hand. A switch costs a few
 * nanoseconds: no system call, no allocation, no signal mask.
 *
 * Code that yields virtual time may run on any fiber: a CPU resumes the fiber
 * on which it gave up control (cpu.c), so a task that needs a stack of its own
 * switches to its fiber and back on its CPU without telling anybody.
 *
 * Floating-point control words are not switched: nobody changes them.
 * Not thread-safe.
 */
#ifndef VRT_SIM_FIBER_H
#define VRT_SIM_FIBER_H

#include "../base/util.h"

struct fiber;

/*
 * A fiber that will call @fn(@arg) when it is first switched to. @fn must not
 * return: it ends by switching away for ever, after which the fiber may be
 * freed. NULL with errno when the host has no room for another stack. Stacks
 * of freed fibers are kept for the next ones.
 */
struct fiber *fiber_new(void (*fn)(void *arg), void *arg);

/* Not the current one. Whatever it was doing is forgotten. */
void fiber_free(struct fiber *fiber);

/* The fiber that runs; outside of any, the one that stands for the thread's own stack. */
struct fiber *fiber_current(void);

/* Continues @to; returns when somebody switches back here. */
void fiber_switch(struct fiber *to);

/* Gives the kept stacks back to the host. */
void fiber_trim(void);

#endif
