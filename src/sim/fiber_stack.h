/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to the fibers: the switch of stacks, which every architecture does
 * its own way: in assembly (fiber_x86_64.S, fiber_aarch64.S), elsewhere with
 * ucontext (fiber_stack.c).
 */
#ifndef VRT_SIM_FIBER_STACK_H
#define VRT_SIM_FIBER_STACK_H

#include <stddef.h>

/*
 * Prepares the stack of @size bytes at @stack, so that the first switch to what
 * is returned calls @entry(), which never returns. The handle is valid until
 * the stack is used for something else.
 */
void *fiber_stack_init(void *stack, size_t size, void (*entry)(void));

/* Stores a handle for the current stack in *@save, and continues @load. */
void fiber_stack_switch(void **save, void *load);

#endif
