// SPDX-License-Identifier: GPL-2.0-only
/* Keeps the memory of the first process that has some in a map, also when it has ended. */
#include <vrt/mm.bpf.h>

#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

struct kept {
	struct mm_struct __kptr *mm;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kept);
} keeper SEC(".maps");

s32 pid;
u64 nr_alive, nr_after, present_after;

static void find(void)
{
	struct task_struct *p;

	bpf_for_each(task, p, NULL, BPF_TASK_ITER_ALL_PROCS) {
		if (!p->mm || !p->mm->total_vm)
			continue;
		pid = p->pid;
		break;
	}
}

SEC("periodic/10ms")
int look(struct bpf_periodic_ctx *tick)
{
	struct mm_struct *mm, *old;
	struct kept *k;
	u32 zero = 0;

	k = bpf_map_lookup_elem(&keeper, &zero);
	if (!k)
		return 0;
	mm = bpf_kptr_xchg(&k->mm, NULL);
	if (!mm) {
		find();
		mm = mm_of_pid(pid);
		if (!mm)
			return 0;
	}
	if (mm->mm_users.counter) {
		nr_alive++;
	} else {
		nr_after++;
		present_after += bpf_mm_page_flags(mm, 0);
	}
	old = bpf_kptr_xchg(&k->mm, mm);
	if (old)
		bpf_mm_drop(old);
	return 0;
}
