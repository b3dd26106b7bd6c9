// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does compiled code do what the interpreter does? Programs that progen.c makes up and
 * that verify run under both on the same inputs, in two processes that begin as the
 * same, so that even addresses are the same. Compared are results, maps, packets,
 * contexts, what was written to the ring buffer; whatever the program asks of the
 * machine, in which order, and how many instructions and ns it had been charged by
 * then; where it lets others have the CPU; what it leaves in the kernel heap.
 *
 * usage: fuzz_jit [--seed N] [--count N] [--runs N] [--batch N] [--print] [--minimise]
 *		   [--max-shown N] [--sabotage]
 *	--seed	the first program (default 1); the next ones count up
 *	--count	programs that verify (default 1000)
 *	--runs	of each, on different inputs (default 3)
 *	--batch	programs in a process (default 2000)
 *	--print	what the program of --seed is, and what happens in it
 *	--minimise	make programs that differ smaller before they are shown
 *	--sabotage	what is compiled is another program: to see
 *		that differences are found
 *
 * Exit status: 0; 1 usage; 2 cannot run; 3 something differs.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../../src/bpf/check.h"
#include "../../src/bpf/jit/jit.h"
#include "../../src/bpf/maps/ringbuf_impl.h"
#include "../../src/bpf/prog_type.h"
#include "../machine.h"
#include "minimise.h"
#include "options.h"
#include "progen.h"

#define SHOWN_EVENTS 12

static struct {
	u64 seed, count, runs, batch, max_shown;
	bool print, minimise, sabotage;
} opt = { .seed = 1, .count = 1000, .runs = 3, .batch = 2000, .max_shown = 3 };

static struct {
	u64 programs, verified, runs, stopped, differ;
} count;

/* --- what happens ------------------------------------------------------------------------ */

struct event {
	const char *what;
	u64 a, b;
};

#define MAX_EVENTS 20000

struct outcome {
	bool verified;
	u64 digest;
};

/* What a process has found out; shared with its parent. */
static struct side {
	const char *name;
	bool interpreted;
	pid_t pid;
	u64 seed; /* in progress */
	u64 runs, stopped;
	u64 heap; /* digest at the end */
	struct event events[MAX_EVENTS];
	u32 nr_events;
	struct outcome out[];
} *sides[2];

/* All of it in one number; and, of programs that differ, one by one. */
static u64 digest;
static struct side *side; /* of this process */
static bool recording;

static u64 mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

static void happens(const char *what, u64 a, u64 b)
{
	digest = mix(mix(digest, a), b + (u64)what[0]);
	if (recording && side->nr_events < MAX_EVENTS)
		side->events[side->nr_events++] = (struct event){ what, a, b };
}

static u64 digest_of(const void *mem, u64 size)
{
	const u8 *p = mem;
	u64 h = size, v = 0;

	for (; size >= 8; size -= 8, p += 8) {
		memcpy(&v, p, 8);
		h = mix(h, v);
	}
	v = 0;
	memcpy(&v, p, size);
	return mix(h, v);
}

/* --- the machine ---------------------------------------------------------------------------- */

/* Of the run in progress. */
static struct {
	u64 insns, ns, since_preempted, slice;
	u32 random;
	bool stopped;
} now;

static u64 clock_ns(void)
{
	return NSEC_PER_SEC + now.insns + now.ns;
}

static u64 env_ktime(void)
{
	happens("looks at the clock", now.insns, now.ns);
	return clock_ns();
}

static u32 env_prandom(void)
{
	now.random = now.random * 1664525 + 1013904223;
	happens("draws a random number", now.random, now.insns + now.ns);
	return now.random;
}

static void env_charge(u64 insns, u64 ns)
{
	now.insns += insns;
	now.ns += ns;
}

static bool env_spend(u64 insns, u64 ns)
{
	env_charge(insns, ns);
	now.since_preempted += insns;
	return now.since_preempted >= now.slice;
}

static bool env_preempt(void)
{
	happens("may lose the CPU", now.insns, now.ns);
	now.since_preempted = 0;
	return false;
}

static void env_printk(const char *line)
{
	happens("prints", digest_of(line, strlen(line)), now.insns + now.ns);
}

static void env_fault(const struct bpf_fault *f)
{
	now.stopped = true;
	happens("is stopped", f->insn, digest_of(f->message, strlen(f->message)));
	if (recording)
		printf("  %s: stopped: %s\n", side->name, f->message);
}

static void machine_prepare(void)
{
	machine.ktime = env_ktime;
	machine.prandom = env_prandom;
	machine.charge = env_charge;
	machine.spend = env_spend;
	machine.preempt = env_preempt;
	machine.printk = env_printk;
	machine.fault = env_fault;
	machine.insn_budget = 5000;
	machine.entry_ns = 40;
	machine.helper_ns = 15;
	machine.kfunc_ns = 10;
	machine.map_hash_ns = 25;
}

/* --- a kernel ----------------------------------------------------------------------------------- */

/* Every fourth program runs in task context, where it may be preempted. */
static const struct bpf_prog_type_ops task_type = {
	.type = 2000, .name = "fuzz", .ctx = "bpf_cpumask",
};

static bool in_task(u64 seed)
{
	return seed % 4 == 3;
}

static const struct kheap_type memory_type = { .name = "[fuzz_jit]", .writable = true };
#define FRAME 256 /* bytes before the packet */

static struct {
	int fds[PROGEN_ALL_MAPS], btf, leaves[PROGEN_PROG_SLOTS];
	struct bpf_map *maps[PROGEN_ALL_MAPS];
	s32 kfuncs[PROGEN_KFUNCS];
	u8 *packet;
	struct __sk_buff *skb;
} life;

static void new_map(u32 i, u32 type, u32 key_size, u32 value_size, u32 entries)
{
	union bpf_attr attr = { .map_type = type, .key_size = key_size, .value_size = value_size,
				.max_entries = entries };

	life.fds[i] = (int)machine_bpf(BPF_MAP_CREATE, &attr);
	if (life.fds[i] < 0) {
		fprintf(stderr, "fuzz_jit: no map %u: %s\n", i, strerror(-life.fds[i]));
		exit(2);
	}
	life.maps[i] = bpf_map_from_fd(life.fds[i]);
	bpf_map_put(life.maps[i]);
}

static int load_insns(const struct bpf_insn *insns, u32 nr)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS, .insns = (u64)insns,
				.insn_cnt = nr, .license = (u64) "GPL" };

	return (int)machine_bpf(BPF_PROG_LOAD, &attr);
}

/* Where tail calls lead: one adds to a variable and returns, the others go on to another. */
static void make_leaves(void)
{
	for (s32 i = 0; i + 1 < PROGEN_PROG_SLOTS; i++) {
		struct bpf_insn insns[] = {
			{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 6,
			  .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = life.fds[PROGEN_GLOBALS] },
			{},
			{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 0, .src_reg = 6, .off = 8 },
			{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 0, .imm = i + 1 },
			{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 6, .src_reg = 0, .off = 8 },
			{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 10, .src_reg = 0,
			  .off = (s16)(-8 - 96 * i) },
			{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 2,
			  .src_reg = BPF_PSEUDO_MAP_FD, .imm = life.fds[PROGEN_PROGS] },
			{},
			{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3,
			  .imm = i ? 2 * i - 2 : PROGEN_PROG_SLOTS },
			{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call },
			{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 100 + i },
			{ .code = BPF_JMP | BPF_EXIT },
		};
		int fd = load_insns(insns, ARRAY_SIZE(insns));
		u32 key = (u32)i;
		union bpf_attr attr = { .map_fd = (u32)life.fds[PROGEN_PROGS], .key = (u64)&key,
					.value = (u64)&fd };

		if (fd < 0 || machine_bpf(BPF_MAP_UPDATE_ELEM, &attr)) {
			fprintf(stderr, "fuzz_jit: no program for tail calls\n");
			exit(2);
		}
		life.leaves[i] = fd;
	}
}

static void life_begin(void)
{
	char btf[PROGEN_BTF_SIZE];
	union bpf_attr attr = { .btf = (u64)btf, .btf_size = progen_btf(btf) };

	if (bpf_register_prog_type(&task_type)) {
		fprintf(stderr, "fuzz_jit: no program type\n");
		exit(2);
	}
	new_map(PROGEN_ARRAY, BPF_MAP_TYPE_ARRAY, 4, PROGEN_ARRAY_VALUE, PROGEN_ARRAY_ENTRIES);
	new_map(PROGEN_HASH, BPF_MAP_TYPE_HASH, 4, PROGEN_HASH_VALUE, PROGEN_ARRAY_ENTRIES + 1);
	new_map(PROGEN_RINGBUF, BPF_MAP_TYPE_RINGBUF, 0, 0, 1 << 12);
	new_map(PROGEN_GLOBALS, BPF_MAP_TYPE_ARRAY, 4, PROGEN_ARRAY_VALUE, 1);
	new_map(PROGEN_PERCPU, BPF_MAP_TYPE_PERCPU_ARRAY, 4, PROGEN_PERCPU_VALUE, 2);
	new_map(PROGEN_PROGS, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, PROGEN_PROG_SLOTS);
	life.btf = (int)machine_bpf(BPF_BTF_LOAD, &attr);
	for (u32 i = 0; i < PROGEN_KFUNCS; i++)
		life.kfuncs[i] = btf_find_by_name_kind(bpf_kernel_btf(), progen_kfuncs[i],
						       BTF_KIND_FUNC);
	life.packet = kheap_alloc(&memory_type, FRAME + PROGEN_PACKET);
	life.skb = kheap_alloc(&memory_type, sizeof(*life.skb));
	make_leaves();
}

/*
 * What is in the kernel heap, but for stacks, where what nobody reads any more may
 * differ, and maps, which have pointers of the host's.
 */
static u64 heap_digest(void)
{
	struct kheap_stats stats;
	struct kheap_object obj;
	u64 h = 0, end;

	kheap_stats(&stats);
	end = KHEAP_BASE + stats.spans;
	for (u64 addr = KHEAP_BASE; addr < end; addr += 16) {
		if (!kheap_find((void *)addr, &obj))
			continue;
		if (strcmp(obj.type->name, "[BPF stack]") && strcmp(obj.type->name, "[map]"))
			h = mix(h, digest_of(obj.base, obj.type->visible ?: obj.size));
		addr = ((u64)obj.base + obj.size - 1) & ~15ULL;
	}
	return mix(h, stats.live);
}

/* --- a program ------------------------------------------------------------------------------------ */

static char log_text[1 << 16];

/* A descriptor or -errno. */
static int load(const struct progen *original, u64 seed)
{
	static struct progen p;
	struct bpf_func_info info[PROGEN_FUNCS];
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS, .insns = (u64)p.insns,
				.license = (u64) "GPL", .prog_btf_fd = (u32)life.btf,
				.func_info = (u64)info, .func_info_rec_size = sizeof(*info) };
	int fd;

	p = *original;
	progen_set_maps(&p, life.fds);
	progen_set_kfuncs(&p, life.kfuncs);
	if (in_task(seed))
		attr.prog_type = task_type.type;
	attr.insn_cnt = p.len;
	attr.func_info_cnt = progen_func_info(&p, info);
	if (opt.print) {
		attr.log_level = 1;
		attr.log_buf = (u64)log_text;
		attr.log_size = sizeof(log_text);
	}
	fd = (int)machine_bpf(BPF_PROG_LOAD, &attr);
	if (fd >= 0 || fd == -EINVAL || fd == -EACCES || fd == -E2BIG || fd == -EPERM)
		return fd;
	fprintf(stderr, "fuzz_jit: seed %llu does not load: %s\n", side->seed, strerror(-fd));
	_exit(2);
}

static void fill(void *mem, size_t size, struct rng *rng)
{
	static const u8 edges[] = { 0, 0, 0, 1, 0x7f, 0x80, 0xff, 0xff };
	u8 *p = mem;

	for (size_t i = 0; i < size; i++) {
		u64 r = rng_next(rng);

		p[i] = r & 1 ? edges[r >> 8 & 7] : (u8)(r >> 16);
	}
}

static void prepare(u64 seed, u64 run)
{
	u8 value[PROGEN_ARRAY_VALUE];
	struct rng rng;

	rng_fork(&rng, seed, "input", run);
	for (u32 key = 0; key < PROGEN_ARRAY_ENTRIES + 2; key++) {
		struct bpf_map *hash = life.maps[PROGEN_HASH];
		void *array = life.maps[PROGEN_ARRAY]->ops->lookup(life.maps[PROGEN_ARRAY], &key);
		u32 zero = 0;

		if (array)
			fill(array, PROGEN_ARRAY_VALUE, &rng);
		fill(value, sizeof(value), &rng);
		hash->ops->delete(hash, &key);
		if (key < PROGEN_ARRAY_ENTRIES - 1)
			hash->ops->update(hash, &key, value, BPF_ANY);
		if (!key)
			memcpy(life.maps[PROGEN_GLOBALS]->ops->lookup(life.maps[PROGEN_GLOBALS], &zero),
			       value, sizeof(value));
		if (key < 2)
			memcpy(life.maps[PROGEN_PERCPU]->ops->lookup(life.maps[PROGEN_PERCPU], &key),
			       value, PROGEN_PERCPU_VALUE);
	}
	fill(life.packet + FRAME, PROGEN_PACKET, &rng);
	memset(life.skb, 0, sizeof(*life.skb));
	life.skb->len = PROGEN_PACKET;
	life.skb->ifindex = 1;
	life.skb->mark = (u32)rng_next(&rng);
	life.skb->priority = (u32)rng_next(&rng);
	memset(&now, 0, sizeof(now));
	now.random = (u32)rng_next(&rng);
	now.slice = 1 + rng_below(&rng, 300);
	machine.preempt_insns = 8 + (u32)rng_below(&rng, 120);
}

static void compare_map(u32 map, const char *what)
{
	for (u32 key = 0; key < PROGEN_ARRAY_ENTRIES + 2; key++) {
		const void *value = life.maps[map]->ops->lookup(life.maps[map], &key);

		happens(what, key, value ? digest_of(value, life.maps[map]->value_size) : 1);
	}
}

/* What was written to the ring buffer: it is read, so that there is room for the next. */
static void compare_ringbuf(void)
{
	struct ringbuf_map *ring = to_ring(life.maps[PROGEN_RINGBUF]);

	if (*ring->producer_pos == *ring->consumer_pos)
		return;
	happens("ring buffer", *ring->producer_pos, digest_of(ring->data, ring->mask + 1));
	*ring->consumer_pos = *ring->producer_pos;
}

static void run_once(struct bpf_prog *prog, u64 seed, u64 run)
{
	u64 before = prog->run_insns, ret;
	struct kheap_stats stats;

	prepare(seed, run);
	if (in_task(seed)) {
		prog->preemptible = true;
		ret = bpf_prog_run_ctx(prog, life.skb);
	} else {
		ret = bpf_exec_run_packet(prog, life.skb, sizeof(*life.skb), life.packet + FRAME,
					  life.packet + FRAME,
					  life.packet + FRAME + PROGEN_PACKET);
	}
	kheap_stats(&stats);
	happens("returns", ret, stats.live);
	happens("time, at the end", now.insns, now.ns);
	happens("instructions", prog->run_insns - before, prog->run_cnt);
	compare_map(PROGEN_ARRAY, "array");
	compare_map(PROGEN_HASH, "hash");
	compare_map(PROGEN_GLOBALS, "variables");
	compare_map(PROGEN_PERCPU, "per-CPU array");
	compare_ringbuf();
	happens("packet", digest_of(life.packet + FRAME, PROGEN_PACKET),
		digest_of(life.skb, sizeof(*life.skb)));
	side->runs++;
	side->stopped += now.stopped;
}

static void print_program(struct bpf_prog *prog)
{
	for (u32 i = 0; i < prog->len; i++) {
		char text[256];

		bpf_disasm(prog, i, text, sizeof(text));
		printf("  %3u: %s\n", i, text);
		if (bpf_is_ldimm64(&prog->insns[i]))
			i++;
	}
}

static void run_program(const struct progen *p, u64 seed, struct outcome *out, bool print)
{
	int fd = load(p, seed);
	struct bpf_prog *prog;

	*out = (struct outcome){ .verified = fd >= 0 };
	digest = 0;
	if (fd < 0) {
		if (print)
			printf("%s", log_text);
		return;
	}
	prog = bpf_prog_from_fd(fd);
	if (print)
		print_program(prog);
	for (u64 run = 0; run < opt.runs; run++) {
		happens("run", run, 0);
		run_once(prog, seed, run);
	}
	out->digest = digest;
	bpf_prog_put(prog);
	machine_close(fd);
}

static void generate(struct progen *p, u64 seed)
{
	progen(p, seed, PROGEN_MORE | (in_task(seed) ? PROGEN_PLAIN : 0));
}

/* In place of a compiler that is wrong. */
static void sabotage(struct progen *p)
{
	for (u32 i = p->len - 1; i; i--) {
		struct bpf_insn *insn = &p->insns[i];

		if (insn->code == (BPF_ALU64 | BPF_ADD | BPF_X) ||
		    insn->code == (BPF_ALU64 | BPF_XOR | BPF_X)) {
			insn->code = BPF_ALU64 | BPF_SUB | BPF_X;
			return;
		}
	}
}

/* --- processes ---------------------------------------------------------------------------------- */

struct job {
	u64 seed;
	u32 nr;
	const struct progen *p; /* instead of what the (one) seed gives */
	bool record, print;
};

static void do_job(const struct job *job)
{
	static struct progen p;

	life_begin();
	recording = job->record;
	for (u32 i = 0; i < job->nr; i++) {
		side->seed = job->seed + i;
		if (job->p)
			p = *job->p;
		else
			generate(&p, side->seed);
		if (!side->interpreted && opt.sabotage)
			sabotage(&p);
		run_program(&p, side->seed, &side->out[i], job->print);
	}
	side->heap = heap_digest();
	fflush(stdout);
}

static void begin(struct side *s, const struct job *job)
{
	pid_t pid;

	s->runs = s->stopped = s->nr_events = 0;
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fuzz_jit: fork");
		exit(2);
	}
	if (pid) {
		s->pid = pid;
		return;
	}
	side = s;
	machine.interpreted = s->interpreted;
	do_job(job);
	_exit(0);
}

/* False: it has died. */
static bool end(struct side *s)
{
	int status;

	if (waitpid(s->pid, &status, 0) != s->pid) {
		perror("fuzz_jit: waitpid");
		exit(2);
	}
	if (!status)
		return true;
	printf("seed %llu: the process that has it %s ends with %s %d\n", s->seed, s->name,
	       WIFSIGNALED(status) ? "signal" : "status",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return false;
}

static bool both(const struct job *job)
{
	bool a, b;

	begin(sides[0], job);
	begin(sides[1], job);
	a = end(sides[0]);
	b = end(sides[1]);
	return a && b;
}

static bool same(u32 i)
{
	return sides[0]->out[i].verified == sides[1]->out[i].verified &&
	       sides[0]->out[i].digest == sides[1]->out[i].digest;
}

/* --- a difference ------------------------------------------------------------------------------- */

static bool differs(const struct progen *p, u64 seed, bool record)
{
	struct job job = { .seed = seed, .nr = 1, .p = p, .record = record };

	return !both(&job) || !same(0) || sides[0]->heap != sides[1]->heap;
}

/* Both verify it, and do something else with it. */
static bool still_differs(const struct progen *p, void *seed)
{
	struct job job = { .seed = *(u64 *)seed, .nr = 1, .p = p };

	return !both(&job) ||
	       (sides[0]->out[0].verified && sides[1]->out[0].verified && !same(0));
}

static void show_event(const char *who, const struct event *e)
{
	printf("  %s: %s 0x%llx 0x%llx\n", who, e->what, e->a, e->b);
}

static void show_events(void)
{
	const struct side *a = sides[0], *b = sides[1];
	u32 i = 0;

	while (i < a->nr_events && i < b->nr_events &&
	       !memcmp(&a->events[i], &b->events[i], sizeof(*a->events)))
		i++;
	if (a->out[0].verified != b->out[0].verified) {
		printf("  %s: %s, %s: %s\n", a->name, a->out[0].verified ? "verified" : "rejected",
		       b->name, b->out[0].verified ? "verified" : "rejected");
		return;
	}
	if (i == a->nr_events && i == b->nr_events) {
		printf("  the first %u things that happen are the same; digests 0x%llx and 0x%llx, of the kernel heap 0x%llx and 0x%llx\n",
		       i, a->out[0].digest, b->out[0].digest, a->heap, b->heap);
		return;
	}
	for (u32 j = i > SHOWN_EVENTS ? i - SHOWN_EVENTS : 0; j < i; j++)
		show_event("both", &a->events[j]);
	if (i < a->nr_events)
		show_event(a->name, &a->events[i]);
	if (i < b->nr_events)
		show_event(b->name, &b->events[i]);
}

static void print_alone(const struct progen *p, u64 seed, bool record)
{
	struct job job = { .seed = seed, .nr = 1, .p = p, .record = record, .print = true };

	begin(sides[0], &job);
	end(sides[0]);
}

static void show(u64 seed)
{
	struct progen p;

	generate(&p, seed);
	if (!differs(&p, seed, false)) {
		printf("seed %llu: differs, but only after those before it\n", seed);
		return;
	}
	if (opt.minimise)
		minimise(&p, still_differs, &seed);
	printf("seed %llu: differs\n", seed);
	print_alone(&p, seed, false);
	differs(&p, seed, true);
	show_events();
}

static void print_one(void)
{
	struct progen p;

	generate(&p, opt.seed);
	print_alone(&p, opt.seed, true);
	for (u32 i = 0; i < sides[0]->nr_events; i++)
		show_event("happens", &sides[0]->events[i]);
}

/* --- many ---------------------------------------------------------------------------------------- */

static void compare(u64 seed, u32 nr)
{
	bool any = false;

	for (u32 i = 0; i < nr; i++) {
		count.programs++;
		count.verified += sides[0]->out[i].verified;
		if (same(i))
			continue;
		any = true;
		if (count.differ++ < opt.max_shown)
			show(seed + i);
	}
	if (!any && sides[0]->heap != sides[1]->heap) {
		count.differ++;
		printf("seeds %llu to %llu: the kernel heap differs at the end\n", seed,
		       seed + nr - 1);
	}
}

static void run_batches(void)
{
	struct job job = { .seed = opt.seed, .nr = (u32)opt.batch };

	for (; count.verified < opt.count; job.seed += job.nr) {
		if (both(&job)) {
			count.runs += sides[0]->runs;
			count.stopped += sides[0]->stopped;
			compare(job.seed, job.nr);
			continue;
		}
		/* one of them has died: the rest must wait */
		count.differ++;
		show(sides[sides[0]->seed > sides[1]->seed]->seed);
		return;
	}
}

static struct side *new_side(const char *name, bool interpreted)
{
	size_t size = sizeof(struct side) + opt.batch * sizeof(struct outcome);
	struct side *s = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED) {
		perror("fuzz_jit: mmap");
		exit(2);
	}
	s->name = name;
	s->interpreted = interpreted;
	return s;
}

/* --- the command ------------------------------------------------------------------------------------ */

static bool number_option(const char *arg, const char *value)
{
	static const struct fuzz_number options[] = {
		{ "--seed", &opt.seed }, { "--count", &opt.count }, { "--runs", &opt.runs },
		{ "--batch", &opt.batch }, { "--max-shown", &opt.max_shown },
	};

	return fuzz_number_option(options, ARRAY_SIZE(options), arg, value);
}

static bool parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--print"))
			opt.print = true;
		else if (!strcmp(argv[i], "--minimise"))
			opt.minimise = true;
		else if (!strcmp(argv[i], "--sabotage"))
			opt.sabotage = true;
		else if (number_option(argv[i], argv[i + 1]))
			i++;
		else
			return false;
	}
	return opt.batch > 0;
}

int main(int argc, char **argv)
{
	if (!parse(argc, argv)) {
		fprintf(stderr, "usage: %s [--seed N] [--count N] [--runs N] [--batch N] [--print]\n"
			"       [--minimise] [--max-shown N] [--sabotage]\n", argv[0]);
		return 1;
	}
	/* what the verifier gives back it will want again */
	mallopt(M_TRIM_THRESHOLD, 1 << 28);
	mallopt(M_MMAP_THRESHOLD, 1 << 28);
	sides[0] = new_side("interpreted", true);
	sides[1] = new_side("compiled", false);
	machine_prepare();
	machine_start("fuzz_jit");
	if (opt.print) {
		print_one();
		return 0;
	}
	run_batches();
	printf("seeds %llu to %llu: programs %llu, verified %llu, runs %llu (stopped by the budget %llu), differ %llu\n",
	       opt.seed, opt.seed + count.programs - 1, count.programs, count.verified, count.runs,
	       count.stopped, count.differ);
	return count.differ ? 3 : 0;
}
