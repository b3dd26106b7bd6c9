// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls as programs see them: entry and exit with number, registers and
 * result, the function behind openat2(2), and names in the memory of a task.
 */
#include "test_sched_trace.h"

enum { ENTER, EXIT, FUNCTION, RETURN };

#define SYSCALLS TRACE_PREAMBLE                                                                    \
	"enum { ENTER, EXIT, FUNCTION, RETURN };\n"                                                \
	"char name[64];\n"                                                                         \
	"s64 kernel_read;\n"                                                                       \
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

/* --- the calls themselves --------------------------------------------------------- */

struct opener {
	u32 step;
	int fds[70], nr_open;
	int missing, too_long, reopened, closed, closed_again, never_open;
};

static void open_all(struct opener *o)
{
	char path[300];

	while (o->nr_open < 70 && (o->fds[o->nr_open] = sys_openat2("/there", 0)) >= 0)
		o->nr_open++;
	o->missing = sys_openat2("/nowhere", 0);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	o->too_long = sys_openat2(path, 0);
	o->closed = sys_close(o->fds[4]);
	o->closed_again = sys_close(o->fds[4]);
	o->never_open = sys_close(1000);
	o->reopened = sys_openat2("/there", 0);
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
	kernel_make_file("/there");
	task = task_create(&params, &behaviour, &o, &err);
	assert_non_null(task);
	task_start(task);
	run_for(10 * MS);
	/* from 3 to 63, the lowest that is free */
	assert_int_equal(o.nr_open, 61);
	assert_int_equal(o.fds[0], 3);
	assert_int_equal(o.fds[60], 63);
	assert_int_equal(o.fds[61], -EMFILE);
	assert_int_equal(o.missing, -ENOENT);
	assert_int_equal(o.too_long, -ENAMETOOLONG);
	assert_int_equal(o.closed, 0);
	assert_int_equal(o.closed_again, -EBADF);
	assert_int_equal(o.never_open, -EBADF);
	assert_int_equal(o.reopened, o.fds[4]);
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests_name("syscall", tests, periodic_setup, trace_teardown);
}
