// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process for every machine: the simulated kernel is one per process, and all
 * runs of a command line shall see the same addresses. The child hands its JSON
 * object over in a memory file, and dies with its parent.
 */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/strbuf.h"
#include "run.h"

static bool write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

__noreturn static void child(struct json_object *(*fn)(void *arg), void *arg, int fd)
{
	struct json_object *result;
	const char *text;
	bool ok;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	result = fn(arg);
	text = json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN);
	ok = write_all(fd, text, strlen(text));
	json_object_put(result);
	exit(ok ? 0 : 1);
}

static struct json_object *read_result(int fd)
{
	struct strbuf sb = {};
	struct json_object *result;
	char buf[65536];
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(&sb, buf, n);
	result = sb.len ? json_tokener_parse(strbuf_str(&sb)) : NULL;
	strbuf_free(&sb);
	return result;
}

/* The user has pressed Ctrl-C or has read enough, or somebody wants us gone: not a crash. */
static bool is_interrupt(int status)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

	for (u32 i = 0; WIFSIGNALED(status) && i < ARRAY_SIZE(signals); i++) {
		if (WTERMSIG(status) == signals[i])
			return true;
	}
	return false;
}

static struct json_object *wait_for(pid_t pid, int fd, char *why, size_t why_size)
{
	struct json_object *result = NULL;
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (is_interrupt(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		result = read_result(fd);
	if (!result && WIFSIGNALED(status))
		snprintf(why, why_size,
			 "vrt was ended by signal %d (%s): this is a bug of vruntime, whatever the "
			 "scheduler does",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (!result)
		snprintf(why, why_size,
			 "vrt ended with status %d and left no result: this is a bug of vruntime, "
			 "whatever the scheduler does",
			 WEXITSTATUS(status));
	return result;
}

struct json_object *in_child(struct json_object *(*fn)(void *arg), void *arg, char *why,
			     size_t why_size)
{
	int fd = memfd_create("vrt-result", MFD_CLOEXEC);
	struct json_object *result = NULL;
	pid_t pid;

	fflush(NULL);
	pid = fd < 0 ? -1 : fork();
	if (!pid)
		child(fn, arg, fd);
	if (pid < 0)
		snprintf(why, why_size, "cannot start a process: %s", strerror(errno));
	else
		result = wait_for(pid, fd, why, why_size);
	if (fd >= 0)
		close(fd);
	return result;
}

struct run_request {
	const struct run_plan *plan;
	const char *scheduler;
};

/* The child's copy of the plan goes with it, so that leaks show. */
static struct json_object *run_request(void *arg)
{
	struct run_request *request = arg;
	struct json_object *run = simulate(request->plan, request->scheduler);

	plan_free((struct run_plan *)request->plan);
	return run;
}

struct json_object *run_in_child(const struct run_plan *plan, const char *scheduler)
{
	struct run_request request = { plan, scheduler };
	struct json_object *run;
	char why[256];

	run = in_child(run_request, &request, why, sizeof(why));
	if (!run) {
		run = run_new(plan, scheduler);
		run_set_failure(run, "crashed", "bug of vruntime", why, NULL);
	}
	return run;
}
