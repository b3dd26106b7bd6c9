/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module kmod/schedbpf, built for a stock kernel of this machine's own Debian
 * release: its compiler is the one that the kernel was built with. Image, headers
 * and module are kept with the kernels of kernels.h; nothing is installed.
 */
#ifndef VRT_VM_MODULE_H
#define VRT_VM_MODULE_H

#include "../base/util.h"

#define MODULE_DEFAULT_KERNEL "6.12"

struct module_options {
	const char *wanted; /* beginning of the kernel's release; NULL: the default */
	const char *source; /* the directory kmod/schedbpf */
	void (*say)(const char *line); /* about each step */
};

/*
 * Builds it, unless the cache has it of this very source; the archive is only
 * asked when the cache has no headers of a kernel that is wanted. The kernel's
 * release in @release; 0, or -errno with a message.
 */
int module_build(const struct module_options *o, char *release, size_t release_size, char *err,
		 size_t err_size);

#endif
