// SPDX-License-Identifier: GPL-2.0-only
/*
 * This host instead of a virtual machine: the same agent, as a process, with a
 * directory of its own for the files that it is sent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "internal.h"

#define START_TIMEOUT_MS 10000

static int make_directory(struct vm *vm, char *err, size_t err_size)
{
	const char *tmp = getenv("TMPDIR");
	struct strbuf dir = {};

	strbuf_printf(&dir, "%s/vruntime-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	if (mkdtemp(dir.data)) {
		vm->dir = strbuf_detach(&dir);
		return 0;
	}
	vrt_error(err, err_size, -errno, "%s: %s", dir.data, strerror(errno));
	strbuf_free(&dir);
	return -EIO;
}

static int start_agent(struct vm *vm, const char *agent, char *err, size_t err_size)
{
	char fd[16];
	char *argv[] = { (char *)agent, fd, vm->dir, NULL };
	int pair[2];

	if (access(agent, X_OK))
		return vrt_error(err, err_size, -errno,
				 "the agent, %s, cannot be run: %s; it is built with vrt, but not in "
				 "builds with sanitizers",
				 agent, strerror(errno));
	if (vm_open(vm, pair, err, err_size))
		return -EMFILE;
	snprintf(fd, sizeof(fd), "%d", pair[1]);
	return vm_start(vm, argv, pair, err, err_size);
}

struct vm *vm_this_host(const struct vm_config *config, char *err, size_t err_size)
{
	struct vm *vm = vm_new(VM_ACCEL_NONE);

	if (geteuid())
		vrt_error(err, err_size, -EPERM,
			  "only root may load programs into this host's kernel; --on vm needs no root");
	else if (!make_directory(vm, err, err_size) &&
		 !start_agent(vm, config->agent, err, err_size) &&
		 !vm_wait_ready(vm, START_TIMEOUT_MS, err, err_size))
		return vm;
	vm_shutdown(vm);
	return NULL;
}
