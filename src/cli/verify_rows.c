// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of verdicts: one per program and kernel. CSV has the columns' names in its
 * first line; names and sections hold no comma.
 */
#include "verify_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "json.h"
#include "run.h"
#include "table.h"

#define USUAL "file,prog,verdict,size,insns,states,peak_states"
#define USUAL_KERNELS "file,prog,kernel,verdict,agrees,insns,states,peak_states,duration"
#define NONE "N/A"

/* --- rows ----------------------------------------------------------------------------- */

struct row *rows_add(struct rows *rows)
{
	struct row *row;

	rows->rows = xreallocarray(rows->rows, rows->nr + 1, sizeof(*rows->rows));
	row = &rows->rows[rows->nr++];
	memset(row, 0, sizeof(*row));
	for (u32 i = 0; i < NR_COLUMNS; i++)
		row->texts[i] = xstrdup("");
	return row;
}

void rows_set(struct row *row, u32 column, const char *text)
{
	free(row->texts[column]);
	row->texts[column] = xstrdup(text);
	row->numbers[column] = columns[column].number ? strtoull(text, NULL, 10) : 0;
}

void rows_free(struct rows *rows)
{
	for (size_t r = 0; r < rows->nr; r++)
		for (u32 i = 0; i < NR_COLUMNS; i++)
			free(rows->rows[r].texts[i]);
	free(rows->rows);
}

/* CSV would take commas for columns: "fifo;slice_ns=5". */
static void set_without_commas(struct row *row, u32 column, const char *text, const char *more)
{
	char *copy = xcalloc(1, strlen(text) + strlen(more) + 1);

	strcpy(copy, text);
	strcat(copy, more);
	for (char *comma = strchr(copy, ','); comma; comma = strchr(comma, ','))
		*comma = ';';
	rows_set(row, column, copy);
	free(copy);
}

/* The object's file and settings, without the directory. */
static const char *file_of(const char *object)
{
	const char *base = object + strcspn(object, ",");

	while (base > object && base[-1] != '/')
		base--;
	return base;
}

/* What @from (a program, or what a kernel says of it) tells. */
static void fill_row(struct row *row, struct json_object *from)
{
	char text[32];
	u64 number;

	for (u32 i = 0; i < NR_COLUMNS; i++) {
		const struct column *c = &columns[i];

		if (!c->path || !json_at(from, c->path) || i == COLUMN_PROG)
			continue;
		if (c->number && json_u64_at(from, c->path, &number)) {
			snprintf(text, sizeof(text), "%llu", number);
			rows_set(row, i, text);
		} else if (i == COLUMN_AGREES) {
			rows_set(row, i, json_object_get_boolean(json_at(from, c->path)) ? "agrees" :
											   "differs");
		} else {
			rows_set(row, i, json_string_at(from, c->path));
		}
	}
}

static struct row *add_row(struct rows *rows, struct json_object *object,
			   struct json_object *program)
{
	struct row *row = rows_add(rows);

	rows_set(row, COLUMN_ON, "sim");
	rows_set(row, COLUMN_KERNEL, json_string_at(object, "kernel"));
	fill_row(row, program);
	set_without_commas(row, COLUMN_FILE, file_of(json_string_at(object, "object")), "");
	set_without_commas(row, COLUMN_PROG, json_string_at(program, "name"),
			   json_string_at(object, "variant"));
	return row;
}

static void add_rows(struct rows *rows, struct json_object *object)
{
	static const u32 theirs[] = { COLUMN_INSNS,	 COLUMN_STATES, COLUMN_PEAK_STATES,
				      COLUMN_MAX_STATES, COLUMN_MEMORY, COLUMN_STACK,
				      COLUMN_DURATION };
	struct json_object *programs = json_at(object, "programs");

	for (size_t i = 0; programs && i < json_object_array_length(programs); i++) {
		struct json_object *program = json_object_array_get_idx(programs, i);
		struct json_object *asked = json_at(program, "asked");

		add_row(rows, object, program);
		for (size_t k = 0; asked && k < json_object_array_length(asked); k++) {
			struct row *row = add_row(rows, object, program);

			for (u32 c = 0; c < ARRAY_SIZE(theirs); c++)
				rows_set(row, theirs[c], "");
			fill_row(row, json_object_array_get_idx(asked, k));
		}
	}
}

/* --- printing ---------------------------------------------------------------------------------- */

static bool is_right(const struct stat *stat)
{
	return columns[stat->column].number;
}

static const char *cell(const struct stat *stat, const struct pair *pair, char *buf, size_t size)
{
	return stat_text(stat, pair, buf, size) ?: NONE;
}

static u32 width_of(const struct pair *pairs, size_t nr, const struct stat *stat)
{
	const struct column *c = &columns[stat->column];
	char buf[64];
	size_t name = strlen(stat_name(stat, false, buf, sizeof(buf))), width = name;

	for (size_t i = 0; i < nr; i++)
		width = max(width, strlen(cell(stat, &pairs[i], buf, sizeof(buf))));
	return (u32)(c->number ? width : min(width, max((size_t)c->width, name)));
}

static void print_cell(const struct stat *stat, const char *text, u32 width)
{
	size_t len = strlen(text);

	if (is_right(stat))
		printf("%*s", (int)width, text);
	else if (len > width) /* the end of a name tells more than its beginning */
		printf("~%s", text + len - (width - 1));
	else
		printf("%-*s", (int)width, text);
}

static void print_table(const struct pair *pairs, size_t nr, const struct stats *shown)
{
	u32 widths[MAX_STATS];
	char buf[64];

	for (u32 i = 0; i < shown->nr; i++)
		widths[i] = width_of(pairs, nr, &shown->stats[i]);
	for (u32 i = 0; i < shown->nr; i++) {
		print_cell(&shown->stats[i], stat_name(&shown->stats[i], false, buf, sizeof(buf)),
			   widths[i]);
		fputs(i + 1 < shown->nr ? "  " : "\n", stdout);
	}
	for (size_t r = 0; r < nr; r++) {
		for (u32 i = 0; i < shown->nr; i++) {
			print_cell(&shown->stats[i], cell(&shown->stats[i], &pairs[r], buf, sizeof(buf)),
				   widths[i]);
			fputs(i + 1 < shown->nr ? "  " : "\n", stdout);
		}
	}
}

static void print_csv(const struct pair *pairs, size_t nr, const struct stats *shown)
{
	char buf[64];

	for (u32 i = 0; i < shown->nr; i++)
		printf("%s%s", stat_name(&shown->stats[i], true, buf, sizeof(buf)),
		       i + 1 < shown->nr ? "," : "\n");
	for (size_t r = 0; r < nr; r++)
		for (u32 i = 0; i < shown->nr; i++)
			printf("%s%s", cell(&shown->stats[i], &pairs[r], buf, sizeof(buf)),
			       i + 1 < shown->nr ? "," : "\n");
}

void rows_print(const struct pair *pairs, size_t nr, const struct stats *shown, bool csv)
{
	if (csv)
		print_csv(pairs, nr, shown);
	else
		print_table(pairs, nr, shown);
}

void verify_print_rows(struct json_object *objects, const struct verify_view *view)
{
	struct stats shown;
	struct rows rows = {};
	struct pair *pairs;
	size_t nr;

	for (size_t i = 0; i < json_object_array_length(objects); i++)
		add_rows(&rows, json_object_array_get_idx(objects, i));
	pairs = xcalloc(rows.nr + 1, sizeof(*pairs));
	for (size_t i = 0; i < rows.nr; i++)
		pairs[i].a = &rows.rows[i];
	nr = stats_select(view, pairs, rows.nr, false);
	stats_parse(&shown, "--emit", view->emit ?: view->kernels ? USUAL_KERNELS : USUAL, false, NULL,
		    0);
	rows_print(pairs, nr, &shown, view->csv);
	free(pairs);
	rows_free(&rows);
}
