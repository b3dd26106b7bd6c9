// SPDX-License-Identifier: GPL-2.0-only
/*
 * The manual and --help say the same: every option of every command is in
 * docs/command.md and in docs/vrt.1, and they have no others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/base/strbuf.h"
#include "../../src/cli/cli.h"

#define MAX_OPTIONS 128

static const struct command commands[] = {
	{ "run", "", cmd_run },
	{ "replay", "", cmd_replay },
	{ "trace", "", cmd_trace },
	{ "vm", "", cmd_vm },
	{ "verify", "", cmd_verify },
	{ "prog", "", cmd_prog },
	{ "map", "", cmd_map },
	{ "calibrate", "", cmd_calibrate },
	{ "bench", "", cmd_bench },
	{ "workloads", "", cmd_workloads },
	{ "machines", "", cmd_machines },
};

static char *help;
static char *manual, *man_page;

static char *read_all(FILE *f)
{
	struct strbuf sb = {};
	char buf[4096];
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), f)))
		strbuf_add(&sb, buf, n);
	fclose(f);
	return strbuf_detach(&sb);
}

/* The source tree is known from where this file is, as the compiler saw it. */
static char *read_doc(const char *name)
{
	const char *source = getenv("VRT_SOURCE"), *slash = strrchr(__FILE__, '/');
	struct strbuf path = {};
	FILE *f;

	if (source)
		strbuf_printf(&path, "%s/docs/%s", source, name);
	else
		strbuf_printf(&path, "%.*s/../../docs/%s", (int)(slash - __FILE__), __FILE__, name);
	f = fopen(strbuf_str(&path), "r");
	if (!f)
		fail_msg("%s: not there; run this from the build directory, or set VRT_SOURCE",
			 strbuf_str(&path));
	strbuf_free(&path);
	return read_all(f);
}

/* What the commands print for --help, all of it. */
static char *all_help(void)
{
	FILE *f = tmpfile();
	int saved = dup(STDOUT_FILENO);

	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
		char *argv[] = { (char *)commands[i].name, (char *)"--help", NULL };

		assert_int_equal(commands[i].main(2, argv), STATUS_OK);
	}
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(f);
	return read_all(f);
}

/* "--name" at @text: its length, or 0. */
static size_t option_length(const char *text)
{
	size_t len = strncmp(text, "--", 2) ? 0 : strspn(text + 2, "abcdefghijklmnopqrstuvwxyz-");

	return len && text[2] != '-' ? len + 2 : 0;
}

static bool contains_option(const char *text, const char *option, size_t len)
{
	for (text = strstr(text, "--"); text; text = strstr(text + 2, "--")) {
		if (option_length(text) == len && !strncmp(text, option, len))
			return true;
	}
	return false;
}

/* Every option that @all mentions is in @doc. */
static void check_contains(const char *all, const char *doc, const char *doc_name)
{
	u32 found = 0;

	for (all = strstr(all, "--"); all; all = strstr(all, "--")) {
		size_t len = option_length(all);

		if (len && !contains_option(doc, all, len))
			fail_msg("%s lacks %.*s", doc_name, (int)len, all);
		found += len > 0;
		all += max(len, (size_t)2);
	}
	assert_true(found > 10);
}

/* A man page writes a dash as "\-". */
static void plain_dashes(char *page)
{
	char *out = page;

	for (; *page; page++) {
		if (page[0] != '\\' || page[1] != '-')
			*out++ = *page;
	}
	*out = '\0';
}

static int load(void **state)
{
	help = all_help();
	manual = read_doc("command.md");
	man_page = read_doc("vrt.1");
	plain_dashes(man_page);
	return 0;
}

static int unload(void **state)
{
	free(help);
	free(manual);
	free(man_page);
	return 0;
}

static void help_is_in_the_manual(void **state)
{
	check_contains(help, manual, "docs/command.md");
}

static void help_is_in_the_man_page(void **state)
{
	check_contains(help, man_page, "docs/vrt.1");
}

/* What vrt itself understands is not in a command's --help. */
static void documented_options_exist(void **state)
{
	struct strbuf all = {};

	strbuf_printf(&all, "%s --version", help);
	check_contains(manual, strbuf_str(&all), "--help");
	check_contains(man_page, strbuf_str(&all), "--help");
	strbuf_free(&all);
}

static void help_fits_the_terminal(void **state)
{
	char *copy = strdup(help), *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		if (strlen(line) > 80)
			fail_msg("more than 80 columns: %s", line);
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_is_in_the_manual),
		cmocka_unit_test(help_is_in_the_man_page),
		cmocka_unit_test(documented_options_exist),
		cmocka_unit_test(help_fits_the_terminal),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
