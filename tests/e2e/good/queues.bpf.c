// SPDX-License-Identifier: GPL-2.0-only
/* Asks for the length of runqueues, which the module for real Linux cannot know. */
#include <vrt/periodic.bpf.h>

#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

u64 queued, one, looks;

SEC("struct_ops/look")
int BPF_PROG(look, struct bpf_periodic_ctx *tick)
{
	queued += bpf_cpus_nr_running();
	one += bpf_cpu_nr_running(bpf_get_smp_processor_id());
	looks++;
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops queues = {
	.run = (void *)look,
	.period_ns = 1000000,
	.name = "queues",
};
