/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run in progress, inside its process; see simulate.c.
 */
#ifndef VRT_CLI_SESSION_H
#define VRT_CLI_SESSION_H

#include "../loader/loader.h"
#include "../sched/ghost.h"
#include "../trace/ftrace.h"
#include "../trace/metrics.h"
#include "../trace/recorder.h"
#include "run.h"

/* The periodic programs that one object brought: numbers of kernel_periodic_stats(). */
struct periodic_range {
	u32 first, end;
};

/* An object beside the scheduler. */
struct beside {
	struct loader *loader;
	struct json_object *json; /* its entry of "with" */
	struct periodic_range periodic;
	u64 attached_at;
};

struct session {
	const struct run_plan *plan;
	struct json_object *run, *log, *warnings, *timeline, *attachments, *with, *end;
	char label[64]; /* of the run */
	enum kernel_generation generation;
	u64 log_dropped, bpf_lines;

	struct metrics *metrics;
	struct recorder *recorder;
	struct order *order; /* on one CPU; else NULL */
	u64 text_left; /* see trace/stream.h */
	const char **group_names;

	struct loader *loader; /* of what is or was attached; NULL: fair alone */
	struct ghost_enclave *enclave; /* of a ghOSt scheduler; NULL: it is none */
	const char *scheduler; /* as given */
	struct json_object *attachment; /* its entry */
	struct periodic_range periodic; /* of the scheduler's object */
	u64 attached_at;
	u32 restarts;

	struct beside *beside; /* of each plan->with, those that are attached */
	u32 nr_beside;
	u64 *watch_due; /* of each plan->watches: when to print next */
	struct ftrace *pipe; /* of plan->pipe */

	u64 start; /* of the workload */
	u64 wall_ns, cpu_ns; /* of this host, that the run took */
	u64 first_decision; /* wall_clock() when a task was first given a CPU; 0: not yet */
};

/* --- session_log.c --------------------------------------------------------- */

/* A line of the kernel's log, or of bpf_printk(). */
void session_log(struct session *s, u64 time, bool bpf, const char *line);
/* Something that the user should know; @arg is the session. */
void session_warn(const char *line, void *arg);

/* --- attach.c -------------------------------------------------------------- */

/* ns since the workload's start; 0 before it. */
u64 since_start(const struct session *s, u64 time);
/* Puts @scheduler in charge. Anything but LOADER_OK leaves fair alone in charge. */
enum loader_status attach(struct session *s, const char *scheduler, struct loader_error *error);
/*
 * Takes the scheduler out. @kind and @reason say why, unless it had left by
 * itself before, or fails on the way out.
 */
void detach(struct session *s, const char *kind, const char *reason);
/* The same during the run: a failure is noted, and the rest of the run is fair's. */
void swap_scheduler(struct session *s, const char *scheduler, const char *what);
/*
 * A scheduler may ask its loader to start it again, as they do when CPUs come
 * and go (SCX_ECODE_ACT_RESTART). Real loaders then open the object anew.
 */
void restart_if_asked(struct session *s);
/* An entry of "timeline"; @error NULL: it worked. @text (may be NULL): what there was to see. */
/* --at nice=, cpus= and cgroup=: of all tasks of a name. */
void change_tasks(struct session *s, const struct timed_action *a);
void note_action(struct session *s, const char *what, const char *error, const char *text);
/* The run has failed, before it began. */
void session_fail(struct session *s, const struct loader_error *error);
/* Opens and loads an object for this run, @ops its table or NULL; NULL with the reason in @error. */
struct loader *load_object(struct session *s, const char *name, const char *ops,
			   const struct text_list *set, const struct text_list *init_progs,
			   struct loader_error *error);

/* --- enclave.c -------------------------------------------------------------- */

/* Before and after the scheduler's programs are attached. */
enum loader_status enclave_create(struct session *s, struct loader_error *error);
enum loader_status enclave_start(struct session *s, const char *scheduler,
				 struct loader_error *error);
/* Ends it, and gives its figures ("ghost" of an attachment) and how it had ended. */
struct json_object *enclave_close(struct session *s, struct ghost_exit_record *exit);
/* Does @fn to a living enclave. NULL, or why that is not possible. */
const char *enclave_act(struct session *s, void (*fn)(struct ghost_enclave *enclave));

/* --- beside.c ---------------------------------------------------------------- */

/* Loads and attaches what --with asks for. False: the run has failed, and says why. */
bool beside_attach(struct session *s);
/* Writes down how they fared, and takes them out; what is out already stays so. */
void beside_detach(struct session *s);
/* How many periodic programs there have been. */
u32 periodic_count(void);
/* Their figures, as an array; attached at @since. */
struct json_object *periodic_json(const struct periodic_range *range, u64 since);

/* --- watch.c ------------------------------------------------------------------ */

/* Is every map there that --watch and --print name? Otherwise the run has failed, and says why. */
bool watch_check(struct session *s);
/* From now on. */
void watch_start(struct session *s);
/* When the next map is due; ~0: never. */
u64 watch_next(const struct session *s);
/* Prints the maps that are due. */
void watch_print(struct session *s);
/* --at TIME:print=MAP */
void print_map(struct session *s, const char *map, const char *what);
/* --print: the scheduler has been taken out, and its object is still there. */
void print_last(struct session *s);

/* --- cgroups.c ---------------------------------------------------------------- */

/* Makes what --cgroup asks for. False: the run has failed, and says why. */
bool cgroups_make(struct session *s);
/* How they fared, as an array. */
struct json_object *cgroups_json(const struct session *s);

#endif
