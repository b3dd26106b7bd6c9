// SPDX-License-Identifier: GPL-2.0-only
/* apt in a directory of ours; see archive.h. */
#include "archive.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/cache.h"
#include "../base/error.h"
#include "../base/process.h"
#include "../base/strbuf.h"

/* Where kernels newer than this machine's release are; kernels do not mind where they run. */
#define CODENAME "trixie"
#define KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"
#define MAX_ARGS 32

void archive_say(const struct archive *a, const char *fmt, ...)
{
	struct strbuf sb = {};
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&sb, fmt, args);
	va_end(args);
	a->say(strbuf_str(&sb));
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
	/* half a list of packages is none */
	c->argv[c->argc++] = "-o";
	c->argv[c->argc++] = "APT::Update::Error-Mode=any";
}

char *archive_run(const struct archive *a, const char *program, ...)
{
	struct command c = { { "env", "-C", a->dir, "LC_ALL=C", (char *)program }, 5, {}, 0 };
	struct strbuf out = {}, err = {};
	const char *arg;
	va_list args;
	int status;

	if (!strncmp(program, "apt-", 4))
		add_apt_options(&c, a->dir);
	va_start(args, program);
	while ((arg = va_arg(args, const char *)) && c.argc < MAX_ARGS - 1)
		c.argv[c.argc++] = (char *)arg;
	va_end(args);
	status = run_process(c.argv, &out, &err);
	while (c.nr_options)
		strbuf_free(&c.options[--c.nr_options]);
	if (status == 127 || status == -ENOENT)
		vrt_error(a->err, a->err_size, -ENOENT, "%s is not installed; without it, %s",
			  program, a->instead);
	else if (status < 0)
		vrt_error(a->err, a->err_size, status, "%s could not be started: %s", program,
			  strerror(-status));
	else if (status)
		vrt_error(a->err, a->err_size, -EIO, "%s failed: %s", program, strbuf_str(&err));
	strbuf_free(&err);
	if (!status)
		return out.data ? strbuf_detach(&out) : xstrdup("");
	strbuf_free(&out);
	return NULL;
}

bool archive_run_quietly(const struct archive *a, const char *program, const char *arg1,
			 const char *arg2, const char *arg3)
{
	char *out = archive_run(a, program, arg1, arg2, arg3, NULL);
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

/* The archive that this release's own packages of a suite ("", "-security") come from. */
static char *find_mirror(const char *suite, int *status)
{
	char *argv[] = { "apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)",
			 "Created-By: Packages", NULL };
	struct strbuf out = {}, err = {}, key = {};
	char *codename = own_codename(), *mirror = NULL, *line;

	strbuf_printf(&key, "%s%s main ", codename ? codename : "?", suite);
	*status = run_process(argv, &out, &err);
	if (!*status) {
		char *rest = (char *)strbuf_str(&out);

		while (!mirror && (line = strsep(&rest, "\n")))
			if (!strncmp(line, key.data, key.len))
				mirror = xstrdup(line + key.len);
	}
	strbuf_free(&out);
	strbuf_free(&err);
	strbuf_free(&key);
	free(codename);
	return mirror;
}

static int write_file(const struct archive *a, const char *name, const char *text)
{
	struct strbuf path = {};
	FILE *file;
	int ret = 0;

	strbuf_printf(&path, "%s/%s", a->dir, name);
	file = fopen(strbuf_str(&path), "we");
	if (!file || fputs(text, file) < 0 || fclose(file))
		ret = vrt_error(a->err, a->err_size, -EIO, "%s: %s", strbuf_str(&path),
				strerror(errno));
	strbuf_free(&path);
	return ret;
}

static int make_directories(const struct archive *a)
{
	static const char *const dirs[] = {
		"none", "state", "state/lists", "state/lists/partial", "cache", "cache/archives",
		"cache/archives/partial",
	};
	struct strbuf path = {};

	for (u32 i = 0; i < ARRAY_SIZE(dirs); i++) {
		strbuf_reset(&path);
		strbuf_printf(&path, "%s/%s", a->dir, dirs[i]);
		if (mkdir(strbuf_str(&path), 0700)) {
			vrt_error(a->err, a->err_size, -errno, "%s: %s", strbuf_str(&path),
				  strerror(errno));
			strbuf_free(&path);
			return -EIO;
		}
	}
	strbuf_free(&path);
	return write_file(a, "status", "");
}

static void add_source(struct strbuf *sources, const char *mirror, const char *codename,
		       const char *suite)
{
	strbuf_printf(sources, "Types: deb\nURIs: %s\nSuites: %s%s\nComponents: main\n", mirror,
		      codename, suite);
	if (!access(KEYRING, R_OK))
		strbuf_puts(sources, "Signed-By: " KEYRING "\n");
	strbuf_putc(sources, '\n');
}

static int write_sources(const struct archive *a, unsigned int suites)
{
	int status, ret;
	char *mirror = find_mirror("", &status), *security = find_mirror("-security", &status);
	char *own = own_codename();
	const char *codename = suites & ARCHIVE_OWN_RELEASE && own ? own : CODENAME;
	struct strbuf sources = {};

	if (mirror && suites & ARCHIVE_STABLE)
		add_source(&sources, mirror, codename, "");
	if (mirror && suites & ARCHIVE_BACKPORTS)
		add_source(&sources, mirror, codename, "-backports");
	if (security && suites & ARCHIVE_SECURITY)
		add_source(&sources, security, codename, "-security");
	if (mirror)
		ret = write_file(a, "archive.sources", strbuf_str(&sources));
	else if (status)
		ret = vrt_error(a->err, a->err_size, -ENOENT,
				"apt-get is not installed, or does not run; without it, %s",
				a->instead);
	else
		ret = vrt_error(a->err, a->err_size, -ENOENT,
				"apt's configuration names no Debian archive; %s", a->instead);
	strbuf_free(&sources);
	free(own);
	free(security);
	free(mirror);
	return ret;
}

/* --- all of it -------------------------------------------------------------------------- */

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

int archive_open(struct archive *a, unsigned int suites)
{
	int ret;

	a->dir = make_own_directory(a->err, a->err_size);
	if (!a->dir)
		return -EIO;
	ret = make_directories(a);
	if (!ret)
		ret = write_sources(a, suites);
	if (!ret) {
		a->say("reading the archive's list of packages");
		ret = archive_run_quietly(a, "apt-get", "-q", "update", NULL) ? 0 : -EIO;
	}
	if (ret)
		archive_close(a);
	return ret;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void archive_close(struct archive *a)
{
	nftw(a->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(a->dir);
	a->dir = NULL;
}
