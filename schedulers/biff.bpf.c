// SPDX-License-Identifier: GPL-2.0-only
/*
 * biff: a ghOSt scheduler with everything that a real one needs, and a policy so
 * simple that it does not get in the way: one queue, first in first out, and a
 * time slice. biff_min.bpf.c is the same policy and nothing else.
 *
 * A ghOSt program sees no kernel objects. Tasks have numbers (gtids), and all that
 * is known of them is what messages have told. So it keeps books of its own:
 *
 *	cpu_data	by CPU: what runs there, and whether ghOSt may use the CPU
 *	sw_data		by task: since when it waits, when it ran, its barrier. The
 *			index is that of the task's status word, small and dense,
 *			which TASK_NEW tells
 *	sw_lookup	from gtid to that index, since other messages tell the gtid
 *
 * The first two are arrays that can be mapped: an agent, or the application, reads
 * them while the scheduler runs, and could leave hints in them.
 *
 * Who may touch what: a task's entry is written with the task's rq locked, when
 * BPF-MSG runs with a message about it. BPF-PNT holds no lock. That is why a task
 * that has got onto its CPU is booked by a message (SEND_TASK_ON_CPU), not by PNT
 * when it has latched it.
 *
 * The ball: a task that can run is either in our queue, or the kernel has it. It
 * is in the queue once: each message that gives us the ball (NEW, WAKEUP, PREEMPT,
 * YIELD) puts it there, and run_gtid() gives it back. When that fails, we still
 * have the ball, and must not drop it.
 */
#include <vrt/ghost.bpf.h>

char _license[] SEC("license") = "GPL";

#define MAX_CPUS 4096
#define MAX_TASKS 65536 /* status words of an enclave */

/* How long a task may run while others wait. */
const volatile u64 slice_ns = 20 * 1000 * 1000;

/* Times are in ns of bpf_ktime_get_ns(). */
struct biff_cpu_data {
	u64 current; /* gtid of the task that runs; 0: none of ours */
	u64 cpu_seqnum;
	u8 available; /* nothing above ghOSt wants the CPU */
	u8 idle; /* asked for work, and there was none */
};

struct biff_sw_data {
	u64 gtid;
	u64 parent;
	u64 runnable_at;
	u64 ran_at;
	u64 ran_until;
	u64 waited; /* in all */
	u64 runtime; /* as the last message told */
	u32 barrier;
	s32 cpu; /* where it was last: one that its affinity allows */
	u32 nr_runs;
	u32 nr_preempted;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct biff_cpu_data);
} cpu_data SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_TASKS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct biff_sw_data);
} sw_data SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TASKS);
	__type(key, u64); /* gtid */
	__type(value, u32); /* index of the status word */
} sw_lookup SEC(".maps");

/* Tasks that could run, by gtid. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, MAX_TASKS);
	__type(value, u64);
} global_rq SEC(".maps");

/* For whoever looks from outside. */
u64 nr_queued; /* now in global_rq */
u64 nr_lost; /* there was no room: the kernel will notice (runnable_timeout) */

const volatile u32 nr_cpu_ids = 1; /* filled in by the loader */

/* --- the books ------------------------------------------------------------- */

static struct biff_cpu_data *cpu_to_data(u32 cpu)
{
	return bpf_map_lookup_elem(&cpu_data, &cpu);
}

static struct biff_sw_data *gtid_to_data(u64 gtid)
{
	u32 *index = bpf_map_lookup_elem(&sw_lookup, &gtid);

	return index ? bpf_map_lookup_elem(&sw_data, index) : NULL;
}

static void task_started(struct biff_sw_data *swd, s32 cpu, u64 cpu_seqnum)
{
	struct biff_cpu_data *pcpu = cpu_to_data(cpu);

	swd->ran_at = bpf_ktime_get_ns();
	swd->waited += swd->ran_at - swd->runnable_at;
	swd->cpu = cpu;
	swd->nr_runs++;
	if (!pcpu)
		return;
	pcpu->current = swd->gtid;
	pcpu->cpu_seqnum = cpu_seqnum;
	pcpu->idle = 0;
}

static void task_stopped(struct biff_sw_data *swd, s32 cpu, u64 runtime)
{
	struct biff_cpu_data *pcpu = cpu_to_data(cpu);

	swd->ran_until = bpf_ktime_get_ns();
	swd->runtime = runtime;
	swd->cpu = cpu;
	if (pcpu && pcpu->current == swd->gtid)
		pcpu->current = 0;
}

/* --- the policy: one queue ------------------------------------------------------ */

static void push(u64 gtid)
{
	if (bpf_map_push_elem(&global_rq, &gtid, 0))
		__sync_fetch_and_add(&nr_lost, 1);
	else
		__sync_fetch_and_add(&nr_queued, 1);
}

static bool pop(u64 *gtid)
{
	if (bpf_map_pop_elem(&global_rq, gtid))
		return false;
	__sync_fetch_and_add(&nr_queued, -1);
	return true;
}

/* Wakes @cpu if it sleeps and may be used. */
static bool kick(u32 cpu)
{
	struct biff_cpu_data *pcpu = cpu_to_data(cpu);

	if (!pcpu || !pcpu->idle || !pcpu->available)
		return false;
	pcpu->idle = 0;
	/* it may be on its way to sleep still, with its last task current */
	return !bpf_ghost_resched_cpu2(cpu, RESCHED_IDLE_CLASS | RESCHED_GHOST_CLASS);
}

/* Somebody waits: one CPU that sleeps shall look, best the one where the task is. */
static void kick_idle_cpu(u32 first)
{
	if (kick(first))
		return;
	for (u32 cpu = 0; cpu < nr_cpu_ids && cpu < MAX_CPUS; cpu++) {
		if (kick(cpu))
			return;
	}
}

static void enqueue(struct biff_sw_data *swd, s32 cpu)
{
	swd->runnable_at = bpf_ktime_get_ns();
	swd->cpu = cpu;
	push(swd->gtid);
	kick_idle_cpu(cpu);
}

/* --- what shall this CPU run? ------------------------------------------------------- */

SEC("ghost_sched/pnt")
int biff_pnt(struct bpf_ghost_sched *ctx)
{
	struct biff_cpu_data *pcpu = cpu_to_data(bpf_get_smp_processor_id());
	struct biff_sw_data *swd;
	u64 next;

	if (!pcpu)
		return 0;
	/* nothing that we latch would run, or something runs already */
	if (ctx->agent_runnable || ctx->might_yield || ctx->next_gtid)
		return 0;
	/* from here on whoever queues a task knows that we sleep: first say so, then look */
	pcpu->idle = 1;
	if (!pop(&next))
		return 0;
	pcpu->idle = 0;
	swd = gtid_to_data(next);
	/* it is gone, and so is the ball */
	if (!swd)
		return 0;
	switch (-bpf_ghost_run_gtid(next, swd->barrier, SEND_TASK_ON_CPU)) {
	case 0:
	case ENOENT:
		break;
	case EINVAL:
		/* it may not run here, or left ghOSt: the CPU that it is on shall look */
		push(next);
		kick(swd->cpu);
		ctx->dont_idle = 1;
		break;
	default:
		/*
		 * EBUSY: it is on a CPU still, most likely on this one, which it is
		 * about to leave. ESTALE: there was a message about it just now. Either
		 * way the next look will be better.
		 */
		push(next);
		ctx->dont_idle = 1;
		break;
	}
	return 0;
}

/* --- what has happened? --------------------------------------------------------------- */

/*
 * The handlers are functions of their own so that the context stays a pointer to
 * its beginning: Linux's verifier refuses accesses through a modified one.
 */
static __noinline void handle_new(struct bpf_ghost_msg *msg)
{
	u64 gtid = msg->newt.gtid;
	u32 index = msg->newt.sw_info.index;
	struct biff_sw_data *swd = bpf_map_lookup_elem(&sw_data, &index);

	/* known already: a task that joined while tasks were being discovered */
	if (!swd || bpf_map_update_elem(&sw_lookup, &gtid, &index, BPF_NOEXIST))
		return;
	/* the index may have been another task's */
	__builtin_memset(swd, 0, sizeof(*swd));
	swd->gtid = gtid;
	swd->parent = msg->newt.parent_gtid;
	swd->runtime = msg->newt.runtime;
	swd->barrier = msg->seqnum;
	swd->ran_until = bpf_ktime_get_ns();
	if (msg->newt.runnable)
		enqueue(swd, bpf_get_smp_processor_id());
}

static __noinline void handle_gone(struct bpf_ghost_msg *msg)
{
	u64 gtid = msg->dead.gtid;
	struct biff_sw_data *swd = gtid_to_data(gtid);

	if (!swd)
		return;
	if (msg->type == MSG_TASK_DEPARTED && msg->departed.was_current)
		task_stopped(swd, msg->departed.cpu, swd->runtime);
	bpf_map_delete_elem(&sw_lookup, &gtid);
}

/* Of a task that is known. */
static __noinline void handle_task(struct bpf_ghost_msg *msg)
{
	struct biff_sw_data *swd = gtid_to_data(msg->wakeup.gtid);

	if (!swd)
		return;
	swd->barrier = msg->seqnum;
	switch (msg->type) {
	case MSG_TASK_WAKEUP:
		enqueue(swd, msg->wakeup.wake_up_cpu);
		break;
	case MSG_TASK_BLOCKED:
		task_stopped(swd, msg->blocked.cpu, msg->blocked.runtime);
		break;
	case MSG_TASK_YIELD:
		task_stopped(swd, msg->yield.cpu, msg->yield.runtime);
		enqueue(swd, msg->yield.cpu);
		break;
	case MSG_TASK_PREEMPT:
		swd->nr_preempted++;
		task_stopped(swd, msg->preempt.cpu, msg->preempt.runtime);
		enqueue(swd, msg->preempt.cpu);
		break;
	case MSG_TASK_SWITCHTO:
		/* it hands its CPU on, and we are not told to whom */
		task_stopped(swd, msg->switchto.cpu, msg->switchto.runtime);
		break;
	case MSG_TASK_ON_CPU:
		task_started(swd, msg->on_cpu.cpu, msg->on_cpu.cpu_seqnum);
		break;
	}
}

/* Whoever has had its slice leaves when others wait. */
static __noinline void handle_tick(struct bpf_ghost_msg *msg)
{
	u32 cpu = msg->cpu_tick.cpu;
	struct biff_cpu_data *pcpu = cpu_to_data(cpu);
	struct biff_sw_data *swd = pcpu && nr_queued ? gtid_to_data(pcpu->current) : NULL;

	if (swd && bpf_ktime_get_ns() - swd->ran_at >= slice_ns)
		bpf_ghost_resched_cpu2(cpu, RESCHED_GHOST_CLASS | SET_MUST_RESCHED);
}

static __noinline void handle_availability(struct bpf_ghost_msg *msg)
{
	struct biff_cpu_data *pcpu = cpu_to_data(msg->cpu_available.cpu);

	if (pcpu)
		pcpu->available = msg->type == MSG_CPU_AVAILABLE;
}

SEC("ghost_msg/msg_send")
int biff_msg_send(struct bpf_ghost_msg *msg)
{
	switch (msg->type) {
	case MSG_TASK_NEW:
		handle_new(msg);
		break;
	case MSG_TASK_DEAD:
	case MSG_TASK_DEPARTED:
		handle_gone(msg);
		break;
	case MSG_CPU_TICK:
		handle_tick(msg);
		break;
	case MSG_CPU_AVAILABLE:
	case MSG_CPU_BUSY:
		handle_availability(msg);
		break;
	default:
		if (msg->type < MSG_CPU_TICK)
			handle_task(msg);
	}
	/* nobody listens in userspace */
	return 1;
}
