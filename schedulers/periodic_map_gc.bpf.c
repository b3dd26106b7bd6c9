// SPDX-License-Identifier: GPL-2.0-only
/*
 * periodic_map_gc: a table of connections, and a program that throws out those that
 * nobody has used for a while: the garbage collection of a conntrack.
 *
 * Whoever tracks something in a map, connections, requests, processes, learns
 * when it begins and often not when it is over: the map fills up. An LRU map, as this
 * one, throws out something when it is full, but nothing before, and then perhaps what
 * is still needed. Somebody has to look through it now and then. In Linux that is a
 * daemon in user space, with a system call per entry, or a BPF timer, in an interrupt
 * that no scheduler controls. A periodic program is neither: it runs in the kernel, on a
 * thread bpf/map_gc of its own, which is scheduled, preempted and limited like any other.
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
 * A run looks at max_checks entries, however many there are: those that were not looked at
 * for longest. They stand in a queue, from which they are taken and to which they go back.
 * So the work of a run has a bound, and how long garbage may stay depends on how much there
 * is to look at. Two things follow, which a conntrack without must learn the hard way:
 *
 *	- what is over but not yet collected must not be taken for alive: a packet that finds
 *	  an entry that is too old begins a new connection (packet(), below)
 *	- what is in the queue may be of a connection that is gone, or that has come again;
 *	  when it was born tells which is meant
 *
 * What to look for when it runs: there are about as many connections as are used within
 * max_age_ns, and no more. With fewer checks the thread takes less time and more stay.
 *
 *	vrt run eevdf --with periodic_map_gc -w workloads/unfair.json -t 1s --print periodic.bss
 *	vrt run eevdf --with periodic_map_gc,max_checks=60 -w workloads/unfair.json -t 1s \
 *		--print periodic.bss
 */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* A connection that was not used for longer than this is over. */
const volatile u64 max_age_ns = 50000000;
/* Entries that one run looks at, at most. */
const volatile u32 max_checks = 512;

/* Packets per millisecond, every how many of them is of a new connection, and the old ones. */
const volatile u32 packets = 40;
const volatile u32 new_every = 8;
const volatile u32 regulars = 200;

#define MAX_CONNECTIONS 65536

struct connection {
	u64 born;
	u64 last_used;
	u64 packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_CONNECTIONS);
	__type(key, u64);
	__type(value, struct connection);
} connections SEC(".maps");

/* To be looked at, in this order. */
struct check {
	u64 id;
	u64 born; /* another one of this id is another connection */
	u64 looked; /* when it was the last time */
};

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 2 * MAX_CONNECTIONS); /* what was thrown out stays until its turn */
	__type(value, struct check);
} checks SEC(".maps");

/*
 * What has happened so far, and how many there are; those that were thrown out because the map
 * was full are counted until their turn comes.
 */
u64 nr_scanned, nr_expired, nr_left, nr_gone, nr_renewed, nr_lost;

static bool is_over(const struct connection *c, u64 now)
{
	return c->last_used + max_age_ns < now;
}

/* --- the garbage collector ------------------------------------------------------ */

/* Is there more to look at? */
static bool check_one(u64 now)
{
	struct connection *c;
	struct check check;

	if (bpf_map_pop_elem(&checks, &check))
		return false;
	if (check.looked == now) { /* all of them, in this run */
		bpf_map_push_elem(&checks, &check, BPF_ANY);
		return false;
	}
	nr_scanned++;
	c = bpf_map_lookup_elem(&connections, &check.id);
	if (!c || c->born != check.born) {
		nr_gone++;
	} else if (!is_over(c, now)) {
		check.looked = now;
		bpf_map_push_elem(&checks, &check, BPF_ANY); /* its place is free */
	} else {
		/*
		 * A packet may have come since the question. Then the connection is
		 * forgotten a little early, and the next packet brings it back.
		 */
		bpf_map_delete_elem(&connections, &check.id);
		nr_expired++;
	}
	return true;
}

SEC("struct_ops/map_gc_run")
int BPF_PROG(map_gc_run, struct bpf_periodic_ctx *tick)
{
	u64 now = bpf_ktime_get_ns(), before = nr_expired + nr_gone;
	u32 i;

	bpf_for(i, 0, max_checks) {
		if (!check_one(now))
			break;
	}
	__sync_fetch_and_sub(&nr_left, nr_expired + nr_gone - before);
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

static void begin(u64 id, u64 now)
{
	struct connection c = { .born = now, .last_used = now, .packets = 1 };
	struct check check = { .id = id, .born = now };

	if (bpf_map_update_elem(&connections, &id, &c, BPF_NOEXIST)) {
		nr_lost++;
		return;
	}
	if (bpf_map_push_elem(&checks, &check, BPF_ANY)) {
		bpf_map_delete_elem(&connections, &id); /* nobody would ever look at it */
		nr_lost++;
		return;
	}
	__sync_fetch_and_add(&nr_left, 1);
}

static void packet(u64 id, u64 now)
{
	struct connection *c = bpf_map_lookup_elem(&connections, &id);

	if (!c) {
		begin(id, now);
		return;
	}
	if (is_over(c, now)) { /* another one of the same addresses and ports */
		c->packets = 0;
		nr_renewed++;
	}
	c->last_used = now;
	c->packets++;
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
