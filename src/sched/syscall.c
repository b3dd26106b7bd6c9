// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls as tracing programs see them: registers, user memory, call sites,
 * and the order of places in a call:
 *
 *	sys_enter, __x64_sys_<name>, the function that does it: ends in reverse,
 *	sys_exit
 *
 * All of this is there only while programs are attached to such places: nothing
 * is allocated, and a call costs one branch, otherwise.
 *
 * Each task that is traced has its registers on the kernel's side and, on the
 * user's, a page with what its pointers point to: it stays until the next call.
 * A behaviour has no code that could be looked at, so a call site is what the
 * behaviour is called and the call that it makes: "hackbench:sender/write". Its
 * address is made of that name alone, and so the same in every run.
 *
 * No lock: everything here is the current task's, and call sites are touched
 * between two places where other CPUs may run.
 */
#include "syscall.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <time.h>

#include "../base/alloc.h"
#include "../base/hash.h"

/* User space of x86-64, as a position-independent program without randomization has it. */
#define TEXT_BASE 0x555555554000ULL
#define TEXT_SLOTS (1u << 20) /* call sites can be so many, 16 bytes apart */
#define HEAP_BASE 0x555575554000ULL
#define STACK_TOP 0x7ffffffde000ULL
#define USER_CS 0x33
#define USER_SS 0x2b
#define EFLAGS_IF 0x202

#define USER_PATH 4096 /* PATH_MAX */
#define USER_SIZE (USER_PATH + 1024)

#define MAX_INNER_ARGS 5

#define FLAGS_SIZE_32 2 /* of futexes: of 32 bits, private */

static const struct call {
	enum syscall_nr nr;
	const char *name;
	enum trace_function entry_point;
} calls[] = {
#define CALL(nr, name, NAME) { nr, #name, FN___x64_sys_##name },
	KERNEL_SYSCALLS(CALL)
#undef CALL
};

/* What the calls of one task need. */
struct task_call {
	struct pt_regs *regs;
	struct open_how *how; /* the kernel's copy */
	char *user; /* a path, then what else pointers point to */
	const struct call *call; /* that it is in; NULL: none */
	bool resumes;
	int inner; /* the function that does it, or -1 */
	u64 args[MAX_INNER_ARGS];
};

/* --- call sites -------------------------------------------------------------------- */

/* By slot, in order of chance: the name's hash says where to look first. */
struct site {
	u32 slot;
	char *name;
	struct site *next;
};

#define SITE_BUCKETS 256
static struct site *sites[SITE_BUCKETS];

static struct site *site_at(u32 slot)
{
	struct site *s = sites[slot % SITE_BUCKETS];

	while (s && s->slot != slot)
		s = s->next;
	return s;
}

static u64 site_address(const char *name)
{
	u32 slot = hash64(name, strlen(name), 0) % TEXT_SLOTS;
	struct site *s;

	for (s = site_at(slot); s; s = site_at(slot)) {
		if (!strcmp(s->name, name))
			break;
		slot = (slot + 1) % TEXT_SLOTS;
	}
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->slot = slot;
		s->name = xstrdup(name);
		s->next = sites[slot % SITE_BUCKETS];
		sites[slot % SITE_BUCKETS] = s;
	}
	return TEXT_BASE + slot * 16ULL;
}

const char *syscall_site_name(u64 address)
{
	u64 slot = (address - TEXT_BASE) / 16;
	const struct site *s = address % 16 || slot >= TEXT_SLOTS ? NULL : site_at(slot);

	return s ? s->name : NULL;
}

void syscall_forget_sites(void)
{
	for (u32 i = 0; i < SITE_BUCKETS; i++) {
		while (sites[i]) {
			struct site *next = sites[i]->next;

			free(sites[i]->name);
			free(sites[i]);
			sites[i] = next;
		}
	}
}

void syscall_set_site(const char *site)
{
	current_task()->site = site;
}

/* --- the task's side ------------------------------------------------------------------ */

static struct task_call *task_call(struct task *t)
{
	struct task_call *c = t->call;

	if (c)
		return c;
	c = t->call = xcalloc(1, sizeof(*c));
	c->regs = sched_alloc(OBJ_PT_REGS, sizeof(*c->regs));
	c->how = sched_alloc(OBJ_OPEN_HOW, sizeof(*c->how));
	c->user = sched_alloc(OBJ_USER_MEMORY, USER_SIZE);
	return c;
}

void syscall_free(struct task *t)
{
	if (!t->call)
		return;
	kheap_free(t->call->regs);
	kheap_free(t->call->how);
	kheap_free(t->call->user);
	free(t->call);
	t->call = NULL;
}

/* @data in the memory of the task, for as long as the call takes. Its address there. */
static u64 to_user(struct task_call *c, const void *data, size_t size)
{
	char *at = c->user + USER_PATH;

	VRT_ASSERT(size <= USER_SIZE - USER_PATH);
	memcpy(at, data, size);
	return (u64)at;
}

static u64 path_to_user(struct task_call *c, const char *path)
{
	snprintf(c->user, USER_PATH, "%s", path);
	return (u64)c->user;
}

/* --- begin and end --------------------------------------------------------------------- */

static const struct call *find_call(enum syscall_nr nr)
{
	u32 i = 0;

	while (calls[i].nr != nr)
		i++;
	return &calls[i];
}

static u64 call_address(const struct task *t, const struct call *call)
{
	const char *program = t->site ? t->site : t->behaviour->name;
	char name[128];

	snprintf(name, sizeof(name), "%s/%s", program ? program : "task", call->name);
	return site_address(name);
}

/*
 * Registers as the entry code leaves them; arguments are there already. Nobody
 * may rely on what it knew before of what other CPUs can change.
 */
static void begin(struct task *t, const struct call *call)
{
	struct task_call *c = t->call;
	struct pt_regs *regs = c->regs;
	const u64 args[] = { (u64)regs };

	VRT_ASSERT(!c->call);
	c->call = call;
	regs->orig_ax = call->nr;
	regs->ax = (unsigned long)-ENOSYS;
	regs->ip = regs->cx = call_address(t, call);
	regs->flags = regs->r11 = EFLAGS_IF;
	regs->cs = USER_CS;
	regs->ss = USER_SS;
	regs->sp = STACK_TOP;
	TRACE_CALL(sys_enter, (u64)regs, call->nr);
	trace_function_enter(call->entry_point, args);
	if (c->inner >= 0)
		trace_function_enter(c->inner, c->args);
}

static void end(struct task *t, s64 ret)
{
	struct task_call *c = t->call;
	const struct call *call = c->call;
	const u64 args[] = { (u64)c->regs };

	if (!call)
		return;
	c->call = NULL;
	c->resumes = false;
	/* do_sched_yield() is void */
	if (c->inner >= 0)
		trace_function_exit(c->inner, c->args, c->inner == FN_do_sched_yield ? 0 : ret);
	trace_function_exit(call->entry_point, args, ret);
	c->regs->ax = (unsigned long)ret;
	TRACE_CALL(sys_exit, (u64)c->regs, (u64)ret);
}

void syscall_wake_slow(struct task *t)
{
	cpu_sync(); /* programs see this place */
	if (t->call->call && !t->call->resumes)
		end(t, t->call->call->nr == SYSCALL_FUTEX && t->timed_out ? -ETIMEDOUT : 0);
}

void syscall_return(s64 ret)
{
	struct task *t = this_cpu ? current_task() : NULL;

	if (unlikely(t && t->call))
		end(t, ret);
}

void syscall_resumes(void)
{
	struct task *t = current_task();

	if (unlikely(t->call))
		t->call->resumes = t->call->call != NULL;
}

/* --- arguments ----------------------------------------------------------------------------- */

static void set_regs(struct pt_regs *regs, u64 di, u64 si, u64 dx, u64 r10)
{
	*regs = (struct pt_regs){ .di = di, .si = si, .dx = dx, .r10 = r10 };
}

static void set_inner(struct task_call *c, int fn, u64 a, u64 b, u64 d)
{
	c->inner = fn;
	memset(c->args, 0, sizeof(c->args));
	c->args[0] = a;
	c->args[1] = b;
	c->args[2] = d;
}

static void set_transfer(struct task_call *c, u64 fd, u64 size, int inner)
{
	u64 buf = (u64)c->user + USER_PATH;

	set_regs(c->regs, fd, buf, size, 0);
	set_inner(c, inner, fd, buf, size);
}

static void set_futex(struct task_call *c, u64 word, u64 op, u64 val)
{
	bool wake = (op & FUTEX_CMD_MASK) == FUTEX_WAKE;

	set_regs(c->regs, word, op, val, 0);
	set_inner(c, wake ? FN_futex_wake : FN_futex_wait, word, FLAGS_SIZE_32, val);
	c->args[wake ? 3 : 4] = FUTEX_BITSET_MATCH_ANY;
}

/* @flags: TIMER_ABSTIME or 0; @ns: the time of that kind. */
static void set_sleep(struct task_call *c, u64 clock, u64 flags, u64 ns)
{
	struct { s64 sec, nsec; } request = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	set_regs(c->regs, clock, flags, to_user(c, &request, sizeof(request)), 0);
	set_inner(c, FN_hrtimer_nanosleep, ns, flags ? HRTIMER_MODE_ABS : HRTIMER_MODE_REL, clock);
}

static void set_scheduler(struct task_call *c, u64 policy, u64 priority)
{
	s32 param = (s32)priority; /* struct sched_param */

	set_regs(c->regs, 0, policy, to_user(c, &param, sizeof(param)), 0);
}

static void set_args(struct task_call *c, enum syscall_nr nr, u64 a, u64 b)
{
	switch (nr) {
	case SYSCALL_READ:
		set_transfer(c, a, b, FN_ksys_read);
		return;
	case SYSCALL_WRITE:
		set_transfer(c, a, b, FN_ksys_write);
		return;
	case SYSCALL_SENDTO:
	case SYSCALL_RECVFROM:
		set_transfer(c, a, b, -1);
		return;
	case SYSCALL_SETAFFINITY:
		set_regs(c->regs, 0, sizeof(struct cpumask),
			 to_user(c, (const void *)a, sizeof(struct cpumask)), 0);
		return;
	case SYSCALL_SETSCHEDULER:
		set_scheduler(c, a, b);
		return;
	case SYSCALL_SCHED_YIELD:
		set_regs(c->regs, 0, 0, 0, 0);
		set_inner(c, FN_do_sched_yield, 0, 0, 0);
		return;
	case SYSCALL_EXIT:
		set_regs(c->regs, a, 0, 0, 0);
		set_inner(c, FN_do_exit, a, 0, 0);
		return;
	default:
		set_regs(c->regs, a, b, 0, 0);
		return;
	}
}

/* --- calls ----------------------------------------------------------------------------------- */

/* The current task, ready for the arguments of a call, if somebody wants to see it. */
static struct task *enter(enum syscall_nr nr)
{
	struct task *t;

	if (likely(!trace_syscalls) || !this_cpu)
		return NULL;
	t = current_task();
	if (!t || t->ts.flags & PF_KTHREAD)
		return NULL;
	if (task_call(t)->resumes) {
		VRT_ASSERT(t->call->call->nr == nr);
		t->call->resumes = false;
		return NULL;
	}
	t->call->inner = -1;
	return t;
}

void syscall_enter(enum syscall_nr nr, u64 a, u64 b)
{
	struct task *t = enter(nr);

	if (likely(!t))
		return;
	set_args(t->call, nr, a, b);
	begin(t, find_call(nr));
}

void syscall_openat2(const char *path, const struct open_how *how)
{
	struct task *t = enter(SYSCALL_OPENAT2);
	u64 name;

	if (likely(!t))
		return;
	name = path_to_user(t->call, path);
	*t->call->how = *how;
	set_regs(t->call->regs, (u64)AT_FDCWD, name, to_user(t->call, how, sizeof(*how)),
		 sizeof(*how));
	set_inner(t->call, FN_do_sys_openat2, (u64)AT_FDCWD, name, (u64)t->call->how);
	begin(t, find_call(SYSCALL_OPENAT2));
}

void syscall_futex(struct wait_queue *wq, u32 nr)
{
	struct task *t = enter(SYSCALL_FUTEX);

	if (likely(!t))
		return;
	if (!wq->id)
		wq->id = ++kernel.nr_futexes;
	set_futex(t->call, HEAP_BASE + wq->id * 64ULL,
		  (nr ? FUTEX_WAKE : FUTEX_WAIT) | FUTEX_PRIVATE_FLAG, min(nr, (u32)INT_MAX));
	begin(t, find_call(SYSCALL_FUTEX));
}

void syscall_sleep(const struct task_action *action)
{
	struct task *t = enter(SYSCALL_CLOCK_NANOSLEEP);

	if (likely(!t))
		return;
	if (action->kind == ACT_SLEEP_UNTIL)
		set_sleep(t->call, CLOCK_MONOTONIC, TIMER_ABSTIME, action->ns);
	else
		set_sleep(t->call, CLOCK_REALTIME, 0, action->ns);
	begin(t, find_call(SYSCALL_CLOCK_NANOSLEEP));
}

/* As glibc clones threads; it forks by another call, with these flags. */
#define THREAD_FLAGS                                                                               \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |        \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define FORK_FLAGS (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)

void syscall_fork(bool thread)
{
	struct task *t = enter(SYSCALL_CLONE3);
	struct clone_args args = { .flags = thread ? THREAD_FLAGS : FORK_FLAGS };

	if (likely(!t))
		return;
	set_regs(t->call->regs, to_user(t->call, &args, sizeof(args)), sizeof(args), 0, 0);
	begin(t, find_call(SYSCALL_CLONE3));
}

void syscall_fork_return(s64 pid)
{
	struct task *t = this_cpu ? current_task() : NULL;

	if (unlikely(t && t->call && t->call->call) && t->call->call->nr == SYSCALL_CLONE3)
		end(t, pid);
}
