// SPDX-License-Identifier: GPL-2.0-only
/*
 * HelloWorld as hello-ebpf writes it: attached to the function behind
 * openat2(2), whose arguments it gets by their names.
 *
 *	vrt trace hello/helloworld_fentry
 *
 * A host that lets nobody into its functions refuses it; helloworld.bpf.c does
 * the same at a tracepoint.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

SEC("fentry/do_sys_openat2")
int BPF_PROG(enter_openat2, int dfd, const char *filename, struct open_how *how)
{
	/* bpf_printk() itself reads the memory of a task for %s */
	bpf_printk("Open %s", filename);
	return 0;
}
