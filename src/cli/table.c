// SPDX-License-Identifier: GPL-2.0-only
/* Tables for a terminal; see table.h. */
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"

#define MIN_COLUMN 10
#define CELL_SIZE 32
#define LABEL_SIZE 64

struct row {
	char label[LABEL_SIZE];
	bool section;
	char (*cells)[CELL_SIZE];
};

struct table {
	u32 nr_columns;
	char (*headings)[CELL_SIZE];
	struct row *rows;
	u32 nr_rows;
};

struct table *table_new(u32 nr_columns)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->nr_columns = nr_columns;
	t->headings = xcalloc(nr_columns, CELL_SIZE);
	return t;
}

void table_free(struct table *t)
{
	for (u32 i = 0; i < t->nr_rows; i++)
		free(t->rows[i].cells);
	free(t->rows);
	free(t->headings);
	free(t);
}

void table_heading(struct table *t, u32 column, const char *text)
{
	size_t len = strlen(text);

	VRT_ASSERT(column < t->nr_columns);
	/* the end of a name tells more than its beginning, as in "scx_simple" */
	if (len > TABLE_MAX_COLUMN)
		snprintf(t->headings[column], CELL_SIZE, "~%s",
			 text + len - (TABLE_MAX_COLUMN - 1));
	else
		snprintf(t->headings[column], CELL_SIZE, "%s", text);
}

static struct row *add_row(struct table *t)
{
	t->rows = xreallocarray(t->rows, t->nr_rows + 1, sizeof(*t->rows));
	t->rows[t->nr_rows] = (struct row){ .cells = xcalloc(t->nr_columns, CELL_SIZE) };
	return &t->rows[t->nr_rows++];
}

void table_section(struct table *t, const char *fmt, ...)
{
	struct row *row = add_row(t);
	va_list args;

	row->section = true;
	va_start(args, fmt);
	vsnprintf(row->label, LABEL_SIZE, fmt, args);
	va_end(args);
}

void table_row(struct table *t, const char *fmt, ...)
{
	struct row *row = add_row(t);
	va_list args;

	va_start(args, fmt);
	vsnprintf(row->label, LABEL_SIZE, fmt, args);
	va_end(args);
}

void table_cell(struct table *t, u32 column, const char *text)
{
	VRT_ASSERT(t->nr_rows && column < t->nr_columns);
	snprintf(t->rows[t->nr_rows - 1].cells[column], CELL_SIZE, "%s", text);
}

void table_drop_empty_row(struct table *t)
{
	struct row *row = &t->rows[t->nr_rows - 1];

	for (u32 i = 0; i < t->nr_columns; i++) {
		if (row->cells[i][0])
			return;
	}
	free(row->cells);
	t->nr_rows--;
}

static u32 label_width(const struct table *t)
{
	size_t width = 0;

	for (u32 i = 0; i < t->nr_rows; i++) {
		if (!t->rows[i].section)
			width = max(width, strlen(t->rows[i].label));
	}
	return width;
}

static u32 column_width(const struct table *t, u32 column)
{
	size_t width = max((size_t)MIN_COLUMN, strlen(t->headings[column]));

	for (u32 i = 0; i < t->nr_rows; i++)
		width = max(width, strlen(t->rows[i].cells[column]));
	return width;
}

/* The column after the last one that fits beside the labels; at least one does. */
static u32 last_fitting(const struct table *t, u32 from, u32 used)
{
	u32 column = from;

	do
		used += 2 + column_width(t, column++);
	while (column < t->nr_columns && used + 2 + column_width(t, column) <= TABLE_WIDTH);
	return column;
}

/* Lines end with their last cell: no blanks follow it. */
static void print_line(const struct table *t, const char *label, u32 width,
		       const char (*cells)[CELL_SIZE], u32 from, u32 to, FILE *out)
{
	u32 pending = width - min(width, (u32)strlen(label));

	fputs(label, out);
	for (u32 i = from; i < to; i++) {
		u32 len = strlen(cells[i]);

		pending += 2 + column_width(t, i) - len;
		if (!len)
			continue;
		fprintf(out, "%*s%s", (int)pending, "", cells[i]);
		pending = 0;
	}
	fputc('\n', out);
}

void table_print(const struct table *t, FILE *out)
{
	u32 width = label_width(t), from = 0, to;

	for (; from < t->nr_columns; from = to) {
		to = last_fitting(t, from, width);
		if (from)
			fputc('\n', out);
		print_line(t, "", width, (const char(*)[CELL_SIZE])t->headings, from, to, out);
		for (u32 i = 0; i < t->nr_rows; i++)
			print_line(t, t->rows[i].label, width,
				   (const char(*)[CELL_SIZE])t->rows[i].cells, from, to, out);
	}
}
