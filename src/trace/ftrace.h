/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event stream as ftrace text: the events sched_switch, sched_wakeup,
 * sched_wakeup_new, sched_migrate_task, sched_process_fork, sched_process_exit
 * and bpf_trace_printk, with the fields of Linux's formats.
 */
#ifndef VRT_TRACE_FTRACE_H
#define VRT_TRACE_FTRACE_H

#include <stdio.h>

#include "../sched/tracepoint.h"

struct ftrace;

/* @only_printk: lines of bpf_printk() alone, as trace_pipe shows them when no event is on. */
struct ftrace *ftrace_new(u32 nr_cpus, bool only_printk);
void ftrace_free(struct ftrace *f);
void ftrace_header(const struct ftrace *f, FILE *out);
/* Records that have no ftrace event only change what is known of their task. */
void ftrace_feed(struct ftrace *f, const struct trace_record *rec, FILE *out);

#endif
