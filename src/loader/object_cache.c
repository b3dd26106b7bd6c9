// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects that were compiled before. Nothing is run to find one: a manifest,
 * which is named after all that is known before the compiler runs (compiler,
 * arguments, source), lists every file that took part with a hash of its content,
 * and the object, which is named after its own.
 *
 *	vruntime-object 1
 *	file HASH PATH		was read
 *	absent PATH		would have been read in place of one of those
 *	object HASH NAME
 *	end HASH		of the lines above
 *
 * Hashes are of 64 bits, for each is compared with one other only; names are
 * SHA-256.
 *
 * Both kinds of files appear at once and complete, and nothing in them is taken
 * on trust: what is damaged, or does not hold any more, is as good as missing.
 * Nothing fails for want of a cache; what was not used for long goes when there is too
 * much of it (object_cache_trim.c). What goes unnoticed: another answer of
 * __has_include(), and what happens to the compiler's own libraries when its
 * program stays as it is.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/cache.h"
#include "../base/file.h"
#include "internal.h"

#define HEADING "vruntime-object 1\n"
#define FILE_MAX_SIZE (256UL << 20)
#define HASH_HEX_SIZE 17
/* How many components of a path an #include may spell: <uapi/linux/bpf.h> has three. */
#define MAX_SPELLED 4

/* --- names ------------------------------------------------------------------------ */

static void hash_text(struct hash_sha256 *hash, const char *s)
{
	hash_sha256_add(hash, s ? s : "", s ? strlen(s) + 1 : 1);
}

static void sha256_hex(struct hash_sha256 *hash, char hex[SHA256_HEX_SIZE])
{
	u8 digest[SHA256_BYTES];

	hash_sha256_final(hash, digest);
	hash_sha256_hex(digest, hex);
}

static void hash_hex(const void *data, size_t size, char hex[HASH_HEX_SIZE])
{
	snprintf(hex, HASH_HEX_SIZE, "%016llx", (unsigned long long)hash64(data, size, 0));
}

/* A compiler that was installed anew is another one. */
static void hash_program(struct hash_sha256 *hash, const char *path)
{
	struct strbuf text = {};
	struct stat st;

	if (!stat(path, &st))
		strbuf_printf(&text, "%ju %jd %jd.%09ld", (uintmax_t)st.st_ino, (intmax_t)st.st_size,
			      (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	hash_text(hash, strbuf_str(&text));
	strbuf_free(&text);
}

/* Names relative to the directory we are in mean what they mean there. */
static bool hash_place(struct hash_sha256 *hash)
{
	/* by which clang finds headers and changes its arguments */
	static const char *const variables[] = { "CPATH", "C_INCLUDE_PATH", "CCC_OVERRIDE_OPTIONS" };
	char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof(cwd)))
		return false;
	hash_text(hash, cwd);
	for (u32 i = 0; i < ARRAY_SIZE(variables); i++)
		hash_text(hash, getenv(variables[i]));
	return true;
}

static char *name_in(const struct object_cache *cache, const char *key, const char *suffix)
{
	struct strbuf sb = {};

	strbuf_printf(&sb, "%s/%s%s", cache->dir, key, suffix);
	return strbuf_detach(&sb);
}

bool object_cache_open(struct object_cache *cache, char *const *args, const char *path)
{
	char key[SHA256_HEX_SIZE], source[SHA256_HEX_SIZE];
	struct hash_sha256 hash;

	*cache = (struct object_cache){ .args = args };
	hash_sha256_init(&hash);
	hash_program(&hash, args[0]);
	for (u32 i = 0; args[i]; i++)
		hash_text(&hash, args[i]);
	hash_text(&hash, path);
	if (!hash_place(&hash) || hash_sha256_file(path, source))
		return false;
	hash_text(&hash, source);
	sha256_hex(&hash, key);
	cache->dir = cache_directory("");
	if (!cache->dir)
		return false;
	cache->manifest = name_in(cache, key, ".deps");
	return true;
}

void object_cache_close(struct object_cache *cache)
{
	free(cache->dir);
	free(cache->manifest);
	*cache = (struct object_cache){};
}

/* --- finding ----------------------------------------------------------------------- */

/* Of a file's content, which is appended to @content. */
static bool hash_file(const char *path, struct strbuf *content, char hash[HASH_HEX_SIZE])
{
	size_t before = content->len;

	if (file_read(path, FILE_MAX_SIZE, content))
		return false;
	hash_hex(content->data + before, content->len - before, hash);
	return true;
}

static bool is_content(const char *path, const char *expected, struct strbuf *content)
{
	char hash[HASH_HEX_SIZE];

	return hash_file(path, content, hash) && !strcmp(hash, expected);
}

/* Takes @word and a blank off the front of *@line. */
static bool takes(char **line, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*line, word, len) || (*line)[len] != ' ')
		return false;
	*line += len + 1;
	return true;
}

/* Does one line, cut off at its end, hold? The object is appended to @object. */
static bool line_holds(const struct object_cache *cache, char *line, struct strbuf *object)
{
	struct strbuf content = {};
	char *hash, *file;
	bool holds;

	if (takes(&line, "absent"))
		return access(line, F_OK) && errno == ENOENT;
	if (takes(&line, "file")) {
		hash = strsep(&line, " ");
		holds = line && is_content(line, hash, &content);
		strbuf_free(&content);
		return holds;
	}
	if (takes(&line, "object")) {
		hash = strsep(&line, " ");
		file = name_in(cache, line ? line : "", ".bpf.o");
		holds = line && is_content(file, hash, object);
		if (holds)
			object_cache_used(file);
		free(file);
		return holds;
	}
	return false;
}

/* Cuts the last line off @text; false unless it vouches for the others. */
static bool is_intact(char *text)
{
	char *end = strstr(text, "\nend "), hash[HASH_HEX_SIZE];

	if (!end || strncmp(text, HEADING, strlen(HEADING)))
		return false;
	end++;
	hash_hex(text, (size_t)(end - text), hash);
	if (strncmp(end + strlen("end "), hash, strlen(hash)))
		return false;
	*end = '\0';
	return true;
}

bool object_cache_find(const struct object_cache *cache, struct strbuf *object)
{
	struct strbuf manifest = {};
	char *rest, *line;
	bool holds;

	holds = !file_read(cache->manifest, FILE_MAX_SIZE, &manifest) &&
		manifest.len && is_intact(manifest.data);
	rest = holds ? manifest.data + strlen(HEADING) : NULL;
	while (holds && (line = strsep(&rest, "\n")) && rest)
		holds = line_holds(cache, line, object);
	strbuf_free(&manifest);
	if (holds)
		object_cache_used(cache->manifest);
	else
		strbuf_free(object);
	return holds && object->len;
}

/* --- keeping ------------------------------------------------------------------------ */

struct names {
	char **items;
	u32 nr;
};

static void add_name(struct names *names, const char *name, size_t len)
{
	for (u32 i = 0; i < names->nr; i++)
		if (strlen(names->items[i]) == len && !memcmp(names->items[i], name, len))
			return;
	names->items = xreallocarray(names->items, names->nr + 1, sizeof(*names->items));
	names->items[names->nr] = xcalloc(1, len + 1);
	memcpy(names->items[names->nr++], name, len);
}

static void free_names(struct names *names)
{
	for (u32 i = 0; i < names->nr; i++)
		free(names->items[i]);
	free(names->items);
}

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

/* "-: a.c b.h": the files that were read. */
static void dependencies(char *rule, struct names *files)
{
	char *rest = strstr(rule, ": "), *name;

	while (rest && (name = next_dependency(&rest))) {
		if (*name == ':')
			name++;
		if (*name)
			add_name(files, name, strlen(name));
	}
}

/* Where a file could be put that would be found in place of one of @files. */
static void search_directories(char *const *args, const struct names *files, struct names *dirs)
{
	static const char *const options[] = { "-I", "-idirafter" };

	for (u32 i = 0; args[i]; i++)
		for (u32 j = 0; j < ARRAY_SIZE(options); j++)
			if (!strncmp(args[i], options[j], strlen(options[j])))
				add_name(dirs, args[i] + strlen(options[j]),
					 strlen(args[i]) - strlen(options[j]));
	for (u32 i = 0; i < files->nr; i++) {
		const char *slash = strrchr(files->items[i], '/');

		if (slash)
			add_name(dirs, files->items[i], (size_t)(slash - files->items[i]));
		else
			add_name(dirs, ".", 1);
	}
}

/* What is not there in @dirs under a name by which @file may have been included. */
static void list_absent(struct strbuf *sb, const struct names *dirs, const char *file)
{
	const char *spelled = file + strlen(file);
	struct strbuf path = {};

	for (u32 n = 0; n < MAX_SPELLED && spelled > file; n++) {
		/* back to the start of one component more */
		do
			spelled--;
		while (spelled > file && spelled[-1] != '/');
		for (u32 i = 0; i < dirs->nr; i++) {
			strbuf_reset(&path);
			strbuf_printf(&path, "%s/%s", dirs->items[i], spelled);
			if (access(strbuf_str(&path), F_OK) && errno == ENOENT)
				strbuf_printf(sb, "absent %s\n", strbuf_str(&path));
		}
	}
	strbuf_free(&path);
}

/* False: it is not known for all of them what was in them. */
static bool list_files(struct strbuf *sb, const struct names *files)
{
	struct strbuf content = {};
	char hash[HASH_HEX_SIZE];
	bool known = true;

	for (u32 i = 0; i < files->nr && known; i++) {
		known = !strchr(files->items[i], '\n') &&
			hash_file(files->items[i], &content, hash);
		if (known)
			strbuf_printf(sb, "file %s %s\n", hash, files->items[i]);
		strbuf_reset(&content);
	}
	strbuf_free(&content);
	return known;
}

static int write_manifest(struct strbuf *sb, const struct object_cache *cache,
			  const struct names *files, const struct strbuf *object, const char *name)
{
	struct names dirs = {};
	char hash[HASH_HEX_SIZE];

	search_directories(cache->args, files, &dirs);
	strbuf_puts(sb, HEADING);
	if (!list_files(sb, files)) {
		free_names(&dirs);
		return -ENOENT;
	}
	/* the first is the source itself, which nobody includes */
	for (u32 i = 1; i < files->nr; i++)
		list_absent(sb, &dirs, files->items[i]);
	hash_hex(object->data, object->len, hash);
	strbuf_printf(sb, "object %s %s\n", hash, name);
	hash_hex(sb->data, sb->len, hash);
	strbuf_printf(sb, "end %s\n", hash);
	free_names(&dirs);
	return 0;
}

/* All of the file, or nothing. */
static int replace(const char *path, const struct strbuf *content)
{
	struct strbuf part = {};
	int err;

	strbuf_printf(&part, "%s.%d", path, (int)getpid());
	err = file_write(strbuf_str(&part), content->data, content->len);
	if (!err && rename(strbuf_str(&part), path)) {
		err = -errno;
		unlink(strbuf_str(&part));
	}
	strbuf_free(&part);
	return err;
}

int object_cache_keep(const struct object_cache *cache, const struct strbuf *object, char *rule)
{
	struct names files = {};
	struct strbuf manifest = {};
	char name[SHA256_HEX_SIZE], *file;
	struct hash_sha256 hash;
	int err;

	hash_sha256_init(&hash);
	hash_sha256_add(&hash, object->data, object->len);
	sha256_hex(&hash, name);
	dependencies(rule, &files);
	/* a compiler that does not say what it has read leaves nothing to go by */
	err = files.nr ? write_manifest(&manifest, cache, &files, object, name) : -ENODATA;
	if (!err) {
		file = name_in(cache, name, ".bpf.o");
		err = replace(file, object);
		free(file);
	}
	if (!err)
		err = replace(cache->manifest, &manifest);
	object_cache_trim(cache->dir, OBJECT_CACHE_LIMIT);
	strbuf_free(&manifest);
	free_names(&files);
	return err;
}
