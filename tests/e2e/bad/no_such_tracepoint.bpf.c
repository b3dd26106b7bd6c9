// SPDX-License-Identifier: GPL-2.0-only
/* Wants to look at a tracepoint that this kernel does not have. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

SEC("tp_btf/sched_swich")
int look(void *ctx)
{
	return 0;
}
