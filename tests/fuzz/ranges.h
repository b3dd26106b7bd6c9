/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is what the verifier knows of numbers true? It is recorded while a program is verified
 * (without pruning, as what a checkpoint covers need not be within its ranges), and put
 * into the program as checks, which stop it when it runs unverified.
 */
#ifndef VRT_TESTS_FUZZ_RANGES_H
#define VRT_TESTS_FUZZ_RANGES_H

#include "../../src/bpf/bpf.h"
#include "progen.h"

void ranges_reset(void);
/* For bpf_env->verifier_state: adds what is known to what was known before. */
void ranges_record(u32 insn, const struct bpf_reg_state *regs, u16 live);
/*
 * @p with checks before some instructions, chosen by @rng. How many there are; 0: there was
 * nothing to check, or no room.
 */
u32 ranges_check(const struct progen *p, struct progen *out, struct rng *rng);

#endif
