// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does compiled code do what the interpreter does? Programs that progen.c makes up and
 * that verify run under both on the same inputs, in two processes that begin as the
 * same, so that even addresses are the same. Compared are results, maps, packets,
 * contexts, what was written to the ring buffer; whatever the program asks of the
 * machine, in which order, and how many instructions and ns it had been charged by
 * then; where it lets others have the CPU; what it leaves in the kernel heap.
 *
 * A batch is a process that loads (and so verifies) its programs, and then becomes two:
 * in one they are interpreted, in the other compiled.
 *
 * usage: fuzz_jit [--seed N] [--count N] [--runs N] [--batch N] [--print] [--minimise]
 *		   [--max-shown N] [--sabotage]
 *	--seed	the first program (default 1); the next ones count up
 *	--count	programs that verify (default 1000)
 *	--runs	of each, on different inputs (default 3)
 *	--batch	programs in a process (default 1000)
 *	--print	what the program of --seed is, and what happens in it
 *	--minimise	make programs that differ smaller before they are shown
 *	--sabotage	what is compiled is another program: to see
 *		that differences are found
 *
 * SIGINT and SIGTERM end it after the batch at hand, with the summary.
 *
 * Exit status: 0; 1 usage; 2 cannot run; 3 something differs.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/bpf/check/check.h"
#include "events.h"
#include "life.h"
#include "minimise.h"
#include "options.h"

#define SHOWN_EVENTS 12

static struct {
	u64 seed, count, runs, batch, max_shown;
	bool print, minimise, sabotage;
} opt = { .seed = 1, .count = 1000, .runs = 3, .batch = 1000, .max_shown = 3 };

static struct {
	u64 programs, verified, runs, stopped, differ;
} count;

static volatile sig_atomic_t interrupted;

/* --- what processes tell each other ------------------------------------------------------ */

enum { INTERPRETED, COMPILED };

struct side {
	u32 at; /* program in progress */
	u64 runs, stopped;
	u64 heap; /* digest at the end */
	bool died;
	struct event_log log;
	u64 *digests; /* of programs that verify */
};

/* Shared by all. */
static struct batch {
	u32 at; /* program that is loaded */
	bool *verified;
	struct side sides[2];
} *batch;

static const char *const names[] = { "interpreted", "compiled" };

struct job {
	u64 seed;
	u32 nr;
	const struct progen *p; /* instead of what the (one) seed gives */
	bool record, print;
};

static void *shared(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED) {
		perror("fuzz_jit: mmap");
		exit(2);
	}
	return mem;
}

static void new_batch(void)
{
	batch = shared(sizeof(*batch));
	batch->verified = shared(opt.batch * sizeof(bool));
	for (u32 i = 0; i < 2; i++)
		batch->sides[i].digests = shared(opt.batch * sizeof(u64));
}

static pid_t new_process(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fuzz_jit: fork");
		exit(2);
	}
	return pid;
}

/* 0, or what waitpid() says of how it has died. */
static int end_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) == pid)
		return status;
	perror("fuzz_jit: waitpid");
	exit(2);
}

/* --- one side ------------------------------------------------------------------------------ */

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

/* In place of a compiler that is wrong. */
static void sabotage(struct bpf_prog *prog)
{
	for (u32 i = prog->len - 1; i; i--) {
		struct bpf_insn *insn = &prog->insns[i];

		if (insn->code == (BPF_ALU64 | BPF_ADD | BPF_X) ||
		    insn->code == (BPF_ALU64 | BPF_XOR | BPF_X)) {
			insn->code = BPF_ALU64 | BPF_SUB | BPF_X;
			return;
		}
	}
}

static void must(int err, const char *what, u64 seed)
{
	if (!err)
		return;
	fprintf(stderr, "fuzz_jit: seed %llu: %s: %s\n", seed, what, strerror(-err));
	_exit(2);
}

static void run_program(struct side *side, struct bpf_prog *prog, const struct job *job)
{
	u64 seed = job->seed + side->at;

	if (side == &batch->sides[COMPILED]) {
		if (opt.sabotage)
			sabotage(prog);
		must(life_compile(prog), "does not compile", seed);
	}
	events_begin(job->record ? &side->log : NULL);
	for (u64 run = 0; run < opt.runs; run++) {
		happens("run", run, 0);
		side->stopped += life_run(prog, seed, run);
		side->runs++;
	}
	side->digests[side->at] = events_digest();
}

/* Nothing is freed: all of it ends with the process. */
static void run_side(struct side *side, struct bpf_prog **progs, const struct job *job)
{
	side->runs = side->stopped = side->log.nr = 0;
	if (side == &batch->sides[COMPILED])
		must(life_compiled(), "there is no compiler", job->seed);
	for (side->at = 0; side->at < job->nr; side->at++)
		if (progs[side->at])
			run_program(side, progs[side->at], job);
	side->heap = life_heap_digest();
	fflush(stdout);
	_exit(0);
}

/* --- a batch --------------------------------------------------------------------------------- */

static void generate(struct progen *p, u64 seed)
{
	progen(p, seed, PROGEN_MORE | (life_in_task(seed) ? PROGEN_PLAIN : 0) |
			(life_may_sleep(seed) ? PROGEN_SLEEPABLE : 0));
}

static struct bpf_prog *load(const struct job *job)
{
	static struct progen p;
	u64 seed = job->seed + batch->at;
	struct bpf_prog *prog;
	int err;

	if (job->p)
		p = *job->p;
	else
		generate(&p, seed);
	prog = life_load(&p, seed, job->print, &err);
	must(err, "does not load", seed);
	if (job->print && prog)
		print_program(prog);
	else if (job->print)
		printf("%s", life_log());
	return prog;
}

static void say_dead(const char *what, u64 seed, int status)
{
	printf("seed %llu: the process that has it %s ends with %s %d\n", seed, what,
	       WIFSIGNALED(status) ? "signal" : "status",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* One side after the other: maps that can be mapped are the same memory in all processes. */
static void do_job(const struct job *job)
{
	struct bpf_prog **progs = calloc(job->nr, sizeof(*progs));

	batch->sides[0].died = batch->sides[1].died = false;
	life_begin();
	for (batch->at = 0; batch->at < job->nr; batch->at++) {
		progs[batch->at] = load(job);
		batch->verified[batch->at] = progs[batch->at];
	}
	for (u32 i = 0; i < 2; i++) {
		pid_t pid = new_process();
		int status;

		if (!pid)
			run_side(&batch->sides[i], progs, job);
		status = end_of(pid);
		batch->sides[i].died = status;
		if (status)
			say_dead(names[i], job->seed + batch->sides[i].at, status);
	}
	fflush(stdout);
	_exit(batch->sides[0].died || batch->sides[1].died);
}

/* False: a process has died. */
static bool do_batch(const struct job *job)
{
	pid_t pid = new_process();
	int status;

	if (!pid) {
		/* who interrupts means the first process */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		do_job(job);
	}
	status = end_of(pid);
	if (status && batch->at < job->nr)
		say_dead("verified", job->seed + batch->at, status);
	return !status;
}

static bool same(u32 i)
{
	return batch->sides[0].digests[i] == batch->sides[1].digests[i];
}

static bool same_heap(void)
{
	return batch->sides[0].heap == batch->sides[1].heap;
}

/* --- a difference ------------------------------------------------------------------------------- */

static bool differs(const struct progen *p, u64 seed, bool record)
{
	struct job job = { .seed = seed, .nr = 1, .p = p, .record = record };

	return !do_batch(&job) || (batch->verified[0] && !same(0)) || !same_heap();
}

/* It verifies, and they do something else with it. */
static bool still_differs(const struct progen *p, void *seed)
{
	struct job job = { .seed = *(u64 *)seed, .nr = 1, .p = p };

	return !do_batch(&job) || (batch->verified[0] && !same(0));
}

static void show_event(const char *who, const struct event *e)
{
	printf("  %s: %s 0x%llx 0x%llx\n", who, e->what, e->a, e->b);
}

static void show_events(void)
{
	const struct side *a = &batch->sides[0], *b = &batch->sides[1];
	u32 i = 0;

	while (i < a->log.nr && i < b->log.nr &&
	       !memcmp(&a->log.events[i], &b->log.events[i], sizeof(struct event)))
		i++;
	if (i == a->log.nr && i == b->log.nr) {
		printf("  the first %u things that happen are the same; digests 0x%llx and 0x%llx, of the kernel heap 0x%llx and 0x%llx\n",
		       i, a->digests[0], b->digests[0], a->heap, b->heap);
		return;
	}
	for (u32 j = i > SHOWN_EVENTS ? i - SHOWN_EVENTS : 0; j < i; j++)
		show_event("both", &a->log.events[j]);
	if (i < a->log.nr)
		show_event(names[0], &a->log.events[i]);
	if (i < b->log.nr)
		show_event(names[1], &b->log.events[i]);
}

static void show(u64 seed)
{
	struct progen p;
	struct job job = { .seed = seed, .nr = 1, .p = &p, .record = true, .print = true };

	generate(&p, seed);
	if (!differs(&p, seed, false)) {
		printf("seed %llu: differs, but only after those before it\n", seed);
		return;
	}
	if (opt.minimise)
		minimise(&p, still_differs, &seed);
	printf("seed %llu: differs\n", seed);
	do_batch(&job);
	show_events();
}

static void print_one(void)
{
	struct job job = { .seed = opt.seed, .nr = 1, .record = true, .print = true };

	if (!do_batch(&job) || !batch->verified[0])
		return;
	for (u32 i = 0; i < batch->sides[0].log.nr; i++)
		show_event("happens", &batch->sides[0].log.events[i]);
}

/* --- many ---------------------------------------------------------------------------------------- */

static void compare(u64 seed, u32 nr)
{
	bool any = false;

	count.runs += batch->sides[0].runs;
	count.stopped += batch->sides[0].stopped;
	for (u32 i = 0; i < nr; i++) {
		count.programs++;
		count.verified += batch->verified[i];
		if (!batch->verified[i] || same(i))
			continue;
		any = true;
		if (count.differ++ < opt.max_shown)
			show(seed + i);
	}
	if (!any && !same_heap()) {
		count.differ++;
		printf("seeds %llu to %llu: the kernel heap differs at the end\n", seed,
		       seed + nr - 1);
	}
}

/* What ran when it died, if it ran. */
static void show_dead(u64 seed)
{
	for (u32 i = 0; i < 2; i++) {
		if (!batch->sides[i].died)
			continue;
		show(seed + batch->sides[i].at);
		return;
	}
}

static void run_batches(void)
{
	struct job job = { .seed = opt.seed, .nr = (u32)opt.batch };

	for (; count.verified < opt.count && !interrupted; job.seed += job.nr) {
		if (!do_batch(&job)) {
			/* the rest must wait */
			count.differ++;
			show_dead(job.seed);
			return;
		}
		compare(job.seed, job.nr);
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r%llu verified, %llu differ ", count.verified, count.differ);
	}
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

/* Each program that is loaded is an open file. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void interrupt(int signal)
{
	interrupted = 1;
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
	raise_limit();
	new_batch();
	life_start("fuzz_jit");
	signal(SIGINT, interrupt);
	signal(SIGTERM, interrupt);
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
