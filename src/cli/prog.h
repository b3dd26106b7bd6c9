/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vrt prog: prog.c the command and what it prints, prog_object.c what a process of
 * its own does with the object, prog_jited.c machine code.
 */
#ifndef VRT_CLI_PROG_H
#define VRT_CLI_PROG_H

#include "run.h"

struct bpf_prog;

struct prog_request {
	struct run_plan *plan;
	const char *object; /* plan->schedulers has it alone */
	struct text_list names; /* of programs; none: all */
	bool jited;
};

/*
 * For in_child(), @arg is a struct prog_request: the programs of "vruntime-prog-1"
 * (docs/json.md), or a "message" that says why there are none.
 */
struct json_object *prog_object(void *arg);

/*
 * The machine code of @prog, by instructions, as an array; NULL with the reason in
 * @err.
 */
struct json_object *prog_jited(const struct bpf_prog *prog, char *err, size_t err_size);

#endif
