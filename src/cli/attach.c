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

static enum loader_status load_and_attach(struct session *s, const char *scheduler,
					  struct loader_error *error)
{
	const struct run_options *o = &s->plan->options;
	struct loader_options opts = {
		.set = o->set.items,
		.nr_set = o->set.nr,
		.init_progs = o->init_progs.items,
		.nr_init_progs = o->init_progs.nr,
		.include_dirs = o->include_dirs.items,
		.nr_include_dirs = o->include_dirs.nr,
		.topology = &s->plan->topology,
		.verbose = o->verbose,
	};
	char *file = scheduler_file(scheduler);
	enum loader_status status;

	if (!file) {
		error->status = LOADER_ERR_USAGE;
		snprintf(error->message, sizeof(error->message),
			 "'%s' is no file, no class (eevdf) and no policy that ships (as fifo); "
			 "set VRT_SCHEDULERS to the directory of those, if they are elsewhere",
			 scheduler);
		return error->status;
	}
	s->loader = loader_open(file, &opts, session_warn, s, error);
	free(file);
	if (!s->loader)
		return error->status;
	status = loader_load(s->loader, error);
	if (status == LOADER_OK)
		status = loader_attach(s->loader, error);
	if (status != LOADER_OK) {
		loader_close(s->loader);
		s->loader = NULL;
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
			       s->loader ? json_text(loader_name(s->loader)) : NULL);
	json_add_string(s->attachment, "object", s->loader ? loader_object_hash(s->loader) : NULL);
	json_add_u64(s->attachment, "attached_ns", since_start(s, kernel_now()));
	json_object_array_add(s->attachments, s->attachment);
}

enum loader_status attach(struct session *s, const char *scheduler, struct loader_error *error)
{
	enum loader_status status = LOADER_OK;

	if (!scheduler_is_class(scheduler))
		status = load_and_attach(s, scheduler, error);
	if (status != LOADER_OK)
		return status;
	s->scheduler = scheduler;
	add_attachment(s, scheduler);
	return LOADER_OK;
}

static struct json_object *end_json(const struct session *s, const struct scx_exit_record *exit,
				    const char *kind, const char *reason, u64 time)
{
	struct json_object *end = json_object_new_object();

	json_add_string(end, "kind", kind);
	json_object_object_add(end, "reason", json_text(reason));
	json_object_object_add(end, "message", json_text(exit ? exit->message : ""));
	json_object_object_add(end, "exit_code", json_object_new_int64(exit ? exit->exit_code : 0));
	json_add_u64(end, "time_ns", since_start(s, time));
	json_object_object_add(end, "dump", json_text(exit ? exit->dump : NULL));
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

void detach(struct session *s, const char *kind, const char *reason)
{
	const struct scx_exit_record *exit;
	u64 now = kernel_now();
	bool alive;

	if (!s->loader) {
		keep_end(s, end_json(s, NULL, kind, reason, now));
		return;
	}
	alive = kernel_scx_exit()->attached;
	loader_close(s->loader);
	s->loader = NULL;
	exit = kernel_scx_exit();
	if (alive && exit->kind < SCX_EXIT_ERROR)
		keep_end(s, end_json(s, NULL, kind, reason, now));
	else
		keep_end(s, end_json(s, exit, exit_kind_name(exit->kind), exit->reason,
				     s->detached_at));
}

/* --- during the run ---------------------------------------------------------- */

void note_action(struct session *s, const char *what, const char *error)
{
	struct json_object *entry = json_object_new_object();

	json_add_u64(entry, "time_ns", since_start(s, kernel_now()));
	json_object_object_add(entry, "action", json_text(what));
	json_object_object_add(entry, "error", json_text(error));
	json_object_array_add(s->timeline, entry);
}

void swap_scheduler(struct session *s, const char *scheduler, const char *what)
{
	struct loader_error error = {};

	if (attach(s, scheduler, &error) == LOADER_OK) {
		note_action(s, what, NULL);
		return;
	}
	note_action(s, what, error.message);
	loader_error_free(&error);
	/* the rest of the run is fair's */
	s->scheduler = "eevdf";
	add_attachment(s, s->scheduler);
}

void restart_if_asked(struct session *s)
{
	const struct scx_exit_record *exit = kernel_scx_exit();

	if (!s->loader || exit->attached || !s->detached_at || exit->kind >= SCX_EXIT_ERROR ||
	    !((u64)exit->exit_code & SCX_ECODE_ACT_RESTART) || s->restarts == MAX_RESTARTS)
		return;
	s->restarts++;
	detach(s, "unreg_kern", exit->reason);
	swap_scheduler(s, s->scheduler, "restart, as the scheduler asked for");
}
