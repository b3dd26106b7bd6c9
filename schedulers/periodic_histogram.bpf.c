// SPDX-License-Identifier: GPL-2.0-only
/*
 * periodic_histogram: how long tasks wait for a CPU, counted where it happens and
 * added up elsewhere.
 *
 * What happens a million times a second is counted on each CPU apart, without a
 * lock and without moving a cache line: that is what per-CPU maps are for. But
 * nobody can read such a map at a glance, and adding it up costs a look at every
 * counter of every CPU. So one program counts, and another one adds up, now and
 * then, where it disturbs nobody:
 *
 *	on_wakeup, on_wakeup_new, on_switch	on tracepoints: from when a task was
 *		woken to when it runs is one more in a counter of this CPU, for waits
 *		of 2^slot ns and more
 *	fold	a table bpf_periodic_ops, every 100 ms, as unimportant as can be: adds
 *		the counters of all CPUs up, into the map "waits" and, for the last
 *		period alone, into quantiles
 *
 * The tracepoints never look at what fold() does, and fold() only reads what they
 * count: it remembers what it has seen instead of setting counters back, so nothing
 * is ever counted twice or lost, and nobody waits.
 *
 * What to look for when it runs: every wait is in "waits", the long ones of the
 * policy that has them, and fold() takes the longer the more CPUs there are.
 *
 *	vrt run eevdf fifo --with periodic_histogram -w workloads/unfair.json -t 1s \
 *		--print waits --print .bss
 */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define NR_SLOTS 40 /* up to 18 minutes */

const volatile u32 nr_cpus = 1; /* filled in at load */

/* --- counting, on every CPU --------------------------------------------------- */

/* When tasks were woken that do not run yet, by pid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u32);
	__type(value, u64);
} woken SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NR_SLOTS);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

static int note_wakeup(const struct task_struct *p)
{
	u64 now = bpf_ktime_get_ns();
	u32 pid = p->pid;

	bpf_map_update_elem(&woken, &pid, &now, BPF_ANY);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *p)
{
	return note_wakeup(p);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *p)
{
	return note_wakeup(p);
}

static u32 slot_of(u64 ns)
{
	u32 slot = 0;

	for (u32 shift = 32; shift; shift /= 2) {
		if (ns >> shift) {
			ns >>= shift;
			slot += shift;
		}
	}
	return slot < NR_SLOTS ? slot : NR_SLOTS - 1;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 *since, *count;
	u32 pid = next->pid, slot;

	since = bpf_map_lookup_elem(&woken, &pid);
	if (!since)
		return 0;
	slot = slot_of(bpf_ktime_get_ns() - *since);
	bpf_map_delete_elem(&woken, &pid);
	count = bpf_map_lookup_elem(&counts, &slot);
	if (count)
		++*count; /* nobody else writes to this CPU's */
	return 0;
}

/* --- adding up, every 100 ms -------------------------------------------------------- */

/* Waits of 2^slot to 2^(slot + 1) ns, of all CPUs, since it was attached. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_SLOTS);
	__type(key, u32);
	__type(value, u64);
} waits SEC(".maps");

u64 nr_folds, nr_waits;
/* Of the last period: how many there were, and what half and 99 % of them stayed below. */
u64 last_waits, last_p50_below_ns, last_p99_below_ns;

/* Not static: the verifier checks it once, for any slot, and the loop over slots stays simple. */
__noinline u64 sum_up(u32 slot)
{
	u64 *count, sum = 0;
	u32 cpu;

	bpf_for(cpu, 0, nr_cpus) {
		count = bpf_map_lookup_percpu_elem(&counts, &slot, cpu);
		if (count)
			sum += *count;
	}
	return sum;
}

/* The end of the slot in which the wait number @rank is, counted from the shortest. */
static u64 quantile(const u64 fresh[NR_SLOTS], u64 rank)
{
	u64 seen = 0;

	for (u32 slot = 0; slot < NR_SLOTS; slot++) {
		seen += fresh[slot];
		if (seen > rank)
			return 2ULL << slot;
	}
	return 0;
}

SEC("struct_ops/fold_run")
int BPF_PROG(fold_run, struct bpf_periodic_ctx *tick)
{
	u64 fresh[NR_SLOTS], sum, nr = 0, *wait;

	for (u32 slot = 0; slot < NR_SLOTS; slot++) {
		u32 key = slot;

		fresh[slot] = 0;
		wait = bpf_map_lookup_elem(&waits, &key);
		if (!wait)
			continue;
		sum = sum_up(slot);
		fresh[slot] = sum - *wait;
		*wait = sum;
		nr += fresh[slot];
	}
	last_waits = nr;
	last_p50_below_ns = quantile(fresh, nr / 2);
	last_p99_below_ns = quantile(fresh, nr * 99 / 100);
	nr_waits += nr;
	nr_folds++;
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops fold = {
	.run = (void *)fold_run,
	.period_ns = 100000000,
	.nice = 19, /* it can wait longer than anybody */
	.name = "fold",
};
