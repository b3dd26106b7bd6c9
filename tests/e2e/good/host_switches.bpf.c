// SPDX-License-Identifier: GPL-2.0-only
/* Counts context switches, and tells of the first few: on any kernel. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

u64 nr_switches;

SEC("raw_tp/sched_switch")
int on_switch(void *ctx)
{
	if (__sync_fetch_and_add(&nr_switches, 1) < 10)
		bpf_printk("a switch, seen by vrt");
	return 0;
}
