/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRT_TESTS_FUZZ_MINIMISE_H
#define VRT_TESTS_FUZZ_MINIMISE_H

#include "../../src/base/util.h"
#include "progen.h"

/* Is @p still what it is to be? */
typedef bool (*keeps_fn)(const struct progen *p, void *arg);

/* Is @i the second half of a wide instruction? */
bool is_tail(const struct progen *p, u32 i);

#define INSN_GONE (~0U)
/*
 * Instruction i of @p goes to @place[i] of @out (INSN_GONE: nowhere), and jumps to it go to
 * @start[i]; @start has the new length behind its last one.
 */
void move_insns(const struct progen *p, const u32 *start, const u32 *place, struct progen *out);

/* @p, which @keeps, gets smaller. */
void minimise(struct progen *p, keeps_fn keeps, void *arg);

#endif
