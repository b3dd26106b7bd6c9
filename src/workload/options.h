/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of generators: one table describes them, and gives strict parsing,
 * errors that say what was expected, and the help text.
 *
 * Values go into a config struct, at their offsets: u64 for numbers, times
 * (ns) and choices (the index), bool for flags, char * for texts (NULL: not
 * given; freed by options_free()).
 */
#ifndef VRT_WORKLOAD_OPTIONS_H
#define VRT_WORKLOAD_OPTIONS_H

#include "../base/util.h"

enum option_kind {
	OPT_NUMBER,
	OPT_TIME, /* with a unit (ns, us, ms, s), or a plain number of @unit ns */
	OPT_FLAG,
	OPT_CHOICE,
	OPT_TEXT,
};

struct option_spec {
	char letter; /* 0: only a long name */
	const char *name;
	enum option_kind kind;
	u32 offset;
	u64 min, max; /* of numbers and times (ns) */
	u64 unit; /* OPT_TIME */
	const char *values; /* OPT_CHOICE: "one|two"; others: how help names the value */
	const char *help;
};

struct option_table {
	const struct option_spec *options;
	u32 nr_options;
	size_t config_size;
	const void *defaults; /* a config; texts in it are literals */
	const char *notes; /* after the options in the help text; may be NULL */
};

/* 0, or -EINVAL with a message in @err that starts with @tool. */
int options_parse(const struct option_table *table, const char *tool, const char *args,
		  void *config, char *err, size_t err_size);
void options_free(const struct option_table *table, void *config);
void options_help(const struct option_table *table, const char *tool, const char *summary,
		  char *buf, size_t size);

#endif
