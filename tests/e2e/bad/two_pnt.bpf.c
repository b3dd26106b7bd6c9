// SPDX-License-Identifier: GPL-2.0-only
/* Two programs that pick the next task, of which an enclave takes one. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

SEC("ghost_sched/pnt")
int pick_first(void *ctx)
{
	return 0;
}

SEC("ghost_sched/pnt")
int pick_second(void *ctx)
{
	return 0;
}

SEC("ghost_msg/msg_send")
int hear(void *ctx)
{
	return 1;
}
