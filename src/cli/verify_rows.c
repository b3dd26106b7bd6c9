// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of verdicts: one per program, as strings and numbers by column. CSV has
 * the columns' names in its first line; names and sections hold no comma.
 */
#include "verify_rows.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "json.h"
#include "run.h"
#include "table.h"

#define MAX_COLUMNS 16
#define MAX_LINE 1024

/* What is known of a program, by column. */
static const struct column {
	const char *name, *also; /* veristat's name for it, or NULL */
	const char *path; /* in the program's JSON; NULL: of the object */
	bool number;
	u32 width; /* texts: at most */
} columns[] = {
	{ "file", "file_name", NULL, false, 24 },
	{ "prog", "prog_name", "name", false, 24 },
	{ "section", NULL, "section", false, 24 },
	{ "verdict", NULL, "verdict", false, 11 },
	{ "size", "prog_size", "instructions", true, 0 },
	{ "insns", "total_insns", "processed", true, 0 },
	{ "states", "total_states", "states", true, 0 },
	{ "peak_states", NULL, "peak_states", true, 0 },
	{ "max_states", "max_states_per_insn", "max_states_per_insn", true, 0 },
	{ "memory", "mem_peak", "peak_memory", true, 0 },
	{ "stack", "stack_depth", "stack_depth", true, 0 },
	{ "duration", "duration_ns", "host.duration_ns", true, 0 },
};

#define USUAL "file,prog,verdict,size,insns,states,peak_states"

struct row {
	char *texts[ARRAY_SIZE(columns)]; /* as printed */
	u64 numbers[ARRAY_SIZE(columns)];
};

struct rows {
	struct row *rows;
	size_t nr;
};

struct shown {
	u32 columns[MAX_COLUMNS];
	bool descending[MAX_COLUMNS];
	u32 nr;
};

/* --- columns ------------------------------------------------------------------------ */

void verify_column_names(char *buf, size_t size)
{
	size_t len = 0;

	for (u32 i = 0; i < ARRAY_SIZE(columns) && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? ", " : "",
					columns[i].name);
}

static int find_column(const char *name, size_t len)
{
	for (u32 i = 0; i < ARRAY_SIZE(columns); i++)
		if ((strlen(columns[i].name) == len && !strncmp(columns[i].name, name, len)) ||
		    (columns[i].also && strlen(columns[i].also) == len &&
		     !strncmp(columns[i].also, name, len)))
			return (int)i;
	return -1;
}

/* "prog,insns", and for sorting "insns!" or "insnsv": descending, "^": ascending. */
static int parse_columns(const char *option, const char *spec, struct shown *shown, char *err,
			 size_t err_size)
{
	char names[256];

	shown->nr = 0;
	while (*spec) {
		size_t len = strcspn(spec, ","), name = len;
		char last = len ? spec[len - 1] : 0;
		int column = find_column(spec, len);

		if (column < 0 && last && strchr("^!v", last))
			column = find_column(spec, --name);
		if (column < 0 || shown->nr == MAX_COLUMNS) {
			verify_column_names(names, sizeof(names));
			return vrt_error(err, err_size, -EINVAL, "%s: no column '%.*s'; there are %s",
					 option, (int)len, spec, names);
		}
		shown->descending[shown->nr] = name != len && last != '^';
		shown->columns[shown->nr++] = (u32)column;
		spec += len + (spec[len] == ',');
	}
	return 0;
}

/* --- rows ----------------------------------------------------------------------------- */

/* The object's file and settings, which CSV would take for columns: "fifo;slice_ns=5". */
static char *file_text(const char *object)
{
	char *text = xstrdup(object), *base, *comma;

	for (comma = strchr(text, ','); comma; comma = strchr(comma, ','))
		*comma = ';';
	base = text + strcspn(text, ";");
	while (base > text && base[-1] != '/')
		base--;
	memmove(text, base, strlen(base) + 1);
	return text;
}

static void fill_row(struct row *row, struct json_object *object, struct json_object *program)
{
	char text[32];

	for (u32 i = 0; i < ARRAY_SIZE(columns); i++) {
		const struct column *c = &columns[i];

		if (!c->path) {
			row->texts[i] = file_text(json_string_at(object, "object"));
		} else if (!c->number) {
			row->texts[i] = xstrdup(json_string_at(program, c->path));
		} else {
			bool known = json_u64_at(program, c->path, &row->numbers[i]);

			snprintf(text, sizeof(text), "%llu", row->numbers[i]);
			row->texts[i] = xstrdup(known ? text : "");
		}
	}
}

static void add_rows(struct rows *rows, struct json_object *object)
{
	struct json_object *programs = json_at(object, "programs");

	for (size_t i = 0; programs && i < json_object_array_length(programs); i++) {
		rows->rows = xreallocarray(rows->rows, rows->nr + 1, sizeof(*rows->rows));
		memset(&rows->rows[rows->nr], 0, sizeof(*rows->rows));
		fill_row(&rows->rows[rows->nr++], object, json_object_array_get_idx(programs, i));
	}
}

static void free_row(struct row *row)
{
	for (u32 i = 0; i < ARRAY_SIZE(columns); i++)
		free(row->texts[i]);
}

static void free_rows(struct rows *rows)
{
	for (size_t i = 0; i < rows->nr; i++)
		free_row(&rows->rows[i]);
	free(rows->rows);
}

/* --- filters ------------------------------------------------------------------------------ */

enum op { OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT };

/* "insns>=1000", "verdict==refused"; else a pattern of names, or of FILE/PROGRAM. */
struct filter {
	bool not;
	int column; /* -1: a pattern */
	enum op op;
	const char *value;
};

static void parse_filter(const char *text, struct filter *f)
{
	static const char *const ops[] = { "==", "!=", "<=", ">=", "<", ">" };

	*f = (struct filter){ .column = -1, .value = text };
	if (*text == '!') {
		f->not = true;
		f->value = ++text;
	}
	for (u32 i = 0; i < ARRAY_SIZE(ops) && f->column < 0; i++) {
		const char *at = strstr(text, ops[i]);

		if (!at)
			continue;
		f->column = find_column(text, (size_t)(at - text));
		f->op = (enum op)i;
		f->value = at + strlen(ops[i]);
	}
}

static int check_filter(const char *text, char *err, size_t err_size)
{
	struct filter f;
	char names[256], *end;

	parse_filter(text, &f);
	if (f.column < 0 && strpbrk(text + f.not, "<>=")) {
		verify_column_names(names, sizeof(names));
		return vrt_error(err, err_size, -EINVAL,
				 "--filter: '%s' compares no column; there are %s", text, names);
	}
	if (f.column < 0 || !columns[f.column].number)
		return 0;
	strtoull(f.value, &end, 0);
	if (end == f.value || *end)
		return vrt_error(err, err_size, -EINVAL, "--filter: '%s': expected a number behind the comparison",
				 text);
	return 0;
}

static bool compares(enum op op, int order)
{
	switch (op) {
	case OP_EQ:
		return !order;
	case OP_NE:
		return order;
	case OP_LE:
		return order <= 0;
	case OP_GE:
		return order >= 0;
	case OP_LT:
		return order < 0;
	default:
		return order > 0;
	}
}

static bool matches(const struct filter *f, const struct row *row)
{
	u64 value, number;
	char path[512];

	if (f->column < 0) {
		snprintf(path, sizeof(path), "%s/%s", row->texts[0], row->texts[1]);
		return !fnmatch(f->value, strchr(f->value, '/') ? path : row->texts[1], 0) ||
		       !fnmatch(f->value, row->texts[0], 0);
	}
	if (!columns[f->column].number)
		return compares(f->op, strcmp(row->texts[f->column], f->value));
	value = strtoull(f->value, NULL, 0);
	number = row->numbers[f->column];
	return compares(f->op, number < value ? -1 : number > value);
}

/* All that exclude let it pass, and one that includes, if there are any. */
static bool is_wanted(const struct verify_view *view, const struct row *row)
{
	bool wanted = true, asked = false, found = false;

	for (u32 i = 0; i < view->filters.nr; i++) {
		struct filter f;
		bool match;

		parse_filter(view->filters.items[i], &f);
		match = matches(&f, row);
		if (f.not) {
			wanted &= !match;
		} else if (f.column >= 0) {
			wanted &= match;
		} else {
			asked = true;
			found |= match;
		}
	}
	return wanted && (found || !asked);
}

static void filter_rows(struct rows *rows, const struct verify_view *view)
{
	size_t kept = 0;

	for (size_t i = 0; i < rows->nr; i++) {
		if (is_wanted(view, &rows->rows[i]))
			rows->rows[kept++] = rows->rows[i];
		else
			free_row(&rows->rows[i]);
	}
	rows->nr = kept;
}

/* --- sorting --------------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	const struct shown *by = arg;

	for (u32 i = 0; i < by->nr; i++) {
		u32 c = by->columns[i];
		int order = columns[c].number ?
			    (x->numbers[c] > y->numbers[c]) - (x->numbers[c] < y->numbers[c]) :
			    strcmp(x->texts[c], y->texts[c]);

		if (order)
			return by->descending[i] ? -order : order;
	}
	return 0;
}

/* --- printing ---------------------------------------------------------------------------------- */

static u32 width_of(const struct rows *rows, u32 column)
{
	size_t width = strlen(columns[column].name);

	for (size_t i = 0; i < rows->nr; i++)
		width = max(width, strlen(rows->rows[i].texts[column]));
	return columns[column].number ? (u32)width : (u32)min(width, (size_t)columns[column].width);
}

static void print_cell(u32 column, const char *text, u32 width)
{
	size_t len = strlen(text);

	if (columns[column].number)
		printf("%*s", (int)width, text);
	else if (len > width) /* the end of a name tells more than its beginning */
		printf("~%s", text + len - (width - 1));
	else
		printf("%-*s", (int)width, text);
}

static void print_table(const struct rows *rows, const struct shown *shown)
{
	u32 widths[MAX_COLUMNS];

	for (u32 i = 0; i < shown->nr; i++)
		widths[i] = width_of(rows, shown->columns[i]);
	for (u32 i = 0; i < shown->nr; i++) {
		print_cell(shown->columns[i], columns[shown->columns[i]].name, widths[i]);
		fputs(i + 1 < shown->nr ? "  " : "\n", stdout);
	}
	for (size_t r = 0; r < rows->nr; r++) {
		for (u32 i = 0; i < shown->nr; i++) {
			u32 c = shown->columns[i];

			print_cell(c, rows->rows[r].texts[c], widths[i]);
			fputs(i + 1 < shown->nr ? "  " : "\n", stdout);
		}
	}
}

static void print_csv(const struct rows *rows, const struct shown *shown)
{
	for (u32 i = 0; i < shown->nr; i++)
		printf("%s%s", columns[shown->columns[i]].name, i + 1 < shown->nr ? "," : "\n");
	for (size_t r = 0; r < rows->nr; r++)
		for (u32 i = 0; i < shown->nr; i++)
			printf("%s%s", rows->rows[r].texts[shown->columns[i]],
			       i + 1 < shown->nr ? "," : "\n");
}

int verify_view_check(const struct verify_view *view, char *err, size_t err_size)
{
	struct shown shown;
	int ret = 0;

	if (view->emit)
		ret = parse_columns("--emit", view->emit, &shown, err, err_size);
	if (!ret && view->sort)
		ret = parse_columns("--sort", view->sort, &shown, err, err_size);
	for (u32 i = 0; i < view->filters.nr && !ret; i++)
		ret = check_filter(view->filters.items[i], err, err_size);
	return ret;
}

void verify_print_rows(struct json_object *objects, const struct verify_view *view)
{
	struct shown shown, by;
	struct rows rows = {};

	for (size_t i = 0; i < json_object_array_length(objects); i++)
		add_rows(&rows, json_object_array_get_idx(objects, i));
	filter_rows(&rows, view);
	if (view->sort && !parse_columns("--sort", view->sort, &by, NULL, 0))
		qsort_r(rows.rows, rows.nr, sizeof(*rows.rows), compare_rows, &by);
	parse_columns("--emit", view->emit ?: USUAL, &shown, NULL, 0);
	if (view->csv)
		print_csv(&rows, &shown);
	else
		print_table(&rows, &shown);
	free_rows(&rows);
}

/* --- comparing ------------------------------------------------------------------------------------- */

/* Fields of a line, which is cut at its commas. */
static u32 split(char *line, char *fields[MAX_COLUMNS])
{
	u32 nr = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (line && nr < MAX_COLUMNS)
		fields[nr++] = strsep(&line, ",");
	return nr;
}

static int read_csv(const char *path, struct shown *shown, struct rows *rows, char *err,
		    size_t err_size)
{
	char line[MAX_LINE], *fields[MAX_COLUMNS];
	FILE *f = fopen(path, "re");
	u32 number = 1, nr;
	int ret = 0;

	if (!f)
		return vrt_error(err, err_size, -errno, "--compare: %s: %s", path, strerror(errno));
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (!line[0] || parse_columns("", line, shown, NULL, 0) || find_column("prog", 4) < 0)
		ret = vrt_error(err, err_size, -EINVAL, "%s:1: expected names of columns, as 'vrt verify --output csv' writes them",
				path);
	while (!ret && fgets(line, sizeof(line), f)) {
		struct row *row;

		number++;
		nr = split(line, fields);
		if (nr != shown->nr) {
			ret = vrt_error(err, err_size, -EINVAL, "%s:%u: %u fields, expected %u", path,
					number, nr, shown->nr);
			break;
		}
		rows->rows = xreallocarray(rows->rows, rows->nr + 1, sizeof(*rows->rows));
		row = &rows->rows[rows->nr++];
		memset(row, 0, sizeof(*row));
		for (u32 i = 0; i < ARRAY_SIZE(columns); i++)
			row->texts[i] = xstrdup("");
		for (u32 i = 0; i < nr; i++) {
			free(row->texts[shown->columns[i]]);
			row->texts[shown->columns[i]] = xstrdup(fields[i]);
			row->numbers[shown->columns[i]] = strtoull(fields[i], NULL, 10);
		}
	}
	fclose(f);
	return ret;
}

static const struct row *same_program(const struct rows *rows, const struct row *row)
{
	for (size_t i = 0; i < rows->nr; i++)
		if (!strcmp(rows->rows[i].texts[0], row->texts[0]) &&
		    !strcmp(rows->rows[i].texts[1], row->texts[1]))
			return &rows->rows[i];
	return NULL;
}

static void print_change(u32 column, const struct row *a, const struct row *b)
{
	const struct column *c = &columns[column];
	s64 diff = (s64)(b ? b->numbers[column] : 0) - (s64)(a ? a->numbers[column] : 0);

	printf("    %-12s %14s %14s", c->name, a ? a->texts[column] : "-",
	       b ? b->texts[column] : "-");
	if (a && b && c->number && a->numbers[column])
		printf("  %+lld (%+.1f%%)", (long long)diff,
		       100.0 * (double)diff / (double)a->numbers[column]);
	putchar('\n');
}

static bool differs(const struct shown *shown, const struct row *a, const struct row *b)
{
	for (u32 i = 0; a && b && i < shown->nr; i++)
		if (strcmp(a->texts[shown->columns[i]], b->texts[shown->columns[i]]))
			return true;
	return !a || !b;
}

static u64 print_pair(const struct shown *shown, const struct row *a, const struct row *b)
{
	const struct row *any = a ?: b;

	if (!differs(shown, a, b))
		return 0;
	printf("%s/%s%s\n", any->texts[0], any->texts[1],
	       !a ? ": only in the second" : !b ? ": only in the first" : "");
	for (u32 i = 0; i < shown->nr; i++) {
		u32 c = shown->columns[i];

		if (columns[c].path && strcmp(columns[c].name, "prog") &&
		    (!a || !b || strcmp(a->texts[c], b->texts[c])))
			print_change(c, a, b);
	}
	return 1;
}

int verify_compare(const char *before, const char *after, char *err, size_t err_size)
{
	struct rows a = {}, b = {};
	struct shown shown, second;
	u64 changed = 0;
	int ret = read_csv(before, &shown, &a, err, err_size);

	ret = ret ?: read_csv(after, &second, &b, err, err_size);
	for (size_t i = 0; i < a.nr && !ret; i++)
		changed += print_pair(&shown, &a.rows[i], same_program(&b, &a.rows[i]));
	for (size_t i = 0; i < b.nr && !ret; i++)
		if (!same_program(&a, &b.rows[i]))
			changed += print_pair(&second, NULL, &b.rows[i]);
	if (!ret)
		printf("%llu of %zu programs differ\n", changed, max(a.nr, b.nr));
	free_rows(&a);
	free_rows(&b);
	return ret;
}
