/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which registers and slots, by frame, backtracking looks for the origin of:
 * precision.c walks states, backtrack.c instructions.
 */
#ifndef VRT_BPF_VERIFIER_PRECISION_H
#define VRT_BPF_VERIFIER_PRECISION_H

#include "verifier.h"

struct backtrack {
	u32 frame; /* that the instruction belongs to */
	u16 regs[BPF_MAX_FRAMES];
	u64 slots[BPF_MAX_FRAMES];
};

static inline void bt_set_reg(struct backtrack *bt, u32 regno)
{
	bt->regs[bt->frame] |= (u16)(1U << regno);
}

static inline void bt_clear_reg(struct backtrack *bt, u32 regno)
{
	bt->regs[bt->frame] &= (u16)~(1U << regno);
}

static inline bool bt_has_reg(const struct backtrack *bt, u32 regno)
{
	return bt->regs[bt->frame] >> regno & 1;
}

/* Buffers for "r0,r2" and "-8,-24". */
#define REG_MASK_STR_SIZE 64
#define SLOT_MASK_STR_SIZE 512
const char *reg_mask_str(u32 mask, char *buf);
const char *slot_mask_str(u64 mask, char *buf);

enum { BACKTRACK_UNKNOWN = 1 }; /* it cannot be told where a number came from */

/*
 * @bt, which is right behind instruction @idx, is made right before it. @subseq is
 * what was executed next, @entry what the history has of @idx, or NULL. 0,
 * BACKTRACK_UNKNOWN, or -EFAULT, said.
 */
int backtrack_insn(struct bpf_verifier_env *env, struct backtrack *bt, u32 idx, u32 subseq,
		   const struct bpf_jmp_history_entry *entry);

#endif
