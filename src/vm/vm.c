// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a real kernel with our agent, as a child process: started, waited
 * for, asked, ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "channel.h"
#include "internal.h"
#include "panic.h"

/* --- starting -------------------------------------------------------------------------- */

struct vm *vm_new(enum vm_accel accel)
{
	struct vm *vm = xcalloc(1, sizeof(*vm));

	vm->accel = accel;
	vm->owner = getpid();
	vm->pid = vm->channel = vm->console = -1;
	return vm;
}

int vm_open(struct vm *vm, int pair[2], char *err, size_t err_size)
{
	vm->console = memfd_create("console", 0);
	if (vm->console < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return vrt_error(err, err_size, -errno, "no descriptors for a guest: %s",
				 strerror(errno));
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	return 0;
}

/* In the child. What it says itself goes to the console, too. */
__noreturn static void execute(char *const *argv, int console)
{
	int null = open("/dev/null", O_RDWR);

	/* whatever becomes of us, nothing is left behind */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0); /* Ctrl-C is for us; we end it */
	dup2(null, 0);
	dup2(console, 1);
	dup2(console, 2);
	execvp(argv[0], argv);
	_exit(127);
}

int vm_start(struct vm *vm, char *const *argv, const int pair[2], char *err, size_t err_size)
{
	fflush(NULL);
	vm->pid = fork();
	if (!vm->pid)
		execute(argv, vm->console);
	close(pair[1]);
	vm->channel = pair[0];
	if (vm->pid < 0)
		return vrt_error(err, err_size, -errno, "%s could not be started: %s", argv[0],
				 strerror(errno));
	return 0;
}

/* --- coming up --------------------------------------------------------------------- */

static bool has_ended(struct vm *vm, int *status)
{
	if (vm->pid > 0 && waitpid(vm->pid, status, WNOHANG) != vm->pid)
		return false;
	vm->pid = -1;
	return true;
}

static int why_not_ready(struct vm *vm, int error, u32 timeout_ms, char *err, size_t err_size)
{
	const char *words = vm_last_words(vm);
	int status = 0;

	for (u32 i = 0; error == -EPIPE && i < 100 && !has_ended(vm, &status); i++)
		usleep(10000);
	if (error == -EPIPE && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return vrt_error(err, err_size, -ENOENT,
				 QEMU " is not installed (on Debian: apt-get install "
				      "qemu-system-x86)");
	if (error == -ETIMEDOUT)
		return vrt_error(err, err_size, error,
				 "the guest did not come up within %u s; %s", timeout_ms / 1000,
				 words);
	return vrt_error(err, err_size, error, "the guest ended before it came up; %s",
			 vm_last_words(vm));
}

int vm_wait_ready(struct vm *vm, u32 timeout_ms, char *err, size_t err_size)
{
	struct strbuf body = {};
	struct json_object *ready = NULL, *value;
	enum channel_type type;
	int error = channel_receive(vm->channel, (int)timeout_ms, &type, &body);

	if (!error && type == CHANNEL_READY)
		ready = json_tokener_parse(strbuf_str(&body));
	strbuf_free(&body);
	if (error)
		return why_not_ready(vm, error, timeout_ms, err, err_size);
	if (!ready)
		return vrt_error(err, err_size, -EPROTO, "the agent in the guest is of another build");
	if (json_object_object_get_ex(ready, "release", &value))
		snprintf(vm->release, sizeof(vm->release), "%s", json_object_get_string(value));
	if (json_object_object_get_ex(ready, "cpus", &value))
		vm->cpus = (u32)json_object_get_int(value);
	json_object_put(ready);
	return 0;
}

/* --- questions and the end ----------------------------------------------------------- */

int vm_channel(const struct vm *vm)
{
	return vm->channel;
}

const char *vm_release(const struct vm *vm)
{
	return vm->release;
}

u32 vm_cpus(const struct vm *vm)
{
	return vm->cpus;
}

enum vm_accel vm_accel(const struct vm *vm)
{
	return vm->accel;
}

const char *vm_console_tail(struct vm *vm)
{
	struct stat st;
	ssize_t n = 0;

	if (vm->console >= 0 && !fstat(vm->console, &st))
		n = pread(vm->console, vm->tail, TAIL_BYTES, max(st.st_size - TAIL_BYTES, (off_t)0));
	vm->tail[max(n, (ssize_t)0)] = '\0';
	return vm->tail;
}

static char *whole_console(const struct vm *vm)
{
	struct strbuf text = {};
	char buf[65536];
	off_t at = 0;
	ssize_t n;

	while (vm->console >= 0 && (n = pread(vm->console, buf, sizeof(buf), at)) > 0) {
		strbuf_add(&text, buf, (size_t)n);
		at += n;
	}
	return strbuf_detach(&text);
}

const char *vm_last_words(struct vm *vm)
{
	char *console = whole_console(vm);
	struct strbuf panic = {}, words = {};

	if (console && panic_find(console, &panic))
		strbuf_printf(&words, "its kernel panicked: %s", strbuf_str(&panic));
	else
		strbuf_printf(&words, "its console ends with:\n%s", vm_console_tail(vm));
	strbuf_free(&panic);
	free(console);
	free(vm->last_words);
	vm->last_words = strbuf_detach(&words);
	return vm->last_words;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void vm_shutdown(struct vm *vm)
{
	if (!vm)
		return;
	/* a child that we have forked has only a copy of this */
	if (vm->pid > 0 && vm->owner == getpid()) {
		kill(-vm->pid, SIGKILL);
		kill(vm->pid, SIGKILL);
		while (waitpid(vm->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (vm->dir && vm->owner == getpid())
		nftw(vm->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(vm->dir);
	free(vm->last_words);
	if (vm->channel >= 0)
		close(vm->channel);
	if (vm->console >= 0)
		close(vm->console);
	free(vm);
}
