// SPDX-License-Identifier: GPL-2.0-only
/* Which kernels an object fits, from what it declares strong and weak. */
#include "loader_fixture.h"

#include "../../src/loader/loader.h"

#define FITS_6_12 (1U << GENERATION_6_12)
#define FITS_7_0 (1U << GENERATION_7_0)

#define PROLOGUE                                                                                   \
	"#include <vmlinux.h>\n#include <bpf/bpf_helpers.h>\n#include <bpf/bpf_tracing.h>\n"        \
	"char _license[] SEC(\"license\") = \"GPL\";\n"
#define CONSUME "bool scx_bpf_consume(u64 dsq_id) __ksym"
#define MOVE "bool scx_bpf_dsq_move_to_local(u64 dsq_id) __ksym"
#define DISPATCH(body)                                                                             \
	"SEC(\"struct_ops/dispatch\")\n"                                                           \
	"void BPF_PROG(dispatch, s32 cpu, struct task_struct *prev)\n{\n" body "\n}\n"             \
	"SEC(\".struct_ops.link\")\n"                                                              \
	"struct sched_ext_ops ops = { .dispatch = (void *)dispatch, .name = \"x\" };\n"

static struct loader_error error;

static u32 detect(const char *text, enum loader_status status)
{
	const char *path = write_file("x.bpf.c", text, strlen(text));
	u32 fits = 0;

	loader_error_free(&error);
	if (loader_detect_generation(path, NULL, &fits, &error) != status)
		fail_msg("status %d: %s", error.status, error.message);
	return fits;
}

static u32 fits(const char *text)
{
	return detect(text, LOADER_OK);
}

static void strong(void **state)
{
	assert_int_equal(fits(PROLOGUE CONSUME ";\n" DISPATCH("scx_bpf_consume(0);")), FITS_6_12);
	assert_int_equal(fits(PROLOGUE MOVE ";\n" DISPATCH("scx_bpf_dsq_move_to_local(0);")),
			 FITS_7_0);
	assert_int_equal(fits(PROLOGUE DISPATCH("")), FITS_6_12 | FITS_7_0);
}

static void weak(void **state)
{
	assert_int_equal(fits(PROLOGUE CONSUME " __weak;\n" MOVE " __weak;\n"
			      DISPATCH("if (bpf_ksym_exists(scx_bpf_dsq_move_to_local))\n"
				       "	scx_bpf_dsq_move_to_local(0);\n"
				       "else\n	scx_bpf_consume(0);")),
			 FITS_6_12 | FITS_7_0);
	/* a strong one beside a weak one decides */
	assert_int_equal(fits(PROLOGUE CONSUME ";\n" MOVE " __weak;\n"
			      DISPATCH("if (!scx_bpf_consume(0) &&\n"
				       "    bpf_ksym_exists(scx_bpf_dsq_move_to_local))\n"
				       "	scx_bpf_dsq_move_to_local(0);")),
			 FITS_6_12);
}

/* Declared and not called: no symbol, no need. */
static void unused(void **state)
{
	assert_int_equal(fits(PROLOGUE CONSUME ";\n" MOVE ";\n" DISPATCH("scx_bpf_consume(0);")),
			 FITS_6_12);
}

static void flavors(void **state)
{
	/* libbpf takes away one suffix: the first is 7.0's insert___v2, the second dispatch */
	assert_int_equal(fits(PROLOGUE "bool scx_bpf_dsq_insert___v2___compat(struct task_struct *p,"
			      " u64 dsq_id, u64 slice, u64 enq_flags) __ksym;\n"
			      DISPATCH("if (prev) scx_bpf_dsq_insert___v2___compat(prev, 0, 0, 0);")),
			 FITS_7_0);
	assert_int_equal(fits(PROLOGUE "void scx_bpf_dispatch___old(struct task_struct *p,"
			      " u64 dsq_id, u64 slice, u64 enq_flags) __ksym;\n"
			      DISPATCH("if (prev) scx_bpf_dispatch___old(prev, 0, 0, 0);")),
			 FITS_6_12);
}

static void none(void **state)
{
	assert_int_equal(detect(PROLOGUE CONSUME ";\n" MOVE ";\n"
				DISPATCH("scx_bpf_consume(0);\nscx_bpf_dsq_move_to_local(0);"),
				LOADER_ERR_LOAD), 0);
	assert_non_null(strstr(error.message, "7.0 has no scx_bpf_consume;"));
	assert_non_null(strstr(error.message, "6.12 has no scx_bpf_dsq_move_to_local;"));
	assert_non_null(strstr(error.message, "--kernel any"));
}

/* That is for libbpf to say, with what it is near to. */
static void in_no_kernel(void **state)
{
	assert_int_equal(fits(PROLOGUE "void scx_bpf_dispach(void) __ksym;\n"
			      DISPATCH("scx_bpf_dispach();")), FITS_6_12 | FITS_7_0);
}

static void no_object(void **state)
{
	u32 fits;

	loader_error_free(&error);
	assert_int_equal(loader_detect_generation("/nowhere/x.bpf.o", NULL, &fits, &error),
			 LOADER_ERR_USAGE);
	detect("int main( {\n", LOADER_ERR_COMPILE);
}

static int teardown(void **state)
{
	loader_error_free(&error);
	return machine_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strong),
		cmocka_unit_test(weak),
		cmocka_unit_test(unused),
		cmocka_unit_test(flavors),
		cmocka_unit_test(none),
		cmocka_unit_test(in_no_kernel),
		cmocka_unit_test(no_object),
	};

	return cmocka_run_group_tests(tests, machine_setup, teardown);
}
