// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verdicts of the kernel that runs here: each program of an object is loaded
 * by itself, into an object that was opened anew, and closed again. Nothing is
 * attached, and no program runs.
 *
 * A program that the verifier has never seen (its log has no statistics) has no
 * verdict: why it was not asked is told instead.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "../../base/alloc.h"
#include "../../loader/loader.h"
#include "../../sim/topology.h"
#include "../run.h"
#include "guest.h"

#define LOG_PATH 1 /* levels as BPF_PROG_LOAD takes them */
#define LOG_STATS 4
#define EXCERPT_LINES 4
#define EXCERPT_BYTES 1000

struct verify {
	const char *object;
	struct loader_options opts;
	struct topology topology;
	struct json_object *warnings;
};

static void drop_warning(const char *line, void *arg)
{
}

static void keep_warning(const char *line, void *arg)
{
	json_object_array_add(arg, json_object_new_string(line));
}

static void say(struct json_object *obj, const char *key, const char *text)
{
	json_object_object_add(obj, key, json_object_new_string(text));
}

/* --- the kernel's log ------------------------------------------------------------------ */

/* What follows the reason: statistics, and before them the essay of kernels from 7.3 on. */
static bool is_epilogue(const char *line)
{
	static const char *const starts[] = {
		"Verification failed:", "verification time ", "stack depth ", "processed ",
		"mark_read ",
	};

	for (u32 i = 0; i < ARRAY_SIZE(starts); i++)
		if (!strncmp(line, starts[i], strlen(starts[i])))
			return true;
	return false;
}

/* The first line of @log that starts with @start, or NULL. */
static const char *find_line(const char *log, const char *start)
{
	for (const char *line = log; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, start, strlen(start)))
			return line;
	}
	return NULL;
}

static void add_number(struct json_object *program, const char *key, const char *line,
		       const char *before, u64 factor)
{
	const char *at = line ? strstr(line, before) : NULL;

	if (at && at < line + strcspn(line, "\n"))
		json_object_object_add(program, key,
				       json_object_new_uint64(strtoull(at + strlen(before), NULL, 10) *
							      factor));
}

/* The depth of all functions, as "32+8"; from 7.3 on as "max 40". */
static void add_stack(struct json_object *program, const char *line)
{
	u64 depth = 0;
	char *end;

	if (!line)
		return;
	line += strlen("stack depth ");
	if (!strncmp(line, "max ", strlen("max ")))
		line += strlen("max ");
	do {
		depth += strtoull(line, &end, 10);
		line = end + 1;
	} while (*end == '+');
	json_object_object_add(program, "stack_depth", json_object_new_uint64(depth));
}

/* False: the verifier has not spoken. */
static bool add_statistics(struct json_object *program, const char *log)
{
	const char *line = find_line(log, "processed ");

	if (!line)
		return false;
	add_number(program, "processed", line, "processed ", 1);
	add_number(program, "max_states_per_insn", line, "max_states_per_insn ", 1);
	add_number(program, "states", line, "total_states ", 1);
	add_number(program, "peak_states", line, "peak_states ", 1);
	add_number(program, "duration_ns", find_line(log, "verification time "),
		   "verification time ", NSEC_PER_USEC);
	add_stack(program, find_line(log, "stack depth "));
	return true;
}

/* The last lines before the epilogue: why. */
static void add_excerpt(struct json_object *program, const char *log)
{
	const char *lines[EXCERPT_LINES] = {}, *line = log, *end = log, *start;
	u32 nr = 0;

	for (; *line && !is_epilogue(line); line += strcspn(line, "\n"), line += *line == '\n') {
		if (*line == '\n')
			continue;
		lines[nr++ % EXCERPT_LINES] = line;
		end = line + strcspn(line, "\n");
	}
	start = nr ? lines[nr < EXCERPT_LINES ? 0 : nr % EXCERPT_LINES] : log;
	if (end - start > EXCERPT_BYTES)
		start = end - EXCERPT_BYTES;
	json_object_object_add(program, "message",
			       json_object_new_string_len(start, (int)(end - start)));
}

/* --- a program --------------------------------------------------------------------------- */

/* "object.bpf.o: ", which is how the file is called here, is not worth telling. */
static void not_asked(struct json_object *program, const struct verify *v, const char *why)
{
	size_t len = strlen(v->object);

	if (!strncmp(why, v->object, len) && !strncmp(why + len, ": ", 2))
		why += len + 2;
	say(program, "verdict", "not asked");
	say(program, "message", why);
}

static const char *log_of(const struct loader *l, const char *name)
{
	struct loader_program p;

	for (u32 i = 0; loader_program(l, i, &p); i++)
		if (!strcmp(p.name, name))
			return p.log ? p.log : "";
	return "";
}

static bool is_loaded(const struct loader *l, const char *name)
{
	struct loader_program p;

	for (u32 i = 0; loader_program(l, i, &p); i++)
		if (!strcmp(p.name, name))
			return p.fd >= 0;
	return false;
}

static void load(const struct verify *v, struct loader *l, struct json_object *program,
		 const char *name)
{
	u32 kinds = loader_kinds(l);
	struct loader_error error = {};
	enum loader_status status;

	if (kinds & (LOADER_GHOST | LOADER_PERIODIC)) {
		not_asked(program, v,
			  kinds & LOADER_GHOST ? "ghOSt programs are known to vruntime only" :
						 "periodic programs are known to vruntime only");
		return;
	}
	status = loader_load(l, &error);
	if (status == LOADER_OK && !is_loaded(l, name)) {
		not_asked(program, v, "the object does not load it unless it is asked to");
	} else if (!add_statistics(program, log_of(l, name))) {
		not_asked(program, v,
			  status == LOADER_OK ? "its kernel keeps no statistics" : error.message);
	} else {
		say(program, "verdict", status == LOADER_OK ? "accepted" : "refused");
		if (status != LOADER_OK)
			add_excerpt(program, log_of(l, name));
		say(program, "log", log_of(l, name));
	}
	loader_error_free(&error);
}

static struct json_object *ask(const struct verify *v, const char *name, u32 log_level)
{
	struct json_object *program = json_object_new_object();
	struct loader_options opts = v->opts;
	struct loader_error error = {};
	struct loader *l;

	opts.only = name;
	opts.log_level = log_level;
	say(program, "name", name);
	l = loader_open(v->object, &opts, drop_warning, NULL, &error);
	if (l)
		load(v, l, program, name);
	else
		not_asked(program, v, error.message);
	loader_close(l);
	loader_error_free(&error);
	return program;
}

static bool is_refused(struct json_object *program)
{
	return !strcmp(json_object_get_string(json_object_object_get(program, "verdict")), "refused");
}

/* The time counts without a log; the way to a refusal takes one. */
static struct json_object *ask_twice(const struct verify *v, const char *name, u32 log_level)
{
	struct json_object *program = ask(v, name, log_level | LOG_STATS), *again;

	if (is_refused(program) && !(log_level & LOG_PATH)) {
		again = ask(v, name, LOG_PATH | LOG_STATS);
		json_object_object_add(program, "message",
				       json_object_get(json_object_object_get(again, "message")));
		json_object_put(again);
	}
	if (!log_level)
		json_object_object_del(program, "log");
	return program;
}

/* --- the object ---------------------------------------------------------------------------- */

static void ask_all(struct verify *v, u32 log_level, struct json_object *end)
{
	struct json_object *programs = json_object_new_array();
	struct loader_error error = {};
	struct loader_program p;
	struct loader *l = loader_open(v->object, &v->opts, keep_warning, v->warnings, &error);

	if (!l)
		say(end, "message", error.message);
	for (u32 i = 0; l && loader_program(l, i, &p); i++)
		json_object_array_add(programs, ask_twice(v, p.name, log_level));
	json_object_object_add(end, "programs", programs);
	loader_close(l);
	loader_error_free(&error);
}

static void read_settings(struct verify *v, struct json_object *settings)
{
	struct json_object *list = json_object_object_get(settings, RUN_KEY_SET);
	const char *machine = json_object_get_string(json_object_object_get(settings,
									    RUN_KEY_MACHINE));
	size_t nr = list ? json_object_array_length(list) : 0;
	const char **set = xcalloc(nr + 1, sizeof(*set));
	char err[256];

	for (size_t i = 0; i < nr; i++)
		set[i] = json_object_get_string(json_object_array_get_idx(list, i));
	v->object = json_object_get_string(json_object_object_get(settings, RUN_KEY_OBJECT));
	v->opts = (struct loader_options){
		.set = set, .nr_set = (u32)nr, .any_object = true, .host = true, .host_all = true,
	};
	if (machine && !topology_parse(&v->topology, machine, err, sizeof(err)))
		v->opts.topology = &v->topology;
	v->warnings = json_object_new_array();
}

void verify_main(int fd, struct json_object *settings)
{
	struct json_object *end = json_object_new_object(), *level;
	struct verify v = {};
	struct utsname name;

	read_settings(&v, settings);
	level = json_object_object_get(settings, RUN_KEY_VERIFY);
	uname(&name);
	say(end, "release", name.release);
	ask_all(&v, (u32)json_object_get_uint64(level), end);
	json_object_object_add(end, "warnings", v.warnings);
	channel_send_text(fd, CHANNEL_END, json_object_to_json_string(end));
	json_object_put(end);
	free((void *)v.opts.set);
}
