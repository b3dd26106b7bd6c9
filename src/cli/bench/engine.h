/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What executes BPF programs, a row each. An engine lives in a process of its own
 * (worker.h), so that there may be several kernels of ours, and none of them sees
 * what another one does to the machine.
 */
#ifndef VRT_CLI_BENCH_ENGINE_H
#define VRT_CLI_BENCH_ENGINE_H

#include "assemble.h"

struct engine {
	const char *name, *what;
	/* Called first. False: it cannot be had here, and why. */
	bool (*open)(char *why, size_t size);
	/* A number for run(), or negative with the reason in @why. */
	int (*load)(const struct program *p, char *why, size_t size);
	/* Runs it @repeat times; @result: of the last. 0 or -errno. */
	int (*run)(int program, u32 repeat, u32 *result);
	bool plain; /* straight code only: neither maps nor helpers nor functions */
};

enum { ENGINE_INTERP, ENGINE_JIT, ENGINE_HOST, ENGINE_DPDK, NR_ENGINES };
extern const struct engine engines[NR_ENGINES];

/* --- engine_bpf.c: whoever understands bpf(2) ---------------------------------------- */

struct bpf_side {
	long (*bpf)(enum bpf_cmd cmd, union bpf_attr *attr, u32 size);
	/* as mmap(2), of its maps */
	void *(*mmap)(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
};

/* The side of this process. */
void bpf_side_set(const struct bpf_side *side);
int bpf_side_load(const struct program *p, char *why, size_t size);
int bpf_side_run(int program, u32 repeat, u32 *result);
/* The descriptor of what bpf_side_load() has loaded. */
int bpf_side_fd(int program);

/* --- engine_ours.c, engine_host.c, engine_dpdk.c -------------------------------------- */

bool interp_open(char *why, size_t size);
bool jit_open(char *why, size_t size);
bool host_open(char *why, size_t size);
bool dpdk_open(char *why, size_t size);
int dpdk_load(const struct program *p, char *why, size_t size);
int dpdk_run(int program, u32 repeat, u32 *result);

#endif
