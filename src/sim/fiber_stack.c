// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first frame of a fiber's stack: what the assembly's switch finds when it
 * goes there for the first time. Architectures without assembly use ucontext,
 * which saves the signal mask by a system call at every switch: slow but right.
 */
#include <string.h>

#include "../base/util.h"
#include "fiber_stack.h"

#if defined(VRT_FIBER_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))
#include <ucontext.h>

void *fiber_stack_init(void *stack, size_t size, void (*entry)(void))
{
	ucontext_t *context = stack;
	size_t used = ALIGN_UP(sizeof(*context), (size_t)64);
	int err = getcontext(context);

	VRT_ASSERT(!err);
	context->uc_stack.ss_sp = (char *)stack + used;
	context->uc_stack.ss_size = size - used;
	context->uc_link = NULL;
	makecontext(context, entry, 0);
	return context;
}

void fiber_stack_switch(void **save, void *load)
{
	ucontext_t here;
	int err;

	*save = &here;
	err = swapcontext(&here, load);
	VRT_ASSERT(!err);
}
#else
void fiber_stack_begin(void);

void *fiber_stack_init(void *stack, size_t size, void (*entry)(void))
{
#if defined(__x86_64__)
	/*
	 * The registers in the order of the pops, the return address, and what
	 * leaves the stack aligned to 16 bytes for the call of the entry.
	 */
	enum { ENTRY = 4 /* rbx */, RETURN = 6, WORDS = 9 };
#else
	enum { ENTRY = 0 /* x19 */, RETURN = 11 /* x30 */, WORDS = 20 };
#endif
	u64 *frame = (u64 *)((char *)stack + size) - WORDS;

	memset(frame, 0, WORDS * sizeof(*frame));
	frame[ENTRY] = (u64)entry;
	frame[RETURN] = (u64)fiber_stack_begin;
	return frame;
}
#endif
