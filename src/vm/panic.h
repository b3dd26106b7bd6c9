/* SPDX-License-Identifier: GPL-2.0-only */
/* What a console says about the end of its kernel. */
#ifndef VRT_VM_PANIC_H
#define VRT_VM_PANIC_H

#include "../base/util.h"

struct strbuf;

/*
 * If @console tells of a panic: what it was, what led to it (an oops), and the
 * backtrace of whichever came first, a line each, into @out. False: there was none.
 */
bool panic_find(const char *console, struct strbuf *out);

#endif
