// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a BPF scheduler: enabling, the watchdog, bypass and disabling,
 * and what happens to each task on the way.
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

bool scx_enabled(void)
{
	return scx.enabled;
}

bool scx_switched_all(void)
{
	return scx.switched_all;
}

bool scx_wants_class(const struct task_struct *p)
{
	if (!scx.enabled || scx.state == SCX_OPS_DISABLING)
		return false;
	return scx.switching_all || p->policy == SCHED_EXT;
}

/* --- tasks -------------------------------------------------------------------- */

enum scx_task_state scx_task_state(const struct task_struct *p)
{
	return (p->scx.flags & SCX_TASK_STATE_MASK) >> SCX_TASK_STATE_SHIFT;
}

static void set_task_state(struct task_struct *p, enum scx_task_state state)
{
	p->scx.flags &= ~(u32)SCX_TASK_STATE_MASK;
	p->scx.flags |= (u32)state << SCX_TASK_STATE_SHIFT;
}

void scx_init_task_entity(struct task_struct *p)
{
	struct sched_ext_entity *scx_e = &p->scx;

	memset(scx_e, 0, sizeof(*scx_e));
	INIT_LIST_HEAD(&scx_e->dsq_list.node);
	RB_CLEAR_NODE(&scx_e->dsq_priq);
	scx_e->sticky_cpu = -1;
	scx_e->holding_cpu = -1;
	INIT_LIST_HEAD(&scx_e->runnable_node);
	INIT_LIST_HEAD(&scx_e->tasks_node);
	scx_e->runnable_at = kernel.tick_ns ? kernel_now() / kernel.tick_ns : 0;
	scx_e->ddsp_dsq_id = SCX_DSQ_INVALID;
	scx_e->slice = SCX_SLICE_DFL;
}

static int ops_init_task(struct task_struct *p, bool fork)
{
	p->scx.disallow = false;
	if (SCX_HAS_OP(init_task)) {
		struct scx_init_task_args *args = sched_alloc(OBJ_SCX_INIT_TASK_ARGS,
							      sizeof(*args));
		s32 ret;

		args->fork = fork;
		args->cgroup = root_cgroup();
		ret = SCX_CALL(SCX_KF_UNLOCKED, init_task, SCX_ARG(p), SCX_ARG(args));
		kheap_free(args);
		if (ret)
			return ops_sanitize_err("init_task", ret);
	}
	set_task_state(p, SCX_TASK_INIT);
	if (p->scx.disallow && p->policy == SCHED_EXT) {
		if (fork) {
			scx_error("ops.init_task() set task->scx.disallow for %s[%d] during fork",
				  p->comm, p->pid);
		} else {
			p->policy = SCHED_NORMAL;
			scx.nr_rejected++;
		}
	}
	p->scx.flags |= SCX_TASK_RESET_RUNNABLE_AT;
	return 0;
}

/* With the rq locked: the task is about to be scheduled by sched_ext. */
void scx_enable_task(struct task_struct *p)
{
	p->scx.weight = sched_weight_to_cgroup(task_weight(p));
	if (SCX_HAS_OP(enable))
		SCX_CALL_TASK(SCX_KF_REST, enable, p);
	set_task_state(p, SCX_TASK_ENABLED);
	if (SCX_HAS_OP(set_weight))
		SCX_CALL_TASK(SCX_KF_REST, set_weight, p, p->scx.weight);
}

void scx_disable_task(struct task_struct *p)
{
	VRT_ASSERT(scx_task_state(p) == SCX_TASK_ENABLED);
	clear_direct_dispatch(p);
	if (SCX_HAS_OP(disable))
		SCX_CALL_TASK(SCX_KF_REST, disable, p);
	set_task_state(p, SCX_TASK_READY);
}

/* With the rq locked. */
static void exit_task(struct task_struct *p)
{
	enum scx_task_state state = scx_task_state(p);

	if (state == SCX_TASK_NONE)
		return;
	if (state == SCX_TASK_ENABLED)
		scx_disable_task(p);
	if (SCX_HAS_OP(exit_task)) {
		struct scx_exit_task_args *args = sched_alloc(OBJ_SCX_EXIT_TASK_ARGS,
							      sizeof(*args));

		args->cancelled = state == SCX_TASK_INIT;
		SCX_CALL_TASK(SCX_KF_REST, exit_task, p, SCX_ARG(args));
		kheap_free(args);
	}
	set_task_state(p, SCX_TASK_NONE);
}

/*
 * Forks and the enabling and disabling of a scheduler exclude each other: a task
 * is either seen by the walk over all tasks, or knows what the walk has done.
 * Neither side is switched away from while it holds the other out, so spinning
 * ends.
 */
static void lock_out_forks(void)
{
	cpu_sync();
	VRT_ASSERT(!scx.forks_locked_out);
	scx.forks_locked_out = true;
	while (scx.forks)
		cpu_spin_until(cpu_clock() + NSEC_PER_USEC);
}

static void let_in_forks(void)
{
	VRT_ASSERT(scx.forks_locked_out && !scx.forks);
	scx.forks_locked_out = false;
}

void scx_pre_fork(void)
{
	if (this_cpu)
		cpu_sync();
	while (scx.forks_locked_out)
		cpu_spin_until(cpu_clock() + NSEC_PER_USEC);
	scx.forks++;
}

int scx_fork(struct task_struct *p)
{
	return scx.init_task_enabled ? ops_init_task(p, true) : 0;
}

void scx_post_fork(struct task_struct *p)
{
	struct rq *rq;

	VRT_ASSERT(scx.forks);
	if (scx_task_state(p) == SCX_TASK_INIT) {
		set_task_state(p, SCX_TASK_READY);
		if (class_of(p) == &ext_sched_class) {
			rq = task_rq_lock(p);
			scx_enable_task(p);
			rq_unlock(rq);
		}
	}
	scx.forks--;
}

void scx_cancel_fork(void)
{
	VRT_ASSERT(scx.forks);
	scx.forks--;
}

void scx_task_dead(struct task_struct *p)
{
	struct rq *rq;

	if (scx_task_state(p) == SCX_TASK_NONE)
		return;
	rq = task_rq_lock(p);
	exit_task(p);
	rq_unlock(rq);
}

/* Calls @fn for every task there is, dead ones included. Stops at the first error. */
static int for_each_task(int (*fn)(struct task_struct *p))
{
	struct task **tasks = xcalloc(kernel.nr_tasks + 1, sizeof(*tasks)), *t;
	u32 nr = 0, i;
	int err = 0;

	list_for_each_entry(t, &kernel.tasks, all) {
		task_get(t);
		tasks[nr++] = t;
	}
	VRT_ASSERT(nr <= kernel.nr_tasks + 1);
	for (i = 0; i < nr; i++) {
		/* one that has died meanwhile has been taken care of */
		if (!err && !tasks[i]->dead)
			err = fn(&tasks[i]->ts);
		/* it died under our hands, before it had anything to take leave of */
		if (tasks[i]->dead)
			scx_task_dead(&tasks[i]->ts);
		task_put(tasks[i]);
	}
	free(tasks);
	return err;
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
	if (scx.enabled) {
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

/* --- the watchdog --------------------------------------------------------------------- */

static bool check_rq_for_timeouts(struct rq *rq)
{
	struct task_struct *p;
	bool timed_out = false;

	rq_lock(rq);
	list_for_each_entry(p, &rq->scx.runnable_list, scx.runnable_node) {
		u64 waited = jiffies() - p->scx.runnable_at;
		u32 ms = waited * (kernel.tick_ns / NSEC_PER_MSEC);

		if ((s64)waited <= (s64)scx.watchdog_timeout)
			continue;
		scx_exit(SCX_EXIT_ERROR_STALL, 0, "%s[%d] failed to run for %u.%03us", p->comm,
			 p->pid, ms / 1000, ms % 1000);
		timed_out = true;
		break;
	}
	rq_unlock(rq);
	return timed_out;
}

static void watchdog_arm(void)
{
	hrtimer_start(&scx.watchdog_timer,
		      cpu_clock() + max(scx.watchdog_timeout / 2, (u64)1) * kernel.tick_ns);
}

/* In an ordinary kernel thread: if the scheduler starves that too, scx_tick() sees it. */
static void watchdog_workfn(struct kthread_work *work)
{
	u32 cpu;

	if (!scx.enabled)
		return;
	scx.watchdog_stamp = jiffies();
	for_each_cpu(cpu, kernel.online) {
		if (check_rq_for_timeouts(cpu_rq(cpu)))
			break;
	}
	watchdog_arm();
}

static void watchdog_timer(struct hrtimer *timer)
{
	kthread_queue_work(scx.watchdog_worker, &scx.watchdog_work);
}

void scx_tick(struct rq *rq)
{
	u64 since = jiffies() - scx.watchdog_stamp;

	if (!scx.enabled || (s64)since <= (s64)scx.watchdog_timeout)
		return;
	u32 ms = since * (kernel.tick_ns / NSEC_PER_MSEC);

	scx_exit(SCX_EXIT_ERROR_STALL, 0, "watchdog failed to check in for %u.%03us", ms / 1000,
		 ms % 1000);
}

/* --- disabling ------------------------------------------------------------------------------ */

static int disable_one(struct task_struct *p)
{
	struct rq *rq = task_rq_lock(p);

	task_change_class(p, setscheduler_class(p));
	exit_task(p);
	rq_unlock(rq);
	return 0;
}

static void free_dispatch_buffers(void)
{
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct scx_cpu *sc = kernel.rqs[cpu]->scx;

		free(sc->dsp_buf);
		sc->dsp_buf = NULL;
		sc->dsp_cursor = 0;
	}
}

static void record_exit(const struct scx_exit_info *ei)
{
	struct scx_exit_record *r = &scx.record;

	r->attached = false;
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
	scx.enabled = false;
	/* programs that run now on other CPUs, and what they hold */
	synchronize_cpus();
	memset(scx.has_op, 0, sizeof(scx.has_op));
	scx.cpu_preempt = scx.builtin_idle = false;
	record_exit(ei);
	if (scx.ops.exit)
		SCX_CALL(SCX_KF_UNLOCKED, exit, SCX_ARG(ei));
	hrtimer_cancel(&scx.watchdog_timer);
	memset(&scx.ops, 0, sizeof(scx.ops));
	destroy_all_dsqs();
	free_dispatch_buffers();
	scx_free_exit_info();
}

void scx_disable_workfn(struct kthread_work *work)
{
	struct scx_exit_info *ei = scx.info;

	if (scx.exit_kind == SCX_EXIT_NONE || scx.exit_kind == SCX_EXIT_DONE)
		return;
	scx_exit_flush();
	scx_set_exit_kind(scx.exit_kind);
	scx.exit_kind = SCX_EXIT_DONE;
	scx.state = SCX_OPS_DISABLING;
	scx_bypass(true);
	scx.switched_all = scx.switching_all = false;
	scx_exit_cgroups();
	lock_out_forks();
	scx.init_task_enabled = false;
	for_each_task(disable_one);
	let_in_forks();
	disable_finish(ei);
	scx.state = SCX_OPS_DISABLED;
	scx_bypass(false);
}

void scx_disable(enum scx_exit_kind kind)
{
	scx_claim_exit(kind);
	/* the helper may be at it, for an error that came first */
	while (scx.state == SCX_OPS_DISABLING)
		cpu_spin_until(cpu_clock() + NSEC_PER_USEC);
	scx_disable_workfn(&scx.disable_work);
}

/* --- enabling -------------------------------------------------------------------------------- */

static int init_one(struct task_struct *p)
{
	int err = ops_init_task(p, false);

	if (err) {
		scx_error("ops.init_task() failed (%d) for %s[%d]", err, p->comm, p->pid);
		return err;
	}
	set_task_state(p, SCX_TASK_READY);
	return 0;
}

static int switch_one(struct task_struct *p)
{
	struct rq *rq = task_rq_lock(p);

	if (scx_task_state(p) == SCX_TASK_READY) {
		p->scx.slice = SCX_SLICE_DFL;
		task_change_class(p, setscheduler_class(p));
	}
	rq_unlock(rq);
	return 0;
}

static int alloc_dispatch_buffers(void)
{
	scx.max_batch = scx.ops.dispatch_max_batch ? scx.ops.dispatch_max_batch
						   : SCX_DSP_DFL_MAX_BATCH;
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct scx_cpu *sc = kernel.rqs[cpu]->scx;

		sc->dsp_buf = calloc(scx.max_batch, sizeof(*sc->dsp_buf));
		sc->dsp_cursor = 0;
		if (!sc->dsp_buf)
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
	struct bpf_prog **progs = (struct bpf_prog **)&scx.ops;

	for (u32 op = 0; op < SCX_NR_OPS; op++) {
		/* init and exit are called by name, the rest when it is on */
		if (op == SCX_OP_IDX(init) || op == SCX_OP_IDX(exit))
			continue;
		if (is_hotplug_op(op) == hotplug)
			scx.has_op[op] = progs[op] != NULL;
	}
}

static int call_init(void)
{
	s32 ret;

	if (!scx.ops.init)
		return 0;
	ret = scx_call(SCX_OP_IDX(init), SCX_KF_UNLOCKED, NULL, 0);
	if (!ret)
		return 0;
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
	return 0;
}

static void watchdog_start(void)
{
	u64 ms = scx.ops.timeout_ms, tick_ms = kernel.tick_ns / NSEC_PER_MSEC;

	scx.watchdog_timeout = ms ? DIV_ROUND_UP(ms, tick_ms) : SCX_WATCHDOG_MAX_TIMEOUT;
	scx.watchdog_stamp = jiffies();
	watchdog_arm();
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
	watchdog_start();
	scx_bypass(true);
	enable_ops(false);
	scx.cpu_preempt = scx.ops.cpu_acquire || scx.ops.cpu_release;
	lock_out_forks();
	scx.init_task_enabled = true;
	err = scx_init_cgroups();
	if (!err)
		err = for_each_task(init_one);
	let_in_forks();
	if (err) {
		scx_bypass(false);
		return err;
	}
	scx.switching_all = !(scx.ops.flags & SCX_OPS_SWITCH_PARTIAL);
	scx.enabled = true;
	lock_out_forks();
	for_each_task(switch_one);
	let_in_forks();
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
	scx.nr_rejected = 0;
	scx.record.attached = true;
	snprintf(scx.record.name, sizeof(scx.record.name), "%s", ops->name);
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		cpu_rq(cpu)->scx.cpuperf_target = SCX_CPUPERF_ONE;
	scx.builtin_idle = !ops->update_idle || (ops->flags & SCX_OPS_KEEP_BUILTIN_IDLE);
	if (scx.builtin_idle)
		reset_idle_masks();
	err = enable_steps();
	/* an error of its own may have come in the meantime: then that is the reason */
	if (err || scx.exit_kind != SCX_EXIT_NONE) {
		if (err)
			scx_error("scx_ops_enable() failed (%d)", err);
		scx_disable_workfn(&scx.disable_work);
		return 0;
	}
	scx.state = SCX_OPS_ENABLED;
	scx.switched_all = scx.switching_all;
	scx.enable_seq++;
	kernel_logf(false, "sched_ext: BPF scheduler \"%s\" enabled%s", scx.ops.name,
		    scx.switched_all ? "" : " (partial)");
	trace_emit(TRACE_SCHED_ATTACH, 0, 0, 0);
	return 0;
}

/* --- hotplug ---------------------------------------------------------------------------------------- */

/* Unlocked. A scheduler that has no operation for it cannot cope, and goes. */
void scx_cpu_hotplug(struct rq *rq, bool online)
{
	scx.hotplug_seq++;
	if (!scx.enabled)
		return;
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
	crq->scx->kick_pseqs = xcalloc(nr_cpu_ids, sizeof(u64));
	scx_kick_init(crq->scx);
	scx_deferred_init(crq->scx);
}

void scx_boot_early(void)
{
	u32 node, nr_nodes = kernel.config.topology->nr_nodes;

	memset(&scx, 0, sizeof(scx));
	scx.state = SCX_OPS_DISABLED;
	scx.exit_kind = SCX_EXIT_DONE;
	INIT_LIST_HEAD(&scx.dsqs);
	scx.idle_cpus = cpumask_alloc();
	scx.idle_smt = cpumask_alloc();
	scx.global = xcalloc(nr_nodes, sizeof(*scx.global));
	for (node = 0; node < nr_nodes; node++) {
		scx.global[node] = alloc_dsq(SCX_DSQ_GLOBAL);
	}
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		boot_cpu(kernel.rqs[cpu]);
	scx_exit_init();
	hrtimer_init(&scx.watchdog_timer, watchdog_timer);
	kthread_init_work(&scx.watchdog_work, watchdog_workfn);
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
	free(crq->scx->dsp_buf);
	free(crq->scx);
}

void scx_shutdown(void)
{
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		shutdown_cpu(kernel.rqs[cpu]);
	for (u32 node = 0; node < kernel.config.topology->nr_nodes; node++)
		kheap_free(scx.global[node]);
	free(scx.global);
	free(scx.hash);
	scx_free_exit_info();
	kheap_free(scx.idle_cpus);
	kheap_free(scx.idle_smt);
	free(scx.record.dump);
	memset(&scx, 0, sizeof(scx));
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
