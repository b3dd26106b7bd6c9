/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the memory of simulated tasks:
 *
 *	mm.c		address spaces and memory: faults, accesses, merging, freeing
 *	mm/oom.c	what happens when memory runs out
 *	mm/bpf.c	kfuncs
 *
 * A page table entry is in the array of its address space, the memory that it names
 * (a folio of one page) in the array of the machine; both are the runtime's own.
 * The number of entries that name a folio is its mapcount; one with a count of 0 is
 * on the free list.
 *
 * No lock: every operation begins at global now (cpu_sync()) and is atomic from
 * there. What takes time is charged before.
 */
#ifndef VRT_SCHED_MM_INTERNAL_H
#define VRT_SCHED_MM_INTERNAL_H

#include "mm.h"
#include "../sched.h"

/* Of memory that nobody touched yet, so that a large address space costs little. */
#define NO_FOLIO 0

struct folio {
	u64 content;
	u32 mapcount;
	union {
		bool ksm; /* while in use: was merged; copied at a write */
		u32 next_free;
	};
};

struct pte {
	u32 folio; /* NO_FOLIO: none */
	u32 flags; /* MM_PAGE_YOUNG, MM_PAGE_DIRTY */
};

/* An address space. */
struct mm {
	struct mm_struct mm; /* first: BPF sees this part only */
	u32 tasks; /* that are not freed */
	u32 grabs; /* of programs */
	u32 first_used; /* no page before it has memory */
	struct pte *pte; /* of total_vm pages; NULL: there is none */
	struct list_head all; /* those with pages, the oldest first */
};

struct memory {
	u64 totalram;
	u64 used; /* folios */
	u64 shared, sharing; /* as struct mm_info has them */
	u64 oom_kills, reaped, peak, faults, copies, contents;
	struct folio *folios;
	u32 nr_folios; /* that were ever used, and the first, which is none */
	u32 room; /* for so many in @folios */
	u32 free; /* the first that is free again */
	struct list_head mms;
};
extern struct memory memory;

static inline struct mm *mm_of(const struct mm_struct *mm)
{
	return (struct mm *)mm;
}

static inline u64 mm_rss(const struct mm *mm)
{
	return mm->mm.rss_stat[MM_ANONPAGES].count;
}

static inline bool mm_test_flag(const struct mm *mm, u32 bit)
{
	return mm->mm.flags & 1UL << bit;
}

void mm_grab(struct mm *mm);
void mm_drop(struct mm *mm);
void mm_info(struct mm_info *info);

/* Of a page; NULL: it has none. */
struct folio *mm_folio(const struct mm *mm, u64 index);
/* enum mm_page_flags, all of them. */
u32 mm_page_flags(const struct mm *mm, u64 index);
/* -EAGAIN, -EEXIST, -ENOENT as bpf_mm_merge_page() */
int mm_merge(struct mm *mm, u64 index, struct mm *other, u64 other_index);
/* Gives back up to @nr pages; how many. */
u32 mm_free_pages(struct mm *mm, u32 nr);

/* mm/oom.c: there is no memory; chooses a process to be killed, unless one is. */
void mm_out_of_memory(void);

#endif
