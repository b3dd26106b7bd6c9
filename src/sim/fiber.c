// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fibers: stacks with a guard page below, kept for reuse, and what
 * AddressSanitizer must be told about a change of stacks.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "fiber.h"
#include "fiber_stack.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#endif

#ifdef ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define STACK_SIZE (256UL << 10)
#else
#define STACK_SIZE (64UL << 10)
#endif

#define MAX_KEPT 256

/*
 * Stacks begin at different places in their pages: if all began at the same, the
 * frames of all CPUs would fight for a few sets of the first-level cache.
 */
#define COLOURS 4096
#define COLOUR_STEP (17 * 64)

struct fiber {
	void *handle; /* of the stack, while it does not run */
	const void *stack; /* the thread's own: unknown (NULL) until ASan tells */
	size_t size;
	void (*fn)(void *arg);
	void *arg;
	void *fake_stack; /* ASan's */
	struct fiber *next_kept;
};

static struct fiber thread_fiber;
static struct fiber *current = &thread_fiber;
static struct fiber *previous; /* who switched to the current one */
static struct fiber *kept;
static u32 nr_kept;
static u32 nr_mapped; /* ever */

static inline void asan_start(struct fiber *from, const struct fiber *to)
{
#ifdef ASAN
	__sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->size);
#endif
}

/* On the new stack. What was left is @previous. */
static inline void asan_finish(void *fake_stack)
{
#ifdef ASAN
	const void *bottom;
	size_t size;

	__sanitizer_finish_switch_fiber(fake_stack, &bottom, &size);
	if (previous == &thread_fiber) {
		thread_fiber.stack = bottom;
		thread_fiber.size = size;
	}
#endif
}

/* Frames that were never returned from leave their red zones behind. */
static void asan_forget(struct fiber *fiber)
{
#ifdef ASAN
	ASAN_UNPOISON_MEMORY_REGION(fiber->stack, fiber->size);
#endif
}

static void begin(void)
{
	asan_finish(NULL);
	current->fn(current->arg);
	vrt_bug(__FILE__, __LINE__, "a fiber returned from its function");
}

static struct fiber *map_stack(void)
{
	size_t guard = sysconf(_SC_PAGESIZE);
	struct fiber *fiber;
	char *mem;

	mem = mmap(NULL, guard + STACK_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (mem == MAP_FAILED)
		return NULL;
	if (mprotect(mem, guard, PROT_NONE)) {
		munmap(mem, guard + STACK_SIZE);
		return NULL;
	}
	fiber = xcalloc(1, sizeof(*fiber));
	fiber->stack = mem + guard;
	fiber->size = STACK_SIZE - nr_mapped++ * COLOUR_STEP % COLOURS;
	return fiber;
}

struct fiber *fiber_new(void (*fn)(void *arg), void *arg)
{
	struct fiber *fiber = kept;

	if (fiber) {
		kept = fiber->next_kept;
		nr_kept--;
	} else {
		fiber = map_stack();
		if (!fiber)
			return NULL;
	}
	fiber->fn = fn;
	fiber->arg = arg;
	fiber->fake_stack = NULL;
	fiber->handle = fiber_stack_init((void *)fiber->stack, fiber->size, begin);
	return fiber;
}

static void unmap_stack(struct fiber *fiber)
{
	size_t guard = sysconf(_SC_PAGESIZE);

	munmap((char *)fiber->stack - guard, guard + STACK_SIZE);
	free(fiber);
}

void fiber_free(struct fiber *fiber)
{
	VRT_ASSERT(fiber != current && fiber != &thread_fiber);
	asan_forget(fiber);
	if (nr_kept == MAX_KEPT) {
		unmap_stack(fiber);
		return;
	}
	fiber->next_kept = kept;
	kept = fiber;
	nr_kept++;
}

void fiber_trim(void)
{
	while (kept) {
		struct fiber *fiber = kept;

		kept = fiber->next_kept;
		unmap_stack(fiber);
	}
	nr_kept = 0;
}

struct fiber *fiber_current(void)
{
	return current;
}

void fiber_switch(struct fiber *to)
{
	struct fiber *from = current;

	VRT_ASSERT(to != from);
	previous = from;
	current = to;
	asan_start(from, to);
	fiber_stack_switch(&from->handle, to->handle);
	asan_finish(from->fake_stack);
}
