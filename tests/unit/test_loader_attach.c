// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where programs of ghOSt, periodic and tracing objects are attached, in which
 * order, and what is said when a place is refused. The places are made up here:
 * they note who comes and goes.
 */
#include "loader_fixture.h"

#include <errno.h>
#include <fcntl.h>

#include "../../src/bpf/link.h"
#include "../../src/bpf/prog_type.h"
#include "../../src/loader/facade.h"
#include "../../src/loader/loader.h"

static struct loader_error error;
static char warnings[4096];
static char calls[4096]; /* "+pnt " came, "-pnt " went, with what it was given */
static int refusal; /* errno of the next place that is asked for */
static int enclave; /* what an enclave's descriptor stands for */

static void note(const char *sign, const char *name)
{
	snprintf(calls + strlen(calls), sizeof(calls) - strlen(calls), "%s%s ", sign, name);
}

/* --- places --------------------------------------------------------------------- */

static void enclave_released(void *target)
{
	assert_ptr_equal(target, &enclave);
	note("", "released");
}

static const struct bpf_target_type enclave_type = { "enclave", enclave_released };
static const struct bpf_target_type other_type = { "other", NULL };

static int attach_ghost(struct bpf_prog *prog, void *target, u32 attach_type, void **state)
{
	if (refusal)
		return refusal;
	if (target != &enclave || attach_type >> 16 != 91)
		return -EINVAL;
	note("+", bpf_prog_name(prog));
	return 0;
}

static int attach_periodic(struct bpf_prog *prog, void *target, u32 attach_type, void **state)
{
	if (refusal) {
		if (refusal == -ERANGE)
			bpf_refuse("period_ns is %d", 7);
		return refusal;
	}
	assert_null(target);
	assert_int_equal(attach_type, 2100);
	note("+", bpf_prog_name(prog));
	return 0;
}

static void detach_own(struct bpf_prog *prog, void *state)
{
	note("-", bpf_prog_name(prog));
}

/* Any context will do. */
#define TYPE(number, name_, attach_, target_)                                                      \
	{ .type = number, .name = name_, .ctx = "list_head", .attach = attach_,                    \
	  .detach = detach_own, .target = target_ }

static const struct bpf_prog_type_ops types[] = {
	TYPE(1000, "ghost_sched", attach_ghost, &enclave_type),
	TYPE(1001, "ghost_msg", attach_ghost, &enclave_type),
	TYPE(1002, "ghost_select_rq", attach_ghost, &enclave_type),
	TYPE(1100, "periodic", attach_periodic, NULL),
};

static int attach_tracing(struct bpf_prog *prog, const char *name, u64 cookie, void **state)
{
	if (!strcmp(bpf_prog_name(prog), "nowhere"))
		return -ENOENT;
	note("+", bpf_prog_name(prog));
	return 0;
}

static const struct bpf_attach_ops tracing = { attach_tracing, detach_own };

static int setup(void **state)
{
	if (machine_setup(state))
		return -1;
	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		assert_int_equal(bpf_register_prog_type(&types[i]), 0);
	bpf_register_attach(&tracing);
	return 0;
}

static int forget(void **state)
{
	loader_error_free(&error);
	warnings[0] = calls[0] = '\0';
	refusal = 0;
	return 0;
}

/* --- objects -------------------------------------------------------------------- */

#define PREAMBLE                                                                                   \
	"#include \"vmlinux.h\"\n"                                                                  \
	"#include <bpf/bpf_helpers.h>\n"                                                            \
	"char _license[] SEC(\"license\") = \"GPL\";\n"
#define PROG(section, name) "SEC(\"" section "\") int " name "(void *ctx) { return 0; }\n"
#define GHOST PROG("ghost_sched/pnt", "pnt") PROG("ghost_msg/msg_send", "msg")

static void warn(const char *line, void *arg)
{
	strncat(warnings, line, sizeof(warnings) - strlen(warnings) - 1);
}

static struct loader *load(const char *text)
{
	struct loader *l;

	loader_error_free(&error);
	l = loader_open(write_file("t.bpf.c", text, strlen(text)), NULL, warn, NULL, &error);
	if (!l || loader_load(l, &error) != LOADER_OK)
		fail_msg("%s\n%s", error.message, error.log ? error.log : "");
	return l;
}

static int enclave_fd(void)
{
	int fd = bpf_target_fd(&enclave_type, &enclave);

	assert_true(fd >= 0);
	return fd;
}

static void assert_attached(struct loader *l)
{
	if (loader_attach(l, &error) != LOADER_OK)
		fail_msg("%s", error.message);
}

static void assert_not_attached(struct loader *l, const char *words)
{
	loader_error_free(&error);
	assert_int_equal(loader_attach(l, &error), LOADER_ERR_ATTACH);
	if (!strstr(error.message, words))
		fail_msg("'%s' does not say '%s'", error.message, words);
}

/* --- tests ---------------------------------------------------------------------- */

/* What looks comes first and goes last; who is in charge the other way round. */
static void test_order(void **state)
{
	struct loader *l = load(PREAMBLE GHOST PROG("periodic/1ms", "gc")
				PROG("ghost_select_rq/select_rq", "select_rq")
				PROG("tp_btf/sched_switch", "look")
				PROG("?periodic/2ms", "not_me"));

	loader_set_enclave(l, enclave_fd());
	assert_attached(l);
	assert_string_equal(calls, "+look +gc +pnt +msg +select_rq ");
	calls[0] = '\0';
	loader_detach(l);
	assert_string_equal(calls, "-select_rq -msg -pnt -gc -look ");
	calls[0] = '\0';
	/* and again, to the same enclave */
	assert_attached(l);
	assert_string_equal(calls, "+look +gc +pnt +msg +select_rq ");
	calls[0] = '\0';
	loader_close(l);
	assert_string_equal(calls, "-select_rq -msg -pnt -gc -look released ");
}

static void test_enclave(void **state)
{
	struct loader *l = load(PREAMBLE GHOST PROG("tp_btf/sched_switch", "look"));
	int fd;

	assert_not_attached(l, "program 'pnt' cannot be attached: there is no enclave");
	/* all or nothing */
	assert_string_equal(calls, "+look -look ");
	fd = bpf_target_fd(&other_type, &enclave);
	loader_set_enclave(l, fd);
	assert_not_attached(l, "'pnt' could not be attached: it is not attached where it was loaded for, or not to an enclave");
	loader_set_enclave(l, open("/dev/null", O_RDONLY | O_CLOEXEC));
	assert_not_attached(l, "or not to an enclave");
	calls[0] = '\0';
	loader_set_enclave(l, enclave_fd());
	assert_attached(l);
	/* another one is the loader's instead of the first */
	loader_detach(l);
	calls[0] = '\0';
	loader_set_enclave(l, -1);
	assert_string_equal(calls, "released ");
	loader_close(l);
}

static void test_refused(void **state)
{
	struct loader *l = load(PREAMBLE GHOST PROG("tp_btf/sched_switch", "look"));

	loader_set_enclave(l, enclave_fd());
	refusal = -EBUSY;
	assert_not_attached(l, "'pnt' could not be attached: the enclave has a program at this attach point already");
	refusal = -ENODEV;
	assert_not_attached(l, "the enclave has ended");
	refusal = -EBADF;
	assert_not_attached(l, "another version of the ghOSt ABI than 91");
	refusal = -EDQUOT;
	assert_not_attached(l, "Disk quota exceeded");
	loader_close(l);
	l = load(PREAMBLE PROG("periodic/1ms", "gc"));
	/* what the kernel says about it, but not what it said about something else */
	refusal = -ERANGE;
	assert_not_attached(l, "'gc' could not be attached: period_ns is 7");
	refusal = -ENOENT;
	assert_not_attached(l, "'gc' could not be attached: No such file");
	refusal = -ENOMEM;
	assert_not_attached(l, "the kernel is out of memory");
	loader_close(l);
}

/* An extra of a scheduler can be done without; all that there is cannot. */
static void test_unattachable(void **state)
{
	struct loader *l = load(PREAMBLE GHOST PROG("tp_btf/sched_switch", "nowhere"));

	loader_set_enclave(l, enclave_fd());
	assert_attached(l);
	assert_string_equal(calls, "+pnt +msg ");
	assert_non_null(strstr(warnings, "program 'nowhere' (SEC(\"tp_btf/sched_switch\")) will not run"));
	loader_close(l);
	l = load(PREAMBLE PROG("periodic/1ms", "gc") PROG("tp_btf/sched_switch", "nowhere"));
	assert_not_attached(l, "program 'nowhere' (SEC(\"tp_btf/sched_switch\")) could not be attached: this kernel has no such place");
	loader_close(l);
	l = load(PREAMBLE PROG("tp_btf/sched_switch", "look") PROG("kprobe/schedule", "probe"));
	assert_not_attached(l, "program 'probe' (SEC(\"kprobe/schedule\")) could not be attached: this kernel has no such place");
	loader_close(l);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, forget, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order), TEST(test_enclave), TEST(test_refused), TEST(test_unattachable),
	};

	return cmocka_run_group_tests_name("attach", tests, setup, machine_teardown);
}
