/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Expectations: "web.wakeup.p99<2ms" makes a run a test. The grammar is
 *
 *	[GROUP.]METRIC[.PART] OPERATOR VALUE
 *
 * without a group it is the machine's metric. docs/command.md lists them.
 */
#ifndef VRT_CLI_EXPECT_H
#define VRT_CLI_EXPECT_H

#include "../base/util.h"

struct json_object;

enum expect_op { EXPECT_LT, EXPECT_LE, EXPECT_GT, EXPECT_GE, EXPECT_EQ, EXPECT_NE };
/* What a value is, and so how it is written. */
enum expect_unit { UNIT_NS, UNIT_COUNT, UNIT_MILLI, UNIT_PPM };

struct expectation {
	const char *text; /* as given */
	char group[64]; /* "machine" for none */
	char path[64]; /* in the group's object, or in "metrics" */
	enum expect_op op;
	enum expect_unit unit;
	u64 value;
};

/* 0, or -EINVAL with a message. @text must stay. */
int expect_parse(const char *text, struct expectation *e, char *err, size_t err_size);
/*
 * Looks into the "run" object. False when it does not hold or nothing was
 * measured; *value is the measured value, or NULL in *found.
 */
bool expect_holds(const struct expectation *e, struct json_object *run, bool *found, u64 *value);
/* The value as people read it. */
char *expect_human(const struct expectation *e, u64 value, char *buf, size_t size);

#endif
