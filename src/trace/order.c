// SPDX-License-Identifier: GPL-2.0-only
/* Who ran after whom; see order.h. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "metrics.h"
#include "order.h"
#include "stream.h"

struct order_task {
	bool ours; /* the workload's */
	char comm[17];
};

struct order {
	u32 nr_groups;
	u64 start, end;
	u64 text_left; /* see stream.h */
	struct order_task *tasks; /* by pid */
	u32 nr_slots;
	s32 last; /* of the workload's tasks, who ran; 0: none yet */
	char (*names)[17];
	u32 nr;
};

struct order *order_new(u32 nr_groups)
{
	struct order *o = xcalloc(1, sizeof(*o));

	o->nr_groups = nr_groups;
	o->start = ~0ULL;
	o->names = xcalloc(ORDER_MAX, sizeof(*o->names));
	return o;
}

void order_free(struct order *o)
{
	if (!o)
		return;
	free(o->tasks);
	free(o->names);
	free(o);
}

void order_window(struct order *o, u64 start, u64 end)
{
	o->start = start;
	o->end = end;
}

static struct order_task *task_slot(struct order *o, s32 pid)
{
	if (pid <= 0 || (u32)pid >= METRICS_MAX_PID)
		return NULL;
	if ((u32)pid >= o->nr_slots) {
		u32 nr = o->nr_slots ? o->nr_slots : 256;

		while (nr <= (u32)pid)
			nr *= 2;
		o->tasks = xreallocarray(o->tasks, nr, sizeof(*o->tasks));
		memset(o->tasks + o->nr_slots, 0, (nr - o->nr_slots) * sizeof(*o->tasks));
		o->nr_slots = nr;
	}
	return &o->tasks[pid];
}

static void feed_switch(struct order *o, const struct trace_record *rec)
{
	s32 next = (s32)rec->a;
	const struct order_task *t = task_slot(o, next);

	if (!t || !t->ours || next == o->last || rec->time < o->start || rec->time > o->end)
		return;
	o->last = next;
	if (o->nr < ORDER_MAX)
		memcpy(o->names[o->nr++], t->comm, sizeof(t->comm));
}

void order_feed(struct order *o, const struct trace_record *rec)
{
	struct order_task *t;

	if (trace_text(&o->text_left, rec))
		return;
	switch (rec->type) {
	case TRACE_TASK_NEW:
		t = task_slot(o, rec->pid);
		if (t)
			*t = (struct order_task){ .ours = rec->a < o->nr_groups };
		break;
	case TRACE_TASK_NAME:
		t = task_slot(o, rec->pid);
		if (t) {
			memcpy(t->comm, &rec->a, 8);
			memcpy(t->comm + 8, &rec->b, 8);
		}
		break;
	case TRACE_SWITCH:
		feed_switch(o, rec);
		break;
	}
}

struct json_object *order_json(const struct order *o)
{
	struct json_object *array = json_object_new_array();

	for (u32 i = 0; i < o->nr; i++)
		json_object_array_add(array, json_object_new_string(o->names[i]));
	return array;
}
