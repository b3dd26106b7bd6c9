// SPDX-License-Identifier: GPL-2.0-only
/* See cache.h. */
#include "cache.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "strbuf.h"

static bool make_directory(const char *path)
{
	struct stat st;

	if (!mkdir(path, 0700))
		return true;
	return errno == EEXIST && !stat(path, &st) && S_ISDIR(st.st_mode) && !access(path, W_OK);
}

/* @dir becomes @dir/@sub, which is made. False when it cannot be. */
static bool enter(struct strbuf *dir, const char *sub)
{
	strbuf_printf(dir, "/%s", sub);
	return make_directory(strbuf_str(dir));
}

char *cache_directory(const char *sub)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	struct strbuf dir = {};
	bool ok = true;

	if (xdg && *xdg == '/') {
		strbuf_puts(&dir, xdg);
		ok = make_directory(xdg);
	} else if (home && *home == '/') {
		strbuf_puts(&dir, home);
		ok = enter(&dir, ".cache");
	} else {
		return NULL;
	}
	/* the base itself may be missing or closed to us, but what is below must be open */
	ok = (ok || !access(strbuf_str(&dir), X_OK)) && enter(&dir, "vruntime") &&
	     (!*sub || enter(&dir, sub));
	if (ok)
		return strbuf_detach(&dir);
	strbuf_free(&dir);
	return NULL;
}
