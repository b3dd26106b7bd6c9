// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recursive-descent reader of relaxed JSON that copies what it reads. Depth
 * is limited by RELAX_MAX_DEPTH; every function returns 0 or -EINVAL with the
 * message written.
 */
#include "relax.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/hash.h"

/* The keys of one object so far: an open-addressing table of places in the output. */
struct keys {
	struct key {
		u32 offset, len; /* of the text between the quotes; len 0: the empty key */
		bool used;
	} *slot;
	u32 size, nr; /* size is a power of two */
	u32 next_number;
};

struct reader {
	const char *name;
	const char *pos, *end, *line_start;
	u32 line;
	u32 depth;
	struct relaxed *out;
	u32 places_room;
	/* what a bare "suspend" means; offsets into the output */
	bool in_tasks;
	u32 task_offset, task_len;
	char *err;
	size_t err_size;
};

static int read_value(struct reader *r, struct relax_place place);

static struct relax_place here(const struct reader *r)
{
	return (struct relax_place){ r->line, (u32)(r->pos - r->line_start) + 1 };
}

static __printf(3, 4) int fail(struct reader *r, struct relax_place at, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return vrt_error(r->err, r->err_size, -EINVAL, "%s:%u:%u: %s", r->name, at.line, at.column,
			 what);
}

/* What stands at the reader's position, for messages. */
static const char *found(const struct reader *r, char buf[24])
{
	if (r->pos == r->end)
		return "the end of the file";
	if (isprint((unsigned char)*r->pos))
		snprintf(buf, 24, "'%c'", *r->pos);
	else
		snprintf(buf, 24, "the byte 0x%02x", (unsigned char)*r->pos);
	return buf;
}

static void step(struct reader *r)
{
	if (*r->pos++ == '\n') {
		r->line++;
		r->line_start = r->pos;
	}
}

/* Skips white space and comments. Line ends are copied: lines stay what they are. */
static int skip_space(struct reader *r)
{
	struct relax_place start;

	for (; r->pos < r->end; step(r)) {
		if (*r->pos == '\n') {
			strbuf_putc(&r->out->text, '\n');
		} else if (r->end - r->pos > 1 && r->pos[0] == '/' && r->pos[1] == '/') {
			while (r->end - r->pos > 1 && r->pos[1] != '\n')
				r->pos++;
		} else if (r->end - r->pos > 1 && r->pos[0] == '/' && r->pos[1] == '*') {
			start = here(r);
			r->pos++;
			do {
				step(r);
				if (r->end - r->pos < 2)
					return fail(r, start, "this comment is never closed by */");
				if (*r->pos == '\n')
					strbuf_putc(&r->out->text, '\n');
			} while (r->pos[0] != '*' || r->pos[1] != '/');
			r->pos++;
		} else if (!strchr(" \t\r", *r->pos) || !*r->pos) {
			return 0;
		}
	}
	return 0;
}

static int copy(struct reader *r)
{
	strbuf_putc(&r->out->text, *r->pos++);
	return 0;
}

/* A UTF-8 sequence as RFC 3629 has it: shortest form, no surrogates. */
static u32 utf8_len(const unsigned char *s, size_t left)
{
	u32 len = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0, i;

	if (!len || len > left)
		return 0;
	for (i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return len;
}

static int copy_escape(struct reader *r)
{
	struct relax_place at = here(r);
	u32 i, code = 0;

	copy(r);
	if (r->pos < r->end && *r->pos && strchr("\"\\/bfnrt", *r->pos))
		return copy(r);
	if (r->pos == r->end || *r->pos != 'u')
		return fail(r, at, "\\ must be followed by one of \" \\ / b f n r t u in a string");
	copy(r);
	for (i = 0; i < 4; i++) {
		if (r->pos == r->end || !isxdigit((unsigned char)*r->pos))
			return fail(r, at, "\\u must be followed by four hexadecimal digits");
		code = code * 16 + (isdigit((unsigned char)*r->pos) ? *r->pos - '0'
								    : (*r->pos | 32) - 'a' + 10);
		copy(r);
	}
	return code ? 0 : fail(r, at, "\\u0000 is not allowed in a string");
}

/* At the opening quote; copies the string with its quotes. */
static int copy_string(struct reader *r)
{
	struct relax_place start = here(r);
	u32 len;
	int err = 0;

	copy(r);
	while (!err && r->pos < r->end && *r->pos != '"') {
		unsigned char c = *r->pos;

		if (c == '\n')
			return fail(r, start, "this string is not closed on its line");
		if (c < ' ')
			return fail(r, here(r), "a control character (0x%02x) in a string", c);
		if (c == '\\') {
			err = copy_escape(r);
		} else if (c < 0x80) {
			copy(r);
		} else {
			len = utf8_len((const unsigned char *)r->pos, r->end - r->pos);
			if (!len)
				return fail(r, here(r), "this is not UTF-8 (byte 0x%02x)", c);
			while (len--)
				copy(r);
		}
	}
	if (err)
		return err;
	if (r->pos == r->end)
		return fail(r, start, "this string is never closed");
	return copy(r);
}

static bool at_digit(const struct reader *r)
{
	return r->pos < r->end && isdigit((unsigned char)*r->pos);
}

static int copy_digits(struct reader *r, const char *where)
{
	char buf[24];

	if (!at_digit(r))
		return fail(r, here(r), "expected a digit %s, found %s", where, found(r, buf));
	while (at_digit(r))
		copy(r);
	return 0;
}

static int copy_number(struct reader *r)
{
	struct relax_place start = here(r);
	bool zero;
	int err;

	if (*r->pos == '-')
		copy(r);
	zero = at_digit(r) && *r->pos == '0';
	if (zero)
		copy(r);
	if (zero && at_digit(r))
		return fail(r, start, "a number must not begin with 0");
	err = zero ? 0 : copy_digits(r, "in the number");
	if (!err && r->pos < r->end && *r->pos == '.') {
		copy(r);
		err = copy_digits(r, "after the decimal point");
	}
	if (!err && r->pos < r->end && (*r->pos | 32) == 'e') {
		copy(r);
		if (r->pos < r->end && (*r->pos == '+' || *r->pos == '-'))
			copy(r);
		err = copy_digits(r, "in the exponent");
	}
	return err;
}

static int copy_word(struct reader *r)
{
	static const char *const words[] = { "true", "false", "null" };
	char buf[24];
	u32 i;

	for (i = 0; i < 3; i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(r->end - r->pos) < len || memcmp(r->pos, words[i], len))
			continue;
		if (r->pos + len < r->end && isalnum((unsigned char)r->pos[len]))
			continue;
		strbuf_add(&r->out->text, words[i], len);
		r->pos += len;
		return 0;
	}
	return fail(r, here(r), "expected a value, found %s", found(r, buf));
}

/* --- objects ---------------------------------------------------------------- */

/* The slot of @key, or where it belongs. */
static struct key *find_key(const struct reader *r, const struct keys *keys, const char *key,
			    u32 len)
{
	const char *text = strbuf_str(&r->out->text);
	u32 i = hash64(key, len, 0) & (keys->size - 1);

	while (keys->slot[i].used &&
	       (keys->slot[i].len != len || memcmp(text + keys->slot[i].offset, key, len)))
		i = (i + 1) & (keys->size - 1);
	return &keys->slot[i];
}

static void grow_keys(const struct reader *r, struct keys *keys)
{
	struct keys old = *keys;
	u32 i;

	keys->size = old.size ? old.size * 2 : 16;
	keys->slot = xcalloc(keys->size, sizeof(*keys->slot));
	for (i = 0; i < old.size; i++)
		if (old.slot[i].used)
			*find_key(r, keys, strbuf_str(&r->out->text) + old.slot[i].offset,
				  old.slot[i].len) = old.slot[i];
	free(old.slot);
}

/*
 * The key between @offset and the end of the output (without the closing
 * quote) becomes unique among @keys.
 */
static void make_unique(struct reader *r, struct keys *keys, u32 offset)
{
	struct strbuf *text = &r->out->text;
	u32 len = (u32)text->len - offset;
	struct key *key;

	if (keys->nr * 2 >= keys->size)
		grow_keys(r, keys);
	key = find_key(r, keys, text->data + offset, len);
	while (key->used) {
		text->len = offset + len;
		strbuf_printf(text, "%u", keys->next_number);
		key = find_key(r, keys, text->data + offset, (u32)text->len - offset);
		if (key->used)
			keys->next_number++;
	}
	*key = (struct key){ offset, (u32)text->len - offset, true };
	keys->nr++;
}

static void add_place(struct reader *r, struct relax_place place)
{
	struct relaxed *out = r->out;

	if (out->nr_places == r->places_room) {
		r->places_room = r->places_room ? r->places_room * 2 : 256;
		out->places = xreallocarray(out->places, r->places_room, sizeof(*out->places));
	}
	out->places[out->nr_places++] = place;
}

static bool key_is(const struct reader *r, u32 offset, u32 len, const char *key)
{
	return len == strlen(key) && !memcmp(strbuf_str(&r->out->text) + offset, key, len);
}

static bool key_begins(const struct reader *r, u32 offset, u32 len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !memcmp(strbuf_str(&r->out->text) + offset, prefix, n);
}

/* A key without a value; the output ends with the key's closing quote. */
static int bare_key(struct reader *r, struct relax_place place, u32 offset, u32 len)
{
	struct strbuf *text = &r->out->text;
	char buf[24], task[RELAX_MAX_KEY];

	if (r->in_tasks && key_begins(r, offset, len, "suspend")) {
		/* adding may move the text that the name is in */
		memcpy(task, text->data + r->task_offset, r->task_len);
		strbuf_printf(text, ":\"%.*s\"", (int)r->task_len, task);
	} else if (r->in_tasks && key_begins(r, offset, len, "yield")) {
		strbuf_puts(text, ":\"\"");
	} else {
		return fail(r, here(r), "expected ':' and a value after the key \"%.*s\", found %s",
			    (int)min(len, 64U), text->data + offset, found(r, buf));
	}
	add_place(r, place);
	return 0;
}

static int read_member(struct reader *r, struct keys *keys)
{
	struct relax_place place = here(r);
	bool was_in_tasks = r->in_tasks;
	u32 offset, len;
	char buf[24];
	int err;

	if (*r->pos != '"')
		return fail(r, place, "expected a key in double quotes, or '}', found %s",
			    found(r, buf));
	offset = (u32)r->out->text.len + 1;
	err = copy_string(r);
	if (err)
		return err;
	r->out->text.len--; /* the closing quote */
	make_unique(r, keys, offset);
	len = (u32)r->out->text.len - offset;
	if (len > RELAX_MAX_KEY)
		return fail(r, place, "this key is longer than %u bytes", RELAX_MAX_KEY);
	/* what is unique here must be unique to json-c */
	if (memchr(r->out->text.data + offset, '\\', len))
		return fail(r, place, "a key must be written without \\ escapes");
	strbuf_putc(&r->out->text, '"');
	if (r->depth == 2 && r->in_tasks) {
		r->task_offset = offset;
		r->task_len = len;
	}
	err = skip_space(r);
	if (err)
		return err;
	if (r->pos == r->end || *r->pos != ':')
		return bare_key(r, place, offset, len);
	copy(r);
	err = skip_space(r);
	if (err)
		return err;
	if (r->depth == 1)
		r->in_tasks = key_is(r, offset, len, "tasks");
	err = read_value(r, place);
	if (r->depth == 1)
		r->in_tasks = was_in_tasks;
	return err;
}

/* Members or elements up to @close; the opening bracket has been copied. */
static int read_content(struct reader *r, struct relax_place start, char close, struct keys *keys)
{
	bool first = true;
	char buf[24];
	int err;

	for (;;) {
		err = skip_space(r);
		if (err)
			return err;
		if (r->pos == r->end)
			return fail(r, start, "this '%c' is never closed by '%c'",
				    close == '}' ? '{' : '[', close);
		if (*r->pos == close)
			return copy(r);
		if (!first)
			strbuf_putc(&r->out->text, ',');
		first = false;
		err = keys ? read_member(r, keys) : read_value(r, here(r));
		if (!err)
			err = skip_space(r);
		if (err)
			return err;
		if (r->pos < r->end && *r->pos == ',')
			r->pos++;
		else if (r->pos < r->end && *r->pos != close)
			return fail(r, here(r), "expected ',' or '%c', found %s", close,
				    found(r, buf));
	}
}

static int read_container(struct reader *r, struct relax_place start)
{
	struct keys keys = { .next_number = 1 };
	bool object = *r->pos == '{';
	int err;

	if (r->depth == RELAX_MAX_DEPTH)
		return fail(r, start, "nested more than %u levels deep", RELAX_MAX_DEPTH);
	r->depth++;
	copy(r);
	err = read_content(r, start, object ? '}' : ']', object ? &keys : NULL);
	r->depth--;
	free(keys.slot);
	return err;
}

static int read_value(struct reader *r, struct relax_place place)
{
	struct relax_place start = here(r);

	add_place(r, place);
	if (r->pos < r->end) {
		if (*r->pos == '{' || *r->pos == '[')
			return read_container(r, start);
		if (*r->pos == '"')
			return copy_string(r);
		if (*r->pos == '-' || isdigit((unsigned char)*r->pos))
			return copy_number(r);
	}
	return copy_word(r);
}

int relax(const char *name, const char *text, size_t len, struct relaxed *out, char *err,
	  size_t err_size)
{
	struct reader r = {
		.name = name,
		.pos = text,
		.end = text + len,
		.line_start = text,
		.line = 1,
		.out = out,
		.err = err,
		.err_size = err_size,
	};
	char buf[24];
	int ret;

	memset(out, 0, sizeof(*out));
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) { /* a byte order mark */
		r.pos += 3;
		r.line_start += 3;
	}
	ret = skip_space(&r);
	if (!ret)
		ret = read_value(&r, here(&r));
	if (!ret)
		ret = skip_space(&r);
	if (!ret && r.pos < r.end)
		ret = fail(&r, here(&r), "expected the end of the file, found %s", found(&r, buf));
	return ret;
}

void relaxed_free(struct relaxed *r)
{
	strbuf_free(&r->text);
	free(r->places);
	r->places = NULL;
	r->nr_places = 0;
}
