/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strict parsing of a generator's options by its table, and the help text.
 */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/duration.h"
#include "../base/suggest.h"

#define MAX_WORDS 64

struct words {
	char *buf; /* all words, each terminated */
	char *word[MAX_WORDS];
	u32 nr, next;
};

struct parse {
	const struct option_table *table;
	const char *tool;
	void *config;
	char *err;
	size_t err_size;
};

static __printf(2, 3) int bad(const struct parse *p, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(p->err, p->err_size, "%s: ", p->tool);

	if (n < 0 || (size_t)n >= p->err_size)
		return -EINVAL;
	va_start(ap, fmt);
	vsnprintf(p->err + n, p->err_size - n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* --- values --------------------------------------------------------------- */

/* The index of @value in "one|two", or -1. */
static int find_choice(const char *choices, const char *value)
{
	size_t len = strlen(value), n;
	int i;

	for (i = 0; *choices; i++) {
		n = strcspn(choices, "|");
		if (n == len && !memcmp(choices, value, n))
			return i;
		choices += n + (choices[n] == '|');
	}
	return -1;
}

static int set_value(const struct parse *p, const struct option_spec *o, const char *name,
		     const char *value)
{
	void *field = (char *)p->config + o->offset;
	char low[32], high[32];
	u64 v = 0;
	size_t n;
	int i;

	switch (o->kind) {
	case OPT_NUMBER:
		n = parse_decimal(value, 0, &v);
		if (!n || value[n] || v < o->min || v > o->max)
			return bad(p, "%s: expected a whole number from %llu to %llu, got \"%s\"",
				   name, o->min, o->max, value);
		*(u64 *)field = v;
		return 0;
	case OPT_TIME:
		n = parse_time(value, o->unit, &v);
		if (!n || value[n] || v < o->min || v > o->max)
			return bad(p,
				   "%s: expected a time from %s to %s, such as 20us or 1.5ms (a "
				   "plain number counts %s), got \"%s\"",
				   name, format_time(o->min, low, sizeof(low)),
				   format_time(o->max, high, sizeof(high)),
				   o->unit == 1		      ? "nanoseconds"
				   : o->unit == NSEC_PER_USEC ? "microseconds"
				   : o->unit == NSEC_PER_MSEC ? "milliseconds"
							      : "seconds",
				   value);
		*(u64 *)field = v;
		return 0;
	case OPT_CHOICE:
		i = find_choice(o->values, value);
		if (i < 0)
			return bad(p, "%s: expected one of %s, got \"%s\"", name, o->values, value);
		*(u64 *)field = i;
		return 0;
	case OPT_TEXT:
		free(*(char **)field);
		*(char **)field = xstrdup(value);
		return 0;
	case OPT_FLAG:
		break;
	}
	*(bool *)field = true;
	return 0;
}

/* --- words ---------------------------------------------------------------- */

/* Splits at white space; quotes of both kinds keep a word together. */
static int split(const struct parse *p, const char *args, struct words *words)
{
	char *out = words->buf = xcalloc(strlen(args) + 1, 1);
	char quote = 0;

	for (;;) {
		args += strspn(args, " \t\n");
		if (!*args)
			return 0;
		if (words->nr == MAX_WORDS)
			return bad(p, "more than %u words of options", MAX_WORDS);
		words->word[words->nr++] = out;
		for (; *args && (quote || !strchr(" \t\n", *args)); args++) {
			if (quote ? *args == quote : *args == '\'' || *args == '"')
				quote = quote ? 0 : *args;
			else
				*out++ = *args;
		}
		if (quote)
			return bad(p, "a word begins with %c, which is never closed", quote);
		if (*args)
			args++;
		*out++ = '\0';
	}
}

static const struct option_spec *find_option(const struct option_table *table, const char *name,
					     size_t len)
{
	u32 i;

	for (i = 0; i < table->nr_options; i++) {
		const struct option_spec *o = &table->options[i];

		if (len == 1 ? o->letter == name[0]
			     : strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	}
	return NULL;
}

static int unknown(const struct parse *p, const char *word)
{
	struct suggest s = { .word = word + strspn(word, "-") };
	char list[512] = "";
	size_t n = 0;
	u32 i;

	for (i = 0; i < p->table->nr_options; i++) {
		suggest_try(&s, p->table->options[i].name);
		if (n < sizeof(list))
			n += snprintf(list + n, sizeof(list) - n, " --%s",
				      p->table->options[i].name);
	}
	if (word[0] != '-')
		return bad(p, "\"%s\" is not an option; the options are%s", word, list);
	if (s.best)
		return bad(p, "there is no option %s; did you mean --%s? The options are%s", word,
			   s.best, list);
	return bad(p, "there is no option %s; the options are%s", word, list);
}

static int parse_word(const struct parse *p, struct words *words)
{
	char *word = words->word[words->next++], *value = NULL, *equals;
	const struct option_spec *o = NULL;
	char name[72];

	if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
		options_help(p->table, p->tool, NULL, p->err, p->err_size);
		return -EINVAL;
	}
	if (word[0] == '-' && word[1] == '-' && word[2] && word[3]) {
		equals = strchr(word, '=');
		o = find_option(p->table, word + 2,
				equals ? (size_t)(equals - word - 2) : strlen(word + 2));
		value = equals ? equals + 1 : NULL;
	} else if (word[0] == '-' && word[1] && word[1] != '-') {
		o = find_option(p->table, word + 1, 1);
		value = word[2] ? word + 2 : NULL;
	}
	if (!o)
		return unknown(p, word);
	if (o->letter)
		snprintf(name, sizeof(name), "-%c (--%s)", o->letter, o->name);
	else
		snprintf(name, sizeof(name), "--%s", o->name);
	if (o->kind == OPT_FLAG && value)
		return bad(p, "%s takes no value", name);
	if (o->kind != OPT_FLAG && !value) {
		if (words->next == words->nr)
			return bad(p, "%s needs a value (%s)", name, o->values);
		value = words->word[words->next++];
	}
	return set_value(p, o, name, value);
}

int options_parse(const struct option_table *table, const char *tool, const char *args,
		  void *config, char *err, size_t err_size)
{
	struct parse p = { table, tool, config, err, err_size };
	struct words words = { 0 };
	int ret;
	u32 i;

	memcpy(config, table->defaults, table->config_size);
	for (i = 0; i < table->nr_options; i++) {
		char **text = (char **)((char *)config + table->options[i].offset);

		if (table->options[i].kind == OPT_TEXT && *text)
			*text = xstrdup(*text);
	}
	ret = split(&p, args, &words);
	while (!ret && words.next < words.nr)
		ret = parse_word(&p, &words);
	free(words.buf);
	return ret;
}

void options_free(const struct option_table *table, void *config)
{
	u32 i;

	for (i = 0; i < table->nr_options; i++)
		if (table->options[i].kind == OPT_TEXT)
			free(*(char **)((char *)config + table->options[i].offset));
	free(config);
}

/* --- help ----------------------------------------------------------------- */

static void describe_default(const struct option_table *table, const struct option_spec *o,
			     char *buf, size_t size)
{
	const void *field = (const char *)table->defaults + o->offset;
	const char *choice = o->values;
	char text[32];
	u64 i;

	*buf = '\0';
	switch (o->kind) {
	case OPT_NUMBER:
		if (*(const u64 *)field)
			snprintf(buf, size, " (default %llu)", *(const u64 *)field);
		break;
	case OPT_TIME:
		if (*(const u64 *)field)
			snprintf(buf, size, " (default %s)",
				 format_time(*(const u64 *)field, text, sizeof(text)));
		break;
	case OPT_CHOICE:
		for (i = *(const u64 *)field; i; i--)
			choice += strcspn(choice, "|") + 1;
		snprintf(buf, size, " (default %.*s)", (int)strcspn(choice, "|"), choice);
		break;
	case OPT_TEXT:
		if (*(char *const *)field)
			snprintf(buf, size, " (default %s)", *(char *const *)field);
		break;
	case OPT_FLAG:
		break;
	}
}

void options_help(const struct option_table *table, const char *tool, const char *summary,
		  char *buf, size_t size)
{
	char left[64], standard[64];
	size_t n = 0;
	u32 i;

#define emit(...) (n += n < size ? (size_t)snprintf(buf + n, size - n, __VA_ARGS__) : 0)
	*buf = '\0';
	if (summary)
		emit("%s: %s\n", tool, summary);
	emit("options of %s:\n", tool);
	for (i = 0; i < table->nr_options; i++) {
		const struct option_spec *o = &table->options[i];
		char letter[8] = "    ";

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->values ? " " : "",
			 o->values ? o->values : "");
		describe_default(table, o, standard, sizeof(standard));
		if (strlen(left) > 28)
			emit("  %s\n  %28s  %s%s\n", left, "", o->help, standard);
		else
			emit("  %-28s  %s%s\n", left, o->help, standard);
	}
	if (table->notes)
		emit("%s\n", table->notes);
#undef emit
}
