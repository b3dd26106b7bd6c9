// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two files of 'vrt verify --output csv' (A and B), joined: a row per program of
 * either, and for each column A's, B's and what differs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "verify_rows.h"

#define MAX_LINE 4096

/* --- reading --------------------------------------------------------------------------- */

/* Fields of a line, which is cut at its commas. */
static u32 split(char *line, char *fields[MAX_STATS])
{
	u32 nr = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (line && nr < MAX_STATS)
		fields[nr++] = strsep(&line, ",");
	return nr;
}

static bool has_column(const struct stats *shown, u32 column)
{
	for (u32 i = 0; i < shown->nr; i++)
		if (shown->stats[i].column == column)
			return true;
	return false;
}

static int read_rows(FILE *f, const char *path, const struct stats *shown, struct rows *rows,
		     char *err, size_t err_size)
{
	char line[MAX_LINE], *fields[MAX_STATS];
	u32 number = 1, nr;

	while (fgets(line, sizeof(line), f)) {
		struct row *row;

		number++;
		nr = split(line, fields);
		if (nr != shown->nr)
			return vrt_error(err, err_size, -EINVAL, "%s:%u: %u fields, expected %u", path,
					 number, nr, shown->nr);
		row = rows_add(rows);
		for (u32 i = 0; i < nr; i++)
			rows_set(row, shown->stats[i].column, fields[i]);
	}
	return 0;
}

static int read_csv(const char *path, struct stats *shown, struct rows *rows, char *err,
		    size_t err_size)
{
	FILE *f = fopen(path, "re");
	char line[MAX_LINE];
	int ret;

	if (!f)
		return vrt_error(err, err_size, -errno, "--compare: %s: %s", path, strerror(errno));
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (!line[0] || stats_parse(shown, "", line, false, NULL, 0) ||
	    !has_column(shown, COLUMN_PROG))
		ret = vrt_error(err, err_size, -EINVAL, "%s:1: expected names of columns, as 'vrt verify --output csv' writes them",
				path);
	else
		ret = read_rows(f, path, shown, rows, err, err_size);
	fclose(f);
	return ret;
}

/* --- joining --------------------------------------------------------------------------- */

/* What names a row; files that were not written with one of them have it empty. */
static const u32 keys[] = { COLUMN_FILE, COLUMN_PROG, COLUMN_ON, COLUMN_KERNEL };

static bool is_key(u32 column)
{
	for (u32 i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i] == column)
			return true;
	return false;
}

static const struct row *same_program(const struct rows *rows, const struct row *row)
{
	for (size_t i = 0; i < rows->nr; i++) {
		bool same = true;

		for (u32 k = 0; k < ARRAY_SIZE(keys); k++)
			same &= !strcmp(rows->rows[i].texts[keys[k]], row->texts[keys[k]]);
		if (same)
			return &rows->rows[i];
	}
	return NULL;
}

static struct pair *join(const struct rows *a, const struct rows *b, size_t *nr)
{
	struct pair *pairs = xcalloc(a->nr + b->nr + 1, sizeof(*pairs));

	*nr = 0;
	for (size_t i = 0; i < a->nr; i++)
		pairs[(*nr)++] = (struct pair){ .a = &a->rows[i], .b = same_program(b, &a->rows[i]) };
	for (size_t i = 0; i < b->nr; i++)
		if (!same_program(a, &b->rows[i]))
			pairs[(*nr)++] = (struct pair){ .b = &b->rows[i] };
	return pairs;
}

/* Each column of @from three times, unless it names the row, or one of the three is asked for. */
static void spread(const struct stats *from, struct stats *shown)
{
	shown->nr = 0;
	for (u32 i = 0; i < from->nr; i++) {
		struct stat stat = from->stats[i];
		bool once = is_key(stat.column) || stat.variant != VARIANT_PLAIN;

		if (shown->nr + 3 > MAX_STATS)
			break;
		if (once)
			shown->stats[shown->nr++] = stat;
		for (u32 v = VARIANT_A; v <= VARIANT_DIFF && !once; v++) {
			stat.variant = v;
			shown->stats[shown->nr++] = stat;
		}
	}
}

/* What both have, of what people want to see first. */
static void usual(const struct stats *a, const struct stats *b, struct stats *shown)
{
	static const u32 wanted[] = { COLUMN_FILE,    COLUMN_PROG,  COLUMN_KERNEL,
				      COLUMN_VERDICT, COLUMN_INSNS, COLUMN_STATES };
	struct stats both = {};

	for (u32 i = 0; i < ARRAY_SIZE(wanted); i++)
		if (has_column(a, wanted[i]) && has_column(b, wanted[i]))
			both.stats[both.nr++].column = wanted[i];
	spread(&both, shown);
}

int verify_compare(const char *before, const char *after, const struct verify_view *view, char *err,
		   size_t err_size)
{
	struct stats in_a, in_b, asked, shown;
	struct rows a = {}, b = {};
	struct pair *pairs;
	size_t nr;
	int ret = read_csv(before, &in_a, &a, err, err_size);

	ret = ret ?: read_csv(after, &in_b, &b, err, err_size);
	if (!ret && view->emit)
		ret = stats_parse(&asked, "--emit", view->emit, true, err, err_size);
	if (!ret) {
		if (view->emit)
			spread(&asked, &shown);
		else
			usual(&in_a, &in_b, &shown);
		pairs = join(&a, &b, &nr);
		nr = stats_select(view, pairs, nr, true);
		rows_print(pairs, nr, &shown, view->csv);
		free(pairs);
	}
	rows_free(&a);
	rows_free(&b);
	return ret;
}
