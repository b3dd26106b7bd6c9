// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event stream as ftrace text; see ftrace.h.
 *
 * A line names the task that runs on the record's CPU, so the writer follows
 * the switches and remembers names and priorities by pid.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/strbuf.h"
#include "ftrace.h"
#include "metrics.h"
#include "stream.h"

#define DEFAULT_PRIO 120

struct ftrace_task {
	char comm[17]; /* "" until it is known */
	s32 prio; /* 0: not known */
	s32 parent;
	bool announced; /* TRACE_TASK_NEW was there, the name is still to come */
};

struct ftrace {
	u32 nr_cpus;
	bool only_printk;
	s32 *current; /* pid by CPU */
	struct ftrace_task *tasks; /* by pid */
	u32 nr_slots;
	struct trace_record printk; /* whose text is being gathered */
	u64 text_left; /* see stream.h */
	struct strbuf text;
};

struct ftrace *ftrace_new(u32 nr_cpus, bool only_printk)
{
	struct ftrace *f = xcalloc(1, sizeof(*f));

	f->nr_cpus = nr_cpus;
	f->only_printk = only_printk;
	f->current = xcalloc(nr_cpus, sizeof(*f->current));
	return f;
}

void ftrace_free(struct ftrace *f)
{
	strbuf_free(&f->text);
	free(f->current);
	free(f->tasks);
	free(f);
}

static struct ftrace_task *task_slot(struct ftrace *f, s32 pid)
{
	if (pid <= 0 || (u32)pid >= METRICS_MAX_PID)
		return NULL;
	if ((u32)pid >= f->nr_slots) {
		u32 nr = f->nr_slots ? f->nr_slots : 256;

		while (nr <= (u32)pid)
			nr *= 2;
		f->tasks = xreallocarray(f->tasks, nr, sizeof(*f->tasks));
		memset(f->tasks + f->nr_slots, 0, (nr - f->nr_slots) * sizeof(*f->tasks));
		f->nr_slots = nr;
	}
	return &f->tasks[pid];
}

/* @buf: at least 32 bytes, for the names that nobody has given. */
static const char *comm_of(const struct ftrace *f, s32 pid, u32 cpu, char *buf)
{
	if (!pid)
		snprintf(buf, 32, "swapper/%u", cpu);
	else if ((u32)pid < f->nr_slots && f->tasks[pid].comm[0])
		return f->tasks[pid].comm;
	else
		snprintf(buf, 32, "task-%d", pid);
	return buf;
}

static s32 prio_of(const struct ftrace *f, s32 pid)
{
	return pid > 0 && (u32)pid < f->nr_slots && f->tasks[pid].prio ? f->tasks[pid].prio :
									 DEFAULT_PRIO;
}

void ftrace_header(const struct ftrace *f, FILE *out)
{
	fprintf(out,
		"# tracer: nop\n"
		"#\n"
		"# entries-in-buffer/entries-written: 0/0   #P:%u\n"
		"#\n"
		"#                                _-----=> irqs-off/BH-disabled\n"
		"#                               / _----=> need-resched\n"
		"#                              | / _---=> hardirq/softirq\n"
		"#                              || / _--=> preempt-depth\n"
		"#                              ||| / _-=> migrate-disable\n"
		"#                              |||| /     delay\n"
		"#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
		"#              | |         |   |||||     |         |\n",
		f->nr_cpus);
}

/* What comes before the event's own fields. */
static void line_head(const struct ftrace *f, const struct trace_record *rec, const char *event,
		      FILE *out)
{
	s32 pid = f->current[rec->cpu];
	char buf[32];

	fprintf(out, "%16s-%-7d [%03u] d..2. %5llu.",
		pid ? comm_of(f, pid, rec->cpu, buf) : "<idle>", pid, rec->cpu,
		rec->time / NSEC_PER_SEC);
	/* trace_pipe has microseconds; of a file, readers take more */
	if (f->only_printk)
		fprintf(out, "%06llu: %s: ", rec->time % NSEC_PER_SEC / NSEC_PER_USEC, event);
	else
		fprintf(out, "%09llu: %s: ", rec->time % NSEC_PER_SEC, event);
}

static void put_switch(const struct ftrace *f, const struct trace_record *rec, FILE *out)
{
	static const char *const states[] = {
		[TRACE_PREV_PREEMPTED] = "R+", [TRACE_PREV_SLEEPING] = "S",
		[TRACE_PREV_YIELDED] = "R",    [TRACE_PREV_EXITED] = "X",
		[TRACE_PREV_IDLE] = "R",
	};
	const char *state = rec->b < ARRAY_SIZE(states) ? states[rec->b] : "S";
	s32 next = (s32)rec->a;
	char prev_buf[32], next_buf[32];

	line_head(f, rec, "sched_switch", out);
	fprintf(out,
		"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s ==> "
		"next_comm=%s next_pid=%d next_prio=%d\n",
		comm_of(f, rec->pid, rec->cpu, prev_buf), rec->pid, prio_of(f, rec->pid), state,
		comm_of(f, next, rec->cpu, next_buf), next, prio_of(f, next));
}

/* "comm=... pid=... prio=...", with which most events begin. */
static void put_task_event(const struct ftrace *f, const struct trace_record *rec,
			   const char *event, FILE *out)
{
	char buf[32];

	line_head(f, rec, event, out);
	fprintf(out, "comm=%s pid=%d prio=%d", comm_of(f, rec->pid, rec->cpu, buf), rec->pid,
		prio_of(f, rec->pid));
}

/* A fork is told with the name, which follows it at once; later names are no event. */
static void put_fork(struct ftrace *f, const struct trace_record *rec, FILE *out)
{
	struct ftrace_task *t = task_slot(f, rec->pid);
	char parent_buf[32], buf[32];
	s32 parent;

	if (!t || !t->announced)
		return;
	t->announced = false;
	parent = t->parent;
	line_head(f, rec, "sched_process_fork", out);
	fprintf(out, "comm=%s pid=%d child_comm=%s child_pid=%d\n",
		comm_of(f, parent, rec->cpu, parent_buf), parent,
		comm_of(f, rec->pid, rec->cpu, buf), rec->pid);
}

/* Nothing that was known of an older task with this pid is true of the new one. */
static void announce(struct ftrace *f, const struct trace_record *rec)
{
	struct ftrace_task *t = task_slot(f, rec->pid);

	if (t)
		*t = (struct ftrace_task){ .parent = (s32)rec->b, .announced = true };
}

static void set_name(struct ftrace *f, const struct trace_record *rec)
{
	struct ftrace_task *t = task_slot(f, rec->pid);

	if (!t)
		return;
	memcpy(t->comm, &rec->a, 8);
	memcpy(t->comm + 8, &rec->b, 8);
	t->comm[16] = '\0';
	for (char *c = t->comm; *c; c++) {
		if ((unsigned char)*c < ' ')
			*c = '?';
	}
}

static void set_prio(struct ftrace *f, const struct trace_record *rec)
{
	struct ftrace_task *t = task_slot(f, rec->pid);

	if (t)
		t->prio = (s32)rec->a;
}

/* What this and later lines need to know. */
static void follow(struct ftrace *f, const struct trace_record *rec)
{
	switch (rec->type) {
	case TRACE_TASK_NEW:
		announce(f, rec);
		break;
	case TRACE_TASK_NAME:
		set_name(f, rec);
		break;
	case TRACE_PRIO:
		set_prio(f, rec);
		break;
	case TRACE_SWITCH:
		f->current[rec->cpu] = rec->pid; /* who the line is about */
		break;
	case TRACE_PRINTK:
		f->printk = *rec;
		break;
	}
}

/* The text of a bpf_printk() comes in the records that follow it. */
static void put_text(struct ftrace *f, const struct trace_record *rec, u32 len, FILE *out)
{
	strbuf_add(&f->text, rec, len);
	if (f->text_left)
		return;
	line_head(f, &f->printk, "bpf_trace_printk", out);
	fprintf(out, "%s\n", strbuf_str(&f->text));
	strbuf_reset(&f->text);
}

static void put_event(struct ftrace *f, const struct trace_record *rec, FILE *out)
{
	switch (rec->type) {
	case TRACE_TASK_NAME:
		put_fork(f, rec, out);
		break;
	case TRACE_TASK_EXIT:
		put_task_event(f, rec, "sched_process_exit", out);
		fputc('\n', out);
		break;
	case TRACE_WAKEUP:
	case TRACE_WAKEUP_NEW:
		put_task_event(f, rec,
			       rec->type == TRACE_WAKEUP ? "sched_wakeup" : "sched_wakeup_new",
			       out);
		fprintf(out, " target_cpu=%03llu\n", rec->a);
		break;
	case TRACE_SWITCH:
		put_switch(f, rec, out);
		break;
	case TRACE_MIGRATE:
		put_task_event(f, rec, "sched_migrate_task", out);
		fprintf(out, " orig_cpu=%llu dest_cpu=%llu\n", rec->a, rec->b);
		break;
	}
}

void ftrace_feed(struct ftrace *f, const struct trace_record *rec, FILE *out)
{
	u32 text = trace_text(&f->text_left, rec);

	if (text) {
		put_text(f, rec, text, out);
		return;
	}
	if (rec->cpu >= f->nr_cpus)
		return;
	follow(f, rec);
	if (!f->only_printk)
		put_event(f, rec, out);
	if (rec->type == TRACE_SWITCH)
		f->current[rec->cpu] = (s32)rec->a;
}
