/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BTF built by hand, so that it can be built wrong.
 */
#ifndef VRT_TESTS_BTF_BUILDER_H
#define VRT_TESTS_BTF_BUILDER_H

#include <stdlib.h>
#include <string.h>

#include <linux/btf.h>

#include "../../src/base/util.h"

struct btf_builder {
	u32 words[4096];
	u32 nr_words, nr_types;
	char strings[8192];
	u32 strings_size;
};

static inline void btf_start(struct btf_builder *b)
{
	memset(b, 0, sizeof(*b));
	b->strings_size = 1;
}

static inline u32 btf_str(struct btf_builder *b, const char *s)
{
	u32 off = b->strings_size;

	if (!*s)
		return 0;
	strcpy(b->strings + off, s);
	b->strings_size += (u32)strlen(s) + 1;
	return off;
}

static inline void btf_word(struct btf_builder *b, u32 word)
{
	b->words[b->nr_words++] = word;
}

/* The id of the new type. @last is its size or type. */
static inline u32 btf_add(struct btf_builder *b, const char *name, u32 kind, u32 vlen, u32 last)
{
	btf_word(b, btf_str(b, name));
	btf_word(b, kind << 24 | vlen);
	btf_word(b, last);
	return ++b->nr_types;
}

static inline u32 btf_add_int(struct btf_builder *b, const char *name, u32 size)
{
	u32 id = btf_add(b, name, BTF_KIND_INT, 0, size);

	btf_word(b, size * 8);
	return id;
}

static inline u32 btf_add_array(struct btf_builder *b, u32 elem, u32 index, u32 nr)
{
	u32 id = btf_add(b, "", BTF_KIND_ARRAY, 0, 0);

	btf_word(b, elem);
	btf_word(b, index);
	btf_word(b, nr);
	return id;
}

/* Members, parameters and the like follow their type. */
static inline void btf_add_member(struct btf_builder *b, const char *name, u32 type, u32 byte)
{
	btf_word(b, btf_str(b, name));
	btf_word(b, type);
	btf_word(b, byte * 8);
}

static inline void btf_add_param(struct btf_builder *b, const char *name, u32 type)
{
	btf_word(b, btf_str(b, name));
	btf_word(b, type);
}

/* malloc'd. */
static inline void *btf_finish(const struct btf_builder *b, u32 *size)
{
	struct btf_header hdr = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(hdr),
		.type_len = b->nr_words * 4,
		.str_off = b->nr_words * 4,
		.str_len = b->strings_size,
	};
	char *raw = malloc(sizeof(hdr) + hdr.type_len + hdr.str_len);

	memcpy(raw, &hdr, sizeof(hdr));
	memcpy(raw + sizeof(hdr), b->words, hdr.type_len);
	memcpy(raw + sizeof(hdr) + hdr.type_len, b->strings, hdr.str_len);
	*size = (u32)sizeof(hdr) + hdr.type_len + hdr.str_len;
	return raw;
}

#endif
