/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The figures of programs by column, and what people ask of them by name, as of
 * veristat: which to print, by which to sort, which rows to keep. A row is of one
 * run of the verifier, or joins those of two (A and B); then a figure is A's, B's,
 * their difference, or that in percent of A's.
 *
 * verify_stats.c knows columns and names, verify_rows.c makes and prints rows,
 * verify_compare.c joins them.
 */
#ifndef VRT_CLI_VERIFY_STATS_H
#define VRT_CLI_VERIFY_STATS_H

#include "../base/util.h"

struct verify_view;

/* What is known of a program, by column. */
struct column {
	const char *name, *also; /* veristat's name for it, or NULL */
	const char *path; /* in the program's JSON; NULL: of the object */
	bool number;
	u32 width; /* texts: at most */
};

enum { COLUMN_FILE, COLUMN_PROG, COLUMN_ON, COLUMN_KERNEL, COLUMN_SECTION, COLUMN_VERDICT,
       COLUMN_AGREES, COLUMN_SIZE, COLUMN_INSNS, COLUMN_STATES, COLUMN_PEAK_STATES,
       COLUMN_MAX_STATES, COLUMN_MEMORY, COLUMN_STACK, COLUMN_DURATION, NR_COLUMNS };

extern const struct column columns[NR_COLUMNS];

struct row {
	char *texts[NR_COLUMNS]; /* as printed; "": there is none */
	u64 numbers[NR_COLUMNS];
};

/* Joined: one of them may be NULL. Otherwise there is only @a. */
struct pair {
	const struct row *a, *b;
	size_t number; /* equals stay in order */
};

enum variant { VARIANT_PLAIN, VARIANT_A, VARIANT_B, VARIANT_DIFF, VARIANT_PCT };

struct stat {
	u32 column;
	enum variant variant;
	bool absolute; /* "|insns_diff|" */
	bool descending;
};

#define MAX_STATS 48

struct stats {
	struct stat stats[MAX_STATS];
	u32 nr;
};

/* "prog,insns", for sorting also "insns!": -EINVAL with a message that starts with @option. */
int stats_parse(struct stats *stats, const char *option, const char *spec, bool joined, char *err,
		size_t err_size);
/* False: this row has no such figure (N/A). Of what is no number, see stat_text(). */
bool stat_number(const struct stat *stat, const struct pair *pair, double *value);
/* As it is printed; NULL: there is none. @buf: for what is made up. */
const char *stat_text(const struct stat *stat, const struct pair *pair, char *buf, size_t size);
/* "insns", "insns (DIFF)", or with @csv "insns_diff". Returns @buf. */
char *stat_name(const struct stat *stat, bool csv, char *buf, size_t size);

/* Do the filters and the sorting of @view make sense? */
int stats_check(const struct verify_view *view, bool joined, char *err, size_t err_size);
/* Only those that @view wants, as it wants them sorted. Returns how many. */
size_t stats_select(const struct verify_view *view, struct pair *pairs, size_t nr, bool joined);

/* The names of all columns, separated by ", ". */
void column_names(char *buf, size_t size);

#endif
