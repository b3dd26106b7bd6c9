// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks for the verdict on each test of the kernel's own verifier selftests, as
 * test_loader.c there does: what a test expects stands in tags of its BTF
 * (bpf_misc.h: __success, __failure, __msg, __retval, __flag...).
 *
 * usage: verdicts [--host] [--log] [--only PROGRAM] OBJECT...
 *	--host	ask this host's kernel instead of the runtime
 *	--log	print the log of each load to stderr
 *
 * Prints a line of JSON per test. Each runs in a process of its own, so that one
 * that ends badly is a verdict, too ("crash").
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../src/base/alloc.h"
#include "../../../src/base/strbuf.h"
#include "../../../src/loader/facade.h"
#include "../../../src/sched/kernel.h"

#define TAG "comment:test_"
#define MAX_MSGS 64
#define LOG_SIZE (16 << 20)
#define DATA_SIZE 64 /* of the packet that programs run on */
#define POINTER_VALUE 0xbadcafe /* __retval(POINTER_VALUE): any */
#define TIMEOUT_S 60

struct spec {
	const char *name, *description;
	bool failure, execute, auxiliary, privileged, unprivileged, other_arch;
	u32 flags;
	int log_level;
	long retval;
	const char *msgs[MAX_MSGS];
	u32 nr_msgs;
};

static bool on_host, print_log;
static const char *only;
static char *log_buf;

/* --- what a test expects -------------------------------------------------------------- */

static u32 flag_of(const char *name)
{
	static const struct {
		const char *name;
		u32 flag;
	} flags[] = {
		{ "BPF_F_STRICT_ALIGNMENT", BPF_F_STRICT_ALIGNMENT },
		{ "BPF_F_ANY_ALIGNMENT", BPF_F_ANY_ALIGNMENT },
		{ "BPF_F_TEST_RND_HI32", BPF_F_TEST_RND_HI32 },
		{ "BPF_F_TEST_STATE_FREQ", BPF_F_TEST_STATE_FREQ },
		{ "BPF_F_SLEEPABLE", BPF_F_SLEEPABLE },
		{ "BPF_F_XDP_HAS_FRAGS", BPF_F_XDP_HAS_FRAGS },
		{ "BPF_F_TEST_REG_INVARIANTS", BPF_F_TEST_REG_INVARIANTS },
	};

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(flags[i].name, name))
			return flags[i].flag;
	return (u32)strtoul(name, NULL, 0);
}

/* The text behind @prefix, or NULL. */
static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) ? NULL : text + len;
}

static long retval_of(const char *text)
{
	if (!strcmp(text, "POINTER_VALUE"))
		return POINTER_VALUE;
	if (!strcmp(text, "TEST_DATA_LEN"))
		return DATA_SIZE;
	return !strcmp(text, "INT_MIN") ? INT_MIN : strtol(text, NULL, 0);
}

static void read_tag(struct spec *spec, const char *tag, bool *x86, bool *arch)
{
	const char *v;

	if (!strcmp(tag, "expect_failure"))
		spec->failure = spec->privileged = true;
	else if (!strcmp(tag, "expect_success"))
		spec->privileged = true;
	else if (strstr(tag, "_unpriv"))
		spec->unprivileged = true;
	else if (!strcmp(tag, "auxiliary"))
		spec->auxiliary = true;
	else if ((v = after(tag, "description=")))
		spec->description = v;
	else if ((v = after(tag, "retval=")))
		spec->execute = spec->privileged = true,
		spec->retval = retval_of(v);
	else if ((v = after(tag, "log_level=")))
		spec->log_level = atoi(v);
	else if ((v = after(tag, "prog_flags=")))
		spec->flags = *v == '!' ? spec->flags & ~flag_of(v + 1) : spec->flags | flag_of(v);
	else if ((v = after(tag, "arch=")))
		*arch = true, *x86 |= !strcmp(v, "X86_64");
	else if ((v = after(tag, "expect_msg=")) && strchr(v, '=') && spec->nr_msgs < MAX_MSGS)
		spec->privileged = true, spec->msgs[spec->nr_msgs++] = strchr(v, '=') + 1;
}

static void read_spec(const struct btf *btf, const char *name, struct spec *spec)
{
	int func = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	bool x86 = false, arch = false;

	*spec = (struct spec){ .name = name, .description = name,
			       .flags = BPF_F_TEST_RND_HI32 | BPF_F_TEST_REG_INVARIANTS };
	for (u32 i = 1; i < btf__type_cnt(btf); i++) {
		const struct btf_type *t = btf__type_by_id(btf, i);
		const char *tag;

		if (!btf_is_decl_tag(t) || (int)t->type != func ||
		    btf_decl_tag(t)->component_idx != -1)
			continue;
		tag = after(btf__name_by_offset(btf, t->name_off), TAG);
		if (tag)
			read_tag(spec, tag, &x86, &arch);
	}
	/* without any expectation: that it loads */
	spec->privileged |= !spec->unprivileged;
	spec->other_arch = arch && !x86;
}

/* --- messages ---------------------------------------------------------------------------- */

/* What is not within {{ }} is to be taken as it is. */
static void to_regex(const char *msg, struct strbuf *out)
{
	while (*msg) {
		const char *open = strstr(msg, "{{"), *close = open ? strstr(open, "}}") : NULL;
		const char *end = close ? open : msg + strlen(msg);

		for (; msg < end; msg++) {
			if (strchr("\\^$.[|()*+?{", *msg))
				strbuf_add(out, "\\", 1);
			strbuf_add(out, msg, 1);
		}
		if (!close)
			break;
		strbuf_add(out, "(", 1);
		strbuf_add(out, open + 2, (size_t)(close - open - 2));
		strbuf_add(out, ")", 1);
		msg = close + 2;
	}
}

/* Are the messages in the log, one after the other? If not: the first that is not. */
static const char *missing_message(const struct spec *spec)
{
	const char *log = log_buf;

	for (u32 i = 0; i < spec->nr_msgs; i++) {
		struct strbuf pattern = {};
		regmatch_t match;
		regex_t regex;
		int err;

		to_regex(spec->msgs[i], &pattern);
		err = regcomp(&regex, strbuf_str(&pattern), REG_EXTENDED | REG_NEWLINE) ?:
		      regexec(&regex, log, 1, &match, 0);
		strbuf_free(&pattern);
		if (err)
			return spec->msgs[i];
		regfree(&regex);
		log += match.rm_eo;
	}
	return NULL;
}

/* --- a test ---------------------------------------------------------------------------------- */

/* Two files want something in a map before their programs run. */
static void fill_map(struct bpf_object *obj)
{
	static const char *const names[] = { "map_array_ro", "map_array_48b" };
	struct {
		unsigned int index;
		int foo[11];
	} value = { .index = (6 + 1) * sizeof(int), .foo[6] = (int)0xabcdef12 };
	int key = 0;

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, names[i]);

		if (map && bpf_map__value_size(map) == sizeof(value))
			bpf_map_update_elem(bpf_map__fd(map), &key, &value, 0);
	}
}

static void run(const struct bpf_program *prog, struct json_object *result)
{
	char in[DATA_SIZE] = {}, out[DATA_SIZE << 2] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = sizeof(in),
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);
	LIBBPF_OPTS(bpf_test_run_opts, none);
	bool syscall = bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL;
	int err = bpf_prog_test_run_opts(bpf_program__fd(prog), syscall ? &none : &opts);

	if (err)
		json_object_object_add(result, "run_errno", json_object_new_int(-err));
	else
		json_object_object_add(result, "retval",
				       json_object_new_int((int)(syscall ? none.retval :
									    opts.retval)));
}

/* Tables of operations are of no use to other programs, and not every kernel has the type. */
static void leave_out_struct_ops(struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj) {
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(map, false);
	}
}

static struct bpf_program *choose(struct bpf_object *obj, const struct spec *spec)
{
	struct bpf_program *prog, *chosen = NULL;

	bpf_object__for_each_program(prog, obj) {
		struct spec other;

		read_spec(bpf_object__btf(obj), bpf_program__name(prog), &other);
		if (!strcmp(bpf_program__name(prog), spec->name))
			chosen = prog;
		bpf_program__set_autoload(prog, chosen == prog || other.auxiliary);
	}
	if (chosen && bpf_program__type(chosen) != BPF_PROG_TYPE_STRUCT_OPS)
		leave_out_struct_ops(obj);
	return chosen;
}

/* The last line of the log that says something: why it was refused. */
static char *last_line(void)
{
	char *copy = xstrdup(log_buf), *line = NULL, *next = copy, *found = NULL;

	while ((line = strsep(&next, "\n")))
		if (*line && strncmp(line, "processed ", 10) && !after(line, "verification time") &&
		    !after(line, "stack depth"))
			found = line;
	found = xstrdup(found ?: "");
	free(copy);
	return found;
}

static void take_stats(struct json_object *result)
{
	const char *line = strstr(log_buf, "processed ");
	unsigned int insns;

	if (line && sscanf(line, "processed %u insns", &insns) == 1)
		json_object_object_add(result, "insns", json_object_new_int((int)insns));
}

static void test(const char *path, const struct spec *spec, struct json_object *result)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog = obj ? choose(obj, spec) : NULL;
	const char *missing;
	char *why;
	int err;

	if (!prog) {
		json_object_object_add(result, "verdict", json_object_new_string("not opened"));
		return;
	}
	bpf_program__set_log_buf(prog, log_buf, LOG_SIZE);
	bpf_program__set_log_level(prog, (u32)spec->log_level ?: spec->nr_msgs ? 1 : 4);
	bpf_program__set_flags(prog, bpf_program__flags(prog) | spec->flags);
	err = bpf_object__load(obj);
	why = last_line();
	missing = missing_message(spec);
	if (print_log)
		fprintf(stderr, "%s: %d\n%s", spec->name, err, log_buf);
	json_object_object_add(result, "verdict", json_object_new_string(err ? "reject" : "accept"));
	json_object_object_add(result, "errno", json_object_new_int(-err));
	if (err)
		json_object_object_add(result, "why", json_object_new_string(why));
	if (missing)
		json_object_object_add(result, "missing", json_object_new_string(missing));
	take_stats(result);
	fill_map(obj);
	if (!err && spec->execute && !spec->failure)
		run(prog, result);
	bpf_object__close(obj);
	free(why);
}

/* --- the machine ------------------------------------------------------------------------------- */

static void drop(u64 time, bool bpf, const char *line)
{
}

static int say(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return print_log && level <= LIBBPF_INFO ? vfprintf(stderr, fmt, args) : 0;
}

static void boot(void)
{
	struct topology *topology = xcalloc(1, sizeof(*topology));
	struct kernel_config config = { .topology = topology, .costs = &cost_defaults, .seed = 1,
					.noise = NOISE_NONE, .log = drop,
					.generation = GENERATION_ANY };
	char err[128];

	if (on_host) {
		facade_host();
		return;
	}
	if (topology_parse(topology, "2", err, sizeof(err)) || kernel_boot(&config)) {
		fprintf(stderr, "verdicts: the machine does not boot\n");
		exit(2);
	}
}

static void child(const char *path, const struct spec *spec, int fd)
{
	struct json_object *result = json_object_new_object();
	const char *text;

	alarm(TIMEOUT_S);
	log_buf = xcalloc(1, LOG_SIZE);
	libbpf_set_print(say);
	boot();
	test(path, spec, result);
	text = json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN);
	if (write(fd, text, strlen(text)) < 0)
		_exit(2);
	_exit(0);
}

static struct json_object *in_child(const char *path, const struct spec *spec)
{
	struct json_object *result = NULL;
	char text[65536];
	size_t len = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	if (pipe(fds))
		return NULL;
	fflush(NULL);
	pid = fork();
	if (!pid)
		child(path, spec, fds[1]);
	close(fds[1]);
	while ((n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		result = json_tokener_parse(text);
	if (result)
		return result;
	result = json_object_new_object();
	json_object_object_add(result, "verdict",
			       json_object_new_string(WIFSIGNALED(status) &&
						      WTERMSIG(status) == SIGALRM ? "timeout" :
										    "crash"));
	return result;
}

static void describe(struct json_object *result, const char *path, const struct spec *spec,
		     const char *section)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	json_object_object_add(result, "file", json_object_new_string(base));
	json_object_object_add(result, "program", json_object_new_string(spec->name));
	json_object_object_add(result, "section", json_object_new_string(section));
	json_object_object_add(result, "description", json_object_new_string(spec->description));
	json_object_object_add(result, "expect",
			       json_object_new_string(spec->failure ? "reject" : "accept"));
	if (spec->execute)
		json_object_object_add(result, "expect_retval",
				       json_object_new_int64(spec->retval));
	json_object_object_add(result, "messages", json_object_new_int((int)spec->nr_msgs));
}

static int test_object(const char *path)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;

	if (!obj) {
		fprintf(stderr, "verdicts: %s: %s\n", path, strerror(errno));
		return 1;
	}
	bpf_object__for_each_program(prog, obj) {
		struct json_object *result;
		struct spec spec;

		read_spec(bpf_object__btf(obj), bpf_program__name(prog), &spec);
		if (spec.auxiliary || !spec.privileged || spec.other_arch ||
		    (only && strcmp(only, spec.name)))
			continue;
		result = in_child(path, &spec);
		describe(result, path, &spec, bpf_program__section_name(prog));
		puts(json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN));
		json_object_put(result);
	}
	bpf_object__close(obj);
	return 0;
}

int main(int argc, char **argv)
{
	int i, err = 0;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--host"))
			on_host = true;
		else if (!strcmp(argv[i], "--log"))
			print_log = true;
		else if (!strcmp(argv[i], "--only") && i + 1 < argc)
			only = argv[++i];
		else
			break;
	}
	if (i == argc || argv[i][0] == '-') {
		fprintf(stderr, "usage: %s [--host] [--log] [--only PROGRAM] OBJECT...\n", argv[0]);
		return 1;
	}
	libbpf_set_print(say);
	for (; i < argc; i++)
		err |= test_object(argv[i]);
	return err;
}
