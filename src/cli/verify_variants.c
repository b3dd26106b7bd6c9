// SPDX-License-Identifier: GPL-2.0-only
/*
 * Variants of an object (-G VAR=VALUE): a variable may be given several values,
 * {1,2,8}, {0-7}, {MODE_A,MODE_B}, and each combination of all such is verified.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "verify.h"

#define MAX_VARIANTS 4096

/* The values that one -G gives to its variable. */
struct values {
	const char *text; /* as given */
	char *name;
	bool several;
	char **items;
	u32 nr;
};

static int add_value(struct values *v, const char *text, size_t len, char *err, size_t err_size)
{
	if (v->nr == MAX_VARIANTS)
		return vrt_error(err, err_size, -EINVAL, "--set-global %s: more than %u values", v->text,
				 MAX_VARIANTS);
	v->items = xreallocarray(v->items, v->nr + 1, sizeof(*v->items));
	v->items[v->nr++] = strndup(text, len);
	return 0;
}

/* "3-7", "-2..2": false if it is something else. */
static bool parse_range(const char *text, size_t len, s64 *low, s64 *high)
{
	char *copy = strndup(text, len), *end;
	bool ok = false;

	errno = 0;
	*low = strtoll(copy, &end, 0);
	if (end != copy && (*end == '-' || !strncmp(end, "..", 2))) {
		char *start = end + (*end == '-' ? 1 : 2);

		*high = strtoll(start, &end, 0);
		ok = end != start && !*end && !errno;
	}
	free(copy);
	return ok;
}

static int add_item(struct values *v, const char *text, size_t len, char *err, size_t err_size)
{
	s64 low, high;
	char number[32];
	int ret = 0;

	if (!len)
		return vrt_error(err, err_size, -EINVAL, "--set-global %s: an empty value", v->text);
	if (!parse_range(text, len, &low, &high))
		return add_value(v, text, len, err, err_size);
	if (low > high)
		return vrt_error(err, err_size, -EINVAL, "--set-global %s: the range %.*s is empty",
				 v->text, (int)len, text);
	for (s64 i = low; !ret; i++) {
		snprintf(number, sizeof(number), "%lld", (long long)i);
		ret = add_value(v, number, strlen(number), err, err_size);
		if (i == high)
			break;
	}
	return ret;
}

static int parse_values(struct values *v, const char *text, char *err, size_t err_size)
{
	const char *value = strchr(text, '='), *end;
	int ret = 0;

	*v = (struct values){ .text = text };
	if (!value || value == text)
		return vrt_error(err, err_size, -EINVAL,
				 "--set-global %s: expected VAR=VALUE or 'VAR={VALUE,...}', for instance "
				 "'slice_ns={1000,5000}'", text);
	v->name = strndup(text, (size_t)(value - text));
	value++;
	if (*value != '{')
		return add_value(v, value, strlen(value), err, err_size);
	v->several = true;
	end = strchr(++value, '}');
	if (!end || end[1])
		return vrt_error(err, err_size, -EINVAL, "--set-global %s: expected one '}', at the end",
				 text);
	for (;;) {
		size_t len = strcspn(value, ",}");

		ret = add_item(v, value, len, err, err_size);
		if (ret || value + len == end)
			return ret;
		value += len + 1;
	}
}

static void make_variant(struct verify_variant *variant, const struct values *values, u32 nr,
			 u32 number)
{
	struct strbuf suffix = {};

	/* the last variable changes fastest */
	for (u32 i = nr; i--; number /= values[i].nr) {
		const char *value = values[i].items[number % values[i].nr];
		struct strbuf set = {};

		strbuf_printf(&set, "%s=%s", values[i].name, value);
		variant->set.items[i] = strbuf_detach(&set);
	}
	variant->set.nr = nr;
	for (u32 i = 0; i < nr; i++)
		if (values[i].several)
			strbuf_printf(&suffix, "[%s]", variant->set.items[i]);
	variant->suffix = strbuf_detach(&suffix);
}

int verify_variants_make(struct verify_variants *variants, const struct text_list *globals,
			 char *err, size_t err_size)
{
	struct values *values = xcalloc(globals->nr + 1, sizeof(*values));
	u64 nr = 1;
	int ret = 0;

	for (u32 i = 0; i < globals->nr && !ret; i++) {
		ret = parse_values(&values[i], globals->items[i], err, err_size);
		nr = ret ? 0 : nr * values[i].nr;
		if (nr > MAX_VARIANTS)
			ret = vrt_error(err, err_size, -EINVAL,
					"--set-global: more than %u combinations of values", MAX_VARIANTS);
	}
	if (!ret) {
		variants->nr = (u32)nr;
		variants->items = xcalloc(nr, sizeof(*variants->items));
		for (u32 i = 0; i < nr; i++)
			make_variant(&variants->items[i], values, globals->nr, i);
	}
	for (u32 i = 0; i < globals->nr; i++) {
		while (values[i].nr)
			free(values[i].items[--values[i].nr]);
		free(values[i].items);
		free(values[i].name);
	}
	free(values);
	return ret;
}

void verify_variants_free(struct verify_variants *variants)
{
	while (variants->nr) {
		struct verify_variant *v = &variants->items[--variants->nr];

		while (v->set.nr)
			free((char *)v->set.items[--v->set.nr]);
		free(v->suffix);
	}
	free(variants->items);
	variants->items = NULL;
}

void verify_settings(const struct verify_request *request, struct text_list *set, char **copy)
{
	const struct text_list *more = &request->variant->set;

	scheduler_settings(request->plan, request->object, set, copy);
	for (u32 i = 0; i < more->nr && set->nr < CMDLINE_MAX_LIST; i++)
		set->items[set->nr++] = more->items[i];
}
