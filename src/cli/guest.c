// SPDX-License-Identifier: GPL-2.0-only
/* See guest.h. */
#include "guest.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/strbuf.h"

#define BUILD_PLACE "/src/vm/guest/vrt-agent"
#define INSTALLED_PLACE "/../libexec/vruntime/vrt-agent"

char *guest_agent_path(void)
{
	const char *told = getenv("VRT_AGENT");
	struct strbuf path = {};
	char exe[PATH_MAX];
	ssize_t len;

	if (told && *told)
		return xstrdup(told);
	len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[max(len, (ssize_t)0)] = '\0';
	if (strrchr(exe, '/'))
		*strrchr(exe, '/') = '\0';
	strbuf_printf(&path, "%s" BUILD_PLACE, exe);
	if (access(strbuf_str(&path), R_OK)) {
		strbuf_reset(&path);
		strbuf_printf(&path, "%s" INSTALLED_PLACE, exe);
	}
	return strbuf_detach(&path);
}
