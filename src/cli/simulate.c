// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run, from boot to JSON: boot the kernel, attach the scheduler, start the
 * workload, let time pass (doing what --at asks for), detach, check the books.
 *
 * Runs once per process. The kernel's trace and log hooks have no argument, so
 * the session is a static.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/strbuf.h"
#include "../bpf/bpf.h"
#include "../sched/tracepoint.h"
#include "../trace/order.h"
#include "../trace/stream.h"
#include "../workload/workload.h"
#include "json.h"
#include "session.h"

/* How often we look whether the scheduler asks to be started again, and draw progress. */
#define STEP_NS (20 * NSEC_PER_MSEC)

static struct session session;

/* --- hooks ---------------------------------------------------------------------- */

/* Looks at each record as it comes; afterwards many at a time will do. */
static void await_decision(struct session *s, const struct trace_record *rec)
{
	if (trace_text(&s->text_left, rec) || rec->type != TRACE_SWITCH || !rec->a || !s->start)
		return;
	s->first_decision = wall_clock();
	/* but who reads along wants to see what there is */
	if (!s->pipe)
		sched_trace_batch(TRACE_BATCH_MAX);
}

static void on_trace(const struct trace_record *recs, u32 nr)
{
	struct session *s = &session;

	metrics_feed(s->metrics, recs, nr);
	if (unlikely(!s->first_decision))
		await_decision(s, recs);
	for (u32 i = 0; i < nr && s->order; i++)
		order_feed(s->order, &recs[i]);
	for (u32 i = 0; i < nr && s->recorder; i++)
		recorder_feed(s->recorder, &recs[i]);
	for (u32 i = 0; i < nr && s->pipe; i++)
		ftrace_feed(s->pipe, &recs[i], stdout);
}

static void on_log(u64 time, bool bpf, const char *line)
{
	session_log(&session, time, bpf, line);
}

static u32 distance(u32 a, u32 b)
{
	const struct topology *topo = &session.plan->topology;

	return cpu_distance(&topo->cpu[a], &topo->cpu[b]);
}

/* --- during the run ---------------------------------------------------------------- */

static void set_online(struct session *s, const struct timed_action *a)
{
	bool online = a->kind == TIMED_ONLINE;
	char message[128];
	int err = kernel_cpu_set_online(a->cpu, online);

	snprintf(message, sizeof(message), "CPU %u cannot go %s: it is, or it is the last one",
		 a->cpu, online ? "online" : "offline");
	note_action(s, a->text, err ? message : NULL, NULL);
}

/* As the scheduler's own process would do it (BPF_PROG_TEST_RUN). */
static void run_program(struct session *s, const struct timed_action *a)
{
	struct loader_error error = {};
	char text[32];
	int retval;

	if (!s->loader) {
		note_action(s, a->text, "no BPF scheduler is in charge", NULL);
	} else if (loader_run(s->loader, a->value, &retval, &error) != LOADER_OK) {
		note_action(s, a->text, error.message, NULL);
	} else {
		snprintf(text, sizeof(text), "returned %d", retval);
		note_action(s, a->text, NULL, text);
	}
	loader_error_free(&error);
}

static void act(struct session *s, const struct timed_action *a)
{
	switch (a->kind) {
	case TIMED_SWAP:
		detach(s, "swapped", "replaced as asked for");
		swap_scheduler(s, a->value, a->text);
		break;
	case TIMED_OFFLINE:
	case TIMED_ONLINE:
		set_online(s, a);
		break;
	case TIMED_KILL_AGENT:
		note_action(s, a->text, enclave_act(s, ghost_kill_agent), NULL);
		break;
	case TIMED_DESTROY_ENCLAVE:
		note_action(s, a->text, enclave_act(s, ghost_destroy), NULL);
		break;
	case TIMED_PRINT:
		print_map(s, a->value, a->text);
		break;
	case TIMED_RUN:
		run_program(s, a);
		break;
	case TIMED_NICE:
	case TIMED_CPUS:
	case TIMED_CGROUP:
		change_tasks(s, a);
		break;
	}
}

/* Always in the same steps, so that looking does not change what is seen. */
static void run_to(struct session *s, u64 until)
{
	u64 end = s->start + s->plan->options.warmup + s->plan->duration;

	while (kernel_now() < until) {
		u64 now = kernel_now(), next = now - (now - s->start) % STEP_NS + STEP_NS;
		u64 watch = watch_next(s);

		next = min(next, until);
		kernel_run_until(min(next, watch));
		progress_update(kernel_now() - s->start, end - s->start);
		if (watch <= next)
			watch_print(s);
		if (next <= watch)
			restart_if_asked(s);
	}
}

static void run_workload(struct session *s)
{
	const struct run_plan *plan = s->plan;
	u64 wall = wall_clock(), cpu = processor_clock(), end;

	end = s->start + plan->options.warmup + plan->duration;
	metrics_window(s->metrics, s->start + plan->options.warmup, end);
	if (s->order)
		order_window(s->order, s->start + plan->options.warmup, end);
	watch_start(s);
	for (u32 i = 0; i < plan->nr_actions; i++) {
		run_to(s, s->start + plan->actions[i].at);
		act(s, &plan->actions[i]);
	}
	run_to(s, end);
	s->wall_ns = wall_clock() - wall;
	s->cpu_ns = processor_clock() - cpu;
	progress_clear();
}

/* --- results ------------------------------------------------------------------------ */

static void add_books(struct session *s, struct json_object *books, const char *when)
{
	char *text = xcalloc(1, 1U << 16), *rest = text, *line;

	if (kernel_check_books(text, 1U << 16)) {
		while ((line = strsep(&rest, "\n"))) {
			struct strbuf sb = {};

			if (!*line)
				continue;
			strbuf_printf(&sb, "%s: %s", when, line);
			json_object_array_add(books, json_text(strbuf_str(&sb)));
			strbuf_free(&sb);
		}
	}
	free(text);
}

static void add_figures(struct session *s)
{
	struct json_object *figures = json_object_new_array();
	const char *line;

	for (u32 i = 0; (line = workload_figure(s->plan->workload, i)); i++)
		json_object_array_add(figures, json_text(line));
	json_object_object_add(s->run, "figures", figures);
}

/* Wall-clock figures: they differ from one run to the next. */
static void add_host(struct session *s, u64 switches)
{
	struct json_object *host = json_object_new_object();
	u64 simulated = s->plan->options.warmup + s->plan->duration;

	add_rate(host, "wall_seconds", s->wall_ns, NSEC_PER_SEC, NSEC_PER_SEC);
	add_rate(host, "sim_seconds_per_wall_second", simulated, NSEC_PER_SEC, s->wall_ns);
	add_rate(host, "context_switches_per_wall_second", switches, 1, s->wall_ns);
	add_rate(host, "bpf_insns_per_wall_second", bpf_insns_executed(), 1, s->wall_ns);
	add_rate(host, "cpu_seconds", s->cpu_ns, NSEC_PER_SEC, NSEC_PER_SEC);
	add_rate(host, "context_switches_per_cpu_second", switches, 1, s->cpu_ns);
	json_add_u64(host, "peak_memory_bytes", peak_memory());
	json_add_u64(host, "first_decision_ns", s->first_decision);
	json_object_object_add(s->run, "host", host);
}

static void add_trace_hash(struct session *s)
{
	char hex[17];

	snprintf(hex, sizeof(hex), "%016llx", metrics_trace_hash(s->metrics));
	json_add_string(s->run, "trace_hash", hex);
}

/* On top of what was known of the workload before it ran. */
static void add_unmodelled(struct session *s)
{
	const char *sentence;

	for (u32 i = 0; (sentence = kernel_unmodelled(i)); i++)
		run_add_unmodelled(s->run, sentence);
	run_add_workload_unmodelled(s->run, s->plan->workload);
}

static void add_results(struct session *s)
{
	struct json_object *hashes = json_at(s->run, "hashes");
	struct json_object *first = json_object_array_get_idx(s->attachments, 0);

	json_object_object_add(hashes, "object", json_object_get(json_at(first, "object")));
	json_object_object_add(s->run, "ops", json_object_get(json_at(first, "ops")));
	json_object_object_add(s->run, "metrics", metrics_machine_json(s->metrics));
	json_object_object_add(s->run, "groups", metrics_groups_json(s->metrics));
	json_object_object_add(s->run, "order", s->order ? order_json(s->order) : NULL);
	add_unmodelled(s);
	add_figures(s);
	add_trace_hash(s);
}

/* --- the stages ----------------------------------------------------------------------- */

static void session_init(struct session *s, const struct run_plan *plan, const char *scheduler)
{
	u32 nr_groups = workload_nr_groups(plan->workload);
	struct metrics_config config = {
		.nr_cpus = plan->topology.nr_cpus,
		.nr_groups = nr_groups,
		.start = ~0ULL,
		.distance = distance,
	};

	s->plan = plan;
	s->generation = run_kernel(plan, scheduler)->generation;
	scheduler_label(plan->pipe ? "trace" : scheduler, s->label, sizeof(s->label));
	s->run = run_new(plan, scheduler);
	s->log = json_object_new_array();
	s->warnings = json_object_new_array();
	s->timeline = json_object_new_array();
	s->attachments = json_object_new_array();
	s->with = json_object_new_array();
	s->group_names = xcalloc(nr_groups + 1, sizeof(*s->group_names));
	for (u32 i = 0; i < nr_groups; i++)
		s->group_names[i] = workload_group_name(plan->workload, i);
	config.group_names = s->group_names;
	s->metrics = metrics_new(&config);
	if (plan->topology.nr_cpus == 1)
		s->order = order_new(nr_groups);
	if (plan->pipe) {
		s->pipe = ftrace_new(plan->topology.nr_cpus, true);
		/* lines as they come, for whoever reads them */
		setvbuf(stdout, NULL, _IOLBF, 0);
	}
}

/* What every run says, however it went; frees the session. */
static struct json_object *session_finish(struct session *s)
{
	struct json_object *run = s->run;

	json_object_object_add(run, "attachments", s->attachments);
	json_object_object_add(run, "with", s->with);
	json_object_object_add(run, "timeline", s->timeline);
	json_object_object_add(run, "warnings", s->warnings);
	json_object_object_add(run, "log", s->log);
	json_add_u64(run, "log_dropped", s->log_dropped);
	if (s->end)
		json_object_object_add(run, "end", s->end);
	metrics_free(s->metrics);
	order_free(s->order);
	free(s->group_names);
	free(s->beside);
	free(s->watch_due);
	if (s->pipe)
		ftrace_free(s->pipe);
	return run;
}

static bool open_trace(struct session *s, const char *scheduler)
{
	char err[512], *name;

	if (!s->plan->options.trace)
		return true;
	name = file_of_run(s->plan, s->plan->options.trace, scheduler, "");
	s->recorder = recorder_open(name, s->plan->topology.nr_cpus, err, sizeof(err));
	free(name);
	if (!s->recorder)
		run_set_failure(s->run, "not_loaded", "no trace file", err, NULL);
	return s->recorder;
}

static void close_trace(struct session *s)
{
	char err[512];

	if (recorder_close(s->recorder, err, sizeof(err)))
		note_action(s, "--trace", err, NULL);
	s->recorder = NULL;
}

static bool attach_first(struct session *s, const char *scheduler)
{
	struct loader_error error = {};
	enum loader_status status = attach(s, scheduler, &error);

	if (status != LOADER_OK)
		session_fail(s, &error);
	loader_error_free(&error);
	return status == LOADER_OK;
}

/* False: there will be no run, and "end" says why. */
static bool start(struct session *s)
{
	bool ok = watch_check(s);

	/* making the tasks takes time, too, and is not measured */
	if (ok && workload_start(s->plan->workload, 0)) {
		run_set_failure(s->run, "not_loaded", "the workload does not start",
				workload_error(s->plan->workload), NULL);
		ok = false;
	}
	s->start = kernel_now();
	if (ok)
		return true;
	detach(s, "done", "there was no run");
	json_object_put(s->end);
	s->end = NULL;
	return false;
}

static void run_and_finish(struct session *s)
{
	struct json_object *books = json_object_new_array();
	u64 switches = kernel_context_switches();

	run_workload(s);
	switches = kernel_context_switches() - switches;
	metrics_finish(s->metrics, kernel_now());
	add_books(s, books, "at the end");
	json_object_object_add(s->run, "cgroups", cgroups_json(s));
	detach(s, "done", "time is up");
	beside_detach(s);
	add_books(s, books, "after detaching");
	add_results(s);
	json_object_object_add(s->run, "books", books);
	if (s->plan->options.host_stats)
		add_host(s, switches);
}

/* False: there is no generation of Linux that this run could be of. */
static bool has_kernel(struct session *s, const char *scheduler)
{
	const struct loader_error *error = &run_kernel(s->plan, scheduler)->error;

	if (error->status != LOADER_OK)
		run_set_failure(s->run, "not_loaded", "no kernel fits", error->message, NULL);
	return error->status == LOADER_OK;
}

struct json_object *simulate(const struct run_plan *plan, const char *scheduler)
{
	struct session *s = &session;
	struct kernel_config config = {
		.topology = &plan->topology,
		.costs = &plan->costs,
		.seed = plan->options.seed,
		.noise = plan->options.noise,
		.log = on_log,
		.contexts_at_run = plan->options.contexts,
		.interpreted = plan->options.interp,
		.generation = run_kernel(plan, scheduler)->generation,
	};
	char message[128];
	int err;

	session_init(s, plan, scheduler);
	if (!has_kernel(s, scheduler) || !open_trace(s, scheduler))
		return session_finish(s);
	progress_start(s->label, !plan->options.quiet && !plan->options.verbose && !plan->pipe);
	sched_trace = on_trace;
	err = kernel_boot(&config);
	if (err) {
		snprintf(message, sizeof(message), "the simulated kernel did not boot: %s",
			 strerror(-err));
		run_set_failure(s->run, "crashed", "no boot", message, NULL);
	} else {
		if (cgroups_make(s) && beside_attach(s) && attach_first(s, scheduler) && start(s))
			run_and_finish(s);
		beside_detach(s);
		close_trace(s);
		kernel_shutdown();
	}
	return session_finish(s);
}
