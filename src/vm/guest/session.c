// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run on the kernel that runs here: tracer, scheduler, workload, end.
 *
 * Records are kept in memory and sent when all is over, so that sending them is
 * not part of what they tell.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../../base/alloc.h"
#include "../../calibrate/calibrate.h"
#include "../../loader/loader.h"
#include "../../native/native.h"
#include "../../sched/kernel.h"
#include "../../workload/workload.h"
#include "../run.h"
#include "guest.h"
#include "kmsg.h"
#include "records.h"

#define STEP_NS (50 * NSEC_PER_MSEC)
#define BATCH 16384 /* records in a message */
#define DEFAULT_DURATION (10 * NSEC_PER_SEC)
#define LEAVE_NS (10 * NSEC_PER_SEC) /* until a scheduler has left, at most */
#define MAX_RESTARTS 100 /* as on the simulated machine */
#define SETTLE_NS (100 * NSEC_PER_MSEC) /* until the kernel's log has the end of a scheduler */

struct records {
	struct trace_record *rec;
	size_t nr, room;
};

static struct {
	int fd;
	struct json_object *settings, *end;
	struct json_object *warnings;
	struct tracer *tracer;
	struct ops_tracer *ops;
	struct loader *loader;
	u64 attached; /* when the scheduler was; 0: it is not */
	u64 start; /* of the workload; 0 before */
	u32 restarts;
	struct workload *workload;
	u32 nr_known; /* sentences on what it asks for, which the host has read there itself */
	int kmsg;
	struct kmsg_exit exit;
	struct strbuf kmsg_lines;
	struct records traced, told; /* by the kernel, by the tasks */
	u64 lost;
} s;

/* --- small things ------------------------------------------------------------------- */

static void add_record(struct records *r, const struct trace_record *rec)
{
	if (r->nr == r->room) {
		r->room = r->room ? r->room * 2 : BATCH;
		r->rec = xreallocarray(r->rec, r->room, sizeof(*r->rec));
	}
	r->rec[r->nr++] = *rec;
}

static void on_traced(const struct trace_record *rec)
{
	add_record(&s.traced, rec);
}

static void on_told(const struct trace_record *rec)
{
	if (rec->type == TRACE_TASK_NEW)
		tracer_know(s.tracer, rec->pid);
	add_record(&s.told, rec);
}

static const char *setting(const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(s.settings, key, &value) ? json_object_get_string(value)
								  : NULL;
}

static u64 setting_number(const char *key, u64 otherwise)
{
	struct json_object *value;

	return json_object_object_get_ex(s.settings, key, &value) ? json_object_get_uint64(value)
								  : otherwise;
}

/* The strings of a list; *nr of them. They are the settings'. */
static const char **setting_list(const char *key, u32 *nr)
{
	struct json_object *list;
	const char **items;

	*nr = 0;
	if (!json_object_object_get_ex(s.settings, key, &list))
		return NULL;
	items = xcalloc(json_object_array_length(list) + 1, sizeof(*items));
	for (; *nr < json_object_array_length(list); (*nr)++)
		items[*nr] = json_object_get_string(json_object_array_get_idx(list, *nr));
	return items;
}

static void say(const char *key, const char *text)
{
	json_object_object_add(s.end, key, json_object_new_string(text));
}

static void say_number(const char *key, u64 value)
{
	json_object_object_add(s.end, key, json_object_new_uint64(value));
}

static u64 since_start(void)
{
	return s.start ? kernel_now() - s.start : 0;
}

static void on_warning(const char *line, void *arg)
{
	json_object_array_add(s.warnings, json_object_new_string(line));
}

/* --- the scheduler -------------------------------------------------------------------- */

/* Whose map it is: the scheduler's, or else of an object beside it; NULL: nobody's. */
static struct loader *with_map(const char *map, struct loader_error *error)
{
	struct loader *beside = beside_with_map(map);

	if (s.loader && (!beside || loader_check_map(s.loader, map, NULL) == LOADER_OK))
		return loader_check_map(s.loader, map, error) == LOADER_OK ? s.loader : NULL;
	if (!beside)
		snprintf(error->message, sizeof(error->message),
			 "--print: no object of this run has a map '%s'", map);
	return beside;
}

static enum loader_status check_maps(struct loader_error *error)
{
	u32 nr, i;
	const char **maps = setting_list(RUN_KEY_PRINT, &nr);

	for (i = 0; i < nr && with_map(maps[i], error); i++)
		;
	free(maps);
	return i < nr ? error->status = LOADER_ERR_USAGE : LOADER_OK;
}

static void print_map(struct loader *l, const char *map)
{
	struct strbuf what = {}, text = {};
	int err = loader_print_map(l, map, NULL, &text);

	strbuf_printf(&what, "print=%s", map);
	actions_note(since_start(), strbuf_str(&what), err ? strerror(-err) : NULL,
		     err ? NULL : strbuf_str(&text));
	strbuf_free(&what);
	strbuf_free(&text);
}

/* What the scheduler, which is out, or others have left in their maps. */
static void print_maps(bool schedulers)
{
	u32 nr;
	const char **maps = setting_list(RUN_KEY_PRINT, &nr);
	struct loader_error error = {};

	for (u32 i = 0; i < nr; i++) {
		struct loader *l = with_map(maps[i], &error);

		if (l && (l == s.loader) == schedulers)
			print_map(l, maps[i]);
	}
	loader_error_free(&error);
	free(maps);
}

/* What the simulated kernel records of its own life. */
static void record_scheduler(enum trace_type type, u64 time, u64 a, u64 b)
{
	add_record(&s.told, &(struct trace_record){ .time = time, .type = type, .a = a, .b = b });
}

/* In the simulator's words, not in those of a kernel that does not know what it sees. */
static enum loader_status check_kinds(struct loader_error *error)
{
	u32 kinds = loader_kinds(s.loader);

	if (kinds & LOADER_GHOST)
		snprintf(error->message, sizeof(error->message),
			 "has ghOSt programs, which this kernel does not know; the simulated machine "
			 "does (--on sim)");
	else if (kinds & LOADER_PERIODIC)
		snprintf(error->message, sizeof(error->message),
			 "has periodic programs: on a real kernel they run beside a scheduler "
			 "(--with), with the module schedbpf (vrt vm module, --on vm:schedbpf)");
	else if (kinds & LOADER_SCX && access("/sys/kernel/sched_ext", F_OK))
		snprintf(error->message, sizeof(error->message),
			 "is a scheduler, and this kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT); "
			 "'vrt vm fetch' gets one that has it");
	else if (!(kinds & LOADER_SCX))
		snprintf(error->message, sizeof(error->message),
			 "has nothing to schedule with (no sched_ext table)");
	else
		return LOADER_OK;
	return error->status = LOADER_ERR_USAGE;
}

static enum loader_status open_scheduler(struct loader_error *error)
{
	struct loader_options opts = { .host = true, .host_all = true };
	enum loader_status status = LOADER_OK;

	opts.ops = setting(RUN_KEY_OPS);
	opts.set = setting_list(RUN_KEY_SET, &opts.nr_set);
	opts.init_progs = setting_list(RUN_KEY_INIT_PROGS, &opts.nr_init_progs);
	s.loader = loader_open(setting(RUN_KEY_OBJECT), &opts, on_warning, NULL, error);
	free((void *)opts.set);
	free((void *)opts.init_progs);
	if (!s.loader)
		return error->status;
	status = check_kinds(error);
	if (status == LOADER_OK)
		status = check_maps(error);
	if (status == LOADER_OK)
		status = loader_load(s.loader, error);
	if (status == LOADER_OK) {
		s.ops = ops_tracer_start(s.loader, s.tracer, on_warning);
		status = loader_attach(s.loader, error);
	}
	if (status == LOADER_OK) {
		s.attached = kernel_now();
		record_scheduler(TRACE_SCHED_ATTACH, s.attached, 0, 0);
		return LOADER_OK;
	}
	ops_tracer_stop(s.ops);
	s.ops = NULL;
	loader_close(s.loader);
	s.loader = NULL;
	return status;
}

/* Groups, what is beside the scheduler, and the scheduler itself. */
static bool load_objects(void)
{
	struct loader_error error = {};
	enum loader_status status = LOADER_OK;

	if (cgroups_make(s.settings, error.message, sizeof(error.message)))
		status = LOADER_ERR_USAGE;
	if (status == LOADER_OK)
		status = beside_attach(s.settings, on_warning, &error);
	if (status == LOADER_OK)
		status = setting(RUN_KEY_OBJECT) ? open_scheduler(&error) : check_maps(&error);

	if (status == LOADER_OK)
		return true;
	say("status", "not_loaded");
	say_number("load_status", status);
	say("message", error.message);
	if (error.log)
		say("log", error.log);
	return false;
}

static void tell_exit(bool thrown_out)
{
	/* the log's clock and ours differ a little */
	u64 time = s.exit.seen ? max(s.exit.time, s.attached) : kernel_now();
	struct ops_exit info;

	/* of an orderly end the log has no message */
	if (ops_tracer_exit(s.ops, &info) && !*s.exit.message)
		snprintf(s.exit.message, sizeof(s.exit.message), "%s", info.message);
	say("kind", kmsg_exit_kind(s.exit.reason));
	say("reason", s.exit.reason);
	say("message", s.exit.message);
	json_object_object_add(s.end, "exit_code", json_object_new_int64(info.code));
	say_number("exit_ns", time);
	if (thrown_out)
		say("dump", tracer_dump(s.tracer));
	record_scheduler(TRACE_SCHED_DETACH, time, kmsg_exit_number(s.exit.reason), (u64)info.code);
}

/* Its maps are printed, and its last words are in the kernel's log. */
static void take_out(void)
{
	loader_detach(s.loader);
	print_maps(true);
	loader_close(s.loader);
	s.loader = NULL;
	for (u32 i = 0; i < 20 && !s.exit.seen; i++) {
		native_run_until(kernel_now() + SETTLE_NS / 10);
		kmsg_read(s.kmsg, &s.exit, &s.kmsg_lines);
	}
}

/* @code: what the scheduler left with, 0 if it has no ops.exit(). */
static bool asks_for_restart(u64 *code)
{
	const char *kind = kmsg_exit_kind(s.exit.reason);
	struct ops_exit info;

	*code = ops_tracer_exit(s.ops, &info) ? (u64)info.code : 0;
	if (!s.exit.seen || strncmp(kind, "unreg", 5))
		return false;
	/* the kernel itself does that when CPUs come and go, and always asks */
	return !strcmp(kind, "unreg_kern") || *code & SCX_ECODE_ACT_RESTART;
}

/* As on the simulated machine (src/cli/attach.c). */
static void restart_if_asked(void)
{
	struct loader_error error = {};
	u64 code;

	if (!s.loader || s.restarts == MAX_RESTARTS)
		return;
	kmsg_read(s.kmsg, &s.exit, &s.kmsg_lines);
	if (!asks_for_restart(&code))
		return;
	s.restarts++;
	take_out();
	record_scheduler(TRACE_SCHED_DETACH, max(s.exit.time, s.attached),
			 kmsg_exit_number(s.exit.reason), code);
	ops_tracer_stop(s.ops);
	s.ops = NULL;
	s.exit = (struct kmsg_exit){};
	actions_note(since_start(), "restart, as the scheduler asked for",
		     open_scheduler(&error) == LOADER_OK ? NULL : error.message, NULL);
	loader_error_free(&error);
}

/* How it ended: by itself before, or now by our hand. */
static void end_scheduler(void)
{
	bool thrown_out;

	print_maps(false);
	if (!s.loader) {
		say("status", "done");
		return;
	}
	kmsg_read(s.kmsg, &s.exit, &s.kmsg_lines);
	thrown_out = s.exit.seen;
	take_out();
	/* it may have been on its way out, or failed on it: this is what we do to it */
	if (s.exit.seen && strcmp(kmsg_exit_kind(s.exit.reason), "unreg"))
		thrown_out = true;
	say("status", thrown_out ? "thrown_out" : "done");
	tell_exit(thrown_out);
}

/* --- the workload ----------------------------------------------------------------------- */

static void set_online(const struct guest_action *a, bool online)
{
	u32 cpu = (u32)strtoul(a->value, NULL, 10);
	int err = actions_set_online(cpu, online);
	char why[128];

	snprintf(why, sizeof(why), "CPU %u cannot go %s: %s", cpu, online ? "online" : "offline",
		 strerror(-err));
	actions_done(since_start(), err ? why : NULL, NULL);
}

static void run_program(const struct guest_action *a)
{
	struct loader_error error = {};
	char text[32];
	int retval;

	if (!s.loader) {
		actions_done(since_start(), "no BPF scheduler is in charge", NULL);
	} else if (loader_run(s.loader, a->value, &retval, &error) != LOADER_OK) {
		actions_done(since_start(), error.message, NULL);
	} else {
		snprintf(text, sizeof(text), "returned %d", retval);
		actions_done(since_start(), NULL, text);
	}
	loader_error_free(&error);
}

static bool is_leaving(void)
{
	FILE *f = fopen("/sys/kernel/sched_ext/state", "re");
	char state[32] = "";

	if (f && !fgets(state, sizeof(state), f))
		state[0] = '\0';
	if (f)
		fclose(f);
	return !strcmp(state, "disabling\n");
}

/* What ends a scheduler does so in its own time: the next thing waits for that. */
static void act(const struct guest_action *a)
{
	u64 patience = kernel_now() + LEAVE_NS;

	if (!strcmp(a->what, "run"))
		run_program(a);
	else
		set_online(a, !strcmp(a->what, "online"));
	do
		native_run_until(kernel_now() + SETTLE_NS / 10);
	while (is_leaving() && kernel_now() < patience);
}

static void run_workload(void)
{
	u64 end;

	s.start = kernel_now();
	say_number("start_ns", s.start);
	end = s.start + setting_number(RUN_KEY_WARMUP, 0) +
	      setting_number(RUN_KEY_DURATION, DEFAULT_DURATION);
	say_number("end_ns", end);
	/* where a restart takes longer than what is left, actions are late, but all are done */
	while (kernel_now() < end || actions_next()) {
		const struct guest_action *a = actions_next();
		u64 until = kernel_now() + STEP_NS;

		native_run_until(min(until, a ? s.start + a->at : end));
		if (a && since_start() >= a->at)
			act(a);
		restart_if_asked();
		s.lost = tracer_poll(s.tracer, on_traced);
	}
}

static void add_figures(void)
{
	struct json_object *figures = json_object_new_array();
	const char *line;

	for (u32 i = 0; (line = workload_figure(s.workload, i)); i++)
		json_object_array_add(figures, json_object_new_string(line));
	json_object_object_add(s.end, "figures", figures);
}

/* What came of it here. */
static void add_unmodelled(void)
{
	struct json_object *sentences = json_object_new_array();
	const char *sentence;

	for (u32 i = s.nr_known; (sentence = workload_unmodelled(s.workload, i)); i++)
		json_object_array_add(sentences, json_object_new_string(sentence));
	json_object_object_add(s.end, "unmodelled", sentences);
}

/* --- reporting ----------------------------------------------------------------------------- */

static void send_records(const struct records *r)
{
	for (size_t i = 0; i < r->nr; i += BATCH)
		channel_send(s.fd, CHANNEL_RECORDS, &r->rec[i],
			     min(r->nr - i, (size_t)BATCH) * sizeof(*r->rec));
}

static void send_end(void)
{
	struct utsname name;

	uname(&name);
	say("release", name.release);
	say_number("cpus", (u64)sysconf(_SC_NPROCESSORS_CONF));
	say_number("rounds_per_ms", native_rounds_per_ms());
	say_number("lost", s.lost);
	json_object_object_add(s.end, "warnings", s.warnings);
	json_object_object_add(s.end, "timeline", actions_timeline());
	if (s.kmsg_lines.len)
		channel_send_text(s.fd, CHANNEL_LOG, strbuf_str(&s.kmsg_lines));
	channel_send_text(s.fd, CHANNEL_END, json_object_to_json_string(s.end));
}

/* False: ERROR has been sent. */
static bool prepare(void)
{
	struct native_config config = {
		.nr_cpus = (u32)sysconf(_SC_NPROCESSORS_CONF),
		.seed = setting_number(RUN_KEY_SEED, 1),
		.record = on_told,
	};
	const char *spec = setting(RUN_KEY_WORKLOAD);
	char err[1024] = "the run has no workload";

	s.kmsg = kmsg_open();
	native_init(&config);
	s.workload = spec ? workload_open(spec, err, sizeof(err)) : NULL;
	while (s.workload && workload_unmodelled(s.workload, s.nr_known))
		s.nr_known++;
	s.tracer = s.workload ? tracer_start(err, sizeof(err)) : NULL;
	if (s.tracer)
		return true;
	channel_send_text(s.fd, CHANNEL_ERROR, err);
	return false;
}

/* What things cost here. */
static void calibrate(int fd)
{
	struct json_object *end = json_object_new_object(), *lost;
	struct probe_figures figures;
	char err[512];

	if (calibrate_real(&figures, err, sizeof(err))) {
		channel_send_text(fd, CHANNEL_ERROR, err);
		return;
	}
	json_object_object_add(end, "costs", calibrate_solve(&figures, &lost));
	json_object_object_add(end, "lost", lost);
	channel_send_text(fd, CHANNEL_END, json_object_to_json_string(end));
	json_object_put(end);
}

void session_main(int fd, struct json_object *settings)
{
	struct json_object *control;
	int err;

	if (json_object_object_get_ex(settings, RUN_KEY_CONTROL, &control)) {
		control_main(fd, control);
		return;
	}
	if (json_object_object_get_ex(settings, RUN_KEY_CALIBRATE, NULL)) {
		calibrate(fd);
		return;
	}
	if (json_object_object_get_ex(settings, RUN_KEY_VERIFY, NULL)) {
		verify_main(fd, settings);
		return;
	}
	s.fd = fd;
	s.settings = settings;
	s.end = json_object_new_object();
	s.warnings = json_object_new_array();
	actions_open(settings);
	if (!prepare())
		return;
	if (load_objects()) {
		err = workload_start(s.workload, 0);
		if (err) {
			channel_send_text(fd, CHANNEL_ERROR, workload_error(s.workload));
			return;
		}
		run_workload();
		json_object_object_add(s.end, RUN_KEY_WITH, beside_json());
		json_object_object_add(s.end, RUN_KEY_CGROUPS, cgroups_json());
		end_scheduler();
		add_figures();
		add_unmodelled();
	}
	beside_detach();
	cgroups_remove();
	native_exit();
	s.lost = tracer_poll(s.tracer, on_traced);
	ops_tracer_stop(s.ops);
	send_records(&s.traced);
	send_records(&s.told);
	send_end();
}
