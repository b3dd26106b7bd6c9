/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every kfunc of the runtime, once: in the runtime these are prototypes, in
 * anchor.bpf.c empty definitions, so that the kernel BTF has a FUNC for each.
 *
 * Names of parameters are part of the ABI. The verifier reads their endings:
 *	__k		a constant known at load
 *	__ign		not checked
 *	__sz, __szk	size of the memory that the previous parameter points to
 *	__opt		may be NULL
 *	__nullable	may be NULL
 *	__uninit	a dynptr or buffer that the kfunc initialises
 *	__map		a map
 *	__iter		an iterator
 *	__alloc, __refcounted_kptr	an object of the program's own type
 *
 * A kfunc that is listed here must be registered (bpf_register_kfuncs()) by the
 * room that implements it, and in tests/conformance/manifest.txt. KERNEL_SINCE()
 * and KERNEL_UNTIL() say which generations of Linux have it (generation.h);
 * without them all have.
 */
#ifndef VRT_KERNEL_KFUNCS_H
#define VRT_KERNEL_KFUNCS_H

#include "bpf_types.h"
#include "cgroup.h"
#include "ext.h"
#include "generation.h"
#include "mm.h"
#include "periodic.h"
#include "sched.h"
#include "types.h"

struct bpf_map;

#ifndef KFUNC
#define KFUNC(ret, name, ...) ret name(__VA_ARGS__)
#define KFUNC_VOID(name, ...) void name(__VA_ARGS__)
#endif

/* --- sched_ext ----------------------------------------------------------- */

KFUNC(s32, scx_bpf_create_dsq, u64 dsq_id, s32 node);
KFUNC_VOID(scx_bpf_destroy_dsq, u64 dsq_id);
KFUNC(s32, scx_bpf_dsq_nr_queued, u64 dsq_id);
KERNEL_SINCE(7.0) KFUNC(struct task_struct *, scx_bpf_dsq_peek, u64 dsq_id);

KFUNC(s32, scx_bpf_select_cpu_dfl, struct task_struct *p, s32 prev_cpu, u64 wake_flags,
      bool *is_idle);
KERNEL_SINCE(7.0) KFUNC(s32, scx_bpf_select_cpu_and, struct task_struct *p, s32 prev_cpu,
			u64 wake_flags, const struct cpumask *cpus_allowed, u64 flags);
KERNEL_SINCE(7.0) KFUNC(s32, __scx_bpf_select_cpu_and, struct task_struct *p,
			const struct cpumask *cpus_allowed,
			struct scx_bpf_select_cpu_and_args *args);

/* 6.13 to 6.17 have both the old names and the new ones; no generation here is of those. */
KERNEL_UNTIL(6.12) KFUNC_VOID(scx_bpf_dispatch, struct task_struct *p, u64 dsq_id, u64 slice,
			      u64 enq_flags);
KERNEL_UNTIL(6.12) KFUNC_VOID(scx_bpf_dispatch_vtime, struct task_struct *p, u64 dsq_id,
			      u64 slice, u64 vtime, u64 enq_flags);
KERNEL_UNTIL(6.12) KFUNC(bool, scx_bpf_consume, u64 dsq_id);
KERNEL_UNTIL(6.12) KFUNC_VOID(scx_bpf_dispatch_from_dsq_set_slice,
			      struct bpf_iter_scx_dsq *it__iter, u64 slice);
KERNEL_UNTIL(6.12) KFUNC_VOID(scx_bpf_dispatch_from_dsq_set_vtime,
			      struct bpf_iter_scx_dsq *it__iter, u64 vtime);
KERNEL_UNTIL(6.12) KFUNC(bool, scx_bpf_dispatch_from_dsq, struct bpf_iter_scx_dsq *it__iter,
			 struct task_struct *p, u64 dsq_id, u64 enq_flags);
KERNEL_UNTIL(6.12) KFUNC(bool, scx_bpf_dispatch_vtime_from_dsq, struct bpf_iter_scx_dsq *it__iter,
			 struct task_struct *p, u64 dsq_id, u64 enq_flags);

KERNEL_SINCE(7.0) KFUNC_VOID(scx_bpf_dsq_insert, struct task_struct *p, u64 dsq_id, u64 slice,
			     u64 enq_flags);
KERNEL_SINCE(7.0) KFUNC(bool, scx_bpf_dsq_insert___v2, struct task_struct *p, u64 dsq_id,
			u64 slice, u64 enq_flags);
KERNEL_SINCE(7.0) KFUNC_VOID(scx_bpf_dsq_insert_vtime, struct task_struct *p, u64 dsq_id,
			     u64 slice, u64 vtime, u64 enq_flags);
KERNEL_SINCE(7.0) KFUNC(bool, __scx_bpf_dsq_insert_vtime, struct task_struct *p,
			struct scx_bpf_dsq_insert_vtime_args *args);
KERNEL_SINCE(7.0) KFUNC(bool, scx_bpf_dsq_move_to_local, u64 dsq_id);
KERNEL_SINCE(7.0) KFUNC_VOID(scx_bpf_dsq_move_set_slice, struct bpf_iter_scx_dsq *it__iter,
			     u64 slice);
KERNEL_SINCE(7.0) KFUNC_VOID(scx_bpf_dsq_move_set_vtime, struct bpf_iter_scx_dsq *it__iter,
			     u64 vtime);
KERNEL_SINCE(7.0) KFUNC(bool, scx_bpf_dsq_move, struct bpf_iter_scx_dsq *it__iter,
			struct task_struct *p, u64 dsq_id, u64 enq_flags);
KERNEL_SINCE(7.0) KFUNC(bool, scx_bpf_dsq_move_vtime, struct bpf_iter_scx_dsq *it__iter,
			struct task_struct *p, u64 dsq_id, u64 enq_flags);

/*
 * What calls of dispatch and insert get, by where they are (contexts.c of
 * sched_ext). No Linux has them, and no program may call them.
 */
KFUNC(bool, scx_bpf_dispatch_direct, struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags);
KFUNC(bool, scx_bpf_dispatch_buffered, struct task_struct *p, u64 dsq_id, u64 slice,
      u64 enq_flags);
KFUNC(bool, scx_bpf_dispatch_vtime_direct, struct task_struct *p, u64 dsq_id, u64 slice,
      u64 vtime, u64 enq_flags);
KFUNC(bool, scx_bpf_dispatch_vtime_buffered, struct task_struct *p, u64 dsq_id, u64 slice,
      u64 vtime, u64 enq_flags);
KERNEL_SINCE(7.0) KFUNC(bool, __scx_bpf_dispatch_vtime_direct, struct task_struct *p,
			struct scx_bpf_dsq_insert_vtime_args *args);
KERNEL_SINCE(7.0) KFUNC(bool, __scx_bpf_dispatch_vtime_buffered, struct task_struct *p,
			struct scx_bpf_dsq_insert_vtime_args *args);

KFUNC(u32, scx_bpf_dispatch_nr_slots, void);
KFUNC_VOID(scx_bpf_dispatch_cancel, void);
KFUNC(u32, scx_bpf_reenqueue_local, void);
KERNEL_SINCE(7.0) KFUNC_VOID(scx_bpf_reenqueue_local___v2, void);

KFUNC(int, bpf_iter_scx_dsq_new, struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags);
KFUNC(struct task_struct *, bpf_iter_scx_dsq_next, struct bpf_iter_scx_dsq *it);
KFUNC_VOID(bpf_iter_scx_dsq_destroy, struct bpf_iter_scx_dsq *it);

KFUNC_VOID(scx_bpf_kick_cpu, s32 cpu, u64 flags);
KFUNC_VOID(scx_bpf_exit_bstr, s64 exit_code, char *fmt, unsigned long long *data, u32 data__sz);
KFUNC_VOID(scx_bpf_error_bstr, char *fmt, unsigned long long *data, u32 data__sz);
KFUNC_VOID(scx_bpf_dump_bstr, char *fmt, unsigned long long *data, u32 data__sz);

KFUNC(u32, scx_bpf_cpuperf_cap, s32 cpu);
KFUNC(u32, scx_bpf_cpuperf_cur, s32 cpu);
KFUNC_VOID(scx_bpf_cpuperf_set, s32 cpu, u32 perf);

KFUNC(u32, scx_bpf_nr_cpu_ids, void);
KFUNC(const struct cpumask *, scx_bpf_get_possible_cpumask, void);
KFUNC(const struct cpumask *, scx_bpf_get_online_cpumask, void);
KFUNC_VOID(scx_bpf_put_cpumask, const struct cpumask *cpumask);
KFUNC(const struct cpumask *, scx_bpf_get_idle_cpumask, void);
KFUNC(const struct cpumask *, scx_bpf_get_idle_smtmask, void);
KFUNC_VOID(scx_bpf_put_idle_cpumask, const struct cpumask *idle_mask);
KFUNC(bool, scx_bpf_test_and_clear_cpu_idle, s32 cpu);
KFUNC(s32, scx_bpf_pick_idle_cpu, const struct cpumask *cpus_allowed, u64 flags);
KFUNC(s32, scx_bpf_pick_any_cpu, const struct cpumask *cpus_allowed, u64 flags);

KERNEL_SINCE(7.0) KFUNC(u32, scx_bpf_nr_node_ids, void);
KERNEL_SINCE(7.0) KFUNC(int, scx_bpf_cpu_node, s32 cpu);
KERNEL_SINCE(7.0) KFUNC(const struct cpumask *, scx_bpf_get_idle_cpumask_node, int node);
KERNEL_SINCE(7.0) KFUNC(const struct cpumask *, scx_bpf_get_idle_smtmask_node, int node);
KERNEL_SINCE(7.0) KFUNC(s32, scx_bpf_pick_idle_cpu_node, const struct cpumask *cpus_allowed,
			int node, u64 flags);
KERNEL_SINCE(7.0) KFUNC(s32, scx_bpf_pick_any_cpu_node, const struct cpumask *cpus_allowed,
			int node, u64 flags);

KFUNC(bool, scx_bpf_task_running, const struct task_struct *p);
KFUNC(s32, scx_bpf_task_cpu, const struct task_struct *p);
KFUNC(struct rq *, scx_bpf_cpu_rq, s32 cpu);
KERNEL_SINCE(7.0) KFUNC(struct rq *, scx_bpf_locked_rq, void);
KERNEL_SINCE(7.0) KFUNC(struct task_struct *, scx_bpf_cpu_curr, s32 cpu);
KERNEL_SINCE(7.0) KFUNC(bool, scx_bpf_task_set_slice, struct task_struct *p, u64 slice);
KERNEL_SINCE(7.0) KFUNC(bool, scx_bpf_task_set_dsq_vtime, struct task_struct *p, u64 vtime);
KERNEL_SINCE(7.0) KFUNC(u64, scx_bpf_now, void);
KFUNC(struct cgroup *, scx_bpf_task_cgroup, struct task_struct *p);

/* --- tasks and cgroups ----------------------------------------------------- */

KFUNC(struct task_struct *, bpf_task_acquire, struct task_struct *p);
KFUNC_VOID(bpf_task_release, struct task_struct *p);
KFUNC(struct task_struct *, bpf_task_from_pid, s32 pid);

KFUNC(int, bpf_iter_task_new, struct bpf_iter_task *it, struct task_struct *task__nullable,
      unsigned int flags);
KFUNC(struct task_struct *, bpf_iter_task_next, struct bpf_iter_task *it);
KFUNC_VOID(bpf_iter_task_destroy, struct bpf_iter_task *it);

KFUNC(struct cgroup *, bpf_cgroup_acquire, struct cgroup *cgrp);
KFUNC_VOID(bpf_cgroup_release, struct cgroup *cgrp);
KFUNC(struct cgroup *, bpf_cgroup_ancestor, struct cgroup *cgrp, int level);
KFUNC(struct cgroup *, bpf_cgroup_from_id, u64 cgid);
KFUNC(long, bpf_task_under_cgroup, struct task_struct *task, struct cgroup *ancestor);

KFUNC(int, bpf_iter_css_new, struct bpf_iter_css *it, struct cgroup_subsys_state *start,
      unsigned int flags);
KFUNC(struct cgroup_subsys_state *, bpf_iter_css_next, struct bpf_iter_css *it);
KFUNC_VOID(bpf_iter_css_destroy, struct bpf_iter_css *it);

KFUNC(int, bpf_iter_css_task_new, struct bpf_iter_css_task *it, struct cgroup_subsys_state *css,
      unsigned int flags);
KFUNC(struct task_struct *, bpf_iter_css_task_next, struct bpf_iter_css_task *it);
KFUNC_VOID(bpf_iter_css_task_destroy, struct bpf_iter_css_task *it);

/* --- memory of simulated tasks (mm.h): of no Linux -------------------------------- */

/* Of a task that is no kernel thread; NULL: it is one. */
KFUNC(struct mm_struct *, bpf_task_mm_grab, struct task_struct *task);
KFUNC_VOID(bpf_mm_drop, struct mm_struct *mm);

/* All of a page: enum mm_page_flags or what was asked for, or -ERANGE from total_vm on. */
KFUNC(int, bpf_mm_page_flags, struct mm_struct *mm, u64 index);
/* Clears of MM_PAGE_YOUNG and MM_PAGE_DIRTY those in @flags: which of them were set. */
KFUNC(int, bpf_mm_clear_flags, struct mm_struct *mm, u64 index, u32 flags);
/* 32 bits that are the same for the same content; -ENOENT: the page has no memory. */
KFUNC(s64, bpf_mm_page_checksum, struct mm_struct *mm, u64 index);
/*
 * Compares two pages, byte by byte; if they are the same, @mm's gets the memory of
 * @other's, and both are copied when they are written to. -EAGAIN: they differ;
 * -EEXIST: they share it already; -ENOENT: one has no memory.
 */
KFUNC(int, bpf_mm_merge_page, struct mm_struct *mm, u64 index, struct mm_struct *other,
      u64 other_index);
/*
 * Frees up to @nr pages (MM_REAP_MAX at most) of a process that is being killed for
 * its memory: how many; 0: it has none left. -EINVAL: it is not being killed.
 */
KFUNC(int, bpf_mm_reap, struct mm_struct *mm, u32 nr);
KFUNC_VOID(bpf_mm_info, struct mm_info *info);

/* --- masks ------------------------------------------------------------------ */

KFUNC(struct bpf_cpumask *, bpf_cpumask_create, void);
KFUNC(struct bpf_cpumask *, bpf_cpumask_acquire, struct bpf_cpumask *cpumask);
KFUNC_VOID(bpf_cpumask_release, struct bpf_cpumask *cpumask);
KFUNC(u32, bpf_cpumask_first, const struct cpumask *cpumask);
KFUNC(u32, bpf_cpumask_first_zero, const struct cpumask *cpumask);
KFUNC(u32, bpf_cpumask_first_and, const struct cpumask *src1, const struct cpumask *src2);
KFUNC_VOID(bpf_cpumask_set_cpu, u32 cpu, struct bpf_cpumask *cpumask);
KFUNC_VOID(bpf_cpumask_clear_cpu, u32 cpu, struct bpf_cpumask *cpumask);
KFUNC(bool, bpf_cpumask_test_cpu, u32 cpu, const struct cpumask *cpumask);
KFUNC(bool, bpf_cpumask_test_and_set_cpu, u32 cpu, struct bpf_cpumask *cpumask);
KFUNC(bool, bpf_cpumask_test_and_clear_cpu, u32 cpu, struct bpf_cpumask *cpumask);
KFUNC_VOID(bpf_cpumask_setall, struct bpf_cpumask *cpumask);
KFUNC_VOID(bpf_cpumask_clear, struct bpf_cpumask *cpumask);
KFUNC(bool, bpf_cpumask_and, struct bpf_cpumask *dst, const struct cpumask *src1,
      const struct cpumask *src2);
KFUNC_VOID(bpf_cpumask_or, struct bpf_cpumask *dst, const struct cpumask *src1,
	   const struct cpumask *src2);
KFUNC_VOID(bpf_cpumask_xor, struct bpf_cpumask *dst, const struct cpumask *src1,
	   const struct cpumask *src2);
KFUNC(bool, bpf_cpumask_equal, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(bool, bpf_cpumask_intersects, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(bool, bpf_cpumask_subset, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(bool, bpf_cpumask_empty, const struct cpumask *cpumask);
KFUNC(bool, bpf_cpumask_full, const struct cpumask *cpumask);
KFUNC_VOID(bpf_cpumask_copy, struct bpf_cpumask *dst, const struct cpumask *src);
KFUNC(u32, bpf_cpumask_any_distribute, const struct cpumask *cpumask);
KFUNC(u32, bpf_cpumask_any_and_distribute, const struct cpumask *src1, const struct cpumask *src2);
KFUNC(u32, bpf_cpumask_weight, const struct cpumask *cpumask);

/* --- objects, lists and trees of the program's own --------------------------- */

KFUNC(void *, bpf_obj_new_impl, u64 local_type_id__k, void *meta__ign);
KFUNC_VOID(bpf_obj_drop_impl, void *p__alloc, void *meta__ign);
KFUNC(void *, bpf_percpu_obj_new_impl, u64 local_type_id__k, void *meta__ign);
KFUNC_VOID(bpf_percpu_obj_drop_impl, void *p__alloc, void *meta__ign);
KFUNC(void *, bpf_refcount_acquire_impl, void *p__refcounted_kptr, void *meta__ign);

KFUNC(int, bpf_list_push_front_impl, struct bpf_list_head *head, struct bpf_list_node *node,
      void *meta__ign, u64 off);
KFUNC(int, bpf_list_push_back_impl, struct bpf_list_head *head, struct bpf_list_node *node,
      void *meta__ign, u64 off);
KFUNC(struct bpf_list_node *, bpf_list_pop_front, struct bpf_list_head *head);
KFUNC(struct bpf_list_node *, bpf_list_pop_back, struct bpf_list_head *head);

KFUNC(int, bpf_rbtree_add_impl, struct bpf_rb_root *root, struct bpf_rb_node *node,
      bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta__ign, u64 off);
KFUNC(struct bpf_rb_node *, bpf_rbtree_remove, struct bpf_rb_root *root, struct bpf_rb_node *node);
KFUNC(struct bpf_rb_node *, bpf_rbtree_first, struct bpf_rb_root *root);

/* --- control, iterators ------------------------------------------------------ */

KFUNC_VOID(bpf_rcu_read_lock, void);
KFUNC_VOID(bpf_rcu_read_unlock, void);
KFUNC_VOID(bpf_preempt_disable, void);
KFUNC_VOID(bpf_preempt_enable, void);
KFUNC_VOID(bpf_throw, u64 cookie);
KFUNC(void *, bpf_cast_to_kern_ctx, void *obj);
KFUNC(void *, bpf_rdonly_cast, const void *obj__ign, u32 btf_id__k);

KFUNC(int, bpf_iter_num_new, struct bpf_iter_num *it, int start, int end);
KFUNC(int *, bpf_iter_num_next, struct bpf_iter_num *it);
KFUNC_VOID(bpf_iter_num_destroy, struct bpf_iter_num *it);

KFUNC(int, bpf_iter_bits_new, struct bpf_iter_bits *it, const u64 *unsafe_ptr__ign, u32 nr_words);
KFUNC(int *, bpf_iter_bits_next, struct bpf_iter_bits *it);
KFUNC_VOID(bpf_iter_bits_destroy, struct bpf_iter_bits *it);

KFUNC(int, bpf_wq_init, struct bpf_wq *wq, void *p__map, unsigned int flags);
KFUNC(int, bpf_wq_set_callback_impl, struct bpf_wq *wq,
      int(callback_fn)(void *map, int *key, void *value), unsigned int flags, void *aux__ign);
KFUNC(int, bpf_wq_start, struct bpf_wq *wq, unsigned int flags);

/* --- periodic programs ----------------------------------------------------------- */

/*
 * No Linux has these and those of the next section; the module kmod/schedbpf brings
 * them, but for those that count tasks.
 *
 * What a program has to know of them is in schedulers/include/vrt/periodic.bpf.h.
 */
KFUNC(int, bpf_iter_periodic_new, struct bpf_iter_periodic *it, struct bpf_periodic_ctx *ctx);
KFUNC(struct bpf_periodic_ctx *, bpf_iter_periodic_next, struct bpf_iter_periodic *it);
KFUNC_VOID(bpf_iter_periodic_destroy, struct bpf_iter_periodic *it);
KFUNC(int, bpf_periodic_set_due, struct bpf_periodic_ctx *ctx, u64 due);
KFUNC(int, bpf_periodic_get_stats, const char *name__str, struct bpf_periodic_stats *stats);

/* --- what CPUs do ---------------------------------------------------------------- */

KFUNC(u32, bpf_cpu_nr_running, s32 cpu);
KFUNC(u64, bpf_cpu_busy_time, s32 cpu);
KFUNC(u64, bpf_cpu_idle_time, s32 cpu);
KFUNC(struct task_struct *, bpf_cpu_curr, s32 cpu);
KFUNC(u32, bpf_cpus_nr_running, void);
KFUNC(u64, bpf_cpus_busy_time, void);
KFUNC(u64, bpf_cpus_idle_time, void);

/* --- keys ------------------------------------------------------------------------ */

KFUNC(struct bpf_key *, bpf_lookup_user_key, u32 serial, u64 flags);
KFUNC(struct bpf_key *, bpf_lookup_system_key, u64 id);
KFUNC_VOID(bpf_key_put, struct bpf_key *bkey);

/* --- dynptrs, maps, arenas ----------------------------------------------------- */

KFUNC(void *, bpf_dynptr_slice, const struct bpf_dynptr *p, u32 offset, void *buffer__opt,
      u32 buffer__szk);
KFUNC(void *, bpf_dynptr_slice_rdwr, const struct bpf_dynptr *p, u32 offset, void *buffer__opt,
      u32 buffer__szk);
KFUNC(int, bpf_dynptr_adjust, const struct bpf_dynptr *p, u32 start, u32 end);
KFUNC(bool, bpf_dynptr_is_null, const struct bpf_dynptr *p);
KFUNC(bool, bpf_dynptr_is_rdonly, const struct bpf_dynptr *p);
KFUNC(u32, bpf_dynptr_size, const struct bpf_dynptr *p);
KFUNC(int, bpf_dynptr_clone, const struct bpf_dynptr *p, struct bpf_dynptr *clone__uninit);

KFUNC(s64, bpf_map_sum_elem_count, const struct bpf_map *map);

KFUNC(void *, bpf_arena_alloc_pages, void *p__map, void *addr__ign, u32 page_cnt, int node_id,
      u64 flags);
KFUNC_VOID(bpf_arena_free_pages, void *p__map, void *ptr__ign, u32 page_cnt);

#endif
