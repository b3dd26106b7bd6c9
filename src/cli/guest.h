/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs on a real kernel: the same object and the same workload, handed to the
 * agent (src/vm) in a guest, whose records give the same figures.
 */
#ifndef VRT_CLI_GUEST_H
#define VRT_CLI_GUEST_H

#include "run.h"

struct vm;

/* Where the agent is: VRT_AGENT, beside the build, or as installed. Malloc'd. */
char *guest_agent_path(void);
/* How long a guest may be silent, on top of what it was asked to do. */
u32 guest_patience_ms(void);
/*
 * A guest for runs of @plan, with the CPUs of its machine. @kernel: as
 * kernel_find() takes it. NULL with a message.
 */
struct vm *guest_boot(const struct run_plan *plan, const char *kernel, char *err, size_t err_size);
/* The same of this host's own kernel. */
struct vm *guest_this_host(char *err, size_t err_size);
/* 0, or -EINVAL and what of @plan only the simulated machine can do, or not this @target. */
int guest_check_plan(const struct run_plan *plan, const struct run_target *target, char *err,
		     size_t err_size);
/* Its --at: the same for them, into the settings of run.h, and what came of it into "timeline". */
int guest_check_actions(const struct run_plan *plan, bool host, char *err, size_t err_size);
void guest_send_actions(const struct run_plan *plan, struct json_object *settings);
void guest_add_timeline(struct json_object *end, struct json_object *run);
/* A file for what is asked of @vm next. 0 or -errno. */
struct strbuf;
int guest_send_file(struct vm *vm, const char *name, const struct strbuf *content);
/* The strings of @list, as an array @key of @settings. */
void guest_add_list(struct json_object *settings, const char *key, const struct text_list *list);
/*
 * guest_beside.c: the module for @vm, whose kernel is @image, if there is one;
 * the objects of --with; they and --cgroup in the settings of run.h, and how they
 * fared into "with" and "cgroups" of @run.
 */
int guest_send_module(struct vm *vm, const char *image);
enum loader_status guest_send_beside(const struct run_plan *plan, struct vm *vm,
				     loader_warn_fn warn, void *arg, struct loader_error *error);
void guest_add_beside(const struct run_plan *plan, struct json_object *settings);
void guest_take_beside(const struct run_plan *plan, struct json_object *end,
		       struct json_object *run, bool emulated);
/* The "run" object of docs/json.md for @scheduler in @vm. In a process of its own. */
struct json_object *guest_run(const struct run_plan *plan, const char *scheduler, struct vm *vm);

#endif
