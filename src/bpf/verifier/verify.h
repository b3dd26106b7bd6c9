/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verifier, as the rest of the subsystem sees it. What its files offer each
 * other is in verifier.h.
 */
#ifndef VRT_BPF_VERIFIER_VERIFY_H
#define VRT_BPF_VERIFIER_VERIFY_H

struct bpf_check_env;

/*
 * The pass that proves the program, unless @check says that it is not to be
 * verified: 0, or -errno with the reason in the log and in bpf_explanation().
 */
int bpf_verify(struct bpf_check_env *check);

#endif
