/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated kernel, as its users see it: boot, run, shut down; create
 * tasks with a behaviour; what a behaviour may do (the system calls).
 *
 * A behaviour is a state machine without a stack of its own: whenever the
 * task's last action is finished, next() runs in the task's context on its CPU
 * and says what comes next. In between it may call the system calls below.
 */
#ifndef VRT_SCHED_KERNEL_H
#define VRT_SCHED_KERNEL_H

#include "../../kernel/sched.h"
#include "../../kernel/syscalls.h"
#include "../base/list.h"
#include "../bpf/generation.h"
#include "../sim/cost.h"
#include "../sim/topology.h"

struct task; /* starts with its struct task_struct */
struct hrtimer;
struct rng;

enum noise_level { NOISE_NONE, NOISE_LIGHT, NOISE_HEAVY };

struct kernel_config {
	const struct topology *topology;
	const struct cost_table *costs;
	u64 seed;
	enum noise_level noise;
	u32 hz; /* 1..1000; 0: 250 */
	enum kernel_generation generation; /* of the interface that BPF programs see */
	/*
	 * From where the scheduler's kfuncs are called is checked while they run, as by
	 * Linux up to 7.0, and not at load: --contexts run
	 */
	bool contexts_at_run;
	/* programs are interpreted, with every access checked, where they could be compiled */
	bool interpreted;
	/* programs are not verified, only stopped when they go wrong: to test that */
	bool unverified;
	/* lines of the kernel log and of bpf_printk(), at their virtual time */
	void (*log)(u64 time, bool bpf, const char *line);
};

/* 0 or -errno. One kernel per process. */
int kernel_boot(const struct kernel_config *config);
/* Lets virtual time pass until @until (absolute, ns). */
void kernel_run_until(u64 until);
/* Stops all, frees all. */
void kernel_shutdown(void);
u64 kernel_now(void);

/*
 * Checks the books: every runnable task on exactly one queue, time of every CPU
 * accounted for. Returns the number of discrepancies; each is described in @out
 * (may be NULL), one line each.
 */
u32 kernel_check_books(char *out, size_t size);

/* Per-CPU time since boot, ns; busy + idle + overhead is the elapsed time. */
struct cpu_times {
	u64 busy, idle, overhead;
};
void kernel_cpu_times(u32 cpu, struct cpu_times *times);
u64 kernel_context_switches(void);

/*
 * Runs @fn as a kernel thread on CPU 0 of the machine and returns when it is
 * done, virtual time passing meanwhile. When called from inside the machine it
 * just calls @fn.
 */
void kernel_run_inside(void (*fn)(void *arg), void *arg);

/* CPU hotplug. -EBUSY on the CPU itself; -EINVAL for CPU 0, which stays, no such CPU, or one already in that state. */
int kernel_cpu_set_online(u32 cpu, bool online);

/*
 * What a program has asked for since boot that this kernel does not model:
 * sentence @i, or NULL.
 */
const char *kernel_unmodelled(u32 i);

/* How the sched_ext scheduler that was attached last has ended, if it has. */
struct scx_exit_record {
	bool attached; /* still in charge */
	u64 detached_at;
	enum scx_exit_kind kind;
	s64 exit_code;
	char reason[64];
	char message[SCX_EXIT_MSG_LEN];
	char *dump; /* debug dump, NULL if none; owned by the kernel until shutdown */
	char name[SCX_OPS_NAME_LEN];
};
const struct scx_exit_record *kernel_scx_exit(void);

/* --- tasks -------------------------------------------------------------- */

enum task_action_kind {
	ACT_COMPUTE, /* @ns of work at full speed: takes longer on a slow or shared CPU */
	ACT_SPIN, /* be on a CPU for @ns, whatever its speed (rt-app "runtime") */
	ACT_SLEEP, /* until now + @ns */
	ACT_SLEEP_UNTIL, /* absolute; in the past: does not sleep */
	ACT_BLOCK, /* until woken; wait_queue_add() has been called */
	ACT_YIELD,
	ACT_EXIT,
};

struct task_action {
	enum task_action_kind kind;
	u64 ns;
};

struct task_behaviour {
	void (*next)(struct task *task, struct task_action *action);
	/* frees what task_data() points to; called once, after exit or at shutdown */
	void (*release)(struct task *task);
	const char *name; /* for whoever traces system calls: "hackbench:sender"; lives for ever */
	/*
	 * next() calls task_sync() before it looks at what other tasks touch. Without
	 * this the machine does, before each next(), and so cannot put together what
	 * a task does alone.
	 */
	bool syncs;
};

struct task_params {
	const char *comm; /* cut to 15 bytes */
	s32 policy; /* SCHED_NORMAL, SCHED_FIFO, ... */
	s32 nice; /* -20..19 */
	u32 rt_priority; /* 1..99 for SCHED_FIFO and SCHED_RR */
	const struct cpumask *allowed; /* NULL: all */
	u32 group; /* metrics group of the creator's */
	bool new_process; /* own tgid and mm; otherwise a thread of the parent */
	struct task *parent; /* NULL: init */
	u64 slice; /* wanted slice of the fair class, ns; 0: default */
};

/*
 * Makes a task that is not yet runnable. From a behaviour this is fork: the
 * cost is charged to the caller. NULL with -errno in *err (a BPF scheduler's
 * init_task may refuse).
 */
struct task *task_create(const struct task_params *params, const struct task_behaviour *behaviour,
			 void *data, int *err);
/* Makes it runnable: wake_up_new_task(). From outside the machine at a boot CPU's expense. */
void task_start(struct task *task);
void *task_data(struct task *task);
s32 task_pid(const struct task *task);
const char *task_comm(const struct task *task);
/* The task whose behaviour runs now; NULL outside of one. */
struct task *current_task(void);
/* The CPU that it runs on. */
u32 current_cpu(void);
/* ns on a CPU so far */
u64 task_runtime(struct task *task);

/* --- what behaviours call ------------------------------------------------ */

/*
 * Tasks waiting in FIFO order. Waking does not hand anything over: the woken
 * task competes for whatever it waited for, as with a futex.
 */
struct wait_queue {
	struct list_head waiters;
	u32 id; /* as the word of a futex, from its first traced use; 0: none yet */
};

void wait_queue_init(struct wait_queue *wq);
/*
 * The current task will block on @wq; its next action must be ACT_BLOCK. No
 * wakeup is lost in between. @timeout_ns from now, 0: none.
 */
void wait_queue_add(struct wait_queue *wq, u64 timeout_ns);
/*
 * Wakes up to @nr waiters; @sync: the waker says that it is about to sleep
 * (pipes and sockets do, futexes do not). Returns how many were woken. From a
 * behaviour or a timer handler.
 */
u32 wait_queue_wake(struct wait_queue *wq, u32 nr, bool sync);
/* Did the last block of the current task end by its timeout? */
bool wait_timed_out(void);

/* -errno as the system calls: -EINVAL for an empty mask or a bad priority */
int task_set_affinity(struct task *task, const struct cpumask *mask);
int task_set_nice(struct task *task, s32 nice);
int task_set_policy(struct task *task, s32 policy, u32 rt_priority);
/* The first task of that name, or the one after @after; NULL: there is no more. */
struct task *kernel_task_named(const char *comm, const struct task *after);
/* Moves it alone into the cgroup of that path, which is made where it is missing. */
int task_set_cgroup(struct task *task, const char *path);

/*
 * Google's switchto_switch(): the current task, which has called wait_queue_add(),
 * hands its CPU to @next, which waits somewhere and is woken by this; there is no
 * pick in between. The next action must be ACT_BLOCK. Both must be ghOSt tasks of
 * one enclave, and @next allowed to run here: otherwise -EINVAL. -EAGAIN: @next
 * does not wait. After an error the task just waits.
 */
int task_switchto(struct task *next);

/* Charges a system call's entry and exit to the current task. */
void task_charge_syscall(void);
/* Lets the other CPUs come as far as this one: see struct task_behaviour's @syncs. */
void task_sync(void);

/*
 * System calls that programs can trace: tracepoints sys_enter and sys_exit, with
 * the registers, and fentry and fexit on the functions of kernel/syscalls.h. The
 * instruction pointer tells the behaviour and the call (syscall_site_name()).
 *
 * What behaviours do by actions and wait queues are system calls, too: around them
 * syscall_enter() says which, and syscall_return() what comes of it. Both only
 * tell, and cost nothing unless somebody looks; then others may come in between,
 * as at cpu_sync(). A call in which the task blocks, sleeps or yields returns by
 * itself when the task goes on (0, or -ETIMEDOUT); after syscall_resumes() it does
 * not, and the next syscall_enter() is the same call.
 */
enum syscall_nr {
#define KERNEL_SYSCALL_NR(nr, name, NAME) SYSCALL_##NAME = nr,
	KERNEL_SYSCALLS(KERNEL_SYSCALL_NR)
#undef KERNEL_SYSCALL_NR
};
/* The behaviour's calls come from @site, which lives for ever, from now on, not from its name. */
void syscall_set_site(const char *site);
/*
 * Arguments: read, write, sendto and recvfrom: fd, size. sched_setaffinity: the mask
 * as a pointer. sched_setscheduler: policy, priority. What is not known is 0.
 */
void syscall_enter(enum syscall_nr nr, u64 a, u64 b);
void syscall_return(s64 ret);
void syscall_resumes(void);
/* FUTEX_WAIT or, @nr > 0, FUTEX_WAKE of so many; the value of the word is not known. */
void syscall_futex(struct wait_queue *wq, u32 nr);

/*
 * Files of the current task's process: openat2(AT_FDCWD, path), close(), read(). A
 * descriptor from 3 or how much was read, or -errno: -ENOENT for what nobody made,
 * -EMFILE, -ENAMETOOLONG from 4096 bytes, -EBADF. There are no directories, no
 * rights, and no content.
 */
int sys_openat2(const char *path, u64 flags);
int sys_close(int fd);
s64 sys_read(int fd, u64 count);
/* From now on there is such a file, of @size bytes. 0, or -EEXIST. */
int kernel_make_file(const char *path, u64 size);
/* "hackbench:sender/write" of an instruction pointer at a system call; NULL: it is none. */
const char *syscall_site_name(u64 address);

/* Reports into the event stream (and so the metrics). */
void task_report_ops(u64 units);
void task_report_request(u64 latency_ns);
/* The same for wakeup latencies that a benchmark measures by its own rules. */
void task_report_wakeup(u64 latency_ns);

/* Local clock of the CPU that the behaviour runs on, ns since boot. */
u64 task_clock(void);
/* Independent, seeded stream for a workload. */
void workload_rng(struct rng *rng, const char *name, u64 index);

#endif
