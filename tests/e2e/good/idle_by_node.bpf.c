// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scheduler with masks of idle CPUs by memory node, as Linux has since 6.15;
 * and one whose tasks may be woken by the CPU that will run them.
 */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 data__sz) __ksym;
void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;
u32 scx_bpf_nr_node_ids(void) __ksym;
int scx_bpf_cpu_node(s32 cpu) __ksym;
s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
const struct cpumask *scx_bpf_get_idle_cpumask_node(int node) __ksym;
const struct cpumask *scx_bpf_get_idle_smtmask_node(int node) __ksym;
void scx_bpf_put_idle_cpumask(const struct cpumask *idle_mask) __ksym;
s32 scx_bpf_pick_idle_cpu_node(const struct cpumask *cpus_allowed, int node, u64 flags) __ksym;
s32 scx_bpf_pick_any_cpu_node(const struct cpumask *cpus_allowed, int node, u64 flags) __ksym;
s32 scx_bpf_pick_idle_cpu(const struct cpumask *cpus_allowed, u64 flags) __ksym;
u32 bpf_cpumask_weight(const struct cpumask *cpumask) __ksym;
bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask) __ksym;

/* Ask in the way that such a scheduler may not. */
const volatile bool ask_for_machine;

u64 nr_here, nr_elsewhere;

#define wrong(word)                                                                                \
	({                                                                                         \
		static char __fmt[] = word;                                                        \
		unsigned long long __none = 0;                                                     \
		scx_bpf_error_bstr(__fmt, &__none, 0);                                             \
	})

SEC("struct_ops/select_cpu")
s32 BPF_PROG(node_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	int node = scx_bpf_cpu_node(prev_cpu);
	const struct cpumask *idle, *smt;
	u32 nr;
	s32 cpu;

	if (ask_for_machine)
		return scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	idle = scx_bpf_get_idle_cpumask_node(node);
	smt = scx_bpf_get_idle_smtmask_node(node);
	nr = bpf_cpumask_weight(idle);
	/* no whole core is idle without its CPUs; and CPUs of other nodes are not in there */
	if (bpf_cpumask_weight(smt) > nr)
		wrong("smt");
	for (s32 i = 0; i < 64; i++)
		if (bpf_cpumask_test_cpu(i, idle) && scx_bpf_cpu_node(i) != node)
			wrong("node");
	scx_bpf_put_idle_cpumask(smt);
	scx_bpf_put_idle_cpumask(idle);

	cpu = scx_bpf_pick_idle_cpu_node(p->cpus_ptr, node, SCX_PICK_IDLE_IN_NODE);
	if (cpu >= 0) {
		if (scx_bpf_cpu_node(cpu) != node)
			wrong("pick in node");
		nr_here++;
	} else {
		cpu = scx_bpf_pick_any_cpu_node(p->cpus_ptr, node, 0);
		nr_elsewhere += cpu >= 0 && scx_bpf_cpu_node(cpu) != node;
	}
	return cpu >= 0 ? cpu : prev_cpu;
}

SEC("struct_ops/enqueue")
void BPF_PROG(node_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* SCX_OPS_ALLOW_QUEUED_WAKEUP: between nodes the CPU does it that will run the task */
	if ((enq_flags & SCX_ENQ_WAKEUP) &&
	    scx_bpf_cpu_node(bpf_get_smp_processor_id()) != scx_bpf_cpu_node(scx_bpf_task_cpu(p)))
		wrong("queued wakeup");
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
}

SEC("struct_ops.s/init")
s32 BPF_PROG(node_init)
{
	return scx_bpf_nr_node_ids() == 2 ? 0 : -22;
}

SEC("struct_ops/exit")
void BPF_PROG(node_exit, struct scx_exit_info *ei)
{
	bpf_printk("here %d elsewhere %d", nr_here != 0, nr_elsewhere != 0);
}

SEC(".struct_ops.link")
struct sched_ext_ops node_ops = {
	.select_cpu = (void *)node_select_cpu,
	.enqueue = (void *)node_enqueue,
	.init = (void *)node_init,
	.exit = (void *)node_exit,
	.flags = SCX_OPS_BUILTIN_IDLE_PER_NODE | SCX_OPS_ALLOW_QUEUED_WAKEUP |
		 SCX_OPS_ENQ_MIGRATION_DISABLED,
	.name = "idle_by_node",
};
