// SPDX-License-Identifier: GPL-2.0-only
/* The callback of a timer dispatches, which it may not: it runs in no operation. */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

struct timer_value {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct timer_value);
} timers SEC(".maps");

static int expired(void *map, int *key, struct bpf_timer *timer)
{
	struct task_struct *p = bpf_task_from_pid(1);

	if (p) {
		dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
	return 0;
}

s32 SCX_OP_SLEEPABLE(timer_init)
{
	u32 key = 0;
	struct bpf_timer *timer = bpf_map_lookup_elem(&timers, &key);

	if (!timer)
		return -2;
	bpf_timer_init(timer, &timers, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(timer, expired);
	return bpf_timer_start(timer, 1000000, 0);
}

SEC(".struct_ops.link")
struct sched_ext_ops timer_ops = {
	.init = (void *)timer_init,
	.name = "timer_dispatches",
};
