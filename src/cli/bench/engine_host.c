// SPDX-License-Identifier: GPL-2.0-only
/* This host's kernel, which wants root. Nothing stays there when we are gone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine.h"

static long host_bpf(enum bpf_cmd cmd, union bpf_attr *attr, u32 size)
{
	long ret = syscall(__NR_bpf, cmd, attr, size);

	return ret < 0 ? -errno : ret;
}

static const struct bpf_side host = { .bpf = host_bpf, .mmap = mmap };

/* Its interpreter would be another engine. */
static bool is_compiled(int fd)
{
	struct bpf_prog_info info;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	memset(&info, 0, sizeof(info));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info = (uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	return !host_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) && info.jited_prog_len;
}

bool host_open(char *why, size_t size)
{
	struct program p = {};
	int program;

	bpf_side_set(&host);
	alu_imm(&p, BPF_MOV, BPF_REG_0, 0);
	finish(&p);
	program = bpf_side_load(&p, why, size);
	if (program < 0 && geteuid())
		snprintf(why, size, "only root may load programs");
	else if (program >= 0 && !is_compiled(bpf_side_fd(program)))
		snprintf(why, size, "it does not compile programs: net.core.bpf_jit_enable is 0");
	else
		return program >= 0;
	return false;
}
