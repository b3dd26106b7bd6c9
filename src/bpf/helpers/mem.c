// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers on memory and strings. Simulated tasks have no memory but what they
 * pass to system calls.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "helpers.h"

BPF_HELPER(probe_read_kernel)
{
	return (u64)(s64)bpf_probe_read((void *)a1, a3, a2);
}

long bpf_probe_strlen(u64 str)
{
	u64 size = bpf_probe_size(str);
	const char *end = size ? memchr((const void *)str, '\0', size) : NULL;

	return end ? end - (const char *)str : -EINVAL;
}

/*
 * The string with its NUL, of which @have bytes are there, cut to fit; its length
 * with NUL. Nothing there: -EFAULT.
 */
static u64 read_str(char *dst, u64 size, u64 addr, u64 have)
{
	u64 n;

	if (!size)
		return 0;
	n = have ? strnlen((const char *)addr, min(have, size)) : 0;
	if (n == have && n < size) { /* is not there, or runs out of the object */
		memset(dst, 0, size);
		return (u64)-EFAULT;
	}
	n = min(n, size - 1);
	memcpy(dst, (const void *)addr, n);
	dst[n] = '\0';
	return n + 1;
}

BPF_HELPER(probe_read_kernel_str)
{
	return read_str((char *)a1, a2, a3, bpf_probe_size(a3));
}

BPF_HELPER(probe_read_user)
{
	return (u64)(s64)bpf_probe_read_user((void *)a1, a3, a2);
}

BPF_HELPER(probe_read_user_str)
{
	return read_str((char *)a1, a2, a3, bpf_probe_user_size(a3));
}

/* From before there were two: whichever the address is of, as on x86-64. */
BPF_HELPER(probe_read)
{
	return bpf_probe_user_size(a3) ? helper_probe_read_user(a1, a2, a3, a4, a5) :
					 helper_probe_read_kernel(a1, a2, a3, a4, a5);
}

BPF_HELPER(probe_read_str)
{
	return bpf_probe_user_size(a3) ? helper_probe_read_user_str(a1, a2, a3, a4, a5) :
					 helper_probe_read_kernel_str(a1, a2, a3, a4, a5);
}

BPF_HELPER(copy_from_user)
{
	return (u64)(s64)bpf_probe_read_user((void *)a1, a3, a2);
}

BPF_HELPER(strncmp)
{
	const unsigned char *s = (const unsigned char *)a1, *t = (const unsigned char *)a3;
	u64 i;

	for (i = 0; i < a2; i++) {
		if (s[i] != t[i])
			return (u64)(s64)(s[i] < t[i] ? -1 : 1);
		if (!s[i])
			break;
	}
	return 0;
}

/* --- numbers in text --------------------------------------------------------------------- */

#define BASE_MASK 0x1fULL

struct number {
	u64 value;
	bool negative;
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* As strtoull(): blanks, sign, prefix, digits. Bytes used, -EINVAL, or -ERANGE. */
static long parse_number(const char *buf, u64 len, u64 flags, bool sign, struct number *res)
{
	u64 base = flags & BASE_MASK, pos = 0, start;

	if (!len || flags & ~BASE_MASK || (base && base != 8 && base != 10 && base != 16))
		return -EINVAL;
	while (pos < len && (buf[pos] == ' ' || (buf[pos] >= '\t' && buf[pos] <= '\r')))
		pos++;
	*res = (struct number){ 0 };
	if (sign && pos < len && buf[pos] == '-') {
		res->negative = true;
		pos++;
	}
	if ((!base || base == 16) && pos + 2 < len && buf[pos] == '0' &&
	    (buf[pos + 1] | 0x20) == 'x' && digit(buf[pos + 2]) < 16) {
		base = 16;
		pos += 2;
	}
	if (!base)
		base = pos < len && buf[pos] == '0' ? 8 : 10;
	for (start = pos; pos < len && digit(buf[pos]) < (int)base; pos++)
		if (__builtin_mul_overflow(res->value, base, &res->value) ||
		    __builtin_add_overflow(res->value, (u64)digit(buf[pos]), &res->value))
			return -ERANGE;
	return pos == start ? -EINVAL : (long)pos;
}

BPF_HELPER(strtol)
{
	struct number n = { 0 };
	long used = parse_number((const char *)a1, a2, a3, true, &n);
	u64 limit = n.negative ? (u64)LLONG_MAX + 1 : LLONG_MAX;
	s64 v;

	if (used < 0)
		return (u64)used;
	if (n.value > limit)
		return (u64)-ERANGE;
	v = (s64)(n.negative ? -n.value : n.value);
	memcpy((void *)a4, &v, sizeof(v));
	return (u64)used;
}

BPF_HELPER(strtoul)
{
	struct number n = { 0 };
	long used = parse_number((const char *)a1, a2, a3, true, &n);

	if (used < 0)
		return (u64)used;
	if (n.negative)
		return (u64)-EINVAL;
	memcpy((void *)a4, &n.value, sizeof(n.value));
	return (u64)used;
}
