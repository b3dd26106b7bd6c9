// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which kernel an object was made for, from the functions it wants of it. Only
 * strong ones tell: an object that declares a function weak is prepared for a
 * kernel without it.
 *
 * That an extern is a kfunc, BTF says (section .ksyms); that it is strong, the
 * symbol table.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "internal.h"

#define MAX_SHOWN 6 /* names in a message, for each generation */

struct needs {
	const struct btf *btf; /* the object's */
	u32 ksyms; /* its section of externs; 0: none */
	struct btf *kernel[NR_GENERATIONS];
	struct strbuf lacks[NR_GENERATIONS]; /* names, for the message */
	u32 nr_lacks[NR_GENERATIONS];
};

static bool is_kfunc(const struct needs *n, const char *name)
{
	const struct btf_type *sec = btf__type_by_id(n->btf, n->ksyms), *t;

	for (u32 i = 0; i < btf_vlen(sec); i++) {
		t = btf__type_by_id(n->btf, btf_var_secinfos(sec)[i].type);
		if (t && btf_is_func(t) &&
		    !strcmp(btf__name_by_offset(n->btf, t->name_off), name))
			return true;
	}
	return false;
}

/*
 * The name that libbpf looks for: "name___flavor" without its last flavor, where
 * no other underscore is beside the three.
 */
static char *essential_name(const char *name)
{
	char *copy = xstrdup(name);
	size_t len = strlen(name);

	for (size_t i = len > 5 ? len - 5 : 0; i > 0; i--) {
		if (copy[i - 1] != '_' && !strncmp(copy + i, "___", 3) && copy[i + 3] != '_') {
			copy[i] = '\0';
			break;
		}
	}
	return copy;
}

static void need(struct needs *n, const char *name)
{
	bool has[NR_GENERATIONS], any = false;

	for (u32 g = GENERATION_ANY + 1; g < NR_GENERATIONS; g++) {
		has[g] = btf__find_by_name_kind(n->kernel[g], name, BTF_KIND_FUNC) > 0;
		any |= has[g];
	}
	for (u32 g = GENERATION_ANY + 1; any && g < NR_GENERATIONS; g++) {
		if (has[g])
			continue;
		if (n->nr_lacks[g]++ < MAX_SHOWN)
			strbuf_printf(&n->lacks[g], "%s%s", n->nr_lacks[g] > 1 ? ", " : "", name);
	}
}

static void look_at_symbol(const char *name, const void *symbol, void *arg)
{
	const Elf64_Sym *sym = symbol;
	struct needs *n = arg;
	char *essential;

	if (sym->st_shndx != SHN_UNDEF || ELF64_ST_BIND(sym->st_info) != STB_GLOBAL ||
	    !is_kfunc(n, name))
		return;
	essential = essential_name(name);
	need(n, essential);
	free(essential);
}

static enum loader_status judge(const struct needs *n, const char *path, u32 *fits,
				struct loader_error *error)
{
	struct strbuf sb = {};

	*fits = 0;
	for (u32 g = GENERATION_NEWEST; g > GENERATION_ANY; g--) {
		if (!n->nr_lacks[g])
			*fits |= 1U << g;
		strbuf_printf(&sb, "%s%s has no %s%s", g == GENERATION_NEWEST ? "" : "; ",
			      generation_name((enum kernel_generation)g),
			      strbuf_str(&n->lacks[g]), n->nr_lacks[g] > MAX_SHOWN ? ", ..." : "");
	}
	if (!*fits)
		loader_fail(error, LOADER_ERR_LOAD,
			    "%s: no kernel generation has all the functions that it needs: %s; declare __weak what it can do without, or use --kernel any",
			    path, strbuf_str(&sb));
	strbuf_free(&sb);
	return *fits ? LOADER_OK : LOADER_ERR_LOAD;
}

static struct btf *kernel_btf_of(u32 generation)
{
	u32 size;
	void *raw = generation_btf((enum kernel_generation)generation, &size);
	struct btf *btf = btf__new(raw, size);

	VRT_ASSERT(btf);
	free(raw);
	return btf;
}

const char *generation_having(const char *name)
{
	const char *found = NULL;

	for (u32 g = GENERATION_NEWEST; g > GENERATION_ANY && !found; g--) {
		struct btf *btf = kernel_btf_of(g);

		if (btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0)
			found = generation_name((enum kernel_generation)g);
		btf__free(btf);
	}
	return found;
}

static enum loader_status detect(const struct image *image, const char *path, u32 *fits,
				 struct loader_error *error)
{
	size_t size;
	const void *raw = image_section(image, ".BTF", &size);
	struct btf *btf = btf__new(raw, (u32)size);
	struct needs n = { .btf = btf };
	enum loader_status status;
	s32 ksyms = btf ? btf__find_by_name_kind(btf, ".ksyms", BTF_KIND_DATASEC) : -ENOENT;

	for (u32 g = GENERATION_ANY + 1; g < NR_GENERATIONS; g++)
		n.kernel[g] = kernel_btf_of(g);
	/* damaged BTF is explained when the object is opened */
	if (ksyms > 0) {
		n.ksyms = (u32)ksyms;
		image_each_symbol(image, look_at_symbol, &n);
	}
	status = judge(&n, path, fits, error);
	for (u32 g = GENERATION_ANY + 1; g < NR_GENERATIONS; g++) {
		btf__free(n.kernel[g]);
		strbuf_free(&n.lacks[g]);
	}
	btf__free(btf);
	return status;
}

enum loader_status loader_detect_generation(const char *path, const struct loader_options *opts,
					    u32 *fits, struct loader_error *error)
{
	static const struct loader_options none;
	libbpf_print_fn_t print;
	enum loader_status status;
	struct image image;

	if (error)
		*error = (struct loader_error){};
	opts = opts ? opts : &none;
	status = object_read(&image, path, opts, NULL, NULL, error);
	if (status != LOADER_OK)
		return status;
	print = libbpf_set_print(NULL);
	status = detect(&image, path, fits, error);
	libbpf_set_print(print);
	free(image.data);
	return status;
}
