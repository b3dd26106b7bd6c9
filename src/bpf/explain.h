/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why the verifier refused a program, for people: what it says in the kernel's
 * words, at which line, how the program gets there, what is known there of the
 * registers that matter, and what usually helps.
 */
#ifndef VRT_BPF_EXPLAIN_H
#define VRT_BPF_EXPLAIN_H

#include "verifier/stats.h"

#define BPF_EXPLAIN_STEPS 6
#define BPF_EXPLAIN_REGS 3

/* A place in a program. */
struct bpf_explain_place {
	u32 insn; /* as loaded */
	char where[128]; /* "file.bpf.c:12", or "insn 7" without line information */
	char source[128]; /* the text of that line, "" if it is not known */
	char text[96]; /* the instruction, as the kernel prints it */
};

/* A decision on the way to it. */
struct bpf_explain_step {
	struct bpf_explain_place place;
	bool taken; /* the jump */
	u32 times; /* how often it was decided like this in a row */
};

struct bpf_explain_reg {
	u32 regno;
	char known[192]; /* "scalar(umin=1,umax=8)", "map_value_or_null(...)" */
};

struct bpf_explanation {
	char program[16];
	char message[512]; /* "R0 invalid mem access 'map_value_or_null'" */
	struct bpf_explain_place place;
	struct bpf_explain_step steps[BPF_EXPLAIN_STEPS]; /* the last ones, in order */
	u32 nr_steps, steps_before; /* that are not shown */
	struct bpf_explain_reg regs[BPF_EXPLAIN_REGS];
	u32 nr_regs;
	const char *hint; /* NULL: none */
	struct bpf_verifier_stats verified; /* until then */
};

/* Of the last BPF_PROG_LOAD, if the verifier refused it; otherwise NULL. */
const struct bpf_explanation *bpf_explanation(void);

#endif
