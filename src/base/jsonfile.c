// SPDX-License-Identifier: GPL-2.0-only
/* Reading JSON through json-c, and finding the place of an error. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "jsonfile.h"
#include "strbuf.h"

#define JSON_MAX_DEPTH 64

static void line_and_column(const char *text, size_t offset, u32 *line, u32 *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < offset; i++) {
		++*column;
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		}
	}
}

/* What is wrong with the text at *@offset; NULL if it parsed. */
static const char *parse(const char *text, size_t len, struct json_object **root, size_t *offset)
{
	struct json_tokener *tok = json_tokener_new_ex(JSON_MAX_DEPTH);
	enum json_tokener_error error;
	const char *what = NULL;

	*root = NULL;
	*offset = 0;
	if (!tok)
		return "no memory to parse it";
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* the terminator counts: it ends a number at the end of the text */
	*root = json_tokener_parse_ex(tok, text, (int)len + 1);
	error = json_tokener_get_error(tok);
	*offset = min(json_tokener_get_parse_end(tok), len);
	if (error == json_tokener_continue || error == json_tokener_error_parse_eof)
		what = "the text ends too early; is a bracket or quote not closed?";
	else if (error != json_tokener_success)
		what = json_tokener_error_desc(error);
	else if (strspn(text + *offset, " \t\r\n") != len - *offset)
		what = "more text after the end of the document";
	else if (!*root)
		what = "the document is empty (null)";
	json_tokener_free(tok);
	return what;
}

struct json_object *json_text_load(const char *name, const char *text, size_t len, char *err,
				   size_t err_size, int *code)
{
	struct json_object *root;
	const char *what;
	size_t offset;
	u32 line, column;

	what = parse(text, len, &root, &offset);
	if (!what)
		return root;
	line_and_column(text, offset, &line, &column);
	vrt_error(err, err_size, 0, "%s:%u:%u: not valid JSON: %s", name, line, column, what);
	if (code)
		*code = -EINVAL;
	json_object_put(root);
	return NULL;
}

struct json_object *json_file_load(const char *path, char *err, size_t err_size, int *code)
{
	struct json_object *root = NULL;
	struct strbuf sb = {};
	int ret = file_read(path, JSON_FILE_MAX, &sb);

	if (ret == -EFBIG)
		vrt_error(err, err_size, 0, "%s: larger than %u MiB; is this the right file?", path,
			  JSON_FILE_MAX >> 20);
	else if (ret)
		vrt_error(err, err_size, 0, "%s: cannot read: %s", path, strerror(-ret));
	else
		root = json_text_load(path, strbuf_str(&sb), sb.len, err, err_size, &ret);
	if (code)
		*code = ret;
	strbuf_free(&sb);
	return root;
}
