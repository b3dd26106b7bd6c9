// SPDX-License-Identifier: GPL-2.0-only
/* Kernel configurations; see kconfig.h. */
#include "kconfig.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"

#define PREFIX "CONFIG_"
#define NOT_SET " is not set"

/* --- reading -------------------------------------------------------------------- */

static size_t name_length(const char *s)
{
	size_t len = 0;

	if (strncmp(s, PREFIX, strlen(PREFIX)))
		return 0;
	while (isalnum((u8)s[len]) || s[len] == '_')
		len++;
	return len > strlen(PREFIX) ? len : 0;
}

static void add_option(struct kconfig *kc, const char *name, size_t len, const char *value)
{
	struct kconfig_option *option;

	kc->options = xreallocarray(kc->options, kc->nr + 1, sizeof(*kc->options));
	option = &kc->options[kc->nr++];
	option->name = xcalloc(1, len + 1);
	memcpy(option->name, name, len);
	option->value = value ? xstrdup(value) : NULL;
}

/* False if the line is neither an option nor a comment. */
static bool parse_line(struct kconfig *kc, const char *line)
{
	size_t len;

	if (*line == '#') {
		/* a comment, of which one kind says something */
		const char *name = line + 1 + strspn(line + 1, " ");

		len = name_length(name);
		if (len && !strcmp(name + len, NOT_SET))
			add_option(kc, name, len, NULL);
		return true;
	}
	if (!*line)
		return true;
	len = name_length(line);
	if (!len || line[len] != '=' || !line[len + 1])
		return false;
	/* "=n" is what fragments may say for "is not set" */
	add_option(kc, line, len, strcmp(line + len, "=n") ? line + len + 1 : NULL);
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct kconfig_option *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int kconfig_parse(struct kconfig *kc, const char *text, char *err, size_t err_size)
{
	char *copy = xstrdup(text), *rest = copy, *line;
	int ret = 0;

	*kc = (struct kconfig){};
	for (u32 nr = 1; !ret && (line = strsep(&rest, "\n")); nr++) {
		size_t len = strlen(line);

		while (len && isspace((u8)line[len - 1]))
			line[--len] = '\0';
		if (!parse_line(kc, line))
			ret = vrt_error(err, err_size, -EINVAL,
					"line %u: '%s' is no option; expected CONFIG_NAME=VALUE or "
					"# CONFIG_NAME is not set",
					nr, line);
	}
	free(copy);
	if (ret || !kc->nr)
		return ret;
	qsort(kc->options, kc->nr, sizeof(*kc->options), by_name);
	for (u32 i = 1; i < kc->nr; i++)
		if (!by_name(&kc->options[i - 1], &kc->options[i]))
			return vrt_error(err, err_size, -EINVAL, "%s is given twice",
					 kc->options[i].name);
	return 0;
}

void kconfig_free(struct kconfig *kc)
{
	while (kc->nr) {
		free(kc->options[--kc->nr].name);
		free(kc->options[kc->nr].value);
	}
	free(kc->options);
	kc->options = NULL;
}

/* --- comparing --------------------------------------------------------------------- */

static const char *value_of(const struct kconfig *kc, const char *name)
{
	struct kconfig_option key = { .name = (char *)name }, *found;

	found = kc->nr ? bsearch(&key, kc->options, kc->nr, sizeof(key), by_name) : NULL;
	return found ? found->value : NULL;
}

u32 kconfig_differences(const struct kconfig *wanted, const struct kconfig *got,
			struct strbuf *out)
{
	u32 nr = 0;

	for (u32 i = 0; i < wanted->nr; i++) {
		const struct kconfig_option *w = &wanted->options[i];
		const char *is = value_of(got, w->name);

		if (w->value ? is && !strcmp(is, w->value) : !is)
			continue;
		strbuf_printf(out, "%s%s=%s (is %s)", nr++ ? ", " : "", w->name,
			      w->value ? w->value : "n", is ? is : "not set");
	}
	return nr;
}
