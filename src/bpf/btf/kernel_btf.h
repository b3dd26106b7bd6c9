/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel BTF that the build made of kernel/ (scripts/gen-kernel-btf.sh).
 * 8-byte aligned, read-only, there for the life of the process.
 */
#ifndef VRT_BPF_KERNEL_BTF_H
#define VRT_BPF_KERNEL_BTF_H

extern const unsigned char vrt_kernel_btf[];
extern const unsigned char vrt_kernel_btf_end[];

#define vrt_kernel_btf_size() ((unsigned int)(vrt_kernel_btf_end - vrt_kernel_btf))

#endif
