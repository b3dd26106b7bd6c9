/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order in which the workload's tasks ran on a machine of one CPU, where there is
 * one: what two kernels can be compared by whatever their times are.
 *
 * Who goes on after somebody else than a task of the workload was on the CPU (a
 * kernel thread, nobody) has not been switched to once more.
 */
#ifndef VRT_TRACE_ORDER_H
#define VRT_TRACE_ORDER_H

#include "../sched/tracepoint.h"

#define ORDER_MAX 10000 /* switches that are kept */

struct json_object;
struct order;

/* Tasks of groups below @nr_groups are the workload's. */
struct order *order_new(u32 nr_groups);
void order_free(struct order *o);
/* Only switches from @start up to @end count; none before this is called. */
void order_window(struct order *o, u64 start, u64 end);
void order_feed(struct order *o, const struct trace_record *rec);
/* An array of their names, the first ORDER_MAX. */
struct json_object *order_json(const struct order *o);

#endif
