/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kinds of workload (rt-app files, generators) share: the base object
 * that each of them embeds first, and its services.
 *
 * Memory: what a specification says lives as long as the workload and comes
 * from workload_alloc(); what a task that may come and go needs is allocated for
 * the task and freed by its behaviour's release().
 *
 * Shared state of tasks (mutexes, queues) is touched only from behaviours and
 * timer handlers, at global now: next() begins there; after a charge or a
 * wakeup, cpu_sync() gets there again. Both may let other CPUs run: change your
 * state first, then wake, and do not rely on what you read before.
 */
#ifndef VRT_WORKLOAD_INTERNAL_H
#define VRT_WORKLOAD_INTERNAL_H

#include "../sched/kernel.h"
#include "workload.h"

#define WORKLOAD_ERROR_LEN 512
#define WORKLOAD_MAX_NOTES 64

struct workload_ops {
	/* Tasks that start() makes on this machine (nr_cpu_ids). NULL: @nr_tasks. */
	u32 (*nr_tasks)(const struct workload *w);
	/* Creates the tasks with workload_spawn(). 0 or -errno after workload_fail(). */
	int (*start)(struct workload *w);
	/* Line @i of the figures that the tool prints, into @buf. May be NULL. */
	bool (*figure)(struct workload *w, u32 i, char *buf, size_t size);
	/* Frees what workload_alloc() did not give. May be NULL. */
	void (*close)(struct workload *w);
};

struct workload_chunk;

struct workload {
	const struct workload_ops *ops;
	char **groups;
	u32 nr_groups, groups_size;
	u32 nr_tasks; /* that start() will make, if that depends on no machine */
	u64 duration; /* ns, 0: not said */
	char *notes[WORKLOAD_MAX_NOTES];
	u32 nr_notes;

	/* from start() on */
	u32 group_base;
	u64 zero; /* when the first task started, ns since boot */
	struct task **created; /* not yet started; NULL outside of start() */
	u32 nr_created;
	struct task *leader; /* thread group leader while tasks are being created */

	struct workload_chunk *memory;
	char error[WORKLOAD_ERROR_LEN];
	char figure[256];
};

/*
 * Zeroed memory of at least @size bytes for a kind's own object, which starts
 * with its struct workload.
 */
struct workload *workload_new(size_t size, const struct workload_ops *ops);

/* Zeroed memory that lives as long as @w. */
void *workload_alloc(struct workload *w, size_t count, size_t size);
char *workload_strdup(struct workload *w, const char *s);
/* Grows an array from malloc() to hold @count + 1 elements. */
void *workload_grow(void *array, u32 count, u32 *room, size_t size);

/* Returns the id of the new group. */
u32 workload_add_group(struct workload *w, const char *name);
/* Says once what is not modelled; the same sentence again is dropped. */
__printf(2, 3) void workload_note(struct workload *w, const char *fmt, ...);
/* Sets what workload_error() says, and returns @error. */
__printf(3, 4) int workload_fail(struct workload *w, int error, const char *fmt, ...);

/*
 * Creates a task of group @params->group (an id of this workload). Within
 * ops->start() it is started with all others when start() is done; unless
 * @params->new_process it is a thread of the first one of these. From a behaviour it
 * is a fork and starts at once. @data is either the workload's (and the behaviour
 * has no release), or from xcalloc() with workload_release; then it is freed
 * also when creating fails. 0 or -errno, said in workload_error().
 *
 * Parents: a fork's parent is the task that forks, unless @params say.
 */
int workload_spawn(struct workload *w, const struct task_params *params,
		   const struct task_behaviour *behaviour, void *data);
/* A behaviour's release(): frees task_data(). */
void workload_release(struct task *task);

static inline void act(struct task_action *action, enum task_action_kind kind, u64 ns)
{
	action->kind = kind;
	action->ns = ns;
}

/* rt-app files: rtapp_parse.c. @text is the file's content. */
struct workload *rtapp_open(const char *file, const char *text, size_t len, char *err,
			    size_t err_size);

/* A generator: its options are described by a table (options.h). */
struct option_table;
struct generator {
	const char *name;
	const char *summary;
	const struct option_table *options;
	/* @config: filled in from the options. NULL with a message in @err. */
	struct workload *(*open)(const void *config, char *err, size_t err_size);
};

extern const struct generator gen_schbench, gen_hackbench, gen_pipe, gen_rpc, gen_stress, gen_files;

#endif
