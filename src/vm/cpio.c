// SPDX-License-Identifier: GPL-2.0-only
/* Writing an initramfs; see cpio.h. */
#include "cpio.h"

#include <string.h>

#define TRAILER "TRAILER!!!"

static void pad(struct strbuf *archive)
{
	while (archive->len % 4)
		strbuf_putc(archive, '\0');
}

void cpio_add(struct strbuf *archive, const char *path, u32 mode, const void *data, size_t size)
{
	u32 ino = (u32)archive->len + 1; /* of each file another one */

	/* magic, ino, mode, uid, gid, nlink, mtime, filesize, device and rdevice, namesize, check */
	strbuf_printf(archive, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ino,
		      mode, 0, 0, 1, 0, (u32)size, 0, 0, 0, 0, (u32)strlen(path) + 1, 0);
	strbuf_add(archive, path, strlen(path) + 1);
	pad(archive);
	if (size)
		strbuf_add(archive, data, size);
	pad(archive);
}

void cpio_end(struct strbuf *archive)
{
	cpio_add(archive, TRAILER, 0, NULL, 0);
}
