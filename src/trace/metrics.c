// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metrics from the event stream: a small model of every task (off, waiting,
 * running) and CPU, moved by the records. docs/metrics.md defines each figure.
 *
 * State is followed from the first record on, so that it is right when the
 * window begins; figures are recorded inside the window only. A stretch that
 * ends in the window counts whole; runtime is cut to the window.
 *
 * The stream may be a real machine's that begins in the middle: a task that
 * was never announced belongs to "system" and is what the record says it is.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "internal.h"
#include "stream.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "records are hashed and written as they are in memory");
_Static_assert(sizeof(struct trace_record) == 32, "the format of a record");

#define NICE_0_WEIGHT 1024

struct metrics *metrics_new(const struct metrics_config *config)
{
	struct metrics *m = xcalloc(1, sizeof(*m));

	m->config = *config;
	metrics_window(m, config->start, ~0ULL);
	m->nr_groups = config->nr_groups + 1;
	m->groups = xcalloc(m->nr_groups, sizeof(*m->groups));
	for (u32 i = 0; i < config->nr_groups; i++)
		m->groups[i].name = config->group_names[i];
	m->groups[config->nr_groups].name = "system";
	m->total.name = "machine";
	m->cpus = xcalloc(config->nr_cpus, sizeof(*m->cpus));
	m->busy_since = xcalloc(config->nr_cpus, sizeof(*m->busy_since));
	for (u32 i = 0; i < config->nr_cpus; i++)
		m->busy_since[i] = CPU_IDLE;
	hash64_init(&m->hash, 0);
	return m;
}

static void free_group(struct metrics_group *g)
{
	for (u32 i = 0; i < NR_LATENCIES; i++)
		hist_free(&g->latency[i]);
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (u32 i = 0; i < m->nr_blocks; i++)
		free(m->blocks[i]);
	for (u32 i = 0; i < m->nr_groups; i++)
		free_group(&m->groups[i]);
	free_group(&m->total);
	free(m->blocks);
	free(m->groups);
	free(m->cpus);
	free(m->busy_since);
	free(m);
}

void metrics_window(struct metrics *m, u64 start, u64 end)
{
	m->config.start = start;
	m->end = end;
	m->span = end > start ? end - start : 0;
}

/* How much of [from, to) is inside the window. */
static u64 window_part(const struct metrics *m, u64 from, u64 to)
{
	from = max(from, m->config.start);
	to = min(to, m->end);
	return to > from ? to - from : 0;
}

/* --- tasks ------------------------------------------------------------------ */

static void grow_blocks(struct metrics *m, u32 nr)
{
	m->blocks = xreallocarray(m->blocks, nr, sizeof(*m->blocks));
	memset(m->blocks + m->nr_blocks, 0, (nr - m->nr_blocks) * sizeof(*m->blocks));
	m->nr_blocks = nr;
}

/* The first time that a record is about this task. */
static struct metrics_task *task_new(struct metrics *m, u32 pid)
{
	struct metrics_block **block;
	struct metrics_task *t;

	if (pid / METRICS_BLOCK >= m->nr_blocks)
		grow_blocks(m, max(2 * m->nr_blocks, pid / METRICS_BLOCK + 1));
	block = &m->blocks[pid / METRICS_BLOCK];
	if (!*block)
		*block = xcalloc_aligned(1, sizeof(**block));
	(*block)->nr++;
	t = &(*block)->tasks[pid % METRICS_BLOCK];
	*t = (struct metrics_task){ .group = &m->groups[m->config.nr_groups], .weight = NICE_0_WEIGHT,
				    .class = TRACE_CLASS_FAIR };
	return t;
}

static void task_forget(struct metrics *m, u32 pid)
{
	struct metrics_block **block = &m->blocks[pid / METRICS_BLOCK];

	(*block)->tasks[pid % METRICS_BLOCK].weight = 0;
	if (--(*block)->nr)
		return;
	free(*block);
	*block = NULL;
}

/* NULL for pids that are not followed: idle, and those out of range. */
static inline struct metrics_task *task_get(struct metrics *m, s64 pid)
{
	u64 i = (u64)pid / METRICS_BLOCK;

	if (likely(i < m->nr_blocks && m->blocks[i])) {
		struct metrics_task *t = &m->blocks[i]->tasks[(u64)pid % METRICS_BLOCK];

		if (likely(t->weight))
			return t;
	}
	return pid > 0 && pid < METRICS_MAX_PID ? task_new(m, (u32)pid) : NULL;
}

static void record_latency(const struct metrics_task *t, enum metrics_latency kind, u64 ns)
{
	hist_record(&t->group->latency[kind], ns);
}

/* Adds a task that is over to what its group remembers of tasks. */
static void fold_task(struct metrics *m, struct metrics_task *t)
{
	struct metrics_group *g = t->group;
	u64 x = t->runtime * NICE_0_WEIGHT / t->weight;

	if (!t->seen)
		return;
	g->nr_tasks++;
	g->sum += x;
	g->sum_squares += (unsigned __int128)x * x;
	t->runtime = 0;
	t->seen = false;
}

/* Stop and rt tasks and agents take what they want: they do not share. */
static bool shares_cpu(const struct metrics_task *t)
{
	return t->class == TRACE_CLASS_FAIR || t->class == TRACE_CLASS_EXT ||
	       t->class == TRACE_CLASS_GHOST;
}

static void join_lag(struct metrics *m, struct metrics_task *t, u64 now)
{
	if (!shares_cpu(t))
		return;
	lag_join(&m->lag, &t->lag, t->weight, now);
	t->ran = 0;
	if (t->phase == PHASE_RUNNING) {
		t->ran = t->since - now;
		lag_running(&m->lag, true, now);
	}
}

static void leave_lag(struct metrics *m, struct metrics_task *t, u64 now)
{
	if (!t->lag.joined)
		return;
	if (t->phase == PHASE_RUNNING)
		lag_running(&m->lag, false, now);
	lag_leave(&m->lag, &t->lag, now);
}

static void start_waiting(struct metrics *m, struct metrics_task *t, u64 now, bool woken)
{
	t->phase = PHASE_WAITING;
	t->since = now;
	t->woken = woken;
	t->seen |= m->inside;
	if (!t->lag.joined)
		join_lag(m, t, now);
}

static void record_wait(struct metrics_task *t, u64 now)
{
	u64 waited = now > t->since ? now - t->since : 0;

	t->seen = true;
	record_latency(t, t->woken ? LATENCY_WAKEUP : LATENCY_RUN_DELAY, waited);
}

/* A task that does not run. */
static void start_running(struct metrics *m, struct metrics_task *t, u64 now)
{
	if (t->phase == PHASE_WAITING && m->inside)
		record_wait(t, now);
	if (t->lag.joined) {
		s64 lag = lag_service(&m->lag, &t->lag, now) - (s64)t->ran;

		if (m->inside)
			record_latency(t, LATENCY_LAG, lag > 0 ? lag : 0);
		lag_running(&m->lag, true, now);
	}
	t->phase = PHASE_RUNNING;
	t->since = now;
	/* a stream that began in the middle did not show its wakeup */
	if (!t->lag.joined)
		join_lag(m, t, now);
}

/* A task that runs gives up its CPU and stays runnable, for the moment. */
static void stop_running(struct metrics *m, struct metrics_task *t, u64 now)
{
	u64 ran = window_part(m, t->since, now);

	t->runtime += ran;
	t->seen |= ran > 0;
	t->group->runtime += ran;
	t->ran += now > t->since ? now - t->since : 0;
	if (t->lag.joined)
		lag_running(&m->lag, false, now);
	t->phase = PHASE_WAITING;
	t->since = now;
	t->woken = false;
}

static void stop_being_runnable(struct metrics *m, struct metrics_task *t, u64 now)
{
	leave_lag(m, t, now);
	t->phase = PHASE_OFF;
	t->since = now;
}

/* --- records ---------------------------------------------------------------- */

static void feed_new(struct metrics *m, const struct trace_record *rec)
{
	struct metrics_task *t = task_get(m, rec->pid);

	if (!t)
		return;
	/* a pid is used again only after its task's exit; then this is nothing */
	fold_task(m, t);
	t->group = &m->groups[min(rec->a, m->config.nr_groups)];
}

static void feed_wakeup(struct metrics *m, const struct trace_record *rec, bool woken)
{
	struct metrics_task *t = task_get(m, rec->pid);

	/* not off: it was caught on its way to sleep */
	if (t && t->phase == PHASE_OFF)
		start_waiting(m, t, rec->time, woken);
}

static enum switch_kind switch_kind(u64 prev_state)
{
	switch (prev_state) {
	case TRACE_PREV_PREEMPTED:
		return SWITCH_PREEMPTED;
	case TRACE_PREV_YIELDED:
		return SWITCH_YIELDED;
	case TRACE_PREV_IDLE:
		return SWITCH_IDLE;
	default:
		return SWITCH_VOLUNTARY;
	}
}

static void switch_out(struct metrics *m, struct metrics_task *t, s32 pid, u64 now, u64 prev_state)
{
	/* a stream that began in the middle did not show it switched in */
	if (unlikely(t->phase != PHASE_RUNNING))
		start_running(m, t, now);
	stop_running(m, t, now);
	if (prev_state == TRACE_PREV_PREEMPTED || prev_state == TRACE_PREV_YIELDED)
		return;
	stop_being_runnable(m, t, now);
	if (prev_state == TRACE_PREV_EXITED) {
		fold_task(m, t);
		task_forget(m, (u32)pid);
	}
}

static void feed_switch(struct metrics *m, const struct trace_record *rec)
{
	u64 *busy_since = &m->busy_since[rec->cpu];
	struct metrics_task *prev = task_get(m, rec->pid), *next;

	m->busy += window_part(m, *busy_since, rec->time);
	*busy_since = (s32)rec->a ? rec->time : CPU_IDLE;
	if (m->inside)
		(prev ? prev->group : &m->total)->switches[switch_kind(rec->b)]++;
	if (prev)
		switch_out(m, prev, rec->pid, rec->time, rec->b);
	next = task_get(m, (s64)rec->a);
	if (next && next->phase != PHASE_RUNNING)
		start_running(m, next, rec->time);
}

static void feed_migrate(struct metrics *m, const struct trace_record *rec)
{
	struct metrics_task *t = task_get(m, rec->pid);
	u32 distance;

	if (!t || rec->a >= m->config.nr_cpus || rec->b >= m->config.nr_cpus ||
	    !m->inside)
		return;
	distance = m->config.distance((u32)rec->a, (u32)rec->b);
	VRT_ASSERT(distance < NR_DISTANCES);
	t->group->migrations[distance]++;
}

/*
 * Class and weight decide how a task shares: it leaves as one and joins as the
 * other, with nothing owed.
 */
static void change_sharing(struct metrics *m, struct metrics_task *t, u64 now, u32 weight,
			   enum trace_class class)
{
	if (weight == t->weight && class == t->class)
		return;
	leave_lag(m, t, now);
	t->weight = weight;
	t->class = class;
	if (t->phase != PHASE_OFF)
		join_lag(m, t, now);
}

static void feed_task_attributes(struct metrics *m, const struct trace_record *rec)
{
	struct metrics_task *t = task_get(m, rec->pid);

	if (!t)
		return;
	if (rec->type == TRACE_CLASS)
		change_sharing(m, t, rec->time, t->weight, (enum trace_class)rec->a);
	else
		change_sharing(m, t, rec->time, rec->b ? (u32)min(rec->b, 1U << 24) : 1, t->class);
}

static void feed_report(struct metrics *m, const struct trace_record *rec)
{
	struct metrics_task *t = task_get(m, rec->pid);

	if (!t || !m->inside)
		return;
	if (rec->type == TRACE_REQUEST) {
		record_latency(t, rec->b ? LATENCY_BENCH_WAKEUP : LATENCY_REQUEST, rec->a);
		return;
	}
	t->group->ops += rec->a;
}

static void feed_overhead(struct metrics *m, const struct trace_record *rec)
{
	u64 kind = rec->type == TRACE_IRQ ? TRACE_OVH_IRQ : rec->b;

	if (kind < NR_TRACE_OVH && m->inside)
		m->overhead[kind] += rec->a;
}

static void feed_online(struct metrics *m, const struct trace_record *rec)
{
	struct metrics_cpu *cpu;

	if (rec->b >= m->config.nr_cpus)
		return;
	cpu = &m->cpus[rec->b];
	if (!rec->a == cpu->offline)
		return;
	if (cpu->offline)
		cpu->offline_time += window_part(m, cpu->offline_since, rec->time);
	cpu->offline = !rec->a;
	cpu->offline_since = rec->time;
}

static void feed_attach(struct metrics *m, const struct trace_record *rec)
{
	bool attach = rec->type == TRACE_SCHED_ATTACH;

	if (m->attached)
		m->attached_time += window_part(m, m->attached_since, rec->time);
	m->attached = attach;
	m->attached_since = rec->time;
}

static void feed_op(struct metrics *m, const struct trace_record *rec)
{
	if (rec->a >= NR_SCX_OPS || !m->inside)
		return;
	m->ops[rec->a].calls++;
	m->ops[rec->a].ns += rec->b;
}

static inline void dispatch(struct metrics *m, const struct trace_record *rec)
{
	switch (rec->type) {
	case TRACE_TASK_NEW:
		feed_new(m, rec);
		break;
	case TRACE_WAKEUP:
	case TRACE_WAKEUP_NEW:
		feed_wakeup(m, rec, rec->type == TRACE_WAKEUP);
		break;
	case TRACE_SWITCH:
		feed_switch(m, rec);
		break;
	case TRACE_MIGRATE:
		feed_migrate(m, rec);
		break;
	case TRACE_CLASS:
	case TRACE_PRIO:
		feed_task_attributes(m, rec);
		break;
	case TRACE_REQUEST:
	case TRACE_OPS:
		feed_report(m, rec);
		break;
	case TRACE_OVERHEAD:
	case TRACE_IRQ:
		feed_overhead(m, rec);
		break;
	case TRACE_CPU_ONLINE:
		feed_online(m, rec);
		break;
	case TRACE_SCHED_ATTACH:
	case TRACE_SCHED_DETACH:
		feed_attach(m, rec);
		break;
	case TRACE_OP:
		feed_op(m, rec);
		break;
	}
}

/* So many that they do not stay in the host's caches: then they come from memory ahead of use. */
#define MANY_BLOCKS (1024 / METRICS_BLOCK)

static inline void fetch_task(const struct metrics *m, u64 pid)
{
	if (pid / METRICS_BLOCK < m->nr_blocks && m->blocks[pid / METRICS_BLOCK])
		prefetch(&m->blocks[pid / METRICS_BLOCK]->tasks[pid % METRICS_BLOCK]);
}

static void fetch_tasks(const struct metrics *m, const struct trace_record *recs, u32 nr)
{
	const u64 types = 1ULL << TRACE_SWITCH | 1ULL << TRACE_WAKEUP;

	for (const struct trace_record *rec = recs; rec < recs + nr; rec++) {
		if (!(types >> rec->type & 1))
			continue;
		fetch_task(m, (u32)rec->pid);
		if (rec->type == TRACE_SWITCH)
			fetch_task(m, rec->a);
	}
}

void metrics_feed(struct metrics *m, const struct trace_record *recs, u32 nr)
{
	u64 events = 0;

	if (m->finished)
		return;
	if (m->nr_blocks > MANY_BLOCKS)
		fetch_tasks(m, recs, nr);
	/* while they are on their way */
	hash64_add32(&m->hash, recs, nr);
	for (const struct trace_record *rec = recs; rec < recs + nr; rec++) {
		if (trace_text(&m->text_left, rec))
			continue;
		m->inside = rec->time - m->config.start < m->span;
		events += m->inside;
		/* a machine that we were not told of */
		if (likely(rec->cpu < m->config.nr_cpus))
			dispatch(m, rec);
	}
	m->events += events;
}

/* What is still open counts up to @end: a task that waits for ever must show. */
static void close_task(struct metrics *m, struct metrics_task *t, u64 end)
{
	if (t->phase == PHASE_RUNNING)
		stop_running(m, t, end);
	else if (t->phase == PHASE_WAITING && end > t->since && end > m->config.start)
		record_wait(t, end);
	stop_being_runnable(m, t, end);
	fold_task(m, t);
}

static void close_block(struct metrics *m, struct metrics_block *block)
{
	for (u32 i = 0; i < METRICS_BLOCK; i++)
		if (block->tasks[i].weight)
			close_task(m, &block->tasks[i], m->end);
}

/* What was not recorded twice is in two distributions all the same. */
static void complete_latencies(struct metrics *m)
{
	for (u32 i = 0; i < m->nr_groups; i++)
		hist_merge(&m->groups[i].latency[LATENCY_RUN_DELAY],
			   &m->groups[i].latency[LATENCY_WAKEUP]);
	/* the whole is the workload, without the system */
	for (u32 i = 0; i < m->config.nr_groups; i++)
		for (u32 kind = 0; kind < NR_LATENCIES; kind++)
			hist_merge(&m->total.latency[kind], &m->groups[i].latency[kind]);
}

/* All tasks', the system's too. */
static void complete_counters(struct metrics *m)
{
	for (u32 i = 0; i < m->nr_groups; i++) {
		const struct metrics_group *g = &m->groups[i];

		m->total.ops += g->ops;
		m->total.runtime += g->runtime;
		for (u32 kind = 0; kind < NR_SWITCH_KINDS; kind++)
			m->total.switches[kind] += g->switches[kind];
		for (u32 distance = 0; distance < NR_DISTANCES; distance++)
			m->total.migrations[distance] += g->migrations[distance];
	}
}

void metrics_finish(struct metrics *m, u64 end)
{
	VRT_ASSERT(!m->finished);
	m->finished = true;
	m->end = min(m->end, end);
	for (u32 i = 0; i < m->nr_blocks; i++)
		if (m->blocks[i])
			close_block(m, m->blocks[i]);
	complete_latencies(m);
	complete_counters(m);
	for (u32 i = 0; i < m->config.nr_cpus; i++) {
		struct metrics_cpu *cpu = &m->cpus[i];

		m->busy += window_part(m, m->busy_since[i], m->end);
		if (cpu->offline)
			cpu->offline_time += window_part(m, cpu->offline_since, m->end);
	}
	if (m->attached)
		m->attached_time += window_part(m, m->attached_since, m->end);
}

u64 metrics_trace_hash(const struct metrics *m)
{
	return hash64_value(&m->hash);
}
