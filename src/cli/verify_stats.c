// SPDX-License-Identifier: GPL-2.0-only
/* Columns, and what is asked of rows by name; see verify_stats.h. */
#include "verify_stats.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "verify_rows.h"

const struct column columns[NR_COLUMNS] = {
	[COLUMN_FILE] = { "file", "file_name", NULL, false, 24 },
	[COLUMN_PROG] = { "prog", "prog_name", "name", false, 40 },
	[COLUMN_ON] = { "on", NULL, "on", false, 4 },
	[COLUMN_KERNEL] = { "kernel", NULL, "kernel", false, 16 },
	[COLUMN_SECTION] = { "section", NULL, "section", false, 24 },
	[COLUMN_VERDICT] = { "verdict", NULL, "verdict", false, 11 },
	[COLUMN_AGREES] = { "agrees", NULL, "agrees", false, 7 },
	[COLUMN_SIZE] = { "size", "prog_size", "instructions", true, 0 },
	[COLUMN_INSNS] = { "insns", "total_insns", "processed", true, 0 },
	[COLUMN_STATES] = { "states", "total_states", "states", true, 0 },
	[COLUMN_PEAK_STATES] = { "peak_states", NULL, "peak_states", true, 0 },
	[COLUMN_MAX_STATES] = { "max_states", "max_states_per_insn", "max_states_per_insn", true, 0 },
	[COLUMN_MEMORY] = { "memory", "mem_peak", "peak_memory", true, 0 },
	[COLUMN_STACK] = { "stack", "stack_depth", "stack_depth", true, 0 },
	[COLUMN_DURATION] = { "duration", "duration_ns", "host.duration_ns", true, 0 },
};

/* --- names --------------------------------------------------------------------------- */

void column_names(char *buf, size_t size)
{
	size_t len = 0;

	for (u32 i = 0; i < NR_COLUMNS && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? ", " : "",
					columns[i].name);
}

static bool is_word(const char *word, const char *text, size_t len)
{
	return word && strlen(word) == len && !strncmp(word, text, len);
}

static bool find_column(const char *name, size_t len, u32 *column)
{
	for (u32 i = 0; i < NR_COLUMNS; i++) {
		if (is_word(columns[i].name, name, len) || is_word(columns[i].also, name, len)) {
			*column = i;
			return true;
		}
	}
	return false;
}

static const struct {
	const char *suffix;
	enum variant variant;
} suffixes[] = {
	{ "_a", VARIANT_A },	   { "_base", VARIANT_A }, { "_b", VARIANT_B },
	{ "_comp", VARIANT_B },    { "_diff", VARIANT_DIFF }, { "_pct", VARIANT_PCT },
};

/* A name with what may be around it: "|insns_diff|". */
static bool find_stat(const char *name, size_t len, bool joined, struct stat *stat)
{
	*stat = (struct stat){ .variant = VARIANT_PLAIN };
	if (len > 2 && name[0] == '|' && name[len - 1] == '|') {
		stat->absolute = true;
		name++;
		len -= 2;
	}
	if (find_column(name, len, &stat->column))
		return true;
	for (u32 i = 0; joined && i < ARRAY_SIZE(suffixes); i++) {
		size_t cut = strlen(suffixes[i].suffix);

		if (len > cut && !strncmp(name + len - cut, suffixes[i].suffix, cut) &&
		    find_column(name, len - cut, &stat->column)) {
			stat->variant = suffixes[i].variant;
			return true;
		}
	}
	return false;
}

static int no_column(const char *option, const char *text, size_t len, bool joined, char *err,
		     size_t err_size)
{
	char names[256];

	column_names(names, sizeof(names));
	return vrt_error(err, err_size, -EINVAL, "%s: no column '%.*s'; there are %s%s", option,
			 (int)len, text, names,
			 joined ? ", each also with _a, _b, _diff or _pct behind it" : "");
}

int stats_parse(struct stats *stats, const char *option, const char *spec, bool joined, char *err,
		size_t err_size)
{
	stats->nr = 0;
	while (*spec) {
		size_t len = strcspn(spec, ","), name = len;
		char last = len ? spec[len - 1] : 0;
		struct stat stat;
		bool found = find_stat(spec, len, joined, &stat);

		/* "insns!" or "insnsv": descending, "insns^": ascending */
		if (!found && last && strchr("^!v", last)) {
			found = find_stat(spec, --name, joined, &stat);
			stat.descending = last != '^';
		}
		if (!found || stats->nr == MAX_STATS)
			return no_column(option, spec, len, joined, err, err_size);
		stats->stats[stats->nr++] = stat;
		spec += len + (spec[len] == ',');
	}
	return 0;
}

char *stat_name(const struct stat *stat, bool csv, char *buf, size_t size)
{
	static const char *const shown[] = { "", " (A)", " (B)", " (DIFF)", " (%)" };
	static const char *const written[] = { "", "_a", "_b", "_diff", "_pct" };

	snprintf(buf, size, "%s%s", columns[stat->column].name,
		 csv ? written[stat->variant] : shown[stat->variant]);
	return buf;
}

/* --- figures --------------------------------------------------------------------------- */

static bool has(const struct row *row, u32 column)
{
	return row && *row->texts[column];
}

/* Those that name a program are the same in both. */
static const struct row *row_of(const struct stat *stat, const struct pair *pair)
{
	if (stat->variant == VARIANT_B)
		return pair->b;
	return stat->variant == VARIANT_PLAIN && !pair->a ? pair->b : pair->a;
}

static double change(const struct stat *stat, const struct pair *pair)
{
	double a = (double)pair->a->numbers[stat->column];
	double diff = (double)pair->b->numbers[stat->column] - a;

	if (stat->variant == VARIANT_DIFF)
		return diff;
	return a != 0 ? 100 * diff / a : diff != 0 ? 100 : 0;
}

bool stat_number(const struct stat *stat, const struct pair *pair, double *value)
{
	const struct row *row = row_of(stat, pair);

	if (stat->variant == VARIANT_DIFF || stat->variant == VARIANT_PCT) {
		if (!has(pair->a, stat->column) || !has(pair->b, stat->column))
			return false;
		*value = change(stat, pair);
	} else {
		if (!has(row, stat->column))
			return false;
		*value = (double)row->numbers[stat->column];
	}
	if (stat->absolute)
		*value = fabs(*value);
	return true;
}

static const char *diff_text(const struct stat *stat, const struct pair *pair, char *buf,
			     size_t size)
{
	struct stat pct = { .column = stat->column, .variant = VARIANT_PCT };

	if (!has(pair->a, stat->column) || !has(pair->b, stat->column))
		return NULL;
	if (!columns[stat->column].number)
		return strcmp(pair->a->texts[stat->column], pair->b->texts[stat->column]) ?
			       "MISMATCH" : "MATCH";
	if (stat->variant == VARIANT_PCT)
		snprintf(buf, size, "%+.2f%%", change(stat, pair));
	else
		snprintf(buf, size, "%+.0f (%+.2f%%)", change(stat, pair), change(&pct, pair));
	return buf;
}

const char *stat_text(const struct stat *stat, const struct pair *pair, char *buf, size_t size)
{
	const struct row *row = row_of(stat, pair);

	if (stat->variant == VARIANT_DIFF || stat->variant == VARIANT_PCT)
		return diff_text(stat, pair, buf, size);
	return row ? row->texts[stat->column] : NULL;
}

/* --- filters ------------------------------------------------------------------------------ */

enum op { OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT };

/* "insns>=1000", "verdict==refused"; else a pattern of names, or of FILE/PROGRAM. */
struct filter {
	bool not, compares; /* a column with a value */
	struct stat stat;
	enum op op;
	const char *value;
};

static void parse_filter(const char *text, bool joined, struct filter *f)
{
	static const char *const ops[] = { "==", "!=", "<=", ">=", "<", ">" };

	*f = (struct filter){ .value = text };
	if (*text == '!') {
		f->not = true;
		f->value = ++text;
	}
	for (u32 i = 0; i < ARRAY_SIZE(ops) && !f->compares; i++) {
		const char *at = strstr(text, ops[i]);

		if (!at)
			continue;
		f->compares = find_stat(text, (size_t)(at - text), joined, &f->stat);
		f->op = (enum op)i;
		f->value = at + strlen(ops[i]);
	}
}

static int check_filter(const char *text, bool joined, char *err, size_t err_size)
{
	struct filter f;
	char names[256], *end;

	parse_filter(text, joined, &f);
	if (!f.compares && strpbrk(text + f.not, "<>=")) {
		column_names(names, sizeof(names));
		return vrt_error(err, err_size, -EINVAL,
				 "--filter: '%s' compares no column; there are %s%s", text, names,
				 joined ? ", each also with _a, _b, _diff or _pct behind it" : "");
	}
	if (!f.compares || !columns[f.stat.column].number)
		return 0;
	strtod(f.value, &end);
	if (end == f.value || (*end && strcmp(end, "%")))
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

static bool names_match(const char *pattern, const struct pair *pair)
{
	const struct row *row = pair->a ?: pair->b;
	const char *file = row->texts[COLUMN_FILE], *prog = row->texts[COLUMN_PROG];
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", file, prog);
	return !fnmatch(pattern, strchr(pattern, '/') ? path : prog, 0) || !fnmatch(pattern, file, 0);
}

/* What a row does not have fulfils nothing. */
static bool matches(const struct filter *f, const struct pair *pair)
{
	double value, number;
	const char *text;
	char buf[64];

	if (!f->compares)
		return names_match(f->value, pair);
	if (!columns[f->stat.column].number) {
		text = stat_text(&f->stat, pair, buf, sizeof(buf));
		return text && compares(f->op, strcmp(text, f->value));
	}
	value = strtod(f->value, NULL);
	return stat_number(&f->stat, pair, &number) &&
	       compares(f->op, number < value ? -1 : number > value);
}

/* All that exclude let it pass, and one that includes, if there are any. */
static bool is_wanted(const struct verify_view *view, const struct pair *pair, bool joined)
{
	bool wanted = true, asked = false, found = false;

	for (u32 i = 0; i < view->filters.nr; i++) {
		struct filter f;
		bool match;

		parse_filter(view->filters.items[i], joined, &f);
		match = matches(&f, pair);
		if (f.not) {
			wanted &= !match;
		} else if (f.compares) {
			wanted &= match;
		} else {
			asked = true;
			found |= match;
		}
	}
	return wanted && (found || !asked);
}

/* --- sorting --------------------------------------------------------------------------------- */

/* What a row does not have comes last, whichever way. */
static int order_of(const struct stat *stat, const struct pair *x, const struct pair *y)
{
	char buf_x[64], buf_y[64];
	const char *text_x, *text_y;
	double a = 0, b = 0;
	bool has_a, has_b;
	int order;

	if (columns[stat->column].number) {
		has_a = stat_number(stat, x, &a);
		has_b = stat_number(stat, y, &b);
		order = (a > b) - (a < b);
	} else {
		text_x = stat_text(stat, x, buf_x, sizeof(buf_x));
		text_y = stat_text(stat, y, buf_y, sizeof(buf_y));
		has_a = text_x;
		has_b = text_y;
		order = text_x && text_y ? strcmp(text_x, text_y) : 0;
	}
	if (has_a != has_b)
		return has_a ? -1 : 1;
	return stat->descending ? -order : order;
}

static int compare_pairs(const void *x, const void *y, void *arg)
{
	const struct stats *by = arg;
	int order = 0;

	for (u32 i = 0; i < by->nr && !order; i++)
		order = order_of(&by->stats[i], x, y);
	if (order)
		return order;
	return ((const struct pair *)x)->number < ((const struct pair *)y)->number ? -1 : 1;
}

int stats_check(const struct verify_view *view, bool joined, char *err, size_t err_size)
{
	struct stats stats;
	int ret = 0;

	if (view->emit)
		ret = stats_parse(&stats, "--emit", view->emit, joined, err, err_size);
	if (!ret && view->sort)
		ret = stats_parse(&stats, "--sort", view->sort, joined, err, err_size);
	for (u32 i = 0; i < view->filters.nr && !ret; i++)
		ret = check_filter(view->filters.items[i], joined, err, err_size);
	return ret;
}

size_t stats_select(const struct verify_view *view, struct pair *pairs, size_t nr, bool joined)
{
	struct stats by;
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++) {
		if (is_wanted(view, &pairs[i], joined)) {
			pairs[kept] = pairs[i];
			pairs[kept].number = kept;
			kept++;
		}
	}
	if (view->sort && !stats_parse(&by, "--sort", view->sort, joined, NULL, 0))
		qsort_r(pairs, kept, sizeof(*pairs), compare_pairs, &by);
	return kept;
}
