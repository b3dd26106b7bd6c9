// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts together why a program is refused, from the state in which the path ended
 * that found it out (explain.h).
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../explain.h"
#include "verifier.h"

static struct bpf_explanation last;
static bool have_last;

const struct bpf_explanation *bpf_explanation(void)
{
	return have_last ? &last : NULL;
}

void explain_stats(const struct bpf_verifier_stats *stats)
{
	last.verified = *stats;
}

void explain_nothing(void)
{
	have_last = false;
}

/* --- hints ----------------------------------------------------------------------- */

/* The first that occurs in the message. */
static const struct {
	const char *words, *hint;
} hints[] = {
	{ "null-check it first", "compare the pointer with NULL before adding to it" },
	{ "_or_null'", "compare the pointer with NULL before using it, in the same function; after "
		       "a call or a store in between the compiler may have lost the comparison" },
	{ "invalid mem access 'scalar'",
	  "this is a number for the verifier: pointers read from memory that BTF does not describe, "
	  "made by arithmetic, or kept over a release lose their type; use bpf_core_cast(), "
	  "bpf_rdonly_cast() or bpf_probe_read_kernel()" },
	{ "invalid access to map value",
	  "compare the index with the size before using it, as unsigned and in the variable that "
	  "is used (or mask it: i & (N - 1)); 'off' above is the largest that it can be" },
	{ "min value is negative",
	  "make the variable unsigned, or compare it with 0 as well before it is an offset or size" },
	{ "unbounded memory access",
	  "compare the variable with a constant before it is an offset or size" },
	{ "value is outside of the allowed memory range",
	  "compare the index with the size before using it, or mask it: i & (N - 1)" },
	{ "!read_ok", "the variable is not set on this path; after a call r1 to r5 are gone" },
	{ "read from stack", "the variable or buffer is not initialized in full on this path "
			     "(padding counts): = {} or __builtin_memset() it" },
	{ "infinite loop", "the loop does not get nearer to its end: change what its condition "
			   "reads, or use bpf_for(), bpf_loop() or can_loop" },
	{ "back-edge", "bound the loop, or use bpf_for(), bpf_loop() or can_loop" },
	{ "program is too large", "make loops bpf_for() or bpf_loop(), and large static functions "
				  "global (__noinline without static): those are verified once" },
	{ "too complex", "fewer branches that stay open: bpf_for() or bpf_loop() for loops, global "
			 "functions (__noinline without static) for large pieces" },
	{ "stack size", "512 bytes over all functions of a chain of calls: put large variables into "
			"a map (a per-CPU array of one element)" },
	{ "Unreleased reference", "give it back on every path that ends here, also where something "
				  "failed" },
	{ "reference leak", "give back what was acquired before this call" },
	{ "reference has not been acquired", "it was released before, or is not yours to release" },
	{ "bpf_context access", "the context has no such field for this type of program, or it may "
				"not be written" },
	{ "invalid access to packet", "compare the end of what is read with data_end right before: "
				      "if ((void *)(p + 1) > data_end) return ...;" },
	{ "cannot use helper", "another type of program may: see bpf-helpers(7), or look for a kfunc "
			       "that does the same" },
	{ "GPL", "declare char _license[] SEC(\"license\") = \"GPL\"" },
	{ "is not allowed", "the function is for other types of programs, or for other operations "
			    "of the scheduler" },
	{ "must be referenced or trusted",
	  "pointers that were reached through others are not held: take them from arguments, "
	  "acquire them (bpf_task_acquire(), bpf_task_from_pid()), or read under bpf_rcu_read_lock()" },
	{ "must be a rcu pointer", "take it in a section of bpf_rcu_read_lock(), or acquire it" },
	{ "ossibly NULL pointer", "compare the pointer with NULL before the call" },
	{ "while holding a lock", "collect what is needed, unlock, then call" },
	{ "unlock is missing", "unlock on every path" },
	{ "unbounded min value", "compare the variable with a constant first, or make it unsigned" },
	{ "should have been in", "return a number from that range on every path" },
	{ "sleepable", "only programs in sections with .s (and callbacks of bpf_wq) may sleep, and "
		       "those not in sections of RCU, locks or disabled preemption" },
	{ "is expected to be non-NULL", "compare with NULL before the call, or drop __arg_nonnull" },
	{ "pointer arithmetic", "this kind of pointer stays as it was given: add to what it points "
				"to instead" },
	{ "expected=", "the function takes another kind of pointer; what is known of this one is "
		       "shown above" },
};

static const char *hint_for(const char *message)
{
	for (u32 i = 0; i < ARRAY_SIZE(hints); i++)
		if (strstr(message, hints[i].words))
			return hints[i].hint;
	return NULL;
}

/* --- places ------------------------------------------------------------------------ */

static void set_place(const struct bpf_verifier_env *env, u32 insn, struct bpf_explain_place *place)
{
	place->insn = insn;
	bpf_prog_where(env->prog, insn, place->where, sizeof(place->where));
	snprintf(place->source, sizeof(place->source), "%s",
		 bpf_prog_source_line(env->prog, insn));
	bpf_disasm(env->prog, insn, place->text, sizeof(place->text));
}

/* --- the path ------------------------------------------------------------------------ */

static bool is_decision(const struct bpf_verifier_env *env, u32 insn)
{
	return bpf_is_jump(&env->insns[insn]) && BPF_OP(env->insns[insn].code) != BPF_JA;
}

/* Earlier than all that are there: drops it when there is no room. */
static void add_step(const struct bpf_verifier_env *env, u32 insn, bool taken)
{
	struct bpf_explain_step *first = &last.steps[0];

	if (last.nr_steps && first->place.insn == insn && first->taken == taken) {
		first->times++;
		return;
	}
	if (last.nr_steps == BPF_EXPLAIN_STEPS) {
		last.steps_before++;
		return;
	}
	memmove(first + 1, first, last.nr_steps * sizeof(*first));
	last.nr_steps++;
	*first = (struct bpf_explain_step){ .taken = taken, .times = 1 };
	set_place(env, insn, &first->place);
}

/* Decisions from @first on up to @end were to go on: nothing jumped there. */
static void add_straight(const struct bpf_verifier_env *env, u32 first, u32 end)
{
	for (u32 i = end; i-- > first;)
		if (is_decision(env, i))
			add_step(env, i, false);
}

/* Backwards through what was remembered of this path: where it jumped. */
static void add_steps(const struct bpf_verifier_env *env)
{
	u32 at = env->cur->insn_idx;

	for (const struct bpf_verifier_state *st = env->cur; st; st = st->parent) {
		for (u32 i = st->jmp_history_cnt; i > 0; i--) {
			const struct bpf_jmp_history_entry *e = &st->jmp_history[i - 1];

			if (e->prev_idx >= env->len || e->idx == e->prev_idx + 1)
				continue;
			add_straight(env, e->idx, at);
			if (is_decision(env, e->prev_idx))
				add_step(env, e->prev_idx, true);
			at = e->prev_idx;
		}
		add_straight(env, st->first_insn_idx, at);
		at = st->first_insn_idx;
	}
}

/* --- registers -------------------------------------------------------------------------- */

static void add_reg(struct bpf_verifier_env *env, u32 regno)
{
	struct bpf_explain_reg *reg = &last.regs[last.nr_regs];

	for (u32 i = 0; i < last.nr_regs; i++)
		if (last.regs[i].regno == regno)
			return;
	if (last.nr_regs == BPF_EXPLAIN_REGS || regno >= MAX_BPF_REG_NR ||
	    reg_state(env, (int)regno)->type == NOT_INIT)
		return;
	reg->regno = regno;
	reg_str(env, regno, reg->known, sizeof(reg->known));
	last.nr_regs++;
}

/* Those that the message names. */
static void add_regs(struct bpf_verifier_env *env)
{
	for (const char *p = last.message; *p; p++)
		if (*p == 'R' && isdigit(p[1]) && (p == last.message || !isalnum(p[-1])))
			add_reg(env, (u32)atoi(p + 1));
}

/* Lines of the log that are steps of the verifier's own work, or states. */
static bool is_work(const char *line)
{
	static const char *const starts[] = { "mark_precise:", "Func#", "; ", "cur state:",
					      "old state:", " R", " frame" };

	for (u32 i = 0; i < ARRAY_SIZE(starts); i++)
		if (!strncmp(line, starts[i], strlen(starts[i])))
			return true;
	return false;
}

static void set_message(const char *said)
{
	size_t len = 0;

	while (*said) {
		size_t n = strcspn(said, "\n");

		if (n && !is_work(said) && len < sizeof(last.message))
			len += (size_t)snprintf(last.message + len, sizeof(last.message) - len,
						"%s%.*s", len ? "; " : "", (int)n, said);
		said += n + (said[n] == '\n');
	}
}

void explain_failure(struct bpf_verifier_env *env)
{
	memset(&last, 0, sizeof(last));
	have_last = true;
	snprintf(last.program, sizeof(last.program), "%s", env->prog->name);
	set_message(env->said);
	if (env->cur && env->cur->insn_idx < env->len) {
		set_place(env, env->cur->insn_idx, &last.place);
		add_steps(env);
		add_regs(env);
	}
	last.hint = hint_for(last.message);
}
