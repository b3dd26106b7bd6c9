// SPDX-License-Identifier: GPL-2.0-only
/*
 * From libbpf's and the verifier's words to one message that says what is wrong
 * and what to do. What is not recognized here is passed on as libbpf said it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../bpf/bpf.h"
#include "../bpf/explain.h"
#include "facade.h"
#include "internal.h"

#define ENOTSUPP 524
#define PREFIX "libbpf: "
#define TRACE_PREFIX "btf_trace_" /* of the types that stand for tracepoints */
#define LOG_BEGIN "-- BEGIN PROG LOAD LOG --\n"
#define LOG_END "-- END PROG LOAD LOG --"

/* --- looking at the log ------------------------------------------------------- */

bool find_between(const struct loader *l, const char *before, const char *after, char *buf,
			 size_t size)
{
	const char *p = strbuf_str(&l->log), *start, *eol, *end;

	while ((p = strstr(p, before))) {
		start = p + strlen(before);
		eol = start + strcspn(start, "\n");
		end = *after ? strstr(start, after) : eol;
		if (end && end <= eol) {
			snprintf(buf, size, "%.*s", (int)(end - start), start);
			return true;
		}
		p = start;
	}
	return false;
}

/* Does it tell of something that libbpf goes on without? */
static bool is_passed_over(const char *line, size_t len)
{
	static const char *const words[] = { ": skipping ", "Ignored and continue" };

	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(line, len, words[i], strlen(words[i])))
			return true;
	return false;
}

/* The first line that libbpf printed about what stopped it, without its prefix. */
static void first_line(const struct loader *l, char *buf, size_t size)
{
	const char *p = strbuf_str(&l->log);
	size_t len = strcspn(p, "\n");

	while (p[len] && is_passed_over(p, len)) {
		p += len + 1;
		len = strcspn(p, "\n");
	}
	if (!strncmp(p, PREFIX, strlen(PREFIX))) {
		p += strlen(PREFIX);
		len -= strlen(PREFIX);
	}
	snprintf(buf, size, "%.*s", (int)len, p);
}

/* --- programs that were refused ----------------------------------------------- */

#define TAIL_LINES 4
#define TAIL_BYTES 600
#define EXPLAIN_BYTES 4096

/* Start of the line that ends before @end. */
static const char *line_before(const char *start, const char *end)
{
	if (end > start)
		end--;
	while (end > start && end[-1] != '\n')
		end--;
	return end;
}

static bool is_statistics(const char *line)
{
	static const char *const starts[] = {
		"processed ", "verification time ", "stack depth ", "peak_states",
	};

	for (u32 i = 0; i < ARRAY_SIZE(starts); i++)
		if (!strncmp(line, starts[i], strlen(starts[i])))
			return true;
	return false;
}

/* The end of the verifier's log, where the reason stands, without its statistics. */
static void log_tail(const struct loader *l, char *buf, size_t size)
{
	const char *begin = strstr(strbuf_str(&l->log), LOG_BEGIN), *end, *start;
	u32 lines = 0;

	buf[0] = '\0';
	if (!begin)
		return;
	begin += strlen(LOG_BEGIN);
	end = strstr(begin, LOG_END);
	if (!end)
		end = begin + strlen(begin);
	while (end > begin && is_statistics(line_before(begin, end)))
		end = line_before(begin, end);
	for (start = end; start > begin && lines < TAIL_LINES; lines++) {
		if (end - line_before(begin, start) > TAIL_BYTES && lines)
			break;
		start = line_before(begin, start);
	}
	while (end > start && end[-1] == '\n')
		end--;
	snprintf(buf, size, "%.*s", (int)(end - start), start);
}

/* What the verifier has found out, for people; "" if it was somebody else. */
static void add_step(struct strbuf *sb, const struct bpf_explain_step *step, bool first)
{
	strbuf_printf(sb, "\n  %s %s%s%s: %s", first ? "path: " : "      ", step->place.where,
		      step->place.source[0] ? ": " : "", step->place.source,
		      step->taken ? "jumps" : "goes on");
	if (step->times > 1)
		strbuf_printf(sb, ", %u times", step->times);
}

void explain_refusal(const struct bpf_explanation *e, struct strbuf *sb)
{
	strbuf_printf(sb, "%s\n  at:    %s%s%s\n         %u: %s", e->message, e->place.where,
		      e->place.source[0] ? ": " : "", e->place.source, e->place.insn,
		      e->place.text);
	for (u32 i = 0; i < e->nr_regs; i++)
		strbuf_printf(sb, "\n  %s R%u = %s", i ? "      " : "known:", e->regs[i].regno,
			      e->regs[i].known);
	for (u32 i = 0; i < e->nr_steps; i++)
		add_step(sb, &e->steps[i], !i);
	if (e->steps_before)
		strbuf_printf(sb, "\n         (after %u other decisions)", e->steps_before);
	if (e->hint)
		strbuf_printf(sb, "\n  hint:  %s", e->hint);
}

static bool explain_program(struct loader *l, struct loader_error *error)
{
	char where[256], why[512], name[192] = "", tail[EXPLAIN_BYTES];
	struct strbuf sb = {};
	char *quote;

	if (!find_between(l, ": BPF program load failed: ", "", why, sizeof(why)) ||
	    !find_between(l, PREFIX "prog '", ": BPF program load failed", where, sizeof(where)))
		return false;
	/* other lines about programs may come before it: the last quote ends the name */
	quote = strrchr(where, '\'');
	snprintf(name, sizeof(name), "%.*s", (int)(quote ? quote - where : 0), where);
	log_tail(l, tail, sizeof(tail));
	if (bpf_explanation() && !facade_is_host()) {
		explain_refusal(bpf_explanation(), &sb);
		snprintf(tail, sizeof(tail), "%s", strbuf_str(&sb));
		strbuf_free(&sb);
		if (!l->verbose) /* says the same at length */
			strbuf_reset(&l->log);
	}
	if (bpf_refusal()[0])
		snprintf(why, sizeof(why), "%s", bpf_refusal());
	set_refused(l, name, tail[0] ? tail : why);
	if (tail[0])
		loader_fail(error, LOADER_ERR_LOAD, "%s: program '%s' was refused:\n%s", l->path, name,
			    tail);
	else
		loader_fail(error, LOADER_ERR_LOAD, "%s: program '%s' was refused: %s", l->path, name,
			    why);
	return true;
}

/* --- externs ------------------------------------------------------------------- */

static void suggest_kernel_name(const struct loader *l, struct suggest *near, u32 kind)
{
	const struct btf_type *t;

	for (u32 id = 1; id < btf__type_cnt(l->kernel_btf); id++) {
		t = btf__type_by_id(l->kernel_btf, id);
		if (btf_kind(t) == kind)
			suggest_try(near, btf__name_by_offset(l->kernel_btf, t->name_off));
	}
}

static bool explain_extern(struct loader *l, struct loader_error *error)
{
	struct suggest near = {};
	const char *elsewhere;
	char name[192];

	if (find_between(l, "extern (func ksym) '", "': not found", name, sizeof(name))) {
		elsewhere = generation_having(name);
		if (elsewhere && facade_is_host()) {
			loader_fail(error, LOADER_ERR_LOAD,
				    "%s: kfunc '%s' is not in this kernel; the simulated machine has it (--on sim). Declare it __weak and test it with bpf_ksym_exists() if the program can do without",
				    l->path, name);
			return true;
		}
		if (elsewhere) {
			loader_fail(error, LOADER_ERR_LOAD,
				    "%s: kfunc '%s' is not in this kernel, but in Linux %s (--kernel %s); declare it __weak and test it with bpf_ksym_exists() if the scheduler can do without",
				    l->path, name, elsewhere, elsewhere);
			return true;
		}
		near.word = name;
		suggest_kernel_name(l, &near, BTF_KIND_FUNC);
		loader_fail(error, LOADER_ERR_LOAD,
			    "%s: kfunc '%s' is not known to this kernel%s%s%s; declare it __weak and test it with bpf_ksym_exists() if the scheduler can do without",
			    l->path, name, near.best ? " (near: '" : "", near.best ? near.best : "",
			    near.best ? "')" : "");
		return true;
	}
	if (find_between(l, "extern (func ksym) '", "': func_proto", name, sizeof(name))) {
		loader_fail(error, LOADER_ERR_LOAD,
			    "%s: kfunc '%s' is declared with other arguments or another result than this kernel's",
			    l->path, name);
		return true;
	}
	if (find_between(l, "extern (var ksym) '", "': not found", name, sizeof(name)) ||
	    find_between(l, "extern '", "' (strong): not resolved", name, sizeof(name))) {
		loader_fail(error, LOADER_ERR_LOAD,
			    "%s: the kernel variable or configuration option '%s' is not known to this kernel; declare it __weak if the scheduler can do without",
			    l->path, name);
		return true;
	}
	return false;
}

/* --- maps and the rest ---------------------------------------------------------- */

static bool explain_map(struct loader *l, struct loader_error *error)
{
	char name[192], why[192], type[32] = "unknown";
	const char *known;
	struct bpf_map *map;

	if (!find_between(l, "map '", "': failed to create: ", name, sizeof(name)))
		return false;
	find_between(l, "': failed to create: ", "(", why, sizeof(why));
	if (bpf_refusal()[0])
		snprintf(why, sizeof(why), "%s", bpf_refusal());
	map = bpf_object__find_map_by_name(l->obj, name);
	known = map ? libbpf_bpf_map_type_str(bpf_map__type(map)) : NULL;
	if (known)
		snprintf(type, sizeof(type), "%s", known);
	else if (map)
		snprintf(type, sizeof(type), "number %u", bpf_map__type(map));
	loader_fail(error, LOADER_ERR_LOAD,
		    "%s: map '%s' (type %s, key %u bytes, value %u bytes, %u entries) was refused: %s",
		    l->path, name, type, map ? bpf_map__key_size(map) : 0,
		    map ? bpf_map__value_size(map) : 0, map ? bpf_map__max_entries(map) : 0, why);
	return true;
}

static bool explain_btf(struct loader *l, struct loader_error *error)
{
	static const char begin[] = "-- BEGIN BTF LOAD LOG ---\n";
	static const char split[] =
		"\nhint: clang splits a static variable of a struct type that is never used as a whole, and describes the parts wrongly: declare it without static";
	const char *log = strstr(strbuf_str(&l->log), begin);
	char line[256];

	if (!log)
		return false;
	log += strlen(begin);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(log, "\n"), log);
	loader_fail(error, LOADER_ERR_LOAD, "%s: its BTF was refused: %s%s", l->path, line,
		    strstr(line, "DATASEC") && strstr(line, "Invalid size") ? split : "");
	return true;
}

static bool explain_unused(struct loader *l, struct loader_error *error)
{
	char name[192];

	if (find_between(l, "prog '", "': SEC(\"struct_ops\") program isn't referenced", name,
			 sizeof(name))) {
		loader_fail(error, LOADER_ERR_LOAD,
			    "%s: struct_ops program '%s' is in no operations table: put it in one or remove it",
			    l->path, name);
		return true;
	}
	return false;
}

/* A program whose place is named in its section, in which case libbpf looks for it. */
static bool explain_target(struct loader *l, struct loader_error *error)
{
	char name[192], target[192], typedef_name[256];
	struct bpf_program *prog;
	struct suggest near = {};
	const char *section;
	bool tracepoint;

	if (!find_between(l, "': failed to find kernel BTF type ID of '", "'", target, sizeof(target)) ||
	    !find_between(l, PREFIX "prog '", "': failed to find kernel BTF type ID", name,
			  sizeof(name)))
		return false;
	prog = bpf_object__find_program_by_name(l->obj, name);
	section = prog ? bpf_program__section_name(prog) : "";
	tracepoint = !strncmp(section, "tp_btf/", 7);
	snprintf(typedef_name, sizeof(typedef_name), "%s%s", tracepoint ? TRACE_PREFIX : "", target);
	near.word = typedef_name;
	suggest_kernel_name(l, &near, tracepoint ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC);
	if (near.best && tracepoint)
		near.best += strlen(TRACE_PREFIX);
	loader_fail(error, LOADER_ERR_LOAD,
		    "%s: program '%s' (SEC(\"%s\")) has no place to be: this kernel has no %s '%s'%s%s%s",
		    l->path, name, section, tracepoint ? "tracepoint" : "function", target,
		    near.best ? " (near: '" : "", near.best ? near.best : "", near.best ? "')" : "");
	return true;
}

static bool explain_struct_ops(struct loader *l, struct loader_error *error)
{
	char type[192], member[192];

	if (find_between(l, "struct_ops init_kern: struct ", " is not found in kernel BTF", type,
			 sizeof(type))) {
		loader_fail(error, LOADER_ERR_LOAD,
			    "%s: this kernel has no operations table of type 'struct %s'", l->path, type);
		return true;
	}
	if (find_between(l, "Cannot find member ", " in kernel BTF", member, sizeof(member))) {
		loader_fail(error, LOADER_ERR_LOAD,
			    "%s: the operations table sets '%s', which this kernel does not have; leave it zero",
			    l->path, member);
		return true;
	}
	return false;
}

enum loader_status explain_load(struct loader *l, int err, struct loader_error *error)
{
	char line[512];

	if (facade_is_host() && (err == -EPERM || err == -ENOSYS))
		return host_explain(l, err, error);
	if (explain_program(l, error) || explain_extern(l, error) || explain_map(l, error) ||
	    explain_btf(l, error) || explain_unused(l, error) || explain_struct_ops(l, error) ||
	    explain_target(l, error))
		return LOADER_ERR_LOAD;
	first_line(l, line, sizeof(line));
	return loader_fail(error, LOADER_ERR_LOAD, "%s: could not be loaded: %s", l->path,
			   line[0] ? line : strerror(-err));
}

enum loader_status explain_open(struct loader *l, int err, struct loader_error *error)
{
	char line[512];

	first_line(l, line, sizeof(line));
	return loader_fail(error, LOADER_ERR_OBJECT, "%s: is not an object that libbpf can open: %s",
			   l->path, line[0] ? line : strerror(-err));
}

static const char *why_not_scx(int err)
{
	switch (err) {
	case -EBUSY:
		return "another scheduler is in charge; detach it first";
	case -EINVAL:
		return "the kernel refuses the values in its operations table (see the kernel log)";
	case -EOPNOTSUPP:
		return "this kernel does not support what its operations table asks for";
	default:
		return NULL;
	}
}

static const char *why_not_ghost(int err)
{
	switch (err) {
	case -EBUSY:
		return "the enclave has a program at this attach point already; detach it first";
	case -EBADF:
		return "what it is attached to is no enclave, or the program is for another version of the ghOSt ABI than 91";
	case -EINVAL:
		return "it is not attached where it was loaded for, or not to an enclave";
	case -ENODEV:
	case -ESHUTDOWN:
		return "the enclave has ended";
	default:
		return NULL;
	}
}

enum loader_status explain_attach(struct loader *l, enum loader_kind kind, const char *name,
				  int err, struct loader_error *error)
{
	const char *why = bpf_refusal();

	/* what was refused in words needs no guess */
	if (!why[0])
		why = kind == LOADER_GHOST ? why_not_ghost(err) :
		      kind == LOADER_SCX   ? why_not_scx(err) :
					     NULL;
	if (!why)
		why = err == -ENOMEM ? "the kernel is out of memory" : strerror(-err);
	return loader_fail(error, LOADER_ERR_ATTACH, "%s: '%s' could not be attached: %s", l->path, name,
			   why);
}

enum loader_status explain_place(struct loader *l, const struct bpf_program *prog, int err,
				 struct loader_error *error)
{
	const char *why = strerror(-err);

	if (err == -ENOENT || err == -EOPNOTSUPP || err == -ENOTSUPP || err == -EINVAL ||
	    err == -ENOSYS)
		why = "this kernel has no such place to attach to";
	return loader_fail(error, LOADER_ERR_ATTACH,
			   "%s: program '%s' (SEC(\"%s\")) could not be attached: %s", l->path,
			   bpf_program__name(prog), bpf_program__section_name(prog), why);
}
