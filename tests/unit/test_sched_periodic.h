/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A booted machine with periodic programs, for tests: they are written in C,
 * compiled, loaded and attached as a user does it, and tell what they have seen
 * in global variables.
 */
#ifndef VRT_TEST_SCHED_PERIODIC_H
#define VRT_TEST_SCHED_PERIODIC_H

#include "test_sched_fair.h"

#include "../../src/loader/internal.h"
#include "../../src/sched/cgroup/cgroup.h"
#include "../../src/sched/periodic.h"

#define US NSEC_PER_USEC

/* Instructions that cost a hundred times as much let tests end in time. */
#define INSN_PS 30000

static inline void boot_programs(const char *spec, struct kernel_config config, u64 insn_ps)
{
	static struct cost_table slow;
	char err[256] = "";

	slow = cost_defaults;
	slow.bpf_insn_ps = insn_ps;
	config.topology = &topo;
	config.costs = &slow;
	config.seed = 1;
	if (topology_parse(&topo, spec, err, sizeof(err)))
		fail_msg("%s: %s", spec, err);
	assert_int_equal(kernel_boot(&config), 0);
}

/* Programs that compute for long are more than the verifier follows. */
static inline void boot_slow(const char *spec)
{
	boot_programs(spec, (struct kernel_config){ .unverified = true }, INSN_PS);
}

/* Programs that are verified, and so compiled, unless they are to be interpreted. */
static inline void boot_verified(const char *spec, bool interpreted)
{
	boot_programs(spec, (struct kernel_config){ .interpreted = interpreted },
		      cost_defaults.bpf_insn_ps);
}

static inline void boot_verified_slow(const char *spec, bool interpreted)
{
	boot_programs(spec, (struct kernel_config){ .interpreted = interpreted }, INSN_PS);
}

/* A loop of burn(), below, on a slow machine. */
#define BURN_NS (7 * INSN_PS / 1000)

/* What verified programs have. */
#define VERIFIED                                                                                   \
	"#include <vrt/periodic.bpf.h>\n"                                                          \
	"#include <bpf/bpf_tracing.h>\n"                                                           \
	"char _license[] SEC(\"license\") = \"GPL\";\n"                                            \
	"extern void bpf_task_release(struct task_struct *p) __ksym;\n"                            \
	"extern void bpf_preempt_disable(void) __ksym;\n"                                          \
	"extern void bpf_preempt_enable(void) __ksym;\n"                                           \
	"extern void bpf_rcu_read_lock(void) __ksym;\n"                                            \
	"extern void bpf_rcu_read_unlock(void) __ksym;\n"                                          \
	"u64 sink;\n"                                                                              \
	"static __noinline long burn_one(u64 i, void *unused)\n"                                   \
	"{\n"                                                                                      \
	"	sink += i;\n"                                                                     \
	"	return 0;\n"                                                                      \
	"}\n"                                                                                      \
	"static inline void burn(u32 loops)\n"                                                     \
	"{\n"                                                                                      \
	"	bpf_loop(loops, burn_one, 0, 0);\n"                                               \
	"}\n"

/* What the others have: runs note when they were due, and then compute for a while. */
#define PREAMBLE                                                                                   \
	"#include <vmlinux.h>\n"                                                                   \
	"#include <bpf/bpf_helpers.h>\n"                                                           \
	"#include <bpf/bpf_tracing.h>\n"                                                           \
	"char _license[] SEC(\"license\") = \"GPL\";\n"                                            \
	"extern void bpf_preempt_disable(void) __ksym;\n"                                          \
	"extern void bpf_preempt_enable(void) __ksym;\n"                                           \
	"const volatile u32 loops;\n"                                                              \
	"u64 begun, ended, first_due, last_due, off_phase, seen_missed, sink;\n"                   \
	"static void note(struct bpf_periodic_ctx *c)\n"                                           \
	"{\n"                                                                                      \
	"	if (!begun)\n"                                                                     \
	"		first_due = c->due;\n"                                                     \
	"	if ((c->due - first_due) % c->period_ns || c->seq != begun)\n"                     \
	"		off_phase++;\n"                                                            \
	"	last_due = c->due;\n"                                                              \
	"	seen_missed = c->missed;\n"                                                        \
	"	begun++;\n"                                                                        \
	"}\n"                                                                                      \
	"static void compute(void)\n"                                                              \
	"{\n"                                                                                      \
	"	for (u32 i = 0; i < loops; i++)\n"                                                 \
	"		__sync_fetch_and_add(&sink, i);\n"                                         \
	"}\n"

/* Instructions of a loop of compute(). */
#define LOOP_INSNS 5

#define RUN                                                                                        \
	"SEC(\"struct_ops/run\") int BPF_PROG(run, struct bpf_periodic_ctx *c)\n"                  \
	"{\n"                                                                                      \
	"	note(c);\n"                                                                        \
	"	compute();\n"                                                                      \
	"	ended++;\n"                                                                        \
	"	return 0;\n"                                                                       \
	"}\n"

#define TABLE(name, fields)                                                                        \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops " name " = {\n"                         \
	"	.run = (void *)run, .period_ns = 1000000, .name = \"" name "\", " fields "\n"      \
	"};\n"

#define SIMPLE PREAMBLE RUN TABLE("p", "")

/* A test of compiled programs, and of interpreted ones. */
#define BOTH(test)                                                                                 \
	static void test_##test(void **state)                                                      \
	{                                                                                          \
		test(false);                                                                       \
		test(true);                                                                        \
	}

/* A table; further fields without commas inside of strings. */
#define ATTACHED(name, ...)                                                                        \
	"SEC(\".struct_ops.link\") struct bpf_periodic_ops " name " = {\n"                         \
	"	.name = \"" name "\", " #__VA_ARGS__ "\n"                                          \
	"};\n"

static char test_dir[] = "/tmp/test-periodic-XXXXXX";
static struct loader_error error;

static inline void ignore_warning(const char *line, void *arg)
{
}

/* @set: settings separated by spaces, or NULL. */
static inline struct loader *load(const char *text, const char *set)
{
	struct loader_options opts = { .topology = &topo };
	const char *settings[8];
	char copy[256] = "", path[64], *save = NULL;
	struct loader *l;
	FILE *f;

	snprintf(copy, sizeof(copy), "%s", set ? set : "");
	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save))
		settings[opts.nr_set++] = s;
	opts.set = settings;
	snprintf(path, sizeof(path), "%s/t.bpf.c", test_dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	loader_error_free(&error);
	l = loader_open(path, &opts, ignore_warning, NULL, &error);
	if (!l || loader_load(l, &error) != LOADER_OK)
		fail_msg("%s\n%s", error.message, error.log ? error.log : "");
	return l;
}

static inline struct loader *attach(const char *text, const char *set)
{
	struct loader *l = load(text, set);

	if (loader_attach(l, &error) != LOADER_OK)
		fail_msg("%s", error.message);
	return l;
}

/* The settings for runs of @ns, and more. */
static inline const char *loops_for(u64 ns, const char *more)
{
	static char text[128];

	snprintf(text, sizeof(text), "loops=%llu %s", ns * 1000 / (LOOP_INSNS * INSN_PS), more);
	return text;
}

static inline s64 value(struct loader *l, const char *name)
{
	s64 v;

	assert_int_equal(loader_read_var(l, name, &v), 0);
	return v;
}

static inline const struct periodic_stats *stats_of(u32 i)
{
	const struct periodic_stats *s = kernel_periodic_stats(i);

	assert_non_null(s);
	return s;
}

static inline struct task *thread_of(u32 i)
{
	struct task *t = task_from_pid(stats_of(i)->pid);

	assert_non_null(t);
	return t;
}

/* The task of that name, or NULL. */
static inline struct task *find_task(const char *comm)
{
	for (u32 pid = 1; pid < kernel.nr_pids; pid++) {
		struct task *t = task_from_pid(pid);

		if (t && !strcmp(t->ts.comm, comm))
			return t;
	}
	return NULL;
}

static inline void pin(struct task *t, u32 cpu)
{
	struct cpumask mask = { 0 };

	cpumask_set_cpu(cpu, &mask);
	set_affinity(t, &mask);
}

static inline int periodic_setup(void **state)
{
	char include[4200];
	ssize_t len;

	assert_non_null(mkdtemp(test_dir));
	setenv("XDG_CACHE_HOME", test_dir, 1);
	len = readlink("/proc/self/exe", include, 4096);
	assert_true(len > 0);
	include[len] = '\0';
	for (u32 i = 0; i < 3; i++)
		*strrchr(include, '/') = '\0';
	strcat(include, "/include");
	setenv("VRT_INCLUDE", include, 1);
	return 0;
}

static inline int periodic_teardown(void **state)
{
	char command[64];

	loader_error_free(&error);
	snprintf(command, sizeof(command), "rm -rf %s", test_dir);
	return system(command);
}

#endif
