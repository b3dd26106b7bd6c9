// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the BPF subsystem meets the machine: the environment it runs in, and
 * the kfuncs on tasks and cgroups.
 *
 * What a program executes is charged to its CPU as overhead of kind BPF; what a
 * program executes that is a task's business (a periodic one) is the task's CPU
 * time.
 */
#include "../../kernel/kfuncs.h"
#include "../../kernel/periodic.h"
#include "../base/alloc.h"
#include "../bpf/bpf.h"
#include "../bpf/map.h"
#include "../bpf/prog.h"
#include "ext/ext.h"
#include "sched.h"
#include "trace_events.h"

/* Instructions after which a program is taken to be stuck. */
#define INSN_BUDGET (64u << 20)
#define SLEEPABLE_INSN_BUDGET (1u << 30)

/* --- the environment --------------------------------------------------------- */

static u32 env_cpu(void)
{
	return this_cpu ? this_cpu->id : 0;
}

static void *env_current_task(void)
{
	return this_cpu ? program_task() : NULL;
}

static u64 env_pid_tgid(void)
{
	struct task_struct *p = env_current_task();

	return p ? (u64)p->tgid << 32 | (u32)p->pid : 0;
}

static u32 env_numa_node(void)
{
	return this_cpu ? topo_of(this_cpu->id)->node : 0;
}

static u32 env_prandom(void)
{
	return rng_next(&sim_rng) >> 32;
}

/* Picoseconds that have not made a whole nanosecond yet. */
static u64 charge_rest;

static u64 insns_ns(u64 insns)
{
	u64 ps = insns * costs.bpf_insn_ps + charge_rest;

	charge_rest = ps % 1000;
	return ps / 1000;
}

static void env_charge(u64 insns, u64 ns)
{
	if (this_cpu)
		charge_overhead(TRACE_OVH_BPF, insns_ns(insns) + ns);
}

/* How far a program that may be preempted lets its CPU run ahead before it looks. */
#define PREEMPT_GRAIN_NS NSEC_PER_USEC
/* Whatever instructions cost. */
#define PREEMPT_INSNS_MAX (1u << 16)

static bool env_spend(u64 insns, u64 ns)
{
	task_spend(insns_ns(insns) + ns);
	return this_cpu->pending || need_resched() || this_cpu->debt >= PREEMPT_GRAIN_NS;
}

static void env_printk(const char *line)
{
	kernel_logf(true, "%s", line);
	trace_bpf_trace_printk(line);
}

static void env_fault(const struct bpf_fault *fault)
{
	kernel_logf(false, "BPF program \"%s\" stopped: %s", bpf_prog_name(fault->prog),
		    fault->message);
	scx_iters_abort();
	periodic_fault(fault->prog);
	trace_program_fault(fault->prog);
	/* a scheduler answers for its own programs, their timers included */
	if (fault->prog->st_ops && !strcmp(fault->prog->st_ops->name, "sched_ext_ops"))
		scx_error("program %s: %s", bpf_prog_name(fault->prog), fault->message);
	ghost_program_fault(fault);
}

/* --- bpf_spin_lock -------------------------------------------------------------- */

/*
 * The lock word in a map value is four bytes; waiters and times are kept here,
 * found by the word's address, for as long as the machine runs. The table doubles
 * when there are as many locks as buckets: a lock that was taken before is found
 * at once, and nothing is allocated for it.
 */
struct word_lock {
	u32 *word;
	struct sim_lock lock;
	struct word_lock *next;
};

#define WORD_LOCK_MIN_BITS 8
static struct {
	struct word_lock **buckets;
	u32 bits, nr;
	struct word_lock *last; /* that was looked for: unlocking looks again */
} word_locks;

static struct word_lock **word_lock_bucket(const u32 *word)
{
	return &word_locks.buckets[(u64)word * 0x9e3779b97f4a7c15ULL >> (64 - word_locks.bits)];
}

static void word_lock_insert(struct word_lock *l)
{
	struct word_lock **bucket = word_lock_bucket(l->word);

	l->next = *bucket;
	*bucket = l;
}

static void grow_word_locks(void)
{
	struct word_lock **old = word_locks.buckets;
	u32 nr_old = old ? 1u << word_locks.bits : 0;

	word_locks.bits = old ? word_locks.bits + 1 : WORD_LOCK_MIN_BITS;
	word_locks.buckets = xcalloc(1u << word_locks.bits, sizeof(*old));
	for (u32 i = 0; i < nr_old; i++) {
		while (old[i]) {
			struct word_lock *l = old[i];

			old[i] = l->next;
			word_lock_insert(l);
		}
	}
	free(old);
}

static struct word_lock *word_lock_new(u32 *word)
{
	struct word_lock *l = xcalloc(1, sizeof(*l));

	if (!word_locks.buckets || word_locks.nr >> word_locks.bits)
		grow_word_locks();
	word_locks.nr++;
	l->word = word;
	sim_lock_init(&l->lock);
	word_lock_insert(l);
	return l;
}

static struct sim_lock *word_lock(u32 *word)
{
	struct word_lock *l = word_locks.last;

	if (l && l->word == word)
		return &l->lock;
	l = word_locks.buckets ? *word_lock_bucket(word) : NULL;
	while (l && l->word != word)
		l = l->next;
	word_locks.last = l ? l : word_lock_new(word);
	return &word_locks.last->lock;
}

static void env_spin_lock(u32 *word)
{
	u64 before = cpu_clock();

	sim_lock(word_lock(word));
	note_lock_time(before);
	*word = 1;
}

static void env_spin_unlock(u32 *word)
{
	*word = 0;
	sim_unlock(word_lock(word));
}

static void free_word_locks(void)
{
	for (u32 i = 0; word_locks.buckets && i < 1u << word_locks.bits; i++) {
		while (word_locks.buckets[i]) {
			struct word_lock *next = word_locks.buckets[i]->next;

			free(word_locks.buckets[i]);
			word_locks.buckets[i] = next;
		}
	}
	free(word_locks.buckets);
	memset(&word_locks, 0, sizeof(word_locks));
}

/* --- bpf_timer --------------------------------------------------------------------- */

struct timer_driver {
	struct hrtimer hrtimer;
	struct bpf_timer_node *node;
};

static void timer_fired(struct hrtimer *timer)
{
	struct timer_driver *driver = container_of(timer, struct timer_driver, hrtimer);

	driver->node->expire(driver->node);
}

static int env_timer_arm(struct bpf_timer_node *node, u64 when, bool pinned)
{
	struct timer_driver *driver = node->driver;

	if (!driver) {
		driver = calloc(1, sizeof(*driver));
		if (!driver)
			return -ENOMEM;
		hrtimer_init(&driver->hrtimer, timer_fired);
		driver->node = node;
		node->driver = driver;
	}
	/* timers always fire on the CPU that armed them: pinned or not is the same */
	charge_overhead(TRACE_OVH_BPF, costs.timer_program);
	hrtimer_start(&driver->hrtimer, max(when, cpu_clock()));
	return 0;
}

static int env_timer_cancel(struct bpf_timer_node *node)
{
	struct timer_driver *driver = node->driver;

	return driver && hrtimer_cancel(&driver->hrtimer);
}

static void env_timer_free(struct bpf_timer_node *node)
{
	struct timer_driver *driver = node->driver;

	if (!driver)
		return;
	hrtimer_cancel(&driver->hrtimer);
	free(driver);
	node->driver = NULL;
}

/* A machine that has stopped does nothing any more: what is left to be let go of needs none. */
static void env_run_inside(void (*fn)(void *arg), void *arg)
{
	if (kernel.stopping)
		fn(arg);
	else
		kernel_run_inside(fn, arg);
}

static void **env_storage_anchor(void *task)
{
	return &task_of(task)->storage;
}

void task_storage_free(struct task *t)
{
	if (t->storage)
		bpf_task_storage_free(&t->storage);
}

_Static_assert(!offsetof(struct cpu, id), "a pointer to a CPU is one to its id");

static struct bpf_env env = {
	.cpu = env_cpu,
	.ktime = kernel_now,
	.current_task = env_current_task,
	.current_pid_tgid = env_pid_tgid,
	.prandom = env_prandom,
	.numa_node = env_numa_node,
	.jiffies = jiffies,
	.cpu_id = (u32 *const *)&this_cpu,
	.charge = env_charge,
	.spend = env_spend,
	.preempt = kthread_preempt_program,
	.printk = env_printk,
	.fault = env_fault,
	.spin_lock = env_spin_lock,
	.spin_unlock = env_spin_unlock,
	.timer_arm = env_timer_arm,
	.timer_cancel = env_timer_cancel,
	.timer_free = env_timer_free,
	.run_inside = env_run_inside,
	.task_storage_anchor = env_storage_anchor,
	.cgroup_storage_anchor = cgroup_storage_anchor,
	.insn_budget = INSN_BUDGET,
	.sleepable_insn_budget = SLEEPABLE_INSN_BUDGET,
};

/* --- kfuncs on tasks ------------------------------------------------------------------- */

struct task_struct *bpf_task_acquire(struct task_struct *p)
{
	/* found through a pointer that RCU protects, but on its way out */
	if (!p->usage.refs)
		return NULL;
	task_get(task_of(p));
	return p;
}

void bpf_task_release(struct task_struct *p)
{
	/* while it lives one reference is its own: a program cannot end that */
	if (p->usage.refs > !task_of(p)->dead)
		task_put(task_of(p));
}

struct task_struct *bpf_task_from_pid(s32 pid)
{
	struct task *t;

	cpu_sync();
	t = task_from_pid(pid);
	return t ? bpf_task_acquire(&t->ts) : NULL;
}

/*
 * Iterators over tasks keep the last pid and the filter in their opaque words;
 * whatever a program writes there is only a number.
 */
enum { ITER_ALL_PROCS, ITER_ALL_THREADS, ITER_PROC_THREADS };

static struct task_struct *next_task(u64 *pid, u64 kind, u64 tgid)
{
	for (u64 i = *pid + 1; i < kernel.nr_pids; i++) {
		struct task *t = task_from_pid(i);

		if (!t || (kind == ITER_ALL_PROCS && t->ts.pid != t->ts.tgid) ||
		    (kind == ITER_PROC_THREADS && (u64)t->ts.tgid != tgid))
			continue;
		*pid = i;
		return &t->ts;
	}
	*pid = kernel.nr_pids;
	return NULL;
}

int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned int flags)
{
	it->__opaque[0] = ~0ULL >> 1;
	it->__opaque[1] = it->__opaque[2] = 0;
	if (flags > ITER_PROC_THREADS || (flags == ITER_PROC_THREADS && !task))
		return -EINVAL;
	it->__opaque[0] = 0;
	it->__opaque[1] = flags;
	it->__opaque[2] = task ? task->tgid : 0;
	return 0;
}

struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it)
{
	return next_task((u64 *)&it->__opaque[0], it->__opaque[1], it->__opaque[2]);
}

void bpf_iter_task_destroy(struct bpf_iter_task *it)
{
}

#define KFUNC_ENTRY(name, flags) { #name, (void *)name, flags }

static const struct bpf_kfunc task_kfuncs[] = {
	KFUNC_ENTRY(bpf_task_acquire, KF_ACQUIRE | KF_RCU | KF_RET_NULL | KF_TIMELESS),
	KFUNC_ENTRY(bpf_task_release, KF_RELEASE | KF_TIMELESS),
	KFUNC_ENTRY(bpf_task_from_pid, KF_ACQUIRE | KF_RET_NULL),
	KFUNC_ENTRY(bpf_iter_task_new, KF_ITER_NEW | KF_TRUSTED_ARGS | KF_RCU_PROTECTED),
	KFUNC_ENTRY(bpf_iter_task_next, KF_ITER_NEXT | KF_RET_NULL),
	KFUNC_ENTRY(bpf_iter_task_destroy, KF_ITER_DESTROY),
	KFUNC_ENTRY(bpf_cgroup_acquire, KF_ACQUIRE | KF_RCU | KF_RET_NULL | KF_TIMELESS),
	KFUNC_ENTRY(bpf_cgroup_release, KF_RELEASE | KF_TIMELESS),
	KFUNC_ENTRY(bpf_cgroup_ancestor, KF_ACQUIRE | KF_RCU | KF_RET_NULL | KF_TIMELESS),
	KFUNC_ENTRY(bpf_cgroup_from_id, KF_ACQUIRE | KF_RET_NULL),
	KFUNC_ENTRY(bpf_task_under_cgroup, KF_RCU | KF_TIMELESS),
	KFUNC_ENTRY(bpf_iter_css_new, KF_ITER_NEW | KF_TRUSTED_ARGS | KF_RCU_PROTECTED),
	KFUNC_ENTRY(bpf_iter_css_next, KF_ITER_NEXT | KF_RET_NULL),
	KFUNC_ENTRY(bpf_iter_css_destroy, KF_ITER_DESTROY),
	KFUNC_ENTRY(bpf_iter_css_task_new, KF_ITER_NEW | KF_TRUSTED_ARGS),
	KFUNC_ENTRY(bpf_iter_css_task_next, KF_ITER_NEXT | KF_RET_NULL),
	KFUNC_ENTRY(bpf_iter_css_task_destroy, KF_ITER_DESTROY),
};

static const struct bpf_kfunc_set task_sets[] = {
	{ .funcs = task_kfuncs, .nr = ARRAY_SIZE(task_kfuncs), .prog_type = BPF_PROG_TYPE_STRUCT_OPS },
	{ .funcs = task_kfuncs, .nr = ARRAY_SIZE(task_kfuncs), .prog_type = BPF_PROG_TYPE_TRACING },
	{ .funcs = task_kfuncs, .nr = ARRAY_SIZE(task_kfuncs), .prog_type = BPF_PROG_TYPE_SYSCALL },
	{ .funcs = task_kfuncs, .nr = ARRAY_SIZE(task_kfuncs),
	  .prog_type = (enum bpf_prog_type)BPF_PROG_TYPE_PERIODIC },
};

static void task_dtor(void *obj)
{
	bpf_task_release(obj);
}

static void cgroup_dtor(void *obj)
{
	bpf_cgroup_release(obj);
}

/* extern const struct rq runqueues __ksym: read through bpf_per_cpu_ptr(). */
static void *runqueue_address(u32 cpu)
{
	return cpu < nr_cpu_ids ? cpu_rq(cpu) : NULL;
}

static const struct bpf_kernel_var runqueues = { "runqueues", runqueue_address };

/* --- init and exit ------------------------------------------------------------------------ */

static int register_all(void)
{
	int err = sched_register_objects();

	for (u32 i = 0; !err && i < ARRAY_SIZE(task_sets); i++)
		err = bpf_register_kfuncs(&task_sets[i]);
	if (!err)
		err = bpf_register_dtor("task_struct", task_dtor);
	if (!err)
		err = bpf_register_dtor("cgroup", cgroup_dtor);
	if (!err)
		err = bpf_register_kernel_var(&runqueues);
	if (!err)
		err = mm_register();
	if (!err)
		err = scx_register_kfuncs();
	if (!err)
		err = scx_register_struct_ops();
	if (!err)
		err = cpu_load_register_kfuncs();
	if (!err)
		err = periodic_register();
	if (!err)
		err = ghost_register_programs();
	return err;
}

int bpf_glue_init(void)
{
	const struct cost_table *c = kernel.config.costs;
	u32 size;
	void *btf = generation_btf(kernel.config.generation, &size);
	int err;

	env.nr_cpus = nr_cpu_ids;
	env.entry_ns = c->bpf_entry;
	env.helper_ns = c->bpf_helper;
	env.kfunc_ns = c->bpf_kfunc;
	env.map_hash_ns = c->bpf_map_hash;
	env.interpreted = kernel.config.interpreted;
	env.unverified = kernel.config.unverified;
	env.const_keys_found = kernel.config.generation >= GENERATION_7_0;
	env.preempt_insns = PREEMPT_GRAIN_NS * 1000 / max(c->bpf_insn_ps, (u64)1);
	env.preempt_insns = max(min(env.preempt_insns, PREEMPT_INSNS_MAX), 1u);
	charge_rest = 0;
	err = bpf_init(&env, btf, size);
	free(btf); /* bpf_init() has copied it */
	if (!err)
		err = register_all();
	if (!err)
		trace_register();
	return err;
}

void bpf_glue_exit(void)
{
	bpf_exit();
	free_word_locks();
}
