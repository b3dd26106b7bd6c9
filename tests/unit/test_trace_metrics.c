// SPDX-License-Identifier: GPL-2.0-only
/* Metrics of streams that are small enough to be computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "../../src/trace/lag.h"
#include "../../src/trace/metrics.h"

#define START 1000
#define END 11000

static const char *const names[] = { "web", "batch" };

/* CPUs 0 and 1 are a core; 2 is on the same LLC; 3 is remote. */
static u32 distance(u32 a, u32 b)
{
	if (a == b)
		return 0;
	if (a < 2 && b < 2)
		return 1;
	return a == 3 || b == 3 ? 4 : 2;
}

struct fixture {
	struct metrics *m;
	struct json_object *machine, *groups;
};

static void begin(struct fixture *f)
{
	struct metrics_config config = {
		.nr_cpus = 4,
		.nr_groups = 2,
		.group_names = names,
		.start = START,
		.distance = distance,
	};

	memset(f, 0, sizeof(*f));
	f->m = metrics_new(&config);
	metrics_window(f->m, START, END);
}

static void feed(struct fixture *f, u64 time, u16 cpu, enum trace_type type, s32 pid, u64 a, u64 b)
{
	struct trace_record rec = {
		.time = time,
		.type = type,
		.cpu = cpu,
		.pid = pid,
		.a = a,
		.b = b,
	};

	metrics_feed(f->m, &rec, 1);
}

static void finish(struct fixture *f)
{
	metrics_finish(f->m, END);
	f->machine = metrics_machine_json(f->m);
	f->groups = metrics_groups_json(f->m);
}

static void end(struct fixture *f)
{
	json_object_put(f->machine);
	json_object_put(f->groups);
	metrics_free(f->m);
}

/* @b may be NULL. -1: null or missing */
static s64 value(struct json_object *obj, const char *a, const char *b)
{
	if (!json_object_object_get_ex(obj, a, &obj) || !obj)
		return -1;
	if (b && (!json_object_object_get_ex(obj, b, &obj) || !obj))
		return -1;
	return json_object_get_int64(obj);
}

#define machine(f, a, b) value((f)->machine, a, b)
#define group(f, i, a, b) value(json_object_array_get_idx((f)->groups, i), a, b)

/* --- latencies ----------------------------------------------------------------- */

static void wakeup_to_run(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 2000, 1, TRACE_WAKEUP, 7, 0, 1);
	feed(&f, 2050, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(&f, 3000, 0, TRACE_SWITCH, 7, 0, TRACE_PREV_SLEEPING);
	feed(&f, 4000, 1, TRACE_WAKEUP, 7, 0, 1);
	feed(&f, 4200, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(&f, 4300, 0, TRACE_SWITCH, 7, 0, TRACE_PREV_SLEEPING);
	finish(&f);
	assert_int_equal(group(&f, 0, "wakeup_latency", "count"), 2);
	assert_int_equal(group(&f, 0, "wakeup_latency", "p50_ns"), 50);
	assert_int_equal(group(&f, 0, "wakeup_latency", "max_ns"), 200);
	assert_int_equal(group(&f, 0, "wakeup_latency", "mean_ns"), 125);
	assert_int_equal(machine(&f, "wakeup_latency", "count"), 2);
	assert_int_equal(group(&f, 0, "runtime_ns", NULL), 950 + 100);
	assert_int_equal(group(&f, 1, "wakeup_latency", "count"), -1);
	assert_int_equal(group(&f, 1, "tasks", NULL), 0);
	end(&f);
}

/* A preempted task waits, too, but was not woken; a new one was not asleep. */
static void preemption_is_no_wakeup(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 100, 0, TRACE_TASK_NEW, 8, 1, 1);
	feed(&f, 1500, 0, TRACE_WAKEUP_NEW, 7, 0, 0);
	feed(&f, 1510, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(&f, 1600, 0, TRACE_WAKEUP_NEW, 8, 0, 0);
	feed(&f, 2000, 0, TRACE_SWITCH, 7, 8, TRACE_PREV_PREEMPTED);
	feed(&f, 2300, 0, TRACE_SWITCH, 8, 7, TRACE_PREV_YIELDED);
	feed(&f, 2500, 0, TRACE_SWITCH, 7, 8, TRACE_PREV_SLEEPING);
	feed(&f, 2600, 0, TRACE_SWITCH, 8, 0, TRACE_PREV_EXITED);
	finish(&f);
	assert_int_equal(group(&f, 0, "wakeup_latency", "count"), -1);
	assert_int_equal(group(&f, 0, "run_delay", "count"), 2);
	assert_int_equal(group(&f, 0, "run_delay", "max_ns"), 300);
	assert_int_equal(group(&f, 1, "run_delay", "max_ns"), 400);
	assert_int_equal(machine(&f, "context_switches", "total"), 5);
	assert_int_equal(machine(&f, "context_switches", "voluntary"), 2);
	assert_int_equal(machine(&f, "context_switches", "preempted"), 1);
	assert_int_equal(machine(&f, "context_switches", "yielded"), 1);
	assert_int_equal(machine(&f, "context_switches", "idle"), 1);
	assert_int_equal(group(&f, 0, "context_switches", "total"), 2);
	end(&f);
}

/* The task is still on its CPU when it is woken: it never was off it. */
static void wakeup_of_a_running_task(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 1500, 0, TRACE_WAKEUP_NEW, 7, 0, 0);
	feed(&f, 1510, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(&f, 1600, 1, TRACE_WAKEUP, 7, 0, 9);
	feed(&f, 1700, 0, TRACE_SWITCH, 7, 0, TRACE_PREV_SLEEPING);
	finish(&f);
	assert_int_equal(group(&f, 0, "wakeup_latency", "count"), -1);
	assert_int_equal(group(&f, 0, "run_delay", "count"), 1);
	end(&f);
}

/* Who waits at the end has waited so long at least. */
static void starvation_shows(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 500, 0, TRACE_WAKEUP, 7, 0, 0);
	finish(&f);
	assert_int_equal(group(&f, 0, "wakeup_latency", "count"), 1);
	assert_int_equal(group(&f, 0, "wakeup_latency", "max_ns"), END - 500);
	assert_int_equal(group(&f, 0, "tasks", NULL), 1);
	assert_int_equal(group(&f, 0, "jain_ppm", NULL), -1);
	end(&f);
}

static void only_the_window_counts(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 200, 0, TRACE_WAKEUP, 7, 0, 0);
	feed(&f, 210, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(&f, 300, 0, TRACE_REQUEST, 7, 99, 0);
	feed(&f, 400, 0, TRACE_OPS, 7, 5, 0);
	feed(&f, 1500, 0, TRACE_REQUEST, 7, 70, 0);
	feed(&f, 1500, 0, TRACE_REQUEST, 7, 80, 1);
	feed(&f, 1500, 0, TRACE_OPS, 7, 3, 0);
	feed(&f, 10900, 0, TRACE_OVERHEAD, 0, 40, TRACE_OVH_BPF);
	finish(&f);
	assert_int_equal(group(&f, 0, "wakeup_latency", "count"), -1);
	assert_int_equal(group(&f, 0, "request_latency", "count"), 1);
	assert_int_equal(group(&f, 0, "request_latency", "max_ns"), 70);
	assert_int_equal(group(&f, 0, "benchmark_wakeup", "max_ns"), 80);
	assert_int_equal(group(&f, 0, "ops", NULL), 3);
	/* 3 in 10 us */
	assert_int_equal(group(&f, 0, "ops_per_second_milli", NULL), 300000000);
	assert_int_equal(group(&f, 0, "runtime_ns", NULL), END - START);
	assert_int_equal(group(&f, 0, "share_ppm", NULL), 1000000);
	assert_int_equal(machine(&f, "busy_ns", NULL), END - START);
	assert_int_equal(machine(&f, "cpu_time_ns", NULL), 4 * (END - START));
	assert_int_equal(machine(&f, "utilization_ppm", NULL), 250000);
	assert_int_equal(machine(&f, "overhead", "bpf_ns"), 40);
	assert_int_equal(machine(&f, "overhead_ppm", NULL), 1000);
	assert_int_equal(machine(&f, "events", NULL), 4);
	end(&f);
}

static void unknown_tasks_are_the_systems(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 5, 0xffffffff, 1);
	feed(&f, 2000, 0, TRACE_SWITCH, 0, 5, TRACE_PREV_IDLE);
	/* 9 was never announced, and ran before the stream began */
	feed(&f, 2500, 1, TRACE_SWITCH, 9, 0, TRACE_PREV_SLEEPING);
	feed(&f, 3000, 0, TRACE_SWITCH, 5, 0, TRACE_PREV_SLEEPING);
	finish(&f);
	assert_int_equal(json_object_array_length(f.groups), 3);
	assert_int_equal(group(&f, 2, "runtime_ns", NULL), 1000);
	assert_int_equal(group(&f, 2, "context_switches", "voluntary"), 2);
	assert_int_equal(group(&f, 0, "runtime_ns", NULL), 0);
	/* the machine's latencies are the workload's */
	assert_int_equal(machine(&f, "run_delay", "count"), -1);
	end(&f);
}

/* --- fairness -------------------------------------------------------------------- */

static void jain(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 100, 0, TRACE_TASK_NEW, 8, 0, 1);
	feed(&f, 2000, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(&f, 5000, 0, TRACE_SWITCH, 7, 8, TRACE_PREV_SLEEPING);
	feed(&f, 6000, 0, TRACE_SWITCH, 8, 0, TRACE_PREV_EXITED);
	finish(&f);
	/* (3000 + 1000)^2 / (2 * (3000^2 + 1000^2)) */
	assert_int_equal(group(&f, 0, "tasks", NULL), 2);
	assert_int_equal(group(&f, 0, "jain_ppm", NULL), 800000);
	end(&f);
}

/* Three times the weight, three times the time: fair. */
static void jain_goes_by_weight(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 100, 0, TRACE_PRIO, 7, 115, 3072);
	feed(&f, 100, 0, TRACE_TASK_NEW, 8, 0, 1);
	feed(&f, 2000, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(&f, 5000, 0, TRACE_SWITCH, 7, 8, TRACE_PREV_SLEEPING);
	feed(&f, 6000, 0, TRACE_SWITCH, 8, 0, TRACE_PREV_SLEEPING);
	finish(&f);
	assert_int_equal(group(&f, 0, "jain_ppm", NULL), 1000000);
	end(&f);
}

static void lag_of_two_on_one_cpu(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 100, 0, TRACE_TASK_NEW, 8, 1, 1);
	feed(&f, 2000, 0, TRACE_WAKEUP, 7, 0, 0);
	feed(&f, 2000, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(&f, 2000, 0, TRACE_WAKEUP, 8, 0, 0);
	feed(&f, 3000, 0, TRACE_SWITCH, 7, 8, TRACE_PREV_PREEMPTED);
	feed(&f, 6000, 0, TRACE_SWITCH, 8, 7, TRACE_PREV_PREEMPTED);
	feed(&f, 7000, 0, TRACE_SWITCH, 7, 8, TRACE_PREV_PREEMPTED);
	finish(&f);
	/* 8 had half of 1000 ns to get when it ran */
	assert_int_equal(group(&f, 1, "lag", "p50_ns"), 0);
	assert_int_equal(group(&f, 1, "lag", "max_ns"), 500);
	/* 7: half of 4000, of which it had 1000; then even */
	assert_int_equal(group(&f, 0, "lag", "max_ns"), 1000);
	assert_int_equal(group(&f, 0, "lag", "count"), 2);
	end(&f);
}

/* One that waits beside an idle CPU is behind; one alone on a CPU never is. */
static void ideal_shares(void **state)
{
	struct lag_clock clock = {};
	struct lag_task heavy = {}, a = {}, b = {};

	lag_join(&clock, &heavy, 8 * 1024, 1000);
	lag_join(&clock, &a, 1024, 1000);
	lag_join(&clock, &b, 1024, 1000);
	lag_running(&clock, true, 1000);
	lag_running(&clock, true, 1000);
	/* two CPUs: the heavy one cannot use more than one, the others share the rest */
	assert_int_equal(lag_service(&clock, &heavy, 2000), 1000);
	assert_int_equal(lag_service(&clock, &a, 2000), 500);
	assert_int_equal(lag_service(&clock, &b, 2000), 500);
	lag_running(&clock, false, 2000);
	/* one CPU: by weight */
	assert_int_equal(lag_service(&clock, &heavy, 12000), 1000 + 8000);
	assert_int_equal(lag_service(&clock, &a, 12000), 500 + 1000);
	lag_leave(&clock, &heavy, 12000);
	assert_int_equal(lag_service(&clock, &b, 14000), 1500 + 1000);
	lag_running(&clock, false, 14000);
	lag_leave(&clock, &a, 14000);
	assert_int_equal(lag_service(&clock, &b, 20000), 2500);
}

static void rt_tasks_do_not_share(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 100, 0, TRACE_CLASS, 7, TRACE_CLASS_RT, 0);
	feed(&f, 100, 0, TRACE_TASK_NEW, 8, 1, 1);
	feed(&f, 2000, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(&f, 2000, 0, TRACE_WAKEUP, 8, 0, 0);
	feed(&f, 9000, 0, TRACE_SWITCH, 7, 8, TRACE_PREV_SLEEPING);
	finish(&f);
	assert_int_equal(group(&f, 0, "lag", "count"), -1);
	assert_int_equal(group(&f, 1, "lag", "max_ns"), 0);
	assert_int_equal(group(&f, 1, "wakeup_latency", "max_ns"), 7000);
	end(&f);
}

/* --- the machine ------------------------------------------------------------------ */

static void migrations_by_distance(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 1, 1);
	feed(&f, 500, 0, TRACE_MIGRATE, 7, 0, 1);
	feed(&f, 2000, 0, TRACE_MIGRATE, 7, 0, 1);
	feed(&f, 2000, 0, TRACE_MIGRATE, 7, 1, 2);
	feed(&f, 2000, 0, TRACE_MIGRATE, 7, 2, 3);
	feed(&f, 2000, 0, TRACE_MIGRATE, 7, 3, 2);
	feed(&f, 2000, 0, TRACE_MIGRATE, 7, 3, 4000);
	finish(&f);
	assert_int_equal(machine(&f, "migrations", "total"), 4);
	assert_int_equal(machine(&f, "migrations", "smt"), 1);
	assert_int_equal(machine(&f, "migrations", "llc"), 1);
	assert_int_equal(machine(&f, "migrations", "node"), 0);
	assert_int_equal(machine(&f, "migrations", "remote"), 2);
	assert_int_equal(group(&f, 1, "migrations", "total"), 4);
	end(&f);
}

static void offline_time_is_nobodys(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 500, 0, TRACE_CPU_ONLINE, 0, 0, 3);
	feed(&f, 3000, 0, TRACE_CPU_ONLINE, 0, 1, 3);
	feed(&f, 9000, 0, TRACE_CPU_ONLINE, 0, 0, 2);
	finish(&f);
	assert_int_equal(machine(&f, "cpu_time_ns", NULL), 4 * (END - START) - 2000 - 2000);
	end(&f);
}

static void scheduler_ops_and_attachment(void **state)
{
	struct json_object *op;
	struct fixture f;

	begin(&f);
	feed(&f, 500, 0, TRACE_SCHED_ATTACH, 0, 0, 0);
	feed(&f, 2000, 0, TRACE_OP, 0, 1, 30);
	feed(&f, 2000, 0, TRACE_OP, 0, 1, 40);
	feed(&f, 2000, 0, TRACE_OP, 0, 5000, 40);
	feed(&f, 4000, 0, TRACE_SCHED_DETACH, 0, 1024, 0);
	finish(&f);
	assert_int_equal(machine(&f, "attached_ns", NULL), 3000);
	assert_true(json_object_object_get_ex(f.machine, "scheduler_ops", &op));
	assert_int_equal(json_object_object_length(op), 1);
	assert_int_equal(value(op, "enqueue", "calls"), 2);
	assert_int_equal(value(op, "enqueue", "time_ns"), 70);
	end(&f);
}

/* --- the hash ----------------------------------------------------------------------- */

static u64 hash_of(u64 last_a)
{
	struct fixture f;
	u64 hash;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 2000, 1, TRACE_WAKEUP, 7, 0, last_a);
	hash = metrics_trace_hash(f.m);
	metrics_free(f.m);
	return hash;
}

static void hash(void **state)
{
	assert_int_equal(hash_of(1), hash_of(1));
	assert_int_not_equal(hash_of(1), hash_of(2));
	/* the format of a record and of the hash is the same on every host, for ever */
	assert_int_equal(hash_of(1), 0x81e3f5479be2c653);
}

/* Text between records is hashed, but is no record. */
static void text_is_skipped(void **state)
{
	struct trace_record text;
	struct fixture f;
	u64 before;

	begin(&f);
	feed(&f, 2000, 0, TRACE_PRINTK, 0, 40, 0);
	before = metrics_trace_hash(f.m);
	memset(&text, 0xff, sizeof(text));
	text.type = TRACE_SWITCH;
	text.cpu = 0;
	text.pid = 7;
	metrics_feed(f.m, &text, 1);
	metrics_feed(f.m, &text, 1);
	assert_int_not_equal(before, metrics_trace_hash(f.m));
	feed(&f, 2000, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	finish(&f);
	assert_int_equal(machine(&f, "context_switches", "total"), 1);
	assert_int_equal(machine(&f, "events", NULL), 2);
	end(&f);
}

/* No machine does that, but a trace may say so: the second one is another task. */
static void exits_for_itself(void **state)
{
	struct fixture f;

	begin(&f);
	feed(&f, 100, 0, TRACE_TASK_NEW, 7, 0, 1);
	feed(&f, 2000, 0, TRACE_SWITCH, 0, 7, TRACE_PREV_IDLE);
	feed(&f, 3000, 0, TRACE_SWITCH, 7, 7, TRACE_PREV_EXITED);
	feed(&f, 3500, 0, TRACE_SWITCH, 7, 0, TRACE_PREV_SLEEPING);
	finish(&f);
	assert_int_equal(group(&f, 0, "runtime_ns", NULL), 1000);
	assert_int_equal(group(&f, 2, "runtime_ns", NULL), 500);
	assert_int_equal(machine(&f, "busy_ns", NULL), 1500);
	end(&f);
}

#define MANY_TASKS 2000

/* Each wakes the third after it, and goes to sleep: on four CPUs in turn. */
static struct trace_record record_of_many(u32 i)
{
	u32 turn = i / 2, pid = 1 + turn % MANY_TASKS;
	struct trace_record rec = { .time = 500 + i, .cpu = turn % 4, .type = TRACE_WAKEUP };

	if (i % 2 == 0) {
		rec.pid = 1 + (turn + 3) % MANY_TASKS;
		return rec;
	}
	rec.type = TRACE_SWITCH;
	rec.pid = pid;
	rec.a = 1 + (turn + 4) % MANY_TASKS;
	rec.b = turn % 8 ? TRACE_PREV_SLEEPING : TRACE_PREV_PREEMPTED;
	return rec;
}

static void feed_many(struct fixture *f, u32 batch)
{
	struct trace_record recs[TRACE_BATCH_MAX];

	begin(f);
	for (u32 i = 0; i < 4 * MANY_TASKS; i++) {
		recs[i % batch] = record_of_many(i);
		if (i % batch == batch - 1)
			metrics_feed(f->m, recs, batch);
	}
	finish(f);
}

static void batches_do_not_show(void **state)
{
	struct fixture one, many;

	feed_many(&one, 1);
	feed_many(&many, 250);
	assert_int_equal(metrics_trace_hash(one.m), metrics_trace_hash(many.m));
	assert_true(json_object_equal(one.machine, many.machine));
	assert_true(json_object_equal(one.groups, many.groups));
	assert_int_equal(group(&many, 2, "tasks", NULL), MANY_TASKS);
	end(&one);
	end(&many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wakeup_to_run),
		cmocka_unit_test(preemption_is_no_wakeup),
		cmocka_unit_test(wakeup_of_a_running_task),
		cmocka_unit_test(starvation_shows),
		cmocka_unit_test(only_the_window_counts),
		cmocka_unit_test(unknown_tasks_are_the_systems),
		cmocka_unit_test(jain),
		cmocka_unit_test(jain_goes_by_weight),
		cmocka_unit_test(lag_of_two_on_one_cpu),
		cmocka_unit_test(ideal_shares),
		cmocka_unit_test(rt_tasks_do_not_share),
		cmocka_unit_test(migrations_by_distance),
		cmocka_unit_test(offline_time_is_nobodys),
		cmocka_unit_test(scheduler_ops_and_attachment),
		cmocka_unit_test(hash),
		cmocka_unit_test(text_is_skipped),
		cmocka_unit_test(exits_for_itself),
		cmocka_unit_test(batches_do_not_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
