// SPDX-License-Identifier: GPL-2.0-only
/* Periodic programs in one object: one by a table, one by its section's name. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* Turns of work in each run of the first. */
const volatile u32 turns = 10;

u64 nr_slow, nr_fast, last_due;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u64);
} beats SEC(".maps");

SEC("struct_ops/slow_run")
int BPF_PROG(slow_run, struct bpf_periodic_ctx *run)
{
	u32 key = nr_slow++ % 4;

	last_due = run->due;
	bpf_map_update_elem(&beats, &key, &nr_slow, BPF_ANY);
	bpf_for(key, 0, turns)
		__sync_fetch_and_add(&last_due, 0);
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops slow = {
	.run = (void *)slow_run,
	.period_ns = 20000000,
	.nice = 5,
	.name = "slow",
};

SEC("periodic/1ms")
int fast(struct bpf_periodic_ctx *ctx)
{
	nr_fast++;
	return 0;
}
