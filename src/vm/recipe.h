/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What makes a kernel ours: the files in linux/. vm.config is its configuration,
 * and each *.sh is run, in the order of names, in the tree that was unpacked. The
 * other files are theirs to use.
 */
#ifndef VRT_VM_RECIPE_H
#define VRT_VM_RECIPE_H

#include "../base/util.h"

#define RECIPE_CONFIG "vm.config"
#define RECIPE_KEY_SIZE 17

struct recipe {
	char *dir; /* absolute */
	char **files; /* below it, in the order of names; no hidden and no *.md ones */
	u32 nr;
};

/* -ENOENT with a message if @dir is no such directory. */
int recipe_open(struct recipe *r, const char *dir, char *err, size_t err_size);
/* The same of any directory with files. */
int recipe_open_files(struct recipe *r, const char *dir);
void recipe_close(struct recipe *r);

/*
 * What a kernel made of the source @version by the recipe is known by: changes
 * with the version, and with the name or content of any file. -errno.
 */
int recipe_key(const struct recipe *r, const char *version, char key[RECIPE_KEY_SIZE], char *err,
	       size_t err_size);

/* Path of one of the files, to be freed. */
char *recipe_path(const struct recipe *r, const char *file);
/* Is it run in the tree? Not those in directories below. */
bool recipe_is_script(const char *file);

#endif
