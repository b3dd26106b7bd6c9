// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: manifest KERNEL.btf MANIFEST.txt
 *
 * Checks that the kernel BTF has all that the manifest lists, with the kind,
 * values and generations it says, and no kfunc besides. Reads the BTF through libbpf, as
 * loaders will. One line per difference; exit status 1 if there is any.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	struct btf *btf;
	const char *file;
	int line;
	int checked, bad;
	bool *func_listed; /* by type id */
};

__attribute__((format(printf, 2, 3))) static void differs(struct check *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "%s:%d: ", c->file, c->line);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	c->bad++;
}

static const char *name_at(struct check *c, __u32 off)
{
	return btf__name_by_offset(c->btf, off);
}

static char *next_word(void)
{
	return strtok(NULL, " \n");
}

static void check_struct(struct check *c, const char *name)
{
	int id = btf__find_by_name_kind(c->btf, name, BTF_KIND_STRUCT);
	const struct btf_type *t;
	const char *member;

	if (id < 0) {
		differs(c, "struct %s is not defined", name);
		return;
	}
	t = btf__type_by_id(c->btf, id);
	while ((member = next_word())) {
		const struct btf_member *m = btf_members(t);
		bool found = false;

		for (int i = 0; i < btf_vlen(t); i++)
			found = found || !strcmp(name_at(c, m[i].name_off), member);
		if (!found)
			differs(c, "struct %s has no member %s", name, member);
		c->checked++;
	}
	c->checked++;
}

/* Does enum type @t have @word as an enumerator with value @want? 32-bit enums wrap. */
static bool enum_has(struct check *c, const struct btf_type *t, const char *word, __u64 want,
		     bool *named)
{
	for (int i = 0; i < btf_vlen(t); i++) {
		const char *name;
		__u64 value;

		if (btf_is_enum64(t)) {
			name = name_at(c, btf_enum64(t)[i].name_off);
			value = btf_enum64_value(&btf_enum64(t)[i]);
		} else {
			name = name_at(c, btf_enum(t)[i].name_off);
			value = (__u32)btf_enum(t)[i].val;
			want = (__u32)want;
		}
		if (!strcmp(name, word)) {
			*named = true;
			return value == want;
		}
	}
	return false;
}

/* @enum_name NULL: in any enum. */
static void check_enumerators(struct check *c, const char *enum_name)
{
	int nr = btf__type_cnt(c->btf);
	char *word;

	while ((word = next_word())) {
		char *equals = strchr(word, '=');
		bool found = false, named = false;
		__u64 want;

		if (!equals) {
			differs(c, "%s: NAME=VALUE expected", word);
			continue;
		}
		*equals = '\0';
		want = strtoull(equals + 1, NULL, 0);
		for (int id = 1; id < nr && !named; id++) {
			const struct btf_type *t = btf__type_by_id(c->btf, id);

			if (!btf_is_any_enum(t))
				continue;
			if (enum_name && strcmp(name_at(c, t->name_off), enum_name))
				continue;
			found = enum_has(c, t, word, want, &named);
		}
		if (!named)
			differs(c, "%s is not in %s", word, enum_name ?: "any enum");
		else if (!found)
			differs(c, "%s has another value than %s", word, equals + 1);
		c->checked++;
	}
}

static void check_func(struct check *c, const char *name)
{
	int id = btf__find_by_name_kind(c->btf, name, BTF_KIND_FUNC);
	const struct btf_type *proto;
	int i = 0;
	const char *param;

	if (id < 0) {
		differs(c, "function %s is not there", name);
		return;
	}
	/* a "func" line is enough for functions that are there to be traced */
	c->func_listed[id] = true;
	proto = btf__type_by_id(c->btf, btf__type_by_id(c->btf, id)->type);
	for (; (param = next_word()); i++)
		if (i >= btf_vlen(proto) ||
		    strcmp(name_at(c, btf_params(proto)[i].name_off), param))
			differs(c, "parameter %d of %s is not %s", i + 1, name, param);
	if (i != btf_vlen(proto))
		differs(c, "%s has %d parameters instead of %d", name, btf_vlen(proto), i);
	c->checked++;
}

/* The generations that @name is marked with: @mark is "since:7.0", or NULL for all. */
static void check_mark(struct check *c, const char *name, const char *mark)
{
	int id = btf__find_by_name_kind(c->btf, name, BTF_KIND_FUNC);
	const char *found = NULL;

	for (__u32 i = 1; id > 0 && i < btf__type_cnt(c->btf); i++) {
		const struct btf_type *t = btf__type_by_id(c->btf, i);

		if (btf_is_decl_tag(t) && t->type == (__u32)id &&
		    btf_decl_tag(t)->component_idx == -1)
			found = name_at(c, t->name_off);
	}
	if (mark ? !found || strcmp(found, mark) : !!found)
		differs(c, "%s is marked %s instead of %s", name, found ?: "for all",
			mark ?: "for all");
}

/* kfunc-since VERSION NAME..., kfunc-until VERSION NAME... */
static void check_marked_func(struct check *c, const char *mark, const char *version)
{
	const char *name = next_word();
	char want[64];

	if (!name) {
		differs(c, "'%s' must be followed by a name", version);
		return;
	}
	snprintf(want, sizeof(want), "%s:%s", mark, version);
	check_mark(c, name, want);
	check_func(c, name);
}

static void check_typedef(struct check *c, const char *name)
{
	if (btf__find_by_name_kind(c->btf, name, BTF_KIND_TYPEDEF) < 0)
		differs(c, "typedef %s is not there", name);
	c->checked++;
}

static void check_vars(struct check *c, const char *section)
{
	int id = btf__find_by_name_kind(c->btf, section, BTF_KIND_DATASEC);
	const char *var;

	if (id < 0) {
		differs(c, "section %s is not there", section);
		return;
	}
	while ((var = next_word())) {
		const struct btf_type *sec = btf__type_by_id(c->btf, id);
		bool found = false;

		for (int i = 0; i < btf_vlen(sec); i++) {
			const struct btf_var_secinfo *info = &btf_var_secinfos(sec)[i];
			const struct btf_type *t = btf__type_by_id(c->btf, info->type);

			found = found || (!strcmp(name_at(c, t->name_off), var) && info->size);
		}
		if (!found)
			differs(c, "%s is not in %s, or without size", var, section);
		c->checked++;
	}
}

static void check_line(struct check *c, char *text)
{
	const char *kind = strtok(text, " \n"), *name;

	if (!kind || kind[0] == '#')
		return;
	if (!strcmp(kind, "value")) {
		check_enumerators(c, NULL);
		return;
	}
	name = next_word();
	if (!name)
		differs(c, "'%s' must be followed by a name", kind);
	else if (!strcmp(kind, "struct"))
		check_struct(c, name);
	else if (!strcmp(kind, "enum"))
		check_enumerators(c, name);
	else if (!strcmp(kind, "kfunc-since") || !strcmp(kind, "kfunc-until"))
		check_marked_func(c, kind + strlen("kfunc-"), name);
	else if (!strcmp(kind, "kfunc") || !strcmp(kind, "func")) {
		check_mark(c, name, NULL);
		check_func(c, name);
	}
	else if (!strcmp(kind, "typedef"))
		check_typedef(c, name);
	else if (!strcmp(kind, "var"))
		check_vars(c, name);
	else
		differs(c, "'%s' is no kind of line", kind);
}

/* Operations and our own anchor are functions too, but nobody can call them. */
static bool is_kfunc_name(const char *name)
{
	return !strstr(name, "_ops__") && strcmp(name, "vrt_publish");
}

static void check_unlisted_kfuncs(struct check *c)
{
	int nr = btf__type_cnt(c->btf);

	for (int id = 1; id < nr; id++) {
		const struct btf_type *t = btf__type_by_id(c->btf, id);
		const char *name = name_at(c, t->name_off);

		if (btf_is_func(t) && !c->func_listed[id] && is_kfunc_name(name))
			differs(c, "function %s is in the BTF but not listed", name);
	}
}

int main(int argc, char **argv)
{
	struct check c = {};
	char text[1024];
	FILE *manifest;

	if (argc != 3) {
		fprintf(stderr, "usage: %s KERNEL.btf MANIFEST.txt\n", argv[0]);
		return 2;
	}
	c.file = argv[2];
	c.btf = btf__parse_raw(argv[1]);
	manifest = fopen(argv[2], "r");
	if (!c.btf || !manifest) {
		fprintf(stderr, "cannot read %s: %s\n", c.btf ? argv[2] : argv[1], strerror(errno));
		return 2;
	}
	c.func_listed = calloc(btf__type_cnt(c.btf), sizeof(bool));
	if (!c.func_listed)
		return 2;
	while (fgets(text, sizeof(text), manifest)) {
		c.line++;
		check_line(&c, text);
	}
	check_unlisted_kfuncs(&c);
	fclose(manifest);
	free(c.func_listed);
	btf__free(c.btf);
	printf("%d names checked, %d differences\n", c.checked, c.bad);
	return c.bad || !c.checked;
}
