/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What things cost, in nanoseconds of a full-speed CPU. Each entry has a name,
 * a default and the source of the default (cost.c); a JSON file overrides any
 * of them. Zero is allowed everywhere: pure policy.
 */
#ifndef VRT_SIM_COST_H
#define VRT_SIM_COST_H

#include "topology.h"

struct cost_table {
	u64 context_switch; /* registers, stack, address space */
	u64 pick; /* the class-independent part of schedule() */
	u64 wakeup; /* try_to_wake_up() without locks and class code */
	u64 enqueue, dequeue; /* class bookkeeping */
	u64 syscall; /* entry and exit */
	u64 interrupt; /* entry and exit */
	u64 tick; /* handler body */
	u64 timer_program; /* arming a timer */
	u64 ipi_send, ipi_latency;
	u64 idle_exit_poll, idle_exit_shallow, idle_exit_deep;
	u64 idle_poll_time; /* how long an idle CPU polls before it sleeps */
	u64 idle_deep_after; /* predicted idle time from which the deep state is chosen */
	u64 lock, lock_handover;
	u64 cacheline[NR_DISTANCES]; /* moving one cache line */
	u64 migration[NR_DISTANCES]; /* cold caches, paid by the migrated task */
	u64 smt_share; /* speed of a thread whose sibling is busy, of 1024 */
	u64 bpf_insn_ps; /* picoseconds per instruction */
	u64 bpf_entry; /* calling a BPF program */
	u64 bpf_helper, bpf_kfunc; /* a call, without what it does */
	u64 bpf_map_hash; /* hashing and probing beyond the call */
	u64 dsq_insert, dsq_insert_log; /* FIFO; per level of a vtime tree */
	u64 pick_idle_word; /* scanning a mask, per 64 CPUs */
	u64 fork, exit;
	u64 open; /* looking up a path and making a descriptor */
	u64 read; /* of a file, beyond the system call */
	u64 page_walk; /* from an address to its page table entry */
	u64 page_fault; /* with a zeroed page */
	u64 page_copy; /* reading, comparing or copying all of a page */
	u64 page_free;
};

extern const struct cost_table cost_defaults;
/* The table of the running machine. */
extern struct cost_table costs;

/*
 * Overrides entries of @table, which holds values already (the defaults), with
 * those of a JSON object of names and integers. 0, or -errno with a message
 * naming the file and the entry; @table is then as it was.
 */
int cost_load(struct cost_table *table, const char *file, char *err, size_t err_size);
/* For hashing and listing: name, value and source of entry @i; false past the end. */
bool cost_entry(const struct cost_table *table, u32 i, const char **name, u64 *value,
		const char **source);

#endif
