/* SPDX-License-Identifier: GPL-2.0-only */
/* Into the ring buffer: what all our programs in a real kernel share. */
#ifndef VRT_VM_EMIT_BPF_H
#define VRT_VM_EMIT_BPF_H

#include "records.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 20);
} records SEC(".maps");

/* Records that did not fit. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} lost SEC(".maps");

static void count_lost(void)
{
	u32 zero = 0;
	u64 *count = bpf_map_lookup_elem(&lost, &zero);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static void emit(u16 type, int pid, u64 a, u64 b)
{
	struct guest_record *rec = bpf_ringbuf_reserve(&records, sizeof(*rec), 0);

	if (!rec) {
		count_lost();
		return;
	}
	rec->time = bpf_ktime_get_ns();
	rec->type = type;
	rec->cpu = (u16)bpf_get_smp_processor_id();
	rec->pid = pid;
	rec->a = a;
	rec->b = b;
	/* user space looks by itself now and then: waking it would disturb */
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
}

#endif
