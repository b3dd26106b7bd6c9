/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Growing strings. A zeroed struct strbuf is an empty string. The text is
 * always terminated; strbuf_str() of an empty one is "".
 */
#ifndef VRT_BASE_STRBUF_H
#define VRT_BASE_STRBUF_H

#include <stdarg.h>

#include "util.h"

struct strbuf {
	char *data; /* malloc'd, NULL while nothing was added */
	size_t len, cap;
};

__printf(2, 3) void strbuf_printf(struct strbuf *sb, const char *fmt, ...);
void strbuf_vprintf(struct strbuf *sb, const char *fmt, va_list args);
/* Bytes, zero bytes included. */
void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_puts(struct strbuf *sb, const char *s);
void strbuf_putc(struct strbuf *sb, char c);
/* Empty, but keeps its memory. */
void strbuf_reset(struct strbuf *sb);
void strbuf_free(struct strbuf *sb);
/* The text becomes the caller's to free(); @sb is empty again. Never NULL. */
char *strbuf_detach(struct strbuf *sb);

static inline const char *strbuf_str(const struct strbuf *sb)
{
	return sb->data ? sb->data : "";
}

#endif
