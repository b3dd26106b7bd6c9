// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds a panic in the text of a console:
 *
 *	[    3.71] BUG: kernel NULL pointer dereference, address: 0000000000000000
 *	[    3.71] RIP: 0010:sysrq_handle_crash+0x12/0x20
 *	[    3.71] Call Trace:
 *	[    3.71]  <TASK>
 *	[    3.71]  __handle_sysrq+0x9b/0x150
 *	[    3.71]  </TASK>
 *	[    3.72] Kernel panic - not syncing: Fatal exception
 */
#include <string.h>

#include "../base/strbuf.h"
#include "panic.h"

#define PANIC "Kernel panic - not syncing:"
#define MAX_FRAMES 24
#define MAX_LINE 300

/* A line without the time in front and white space at its ends. False: there are no more. */
static bool next_line(const char **text, char *line)
{
	size_t len = strcspn(*text, "\n"), n;
	const char *p = *text, *end = p + len, *close;

	if (!**text)
		return false;
	*text = end + (*end != '\0');
	close = *p == '[' ? memchr(p, ']', (size_t)(end - p)) : NULL;
	if (close && strspn(p + 1, " 0123456789.T") == (size_t)(close - p - 1))
		p = close + 1;
	while (p < end && *p == ' ')
		p++;
	while (end > p && (end[-1] == '\r' || end[-1] == ' '))
		end--;
	n = min((size_t)(end - p), (size_t)MAX_LINE - 1);
	memcpy(line, p, n);
	line[n] = '\0';
	return true;
}

/* What kernels call what they do not survive. */
static bool is_oops(const char *line)
{
	static const char *const beginnings[] = {
		"BUG: ", "Oops: ", "general protection fault", "kernel BUG at ", "Internal error: ",
		"watchdog: BUG: ",
	};

	for (u32 i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (!strncmp(line, beginnings[i], strlen(beginnings[i])))
			return true;
	return false;
}

static const char *panic_in(const char *line)
{
	const char *found = strstr(line, PANIC);

	/* "---[ end Kernel panic - not syncing: ... ]---" says it again */
	if (!found || !strncmp(line, "---[", 4))
		return NULL;
	found += strlen(PANIC);
	return found + strspn(found, " ");
}

/* The frames below "Call Trace:"; a frame is a name with its offset. */
static void put_trace(const char *text, struct strbuf *out)
{
	char line[MAX_LINE];
	u32 nr = 0;

	while (next_line(&text, line)) {
		if (*line == '<')
			continue;
		if (!strstr(line, "+0x"))
			return;
		if (!strncmp(line, "? ", 2))
			continue; /* was on the stack, and may mean nothing */
		if (nr++ == MAX_FRAMES) {
			strbuf_puts(out, "    ...\n");
			return;
		}
		strbuf_printf(out, "    %s\n", line);
	}
}

bool panic_find(const char *console, struct strbuf *out)
{
	struct strbuf causes = {}, trace = {};
	const char *text = console, *what = NULL;
	bool inside = false; /* something has happened: what follows is about it */
	char line[MAX_LINE];

	while (!what && next_line(&text, line)) {
		what = panic_in(line);
		if (is_oops(line) && causes.len < MAX_LINE)
			strbuf_printf(&causes, "  %s\n", line);
		else if (inside && !strncmp(line, "RIP: ", 5) && !trace.len)
			strbuf_printf(&causes, "  %s\n", line);
		inside |= is_oops(line);
		if (inside && !strcmp(line, "Call Trace:") && !trace.len)
			put_trace(text, &trace);
	}
	if (what)
		strbuf_printf(out, "%s\n%s", what, strbuf_str(&causes));
	/* without an oops the panic's own */
	while (what && !trace.len && next_line(&text, line))
		if (!strcmp(line, "Call Trace:"))
			put_trace(text, &trace);
	if (what && trace.len)
		strbuf_printf(out, "  backtrace:\n%s", strbuf_str(&trace));
	strbuf_free(&causes);
	strbuf_free(&trace);
	return what != NULL;
}
