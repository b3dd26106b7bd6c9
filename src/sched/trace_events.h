/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where tracing programs run: the tracepoints of the simulated kernel and, for
 * fentry and fexit, the beginning and end of its functions. A place where
 * nobody is attached costs one branch.
 *
 * Programs run where the kernel is: under the locks that the place holds in
 * Linux (said with each tracepoint), at global now (cpu_sync()), so other CPUs
 * may come first. What they execute is charged to the CPU as overhead of kind
 * BPF.
 */
#ifndef VRT_SCHED_TRACE_EVENTS_H
#define VRT_SCHED_TRACE_EVENTS_H

#include "../../kernel/sched.h"
#include "../../kernel/syscalls.h"
#include "../base/util.h"

/*
 * _(name, number of arguments): as the typedefs btf_trace_<name> in kernel/, which
 * have a void * in front.
 */
#define TRACE_POINTS(_)                                                                            \
	_(sched_switch, 4)                                                                         \
	_(sched_waking, 1)                                                                         \
	_(sched_wakeup, 1)                                                                         \
	_(sched_wakeup_new, 1)                                                                     \
	_(sched_migrate_task, 2)                                                                   \
	_(sched_process_fork, 2)                                                                   \
	_(sched_process_exit, 1)                                                                   \
	_(bpf_trace_printk, 1)                                                                     \
	_(sys_enter, 2)                                                                            \
	_(sys_exit, 2)

/* Functions that can be traced: those of kernel/syscalls.h. */
enum trace_function {
#define TRACE_FUNCTION(ret, name, nr_args, params) FN_##name,
	KERNEL_FUNCTIONS(TRACE_FUNCTION)
#undef TRACE_FUNCTION
#define TRACE_FUNCTION(nr, name, NAME) FN___x64_sys_##name,
	KERNEL_SYSCALLS(TRACE_FUNCTION)
#undef TRACE_FUNCTION
	NR_TRACE_FUNCTIONS,
};

/* Places: the tracepoints, and of each function its beginning and its end. */
enum trace_hook {
#define TRACE_HOOK(name, nr_args) TP_##name,
	TRACE_POINTS(TRACE_HOOK)
#undef TRACE_HOOK
	NR_TRACE_POINTS,
	NR_TRACE_HOOKS = NR_TRACE_POINTS + 2 * NR_TRACE_FUNCTIONS,
};

static inline enum trace_hook trace_entry(enum trace_function fn)
{
	return NR_TRACE_POINTS + 2 * fn;
}

static inline enum trace_hook trace_exit(enum trace_function fn)
{
	return trace_entry(fn) + 1;
}

/* What is attached; NULL: nothing. */
struct trace_funcs;
extern const struct trace_funcs *trace_hooks[NR_TRACE_HOOKS];
/* Something is attached to system calls or functions. */
extern bool trace_syscalls;

static inline bool trace_enabled(enum trace_hook hook)
{
	return unlikely(trace_hooks[hook]);
}

/* Runs what is attached, with as many 64-bit arguments as the place has. */
void trace_call(enum trace_hook hook, const u64 *args);

#define TRACE_CALL(name, ...)                                                                      \
	do {                                                                                       \
		if (trace_enabled(TP_##name))                                                      \
			trace_call(TP_##name, (const u64[]){ __VA_ARGS__ });                       \
	} while (0)

/* With the rq locked; current is still @prev. */
void trace_sched_switch_slow(bool preempt, struct task_struct *prev, struct task_struct *next,
			     u32 prev_state);

static inline void trace_sched_switch(bool preempt, struct task_struct *prev,
				      struct task_struct *next, u32 prev_state)
{
	if (trace_enabled(TP_sched_switch))
		trace_sched_switch_slow(preempt, prev, next, prev_state);
}

/* On the waker's CPU, with @p pinned. */
static inline void trace_sched_waking(struct task_struct *p)
{
	TRACE_CALL(sched_waking, (u64)p);
}

/* With the rq of @p locked; when the task wakes itself, with @p pinned. */
static inline void trace_sched_wakeup(struct task_struct *p)
{
	TRACE_CALL(sched_wakeup, (u64)p);
}

/* With the rq of @p locked. */
static inline void trace_sched_wakeup_new(struct task_struct *p)
{
	TRACE_CALL(sched_wakeup_new, (u64)p);
}

/* p->cpu is still the old one; as set_task_cpu() is called. */
static inline void trace_sched_migrate_task(struct task_struct *p, u32 dest_cpu)
{
	TRACE_CALL(sched_migrate_task, (u64)p, dest_cpu);
}

/* Without locks, as all that follow. */
static inline void trace_sched_process_fork(struct task_struct *parent, struct task_struct *child)
{
	TRACE_CALL(sched_process_fork, (u64)parent, (u64)child);
}

static inline void trace_sched_process_exit(struct task_struct *p)
{
	TRACE_CALL(sched_process_exit, (u64)p);
}

/* In any place where a program can run; @line need not be in the kernel heap. */
void trace_bpf_trace_printk_slow(const char *line);

static inline void trace_bpf_trace_printk(const char *line)
{
	if (trace_enabled(TP_bpf_trace_printk))
		trace_bpf_trace_printk_slow(line);
}

/* Without locks, as the function is called; and with what it returned (void: 0). */
static inline void trace_function_enter(enum trace_function fn, const u64 *args)
{
	if (trace_enabled(trace_entry(fn)))
		trace_call(trace_entry(fn), args);
}

void trace_function_exit(enum trace_function fn, const u64 *args, s64 ret);

/* At boot; of programs there are none yet. */
void trace_register(void);
/* @prog was stopped: it is not called any more where it looked. */
struct bpf_prog;
void trace_program_fault(const struct bpf_prog *prog);

#endif
