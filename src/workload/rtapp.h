/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An rt-app use case, as read from its file (rtapp_parse.c, rtapp_events.c)
 * and as its threads run it (rtapp_run.c). All of it belongs to the workload.
 */
#ifndef VRT_WORKLOAD_RTAPP_H
#define VRT_WORKLOAD_RTAPP_H

#include "internal.h"
#include "../base/rng.h"
#include "../sched/mm/mm.h"
#include "relax.h"
#include "sync.h"

struct json_object;

#define RTAPP_MAX_TASKS 100000 /* names; each may have many instances */
#define RTAPP_MAX_EVENTS 1000000 /* of the file */
#define RTAPP_MAX_RESOURCES 100000
#define RTAPP_MAX_TIMERS 1000 /* unique ones, of a task */
#define RTAPP_MAX_FORKS 1024 /* per task forked, as rt-app has it */
/* What accesses to memory are taken to cost. */
#define MEM_BYTES_PER_NS 10
#define RTAPP_MAX_US 0x7fffffff /* rt-app's ints */

enum rtapp_event_kind {
	EV_RUN,
	EV_RUNTIME,
	EV_SLEEP,
	EV_MEM,
	EV_PAGES,
	EV_IORUN,
	EV_TIMER,
	EV_LOCK,
	EV_UNLOCK,
	EV_WAIT,
	EV_SYNC,
	EV_SIGNAL,
	EV_BROAD,
	EV_BARRIER,
	EV_SUSPEND,
	EV_RESUME,
	EV_YIELD,
	EV_FORK,
};

struct rtapp_timer {
	bool armed; /* used before */
	u64 next;
};

/* Accesses to pages of the task's address space. */
struct rtapp_pages {
	u64 first, nr;
	u64 random; /* so many of them, drawn; 0: all, in order */
	bool write;
	s64 fill; /* what is written: -1: something of its own */
};

/* How far a thread is with one of them. */
struct rtapp_pages_run {
	u64 done;
	u64 next; /* the page that there was no memory for, + 1; 0: none */
	struct rng rng;
};

struct rtapp_event {
	u8 kind; /* enum rtapp_event_kind */
	bool unique; /* EV_TIMER: @object is the index of a timer of the thread's own */
	u64 ns; /* work, time or period */
	union {
		struct sync_cond *cond; /* wait, sync, signal, broad, suspend, resume */
		struct sync_barrier *barrier;
		struct rtapp_timer *timer;
		struct rtapp_task *task; /* fork */
		const struct rtapp_pages *pages;
		u32 index;
	} object;
	union {
		struct sync_mutex *mutex; /* lock, unlock, wait, sync, suspend, resume */
		const bool *absolute; /* timer: its mode */
	};
};

/* Scheduling parameters that a task or phase asks for. */
struct rtapp_sched {
	bool set; /* otherwise all stays as it was */
	s32 policy;
	s32 nice;
	u32 rt_priority;
};

struct rtapp_phase {
	struct rtapp_event *events;
	u32 nr_events;
	s64 loop; /* <= 0: for ever, as in rt-app */
	struct cpumask *cpus; /* NULL: the task's */
	const char *taskgroup; /* path of a cgroup, NULL: the task's */
	struct rtapp_sched sched;
};

struct rtapp_task {
	const char *name;
	u32 group;
	u32 instances;
	u32 created; /* threads so far, forks included */
	u32 forks;
	s64 loop; /* negative: for ever */
	u64 delay;
	struct cpumask *cpus; /* NULL: all */
	const char *taskgroup; /* NULL: the one it is born in */
	s32 max_cpu; /* highest CPU named anywhere in it, -1: none */
	struct rtapp_sched sched;
	struct rtapp_phase *phases;
	u32 nr_phases;
	u32 nr_timers; /* unique ones */
	u64 vm_pages; /* each instance is a process with such an address space; 0: a thread */
	struct relax_place place;
};

struct rtapp {
	struct workload w;
	struct rtapp_task *tasks;
	u32 nr_tasks;
	bool uses_memory; /* some task has an address space */
	u64 totalram; /* pages; 0: not said */
	struct wait_queue no_memory; /* they try again after a while: nobody wakes them */
};

/* --- while reading ---------------------------------------------------------- */

/* What a name can stand for; one name may stand for one object of each kind. */
enum rtapp_resource_kind {
	RES_MUTEX,
	RES_COND,
	RES_TIMER,
	RES_UNIQUE_TIMER,
	RES_BARRIER,
	RES_TASK
};

struct rtapp_resource {
	enum rtapp_resource_kind kind;
	const char *name;
	const struct rtapp_task *owner; /* RES_UNIQUE_TIMER: whose; otherwise NULL */
	void *object;
	u32 index; /* RES_UNIQUE_TIMER: the timer in its task */
	bool *absolute; /* timers */
	struct rtapp_resource *next; /* with the same hash */
};

#define RTAPP_BUCKETS 4096

struct rtapp_parser {
	struct rtapp *app;
	const char *file;
	const struct relax_place *places; /* of values, by json_object userdata */
	struct rtapp_resource *buckets[RTAPP_BUCKETS];
	u32 nr_resources, nr_events;
	u64 mem_buffer_size;
	bool io_null; /* io_device is /dev/null */
	s32 default_policy;
	struct rtapp_task *task; /* being read */
	bool failed;
	char *err;
	size_t err_size;
};

/*
 * The first error counts; after it, everything returns without doing harm, and
 * callers check p->failed where it matters.
 */
__printf(3, 4) void rtapp_error(struct rtapp_parser *p, const struct json_object *at,
				const char *fmt, ...);
/* A remark for workload_unmodelled(), with file and line. */
__printf(3, 4) void rtapp_note(struct rtapp_parser *p, const struct json_object *at,
			       const char *fmt, ...);

/* Is @key an event's name, perhaps with something after it? */
bool rtapp_is_event(const char *key);
/*
 * Reads the member @key: @value into @ev. False when it is not an event that
 * can run: an error, or left out with a note as rt-app 1.0 does.
 */
bool rtapp_read_event(struct rtapp_parser *p, const char *key, struct json_object *value,
		      struct rtapp_event *ev);
/* Makes @task known to fork events. */
void rtapp_add_task(struct rtapp_parser *p, struct rtapp_task *task);
/*
 * A whole number from @min to @max; anything else is an error that calls it
 * @what. Returns @min after an error.
 */
s64 rtapp_integer(struct rtapp_parser *p, struct json_object *value, const char *what, s64 min,
		  s64 max);

/* --- rtapp_mem.c ------------------------------------------------------------- */

/* "memory" of "global", "vm_size" of a task, and "mem" whose value is an object. */
void rtapp_read_memory(struct rtapp_parser *p, struct json_object *global);
void rtapp_read_vm_size(struct rtapp_parser *p, struct json_object *task);
const struct rtapp_pages *rtapp_read_pages(struct rtapp_parser *p, struct json_object *value);

/* The current task's first act. */
void rtapp_map(struct rtapp *app, const struct rtapp_task *task);
/* Goes on with @pages: true when it is finished, otherwise after @action. */
bool rtapp_access_pages(struct rtapp *app, const struct rtapp_pages *pages,
			struct rtapp_pages_run *run, struct task_action *action);
/* What it has goes back first: true when nothing is left, otherwise after @action. */
bool rtapp_unmap(const struct rtapp *app, struct task_action *action);
bool rtapp_memory_figure(const struct rtapp *app, u32 i, char *buf, size_t size);

/* rtapp_run.c: the workload_ops of an rt-app use case. */
extern const struct workload_ops rtapp_ops;

#endif
