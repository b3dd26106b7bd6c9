/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables for a terminal: a column of labels, and one column per scheduler,
 * aligned to the right. What does not fit into the width is printed as a
 * further table below, with the labels again.
 */
#ifndef VRT_CLI_TABLE_H
#define VRT_CLI_TABLE_H

#include <stdio.h>

#include "../base/util.h"

#define TABLE_WIDTH 80
#define TABLE_MAX_COLUMN 14 /* longer headings are cut */

struct table;

struct table *table_new(u32 nr_columns);
void table_free(struct table *t);
void table_heading(struct table *t, u32 column, const char *text);
/* A row without cells, such as the name of a group. */
__printf(2, 3) void table_section(struct table *t, const char *fmt, ...);
/* A new row; cells that are not set stay empty. */
__printf(2, 3) void table_row(struct table *t, const char *fmt, ...);
/* Into the last row. */
void table_cell(struct table *t, u32 column, const char *text);
/* Removes the last row unless some cell is set. */
void table_drop_empty_row(struct table *t);
void table_print(const struct table *t, FILE *out);

#endif
