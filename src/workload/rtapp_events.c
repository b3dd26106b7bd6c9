// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the events of a phase, and the objects that they name: mutexes,
 * conditions, timers and barriers come into being when an event first names
 * them, as in rt-app.
 */
#include "rtapp.h"

#include <ctype.h>
#include <json-c/json.h>
#include <string.h>

#include "../base/hash.h"

/* What device writes are taken to cost. */
#define IO_WRITE_NS 500

enum value_kind {
	VALUE_US,
	VALUE_BYTES,
	VALUE_MEM,
	VALUE_NAME,
	VALUE_TIMER,
	VALUE_WAIT,
	VALUE_ANY
};

/* Keys are compared as prefixes, in this order, as rt-app does. */
static const struct event_type {
	const char *key;
	enum rtapp_event_kind kind;
	enum value_kind value;
} event_types[] = {
	{ "runtime", EV_RUNTIME, VALUE_US },   { "run", EV_RUN, VALUE_US },
	{ "sleep", EV_SLEEP, VALUE_US },       { "mem", EV_MEM, VALUE_MEM },
	{ "iorun", EV_IORUN, VALUE_BYTES },    { "lock", EV_LOCK, VALUE_NAME },
	{ "unlock", EV_UNLOCK, VALUE_NAME },   { "signal", EV_SIGNAL, VALUE_NAME },
	{ "broad", EV_BROAD, VALUE_NAME },     { "wait", EV_WAIT, VALUE_WAIT },
	{ "sync", EV_SYNC, VALUE_WAIT },       { "sig_and_wait", EV_SYNC, VALUE_WAIT },
	{ "barrier", EV_BARRIER, VALUE_NAME }, { "timer", EV_TIMER, VALUE_TIMER },
	{ "resume", EV_RESUME, VALUE_NAME },   { "suspend", EV_SUSPEND, VALUE_NAME },
	{ "yield", EV_YIELD, VALUE_ANY },      { "fork", EV_FORK, VALUE_NAME },
};

static const struct event_type *find_type(const char *key)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(event_types); i++)
		if (!strncmp(key, event_types[i].key, strlen(event_types[i].key)))
			return &event_types[i];
	return NULL;
}

bool rtapp_is_event(const char *key)
{
	return find_type(key);
}

/* --- named objects ------------------------------------------------------------ */

static struct rtapp_resource **find(struct rtapp_parser *p, enum rtapp_resource_kind kind,
				    const char *name, const struct rtapp_task *owner)
{
	struct rtapp_resource **r = &p->buckets[hash64(name, strlen(name), kind) % RTAPP_BUCKETS];

	while (*r && ((*r)->kind != kind || (*r)->owner != owner || strcmp((*r)->name, name)))
		r = &(*r)->next;
	return r;
}

static void *new_object(struct rtapp_parser *p, enum rtapp_resource_kind kind)
{
	struct workload *w = &p->app->w;
	void *object = NULL;

	switch (kind) {
	case RES_MUTEX:
		object = workload_alloc(w, 1, sizeof(struct sync_mutex));
		sync_mutex_init(object);
		break;
	case RES_COND:
		object = workload_alloc(w, 1, sizeof(struct sync_cond));
		sync_cond_init(object);
		break;
	case RES_BARRIER:
		object = workload_alloc(w, 1, sizeof(struct sync_barrier));
		sync_barrier_init(object, 0);
		break;
	case RES_TIMER:
		object = workload_alloc(w, 1, sizeof(struct rtapp_timer));
		break;
	case RES_UNIQUE_TIMER:
	case RES_TASK:
		break;
	}
	return object;
}

/* Never NULL. */
static struct rtapp_resource *resource(struct rtapp_parser *p, const struct json_object *at,
				       enum rtapp_resource_kind kind, const char *name)
{
	struct rtapp_task *owner = kind == RES_UNIQUE_TIMER ? p->task : NULL;
	struct rtapp_resource **slot = find(p, kind, name, owner), *r = *slot;
	struct workload *w = &p->app->w;

	if (r)
		return r;
	if (kind != RES_TASK && ++p->nr_resources > RTAPP_MAX_RESOURCES)
		rtapp_error(p, at, "more than %u named mutexes, conditions, timers and barriers",
			    RTAPP_MAX_RESOURCES);
	r = *slot = workload_alloc(w, 1, sizeof(*r));
	r->kind = kind;
	r->name = workload_strdup(w, name);
	r->owner = owner;
	r->object = new_object(p, kind);
	if (kind == RES_TIMER || kind == RES_UNIQUE_TIMER)
		r->absolute = workload_alloc(w, 1, sizeof(*r->absolute));
	if (kind == RES_UNIQUE_TIMER) {
		r->index = owner->nr_timers++;
		if (owner->nr_timers > RTAPP_MAX_TIMERS)
			rtapp_error(p, at, "more than %u unique timers in a task",
				    RTAPP_MAX_TIMERS);
	}
	return r;
}

void rtapp_add_task(struct rtapp_parser *p, struct rtapp_task *task)
{
	resource(p, NULL, RES_TASK, task->name)->object = task;
}

/* --- values --------------------------------------------------------------------- */

s64 rtapp_integer(struct rtapp_parser *p, struct json_object *value, const char *what, s64 min,
		  s64 max)
{
	s64 v;

	if (json_object_is_type(value, json_type_int)) {
		v = json_object_get_int64(value);
		if (v >= min && v <= max)
			return v;
	}
	rtapp_error(p, value, "%s must be a whole number from %lld to %lld, not %.64s", what,
		    (long long)min, (long long)max, json_object_to_json_string(value));
	return min;
}

/* The string @key of @object; @standard when it is missing. NULL after an error. */
static const char *get_string(struct rtapp_parser *p, struct json_object *object, const char *key,
			      const char *standard)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return standard;
	if (json_object_is_type(value, json_type_string))
		return json_object_get_string(value);
	rtapp_error(p, value, "\"%s\" must be a text, not %.64s", key,
		    json_object_to_json_string(value));
	return NULL;
}

static void note_other_keys(struct rtapp_parser *p, struct json_object *object, const char *event,
			    const char *known[3])
{
	json_object_object_foreach(object, key, value) {
		if (strcmp(key, known[0]) && strcmp(key, known[1]) && strcmp(key, known[2]))
			rtapp_note(p, value,
				   "\"%s\" means nothing in \"%s\": ignored, as by rt-app", key,
				   event);
	}
}

static void read_timer(struct rtapp_parser *p, const char *key, struct json_object *value,
		       struct rtapp_event *ev)
{
	const char *ref = get_string(p, value, "ref", "unknown");
	const char *mode = get_string(p, value, "mode", "relative");
	struct json_object *period;
	struct rtapp_resource *r;

	if (!ref || !mode)
		return;
	if (!json_object_object_get_ex(value, "period", &period)) {
		rtapp_error(p, value, "a timer needs a \"period\" in microseconds");
		return;
	}
	if (strcmp(mode, "relative") && strcmp(mode, "absolute")) {
		rtapp_error(p, value,
			    "the mode of a timer is \"relative\" or \"absolute\", not \"%s\"",
			    mode);
		return;
	}
	note_other_keys(p, value, key, (const char *[]){ "ref", "mode", "period" });
	ev->ns = NSEC_PER_USEC * rtapp_integer(p, period, "\"period\" (in us)", 0, RTAPP_MAX_US);
	ev->unique = !strncmp(ref, "unique", strlen("unique"));
	r = resource(p, value, ev->unique ? RES_UNIQUE_TIMER : RES_TIMER, ref);
	if (!strcmp(mode, "absolute"))
		*r->absolute = true;
	ev->absolute = r->absolute;
	if (ev->unique)
		ev->object.index = r->index;
	else
		ev->object.timer = r->object;
}

static void read_wait(struct rtapp_parser *p, const char *key, struct json_object *value,
		      struct rtapp_event *ev)
{
	const char *ref = get_string(p, value, "ref", "unknown");
	const char *mutex = get_string(p, value, "mutex", "unknown");

	if (!ref || !mutex)
		return;
	note_other_keys(p, value, key, (const char *[]){ "ref", "mutex", "ref" });
	ev->object.cond = resource(p, value, RES_COND, ref)->object;
	ev->mutex = resource(p, value, RES_MUTEX, mutex)->object;
}

static void read_fork(struct rtapp_parser *p, struct json_object *value, const char *name,
		      struct rtapp_event *ev)
{
	struct rtapp_resource *r = *find(p, RES_TASK, name, NULL);

	if (!r)
		rtapp_error(p, value, "there is no task \"%.64s\" to fork", name);
	else
		ev->object.task = r->object;
}

static void read_named(struct rtapp_parser *p, struct json_object *value, struct rtapp_event *ev)
{
	const char *name = json_object_get_string(value);
	struct sync_barrier *barrier;

	switch (ev->kind) {
	case EV_LOCK:
	case EV_UNLOCK:
		ev->mutex = resource(p, value, RES_MUTEX, name)->object;
		break;
	case EV_SIGNAL:
	case EV_BROAD:
		ev->object.cond = resource(p, value, RES_COND, name)->object;
		break;
	case EV_SUSPEND:
		if (!*name)
			name = p->task->name;
		/* fallthrough */
	case EV_RESUME:
		ev->object.cond = resource(p, value, RES_COND, name)->object;
		ev->mutex = resource(p, value, RES_MUTEX, name)->object;
		break;
	case EV_BARRIER:
		barrier = ev->object.barrier = resource(p, value, RES_BARRIER, name)->object;
		barrier->users += p->task->instances;
		break;
	case EV_FORK:
		read_fork(p, value, name, ev);
		break;
	}
}

/* Bytes into what they cost. */
static void read_bytes(struct rtapp_parser *p, struct json_object *value, struct rtapp_event *ev)
{
	u64 bytes = rtapp_integer(p, value, "a number of bytes", 0, RTAPP_MAX_US);

	ev->ns = bytes / MEM_BYTES_PER_NS;
	if (ev->kind == EV_MEM) {
		workload_note(&p->app->w,
			      "%s: \"mem\" is modelled as %u bytes per ns of computing; caches and "
			      "memory bandwidth are not modelled",
			      p->file, MEM_BYTES_PER_NS);
		return;
	}
	ev->ns = DIV_ROUND_UP(bytes, p->mem_buffer_size) * IO_WRITE_NS;
	workload_note(&p->app->w,
		      "%s: \"iorun\" is modelled as %u ns per write of mem_buffer_size%s", p->file,
		      IO_WRITE_NS,
		      p->io_null ? "" : "; io_device is taken to be as fast as /dev/null");
}

static bool value_fits(const struct event_type *type, struct json_object *value)
{
	switch (type->value) {
	case VALUE_US:
	case VALUE_BYTES:
		return json_object_is_type(value, json_type_int);
	case VALUE_MEM:
		return json_object_is_type(value, json_type_int) ||
		       json_object_is_type(value, json_type_object);
	case VALUE_NAME:
		return json_object_is_type(value, json_type_string);
	case VALUE_TIMER:
	case VALUE_WAIT:
		return json_object_is_type(value, json_type_object);
	case VALUE_ANY:
		break;
	}
	return true;
}

/* rt-app 1.0 leaves such events out; a plain mistake deserves better. */
static void misfit(struct rtapp_parser *p, const char *key, const struct event_type *type,
		   struct json_object *value)
{
	static const char *const expected[] = {
		[VALUE_US] = "a whole number of microseconds",
		[VALUE_BYTES] = "a whole number of bytes",
		[VALUE_MEM] = "a whole number of bytes, or an object that says which pages",
		[VALUE_NAME] = "a name (text)",
		[VALUE_TIMER] = "{ \"ref\": name, \"period\": us, \"mode\": \"relative\" or "
				"\"absolute\" }",
		[VALUE_WAIT] = "{ \"ref\": condition, \"mutex\": name }",
	};
	size_t len = strlen(type->key);

	if (key[len + strspn(key + len, "0123456789")] ||
	    json_object_is_type(value, json_type_boolean))
		rtapp_note(p, value,
			   "\"%s\" is read as the event \"%s\", but takes %s: left out, as by "
			   "rt-app 1.0 (did older versions use it?)",
			   key, type->key, expected[type->value]);
	else
		rtapp_error(p, value, "\"%s\" takes %s, not %.64s", key, expected[type->value],
			    json_object_to_json_string(value));
}

bool rtapp_read_event(struct rtapp_parser *p, const char *key, struct json_object *value,
		      struct rtapp_event *ev)
{
	const struct event_type *type = find_type(key);

	VRT_ASSERT(type);
	if (!value_fits(type, value)) {
		misfit(p, key, type, value);
		return false;
	}
	if (++p->nr_events > RTAPP_MAX_EVENTS)
		rtapp_error(p, value, "more than %u events in the file", RTAPP_MAX_EVENTS);
	ev->kind = type->kind;
	switch (type->value) {
	case VALUE_US:
		ev->ns = NSEC_PER_USEC *
			 rtapp_integer(p, value, "a time in microseconds", 0, RTAPP_MAX_US);
		break;
	case VALUE_BYTES:
		read_bytes(p, value, ev);
		break;
	case VALUE_MEM:
		if (json_object_is_type(value, json_type_int)) {
			read_bytes(p, value, ev);
			break;
		}
		ev->kind = EV_PAGES;
		ev->object.pages = rtapp_read_pages(p, value);
		break;
	case VALUE_NAME:
		read_named(p, value, ev);
		break;
	case VALUE_TIMER:
		read_timer(p, key, value, ev);
		break;
	case VALUE_WAIT:
		read_wait(p, key, value, ev);
		break;
	case VALUE_ANY:
		break;
	}
	return !p->failed;
}
