// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces of simulated tasks and the memory of the machine: faults,
 * accesses, merging and freeing.
 *
 * An mm_struct is shared by the threads of a process; it stays until the last of
 * them is freed and programs have dropped it. Its pages go when its last thread
 * exits, at the latest. Folios are taken from the free list, last in first out,
 * and from the end of the array: which one a page gets depends on what was done
 * before alone. The array holds as many as were ever in use at once.
 */
#include "../../base/alloc.h"
#include "internal.h"

struct memory memory;

#define CONTENT_OWN (1ULL << 63)

/* --- folios -------------------------------------------------------------------- */

void mm_boot(void)
{
	memory = (struct memory){ .totalram = MM_TOTALRAM_DFL, .nr_folios = 1 };
	INIT_LIST_HEAD(&memory.mms);
}

void mm_shutdown(void)
{
	free(memory.folios);
	memory.folios = NULL;
}

void mm_set_totalram(u64 pages)
{
	VRT_ASSERT(!memory.used && pages && pages <= MM_MAX_PAGES);
	memory.totalram = pages;
}

static u32 folio_alloc(u64 content)
{
	u32 i = memory.free;

	VRT_ASSERT(memory.used < memory.totalram);
	if (i != NO_FOLIO) {
		memory.free = memory.folios[i].next_free;
	} else {
		if (memory.nr_folios >= memory.room) {
			memory.room = max(memory.room * 2, 1024u);
			memory.folios = xreallocarray(memory.folios, memory.room,
						      sizeof(*memory.folios));
		}
		i = memory.nr_folios++;
	}
	memory.folios[i] = (struct folio){ .content = content, .mapcount = 1 };
	memory.used++;
	memory.peak = max(memory.peak, memory.used);
	return i;
}

/* One page less has it. */
static void folio_put(u32 i)
{
	struct folio *f = &memory.folios[i];

	f->mapcount--;
	if (f->ksm && f->mapcount)
		memory.sharing--;
	if (f->mapcount)
		return;
	memory.shared -= f->ksm;
	f->next_free = memory.free;
	memory.free = i;
	memory.used--;
}

/* --- pages ------------------------------------------------------------------------ */

struct folio *mm_folio(const struct mm *mm, u64 index)
{
	u32 i;

	if (!mm->pte || index >= mm->mm.total_vm)
		return NULL;
	i = mm->pte[index].folio;
	return i == NO_FOLIO ? NULL : &memory.folios[i];
}

static void set_folio(struct mm *mm, u64 index, u32 folio)
{
	mm->pte[index].folio = folio;
	mm->first_used = min(mm->first_used, (u32)index);
}

/* The page's own: with mapcount, so that who merges is not counted who was merged with. */
static void drop_folio(struct mm *mm, u64 index)
{
	u32 i = mm->pte[index].folio;

	mm->mm.ksm_merging_pages -= memory.folios[i].ksm;
	mm->pte[index].folio = NO_FOLIO;
	folio_put(i);
}

u32 mm_page_flags(const struct mm *mm, u64 index)
{
	const struct folio *f = mm_folio(mm, index);

	if (!f)
		return 0;
	return MM_PAGE_PRESENT | mm->pte[index].flags | (f->ksm ? MM_PAGE_KSM : 0);
}

u32 mm_free_pages(struct mm *mm, u32 nr)
{
	u32 freed = 0, i = mm->first_used;

	for (; mm->pte && freed < nr && mm_rss(mm) && i < mm->mm.total_vm; i++) {
		if (mm->pte[i].folio == NO_FOLIO)
			continue;
		drop_folio(mm, i);
		mm->pte[i].flags = 0;
		mm->mm.rss_stat[MM_ANONPAGES].count--;
		freed++;
	}
	mm->first_used = i;
	return freed;
}

int mm_merge(struct mm *mm, u64 index, struct mm *other, u64 other_index)
{
	struct folio *f = mm_folio(mm, index), *with = mm_folio(other, other_index);

	if (!f || !with)
		return -ENOENT;
	if (f == with)
		return -EEXIST;
	if (f->content != with->content)
		return -EAGAIN;
	if (!with->ksm) {
		with->ksm = true;
		other->mm.ksm_merging_pages++;
		memory.shared++;
	}
	with->mapcount++;
	memory.sharing++;
	drop_folio(mm, index);
	mm->pte[index].folio = other->pte[other_index].folio;
	mm->mm.ksm_merging_pages++;
	return 0;
}

/* --- accesses ------------------------------------------------------------------------- */

static struct mm *current_mm(void)
{
	struct mm *mm = mm_of(current_task()->ts.mm);

	VRT_ASSERT(mm && mm->pte);
	return mm;
}

bool mm_killed(void)
{
	const struct mm_struct *mm = current_task()->ts.mm;

	return mm && mm_test_flag(mm_of(mm), MMF_OOM_REAP_QUEUED);
}

/* True: there is memory for one more page. */
static bool fault_in(u64 ns)
{
	charge_overhead(TRACE_OVH_SYSCALL, ns);
	cpu_sync();
	if (memory.used < memory.totalram)
		return true;
	mm_out_of_memory();
	return false;
}

/* Its first access; others may have come first meanwhile. */
static int fault(struct mm *mm, u64 index)
{
	if (!fault_in(costs.page_fault))
		return -EAGAIN;
	if (mm_killed() || mm_folio(mm, index))
		return 0;
	memory.faults++;
	set_folio(mm, index, folio_alloc(MM_CONTENT_ZERO));
	mm->mm.rss_stat[MM_ANONPAGES].count++;
	return 0;
}

/* Like KSM's in Linux, a page is copied even when nobody else has it any more. */
static int break_cow(struct mm *mm, u64 index)
{
	const struct folio *f = mm_folio(mm, index);

	if (!f->ksm)
		return 0;
	if (!fault_in(costs.page_fault + costs.page_copy))
		return -EAGAIN;
	f = mm_folio(mm, index);
	if (mm_killed() || !f || !f->ksm)
		return 0;
	memory.copies++;
	drop_folio(mm, index);
	set_folio(mm, index, folio_alloc(MM_CONTENT_ZERO)); /* about to be written */
	return 0;
}

static int touch(struct mm *mm, u64 index, bool write)
{
	int err = 0;

	VRT_ASSERT(index < mm->mm.total_vm);
	cpu_sync();
	if (!mm_killed() && !mm_folio(mm, index))
		err = fault(mm, index);
	if (!err && !mm_killed() && write)
		err = break_cow(mm, index);
	if (mm_killed())
		return -EFAULT;
	if (!err)
		mm->pte[index].flags |= write ? MM_PAGE_YOUNG | MM_PAGE_DIRTY : MM_PAGE_YOUNG;
	return err;
}

int mm_read(u64 index)
{
	return touch(current_mm(), index, false);
}

int mm_write(u64 index, u64 content)
{
	struct mm *mm = current_mm();
	int err = touch(mm, index, true);

	if (!err)
		mm_folio(mm, index)->content = content;
	return err;
}

u64 mm_content_own(void)
{
	return CONTENT_OWN | ++memory.contents;
}

u64 mm_unmap(u32 nr)
{
	struct mm *mm = mm_of(current_task()->ts.mm);

	cpu_sync();
	if (!mm || mm->mm.mm_users.counter > 1)
		return 0;
	return mm_free_pages(mm, nr) * costs.page_free;
}

/* --- life ----------------------------------------------------------------------------- */

int mm_map(struct task *task, u64 pages)
{
	struct mm *mm = mm_of(task->ts.mm);

	VRT_ASSERT(mm && !mm->pte && pages && pages <= MM_MAX_PAGES);
	mm->pte = xcalloc(pages, sizeof(*mm->pte));
	mm->mm.total_vm = pages;
	list_add_tail(&mm->all, &memory.mms);
	return 0;
}

void mm_fork(struct task *t, const struct task *leader)
{
	struct mm *mm = leader ? mm_of(leader->ts.mm) : sched_alloc(OBJ_MM, sizeof(*mm));

	if (!mm)
		return;
	if (!leader) {
		mm->mm.owner_pid = t->ts.pid;
		INIT_LIST_HEAD(&mm->all);
	}
	t->ts.mm = &mm->mm;
	mm->mm.mm_users.counter++;
	mm->tasks++;
}

static void free_space(struct mm *mm)
{
	mm_free_pages(mm, mm_rss(mm));
	list_del_init(&mm->all);
	free(mm->pte);
	mm->pte = NULL;
}

void mm_exit(struct task *t)
{
	struct mm *mm = mm_of(t->ts.mm);

	if (!mm || --mm->mm.mm_users.counter)
		return;
	mm->mm.flags |= 1UL << MMF_OOM_SKIP;
	if (mm->pte)
		free_space(mm);
}

static void free_unused(struct mm *mm)
{
	if (mm->tasks || mm->grabs)
		return;
	if (mm->pte) /* the machine has stopped before it exited */
		free_space(mm);
	kheap_free(mm);
}

void mm_task_free(struct task *t)
{
	struct mm *mm = mm_of(t->ts.mm);

	if (!mm)
		return;
	mm->tasks--;
	free_unused(mm);
}

void mm_grab(struct mm *mm)
{
	mm->grabs++;
}

void mm_drop(struct mm *mm)
{
	/* what tasks hold a program cannot end */
	if (!mm->grabs)
		return;
	mm->grabs--;
	free_unused(mm);
}

/* --- figures and books ------------------------------------------------------------------- */

void mm_info(struct mm_info *info)
{
	*info = (struct mm_info){
		.totalram = memory.totalram,
		.freeram = memory.totalram - memory.used,
		.ksm_pages_shared = memory.shared,
		.ksm_pages_sharing = memory.sharing,
		.oom_kills = memory.oom_kills,
		.nr_reaped = memory.reaped,
	};
}

void mm_stats(struct mm_stats *stats)
{
	mm_info(&stats->info);
	stats->peak = memory.peak;
	stats->faults = memory.faults;
	stats->copies = memory.copies;
}

const char *mm_check(void)
{
	u64 pages = 0, rss = 0, mapcount = 0, used = 0;
	const struct mm *mm;

	list_for_each_entry(mm, &memory.mms, all) {
		rss += mm_rss(mm);
		for (u64 i = 0; i < mm->mm.total_vm; i++)
			pages += mm->pte[i].folio != NO_FOLIO;
	}
	for (u32 i = 1; i < memory.nr_folios; i++) {
		mapcount += memory.folios[i].mapcount;
		used += memory.folios[i].mapcount > 0;
	}
	if (pages != rss)
		return "memory: processes have other pages than their rss_stat says";
	if (pages != mapcount)
		return "memory: folios are mapped by other pages than there are";
	return used == memory.used ? NULL : "memory: other folios are in use than were allocated";
}
