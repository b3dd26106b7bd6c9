/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Repro bundles: all that a run was made of, and how it ended, as one JSON
 * document that can be attached to a bug report. docs/command.md shows its form.
 *
 *	bundle.c	the document: its hash, and the files in it
 *	bundle_read.c	from the document to the options of a run
 *	bundle_write.c	from a run's plan and result to a file
 *	replay.c	vrt replay: from a file to a run, and the comparison
 *
 * A bundle may be anybody's. It is looked at as a whole before anything of it is
 * used, and its files are unpacked into a directory that is made for them.
 */
#ifndef VRT_CLI_BUNDLE_H
#define VRT_CLI_BUNDLE_H

#include "run.h"

struct strbuf;

#define BUNDLE_SCHEMA "vruntime-repro-1"
#define BUNDLE_SUFFIX ".vrt-repro"
/* What files are called inside. */
#define BUNDLE_WORKLOAD "workload.json"
#define BUNDLE_MACHINE "machine.json"
#define BUNDLE_COSTS "costs.json"

/* --- the document ------------------------------------------------------------- */

/* Adds a file to the array @files. */
void bundle_add_file(struct json_object *files, const char *name, const struct strbuf *content);
/* Of a machine's CPUs: a machine that is written in the same words may be another one. */
void bundle_machine_hash(const struct topology *topo, char hex[SHA256_HEX_SIZE]);
/* Ends @document with its hash. */
void bundle_seal(struct json_object *document);
/* The document in @path, of the right form and as it was written; NULL with a message. */
struct json_object *bundle_load(const char *path, char *err, size_t err_size);
/* The same of its text; @name is what messages call it. */
struct json_object *bundle_parse(const char *name, const char *text, size_t len, char *err,
				 size_t err_size);
/* Its file @i: name and content; false past the end. */
bool bundle_file(struct json_object *document, u32 i, const char **name, struct strbuf *content);

/*
 * What its command says, as of a command line: all files it names are in it. 0, or
 * -EINVAL with a message. Texts point into the document.
 */
int bundle_options(struct json_object *document, struct run_options *options,
		   struct text_list *schedulers, char *err, size_t err_size);

/* --- writing -------------------------------------------------------------------- */

/*
 * The bundle of @scheduler's run, whose object is @run; NULL with a message. *news:
 * does it say anything that the run itself has not, as of a file that is not there?
 */
struct json_object *bundle_new(const struct run_plan *plan, const char *scheduler,
			       struct json_object *run, bool *news, char *err, size_t err_size);
/*
 * Writes the bundle if the run failed, or if --bundle asks for it, and notes its
 * name as "bundle" in @run. False: it was asked for, and could not be written.
 */
bool bundle_keep(const struct run_plan *plan, const char *scheduler, struct json_object *run);
/* Names the bundles of @runs, and the commands that replay them, on stderr. */
void bundle_tell(struct json_object *runs);

#endif
