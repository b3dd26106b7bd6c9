// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks: birth, what they do on a CPU, sleep, exit, and when their memory may
 * go. A task is a state machine: its behaviour names one action after the
 * other, and task_execute() carries them out on the CPU the task is on.
 *
 * Lifetime: a task is found by pid until it exits. Its memory stays until the
 * last reference is put and every CPU has since passed a point where it holds
 * no pointer to any task (a grace period), and no program runs any more that
 * was preempted.
 */

#include "sched.h"
#include "syscall.h"

#define PID_MAX 4194304 /* Linux's PID_MAX_LIMIT on 64 bits */
/* Dead tasks that may wait for their grace period before anybody looks. */
#define GRAVES_MIN 64

/* --- pids ------------------------------------------------------------------- */

static int pid_assign(struct task *t)
{
	if (kernel.nr_pids == PID_MAX)
		return -EAGAIN;
	if (kernel.nr_pids >= kernel.pid_slots) {
		u32 slots = max(kernel.pid_slots * 2, 1024u);
		struct task **grown = realloc(kernel.by_pid, slots * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		memset(grown + kernel.pid_slots, 0, (slots - kernel.pid_slots) * sizeof(*grown));
		kernel.by_pid = grown;
		kernel.pid_slots = slots;
	}
	t->ts.pid = kernel.nr_pids++;
	kernel.by_pid[t->ts.pid] = t;
	return 0;
}

struct task *task_from_pid(s32 pid)
{
	return pid > 0 && (u32)pid < kernel.nr_pids ? kernel.by_pid[pid] : NULL;
}

/* --- lifetime ------------------------------------------------------------------ */

void task_get(struct task *t)
{
	VRT_ASSERT(t->ts.usage.refs > 0);
	t->ts.usage.refs++;
}

void task_put(struct task *t)
{
	VRT_ASSERT(t->ts.usage.refs > 0);
	if (--t->ts.usage.refs)
		return;
	VRT_ASSERT(t->dead);
	t->dead_since = sim_now();
	list_move_tail(&t->all, &kernel.graveyard);
	kernel.nr_graves++;
}

static void task_free(struct task *t)
{
	struct task_struct *p = &t->ts;

	VRT_ASSERT(!t->wait_queue && list_empty(&t->wake_node));
	if (t->behaviour && t->behaviour->release)
		t->behaviour->release(t);
	t->behaviour = NULL;
	task_storage_free(t);
	syscall_free(t);
	files_exit(t);
	cgroup_task_free(p);
	kernel.dead_busy += t->busy;
	mm_task_free(t);
	kheap_free(t);
}

/* Has every CPU (@but one) since @time been where it holds no pointer to a task? */
static bool grace_period_over(u64 time, const struct cpu *but)
{
	u32 cpu;

	for_each_cpu(cpu, kernel.possible) {
		struct cpu_rq *crq = kernel.rqs[cpu];

		if (!crq->cpu->waiting && crq->last_quiescent <= time && crq->cpu != but)
			return false;
	}
	return true;
}

bool cpus_quiescent_since(u64 time)
{
	return grace_period_over(time, NULL);
}

void spin_quiescent(void)
{
	cpu_spin_until(cpu_clock() + NSEC_PER_USEC);
	kernel.rqs[this_cpu->id]->last_quiescent = cpu_clock();
}

void synchronize_cpus(void)
{
	u64 since;

	cpu_sync();
	since = sim_now();
	while (!grace_period_over(since, this_cpu))
		spin_quiescent();
}

void task_reap_graves(void)
{
	if (kernel.nr_graves < GRAVES_MIN)
		return;
	while (!list_empty(&kernel.graveyard)) {
		struct task *t = list_first_entry(&kernel.graveyard, struct task, all);

		if (!grace_period_over(t->dead_since, NULL) ||
		    kthread_oldest_program() <= t->dead_since)
			return;
		list_del_init(&t->all);
		kernel.nr_graves--;
		task_free(t);
	}
}

static void free_list(struct list_head *list)
{
	while (!list_empty(list)) {
		struct task *t = list_first_entry(list, struct task, all);

		list_del_init(&t->all);
		/* the machine has stopped: nothing waits any more */
		if (t->wait_queue)
			list_del_init(&t->wait_node);
		t->wait_queue = NULL;
		list_del_init(&t->wake_node);
		task_free(t);
	}
}

void tasks_free_all(void)
{
	free_list(&kernel.tasks);
	free_list(&kernel.zombies);
	free_list(&kernel.graveyard);
	kernel.nr_graves = 0;
	free(kernel.by_pid);
	kernel.by_pid = NULL;
	kernel.pid_slots = kernel.nr_pids = 0;
}

/* --- birth ------------------------------------------------------------------------ */

static void task_timer(struct hrtimer *timer);

static struct task *task_alloc(const char *comm)
{
	struct task *t = sched_alloc(OBJ_TASK, sizeof(*t));
	struct task_struct *p = &t->ts;

	snprintf(p->comm, sizeof(p->comm), "%s", comm);
	p->cpus_ptr = &p->cpus_mask;
	p->usage.refs = 1;
	p->__state = TASK_NEW;
	p->start_time = p->start_boottime = this_cpu ? cpu_clock() : sim_now();
	p->group_leader = p;
	INIT_LIST_HEAD(&p->tasks);
	INIT_LIST_HEAD(&p->rt.run_list);
	INIT_LIST_HEAD(&p->se.group_node);
	RB_CLEAR_NODE(&p->se.run_node);
	INIT_LIST_HEAD(&t->wait_node);
	INIT_LIST_HEAD(&t->wake_node);
	INIT_LIST_HEAD(&t->all);
	hrtimer_init(&t->timer, task_timer);
	scx_init_task_entity(p);
	return t;
}

struct task *idle_task_create(u32 cpu)
{
	char comm[TASK_COMM_LEN];
	struct task *t;
	struct task_struct *p;

	snprintf(comm, sizeof(comm), "swapper/%u", cpu);
	t = task_alloc(comm);
	p = &t->ts;
	p->flags = PF_IDLE | PF_KTHREAD | PF_NO_SETAFFINITY;
	p->__state = TASK_RUNNING;
	p->policy = SCHED_NORMAL;
	p->prio = p->normal_prio = p->static_prio = MAX_PRIO;
	p->sched_class = &idle_sched_class.id;
	p->cpu = p->wake_cpu = p->recent_used_cpu = cpu;
	p->on_rq = p->on_cpu = 1;
	p->nr_cpus_allowed = 1;
	cpumask_set_cpu(cpu, &p->cpus_mask);
	cgroup_fork(p, NULL);
	return t;
}

static int task_set_identity(struct task *t, const struct task_params *params)
{
	struct task_struct *p = &t->ts, *parent = NULL;
	int err = pid_assign(t);

	if (err)
		return err;
	if (params->parent)
		parent = &params->parent->ts;
	else if (kernel.init_task)
		parent = &kernel.init_task->ts;
	p->real_parent = p->parent = parent ? parent : p;
	p->tgid = p->pid;
	if (!params->new_process && params->parent) {
		p->tgid = parent->tgid;
		p->group_leader = parent->group_leader;
		files_fork(t, params->parent);
		mm_fork(t, params->parent);
	} else if (!(p->flags & PF_KTHREAD)) {
		files_fork(t, NULL);
		mm_fork(t, NULL);
	}
	return 0;
}

static int check_params(const struct task_params *params)
{
	bool rt = params->policy == SCHED_FIFO || params->policy == SCHED_RR;

	if (params->nice < -20 || params->nice > 19)
		return -EINVAL;
	if (rt ? params->rt_priority < 1 || params->rt_priority > 99 : params->rt_priority != 0)
		return -EINVAL;
	if (params->allowed && !cpumask_intersects(params->allowed, kernel.active))
		return -EINVAL;
	return 0;
}

static void task_set_scheduling(struct task *t, const struct task_params *params)
{
	struct task_struct *p = &t->ts;

	p->static_prio = NICE_TO_PRIO(params->nice);
	task_apply_policy(p, params->policy, params->rt_priority);
	cpumask_copy(&p->cpus_mask, params->allowed ? params->allowed : kernel.possible);
	p->nr_cpus_allowed = cpumask_weight(&p->cpus_mask);
	p->cpu = this_cpu ? this_cpu->id : 0;
	if (!is_cpu_allowed(p, p->cpu))
		p->cpu = cpumask_next_and_wrap(p->cpu, &p->cpus_mask, kernel.active);
	p->wake_cpu = p->recent_used_cpu = p->cpu;
	p->sched_class = &setscheduler_class(p)->id;
	p->se.slice = params->slice;
	p->se.custom_slice = params->slice != 0;
	fair_task_init(p, params->parent ? &params->parent->ts : NULL);
}

static void trace_new(const struct task *t)
{
	u64 name[2];

	memcpy(name, t->ts.comm, sizeof(name));
	trace_emit(TRACE_TASK_NEW, t->ts.pid, t->group, t->ts.real_parent->pid);
	trace_emit(TRACE_TASK_NAME, t->ts.pid, name[0], name[1]);
	if (t->ts.prio != DEFAULT_PRIO || t->ts.policy != SCHED_NORMAL)
		trace_prio(&t->ts);
}

/* Whose cgroup it is born in; kernel threads are in the root until they are moved. */
static const struct task_struct *fork_parent(const struct task_params *params, u32 flags)
{
	if (params->parent)
		return &params->parent->ts;
	return kernel.init_task && !(flags & PF_KTHREAD) ? &kernel.init_task->ts : NULL;
}

struct task *task_create_flags(const struct task_params *params,
			       const struct task_behaviour *behaviour, void *data, u32 flags,
			       int *err)
{
	struct task *t;

	*err = check_params(params);
	if (*err)
		return NULL;
	t = task_alloc(params->comm);
	t->ts.flags = flags;
	cgroup_fork(&t->ts, fork_parent(params, flags));
	t->group = params->group;
	*err = task_set_identity(t, params);
	if (*err)
		goto fail;
	scx_pre_fork();
	task_set_scheduling(t, params);
	*err = scx_fork(&t->ts);
	if (*err) {
		scx_cancel_fork();
		/* ops.init_task() may have kept a reference, and others a pointer */
		kernel.by_pid[t->ts.pid] = NULL;
		cgroup_task_dead(&t->ts);
		mm_exit(t);
		t->dead = true;
		list_add_tail(&t->all, &kernel.zombies);
		task_put(t);
		return NULL;
	}
	t->behaviour = behaviour;
	t->data = data;
	list_add_tail(&t->all, &kernel.tasks);
	kernel.nr_tasks++;
	ahead_update();
	ghost_fork(t, params->parent);
	scx_post_fork(&t->ts);
	trace_new(t);
	trace_sched_process_fork(t->ts.real_parent, &t->ts);
	return t;
fail:
	if (t->ts.pid)
		kernel.by_pid[t->ts.pid] = NULL;
	task_free(t);
	return NULL;
}

struct create_call {
	const struct task_params *params;
	const struct task_behaviour *behaviour;
	void *data;
	int *err;
	struct task *task;
};

static void create_inside(void *arg)
{
	struct create_call *c = arg;

	c->task = task_create_flags(c->params, c->behaviour, c->data, 0, c->err);
}

struct task *task_create(const struct task_params *params, const struct task_behaviour *behaviour,
			 void *data, int *err)
{
	struct create_call call = { params, behaviour, data, err, NULL };

	syscall_fork(params->parent && !params->new_process);
	if (current_task() && current_task()->behaviour)
		charge_overhead(TRACE_OVH_SYSCALL, costs.fork);
	kernel_run_inside(create_inside, &call);
	if (!call.task)
		syscall_fork_return(*err);
	return call.task;
}

static void start_inside(void *arg)
{
	wake_up_new_task(arg);
}

void task_start(struct task *t)
{
	VRT_ASSERT(!t->started);
	t->started = true;
	kernel_run_inside(start_inside, t);
	syscall_fork_return(t->ts.pid);
}

/* --- doing -------------------------------------------------------------------------- */

/* Of 1024: how much work a full-speed ns of @crq's CPU, which runs a task, does now. */
static u64 cpu_speed(const struct cpu_rq *crq)
{
	u64 speed = crq->capacity;

	/* this one is busy itself */
	if (crq->core->nr_busy > 1)
		return max(speed * costs.smt_share / SCHED_CAPACITY_SCALE, (u64)1);
	return speed;
}

static bool task_worked(u64 *left, u64 *done)
{
	u64 part = min(*left, *done);

	*left -= part;
	*done -= part;
	return *left == 0;
}

/* The current task has computed until its work was done or the CPU was wanted. */
static void task_computed(void *arg)
{
	struct cpu_rq *crq = arg;
	struct task *t = task_of(crq->rq.curr);
	u64 elapsed = cpu_clock() - crq->waits_since, done = elapsed * crq->speed;

	book_time(crq, BOOK_OVERHEAD);
	t->busy += elapsed;
	if ((t->action.kind == ACT_SPIN || task_worked(&t->penalty, &done)) &&
	    task_worked(&t->work_left, &done))
		t->acting = false;
	task_execute(t);
}

static void task_compute(struct task *t)
{
	struct cpu_rq *crq = kernel.rqs[this_cpu->id];
	bool spin = t->action.kind == ACT_SPIN;
	u64 work = spin ? t->work_left : t->work_left + t->penalty, end;

	book_time(crq, BOOK_BUSY);
	crq->speed = spin ? SCHED_CAPACITY_SCALE : cpu_speed(crq);
	crq->waits_since = cpu_clock();
	end = crq->waits_since + DIV_ROUND_UP(work, crq->speed);
	/* a tick that is earlier ends the wait: to queue its end would be for nothing */
	cpu_wait_then(end > crq->tick_due ? SIM_NEVER : end, task_computed, crq);
}

void task_spend(u64 ns)
{
	struct cpu_rq *crq = kernel.rqs[this_cpu->id];
	struct task *t = current_task();
	u64 speed = cpu_speed(crq), work = t->penalty + (ns << 10), elapsed = work / speed;

	t->penalty = work % speed;
	book_time(crq, BOOK_BUSY);
	cpu_charge(elapsed);
	book_time(crq, BOOK_OVERHEAD);
	t->busy += elapsed;
}

static void task_sleep_until(struct task *t, u64 when)
{
	syscall_sleep(&t->action);
	charge_overhead(TRACE_OVH_SYSCALL, costs.syscall + costs.timer_program);
	if (when <= cpu_clock())
		return;
	hrtimer_start(&t->timer, when);
	schedule_to_sleep();
}

static void task_exit(struct task *t)
{
	struct task_struct *p = &t->ts;

	syscall_enter(SYSCALL_EXIT, 0, 0);
	charge_overhead(TRACE_OVH_SYSCALL, costs.exit);
	cpu_sync();
	files_exit(t);
	mm_exit(t);
	p->flags |= PF_EXITING;
	trace_sched_process_exit(p);
	kernel.by_pid[p->pid] = NULL;
	trace_emit(TRACE_TASK_EXIT, p->pid, 0, 0);
	p->__state = TASK_DEAD;
	schedule(); /* the CPU goes on with somebody else, and the task may be gone already */
}

void task_finish_dead(struct task *t)
{
	struct task_struct *p = &t->ts;

	VRT_ASSERT(!p->on_rq && !p->on_cpu);
	/* first: a walk over all tasks must not find one that has taken leave already */
	t->dead = true;
	list_move_tail(&t->all, &kernel.zombies);
	kernel.nr_tasks--;
	ahead_update();
	scx_task_dead(p);
	cgroup_task_dead(p);
	ghost_task_dead(p);
	task_put(t);
	task_reap_graves();
}

/* Asks the behaviour what comes next and begins it. */
static void task_next(struct task *t)
{
	struct task_action *act = &t->action;

	if (!t->behaviour->syncs)
		cpu_sync();
	syscall_wake(t);
	t->behaviour->next(t, act);
	switch (act->kind) {
	case ACT_COMPUTE:
	case ACT_SPIN:
		t->work_left = min(act->ns, (u64)1 << 50) << 10;
		t->acting = t->work_left != 0;
		return;
	case ACT_SLEEP:
		task_sleep_until(t, cpu_clock() + act->ns);
		return;
	case ACT_SLEEP_UNTIL:
		task_sleep_until(t, act->ns);
		return;
	case ACT_BLOCK:
		/* a waker may have been faster */
		if (t->ts.__state != TASK_RUNNING)
			schedule();
		else if (t->ghost.switchto)
			ghost_switchto_abort(t);
		return;
	case ACT_YIELD:
		syscall_enter(SYSCALL_SCHED_YIELD, 0, 0);
		charge_overhead(TRACE_OVH_SYSCALL, costs.syscall);
		do_yield();
		return;
	case ACT_EXIT:
		task_exit(t);
		return;
	}
	vrt_bug(__FILE__, __LINE__, "behaviour of %s[%d] asks for action %d", t->ts.comm,
		t->ts.pid, act->kind);
}

void task_execute(struct task *t)
{
	struct rq *rq = this_rq();

	while (rq->curr == &t->ts && !this_cpu->then && !this_cpu->pending && !need_resched() &&
	       task_may_act(&t->ts)) {
		if (t->acting) {
			task_compute(t);
			return;
		}
		task_next(t);
	}
}

/* --- waiting -------------------------------------------------------------------------- */

void wait_queue_init(struct wait_queue *wq)
{
	INIT_LIST_HEAD(&wq->waiters);
	wq->id = 0;
}

void wait_queue_add(struct wait_queue *wq, u64 timeout_ns)
{
	struct task *t = current_task();

	VRT_ASSERT(t && !t->wait_queue);
	t->wait_queue = wq;
	t->timed_out = false;
	t->ts.__state = TASK_INTERRUPTIBLE;
	list_add_tail(&t->wait_node, &wq->waiters);
	if (timeout_ns)
		hrtimer_start(&t->timer, cpu_clock() + timeout_ns);
}

static void wait_queue_take(struct task *t)
{
	list_del_init(&t->wait_node);
	t->wait_queue = NULL;
}

u32 wait_queue_wake(struct wait_queue *wq, u32 nr, bool sync)
{
	u32 woken = 0;

	while (woken < nr && !list_empty(&wq->waiters)) {
		struct task *t = list_first_entry(&wq->waiters, struct task, wait_node);

		wait_queue_take(t);
		hrtimer_cancel(&t->timer);
		try_to_wake_up(t, sync ? WF_SYNC : 0);
		woken++;
	}
	return woken;
}

bool wait_timed_out(void)
{
	return current_task()->timed_out;
}

/* The end of a sleep or of a wait's patience, in interrupt context. */
static void task_timer(struct hrtimer *timer)
{
	struct task *t = container_of(timer, struct task, timer);

	if (t->wait_queue) {
		wait_queue_take(t);
		t->timed_out = true;
	}
	wake_up_by_timer(t);
}

/* --- what behaviours ask ---------------------------------------------------------------- */

struct task *current_task(void)
{
	struct task_struct *p;

	if (!this_cpu)
		return NULL;
	p = curr_task();
	return is_idle_task(p) ? NULL : task_of(p);
}

u32 current_cpu(void)
{
	return this_cpu->id;
}

void *task_data(struct task *t)
{
	return t->data;
}

s32 task_pid(const struct task *t)
{
	return t->ts.pid;
}

const char *task_comm(const struct task *t)
{
	return t->ts.comm;
}

u64 task_runtime(struct task *t)
{
	struct rq *rq = task_rq(&t->ts);

	if (task_current(rq, &t->ts) && this_cpu && this_rq() == rq) {
		update_rq_clock(rq);
		return t->ts.se.sum_exec_runtime + (rq->clock_task - t->ts.se.exec_start);
	}
	return t->ts.se.sum_exec_runtime;
}

u64 task_clock(void)
{
	return cpu_clock();
}

void task_sync(void)
{
	cpu_sync();
}

void task_charge_syscall(void)
{
	charge_overhead(TRACE_OVH_SYSCALL, costs.syscall);
}

void task_report_ops(u64 units)
{
	trace_emit(TRACE_OPS, curr_task()->pid, units, 0);
}

void task_report_request(u64 latency_ns)
{
	trace_emit(TRACE_REQUEST, curr_task()->pid, latency_ns, 0);
}

void task_report_wakeup(u64 latency_ns)
{
	trace_emit(TRACE_REQUEST, curr_task()->pid, latency_ns, 1);
}
