// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads an object file and looks at its ELF headers, so that what is not a BPF
 * object is refused in words for people and not by libelf's.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "internal.h"

#define IMAGE_MAX_SIZE (256UL << 20)

static enum loader_status read_all(int fd, struct image *image, const char *shown,
				   struct loader_error *error)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return loader_fail(error, LOADER_ERR_USAGE, "%s: cannot be read: %s", shown,
				   strerror(errno));
	if (!S_ISREG(st.st_mode))
		return loader_fail(error, LOADER_ERR_USAGE,
				   "%s: is %s; expected a compiled BPF object (.bpf.o) or its source (.bpf.c)",
				   shown, S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
	if ((u64)st.st_size > IMAGE_MAX_SIZE)
		return loader_fail(error, LOADER_ERR_OBJECT,
				   "%s: is larger than %lu MiB, too large for a BPF object", shown,
				   IMAGE_MAX_SIZE >> 20);
	image->size = (size_t)st.st_size;
	image->data = xcalloc(1, image->size + 1);
	for (size_t done = 0; done < image->size; done += (size_t)n) {
		n = read(fd, (char *)image->data + done, image->size - done);
		if (n <= 0)
			return loader_fail(error, LOADER_ERR_USAGE, "%s: cannot be read: %s", shown,
					   n ? strerror(errno) : "it shrinks");
	}
	return LOADER_OK;
}

static const char *what_it_is(const struct image *image)
{
	const unsigned char *p = image->data;
	size_t i;

	if (image->size >= 4 && !memcmp(p, "BC\xc0\xde", 4))
		return "LLVM bitcode, not an ELF object; compile it with clang --target=bpf -c";
	for (i = 0; i < min(image->size, (size_t)256); i++)
		if (p[i] < '\t' || p[i] == 0x7f)
			return "not an ELF file: expected an object made by clang --target=bpf -c";
	return "text, not an ELF object; the name of a source must end in .bpf.c";
}

static const Elf64_Shdr *sections_of(const struct image *image)
{
	const Elf64_Ehdr *ehdr = image->data;

	return (const Elf64_Shdr *)((const char *)image->data + ehdr->e_shoff);
}

static bool is_within(const struct image *image, u64 offset, u64 size)
{
	return offset <= image->size && size <= image->size - offset;
}

/* Are all sections, and the names of them, in the file? */
static bool is_complete(const struct image *image)
{
	const Elf64_Ehdr *ehdr = image->data;
	const Elf64_Shdr *sh;
	u32 i;

	if (ehdr->e_shentsize != sizeof(*sh) || ehdr->e_shoff % 8 || !ehdr->e_shnum ||
	    ehdr->e_shstrndx >= ehdr->e_shnum ||
	    !is_within(image, ehdr->e_shoff, (u64)ehdr->e_shnum * sizeof(*sh)))
		return false;
	sh = sections_of(image);
	for (i = 0; i < ehdr->e_shnum; i++)
		if (sh[i].sh_type != SHT_NOBITS && sh[i].sh_type != SHT_NULL &&
		    !is_within(image, sh[i].sh_offset, sh[i].sh_size))
			return false;
	return sh[ehdr->e_shstrndx].sh_type == SHT_STRTAB;
}

static const void *content(const struct image *image, const Elf64_Shdr *sh, size_t *size)
{
	*size = sh->sh_type == SHT_NOBITS ? 0 : sh->sh_size;
	return (const char *)image->data + sh->sh_offset;
}

/* The first section from number @i on that is not empty and has this name, or the last + 1. */
static u32 find_section(const struct image *image, const char *name, u32 i)
{
	const Elf64_Ehdr *ehdr = image->data;
	const Elf64_Shdr *sh = sections_of(image), *strtab = &sh[ehdr->e_shstrndx];
	const char *names = (const char *)image->data + strtab->sh_offset;
	u64 len = strlen(name) + 1;

	for (; i < ehdr->e_shnum; i++)
		if (sh[i].sh_size && sh[i].sh_name < strtab->sh_size &&
		    strtab->sh_size - sh[i].sh_name >= len &&
		    !memcmp(names + sh[i].sh_name, name, len))
			break;
	return i;
}

const void *image_section(const struct image *image, const char *name, size_t *size)
{
	const Elf64_Ehdr *ehdr = image->data;
	u32 i = find_section(image, name, 0);

	return i < ehdr->e_shnum ? content(image, &sections_of(image)[i], size) : NULL;
}

bool image_has_twice(const struct image *image, const char *name)
{
	const Elf64_Ehdr *ehdr = image->data;
	u32 i = find_section(image, name, 0);

	return i < ehdr->e_shnum && find_section(image, name, i + 1) < ehdr->e_shnum;
}

void image_each_symbol(const struct image *image, image_symbol_fn fn, void *arg)
{
	const Elf64_Ehdr *ehdr = image->data;
	const Elf64_Shdr *sh = sections_of(image);
	size_t size, names_size;
	const char *symbols, *names;
	Elf64_Sym sym;

	for (u32 i = 0; i < ehdr->e_shnum; i++) {
		if (sh[i].sh_type != SHT_SYMTAB || sh[i].sh_link >= ehdr->e_shnum)
			continue;
		symbols = content(image, &sh[i], &size);
		names = content(image, &sh[sh[i].sh_link], &names_size);
		if (!names_size || names[names_size - 1])
			continue;
		for (size_t at = 0; size - at >= sizeof(sym); at += sizeof(sym)) {
			memcpy(&sym, symbols + at, sizeof(sym));
			if (sym.st_name < names_size)
				fn(names + sym.st_name, &sym, arg);
		}
	}
}

static enum loader_status check(const struct image *image, const char *shown,
				struct loader_error *error)
{
	const Elf64_Ehdr *ehdr = image->data;
	const enum loader_status bad = LOADER_ERR_OBJECT;
	size_t size;

	if (!image->size)
		return loader_fail(error, bad, "%s: is empty; expected a compiled BPF object", shown);
	if (image->size < SELFMAG || memcmp(image->data, ELFMAG, SELFMAG))
		return loader_fail(error, bad, "%s: is %s", shown, what_it_is(image));
	if (image->size < sizeof(*ehdr))
		return loader_fail(error, bad, "%s: is truncated: it ends inside its ELF header", shown);
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64 || ehdr->e_ident[EI_DATA] != ELFDATA2LSB)
		return loader_fail(error, bad,
				   "%s: is not a 64-bit little-endian ELF file; compile with clang --target=bpfel",
				   shown);
	if (ehdr->e_machine != EM_BPF)
		return loader_fail(error, bad,
				   "%s: is an ELF file for another machine (number %u), not for BPF; compile with clang --target=bpf",
				   shown, ehdr->e_machine);
	if (ehdr->e_type != ET_REL)
		return loader_fail(error, bad,
				   "%s: is a linked file (ELF type %u); expected a relocatable object (clang -c)",
				   shown, ehdr->e_type);
	if (!is_complete(image))
		return loader_fail(error, bad,
				   "%s: is truncated or damaged: its sections reach beyond its end (%zu bytes); build or copy it again",
				   shown, image->size);
	if (!image_section(image, ".BTF", &size))
		return loader_fail(error, bad,
				   "%s: has no BTF, the types that a scheduler's operations are found by; compile with clang -g",
				   shown);
	return LOADER_OK;
}

/* What is not an object is not kept. */
static enum loader_status settle(struct image *image, enum loader_status status)
{
	if (status != LOADER_OK) {
		free(image->data);
		image->data = NULL;
	}
	return status;
}

enum loader_status image_read(struct image *image, const char *path, const char *shown,
			      struct loader_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum loader_status status;

	*image = (struct image){};
	if (fd < 0)
		return loader_fail(error, LOADER_ERR_USAGE, "%s: %s", shown,
				   errno == ENOENT ? "no such file" : strerror(errno));
	status = read_all(fd, image, shown, error);
	close(fd);
	if (status == LOADER_OK)
		status = check(image, shown, error);
	return settle(image, status);
}

enum loader_status image_take(struct image *image, struct strbuf *bytes, const char *shown,
			      struct loader_error *error)
{
	image->size = bytes->len;
	image->data = strbuf_detach(bytes);
	return settle(image, check(image, shown, error));
}
