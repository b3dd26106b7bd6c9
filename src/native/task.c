// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of native tasks: threads that are made, wait for their start, ask
 * their behaviour, and end.
 */
#include "internal.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../base/cpumask.h"
#include "../base/rng.h"
#include "../sim/cpu.h"

#define STACK_SIZE (64u << 10)
#define STOP_SIGNAL SIGUSR1
#define STOP_POLL_NS (10 * NSEC_PER_MSEC)

struct native_config native_config;
bool native_stopping;
static struct list_head tasks;
static u32 nr_alive;
static __thread struct task *self;

/* What the inline functions of sim/cpu.h look at: a CPU that never owes time. */
static struct cpu no_cpu;
struct cpu *this_cpu = &no_cpu;
struct cpu *cpus = &no_cpu;
struct sim_clock sim_clock;

void __cpu_sync(void)
{
	vrt_bug(__FILE__, __LINE__, "a native CPU owes time");
}

/* --- records -------------------------------------------------------------------- */

void native_emit(enum trace_type type, s32 pid, u64 a, u64 b)
{
	struct trace_record rec = {
		.time = native_clock(), .type = type, .cpu = (u16)sched_getcpu(), .pid = pid,
		.a = a, .b = b,
	};

	native_config.record(&rec);
}

static void emit_new(const struct task *t)
{
	u64 name[2];

	memcpy(name, t->comm, sizeof(name));
	native_emit(TRACE_TASK_NEW, t->tid, t->group, t->parent);
	native_emit(TRACE_TASK_NAME, t->tid, name[0], name[1]);
}

/* --- scheduling attributes --------------------------------------------------------- */

static int set_affinity(s32 tid, const struct cpumask *mask)
{
	cpu_set_t *set = CPU_ALLOC(nr_cpu_ids);
	size_t size = CPU_ALLOC_SIZE(nr_cpu_ids);
	int err;

	if (!set)
		return -ENOMEM;
	CPU_ZERO_S(size, set);
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		if (cpumask_test_cpu(cpu, mask))
			CPU_SET_S(cpu, size, set);
	err = sched_setaffinity(tid, size, set) ? -errno : 0;
	CPU_FREE(set);
	return err;
}

/* struct sched_attr of the kernel: glibc has none. */
struct attr {
	u32 size, policy;
	u64 flags;
	s32 nice;
	u32 priority;
	u64 runtime, deadline, period;
};

static int set_policy(s32 tid, s32 policy, s32 nice, u32 rt_priority, u64 slice)
{
	struct attr attr = {
		.size = sizeof(attr), .policy = (u32)policy, .nice = nice, .priority = rt_priority,
		.runtime = slice, /* the wanted slice of fair tasks */
	};

	return syscall(SYS_sched_setattr, tid, &attr, 0) ? -errno : 0;
}

int task_set_affinity(struct task *t, const struct cpumask *mask)
{
	return set_affinity(t->tid, mask);
}

int task_set_nice(struct task *t, s32 nice)
{
	if (nice < -20 || nice > 19)
		return -EINVAL;
	return setpriority(PRIO_PROCESS, (id_t)t->tid, nice) ? -errno : 0;
}

int task_set_policy(struct task *t, s32 policy, u32 rt_priority)
{
	return set_policy(t->tid, policy, t->nice, rt_priority, 0);
}

/* The host's groups belong to the host. */
int task_set_cgroup(struct task *t, const char *path)
{
	return -EOPNOTSUPP;
}

/* On the new thread. */
static int become(struct task *t)
{
	int err = 0;

	pthread_setname_np(pthread_self(), t->comm);
	if (t->restricted)
		err = set_affinity(0, &t->allowed);
	if (!err)
		err = set_policy(0, t->policy, t->nice, t->rt_priority, t->slice);
	return err;
}

/* --- life ----------------------------------------------------------------------------- */

static void finish(struct task *t)
{
	if (t->behaviour->release)
		t->behaviour->release(t);
	list_del_init(&t->all);
	nr_alive--;
	free(t);
}

static void *task_main(void *arg)
{
	struct task *t = arg;
	struct task_action action;

	self = t;
	t->error = become(t);
	__atomic_store_n(&t->tid, (s32)syscall(SYS_gettid), __ATOMIC_RELEASE);
	futex_wake((u32 *)&t->tid);
	while (__atomic_load_n(&t->word, __ATOMIC_ACQUIRE) == WORD_PARKED)
		futex_wait(&t->word, WORD_PARKED, 0);
	for (;;) {
		native_lock();
		if (native_stopping || t->error)
			break;
		t->behaviour->next(t, &action);
		if (action.kind == ACT_EXIT)
			break;
		native_unlock();
		native_act(t, &action);
	}
	finish(t);
	native_unlock();
	return NULL;
}

static struct task *new_task(const struct task_params *params,
			     const struct task_behaviour *behaviour, void *data)
{
	struct task *t = xcalloc(1, sizeof(*t));

	snprintf(t->comm, sizeof(t->comm), "%s", params->comm);
	t->behaviour = behaviour;
	t->data = data;
	t->group = params->group;
	t->parent = params->parent ? params->parent->tid : (s32)getpid();
	t->policy = params->policy;
	t->nice = params->nice;
	t->rt_priority = params->rt_priority;
	t->slice = params->slice;
	t->restricted = params->allowed;
	if (params->allowed)
		cpumask_copy(&t->allowed, params->allowed);
	INIT_LIST_HEAD(&t->wait_node);
	INIT_LIST_HEAD(&t->all);
	return t;
}

static int start_thread(struct task *t)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = -pthread_create(&t->thread, &attr, task_main, t);
	pthread_attr_destroy(&attr);
	return err;
}

static const struct task_behaviour nothing;

struct task *task_create(const struct task_params *params, const struct task_behaviour *behaviour,
			 void *data, int *err)
{
	struct task *t = new_task(params, behaviour, data);

	*err = start_thread(t);
	if (*err) {
		free(t);
		return NULL;
	}
	list_add_tail(&t->all, &tasks);
	nr_alive++;
	while (!__atomic_load_n(&t->tid, __ATOMIC_ACQUIRE))
		futex_wait((u32 *)&t->tid, 0, 0);
	*err = t->error;
	if (!*err)
		return t;
	/* its data stays the caller's, as when nothing was made */
	t->behaviour = &nothing;
	task_start(t);
	return NULL;
}

void task_start(struct task *t)
{
	if (!t->error)
		emit_new(t);
	native_wake_later(t);
}

struct task *current_task(void)
{
	return self;
}

void *task_data(struct task *t)
{
	return t->data;
}

s32 task_pid(const struct task *t)
{
	return t->tid;
}

const char *task_comm(const struct task *t)
{
	return t->comm;
}

u32 current_cpu(void)
{
	return (u32)sched_getcpu();
}

u64 task_runtime(struct task *t)
{
	struct timespec ts;
	clockid_t id;

	if (pthread_getcpuclockid(t->thread, &id) || clock_gettime(id, &ts))
		return 0;
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* --- what else behaviours call ----------------------------------------------------------- */

u64 kernel_now(void)
{
	return native_clock();
}

u64 task_clock(void)
{
	return native_clock();
}

/* System calls are made where they are needed, and cost what they cost. */
/* They run one at a time. */
void task_sync(void)
{
}

void task_charge_syscall(void)
{
}

void syscall_set_site(const char *site)
{
}

void syscall_enter(enum syscall_nr nr, u64 a, u64 b)
{
}

void syscall_return(s64 ret)
{
}

void syscall_resumes(void)
{
}

void syscall_futex(struct wait_queue *wq, u32 nr)
{
}

void task_report_ops(u64 units)
{
	native_emit(TRACE_OPS, self->tid, units, 0);
}

void task_report_request(u64 latency_ns)
{
	native_emit(TRACE_REQUEST, self->tid, latency_ns, 0);
}

void task_report_wakeup(u64 latency_ns)
{
	native_emit(TRACE_REQUEST, self->tid, latency_ns, 1);
}

void workload_rng(struct rng *rng, const char *name, u64 index)
{
	rng_fork(rng, native_config.seed, name, index);
}

void kernel_run_inside(void (*fn)(void *arg), void *arg)
{
	native_lock();
	fn(arg);
	native_unlock();
}

/* --- start and end ------------------------------------------------------------------------- */

static void on_stop(int sig)
{
}

void native_init(const struct native_config *config)
{
	/* no SA_RESTART: it ends whatever a task sleeps in */
	struct sigaction sa = { .sa_handler = on_stop };

	native_config = *config;
	nr_cpu_ids = config->nr_cpus;
	native_stopping = false;
	nr_alive = 0;
	INIT_LIST_HEAD(&tasks);
	sigaction(STOP_SIGNAL, &sa, NULL);
	native_calibrate();
	native_timers_init();
}

void native_run_until(u64 when)
{
	struct timespec ts = { when / NSEC_PER_SEC, when % NSEC_PER_SEC };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static u32 stop_tasks(void)
{
	struct task *t;
	u32 left;

	native_lock();
	list_for_each_entry(t, &tasks, all) {
		if (__atomic_load_n(&t->word, __ATOMIC_RELAXED) == WORD_PARKED)
			native_wake_later(t);
		else
			pthread_kill(t->thread, STOP_SIGNAL);
	}
	left = nr_alive;
	native_unlock();
	return left;
}

/* A signal may come just before its task sleeps: until all have seen it. */
void native_exit(void)
{
	/* under the lock for those who hold it, atomic for those who compute or sleep */
	native_lock();
	__atomic_store_n(&native_stopping, true, __ATOMIC_RELEASE);
	native_unlock();
	while (stop_tasks())
		native_run_until(native_clock() + STOP_POLL_NS);
	native_timers_exit();
	native_files_exit();
}
