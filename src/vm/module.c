// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building the module: the kernel's packages, unpacked beside its image in the
 * cache as "headers", then a copy of the source, in which kbuild works.
 */
#include "module.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/process.h"
#include "../base/strbuf.h"
#include "archive.h"
#include "bzimage.h"
#include "kernels.h"
#include "recipe.h"

#define FLAVOUR "-cloud-amd64" /* the smallest */
#define HEADERS "headers"
#define NO_SCHED_EXT                                                                               \
	"it has no sched_ext (CONFIG_SCHED_CLASS_EXT); periodic programs run on it: --on vm:schedbpf"

struct module {
	const struct module_options *o;
	const char *wanted;
	struct recipe source;
	char *release; /* of the kernel, once it is chosen */
	char *err;
	size_t err_size;
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

__printf(2, 3) static void say(const struct module *m, const char *fmt, ...)
{
	struct strbuf line = {};
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&line, fmt, args);
	va_end(args);
	m->o->say(strbuf_str(&line));
	strbuf_free(&line);
}

/* --- what is needed ------------------------------------------------------------------- */

static bool have(const char *program)
{
	struct strbuf script = {}, out = {}, err = {};
	char *argv[] = { "sh", "-c", NULL, NULL };
	int status;

	strbuf_printf(&script, "command -v %s", program);
	argv[2] = script.data;
	status = run_process(argv, &out, &err);
	strbuf_free(&script);
	strbuf_free(&out);
	strbuf_free(&err);
	return !status;
}

static int check_tools(const struct module *m)
{
	static const char *const tools[][2] = {
		{ "gcc", "gcc" }, { "ld", "binutils" }, { "make", "make" }, { "pahole", "pahole" },
		{ "xz", "xz-utils" }, { "dpkg-deb", "dpkg" },
	};
	struct strbuf missing = {};
	int ret = 0;

	for (u32 i = 0; i < ARRAY_SIZE(tools); i++)
		if (!have(tools[i][0]))
			strbuf_printf(&missing, " %s", tools[i][1]);
	if (missing.len)
		ret = vrt_error(m->err, m->err_size, -ENOENT,
				"building a module needs packages that are missing:%s",
				strbuf_str(&missing));
	strbuf_free(&missing);
	return ret;
}

/* --- the kernel ------------------------------------------------------------------------ */

/* One that is wanted and whose packages are in the cache, the newest. True: there is one. */
static bool find_in_cache(struct module *m, bool *built, const char *key)
{
	struct kernel_list list;

	if (kernels_list(&list, m->err, m->err_size))
		return false;
	for (u32 i = 0; i < list.nr && !m->release; i++) {
		const struct kernel_entry *e = &list.entries[i];
		char *headers;

		if (!release_matches(e->release, m->wanted))
			continue;
		headers = kernel_place(e->release, HEADERS, m->err, m->err_size);
		if (headers && !access(headers, X_OK)) {
			m->release = xstrdup(e->release);
			*built = e->module_key && !strcmp(e->module_key, key);
		}
		free(headers);
	}
	kernels_free(&list);
	return m->release;
}

/* Of names such as linux-headers-6.12.117+deb12-cloud-amd64; without a '+' they stand for others. */
static void consider(struct module *m, const char *package)
{
	static const char prefix[] = "linux-headers-";
	const char *release = package + strlen(prefix);

	if (strncmp(package, prefix, strlen(prefix)) || !strchr(release, '+') ||
	    !release_matches(release, m->wanted) ||
	    (m->release && release_compare(release, m->release) < 0))
		return;
	free(m->release);
	m->release = xstrdup(release);
}

static int choose_in_archive(struct module *m, const struct archive *a)
{
	char *out = archive_run(a, "apt-cache", "search", "--names-only",
				"^linux-headers-[0-9].*" FLAVOUR "$", NULL);
	char *rest = out, *line;

	if (!out)
		return -EIO;
	while ((line = strsep(&rest, "\n"))) {
		line[strcspn(line, " ")] = '\0';
		consider(m, line);
	}
	free(out);
	return m->release ? 0
			  : vrt_error(m->err, m->err_size, -ENOENT,
				      "the archive of this machine's release has no headers of a "
				      "kernel %s, *" FLAVOUR,
				      m->wanted);
}

/*
 * $1: the release, without the flavour in $2; $3: where the headers go. They refer
 * to each other by their places below /.
 */
static const char unpack[] =
	"set -e\n"
	"for deb in ./*.deb; do dpkg-deb -x \"$deb\" unpacked; rm -f \"$deb\"; done\n"
	"rm -rf \"$3\" \"$3.partial\"; mkdir -p \"$3.partial\"; mv unpacked/usr \"$3.partial/usr\"\n"
	"echo \"include $3/usr/src/linux-headers-$2-common/Makefile\" "
	">\"$3.partial/usr/src/linux-headers-$1/Makefile\"\n"
	"test -e \"$3.partial/usr/src/linux-headers-$1/vmlinux\" || {\n"
	"echo \"the headers have no vmlinux, whose BTF the module needs\" >&2; exit 1; }\n";

static int store_image(const struct module *m, const struct archive *a)
{
	struct strbuf path = {};
	char why[512];
	struct btf *btf;
	int ret;

	strbuf_printf(&path, "%s/unpacked/boot/vmlinuz-%s", a->dir, m->release);
	ret = kernel_store(m->release, strbuf_str(&path), NULL, m->err, m->err_size);
	btf = ret ? NULL : bzimage_btf(strbuf_str(&path), why, sizeof(why));
	if (btf && kernel_offers_sched_ext(btf, why, sizeof(why)))
		ret = kernel_store_refusal(m->release, NO_SCHED_EXT, m->err, m->err_size);
	else if (!ret && !btf)
		ret = vrt_error(m->err, m->err_size, -EINVAL, "%s is of no use: %s", m->release,
				why);
	btf__free(btf);
	strbuf_free(&path);
	return ret;
}

/* Image and headers, all or nothing. */
static int fetch_release(const struct module *m, const struct archive *a)
{
	char *headers = kernel_place(m->release, HEADERS, m->err, m->err_size), *out = NULL;
	char *common = xstrdup(m->release);
	struct strbuf names[4] = {}, partial = {};
	int ret = -EIO;

	common[strlen(common) - strlen(FLAVOUR)] = '\0';
	strbuf_printf(&names[0], "linux-image-%s", m->release);
	strbuf_printf(&names[1], "linux-headers-%s", m->release);
	strbuf_printf(&names[2], "linux-headers-%s-common", common);
	strbuf_printf(&names[3], "linux-kbuild-%s", common);
	say(m, "fetching image and headers of %s", m->release);
	if (headers)
		out = archive_run(a, "apt-get", "-q", "download", names[0].data, names[1].data,
				  names[2].data, names[3].data, NULL);
	if (out) {
		free(out);
		out = archive_run(a, "sh", "-c", unpack, "sh", m->release, common, headers, NULL);
	}
	if (out)
		ret = store_image(m, a);
	if (!ret) {
		strbuf_printf(&partial, "%s.partial", headers);
		ret = rename(strbuf_str(&partial), headers) ?
			      vrt_error(m->err, m->err_size, -errno, "%s: %s", headers,
					strerror(errno)) : 0;
		strbuf_free(&partial);
	}
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		strbuf_free(&names[i]);
	free(out);
	free(common);
	free(headers);
	return ret;
}

static int fetch(struct module *m)
{
	struct archive a = {
		.instead = "build kmod/schedbpf by hand, with make KDIR=HEADERS",
		.say = m->o->say, .err = m->err, .err_size = m->err_size,
	};
	int ret = archive_open(&a, ARCHIVE_STABLE | ARCHIVE_SECURITY | ARCHIVE_BACKPORTS |
				   ARCHIVE_OWN_RELEASE);

	if (ret)
		return ret;
	ret = choose_in_archive(m, &a);
	if (!ret)
		ret = fetch_release(m, &a);
	archive_close(&a);
	return ret;
}

/* --- the module ------------------------------------------------------------------------- */

/* $1: the directory to build in, $2: the source, $3: the headers of $4. */
static const char build[] =
	"set -e; cd \"$1\"; cp -R \"$2\"/* .\n"
	/* what a user may have set for other builds */
	"unset ARCH CROSS_COMPILE KBUILD_OUTPUT KCFLAGS LOCALVERSION MAKEFLAGS\n"
	"for dir in . bench; do\n"
	"make -C \"$3/usr/src/linux-headers-$4\" M=\"$1/$dir\" modules >log 2>&1 || { tail -n 20 log >&2; exit 1; }\n"
	"done; strip --strip-debug schedbpf.ko bench/kthread_job.ko\n";

static int build_module(const struct module *m, const char *key)
{
	char *headers = kernel_place(m->release, HEADERS, m->err, m->err_size);
	char *dir = kernel_place(m->release, "build-XXXXXX", m->err, m->err_size);
	char *argv[] = { "sh", "-c", (char *)build, "sh", dir, m->source.dir, headers, m->release,
			 NULL };
	struct strbuf ko = {}, bench = {};
	char *out = NULL;
	int ret = -EIO;

	if (headers && dir && !mkdtemp(dir))
		vrt_error(m->err, m->err_size, -errno, "%s: %s", dir, strerror(errno));
	else if (headers && dir) {
		say(m, "building schedbpf for %s", m->release);
		out = run_for_output(argv, m->err, m->err_size);
		strbuf_printf(&ko, "%s/schedbpf.ko", dir);
		strbuf_printf(&bench, "%s/bench/kthread_job.ko", dir);
		if (out)
			ret = kernel_store_module(m->release, strbuf_str(&ko), strbuf_str(&bench),
						  key, m->err, m->err_size);
		nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	}
	strbuf_free(&ko);
	strbuf_free(&bench);
	free(out);
	free(dir);
	free(headers);
	return ret;
}

/* --- all of it ---------------------------------------------------------------------------- */

static int make(struct module *m)
{
	char key[RECIPE_KEY_SIZE];
	bool built = false;
	int ret = recipe_key(&m->source, "schedbpf", key, m->err, m->err_size);

	if (ret)
		return ret;
	if (find_in_cache(m, &built, key) && built)
		return 0;
	ret = check_tools(m);
	if (!ret && !m->release)
		ret = fetch(m);
	return ret ? ret : build_module(m, key);
}

int module_build(const struct module_options *o, char *release, size_t release_size, char *err,
		 size_t err_size)
{
	struct module m = {
		.o = o, .wanted = o->wanted ? o->wanted : MODULE_DEFAULT_KERNEL,
		.err = err, .err_size = err_size,
	};
	int ret = recipe_open_files(&m.source, o->source);

	if (ret)
		return vrt_error(err, err_size, ret,
				 "%s: %s; expected the directory kmod/schedbpf that comes with vrt",
				 o->source, strerror(-ret));
	ret = make(&m);
	if (!ret)
		snprintf(release, release_size, "%s", m.release);
	recipe_close(&m.source);
	free(m.release);
	return ret;
}
