// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuncs on dynptrs. What a dynptr stands for is found through the register
 * that points at it (helpers.h).
 */
#include <errno.h>

#include "../../kernel/kfuncs.h"
#include "helpers.h"
#include "kfunc.h"

static const struct bpf_mem_regions slice_mem = BPF_MEM_REGIONS("dynptr slice");

static bool first_dynptr(struct bpf_dynptr_state *s, const char *kfunc)
{
	struct bpf_exec *x = bpf_exec_current;

	return bpf_dynptr_get(x, &x->regs[1], s, kfunc);
}

static void *slice(u32 offset, u32 size, bool write, const char *kfunc)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state s;
	void *ptr = NULL;

	if (!first_dynptr(&s, kfunc))
		return NULL;
	if (s.data && size <= s.size && offset <= s.size - size && !(write && s.rdonly))
		ptr = s.data + offset;
	bpf_reg_mem(&x->regs[0], write ? &slice_mem.rdwr : &slice_mem.rdonly, ptr, size);
	return ptr;
}

/* The data is in one piece: the buffer is never needed. */
void *bpf_dynptr_slice(const struct bpf_dynptr *p, u32 offset, void *buffer, u32 size)
{
	return slice(offset, size, false, "bpf_dynptr_slice: argument 1");
}

void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, u32 offset, void *buffer, u32 size)
{
	return slice(offset, size, true, "bpf_dynptr_slice_rdwr: argument 1");
}

int bpf_dynptr_adjust(const struct bpf_dynptr *p, u32 start, u32 end)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state s;

	if (!first_dynptr(&s, "bpf_dynptr_adjust: argument 1"))
		return 0;
	if (!s.data || start > end)
		return -EINVAL;
	if (start > s.size || end > s.size)
		return -ERANGE;
	s.data += start;
	s.size = end - start;
	bpf_dynptr_set(x, &x->regs[1], &s, "bpf_dynptr_adjust: argument 1");
	return 0;
}

bool bpf_dynptr_is_null(const struct bpf_dynptr *p)
{
	struct bpf_dynptr_state s;

	return first_dynptr(&s, "bpf_dynptr_is_null: argument 1") && !s.data;
}

bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *p)
{
	struct bpf_dynptr_state s;

	return first_dynptr(&s, "bpf_dynptr_is_rdonly: argument 1") && s.data && s.rdonly;
}

u32 bpf_dynptr_size(const struct bpf_dynptr *p)
{
	struct bpf_dynptr_state s;

	if (!first_dynptr(&s, "bpf_dynptr_size: argument 1"))
		return 0;
	return s.data ? s.size : (u32)-EINVAL;
}

int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state s;

	if (!first_dynptr(&s, "bpf_dynptr_clone: argument 1"))
		return 0;
	bpf_dynptr_set(x, &x->regs[2], &s, "bpf_dynptr_clone: argument 2");
	return s.data ? 0 : -EINVAL;
}

static const struct bpf_kfunc kfuncs[] = {
	BPF_KFUNC_ENTRY(bpf_dynptr_slice, KF_RET_NULL),
	BPF_KFUNC_ENTRY(bpf_dynptr_slice_rdwr, KF_RET_NULL),
	BPF_KFUNC_ENTRY(bpf_dynptr_adjust, 0),
	BPF_KFUNC_ENTRY(bpf_dynptr_is_null, 0),
	BPF_KFUNC_ENTRY(bpf_dynptr_is_rdonly, 0),
	BPF_KFUNC_ENTRY(bpf_dynptr_size, 0),
	BPF_KFUNC_ENTRY(bpf_dynptr_clone, 0),
};

const struct bpf_kfunc_set bpf_dynptr_kfuncs = { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs) };
