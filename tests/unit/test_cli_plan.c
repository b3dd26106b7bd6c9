// SPDX-License-Identifier: GPL-2.0-only
/* From options to a plan: what is refused before a machine boots, and how it is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/cli/expect.h"
#include "../../src/cli/run.h"
#include "../../src/sched/cgroup/cgroup.h"

#define HACKBENCH "hackbench -g 1 -f 2"

static char err[2048];

static struct run_plan *new_plan(void)
{
	struct run_plan *plan = calloc(1, sizeof(*plan));

	plan->options.workload = HACKBENCH;
	plan->options.duration = 2 * NSEC_PER_SEC;
	plan->schedulers.items[0] = "eevdf";
	plan->schedulers.nr = 1;
	return plan;
}

static void free_plan(struct run_plan *plan)
{
	plan_free(plan);
	free(plan);
}

static void accept_plan(struct run_plan *plan)
{
	if (plan_make(plan, err, sizeof(err)) != STATUS_OK)
		fail_msg("refused: %s", err);
}

/* The message names the option, and says what @text is. Frees the plan. */
static void refuse(struct run_plan *plan, const char *option, const char *text)
{
	assert_int_equal(plan_make(plan, err, sizeof(err)), STATUS_USAGE);
	if (strncmp(err, option, strlen(option)) || !strstr(err, text))
		fail_msg("expected '%s' and '%s' in: %s", option, text, err);
	free_plan(plan);
}

static void defaults(void **state)
{
	struct run_plan *plan = new_plan();

	accept_plan(plan);
	assert_int_equal(plan->topology.nr_cpus, 8);
	assert_true(plan->topology.smt);
	assert_int_equal(plan->duration, 2 * NSEC_PER_SEC);
	assert_int_equal(strlen(plan->workload_hash), 64);
	assert_int_equal(strlen(plan->costs_hash), 64);
	free_plan(plan);

	plan = new_plan();
	plan->options.duration = 0;
	accept_plan(plan);
	assert_int_equal(plan->duration, 10 * NSEC_PER_SEC);
	free_plan(plan);
}

static void what_is_missing(void **state)
{
	struct run_plan *plan = new_plan();

	plan->schedulers.nr = 0;
	refuse(plan, "no scheduler", "eevdf");
	plan = new_plan();
	plan->options.workload = NULL;
	refuse(plan, "--workload", "schbench");
}

static void what_is_wrong(void **state)
{
	struct run_plan *plan = new_plan();

	plan->options.machine = "axb";
	refuse(plan, "--machine", "axb");
	plan = new_plan();
	plan->options.workload = "hackbensch";
	refuse(plan, "--workload", "hackbench");
	plan = new_plan();
	plan->options.costs = "/nonexistent/costs.json";
	refuse(plan, "--costs", "/nonexistent/costs.json");
	plan = new_plan();
	plan->options.trace = "trace.dat";
	refuse(plan, "--trace", ".txt");
}

static void refuse_action(const char *action, const char *text)
{
	struct run_plan *plan = new_plan();

	plan->options.at.items[0] = action;
	plan->options.at.nr = 1;
	refuse(plan, "--at", text);
}

static void actions(void **state)
{
	static const char *const given[] = { "1500ms:online=3", "1s:offline=3", "0s:swap=/dev/null",
					     "1s:offline=4" };
	struct run_plan *plan = new_plan();

	for (u32 i = 0; i < ARRAY_SIZE(given); i++)
		plan->options.at.items[plan->options.at.nr++] = given[i];
	accept_plan(plan);
	assert_int_equal(plan->nr_actions, 4);
	assert_int_equal(plan->actions[0].kind, TIMED_SWAP);
	assert_string_equal(plan->actions[0].value, "/dev/null");
	assert_int_equal(plan->actions[1].kind, TIMED_OFFLINE);
	assert_int_equal(plan->actions[1].cpu, 3);
	/* at equal times, in the order given */
	assert_int_equal(plan->actions[2].cpu, 4);
	assert_int_equal(plan->actions[3].kind, TIMED_ONLINE);
	assert_int_equal(plan->actions[3].at, 1500 * NSEC_PER_MSEC);
	free_plan(plan);

	refuse_action("1s:offlin=3", "did you mean offline?");
	refuse_action("1s:swap", "swap=SCHED, offline=CPU");
	refuse_action("1s:swap=/nonexistent/a=b.bpf.o", "'/nonexistent/a=b.bpf.o'");
	refuse_action("offline=3", "TIME:");
	refuse_action("1s:offline=", "TIME:");
	refuse_action("1:offline=3", "'1' is not a time");
	refuse_action("1s:offline=8", "0 to 7");
	refuse_action("1s:offline=-1", "0 to 7");
	refuse_action("1s:offline=3x", "0 to 7");
	refuse_action("2s:offline=3", "over after 2.00 s");
}

static void more_actions(void **state)
{
	static const char *const given[] = { "1s:kill-agent", "2ms:destroy-enclave",
					     "1500ms:print=counts", "1501ms:nice=a:b:-3",
					     "1502ms:cpus=bpf/gc:1-2", "1503ms:cgroup=x:/a/b" };
	struct run_plan *plan = new_plan();

	for (u32 i = 0; i < ARRAY_SIZE(given); i++)
		plan->options.at.items[plan->options.at.nr++] = given[i];
	accept_plan(plan);
	assert_int_equal(plan->actions[0].kind, TIMED_DESTROY_ENCLAVE);
	assert_int_equal(plan->actions[1].kind, TIMED_KILL_AGENT);
	assert_int_equal(plan->actions[2].kind, TIMED_PRINT);
	assert_string_equal(plan->actions[2].value, "counts");
	assert_string_equal(plan->actions[3].task, "a:b");
	assert_int_equal(plan->actions[3].nice, -3);
	assert_string_equal(plan->actions[4].task, "bpf/gc");
	assert_int_equal(cpumask_weight(&plan->actions[4].cpus), 2);
	assert_string_equal(plan->actions[5].cgroup, "/a/b");
	free_plan(plan);

	refuse_action("1s:kill-agent=3", "kill-agent, destroy-enclave");
	refuse_action("1s:nice=bpf/gc", "expected nice=bpf/gc:10");
	refuse_action("1s:nice=bpf/gc:20", "'20' is no nice level: expected -20 to 19");
	refuse_action("1s:nice=bpf/0123456789ab:2", "of up to 15 characters");
	refuse_action("1s:cpus=a:b:9-12", "'9-12' is no list of CPUs");
	refuse_action("1s:cpus=a:", "expected cpus=bpf/gc:0-3");
	refuse_action("1s:cgroup=bpf/gc:slow", "'slow' is no path");
	refuse_action("1s:kill-agnet", "did you mean kill-agent?");
	refuse_action("1s:print", "print=MAP");
}

static void refuse_in(struct text_list *(*list)(struct run_plan *plan), const char *value,
		      const char *option, const char *text)
{
	struct run_plan *plan = new_plan();

	list(plan)->items[0] = value;
	list(plan)->nr = 1;
	refuse(plan, option, text);
}

static struct text_list *with_list(struct run_plan *plan)
{
	return &plan->options.with;
}

static struct text_list *watch_list(struct run_plan *plan)
{
	return &plan->options.watch;
}

static struct text_list *at_list(struct run_plan *plan)
{
	return &plan->options.at;
}

static struct text_list *cgroup_list(struct run_plan *plan)
{
	return &plan->options.cgroups;
}

static void objects_beside(void **state)
{
	struct run_plan *plan = new_plan();

	plan->options.with = (struct text_list){
		.items = { "/dev/null,a=1,b.c[2]=x=y", "/dev/zero" }, .nr = 2
	};
	accept_plan(plan);
	assert_int_equal(plan->nr_with, 2);
	assert_string_equal(plan->with[0].object, "/dev/null");
	assert_int_equal(plan->with[0].set.nr, 2);
	assert_string_equal(plan->with[0].set.items[0], "a=1");
	assert_string_equal(plan->with[0].set.items[1], "b.c[2]=x=y");
	assert_int_equal(plan->with[1].set.nr, 0);
	free_plan(plan);

	refuse_in(with_list, "/nonexistent/a.bpf.o", "--with", "/nonexistent/a.bpf.o");
	refuse_in(with_list, "/dev/null,a", "--with", "'a' is no setting");
	refuse_in(with_list, "/dev/null,a=1,", "--with", "'' is no setting");
	refuse_in(with_list, "/dev/null,=1", "--with", "'=1' is no setting");
	refuse_in(with_list, "", "--with", "no file");
}

static void own_settings(void **state)
{
	struct run_plan *plan = new_plan();
	struct text_list set;
	char *copy;

	plan->options.set = (struct text_list){ .items = { "a=1" }, .nr = 1 };
	plan->schedulers.items[0] = "/dev/null,a=2,b.c[2]=x";
	accept_plan(plan);
	scheduler_settings(plan, plan->schedulers.items[0], &set, &copy);
	/* the later one counts */
	assert_int_equal(set.nr, 3);
	assert_string_equal(set.items[0], "a=1");
	assert_string_equal(set.items[1], "a=2");
	assert_string_equal(set.items[2], "b.c[2]=x");
	free(copy);
	copy = scheduler_file(plan->schedulers.items[0]);
	assert_string_equal(copy, "/dev/null");
	free(copy);
	free_plan(plan);

	plan = new_plan();
	plan->schedulers.items[0] = "/dev/null,a";
	refuse(plan, "'/dev/null,a'", "'a' is no setting: expected /dev/null,VAR=VALUE");
	plan = new_plan();
	plan->schedulers.items[0] = "eevdf,a=1";
	refuse(plan, "'eevdf,a=1'", "eevdf has no variables");
	refuse_in(at_list, "1s:swap=eevdf,a=1", "--at", "eevdf has no variables");
	refuse_in(at_list, "1s:swap=/dev/null,a", "--at", "'a' is no setting");
}

/* No run writes over the trace of another one. */
static void trace_files(void **state)
{
	static const char *const names[] = {
		"/t/out-fifo.txt", "/t/out-fifo-2.txt", "/t/out-fifo,s=_x.txt",
	};
	struct run_plan *plan = new_plan();
	char *name;

	plan->options.trace = "/t/out.txt";
	plan->schedulers = (struct text_list){
		.items = { "fifo", "hello/fifo.bpf.c", "fifo,s=/x" }, .nr = 3
	};
	for (u32 i = 0; i < plan->schedulers.nr; i++) {
		name = file_of_run(plan, plan->options.trace, plan->schedulers.items[i], "");
		assert_string_equal(name, names[i]);
		free(name);
	}
	plan->schedulers.nr = 1;
	name = file_of_run(plan, plan->options.trace, plan->schedulers.items[0], "");
	assert_string_equal(name, "/t/out.txt");
	free(name);
	name = file_of_run(plan, plan->options.trace, plan->schedulers.items[0], "vm");
	assert_string_equal(name, "/t/out-fifo-vm.txt");
	free(name);
	free(plan);
}

static void watches(void **state)
{
	struct run_plan *plan = new_plan();

	plan->options.watch = (struct text_list){ .items = { "counts", "a.bss=250ms" }, .nr = 2 };
	accept_plan(plan);
	assert_int_equal(plan->nr_watches, 2);
	assert_string_equal(plan->watches[0].map, "counts");
	assert_int_equal(plan->watches[0].interval, NSEC_PER_SEC);
	assert_string_equal(plan->watches[1].map, "a.bss");
	assert_int_equal(plan->watches[1].interval, 250 * NSEC_PER_MSEC);
	free_plan(plan);

	refuse_in(watch_list, "", "--watch", "MAP=INTERVAL");
	refuse_in(watch_list, "=1s", "--watch", "MAP=INTERVAL");
	refuse_in(watch_list, "counts=", "--watch", "MAP=INTERVAL");
	refuse_in(watch_list, "counts=fast", "--watch", "MAP=INTERVAL");
	refuse_in(watch_list, "counts=10us", "--watch", "1ms");
}

static void cgroups(void **state)
{
	struct run_plan *plan = new_plan();

	plan->options.cgroups = (struct text_list){
		.items = { "/gc", "a/b,weight=50,max=10ms/50ms", "/c,max=20ms", "/d,max=max" }, .nr = 4
	};
	accept_plan(plan);
	assert_int_equal(plan->nr_cgroups, 4);
	assert_string_equal(plan->cgroups[0].path, "/gc");
	assert_int_equal(plan->cgroups[0].weight, 0);
	assert_int_equal(plan->cgroups[0].period, 0);
	assert_string_equal(plan->cgroups[1].path, "/a/b");
	assert_int_equal(plan->cgroups[1].weight, 50);
	assert_int_equal(plan->cgroups[1].quota, 10 * NSEC_PER_MSEC);
	assert_int_equal(plan->cgroups[1].period, 50 * NSEC_PER_MSEC);
	assert_int_equal(plan->cgroups[2].period, CGROUP_PERIOD_DFL);
	assert_int_equal(plan->cgroups[3].quota, CGROUP_NO_QUOTA);
	free_plan(plan);

	refuse_in(cgroup_list, "/a/../b", "--cgroup", "'.' and '..' are no names");
	refuse_in(cgroup_list, "", "--cgroup", "path");
	refuse_in(cgroup_list, "/", "--cgroup", "root");
	refuse_in(cgroup_list, "/a//b", "--cgroup", "1 to 63 characters");
	refuse_in(cgroup_list, "/1/2/3/4/5/6/7/8/9", "--cgroup", "deeper than 8");
	refuse_in(cgroup_list, "/a,weight=0", "--cgroup", "weight: '0' is not a number from 1 to 10000");
	refuse_in(cgroup_list, "/a,weight=10001", "--cgroup", "weight");
	refuse_in(cgroup_list, "/a,weight=5x", "--cgroup", "weight");
	refuse_in(cgroup_list, "/a,max=10", "--cgroup", "'10' is not a quota");
	refuse_in(cgroup_list, "/a,max=10us", "--cgroup", "'10us' is not a quota");
	refuse_in(cgroup_list, "/a,max=10ms/2s", "--cgroup", "'2s' is not a period");
	refuse_in(cgroup_list, "/a,max=10ms/", "--cgroup", "'' is not a period");
	refuse_in(cgroup_list, "/a,wieght=5", "--cgroup", "'wieght=5'");
}

static void refuse_enclave(const char *cpus, const char *text)
{
	struct run_plan *plan = new_plan();

	plan->options.enclave = cpus;
	refuse(plan, "--enclave", text);
}

static void enclaves(void **state)
{
	struct run_plan *plan = new_plan();

	plan->options.enclave = "0-3,6";
	accept_plan(plan);
	assert_int_equal(plan->enclave.bits[0], 0x4f);
	free_plan(plan);

	refuse_enclave("", "no CPUs");
	refuse_enclave("0-8", "from '8' on");
	refuse_enclave("3-1", "0 to 7");
	refuse_enclave("all", "from 'all' on");
}

static void refuse_expectation(const char *expect, const char *text)
{
	struct run_plan *plan = new_plan();

	plan->options.expect.items[0] = expect;
	plan->options.expect.nr = 1;
	refuse(plan, "--expect", text);
}

static void expectations(void **state)
{
	struct run_plan *plan = new_plan();

	plan->options.expect.items[0] = "system.share<5%";
	plan->options.expect.items[1] = "delay.p50<1s";
	plan->options.expect.nr = 2;
	accept_plan(plan);
	assert_int_equal(plan->nr_expectations, 2);
	assert_string_equal(plan->expectations[1].group, "machine");
	free_plan(plan);

	refuse_expectation("sender.wakeup.p99<2ms", "senders");
	refuse_expectation("xyzzy.wakeup.p99<2ms", "it has");
	refuse_expectation("wakeup.p99", "web.wakeup.p99<2ms");
}

/* The hash is that of the file, wherever it is, and of a generator's text. */
static void hashes(void **state)
{
	static const char text[] = "{ \"tasks\": { \"a\": { \"run\": 100 } } }";
	char path[] = "/tmp/vrt-plan-XXXXXX", first[SHA256_HEX_SIZE];
	struct run_plan *plan = new_plan();
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	plan->options.workload = path;
	accept_plan(plan);
	unlink(path);
	assert_string_equal(plan->workload_hash,
			    "e259de6c03e190a024ceea106aa2bf00e16bc6438e2c25e529f5b60157b9610c");
	free_plan(plan);

	plan = new_plan();
	accept_plan(plan);
	strcpy(first, plan->workload_hash);
	free_plan(plan);
	plan = new_plan();
	plan->options.workload = HACKBENCH " ";
	accept_plan(plan);
	assert_string_not_equal(first, plan->workload_hash);
	free_plan(plan);
}

static void files_of_schedulers(void **state)
{
	char *file = scheduler_file("some/where.bpf.o");

	assert_string_equal(file, "some/where.bpf.o");
	free(file);
	setenv("VRT_SCHEDULERS", "/nonexistent", 1);
	assert_null(scheduler_file("fifo"));
	assert_true(scheduler_is_class("eevdf"));
	assert_false(scheduler_is_class("fifo"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(actions),
		cmocka_unit_test(more_actions),
		cmocka_unit_test(objects_beside),
		cmocka_unit_test(own_settings),
		cmocka_unit_test(trace_files),
		cmocka_unit_test(watches),
		cmocka_unit_test(cgroups),
		cmocka_unit_test(enclaves),
		cmocka_unit_test(expectations),
		cmocka_unit_test(hashes),
		cmocka_unit_test(files_of_schedulers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
