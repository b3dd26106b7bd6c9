/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts as rows and columns, in the manner of veristat: choose, filter, sort,
 * print as a table or CSV, compare two such files.
 */
#ifndef VRT_CLI_VERIFY_ROWS_H
#define VRT_CLI_VERIFY_ROWS_H

#include <json-c/json.h>

#include "cmdline.h"
#include "verify_stats.h"

struct verify_view {
	const char *emit, *sort; /* as given; NULL: the usual */
	struct text_list filters;
	bool csv;
	bool kernels; /* there are verdicts of several */
};

struct rows {
	struct row *rows;
	size_t nr;
};

/* Of "objects" as in docs/json.md. */
void verify_print_rows(struct json_object *objects, const struct verify_view *view);
/* Two files that were written as CSV, joined. 0, or a status with a message. */
int verify_compare(const char *before, const char *after, const struct verify_view *view, char *err,
		   size_t err_size);

/* An empty row more. */
struct row *rows_add(struct rows *rows);
void rows_set(struct row *row, u32 column, const char *text);
void rows_free(struct rows *rows);
void rows_print(const struct pair *pairs, size_t nr, const struct stats *shown, bool csv);

#endif
