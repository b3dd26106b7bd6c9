// SPDX-License-Identifier: GPL-2.0-only
/*
 * The job: all elements of a map grow older, and sums are made of them. Around it
 * each way of doing that every period. All of them call the same body, which notes
 * when it was late and what it took.
 */
#include <vrt/periodic.bpf.h>

#include <bpf/bpf_tracing.h>

#include "job.h"

#define CLOCK_MONOTONIC 1

char _license[] SEC("license") = "GPL";

const volatile struct job_params params;

/* the only variable of .bss: job.c maps it as a whole */
struct job_state state;

struct table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* job.c knows how many */
	__type(key, u32);
	__type(value, struct job_element);
};

/* of those who do all of it; of the halves */
struct table all SEC(".maps"), left SEC(".maps"), right SEC(".maps");

static long grow_older(struct bpf_map *map, const u32 *key, struct job_element *e, void *ctx)
{
	job_grow_older(e);
	return 0;
}

/* A macro, as the verifier wants to see which map it is. */
#define JOB(map, due_at) do {									\
	u64 begun_ = bpf_ktime_get_ns(), due_ = (due_at);					\
												\
	bpf_for_each_map_elem(&map, grow_older, NULL, 0);					\
	job_note(&state, due_, begun_, bpf_ktime_get_ns());					\
} while (0)

/* --- by hand, from user space --------------------------------------------- */

SEC("syscall")
int run_once(struct job_call *call)
{
	JOB(all, call->due);
	return 0;
}

/* --- a timer -------------------------------------------------------------- */

struct alarm {
	struct bpf_timer timer;
	u64 due;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct alarm);
} alarms SEC(".maps");

static int expire(void *map, u32 *key, struct alarm *alarm)
{
	u64 now;

	JOB(all, alarm->due);
	now = bpf_ktime_get_ns();
	if (params.rest)
		alarm->due = now + params.rest;
	else if (params.period)
		alarm->due = job_next(alarm->due, params.period, now);
	bpf_timer_start(&alarm->timer, alarm->due, BPF_F_TIMER_ABS);
	return 0;
}

SEC("syscall")
int arm(struct job_call *call)
{
	struct alarm *alarm;
	u32 zero = 0;

	alarm = bpf_map_lookup_elem(&alarms, &zero);
	if (!alarm || bpf_timer_init(&alarm->timer, &alarms, CLOCK_MONOTONIC))
		return 1;
	bpf_timer_set_callback(&alarm->timer, expire);
	alarm->due = call->due;
	return bpf_timer_start(&alarm->timer, alarm->due, BPF_F_TIMER_ABS) ? 1 : 0;
}

SEC("syscall")
int disarm(struct job_call *call)
{
	struct alarm *alarm;
	u32 zero = 0;

	alarm = bpf_map_lookup_elem(&alarms, &zero);
	return alarm && bpf_timer_cancel(&alarm->timer) >= 0 ? 0 : 1;
}

/* --- SchedBPF ------------------------------------------------------------- */

SEC("struct_ops/run_own")
int BPF_PROG(run_own, struct bpf_periodic_ctx *tick)
{
	JOB(all, tick->due);
	return 0;
}

SEC("struct_ops/run_left")
int BPF_PROG(run_left, struct bpf_periodic_ctx *tick)
{
	JOB(left, tick->due);
	return 0;
}

SEC("struct_ops/run_right")
int BPF_PROG(run_right, struct bpf_periodic_ctx *tick)
{
	JOB(right, tick->due);
	return 0;
}

SEC("struct_ops.s/run_managed")
int BPF_PROG(run_managed, struct bpf_periodic_ctx *first)
{
	struct bpf_periodic_ctx *tick;

	bpf_for_each(periodic, tick, first)
		JOB(all, tick->due);
	return 0;
}

/* Period, nice level and quota are filled in by job.c. */
SEC(".struct_ops.link")
struct bpf_periodic_ops own = { .run = (void *)run_own, .name = "own" };

SEC(".struct_ops.link")
struct bpf_periodic_ops half_left = {
	.run = (void *)run_left, .name = "half_left", .worker = "job",
};

SEC(".struct_ops.link")
struct bpf_periodic_ops half_right = {
	.run = (void *)run_right, .name = "half_right", .worker = "job",
};

SEC(".struct_ops.link")
struct bpf_periodic_ops managed = {
	.run = (void *)run_managed, .name = "managed", .mode = BPF_PERIODIC_PROGRAM,
};
