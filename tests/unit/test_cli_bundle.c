// SPDX-License-Identifier: GPL-2.0-only
/*
 * Repro bundles: what is written is read again, and nothing else is: not what
 * was cut off, changed, or made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/base/rng.h"
#include "../../src/base/strbuf.h"
#include "../../src/cli/bundle.h"
#include "../../src/cli/json.h"

static char err[2048];

/* --- one that is good --------------------------------------------------------------- */

static struct run_plan *new_plan(void)
{
	struct run_plan *plan = calloc(1, sizeof(*plan));

	run_options_init(&plan->options);
	plan->options.machine = "2x2";
	plan->options.workload = "hackbench -g 1 -f 2";
	plan->options.duration = 20 * NSEC_PER_MSEC;
	plan->options.seed = ~0ULL;
	plan->options.noise = NOISE_HEAVY;
	plan->options.at = (struct text_list){ .items = { "5ms:offline=1", "9ms:swap=eevdf" }, .nr = 2 };
	plan->options.set = (struct text_list){ .items = { "a=--x", "b=\"\\/\t" }, .nr = 2 };
	plan->options.quiet = true;
	plan->options.trace = "out.txt";
	plan->schedulers = (struct text_list){ .items = { "eevdf" }, .nr = 1 };
	if (plan_make(plan, err, sizeof(err)) != STATUS_OK)
		fail_msg("%s", err);
	return plan;
}

/* Of a run that never was, with one more file. */
static struct json_object *new_bundle(void)
{
	static const char bytes[] = "\x7f" "ELF\0\xff";
	struct run_plan *plan = new_plan();
	struct json_object *run = json_tokener_parse(
		"{\"on\": \"sim\", \"status\": 3, \"trace_hash\": \"0123456789abcdef\", \"end\": "
		"{\"kind\": \"error\", \"reason\": \"why\", \"message\": \"what\"}}");
	struct strbuf content = {};
	struct json_object *document;
	bool news;

	document = bundle_new(plan, "eevdf", run, &news, err, sizeof(err));
	assert_non_null(document);
	strbuf_add(&content, bytes, sizeof(bytes));
	bundle_add_file(json_at(document, "files"), "2/x.bpf.o", &content);
	strbuf_free(&content);
	json_object_object_del(document, "sha256");
	bundle_seal(document);
	json_object_put(run);
	plan_free(plan);
	free(plan);
	return document;
}

static const char *text_of(struct json_object *document)
{
	return json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN);
}

static struct json_object *parse(const char *text)
{
	return bundle_parse("b", text, strlen(text), err, sizeof(err));
}

static void what_is_written_is_read(void **state)
{
	struct json_object *written = new_bundle(), *read = parse(text_of(written));
	struct run_plan *plan = new_plan(), *again = calloc(1, sizeof(*again));
	struct strbuf content = {};
	const char *name;

	if (!read)
		fail_msg("%s", err);
	assert_int_equal(bundle_options(read, &again->options, &again->schedulers, err, sizeof(err)),
			 0);
	assert_string_equal(again->options.machine, "2x2");
	assert_string_equal(again->options.workload, plan->options.workload);
	assert_int_equal(again->options.duration, plan->options.duration);
	assert_true(again->options.seed == ~0ULL);
	assert_int_equal(again->options.noise, NOISE_HEAVY);
	assert_int_equal(again->options.runnable_timeout, plan->options.runnable_timeout);
	assert_int_equal(again->options.at.nr, 2);
	assert_string_equal(again->options.at.items[1], "9ms:swap=eevdf");
	assert_string_equal(again->options.set.items[0], "a=--x");
	assert_string_equal(again->options.set.items[1], "b=\"\\/\t");
	assert_string_equal(again->schedulers.items[0], "eevdf");
	/* only of the command that wrote it */
	assert_false(again->options.quiet);
	assert_null(again->options.trace);
	assert_true(bundle_file(read, 0, &name, &content));
	assert_string_equal(name, BUNDLE_COSTS);
	strbuf_reset(&content);
	assert_true(bundle_file(read, 1, &name, &content));
	assert_string_equal(name, "2/x.bpf.o");
	assert_int_equal(content.len, 7);
	assert_memory_equal(content.data, "\x7f" "ELF\0\xff", 7);
	assert_false(bundle_file(read, 2, &name, &content));
	strbuf_free(&content);
	json_object_put(written);
	json_object_put(read);
	plan_free(plan);
	free(plan);
	free(again);
}

/* --- those that are not --------------------------------------------------------------- */

static void refuse(const char *text, const char *why)
{
	struct json_object *document = parse(text);

	if (document)
		fail_msg("accepted: %.200s", text);
	if (strncmp(err, "b:", 2) || !strstr(err, why))
		fail_msg("expected '%s' in: %s", why, err);
}

static void cut_off(void **state)
{
	struct json_object *document = new_bundle();
	char *text = strdup(text_of(document));

	for (size_t len = strlen(text); len--;) {
		text[len] = '\0';
		refuse(text, ":");
	}
	free(text);
	json_object_put(document);
}

/* A bundle with any of its bytes changed is no bundle, or the same one (an escaped slash). */
static void changed(void **state)
{
	struct json_object *document = new_bundle(), *read;
	char *text = strdup(text_of(document)), *whole = strdup(text);
	size_t len = strlen(text);
	struct rng rng;

	rng_init(&rng, 1);
	for (size_t i = 0; i < len; i++) {
		text[i] = (char)(text[i] ^ (1 + rng_below(&rng, 255)));
		read = bundle_parse("b", text, len, err, sizeof(err));
		if (read)
			fail_msg("byte %zu of %zu does not count: %.40s", i, len, whole + i);
		text[i] = whole[i];
	}
	free(text);
	free(whole);
	json_object_put(document);
}

/* A member of a good one is changed, which is then sealed again, as whoever made it up would. */
static struct json_object *made_up(const char *member, const char *value)
{
	struct json_object *document = new_bundle();
	char *path = strdup(member), *dot = strrchr(path, '.');
	struct json_object *in = document;

	if (dot) {
		*dot = '\0';
		in = json_at(document, path);
	}
	json_object_object_del(in, dot ? dot + 1 : path);
	if (value)
		json_object_object_add(in, dot ? dot + 1 : path, json_tokener_parse(value));
	json_object_object_del(document, "sha256");
	bundle_seal(document);
	free(path);
	return document;
}

static void made_up_members(void **state)
{
	static const struct {
		const char *member, *value, *why;
	} cases[] = {
		{ "schema", NULL, "is no repro bundle" },
		{ "schema", "\"vruntime-run-1\"", "is no repro bundle: its 'schema' is 'vruntime-run-1'" },
		{ "schema", "\"vruntime-repro-2\"", "of the form 'vruntime-repro-2', written by vrt" },
		{ "schema", "[1]", "is no repro bundle" },
		{ "version", "7", "'version' is missing, or not of type string" },
		{ "command", "\"--machine=4\"", "'command' is missing, or not of type array" },
		{ "machine", "[]", "'machine.hash' is missing" },
		{ "machine.hash", "0", "'machine.hash' is missing" },
		{ "result", NULL, "'result' is missing" },
		{ "result.status", "\"3\"", "'result.status' is missing, or not of type int" },
		{ "files", "{}", "'files' is missing, or not of type array" },
		{ "files", "[7]", "'name' is missing" },
		{ "files", "[{\"name\": \"../x\", \"sha256\": \"\"}]", "called '../x'" },
		{ "files", "[{\"name\": \"/etc/x\", \"sha256\": \"\"}]", "called '/etc/x'" },
		{ "files", "[{\"name\": \"2/../x\", \"sha256\": \"\"}]", "called '2/../x'" },
		{ "files", "[{\"name\": \"2/3/x\", \"sha256\": \"\"}]", "called '2/3/x'" },
		{ "files", "[{\"name\": \"2/\", \"sha256\": \"\"}]", "called '2/'" },
		{ "files", "[{\"name\": \"a b\", \"sha256\": \"\"}]", "called 'a b'" },
		{ "files", "[{\"name\": \"\", \"sha256\": \"\"}]", "called ''" },
		{ "files", "[{\"name\": \"x\", \"sha256\": \"\", \"text\": \"\", \"base64\": \"\"}]",
		  "neither 'text' nor valid 'base64'" },
		{ "files", "[{\"name\": \"x\", \"sha256\": \"\", \"base64\": \"A\"}]",
		  "neither 'text' nor valid 'base64'" },
		{ "files", "[{\"name\": \"x\", \"sha256\": \"\", \"base64\": \"!!!!\"}]",
		  "neither 'text' nor valid 'base64'" },
		{ "files", "[{\"name\": \"x\", \"sha256\": \"12\", \"text\": \"\"}]",
		  "the file 'x' in it has been changed" },
		{ "files",
		  "[{\"name\": \"x\", \"text\": \"\", \"sha256\": "
		  "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}, "
		  "{\"name\": \"x\", \"text\": \"\", \"sha256\": "
		  "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}]",
		  "two files 'x'" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_object *document = made_up(cases[i].member, cases[i].value);

		refuse(text_of(document), cases[i].why);
		json_object_put(document);
	}
	refuse("[]", "it is JSON, but no object");
	refuse("\x7f" "ELF", "not valid JSON");
	refuse("", "not valid JSON");
}

/* Right in form, but not what vrt would write. */
static void made_up_commands(void **state)
{
	static const struct {
		const char *command, *why;
	} cases[] = {
		{ "[]", "must name one scheduler, not 0" },
		{ "[7]", "word 1 is not text" },
		{ "[\"--\", \"eevdf\", \"eevdf\"]", "must name one scheduler, not 2" },
		{ "[\"--trace=/etc/passwd\", \"eevdf\"]", "--trace: there is no such option" },
		{ "[\"--on=host\", \"eevdf\"]", "--on: there is no such option" },
		{ "[\"-I\", \"/\", \"eevdf\"]", "-I: there is no such option" },
		{ "[\"--bundle=/etc/passwd\", \"eevdf\"]", "--bundle: there is no such option" },
		{ "[\"--seed=-1\", \"eevdf\"]", "--seed: '-1' is not a number" },
		{ "[\"--for\"]", "--for: a value is missing" },
		{ "[\"fifo\"]", "'fifo' is not called like a compiled object" },
		{ "[\"/tmp/x.bpf.o\"]", "names the file '/tmp/x.bpf.o', which is not in it" },
		{ "[\"../x.bpf.o,a=1\"]", "names the file '../x.bpf.o'" },
		{ "[\"2/x.bpf.c\"]", "is not called like a compiled object" },
		{ "[\"x.bpf.o\"]", "names the file 'x.bpf.o'" },
		{ "[\".bpf.o\"]", "is not called like a compiled object" },
		{ "[\"eevdf\", \"--with=/x.bpf.o\"]", "names the file '/x.bpf.o'" },
		{ "[\"eevdf\", \"--at=1ms:swap=/x.bpf.o,a=1\"]", "names the file '/x.bpf.o'" },
		{ "[\"eevdf\", \"--workload=/etc/passwd\"]", "names the file '/etc/passwd'" },
		{ "[\"eevdf\", \"--workload= ../w.json\"]", "names the file '../w.json'" },
		{ "[\"eevdf\", \"--machine=/dev/stdin\"]", "names the file '/dev/stdin'" },
		{ "[\"eevdf\", \"--costs=c.json\"]", "names the file 'c.json'" },
		{ "[\"eevdf\", \"--set=a=\\u0000\"]", "word 2 is not text" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_object *document = made_up("command", cases[i].command);
		struct json_object *read = parse(text_of(document));
		struct run_plan *plan = calloc(1, sizeof(*plan));

		if (!read)
			fail_msg("%s", err);
		assert_int_not_equal(bundle_options(read, &plan->options, &plan->schedulers, err,
						    sizeof(err)), 0);
		if (!strstr(err, cases[i].why))
			fail_msg("%s: expected '%s' in: %s", cases[i].command, cases[i].why, err);
		free(plan);
		json_object_put(read);
		json_object_put(document);
	}
}

/* The same CPUs have the same hash, others another. */
static void machines_are_told_apart(void **state)
{
	static const char *const specs[] = { "4", "2x2", "2x2x1", "1x2x2x1", "2x1x2x1", "8" };
	char hex[ARRAY_SIZE(specs)][SHA256_HEX_SIZE];

	for (u32 i = 0; i < ARRAY_SIZE(specs); i++) {
		struct topology topo;

		assert_int_equal(topology_parse(&topo, specs[i], err, sizeof(err)), 0);
		bundle_machine_hash(&topo, hex[i]);
		topology_free(&topo);
	}
	for (u32 i = 0; i < ARRAY_SIZE(specs); i++)
		for (u32 k = 0; k < i; k++)
			/* 2 nodes of 2 cores, by either grammar */
			assert_int_equal(!strcmp(hex[i], hex[k]), i == 4 && k == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(changed),
		cmocka_unit_test(made_up_members),
		cmocka_unit_test(made_up_commands),
		cmocka_unit_test(machines_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
