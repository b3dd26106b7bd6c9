// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads the tracer into the kernel that runs here, and takes its records out of
 * the ring buffer. This file alone speaks to libbpf without the loader: it is
 * our own program, and there is nothing to explain to anybody.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
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
	struct ring_buffer *ring, *dump_ring;
	int known_fd, lost_fd;
	void (*record)(const struct trace_record *rec);
	struct strbuf dump;
};

static int on_record(void *ctx, void *data, size_t size)
{
	struct tracer *t = ctx;

	t->record(data);
	return 0;
}

static int on_dump_line(void *ctx, void *data, size_t size)
{
	struct tracer *t = ctx;

	strbuf_add(&t->dump, data, size - 1); /* without the NUL */
	strbuf_putc(&t->dump, '\n');
	return 0;
}

static int attach_all(struct tracer *t, char *err, size_t err_size)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, t->obj) {
		if (!bpf_program__autoload(prog) || bpf_program__attach(prog))
			continue;
		snprintf(err, err_size, "the tracer's %s does not attach: %s",
			 bpf_program__section_name(prog), strerror(errno));
		return -1;
	}
	return 0;
}

/* Only kernels with sched_ext have the tracepoint of its dumps. */
static void choose_programs(struct tracer *t)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (btf && btf__find_by_name_kind(btf, "btf_trace_sched_ext_dump", BTF_KIND_TYPEDEF) > 0)
		bpf_program__set_autoload(bpf_object__find_program_by_name(t->obj, "on_dump"),
					  true);
	btf__free(btf);
}

static int map_fd(const struct tracer *t, const char *name)
{
	return bpf_object__find_map_fd_by_name(t->obj, name);
}

static int set_up(struct tracer *t, char *err, size_t err_size)
{
	t->obj = bpf_object__open_mem(vrt_tracer_start,
				      (size_t)(vrt_tracer_end - vrt_tracer_start), NULL);
	if (t->obj)
		choose_programs(t);
	if (!t->obj || bpf_object__load(t->obj)) {
		snprintf(err, err_size,
			 "this kernel does not take the tracer (%s): it needs BPF, BTF and the "
			 "scheduler's tracepoints",
			 strerror(errno));
		return -1;
	}
	t->known_fd = map_fd(t, "known");
	t->lost_fd = map_fd(t, "lost");
	t->ring = ring_buffer__new(map_fd(t, "records"), on_record, t, NULL);
	t->dump_ring = ring_buffer__new(map_fd(t, "dump"), on_dump_line, t, NULL);
	if (!t->ring || !t->dump_ring) {
		snprintf(err, err_size, "the tracer's ring buffers do not open: %s",
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
	u64 lost = 0;
	u32 zero = 0;

	t->record = record;
	ring_buffer__consume(t->ring);
	bpf_map_lookup_elem(t->lost_fd, &zero, &lost);
	return lost;
}

const char *tracer_dump(struct tracer *t)
{
	ring_buffer__consume(t->dump_ring);
	return strbuf_str(&t->dump);
}

int tracer_records_fd(const struct tracer *t)
{
	return map_fd(t, "records");
}

int tracer_lost_fd(const struct tracer *t)
{
	return t->lost_fd;
}

void tracer_stop(struct tracer *t)
{
	ring_buffer__free(t->ring);
	ring_buffer__free(t->dump_ring);
	bpf_object__close(t->obj); /* and its links, whose programs it holds */
	strbuf_free(&t->dump);
	free(t);
}
