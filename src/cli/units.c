// SPDX-License-Identifier: GPL-2.0-only
/* Figures as people write and read them; see units.h. */
#include "units.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int parse_ratio(const char *text, u64 *ppm)
{
	size_t n = parse_decimal(text, 4, ppm);

	if (n && !strcmp(text + n, "%"))
		return 0;
	n = parse_decimal(text, 6, ppm);
	return n && !text[n] ? 0 : -EINVAL;
}

int parse_milli(const char *text, u64 *milli)
{
	static const struct {
		const char *suffix;
		u32 digits;
	} forms[] = { { "", 3 }, { "k", 6 }, { "M", 9 }, { "G", 12 } };

	for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t n = parse_decimal(text, forms[i].digits, milli);

		if (n && !strcmp(text + n, forms[i].suffix))
			return 0;
	}
	return -EINVAL;
}

/* Three significant digits of @value / @scale. */
static void three_digits(u64 value, u64 scale, const char *unit, char *buf, size_t size)
{
	u64 whole = value / scale, rest = value % scale;

	if (whole >= 100)
		snprintf(buf, size, "%llu%s", whole, unit);
	else if (whole >= 10)
		snprintf(buf, size, "%llu.%llu%s", whole, rest / (scale / 10), unit);
	else
		snprintf(buf, size, "%llu.%02llu%s", whole, rest / (scale / 100), unit);
}

char *human_ns(u64 ns, char *buf, size_t size)
{
	if (ns < NSEC_PER_USEC)
		snprintf(buf, size, "%llu ns", ns);
	else if (ns < NSEC_PER_MSEC)
		three_digits(ns, NSEC_PER_USEC, " us", buf, size);
	else if (ns < NSEC_PER_SEC)
		three_digits(ns, NSEC_PER_MSEC, " ms", buf, size);
	else
		three_digits(ns, NSEC_PER_SEC, " s", buf, size);
	return buf;
}

char *human_milli(u64 milli, char *buf, size_t size)
{
	if (milli < 100000 && milli % 1000)
		three_digits(milli, 1000, "", buf, size);
	else if (milli < 10000000)
		snprintf(buf, size, "%llu", milli / 1000);
	else if (milli < 1000000000)
		three_digits(milli, 1000000, "k", buf, size);
	else if (milli < 1000000000000)
		three_digits(milli, 1000000000, "M", buf, size);
	else
		three_digits(milli, 1000000000000, "G", buf, size);
	return buf;
}

char *human_ppm(u64 ppm, char *buf, size_t size)
{
	if (ppm < 100000)
		snprintf(buf, size, "%llu.%02llu%%", ppm / 10000, ppm % 10000 / 100);
	else
		snprintf(buf, size, "%llu.%llu%%", ppm / 10000, ppm % 10000 / 1000);
	return buf;
}
