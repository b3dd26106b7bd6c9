// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that progen.c makes up, for two questions:
 *
 *	Is what verifies safe? It runs in the checked interpreter on random maps
 *	and packets; whatever the checks stop there is a hole in the verifier.
 *
 *	Is the verdict that of this host's kernel (--host, root)? And are its
 *	results on the same input?
 *
 *	Does it verify without pruning as well (--unpruned)? Otherwise a path was left
 *	out that another does not cover.
 *
 * usage: fuzz_verifier [--host] [--unpruned] [--seed N] [--count N] [--runs N] [--print]
 *			[--max-shown N] [--corpus DIR] [--minimise]
 *			[--ranges]
 *	--seed	the first program (default 1); the next ones count up
 *	--count	programs (default 1000)
 *	--runs	of each that verifies, on different inputs (default 10)
 *	--print	the program, and both logs
 *	--ranges	runs them with checks of what the verifier knows of numbers
 *	--minimise	leaves of the program at --seed what the host disagrees about, and
 *		shows both logs of it
 *	--corpus	writes each program that verifies as an input of fuzz_load
 *
 * Exit status: 0; 1 usage; 2 cannot run; 3 a program that verified was stopped, or we
 * accept what the host's kernel rejects, or results differ, or it hangs on pruning.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../machine.h"
#include "load_input.h"
#include "minimise.h"
#include "options.h"
#include "progen.h"
#include "ranges.h"

#define LOG_SIZE (1 << 20)

/* One of the two that are asked. */
struct side {
	const char *name;
	long (*bpf)(int cmd, union bpf_attr *attr);
	void (*close)(int fd);
	int maps[PROGEN_MAPS];
	char *log;
};

static struct {
	bool host, print, unpruned, minimise, ranges;
	const char *corpus;
	u64 seed, count, runs, max_shown;
} opt = { .seed = 1, .count = 1000, .runs = 10, .max_shown = 10 };

static struct {
	u64 programs, accepted, runs, trips, ours_only, host_only, results, pruned_only, too_large, long_runs,
	itself, checked, checks;
} count;

static u64 faults;
static char fault[544];

/* --- the machine ----------------------------------------------------------------------- */

static void count_fault(const struct bpf_fault *f)
{
	faults++;
	snprintf(fault, sizeof(fault), "%s", f->message);
}

static long host_bpf(int cmd, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

static void host_close(int fd)
{
	close(fd);
}

static struct side ours = { .name = "vruntime", .bpf = machine_bpf, .close = machine_close };
static struct side host = { .name = "host", .bpf = host_bpf, .close = host_close };

static int new_map(struct side *s, enum bpf_map_type type, u32 value_size)
{
	union bpf_attr attr = { .map_type = type, .key_size = 4, .value_size = value_size,
				.max_entries = PROGEN_ARRAY_ENTRIES };
	int fd;

	if (type == BPF_MAP_TYPE_RINGBUF) {
		attr.key_size = 0;
		attr.max_entries = PROGEN_RINGBUF_SIZE;
	}
	fd = (int)s->bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0) {
		fprintf(stderr, "fuzz_verifier: %s makes no map: %s\n", s->name, strerror(-fd));
		exit(2);
	}
	return fd;
}

static void side_init(struct side *s)
{
	s->log = malloc(LOG_SIZE);
	s->maps[PROGEN_ARRAY] = new_map(s, BPF_MAP_TYPE_ARRAY, PROGEN_ARRAY_VALUE);
	s->maps[PROGEN_HASH] = new_map(s, BPF_MAP_TYPE_HASH, PROGEN_HASH_VALUE);
	s->maps[PROGEN_RINGBUF] = new_map(s, BPF_MAP_TYPE_RINGBUF, 0);
}

/* --- a program -------------------------------------------------------------------------- */

static int load_program(struct side *s, const struct progen *program, u32 log_level)
{
	static struct progen p;
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS, .log_level = log_level };

	p = *program;
	progen_set_maps(&p, s->maps);
	attr.insns = (u64)p.insns;
	attr.insn_cnt = p.len;
	attr.license = (u64) "GPL";
	attr.log_buf = log_level ? (u64)s->log : 0;
	attr.log_size = log_level ? LOG_SIZE : 0;
	s->log[0] = '\0';
	return (int)s->bpf(BPF_PROG_LOAD, &attr);
}

static int load(struct side *s, u64 seed, u32 log_level)
{
	static struct progen p;

	progen(&p, seed, 0);
	return load_program(s, &p, log_level);
}

/* The last lines of a log that are not its statistics; "" where there are fewer. */
static void last_lines(char *log, const char *lines[3])
{
	char *line;

	lines[0] = lines[1] = lines[2] = "";
	while ((line = strsep(&log, "\n"))) {
		if (!*line || !strncmp(line, "processed ", 10))
			continue;
		lines[0] = lines[1];
		lines[1] = lines[2];
		lines[2] = line;
	}
}

static void show_reason(struct side *s, u64 seed)
{
	int fd = load(s, seed, 1);
	const char *lines[3];

	if (fd >= 0)
		s->close(fd);
	last_lines(s->log, lines);
	printf("    %s: %s\n    %s\n    %s\n", s->name, lines[0], lines[1], lines[2]);
}

struct input {
	u8 array[PROGEN_ARRAY_ENTRIES][PROGEN_ARRAY_VALUE];
	u8 hash[PROGEN_ARRAY_ENTRIES][PROGEN_HASH_VALUE];
	u8 packet[PROGEN_PACKET];
};

struct output {
	u32 retval;
	struct input after;
};

static void fill(u8 *p, size_t size, struct rng *rng)
{
	/* bytes at the edges are as likely as any others */
	static const u8 edges[] = { 0, 0, 0, 1, 0x7f, 0x80, 0xff, 0xff };

	for (size_t i = 0; i < size; i++) {
		u64 r = rng_next(rng);

		p[i] = r & 1 ? edges[r >> 8 & 7] : (u8)(r >> 16);
	}
}

static void update(struct side *s, int map, u32 key, void *value)
{
	union bpf_attr attr = { .map_fd = (u32)s->maps[map], .key = (u64)&key,
				.value = (u64)value };

	s->bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

static void lookup(struct side *s, int map, u32 key, void *value)
{
	union bpf_attr attr = { .map_fd = (u32)s->maps[map], .key = (u64)&key,
				.value = (u64)value };

	s->bpf(BPF_MAP_LOOKUP_ELEM, &attr);
}

static void run(struct side *s, int fd, const struct input *in, struct output *out)
{
	u8 data[PROGEN_PACKET * 2];
	union bpf_attr attr = {};

	*out = (struct output){ .after = *in };
	for (u32 i = 0; i < PROGEN_ARRAY_ENTRIES; i++) {
		update(s, PROGEN_ARRAY, i, out->after.array[i]);
		update(s, PROGEN_HASH, i, out->after.hash[i]);
	}
	attr.test.prog_fd = (u32)fd;
	attr.test.data_in = (u64)in->packet;
	attr.test.data_size_in = sizeof(in->packet);
	attr.test.data_out = (u64)data;
	attr.test.data_size_out = sizeof(data);
	if (s->bpf(BPF_PROG_TEST_RUN, &attr)) {
		out->retval = 0xdeadbeef;
		return;
	}
	out->retval = attr.test.retval;
	memcpy(out->after.packet, data, sizeof(out->after.packet));
	for (u32 i = 0; i < PROGEN_ARRAY_ENTRIES; i++) {
		lookup(s, PROGEN_ARRAY, i, out->after.array[i]);
		lookup(s, PROGEN_HASH, i, out->after.hash[i]);
	}
}

/* Does it ask for something that differs from kernel to kernel? */
static bool is_deterministic(u64 seed)
{
	static struct progen p;

	progen(&p, seed, 0);
	for (u32 i = 0; i < p.len; i++) {
		const struct bpf_insn *insn = &p.insns[i];

		/* (a ring buffer is full at some time, here earlier than there) */
		if (insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg &&
		    (insn->imm == BPF_FUNC_get_prandom_u32 || insn->imm == BPF_FUNC_ringbuf_reserve))
			return false;
		/* a time limit on the host */
		if (insn->code == (BPF_JMP | BPF_JCOND))
			return false;
		/* a pointer into a map is another number there, and so is what is made of it */
		if (insn->code == (BPF_STX | BPF_MEM | BPF_DW) && insn->dst_reg == 10)
			return false;
	}
	return true;
}

/* may_goto goes on for 8 million times: that it ends is known without waiting for it. */
static bool is_long(u64 seed)
{
	static struct progen p;

	if (!strstr(fault, "instructions without returning"))
		return false;
	progen(&p, seed, 0);
	for (u32 i = 0; i < p.len; i++)
		if (p.insns[i].code == (BPF_JMP | BPF_JCOND))
			return true;
	return false;
}

/*
 * Does it compare a register with itself? Linux learns nonsense from that before 6.19,
 * and follows the way that cannot be.
 */
static bool compares_itself(u64 seed)
{
	static struct progen p;

	progen(&p, seed, 0);
	for (u32 i = 0; i < p.len; i++) {
		const struct bpf_insn *insn = &p.insns[i];

		if ((BPF_CLASS(insn->code) == BPF_JMP || BPF_CLASS(insn->code) == BPF_JMP32) &&
		    BPF_SRC(insn->code) == BPF_X && BPF_OP(insn->code) != BPF_JA &&
		    insn->dst_reg == insn->src_reg)
			return true;
	}
	return false;
}

static void shown(u64 *n, u64 seed, const char *what)
{
	if ((*n)++ < opt.max_shown)
		printf("seed %llu: %s\n", seed, what);
}

static void run_all(u64 seed, int fd, int host_fd)
{
	bool compare = host_fd >= 0 && is_deterministic(seed);
	struct rng rng;

	rng_fork(&rng, seed, "input", 0);
	for (u64 i = 0; i < opt.runs; i++) {
		struct output a, b;
		struct input in;

		fill((u8 *)&in, sizeof(in), &rng);
		machine_random = (u32)rng_next(&rng);
		faults = 0;
		run(&ours, fd, &in, &a);
		count.runs++;
		if (faults && is_long(seed)) {
			count.long_runs++;
			continue;
		}
		if (faults) {
			shown(&count.trips, seed, fault);
			return;
		}
		if (!compare)
			continue;
		run(&host, host_fd, &in, &b);
		if (memcmp(&a, &b, sizeof(a))) {
			shown(&count.results, seed, "another result than on the host");
			printf("    run %llu: %u, on the host %u\n", i, a.retval, b.retval);
			return;
		}
	}
}

static void print_program(u64 seed)
{
	struct progen p;

	progen(&p, seed, 0);
	progen_print(&p);
	load(&ours, seed, 2);
	fprintf(stderr, "--- vruntime\n%s", ours.log);
	if (opt.host) {
		load(&host, seed, 2);
		fprintf(stderr, "--- host\n%s", host.log);
	}
}

/* @seed verifies. */
static void check_unpruned(u64 seed)
{
	int fd;

	machine.unpruned = true;
	fd = load(&ours, seed, 0);
	if (fd >= 0) {
		ours.close(fd);
	} else {
		load(&ours, seed, 1);
		if (strstr(ours.log, "BPF program is too large") || strstr(ours.log, "too complex")) {
			count.too_large++;
		} else {
			shown(&count.pruned_only, seed, "rejected without pruning");
			show_reason(&ours, seed);
		}
	}
	machine.unpruned = false;
}

/* @seed verifies: is what was known on the way true when it runs? */
static void check_ranges(u64 seed)
{
	static struct progen p, checked;
	struct rng rng;
	int fd;
	u32 nr;

	ranges_reset();
	machine.unpruned = true;
	machine.verifier_state = ranges_record;
	fd = load(&ours, seed, 0);
	machine.verifier_state = NULL;
	machine.unpruned = false;
	if (fd < 0)
		return; /* too large without pruning */
	ours.close(fd);
	progen(&p, seed, 0);
	rng_fork(&rng, seed, "ranges", 0);
	nr = ranges_check(&p, &checked, &rng);
	if (!nr)
		return;
	machine.unverified = true;
	fd = load_program(&ours, &checked, 0);
	machine.unverified = false;
	if (fd < 0)
		return; /* it has become too long for a jump */
	count.checked++;
	count.checks += nr;
	run_all(seed, fd, -1);
	ours.close(fd);
}

static void write_corpus(u64 seed)
{
	static struct progen p;
	struct load_head head = { .prog_type = BPF_PROG_TYPE_SCHED_CLS, .options = LOAD_GPL };
	char path[4096];
	FILE *f;

	progen(&p, seed, 0);
	head.insns = (u16)p.len;
	snprintf(path, sizeof(path), "%s/progen-%llu", opt.corpus, seed);
	f = fopen(path, "wb");
	if (!f || fwrite(&head, sizeof(head), 1, f) != 1 ||
	    fwrite(p.insns, sizeof(*p.insns), p.len, f) != p.len || fclose(f)) {
		perror(path);
		exit(2);
	}
}

static void one(u64 seed)
{
	int fd = load(&ours, seed, 0), host_fd = opt.host ? load(&host, seed, 0) : -1;

	count.programs++;
	count.accepted += fd >= 0;
	if (opt.host && (fd >= 0) != (host_fd >= 0)) {
		u64 *n = compares_itself(seed) ? &count.itself :
			 fd >= 0		? &count.ours_only : &count.host_only;
		bool show = *n < opt.max_shown;

		shown(n, seed, fd >= 0 ? "accepted, and rejected by the host" :
					 "rejected, and accepted by the host");
		if (show)
			show_reason(fd >= 0 ? &host : &ours, seed);
	}
	if (opt.print)
		print_program(seed);
	if (fd >= 0) {
		if (opt.unpruned)
			check_unpruned(seed);
		if (opt.ranges)
			check_ranges(seed);
		if (opt.corpus)
			write_corpus(seed);
		run_all(seed, fd, host_fd);
		ours.close(fd);
	}
	if (host_fd >= 0)
		host.close(host_fd);
}

/* --- a smaller one ---------------------------------------------------------------------- */

#define REASON_SIZE 256

/* What both say of @p: 1 only we accept it, -1 only the host; else 0. @reason: numbers left out. */
static int disagreement(const struct progen *p, char reason[REASON_SIZE])
{
	int fd = load_program(&ours, p, 0), host_fd = load_program(&host, p, 0);
	struct side *no = fd >= 0 ? &host : &ours;
	const char *lines[3];
	u32 n = 0;

	if (fd >= 0)
		ours.close(fd);
	if (host_fd >= 0)
		host.close(host_fd);
	if ((fd >= 0) == (host_fd >= 0))
		return 0;
	load_program(no, p, 1);
	last_lines(no->log, lines);
	for (const char *c = lines[2]; *c && n < REASON_SIZE - 1; c++)
		if (*c < '0' || *c > '9')
			reason[n++] = *c;
	reason[n] = '\0';
	return fd >= 0 ? 1 : -1;
}

struct disagreement {
	int kind;
	char reason[REASON_SIZE];
};

/* The same one, in the same words. */
static bool still_disagrees(const struct progen *p, void *arg)
{
	const struct disagreement *d = arg;
	char reason[REASON_SIZE];

	return disagreement(p, reason) == d->kind && !strcmp(reason, d->reason);
}

static void show_side(struct side *s, const struct progen *p, u32 log_level)
{
	int fd = load_program(s, p, log_level);

	if (fd >= 0)
		s->close(fd);
	printf("--- %s %s\n%s", s->name, fd >= 0 ? "accepts" : "rejects", s->log);
}

static int show_smaller(u64 seed)
{
	struct disagreement d;
	struct progen p;

	progen(&p, seed, 0);
	d.kind = disagreement(&p, d.reason);
	if (!d.kind) {
		printf("seed %llu: the host agrees\n", seed);
		return 0;
	}
	minimise(&p, still_disagrees, &d);
	printf("seed %llu: %s, %u instructions\n", seed,
	       d.kind > 0 ? "accepted, and rejected by the host" : "rejected, and accepted by the host",
	       p.len);
	show_side(&ours, &p, 2 | 4);
	show_side(&host, &p, 2 | 4);
	fflush(stdout);
	progen_print(&p);
	return 3;
}

/* --- the command ---------------------------------------------------------------------------- */

static bool number_option(const char *arg, const char *value)
{
	static const struct fuzz_number options[] = {
		{ "--seed", &opt.seed }, { "--count", &opt.count }, { "--runs", &opt.runs },
		{ "--max-shown", &opt.max_shown },
	};

	return fuzz_number_option(options, ARRAY_SIZE(options), arg, value);
}

static bool parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--host"))
			opt.host = true;
		else if (!strcmp(argv[i], "--print"))
			opt.print = true;
		else if (!strcmp(argv[i], "--unpruned"))
			opt.unpruned = true;
		else if (!strcmp(argv[i], "--ranges"))
			opt.ranges = true;
		else if (!strcmp(argv[i], "--minimise"))
			opt.minimise = opt.host = true;
		else if (!strcmp(argv[i], "--corpus") && argv[i + 1])
			opt.corpus = argv[++i];
		else if (number_option(argv[i], argv[i + 1]))
			i++;
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	if (!parse(argc, argv)) {
		fprintf(stderr, "usage: %s [--host] [--unpruned] [--seed N] [--count N] [--runs N]\n"
			"       [--print] [--max-shown N] [--corpus DIR] [--minimise] [--ranges]\n",
			argv[0]);
		return 1;
	}
	machine.fault = count_fault;
	machine.insn_budget = 100000;
	machine.const_keys_found = true; /* as of newer hosts */
	machine_start("fuzz_verifier");
	side_init(&ours);
	if (opt.host)
		side_init(&host);
	if (opt.minimise)
		return show_smaller(opt.seed);
	for (u64 i = 0; i < opt.count; i++)
		one(opt.seed + i);
	printf("programs %llu, accepted %llu, runs %llu (cut off in may_goto %llu), stopped %llu",
	       count.programs, count.accepted, count.runs, count.long_runs, count.trips);
	if (opt.host)
		printf("; the host disagrees: accepted here only %llu, there only %llu, results %llu; "
		       "on programs that compare a register with itself: %llu",
		       count.ours_only, count.host_only, count.results, count.itself);
	if (opt.ranges)
		printf("; %llu with %llu checks of numbers", count.checked, count.checks);
	if (opt.unpruned)
		printf("; without pruning: rejected %llu, too large %llu", count.pruned_only,
		       count.too_large);
	printf("\n");
	free(ours.log);
	free(host.log);
	bpf_exit();
	return count.trips || count.ours_only || count.results || count.pruned_only ? 3 : 0;
}
