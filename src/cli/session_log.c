// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel, BPF programs and the loader say during a run: kept for the
 * document, and shown as it comes.
 */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "session.h"

/* Lines of the kernel log and bpf_printk() that are kept, and shown unless -v. */
#define LOG_KEPT 1000
#define LOG_SHOWN 20

static void show_line(const struct session *s, u64 time, const char *line)
{
	progress_clear();
	fprintf(stderr, "%s: %4llu.%06llu: %s\n", s->label, time / NSEC_PER_SEC,
		time % NSEC_PER_SEC / NSEC_PER_USEC, line);
}

void session_log(struct session *s, u64 time, bool bpf, const char *line)
{
	const struct run_options *o = &s->plan->options;
	/* vrt trace has them on stdout */
	bool piped = bpf && s->plan->pipe;
	bool shown = bpf && !o->quiet && !o->json && !piped;
	struct json_object *text = json_text(line), *entry;

	s->bpf_lines += bpf;
	if ((o->verbose && !piped) || (shown && s->bpf_lines <= LOG_SHOWN))
		show_line(s, time, json_object_get_string(text));
	else if (shown && s->bpf_lines == LOG_SHOWN + 1)
		show_line(s, time, "(more lines follow; -v shows them all)");
	if (json_object_array_length(s->log) >= LOG_KEPT) {
		s->log_dropped++;
		json_object_put(text);
		return;
	}
	entry = json_object_new_object();
	json_add_u64(entry, "time_ns", time);
	json_add_string(entry, "source", bpf ? "bpf" : "kernel");
	json_object_object_add(entry, "line", text);
	json_object_array_add(s->log, entry);
}

void session_warn(const char *line, void *arg)
{
	struct session *s = arg;
	struct json_object *text = json_text(line);

	if (!s->plan->options.quiet) {
		progress_clear();
		fprintf(stderr, "%s: %s\n", s->label, json_object_get_string(text));
	}
	/* what -v adds to the screen changes no result */
	if (s->plan->options.verbose && !strncmp(line, "libbpf: ", 8))
		json_object_put(text);
	else
		json_object_array_add(s->warnings, text);
}
