// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects beside the scheduler: tracing programs, and periodic ones, on the module
 * schedbpf, which is loaded when the first of them comes. Their figures are the
 * module's, in sysfs and debugfs (kmod/schedbpf/stats.c), as they are when the run ends.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../base/alloc.h"
#include "../../base/file.h"
#include "../../base/hist.h"
#include "../../trace/metrics.h"
#include "../run.h"
#include "guest.h"
#include "kmsg.h"

#define PROGRAMS "/sys/kernel/schedbpf"
#define DEBUGFS "/sys/kernel/debug"
#define HISTOGRAMS DEBUGFS "/schedbpf"
#define MODULE_WORDS "schedbpf: " /* what its lines in the kernel's log begin with */
#define MAX_TEXT (1U << 20)
#define PPM 1000000ULL

struct beside {
	struct loader *loader;
	u64 attached;
	char **programs; /* names, in the order of attachment; as many as the object has */
	u32 nr_programs;
};

static struct beside *besides;
static u32 nr_besides;

/* --- the module ------------------------------------------------------------------------ */

static int load_module(void)
{
	int fd = open(RUN_MODULE, O_RDONLY | O_CLOEXEC), err = fd < 0 ? -errno : 0;

	if (!err && syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

enum loader_status beside_need_module(struct loader_error *error)
{
	int err;

	if (!access(PROGRAMS, F_OK))
		return LOADER_OK;
	err = load_module();
	if (!err)
		return LOADER_OK;
	if (err == -ENOENT)
		snprintf(error->message, sizeof(error->message),
			 "has periodic programs, which this kernel does not know; the simulated "
			 "machine does (--on sim), and a stock kernel with the module schedbpf "
			 "(vrt vm module, then --on vm:schedbpf)");
	else
		snprintf(error->message, sizeof(error->message),
			 "the module schedbpf cannot be loaded into this kernel: %s; 'vrt vm module' "
			 "builds it",
			 strerror(-err));
	return error->status = LOADER_ERR_LOAD;
}

/* --- reading figures -------------------------------------------------------------------- */

static void read_file(const char *dir, const char *name, const char *file, struct strbuf *text)
{
	struct strbuf path = {};

	strbuf_printf(&path, "%s/%s%s%s", dir, name, file ? "/" : "", file ? file : "");
	file_read(strbuf_str(&path), MAX_TEXT, text);
	strbuf_free(&path);
	if (text->len && text->data[text->len - 1] == '\n')
		text->data[--text->len] = '\0';
}

static s64 figure(const char *program, const char *file)
{
	struct strbuf text = {};
	s64 value;

	read_file(PROGRAMS, program, file, &text);
	value = strtoll(strbuf_str(&text), NULL, 10);
	strbuf_free(&text);
	return value;
}

/* Its highest value: a bucket is an eighth of a power of two wide. */
static u64 bucket_end(u64 low)
{
	return low < 16 ? low : low + (1ULL << (60 - __builtin_clzll(low))) - 1;
}

/* "latency 4096 12": the lowest value of a bucket, and how many. */
static void read_hist(const char *program, const char *which, struct hist *hist)
{
	struct strbuf text = {};
	char *rest, *line, name[32];
	unsigned long long low;
	u32 count;

	read_file(HISTOGRAMS, program, NULL, &text);
	rest = text.data;
	while (rest && (line = strsep(&rest, "\n")))
		if (sscanf(line, "%31s %llu %u", name, &low, &count) == 3 && !strcmp(name, which))
			hist_record_n(hist, bucket_end(low), count);
	strbuf_free(&text);
}

static void add_hist(struct json_object *obj, const char *key, const char *program,
		     const char *which, u64 sum, u64 max)
{
	struct hist hist = {};

	read_hist(program, which, &hist);
	if (hist.count) {
		hist.sum = sum;
		hist.max = max;
		hist.min = min(hist.min, max);
	}
	json_object_object_add(obj, key, metrics_hist_json(&hist));
	hist_free(&hist);
}

static void add_number(struct json_object *obj, const char *key, u64 value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

static struct json_object *program_json(const char *name, u64 elapsed)
{
	struct json_object *obj = json_object_new_object();
	bool shared = figure(name, "shared");
	/* the thread's time, or that of the runs if the thread has others' as well */
	u64 runtime = (u64)figure(name, shared ? "runtime_ns" : "cpu_ns");
	struct strbuf cgroup = {}, worker = {}, mode = {};

	read_file(PROGRAMS, name, "cgroup", &cgroup);
	read_file(PROGRAMS, name, "worker", &worker);
	read_file(PROGRAMS, name, "mode", &mode);
	json_object_object_add(obj, "name", json_object_new_string(name));
	json_object_object_add(obj, "worker",
			       shared ? json_object_new_string(strbuf_str(&worker)) : NULL);
	json_object_object_add(obj, "mode", json_object_new_string(strbuf_str(&mode)));
	json_object_object_add(obj, "pid", json_object_new_int64(figure(name, "pid")));
	json_object_object_add(obj, "nice", json_object_new_int64(figure(name, "nice")));
	add_number(obj, "period_ns", (u64)figure(name, "period_ns"));
	json_object_object_add(obj, "cgroup", json_object_new_string(strbuf_str(&cgroup)));
	json_object_object_add(obj, "failed", json_object_new_boolean(false));
	add_number(obj, "runs", (u64)figure(name, "runs"));
	add_number(obj, "missed", (u64)figure(name, "missed"));
	add_number(obj, "runtime_ns", runtime);
	add_number(obj, "cpu_ppm",
		   elapsed ? (u64)((unsigned __int128)runtime * PPM / elapsed) : 0);
	add_hist(obj, "run_time", name, "runtime", (u64)figure(name, "runtime_ns"),
		 (u64)figure(name, "runtime_max_ns"));
	add_hist(obj, "wakeup_latency", name, "latency", (u64)figure(name, "latency_ns"),
		 (u64)figure(name, "latency_max_ns"));
	add_number(obj, "delay_ns", (u64)figure(name, "delay_ns"));
	add_number(obj, "throttled_ns",
		   strcmp(strbuf_str(&cgroup), "/") ? cgroups_throttled(strbuf_str(&cgroup)) : 0);
	strbuf_free(&mode);
	strbuf_free(&worker);
	strbuf_free(&cgroup);
	return obj;
}

/* --- attaching and detaching ---------------------------------------------------------------- */

static bool is_known(const char *name)
{
	for (u32 i = 0; i < nr_besides; i++)
		for (u32 p = 0; p < besides[i].nr_programs; p++)
			if (!strcmp(besides[i].programs[p], name))
				return true;
	return false;
}

static int by_pid(const void *a, const void *b)
{
	s64 x = figure(*(char *const *)a, "pid"), y = figure(*(char *const *)b, "pid");

	return x == y ? strcmp(*(char *const *)a, *(char *const *)b) : x < y ? -1 : 1;
}

/* Those that are there now and were not before are @b's. */
static void note_programs(struct beside *b)
{
	DIR *dir = opendir(PROGRAMS);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || is_known(e->d_name))
			continue;
		b->programs = xreallocarray(b->programs, b->nr_programs + 1, sizeof(*b->programs));
		b->programs[b->nr_programs++] = xstrdup(e->d_name);
	}
	if (dir)
		closedir(dir);
	if (b->nr_programs)
		qsort(b->programs, b->nr_programs, sizeof(*b->programs), by_pid);
}

/* The module tells the log what is wrong with a table; bpf(2) only gives a number. */
static void add_reason(int kmsg, struct loader_error *error)
{
	struct strbuf lines = {};
	struct kmsg_exit exit = {};
	char *rest, *line;
	size_t len;

	if (kmsg < 0)
		return;
	kmsg_read(kmsg, &exit, &lines);
	rest = lines.data;
	while (rest && (line = strsep(&rest, "\n"))) {
		if (strncmp(line, MODULE_WORDS, strlen(MODULE_WORDS)))
			continue;
		len = strlen(error->message);
		snprintf(error->message + len, sizeof(error->message) - len, "; %s", line);
	}
	strbuf_free(&lines);
}

static enum loader_status check_kinds(const struct beside *b, struct loader_error *error)
{
	u32 kinds = loader_kinds(b->loader);

	if (!(kinds & (LOADER_SCX | LOADER_GHOST)))
		return kinds & LOADER_PERIODIC ? beside_need_module(error) : LOADER_OK;
	snprintf(error->message, sizeof(error->message),
		 "is a scheduler, and cannot run beside another one: give it to 'vrt run' as SCHED");
	return error->status = LOADER_ERR_USAGE;
}

static enum loader_status attach(struct beside *b, struct json_object *entry, loader_warn_fn warn,
				 struct loader_error *error)
{
	struct loader_options opts = { .host = true, .host_all = true };
	const char *object = json_object_get_string(json_object_object_get(entry, "object"));
	struct json_object *set = json_object_object_get(entry, RUN_KEY_SET);
	const char **items = xcalloc(json_object_array_length(set) + 1, sizeof(*items));
	enum loader_status status;
	int kmsg;

	for (; opts.nr_set < json_object_array_length(set); opts.nr_set++)
		items[opts.nr_set] =
			json_object_get_string(json_object_array_get_idx(set, opts.nr_set));
	opts.set = items;
	b->loader = loader_open(object, &opts, warn, NULL, error);
	free(items);
	status = b->loader ? check_kinds(b, error) : error->status;
	if (status == LOADER_OK)
		status = loader_load(b->loader, error);
	if (status != LOADER_OK)
		return status;
	b->attached = kernel_now();
	kmsg = kmsg_open();
	status = loader_attach(b->loader, error);
	if (status == LOADER_OK)
		note_programs(b);
	else
		add_reason(kmsg, error);
	if (kmsg >= 0)
		close(kmsg);
	return status;
}

enum loader_status beside_attach(struct json_object *settings, loader_warn_fn warn,
				 struct loader_error *error)
{
	enum loader_status status = LOADER_OK;
	struct json_object *list;

	if (!json_object_object_get_ex(settings, RUN_KEY_WITH, &list) ||
	    !json_object_array_length(list))
		return LOADER_OK;
	cgroups_mount(); /* a kernel without says so when a table asks for one */
	mount("debugfs", DEBUGFS, "debugfs", 0, NULL); /* or it is there already */
	besides = xcalloc(json_object_array_length(list) + 1, sizeof(*besides));
	for (size_t i = 0; status == LOADER_OK && i < json_object_array_length(list); i++)
		status = attach(&besides[nr_besides++], json_object_array_get_idx(list, i), warn,
				error);
	return status;
}

static struct json_object *object_json(const struct beside *b)
{
	struct json_object *obj = json_object_new_object(), *kinds = json_object_new_array();
	struct json_object *programs = json_object_new_array();
	u64 elapsed = kernel_now() - b->attached;

	json_object_object_add(obj, "hash", json_object_new_string(loader_object_hash(b->loader)));
	if (loader_kinds(b->loader) & LOADER_PERIODIC)
		json_object_array_add(kinds, json_object_new_string("periodic"));
	if (loader_kinds(b->loader) & LOADER_TRACING)
		json_object_array_add(kinds, json_object_new_string("tracing"));
	json_object_object_add(obj, "kinds", kinds);
	for (u32 i = 0; i < b->nr_programs; i++)
		json_object_array_add(programs, program_json(b->programs[i], elapsed));
	json_object_object_add(obj, "periodic", programs);
	return obj;
}

struct json_object *beside_json(void)
{
	struct json_object *array = json_object_new_array();

	for (u32 i = 0; i < nr_besides; i++)
		json_object_array_add(array, object_json(&besides[i]));
	return array;
}

struct loader *beside_with_map(const char *map)
{
	struct loader_error error = {};

	for (u32 i = 0; i < nr_besides; i++) {
		if (loader_check_map(besides[i].loader, map, &error) == LOADER_OK)
			return besides[i].loader;
		loader_error_free(&error);
	}
	return NULL;
}

void beside_detach(void)
{
	while (nr_besides) {
		struct beside *b = &besides[--nr_besides];

		loader_close(b->loader);
		while (b->nr_programs)
			free(b->programs[--b->nr_programs]);
		free(b->programs);
	}
	free(besides);
	besides = NULL;
}
