/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kernel image for x86 (bzImage) contains: the ELF file vmlinux, packed,
 * and in it the kernel's BTF. Source: Linux's Documentation/arch/x86/boot.rst.
 */
#ifndef VRT_VM_BZIMAGE_H
#define VRT_VM_BZIMAGE_H

#include "../base/util.h"

struct btf;

/*
 * The BTF of the kernel in file @path; to be freed with btf__free(). NULL and a
 * sentence in @err: no bzImage, a packing that is unknown (known: gzip, xz,
 * zstd), no BTF.
 */
struct btf *bzimage_btf(const char *path, char *err, size_t err_size);

/*
 * Whether sched_ext schedulers can be loaded into a kernel with this BTF: -ENOENT
 * without sched_ext; -EPROTO when kfuncs show an argument that callers do not
 * give (some builds of 7.1 and later). A sentence in @why unless 0.
 */
int kernel_offers_sched_ext(const struct btf *btf, char *why, size_t size);

#endif
