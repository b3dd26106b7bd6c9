/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event stream: what a run is, for everybody who looks at it. Metrics,
 * hashes, exporters and reports are computed from these records alone, so that
 * a real kernel's trace, written in the same form, gives the same figures.
 *
 * A record is 32 bytes, emitted at a CPU's local clock. Records of one CPU are
 * in order; between CPUs order is that of global time at emission.
 */
#ifndef VRT_SCHED_TRACEPOINT_H
#define VRT_SCHED_TRACEPOINT_H

#include "../base/util.h"

enum trace_type {
	/* tasks: @pid is the subject */
	TRACE_TASK_NEW, /* a: group id, b: pid of the parent */
	TRACE_TASK_NAME, /* a, b: the 16 bytes of comm */
	TRACE_TASK_EXIT,
	TRACE_WAKEUP, /* was asleep, is runnable; a: target CPU, b: pid of the waker (0: interrupt) */
	TRACE_WAKEUP_NEW, /* first time runnable; a: target CPU */
	TRACE_SWITCH, /* @pid: prev; a: next pid, b: enum trace_prev_state; idle is pid 0 */
	TRACE_MIGRATE, /* a: from CPU, b: to CPU */
	TRACE_CLASS, /* a: enum trace_class the task is in from now */
	/* workload: @pid is the task that reports */
	TRACE_REQUEST, /* a: latency ns of a finished request, b: kind (0 request, 1 wakeup) */
	TRACE_OPS, /* a: units of work finished */
	/* CPUs */
	TRACE_OVERHEAD, /* a: ns, b: enum trace_overhead; time that was no task's */
	TRACE_IRQ, /* a: ns spent in interrupts */
	TRACE_CPU_ONLINE, /* a: 1 online, 0 offline; b: the CPU */
	/* the scheduler */
	TRACE_SCHED_ATTACH, /* a: 0 */
	TRACE_SCHED_DETACH, /* a: enum scx_exit_kind, b: exit code */
	TRACE_OP, /* a sched_ext op was called; a: member index, b: ns it took */
	TRACE_PRINTK, /* a: bytes of text that follow in whole records */
	/* tasks again: at creation unless nice 0, and at every change */
	TRACE_PRIO, /* a: prio (0..139, 120 is nice 0), b: load weight (1024 is nice 0) */
	/* a ghOSt message, of the task or (pid 0) this CPU; a: its type, b: its barrier */
	TRACE_GHOST_MSG,
	NR_TRACE_TYPES,
};

enum trace_prev_state {
	TRACE_PREV_PREEMPTED, /* still runnable */
	TRACE_PREV_SLEEPING,
	TRACE_PREV_YIELDED,
	TRACE_PREV_EXITED,
	TRACE_PREV_IDLE,
};

enum trace_class {
	TRACE_CLASS_STOP,
	TRACE_CLASS_RT,
	TRACE_CLASS_FAIR,
	TRACE_CLASS_EXT,
	TRACE_CLASS_AGENT,
	TRACE_CLASS_GHOST,
};

/* Where a CPU's overhead went. */
enum trace_overhead {
	TRACE_OVH_SWITCH, /* context switches and picking */
	TRACE_OVH_WAKEUP,
	TRACE_OVH_TICK,
	TRACE_OVH_IRQ,
	TRACE_OVH_BALANCE, /* pulling tasks */
	TRACE_OVH_BPF, /* inside BPF programs, their helpers and kfuncs */
	TRACE_OVH_LOCK, /* waiting for locks */
	TRACE_OVH_SYSCALL,
	NR_TRACE_OVH,
};

struct trace_record {
	u64 time; /* ns since boot of the machine */
	u16 type; /* enum trace_type */
	u16 cpu;
	s32 pid;
	u64 a, b;
};

/*
 * The one consumer, set before the machine boots; never NULL afterwards (the
 * default drops). It gets all records, in order.
 */
extern void (*sched_trace)(const struct trace_record *recs, u32 nr);

#define TRACE_BATCH_MAX 256

/*
 * How many records may gather before the consumer gets them: 1, at first, for
 * one who wants each as it comes. Whenever the machine stops, and so for all
 * that is not part of it, none is left behind.
 */
void sched_trace_batch(u32 nr);

#endif
