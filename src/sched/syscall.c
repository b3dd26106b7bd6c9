// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls of simulated tasks, as far as they can be traced: what they cost,
 * where in a program they are made, and files that are opened.
 *
 * A behaviour has no code that could be looked at, so a call site is what the
 * behaviour is called and the call that it makes: "hackbench:sender/write". Each
 * has an address in the order in which they are first seen, while somebody
 * looks.
 */
#include "../../kernel/kfuncs.h"
#include "../../kernel/syscalls.h"
#include "../base/alloc.h"
#include "sched.h"
#include "trace_events.h"

#define USER_TEXT 0x400000ULL /* where programs are linked to on x86-64 */
#define SITE_SIZE 32
#define FIRST_FD 3
#define MAX_FDS 64
#define MAX_PATH 256 /* of ours; Linux's PATH_MAX is 4096 */
#define AT_FDCWD (-100)

/* What a task has in its own memory for system calls, readable by programs. */
struct user_memory {
	char path[MAX_PATH];
};

/* --- names -------------------------------------------------------------------------- */

static const struct {
	long nr;
	const char *name;
} calls[] = {
	{ SYSCALL_READ, "read" },
	{ SYSCALL_WRITE, "write" },
	{ SYSCALL_CLOSE, "close" },
	{ SYSCALL_SCHED_YIELD, "sched_yield" },
	{ SYSCALL_SENDTO, "sendto" },
	{ SYSCALL_RECVFROM, "recvfrom" },
	{ SYSCALL_EXIT, "exit" },
	{ SYSCALL_SETSCHEDULER, "sched_setscheduler" },
	{ SYSCALL_FUTEX, "futex" },
	{ SYSCALL_SETAFFINITY, "sched_setaffinity" },
	{ SYSCALL_CLOCK_NANOSLEEP, "clock_nanosleep" },
	{ SYSCALL_CLONE3, "clone3" },
	{ SYSCALL_OPENAT2, "openat2" },
};

static const char *call_name(long nr)
{
	for (u32 i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].nr == nr)
			return calls[i].name;
	vrt_bug(__FILE__, __LINE__, "system call %ld has no name", nr);
}

struct site {
	const char *program;
	long nr;
	char name[48];
};

static struct site *sites;
static u32 nr_sites;

static u64 site_address(const char *program, long nr)
{
	struct site *site;
	u32 i;

	for (i = 0; i < nr_sites; i++)
		if (sites[i].nr == nr && !strcmp(sites[i].program, program))
			return USER_TEXT + i * SITE_SIZE;
	sites = xreallocarray(sites, nr_sites + 1, sizeof(*sites));
	site = &sites[nr_sites++];
	site->program = program;
	site->nr = nr;
	snprintf(site->name, sizeof(site->name), "%s/%s", program, call_name(nr));
	return USER_TEXT + i * SITE_SIZE;
}

const char *syscall_site_name(u64 address)
{
	u64 i = (address - USER_TEXT) / SITE_SIZE;

	if (address < USER_TEXT || i >= nr_sites || (address - USER_TEXT) % SITE_SIZE)
		return NULL;
	return sites[i].name;
}

void syscalls_exit(void)
{
	free(sites);
	sites = NULL;
	nr_sites = 0;
	kernel_forget_files();
}

/* --- entry and exit ------------------------------------------------------------------- */

/* One per CPU: a call is not preempted between filling it in and the program's look. */
static struct pt_regs *regs_of_cpu(void)
{
	struct cpu_rq *crq = kernel.rqs[this_cpu->id];

	if (!crq->regs)
		crq->regs = sched_alloc(OBJ_PT_REGS, sizeof(*crq->regs));
	return crq->regs;
}

static struct pt_regs *fill_regs(const struct task *t, long nr, const u64 args[4])
{
	struct pt_regs *regs = regs_of_cpu();
	const char *program = t->behaviour && t->behaviour->name ? t->behaviour->name : "task";

	*regs = (struct pt_regs){
		.di = args[0], .si = args[1], .dx = args[2], .r10 = args[3],
		.orig_ax = (unsigned long)nr, .ip = site_address(program, nr),
	};
	return regs;
}

void syscall_enter(struct task *t, long nr, const u64 args[4])
{
	TRACE_CALL(sys_enter, (u64)fill_regs(t, nr, args), (u64)nr);
	/* whoever begins to look in between sees only its end, as in Linux */
	t->syscall = nr + 1;
	memcpy(t->syscall_args, args, sizeof(t->syscall_args));
}

void syscall_leave(struct task *t, long ret)
{
	long nr = t->syscall - 1;
	struct pt_regs *regs;

	t->syscall = 0;
	if (!trace_enabled(TP_sys_exit))
		return;
	regs = fill_regs(t, nr, t->syscall_args);
	regs->ax = (unsigned long)ret;
	TRACE_CALL(sys_exit, (u64)regs, (u64)ret);
}

static const u64 no_args[4];

void task_syscall(enum syscall_nr nr)
{
	struct task *t = current_task();

	syscall_enter(t, nr, no_args);
	charge_overhead(TRACE_OVH_SYSCALL, costs.syscall);
	syscall_leave(t, 0);
}

void task_syscall_wait(enum syscall_nr nr)
{
	syscall_enter(current_task(), nr, no_args);
	charge_overhead(TRACE_OVH_SYSCALL, costs.syscall);
}

/* --- files ---------------------------------------------------------------------------- */

static char **files;
static u32 nr_files;

void kernel_make_file(const char *path)
{
	files = xreallocarray(files, nr_files + 1, sizeof(*files));
	files[nr_files++] = xstrdup(path);
}

void kernel_forget_files(void)
{
	while (nr_files)
		free(files[--nr_files]);
	free(files);
	files = NULL;
}

static bool file_exists(const char *path)
{
	for (u32 i = 0; i < nr_files; i++)
		if (!strcmp(files[i], path))
			return true;
	return false;
}

/* Every task has descriptors of its own, as after unshare(CLONE_FILES). */
static long open_file(struct task *t, const char *path)
{
	u64 free_fds = ~t->fds & ~((1ULL << FIRST_FD) - 1);
	u32 fd;

	charge_overhead(TRACE_OVH_SYSCALL, costs.open);
	if (!file_exists(path))
		return -ENOENT;
	if (!free_fds)
		return -EMFILE;
	fd = (u32)__builtin_ctzll(free_fds);
	t->fds |= 1ULL << fd;
	return fd;
}

long do_sys_openat2(int dfd, const char *filename, struct open_how *how)
{
	long ret;

	TRACE_ENTRY(do_sys_openat2, (u64)dfd, (u64)filename, (u64)how);
	ret = open_file(current_task(), filename);
	TRACE_EXIT(do_sys_openat2, (u64)dfd, (u64)filename, (u64)how, (u64)ret);
	return ret;
}

/* The path where the task has it, in memory that programs can read. */
static char *copy_to_user(struct task *t, const char *path)
{
	if (!t->user)
		t->user = sched_alloc(OBJ_USER_MEMORY, sizeof(*t->user));
	snprintf(t->user->path, sizeof(t->user->path), "%s", path);
	return t->user->path;
}

static struct open_how *kernel_copy(struct task *t, u64 flags)
{
	if (!t->how)
		t->how = sched_alloc(OBJ_OPEN_HOW, sizeof(*t->how));
	*t->how = (struct open_how){ .flags = flags };
	return t->how;
}

int sys_openat2(const char *path, u64 flags)
{
	struct task *t = current_task();
	char *user;
	struct open_how *how;
	long ret = -ENAMETOOLONG;

	if (strlen(path) < MAX_PATH) {
		user = copy_to_user(t, path);
		how = kernel_copy(t, flags);
		syscall_enter(t, SYSCALL_OPENAT2,
			      (const u64[4]){ (u64)AT_FDCWD, (u64)user, (u64)how, sizeof(*how) });
		charge_overhead(TRACE_OVH_SYSCALL, costs.syscall);
		ret = do_sys_openat2(AT_FDCWD, user, how);
		syscall_leave(t, ret);
	}
	return (int)ret;
}

int sys_close(int fd)
{
	struct task *t = current_task();
	int ret = -EBADF;

	syscall_enter(t, SYSCALL_CLOSE, (const u64[4]){ (u64)fd });
	charge_overhead(TRACE_OVH_SYSCALL, costs.syscall);
	if (fd >= FIRST_FD && fd < MAX_FDS && t->fds & 1ULL << fd) {
		t->fds &= ~(1ULL << fd);
		ret = 0;
	}
	syscall_leave(t, ret);
	return ret;
}

void task_free_user_memory(struct task *t)
{
	if (t->user)
		kheap_free(t->user);
	if (t->how)
		kheap_free(t->how);
	t->user = NULL;
	t->how = NULL;
}
