// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on CPU masks. Bits at or above nr_cpu_ids are never written as
 * set and never counted when read, whoever may have put them there.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "cpumask.h"

u32 nr_cpu_ids = VRT_NR_CPUS;

/* Word @i without the bits beyond the machine. */
static inline u64 valid_bits(u32 i)
{
	u32 rest = nr_cpu_ids - i * VRT_BITS_PER_LONG;

	return rest >= VRT_BITS_PER_LONG ? ~0UL : (1UL << rest) - 1;
}

void cpumask_clear(struct cpumask *m)
{
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		m->bits[i] = 0;
}

void cpumask_setall(struct cpumask *m)
{
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		m->bits[i] = valid_bits(i);
}

void cpumask_copy(struct cpumask *dst, const struct cpumask *src)
{
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		dst->bits[i] = src->bits[i];
}

bool cpumask_and(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b)
{
	u64 any = 0;

	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		any |= dst->bits[i] = a->bits[i] & b->bits[i] & valid_bits(i);
	return any;
}

bool cpumask_andnot(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b)
{
	u64 any = 0;

	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		any |= dst->bits[i] = a->bits[i] & ~b->bits[i] & valid_bits(i);
	return any;
}

void cpumask_or(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b)
{
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		dst->bits[i] = (a->bits[i] | b->bits[i]) & valid_bits(i);
}

void cpumask_xor(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b)
{
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		dst->bits[i] = (a->bits[i] ^ b->bits[i]) & valid_bits(i);
}

bool cpumask_empty(const struct cpumask *m)
{
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		if (m->bits[i] & valid_bits(i))
			return false;
	return true;
}

bool cpumask_full(const struct cpumask *m)
{
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		if (~m->bits[i] & valid_bits(i))
			return false;
	return true;
}

bool cpumask_equal(const struct cpumask *a, const struct cpumask *b)
{
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		if ((a->bits[i] ^ b->bits[i]) & valid_bits(i))
			return false;
	return true;
}

bool cpumask_intersects(const struct cpumask *a, const struct cpumask *b)
{
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		if (a->bits[i] & b->bits[i] & valid_bits(i))
			return true;
	return false;
}

bool cpumask_subset(const struct cpumask *a, const struct cpumask *b)
{
	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		if (a->bits[i] & ~b->bits[i] & valid_bits(i))
			return false;
	return true;
}

u32 cpumask_weight(const struct cpumask *m)
{
	u32 weight = 0;

	for (u32 i = 0; i < NR_MASK_WORDS; i++)
		weight += __builtin_popcountl(m->bits[i] & valid_bits(i));
	return weight;
}

u32 cpumask_next(u32 from, const struct cpumask *m)
{
	return cpumask_next_and(from, m, m);
}

u32 cpumask_next_and(u32 from, const struct cpumask *a, const struct cpumask *b)
{
	u32 i = from / VRT_BITS_PER_LONG, nr = nr_cpu_ids, last;
	u64 word;

	if (from >= nr)
		return nr;
	last = (nr - 1) / VRT_BITS_PER_LONG;
	word = a->bits[i] & b->bits[i] & ~0UL << (from % VRT_BITS_PER_LONG);
	while (!word) {
		if (i == last)
			return nr;
		i++;
		word = a->bits[i] & b->bits[i];
	}
	/* bits behind the last CPU mean nothing */
	return min(i * VRT_BITS_PER_LONG + __builtin_ctzl(word), nr);
}

u32 cpumask_next_and_wrap(u32 from, const struct cpumask *a, const struct cpumask *b)
{
	u32 cpu = cpumask_next_and(from, a, b);

	return cpu < nr_cpu_ids || !from ? cpu : cpumask_next_and(0, a, b);
}

/* A CPU number below nr_cpu_ids. NULL if there is none at @s. */
static const char *parse_cpu(const char *s, u32 *cpu)
{
	u64 value = 0;

	if (!isdigit((unsigned char)*s))
		return NULL;
	for (; isdigit((unsigned char)*s); s++) {
		value = value * 10 + (*s - '0');
		if (value >= nr_cpu_ids)
			return NULL;
	}
	*cpu = value;
	return s;
}

int cpumask_parse_list(const char *list, struct cpumask *m)
{
	const char *s = list, *end;
	u32 first, last;

	cpumask_clear(m);
	while (*s && *s != '\n') {
		end = parse_cpu(s, &first);
		if (!end)
			return s - list + 1;
		last = first;
		if (*end == '-') {
			s = end + 1;
			end = parse_cpu(s, &last);
			if (!end || last < first)
				return s - list + 1;
		}
		for (u32 cpu = first; cpu <= last; cpu++)
			cpumask_set_cpu(cpu, m);
		s = end;
		if (*s == ',' && s[1] && s[1] != '\n')
			s++;
		else if (*s && *s != '\n')
			return s - list + 1;
	}
	return *s && s[1] ? s - list + 2 : 0;
}

/* snprintf() at @pos that never moves past the end of the buffer. */
__printf(4, 5) static int append(char *buf, u64 size, int pos, const char *fmt, ...)
{
	va_list args;
	int len;

	if ((u64)pos >= size)
		return pos;
	va_start(args, fmt);
	len = vsnprintf(buf + pos, size - pos, fmt, args);
	va_end(args);
	return (u64)len < size - pos ? pos + len : (int)size - 1;
}

int cpumask_print_hex(char *buf, u64 size, const struct cpumask *m)
{
	u32 nr_chunks = DIV_ROUND_UP(nr_cpu_ids, 32);
	int pos = 0;

	/* chunks of 32 bits, most significant first; the first is as wide as it must be */
	for (u32 chunk = nr_chunks; chunk-- > 0;) {
		bool top = chunk == nr_chunks - 1;
		u32 bits = top ? nr_cpu_ids - chunk * 32 : 32;
		u64 word = m->bits[chunk / 2] & valid_bits(chunk / 2);

		pos = append(buf, size, pos, "%s%0*x", top ? "" : ",", (int)DIV_ROUND_UP(bits, 4),
			     (u32)(word >> (chunk % 2 * 32)));
	}
	return pos;
}

int cpumask_print_list(char *buf, u64 size, const struct cpumask *m)
{
	u32 first = cpumask_first(m), last;
	int pos = 0;

	pos = append(buf, size, pos, "%s", "");
	while (first < nr_cpu_ids) {
		for (last = first; cpumask_test_cpu(last + 1, m);)
			last++;
		pos = append(buf, size, pos, "%s%u", pos ? "," : "", first);
		if (last > first)
			pos = append(buf, size, pos, "-%u", last);
		first = cpumask_next(last + 1, m);
	}
	return pos;
}
