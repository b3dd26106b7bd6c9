/* SPDX-License-Identifier: GPL-2.0-only */
/* A loaded program for people to read: what bpftool calls xlated. */
#ifndef VRT_BPF_XLATED_H
#define VRT_BPF_XLATED_H

#include "prog.h"

struct bpf_xlated {
	char text[256]; /* "(79) r6 = *(u64 *)(r1 +0)" */
	const char *func; /* a function begins here: its name ("" if not known); NULL: none does */
	const char *source; /* a line of the source begins here; NULL: none does */
	char where[128]; /* "file.bpf.c:12" of it */
	const struct bpf_insn *insns; /* as loaded */
	u32 slots; /* of the instruction: 1 or 2 */
};

/*
 * The instruction at @insn, which begins one: as it is executed, with the names of
 * the maps, functions and variables that it was bound to. False at the end.
 */
bool bpf_xlated(const struct bpf_prog *prog, u32 insn, struct bpf_xlated *x);

#endif
