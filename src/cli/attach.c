// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is in charge during a run: attaching, detaching, swapping, restarting,
 * and how each scheduler ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "session.h"

/* Schedulers that ask for a restart on every occasion are not indulged for ever. */
#define MAX_RESTARTS 100

static const char *exit_kind_name(enum scx_exit_kind kind)
{
	switch (kind) {
	case SCX_EXIT_UNREG:
		return "unreg";
	case SCX_EXIT_UNREG_BPF:
		return "unreg_bpf";
	case SCX_EXIT_UNREG_KERN:
		return "unreg_kern";
	case SCX_EXIT_SYSRQ:
		return "sysrq";
	case SCX_EXIT_ERROR:
		return "error";
	case SCX_EXIT_ERROR_BPF:
		return "error_bpf";
	case SCX_EXIT_ERROR_STALL:
		return "error_stall";
	case SCX_EXIT_NONE:
	case SCX_EXIT_DONE:
		break;
	}
	return "done";
}

u64 since_start(const struct session *s, u64 time)
{
	return s->start && time > s->start ? time - s->start : 0;
}

struct loader *load_object(struct session *s, const char *name, const char *ops,
			   const struct text_list *set, const struct text_list *init_progs,
			   struct loader_error *error)
{
	const struct run_options *o = &s->plan->options;
	struct loader_options opts = {
		.set = set->items,
		.nr_set = set->nr,
		.init_progs = init_progs->items,
		.nr_init_progs = init_progs->nr,
		.include_dirs = o->include_dirs.items,
		.nr_include_dirs = o->include_dirs.nr,
		.ops = ops,
		.topology = &s->plan->topology,
		.generation = s->generation,
		.verbose = o->verbose,
	};
	char *file = scheduler_file(name);
	struct loader *loader;

	if (!file) {
		error->status = LOADER_ERR_USAGE;
		snprintf(error->message, sizeof(error->message),
			 "'%s' is no file, no class (eevdf) and no policy that ships (as fifo); "
			 "set VRT_SCHEDULERS to the directory of those, if they are elsewhere",
			 name);
		return NULL;
	}
	loader = loader_open(file, &opts, session_warn, s, error);
	free(file);
	if (loader && loader_load(loader, error) != LOADER_OK) {
		loader_close(loader);
		loader = NULL;
	}
	return loader;
}

static const char *failure_reason(enum loader_status status)
{
	switch (status) {
	case LOADER_ERR_USAGE:
		return "bad file or setting";
	case LOADER_ERR_COMPILE:
		return "does not compile";
	case LOADER_ERR_OBJECT:
		return "unusable object";
	case LOADER_ERR_LOAD:
		return "refused at load";
	case LOADER_ERR_ATTACH:
	case LOADER_OK:
		break;
	}
	return "refused at attach";
}

void session_fail(struct session *s, const struct loader_error *error)
{
	run_set_failure(s->run, "not_loaded", failure_reason(error->status), error->message,
			error->log);
}

static enum loader_status check_kinds(const char *scheduler, u32 kinds, struct loader_error *error)
{
	if (kinds & (LOADER_SCX | LOADER_GHOST))
		return LOADER_OK;
	snprintf(error->message, sizeof(error->message),
		 "%s: has nothing to schedule with (no sched_ext table, no ghOSt programs); to run it "
		 "beside a scheduler, give it with --with",
		 scheduler);
	return error->status = LOADER_ERR_USAGE;
}

/* The enclave first: ghOSt programs are attached to it. */
static enum loader_status attach_ghost(struct session *s, const char *scheduler,
				       struct loader_error *error)
{
	enum loader_status status = enclave_create(s, error);

	if (status == LOADER_OK)
		status = loader_attach(s->loader, error);
	if (status == LOADER_OK)
		status = enclave_start(s, scheduler, error);
	if (status != LOADER_OK && s->enclave) {
		ghost_enclave_close(s->enclave);
		s->enclave = NULL;
	}
	return status;
}

static enum loader_status load_and_attach(struct session *s, const char *scheduler,
					  struct loader_error *error)
{
	const struct run_options *o = &s->plan->options;
	enum loader_status status;
	struct text_list set;
	char *copy;
	u32 kinds;

	scheduler_settings(s->plan, scheduler, &set, &copy);
	s->loader = load_object(s, scheduler, o->ops, &set, &o->init_progs, error);
	free(copy);
	if (!s->loader)
		return error->status;
	kinds = loader_kinds(s->loader);
	status = check_kinds(scheduler, kinds, error);
	if (status == LOADER_OK)
		status = kinds & LOADER_GHOST ? attach_ghost(s, scheduler, error) :
						loader_attach(s->loader, error);
	if (status != LOADER_OK) {
		loader_close(s->loader);
		s->loader = NULL;
	} else if (o->enclave && !(kinds & LOADER_GHOST)) {
		session_warn("--enclave: this is no ghOSt scheduler: it has the whole machine", s);
	}
	return status;
}

static void add_attachment(struct session *s, const char *scheduler)
{
	char label[64];

	s->attachment = json_object_new_object();
	json_object_object_add(s->attachment, "scheduler",
			       json_text(scheduler_label(scheduler, label, sizeof(label))));
	json_object_object_add(s->attachment, "ops",
			       s->loader && *loader_name(s->loader) ?
				       json_text(loader_name(s->loader)) :
				       NULL);
	json_add_string(s->attachment, "object", s->loader ? loader_object_hash(s->loader) : NULL);
	s->attached_at = kernel_now();
	json_add_u64(s->attachment, "attached_ns", since_start(s, s->attached_at));
	json_object_array_add(s->attachments, s->attachment);
}

enum loader_status attach(struct session *s, const char *scheduler, struct loader_error *error)
{
	enum loader_status status = LOADER_OK;

	s->periodic.first = periodic_count();
	if (!scheduler_is_class(scheduler))
		status = load_and_attach(s, scheduler, error);
	s->periodic.end = periodic_count();
	if (status != LOADER_OK) {
		s->periodic.first = s->periodic.end;
		return status;
	}
	s->scheduler = scheduler;
	add_attachment(s, scheduler);
	return LOADER_OK;
}

/* --- how it ended -------------------------------------------------------------- */

static struct json_object *end_json(const struct session *s, const char *kind, const char *reason,
				    const char *message, u64 time)
{
	struct json_object *end = json_object_new_object();

	json_add_string(end, "kind", kind);
	json_object_object_add(end, "reason", json_text(reason));
	json_object_object_add(end, "message", json_text(message));
	json_object_object_add(end, "exit_code", json_object_new_int64(0));
	json_add_u64(end, "time_ns", since_start(s, time));
	json_object_object_add(end, "dump", NULL);
	return end;
}

/* An error is how the run ended, whoever came after; otherwise the last end counts. */
static void keep_end(struct session *s, struct json_object *end)
{
	json_add_string(s->attachment, "end", json_string_at(end, "kind"));
	json_object_object_add(s->attachment, "detached_ns",
			       json_object_get(json_at(end, "time_ns")));
	if (s->end && !strncmp(json_string_at(s->end, "kind"), "error", 5)) {
		json_object_put(end);
		return;
	}
	json_object_put(s->end);
	s->end = end;
}

/* NULL: it was in charge until now. */
static struct json_object *detach_scx(struct session *s)
{
	bool alive = kernel_scx_exit()->attached;
	const struct scx_exit_record *exit;
	struct json_object *end;

	loader_detach(s->loader);
	exit = kernel_scx_exit();
	if (alive && exit->kind < SCX_EXIT_ERROR)
		return NULL;
	end = end_json(s, exit_kind_name(exit->kind), exit->reason, exit->message,
		       exit->detached_at);
	json_object_object_add(end, "exit_code", json_object_new_int64(exit->exit_code));
	json_object_object_add(end, "dump", json_text(exit->dump));
	return end;
}

/* As above. The enclave goes before the programs: tasks are never left with half of them. */
static struct json_object *detach_ghost(struct session *s)
{
	static const char *const kinds[] = {
		[GHOST_EXIT_DESTROYED] = "destroyed",
		[GHOST_EXIT_AGENT] = "agent_gone",
		[GHOST_EXIT_STALL] = "error_stall",
		[GHOST_EXIT_FAULT] = "error",
	};
	struct ghost_exit_record exit;

	json_object_object_add(s->attachment, "ghost", enclave_close(s, &exit));
	loader_detach(s->loader);
	if (exit.active)
		return NULL;
	return end_json(s, kinds[exit.kind], exit.reason, exit.message, exit.time);
}

void detach(struct session *s, const char *kind, const char *reason)
{
	struct json_object *end = NULL;
	u64 now = kernel_now();

	json_object_object_add(s->attachment, "ghost", NULL);
	json_object_object_add(s->attachment, "periodic",
			       periodic_json(&s->periodic, s->attached_at));
	if (s->enclave)
		end = detach_ghost(s);
	else if (s->loader)
		end = detach_scx(s);
	print_last(s);
	if (s->loader)
		loader_close(s->loader);
	s->loader = NULL;
	keep_end(s, end ? end : end_json(s, kind, reason, "", now));
}

/* --- during the run ---------------------------------------------------------- */

void note_action(struct session *s, const char *what, const char *error, const char *text)
{
	struct json_object *entry = json_object_new_object();

	json_add_u64(entry, "time_ns", since_start(s, kernel_now()));
	json_object_object_add(entry, "action", json_text(what));
	json_object_object_add(entry, "error", json_text(error));
	json_object_object_add(entry, "text", json_text(text));
	json_object_array_add(s->timeline, entry);
}

void swap_scheduler(struct session *s, const char *scheduler, const char *what)
{
	struct loader_error error = {};

	if (attach(s, scheduler, &error) == LOADER_OK) {
		note_action(s, what, NULL, NULL);
		return;
	}
	note_action(s, what, error.message, NULL);
	loader_error_free(&error);
	/* the rest of the run is fair's */
	s->scheduler = "eevdf";
	add_attachment(s, s->scheduler);
}

void restart_if_asked(struct session *s)
{
	const struct scx_exit_record *exit = kernel_scx_exit();

	if (!s->loader || s->enclave || exit->attached || !exit->detached_at ||
	    exit->kind >= SCX_EXIT_ERROR || !((u64)exit->exit_code & SCX_ECODE_ACT_RESTART) ||
	    s->restarts == MAX_RESTARTS)
		return;
	s->restarts++;
	detach(s, "unreg_kern", exit->reason);
	swap_scheduler(s, s->scheduler, "restart, as the scheduler asked for");
}
