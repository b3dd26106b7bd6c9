// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building a kernel: from the source package to the image in the cache. Every
 * stage leaves something whose presence says that it is done (the package, the
 * tree, what make made), made under another name first: so a build that ended
 * early goes on where it was.
 */
#include "build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "../base/alloc.h"
#include "../base/cache.h"
#include "../base/error.h"
#include "../base/process.h"
#include "../base/strbuf.h"
#include "bzimage.h"
#include "kconfig.h"
#include "kernels.h"
#include "make.h"
#include "recipe.h"
#include "source.h"

#define CACHE "builds"
#define IMAGE "arch/x86/boot/bzImage"
#define MAX_TEXT (1U << 20)

/* As measured with 6.12: all that a build takes, and what is left of it after unpacking. */
#define TREE_MB 2500
#define OBJECTS_MB 1100
#define STEPS 1850

struct build {
	const struct build_options *o;
	struct source source;
	struct recipe recipe;
	char key[RECIPE_KEY_SIZE];
	char *dir;
	int lock;
	char *err;
	size_t err_size;
};

__printf(2, 3) static int fail(const struct build *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(b->err, b->err_size, fmt, args);
	va_end(args);
	return -EIO;
}

__printf(2, 3) static void say(const struct build *b, const char *fmt, ...)
{
	struct strbuf sb = {};
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&sb, fmt, args);
	va_end(args);
	b->o->say(strbuf_str(&sb));
	strbuf_free(&sb);
}

/* A path in the build's directory, to be freed. */
static char *in_dir(const struct build *b, const char *name)
{
	struct strbuf path = {};

	strbuf_printf(&path, "%s/%s", b->dir, name);
	return strbuf_detach(&path);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The content of a text file, to be freed; NULL with a message. */
static char *read_text(const struct build *b, const char *path)
{
	char *text = xcalloc(1, MAX_TEXT);
	FILE *f = fopen(path, "re");

	if (!f || (fread(text, 1, MAX_TEXT - 1, f), ferror(f))) {
		fail(b, "%s: %s", path, strerror(errno));
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

/* --- what must be there ----------------------------------------------------------- */

/* Programs, or headers for the programs of the build itself, and Debian's packages of them. */
static const char *const tools[][2] = {
	{ "gcc", "gcc" },	  { "ld", "binutils" },	  { "make", "make" },
	{ "flex", "flex" },	  { "bison", "bison" },	  { "bc", "bc" },
	{ "perl", "perl" },	  { "pahole", "pahole" }, { "gelf.h", "libelf-dev" },
	{ "tar", "tar" },	  { "xz", "xz-utils" },	  { "dpkg-deb", "dpkg" },
};

static const char *package_of(const char *tool)
{
	for (u32 i = 0; i < ARRAY_SIZE(tools); i++)
		if (!strcmp(tools[i][0], tool))
			return tools[i][1];
	return tool;
}

static int check_tools(const struct build *b)
{
	static const char script[] =
		"for t; do case $t in"
		" *.h) echo \"#include <$t>\" | gcc -E -x c - ;;"
		" *) command -v $t ;;"
		" esac >/dev/null 2>&1 || echo $t; done";
	char *argv[4 + ARRAY_SIZE(tools) + 1] = { "sh", "-c", (char *)script, "sh" };
	struct strbuf missing = {}, packages = {};
	char *out, *rest, *tool;
	int ret = 0;

	for (u32 i = 0; i < ARRAY_SIZE(tools); i++)
		argv[4 + i] = (char *)tools[i][0];
	out = rest = run_for_output(argv, b->err, b->err_size);
	if (!out)
		return -EIO;
	while (*out && (tool = strsep(&rest, "\n"))) {
		strbuf_printf(&missing, "%s%s", missing.len ? ", " : "", tool);
		strbuf_printf(&packages, " %s", package_of(tool));
	}
	if (missing.len)
		ret = fail(b,
			   "building a kernel needs what is not installed here: %s; as root: apt-get "
			   "install%s",
			   strbuf_str(&missing), strbuf_str(&packages));
	strbuf_free(&missing);
	strbuf_free(&packages);
	free(out);
	return ret;
}

static int check_space(const struct build *b, u64 needed_mb)
{
	struct statvfs fs;
	u64 free_mb;

	if (statvfs(b->dir, &fs))
		return fail(b, "%s: %s", b->dir, strerror(errno));
	free_mb = (u64)fs.f_bavail * fs.f_frsize >> 20;
	if (free_mb >= needed_mb)
		return 0;
	return fail(b,
		    "the build needs about %llu MB at %s, where %llu MB are free; make room, or set "
		    "XDG_CACHE_HOME to a directory that has it",
		    needed_mb, b->dir, free_mb);
}

/* --- the tree --------------------------------------------------------------------------- */

static int run_script(const struct build *b, const char *name, char *tree)
{
	char *script = recipe_path(&b->recipe, name), why[1024];
	char *argv[] = { "env", "-C", tree, "sh", script, NULL };
	char *out = run_for_output(argv, why, sizeof(why));
	int ret = out ? 0 : fail(b, "%s: %s", script, why);

	free(out);
	free(script);
	return ret;
}

/* A signal that only we got leaves the command that ran to its end; no other is started. */
static int unless_ended(int ret)
{
	return !ret && make_signal() ? -EINTR : ret;
}

static int fill_tree(const struct build *b, char *tree)
{
	char *package = in_dir(b, "source.deb");
	int ret = unless_ended(source_download(&b->source, package));

	if (!ret) {
		say(b, "unpacking %s %s", b->source.package, b->source.version);
		remove_tree(tree);
		ret = mkdir(tree, 0700) ? fail(b, "%s: %s", tree, strerror(errno)) :
					  source_unpack(&b->source, package, tree);
		ret = unless_ended(ret);
	}
	for (u32 i = 0; !ret && i < b->recipe.nr; i++) {
		const char *file = b->recipe.files[i];

		if (!recipe_is_script(file))
			continue;
		say(b, "changing the source: %s", file);
		ret = unless_ended(run_script(b, file, tree));
	}
	if (!ret)
		unlink(package);
	free(package);
	return ret;
}

static int make_tree(const struct build *b)
{
	char *tree = in_dir(b, "tree"), *partial = in_dir(b, "tree.partial");
	bool there = !access(tree, F_OK);
	int ret = check_space(b, there ? OBJECTS_MB : TREE_MB);

	if (!ret && there) {
		say(b, "going on with the build in %s", b->dir);
	} else if (!ret) {
		ret = fill_tree(b, partial);
		if (!ret && rename(partial, tree))
			ret = fail(b, "%s: %s", tree, strerror(errno));
	}
	free(tree);
	free(partial);
	return ret;
}

/* --- make ---------------------------------------------------------------------------------- */

static u32 nr_jobs(const struct build *b)
{
	cpu_set_t cpus;

	if (b->o->jobs)
		return b->o->jobs;
	return sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : (u32)CPU_COUNT(&cpus);
}

/* What in a user's environment would make another kernel of the same recipe, or another log. */
static const char *const foreign[] = {
	"ARCH",		 "CROSS_COMPILE", "GNUMAKEFLAGS",   "KAFLAGS",	 "KBUILD_EXTMOD",
	"KBUILD_OUTPUT", "KBUILD_VERBOSE", "KCFLAGS",	    "KCONFIG_CONFIG", "KCPPFLAGS",
	"LLVM",		 "LOCALVERSION",  "MAKEFLAGS",	    "MAKEOVERRIDES",
};

static int make_in_tree(const struct build *b, char *tree, char *config, char *jobs, char *target,
			bool progress)
{
	char *log = in_dir(b, "log"), *argv[3 + 2 * ARRAY_SIZE(foreign) + 8] = { "env", "-C", tree };
	char *command[] = { "KBUILD_BUILD_USER=vrt", "KBUILD_BUILD_HOST=vrt", "LC_ALL=C", config,
			    "make", jobs, target };
	struct make_job job = { argv, log, STEPS, progress ? b->o->progress : NULL };
	u32 nr = 3;
	int ret;

	for (u32 i = 0; i < ARRAY_SIZE(foreign); i++) {
		argv[nr++] = "-u";
		argv[nr++] = (char *)foreign[i];
	}
	for (u32 i = 0; i < ARRAY_SIZE(command); i++)
		argv[nr++] = command[i];
	ret = make_run(&job, b->err, b->err_size);
	free(log);
	return ret;
}

static int run_make(const struct build *b, char *target, bool progress)
{
	struct strbuf jobs = {}, config = {};
	char *tree = in_dir(b, "tree");
	int ret;

	/* what allnoconfig starts from */
	strbuf_printf(&config, "KCONFIG_ALLCONFIG=%s/" RECIPE_CONFIG, b->recipe.dir);
	strbuf_printf(&jobs, "-j%u", nr_jobs(b));
	ret = make_in_tree(b, tree, config.data, jobs.data, target, progress);
	if (ret && ret != -EINTR) {
		char *why = xstrdup(b->err);

		fail(b, "make %s in %s failed: %s", target, tree, why);
		free(why);
	}
	strbuf_free(&jobs);
	strbuf_free(&config);
	free(tree);
	return ret;
}

static int read_config(const struct build *b, struct kconfig *kc, const char *path)
{
	char *text = read_text(b, path), why[512];
	int ret;

	*kc = (struct kconfig){};
	if (!text)
		return -EIO;
	ret = kconfig_parse(kc, text, why, sizeof(why));
	free(text);
	return ret ? fail(b, "%s: %s", path, why) : 0;
}

/* kconfig drops without a word what the source does not know, or whose dependencies lack. */
static int check_config(const struct build *b)
{
	char *wanted_path = recipe_path(&b->recipe, RECIPE_CONFIG);
	char *got_path = in_dir(b, "tree/.config");
	struct kconfig wanted = {}, got = {};
	struct strbuf diff = {};
	int ret = read_config(b, &wanted, wanted_path);

	if (!ret)
		ret = read_config(b, &got, got_path);
	if (!ret && kconfig_differences(&wanted, &got, &diff))
		ret = fail(b,
			   "%s %s does not take over what %s asks for: %s; a tool may be too old "
			   "(pahole), or the source",
			   b->source.package, b->source.version, wanted_path, strbuf_str(&diff));
	kconfig_free(&wanted);
	kconfig_free(&got);
	strbuf_free(&diff);
	free(wanted_path);
	free(got_path);
	return ret;
}

static int compile(const struct build *b)
{
	int ret = run_make(b, "allnoconfig", false);

	if (!ret)
		ret = check_config(b);
	if (ret)
		return ret;
	say(b, "building with %u job%s; make's log is %s/log", nr_jobs(b),
	    nr_jobs(b) == 1 ? "" : "s", b->dir);
	return run_make(b, "bzImage", true);
}

/* --- the image ------------------------------------------------------------------------------ */

static int check_image(const struct build *b, const char *image)
{
	char why[512];
	struct btf *btf = bzimage_btf(image, why, sizeof(why));
	int ret = btf ? kernel_offers_sched_ext(btf, why, sizeof(why)) : -EINVAL;

	btf__free(btf);
	return ret ? fail(b, "the kernel that was built is of no use: %s", why) : 0;
}

static int keep_image(const struct build *b, char *release, size_t release_size)
{
	char *image = in_dir(b, "tree/" IMAGE), *text = NULL, *path;
	int ret = check_image(b, image);

	if (!ret) {
		path = in_dir(b, "tree/include/config/kernel.release");
		text = read_text(b, path);
		free(path);
		ret = text ? 0 : -EIO;
	}
	if (!ret) {
		text[strcspn(text, "\n")] = '\0';
		snprintf(release, release_size, "%s", text);
		ret = kernel_store(release, image, b->key, b->err, b->err_size);
	}
	free(text);
	free(image);
	return ret;
}

/* --- all of it ------------------------------------------------------------------------------ */

static char *builds_directory(char *err, size_t err_size)
{
	char *dir = cache_directory(CACHE);

	if (!dir)
		vrt_error(err, err_size, -ENOENT,
			  "there is no place to build a kernel: neither XDG_CACHE_HOME nor HOME names "
			  "a directory that can be written to");
	return dir;
}

/*
 * The lock goes with all descriptors of it, which our children have, too: a make
 * that outlives us keeps others out.
 */
static int take_lock(struct build *b, const char *dir)
{
	struct strbuf path = {};

	strbuf_printf(&path, "%s/.lock", dir);
	b->lock = open(strbuf_str(&path), O_RDWR | O_CREAT, 0600);
	strbuf_free(&path);
	if (b->lock < 0)
		return fail(b, "%s/.lock: %s", dir, strerror(errno));
	if (!flock(b->lock, LOCK_EX | LOCK_NB))
		return 0;
	return fail(b, "another 'vrt vm build' is running in %s; wait for its end", dir);
}

static int enter_directory(struct build *b)
{
	char *dir = builds_directory(b->err, b->err_size);
	struct strbuf path = {};
	int ret;

	if (!dir)
		return -ENOENT;
	strbuf_printf(&path, "%s/%s_%s_%s", dir, b->source.package, b->source.version, b->key);
	b->dir = strbuf_detach(&path);
	ret = take_lock(b, dir);
	if (!ret && mkdir(b->dir, 0700) && errno != EEXIST)
		ret = fail(b, "%s: %s", b->dir, strerror(errno));
	free(dir);
	return ret;
}

/* Has the cache a kernel with our key? */
static bool is_there(const struct build *b, char *release, size_t release_size)
{
	struct kernel_list list;
	bool found = false;

	if (kernels_list(&list, b->err, b->err_size))
		return false;
	for (u32 i = 0; i < list.nr && !found; i++) {
		const struct kernel_entry *e = &list.entries[i];

		found = e->path && e->key && !strcmp(e->key, b->key);
		if (found)
			snprintf(release, release_size, "%s", e->release);
	}
	kernels_free(&list);
	return found;
}

static int build(struct build *b, char *release, size_t release_size)
{
	int ret = recipe_open(&b->recipe, b->o->recipe, b->err, b->err_size);

	if (!ret)
		ret = check_tools(b);
	if (!ret)
		ret = source_find(&b->source, b->o->wanted ? b->o->wanted : BUILD_DEFAULT_VERSION,
				  b->o->say, b->err, b->err_size);
	if (!ret)
		ret = recipe_key(&b->recipe, b->source.version, b->key, b->err, b->err_size);
	ret = unless_ended(ret);
	if (ret)
		return ret;
	if (is_there(b, release, release_size)) {
		say(b, "it was built already");
		return 0;
	}
	ret = enter_directory(b);
	if (!ret)
		ret = make_tree(b);
	if (!ret)
		ret = compile(b);
	if (!ret)
		ret = keep_image(b, release, release_size);
	if (!ret && b->o->keep)
		say(b, "the tree is kept: %s/tree", b->dir);
	else if (!ret)
		remove_tree(b->dir);
	return ret;
}

int kernel_build(const struct build_options *o, char *release, size_t release_size, char *err,
		 size_t err_size)
{
	struct build b = { .o = o, .lock = -1, .err = err, .err_size = err_size };
	int ret;

	make_catch_signals();
	ret = build(&b, release, release_size);
	/* whatever a command said when it was ended */
	if (ret && make_signal())
		ret = vrt_error(err, err_size, -EINTR,
				"interrupted; the same command goes on with what is done");
	make_release_signals();
	source_close(&b.source);
	recipe_close(&b.recipe);
	if (b.lock >= 0)
		close(b.lock);
	free(b.dir);
	return ret;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **kernel_builds(u32 *nr)
{
	char *path = cache_directory(CACHE), **builds = NULL;
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *e;

	*nr = 0;
	while (dir && (e = readdir(dir))) {
		struct strbuf name = {};

		if (e->d_name[0] == '.')
			continue;
		strbuf_printf(&name, "%s/%s", path, e->d_name);
		builds = xreallocarray(builds, *nr + 1, sizeof(*builds));
		builds[(*nr)++] = strbuf_detach(&name);
	}
	if (dir)
		closedir(dir);
	free(path);
	if (*nr)
		qsort(builds, *nr, sizeof(*builds), by_name);
	return builds;
}
