// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kfuncs of sched_ext, as Linux 6.12 has them and its sched-ext.rst and
 * kernel-doc describe them; the work is done in the other files. What came or
 * got another name since is in kfuncs_7_0.c.
 *
 * Where each may be called from is said in contexts.c and checked at load. They
 * check again while running: with --contexts run nobody else does, and what the
 * operation is about (which task, nested or not) only they can know.
 */
#include "../../../kernel/kfuncs.h"
#include "ext.h"
#include "insert.h"

/* --- dispatching ------------------------------------------------------------- */

bool scx_refuse_insert(u32 mask, struct task_struct *p, u64 enq_flags)
{
	bpf_kfunc_settle();
	if (!scx_kf_allowed(mask))
		return false;
	if (!p)
		scx_error("called with NULL task");
	else
		scx_error("invalid enq_flags 0x%llx", enq_flags);
	return false;
}

bool scx_bpf_dispatch_direct(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	return scx_insert(&scx_direct, p, dsq_id, slice, enq_flags);
}

bool scx_bpf_dispatch_buffered(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	return scx_insert(&scx_buffered, p, dsq_id, slice, enq_flags);
}

void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	scx_insert(&scx_by_operation, p, dsq_id, slice, enq_flags);
}

bool scx_bpf_dispatch_vtime_direct(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
				   u64 enq_flags)
{
	return scx_insert_vtime(&scx_direct, p, dsq_id, slice, vtime, enq_flags);
}

bool scx_bpf_dispatch_vtime_buffered(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
				     u64 enq_flags)
{
	return scx_insert_vtime(&scx_buffered, p, dsq_id, slice, vtime, enq_flags);
}

void scx_bpf_dispatch_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
			    u64 enq_flags)
{
	scx_insert_vtime(&scx_by_operation, p, dsq_id, slice, vtime, enq_flags);
}

u32 scx_bpf_dispatch_nr_slots(void)
{
	if (!scx_kf_allowed(SCX_KF_DISPATCH))
		return 0;
	return scx.max_batch - this_hand()->dsp_cursor;
}

void scx_bpf_dispatch_cancel(void)
{
	if (!scx_kf_allowed(SCX_KF_DISPATCH))
		return;
	if (this_hand()->dsp_cursor)
		this_hand()->dsp_cursor--;
	else
		scx_error("dispatch buffer underflow");
}

bool scx_bpf_consume(u64 dsq_id)
{
	struct scx_dsq *dsq;

	if (!scx_kf_allowed(SCX_KF_DISPATCH))
		return false;
	flush_dispatch_buf(this_rq());
	dsq = find_user_dsq(dsq_id);
	if (!dsq) {
		scx_error("invalid DSQ ID 0x%016llx", dsq_id);
		return false;
	}
	if (!consume_dsq(this_rq(), &dsq->q))
		return false;
	/* the task may be dequeued again before it runs: ask for another round then */
	this_hand()->dsp_nr_tasks++;
	return true;
}

u32 scx_bpf_reenqueue_local(void)
{
	return scx_kf_allowed(SCX_KF_CPU_RELEASE) ? scx_reenqueue_local(this_rq()) : 0;
}

s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *is_idle)
{
	s32 cpu;

	*is_idle = false;
	if (scx_generation()->select_cpu_anywhere) {
		cpu = scx_select_cpu_kfunc(p, prev_cpu, wake_flags, p->cpus_ptr, 0);
		*is_idle = cpu >= 0;
		return cpu >= 0 ? cpu : prev_cpu;
	}
	if (!ops_cpu_valid(prev_cpu, NULL) || !scx_kf_allowed(SCX_KF_SELECT_CPU))
		return prev_cpu;
	if (!scx_idle_tracked())
		return prev_cpu;
	return scx_select_cpu_dfl(p, prev_cpu, wake_flags, is_idle);
}

/* --- dispatch queues ------------------------------------------------------------ */

s32 scx_bpf_create_dsq(u64 dsq_id, s32 node)
{
	if (node >= (s32)kernel.config.topology->nr_nodes || node < -1)
		return -EINVAL;
	return create_dsq(dsq_id);
}

void scx_bpf_destroy_dsq(u64 dsq_id)
{
	destroy_dsq(dsq_id);
}

s32 scx_bpf_dsq_nr_queued(u64 dsq_id)
{
	struct scx_dsq *dsq;

	cpu_sync();
	if (dsq_id == SCX_DSQ_LOCAL)
		return this_rq()->scx.local_dsq.nr;
	if ((dsq_id & SCX_DSQ_LOCAL_ON) == SCX_DSQ_LOCAL_ON) {
		s32 cpu = dsq_id & SCX_DSQ_LOCAL_CPU_MASK;

		return ops_cpu_valid(cpu, NULL) ? (s32)cpu_rq(cpu)->scx.local_dsq.nr : -ENOENT;
	}
	dsq = find_user_dsq(dsq_id);
	return dsq ? (s32)dsq->q.nr : -ENOENT;
}

int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags)
{
	return scx_iter_new(it, dsq_id, flags);
}

struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it)
{
	return scx_iter_next(it);
}

void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it)
{
	scx_iter_destroy(it);
}

void scx_bpf_dispatch_from_dsq_set_slice(struct bpf_iter_scx_dsq *it, u64 slice)
{
	scx_iter_set_slice(it, slice);
}

void scx_bpf_dispatch_from_dsq_set_vtime(struct bpf_iter_scx_dsq *it, u64 vtime)
{
	scx_iter_set_vtime(it, vtime);
}

bool scx_bpf_dispatch_from_dsq(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 dsq_id,
			       u64 enq_flags)
{
	return scx_iter_move(it, p, dsq_id, scx_enq_flags_from_bpf(enq_flags));
}

bool scx_bpf_dispatch_vtime_from_dsq(struct bpf_iter_scx_dsq *it, struct task_struct *p,
				     u64 dsq_id, u64 enq_flags)
{
	return scx_iter_move(it, p, dsq_id,
			     scx_enq_flags_from_bpf(enq_flags) | SCX_ENQ_DSQ_PRIQ);
}

/* --- leaving ------------------------------------------------------------------------- */

static void exit_bstr(enum scx_exit_kind kind, s64 code, const char *fmt,
		      unsigned long long *data, u32 data_sz)
{
	char text[SCX_EXIT_MSG_LEN];
	int len = bpf_bstr_format(text, sizeof(text), fmt, (const u64 *)data, data_sz);

	if (len < 0)
		scx_error("format preparation failed (%d)", len);
	else
		scx_exit(kind, code, "%s", text);
}

void scx_bpf_exit_bstr(s64 exit_code, char *fmt, unsigned long long *data, u32 data_sz)
{
	exit_bstr(SCX_EXIT_UNREG_BPF, exit_code, fmt, data, data_sz);
}

void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 data_sz)
{
	exit_bstr(SCX_EXIT_ERROR_BPF, 0, fmt, data, data_sz);
}

void scx_bpf_dump_bstr(char *fmt, unsigned long long *data, u32 data_sz)
{
	scx_dump_bstr(fmt, (const u64 *)data, data_sz);
}

/* --- CPUs ------------------------------------------------------------------------------ */

void scx_bpf_kick_cpu(s32 cpu, u64 flags)
{
	scx_kick_cpu(cpu, flags);
}

u32 scx_bpf_cpuperf_cap(s32 cpu)
{
	return ops_cpu_valid(cpu, NULL) ? topo_of(cpu)->capacity : SCX_CPUPERF_ONE;
}

/* Frequencies do not change: a CPU is always at its own full speed. */
u32 scx_bpf_cpuperf_cur(s32 cpu)
{
	ops_cpu_valid(cpu, NULL);
	return SCX_CPUPERF_ONE;
}

void scx_bpf_cpuperf_set(s32 cpu, u32 perf)
{
	if (perf > SCX_CPUPERF_ONE) {
		scx_error("Invalid cpuperf target %u for CPU %d", perf, cpu);
		return;
	}
	if (ops_cpu_valid(cpu, NULL)) {
		cpu_rq(cpu)->scx.cpuperf_target = perf;
		scx.unmodelled_cpuperf = true;
	}
}

u32 scx_bpf_nr_cpu_ids(void)
{
	return nr_cpu_ids;
}

const struct cpumask *scx_bpf_get_possible_cpumask(void)
{
	return kernel.possible;
}

const struct cpumask *scx_bpf_get_online_cpumask(void)
{
	return kernel.online;
}

/* The global masks are never freed: getting and putting them is for the verifier. */
void scx_bpf_put_cpumask(const struct cpumask *cpumask)
{
}

bool scx_idle_tracked(void)
{
	if (scx.builtin_idle)
		return true;
	scx_error("built-in idle tracking is disabled");
	return false;
}

/* A scheduler that has asked for masks by node must name one. */
static bool idle_by_machine(const char *error)
{
	if (scx.idle_per_node)
		scx_error("%s", error);
	return !scx.idle_per_node && scx_idle_tracked();
}

#define PER_NODE_FLAG "SCX_OPS_BUILTIN_IDLE_PER_NODE enabled"
#define PER_NODE_PICK "per-node idle tracking is enabled"

const struct cpumask *scx_bpf_get_idle_cpumask(void)
{
	cpu_sync();
	return idle_by_machine(PER_NODE_FLAG) ? scx.idle.cpus.mask : kernel.none;
}

const struct cpumask *scx_bpf_get_idle_smtmask(void)
{
	cpu_sync();
	if (!idle_by_machine(PER_NODE_FLAG))
		return kernel.none;
	return kernel.config.topology->smt ? scx.idle.smt.mask : scx.idle.cpus.mask;
}

void scx_bpf_put_idle_cpumask(const struct cpumask *idle_mask)
{
}

bool scx_bpf_test_and_clear_cpu_idle(s32 cpu)
{
	cpu_sync();
	return scx_idle_tracked() && ops_cpu_valid(cpu, NULL) && test_and_clear_cpu_idle(cpu);
}

s32 scx_bpf_pick_idle_cpu(const struct cpumask *allowed, u64 flags)
{
	cpu_sync();
	if (!idle_by_machine(PER_NODE_PICK))
		return -EBUSY;
	return scx_pick_idle_cpu(NUMA_NO_NODE, &(struct scx_cpu_set){ .a = allowed }, flags);
}

s32 scx_bpf_pick_any_cpu(const struct cpumask *allowed, u64 flags)
{
	cpu_sync();
	if (scx.idle_per_node) {
		scx_error(PER_NODE_PICK);
		return -EBUSY;
	}
	return scx_pick_any_cpu(NUMA_NO_NODE, allowed, flags);
}

/* --- tasks --------------------------------------------------------------------------------- */

bool scx_bpf_task_running(const struct task_struct *p)
{
	cpu_sync();
	return task_rq(p)->curr == p;
}

s32 scx_bpf_task_cpu(const struct task_struct *p)
{
	return p->cpu;
}

struct rq *scx_bpf_cpu_rq(s32 cpu)
{
	return ops_cpu_valid(cpu, NULL) ? cpu_rq(cpu) : NULL;
}

struct cgroup *scx_bpf_task_cgroup(struct task_struct *p)
{
	struct cgroup *cgroup = root_cgroup();

	if (scx_kf_allowed_on_task(__SCX_KF_RQ_LOCKED, p))
		cgroup = p->sched_task_group->css.cgroup;
	return bpf_cgroup_acquire(cgroup);
}

/* --- registration ------------------------------------------------------------------------------ */

#define KFUNC_ENTRY(name, flags) { #name, (void *)name, flags }

static const struct bpf_kfunc select_cpu_kfuncs[] = {
	KFUNC_ENTRY(scx_bpf_select_cpu_dfl, KF_RCU),
};

static const struct bpf_kfunc scheduling_kfuncs[] = {
	KFUNC_ENTRY(scx_bpf_dispatch, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_dispatch_direct, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_dispatch_buffered, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_dispatch_vtime, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_dispatch_vtime_direct, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_dispatch_vtime_buffered, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_dispatch_nr_slots, 0),
	KFUNC_ENTRY(scx_bpf_dispatch_cancel, 0),
	KFUNC_ENTRY(scx_bpf_consume, 0),
	KFUNC_ENTRY(scx_bpf_reenqueue_local, 0),
};

/* Where no rq lock is held, and from ops.dispatch(). */
static const struct bpf_kfunc unlocked_kfuncs[] = {
	KFUNC_ENTRY(scx_bpf_create_dsq, KF_SLEEPABLE),
	KFUNC_ENTRY(scx_bpf_dispatch_from_dsq_set_slice, KF_RCU),
	KFUNC_ENTRY(scx_bpf_dispatch_from_dsq_set_vtime, KF_RCU),
	KFUNC_ENTRY(scx_bpf_dispatch_from_dsq, KF_RCU),
	KFUNC_ENTRY(scx_bpf_dispatch_vtime_from_dsq, KF_RCU),
};

static const struct bpf_kfunc any_kfuncs[] = {
	KFUNC_ENTRY(scx_bpf_kick_cpu, 0),
	KFUNC_ENTRY(scx_bpf_dsq_nr_queued, 0),
	KFUNC_ENTRY(scx_bpf_destroy_dsq, 0),
	KFUNC_ENTRY(bpf_iter_scx_dsq_new, KF_ITER_NEW | KF_RCU_PROTECTED),
	KFUNC_ENTRY(bpf_iter_scx_dsq_next, KF_ITER_NEXT | KF_RET_NULL),
	KFUNC_ENTRY(bpf_iter_scx_dsq_destroy, KF_ITER_DESTROY),
	KFUNC_ENTRY(scx_bpf_exit_bstr, KF_TRUSTED_ARGS),
	KFUNC_ENTRY(scx_bpf_error_bstr, KF_TRUSTED_ARGS),
	KFUNC_ENTRY(scx_bpf_dump_bstr, KF_TRUSTED_ARGS),
	KFUNC_ENTRY(scx_bpf_cpuperf_cap, 0),
	KFUNC_ENTRY(scx_bpf_cpuperf_cur, 0),
	KFUNC_ENTRY(scx_bpf_cpuperf_set, 0),
	KFUNC_ENTRY(scx_bpf_nr_cpu_ids, KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_get_possible_cpumask, KF_ACQUIRE | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_get_online_cpumask, KF_ACQUIRE | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_put_cpumask, KF_RELEASE | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_get_idle_cpumask, KF_ACQUIRE),
	KFUNC_ENTRY(scx_bpf_get_idle_smtmask, KF_ACQUIRE),
	KFUNC_ENTRY(scx_bpf_put_idle_cpumask, KF_RELEASE | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_test_and_clear_cpu_idle, 0),
	KFUNC_ENTRY(scx_bpf_pick_idle_cpu, KF_RCU),
	KFUNC_ENTRY(scx_bpf_pick_any_cpu, KF_RCU),
	KFUNC_ENTRY(scx_bpf_task_running, KF_RCU),
	KFUNC_ENTRY(scx_bpf_task_cpu, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(scx_bpf_cpu_rq, KF_RET_NULL),
	KFUNC_ENTRY(scx_bpf_task_cgroup, KF_RCU | KF_ACQUIRE),
};

#define KFUNC_SET(funcs_, type_)                                                                   \
	{                                                                                          \
		.funcs = funcs_, .nr = ARRAY_SIZE(funcs_), .prog_type = type_                      \
	}

static struct bpf_kfunc_set sets[] = {
	KFUNC_SET(select_cpu_kfuncs, BPF_PROG_TYPE_STRUCT_OPS),
	KFUNC_SET(scheduling_kfuncs, BPF_PROG_TYPE_STRUCT_OPS),
	KFUNC_SET(unlocked_kfuncs, BPF_PROG_TYPE_STRUCT_OPS),
	KFUNC_SET(unlocked_kfuncs, BPF_PROG_TYPE_SYSCALL),
	KFUNC_SET(any_kfuncs, BPF_PROG_TYPE_STRUCT_OPS),
	KFUNC_SET(any_kfuncs, BPF_PROG_TYPE_TRACING),
	KFUNC_SET(any_kfuncs, BPF_PROG_TYPE_SYSCALL),
};

/* Since scx_bpf_select_cpu_dfl() may be called where no rq is locked. */
static struct bpf_kfunc_set select_cpu_unlocked =
	KFUNC_SET(select_cpu_kfuncs, BPF_PROG_TYPE_SYSCALL);

int scx_register_sets(struct bpf_kfunc_set *s, u32 nr)
{
	int err = 0;

	for (u32 i = 0; !err && i < nr; i++) {
		s[i].partial = kernel.config.generation != GENERATION_ANY;
		err = bpf_register_kfuncs(&s[i]);
	}
	return err;
}

int scx_register_kfuncs(void)
{
	int err = scx_register_sets(sets, ARRAY_SIZE(sets));

	if (!err && scx_generation()->select_cpu_anywhere)
		err = scx_register_sets(&select_cpu_unlocked, 1);
	return err ? err : scx_register_kfuncs_7_0();
}
