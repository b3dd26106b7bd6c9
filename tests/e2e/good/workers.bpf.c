// SPDX-License-Identifier: GPL-2.0-only
/* Two programs on one thread, and one that manages its periods itself. */
#include <vrt/periodic.bpf.h>

#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

u64 nr_left, nr_right, nr_loop, nr_refused;

SEC("struct_ops/left_run")
int BPF_PROG(left_run, struct bpf_periodic_ctx *tick)
{
	nr_left++;
	return 0;
}

SEC("struct_ops/right_run")
int BPF_PROG(right_run, struct bpf_periodic_ctx *tick)
{
	nr_right++;
	return 0;
}

/* The next run 4 ms after this one has begun. */
SEC("struct_ops.s/loop_run")
int BPF_PROG(loop_run, struct bpf_periodic_ctx *first)
{
	struct bpf_periodic_ctx *tick;

	bpf_for_each(periodic, tick, first) {
		nr_loop++;
		if (bpf_periodic_set_due(tick, bpf_ktime_get_ns() + 4000000))
			nr_refused++;
	}
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops left = {
	.run = (void *)left_run,
	.period_ns = 4000000,
	.nice = 2,
	.name = "left",
	.worker = "both",
};

SEC(".struct_ops.link")
struct bpf_periodic_ops right = {
	.run = (void *)right_run,
	.period_ns = 8000000,
	.nice = 2,
	.name = "right",
	.worker = "both",
};

SEC(".struct_ops.link")
struct bpf_periodic_ops loop = {
	.run = (void *)loop_run,
	.period_ns = 20000000,
	.mode = BPF_PERIODIC_PROGRAM,
	.name = "loop",
};
