// SPDX-License-Identifier: GPL-2.0-only
/*
 * A run in a guest, seen from outside: what is sent, what comes back, and the
 * document made of it. The records arrive in no order; sorted by time they are
 * an event stream like the simulated kernel's.
 *
 * Under emulation a guest's CPUs are slow, and not equally so: figures that are
 * times of waiting mean nothing and are left out. Orders and counts stay.
 */
#include "guest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/file.h"
#include "../base/strbuf.h"
#include "../trace/metrics.h"
#include "../trace/order.h"
#include "../trace/recorder.h"
#include "../vm/channel.h"
#include "../vm/kernels.h"
#include "../vm/run.h"
#include "../vm/vm.h"
#include "../workload/workload.h"
#include "json.h"
#include "places.h"

#define BUILD_PLACE "/src/vm/guest/vrt-agent"
#define INSTALLED_PLACE "/../libexec/vruntime/vrt-agent"
#define WORKLOAD_NAME "workload.json"
#define OBJECT_NAME "scheduler.bpf.o"
/* Beyond the run's own time: start, end, sending. Emulation is slow. */
#define PATIENCE_S 120
#define MAX_PATIENCE_S 86400

struct records {
	struct trace_record *rec;
	size_t nr, room;
};

struct guest_run {
	const struct run_plan *plan;
	const char *scheduler; /* one of its */
	struct vm *vm;
	struct json_object *run, *warnings, *log, *end;
	struct records records;
	const char **group_names;
	char label[64];
};

/* --- the guest ---------------------------------------------------------------------- */

char *guest_agent_path(void)
{
	const char *told = getenv("VRT_AGENT");

	return told && *told ? xstrdup(told) : shipped_path(BUILD_PLACE, INSTALLED_PLACE);
}

u32 guest_patience_ms(void)
{
	const char *told = getenv("VRT_GUEST_TIMEOUT");
	char *end = NULL;
	unsigned long seconds = told ? strtoul(told, &end, 10) : 0;

	return told && *told && !*end && seconds && seconds <= MAX_PATIENCE_S
		       ? (u32)seconds * 1000
		       : PATIENCE_S * 1000;
}

struct vm *guest_boot(const struct run_plan *plan, const char *kernel, char *err, size_t err_size)
{
	const struct topology *topo = &plan->topology;
	char *path = kernel_find(kernel, err, err_size), *agent;
	struct vm_config config = {
		.kernel = path, .cpus = topo->nr_cpus, .boot_timeout_ms = guest_patience_ms(),
		.counted = plan->counted,
	};
	struct vm *vm;

	if (!path)
		return NULL;
	/* what -smp can say: all LLCs alike, as packages */
	if (topo->nr_cpus == topo->nr_llcs * (topo->nr_cores / topo->nr_llcs) *
				     (topo->nr_cpus / topo->nr_cores)) {
		config.sockets = topo->nr_llcs;
		config.threads = topo->nr_cpus / topo->nr_cores;
	}
	agent = guest_agent_path();
	config.agent = agent;
	vm = vm_boot(&config, err, err_size);
	if (vm && guest_send_module(vm, path)) {
		vrt_error(err, err_size, -EIO, "the module schedbpf could not be sent to the guest");
		vm_shutdown(vm);
		vm = NULL;
	}
	free(agent);
	free(path);
	return vm;
}

struct vm *guest_this_host(char *err, size_t err_size)
{
	char *agent = guest_agent_path();
	struct vm_config config = { .agent = agent };
	struct vm *vm = vm_this_host(&config, err, err_size);

	free(agent);
	return vm;
}

int guest_check_plan(const struct run_plan *plan, const struct run_target *target, char *err,
		     size_t err_size)
{
	const struct run_options *o = &plan->options;
	bool host = target->place == RUN_ON_HOST;
	bool module = target->kernel && !strcmp(target->kernel, KERNEL_WITH_MODULE);
	const char *what = plan->nr_watches ? "--watch" :
			   o->enclave	    ? "--enclave" :
			   o->costs	    ? "--costs" :
					      NULL;

	if (what)
		return vrt_error(err, err_size, -EINVAL,
				 "%s: only the simulated machine can do that yet (--on sim)", what);
	if (host && plan->nr_cgroups)
		return vrt_error(err, err_size, -EINVAL,
				 "--cgroup: the groups of this host stay as they are; choose --on "
				 "sim or vm");
	if (plan->nr_with && !module)
		return vrt_error(err, err_size, -EINVAL,
				 "--with: only the simulated machine can do that yet (--on sim), and, "
				 "for periodic programs, a guest with the module schedbpf (--on "
				 "vm:schedbpf)");
	if (guest_check_actions(plan, host, err, err_size))
		return -EINVAL;
	if (host && strcmp(plan->topology.spec, "host"))
		return vrt_error(err, err_size, -EINVAL,
				 "--on host: the machine is this one; give --machine host, so that "
				 "others are like it");
	if (!host && plan->topology.nr_cpus > VM_MAX_CPUS)
		return vrt_error(err, err_size, -EINVAL,
				 "--machine: a guest has at most %u CPUs, not %u", VM_MAX_CPUS,
				 plan->topology.nr_cpus);
	return 0;
}

/* --- what is sent -------------------------------------------------------------------------- */

static void on_warning(const char *line, void *arg)
{
	struct guest_run *g = arg;

	json_object_array_add(g->warnings, json_text(line));
	if (!g->plan->options.quiet)
		fprintf(stderr, "%s: %s\n", g->label, line);
}

int guest_send_file(struct vm *vm, const char *name, const struct strbuf *content)
{
	struct strbuf body = {};
	int err;

	strbuf_add(&body, name, strlen(name) + 1);
	strbuf_add(&body, content->data, content->len);
	err = channel_send(vm_channel(vm), CHANNEL_FILE, body.data, body.len);
	strbuf_free(&body);
	return err;
}

static void fail_load(struct guest_run *g, const struct loader_error *error)
{
	run_set_failure(g->run, "not_loaded", "no BPF object", error->message, error->log);
}

/* False: "end" says why not. */
static bool send_object(struct guest_run *g, const char *scheduler)
{
	struct loader_options opts = {
		.include_dirs = g->plan->options.include_dirs.items,
		.nr_include_dirs = g->plan->options.include_dirs.nr,
	};
	char *file = scheduler_file(scheduler);
	struct loader_error error = { .status = LOADER_ERR_USAGE };
	struct strbuf object = {};

	snprintf(error.message, sizeof(error.message),
		 "'%s' is no file, no class (eevdf) and no policy that ships", scheduler);
	if (file)
		error.status = loader_read_object(file, &opts, on_warning, g, &object, &error);
	free(file);
	if (error.status != LOADER_OK)
		fail_load(g, &error);
	else
		guest_send_file(g->vm, OBJECT_NAME, &object);
	strbuf_free(&object);
	loader_error_free(&error);
	return !json_at(g->run, "end");
}

static bool send_beside(struct guest_run *g)
{
	struct loader_error error = {};

	if (guest_send_beside(g->plan, g->vm, on_warning, g, &error) != LOADER_OK) {
		fail_load(g, &error);
		loader_error_free(&error);
	}
	return !json_at(g->run, "end");
}

/* A file goes as a file, a generator by its words. */
static void send_workload(struct guest_run *g)
{
	const char *file = workload_file(g->plan->options.workload);
	struct strbuf text = {};

	/* it was read before: the plan has the workload */
	if (file && file_is_regular(file) && !file_read(file, WORKLOAD_MAX_FILE, &text))
		guest_send_file(g->vm, WORKLOAD_NAME, &text);
	strbuf_free(&text);
}

void guest_add_list(struct json_object *settings, const char *key, const struct text_list *list)
{
	struct json_object *array = json_object_new_array();

	for (u32 i = 0; i < list->nr; i++)
		json_object_array_add(array, json_object_new_string(list->items[i]));
	json_object_object_add(settings, key, array);
}

static int send_run(const struct guest_run *g)
{
	const struct run_options *o = &g->plan->options;
	struct json_object *settings = json_object_new_object();
	struct text_list set;
	char *copy;
	int err;

	if (!scheduler_is_class(g->scheduler))
		json_add_string(settings, RUN_KEY_OBJECT, OBJECT_NAME);
	scheduler_settings(g->plan, g->scheduler, &set, &copy);
	guest_add_list(settings, RUN_KEY_SET, &set);
	free(copy);
	guest_add_list(settings, RUN_KEY_INIT_PROGS, &o->init_progs);
	guest_add_list(settings, RUN_KEY_PRINT, &o->print);
	if (o->ops)
		json_add_string(settings, RUN_KEY_OPS, o->ops);
	guest_send_actions(g->plan, settings);
	guest_add_beside(g->plan, settings);
	json_add_string(settings, RUN_KEY_WORKLOAD,
			workload_file(o->workload) ? WORKLOAD_NAME : o->workload);
	json_add_u64(settings, RUN_KEY_WARMUP, o->warmup);
	json_add_u64(settings, RUN_KEY_DURATION, g->plan->duration);
	json_add_u64(settings, RUN_KEY_SEED, o->seed);
	err = channel_send_text(vm_channel(g->vm), CHANNEL_RUN,
				json_object_to_json_string(settings));
	json_object_put(settings);
	return err;
}

/* --- what comes back --------------------------------------------------------------------------- */

static void add_records(struct records *r, const struct strbuf *body)
{
	size_t nr = body->len / sizeof(*r->rec);

	if (r->nr + nr > r->room) {
		r->room = max(2 * r->room, r->nr + nr);
		r->rec = xreallocarray(r->rec, r->room, sizeof(*r->rec));
	}
	memcpy(r->rec + r->nr, body->data, nr * sizeof(*r->rec));
	r->nr += nr;
}

static void add_log(struct guest_run *g, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		struct json_object *entry;

		if (!*line)
			continue;
		if (g->plan->options.verbose)
			fprintf(stderr, "%s: %s\n", g->label, line);
		entry = json_object_new_object();
		json_add_u64(entry, "time_ns", 0);
		json_add_string(entry, "source", "kernel");
		json_object_object_add(entry, "line", json_text(line));
		json_object_array_add(g->log, entry);
	}
}

static void fail(struct guest_run *g, const char *why)
{
	struct strbuf text = {};

	strbuf_printf(&text, "%s", why);
	run_set_failure(g->run, "not_loaded", "no run in the guest", strbuf_str(&text), NULL);
	strbuf_free(&text);
}

static void fail_channel(struct guest_run *g, int err)
{
	struct strbuf text = {};

	if (err == -ETIMEDOUT)
		strbuf_printf(&text, "the guest has said nothing for %u s", guest_patience_ms() / 1000);
	else
		strbuf_puts(&text, "the guest has ended");
	strbuf_printf(&text, "; %s", vm_last_words(g->vm));
	run_set_failure(g->run, "error", GUEST_LOST, strbuf_str(&text), NULL);
	strbuf_free(&text);
}

/* True when END has come. */
static bool receive(struct guest_run *g)
{
	u64 wait = (g->plan->options.warmup + g->plan->duration) / NSEC_PER_MSEC + guest_patience_ms();
	struct strbuf body = {};
	enum channel_type type;
	int err;

	while (!(err = channel_receive(vm_channel(g->vm), (int)min(wait, (u64)INT_MAX), &type,
				       &body))) {
		if (type == CHANNEL_RECORDS)
			add_records(&g->records, &body);
		else if (type == CHANNEL_LOG)
			add_log(g, body.data);
		else if (type == CHANNEL_END || type == CHANNEL_ERROR)
			break;
	}
	if (err)
		fail_channel(g, err);
	else if (type == CHANNEL_ERROR)
		fail(g, strbuf_str(&body));
	else
		g->end = json_tokener_parse(strbuf_str(&body));
	strbuf_free(&body);
	return g->end;
}

/* --- the document ------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct trace_record *x = *(const struct trace_record *const *)a;
	const struct trace_record *y = *(const struct trace_record *const *)b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void feed_all(struct guest_run *g, struct metrics *m, struct order *o,
		     struct recorder *recorder)
{
	struct records *r = &g->records;
	const struct trace_record **order = xcalloc(r->nr + 1, sizeof(*order));

	for (size_t i = 0; i < r->nr; i++)
		order[i] = &r->rec[i];
	qsort(order, r->nr, sizeof(*order), by_time);
	for (size_t i = 0; i < r->nr; i++) {
		metrics_feed(m, order[i], 1);
		if (o)
			order_feed(o, order[i]);
		if (recorder)
			recorder_feed(recorder, order[i]);
	}
	free(order);
}

/* What only a real CPU's time makes meaningful. */
static void drop_times(struct json_object *obj)
{
	static const char *const names[] = {
		"wakeup_latency", "run_delay", "request_latency", "benchmark_wakeup", "lag",
		"utilization_ppm", "ops_per_second_milli",
	};
	struct json_object *ops = json_at(obj, "scheduler_ops");

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		json_object_object_del(obj, names[i]);
	if (!ops)
		return;
	json_object_object_foreach(ops, name, op) {
		(void)name;
		json_object_object_del(op, "time_ns");
	}
}

static const struct topology *measured;

static u32 distance(u32 a, u32 b)
{
	return a < measured->nr_cpus && b < measured->nr_cpus
		       ? cpu_distance(&measured->cpu[a], &measured->cpu[b])
		       : 0;
}

static struct recorder *open_trace(struct guest_run *g)
{
	struct recorder *recorder;
	char err[512], on[160], *name;
	u32 nr_guests = 0;

	if (!g->plan->options.trace)
		return NULL;
	for (u32 i = 0; i < g->plan->nr_targets; i++)
		nr_guests += g->plan->targets[i].place == RUN_ON_VM;
	/* several guests are told apart by their kernels */
	if (vm_accel(g->vm) == VM_ACCEL_NONE)
		snprintf(on, sizeof(on), "host");
	else
		snprintf(on, sizeof(on), nr_guests > 1 ? "vm-%s" : "vm", vm_release(g->vm));
	name = file_of_run(g->plan, g->plan->options.trace, g->scheduler, on);
	recorder = recorder_open(name, g->plan->topology.nr_cpus, err, sizeof(err));
	free(name);
	if (!recorder)
		on_warning(err, g);
	return recorder;
}

static void add_metrics(struct guest_run *g)
{
	u32 nr_groups = workload_nr_groups(g->plan->workload);
	struct metrics_config config = {
		.nr_cpus = g->plan->topology.nr_cpus, .nr_groups = nr_groups, .start = ~0ULL,
		.distance = distance,
	};
	struct recorder *recorder = open_trace(g);
	struct json_object *machine, *groups;
	struct order *order = NULL;
	struct metrics *m;
	char err[512];
	u64 start, end;

	measured = &g->plan->topology;
	g->group_names = xcalloc(nr_groups + 1, sizeof(*g->group_names));
	for (u32 i = 0; i < nr_groups; i++)
		g->group_names[i] = workload_group_name(g->plan->workload, i);
	config.group_names = g->group_names;
	json_u64_at(g->end, "start_ns", &start);
	json_u64_at(g->end, "end_ns", &end);
	m = metrics_new(&config);
	metrics_window(m, start + g->plan->options.warmup, end);
	if (config.nr_cpus == 1) {
		order = order_new(nr_groups);
		order_window(order, start + g->plan->options.warmup, end);
	}
	feed_all(g, m, order, recorder);
	json_object_object_add(g->run, "order", order ? order_json(order) : NULL);
	order_free(order);
	if (recorder && recorder_close(recorder, err, sizeof(err)))
		on_warning(err, g);
	metrics_finish(m, end);
	machine = metrics_machine_json(m);
	groups = metrics_groups_json(m);
	/* no tracepoint tells where a real kernel's own time goes */
	json_object_object_del(machine, "overhead");
	json_object_object_del(machine, "overhead_ppm");
	if (vm_accel(g->vm) == VM_ACCEL_TCG) {
		drop_times(machine);
		for (size_t i = 0; i < json_object_array_length(groups); i++)
			drop_times(json_object_array_get_idx(groups, i));
	}
	json_object_object_add(g->run, "metrics", machine);
	json_object_object_add(g->run, "groups", groups);
	metrics_free(m);
	free(g->group_names);
}

static void add_end(struct guest_run *g)
{
	bool thrown_out = !strcmp(json_string_at(g->end, "status"), "thrown_out");
	struct json_object *end = json_object_new_object(), *code = NULL;
	u64 start = 0, time = 0;
	const char *dump;

	json_u64_at(g->end, "start_ns", &start);
	json_u64_at(g->end, thrown_out ? "exit_ns" : "end_ns", &time);
	json_add_string(end, "kind", thrown_out ? json_string_at(g->end, "kind") : "done");
	json_add_string(end, "reason", thrown_out ? json_string_at(g->end, "reason") : "time is up");
	json_object_object_add(end, "message", json_text(thrown_out
								? json_string_at(g->end, "message")
								: ""));
	if (thrown_out)
		code = json_at(g->end, "exit_code");
	json_object_object_add(end, "exit_code",
			       code ? json_object_get(code) : json_object_new_int64(0));
	json_add_u64(end, "time_ns", time > start ? time - start : 0);
	dump = json_string_at(g->end, "dump");
	json_object_object_add(end, "dump", thrown_out && *dump ? json_text(dump) : NULL);
	json_object_object_add(g->run, "end", end);
}

static void add_results(struct guest_run *g)
{
	struct json_object *warnings = json_at(g->end, "warnings"), *figures;
	struct json_object *unmodelled = json_at(g->end, "unmodelled");
	u64 lost = 0;

	for (size_t i = 0; warnings && i < json_object_array_length(warnings); i++)
		on_warning(json_object_get_string(json_object_array_get_idx(warnings, i)), g);
	if (!strcmp(json_string_at(g->end, "status"), "not_loaded")) {
		run_set_failure(g->run, "not_loaded", "refused by the guest's kernel",
				json_string_at(g->end, "message"), json_string_at(g->end, "log"));
		return;
	}
	add_metrics(g);
	add_end(g);
	guest_add_timeline(g->end, g->run);
	guest_take_beside(g->plan, g->end, g->run, vm_accel(g->vm) == VM_ACCEL_TCG);
	for (size_t i = 0; unmodelled && i < json_object_array_length(unmodelled); i++)
		run_add_unmodelled(g->run, json_object_get_string(
						   json_object_array_get_idx(unmodelled, i)));
	figures = json_at(g->end, "figures");
	json_object_object_add(g->run, "figures", json_object_get(figures));
	json_u64_at(g->end, "lost", &lost);
	if (lost)
		on_warning("the guest's ring buffer overflowed: some events are missing", g);
	json_add_u64(g->run, "events_lost", lost);
}

struct json_object *guest_run(const struct run_plan *plan, const char *scheduler, struct vm *vm)
{
	struct guest_run g = {
		.plan = plan, .scheduler = scheduler, .vm = vm, .run = run_new(plan, scheduler),
	};
	static const char *const empty[] = { "attachments", "with", "timeline", "cgroups", "books" };
	bool object = !scheduler_is_class(scheduler), host = vm_accel(vm) == VM_ACCEL_NONE;
	int err;

	scheduler_label(scheduler, g.label, sizeof(g.label));
	g.warnings = json_object_new_array();
	g.log = json_object_new_array();
	json_add_string(g.run, "on", host ? "host" : "vm");
	json_add_string(g.run, "kernel", vm_release(vm));
	json_object_object_add(g.run, "engine", NULL);
	json_object_object_add(g.run, "emulated",
			       json_object_new_boolean(vm_accel(vm) == VM_ACCEL_TCG));
	/* what only the simulated machine has, and the timeline to be filled */
	for (u32 i = 0; i < ARRAY_SIZE(empty); i++)
		json_object_object_add(g.run, empty[i], json_object_new_array());
	if (object && host && access("/sys/kernel/sched_ext", F_OK))
		run_set_failure(g.run, "not_loaded", "no sched_ext here",
				"this host's kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT, Linux "
				"6.12 or later); --on vm runs the scheduler on one that has it",
				NULL);
	else if ((!object || send_object(&g, scheduler)) && send_beside(&g)) {
		send_workload(&g);
		err = send_run(&g);
		if (err)
			fail_channel(&g, err);
		else if (receive(&g))
			add_results(&g);
	}
	json_object_object_add(g.run, "warnings", g.warnings);
	json_object_object_add(g.run, "log", g.log);
	json_object_put(g.end);
	free(g.records.rec);
	return g.run;
}
