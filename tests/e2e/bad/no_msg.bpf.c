// SPDX-License-Identifier: GPL-2.0-only
/* Picks tasks, but never hears of any. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

SEC("ghost_sched/pnt")
int pick(void *ctx)
{
	return 0;
}
