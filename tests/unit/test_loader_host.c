// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracing objects in this host's own kernel: they run and count there. Skipped
 * where it does not let us (root, BTF, bpf(2)).
 */
#include "loader_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../../src/loader/internal.h"

#define SKIP 77 /* Meson's */

static struct loader_error error;

#define PREAMBLE                                                                                   \
	"#include \"vmlinux.h\"\n"                                                                  \
	"#include <bpf/bpf_helpers.h>\n"                                                            \
	"char _license[] SEC(\"license\") = \"GPL\";\n"

static int setup(void **state)
{
	char include[4200];

	assert_non_null(mkdtemp(test_dir));
	setenv("XDG_CACHE_HOME", test_dir, 1);
	snprintf(include, sizeof(include), "%s/include", build_root());
	setenv("VRT_INCLUDE", include, 1);
	return chmod(test_dir, 0755);
}

static int teardown(void **state)
{
	char command[256];

	loader_error_free(&error);
	snprintf(command, sizeof(command), "rm -rf %s", test_dir);
	return system(command);
}

static struct loader *open_text(const char *text)
{
	static const struct loader_options opts = { .host = true };

	loader_error_free(&error);
	return loader_open(write_file("t.bpf.c", text, strlen(text)), &opts, NULL, NULL, &error);
}

static void assert_says(const char *words)
{
	if (!strstr(error.message, words))
		fail_msg("'%s' does not say '%s'", error.message, words);
}

/* --- at work -------------------------------------------------------------------- */

static const char counter[] = PREAMBLE
	"const volatile u32 nr_cpus;\n"
	"u32 watched; u64 opens; char last[16];\n"
	"struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 16); __type(key, u32);\n"
	"	 __type(value, u64); } by_pid SEC(\".maps\");\n"
	"struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, u32);\n"
	"	 __type(value, u64); } per_cpu SEC(\".maps\");\n"
	"/* openat() is 257; its path is in RSI, the 13th word of struct pt_regs */\n"
	"SEC(\"tp_btf/sys_enter\") int count(u64 *ctx)\n"
	"{\n"
	"	u32 pid = bpf_get_current_pid_tgid() >> 32, zero = 0;\n"
	"	u64 one = 1, *n, path = 0;\n"
	"	if (pid != watched || ctx[1] != 257)\n"
	"		return 0;\n"
	"	__sync_fetch_and_add(&opens, 1);\n"
	"	bpf_probe_read_kernel(&path, sizeof(path), (u64 *)ctx[0] + 13);\n"
	"	bpf_probe_read_user_str(last, sizeof(last), (const char *)path);\n"
	"	n = bpf_map_lookup_elem(&by_pid, &pid);\n"
	"	if (n)\n"
	"		(*n)++;\n"
	"	else\n"
	"		bpf_map_update_elem(&by_pid, &pid, &one, 0);\n"
	"	n = bpf_map_lookup_elem(&per_cpu, &zero);\n"
	"	if (n)\n"
	"		(*n)++;\n"
	"	return 0;\n"
	"}\n";

static void test_counts_here(void **state)
{
	struct loader *l = open_text(counter);
	struct strbuf out = {};
	char expected[64];
	s64 opens = 0;

#ifndef __x86_64__
	skip(); /* numbers of system calls and places of their arguments */
#endif
	if (!l || loader_load(l, &error) != LOADER_OK || loader_attach(l, &error) != LOADER_OK)
		fail_msg("%s\n%s", error.message, error.log ? error.log : "");
	assert_int_equal(loader_kinds(l), LOADER_TRACING);
	assert_int_equal(loader_set_var(l, "watched", getpid()), 0);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(open("/nowhere/at/all", O_RDONLY), -1);
	assert_int_equal(loader_set_var(l, "watched", 0), 0);
	assert_int_equal(loader_read_var(l, "opens", &opens), 0);
	assert_int_equal(opens, 5);
	assert_int_equal(loader_print_map(l, "by_pid", NULL, &out), 0);
	snprintf(expected, sizeof(expected), "%d = 5\n", (int)getpid());
	assert_string_equal(strbuf_str(&out), expected);
	strbuf_reset(&out);
	assert_int_equal(loader_print_map(l, "per_cpu", NULL, &out), 0);
	assert_int_equal(strncmp(strbuf_str(&out), "[0] = 5 (cpu ", 13), 0);
	strbuf_reset(&out);
	assert_int_equal(loader_print_map(l, ".bss", NULL, &out), 0);
	assert_non_null(strstr(strbuf_str(&out), "last = \"/nowhere/at/all\"\n"));
	strbuf_reset(&out);
	/* the host's CPUs, not a machine's */
	assert_int_equal(loader_print_map(l, ".rodata", NULL, &out), 0);
	snprintf(expected, sizeof(expected), "nr_cpus = %d\n", libbpf_num_possible_cpus());
	assert_string_equal(strbuf_str(&out), expected);
	strbuf_free(&out);

	/* and it goes when it is told to */
	loader_detach(l);
	assert_int_equal(loader_set_var(l, "watched", getpid()), 0);
	assert_int_equal(open("/nowhere/at/all", O_RDONLY), -1);
	assert_int_equal(loader_read_var(l, "opens", &opens), 0);
	assert_int_equal(opens, 5);
	loader_close(l);
}

/* Where functions are open, too; where they are not, it says so and not "be root". */
static void test_function(void **state)
{
	struct loader *l = open_text(PREAMBLE
		"u32 watched; u64 opens;\n"
		"SEC(\"fentry/do_sys_openat2\") int hello(u64 *ctx)\n"
		"{\n"
		"	if (bpf_get_current_pid_tgid() >> 32 == watched)\n"
		"		opens++;\n"
		"	return 0;\n"
		"}\n");
	s64 opens = 0;

	assert_non_null(l);
	if (loader_load(l, &error) != LOADER_OK) {
		assert_says("loads programs, but not 'hello' (SEC(\"fentry/do_sys_openat2\")): Operation not permitted;");
		loader_close(l);
		skip();
	}
	if (loader_attach(l, &error) != LOADER_OK)
		fail_msg("%s", error.message);
	assert_int_equal(loader_set_var(l, "watched", getpid()), 0);
	assert_int_equal(open("/nowhere/at/all", O_RDONLY), -1);
	assert_int_equal(loader_read_var(l, "opens", &opens), 0);
	assert_int_equal(opens, 1);
	loader_close(l);
}

/* --- refusals ------------------------------------------------------------------- */

static void test_no_such_place(void **state)
{
	struct loader *l = open_text(PREAMBLE
		"SEC(\"fentry/do_sys_openat22\") int f(u64 *ctx) { return 0; }\n");

	assert_non_null(l);
	assert_int_equal(loader_load(l, &error), LOADER_ERR_LOAD);
	assert_says("program 'f' (SEC(\"fentry/do_sys_openat22\")) has no place to be: this kernel has no function 'do_sys_openat22' (near: 'do_sys_openat2')");
	loader_close(l);
	l = open_text(PREAMBLE "SEC(\"tp_btf/sched_swich\") int f(u64 *ctx) { return 0; }\n");
	assert_non_null(l);
	assert_int_equal(loader_load(l, &error), LOADER_ERR_LOAD);
	assert_says("no tracepoint 'sched_swich' (near: 'sched_switch')");
	loader_close(l);
	l = open_text(PREAMBLE "SEC(\"kprobe/no_such_function\") int f(void *ctx) { return 0; }\n");
	assert_non_null(l);
	assert_int_equal(loader_load(l, &error), LOADER_OK);
	assert_int_equal(loader_attach(l, &error), LOADER_ERR_ATTACH);
	assert_says("program 'f' (SEC(\"kprobe/no_such_function\")) could not be attached: this kernel has no such place");
	loader_close(l);
}

static void assert_kept_out(const char *text, const char *words)
{
	assert_null(open_text(text));
	assert_int_equal(error.status, LOADER_ERR_OBJECT);
	assert_says(words);
}

static void test_only_tracing(void **state)
{
	assert_kept_out(PREAMBLE
		"SEC(\"struct_ops/f\") s32 f(void *ctx) { return 0; }\n"
		"SEC(\".struct_ops.link\") struct sched_ext_ops t = { .init = (void *)f, .name = \"t\" };\n",
		"has an operations table, 't'; only tracing programs");
	assert_kept_out(PREAMBLE
		"SEC(\"ghost_sched/pnt\") int f(void *ctx) { return 0; }\n"
		"SEC(\"ghost_msg/msg_send\") int g(void *ctx) { return 0; }\n",
		"program 'f' (SEC(\"ghost_sched/pnt\")) is more than tracing");
	assert_kept_out(PREAMBLE "SEC(\"periodic/1s\") int f(void *ctx) { return 0; }\n",
			"is more than tracing");
	assert_kept_out(PREAMBLE "SEC(\"lsm/file_open\") int f(u64 *ctx) { return 0; }\n",
			"is more than tracing");
	assert_kept_out(PREAMBLE "SEC(\"fmod_ret/bpf_modify_return_test\") int f(u64 *ctx) { return 0; }\n",
			"is more than tracing");
	assert_kept_out(PREAMBLE
		"SEC(\"fentry/do_exit\") int f(u64 *ctx) { return 0; }\n"
		"SEC(\"xdp\") int g(void *ctx) { return 0; }\n",
		"program 'g' (SEC(\"xdp\")) is more than tracing");
	assert_kept_out(PREAMBLE "SEC(\"strange\") int f(void *ctx) { return 0; }\n",
			"names no type of program");
}

/* In a process of its own, as there is no way back. */
static void test_not_root(void **state)
{
	const char *path = write_file("t.bpf.c", counter, strlen(counter));
	static const struct loader_options opts = { .host = true };
	int status, refused = 0;
	struct loader *l;
	pid_t pid;

	pid = fork();
	if (!pid) {
		/* nobody need not be able to read what is in our directories */
		l = loader_open(path, &opts, NULL, NULL, &error);
		if (setresuid(65534, 65534, 65534))
			_exit(2);
		if (l)
			refused = loader_load(l, &error) == LOADER_ERR_LOAD;
		if (!refused || !strstr(error.message, "run as root")) {
			print_message("%s\n", error.message);
			_exit(3);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- may we? -------------------------------------------------------------------- */

static bool may_load(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.insns = (u64)(uintptr_t)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (u64)(uintptr_t)"GPL",
	};
	int fd = (int)syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd >= 0)
		close(fd);
	return fd >= 0 && !access("/sys/kernel/btf/vmlinux", R_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_here),
		cmocka_unit_test(test_function),
		cmocka_unit_test(test_no_such_place),
		cmocka_unit_test(test_only_tracing),
		cmocka_unit_test(test_not_root),
	};

	if (!may_load()) {
		print_message("skipped: this host's kernel loads no programs for us\n");
		return SKIP;
	}
	return cmocka_run_group_tests_name("host", tests, setup, teardown);
}
