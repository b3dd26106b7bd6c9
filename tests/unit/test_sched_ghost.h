/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A booted machine with an enclave that ghost_probe.bpf.c schedules.
 */
#ifndef VRT_TEST_SCHED_GHOST_H
#define VRT_TEST_SCHED_GHOST_H

#include "test_sched_fair.h"

#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../../src/loader/facade.h"
#include "../../src/loader/internal.h"
#include "../../src/sched/ghost/internal.h"

static struct loader *probe;
static struct ghost_enclave *enclave;

/* --- the probe ---------------------------------------------------------------- */

static inline const char *probe_path(void)
{
	static char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 32);

	assert_true(len > 0);
	strcpy(strrchr(path, '/') + 1, "ghost_probe.bpf.o");
	return path;
}

static inline void fail_loader(const struct loader_error *error)
{
	fail_msg("%s\n%s", error->message, error->log ? error->log : "");
}

/* @program: one that is not loaded without being asked for, or NULL. */
static inline struct loader *load_object_with(const char *path, const char *program)
{
	struct loader_error error = { 0 };
	struct loader *l = loader_open(path, NULL, NULL, NULL, &error);

	if (!l)
		fail_loader(&error);
	if (program)
		bpf_program__set_autoload(bpf_object__find_program_by_name(l->obj, program), true);
	if (loader_load(l, &error))
		fail_loader(&error);
	return l;
}

static inline struct loader *load_object(const char *path)
{
	return load_object_with(path, NULL);
}

static inline int map_fd(const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(probe->obj, name);

	assert_true(fd >= 0);
	return fd;
}

/* Its globals, as an agent sees them: mapped. */
static char *globals;
static size_t globals_size;

static inline struct bpf_map *globals_map(void)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, probe->obj) {
		if (strstr(bpf_map__name(map), ".bss"))
			return map;
	}
	fail_msg("the probe has no globals");
	return NULL;
}

static inline void map_globals(void)
{
	globals_size = bpf_map__value_size(globals_map());
	globals = facade_mmap(NULL, globals_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			      bpf_map__fd(globals_map()), 0);
	assert_ptr_not_equal(globals, MAP_FAILED);
}

static inline void *probe_var(const char *name)
{
	const struct btf *btf = bpf_object__btf(probe->obj);
	const struct btf_type *sec =
		btf__type_by_id(btf, bpf_map__btf_value_type_id(globals_map()));

	for (u32 i = 0; i < btf_vlen(sec); i++) {
		const struct btf_var_secinfo *v = btf_var_secinfos(sec) + i;
		const struct btf_type *var = btf__type_by_id(btf, v->type);

		if (!strcmp(btf__name_by_offset(btf, var->name_off), name))
			return globals + v->offset;
	}
	fail_msg("the probe has no variable %s", name);
	return NULL;
}

#define PROBE(type, name) (*(type *)probe_var(#name))

static inline int attach_program(const char *name, int target)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(probe->obj, name);

	return bpf_link_create(bpf_program__fd(prog), target,
			       bpf_program__expected_attach_type(prog), NULL);
}

/* --- the machine -------------------------------------------------------------------- */

static inline void make_enclave_with(struct ghost_config config, const char *program)
{
	struct loader_error error = { 0 };
	char err[256] = "";

	enclave = ghost_enclave_create(&config, err, sizeof(err));
	if (!enclave)
		fail_msg("%s", err);
	probe = load_object_with(probe_path(), program);
	map_globals();
	loader_set_enclave(probe, ghost_enclave_fd(enclave));
	if (loader_attach(probe, &error))
		fail_loader(&error);
}

static inline void make_enclave(struct ghost_config config)
{
	make_enclave_with(config, NULL);
}

static inline void start_enclave(void)
{
	char err[256] = "";

	if (ghost_start(enclave, err, sizeof(err)))
		fail_msg("%s", err);
}

/* Boots, and all tasks that come are the probe's. */
static inline void boot_ghost(const char *spec, struct ghost_config config)
{
	boot(spec);
	config.take_all = true;
	make_enclave(config);
	start_enclave();
}

static inline void shut_down_ghost(void)
{
	struct kheap_stats stats;

	ghost_enclave_close(enclave);
	facade_munmap(globals, globals_size);
	loader_close(probe);
	enclave = NULL;
	probe = NULL;
	shut_down();
	kheap_stats(&stats);
	assert_int_equal(stats.live, 0);
}

/* --- tasks --------------------------------------------------------------------------- */

/* Does one action after the other, and exits. */
struct script {
	struct task_action actions[8];
	u32 nr, at;
};

static inline void script_next(struct task *task, struct task_action *action)
{
	struct script *script = task_data(task);

	if (script->at == script->nr)
		*action = (struct task_action){ ACT_EXIT, 0 };
	else
		*action = script->actions[script->at++];
}

static const struct task_behaviour script_behaviour = { .next = script_next, .release = job_release };

static inline struct task *make_scripted(struct task_params params, const struct script *script)
{
	struct script *copy = malloc(sizeof(*copy));
	struct task *task;
	int err;

	*copy = *script;
	if (!params.comm)
		params.comm = "script";
	task = task_create(&params, &script_behaviour, copy, &err);
	assert_non_null(task);
	return task;
}

#define SCRIPT(...)                                                                                \
	(&(const struct script){ .actions = { __VA_ARGS__ },                                       \
				 .nr = ARRAY_SIZE(((struct task_action[]){ __VA_ARGS__ })) })

static inline struct task *scripted(struct task_params params, const struct script *script)
{
	struct task *task = make_scripted(params, script);

	task_start(task);
	return task;
}

/* Of the fair class: no enclave takes it. */
static inline struct task *fair_job(u64 work, u64 sleep)
{
	return start((struct task_params){ .policy = SCHED_IDLE, .comm = "fair" }, work, sleep);
}

/* --- messages ---------------------------------------------------------------------- */

static struct bpf_ghost_msg msg;

/* Drops messages up to the next one of @type, which it leaves in msg. */
static inline bool find_msg(u16 type)
{
	int fd = map_fd("messages");

	while (!bpf_map_lookup_and_delete_elem(fd, NULL, &msg)) {
		if (msg.type == type)
			return true;
	}
	return false;
}

static inline void expect_msg(u16 type)
{
	if (!find_msg(type))
		fail_msg("there is no message of type %u", type);
}

static inline void forget_msgs(void)
{
	struct bpf_ghost_msg m;

	while (!bpf_map_lookup_and_delete_elem(map_fd("messages"), NULL, &m))
		;
}

static inline u32 count_msgs(u16 type)
{
	u32 n = 0;

	while (find_msg(type))
		n++;
	return n;
}

/* The next message of @type about @t. */
static inline void expect_msg_of(u16 type, struct task *t)
{
	while (find_msg(type)) {
		if (msg.dead.gtid == (u64)t->ghost.gtid)
			return;
	}
	fail_msg("there is no message of type %u about %s", type, task_comm(t));
}

/* ... of @cpu; the CPU is the first member of the payload. */
static inline void expect_msg_of_cpu(u16 type, u32 cpu)
{
	while (find_msg(type)) {
		if (msg.cpu_busy.cpu == (s32)cpu)
			return;
	}
	fail_msg("there is no message of type %u of CPU %u", type, cpu);
}

static inline s64 gtid_of(struct task *t)
{
	return t->ghost.gtid;
}

/* --- calls of helpers ---------------------------------------------------------------- */

/* As the probe has them. */
enum { CALL_NONE, CALL_WAKE_AGENT, CALL_RUN_GTID, CALL_RESCHED_CPU, CALL_RESCHED_CPU2 };

struct probe_call {
	u32 helper, on, in_msg;
	u64 a, b, c;
};

/* One call by the next PNT of CPU @on, or by MSG with the next message of type @in_msg. */
static inline void ask(u32 helper, u32 on, u32 in_msg, u64 a, u64 b, u64 c)
{
	struct probe_call call = { helper, on, in_msg, a, b, c };

	memcpy(probe_var("call"), &call, sizeof(call));
}

/* On CPU 0 the pick that follows is the one with which this thread goes to sleep. */
static inline void ask_inside(void *arg)
{
	const struct probe_call *call = arg;

	memcpy(probe_var("call"), call, sizeof(*call));
	if (call->on)
		set_need_resched(call->on);
}

/* The same at once, and what it returns. */
static inline s64 call_now(u32 helper, u32 on, u64 a, u64 b, u64 c)
{
	struct probe_call call = { helper, on, 0, a, b, c };
	u32 calls = PROBE(u32, calls);

	kernel_run_inside(ask_inside, &call);
	kernel_run_until(kernel_now() + NSEC_PER_MSEC);
	assert_int_equal(PROBE(u32, calls), calls + 1);
	return PROBE(s64, result);
}

static inline struct ghost_stats stats_now(void)
{
	struct ghost_stats stats;

	ghost_stats(enclave, &stats);
	return stats;
}

#endif
