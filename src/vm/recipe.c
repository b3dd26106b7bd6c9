// SPDX-License-Identifier: GPL-2.0-only
/* What is in linux/; see recipe.h. */
#include "recipe.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/hash.h"
#include "../base/strbuf.h"

#define MAX_DEPTH 8

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && !strcmp(s + len - n, end);
}

char *recipe_path(const struct recipe *r, const char *file)
{
	struct strbuf path = {};

	strbuf_printf(&path, "%s/%s", r->dir, file);
	return strbuf_detach(&path);
}

bool recipe_is_script(const char *file)
{
	return !strchr(file, '/') && ends_with(file, ".sh");
}

/* --- which files -------------------------------------------------------------------- */

static int add_directory(struct recipe *r, const char *sub, u32 depth);

/* @name: below the recipe's directory; becomes the recipe's, or is freed. */
static int add_entry(struct recipe *r, char *name, u32 depth)
{
	char *path = recipe_path(r, name);
	struct stat st;
	int ret = stat(path, &st) ? -errno : 0;

	free(path);
	if (!ret && S_ISREG(st.st_mode) && !ends_with(name, ".md")) {
		r->files = xreallocarray(r->files, r->nr + 1, sizeof(*r->files));
		r->files[r->nr++] = name;
		return 0;
	}
	if (!ret && S_ISDIR(st.st_mode))
		ret = depth < MAX_DEPTH ? add_directory(r, name, depth + 1) : -ELOOP;
	free(name);
	return ret;
}

static int add_directory(struct recipe *r, const char *sub, u32 depth)
{
	char *path = recipe_path(r, sub);
	DIR *dir = opendir(path);
	struct dirent *e;
	int ret = dir ? 0 : -errno;

	while (!ret && (e = readdir(dir))) {
		struct strbuf name = {};

		if (e->d_name[0] == '.' || ends_with(e->d_name, "~"))
			continue;
		strbuf_printf(&name, "%s%s%s", sub, *sub ? "/" : "", e->d_name);
		ret = add_entry(r, strbuf_detach(&name), depth);
	}
	if (dir)
		closedir(dir);
	free(path);
	return ret;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int recipe_open_files(struct recipe *r, const char *dir)
{
	int ret;

	*r = (struct recipe){ .dir = realpath(dir, NULL) };
	ret = r->dir ? add_directory(r, "", 0) : -errno;
	if (ret)
		recipe_close(r);
	else if (r->nr)
		qsort(r->files, r->nr, sizeof(*r->files), by_name);
	return ret;
}

int recipe_open(struct recipe *r, const char *dir, char *err, size_t err_size)
{
	int ret = recipe_open_files(r, dir);
	char *config;

	if (!ret) {
		config = recipe_path(r, RECIPE_CONFIG);
		ret = access(config, R_OK) ? -errno : 0;
		free(config);
	}
	if (ret) {
		recipe_close(r);
		return vrt_error(err, err_size, ret,
				 "%s: %s; expected the directory linux/ that comes with vrt, with "
				 "the file " RECIPE_CONFIG,
				 dir, strerror(-ret));
	}
	return 0;
}

void recipe_close(struct recipe *r)
{
	while (r->nr)
		free(r->files[--r->nr]);
	free(r->files);
	free(r->dir);
	*r = (struct recipe){};
}

/* --- the key ---------------------------------------------------------------------------- */

int recipe_key(const struct recipe *r, const char *version, char key[RECIPE_KEY_SIZE], char *err,
	       size_t err_size)
{
	char hex[SHA256_HEX_SIZE];
	u8 digest[SHA256_BYTES];
	struct hash_sha256 h;
	int ret = 0;

	/* all with their terminating zeroes: no two sets of names and contents are fed alike */
	hash_sha256_init(&h);
	hash_sha256_add(&h, version, strlen(version) + 1);
	for (u32 i = 0; !ret && i < r->nr; i++) {
		char *path = recipe_path(r, r->files[i]);

		ret = hash_sha256_file(path, hex);
		if (ret)
			vrt_error(err, err_size, ret, "%s: %s", path, strerror(-ret));
		free(path);
		hash_sha256_add(&h, r->files[i], strlen(r->files[i]) + 1);
		hash_sha256_add(&h, hex, sizeof(hex));
	}
	hash_sha256_final(&h, digest);
	hash_sha256_hex(digest, hex);
	snprintf(key, RECIPE_KEY_SIZE, "%.*s", RECIPE_KEY_SIZE - 1, hex);
	return ret;
}
