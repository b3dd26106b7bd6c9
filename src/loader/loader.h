/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opens, configures, loads and attaches BPF objects through libbpf, whose
 * kernel requests the facade (facade.c) answers with vrt_bpf().
 */
#ifndef VRT_LOADER_LOADER_H
#define VRT_LOADER_LOADER_H

#include "../base/util.h"
#include "../bpf/generation.h"

struct loader;
struct topology;

/*
 * How loading ended. Everything but LOADER_OK comes with a message: what went
 * wrong where, what was expected, what to do. @log: libbpf's and the
 * subsystem's own words, "" if none.
 */
enum loader_status {
	LOADER_OK,
	LOADER_ERR_USAGE, /* no such file, variable, program */
	LOADER_ERR_COMPILE,
	LOADER_ERR_OBJECT, /* not a BPF object, truncated, without BTF */
	LOADER_ERR_LOAD, /* refused by the subsystem */
	LOADER_ERR_ATTACH,
};

struct loader_error {
	enum loader_status status;
	char message[4096];
	char *log; /* malloc'd, NULL if empty */
};

struct loader_options {
	const char *const *set; /* "var=value", also fields and elements: "cfg.batch=3", "arr[2]=1" */
	u32 nr_set;
	const char *const *init_progs; /* SEC("syscall") programs to run between load and attach */
	u32 nr_init_progs;
	const char *const *include_dirs; /* for .bpf.c: searched after our own */
	u32 nr_include_dirs;
	const struct topology *topology; /* for machine variables; NULL: nr_cpu_ids equal CPUs */
	enum kernel_generation generation; /* of the kernel that was booted, which tells its version */
	u32 hz; /* CONFIG_HZ that the object may ask for; 0: 250 */
	/*
	 * The struct_ops table to attach where there are several of its type; NULL:
	 * the first, or all of type bpf_periodic_ops.
	 */
	const char *ops;
	/* programs that are not to be loaded, so that the others can be: to verify them */
	const char *const *skip;
	u32 nr_skip;
	const char *only; /* the one program to load, with the table that it is in; NULL: all */
	u32 log_level; /* of each program's load, as BPF_PROG_LOAD takes it; 0: no logs */
	bool any_object; /* also one that has nothing, or not enough, to attach: to verify it */
	/*
	 * Into this host's kernel instead of the simulated one, in a process without
	 * bpf_init(): objects of programs that only look (LOADER_TRACING, without lsm
	 * and fmod_ret). Machine variables are the host's unless there is a @topology.
	 */
	bool host;
	/* with @host: also what changes how it works, such as a scheduler, for the host is ours */
	bool host_all;
	bool verbose; /* libbpf's debug output too */
};

/* One line about something that the user should know but that is no error. */
typedef void (*loader_warn_fn)(const char *line, void *arg);

/*
 * @path: a .bpf.o, or a .bpf.c which is compiled by clang into a cache. The
 * object is opened and configured (machine variables, enum variables,
 * resizable arrays, @opts->set) but not loaded. After bpf_init(), unless it is
 * for the host. @opts may be NULL; what it points at is needed during the call only. NULL with the reason
 * in @error.
 */
struct loader *loader_open(const char *path, const struct loader_options *opts,
			   loader_warn_fn warn, void *arg, struct loader_error *error);
/*
 * Which generations of Linux have all the functions that the object cannot do
 * without: those it declares and does not declare weak. @fits: a bit per enum
 * kernel_generation, GENERATION_ANY not among them. LOADER_ERR_LOAD if there is
 * none, with what each lacks. A function that no generation has does not count:
 * that is found at load. Needs no machine.
 */
enum loader_status loader_detect_generation(const char *path, const struct loader_options *opts,
					    u32 *fits, struct loader_error *error);
/*
 * Only the bytes of the object that loader_open() would open, appended to @object:
 * to load it elsewhere.
 */
struct strbuf;
enum loader_status loader_read_object(const char *path, const struct loader_options *opts,
				      loader_warn_fn warn, void *arg, struct strbuf *object,
				      struct loader_error *error);
/* Into the subsystem, then the init programs. */
enum loader_status loader_load(struct loader *l, struct loader_error *error);
/*
 * Attaches programs that find their place by themselves (tracepoints, fentry),
 * then periodic ones, then the scheduler: ghOSt programs or the chosen struct_ops
 * table. All or nothing, but for programs of the first kind beside a scheduler,
 * which are left out with a warning.
 */
enum loader_status loader_attach(struct loader *l, struct loader_error *error);
void loader_detach(struct loader *l);
/* Detaches, unloads and frees. */
void loader_close(struct loader *l);
void loader_error_free(struct loader_error *error);

/*
 * Runs a SEC("syscall") program of a loaded object (BPF_PROG_TEST_RUN), what it
 * returns in @retval. LOADER_ERR_USAGE: there is no such program; LOADER_ERR_LOAD:
 * it could not be run.
 */
enum loader_status loader_run(struct loader *l, const char *name, int *retval,
			      struct loader_error *error);

/* One program of an object. Names stay until it is closed. */
struct loader_program {
	const char *name, *section;
	const char *member; /* of an operations table: what it is there; NULL: in none */
	u32 insns; /* as loaded, if it was */
	int fd; /* -1: it is not loaded */
	const char *log; /* with log_level: what its load said, else NULL */
};
/* Program @i in the object's order; false: there are no more. */
bool loader_program(const struct loader *l, u32 i, struct loader_program *program);
/*
 * After a failed loader_load(): the program that was refused, and why, which is
 * also in the error's message. NULL: it was something else.
 */
const char *loader_refused(const struct loader *l, const char **why);

/*
 * The text of an explanation: the message, then lines that begin with two blanks
 * (at, known, path, hint).
 */
struct bpf_explanation;
void explain_refusal(const struct bpf_explanation *explanation, struct strbuf *text);

/* What an object brings, and so what must be there before it is attached. */
enum loader_kind {
	LOADER_SCX = 1 << 0, /* a table sched_ext_ops */
	LOADER_GHOST = 1 << 1, /* ghost_sched/pnt, ghost_msg/msg_send: wants an enclave */
	LOADER_PERIODIC = 1 << 2, /* a table bpf_periodic_ops or SEC("periodic/...") */
	LOADER_TRACING = 1 << 3, /* programs that find their place by themselves */
};
/* Bits of enum loader_kind, once it is open. */
u32 loader_kinds(const struct loader *l);
/*
 * The descriptor of the enclave's ctl file that ghOSt programs are attached to,
 * as of ghost_enclave_fd(). It becomes the loader's, which closes it in the end.
 * Before loader_attach() of an object of kind LOADER_GHOST.
 */
void loader_set_enclave(struct loader *l, int ctl_fd);

/* The name of map @i of those that loader_print_map() can list; NULL: there are no more. */
const char *loader_map_name(const struct loader *l, u32 i);
/* Is there a map @name, and of a kind that loader_print_map() can list? LOADER_ERR_USAGE if not. */
enum loader_status loader_check_map(const struct loader *l, const char *name,
				    struct loader_error *error);
/*
 * Appends the contents of map @name to @out as text, formatted by its BTF, one
 * entry per line in the order of keys; zero values of arrays are left out. Of
 * mmapable arrays they are read through mmap(), as an agent would, otherwise by
 * system calls. @symbol (may be NULL) gives 64-bit numbers that are addresses a
 * name. -ENOENT: no such map; -EOPNOTSUPP: not a kind that can be listed.
 *
 *	{.pid = 7, .comm = "web"} = 12		a hash
 *	[3] = {.hits = 1, .last = do_exit}	an array
 *	[0].e[3] = {.hits = 1}			of one struct that is all array
 *	7 = 12 (cpu 0: 5, cpu 2: 7)		integers of every CPU, and their sum
 *	7 cpu 2 = {.hits = 1}			other values of a CPU
 *	nr_events = 12				a section of global variables (".bss")
 */
struct strbuf;
int loader_print_map(struct loader *l, const char *name, const char *(*symbol)(u64 address),
		     struct strbuf *out);

/* Name of the (first) chosen struct_ops map, e.g. "simple_ops"; "" if there is none. */
const char *loader_name(const struct loader *l);
/* sha256 of the object file, in hex */
const char *loader_object_hash(const struct loader *l);
/* Is there a global variable @name (or a part of one: "cfg.batch") that is an integer? */
bool loader_has_var(const struct loader *l, const char *name);
/* Reads a global after load: integer variables only. 0 or -ENOENT. */
int loader_read_var(struct loader *l, const char *name, s64 *value);
/*
 * Sets one after load, through a mapping, as agents do while the program runs.
 * -ENOENT: no such variable; -EPERM: it is constant; -ERANGE: it does not fit.
 */
int loader_set_var(struct loader *l, const char *name, s64 value);

#endif
