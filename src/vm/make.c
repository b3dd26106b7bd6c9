// SPDX-License-Identifier: GPL-2.0-only
/*
 * make as a child process with a log; see make.h. It writes into a pipe that we
 * read: if we die it cannot go on unseen.
 */
#include "make.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"

#define TAIL_LINES 15
#define MAX_LINE 4096 /* what is longer is cut where it is shown */
#define TAIL_BYTES 65536

/* --- signals -------------------------------------------------------------------- */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
static struct sigaction before[ARRAY_SIZE(signals)];
static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	caught = sig;
}

void make_catch_signals(void)
{
	/* no SA_RESTART: reading from make ends */
	struct sigaction action = { .sa_handler = on_signal };

	caught = 0;
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], NULL, &before[i]);
		/* nohup means it */
		if (before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

int make_signal(void)
{
	return caught;
}

void make_release_signals(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
}

/* --- what it says ------------------------------------------------------------------ */

/* Two spaces, a word of capitals, perhaps "[M]", a name: as scripts/Kbuild.include prints. */
bool make_is_step(const char *line, struct strbuf *step)
{
	size_t word;

	if (strncmp(line, "  ", 2) || !isupper((u8)line[2]))
		return false;
	line += 2;
	word = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	if (!isspace((u8)line[word]))
		return false;
	strbuf_reset(step);
	strbuf_add(step, line, word);
	line += word;
	while (*(line += strspn(line, " \t\n"))) {
		size_t len = strcspn(line, " \t\n");
		const char *slash = *line == '/' ? memrchr(line, '/', len) : NULL;

		strbuf_putc(step, ' ');
		strbuf_add(step, slash ? slash + 1 : line, len - (slash ? slash + 1 - line : 0));
		line += len;
	}
	return step->len > word;
}

void make_log_tail(const char *log, u32 nr, struct strbuf *out)
{
	FILE *f = fopen(log, "re");
	char *text = xcalloc(1, TAIL_BYTES + 1), *start;
	size_t len;

	if (f && fseek(f, -TAIL_BYTES, SEEK_END))
		rewind(f);
	len = f ? fread(text, 1, TAIL_BYTES, f) : 0;
	text[len] = '\0';
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	for (start = text + len; start > text; start--)
		if (start[-1] == '\n' && !--nr)
			break;
	strbuf_puts(out, start);
	if (f)
		fclose(f);
	free(text);
}

struct reader {
	const struct make_job *job;
	FILE *log;
	struct strbuf step;
	u32 done;
};

/* The steps of what an earlier make did, which this one will not repeat. */
static u32 count_steps(const char *log, struct strbuf *step)
{
	FILE *f = fopen(log, "re");
	char line[MAX_LINE];
	u32 nr = 0;

	while (f && fgets(line, sizeof(line), f))
		nr += make_is_step(line, step);
	if (f)
		fclose(f);
	return nr;
}

static void take_line(struct reader *r, const char *line)
{
	fputs(line, r->log);
	if (!r->job->progress || !make_is_step(line, &r->step))
		return;
	r->done++;
	r->job->progress(r->done, max(r->done, r->job->expected), strbuf_str(&r->step));
}

/* Until all who could write have ended. */
static void read_all(struct reader *r, int fd, pid_t pid)
{
	FILE *in = fdopen(fd, "r");
	char line[MAX_LINE];
	bool told = false;

	VRT_ASSERT(in);
	for (;;) {
		if (fgets(line, sizeof(line), in)) {
			take_line(r, line);
		} else if (ferror(in) && errno == EINTR) {
			clearerr(in);
		} else {
			break;
		}
		if (caught && !told) {
			/* a terminal's Ctrl-C is for it, too, but others may mean only us */
			kill(pid, SIGTERM);
			told = true;
		}
	}
	fclose(in);
}

/* --- the process --------------------------------------------------------------------- */

__noreturn static void exec_make(const struct make_job *job, int out, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execvp(job->argv[0], job->argv);
	dprintf(STDERR_FILENO, "%s: %s\n", job->argv[0], strerror(errno));
	_exit(127);
}

/* Its exit status, or 128 + the signal that killed it. -errno if it could not be started. */
static int run(struct reader *r)
{
	pid_t pid, parent = getpid();
	int fds[2], status;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		exec_make(r->job, fds[1], parent);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return -errno;
	}
	read_all(r, fds[0], pid);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int make_run(const struct make_job *job, char *err, size_t err_size)
{
	struct reader r = { .job = job };
	struct strbuf tail = {};
	int status;

	if (job->progress)
		r.done = count_steps(job->log, &r.step);
	r.log = fopen(job->log, "ae");
	if (!r.log)
		return vrt_error(err, err_size, -errno, "%s: %s", job->log, strerror(errno));
	status = run(&r);
	fclose(r.log);
	strbuf_free(&r.step);
	if (caught)
		return vrt_error(err, err_size, -EINTR, "interrupted");
	if (status < 0)
		return vrt_error(err, err_size, status, "%s: %s", job->argv[0], strerror(-status));
	if (!status)
		return 0;
	make_log_tail(job->log, TAIL_LINES, &tail);
	vrt_error(err, err_size, -EIO, "it ended with status %d; the end of %s:\n%s", status,
		  job->log, strbuf_str(&tail));
	strbuf_free(&tail);
	return -EIO;
}
