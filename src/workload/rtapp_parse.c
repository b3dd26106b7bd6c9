// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading an rt-app file: relaxed JSON into strict JSON, json-c, and the
 * objects "global" and "tasks" into a struct rtapp. What rt-app 1.0 ignores is
 * ignored too, but said; what it would run wrongly is an error.
 */
#include "rtapp.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/cpumask.h"
#include "../base/error.h"
#include "../base/jsonfile.h"
#include "../sched/cgroup/cgroup.h"

#define DEFAULT_MEM_BUFFER (4U << 20)
#define DEFAULT_RT_PRIORITY 10

static const char *const legacy_keys[] = { "exec", "period", "deadline", "resources",
					   "lock_order" };

static bool in_list(const char *key, const char *const *list, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (!strcmp(key, list[i]))
			return true;
	return false;
}

/* --- messages --------------------------------------------------------------- */

/* json-c gives const objects no userdata. */
static struct relax_place place_of(const struct rtapp_parser *p, const struct json_object *at)
{
	const struct relax_place *place =
		at ? json_object_get_userdata((struct json_object *)at) : NULL;

	if (place)
		return *place;
	return p->task ? p->task->place : (struct relax_place){ 1, 1 };
}

void rtapp_error(struct rtapp_parser *p, const struct json_object *at, const char *fmt, ...)
{
	struct relax_place place = place_of(p, at);
	char what[384];
	va_list ap;

	if (p->failed)
		return;
	p->failed = true;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	vrt_error(p->err, p->err_size, 0, "%s:%u:%u: %s", p->file, place.line, place.column, what);
}

void rtapp_note(struct rtapp_parser *p, const struct json_object *at, const char *fmt, ...)
{
	struct relax_place place = place_of(p, at);
	char what[384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	workload_note(&p->app->w, "%s:%u: %s", p->file, place.line, what);
}

/* A key that rt-app does not know. */
static void note_unknown(struct rtapp_parser *p, const char *key, const struct json_object *value,
			 const char *const *known, u32 nr_known)
{
	size_t len = strlen(key);
	char base[RELAX_MAX_KEY + 1];

	while (len && strchr("0123456789", key[len - 1]))
		len--;
	snprintf(base, sizeof(base), "%.*s", (int)len, key);
	if (in_list(key, legacy_keys, ARRAY_SIZE(legacy_keys)))
		rtapp_note(p, value,
			   "\"%s\" belongs to the grammar before phases: ignored, as by rt-app 1.0",
			   key);
	else if (in_list(base, known, nr_known))
		rtapp_note(p, value, "\"%s\" is given more than once: the first one counts", base);
	else
		rtapp_note(p, value, "rt-app knows no key \"%s\": ignored", key);
}

/* --- values ------------------------------------------------------------------- */

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

static s64 get_integer(struct rtapp_parser *p, struct json_object *object, const char *key, s64 min,
		       s64 max, s64 standard)
{
	struct json_object *value = member(object, key);
	char what[64];

	if (!value)
		return standard;
	snprintf(what, sizeof(what), "\"%s\"", key);
	return rtapp_integer(p, value, what, min, max);
}

static bool get_bool(struct rtapp_parser *p, struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key);

	if (value && !json_object_is_type(value, json_type_boolean))
		rtapp_error(p, value, "\"%s\" must be true or false, not %.64s", key,
			    json_object_to_json_string(value));
	return value && json_object_get_boolean(value);
}

/* NULL when it is missing. */
static const char *get_text(struct rtapp_parser *p, struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key);

	if (!value)
		return NULL;
	if (json_object_is_type(value, json_type_string))
		return json_object_get_string(value);
	rtapp_error(p, value, "\"%s\" must be a text, not %.64s", key,
		    json_object_to_json_string(value));
	return NULL;
}

static s32 get_policy(struct rtapp_parser *p, struct json_object *object, const char *key,
		      s32 standard)
{
	static const struct {
		const char *name;
		s32 policy;
	} policies[] = {
		{ "SCHED_OTHER", SCHED_NORMAL },
		{ "SCHED_IDLE", SCHED_IDLE },
		{ "SCHED_RR", SCHED_RR },
		{ "SCHED_FIFO", SCHED_FIFO },
		{ "SCHED_BATCH", SCHED_BATCH },
		{ "SCHED_EXT", SCHED_EXT },
		{ "SCHED_DEADLINE", SCHED_DEADLINE },
	};
	const char *name = get_text(p, object, key);
	u32 i;

	if (!name)
		return standard;
	for (i = 0; i < ARRAY_SIZE(policies); i++)
		if (!strcmp(name, policies[i].name))
			return policies[i].policy;
	rtapp_error(p, member(object, key),
		    "\"%s\" must be SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_EXT, SCHED_RR, "
		    "SCHED_FIFO or SCHED_DEADLINE, not \"%.64s\"",
		    key, name);
	return standard;
}

static struct cpumask *get_cpus(struct rtapp_parser *p, struct json_object *object)
{
	struct json_object *list = member(object, "cpus");
	struct cpumask *cpus;
	size_t i, nr;
	s64 cpu;

	if (!list)
		return NULL;
	nr = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	if (!nr) {
		rtapp_error(p, list,
			    "\"cpus\" must be a list of CPU numbers such as [0, 2], not %.64s",
			    json_object_to_json_string(list));
		return NULL;
	}
	cpus = workload_alloc(&p->app->w, 1, sizeof(*cpus));
	for (i = 0; i < nr && !p->failed; i++) {
		cpu = rtapp_integer(p, json_object_array_get_idx(list, i), "a CPU in \"cpus\"", 0,
				    VRT_NR_CPUS - 1);
		cpumask_set_cpu(cpu, cpus);
		p->task->max_cpu = max(p->task->max_cpu, (s32)cpu);
	}
	return cpus;
}

/* The path of a cgroup; none when it is missing or, as in rt-app, empty. */
static const char *get_taskgroup(struct rtapp_parser *p, struct json_object *object)
{
	const char *group = get_text(p, object, "taskgroup");
	struct json_object *at = member(object, "taskgroup");
	u32 depth = 0;
	size_t len;

	if (!group || !*group)
		return NULL;
	if (*group != '/')
		rtapp_error(p, at, "a taskgroup begins with /, \"%.64s\" does not", group);
	for (const char *name = group; *name; name += len) {
		name += strspn(name, "/");
		len = strcspn(name, "/");
		depth += len > 0;
		if (len && !cgroup_name_valid(name, len))
			rtapp_error(p, at, "\"%.*s\" cannot be the name of a taskgroup",
				    (int)min(len, (size_t)2 * CGROUP_NAME_MAX), name);
	}
	if (depth > CGROUP_MAX_DEPTH)
		rtapp_error(p, at, "taskgroups may be %u deep, this one is %u", CGROUP_MAX_DEPTH,
			    depth);
	return workload_strdup(&p->app->w, group);
}

static bool is_rt(s32 policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR || policy == SCHED_DEADLINE;
}

static void note_unmodelled(struct rtapp_parser *p, struct json_object *object)
{
	static const char *const keys[][2] = {
		{ "nodes_membind", "the place of memory is not modelled" },
		{ "util_min", "utilization clamping is not modelled" },
		{ "util_max", "utilization clamping is not modelled" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (member(object, keys[i][0]))
			rtapp_note(p, member(object, keys[i][0]), "%s (\"%s\" of task \"%s\")",
				   keys[i][1], keys[i][0], p->task->name);
}

/*
 * @policy: what applies when the object names none; it is given back as it is
 * from now on. A phase that names neither policy nor priority changes nothing.
 */
static void read_sched(struct rtapp_parser *p, struct json_object *object, bool phase, s32 *policy,
		       struct rtapp_sched *sched)
{
	s32 wanted = get_policy(p, object, "policy", *policy);
	struct json_object *priority = member(object, "priority");

	*policy = wanted;
	sched->set = !phase || priority || member(object, "policy");
	sched->policy = wanted;
	note_unmodelled(p, object);
	if (wanted == SCHED_DEADLINE) {
		workload_note(&p->app->w,
			      "%s: SCHED_DEADLINE is not modelled: such tasks run as SCHED_FIFO "
			      "with priority 99",
			      p->file);
		sched->policy = SCHED_FIFO;
		sched->rt_priority = MAX_RT_PRIO - 1;
	} else if (is_rt(wanted)) {
		sched->rt_priority = DEFAULT_RT_PRIORITY;
		if (priority)
			sched->rt_priority =
				rtapp_integer(p, priority, "\"priority\" of a real-time policy", 1,
					      MAX_RT_PRIO - 1);
	} else if (priority) {
		sched->nice = rtapp_integer(p, priority, "\"priority\" (the nice value)", -20, 19);
	}
}

/* --- phases and tasks ----------------------------------------------------------- */

static const char *const phase_keys[] = { "loop",	"policy",	 "priority",   "cpus",
					  "taskgroup",	"nodes_membind", "util_min",   "util_max",
					  "dl-runtime", "dl-period",	 "dl-deadline" };
static const char *const task_keys[] = { "loop",       "policy",	"priority",    "cpus",
					 "taskgroup",  "nodes_membind", "util_min",    "util_max",
					 "dl-runtime", "dl-period",	"dl-deadline", "instance",
					 "delay",      "phases",	"vm_size" };

static void read_events(struct rtapp_parser *p, struct json_object *object,
			const char *const *known, u32 nr_known, struct rtapp_phase *phase)
{
	u32 nr = 0;

	json_object_object_foreach(object, key, value) {
		(void)value;
		nr += rtapp_is_event(key);
	}
	phase->events = workload_alloc(&p->app->w, nr, sizeof(*phase->events));
	{
		json_object_object_foreach(object, name, v) {
			if (p->failed)
				return;
			if (rtapp_is_event(name))
				phase->nr_events += rtapp_read_event(
					p, name, v, &phase->events[phase->nr_events]);
			else if (!in_list(name, known, nr_known))
				note_unknown(p, name, v, known, nr_known);
		}
	}
	if (!phase->nr_events)
		rtapp_note(p, object,
			   "task \"%s\" has nothing to do here that rt-app 1.0 understands: as "
			   "there, it spins",
			   p->task->name);
}

static s64 read_phase_loop(struct rtapp_parser *p, struct json_object *object)
{
	s64 loop = get_integer(p, object, "loop", -1, RTAPP_MAX_US, 1);

	if (!loop)
		rtapp_note(p, member(object, "loop"),
			   "rt-app takes \"loop\": 0 of a phase for endless");
	return loop;
}

/* Events in the task object itself: one phase. */
static void read_single_phase(struct rtapp_parser *p, struct json_object *object)
{
	struct rtapp_task *task = p->task;

	task->nr_phases = 1;
	task->phases = workload_alloc(&p->app->w, 1, sizeof(*task->phases));
	task->phases[0].loop = read_phase_loop(p, object);
	task->loop = member(object, "loop") ? 1 : -1;
	read_events(p, object, task_keys, ARRAY_SIZE(task_keys), &task->phases[0]);
}

static void read_phases(struct rtapp_parser *p, struct json_object *object,
			struct json_object *phases, s32 policy)
{
	struct rtapp_task *task = p->task;
	struct rtapp_phase *phase;

	task->loop = get_integer(p, object, "loop", -1, RTAPP_MAX_US, -1);
	if (!json_object_is_type(phases, json_type_object) || !json_object_object_length(phases)) {
		rtapp_error(p, phases, "\"phases\" must be an object with at least one phase");
		return;
	}
	task->phases = workload_alloc(&p->app->w, json_object_object_length(phases),
				      sizeof(*task->phases));
	json_object_object_foreach(phases, key, value) {
		if (p->failed)
			return;
		if (!json_object_is_type(value, json_type_object)) {
			rtapp_error(p, value, "the phase \"%s\" must be an object", key);
			return;
		}
		phase = &task->phases[task->nr_phases++];
		phase->loop = read_phase_loop(p, value);
		phase->cpus = get_cpus(p, value);
		phase->taskgroup = get_taskgroup(p, value);
		read_sched(p, value, true, &policy, &phase->sched);
		read_events(p, value, phase_keys, ARRAY_SIZE(phase_keys), phase);
	}
	json_object_object_foreach(object, name, v) {
		if (rtapp_is_event(name))
			rtapp_note(p, v, "\"%s\" is ignored, as by rt-app: task \"%s\" has phases",
				   name, task->name);
		else if (!in_list(name, task_keys, ARRAY_SIZE(task_keys)))
			note_unknown(p, name, v, task_keys, ARRAY_SIZE(task_keys));
	}
}

/* What other tasks' events need to know. */
static void read_task_head(struct rtapp_parser *p, const char *name, struct json_object *object,
			   const struct json_object *tasks)
{
	struct rtapp_task *task = &p->app->tasks[p->app->nr_tasks++];
	struct workload *w = &p->app->w;

	task->name = workload_strdup(w, name);
	task->place = place_of(p, object ? object : tasks);
	p->task = task;
	task->max_cpu = -1;
	if (!json_object_is_type(object, json_type_object)) {
		rtapp_error(p, object, "the task \"%s\" must be an object", name);
		return;
	}
	task->group = workload_add_group(w, name);
	task->instances = get_integer(p, object, "instance", 0, WORKLOAD_MAX_TASKS, 1);
	w->nr_tasks += task->instances;
	if (w->nr_tasks > WORKLOAD_MAX_TASKS)
		rtapp_error(p, object, "more than %u tasks in all", WORKLOAD_MAX_TASKS);
	rtapp_add_task(p, task);
}

static void read_task(struct rtapp_parser *p, struct rtapp_task *task, struct json_object *object)
{
	struct json_object *phases = member(object, "phases");
	s32 policy = p->default_policy;

	p->task = task;
	task->cpus = get_cpus(p, object);
	task->taskgroup = get_taskgroup(p, object);
	task->delay = NSEC_PER_USEC * get_integer(p, object, "delay", 0, RTAPP_MAX_US, 0);
	rtapp_read_vm_size(p, object);
	read_sched(p, object, false, &policy, &task->sched);
	if (phases)
		read_phases(p, object, phases, policy);
	else
		read_single_phase(p, object);
}

static void read_tasks(struct rtapp_parser *p, struct json_object *tasks)
{
	struct rtapp *app = p->app;
	u32 i = 0, nr;

	if (!json_object_is_type(tasks, json_type_object)) {
		rtapp_error(p, tasks, "\"tasks\" must be an object");
		return;
	}
	nr = json_object_object_length(tasks);
	if (nr > RTAPP_MAX_TASKS) {
		rtapp_error(p, tasks, "more than %u different tasks", RTAPP_MAX_TASKS);
		return;
	}
	app->tasks = workload_alloc(&app->w, nr, sizeof(*app->tasks));
	json_object_object_foreach(tasks, name, head) {
		if (p->failed)
			return;
		read_task_head(p, name, head, tasks);
	}
	{
		json_object_object_foreach(tasks, key, object) {
			(void)key;
			if (p->failed)
				return;
			read_task(p, &app->tasks[i++], object);
		}
	}
	p->task = NULL;
	if (!app->w.nr_tasks)
		rtapp_error(p, tasks, "no task would start: at least one needs an \"instance\"");
}

/* --- global ----------------------------------------------------------------------- */

static void read_calibration(struct rtapp_parser *p, struct json_object *value)
{
	const char *cpu =
		json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

	/* full speed is known here: there is nothing to measure */
	if (json_object_is_type(value, json_type_int))
		rtapp_integer(p, value, "\"calibration\" (ns per loop)", 0, RTAPP_MAX_US);
	else if (!cpu || strncmp(cpu, "CPU", 3) || !cpu[3] ||
		 cpu[3 + strspn(cpu + 3, "0123456789")])
		rtapp_error(p, value,
			    "\"calibration\" must be a number of ns per loop, or a CPU such as "
			    "\"CPU0\", not %.64s",
			    json_object_to_json_string(value));
}

static void read_global(struct rtapp_parser *p, struct json_object *global)
{
	/* The lower ones have no effect on scheduling; "frag" is of rt-app before 1.0. */
	static const char *const keys[] = {
		"duration",	   "calibration", "default_policy",   "pi_enabled",   "io_device",
		"mem_buffer_size", "lock_pages",  "logdir",	      "log_basename", "log_size",
		"ftrace",	   "gnuplot",	  "cumulative_slack", "frag",	      "memory",
	};
	struct workload *w = &p->app->w;
	const char *device;
	s64 duration;

	if (!json_object_is_type(global, json_type_object)) {
		rtapp_error(p, global, "\"global\" must be an object");
		return;
	}
	duration = get_integer(p, global, "duration", -1, RTAPP_MAX_US, -1);
	if (duration > 0)
		w->duration = duration * NSEC_PER_SEC;
	p->default_policy = get_policy(p, global, "default_policy", SCHED_NORMAL);
	p->mem_buffer_size =
		get_integer(p, global, "mem_buffer_size", 1, RTAPP_MAX_US, DEFAULT_MEM_BUFFER);
	device = get_text(p, global, "io_device");
	p->io_null = !device || !strcmp(device, "/dev/null");
	rtapp_read_memory(p, global);
	if (member(global, "calibration"))
		read_calibration(p, member(global, "calibration"));
	if (get_bool(p, global, "pi_enabled"))
		rtapp_note(p, member(global, "pi_enabled"),
			   "priority inheritance of mutexes is not modelled");
	json_object_object_foreach(global, key, value) {
		if (!in_list(key, keys, ARRAY_SIZE(keys)))
			note_unknown(p, key, value, keys, ARRAY_SIZE(keys));
	}
}

/* --- the file ------------------------------------------------------------------------ */

/* Gives every value its place, in the order of relax(). */
static void attach_places(struct json_object *value, const struct relax_place **place)
{
	const struct relax_place *own = (*place)++;
	size_t i;

	if (!value) /* null is no object */
		return;
	/* resets what json-c keeps there: the text of a number with a fraction */
	json_object_set_serializer(value, NULL, (void *)own, NULL);
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member) {
			(void)key;
			attach_places(member, place);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (i = 0; i < json_object_array_length(value); i++)
			attach_places(json_object_array_get_idx(value, i), place);
	}
}

static void read_root(struct rtapp_parser *p, struct json_object *root)
{
	static const char *const keys[] = { "tasks", "global", "resources" };
	struct json_object *tasks, *global;

	if (!json_object_is_type(root, json_type_object)) {
		rtapp_error(p, root, "an rt-app file is an object with \"tasks\" and \"global\"");
		return;
	}
	tasks = member(root, "tasks");
	global = member(root, "global");
	if (!tasks) {
		rtapp_error(p, root,
			    "there is no \"tasks\" object, so nothing to run (rt-app's merge.py "
			    "joins such files with one that has tasks)");
		return;
	}
	if (global)
		read_global(p, global);
	json_object_object_foreach(root, key, value) {
		/* "resources" declares what events create anyway */
		if (!in_list(key, keys, ARRAY_SIZE(keys)))
			note_unknown(p, key, value, keys, ARRAY_SIZE(keys));
	}
	if (!p->failed)
		read_tasks(p, tasks);
}

struct workload *rtapp_open(const char *file, const char *text, size_t len, char *err,
			    size_t err_size)
{
	struct rtapp_parser *p = xcalloc(1, sizeof(*p));
	struct json_object *root = NULL;
	const struct relax_place *place;
	struct relaxed relaxed;
	struct workload *w;

	w = workload_new(sizeof(*p->app), &rtapp_ops);
	p->app = container_of(w, struct rtapp, w);
	p->file = file;
	p->mem_buffer_size = DEFAULT_MEM_BUFFER;
	p->io_null = true;
	p->err = err;
	p->err_size = err_size;

	p->failed = relax(file, text, len, &relaxed, err, err_size);
	if (!p->failed) {
		root = json_text_load(file, strbuf_str(&relaxed.text), relaxed.text.len, err,
				      err_size, NULL);
		p->failed = !root;
	}
	if (!p->failed) {
		place = relaxed.places;
		attach_places(root, &place);
		VRT_ASSERT(place == relaxed.places + relaxed.nr_places);
		read_root(p, root);
	}
	if (p->failed) {
		workload_close(w);
		w = NULL;
	}
	json_object_put(root);
	relaxed_free(&relaxed);
	free(p);
	return w;
}
