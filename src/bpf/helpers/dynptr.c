// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dynptrs: pointers whose size is known at run time only. What they stand for
 * is kept in the shadow of their two stack slots (helpers.h).
 */
#include <errno.h>
#include <string.h>

#include "helpers.h"

#define DYNPTR_MAX_SIZE ((1u << 24) - 1)

/*
 * In the shadow: slot 0 has the data's address and region, slot 1 the part of it
 * and the type. Neither can be used as a pointer.
 */
static const struct bpf_region dynptr_region = { .kind = REGION_SLOT, .name = "a dynptr" };
/* A register that points at a dynptr on no stack: base is the state. */
static const struct bpf_region dynptr_ptr_region = { .kind = REGION_SLOT, .name = "a dynptr" };

static void put_state(struct bpf_reg *slots, const struct bpf_dynptr_state *s)
{
	slots[0] = (struct bpf_reg){ .v = (u64)s->data, .base = (u64)s->region,
				     .region = &dynptr_region };
	slots[1] = (struct bpf_reg){ .v = (u64)s->offset << 32 | s->size,
				     .base = (u64)s->type | (u64)s->rdonly << 8,
				     .region = &dynptr_region };
}

static void get_state(const struct bpf_reg *slots, struct bpf_dynptr_state *s)
{
	*s = (struct bpf_dynptr_state){
		.type = (enum bpf_dynptr_type)(slots[1].base & 0xff),
		.rdonly = slots[1].base >> 8,
		.data = (u8 *)slots[0].v,
		.offset = (u32)(slots[1].v >> 32),
		.size = (u32)slots[1].v,
		.region = (const struct bpf_region *)slots[0].base,
	};
}

static bool on_stack(const struct bpf_exec *x, u64 ptr)
{
	return ptr - (u64)x->stack < BPF_MAX_FRAMES * BPF_STACK_SIZE;
}

/* Where it is has been proved: on the stack, or it is one that a callback was lent. */
static void get_unchecked(struct bpf_exec *x, u64 ptr, struct bpf_dynptr_state *s)
{
	const struct bpf_dynptr_state *lent = x->lent;

	if (on_stack(x, ptr)) {
		struct bpf_reg slots[2] = { *bpf_exec_slot(x, ptr), *bpf_exec_slot(x, ptr + 8) };

		get_state(slots, s);
		return;
	}
	while (lent && (u64)lent->data != ptr)
		lent = lent->outer;
	*s = lent ? *lent : (struct bpf_dynptr_state){ .type = BPF_DYNPTR_INVALID };
}

bool bpf_dynptr_get(struct bpf_exec *x, u32 arg, u64 ptr, struct bpf_dynptr_state *s)
{
	const struct bpf_reg *reg, *slots;
	u64 fat;

	if (!x->checked) {
		get_unchecked(x, ptr, s);
		return true;
	}
	reg = &x->regs[arg];
	x->callee_arg = arg;
	if (reg->region == &dynptr_ptr_region) {
		*s = *(const struct bpf_dynptr_state *)reg->base;
		return true;
	}
	slots = bpf_exec_slots(x, reg, 2, &fat);
	if (!slots)
		return false;
	if (fat != 3 || slots[0].region != &dynptr_region || slots[1].region != &dynptr_region)
		return bpf_exec_fault(x, "there is no initialised dynptr");
	get_state(slots, s);
	return true;
}

bool bpf_dynptr_set(struct bpf_exec *x, u32 arg, u64 ptr, const struct bpf_dynptr_state *s)
{
	u64 words[2] = { (u64)s->data, (u64)s->offset << 32 | s->size }, fat;
	struct bpf_reg *slots;

	if (x->checked) {
		x->callee_arg = arg;
		slots = bpf_exec_slots(x, &x->regs[arg], 2, &fat);
		if (!slots)
			return false;
		bpf_exec_mark_slots(x, &x->regs[arg], 2, true);
	} else {
		slots = bpf_exec_slot(x, ptr);
	}
	put_state(slots, s);
	memcpy((void *)ptr, words, sizeof(words));
	return true;
}

void bpf_dynptr_clear(struct bpf_exec *x, u32 arg, u64 ptr)
{
	if (!on_stack(x, ptr))
		return;
	memset((void *)ptr, 0, 16);
	if (x->checked)
		bpf_exec_mark_slots(x, &x->regs[arg], 2, false);
}

void bpf_dynptr_lend(struct bpf_exec *x, struct bpf_reg *reg, struct bpf_dynptr_state *state)
{
	*reg = (struct bpf_reg){ .base = (u64)state, .v = (u64)state->data,
				 .region = &dynptr_ptr_region };
	state->outer = x->lent;
	x->lent = state;
}

void bpf_dynptr_take_back(struct bpf_exec *x, const struct bpf_dynptr_state *state)
{
	x->lent = state->outer;
}

/* --- helpers ------------------------------------------------------------------------- */

BPF_HELPER(dynptr_from_mem)
{
	struct bpf_exec *x = bpf_exec_current;
	const struct bpf_region *region = x->checked ? x->regs[1].region : NULL;
	struct bpf_dynptr_state s = { .type = BPF_DYNPTR_LOCAL };
	int err = 0;

	if (x->checked && (!region || region->kind != REGION_MAP_VALUE)) {
		bpf_exec_fault(x, "argument 1 must be a map value");
		return 0;
	}
	if (a2 > DYNPTR_MAX_SIZE) {
		err = -E2BIG;
	} else if (a3) {
		err = -EINVAL;
	} else {
		s.data = (u8 *)a1;
		s.size = (u32)a2;
		s.region = region;
		s.rdonly = region && !region->writable;
	}
	if (!bpf_dynptr_set(x, 4, a4, &s))
		return 0;
	return (u64)(s64)err;
}

static int check_range(const struct bpf_dynptr_state *s, u64 off, u64 len)
{
	return len > s->size || off > s->size - len ? -E2BIG : 0;
}

BPF_HELPER(dynptr_read)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state s;
	int err;

	if (!bpf_dynptr_get(x, 3, a3, &s))
		return 0;
	if (!s.data || a5)
		return (u64)-EINVAL;
	err = check_range(&s, (u32)a4, (u32)a2);
	if (!err)
		memmove((void *)a1, s.data + s.offset + (u32)a4, (u32)a2);
	return (u64)(s64)err;
}

BPF_HELPER(dynptr_write)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state s;
	int err;

	if (!bpf_dynptr_get(x, 1, a1, &s))
		return 0;
	if (!s.data || s.rdonly || a5)
		return (u64)-EINVAL;
	err = check_range(&s, (u32)a2, (u32)a4);
	if (!err)
		memmove(s.data + s.offset + (u32)a2, (const void *)a3, (u32)a4);
	return (u64)(s64)err;
}

BPF_HELPER(dynptr_data)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state s;

	if (!bpf_dynptr_get(x, 1, a1, &s))
		return 0;
	if (!s.data || s.rdonly || check_range(&s, (u32)a2, (u32)a3))
		return 0;
	return (u64)(s.data + s.offset + (u32)a2);
}
