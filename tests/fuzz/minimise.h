/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRT_TESTS_FUZZ_MINIMISE_H
#define VRT_TESTS_FUZZ_MINIMISE_H

#include "../../src/base/util.h"
#include "progen.h"

/* Is @p still what it is to be? */
typedef bool (*keeps_fn)(const struct progen *p, void *arg);

/* @p, which @keeps, gets smaller. */
void minimise(struct progen *p, keeps_fn keeps, void *arg);

#endif
