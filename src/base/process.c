// SPDX-License-Identifier: GPL-2.0-only
/* Runs a program and collects its output in files of memory, which never fill up. */
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

#include "error.h"
#include "strbuf.h"

extern char **environ;

#define OUTPUT_MAX_BYTES (16U << 20)

static void collect(int fd, struct strbuf *sb)
{
	char buf[4096];
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	while (sb->len < OUTPUT_MAX_BYTES && (n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(sb, buf, (size_t)n);
}

static int spawn_and_wait(char *const *argv, int out, int err)
{
	posix_spawn_file_actions_t actions;
	int status, error;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		return -error;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_process(char *const *argv, struct strbuf *out, struct strbuf *err)
{
	int out_fd = memfd_create("stdout", MFD_CLOEXEC);
	int err_fd = memfd_create("stderr", MFD_CLOEXEC);
	int ret = out_fd < 0 || err_fd < 0 ? -errno : spawn_and_wait(argv, out_fd, err_fd);

	if (ret >= 0) {
		collect(out_fd, out);
		collect(err_fd, err);
	}
	if (out_fd >= 0)
		close(out_fd);
	if (err_fd >= 0)
		close(err_fd);
	return ret;
}

char *run_for_output(char *const *argv, char *err, size_t err_size)
{
	struct strbuf out = {}, said = {};
	int status = run_process(argv, &out, &said);

	if (status)
		vrt_error(err, err_size, -EIO, "%s failed: %s", argv[0],
			  status < 0 ? strerror(-status) : said.len ? strbuf_str(&said) : "no message");
	strbuf_free(&said);
	if (status) {
		strbuf_free(&out);
		return NULL;
	}
	if (out.len && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	return strbuf_detach(&out);
}
