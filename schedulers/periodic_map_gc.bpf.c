// SPDX-License-Identifier: GPL-2.0-only
/*
 * periodic_map_gc: a hash map of connections, and a program that throws out
 * those that nobody has used for a while, every 10 ms.
 *
 * Whoever tracks something in a map, connections, requests, processes, learns
 * when it begins and often not when it is over: the map fills up. Somebody has to
 * look through it now and then. In Linux that is a daemon in user space, with a
 * system call per entry, or a BPF timer, in an interrupt that no scheduler
 * controls. A periodic program is neither: it runs in the kernel, on a thread
 * bpf/map_gc of its own, which is scheduled, preempted and limited like any other.
 *
 * There are two ways to write one, and here is one of each:
 *
 *	map_gc	a table bpf_periodic_ops: it says how often, how important, and, if
 *		cpu_quota_us and cpu_period_us are set, how much at most
 *	traffic	SEC("periodic/1ms"), for those that need nothing but a period.
 *		It stands in for the network: some connections go on for ever, and
 *		all the time there are new ones that send one packet and are never
 *		heard of again
 *
 * What to look for when it runs: with every scan there are about as many
 * connections as are used within max_age_ns, and no more. Let it be long, and the
 * scan takes longer, too; the thread gives way to others in the middle of it.
 *
 *	vrt run eevdf --with periodic_map_gc -w workloads/unfair.json -t 1s
 */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* A connection that was not used for longer than this is over. */
const volatile u64 max_age_ns = 50000000;

/* Packets per millisecond, every how many of them is of a new connection, and the old ones. */
const volatile u32 packets = 40;
const volatile u32 new_every = 8;
const volatile u32 regulars = 200;

struct connection {
	u64 last_used;
	u64 packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct connection);
} connections SEC(".maps");

/* What has happened so far, and what the last scan has left. */
u64 nr_scanned, nr_expired, nr_left, nr_lost;

/* --- the garbage collector ------------------------------------------------------ */

struct scan {
	u64 now;
	u64 scanned, expired;
};

static long check(struct bpf_map *map, const u64 *id, struct connection *c, struct scan *scan)
{
	scan->scanned++;
	/*
	 * A packet may come between the question and the deletion. Then the
	 * connection is forgotten a little early, and the next packet brings it back.
	 */
	if (c->last_used + max_age_ns < scan->now && !bpf_map_delete_elem(map, id))
		scan->expired++;
	return 0; /* go on */
}

SEC("struct_ops/map_gc_run")
int BPF_PROG(map_gc_run, struct bpf_periodic_ctx *tick)
{
	struct scan scan = { .now = bpf_ktime_get_ns() };

	bpf_for_each_map_elem(&connections, check, &scan, 0);
	nr_scanned += scan.scanned;
	nr_expired += scan.expired;
	nr_left = scan.scanned - scan.expired;
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops map_gc = {
	.run = (void *)map_gc_run,
	.period_ns = 10000000,
	.nice = 10, /* it can wait */
	.name = "map_gc",
};

/* --- what is collected ---------------------------------------------------------- */

static void packet(u64 id, u64 now)
{
	struct connection first = { .last_used = now, .packets = 1 }, *c;

	c = bpf_map_lookup_elem(&connections, &id);
	if (c) {
		c->last_used = now;
		c->packets++;
	} else if (bpf_map_update_elem(&connections, &id, &first, BPF_ANY)) {
		nr_lost++; /* the map is full */
	}
}

SEC("periodic/1ms")
int traffic(struct bpf_periodic_ctx *tick)
{
	u64 now = bpf_ktime_get_ns();

	for (u32 i = 0; i < packets; i++) {
		u64 random = bpf_get_prandom_u32();

		if (new_every && i % new_every == 0)
			packet(1ULL << 63 | random << 31 | bpf_get_prandom_u32(), now);
		else if (regulars)
			packet(random % regulars, now);
	}
	return 0;
}
