/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running make for minutes: what it says goes into a log, and what of it tells
 * how far it is to whoever wants to show that.
 */
#ifndef VRT_VM_MAKE_H
#define VRT_VM_MAKE_H

#include "../base/util.h"

struct strbuf;

struct make_job {
	char *const *argv;
	const char *log; /* file, appended to */
	u32 expected; /* steps, about; those that the log has already count */
	/* NULL: nobody wants to know. @total is at least @done. @step: "CC kernel/fork.o" */
	void (*progress)(u32 done, u32 total, const char *step);
};

/*
 * Runs it to its end; it has no input. 0, or -errno and the end of the log in @err.
 * -EINTR: SIGINT, SIGTERM or SIGHUP came; make was told to end, too, and has. It
 * ends as well when this process does.
 */
int make_run(const struct make_job *job, char *err, size_t err_size);

/*
 * From make_catch_signals() to make_release_signals() these signals only end the
 * commands that run; those that were ignored stay so. make_signal(): the one that
 * came, or 0.
 */
void make_catch_signals(void);
int make_signal(void);
void make_release_signals(void);

/*
 * Is @line a step of a kernel's build ("  CC      kernel/fork.o")? Then @step
 * becomes its text with single spaces, and absolute paths without the directory.
 */
bool make_is_step(const char *line, struct strbuf *step);

/* The last @nr lines of a file. */
void make_log_tail(const char *log, u32 nr, struct strbuf *out);

#endif
