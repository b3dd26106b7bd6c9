// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt trace --on host: the same objects on the kernel of this host, and what it
 * writes to its trace_pipe meanwhile. Time is real here.
 *
 * Nothing stays behind: the programs live as long as their links, which end with
 * this process, however it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "../loader/loader.h"
#include "plan.h"

/* How long a signal or an interval may wait. */
#define LOOK_NS (100 * NSEC_PER_MSEC)

struct host_trace {
	const struct run_plan *plan;
	struct loader *loaders[CMDLINE_MAX_LIST];
	u32 nr_loaders;
	int pipe;
	u64 *watch_due; /* by the wall clock */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

static void warn(const char *line, void *arg)
{
	const struct host_trace *t = arg;

	if (!t->plan->options.quiet)
		fprintf(stderr, "trace: %s\n", line);
}

/* --- is anything written at all? ------------------------------------------------------ */

/* Somebody else's switch: it is told, and left as it is. */
static void check_switch(const struct host_trace *t)
{
	static const char *const places[] = { "/sys/kernel/tracing/tracing_on",
					      "/sys/kernel/debug/tracing/tracing_on" };
	char line[160];

	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		FILE *f = fopen(places[i], "re");
		int on = f ? fgetc(f) : EOF;

		if (f)
			fclose(f);
		if (on != '0')
			continue;
		snprintf(line, sizeof(line),
			 "this host's tracing is switched off, lines of bpf_printk() are lost: echo 1 > %s",
			 places[i]);
		warn(line, (void *)t);
		return;
	}
}

/* --- trace_pipe ------------------------------------------------------------------- */

static int open_pipe(char *err, size_t err_size)
{
	static const char *const places[] = { "/sys/kernel/tracing/trace_pipe",
					      "/sys/kernel/debug/tracing/trace_pipe" };

	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		int fd = open(places[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			return vrt_error(err, err_size, -errno, "--on host: %s cannot be read: %s",
					 places[i], strerror(errno));
	}
	return vrt_error(err, err_size, -ENOENT,
			 "--on host: there is no %s: is the kernel's tracing file system mounted? "
			 "(mount -t tracefs tracefs /sys/kernel/tracing)",
			 places[0]);
}

/* All that is there now; @out NULL: lines from before our time. */
static void read_pipe(const struct host_trace *t, FILE *out)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(t->pipe, buf, sizeof(buf))) > 0) {
		if (out)
			fwrite(buf, 1, (size_t)n, out);
	}
	if (out)
		fflush(out);
}

/* --- maps ------------------------------------------------------------------------- */

static int check_watches(const struct host_trace *t, char *err, size_t err_size)
{
	for (u32 i = 0; i < t->plan->nr_watches; i++) {
		struct loader_error error = {};
		bool found = false;

		for (u32 k = 0; k < t->nr_loaders && !found; k++)
			found = loader_check_map(t->loaders[k], t->plan->watches[i].map, &error) ==
				LOADER_OK;
		if (!found)
			return vrt_error(err, err_size, STATUS_LOAD, "%s", error.message);
	}
	return STATUS_OK;
}

static void print_map(const struct host_trace *t, const struct watch_plan *watch)
{
	struct strbuf text = {};
	int ret = -ENOENT;

	for (u32 i = 0; i < t->nr_loaders && ret == -ENOENT; i++)
		ret = loader_print_map(t->loaders[i], watch->map, NULL, &text);
	if (ret)
		fprintf(stderr, "trace: map '%s' cannot be read: %s\n", watch->map, strerror(-ret));
	else
		printf("%s:\n%s", watch->map, text.len ? strbuf_str(&text) : "(empty)\n");
	strbuf_free(&text);
}

static u64 print_due_maps(const struct host_trace *t, u64 now)
{
	u64 next = ~0ULL;

	for (u32 i = 0; i < t->plan->nr_watches; i++) {
		if (now >= t->watch_due[i]) {
			print_map(t, &t->plan->watches[i]);
			t->watch_due[i] = now + t->plan->watches[i].interval;
		}
		next = min(next, t->watch_due[i]);
	}
	return next;
}

/* --- the objects ------------------------------------------------------------------ */

static enum loader_status attach_one(struct host_trace *t, const struct with_plan *with,
				     struct loader_error *error)
{
	const struct run_options *o = &t->plan->options;
	struct loader_options opts = {
		.set = with->set.items,
		.nr_set = with->set.nr,
		.include_dirs = o->include_dirs.items,
		.nr_include_dirs = o->include_dirs.nr,
		.host = true,
		.verbose = o->verbose,
	};
	char *file = scheduler_file(with->object);
	struct loader *l = loader_open(file, &opts, warn, t, error);

	free(file);
	if (!l)
		return error->status;
	t->loaders[t->nr_loaders++] = l;
	return loader_load(l, error) == LOADER_OK ? loader_attach(l, error) : error->status;
}

static int attach_all(struct host_trace *t, char *err, size_t err_size)
{
	struct loader_error error = {};

	for (u32 i = 0; i < t->plan->nr_with; i++) {
		if (attach_one(t, &t->plan->with[i], &error) == LOADER_OK)
			continue;
		snprintf(err, err_size, "%s%s%s", error.message, error.log ? "\n" : "",
			 error.log ? error.log : "");
		loader_error_free(&error);
		return STATUS_LOAD;
	}
	return check_watches(t, err, err_size);
}

static void close_all(struct host_trace *t)
{
	while (t->nr_loaders)
		loader_close(t->loaders[--t->nr_loaders]);
}

/* --- the command ------------------------------------------------------------------- */

static void follow(struct host_trace *t)
{
	struct pollfd pfd = { .fd = t->pipe, .events = POLLIN };
	u64 now = wall_clock(), end = now + t->plan->options.duration, next;

	for (u32 i = 0; i < t->plan->nr_watches; i++)
		t->watch_due[i] = now + t->plan->watches[i].interval;
	while (!interrupted && now < end) {
		next = min(min(end, print_due_maps(t, now)), now + LOOK_NS);
		poll(&pfd, 1, (int)DIV_ROUND_UP(next - now, NSEC_PER_MSEC));
		read_pipe(t, stdout);
		now = wall_clock();
	}
}

int trace_on_host(struct run_plan *plan, char *err, size_t err_size)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct host_trace t = { .plan = plan };
	int status;

	if (geteuid())
		return vrt_error(err, err_size, STATUS_USAGE,
				 "--on host: loading BPF programs into this host's kernel takes root");
	if (plan_with(plan, err, err_size) || plan_watches(plan, err, err_size))
		return STATUS_USAGE;
	t.pipe = open_pipe(err, err_size);
	if (t.pipe < 0)
		return STATUS_USAGE;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	t.watch_due = xcalloc(plan->nr_watches + 1, sizeof(*t.watch_due));
	read_pipe(&t, NULL);
	check_switch(&t);
	status = attach_all(&t, err, err_size);
	if (status == STATUS_OK)
		follow(&t);
	close_all(&t);
	/* what was printed up to the end */
	if (status == STATUS_OK)
		read_pipe(&t, stdout);
	close(t.pipe);
	free(t.watch_due);
	return status;
}
