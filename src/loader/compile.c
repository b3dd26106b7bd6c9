// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiles a .bpf.c with clang, or finds the result in the cache. The key is a
 * hash of all that the result depends on: the compiler, its arguments and the
 * content of every file that is included.
 *
 * Paths of the host are kept out of the object's debug information, so that its
 * hash is the same wherever the same source is compiled.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/cache.h"
#include "internal.h"

#define OBJECT_ROOM (2UL << 20) /* bytes, more than most objects need */

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

static enum loader_status run_with(const struct command *base, const char *path, const char *mode,
				   const char *output, struct strbuf *out,
				   struct loader_error *error)
{
	struct command c = {};
	enum loader_status status;

	for (u32 i = 0; i < base->nr; i++)
		add_arg(&c, "%s", base->args[i]);
	add_arg(&c, "%s", mode);
	if (output) {
		add_arg(&c, "-o");
		add_arg(&c, "%s", output);
	}
	add_arg(&c, "--");
	add_arg(&c, "%s", path);
	status = run(&c, path, out, error);
	free_command(&c);
	return status;
}

/* --- the key --------------------------------------------------------------------- */

/* The next file name of a make rule's right side, unescaped in place; NULL at the end. */
static char *next_dependency(char **rest)
{
	char *in = *rest, *out, *name;

	while (*in == ' ' || *in == '\n' || (in[0] == '\\' && in[1] == '\n'))
		in++;
	if (!*in)
		return NULL;
	for (name = out = in; *in && *in != ' ' && *in != '\n'; in++) {
		if ((in[0] == '\\' && (in[1] == ' ' || in[1] == '#')) ||
		    (in[0] == '$' && in[1] == '$'))
			in++;
		*out++ = *in;
	}
	*rest = *in ? in + 1 : in;
	*out = '\0';
	return name;
}

static void hash_text(struct hash_sha256 *hash, const char *s)
{
	hash_sha256_add(hash, s, strlen(s) + 1);
}

static enum loader_status hash_dependencies(struct hash_sha256 *hash, const struct command *c,
					    const char *path, struct loader_error *error)
{
	struct strbuf rule = {};
	enum loader_status status = run_with(c, path, "-M", NULL, &rule, error);
	char hex[SHA256_HEX_SIZE], *text, *rest, *name;

	text = rest = strbuf_detach(&rule);
	rest = strchr(rest, ':') ? strchr(rest, ':') + 1 : rest;
	while (status == LOADER_OK && (name = next_dependency(&rest))) {
		if (hash_sha256_file(name, hex))
			status = loader_fail(error, LOADER_ERR_COMPILE, "%s: includes %s, which cannot be read",
					     path, name);
		hash_text(hash, hex);
	}
	free(text);
	return status;
}

static enum loader_status hash_compiler(struct hash_sha256 *hash, const struct command *c,
					const char *path, struct loader_error *error)
{
	struct command version = {};
	struct strbuf out = {};
	enum loader_status status;

	add_arg(&version, "%s", c->args[0]);
	add_arg(&version, "--version");
	status = run(&version, path, &out, error);
	hash_text(hash, strbuf_str(&out));
	strbuf_free(&out);
	free_command(&version);
	return status;
}

static enum loader_status make_key(char key[SHA256_HEX_SIZE], const struct command *c,
				   const char *path, struct loader_error *error)
{
	const char *slash = strrchr(path, '/');
	struct hash_sha256 hash;
	u8 digest[SHA256_BYTES];
	enum loader_status status;

	hash_sha256_init(&hash);
	for (u32 i = 0; i < c->nr; i++)
		hash_text(&hash, c->args[i]);
	hash_text(&hash, slash ? slash + 1 : path);
	status = hash_compiler(&hash, c, path, error);
	if (status == LOADER_OK)
		status = hash_dependencies(&hash, c, path, error);
	hash_sha256_final(&hash, digest);
	hash_sha256_hex(digest, key);
	return status;
}

/* --- the cache -------------------------------------------------------------------- */

static char *temporary_directory(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = join(tmp && *tmp == '/' ? tmp : "/tmp", "vruntime-XXXXXX");

	if (mkdtemp(dir))
		return dir;
	free(dir);
	return NULL;
}

/* Compiles into @object, which appears at once and complete. */
static enum loader_status compile_to(const char *object, const struct command *c, const char *path,
				     struct loader_error *error)
{
	struct strbuf part = {}, out = {};
	enum loader_status status;

	strbuf_printf(&part, "%s.%d", object, (int)getpid());
	status = run_with(c, path, "-c", strbuf_str(&part), &out, error);
	if (status == LOADER_OK && rename(strbuf_str(&part), object))
		status = loader_fail(error, LOADER_ERR_COMPILE, "%s: %s cannot be written: %s", path, object,
				     strerror(errno));
	if (status != LOADER_OK)
		unlink(strbuf_str(&part));
	strbuf_free(&part);
	strbuf_free(&out);
	return status;
}

static enum loader_status compile_and_read(struct image *image, const char *object,
					   const struct command *c, const char *path,
					   struct loader_error *error)
{
	enum loader_status status = compile_to(object, c, path, error);

	return status == LOADER_OK ? image_read(image, object, path, error) : status;
}

/* For one object more. What cannot be asked is tried. */
static bool has_room(const char *dir)
{
	struct statvfs st;

	return statvfs(dir, &st) || (u64)st.f_bavail * st.f_frsize >= OBJECT_ROOM;
}

static enum loader_status compile_uncached(struct image *image, const struct command *c,
					   const char *path, const struct loader_options *opts,
					   loader_warn_fn warn, void *arg,
					   struct loader_error *error)
{
	char *dir = temporary_directory(), *object;
	enum loader_status status;

	if (!dir)
		return loader_fail(error, LOADER_ERR_COMPILE,
				   "%s: cannot be compiled: neither the cache (~/.cache/vruntime) nor a temporary directory can be written",
				   path);
	if (opts->verbose && warn)
		warn("the cache (~/.cache/vruntime) is full or cannot be written; compiling into a temporary directory",
		     arg);
	object = join(dir, "object.bpf.o");
	status = compile_and_read(image, object, c, path, error);
	unlink(object);
	rmdir(dir);
	free(object);
	free(dir);
	return status;
}

static enum loader_status compile_cached(struct image *image, const struct command *c,
					 const char *cache, const char *path,
					 const struct loader_options *opts, loader_warn_fn warn,
					 void *arg, struct loader_error *error)
{
	char key[SHA256_HEX_SIZE], *object, *name;
	struct strbuf file = {};
	enum loader_status status = make_key(key, c, path, error);

	if (status != LOADER_OK)
		return status;
	strbuf_printf(&file, "%s.bpf.o", key);
	name = strbuf_detach(&file);
	object = join(cache, name);
	/* an object in the cache that is damaged is made again */
	if (access(object, R_OK) || image_read(image, object, path, NULL) != LOADER_OK)
		status = has_room(cache) ?
				 compile_and_read(image, object, c, path, error) :
				 compile_uncached(image, c, path, opts, warn, arg, error);
	free(object);
	free(name);
	return status;
}

static enum loader_status compile_source(struct image *image, const char *path,
				  const struct loader_options *opts, loader_warn_fn warn, void *arg,
				  struct loader_error *error)
{
	struct command c = {};
	enum loader_status status;
	char *cache;

	*image = (struct image){};
	if (access(path, R_OK))
		return loader_fail(error, LOADER_ERR_USAGE, "%s: %s", path,
				   errno == ENOENT ? "no such file" : strerror(errno));
	if (is_directory(path))
		return loader_fail(error, LOADER_ERR_USAGE, "%s: is a directory; expected a source file",
				   path);
	status = make_command(&c, path, opts, error);
	if (status == LOADER_OK) {
		cache = cache_directory("");
		if (cache)
			status = compile_cached(image, &c, cache, path, opts, warn, arg,
						error);
		else
			status = compile_uncached(image, &c, path, opts, warn, arg, error);
		free(cache);
	}
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
