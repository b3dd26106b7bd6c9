// SPDX-License-Identifier: GPL-2.0-only
/* Wants to run at once, always: a period of 0. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

SEC("periodic/0ms")
int always(void *ctx)
{
	return 0;
}
