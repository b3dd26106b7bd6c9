// SPDX-License-Identifier: GPL-2.0-only
/* What each CPU does, as a periodic program is told: look at what it costs to look often. */
#include <vrt/periodic.bpf.h>

#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

extern void bpf_task_release(struct task_struct *p) __ksym;

#define MAX_CPUS 64

const volatile u32 nr_cpus = 1; /* filled in at load */

struct load {
	u32 nr_running;
	s32 pid; /* 0: idle */
	u64 busy_ms, idle_ms;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, u32);
	__type(value, struct load);
} loads SEC(".maps");

u64 looks, all_busy_ms, all_idle_ms;

static void look_at(u32 cpu)
{
	struct load *load = bpf_map_lookup_elem(&loads, &cpu);
	struct task_struct *p;

	if (!load)
		return;
	load->nr_running = periodic_cpu_nr_running(cpu);
	load->busy_ms = bpf_cpu_busy_time(cpu) / 1000000;
	load->idle_ms = bpf_cpu_idle_time(cpu) / 1000000;
	p = bpf_cpu_curr(cpu);
	load->pid = p ? p->pid : 0;
	if (p)
		bpf_task_release(p);
}

SEC("struct_ops/look")
int BPF_PROG(look, struct bpf_periodic_ctx *tick)
{
	u32 cpu;

	bpf_for(cpu, 0, nr_cpus)
		look_at(cpu);
	all_busy_ms = bpf_cpus_busy_time() / 1000000;
	all_idle_ms = bpf_cpus_idle_time() / 1000000;
	looks++;
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops looker = {
	.run = (void *)look,
	.period_ns = 1000000,
	.name = "looker",
};
