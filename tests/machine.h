/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine of one CPU on which nothing happens, for tests that only load programs and
 * run them: what the BPF subsystem asks of its surroundings. Who wants to know of
 * something puts a function of their own in its place, before bpf_init().
 */
#ifndef VRT_TESTS_MACHINE_H
#define VRT_TESTS_MACHINE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../src/base/cpumask.h"
#include "../src/bpf/bpf.h"
#include "../src/bpf/btf/kernel_btf.h"
#include "../src/bpf/object.h"

static u32 machine_random; /* state of bpf_get_prandom_u32() */

static u32 machine_zero(void)
{
	return 0;
}

static u64 machine_now(void)
{
	return NSEC_PER_SEC;
}

static void *machine_no_task(void)
{
	return NULL;
}

static u64 machine_pid_tgid(void)
{
	return 1;
}

static u32 machine_prandom(void)
{
	machine_random = machine_random * 1664525 + 1013904223;
	return machine_random;
}

static void machine_charge(u64 insns, u64 ns)
{
}

static void machine_printk(const char *line)
{
}

static void machine_fault(const struct bpf_fault *fault)
{
	fprintf(stderr, "stopped: %s\n", fault->message);
	abort();
}

static void machine_lock(u32 *lock)
{
	*lock = 1;
}

static void machine_unlock(u32 *lock)
{
	*lock = 0;
}

/* Programs run on no CPU of a machine: NULL, which stands for CPU 0. */
static u32 *const machine_cpu_id;

static struct bpf_env machine = {
	.nr_cpus = 1,
	.cpu_id = &machine_cpu_id,
	.cpu = machine_zero,
	.ktime = machine_now,
	.current_task = machine_no_task,
	.current_pid_tgid = machine_pid_tgid,
	.prandom = machine_prandom,
	.charge = machine_charge,
	.printk = machine_printk,
	.fault = machine_fault,
	.spin_lock = machine_lock,
	.spin_unlock = machine_unlock,
};

/* Ends with status 2 if it cannot be. */
static inline void machine_start(const char *who)
{
	nr_cpu_ids = machine.nr_cpus;
	if (!kheap_init() && !bpf_init(&machine, vrt_kernel_btf, vrt_kernel_btf_size()))
		return;
	fprintf(stderr, "%s: the BPF subsystem does not start\n", who);
	exit(2);
}

static inline long machine_bpf(int cmd, union bpf_attr *attr)
{
	return vrt_bpf((enum bpf_cmd)cmd, attr, sizeof(*attr));
}

static inline void machine_close(int fd)
{
	bpf_fd_closing(fd);
	close(fd);
}

#endif
