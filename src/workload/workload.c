/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A workload as its users see it: tells files from generators, and keeps what
 * all kinds have in common (groups, notes, memory, the start).
 */
#include "internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/file.h"
#include "../base/strbuf.h"
#include "../base/suggest.h"
#include "options.h"

#define CHUNK_SIZE (64U << 10)

static const struct generator *const generators[] = {
	&gen_schbench, &gen_hackbench, &gen_pipe, &gen_rpc, &gen_stress, &gen_files,
};

struct workload_chunk {
	struct workload_chunk *next;
	size_t used, size;
	char data[] __attribute__((aligned(16)));
};

/* --- memory --------------------------------------------------------------- */

struct workload *workload_new(size_t size, const struct workload_ops *ops)
{
	struct workload *w = xcalloc(1, size);

	w->ops = ops;
	return w;
}

void *workload_alloc(struct workload *w, size_t count, size_t size)
{
	struct workload_chunk *chunk = w->memory;
	size_t bytes;
	void *p;

	VRT_ASSERT(!size || count <= (1UL << 40) / size);
	bytes = ALIGN_UP(count * size, 16UL);
	if (!chunk || chunk->size - chunk->used < bytes) {
		size_t room = max(bytes, (size_t)CHUNK_SIZE);

		chunk = xcalloc(1, sizeof(*chunk) + room);
		chunk->size = room;
		chunk->next = w->memory;
		w->memory = chunk;
	}
	p = chunk->data + chunk->used;
	chunk->used += bytes;
	return p;
}

char *workload_strdup(struct workload *w, const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(workload_alloc(w, size, 1), s, size);
}

void *workload_grow(void *array, u32 count, u32 *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	return xreallocarray(array, *room, size);
}

void workload_release(struct task *task)
{
	free(task_data(task));
}

/* --- opening -------------------------------------------------------------- */

/* The content of @file into @text. 0, or -errno with a message. */
static int read_file(const char *file, struct strbuf *text, char *err, size_t err_size)
{
	int ret = file_read(file, WORKLOAD_MAX_FILE, text);

	if (ret == -EFBIG)
		return vrt_error(err, err_size, ret,
				 "%s: a workload file may have %u MiB at most", file,
				 WORKLOAD_MAX_FILE >> 20);
	if (ret)
		return vrt_error(err, err_size, ret,
				 "%s: the workload file could not be read: %s", file,
				 strerror(-ret));
	return 0;
}

static struct workload *open_file(const char *file, char *err, size_t err_size)
{
	struct workload *w = NULL;
	struct strbuf text = { 0 };

	if (!read_file(file, &text, err, err_size))
		w = rtapp_open(file, strbuf_str(&text), text.len, err, err_size);
	strbuf_free(&text);
	return w;
}

static const struct generator *find_generator(const char *name, size_t len)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(generators); i++)
		if (strlen(generators[i]->name) == len && !memcmp(generators[i]->name, name, len))
			return generators[i];
	return NULL;
}

static struct workload *open_generator(const struct generator *gen, const char *args, char *err,
				       size_t err_size)
{
	struct workload *w = NULL;
	void *config = xcalloc(1, gen->options->config_size);

	if (!options_parse(gen->options, gen->name, args, config, err, err_size))
		w = gen->open(config, err, err_size);
	options_free(gen->options, config);
	return w;
}

static void no_such_workload(const char *spec, size_t len, char *err, size_t err_size)
{
	struct suggest s = { 0 };
	char word[64], hint[64] = "the", names[128] = "";
	size_t n = 0;
	u32 i;

	snprintf(word, sizeof(word), "%.*s", (int)min(len, sizeof(word) - 1), spec);
	s.word = word;
	for (i = 0; i < ARRAY_SIZE(generators); i++) {
		suggest_try(&s, generators[i]->name);
		if (n < sizeof(names))
			n += snprintf(names + n, sizeof(names) - n, "%s%s", i ? ", " : "",
				      generators[i]->name);
	}
	if (s.best)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"? The", s.best);
	vrt_error(err, err_size, 0,
		  "\"%s\" is neither a workload file (rt-app JSON) nor a generator; %s generators "
		  "are %s",
		  word, hint, names);
}

/* Past the blanks, with the length of the first word. */
static const char *first_word(const char *spec, size_t *len)
{
	spec += strspn(spec, " \t\n");
	*len = strcspn(spec, " \t\n");
	return spec;
}

const char *workload_file(const char *spec)
{
	size_t len;

	spec = first_word(spec, &len);
	return find_generator(spec, len) ? NULL : spec;
}

struct workload *workload_open(const char *spec, char *err, size_t err_size)
{
	const struct generator *gen;
	size_t len;

	spec = first_word(spec, &len);
	gen = find_generator(spec, len);
	if (gen)
		return open_generator(gen, spec + len, err, err_size);

	/* a path was meant as a file, even if there is none: say what is wrong with it */
	if ((*spec && !access(spec, F_OK)) || strpbrk(spec, "/."))
		return open_file(spec, err, err_size);

	no_such_workload(spec, len, err, err_size);
	return NULL;
}

void workload_close(struct workload *w)
{
	struct workload_chunk *chunk, *next;
	u32 i;

	if (!w)
		return;
	if (w->ops->close)
		w->ops->close(w);
	for (chunk = w->memory; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	for (i = 0; i < w->nr_notes; i++)
		free(w->notes[i]);
	free(w->groups);
	free(w);
}

/* --- what a kind of workload says about itself ------------------------------ */

u32 workload_add_group(struct workload *w, const char *name)
{
	w->groups = workload_grow(w->groups, w->nr_groups, &w->groups_size, sizeof(*w->groups));
	w->groups[w->nr_groups] = workload_strdup(w, name);
	return w->nr_groups++;
}

void workload_note(struct workload *w, const char *fmt, ...)
{
	char note[WORKLOAD_ERROR_LEN];
	va_list ap;
	u32 i;

	va_start(ap, fmt);
	vsnprintf(note, sizeof(note), fmt, ap);
	va_end(ap);
	for (i = 0; i < w->nr_notes; i++)
		if (!strcmp(w->notes[i], note))
			return;
	if (w->nr_notes == WORKLOAD_MAX_NOTES)
		return;
	if (w->nr_notes == WORKLOAD_MAX_NOTES - 1)
		snprintf(note, sizeof(note), "further remarks on this workload were left out");
	w->notes[w->nr_notes++] = xstrdup(note);
}

int workload_fail(struct workload *w, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->error, sizeof(w->error), fmt, ap);
	va_end(ap);
	return error;
}

u32 workload_nr_groups(const struct workload *w)
{
	return w->nr_groups;
}

const char *workload_group_name(const struct workload *w, u32 group)
{
	return group < w->nr_groups ? w->groups[group] : NULL;
}

u32 workload_nr_tasks(const struct workload *w)
{
	return w->ops->nr_tasks ? w->ops->nr_tasks(w) : w->nr_tasks;
}

u64 workload_duration(const struct workload *w)
{
	return w->duration;
}

const char *workload_unmodelled(const struct workload *w, u32 i)
{
	return i < w->nr_notes ? w->notes[i] : NULL;
}

const char *workload_error(const struct workload *w)
{
	return w->error;
}

const char *workload_figure(struct workload *w, u32 i)
{
	if (!w->ops->figure || !w->ops->figure(w, i, w->figure, sizeof(w->figure)))
		return NULL;
	return w->figure;
}

/* --- starting --------------------------------------------------------------- */

int workload_spawn(struct workload *w, const struct task_params *params,
		   const struct task_behaviour *behaviour, void *data)
{
	struct task_params p = *params;
	bool starting = w->created;
	struct task *task;
	int err = -ENOMEM;

	p.group += w->group_base;
	if (starting) {
		p.parent = p.new_process ? NULL : w->leader;
		p.new_process = !p.parent;
	} else if (!p.parent) {
		p.parent = current_task();
	}
	task = task_create(&p, behaviour, data, &err);
	if (!task) {
		if (behaviour->release)
			free(data);
		return workload_fail(w, err, "task \"%s\" could not be created: %s%s", p.comm,
				     strerror(-err),
				     err == -ENOMEM ? "" : " (does the scheduler refuse it?)");
	}
	if (!starting) {
		task_start(task);
		return 0;
	}
	if (!w->leader && !params->new_process)
		w->leader = task;
	VRT_ASSERT(w->nr_created < workload_nr_tasks(w));
	w->created[w->nr_created++] = task;
	return 0;
}

struct start_call {
	struct workload *w;
	int err;
};

/* All tasks exist before the first one runs, as behind a barrier. */
static void start_inside(void *arg)
{
	struct start_call *call = arg;
	struct workload *w = call->w;
	struct task **created;
	u32 i;

	w->created = created = xcalloc(workload_nr_tasks(w), sizeof(*created));
	call->err = w->ops->start(w);
	w->created = NULL; /* from here on, spawning is forking */
	if (!call->err) {
		VRT_ASSERT(w->nr_created == workload_nr_tasks(w));
		w->zero = task_clock();
		for (i = 0; i < w->nr_created; i++)
			task_start(created[i]);
	}
	free(created);
}

int workload_start(struct workload *w, u32 group_base)
{
	struct start_call call = { w, 0 };

	w->group_base = group_base;
	kernel_run_inside(start_inside, &call);
	return call.err;
}

/* --- the list of generators --------------------------------------------------- */

bool workload_generator(u32 i, const char **name, const char **summary)
{
	if (i >= ARRAY_SIZE(generators))
		return false;
	*name = generators[i]->name;
	*summary = generators[i]->summary;
	return true;
}

const char *workload_generator_help(const char *name)
{
	static char help[4096];
	const struct generator *gen = find_generator(name, strlen(name));

	if (!gen)
		return NULL;
	options_help(gen->options, gen->name, gen->summary, help, sizeof(help));
	return help;
}
