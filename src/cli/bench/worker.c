// SPDX-License-Identifier: GPL-2.0-only
/*
 * See worker.h. A worker and we talk in packets over a pair of sockets, one
 * question and one answer at a time; it ends when we are gone. Addresses of static
 * data mean the same on both sides, for it is forked.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../base/alloc.h"
#include "worker.h"

struct question {
	const struct micro *micro;
	u32 repeat;
};

struct answer {
	bool ok;
	struct worker_run run;
	char why[WORKER_WHY_SIZE];
};

/* --- in the worker ----------------------------------------------------------------- */

#define MAX_KNOWN 64

/* Programs that are loaded, or could not be. */
static struct known {
	const struct micro *micro;
	int program;
	u32 operations;
	char why[WORKER_WHY_SIZE];
} known[MAX_KNOWN];
static u32 nr_known;

static struct known *know(const struct engine *engine, const struct micro *micro)
{
	struct program *p;
	struct known *k;

	for (k = known; k < known + nr_known; k++)
		if (k->micro == micro)
			return k;
	VRT_ASSERT(nr_known < MAX_KNOWN);
	nr_known++;
	p = xcalloc(1, sizeof(*p));
	k->micro = micro;
	k->operations = micro->write(p);
	k->program = engine->load(p, k->why, sizeof(k->why));
	free(p);
	return k;
}

static u64 processor_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

static void answer(const struct engine *engine, const struct question *q, struct answer *a)
{
	const struct known *k = know(engine, q->micro);
	u64 before = processor_time();
	int err = 0;

	if (k->program < 0) {
		snprintf(a->why, sizeof(a->why), "%s", k->why);
		return;
	}
	for (u32 left = q->repeat, n; left && !err; left -= n) {
		n = q->micro->max_repeat ? min(left, q->micro->max_repeat) : left;
		err = engine->run(k->program, n, &a->run.result);
	}
	a->run.ns = processor_time() - before;
	a->run.operations = k->operations;
	a->ok = !err;
	if (err)
		snprintf(a->why, sizeof(a->why), "it does not run: %s", strerror(-err));
}

__noreturn static void work(const struct engine *engine, int fd)
{
	struct question q;
	struct answer a = {};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	a.ok = engine->open(a.why, sizeof(a.why));
	while (send(fd, &a, sizeof(a), MSG_NOSIGNAL) == sizeof(a) &&
	       recv(fd, &q, sizeof(q), 0) == sizeof(q)) {
		a = (struct answer){};
		answer(engine, &q, &a);
	}
	_exit(0);
}

/* --- on our side --------------------------------------------------------------------- */

/* What it says; when it says nothing any more, that it is gone. */
static bool hear(struct worker *w, struct answer *a)
{
	ssize_t n;

	do
		n = recv(w->fd, a, sizeof(*a), 0);
	while (n < 0 && errno == EINTR);
	if (n == sizeof(*a)) {
		snprintf(w->why, sizeof(w->why), "%s", a->why);
		return a->ok;
	}
	worker_stop(w);
	snprintf(w->why, sizeof(w->why), "it crashed");
	return false;
}

bool worker_start(struct worker *w, const struct engine *engine)
{
	struct answer a;
	int fds[2];

	*w = (struct worker){ .engine = engine, .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
		snprintf(w->why, sizeof(w->why), "no sockets: %s", strerror(errno));
		return false;
	}
	fflush(NULL);
	w->pid = fork();
	if (!w->pid) {
		close(fds[0]);
		work(engine, fds[1]);
	}
	close(fds[1]);
	w->fd = fds[0];
	if (w->pid < 0) {
		snprintf(w->why, sizeof(w->why), "no process: %s", strerror(errno));
		close(w->fd);
		w->fd = -1;
		return false;
	}
	if (hear(w, &a))
		return true;
	worker_stop(w);
	return false;
}

bool worker_run(struct worker *w, const struct micro *micro, u32 repeat, struct worker_run *run)
{
	struct question q = { .micro = micro, .repeat = repeat };
	struct answer a;

	if (w->fd < 0)
		return false;
	if (send(w->fd, &q, sizeof(q), MSG_NOSIGNAL) < 0 || !hear(w, &a))
		return false;
	*run = a.run;
	return true;
}

void worker_stop(struct worker *w)
{
	if (w->fd < 0)
		return;
	/* workers that were started later have copies of it: closing alone would not be heard */
	shutdown(w->fd, SHUT_RDWR);
	close(w->fd);
	w->fd = -1;
	while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
