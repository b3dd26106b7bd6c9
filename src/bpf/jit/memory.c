// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for code: one range of address space, reserved when the first program
 * is compiled, given out in pages.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "memory.h"

#define RANGE (128UL << 20)
#define PAGE 4096UL
#define PAGES (RANGE / PAGE)
#define REACH ((s64)1 << 31)
#define TRAP 0xcc /* int3 of x86 */

static u8 *range;
static u8 used[PAGES];
static u32 next; /* where the last search ended */

/* --- the range -------------------------------------------------------------------- */

static void *reserve_at(u64 addr)
{
	void *p = mmap((void *)addr, RANGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (addr ? MAP_FIXED_NOREPLACE : 0),
		       -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Below our own code, or else above; at worst anywhere. */
static bool reserve(void)
{
	u64 here = (u64)reserve & ~(RANGE - 1);

	for (u64 step = 1; step * RANGE < (u64)REACH - 4 * RANGE && !range; step++) {
		if (here > (step + 1) * RANGE)
			range = reserve_at(here - step * RANGE);
		if (!range)
			range = reserve_at(here + step * RANGE);
	}
	if (!range)
		range = reserve_at(0);
	return range;
}

bool jit_memory_is_near(const void *p)
{
	s64 from_start = (s64)((u64)p - (u64)range), from_end = from_start - (s64)RANGE;

	return from_start < REACH && from_end > -REACH;
}

/* --- pages -------------------------------------------------------------------------- */

static u32 pages_of(u32 size)
{
	return (u32)((size + PAGE - 1) / PAGE);
}

/* The first of @nr free pages in a row from @from on; PAGES: there are none. */
static u32 find_free(u32 from, u32 nr)
{
	u32 run = 0;

	for (u32 i = from; i < PAGES; i++) {
		run = used[i] ? 0 : run + 1;
		if (run == nr)
			return i + 1 - nr;
	}
	return PAGES;
}

void *jit_memory_alloc(u32 size)
{
	u32 nr = pages_of(size), first;

	if (!range && !reserve())
		return NULL;
	first = find_free(next, nr);
	if (first == PAGES)
		first = find_free(0, nr);
	if (first == PAGES || mprotect(range + first * PAGE, nr * PAGE, PROT_READ | PROT_WRITE))
		return NULL;
	memset(&used[first], 1, nr);
	next = first + nr;
	return range + first * PAGE;
}

int jit_memory_seal(void *code, u32 size)
{
	u64 whole = pages_of(size) * PAGE;

	memset((u8 *)code + size, TRAP, whole - size);
	return mprotect(code, whole, PROT_READ | PROT_EXEC) ? -errno : 0;
}

void jit_memory_free(void *code, u32 size)
{
	u32 nr = pages_of(size), first = (u32)(((u8 *)code - range) / PAGE);

	if (!code)
		return;
	/* given back to the system, and readable for nobody */
	mmap(code, nr * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
	     -1, 0);
	memset(&used[first], 0, nr);
	next = first;
}
