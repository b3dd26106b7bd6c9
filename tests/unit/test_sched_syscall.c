// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls as programs see them: entry and exit with number, registers and
 * result, the functions behind them, and names in the memory of a task.
 */
#include "test_sched_trace.h"

#include <fcntl.h>

#include "../../src/loader/facade.h"

enum { ENTER, EXIT, FUNCTION, RETURN };

#define SYSCALLS TRACE_PREAMBLE                                                                    \
	"enum { ENTER, EXIT, FUNCTION, RETURN };\n"                                                \
	"char name[64];\n"                                                                         \
	"s64 kernel_read, user_of_kernel, either;\n"                                               \
	"SEC(\"tp_btf/sys_enter\")\n"                                                              \
	"int BPF_PROG(enter, struct pt_regs *regs, long id)\n"                                     \
	"{ note(ENTER, id, regs->ip, regs->di)->more = regs->orig_ax; return 0; }\n"               \
	"SEC(\"tp_btf/sys_exit\")\n"                                                               \
	"int BPF_PROG(leave, struct pt_regs *regs, long ret)\n"                                    \
	"{ note(EXIT, regs->orig_ax, ret, regs->ax); return 0; }\n"                                \
	"SEC(\"fentry/do_sys_openat2\")\n"                                                         \
	"int BPF_PROG(function, int dfd, const char *filename, struct open_how *how)\n"            \
	"{\n"                                                                                      \
	"	long len = bpf_probe_read_user_str(name, sizeof(name), filename);\n"               \
	"	char c;\n"                                                                         \
	"	kernel_read = bpf_probe_read_kernel(&c, 1, filename);\n"                           \
	"	user_of_kernel = bpf_probe_read_user(&c, 1, how);\n"                               \
	"	either = bpf_probe_read(&c, 1, how) * 2 + bpf_probe_read(&c, 1, filename);\n"      \
	"	either += c != '/';\n"                                                             \
	"	note(FUNCTION, dfd, len, how->flags);\n"                                           \
	"	bpf_printk(\"open %s\", filename);\n"                                              \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\"fexit/do_sys_openat2\")\n"                                                          \
	"int BPF_PROG(back, int dfd, const char *filename, struct open_how *how, long ret)\n"      \
	"{ note(RETURN, ret, dfd, 0); return 0; }\n"

static const char *site_of(const struct seen *e)
{
	const char *name = syscall_site_name((u64)e->b);

	assert_non_null(name);
	return name;
}

static u32 count(const struct seen *events, u32 nr, u32 kind, s64 a)
{
	u32 n = 0;

	for (u32 i = 0; i < nr; i++)
		n += events[i].kind == kind && events[i].a == a;
	return n;
}

static bool printed;

static void look_at_log(u64 time, bool bpf, const char *line)
{
	printed |= bpf && strstr(line, "open /etc/service/");
}

/* One task alone: what it does stands in the events from the first to the last. */
static void test_files(void **state)
{
	const struct seen *events;
	struct workload *w;
	struct loader *l;
	u32 nr, opened = 0, missing = 0;
	s64 fd = -1;
	char figure[64];

	boot("1");
	kernel.config.log = look_at_log;
	l = attach(SYSCALLS, NULL);
	record_from_now(l);
	w = start_workload("files -n 1 -f 3 -i 1 -m 30");
	run_for(200 * MS);
	events = events_of(l);
	nr = nr_events(l);
	assert_in_range(nr, 300, MAX_EVENTS);
	for (u32 i = 0; i + 3 < nr; i++) {
		const struct seen *e = &events[i];

		if (e->kind != ENTER || e->a != SYSCALL_OPENAT2)
			continue;
		assert_string_equal(site_of(e), "files:service/openat2");
		assert_int_equal(e->more, SYSCALL_OPENAT2);
		assert_int_equal((s32)e->c, -100); /* AT_FDCWD */
		assert_int_equal(e[1].kind, FUNCTION);
		assert_int_equal(e[1].a, -100);
		assert_in_range(e[1].b, 15, 40); /* the length of a path, with its NUL */
		assert_int_equal(e[1].c, 0);
		assert_int_equal(e[2].kind, RETURN);
		assert_int_equal(e[3].kind, EXIT);
		assert_int_equal(e[3].a, SYSCALL_OPENAT2);
		assert_int_equal(e[3].b, e[2].a);
		assert_int_equal(e[3].c, e[2].a);
		assert_true(e[2].a == 3 || e[2].a == -ENOENT);
		fd = e[2].a;
		opened += fd >= 0;
		missing += fd < 0;
		for (u32 k = 0; k < 4; k++)
			assert_int_equal(e[k].pid, e->pid);
		/* what it opened it reads and closes next */
		if (i + 7 < nr) {
			assert_int_equal(e[4].kind, ENTER);
			assert_int_equal(e[4].a, fd >= 0 ? SYSCALL_READ : SYSCALL_CLOCK_NANOSLEEP);
		}
		if (fd >= 0 && i + 7 < nr) {
			assert_int_equal(e[6].a, SYSCALL_CLOSE);
			assert_int_equal(e[6].c, fd);
			assert_int_equal(e[7].b, 0);
		}
	}
	snprintf(figure, sizeof(figure), "%u opened, %u not there", opened, missing);
	assert_string_equal(workload_figure(w, 0), figure);
	assert_true(opened > 50 && missing > 10);
	assert_int_equal(value(l, "kernel_read"), -EFAULT);
	assert_int_equal(value(l, "user_of_kernel"), -EFAULT);
	assert_int_equal(value(l, "either"), 0);
	assert_true(printed);
	recording = false;
	loader_close(l);
	shut_down();
	workload_close(w);
}

/* A call that waits returns when its task goes on, not before. */
static void test_waiting(void **state)
{
	const struct seen *events, *begun = NULL;
	struct workload *w;
	struct loader *l;
	u32 nr, sleeps = 0;

	boot("1");
	l = attach(SYSCALLS, NULL);
	record_from_now(l);
	w = start_workload("files -n 1 -i 5 -m 0");
	run_for(300 * MS);
	events = events_of(l);
	nr = nr_events(l);
	for (u32 i = 0; i < nr; i++) {
		if (events[i].a != SYSCALL_CLOCK_NANOSLEEP)
			continue;
		if (events[i].kind == ENTER) {
			assert_null(begun);
			begun = &events[i];
		} else {
			assert_int_equal(events[i].kind, EXIT);
			assert_non_null(begun);
			assert_int_equal(events[i].b, 0);
			sleeps += events[i].time - begun->time > MS / 10;
			begun = NULL;
		}
	}
	assert_true(sleeps > 20);
	recording = false;
	loader_close(l);
	shut_down();
	workload_close(w);
}

/* As many as there are: the messages of hackbench, and its forks and exits. */
static void test_counts(void **state)
{
	enum { LOOPS = 10, TASKS = 20, FANS = 20 };
	const struct seen *events;
	struct workload *w;
	struct loader *l;
	u32 nr;

	boot("4");
	l = attach(SYSCALLS, NULL);
	record_from_now(l);
	w = start_workload("hackbench -g 1 -l 10");
	run_for(200 * MS);
	events = events_of(l);
	nr = nr_events(l);
	assert_int_equal(count(events, nr, ENTER, SYSCALL_WRITE), LOOPS * TASKS * FANS);
	assert_int_equal(count(events, nr, EXIT, SYSCALL_WRITE), LOOPS * TASKS * FANS);
	assert_int_equal(count(events, nr, ENTER, SYSCALL_READ), LOOPS * TASKS * FANS);
	assert_int_equal(count(events, nr, ENTER, SYSCALL_EXIT), 2 * TASKS);
	assert_int_equal(count(events, nr, EXIT, SYSCALL_EXIT), 0); /* nobody returns from it */
	for (u32 i = 0; i < nr; i++) {
		if (events[i].kind != ENTER)
			continue;
		if (events[i].a == SYSCALL_WRITE)
			assert_string_equal(site_of(&events[i]), "hackbench:sender/write");
		if (events[i].a == SYSCALL_READ)
			assert_string_equal(site_of(&events[i]), "hackbench:receiver/read");
	}
	assert_null(syscall_site_name(0));
	assert_null(syscall_site_name(0x400001));
	assert_null(syscall_site_name(~0ULL));
	recording = false;
	loader_close(l);
	shut_down();
	workload_close(w);
}

/* --- arguments, and the functions behind the calls ---------------------------------- */

#define MAX_PID 255

enum { SYS_ENTER, SYS_EXIT, ENTRY_POINT, FENTRY, FEXIT };

#define FUNCTIONS TRACE_PREAMBLE                                                                   \
	"enum { SYS_ENTER, SYS_EXIT, ENTRY_POINT, FENTRY, FEXIT };\n"                              \
	"SEC(\"tp_btf/sys_enter\")\n"                                                              \
	"int BPF_PROG(enter, struct pt_regs *regs, long id)\n"                                     \
	"{ note(SYS_ENTER, id, regs->di, regs->dx)->more = regs->si; return 0; }\n"                \
	"SEC(\"tp_btf/sys_exit\")\n"                                                               \
	"int BPF_PROG(leave, struct pt_regs *regs, long ret)\n"                                    \
	"{ note(SYS_EXIT, regs->orig_ax, ret, regs->ax); return 0; }\n"

/* What is written is read: descriptors, sizes and results of every message. */
static void test_transfers(void **state)
{
	static const u32 order[] = { SYS_ENTER, ENTRY_POINT, FENTRY, FEXIT, SYS_EXIT };
	const struct seen *events;
	struct workload *w;
	struct loader *l;
	u32 step[MAX_PID + 1] = { 0 }, nr, done = 0;

	boot("4");
	l = attach(FUNCTIONS
		   "SEC(\"fentry/__x64_sys_write\")\n"
		   "int BPF_PROG(entry_point, const struct pt_regs *regs)\n"
		   "{ note(ENTRY_POINT, regs->orig_ax, regs->di, regs->dx); return 0; }\n"
		   "SEC(\"fentry/ksys_write\")\n"
		   "int BPF_PROG(begin, unsigned int fd, const char *buf, size_t count)\n"
		   "{\n"
		   "	char c;\n"
		   "	note(FENTRY, 1, fd, count)->more = bpf_probe_read_user(&c, 1, buf);\n"
		   "	return 0;\n"
		   "}\n"
		   "SEC(\"fexit/ksys_write\")\n"
		   "int BPF_PROG(end, unsigned int fd, const char *buf, size_t count, ssize_t ret)\n"
		   "{ note(FEXIT, 1, fd, ret)->more = count; return 0; }\n", NULL);
	record_from_now(l);
	w = start_workload("hackbench -g 1 -f 2 -l 50 -p -s 123");
	run_for(100 * MS);
	events = events_of(l);
	nr = nr_events(l);
	for (u32 i = 0; i < nr; i++) {
		const struct seen *e = &events[i];

		if (e->a != SYSCALL_WRITE)
			continue;
		assert_in_range(e->pid, 1, MAX_PID);
		assert_int_equal(e->kind, order[step[e->pid]++ % 5]);
		switch (e->kind) {
		case SYS_EXIT:
			assert_int_equal(e->b, 123);
			assert_int_equal(e->c, 123);
			done++;
			break;
		case FEXIT:
			assert_int_equal(e->more, 123);
			/* fallthrough */
		default:
			/* the ends to write to of two pipes */
			assert_true(e->b == 8 || e->b == 10);
			assert_int_equal(e->c, 123);
		}
		if (e->kind == FENTRY)
			assert_int_equal(e->more, 0);
	}
	assert_int_equal(done, 200);
	assert_int_equal(count(events, nr, SYS_EXIT, SYSCALL_READ), 200);
	recording = false;
	loader_close(l);
	shut_down();
	workload_close(w);
}

static const char *rtapp_file(const char *text)
{
	static char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/w.json", test_dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

/* Everything that tasks wait on, fought for. */
#define RTAPP                                                                                      \
	"{ \"tasks\": {\n"                                                                        \
	"	\"a\": { \"instance\": 6, \"loop\": 100, \"run\": 20, \"lock\": \"m\", \"run1\": 10,\n" \
	"		\"unlock\": \"m\", \"sleep\": 30, \"barrier\": \"b\" },\n"                \
	"	\"w\": { \"instance\": 2, \"lock\": \"n\",\n"                                   \
	"		\"wait\": { \"ref\": \"c\", \"mutex\": \"n\" }, \"run\": 5, \"unlock\": \"n\" },\n" \
	"	\"s\": { \"loop\": 300, \"lock\": \"n\", \"run\": 5, \"broad\": \"c\", \"unlock\": \"n\",\n" \
	"		\"timer\": { \"ref\": \"t\", \"period\": 100 } }\n"                         \
	"} }\n"

/*
 * Programs, and so other CPUs, come between a task's look at a futex and its
 * sleep: nobody sleeps through what he waits for. Each task makes one call at a
 * time, and each call returns but for exit(2).
 */
static void test_futexes(void **state)
{
	const struct seen *events;
	s64 open[MAX_PID + 1] = { 0 };
	struct workload *w;
	struct loader *l;
	u32 nr, again = 0, woken = 0, exits = 0;
	s64 functions, results;

	boot("4");
	l = attach(FUNCTIONS
		   "u64 waits, wakes, woken, wrong, spun;\n"
		   "static void spin(void)\n"
		   "{ for (u32 i = 0; i < 20000; i++) __sync_fetch_and_add(&spun, i); }\n"
		   "SEC(\"tp_btf/sys_enter\") int slow(u64 *ctx) { spin(); return 0; }\n"
		   "SEC(\"fentry/__x64_sys_futex\") int point(u64 *ctx) { return 0; }\n"
		   "SEC(\"fexit/futex_wait\")\n"
		   "int BPF_PROG(wait, u32 *uaddr, unsigned int flags, u32 val, ktime_t *time,\n"
		   "	     u32 bitset, int ret)\n"
		   "{ wrong += ret && ret != -11; wrong += bitset != ~0U; waits++; return 0; }\n"
		   "SEC(\"fexit/futex_wake\")\n"
		   "int BPF_PROG(wake, u32 *uaddr, unsigned int flags, int nr, u32 bitset, int ret)\n"
		   "{ wrong += ret > nr; woken += ret; wakes++; return 0; }\n", NULL);
	record_from_now(l);
	w = start_workload(rtapp_file(RTAPP));
	run_for(600 * MS);
	events = events_of(l);
	nr = nr_events(l);
	for (u32 i = 0; i < nr; i++) {
		const struct seen *e = &events[i];

		assert_in_range(e->pid, 1, MAX_PID);
		if (e->kind == SYS_ENTER) {
			assert_int_equal(open[e->pid], 0);
			open[e->pid] = e->a + 1;
			exits += e->a == SYSCALL_EXIT;
			continue;
		}
		assert_int_equal(open[e->pid], e->a + 1);
		open[e->pid] = 0;
		if (e->a != SYSCALL_FUTEX)
			continue;
		again += e->b == -EAGAIN;
		woken += e->b > 0 ? e->b : 0;
	}
	/* all that end have ended: six and one */
	assert_int_equal(exits, 7);
	functions = value(l, "waits") + value(l, "wakes");
	results = count(events, nr, SYS_EXIT, SYSCALL_FUTEX);
	assert_int_equal(functions, results);
	assert_int_equal(value(l, "woken"), woken);
	assert_int_equal(value(l, "wrong"), 0);
	/* others have come in between, often */
	assert_true(again > 50 && woken > 300);
	recording = false;
	loader_close(l);
	shut_down();
	workload_close(w);
}

/* Sleeps are of as long as the workload says; exit(2) has no end. */
static void test_sleep_and_exit(void **state)
{
	struct workload *w;
	struct loader *l;

	boot("2");
	l = attach(TRACE_PREAMBLE
		   "u64 sleeps, exits, after, forks, forked;\n"
		   "SEC(\"fentry/hrtimer_nanosleep\")\n"
		   "int BPF_PROG(sleep, ktime_t time, const enum hrtimer_mode mode, int clock)\n"
		   "{ sleeps += time == 70000 && mode == HRTIMER_MODE_REL && !clock; return 0; }\n"
		   "SEC(\"fentry/do_exit\") int BPF_PROG(gone, long code)\n"
		   "{ exits += !code; return 0; }\n"
		   "SEC(\"fexit/do_exit\") int never(u64 *ctx) { after++; return 0; }\n"
		   "SEC(\"tp_btf/sched_process_fork\") int fork(u64 *ctx) { forks++; return 0; }\n"
		   "SEC(\"fexit/__x64_sys_clone3\")\n"
		   "int BPF_PROG(cloned, const struct pt_regs *regs, long ret)\n"
		   "{ forked += ret > 0; return 0; }\n", NULL);
	w = start_workload(rtapp_file(
		"{ \"tasks\": { \"p\": { \"loop\": 40, \"sleep\": 70, \"fork\": \"c\" },\n"
		"  \"c\": { \"instance\": 0, \"loop\": 1, \"run\": 10 } } }\n"));
	run_for(50 * MS);
	assert_int_equal(value(l, "sleeps"), 40);
	assert_int_equal(value(l, "exits"), 41);
	assert_int_equal(value(l, "after"), 0);
	/* the first task is made from outside */
	assert_int_equal(value(l, "forks"), 41);
	assert_int_equal(value(l, "forked"), 40);
	loader_close(l);
	shut_down();
	workload_close(w);
}

/* Kernel threads have no user space to call from. */
static void test_kernel_threads(void **state)
{
	struct loader *l;

	boot_seeded("4", NOISE_HEAVY, 3);
	l = attach(TRACE_PREAMBLE
		   "u64 calls, threads;\n"
		   "SEC(\"tp_btf/sys_enter\") int enter(u64 *ctx)\n"
		   "{\n"
		   "	struct task_struct *p = bpf_get_current_task_btf();\n"
		   "	calls++;\n"
		   "	threads += (p->flags & 0x00200000) != 0;\n"
		   "	return 0;\n"
		   "}\n", NULL);
	start((struct task_params){ 0 }, 100 * US, 100 * US);
	run_for(100 * MS);
	assert_true(value(l, "calls") > 400);
	assert_int_equal(value(l, "threads"), 0);
	loader_close(l);
	shut_down();
}

/* A function takes a program once; a tracepoint any number. */
static void test_twice(void **state)
{
	struct loader_program p;
	struct loader *l;
	int fd;

	boot("1");
	l = attach(TRACE_PREAMBLE
		   "SEC(\"fentry/do_sys_openat2\") int function(u64 *ctx) { return 0; }\n"
		   "SEC(\"tp_btf/sys_enter\") int point(u64 *ctx) { return 0; }\n", NULL);
	for (u32 i = 0; loader_program(l, i, &p); i++) {
		bool function = !strcmp(p.name, "function");

		fd = bpf_link_create(p.fd, 0, function ? BPF_TRACE_FENTRY : BPF_TRACE_RAW_TP, NULL);
		if (function)
			assert_int_equal(fd, -EBUSY);
		else
			assert_true(fd >= 0);
		if (fd >= 0)
			facade_close(fd);
	}
	loader_close(l);
	shut_down();
}

/* --- the calls themselves --------------------------------------------------------- */

struct opener {
	u32 step;
	int fds[1100], nr_open;
	s64 first_read, second_read, read_closed, read_unreadable;
	int missing, too_long, reopened, closed, closed_again, never_open;
};

static void open_all(struct opener *o)
{
	char path[5000];

	while (o->nr_open < 1100 && (o->fds[o->nr_open] = sys_openat2("/there", 0)) >= 0)
		o->nr_open++;
	o->missing = sys_openat2("/nowhere", 0);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	o->too_long = sys_openat2(path, 0);
	o->closed = sys_close(o->fds[4]);
	o->closed_again = sys_close(o->fds[4]);
	o->never_open = sys_close(5000);
	o->reopened = sys_openat2("/there", 0);
	o->first_read = sys_read(o->fds[0], 80);
	o->second_read = sys_read(o->fds[0], 80);
	o->read_closed = sys_read(2000, 1);
	sys_close(o->fds[7]);
	o->read_unreadable = sys_read(sys_openat2("/there", O_WRONLY), 1);
}

static void opener_next(struct task *task, struct task_action *action)
{
	struct opener *o = task_data(task);

	if (!o->step++)
		open_all(o);
	*action = (struct task_action){ ACT_EXIT, 0 };
}

static void test_descriptors(void **state)
{
	static const struct task_behaviour behaviour = { .next = opener_next };
	struct task_params params = { .comm = "opener", .policy = SCHED_NORMAL };
	struct opener o = { 0 };
	struct task *task;
	int err = 0;

	boot("1");
	assert_int_equal(kernel_make_file("/there", 100), 0);
	assert_int_equal(kernel_make_file("/there", 1), -EEXIST);
	task = task_create(&params, &behaviour, &o, &err);
	assert_non_null(task);
	task_start(task);
	run_for(10 * MS);
	/* from 3 to 1023, the lowest that is free; then before it is known what is there */
	assert_int_equal(o.nr_open, 1021);
	assert_int_equal(o.fds[0], 3);
	assert_int_equal(o.fds[1020], 1023);
	assert_int_equal(o.fds[1021], -EMFILE);
	assert_int_equal(o.missing, -EMFILE);
	assert_int_equal(o.too_long, -ENAMETOOLONG);
	assert_int_equal(o.closed, 0);
	assert_int_equal(o.closed_again, -EBADF);
	assert_int_equal(o.never_open, -EBADF);
	assert_int_equal(o.reopened, o.fds[4]);
	assert_int_equal(o.first_read, 80);
	assert_int_equal(o.second_read, 20);
	assert_int_equal(o.read_closed, -EBADF);
	assert_int_equal(o.read_unreadable, -EBADF);
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_futexes),
		cmocka_unit_test(test_sleep_and_exit),
		cmocka_unit_test(test_kernel_threads),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests_name("syscall", tests, periodic_setup, trace_teardown);
}
