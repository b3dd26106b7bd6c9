// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many BPF instructions per second the interpreter executes: a program of
 * nothing but arithmetic and a loop, run through bpf(2) as a user would.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../bpf/object.h"
#include "json.h"
#include "run.h"

#define LOOPS 1000000 /* of four instructions, per run of the program */

static int load_program(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = LOOPS },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = 0, .src_reg = 1 },
		{ .code = BPF_ALU64 | BPF_XOR | BPF_K, .dst_reg = 0, .imm = 0x5a5a },
		{ .code = BPF_ALU64 | BPF_SUB | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 1, .off = -4, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = ARRAY_SIZE(insns);
	attr.license = (uintptr_t)"GPL";
	return (int)vrt_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int run_program(int fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = fd;
	return (int)vrt_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
}

static int run_many(u32 runs, u64 *insns, u64 *ns)
{
	u64 start = wall_clock(), before = bpf_insns_executed();
	int fd = load_program(), err = 0;

	if (fd < 0)
		return fd;
	for (u32 i = 0; i < runs && !err; i++)
		err = run_program(fd);
	bpf_fd_closing(fd);
	close(fd);
	*insns = bpf_insns_executed() - before;
	*ns = wall_clock() - start;
	return err;
}

/* @arg: how often to run the program. On a machine of one CPU. */
struct json_object *bench_interpreter(void *arg)
{
	struct topology topo = {};
	struct kernel_config config = {
		.topology = &topo,
		.costs = &cost_defaults,
		.seed = 1,
		.noise = NOISE_NONE,
		.unverified = true, /* so many rounds are more than the verifier follows */
	};
	struct json_object *result = json_object_new_object(), *host;
	u64 insns = 0, ns = 0;
	char err[256] = "";
	int ret;

	if (topology_parse(&topo, "1", err, sizeof(err)))
		return result;
	ret = kernel_boot(&config);
	if (!ret) {
		ret = run_many(*(const u32 *)arg, &insns, &ns);
		kernel_shutdown();
	}
	topology_free(&topo);
	if (ret)
		snprintf(err, sizeof(err), "the program does not run: %s", strerror(-ret));
	json_add_string(result, "error", err);
	json_add_u64(result, "status", ret ? STATUS_LOAD : STATUS_OK);
	host = json_object_new_object();
	add_rate(host, "wall_seconds", ns, NSEC_PER_SEC, NSEC_PER_SEC);
	add_rate(host, "bpf_insns_per_wall_second", insns, 1, ns);
	json_object_object_add(result, "host", host);
	return result;
}
