/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A periodic program that works, of which each file that includes this replaces
 * one part by something bad.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#ifndef BAD_PERIOD_NS
#define BAD_PERIOD_NS 1000000
#endif
#ifndef BAD_NICE
#define BAD_NICE 0
#endif
#ifndef BAD_CGROUP
#define BAD_CGROUP ""
#endif
#ifndef BAD_RUN
#define BAD_RUN 0
#endif

SEC("struct_ops/bad_run")
int BPF_PROG(bad_run, struct bpf_periodic_ctx *run)
{
	return BAD_RUN;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops bad_ops = {
	.run = (void *)bad_run,
	.period_ns = BAD_PERIOD_NS,
	.nice = BAD_NICE,
	.cgroup = BAD_CGROUP,
	.name = "bad",
};
