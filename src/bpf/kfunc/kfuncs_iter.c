// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open-coded iterators over numbers and over bits. Their state is on the
 * program's stack, where it cannot write once they are initialised
 * (kfunc/call.c).
 */
#include <errno.h>
#include <string.h>

#include "../../../kernel/kfuncs.h"
#include "kfunc.h"

/* --- numbers ----------------------------------------------------------------------- */

struct num_state {
	s32 cur, end;
};

_Static_assert(sizeof(struct num_state) == sizeof(struct bpf_iter_num), "ABI");

int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end)
{
	struct num_state *s = (struct num_state *)it;

	*s = (struct num_state){ 0 };
	if (start > end)
		return -EINVAL;
	if ((s64)end - start > (s64)BPF_MAX_LOOP_ITERATIONS)
		return -E2BIG;
	/* one before the first, which may wrap */
	s->cur = (s32)((u32)start - 1);
	s->end = end;
	return 0;
}

int *bpf_iter_num_next(struct bpf_iter_num *it)
{
	struct num_state *s = (struct num_state *)it;
	s32 next = (s32)((u32)s->cur + 1);

	if (next >= s->end) {
		*s = (struct num_state){ 0 };
		return NULL;
	}
	s->cur = next;
	return &s->cur;
}

void bpf_iter_num_destroy(struct bpf_iter_num *it)
{
	*(struct num_state *)it = (struct num_state){ 0 };
}

/* --- bits --------------------------------------------------------------------------- */

#define MAX_WORDS 511

struct bits_state {
	union {
		u64 *bits; /* in the kernel heap */
		u64 bits_copy; /* up to 64 bits */
	};
	s32 nr_bits, bit;
};

_Static_assert(sizeof(struct bits_state) == sizeof(struct bpf_iter_bits), "ABI");

const struct kheap_type bpf_iter_bits_type = { .name = "[iterator bits]" };

int bpf_iter_bits_new(struct bpf_iter_bits *it, const u64 *unsafe_ptr, u32 nr_words)
{
	struct bits_state *s = (struct bits_state *)it;
	u64 *bits;

	*s = (struct bits_state){ .bit = -1 };
	if (!unsafe_ptr || !nr_words)
		return -EINVAL;
	if (nr_words > MAX_WORDS)
		return -E2BIG;
	if (nr_words == 1) {
		if (bpf_probe_read(&s->bits_copy, (u64)unsafe_ptr, 8))
			return -EFAULT;
		s->nr_bits = 64;
		return 0;
	}
	bits = kheap_alloc(&bpf_iter_bits_type, nr_words * sizeof(u64));
	if (!bits)
		return -ENOMEM;
	if (bpf_probe_read(bits, (u64)unsafe_ptr, nr_words * sizeof(u64))) {
		kheap_free(bits);
		return -EFAULT;
	}
	bpf_ref_add(bpf_exec_current, bits);
	s->bits = bits;
	s->nr_bits = (s32)nr_words * 64;
	return 0;
}

int *bpf_iter_bits_next(struct bpf_iter_bits *it)
{
	struct bits_state *s = (struct bits_state *)it;
	const u64 *bits = s->nr_bits == 64 ? &s->bits_copy : s->bits;
	s32 bit;

	for (bit = s->bit + 1; bit < s->nr_bits; bit++) {
		u64 rest = bits[bit / 64] >> bit % 64;

		if (!rest) {
			bit |= 63; /* on to the next word */
			continue;
		}
		s->bit = bit + __builtin_ctzll(rest);
		return &s->bit;
	}
	s->bit = s->nr_bits;
	return NULL;
}

void bpf_iter_bits_destroy(struct bpf_iter_bits *it)
{
	struct bits_state *s = (struct bits_state *)it;

	if (s->nr_bits > 64) {
		bpf_ref_del(bpf_exec_current, s->bits);
		kheap_free(s->bits);
	}
	*s = (struct bits_state){ 0 };
}

static const struct bpf_kfunc kfuncs[] = {
	BPF_KFUNC_ENTRY(bpf_iter_num_new, KF_ITER_NEW | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_iter_num_next, KF_ITER_NEXT | KF_RET_NULL | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_iter_num_destroy, KF_ITER_DESTROY | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_iter_bits_new, KF_ITER_NEW | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_iter_bits_next, KF_ITER_NEXT | KF_RET_NULL | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_iter_bits_destroy, KF_ITER_DESTROY | KF_TIMELESS),
};

const struct bpf_kfunc_set bpf_iter_kfuncs = { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs) };
