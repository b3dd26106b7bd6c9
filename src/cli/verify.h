/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vrt verify: verify.c the command and its report, verify_object.c what a process
 * of its own does with one object.
 */
#ifndef VRT_CLI_VERIFY_H
#define VRT_CLI_VERIFY_H

#include "run.h"

struct verify_request {
	struct run_plan *plan;
	const char *object; /* as given: one of plan->schedulers */
	u32 log_level; /* of the loads; 0: no logs */
};

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

#endif
