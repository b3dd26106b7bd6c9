// SPDX-License-Identifier: GPL-2.0-only
/*
 * References that a run holds. A program that ends with one, or is stopped
 * halfway, gives back what it has acquired, so that neither objects nor the
 * space of a ring buffer are lost with it.
 *
 * There is room for more than programs use at a time: whoever holds more is in
 * a loop that only acquires.
 */
#include "exec.h"
#include "../kfunc/kfunc.h"
#include "../maps/ringbuf.h"

void bpf_ref_del(struct bpf_exec *x, const void *ptr)
{
	u32 i;

	for (i = x->nr_refs; i--;) {
		if (x->refs[i] != ptr)
			continue;
		x->refs[i] = x->refs[--x->nr_refs];
		return;
	}
}

static void release(void *ptr)
{
	struct bpf_alloc_header *h = bpf_alloc_find(ptr);
	void (*dtor)(void *obj) = NULL;
	struct kheap_object obj;

	if (h) {
		bpf_alloc_drop(h);
		return;
	}
	if (bpf_ringbuf_sample_size(ptr)) {
		bpf_ringbuf_commit(ptr, 0, true);
		return;
	}
	if (!kheap_find(ptr, &obj) || obj.base != ptr)
		return;
	if (obj.type == &bpf_iter_bits_type)
		kheap_free(ptr);
	else if (obj.type->btf_id)
		dtor = btf_find_dtor(obj.type->btf_id);
	if (dtor)
		dtor(ptr);
}

void bpf_ref_add(struct bpf_exec *x, void *ptr)
{
	if (!ptr)
		return;
	if (x->nr_refs < BPF_MAX_REFS) {
		x->refs[x->nr_refs++] = ptr;
		return;
	}
	release(ptr);
	bpf_exec_fault(x, "holds more than %u objects at a time", BPF_MAX_REFS);
}

void bpf_refs_release(struct bpf_exec *x)
{
	while (x->nr_refs)
		release(x->refs[--x->nr_refs]);
}
