// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a BPF scheduler: enabling, bypass and disabling.
 *
 * While it is enabled and disabled the class is in bypass mode: the scheduler
 * is not asked, tasks run from the global queues first in first out, so that
 * everybody makes progress whatever the scheduler does.
 *
 * A failing init, init_task or validation still lets the attach succeed: the
 * error arrives through ops.exit(), with all its details.
 */
#include "../../base/alloc.h"
#include "ext.h"

struct scx_state scx = { .state = SCX_OPS_DISABLED, .exit_kind = SCX_EXIT_DONE };
bool scx_on;

bool scx_switched_all(void)
{
	return scx.switched_all;
}

bool scx_wants_class(const struct task_struct *p)
{
	if (!scx_on || scx.state == SCX_OPS_DISABLING)
		return false;
	return scx.switching_all || p->policy == SCHED_EXT;
}

/* --- bypass ---------------------------------------------------------------------- */

static void bypass_rq(struct rq *rq, bool on)
{
	struct task_struct *p, *n;

	rq_lock(rq);
	if (on)
		rq->scx.flags |= SCX_RQ_BYPASSING;
	else
		rq->scx.flags &= ~SCX_RQ_BYPASSING;
	if (scx_on) {
		list_for_each_entry_safe_reverse(p, n, &rq->scx.runnable_list, scx.runnable_node) {
			struct sched_change c;

			/* through dequeue and enqueue: that puts it where it now belongs */
			sched_change_begin(&c, p, DEQUEUE_SAVE | DEQUEUE_MOVE);
			sched_change_end(&c);
		}
	}
	if (cpu_online(rq->cpu))
		resched_curr(rq);
	rq_unlock(rq);
}

void scx_bypass(bool on)
{
	if (on ? scx.bypass_depth++ : --scx.bypass_depth)
		return;
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		bypass_rq(cpu_rq(cpu), on);
}

/* --- disabling ------------------------------------------------------------------------------ */

static int disable_one(struct task_struct *p)
{
	struct rq *rq;

	task_pin(p);
	rq = task_rq_lock(p);
	task_change_class(p, setscheduler_class(p));
	scx_exit_task(p);
	rq_unlock(rq);
	task_unpin(p);
	return 0;
}

static void free_dispatch_buffers(void)
{
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct scx_hand *hand = &kernel.rqs[cpu]->scx_hand;

		free(hand->dsp_buf);
		hand->dsp_buf = NULL;
		hand->dsp_cursor = 0;
	}
}

static void record_exit(const struct scx_exit_info *ei)
{
	struct scx_exit_record *r = &scx.record;

	r->attached = false;
	r->detached_at = cpu_clock();
	r->kind = ei->kind;
	r->exit_code = ei->exit_code;
	snprintf(r->reason, sizeof(r->reason), "%s", ei->reason);
	snprintf(r->message, sizeof(r->message), "%s", ei->msg);
	free(r->dump);
	r->dump = ei->dump[0] ? xstrdup(ei->dump) : NULL;
	kernel_logf(false, "sched_ext: BPF scheduler \"%s\" disabled (%s)", scx.ops.name,
		    ei->reason);
	if (ei->kind >= SCX_EXIT_ERROR && ei->msg[0])
		kernel_logf(false, "sched_ext: %s: %s", scx.ops.name, ei->msg);
	trace_emit(TRACE_SCHED_DETACH, 0, ei->kind, ei->exit_code);
}

/* No task is on sched_ext any more: let go of everything. */
static void disable_finish(struct scx_exit_info *ei)
{
	scx_on = false;
	/* programs that run now on other CPUs, and what they hold */
	synchronize_cpus();
	memset(scx.has_op, 0, sizeof(scx.has_op));
	scx.cpu_preempt = scx.builtin_idle = false;
	record_exit(ei);
	if (scx.ops.exit)
		SCX_CALL(SCX_KF_UNLOCKED, exit, SCX_ARG(ei));
	scx_watchdog_stop();
	memset(&scx.ops, 0, sizeof(scx.ops));
	destroy_all_dsqs();
	free_dispatch_buffers();
	scx_free_exit_info();
}

/* Once per scheduler: whoever finds the exit claimed first does it. */
static void disable(void)
{
	struct scx_exit_info *ei = scx.info;
	enum scx_exit_kind kind = scx.exit_kind;

	if (kind == SCX_EXIT_NONE || kind == SCX_EXIT_DONE)
		return;
	scx.exit_kind = SCX_EXIT_DONE;
	scx.state = SCX_OPS_DISABLING;
	scx_exit_flush();
	scx_set_exit_kind(kind);
	scx_bypass(true);
	scx.switched_all = scx.switching_all = false;
	cgroup_lock();
	scx_exit_cgroups();
	cgroup_unlock();
	scx_lock_out_forks();
	scx.init_task_enabled = false;
	scx_for_each_task(disable_one);
	scx_let_in_forks();
	disable_finish(ei);
	scx_bypass(false);
	scx.state = SCX_OPS_DISABLED;
}

void scx_disable_workfn(struct kthread_work *work)
{
	/* scx_enable() sees the exit when it is done, and disables itself */
	if (scx.state != SCX_OPS_ENABLING)
		disable();
}

void scx_disable(enum scx_exit_kind kind)
{
	scx_claim_exit(kind);
	disable();
	/* the helper may be at it, for an error that came first */
	while (scx.state != SCX_OPS_DISABLED)
		spin_quiescent();
}

/* --- enabling -------------------------------------------------------------------------------- */

static int init_one(struct task_struct *p)
{
	int err = scx_ops_init_task(p, false);

	if (err) {
		scx_error("ops.init_task() failed (%d) for %s[%d]", err, p->comm, p->pid);
		return err;
	}
	scx_set_task_state(p, SCX_TASK_READY);
	return 0;
}

static int switch_one(struct task_struct *p)
{
	struct rq *rq;

	task_pin(p);
	rq = task_rq_lock(p);
	if (scx_task_state(p) == SCX_TASK_READY) {
		p->scx.slice = SCX_SLICE_DFL;
		task_change_class(p, setscheduler_class(p));
	}
	rq_unlock(rq);
	task_unpin(p);
	return 0;
}

static int alloc_dispatch_buffers(void)
{
	scx.max_batch = scx.ops.dispatch_max_batch ? scx.ops.dispatch_max_batch
						   : SCX_DSP_DFL_MAX_BATCH;
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct scx_hand *hand = &kernel.rqs[cpu]->scx_hand;

		hand->dsp_buf = calloc(scx.max_batch, sizeof(*hand->dsp_buf));
		hand->dsp_cursor = 0;
		if (!hand->dsp_buf)
			return -ENOMEM;
	}
	return 0;
}

static bool is_hotplug_op(u32 op)
{
	return op == SCX_OP_IDX(cpu_online) || op == SCX_OP_IDX(cpu_offline);
}

static void enable_ops(bool hotplug)
{
	for (u32 op = 0; op < SCX_NR_OPS; op++) {
		/* init and exit are called by name, the rest when it is on */
		if (op == SCX_OP_IDX(init) || op == SCX_OP_IDX(exit))
			continue;
		if (scx.progs[op] && is_hotplug_op(op) == hotplug)
			scx.has_op[op] = true;
	}
}

static int call_init(void)
{
	s32 ret;

	if (!scx.ops.init)
		return 0;
	ret = scx_call(SCX_OP_IDX(init), SCX_KF_UNLOCKED, NULL, 0);
	if (!ret) {
		scx.info->flags |= SCX_EFLAG_INITIALIZED;
		return 0;
	}
	ret = ops_sanitize_err("init", ret);
	scx_error("ops.init() failed (%d)", ret);
	return ret;
}

static int validate_ops(void)
{
	if ((scx.ops.flags & SCX_OPS_ENQ_LAST) && !scx.ops.enqueue) {
		scx_error("SCX_OPS_ENQ_LAST requires ops.enqueue() to be implemented");
		return -EINVAL;
	}
	if (scx.idle_per_node && !scx.builtin_idle) {
		scx_error("SCX_OPS_BUILTIN_IDLE_PER_NODE requires CPU idle selection enabled");
		return -EINVAL;
	}
	return 0;
}

static void check_hotplug_seq(void)
{
	if (scx.ops.hotplug_seq && scx.ops.hotplug_seq != scx.hotplug_seq)
		scx_exit(SCX_EXIT_UNREG_KERN, SCX_ECODE_ACT_RESTART | SCX_ECODE_RSN_HOTPLUG,
			 "expected hotplug seq %llu did not match actual %llu",
			 scx.ops.hotplug_seq, scx.hotplug_seq);
}

/* Everything that can fail, with the exit armed. */
static int enable_steps(void)
{
	int err = call_init();

	if (err)
		return err;
	enable_ops(true);
	check_hotplug_seq();
	err = validate_ops();
	if (err)
		return err;
	err = alloc_dispatch_buffers();
	if (err)
		return err;
	scx_watchdog_start();
	scx_bypass(true);
	enable_ops(false);
	scx.cpu_preempt = scx.ops.cpu_acquire || scx.ops.cpu_release;
	scx_lock_out_forks();
	cgroup_lock();
	scx.init_task_enabled = true;
	err = scx_init_cgroups();
	if (!err)
		err = scx_for_each_task(init_one);
	cgroup_unlock();
	scx_let_in_forks();
	if (err) {
		scx_bypass(false);
		return err;
	}
	scx.switching_all = !(scx.ops.flags & SCX_OPS_SWITCH_PARTIAL);
	scx_on = true;
	scx_lock_out_forks();
	scx_for_each_task(switch_one);
	scx_let_in_forks();
	scx_bypass(false);
	return 0;
}

int scx_enable(const struct sched_ext_ops *ops)
{
	int err;

	if (scx.state != SCX_OPS_DISABLED)
		return -EBUSY;
	scx_alloc_exit_info(ops->exit_dump_len);
	scx.ops = *ops;
	scx.state = SCX_OPS_ENABLING;
	scx.exit_kind = SCX_EXIT_NONE;
	scx.warned_zero_slice = false;
	free(scx.record.dump);
	scx.record = (struct scx_exit_record){ .attached = true };
	snprintf(scx.record.name, sizeof(scx.record.name), "%s", ops->name);
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		cpu_rq(cpu)->scx.cpuperf_target = SCX_CPUPERF_ONE;
	scx.builtin_idle = !ops->update_idle || (ops->flags & SCX_OPS_KEEP_BUILTIN_IDLE);
	scx.idle_per_node = ops->flags & SCX_OPS_BUILTIN_IDLE_PER_NODE;
	scx_update_select_topology();
	if (scx.builtin_idle || scx.idle_per_node)
		reset_idle_masks();
	err = enable_steps();
	/* an error of its own may have come in the meantime: then that is the reason */
	if (err || scx.exit_kind != SCX_EXIT_NONE) {
		if (err)
			scx_error("scx_ops_enable() failed (%d)", err);
		disable();
		return 0;
	}
	scx.state = SCX_OPS_ENABLED;
	scx.switched_all = scx.switching_all;
	kernel_logf(false, "sched_ext: BPF scheduler \"%s\" enabled%s", scx.ops.name,
		    scx.switched_all ? "" : " (partial)");
	trace_emit(TRACE_SCHED_ATTACH, 0, 0, 0);
	return 0;
}
