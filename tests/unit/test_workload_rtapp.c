// SPDX-License-Identifier: GPL-2.0-only
/*
 * rt-app files: what the events mean, in exact virtual time on a kernel
 * without a scheduler; what is refused, and where; and rt-app's own examples.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <unistd.h>

#include "fake_kernel.c"

#include "../../src/base/strbuf.h"
#include "../../src/workload/workload.h"

#define MS NSEC_PER_MSEC
#define US NSEC_PER_USEC

static char err[1024];

/* The workload of the text in a file of its own. NULL with the message in err. */
static struct workload *open_text(const char *text)
{
	char file[] = "/tmp/rtapp-XXXXXX";
	struct workload *w;
	FILE *f = fdopen(mkstemp(file), "w");
	char *at;

	for (; *text; text++) /* quotes are ' here: the text is easier to read */
		fputc(*text == '\'' ? '"' : *text, f);
	fclose(f);
	err[0] = '\0';
	w = workload_open(file, err, sizeof(err));
	unlink(file);
	while ((at = strstr(err, file))) /* messages name the file */
		memmove(at + 1, at + strlen(file), strlen(at + strlen(file)) + 1), *at = 'f';
	return w;
}

static struct workload *start_text(u32 nr_cpus, const char *text)
{
	struct workload *w;

	fake_boot(nr_cpus);
	w = open_text(text);
	if (!w)
		fail_msg("%s", err);
	assert_int_equal(workload_start(w, 0), 0);
	return w;
}

static void stop(struct workload *w)
{
	fake_shutdown();
	workload_close(w);
}

static bool noted(const struct workload *w, const char *part)
{
	u32 i;

	for (i = 0; workload_unmodelled(w, i); i++)
		if (strstr(workload_unmodelled(w, i), part))
			return true;
	return false;
}

static u32 nr_notes(const struct workload *w)
{
	u32 i = 0;

	while (workload_unmodelled(w, i))
		i++;
	return i;
}

static void expect_error(const char *text, const char *message)
{
	struct workload *w = open_text(text);

	if (w)
		fail_msg("accepted: %s", text);
	assert_string_equal(err, message);
}

/* --- events ----------------------------------------------------------------------- */

static void test_run_and_sleep(void **state)
{
	struct workload *w = start_text(1,
		"{'tasks':{'a':{'loop':3,'run':2000,'sleep':8000,'runtime':1000}}}");

	assert_int_equal(workload_nr_groups(w), 1);
	assert_string_equal(workload_group_name(w, 0), "a");
	assert_int_equal(workload_nr_tasks(w), 1);
	assert_int_equal(workload_duration(w), 0);
	fake_run_for(100 * MS);
	assert_int_equal(fake.group[0].compute_ns, 6 * MS);
	assert_int_equal(fake.group[0].spin_ns, 3 * MS);
	assert_int_equal(fake.tasks[0]->sleeps, 3);
	assert_int_equal(fake.group[0].ops, 3);
	assert_int_equal(fake.group[0].requests, 0);
	assert_true(fake.tasks[0]->exited);
	stop(w);
}

static void test_loops_of_phases(void **state)
{
	/* twice (3 x 1 ms, 2 x 10 ms); what has no "loop" goes on for ever */
	struct workload *w = start_text(2,
		"{'tasks':{'a':{'loop':2,'phases':{'x':{'loop':3,'run':1000},'y':{'loop':2,"
		"'run':10000}}},'b':{'run':1000}}}");

	fake_run_for(100 * MS - 1);
	assert_int_equal(fake.group[0].compute_ns, 46 * MS);
	assert_int_equal(fake.group[0].ops, 10);
	assert_true(fake.tasks[0]->exited);
	assert_int_equal(fake.group[1].compute_ns, 100 * MS);
	assert_false(fake.tasks[1]->exited);
	stop(w);
}

static void test_timer_is_drift_free(void **state)
{
	/* 19 ms periods from the start, whatever the work takes */
	struct workload *w = start_text(1,
		"{'tasks':{'a':{'run':5000,'timer':{'ref':'unique','period':19000}}}}");

	fake_run_for(190 * MS - 1);
	assert_int_equal(fake.group[0].requests, 10);
	assert_int_equal(fake.group[0].request_sum, 50 * MS);
	assert_int_equal(fake.group[0].request_max, 5 * MS);
	assert_int_equal(fake.group[0].ops, 9);
	stop(w);
}

/* The tutorial's picture: a run of 40 in the third period of 20. */
static const char missed[] =
	"{'tasks':{'a':{'loop':1,'phases':{"
	"'p':{'loop':2,'run':10000,'timer':{'ref':'unique','period':20000%s}},"
	"'q':{'run':30000,'timer':{'ref':'unique','period':20000%s}},"
	"'r':{'loop':3,'run':10000,'timer':{'ref':'unique','period':20000%s}}}}}}";

static void test_relative_timer_forgives(void **state)
{
	char text[1024];
	struct workload *w;

	snprintf(text, sizeof(text), missed, "", "", ",'mode':'relative'");
	w = start_text(1, text);
	fake_run_for(1000 * MS);
	/* 10 + 10 + 30 (late: its period ends here, at 70) + 3 x 10 */
	assert_int_equal(fake.group[0].requests, 6);
	assert_int_equal(fake.group[0].request_sum, 80 * MS);
	assert_int_equal(fake.tasks[0]->sleeps, 5);
	stop(w);
}

static void test_absolute_timer_catches_up(void **state)
{
	char text[1024];
	struct workload *w;

	snprintf(text, sizeof(text), missed, "", "", ",'mode':'absolute'");
	w = start_text(1, text);
	fake_run_for(1000 * MS);
	/* 10, 10, 30 (40..70), then 70-60, 80-60... : 20, 10, 10; a mode is the timer's */
	assert_int_equal(fake.group[0].requests, 6);
	assert_int_equal(fake.group[0].request_sum, (10 + 10 + 30 + 20 + 10 + 10) * MS);
	assert_int_equal(fake.group[0].request_max, 30 * MS);
	assert_int_equal(fake.tasks[0]->sleeps, 4);
	stop(w);
}

static void test_unique_and_shared_timers(void **state)
{
	/* a shared timer advances with every instance that uses it */
	struct workload *w = start_text(4,
		"{'tasks':{'u':{'instance':2,'loop':5,'run':1000,'timer':{'ref':'unique',"
		"'period':10000}},'s':{'instance':2,'loop':5,'run':1000,'timer':{'ref':'tick',"
		"'period':10000}}}}");
	u64 end = fake.now;

	fake_run_until(end + 50 * MS);
	assert_true(fake.tasks[0]->exited && fake.tasks[1]->exited);
	assert_false(fake.tasks[2]->exited || fake.tasks[3]->exited);
	fake_run_until(end + 100 * MS);
	assert_true(fake.tasks[2]->exited && fake.tasks[3]->exited);
	stop(w);
}

static void test_delay(void **state)
{
	struct workload *w = start_text(1,
		"{'tasks':{'a':{'delay':7000,'run':1000,'timer':{'ref':'unique',"
		"'period':10000}}}}");
	u64 start = fake.now;

	fake_run_until(start + 7 * MS - 1);
	assert_int_equal(fake.group[0].compute_ns, 0);
	fake_run_until(start + 37 * MS);
	assert_int_equal(fake.group[0].requests, 3);
	/* the delay is no latency */
	assert_int_equal(fake.group[0].request_max, 1 * MS);
	stop(w);
}

static void test_suspend_and_resume(void **state)
{
	/* tutorial/example4: they take turns of 10 ms */
	struct workload *w = start_text(2,
		"{'tasks':{'a':{'run':10000,'resume':'b','suspend'},'b':{'suspend','run':10000,"
		"'resume':'a'}}}");

	fake_run_for(100 * MS);
	assert_in_range(fake.group[0].compute_ns + fake.group[1].compute_ns, 100 * MS, 110 * MS);
	assert_in_range(fake.group[0].compute_ns, 50 * MS, 60 * MS);
	stop(w);
}

static void test_resume_is_not_remembered(void **state)
{
	struct workload *w = start_text(2,
		"{'tasks':{'late':{'sleep':1000,'suspend':'','run':10},'early':{'loop':1,"
		"'resume':'late'}}}");

	fake_run_for(100 * MS);
	assert_int_equal(fake.group[0].ops, 0);
	stop(w);
}

static void test_mutex(void **state)
{
	/* one at a time: 3 x 4 x 1 ms of work under the lock take 12 ms */
	struct workload *w = start_text(4,
		"{'tasks':{'a':{'instance':4,'loop':3,'lock':'m','run':1000,'unlock':'m'}}}");
	u64 start = fake.now;

	fake_run_until(start + 12 * MS - 1);
	assert_false(fake.group[0].exited == 4);
	fake_run_until(start + 13 * MS);
	assert_int_equal(fake.group[0].exited, 4);
	assert_int_equal(fake.group[0].ops, 12);
	stop(w);
}

static void test_condition(void **state)
{
	/* signal wakes one, broad all; each waits with the mutex */
	struct workload *w = start_text(8,
		"{'tasks':{'w':{'instance':5,'loop':1,'lock':'m','wait':{'ref':'c','mutex':'m'},"
		"'unlock':'m'},'one':{'loop':1,'sleep':1000,'lock':'m','signal':'c',"
		"'unlock':'m'},'all':{'loop':1,'sleep':2000,'broad':'c'}}}");
	u64 start = fake.now;

	fake_run_until(start + 1 * MS - 1);
	assert_int_equal(fake.group[0].exited, 0);
	fake_run_until(start + 2 * MS - 1);
	assert_int_equal(fake.group[0].exited, 1);
	fake_run_until(start + 3 * MS);
	assert_int_equal(fake.group[0].exited, 5);
	stop(w);
}

static void test_sync(void **state)
{
	/* two that wake each other and wait: 1 ms each in turn */
	static const char *const names[] = { "sync", "sig_and_wait" };
	char text[512];
	u32 i;

	for (i = 0; i < 2; i++) {
		struct workload *w;

		snprintf(text, sizeof(text),
			 "{'tasks':{'a':{'instance':2,'lock':'m','run':1000,"
			 "'%s':{'ref':'c','mutex':'m'},'unlock':'m'}}}",
			 names[i]);
		w = start_text(2, text);
		fake_run_for(20 * MS - 1);
		assert_in_range(fake.group[0].compute_ns, 19 * MS, 20 * MS);
		assert_in_range(fake.group[0].ops, 17, 19);
		stop(w);
	}
}

static void test_barrier(void **state)
{
	/* tutorial/example7, one round: 1+2+..., both meet three times */
	struct workload *w = start_text(2,
		"{'tasks':{'t0':{'loop':-1,'runtime1':1000,'sleep1':2000,'barrier1':'FIRST',"
		"'runtime2':2000,'barrier2':'SECOND','runtime3':1000,'sleep3':2000,"
		"'barrier3':'THIRD'},'t1':{'loop':-1,'runtime1':2000,'barrier1':'FIRST',"
		"'runtime2':1000,'sleep2':2000,'barrier2':'SECOND','runtime3':2000,"
		"'barrier3':'THIRD'}}}");

	/* a round is 3 + 3 + 3 ms */
	fake_run_for(90 * MS + 100 * US);
	assert_int_equal(fake.group[0].ops, 10);
	assert_int_equal(fake.group[1].ops, 10);
	stop(w);
}

static void test_barrier_counts_instances(void **state)
{
	struct workload *w = start_text(8,
		"{'tasks':{'a':{'instance':5,'loop':4,'run':1000,'barrier':'b'},'slow':{'loop':4,"
		"'run':3000,'barrier':'b'}}}");
	u64 start = fake.now;

	fake_run_until(start + 12 * MS - 1);
	assert_int_equal(fake.group[0].exited, 0);
	fake_run_until(start + 13 * MS);
	assert_int_equal(fake.group[0].exited, 5);
	stop(w);
}

static void test_yield_mem_iorun(void **state)
{
	struct workload *w = start_text(1,
		"{'tasks':{'a':{'loop':2,'yield','mem':10000,'iorun':100000}},"
		"'global':{'mem_buffer_size':50000}}");

	fake_run_for(100 * MS);
	assert_int_equal(fake.tasks[0]->yields, 2);
	/* 10 bytes per ns; two writes of 500 ns */
	assert_int_equal(fake.group[0].compute_ns, 2 * (1000 + 1000));
	assert_true(noted(w, "\"mem\" is modelled as"));
	assert_true(noted(w, "\"iorun\" is modelled as"));
	assert_int_equal(nr_notes(w), 2);
	stop(w);
}

/* --- memory ----------------------------------------------------------------------- */

static void test_pages(void **state)
{
	struct workload *w = start_text(1,
		"{'tasks':{'a':{'loop':2,'vm_size':409600,'mem':{'offset':8192,'length':40960},"
		"'mem1':{'write':true},'mem2':{'offset':1,'length':4096,'fill':3}}},"
		"'global':{'memory':1048576}}");

	fake_run_for(100 * MS);
	assert_int_equal(fake_mm.totalram, 256);
	assert_int_equal(fake_mm.pages, 100);
	assert_int_equal(fake_mm.reads, 2 * 10);
	assert_int_equal(fake_mm.writes, 2 * (100 + 2));
	/* pages 2 to 11, all, and the two that 4096 bytes from the second on are in */
	assert_int_equal(fake_mm.sum, 2 * ((2 + 11) * 5 + 99 * 50 + 1));
	assert_int_equal(fake_mm.contents, 2 * (100 + mm_content(3, 0) + mm_content(3, 1)));
	/* 10 bytes per ns */
	assert_int_equal(fake.group[0].compute_ns, 2 * 112 * 409);
	assert_int_equal(nr_notes(w), 0);
	stop(w);
}

static void test_random_pages(void **state)
{
	struct workload *w = start_text(1,
		"{'tasks':{'a':{'vm_size':409600,'mem':{'offset':204800,'random':1000},"
		"'sleep':1000}}}");
	u64 reads;

	fake_run_for(100 * MS);
	reads = fake_mm.reads;
	assert_true(reads > 10000);
	assert_int_equal(fake_mm.totalram, 0);
	/* evenly from 50 to 99 */
	assert_in_range(fake_mm.sum, reads * 74, reads * 75);
	stop(w);
}

static void test_no_memory(void **state)
{
	struct workload *w;

	fake_boot(1);
	fake_mm.out_of_memory = 3;
	w = open_text("{'tasks':{'a':{'loop':1,'vm_size':40960,'mem':{}}}}");
	assert_int_equal(workload_start(w, 0), 0);
	fake_run_for(11 * MS);
	assert_int_equal(fake_mm.reads, 0);
	/* it comes back every 4 ms, and then reads all pages once */
	fake_run_for(2 * MS);
	assert_int_equal(fake.tasks[0]->sleeps, 0);
	assert_int_equal(fake_mm.reads, 10);
	assert_int_equal(fake_mm.sum, 45);
	assert_true(fake.tasks[0]->exited);
	stop(w);
}

/* Who is being killed gives back what it has, does nothing else, and ends. */
static void test_killed(void **state)
{
	struct workload *w = start_text(1, "{'tasks':{'a':{'vm_size':40960,'sleep':1000}}}");

	fake_run_for(10 * MS);
	assert_false(fake.tasks[0]->exited);
	fake_mm.killed = true;
	fake_mm.unmaps = 5;
	fake_run_for(2 * MS);
	assert_true(fake.tasks[0]->exited);
	assert_int_equal(fake_mm.unmaps, 0);
	assert_int_equal(fake.group[0].compute_ns, 5000);
	stop(w);
}

/* Instances with memory are processes, all others threads of one. */
static void test_processes(void **state)
{
	struct workload *w = start_text(1,
		"{'tasks':{'a':{'instance':2,'vm_size':4096,'run':1},'b':{'instance':2,'run':1}}}");

	assert_int_equal(fake.tasks[0]->ts.tgid, fake.tasks[0]->ts.pid);
	assert_int_equal(fake.tasks[1]->ts.tgid, fake.tasks[1]->ts.pid);
	assert_int_equal(fake.tasks[2]->ts.tgid, fake.tasks[2]->ts.pid);
	assert_int_equal(fake.tasks[3]->ts.tgid, fake.tasks[2]->ts.pid);
	stop(w);
}

static void test_memory_errors(void **state)
{
	expect_error("{'tasks':{'a':{'mem':{}}}}",
		     "f:1:16: \"mem\" says which pages are accessed, but task \"a\" has no address "
		     "space: give it a \"vm_size\"");
	expect_error("{'tasks':{'a':{'vm_size':8192,'mem':{'offset':4096,'length':4097}}}}",
		     "f:1:52: \"length\" (bytes) must be a whole number from 1 to 4096, not 4097");
	expect_error("{'tasks':{'a':{'vm_size':8192,'mem':{'offset':8192}}}}",
		     "f:1:38: \"offset\" (bytes) must be a whole number from 0 to 8191, not 8192");
	expect_error("{'tasks':{'a':{'vm_size':8192,'mem':{'ofset':0}}}}",
		     "f:1:38: \"mem\" has no \"ofset\"; it has offset, length, write, fill and random");
	expect_error("{'tasks':{'a':{'vm_size':8192,'mem':{'fill':1,'write':false}}}}",
		     "f:1:47: \"fill\" says what is written, and \"write\" is false");
	expect_error("{'tasks':{'a':{'vm_size':8192,'mem':{'write':1}}}}",
		     "f:1:38: \"write\" must be true or false, not 1");
	expect_error("{'tasks':{'a':{'vm_size':4095,'run':1}}}",
		     "f:1:16: \"vm_size\" (bytes) must be a whole number from 4096 to "
		     "68719476736, not 4095");
	expect_error("{'tasks':{'a':{'mem':[1]}}}",
		     "f:1:16: \"mem\" takes a whole number of bytes, or an object that says which "
		     "pages, not [ 1 ]");
}

static void test_fork(void **state)
{
	struct workload *w = start_text(2,
		"{'tasks':{'parent':{'loop':3,'run':1000,'fork':'child'},'child':{'instance':0,"
		"'loop':1,'delay':500,'run':5000}}}");

	assert_int_equal(workload_nr_tasks(w), 1);
	assert_int_equal(workload_nr_groups(w), 2);
	fake_run_for(100 * MS);
	assert_int_equal(fake.group[1].tasks, 3);
	assert_int_equal(fake.group[1].exited, 3);
	assert_int_equal(fake.group[1].compute_ns, 15 * MS);
	assert_string_equal(task_comm(fake.tasks[3]), "child-2");
	/* all threads of one process, as in rt-app */
	assert_int_equal(fake.tasks[3]->ts.tgid, fake.tasks[0]->ts.pid);
	stop(w);
}

static void test_fork_bomb(void **state)
{
	struct workload *w = start_text(1, "{'tasks':{'a':{'loop':2,'fork':'a'}}}");

	fake_run_for(1000 * MS);
	assert_int_equal(fake.group[0].tasks, 1 + 1024);
	assert_int_equal(fake.group[0].exited, 1 + 1024);
	assert_true(noted(w, "was forked 1024 times"));
	stop(w);
}

static void test_refused_fork(void **state)
{
	struct workload *w = start_text(1, "{'tasks':{'a':{'run':1000,'fork':'a'}}}");

	fake.refuse = -EPERM;
	fake_run_for(10 * MS);
	assert_int_equal(fake.group[0].tasks, 1);
	assert_true(noted(w, "a fork failed: task \"a-1\" could not be created"));
	stop(w);
}

static void test_time_always_passes(void **state)
{
	/* loops of events that take none, and of no events at all */
	struct workload *w = start_text(2,
		"{'tasks':{'a':{'loop':-1,'signal':'x'},'b':{'loop':1500}}}");
	u64 calls = fake_run_for(10 * MS - 1);

	assert_int_equal(fake.group[0].ops, 10000);
	assert_int_equal(fake.group[1].ops, 1500);
	assert_true(fake.tasks[1]->exited);
	assert_in_range(calls, 10000, 10010);
	assert_true(noted(w, "it spins"));
	stop(w);
}

/* --- attributes --------------------------------------------------------------------- */

static void test_policies(void **state)
{
	struct workload *w = start_text(4,
		"{'tasks':{'o':{'priority':-19,'run':1},'f':{'policy':'SCHED_FIFO','run':1},"
		"'r':{'policy':'SCHED_RR','priority':7,'run':1},'d':{'policy':'SCHED_DEADLINE',"
		"'dl-runtime':5,'run':1},'e':{'policy':'SCHED_EXT','priority':3,'run':1}}}");

	assert_int_equal(fake.tasks[0]->ts.policy, SCHED_NORMAL);
	assert_int_equal(fake.tasks[0]->ts.static_prio, NICE_TO_PRIO(-19));
	assert_int_equal(fake.tasks[1]->ts.policy, SCHED_FIFO);
	assert_int_equal(fake.tasks[1]->ts.rt_priority, 10);
	assert_int_equal(fake.tasks[2]->ts.policy, SCHED_RR);
	assert_int_equal(fake.tasks[2]->ts.rt_priority, 7);
	assert_int_equal(fake.tasks[3]->ts.policy, SCHED_FIFO);
	assert_int_equal(fake.tasks[3]->ts.rt_priority, 99);
	assert_int_equal(fake.tasks[4]->ts.policy, SCHED_EXT);
	assert_int_equal(fake.tasks[4]->ts.static_prio, NICE_TO_PRIO(3));
	assert_true(noted(w, "SCHED_DEADLINE is not modelled"));
	assert_int_equal(nr_notes(w), 1);
	stop(w);
}

static void test_default_policy(void **state)
{
	struct workload *w = start_text(1,
		"{'global':{'default_policy':'SCHED_FIFO'},'tasks':{'a':{'priority':42,'run':1}}}");

	assert_int_equal(fake.tasks[0]->ts.policy, SCHED_FIFO);
	assert_int_equal(fake.tasks[0]->ts.rt_priority, 42);
	stop(w);
}

static void test_phases_change_attributes(void **state)
{
	struct workload *w = start_text(4,
		"{'tasks':{'a':{'loop':1,'cpus':[3],'phases':{'p':{'run':1000,'cpus':[0,1]},"
		"'q':{'run':1000,'priority':5},'r':{'loop':4,'run':1000,'policy':'SCHED_RR',"
		"'cpus':[1]},'s':{'run':1000,'priority':20}}}}}");
	struct task *t = fake.tasks[0];
	u64 start = fake.now;

	/* the first phase's CPUs at once, without a change */
	assert_int_equal(t->ts.cpus_mask.bits[0], 0x3);
	fake_run_until(start + MS / 2);
	assert_int_equal(t->affinities, 0);
	fake_run_until(start + 3 * MS / 2);
	assert_int_equal(t->ts.cpus_mask.bits[0], 0x8);
	assert_int_equal(t->ts.static_prio, NICE_TO_PRIO(5));
	fake_run_until(start + 5 * MS / 2);
	assert_int_equal(t->ts.policy, SCHED_RR);
	assert_int_equal(t->ts.rt_priority, 10);
	assert_int_equal(t->ts.cpus_mask.bits[0], 0x2);
	fake_run_until(start + 13 * MS / 2);
	assert_int_equal(t->ts.policy, SCHED_RR);
	assert_int_equal(t->ts.rt_priority, 20);
	assert_int_equal(t->policies, 3); /* once per phase, not per loop */
	assert_int_equal(t->affinities, 3);
	stop(w);
}

static void test_taskgroups(void **state)
{
	struct workload *w = start_text(2,
		"{'tasks':{'a':{'loop':1,'taskgroup':'/g','phases':{'p':{'run':1000},"
		"'q':{'loop':2,'run':1000,'taskgroup':'/g/h'},'r':{'run':1000},"
		"'s':{'run':1000,'taskgroup':''}}},'b':{'run':10000,'taskgroup':''}}}");
	struct task *t = fake.tasks[0];
	u64 start = fake.now;

	fake_run_until(start + MS / 2);
	assert_string_equal(t->cgroup, "/g");
	fake_run_until(start + 3 * MS / 2);
	assert_string_equal(t->cgroup, "/g/h");
	fake_run_until(start + 9 * MS / 2);
	assert_string_equal(t->cgroup, "/g");
	assert_int_equal(t->moves, 3);
	assert_null(fake.tasks[1]->cgroup);
	stop(w);
}

static void test_names_and_groups(void **state)
{
	struct workload *w = start_text(2,
		"{'tasks':{'a-very-long-thread-name':{'instance':12,'run':1},"
		"'a-very-long-thread-name':{'run':1}},'global':{'duration':7}}");

	assert_int_equal(workload_nr_groups(w), 2);
	assert_string_equal(workload_group_name(w, 0), "a-very-long-thread-name");
	assert_string_equal(workload_group_name(w, 1), "a-very-long-thread-name1");
	assert_null(workload_group_name(w, 2));
	assert_int_equal(workload_nr_tasks(w), 13);
	assert_int_equal(workload_duration(w), 7 * NSEC_PER_SEC);
	assert_string_equal(task_comm(fake.tasks[11]), "a-very-long--11");
	assert_string_equal(task_comm(fake.tasks[12]), "a-very-long-thr");
	assert_int_equal(fake.tasks[12]->group, 1);
	stop(w);
}

static void test_group_base(void **state)
{
	struct workload *w;

	fake_boot(1);
	w = open_text("{'tasks':{'a':{'run':1},'b':{'run':1}}}");
	assert_non_null(w);
	assert_int_equal(workload_start(w, 5), 0);
	assert_int_equal(fake.tasks[1]->group, 6);
	stop(w);
}

static void test_missing_cpu(void **state)
{
	struct workload *w;

	fake_boot(2);
	w = open_text("{'tasks':{'a':{'run':1},\n'b':{'cpus':[0,2],'run':1}}}");
	assert_non_null(w);
	assert_int_equal(workload_start(w, 0), -EINVAL);
	assert_string_equal(workload_error(w),
			    "task \"b\" (line 2) asks for CPU 2, but the machine has CPUs 0 to "
			    "1; choose a larger machine");
	assert_int_equal(fake.nr_tasks, 0);
	stop(w);
}

static void test_refused_task(void **state)
{
	struct workload *w;

	fake_boot(2);
	fake.refuse = -EPERM;
	w = open_text("{'tasks':{'a':{'run':1}}}");
	assert_int_equal(workload_start(w, 0), -EPERM);
	assert_non_null(strstr(workload_error(w), "task \"a\" could not be created"));
	stop(w);
}

/* --- what is said --------------------------------------------------------------------- */

static void test_notes(void **state)
{
	struct workload *w = open_text(
		"{'tasks':{'a':{'run':1,\n'exec':5,\n'lock_order':['x'],\n'sleep':false,"
		"\n'colour':'red',\n'loop':1,'loop':2,\n'taskgroup':'/g','timer':{'period':5,"
		"'tick':1}}},\n'global':{'pi_enabled':true,'frag':1,'lock_pages':true,'hz':3},"
		"'resources':{'m':{'type':'mutex'}}}");

	assert_non_null(w);
	assert_true(noted(w, ":2: \"exec\" belongs to the grammar before phases"));
	assert_true(noted(w, ":3: \"lock_order\" is read as the event \"lock\""));
	assert_true(noted(w, ":4: \"sleep\" is read as the event \"sleep\""));
	assert_true(noted(w, ":5: rt-app knows no key \"colour\""));
	assert_true(noted(w, ":6: \"loop\" is given more than once: the first one counts"));
	assert_true(noted(w, ":7: \"tick\" means nothing in \"timer\""));
	assert_true(noted(w, ":8: priority inheritance"));
	assert_true(noted(w, ":8: rt-app knows no key \"hz\""));
	assert_int_equal(nr_notes(w), 8);
	workload_close(w);
}

static void test_notes_are_limited(void **state)
{
	struct strbuf text = { 0 };
	struct workload *w;
	u32 i;

	strbuf_puts(&text, "{\"tasks\":{\"a\":{\"run\":1");
	for (i = 0; i < 500; i++)
		strbuf_printf(&text, ",\n\"x%uy\":1", i);
	strbuf_puts(&text, "}}}");
	w = open_text(text.data);
	assert_non_null(w);
	assert_int_equal(nr_notes(w), 64);
	assert_string_equal(workload_unmodelled(w, 63),
			    "further remarks on this workload were left out");
	workload_close(w);
	strbuf_free(&text);
}

static void test_errors(void **state)
{
	expect_error("{\n 'tasks': {\n  'a': { 'run' 10 } } }",
		     "f:3:16: expected ':' and a value after the key \"run\", found '1'");
	expect_error("[]", "f:1:1: an rt-app file is an object with \"tasks\" and \"global\"");
	expect_error("null", "f:1:5: not valid JSON: the document is empty (null)");
	expect_error("{'global':{}}",
		     "f:1:1: there is no \"tasks\" object, so nothing to run (rt-app's merge.py "
		     "joins such files with one that has tasks)");
	expect_error("{'tasks':{}}",
		     "f:1:2: no task would start: at least one needs an \"instance\"");
	expect_error("{'tasks':3}", "f:1:2: \"tasks\" must be an object");
	expect_error("{'tasks':{'a':null}}", "f:1:2: the task \"a\" must be an object");
	expect_error("{'tasks':{\n'a':[]}}", "f:2:1: the task \"a\" must be an object");
	expect_error("{'tasks':{'a':{\n  'run': 2.5}}}",
		     "f:2:3: \"run\" takes a whole number of microseconds, not 2.5");
	expect_error("{'tasks':{'a':{'run1': '10ms'}}}",
		     "f:1:16: \"run1\" takes a whole number of microseconds, not \"10ms\"");
	expect_error("{'tasks':{'a':{'run': -1}}}",
		     "f:1:16: a time in microseconds must be a whole number from 0 to "
		     "2147483647, not -1");
	expect_error("{'tasks':{'a':{'run': 99999999999999999999}}}",
		     "f:1:16: a time in microseconds must be a whole number from 0 to "
		     "2147483647, not 18446744073709551615");
	expect_error("{'tasks':{'a':{'lock': 3}}}", "f:1:16: \"lock\" takes a name (text), not 3");
	expect_error("{'tasks':{'a':{'wait': 'c'}}}",
		     "f:1:16: \"wait\" takes { \"ref\": condition, \"mutex\": name }, not \"c\"");
	expect_error("{'tasks':{'a':{'timer': {'ref':'x'}}}}",
		     "f:1:16: a timer needs a \"period\" in microseconds");
	expect_error("{'tasks':{'a':{'timer': {'ref':'x',\n'period':1,'mode':'abs'}}}}",
		     "f:1:16: the mode of a timer is \"relative\" or \"absolute\", not \"abs\"");
	expect_error("{'tasks':{'a':{'timer': {'ref':1,'period':1}}}}",
		     "f:1:26: \"ref\" must be a text, not 1");
	expect_error("{'tasks':{'a':{'fork': 'b'}}}", "f:1:16: there is no task \"b\" to fork");
	expect_error("{'tasks':{'a':{'cpus': [0,\n4096], 'run':1}}}",
		     "f:2:1: a CPU in \"cpus\" must be a whole number from 0 to 4095, not 4096");
	expect_error("{'tasks':{'a':{'cpus': [], 'run':1}}}",
		     "f:1:16: \"cpus\" must be a list of CPU numbers such as [0, 2], not [ ]");
	expect_error("{'tasks':{'a':{'policy':'SCHED_X', 'run':1}}}",
		     "f:1:16: \"policy\" must be SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, "
		     "SCHED_EXT, SCHED_RR, SCHED_FIFO or SCHED_DEADLINE, not \"SCHED_X\"");
	expect_error("{'tasks':{'a':{'priority':20, 'run':1}}}",
		     "f:1:16: \"priority\" (the nice value) must be a whole number from -20 to "
		     "19, not 20");
	expect_error("{'tasks':{'a':{'policy':'SCHED_RR','priority':0, 'run':1}}}",
		     "f:1:36: \"priority\" of a real-time policy must be a whole number from 1 "
		     "to 99, not 0");
	expect_error("{'tasks':{'a':{'taskgroup':'g', 'run':1}}}",
		     "f:1:16: a taskgroup begins with /, \"g\" does not");
	expect_error("{'tasks':{'a':{'taskgroup':'/g/..', 'run':1}}}",
		     "f:1:16: \"..\" cannot be the name of a taskgroup");
	expect_error("{'tasks':{'a':{'taskgroup':'/1/2/3/4/5/6/7/8/9/', 'run':1}}}",
		     "f:1:16: taskgroups may be 8 deep, this one is 9");
	expect_error("{'tasks':{'a':{'phases':{}}}}",
		     "f:1:16: \"phases\" must be an object with at least one phase");
	expect_error("{'tasks':{'a':{'phases':{'p':1}}}}",
		     "f:1:26: the phase \"p\" must be an object");
	expect_error("{'tasks':{'a':{'instance':1000001,'run':1}}}",
		     "f:1:16: \"instance\" must be a whole number from 0 to 1000000, not 1000001");
	expect_error("{'tasks':{'a':{'instance':1000000,'run':1},'b':{'run':1}}}",
		     "f:1:44: more than 1000000 tasks in all");
	expect_error("{'tasks':{'a':{'run':1}},'global':{'calibration':'CPUx'}}",
		     "f:1:36: \"calibration\" must be a number of ns per loop, or a CPU such as "
		     "\"CPU0\", not \"CPUx\"");
	expect_error("{'tasks':{'a':{'run':1}},'global':{'duration':1.5}}",
		     "f:1:36: \"duration\" must be a whole number from -1 to 2147483647, not 1.5");
}

static void test_bad_files(void **state)
{
	assert_null(workload_open("/nonexistent/web.json", err, sizeof(err)));
	assert_string_equal(err,
			    "/nonexistent/web.json: the workload file could not be read: No "
			    "such file or directory");
	assert_null(workload_open("/tmp", err, sizeof(err)));
	assert_string_equal(err, "/tmp: the workload file could not be read: Is a directory");
	assert_null(workload_open("hackbensh -g 1", err, sizeof(err)));
	assert_string_equal(err,
			    "\"hackbensh\" is neither a workload file (rt-app JSON) nor a "
			    "generator; did you mean \"hackbench\"? The generators are schbench, "
			    "hackbench, pipe, rpc, stress, files");
	assert_null(workload_open("", err, sizeof(err)));
}

/* --- rt-app's own files ------------------------------------------------------------------ */

static const char *const without_tasks[] = { "/merge/resources.json", "/merge/global.json" };
static u32 nr_examples;

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

/* Runs, or is refused for the reason that rt-app has. */
static int try_example(const char *file, const struct stat *st, int type, struct FTW *ftw)
{
	bool refused = false;
	struct workload *w;
	u64 ops = 0;
	u32 i;

	if (type != FTW_F || !ends_with(file, ".json"))
		return 0;
	nr_examples++;
	fake_boot(4);
	w = workload_open(file, err, sizeof(err));
	for (i = 0; i < ARRAY_SIZE(without_tasks); i++)
		refused |= ends_with(file, without_tasks[i]);
	if (refused) {
		assert_null(w);
		assert_non_null(strstr(err, ":1:1: there is no \"tasks\" object"));
		fake_shutdown();
		return 0;
	}
	if (!w)
		fail_msg("%s", err);
	assert_int_equal(workload_start(w, 0), 0);
	fake_run_for(2 * NSEC_PER_SEC);
	for (i = 0; i < workload_nr_groups(w); i++)
		ops += fake.group[i].ops;
	if (!ops)
		fail_msg("%s: nothing was done in two seconds", file);
	/* the old grammar is named, key by key; today's runs without remarks */
	if (ends_with(file, "/taskset.json") || strstr(file, "/merge/")) {
		assert_true(noted(w, "\"lock_order\" is read as"));
		assert_true(noted(w, "\"exec\" belongs to the grammar before phases"));
	} else if (ends_with(file, "/example6.json")) {
		assert_int_equal(nr_notes(w), 2);
	} else if (workload_unmodelled(w, 0)) {
		fail_msg("%s: %s", file, workload_unmodelled(w, 0));
	}
	stop(w);
	return 0;
}

static void test_examples(void **state)
{
	const char *dir = getenv("RTAPP_EXAMPLES");
	char path[4096];

	if (!dir) {
		snprintf(path, sizeof(path), "%.*s/../../third_party/rt-app",
			 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
		dir = path;
	}
	if (access(dir, R_OK)) {
		print_message("rt-app's examples are not in third_party/rt-app: scripts/fetch.sh "
			      "gets them, RTAPP_EXAMPLES says where else they are\n");
		skip();
	}
	assert_int_equal(nftw(dir, try_example, 16, FTW_PHYS), 0);
	print_message("%u files of rt-app\n", nr_examples);
	assert_in_range(nr_examples, 20, 1000);
}

/* What ships runs on the machine it is made for, without remarks. */
static void test_shipped(void **state)
{
	static const char *const files[] = { "hot-pages.json", "mixed.json",
					     "out-of-memory.json", "same-pages.json",
					     "unfair.json", "uneven.json", "web.json" };
	char path[4096];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		struct workload *w;

		snprintf(path, sizeof(path), "%.*s/../../workloads/%s",
			 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__, files[i]);
		fake_boot(32);
		w = workload_open(path, err, sizeof(err));
		if (!w)
			fail_msg("%s", err);
		assert_null(workload_unmodelled(w, 0));
		assert_int_not_equal(workload_duration(w), 0);
		assert_int_equal(workload_start(w, 0), 0);
		fake_run_for(NSEC_PER_SEC);
		stop(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run_and_sleep),
		cmocka_unit_test(test_loops_of_phases),
		cmocka_unit_test(test_timer_is_drift_free),
		cmocka_unit_test(test_relative_timer_forgives),
		cmocka_unit_test(test_absolute_timer_catches_up),
		cmocka_unit_test(test_unique_and_shared_timers),
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_suspend_and_resume),
		cmocka_unit_test(test_resume_is_not_remembered),
		cmocka_unit_test(test_mutex),
		cmocka_unit_test(test_condition),
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_barrier),
		cmocka_unit_test(test_barrier_counts_instances),
		cmocka_unit_test(test_yield_mem_iorun),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_random_pages),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_memory_errors),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_fork_bomb),
		cmocka_unit_test(test_refused_fork),
		cmocka_unit_test(test_time_always_passes),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_default_policy),
		cmocka_unit_test(test_phases_change_attributes),
		cmocka_unit_test(test_taskgroups),
		cmocka_unit_test(test_names_and_groups),
		cmocka_unit_test(test_group_base),
		cmocka_unit_test(test_missing_cpu),
		cmocka_unit_test(test_refused_task),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_notes_are_limited),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_shipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
