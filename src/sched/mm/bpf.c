// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kfuncs on the memory of simulated tasks (kernel/kfuncs.h), and what they
 * cost: walking to a page, and reading or comparing all of it. In a program that
 * is a thread's own work that is the thread's time.
 */
#include "../../../kernel/kfuncs.h"
#include "../../../kernel/periodic.h"
#include "../../base/hash.h"
#include "../../bpf/bpf.h"
#include "internal.h"

static void take(u64 ns)
{
	if (kthread_in_program())
		task_spend(ns);
	else
		charge_overhead(TRACE_OVH_BPF, ns);
	cpu_sync();
}

struct mm_struct *bpf_task_mm_grab(struct task_struct *task)
{
	if (!task->mm)
		return NULL;
	mm_grab(mm_of(task->mm));
	return task->mm;
}

void bpf_mm_drop(struct mm_struct *mm)
{
	mm_drop(mm_of(mm));
}

int bpf_mm_page_flags(struct mm_struct *mm, u64 index)
{
	take(costs.page_walk);
	return index < mm->total_vm ? (int)mm_page_flags(mm_of(mm), index) : -ERANGE;
}

int bpf_mm_clear_flags(struct mm_struct *mm, u64 index, u32 flags)
{
	u32 was;

	take(costs.page_walk);
	if (index >= mm->total_vm)
		return -ERANGE;
	was = mm_page_flags(mm_of(mm), index) & flags & (MM_PAGE_YOUNG | MM_PAGE_DIRTY);
	if (was)
		mm_of(mm)->pte[index].flags &= ~was;
	return was;
}

s64 bpf_mm_page_checksum(struct mm_struct *mm, u64 index)
{
	const struct folio *f;

	take(costs.page_walk + costs.page_copy);
	if (index >= mm->total_vm)
		return -ERANGE;
	f = mm_folio(mm_of(mm), index);
	return f ? (s64)(u32)hash64(&f->content, sizeof(f->content), 0) : -ENOENT;
}

int bpf_mm_merge_page(struct mm_struct *mm, u64 index, struct mm_struct *other, u64 other_index)
{
	take(2 * costs.page_walk + costs.page_copy);
	if (index >= mm->total_vm || other_index >= other->total_vm)
		return -ERANGE;
	return mm_merge(mm_of(mm), index, mm_of(other), other_index);
}

int bpf_mm_reap(struct mm_struct *mm, u32 nr)
{
	u32 freed;

	take(costs.page_walk);
	if (!mm_test_flag(mm_of(mm), MMF_OOM_REAP_QUEUED))
		return -EINVAL;
	freed = mm_free_pages(mm_of(mm), min(nr, (u32)MM_REAP_MAX));
	memory.reaped += freed;
	if (!mm_rss(mm_of(mm)))
		mm->flags |= 1UL << MMF_OOM_SKIP;
	take(freed * costs.page_free);
	return freed;
}

void bpf_mm_info(struct mm_info *info)
{
	take(0);
	mm_info(info);
}

#define KFUNC_ENTRY(name, flags) { #name, (void *)name, flags }

static const struct bpf_kfunc mm_kfuncs[] = {
	KFUNC_ENTRY(bpf_task_mm_grab, KF_ACQUIRE | KF_RCU | KF_RET_NULL | KF_TIMELESS),
	KFUNC_ENTRY(bpf_mm_drop, KF_RELEASE),
	KFUNC_ENTRY(bpf_mm_page_flags, KF_TRUSTED_ARGS),
	KFUNC_ENTRY(bpf_mm_clear_flags, KF_TRUSTED_ARGS),
	KFUNC_ENTRY(bpf_mm_page_checksum, KF_TRUSTED_ARGS),
	KFUNC_ENTRY(bpf_mm_merge_page, KF_TRUSTED_ARGS),
	KFUNC_ENTRY(bpf_mm_reap, KF_TRUSTED_ARGS),
	KFUNC_ENTRY(bpf_mm_info, 0),
};

static const struct bpf_kfunc_set mm_sets[] = {
	{ .funcs = mm_kfuncs, .nr = ARRAY_SIZE(mm_kfuncs), .prog_type = BPF_PROG_TYPE_STRUCT_OPS },
	{ .funcs = mm_kfuncs, .nr = ARRAY_SIZE(mm_kfuncs), .prog_type = BPF_PROG_TYPE_SYSCALL },
	{ .funcs = mm_kfuncs, .nr = ARRAY_SIZE(mm_kfuncs),
	  .prog_type = (enum bpf_prog_type)BPF_PROG_TYPE_PERIODIC },
};

static void mm_dtor(void *mm)
{
	bpf_mm_drop(mm);
}

int mm_register(void)
{
	int err = bpf_register_dtor("mm_struct", mm_dtor);

	for (u32 i = 0; !err && i < ARRAY_SIZE(mm_sets); i++)
		err = bpf_register_kfuncs(&mm_sets[i]);
	return err;
}
