// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of virtual machines that need none: messages, archives, kernel
 * images and the cache of kernels, with input that is damaged, too.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "../../src/base/strbuf.h"
#include "../../src/vm/bzimage.h"
#include "../../src/vm/channel.h"
#include "../../src/vm/cpio.h"
#include "../../src/vm/kernels.h"

/* --- the channel ------------------------------------------------------------------ */

static void test_channel(void **state)
{
	struct strbuf body = {};
	enum channel_type type;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(channel_receive(pair[1], 10, &type, &body), -ETIMEDOUT);
	assert_int_equal(channel_send_text(pair[0], CHANNEL_LOG, "a line"), 0);
	assert_int_equal(channel_send(pair[0], CHANNEL_RECORDS, NULL, 0), 0);
	assert_int_equal(channel_receive(pair[1], 1000, &type, &body), 0);
	assert_int_equal(type, CHANNEL_LOG);
	assert_string_equal(strbuf_str(&body), "a line");
	assert_int_equal(channel_receive(pair[1], 1000, &type, &body), 0);
	assert_int_equal(type, CHANNEL_RECORDS);
	assert_int_equal(body.len, 0);
	/* half a message, then nothing more */
	assert_int_equal(write(pair[0], "\x01\x74", 2), 2);
	close(pair[0]);
	assert_int_equal(channel_receive(pair[1], 1000, &type, &body), -EPIPE);
	close(pair[1]);
	strbuf_free(&body);
}

static void test_channel_garbage(void **state)
{
	struct channel_header too_long = { CHANNEL_MAGIC, CHANNEL_LOG, CHANNEL_MAX_BODY + 1 };
	struct strbuf body = {};
	enum channel_type type;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[0], "this is no message", 18), 18);
	assert_int_equal(channel_receive(pair[1], 1000, &type, &body), -EPROTO);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[0], &too_long, sizeof(too_long)), sizeof(too_long));
	assert_int_equal(channel_receive(pair[1], 1000, &type, &body), -EPROTO);
	close(pair[0]);
	close(pair[1]);
	strbuf_free(&body);
}

/* --- archives ------------------------------------------------------------------------ */

static u32 hex_field(const char *header, u32 index)
{
	char text[9] = "";

	memcpy(text, header + 6 + index * 8, 8);
	return (u32)strtoul(text, NULL, 16);
}

/* Read back by the format's rules: every header and every content begins at a multiple of 4. */
static void test_cpio(void **state)
{
	static const char *const names[] = { "dev", "init", "TRAILER!!!" };
	static const u32 sizes[] = { 0, 5, 0 };
	struct strbuf a = {};
	size_t at = 0;

	cpio_add(&a, "dev", S_IFDIR | 0755, NULL, 0);
	cpio_add(&a, "init", S_IFREG | 0755, "12345", 5);
	cpio_end(&a);
	for (u32 i = 0; i < 3; i++) {
		const char *h = a.data + at;

		assert_memory_equal(h, "070701", 6);
		assert_int_equal(hex_field(h, 6), sizes[i]);
		assert_int_equal(hex_field(h, 11), strlen(names[i]) + 1);
		assert_string_equal(h + 110, names[i]);
		at = ALIGN_UP(at + 110 + strlen(names[i]) + 1, 4UL);
		if (sizes[i])
			assert_memory_equal(a.data + at, "12345", 5);
		at = ALIGN_UP(at + sizes[i], 4UL);
	}
	assert_int_equal(hex_field(a.data, 1), S_IFDIR | 0755);
	assert_int_equal(at, a.len);
	strbuf_free(&a);
}

/* --- kernel images -------------------------------------------------------------------- */

static char dir[64];

static void write_image(const char *path, const void *payload, size_t size)
{
	u8 header[2 * 512] = { [0x1f1] = 1 };
	u32 offset = 0, length = (u32)size;
	FILE *f = fopen(path, "w");

	memcpy(header + 0x202, "HdrS", 4);
	memcpy(header + 0x248, &offset, 4);
	memcpy(header + 0x24c, &length, 4);
	assert_non_null(f);
	fwrite(header, sizeof(header), 1, f);
	fwrite(payload, 1, size, f);
	fclose(f);
}

static void expect_no_btf(const char *path, const char *words)
{
	char err[512] = "";

	assert_null(bzimage_btf(path, err, sizeof(err)));
	if (!strstr(err, words))
		fail_msg("expected '%s' in: %s", words, err);
}

static void test_bzimage_bad(void **state)
{
	char path[100], payload[64] = "\x1f\x8b\x08 but not really";
	FILE *f;

	snprintf(path, sizeof(path), "%s/image", dir);
	expect_no_btf(path, "No such file");
	f = fopen(path, "w");
	fputs("no image", f);
	fclose(f);
	expect_no_btf(path, "is no kernel image");
	write_image(path, "", 0);
	expect_no_btf(path, "packed in a way");
	write_image(path, "abcdefghijkl", 12);
	expect_no_btf(path, "packed in a way");
	write_image(path, payload, sizeof(payload));
	expect_no_btf(path, "is damaged");
}

/* Unpacks well, but is no kernel. */
static void test_bzimage_without_btf(void **state)
{
	u8 packed[256];
	z_stream z = { .next_in = (u8 *)"just text", .avail_in = 9, .next_out = packed,
		       .avail_out = sizeof(packed) };
	char path[100];

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	snprintf(path, sizeof(path), "%s/image", dir);
	/* gzip's stream ends with the size by itself */
	write_image(path, packed, z.total_out);
	deflateEnd(&z);
	expect_no_btf(path, "has no BTF");
}

/* A BTF with sched_ext_ops and one kfunc, whose last argument is of the type @arg. */
static struct btf *small_btf(bool with_ops, const char *kfunc, const char *arg_struct,
			     const char *arg_name)
{
	struct btf *btf = btf__new_empty();
	int target, ptr, proto;

	if (with_ops)
		btf__add_struct(btf, "sched_ext_ops", 8);
	target = btf__add_struct(btf, arg_struct, 8);
	ptr = btf__add_ptr(btf, btf__add_const(btf, target));
	proto = btf__add_func_proto(btf, 0);
	btf__add_func_param(btf, arg_name, ptr);
	btf__add_func(btf, kfunc, BTF_FUNC_STATIC, proto);
	return btf;
}

static void check_offer(struct btf *btf, int expected)
{
	char why[256] = "";

	assert_int_equal(kernel_offers_sched_ext(btf, why, sizeof(why)), expected);
	assert_int_equal(why[0] != '\0', expected != 0);
	btf__free(btf);
}

static void test_offers(void **state)
{
	check_offer(small_btf(true, "scx_bpf_kick_cpu", "task_struct", "p"), 0);
	check_offer(small_btf(true, "scx_bpf_kick_cpu", "bpf_prog_aux", "aux"), -EPROTO);
	check_offer(small_btf(true, "scx_bpf_kick_cpu", "bpf_prog_aux", "aux__prog"), 0);
	/* the implementation behind a kfunc may show it */
	check_offer(small_btf(true, "scx_bpf_kick_cpu_impl", "bpf_prog_aux", "aux"), -ENOENT);
	check_offer(small_btf(false, "scx_bpf_kick_cpu", "task_struct", "p"), -ENOENT);
	check_offer(small_btf(true, "bpf_task_acquire", "task_struct", "p"), -ENOENT);
}

/* --- the cache ---------------------------------------------------------------------------- */

static void test_releases(void **state)
{
	assert_true(release_compare("6.19.14", "6.19.6") > 0);
	assert_true(release_compare("7.0.13+deb13", "6.19.14+deb13") > 0);
	assert_true(release_compare("6.9", "6.12") < 0);
	assert_int_equal(release_compare("7.0.13", "7.0.13"), 0);
	assert_true(release_compare("7.0", "7.0.1") < 0);
	assert_true(release_matches("7.0.13+deb13-cloud-amd64", "7.0"));
	assert_true(release_matches("7.0.13+deb13-cloud-amd64", "7.0.13"));
	assert_false(release_matches("7.0.13+deb13-cloud-amd64", "7.0.1"));
	assert_false(release_matches("6.19.1", "6.1"));
}

static void test_cache(void **state)
{
	char path[100], err[1024];
	struct kernel_list list;
	char *found;

	setenv("XDG_CACHE_HOME", dir, 1);
	assert_null(kernel_find(NULL, err, sizeof(err)));
	assert_non_null(strstr(err, "vrt vm fetch"));
	snprintf(path, sizeof(path), "%s/image", dir);
	write_image(path, "abc", 3);
	assert_int_equal(kernel_store("6.19.9-x", path, NULL, err, sizeof(err)), 0);
	assert_int_equal(kernel_store("7.0.1-x", path, NULL, err, sizeof(err)), 0);
	assert_int_equal(kernel_store_refusal("7.2.0-x", "it is blue", err, sizeof(err)), 0);
	assert_int_equal(kernels_list(&list, err, sizeof(err)), 0);
	assert_int_equal(list.nr, 3);
	assert_string_equal(list.entries[0].release, "7.2.0-x");
	assert_string_equal(list.entries[0].refused, "it is blue");
	assert_null(list.entries[0].path);
	assert_string_equal(list.entries[2].release, "6.19.9-x");
	kernels_free(&list);
	/* the newest that is of use */
	found = kernel_find(NULL, err, sizeof(err));
	assert_non_null(found);
	assert_non_null(strstr(found, "7.0.1-x/vmlinuz"));
	free(found);
	found = kernel_find("6.19", err, sizeof(err));
	assert_non_null(strstr(found, "6.19.9-x"));
	free(found);
	assert_null(kernel_find("7.2", err, sizeof(err)));
	assert_non_null(strstr(err, "it is blue"));
	assert_null(kernel_find("5.4", err, sizeof(err)));
	assert_non_null(strstr(err, "7.0.1-x, 6.19.9-x"));
	found = kernel_find(path, err, sizeof(err));
	assert_string_equal(found, path);
	free(found);
	assert_null(kernel_find("/no/such/file", err, sizeof(err)));
}

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test-vm-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_channel_garbage),
		cmocka_unit_test(test_cpio),
		cmocka_unit_test(test_bzimage_bad),
		cmocka_unit_test(test_bzimage_without_btf),
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_cache),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
