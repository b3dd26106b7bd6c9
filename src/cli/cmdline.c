// SPDX-License-Identifier: GPL-2.0-only
/* Command lines from tables; see cmdline.h. */
#include "cmdline.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "../base/suggest.h"
#include "units.h"

#define HELP_WIDTH 80
#define HELP_COLUMN 26

struct parse {
	const struct cmd_table *table;
	void *config;
	char *err;
	size_t err_size;
	u64 given; /* bit per option that may be given once */
	bool written; /* by cmdline_write(): nothing that is only here */
};

static void *field_of(const struct parse *p, const struct cmd_option *o)
{
	return (char *)p->config + o->offset;
}

__printf(2, 3) static int bad(const struct parse *p, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(p->err, p->err_size, fmt, args);
	va_end(args);
	return -EINVAL;
}

/* --- values ------------------------------------------------------------------ */

static int set_choice(const struct parse *p, const struct cmd_option *o, const char *value)
{
	const char *choice = o->value;
	size_t len = strlen(value);

	for (u32 i = 0;; i++) {
		size_t n = strcspn(choice, "|");

		if (n == len && !strncmp(choice, value, n)) {
			*(u32 *)field_of(p, o) = i;
			return 0;
		}
		if (!choice[n])
			return bad(p, "--%s: '%s' is none of %s", o->name, value, o->value);
		choice += n + 1;
	}
}

static int set_time(const struct parse *p, const struct cmd_option *o, const char *value)
{
	char low[32], high[32];
	u64 ns;

	if (parse_duration(value, &ns))
		return bad(p,
			   "--%s: '%s' is not a time: expected a number with a unit (ns, us, ms, "
			   "s or m), such as 500ms or 10s",
			   o->name, value);
	if (ns < o->min || (o->max && ns > o->max))
		return bad(p, "--%s: %s is out of range: expected a time from %s to %s", o->name,
			   value, human_ns(o->min, low, sizeof(low)),
			   human_ns(o->max, high, sizeof(high)));
	*(u64 *)field_of(p, o) = ns;
	return 0;
}

static int set_number(const struct parse *p, const struct cmd_option *o, const char *value)
{
	u64 max = o->max ? o->max : ~0ULL, n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 0);
	if (*value < '0' || *value > '9' || *end || errno)
		return bad(p, "--%s: '%s' is not a number from %llu to %llu", o->name, value,
			   o->min, max);
	if (n < o->min || n > max)
		return bad(p, "--%s: %s is out of range: expected a number from %llu to %llu",
			   o->name, value, o->min, max);
	*(u64 *)field_of(p, o) = n;
	return 0;
}

static int add_to_list(const struct parse *p, const struct cmd_option *o, const char *value)
{
	struct text_list *list = field_of(p, o);

	if (list->nr == CMDLINE_MAX_LIST)
		return bad(p, "--%s: given more than %u times", o->name, CMDLINE_MAX_LIST);
	list->items[list->nr++] = value;
	return 0;
}

static bool takes_value(const struct cmd_option *o)
{
	return o->kind != CMD_FLAG && o->kind != CMD_HELP;
}

static int set_value(struct parse *p, const struct cmd_option *o, const char *value)
{
	u64 bit = 1ULL << (o - p->table->options);

	if (o->kind != CMD_LIST && o->kind != CMD_FLAG && p->given & bit)
		return bad(p, "--%s: given twice; which one shall count?", o->name);
	p->given |= bit;
	switch (o->kind) {
	case CMD_TEXT:
		*(const char **)field_of(p, o) = value;
		return 0;
	case CMD_LIST:
		return add_to_list(p, o, value);
	case CMD_TIME:
		return set_time(p, o, value);
	case CMD_NUMBER:
		return set_number(p, o, value);
	case CMD_CHOICE:
		return set_choice(p, o, value);
	case CMD_FLAG:
	case CMD_HELP:
		break;
	}
	*(bool *)field_of(p, o) = true;
	return 0;
}

/* --- options ----------------------------------------------------------------- */

static int unknown_option(const struct parse *p, const char *name, size_t len)
{
	char word[64];
	struct suggest near = { .word = word };

	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	for (u32 i = 0; i < p->table->nr_options; i++)
		suggest_try(&near, p->table->options[i].name);
	if (near.best)
		return bad(p, "--%s: there is no such option; did you mean --%s?", word, near.best);
	return bad(p, "--%s: there is no such option; '%s --help' lists them", word,
		   p->table->command);
}

static const struct cmd_option *find_long(const struct parse *p, const char *name, size_t len)
{
	for (u32 i = 0; i < p->table->nr_options; i++) {
		const struct cmd_option *o = &p->table->options[i];

		if (strlen(o->name) == len && !strncmp(o->name, name, len))
			return p->written && o->here ? NULL : o;
	}
	return NULL;
}

static int need_value(const struct parse *p, const struct cmd_option *o)
{
	return bad(p, "--%s: a value is missing: expected --%s %s", o->name, o->name, o->value);
}

/* "name" or "name=value"; *used: was the next word taken as the value? */
static int parse_long(struct parse *p, const char *arg, const char *next, bool *used)
{
	size_t len = strcspn(arg, "=");
	const struct cmd_option *o = find_long(p, arg, len);
	const char *value = arg[len] ? arg + len + 1 : NULL;

	if (!o)
		return unknown_option(p, arg, len);
	if (!takes_value(o))
		return value ? bad(p, "--%s: takes no value", o->name) : set_value(p, o, NULL);
	if (!value) {
		if (!next || !strncmp(next, "--", 2))
			return need_value(p, o);
		*used = true;
		value = next;
	}
	return set_value(p, o, value);
}

/* "v", "vq", "Idir", or "I" with the value in the next word. */
static int parse_short(struct parse *p, const char *arg, const char *next, bool *used)
{
	for (; *arg; arg++) {
		const struct cmd_option *o = NULL;
		int err;

		for (u32 i = 0; i < p->table->nr_options; i++) {
			if (p->table->options[i].letter == *arg &&
			    !(p->written && p->table->options[i].here))
				o = &p->table->options[i];
		}
		if (!o)
			return bad(p, "-%c: there is no such option; '%s --help' lists them", *arg,
				   p->table->command);
		if (takes_value(o)) {
			*used = !arg[1];
			if (*used && !next)
				return need_value(p, o);
			return set_value(p, o, *used ? next : arg + 1);
		}
		err = set_value(p, o, NULL);
		if (err)
			return err;
	}
	return 0;
}

static int parse_words(struct parse *p, const char *const *words, u32 nr,
		       struct text_list *arguments)
{
	bool options = true;

	VRT_ASSERT(p->table->nr_options <= 64);
	for (u32 i = 0; i < nr; i++) {
		const char *arg = words[i], *next = i + 1 < nr ? words[i + 1] : NULL;
		bool used = false;
		int ret = 0;

		if (options && !strcmp(arg, "--"))
			options = false;
		else if (options && !strncmp(arg, "--", 2))
			ret = parse_long(p, arg + 2, next, &used);
		else if (options && arg[0] == '-' && arg[1])
			ret = parse_short(p, arg + 1, next, &used);
		else if (arguments->nr == CMDLINE_MAX_LIST)
			ret = bad(p, "%s: more than %u arguments", p->table->command,
				  CMDLINE_MAX_LIST);
		else
			arguments->items[arguments->nr++] = arg;
		if (ret)
			return ret;
		i += used;
	}
	return 0;
}

int cmdline_parse(const struct cmd_table *table, int argc, char **argv, void *config,
		  struct text_list *arguments, char *err, size_t err_size)
{
	struct parse p = { .table = table, .config = config, .err = err, .err_size = err_size };

	return parse_words(&p, (const char *const *)argv + 1, (u32)max(argc - 1, 0), arguments);
}

/* --- written down -------------------------------------------------------------- */

__printf(2, 3) static void add_word(struct json_object *words, const char *fmt, ...)
{
	struct strbuf sb = {};
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&sb, fmt, args);
	va_end(args);
	json_object_array_add(words, json_object_new_string_len(strbuf_str(&sb), (int)sb.len));
	strbuf_free(&sb);
}

static void write_choice(struct json_object *words, const struct cmd_option *o, u32 value)
{
	const char *choice = o->value;

	while (value--)
		choice += strcspn(choice, "|") + 1;
	add_word(words, "--%s=%.*s", o->name, (int)strcspn(choice, "|"), choice);
}

static void write_option(struct json_object *words, const struct cmd_option *o, const void *field)
{
	const struct text_list *list = field;

	switch (o->kind) {
	case CMD_FLAG:
		if (*(const bool *)field)
			add_word(words, "--%s", o->name);
		break;
	case CMD_TEXT:
		if (*(const char *const *)field)
			add_word(words, "--%s=%s", o->name, *(const char *const *)field);
		break;
	case CMD_LIST:
		for (u32 i = 0; i < list->nr; i++)
			add_word(words, "--%s=%s", o->name, list->items[i]);
		break;
	case CMD_TIME:
		add_word(words, "--%s=%lluns", o->name, *(const u64 *)field);
		break;
	case CMD_NUMBER:
		add_word(words, "--%s=%llu", o->name, *(const u64 *)field);
		break;
	case CMD_CHOICE:
		write_choice(words, o, *(const u32 *)field);
		break;
	case CMD_HELP:
		break;
	}
}

struct json_object *cmdline_write(const struct cmd_table *table, const void *config,
				  const struct text_list *arguments)
{
	struct json_object *words = json_object_new_array();

	for (u32 i = 0; i < table->nr_options; i++) {
		const struct cmd_option *o = &table->options[i];

		if (!o->here)
			write_option(words, o, (const char *)config + o->offset);
	}
	add_word(words, "--");
	for (u32 i = 0; i < arguments->nr; i++)
		add_word(words, "%s", arguments->items[i]);
	return words;
}

int cmdline_read(const struct cmd_table *table, struct json_object *words, void *config,
		 struct text_list *arguments, char *err, size_t err_size)
{
	struct parse p = { .table = table, .config = config, .err = err, .err_size = err_size,
			   .written = true };
	size_t nr = json_object_array_length(words);
	const char **texts = xcalloc(nr + 1, sizeof(*texts));
	int ret = 0;

	for (size_t i = 0; i < nr && !ret; i++) {
		struct json_object *word = json_object_array_get_idx(words, i);

		texts[i] = json_object_get_string(word);
		if (!json_object_is_type(word, json_type_string) ||
		    strlen(texts[i]) != (size_t)json_object_get_string_len(word))
			ret = bad(&p, "word %zu is not text", i + 1);
	}
	if (!ret)
		ret = parse_words(&p, texts, (u32)nr, arguments);
	free(texts);
	return ret;
}

/* --- help -------------------------------------------------------------------- */

/* Where a line that begins with blanks goes on when it is cut: behind "  word:", if it has that. */
static u32 hanging_indent(const char *line)
{
	size_t blanks = strspn(line, " "), word = strcspn(line + blanks, " \n");

	if (blanks && word && line[blanks + word - 1] == ':')
		return (u32)(blanks + word + strspn(line + blanks + word, " "));
	return (u32)blanks;
}

void print_wrapped(FILE *out, const char *text, u32 column, u32 indent, u32 width)
{
	u32 hanging = hanging_indent(text);
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (!first && column + 1 + len > width) {
			fprintf(out, "\n%*s", (int)(indent + hanging), "");
			column = indent + hanging;
			first = true;
		}
		fprintf(out, "%s%.*s", first ? "" : " ", (int)len, text);
		column += len + !first;
		first = false;
		text += len;
		if (*text == '\n') {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
			hanging = hanging_indent(text + 1);
		}
		text += *text != '\0';
	}
	fputc('\n', out);
}

static void option_help(const struct cmd_option *o, FILE *out)
{
	char left[80];
	int len = snprintf(left, sizeof(left), "  %c%c%s--%s%s%s", o->letter ? '-' : ' ',
			   o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
			   o->value ? " " : "", o->value ? o->value : "");

	fputs(left, out);
	if (len >= HELP_COLUMN) {
		fputc('\n', out);
		len = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - len, "");
	print_wrapped(out, o->help, HELP_COLUMN, HELP_COLUMN, HELP_WIDTH);
}

void cmdline_help(const struct cmd_table *table, FILE *out)
{
	fprintf(out, "usage: %s %s\n\n", table->command, table->usage);
	print_wrapped(out, table->summary, 0, 0, HELP_WIDTH);
	fputs("\noptions:\n", out);
	for (u32 i = 0; i < table->nr_options; i++)
		option_help(&table->options[i], out);
	if (table->notes)
		fprintf(out, "\n%s", table->notes);
}
