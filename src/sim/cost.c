// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of costs: names, defaults and where each default comes from.
 *
 * The base is the microbenchmarks of the ghOSt paper (Humphries et al., SOSP
 * '21, table 3; two-socket Skylake), which split the path from a scheduling
 * decision to the running thread into parts. Cache line transfers are those of
 * David et al., SOSP '13 (Xeon), and of AMD's chiplets. What nobody published
 * is called an estimate.
 */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "../base/error.h"
#include "../base/jsonfile.h"
#include "../base/suggest.h"
#include "cost.h"

#define MAX_COST 1000000000 /* of the entry's unit */

#define GHOST "ghOSt, SOSP '21, table 3: "
#define DAVID "David et al., SOSP '13 (Xeon): "
#define REFILL "64 KiB refilled, 10 misses in flight, at the latency of a line"

/* _(field, name, default, source) */
#define COSTS(_) \
	_(context_switch, "context_switch", 410, GHOST "pthread minimal context switch") \
	_(pick, "pick", 89, \
	  GHOST "CFS context switch, 599, less the minimal one, less the two below") \
	_(wakeup, "wakeup", 200, "estimate: try_to_wake_up() without select, enqueue and IPI") \
	_(enqueue, "enqueue", 50, "estimate: a quarter of CFS's part of a context switch") \
	_(dequeue, "dequeue", 50, "estimate: as enqueue") \
	_(syscall, "syscall", 72, GHOST "syscall") \
	_(interrupt, "interrupt", 465, \
	  GHOST "target's part of a remote schedule, 1064, less CFS's switch, 599") \
	_(tick, "tick", 700, "estimate: timer interrupt with accounting, without its entry") \
	_(timer_program, "timer_program", 100, \
	  "estimate: rbtree insertion and a write to the TSC deadline MSR") \
	_(ipi_send, "ipi_send", 130, "Shinjuku, NSDI '19: 298 cycles at 2.3 GHz") \
	_(ipi_latency, "ipi_latency", 578, \
	  GHOST "remote schedule end to end, 1772, less the target's 1064 and the sending") \
	_(idle_exit_poll, "idle_exit_poll", 50, "one cache line to move within the LLC") \
	_(idle_exit_shallow, "idle_exit_shallow", 1000, \
	  "C1 of Linux's ACPI and intel_idle tables: 1 to 2 us") \
	_(idle_exit_deep, "idle_exit_deep", 133000, \
	  "intel_idle, Skylake server: exit latency of C6") \
	_(idle_poll_time, "idle_poll_time", 2000, \
	  "cpuidle's polling state: until the target residency of C1") \
	_(idle_deep_after, "idle_deep_after", 600000, \
	  "intel_idle, Skylake server: target residency of C6") \
	_(lock, "lock", 10, "one locked instruction: about 20 cycles") \
	_(lock_handover, "lock_handover", 50, \
	  "a queued lock moves one more line to its next owner: " DAVID "same die") \
	_(cacheline[DIST_SELF], "cacheline_self", 0, "it is there already") \
	_(cacheline[DIST_SMT], "cacheline_smt", 10, "shared first-level cache") \
	_(cacheline[DIST_LLC], "cacheline_llc", 50, \
	  DAVID "modified line on the same die, 109 cycles") \
	_(cacheline[DIST_NODE], "cacheline_node", 100, \
	  "between chiplets of one socket: about 100 on AMD Rome") \
	_(cacheline[DIST_REMOTE], "cacheline_remote", 140, \
	  DAVID "modified line one hop away, 289 cycles") \
	_(migration[DIST_SELF], "migration_self", 0, "no migration") \
	_(migration[DIST_SMT], "migration_smt", 0, "shared first- and second-level caches") \
	_(migration[DIST_LLC], "migration_llc", 2000, REFILL " of the LLC, 20") \
	_(migration[DIST_NODE], "migration_node", 10000, REFILL ", 100") \
	_(migration[DIST_REMOTE], "migration_remote", 14000, REFILL ", 140") \
	_(smt_share, "smt_share", 640, \
	  "two threads do 1.25 times the work of one; Marr et al., 2002: up to 1.3") \
	_(bpf_insn_ps, "bpf_insn_ps", 300, "estimate: one instruction per cycle at 3.3 GHz") \
	_(bpf_entry, "bpf_entry", 20, "estimate: struct_ops trampoline") \
	_(bpf_helper, "bpf_helper", 3, "estimate: a call and what it spills") \
	_(bpf_kfunc, "bpf_kfunc", 3, "estimate: as a helper") \
	_(bpf_map_hash, "bpf_map_hash", 25, \
	  "estimate: jhash and one bucket in the second-level cache") \
	_(dsq_insert, "dsq_insert", 40, "estimate: list insertion with its bookkeeping") \
	_(dsq_insert_log, "dsq_insert_log", 8, \
	  "estimate: one level of a tree in the second-level cache") \
	_(pick_idle_word, "pick_idle_word", 4, "estimate: load, and, test") \
	_(fork, "fork", 15000, \
	  "estimate: copy_process() of a thread; lmbench's fork+exit is several times that") \
	_(exit, "exit", 8000, "estimate: do_exit() of a thread") \
	_(open, "open", 1000, "estimate: a cached path of a few parts; lmbench's open+close is near") \
	_(read, "read", 150, "estimate: a few hundred bytes of the page cache") \
	_(page_walk, "page_walk", 60, "estimate: the last two levels miss the second-level cache") \
	_(page_fault, "page_fault", 700, \
	  "estimate: exception, allocation, charge, and a page zeroed at 10 bytes per ns") \
	_(page_copy, "page_copy", 410, "estimate: 10 bytes per ns") \
	_(page_free, "page_free", 80, "estimate: its part of a batch of zapped entries")

#define DEFAULT(field, name, value, source) .field = value,
#define ENTRY(field, name, value, source) { name, source, offsetof(struct cost_table, field) },

const struct cost_table cost_defaults = { COSTS(DEFAULT) };

static const struct entry {
	const char *name, *source;
	size_t offset;
} entries[] = { COSTS(ENTRY) };

_Static_assert(ARRAY_SIZE(entries) == sizeof(struct cost_table) / sizeof(u64),
	       "every cost has an entry");

static u64 *field_of(struct cost_table *table, const struct entry *entry)
{
	return (u64 *)((char *)table + entry->offset);
}

bool cost_entry(const struct cost_table *table, u32 i, const char **name, u64 *value,
		const char **source)
{
	if (i >= ARRAY_SIZE(entries))
		return false;
	*name = entries[i].name;
	*value = *field_of((struct cost_table *)table, &entries[i]);
	*source = entries[i].source;
	return true;
}

static const struct entry *find_entry(const char *name, struct suggest *near)
{
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++) {
		if (!strcmp(name, entries[i].name))
			return &entries[i];
		suggest_try(near, entries[i].name);
	}
	return NULL;
}

/* What @entry may be: a share of 0 would stop a thread for ever. */
static void limits(const struct entry *entry, s64 *lowest, s64 *highest)
{
	bool share = entry->offset == offsetof(struct cost_table, smt_share);

	*lowest = share ? 1 : 0;
	*highest = share ? SCHED_CAPACITY_SCALE : MAX_COST;
}

static int set_entry(struct cost_table *table, const char *file, const char *name,
		     struct json_object *value, char *err, size_t err_size)
{
	struct suggest near = { .word = name };
	const struct entry *entry = find_entry(name, &near);
	s64 n, lowest, highest;

	if (!entry)
		return vrt_error(err, err_size, -EINVAL, "%s: unknown cost '%.60s'; %s%s%s", file,
				 name, near.best ? "did you mean '" : "no entry has such a name",
				 near.best ? near.best : "", near.best ? "'?" : "");
	limits(entry, &lowest, &highest);
	n = json_object_get_int64(value);
	if (!json_object_is_type(value, json_type_int) || n < lowest || n > highest)
		return vrt_error(err, err_size, -EINVAL,
				 "%s: '%s' is %.40s; expected an integer from %lld to %lld", file,
				 name, json_object_to_json_string(value), lowest, highest);
	*field_of(table, entry) = n;
	return 0;
}

static int set_entries(struct cost_table *table, const char *file, struct json_object *root,
		       char *err, size_t err_size)
{
	json_object_object_foreach(root, name, value) {
		int ret = set_entry(table, file, name, value, err, err_size);

		if (ret)
			return ret;
	}
	return 0;
}

int cost_load(struct cost_table *table, const char *file, char *err, size_t err_size)
{
	struct cost_table changed = *table;
	struct json_object *root;
	int ret = 0;

	root = json_file_load(file, err, err_size, &ret);
	if (!root)
		return ret;
	if (!json_object_is_type(root, json_type_object))
		ret = vrt_error(err, err_size, -EINVAL,
				"%s: expected an object of costs, as { \"context_switch\": 500 }",
				file);
	else
		ret = set_entries(&changed, file, root, err, err_size);
	if (!ret)
		*table = changed;
	json_object_put(root);
	return ret;
}
