// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs at the scheduler's tracepoints: what they are told is what the event
 * stream says, in the same order on every CPU; and they disturb nothing but time.
 */
#include "test_sched_trace.h"

/* --- the events ------------------------------------------------------------------- */

enum { SWITCH, WAKEUP, WAKEUP_NEW, MIGRATE, FORK, EXIT, WAKING, NR_KINDS };

#define TRACEPOINTS TRACE_PREAMBLE                                                                 \
	"enum { SWITCH, WAKEUP, WAKEUP_NEW, MIGRATE, FORK, EXIT, WAKING };\n"                      \
	"u64 selves;\n"                                                                            \
	"SEC(\"tp_btf/sched_switch\")\n"                                                           \
	"int BPF_PROG(on_switch, bool preempt, struct task_struct *prev,\n"                        \
	"	      struct task_struct *next, unsigned int prev_state)\n"                        \
	"{\n"                                                                                      \
	"	struct seen *e = note(SWITCH, prev->pid, next->pid, prev_state);\n"               \
	"	e->more = preempt;\n"                                                              \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\"tp_btf/sched_wakeup\")\n"                                                           \
	"int BPF_PROG(on_wakeup, struct task_struct *p)\n"                                         \
	"{\n"                                                                                      \
	/* it was about to sleep: no record of the stream */                                       \
	"	if (p == bpf_get_current_task_btf()) { selves++; return 0; }\n"                    \
	"	note(WAKEUP, p->pid, p->cpu, p->__state);\n"                                       \
	"	return 0;\n"                                                                       \
	"}\n"                                                                                      \
	"SEC(\"tp_btf/sched_wakeup_new\")\n"                                                       \
	"int BPF_PROG(on_wakeup_new, struct task_struct *p)\n"                                     \
	"{ note(WAKEUP_NEW, p->pid, p->cpu, 0); return 0; }\n"                                     \
	"SEC(\"tp_btf/sched_migrate_task\")\n"                                                     \
	"int BPF_PROG(on_migrate, struct task_struct *p, int dest)\n"                              \
	"{ note(MIGRATE, p->pid, p->cpu, dest); return 0; }\n"                                     \
	"SEC(\"tp_btf/sched_process_fork\")\n"                                                     \
	"int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)\n"           \
	"{ note(FORK, child->pid, parent->pid, 0); return 0; }\n"                                  \
	"SEC(\"tp_btf/sched_process_exit\")\n"                                                     \
	"int BPF_PROG(on_exit, struct task_struct *p)\n"                                           \
	"{ note(EXIT, p->pid, 0, p->flags & 4); return 0; }\n"

static const u16 record_types[NR_KINDS] = {
	[SWITCH] = TRACE_SWITCH, [WAKEUP] = TRACE_WAKEUP,  [WAKEUP_NEW] = TRACE_WAKEUP_NEW,
	[MIGRATE] = TRACE_MIGRATE, [FORK] = TRACE_TASK_NEW, [EXIT] = TRACE_TASK_EXIT,
};

/* The state that Linux shows, from what the stream says about why it was switched out. */
static void check_switch(const struct seen *e, const struct trace_record *r)
{
	assert_int_equal(e->a, r->pid);
	assert_int_equal(e->b, r->a);
	assert_int_equal(e->pid, r->pid);
	switch (r->b) {
	case TRACE_PREV_SLEEPING:
		assert_true(e->c & (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE));
		assert_false(e->more);
		break;
	case TRACE_PREV_EXITED:
		assert_int_equal(e->c, TASK_DEAD);
		break;
	case TRACE_PREV_IDLE:
		assert_int_equal(e->c, TASK_RUNNING);
		assert_false(e->more);
		break;
	case TRACE_PREV_YIELDED:
		assert_int_equal(e->c, TASK_RUNNING);
		break;
	case TRACE_PREV_PREEMPTED:
		assert_true(e->more || e->c == TASK_RUNNING);
		break;
	}
}

static bool near_in_time(const struct seen *e, const struct trace_record *r)
{
	return e->time + US > r->time && e->time < r->time + US;
}

static void check_event(const struct seen *e, const struct trace_record *r)
{
	switch (e->kind) {
	case SWITCH:
		check_switch(e, r);
		break;
	case WAKEUP:
		assert_int_equal(e->a, r->pid);
		assert_int_equal(e->b, r->a);
		assert_int_equal(e->c, TASK_RUNNING);
		assert_int_equal(e->pid, r->b);
		break;
	case WAKEUP_NEW:
		assert_int_equal(e->a, r->pid);
		assert_int_equal(e->b, r->a);
		break;
	case MIGRATE:
		assert_int_equal(e->a, r->pid);
		assert_int_equal(e->b, r->a);
		assert_int_equal(e->c, r->b);
		break;
	case FORK:
		assert_int_equal(e->a, r->pid);
		assert_int_equal(e->b, r->b);
		break;
	case EXIT:
		assert_int_equal(e->a, r->pid);
		assert_int_equal(e->pid, r->pid);
		assert_int_equal(e->c, PF_EXITING);
		break;
	}
	assert_true(near_in_time(e, r));
}

static u32 next_event(const struct seen *events, u32 nr, u32 i, u32 kind, u32 cpu)
{
	while (i < nr && (events[i].kind != kind || events[i].cpu != cpu))
		i++;
	return i;
}

/*
 * The events of one kind on one CPU, beside the records: one by one. At either
 * end one of the two may be missing, when the CPU was between them.
 */
static u32 compare(struct loader *l, u32 kind, u32 cpu)
{
	const struct seen *events = events_of(l);
	u32 nr = nr_events(l), i = next_event(events, nr, 0, kind, cpu), n = 0;

	for (u32 r = 0; r < nr_records; r++) {
		if (records[r].type != record_types[kind] || records[r].cpu != cpu)
			continue;
		if (!n && i < nr && !near_in_time(&events[i], &records[r]) &&
		    records[r].time < events[i].time)
			continue;
		if (i == nr)
			return n;
		check_event(&events[i], &records[r]);
		i = next_event(events, nr, i + 1, kind, cpu);
		n++;
	}
	if (i < nr)
		assert_int_equal(next_event(events, nr, i + 1, kind, cpu), nr);
	return n;
}

static void test_events(void **state)
{
	static const u32 at_least[NR_KINDS] = {
		[SWITCH] = 2000, [WAKEUP] = 1000, [WAKEUP_NEW] = 30,
		[MIGRATE] = 100, [FORK] = 30, [EXIT] = 30,
	};
	struct workload *w;
	struct loader *l;

	boot("4x2");
	w = start_workload("stress -f 2 -a 4 -y 2 -s 8");
	l = attach(TRACEPOINTS, NULL);
	record_from_now(l);
	run_for(40 * MS);
	for (u32 kind = 0; kind < WAKING; kind++) {
		u32 n = 0;

		for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
			n += compare(l, kind, cpu);
		if (n < at_least[kind])
			fail_msg("only %u events of kind %u", n, kind);
	}
	recording = false;
	loader_close(l);
	shut_down();
	workload_close(w);
}

/* sched_waking comes first; between it and sched_wakeup nobody else wakes the task. */
static void test_waking(void **state)
{
	const struct seen *events;
	s64 waking[1024] = { 0 };
	struct loader *l;
	u32 pairs = 0;

	boot("4");
	for (u32 i = 0; i < 12; i++)
		start((struct task_params){ 0 }, 100 * US, 300 * US);
	l = attach(TRACE_PREAMBLE
		   "SEC(\"tp_btf/sched_waking\")\n"
		   "int BPF_PROG(on_waking, struct task_struct *p)\n"
		   "{ note(6, p->pid, p->__state, 0); return 0; }\n"
		   "SEC(\"tp_btf/sched_wakeup\")\n"
		   "int BPF_PROG(on_wakeup, struct task_struct *p)\n"
		   "{ note(1, p->pid, p->__state, 0); return 0; }\n", NULL);
	record_from_now(l);
	run_for(50 * MS);
	events = events_of(l);
	for (u32 i = 0; i < nr_events(l); i++) {
		const struct seen *e = &events[i];

		assert_in_range(e->a, 1, 1023);
		if (e->kind == WAKING) {
			assert_int_equal(e->b, TASK_INTERRUPTIBLE);
			assert_int_equal(waking[e->a], 0);
			waking[e->a] = e->time;
		} else {
			assert_int_equal(e->b, TASK_RUNNING);
			assert_true(waking[e->a] || !pairs);
			waking[e->a] = 0;
			pairs++;
		}
	}
	assert_true(pairs > 500);
	recording = false;
	loader_close(l);
	shut_down();
}

/* Raw tracepoints have the same arguments as numbers. */
static void test_raw(void **state)
{
	const struct seen *events;
	struct loader *l;
	u32 nr;

	boot("2");
	start((struct task_params){ 0 }, 1 * MS, 1 * MS);
	l = attach(TRACE_PREAMBLE
		   "SEC(\"raw_tp/sched_switch\")\n"
		   "int raw(struct bpf_raw_tracepoint_args *ctx)\n"
		   "{\n"
		   "	struct task_struct *prev = (void *)ctx->args[1], *next = (void *)ctx->args[2];\n"
		   "	note(0, BPF_CORE_READ(prev, pid), BPF_CORE_READ(next, pid), ctx->args[3])\n"
		   "		->more = ctx->args[0];\n"
		   "	return 0;\n"
		   "}\n", NULL);
	record_from_now(l);
	run_for(50 * MS);
	events = events_of(l);
	nr = 0;
	for (u32 i = 0; i < nr_records; i++) {
		if (records[i].type == TRACE_SWITCH)
			check_switch(&events[nr++], &records[i]);
	}
	assert_int_equal(nr, nr_events(l));
	assert_true(nr >= 48);
	recording = false;
	loader_close(l);
	shut_down();
}

/* --- not disturbing ---------------------------------------------------------------- */

#define COUNT_SWITCHES TRACE_PREAMBLE                                                              \
	"u64 switches;\n"                                                                          \
	"SEC(\"tp_btf/sched_switch\") int on_switch(u64 *ctx)\n"                                   \
	"{ __sync_fetch_and_add(&switches, 1); return 0; }\n"

static u64 hash_of_run(const char *program, s64 *switches)
{
	struct loader *l = NULL;
	struct workload *w;
	u64 hash;

	boot_seeded("4x2", NOISE_LIGHT, 7);
	if (program)
		l = attach(program, NULL);
	w = start_workload("hackbench -g 2 -f 4 -l 50");
	run_for(20 * MS);
	hash = trace_hash;
	if (l) {
		*switches = value(l, "switches");
		loader_close(l);
	}
	shut_down();
	workload_close(w);
	return hash;
}

static void test_same_twice(void **state)
{
	s64 first = 0, second = 0;
	u64 hash = hash_of_run(COUNT_SWITCHES, &first);

	assert_true(hash == hash_of_run(COUNT_SWITCHES, &second));
	assert_int_equal(first, second);
	assert_true(first > 100);
	/* what was attached is gone: it costs nothing any more */
	assert_true(hash_of_run(NULL, NULL) == hash_of_run(NULL, NULL));
	assert_true(hash_of_run(NULL, NULL) != hash);
}

/* Programs cost the CPU time on which they run, in the books of kind BPF. */
static void test_charged(void **state)
{
	struct loader *l;
	u64 bpf = 0, ns;

	boot("1");
	start((struct task_params){ 0 }, 100 * US, 100 * US);
	l = attach(COUNT_SWITCHES, NULL);
	run_for(10 * MS);
	record_from_now(NULL);
	ns = value(l, "switches");
	run_for(100 * MS);
	ns = (value(l, "switches") - ns) * cost_defaults.bpf_entry;
	for (u32 i = 0; i < nr_records; i++) {
		if (records[i].type == TRACE_OVERHEAD && records[i].b == TRACE_OVH_BPF)
			bpf += records[i].a;
	}
	assert_true(ns > 900 * cost_defaults.bpf_entry);
	/* two instructions and an atomic operation on top */
	assert_in_range(bpf, ns, ns * 2);
	recording = false;
	loader_close(l);
	shut_down();
}

/* --- several, and one that comes and goes --------------------------------------------- */

static void test_attach_detach(void **state)
{
	struct loader *l, *other;
	s64 seen;

	boot("2");
	start((struct task_params){ 0 }, 50 * US, 50 * US);
	l = attach(COUNT_SWITCHES, NULL);
	run_for(5 * MS);
	assert_true(value(l, "switches") > 80);
	other = attach(COUNT_SWITCHES, NULL);
	seen = value(l, "switches") - value(other, "switches");
	run_for(5 * MS);
	assert_int_equal(value(l, "switches") - value(other, "switches"), seen);
	/* what is detached sees no more, and the other goes on */
	loader_detach(l);
	seen = value(l, "switches");
	assert_true(seen > 160);
	run_for(5 * MS);
	assert_int_equal(value(l, "switches"), seen);
	assert_true(value(other, "switches") > 160);
	loader_close(l);
	/* left attached: the end of the machine ends it */
	shut_down();
	loader_close(other);
}

/* --- recursion -------------------------------------------------------------------------- */

/* A program that prints whenever something was printed would never end. */
static void test_recursion(void **state)
{
	struct bpf_prog_info info;
	struct loader *l;
	s64 calls;

	boot("2");
	start((struct task_params){ 0 }, 500 * US, 500 * US);
	l = attach(TRACE_PREAMBLE
		   "u64 calls, same;\n"
		   "SEC(\"tp_btf/bpf_trace_printk\")\n"
		   "int BPF_PROG(on_print, const char *text)\n"
		   "{\n"
		   "	char copy[8] = \"\";\n"
		   "	calls++;\n"
		   "	bpf_probe_read_kernel_str(copy, sizeof(copy), text);\n"
		   "	same += !bpf_strncmp(copy, 6, \"hello\");\n"
		   "	bpf_printk(\"again\");\n"
		   "	return 0;\n"
		   "}\n"
		   "SEC(\"tp_btf/sched_switch\")\n"
		   "int on_switch(u64 *ctx) { bpf_printk(\"hello\"); return 0; }\n", NULL);
	run_for(20 * MS);
	calls = value(l, "calls");
	assert_true(calls > 30);
	assert_int_equal(value(l, "same"), calls);
	info = prog_info(l, "on_print");
	assert_int_equal(info.run_cnt, calls);
	assert_int_equal(info.recursion_misses, calls);
	assert_int_equal(prog_info(l, "on_switch").recursion_misses, 0);
	loader_close(l);
	shut_down();
}

/* --- faults ------------------------------------------------------------------------------ */

static char kernel_log[4096];

static void keep_log(u64 time, bool bpf, const char *line)
{
	if (!bpf)
		snprintf(kernel_log + strlen(kernel_log), sizeof(kernel_log) - strlen(kernel_log),
			 "%s\n", line);
}

/* It is stopped at its first mistake, and called no more; everybody else goes on. */
static void test_fault(void **state)
{
	struct kernel_config config = {
		.topology = &topo, .costs = &cost_defaults, .seed = 1, .log = keep_log,
		.unverified = true,
	};
	struct task *job;
	struct loader *l;
	u32 rounds;

	assert_int_equal(topology_parse(&topo, "2", NULL, 0), 0);
	assert_int_equal(kernel_boot(&config), 0);
	job = start((struct task_params){ 0 }, 500 * US, 500 * US);
	l = attach(COUNT_SWITCHES
		   "u64 calls;\n"
		   "struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4);\n"
		   "	__type(key, u32); __type(value, u64); } none SEC(\".maps\");\n"
		   "SEC(\"tp_btf/sched_wakeup\") int faulty(u64 *ctx)\n"
		   "{\n"
		   "	u32 key = 1;\n"
		   "	calls++;\n"
		   "	*(volatile u64 *)bpf_map_lookup_elem(&none, &key) = 1;\n"
		   "	return 0;\n"
		   "}\n", NULL);
	run_for(20 * MS);
	assert_int_equal(value(l, "calls"), 1);
	assert_non_null(strstr(kernel_log, "BPF program \"faulty\" stopped: "));
	assert_non_null(strstr(kernel_log, "through a NULL pointer"));
	assert_null(strstr(strstr(kernel_log, "stopped: ") + 1, "stopped: "));
	assert_true(value(l, "switches") > 30);
	rounds = job_of(job)->rounds;
	run_for(20 * MS);
	assert_true(job_of(job)->rounds >= rounds + 18);
	loader_close(l);
	shut_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),	  cmocka_unit_test(test_waking),
		cmocka_unit_test(test_raw),	  cmocka_unit_test(test_same_twice),
		cmocka_unit_test(test_charged),	  cmocka_unit_test(test_attach_detach),
		cmocka_unit_test(test_recursion), cmocka_unit_test(test_fault),
	};

	return cmocka_run_group_tests_name("trace", tests, periodic_setup, trace_teardown);
}
