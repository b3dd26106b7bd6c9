/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the loader share: a BPF subsystem on the real kernel BTF,
 * surrounded by a machine of four CPUs that does nothing; a directory for files;
 * and where the build has put its include files.
 */
#ifndef VRT_TESTS_LOADER_FIXTURE_H
#define VRT_TESTS_LOADER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/base/cpumask.h"
#include "../../src/bpf/bpf.h"
#include "../../src/bpf/btf/kernel_btf.h"
#include "../../src/sim/topology.h"

#define NR_CPUS 4

static char test_dir[] = "/tmp/test-loader-XXXXXX";
static char last_fault[1024];

static u32 env_zero32(void)
{
	return 0;
}

static u64 env_now(void)
{
	return NSEC_PER_SEC;
}

static void *env_no_task(void)
{
	return NULL;
}

static void env_charge(u64 insns, u64 ns)
{
}

static void env_printk(const char *line)
{
}

static void env_fault(const struct bpf_fault *fault)
{
	snprintf(last_fault, sizeof(last_fault), "%s", fault->message);
}

static void env_lock(u32 *lock)
{
}

static void env_run_inside(void (*fn)(void *arg), void *arg)
{
	fn(arg);
}

static const struct bpf_env test_env = {
	.nr_cpus = NR_CPUS,
	.cpu = env_zero32,
	.ktime = env_now,
	.current_task = env_no_task,
	.current_pid_tgid = env_now,
	.prandom = env_zero32,
	.charge = env_charge,
	.printk = env_printk,
	.fault = env_fault,
	.spin_lock = env_lock,
	.spin_unlock = env_lock,
	.run_inside = env_run_inside,
	.insn_budget = 1000000,
	.sleepable_insn_budget = 1000000,
};

/* The build directory, from the place of the test program in it. */
static const char *build_root(void)
{
	static char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	assert_true(len > 0);
	path[len] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	return path;
}

static inline int machine_setup(void **state)
{
	char include[4200];

	assert_non_null(mkdtemp(test_dir));
	setenv("XDG_CACHE_HOME", test_dir, 1);
	snprintf(include, sizeof(include), "%s/include", build_root());
	setenv("VRT_INCLUDE", include, 1);
	nr_cpu_ids = NR_CPUS;
	assert_int_equal(kheap_init(), 0);
	return bpf_init(&test_env, vrt_kernel_btf, vrt_kernel_btf_size());
}

/* Nothing may be left in the kernel heap. */
static inline int machine_teardown(void **state)
{
	struct kheap_stats stats;
	char command[256];

	bpf_exit();
	kheap_stats(&stats);
	assert_int_equal(stats.live, 0);
	snprintf(command, sizeof(command), "rm -rf %s", test_dir);
	return system(command);
}

/* A file in the test's directory; its path is valid until the next call. */
static inline const char *write_file(const char *name, const void *data, size_t size)
{
	static char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", test_dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
	return path;
}

#endif
