// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scheduler that uses what Linux 7.0 has and 6.12 has not, and cannot do
 * without it. Each thing that is found to be other than it must be ends it, with
 * a word that says which.
 */
#include <vmlinux.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
void scx_bpf_kick_cpu(s32 cpu, u64 flags) __ksym;
void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 data__sz) __ksym;
bool scx_bpf_dsq_insert___v2___compat(struct task_struct *p, u64 dsq_id, u64 slice,
				      u64 enq_flags) __ksym;
void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;
bool __scx_bpf_dsq_insert_vtime(struct task_struct *p,
				struct scx_bpf_dsq_insert_vtime_args *args) __ksym;
bool scx_bpf_dsq_move_to_local(u64 dsq_id) __ksym;
bool scx_bpf_dsq_move_vtime(struct bpf_iter_scx_dsq *it__iter, struct task_struct *p, u64 dsq_id,
			    u64 enq_flags) __ksym;
void scx_bpf_dsq_move_set_slice(struct bpf_iter_scx_dsq *it__iter, u64 slice) __ksym;
void scx_bpf_dsq_move_set_vtime(struct bpf_iter_scx_dsq *it__iter, u64 vtime) __ksym;
struct task_struct *scx_bpf_dsq_peek(u64 dsq_id) __ksym;
s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym;
s32 __scx_bpf_select_cpu_and(struct task_struct *p, const struct cpumask *cpus_allowed,
			     struct scx_bpf_select_cpu_and_args *args) __ksym;
struct rq *scx_bpf_locked_rq(void) __ksym;
struct task_struct *scx_bpf_cpu_curr(s32 cpu) __ksym;
bool scx_bpf_task_set_slice(struct task_struct *p, u64 slice) __ksym;
u64 scx_bpf_now(void) __ksym;
void scx_bpf_reenqueue_local___v2___compat(void) __ksym;
s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags) __ksym;
struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym;
void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym;

extern int LINUX_KERNEL_VERSION __kconfig;

/* Tasks go into the first in order of arrival, and move to the second, by vtime. */
#define INBOX 1
#define QUEUE 2
#define SLICE 5000000ULL

#define SELECTED bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_CPU_SELECTED)

u64 nr_direct, nr_selected, nr_moved, nr_reenqueued, last_now;

#define wrong(word)                                                                                \
	({                                                                                         \
		static char __fmt[] = word;                                                        \
		unsigned long long __none = 0;                                                     \
		scx_bpf_error_bstr(__fmt, &__none, 0);                                             \
	})

SEC("struct_ops/select_cpu")
s32 BPF_PROG(new_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

SEC("struct_ops/enqueue")
void BPF_PROG(new_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct scx_bpf_select_cpu_and_args args = { .prev_cpu = scx_bpf_task_cpu(p) };
	struct rq *rq = scx_bpf_locked_rq();
	s32 cpu;

	if (!rq || rq->cpu != scx_bpf_task_cpu(p))
		wrong("locked_rq");
	nr_selected += !!(enq_flags & SELECTED);
	nr_reenqueued += !!(enq_flags & SCX_ENQ_REENQ);
	/* 6.12 has no such call from here */
	cpu = __scx_bpf_select_cpu_and(p, p->cpus_ptr, &args);
	if (cpu >= 0) {
		nr_direct++;
		if (!scx_bpf_dsq_insert___v2___compat(p, SCX_DSQ_LOCAL_ON | cpu, SLICE, enq_flags))
			wrong("insert");
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		return;
	}
	scx_bpf_dsq_insert(p, INBOX, SLICE, enq_flags);
}

static void sort_inbox(void)
{
	struct task_struct *p, *first = scx_bpf_dsq_peek(INBOX);
	struct bpf_iter_scx_dsq it;
	u32 nr = 0;

	if (!first != !scx_bpf_dsq_nr_queued(INBOX))
		wrong("peek");
	if (!bpf_iter_scx_dsq_new(&it, INBOX, 0)) {
		while (nr++ < 64 && (p = bpf_iter_scx_dsq_next(&it))) {
			scx_bpf_dsq_move_set_slice(&it, SLICE / 2);
			scx_bpf_dsq_move_set_vtime(&it, p->scx.dsq_vtime);
			nr_moved += scx_bpf_dsq_move_vtime(&it, p, QUEUE, 0);
		}
	}
	bpf_iter_scx_dsq_destroy(&it);
}

SEC("struct_ops/dispatch")
void BPF_PROG(new_dispatch, s32 cpu, struct task_struct *prev)
{
	sort_inbox();
	/* the second one waits there, until the tick hands it back */
	if (scx_bpf_dsq_move_to_local(QUEUE))
		scx_bpf_dsq_move_to_local(QUEUE);
}

SEC("struct_ops/running")
void BPF_PROG(new_running, struct task_struct *p)
{
	struct task_struct *curr;
	u64 now = scx_bpf_now();

	if (!now || now + 1000000000 < last_now)
		wrong("now");
	last_now = now;
	curr = scx_bpf_cpu_curr(scx_bpf_task_cpu(p));
	if (!curr)
		wrong("cpu_curr");
	if (!scx_bpf_task_set_slice(p, SLICE / 2) || p->scx.slice != SLICE / 2)
		wrong("set_slice");
}

SEC("struct_ops/stopping")
void BPF_PROG(new_stopping, struct task_struct *p, bool runnable)
{
	p->scx.dsq_vtime += SLICE - p->scx.slice;
}

SEC("struct_ops/tick")
void BPF_PROG(new_tick, struct task_struct *p)
{
	scx_bpf_reenqueue_local___v2___compat();
}

SEC("struct_ops.s/init")
s32 BPF_PROG(new_init)
{
	if (LINUX_KERNEL_VERSION < (7 << 16))
		return -22;
	return scx_bpf_create_dsq(INBOX, -1) ?: scx_bpf_create_dsq(QUEUE, -1);
}

SEC("struct_ops/exit")
void BPF_PROG(new_exit, struct scx_exit_info *ei)
{
	bpf_printk("direct %d selected %d moved %d", nr_direct != 0, nr_selected != 0,
		   nr_moved != 0);
	bpf_printk("reenqueued %d initialized %d", nr_reenqueued != 0,
		   (ei->flags & SCX_EFLAG_INITIALIZED) != 0);
}

SEC(".struct_ops.link")
struct sched_ext_ops new_ops = {
	.select_cpu = (void *)new_select_cpu,
	.enqueue = (void *)new_enqueue,
	.dispatch = (void *)new_dispatch,
	.running = (void *)new_running,
	.stopping = (void *)new_stopping,
	.tick = (void *)new_tick,
	.init = (void *)new_init,
	.exit = (void *)new_exit,
	.name = "linux_7_0",
};
