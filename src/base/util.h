/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few macros that every room uses: container_of, min/max, bit helpers and
 * the assertions.
 *
 * VRT_ASSERT() states an invariant whose failure is our bug. It is checked in
 * every build: a wrong result is worse than a slow one. It never guards
 * against input; input errors are returned.
 */
#ifndef VRT_BASE_UTIL_H
#define VRT_BASE_UTIL_H

#include "../../kernel/types.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member)                                                            \
	((type *)((char *)(1 ? (ptr) : &((type *)0)->member) - offsetof(type, member)))

#define min(a, b)                                                                                  \
	({                                                                                         \
		__typeof__(a) __a = (a);                                                           \
		__typeof__(b) __b = (b);                                                           \
		__a < __b ? __a : __b;                                                             \
	})
#define max(a, b)                                                                                  \
	({                                                                                         \
		__typeof__(a) __a = (a);                                                           \
		__typeof__(b) __b = (b);                                                           \
		__a > __b ? __a : __b;                                                             \
	})

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Begins a cache line; the object must be allocated so. */
#define __cache_aligned __attribute__((aligned(64)))

#define ALIGN_UP(x, a) (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))

/* Has the host's cache fetch a line that will be used soon. */
static inline void prefetch(const void *line)
{
	__builtin_prefetch(line);
	/* GCC drops calls of functions that do nothing else, as if they had no effect */
	__asm__ volatile("");
}

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC 1000000000ULL

#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __noreturn __attribute__((noreturn))
#define __must_check __attribute__((warn_unused_result))

__noreturn __printf(3, 4) void vrt_bug(const char *file, int line, const char *fmt, ...);

#define VRT_ASSERT(cond)                                                                           \
	do {                                                                                       \
		if (unlikely(!(cond)))                                                             \
			vrt_bug(__FILE__, __LINE__, "%s", #cond);                                  \
	} while (0)

/* Wrapping comparison of 64-bit times and vtimes, as Linux's time_before64(). */
static inline bool time_before64(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

#endif
