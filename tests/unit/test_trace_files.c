// SPDX-License-Identifier: GPL-2.0-only
/* Trace files: ftrace text to the letter, and binary records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/trace/recorder.h"

static char dir[] = "/tmp/vrt-trace-XXXXXX";
static char path[64];
static char text[8192];

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	return rmdir(dir);
}

static void feed(struct recorder *r, u64 time, u16 cpu, enum trace_type type, s32 pid, u64 a, u64 b)
{
	struct trace_record rec = {
		.time = time,
		.type = type,
		.cpu = cpu,
		.pid = pid,
		.a = a,
		.b = b,
	};

	recorder_feed(r, &rec);
}

static void name(struct recorder *r, s32 pid, const char *comm)
{
	char bytes[16] = {};
	u64 words[2];

	strncpy(bytes, comm, 15);
	memcpy(words, bytes, 16);
	feed(r, 1000000000, 0, TRACE_TASK_NAME, pid, words[0], words[1]);
}

static struct recorder *record_to(const char *file)
{
	struct recorder *r;
	char err[256];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	r = recorder_open(path, 2, err, sizeof(err));
	assert_non_null(r);
	return r;
}

static size_t close_and_read(struct recorder *r)
{
	char err[256];
	size_t len;
	FILE *f;

	assert_int_equal(recorder_close(r, err, sizeof(err)), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	fclose(f);
	unlink(path);
	return len;
}

/* The line after the header, with number @n. */
static const char *line(u32 n)
{
	char *start = text;

	while (*start == '#')
		start = strchr(start, '\n') + 1;
	while (n--)
		start = strchr(start, '\n') + 1;
	*strchrnul(start, '\n') = '\0';
	return start;
}

static void ftrace_text(void **state)
{
	static const char *const expected[] = {
		"          <idle>-0       [000] d..2.     1.000000000: sched_process_fork: "
		"comm=task-1 pid=1 child_comm=web child_pid=7",
		"          <idle>-0       [001] d..2.     1.000001500: sched_wakeup_new: comm=web pid=7 "
		"prio=120 target_cpu=000",
		"          <idle>-0       [000] d..2.     1.000002000: sched_switch: "
		"prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=web "
		"next_pid=7 next_prio=120",
		"             web-7       [000] d..2.     1.000003000: sched_wakeup: comm=task-8 pid=8 "
		"prio=110 target_cpu=001",
		"             web-7       [000] d..2.     1.000003500: sched_migrate_task: comm=task-8 "
		"pid=8 prio=110 orig_cpu=0 dest_cpu=1",
		"             web-7       [000] d..2.     1.000003700: bpf_trace_printk: "
		"a text that is a little longer than one record",
		"             web-7       [000] d..2.     1.000004000: sched_switch: prev_comm=web "
		"prev_pid=7 prev_prio=120 prev_state=R+ ==> next_comm=task-8 next_pid=8 next_prio=110",
		"          task-8-8       [000] d..2.     1.000004500: sched_process_exit: comm=task-8 "
		"pid=8 prio=110",
		"          task-8-8       [000] d..2.     1.000005000: sched_switch: prev_comm=task-8 "
		"prev_pid=8 prev_prio=110 prev_state=X ==> next_comm=swapper/0 next_pid=0 "
		"next_prio=120",
	};
	static const char printk[64] = "a text that is a little longer than one record";
	struct recorder *r = record_to("a.txt");
	char copy[sizeof(text)];

	feed(r, 1000000000, 0, TRACE_TASK_NEW, 7, 0, 1);
	name(r, 7, "web");
	feed(r, 1000000000, 0, TRACE_PRIO, 8, 110, 9548);
	feed(r, 1000001500, 1, TRACE_WAKEUP_NEW, 7, 0, 0);
	feed(r, 1000002000, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(r, 1000003000, 0, TRACE_WAKEUP, 8, 1, 7);
	feed(r, 1000003500, 0, TRACE_MIGRATE, 8, 0, 1);
	feed(r, 1000003700, 0, TRACE_PRINTK, 7, strlen(printk), 0);
	recorder_feed(r, (const struct trace_record *)printk);
	recorder_feed(r, (const struct trace_record *)(printk + 32));
	feed(r, 1000004000, 0, TRACE_SWITCH, 7, 8, TRACE_PREV_PREEMPTED);
	feed(r, 1000004500, 0, TRACE_TASK_EXIT, 8, 0, 0);
	feed(r, 1000005000, 0, TRACE_SWITCH, 8, 0, TRACE_PREV_EXITED);
	close_and_read(r);
	assert_memory_equal(text, "# tracer: nop\n", 14);
	memcpy(copy, text, sizeof(text));
	for (u32 i = 0; i < ARRAY_SIZE(expected); i++) {
		memcpy(text, copy, sizeof(text));
		assert_string_equal(line(i), expected[i]);
	}
}

/* A pid that is used again has a new name. */
static void names_do_not_outlive_their_task(void **state)
{
	struct recorder *r = record_to("a.txt");

	feed(r, 1000000000, 0, TRACE_TASK_NEW, 7, 0, 1);
	name(r, 7, "old");
	feed(r, 1000000000, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(r, 1000000000, 0, TRACE_WAKEUP, 7, 0, 1);
	close_and_read(r);
	assert_non_null(strstr(line(1), "comm=task-7 pid=7"));
}

static void binary_records(void **state)
{
	struct trace_file_header header;
	struct trace_record rec;
	struct recorder *r = record_to("a.bin");

	feed(r, 1000002000, 1, TRACE_SWITCH, 5, 7, TRACE_PREV_YIELDED);
	assert_int_equal(close_and_read(r), TRACE_FILE_HEADER + sizeof(rec));
	memcpy(&header, text, sizeof(header));
	assert_string_equal(header.magic, "VRTRACE");
	assert_int_equal(header.version, 1);
	assert_int_equal(header.header_size, TRACE_FILE_HEADER);
	assert_int_equal(header.record_size, 32);
	assert_int_equal(header.nr_cpus, 2);
	memcpy(&rec, text + TRACE_FILE_HEADER, sizeof(rec));
	assert_int_equal(rec.time, 1000002000);
	assert_int_equal(rec.cpu, 1);
	assert_int_equal(rec.pid, 5);
	assert_int_equal(rec.a, 7);
	assert_int_equal(rec.b, TRACE_PREV_YIELDED);
}

static void names_that_make_no_sense(void **state)
{
	char err[256];

	assert_int_not_equal(recorder_check_path("trace", err, sizeof(err)), 0);
	assert_int_not_equal(recorder_check_path(".txt", err, sizeof(err)), 0);
	assert_int_not_equal(recorder_check_path("trace.dat", err, sizeof(err)), 0);
	assert_non_null(strstr(err, "trace.dat"));
	assert_non_null(strstr(err, ".txt"));
	assert_null(recorder_open("/nonexistent/dir/a.txt", 2, err, sizeof(err)));
	assert_non_null(strstr(err, "/nonexistent/dir/a.txt"));
}

static void a_full_disk_is_reported(void **state)
{
	struct recorder *r;
	char err[256] = "";

	if (access("/dev/full", W_OK))
		skip();
	snprintf(path, sizeof(path), "%s/full.bin", dir);
	assert_int_equal(symlink("/dev/full", path), 0);
	r = recorder_open(path, 2, err, sizeof(err));
	assert_non_null(r);
	assert_int_not_equal(recorder_close(r, err, sizeof(err)), 0);
	assert_non_null(strstr(err, "full.bin"));
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ftrace_text),
		cmocka_unit_test(names_do_not_outlive_their_task),
		cmocka_unit_test(binary_records),
		cmocka_unit_test(names_that_make_no_sense),
		cmocka_unit_test(a_full_disk_is_reported),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
