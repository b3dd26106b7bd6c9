// SPDX-License-Identifier: GPL-2.0-only
/* clang makes two variables of "next", and says of each that it is as large as both. */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

struct page_id {
	s32 pid;
	u32 index;
};

static struct page_id next;
u64 nr_rounds;

SEC("struct_ops/split_run")
int BPF_PROG(split_run, struct bpf_periodic_ctx *tick)
{
	next.index += 2;
	if (next.index < 10)
		return 0;
	next.pid++;
	next.index = 0;
	nr_rounds = next.pid;
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops split = { .run = (void *)split_run, .period_ns = 1000000, .name = "split" };
