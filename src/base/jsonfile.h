/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON files of ours (machines, costs, scenarios): strict JSON, read whole,
 * with errors that say file, line and column.
 */
#ifndef VRT_BASE_JSONFILE_H
#define VRT_BASE_JSONFILE_H

#include "util.h"

struct json_object;

/* Larger files are refused. */
#define JSON_FILE_MAX (16U << 20)

/*
 * The document, to be released with json_object_put(); NULL with a message in
 * @err and, if @code is not NULL, -errno in *code. A document that is just
 * "null" is an error too.
 */
struct json_object *json_file_load(const char *path, char *err, size_t err_size, int *code);
/* The same of @len bytes of text; @name is what messages call it. */
struct json_object *json_text_load(const char *name, const char *text, size_t len, char *err,
				   size_t err_size, int *code);

#endif
