// SPDX-License-Identifier: GPL-2.0-only
/*
 * The experiments. What is short is done many times between two looks at the
 * clock. Of the samples the lower quartile counts: whatever disturbs only adds, and
 * the very fastest may owe that to luck.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "probes.h"

#define SAMPLES 201
#define BATCH 64 /* of one sample */
#define SWITCH_YIELDS 100 /* of one sample */
#define HANDOFFS 32 /* there and back, of one sample */
#define FEW 20 /* fewer samples than this say nothing */
#define LET_RUN 4
#define SETTLE_NS (100 * NSEC_PER_USEC) /* until somebody else waits again */
#define BUSY_NS (5 * NSEC_PER_MSEC)
#define TICKS_NS (250 * NSEC_PER_MSEC)
#define TIMER_NS (20 * NSEC_PER_USEC)
#define FAR_NS (1000 * NSEC_PER_SEC)
#define PATIENCE_NS (2 * NSEC_PER_MSEC)

static const struct probe_ops *ops;
static s64 clock_ps; /* of one look at the clock */

/* --- samples ---------------------------------------------------------------------- */

struct samples {
	s64 ps[SAMPLES];
	u32 nr;
};

static void add_sample(struct samples *s, u64 ns, u32 batch)
{
	if (s->nr < SAMPLES)
		s->ps[s->nr++] = max(((s64)ns * 1000 - clock_ps) / (s64)batch, (s64)0);
}

static int by_size(const void *a, const void *b)
{
	s64 x = *(const s64 *)a, y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

static s64 quartile(struct samples *s)
{
	if (s->nr < FEW)
		return PROBE_NONE;
	qsort(s->ps, s->nr, sizeof(s->ps[0]), by_size);
	return s->ps[s->nr / 4];
}

/* Of one call of @fn. */
static s64 each(void (*fn)(void))
{
	struct samples s = {};

	while (s.nr < SAMPLES) {
		u64 start = ops->clock();

		for (u32 i = 0; i < BATCH; i++)
			fn();
		add_sample(&s, ops->clock() - start, BATCH);
	}
	return quartile(&s);
}

static void look_at_clock(void)
{
	ops->clock();
}

static void spin_until(u64 when)
{
	while (ops->clock() < when)
		ops->relax();
}

static bool read_flag(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set_flag(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

static u32 word_value(const struct probe_word *word)
{
	return __atomic_load_n(&word->value, __ATOMIC_ACQUIRE);
}

/* --- calls ---------------------------------------------------------------------------- */

static struct probe_word nobody;

static void wake_nobody(void)
{
	ops->wake(&nobody);
}

static void arm_far(void)
{
	ops->arm(ops->clock() + FAR_NS);
}

static void files(struct probe_figures *f)
{
	struct samples opens = {}, reads = {};

	for (u32 i = 0; i < SAMPLES; i++) {
		u64 start = ops->clock(), opened;
		int fd = ops->open();

		opened = ops->clock();
		if (fd < 0)
			break;
		add_sample(&opens, opened - start, 1);
		start = ops->clock();
		ops->read(fd);
		add_sample(&reads, ops->clock() - start, 1);
		ops->close(fd);
	}
	f->ps[PROBE_OPEN] = quartile(&opens);
	f->ps[PROBE_READ] = quartile(&reads);
}

static void forks(struct probe_figures *f)
{
	struct samples made = {}, lived = {};

	for (u32 i = 0; i < SAMPLES; i++) {
		u64 start = ops->clock(), there;

		if (!ops->fork())
			break;
		there = ops->clock();
		ops->reap();
		add_sample(&lived, ops->clock() - start, 1);
		add_sample(&made, there - start, 1);
	}
	f->ps[PROBE_FORK] = quartile(&made);
	f->ps[PROBE_LIFE] = quartile(&lived);
}

/* --- two tasks on a CPU ------------------------------------------------------------------ */

/* What two threads of an experiment share. */
static struct {
	struct probe_word to, back;
	bool stop, there;
	u64 yields, when;
	s64 yield_ps;
	struct samples samples;
} pair;

static void run_pair(void (*one)(void *), void (*other)(void *), u32 cpu)
{
	struct probe_thread threads[2] = {
		{ .fn = other, .cpu = cpu, .policy = SCHED_BATCH },
		{ .fn = one, .cpu = cpu, .policy = SCHED_BATCH },
	};

	if (!ops->start(&threads[0]))
		return;
	if (ops->start(&threads[1]))
		ops->join(&threads[1]);
	set_flag(&pair.stop, true);
	ops->wake(&pair.to);
	ops->join(&threads[0]);
}

static void yielder(void *arg)
{
	while (!read_flag(&pair.stop)) {
		pair.yields++;
		ops->yield();
	}
}

static void yield_timer(void *arg)
{
	for (u32 i = 0; i < SAMPLES; i++) {
		u64 switches = ops->switches(), yields = pair.yields, start = ops->clock(), took;

		for (u32 k = 0; k < SWITCH_YIELDS; k++)
			ops->yield();
		took = ops->clock() - start;
		switches = 2 * (ops->switches() - switches); /* and back */
		yields = pair.yields - yields + SWITCH_YIELDS;
		if (switches >= SWITCH_YIELDS && pair.samples.nr < SAMPLES)
			pair.samples.ps[pair.samples.nr++] =
				((s64)took * 1000 - (s64)yields * pair.yield_ps) / (s64)switches;
	}
	set_flag(&pair.stop, true);
}

static s64 switching(s64 yield_ps, u32 cpu)
{
	memset(&pair, 0, sizeof(pair));
	pair.yield_ps = yield_ps;
	run_pair(yield_timer, yielder, cpu);
	return quartile(&pair.samples);
}

static void answerer(void *arg)
{
	for (;;) {
		ops->wait(&pair.to, word_value(&pair.back));
		if (read_flag(&pair.stop))
			return;
		ops->wake(&pair.back);
	}
}

static void asker(void *arg)
{
	for (u32 i = 0; i < SAMPLES; i++) {
		u64 start = ops->clock();

		for (u32 k = 0; k < HANDOFFS; k++) {
			ops->wake(&pair.to);
			ops->wait(&pair.back, word_value(&pair.to) - 1);
		}
		add_sample(&pair.samples, ops->clock() - start, 2 * HANDOFFS);
	}
}

static s64 handing_off(u32 cpu)
{
	memset(&pair, 0, sizeof(pair));
	run_pair(asker, answerer, cpu);
	return quartile(&pair.samples);
}

/* Waits, and notes when it was woken. */
static void sleeper(void *arg)
{
	u32 value = 0;

	for (;;) {
		ops->wait(&pair.to, value);
		pair.when = ops->clock();
		value = word_value(&pair.to);
		if (read_flag(&pair.stop))
			return;
		set_flag(&pair.there, true);
	}
}

static s64 waking(u32 cpu)
{
	struct probe_thread thread = { .fn = sleeper, .cpu = cpu, .policy = SCHED_BATCH };

	memset(&pair, 0, sizeof(pair));
	if (!ops->start(&thread))
		return PROBE_NONE;
	for (u32 i = 0; i < 2 * SAMPLES; i++) {
		u64 start;
		u32 woken;

		/* it runs, and waits; asleep itself, the CPU would forget what it knows */
		for (u32 k = 0; k < LET_RUN; k++)
			ops->yield();
		start = ops->clock();
		woken = ops->wake(&pair.to);
		if (woken)
			add_sample(&pair.samples, ops->clock() - start, 1);
	}
	set_flag(&pair.stop, true);
	ops->wake(&pair.to);
	ops->join(&thread);
	return quartile(&pair.samples);
}

/* --- interrupts ------------------------------------------------------------------------- */

/* The longest time between two looks at the clock, until @end; ps beyond a usual one. */
static u64 longest_gap(u64 end)
{
	u64 last = ops->clock(), longest = 0, shortest = ~0ULL;

	while (last < end) {
		u64 now;

		ops->relax();
		now = ops->clock();
		longest = max(longest, now - last);
		shortest = min(shortest, now - last);
		last = now;
	}
	return longest - min(shortest, longest);
}

static s64 timer_gap(void)
{
	struct samples s = {};

	for (u32 i = 0; i < SAMPLES; i++) {
		u64 when = ops->clock() + TIMER_NS;

		ops->arm(when);
		spin_until(when - TIMER_NS / 4);
		s.ps[s.nr++] = (s64)longest_gap(when + TIMER_NS / 2) * 1000;
	}
	return quartile(&s);
}

/* Ticks come every 1 to 10 ms: whatever interrupts a slice of a millisecond most. */
static s64 tick_gap(s64 timer_ps)
{
	u64 end = ops->clock() + TICKS_NS;
	struct samples s = {};

	while (ops->clock() < end && s.nr < SAMPLES) {
		s64 gap = (s64)longest_gap(ops->clock() + NSEC_PER_MSEC) * 1000;

		/* more than a bare interrupt: a tick was in it */
		if (gap > timer_ps)
			s.ps[s.nr++] = gap;
	}
	return quartile(&s);
}

/* --- two CPUs ----------------------------------------------------------------------------- */

static void spinner(void *arg)
{
	while (!read_flag(&pair.stop))
		ops->compute(BUSY_NS);
}

/* Of the samples of the call (pair.samples) and those until the woken task ran. */
static void wake_remote(struct samples *ran)
{
	for (u32 i = 0; i < SAMPLES / 2; i++) {
		u64 start, back;
		u32 woken;

		spin_until(ops->clock() + SETTLE_NS);
		set_flag(&pair.there, false);
		start = ops->clock();
		woken = ops->wake(&pair.to);
		back = ops->clock();
		while (!read_flag(&pair.there) && ops->clock() < back + PATIENCE_NS)
			ops->relax();
		if (!woken || !read_flag(&pair.there))
			continue;
		add_sample(&pair.samples, back - start, 1);
		add_sample(ran, pair.when - start, 1);
	}
}

static void remote(struct probe_figures *f, u32 cpu)
{
	struct probe_thread busy = { .fn = spinner, .cpu = cpu, .policy = SCHED_IDLE };
	struct probe_thread woken = { .fn = sleeper, .cpu = cpu, .policy = SCHED_NORMAL };
	struct samples ran = {};

	memset(&pair, 0, sizeof(pair));
	if (!ops->start(&woken))
		return;
	if (ops->start(&busy)) {
		wake_remote(&ran);
		set_flag(&pair.stop, true);
		ops->join(&busy);
	}
	set_flag(&pair.stop, true);
	ops->wake(&pair.to);
	ops->join(&woken);
	f->ps[PROBE_WAKE_REMOTE] = quartile(&pair.samples);
	f->ps[PROBE_REMOTE] = quartile(&ran);
}

/* A CPU at that distance of @cpu that we may use; -1: there is none. */
static s32 cpu_at(u32 cpu, enum cpu_distance distance)
{
	const struct topology *topo = ops->topology;

	for (u32 i = 0; i < topo->nr_cpus; i++)
		if (ops->may_use(i) && cpu_distance(&topo->cpu[cpu], &topo->cpu[i]) == distance)
			return (s32)i;
	return -1;
}

/* --- all of it ---------------------------------------------------------------------------- */

/* The first that has another one in its last-level cache, or else the first. */
s32 probe_cpu(const struct probe_ops *the_ops)
{
	s32 first = -1;

	ops = the_ops;
	for (u32 i = 0; i < ops->topology->nr_cpus; i++) {
		if (!ops->may_use(i))
			continue;
		if (first < 0)
			first = (s32)i;
		if (cpu_at(i, DIST_LLC) >= 0)
			return (s32)i;
	}
	return first;
}

void probes_run(const struct probe_ops *the_ops, struct probe_figures *f)
{
	u32 cpu = (u32)probe_cpu(the_ops);
	s32 other;

	for (u32 i = 0; i < NR_PROBES; i++)
		f->ps[i] = PROBE_NONE;
	clock_ps = 0;
	clock_ps = each(look_at_clock);
	f->ps[PROBE_LOCK] = each(ops->locked);
	f->ps[PROBE_SYSCALL] = each(ops->null_call);
	f->ps[PROBE_YIELD] = each(ops->yield);
	f->ps[PROBE_SWITCH] = switching(f->ps[PROBE_YIELD], cpu);
	f->ps[PROBE_WAKE_NONE] = each(wake_nobody);
	f->ps[PROBE_WAKE] = waking(cpu);
	f->ps[PROBE_HANDOFF] = handing_off(cpu);
	f->ps[PROBE_ARM] = each(arm_far) - clock_ps;
	f->ps[PROBE_TIMER] = timer_gap();
	f->ps[PROBE_TICK] = tick_gap(f->ps[PROBE_TIMER]);
	files(f);
	forks(f);
	for (u32 d = DIST_SMT; d < NR_DISTANCES; d++) {
		other = cpu_at(cpu, (enum cpu_distance)d);
		if (other >= 0)
			f->ps[PROBE_LINE + d] = ops->line(cpu, (u32)other);
	}
	other = cpu_at(cpu, DIST_LLC);
	if (other >= 0)
		remote(f, (u32)other);
}
