// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching tracing programs to the simulated kernel, and calling them.
 *
 * What is attached at a place is an array that never changes: attaching and
 * detaching put a new one in its place. The old one is freed when no CPU can be
 * in the middle of it any more (synchronize_cpus()): a program may wait for a
 * bpf_spin_lock while others come and go.
 *
 * A program that causes the event it is attached to is not called again before
 * it has returned, as in Linux: that is counted as a miss. Who runs is known
 * per CPU, as a list through the stack, since tracing programs stay on their
 * CPU.
 */
#include "trace_events.h"

#include "../base/alloc.h"
#include "../bpf/link.h"
#include "../bpf/prog.h"
#include "sched.h"

#define BTF_TRACE_PREFIX "btf_trace_"
#define MAX_ARGS 8
/* At one end of a function: BPF_MAX_TRAMP_LINKS of Linux. */
#define MAX_FUNCTION_LINKS 38

/* A program at a place: the state of its link. */
struct attachment {
	struct bpf_prog *prog;
	enum trace_hook hook;
	bool stopped; /* by a fault */
};

struct trace_funcs {
	u32 nr;
	struct attachment *at[];
};

const struct trace_funcs *trace_hooks[NR_TRACE_HOOKS];
bool trace_syscalls;

struct place {
	const char *name;
	u32 nr_args;
};

static const struct place points[] = {
#define POINT(name, nr_args) [TP_##name] = { #name, nr_args },
	TRACE_POINTS(POINT)
};

static const struct place functions[] = {
#define FUNCTION(ret, name, nr_args, params) [FN_##name] = { #name, nr_args },
	KERNEL_FUNCTIONS(FUNCTION)
#undef FUNCTION
#define FUNCTION(nr, name, NAME) [FN___x64_sys_##name] = { "__x64_sys_" #name, 1 },
	KERNEL_SYSCALLS(FUNCTION)
#undef FUNCTION
};

/* 64-bit values that programs at @hook are given: at the end of a function the result, too. */
static u32 nr_args(enum trace_hook hook)
{
	if (hook < NR_TRACE_POINTS)
		return points[hook].nr_args;
	return functions[(hook - NR_TRACE_POINTS) / 2].nr_args + (hook - NR_TRACE_POINTS) % 2;
}

/* --- calling ----------------------------------------------------------------- */

/* A tracing program that runs on this CPU, and those that it has interrupted. */
struct trace_run {
	const struct bpf_prog *prog;
	struct trace_run *outer;
};

static bool runs_here(const struct cpu_rq *crq, const struct bpf_prog *prog)
{
	for (const struct trace_run *run = crq->tracing; run; run = run->outer) {
		if (run->prog == prog)
			return true;
	}
	return false;
}

static void call(const struct attachment *at, const u64 *args, u32 nr)
{
	struct cpu_rq *crq = kernel.rqs[this_cpu->id];
	struct trace_run run = { .prog = at->prog, .outer = crq->tracing };

	if (at->stopped)
		return;
	if (runs_here(crq, at->prog)) {
		at->prog->misses++;
		return;
	}
	crq->tracing = &run;
	bpf_prog_call(at->prog, args, nr);
	crq->tracing = run.outer;
}

void trace_call(enum trace_hook hook, const u64 *args)
{
	const struct trace_funcs *funcs;

	cpu_sync();
	funcs = trace_hooks[hook];
	for (u32 i = 0; funcs && i < funcs->nr; i++)
		call(funcs->at[i], args, nr_args(hook));
}

void trace_function_exit(enum trace_function fn, const u64 *args, s64 ret)
{
	u64 all[MAX_ARGS];

	if (!trace_enabled(trace_exit(fn)))
		return;
	VRT_ASSERT(functions[fn].nr_args < MAX_ARGS);
	if (functions[fn].nr_args)
		memcpy(all, args, functions[fn].nr_args * sizeof(*all));
	all[functions[fn].nr_args] = (u64)ret;
	trace_call(trace_exit(fn), all);
}

void trace_sched_switch_slow(bool preempt, struct task_struct *prev, struct task_struct *next,
			     u32 prev_state)
{
	struct cpu_rq *crq = kernel.rqs[this_cpu->id];

	crq->switching_from = prev;
	trace_call(TP_sched_switch, (const u64[]){ preempt, (u64)prev, (u64)next, prev_state });
	crq->switching_from = NULL;
}

void trace_bpf_trace_printk_slow(const char *line)
{
	size_t size = strlen(line) + 1;
	char *copy = sched_alloc(OBJ_TEXT, size);

	memcpy(copy, line, size);
	trace_call(TP_bpf_trace_printk, (const u64[]){ (u64)copy });
	kheap_free(copy);
}

/* --- what is attached ---------------------------------------------------------- */

static struct trace_funcs *funcs_alloc(u32 nr)
{
	struct trace_funcs *funcs = xcalloc(1, sizeof(*funcs) + nr * sizeof(funcs->at[0]));

	funcs->nr = nr;
	return funcs;
}

/* The array of @hook without @leave (may be NULL) and with @come (may be NULL); NULL: empty. */
static struct trace_funcs *funcs_change(enum trace_hook hook, const struct attachment *leave,
					struct attachment *come)
{
	const struct trace_funcs *old = trace_hooks[hook];
	u32 nr = (old ? old->nr : 0) + (come != NULL) - (leave != NULL), n = 0;
	struct trace_funcs *funcs;

	if (!nr)
		return NULL;
	funcs = funcs_alloc(nr);
	for (u32 i = 0; old && i < old->nr; i++) {
		if (old->at[i] != leave)
			funcs->at[n++] = old->at[i];
	}
	if (come)
		funcs->at[n++] = come;
	VRT_ASSERT(n == nr);
	return funcs;
}

struct change {
	enum trace_hook hook;
	struct attachment *leave, *come;
};

static void change_inside(void *arg)
{
	struct change *c = arg;
	struct trace_funcs *old = (struct trace_funcs *)trace_hooks[c->hook];

	trace_hooks[c->hook] = funcs_change(c->hook, c->leave, c->come);
	trace_syscalls = false;
	for (u32 i = TP_sys_enter; i < NR_TRACE_HOOKS; i++)
		trace_syscalls |= trace_hooks[i] != NULL;
	if (old)
		synchronize_cpus();
	free(old);
}

static int find_place(const struct place *places, u32 nr, const char *name)
{
	for (u32 i = 0; i < nr; i++) {
		if (!strcmp(places[i].name, name))
			return i;
	}
	return -ENOENT;
}

static int find_point(const char *name)
{
	return find_place(points, ARRAY_SIZE(points), name);
}

static int find_function(const char *name, bool at_exit)
{
	int fn = find_place(functions, ARRAY_SIZE(functions), name);

	if (fn < 0)
		return fn;
	return at_exit ? trace_exit(fn) : trace_entry(fn);
}

/* The place that the program was loaded for, or that @name says. */
static int hook_of(const struct bpf_prog *prog, const char *name)
{
	const struct btf *btf = bpf_kernel_btf();
	const char *target;

	if (name)
		return find_point(name);
	if (prog->type != BPF_PROG_TYPE_TRACING)
		return -ENOENT;
	target = btf_name(btf, btf_type_by_id(btf, prog->attach_btf_id)->name_off);
	switch (prog->expected_attach_type) {
	case BPF_TRACE_RAW_TP:
		return find_point(target + strlen(BTF_TRACE_PREFIX));
	case BPF_TRACE_FENTRY:
		return find_function(target, false);
	case BPF_TRACE_FEXIT:
		return find_function(target, true);
	default:
		return -ENOENT;
	}
}

/* Functions take a program once, and so many; tracepoints any. */
static int check_room(enum trace_hook hook, const struct bpf_prog *prog)
{
	const struct trace_funcs *funcs = trace_hooks[hook];

	if (hook < NR_TRACE_POINTS || !funcs)
		return 0;
	for (u32 i = 0; i < funcs->nr; i++) {
		if (funcs->at[i]->prog == prog)
			return -EBUSY;
	}
	return funcs->nr == MAX_FUNCTION_LINKS ? -E2BIG : 0;
}

/* Programs that know the tracepoint by its name alone may have been made for more arguments. */
static int check_args(enum trace_hook hook, const struct bpf_prog *prog)
{
	static const u8 nr_args[] = {
#define TRACE_ARGS(name, nr) [TP_##name] = nr,
		TRACE_POINTS(TRACE_ARGS)
#undef TRACE_ARGS
	};

	return hook < NR_TRACE_POINTS && prog->max_ctx_offset > nr_args[hook] * 8U ? -EACCES : 0;
}

static int trace_attach(struct bpf_prog *prog, const char *name, u64 cookie, void **state)
{
	int hook = hook_of(prog, name), err;
	struct change c = { .hook = hook };

	if (hook < 0)
		return hook;
	err = check_args(hook, prog) ?: check_room(hook, prog);
	if (err)
		return err;
	c.come = xcalloc(1, sizeof(*c.come));
	c.come->prog = prog;
	c.come->hook = hook;
	kernel_run_inside(change_inside, &c);
	*state = c.come;
	return 0;
}

static void trace_detach(struct bpf_prog *prog, void *state)
{
	struct attachment *at = state;
	struct change c = { .hook = at->hook, .leave = at };

	kernel_run_inside(change_inside, &c);
	free(at);
}

static const struct bpf_attach_ops attach_ops = {
	.attach = trace_attach,
	.detach = trace_detach,
};

void trace_register(void)
{
	bpf_register_attach(&attach_ops);
}

void trace_program_fault(const struct bpf_prog *prog)
{
	for (u32 hook = 0; hook < NR_TRACE_HOOKS; hook++) {
		const struct trace_funcs *funcs = trace_hooks[hook];

		for (u32 i = 0; funcs && i < funcs->nr; i++) {
			if (funcs->at[i]->prog == prog)
				funcs->at[i]->stopped = true;
		}
	}
}
