// SPDX-License-Identifier: GPL-2.0-only
/*
 * kthread_job: what periodic BPF programs are compared with, a kernel thread that
 * does its job in native code: all elements of a hash table, every period. It has
 * nothing to do with schedbpf but that both are measured (vrt bench control).
 *
 *	insmod kthread_job.ko elements=1000 period_ns=1000000
 *
 * With prog_fd, a descriptor of a BPF program of type SYSCALL in the process that
 * loads the module, it is that program instead, on a generic kthread_worker: a timer
 * queues work, which wakes the worker, which takes it from the queue and calls the
 * program as BPF_PROG_TEST_RUN does.
 *
 * The thread's pid is a parameter to be read, and what it noted of its runs is in
 * debugfs: kthread_job/state, a struct job_state.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/debugfs.h>
#include <linux/filter.h>
#include <linux/hashtable.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate_trace.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "job.h"

#define MAX_ELEMENTS (1U << 17)

static unsigned int elements = 1024;
module_param(elements, uint, 0444);
MODULE_PARM_DESC(elements, "elements of the table");

static unsigned long period_ns = 1000000;
module_param(period_ns, ulong, 0444);
MODULE_PARM_DESC(period_ns, "from when a run is due to when the next is");

static int prog_fd = -1;
module_param(prog_fd, int, 0444);
MODULE_PARM_DESC(prog_fd, "a BPF program of type SYSCALL to run on a generic worker instead");

static int pid;
module_param(pid, int, 0444);
MODULE_PARM_DESC(pid, "of the thread: to be read");

struct entry {
	struct hlist_node node;
	u32 key;
	struct job_element element;
};

static struct hlist_head *buckets;
static unsigned int nr_buckets;
static struct entry *entries;
static struct job_state *state;
static struct debugfs_blob_wrapper blob;
static struct dentry *dir;
static struct task_struct *thread;

/* As a BPF program walks through a hash map: within a section of RCU. */
static void work(void)
{
	struct entry *e;
	unsigned int i;

	rcu_read_lock();
	for (i = 0; i < nr_buckets; i++)
		hlist_for_each_entry_rcu(e, &buckets[i], node)
			job_grow_older(&e->element);
	rcu_read_unlock();
}

static void sleep_until(u64 until)
{
	ktime_t expires = ns_to_ktime(until);

	set_current_state(TASK_IDLE);
	if (!kthread_should_stop())
		schedule_hrtimeout_range(&expires, 0, HRTIMER_MODE_ABS);
	__set_current_state(TASK_RUNNING);
}

static int job_thread(void *data)
{
	u64 due = ktime_get_ns() + period_ns, begun;

	while (!kthread_should_stop()) {
		cond_resched();
		begun = ktime_get_ns();
		if (begun < due) {
			sleep_until(due);
			continue;
		}
		work();
		job_note(state, due, begun, ktime_get_ns());
		due = job_next(due, period_ns, ktime_get_ns());
	}
	return 0;
}

/* --- a program on a generic worker ---------------------------------------- */

static struct bpf_prog *prog;
static struct kthread_worker *worker;
static struct hrtimer timer;
static struct {
	u64 due;
} call;

static void run_program(struct kthread_work *unused)
{
	rcu_read_lock_trace();
	migrate_disable();
	bpf_prog_run(prog, &call);
	migrate_enable();
	rcu_read_unlock_trace();
	call.due = job_next(call.due, period_ns, ktime_get_ns());
}

static DEFINE_KTHREAD_WORK(program_work, run_program);

/* Work that is queued already is not queued twice. */
static enum hrtimer_restart queue_work_now(struct hrtimer *t)
{
	kthread_queue_work(worker, &program_work);
	hrtimer_forward_now(t, ns_to_ktime(period_ns));
	return HRTIMER_RESTART;
}

static int start_worker(void)
{
	prog = bpf_prog_get_type_dev(prog_fd, BPF_PROG_TYPE_SYSCALL, false);
	if (IS_ERR(prog))
		return PTR_ERR(prog);
	worker = kthread_create_worker(0, "kthread_job");
	if (IS_ERR(worker)) {
		bpf_prog_put(prog);
		return PTR_ERR(worker);
	}
	pid = task_pid_nr(worker->task);
	call.due = ktime_get_ns() + period_ns;
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	timer.function = queue_work_now;
	hrtimer_start(&timer, ns_to_ktime(call.due), HRTIMER_MODE_ABS);
	return 0;
}

static void stop_worker(void)
{
	hrtimer_cancel(&timer);
	kthread_destroy_worker(worker);
	bpf_prog_put(prog);
}

/* --- native code on a thread of its own ----------------------------------- */

static void free_all(void)
{
	vfree(state);
	kvfree(entries);
	kvfree(buckets);
}

static int make_table(void)
{
	unsigned int i;

	nr_buckets = roundup_pow_of_two(elements);
	buckets = kvcalloc(nr_buckets, sizeof(*buckets), GFP_KERNEL);
	entries = kvcalloc(elements, sizeof(*entries), GFP_KERNEL);
	state = vzalloc(sizeof(*state));
	if (!buckets || !entries || !state)
		return -ENOMEM;
	for (i = 0; i < elements; i++) {
		entries[i].key = i;
		hlist_add_head_rcu(&entries[i].node,
				   &buckets[hash_32(i, ilog2(nr_buckets))]);
	}
	return 0;
}

static int start_native(void)
{
	int err = make_table();

	if (err)
		goto fail;
	thread = kthread_run(job_thread, NULL, "kthread_job");
	if (IS_ERR(thread)) {
		err = PTR_ERR(thread);
		goto fail;
	}
	pid = task_pid_nr(thread);
	blob.data = state;
	blob.size = sizeof(*state);
	dir = debugfs_create_dir("kthread_job", NULL);
	debugfs_create_blob("state", 0400, dir, &blob);
	return 0;
fail:
	free_all();
	return err;
}

static int __init kthread_job_init(void)
{
	if (elements < 2 || elements > MAX_ELEMENTS || !period_ns) {
		pr_err("elements is %u and period_ns %lu: expected 2 to %u, and 1 or more\n",
		       elements, period_ns, MAX_ELEMENTS);
		return -EINVAL;
	}
	return prog_fd < 0 ? start_native() : start_worker();
}

static void __exit kthread_job_exit(void)
{
	if (prog_fd >= 0) {
		stop_worker();
		return;
	}
	kthread_stop(thread);
	debugfs_remove(dir);
	free_all();
}

module_init(kthread_job_init);
module_exit(kthread_job_exit);
MODULE_DESCRIPTION("A periodic job on a kernel thread, to compare with");
MODULE_AUTHOR("The vruntime authors");
MODULE_LICENSE("GPL");
