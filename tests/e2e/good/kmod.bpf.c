// SPDX-License-Identifier: GPL-2.0-only
/* All that the module schedbpf offers: see kmod_init.c. */
#include <vrt/periodic.bpf.h>

#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

/* kmod_init.c reads it as a whole */
struct {
	u64 inits, exits, managed, calls, chosen;
	/* of look() */
	u64 at, busy, idle, busy_all, idle_all, backwards, queued, self, other_curr;
	s64 found, not_found;
	struct bpf_periodic_stats own;
} counts;

extern void bpf_task_release(struct task_struct *p) __ksym;

SEC("struct_ops/nothing")
int BPF_PROG(nothing, struct bpf_periodic_ctx *tick)
{
	return 0;
}

SEC("struct_ops/begin")
int BPF_PROG(begin)
{
	__sync_fetch_and_add(&counts.inits, 1);
	return 0;
}

SEC("struct_ops/fail")
int BPF_PROG(fail)
{
	return -61; /* ENODATA */
}

SEC("struct_ops/end")
void BPF_PROG(end)
{
	__sync_fetch_and_add(&counts.exits, 1);
}

SEC("struct_ops/burn")
int BPF_PROG(burn, struct bpf_periodic_ctx *tick)
{
	u64 start = bpf_ktime_get_ns();
	int i;

	bpf_for(i, 0, 1000000)
		if (bpf_ktime_get_ns() - start >= 5000000)
			break;
	return 0;
}

SEC("struct_ops.s/manage")
int BPF_PROG(manage, struct bpf_periodic_ctx *first)
{
	struct bpf_periodic_ctx *tick;

	counts.calls++;
	bpf_for_each(periodic, tick, first)
		counts.managed++;
	return 0;
}

/* Every second time after half a period. */
SEC("struct_ops.s/choose")
int BPF_PROG(choose, struct bpf_periodic_ctx *first)
{
	struct bpf_periodic_ctx *tick;

	bpf_for_each(periodic, tick, first)
		if (tick->seq % 2 && !bpf_periodic_set_due(tick, tick->due + tick->period_ns / 2))
			counts.chosen++;
	return 0;
}

/* What CPUs do, this one and the other, and another program's figures. */
SEC("struct_ops/look")
int BPF_PROG(look, struct bpf_periodic_ctx *tick)
{
	u64 busy = bpf_cpu_busy_time(1), idle = bpf_cpu_idle_time(1);
	s32 cpu = bpf_get_smp_processor_id();
	struct task_struct *p;

	counts.backwards += busy < counts.busy || idle < counts.idle;
	counts.busy = busy;
	counts.idle = idle;
	counts.at = bpf_ktime_get_ns();
	counts.busy_all = bpf_cpus_busy_time() + bpf_cpu_busy_time(-1) + bpf_cpu_busy_time(99);
	counts.idle_all = bpf_cpus_idle_time() + bpf_cpu_idle_time(-1) + bpf_cpu_idle_time(99);
	counts.queued += periodic_cpu_nr_running(cpu);
	p = bpf_cpu_curr(cpu);
	if (p) {
		counts.self += p->pid == (s32)bpf_get_current_pid_tgid();
		bpf_task_release(p);
	}
	p = bpf_cpu_curr(!cpu);
	if (p) {
		counts.other_curr++;
		bpf_task_release(p);
	}
	p = bpf_cpu_curr(2);
	if (p) {
		counts.other_curr = 0;
		bpf_task_release(p);
	}
	counts.found = bpf_periodic_get_stats("own", &counts.own);
	counts.not_found = bpf_periodic_get_stats("nobody", &counts.own);
	return 0;
}

#define TABLE(table, ...)                                                                          \
	SEC(".struct_ops.link") struct bpf_periodic_ops table = { __VA_ARGS__ }

TABLE(own, .run = (void *)nothing, .init = (void *)begin, .exit = (void *)end,
      .period_ns = 2000000, .nice = 7, .name = "own");
/* may replace it */
TABLE(next, .run = (void *)nothing, .init = (void *)begin, .exit = (void *)end,
      .period_ns = 8000000, .nice = -3, .name = "own");
TABLE(left, .run = (void *)nothing, .period_ns = 4000000, .nice = 2, .name = "left",
      .worker = "both");
TABLE(right, .run = (void *)nothing, .period_ns = 8000000, .nice = 2, .name = "right",
      .worker = "both");
TABLE(managed, .run = (void *)manage, .period_ns = 5000000, .mode = BPF_PERIODIC_PROGRAM,
      .name = "managed");
TABLE(chosen, .run = (void *)choose, .period_ns = 10000000, .mode = BPF_PERIODIC_PROGRAM,
      .name = "chosen");
TABLE(limited, .run = (void *)burn, .period_ns = 5000000, .cpu_quota_us = 10000,
      .cpu_period_us = 100000, .name = "limited");
TABLE(looking, .run = (void *)look, .period_ns = 20000000, .name = "looking");
/* never sleeps */
TABLE(busy, .run = (void *)burn, .period_ns = 10000, .nice = 10, .name = "busy");

/* What is wrong with each is its name. */
#define BAD(what, ...) TABLE(bad_##what, .period_ns = 1000000, __VA_ARGS__)

#pragma clang diagnostic ignored "-Winitializer-overrides"
BAD(period, .run = (void *)nothing, .period_ns = 0, .name = "bad");
BAD(nice, .run = (void *)nothing, .nice = 20, .name = "bad");
BAD(cgroup, .run = (void *)nothing, .cgroup = "/no/such", .name = "bad");
BAD(mode, .run = (void *)nothing, .mode = 2, .name = "bad");
BAD(name, .run = (void *)nothing, .name = "a/b");
BAD(quota, .run = (void *)nothing, .cpu_quota_us = 1000, .name = "bad");
BAD(disagree, .run = (void *)nothing, .nice = 3, .name = "bad", .worker = "both");
BAD(twice, .run = (void *)nothing, .name = "left");
BAD(shared, .run = (void *)manage, .mode = BPF_PERIODIC_PROGRAM, .name = "bad", .worker = "both");
BAD(run, .name = "bad");
BAD(init, .run = (void *)nothing, .init = (void *)fail, .name = "bad");
