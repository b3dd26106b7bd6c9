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

bool bpf_dynptr_get(struct bpf_exec *x, u32 arg, struct bpf_dynptr_state *s)
{
	const struct bpf_reg *reg = &x->regs[arg], *slots;
	u64 fat;

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
	*s = (struct bpf_dynptr_state){
		.type = (enum bpf_dynptr_type)(slots[1].base & 0xff),
		.rdonly = slots[1].base >> 8,
		.data = (u8 *)slots[0].v,
		.offset = (u32)(slots[1].v >> 32),
		.size = (u32)slots[1].v,
		.region = (const struct bpf_region *)slots[0].base,
	};
	return true;
}

bool bpf_dynptr_set(struct bpf_exec *x, u32 arg, const struct bpf_dynptr_state *s)
{
	const struct bpf_reg *reg = &x->regs[arg];
	u64 words[2] = { (u64)s->data, (u64)s->offset << 32 | s->size }, fat;
	struct bpf_reg *slots;

	x->callee_arg = arg;
	slots = bpf_exec_slots(x, reg, 2, &fat);
	if (!slots)
		return false;
	put_state(slots, s);
	memcpy((void *)reg->v, words, sizeof(words));
	bpf_exec_mark_slots(x, reg, 2, true);
	return true;
}

void bpf_dynptr_clear(struct bpf_exec *x, u32 arg)
{
	const struct bpf_reg *reg = &x->regs[arg];

	if (reg->region == &dynptr_ptr_region)
		return;
	memset((void *)reg->v, 0, 16);
	bpf_exec_mark_slots(x, reg, 2, false);
}

void bpf_dynptr_reg(struct bpf_reg *reg, const struct bpf_dynptr_state *state)
{
	*reg = (struct bpf_reg){ .base = (u64)state, .v = (u64)state->data,
				 .region = &dynptr_ptr_region };
}

/* --- helpers ------------------------------------------------------------------------- */

BPF_HELPER(dynptr_from_mem)
{
	struct bpf_exec *x = bpf_exec_current;
	const struct bpf_region *region = x->regs[1].region;
	struct bpf_dynptr_state s = { .type = BPF_DYNPTR_LOCAL };
	int err = 0;

	if (!region || region->kind != REGION_MAP_VALUE) {
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
		s.rdonly = !region->writable;
	}
	if (!bpf_dynptr_set(x, 4, &s))
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

	if (!bpf_dynptr_get(x, 3, &s))
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

	if (!bpf_dynptr_get(x, 1, &s))
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

	if (!bpf_dynptr_get(x, 1, &s))
		return 0;
	if (!s.data || s.rdonly || check_range(&s, (u32)a2, (u32)a3))
		return 0;
	return (u64)(s.data + s.offset + (u32)a2);
}
