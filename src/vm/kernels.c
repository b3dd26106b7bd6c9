// SPDX-License-Identifier: GPL-2.0-only
/* The kernels in the cache; see kernels.h. */
#include "kernels.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/cache.h"
#include "../base/error.h"
#include "../base/strbuf.h"

#define CACHE "kernels"
#define IMAGE "vmlinuz"
#define REFUSED "refused"
#define KEY "key"
#define MODULE "schedbpf.ko"
#define MODULE_KEY "schedbpf.key"
#define BENCH_MODULE "kthread_job.ko" /* to be measured beside it */
#define MAX_TEXT 1024
#define HINT "'vrt vm fetch' gets one, 'vrt vm build' makes one"

/* --- releases -------------------------------------------------------------------- */

int release_compare(const char *a, const char *b)
{
	while (*a && *b) {
		if (isdigit((u8)*a) && isdigit((u8)*b)) {
			unsigned long x = strtoul(a, (char **)&a, 10);
			unsigned long y = strtoul(b, (char **)&b, 10);

			if (x != y)
				return x < y ? -1 : 1;
		} else if (*a != *b) {
			return (u8)*a < (u8)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return (u8)*a - (u8)*b;
}

bool release_matches(const char *release, const char *wanted)
{
	size_t len = strlen(wanted);

	return !strncmp(release, wanted, len) && (!release[len] || strchr(".+-", release[len]));
}

/* --- files ------------------------------------------------------------------------- */

static char *file_name(const char *dir, const char *release, const char *name)
{
	struct strbuf sb = {};

	strbuf_printf(&sb, "%s/%s%s%s", dir, release, name ? "/" : "", name ? name : "");
	return strbuf_detach(&sb);
}

static char *open_cache(char *err, size_t err_size)
{
	char *dir = cache_directory(CACHE);

	if (!dir)
		vrt_error(err, err_size, -ENOENT,
			  "there is no cache for kernels: neither XDG_CACHE_HOME nor HOME names a "
			  "directory that can be written to");
	return dir;
}

/* What the file of a release says, or NULL. */
static char *read_text(const char *dir, const char *release, const char *name)
{
	char *path = file_name(dir, release, name), text[MAX_TEXT] = "";
	FILE *f = fopen(path, "re");

	free(path);
	if (!f)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return xstrdup(text);
}

/* --- listing -------------------------------------------------------------------------- */

static void add_entry(struct kernel_list *list, const char *dir, const char *release)
{
	char *image = file_name(dir, release, IMAGE);
	struct kernel_entry e = { .refused = read_text(dir, release, REFUSED) };

	if (!e.refused && access(image, R_OK)) {
		free(image); /* something else, or a fetch that did not end */
		return;
	}
	if (e.refused)
		free(image);
	else
		e.path = image;
	e.key = read_text(dir, release, KEY);
	e.module_key = read_text(dir, release, MODULE_KEY);
	e.release = xstrdup(release);
	list->entries = xreallocarray(list->entries, list->nr + 1, sizeof(*list->entries));
	list->entries[list->nr++] = e;
}

static int newest_first(const void *a, const void *b)
{
	const struct kernel_entry *x = a, *y = b;

	return release_compare(y->release, x->release);
}

int kernels_list(struct kernel_list *list, char *err, size_t err_size)
{
	char *path = open_cache(err, err_size);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *e;

	*list = (struct kernel_list){};
	if (!path)
		return -ENOENT;
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			add_entry(list, path, e->d_name);
	if (dir)
		closedir(dir);
	free(path);
	if (list->nr)
		qsort(list->entries, list->nr, sizeof(*list->entries), newest_first);
	return 0;
}

void kernels_free(struct kernel_list *list)
{
	while (list->nr) {
		struct kernel_entry *e = &list->entries[--list->nr];

		free(e->release);
		free(e->path);
		free(e->refused);
		free(e->key);
		free(e->module_key);
	}
	free(list->entries);
	list->entries = NULL;
}

/* --- modules ------------------------------------------------------------------------ */

static char *module_of(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	struct strbuf module = {};

	strbuf_printf(&module, "%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, name);
	if (!access(strbuf_str(&module), R_OK))
		return strbuf_detach(&module);
	strbuf_free(&module);
	return NULL;
}

char *kernel_module_of(const char *path)
{
	return module_of(path, MODULE);
}

char *kernel_bench_module_of(const char *path)
{
	return module_of(path, BENCH_MODULE);
}

/* The image of the newest that has one; sched_ext or not. */
static char *find_with_module(const struct kernel_list *list, char *err, size_t err_size)
{
	for (u32 i = 0; i < list->nr; i++)
		if (list->entries[i].module_key)
			return kernel_place(list->entries[i].release, IMAGE, err, err_size);
	vrt_error(err, err_size, -ENOENT,
		  "there is no kernel with the module schedbpf yet; 'vrt vm module' fetches one and "
		  "builds it");
	return NULL;
}

/* --- choosing ---------------------------------------------------------------------------- */

static void none_found(const struct kernel_list *list, const char *wanted, char *err,
		       size_t err_size)
{
	struct strbuf have = {};

	for (u32 i = 0; i < list->nr; i++) {
		const struct kernel_entry *e = &list->entries[i];

		if (e->refused && wanted && release_matches(e->release, wanted)) {
			vrt_error(err, err_size, -ENOENT, "kernel %s is of no use: %s", e->release,
				  e->refused);
			strbuf_free(&have);
			return;
		}
		if (e->path)
			strbuf_printf(&have, "%s%s", have.len ? ", " : "", e->release);
	}
	if (!have.len)
		vrt_error(err, err_size, -ENOENT, "there is no kernel for a guest yet; " HINT);
	else
		vrt_error(err, err_size, -ENOENT,
			  "there is no kernel %s; there are: %s; 'vrt vm fetch %s' looks for it, "
			  "'vrt vm build %s' makes one if Debian has its source, and the path of an "
			  "image works too",
			  wanted, strbuf_str(&have), wanted, wanted);
	strbuf_free(&have);
}

char *kernel_find(const char *wanted, char *err, size_t err_size)
{
	struct kernel_list list;
	char *path = NULL;

	if (wanted && strchr(wanted, '/')) {
		if (!access(wanted, R_OK))
			return xstrdup(wanted);
		vrt_error(err, err_size, -errno, "the kernel image %s: %s", wanted, strerror(errno));
		return NULL;
	}
	if (kernels_list(&list, err, err_size))
		return NULL;
	if (wanted && !strcmp(wanted, KERNEL_WITH_MODULE)) {
		path = find_with_module(&list, err, err_size);
		kernels_free(&list);
		return path;
	}
	for (u32 i = 0; i < list.nr && !path; i++) {
		const struct kernel_entry *e = &list.entries[i];

		if (e->path && (!wanted || release_matches(e->release, wanted)))
			path = xstrdup(e->path);
	}
	if (!path)
		none_found(&list, wanted, err, err_size);
	kernels_free(&list);
	return path;
}

/* --- keeping -------------------------------------------------------------------------------- */

/* The directory of @release, made; NULL with a message. */
static char *make_place(const char *release, char *err, size_t err_size)
{
	char *dir = open_cache(err, err_size), *place;

	if (!dir)
		return NULL;
	place = file_name(dir, release, NULL);
	free(dir);
	if (!mkdir(place, 0700) || errno == EEXIST)
		return place;
	vrt_error(err, err_size, -errno, "%s: %s", place, strerror(errno));
	free(place);
	return NULL;
}

char *kernel_place(const char *release, const char *name, char *err, size_t err_size)
{
	char *place = make_place(release, err, err_size), *path;

	if (!place)
		return NULL;
	path = file_name(place, name, NULL);
	free(place);
	return path;
}

static int copy(const char *from, const char *to)
{
	FILE *in = fopen(from, "re"), *out = in ? fopen(to, "we") : NULL;
	char buf[65536];
	int err = in && out ? 0 : -errno;
	size_t n;

	while (!err && (n = fread(buf, 1, sizeof(buf), in)))
		if (fwrite(buf, 1, n, out) != n)
			err = -EIO;
	if (!err && ferror(in))
		err = -EIO;
	if (in)
		fclose(in);
	if (out && fclose(out) && !err)
		err = -errno;
	return err;
}

/* Under another name first: who looks finds all of it or nothing. */
static int write_text(const char *place, const char *name, const char *text)
{
	char *path = file_name(place, name, NULL), *partial = file_name(place, ".partial", NULL);
	FILE *f = fopen(partial, "we");
	bool ok = f && fputs(text, f) >= 0;

	if (f)
		ok = !fclose(f) && ok;
	ok = ok && !rename(partial, path);
	free(path);
	free(partial);
	return ok ? 0 : -EIO;
}

static void remove_text(const char *place, const char *name)
{
	char *path = file_name(place, name, NULL);

	unlink(path);
	free(path);
}

/* The file @name of a place from @from, with its key (may be NULL) in @key_name. */
static int store(const char *place, const char *name, const char *key_name, const char *from,
		 const char *key, char *err, size_t err_size)
{
	char *path = file_name(place, name, NULL), *partial = file_name(place, ".partial", NULL);
	int ret;

	/* a key is never beside a file that is not its own */
	remove_text(place, key_name);
	ret = copy(from, partial);
	if (!ret && rename(partial, path))
		ret = -errno;
	if (!ret && key)
		ret = write_text(place, key_name, key);
	if (ret)
		vrt_error(err, err_size, ret, "%s could not be written: %s", path, strerror(-ret));
	free(path);
	free(partial);
	return ret;
}

int kernel_store(const char *release, const char *from, const char *key, char *err,
		 size_t err_size)
{
	char *place = make_place(release, err, err_size);
	int ret;

	if (!place)
		return -EIO;
	ret = store(place, IMAGE, KEY, from, key, err, err_size);
	if (!ret)
		remove_text(place, REFUSED);
	free(place);
	return ret;
}

int kernel_store_module(const char *release, const char *from, const char *bench, const char *key,
			char *err, size_t err_size)
{
	char *place = make_place(release, err, err_size);
	int ret;

	if (!place)
		return -EIO;
	/* the key goes first and comes last: it is that of both */
	ret = store(place, BENCH_MODULE, MODULE_KEY, bench, NULL, err, err_size);
	if (!ret)
		ret = store(place, MODULE, MODULE_KEY, from, key, err, err_size);
	free(place);
	return ret;
}

int kernel_store_refusal(const char *release, const char *why, char *err, size_t err_size)
{
	char *place = make_place(release, err, err_size);
	int ret = place ? write_text(place, REFUSED, why) : -EIO;

	if (ret && place)
		vrt_error(err, err_size, ret, "%s/" REFUSED " could not be written", place);
	free(place);
	return ret;
}
