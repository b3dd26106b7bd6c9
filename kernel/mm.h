/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of simulated tasks as BPF programs see it.
 *
 * Modelled: a process has an address space of total_vm anonymous pages, which are
 * named by their number in it, from 0. A page has memory from its first access
 * on, when that is a fault; an access sets the young bit of its page table entry,
 * a write the dirty bit. A page has content, of which only is known whether two
 * are the same. Pages may be merged, as by KSM: then they share their memory until
 * one is written to. Memory can run out: then the OOM killer chooses the process
 * that has the most.
 *
 * Not modelled: TLBs (clearing a bit or merging costs no flush), large folios,
 * VMAs, files, swap, reclaim, the zero page (a page that was only read has memory
 * of its own), nodes, and the memory of the kernel. A process that is made by fork
 * begins with an address space of its own, and empty, as after execve().
 *
 * What of this a workload does: docs/memory.md.
 */
#ifndef VRT_KERNEL_MM_H
#define VRT_KERNEL_MM_H

#include "types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)

/* mm_struct.rss_stat; Linux's enum has no name. */
enum {
	MM_FILEPAGES,
	MM_ANONPAGES,
	MM_SWAPENTS,
	MM_SHMEMPAGES,
	NR_MM_COUNTERS,
};

/* mm_struct.flags: bits */
#define MMF_OOM_SKIP 21 /* of no interest to the OOM killer: exited, or reaped */
#define MMF_OOM_REAP_QUEUED 25 /* its process is being killed for its memory */

struct percpu_counter {
	s64 count; /* Linux sums up what CPUs keep apart */
};

/* The process's: its threads have the same. Until the last of them is freed. */
struct mm_struct {
	u64 owner_pid;
	unsigned long total_vm; /* pages; 0: it uses no memory that is modelled */
	atomic_t mm_users; /* threads that have not exited */
	unsigned long flags;
	struct percpu_counter rss_stat[NR_MM_COUNTERS]; /* pages that have memory: MM_ANONPAGES */
	unsigned long ksm_merging_pages; /* of them merged with others */
};

/* What bpf_mm_page_flags() and bpf_mm_clear_flags() say of a page; not of Linux. */
enum mm_page_flags {
	MM_PAGE_PRESENT = 1, /* has memory */
	MM_PAGE_YOUNG = 2, /* was accessed since this was cleared */
	MM_PAGE_DIRTY = 4, /* was written to since this was cleared */
	MM_PAGE_KSM = 8, /* its memory is that of other pages, too */
};

/* Pages that bpf_mm_reap() frees in one call at most. */
#define MM_REAP_MAX 64

/* The machine's memory, in pages; see bpf_mm_info(). Not of Linux. */
struct mm_info {
	u64 totalram, freeram;
	u64 ksm_pages_shared; /* pages of memory that are shared */
	u64 ksm_pages_sharing; /* and how many more there would be without: what is saved */
	u64 oom_kills;
	u64 nr_reaped; /* freed by bpf_mm_reap() */
};

#endif
