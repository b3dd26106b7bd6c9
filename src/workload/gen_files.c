// SPDX-License-Identifier: GPL-2.0-only
/*
 * Services that open files: each task, time and again, opens one of its files,
 * or one that is not there, reads a little, closes it, computes and sleeps. For
 * programs that trace system calls; the load on the scheduler is light.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/rng.h"
#include "figures.h"
#include "internal.h"
#include "options.h"

#define MAX_TASKS 4096
#define MAX_FILES 256
#define READ_ONLY 0
#define PATH_SIZE 48
#define FILE_SIZE 2000
#define READ_SIZE 4096

struct config {
	u64 tasks, files, interval, work, missing;
};

struct service {
	struct files *files;
	struct rng rng;
	enum { F_OPEN, F_READ, F_WORK, F_SLEEP } state;
	int fd;
};

struct files {
	struct workload w;
	struct config config;
	struct service *services;
	u32 group;
	u64 opened, failed;
};

static void path_of(u64 index, char path[PATH_SIZE])
{
	static const char *const places[] = {
		"/etc/service/%llu.conf", "/var/lib/service/%llu.db", "/usr/share/service/%llu.txt",
	};

	snprintf(path, PATH_SIZE, places[index % ARRAY_SIZE(places)], index);
}

static void open_some(struct service *s)
{
	struct files *files = s->files;
	bool missing = rng_below(&s->rng, 100) < files->config.missing;
	u64 index = rng_below(&s->rng, files->config.files);
	char path[PATH_SIZE];

	/* what is beyond the last is not there */
	path_of(missing ? files->config.files + index : index, path);
	s->fd = sys_openat2(path, READ_ONLY);
	if (s->fd >= 0)
		files->opened++;
	else
		files->failed++;
	task_report_ops(1);
}

static void service_next(struct task *self, struct task_action *action)
{
	struct service *s = task_data(self);
	const struct config *config = &s->files->config;

	switch (s->state) {
	case F_OPEN:
		open_some(s);
		s->state = s->fd >= 0 ? F_READ : F_WORK;
		act(action, ACT_COMPUTE, config->work / 4);
		return;
	case F_READ:
		sys_read(s->fd, READ_SIZE);
		sys_close(s->fd);
		/* fallthrough */
	case F_WORK:
		s->state = F_SLEEP;
		act(action, ACT_COMPUTE, config->work);
		return;
	case F_SLEEP:
		s->state = F_OPEN;
		act(action, ACT_SLEEP, rng_exponential(&s->rng, config->interval));
		return;
	}
}

static int files_start(struct workload *w)
{
	static const struct task_behaviour behaviour = {
		.next = service_next, .name = "files:service",
	};
	struct files *files = container_of(w, struct files, w);
	char comm[TASK_COMM_LEN], path[PATH_SIZE];
	struct task_params params = { .comm = comm, .group = files->group, .new_process = true };
	int err = 0;

	for (u64 i = 0; i < files->config.files && !err; i++) {
		path_of(i, path);
		err = kernel_make_file(path, FILE_SIZE);
	}
	if (err)
		return workload_fail(w, err, "files: %s could not be made: %s", path,
				     strerror(-err));
	files->services = workload_alloc(w, files->config.tasks, sizeof(*files->services));
	for (u32 i = 0; i < files->config.tasks && !err; i++) {
		struct service *s = &files->services[i];

		snprintf(comm, sizeof(comm), "service-%u", i);
		s->files = files;
		workload_rng(&s->rng, "files.service", i);
		err = workload_spawn(w, &params, &behaviour, s);
	}
	return err;
}

static bool files_figure(struct workload *w, u32 i, char *buf, size_t size)
{
	const struct files *files = container_of(w, struct files, w);

	snprintf(buf, size, "%llu opened, %llu not there", files->opened, files->failed);
	return i == 0;
}

static const struct workload_ops files_ops = {
	.start = files_start,
	.figure = files_figure,
};

static struct workload *files_open(const void *options, char *err, size_t err_size)
{
	const struct config *config = options;
	struct workload *w = workload_new(sizeof(struct files), &files_ops);
	struct files *files = container_of(w, struct files, w);

	files->config = *config;
	files->group = workload_add_group(w, "service");
	w->nr_tasks = (u32)config->tasks;
	return w;
}

#define FIELD(f) offsetof(struct config, f)

static const struct option_spec files_options[] = {
	{ 'n', "tasks", OPT_NUMBER, FIELD(tasks), 1, MAX_TASKS, 0, "N", "tasks" },
	{ 'f', "files", OPT_NUMBER, FIELD(files), 1, MAX_FILES, 0, "N", "files that there are" },
	{ 'i', "interval", OPT_TIME, FIELD(interval), NSEC_PER_USEC, 1000 * NSEC_PER_SEC,
	  NSEC_PER_MSEC, "MSEC", "sleep between two files, on average" },
	{ 'w', "work", OPT_TIME, FIELD(work), 1, NSEC_PER_SEC, NSEC_PER_USEC, "USEC",
	  "work after each" },
	{ 'm', "missing", OPT_NUMBER, FIELD(missing), 0, 100, 0, "PERCENT",
	  "how many of the files that are opened are not there" },
};

static const struct config defaults = {
	.tasks = 4, .files = 12, .interval = 100 * NSEC_PER_MSEC, .work = 200 * NSEC_PER_USEC,
	.missing = 10,
};

static const struct option_table options = {
	.options = files_options,
	.nr_options = ARRAY_SIZE(files_options),
	.config_size = sizeof(struct config),
	.defaults = &defaults,
};

const struct generator gen_files = {
	.name = "files",
	.summary = "services that open, read and close files",
	.options = &options,
	.open = files_open,
};
