// SPDX-License-Identifier: GPL-2.0-only
/* Looking into loaded maps: contents as text, and global variables at work. */
#include "loader_fixture.h"

#include <errno.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "../../src/loader/facade.h"
#include "../../src/loader/internal.h"

static struct loader_error error;
static struct loader *loader;

static const char text[] =
	"#include \"vmlinux.h\"\n"
	"#include <bpf/bpf_helpers.h>\n"
	"char _license[] SEC(\"license\") = \"GPL\";\n"
	"enum color { RED = 1, GREEN = 2, DARK = -1 };\n"
	"struct who { u32 pid; char comm[8]; };\n"
	"struct inner { s16 x; u8 raw[3]; };\n"
	"struct all {\n"
	"	s8 small; bool flag; enum color paint; u64 addr; u32 *ptr;\n"
	"	u32 low : 3, mid : 10; s32 neg : 5;\n"
	"	union { u32 word; u16 half; };\n"
	"	struct inner in[3]; struct inner none; char text[8];\n"
	"};\n"
	"struct cpu { u64 current; u32 seq; };\n"
	"struct cpus { struct cpu e[16]; };\n"
	"#define MAP(name, t, k, v, n, f) struct { __uint(type, BPF_MAP_TYPE_##t); \\\n"
	"	__uint(max_entries, n); __uint(map_flags, f); __type(key, k); __type(value, v); } \\\n"
	"	name SEC(\".maps\")\n"
	"MAP(counts, HASH, struct who, u64, 100, 0);\n"
	"MAP(by_number, LRU_HASH, s32, u32, 100, 0);\n"
	"MAP(things, ARRAY, u32, struct all, 8, 0);\n"
	"MAP(shared, ARRAY, u32, struct all, 8, BPF_F_MMAPABLE);\n"
	"MAP(cpu_data, ARRAY, u32, struct cpus, 1, BPF_F_MMAPABLE);\n"
	"MAP(per_cpu, PERCPU_ARRAY, u32, s64, 4, 0);\n"
	"MAP(per_cpu_hash, PERCPU_HASH, u32, struct inner, 4, 0);\n"
	"struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __uint(key_size, 3);\n"
	"	 __uint(value_size, 5); } bytes SEC(\".maps\");\n"
	"struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 4); __type(value, u32); }\n"
	"	queue SEC(\".maps\");\n"
	"struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } rb SEC(\".maps\");\n"
	"bool initialized; u32 nr = 7; struct { u8 batch; s16 level; } cfg;\n"
	"const volatile u32 fixed = 3;\n"
	"SEC(\"syscall\") int prog(void *ctx)\n"
	"{\n"
	"	return initialized + nr + cfg.batch + cfg.level + fixed;\n"
	"}\n";

/* As the object's. */
struct who {
	u32 pid;
	char comm[8];
};

struct inner {
	s16 x;
	u8 raw[3];
};

struct all {
	s8 small;
	bool flag;
	s32 paint;
	u64 addr;
	u64 ptr;
	u32 low : 3, mid : 10;
	s32 neg : 5;
	union {
		u32 word;
		u16 half;
	};
	struct inner in[3], none;
	char text[8];
};

static int setup(void **state)
{
	static const struct loader_options any = { .any_object = true };

	if (machine_setup(state))
		return -1;
	loader = loader_open(write_file("t.bpf.c", text, strlen(text)), &any, NULL, NULL, &error);
	if (!loader)
		fail_msg("%s", error.message);
	if (loader_load(loader, &error) != LOADER_OK)
		fail_msg("%s", error.message);
	return 0;
}

static int teardown(void **state)
{
	loader_close(loader);
	loader_error_free(&error);
	return machine_teardown(state);
}

static int map_fd(const char *name)
{
	return bpf_object__find_map_fd_by_name(loader->obj, name);
}

static void put(const char *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(map_fd(map), key, value, BPF_ANY), 0);
}

static const char *symbol(u64 address)
{
	return address == 0xffff1000 ? "do_exit" : NULL;
}

static void assert_prints(const char *map, const char *expected)
{
	struct strbuf out = {};

	assert_int_equal(loader_print_map(loader, map, symbol, &out), 0);
	assert_string_equal(strbuf_str(&out), expected);
	strbuf_free(&out);
}

/* --- maps ----------------------------------------------------------------------- */

static void test_hash(void **state)
{
	static const struct { struct who who; u64 n; } entries[] = {
		{ { 256, "late" }, 1 }, { { 7, "web" }, 12 }, { { 7, "db\"\\\n\1" }, 0 },
		{ { 7, "longname" }, 0xffff1000 },
	};
	static const s32 numbers[] = { 5, -3, 300, 0 };
	u32 value = 1;

	assert_prints("counts", "");
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++)
		put("counts", &entries[i].who, &entries[i].n);
	assert_prints("counts", "{.pid = 7, .comm = \"db\\\"\\\\\\n\\001\"} = 0\n"
				"{.pid = 7, .comm = \"longname\"} = do_exit\n"
				"{.pid = 7, .comm = \"web\"} = 12\n"
				"{.pid = 256, .comm = \"late\"} = 1\n");
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++)
		put("by_number", &numbers[i], &value);
	assert_prints("by_number", "-3 = 1\n0 = 1\n5 = 1\n300 = 1\n");
	put("bytes", "\3\2\1", "hello");
	put("bytes", "\1\2\3", "world");
	assert_prints("bytes", "01 02 03 = 77 6f 72 6c 64\n03 02 01 = 68 65 6c 6c 6f\n");
}

/* A full map, and more keys than the first guess. */
static void test_full_hash(void **state)
{
	struct strbuf expected = {};
	u32 value = 2;

	for (s32 i = -3; i <= 300; i++)
		bpf_map_delete_elem(map_fd("by_number"), &i);
	for (s32 i = 99; i >= 0; i--)
		put("by_number", &i, &value);
	for (u32 i = 0; i < 100; i++)
		strbuf_printf(&expected, "%u = 2\n", i);
	assert_prints("by_number", strbuf_str(&expected));
	strbuf_free(&expected);
}

#define ALL_TEXT                                                                                   \
	"{.small = -5, .flag = true, .paint = GREEN, .addr = do_exit, .ptr = 0x10, .low = 5, "      \
	".mid = 1000, .neg = -9, .word = 513, .half = 513, "                                       \
	".in = {[1] = {.x = -2, .raw = {[2] = 9}}}, .text = \"hi\"}\n"

static void test_array(void **state)
{
	struct all all = {
		.small = -5, .flag = true, .paint = 2, .addr = 0xffff1000, .ptr = 16, .low = 5,
		.mid = 1000, .neg = -9, .word = 513, .in[1] = { .x = -2, .raw = { 0, 0, 9 } },
		.text = "hi",
	};
	struct all other = { .paint = -1, .ptr = 0xffff1000, .none = { .raw = { 1, 2, 3 } } };
	u32 key = 5;

	assert_prints("things", "");
	put("things", &key, &all);
	assert_prints("things", "[5] = " ALL_TEXT);
	put("shared", &key, &all);
	key = 2;
	put("shared", &key, &other);
	assert_prints("shared",
		      "[2] = {.small = 0, .flag = false, .paint = DARK, .addr = 0, .ptr = do_exit, "
		      ".low = 0, .mid = 0, .neg = 0, .word = 0, .half = 0, "
		      ".none = {.x = 0, .raw = {1, 2, 3}}, .text = \"\"}\n"
		      "[5] = " ALL_TEXT);
}

/* What an agent writes through its mapping is what is printed. */
static void test_one_struct_of_all(void **state)
{
	struct { u64 current; u32 seq; } *cpu;
	int fd = map_fd("cpu_data");

	cpu = facade_mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(cpu, MAP_FAILED);
	cpu[3].current = 7;
	cpu[15].seq = 2;
	assert_prints("cpu_data", "[0].e[3] = {.current = 7, .seq = 0}\n"
				  "[0].e[15] = {.current = 0, .seq = 2}\n");
	facade_munmap(cpu, 4096);
}

static void test_percpu(void **state)
{
	s64 numbers[NR_CPUS] = { 5, 0, -7, 1 };
	struct { struct inner inner; char pad[2]; } values[NR_CPUS] = { [2] = { .inner.x = 3 } };
	u32 key = 1;

	put("per_cpu", &key, numbers);
	key = 3;
	numbers[3] = 3;
	put("per_cpu", &key, numbers);
	assert_prints("per_cpu", "[1] = -1 (cpu 0: 5, cpu 2: -7, cpu 3: 1)\n"
				 "[3] = 1 (cpu 0: 5, cpu 2: -7, cpu 3: 3)\n");
	put("per_cpu_hash", &key, values);
	assert_prints("per_cpu_hash", "3 cpu 2 = {.x = 3}\n");
}

static void test_sections(void **state)
{
	assert_prints(".data", "nr = 7\n");
	assert_prints(".rodata", "fixed = 3\n");
}

static void test_not_printable(void **state)
{
	struct strbuf out = {};

	assert_int_equal(loader_print_map(loader, "nowhere", NULL, &out), -ENOENT);
	assert_int_equal(loader_print_map(loader, "queue", NULL, &out), -EOPNOTSUPP);
	assert_int_equal(loader_print_map(loader, "rb", NULL, &out), -EOPNOTSUPP);
	assert_int_equal(out.len, 0);
	assert_int_equal(loader_check_map(loader, "counts", &error), LOADER_OK);
	assert_int_equal(loader_check_map(loader, "conuts", &error), LOADER_ERR_USAGE);
	assert_non_null(strstr(error.message, "has no map 'conuts' (did you mean 'counts'?); it has: counts, by_number, "));
	assert_int_equal(loader_check_map(loader, "rb", &error), LOADER_ERR_USAGE);
	assert_non_null(strstr(error.message, "'rb' is of type ringbuf, whose contents cannot be listed"));
}

/* --- variables ------------------------------------------------------------------ */

static s64 run(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int fd = bpf_program__fd(bpf_object__find_program_by_name(loader->obj, "prog"));

	assert_int_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	return (s32)opts.retval;
}

static void test_set_var(void **state)
{
	s64 value = 0;

	assert_true(loader_has_var(loader, "initialized"));
	assert_true(loader_has_var(loader, "cfg.level"));
	assert_false(loader_has_var(loader, "cfg"));
	assert_false(loader_has_var(loader, "initialised"));
	assert_int_equal(run(), 10);
	assert_int_equal(loader_set_var(loader, "initialized", 1), 0);
	assert_int_equal(run(), 11);
	assert_int_equal(loader_read_var(loader, "initialized", &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(loader_set_var(loader, "cfg.level", -20), 0);
	assert_int_equal(run(), -9);
	assert_int_equal(loader_set_var(loader, "cfg.batch", 256), -ERANGE);
	assert_int_equal(loader_set_var(loader, "cfg.batch", -1), -ERANGE);
	assert_int_equal(loader_set_var(loader, "fixed", 4), -EPERM);
	assert_int_equal(loader_set_var(loader, "nowhere", 4), -ENOENT);
	assert_int_equal(loader_set_var(loader, "cfg", 4), -ENOENT);
	assert_int_equal(run(), -9);
}

/* Damage to the object, and so to its types, may change the text but never does harm. */
static void test_damaged(void **state)
{
	static const struct loader_options any = { .any_object = true };
	static char data[1 << 18];
	char command[256], path[128];
	struct strbuf out = {};
	u32 printed = 0;
	size_t size;
	FILE *f;

	snprintf(command, sizeof(command), "cp %s/vruntime/*.bpf.o %s/whole.o", test_dir, test_dir);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/whole.o", test_dir);
	f = fopen(path, "r");
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	assert_in_range(size, 1000, sizeof(data) - 1);
	for (size_t i = 64; i < size; i += 11) {
		struct loader *l;
		struct bpf_map *map;

		data[i] ^= (char)(i * 37 | 1);
		l = loader_open(write_file("flip.bpf.o", data, size), &any, NULL, NULL, NULL);
		data[i] ^= (char)(i * 37 | 1);
		if (!l)
			continue;
		if (loader_load(l, NULL) == LOADER_OK) {
			bpf_object__for_each_map(map, l->obj)
				printed += !loader_print_map(l, bpf_map__name(map), symbol, &out);
			loader_set_var(l, "initialized", 1);
		}
		strbuf_reset(&out);
		loader_close(l);
	}
	strbuf_free(&out);
	assert_true(printed > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),	      cmocka_unit_test(test_full_hash),
		cmocka_unit_test(test_array),	      cmocka_unit_test(test_one_struct_of_all),
		cmocka_unit_test(test_percpu),	      cmocka_unit_test(test_sections),
		cmocka_unit_test(test_not_printable), cmocka_unit_test(test_set_var),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("print", tests, setup, teardown);
}
