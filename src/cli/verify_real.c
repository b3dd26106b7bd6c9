// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same question to a real kernel (--on host, vm): its verdict on each program
 * goes beside ours. The agent asks (src/vm/guest/verify.c), in a guest or as a
 * process of this host; nothing is attached.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/strbuf.h"
#include "../vm/channel.h"
#include "../vm/run.h"
#include "../vm/vm.h"
#include "guest.h"
#include "json.h"
#include "table.h"
#include "units.h"
#include "verify.h"

#define OBJECT_NAME "object.bpf.o"

/* --- asking ---------------------------------------------------------------------------- */

static void drop_warning(const char *line, void *arg)
{
}

static int send_object(const struct verify_request *request, struct vm *vm, struct strbuf *why)
{
	const struct run_options *o = &request->plan->options;
	const struct loader_options opts = {
		.include_dirs = o->include_dirs.items, .nr_include_dirs = o->include_dirs.nr,
	};
	char *file = scheduler_file(request->object);
	struct loader_error error = { .status = LOADER_ERR_USAGE, .message = "there is no such file" };
	struct strbuf object = {};
	int err = -1;

	if (file)
		error.status = loader_read_object(file, &opts, drop_warning, NULL, &object, &error);
	free(file);
	if (error.status != LOADER_OK)
		strbuf_puts(why, error.message);
	else
		err = guest_send_file(vm, OBJECT_NAME, &object);
	strbuf_free(&object);
	loader_error_free(&error);
	return err;
}

static int send_question(const struct verify_request *request, struct vm *vm)
{
	struct json_object *settings = json_object_new_object();
	struct text_list set;
	char *copy;
	int err;

	verify_settings(request, &set, &copy);
	json_add_u64(settings, RUN_KEY_VERIFY, request->log_level);
	json_add_string(settings, RUN_KEY_OBJECT, OBJECT_NAME);
	json_add_string(settings, RUN_KEY_MACHINE, request->plan->topology.spec);
	guest_add_list(settings, RUN_KEY_SET, &set);
	free(copy);
	err = channel_send_text(vm_channel(vm), CHANNEL_RUN, json_object_to_json_string(settings));
	json_object_put(settings);
	return err;
}

/* NULL with the reason in @why; @lost: the guest is of no use any more. */
static struct json_object *ask(const struct verify_request *request, struct vm *vm, bool *lost,
			       struct strbuf *why)
{
	struct json_object *answer = NULL;
	enum channel_type type = CHANNEL_ERROR;
	struct strbuf body = {};
	int err = send_object(request, vm, why);

	if (err && why->len)
		return NULL; /* it is no object */
	err = err ?: send_question(request, vm);
	do
		err = err ?: channel_receive(vm_channel(vm), (int)guest_patience_ms(), &type, &body);
	while (!err && type == CHANNEL_LOG);
	*lost = err;
	if (!err && type == CHANNEL_END)
		answer = json_tokener_parse(strbuf_str(&body));
	if (err)
		strbuf_printf(why, "the kernel does not answer any more; %s", vm_last_words(vm));
	else if (!answer)
		strbuf_puts(why, strbuf_str(&body));
	strbuf_free(&body);
	return answer;
}

static struct vm *boot(const struct run_plan *plan, const struct run_target *t, struct strbuf *why)
{
	char err[4096];
	struct vm *vm = t->place == RUN_ON_HOST ? guest_this_host(err, sizeof(err)) :
						  guest_boot(plan, t->kernel, err, sizeof(err));

	if (!vm)
		strbuf_puts(why, err);
	return vm;
}

/* --- beside ours ------------------------------------------------------------------------- */

static struct json_object *find_program(struct json_object *programs, const char *name)
{
	for (size_t i = 0; programs && i < json_object_array_length(programs); i++) {
		struct json_object *p = json_object_array_get_idx(programs, i);

		if (!strcmp(json_string_at(p, "name"), name))
			return p;
	}
	return NULL;
}

static bool is_verdict(const char *verdict)
{
	return !strcmp(verdict, VERIFY_ACCEPTED) || !strcmp(verdict, VERIFY_REFUSED);
}

/* Where both have a verdict. */
static struct json_object *agrees(struct json_object *program, const char *theirs)
{
	const char *ours = json_string_at(program, "verdict");

	return is_verdict(ours) && is_verdict(theirs) ?
		       json_object_new_boolean(!strcmp(ours, theirs)) : NULL;
}

static struct json_object *new_entry(const struct run_target *t, const char *release)
{
	struct json_object *entry = json_object_new_object();

	json_add_string(entry, "on", t->place == RUN_ON_HOST ? "host" : "vm");
	json_add_string(entry, "kernel", *release ? release : t->kernel);
	return entry;
}

/* What there is of @answer (may be NULL) on @program. */
static void add_answer(struct json_object *program, const struct run_target *t,
		       struct json_object *answer, const char *why, bool timed)
{
	static const char *const copied[] = { "message", "processed", "states", "peak_states",
					      "max_states_per_insn", "stack_depth", "log" };
	struct json_object *theirs = find_program(json_at(answer, "programs"),
						  json_string_at(program, "name"));
	struct json_object *entry = new_entry(t, json_string_at(answer, "release")), *host;
	const char *verdict = theirs ? json_string_at(theirs, "verdict") : VERIFY_NOT_ASKED;
	u64 duration;

	json_add_string(entry, "verdict", verdict);
	json_object_object_add(entry, "agrees", agrees(program, verdict));
	if (!theirs)
		json_object_object_add(entry, "message", json_text(why));
	for (u32 i = 0; theirs && i < ARRAY_SIZE(copied); i++)
		if (json_at(theirs, copied[i]))
			json_object_object_add(entry, copied[i],
					       json_object_get(json_at(theirs, copied[i])));
	if (timed && json_u64_at(theirs, "duration_ns", &duration)) {
		host = json_object_new_object();
		json_add_u64(host, "duration_ns", duration);
		json_object_object_add(entry, "host", host);
	}
	json_object_array_add(json_at(program, "asked"), entry);
}

/* An object that we could not load has programs all the same. */
static struct json_object *our_programs(struct json_object *object, struct json_object *answer)
{
	struct json_object *ours = json_at(object, "programs"), *theirs = json_at(answer, "programs");

	if (ours || !theirs)
		return ours;
	ours = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(theirs); i++) {
		struct json_object *p = json_object_new_object();

		json_add_string(p, "name",
				json_string_at(json_object_array_get_idx(theirs, i), "name"));
		json_add_string(p, "verdict", VERIFY_SKIPPED);
		json_object_array_add(ours, p);
	}
	json_object_object_add(object, "programs", ours);
	return ours;
}

static void add_answers(struct json_object *object, const struct run_target *t,
			struct json_object *answer, const char *why, bool timed)
{
	struct json_object *programs = our_programs(object, answer);
	struct json_object *asked = new_entry(t, json_string_at(answer, "release"));

	json_object_object_add(asked, "message", *why ? json_text(why) : NULL);
	json_object_object_add(asked, "timed", json_object_new_boolean(timed));
	if (!json_at(object, "asked"))
		json_object_object_add(object, "asked", json_object_new_array());
	json_object_array_add(json_at(object, "asked"), asked);
	for (size_t i = 0; programs && i < json_object_array_length(programs); i++) {
		struct json_object *p = json_object_array_get_idx(programs, i);

		if (!json_at(p, "asked"))
			json_object_object_add(p, "asked", json_object_new_array());
		add_answer(p, t, answer, why, timed);
	}
}

void verify_ask(const struct verify_request *request, struct run_target *t,
		struct json_object *object)
{
	struct json_object *answer = NULL;
	struct strbuf why = {};
	bool lost = false, timed = false;

	if (!t->guest)
		t->guest = boot(request->plan, t, &why);
	if (t->guest) {
		timed = vm_accel(t->guest) != VM_ACCEL_TCG; /* an emulated guest's time means nothing */
		answer = ask(request, t->guest, &lost, &why);
	}
	if (!why.len && *json_string_at(answer, "message"))
		strbuf_puts(&why, json_string_at(answer, "message"));
	add_answers(object, t, answer, strbuf_str(&why), timed);
	if (lost) {
		vm_shutdown(t->guest);
		t->guest = NULL;
	}
	json_object_put(answer);
	strbuf_free(&why);
}

/* --- for people ---------------------------------------------------------------------------- */

static void add_figure(struct strbuf *line, struct json_object *p, const char *path, u32 width)
{
	u64 value;

	if (json_u64_at(p, path, &value))
		strbuf_printf(line, " %*llu", (int)width, value);
	else
		strbuf_printf(line, " %*s", (int)width, "");
}

static void print_verdict(const char *kernel, struct json_object *p, const char *agrees)
{
	struct strbuf line = {};
	char text[32] = "";
	size_t len;
	u64 ns;

	if (json_u64_at(p, "host.duration_ns", &ns))
		human_ns(ns, text, sizeof(text));
	strbuf_printf(&line, "    %-18.18s %-11s", kernel, json_string_at(p, "verdict"));
	add_figure(&line, p, "processed", 8);
	add_figure(&line, p, "states", 7);
	add_figure(&line, p, "peak_states", 6);
	strbuf_printf(&line, " %9s  %s", text, agrees);
	for (len = line.len; len && line.data[len - 1] == ' '; len--)
		;
	printf("%.*s\n", (int)len, line.data);
	strbuf_free(&line);
}

/* Each line of the kernel's below it, cut to the width. */
static void print_excerpt(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		printf("      | %.*s\n", (int)min(len, (size_t)TABLE_WIDTH - 8), text);
		text += len + (text[len] == '\n');
	}
}

static void print_asked(struct json_object *entry, const char **reason)
{
	struct json_object *agrees = json_at(entry, "agrees");
	const char *verdict = json_string_at(entry, "verdict");
	bool asked = is_verdict(verdict);

	if (asked) {
		print_verdict(json_string_at(entry, "kernel"), entry,
			      !agrees ? "" : json_object_get_boolean(agrees) ? "agrees" : "differs");
		print_excerpt(json_string_at(entry, "message"));
		return;
	}
	printf("    %-18.18s %s", json_string_at(entry, "kernel"), verdict);
	if (!strcmp(*reason, json_string_at(entry, "message"))) {
		printf(", as above\n");
		return;
	}
	*reason = json_string_at(entry, "message");
	fputs(": ", stdout);
	print_wrapped(stdout, *reason, 23 + (u32)strlen(verdict) + 2, 6, TABLE_WIDTH);
}

/* How many entries of kernel number @i say @value; NULL: there is no saying. */
static u32 count(struct json_object *programs, size_t i, int value)
{
	u32 nr = 0;

	for (size_t p = 0; p < json_object_array_length(programs); p++) {
		struct json_object *program = json_object_array_get_idx(programs, p);
		struct json_object *a = json_at(json_object_array_get_idx(json_at(program, "asked"), i),
						"agrees");

		nr += value < 0 ? !a : a && json_object_get_boolean(a) == value;
	}
	return nr;
}

static void print_sum(struct json_object *object, struct json_object *programs, size_t i)
{
	struct json_object *asked = json_object_array_get_idx(json_at(object, "asked"), i);

	printf("  %s (Linux %.20s): %u agree, %u differ, %u not asked%s\n",
	       json_string_at(asked, "on"), json_string_at(asked, "kernel"), count(programs, i, 1),
	       count(programs, i, 0), count(programs, i, -1),
	       json_object_get_boolean(json_at(asked, "timed")) ? "" : "; emulated: no times");
}

void verify_print_asked(struct json_object *object)
{
	struct json_object *programs = json_at(object, "programs"), *asked = json_at(object, "asked");
	const char *reasons[CMDLINE_MAX_LIST] = {};

	if (!asked)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		reasons[i] = "";
	if (programs)
		printf("\n    %-18s %-11s %8s %7s %6s %9s\n", "kernel", "verdict", "insns", "states",
		       "peak", "time");
	for (size_t i = 0; programs && i < json_object_array_length(programs); i++) {
		struct json_object *p = json_object_array_get_idx(programs, i);
		struct json_object *entries = json_at(p, "asked");

		printf("  %s\n", json_string_at(p, "name"));
		print_verdict("vruntime", p, "");
		for (size_t j = 0; j < min(json_object_array_length(entries), ARRAY_SIZE(reasons));
		     j++)
			print_asked(json_object_array_get_idx(entries, j), &reasons[j]);
	}
	putchar('\n');
	for (size_t i = 0; i < json_object_array_length(asked); i++) {
		struct json_object *entry = json_object_array_get_idx(asked, i);
		const char *message = json_string_at(entry, "message");

		if (programs && !*message) {
			print_sum(object, programs, i);
			continue;
		}
		printf("  %s: not asked: ", json_string_at(entry, "on"));
		print_wrapped(stdout, message, 20, 4, TABLE_WIDTH);
	}
}

bool verify_differs(struct json_object *object)
{
	struct json_object *programs = json_at(object, "programs"), *asked = json_at(object, "asked");

	for (size_t i = 0; programs && asked && i < json_object_array_length(asked); i++)
		if (count(programs, i, 0))
			return true;
	return false;
}

bool verify_had_no_kernel(struct json_object *object)
{
	struct json_object *asked = json_at(object, "asked");

	for (size_t i = 0; asked && i < json_object_array_length(asked); i++)
		if (*json_string_at(json_object_array_get_idx(asked, i), "message"))
			return true;
	return false;
}
