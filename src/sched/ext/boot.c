// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sched_ext has as long as the machine runs: queues, masks and threads; and
 * CPUs that come and go.
 */
#include "../../base/alloc.h"
#include "ext.h"

/* --- hotplug ---------------------------------------------------------------------------------------- */

/* Unlocked. A scheduler that has no operation for it cannot cope, and goes. */
void scx_cpu_hotplug(struct rq *rq, bool online)
{
	scx.hotplug_seq++;
	if (!scx_on)
		return;
	scx_update_select_topology();
	if (online && SCX_HAS_OP(cpu_online))
		SCX_CALL(SCX_KF_UNLOCKED, cpu_online, rq->cpu);
	else if (!online && SCX_HAS_OP(cpu_offline))
		SCX_CALL(SCX_KF_UNLOCKED, cpu_offline, rq->cpu);
	else
		scx_exit(SCX_EXIT_UNREG_KERN, SCX_ECODE_ACT_RESTART | SCX_ECODE_RSN_HOTPLUG,
			 "cpu %d going %s, exiting scheduler", rq->cpu,
			 online ? "online" : "offline");
}

/* --- boot --------------------------------------------------------------------------------------- */

static void boot_cpu(struct cpu_rq *crq)
{
	struct scx_rq *s = &crq->rq.scx;

	init_dsq(&s->local_dsq, SCX_DSQ_LOCAL);
	INIT_LIST_HEAD(&s->runnable_list);
	INIT_LIST_HEAD(&s->ddsp_deferred_locals);
	s->flags = SCX_RQ_ONLINE;
	s->cpus_to_kick = cpumask_alloc();
	s->cpus_to_kick_if_idle = cpumask_alloc();
	s->cpus_to_preempt = cpumask_alloc();
	s->cpus_to_wait = cpumask_alloc();
	crq->scx = xcalloc(1, sizeof(*crq->scx));
	crq->scx->rq = &crq->rq;
	crq->scx->kick_pseqs = xcalloc(nr_cpu_ids, sizeof(u64));
	scx_kick_init(crq->scx);
	scx_deferred_init(crq->scx);
}

void scx_boot_early(void)
{
	u32 node, nr_nodes = kernel.config.topology->nr_nodes;

	memset(&scx, 0, sizeof(scx));
	scx_on = false;
	scx.state = SCX_OPS_DISABLED;
	scx.exit_kind = SCX_EXIT_DONE;
	INIT_LIST_HEAD(&scx.dsqs);
	alloc_idle_masks(&scx.idle);
	scx.global = xcalloc(nr_nodes, sizeof(*scx.global));
	for (node = 0; node < nr_nodes; node++) {
		scx.global[node] = alloc_dsq(SCX_DSQ_GLOBAL);
	}
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		boot_cpu(kernel.rqs[cpu]);
	scx_exit_init();
	scx_watchdog_init();
}

void scx_boot(void)
{
	scx.helper = kthread_worker_create("sched_ext_ops_helper", -1, true);
	scx.watchdog_worker = kthread_worker_create("kworker/u:scx", -1, false);
	VRT_ASSERT(scx.helper && scx.watchdog_worker);
}

static void shutdown_cpu(struct cpu_rq *crq)
{
	struct scx_rq *s = &crq->rq.scx;

	kheap_free(s->cpus_to_kick);
	kheap_free(s->cpus_to_kick_if_idle);
	kheap_free(s->cpus_to_preempt);
	kheap_free(s->cpus_to_wait);
	free(crq->scx->kick_pseqs);
	free(crq->scx_hand.dsp_buf);
	free(crq->scx);
}

void scx_shutdown(void)
{
	destroy_all_dsqs();
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		shutdown_cpu(kernel.rqs[cpu]);
	for (u32 node = 0; node < kernel.config.topology->nr_nodes; node++)
		kheap_free(scx.global[node]);
	free(scx.global);
	free(scx.hash);
	scx_free_exit_info();
	free_node_masks();
	free_idle_masks(&scx.idle);
	free(scx.record.dump);
	memset(&scx, 0, sizeof(scx));
	scx_on = false;
}

const char *kernel_unmodelled(u32 i)
{
	if (i || !scx.unmodelled_cpuperf)
		return NULL;
	return "scx_bpf_cpuperf_set(): CPU frequencies do not change";
}

const struct scx_exit_record *kernel_scx_exit(void)
{
	return &scx.record;
}
