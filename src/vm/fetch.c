// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting a kernel from Debian's archive, as an ordinary user: apt works in a
 * directory of ours with one source, the mirror that this machine uses, and the
 * suite in which Debian publishes recent kernels. Packages are unpacked, not
 * installed.
 */
#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "../base/alloc.h"
#include "../base/cache.h"
#include "../base/error.h"
#include "../base/process.h"
#include "../base/strbuf.h"
#include "bzimage.h"
#include "kernels.h"

/* Where kernels newer than the release's own are; the "cloud" flavour is the smallest. */
#define SUITE "trixie-backports"
#define FLAVOUR "-cloud-amd64"
#define MAX_ARGS 32

struct candidate {
	char *package, *release;
};

struct fetch {
	char *dir; /* ours, removed in the end */
	const char *wanted;
	void (*say)(const char *line);
	struct candidate *candidates; /* newest first */
	u32 nr;
	char *err;
	size_t err_size;
};

__printf(2, 3) static void say(const struct fetch *f, const char *fmt, ...)
{
	struct strbuf sb = {};
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&sb, fmt, args);
	va_end(args);
	f->say(strbuf_str(&sb));
	strbuf_free(&sb);
}

/* --- commands ----------------------------------------------------------------------- */

struct command {
	char *argv[MAX_ARGS];
	u32 argc;
	struct strbuf options[8];
	u32 nr_options;
};

/* apt shall see nothing of this machine's, and need no other user to become. */
static void add_apt_options(struct command *c, const char *dir)
{
	static const char *const places[][2] = {
		{ "Dir::Etc::sourcelist", "archive.sources" },
		{ "Dir::Etc::sourceparts", "none" },
		{ "Dir::State", "state" },
		{ "Dir::State::status", "status" },
		{ "Dir::Cache", "cache" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		struct strbuf *option = &c->options[c->nr_options++];

		strbuf_printf(option, "%s=%s/%s", places[i][0], dir, places[i][1]);
		c->argv[c->argc++] = "-o";
		c->argv[c->argc++] = option->data;
	}
	c->argv[c->argc++] = "-o";
	c->argv[c->argc++] = "APT::Sandbox::User=";
}

/*
 * Runs @program with the arguments that follow, the last NULL, in our directory.
 * Its output, to be freed; NULL with a message.
 */
static char *run(const struct fetch *f, const char *program, ...)
{
	struct command c = { { "env", "-C", f->dir, "LC_ALL=C", (char *)program }, 5, {}, 0 };
	struct strbuf out = {}, err = {};
	const char *arg;
	va_list args;
	int status;

	if (!strncmp(program, "apt-", 4))
		add_apt_options(&c, f->dir);
	va_start(args, program);
	while ((arg = va_arg(args, const char *)) && c.argc < MAX_ARGS - 1)
		c.argv[c.argc++] = (char *)arg;
	va_end(args);
	status = run_process(c.argv, &out, &err);
	while (c.nr_options)
		strbuf_free(&c.options[--c.nr_options]);
	if (status)
		vrt_error(f->err, f->err_size, -EIO, "%s failed: %s", program,
			  status == 127 ? "it is not installed; on hosts without it give the path of "
					  "a kernel image instead"
					: strbuf_str(&err));
	strbuf_free(&err);
	if (!status)
		return out.data ? strbuf_detach(&out) : xstrdup("");
	strbuf_free(&out);
	return NULL;
}

/* The same of which only the success counts. */
static bool run_quietly(const struct fetch *f, const char *program, const char *a, const char *b,
			const char *c)
{
	char *out = run(f, program, a, b, c, NULL);
	bool ok = out;

	free(out);
	return ok;
}

/* --- the archive ------------------------------------------------------------------------ */

static char *own_codename(void)
{
	char line[256], *name = NULL;
	FILE *f = fopen("/etc/os-release", "re");

	while (f && !name && fgets(line, sizeof(line), f))
		if (!strncmp(line, "VERSION_CODENAME=", 17)) {
			line[strcspn(line, "\n")] = '\0';
			name = xstrdup(line + 17);
		}
	if (f)
		fclose(f);
	return name;
}

/* The archive that this release's own packages come from. */
static char *find_mirror(const struct fetch *f)
{
	char *argv[] = { "apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)",
			 "Created-By: Packages", NULL };
	struct strbuf out = {}, err = {}, key = {};
	char *codename = own_codename(), *mirror = NULL, *line;

	strbuf_printf(&key, "%s main ", codename ? codename : "?");
	if (!run_process(argv, &out, &err)) {
		char *rest = (char *)strbuf_str(&out);

		while (!mirror && (line = strsep(&rest, "\n")))
			if (!strncmp(line, key.data, key.len))
				mirror = xstrdup(line + key.len);
	}
	if (!mirror)
		vrt_error(f->err, f->err_size, -ENOENT,
			  "apt's configuration names no Debian archive to fetch a kernel from; give "
			  "the path of a kernel image instead");
	strbuf_free(&out);
	strbuf_free(&err);
	strbuf_free(&key);
	free(codename);
	return mirror;
}

static int write_file(const struct fetch *f, const char *name, const char *text)
{
	struct strbuf path = {};
	FILE *file;
	int ret = 0;

	strbuf_printf(&path, "%s/%s", f->dir, name);
	file = fopen(strbuf_str(&path), "we");
	if (!file || fputs(text, file) < 0 || fclose(file))
		ret = vrt_error(f->err, f->err_size, -EIO, "%s: %s", strbuf_str(&path),
				strerror(errno));
	strbuf_free(&path);
	return ret;
}

static int make_directories(const struct fetch *f)
{
	static const char *const dirs[] = {
		"none", "state", "state/lists", "state/lists/partial", "cache", "cache/archives",
		"cache/archives/partial",
	};
	struct strbuf path = {};

	for (u32 i = 0; i < ARRAY_SIZE(dirs); i++) {
		strbuf_reset(&path);
		strbuf_printf(&path, "%s/%s", f->dir, dirs[i]);
		if (mkdir(strbuf_str(&path), 0700)) {
			vrt_error(f->err, f->err_size, -errno, "%s: %s", strbuf_str(&path),
				  strerror(errno));
			strbuf_free(&path);
			return -EIO;
		}
	}
	strbuf_free(&path);
	return write_file(f, "status", "");
}

static int open_archive(const struct fetch *f)
{
	char *mirror = find_mirror(f);
	struct strbuf source = {};
	int ret = -EIO;

	if (!mirror)
		return -ENOENT;
	strbuf_printf(&source, "Types: deb\nURIs: %s\nSuites: " SUITE "\nComponents: main\n", mirror);
	if (!access("/usr/share/keyrings/debian-archive-keyring.gpg", R_OK))
		strbuf_puts(&source,
			    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n");
	if (!make_directories(f) && !write_file(f, "archive.sources", strbuf_str(&source))) {
		say(f, "reading the list of packages of " SUITE);
		ret = run_quietly(f, "apt-get", "-q", "update", NULL) ? 0 : -EIO;
	}
	strbuf_free(&source);
	free(mirror);
	return ret;
}

/* --- candidates ---------------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = release_compare(y->release, x->release);

	/* of two packages for a release, "binary" has the image */
	return order ? order : strcmp(x->package, y->package);
}

static void add_candidate(struct fetch *f, const char *package)
{
	const char *release = strpbrk(package, "0123456789");
	struct candidate c;

	if (!release || (f->wanted && !release_matches(release, f->wanted)))
		return;
	c.package = xstrdup(package);
	c.release = xstrdup(release);
	f->candidates = xreallocarray(f->candidates, f->nr + 1, sizeof(*f->candidates));
	f->candidates[f->nr++] = c;
}

static int find_candidates(struct fetch *f)
{
	char *out = run(f, "apt-cache", "search", "--names-only",
			"^linux-(image|binary)-[0-9].*" FLAVOUR "$", NULL);
	char *rest = out, *line;

	if (!out)
		return -EIO;
	while ((line = strsep(&rest, "\n"))) {
		line[strcspn(line, " ")] = '\0';
		if (*line)
			add_candidate(f, line);
	}
	free(out);
	if (!f->nr)
		return vrt_error(f->err, f->err_size, -ENOENT, SUITE " has no kernel%s%s",
				 f->wanted ? " " : "", f->wanted ? f->wanted : "");
	qsort(f->candidates, f->nr, sizeof(*f->candidates), newest_first);
	return 0;
}

/* Do both have the same version but for its last number? Then what one lacks the other does. */
static bool same_series(const char *a, const char *b)
{
	u32 dots = 0;

	for (; *a && *a == *b; a++, b++)
		if (*a == '.' && ++dots == 2)
			return true;
	return false;
}

/* --- one candidate --------------------------------------------------------------------------- */

/* Where in a package the image is: in /boot, or as newer packages have it. To be freed. */
static char *find_image(const struct fetch *f, const char *release)
{
	static const char *const places[][2] = {
		{ "boot/vmlinuz-", "" },
		{ "usr/lib/modules/", "/vmlinuz" },
		{ "lib/modules/", "/vmlinuz" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		struct strbuf path = {};

		strbuf_printf(&path, "%s/unpacked/%s%s%s", f->dir, places[i][0], release, places[i][1]);
		if (!access(strbuf_str(&path), R_OK))
			return strbuf_detach(&path);
		strbuf_free(&path);
	}
	return NULL;
}

/* The image, to be freed; NULL with a message. */
static char *get_image(const struct fetch *f, const struct candidate *c)
{
	char *image;

	say(f, "fetching %s", c->package);
	if (!run_quietly(f, "apt-get", "-q", "download", c->package) ||
	    !run_quietly(f, "sh", "-c",
			 "rm -rf unpacked && dpkg-deb -x ./*.deb unpacked && rm -f ./*.deb", NULL))
		return NULL;
	image = find_image(f, c->release);
	if (!image)
		vrt_error(f->err, f->err_size, -ENOENT, "the package %s has no kernel image",
			  c->package);
	return image;
}

/* 0: it is kept. -EAGAIN: of no use, which is noted; others: with a message. */
static int try_candidate(const struct fetch *f, const struct candidate *c)
{
	char *image = get_image(f, c), why[512];
	struct btf *btf;
	int ret;

	if (!image)
		return -EIO;
	btf = bzimage_btf(image, why, sizeof(why));
	ret = btf ? kernel_offers_sched_ext(btf, why, sizeof(why)) : -EINVAL;
	btf__free(btf);
	if (!ret) {
		ret = kernel_store(c->release, image, f->err, f->err_size);
	} else {
		say(f, "%s is of no use: %s", c->release, why);
		ret = kernel_store_refusal(c->release, why, f->err, f->err_size);
		if (!ret)
			ret = -EAGAIN;
	}
	free(image);
	return ret;
}

/* Is it in the cache? 0: and good; -EAGAIN: and refused; -ENOENT: no. */
static int known(const struct fetch *f, const struct kernel_list *list, const char *release)
{
	for (u32 i = 0; i < list->nr; i++) {
		const struct kernel_entry *e = &list->entries[i];

		if (strcmp(e->release, release))
			continue;
		if (e->refused)
			say(f, "%s is of no use: %s", release, e->refused);
		return e->refused ? -EAGAIN : 0;
	}
	return -ENOENT;
}

/* From the newest series to the oldest; of a series only the newest is looked at. */
static int try_all(const struct fetch *f, char *release, size_t size)
{
	struct kernel_list list;
	const char *refused = NULL;
	int ret = kernels_list(&list, f->err, f->err_size);

	for (u32 i = 0; !ret && i < f->nr; i++) {
		const struct candidate *c = &f->candidates[i];
		int got;

		if (refused && same_series(refused, c->release))
			continue;
		got = known(f, &list, c->release);
		if (got == -ENOENT)
			got = try_candidate(f, c);
		if (got == -EAGAIN) {
			refused = c->release;
			continue;
		}
		kernels_free(&list);
		snprintf(release, size, "%s", c->release);
		return got;
	}
	kernels_free(&list);
	return ret ? ret
		   : vrt_error(f->err, f->err_size, -ENOENT,
			       "none of the kernels of " SUITE " is of use; give the path of a kernel "
			       "image instead");
}

/* --- all of it -------------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static char *make_own_directory(char *err, size_t err_size)
{
	char *cache = cache_directory("kernels");
	struct strbuf dir = {};

	if (!cache) {
		vrt_error(err, err_size, -ENOENT,
			  "there is no place to keep a kernel: neither XDG_CACHE_HOME nor HOME names "
			  "a directory that can be written to");
		return NULL;
	}
	strbuf_printf(&dir, "%s/.fetch-XXXXXX", cache);
	free(cache);
	if (mkdtemp(dir.data))
		return strbuf_detach(&dir);
	vrt_error(err, err_size, -errno, "%s: %s", dir.data, strerror(errno));
	strbuf_free(&dir);
	return NULL;
}

int kernel_fetch(const char *wanted, void (*say_fn)(const char *line), char *release,
		 size_t release_size, char *err, size_t err_size)
{
	struct fetch f = { .wanted = wanted, .say = say_fn, .err = err, .err_size = err_size };
	int ret;

	f.dir = make_own_directory(err, err_size);
	if (!f.dir)
		return -EIO;
	ret = open_archive(&f);
	if (!ret)
		ret = find_candidates(&f);
	if (!ret)
		ret = try_all(&f, release, release_size);
	while (f.nr) {
		free(f.candidates[--f.nr].package);
		free(f.candidates[f.nr].release);
	}
	free(f.candidates);
	nftw(f.dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(f.dir);
	return ret;
}
