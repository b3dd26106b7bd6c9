// SPDX-License-Identifier: GPL-2.0-only
/* Wants half a CPU: 5 ms in every 10 ms, in the cgroup /gc. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

SEC("struct_ops/burn")
int BPF_PROG(burn, struct bpf_periodic_ctx *run)
{
	u64 begin = bpf_ktime_get_ns();
	u32 i;

	bpf_for(i, 0, 1000000) {
		if (bpf_ktime_get_ns() - begin >= 5000000)
			break;
	}
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops burner = {
	.run = (void *)burn,
	.period_ns = 10000000,
	.cgroup = "/gc",
	.name = "burner",
};
