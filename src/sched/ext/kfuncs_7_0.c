// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kfuncs of sched_ext that Linux 7.0 has and 6.12 has not. Many are old ones
 * under a new name: dispatch became insert, consume became move_to_local, and
 * dispatch_from_dsq became move.
 */
#include "../../../kernel/kfuncs.h"
#include "ext.h"
#include "insert.h"

/* --- dispatching ------------------------------------------------------------- */

bool scx_bpf_dsq_insert___v2(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	return scx_insert(&scx_by_operation, p, dsq_id, slice, enq_flags);
}

static bool insert_vtime(const struct scx_insertion *how, struct task_struct *p,
			 const struct scx_bpf_dsq_insert_vtime_args *args)
{
	return scx_insert_vtime(how, p, args->dsq_id, args->slice, args->vtime, args->enq_flags);
}

bool __scx_bpf_dispatch_vtime_direct(struct task_struct *p,
				     struct scx_bpf_dsq_insert_vtime_args *args)
{
	return insert_vtime(&scx_direct, p, args);
}

bool __scx_bpf_dispatch_vtime_buffered(struct task_struct *p,
				       struct scx_bpf_dsq_insert_vtime_args *args)
{
	return insert_vtime(&scx_buffered, p, args);
}

bool __scx_bpf_dsq_insert_vtime(struct task_struct *p, struct scx_bpf_dsq_insert_vtime_args *args)
{
	return insert_vtime(&scx_by_operation, p, args);
}

void scx_bpf_reenqueue_local___v2(void)
{
	scx_reenqueue_deferred();
}

bool scx_bpf_task_set_slice(struct task_struct *p, u64 slice)
{
	p->scx.slice = slice;
	return true;
}

bool scx_bpf_task_set_dsq_vtime(struct task_struct *p, u64 vtime)
{
	p->scx.dsq_vtime = vtime;
	return true;
}

struct task_struct *scx_bpf_dsq_peek(u64 dsq_id)
{
	struct scx_dsq *dsq;

	cpu_sync();
	if (dsq_id & SCX_DSQ_FLAG_BUILTIN) {
		scx_error("peek disallowed on builtin DSQ 0x%llx", dsq_id);
		return NULL;
	}
	dsq = find_user_dsq(dsq_id);
	if (!dsq) {
		scx_error("peek on non-existent DSQ 0x%llx", dsq_id);
		return NULL;
	}
	return dsq_next_task(&dsq->q, NULL, false);
}

/* --- choosing a CPU ------------------------------------------------------------ */

s32 scx_select_cpu_kfunc(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			 const struct cpumask *allowed, u64 flags)
{
	if (!ops_cpu_valid(prev_cpu, NULL))
		return -EINVAL;
	if (!scx_idle_tracked())
		return -EBUSY;
	/* no operation with a locked rq is in progress, or one of these two is */
	if (curr_task()->scx.kf_mask && !scx_kf_allowed(SCX_KF_SELECT_CPU | SCX_KF_ENQUEUE))
		return -EPERM;
	cpu_sync();
	/* ops.enqueue() sees tasks too that have no choice */
	if (p->nr_cpus_allowed == 1 || p->migration_disabled)
		return cpumask_test_cpu(prev_cpu, allowed) && test_and_clear_cpu_idle(prev_cpu) ?
			       prev_cpu :
			       -EBUSY;
	return scx_select_cpu_near(p, prev_cpu, wake_flags, allowed, flags);
}

s32 scx_bpf_select_cpu_and(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			   const struct cpumask *cpus_allowed, u64 flags)
{
	return scx_select_cpu_kfunc(p, prev_cpu, wake_flags, cpus_allowed, flags);
}

s32 __scx_bpf_select_cpu_and(struct task_struct *p, const struct cpumask *cpus_allowed,
			     struct scx_bpf_select_cpu_and_args *args)
{
	return scx_select_cpu_kfunc(p, args->prev_cpu, args->wake_flags, cpus_allowed,
				    args->flags);
}

/* --- memory nodes ----------------------------------------------------------------- */

u32 scx_bpf_nr_node_ids(void)
{
	return kernel.config.topology->nr_nodes;
}

int scx_bpf_cpu_node(s32 cpu)
{
	return ops_cpu_valid(cpu, NULL) ? (int)topo_of(cpu)->node : NUMA_NO_NODE;
}

/* @node, or why not. */
static s32 validate_node(int node)
{
	if (!scx.idle_per_node) {
		scx_error("per-node idle tracking is disabled");
		return -EOPNOTSUPP;
	}
	if (node == NUMA_NO_NODE)
		return -ENOENT;
	if (node < 0 || (u32)node >= kernel.config.topology->nr_nodes) {
		scx_error("invalid node %d", node);
		return -EINVAL;
	}
	cpu_sync();
	return node;
}

const struct cpumask *scx_bpf_get_idle_cpumask_node(int node)
{
	return validate_node(node) < 0 ? kernel.none : scx.node_idle[node].cpus.mask;
}

const struct cpumask *scx_bpf_get_idle_smtmask_node(int node)
{
	if (validate_node(node) < 0)
		return kernel.none;
	return kernel.config.topology->smt ? scx.node_idle[node].smt.mask : scx.node_idle[node].cpus.mask;
}

s32 scx_bpf_pick_idle_cpu_node(const struct cpumask *allowed, int node, u64 flags)
{
	s32 valid = validate_node(node);

	return valid < 0 ? valid :
			   scx_pick_idle_cpu(node, &(struct scx_cpu_set){ .a = allowed }, flags);
}

s32 scx_bpf_pick_any_cpu_node(const struct cpumask *allowed, int node, u64 flags)
{
	s32 valid = validate_node(node);

	return valid < 0 ? valid : scx_pick_any_cpu(node, allowed, flags);
}

/* --- what is where ------------------------------------------------------------------ */

/*
 * The rq that the operation in progress holds: of the task it is about, or else
 * of this CPU.
 */
struct rq *scx_bpf_locked_rq(void)
{
	const struct sched_ext_entity *curr = &curr_task()->scx;
	struct rq *rq = curr->kf_tasks[0] ? task_rq(curr->kf_tasks[0]) : this_rq();

	if (curr->kf_mask && !(curr->kf_mask & SCX_KF_SELECT_CPU) && rq_locked(rq))
		return rq;
	scx_error("accessing rq without holding rq lock");
	return NULL;
}

struct task_struct *scx_bpf_cpu_curr(s32 cpu)
{
	cpu_sync();
	return ops_cpu_valid(cpu, NULL) ? cpu_rq(cpu)->curr : NULL;
}

u64 scx_bpf_now(void)
{
	return cpu_clock();
}

/* --- registration ---------------------------------------------------------------------- */

#define KFUNC_ENTRY(name, flags) { #name, (void *)name, flags }
#define KFUNC_RENAMED(name, old, flags) { #name, (void *)old, flags }

static const struct bpf_kfunc scheduling_kfuncs[] = {
	KFUNC_RENAMED(scx_bpf_dsq_insert, scx_bpf_dispatch, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_dsq_insert___v2, KF_RCU | KF_TIMELESS),
	KFUNC_RENAMED(scx_bpf_dsq_insert_vtime, scx_bpf_dispatch_vtime, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(__scx_bpf_dsq_insert_vtime, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(__scx_bpf_dispatch_vtime_direct, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(__scx_bpf_dispatch_vtime_buffered, KF_RCU | KF_TIMELESS),
	KFUNC_RENAMED(scx_bpf_dsq_move_to_local, scx_bpf_consume, 0),
};

static const struct bpf_kfunc unlocked_kfuncs[] = {
	KFUNC_ENTRY(scx_bpf_select_cpu_and, KF_RCU),
	KFUNC_ENTRY(__scx_bpf_select_cpu_and, KF_RCU),
	KFUNC_RENAMED(scx_bpf_dsq_move_set_slice, scx_bpf_dispatch_from_dsq_set_slice, KF_RCU),
	KFUNC_RENAMED(scx_bpf_dsq_move_set_vtime, scx_bpf_dispatch_from_dsq_set_vtime, KF_RCU),
	KFUNC_RENAMED(scx_bpf_dsq_move, scx_bpf_dispatch_from_dsq, KF_RCU),
	KFUNC_RENAMED(scx_bpf_dsq_move_vtime, scx_bpf_dispatch_vtime_from_dsq, KF_RCU),
};

static const struct bpf_kfunc any_kfuncs[] = {
	KFUNC_ENTRY(scx_bpf_task_set_slice, KF_RCU),
	KFUNC_ENTRY(scx_bpf_task_set_dsq_vtime, KF_RCU),
	KFUNC_ENTRY(scx_bpf_dsq_peek, KF_RCU_PROTECTED | KF_RET_NULL),
	KFUNC_ENTRY(scx_bpf_reenqueue_local___v2, 0),
	KFUNC_ENTRY(scx_bpf_nr_node_ids, 0),
	KFUNC_ENTRY(scx_bpf_cpu_node, 0),
	KFUNC_ENTRY(scx_bpf_get_idle_cpumask_node, KF_ACQUIRE),
	KFUNC_ENTRY(scx_bpf_get_idle_smtmask_node, KF_ACQUIRE),
	KFUNC_ENTRY(scx_bpf_pick_idle_cpu_node, KF_RCU),
	KFUNC_ENTRY(scx_bpf_pick_any_cpu_node, KF_RCU),
	KFUNC_ENTRY(scx_bpf_locked_rq, KF_RET_NULL),
	KFUNC_ENTRY(scx_bpf_cpu_curr, KF_RET_NULL | KF_RCU_PROTECTED),
	KFUNC_ENTRY(scx_bpf_now, 0),
};

#define KFUNC_SET(funcs_, type_)                                                                   \
	{                                                                                          \
		.funcs = funcs_, .nr = ARRAY_SIZE(funcs_), .prog_type = type_                      \
	}

static struct bpf_kfunc_set sets[] = {
	KFUNC_SET(scheduling_kfuncs, BPF_PROG_TYPE_STRUCT_OPS),
	KFUNC_SET(unlocked_kfuncs, BPF_PROG_TYPE_STRUCT_OPS),
	KFUNC_SET(unlocked_kfuncs, BPF_PROG_TYPE_SYSCALL),
	KFUNC_SET(any_kfuncs, BPF_PROG_TYPE_STRUCT_OPS),
	KFUNC_SET(any_kfuncs, BPF_PROG_TYPE_TRACING),
	KFUNC_SET(any_kfuncs, BPF_PROG_TYPE_SYSCALL),
};

int scx_register_kfuncs_7_0(void)
{
	return scx_register_sets(sets, ARRAY_SIZE(sets));
}
