/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of simulated tasks, as behaviours use it: address spaces, accesses to
 * pages, and what happens when there is no memory left. The model is that of
 * kernel/mm.h; a task whose process has no address space never comes here.
 *
 * How long an access takes is the behaviour's matter (an action); a page fault is
 * charged here. All calls are of the current task unless they name one.
 */
#ifndef VRT_SCHED_MM_PUBLIC_H
#define VRT_SCHED_MM_PUBLIC_H

#include "../../../kernel/mm.h"
#include "../kernel.h"

/* Pages: of an address space, and of memory if nobody says how much there is (4 GiB). */
#define MM_MAX_PAGES (1ULL << 24)
#define MM_TOTALRAM_DFL (1ULL << 20)

/* Content that a write leaves in a page. */
#define MM_CONTENT_ZERO 0ULL
/* The same for all pages of this number that are written with this @fill, 1 or more. */
static inline u64 mm_content(u32 fill, u32 index)
{
	return (u64)fill << 32 | index;
}
/* Nobody else's; below 2^63 are those of mm_content(). */
u64 mm_content_own(void);

/* How much memory the machine has. Before any of it is used; at most MM_MAX_PAGES. */
void mm_set_totalram(u64 pages);

/*
 * An address space of @pages for @task's process, once, before it is used. 0, or
 * -EOPNOTSUPP where accesses are not modelled: on a real kernel.
 */
int mm_map(struct task *task, u64 pages);
/*
 * One access to the page @index of the address space; a write leaves @content.
 * -EAGAIN: there is no memory, and the OOM killer has chosen somebody: to be tried
 * again after a while. -EFAULT: the process is being killed.
 */
int mm_read(u64 index);
int mm_write(u64 index, u64 content);
/*
 * The last task of a process gives back up to @nr pages. Returns what that takes, ns
 * of work; 0: there is nothing to do. A task that ends does so first, since it takes
 * CPU time; what is left when it exits goes at once.
 */
u64 mm_unmap(u32 nr);
/* Is the process being killed? Its tasks are to end as soon as they hear of it. */
bool mm_killed(void);

/* What the machine has, and has seen so far; for figures. */
struct mm_stats {
	struct mm_info info;
	u64 peak; /* most pages that were ever in use */
	u64 faults, copies;
};
void mm_stats(struct mm_stats *stats);

#endif
