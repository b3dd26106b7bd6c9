// SPDX-License-Identifier: GPL-2.0-only
/* See file.h. */
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "strbuf.h"

bool file_is_regular(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

int file_read(const char *path, size_t max, struct strbuf *sb)
{
	FILE *f = fopen(path, "re");
	size_t end = sb->len + max, n;
	char buf[16384];
	int err = 0;

	if (!f)
		return -errno;
	while (sb->len <= end && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		strbuf_add(sb, buf, n);
	if (ferror(f))
		err = errno ? -errno : -EIO;
	else if (sb->len > end)
		err = -EFBIG;
	fclose(f);
	return err;
}

int file_write(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "we");
	int err = 0;

	if (!f)
		return -errno;
	if (fwrite(data, 1, len, f) != len)
		err = errno ? -errno : -EIO;
	if (fclose(f) && !err)
		err = -errno;
	/* half a file is worse than none; a device is not ours to remove */
	if (err && file_is_regular(path))
		unlink(path);
	return err;
}
