// SPDX-License-Identifier: GPL-2.0-only
/*
 * See scratch.h. What is to be removed is kept as plain strings, in the order in
 * which it was made, so that a signal's handler can go through them: unlink()
 * and rmdir() are all that it calls. Children share the handlers, but only the
 * process that made the directory removes it.
 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/file.h"
#include "../base/strbuf.h"

static struct {
	char **paths; /* absolute; [0] is the directory itself */
	volatile sig_atomic_t nr;
	size_t room;
	pid_t owner;
	int before; /* the directory that was current */
} scratch;

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

static void remove_all(void)
{
	while (scratch.nr) {
		const char *path = scratch.paths[--scratch.nr];

		if (unlink(path))
			rmdir(path);
	}
}

static void on_signal(int signal_nr)
{
	int saved = errno;

	if (getpid() == scratch.owner)
		remove_all();
	signal(signal_nr, SIG_DFL);
	raise(signal_nr);
	errno = saved;
}

/* Those that the user has not told to be ignored. */
static void catch_signals(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler }, old;

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

/* To be removed later; @path becomes ours. */
static void note(char *path)
{
	if ((size_t)scratch.nr == scratch.room) {
		sigset_t all, old;

		/* the handler must not see a list that moves */
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, &old);
		scratch.room = max(2 * scratch.room, (size_t)16);
		scratch.paths = xreallocarray(scratch.paths, scratch.room, sizeof(*scratch.paths));
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
	scratch.paths[scratch.nr] = path;
	scratch.nr++;
}

int scratch_make(char *err, size_t err_size)
{
	const char *tmp = getenv("TMPDIR");
	struct strbuf dir = {};
	char *path;

	VRT_ASSERT(!scratch.nr);
	strbuf_printf(&dir, "%s/vrt-replay-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	path = strbuf_detach(&dir);
	if (!mkdtemp(path)) {
		vrt_error(err, err_size, 0, "%s: cannot be made: %s", path, strerror(errno));
		free(path);
		return -EIO;
	}
	scratch.owner = getpid();
	note(path);
	catch_signals(on_signal);
	scratch.before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (chdir(path))
		return vrt_error(err, err_size, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

static char *absolute(const char *name, size_t len)
{
	struct strbuf path = {};

	strbuf_printf(&path, "%s/%.*s", scratch.paths[0], (int)len, name);
	return strbuf_detach(&path);
}

int scratch_add(const char *name, const struct strbuf *content, char *err, size_t err_size)
{
	const char *slash = strchr(name, '/');
	int ret;

	if (slash) {
		char *dir = absolute(name, (size_t)(slash - name));

		if (!mkdir(dir, 0700))
			note(dir);
		else
			free(dir);
	}
	ret = file_write(name, strbuf_str(content), content->len);
	if (ret)
		return vrt_error(err, err_size, ret, "%s/%s: %s", scratch.paths[0], name,
				 strerror(-ret));
	note(absolute(name, strlen(name)));
	return 0;
}

void scratch_remove(void)
{
	size_t nr = (size_t)scratch.nr;

	if (scratch.before >= 0 && nr && !fchdir(scratch.before))
		close(scratch.before);
	remove_all();
	catch_signals(SIG_DFL);
	for (size_t i = 0; i < nr; i++)
		free(scratch.paths[i]);
	free(scratch.paths);
	scratch.paths = NULL;
	scratch.room = 0;
}
