/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What liveness.c (registers) and liveness_stack.c (slots) share: the control
 * flow backwards, within functions.
 */
#ifndef VRT_BPF_VERIFIER_LIVENESS_H
#define VRT_BPF_VERIFIER_LIVENESS_H

#include "verifier.h"

struct live_stack; /* liveness_stack.c */

struct bpf_liveness {
	/* preds[pred_start[i]] .. preds[pred_start[i + 1] - 1]: from where control comes to i */
	u32 *pred_start, *preds;
	struct live_stack *stack;
};

struct live_stack *live_stack_new(const struct bpf_verifier_env *env);
void live_stack_free(struct live_stack *ls);

#endif
