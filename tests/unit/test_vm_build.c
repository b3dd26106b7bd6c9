// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of building a kernel: configurations, the recipe and its key, make
 * with its log and its progress. The build itself is tests/e2e/test_vm_build.py.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/base/strbuf.h"
#include "../../src/vm/kconfig.h"
#include "../../src/vm/kernels.h"
#include "../../src/vm/make.h"
#include "../../src/vm/recipe.h"

static char dir[64];

static void write_file(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void make_directory(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* --- configurations ------------------------------------------------------------------ */

static u32 differences(const char *wanted_text, const char *got_text, struct strbuf *out)
{
	struct kconfig wanted, got;
	char err[200];
	u32 nr;

	assert_int_equal(kconfig_parse(&wanted, wanted_text, err, sizeof(err)), 0);
	assert_int_equal(kconfig_parse(&got, got_text, err, sizeof(err)), 0);
	nr = kconfig_differences(&wanted, &got, out);
	kconfig_free(&wanted);
	kconfig_free(&got);
	return nr;
}

static void test_kconfig(void **state)
{
	static const char got[] = "#\n# Automatically generated file; DO NOT EDIT.\n#\n"
				  "CONFIG_SMP=y\nCONFIG_NR_CPUS=64\n# CONFIG_NUMA is not set\n"
				  "CONFIG_LOCALVERSION=\"-vrt\"\n";
	struct strbuf out = {};

	assert_int_equal(differences("# a comment\n\nCONFIG_SMP=y\n"
				     "CONFIG_LOCALVERSION=\"-vrt\"  \n# CONFIG_NUMA is not set\n"
				     "# CONFIG_UNHEARD_OF is not set\nCONFIG_OTHER=n",
				     got, &out),
			 0);
	assert_string_equal(strbuf_str(&out), "");
	/* another value, one that is off, one that is unknown, one that is on */
	assert_int_equal(differences("CONFIG_NR_CPUS=256\nCONFIG_NUMA=y\nCONFIG_SCHED_CLASS_EXT=y\n"
				     "# CONFIG_SMP is not set\n",
				     got, &out),
			 4);
	assert_string_equal(strbuf_str(&out), "CONFIG_NR_CPUS=256 (is 64), CONFIG_NUMA=y (is not set), "
					      "CONFIG_SCHED_CLASS_EXT=y (is not set), "
					      "CONFIG_SMP=n (is y)");
	strbuf_free(&out);
	assert_int_equal(differences("", got, &out), 0);
	assert_int_equal(differences("CONFIG_SMP=y", "", &out), 1);
	strbuf_free(&out);
}

static void expect_bad(const char *text, const char *words)
{
	struct kconfig kc;
	char err[200] = "";

	assert_int_equal(kconfig_parse(&kc, text, err, sizeof(err)), -EINVAL);
	kconfig_free(&kc);
	if (!strstr(err, words))
		fail_msg("expected '%s' in: %s", words, err);
}

static void test_kconfig_bad(void **state)
{
	expect_bad("CONFIG_SMP=y\nSMP=y\n", "line 2: 'SMP=y'");
	expect_bad("CONFIG_SMP", "line 1");
	expect_bad("CONFIG_=y", "line 1");
	expect_bad("CONFIG_SMP=\n", "line 1");
	expect_bad("CONFIG_SMP =y\n", "line 1");
	expect_bad("CONFIG_A=y\nCONFIG_B=y\n# CONFIG_A is not set\n", "CONFIG_A is given twice");
}

/* --- the recipe ------------------------------------------------------------------------- */

static void key_of(const char *version, char key[RECIPE_KEY_SIZE])
{
	struct recipe r;
	char path[100], err[300];

	snprintf(path, sizeof(path), "%s/linux", dir);
	assert_int_equal(recipe_open(&r, path, err, sizeof(err)), 0);
	assert_int_equal(recipe_key(&r, version, key, err, sizeof(err)), 0);
	assert_int_equal(strlen(key), RECIPE_KEY_SIZE - 1);
	recipe_close(&r);
}

/* Was the key changed by what was done since? It becomes @key. */
static bool key_changed(char key[RECIPE_KEY_SIZE])
{
	char before[RECIPE_KEY_SIZE];

	strcpy(before, key);
	key_of("6.12.1-1", key);
	return strcmp(before, key);
}

static void test_recipe_key(void **state)
{
	char key[RECIPE_KEY_SIZE], other[RECIPE_KEY_SIZE];

	make_directory("linux");
	write_file("linux/vm.config", "CONFIG_SMP=y\n");
	key_of("6.12.1-1", key);
	assert_false(key_changed(key));
	key_of("6.12.2-1", other);
	assert_string_not_equal(key, other);
	write_file("linux/vm.config", "CONFIG_SMP=n\n");
	assert_true(key_changed(key));
	write_file("linux/b.sh", "true\n");
	assert_true(key_changed(key));
	write_file("linux/b.sh", "false\n");
	assert_true(key_changed(key));
	make_directory("linux/patches");
	assert_false(key_changed(key));
	write_file("linux/patches/1.patch", "");
	assert_true(key_changed(key));
	/* what scripts could read counts, what explains does not */
	write_file("linux/README.md", "words");
	write_file("linux/.hidden", "x");
	write_file("linux/b.sh~", "x");
	assert_false(key_changed(key));
	/* the same content under another name */
	write_file("linux/a.sh", "false\n");
	assert_true(key_changed(key));
}

static void test_recipe_files(void **state)
{
	struct recipe r;
	char path[100], err[300];

	snprintf(path, sizeof(path), "%s/linux", dir);
	assert_int_equal(recipe_open(&r, path, err, sizeof(err)), 0);
	assert_int_equal(r.nr, 4);
	assert_string_equal(r.files[0], "a.sh");
	assert_string_equal(r.files[1], "b.sh");
	assert_string_equal(r.files[2], "patches/1.patch");
	assert_string_equal(r.files[3], "vm.config");
	recipe_close(&r);
	assert_true(recipe_is_script("a.sh"));
	assert_false(recipe_is_script("patches/a.sh"));
	assert_false(recipe_is_script("vm.config"));
	/* without a configuration it is none */
	snprintf(path, sizeof(path), "%s/linux/patches", dir);
	assert_int_equal(recipe_open(&r, path, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, "vm.config"));
	assert_int_equal(recipe_open(&r, "/no/such", err, sizeof(err)), -ENOENT);
}

/* --- make ---------------------------------------------------------------------------------- */

static void expect_step(const char *line, const char *expected)
{
	struct strbuf step = {};

	assert_int_equal(make_is_step(line, &step), expected != NULL);
	if (expected)
		assert_string_equal(strbuf_str(&step), expected);
	strbuf_free(&step);
}

static void test_steps(void **state)
{
	expect_step("  CC      kernel/sched/build_policy.o\n", "CC kernel/sched/build_policy.o");
	expect_step("  LD [M]  fs/a.ko\n", "LD [M] fs/a.ko");
	expect_step("  BTF     .tmp_vmlinux1.btf.o", "BTF .tmp_vmlinux1.btf.o");
	expect_step("  CC      /tree/tools/objtool/check.o\n", "CC check.o");
	expect_step("  SYSHDR  arch/x86/include/generated/uapi/asm/unistd_64.h\n",
		    "SYSHDR arch/x86/include/generated/uapi/asm/unistd_64.h");
	expect_step("make[1]: Entering directory '/x'\n", NULL);
	expect_step("  warning: this\n", NULL);
	expect_step("  Kernel: x\n", NULL);
	expect_step("CC kernel/fork.o\n", NULL);
	expect_step("  CC\n", NULL);
	expect_step("  CC      \n", NULL);
	expect_step("", NULL);
}

static u32 told_done, told_total;

static void on_progress(u32 done, u32 total, const char *step)
{
	told_done = done;
	told_total = total;
}

static int run_script(const char *script, bool progress, char *err, size_t err_size)
{
	char log[100], *argv[] = { "sh", "-c", (char *)script, NULL };
	struct make_job job = { argv, log, 3, progress ? on_progress : NULL };

	snprintf(log, sizeof(log), "%s/log", dir);
	return make_run(&job, err, err_size);
}

/* A second make goes on counting where the first was; the total gives way. */
static void test_make(void **state)
{
	char err[2000], log[100];
	struct strbuf tail = {};

	told_done = 0;
	assert_int_equal(run_script("echo '  GEN     a'", false, err, sizeof(err)), 0);
	assert_int_equal(told_done, 0);
	assert_int_equal(run_script("echo '  CC      a'; echo noise >&2", true, err, sizeof(err)), 0);
	assert_int_equal(told_done, 2);
	assert_int_equal(told_total, 3);
	assert_int_equal(run_script("echo '  CC      b'; echo '  LD      c'; exit 3", true, err,
				    sizeof(err)),
			 -EIO);
	assert_int_equal(told_done, 4);
	assert_int_equal(told_total, 4);
	assert_non_null(strstr(err, "status 3"));
	assert_non_null(strstr(err, "noise\n  CC      b\n  LD      c"));
	snprintf(log, sizeof(log), "%s/log", dir);
	make_log_tail(log, 2, &tail);
	assert_string_equal(strbuf_str(&tail), "  CC      b\n  LD      c");
	strbuf_reset(&tail);
	make_log_tail(log, 100, &tail);
	assert_string_equal(strbuf_str(&tail),
			    "  GEN     a\n  CC      a\nnoise\n  CC      b\n  LD      c");
	strbuf_reset(&tail);
	make_log_tail("/no/such", 2, &tail);
	assert_string_equal(strbuf_str(&tail), "");
	strbuf_free(&tail);
}

/* A log that is longer than what is read of it for a message. */
static void test_long_log(void **state)
{
	char err[2000];

	assert_int_equal(run_script("i=0; while [ $i -lt 9000 ]; do echo \"line $i\"; i=$((i+1)); "
				    "done; exit 1",
				    false, err, sizeof(err)),
			 -EIO);
	assert_non_null(strstr(err, "line 8999"));
	assert_non_null(strstr(err, "line 8985"));
	assert_null(strstr(err, "line 8984"));
}

/* The signal is for us alone, and yet what runs ends; nothing else happens to us. */
static void test_make_interrupted(void **state)
{
	char err[200];

	make_catch_signals();
	assert_int_equal(run_script("kill -TERM $PPID; trap 'echo ended; exit 1' TERM; "
				    "while :; do sleep 0.01; echo tick; done",
				    false, err, sizeof(err)),
			 -EINTR);
	assert_int_equal(make_signal(), SIGTERM);
	make_release_signals();
	make_catch_signals();
	assert_int_equal(make_signal(), 0);
	make_release_signals();
}

/* As under nohup. */
static void test_ignored_signal(void **state)
{
	signal(SIGHUP, SIG_IGN);
	make_catch_signals();
	raise(SIGHUP);
	assert_int_equal(make_signal(), 0);
	raise(SIGTERM);
	assert_int_equal(make_signal(), SIGTERM);
	make_release_signals();
	assert_ptr_equal(signal(SIGHUP, SIG_DFL), SIG_IGN);
	assert_ptr_equal(signal(SIGTERM, SIG_DFL), SIG_DFL);
	/* what came is forgotten with the next beginning */
	make_catch_signals();
	make_release_signals();
}

static void test_make_missing(void **state)
{
	char log[100], err[500], *argv[] = { "/no/such/program", NULL };
	struct make_job job = { argv, log, 1, NULL };

	snprintf(log, sizeof(log), "%s/log2", dir);
	assert_int_equal(make_run(&job, err, sizeof(err)), -EIO);
	assert_non_null(strstr(err, "/no/such/program: No such file"));
}

/* --- keys in the cache ------------------------------------------------------------------------- */

static const char *cached_key(struct kernel_list *list)
{
	char err[200];

	assert_int_equal(kernels_list(list, err, sizeof(err)), 0);
	assert_int_equal(list->nr, 1);
	return list->entries[0].key;
}

static void test_cached_key(void **state)
{
	struct kernel_list list;
	char path[100], err[500];

	setenv("XDG_CACHE_HOME", dir, 1);
	write_file("image", "image");
	snprintf(path, sizeof(path), "%s/image", dir);
	assert_int_equal(kernel_store("6.12.1-vrt", path, "0123456789abcdef", err, sizeof(err)), 0);
	assert_string_equal(cached_key(&list), "0123456789abcdef");
	kernels_free(&list);
	/* another image of that release is not what the key was for */
	assert_int_equal(kernel_store("6.12.1-vrt", path, NULL, err, sizeof(err)), 0);
	assert_null(cached_key(&list));
	kernels_free(&list);
	assert_int_not_equal(kernel_store("6.12.1-vrt", "/no/such", "key", err, sizeof(err)), 0);
	assert_null(cached_key(&list));
	kernels_free(&list);
}

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test-vm-build-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kconfig),
		cmocka_unit_test(test_kconfig_bad),
		cmocka_unit_test(test_recipe_key),
		cmocka_unit_test(test_recipe_files),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_long_log),
		cmocka_unit_test(test_make_interrupted),
		cmocka_unit_test(test_ignored_signal),
		cmocka_unit_test(test_make_missing),
		cmocka_unit_test(test_cached_key),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
