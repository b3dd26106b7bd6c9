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

bool host_open(char *why, size_t size)
{
	struct program p = {};

	bpf_side_set(&host);
	alu_imm(&p, BPF_MOV, BPF_REG_0, 0);
	finish(&p);
	if (bpf_side_load(&p, why, size) >= 0)
		return bpf_side_compiles(why, size);
	if (geteuid())
		snprintf(why, size, "only root may load programs");
	return false;
}
