/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An initramfs: a cpio archive in the "new ASCII" format (Linux's
 * Documentation/driver-api/early-userspace/buffer-format.rst), uncompressed.
 */
#ifndef VRT_VM_CPIO_H
#define VRT_VM_CPIO_H

#include "../base/strbuf.h"

/* @path without a leading slash; its directory has been added before. @mode with its S_IF bits. */
void cpio_add(struct strbuf *archive, const char *path, u32 mode, const void *data, size_t size);
/* Ends the archive. */
void cpio_end(struct strbuf *archive);

#endif
