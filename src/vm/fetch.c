// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting a kernel from Debian's archive, as an ordinary user, from the suite in
 * which Debian publishes recent kernels. Packages are unpacked, not installed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "archive.h"
#include "bzimage.h"
#include "kernels.h"

#define FLAVOUR "-cloud-amd64" /* the smallest */

struct candidate {
	char *package, *release;
};

struct fetch {
	struct archive archive;
	const char *wanted;
	struct candidate *candidates; /* newest first */
	u32 nr;
	char *err;
	size_t err_size;
};

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
	char *out = archive_run(&f->archive, "apt-cache", "search", "--names-only",
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
		return vrt_error(f->err, f->err_size, -ENOENT, "the archive has no kernel%s%s",
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

		strbuf_printf(&path, "%s/unpacked/%s%s%s", f->archive.dir, places[i][0], release,
			      places[i][1]);
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

	archive_say(&f->archive, "fetching %s", c->package);
	if (!archive_run_quietly(&f->archive, "apt-get", "-q", "download", c->package) ||
	    !archive_run_quietly(&f->archive, "sh", "-c",
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
		ret = kernel_store(c->release, image, NULL, f->err, f->err_size);
	} else {
		archive_say(&f->archive, "%s is of no use: %s", c->release, why);
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
			archive_say(&f->archive, "%s is of no use: %s", release, e->refused);
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
			       "none of the archive's kernels is of use; give the path of a kernel "
			       "image instead");
}

/* --- all of it -------------------------------------------------------------------------------- */

int kernel_fetch(const char *wanted, void (*say)(const char *line), char *release,
		 size_t release_size, char *err, size_t err_size)
{
	struct fetch f = { .wanted = wanted, .err = err, .err_size = err_size };
	int ret;

	f.archive = (struct archive){
		.instead = "give the path of a kernel image", .say = say,
		.err = err, .err_size = err_size,
	};
	ret = archive_open(&f.archive, ARCHIVE_BACKPORTS);
	if (ret)
		return ret;
	ret = find_candidates(&f);
	if (!ret)
		ret = try_all(&f, release, release_size);
	while (f.nr) {
		free(f.candidates[--f.nr].package);
		free(f.candidates[f.nr].release);
	}
	free(f.candidates);
	archive_close(&f.archive);
	return ret;
}
