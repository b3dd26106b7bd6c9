/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Workloads: what the tasks of a run do. A workload is opened from a
 * specification, tells its groups of tasks (metrics are kept per group), is
 * started once on a booted kernel, and is then only its tasks.
 */
#ifndef VRT_WORKLOAD_WORKLOAD_H
#define VRT_WORKLOAD_WORKLOAD_H

#include "../base/util.h"

struct workload;

#define WORKLOAD_MAX_TASKS 1000000
#define WORKLOAD_MAX_FILE (16U << 20) /* bytes */

/*
 * @spec: a file of rt-app JSON ("web.json"), or a generator with its
 * parameters ("schbench -m 2 -t 16"). NULL with a message in @err: file, line
 * and column for JSON; the option and what it expects for generators.
 */
struct workload *workload_open(const char *spec, char *err, size_t err_size);
/* After kernel_shutdown(): tasks wait on what the workload owns. NULL is fine. */
void workload_close(struct workload *w);

/* The file that @spec names, which need not be there; NULL: it is a generator's. */
const char *workload_file(const char *spec);

/* Groups, in the order of the specification. */
u32 workload_nr_groups(const struct workload *w);
const char *workload_group_name(const struct workload *w, u32 group);
/* Tasks that start() makes (forks come on top); ask once the topology is parsed. */
u32 workload_nr_tasks(const struct workload *w);

/* The duration that the specification asks for, ns; 0 when it does not say. */
u64 workload_duration(const struct workload *w);
/* What could not be modelled: sentence @i, or NULL. */
const char *workload_unmodelled(const struct workload *w, u32 i);

/* Creates and starts the tasks. @group_base is added to group ids. 0 or -errno. */
int workload_start(struct workload *w, u32 group_base);
/* What was wrong with a start that failed (a CPU the machine lacks, a refused task). */
const char *workload_error(const struct workload *w);

/* Line @i of the figures that the tool of the generator's name prints, or NULL. */
const char *workload_figure(struct workload *w, u32 i);

/* The generators, for --help: name and one line; false past the end. */
bool workload_generator(u32 i, const char **name, const char **summary);
/* Its option text, several lines. */
const char *workload_generator_help(const char *name);

#endif
