// SPDX-License-Identifier: GPL-2.0-only
/*
 * HelloWorld: prints the name of every file that somebody opens.
 *
 *	vrt trace hello/helloworld			on the simulated kernel
 *	vrt trace hello/helloworld --on host		on this one, as root
 *
 * The same object in both places: it is attached to a tracepoint that every
 * kernel has, and asks the kernel's own types where its registers are (CO-RE).
 * hello-ebpf's HelloWorld is attached to the function behind the system call
 * instead, see helloworld_fentry.bpf.c; not every host allows that.
 *
 * Simulated tasks call openat2(2). Most programs on a real host call openat(2),
 * whose second argument is the name just as well.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define NR_openat 257
#define NR_openat2 437

char _license[] SEC("license") = "GPL";

SEC("tp_btf/sys_enter")
int BPF_PROG(enter_openat2, struct pt_regs *regs, long id)
{
	char name[64];

	if (id != NR_openat2 && id != NR_openat)
		return 0;
	/* the second argument: an address in the memory of the task that calls */
	if (bpf_probe_read_user_str(name, sizeof(name), (void *)PT_REGS_PARM2_CORE_SYSCALL(regs)) > 0)
		bpf_printk("Open %s", name);
	return 0;
}
