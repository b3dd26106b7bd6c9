// SPDX-License-Identifier: GPL-2.0-only
/*
 * States: made, copied, freed. Frames above curframe do not exist; a frame
 * owns its slots, a state its frames, references and history of jumps.
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"

/* --- books ------------------------------------------------------------------------ */

static u64 bytes, peak; /* of states and frames with their slots */

static void account(u64 more, u64 less)
{
	VRT_ASSERT(bytes + more >= less);
	bytes += more - less;
	peak = max(peak, bytes);
}

static u64 func_bytes(const struct bpf_func_state *func)
{
	return sizeof(*func) + func->allocated_stack / 8 * sizeof(*func->stack);
}

void state_books_open(void)
{
	VRT_ASSERT(!bytes); /* whoever verified before has freed all */
	peak = 0;
}

u64 state_bytes(void)
{
	return bytes;
}

u64 state_peak_bytes(void)
{
	return peak;
}

/* --- states and frames -------------------------------------------------------------- */

struct bpf_verifier_state *state_new(void)
{
	struct bpf_verifier_state *st = xcalloc(1, sizeof(*st));

	account(sizeof(*st), 0);
	st->branches = 1;
	return st;
}

struct bpf_func_state *func_state_new(void)
{
	struct bpf_func_state *func = xcalloc(1, sizeof(*func));

	account(func_bytes(func), 0);
	return func;
}

void func_state_free(struct bpf_func_state *func)
{
	if (!func)
		return;
	account(0, func_bytes(func));
	free(func->stack);
	free(func);
}

void state_clear_history(struct bpf_verifier_state *st)
{
	for (u32 i = 0; i < st->jmp_history_cnt; i++)
		free(st->jmp_history[i].linked);
	free(st->jmp_history);
	st->jmp_history = NULL;
	st->jmp_history_cnt = 0;
}

void state_free_content(struct bpf_verifier_state *st)
{
	for (u32 i = 0; i <= st->curframe; i++) {
		func_state_free(st->frame[i]);
		st->frame[i] = NULL;
	}
	free(st->refs);
	st->refs = NULL;
	st->nr_refs = 0;
	state_clear_history(st);
}

void state_free(struct bpf_verifier_state *st)
{
	if (!st)
		return;
	state_free_content(st);
	account(0, sizeof(*st));
	free(st);
}

static void *copy_array(const void *src, size_t n, size_t size)
{
	void *copy;

	if (!n)
		return NULL;
	copy = xreallocarray(NULL, n, size);
	memcpy(copy, src, n * size);
	return copy;
}

static struct bpf_func_state *copy_func(struct bpf_func_state *dst,
					const struct bpf_func_state *src)
{
	struct bpf_stack_state *stack = dst ? dst->stack : NULL;
	u32 slots = src->allocated_stack / 8;

	account(func_bytes(src), dst ? func_bytes(dst) : 0);
	if (!dst)
		dst = xreallocarray(NULL, 1, sizeof(*dst));
	/* the memory of the old slots serves the new ones: most copies are of the same frame */
	if (slots && (!stack || dst->allocated_stack < src->allocated_stack || !dst->allocated_stack))
		stack = xreallocarray(stack, slots, sizeof(*stack));
	if (slots)
		memcpy(stack, src->stack, slots * sizeof(*stack));
	*dst = *src;
	dst->stack = stack;
	return dst;
}

void state_copy(struct bpf_verifier_state *dst, const struct bpf_verifier_state *src)
{
	struct bpf_verifier_state *parent = dst->parent;
	struct bpf_func_state *frames[BPF_MAX_FRAMES] = {};
	struct bpf_jmp_history_entry *history = dst->jmp_history;
	u32 nr_history = dst->jmp_history_cnt;

	for (u32 i = 0; i < BPF_MAX_FRAMES; i++) {
		if (i <= src->curframe)
			frames[i] = copy_func(dst->frame[i], src->frame[i]);
		else
			func_state_free(dst->frame[i]);
	}
	free(dst->refs);
	*dst = *src;
	memcpy(dst->frame, frames, sizeof(frames));
	dst->refs = copy_array(src->refs, src->nr_refs, sizeof(*src->refs));
	dst->parent = parent;
	dst->jmp_history = history;
	dst->jmp_history_cnt = nr_history;
}

void state_copy_history(struct bpf_verifier_state *dst, const struct bpf_verifier_state *src)
{
	state_clear_history(dst);
	dst->jmp_history = copy_array(src->jmp_history, src->jmp_history_cnt,
				      sizeof(*src->jmp_history));
	dst->jmp_history_cnt = src->jmp_history_cnt;
	for (u32 i = 0; i < dst->jmp_history_cnt; i++) {
		struct bpf_jmp_history_entry *entry = &dst->jmp_history[i];

		entry->linked = copy_array(entry->linked, !!entry->linked, sizeof(*entry->linked));
	}
}

void func_state_grow(struct bpf_func_state *func, u32 size)
{
	u32 old = func->allocated_stack / 8, slots = DIV_ROUND_UP(size, 8U);

	if (slots <= old)
		return;
	func->stack = xreallocarray(func->stack, slots, sizeof(*func->stack));
	memset(func->stack + old, 0, (slots - old) * sizeof(*func->stack));
	account((slots - old) * sizeof(*func->stack), 0);
	func->allocated_stack = slots * 8;
}

struct bpf_reference_state *state_add_ref(struct bpf_verifier_state *st)
{
	st->refs = xreallocarray(st->refs, st->nr_refs + 1, sizeof(*st->refs));
	memset(&st->refs[st->nr_refs], 0, sizeof(*st->refs));
	return &st->refs[st->nr_refs++];
}

void state_del_ref(struct bpf_verifier_state *st, u32 index)
{
	VRT_ASSERT(index < st->nr_refs);
	/* in order: what was acquired last is released first */
	memmove(&st->refs[index], &st->refs[index + 1],
		(st->nr_refs - index - 1) * sizeof(*st->refs));
	st->nr_refs--;
}
