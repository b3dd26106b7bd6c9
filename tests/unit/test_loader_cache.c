// SPDX-License-Identifier: GPL-2.0-only
/* Sources that are compiled once: what is found again, and what must not be. */
#include "loader_fixture.h"

#include <stdarg.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../../src/loader/internal.h"
#include "../../src/loader/loader.h"

static struct loader_error error;

static const char minimal[] =
	"__attribute__((section(\"syscall\"))) int prog(void *ctx) { return 0; }\n"
	"char _license[] __attribute__((section(\"license\"))) = \"GPL\";\n";

static int forget(void **state)
{
	loader_error_free(&error);
	setenv("XDG_CACHE_HOME", test_dir, 1);
	unsetenv("VRT_CACHE");
	return 0;
}

static struct loader *open_with(const char *path, const struct loader_options *opts)
{
	loader_error_free(&error);
	return loader_open(path, opts, NULL, NULL, &error);
}

static const char *write_source(const char *name, const char *text)
{
	return write_file(name, text, strlen(text));
}

static u32 count_cached(void)
{
	char command[256], buf[32] = "";
	FILE *f;

	snprintf(command, sizeof(command), "ls %s/vruntime | wc -l", test_dir);
	f = popen(command, "r");
	assert_non_null(fgets(buf, sizeof(buf), f));
	pclose(f);
	return (u32)atoi(buf);
}

static void test_cache(void **state)
{
	static const struct loader_options any = { .any_object = true };
	static const char source[] = "#include \"part.h\"\n"
		"__attribute__((section(\"syscall\"))) int prog(void *ctx) { return PART; }\n";
	char hash[2][65], path[256];
	struct loader *l;
	u32 before;

	write_source("part.h", "#define PART 1\n");
	strcpy(path, write_source("cached.bpf.c", source));
	l = open_with(path, &any);
	assert_non_null(l);
	strcpy(hash[0], loader_object_hash(l));
	assert_int_equal(strlen(hash[0]), 64);
	loader_close(l);
	before = count_cached();
	l = open_with(path, &any);
	assert_string_equal(loader_object_hash(l), hash[0]);
	loader_close(l);
	assert_int_equal(count_cached(), before);
	/* an included file counts as much as the source */
	write_source("part.h", "#define PART 2\n");
	l = open_with(path, &any);
	strcpy(hash[1], loader_object_hash(l));
	assert_string_not_equal(hash[1], hash[0]);
	loader_close(l);
	assert_int_equal(count_cached(), before + 1);
	/* the same elsewhere is the same object */
	snprintf(path, sizeof(path), "%s/elsewhere", test_dir);
	assert_int_equal(mkdir(path, 0700), 0);
	write_source("elsewhere/part.h", "#define PART 2\n");
	l = open_with(write_source("elsewhere/cached.bpf.c", source), &any);
	assert_string_equal(loader_object_hash(l), hash[1]);
	loader_close(l);
	/* without a cache, too */
	setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
	l = open_with(write_source("elsewhere/cached.bpf.c", source), &any);
	assert_non_null(l);
	assert_string_equal(loader_object_hash(l), hash[1]);
	loader_close(l);
}

/* The loader's object hash of @path, which must load. */
static void read_hash(const char *path, char hash[65])
{
	static const struct loader_options any = { .any_object = true };
	struct loader *l = open_with(path, &any);

	assert_non_null(l);
	strcpy(hash, loader_object_hash(l));
	loader_close(l);
}

static int shell(const char *fmt, ...)
{
	char command[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	return system(command);
}

/* An empty cache of a test's own, below test_dir. */
static void use_cache(const char *name, char path[256])
{
	snprintf(path, 256, "%s/%s", test_dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
	setenv("XDG_CACHE_HOME", path, 1);
}

/* A second time, no compiler is asked; and another compiler is another one. */
static void test_cache_needs_no_compiler(void **state)
{
	char cache[256], bin[256], path[256], hash[2][65], *old_path = strdup(getenv("PATH"));

	use_cache("quick", cache);
	snprintf(bin, sizeof(bin), "%s/bin", test_dir);
	assert_int_equal(mkdir(bin, 0700), 0);
	/* a compiler that counts how often it runs */
	assert_int_equal(shell("printf '#!/bin/sh\necho >>%s/count\nexec %s \"$@\"\n' "
			       "$(command -v clang-19 || command -v clang) >%s/clang-19 && chmod +x %s/clang-19",
			       bin, "%s", bin, bin), 0);
	setenv("PATH", bin, 1);
	strcpy(path, write_source("quick.bpf.c", minimal));
	read_hash(path, hash[0]);
	read_hash(path, hash[1]);
	setenv("PATH", old_path, 1);
	assert_string_equal(hash[0], hash[1]);
	assert_int_equal(shell("test $(wc -l <%s/count) = 1", bin), 0);
	/* the same program, installed anew */
	assert_int_equal(shell("touch -d '2001-01-01' %s/clang-19", bin), 0);
	setenv("PATH", bin, 1);
	read_hash(path, hash[1]);
	setenv("VRT_CACHE", "none", 1);
	read_hash(path, hash[1]);
	unsetenv("VRT_CACHE");
	setenv("PATH", old_path, 1);
	assert_string_equal(hash[0], hash[1]);
	assert_int_equal(shell("test $(wc -l <%s/count) = 3", bin), 0);
	free(old_path);
}

/* A header that hides another one, which stays as it is. */
static void test_cache_hidden_header(void **state)
{
	static const char source[] = "#include <sub/deep.h>\n"
		"__attribute__((section(\"syscall\"))) int prog(void *ctx) { return DEEP; }\n";
	char first[256], second[256], cache[256];
	const char *dirs[] = { first, second };
	const struct loader_options two = { .any_object = true, .include_dirs = dirs,
					    .nr_include_dirs = 2 };
	const char *path;
	char hash[65];
	struct loader *l;

	use_cache("hidden", cache);
	snprintf(first, sizeof(first), "%s/one", test_dir);
	snprintf(second, sizeof(second), "%s/two", test_dir);
	assert_int_equal(shell("mkdir -p %s/sub %s/sub", first, second), 0);
	write_source("two/sub/deep.h", "#define DEEP 1\n");
	path = write_source("hidden.bpf.c", source);
	l = open_with(path, &two);
	assert_non_null(l);
	strcpy(hash, loader_object_hash(l));
	loader_close(l);
	write_source("one/sub/deep.h", "#define DEEP 2\n");
	l = open_with(write_source("hidden.bpf.c", source), &two);
	assert_non_null(l);
	assert_string_not_equal(loader_object_hash(l), hash);
	loader_close(l);
}

/* Whatever is wrong with a file of the cache, it is made again. */
static void test_cache_damaged(void **state)
{
	static const char *const damages[] = {
		"for f in %s/vruntime/*.bpf.o; do printf x | dd of=$f bs=1 seek=600 conv=notrunc status=none; done",
		"truncate -s 100 %s/vruntime/*.bpf.o",
		"truncate -s 0 %s/vruntime/*.bpf.o",
		"rm %s/vruntime/*.bpf.o",
		"truncate -s 100 %s/vruntime/*.deps",
		"truncate -s 0 %s/vruntime/*.deps",
		"sed -i /absent/d %s/vruntime/*.deps",
		"sed -i 's/^object .*/object 0123456789abcdef ..\\/..\\/x/' %s/vruntime/*.deps",
		"head -c 5000 /dev/urandom | tee %s/vruntime/*.deps >/dev/null",
	};
	char cache[256], path[256], hash[2][65];

	use_cache("damaged", cache);
	strcpy(path, write_source("damaged.bpf.c", minimal));
	read_hash(path, hash[0]);
	for (u32 i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		assert_int_equal(shell(damages[i], cache), 0);
		read_hash(path, hash[1]);
		assert_string_equal(hash[0], hash[1]);
		/* and is whole again */
		assert_int_equal(shell("cd %s/vruntime && test $(cat *.bpf.o | sha256sum | cut -c1-64).bpf.o = *.bpf.o "
				       "&& tail -1 *.deps | grep -q ^end && test $(ls | wc -l) = 2", cache), 0);
	}
}

/* What was used last stays, and nothing else is touched. */
static void test_cache_trim(void **state)
{
	char cache[256], dir[300], path[256], hash[65];

	use_cache("trim", cache);
	strcpy(path, write_source("trimmed.bpf.c", minimal));
	read_hash(path, hash);
	snprintf(dir, sizeof(dir), "%s/vruntime", cache);
	/* 40 objects of 64 KiB, used a day one after the other, and long ago the one of now */
	assert_int_equal(shell("cd %s && touch -d 2001-01-01 * && for i in $(seq 10 49); do "
			       "f=$(printf '%%064d' $i).bpf.o; head -c 65536 /dev/urandom >$f; "
			       "touch -d \"2002-01-01 $i days\" $f; done", dir), 0);
	assert_int_equal(shell("cd %s && head -c 99999 /dev/urandom | tee mine 0123.bpf.o >/dev/null && "
			       "touch -d 1999-01-01 mine 0123.bpf.o", dir), 0);
	object_cache_trim(dir, 4 << 20); /* there is room for all */
	assert_int_equal(shell("test $(ls %s | wc -l) = 44", dir), 0);
	read_hash(path, hash); /* found, and so used */
	object_cache_trim(dir, 2 << 20);
	/* three quarters of 2 MiB: 23 of them, and the two files of the one that is used */
	assert_int_equal(shell("cd %s && test $(ls | wc -l) = 27 && test -e mine && test -e 0123.bpf.o && "
			       "test ! -e $(printf '%%064d' 26).bpf.o && test -e $(printf '%%064d' 27).bpf.o && "
			       "test $(ls *.deps | wc -l) = 1", dir), 0);
	object_cache_trim(dir, 0);
	assert_int_equal(shell("test \"$(cd %s && echo *)\" = '0123.bpf.o mine'", dir), 0);
	object_cache_trim("/nowhere", 0);
}

static void test_cache_setting(void **state)
{
	setenv("VRT_CACHE", "off", 1);
	assert_null(open_with(write_source("min.bpf.c", minimal), NULL));
	assert_int_equal(error.status, LOADER_ERR_USAGE);
	assert_non_null(strstr(error.message, "VRT_CACHE is 'off'"));
}

/* A cache that is full, or that cannot be written, is done without. */
static void test_cache_file_systems(void **state)
{
	static const char *const how[] = { "size=4k", "size=64k,ro" };
	char path[256], hash[65];
	int ret;

	use_cache("full", path);
	for (u32 i = 0; i < 2; i++) {
		if (shell("mount -t tmpfs -o %s tmpfs %s 2>&-", how[i], path))
			skip(); /* only root can have a small file system */
		read_hash(write_source("full.bpf.c", minimal), hash);
		/* no half of a file, and nothing that would be found */
		ret = shell("test -z \"$(find %s -type f ! -name '*.bpf.o')\"", path);
		assert_int_equal(umount(path), 0);
		assert_int_equal(ret, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cache, forget, forget),
		cmocka_unit_test_setup_teardown(test_cache_needs_no_compiler, forget, forget),
		cmocka_unit_test_setup_teardown(test_cache_hidden_header, forget, forget),
		cmocka_unit_test_setup_teardown(test_cache_damaged, forget, forget),
		cmocka_unit_test_setup_teardown(test_cache_trim, forget, forget),
		cmocka_unit_test_setup_teardown(test_cache_setting, forget, forget),
		cmocka_unit_test_setup_teardown(test_cache_file_systems, forget, forget),
	};

	return cmocka_run_group_tests_name("object cache", tests, machine_setup, machine_teardown);
}
