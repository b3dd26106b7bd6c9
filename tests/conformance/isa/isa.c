// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: isa [--table] [--group NAME] [--max-shown N]
 *	--table	a line per conformance group: vectors, and what each engine made of them
 *
 * A vector is one instruction on one set of operands; of undefined instructions, one
 * that must be rejected. Exit status: 0; 1 usage; 2 cannot run; 3 somebody is wrong.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa.h"

static const struct group {
	const char *name;
	void (*vectors[4])(void);
} groups[] = {
	{ "base32", { alu_base32, jump_base32, memory_base32, call_base32 } },
	{ "base64", { alu_base64, jump_base64, memory_base64 } },
	{ "divmul32", { alu_divmul32 } },
	{ "divmul64", { alu_divmul64 } },
	{ "atomic32", { atomic32 } },
	{ "atomic64", { atomic64 } },
	{ "packet", { packet } },
	{ "Linux", { linux_extensions } }, /* not in the RFC */
	{ "undefined", { undefined } },
};

static struct {
	bool table;
	const char *group;
	u64 max_shown;
} opt = { .max_shown = 10 };

/* By engine, of the group in progress. */
static u64 vectors[ISA_ENGINES], wrong[ISA_ENGINES];

void isa_count(const struct isa_engine *e, u64 n)
{
	vectors[e - isa_engines] += n;
}

void isa_wrong(const struct isa_engine *e, const char *fmt, ...)
{
	va_list args;

	if (wrong[e - isa_engines]++ >= opt.max_shown)
		return;
	printf("%s: ", e->name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

/* --- operands -------------------------------------------------------------------------- */

const s32 isa_imms[] = {
	0, 1, 2, 3, 5, 7, 8, 10, 16, 31, 32, 63, 64, 100, 126, 127, 128, 129, 255, 256, 0x7fff,
	0x8000, 0xffff, 0x10000, 0x7ffffffe, 0x7fffffff, (s32)0x80000000, (s32)0x80000001,
	(s32)0xaaaaaaaa, -1, -2, -3, -64, -127, -128, -129, -130, -0x8000, -0x8001,
};
const u32 isa_nr_imms = ARRAY_SIZE(isa_imms);

static const u64 values[] = {
	0, 1, 2, 7, 31, 32, 63, 64, 0x80, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
	0xffffffff80000000, 0x7fffffffffffffff, 0x8000000000000000, -2ULL, -1ULL,
	0x0123456789abcdef, 0xfedcba9876543210,
};

/* Registers differ from each other and from operands. */
static u64 background(u32 reg)
{
	return 0x1111111111111111ULL * (reg + 1) ^ 0x00c0ffee00c0ffeeULL;
}

static u32 nr_runs(const struct isa_prog *p)
{
	for (u32 i = 0; i < p->nr_steps; i++)
		if (p->steps[i].dst != NO_OPERAND && p->steps[i].src != NO_OPERAND)
			return ARRAY_SIZE(values) * ARRAY_SIZE(values);
	for (u32 i = 0; i < p->nr_steps; i++)
		if (p->steps[i].dst != NO_OPERAND || p->steps[i].src != NO_OPERAND)
			return ARRAY_SIZE(values);
	return 1;
}

static struct isa_regs *regs_of(const struct isa_prog *p, struct isa_io *io)
{
	return p->type == ISA_SYSCALL ? io->regs : (struct isa_regs *)io->map;
}

static void fill(const struct isa_prog *p, struct isa_io *io, u32 run)
{
	struct isa_regs *regs = regs_of(p, io);
	u64 a = values[run % ARRAY_SIZE(values)];
	u64 b = values[run / ARRAY_SIZE(values) % ARRAY_SIZE(values)];

	memset(io->regs, 0, sizeof(io->regs));
	for (u32 i = 0; i < p->map_size; i++)
		io->map[i] = (u8)(i * 37 + (i >> 8) + run);
	for (u32 i = 0; i < p->nr_steps; i++) {
		const struct isa_step *s = &p->steps[i];

		for (u32 r = 0; r < ISA_REGS; r++)
			regs[i].in[r] = background(r);
		memset(regs[i].out, 0xee, sizeof(regs[i].out));
		if (s->src != NO_OPERAND)
			regs[i].in[s->src] = s->dst == NO_OPERAND ? a : b;
		if (s->dst != NO_OPERAND)
			regs[i].in[s->dst] = a;
	}
}

/* --- comparing -------------------------------------------------------------------------- */

static u64 operand(const struct isa_regs *regs, u8 reg)
{
	return reg == NO_OPERAND ? 0 : regs->in[reg];
}

/* Registers after the steps; false: somewhere something differs. */
static bool compare_regs(const struct isa_engine *e, const struct isa_prog *p,
			 const struct isa_regs *got, const struct isa_regs *want)
{
	for (u32 i = 0; i < p->nr_steps; i++) {
		const struct isa_step *s = &p->steps[i];

		for (u32 r = 0; r < ISA_REGS; r++) {
			if (got[i].out[r] == want[i].out[r])
				continue;
			isa_wrong(e, "%s with 0x%llx, 0x%llx: r%u = 0x%llx instead of 0x%llx",
				  s->what, operand(&want[i], s->dst), operand(&want[i], s->src), r,
				  got[i].out[r], want[i].out[r]);
			return false;
		}
	}
	return true;
}

static void compare(const struct isa_engine *e, const struct isa_prog *p, struct isa_io *got,
		    struct isa_io *want)
{
	if (!compare_regs(e, p, regs_of(p, got), regs_of(p, want)))
		return;
	if (got->ret != want->ret) {
		isa_wrong(e, "%s: r0 = 0x%x instead of 0x%x at the end", p->steps[0].what,
			  got->ret, want->ret);
		return;
	}
	for (u32 i = 0; i < p->map_size; i++) {
		if (got->map[i] == want->map[i])
			continue;
		isa_wrong(e, "'%s' to '%s': 0x%02x instead of 0x%02x at %d of the map",
			  p->steps[0].what, p->steps[p->nr_steps - 1].what, got->map[i],
			  want->map[i], (int)i - (int)p->map_size / 2);
		return;
	}
}

static void make_packet(u8 packet[ISA_PACKET])
{
	for (u32 i = 0; i < ISA_PACKET; i++)
		packet[i] = (u8)(i * 89 + 0x81);
}

static void run_engine(struct isa_engine *e, int fd, const struct isa_io *in, struct isa_io *want,
		       const u8 packet[ISA_PACKET])
{
	static struct isa_io got;
	int err;

	memcpy(got.regs, in->regs, sizeof(got.regs));
	memcpy(got.map, in->map, isa_prog.map_size);
	err = isa_run(e, fd, &isa_prog, &got, packet);
	isa_count(e, isa_prog.nr_steps);
	if (err)
		isa_wrong(e, "%s: does not run: %s", isa_prog.steps[0].what, strerror(-err));
	else
		compare(e, &isa_prog, &got, want);
}

static const char *last_line(char *log)
{
	char *line, *last = log, *next = log;

	while ((line = strsep(&next, "\n")))
		if (*line && strncmp(line, "processed ", 10))
			last = line;
	return last;
}

static void load_all(int fds[ISA_ENGINES])
{
	for (u32 i = 0; i < ISA_ENGINES; i++) {
		struct isa_engine *e = &isa_engines[i];

		fds[i] = e->why_not ? -1 : isa_load_prog(e, &isa_prog);
		if (e->why_not || fds[i] >= 0)
			continue;
		isa_count(e, 1);
		isa_wrong(e, "'%s' to '%s': does not load: %s: %s", isa_prog.steps[0].what,
			  isa_prog.steps[isa_prog.nr_steps - 1].what, strerror(-fds[i]),
			  last_line(isa_log));
	}
}

void isa_run_all(void)
{
	static struct isa_io in, want;
	u8 data[ISA_PACKET];
	int fds[ISA_ENGINES];

	make_packet(data);
	load_all(fds);
	for (u32 run = 0; run < nr_runs(&isa_prog); run++) {
		fill(&isa_prog, &in, run);
		memcpy(want.regs, in.regs, sizeof(want.regs));
		memcpy(want.map, in.map, isa_prog.map_size);
		isa_model(&isa_prog, &want, data);
		for (u32 i = 0; i < ISA_ENGINES; i++)
			if (fds[i] >= 0)
				run_engine(&isa_engines[i], fds[i], &in, &want, data);
	}
	for (u32 i = 0; i < ISA_ENGINES; i++)
		if (fds[i] >= 0)
			isa_engines[i].close(fds[i]);
}

/* --- the command --------------------------------------------------------------------------- */

static void print_group(const char *name)
{
	printf("%-12s %10llu", name, vectors[ISA_INTERPRETER]);
	for (u32 i = 0; i < ISA_ENGINES; i++) {
		if (isa_engines[i].why_not || !vectors[i])
			printf(" %14s", "-");
		else if (wrong[i])
			printf(" %8llu wrong", wrong[i]);
		else
			printf(" %14s", "ok");
	}
	printf("\n");
}

static void print_head(void)
{
	printf("%-12s %10s", "group", "vectors");
	for (u32 i = 0; i < ISA_ENGINES; i++)
		printf(" %14s", isa_engines[i].name);
	printf("\n");
}

static u64 run_group(const struct group *g)
{
	u64 sum = 0;

	memset(vectors, 0, sizeof(vectors));
	memset(wrong, 0, sizeof(wrong));
	for (u32 i = 0; i < ARRAY_SIZE(g->vectors) && g->vectors[i]; i++) {
		isa_set(ISA_SYSCALL, ISA_SMALL);
		g->vectors[i]();
		isa_flush();
	}
	if (opt.table)
		print_group(g->name);
	for (u32 i = 0; i < ISA_ENGINES; i++) {
		sum += wrong[i];
		if (wrong[i] && !opt.table)
			printf("%s: %s: %llu of %llu vectors wrong\n", g->name,
			       isa_engines[i].name, wrong[i], vectors[i]);
	}
	return sum;
}

static bool parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--table"))
			opt.table = true;
		else if (!strcmp(argv[i], "--group") && argv[i + 1])
			opt.group = argv[++i];
		else if (!strcmp(argv[i], "--max-shown") && argv[i + 1])
			opt.max_shown = strtoull(argv[++i], NULL, 0);
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	u64 sum = 0;
	bool found = false;

	if (!parse(argc, argv)) {
		fprintf(stderr, "usage: %s [--table] [--group NAME] [--max-shown N]\n", argv[0]);
		return 1;
	}
	isa_engines_init();
	if (opt.table)
		print_head();
	for (u32 i = 0; i < ARRAY_SIZE(groups); i++) {
		if (opt.group && strcmp(opt.group, groups[i].name))
			continue;
		found = true;
		sum += run_group(&groups[i]);
	}
	for (u32 i = 0; i < ISA_ENGINES; i++)
		if (isa_engines[i].why_not)
			printf("%s: %s\n", isa_engines[i].name, isa_engines[i].why_not);
	if (!found) {
		fprintf(stderr, "isa: there is no group '%s'\n", opt.group);
		return 1;
	}
	return sum ? 3 : 0;
}
