// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel of generated programs. Before each run everything that a program can
 * read or find out is set anew: maps are made once, and filled again.
 */
#include "life.h"

#include <errno.h>
#include <string.h>

#include "../../kernel/sched.h"
#include "../../src/bpf/check/check.h"
#include "../../src/bpf/jit/jit.h"
#include "../../src/bpf/maps/arena.h"
#include "../../src/bpf/maps/ringbuf_impl.h"
#include "../../src/bpf/prog_type.h"
#include "../machine.h"
#include "events.h"

/*
 * Where a program is too large: few are that pass this and not a million, and those take
 * most of the time.
 */
#define VERIFIER_INSNS 20000
#define ENOTSUPP 524

#define TASK_TYPE 2000 /* of programs in task context */

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
	if (events_kept())
		printf("  %s: stopped: %s\n", machine.interpreted ? "interpreted" : "compiled",
		       f->message);
}

/* --- timers ---------------------------------------------------------------------------------- */

#define MAX_TIMERS 4 /* that are armed at a time: there are two */
#define MAX_EXPIRED 4 /* in a run */

static struct {
	struct bpf_timer_node *node;
	u64 when;
} armed[MAX_TIMERS];

static int disarm(struct bpf_timer_node *node)
{
	for (u32 i = 0; i < MAX_TIMERS; i++) {
		if (armed[i].node != node)
			continue;
		armed[i].node = NULL;
		return 1;
	}
	return 0;
}

static int env_timer_arm(struct bpf_timer_node *node, u64 when, bool pinned)
{
	u32 i = 0;

	happens("arms a timer", when + pinned, now.insns + now.ns);
	disarm(node);
	while (i < MAX_TIMERS && armed[i].node)
		i++;
	if (i == MAX_TIMERS)
		return -EBUSY;
	armed[i].node = node;
	armed[i].when = when;
	return 0;
}

static int env_timer_cancel(struct bpf_timer_node *node)
{
	happens("cancels a timer", now.insns, now.ns);
	return disarm(node);
}

static void env_timer_free(struct bpf_timer_node *node)
{
	disarm(node);
}

/* The earliest of what is armed, and whatever that arms. */
static void expire_timers(void)
{
	for (u32 n = 0; n < MAX_EXPIRED; n++) {
		struct bpf_timer_node *node;
		u32 first = 0;

		for (u32 i = 1; i < MAX_TIMERS; i++)
			if (armed[i].node && (!armed[first].node ||
					      armed[i].when < armed[first].when))
				first = i;
		node = armed[first].node;
		if (!node)
			return;
		armed[first].node = NULL;
		happens("a timer expires", now.insns, now.ns);
		node->expire(node);
	}
}

/* --- tasks --------------------------------------------------------------------------------------- */

static struct kheap_type task_struct = { .name = "task_struct", .visible = sizeof(struct task_struct) };
static struct task_struct *tasks[2];

static void *env_current_task(void)
{
	return tasks[0];
}

static s32 task_cpu(const struct task_struct *p)
{
	happens("asks for a task's CPU", p->pid, now.insns + now.ns);
	return p->pid & 63;
}

/* As if it had no rule for what it is given. */
static const struct bpf_kfunc task_kfuncs[] = { { "scx_bpf_task_cpu", (void *)task_cpu, 0 } };
static const struct bpf_kfunc_set task_sets[] = {
	{ .funcs = task_kfuncs, .nr = 1, .prog_type = BPF_PROG_TYPE_SCHED_CLS },
	{ .funcs = task_kfuncs, .nr = 1, .prog_type = TASK_TYPE },
};

/* Real parents and leaders are tasks always; others are not to be trusted, for a reason. */
static void make_tasks(void)
{
	if (bpf_register_object_type(&task_struct) || bpf_register_kfuncs(&task_sets[0]) ||
	    bpf_register_kfuncs(&task_sets[1])) {
		fprintf(stderr, "fuzz_jit: no tasks\n");
		exit(2);
	}
	for (u32 i = 0; i < 2; i++) {
		struct task_struct *p = tasks[i] = kheap_alloc(&task_struct, sizeof(*p));

		p->pid = p->tgid = 1234567 + (s32)i;
		p->prio = -120 - (int)i;
		p->flags = 0x80000001;
		memset(p->comm, 0xa0 + (int)i, sizeof(p->comm));
	}
	tasks[0]->group_leader = tasks[0]->real_parent = tasks[1];
	tasks[1]->group_leader = tasks[1]->real_parent = tasks[0];
	tasks[1]->parent = (struct task_struct *)0xdeadbeefcafeULL;
}

/* --- all of it ------------------------------------------------------------------------------------ */

void life_start(const char *who)
{
	machine.ktime = env_ktime;
	machine.prandom = env_prandom;
	machine.charge = env_charge;
	machine.spend = env_spend;
	machine.preempt = env_preempt;
	machine.printk = env_printk;
	machine.fault = env_fault;
	machine.timer_arm = env_timer_arm;
	machine.timer_cancel = env_timer_cancel;
	machine.timer_free = env_timer_free;
	machine.current_task = env_current_task;
	machine.insn_budget = machine.sleepable_insn_budget = 5000;
	machine.entry_ns = 40;
	machine.helper_ns = 15;
	machine.kfunc_ns = 10;
	machine.map_hash_ns = 25;
	machine.verifier_insns = VERIFIER_INSNS;
	machine.interpreted = true;
	machine_start(who);
	progen_task_struct = btf_find_by_name_kind(bpf_kernel_btf(), "task_struct",
						   BTF_KIND_STRUCT);
}

/* --- a kernel ----------------------------------------------------------------------------------- */

static const struct bpf_prog_type_ops task_type = {
	.type = TASK_TYPE, .name = "fuzz", .ctx = "bpf_cpumask", .may_sleep = true,
};

bool life_in_task(u64 seed)
{
	return seed % 4 == 3;
}

bool life_may_sleep(u64 seed)
{
	return seed % 8 == 7;
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

static void make_map(u32 i, union bpf_attr *attr)
{
	life.fds[i] = (int)machine_bpf(BPF_MAP_CREATE, attr);
	if (life.fds[i] < 0) {
		fprintf(stderr, "fuzz_jit: no map %u: %s\n", i, strerror(-life.fds[i]));
		exit(2);
	}
	life.maps[i] = bpf_map_from_fd(life.fds[i]);
	bpf_map_put(life.maps[i]);
}

static void new_map(u32 i, u32 type, u32 key_size, u32 value_size, u32 entries)
{
	union bpf_attr attr = { .map_type = type, .key_size = key_size, .value_size = value_size,
				.max_entries = entries };

	make_map(i, &attr);
}

static void new_state(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
				.value_size = PROGEN_STATE_SIZE, .max_entries = 1,
				.btf_fd = (u32)life.btf };

	progen_state_types(&attr.btf_key_type_id, &attr.btf_value_type_id);
	make_map(PROGEN_STATE, &attr);
}

static void new_arena(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARENA, .max_entries = PROGEN_ARENA_PAGES,
				.map_flags = BPF_F_MMAPABLE, .map_extra = PROGEN_ARENA_START };

	make_map(PROGEN_ARENA, &attr);
}

static void load_btf(void)
{
	union bpf_attr attr = {};
	void *raw;

	attr.btf_size = progen_btf(&raw);
	attr.btf = (u64)raw;
	life.btf = (int)machine_bpf(BPF_BTF_LOAD, &attr);
	free(raw);
	if (life.btf < 0) {
		fprintf(stderr, "fuzz_jit: no BTF: %s\n", strerror(-life.btf));
		exit(2);
	}
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

void life_begin(void)
{
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
	load_btf();
	new_state();
	new_arena();
	make_tasks();
	for (u32 i = 0; i < PROGEN_KFUNCS; i++)
		life.kfuncs[i] = btf_find_by_name_kind(bpf_kernel_btf(), progen_kfuncs[i],
						       BTF_KIND_FUNC);
	life.packet = kheap_alloc(&memory_type, FRAME + PROGEN_PACKET);
	life.skb = kheap_alloc(&memory_type, sizeof(*life.skb));
	make_leaves();
}

/* --- programs ----------------------------------------------------------------------------------- */

static char log_text[1 << 20];

const char *life_log(void)
{
	return log_text;
}

/* Its descriptor is closed at once: there are more programs than descriptors. */
static struct bpf_prog *keep(int fd)
{
	struct bpf_prog *prog = bpf_prog_from_fd(fd);

	machine_close(fd);
	return prog;
}

static bool is_verdict(int err)
{
	return err == EINVAL || err == EACCES || err == E2BIG || err == EPERM || err == ENOTSUPP;
}

struct bpf_prog *life_load(const struct progen *original, u64 seed, bool log, int *err)
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
	if (life_in_task(seed))
		attr.prog_type = task_type.type;
	if (life_may_sleep(seed))
		attr.prog_flags = BPF_F_SLEEPABLE;
	attr.insn_cnt = p.len;
	attr.func_info_cnt = progen_func_info(&p, info);
	log_text[0] = '\0';
	if (log) {
		attr.log_level = 1;
		attr.log_buf = (u64)log_text;
		attr.log_size = sizeof(log_text);
	}
	fd = (int)machine_bpf(BPF_PROG_LOAD, &attr);
	*err = fd >= 0 || is_verdict(-fd) ? 0 : fd;
	return fd < 0 ? NULL : keep(fd);
}

int life_compile(struct bpf_prog *prog)
{
	if (bpf_jit_available())
		return bpf_jit_compile(prog);
	free(prog->exec->code);
	bpf_interp_decode(prog);
	return 0;
}

int life_compiled(void)
{
	int err = 0;

	machine.interpreted = false;
	for (u32 i = 0; i + 1 < PROGEN_PROG_SLOTS && !err; i++) {
		struct bpf_prog *prog = bpf_prog_from_fd(life.leaves[i]);

		err = life_compile(prog);
		bpf_prog_put(prog);
	}
	return err;
}

/* --- a run -------------------------------------------------------------------------------------- */

static void fill(void *mem, size_t size, struct rng *rng)
{
	static const u8 edges[] = { 0, 0, 0, 1, 0x7f, 0x80, 0xff, 0xff };
	u8 *p = mem;
	u64 r = 0;

	for (size_t i = 0; i < size; i++, r >>= 16) {
		if (i % 4 == 0)
			r = rng_next(rng);
		p[i] = r & 1 ? edges[r >> 1 & 7] : (u8)(r >> 8);
	}
}

/* Its memory is that of all processes, which take turns. */
static void clear_ringbuf(void)
{
	struct ringbuf_map *ring = to_ring(life.maps[PROGEN_RINGBUF]);

	memset(ring->data, 0, *ring->producer_pos);
	*ring->producer_pos = *ring->consumer_pos = ring->pending_pos = 0;
}

static bool uses(const struct bpf_prog *prog, u32 map)
{
	for (u32 i = 0; i < prog->nr_maps; i++)
		if (prog->maps[i] == life.maps[map])
			return true;
	return false;
}

static void *state_value(void)
{
	u32 key = 0;

	return life.maps[PROGEN_STATE]->ops->lookup(life.maps[PROGEN_STATE], &key);
}

/* Half of its pages are there. */
static void prepare_arena(struct rng *rng)
{
	struct bpf_map *map = life.maps[PROGEN_ARENA];
	u64 start = bpf_arena_user_start(map);

	bpf_arena_free(map, start, PROGEN_ARENA_PAGES);
	for (u32 page = 0; page < PROGEN_ARENA_PAGES; page += 2) {
		u64 addr = bpf_arena_alloc(map, start + page * 4096, 1);

		fill(bpf_arena_address(map, addr, 512), 512, rng);
	}
}

static void prepare(const struct bpf_prog *prog, u64 seed, u64 run)
{
	struct task_struct *const parents[] = { tasks[0], tasks[1], NULL, tasks[1]->parent,
						(struct task_struct *)((char *)tasks[0] + 20) };
	u8 value[PROGEN_ARRAY_VALUE];
	struct rng rng;

	rng_fork(&rng, seed, "input", run);
	for (u32 key = 0; key < PROGEN_ARRAY_ENTRIES + 2; key++) {
		struct bpf_map *hash = life.maps[PROGEN_HASH];
		void *array = life.maps[PROGEN_ARRAY]->ops->lookup(life.maps[PROGEN_ARRAY], &key);
		u32 zero = 0;

		if (array)
			fill(array, PROGEN_ARRAY_VALUE, &rng);
		fill(value, key ? PROGEN_HASH_VALUE : sizeof(value), &rng);
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
	clear_ringbuf();
	if (uses(prog, PROGEN_STATE)) {
		bpf_map_free_fields(life.maps[PROGEN_STATE], state_value());
		fill(state_value(), PROGEN_STATE_NUMBERS, &rng);
	}
	if (uses(prog, PROGEN_ARENA))
		prepare_arena(&rng);
	tasks[0]->parent = parents[rng_below(&rng, ARRAY_SIZE(parents))];
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

static void compare_ringbuf(void)
{
	const struct ringbuf_map *ring = to_ring(life.maps[PROGEN_RINGBUF]);

	if (*ring->producer_pos)
		happens("ring buffer", *ring->producer_pos,
			digest_of(ring->data, *ring->producer_pos));
}

static void compare_arena(void)
{
	struct bpf_map *map = life.maps[PROGEN_ARENA];
	u64 start = bpf_arena_user_start(map);

	for (u32 page = 0; page < PROGEN_ARENA_PAGES; page++) {
		const void *p = bpf_arena_address(map, start + page * 4096, 4096);

		happens("arena", page, p ? digest_of(p, 4096) : 1);
	}
}

bool life_run(struct bpf_prog *prog, u64 seed, u64 run)
{
	u64 before = prog->run_insns, ret;
	struct kheap_stats stats;

	prepare(prog, seed, run);
	if (life_in_task(seed)) {
		prog->preemptible = true;
		ret = bpf_prog_run_ctx(prog, life.skb);
	} else {
		ret = bpf_exec_run_packet(prog, life.skb, sizeof(*life.skb), life.packet + FRAME,
					  life.packet + FRAME,
					  life.packet + FRAME + PROGEN_PACKET);
	}
	kheap_stats(&stats);
	happens("returns", ret, stats.live);
	expire_timers();
	happens("time, at the end", now.insns, now.ns);
	happens("instructions", prog->run_insns - before, prog->run_cnt);
	compare_map(PROGEN_ARRAY, "array");
	compare_map(PROGEN_HASH, "hash");
	compare_map(PROGEN_GLOBALS, "variables");
	compare_map(PROGEN_PERCPU, "per-CPU array");
	compare_ringbuf();
	if (uses(prog, PROGEN_STATE))
		happens("state", 0, digest_of(state_value(), PROGEN_STATE_SIZE));
	if (uses(prog, PROGEN_ARENA))
		compare_arena();
	happens("packet", digest_of(life.packet + FRAME, PROGEN_PACKET),
		digest_of(life.skb, sizeof(*life.skb)));
	return now.stopped;
}

/* --- in the end ----------------------------------------------------------------------------------- */

u64 life_heap_digest(void)
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
			h = digest_mix(h, digest_of(obj.base, obj.type->visible ?: obj.size));
		addr = ((u64)obj.base + obj.size - 1) & ~15ULL;
	}
	return digest_mix(h, stats.live);
}
