// SPDX-License-Identifier: GPL-2.0-only
/* Growing strings: capacity doubles, so that adding is O(1) on average. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "strbuf.h"

/* Room for @len more bytes and the terminator. */
static void reserve(struct strbuf *sb, size_t len)
{
	size_t cap = sb->cap ? sb->cap : 64;

	VRT_ASSERT(len < SIZE_MAX / 4 - sb->len);
	while (cap < sb->len + len + 1)
		cap *= 2;
	if (cap == sb->cap)
		return;
	sb->data = xreallocarray(sb->data, cap, 1);
	sb->cap = cap;
}

void strbuf_vprintf(struct strbuf *sb, const char *fmt, va_list args)
{
	va_list again;
	int len;

	reserve(sb, 0);
	va_copy(again, args);
	len = vsnprintf(sb->data + sb->len, sb->cap - sb->len, fmt, args);
	VRT_ASSERT(len >= 0);
	if ((size_t)len >= sb->cap - sb->len) {
		reserve(sb, len);
		vsnprintf(sb->data + sb->len, sb->cap - sb->len, fmt, again);
	}
	va_end(again);
	sb->len += len;
}

void strbuf_printf(struct strbuf *sb, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(sb, fmt, args);
	va_end(args);
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	reserve(sb, len);
	if (len)
		memcpy(sb->data + sb->len, data, len);
	sb->len += len;
	sb->data[sb->len] = '\0';
}

void strbuf_puts(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_putc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_reset(struct strbuf *sb)
{
	sb->len = 0;
	if (sb->data)
		sb->data[0] = '\0';
}

void strbuf_free(struct strbuf *sb)
{
	free(sb->data);
	*sb = (struct strbuf){};
}

char *strbuf_detach(struct strbuf *sb)
{
	char *text;

	reserve(sb, 0);
	text = sb->data;
	text[sb->len] = '\0';
	*sb = (struct strbuf){};
	return text;
}
