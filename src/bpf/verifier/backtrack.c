// SPDX-License-Identifier: GPL-2.0-only
/*
 * One instruction backwards: when what it wrote mattered, what it read did.
 *
 * Numbers come from constants, from memory other than the stack and from calls,
 * where the search ends, or from registers and slots, where it goes on.
 * The history tells what an instruction does not: which slot it accessed, and
 * which other numbers learned what it found out of one. A callee's frame is
 * entered at its exit and left at its call, as this goes backwards.
 */
#include <errno.h>
#include <stdio.h>

#include "precision.h"

#define ARG_REGS ((u16)0x3e) /* r1-r5 */

static bool is_stack_access(const struct bpf_jmp_history_entry *entry)
{
	return entry && entry->flags & INSN_F_STACK_ACCESS;
}

static u32 entry_frame(const struct bpf_jmp_history_entry *entry)
{
	return entry->flags & INSN_F_FRAMENO_MASK;
}

static u64 entry_slot(const struct bpf_jmp_history_entry *entry)
{
	return 1ULL << (entry->flags >> INSN_F_SPI_SHIFT & INSN_F_SPI_MASK);
}

/* --- linked numbers --------------------------------------------------------------- */

static bool is_wanted(const struct backtrack *bt, const struct linked_reg *r)
{
	return (r->is_reg ? bt->regs[r->frameno] : bt->slots[r->frameno]) >> r->regno & 1;
}

/* What was learned of one of them was learned of all: if one mattered, all did. */
static void sync_links(struct backtrack *bt, const struct bpf_jmp_history_entry *entry)
{
	const struct linked_regs *linked = entry ? entry->linked : NULL;
	bool wanted = false;
	u32 i;

	for (i = 0; linked && i < linked->cnt; i++)
		wanted |= is_wanted(bt, &linked->entries[i]);
	for (i = 0; wanted && i < linked->cnt; i++) {
		const struct linked_reg *r = &linked->entries[i];

		if (r->is_reg)
			bt->regs[r->frameno] |= (u16)(1U << r->regno);
		else
			bt->slots[r->frameno] |= 1ULL << r->regno;
	}
}

/* --- by class --------------------------------------------------------------------- */

static void want_src(struct backtrack *bt, const struct bpf_insn *insn)
{
	if (BPF_SRC(insn->code) == BPF_X && insn->src_reg != BPF_REG_FP)
		bt_set_reg(bt, insn->src_reg);
}

static void backtrack_alu(struct backtrack *bt, const struct bpf_insn *insn)
{
	if (!bt_has_reg(bt, insn->dst_reg))
		return;
	switch (BPF_OP(insn->code)) {
	case BPF_END:
	case BPF_NEG:
		return;
	case BPF_MOV:
		bt_clear_reg(bt, insn->dst_reg);
		break;
	}
	want_src(bt, insn);
}

static void backtrack_load(struct backtrack *bt, u32 regno,
			   const struct bpf_jmp_history_entry *entry)
{
	if (!bt_has_reg(bt, regno))
		return;
	bt_clear_reg(bt, regno);
	if (is_stack_access(entry))
		bt->slots[entry_frame(entry)] |= entry_slot(entry);
}

static int backtrack_store(struct backtrack *bt, const struct bpf_insn *insn,
			   const struct bpf_jmp_history_entry *entry)
{
	/* a number that is used as a pointer: it was one once, before a subtraction */
	if (bt_has_reg(bt, insn->dst_reg))
		return BACKTRACK_UNKNOWN;
	if (!is_stack_access(entry) || !(bt->slots[entry_frame(entry)] & entry_slot(entry)))
		return 0;
	bt->slots[entry_frame(entry)] &= ~entry_slot(entry);
	if (BPF_CLASS(insn->code) == BPF_STX)
		bt_set_reg(bt, insn->src_reg);
	return 0;
}

static int backtrack_stx(struct backtrack *bt, const struct bpf_insn *insn,
			 const struct bpf_jmp_history_entry *entry)
{
	if (BPF_MODE(insn->code) != BPF_ATOMIC || !(insn->imm & BPF_FETCH))
		return backtrack_store(bt, insn, entry);
	backtrack_load(bt, insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg, entry);
	return 0;
}

static void backtrack_cond_jmp(struct backtrack *bt, const struct bpf_insn *insn,
			       const struct bpf_jmp_history_entry *entry)
{
	u32 flags = entry ? entry->flags : 0;

	if (BPF_OP(insn->code) == BPF_JA || BPF_OP(insn->code) == BPF_JCOND ||
	    BPF_SRC(insn->code) != BPF_X)
		return;
	if (!bt_has_reg(bt, insn->dst_reg) && !bt_has_reg(bt, insn->src_reg))
		return;
	/* what one was compared with says something of the other */
	if (!(flags & INSN_F_SRC_REG_STACK))
		bt_set_reg(bt, insn->src_reg);
	if (!(flags & INSN_F_DST_REG_STACK))
		bt_set_reg(bt, insn->dst_reg);
}

/* --- calls ------------------------------------------------------------------------ */

static int unexpected_regs(struct bpf_verifier_env *env, const struct backtrack *bt)
{
	verbose(env, "BUG regs %x\n", bt->regs[bt->frame]);
	return -EFAULT;
}

/* From the first instruction of a callee to its call: all that its frame has comes from r1-r5. */
static int leave_callee(struct bpf_verifier_env *env, struct backtrack *bt, bool pass_args)
{
	if (bt->regs[bt->frame] & ~ARG_REGS)
		return unexpected_regs(env, bt);
	if (bt->slots[bt->frame]) {
		verbose(env, "BUG stack slots %llx\n", bt->slots[bt->frame]);
		return -EFAULT;
	}
	if (!bt->frame) {
		verbose(env, "BUG subprog exit from frame 0\n");
		return -EFAULT;
	}
	if (pass_args)
		bt->regs[bt->frame - 1] |= bt->regs[bt->frame];
	bt->regs[bt->frame] = 0;
	bt->frame--;
	return 0;
}

static int backtrack_call(struct bpf_verifier_env *env, struct backtrack *bt,
			  const struct bpf_insn *insn, u32 idx, u32 subseq)
{
	if (bpf_is_call(insn, BPF_PSEUDO_CALL)) {
		int subprog = find_subprog(env, idx + 1 + (u32)insn->imm);

		if (subprog < 0 || !env->subprogs[subprog].is_global)
			return leave_callee(env, bt, true);
	} else if (subseq != idx + 1 && is_sync_callback_calling_insn(env, insn)) {
		/* the arguments of a callback are not those of the call */
		return leave_callee(env, bt, false);
	}
	bt_clear_reg(bt, BPF_REG_0);
	/* nothing behind a call can have read what it has destroyed */
	return bt->regs[bt->frame] & ARG_REGS ? unexpected_regs(env, bt) : 0;
}

/* To the end of a callee, from behind its call. */
static int enter_callee(struct bpf_verifier_env *env, struct backtrack *bt)
{
	if (bt->frame + 1 == BPF_MAX_FRAMES) {
		verbose(env, "BUG subprog enter from frame %u\n", bt->frame);
		return -EFAULT;
	}
	bt->frame++;
	return 0;
}

static int backtrack_exit(struct bpf_verifier_env *env, struct backtrack *bt, u32 subseq)
{
	/* a callback returns to its call itself, for which its r0 is no result */
	bool returns = subseq && bpf_is_call(&env->insns[subseq - 1], BPF_PSEUDO_CALL);
	bool wanted = returns && bt_has_reg(bt, BPF_REG_0);

	if (returns && bt->regs[bt->frame] & ARG_REGS)
		return unexpected_regs(env, bt);
	bt_clear_reg(bt, BPF_REG_0);
	if (enter_callee(env, bt))
		return -EFAULT;
	if (wanted)
		bt_set_reg(bt, BPF_REG_0);
	return 0;
}

static int backtrack_ld(struct bpf_verifier_env *env, struct backtrack *bt,
			const struct bpf_insn *insn, u32 idx, u32 subseq)
{
	if (bpf_is_ldimm64(insn)) {
		bt_clear_reg(bt, insn->dst_reg);
		return 0;
	}
	if (bt_has_reg(bt, BPF_REG_0))
		return BACKTRACK_UNKNOWN;
	/* LD_ABS and LD_IND may return from the function */
	return subseq != idx + 1 ? enter_callee(env, bt) : 0;
}

static int backtrack_jmp(struct bpf_verifier_env *env, struct backtrack *bt,
			 const struct bpf_insn *insn, u32 idx, u32 subseq,
			 const struct bpf_jmp_history_entry *entry)
{
	switch (BPF_OP(insn->code)) {
	case BPF_CALL:
		return backtrack_call(env, bt, insn, idx, subseq);
	case BPF_EXIT:
		return backtrack_exit(env, bt, subseq);
	default:
		backtrack_cond_jmp(bt, insn, entry);
		return 0;
	}
}

/* --- the whole -------------------------------------------------------------------- */

const char *reg_mask_str(u32 mask, char *buf)
{
	int n = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < MAX_BPF_REG_NR; i++)
		if (mask >> i & 1)
			n += snprintf(buf + n, REG_MASK_STR_SIZE - (size_t)n, "%sr%u", n ? "," : "",
				      i);
	return buf;
}

const char *slot_mask_str(u64 mask, char *buf)
{
	int n = 0;

	buf[0] = '\0';
	for (int i = 0; i < 64; i++)
		if (mask >> i & 1)
			n += snprintf(buf + n, SLOT_MASK_STR_SIZE - (size_t)n, "%s%d", n ? "," : "",
				      -(i + 1) * BPF_REG_SIZE);
	return buf;
}

static void log_step(struct bpf_verifier_env *env, const struct backtrack *bt, u32 idx)
{
	char regs[REG_MASK_STR_SIZE], slots[SLOT_MASK_STR_SIZE], text[256];

	if (!(env->log->level & BPF_LOG_LEVEL2))
		return;
	bpf_disasm(env->prog, idx, text, sizeof(text));
	verbose(env, "mark_precise: frame%u: regs=%s stack=%s before %u: (%02x) %s\n", bt->frame,
		reg_mask_str(bt->regs[bt->frame], regs), slot_mask_str(bt->slots[bt->frame], slots),
		idx, env->prog->orig_insns[idx].code, text);
}

int backtrack_insn(struct bpf_verifier_env *env, struct backtrack *bt, u32 idx, u32 subseq,
		   const struct bpf_jmp_history_entry *entry)
{
	const struct bpf_insn *insn = &env->insns[idx];
	int err = 0;

	if (!insn->code) /* the second half of a 64-bit load */
		return 0;
	log_step(env, bt, idx);
	sync_links(bt, entry);
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		backtrack_alu(bt, insn);
		break;
	case BPF_LDX:
		backtrack_load(bt, insn->dst_reg, entry);
		break;
	case BPF_ST:
		err = backtrack_store(bt, insn, entry);
		break;
	case BPF_STX:
		err = backtrack_stx(bt, insn, entry);
		break;
	case BPF_LD:
		err = backtrack_ld(env, bt, insn, idx, subseq);
		break;
	default:
		err = backtrack_jmp(env, bt, insn, idx, subseq, entry);
	}
	/* what the instruction has tied together, from the other side */
	sync_links(bt, entry);
	return err;
}
