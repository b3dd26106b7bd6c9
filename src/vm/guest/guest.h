/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent: one static program that is all there is in a guest. As process 1
 * it sets up the few file systems that it needs and waits for runs; each run is
 * a process of its own, so that whatever goes wrong in one, the next finds a
 * clean agent.
 */
#ifndef VRT_VM_GUEST_H
#define VRT_VM_GUEST_H

#include "../../base/strbuf.h"
#include "../../loader/loader.h"
#include "../../sched/kernel.h"
#include "../channel.h"

struct json_object;

#define GUEST_DIR "/tmp" /* of a guest: where FILE messages are put, and the working directory */

/* init.c */
void init_mount(void);
/* The virtio port of vrt, waiting for it a little. -errno. */
int init_open_port(void);
/* No return. */
void init_power_off(void);

/* verify.c: only the verdicts of the kernel, as @settings say, in a process of its own. */
void verify_main(int fd, struct json_object *settings);

/* control.c: an experiment of src/control as @settings say, in a process of its own. */
void control_main(int fd, struct json_object *settings);

/* session.c: a run as @settings says, in a process of its own. */
void session_main(int fd, struct json_object *settings);

/* actions.c: what happens during a run, and its account: the "timeline" of END. */
struct guest_action {
	u64 at; /* ns since the workload's start */
	const char *what, *value; /* see run.h */
	const char *text;
};
void actions_open(struct json_object *settings);
/* The next one that is to be done; NULL: there is none. */
const struct guest_action *actions_next(void);
/* It was done at @time, in vain if there is an @error; @text: what there is to see, or NULL. */
void actions_done(u64 time, const char *error, const char *text);
/* Something else that belongs into the account. */
void actions_note(u64 time, const char *what, const char *error, const char *text);
/* Of what has happened up to now; the caller's. */
struct json_object *actions_timeline(void);
/* -errno as the kernel gives it. */
int actions_set_online(u32 cpu, bool online);
/* Brings back all CPUs: a run leaves the machine as it found it, however it ended. */
void actions_restore(void);

/*
 * beside.c: objects of periodic programs beside the scheduler, as the settings say;
 * the "with" of END, without the names of objects.
 */
enum loader_status beside_attach(struct json_object *settings, loader_warn_fn warn,
				 struct loader_error *error);
/* Loads schedbpf, unless it is there. */
enum loader_status beside_need_module(struct loader_error *error);
struct json_object *beside_json(void);
/* The first that has a map of that name which can be printed, or NULL. */
struct loader *beside_with_map(const char *map);
void beside_detach(void);

/* cgroups.c: mounts them; 0 or -errno. */
int cgroups_mount(void);
/* As the settings say: 0, or -errno and a sentence. The "cgroups" of END. */
int cgroups_make(struct json_object *settings, char *err, size_t err_size);
struct json_object *cgroups_json(void);
void cgroups_remove(void);
/* A process, or a kernel thread. 0 or -errno. */
int cgroups_move(const char *group, pid_t pid);
/* Of one that may be somebody else's: for how long it was throttled, ns. */
u64 cgroups_throttled(const char *group);

/* tracer.c: what the kernel does, as records. */
struct tracer;
struct trace_record;
/* NULL with a sentence in @err. */
struct tracer *tracer_start(char *err, size_t err_size);
/* The task is one of the workload's: its first wakeup is that of a new task. */
void tracer_know(struct tracer *t, s32 pid);
/* Hands over what has gathered. Records lost so far. */
u64 tracer_poll(struct tracer *t, void (*record)(const struct trace_record *rec));
/* The kernel's dump of a scheduler that it has thrown out; "": there was none. */
const char *tracer_dump(struct tracer *t);
/* Descriptors of the maps that records go through, for other programs. */
int tracer_records_fd(const struct tracer *t);
int tracer_lost_fd(const struct tracer *t);
void tracer_stop(struct tracer *t);

/*
 * ops.c: the calls of the scheduler's operations, among the tracer's records. Between
 * loader_load() and loader_attach(). What cannot be recorded is told by @warn.
 */
struct loader;
struct ops_tracer;
struct ops_tracer *ops_tracer_start(const struct loader *l, const struct tracer *tracer,
				    void (*warn)(const char *line, void *arg));
/* Has ops.exit() been called? With what? (records.h) */
struct ops_exit;
bool ops_tracer_exit(const struct ops_tracer *t, struct ops_exit *info);
/* NULL is fine. */
void ops_tracer_stop(struct ops_tracer *t);

#endif
