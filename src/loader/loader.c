// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of an object: open, configure, load, run its init programs, close.
 *
 * libbpf prints through one function for the whole process; what it says while
 * a loader is at work is kept in that loader's log.
 */
#include "loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../base/alloc.h"
#include "../base/cpumask.h"
#include "../bpf/bpf.h"
#include "facade.h"
#include "internal.h"

#define LOG_MAX_BYTES (4U << 20)
#define DEFAULT_HZ 250

/* --- messages ------------------------------------------------------------------ */

enum loader_status loader_fail(struct loader_error *error, enum loader_status status,
			       const char *fmt, ...)
{
	va_list args;

	if (!error)
		return status;
	error->status = status;
	va_start(args, fmt);
	vsnprintf(error->message, sizeof(error->message), fmt, args);
	va_end(args);
	return status;
}

void loader_error_free(struct loader_error *error)
{
	free(error->log);
	*error = (struct loader_error){};
}

void loader_warn(const struct loader *l, const char *fmt, ...)
{
	struct strbuf line = {};
	va_list args;

	if (!l->warn)
		return;
	va_start(args, fmt);
	strbuf_vprintf(&line, fmt, args);
	va_end(args);
	l->warn(strbuf_str(&line), l->warn_arg);
	strbuf_free(&line);
}

/* Whose log libbpf's words go to. */
static struct loader *at_work;

static int print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (!at_work || (level == LIBBPF_DEBUG && !at_work->verbose) ||
	    at_work->log.len > LOG_MAX_BYTES)
		return 0;
	strbuf_vprintf(&at_work->log, fmt, args);
	return 0;
}

void loader_begin(struct loader *l)
{
	strbuf_reset(&l->log);
	at_work = l;
	libbpf_set_print(print);
}

enum loader_status loader_end(struct loader *l, enum loader_status status,
			      struct loader_error *error)
{
	at_work = NULL;
	if (error && status != LOADER_OK && l->log.len)
		error->log = strbuf_detach(&l->log);
	else if (l->verbose && l->log.len)
		loader_warn(l, "%s", strbuf_str(&l->log));
	return status;
}

/* --- open ---------------------------------------------------------------------- */

/* What libbpf calls the object, and the maps of its sections: "scx_simple". */
static char *object_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char *name = xstrdup(base);

	name[strcspn(name, ".")] = '\0';
	return name;
}

static enum loader_status open_image(struct loader *l, const struct image *image,
				     struct loader_error *error)
{
	char *name = object_name(l->path);
	/* an empty token path: no look at what the environment or a mount says */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name, .bpf_token_path = "");
	struct bpf_map *map;
	int err;

	l->obj = bpf_object__open_mem(image->data, image->size, &opts);
	err = l->obj ? 0 : -errno;
	free(name);
	if (err)
		return explain_open(l, err, error);
	/* the simulated machine has just booted: nothing is pinned */
	bpf_object__for_each_map(map, l->obj)
		bpf_map__set_pin_path(map, NULL);
	l->btf = bpf_object__btf(l->obj);
	if (!l->btf)
		return loader_fail(error, LOADER_ERR_OBJECT,
				   "%s: its BTF is damaged; compile it again with clang -g", l->path);
	return LOADER_OK;
}

static enum loader_status apply_settings(struct loader *l, const struct loader_options *opts,
					 bool struct_ops, struct loader_error *error)
{
	enum loader_status status = LOADER_OK;

	for (u32 i = 0; i < opts->nr_set && status == LOADER_OK; i++)
		if (is_struct_ops_setting(l, opts->set[i]) == struct_ops)
			status = apply_setting(l, opts->set[i], error);
	return status;
}

static struct bpf_program *find_syscall_program(const struct loader *l, const char *name,
						struct loader_error *error)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(l->obj, name);

	if (!prog)
		loader_fail(error, LOADER_ERR_USAGE, "%s: has no program '%s' to run", l->path, name);
	else if (bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL)
		return prog;
	else
		loader_fail(error, LOADER_ERR_USAGE,
			    "%s: program '%s' is SEC(\"%s\"); only SEC(\"syscall\") programs can be run",
			    l->path, name, bpf_program__section_name(prog));
	return NULL;
}

static enum loader_status pick_init_programs(const struct loader *l, struct loader_error *error)
{
	for (u32 i = 0; i < l->nr_init_progs; i++) {
		struct bpf_program *prog = find_syscall_program(l, l->init_progs[i], error);

		if (!prog)
			return LOADER_ERR_USAGE;
		bpf_program__set_autoload(prog, true);
	}
	return LOADER_OK;
}

/* In the order in which later steps need what earlier ones set. */
static enum loader_status configure(struct loader *l, const struct loader_options *opts,
				    struct loader_error *error)
{
	enum loader_status status = check_contents(l, opts->any_object, error);

	if (status == LOADER_OK && opts->host && !opts->host_all)
		status = host_check(l, error);
	if (status == LOADER_OK)
		status = pick_init_programs(l, error);
	if (status == LOADER_OK)
		status = skip_programs(l, opts, error);
	if (status == LOADER_OK)
		keep_logs(l, opts->log_level);
	if (status == LOADER_OK)
		status = apply_settings(l, opts, true, error);
	if (status != LOADER_OK)
		return status;
	leave_out(l);
	fill_machine_variables(l);
	status = resize_arrays(l, error);
	if (status == LOADER_OK)
		status = apply_settings(l, opts, false, error);
	if (status == LOADER_OK)
		warn_about_defaults(l);
	return status;
}

static void hash_image(struct loader *l, const struct image *image)
{
	struct hash_sha256 hash;
	u8 digest[SHA256_BYTES];

	hash_sha256_init(&hash);
	hash_sha256_add(&hash, image->data, image->size);
	hash_sha256_final(&hash, digest);
	hash_sha256_hex(digest, l->hash);
}

static struct loader *loader_new(const char *path, const struct loader_options *opts,
				 loader_warn_fn warn, void *arg)
{
	struct loader *l = xcalloc(1, sizeof(*l));

	l->path = xstrdup(path);
	l->enclave = -1;
	l->warn = warn;
	l->warn_arg = arg;
	l->verbose = opts->verbose;
	l->topology = opts->topology;
	l->ops = opts->ops ? xstrdup(opts->ops) : NULL;
	l->init_progs = xcalloc(opts->nr_init_progs, sizeof(*l->init_progs));
	for (; l->nr_init_progs < opts->nr_init_progs; l->nr_init_progs++)
		l->init_progs[l->nr_init_progs] = xstrdup(opts->init_progs[l->nr_init_progs]);
	return l;
}

static void use_simulated_kernel(struct loader *l)
{
	u32 size;
	const void *raw = bpf_kernel_btf_raw(&size);

	VRT_ASSERT(nr_cpu_ids && bpf_env);
	l->nr_cpus = nr_cpu_ids;
	l->kernel_btf = btf__new(raw, size);
	VRT_ASSERT(l->kernel_btf);
}

struct loader *loader_open(const char *path, const struct loader_options *opts,
			   loader_warn_fn warn, void *arg, struct loader_error *error)
{
	static const struct loader_options none;
	enum loader_status status;
	struct image image;
	struct loader *l;

	if (error)
		*error = (struct loader_error){};
	opts = opts ? opts : &none;
	status = object_read(&image, path, opts, warn, arg, error);
	if (status != LOADER_OK)
		return NULL;

	facade_set_generation(opts->generation);
	facade_set_hz(opts->hz ? opts->hz : DEFAULT_HZ);
	register_sections();
	l = loader_new(path, opts, warn, arg);
	loader_begin(l);
	hash_image(l, &image);
	if (opts->host)
		status = host_init(l, error);
	else
		use_simulated_kernel(l);
	if (status == LOADER_OK)
		status = check_layout(&image, l->path, error);
	if (status == LOADER_OK)
		status = open_image(l, &image, error);
	free(image.data);
	if (status == LOADER_OK)
		status = configure(l, opts, error);
	loader_end(l, status, error);
	l->topology = NULL;
	if (status == LOADER_OK)
		return l;
	loader_close(l);
	return NULL;
}

/* --- load ---------------------------------------------------------------------- */

enum loader_status loader_run(struct loader *l, const char *name, int *retval,
			      struct loader_error *error)
{
	struct bpf_program *prog = find_syscall_program(l, name, error);
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err;

	if (!prog)
		return LOADER_ERR_USAGE;
	err = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
	if (err)
		return loader_fail(error, LOADER_ERR_LOAD, "%s: program '%s' could not be run: %s",
				   l->path, name, strerror(-err));
	*retval = (int)opts.retval;
	return LOADER_OK;
}

static enum loader_status run_init_program(struct loader *l, const char *name,
					   struct loader_error *error)
{
	int retval;
	enum loader_status status = loader_run(l, name, &retval, error);

	if (status == LOADER_OK && retval)
		status = loader_fail(error, LOADER_ERR_LOAD,
				     "%s: init program '%s' returned %d; expected 0", l->path, name,
				     retval);
	return status;
}

enum loader_status loader_load(struct loader *l, struct loader_error *error)
{
	enum loader_status status = LOADER_OK;
	int err;

	if (error)
		*error = (struct loader_error){};
	/* memory is not accounted by RLIMIT_MEMLOCK here */
	libbpf_set_memlock_rlim(0);
	set_refused(l, NULL, NULL);
	loader_begin(l);
	err = bpf_object__load(l->obj);
	if (err)
		status = explain_load(l, err, error);
	for (u32 i = 0; i < l->nr_init_progs && status == LOADER_OK; i++)
		status = run_init_program(l, l->init_progs[i], error);
	return loader_end(l, status, error);
}

void loader_close(struct loader *l)
{
	if (!l)
		return;
	loader_detach(l);
	loader_set_enclave(l, -1);
	bpf_object__close(l->obj);
	btf__free(l->kernel_btf);
	for (u32 i = 0; i < l->nr_init_progs; i++)
		free(l->init_progs[i]);
	for (u32 i = 0; i < l->nr_settled; i++)
		free(l->settled[i]);
	free(l->init_progs);
	free(l->ops);
	free(l->settled);
	free_logs(l);
	set_refused(l, NULL, NULL);
	strbuf_free(&l->log);
	free(l->path);
	free(l);
}

const char *loader_object_hash(const struct loader *l)
{
	return l->hash;
}
