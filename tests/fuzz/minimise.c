// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a program smaller while it still does what it is interesting for:
 * instructions are replaced by jumps to the next one, first many at a time, and
 * what has become such a jump is taken out in the end.
 */
#include "minimise.h"

#include <linux/bpf.h>
#include <string.h>

static const struct bpf_insn nop = { .code = BPF_JMP | BPF_JA };

static bool is_nop(const struct bpf_insn *insn)
{
	return !memcmp(insn, &nop, sizeof(nop));
}

static bool is_wide(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

bool is_tail(const struct progen *p, u32 i)
{
	return i && is_wide(&p->insns[i - 1]) && (i < 2 || !is_wide(&p->insns[i - 2]));
}

/* False: nothing was left to take out. Halves of wide instructions go together. */
static bool blank(struct progen *p, u32 from, u32 to)
{
	bool changed = false;

	if (is_tail(p, from))
		from--;
	if (to < p->len && is_tail(p, to))
		to++;
	for (u32 i = from; i < to; i++) {
		changed |= !is_nop(&p->insns[i]);
		p->insns[i] = nop;
	}
	return changed;
}

static bool blank_chunks(struct progen *p, u32 size, keeps_fn keeps, void *arg)
{
	static struct progen tried;
	bool changed = false;

	for (u32 from = 0; from < p->len; from += size) {
		tried = *p;
		if (!blank(&tried, from, from + size < p->len ? from + size : p->len) ||
		    !keeps(&tried, arg))
			continue;
		*p = tried;
		changed = true;
	}
	return changed;
}

static bool is_jump(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* Calls of functions, references to them, and far jumps: the distance is in imm. */
static bool is_far(const struct bpf_insn *insn)
{
	return (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL) ||
	       (is_wide(insn) && insn->src_reg == BPF_PSEUDO_FUNC) ||
	       insn->code == (BPF_JMP32 | BPF_JA);
}

void move_insns(const struct progen *p, const u32 *start, const u32 *place, struct progen *out)
{
	for (u32 i = 0; i < p->len; i++) {
		struct bpf_insn insn = p->insns[i];
		s64 to;

		if (place[i] == INSN_GONE)
			continue;
		if (!is_tail(p, i) && is_far(&insn)) {
			to = (s64)i + 1 + insn.imm;
			if (to >= 0 && to <= p->len)
				insn.imm = (s32)start[to] - (s32)place[i] - 1;
		} else if (!is_tail(p, i) && is_jump(&insn)) {
			to = (s64)i + 1 + insn.off;
			if (to >= 0 && to <= p->len)
				insn.off = (s16)((s32)start[to] - (s32)place[i] - 1);
		}
		out->insns[place[i]] = insn;
	}
	out->len = start[p->len];
	out->nr_funcs = p->nr_funcs;
	for (u32 i = 0; i < p->nr_funcs; i++) {
		out->funcs[i] = p->funcs[i];
		out->funcs[i].start = start[p->funcs[i].start];
	}
}

/* Without those jumps. */
static void close_gaps(const struct progen *p, struct progen *out)
{
	static u32 start[PROGEN_MAX_INSNS + 1], place[PROGEN_MAX_INSNS];
	u32 len = 0;

	for (u32 i = 0; i < p->len; i++) {
		bool stays = is_tail(p, i) || !is_nop(&p->insns[i]);

		start[i] = len;
		place[i] = stays ? len : INSN_GONE;
		len += stays;
	}
	start[p->len] = len;
	move_insns(p, start, place, out);
}

void minimise(struct progen *p, keeps_fn keeps, void *arg)
{
	static struct progen closed;
	bool changed = true;

	while (changed) {
		changed = false;
		for (u32 size = p->len / 2; size; size /= 2)
			changed |= blank_chunks(p, size, keeps, arg);
	}
	close_gaps(p, &closed);
	if (keeps(&closed, arg))
		*p = closed;
}
