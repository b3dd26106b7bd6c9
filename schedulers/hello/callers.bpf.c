// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who makes system calls, and how many? A hash map counts them by call site, as
 * BCC's classic example counts kmalloc().
 *
 *	vrt run eevdf --with hello/callers --watch callers -w 'hackbench -g 1'
 *
 * BCC's other half, a loop that prints the map every second, is --watch.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, u64); /* address of the instruction that calls */
	__type(value, u64); /* how often */
} callers SEC(".maps");

SEC("tp_btf/sys_enter")
int BPF_PROG(count, struct pt_regs *regs, long id)
{
	u64 site = PT_REGS_IP_CORE(regs), one = 1, *calls;

	calls = bpf_map_lookup_elem(&callers, &site);
	if (calls)
		__sync_fetch_and_add(calls, 1);
	else
		bpf_map_update_elem(&callers, &site, &one, BPF_NOEXIST);
	return 0;
}
