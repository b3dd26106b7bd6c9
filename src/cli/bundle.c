// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bundles as documents: what makes one valid, and how files are kept in it. See
 * bundle.h.
 */
#include "bundle.h"

#include <errno.h>
#include <resolv.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/file.h"
#include "../base/jsonfile.h"
#include "../base/strbuf.h"
#include "json.h"

#define NAME_MAX_LEN 255
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-"

/* --- hashes ------------------------------------------------------------------------ */

static void hash_bytes(const void *data, size_t len, char hex[SHA256_HEX_SIZE])
{
	struct hash_sha256 hash;
	u8 digest[SHA256_BYTES];

	hash_sha256_init(&hash);
	hash_sha256_add(&hash, data, len);
	hash_sha256_final(&hash, digest);
	hash_sha256_hex(digest, hex);
}

/* However it was laid out; "sha256" itself is not there. */
static void hash_document(struct json_object *document, char hex[SHA256_HEX_SIZE])
{
	size_t len;
	const char *text = json_object_to_json_string_length(document, JSON_C_TO_STRING_PLAIN, &len);

	hash_bytes(text, len, hex);
}

void bundle_machine_hash(const struct topology *topo, char hex[SHA256_HEX_SIZE])
{
	struct hash_sha256 hash;
	u8 digest[SHA256_BYTES];

	hash_sha256_init(&hash);
	for (u32 i = 0; i < topo->nr_cpus; i++) {
		const struct cpu_topology *cpu = &topo->cpu[i];
		u32 place[] = { cpu->node, cpu->llc, cpu->core, cpu->thread, cpu->capacity };

		hash_sha256_add(&hash, place, sizeof(place));
	}
	hash_sha256_final(&hash, digest);
	hash_sha256_hex(digest, hex);
}

void bundle_seal(struct json_object *document)
{
	char hex[SHA256_HEX_SIZE];

	hash_document(document, hex);
	json_add_string(document, "sha256", hex);
}

/* --- files ------------------------------------------------------------------------- */

/* People can read it, and any editor keeps it as it is. */
static bool is_text(const struct strbuf *content)
{
	for (size_t i = 0; i < content->len; i++) {
		char c = content->data[i];

		if ((c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == 0x7f || c & 0x80)
			return false;
	}
	return true;
}

void bundle_add_file(struct json_object *files, const char *name, const struct strbuf *content)
{
	struct json_object *file = json_object_new_object();
	char hex[SHA256_HEX_SIZE];
	size_t room = (content->len + 2) / 3 * 4 + 1;
	char *base64;

	hash_bytes(strbuf_str(content), content->len, hex);
	json_add_string(file, "name", name);
	json_add_string(file, "sha256", hex);
	if (is_text(content)) {
		json_add_string(file, "text", strbuf_str(content));
	} else {
		base64 = xcalloc(1, room);
		VRT_ASSERT(b64_ntop((const u8 *)content->data, content->len, base64, room) >= 0);
		json_add_string(file, "base64", base64);
		free(base64);
	}
	json_object_array_add(files, file);
}

/* "x.bpf.o", or "2/x.bpf.o" of another of the same name: below where it is unpacked. */
static bool name_is_good(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	if (digits && digits < 6 && name[digits] == '/')
		name += digits + 1;
	return *name && *name != '.' && strlen(name) <= NAME_MAX_LEN &&
	       !name[strspn(name, NAME_CHARS)];
}

/* False: it is neither text nor base64. */
static bool decode(struct json_object *file, struct strbuf *content)
{
	struct json_object *text = json_at(file, "text"), *base64 = json_at(file, "base64");
	size_t room;
	u8 *bytes;
	int len;

	if (!text == !base64 || !json_object_is_type(text ? text : base64, json_type_string))
		return false;
	if (text) {
		strbuf_add(content, json_object_get_string(text),
			   (size_t)json_object_get_string_len(text));
		return true;
	}
	room = (size_t)json_object_get_string_len(base64) / 4 * 3 + 4;
	bytes = xcalloc(1, room);
	len = b64_pton(json_object_get_string(base64), bytes, room);
	if (len >= 0)
		strbuf_add(content, bytes, (size_t)len);
	free(bytes);
	return len >= 0;
}

bool bundle_file(struct json_object *document, u32 i, const char **name, struct strbuf *content)
{
	struct json_object *files = json_at(document, "files");
	struct json_object *file = json_object_array_get_idx(files, i);

	if (i >= json_object_array_length(files))
		return false;
	*name = json_string_at(file, "name");
	/* bundle_load() has seen that it can be */
	decode(file, content);
	return true;
}

/* --- is it one? ---------------------------------------------------------------------- */

struct checked {
	const char *path;
	char *err;
	size_t err_size;
};

__printf(2, 3) static bool bad(const struct checked *c, const char *fmt, ...)
{
	char why[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	vrt_error(c->err, c->err_size, 0, "%s: %s", c->path, why);
	return false;
}

static bool check_type(const struct checked *c, struct json_object *document, const char *path,
		       enum json_type type)
{
	if (json_object_is_type(json_at(document, path), type))
		return true;
	return bad(c, "is no good repro bundle: '%s' is missing, or not of type %s", path,
		   json_type_to_name(type));
}

static bool check_file(const struct checked *c, struct json_object *file)
{
	const char *name = json_string_at(file, "name");
	struct strbuf content = {};
	char hex[SHA256_HEX_SIZE];
	bool good;

	if (!check_type(c, file, "name", json_type_string) ||
	    !check_type(c, file, "sha256", json_type_string))
		return false;
	if (!name_is_good(name))
		return bad(c, "is no good repro bundle: a file in it is called '%.80s': expected a "
			      "name of letters, digits and ._+-",
			   name);
	good = decode(file, &content);
	hash_bytes(strbuf_str(&content), content.len, hex);
	strbuf_free(&content);
	if (!good)
		return bad(c, "is no good repro bundle: the file '%s' in it has neither 'text' nor "
			      "valid 'base64'",
			   name);
	if (strcmp(hex, json_string_at(file, "sha256")))
		return bad(c, "the file '%s' in it has been changed: its hash is %.12s..., not "
			      "%.12s...; get the bundle again, as it was written",
			   name, hex, json_string_at(file, "sha256"));
	return true;
}

static bool check_files(const struct checked *c, struct json_object *files)
{
	size_t nr = json_object_array_length(files);

	for (size_t i = 0; i < nr; i++) {
		struct json_object *file = json_object_array_get_idx(files, i);

		if (!check_file(c, file))
			return false;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(json_string_at(json_object_array_get_idx(files, k), "name"),
				    json_string_at(file, "name")))
				return bad(c, "is no good repro bundle: there are two files '%s' in it",
					   json_string_at(file, "name"));
	}
	return true;
}

static bool check_schema(const struct checked *c, struct json_object *document)
{
	const char *schema = json_string_at(document, "schema");

	if (!strcmp(schema, BUNDLE_SCHEMA))
		return true;
	if (!strncmp(schema, "vruntime-repro-", 15))
		return bad(c, "is a repro bundle of the form '%.40s', written by vrt %.40s; this is "
			      "vrt %s, which reads '" BUNDLE_SCHEMA "'",
			   schema, json_string_at(document, "version"), vrt_version);
	return bad(c, "is no repro bundle: its 'schema' is '%.40s', not '" BUNDLE_SCHEMA "'", schema);
}

/* Takes "sha256" out. */
static bool check_hash(const struct checked *c, struct json_object *document)
{
	char *hex = xstrdup(json_string_at(document, "sha256")), is[SHA256_HEX_SIZE];
	bool same;

	json_object_object_del(document, "sha256");
	hash_document(document, is);
	same = !strcmp(is, hex);
	if (!same)
		bad(c, "has been changed: its hash is %.12s..., not %.12s...; get it again, as it "
		       "was written",
		    is, hex);
	free(hex);
	return same;
}

static bool check(const struct checked *c, struct json_object *document)
{
	static const struct {
		const char *path;
		enum json_type type;
	} members[] = {
		{ "version", json_type_string },      { "command", json_type_array },
		{ "machine.hash", json_type_string }, { "machine.description", json_type_string },
		{ "files", json_type_array },	      { "result", json_type_object },
		{ "result.on", json_type_string },    { "result.kind", json_type_string },
		{ "result.status", json_type_int },   { "sha256", json_type_string },
	};

	if (!json_object_is_type(document, json_type_object))
		return bad(c, "is no repro bundle: it is JSON, but no object");
	if (!check_schema(c, document))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(members); i++)
		if (!check_type(c, document, members[i].path, members[i].type))
			return false;
	return check_files(c, json_at(document, "files")) && check_hash(c, document);
}

struct json_object *bundle_parse(const char *name, const char *text, size_t len, char *err,
				 size_t err_size)
{
	const struct checked c = { name, err, err_size };
	struct json_object *document = json_text_load(name, text, len, err, err_size, NULL);

	if (document && check(&c, document))
		return document;
	json_object_put(document);
	return NULL;
}

struct json_object *bundle_load(const char *path, char *err, size_t err_size)
{
	struct json_object *document = NULL;
	struct strbuf text = {};
	int ret = file_read(path, JSON_FILE_MAX, &text);

	if (ret == -EFBIG)
		vrt_error(err, err_size, 0, "%s: is larger than %u MiB, and so no repro bundle", path,
			  JSON_FILE_MAX >> 20);
	else if (ret)
		vrt_error(err, err_size, 0, "%s: %s", path, strerror(-ret));
	else
		document = bundle_parse(path, strbuf_str(&text), text.len, err, err_size);
	strbuf_free(&text);
	return document;
}
