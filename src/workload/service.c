// SPDX-License-Identifier: GPL-2.0-only
/* Parsing and drawing of service times; integers only. */
#include "service.h"

#include <errno.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/error.h"

#define ALL 1000000ULL /* 100% in millionths */

/* "10us" or "exp:10us"; returns what follows it, or NULL. */
static const char *parse_part_time(struct service_part *part, const char *text)
{
	size_t n;

	part->exponential = !strncmp(text, "exp:", 4);
	if (part->exponential)
		text += 4;
	n = parse_time(text, 0, &part->ns);
	return n && part->ns && part->ns <= SERVICE_MAX_NS ? text + n : NULL;
}

/* A percentage and a time; returns what follows them, or NULL. */
static const char *parse_part(struct service_part *part, const char *text)
{
	size_t n = parse_decimal(text, 4, &part->millionths);

	if (!n || text[n] != ':' || !part->millionths || part->millionths > ALL)
		return NULL;
	return parse_part_time(part, text + n + 1);
}

int service_parse(struct service *s, const char *text, char *err, size_t err_size)
{
	const char *rest = parse_part_time(&s->part[0], text), *at = text;
	u64 total = 0;

	s->nr_parts = 1;
	s->part[0].millionths = ALL;
	if (rest && !*rest)
		return 0;
	for (s->nr_parts = 0; s->nr_parts < SERVICE_MAX_PARTS; at = rest + 1) {
		struct service_part *part = &s->part[s->nr_parts++];

		rest = parse_part(part, at);
		if (!rest || (*rest && *rest != ','))
			return vrt_error(err, err_size, -EINVAL,
					 "expected a time such as 10us or exp:10us, or percentages "
					 "with times such as 99.5:4us,0.5:10ms; cannot read \"%s\"",
					 at);
		total += part->millionths;
		part->millionths = total;
		if (*rest)
			continue;
		if (total != ALL)
			return vrt_error(err, err_size, -EINVAL,
					 "the percentages in \"%s\" add up to %llu.%04llu instead "
					 "of 100",
					 text, total / 10000, total % 10000);
		return 0;
	}
	return vrt_error(err, err_size, -EINVAL, "more than %u parts in \"%s\"", SERVICE_MAX_PARTS,
			 text);
}

u64 service_draw(const struct service *s, struct rng *rng)
{
	u64 n = rng_below(rng, ALL), ns;
	u32 i = 0;

	while (n >= s->part[i].millionths)
		i++;
	ns = s->part[i].ns;
	if (s->part[i].exponential)
		ns = rng_exponential(rng, ns);
	return ns ? ns : 1;
}

u64 service_mean(const struct service *s)
{
	unsigned __int128 sum = 0;
	u64 before = 0;
	u32 i;

	for (i = 0; i < s->nr_parts; i++) {
		sum += (unsigned __int128)(s->part[i].millionths - before) * s->part[i].ns;
		before = s->part[i].millionths;
	}
	return (u64)(sum / ALL);
}
