/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vrt verify: verify.c the command and its report, verify_object.c what a process
 * of its own does with one object.
 */
#ifndef VRT_CLI_VERIFY_H
#define VRT_CLI_VERIFY_H

#include "run.h"

/* Of all objects: one combination of what -G says. */
struct verify_variant {
	struct text_list set; /* which are its own */
	char *suffix; /* behind a program's name: "[a=1][b=2]"; "": there is only one value of each */
};

struct verify_variants {
	struct verify_variant *items;
	u32 nr; /* at least one */
};

/* 0, or -EINVAL with a message that starts with the option. To be freed if it is 0. */
int verify_variants_make(struct verify_variants *variants, const struct text_list *globals,
			 char *err, size_t err_size);
void verify_variants_free(struct verify_variants *variants);

struct verify_request {
	struct run_plan *plan;
	const char *object; /* as given: one of plan->schedulers */
	u32 log_level; /* of the loads; 0: no logs */
	const struct verify_variant *variant;
};

/* What is set for the object of @request; *@copy is the caller's to free. */
void verify_settings(const struct verify_request *request, struct text_list *set, char **copy);

/*
 * A machine on which nothing runs, for loads, until kernel_shutdown(): NULL, or why it
 * does not boot, to be freed.
 */
char *boot_idle(const struct run_plan *plan, const struct run_kernel *kernel);

/*
 * For in_child(), @arg is a struct verify_request: loads the object's programs
 * without attaching them, and gives its entry of "objects" (docs/json.md).
 */
struct json_object *verify_object(void *arg);
/* What is known of an object that could not even be looked at. */
struct json_object *verify_failed(const struct verify_request *request, const char *message);

/* The verdicts on an object and on a program. */
#define VERIFY_ACCEPTED "accepted"
#define VERIFY_REFUSED "refused"
#define VERIFY_FAILED "failed" /* an object that was not loaded for another reason */
#define VERIFY_SKIPPED "not checked"
#define VERIFY_NOT_ASKED "not asked" /* of a kernel's */

/*
 * verify_real.c: the verdicts of the kernel at @t beside ours, in @object, which
 * verify_object() has made: "asked" of it, and of each program.
 */
void verify_ask(const struct verify_request *request, struct run_target *t,
		struct json_object *object);
void verify_print_asked(struct json_object *object);
/* Has a kernel another verdict on one of its programs? Or was there one that could not be asked? */
bool verify_differs(struct json_object *object);
bool verify_had_no_kernel(struct json_object *object);

#endif
