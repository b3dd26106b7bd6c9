// SPDX-License-Identifier: GPL-2.0-only
/* Says hello every 10 ms. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

const volatile u64 first = 0;
u64 nr;

SEC("periodic/10ms")
int hello(struct bpf_periodic_ctx *ctx)
{
	bpf_printk("hello %llu", first + nr++);
	return 0;
}
