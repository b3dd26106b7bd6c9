// SPDX-License-Identifier: GPL-2.0-only
/* Formatting of figures. */
#include "figures.h"

#include <stdio.h>

char *figure_ratio(u64 num, u64 den, u32 digits, char *buf, size_t size)
{
	unsigned __int128 scaled = num;
	u64 scale = 1, value;
	u32 i;

	for (i = 0; i < digits; i++)
		scale *= 10;
	value = den ? (u64)(scaled * scale / den) : 0;
	if (digits)
		snprintf(buf, size, "%llu.%0*llu", value / scale, (int)digits, value % scale);
	else
		snprintf(buf, size, "%llu", value);
	return buf;
}

void figure_latencies(const struct hist *h, const char *what, u64 runtime, u32 i, char *buf,
		      size_t size)
{
	static const struct {
		const char *label;
		u32 permille;
	} quantiles[] = {
		{ "  50.0th", 500 }, { "  90.0th", 900 }, { "* 99.0th", 990 }, { "  99.9th", 999 }
	};
	char seconds[32], us[32];

	if (i == 0)
		snprintf(buf, size,
			 "%s Latencies percentiles (usec) runtime %s (s) (%llu total samples)",
			 what,
			 figure_ratio(runtime + NSEC_PER_SEC / 20, NSEC_PER_SEC, 1, seconds,
				      sizeof(seconds)),
			 h->count);
	else if (i <= ARRAY_SIZE(quantiles))
		snprintf(buf, size, "        %s: %s", quantiles[i - 1].label,
			 figure_ratio(hist_quantile(h, quantiles[i - 1].permille, HIST_PERMILLE),
				      NSEC_PER_USEC, 1, us, sizeof(us)));
	else
		snprintf(buf, size, "          min=%s, max=%s",
			 figure_ratio(h->min, NSEC_PER_USEC, 1, seconds, sizeof(seconds)),
			 figure_ratio(h->max, NSEC_PER_USEC, 1, us, sizeof(us)));
}
