/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts as rows and columns, in the manner of veristat: choose, filter, sort,
 * print as a table or CSV, compare two such files.
 */
#ifndef VRT_CLI_VERIFY_ROWS_H
#define VRT_CLI_VERIFY_ROWS_H

#include <json-c/json.h>

#include "cmdline.h"

struct verify_view {
	const char *emit, *sort; /* as given; NULL: the usual */
	struct text_list filters;
	bool csv;
};

/* Does @view make sense? -EINVAL with a message that names the option. */
int verify_view_check(const struct verify_view *view, char *err, size_t err_size);
/* Of "objects" as in docs/json.md. */
void verify_print_rows(struct json_object *objects, const struct verify_view *view);
/* Two files that were written as CSV. 0, or a status with a message. */
int verify_compare(const char *before, const char *after, char *err, size_t err_size);
/* The names of all columns, separated by ", ". */
void verify_column_names(char *buf, size_t size);

#endif
