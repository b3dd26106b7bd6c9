// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent's loop: files come, runs are started, and their ends are reported.
 *
 * usage: vrt-agent [FD DIR]	with a socket to vrt and a directory for files: as a
 *				plain process of this host
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static void send_ready(int fd)
{
	struct json_object *ready = json_object_new_object();
	struct utsname name;

	uname(&name);
	json_object_object_add(ready, "release", json_object_new_string(name.release));
	json_object_object_add(ready, "cpus",
			       json_object_new_int64(sysconf(_SC_NPROCESSORS_ONLN)));
	channel_send_text(fd, CHANNEL_READY, json_object_to_json_string(ready));
	json_object_put(ready);
}

/* A name without a path, NUL, content. */
static int store_file(const struct strbuf *body)
{
	const char *end = body->len ? memchr(body->data, '\0', body->len) : NULL;
	size_t size;
	FILE *f;

	if (!end || end == body->data || strchr(body->data, '/'))
		return -EINVAL;
	f = fopen(body->data, "we");
	if (!f)
		return -errno;
	size = body->len - (size_t)(end + 1 - body->data);
	if (fwrite(end + 1, 1, size, f) != size) {
		fclose(f);
		return -EIO;
	}
	return fclose(f) ? -errno : 0;
}

/* --- as a plain process: when vrt is gone, nothing stays ---------------------------------- */

#define MAX_FILES 8

static const char *host_dir; /* NULL: we are process 1 of a guest */
static char stored[MAX_FILES][64];

static void note_file(const char *name)
{
	for (u32 i = 0; i < MAX_FILES; i++) {
		if (*stored[i] && strcmp(stored[i], name))
			continue;
		snprintf(stored[i], sizeof(stored[i]), "%s", name);
		return;
	}
}

/* The run that is in progress dies with us. */
static void on_orphaned(int sig)
{
	for (u32 i = 0; i < MAX_FILES && *stored[i]; i++)
		unlink(stored[i]);
	rmdir(host_dir);
	_exit(1);
}

static void describe_death(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "the agent's run died of signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(text, size, "the agent's run ended with status %d", WEXITSTATUS(status));
}

/* A run that ends by itself has sent END or ERROR and exits with 0. */
static void run(int fd, const char *text)
{
	struct json_object *settings = json_tokener_parse(text);
	char why[128];
	pid_t pid;
	int status;

	if (!settings) {
		channel_send_text(fd, CHANNEL_ERROR, "the settings of the run are no JSON");
		return;
	}
	pid = fork();
	if (!pid) {
		signal(SIGTERM, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		session_main(fd, settings);
		exit(0);
	}
	if (pid < 0) {
		channel_send_text(fd, CHANNEL_ERROR, "no process for the run can be made");
	} else {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		/* no run of a plain process takes any away */
		if (getpid() == 1)
			actions_restore();
		if (status) {
			describe_death(status, why, sizeof(why));
			channel_send_text(fd, CHANNEL_ERROR, why);
		}
	}
	json_object_put(settings);
}

static void serve(int fd)
{
	struct strbuf body = {};
	enum channel_type type;

	send_ready(fd);
	while (!channel_receive(fd, -1, &type, &body)) {
		if (type == CHANNEL_RUN)
			run(fd, strbuf_str(&body));
		else if (type == CHANNEL_FILE && store_file(&body))
			channel_send_text(fd, CHANNEL_ERROR, "a file could not be stored");
		else if (type == CHANNEL_FILE)
			note_file(body.data);
	}
	strbuf_free(&body);
}

int main(int argc, char **argv)
{
	int fd;

	if (getpid() != 1) {
		if (argc != 3 || chdir(argv[2])) {
			fprintf(stderr, "vrt-agent: to be started by vrt\n");
			return 1;
		}
		host_dir = argv[2];
		signal(SIGTERM, on_orphaned);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		serve(atoi(argv[1]));
		return 0;
	}
	init_mount();
	if (chdir(GUEST_DIR))
		perror("vrt-agent: " GUEST_DIR);
	fd = init_open_port();
	if (fd < 0)
		fprintf(stderr, "vrt-agent: no virtio port named " CHANNEL_PORT ": %s\n",
			strerror(-fd));
	else
		serve(fd);
	init_power_off();
}
