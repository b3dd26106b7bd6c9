/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the files are that come with vrt. */
#ifndef VRT_CLI_PLACES_H
#define VRT_CLI_PLACES_H

/*
 * A path to be freed, relative to the directory of the program that runs:
 * @in_build if that is there, else @installed. Both begin with a '/'.
 */
char *shipped_path(const char *in_build, const char *installed);

#endif
