// SPDX-License-Identifier: GPL-2.0-only
/*
 * Formatted text of programs: bpf_printk(), bpf_snprintf() and the *_bstr()
 * kfuncs. What may be in a format, and what is refused with which error, is
 * Linux's bpf_bprintf_prepare(); the text is what its bstr_printf() makes.
 *
 * Pointers are printed as they are: addresses of the simulated kernel are no
 * secret, and the same in every run.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "helpers/helpers.h"

#define MAX_WIDTH 4096
#define MAX_TRACE_ARGS 3 /* of bpf_trace_printk() */

/* --- output ----------------------------------------------------------------------- */

struct out {
	char *buf;
	u64 size, len; /* len counts what did not fit, too */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_text(struct out *o, const char *s, u64 n)
{
	u64 i;

	for (i = 0; i < n; i++)
		put(o, s[i]);
}

static void finish(struct out *o)
{
	if (o->size)
		o->buf[min(o->len, o->size - 1)] = '\0';
}

/* A conversion: flags, width, and what it is. */
struct spec {
	bool zero, plus, minus, space;
	u32 width;
	u32 bytes; /* integers: 4 or 8 */
	char conv; /* the letter; 'p' for pointers, whose kind is @ext */
	char ext[3];
};

static void put_padded(struct out *o, const struct spec *s, const char *sign, const char *text)
{
	u32 n = (u32)(strlen(sign) + strlen(text)), pad = s->width > n ? s->width - n : 0;

	if (!s->minus && !s->zero)
		for (; pad; pad--)
			put(o, ' ');
	put_text(o, sign, strlen(sign));
	if (!s->minus)
		for (; pad; pad--)
			put(o, '0');
	put_text(o, text, strlen(text));
	for (; pad; pad--)
		put(o, ' ');
}

static void put_integer(struct out *o, const struct spec *s, u64 v)
{
	bool negative = false;
	const char *sign = "";
	char text[24];

	if (s->conv == 'd' || s->conv == 'i') {
		s64 signed_v = s->bytes == 8 ? (s64)v : (s32)v;

		negative = signed_v < 0;
		v = negative ? -(u64)signed_v : (u64)signed_v;
		sign = negative ? "-" : s->plus ? "+" : s->space ? " " : "";
	} else if (s->bytes == 4) {
		v = (u32)v;
	}
	snprintf(text, sizeof(text), s->conv == 'x' ? "%llx" : s->conv == 'X' ? "%llX" : "%llu", v);
	put_padded(o, s, sign, text);
}

/* Of how many bytes at @addr, of which @have are there; without its NUL. */
static u64 string_len(u64 addr, u64 have)
{
	u64 n = have ? strnlen((const char *)addr, have) : 0;

	return n < have ? n : 0;
}

static void put_string(struct out *o, const struct spec *s, u64 addr, u64 have)
{
	u64 len = string_len(addr, have), pad = s->width > len ? s->width - len : 0;

	if (!s->minus)
		for (; pad; pad--)
			put(o, ' ');
	put_text(o, (const char *)addr, len);
	for (; pad; pad--)
		put(o, ' ');
}

static void put_ip(struct out *o, const struct spec *s, u64 addr)
{
	u8 ip[16];
	char text[48] = "";
	bool lead = s->ext[0] == 'i'; /* %pi4: leading zeros; %pi6: no colons */
	u32 i, n = 0;

	bpf_probe_read(ip, addr, s->ext[1] == '4' ? 4 : 16);
	if (s->ext[1] == '4')
		snprintf(text, sizeof(text), lead ? "%03u.%03u.%03u.%03u" : "%u.%u.%u.%u", ip[0],
			 ip[1], ip[2], ip[3]);
	else
		for (i = 0; i < 16; i += 2)
			n += (u32)snprintf(text + n, sizeof(text) - n, "%s%02x%02x",
					   i && !lead ? ":" : "", ip[i], ip[i + 1]);
	put_text(o, text, strlen(text));
}

static void put_pointer(struct out *o, const struct spec *s, u64 v)
{
	char text[24];

	switch (s->ext[0]) {
	case 'i':
	case 'I':
		put_ip(o, s, v);
		return;
	case 'k':
	case 'u':
		put_string(o, s, v, s->ext[0] == 'k' ? bpf_probe_size(v) :
						     bpf_probe_user_size(v));
		return;
	case 'B':
	case 's':
	case 'S': /* symbols: there are none */
		snprintf(text, sizeof(text), "0x%llx", v);
		break;
	default:
		snprintf(text, sizeof(text), "%016llx", v);
		break;
	}
	put_padded(o, s, "", text);
}

static void put_conversion(struct out *o, const struct spec *s, u64 v)
{
	switch (s->conv) {
	case 'p':
		put_pointer(o, s, v);
		break;
	case 's':
		/* an address is of one or the other, as on x86 */
		put_string(o, s, v, bpf_probe_size(v) + bpf_probe_user_size(v));
		break;
	case 'c': {
		char text[2] = { (char)v };
		struct spec plain = { .minus = s->minus, .width = s->width };

		if (text[0])
			put_padded(o, &plain, "", text);
		else
			put(o, '\0');
		break;
	}
	default:
		put_integer(o, s, v);
		break;
	}
}

/* --- formats ------------------------------------------------------------------------ */

static bool ends_here(char c)
{
	return !c || isspace((unsigned char)c) || ispunct((unsigned char)c);
}

/* The end of "%p...", or NULL. @p is after the 'p'. */
static const char *parse_pointer(const char *p, struct spec *s)
{
	s->conv = 'p';
	if (ends_here(*p))
		return p;
	if ((*p == 'k' || *p == 'u') && p[1] == 's') {
		s->ext[0] = *p;
		return ends_here(p[2]) ? p + 2 : NULL;
	}
	if (strchr("KxsSB", *p)) {
		s->ext[0] = *p;
		return p + 1;
	}
	if ((*p == 'i' || *p == 'I') && (p[1] == '4' || p[1] == '6')) {
		s->ext[0] = *p;
		s->ext[1] = p[1];
		return p + 2;
	}
	return NULL;
}

/* The end of the conversion that starts after the '%' at @p; NULL if it is not allowed. */
static const char *parse_spec(const char *p, struct spec *s)
{
	*s = (struct spec){ .bytes = 4 };
	for (; *p == '0' || *p == '+' || *p == '-' || *p == ' '; p++) {
		s->zero |= *p == '0';
		s->plus |= *p == '+';
		s->minus |= *p == '-';
		s->space |= *p == ' ';
	}
	for (; isdigit((unsigned char)*p); p++)
		s->width = min(s->width * 10 + (u32)(*p - '0'), (u32)MAX_WIDTH);
	if (*p == 'p')
		return parse_pointer(p + 1, s);
	if (*p == 's' || *p == 'c') {
		s->conv = *p;
		return *p == 'c' || ends_here(p[1]) ? p + 1 : NULL;
	}
	for (; *p == 'l'; p++) {
		if (s->bytes == 8 && p[-2] == 'l')
			return NULL;
		s->bytes = 8;
	}
	if (!*p || !strchr("idxXu", *p))
		return NULL;
	s->conv = *p;
	return p + 1;
}

/* Goes through @fmt, which is NUL-terminated. @args NULL: only looks whether it can be right. */
static int walk(struct out *o, const char *fmt, const u64 *args, u32 nr_args)
{
	struct spec s;
	const char *p;
	u32 arg = 0;

	for (p = fmt; *p;) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x80 && !isprint(c) && !isspace(c))
			return -EINVAL;
		if (c != '%' || p[1] == '%') {
			p += 1 + (c == '%');
			put(o, (char)c);
			continue;
		}
		if (arg >= nr_args)
			return -EINVAL;
		p = parse_spec(p + 1, &s);
		if (!p)
			return -EINVAL;
		if (args)
			put_conversion(o, &s, args[arg]);
		arg++;
	}
	return 0;
}

int bpf_printf_check(const char *fmt, u32 nr_args)
{
	struct out nowhere = { 0 };

	return walk(&nowhere, fmt, NULL, nr_args);
}

/*
 * The length of the text, what did not fit included, or -EINVAL. Nothing is
 * written before the whole format has been checked.
 */
static long format(char *buf, u64 size, const char *fmt, const u64 *args, u32 nr_args)
{
	struct out o = { .buf = buf, .size = size };
	int err = bpf_printf_check(fmt, nr_args);

	if (err)
		return err;
	walk(&o, fmt, args, nr_args);
	finish(&o);
	return (long)min(o.len, (u64)INT_MAX);
}

int bpf_bstr_format(char *out, size_t size, const char *fmt, const u64 *data, u32 data_sz)
{
	u64 args[BPF_PRINTF_MAX_ARGS];

	if (data_sz % 8 || data_sz > sizeof(args) || (data_sz && !data))
		return -EINVAL;
	if (bpf_probe_strlen((u64)fmt) < 0)
		return -EFAULT;
	if (data_sz && bpf_probe_read(args, (u64)data, data_sz))
		return -EFAULT;
	return (int)format(out, size, fmt, args, data_sz / 8);
}

/* --- helpers --------------------------------------------------------------------------- */

BPF_HELPER(snprintf)
{
	long n;

	if (a5 % 8 || a5 > BPF_PRINTF_MAX_ARGS * 8 || (a5 && !a4))
		return (u64)-EINVAL;
	n = format((char *)a1, a2, (const char *)a3, (const u64 *)a4, (u32)a5 / 8);
	return (u64)(n < 0 ? n : n + 1);
}

/* A format of @size bytes as a line to the environment. */
static long trace(const char *fmt, u64 size, const u64 *args, u32 nr_args)
{
	char line[BPF_PRINTF_BUF];
	long n;

	if (strnlen(fmt, size) == size)
		return -EINVAL;
	n = format(line, sizeof(line), fmt, args, nr_args);
	if (n < 0)
		return n;
	n = min(n, (long)sizeof(line) - 1);
	if (n && line[n - 1] == '\n')
		line[n - 1] = '\0';
	if (bpf_env->printk)
		bpf_env->printk(line);
	return n;
}

BPF_HELPER(trace_printk)
{
	u64 args[MAX_TRACE_ARGS] = { a3, a4, a5 };

	return (u64)trace((const char *)a1, a2, args, MAX_TRACE_ARGS);
}

BPF_HELPER(trace_vprintk)
{
	if (a4 % 8 || a4 > BPF_PRINTF_MAX_ARGS * 8 || (a4 && !a3))
		return (u64)-EINVAL;
	return (u64)trace((const char *)a1, a2, (const u64 *)a3, (u32)a4 / 8);
}
