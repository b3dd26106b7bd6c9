/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generations of Linux whose interface the simulated kernel can have, and
 * the kernel BTF of each: what a generation does not have cannot be found there
 * by its name. What else differs between them is src/sched/ext/generation.h.
 */
#ifndef VRT_BPF_GENERATION_H
#define VRT_BPF_GENERATION_H

#include "../base/util.h"

/* In the order of time. */
enum kernel_generation {
	GENERATION_ANY, /* what any of them has, with the newest one's behaviour */
	GENERATION_6_12,
	GENERATION_7_0,
	NR_GENERATIONS,
};

#define GENERATION_NEWEST ((enum kernel_generation)(NR_GENERATIONS - 1))

/* "any", "6.12", "7.0" */
const char *generation_name(enum kernel_generation generation);
/* What uname(2) tells: "7.0.0-vruntime". */
const char *generation_release(enum kernel_generation generation);

/*
 * The raw kernel BTF of a generation, to be freed. Ids are the same in all of
 * them. In place of a function that is not there is a type without a name; a
 * struct or a member loses its name, an enumerator goes, and so do the marks.
 */
void *generation_btf(enum kernel_generation generation, u32 *size);

#endif
