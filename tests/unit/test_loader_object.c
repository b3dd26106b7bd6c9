// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening objects: what is refused and in which words, compiling sources,
 * settings of every kind, and what is filled in by itself.
 */
#include "loader_fixture.h"

#include <elf.h>
#include <sys/stat.h>

#include "../../src/loader/internal.h"

static char warnings[4096];
static struct loader_error error;

static void warn(const char *line, void *arg)
{
	assert_ptr_equal(arg, warnings);
	strncat(warnings, line, sizeof(warnings) - strlen(warnings) - 1);
	strncat(warnings, "\n", sizeof(warnings) - strlen(warnings) - 1);
}

static int forget(void **state)
{
	loader_error_free(&error);
	warnings[0] = '\0';
	return 0;
}

static struct loader *open_with(const char *path, const struct loader_options *opts)
{
	loader_error_free(&error);
	return loader_open(path, opts, warn, warnings, &error);
}

static void assert_refused(const char *path, enum loader_status status, const char *words)
{
	assert_null(open_with(path, NULL));
	assert_int_equal(error.status, status);
	if (!strstr(error.message, words))
		fail_msg("'%s' does not say '%s'", error.message, words);
	/* which file it is about */
	assert_non_null(strstr(error.message, path));
}

static const char *write_source(const char *name, const char *text)
{
	return write_file(name, text, strlen(text));
}

/* --- what is no object -------------------------------------------------------- */

static void test_no_file(void **state)
{
	assert_refused("/nowhere/x.bpf.o", LOADER_ERR_USAGE, "no such file");
	assert_refused("/nowhere/x.bpf.c", LOADER_ERR_USAGE, "no such file");
	assert_refused(test_dir, LOADER_ERR_USAGE, "is a directory");
	assert_refused("/dev/null", LOADER_ERR_USAGE, "not a regular file");
}

static void test_no_elf(void **state)
{
	assert_refused(write_file("empty.bpf.o", "", 0), LOADER_ERR_OBJECT, "is empty");
	assert_refused(write_source("text.bpf.o", "int main;"), LOADER_ERR_OBJECT, "text, not an ELF object");
	assert_refused(write_file("bc.bpf.o", "BC\xc0\xde\x35\x14\0\0", 8), LOADER_ERR_OBJECT, "bitcode");
	assert_refused(write_file("data.bpf.o", "\x01\x02\x03\x04", 4), LOADER_ERR_OBJECT, "not an ELF file");
	assert_refused(write_file("short.bpf.o", "\x7f" "ELF\x02\x01\x01", 7), LOADER_ERR_OBJECT,
		       "ends inside its ELF header");
	assert_refused("/proc/self/exe", LOADER_ERR_OBJECT, "another machine");
}

/* A compiled object in memory, to be damaged. */
static char *read_object(const char *source, size_t *size)
{
	static const char *const base =
		"clang-19 --target=bpf -O2 -c %s -o %s/made.bpf.o %s";
	char command[1024], path[256];
	struct stat st;
	char *data;
	FILE *f;

	snprintf(command, sizeof(command), base, *size ? "-g" : "", test_dir,
		 write_source("made.bpf.c", source));
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/made.bpf.o", test_dir);
	assert_int_equal(stat(path, &st), 0);
	data = malloc((size_t)st.st_size);
	f = fopen(path, "r");
	*size = fread(data, 1, (size_t)st.st_size, f);
	fclose(f);
	assert_int_equal(*size, st.st_size);
	return data;
}

static const char minimal[] =
	"__attribute__((section(\"syscall\"))) int prog(void *ctx) { return 0; }\n"
	"char _license[] __attribute__((section(\"license\"))) = \"GPL\";\n";

static void test_damaged(void **state)
{
	size_t size = 1;
	char *data = read_object(minimal, &size);
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)data;

	/* whatever is cut off, it is noticed */
	for (size_t cut = 64; cut < size; cut += 61)
		assert_refused(write_file("cut.bpf.o", data, cut), LOADER_ERR_OBJECT, "truncated");
	ehdr->e_machine = EM_X86_64;
	assert_refused(write_file("x86.bpf.o", data, size), LOADER_ERR_OBJECT, "another machine");
	ehdr->e_machine = EM_BPF;
	ehdr->e_type = ET_EXEC;
	assert_refused(write_file("exec.bpf.o", data, size), LOADER_ERR_OBJECT, "linked file");
	ehdr->e_type = ET_REL;
	ehdr->e_ident[EI_DATA] = ELFDATA2MSB;
	assert_refused(write_file("big.bpf.o", data, size), LOADER_ERR_OBJECT, "little-endian");
	free(data);
}

/* --- damaged types ------------------------------------------------------------ */

static const char with_table[] =
	"typedef unsigned number;\n"
	"struct my_ops { number first; number second; };\n"
	"__attribute__((section(\"syscall\"))) int prog(void *ctx) { return 0; }\n"
	"__attribute__((section(\".struct_ops.link\"))) struct my_ops table = { 1, 2 };\n"
	"char _license[] __attribute__((section(\"license\"))) = \"GPL\";\n";

/* The type of @name in an object's BTF, in place; without a name, type @id_or_kind. */
static struct btf_type *find_type(char *data, size_t size, const char *name, u32 id_or_kind)
{
	struct image image = { data, size };
	size_t btf_size;
	u32 raw_size;
	const char *section = image_section(&image, ".BTF", &btf_size);
	struct btf *btf = btf__new(section, (u32)btf_size);
	s32 id = name ? btf__find_by_name_kind(btf, name, id_or_kind) : (s32)id_or_kind;
	ptrdiff_t at;

	assert_true(id > 0);
	at = (const char *)btf__type_by_id(btf, (u32)id) -
	     (const char *)btf__raw_data(btf, &raw_size);
	btf__free(btf);
	return (struct btf_type *)(data + (section - data) + at);
}

static void assert_damaged(char *data, size_t size, u32 *word, u32 value, const char *words)
{
	u32 old = *word;

	*word = value;
	assert_refused(write_file("damaged.bpf.o", data, size), LOADER_ERR_OBJECT, words);
	*word = old;
}

static void test_damaged_types(void **state)
{
	size_t size = 1;
	char *data = read_object(with_table, &size);
	struct btf_type *ops = find_type(data, size, "my_ops", BTF_KIND_STRUCT);
	struct btf_type *number = find_type(data, size, "number", BTF_KIND_TYPEDEF);
	struct btf_type *sec = find_type(data, size, ".struct_ops.link", BTF_KIND_DATASEC);
	struct btf_type *prog = find_type(data, size, "prog", BTF_KIND_FUNC);
	struct btf_var_secinfo *info = btf_var_secinfos(sec);
	struct btf_type *proto = find_type(data, size, NULL, prog->type);

	assert_damaged(data, size, &btf_members(ops)[1].offset, 40,
		       "member 'second' of the operations table 'table' reaches beyond the 8 bytes of 'struct my_ops'");
	assert_damaged(data, size, &ops->size, 1U << 30,
		       "'table' (1073741824 bytes at 0) reaches beyond the 8 bytes of section .struct_ops.link");
	assert_damaged(data, size, &info->offset, UINT32_MAX - 3, "at 4294967292) reaches beyond");
	assert_damaged(data, size, &info->type, btf_members(ops)[0].type,
		       "has 'number', which is no variable of a struct type");
	/* a typedef of itself: the members before it */
	assert_damaged(data, size, &number->type, btf_members(ops)[0].type, "leads back to itself");
	assert_damaged(data, size, &proto->type, 9999, "refers to type 9999 of ");
	free(data);
}

static void test_section_twice(void **state)
{
	size_t size = 1;
	char *data = read_object(with_table, &size);
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)data;
	Elf64_Shdr *sh = (Elf64_Shdr *)(data + ehdr->e_shoff);
	struct image image = { data, size };
	size_t table_size;
	const char *table = image_section(&image, ".struct_ops.link", &table_size);
	u32 i = 0;

	while (data + sh[i].sh_offset != table || !sh[i].sh_size)
		i++;
	/* the one before it is called the same from now on */
	assert_true(sh[i - 1].sh_size > 0);
	sh[i - 1].sh_name = sh[i].sh_name;
	assert_refused(write_file("twice.bpf.o", data, size), LOADER_ERR_OBJECT,
		       "has two sections .struct_ops.link");
	free(data);
}

/* What libbpf passes over is not why it gives up. */
static void test_reason_of_libbpf(void **state)
{
	static const char odd[] =
		"extern int nowhere(int);\n"
		"int odd_data __attribute__((section(\"oddities\"))) = 1;\n"
		"__attribute__((section(\"syscall\"))) int prog(void *ctx) { return nowhere(odd_data); }\n";

	assert_refused(write_source("odd.bpf.c", odd), LOADER_ERR_OBJECT, "nowhere");
	assert_null(strstr(error.message, "skipping"));
}

static void test_without_btf(void **state)
{
	size_t size = 0;
	char *data = read_object(minimal, &size);

	assert_refused(write_file("plain.bpf.o", data, size), LOADER_ERR_OBJECT, "clang -g");
	free(data);
}

/* Damage anywhere may be refused or not, but never does harm. */
static void test_flipped_bytes(void **state)
{
	static const struct loader_options any = { .any_object = true };
	size_t size = 1;
	char *data = read_object(minimal, &size);
	struct loader *l;

	for (size_t i = 0; i < size; i += 7) {
		data[i] ^= 0x55;
		l = open_with(write_file("flip.bpf.o", data, size), &any);
		loader_close(l);
		data[i] ^= 0x55;
	}
	free(data);
}

static void test_nothing_in_it(void **state)
{
	static const struct loader_options any = { .any_object = true };
	struct loader *l;

	assert_refused(write_source("empty.bpf.c", "int x = 1;\n"), LOADER_ERR_OBJECT, "no BPF programs");
	assert_refused(write_source("min.bpf.c", minimal), LOADER_ERR_OBJECT, "nothing that would run");
	l = open_with(write_source("min.bpf.c", minimal), &any);
	assert_non_null(l);
	assert_string_equal(loader_name(l), "");
	loader_close(l);
}

/* --- compiling ------------------------------------------------------------------ */

static void test_compile_error(void **state)
{
	const char *path = write_source("wrong.bpf.c", "int f(void)\n{\n\treturn y;\n}\n");

	assert_null(open_with(path, NULL));
	assert_int_equal(error.status, LOADER_ERR_COMPILE);
	/* as clang says it, with the user's own path */
	assert_non_null(strstr(error.message, "wrong.bpf.c:3:9: error: use of undeclared identifier 'y'"));
	assert_non_null(strstr(error.message, path));
	assert_null(open_with(write_source("inc.bpf.c", "#include \"no_such.h\"\n"), NULL));
	assert_non_null(strstr(error.message, "'no_such.h' file not found"));
}

static void test_no_compiler(void **state)
{
	char *path = strdup(getenv("PATH")), *include = strdup(getenv("VRT_INCLUDE"));

	setenv("PATH", "/nowhere", 1);
	assert_refused(write_source("min.bpf.c", minimal), LOADER_ERR_COMPILE, "no clang found");
	setenv("PATH", path, 1);
	setenv("VRT_INCLUDE", "", 1);
	assert_refused(write_source("min.bpf.c", minimal), LOADER_ERR_COMPILE, "set VRT_INCLUDE");
	setenv("VRT_INCLUDE", include, 1);
	free(path);
	free(include);
}

/* --- settings ---------------------------------------------------------------------- */

static const char variables[] =
	"#include \"vmlinux.h\"\n"
	"#include <bpf/bpf_helpers.h>\n"
	"#define RESIZABLE(sec, arr) arr[1] SEC(\".\" #sec \".\" #arr)\n"
	"enum color { RED = 1, GREEN = 2, BLUE = 0x10 };\n"
	"struct inner { u8 small; s16 medium; union { u32 word; u16 half; }; };\n"
	"const volatile u32 nr_cpu_ids = 1;\n"
	"const volatile bool smt_enabled;\n"
	"const volatile u32 nr_siblings_per_core, nr_ccx, nr_numa, nr_cores_per_numa;\n"
	"const volatile bool enable_bpf_printd;\n"
	"const volatile u64 slice_ns;\n"
	"const volatile u64 __SCX_OPS_SWITCH_PARTIAL __attribute__((weak));\n"
	"const volatile u64 __SCX_DSQ_LOCAL_ON __attribute__((weak));\n"
	"const volatile u64 __SCX_NOT_IN_THIS_KERNEL __attribute__((weak)) = 5;\n"
	"const volatile u32 tunable = 3;\n"
	"const volatile u32 uei_dump_len;\n"
	"char RESIZABLE(data, uei_dump);\n"
	"u64 RESIZABLE(data, per_cpu);\n"
	"struct { u32 a, b; } RESIZABLE(bss, zeroes);\n"
	"struct inner cfg = { .small = 1 };\n"
	"struct { u32 low : 3, mid : 10; s32 neg : 5; } bits;\n"
	"s32 number = -7;\n"
	"u8 byte;\n"
	"bool flag;\n"
	"enum color paint;\n"
	"u64 big;\n"
	"u16 table[4] = { 1, 2, 3, 4 };\n"
	"char label[8] = \"old\";\n"
	"u32 *pointer;\n"
	"static volatile u32 hidden = 3;\n"
	"SEC(\"struct_ops/v_init\") s32 v_init(void *ctx)\n"
	"{\n"
	"	return hidden + tunable + nr_cpu_ids + smt_enabled + slice_ns + __SCX_OPS_SWITCH_PARTIAL +\n"
	"		__SCX_DSQ_LOCAL_ON + __SCX_NOT_IN_THIS_KERNEL + uei_dump_len;\n"
	"}\n"
	"SEC(\".struct_ops.link\")\n"
	"struct sched_ext_ops v_ops = { .init = (void *)v_init, .exit_dump_len = 1000, .name = \"v\" };\n"
	"char _license[] SEC(\"license\") = \"GPL\";\n";

static struct loader *open_set(const char *const *set, u32 nr)
{
	struct loader_options opts = { .set = set, .nr_set = nr };

	return open_with(write_source("variables.bpf.c", variables), &opts);
}

/* The value before load. */
static s64 initial(struct loader *l, const char *path)
{
	struct variable var;
	char err[256];

	if (!find_path(l, path, &var, err, sizeof(err)))
		fail_msg("%s", err);
	assert_true(is_integer(l->btf, &var));
	return get_integer(l->btf, &var, variable_data(&var));
}

static void test_machine_variables(void **state)
{
	struct loader *l = open_set(NULL, 0);
	struct variable var;

	assert_non_null(l);
	assert_string_equal(loader_name(l), "v_ops");
	assert_int_equal(initial(l, "nr_cpu_ids"), NR_CPUS);
	assert_int_equal(initial(l, "smt_enabled"), 0);
	assert_int_equal(initial(l, "nr_siblings_per_core"), 1);
	assert_int_equal(initial(l, "slice_ns"), 20000000);
	assert_int_equal(initial(l, "__SCX_OPS_SWITCH_PARTIAL"), 8);
	assert_int_equal(initial(l, "__SCX_DSQ_LOCAL_ON"), 0xcULL << 60);
	assert_int_equal(initial(l, "__SCX_NOT_IN_THIS_KERNEL"), 0);
	assert_int_equal(initial(l, "uei_dump_len"), 1000);
	assert_true(find_variable(l, "uei_dump", &var));
	assert_int_equal(bpf_map__value_size(var.map), 1000);
	assert_true(find_variable(l, "per_cpu", &var));
	assert_int_equal(bpf_map__value_size(var.map), NR_CPUS * 8);
	assert_int_equal(initial(l, "per_cpu[3]"), 0);
	assert_true(find_variable(l, "zeroes", &var));
	assert_int_equal(bpf_map__value_size(var.map), NR_CPUS * 8);
	/* only what nobody has set is worth a word */
	assert_string_equal(warnings,
			    "constants left at their defaults: tunable (VAR=VALUE sets them)\n");
	loader_close(l);
}

static void test_topology(void **state)
{
	struct topology topo;
	char err[256];
	struct loader_options opts = { .topology = &topo };
	struct loader *l;

	assert_int_equal(topology_parse(&topo, "2x4x2", err, sizeof(err)), 0);
	l = open_with(write_source("variables.bpf.c", variables), &opts);
	assert_int_equal(initial(l, "nr_cpu_ids"), 16);
	assert_int_equal(initial(l, "smt_enabled"), 1);
	/* the names of ghOSt's topology.bpf.h */
	assert_int_equal(initial(l, "nr_siblings_per_core"), 2);
	assert_int_equal(initial(l, "nr_ccx"), 2);
	assert_int_equal(initial(l, "nr_numa"), 2);
	assert_int_equal(initial(l, "nr_cores_per_numa"), 4);
	assert_int_equal(initial(l, "enable_bpf_printd"), 1);
	loader_close(l);
	topology_free(&topo);
	nr_cpu_ids = NR_CPUS;
}

static void test_set(void **state)
{
	static const char *const set[] = {
		"tunable=0x20", "number=-12", "byte=255", "flag=yes", "paint=BLUE",
		"big=18446744073709551615", "cfg.medium=-3", "cfg.half=513", "table[2]=99",
		"bits.mid=1023", "bits.neg=-16", "label=new", "v_ops.timeout_ms=2000",
		"v_ops.flags=SCX_OPS_ENQ_LAST|SCX_OPS_SWITCH_PARTIAL", "v_ops.name=other",
		"v_ops.exit_dump_len=64", "nr_cpu_ids=2", "zeroes[3].b=5", "paint=RED|GREEN",
	};
	struct loader *l = open_set(set, ARRAY_SIZE(set));
	struct variable var;

	if (!l)
		fail_msg("%s", error.message);
	assert_int_equal(initial(l, "tunable"), 32);
	assert_int_equal(initial(l, "number"), -12);
	assert_int_equal(initial(l, "byte"), 255);
	assert_int_equal(initial(l, "flag"), 1);
	assert_int_equal(initial(l, "paint"), 3);
	assert_int_equal(initial(l, "big"), -1);
	assert_int_equal(initial(l, "cfg.small"), 1);
	assert_int_equal(initial(l, "cfg.medium"), -3);
	assert_int_equal(initial(l, "cfg.word"), 513);
	assert_int_equal(initial(l, "table[1]"), 2);
	assert_int_equal(initial(l, "table[2]"), 99);
	assert_int_equal(initial(l, "bits.low"), 0);
	assert_int_equal(initial(l, "bits.mid"), 1023);
	assert_int_equal(initial(l, "bits.neg"), -16);
	assert_int_equal(initial(l, "v_ops.timeout_ms"), 2000);
	assert_int_equal(initial(l, "v_ops.flags"), 10);
	assert_int_equal(initial(l, "uei_dump_len"), 64);
	/* the user's word against the machine's */
	assert_int_equal(initial(l, "nr_cpu_ids"), 2);
	assert_int_equal(initial(l, "zeroes[3].b"), 5);
	assert_true(find_variable(l, "label", &var));
	assert_memory_equal(variable_data(&var), "new\0\0\0\0\0", 8);
	assert_true(find_path(l, "v_ops.name", &var, NULL, 0));
	assert_string_equal(variable_data(&var), "other");
	assert_string_equal(warnings, "");
	loader_close(l);
}

static void test_set_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "tunable", "expected VAR=VALUE" },
		{ "=3", "expected VAR=VALUE" },
		{ "tunabel=3", "did you mean 'tunable'?" },
		{ "v_opz.timeout_ms=3", "did you mean 'v_ops'?" },
		{ "unheard_of_name=3", "no global variable 'unheard_of_name'" },
		{ "hidden=3", "remove the 'static'" },
		{ "tunable=4294967296", "holds 0 to 4294967295" },
		{ "tunable=-1", "holds 0 to 4294967295" },
		{ "number=2147483648", "holds -2147483648 to 2147483647" },
		{ "number=99999999999999999999", "64 bits" },
		{ "byte=256", "holds 0 to 255" },
		{ "bits.neg=16", "holds -16 to 15" },
		{ "tunable=12x", "no integer" },
		{ "tunable=many", "no number" },
		{ "flag=2", "true or false" },
		{ "paint=GREN", "did you mean GREEN?" },
		{ "number=-1|2", "'|'" },
		{ "label=too long a text", "holds 7 characters" },
		{ "cfg=3", "'cfg.small=...'" },
		{ "table=3", "'table[0]=...'" },
		{ "pointer=3", "neither an integer nor text" },
		{ "cfg.meduim=3", "did you mean 'medium'?" },
		{ "number.x=3", "'number' is no struct" },
		{ "number[0]=3", "'number' is no array" },
		{ "table[4]=3", "4 elements" },
		{ "table[x]=3", "expected '.field' or '[index]'" },
		{ "table[1=3", "expected an index and ']'" },
		{ "cfg..small=3", "expected '.field'" },
		{ "v_ops.init=3", "is an operation" },
		{ "v_ops.timeout=3", "has no field 'timeout'" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_null(open_set(&cases[i][0], 1));
		assert_int_equal(error.status, LOADER_ERR_USAGE);
		if (!strstr(error.message, cases[i][1]))
			fail_msg("--set %s: '%s' does not say '%s'", cases[i][0], error.message,
				 cases[i][1]);
	}
}

static void test_init_program_names(void **state)
{
	static const char *const none[] = { "prog_init" }, *const wrong[] = { "v_init" };
	struct loader_options opts = { .init_progs = none, .nr_init_progs = 1 };
	const char *path = write_source("variables.bpf.c", variables);

	assert_null(open_with(path, &opts));
	assert_non_null(strstr(error.message, "has no program 'prog_init'"));
	opts.init_progs = wrong;
	assert_null(open_with(path, &opts));
	assert_non_null(strstr(error.message, "only SEC(\"syscall\")"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_file, forget, forget),
		cmocka_unit_test_setup_teardown(test_no_elf, forget, forget),
		cmocka_unit_test_setup_teardown(test_damaged, forget, forget),
		cmocka_unit_test_setup_teardown(test_damaged_types, forget, forget),
		cmocka_unit_test_setup_teardown(test_section_twice, forget, forget),
		cmocka_unit_test_setup_teardown(test_reason_of_libbpf, forget, forget),
		cmocka_unit_test_setup_teardown(test_without_btf, forget, forget),
		cmocka_unit_test_setup_teardown(test_flipped_bytes, forget, forget),
		cmocka_unit_test_setup_teardown(test_nothing_in_it, forget, forget),
		cmocka_unit_test_setup_teardown(test_compile_error, forget, forget),
		cmocka_unit_test_setup_teardown(test_no_compiler, forget, forget),
		cmocka_unit_test_setup_teardown(test_machine_variables, forget, forget),
		cmocka_unit_test_setup_teardown(test_topology, forget, forget),
		cmocka_unit_test_setup_teardown(test_set, forget, forget),
		cmocka_unit_test_setup_teardown(test_set_refused, forget, forget),
		cmocka_unit_test_setup_teardown(test_init_program_names, forget, forget),
	};

	return cmocka_run_group_tests_name("object", tests, machine_setup, machine_teardown);
}
