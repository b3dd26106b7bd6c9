// SPDX-License-Identifier: GPL-2.0-only
/* What ops.exit() leaves in a map is there when everything is over. */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

struct word {
	char word[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, struct word);
	__type(value, u64);
} words SEC(".maps");

u64 nr_enqueues;

void SCX_OP(last_words_enqueue, struct task_struct *p, u64 enq_flags)
{
	__sync_fetch_and_add(&nr_enqueues, 1);
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void SCX_OP(last_words_exit, struct scx_exit_info *info)
{
	struct word key = { "bye" };
	u64 letters = 3;

	bpf_map_update_elem(&words, &key, &letters, BPF_ANY);
}

SEC(".struct_ops.link")
struct sched_ext_ops last_words_ops = {
	.enqueue = (void *)last_words_enqueue,
	.exit = (void *)last_words_exit,
	.name = "last_words",
};
