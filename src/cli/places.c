// SPDX-License-Identifier: GPL-2.0-only
/* Where the files are that come with vrt; see places.h. */
#include "places.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "../base/strbuf.h"

char *shipped_path(const char *in_build, const char *installed)
{
	struct strbuf path = {};
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[max(len, (ssize_t)0)] = '\0';
	if (strrchr(exe, '/'))
		*strrchr(exe, '/') = '\0';
	strbuf_printf(&path, "%s%s", exe, in_build);
	if (access(strbuf_str(&path), R_OK)) {
		strbuf_reset(&path);
		strbuf_printf(&path, "%s%s", exe, installed);
	}
	return strbuf_detach(&path);
}
