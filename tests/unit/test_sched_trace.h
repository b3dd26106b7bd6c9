/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A booted machine with tracing programs, for tests: what programs note of each
 * event in an array of theirs, beside the records of the event stream.
 */
#ifndef VRT_TEST_SCHED_TRACE_H
#define VRT_TEST_SCHED_TRACE_H

#include "test_sched_periodic.h"

#include <bpf/bpf.h>

#include "../../src/workload/workload.h"

#define MAX_EVENTS (1 << 16)

/* What a program notes; the same struct in the programs below. */
struct seen {
	u64 time;
	s64 a, b, c;
	u32 kind, cpu;
	s32 pid; /* of the current task */
	u32 more;
};

#define TRACE_PREAMBLE                                                                             \
	"#include <vmlinux.h>\n"                                                                   \
	"#include <bpf/bpf_helpers.h>\n"                                                           \
	"#include <bpf/bpf_tracing.h>\n"                                                           \
	"#include <bpf/bpf_core_read.h>\n"                                                         \
	"char _license[] SEC(\"license\") = \"GPL\";\n"                                            \
	"struct seen { u64 time; s64 a, b, c; u32 kind, cpu; s32 pid; u32 more; };\n"             \
	"struct seen events[1 << 16] SEC(\".bss.events\");\n"                                      \
	"u32 nr_events, on;\n"                                                                     \
	"static struct seen *note(u32 kind, s64 a, s64 b, s64 c)\n"                               \
	"{\n"                                                                                      \
	"	struct seen *e = &events[nr_events & 0xffff];\n"                                  \
	"	if (!on) return e;\n"                                                              \
	"	nr_events++;\n"                                                                    \
	"	e->time = bpf_ktime_get_ns();\n"                                                   \
	"	e->kind = kind; e->a = a; e->b = b; e->c = c;\n"                                   \
	"	e->cpu = bpf_get_smp_processor_id();\n"                                            \
	"	e->pid = (s32)bpf_get_current_pid_tgid();\n"                                       \
	"	return e;\n"                                                                       \
	"}\n"

static struct trace_record *records;
static u32 nr_records;
static bool recording;

static inline void record(const struct trace_record *recs, u32 nr)
{
	hash_trace(recs, nr);
	if (!recording)
		return;
	assert_in_range(nr_records + nr, 1, MAX_EVENTS);
	memcpy(&records[nr_records], recs, nr * sizeof(*recs));
	nr_records += nr;
}

/* From here on the stream and the programs note what happens. */
static inline void record_from_now(struct loader *l)
{
	if (!records)
		records = malloc(MAX_EVENTS * sizeof(*records));
	nr_records = 0;
	recording = true;
	sched_trace = record;
	if (l)
		assert_int_equal(loader_set_var(l, "on", 1), 0);
}

/* As they are now; until the next call. */
static inline const struct seen *events_of(const struct loader *l)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(l->obj, ".bss.events");
	static struct seen events[MAX_EVENTS];
	u32 key = 0;

	assert_non_null(map);
	assert_int_equal(bpf_map__value_size(map), sizeof(events));
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(map), &key, events), 0);
	return events;
}

static inline u32 nr_events(struct loader *l)
{
	s64 nr = value(l, "nr_events");

	assert_in_range(nr, 0, MAX_EVENTS);
	return (u32)nr;
}

static inline struct workload *start_workload(const char *spec)
{
	char err[512] = "";
	struct workload *w = workload_open(spec, err, sizeof(err));

	if (!w)
		fail_msg("%s", err);
	if (workload_start(w, 0))
		fail_msg("%s", workload_error(w));
	return w;
}

/* As the kernel knows it: how often it ran, and was not run because it ran. */
static inline struct bpf_prog_info prog_info(const struct loader *l, const char *name)
{
	struct bpf_prog_info info = { 0 };
	struct loader_program p;
	u32 len = sizeof(info);

	for (u32 i = 0; loader_program(l, i, &p); i++) {
		if (strcmp(p.name, name))
			continue;
		assert_int_equal(bpf_prog_get_info_by_fd(p.fd, &info, &len), 0);
		return info;
	}
	fail_msg("there is no program %s", name);
	return info;
}

static inline int trace_teardown(void **state)
{
	free(records);
	return periodic_teardown(state);
}

#endif
