// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiles a .bpf.c with clang, or finds the result in the cache (object_cache.c).
 *
 * Paths of the host are kept out of the object's debug information, so that its
 * hash is the same wherever the same source is compiled.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/file.h"
#include "internal.h"

#define RULE_MAX_SIZE (1UL << 20)

static bool is_source(const char *path)
{
	size_t len = strlen(path);

	return len > 2 && !strcmp(path + len - 2, ".c");
}

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static char *join(const char *dir, const char *name)
{
	struct strbuf sb = {};

	strbuf_printf(&sb, "%s/%s", dir, name);
	return strbuf_detach(&sb);
}

/* --- the compiler and its arguments --------------------------------------------- */

struct command {
	char **args;
	u32 nr;
};

__printf(2, 3) static void add_arg(struct command *c, const char *fmt, ...)
{
	struct strbuf sb = {};
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&sb, fmt, args);
	va_end(args);
	c->args = xreallocarray(c->args, c->nr + 2, sizeof(*c->args));
	c->args[c->nr++] = strbuf_detach(&sb);
	c->args[c->nr] = NULL;
}

static void free_command(struct command *c)
{
	for (u32 i = 0; i < c->nr; i++)
		free(c->args[i]);
	free(c->args);
	*c = (struct command){};
}

static char *find_in_path(const char *name)
{
	const char *path = getenv("PATH");
	char *dirs = xstrdup(path ? path : "/usr/local/bin:/usr/bin:/bin"), *rest = dirs, *dir, *file;

	while ((dir = strsep(&rest, ":"))) {
		file = join(*dir ? dir : ".", name);
		if (!access(file, X_OK) && !is_directory(file)) {
			free(dirs);
			return file;
		}
		free(file);
	}
	free(dirs);
	return NULL;
}

static char *find_clang(void)
{
	static const char *const names[] = { "clang-19", "clang-20", "clang-21", "clang" };
	char *file = NULL;

	for (u32 i = 0; i < ARRAY_SIZE(names) && !file; i++)
		file = find_in_path(names[i]);
	return file;
}

/* @name next to the running program, if it is there. */
static char *beside_program(const char *name, const char *must_have)
{
	char exe[PATH_MAX], *dir, *file;
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (len <= 0)
		return NULL;
	exe[len] = '\0';
	*strrchr(exe, '/') = '\0';
	dir = join(exe, name);
	file = join(dir, must_have);
	if (access(file, R_OK)) {
		free(dir);
		dir = NULL;
	}
	free(file);
	return dir;
}

/* Where vmlinux.h is: as told, in the build directory, or as installed. */
static char *find_vmlinux_dir(void)
{
	const char *told = getenv("VRT_INCLUDE");
	char *dir;

	if (told && *told)
		return xstrdup(told);
	dir = beside_program("include", "vmlinux.h");
	return dir ? dir : beside_program("../include/vruntime", "vmlinux.h");
}

/* In the object's debug information, @dir is ".". */
static void add_include(struct command *c, const char *dir)
{
	add_arg(c, "-I%s", dir);
	add_arg(c, "-fdebug-prefix-map=%s=.", dir);
}

static enum loader_status make_command(struct command *c, const char *path,
				       const struct loader_options *opts,
				       struct loader_error *error)
{
	char *clang = find_clang(), *vmlinux = find_vmlinux_dir();
	char *shipped = beside_program("../schedulers/include", ".");
	const char *slash = strrchr(path, '/');

	if (!clang || !vmlinux) {
		loader_fail(error, LOADER_ERR_COMPILE,
			    clang ? "%s: cannot be compiled: vmlinux.h is not beside the program; set VRT_INCLUDE to its directory"
				  : "%s: cannot be compiled: no clang found in PATH; install clang 19 or later, or give a compiled .bpf.o",
			    path);
		free(clang);
		free(vmlinux);
		free(shipped);
		return LOADER_ERR_COMPILE;
	}
	add_arg(c, "%s", clang);
	add_arg(c, "--target=bpf");
	add_arg(c, "-mcpu=v3");
	add_arg(c, "-g");
	add_arg(c, "-O2");
	add_arg(c, "-D__TARGET_ARCH_x86");
	add_arg(c, "-Wno-compare-distinct-pointer-types");
	add_arg(c, "-Wno-missing-declarations");
	/* source lines in the BTF, though there are no paths by which to find the sources */
	add_arg(c, "-gdwarf-5");
	add_arg(c, "-gembed-source");
	add_arg(c, "-fdebug-compilation-dir=.");
	if (slash)
		add_arg(c, "-fdebug-prefix-map=%.*s=.", (int)(slash - path), path);
	add_include(c, vmlinux);
	if (shipped)
		add_include(c, shipped);
	for (u32 i = 0; i < opts->nr_include_dirs; i++)
		add_include(c, opts->include_dirs[i]);
	/* the C library's headers for the host, where a distribution keeps them apart */
#if defined(__x86_64__)
	add_arg(c, "-idirafter/usr/include/x86_64-linux-gnu");
#elif defined(__aarch64__)
	add_arg(c, "-idirafter/usr/include/aarch64-linux-gnu");
#endif
	free(clang);
	free(vmlinux);
	free(shipped);
	return LOADER_OK;
}

/* Runs the command; what it prints is the message if it fails. */
static enum loader_status run(const struct command *c, const char *path, struct strbuf *out,
			      struct loader_error *error)
{
	struct strbuf err = {};
	int ret = run_process(c->args, out, &err);

	if (ret < 0)
		loader_fail(error, LOADER_ERR_COMPILE, "%s: %s could not be started: %s", path,
			    c->args[0], strerror(-ret));
	else if (ret)
		loader_fail(error, LOADER_ERR_COMPILE, "%s: does not compile:\n%s", path,
			    strbuf_str(&err));
	if (ret && error && err.len)
		error->log = strbuf_detach(&err);
	strbuf_free(&err);
	return ret ? LOADER_ERR_COMPILE : LOADER_OK;
}

/* Compiles into @object; @rule is a make rule, which tells what was read. */
static enum loader_status compile(const struct command *base, const char *path,
				  struct strbuf *object, struct strbuf *rule,
				  struct loader_error *error)
{
	int fd = memfd_create("rule", MFD_CLOEXEC);
	char rule_file[64];
	struct command c = {};
	enum loader_status status;

	for (u32 i = 0; i < base->nr; i++)
		add_arg(&c, "%s", base->args[i]);
	/* both into memory: neither a full disk nor an interrupted run leaves anything */
	snprintf(rule_file, sizeof(rule_file), "/proc/%d/fd/%d", (int)getpid(), fd);
	if (fd >= 0) {
		add_arg(&c, "-MD");
		add_arg(&c, "-MF");
		add_arg(&c, "%s", rule_file);
	}
	add_arg(&c, "-c");
	add_arg(&c, "-o");
	add_arg(&c, "-");
	add_arg(&c, "--");
	add_arg(&c, "%s", path);
	status = run(&c, path, object, error);
	if (fd >= 0) {
		file_read(rule_file, RULE_MAX_SIZE, rule);
		close(fd);
	}
	free_command(&c);
	return status;
}

/* VRT_CACHE=none: nothing is looked up or kept. */
static enum loader_status wants_cache(bool *wanted, struct loader_error *error)
{
	const char *told = getenv("VRT_CACHE");

	*wanted = !told || !*told;
	if (*wanted || !strcmp(told, "none"))
		return LOADER_OK;
	return loader_fail(error, LOADER_ERR_USAGE,
			   "VRT_CACHE is '%s'; expected none, or that it is not set; XDG_CACHE_HOME tells where the cache is",
			   told);
}

static enum loader_status compile_and_keep(const struct command *c, const char *path,
					   const struct object_cache *cache, struct strbuf *object,
					   loader_warn_fn warn, void *arg,
					   struct loader_error *error)
{
	struct strbuf rule = {}, line = {};
	enum loader_status status = compile(c, path, object, &rule, error);
	int err;

	if (status == LOADER_OK && cache) {
		err = object_cache_keep(cache, object, rule.len ? rule.data : (char[]){ "" });
		if (err && warn) {
			strbuf_printf(&line, "the compiled object is not kept in %s: %s", cache->dir,
				      strerror(-err));
			warn(strbuf_str(&line), arg);
		}
	}
	strbuf_free(&rule);
	strbuf_free(&line);
	return status;
}

/* From the cache, if it is there and whole, or from the compiler. */
static enum loader_status find_or_compile(const struct command *c, const char *path,
					  struct image *image, loader_warn_fn warn, void *arg,
					  struct loader_error *error)
{
	struct object_cache cache = {};
	struct strbuf object = {};
	enum loader_status status;
	bool wanted;

	status = wants_cache(&wanted, error);
	if (status != LOADER_OK)
		return status;
	wanted = wanted && object_cache_open(&cache, c->args, path);
	if (!wanted || !object_cache_find(&cache, &object))
		status = compile_and_keep(c, path, wanted ? &cache : NULL, &object, warn, arg,
					  error);
	object_cache_close(&cache);
	if (status == LOADER_OK)
		return image_take(image, &object, path, error);
	strbuf_free(&object);
	return status;
}

static enum loader_status compile_source(struct image *image, const char *path,
				  const struct loader_options *opts, loader_warn_fn warn, void *arg,
				  struct loader_error *error)
{
	struct command c = {};
	enum loader_status status;

	*image = (struct image){};
	if (access(path, R_OK))
		return loader_fail(error, LOADER_ERR_USAGE, "%s: %s", path,
				   errno == ENOENT ? "no such file" : strerror(errno));
	if (is_directory(path))
		return loader_fail(error, LOADER_ERR_USAGE, "%s: is a directory; expected a source file",
				   path);
	status = make_command(&c, path, opts, error);
	if (status == LOADER_OK)
		status = find_or_compile(&c, path, image, opts->verbose ? warn : NULL, arg, error);
	free_command(&c);
	return status;
}

enum loader_status object_read(struct image *image, const char *path,
			       const struct loader_options *opts, loader_warn_fn warn, void *arg,
			       struct loader_error *error)
{
	if (is_source(path))
		return compile_source(image, path, opts, warn, arg, error);
	return image_read(image, path, path, error);
}

enum loader_status loader_read_object(const char *path, const struct loader_options *opts,
				      loader_warn_fn warn, void *arg, struct strbuf *object,
				      struct loader_error *error)
{
	enum loader_status status;
	struct image image;

	if (error)
		*error = (struct loader_error){};
	status = object_read(&image, path, opts, warn, arg, error);
	if (status != LOADER_OK)
		return status;
	strbuf_add(object, image.data, image.size);
	free(image.data);
	return LOADER_OK;
}
