// SPDX-License-Identifier: GPL-2.0-only
/*
 * Start-up: from the moment before 'vrt run' is started, by fork and exec as a
 * shell would, until a task of the simulated machine is first given a CPU, by this
 * host's monotonic clock. Waiting counts, so a busy host shows.
 */
#include <errno.h>
#include <ftw.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../base/alloc.h"
#include "../../base/process.h"
#include "../../base/strbuf.h"
#include "../../loader/loader.h"
#include "../json.h"
#include "../run.h"
#include "bench.h"
#include "stats.h"

#define SAMPLES 15
#define QUICK_SAMPLES 3

enum start_kind { START_CLASS, START_OBJECT, START_CACHED, START_COMPILED };

static const struct {
	const char *name, *what;
	enum start_kind kind;
} starts[] = {
	{ "eevdf", "vrt run eevdf", START_CLASS },
	{ "object", "vrt run fifo.bpf.o", START_OBJECT },
	{ "source", "vrt run fifo.bpf.c, compiled before", START_CACHED },
	{ "compile", "vrt run fifo.bpf.c, the first time", START_COMPILED },
};

/* What the commands need. */
struct place {
	char workload[32], object[32]; /* names of memory files */
	int workload_fd, object_fd;
	char *source; /* of the policy that ships */
};

const char *start_name(u32 i)
{
	return i < ARRAY_SIZE(starts) ? starts[i].name : NULL;
}

/* --- files --------------------------------------------------------------------------- */

/* A file that children have, too, and its name there. */
static int memory_file(const void *data, size_t size, char name[32])
{
	int fd = memfd_create("vrt-bench", 0);

	if (fd >= 0 && write(fd, data, size) != (ssize_t)size) {
		close(fd);
		fd = -1;
	}
	snprintf(name, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* @fifo: and the policy that ships, compiled. */
static bool place_make(struct place *p, bool fifo, char *why, size_t size)
{
	static const char tasks[] =
		"{ \"tasks\": { \"t\": { \"instance\": 8, \"loop\": -1, \"run\": 1000 } } }";
	struct loader_error *error = xcalloc(1, sizeof(*error));
	struct strbuf object = {};
	struct loader_options opts = {};
	bool ok;

	p->source = scheduler_file("fifo");
	p->workload_fd = memory_file(tasks, sizeof(tasks) - 1, p->workload);
	p->object_fd = -1;
	if (!fifo) {
		free(error);
		return true;
	}
	ok = p->source &&
	     loader_read_object(p->source, &opts, NULL, NULL, &object, error) == LOADER_OK;
	if (ok)
		p->object_fd = memory_file(object.data, object.len, p->object);
	else
		snprintf(why, size, "%s", p->source ? error->message : "fifo is not there");
	strbuf_free(&object);
	loader_error_free(error);
	free(error);
	return ok;
}

static void place_free(struct place *p)
{
	free(p->source);
	if (p->workload_fd >= 0)
		close(p->workload_fd);
	if (p->object_fd >= 0)
		close(p->object_fd);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

/* --- starting ------------------------------------------------------------------------- */

/* ns, or 0 and why not. */
static u64 start_once(const char *scheduler, const struct place *p, char *why, size_t size)
{
	char *args[] = { "/proc/self/exe", "run", (char *)scheduler, "--machine", "4",
			 "--workload", (char *)p->workload, "--for", "1ms", "--json",
			 "--host-stats", "--quiet", "--bundle", "none", NULL };
	struct strbuf out = {}, err = {};
	struct json_object *document;
	u64 before = wall_clock(), at = 0;
	int status = run_process(args, &out, &err);

	document = status ? NULL : json_tokener_parse(strbuf_str(&out));
	if (document)
		json_u64_at(json_object_array_get_idx(json_at(document, "runs"), 0),
			    "host.first_decision_ns", &at);
	if (!at)
		snprintf(why, size, "'vrt run %s' ended with %d: %s", scheduler, status,
			 err.len ? strbuf_str(&err) : "nothing was scheduled");
	json_object_put(document);
	strbuf_free(&out);
	strbuf_free(&err);
	return at > before ? at - before : 0;
}

/* With a cache in which there is nothing. */
static u64 start_compiling(const struct place *p, char *why, size_t size)
{
	const char *tmp = getenv("TMPDIR"), *told = getenv("XDG_CACHE_HOME");
	char *before = told ? xstrdup(told) : NULL, dir[4096];
	u64 ns;

	snprintf(dir, sizeof(dir), "%s/vruntime-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	if (!mkdtemp(dir)) {
		snprintf(why, size, "no directory for a cache can be made in %.256s: %s",
			 tmp && *tmp == '/' ? tmp : "/tmp", strerror(errno));
		free(before);
		return 0;
	}
	setenv("XDG_CACHE_HOME", dir, 1);
	ns = start_once(p->source, p, why, size);
	if (before)
		setenv("XDG_CACHE_HOME", before, 1);
	else
		unsetenv("XDG_CACHE_HOME");
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(before);
	return ns;
}

static u64 start(enum start_kind kind, const struct place *p, char *why, size_t size)
{
	switch (kind) {
	case START_CLASS:
		return start_once("eevdf", p, why, size);
	case START_OBJECT:
		return start_once(p->object, p, why, size);
	case START_CACHED:
		return start_once(p->source, p, why, size);
	case START_COMPILED:
		return start_compiling(p, why, size);
	}
	return 0;
}

struct json_object *start_measure(const struct bench *b)
{
	u32 nr = b->options.quick ? QUICK_SAMPLES : SAMPLES;
	struct samples ms[ARRAY_SIZE(starts)] = {};
	struct json_object *all;
	struct place place;
	char why[4096] = "";
	bool ok, fifo = false;

	if (!bench_wants(b, "start", NULL))
		return NULL;
	for (u32 k = 0; k < ARRAY_SIZE(starts); k++)
		fifo |= starts[k].kind != START_CLASS && bench_wants(b, "start", starts[k].name);
	ok = place_make(&place, fifo, why, sizeof(why));
	for (u32 i = 0; i < nr && ok; i++) {
		bench_progress("start");
		for (u32 k = 0; k < ARRAY_SIZE(starts) && ok; k++) {
			u64 ns;

			if (!bench_wants(b, "start", starts[k].name))
				continue;
			ns = start(starts[k].kind, &place, why, sizeof(why));
			ok = ns;
			if (ok)
				sample_add(&ms[k], (double)ns / NSEC_PER_MSEC);
		}
	}
	place_free(&place);
	all = json_object_new_array();
	for (u32 k = 0; k < ARRAY_SIZE(starts); k++) {
		struct json_object *object = json_object_new_object();

		if (!bench_wants(b, "start", starts[k].name)) {
			json_object_put(object);
			continue;
		}
		json_add_string(object, "name", starts[k].name);
		json_add_string(object, "what", starts[k].what);
		json_object_object_add(object, "ms", samples_json(&ms[k]));
		if (!ok)
			json_add_string(object, "error", why);
		json_object_array_add(all, object);
	}
	return all;
}

void start_print(struct json_object *start)
{
	static const char *const parts[] = { "ms.median", "ms.min", "ms.max" };
	char text[32];

	printf("%-45s%11s%11s%11s\n", "ms from the command to its first decision", "median",
	       "least", "most");
	for (size_t i = 0; i < json_object_array_length(start); i++) {
		struct json_object *object = json_object_array_get_idx(start, i);

		printf("  %-43s", json_string_at(object, "what"));
		for (u32 p = 0; p < ARRAY_SIZE(parts); p++)
			printf("%11s", figure_text(json_object_get_double(json_at(object, parts[p])),
						   text, sizeof(text)));
		printf("\n");
	}
}
