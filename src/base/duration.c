// SPDX-License-Identifier: GPL-2.0-only
/* Durations as people write them; see duration.h. */
#include "duration.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* value * factor + add, at most U64_MAX */
static u64 muladd(u64 value, u64 factor, u64 add)
{
	u64 result;

	if (__builtin_mul_overflow(value, factor, &result) ||
	    __builtin_add_overflow(result, add, &result))
		return ~0ULL;
	return result;
}

size_t parse_decimal(const char *s, u32 digits, u64 *value)
{
	size_t n = 0;
	u64 v = 0;

	if (!isdigit((unsigned char)s[0]))
		return 0;
	for (; isdigit((unsigned char)s[n]); n++)
		v = muladd(v, 10, s[n] - '0');
	if (s[n] == '.' && isdigit((unsigned char)s[n + 1])) {
		for (n++; isdigit((unsigned char)s[n]) && digits; n++, digits--)
			v = muladd(v, 10, s[n] - '0');
		if (isdigit((unsigned char)s[n]))
			return 0;
	}
	for (; digits; digits--)
		v = muladd(v, 10, 0);
	*value = v;
	return n;
}

size_t parse_time(const char *s, u64 unit, u64 *ns)
{
	static const struct {
		const char *name;
		u64 ns;
	} units[] = {
		{ "ns", 1 }, { "us", NSEC_PER_USEC }, { "ms", NSEC_PER_MSEC }, { "s", NSEC_PER_SEC }
	};
	u64 billionths;
	size_t n = parse_decimal(s, 9, &billionths), len = 0;
	u32 i;

	if (!n)
		return 0;
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		len = strlen(units[i].name);
		if (!strncmp(s + n, units[i].name, len))
			break;
	}
	if (i < ARRAY_SIZE(units)) {
		unit = units[i].ns;
		n += len;
	} else if (!unit) {
		return 0;
	}
	if (billionths == ~0ULL) /* more than 18 s of ns: count in whole units */
		*ns = parse_decimal(s, 0, &billionths) ? muladd(billionths, unit, 0) : ~0ULL;
	else
		*ns = (u64)((unsigned __int128)billionths * unit / NSEC_PER_SEC);
	return n;
}

char *format_time(u64 ns, char *buf, size_t size)
{
	const char *unit = "s";
	u64 scale = NSEC_PER_SEC;
	char *end;

	if (ns < NSEC_PER_USEC) {
		unit = "ns";
		scale = 1;
	} else if (ns < NSEC_PER_MSEC) {
		unit = "us";
		scale = NSEC_PER_USEC;
	} else if (ns < NSEC_PER_SEC) {
		unit = "ms";
		scale = NSEC_PER_MSEC;
	}
	snprintf(buf, size, "%llu.%03llu", ns / scale, ns % scale * 1000 / scale);
	for (end = buf + strlen(buf); end[-1] == '0'; end--)
		;
	if (end[-1] == '.')
		end--;
	snprintf(end, size - (end - buf), "%s", unit);
	return buf;
}

int parse_duration(const char *text, u64 *ns)
{
	size_t n = parse_time(text, 0, ns);
	u64 thousandths;

	if (n)
		return text[n] ? -EINVAL : 0;
	n = parse_decimal(text, 3, &thousandths);
	if (!n || strcmp(text + n, "m") || thousandths > ~0ULL / (60 * NSEC_PER_MSEC))
		return -EINVAL;
	*ns = thousandths * 60 * NSEC_PER_MSEC;
	return 0;
}
