/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations on the kernel's struct cpumask, limited to the first nr_cpu_ids
 * bits, so that their cost follows the machine and not VRT_NR_CPUS.
 */
#ifndef VRT_BASE_CPUMASK_H
#define VRT_BASE_CPUMASK_H

#include "util.h"

/*
 * Possible CPUs of the machine: set by topology_parse(), and again by
 * cpus_init() for the machine that runs. VRT_NR_CPUS until then.
 */
extern u32 nr_cpu_ids;
#define NR_MASK_WORDS DIV_ROUND_UP(nr_cpu_ids, VRT_BITS_PER_LONG)

static inline void cpumask_set_cpu(u32 cpu, struct cpumask *m)
{
	m->bits[cpu / 64] |= 1UL << (cpu % 64);
}

static inline void cpumask_clear_cpu(u32 cpu, struct cpumask *m)
{
	m->bits[cpu / 64] &= ~(1UL << (cpu % 64));
}

static inline bool cpumask_test_cpu(u32 cpu, const struct cpumask *m)
{
	return cpu < nr_cpu_ids && (m->bits[cpu / 64] >> (cpu % 64) & 1);
}

static inline bool cpumask_test_and_clear_cpu(u32 cpu, struct cpumask *m)
{
	bool was = cpumask_test_cpu(cpu, m);

	if (was)
		cpumask_clear_cpu(cpu, m);
	return was;
}

void cpumask_clear(struct cpumask *m);
void cpumask_setall(struct cpumask *m);
void cpumask_copy(struct cpumask *dst, const struct cpumask *src);
/* These three return whether the result is not empty. */
bool cpumask_and(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b);
bool cpumask_andnot(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b);
void cpumask_or(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b);
void cpumask_xor(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b);
bool cpumask_empty(const struct cpumask *m);
bool cpumask_full(const struct cpumask *m);
bool cpumask_equal(const struct cpumask *a, const struct cpumask *b);
bool cpumask_intersects(const struct cpumask *a, const struct cpumask *b);
bool cpumask_subset(const struct cpumask *a, const struct cpumask *b);
u32 cpumask_weight(const struct cpumask *m);
/* The first set bit at or after @from, or nr_cpu_ids. */
u32 cpumask_next(u32 from, const struct cpumask *m);
u32 cpumask_next_and(u32 from, const struct cpumask *a, const struct cpumask *b);
/* As cpumask_next_and(), but starts over at 0 when nothing follows @from. */
u32 cpumask_next_and_wrap(u32 from, const struct cpumask *a, const struct cpumask *b);

#define cpumask_first(m) cpumask_next(0, m)
#define for_each_cpu(cpu, m)                                                                       \
	for ((cpu) = cpumask_next(0, m); (cpu) < nr_cpu_ids; (cpu) = cpumask_next((cpu) + 1, m))

/*
 * "0-3,8" into a mask; a newline may end it, "" is the empty mask. Returns the
 * offset of the first bad byte (for a CPU that the machine lacks, of its
 * number) + 1, or 0.
 */
int cpumask_parse_list(const char *list, struct cpumask *m);
/*
 * Linux's %*pb (hex words) and %*pbl (list). Always terminated (unless @size is
 * 0), cut to @size. Returns the length written.
 */
int cpumask_print_hex(char *buf, u64 size, const struct cpumask *m);
int cpumask_print_list(char *buf, u64 size, const struct cpumask *m);

#endif
