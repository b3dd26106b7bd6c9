// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log in the kernel's words: source lines, instructions, and what changed
 * behind each of them. Tests and tools match it by the letter.
 *
 * What changed is marked while an instruction is looked at ("scratched") and
 * printed, behind the instruction if nothing else was written meanwhile, before
 * the next one is. The read and written marks that registers and slots are
 * printed with are of no other use.
 */
#include "verifier.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ALL_REGS ((1U << MAX_BPF_REG_NR) - 1)
#define ALIGNMENT 40 /* what changed is written from this column on, or a multiple of 8 more */
#define MIN_ALIGNMENT 8

/* What is said of the instruction at hand is why the program is refused, if it is. */
static void remember(struct bpf_verifier_env *env, const char *fmt, va_list args)
{
	size_t len = strlen(env->said), room = sizeof(env->said) - len;

	if (room > 1)
		vsnprintf(env->said + len, room, fmt, args);
}

void verbose(struct bpf_verifier_env *env, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bpf_vlog(env->log, fmt, args);
	va_end(args);
	if (env->printing)
		return;
	va_start(args, fmt);
	remember(env, fmt, args);
	va_end(args);
}

void capture_log(struct bpf_verifier_env *env, struct captured_log *captured)
{
	bpf_log_init(&captured->log, BPF_LOG_LEVEL1 | BPF_LOG_FIXED, captured->text,
		     sizeof(captured->text));
	env->check->log = &captured->log;
}

void verbose_captured(struct bpf_verifier_env *env, struct captured_log *captured)
{
	u32 true_size;

	env->check->log = env->log;
	bpf_log_finish(&captured->log, &true_size);
	if (true_size)
		verbose(env, "%s", captured->text);
}

u64 verifier_log_pos(const struct bpf_verifier_env *env)
{
	return env->log ? env->log->total : 0;
}

void verifier_log_reset(struct bpf_verifier_env *env, u64 pos)
{
	bpf_log_reset(env->log, pos);
}

static bool same_line(const struct bpf_line_info *a, const struct bpf_line_info *b)
{
	return a->file_name_off == b->file_name_off &&
	       BPF_LINE_INFO_LINE_NUM(a->line_col) == BPF_LINE_INFO_LINE_NUM(b->line_col);
}

void verbose_linfo(struct bpf_verifier_env *env, u32 insn_idx)
{
	const struct bpf_line_info *line = bpf_prog_line(env->prog, insn_idx);
	char where[160];

	if (!line || (env->prev_line && same_line(line, env->prev_line)))
		return;
	env->prev_line = line;
	bpf_prog_where(env->prog, insn_idx, where, sizeof(where));
	verbose(env, "; %s @ %s\n", bpf_prog_source_line(env->prog, insn_idx), where);
}

void print_subprogs(struct bpf_verifier_env *env)
{
	if (!(env->log->level & BPF_LOG_LEVEL2))
		return;
	for (u32 i = 0; i < env->nr_subprogs; i++)
		verbose(env, "func#%u @%u\n", i, env->subprogs[i].start);
}

void print_stack_depths(struct bpf_verifier_env *env)
{
	if (!(env->log->level & BPF_LOG_STATS))
		return;
	verbose(env, "stack depth ");
	for (u32 i = 0; i < env->nr_subprogs; i++)
		verbose(env, "%s%u", i ? "+" : "", env->subprogs[i].stack_depth);
	verbose(env, "\n");
}

void print_insn(struct bpf_verifier_env *env, u32 insn_idx)
{
	u64 pos = verifier_log_pos(env);
	char text[256];

	bpf_disasm(env->prog, insn_idx, text, sizeof(text));
	verbose(env, "%u: (%02x) %s\n", insn_idx, env->prog->orig_insns[insn_idx].code, text);
	env->prev_log_pos = verifier_log_pos(env);
	env->prev_insn_print_pos = env->prev_log_pos - pos;
}

void print_insn_state(struct bpf_verifier_env *env, const struct bpf_verifier_state *st,
		      u32 frameno)
{
	u64 pos = verifier_log_pos(env);
	u32 width;

	if (!env->scratched_regs && !env->scratched_slots)
		return;
	if (pos && pos == env->prev_log_pos) {
		/* on the line of the instruction */
		verifier_log_reset(env, pos - 1);
		width = max((u32)env->prev_insn_print_pos + MIN_ALIGNMENT / 2, (u32)ALIGNMENT);
		width = ALIGN_UP(width, (u32)MIN_ALIGNMENT) - (u32)env->prev_insn_print_pos - 1;
		verbose(env, "%*c;", width, ' ');
	} else {
		verbose(env, "%u:", env->insn_idx);
	}
	print_verifier_state(env, st, frameno, false);
}

/* --- what changed ----------------------------------------------------------------- */

void mark_reg_scratched(struct bpf_verifier_env *env, u32 regno)
{
	env->scratched_regs |= 1U << regno;
}

void mark_stack_slot_scratched(struct bpf_verifier_env *env, u32 spi)
{
	env->scratched_slots |= 1ULL << spi;
}

void mark_verifier_state_scratched(struct bpf_verifier_env *env)
{
	env->scratched_regs = ALL_REGS;
	env->scratched_slots = ~0ULL;
}

/* --- what was read and written ---------------------------------------------------- */

static bool marks_accesses(const struct bpf_verifier_env *env)
{
	return env->log && env->log->level & BPF_LOG_LEVEL2;
}

/* A read is one of every checkpoint behind which it was not written. */
void log_reg_read(struct bpf_verifier_env *env, u32 regno)
{
	u32 frameno = env->cur->curframe;
	u16 bit = (u16)(1U << regno);
	const struct bpf_verifier_state *st;

	if (!marks_accesses(env) || regno == BPF_REG_FP)
		return;
	for (st = env->cur; !(st->frame[frameno]->written_regs & bit); st = st->parent) {
		if (!st->parent || st->parent->curframe < frameno)
			return;
		st->parent->frame[frameno]->read_regs |= bit;
	}
}

void log_reg_written(struct bpf_verifier_env *env, u32 regno)
{
	cur_func(env)->written_regs |= (u16)(1U << regno);
}

void log_slots_read(struct bpf_verifier_env *env, u32 frameno, u64 slots)
{
	const struct bpf_verifier_state *st;

	if (!marks_accesses(env))
		return;
	for (st = env->cur; slots; st = st->parent) {
		slots &= ~st->frame[frameno]->written_slots;
		if (!st->parent || st->parent->curframe < frameno)
			return;
		st->parent->frame[frameno]->read_slots |= slots;
	}
}

void log_slots_written(struct bpf_verifier_env *env, u32 frameno, u64 slots)
{
	env->cur->frame[frameno]->written_slots |= slots;
}
