/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Command lines: one table of options gives strict parsing, errors that name
 * the option and what was expected, and the text of --help.
 *
 * Values go into the command's config struct at their offsets. Texts point
 * into argv.
 */
#ifndef VRT_CLI_CMDLINE_H
#define VRT_CLI_CMDLINE_H

#include <stdio.h>

#include "../base/util.h"

struct json_object;

#define CMDLINE_MAX_LIST 256

struct text_list {
	const char *items[CMDLINE_MAX_LIST];
	u32 nr;
};

enum cmd_option_kind {
	CMD_FLAG, /* bool */
	CMD_TEXT, /* const char * */
	CMD_LIST, /* struct text_list: may be repeated */
	CMD_TIME, /* u64, ns */
	CMD_NUMBER, /* u64 */
	CMD_CHOICE, /* u32: index into @value, "none|light|heavy" */
	CMD_HELP, /* bool; ends parsing */
};

struct cmd_option {
	const char *name; /* without dashes */
	char letter; /* 0: only the long form */
	enum cmd_option_kind kind;
	u32 offset;
	const char *value; /* how help names the value; CMD_CHOICE: the choices */
	const char *help;
	u64 min, max; /* CMD_TIME and CMD_NUMBER; max 0: no limit */
	bool here; /* how this command shows its results, and where it finds files: not written */
};

struct cmd_table {
	const char *command; /* "vrt run" */
	const char *usage; /* what follows it */
	const char *summary; /* a sentence or two */
	const struct cmd_option *options;
	u32 nr_options;
	const char *notes; /* after the options; may be NULL */
};

/*
 * Options and arguments may be mixed; "--" ends the options. 0, or -EINVAL
 * with a message in @err that starts with the option's name.
 */
int cmdline_parse(const struct cmd_table *table, int argc, char **argv, void *config,
		  struct text_list *arguments, char *err, size_t err_size);
/*
 * The same, the other way: the words, as an array of strings, that give @config
 * and @arguments when they are parsed. Options that are @here are left out.
 */
struct json_object *cmdline_write(const struct cmd_table *table, const void *config,
				  const struct text_list *arguments);
/* Of such words, which may be anybody's. Texts point into @words. Errors as cmdline_parse(). */
int cmdline_read(const struct cmd_table *table, struct json_object *words, void *config,
		 struct text_list *arguments, char *err, size_t err_size);
void cmdline_help(const struct cmd_table *table, FILE *out);
/* Prints text cut at spaces to @width columns, each line but the first indented. */
void print_wrapped(FILE *out, const char *text, u32 column, u32 indent, u32 width);

#endif
