// SPDX-License-Identifier: GPL-2.0-only
/* From rt-app's JSON to strict JSON: what is accepted, and where errors are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/workload/relax.h"

static void expect_text(const char *in, const char *out)
{
	struct relaxed r;
	char err[256] = "";

	if (relax("t", in, strlen(in), &r, err, sizeof(err)))
		fail_msg("%s: %s", in, err);
	assert_string_equal(strbuf_str(&r.text), out);
	relaxed_free(&r);
}

static void expect_error(const char *in, const char *message)
{
	struct relaxed r;
	char err[256] = "";

	if (!relax("t", in, strlen(in), &r, err, sizeof(err)))
		fail_msg("%s: was accepted as %s", in, strbuf_str(&r.text));
	assert_string_equal(err, message);
	relaxed_free(&r);
}

static void test_strict_stays(void **state)
{
	expect_text("{}", "{}");
	expect_text("[1,-2.5e+3,0,true,false,null,\"a\\u00e9\\n\"]",
		    "[1,-2.5e+3,0,true,false,null,\"a\\u00e9\\n\"]");
	expect_text(" \t{ \"a\" : { \"b\" : [ ] } }\r\n", "{\"a\":{\"b\":[]}}\n");
	expect_text("\xef\xbb\xbf\"\xc3\xa9\"", "\"\xc3\xa9\"");
}

static void test_comments_and_commas(void **state)
{
	expect_text("{ // one\n \"a\": /* two\n three */ 1, }", "{\n\"a\":\n1}");
	expect_text("[1,2,/**/]//end", "[1,2]");
	/* a comment within a string is text */
	expect_text("\"/* no */ // no\"", "\"/* no */ // no\"");
}

static void test_repeated_keys(void **state)
{
	expect_text("{\"run\":1,\"sleep\":2,\"run\":3,\"sleep\":4,\"run\":5}",
		    "{\"run\":1,\"sleep\":2,\"run1\":3,\"sleep1\":4,\"run2\":5}");
	/* a number that is taken is not taken again, whoever comes first */
	expect_text("{\"run1\":1,\"run\":2,\"run\":3}", "{\"run1\":1,\"run\":2,\"run2\":3}");
	expect_text("{\"run\":1,\"run\":2,\"run1\":3}", "{\"run\":1,\"run1\":2,\"run11\":3}");
	/* each object for itself */
	expect_text("{\"a\":{\"x\":1},\"b\":{\"x\":1}}", "{\"a\":{\"x\":1},\"b\":{\"x\":1}}");
}

static void test_many_keys(void **state)
{
	struct strbuf in = { 0 };
	struct relaxed r;
	char err[256];
	int i;

	strbuf_putc(&in, '{');
	for (i = 0; i < 50000; i++)
		strbuf_puts(&in, "\"run\":1,\n");
	strbuf_putc(&in, '}');
	assert_int_equal(relax("t", in.data, in.len, &r, err, sizeof(err)), 0);
	assert_int_equal(r.nr_places, 50001);
	assert_non_null(strstr(r.text.data, "\"run49999\":1"));
	assert_int_equal(r.places[50000].line, 50000);
	relaxed_free(&r);
	strbuf_free(&in);
}

static void test_bare_keys(void **state)
{
	expect_text("{\"tasks\":{\"ui\":{\"suspend\",\"run\":1,\"suspend\"},\"b\":{\"yield\"}}}",
		    "{\"tasks\":{\"ui\":{\"suspend\":\"ui\",\"run\":1,\"suspend1\":\"ui\"},"
		    "\"b\":{\"yield\":\"\"}}}");
	expect_text("{\"tasks\":{\"ui\":{\"phases\":{\"p\":{\"suspend\"}}}}}",
		    "{\"tasks\":{\"ui\":{\"phases\":{\"p\":{\"suspend\":\"ui\"}}}}}");
	expect_error("{\"global\":{\"suspend\"}}",
		     "t:1:21: expected ':' and a value after the key \"suspend\", found '}'");
	expect_error("{\"tasks\":{\"ui\":{\"run\"}}}",
		     "t:1:22: expected ':' and a value after the key \"run\", found '}'");
}

static void test_places(void **state)
{
	static const char text[] = "{\n  \"a\" : [ 1,\n    2 ],\n  \"b\" : null\n}";
	static const struct relax_place places[] = {
		{ 1, 1 }, { 2, 3 }, { 2, 11 }, { 3, 5 }, { 4, 3 }
	};
	struct relaxed r;
	char err[256];

	assert_int_equal(relax("t", text, strlen(text), &r, err, sizeof(err)), 0);
	assert_int_equal(r.nr_places, 5);
	assert_memory_equal(r.places, places, sizeof(places));
	relaxed_free(&r);
}

static void test_errors(void **state)
{
	expect_error("", "t:1:1: expected a value, found the end of the file");
	expect_error("{\n \"a\" 1}",
		     "t:2:6: expected ':' and a value after the key \"a\", found '1'");
	expect_error("{\"a\":1 \"b\":2}", "t:1:8: expected ',' or '}', found '\"'");
	expect_error("{\"a\":1,,}", "t:1:8: expected a key in double quotes, or '}', found ','");
	expect_error("{a:1}", "t:1:2: expected a key in double quotes, or '}', found 'a'");
	expect_error("\n\n  [1, 2", "t:3:3: this '[' is never closed by ']'");
	expect_error("{\"a\":{", "t:1:6: this '{' is never closed by '}'");
	expect_error("{\"a\":01}", "t:1:6: a number must not begin with 0");
	expect_error("[1.]", "t:1:4: expected a digit after the decimal point, found ']'");
	expect_error("[-]", "t:1:3: expected a digit in the number, found ']'");
	expect_error("[1e]", "t:1:4: expected a digit in the exponent, found ']'");
	expect_error("[+1]", "t:1:2: expected a value, found '+'");
	expect_error("[truex]", "t:1:2: expected a value, found 't'");
	expect_error("[\"ab\nc\"]", "t:1:2: this string is not closed on its line");
	expect_error("[\"ab", "t:1:2: this string is never closed");
	expect_error("[\"\\x\"]",
		     "t:1:3: \\ must be followed by one of \" \\ / b f n r t u in a string");
	expect_error("[\"\\u12\"]", "t:1:3: \\u must be followed by four hexadecimal digits");
	expect_error("[\"\\u0000\"]", "t:1:3: \\u0000 is not allowed in a string");
	expect_error("[\"\xff\"]", "t:1:3: this is not UTF-8 (byte 0xff)");
	expect_error("[\"\xed\xa0\x80\"]", "t:1:3: this is not UTF-8 (byte 0xed)");
	expect_error("[\"\x01\"]", "t:1:3: a control character (0x01) in a string");
	expect_error("{} x", "t:1:4: expected the end of the file, found 'x'");
	expect_error("/* {}", "t:1:1: this comment is never closed by */");
	expect_error("/*/", "t:1:1: this comment is never closed by */");
	expect_error("{\"r\\u0075n\":1}", "t:1:2: a key must be written without \\ escapes");
}

static void test_limits(void **state)
{
	char deep[2 * RELAX_MAX_DEPTH + 8], key[RELAX_MAX_KEY + 16];
	struct relaxed r;
	char err[256];

	memset(deep, '[', RELAX_MAX_DEPTH);
	memset(deep + RELAX_MAX_DEPTH, ']', RELAX_MAX_DEPTH);
	assert_int_equal(relax("t", deep, 2 * RELAX_MAX_DEPTH, &r, err, sizeof(err)), 0);
	relaxed_free(&r);
	memset(deep, '[', RELAX_MAX_DEPTH + 1);
	deep[RELAX_MAX_DEPTH + 1] = '\0';
	expect_error(deep, "t:1:33: nested more than 32 levels deep");

	memset(key, 'k', sizeof(key));
	memcpy(key, "{\"", 2);
	memcpy(key + 2 + RELAX_MAX_KEY + 1, "\":1}", 5);
	expect_error(key, "t:1:2: this key is longer than 128 bytes");
}

/* Every prefix of a text ends in an error or a value, never beyond the text. */
static void test_truncation(void **state)
{
	static const char text[] = "{ /* c */ \"tasks\": {\"a\": {\"suspend\", \"run\": 1.5e3, // "
				   "x\n"
				   "\"s\": \"\\u00e9\xc3\xa9\", \"l\": [true, null,],},},}";
	size_t len;

	for (len = 0; len < strlen(text); len++) {
		struct relaxed r;
		char err[256] = "", *copy = strndup(text, len);

		assert_int_not_equal(relax("t", copy, len, &r, err, sizeof(err)), 0);
		assert_memory_equal(err, "t:", 2);
		relaxed_free(&r);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strict_stays),  cmocka_unit_test(test_comments_and_commas),
		cmocka_unit_test(test_repeated_keys), cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_bare_keys),     cmocka_unit_test(test_places),
		cmocka_unit_test(test_errors),	      cmocka_unit_test(test_limits),
		cmocka_unit_test(test_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
