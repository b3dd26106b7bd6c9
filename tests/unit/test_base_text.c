// SPDX-License-Identifier: GPL-2.0-only
/* Strings, suggestions, hashes, JSON files and error messages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "../../src/base/duration.h"
#include "../../src/base/error.h"
#include "../../src/base/hash.h"
#include "../../src/base/jsonfile.h"
#include "../../src/base/strbuf.h"
#include "../../src/base/suggest.h"

static void test_strbuf(void **state)
{
	struct strbuf sb = {};
	char *text;

	assert_string_equal(strbuf_str(&sb), "");
	for (u32 i = 0; i < 1000; i++)
		strbuf_printf(&sb, "%03u,", i);
	assert_int_equal(sb.len, 4000);
	assert_memory_equal(strbuf_str(&sb) + 3992, "998,999,", 9);
	strbuf_reset(&sb);
	assert_string_equal(strbuf_str(&sb), "");
	strbuf_puts(&sb, "ab");
	strbuf_putc(&sb, 'c');
	strbuf_add(&sb, "d\0e", 3);
	assert_int_equal(sb.len, 6);
	assert_memory_equal(sb.data, "abcd\0e", 7);
	text = strbuf_detach(&sb);
	assert_string_equal(text, "abcd");
	free(text);
	assert_null(sb.data);
	text = strbuf_detach(&sb);
	assert_string_equal(text, "");
	free(text);
	strbuf_printf(&sb, "%0200d", 7); /* larger than the first buffer */
	assert_int_equal(sb.len, 200);
	strbuf_free(&sb);
	assert_int_equal(sb.len, 0);
}

static const char *nearest(const char *word)
{
	struct suggest s = { .word = word };

	suggest_try(&s, "context_switch");
	suggest_try(&s, "wakeup");
	suggest_try(&s, "exit");
	return s.best;
}

static void test_suggest(void **state)
{
	assert_string_equal(nearest("contextswitch"), "context_switch");
	assert_string_equal(nearest("wakup"), "wakeup");
	assert_string_equal(nearest("waekup"), "wakeup");
	assert_string_equal(nearest("exti"), "exit");
	assert_null(nearest("memory"));
	assert_null(nearest("x"));
	assert_null(nearest(""));
}

static void test_hash64(void **state)
{
	struct hash64 h;
	u8 bytes[131];

	/* XXH64's published values */
	assert_int_equal(hash64("", 0, 0), 0xef46db3751d8e999);
	assert_int_equal(hash64("abc", 3, 0), 0x44bc2cf5ad770999);
	hash64_init(&h, 5);
	hash64_add(&h, "a", 1);
	hash64_add(&h, NULL, 0);
	hash64_value(&h);
	hash64_add(&h, "bc", 2);
	assert_int_equal(hash64_value(&h), hash64("abc", 3, 5));
	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 37);
	hash64_init(&h, 7);
	hash64_add(&h, bytes, 64);
	hash64_add32(&h, bytes + 64, 2);
	assert_int_equal(hash64_value(&h), hash64(bytes, 128, 7));
	hash64_add(&h, bytes + 128, 3);
	assert_int_equal(hash64_value(&h), hash64(bytes, 131, 7));
	assert_int_not_equal(hash64("abc", 3, 5), hash64("abc", 3, 6));
}

static void write_file(char *path, const char *text)
{
	int fd;

	strcpy(path, "/tmp/vrt-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void test_sha256(void **state)
{
	char hex[SHA256_HEX_SIZE], path[32];
	u8 digest[SHA256_BYTES];
	struct hash_sha256 h;

	/* FIPS 180-2, B.1 */
	hash_sha256_init(&h);
	hash_sha256_add(&h, "a", 1);
	hash_sha256_add(&h, "bc", 2);
	hash_sha256_final(&h, digest);
	hash_sha256_hex(digest, hex);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	write_file(path, "abc");
	memset(hex, 0, sizeof(hex));
	assert_int_equal(hash_sha256_file(path, hex), 0);
	assert_memory_equal(hex, "ba7816bf", 8);
	unlink(path);
	assert_int_equal(hash_sha256_file(path, hex), -ENOENT);
}

static void check_json_error(const char *text, const char *where, const char *what)
{
	char err[200] = "";
	int code = 0;

	assert_null(json_text_load("f.json", text, strlen(text), err, sizeof(err), &code));
	assert_int_equal(code, -EINVAL);
	if (strncmp(err, where, strlen(where)) || !strstr(err, what))
		fail_msg("\"%s\" is not at %s or does not say \"%s\"", err, where, what);
}

static void test_json_errors(void **state)
{
	check_json_error("", "f.json:1:1:", "ends too early");
	check_json_error("{ \"a\": 1,\n  \"b\": }", "f.json:2:8:", "not valid JSON");
	check_json_error("{ \"a\": [1, 2", "f.json:1:13:", "ends too early");
	check_json_error("{}\n{}", "f.json:2:1:", "");
	check_json_error("null", "f.json:1:", "empty");
	check_json_error("{ \"a\": 1, }", "f.json:1:", "not valid JSON");
}

static void test_json_file(void **state)
{
	struct json_object *root, *a;
	char path[32], err[200] = "";
	int code = 1;

	write_file(path, " { \"a\": 5 }\n");
	root = json_file_load(path, err, sizeof(err), &code);
	assert_non_null(root);
	assert_int_equal(code, 0);
	assert_true(json_object_object_get_ex(root, "a", &a));
	assert_int_equal(json_object_get_int(a), 5);
	json_object_put(root);
	unlink(path);
	assert_null(json_file_load(path, err, sizeof(err), &code));
	assert_int_equal(code, -ENOENT);
	assert_non_null(strstr(err, "No such file"));
	assert_null(json_file_load("/tmp", err, sizeof(err), &code));
	assert_int_equal(code, -EISDIR);
}

static void test_vrt_error(void **state)
{
	char err[8];

	assert_int_equal(vrt_error(err, sizeof(err), -EINVAL, "%s", "a long message"), -EINVAL);
	assert_string_equal(err, "a long ");
	assert_int_equal(vrt_error(NULL, 0, -ENOENT, "x"), -ENOENT);
}

static void test_times(void **state)
{
	u64 ns;
	char buf[32];

	assert_int_equal(parse_time("15", NSEC_PER_USEC, &ns), 2);
	assert_int_equal(ns, 15 * NSEC_PER_USEC);
	assert_int_equal(parse_time("1.5ms,", NSEC_PER_USEC, &ns), 5);
	assert_int_equal(ns, 1500 * NSEC_PER_USEC);
	assert_int_equal(parse_time("0.000000001s", 0, &ns), 12);
	assert_int_equal(ns, 1);
	assert_int_equal(parse_time("86400s", 0, &ns), 6);
	assert_int_equal(ns, 86400 * NSEC_PER_SEC);
	assert_int_equal(parse_time("99999999999999999999s", 0, &ns), 21);
	assert_int_equal(ns, ~0ULL);
	assert_int_equal(parse_time("15", 0, &ns), 0);
	assert_int_equal(parse_time("us", NSEC_PER_USEC, &ns), 0);
	assert_int_equal(parse_time("-1us", NSEC_PER_USEC, &ns), 0);
	assert_string_equal(format_time(0, buf, sizeof(buf)), "0ns");
	assert_string_equal(format_time(1500, buf, sizeof(buf)), "1.5us");
	assert_string_equal(format_time(100 * NSEC_PER_MSEC, buf, sizeof(buf)), "100ms");
	assert_string_equal(format_time(3600 * NSEC_PER_SEC, buf, sizeof(buf)), "3600s");
}

static void test_durations(void **state)
{
	u64 ns;

	assert_int_equal(parse_duration("10s", &ns), 0);
	assert_int_equal(ns, 10000000000);
	assert_int_equal(parse_duration("2m", &ns), 0);
	assert_int_equal(ns, 120000000000);
	assert_int_equal(parse_duration("0.5us", &ns), 0);
	assert_int_equal(ns, 500);
	assert_int_not_equal(parse_duration("5", &ns), 0);
	assert_int_not_equal(parse_duration("5 s", &ns), 0);
	assert_int_not_equal(parse_duration("s", &ns), 0);
	assert_int_not_equal(parse_duration("-1s", &ns), 0);
	assert_int_not_equal(parse_duration("999999999999999999m", &ns), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strbuf),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_hash64),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_json_errors),
		cmocka_unit_test(test_json_file),
		cmocka_unit_test(test_vrt_error),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
