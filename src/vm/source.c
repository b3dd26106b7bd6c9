// SPDX-License-Identifier: GPL-2.0-only
/* Packages of kernel sources; see source.h. */
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/process.h"
#include "../base/strbuf.h"

#define PACKAGE "linux-source-"

/* --- as a user gives it ------------------------------------------------------------ */

static char *field_of(const struct source *s, const char *field)
{
	char *argv[] = { "dpkg-deb", "-f", s->given, (char *)field, NULL };

	return run_for_output(argv, s->archive.err, s->archive.err_size);
}

static int use_given(struct source *s, const char *path)
{
	struct archive *a = &s->archive;

	s->given = realpath(path, NULL);
	if (!s->given)
		return vrt_error(a->err, a->err_size, -errno, "the package %s: %s", path,
				 strerror(errno));
	s->package = field_of(s, "Package");
	s->version = s->package ? field_of(s, "Version") : NULL;
	if (!s->version)
		return -EIO;
	if (strncmp(s->package, PACKAGE, strlen(PACKAGE)) || strchr(s->package, '/') ||
	    strchr(s->version, '/'))
		return vrt_error(a->err, a->err_size, -EINVAL,
				 "%s is the package '%s'; expected one of kernel sources, " PACKAGE
				 "VERSION",
				 path, s->package);
	return 0;
}

/* --- from the archive ----------------------------------------------------------------- */

static int no_such_package(const struct source *s)
{
	char *out = archive_run(&s->archive, "apt-cache", "search", "--names-only",
				"^" PACKAGE "[0-9.]+$", NULL);
	char *rest = out, *line;
	struct strbuf have = {};

	while (out && (line = strsep(&rest, "\n"))) {
		line[strcspn(line, " ")] = '\0';
		if (*line)
			strbuf_printf(&have, "%s%s", have.len ? ", " : "", line + strlen(PACKAGE));
	}
	if (out)
		vrt_error(s->archive.err, s->archive.err_size, -ENOENT,
			  "the archive has no package %s; it has sources of: %s", s->package,
			  have.len ? strbuf_str(&have) : "nothing");
	free(out);
	strbuf_free(&have);
	return -ENOENT;
}

static int find_in_archive(struct source *s, const char *wanted)
{
	struct strbuf name = {};
	char *out, *line, *rest;

	strbuf_printf(&name, PACKAGE "%s", wanted);
	s->package = strbuf_detach(&name);
	if (archive_open(&s->archive, ARCHIVE_STABLE | ARCHIVE_SECURITY | ARCHIVE_BACKPORTS))
		return -EIO;
	/* "policy" says "(none)" or nothing where "show" fails */
	out = rest = archive_run(&s->archive, "apt-cache", "policy", s->package, NULL);
	if (!out)
		return -EIO;
	while (!s->version && (line = strsep(&rest, "\n"))) {
		static const char key[] = "  Candidate: ";

		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] != '(')
			s->version = xstrdup(line + strlen(key));
	}
	free(out);
	return s->version ? 0 : no_such_package(s);
}

int source_download(const struct source *s, const char *file)
{
	static const char script[] = "mv -- \"$1\"_*.deb \"$2\"";
	char *out;

	if (s->given || !access(file, R_OK))
		return 0;
	archive_say(&s->archive, "fetching %s %s", s->package, s->version);
	if (!archive_run_quietly(&s->archive, "apt-get", "-q", "download", s->package))
		return -EIO;
	out = archive_run(&s->archive, "sh", "-c", script, "sh", s->package, file, NULL);
	free(out);
	return out ? 0 : -EIO;
}

/* --- what is in it ------------------------------------------------------------------------ */

int source_unpack(const struct source *s, const char *file, const char *tree)
{
	/* the register descriptions of one family of graphics chips are a quarter of the tree */
	static const char script[] =
		"dpkg-deb --fsys-tarfile \"$1\" | tar -xO \"./usr/src/$2.tar.xz\" |"
		" tar -xJ -C \"$3\" --strip-components=1 --exclude='*/drivers/gpu/drm/amd/include'";
	char *argv[] = { "sh", "-c", (char *)script, "sh", s->given ? s->given : (char *)file,
			 s->package, (char *)tree, NULL };
	char *out = run_for_output(argv, s->archive.err, s->archive.err_size);

	free(out);
	return out ? 0 : -EIO;
}

/* --- all of it ------------------------------------------------------------------------------ */

int source_find(struct source *s, const char *wanted, void (*say)(const char *line), char *err,
		size_t err_size)
{
	*s = (struct source){};
	s->archive = (struct archive){
		.instead = "download the package of kernel sources elsewhere and give its path",
		.say = say, .err = err, .err_size = err_size,
	};
	return strchr(wanted, '/') ? use_given(s, wanted) : find_in_archive(s, wanted);
}

void source_close(struct source *s)
{
	if (s->archive.dir)
		archive_close(&s->archive);
	free(s->package);
	free(s->version);
	free(s->given);
	*s = (struct source){};
}
