// SPDX-License-Identifier: GPL-2.0-only
/* Looking into kernel images; see bzimage.h. */
#include "bzimage.h"

#include <bpf/btf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "../base/error.h"
#include "../base/strbuf.h"

#define MAX_IMAGE (256u << 20)
#define MAX_VMLINUX (1u << 30)
/* Offsets into the boot header. */
#define SETUP_SECTS 0x1f1
#define HEADER_MAGIC 0x202 /* "HdrS" */
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c

static u32 get_le32(const struct strbuf *image, size_t at)
{
	u32 v;

	memcpy(&v, image->data + at, sizeof(v));
	return v;
}

/* --- the payload --------------------------------------------------------------- */

static int read_image(const char *path, struct strbuf *image, char *err, size_t err_size)
{
	char buf[65536];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return vrt_error(err, err_size, -errno, "%s: %s", path, strerror(errno));
	while (image->len <= MAX_IMAGE && (n = fread(buf, 1, sizeof(buf), f)))
		strbuf_add(image, buf, n);
	fclose(f);
	if (image->len > MAX_IMAGE || image->len < PAYLOAD_LENGTH + 4 ||
	    memcmp(image->data + HEADER_MAGIC, "HdrS", 4))
		return vrt_error(err, err_size, -EINVAL,
				 "%s: is no kernel image for x86 (bzImage)", path);
	return 0;
}

/* Where the packed kernel is; the last 4 bytes are its unpacked size, of gzip's stream or after it. */
static bool find_payload(const struct strbuf *image, const u8 **payload, size_t *size)
{
	u32 sects = (u8)image->data[SETUP_SECTS];
	size_t start = ((sects ? sects : 4) + 1) * 512 + (size_t)get_le32(image, PAYLOAD_OFFSET);

	*size = get_le32(image, PAYLOAD_LENGTH);
	if (*size < 8 || start > image->len || *size > image->len - start)
		return false;
	*payload = (const u8 *)image->data + start;
	return true;
}

static bool unpack_gzip(const u8 *in, size_t size, u8 *out, size_t out_size)
{
	z_stream z = { .next_in = (u8 *)in, .avail_in = (u32)size,
		       .next_out = out, .avail_out = (u32)out_size };
	bool ok;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return false;
	ok = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == out_size;
	inflateEnd(&z);
	return ok;
}

static bool unpack_xz(const u8 *in, size_t size, u8 *out, size_t out_size)
{
	uint64_t memory = UINT64_MAX;
	size_t in_pos = 0, out_pos = 0;

	return lzma_stream_buffer_decode(&memory, 0, NULL, in, &in_pos, size, out, &out_pos,
					 out_size) == LZMA_OK &&
	       out_pos == out_size;
}

static bool unpack_zstd(const u8 *in, size_t size, u8 *out, size_t out_size)
{
	/* what follows the frame is padding */
	size_t frame = ZSTD_findFrameCompressedSize(in, size);

	return !ZSTD_isError(frame) && ZSTD_decompress(out, out_size, in, frame) == out_size;
}

static const struct packing {
	const char *name;
	u8 magic[4];
	u32 trailer; /* bytes of the size, where it is not of the stream */
	bool (*unpack)(const u8 *in, size_t size, u8 *out, size_t out_size);
} packings[] = {
	{ "gzip", { 0x1f, 0x8b, 0x08 }, 0, unpack_gzip },
	{ "xz", { 0xfd, '7', 'z', 'X' }, 4, unpack_xz },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd },
};

static const struct packing *find_packing(const u8 *payload)
{
	for (u32 i = 0; i < ARRAY_SIZE(packings); i++)
		if (!memcmp(payload, packings[i].magic, packings[i].magic[3] ? 4 : 3))
			return &packings[i];
	return NULL;
}

/* The ELF file, to be freed; NULL with a message. */
static u8 *unpack(const char *path, const struct strbuf *image, size_t *size, char *err,
		  size_t err_size)
{
	const struct packing *packing;
	const u8 *payload;
	size_t packed;
	u32 unpacked;
	u8 *out;

	packing = find_payload(image, &payload, &packed) ? find_packing(payload) : NULL;
	if (!packing) {
		vrt_error(err, err_size, -EINVAL,
			  "%s: is packed in a way that is not known (known: gzip, xz, zstd)", path);
		return NULL;
	}
	memcpy(&unpacked, payload + packed - 4, 4);
	out = unpacked <= MAX_VMLINUX ? malloc(unpacked + 1) : NULL;
	if (out && packing->unpack(payload, packed - packing->trailer, out, unpacked)) {
		*size = unpacked;
		return out;
	}
	free(out);
	vrt_error(err, err_size, -EINVAL, "%s: is damaged: its %s stream does not unpack to %u bytes",
		  path, packing->name, unpacked);
	return NULL;
}

/* --- BTF --------------------------------------------------------------------------- */

static struct btf *find_btf(Elf *elf)
{
	Elf_Scn *scn = NULL;
	size_t names;
	GElf_Shdr sh;
	Elf_Data *data;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (!name || strcmp(name, ".BTF"))
			continue;
		data = elf_rawdata(scn, NULL);
		return data ? btf__new(data->d_buf, (u32)data->d_size) : NULL;
	}
	return NULL;
}

struct btf *bzimage_btf(const char *path, char *err, size_t err_size)
{
	struct strbuf image = {};
	struct btf *btf = NULL;
	u8 *vmlinux = NULL;
	size_t size;
	Elf *elf;

	if (!read_image(path, &image, err, err_size))
		vmlinux = unpack(path, &image, &size, err, err_size);
	strbuf_free(&image);
	if (!vmlinux)
		return NULL;
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)vmlinux, size);
	btf = find_btf(elf);
	if (!btf)
		vrt_error(err, err_size, -ENOENT,
			  "%s: has no BTF: the kernel must be built with CONFIG_DEBUG_INFO_BTF", path);
	elf_end(elf);
	free(vmlinux);
	return btf;
}

/* --- what it offers ---------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n >= m && !strcmp(name + n - m, suffix);
}

/* Its last argument is the program itself, which the verifier adds. */
static bool shows_implicit_argument(const struct btf *btf, const struct btf_type *func)
{
	const struct btf_type *proto = btf__type_by_id(btf, func->type), *t;
	u32 nr = btf_vlen(proto), id;

	if (!nr)
		return false;
	id = btf_params(proto)[nr - 1].type;
	t = btf__type_by_id(btf, id);
	if (!btf_is_ptr(t))
		return false;
	do {
		id = t->type;
		t = btf__type_by_id(btf, id);
	} while (btf_is_mod(t));
	return btf_is_struct(t) && !strcmp(btf__name_by_offset(btf, t->name_off), "bpf_prog_aux") &&
	       !ends_with(btf__name_by_offset(btf, btf_params(proto)[nr - 1].name_off), "__prog");
}

int kernel_offers_sched_ext(const struct btf *btf, char *why, size_t size)
{
	u32 nr_kfuncs = 0;

	for (u32 i = 1; i < btf__type_cnt(btf); i++) {
		const struct btf_type *t = btf__type_by_id(btf, i);
		const char *name = btf_is_func(t) ? btf__name_by_offset(btf, t->name_off) : "";

		if (strncmp(name, "scx_bpf_", 8) || ends_with(name, "_impl"))
			continue;
		nr_kfuncs++;
		if (shows_implicit_argument(btf, t))
			return vrt_error(why, size, -EPROTO,
					 "its BTF shows %s() with an argument that no caller gives, so "
					 "that no scheduler that calls it can be loaded",
					 name);
	}
	if (!nr_kfuncs || btf__find_by_name_kind(btf, "sched_ext_ops", BTF_KIND_STRUCT) < 0)
		return vrt_error(why, size, -ENOENT, "it is built without sched_ext");
	return 0;
}
