// SPDX-License-Identifier: GPL-2.0-only
/*
 * periodic_ksm: looks for pages with the same content, in whatever process, and gives
 * them the same memory, until one of them is written to.
 *
 * Many processes have the same in memory: what they have read from the same file, what
 * they have computed alike, and zeroes. Linux's KSM finds such pages with a kernel thread
 * that walks through all of them, for ever, some each time it wakes up; how fast it goes
 * is a choice between memory and CPU time. As a periodic program it is that choice and
 * little more: how many pages in one run, how often, and at most how much of a CPU
 * (cpu_quota_us).
 *
 *	A page that was written to since the last time round is left alone, as it may
 *	be again: KSM compares checksums of two rounds for that, here the dirty bit says so
 *
 *	A page is looked up by its checksum, first among those that are merged ("stable"),
 *	then among those of this round ("unstable"). The checksum only says where to look:
 *	bpf_mm_merge_page() compares all bytes, and takes none but equal pages
 *
 * Memory of tasks is modelled on the simulated machine alone, so that is where it runs.
 *
 * What to look for when it runs: how much memory is saved in the end, what that costs
 * ("share of a CPU"), and how both go down with pages_to_scan.
 *
 *	vrt run eevdf --with periodic_ksm -m 4 -w workloads/same-pages.json \
 *		--print periodic.bss
 */
#include <vrt/mm.bpf.h>

#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define EEXIST 17

const volatile u32 pages_to_scan = 1000; /* of a run */
const volatile u32 max_processes = 64; /* looked into in one run */

/* A page of a process. */
struct page_id {
	s32 pid;
	u32 index;
};

struct candidate {
	struct page_id page;
	u64 round; /* in which it was seen; those of other rounds are forgotten */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u32); /* checksum */
	__type(value, struct page_id);
} stable SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u32);
	__type(value, struct candidate);
} unstable SEC(".maps");

/* Where it goes on. */
struct page_id next;

u64 nr_rounds, nr_scanned, nr_changing, nr_merged, nr_differed;

/* --- one page ---------------------------------------------------------------------- */

/* True: now it has the memory of @with, or had it before. */
static bool merge(struct mm_struct *mm, u32 index, const struct page_id *with)
{
	struct mm_struct *other = mm_of_pid(with->pid);
	int err;

	if (!other)
		return false;
	err = bpf_mm_merge_page(mm, index, other, with->index);
	bpf_mm_drop(other);
	if (err && err != -EEXIST) {
		nr_differed++;
		return false;
	}
	nr_merged += !err;
	return true;
}

static void look_for_same(struct mm_struct *mm, const struct page_id *page, u32 sum)
{
	struct candidate fresh = { .page = *page, .round = nr_rounds }, *c;
	struct page_id *merged = bpf_map_lookup_elem(&stable, &sum);

	if (merged) {
		if (merge(mm, page->index, merged))
			return;
		bpf_map_delete_elem(&stable, &sum); /* it has been written to, or is gone */
	}
	c = bpf_map_lookup_elem(&unstable, &sum);
	if (c && c->round == nr_rounds && merge(mm, page->index, &c->page)) {
		bpf_map_update_elem(&stable, &sum, &c->page, BPF_ANY);
		bpf_map_delete_elem(&unstable, &sum);
		return;
	}
	bpf_map_update_elem(&unstable, &sum, &fresh, BPF_ANY);
}

static void scan_page(struct mm_struct *mm, const struct page_id *page)
{
	int flags = bpf_mm_page_flags(mm, page->index);
	s64 sum;

	if (flags < 0 || !(flags & MM_PAGE_PRESENT) || flags & MM_PAGE_KSM)
		return;
	if (bpf_mm_clear_flags(mm, page->index, MM_PAGE_DIRTY)) {
		nr_changing++;
		return;
	}
	sum = bpf_mm_page_checksum(mm, page->index);
	if (sum >= 0)
		look_for_same(mm, page, sum);
}

/* --- all of them, again and again ----------------------------------------------------- */

/* The process after @pid that has memory; 0: that was the last. */
static s32 process_after(s32 pid)
{
	struct task_struct *p;

	bpf_for_each(task, p, NULL, BPF_TASK_ITER_ALL_PROCS) {
		if (p->pid > pid && p->mm && p->mm->total_vm)
			return p->pid;
	}
	return 0;
}

/* Goes on in the process at hand, and to the next one where it ends. How many pages. */
static u32 scan_process(u32 budget)
{
	struct mm_struct *mm = mm_of_pid(next.pid);
	u32 i, left = 0;

	if (mm) {
		left = mm->total_vm > next.index ? mm->total_vm - next.index : 0;
		left = left < budget ? left : budget;
		bpf_for(i, 0, left) {
			struct page_id page = { next.pid, next.index + i };

			scan_page(mm, &page);
		}
		next.index += left;
		bpf_mm_drop(mm);
		if (left == budget)
			return left;
	}
	next.pid = process_after(next.pid);
	next.index = 0;
	if (!next.pid)
		nr_rounds++;
	return left;
}

SEC("struct_ops/ksm_run")
int BPF_PROG(ksm_run, struct bpf_periodic_ctx *tick)
{
	u32 i, done = 0;

	bpf_for(i, 0, max_processes) {
		done += scan_process(pages_to_scan - done);
		if (done >= pages_to_scan)
			break;
	}
	nr_scanned += done;
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops ksm = {
	.run = (void *)ksm_run,
	.period_ns = 20000000,
	.nice = 5, /* as KSM's thread */
	.name = "ksm",
};
