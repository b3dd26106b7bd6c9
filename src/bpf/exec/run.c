// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of programs: where they get their stack, how they are entered and left,
 * and how what they execute is charged.
 *
 * A run takes its struct bpf_exec, and with it a stack in the kernel heap, from
 * a pool (last in, first out, so that addresses do not depend on the host).
 * Runs nest, and a sleeping or preempted one may be outlived by others: the
 * pool grows to the most that there were at a time.
 *
 * A preemptible run loses the CPU between two instructions only, where the
 * counter is used up: also inside of a helper that calls it back, never with a
 * bpf_spin_lock held or preemption disabled. RCU sections are preemptible, as
 * with CONFIG_PREEMPT_RCU: what they protect lives as long as the run.
 */
#include <endian.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../check/check.h"
#include "exec.h"
#include "../jit/jit.h"

/* Instructions between two looks at the budget, and two charges at the latest. */
#define QUANTUM (1 << 16)

struct bpf_exec *bpf_exec_current;

static struct bpf_exec *pool;
static u64 total_insns;
static struct list_head running = LIST_HEAD_INIT(running);

static const struct kheap_type stack_type = { .name = "[BPF stack]", .writable = true };

/* --- the pool ----------------------------------------------------------------------- */

static struct bpf_exec *pool_get(void)
{
	struct bpf_exec *x = pool;

	if (x) {
		pool = x->next;
		return x;
	}
	x = xcalloc_aligned(1, sizeof(*x));
	x->stack = kheap_alloc(&stack_type, BPF_MAX_FRAMES * BPF_STACK_SIZE + BPF_CTX_AREA);
	if (!x->stack) {
		free(x);
		return NULL;
	}
	x->deepest = bpf_exec_frame_top(x, BPF_MAX_FRAMES - 1);
	return x;
}

void bpf_exec_pool_exit(void)
{
	struct bpf_exec *x;

	while ((x = pool)) {
		pool = x->next;
		kheap_free(x->stack);
		free(x);
	}
	total_insns = 0;
}

/* --- charging ------------------------------------------------------------------------- */

static void grant(struct bpf_exec *x)
{
	s64 quantum = unlikely(x->preemptible) ? bpf_env->preempt_insns : QUANTUM;

	if (x->budget)
		quantum = (s64)min((u64)quantum, x->budget - x->executed);
	x->left = x->granted = quantum;
}

static u64 count(struct bpf_exec *x)
{
	u64 insns = (u64)(x->granted - x->left);

	x->executed += insns;
	x->granted = x->left;
	return insns;
}

static inline void settle(struct bpf_exec *x)
{
	u64 insns = count(x), ns = x->owed;

	x->owed = 0;
	if (unlikely(x->preemptible)) {
		if (bpf_env->spend(insns, ns))
			x->left = x->granted = -1; /* a look at the counter, and so at the CPU, soon */
	} else if (insns | ns) {
		bpf_env->charge(insns, ns);
	}
}

void bpf_exec_settle(struct bpf_exec *x)
{
	settle(x);
}

void bpf_kfunc_settle(void)
{
	settle(bpf_exec_current);
}

void bpf_exec_charge(struct bpf_exec *x, u64 ns)
{
	x->owed += ns;
	bpf_exec_settle(x);
}

/* What has been executed stays the difference between the two. */
void bpf_exec_stop(struct bpf_exec *x, u64 ret)
{
	x->stopped = true;
	x->ret = ret;
	if (x->left < 0)
		return;
	x->granted -= x->left + 1;
	x->left = -1;
}

/* True: the machine is taken down, and the program is to end where it is. */
static bool lose_cpu(struct bpf_exec *x)
{
	struct bpf_exec *current = bpf_exec_current;
	bool end;

	if (x->lock || x->preempt_depth)
		return false;
	end = bpf_env->preempt();
	bpf_exec_current = current;
	if (end)
		bpf_exec_stop(x, 0);
	return end;
}

bool bpf_exec_refill(struct bpf_exec *x)
{
	if (unlikely(x->stopped))
		return true;
	bpf_exec_settle(x);
	if (x->budget && x->executed >= x->budget) {
		bpf_exec_fault_here(x, "ran %llu instructions without returning", x->executed);
		return true;
	}
	if (unlikely(x->preemptible) && lose_cpu(x))
		return true;
	grant(x);
	return false;
}

/* Of programs that are verified the verifier has made sure. */
bool bpf_exec_may_sleep(struct bpf_exec *x)
{
	if (x->preemptible && !x->lock && !x->rcu_depth && !x->preempt_depth)
		return true;
	return bpf_exec_fault(x, "would sleep where programs must not");
}

void bpf_exec_slept(struct bpf_exec *x)
{
	if (x->budget)
		x->budget = x->executed + bpf_env->sleepable_insn_budget;
}

u64 bpf_insns_executed(void)
{
	return total_insns;
}

bool bpf_exec_active(void)
{
	return !list_empty(&running);
}

/* --- in and out -------------------------------------------------------------------------- */

static inline struct bpf_exec *begin(struct bpf_prog *prog, bool preemptible)
{
	struct bpf_exec *x = pool_get();

	if (unlikely(!x))
		return NULL;
	memset(&x->owed, 0, offsetof(struct bpf_exec, stack) - offsetof(struct bpf_exec, owed));
	x->entry = prog;
	x->prog = prog;
	x->checked = !prog->jit;
	x->budget = prog->sleepable ? bpf_env->sleepable_insn_budget : bpf_env->insn_budget;
	x->preemptible = preemptible;
	grant(x);
	x->epoch = bpf_rcu_epoch();
	list_add_tail(&x->running, &running);
	return x;
}

struct bpf_exec *bpf_exec_begin(struct bpf_prog *prog, bool preemptible)
{
	return begin(prog, preemptible);
}

static inline void leave(struct bpf_exec *x)
{
	bool oldest = running.next == &x->running;

	list_del_init(&x->running);
	if (likely(!bpf_rcu_waiting()) || !oldest)
		return;
	if (list_empty(&running))
		bpf_rcu_reclaim(BPF_RCU_ALL);
	else
		bpf_rcu_reclaim(list_first_entry(&running, struct bpf_exec, running)->epoch);
}

static void return_locked(struct bpf_exec *x)
{
	if (!x->stopped)
		bpf_exec_fault_here(x, "returned with a bpf_spin_lock held");
	bpf_env->spin_unlock(x->lock);
}

/* It was stopped, or is now because of what it holds. Returns its result. */
static u64 end_stopped(struct bpf_exec *x)
{
	if (!x->stopped)
		bpf_exec_fault_here(x, "returned without giving back %u object%s that it has acquired",
				    x->nr_refs, x->nr_refs == 1 ? "" : "s");
	bpf_refs_release(x);
	return x->ret;
}

static __always_inline u64 end(struct bpf_exec *x, u64 ret)
{
	struct bpf_prog *prog = x->entry;

	if (unlikely(x->lock))
		return_locked(x);
	/* going in and coming out: all at the end, so that it begins at the caller's clock */
	x->owed += bpf_env->entry_ns;
	settle(x);
	total_insns += x->executed;
	prog->run_cnt++;
	prog->run_insns += x->executed;
	if (unlikely(x->nr_refs || x->stopped))
		ret = end_stopped(x);
	x->next = pool;
	pool = x;
	leave(x);
	return ret;
}

u64 bpf_exec_end(struct bpf_exec *x, u64 ret)
{
	return end(x, ret);
}

static u64 call_compiled(struct bpf_exec *x, u32 insn, const struct bpf_reg *args, u32 nr)
{
	u64 values[5] = { 0 };
	u32 i;

	for (i = 0; i < nr; i++)
		values[i] = args[i].v;
	return bpf_jit_run(x, (u32)(bpf_subprog_of(x->prog, insn) - x->prog->subprogs), values);
}

u64 bpf_exec_call(struct bpf_exec *x, u32 insn, const struct bpf_reg *args, u32 nr)
{
	struct bpf_reg regs[11];

	if (!x->checked)
		return call_compiled(x, insn, args, nr);
	memcpy(&regs[1], args, nr * sizeof(*args));
	memset(&regs[nr + 1], 0, (10 - nr) * sizeof(*args));
	regs[0] = (struct bpf_reg){ 0 };
	return bpf_interp(x, &x->prog->exec->code[insn], regs, bpf_subprog_of(x->prog, insn)->stack);
}

u64 bpf_exec_callback(struct bpf_exec *x, u64 func, const struct bpf_reg *args, u32 nr)
{
	struct bpf_prog *prog = x->prog;
	struct bpf_reg *regs = x->regs;
	const char *callee = x->callee;
	u32 insn = x->insn, depth = x->depth;
	u64 ret;

	if (x->stopped)
		return 0;
	if (depth + 1 >= BPF_MAX_FRAMES) {
		bpf_exec_too_deep(x);
		return 0;
	}
	x->depth++;
	x->callee = NULL;
	ret = bpf_exec_call(x, bpf_func_insn(func), args, nr);
	if (x->stopped)
		return 0;
	x->depth = depth;
	x->regs = regs;
	x->prog = prog;
	x->insn = insn;
	/* a callback that returns quickly does not look at the counter itself */
	if (unlikely(x->left < 0) && bpf_exec_refill(x))
		return 0;
	x->callee = callee;
	x->callee_arg = 0;
	return ret;
}

static u64 interp_main(struct bpf_exec *x, u64 ctx)
{
	struct bpf_reg regs[11] = {
		[1] = { .v = ctx, .base = ctx, .region = &bpf_region_ctx },
	};

	return bpf_interp(x, x->prog->exec->code, regs, x->prog->subprogs[0].stack);
}

/* The main program with @ctx in r1. */
static inline u64 run(struct bpf_exec *x, void *ctx, u64 ctx_size)
{
	x->ctx = ctx;
	x->ctx_size = ctx_size;
	return x->checked ? interp_main(x, (u64)ctx) : bpf_jit_main(x, (u64)ctx);
}

/* Contexts of 64-bit arguments are copied, so that their address is the same in every run. */
u64 bpf_prog_call(struct bpf_prog *prog, const u64 *args, u32 nr)
{
	struct bpf_exec *x = begin(prog, prog->preemptible);
	u64 *ctx;

	if (unlikely(!x))
		return 0;
	VRT_ASSERT(nr <= BPF_CTX_AREA / 8);
	ctx = (u64 *)(x->stack + BPF_MAX_FRAMES * BPF_STACK_SIZE);
	/* they are few: a call of memcpy() costs more */
	for (u32 i = 0; i < nr; i++)
		ctx[i] = args[i];
	return end(x, run(x, ctx, nr * sizeof(*args)));
}

u64 bpf_interp_run(struct bpf_prog *prog, void *ctx, u32 ctx_size)
{
	struct bpf_exec *x = begin(prog, prog->preemptible);

	return x ? end(x, run(x, ctx, ctx_size)) : 0;
}

u64 bpf_exec_run_packet(struct bpf_prog *prog, void *ctx, u32 ctx_size, const void *frame,
			const void *packet, const void *packet_end)
{
	struct bpf_exec *x = begin(prog, prog->preemptible);
	u64 ret;

	if (!x)
		return 0;
	x->frame = frame;
	x->packet = packet;
	x->packet_end = packet_end;
	ret = run(x, ctx, ctx_size);
	x->frame = x->packet = x->packet_end = NULL;
	return end(x, ret);
}

/* --- the odd instructions -------------------------------------------------------------------- */

struct bpf_prog *bpf_exec_tail_callee(struct bpf_exec *x, struct bpf_map *map, u32 index)
{
	struct bpf_prog *next;

	bpf_exec_charge_call(x, bpf_env->helper_ns, true); /* as lookups in other maps */
	next = bpf_prog_array_at(map, index);
	if (!next || x->tail_calls >= BPF_MAX_TAIL_CALLS)
		return NULL;
	VRT_ASSERT(!next->jit == x->checked);
	x->tail_calls++;
	x->prog = next;
	return next;
}

bool bpf_exec_tail_call(struct bpf_exec *x, struct bpf_reg *r)
{
	struct bpf_map *map;

	if (!bpf_reg_is(&r[2], REGION_MAP_PTR)) {
		bpf_exec_fault(x, "bpf_tail_call: argument 2: expected a map");
		return false;
	}
	map = (struct bpf_map *)r[2].v;
	if (map->type != BPF_MAP_TYPE_PROG_ARRAY) {
		bpf_exec_fault(x, "bpf_tail_call: map '%s' is not a prog array", map->name);
		return false;
	}
	if (!bpf_reg_is(&r[1], REGION_CTX)) {
		bpf_exec_fault(x, "bpf_tail_call: argument 1: expected the context");
		return false;
	}
	if (!bpf_exec_tail_callee(x, map, (u32)r[3].v)) {
		bpf_reg_number(&r[0], (u64)-2LL);
		return false;
	}
	return true;
}

/*
 * Where LD_ABS and LD_IND of @pos begin: in the packet, or behind the magic offsets of
 * classic BPF at the network or the link-layer header. NULL: nowhere.
 */
static const char *packet_at(const struct bpf_exec *x, s64 pos)
{
	if (pos >= 0)
		return (const char *)x->packet + pos;
	if (pos >= SKF_NET_OFF)
		return (const char *)x->frame + ETH_HLEN + (pos - SKF_NET_OFF);
	return pos >= SKF_LL_OFF ? (const char *)x->frame + (pos - SKF_LL_OFF) : NULL;
}

bool bpf_exec_load_packet(const struct bpf_exec *x, s64 pos, u32 size, u64 *value)
{
	const char *from = x->packet ? packet_at(x, pos) : NULL;
	u64 v = 0;

	if (!from || (const char *)x->packet_end - from < size)
		return false;
	memcpy(&v, from, size);
	*value = be64toh(v) >> (64 - 8 * size);
	return true;
}
