// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads the tracer into the kernel that runs here, and takes its records out of
 * the ring buffer. This file alone speaks to libbpf without the loader: it is
 * our own program, and there is nothing to explain to anybody.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../../sched/tracepoint.h"
#include "../../loader/facade.h"
#include "guest.h"
#include "records.h"

_Static_assert(sizeof(struct guest_record) == sizeof(struct trace_record), "layout");
_Static_assert(offsetof(struct guest_record, pid) == offsetof(struct trace_record, pid), "layout");
_Static_assert(offsetof(struct guest_record, b) == offsetof(struct trace_record, b), "layout");
_Static_assert((int)REC_TASK_EXIT == (int)TRACE_TASK_EXIT, "types");
_Static_assert((int)REC_WAKEUP == (int)TRACE_WAKEUP, "types");
_Static_assert((int)REC_WAKEUP_NEW == (int)TRACE_WAKEUP_NEW, "types");
_Static_assert((int)REC_SWITCH == (int)TRACE_SWITCH, "types");
_Static_assert((int)REC_MIGRATE == (int)TRACE_MIGRATE, "types");
_Static_assert((int)PREV_PREEMPTED == (int)TRACE_PREV_PREEMPTED, "states");
_Static_assert((int)PREV_SLEEPING == (int)TRACE_PREV_SLEEPING, "states");
_Static_assert((int)PREV_EXITED == (int)TRACE_PREV_EXITED, "states");
_Static_assert((int)PREV_IDLE == (int)TRACE_PREV_IDLE, "states");

/* The compiled tracer, linked in (see meson.build). */
extern const char vrt_tracer_start[], vrt_tracer_end[];

struct tracer {
	struct bpf_object *obj;
	struct ring_buffer *ring;
	int known_fd;
	void (*record)(const struct trace_record *rec);
	u64 *lost;
};

static int on_record(void *ctx, void *data, size_t size)
{
	struct tracer *t = ctx;

	t->record(data);
	return 0;
}

static int attach_all(struct tracer *t, char *err, size_t err_size)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, t->obj) {
		if (bpf_program__attach(prog))
			continue;
		snprintf(err, err_size, "the tracer's %s does not attach: %s",
			 bpf_program__section_name(prog), strerror(errno));
		return -1;
	}
	return 0;
}

static int set_up(struct tracer *t, char *err, size_t err_size)
{
	struct bpf_map *bss;
	size_t size;

	t->obj = bpf_object__open_mem(vrt_tracer_start,
				      (size_t)(vrt_tracer_end - vrt_tracer_start), NULL);
	if (!t->obj || bpf_object__load(t->obj)) {
		snprintf(err, err_size,
			 "this kernel does not take the tracer (%s): it needs BPF, BTF and the "
			 "scheduler's tracepoints",
			 strerror(errno));
		return -1;
	}
	bss = bpf_object__find_map_by_name(t->obj, ".bss");
	t->lost = bpf_map__initial_value(bss, &size);
	t->known_fd = bpf_object__find_map_fd_by_name(t->obj, "known");
	t->ring = ring_buffer__new(bpf_object__find_map_fd_by_name(t->obj, "records"), on_record,
				   t, NULL);
	if (!t->ring) {
		snprintf(err, err_size, "the tracer's ring buffer does not open: %s",
			 strerror(errno));
		return -1;
	}
	return attach_all(t, err, err_size);
}

struct tracer *tracer_start(char *err, size_t err_size)
{
	struct tracer *t = xcalloc(1, sizeof(*t));

	facade_host(); /* the kernel of this machine, not a simulated one */
	if (!set_up(t, err, err_size))
		return t;
	tracer_stop(t);
	return NULL;
}

void tracer_know(struct tracer *t, s32 pid)
{
	int first = 1;

	bpf_map_update_elem(t->known_fd, &pid, &first, BPF_ANY);
}

u64 tracer_poll(struct tracer *t, void (*record)(const struct trace_record *rec))
{
	t->record = record;
	ring_buffer__consume(t->ring);
	return __atomic_load_n(t->lost, __ATOMIC_RELAXED);
}

void tracer_stop(struct tracer *t)
{
	ring_buffer__free(t->ring);
	bpf_object__close(t->obj); /* and its links, whose programs it holds */
	free(t);
}
