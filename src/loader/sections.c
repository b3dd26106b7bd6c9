// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of sections: those that libbpf does not know (ghOSt, periodic) are
 * registered with it, and those that nobody knows are refused in words.
 *
 * libbpf keeps handlers for the whole process, and so they are registered once.
 */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../base/alloc.h"
#include "../base/duration.h"
#include "facade.h"
#include "internal.h"

/* --- periods -------------------------------------------------------------------- */

#define PERIODIC "periodic"
/* What expected_attach_type, a u32, can say. */
#define PERIOD_MAX_NS min(BPF_PERIODIC_PERIOD_MAX_NS, UINT32_MAX * BPF_PERIODIC_UNIT_NS)

/* The period of SEC("periodic/10ms"), in its unit; 0 and a reason if it is none. */
static u32 parse_period(const char *section, const char **why)
{
	const char *text = section + strlen(PERIODIC);
	u64 ns;

	*why = NULL;
	if (!text[0] || !text[1])
		*why = "the period is missing";
	else if (parse_duration(text + 1, &ns))
		*why = "its period is no time with a unit (us, ms, s, m)";
	else if (!ns)
		*why = "a period of 0 never ends";
	else if (ns < BPF_PERIODIC_PERIOD_MIN_NS || ns > PERIOD_MAX_NS)
		*why = "its period is out of range";
	else if (ns % BPF_PERIODIC_UNIT_NS)
		*why = "its period is not a multiple of 10us";
	return *why ? 0 : (u32)(ns / BPF_PERIODIC_UNIT_NS);
}

/* A period that is none is reported by check_sections(), which has more to say. */
static int set_period(struct bpf_program *prog, long cookie)
{
	const char *why;
	u32 units = parse_period(bpf_program__section_name(prog), &why);

	return bpf_program__set_expected_attach_type(prog, (enum bpf_attach_type)units);
}

static enum loader_status check_period(const struct loader *l, const struct bpf_program *prog,
				       struct loader_error *error)
{
	const char *section = bpf_program__section_name(prog), *why;

	if (parse_period(section, &why))
		return LOADER_OK;
	return loader_fail(error, LOADER_ERR_OBJECT,
			   "%s: program '%s' in SEC(\"%s\"): %s; expected a multiple of 10us from 10us to %llus, for instance SEC(\"" PERIODIC
			   "/10ms\")",
			   l->path, bpf_program__name(prog), section, why,
			   PERIOD_MAX_NS / NSEC_PER_SEC);
}

/* --- registration --------------------------------------------------------------- */

static const struct {
	const char *section;
	u32 type, attach_type;
	libbpf_prog_setup_fn_t setup;
} handlers[] = {
	{ "ghost_sched/pnt", BPF_PROG_TYPE_GHOST_SCHED, GHOST_ATTACH(BPF_GHOST_SCHED_PNT), NULL },
	{ "ghost_msg/msg_send", BPF_PROG_TYPE_GHOST_MSG, GHOST_ATTACH(BPF_GHOST_MSG_SEND), NULL },
	{ "ghost_select_rq/select_rq", BPF_PROG_TYPE_GHOST_SELECT_RQ,
	  GHOST_ATTACH(BPF_GHOST_SELECT_RQ), NULL },
	{ PERIODIC "+", BPF_PROG_TYPE_PERIODIC, 0, set_period },
};

void register_sections(void)
{
	static bool done;

	for (u32 i = 0; i < ARRAY_SIZE(handlers) && !done; i++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_setup_fn = handlers[i].setup);

		VRT_ASSERT(libbpf_register_prog_handler(handlers[i].section,
							(enum bpf_prog_type)handlers[i].type,
							(enum bpf_attach_type)handlers[i].attach_type,
							&opts) >= 0);
	}
	done = true;
}

bool kernel_takes(u32 type, u32 attach_type)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, /* r0 = 0 */
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)attach_type);
	int fd = bpf_prog_load((enum bpf_prog_type)type, NULL, "GPL", insns, ARRAY_SIZE(insns),
			       &opts);

	if (fd >= 0)
		facade_close(fd);
	return fd >= 0;
}

/* --- unknown sections ----------------------------------------------------------- */

#define KNOWN                                                                                      \
	"struct_ops/..., ghost_sched/pnt, ghost_msg/msg_send, ghost_select_rq/select_rq, "         \
	"periodic/10ms, tp_btf/..., raw_tp/..., fentry/..., fexit/..., lsm/..., syscall"

/* Those that end with a slash go on with a name of the program's choice. */
static const char *const known[] = {
	"struct_ops/",	   "struct_ops.s/",
	"ghost_sched/pnt", "ghost_msg/msg_send",
	"periodic/",	   "ghost_select_rq/select_rq",
	"tp_btf/",	   "raw_tp/",
	"fentry/",	   "fentry.s/",
	"fexit/",	   "fexit.s/",
	"fmod_ret/",	   "raw_tracepoint/",
	"tracepoint/",	   "tp/",
	"kprobe/",	   "kretprobe/",
	"lsm/",		   "lsm.s/",
	"syscall",	   "iter/",
	"socket",	   "perf_event",
	"tc",		   "xdp",
};

/* The known name that is nearest to all of @section, or to what comes before its slash. */
static const char *nearest(const char *section)
{
	struct suggest whole = { .word = section }, start = {};
	char *prefix = xstrdup(section);

	if (strchr(prefix, '/'))
		strchr(prefix, '/')[1] = '\0';
	start.word = prefix;
	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		suggest_try(known[i][strlen(known[i]) - 1] == '/' ? &start : &whole, known[i]);
	free(prefix);
	if (whole.best && start.best)
		return whole.distance <= start.distance ? whole.best : start.best;
	return whole.best ? whole.best : start.best;
}

static enum loader_status fail_unknown(const struct loader *l, const struct bpf_program *prog,
				       struct loader_error *error)
{
	const char *section = bpf_program__section_name(prog), *near = nearest(section);

	return loader_fail(error, LOADER_ERR_OBJECT,
			   "%s: program '%s': SEC(\"%s\") names no type of program that is known here%s%s%s; known are " KNOWN,
			   l->path, bpf_program__name(prog), section,
			   near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
}

enum loader_status check_sections(const struct loader *l, struct loader_error *error)
{
	enum loader_status status = LOADER_OK;
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, l->obj) {
		if (bpf_program__type(prog) == BPF_PROG_TYPE_UNSPEC && bpf_program__autoload(prog))
			status = fail_unknown(l, prog, error);
		else if ((u32)bpf_program__type(prog) == BPF_PROG_TYPE_PERIODIC)
			status = check_period(l, prog, error);
		if (status != LOADER_OK)
			break;
	}
	return status;
}
