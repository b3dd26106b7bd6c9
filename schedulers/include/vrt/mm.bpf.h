/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs need that look after the memory of tasks: the processes, and the
 * kfuncs on their memory (docs/memory.md). Only the simulated machine has them, which
 * is why they are not __weak: elsewhere an object that calls them is refused.
 */
#ifndef VRT_MM_BPF_H
#define VRT_MM_BPF_H

#include <vmlinux.h>

#include <bpf/bpf_helpers.h>

#define PAGE_SIZE 4096

/* mm_struct.flags: bits */
#define MMF_OOM_SKIP 21
#define MMF_OOM_REAP_QUEUED 25

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

/* bpf_for_each(task, p, NULL, BPF_TASK_ITER_ALL_PROCS) { ... } */
int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task,
		      unsigned int flags) __ksym;
struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;

struct mm_struct *bpf_task_mm_grab(struct task_struct *task) __ksym;
void bpf_mm_drop(struct mm_struct *mm) __ksym;
int bpf_mm_page_flags(struct mm_struct *mm, u64 index) __ksym;
int bpf_mm_clear_flags(struct mm_struct *mm, u64 index, u32 flags) __ksym;
s64 bpf_mm_page_checksum(struct mm_struct *mm, u64 index) __ksym;
int bpf_mm_merge_page(struct mm_struct *mm, u64 index, struct mm_struct *other,
		      u64 other_index) __ksym;
int bpf_mm_reap(struct mm_struct *mm, u32 nr) __ksym;
void bpf_mm_info(struct mm_info *info) __ksym;

/* The memory of a process; NULL: there is none of that pid. To be dropped. */
static __always_inline struct mm_struct *mm_of_pid(s32 pid)
{
	struct task_struct *p = bpf_task_from_pid(pid);
	struct mm_struct *mm = NULL;

	if (p) {
		mm = bpf_task_mm_grab(p);
		bpf_task_release(p);
	}
	return mm;
}

#endif
