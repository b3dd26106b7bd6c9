// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of an rt-app use case: which tasks have an address space, and the event
 * "mem" with an object as its value, which says what pages of it are accessed.
 * Neither is in rt-app's own grammar (docs/workloads.md).
 *
 * A page is read or written as a whole. Accesses are made in steps of a few pages,
 * so that they spread over the time that they take.
 */
#include "rtapp.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define PAGE_NS (PAGE_SIZE / MEM_BYTES_PER_NS)
/* Pages of a step. */
#define STEP_PAGES 16
/* Until somebody has given memory back: a tick, as Linux waits. */
#define NO_MEMORY_NS (4 * NSEC_PER_MSEC)
#define MAX_BYTES (MM_MAX_PAGES * PAGE_SIZE)

/* --- reading ---------------------------------------------------------------------- */

static s64 read_number(struct rtapp_parser *p, struct json_object *object, const char *key,
		       const char *unit, s64 min, s64 max, s64 standard)
{
	struct json_object *value;
	char what[64];

	if (!json_object_object_get_ex(object, key, &value))
		return standard;
	snprintf(what, sizeof(what), "\"%s\" (%s)", key, unit);
	return rtapp_integer(p, value, what, min, max);
}

static s64 read_bytes(struct rtapp_parser *p, struct json_object *object, const char *key, s64 min,
		      s64 max, s64 standard)
{
	return read_number(p, object, key, "bytes", min, max, standard);
}

void rtapp_read_memory(struct rtapp_parser *p, struct json_object *global)
{
	p->app->totalram = read_bytes(p, global, "memory", PAGE_SIZE, MAX_BYTES, 0) / PAGE_SIZE;
}

void rtapp_read_vm_size(struct rtapp_parser *p, struct json_object *task)
{
	u64 bytes = read_bytes(p, task, "vm_size", PAGE_SIZE, MAX_BYTES, 0);

	p->task->vm_pages = DIV_ROUND_UP(bytes, PAGE_SIZE);
	p->app->uses_memory |= bytes > 0;
}

static void check_keys(struct rtapp_parser *p, struct json_object *object)
{
	static const char *const keys[] = { "offset", "length", "write", "fill", "random" };

	json_object_object_foreach(object, key, value) {
		u32 i = 0;

		while (i < ARRAY_SIZE(keys) && strcmp(key, keys[i]))
			i++;
		if (i == ARRAY_SIZE(keys))
			rtapp_error(p, value,
				    "\"mem\" has no \"%.64s\"; it has offset, length, write, fill and random",
				    key);
	}
}

static bool read_write(struct rtapp_parser *p, struct json_object *object, bool fills)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, "write", &value))
		return fills;
	if (!json_object_is_type(value, json_type_boolean))
		rtapp_error(p, value, "\"write\" must be true or false, not %.64s",
			    json_object_to_json_string(value));
	else if (fills && !json_object_get_boolean(value))
		rtapp_error(p, value, "\"fill\" says what is written, and \"write\" is false");
	return json_object_get_boolean(value);
}

const struct rtapp_pages *rtapp_read_pages(struct rtapp_parser *p, struct json_object *value)
{
	struct rtapp_pages *pages = workload_alloc(&p->app->w, 1, sizeof(*pages));
	u64 size = p->task->vm_pages * PAGE_SIZE;
	s64 offset, length;

	check_keys(p, value);
	if (!size) {
		rtapp_error(p, value,
			    "\"mem\" says which pages are accessed, but task \"%s\" has no address "
			    "space: give it a \"vm_size\"",
			    p->task->name);
		return pages;
	}
	offset = read_bytes(p, value, "offset", 0, size - 1, 0);
	length = read_bytes(p, value, "length", 1, size - offset, size - offset);
	pages->first = offset / PAGE_SIZE;
	pages->nr = DIV_ROUND_UP((u64)(offset + length), PAGE_SIZE) - pages->first;
	pages->fill = read_number(p, value, "fill", "content", 0, RTAPP_MAX_US, -1);
	pages->write = read_write(p, value, pages->fill >= 0);
	pages->random = read_number(p, value, "random", "pages", 1, RTAPP_MAX_US, 0);
	return pages;
}

/* --- running ---------------------------------------------------------------------------- */

void rtapp_map(struct rtapp *app, const struct rtapp_task *task)
{
	if (task->vm_pages && mm_map(current_task(), task->vm_pages))
		workload_note(&app->w,
			      "\"mem\" with pages takes its time on a real kernel, but accesses none");
}

static int access_page(const struct rtapp_pages *pages, u64 index)
{
	if (!pages->write)
		return mm_read(index);
	if (pages->fill < 0)
		return mm_write(index, mm_content_own());
	return mm_write(index, pages->fill ? mm_content(pages->fill, index) : MM_CONTENT_ZERO);
}

static u64 next_page(const struct rtapp_pages *pages, struct rtapp_pages_run *run)
{
	if (run->next)
		return run->next - 1;
	return pages->first + (pages->random ? rng_below(&run->rng, pages->nr) : run->done);
}

/* Not by a system call: it is in the middle of an access. */
static void wait_for_memory(struct rtapp *app, struct task_action *action)
{
	wait_queue_add(&app->no_memory, NO_MEMORY_NS);
	act(action, ACT_BLOCK, 0);
}

bool rtapp_access_pages(struct rtapp *app, const struct rtapp_pages *pages,
			struct rtapp_pages_run *run, struct task_action *action)
{
	u64 all = pages->random ?: pages->nr, begun = run->done, index;
	int err = 0;

	while (run->done < all && run->done - begun < STEP_PAGES && !err) {
		index = next_page(pages, run);
		err = access_page(pages, index);
		run->next = err ? index + 1 : 0;
		run->done += !err;
	}
	if (run->done > begun) {
		act(action, ACT_COMPUTE, (run->done - begun) * PAGE_NS);
		return false;
	}
	if (err) {
		if (err == -EAGAIN)
			wait_for_memory(app, action);
		else /* it is being killed: its next turn is its end */
			act(action, ACT_COMPUTE, 0);
		return false;
	}
	run->done = 0;
	return true;
}

bool rtapp_unmap(const struct rtapp *app, struct task_action *action)
{
	u64 ns = app->uses_memory ? mm_unmap(STEP_PAGES) : 0;

	act(action, ACT_COMPUTE, ns);
	return !ns;
}

/* --- figures ------------------------------------------------------------------------------ */

#define MIB(pages) ((pages) >> (20 - PAGE_SHIFT))

bool rtapp_memory_figure(const struct rtapp *app, u32 i, char *buf, size_t size)
{
	struct mm_stats s;

	mm_stats(&s);
	if (!app->uses_memory || !s.info.totalram)
		return false;
	switch (i) {
	case 0:
		snprintf(buf, size, "memory: %llu MiB of %llu MiB in use, %llu MiB at most",
			 MIB(s.info.totalram - s.info.freeram), MIB(s.info.totalram), MIB(s.peak));
		return true;
	case 1:
		snprintf(buf, size, "page faults: %llu; merged pages copied: %llu", s.faults, s.copies);
		return true;
	case 2:
		snprintf(buf, size, "merged: %llu pages into %llu, which saves %llu MiB",
			 s.info.ksm_pages_shared + s.info.ksm_pages_sharing, s.info.ksm_pages_shared,
			 MIB(s.info.ksm_pages_sharing));
		return true;
	case 3:
		snprintf(buf, size, "killed for memory: %llu; pages reaped: %llu", s.info.oom_kills,
			 s.info.nr_reaped);
		return true;
	}
	return false;
}
