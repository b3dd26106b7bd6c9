// SPDX-License-Identifier: GPL-2.0-only
/*
 * The source of the kernel BTF. Nothing here ever runs: clang compiles it for
 * the sake of its type information. scripts/publish-types.awk adds a use of
 * every type that the headers define, since clang forgets unused ones.
 */
#define KFUNC(ret, name, ...)                                                                      \
	ret name(__VA_ARGS__)                                                                      \
	{                                                                                          \
		return (ret)0;                                                                     \
	}                                                                                          \
	_Static_assert(1, "")
#define KFUNC_VOID(name, ...)                                                                      \
	void name(__VA_ARGS__)                                                                     \
	{                                                                                          \
	}                                                                                          \
	_Static_assert(1, "")

#include "types.h"

#include "bpf_types.h"
#include "btf_only.h"
#include "cgroup.h"
#include "ext.h"
#include "ghost.h"
#include "kfuncs.h"
#include "linux_only.h"
#include "mm.h"
#include "periodic.h"
#include "sched.h"
#include "syscalls.h"

/* Per-CPU variables: the verifier knows them by their section. */
__attribute__((section(".data..percpu"))) struct rq runqueues;

/*
 * Operations of sched_ext as functions. The names of their parameters tell the
 * verifier which pointers may be NULL.
 */
#define OP(ret, member, ...) KFUNC(ret, sched_ext_ops__##member, __VA_ARGS__)
#define OP_VOID(member, ...) KFUNC_VOID(sched_ext_ops__##member, __VA_ARGS__)

OP(s32, select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags);
OP_VOID(enqueue, struct task_struct *p, u64 enq_flags);
OP_VOID(dequeue, struct task_struct *p, u64 deq_flags);
OP_VOID(dispatch, s32 cpu, struct task_struct *prev__nullable);
OP_VOID(tick, struct task_struct *p);
OP_VOID(runnable, struct task_struct *p, u64 enq_flags);
OP_VOID(running, struct task_struct *p);
OP_VOID(stopping, struct task_struct *p, bool runnable);
OP_VOID(quiescent, struct task_struct *p, u64 deq_flags);
OP(bool, yield, struct task_struct *from, struct task_struct *to__nullable);
OP(bool, core_sched_before, struct task_struct *a, struct task_struct *b);
OP_VOID(set_weight, struct task_struct *p, u32 weight);
OP_VOID(set_cpumask, struct task_struct *p, const struct cpumask *cpumask);
OP_VOID(update_idle, s32 cpu, bool idle);
OP_VOID(cpu_acquire, s32 cpu, struct scx_cpu_acquire_args *args);
OP_VOID(cpu_release, s32 cpu, struct scx_cpu_release_args *args);
OP(s32, init_task, struct task_struct *p, struct scx_init_task_args *args);
OP_VOID(exit_task, struct task_struct *p, struct scx_exit_task_args *args);
OP_VOID(enable, struct task_struct *p);
OP_VOID(disable, struct task_struct *p);
OP_VOID(dump, struct scx_dump_ctx *ctx);
OP_VOID(dump_cpu, struct scx_dump_ctx *ctx, s32 cpu, bool idle);
OP_VOID(dump_task, struct scx_dump_ctx *ctx, struct task_struct *p);
OP(s32, cgroup_init, struct cgroup *cgrp, struct scx_cgroup_init_args *args);
OP_VOID(cgroup_exit, struct cgroup *cgrp);
OP(s32, cgroup_prep_move, struct task_struct *p, struct cgroup *from, struct cgroup *to);
OP_VOID(cgroup_move, struct task_struct *p, struct cgroup *from, struct cgroup *to);
OP_VOID(cgroup_cancel_move, struct task_struct *p, struct cgroup *from, struct cgroup *to);
OP_VOID(cgroup_set_weight, struct cgroup *cgrp, u32 weight);
OP_VOID(cpu_online, s32 cpu);
OP_VOID(cpu_offline, s32 cpu);
OP(s32, init, void);
OP_VOID(exit, struct scx_exit_info *info);

/* Operations of periodic programs. */
KFUNC(int, bpf_periodic_ops__run, struct bpf_periodic_ctx *ctx);
KFUNC(int, bpf_periodic_ops__init, void);
KFUNC_VOID(bpf_periodic_ops__exit, void);
