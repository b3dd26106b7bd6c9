// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuncs on dynptrs. What a dynptr stands for is found through the register
 * that points at it (helpers.h).
 */
#include <errno.h>

#include "../../../kernel/kfuncs.h"
#include "../helpers/helpers.h"
#include "kfunc.h"

static const struct bpf_mem_regions slice_mem = BPF_MEM_REGIONS("dynptr slice");

static void *slice(const struct bpf_dynptr *p, u32 offset, u32 size, bool write)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state s;
	void *ptr = NULL;

	if (!bpf_dynptr_get(bpf_exec_current, 1, (u64)p, &s))
		return NULL;
	if (s.data && size <= s.size && offset <= s.size - size && !(write && s.rdonly))
		ptr = s.data + s.offset + offset;
	if (x->checked)
		bpf_reg_mem(&x->regs[0], write ? &slice_mem.rdwr : &slice_mem.rdonly, ptr, size);
	return ptr;
}

/* The data is in one piece: the buffer is never needed. */
void *bpf_dynptr_slice(const struct bpf_dynptr *p, u32 offset, void *buffer, u32 size)
{
	return slice(p, offset, size, false);
}

void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, u32 offset, void *buffer, u32 size)
{
	return slice(p, offset, size, true);
}

int bpf_dynptr_adjust(const struct bpf_dynptr *p, u32 start, u32 end)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state s;

	if (!bpf_dynptr_get(bpf_exec_current, 1, (u64)p, &s))
		return 0;
	if (!s.data || start > end)
		return -EINVAL;
	if (start > s.size || end > s.size)
		return -ERANGE;
	s.offset += start;
	s.size = end - start;
	bpf_dynptr_set(x, 1, (u64)p, &s);
	return 0;
}

bool bpf_dynptr_is_null(const struct bpf_dynptr *p)
{
	struct bpf_dynptr_state s;

	return bpf_dynptr_get(bpf_exec_current, 1, (u64)p, &s) && !s.data;
}

bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *p)
{
	struct bpf_dynptr_state s;

	return bpf_dynptr_get(bpf_exec_current, 1, (u64)p, &s) && s.data && s.rdonly;
}

u32 bpf_dynptr_size(const struct bpf_dynptr *p)
{
	struct bpf_dynptr_state s;

	if (!bpf_dynptr_get(bpf_exec_current, 1, (u64)p, &s))
		return 0;
	return s.data ? s.size : (u32)-EINVAL;
}

int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state s;

	if (!bpf_dynptr_get(bpf_exec_current, 1, (u64)p, &s))
		return 0;
	bpf_dynptr_set(x, 2, (u64)clone, &s);
	return s.data ? 0 : -EINVAL;
}

static const struct bpf_kfunc kfuncs[] = {
	BPF_KFUNC_ENTRY(bpf_dynptr_slice, KF_RET_NULL | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_dynptr_slice_rdwr, KF_RET_NULL | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_dynptr_adjust, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_dynptr_is_null, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_dynptr_is_rdonly, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_dynptr_size, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_dynptr_clone, KF_TIMELESS),
};

const struct bpf_kfunc_set bpf_dynptr_kfuncs = { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs) };
