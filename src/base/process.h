/* SPDX-License-Identifier: GPL-2.0-only */
/* Running other programs. */
#ifndef VRT_BASE_PROCESS_H
#define VRT_BASE_PROCESS_H

#include "util.h"

struct strbuf;

/*
 * Runs argv[0], found in PATH unless it has a slash, and collects what it prints
 * (16 MiB of each at most). Its exit status, 128 + the signal that killed it, or
 * -errno when it could not run.
 */
int run_process(char *const *argv, struct strbuf *out, struct strbuf *err);

/* The same for what must succeed: its output without the last newline, to be freed. NULL: @err. */
char *run_for_output(char *const *argv, char *err, size_t err_size);

#endif
