/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the loader. The order of an object's life: image (a file that may be
 * one), libbpf's open, machine variables, the user's settings, libbpf's load,
 * init programs, attach.
 *
 * <bpf/...> and src/bpf/ use the same names for different things: a file here
 * includes one or the other (../bpf/bpf.h goes with both).
 */
#ifndef VRT_LOADER_INTERNAL_H
#define VRT_LOADER_INTERNAL_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "../base/hash.h"
#include "../base/process.h"
#include "../base/strbuf.h"
#include "../base/suggest.h"
#include "../../kernel/ghost.h"
#include "../../kernel/periodic.h"
#include "loader.h"

struct loader_link;

struct loader {
	char *path; /* as the user gave it, for messages */
	struct bpf_object *obj;
	struct btf *btf; /* the object's */
	struct btf *kernel_btf;
	const struct topology *topology; /* during open */
	u32 nr_cpus; /* possible ones of the kernel */
	char hash[SHA256_HEX_SIZE];
	bool verbose;

	loader_warn_fn warn;
	void *warn_arg;
	struct strbuf log; /* what libbpf said during the current step */

	char *ops; /* the table that was asked for, or NULL */
	char **init_progs;
	u32 nr_init_progs;
	struct loader_link *links;
	u32 nr_links;
	int enclave; /* descriptor of its ctl file, or -1 */

	char **settled; /* names of variables that somebody has set */
	u32 nr_settled;

	char **logs; /* by program, NULL where there is none */
	u32 nr_logs;
	char *refused, *refusal; /* program that the load stumbled over, and why; or NULL */
};

/* Fills in @error (may be NULL) and returns @status. */
__printf(3, 4) enum loader_status loader_fail(struct loader_error *error,
					      enum loader_status status, const char *fmt, ...);
__printf(2, 3) void loader_warn(const struct loader *l, const char *fmt, ...);

/* What libbpf says between these two is kept in the loader's log, which goes with the error. */
void loader_begin(struct loader *l);
enum loader_status loader_end(struct loader *l, enum loader_status status,
			      struct loader_error *error);

/* --- programs.c ------------------------------------------------------------- */

/* Makes room for the log of each program. Before load. */
void keep_logs(struct loader *l, u32 level);
void free_logs(struct loader *l);
/* Does as @opts->skip and @opts->only say. Before load. */
enum loader_status skip_programs(const struct loader *l, const struct loader_options *opts,
				 struct loader_error *error);
/* Both NULL: none. */
void set_refused(struct loader *l, const char *name, const char *why);

/* --- sections.c ------------------------------------------------------------- */

/* Tells libbpf of the sections that are ours. Before it opens anything. */
void register_sections(void);
/* Does the kernel load a program of this type that does nothing? */
bool kernel_takes(u32 type, u32 attach_type);
/* Has every program a type, and every periodic one a period? */
enum loader_status check_sections(const struct loader *l, struct loader_error *error);

/* --- contents.c ------------------------------------------------------------- */

/* Is there something to run, and does it go together? @any: there may be nothing. */
enum loader_status check_contents(const struct loader *l, bool any, struct loader_error *error);
/* Programs that the object can do without and the kernel has no place for, with a warning. */
void leave_out(const struct loader *l);
/* The struct_ops table after @map (NULL: the first) that is to be attached. */
struct bpf_map *next_chosen(const struct loader *l, struct bpf_map *map);
/* 0: none of ours. */
enum loader_kind table_kind(const struct loader *l, const struct bpf_map *map);
enum loader_kind program_kind(const struct bpf_program *prog);
/* It is loaded, and loader_attach() shall find a place for it. */
bool is_attachable(const struct bpf_program *prog);

/* --- host.c ----------------------------------------------------------------- */

/* The host's kernel instead of the simulated one. Why not is in @error. */
enum loader_status host_init(struct loader *l, struct loader_error *error);
/* Only what looks and changes nothing is let into the host's kernel. */
enum loader_status host_check(const struct loader *l, struct loader_error *error);
/* Why it said no, with @err (-EPERM or -ENOSYS), to something that was loaded. */
enum loader_status host_explain(struct loader *l, int err, struct loader_error *error);

/* --- image.c ---------------------------------------------------------------- */

/* A file in memory that is, as far as its ELF headers say, a complete BPF object with BTF. */
struct image {
	void *data;
	size_t size;
};

/* @path for reading, @shown for messages. Free image->data. */
enum loader_status image_read(struct image *image, const char *path, const char *shown,
			      struct loader_error *error);

/* The same of bytes that are here already and become the image's. */
enum loader_status image_take(struct image *image, struct strbuf *bytes, const char *shown,
			      struct loader_error *error);
/* The content of a section that is not empty; NULL: there is none of that name. */
const void *image_section(const struct image *image, const char *name, size_t *size);
/* Is there more than one of that name? */
bool image_has_twice(const struct image *image, const char *name);
/* The entries of the symbol table; @sym is an Elf64_Sym. */
typedef void (*image_symbol_fn)(const char *name, const void *sym, void *arg);
void image_each_symbol(const struct image *image, image_symbol_fn fn, void *arg);

/* --- layout.c --------------------------------------------------------------- */

/* May libbpf trust the object's types? Before it opens it. */
enum loader_status check_layout(const struct image *image, const char *path,
				struct loader_error *error);

/* --- object_cache.c --------------------------------------------------------- */

/* What is known of an object before it is compiled, and where it may be found. */
struct object_cache {
	char *const *args; /* the compiler and its arguments but for files, NULL at the end */
	char *dir, *manifest;
};

/* Of @path compiled by @args. False: there is none. To be closed in both cases. */
bool object_cache_open(struct object_cache *cache, char *const *args, const char *path);
/* Appends the object to @object. False: it is not there, or not whole, or not the same any more. */
bool object_cache_find(const struct object_cache *cache, struct strbuf *object);
/* @rule: what was read to make it, as compilers tell make; changed. 0 or -errno. */
int object_cache_keep(const struct object_cache *cache, const struct strbuf *object, char *rule);
void object_cache_close(struct object_cache *cache);

/* --- object_cache_trim.c ------------------------------------------------------ */

/* Bytes on the disk, which is some thousand objects. */
#define OBJECT_CACHE_LIMIT (128UL << 20)

/* Makes what is kept in the directory @path smaller than @limit, if it is not. */
void object_cache_trim(const char *path, u64 limit);
/* Of all files, this one is the last to go now. */
void object_cache_used(const char *path);

/* --- compile.c -------------------------------------------------------------- */

/* The object that @path is, or that it is compiled to, once, by clang into a cache. */
enum loader_status object_read(struct image *image, const char *path,
			       const struct loader_options *opts, loader_warn_fn warn, void *arg,
			       struct loader_error *error);

/* --- variables.c ------------------------------------------------------------ */

/* A global variable, a struct_ops table, or a part of one: a place in the value of a map. */
struct variable {
	const struct bpf_map *map;
	u32 type_id; /* in the object's BTF, past modifiers and typedefs */
	u32 offset, size; /* bytes */
	u32 bit_offset, bit_size; /* of a bit field within them; size 0: none */
	bool rodata; /* const volatile: fixed at load */
};

/*
 * Calls @fn for every variable with external linkage (of others, BTF does not
 * tell the place) until it returns true.
 */
typedef bool (*variable_fn)(const char *name, const struct variable *var, void *arg);
void for_each_variable(const struct loader *l, variable_fn fn, void *arg);
/* The same of one section's map. Returns true when @fn did. */
bool each_in_section(const struct btf *btf, const struct bpf_map *map, variable_fn fn, void *arg);
/* A whole variable by its name. */
bool find_variable(const struct loader *l, const char *name, struct variable *var);
/*
 * A path such as "cfg.batch" or "arr[3]", or of a field of a struct_ops table:
 * "simple_ops.timeout_ms". Otherwise false, and a sentence in @err.
 */
bool find_path(const struct loader *l, const char *path, struct variable *var, char *err,
	       size_t err_size);

/* Where @var's bytes are before load. NULL when the map's value does not contain them. */
void *variable_data(const struct variable *var);
/* An integer, a bool or an enum, not a larger thing. */
bool is_integer(const struct btf *btf, const struct variable *var);
bool is_signed(const struct btf *btf, const struct variable *var);
/* @data: the variable's bytes. put: cuts @value to the variable's width. */
s64 get_integer(const struct btf *btf, const struct variable *var, const void *data);
void put_integer(const struct variable *var, void *data, s64 value);

/* Gives @var type @type_id, all of it. False for damaged BTF. */
bool set_type(const struct btf *btf, struct variable *var, u32 type_id);
/* From a struct or union @t at @var to its member @i. False for damaged BTF. */
bool enter_member(const struct btf *btf, struct variable *var, const struct btf_type *t, u32 i);
/* The type past const, volatile, typedefs and tags. */
const struct btf_type *plain_type(const struct btf *btf, u32 id, u32 *res_id);

/* --- settings.c ------------------------------------------------------------- */

/* One "path=value". */
enum loader_status apply_setting(struct loader *l, const char *setting,
				 struct loader_error *error);
/* Is it about a field of a struct_ops table? */
bool is_struct_ops_setting(const struct loader *l, const char *setting);

/* The value of an enumerator of enum @t by its name. @near (may be NULL) sees all names. */
bool enumerator_value(const struct btf *btf, const struct btf_type *t, const char *name, u64 *value,
		      struct suggest *near);

/* Remembers that @name (of @len bytes) has a value of somebody's choice. */
void settle_variable(struct loader *l, const char *name, size_t len);
bool is_settled(const struct loader *l, const char *name);

/* --- machine.c -------------------------------------------------------------- */

/* The value of an enumerator of the kernel's. */
bool kernel_enumerator(const struct loader *l, const char *name, u64 *value);
/* Variables that say how the machine and its kernel are. */
void fill_machine_variables(struct loader *l);
/* Arrays with an element per CPU, and the buffer for a dump. */
enum loader_status resize_arrays(struct loader *l, struct loader_error *error);
/* One warning about the constants that nobody has set. */
void warn_about_defaults(const struct loader *l);

/* --- access.c --------------------------------------------------------------- */

/* The contents of a map that is loaded and mmapable, as an agent sees them. */
struct map_view {
	char *data;
	size_t size; /* of all elements */
	size_t stride; /* from one to the next */
};

/* -EOPNOTSUPP: not mmapable; other -errno as mmap(2). */
int map_view_open(struct map_view *view, const struct bpf_map *map, bool write);
void map_view_close(struct map_view *view);

/* --- format.c --------------------------------------------------------------- */

/* What a value is made of and how its addresses are called. */
struct format {
	const struct btf *btf;
	const char *(*symbol)(u64 address); /* may be NULL */
	struct strbuf *out;
};

bool is_zero(const char *data, size_t size);
/* Appends the value of type @type_id at @data, of @size bytes. Type 0: bytes. */
void format_value(const struct format *f, u32 type_id, const void *data, size_t size);
/* Order of two values of a type: by numbers where they have some, otherwise by bytes. */
int compare_values(const struct btf *btf, u32 type_id, const void *a, const void *b, size_t size);

/* --- generation.c ----------------------------------------------------------- */

/* The newest generation that has kfunc @name, or NULL. */
const char *generation_having(const char *name);

/* --- explain.c -------------------------------------------------------------- */

/* Text between @before and @after on one line of the log; false if there is none. */
bool find_between(const struct loader *l, const char *before, const char *after, char *buf,
		  size_t size);

/* Why open or load failed with @err (-errno), from what libbpf said. */
enum loader_status explain_open(struct loader *l, int err, struct loader_error *error);
enum loader_status explain_load(struct loader *l, int err, struct loader_error *error);
/* Why a table or program of a kind of ours could not be attached. */
enum loader_status explain_attach(struct loader *l, enum loader_kind kind, const char *name,
				  int err, struct loader_error *error);
/* The same of a program that says itself where it belongs. */
enum loader_status explain_place(struct loader *l, const struct bpf_program *prog, int err,
				 struct loader_error *error);

#endif
