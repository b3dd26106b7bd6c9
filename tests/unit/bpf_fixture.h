/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the bpf room share: a small machine (struct bpf_env), BTF
 * built by hand, and bpf(2) with less typing.
 */
#ifndef VRT_TESTS_BPF_FIXTURE_H
#define VRT_TESTS_BPF_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/bpf/btf/btf.h"
#include "../../src/bpf/log.h"
#include "../../src/bpf/map.h"
#include "btf_builder.h"

#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

#define NR_CPUS 4

/*
 * The kernel BTF of the tests: task_struct, and the struct_ops type test_ops,
 * {int (*run)(u64); void (*stop)(void); u32 flags; char name[8]}.
 */
static inline void *test_kernel_btf(u32 *size)
{
	struct btf_builder *b = malloc(sizeof(*b));
	u32 u32_id, u64_id, char_id, name_id, run, run_ptr, stop, stop_ptr, common, ops, task;
	void *raw;

	btf_start(b);
	u32_id = btf_add_int(b, "unsigned int", 4);
	u64_id = btf_add_int(b, "unsigned long", 8);
	char_id = btf_add_int(b, "char", 1);
	name_id = btf_add_array(b, char_id, u32_id, 8);
	run = btf_add(b, "", BTF_KIND_FUNC_PROTO, 1, u32_id);
	btf_add_param(b, "arg", u64_id);
	run_ptr = btf_add(b, "", BTF_KIND_PTR, 0, run);
	stop = btf_add(b, "", BTF_KIND_FUNC_PROTO, 0, 0);
	stop_ptr = btf_add(b, "", BTF_KIND_PTR, 0, stop);
	ops = btf_add(b, "test_ops", BTF_KIND_STRUCT, 4, 32);
	btf_add_member(b, "run", run_ptr, 0);
	btf_add_member(b, "stop", stop_ptr, 8);
	btf_add_member(b, "flags", u32_id, 16);
	btf_add_member(b, "name", name_id, 20);
	common = btf_add(b, "bpf_struct_ops_common_value", BTF_KIND_STRUCT, 2, 8);
	btf_add_member(b, "refcnt", u32_id, 0);
	btf_add_member(b, "state", u32_id, 4);
	btf_add(b, "bpf_struct_ops_test_ops", BTF_KIND_STRUCT, 2, 40);
	btf_add_member(b, "common", common, 0);
	btf_add_member(b, "data", ops, 8);
	task = btf_add(b, "task_struct", BTF_KIND_STRUCT, 1, 4);
	btf_add_member(b, "pid", u32_id, 0);
	(void)task;
	raw = btf_finish(b, size);
	free(b);
	return raw;
}

/* --- the machine ----------------------------------------------------------- */

static u32 test_cpu, test_lock_count;
static bool test_inside;
static void *test_raw_btf;

static u32 env_cpu(void)
{
	return test_cpu;
}

static void env_lock(u32 *lock)
{
	assert_int_equal(*lock, 0);
	*lock = 1;
	test_lock_count++;
}

static void env_unlock(u32 *lock)
{
	assert_int_equal(*lock, 1);
	*lock = 0;
}

static void env_run_inside(void (*fn)(void *arg), void *arg)
{
	test_inside = true;
	fn(arg);
	test_inside = false;
}

static u64 env_zero(void)
{
	return 0;
}

static void *env_no_task(void)
{
	return NULL;
}

static u32 env_random(void)
{
	return 4;
}

static void env_charge(u64 insns, u64 ns)
{
}

static void env_printk(const char *line)
{
}

static void env_fault(const struct bpf_fault *fault)
{
	print_error("program stopped: %s\n", fault->message);
}

static const struct bpf_env test_env = {
	.nr_cpus = NR_CPUS,
	.cpu = env_cpu,
	.ktime = env_zero,
	.current_task = env_no_task,
	.current_pid_tgid = env_zero,
	.prandom = env_random,
	.charge = env_charge,
	.printk = env_printk,
	.fault = env_fault,
	.spin_lock = env_lock,
	.spin_unlock = env_unlock,
	.run_inside = env_run_inside,
};

static int bpf_setup(void **state)
{
	u32 size;

	test_cpu = 0;
	assert_int_equal(kheap_init(), 0);
	test_raw_btf = test_kernel_btf(&size);
	return bpf_init(&test_env, test_raw_btf, size);
}

/* Nothing may be left in the kernel heap. */
static int bpf_teardown(void **state)
{
	struct kheap_stats stats;

	bpf_exit();
	free(test_raw_btf);
	kheap_stats(&stats);
	assert_int_equal(stats.live, 0);
	return 0;
}

/* --- bpf(2) ----------------------------------------------------------------- */

static inline u64 ptr(const void *p)
{
	return (u64)(unsigned long)p;
}

static inline void bpf_close(int fd)
{
	bpf_fd_closing(fd);
	close(fd);
}

static inline int map_create_flags(enum bpf_map_type type, u32 key_size, u32 value_size,
				   u32 max_entries, u32 flags)
{
	union bpf_attr attr = { .map_type = type,
				.key_size = key_size,
				.value_size = value_size,
				.max_entries = max_entries,
				.map_flags = flags,
				.map_name = "test" };

	return (int)vrt_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static inline int map_create(enum bpf_map_type type, u32 key_size, u32 value_size, u32 max_entries)
{
	return map_create_flags(type, key_size, value_size, max_entries, 0);
}

static inline int map_elem(enum bpf_cmd cmd, int fd, const void *key, const void *value, u64 flags)
{
	union bpf_attr attr = { .map_fd = (u32)fd, .key = ptr(key), .value = ptr(value),
				.flags = flags };

	return (int)vrt_bpf(cmd, &attr, sizeof(attr));
}

static inline int map_lookup(int fd, const void *key, void *value)
{
	return map_elem(BPF_MAP_LOOKUP_ELEM, fd, key, value, 0);
}

static inline int map_update(int fd, const void *key, const void *value, u64 flags)
{
	return map_elem(BPF_MAP_UPDATE_ELEM, fd, key, value, flags);
}

static inline int map_delete(int fd, const void *key)
{
	return map_elem(BPF_MAP_DELETE_ELEM, fd, key, NULL, 0);
}

static inline int map_next(int fd, const void *key, void *next)
{
	return map_elem(BPF_MAP_GET_NEXT_KEY, fd, key, next, 0);
}

static inline int map_pop(int fd, const void *key, void *value)
{
	return map_elem(BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, key, value, 0);
}

static inline int btf_load_raw(const void *raw, u32 size)
{
	union bpf_attr attr = { .btf = ptr(raw), .btf_size = size };

	return (int)vrt_bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
}

static inline int btf_load_built(const struct btf_builder *b)
{
	u32 size;
	void *raw = btf_finish(b, &size);
	int fd = btf_load_raw(raw, size);

	free(raw);
	return fd;
}

/* The map as programs see it; the descriptor keeps it. */
static inline struct bpf_map *map_of(int fd)
{
	struct bpf_map *map = bpf_map_from_fd(fd);

	assert_non_null(map);
	bpf_map_put(map);
	return map;
}

#endif
