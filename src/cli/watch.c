// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps of the run's objects, printed while it runs: --watch, and --at with
 * print=MAP; or when the scheduler is out: --print. Entries of the timeline, or
 * (vrt trace) lines on standard output.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/strbuf.h"
#include "json.h"
#include "session.h"
#include "units.h"

/* The scheduler's map of this name, or that of the first object beside it that has one. */
static int map_text(struct session *s, const char *map, struct strbuf *out)
{
	int err = s->loader ? loader_print_map(s->loader, map, syscall_site_name, out) : -ENOENT;

	for (u32 i = 0; err == -ENOENT && i < s->nr_beside; i++)
		err = loader_print_map(s->beside[i].loader, map, syscall_site_name, out);
	return err;
}

/* Why there is no text; NULL for 0. @buf: of the sentence. */
static const char *map_error(int err, const char *map, char *buf, size_t size)
{
	if (!err)
		return NULL;
	if (err == -ENOENT)
		snprintf(buf, size, "no object of this run has a map '%s'", map);
	else if (err == -EOPNOTSUPP)
		snprintf(buf, size, "map '%s' is of a type that cannot be listed", map);
	else
		snprintf(buf, size, "map '%s' cannot be read: %s", map, strerror(-err));
	return buf;
}

/* What the object that comes last says when none has it. */
static bool has_map(const struct session *s, const char *map, struct loader_error *error)
{
	bool found = s->loader && loader_check_map(s->loader, map, error) == LOADER_OK;

	for (u32 i = 0; !found && i < s->nr_beside; i++)
		found = loader_check_map(s->beside[i].loader, map, error) == LOADER_OK;
	return found;
}

static bool check_map(struct session *s, const char *map)
{
	struct loader_error error = {};

	if (has_map(s, map, &error))
		return true;
	session_fail(s, &error);
	loader_error_free(&error);
	return false;
}

bool watch_check(struct session *s)
{
	const struct run_plan *plan = s->plan;
	bool ok = true;

	/* under a class without objects beside it there is nothing to look at, as with --set */
	if (!s->loader && !s->nr_beside)
		return true;
	for (u32 i = 0; i < plan->nr_watches && ok; i++)
		ok = check_map(s, plan->watches[i].map);
	for (u32 i = 0; i < plan->options.print.nr && ok; i++)
		ok = check_map(s, plan->options.print.items[i]);
	return ok;
}

void watch_start(struct session *s)
{
	s->watch_due = xcalloc(s->plan->nr_watches + 1, sizeof(*s->watch_due));
	for (u32 i = 0; i < s->plan->nr_watches; i++)
		s->watch_due[i] = kernel_now() + s->plan->watches[i].interval;
}

u64 watch_next(const struct session *s)
{
	u64 next = ~0ULL;

	for (u32 i = 0; i < s->plan->nr_watches; i++)
		next = min(next, s->watch_due[i]);
	return next;
}

/* By the clock of the lines around it. */
static void pipe_map(const char *map, const char *text)
{
	u64 now = kernel_now();

	printf("%s at %llu.%06llu:\n%s", map, now / NSEC_PER_SEC,
	       now % NSEC_PER_SEC / NSEC_PER_USEC, *text ? text : "(empty)\n");
	fflush(stdout);
}

void watch_print(struct session *s)
{
	for (u32 i = 0; i < s->plan->nr_watches; i++) {
		const struct watch_plan *watch = &s->plan->watches[i];
		struct strbuf what = {}, text = {};

		if (kernel_now() < s->watch_due[i])
			continue;
		/* reading takes time, too: what fell due meanwhile is not made up for */
		while (s->watch_due[i] <= kernel_now())
			s->watch_due[i] += watch->interval;
		/* gone with the scheduler that had it: after a swap, or at its end */
		if (!map_text(s, watch->map, &text)) {
			strbuf_printf(&what, "watch=%s", watch->map);
			if (s->plan->pipe)
				pipe_map(watch->map, strbuf_str(&text));
			else
				note_action(s, strbuf_str(&what), NULL, strbuf_str(&text));
		}
		strbuf_free(&what);
		strbuf_free(&text);
	}
}

void print_map(struct session *s, const char *map, const char *what)
{
	struct strbuf text = {};
	char why[256];
	int err = map_text(s, map, &text);

	note_action(s, what, map_error(err, map, why, sizeof(why)), err ? NULL : strbuf_str(&text));
	strbuf_free(&text);
}

/* The first scheduler has all that --print names, its successors need not. */
static void print_if_there(struct session *s, const char *map)
{
	struct strbuf what = {}, text = {};
	char why[256];
	int err = map_text(s, map, &text);

	strbuf_printf(&what, "print=%s", map);
	if (err != -ENOENT)
		note_action(s, strbuf_str(&what), map_error(err, map, why, sizeof(why)),
			    err ? NULL : strbuf_str(&text));
	strbuf_free(&what);
	strbuf_free(&text);
}

void print_last(struct session *s)
{
	const struct text_list *maps = &s->plan->options.print;
	const char *name;

	for (u32 i = 0; i < maps->nr; i++)
		print_if_there(s, maps->items[i]);
	for (u32 i = 0; s->plan->print_all && s->loader && (name = loader_map_name(s->loader, i)); i++)
		print_if_there(s, name);
}
